"""Figures on requirements: the tail of a latency, the peak of a trace, and two ways of measuring.

Times are in seconds and shares fractions. Inputs out of range raise `RangeError`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from mlsd_helpers import formulas
from mlsd_helpers.analysis.latency import (
    ASSUMES,
    FROM_S,
    LEAST_SHARE,
    TO_S,
    LatencyInputs,
    LatencyView,
    Mark,
    latency_view,
)
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import drawing
from mlsd_helpers.figures.base import Figure, draw, show_number
from mlsd_helpers.figures.drawing import Axis, Drawing, Plot, words
from mlsd_helpers.figures.style import EXACT, LIMIT, QUIET, RULE, label
from mlsd_helpers.units import hour, show_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def latency_tail(
    ordinary_s: float = LatencyInputs.ordinary_s,
    slow_share: float = LatencyInputs.slow_share,
    slow_s: float = LatencyInputs.slow_s,
    calls: int = LatencyInputs.calls,
    promise_s: float = LatencyInputs.promise_s,
) -> Figure:
    """Show the share of requests slower than a time, with p50, mean, p99 and a page's p99 on the curve.

    A share `slow_share` of requests takes `slow_s` on average, the others `ordinary_s`; a page waits for `calls` of
    them. Data: name, time_s, slower (the share of requests beyond it).
    """
    return latency_figure(latency_view(LatencyInputs(ordinary_s, slow_share, slow_s, calls, promise_s)))


def latency_figure(view: LatencyView) -> Figure:
    """Show a computed view, as `latency_tail` does."""
    columns = {name: tuple(getattr(mark, name) for mark in view.marks) for name in Mark._fields}
    return draw_tail(view).figure(view.alt, ASSUMES, columns)


TAIL_PLOT = Plot(Axis(FROM_S, TO_S, logarithmic=True), Axis(LEAST_SHARE, 1, logarithmic=True), high=320)
"""The axes of the picture of the tail: time, and the share of requests that are slower."""


def draw_tail(view: LatencyView) -> Drawing:
    """Draw the share of requests that are slower than a time, the four numbers on it, and the promise."""
    plot, promise_s = TAIL_PLOT, view.inputs.promise_s
    times, shares = [0.001, 0.01, 0.1, 1, 10], [1, 0.1, 0.01, 1e-3, 1e-4]
    beyond = next((at for at, (_, share) in enumerate(view.curve) if share < LEAST_SHARE), len(view.curve))
    seen = view.curve[: beyond + 1]  # one point more ends the curve on the floor
    parts = [
        *(plot.upright(time_s, plot.top, drawing.GRID) for time_s in times),
        *plot.axes(
            [(time_s, show_seconds(time_s)) for time_s in times],
            [(share, f"{100 * share:g}%") for share in shares],
            ("time", "share of requests that are slower"),
        ),
        plot.upright(promise_s, plot.top - 10, drawing.QUIET, 1.5, stroke_dasharray="2 4"),
        words(f"promise {show_seconds(promise_s)}", plot.x(promise_s), plot.top - 15, halo=drawing.PANEL,
              fill=drawing.QUIET, text_anchor="middle"),
        drawing.curve(plot.at(*point) for point in seen),
        *(_mark(plot, view, mark) for mark in view.marks),
    ]  # fmt: skip
    return Drawing("".join(parts), plot.high)


def _mark(plot: Plot, view: LatencyView, mark: Mark) -> str:
    """Draw a number on the curve; the mean's words stand below its mark, where no curve is."""
    x, y = at = plot.at(mark.time_s, mark.slower)
    if mark == view.mean:
        shape, colour, shift, left = drawing.square(at, 6), drawing.RULE, (8, 21), True
    elif mark == view.p50:
        shape, colour, shift, left = drawing.diamond(at, 6, fill=drawing.INK), drawing.INK, (-11, 4), True
    else:
        left = x + 11 + 8 * len(f"{mark.name} {mark.words}") > drawing.WIDE  # no room to the right
        shape, colour, shift = drawing.disc(at), drawing.EXACT, (-11 if left else 11, 4)
    return shape + words(f"{mark.name} {mark.words}", x + shift[0], y + shift[1], halo=drawing.PANEL, fill=colour,
                         font_weight=600, text_anchor="end" if left else "start")  # fmt: skip


def trace_peak(
    counts: Sequence[float], bucket_s: float = hour, repeated: Collection[int] = (), *, explained: bool = True
) -> Figure:
    """Show the rate of a trace, bucket by bucket, and its busiest one.

    `counts` are requests in buckets of `bucket_s` seconds; `repeated` holds those whose clock time came twice. Unless
    `explained`, they are drawn as counted, for a reader who has yet to find out. Data: hour, rps.
    """
    twice = frozenset(repeated) if explained else frozenset[int]()
    found = formulas.peak_of_trace(counts, bucket_s, twice)
    rates = tuple(count / (bucket_s * (1 + (at in twice))) for at, count in enumerate(counts))
    hours = tuple(at * bucket_s / hour for at in range(len(rates)))
    busiest = f"the busiest is hour {hours[found.bucket]:g} with {show_number(round(found.peak_rps))} requests a second"
    return draw(
        lambda axes: _paint_trace(axes, hours, rates, found),
        alt=(
            f"Requests a second over {len(rates) * bucket_s / hour / 24:.3g} days: low before dawn, high in the "
            f"evening, later and higher at the weekend; {busiest}, {found.factor:.2f} times the mean."
        ),
        caption="As counted."
        if not twice
        else "With the repeated hour spread over the two hours that it lasted.",
        data={"hour": hours, "rps": rates},
        height_px=300,
    )


def _paint_trace(
    axes: "Axes", hours: Sequence[float], rates: Sequence[float], found: formulas.TracePeak
) -> None:
    days = range(int(hours[-1] // 24) + 1)
    axes.step(hours, rates, where="post", color=EXACT.colour, linewidth=1.4)
    axes.set(
        xlim=(0, 24 * len(days)),
        ylim=(0, 1.18 * found.peak_rps),
        ylabel="requests a second",
        xlabel="day, with a mark every 6 hours",
    )
    axes.set_xticks([24 * day + 12 for day in days], [str(day + 1) for day in days])
    axes.set_xticks(range(0, 24 * len(days), 6), minor=True)
    axes.tick_params(axis="x", length=0)
    axes.tick_params(axis="x", which="minor", length=3, color=QUIET)
    axes.grid(visible=False, axis="x", which="both")
    for day in days[1:]:
        axes.axvline(24 * day, color=QUIET, linewidth=0.5, linestyle=":")
    axes.axhline(found.mean_rps, color=LIMIT.colour, linestyle=LIMIT.dash, linewidth=1.2)
    label(axes, f"mean\n{found.mean_rps:.0f}/s", (24 * len(days), found.mean_rps), LIMIT)
    at = hours[found.bucket] + 0.5 * (hours[1] - hours[0])
    axes.plot(at, found.peak_rps, RULE.marker, color=RULE.colour)
    words = f"{found.peak_rps:.0f}/s, {found.factor:.2f} × mean"
    label(axes, words, (at, found.peak_rps), RULE, (-8, 4), ha="right")


def two_loops(measured: Mapping[str, Sequence[tuple[float, float]]], stall_s: tuple[float, float]) -> Figure:
    """Show what each way of measuring recorded: when a request was sent, and how long it took.

    `measured` maps the name of one or two ways to pairs of seconds; `stall_s` is when the server stood still.
    Data: loop, sent_s, latency_s.
    """
    if not 1 <= len(measured) <= len(_DOTS):
        raise RangeError(f"{len(measured)} ways to measure were given. Give one or two.")
    rows = [(name, *pair) for name, pairs in measured.items() for pair in pairs]
    inside = {
        name: sum(stall_s[0] <= sent_s < stall_s[1] for sent_s, _ in pairs)
        for name, pairs in measured.items()
    }
    counts = "; ".join(
        f"the {name} loop sent {len(pairs)} requests, {inside[name]} of them during the stall"
        for name, pairs in measured.items()
    )
    names, sent_s, latencies_s = zip(*rows, strict=True)
    return draw(
        lambda axes: _paint_loops(axes, measured, stall_s),
        alt=f"Latency by the moment at which a request was due, with a stall from {stall_s[0]:g} s to "
        f"{stall_s[1]:g} s: {counts}.",
        caption="A mark for each request; what was never sent has none.",
        data={"loop": names, "sent_s": sent_s, "latency_s": latencies_s},
        height_px=300,
    )


_DOTS = (RULE, EXACT)


def _paint_loops(
    axes: "Axes", measured: Mapping[str, Sequence[tuple[float, float]]], stall_s: tuple[float, float]
) -> None:
    longest = max(latency_s for pairs in measured.values() for _, latency_s in pairs)
    axes.set(xlabel="request due (s)", ylabel="latency (s)", ylim=(-0.05 * longest, 1.25 * longest))
    axes.axvspan(*stall_s, **LIMIT.area)
    label(axes, "stands still", (sum(stall_s) / 2, 1.17 * longest), LIMIT, (0, 0), ha="center")
    for (name, pairs), line, size in zip(measured.items(), _DOTS, (7.5, 4), strict=False):
        axes.plot(*zip(*pairs, strict=True), line.marker, color=line.colour, markersize=size, linestyle="none",
                  label=f"{name} loop", fillstyle="none" if line is RULE else "full")  # fmt: skip
    axes.legend(loc="upper left", frameon=False)
