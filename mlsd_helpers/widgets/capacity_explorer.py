"""The replica rule and Erlang C, side by side on one control."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Protocol

import traitlets as t

from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.capacity import sized
from mlsd_helpers.figures.capacity_view import (
    ASSUMES,
    CapacityInputs,
    CapacityView,
    Fleet,
    capacity_view,
    show_wait,
)
from mlsd_helpers.widgets.base import Widget, module

_SLIDERS = ("peak_rps", "service_time_s", "target_utilisation", "headroom")
_LOCKED = "Lock in your prediction first."
_computed = lru_cache(maxsize=512)(capacity_view)  # a slider comes back to where it was


class Lockable(Protocol):
    """What a learner commits to before the view opens: a `Prediction` or a `Choice`."""

    locked: Any

    def observe(self, handler: Callable[[Any], None], names: str) -> None:
        """Call `handler` when the trait `names` changes."""


class CapacityExplorer(Widget):
    """Sliders for peak rate, service time, target utilisation and headroom, and what follows from them.

    The formula with its numbers, the rule's fleet, the one by Erlang C whose `percentile` of the wait stays
    within `wait_budget_s` (None: half a service time, moving with it), and the curve that both stand on, move
    together. With a `prediction` the view stays closed, and nothing of it reaches the page, until that is locked
    in. The inputs are traits, and `view` is what they give now. Inputs out of range raise `RangeError`.
    """

    _esm = module("capacity_explorer.js")
    peak_rps = t.Float().tag(sync=True)
    service_time_s = t.Float().tag(sync=True)
    target_utilisation = t.Float().tag(sync=True)
    headroom = t.Float().tag(sync=True)
    ready = t.Bool().tag(sync=True)
    shown = t.Dict().tag(sync=True)

    def __init__(
        self,
        peak_rps: float = 500,
        service_time_s: float = 0.040,
        target_utilisation: float = 0.7,
        headroom: float = 0.3,
        wait_budget_s: float | None = None,
        percentile: float = 0.99,
        prediction: Lockable | None = None,
    ) -> None:
        given = CapacityInputs(
            peak_rps, service_time_s, target_utilisation, headroom, wait_budget_s, percentile
        )
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
    def view(self) -> CapacityView:
        """What the inputs give now."""
        return _computed(self._inputs())

    def _inputs(self, **moved: float) -> CapacityInputs:
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
        picture = sized(view).html() + table(_columns(view))
        if self.ready:
            return picture
        folded = f"<details><summary>Without a kernel: predict, then open</summary>{picture}</details>"
        return f"<p>{_LOCKED}</p>{folded}"

    def sentence(self) -> str:
        """Return the view in words, or that a prediction comes first."""
        return self.view.sentence if self.ready else f"Capacity explorer. {_LOCKED}"


def _for_the_page(view: CapacityView) -> dict[str, Any]:
    """Everything that the page draws, already in words where it is words."""
    budget_s = view.inputs.budget_s
    return {
        "formula": view.formula,
        "columns": list(_columns(view)),
        "rows": [list(row) for row in zip(*_columns(view).values(), strict=True)],
        "verdict": view.verdict,
        "alt": view.alt,
        "note": ASSUMES,
        "curve": [list(point) for point in view.curve],
        "wait_name": f"{view.percentile_name} wait",
        "top_s": view.wait_top_s,
        "load": view.inputs.offered_load,
        "budget": {"wait_s": budget_s, "label": f"wait budget {show_wait(budget_s)}"},
        "rule": _marked(view.rule, "the rule", view.wait_top_s),
        "exact": _marked(view.exact, "Erlang C", view.wait_top_s),
    }


def _marked(fleet: Fleet, name: str, top_s: float) -> dict[str, Any]:
    return {
        "replicas": fleet.replicas,
        "wait_s": min(fleet.wait_s, top_s),  # JSON has no infinity
        "label": f"{name}: {fleet.replicas:,}",
    }


def _columns(view: CapacityView) -> Columns:
    fleets = (view.rule, view.exact)
    return {
        "sized by": ("the rule", "Erlang C"),
        "replicas": tuple(f"{fleet.replicas:,}" for fleet in fleets),
        "busy": tuple(f"{fleet.utilisation:.0%}" for fleet in fleets),
        f"{view.percentile_name} wait": tuple(show_wait(fleet.wait_s) for fleet in fleets),
    }
