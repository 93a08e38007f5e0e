"""Figures on the age of features: functions from plain numbers to a figure with its text and data.

Times are seconds and shares fractions. Inputs out of range raise `RangeError`.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from mlsd_helpers import formulas
from mlsd_helpers.analysis.freshness import ASSUMES, FreshnessInputs, FreshnessView, freshness_view
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import drawing, style
from mlsd_helpers.figures.base import Figure, draw
from mlsd_helpers.figures.drawing import Axis, Drawing, Plot, clip, hatching, tag, url, words
from mlsd_helpers.figures.style import EXACT, LIMIT, OTHER, RULE, label
from mlsd_helpers.units import minute, show_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Stages = Sequence[formulas.Stage]


def freshness_timeline(
    period_s: float, delay_s: float, ttl_s: float = 0, sla_s: float = 900, phase: float = 0
) -> Figure:
    """Show the age of a feature over three periods: the sawtooth, what a cache adds, and the age limit.

    A run starts every `period_s`, the first one a share `phase` of it after 0; its result is readable `delay_s`
    later, and a cache serves a copy for up to `ttl_s`. Data: time_s, stored_s (the age in the store), oldest_s
    (that of the oldest copy), a row wherever one of them bends.
    """
    return freshness_figure(freshness_view(FreshnessInputs(period_s, delay_s, ttl_s, sla_s, phase)))


def freshness_figure(view: FreshnessView) -> Figure:
    """Show a computed view, as `freshness_timeline` does."""
    times_s, stored_s, oldest_s = zip(*view.rows, strict=True)
    columns = {"time_s": times_s, "stored_s": stored_s, "oldest_s": oldest_s}
    return draw_ages(view).figure(view.alt, f"{LINES} {ASSUMES}", columns)


LINES = "Solid: in the store. Dotted: the oldest copy in the cache. Hatched: older than the age limit."


def draw_ages(view: FreshnessView) -> Drawing:
    """Draw the age in the store and in the oldest copy over time, the age limit, and one read."""
    plot = Plot(Axis(0, view.window_s), Axis(0, view.top_s), high=290, right=70)
    times, ages = Axis(0, view.window_s / minute), Axis(0, view.top_s / minute)
    sla_s, low_s, high_s = view.inputs.sla_s, *view.read_ages_s
    sla, read = plot.y(sla_s), plot.x(view.read_s)
    stored = [plot.at(time_s, age_s) for time_s, age_s, _ in view.rows]
    oldest = [plot.at(time_s, age_s) for time_s, _, age_s in view.rows]
    found = " to ".join(dict.fromkeys(map(show_seconds, (low_s, high_s))))
    parts = [
        hatching("hatch", drawing.RULE, 1.6, 0.9),
        clip("clip", plot.left, plot.top, plot.end - plot.left, sla - plot.top),
        *plot.axes(
            [(time * minute, f"{time:,.4g}") for time in times.steps(8)],
            [(age * minute, f"{age:,.4g}") for age in ages.steps(5)],
            ("time (min)", "age when read (min)"),
        ),
        tag("polygon", points=drawing.corners([plot.at(0, 0), *oldest, plot.at(view.window_s, 0)]),
            fill=url("hatch"), clip_path=url("clip")),
        drawing.curve(oldest, drawing.EXACT, stroke_dasharray="2 3") if view.inputs.ttl_s else "",
        drawing.curve(stored),
        plot.level(sla_s, drawing.RULE, 2, stroke_dasharray="6 4"),
        words("age limit", plot.end + 6, sla - 2, fill=drawing.RULE, font_weight=600),
        words(show_seconds(sla_s), plot.end + 6, sla + 14, fill=drawing.RULE, font_weight=600),
        plot.upright(view.read_s, 22, drawing.EXACT, 1.5),
        words(f"one read: {found}", read - 6, 30, halo=drawing.PANEL, fill=drawing.EXACT, font_weight=600,
              text_anchor="end"),
        *(drawing.disc((read, plot.y(age_s))) for age_s in (low_s, high_s)),
    ]  # fmt: skip
    return Drawing("".join(parts), plot.high)


def age_parts(paths: Mapping[str, Stages], sla_s: float | None = None) -> Figure:
    """Show the parts of the worst age of each path: periods, delays and TTLs, stage by stage.

    Data: path, period_s, delay_s, ttl_s, each the sum over the path's stages.
    """
    if not paths:
        raise RangeError("There is no path to show. Give at least one name with its stages.")
    sums = {
        name: tuple(math.fsum(getattr(one, part) for one in stages) for part in _PARTS)
        for name, stages in paths.items()
    }
    parts = (
        f"{name} {show_seconds(sum(parts))} (periods {show_seconds(parts[0])}, delays {show_seconds(parts[1])}, "
        f"TTLs {show_seconds(parts[2])})"
        for name, parts in sums.items()
    )
    limit = f" The age limit is {show_seconds(sla_s)}." if sla_s is not None else ""
    return draw(
        lambda axes: _paint_parts(axes, paths, sla_s),
        alt=f"Worst age of each path, as a bar of its parts. {'; '.join(parts)}.{limit}",
        caption="Schedules that nobody lines up: periods, delays and TTLs add.",
        data={
            "path": tuple(sums),
            **{name: tuple(parts[k] for parts in sums.values()) for k, name in enumerate(_PARTS)},
        },
        height_px=110 + 62 * len(paths),
    )


_PARTS = ("period_s", "delay_s", "ttl_s")
_KINDS = (("period", RULE), ("delay", EXACT), ("TTL", OTHER))


def _paint_parts(axes: "Axes", paths: Mapping[str, Stages], sla_s: float | None) -> None:
    worst = [formulas.age_bounds(stages).worst_s / minute for stages in paths.values()]
    top = max(*worst, sla_s / minute if sla_s else 0) or 1
    axes.set(xlim=(0, 1.16 * top), xlabel="worst age (min)", ylim=(len(paths) - 0.4, -0.9))
    axes.set_yticks(range(len(paths)), list(paths))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    for row, (stages, total) in enumerate(zip(paths.values(), worst, strict=True)):
        _paint_bar(axes, row, stages, top)
        label(axes, f"{total:.4g} min", (total, row), LIMIT, (6, 0), color=style.INK)
    if sla_s is not None:
        axes.axvline(sla_s / minute, color=RULE.colour, linestyle=RULE.dash, linewidth=1.6)
        label(axes, f"age limit {show_seconds(sla_s)}", (sla_s / minute, -0.72), RULE, (6, 0))


def _paint_bar(axes: "Axes", row: int, stages: Stages, top: float) -> None:
    parts = chain.from_iterable(
        zip(_KINDS, (one.period_s, one.delay_s, one.ttl_s), strict=True) for one in stages
    )
    start = 0.0
    for (name, line), seconds in parts:
        wide = seconds / minute
        if wide:
            axes.barh(row, wide, 0.5, start, facecolor=line.pale, edgecolor=line.hatching, hatch=line.hatch)
            if wide > 0.09 * top:
                middle = (start + wide / 2, row)
                label(axes, f"{name} {wide:.4g}", middle, line, (0, 0), ha="center", fontsize=8.5)
        start += wide


def recall_by_age(ages_s: Sequence[float], recalls: Sequence[float], floor: float | None = None) -> Figure:
    """Show the recall that a model keeps when a feature reaches it with some age.

    `recalls` are fractions, one for each of `ages_s`, which rise and are above 0; `floor` is the least recall that
    will do. Data: age_s, recall.
    """
    ages, found = tuple(map(float, ages_s)), tuple(map(float, recalls))
    if len(ages) != len(found) or not ages or min(ages) <= 0 or list(ages) != sorted(ages):
        raise RangeError(
            f"{len(ages)} ages and {len(found)} recalls were given. Give as many of each, ages above 0 and rising."
        )
    points = "; ".join(f"{show_seconds(a)}: {r:.0%}" for a, r in zip(ages, found, strict=True))
    least = f" At least {floor:.0%} are needed." if floor is not None else ""
    return draw(
        lambda axes: _paint_recall(axes, ages, found, floor),
        alt=f"Recall against the age of the feature, on a logarithmic axis. {points}.{least}",
        caption="The same model and threshold; only the age of one feature differs.",
        data={"age_s": ages, "recall": found},
        height_px=320,
    )


def _paint_recall(
    axes: "Axes", ages: tuple[float, ...], found: tuple[float, ...], floor: float | None
) -> None:
    axes.set(xscale="log", ylim=(0, 1.05), xlabel="age of the feature when it is read", ylabel="recall")
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.plot(ages, found, EXACT.dash, color=EXACT.colour, marker=EXACT.marker)
    axes.set_xticks(ages, [show_seconds(age) for age in ages])
    axes.minorticks_off()
    for age, share in zip(ages, found, strict=True):
        # The line falls, so that it leaves room above on the right; a label that the floor would cross goes below.
        crossed = floor is not None and share < floor < share + 0.12
        shift, side = ((-5, -9), "right") if crossed else ((5, 8), "left")
        label(axes, f"{share:.0%}", (age, share), EXACT, shift, ha=side)
    if floor is not None:
        axes.axhline(floor, color=RULE.colour, linestyle=RULE.dash, linewidth=1.4)
        label(axes, f"needed:\n{floor:.0%}", (1, floor), RULE, xycoords=axes.get_yaxis_transform())
