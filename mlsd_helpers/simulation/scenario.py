"""What is simulated: arrivals, service, a fleet, its clients, a cache and incidents, as frozen values.

>>> Scenario(Poisson(500), Exponential(0.040), Fleet(replicas=25)).utilisation
0.8

Times are in seconds, rates per second, shares fractions. A value that cannot be simulated raises
`RangeError` when it is made. So does a load above the capacity of the fleet, unless something bounds the queue: a
queue limit, timeouts, or an autoscaler that can add enough replicas.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges, che_hit_ratio, ttl_hit_ratio_of_keys
from mlsd_helpers.units import day


class OverloadError(RangeError):
    """A load that exceeds the capacity, or equals it, while nothing bounds the queue."""

    def __init__(self, utilisation: float, rate_rps: float, note: str = "") -> None:
        verb = "exceed" if utilisation > 1 else "equal"
        super().__init__(
            f"utilisation {utilisation:.6g} must be below 1: arrivals {verb} service. Add replicas or reduce load."
            f" {note}".rstrip()
        )
        self.utilisation = utilisation
        self.rate_rps = rate_rps

    @property
    def backlog_rps(self) -> float:
        """By how many requests a second the queue grows."""
        return self.rate_rps * (1 - 1 / self.utilisation)


Routing = Literal["central queue", "random", "round robin", "power of two", "join the shortest queue"]
ROUTINGS: tuple[Routing, ...] = get_args(Routing)

# ---------------------------------------------------------------- arrivals


@dataclass(frozen=True)
class Poisson:
    """Independent arrivals, `rate_rps` a second on average."""

    rate_rps: float

    def __post_init__(self) -> None:
        _ranges.positive(rate_rps=self.rate_rps)


@dataclass(frozen=True)
class Bursty:
    """Arrivals whose counts per second have `variance_to_mean` times the variance of Poisson arrivals.

    A new rate is drawn every `burst_s` seconds from a gamma distribution; arrivals are Poisson within. With
    1 s the counts per second are negative binomial; a longer `burst_s`, a whole number of seconds, keeps the
    same counts together for longer, which hurts more: of an hour of code completions (Azure LLM inference trace
    2023) the variance per second is 13.2 times the mean, and its p99 needs bursts of about 7 s to come out.
    """

    rate_rps: float
    variance_to_mean: float
    burst_s: float = 1.0

    def __post_init__(self) -> None:
        _ranges.positive(rate_rps=self.rate_rps, burst_s=self.burst_s)
        _ranges.positive(variance_to_mean=self.variance_to_mean)
        if self.variance_to_mean < 1:
            raise RangeError(
                f"variance_to_mean {self.variance_to_mean:.6g} must be at least 1, as Poisson arrivals have. "
                "Use Trace for arrivals that are more regular."
            )


@dataclass(frozen=True)
class Diurnal:
    """Poisson arrivals whose rate follows a profile, such as 24 hourly shares, around the mean `rate_rps`.

    The profile is scaled to a mean of 1 and repeats every `period_s`. A run starts where the profile does.
    """

    rate_rps: float
    profile: tuple[float, ...]
    period_s: float = day

    def __post_init__(self) -> None:
        _ranges.positive(rate_rps=self.rate_rps, period_s=self.period_s)
        _set_floats(
            self, "profile", self.profile, "a level for each part of the period, such as 24 hourly shares"
        )
        for level in self.profile:
            _ranges.not_negative(level=level)
        if not any(self.profile):
            raise RangeError("profile has no level above 0. Give one level for each part of the period.")

    @property
    def peak_rps(self) -> float:
        """The rate at the busiest part of the period."""
        return self.rate_rps * max(self.profile) * len(self.profile) / math.fsum(self.profile)


@dataclass(frozen=True)
class Trace:
    """Recorded arrival times, in seconds and in order; replayed again from the start when it is too short."""

    times_s: tuple[float, ...] = field(repr=False)

    def __post_init__(self) -> None:
        _set_floats(self, "times_s", self.times_s, "at least two arrival times in seconds")
        if len(self.times_s) < 2 or not all(map(math.isfinite, self.times_s)):
            raise RangeError(
                f"times_s has {len(self.times_s)} entries. Give at least two, all of them finite."
            )
        if any(later < earlier for earlier, later in zip(self.times_s, self.times_s[1:], strict=False)):
            raise RangeError("times_s is not in order. Sort the arrival times.")
        if self.times_s[-1] == self.times_s[0]:
            raise RangeError("times_s are all the same instant. Give times finer than a second.")

    @property
    def span_s(self) -> float:
        """The length of one replay: to the last arrival, and one mean gap more."""
        gaps = len(self.times_s) - 1
        return (self.times_s[-1] - self.times_s[0]) * (gaps + 1) / gaps

    @property
    def rate_rps(self) -> float:
        """The mean rate."""
        return len(self.times_s) / self.span_s


Arrivals = Poisson | Bursty | Diurnal | Trace

# ---------------------------------------------------------------- service


@dataclass(frozen=True)
class Constant:
    """Every request takes `mean_s`."""

    mean_s: float

    def __post_init__(self) -> None:
        _ranges.positive(mean_s=self.mean_s)

    scv = 0.0


@dataclass(frozen=True)
class Exponential:
    """Service times are exponential around `mean_s`."""

    mean_s: float

    def __post_init__(self) -> None:
        _ranges.positive(mean_s=self.mean_s)

    scv = 1.0


@dataclass(frozen=True)
class Lognormal:
    """Service times are lognormal around `mean_s`; `scv` is variance over squared mean."""

    mean_s: float
    scv: float

    def __post_init__(self) -> None:
        _ranges.positive(mean_s=self.mean_s, scv=self.scv)


@dataclass(frozen=True)
class Cut:
    """Service times that end at `longest_s`, where all that is waited for has timed out; `mean_s` is the mean then."""

    of: Exponential | Lognormal
    """The times if nothing were cut."""
    longest_s: float
    mean_s: float

    def __post_init__(self) -> None:
        _ranges.positive(longest_s=self.longest_s, mean_s=self.mean_s)

    @property
    def scv(self) -> float:
        """That of the times before they are cut."""
        return self.of.scv


@dataclass(frozen=True)
class Measured:
    """Service times are drawn from measured ones, in seconds, with replacement."""

    sample_s: tuple[float, ...] = field(repr=False)

    def __post_init__(self) -> None:
        _set_floats(self, "sample_s", self.sample_s, "at least one measured service time in seconds")
        for time_s in self.sample_s:
            _ranges.positive(sample_s=time_s)

    @property
    def mean_s(self) -> float:
        """The mean of the sample."""
        return math.fsum(self.sample_s) / len(self.sample_s)

    @property
    def scv(self) -> float:
        """The squared coefficient of variation of the sample."""
        mean_s = self.mean_s
        return math.fsum((time_s / mean_s - 1) ** 2 for time_s in self.sample_s) / len(self.sample_s)


@dataclass(frozen=True)
class PerBatch:
    """A batch of n takes `fixed_s` + n × `per_item_s`; without batching n is 1."""

    fixed_s: float
    per_item_s: float

    def __post_init__(self) -> None:
        _ranges.not_negative(fixed_s=self.fixed_s, per_item_s=self.per_item_s)
        _ranges.positive(service_time_s=self.mean_s)

    @property
    def mean_s(self) -> float:
        """The time for one request alone."""
        return self.fixed_s + self.per_item_s

    scv = 0.0


Service = Constant | Exponential | Lognormal | Cut | Measured | PerBatch

# ---------------------------------------------------------------- the fleet, its clients, a cache


@dataclass(frozen=True)
class Batching:
    """A replica answers up to `largest` requests together, and waits `longest_wait_s` for them at most."""

    largest: int
    longest_wait_s: float

    def __post_init__(self) -> None:
        _ranges.countable(2, largest=self.largest)
        _ranges.not_negative(longest_wait_s=self.longest_wait_s)


@dataclass(frozen=True)
class Autoscaler:
    """Every `period_s` compares requests in progress per place with `target`, and orders replicas.

    They take requests `delay_s` later. Within `tolerance` of the target nothing happens. Replicas go again
    after `calm_s` with fewer wanted throughout. Requests in progress are averaged over the period and count
    those that wait, so that an overload is seen in full.
    """

    target: float
    delay_s: float
    minimum: int
    maximum: int
    period_s: float = 15.0
    tolerance: float = 0.1
    calm_s: float = 300.0

    def __post_init__(self) -> None:
        _ranges.share_above_0(target=self.target)
        _ranges.not_negative(delay_s=self.delay_s, calm_s=self.calm_s)
        _ranges.positive(period_s=self.period_s)
        _ranges.share_below_1(tolerance=self.tolerance)
        _ranges.countable(minimum=self.minimum)
        _ranges.countable(self.minimum, maximum=self.maximum)


@dataclass(frozen=True)
class Fleet:
    """Replicas and the routing of requests.

    `zones` share the replicas evenly; `concurrency` is how many requests (or batches) one replica works on at
    once; `queue_limit` is how many may wait in each queue before the next is shed.
    """

    replicas: int
    zones: int = 1
    concurrency: int = 1
    routing: Routing = "central queue"
    queue_limit: int | None = None
    batching: Batching | None = None
    autoscaler: Autoscaler | None = None

    def __post_init__(self) -> None:
        _ranges.countable(replicas=self.replicas, zones=self.zones, concurrency=self.concurrency)
        if self.zones > self.replicas:
            raise RangeError(f"zones {self.zones} must be at most replicas {self.replicas}. Use fewer zones.")
        if self.routing not in ROUTINGS:
            raise RangeError(f"routing {self.routing!r} is unknown. Use one of: {', '.join(ROUTINGS)}.")
        if self.queue_limit is not None:
            least = self.batching.largest if self.batching else 0
            _ranges.countable(least, queue_limit=self.queue_limit)
        scaler = self.autoscaler
        if scaler and not scaler.minimum <= self.replicas <= scaler.maximum:
            raise RangeError(
                f"replicas {self.replicas} must be from the autoscaler's minimum {scaler.minimum} to its "
                f"maximum {scaler.maximum}. The fleet starts with `replicas`."
            )

    @property
    def most_replicas(self) -> int:
        """The maximum of replicas, with all that the autoscaler may add."""
        return self.autoscaler.maximum if self.autoscaler else self.replicas


@dataclass(frozen=True)
class Clients:
    """Attempts time out after `timeout_s`; callers retry `backoff_s` later, up to `retries` times.

    `retry_budget` allows retries up to that share of the requests (0.1: one in ten), and a burst of
    `retry_burst`; None allows all. The fleet still works on attempts that timed out, unless
    `stops_work`: then they leave the queue. Requests that were shed, or lost with their replica, are retried
    likewise.
    """

    timeout_s: float = math.inf
    retries: int = 0
    backoff_s: float = 0.0
    retry_budget: float | None = None
    retry_burst: float = 10.0
    stops_work: bool = False

    def __post_init__(self) -> None:
        if self.timeout_s != math.inf:
            _ranges.positive(timeout_s=self.timeout_s)
        _ranges.whole(0, retries=self.retries)
        if self.retries > 100:
            raise RangeError(f"retries {self.retries} must be at most 100. Clients try two or three times.")
        _ranges.not_negative(backoff_s=self.backoff_s, retry_burst=self.retry_burst)
        if self.retry_budget is not None:
            _ranges.not_negative(retry_budget=self.retry_budget)


@dataclass(frozen=True)
class Cache:
    """A cache of `size` answers before the fleet; when it is full, the least recently used one is evicted.

    Requests ask for `keys` keys, key i in proportion to i^−`zipf_exponent`. An answer is used for `ttl_s` after
    it was made, and takes `hit_s` from the cache. It starts cold unless `starts_warm` with the most popular keys.
    """

    size: int
    keys: int
    zipf_exponent: float = 1.0
    ttl_s: float | None = None
    hit_s: float = 0.0
    starts_warm: bool = False

    def __post_init__(self) -> None:
        _ranges.whole(keys=self.keys, size=self.size)
        if self.keys > 10_000_000:
            raise RangeError(
                f"keys {self.keys:,} must be at most 10,000,000. Scale size and keys down together."
            )
        if self.size > self.keys:
            raise RangeError(f"size {self.size} must be at most keys {self.keys}. More would stay empty.")
        _ranges.not_negative(zipf_exponent=self.zipf_exponent, hit_s=self.hit_s)
        if self.ttl_s is not None:
            _ranges.positive(ttl_s=self.ttl_s)

    def expected_hit_ratio(self, rate_rps: float) -> float:
        """Return the formula's hit ratio: Che's for the size, λT/(1+λT) for the time, the lower of the two."""
        by_size = che_hit_ratio(self.size, self.keys, self.zipf_exponent)
        if self.ttl_s is None:
            return by_size
        return min(by_size, ttl_hit_ratio_of_keys(rate_rps, self.ttl_s, self.keys, self.zipf_exponent))


# ---------------------------------------------------------------- incidents


@dataclass(frozen=True)
class ReplicaFailure:
    """`replicas` replicas crash `at_s`, lose their requests, and return after `lasts_s`."""

    at_s: float
    replicas: int = 1
    lasts_s: float = math.inf


@dataclass(frozen=True)
class ZoneLoss:
    """All replicas of one zone crash `at_s` and return after `lasts_s`."""

    at_s: float
    zone: int = 0
    lasts_s: float = math.inf


@dataclass(frozen=True)
class RollingRestart:
    """From `at_s` on, a `share` of the replicas at a time finishes its requests and is down for `each_s`."""

    at_s: float
    share: float = 0.25
    each_s: float = 60.0


@dataclass(frozen=True)
class Surge:
    """Arrivals come `factor` times as fast from `at_s` on, for `lasts_s`."""

    at_s: float
    factor: float
    lasts_s: float = math.inf


@dataclass(frozen=True)
class ColdCache:
    """The cache is emptied `at_s`."""

    at_s: float


Incident = ReplicaFailure | ZoneLoss | RollingRestart | Surge | ColdCache

# ---------------------------------------------------------------- the whole


@dataclass(frozen=True)
class Scenario:
    """What is simulated."""

    arrivals: Arrivals
    service: Service
    fleet: Fleet
    clients: Clients = Clients()
    cache: Cache | None = None
    incidents: tuple[Incident, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "incidents", tuple(self.incidents))
        if self.fleet.batching and not isinstance(self.service, PerBatch):
            raise RangeError(
                f"batching needs to know how a batch's time grows: {type(self.service).__name__} does not say. "
                "Use PerBatch(fixed_s, per_item_s) as service."
            )
        for incident in self.incidents:
            _check_incident(incident, self)
        if not self.bounded:
            raise OverloadError(self._busy_with(self.fleet.most_replicas), self.arrivals.rate_rps)

    @property
    def utilisation(self) -> float:
        """Offered load over capacity, if every request is served once; from 1 on the fleet is overloaded.

        The expected hits of a cache are subtracted, and batches count as full.
        """
        return self._busy_with(self.fleet.replicas)

    def _busy_with(self, replicas: int) -> float:
        rate_rps = self.arrivals.rate_rps
        if self.cache:
            rate_rps *= 1 - self.cache.expected_hit_ratio(rate_rps)
        return rate_rps * self._time_each_s / (replicas * self.fleet.concurrency)

    @property
    def _time_each_s(self) -> float:
        batching = self.fleet.batching
        if batching and isinstance(self.service, PerBatch):
            return self.service.fixed_s / batching.largest + self.service.per_item_s
        return self.service.mean_s

    @property
    def bounded(self) -> bool:
        """Whether no queue grows without limit, at the mean load and without incidents."""
        return self.limited or self._busy_with(self.fleet.most_replicas) < 1

    @property
    def limited(self) -> bool:
        """Whether a queue limit or timeouts keep every queue finite, whatever the load."""
        return self.fleet.queue_limit is not None or self.clients.timeout_s < math.inf

    def overload(self) -> OverloadError | None:
        """Return the overload that stays, with incidents that do not end; None where arrivals are fewer."""
        lasting = [each for each in self.incidents if getattr(each, "lasts_s", 0.0) == math.inf]
        factor = math.prod(each.factor for each in lasting if isinstance(each, Surge))
        most = self.fleet.most_replicas
        lost = sum(
            each.replicas
            if isinstance(each, ReplicaFailure)
            else len(range(each.zone, most, self.fleet.zones))
            for each in lasting
            if not isinstance(each, Surge | RollingRestart | ColdCache)
        )
        busy = factor * self._busy_with(most) * most / max(most - lost, 1e-9)
        return OverloadError(busy, factor * self.arrivals.rate_rps) if busy >= 1 else None

    def refuse_overload_in_incidents(self) -> None:
        """Raise `OverloadError` where an incident that does not end makes a queue grow without limit."""
        if not self.limited and (found := self.overload()):
            raise found


def _check_incident(incident: Incident, scenario: Scenario) -> None:
    _ranges.not_negative(at_s=incident.at_s)
    lasts_s = getattr(incident, "lasts_s", math.inf)
    if lasts_s != math.inf:
        _ranges.positive(lasts_s=lasts_s)
    fleet = scenario.fleet
    if isinstance(incident, ReplicaFailure):
        _ranges.whole(replicas=incident.replicas)
        if incident.replicas > fleet.replicas:
            raise RangeError(
                f"{incident.replicas} replicas cannot fail: the fleet has {fleet.replicas}. Name fewer."
            )
    elif isinstance(incident, ZoneLoss):
        _ranges.whole(0, zone=incident.zone)
        if fleet.zones < 2 or incident.zone >= fleet.zones:
            raise RangeError(
                f"zone {incident.zone} cannot be lost: the fleet has {fleet.zones}, counted from 0, and one must "
                "remain. Spread the replicas over two or three zones."
            )
    elif isinstance(incident, RollingRestart):
        _ranges.share_above_0(share=incident.share)
        _ranges.positive(each_s=incident.each_s)
    elif isinstance(incident, Surge):
        _ranges.positive(factor=incident.factor)
    elif scenario.cache is None:
        raise RangeError("ColdCache needs a cache. Give the scenario one, or leave the incident out.")


def _set_floats(owner: object, name: str, given: Iterable[float], expected: str) -> None:
    kept = tuple(float(value) for value in given)
    if not kept:
        raise RangeError(f"{name} is empty. Give {expected}.")
    object.__setattr__(owner, name, kept)


def describe(value: object) -> str:
    """Describe what is simulated, in one line.

    >>> describe(Scenario(Poisson(500), Exponential(0.04), Fleet(25)))
    'Poisson(rate_rps=500), Exponential(mean_s=0.04), Fleet(replicas=25)'
    """
    if isinstance(value, Scenario):
        parts = (value.arrivals, value.service, value.fleet, value.clients, value.cache, *value.incidents)
        return ", ".join(describe(part) for part in parts if part is not None and part != Clients())
    shown = (
        _format_field(each.name, getattr(value, each.name), each.default, each.repr)
        for each in fields(value)  # type: ignore[arg-type]
    )
    return f"{type(value).__name__}({', '.join(filter(None, shown))})"


def _format_field(name: str, given: object, usual: object, in_full: bool) -> str:
    if not in_full:
        return f"{len(given)} {name}"  # type: ignore[arg-type]
    if given == usual:
        return ""
    return f"{name}={describe(given) if hasattr(given, '__dataclass_fields__') else repr(given)}"
