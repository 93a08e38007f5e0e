"""How long a fleet takes to answer, by formula: a range, from what a design makes certain to what it allows.

The lower end is one central queue, which no routing beats that does not know how long a request will take. The upper
end is the worst that the declared routing may do: a queue of its own for each replica where requests are sent at
random, the shorter of two queues for power of two. Where no routing is declared, both ends stand for what may be
chosen. Bursts and an unknown spread of the service time widen the range.

>>> from mlsd_helpers import cases
>>> from mlsd_helpers.analysis.sizing import sizing_of
>>> design = cases.load("harbour_pay")
>>> calm, zone_lost = predictions(design, sizing_of(design))
>>> round(calm.response_s(0.99).least_s, 3), zone_lost.during
(0.107, 'zone loss')
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from statistics import NormalDist
from typing import NamedTuple

from mlsd_helpers import formulas
from mlsd_helpers.analysis.once import once
from mlsd_helpers.analysis.paths import burstiness_of, cold_load_rps
from mlsd_helpers.analysis.rates import mean_at_once
from mlsd_helpers.analysis.sizing import FLOPS_UTILISATION, Sizing, or_none
from mlsd_helpers.analysis.surroundings import longest_held_s
from mlsd_helpers.design import Batching, Design, FleetPlan
from mlsd_helpers.design.capacity import ServiceTime

OUTPUT_SCV = 1.0
"""Squared coefficient of variation of answer lengths in tokens, which designs do not state; the simulation's too."""
_STEPS = 96  # of a numerical integral over the service time; even
_ACCURACY = 1e-6
_WIDEST = 8.0  # standard deviations of a logarithm that an integral covers
_MANY_SERVERS = 5_000  # from here on the limit of many servers stands in for Erlang C

_FEW = (0.75, 1.2)
"""How far waits behind the shorter of two queues lie from the limit of many replicas: for 2 to 100 of them, and
steady service times. From our simulations."""
_HEAVY_TAIL = 0.25
"""How much longer, for each 1 of the SCV above 1, the slowest waits at a replica's own queue are than the formula
says. From our simulations, of lognormal times."""

Waits = Callable[[float], float]
"""The share of requests that wait longer than a time in seconds; at 0, the share that waits at all."""


class Range(NamedTuple):
    """Two ends of a time, in seconds; infinite where the queue grows without end."""

    least_s: float
    most_s: float


@dataclass(frozen=True)
class Service:
    """How long one replica works on one request: constant, exponential or lognormal around a mean, in seconds.

    >>> round(Service(0.2, 1.0, exponential=True, longest_s=0.3).uncut_mean_s, 2), Service(0.2, 1.0).uncut_mean_s
    (0.34, 0.2)
    """

    mean_s: float
    scv: float
    exponential: bool = False
    longest_s: float = math.inf
    """Where all that is waited for has timed out, so that nothing takes longer; `mean_s` is the mean with it."""

    @cached_property
    def uncut_mean_s(self) -> float:
        """The mean that the distribution would have if nothing were cut at `longest_s`."""
        if self.scv == 0 or not self.mean_s < self.longest_s < math.inf:
            return self.mean_s
        low, high = self.mean_s, 2 * self.mean_s
        while self._cut_mean_s(high) < self.mean_s and high < 1e6 * self.mean_s:
            low, high = high, 2 * high
        while high - low > _ACCURACY * high:
            middle = (low + high) / 2
            low, high = (middle, high) if self._cut_mean_s(middle) < self.mean_s else (low, middle)
        return high

    def _cut_mean_s(self, mean_s: float) -> float:
        """Return the mean of what is cut, by that of the whole: the area under the share that takes longer."""
        if self.exponential:
            return -mean_s * math.expm1(-self.longest_s / mean_s)
        sigma, normal = math.sqrt(math.log1p(self.scv)), NormalDist().cdf
        at = math.log(self.longest_s / mean_s) / sigma
        return mean_s * normal(at - sigma / 2) + self.longest_s * (1 - normal(at + sigma / 2))

    def exceeds(self, time_s: float) -> float:
        """Return the share of requests that take longer."""
        if time_s <= 0:
            return 1.0
        return 0.0 if time_s >= self.longest_s else self._would_exceed(time_s)

    def _would_exceed(self, time_s: float) -> float:
        if self.exponential:
            return math.exp(-time_s / self.uncut_mean_s)
        if self.scv == 0:
            return float(time_s < self.mean_s)
        return math.erfc(self._deviations(time_s) / math.sqrt(2)) / 2

    def _deviations(self, time_s: float) -> float:
        sigma = math.sqrt(math.log1p(self.scv))
        return (math.log(time_s / self.uncut_mean_s) + sigma**2 / 2) / sigma

    def percentile_s(self, percentile: float) -> float:
        """Return a percentile of the service alone, without any wait."""
        if self.exponential:
            return min(-self.uncut_mean_s * math.log1p(-percentile), self.longest_s)
        sigma = math.sqrt(math.log1p(self.scv))
        time_s = self.uncut_mean_s * math.exp(sigma * NormalDist().inv_cdf(percentile) - sigma**2 / 2)
        return min(time_s, self.longest_s)

    def with_wait_exceeds(self, time_s: float, waits: Waits) -> float:
        """Return the share of requests whose wait and service together take longer: a convolution."""
        if time_s <= 0:
            return 1.0
        if self.scv == 0:
            return waits(time_s - self.mean_s) if time_s >= self.mean_s else 1.0
        waiting = (weight * waits(left_s) for weight, left_s in self._parts(time_s))
        return self.exceeds(time_s) + sum(waiting)

    @lru_cache(maxsize=500)  # noqa: B019 - a service is a value, of which few are kept
    def _parts(self, time_s: float) -> tuple[tuple[float, float], ...]:
        """Return the shares of requests by the time that their service leaves of `time_s`: of Simpson's rule."""
        low, high = self._limits(min(time_s, self.longest_s))
        width, parts = max(high - low, 0.0), []
        if time_s > self.longest_s:
            parts.append((self._would_exceed(self.longest_s), time_s - self.longest_s))
        for i in range(1, _STEPS + 1) if width else ():
            v = i / _STEPS  # dense where the service takes nearly all of the time: waits may be short
            density, service_s = self._density_at(high - width * v * v)
            weight = (1 if i == _STEPS else 4 if i % 2 else 2) * 2 * width / (3 * _STEPS)
            parts.append((weight * v * density, max(time_s - service_s, 0.0)))
        return tuple(parts)

    def _limits(self, time_s: float) -> tuple[float, float]:
        """Return what is integrated over: service times up to `time_s`, or the logarithms in standard deviations."""
        if self.exponential:
            return 0.0, min(time_s, 40 * self.uncut_mean_s)
        return -_WIDEST, min(self._deviations(time_s), _WIDEST)

    def _density_at(self, x: float) -> tuple[float, float]:
        """Return the density at a point of what is integrated over, and the service time there."""
        if self.exponential:
            return math.exp(-x / self.uncut_mean_s) / self.uncut_mean_s, x
        sigma = math.sqrt(math.log1p(self.scv))
        return math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi), self.uncut_mean_s * math.exp(
            sigma * x - sigma**2 / 2
        )


@dataclass(frozen=True)
class Answers:
    """How long a fleet takes to answer under one reading of its plan: a wait and then a service."""

    service: Service
    waits: Waits | None
    """None where arrivals exceed service, so that the queue grows without end."""

    def later_than(self, time_s: float) -> float:
        """Return the share of requests that are answered later than `time_s` after they arrive."""
        return 1.0 if self.waits is None else self.service.with_wait_exceeds(time_s, self.waits)

    @lru_cache(maxsize=1_000)  # noqa: B019 - answers are a value, and a search for a percentile takes milliseconds
    def response_s(self, percentile: float) -> float:
        """Return a percentile of wait and service together, in seconds."""
        return math.inf if self.waits is None else _solve(self.later_than, percentile, self.service.mean_s)

    def wait_s(self, percentile: float) -> float:
        """Return a percentile of the wait before service, in seconds."""
        return math.inf if self.waits is None else _solve(self.waits, percentile, self.service.mean_s)

    @property
    def mean_s(self) -> float:
        """The mean of wait and service together, in seconds: the mean wait is the area under the share that waits."""
        if self.waits is None:
            return math.inf
        waited_s, low_s, width_s = 0.0, 0.0, self.service.mean_s / 200
        while (share := self.waits(low_s)) > _ACCURACY:
            waited_s += width_s * (share + self.waits(low_s + width_s)) / 2
            low_s, width_s = low_s + width_s, width_s * 1.05
        return self.service.mean_s + waited_s


def _solve(later_than: Callable[[float], float], percentile: float, scale_s: float) -> float:
    """Find the time that no more than 1 − `percentile` exceed."""
    share = 1 - percentile
    low, high = 0.0, scale_s
    if later_than(0.0) <= share:
        return 0.0
    while later_than(high) > share:
        low, high = high, 2 * high
    while high - low > _ACCURACY * high:
        middle = (low + high) / 2
        low, high = (middle, high) if later_than(middle) > share else (low, middle)
    return high


@dataclass(frozen=True)
class Prediction:
    """The answers of a fleet at the peak: as good, and as bad, as its plan allows."""

    during: str
    """The failure that happens meanwhile; empty where nothing fails."""
    replicas: int
    """Those that are up."""
    load_rps: float
    least: Answers
    most: Answers
    spread_known: bool = True
    """Whether the design states how far service times spread."""

    @property
    def overloaded(self) -> bool:
        """Whether arrivals exceed service."""
        return self.least.waits is None

    def response_s(self, percentile: float) -> Range:
        """Return a percentile of the time to answer."""
        return Range(self.least.response_s(percentile), self.most.response_s(percentile))

    @property
    def mean_s(self) -> Range:
        """The mean of the time to answer."""
        return Range(self.least.mean_s, self.most.mean_s)

    def wait_s(self, percentile: float) -> Range:
        """Return a percentile of the wait before service."""
        return Range(self.least.wait_s(percentile), self.most.wait_s(percentile))


# ---------------------------------------------------------------- what happens at the peak


class State(NamedTuple):
    """What a fleet has to carry: with how many replicas, at which load, during which failure."""

    during: str
    replicas: int
    load_rps: float


def states(design: Design, sizing: Sizing) -> tuple[State, ...]:
    """Return the peak, and the peak during each failure that the headroom pays for, one at a time."""
    load_rps, replicas = sizing.load_rps, sizing.plan.replicas
    if load_rps is None or not replicas:
        return ()
    paid = sizing.plan.headroom.pays_for if sizing.plan.headroom else ()
    return (
        State("", replicas, load_rps),
        *(_during(failure, design, sizing, replicas, load_rps) for failure in paid),
    )


def _during(failure: str, design: Design, sizing: Sizing, replicas: int, load_rps: float) -> State:
    if failure == "zone loss":
        left = sizing.left_by_zone
        return State(failure, replicas if left is None else left, load_rps)
    if failure == "rolling restart":
        return State(failure, replicas - sizing.down_in_restart, load_rps)
    if failure == "surge":
        return State(failure, replicas, load_rps * (1 + sizing.surge.value))
    at_once = mean_at_once(design.planes, sizing.plan.component)
    return State(failure, replicas, cold_load_rps(design, load_rps, at_once) or load_rps)


def state_during(design: Design, sizing: Sizing, failures: Iterable[str]) -> State | None:
    """Return what a fleet has to carry at the peak during several failures together; None without load or replicas."""
    load_rps, replicas = sizing.load_rps, sizing.plan.replicas
    if load_rps is None or not replicas:
        return None
    found = [_during(failure, design, sizing, replicas, load_rps) for failure in failures]
    lost = sum(replicas - one.replicas for one in found)
    more = math.prod(one.load_rps / load_rps for one in found) if load_rps else 1.0
    return State(" and ".join(one.during for one in found), max(replicas - lost, 0), load_rps * more)


def predictions(design: Design, sizing: Sizing) -> tuple[Prediction, ...]:
    """Predict the answers of a fleet at the peak, and during each failure that its headroom pays for.

    Nothing where the plan lacks load, replicas or a service time, or is out of the range of the formulas.
    """
    burstiness = burstiness_of(design)
    longest_s = longest_held_s(design, sizing.plan)
    found = (predict(sizing.plan, state, burstiness or 1.0, longest_s) for state in states(design, sizing))
    return tuple(one for one in found if one is not None)


def prediction_during(design: Design, sizing: Sizing, failures: Iterable[str]) -> Prediction | None:
    """Predict the answers of a fleet at the peak during several failures together; see `predictions`."""
    state = state_during(design, sizing, failures)
    longest_s = longest_held_s(design, sizing.plan)
    return state and predict(sizing.plan, state, burstiness_of(design) or 1.0, longest_s)


@once
def predict(
    plan: FleetPlan, state: State, burstiness: float = 1.0, longest_s: float = math.inf
) -> Prediction | None:
    """Predict the answers of a fleet in one state; `burstiness` is the variance over the mean of arrivals per second.

    No service takes more than `longest_s` seconds. None without a service time, or out of the range of the formulas.
    """
    if not state.replicas:
        nothing = Answers(Service(1.0, 0.0), None)
        return Prediction(*state, nothing, nothing)
    if plan.batching:
        return _batched(plan, plan.batching, state)
    if plan.service_time is None or not plan.service_time.mean:
        return None
    least, most = (replace(one, longest_s=longest_s) for one in service_of(plan.service_time))
    if state.load_rps * least.mean_s >= state.replicas * plan.concurrency_per_replica:
        return Prediction(*state, Answers(least, None), Answers(most, None), least == most)
    waits = _waits(plan, state, (least, most), max(burstiness, 1.0))
    return Prediction(*state, Answers(least, waits[0]), Answers(most, waits[1]), least == most)


def _waits(
    plan: FleetPlan, state: State, services: tuple[Service, Service], arriving: float
) -> tuple[Waits, Waits]:
    """Return the waits at best and at worst; `arriving` is the variance over the mean of the arrivals."""
    least, most = services
    slots, at_once = state.replicas * plan.concurrency_per_replica, plan.concurrency_per_replica
    best = _Queue(slots, state.load_rps, least)
    worst = _Queue(slots, state.load_rps, most, arriving)
    each_rps = state.load_rps / state.replicas
    heavy = 1 + _HEAVY_TAIL * max(0.0, most.scv - 1)
    # A replica's share of a stream is less bursty than the stream.
    alone = _Queue(at_once, each_rps, most, 1 + (arriving - 1) / state.replicas, heavy)
    routing = plan.routing if state.replicas > 1 else "central queue"
    if routing == "central queue":
        return best.waits, worst.waits
    if routing == "random":
        return _Queue(at_once, each_rps, least).waits, alone.waits
    if routing == "round robin":
        in_turn = _Queue(at_once, each_rps, most, arriving / state.replicas, heavy)
        return best.waits, _larger(worst.waits, in_turn.waits)
    if routing == "join the shortest queue":
        return best.waits, _shortest(worst, alone)
    if routing == "power of two":
        shorter = _two_choices(_Queue(at_once, each_rps, least), _FEW[0])
        return _larger(best.waits, shorter), _larger(worst.waits, _two_choices(alone))
    return best.waits, alone.waits


def service_of(given: ServiceTime) -> tuple[Service, Service]:
    """Return the service times of a plan; two readings, constant and exponential, where their spread is not stated."""
    scv = given.known_scv
    if scv is None:
        spread = Service(given.mean, 1.0, exponential=given.distribution != "lognormal")
        return Service(given.mean, 0.0), spread
    exponential = given.distribution in {"exponential", None} and scv == 1
    return (Service(given.mean, scv, exponential),) * 2


def _batched(plan: FleetPlan, batching: Batching, state: State) -> Prediction | None:
    """Predict for batches: at best one is answered alone at once, at worst a full one waits for a full one."""
    times = (batching.fixed_time, batching.time_per_item)
    alone_s = or_none(formulas.batch_time_s, 1, *times)
    full_s = or_none(formulas.batch_time_s, batching.largest, *times)
    if not alone_s or not full_s:
        return None
    most_rps = state.replicas * plan.concurrency_per_replica * batching.largest / full_s
    if state.load_rps >= most_rps:
        nothing = Answers(Service(alone_s, 0.0), None)
        return Prediction(*state, nothing, nothing)
    longest_s = batching.longest_wait + full_s
    return Prediction(
        *state,
        Answers(Service(alone_s, 0.0), lambda _: 0.0),
        Answers(Service(full_s, 0.0), lambda wait_s: float(wait_s < longest_s)),
    )


# ---------------------------------------------------------------- generation


@dataclass(frozen=True)
class Writing:
    """What a replica takes to write an answer, by the roofline and without any wait: ranges in seconds.

    The lower ends are what no plain implementation beats: the accelerator's full compute, a batch of one, and of a
    mixture of experts the active weights alone. The upper ends are for half of the compute, all weights, and as many
    sequences at once as are planned; a real engine may be slower still.
    """

    first_s: Range
    gap_s: Range
    mean_tokens: float
    most_tokens: float
    """What the context leaves for an answer; infinite where it is not limited."""

    def tokens(self, percentile: float | None) -> float:
        """Return a percentile of the length of answers, lognormal with an SCV of `OUTPUT_SCV`; the mean for None."""
        spread = Service(self.mean_tokens, OUTPUT_SCV)
        return min(spread.percentile_s(percentile) if percentile else self.mean_tokens, self.most_tokens)

    def answer_s(self, percentile: float | None) -> Range:
        """Return how long a whole answer takes: of mean length at least, of the percentile's length at most."""
        return Range(
            self.first_s.least_s + (self.tokens(None) - 1) * self.gap_s.least_s,
            self.first_s.most_s + (self.tokens(percentile) - 1) * self.gap_s.most_s,
        )


def writing(sizing: Sizing) -> Writing | None:
    """Return what generation takes; None without it, or where bandwidth or compute are not known."""
    made, memory = sizing.plan.generation, sizing.memory
    if made is None or memory is None or not memory.bandwidth or not memory.compute or not made.output_tokens:
        return None
    prompt = made.prompt_tokens * (1 - (made.prefix_cache or 0.0))
    operations = 2 * memory.used_parameters * prompt
    context = made.prompt_tokens + made.output_tokens / 2
    kept = memory.bytes_per_token * context
    each_pass = memory.bandwidth * max(made.tokens_per_pass or 1.0, 1.0)
    left = None if made.context_tokens is None else made.context_tokens - made.prompt_tokens
    return Writing(
        Range(operations / memory.compute, operations / (memory.compute * FLOPS_UTILISATION)),
        Range(
            (memory.read_bytes + kept) / each_pass,
            (memory.weights_bytes + sizing.sequences.value * kept) / each_pass,
        ),
        made.output_tokens,
        math.inf if left is None else max(left, 1),
    )


# ---------------------------------------------------------------- queues


@dataclass(frozen=True)
class _Queue:
    """Servers with one queue; arrivals with a squared coefficient of variation."""

    servers: int
    arrival_rps: float
    service: Service
    arrival_scv: float = 1.0
    margin: float = 1.0

    @property
    def variance(self) -> float:
        return self.margin * (self.arrival_scv + self.service.scv) / 2

    @property
    def load(self) -> float:
        return self.arrival_rps * self.service.mean_s

    @cached_property
    def _decay(self) -> float:
        """How fast waits become rarer, a second."""
        spare = (self.servers - self.load) / self.service.mean_s
        return spare / self.variance if self.variance else math.inf

    @cached_property
    def _share(self) -> float:
        return _share_that_waits(self.servers, self.load)

    def waits(self, wait_s: float) -> float:
        if wait_s <= 0 or not self._share:
            return self._share
        return self._share * math.exp(-self._decay * wait_s)


@lru_cache(maxsize=1_000)
def _share_that_waits(servers: int, load: float) -> float:
    if servers <= _MANY_SERVERS:
        return formulas.erlang_c(servers, load)
    if not load:
        return 0.0
    quality = (servers - load) / math.sqrt(load)
    return formulas.halfin_whitt_wait_probability(quality) if quality < 30 else 0.0


def _two_choices(queue: _Queue, times: float = _FEW[1]) -> Waits:
    """Return the waits behind the shorter of two queues, from the lengths of very many such queues, some times over."""
    behind = _queues_joined(queue.load / queue.servers, queue.servers)
    each_s = times * queue.service.mean_s / queue.servers * queue.variance

    def waits(wait_s: float) -> float:
        if wait_s <= 0:
            return math.fsum(behind)
        if not each_s:
            return 0.0
        x = wait_s / each_s
        term = total = math.exp(-x)
        share = 0.0
        for number, chance in enumerate(behind, 1):
            share += chance * total
            term *= x / number
            total += term
        return share

    return waits


@lru_cache(maxsize=1_000)
def _queues_joined(busy: float, at_once: int) -> tuple[float, ...]:
    """Return the shares of requests that join the shorter of two queues with 0, 1, 2 and more requests before them."""
    lengths = (*formulas.power_of_two_queues(busy, at_once), 0.0)
    return tuple(longer**2 - longest**2 for longer, longest in pairwise(lengths))[at_once:]


def _shortest(shared: _Queue, alone: _Queue) -> Waits:
    """Return the waits behind the shortest queue: as in a shared one, and then for whom one has chosen to stand behind.

    Never longer than behind the shorter of two queues.
    """
    spare = (shared.servers - shared.load) / shared.service.mean_s / shared.variance
    leaving = alone.servers / (alone.service.mean_s * (1 + alone.service.scv) / 2)
    of_two = _two_choices(alone)

    def waits(wait_s: float) -> float:
        behind = shared.waits(0.0) * formulas.two_stages_exceed(max(wait_s, 0.0), spare, leaving)
        return max(shared.waits(wait_s), min(behind, of_two(wait_s)))

    return waits


def _larger(one: Waits, other: Waits) -> Waits:
    return lambda wait_s: max(one(wait_s), other(wait_s))
