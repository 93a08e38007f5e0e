"""Where the boxes and arrows of a sketch stand: no arrow runs through a box or a plane's name.

Each plane is a lane of five columns. A box stands to the right of those of its lane that it hears from, and near what
it is connected to in other lanes. Arrows run between rows and columns only, each on a track of its own, as in channel
routing of printed circuits (Hashimoto and Stevens, *Wire routing by optimizing channel assignment*, 1971). No kept
library does that here: igraph and Grandalf place boxes by layers and know no lanes, ELK and libavoid need a browser,
and a stored figure has none.
"""

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from types import MappingProxyType

from mlsd_helpers.design import KINDS, Flow, Planes
from mlsd_helpers.design.components import Plane
from mlsd_helpers.figures.drawing import Point

WIDE, BOX_WIDE, BOX_HIGH = 820, 116, 40
COLUMNS = 5
NAMES_WIDE = 82
"""The width of the left margin, in which the planes' names stand."""

_GAP = (WIDE - NAMES_WIDE - COLUMNS * BOX_WIDE) / (COLUMNS + 1)
PITCH = BOX_WIDE + _GAP, 64.0
"""From one column to the next, and about from one row to the next."""
_TRACK, _ROOM = 7, 16  # from one track to the next, and of a channel beside its tracks
_PASSES = 8
_ROW_COSTS = 2.5  # columns that an arrow may be longer for one row less
_STEP = 12  # from one end of an arrow to the next on a side of a box

Cell = tuple[int, int]
"""A row of a lane, and a column, both from 0."""

Cells = Mapping[str, Cell]
Points = tuple[Point, ...]
_NOWHERE: Cells = MappingProxyType({})


@dataclass(frozen=True)
class Lane:
    """One plane on the sketch: where it begins, in pixels, how high it is, and the tops of its rows."""

    plane: Plane
    top: float
    high: float
    rows: tuple[float, ...]


@dataclass(frozen=True)
class Layout:
    """Where everything stands, in pixels: lanes from the top, boxes by their upper left corner, arrows by corners."""

    lanes: tuple[Lane, ...]
    cells: Cells
    boxes: Mapping[str, Point]
    arrows: tuple[Points, ...]
    high: float

    def cell(self, plane: Plane, x: float, y: float) -> Cell:
        """Return the cell of a lane, or of a new row below it, that is nearest to the corner of a box."""
        rows = next(lane.rows for lane in self.lanes if lane.plane == plane)
        rows = (*rows, rows[-1] + PITCH[1])
        row = min(range(len(rows)), key=lambda at: abs(rows[at] - y))
        return row, min(max(round((x - _left(0)) / PITCH[0]), 0), COLUMNS - 1)


def layout(planes: Planes, wanted: Cells = _NOWHERE) -> Layout:
    """Place each component in the lane of its plane, and lead each flow around the others.

    `wanted` holds cells that a reader has chosen; each goes to the first who asks for it. The layout takes some
    hundredths of a second for thirty boxes, and is kept.
    """
    return _layout(planes, tuple(wanted.items()))


@lru_cache(maxsize=64)
def _layout(planes: Planes, wanted: tuple[tuple[str, Cell], ...]) -> Layout:
    cells = _cells(planes, dict(wanted))
    heights = [1 + max((cells[one.id][0] for one in planes.in_plane(plane)), default=0) for plane in KINDS]
    before = {plane: sum(heights[:at]) for at, plane in enumerate(KINDS)}
    places = {one.id: (before[one.plane] + cells[one.id][0], cells[one.id][1]) for one in planes.components}
    return _Router(planes.flows, places, heights).layout(cells)


# ---------------------------------------------------------------- which cell


def _cells(planes: Planes, wanted: Cells) -> dict[str, Cell]:
    """Give each component a cell: at first in their order, then exchanged as long as the arrows get shorter."""
    cells: dict[str, Cell] = {}
    fixed: set[str] = set()
    for plane in KINDS:
        inside = [one.id for one in planes.in_plane(plane)]
        free = [divmod(at, COLUMNS) for at in range(COLUMNS * (len(inside) + 1))]
        level = _levels(inside, planes.flows)
        for name in sorted(inside, key=lambda one, level=level: (one not in wanted, level[one])):  # type: ignore[misc]
            cells[name] = _nearest(free, wanted[name]) if name in wanted else free[0]
            free.remove(cells[name])
        fixed.update(name for name in inside if name in wanted)
    lanes = [[one.id for one in planes.in_plane(plane)] for plane in KINDS]
    search = _Search(planes.flows, {name: at for at, lane in enumerate(lanes) for name in lane}, cells)
    for _ in range(_PASSES):
        moved = [search.improve(lane, fixed) for lane in lanes]
        if not any(moved):
            break
    return {name: cell for lane in lanes for name, cell in _without_empty_rows(lane, cells).items()}


def _nearest(cells: Iterable[Cell], aim: Cell) -> Cell:
    return min(cells, key=lambda cell: math.dist(cell, aim))


def _levels(inside: Sequence[str], flows: Iterable[Flow]) -> dict[str, int]:
    """Return how many boxes of its lane each one hears from, one after another; at most all, where they are a cycle."""
    pairs = [(flow.start, flow.end) for flow in flows if flow.start in inside and flow.end in inside]
    level = dict.fromkeys(inside, 0)
    for _ in inside:
        for start, end in pairs:
            level[end] = min(max(level[end], level[start] + 1), len(inside))
    return level


class _Search:
    """Moves and exchanges boxes within their lane as long as that makes the arrows shorter."""

    def __init__(self, flows: Sequence[Flow], lane_of: Mapping[str, int], cells: dict[str, Cell]) -> None:
        self.lane_of, self.cells = lane_of, cells
        self.at: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for flow in flows:
            if flow.start != flow.end:
                self.at[flow.start].append((flow.start, flow.end))
                self.at[flow.end].append((flow.start, flow.end))

    def improve(self, lane: Sequence[str], fixed: Container[str]) -> bool:
        """Try each box of a lane in each cell; tell whether one has moved."""
        rows = math.ceil(len(lane) / COLUMNS) + (len(lane) > COLUMNS - 2)
        moved = False
        for name in lane:
            for cell in product(range(rows), range(COLUMNS)):
                here = self.cells[name]
                there = next((other for other in lane if self.cells[other] == cell), None)
                if name in fixed or there in fixed or cell == here:
                    continue
                both = [name] if there is None else [name, there]
                before = self._cost(lane, both)
                self.cells[name] = cell
                if there is not None:
                    self.cells[there] = here
                if self._cost(lane, both) < before - 1e-9:
                    moved = True
                    continue
                self.cells[name] = here
                if there is not None:
                    self.cells[there] = cell
        return moved

    def _cost(self, lane: Sequence[str], names: Iterable[str]) -> float:
        rows = len({self.cells[name][0] for name in lane})
        return _ROW_COSTS * rows + sum(self._length(*pair) for name in names for pair in self.at[name])

    def _length(self, start: str, end: str) -> float:
        """Return how far an arrow goes, in columns; one that goes left or up in its lane counts more."""
        (row, column), (row_2, column_2) = self.cells[start], self.cells[end]
        across = abs(column - column_2)
        if self.lane_of[start] != self.lane_of[end]:
            down = row_2 - row if self.lane_of[start] < self.lane_of[end] else row - row_2
            return across + 0.3 * down
        straight = row == row_2 and across == 1
        return across + abs(row - row_2) + 2 * (column_2 < column) - 0.7 * straight


def _without_empty_rows(lane: Iterable[str], cells: Cells) -> dict[str, Cell]:
    mine = {name: cells[name] for name in lane}
    rows = sorted({row for row, _ in mine.values()})
    return {name: (rows.index(row), column) for name, (row, column) in mine.items()}


# ---------------------------------------------------------------- which way


@dataclass
class _Run:
    """A straight part of an arrow in a channel: its two ends, and its track."""

    start: float
    end: float
    track: int = 0


class _Router:
    """Leads the arrows through the channels above, below and between the rows, and between the columns."""

    def __init__(self, flows: Sequence[Flow], places: Mapping[str, Cell], heights: Sequence[int]) -> None:
        self.flows, self.places, self.heights = flows, places, heights
        self.across: dict[int, list[_Run]] = defaultdict(list)  # in the channel above a row
        self.down: dict[int, list[_Run]] = defaultdict(list)  # in the channel left of a column
        self.ends: dict[tuple[str, str], list[tuple[float, int, bool]]] = defaultdict(list)

    def layout(self, cells: Cells) -> Layout:
        ways = [self._way(at, flow) for at, flow in enumerate(self.flows)]
        self.port = dict(self._ports())
        self.runs = {at: list(self._parts(at, way)) for at, way in enumerate(ways) if way}
        for channel in (*self.across.values(), *self.down.values()):
            _share(channel)
        tops, channels, borders = self._levels()
        lanes: list[Lane] = []
        first = 0
        for plane, height in zip(KINDS, self.heights, strict=True):
            top, bottom = borders[first], borders[first + height]
            lanes.append(Lane(plane, top, bottom - top, tuple(tops[first : first + height])))
            first += height
        boxes = {name: (_left(column), tops[row]) for name, (row, column) in self.places.items()}
        arrows = tuple(self._corners(at, way, tops, channels) for at, way in enumerate(ways))
        return Layout(tuple(lanes), cells, boxes, arrows, borders[-1])

    def _way(self, at: int, flow: Flow) -> tuple[int, ...]:
        """Choose the channels of an arrow, and note the sides on which it leaves and enters.

        () is straight on to the next box; (h,) one channel between rows; (h, v, h) two, and one between columns.
        """
        (row, column), (row_2, column_2) = self.places[flow.start], self.places[flow.end]
        if row == row_2 and abs(column - column_2) == 1:
            side = ("right", "left") if column < column_2 else ("left", "right")
            self._note(at, flow, side, (0, 0))
            return ()
        if row == row_2:
            above = column < column_2
            side = ("top", "top") if above else ("bottom", "bottom")
            self._note(at, flow, side, (column_2, column))
            return (row if above else row + 1,)
        side = ("bottom", "top") if row < row_2 else ("top", "bottom")
        first, last = (row + 1, row_2) if row < row_2 else (row, row_2 + 1)
        if first == last:
            self._note(at, flow, side, (column_2, column))
            return (first,)
        gaps = range(COLUMNS + 1)
        gap = min(
            gaps, key=lambda one: abs(one - column - 0.5) + abs(one - column_2 - 0.5) + 0.01 * (one == 0)
        )
        self._note(at, flow, side, (gap - 0.5, gap - 0.5))
        return first, gap, last

    def _note(self, at: int, flow: Flow, sides: tuple[str, str], towards: tuple[float, float]) -> None:
        self.ends[flow.start, sides[0]].append((towards[0], at, True))
        self.ends[flow.end, sides[1]].append((towards[1], at, False))

    def _ports(self) -> Iterator[tuple[tuple[int, bool], float]]:
        """Yield where each arrow meets a side, from its middle; what goes left stands left."""
        for (_, side), ends in self.ends.items():
            upright = side in {"left", "right"}
            room = (BOX_HIGH if upright else BOX_WIDE) - 16
            step = min(_STEP, room / len(ends))
            shift = 0.0 if upright else step / 4 if side == "top" else -step / 4
            for place, (_, at, is_start) in enumerate(sorted(ends, key=lambda end: end[:2])):
                yield (at, is_start), (place - (len(ends) - 1) / 2) * step + shift

    def _x(self, at: int, *, start: bool) -> float:
        name = self.flows[at].start if start else self.flows[at].end
        return _left(self.places[name][1]) + BOX_WIDE / 2 + self.port[at, start]

    def _parts(self, at: int, way: tuple[int, ...]) -> Iterator[_Run]:
        """Note the straight parts of an arrow in their channels."""
        x, x_2 = self._x(at, start=True), self._x(at, start=False)
        if len(way) == 1:
            yield self._run(self.across[way[0]], x, x_2)
            return
        first, gap, last = way
        middle = _left(gap) - _GAP / 2
        yield self._run(self.across[first], x, middle)
        yield self._run(self.down[gap], first, last)
        yield self._run(self.across[last], middle, x_2)

    @staticmethod
    def _run(channel: list[_Run], start: float, end: float) -> _Run:
        channel.append(_Run(min(start, end), max(start, end)))
        return channel[-1]

    def _corners(
        self, at: int, way: tuple[int, ...], tops: Sequence[float], channels: Sequence[float]
    ) -> Points:
        (row, column), (row_2, column_2) = (
            self.places[name] for name in (self.flows[at].start, self.flows[at].end)
        )
        if not way:
            y, y_2 = (tops[row] + BOX_HIGH / 2 + self.port[at, start] for start in (True, False))
            x, x_2 = _left(column), _left(column_2)
            x, x_2 = (x + BOX_WIDE, x_2) if x < x_2 else (x, x_2 + BOX_WIDE)
            return _straight([(x, y), ((x + x_2) / 2, y), ((x + x_2) / 2, y_2), (x_2, y_2)])
        x, x_2 = self._x(at, start=True), self._x(at, start=False)
        begin = (x, tops[row] + (BOX_HIGH if way[0] > row else 0))
        end = (x_2, tops[row_2] + (BOX_HIGH if way[-1] > row_2 else 0))
        levels = [channels[channel] + self.runs[at][-1 if place else 0].track * _TRACK for place, channel in
                  enumerate((way[0], way[-1]))]  # fmt: skip
        if len(way) == 1:
            return _straight([begin, (x, levels[0]), (x_2, levels[0]), end])
        tracks = 1 + max(run.track for run in self.down[way[1]])
        step = min(_TRACK, (_GAP - 4) / tracks)
        middle = _left(way[1]) - _GAP / 2 + (self.runs[at][1].track - (tracks - 1) / 2) * step
        return _straight(
            [begin, (x, levels[0]), (middle, levels[0]), (middle, levels[1]), (x_2, levels[1]), end]
        )

    def _levels(self) -> tuple[list[float], list[float], list[float]]:
        """Return the top of each row, the first track of each channel, and where two lanes may meet in it."""
        y, tops, channels, borders = 0.0, [], [], []
        for channel in range(sum(self.heights) + 1):
            tracks = 1 + max((run.track for run in self.across[channel]), default=-1)
            room = _ROOM + _TRACK * tracks
            channels.append(y + (_ROOM + _TRACK) / 2)
            borders.append(y + room / 2)
            y += room
            tops.append(y)
            y += BOX_HIGH
        borders[0], borders[-1] = 0.0, tops[-1]
        return tops[:-1], channels, borders


def _left(column: int) -> float:
    return NAMES_WIDE + _GAP + column * PITCH[0]


def _share(channel: list[_Run]) -> None:
    """Give each run of a channel the first track on which it touches no other; short ones first."""
    taken: list[list[_Run]] = []
    for run in sorted(channel, key=lambda run: (run.end - run.start, run.start)):
        free = (at for at, track in enumerate(taken) if all(_apart(run, other) for other in track))
        run.track = next(free, len(taken))
        if run.track == len(taken):
            taken.append([])
        taken[run.track].append(run)


def _apart(one: _Run, other: _Run) -> bool:
    return one.end + 4 < other.start or other.end + 4 < one.start


def _straight(corners: Sequence[Point]) -> Points:
    """Leave out corners at which an arrow does not turn."""
    kept = [corners[0]]
    for here, after in pairwise(corners[1:]):
        if (
            not (kept[-1][0] == here[0] == after[0] or kept[-1][1] == here[1] == after[1])
            and here != kept[-1]
        ):
            kept.append(here)
    return (*kept, corners[-1])
