import math
import random
from collections import OrderedDict
from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from tests.effort import examples

ORACLES = [
    (f.che_hit_ratio, (100, 1_000, 1.0), 0.5765, 5e-5, "worked apart"),
    (f.top_keys_share, (100, 1_000, 1.0), 0.693, 5e-4, "static top keys"),
    (f.che_hit_ratio, (1_000, 100_000, 0.8), 0.204, 5e-4, "worked apart"),
    (f.che_hit_ratio, (10_000, 100_000, 0.8), 0.4687, 5e-5, "LRU by Che"),
    (f.che_hit_ratio, (1_000, 100_000, 1.0), 0.5062, 5e-5, "worked apart"),
    (f.che_hit_ratio, (10_000, 100_000, 1.0), 0.7373, 5e-5, "worked apart"),
    (f.che_hit_ratio, (1_000, 100_000, 1.2), 0.7953, 5e-5, "worked apart"),
    (f.ttl_hit_ratio, (1 / 60, 60), 0.5, 1e-12, "worked apart"),
    (f.ttl_hit_ratio, (0.1, 60), 0.857, 5e-4, "worked apart"),
    (f.ttl_hit_ratio, (1, 60), 0.984, 5e-4, "worked apart"),
    (f.cached_mean_s, (0.8, 0.002, 0.042), 0.010, 1e-12, "worked apart"),
    (f.cached_percentile_s, (0.8, 0.002, 0.042), 0.042, 0, "C38"),
    (f.cached_percentile_s, (0.99, 0.002, 0.042), 0.002, 0, "C38: misses of just 1 %"),
    (f.cached_percentile_s, (0.995, 0.050, 0.042), 0.050, 0, "a cache slower than what it fronts"),
    (f.backend_rps, (500, 0.8), 100, 1e-9, "worked apart"),
    (f.cold_cache_factor, (0.9,), 10, 1e-9, "C39"),
    (f.cold_cache_factor, (0.8,), 5, 1e-9, "8 replicas when warm, 38 when cold"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[float, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


def test_a_warm_cache_hides_the_replicas_that_a_cold_one_needs() -> None:
    warm_rps = f.backend_rps(500, 0.8)
    assert f.replicas(warm_rps, 0.040, 0.7) == 8
    assert f.replicas(warm_rps * f.cold_cache_factor(0.8), 0.040, 0.7) == 38


def popularity(keys: int, exponent: float) -> list[float]:
    weights = [rank**-exponent for rank in range(1, keys + 1)]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


@pytest.mark.parametrize(
    ("size", "keys", "exponent"),
    [(100, 3_000, 0.8), (3, 3_000, 2.5), (200, 20_000, 1.2), (2_500, 3_000, 0), (400, 501, 1)],
)
def test_che_agrees_with_the_sums_over_every_key(size: int, keys: int, exponent: float) -> None:
    shares = popularity(keys, exponent)
    low, high = 0.0, 1e7
    for _ in range(60):
        stay = (low + high) / 2
        full = sum(1 - math.exp(-share * stay) for share in shares) > size
        low, high = (low, stay) if full else (stay, high)
    hits = math.fsum(share * -math.expm1(-share * low) for share in shares)
    assert f.che_hit_ratio(size, keys, exponent) == pytest.approx(hits, abs=1e-6)
    assert f.top_keys_share(size, keys, exponent) == pytest.approx(math.fsum(shares[:size]), abs=1e-6)


@pytest.mark.parametrize(("size", "keys", "exponent"), [(2, 3, 1.0), (2, 3, 0.8), (3, 8, 1.0), (1, 5, 1.2)])
def test_che_is_close_to_the_exact_hit_ratio_of_a_small_lru_cache(
    size: int, keys: int, exponent: float
) -> None:
    shares, exact = popularity(keys, exponent), 0.0
    for order in permutations(shares, size):  # the cache by recency: King (1971)
        chance, rest = 1.0, 1.0
        for share in order:
            chance *= share / rest
            rest -= share
        exact += chance * sum(order)
    assert f.che_hit_ratio(size, keys, exponent) == pytest.approx(exact, abs=0.03 if size == 1 else 0.005)


def test_che_agrees_with_a_simulated_lru_cache() -> None:
    draws, cache, hits, requests = random.Random(7), OrderedDict[int, None](), 0, 100_000
    for request, key in enumerate(draws.choices(range(1_000), popularity(1_000, 1.0), k=requests)):
        if key in cache:
            cache.move_to_end(key)
            hits += request >= requests // 2
        else:
            cache[key] = None
            if len(cache) > 100:
                cache.popitem(last=False)
    assert f.che_hit_ratio(100, 1_000, 1.0) == pytest.approx(hits / (requests / 2), abs=0.01)


keys = st.integers(1, 5_000)
exponents = st.floats(0, 2)
quick = settings(max_examples=examples(30), deadline=None)


@given(keys, st.integers(0, 5_000), exponents)
@quick
def test_a_larger_cache_hits_no_less_and_never_beats_the_top_keys(
    count: int, size: int, exponent: float
) -> None:
    ratio = f.che_hit_ratio(size, count, exponent)
    assert 0 <= ratio <= f.che_hit_ratio(size + 1, count, exponent) + 1e-9
    assert ratio <= f.top_keys_share(size, count, exponent) + 1e-9


def test_a_cache_of_nothing_never_hits_and_one_of_all_always_does() -> None:
    assert f.che_hit_ratio(0, 100, 1) == 0
    assert f.che_hit_ratio(100, 100, 1) == 1
    assert f.top_keys_share(0, 100, 1) == 0
    assert f.ttl_hit_ratio(10, 0) == 0


def test_a_billion_keys_are_no_harder_than_a_thousand() -> None:
    assert 0 < f.che_hit_ratio(10**6, 10**9, 0.9) < f.top_keys_share(10**6, 10**9, 0.9) < 1


@given(st.floats(0, 1e4), st.floats(0, 1e5), keys, exponents)
@quick
def test_a_ttl_cache_of_many_keys_is_worse_than_one_of_a_single_key(
    rate: float, ttl_s: float, count: int, exponent: float
) -> None:
    assert f.ttl_hit_ratio_of_keys(rate, ttl_s, count, exponent) <= f.ttl_hit_ratio(rate, ttl_s) + 1e-9


def test_popularity_beyond_all_traffic_is_refused() -> None:
    with pytest.raises(RangeError, match="zipf_exponent 11 must be at most 10"):
        f.che_hit_ratio(10, 100, 11)
