"""A feature's age over time, and the schedule, delays and cache that make it."""

from functools import lru_cache
from typing import Any

import traitlets as t

from mlsd_helpers.analysis.freshness import ASSUMES, FreshnessInputs, FreshnessView, freshness_view
from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.dataflow import LINES, draw_ages, freshness_figure
from mlsd_helpers.units import show_seconds
from mlsd_helpers.widgets.base import Explorable, Lockable, module, tabular

_SLIDERS = ("period_s", "phase", "delay_s", "ttl_s", "sla_s")


class FreshnessTimeline(Explorable[FreshnessView]):
    """Sliders for a job's period, phase and delays, a cache's TTL and the age limit, and the age that follows.

    The sum of the worst age, best, mean and worst, the share of stale reads, the sawtooth of the age and the age
    that one marked read finds move together. With a `prediction` the view stays closed, and nothing of it reaches
    the page, until that is locked in. The inputs are traits (seconds, the phase a share of the period), and `view`
    is what they give now. Inputs out of range raise `RangeError`.
    """

    _esm = module("freshness_timeline.js")
    _name = "Freshness timeline"
    _inputs = _SLIDERS
    _compute = staticmethod(lru_cache(maxsize=512)(freshness_view))  # a slider comes back to where it was

    period_s = t.Float().tag(sync=True)
    phase = t.Float().tag(sync=True)
    delay_s = t.Float().tag(sync=True)
    ttl_s = t.Float().tag(sync=True)
    sla_s = t.Float().tag(sync=True)

    def __init__(
        self,
        period_s: float = FreshnessInputs.period_s,
        delay_s: float = FreshnessInputs.delay_s,
        ttl_s: float = FreshnessInputs.ttl_s,
        sla_s: float = FreshnessInputs.sla_s,
        phase: float = FreshnessInputs.phase,
        prediction: Lockable | None = None,
    ) -> None:
        super().__init__(FreshnessInputs(period_s, delay_s, ttl_s, sla_s, phase), prediction)

    @t.validate(*_SLIDERS)
    def _in_range(self, proposal: Any) -> float:
        return float(self._validate_input(proposal))

    def _picture(self, view: FreshnessView) -> str:
        return freshness_figure(view).html() + table(_columns(view))

    def _words(self, view: FreshnessView) -> str:
        return view.sentence

    def _page(self, view: FreshnessView) -> dict[str, Any]:
        return {
            "sum": view.sum,
            "table": tabular(_columns(view)),
            "verdict": view.verdict,
            "picture": draw_ages(view).for_page(view.alt),
            "key": LINES,
            "note": ASSUMES,
        }


def _columns(view: FreshnessView) -> Columns:
    bounds = view.bounds
    return {
        "best": (show_seconds(bounds.best_s),),
        "mean": (show_seconds(bounds.mean_s),),
        "worst": (show_seconds(bounds.worst_s),),
        "stale reads": (f"{view.stale:.1%}",),
        "the marked read": (view.read_words,),
    }
