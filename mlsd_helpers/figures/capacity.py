"""Figures on the size of a fleet: functions from plain numbers to a figure with its text and data.

Times are seconds, rates are requests per second, shares are fractions. Inputs out of range raise `RangeError`.
"""

import math
from typing import TYPE_CHECKING

from mlsd_helpers import formulas
from mlsd_helpers.analysis.capacity import (
    ASSUMES,
    CapacityInputs,
    CapacityView,
    Fleet,
    capacity_view,
    show_wait,
)
from mlsd_helpers.analysis.sizing import down_in_restart, largest_zone
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import drawing, style
from mlsd_helpers.figures.base import Figure, draw, show_number
from mlsd_helpers.figures.drawing import WIDE, Axis, Drawing, Plot, clip, hatching, tag, url, words
from mlsd_helpers.figures.style import EXACT, LIMIT, RULE, label
from mlsd_helpers.units import show_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_Series = tuple[float, ...]
_Counts = tuple[int, ...]


def wait_by_replicas(
    peak_rps: float,
    service_time_s: float,
    target_utilisation: float = 0.7,
    headroom: float = 0.3,
    wait_budget_s: float | None = None,
    percentile: float = 0.99,
) -> Figure:
    """Show how the wait falls with replicas, where the rule lands, and where a wait budget is met (Erlang C).

    `wait_budget_s` None is half a service time. Data: replicas, wait_s.
    """
    inputs = CapacityInputs(peak_rps, service_time_s, target_utilisation, headroom, wait_budget_s, percentile)
    return capacity_figure(capacity_view(inputs))


def capacity_figure(view: CapacityView) -> Figure:
    """Show a computed view, as `wait_by_replicas` does."""
    replicas, wait_s = zip(*view.curve, strict=True)
    return draw_waits(view).figure(view.alt, ASSUMES, {"replicas": replicas, "wait_s": wait_s})


def draw_waits(view: CapacityView) -> Drawing:
    """Draw the wait against replicas, with the fleet of the rule and that of Erlang C."""
    load, last, top_s = view.inputs.offered_load, view.curve[-1][0], view.wait_top_s
    left = load - 0.075 * (last - load)  # room for the strip in which the queue is unstable
    plot = Plot(Axis(left, last), Axis(0, top_s), high=270, top=44)
    limit, budget_s = plot.x(load), view.inputs.budget_s
    points = [plot.at(replicas, min(wait_s, 1.5 * top_s)) for replicas, wait_s in view.curve]
    seen = [point for point in points if point[1] >= plot.top - 1] if len(points) <= _MOST_DOTS else []
    middle, centre = (plot.left + limit) / 2, (plot.top + plot.floor) / 2
    budget = f"wait budget {show_wait(budget_s)}"
    exact_first = view.exact.replicas < view.rule.replicas
    parts = [
        hatching("hatch"),
        clip("clip", plot.left, plot.top, WIDE - plot.left, plot.high - plot.top),
        *plot.axes(
            [(n, f"{n:,.0f}") for n in plot.across.steps(7, whole=True)],
            [(wait_s, show_seconds(wait_s)) for wait_s in plot.up.steps(4)],
            ("replicas", f"{view.percentile_name} wait"),
            (plot.left - 8, plot.top - 10),
            anchor="end",
        ),
        tag("rect", **{**plot.inside(), "width": limit - plot.left}, fill=url("hatch")),
        plot.upright(load, plot.top, drawing.CONTROL),
        words("queue without end", middle, centre + 4, halo=drawing.PANEL, fill=drawing.QUIET, text_anchor="middle",
              transform=f"rotate(-90 {middle:.1f} {centre:.1f})"),
        plot.level(budget_s, drawing.QUIET, 1.5, stroke_dasharray="2 4"),
        tag("g", drawing.curve(points), *(drawing.disc(at, drawing.INK, 2.6) for at in seen), clip_path=url("clip")),
        *_fleet(plot, view.exact, "Erlang C", 14 if exact_first else 32),
        *_fleet(plot, view.rule, "the rule", 32 if exact_first else 14),
        words(budget, _end_of_label(plot, view, budget), plot.y(budget_s) - 6, halo=drawing.PANEL, fill=drawing.QUIET,
              text_anchor="end"),
    ]  # fmt: skip
    return Drawing("".join(parts), plot.high)


_MOST_DOTS = 40
"""With more points than these the curve is drawn without dots."""


def _fleet(plot: Plot, fleet: Fleet, name: str, row: float) -> tuple[str, str, str]:
    """Return a fleet's stem, its name in a row above the plot, and its mark on the curve."""
    rule = name == "the rule"
    colour, dash = (drawing.RULE, "6 4") if rule else (drawing.EXACT, "none")
    at = plot.at(fleet.replicas, min(fleet.wait_s, plot.up.high))
    beyond = at[0] > WIDE / 2
    return (
        plot.upright(fleet.replicas, row - 9, colour, 1.5, stroke_dasharray=dash),
        words(f"{name}: {fleet}", at[0] + (-6 if beyond else 6), row, halo=drawing.PANEL, fill=colour,
              font_weight=600, text_anchor="end" if beyond else "start"),
        drawing.square(at) if rule else drawing.disc(at),
    )  # fmt: skip


def _end_of_label(plot: Plot, view: CapacityView, text: str) -> float:
    """Return where the budget's label ends: at the right, or to the left of a stem that would cross it."""
    end, wide = plot.end, 7 * len(text)
    for stem in sorted((plot.x(fleet.replicas) for fleet in (view.exact, view.rule)), reverse=True):
        if end - wide - 10 < stem < end + 10:
            end = stem - 14
    return end


def rule_against_exact(
    service_time_s: float = 0.050,
    target_utilisation: float = 0.7,
    headroom: float = 0.3,
    budget_share: float = 0.5,
    lowest_rps: float = 10,
    highest_rps: float = 10_000,
) -> Figure:
    """Show the rule's replicas and those of Erlang C over the peak rate, on logarithmic axes.

    Erlang C sizes for a p99 wait of at most `budget_share` service times. Data: peak_rps, rule, exact.
    """
    budget_s = budget_share * service_time_s
    rates = _log_spaced(lowest_rps, highest_rps, 61)
    inputs = (CapacityInputs(rps, service_time_s, target_utilisation, headroom, budget_s) for rps in rates)
    views = [capacity_view(each) for each in inputs]
    rule, exact = tuple(view.rule.replicas for view in views), tuple(view.exact.replicas for view in views)
    return draw(
        lambda axes: _paint_rule_against_exact(axes, rates, rule, exact),
        alt=f"Replicas against peak rate at {show_seconds(service_time_s)} a request, both axes logarithmic. "
        f"{_at_both_ends(rates, rule, exact)} {_crossing(rates, rule, exact)}",
        caption=f"Erlang C keeps the p99 wait within {show_seconds(budget_s)}; the rule does not look at it.",
        data={"peak_rps": rates, "rule": rule, "exact": exact},
    )


def _log_spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    if not 0 < low < high < math.inf:
        raise RangeError(
            f"The rates run from {low!r} to {high!r}. Give two positive rates, the lower one first."
        )
    return tuple(float(f"{low * (high / low) ** (step / (count - 1)):.4g}") for step in range(count))


def _at_both_ends(rates: _Series, rule: _Counts, exact: _Counts) -> str:
    ends = (
        f"At {show_number(rates[i])} requests/s the rule gives {rule[i]:,} and Erlang C {exact[i]:,}."
        for i in (0, -1)
    )
    return " ".join(ends)


def _crossing(rates: _Series, rule: _Counts, exact: _Counts) -> str:
    few = [rate for rate, r, e in zip(rates, rule, exact, strict=True) if r < e]
    many = [rate for rate, r, e in zip(rates, rule, exact, strict=True) if r > e]
    parts = [f"too few at rates up to {show_number(max(few))} requests/s"] if few else []
    parts += [f"too many from {show_number(min(many))} on"] if many else []
    return f"The rule gives {' and '.join(parts)}." if parts else "The two agree."


def _paint_rule_against_exact(axes: "Axes", rates: _Series, rule: _Counts, exact: _Counts) -> None:
    axes.set(xscale="log", yscale="log", xlabel="peak rate (requests/s)", ylabel="replicas")
    _plain_numbers(axes)
    pairs = list(zip(rule, exact, strict=True))
    axes.fill_between(rates, rule, exact, where=[r < e for r, e in pairs], **RULE.area)
    axes.fill_between(rates, rule, exact, where=[r > e for r, e in pairs], **EXACT.area)
    for replicas, line in ((rule, RULE), (exact, EXACT)):
        axes.plot(rates, replicas, line.dash, color=line.colour, marker=line.marker, markevery=6)
    at = 3 * len(rates) // 4
    label(axes, "the rule", (rates[at], rule[at]), RULE, (-8, 8), ha="right")
    label(axes, "Erlang C", (rates[at], exact[at]), EXACT, (8, -10))
    for end, side, shift in ((0, "right", -8), (-1, "left", 8)):
        for number, line in ((rule[end], RULE), (exact[end], EXACT)):
            label(axes, f"{number:,}", (rates[end], number), line, (shift, 0), ha=side)
    sides = (("too few", 0.16, 0.42, rule[0] < exact[0]), ("too many", 0.72, 0.93, rule[-1] > exact[-1]))
    for name, x, y, holds in sides:
        if holds:
            axes.text(
                x, y, f"the rule gives {name}", transform=axes.transAxes, ha="center", color=style.QUIET
            )


def _plain_numbers(axes: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: PLC0415

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: show_number(value)))
        axis.set_minor_formatter(NullFormatter())


def headroom(
    replicas: int,
    peak_rps: float,
    service_time_s: float,
    target_utilisation: float = 0.7,
    restart_share: float = 0.25,
    zones: int = 3,
    surge_factor: float = 1.3,
    cache_hit_ratio: float = 0.5,
) -> Figure:
    """Show, for each named failure, the replicas that are left and those needed at the target utilisation.

    In a rolling restart the share `restart_share` is down, rounded down to whole replicas; in a zone failure the
    largest of `zones`. In a surge the peak is `surge_factor` times as high. `peak_rps` is what reaches the replicas
    behind a warm cache; when it is cold, the share `cache_hit_ratio` that it used to answer comes through too.
    Data: failure, left, needed.
    """
    failures = _failures(replicas, zones, restart_share, surge_factor, cache_hit_ratio)
    names, left = tuple(name for name, _, _ in failures), tuple(up for _, up, _ in failures)
    needed = tuple(
        formulas.replicas(peak_rps * factor, service_time_s, target_utilisation, headroom=0)
        for _, _, factor in failures
    )
    verdicts = (
        f"{name}: {up} left, {need} needed, {_held(up, need)}"
        for name, up, need in zip(names, left, needed, strict=True)
    )
    return draw(
        lambda axes: _paint_headroom(axes, names, left, needed),
        alt=f"{replicas:,} replicas in named failures, at a target of {target_utilisation:.0%} busy. "
        f"In turn: {'; '.join(verdicts)}.",
        caption="The same headroom pays for one of these at a time, not for all of them.",
        data={"failure": names, "left": left, "needed": needed},
    )


def _failures(
    replicas: int, zones: int, restart_share: float, surge_factor: float, cache_hit_ratio: float
) -> tuple[tuple[str, int, float], ...]:
    """Name each failure, with the replicas that it leaves and the factor on the load that reaches them."""
    for name, share in (("restart_share", restart_share), ("cache_hit_ratio", cache_hit_ratio)):
        if not 0 <= share < 1:
            raise RangeError(
                f"{name} {share!r} must be at least 0 and below 1. Give a share, such as 0.25 for 25%."
            )
    if replicas < 1 or zones < 1:
        raise RangeError(f"replicas {replicas!r} and zones {zones!r} must be at least 1. Give whole numbers.")
    return (
        ("an ordinary peak", replicas, 1.0),
        (
            f"rolling restart, {restart_share:.0%} down",
            replicas - down_in_restart(replicas, restart_share),
            1.0,
        ),
        (f"one of {zones} zones lost", replicas - largest_zone(replicas, zones), 1.0),
        (f"surge to {surge_factor:.3g} × the peak", replicas, surge_factor),
        (f"cold cache, {cache_hit_ratio:.0%} hits gone", replicas, 1 / (1 - cache_hit_ratio)),
    )


def _held(left: int, needed: int) -> str:
    if left >= needed:
        return "enough" if left == needed else f"{left - needed} to spare"
    return f"{needed - left} too few"


def _paint_headroom(axes: "Axes", names: tuple[str, ...], left: _Counts, needed: _Counts) -> None:
    rows = range(len(names))
    axes.set(xlim=(0, 1.32 * max(*left, *needed)), xlabel="replicas")
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    for row, up, need in zip(rows, left, needed, strict=True):
        short = up < need
        line = RULE if short else EXACT
        axes.barh(
            row, up, 0.5, facecolor=line.pale, edgecolor=line.hatching, hatch=line.hatch if short else ""
        )
        axes.vlines(need, row - 0.38, row + 0.38, color=style.INK, linewidth=3)
        label(axes, f"needs {need:,}: {_held(up, need)}", (max(up, need), row), line, (8, 0))
        label(axes, f"{up:,} left", (0, row), LIMIT, (8, 0), color=style.INK)
