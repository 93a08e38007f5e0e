from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from tests.effort import examples

ORACLES = [
    (f.replicas, (500, 0.040, 0.7), 38, 0, "worked apart"),
    (f.replicas, (500, 0.040, 0.7, 0), 29, 0, "worked apart"),
    (f.replicas, (201, 0.070, 0.7), 27, 0, "28 if rounded first, 26 if rounded to nearest"),
    (f.replicas, (120, 0.085, 0.75), 18, 0, "19 if rounded first, 17 if rounded down"),
    (f.replicas, (1_200, 0.015, 0.6), 39, 0, "worked apart"),
    (f.replicas, (1_000, 0.040, 0.7), 75, 0, "worked apart"),
    (f.replicas, (100, 0.07, 0.7, 0), 10, 0, "C52: float noise says 11"),
    (f.replicas, (500, 0.040, 1.0, 0), 20, 0, "C53"),
    (f.replicas, (0, 0.040, 0.7), 0, 0, "no load"),
    (f.replicas, (1e-12, 0.040, 0.7), 1, 0, "a little load takes one"),
    (f.peak_rps, (10_000_000, 1.51), 175, 0.5, "C4"),
    (f.scorings_per_s, (200, 500), 100_000, 0, "C7"),
    (f.fan_out_tail, (0.01, 100), 0.634, 5e-4, "worked apart"),
    (f.fan_out_tail, (0.0001, 2_000), 0.181, 5e-4, "worked apart"),
    (f.fan_out_tail, (1, 3), 1, 0, "all calls slow"),
    (f.fan_out_tail, (1, 0), 0, 0, "no call"),
    (f.replicas_with_spares, (500, 0.040, 0.7), 30, 0, "N + 1"),
    (f.replicas_with_spares, (500, 0.040, 0.7, 2), 31, 0, "N + 2"),
    (f.replicas_for_rolling_restart, (29, 0.25), 38, 0, "finding 6"),
    (f.replicas_per_zone, (500, 0.040, 0.7, 3, 1), 15, 0, "C55"),
    (f.batch_cores, (50e6, 0.004, 6 * 3600), 10, 0, "worked apart"),
    (f.batch_cores, (50e6, 0.004, 6 * 3600, 1), 19, 0, "with time for a rerun"),
    (f.hpa_replicas, (50, 90, 75), 60, 0, "worked apart"),
    (f.hpa_replicas, (7, 90, 75), 9, 0, "8.4 is rounded up"),
    (f.hpa_replicas, (50, 82.5, 75), 50, 0, "within the tolerance of 10 %"),
    (f.surge_backlog, (800, 725, 120), 9_000, 0, "worked apart"),
    (f.surge_backlog, (700, 725, 120), 0, 0, "no surge"),
    (f.drain_time_s, (9_000, 800, 1_000), 45, 0, "worked apart"),
    (f.drain_time_s, (30_000, 4_500, 5_000), 60, 0, "C42"),
    (f.batch_throughput_rps, (1, 0.008, 0.0005), 118, 0.5, "worked apart"),
    (f.batch_throughput_rps, (8, 0.008, 0.0005), 667, 0.5, "worked apart"),
    (f.batch_throughput_rps, (32, 0.008, 0.0005), 1_333, 0.5, "worked apart"),
    (f.batch_throughput_rps, (64, 0.008, 0.0005), 1_600, 0.5, "worked apart"),
    (f.batch_time_s, (32, 0.008, 0.0005), 0.024, 1e-12, "C56"),
    (f.retry_load_rps, (100, 0.5, 4), 187.5, 1e-9, "worked apart"),
    (f.retry_load_rps, (100, 1, 4), 400, 0, "all attempts fail"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[float, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


rates = st.floats(0.01, 1e6)
times_s = st.floats(1e-5, 10)
targets = st.floats(0.05, 1)
headrooms = st.floats(0, 3)
more = st.floats(1, 10)
quick = settings(max_examples=examples(100), deadline=None)


@given(rates, times_s, targets, headrooms, more)
@quick
def test_more_load_never_takes_fewer_replicas(
    rate: float, time_s: float, target: float, headroom: float, factor: float
) -> None:
    fewest = f.replicas(rate, time_s, target, headroom)
    assert fewest <= f.replicas(rate * factor, time_s, target, headroom)
    assert fewest <= f.replicas(rate, time_s * factor, target, headroom)
    assert fewest <= f.replicas(rate, time_s, target, headroom * factor / 10 + headroom)
    assert fewest <= f.replicas(rate, time_s, target / factor, headroom)


@given(rates, times_s, targets, headrooms, st.sampled_from([1e-3, 60, 1e3, 3_600]))
@quick
def test_the_unit_of_time_changes_no_replica(
    rate: float, time_s: float, target: float, headroom: float, factor: float
) -> None:
    expected = f.replicas(rate, time_s, target, headroom)
    assert f.replicas(rate * factor, time_s / factor, target, headroom) == expected


@given(rates, times_s, targets, headrooms)
@quick
def test_the_replicas_are_enough_and_one_fewer_is_not(
    rate: float, time_s: float, target: float, headroom: float
) -> None:
    count, need = f.replicas(rate, time_s, target, headroom), rate * (1 + headroom)
    assert count * target / time_s >= need * (1 - 1e-9)
    assert (count - 1) * target / time_s < need * (1 + 1e-9)


@given(st.integers(1, 2_000), st.sampled_from([0.05, 0.1, 0.25, 0.3, 0.5]))
@quick
def test_a_rolling_restart_keeps_the_base_with_the_smallest_fleet(base: int, unavailable: float) -> None:
    def staying(fleet: int) -> int:
        return fleet - fleet * round(unavailable * 100) // 100

    fleet = f.replicas_for_rolling_restart(base, unavailable)
    assert staying(fleet) >= base > staying(fleet - 1)


def test_a_zone_lost_leaves_the_base_need() -> None:
    assert f.zone_layout(500, 0.040, 0.7, zones=3, zones_lost=1) == (15, 15, 14)
    assert f.zone_layout(500, 0.040, 0.7, zones=3, zones_lost=0) == (10, 10, 9)


@pytest.mark.parametrize(("zones", "lost"), [(2, 0), (2, 1), (3, 1), (3, 2), (4, 1), (4, 2)])
@pytest.mark.parametrize("base", [1, 2, 5, 7])
def test_no_smaller_layout_survives_the_loss_of_zones(base: int, zones: int, lost: int) -> None:
    def survives(layout: tuple[int, ...]) -> bool:
        return sum(sorted(layout)[: zones - lost]) >= base

    layout = f.zone_layout(base, 1, 1, zones, lost)
    smaller = (every for every in product(range(max(layout) + 3), repeat=zones) if sum(every) < sum(layout))
    assert survives(layout)
    assert not any(map(survives, smaller))


def test_the_last_zone_cannot_be_lost() -> None:
    with pytest.raises(RangeError, match="zones_lost 3 must be below zones 3"):
        f.zone_layout(500, 0.040, 0.7, zones=3, zones_lost=3)


@given(st.floats(0, 1), st.integers(0, 1_000))
@quick
def test_waiting_for_one_more_is_never_faster(slow: float, fan_out: int) -> None:
    assert f.fan_out_tail(slow, fan_out) <= f.fan_out_tail(slow, fan_out + 1)
    assert f.fan_out_tail(slow, 1) == pytest.approx(slow)


def test_the_hour_that_the_clock_repeats_is_two_hours() -> None:
    week = [100.0, 150.0, 201.0, 259.0, 100.0]
    naive, honest = f.peak_of_trace(week, 3_600), f.peak_of_trace(week, 3_600, repeated={3})
    assert (naive.bucket, honest.bucket) == (3, 2)
    assert honest.peak_rps == 201 / 3_600
    assert honest.mean_rps == pytest.approx(sum(week) / (6 * 3_600))


def test_what_was_not_recorded_is_not_a_zero() -> None:
    assert f.peak_of_trace([60, None, 120], 60).mean_rps == 1.5
    assert f.peak_of_trace([60, 0, 120], 60).mean_rps == 1.0
    with pytest.raises(RangeError, match="at least one recorded"):
        f.peak_of_trace([None], 60)
    with pytest.raises(RangeError, match="repeated 3 must be a bucket below 3"):
        f.peak_of_trace([60, None, 120], 60, repeated=[0, 3])


def test_a_percentile_of_the_buckets_leaves_the_busiest_out() -> None:
    counts = [*range(1, 1_000), 1_000_000]
    assert f.peak_of_trace(counts, 1, percentile=0.999).peak_rps == 999
    assert f.peak_of_trace(counts, 1).peak_rps == 1_000_000


def test_a_trace_without_a_request_has_a_peak_factor_of_one() -> None:
    assert f.peak_of_trace([0, 0], 60).factor == 1


@given(rates, st.floats(1.01, 5), st.floats(1, 1_000))
@quick
def test_what_a_surge_leaves_is_drained_by_what_is_to_spare(
    rate: float, over: float, duration_s: float
) -> None:
    backlog = f.surge_backlog(rate * over, rate, duration_s)
    drained_s = f.drain_time_s(backlog, rate, rate * over)
    assert drained_s == pytest.approx(duration_s)


def test_a_backlog_that_cannot_drain_and_a_batch_that_takes_no_time_are_refused() -> None:
    with pytest.raises(RangeError, match=r"utilisation 1.*Add replicas"):
        f.drain_time_s(10, arrival_rps=5, capacity_rps=5)
    with pytest.raises(RangeError, match="batch_time_s 0 must be above 0"):
        f.batch_time_s(1, fixed_s=0, per_item_s=0)


def test_a_percentage_is_not_taken_for_a_share() -> None:
    with pytest.raises(RangeError, match="headroom 30 "):
        f.replicas(500, 0.040, 0.7, headroom=30)
    with pytest.raises(RangeError, match="target_utilisation 70 "):
        f.replicas(500, 0.040, 70)
