import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import ms
from tests.effort import examples

ORACLES = [
    (f.budget_left_s, (0.100, (0.010, 0.025, 0.040, 0.005, 0.030)), -10 * ms, 1e-12, "worked apart"),
    (f.sample_percentile_s, ([0.020] * 95 + [0.400] * 5, 0.99), 0.400, 0, "C1"),
    (f.sample_percentile_s, ([0.020] * 95 + [0.400] * 5, 0.95), 0.020, 0, "C1: the 95th of 100"),
    (f.sum_of_exponentials_percentile_s, ([10 * ms],), 46.05 * ms, 5e-3 * ms, "worked apart"),
    (f.sum_of_exponentials_percentile_s, ([10 * ms] * 2,), 66.38 * ms, 5e-3 * ms, "worked apart"),
    (f.sum_of_exponentials_percentile_s, ([10 * ms] * 3,), 84.06 * ms, 5e-3 * ms, "worked apart"),
    (f.max_of_exponentials_percentile_s, (10 * ms, 1, 0.5), 6.9 * ms, 0.05 * ms, "worked apart"),
    (f.max_of_exponentials_percentile_s, (10 * ms, 10, 0.5), 27.0 * ms, 0.05 * ms, "worked apart"),
    (f.max_of_exponentials_percentile_s, (10 * ms, 100, 0.5), 49.8 * ms, 0.05 * ms, "worked apart"),
    (f.leaf_percentile, (100, 0.366), 0.99, 1e-4, "the other way round"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[Any, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


means_s = st.lists(st.floats(1e-4, 10), min_size=1, max_size=4)
percentile = st.floats(0.01, 0.999)
quick = settings(max_examples=examples(20), deadline=None)


@given(st.floats(1e-3, 10), st.integers(1, 8), percentile)
@quick
def test_equal_stages_follow_erlangs_distribution(mean_s: float, stages: int, share: float) -> None:
    time_s = f.sum_of_exponentials_percentile_s([mean_s] * stages, share)
    x = time_s / mean_s
    under_way = math.fsum(math.exp(-x) * x**k / math.factorial(k) for k in range(stages))
    assert under_way == pytest.approx(1 - share, rel=1e-9)


@given(st.floats(1e-4, 1), st.floats(1.01, 1e5), percentile)
@quick
def test_two_unequal_stages_follow_the_hypoexponential(short_s: float, factor: float, share: float) -> None:
    long_s = short_s * factor
    time_s = f.sum_of_exponentials_percentile_s([short_s, long_s], share)
    terms = long_s * math.exp(-time_s / long_s) - short_s * math.exp(-time_s / short_s)
    assert terms / (long_s - short_s) == pytest.approx(1 - share, rel=1e-7)


@given(means_s)
@quick
def test_the_p99_of_a_sum_lies_between_the_largest_p99_and_their_sum(stages_s: list[float]) -> None:
    alone_s = [f.sum_of_exponentials_percentile_s([mean_s]) for mean_s in stages_s]
    together_s = f.sum_of_exponentials_percentile_s(stages_s)
    assert max(alone_s) * (1 - 1e-9) <= together_s <= sum(alone_s) * (1 + 1e-9)
    assert together_s == pytest.approx(f.sum_of_exponentials_percentile_s(stages_s[::-1]))


@given(st.integers(1, 10_000), percentile, st.floats(1e-3, 10))
@quick
def test_the_slowest_call_and_the_leaf_percentile_agree(fan_out: int, share: float, mean_s: float) -> None:
    slowest_s = f.max_of_exponentials_percentile_s(mean_s, fan_out, share)
    one_slow = math.exp(-slowest_s / mean_s)
    assert 1 - one_slow == pytest.approx(f.leaf_percentile(fan_out, share))
    assert f.fan_out_tail(one_slow, fan_out) == pytest.approx(1 - share)


EDGES_S = (0.01, 0.02, 0.05, 0.1, 0.5)
histograms = (
    st.lists(st.integers(0, 1_000), min_size=5, max_size=5)
    .filter(any)
    .map(lambda counts: f.Histogram(EDGES_S, tuple(counts)))
)


@given(histograms, histograms, percentile)
@quick
def test_a_merged_percentile_lies_between_the_percentiles_merged(
    one: f.Histogram, other: f.Histogram, share: float
) -> None:
    merged = f.merge_histograms([one, other])
    low, high = sorted(f.histogram_percentile_s(each, share) for each in (one, other))
    assert low <= f.histogram_percentile_s(merged, share) <= high
    assert merged == f.merge_histograms([other, one])
    assert sum(merged.counts) == sum(one.counts) + sum(other.counts)


@given(histograms, percentile, percentile)
@quick
def test_a_higher_percentile_is_no_shorter(one: f.Histogram, share: float, other: float) -> None:
    low, high = sorted((share, other))
    assert f.histogram_percentile_s(one, low) <= f.histogram_percentile_s(one, high)


@given(st.lists(st.sampled_from(EDGES_S), min_size=1, max_size=300), percentile)
@quick
def test_a_histogram_of_its_own_edges_loses_nothing(samples_s: list[float], share: float) -> None:
    histogram = f.Histogram(EDGES_S, tuple(map(samples_s.count, EDGES_S)))
    assert f.histogram_percentile_s(histogram, share) == f.sample_percentile_s(samples_s, share)


def test_nine_fast_replicas_do_not_average_a_slow_one_away() -> None:
    fast, slow = f.Histogram((0.05, 0.5), (100, 0)), f.Histogram((0.05, 0.5), (0, 100))
    assert f.histogram_percentile_s(f.merge_histograms([fast] * 9 + [slow])) == 0.5


@pytest.mark.parametrize(
    ("edges_s", "counts"), [((0.5, 0.05), (1, 1)), ((0.05, 0.05), (1, 1)), ((0.05, 0.5), (1,)), ((), (1,))]
)
def test_a_histogram_needs_rising_edges_and_a_count_for_each(
    edges_s: tuple[float, ...], counts: tuple[int, ...]
) -> None:
    with pytest.raises(RangeError, match="must rise, with one count each"):
        f.Histogram(edges_s, counts)


def test_nothing_has_no_percentile() -> None:
    empty = f.Histogram((0.05,), (0,))
    formulas: list[tuple[Callable[..., object], object]] = [
        (f.histogram_percentile_s, empty),
        (f.sample_percentile_s, []),
        (f.sum_of_exponentials_percentile_s, []),
        (f.merge_histograms, []),
    ]
    for formula, nothing in formulas:
        with pytest.raises(RangeError, match="at least one"):
            formula(nothing)


def test_histograms_with_other_edges_do_not_merge() -> None:
    with pytest.raises(RangeError, match="same edges"):
        f.merge_histograms([f.Histogram((0.05,), (1,)), f.Histogram((0.06,), (1,))])


def test_means_too_far_apart_are_refused() -> None:
    with pytest.raises(RangeError, match="factor of 10"):
        f.sum_of_exponentials_percentile_s([1e-12, 1e3])
