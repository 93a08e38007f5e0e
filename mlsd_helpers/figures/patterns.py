"""Figures on serving patterns: functions from plain numbers to a figure with its text and data.

Times are seconds, rates are per second, prices dollars a million, shares fractions. Inputs out of range raise
`RangeError`.
"""

from collections.abc import Iterable, Iterator, Sequence
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
from mlsd_helpers.figures import drawing
from mlsd_helpers.figures.base import Figure, draw, show_number
from mlsd_helpers.figures.drawing import Axis, Drawing, Plot, tag, url, words
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
"""The ticks of the map's axes."""


def decision_surface(
    rate_rps: float = PatternInputs.rate_rps,
    max_age_s: float = PatternInputs.max_age_s,
    key_count: float = PatternInputs.key_count,
    read_share: float = PatternInputs.read_share,
    inference_price: float = PatternInputs.inference_price,
    read_price: float = PatternInputs.read_price,
    listable: bool = PatternInputs.listable,
) -> Figure:
    """Show the cheapest pattern that is fresh enough, by request rate and allowed age, and one design on it.

    Data: max_age_s, and one column a rate with the letters of the patterns.
    """
    given = PatternInputs(rate_rps, max_age_s, key_count, read_share, inference_price, read_price, listable)
    return pattern_figure(pattern_view(given))


def pattern_figure(view: PatternView) -> Figure:
    """Show a computed view, as `decision_surface` does."""
    rates, ages = log_steps(*RATES, COLUMNS), log_steps(*AGES, ROWS)
    columns = zip(*view.surface, strict=True)
    data = {f"{rate:.4g} requests/s": letters for rate, letters in zip(rates, columns, strict=True)}
    caption = "Cheapest pattern that is fresh enough: A request-time, B pre-computed, C streaming, H hybrid."
    return draw_map(view).figure(view.alt, caption, {"max_age_s": ages, **data})


def draw_map(view: PatternView) -> Drawing:
    """Draw the regions of the patterns, with their names and borders, and the design as a point."""
    plot = Plot(Axis(*RATES, logarithmic=True), Axis(*AGES, logarithmic=True), high=330, right=14, top=12)
    wide, high = (plot.end - plot.left) / COLUMNS, (plot.floor - plot.top) / ROWS

    def corner(column: float, row: float) -> drawing.Point:
        return plot.left + column * wide, plot.floor - row * high

    tiles = [
        tag("rect", x=corner(first, row)[0], y=corner(first, row + 1)[1], width=count * wide, height=high,
            fill=url(name))
        for row, letters in enumerate(view.surface)
        for name, first, count in _runs(letters)
        if name != "A"
    ]  # fmt: skip
    edges = [(corner(*start), corner(*end)) for start, end in _borders(view.surface)]
    border = "".join(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" for (x1, y1), (x2, y2) in edges)
    centres = {name: corner(column + 0.5, row + 0.5) for name, (column, row) in places(view.surface).items()}
    rate, age_s = view.inputs.rate_rps, view.inputs.max_age_s
    parts = [
        *(_fill(name) for name in _STROKES),
        *tiles,
        tag("path", d=border, fill="none", stroke=drawing.INK, stroke_width=1.5),
        *(words(name, plot.x(tick), plot.floor + 18, text_anchor="end" if tick == RATES[1] else "middle")
          for tick, name in RATE_TICKS.items()),
        *(words(name, plot.left - 8, plot.y(tick) + 4, text_anchor="end") for tick, name in AGE_TICKS.items()),
        tag("rect", **plot.inside(), fill="none", stroke=drawing.CONTROL),
        words("request rate (requests/s)", (plot.left + plot.end) / 2, plot.high - 6, fill=drawing.QUIET,
              text_anchor="middle"),
        words("allowed age", plot.left + 8, plot.top + 18, halo=drawing.PANEL, fill=drawing.QUIET),
        *(words(f"{name} {NAMES[name]}", min(x, drawing.WIDE - 60), y + 4, halo=drawing.PANEL, font_weight=600,
                text_anchor="middle") for name, (x, y) in centres.items()),
        plot.upright(rate, plot.top, drawing.QUIET, stroke_dasharray="2 4"),
        plot.level(age_s, drawing.QUIET, stroke_dasharray="2 4"),
        drawing.diamond(plot.at(rate, age_s), 8, fill=drawing.PANEL, stroke=drawing.INK, stroke_width=2.5),
    ]  # fmt: skip
    return Drawing("".join(parts), plot.high)


_STROKES = {
    "B": (drawing.EXACT, "M0 0V8"),
    "C": (drawing.RULE, "M0 8L8 0"),
    "H": (drawing.OTHER, "M0 0L8 8M0 8L8 0"),
}
"""Colour and hatching of each region, so that no meaning is in colour alone."""


def _fill(name: str) -> str:
    colour, strokes = _STROKES[name]
    pale = tag("rect", width=8, height=8, fill=colour, fill_opacity=0.12)
    lines = tag("path", d=strokes, stroke=colour, stroke_opacity=0.5)
    return tag(
        "pattern", pale, lines, id=drawing.unique(name), width=8, height=8, patternUnits="userSpaceOnUse"
    )


def _runs(letters: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the runs of equal letters: the letter, the index of its first occurrence, and the length of the run."""
    first = 0
    for name, run in groupby(letters):
        count = len(list(run))
        yield name, first, count
        first += count


_Segment = tuple[tuple[float, float], tuple[float, float]]


def _borders(surface: Sequence[str]) -> Iterator[_Segment]:
    """Yield the lines between cells of different patterns, as pairs of ends (column, row)."""
    for row, letters in enumerate(surface):
        for column, (left, right) in enumerate(pairwise(letters), start=1):
            if left != right:
                yield (column, row), (column, row + 1)
    for row, (lower, upper) in enumerate(pairwise(surface), start=1):
        differs = ("01"[a != b] for a, b in zip(lower, upper, strict=True))
        for flag, first, count in _runs(differs):
            if flag == "1":
                yield (first, row), (first + count, row)


# ---- cost against rate ----------------------------------------------------------------------------


def cost_by_rate(
    key_count: float = PatternInputs.key_count,
    max_age_s: float = PatternInputs.max_age_s,
    read_share: float = PatternInputs.read_share,
    inference_price: float = PatternInputs.inference_price,
    read_price: float = PatternInputs.read_price,
) -> Figure:
    """Show what each pattern costs a day against the request rate, both axes logarithmic.

    Data: rate_rps, and A, B, C, H in dollars a day.
    """
    given = PatternInputs(10, max_age_s, key_count, read_share, inference_price, read_price)
    rates = log_steps(10, 10_000, 31)
    priced = [costs(replace(given, rate_rps=rate)) for rate in rates]
    lines = {name: tuple(cost[name] for cost in priced) for name in NAMES if name in priced[0]}
    parts = (
        f"at {show_number(rates[i])}/s "
        + ", ".join(f"{name} ${line[i]:,.0f}" for name, line in lines.items())
        for i in (0, 15, -1)
    )
    return draw(
        lambda axes: _paint_costs(axes, rates, lines),
        alt=f"Cost a day against request rate, for {show_number(key_count)} keys and answers up to "
        f"{show_seconds(max_age_s)} old. In dollars: {'; '.join(parts)}.",
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
