"""A latency distribution whose tail is dragged, and the mean, p50, p99 and a page's p99 that follow."""

from functools import lru_cache
from typing import Any

import traitlets as t

from mlsd_helpers.analysis.latency import ASSUMES, LatencyInputs, LatencyView, latency_view
from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.requirements import TAIL_PLOT, draw_tail, latency_figure
from mlsd_helpers.widgets.base import Explorable, Lockable, module, style, tabular

_TRAITS = ("ordinary_s", "slow_share", "slow_s", "calls", "promise_s")


class LatencySculptor(Explorable[LatencyView]):
    """A latency curve with a tail to drag, or to move by sliders, and the numbers that are made of it.

    The ordinary and the slow time, the share of slow requests, the calls of a page and the promise are traits (seconds,
    a fraction, a count); `view` is what they give now: mean, p50, p99 and the p99 of a page that waits for all its
    calls. With a `prediction` the view stays closed, and nothing of it reaches the page, until that is locked in.
    Inputs out of range raise `RangeError`.
    """

    _esm = module("latency_sculptor.js")
    _css = style("latency_sculptor.css")  # type: ignore[assignment] # a text, where the base has a path
    _name = "Latency sculptor"
    _inputs = _TRAITS
    _compute = staticmethod(lru_cache(maxsize=512)(latency_view))  # a slider comes back to where it was

    ordinary_s = t.Float().tag(sync=True)
    slow_share = t.Float().tag(sync=True)
    slow_s = t.Float().tag(sync=True)
    calls = t.Int().tag(sync=True)
    promise_s = t.Float().tag(sync=True)

    def __init__(
        self,
        ordinary_s: float = LatencyInputs.ordinary_s,
        slow_share: float = LatencyInputs.slow_share,
        slow_s: float = LatencyInputs.slow_s,
        calls: int = LatencyInputs.calls,
        promise_s: float = LatencyInputs.promise_s,
        prediction: Lockable | None = None,
    ) -> None:
        super().__init__(LatencyInputs(ordinary_s, slow_share, slow_s, calls, promise_s), prediction)

    @t.validate(*_TRAITS)
    def _in_range(self, proposal: Any) -> Any:
        return self._validate_input(proposal)

    def _picture(self, view: LatencyView) -> str:
        return latency_figure(view).html() + table(_columns(view))

    def _words(self, view: LatencyView) -> str:
        return view.sentence

    def _page(self, view: LatencyView) -> dict[str, Any]:
        plot = TAIL_PLOT
        return {
            "sum": view.sum,
            "table": tabular(_columns(view)),
            "verdict": view.verdict,
            "picture": draw_tail(view).for_page(view.alt),
            "note": ASSUMES,
            "handle": plot.at(view.inputs.slow_s, view.inputs.slow_share),
            "axes": {
                "slow_s": [plot.left, plot.end, plot.across.low, plot.across.high],
                "slow_share": [plot.floor, plot.top, plot.up.low, plot.up.high],
            },
        }


def _columns(view: LatencyView) -> Columns:
    return {
        "number": tuple(mark.name for mark in view.marks),
        "value": tuple(mark.words for mark in view.marks),
        "a promise about it": tuple("is kept" if view.keeps(mark) else "is broken" for mark in view.marks),
    }
