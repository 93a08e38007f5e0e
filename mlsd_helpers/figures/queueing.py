"""Figures on queues: what utilisation and a surge do to the time to answer.

Times are seconds and rates requests per second. Inputs out of range raise `RangeError`.
"""

from typing import TYPE_CHECKING

from mlsd_helpers import formulas
from mlsd_helpers.analysis.capacity import show_wait
from mlsd_helpers.figures.base import Figure, draw
from mlsd_helpers.figures.style import EXACT, OTHER, RULE, Line, label
from mlsd_helpers.units import show_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_Series = tuple[float, ...]
_Curve = tuple[_Series, Line, str, tuple[float, float], str]  # where its label is anchored, and on which side


def response_by_utilisation(servers: int = 10, slowest: float = 12) -> Figure:
    """Show the mean time to answer, in service times, against utilisation: M/M/1, M/D/1 and M/M/c.

    M/M/c has `servers` servers and one queue; times above `slowest` service times are not drawn.
    Data: utilisation, mm1, md1, mmc, the latter three in service times.
    """
    busy = tuple(percent / 100 for percent in range(99))
    mm1 = tuple(formulas.mm1_mean_response_s(u, 1) for u in busy)
    md1 = tuple(1 + formulas.md1_mean_wait_s(u, 1) for u in busy)
    mmc = tuple(formulas.mean_response_s(servers, servers * u, 1) for u in busy)
    curves = (
        (mm1, RULE, "M/M/1: one server,\nrandom service", (0.88, 0.90), "right"),
        (md1, OTHER, "M/D/1: one server,\nconstant service", (1.0, 0.83), "left"),
        (mmc, EXACT, f"M/M/{servers}: {servers} servers,\none queue", (1.0, 0.45), "left"),
    )
    parts = (
        f"at {busy[i]:.0%} busy {mm1[i]:.3g} for M/M/1, {md1[i]:.3g} for M/D/1, {mmc[i]:.3g} for M/M/{servers}"
        for i in (50, 70, 90)
    )
    return draw(
        lambda axes: _paint_responses(axes, busy, curves, slowest),
        alt="Mean time to answer, in service times, against utilisation. All three curves start at 1 and "
        f"rise without end towards 100%: {'; '.join(parts)}.",
        caption="Waiting included. Variance costs time, and so does a queue for each server.",
        data={"utilisation": busy, "mm1": mm1, "md1": md1, "mmc": mmc},
    )


def _paint_responses(axes: "Axes", busy: _Series, curves: tuple[_Curve, ...], slowest: float) -> None:
    axes.set(xlim=(0, 1), ylim=(0, slowest))
    axes.set(xlabel="utilisation", ylabel="mean time to answer (service times)")
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    for times, line, name, at, side in curves:
        axes.plot(busy, times, line.dash, color=line.colour, marker=line.marker, markevery=10)
        shift = (-6, 0) if side == "right" else (6, 0)
        label(axes, name, (at[0], at[1] * slowest), line, shift, ha=side)


def backlog(surge_rps: float, capacity_rps: float, delay_s: float, scaled_capacity_rps: float) -> Figure:
    """Show the queue that builds up until an autoscaler's new replicas serve, and how long it takes to drain.

    The surge of `surge_rps` starts at 0; the capacity is `capacity_rps` until `delay_s` and
    `scaled_capacity_rps`, which has to be above the surge, from then on. Data: time_s, queued.
    """
    queued = formulas.surge_backlog(surge_rps, capacity_rps, delay_s)
    drained_s = delay_s + formulas.drain_time_s(queued, surge_rps, scaled_capacity_rps)
    time_s = (0.0, float(delay_s), drained_s, 1.4 * drained_s or 60.0)
    queue = (0.0, float(queued), 0.0, 0.0)
    last_s = queued / scaled_capacity_rps
    return draw(
        lambda axes: _paint_backlog(axes, time_s, queue, last_s),
        alt=f"Queue over time in a surge of {surge_rps:,g} requests/s on {capacity_rps:,g}/s of capacity. "
        f"It grows to {queued:,.0f} requests in the {show_seconds(delay_s)} until new replicas serve, then drains at "
        f"{scaled_capacity_rps - surge_rps:,g}/s in {show_seconds(drained_s - delay_s)}. "
        f"The last of them waits {show_wait(last_s)} from then on.",
        caption="Requests as a fluid: what comes in less what is served.",
        data={"time_s": time_s, "queued": queue},
    )


def _paint_backlog(axes: "Axes", time_s: _Series, queue: _Series, last_s: float) -> None:
    _, scaled_s, drained_s, end_s = time_s
    top = queue[1] or 1
    axes.set(
        xlim=(0, end_s),
        ylim=(0, 1.25 * top),
        xlabel="time since the surge began (s)",
        ylabel="requests queued",
    )
    axes.fill_between(time_s, queue, **EXACT.area)
    axes.plot(time_s, queue, EXACT.dash, color=EXACT.colour, marker=EXACT.marker, clip_on=False)
    axes.axvline(scaled_s, color=RULE.colour, linestyle=RULE.dash, linewidth=1.4)
    peak = f"{queue[1]:,.0f} queued: {show_wait(last_s)} more for the last"
    label(axes, peak, (scaled_s, top), EXACT, (-8, 8), ha="right")
    label(
        axes,
        f"new replicas serve after {show_seconds(scaled_s)}",
        (scaled_s, 1.18 * top),
        RULE,
        (-8, 0),
        ha="right",
    )
    drained = f"drained {show_seconds(drained_s - scaled_s)} later"
    label(axes, drained, (drained_s, 0), EXACT, (4, 12))
    axes.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
