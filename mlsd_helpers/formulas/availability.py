"""Availability: dependencies in series and in parallel, error budgets, and what retries multiply.

An availability is the share of the time, or of the requests, in which a system serves. Every function refuses
NaN, infinite, negative and boolean input with `RangeError`.
"""

import math
from collections.abc import Sequence

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.units import day

__all__ = [
    "availability_from_repair",
    "budget_spent",
    "burn_rate",
    "common_cause_availability",
    "error_budget_s",
    "k_of_n_availability",
    "mean_attempts",
    "parallel_availability",
    "retry_amplification",
    "series_availability",
    "time_to_exhaustion_s",
]


def series_availability(availabilities: Sequence[float]) -> float:
    """Availability of a system that needs all of its parts: the product of their availabilities.

    `availabilities` holds at least one share from 0 to 1; the parts fail independently. Source: Barlow &
    Proschan (1975), Statistical Theory of Reliability and Life Testing.

    Five parts of 99.9 %: the system is down for 0.5 % of the time, 43.7 hours a year.

    >>> round(series_availability([0.999] * 5), 6)
    0.99501
    """
    _shares(availabilities)
    return math.prod(availabilities)


def parallel_availability(availabilities: Sequence[float]) -> float:
    """Availability of a system that needs any one of its parts: 1 − Π(1 − a).

    `availabilities` holds at least one share from 0 to 1; the parts fail independently. Copies of one part
    seldom do: see `common_cause_availability`. Source: as for `series_availability`.

    Two parts of 99 %: 1 − 0.01².

    >>> round(parallel_availability([0.99, 0.99]), 9)
    0.9999
    """
    _shares(availabilities)
    return 1 - math.prod(1 - availability for availability in availabilities)


def _shares(availabilities: Sequence[float]) -> None:
    for availability in availabilities:
        _ranges.share(availabilities=availability)
    if not availabilities:
        raise RangeError(
            "availabilities must hold at least one share. Give one a part, such as [0.999, 0.99]."
        )


def k_of_n_availability(needed: int, replicas: int, availability: float) -> float:
    """Probability that at least `needed` of `replicas` replicas are up, each independently with `availability`.

    `needed` from 0 to `replicas`, `replicas` at least 0, `availability` a share from 0 to 1. Source: binomial
    distribution; Barlow & Proschan (1975).

    Two of three replicas at 90 %: 3 × 0.9² × 0.1 + 0.9³.

    >>> round(k_of_n_availability(needed=2, replicas=3, availability=0.9), 9)
    0.972
    """
    _ranges.whole(0, needed=needed)
    _ranges.countable(0, replicas=replicas)
    _ranges.share(availability=availability)
    if needed > replicas:
        raise RangeError(f"needed {needed} must be at most replicas {replicas}. Add replicas, or need fewer.")
    chances = (_binomial(replicas, up, availability) for up in range(needed, replicas + 1))
    return min(math.fsum(chances), 1.0)


def _binomial(trials: int, successes: int, chance: float) -> float:
    if chance in {0, 1}:
        return float(successes == trials * chance)
    ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    return math.exp(ways + successes * math.log(chance) + (trials - successes) * math.log1p(-chance))


def common_cause_availability(availability: float, copies: int, common_share: float) -> float:
    """Availability of `copies` copies, of which one is enough, when a share of the failures hits all at once.

    The beta-factor model: of one copy's unavailability u, the part βu has a common cause, such as a shared
    configuration, zone or bug. It is in series with the copies; each copy's total unavailability stays u.
    `availability` of one copy and `common_share` (β) from 0 to 1, `copies` at least 1. Source: Fleming (1975),
    A reliability model for common mode failures in redundant safety systems.

    Two copies of 99 %, β = 10 %: 0.999 × (1 − (0.009 / 0.999)²). With independent failures it would be 99.99 %.

    >>> round(common_cause_availability(availability=0.99, copies=2, common_share=0.1), 6)
    0.998919
    """
    _ranges.share(availability=availability, common_share=common_share)
    _ranges.whole(copies=copies)
    common = common_share * (1 - availability)
    if common == 1:
        return 0.0
    alone = 1 - availability / (1 - common)
    return (1 - common) * (1 - alone**copies)


def availability_from_repair(time_between_failures_s: float, time_to_repair_s: float) -> float:
    """Share of the time in which a system is up: up time ÷ (up time + repair time).

    `time_between_failures_s`, the mean time up, above 0; `time_to_repair_s`, the mean repair time, at least 0;
    both in seconds. Source: alternating renewal process, Barlow & Proschan (1975).

    99 hours up, then one hour down.

    >>> availability_from_repair(time_between_failures_s=99 * 3600, time_to_repair_s=3600)
    0.99
    """
    _ranges.positive(time_between_failures_s=time_between_failures_s)
    _ranges.not_negative(time_to_repair_s=time_to_repair_s)
    return time_between_failures_s / (time_between_failures_s + time_to_repair_s)


def error_budget_s(availability: float, window_s: float = 30 * day) -> float:
    """Time that may be down within a window, in seconds: (1 − availability) × window.

    `availability`, the objective, a share from 0 to 1; `window_s` above 0, by default 30 days. Source: Beyer et
    al. (2016), Site Reliability Engineering, chapter 3.

    99.9 % of 30 days leaves 43.2 minutes.

    >>> round(error_budget_s(availability=0.999) / 60, 6)
    43.2
    """
    _ranges.share(availability=availability)
    _ranges.positive(window_s=window_s)
    return (1 - availability) * window_s


def burn_rate(error_ratio: float, objective: float) -> float:
    """How many times faster than allowed the error budget is spent: error ratio ÷ (1 − objective).

    `error_ratio`, the share of requests that fail, from 0 to 1; `objective` at least 0 and below 1. At a burn
    rate of 1 the budget lasts exactly for its window. Source: Beyer et al. (2018), The Site Reliability
    Workbook, chapter 5.

    1.44 % of requests fail, where 0.1 % may.

    >>> round(burn_rate(error_ratio=0.0144, objective=0.999), 6)
    14.4
    """
    _ranges.share(error_ratio=error_ratio)
    _ranges.share_below_1(objective=objective)
    return error_ratio / (1 - objective)


def budget_spent(burn_rate: float, elapsed_s: float, window_s: float = 30 * day) -> float:
    """Share of the error budget of a window that is spent in `elapsed_s` seconds at a burn rate.

    Above 1 the budget is overspent. `burn_rate` and `elapsed_s` at least 0, `window_s` above 0. Source: as for
    `burn_rate`.

    One hour at a burn rate of 14.4 in a window of 720 hours: 2 %, for which the workbook pages somebody.

    >>> round(budget_spent(burn_rate=14.4, elapsed_s=3600), 9)
    0.02
    """
    _ranges.not_negative(burn_rate=burn_rate, elapsed_s=elapsed_s)
    _ranges.positive(window_s=window_s)
    return burn_rate * elapsed_s / window_s


def time_to_exhaustion_s(burn_rate: float, window_s: float = 30 * day) -> float:
    """Time until a whole error budget is spent at a burn rate, in seconds: window ÷ burn rate.

    `burn_rate` and `window_s` above 0. Source: as for `burn_rate`.

    At a burn rate of 14.4, the budget of 30 days lasts 50 hours.

    >>> round(time_to_exhaustion_s(burn_rate=14.4) / 3600, 6)
    50.0
    """
    _ranges.positive(burn_rate=burn_rate, window_s=window_s)
    return window_s / burn_rate


def retry_amplification(attempts: int, layers: int) -> int:
    """Largest number of calls of the lowest layer that one request can cause when all layers retry.

    Each of `layers` layers makes up to `attempts` attempts. `attempts`, with the first one, at least 1;
    `layers` from 0 to 1,000. Retries multiply, so retry at one layer only. Source: Brooker, Timeouts, retries
    and backoff with jitter, Amazon Builders' Library.

    Three attempts at each of five layers: 3⁵.

    >>> retry_amplification(attempts=3, layers=5)
    243
    """
    _ranges.whole(attempts=attempts)
    _ranges.whole(0, layers=layers)
    if layers > 1_000:
        raise RangeError(f"layers {layers} must be at most 1,000. Count services, not requests.")
    return math.prod([attempts] * layers)


def mean_attempts(failure_probability: float, attempts: int) -> float:
    """Mean number of attempts of a caller that makes up to `attempts`: (1 − p^n) / (1 − p).

    `failure_probability` of an attempt, from 0 to 1, independent of the others; `attempts`, with the first one,
    at least 1. Source: truncated geometric series.

    Half of the attempts fail, up to four attempts: 1 + 1/2 + 1/4 + 1/8.

    >>> mean_attempts(failure_probability=0.5, attempts=4)
    1.875
    """
    _ranges.share(failure_probability=failure_probability)
    _ranges.whole(attempts=attempts)
    if failure_probability == 1:
        return float(attempts)
    return (1 - failure_probability**attempts) / (1 - failure_probability)
