"""The replica rule and Erlang C, side by side on one control."""

from functools import lru_cache
from typing import Any

import traitlets as t

from mlsd_helpers.analysis.capacity import (
    ASSUMES,
    CapacityInputs,
    CapacityView,
    capacity_view,
    show_wait,
)
from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.capacity import capacity_figure, draw_waits
from mlsd_helpers.widgets.base import Explorable, Lockable, module, tabular

_SLIDERS = ("peak_rps", "service_time_s", "target_utilisation", "headroom")


class CapacityExplorer(Explorable[CapacityView]):
    """Sliders for peak rate, service time, target utilisation and headroom, and what follows from them.

    The formula with its numbers, the rule's fleet, the one by Erlang C whose `percentile` of the wait stays
    within `wait_budget_s` (None: half a service time, moving with it), and the curve that both stand on, move
    together. With a `prediction` the view stays closed, and nothing of it reaches the page, until that is locked
    in. The inputs are traits, and `view` is what they give now. Inputs out of range raise `RangeError`.
    """

    _esm = module("capacity_explorer.js")
    _name = "Capacity explorer"
    _inputs = _SLIDERS
    _compute = staticmethod(lru_cache(maxsize=512)(capacity_view))  # a slider comes back to where it was

    peak_rps = t.Float().tag(sync=True)
    service_time_s = t.Float().tag(sync=True)
    target_utilisation = t.Float().tag(sync=True)
    headroom = t.Float().tag(sync=True)

    def __init__(
        self,
        peak_rps: float = CapacityInputs.peak_rps,
        service_time_s: float = CapacityInputs.service_time_s,
        target_utilisation: float = CapacityInputs.target_utilisation,
        headroom: float = CapacityInputs.headroom,
        wait_budget_s: float | None = CapacityInputs.wait_budget_s,
        percentile: float = CapacityInputs.percentile,
        prediction: Lockable | None = None,
    ) -> None:
        given = CapacityInputs(
            peak_rps, service_time_s, target_utilisation, headroom, wait_budget_s, percentile
        )
        super().__init__(given, prediction)

    @t.validate(*_SLIDERS)
    def _in_range(self, proposal: Any) -> float:
        return float(self._validate_input(proposal))

    def _picture(self, view: CapacityView) -> str:
        return capacity_figure(view).html() + table(_columns(view))

    def _words(self, view: CapacityView) -> str:
        return view.sentence

    def _page(self, view: CapacityView) -> dict[str, Any]:
        return {
            "formula": view.formula,
            "table": tabular(_columns(view)),
            "verdict": view.verdict,
            "picture": draw_waits(view).for_page(view.alt),
            "note": ASSUMES,
        }


def _columns(view: CapacityView) -> Columns:
    fleets = (view.rule, view.exact)
    return {
        "sized by": ("the rule", "Erlang C"),
        "replicas": tuple(f"{fleet.replicas:,}" for fleet in fleets),
        "busy": tuple(f"{fleet.utilisation:.0%}" for fleet in fleets),
        f"{view.percentile_name} wait": tuple(show_wait(fleet.wait_s) for fleet in fleets),
    }
