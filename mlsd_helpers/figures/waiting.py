"""Where requests wait: the event loop of one short run, recorded for two routings of the same requests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsd_helpers.figures import drawing
from mlsd_helpers.figures.drawing import Axis, Drawing, Plot, tag, words
from mlsd_helpers.simulation.fleet import LOST
from mlsd_helpers.units import show_seconds

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Rows = NDArray[np.void]

COLUMNS = 150
_SHADES = (
    0.35,
    0.55,
    0.77,
    1.0,
)  # busy and nobody waits, then 1, 2 or 3, 4 or more wait: few, to be told apart
_WAIT_FROM = (1, 2, 4)
_LEFT, _RIGHT, _TOTAL, _FLEET = 62, 28, 30, 76


@dataclass(frozen=True, eq=False)
class Recording:
    """The queues of one fleet, sampled at the instants `at_s`: a row for each replica, a column for each instant.

    `waiting` counts the requests in each replica's own queue and `central` those in the one queue before all of
    them; `working` tells which replicas serve a request, and `out` which have been lost or taken down.
    """

    name: str
    at_s: Floats
    waiting: Counts
    central: Counts
    working: NDArray[np.bool_]
    out: NDArray[np.bool_]

    @property
    def total(self) -> Counts:
        """All requests that wait, at each instant."""
        total: Counts = self.waiting.sum(axis=0) + self.central
        return total

    @property
    def idle(self) -> Counts:
        """The replicas that could serve a request and have none, at each instant."""
        idle: Counts = (~self.working & ~self.out).sum(axis=0)
        return idle


def record(
    name: str, requests: Rows, attempts: Rows, away: Sequence[tuple[int, float, float]], replicas: int,
    central: bool, window_s: tuple[float, float],
) -> Recording:  # fmt: skip
    """Sample the queues from the rows of a run: its requests, their attempts, and which replicas are away when."""
    at_s = np.linspace(*window_s, COLUMNS)
    asked = requests[attempts["request"]]
    sent, replica = attempts["sent_s"], attempts["replica"]
    start, done = asked["arrival_s"] + asked["wait_s"], asked["arrival_s"] + asked["latency_s"]
    for (
        number,
        from_s,
        _,
    ) in away:  # what a crash loses is on the replica (the first of it) or still in its queue
        lost = np.flatnonzero((replica == number) & (asked["end"] == LOST))
        done[lost] = from_s
        start[lost[1:]] = from_s
    out = np.zeros((replicas, COLUMNS), bool)
    for number, from_s, until_s in away:
        out[number] |= (at_s >= from_s) & (at_s < until_s)
    waiting = np.zeros((replicas, COLUMNS), np.int64)
    working = np.zeros((replicas, COLUMNS), bool)
    for number in range(replicas):
        own = replica == number
        working[number] = _between(start[own], done[own], at_s) > 0
        if not central:
            waiting[number] = _between(sent[own], start[own], at_s)
    queued = _between(sent, start, at_s) if central else np.zeros(COLUMNS, np.int64)
    return Recording(name, at_s - window_s[0], waiting, queued, working, out)


def _between(begin: Floats, end: Floats, at_s: Floats) -> Counts:
    begun, ended = (np.searchsorted(np.sort(times), at_s, side="right") for times in (begin, end))
    between: Counts = begun - ended
    return between


def worst_moment(recording: Recording, first: int = 0) -> int:
    """Return the column, `first` or later, at which most requests wait beside idle replicas, or simply most wait."""
    wasted = np.minimum(recording.total, recording.idle)
    return first + int(np.argmax((wasted * 1_000 + recording.total)[first:]))


def sentence(recordings: Sequence[Recording], column: int) -> str:
    """Say what each fleet looks like at one instant."""
    at = show_seconds(float(f"{recordings[0].at_s[column]:.2g}"))
    parts = (
        f"{one.name}, {_count(int(one.total[column]), 'request')} {_verb(int(one.total[column]), 'wait')} "
        f"while {_count(int(one.idle[column]), 'replica')} {_verb(int(one.idle[column]), 'be')} idle"
        for one in recordings
    )
    return f"At the line ({at}): {'; '.join(parts)}."


def _count(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


def _verb(number: int, verb: str) -> str:
    return {"wait": "waits", "be": "is"}[verb] if number == 1 else {"wait": "wait", "be": "are"}[verb]


def draw_waiting(recordings: Sequence[Recording], column: int, event: str = "") -> Drawing:
    """Draw each fleet's queues over time: all that wait as an area, and below it a row for each replica."""
    most = max(1, *(int(one.total.max()) for one in recordings))
    parts, top = [_key()], 26.0
    for one in recordings:
        parts += _fleet(one, top, most, column)
        top += 16 + _TOTAL + 4 + _FLEET + 12
    across = Plot(Axis(0, float(recordings[0].at_s[-1])), Axis(0, 1), top + 34, _LEFT, _RIGHT, foot=34)
    parts += [
        words(show_seconds(at), across.x(at), top + 12, text_anchor="middle") for at in across.across.steps(6)
    ]
    ended = f"time in one run{f'; hatched: {event}' if event else ''}"
    parts.append(words(ended, (_LEFT + across.end) / 2, top + 28, text_anchor="middle", fill=drawing.QUIET))
    return Drawing("".join(parts), top + 36)


def _key() -> str:
    named = [("idle", None), *zip(("busy", "1 waits", "2 or 3", "4 or more"), _SHADES, strict=True)]
    parts, x = [words("a row a replica:", _LEFT, 14, fill=drawing.QUIET)], _LEFT + 104.0
    for name, shade in named:
        parts.append(
            tag("rect", x=x, y=4, width=14, height=11, stroke=drawing.CONTROL,
                fill="none" if shade is None else drawing.EXACT, fill_opacity=shade or 0)
        )  # fmt: skip
        parts.append(words(name, x + 19, 14))
        x += 32 + 7.2 * len(name)
    return "".join(parts)


def _fleet(one: Recording, top: float, most: int, column: int) -> Iterator[str]:
    plot = Plot(Axis(0, COLUMNS), Axis(0, most), top + 16 + _TOTAL, _LEFT, _RIGHT, top + 16, 0)
    yield words(one.name[0].upper() + one.name[1:], _LEFT, top + 10, font_weight=600)
    yield words("waiting", _LEFT - 8, top + 16 + _TOTAL / 2 + 4, text_anchor="end", fill=drawing.QUIET)
    yield words(f"at most {int(one.total.max())} at once", plot.end, top + 10, text_anchor="end",
                fill=drawing.QUIET)  # fmt: skip
    yield _area(plot, one.total)
    below = plot.floor + 4
    yield words("replicas", _LEFT - 8, below + _FLEET / 2 + 4, text_anchor="end", fill=drawing.QUIET)
    yield from _rows(plot, one, below)
    yield drawing.line((plot.x(column + 0.5), plot.top - 2), (plot.x(column + 0.5), below + _FLEET),
                       drawing.RULE, 1.5, stroke_dasharray="4 3")  # fmt: skip


def _area(plot: Plot, total: Counts) -> str:
    steps = "".join(f"V{plot.y(level):.1f}H{plot.x(at + 1):.1f}" for at, level in enumerate(total.tolist()))
    shape = f"M{plot.left:.1f} {plot.floor:.1f}{steps}V{plot.floor:.1f}Z"
    return tag("path", d=shape, fill=drawing.OTHER, fill_opacity=0.35, stroke=drawing.OTHER)


def _rows(plot: Plot, one: Recording, top: float) -> Iterator[str]:
    """Draw the state of each replica as strokes, one path for each shade, which keeps the picture small."""
    height = _FLEET / len(one.working)
    levels = np.where(one.working, np.digitize(one.waiting, _WAIT_FROM), -1)
    levels[one.out] = -1
    for level, shade in enumerate(_SHADES):
        strokes = _strokes(plot, levels == level, top, height)
        if strokes:
            yield tag("path", d=strokes, fill="none", stroke=drawing.EXACT, stroke_opacity=shade,
                      stroke_width=0.86 * height)  # fmt: skip
    strokes = _strokes(plot, one.out, top, height)
    if strokes:
        yield drawing.hatching(f"out-{plot.top:.0f}", drawing.RULE)
        yield tag(
            "path", d=strokes, fill="none", stroke=drawing.url(f"out-{plot.top:.0f}"), stroke_width=height
        )
    yield tag("rect", x=plot.left, y=top, width=plot.end - plot.left, height=_FLEET, fill="none",
              stroke=drawing.GRID)  # fmt: skip


def _strokes(plot: Plot, where: NDArray[np.bool_], top: float, height: float) -> str:
    """Return a stroke for each run of columns in which a replica is in a state."""
    edges = np.diff(np.pad(where.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    begins, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    return "".join(
        f"M{plot.x(begin):.0f} {top + (row + 0.5) * height:.1f}H{plot.x(end):.0f}"
        for (row, begin), (_, end) in zip(begins.tolist(), ends.tolist(), strict=True)
    )


def ordered(recording: Recording, rows: Sequence[int]) -> Recording:
    """Return a recording with its replicas in another order, such as by zone."""
    order = list(rows)
    return Recording(
        recording.name, recording.at_s, recording.waiting[order], recording.central,
        recording.working[order], recording.out[order],
    )  # fmt: skip
