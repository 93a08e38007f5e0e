"""Where request-time, pre-computed, streaming and hybrid serving are feasible and cheapest, on one map."""

from functools import lru_cache
from typing import Any

import traitlets as t

from mlsd_helpers.analysis.patterns import ASSUMES, ASSUMPTIONS, PatternInputs, PatternView, pattern_view
from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.patterns import draw_map, pattern_figure
from mlsd_helpers.widgets.base import Explorable, Lockable, module, style, tabular

_SLIDERS = tuple(assumption.field for assumption in ASSUMPTIONS)
_INPUTS = (*_SLIDERS, "listable")


class PatternSurface(Explorable[PatternView]):
    """Sliders for what the choice of a pattern depends on, and a map of the cheapest one that is fresh enough.

    The map has the request rate along it and the allowed age up it; the design of the sliders is a point on it.
    Beside it stand the costs of the patterns at that point, why one cannot be taken, and, for each assumption,
    the value at which the choice flips. With a `prediction` the view stays closed, and nothing of it reaches the
    page, until that is locked in. The inputs are traits, and `view` is what they give now. Inputs out of range
    raise `RangeError`.
    """

    _esm = module("pattern_surface.js")
    _css = style("pattern_surface.css")  # type: ignore[assignment] # text, where the base has a path
    _name = "Pattern surface"
    _inputs = _INPUTS
    _compute = staticmethod(lru_cache(maxsize=512)(pattern_view))  # a slider comes back to where it was

    rate_rps = t.Float().tag(sync=True)
    max_age_s = t.Float().tag(sync=True)
    key_count = t.Float().tag(sync=True)
    read_share = t.Float().tag(sync=True)
    inference_price = t.Float().tag(sync=True)
    read_price = t.Float().tag(sync=True)
    listable = t.Bool().tag(sync=True)
    ranges = t.Dict({one.field: [one.name, one.low, one.high] for one in ASSUMPTIONS}).tag(sync=True)
    """Of each slider: its name, and its ends."""

    def __init__(
        self,
        rate_rps: float = PatternInputs.rate_rps,
        max_age_s: float = PatternInputs.max_age_s,
        key_count: float = PatternInputs.key_count,
        read_share: float = PatternInputs.read_share,
        inference_price: float = PatternInputs.inference_price,
        read_price: float = PatternInputs.read_price,
        listable: bool = PatternInputs.listable,
        prediction: Lockable | None = None,
    ) -> None:
        given = PatternInputs(
            rate_rps, max_age_s, key_count, read_share, inference_price, read_price, listable
        )
        super().__init__(given, prediction)

    @t.validate(*_SLIDERS)
    def _in_range(self, proposal: Any) -> float:
        return float(self._validate_input(proposal))

    def _picture(self, view: PatternView) -> str:
        return pattern_figure(view).html() + table(_priced(view)) + table(_flipped(view))

    def _words(self, view: PatternView) -> str:
        return view.sentence

    def _page(self, view: PatternView) -> dict[str, Any]:
        return {
            "costs": tabular(_priced(view)),
            "flips": tabular(_flipped(view)),
            "verdict": view.verdict,
            "picture": draw_map(view).for_page(view.alt),
            "note": ASSUMES,
        }


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
