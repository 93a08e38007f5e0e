"""A queue at one replica, request by request: what a learner sees who sends the requests by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import drawing
from mlsd_helpers.figures.base import Figure
from mlsd_helpers.figures.drawing import WIDE, Axis, Drawing, Plot, tag, words
from mlsd_helpers.units import show_seconds

SERVICE_S = 0.5
"""How long the replica takes for each request: slow enough to be watched."""
RATES_RPS = (1.0, 1.8, 2.4)
"""The rates of the still picture: half of what the replica can serve, nearly all of it, and more than that."""
SPAN_S = 30.0
SEED = 2270
"""Draws whose counts in half a minute are near their mean at each of the three rates."""
_ROW = 3.0


def unit_gaps(number: int = 500, seed: int = SEED) -> list[float]:
    """Return the times between random arrivals at a rate of 1/s; at another rate they are divided by it."""
    import numpy as np  # noqa: PLC0415 - importing figures is quick

    gaps: list[float] = np.random.default_rng(seed).standard_exponential(number).round(4).tolist()
    return gaps


@dataclass(frozen=True)
class Served:
    """One request: when it arrives, when its service starts and when it is answered, in seconds."""

    arrival_s: float
    start_s: float
    done_s: float

    @property
    def wait_s(self) -> float:
        """How long it waits."""
        return self.start_s - self.arrival_s


def serve(arrivals_s: Sequence[float], service_s: float = SERVICE_S) -> list[Served]:
    """Serve requests one after the other at one replica, in the order of their arrival."""
    found: list[Served] = []
    free_s = 0.0
    for arrival_s in arrivals_s:
        start_s = max(arrival_s, free_s)
        free_s = start_s + service_s
        found.append(Served(arrival_s, start_s, free_s))
    return found


def at_rate(rate_rps: float, span_s: float = SPAN_S) -> list[Served]:
    """Serve the random arrivals of `span_s` seconds at a rate; raises `RangeError` where the draws do not last."""
    arrivals_s = list(accumulate(gap / rate_rps for gap in unit_gaps()))
    if rate_rps <= 0 or arrivals_s[-1] < span_s:
        raise RangeError(
            f"rate_rps {rate_rps!r} must be above 0, and at most {500 / span_s:.3g} for {span_s:g} s."
        )
    return serve([arrival_s for arrival_s in arrivals_s if arrival_s < span_s])


def first_queue(rates_rps: Sequence[float] = RATES_RPS) -> Figure:
    """Show each request at one replica as a bar, waiting and then served, at a few rates.

    Data: rate_rps, arrival_s, start_s, done_s, a row for each request.
    """
    runs = [(rate_rps, at_rate(rate_rps)) for rate_rps in rates_rps]
    rows = [(rate_rps, one.arrival_s, one.start_s, one.done_s) for rate_rps, run in runs for one in run]
    columns = dict(zip(("rate_rps", "arrival_s", "start_s", "done_s"), zip(*rows, strict=True), strict=True))
    told = "; ".join(_told(rate_rps, run) for rate_rps, run in runs)
    alt = (
        f"One replica that takes {show_seconds(SERVICE_S)} for each request. Each request is a bar: first it waits, "
        f"then it is served. {told}."
    )
    caption = "The closer the rate comes to what the replica can serve, the longer the wait; above it the queue grows."
    return draw_first_queue(runs).figure(alt, caption, columns)


def _told(rate_rps: float, run: Sequence[Served]) -> str:
    longest_s = max(one.wait_s for one in run)
    rate = f"{rate_rps:g} request{'' if rate_rps == 1 else 's'}/s"
    return f"{rate}, {rate_rps * SERVICE_S:.0%} of what it can serve: longest wait {longest_s:.1f} s"


def draw_first_queue(runs: Sequence[tuple[float, Sequence[Served]]]) -> Drawing:
    """Draw each run's requests one below the other over time, each as a bar."""
    end_s = max(run[-1].done_s for _, run in runs)
    parts, top = [_key()], 30.0
    for rate_rps, run in runs:
        plot = Plot(Axis(0, end_s), Axis(0, 1), top + 20 + _ROW * len(run), 14, 14, top, 0)
        said = _told(rate_rps, run)
        parts.append(words(said[0].upper() + said[1:], 14, top + 10, font_weight=600))
        parts += _bars(plot, run, top + 20)
        top = plot.floor + 14
    plot = Plot(Axis(0, end_s), Axis(0, 1), top + 26, 14, 14, foot=26)
    parts += [
        words(show_seconds(at), plot.x(at), top + 12, text_anchor="middle") for at in plot.across.steps(6)[1:]
    ]
    return Drawing("".join(parts), top + 20)


def _key() -> str:
    return "".join((
        words("a bar a request:", 14, 16, fill=drawing.QUIET),
        tag("rect", x=122, y=6, width=26, height=10, fill="none", stroke=drawing.RULE),
        words("waits", 154, 16),
        tag("rect", x=202, y=6, width=26, height=10, fill=drawing.EXACT),
        words("is served", 234, 16),
        words("time →", WIDE - 14, 16, text_anchor="end", fill=drawing.QUIET),
    ))  # fmt: skip


def _bars(plot: Plot, run: Sequence[Served], top: float) -> Iterator[str]:
    """Draw all waits and all services of a run as one path each."""
    for colour, thick, times in (
        (drawing.RULE, 1.0, [(one.arrival_s, one.start_s) for one in run]),
        (drawing.EXACT, _ROW - 0.6, [(one.start_s, one.done_s) for one in run]),
    ):
        strokes = (
            f"M{plot.x(begin_s):.1f} {top + _ROW * (row + 0.5):.1f}H{plot.x(end_s):.1f}"
            for row, (begin_s, end_s) in enumerate(times) if end_s > begin_s
        )  # fmt: skip
        yield tag("path", d="".join(strokes), fill="none", stroke=colour, stroke_width=thick)
