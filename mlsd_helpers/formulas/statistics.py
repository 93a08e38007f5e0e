"""Statistics of operating a model: drift, experiments, labels that come late, and rare positives.

Every function refuses NaN, infinite, negative and boolean input with `RangeError`.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.formulas._roots import solve_decreasing
from mlsd_helpers.formulas._rounding import round_up

__all__ = [
    "ab_sample_size",
    "canary_duration_s",
    "canary_sample_size",
    "corrected_for_undersampling",
    "ks_critical_value",
    "population_stability_index",
    "precision_at_base_rate",
    "psi_false_alarm_probability",
    "psi_without_drift",
    "rate_from_early_labels",
    "retraining_interval_days",
    "share_of_labels_arrived",
    "sixteen_rule_sample_size",
]


def population_stability_index(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Distance of two distributions over the same bins, as the population stability index: Σ (a − e) ln(a / e).

    Both hold one share per bin, above 0 and adding up to 1, for at least two bins. The thresholds 0.1 and 0.25
    are rules of thumb that ignore the sample size: see `psi_false_alarm_probability`. Source: Siddiqi (2006),
    Credit Risk Scorecards; it is the symmetrised divergence of Kullback & Leibler (1951).

    Two bins, halves against 60 : 40: 0.1 ln 1.2 − 0.1 ln 0.8.

    >>> round(population_stability_index([0.5, 0.5], [0.6, 0.4]), 4)
    0.0405
    """
    _distribution_over_bins("expected", expected)
    _distribution_over_bins("actual", actual)
    if len(expected) != len(actual):
        raise RangeError(
            f"actual must have {len(expected)} bins as expected has, not {len(actual)}. Bin alike."
        )
    return math.fsum((a - e) * math.log(a / e) for e, a in zip(expected, actual, strict=True))


def _distribution_over_bins(name: str, shares: Sequence[float]) -> None:
    for share in shares:
        _ranges.share_between(**{name: share})
    if len(shares) < 2 or abs(math.fsum(shares) - 1) > 1e-6:
        raise RangeError(
            f"{name} must be shares over two bins or more that add up to 1. Divide counts by their sum."
        )


def psi_without_drift(bins: int, expected_size: int, actual_size: int) -> float:
    """Mean of the population stability index when nothing has drifted: (bins − 1) × (1/n + 1/m).

    `bins` at least 2, sizes at least 1. An approximation for samples that are large for their bins. Source:
    Yurdakul & Naranjo (2020), Statistical properties of the population stability index, Journal of Risk Model
    Validation 14(4).

    Ten bins, 200 rows each: 9 × 2 / 200.

    >>> round(psi_without_drift(bins=10, expected_size=200, actual_size=200), 9)
    0.09
    """
    _ranges.whole(2, bins=bins)
    return (bins - 1) * _inverse_sizes(expected_size, actual_size)


def _inverse_sizes(expected_size: int, actual_size: int) -> float:
    _ranges.whole(expected_size=expected_size, actual_size=actual_size)
    return 1 / expected_size + 1 / actual_size


def psi_false_alarm_probability(
    bins: int, expected_size: int, actual_size: int, threshold: float = 0.1
) -> float:
    """Probability that the population stability index exceeds `threshold` without any drift.

    The index ÷ (1/n + 1/m) is about chi-squared with bins − 1 degrees of freedom; with few rows per bin the
    true probability is a few percentage points higher. `bins` from 2 to a million, sizes at least 1,
    `threshold` at least 0. Source: Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4).

    Three bins, 20 rows each: chi-squared of two degrees above 0.1 / 0.1, e^(−1/2).

    >>> round(psi_false_alarm_probability(bins=3, expected_size=20, actual_size=20), 4)
    0.6065
    """
    _ranges.countable(2, bins=bins)
    _ranges.not_negative(threshold=threshold)
    return _chi_squared_above(threshold / _inverse_sizes(expected_size, actual_size), bins - 1)


def _chi_squared_above(value: float, degrees: int) -> float:
    """Sum the closed form, half the degrees long: Abramowitz & Stegun (1964), 26.4.4 and 26.4.5."""
    half = value / 2
    if half == 0:
        return 1.0
    first = degrees % 2 / 2
    above = math.erfc(math.sqrt(half)) if first else 0.0
    powers = (first + step for step in range(degrees // 2))
    return min(
        above + math.fsum(math.exp(p * math.log(half) - half - math.lgamma(p + 1)) for p in powers), 1.0
    )


def ks_critical_value(one_size: int, other_size: int, significance: float = 0.05) -> float:
    """Smallest distance of two samples at which the Kolmogorov–Smirnov test is significant.

    √(−ln(α/2)/2) × √(1/n + 1/m). Sizes at least 1, and large for the formula to hold (above about 40);
    `significance` (α) above 0 and below 1. With many rows it falls below any difference that matters, so judge
    the distance itself. Source: Smirnov (1948), Annals of Mathematical Statistics 19(2).

    1.358 × √(2 / 1000).

    >>> round(ks_critical_value(one_size=1_000, other_size=1_000), 4)
    0.0607
    """
    _ranges.whole(one_size=one_size, other_size=other_size)
    _ranges.share_between(significance=significance)
    return math.sqrt(-math.log(significance / 2) / 2 * (1 / one_size + 1 / other_size))


def ab_sample_size(
    baseline_rate: float, difference: float, significance: float = 0.05, power: float = 0.8
) -> int:
    """Size of each arm that finds an absolute `difference` of a rate, in requests.

    2 (z₁ + z₂)² p(1 − p) / δ², rounded up. Two-sided at `significance`; with `power`, the chance to find a
    difference that is there. `baseline_rate`, `significance` and `power` above 0 and below 1, `difference`
    above 0 and at most 1. Both arms take the variance of the baseline. Source: Fleiss, Levin & Paik (2003),
    Statistical Methods for Rates and Proportions.

    2 % and a tenth of a point: 2 × 2.8016² × 0.0196 / 0.001² = 307,676.1.

    >>> ab_sample_size(baseline_rate=0.02, difference=0.001)
    307677
    """
    _ranges.share_between(baseline_rate=baseline_rate, significance=significance, power=power)
    _ranges.share_above_0(difference=difference)
    z = _normal_quantile(1 - significance / 2) + _normal_quantile(power)
    return round_up(2 * z**2 * baseline_rate * (1 - baseline_rate) / difference**2)


def _normal_quantile(share: float) -> float:
    if share < 0.5:
        return -_normal_quantile(1 - share)
    return solve_decreasing(1 - share, lambda z: math.erfc(z / math.sqrt(2)) / 2, start=1.0)


def sixteen_rule_sample_size(baseline_rate: float, difference: float) -> int:
    """Size of each arm by the rule of sixteen, in requests: 16 p(1 − p) / δ², rounded up.

    For 5 % significance and 80 % power. Ranges as for `ab_sample_size`. Source: Lehr (1992), Statistics in
    Medicine 11, which rounds 2 × 2.8016² to 16.

    16 × 0.0196 / 0.001².

    >>> sixteen_rule_sample_size(baseline_rate=0.02, difference=0.001)
    313600
    """
    _ranges.share_between(baseline_rate=baseline_rate)
    _ranges.share_above_0(difference=difference)
    return round_up(16 * baseline_rate * (1 - baseline_rate) / difference**2)


def canary_sample_size(usual_error_rate: float, bad_error_rate: float) -> int:
    """How many requests a canary has to serve to tell a bad error rate from the usual one.

    By the rule of sixteen; the variance is taken at the mean of both rates. `usual_error_rate` above 0,
    `bad_error_rate` above it and below 1. The control, the other replicas, serves at least as many. Source:
    Lehr (1992), Statistics in Medicine 11.

    0.1 % against 0.2 %: 16 × 0.0015 × 0.9985 / 0.001².

    >>> canary_sample_size(usual_error_rate=0.001, bad_error_rate=0.002)
    23964
    """
    _ranges.share_between(usual_error_rate=usual_error_rate, bad_error_rate=bad_error_rate)
    if bad_error_rate <= usual_error_rate:
        raise RangeError(
            f"bad_error_rate {bad_error_rate!r} must be above usual_error_rate {usual_error_rate!r}. "
            "Give the smallest rise that should stop the roll-out."
        )
    mean_rate = (usual_error_rate + bad_error_rate) / 2
    return sixteen_rule_sample_size(mean_rate, bad_error_rate - usual_error_rate)


def canary_duration_s(requests: int, arrival_rps: float, canary_share: float) -> float:
    """Time for a canary to serve `requests` requests, in seconds: n / (λ × share).

    `requests` at least 0, `arrival_rps` above 0, `canary_share` of the traffic above 0 and at most 1. Source:
    arithmetic.

    24,000 at 1 % of 500/s: 80 minutes.

    >>> canary_duration_s(requests=24_000, arrival_rps=500, canary_share=0.01) / 60
    80.0
    """
    _ranges.whole(0, requests=requests)
    _ranges.positive(arrival_rps=arrival_rps)
    _ranges.share_above_0(canary_share=canary_share)
    return requests / (arrival_rps * canary_share)


def precision_at_base_rate(base_rate: float, true_positive_rate: float, false_positive_rate: float) -> float:
    """Share of the alarms that are right: π·TPR / (π·TPR + (1 − π)·FPR), by Bayes.

    All inputs from 0 to 1; at least one alarm has to be possible. Source: Axelsson (2000), The base-rate
    fallacy and the difficulty of intrusion detection, ACM TISSEC 3(3).

    One case in 1,000 is positive: 0.0009 right alarms and 0.00999 wrong ones.

    >>> round(precision_at_base_rate(base_rate=0.001, true_positive_rate=0.9, false_positive_rate=0.01), 4)
    0.0826
    """
    _ranges.share(
        base_rate=base_rate, true_positive_rate=true_positive_rate, false_positive_rate=false_positive_rate
    )
    right = base_rate * true_positive_rate
    alarms = right + (1 - base_rate) * false_positive_rate
    if not alarms:
        raise RangeError("true_positive_rate 0 and false_positive_rate 0 give no alarm. Lower the threshold.")
    return right / alarms


def share_of_labels_arrived(age_s: float, arrivals: Sequence[tuple[float, float]]) -> float:
    """Share of the labels that have arrived `age_s` seconds after the prediction, between known points.

    `arrivals` are pairs of an age in seconds and the share arrived by then, both rising; 0 at age 0, straight
    lines between, and after the last point its share. `age_s` at least 0. Source: linear interpolation;
    Chapelle (2014), Modeling delayed feedback in display advertising, KDD, for the delay itself.

    Criteo: 35 % in an hour, half in a day. Half an hour in, half of 35 %.

    >>> share_of_labels_arrived(age_s=1_800, arrivals=[(3_600, 0.35), (86_400, 0.5)])
    0.175
    """
    _ranges.not_negative(age_s=age_s)
    for point_s, share in arrivals:
        _ranges.not_negative(arrivals_s=point_s)
        _ranges.share(arrivals=share)
    points = [(0.0, 0.0), *arrivals]
    if any(end_s <= start_s or high < low for (start_s, low), (end_s, high) in pairwise(points)):
        raise RangeError(f"arrivals {arrivals!r} must rise in age and share. Sort them by age.")
    for (start_s, low), (end_s, high) in pairwise(points):
        if age_s < end_s:
            return low + (high - low) * (age_s - start_s) / (end_s - start_s)
    return points[-1][1]


def rate_from_early_labels(observed_rate: float, share_arrived: float) -> float:
    """Positive rate to expect once all labels are in: observed ÷ share of the positives that have arrived.

    `observed_rate` counts what has no label yet as negative, from 0 to 1; `share_arrived` above 0, at most 1
    and at least `observed_rate`. Source: Chapelle (2014), Modeling delayed feedback in display advertising,
    KDD, for a delay independent of the outcome's features.

    1 % a day after, with half of the conversions in.

    >>> rate_from_early_labels(observed_rate=0.01, share_arrived=0.5)
    0.02
    """
    _ranges.share(observed_rate=observed_rate)
    _ranges.share_above_0(share_arrived=share_arrived)
    if observed_rate > share_arrived:
        raise RangeError(
            f"observed_rate {observed_rate!r} must be at most share_arrived {share_arrived!r}. "
            "More positives were seen than can have arrived: check the share."
        )
    return observed_rate / share_arrived


def retraining_interval_days(retraining_cost: float, daily_cost_growth: float) -> float:
    """Days between retrainings with the lowest total cost: √(2C / k).

    `retraining_cost` (C) at least 0, per retraining; `daily_cost_growth` (k) above 0: how much the daily loss
    grows with each day of the model's age, in the same currency per day². Source: the economic order quantity,
    Harris (1913), with staleness as the stock; loss grows in a straight line.

    400 a retraining; each day costs 50 more than the last: √16.

    >>> retraining_interval_days(retraining_cost=400, daily_cost_growth=50)
    4.0
    """
    _ranges.not_negative(retraining_cost=retraining_cost)
    _ranges.positive(daily_cost_growth=daily_cost_growth)
    return math.sqrt(2 * retraining_cost / daily_cost_growth)


def corrected_for_undersampling(predicted: float, kept: float) -> float:
    """Probability in the real mix, from a model trained on a share of the negatives: q / (q + (1 − q)/w).

    `predicted` (q) from 0 to 1, `kept` (w) above 0 and at most 1. Source: He et al. (2014), Practical lessons
    from predicting clicks on ads at Facebook, ADKDD.

    0.2 with a tenth of the negatives kept: 0.2 / (0.2 + 8).

    >>> round(corrected_for_undersampling(predicted=0.2, kept=0.1), 4)
    0.0244
    """
    _ranges.share(predicted=predicted)
    _ranges.share_above_0(kept=kept)
    return predicted / (predicted + (1 - predicted) / kept)
