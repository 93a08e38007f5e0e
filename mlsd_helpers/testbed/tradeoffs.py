"""What four ways to answer trade: a figure of the measurement `three_patterns`."""

from typing import TYPE_CHECKING, NamedTuple

from mlsd_helpers.figures import style
from mlsd_helpers.figures.base import Figure, from_matplotlib, show_number
from mlsd_helpers.figures.style import EXACT, OTHER, RULE
from mlsd_helpers.testbed.experiments import Measurement
from mlsd_helpers.testbed.readings import interval
from mlsd_helpers.testbed.results import format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = {"A": RULE, "B": EXACT, "C": OTHER}
# Where a point's label stands, in points from it: the three that often lie close together keep clear of each other.
_BESIDE = {
    "A": ((0, -14), "center"),
    "B": ((-8, 3), "right"),
    "C": ((8, 3), "left"),
    "streamed": ((-10, 3), "right"),
}
_AXES = (
    ("p99_s", "p99 latency, ms", 1e3),
    ("oldest_s", "oldest state that was read, s", 1),
    ("cpu_s_per_1,000", "CPU s per 1,000 predictions", 1),
)


class Point(NamedTuple):
    """A way to answer in one of the panels: a price, lower is better, and the recall that it buys."""

    name: str
    price: float
    recall: float


def pareto(measured: Measurement) -> Figure:
    """Show recall, with its 95 % interval, against latency, age and cost; a line joins those that no other beats.

    Data: the ways to answer, and a column for each of the four values.
    """
    data = {
        name: measured.column(name) for name in ("answers", "recall_share", *(name for name, *_ in _AXES))
    }
    with style.applied():
        canvas = style.blank(300)
        for axes, (name, title, scale) in zip(
            canvas.subplots(1, len(_AXES), sharey=True), _AXES, strict=True
        ):
            _panel(axes, points(measured, name, scale), title, measured.facts["frauds"])
        canvas.axes[0].set_ylabel("recall at 1 % false alarms")
        columns = {
            name: tuple("none" if cell is None else cell for cell in cells) for name, cells in data.items()
        }
        without = [row["answers"] for row in measured.rows if row["oldest_s"] is None]
        absent = (
            f"No point in the middle: {'; '.join(map(str, without))} (reads nothing that ages). "
            if without
            else ""
        )
        return from_matplotlib(canvas, alt=_alt(measured), caption=absent + measured.source, data=columns)


def points(measured: Measurement, price: str, scale: float) -> list[Point]:
    """Return the ways to answer that have this price, the cheapest first."""
    rows = ((str(row["answers"]), row[price], row["recall_share"]) for row in measured.rows)
    known = [
        Point(name, float(cost) * scale, float(recall))
        for name, cost, recall in rows
        if cost is not None and recall
    ]
    return sorted(known, key=lambda point: (point.price, -point.recall))


def unbeaten(given: list[Point]) -> list[Point]:
    """Return the points, cheapest first, that find more than every cheaper one (the Pareto front).

    >>> [point.name for point in unbeaten([Point("A", 1, 0.1), Point("B", 2, 0.1), Point("C", 3, 0.5)])]
    ['A', 'C']
    """
    return [
        point
        for place, point in enumerate(given)
        if all(point.recall > cheaper.recall for cheaper in given[:place])
    ]


def _panel(axes: "Axes", given: list[Point], title: str, frauds: float) -> None:
    best = unbeaten(given)
    prices, recalls = zip(*((each.price, each.recall) for each in best), strict=True)
    axes.step(prices, recalls, where="post", color=style.QUIET, lw=1)
    for point in given:
        line = _LINES[point.name[0]]
        axes.vlines(point.price, *interval(point.recall, frauds), color=line.colour, lw=1.5, alpha=0.6)
        axes.plot(
            point.price, point.recall, line.marker, color=line.colour, markersize=9, clip_on=False, alpha=0.85
        )
        streamed = "streamed" in point.name
        place, side = _BESIDE["streamed" if streamed else point.name[0]]
        if streamed and point.price < max(each.price for each in given) / 2:
            place, side = (10, 3), "left"  # into the panel
        axes.annotate(
            "A streamed" if streamed else point.name[0],
            (point.price, point.recall),
            xytext=place,
            textcoords="offset points",
            ha=side,
        )
    axes.margins(0.25)
    axes.set_ylim(0, 1)
    axes.set_xlim(left=0)
    axes.set_xlabel(title)


def _alt(measured: Measurement) -> str:
    parts = []
    for row in measured.rows:
        age = (
            "reads no recent state"
            if row["oldest_s"] is None
            else f"oldest state {format_time(float(row['oldest_s']))}"
        )
        cost = show_number(round(float(row["cpu_s_per_1,000"] or 0), 3))
        share = float(row["recall_share"] or 0)
        low, high = interval(share, measured.facts["frauds"])
        found = f"finds {share:.0%} of the fraud ({low:.0%} to {high:.0%})"
        parts.append(
            f"{row['answers']}: {found}, p99 {format_time(float(row['p99_s'] or 0))}, {age}, {cost} CPU s per 1,000"
        )
    return "Recall against latency, age and cost. " + "; ".join(parts) + "."
