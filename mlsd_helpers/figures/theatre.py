"""The queue theatre as a still picture."""

from typing import TYPE_CHECKING

from mlsd_helpers.figures.base import Figure, draw
from mlsd_helpers.figures.staging import TheatreInputs, TheatreView, theatre_view
from mlsd_helpers.figures.style import EXACT, RULE, label
from mlsd_helpers.units import ms, show_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def queue_theatre(inputs: TheatreInputs | None = None) -> Figure:
    """Show the simulated share of requests answered within a time, its percentiles, and Erlang C's p99.

    Data: time_s, share.
    """
    return staged(theatre_view(inputs or TheatreInputs()))


def staged(view: TheatreView) -> Figure:
    """Show a view that is already computed, as `queue_theatre` does."""
    times_s, shares = zip(*view.curve, strict=True) if view.curve else ((), ())
    return draw(
        lambda axes: _paint(axes, view),
        alt=view.alt,
        caption=f"{view.fleet}. {view.verdict}",
        data={"time_s": times_s, "share": shares},
        height_px=320,
    )


def _paint(axes: "Axes", view: TheatreView) -> None:
    axes.set(xlabel="time to answer (ms)", ylabel="share answered within it", ylim=(0, 1.12))
    if view.endless:
        return
    times_ms, shares = [t / ms for t, _ in view.curve], [share for _, share in view.curve]
    axes.plot(times_ms, shares, color=EXACT.colour, drawstyle="steps-post")
    for name, share, estimate in (
        ("p50", 0.5, view.p50_s),
        ("p95", 0.95, view.p95_s),
        ("p99", 0.99, view.p99_s),
    ):
        at = estimate.value / ms
        axes.plot([at], [share], EXACT.marker, color=EXACT.colour)
        axes.plot(
            [estimate.low / ms, estimate.high / ms],
            [share, share],
            color=EXACT.colour,
            linewidth=5,
            alpha=0.35,
        )
        label(axes, f"{name} {show_seconds(estimate.value)}", (at, share), EXACT, (8, -12))
    if not view.formula_is_beyond:
        axes.axvline(view.formula_p99_s / ms, color=RULE.colour, linestyle=RULE.dash)
        label(
            axes,
            f"Erlang C p99 {show_seconds(view.formula_p99_s)}",
            (view.formula_p99_s / ms, 1.08),
            RULE,
            (6, -2),
        )
