from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import hour, minute
from tests.effort import examples

ORACLES = [
    (f.series_availability, ([0.999] * 5,), 0.99501, 5e-6, "worked apart"),
    (f.parallel_availability, ([0.99] * 2,), 0.9999, 1e-12, "worked apart"),
    (f.common_cause_availability, (0.99, 2, 0.1), 0.998919, 5e-7, "worked apart"),
    (f.error_budget_s, (0.99,), 432 * minute, 1e-6, "worked apart"),
    (f.error_budget_s, (0.995,), 216 * minute, 1e-6, "worked apart"),
    (f.error_budget_s, (0.999,), 43.2 * minute, 1e-6, "worked apart"),
    (f.error_budget_s, (0.9995,), 21.6 * minute, 1e-6, "worked apart"),
    (f.error_budget_s, (0.9999,), 4.32 * minute, 1e-6, "worked apart"),
    (f.error_budget_s, (0.99501, 8_760 * hour), 43.7 * hour, 0.05 * hour, "C17, a year"),
    (f.burn_rate, (0.0144, 0.999), 14.4, 1e-9, "SRE Workbook: 2 % of 30 days in an hour"),
    (f.budget_spent, (14.4, 1 * hour), 0.02, 1e-12, "SRE Workbook"),
    (f.budget_spent, (6, 6 * hour), 0.05, 1e-12, "SRE Workbook"),
    (f.time_to_exhaustion_s, (14.4,), 50 * hour, 1e-6, "720 / 14.4"),
    (f.retry_amplification, (3, 5), 243, 0, "worked apart"),
    (f.retry_amplification, (4, 3), 64, 0, "worked apart"),
    (f.retry_amplification, (3, 0), 1, 0, "no layer"),
    (f.mean_attempts, (0.5, 4), 1.875, 0, "worked apart"),
    (f.mean_attempts, (1, 4), 4, 0, "all fail"),
    (f.k_of_n_availability, (2, 3, 0.9), 0.972, 1e-12, "0.729 + 0.243"),
    (f.k_of_n_availability, (2, 3, 1), 1, 0, "always up"),
    (f.k_of_n_availability, (2, 3, 0), 0, 0, "never up"),
    (f.availability_from_repair, (99, 1), 0.99, 0, "99 of 100 hours"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[Any, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


shares = st.floats(0, 1)
copies = st.integers(1, 30)
quick = settings(max_examples=examples(60), deadline=None)


@given(st.lists(shares, min_size=1, max_size=6))
@quick
def test_a_part_helps_in_parallel_and_harms_in_series(parts: list[float]) -> None:
    assert f.series_availability(parts) <= min(parts)
    assert f.parallel_availability(parts) >= max(parts) - 1e-12


@given(copies, shares)
@quick
def test_needing_all_is_series_and_needing_one_is_parallel(count: int, share: float) -> None:
    assert f.k_of_n_availability(count, count, share) == pytest.approx(f.series_availability([share] * count))
    assert f.k_of_n_availability(1, count, share) == pytest.approx(f.parallel_availability([share] * count))
    assert f.k_of_n_availability(0, count, share) == pytest.approx(1)


@given(copies, shares, shares)
@quick
def test_a_common_cause_lies_between_independent_copies_and_one(
    count: int, share: float, common: float
) -> None:
    redundant = f.common_cause_availability(share, count, common)
    independent = f.common_cause_availability(share, count, 0)
    assert independent == pytest.approx(f.parallel_availability([share] * count))
    assert f.common_cause_availability(share, count, 1) == pytest.approx(share)
    assert share - 1e-9 <= redundant <= independent + 1e-9


@given(st.floats(0, 0.99999), st.floats(0.00001, 1))
@quick
def test_a_budget_is_spent_when_its_time_to_exhaustion_is_over(objective: float, errors: float) -> None:
    rate = f.burn_rate(errors, objective)
    assert f.budget_spent(rate, f.time_to_exhaustion_s(rate)) == pytest.approx(1)


@given(shares, st.integers(1, 20))
@quick
def test_retried_load_is_attempts_times_arrivals(failing: float, attempts: int) -> None:
    assert f.retry_load_rps(7, failing, attempts) == pytest.approx(7 * f.mean_attempts(failing, attempts))
    assert 1 <= f.mean_attempts(failing, attempts) <= attempts + 1e-9


def test_what_has_no_part_has_no_availability() -> None:
    for formula in (f.series_availability, f.parallel_availability):
        with pytest.raises(RangeError, match="at least one share"):
            formula([])


def test_more_cannot_be_needed_than_there_are() -> None:
    with pytest.raises(RangeError, match="needed 4 must be at most replicas 3"):
        f.k_of_n_availability(4, 3, 0.9)


def test_a_thousand_layers_are_enough() -> None:
    with pytest.raises(RangeError, match="layers 1001"):
        f.retry_amplification(3, 1_001)
