"""The queue theatre: a simulated fleet that answers while a slider moves."""

import math
from functools import lru_cache
from typing import Any

import traitlets as t

from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.theatre import (
    EVENTS,
    REQUESTS,
    ZONES,
    TheatreInputs,
    TheatreView,
    draw_latency,
    theatre_figure,
    theatre_view,
)
from mlsd_helpers.simulation import ROUTINGS
from mlsd_helpers.simulation.quick import LANES
from mlsd_helpers.widgets.base import Explorable, Lockable, module, tabular

_TRAITS = ("peak_rps", "replicas", "routing", "burstiness", "batch", "cached_share", "event")
_NOTE = f"{REQUESTS:,} requests in {LANES} independent runs; intervals of 95 %."


class QueueTheatre(Explorable[TheatreView]):
    """A fleet to play with: rate, replicas, routing, bursts, batches, a cache, a restart and a lost zone.

    Each movement simulates 100,000 requests and shows how long they take, with intervals, beside Erlang C's number
    and the learner's own. With a `prediction` (in ms) the view stays closed until that is locked in. `view` is what
    the traits give now. Inputs out of range raise `RangeError`.
    """

    _esm = module("queue_theatre.js")
    _name = "Queue theatre"
    _inputs = _TRAITS
    _compute = staticmethod(lru_cache(maxsize=256)(theatre_view))  # a slider comes back to where it was

    peak_rps = t.Float().tag(sync=True)
    replicas = t.Int().tag(sync=True)
    routing = t.Unicode().tag(sync=True)
    burstiness = t.Float().tag(sync=True)
    batch = t.Int().tag(sync=True)
    cached_share = t.Float().tag(sync=True)
    event = t.Unicode().tag(sync=True)
    choices = t.Dict().tag(sync=True)

    def __init__(self, prediction: Lockable | None = None, **inputs: Any) -> None:
        super().__init__(
            TheatreInputs(**inputs),
            prediction,
            choices={"routing": list(ROUTINGS), "event": list(EVENTS)},
        )

    @t.validate(*_TRAITS)
    def _in_range(self, proposal: Any) -> Any:
        return self._validate_input(proposal)

    def _predicted_s(self) -> float | None:
        guess, unit = (getattr(self._prediction, name, None) for name in ("guess", "unit"))
        return None if guess is None or unit != "ms" else float(guess) / 1000

    def _picture(self, view: TheatreView) -> str:
        return f"{theatre_figure(view).html()}{table(_columns(view))}<p>{_note(view)}</p>"

    def _words(self, view: TheatreView) -> str:
        return f"{self._name}. {view.alt}"

    def _page(self, view: TheatreView) -> dict[str, Any]:
        return {
            "fleet": view.fleet,
            "table": tabular(_columns(view)),
            "verdict": view.verdict,
            "picture": draw_latency(view, self._predicted_s()).for_page(view.alt),
            "note": _note(view),
            "busy": min(view.utilisation, 1.0),
            "zones": min(ZONES, view.inputs.replicas),
            "lost_zone": view.inputs.event == "zone loss",
        }


def _note(view: TheatreView) -> str:
    if not math.isfinite(view.formula_p99_s):
        return _NOTE
    where = "lies beyond the picture" if view.formula_is_beyond else "is dashed"
    return f"{_NOTE} Erlang C's p99, for one queue, {where}."


def _columns(view: TheatreView) -> Columns:
    names, values, intervals = zip(*view.rows, strict=True)
    if view.endless:
        values = intervals = ("no end",) * len(names)
    return {"of all requests": names, "answered within": values, "interval (95 %)": intervals}
