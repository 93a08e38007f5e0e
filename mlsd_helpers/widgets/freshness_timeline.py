"""A feature's age over time, and the schedule, delays and cache that make it."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import traitlets as t

from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.dataflow import timeline
from mlsd_helpers.figures.dataflow_view import ASSUMES, FreshnessInputs, FreshnessView, freshness_view
from mlsd_helpers.units import show_seconds
from mlsd_helpers.widgets.base import Widget, module
from mlsd_helpers.widgets.capacity_explorer import Lockable

_SLIDERS = ("period_s", "phase", "delay_s", "ttl_s", "sla_s")
_LOCKED = "Lock in your prediction first."
_computed = lru_cache(maxsize=512)(freshness_view)  # a slider comes back to where it was


class FreshnessTimeline(Widget):
    """Sliders for a job's period, phase and delays, a cache's TTL and the SLA, and the age that follows.

    The sum of the worst age, best, mean and worst, the share of stale reads, the sawtooth of the age and the age
    that one marked read finds move together. With a `prediction` the view stays closed, and nothing of it reaches
    the page, until that is locked in. The inputs are traits (seconds, the phase a share of the period), and `view`
    is what they give now. Inputs out of range raise `RangeError`.
    """

    _esm = module("freshness_timeline.js")
    period_s = t.Float().tag(sync=True)
    phase = t.Float().tag(sync=True)
    delay_s = t.Float().tag(sync=True)
    ttl_s = t.Float().tag(sync=True)
    sla_s = t.Float().tag(sync=True)
    ready = t.Bool().tag(sync=True)
    shown = t.Dict().tag(sync=True)

    def __init__(
        self,
        period_s: float = 900,
        delay_s: float = 270,
        ttl_s: float = 30,
        sla_s: float = 900,
        phase: float = 0.0,
        prediction: Lockable | None = None,
    ) -> None:
        given = FreshnessInputs(period_s, delay_s, ttl_s, sla_s, phase)
        _computed(given)  # refuses what is out of range before there is a widget
        self._given = given
        super().__init__(
            ready=prediction is None or bool(prediction.locked),
            **{name: getattr(given, name) for name in _SLIDERS},
        )
        self.observe(self._show, names=[*_SLIDERS, "ready"])
        self._show()
        if prediction is not None:
            prediction.observe(lambda _: self.set_trait("ready", bool(prediction.locked)), names="locked")

    @property
    def view(self) -> FreshnessView:
        """What the inputs give now."""
        return _computed(self._inputs())

    def _inputs(self, **moved: float) -> FreshnessInputs:
        return replace(self._given, **{name: getattr(self, name) for name in _SLIDERS} | moved)

    @t.validate(*_SLIDERS)
    def _in_range(self, proposal: Any) -> float:
        value: float = proposal["value"]
        _computed(self._inputs(**{proposal["trait"].name: value}))
        return value

    def _show(self, _change: object = None) -> None:
        if self.ready:
            self.shown = _for_the_page(self.view)

    def still(self) -> str:
        """Return the view as a figure and a table, folded away while the prediction is open."""
        view = self.view
        picture = timeline(view).html() + table(_columns(view))
        if self.ready:
            return picture
        folded = f"<details><summary>Without a kernel: predict, then open</summary>{picture}</details>"
        return f"<p>{_LOCKED}</p>{folded}"

    def sentence(self) -> str:
        """Return the view in words, or that a prediction comes first."""
        return self.view.sentence if self.ready else f"Freshness timeline. {_LOCKED}"


def _for_the_page(view: FreshnessView) -> dict[str, Any]:
    """Everything that the page draws, already in words where it is words."""
    low_s, high_s = view.read_ages_s
    return {
        "sum": view.sum,
        "columns": list(_columns(view)),
        "row": [str(column[0]) for column in _columns(view).values()],
        "verdict": view.verdict,
        "alt": view.alt,
        "note": ASSUMES,
        "rows": [list(row) for row in view.rows],
        "window_s": view.window_s,
        "top_s": view.top_s,
        "cached": view.inputs.ttl_s > 0,
        "sla": {"age_s": view.inputs.sla_s, "label": f"SLA {show_seconds(view.inputs.sla_s)}"},
        "read": {
            "time_s": view.read_s,
            "low_s": low_s,
            "high_s": high_s,
            "label": f"one read: {view.read_words}",
        },
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
