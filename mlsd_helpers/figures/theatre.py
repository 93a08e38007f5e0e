"""The queue theatre: the latency of a simulated fleet and of the formula, as values, as text and as a picture."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import drawing
from mlsd_helpers.figures.base import Figure, show_number
from mlsd_helpers.figures.drawing import WIDE, Axis, Drawing, Plot, tag, words
from mlsd_helpers.simulation import (
    Batching,
    Bursty,
    Cache,
    Estimate,
    Exponential,
    Fleet,
    Incident,
    PerBatch,
    Poisson,
    Result,
    RollingRestart,
    Scenario,
    ZoneLoss,
    quick,
)
from mlsd_helpers.simulation.quick import LANES
from mlsd_helpers.simulation.scenario import ROUTINGS, Routing
from mlsd_helpers.units import ms, show_seconds

Event = Literal["nothing", "rolling restart", "zone loss"]
EVENTS: tuple[Event, ...] = get_args(Event)
REQUESTS = 100_000
KEYS = 10_000
ZONES = 3
_WARM_UP = 0.1
_FIXED_SHARE = 0.8  # of the service time, whatever the batch; the rest is paid for each item
_POINTS = 240
_BEYOND = 3
"""A line at this many times the longest latency, or beyond, is not drawn, since the curve would become too small."""


@dataclass(frozen=True)
class TheatreInputs:
    """The inputs that a learner changes: traffic, fleet, batch, cache, and an event.

    `burstiness` is the variance over the mean of the counts per second (Poisson has 1), `cached_share` the share
    of all keys that a cache in front of the fleet holds. A batch above 1 takes 0.8 + 0.2·n service times.
    """

    peak_rps: float = 500.0
    service_time_s: float = 0.040
    replicas: int = 29
    routing: Routing = "central queue"
    burstiness: float = 1.0
    batch: int = 1
    cached_share: float = 0.0
    event: Event = "nothing"
    seed: int = 5

    def __post_init__(self) -> None:
        if self.routing not in ROUTINGS:
            raise RangeError(f"routing {self.routing!r} is unknown. Use one of: {', '.join(ROUTINGS)}.")
        if min(self.peak_rps, self.service_time_s, self.replicas, self.batch) <= 0 or self.burstiness < 1:
            raise RangeError("Rate, service time, replicas and batch must be above 0, burstiness at least 1.")
        if self.event not in EVENTS:
            raise RangeError(f"event {self.event!r} is unknown. Use one of: {', '.join(EVENTS)}.")
        if not 0 <= self.cached_share <= 1:
            raise RangeError(f"cached_share {self.cached_share!r} must be from 0 to 1, a share of all keys.")

    def scenario(self) -> Scenario:
        """Return what is simulated. Raises RangeError where the queue would have no end."""
        bursty = self.burstiness > 1
        arrivals = Bursty(self.peak_rps, self.burstiness) if bursty else Poisson(self.peak_rps)
        batching = Batching(self.batch, 5 * ms) if self.batch > 1 else None
        fixed_s = _FIXED_SHARE * self.service_time_s
        return Scenario(
            arrivals,
            PerBatch(fixed_s, self.service_time_s - fixed_s)
            if batching
            else Exponential(self.service_time_s),
            Fleet(self.replicas, zones=min(ZONES, self.replicas), routing=self.routing, batching=batching),
            cache=self._cache(),
            incidents=self._incidents(),
        )

    def _cache(self) -> Cache | None:
        size = round(self.cached_share * KEYS)
        return Cache(size, KEYS, 1.0, starts_warm=True) if size else None

    def _incidents(self) -> tuple[Incident, ...]:
        span_s = REQUESTS / LANES / self.peak_rps
        at_s = _WARM_UP * span_s
        if self.event == "zone loss":
            return (ZoneLoss(at_s, lasts_s=span_s / 4),)
        if self.event == "rolling restart":
            return (RollingRestart(at_s, share=0.25, each_s=span_s / 5),)
        return ()


@dataclass(frozen=True)
class TheatreView:
    """The result: the simulated percentiles with their intervals, the formula's percentile, and the curve.

    `curve` holds latencies in seconds and the share of requests answered within each.
    """

    inputs: TheatreInputs
    p50_s: Estimate
    p95_s: Estimate
    p99_s: Estimate
    utilisation: float
    hit_ratio: float | None
    formula_p99_s: float
    curve: tuple[tuple[float, float], ...]
    endless: bool = False

    @property
    def percentiles(self) -> tuple[tuple[str, float, Estimate], ...]:
        """Each percentile's name, its share of the requests, and its estimate in seconds."""
        return ("p50", 0.5, self.p50_s), ("p95", 0.95, self.p95_s), ("p99", 0.99, self.p99_s)

    @property
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Percentile, value and interval, in words."""
        return tuple(
            (name, show_seconds(e.value), f"{show_seconds(e.low)} to {show_seconds(e.high)}")
            for name, _, e in self.percentiles
        )

    @property
    def fleet(self) -> str:
        """The fleet in one line."""
        held = "" if self.hit_ratio is None else f", the cache answers {self.hit_ratio:.0%}"
        busy = "busy" if self.inputs.event == EVENTS[0] else "busy on average over the run"
        return f"{self.inputs.replicas} replicas, {self.utilisation:.0%} {busy}{held}"

    @property
    def formula_is_beyond(self) -> bool:
        """Whether the formula's number is so large that the curve would become too small."""
        return not self.curve or self.formula_p99_s >= _BEYOND * self.curve[-1][0]

    @property
    def verdict(self) -> str:
        """The comparison of simulation and formula, in one sentence."""
        if self.endless:
            return f"{self.fleet}: more arrives than is served; the queue has no end. Add replicas."
        if math.isinf(self.formula_p99_s):
            return f"Simulated p99 {show_seconds(self.p99_s.value)}; Erlang C has no answer at this load."
        ratio = self.p99_s.value / self.formula_p99_s
        both = f"Simulated p99 {show_seconds(self.p99_s.value)}, Erlang C {show_seconds(self.formula_p99_s)}"
        if abs(ratio - 1) < 0.05:
            return f"{both}: they agree."
        return f"{both}: {show_number(float(f'{ratio:.2g}'))} times the formula's number."

    @property
    def alt(self) -> str:
        """The picture in words."""
        if self.endless:
            return self.verdict
        quartiles = ", ".join(f"{name} {value} ({interval})" for name, value, interval in self.rows)
        return f"Share of requests answered within a time. {self.fleet}. {quartiles}. {self.verdict}"


def theatre_view(inputs: TheatreInputs) -> TheatreView:
    """Simulate `REQUESTS` requests, and return what to show. The same inputs give the same view."""
    try:
        scenario = inputs.scenario()
    except RangeError:
        none = Estimate(math.inf, math.inf, math.inf)
        busy = inputs.peak_rps * inputs.service_time_s / inputs.replicas
        return TheatreView(inputs, none, none, none, busy, None, math.inf, (), endless=True)
    peak, service_s = inputs.peak_rps, inputs.service_time_s
    formula_s = (
        math.inf
    )  # the p99 that Erlang C gives for a plain central queue, whatever else is switched on
    if peak * service_s < inputs.replicas:
        formula_s = formulas.response_percentile_s(inputs.replicas, peak, service_s, 0.99)
    result = quick(scenario, seed=inputs.seed, requests=REQUESTS, warm_up=_WARM_UP)
    return TheatreView(
        inputs,
        result.p50_s,
        result.p95_s,
        result.p99_s,
        result.utilisation.value,
        None if result.hit_ratio is None else result.hit_ratio.value,
        formula_s,
        _curve(result),
    )


def _curve(result: Result) -> tuple[tuple[float, float], ...]:
    """Return fewer points of the curve, up to the first time within which all but one in 2,000 are answered."""
    times_s, shares = result.latency.curve()
    points = list(zip(times_s.tolist(), shares.tolist(), strict=True))
    last = next((at for at, (_, share) in enumerate(points) if share > 0.9995), len(points) - 1)
    return (*points[: last : max(1, last // _POINTS)], points[last])


def queue_theatre(inputs: TheatreInputs | None = None) -> Figure:
    """Show the simulated share of requests answered within a time, its percentiles, and Erlang C's p99.

    Data: time_s, share.
    """
    return theatre_figure(theatre_view(inputs or TheatreInputs()))


def theatre_figure(view: TheatreView) -> Figure:
    """Show a computed view, as `queue_theatre` does."""
    times_s, shares = zip(*view.curve, strict=True) if view.curve else ((), ())
    caption = f"{view.fleet}. {view.verdict}"
    return draw_latency(view).figure(view.alt, caption, {"time_s": times_s, "share": shares})


def draw_latency(view: TheatreView, predicted_s: float | None = None) -> Drawing:
    """Draw the share of requests answered within a time, the percentiles, Erlang C's p99 and a prediction."""
    high = 258
    if view.endless:
        return Drawing(words("The queue has no end.", WIDE / 2, high / 2, text_anchor="middle"), high)
    longest_s = view.curve[-1][0]
    lines = [
        (name, at_s, colour, dash)
        for name, at_s, colour, dash in (
            ("Erlang C p99", view.formula_p99_s, drawing.RULE, "6 4"),
            ("your prediction", predicted_s, drawing.EXACT, "1 3"),
        )
        if at_s is not None and at_s < _BEYOND * longest_s
    ]
    end_s = 1.05 * max([longest_s, *(at_s for _, at_s, _, _ in lines)])
    plot = Plot(Axis(0, end_s), Axis(0, 1), high, left=52, top=30, foot=40)
    parts = [
        *plot.axes(
            [(time_s, show_seconds(time_s)) for time_s in plot.across.steps(6)],
            [(share, f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)],
            ("answered within", "share of requests"),
        ),
        _steps([plot.at(*point) for point in view.curve]),
        *(_upright(plot, row, *one) for row, one in enumerate(lines)),
        *_estimates(plot, view),
    ]
    return Drawing("".join(parts), high)


def _steps(points: list[drawing.Point]) -> str:
    """Draw a curve of steps: a share holds until the next time; where many requests take equally long, it jumps."""
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}" + "".join(f"H{to:.1f}V{level:.1f}" for to, level in rest)
    return tag("path", d=path, fill="none", stroke=drawing.INK, stroke_width=2)


def _upright(plot: Plot, row: int, name: str, at_s: float, colour: str, dash: str) -> str:
    """Draw a time as a line from top to floor, with its name."""
    x = plot.x(at_s)
    left = x > WIDE / 2
    return plot.upright(at_s, plot.top - 8, colour, 1.5, stroke_dasharray=dash) + words(
        f"{name} {show_seconds(at_s)}", x + (-6 if left else 6), plot.y(0.12 + 0.12 * row), halo=drawing.PANEL,
        fill=colour, font_weight=600, text_anchor="end" if left else "start",
    )  # fmt: skip


def _estimates(plot: Plot, view: TheatreView) -> Iterator[str]:
    """Draw each percentile with its interval and its text, on the left of the mark where the right has no room."""
    crowded = any(plot.x(estimate.value) > plot.end - 90 for _, _, estimate in view.percentiles)
    for name, share, estimate in view.percentiles:
        x, y = at = plot.at(estimate.value, share)
        low, high = ((plot.x(end), y) for end in (estimate.low, estimate.high))
        yield drawing.line(low, high, drawing.EXACT, 6, opacity=0.35)
        yield drawing.disc(at, radius=4.5)
        yield words(
            f"{name} {show_seconds(estimate.value)}", x + (-8 if crowded else 8), y + (-8 if name == "p99" else 16),
            halo=drawing.PANEL, fill=drawing.EXACT, font_weight=600, text_anchor="end" if crowded else "start",
        )  # fmt: skip
