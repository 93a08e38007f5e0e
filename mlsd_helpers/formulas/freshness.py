"""Freshness: how old a feature is when the model reads it.

The age of a feature is the time since the event that it describes, not the time to read it. Each stage of its
pipeline adds to the age. Every function refuses NaN, infinite, negative and boolean input with `RangeError`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ages, _ranges
from mlsd_helpers.formulas._rounding import round_up
from mlsd_helpers.formulas.traffic import drain_time_s
from mlsd_helpers.units import show_seconds

__all__ = [
    "AgeBounds",
    "Parallel",
    "Stage",
    "age_bounds",
    "busy_consumers",
    "catch_up_s",
    "consumer_lag_s",
    "largest_period_s",
    "partitions_needed",
    "share_stale",
    "worst_age_in_outage_s",
]


@dataclass(frozen=True)
class Stage:
    """One stage of a feature's pipeline. All times are in seconds and at least 0.

    `period_s` is the time between runs of the stage's own schedule; data wait from 0 to a whole period for the
    next run. It is 0 for a stream, and for a stage that starts when the one before it ends; a fixed wait in
    between is part of the delay. `delay_s` is the time to run and to publish. `ttl_s` is how long a cache keeps
    the value; it adds from 0 to `ttl_s`.

    >>> Stage(period_s=3600, delay_s=180)
    Stage(period_s=3600, delay_s=180, ttl_s=0)
    """

    period_s: float = 0
    delay_s: float = 0
    ttl_s: float = 0

    def __post_init__(self) -> None:
        """Refuse what is not a time."""
        _ranges.not_negative(period_s=self.period_s, delay_s=self.delay_s, ttl_s=self.ttl_s)


@dataclass(frozen=True)
class Parallel:
    """Parallel branches that are joined into one feature, which is as old as its oldest input.

    Each branch is a sequence of stages; at least one branch.

    >>> Parallel(([Stage(delay_s=5)], [Stage(delay_s=8)])).branches[1]
    [Stage(period_s=0, delay_s=8, ttl_s=0)]
    """

    branches: Sequence[Sequence["Stage | Parallel"]]

    def __post_init__(self) -> None:
        """Refuse a join of nothing."""
        if not self.branches:
            raise RangeError("branches must hold at least one branch. Give a sequence of stages for each.")


@dataclass(frozen=True)
class AgeBounds:
    """Best, mean and worst age of a feature when it is read, in seconds.

    >>> AgeBounds(best_s=16.0, mean_s=47.0, worst_s=78.0).worst_s
    78.0
    """

    best_s: float
    mean_s: float
    worst_s: float


def age_bounds(stages: Sequence[Stage | Parallel]) -> AgeBounds:
    """Best, mean and worst age of a feature after `stages` in series, in seconds.

    Schedules are not synchronised, so their periods add. In series the worst age is the sum of all periods,
    delays and TTLs, the mean is half the periods and TTLs and all delays, the best is the delays alone. Of
    parallel branches the oldest counts; its mean is that of the largest of independent ages. Reads are equally
    likely at any time, and so frequent that a cached value is read at every age up to its TTL. Without stages
    the age is 0. Source: renewal theory (the age at a random time, Ross 1996, Stochastic Processes), and
    addition.

    In minutes: an hourly job, delays of 3 + 12 + 1, and a TTL of 2.

    >>> age_bounds([Stage(period_s=60, delay_s=3), Stage(delay_s=12), Stage(delay_s=1), Stage(ttl_s=2)])
    AgeBounds(best_s=16.0, mean_s=47.0, worst_s=78.0)
    """
    each = [_bounds_of(stage) for stage in stages]
    return AgeBounds(
        math.fsum(bounds.best_s for bounds in each),
        math.fsum(bounds.mean_s for bounds in each),
        math.fsum(bounds.worst_s for bounds in each),
    )


def _bounds_of(stage: Stage | Parallel) -> AgeBounds:
    if isinstance(stage, Stage):
        varying_s = stage.period_s + stage.ttl_s
        return AgeBounds(stage.delay_s, varying_s / 2 + stage.delay_s, varying_s + stage.delay_s)
    branches = [age_bounds(branch) for branch in stage.branches]
    return AgeBounds(
        max(bounds.best_s for bounds in branches),
        _ages.mean(_distribution([stage])),
        max(bounds.worst_s for bounds in branches),
    )


def _distribution(stages: Sequence[Stage | Parallel]) -> _ages.Ages:
    return reduce(_ages.added, map(_ages_of, stages), _ages.constant(0))


def _ages_of(stage: Stage | Parallel) -> _ages.Ages:
    if isinstance(stage, Stage):
        waits = _ages.added(_ages.uniform(stage.period_s), _ages.uniform(stage.ttl_s))
        return _ages.added(_ages.constant(stage.delay_s), waits)
    return reduce(_ages.older, map(_distribution, stage.branches))


def share_stale(stages: Sequence[Stage | Parallel], sla_s: float) -> float:
    """Share of reads that find a feature older than `sla_s` seconds.

    Assumptions as for `age_bounds`: the age is the delays and, for each period and each TTL, an independent
    wait that is uniform from 0 to it. `sla_s` at least 0; an age of exactly `sla_s` is not stale. Exact, for
    up to about a dozen periods and TTLs. Source: convolution of uniform distributions, Feller (1971), An
    Introduction to Probability Theory and Its Applications 2, chapter 1.

    In minutes: a period of 15, a delay of 4.5 and a TTL of 0.5, against an SLA of 15. A read is stale if the
    wait for the run and the wait in the cache exceed 10.5 together. So the first exceeds 10.5 minus the second,
    whose mean is 0.25: (15 − 10.25) / 15.

    >>> round(share_stale([Stage(period_s=15, delay_s=4.5), Stage(ttl_s=0.5)], sla_s=15), 6)
    0.316667
    """
    _ranges.not_negative(sla_s=sla_s)
    worst_s = age_bounds(stages).worst_s
    if worst_s <= sla_s or math.isclose(worst_s, sla_s, rel_tol=1e-12):
        return 0.0
    return _ages.share_above(_distribution(stages), sla_s)


def largest_period_s(stages: Sequence[Stage | Parallel], sla_s: float) -> float:
    """Largest period of one more schedule that keeps the worst age within `sla_s`, in seconds.

    `stages` are all other stages, and the delays of this one. The period is `sla_s` minus their worst age.
    `sla_s` above their worst age. Source: the worst age of `age_bounds`, solved for one period.

    In minutes: delays of 4.5 and a TTL of 0.5 leave 10 of 15.

    >>> largest_period_s([Stage(delay_s=4.5), Stage(ttl_s=0.5)], sla_s=15)
    10.0
    """
    _ranges.positive(sla_s=sla_s)
    worst_s = age_bounds(stages).worst_s
    if worst_s >= sla_s:
        raise RangeError(
            f"sla_s is {show_seconds(sla_s)} and must be above {show_seconds(worst_s)}, the worst age of the other "
            "stages alone. "
            "No period can meet it: shorten the delays, or take another path, such as a stream."
        )
    return sla_s - worst_s


def worst_age_in_outage_s(stages: Sequence[Stage | Parallel], outage_s: float) -> float:
    """Worst age of a feature whose pipeline stops for `outage_s` seconds and serves its last value.

    `outage_s` at least 0. A pipeline that misses k runs stops for k periods. Source: the worst age of
    `age_bounds`; the data age by one second each second.

    In minutes: an hourly job with 18 of delays and TTL, which misses two runs.

    >>> worst_age_in_outage_s([Stage(period_s=60, delay_s=16), Stage(ttl_s=2)], outage_s=120)
    198.0
    """
    _ranges.not_negative(outage_s=outage_s)
    return age_bounds(stages).worst_s + outage_s


def catch_up_s(outage_s: float, arrival_rps: float, capacity_rps: float) -> float:
    """Seconds from the end of an outage until a stream consumer has caught up.

    `outage_s` and `arrival_rps` at least 0, `capacity_rps` above `arrival_rps`. Source: fluid approximation,
    as for `drain_time_s`; the backlog is arrivals × outage.

    Ten minutes at 4,500/s are 2.7 million events, worked off at 500/s.

    >>> catch_up_s(outage_s=600, arrival_rps=4_500, capacity_rps=5_000)
    5400.0
    """
    _ranges.not_negative(outage_s=outage_s, arrival_rps=arrival_rps)
    return drain_time_s(arrival_rps * outage_s, arrival_rps, capacity_rps)


def consumer_lag_s(backlog: float, consumed_rps: float) -> float:
    """How far behind a consumer is, in seconds: the time until it reads an event that arrives now.

    `backlog` in events, at least 0; `consumed_rps` above 0. Working off the backlog takes longer: see
    `drain_time_s`. Source: Little (1961), Operations Research 9(3).

    30,000 events at 5,000/s; with 4,500/s arriving they are worked off in a minute.

    >>> consumer_lag_s(backlog=30_000, consumed_rps=5_000), drain_time_s(30_000, 4_500, 5_000)
    (6.0, 60.0)
    """
    _ranges.not_negative(backlog=backlog)
    _ranges.positive(consumed_rps=consumed_rps)
    return backlog / consumed_rps


def busy_consumers(consumers: int, partitions: int) -> int:
    """How many consumers of a group have work: one consumer reads a partition.

    Both at least 0. Source: Kafka documentation, consumer groups.

    >>> busy_consumers(consumers=20, partitions=12)
    12
    """
    _ranges.whole(0, consumers=consumers, partitions=partitions)
    return min(consumers, partitions)


def partitions_needed(rate: float, producer_rate: float, consumer_rate: float) -> int:
    """Partitions for a topic: the rate ÷ the rate of one producer or one consumer on a partition, the lower one.

    `rate` at least 0, the others above 0, all in the same unit. Source: Rao, How to choose the number of
    topics and partitions in a Kafka cluster, Confluent.

    120 MB/s, where a producer writes 10 and a consumer reads 20.

    >>> partitions_needed(rate=120, producer_rate=10, consumer_rate=20)
    12
    """
    _ranges.not_negative(rate=rate)
    _ranges.positive(producer_rate=producer_rate, consumer_rate=consumer_rate)
    return round_up(rate / min(producer_rate, consumer_rate))
