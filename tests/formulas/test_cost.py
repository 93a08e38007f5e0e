from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from tests.effort import examples

ORACLES = [
    (f.cost_per_thousand_predictions, (38, 0.20, 200), 0.01056, 5e-6, "worked apart"),
    (f.cost_per_thousand_predictions, (38, 0.20, 500), 0.0042, 5e-5, "C59: as if always at the peak"),
    (f.items_to_label, (1_000, 0.001), 1_000_000, 0, "worked apart"),
    (f.labelling_cost, (1_000_000, 3, 0.012), 36_000, 1e-6, "worked apart"),
    (f.precompute_excess, (50e6, 15e6), 3.33, 5e-3, "C36"),
    (f.precompute_waste, (50e6, 5e6), 0.9, 1e-12, "C36"),
    (f.precompute_waste, (50e6, 0), 1, 0, "nobody came"),
    (f.storage_bytes, (100_000_000, 128, 4), 51.2e9, 0, "worked apart"),
    (f.storage_bytes, (100_000_000, 128, 1), 12.8e9, 0, "int8"),
    (f.feature_reads_per_s, (1_000_000, 23), 23e6, 0, "worked apart"),
    (f.fleet_cost, (38, 0.20, 24), 182.4, 1e-9, "38 × 0.20 × 24"),
    (f.storage_cost, (50e9, 0.25, 1, 3), 37.5, 1e-9, "50 × 0.25 × 3"),
    (f.network_cost, (200, 50e3, 0.01, 86_400), 8.64, 1e-9, "864 GB at 0.01"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[float, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


@given(st.floats(1, 1e9), st.floats(0.1, 1_440), st.floats(1e-9, 1), st.floats(1e-9, 1), st.floats(0, 0.99))
@settings(max_examples=examples(100), deadline=None)
def test_at_the_crossover_both_cost_the_same_and_beyond_it_precomputing_less(
    keys: float, refreshes: float, batch: float, request: float, read_share: float
) -> None:
    read = request * read_share
    requests = f.crossover_requests_per_day(keys, refreshes, batch, request, read)
    precomputed = f.precompute_cost_per_day(keys, refreshes, batch, requests, read)
    assert precomputed == pytest.approx(f.request_time_cost_per_day(requests, request))
    assert f.precompute_cost_per_day(
        keys, refreshes, batch, 2 * requests, read
    ) < f.request_time_cost_per_day(2 * requests, request)


def test_a_read_that_costs_as_much_as_a_prediction_never_pays() -> None:
    with pytest.raises(RangeError, match="must be above cost_per_read"):
        f.crossover_requests_per_day(10, 1, 0.1, 0.1, cost_per_read=0.1)


def test_more_cannot_be_read_than_was_computed() -> None:
    with pytest.raises(RangeError, match="read 6 must be at most computed 5"):
        f.precompute_waste(computed=5, read=6)
