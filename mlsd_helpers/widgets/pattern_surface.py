"""Where request-time, pre-computed, streaming and hybrid serving are feasible and cheapest, on one map."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import traitlets as t

from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.patterns import mapped
from mlsd_helpers.figures.patterns_view import (
    ASSUMES,
    ASSUMPTIONS,
    NAMES,
    PatternInputs,
    PatternView,
    pattern_view,
    places,
)
from mlsd_helpers.widgets.base import Widget, module

_SLIDERS = tuple(assumption.field for assumption in ASSUMPTIONS)
_INPUTS = (*_SLIDERS, "listable")
_HERE = Path(__file__).parent
_STYLE = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("base.css", "pattern_surface.css"))
_LOCKED = "Lock in your prediction first."
_computed = lru_cache(maxsize=512)(pattern_view)  # a slider comes back to where it was


class Lockable(Protocol):
    """What a learner commits to before the view opens: a `Prediction` or a `Choice`."""

    locked: Any

    def observe(self, handler: Callable[[Any], None], names: str) -> None:
        """Call `handler` when the trait `names` changes."""


class PatternSurface(Widget):
    """Sliders for what the choice of a pattern depends on, and a map of the cheapest one that is fresh enough.

    The map has the request rate along it and the allowed age up it; the design of the sliders is a point on it.
    Beside it stand the costs of the patterns at that point, why one cannot be taken, and, for each assumption,
    the value at which the choice flips. With a `prediction` the view stays closed, and nothing of it reaches the
    page, until that is locked in. The inputs are traits, and `view` is what they give now. Inputs out of range
    raise `RangeError`.
    """

    _esm = module("pattern_surface.js")
    _css = _STYLE  # type: ignore[assignment] # the text of two files, where the base has the path of one
    rate_rps = t.Float().tag(sync=True)
    max_age_s = t.Float().tag(sync=True)
    key_count = t.Float().tag(sync=True)
    read_share = t.Float().tag(sync=True)
    inference_price = t.Float().tag(sync=True)
    read_price = t.Float().tag(sync=True)
    listable = t.Bool().tag(sync=True)
    ready = t.Bool().tag(sync=True)
    shown = t.Dict().tag(sync=True)

    def __init__(
        self,
        rate_rps: float = 2_000,
        max_age_s: float = 3_600,
        key_count: float = 1_000_000,
        read_share: float = 0.9,
        inference_price: float = 10.0,
        read_price: float = 0.5,
        listable: bool = True,
        prediction: Lockable | None = None,
    ) -> None:
        given = PatternInputs(
            rate_rps, max_age_s, key_count, read_share, inference_price, read_price, listable
        )
        self._given = given
        super().__init__(
            ready=prediction is None or bool(prediction.locked),
            **{name: getattr(given, name) for name in _INPUTS},
        )
        self.observe(self._show, names=[*_INPUTS, "ready"])
        self._show()
        if prediction is not None:
            prediction.observe(lambda _: self.set_trait("ready", bool(prediction.locked)), names="locked")

    @property
    def view(self) -> PatternView:
        """What the inputs give now."""
        return _computed(self._inputs())

    def _inputs(self, **moved: float) -> PatternInputs:
        return replace(self._given, **{name: getattr(self, name) for name in _INPUTS} | moved)

    @t.validate(*_SLIDERS)
    def _in_range(self, proposal: Any) -> float:
        value: float = proposal["value"]
        self._inputs(**{proposal["trait"].name: value})
        return value

    def _show(self, _change: object = None) -> None:
        if self.ready:
            self.shown = _for_the_page(self.view)

    def still(self) -> str:
        """Return the view as a map and two tables, folded away while the prediction is open."""
        view = self.view
        picture = mapped(view).html() + table(_priced(view)) + table(_flipped(view))
        if self.ready:
            return picture
        folded = f"<details><summary>Without a kernel: predict, then open</summary>{picture}</details>"
        return f"<p>{_LOCKED}</p>{folded}"

    def sentence(self) -> str:
        """Return the view in words, or that a prediction comes first."""
        return self.view.sentence if self.ready else f"Pattern surface. {_LOCKED}"


def _for_the_page(view: PatternView) -> dict[str, Any]:
    """Everything that the page draws, already in words where it is words."""
    return {
        "surface": list(view.surface),
        "labels": [[name, NAMES[name], *cell] for name, cell in places(view.surface).items()],
        "choice": view.choice,
        "costs": _tabular(_priced(view)),
        "flips": _tabular(_flipped(view)),
        "verdict": view.verdict,
        "alt": view.alt,
        "note": ASSUMES,
    }


def _tabular(columns: Columns) -> dict[str, list[Any]]:
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return {"columns": list(columns), "rows": rows}


def _priced(view: PatternView) -> Columns:
    patterns, prices, remarks = zip(*view.rows, strict=True)
    return {"pattern": patterns, "cost": prices, "": remarks}


def _flipped(view: PatternView) -> Columns:
    """Return each assumption with its value and the nearest flips on either side."""
    flips = {(flip.assumption.field, flip.below): f"{flip.at}: {flip.to}" for flip in view.flips}
    sides = {
        title: tuple(flips.get((one.field, below), "–") for one in ASSUMPTIONS)
        for title, below in (("flips below", True), ("flips above", False))
    }
    return {"assumption": tuple(one.name for one in ASSUMPTIONS), **sides}
