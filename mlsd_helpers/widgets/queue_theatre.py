"""The queue theatre: the same requests under two routings, seen while they wait, as a slider moves."""

from functools import lru_cache
from typing import Any, NamedTuple

import traitlets as t

from mlsd_helpers.figures.base import Columns, table
from mlsd_helpers.figures.theatre import (
    EVENTS,
    MEANINGS,
    NAMES,
    REQUESTS,
    RUNS,
    TheatreInputs,
    TheatreView,
    draw_theatre,
    theatre_figure,
    theatre_view,
)
from mlsd_helpers.simulation import ROUTINGS
from mlsd_helpers.units import show_seconds
from mlsd_helpers.widgets.base import Explorable, Lockable, module, style, tabular


class Step(NamedTuple):
    """A group of controls, and what introduces it."""

    title: str
    text: str
    controls: tuple[str, ...]


STEPS = (
    Step(
        "Routing",
        "The same requests, twice: above they wait in one queue, below as you choose. Find a replica with a queue "
        "beside an idle one. Then add replicas, up to 80: does random routing catch up?",
        ("replicas", "routing"),
    ),
    Step(
        "Rate",
        "Traffic grows and the fleet stays. Find the rate from which the queue only grows: from there on there is no "
        "percentile. Below it there is one, though it may take a longer run than this to measure it.",
        ("peak_rps",),
    ),
    Step(
        "A failure",
        "A zone is a part of a cloud region that fails as a whole; the fleet stands in three. A rolling restart takes "
        "a quarter of the replicas down at a time. The percentiles are those while it lasts. How many replicas keep "
        "serving through a lost zone?",
        ("event",),
    ),
    Step(
        "Bursts",
        "The index of burstiness is the variance of the requests per second over their mean: 1 for "
        "Poisson traffic, 13 for a service that completes code on Azure. Set 13 at 500/s. Then set it at 25/s with 2 "
        "replicas.",
        ("burstiness",),
    ),
    Step(
        "Batches",
        "A replica may serve several waiting requests at once. Batches take longer, and carry more. Do they help "
        "when half of the replicas are idle? And when the fleet is overloaded?",
        ("batch",),
    ),
    Step(
        "A cache",
        "A cache keeps the answers to the most popular keys (Zipf), and answers those at once, in 0 ms here. What it "
        "answers never reaches the fleet, which is then less busy. Take replicas away until it is as busy as before: "
        "which percentile is now shorter, in per cent, and which one least?",
        ("cached_share",),
    ),
)
"""What is offered, step by step: a title, a sentence that introduces it, and its controls."""
_TRAITS = ("peak_rps", "replicas", "routing", "burstiness", "batch", "cached_share", "event")
_NOTE = (
    f"Percentiles: {REQUESTS:,} requests for each routing in {RUNS} independent runs, the same arrivals and service "
    "times for both; "
)


class QueueTheatre(Explorable[TheatreView]):
    """A fleet to play with: replicas and routing first; then rate, failures, bursts, batches and a cache.

    Two routings, `beside` and `routing`, serve the same requests. The picture shows who waits where, over time, and
    below it how long the answers take. An overloaded fleet has no percentiles: its queue is seen growing. `step` is
    how many groups of controls are offered, from 1 to 6; a button offers the next. With a `prediction` (in ms) the
    view stays closed until that is locked in. `view` is what the traits give now. Inputs out of range raise
    `RangeError`.
    """

    _esm = module("queue_theatre.js")
    _css = style("queue_theatre.css")  # type: ignore[assignment] # a text, where the base has a path
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
    step = t.Int(1, min=1, max=len(STEPS)).tag(sync=True)
    choices = t.Dict().tag(sync=True)

    def __init__(self, prediction: Lockable | None = None, *, step: int = 1, **inputs: Any) -> None:
        super().__init__(
            TheatreInputs(**inputs),
            prediction,
            step=step,
            choices={
                "routing": [[routing, NAMES[routing]] for routing in ROUTINGS],
                "event": [[event, event] for event in EVENTS],
                "steps": [[title, text, list(controls)] for title, text, controls in STEPS],
            },
        )

    @t.validate(*_TRAITS)
    def _in_range(self, proposal: Any) -> Any:
        return self._validate_input(proposal)

    def _predicted_s(self) -> float | None:
        guess, unit = (getattr(self._prediction, name, None) for name in ("guess", "unit"))
        return None if guess is None or unit != "ms" else float(guess) / 1000

    def _picture(self, view: TheatreView) -> str:
        parts = (
            f"<p>{words}</p>" for words in (_routings(view), view.bursts, view.batches, _note(view)) if words
        )
        return f"{theatre_figure(view).html()}{table(_columns(view))}{''.join(parts)}"

    def _words(self, view: TheatreView) -> str:
        return f"{self._name}. {view.alt}"

    def _page(self, view: TheatreView) -> dict[str, Any]:
        return {
            "routings": _routings(view),
            "fleet": view.fleet,
            "table": tabular(_columns(view)),
            "verdict": view.verdict,
            "seen": view.seen,
            "explained": " ".join(filter(None, [view.bursts, view.batches])),
            "picture": draw_theatre(view, self._predicted_s()).for_page(view.alt),
            "note": _note(view),
            "overloaded": view.overloaded,
        }


def _routings(view: TheatreView) -> str:
    """Say what each routing that is shown does."""
    return " ".join(
        f"{lane.name[0].upper() + lane.name[1:]}: {MEANINGS[lane.routing]}." for lane in view.lanes
    )


def _note(view: TheatreView) -> str:
    if view.overloaded:
        return "The picture is one run of the simulation. It has no end that a percentile could rest on."
    known = [f"{show_seconds(lane.formula_p99_s)} {lane.phrase}" for lane in view.lanes if lane.formula_p99_s]
    agrees = f" By formula the p99 is {' and '.join(known)}." if known else ""
    return f"{_NOTE}intervals of 95 %.{agrees}"


def _columns(view: TheatreView) -> Columns:
    """Return the percentiles of each routing; of an overloaded fleet how many wait, at a few instants."""
    if view.overloaded:
        at = [round(quarter * (len(view.recordings[0].at_s) - 1) / 4) for quarter in range(5)]
        waiting = {f"waiting, {one.name}": tuple(f"{one.total[i]:,}" for i in at) for one in view.recordings}
        return {
            "after": tuple(show_seconds(float(f"{view.recordings[0].at_s[i]:.2g}")) for i in at),
            **waiting,
        }
    names = ("p50", "p95", "p99")
    columns: dict[str, tuple[str, ...]] = {"answered within (95 % interval)": names}
    for lane in view.lanes:
        found = tuple(p.estimate.as_text() for p in lane.percentiles)
        columns[lane.name] = found or ("run too short",) * len(names)
    return columns
