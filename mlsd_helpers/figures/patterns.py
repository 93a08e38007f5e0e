"""Figures on when an answer is computed: plain numbers in, a figure with its words and its data out.

Times are seconds, rates are per second, prices dollars a million, shares fractions. Inputs out of range raise
`RangeError`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from mlsd_helpers import formulas
from mlsd_helpers.analysis.patterns import (
    AGES,
    ASSUMES,
    COLUMNS,
    NAMES,
    RATES,
    ROWS,
    PatternInputs,
    PatternView,
    costs,
    log_steps,
    pattern_view,
    places,
)
from mlsd_helpers.figures import style
from mlsd_helpers.figures.base import Figure, draw, show_number
from mlsd_helpers.figures.style import EXACT, LIMIT, OTHER, RULE, label
from mlsd_helpers.units import day, hour, minute, s, show_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = {"A": LIMIT, "B": EXACT, "C": RULE, "H": OTHER}
RATE_TICKS: dict[float, str] = {rate: f"{rate:,}" for rate in (1, 10, 100, 1_000, 10_000, 100_000)}
AGE_TICKS: dict[float, str] = {
    s: "1 s",
    10 * s: "10 s",
    minute: "1 min",
    10 * minute: "10 min",
    hour: "1 h",
    6 * hour: "6 h",
    day: "1 d",
    7 * day: "7 d",
}
"""What stands along the map's axes."""


def decision_surface(
    rate_rps: float = 2_000,
    max_age_s: float = 3_600,
    key_count: float = 1_000_000,
    read_share: float = 0.9,
    inference_price: float = 10.0,
    read_price: float = 0.5,
    listable: bool = True,
) -> Figure:
    """Show the cheapest pattern that is fresh enough, by request rate and allowed age, and one design on it.

    Data: max_age_s, and one column a rate with the letters of the patterns.
    """
    given = PatternInputs(rate_rps, max_age_s, key_count, read_share, inference_price, read_price, listable)
    return mapped(pattern_view(given))


def mapped(view: PatternView) -> Figure:
    """Show a view that is already computed, as `decision_surface` does."""
    rates, ages = log_steps(*RATES, COLUMNS), log_steps(*AGES, ROWS)
    columns = zip(*view.surface, strict=True)
    data = {f"{rate:.4g} requests/s": letters for rate, letters in zip(rates, columns, strict=True)}
    return draw(
        lambda axes: _paint_map(axes, view),
        alt=view.alt,
        caption="Cheapest pattern that is fresh enough: A request-time, B pre-computed, C streaming, H hybrid.",
        data={"max_age_s": ages, **data},
    )


def _paint_map(axes: "Axes", view: PatternView) -> None:
    axes.set(xlim=(0, COLUMNS), ylim=(0, ROWS), xlabel="request rate (requests/s)", ylabel="allowed age")
    axes.grid(visible=False)
    _name_axis(axes)
    for row, letters in enumerate(view.surface):
        for name, first, width in _runs(letters):
            if name != "A":
                axes.broken_barh([(first, width)], (row, 1), **LINES[name].area)
    borders = list(_borders(view.surface))
    axes.plot(*_with_gaps(borders), color=style.INK, linewidth=1.2)
    for name, (column, row) in places(view.surface).items():
        line = LINES[name]
        label(
            axes,
            f"{name} {NAMES[name]}",
            (column + 0.5, row + 0.5),
            line,
            (0, 0),
            ha="center",
            weight="bold",
        )
    at = (_cell(view.inputs.rate_rps, RATES, COLUMNS), _cell(view.inputs.max_age_s, AGES, ROWS))
    axes.plot(
        *at, "D", color=style.INK, markersize=9, markerfacecolor=style.PANEL, markeredgewidth=2, zorder=7
    )


def _runs(letters: str) -> Iterator[tuple[str, int, int]]:
    first = 0
    for name, run in groupby(letters):
        width = len(list(run))
        yield name, first, width
        first += width


_Segment = tuple[tuple[float, float], tuple[float, float]]


def _borders(surface: Sequence[str]) -> Iterator[_Segment]:
    """Give the lines between cells of different patterns, as pairs of ends (x, y)."""
    for row, letters in enumerate(surface):
        for column, (left, right) in enumerate(pairwise(letters), start=1):
            if left != right:
                yield (column, row), (column, row + 1)
    for row, (lower, upper) in enumerate(pairwise(surface), start=1):
        same = [a == b for a, b in zip(lower, upper, strict=True)]
        for equal, first, width in _spans(same):
            if not equal:
                yield (first, row), (first + width, row)


def _spans(flags: Sequence[bool]) -> Iterator[tuple[bool, int, int]]:
    return (
        (name == "1", first, width) for name, first, width in _runs("".join("01"[flag] for flag in flags))
    )


def _with_gaps(segments: Sequence[_Segment]) -> tuple[list[float], list[float]]:
    gap = (float("nan"), float("nan"))
    points = [point for segment in segments for point in (*segment, gap)]
    return [x for x, _ in points], [y for _, y in points]


def _cell(value: float, ends: tuple[float, float], count: int) -> float:
    """Return where a value lies on an axis of `count` cells, within its ends."""
    low, high = ends
    return count * min(max(math.log(value / low) / math.log(high / low), 0.0), 1.0)


def _name_axis(axes: "Axes") -> None:
    axes.set_xticks([_cell(rate, RATES, COLUMNS) for rate in RATE_TICKS], RATE_TICKS.values())
    axes.set_yticks([_cell(age, AGES, ROWS) for age in AGE_TICKS], AGE_TICKS.values())


# ---- cost against rate ----------------------------------------------------------------------------


def cost_by_rate(
    key_count: float = 1_000_000,
    max_age_s: float = 3_600,
    read_share: float = 0.9,
    inference_price: float = 10.0,
    read_price: float = 0.5,
) -> Figure:
    """Show what each pattern costs a day against the request rate, both axes logarithmic.

    Data: rate_rps, and A, B, C, H in dollars a day.
    """
    given = PatternInputs(10, max_age_s, key_count, read_share, inference_price, read_price)
    rates = log_steps(10, 10_000, 31)
    priced = [costs(replace(given, rate_rps=rate)) for rate in rates]
    lines = {name: tuple(cost[name] for cost in priced) for name in NAMES if name in priced[0]}
    said = (
        f"at {show_number(rates[i])}/s "
        + ", ".join(f"{name} ${line[i]:,.0f}" for name, line in lines.items())
        for i in (0, 15, -1)
    )
    return draw(
        lambda axes: _paint_costs(axes, rates, lines),
        alt=f"Cost a day against request rate, for {show_number(key_count)} keys and answers up to "
        f"{show_seconds(max_age_s)} old. In dollars: {'; '.join(said)}.",
        caption=ASSUMES,
        data={"rate_rps": rates, **lines},
    )


def _paint_costs(axes: "Axes", rates: Sequence[float], lines: dict[str, tuple[float, ...]]) -> None:
    axes.set(xscale="log", yscale="log", xlabel="request rate (requests/s)", ylabel="cost ($ a day)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: show_number(value))
    for (name, cost), at, up in zip(lines.items(), (26, 3, 4, 28), (14, 12, -12, -16), strict=False):
        line = LINES[name]
        axes.plot(rates, cost, line.dash, color=line.colour, marker=line.marker, markevery=5)
        steep = name == "A"  # a label in the middle would lie on its own line
        shift, side = ((-10, 6), "right") if steep else ((0, up), "center")
        label(axes, f"{name} {NAMES[name]}", (rates[at], cost[at]), line, shift, ha=side, weight="bold")


# ---- caches and streams ---------------------------------------------------------------------------


def lru_hit_ratio(keys: int = 10_000, exponents: tuple[float, ...] = (0.8, 1.0, 1.2)) -> Figure:
    """Show the hit ratio of an LRU cache against the share of the keys that fit, by Che's approximation.

    One line for each Zipf exponent, up to three. Data: share, and one column an exponent.
    """
    shares = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
    ratios = {
        exponent: tuple(formulas.che_hit_ratio(round(keys * share), keys, exponent) for share in shares)
        for exponent in exponents
    }
    at_tenth = ", ".join(
        f"{ratio[6]:.0%} with an exponent of {exponent:g}" for exponent, ratio in ratios.items()
    )
    return draw(
        lambda axes: _paint_hits(axes, keys, shares, ratios),
        alt=f"Hit ratio of an LRU cache against the share of {keys:,} keys that fit. A cache for a tenth of the keys "
        f"hits {at_tenth}; all lines lie above the share of the keys.",
        caption=f"{keys:,} keys, asked for independently, by Zipf's law. With fewer keys, a tenth of them hits less.",
        data={"share": shares, **{f"exponent {exponent:g}": ratio for exponent, ratio in ratios.items()}},
    )


def _paint_hits(
    axes: "Axes", keys: int, shares: Sequence[float], ratios: dict[float, tuple[float, ...]]
) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.set(xlabel=f"share of the {keys:,} keys that fit", ylabel="share of requests that hit")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.plot((0, 1), (0, 1), LIMIT.dash, color=LIMIT.colour)
    label(axes, "as if hits were\nthe share that fits", (0.42, 0.42), LIMIT, (10, -14))
    for (exponent, ratio), line in zip(ratios.items(), (RULE, EXACT, OTHER), strict=False):
        named = f"exponent {exponent:g}: {ratio[6]:.0%} at a tenth"
        axes.plot(shares, ratio, line.dash, color=line.colour, marker=line.marker, label=named)
    axes.legend(loc="lower right", frameon=False, labelcolor="linecolor", reverse=True, handlelength=3)


def stream_after_outage(events_rps: float, consumed_rps: float, outage_s: float) -> Figure:
    """Show how old the newest event is that has been read: through an outage, and until the stream has caught up.

    `consumed_rps` has to be above `events_rps`. Data: time_s from the start of the outage, age_s.
    """
    caught_up_s = formulas.catch_up_s(outage_s, events_rps, consumed_rps)
    time_s = (0.0, float(outage_s), outage_s + caught_up_s, 1.15 * (outage_s + caught_up_s) or 60.0)
    age_s = (0.0, float(outage_s), 0.0, 0.0)
    return draw(
        lambda axes: _paint_outage(axes, time_s, age_s),
        alt=f"Age of the newest event read, through an outage of {show_seconds(outage_s)}. It grows by a second each "
        f"second to {show_seconds(outage_s)}, then falls while {consumed_rps:,g} events/s are read and "
        f"{events_rps:,g}/s arrive; {show_seconds(float(f'{caught_up_s:.3g}'))} later nothing waits any more.",
        caption="Events as a fluid. The stream is up again long before it is fresh again.",
        data={"time_s": time_s, "age_s": age_s},
    )


def _paint_outage(axes: "Axes", time_s: Sequence[float], age_s: Sequence[float]) -> None:
    minutes, ages = [t / 60 for t in time_s], [a / 60 for a in age_s]
    top = ages[1] or 1.0
    axes.set(xlim=(0, minutes[-1]), ylim=(0, 1.3 * top), xlabel="time since the outage began (min)")
    axes.set(ylabel="age of the newest event read (min)")
    axes.axvspan(0, minutes[1], **RULE.area)
    axes.plot(minutes, ages, EXACT.dash, color=EXACT.colour, marker=EXACT.marker, clip_on=False)
    label(axes, "outage", (minutes[1], 1.2 * top), RULE, (6, 0))
    label(axes, f"{show_seconds(age_s[1])} old", (minutes[1], top), EXACT, (8, 4))
    later = float(f"{time_s[2] - time_s[1]:.3g}")
    label(axes, f"caught up\n{show_seconds(later)} later", (minutes[2], 0), EXACT, (4, 22))
