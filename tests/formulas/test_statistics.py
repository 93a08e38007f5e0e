import math
import random
from collections.abc import Callable, Sequence
from statistics import NormalDist, fmean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import day, hour, minute
from tests.effort import examples

CRITEO = [(hour, 0.35), (day, 0.50), (30 * day, 1.0)]

ORACLES = [
    (f.population_stability_index, ([0.25] * 4, [0.4, 0.3, 0.2, 0.1]), 0.2282, 5e-5, "worked apart"),
    (f.population_stability_index, ([0.5, 0.5], [0.6, 0.4]), 0.0405, 5e-5, "worked apart"),
    (f.population_stability_index, ([0.25] * 4, [0.3, 0.25, 0.25, 0.2]), 0.0203, 5e-5, "worked apart"),
    (f.psi_without_drift, (10, 200, 200), 0.09, 1e-12, "worked apart"),
    (f.psi_false_alarm_probability, (10, 200, 200), 0.37, 0.025, "simulated"),
    (f.psi_false_alarm_probability, (10, 100, 100), 0.85, 0.025, "simulated"),
    (f.psi_false_alarm_probability, (2, 2, 2, 3.841459), 0.05, 1e-6, "chi-squared table, 1 degree"),
    (f.psi_false_alarm_probability, (3, 2, 2, 5.991465), 0.05, 1e-6, "chi-squared table, 2 degrees"),
    (f.psi_false_alarm_probability, (10, 2, 2, 16.918978), 0.05, 1e-6, "chi-squared table, 9 degrees"),
    (f.psi_false_alarm_probability, (21, 2, 2, 31.410433), 0.05, 1e-6, "chi-squared table, 20 degrees"),
    (f.psi_false_alarm_probability, (5, 2, 2, 0), 1, 0, "no threshold"),
    (f.ks_critical_value, (1_000, 1_000), 0.0607, 5e-5, "worked apart"),
    (f.ks_critical_value, (10**6, 10**6), 0.00192, 5e-6, "worked apart"),
    (f.sixteen_rule_sample_size, (0.02, 0.001), 313_600, 0, "worked apart"),
    (f.ab_sample_size, (0.02, 0.001), 307_676, 1, "worked apart"),
    (f.canary_sample_size, (0.001, 0.002), 23_964, 0, "worked apart"),
    (f.canary_duration_s, (23_964, 500, 0.01), 80 * minute, 0.5 * minute, "worked apart"),
    (f.share_of_labels_arrived, (hour, CRITEO), 0.35, 1e-12, "worked apart"),
    (f.share_of_labels_arrived, (day, CRITEO), 0.50, 1e-12, "worked apart"),
    (f.share_of_labels_arrived, (60 * day, CRITEO), 1.0, 0, "after the window"),
    (f.share_of_labels_arrived, (0, CRITEO), 0.0, 0, "at once"),
    (f.rate_from_early_labels, (0.01, 0.50), 0.02, 1e-12, "C33"),
    (f.retraining_interval_days, (400, 50), 4, 1e-12, "worked apart"),
    (f.precision_at_base_rate, (0.001, 0.9, 0.01), 0.0826, 5e-5, "worked apart"),
    (f.corrected_for_undersampling, (0.2, 0.1), 0.0244, 5e-5, "worked apart"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[Any, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


def shares_of(weights: Sequence[float]) -> list[float]:
    return [weight / math.fsum(weights) for weight in weights]


distributions = st.lists(st.floats(0.01, 1), min_size=5, max_size=5).map(shares_of)
inner_shares = st.floats(0.01, 0.99)
quick = settings(max_examples=examples(60), deadline=None)


@given(distributions, distributions)
@quick
def test_the_stability_index_is_symmetric_and_zero_for_itself(one: list[float], other: list[float]) -> None:
    index = f.population_stability_index(one, other)
    assert index == pytest.approx(f.population_stability_index(other, one), abs=1e-12)
    assert index >= 0
    assert f.population_stability_index(one, one) == 0


def test_samples_of_one_distribution_alarm_as_often_as_foretold() -> None:
    draws, rows, bins = random.Random(3), 1_000, 10

    def sample() -> list[float]:
        drawn = draws.choices(range(bins), k=rows)
        return [drawn.count(each) / rows for each in range(bins)]

    indices = [f.population_stability_index(sample(), sample()) for _ in range(400)]
    assert fmean(indices) == pytest.approx(f.psi_without_drift(bins, rows, rows), rel=0.1)
    alarms = fmean(index > 0.02 for index in indices)
    assert f.psi_false_alarm_probability(bins, rows, rows, 0.02) == pytest.approx(alarms, abs=0.08)


@given(st.integers(2, 400), st.floats(0, 500), st.floats(0, 500))
@quick
def test_a_higher_threshold_alarms_no_more_often(bins: int, one: float, other: float) -> None:
    often, seldom = (f.psi_false_alarm_probability(bins, 2, 2, level) for level in sorted((one, other)))
    assert 0 <= seldom <= often + 1e-12
    assert often <= 1


@given(inner_shares, st.floats(0.001, 0.5), inner_shares, inner_shares)
@quick
def test_the_sample_size_is_that_of_the_normal_quantiles(
    rate: float, difference: float, significance: float, power: float
) -> None:
    z = NormalDist().inv_cdf(1 - significance / 2) + NormalDist().inv_cdf(power)
    expected = 2 * (z / difference) ** 2 * rate * (1 - rate)
    assert f.ab_sample_size(rate, difference, significance, power) == pytest.approx(expected, abs=1.001)


@given(st.floats(0.001, 0.4), st.floats(1.1, 2))
@quick
def test_a_smaller_difference_takes_a_longer_canary(usual: float, factor: float) -> None:
    assert f.canary_sample_size(usual, usual * factor) >= f.canary_sample_size(usual, usual * factor * 1.05)


@given(inner_shares, inner_shares, inner_shares)
@quick
def test_alarms_are_right_more_often_where_there_is_more_to_find(
    rate: float, true: float, false: float
) -> None:
    precision = f.precision_at_base_rate(rate, true, false)
    assert precision <= f.precision_at_base_rate((1 + rate) / 2, true, false)
    assert f.precision_at_base_rate(rate, true, true) == pytest.approx(rate)
    assert f.precision_at_base_rate(rate, true, 0) == 1


@given(st.floats(0, 1), st.floats(0.001, 1))
@quick
def test_correcting_undoes_the_sampling_of_negatives(real: float, kept: float) -> None:
    seen = real / (real + (1 - real) * kept)
    assert f.corrected_for_undersampling(seen, kept) == pytest.approx(real, abs=1e-9)


@given(st.floats(1, 1e6), st.floats(0.01, 1e4), st.floats(0.1, 10))
@quick
def test_no_other_retraining_interval_costs_less(cost: float, growth: float, factor: float) -> None:
    def per_day(days: float) -> float:
        return cost / days + growth * days / 2

    best = f.retraining_interval_days(cost, growth)
    assert per_day(best) <= per_day(best * factor) * (1 + 1e-12)


@given(st.floats(0, 40 * day), st.floats(0, 40 * day))
@quick
def test_labels_only_arrive(one: float, other: float) -> None:
    early, late = sorted((one, other))
    assert f.share_of_labels_arrived(early, CRITEO) <= f.share_of_labels_arrived(late, CRITEO)


def test_inputs_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(RangeError, match="add up to 1"):
        f.population_stability_index([0.5, 0.4], [0.5, 0.5])
    with pytest.raises(RangeError, match="actual must have 2 bins"):
        f.population_stability_index([0.5, 0.5], [0.2, 0.3, 0.5])
    with pytest.raises(RangeError, match="expected 0 must be above 0"):
        f.population_stability_index([0, 1], [0.5, 0.5])
    with pytest.raises(RangeError, match="give no alarm"):
        f.precision_at_base_rate(0.5, 0, 0)
    with pytest.raises(RangeError, match="must rise"):
        f.share_of_labels_arrived(10, [(60, 0.5), (30, 0.6)])
    with pytest.raises(RangeError, match=r"arrivals 1\.5 must be from 0 to 1"):
        f.share_of_labels_arrived(10, [(60, 1.5)])
    with pytest.raises(RangeError, match=r"observed_rate 0\.6 must be at most"):
        f.rate_from_early_labels(0.6, 0.5)
    with pytest.raises(RangeError, match="must be above usual_error_rate"):
        f.canary_sample_size(0.002, 0.001)
