"""What the queue theatre shows: a simulated fleet's latency, beside the formula, as plain values and words.

A figure and a widget share it.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures.base import show_number
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
from mlsd_helpers.simulation.scenario import ROUTINGS, Routing
from mlsd_helpers.units import ms, show_seconds

Event = Literal["nothing", "rolling restart", "zone loss"]
EVENTS: tuple[Event, ...] = get_args(Event)
REQUESTS = 100_000
KEYS = 10_000
ZONES = 3
_WARM_UP = 0.1
_LANES = 16
_FIXED_SHARE = 0.8  # of the service time, whatever the batch; the rest is paid for each item
_POINTS = 240


@dataclass(frozen=True)
class TheatreInputs:
    """What a learner moves: traffic, fleet, batch, cache, and what happens to it.

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
        span_s = REQUESTS / _LANES / self.peak_rps
        at_s = _WARM_UP * span_s
        if self.event == "zone loss":
            return (ZoneLoss(at_s, lasts_s=span_s / 4),)
        if self.event == "rolling restart":
            return (RollingRestart(at_s, share=0.25, each_s=span_s / 5),)
        return ()


@dataclass(frozen=True)
class TheatreView:
    """What the inputs give: the simulated percentiles with their intervals, the formula's, and the curve.

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
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Percentile, value and interval, in words."""
        named = (("p50", self.p50_s), ("p95", self.p95_s), ("p99", self.p99_s))
        return tuple(
            (name, show_seconds(e.value), f"{show_seconds(e.low)} to {show_seconds(e.high)}")
            for name, e in named
        )

    @property
    def fleet(self) -> str:
        """The fleet in one line."""
        held = "" if self.hit_ratio is None else f", the cache answers {self.hit_ratio:.0%}"
        busy = "busy" if self.inputs.event == EVENTS[0] else "busy on average over the run"
        return f"{self.inputs.replicas} replicas, {self.utilisation:.0%} {busy}{held}"

    @property
    def formula_is_beyond(self) -> bool:
        """Whether the formula's number is so large that the curve would shrink beside it."""
        return not self.curve or self.formula_p99_s >= 3 * self.curve[-1][0]

    @property
    def verdict(self) -> str:
        """What stands out, in one sentence."""
        if self.endless:
            return f"{self.fleet}: more arrives than is served; the queue has no end. Add replicas."
        if math.isinf(self.formula_p99_s):
            return f"Simulated p99 {show_seconds(self.p99_s.value)}; Erlang C has no answer at this load."
        ratio = self.p99_s.value / self.formula_p99_s
        said = f"Simulated p99 {show_seconds(self.p99_s.value)}, Erlang C {show_seconds(self.formula_p99_s)}"
        if abs(ratio - 1) < 0.05:
            return f"{said}: they agree."
        return f"{said}: {show_number(float(f'{ratio:.2g}'))} times the formula's number."

    @property
    def alt(self) -> str:
        """The picture in words."""
        if self.endless:
            return self.verdict
        quartiles = ", ".join(f"{name} {value} ({interval})" for name, value, interval in self.rows)
        return f"Share of requests answered within a time. {self.fleet}. {quartiles}. {self.verdict}"


def theatre_view(inputs: TheatreInputs) -> TheatreView:
    """Simulate 100,000 requests, and return what to show. The same inputs give the same view."""
    try:
        scenario = inputs.scenario()
    except RangeError:
        return _endless(inputs)
    result = quick(scenario, seed=inputs.seed, requests=REQUESTS, warm_up=_WARM_UP)
    return TheatreView(
        inputs,
        result.p50_s,
        result.p95_s,
        result.p99_s,
        result.utilisation.value,
        None if result.hit_ratio is None else result.hit_ratio.value,
        _formula_s(inputs),
        _curve(result),
    )


def _endless(inputs: TheatreInputs) -> TheatreView:
    none = Estimate(math.inf, math.inf, math.inf)
    busy = inputs.peak_rps * inputs.service_time_s / inputs.replicas
    return TheatreView(inputs, none, none, none, busy, None, math.inf, (), endless=True)


def _formula_s(inputs: TheatreInputs) -> float:
    """Return the p99 that Erlang C gives for a plain central queue, whatever else is switched on."""
    if inputs.peak_rps * inputs.service_time_s >= inputs.replicas:
        return math.inf
    return formulas.response_percentile_s(inputs.replicas, inputs.peak_rps, inputs.service_time_s, 0.99)


def _curve(result: Result) -> tuple[tuple[float, float], ...]:
    """Thin the curve out, up to the first time within which all but one in 2,000 are answered."""
    times_s, shares = result.latency.curve()
    points = list(zip(times_s.tolist(), shares.tolist(), strict=True))
    last = next((at for at, (_, share) in enumerate(points) if share > 0.9995), len(points) - 1)
    return (*points[: last : max(1, last // _POINTS)], points[last])
