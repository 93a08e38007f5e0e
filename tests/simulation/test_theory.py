"""Many seeds against exact theory: 95 % intervals hold the exact value about 95 times in a hundred."""

import math
from itertools import pairwise

import pytest

from mlsd_helpers import formulas as f
from mlsd_helpers.simulation import (
    Batching,
    Cache,
    Clients,
    Constant,
    Exponential,
    Fleet,
    Lognormal,
    Measured,
    PerBatch,
    Poisson,
    Scenario,
    quick,
    simulate,
)
from tests.effort import QUICK

SEEDS, ENOUGH = (range(12), 9) if QUICK else (range(40), 33)
"""With 95 % each, fewer than enough come once in a thousand such tests, of twelve once in five hundred."""


def central(servers, busy, service):
    return Scenario(Poisson(busy * servers / service.mean_s), service, Fleet(servers))


def of_wait(share):
    return lambda result: result.wait.percentile(share)


def mean_wait(result):
    return result.wait.mean_s


def of_latency(share):
    return lambda result: result.latency.percentile(share)


TWO_SPEEDS = Measured((0.2, 0.2, 0.2, 3.4))  # a mean of 1, an SCV of 1.92
ROOMS = Scenario(Poisson(8), Exponential(1), Fleet(10, queue_limit=5))
ONE_ROOM = Scenario(Poisson(8), Exponential(1), Fleet(10, queue_limit=1))
SPLIT = Scenario(Poisson(7), Exponential(1), Fleet(10, routing="random"))

CASES = {
    "M/M/10 mean wait": (central(10, 0.8, Exponential(1)), mean_wait, f.mean_wait_s(10, 8, 1)),
    "M/M/10 p95 of the wait": (
        central(10, 0.8, Exponential(1)),
        of_wait(0.95),
        f.wait_percentile_s(10, 8, 1, 0.95),
    ),
    "M/M/10 p99 of the wait": (
        central(10, 0.8, Exponential(1)),
        of_wait(0.99),
        f.wait_percentile_s(10, 8, 1),
    ),
    "M/M/10 p50": (central(10, 0.8, Exponential(1)), of_latency(0.5), f.response_percentile_s(10, 8, 1, 0.5)),
    "M/M/10 p99": (central(10, 0.8, Exponential(1)), of_latency(0.99), f.response_percentile_s(10, 8, 1)),
    "M/M/25, worked apart": (Scenario(Poisson(500), Exponential(0.04), Fleet(25)), of_wait(0.99), 0.0243),
    "M/M/1 mean wait": (central(1, 0.5, Exponential(2)), mean_wait, 2.0),
    "M/D/10, Crommelin": (central(10, 0.8, Constant(1)), mean_wait, 0.10983),
    "M/D/5, Crommelin": (central(5, 0.8, Constant(1)), mean_wait, 0.28906),
    "M/LN(2)/1": (central(1, 0.5, Lognormal(1, 2)), mean_wait, f.mg1_mean_wait_s(0.5, 1, 2)),
    "M/G/1, measured": (central(1, 0.6, TWO_SPEEDS), mean_wait, f.mg1_mean_wait_s(0.6, 1, TWO_SPEEDS.scv)),
    "M/M/10/15 served": (ROOMS, lambda result: result.served, 1 - 0.03004),
    "M/M/10/11 served": (ONE_ROOM, lambda result: result.served, 1 - 0.08870),
    "M/M/10/10, Erlang B": (
        Scenario(Poisson(8), Exponential(1), Fleet(10, queue_limit=0)),
        lambda result: result.served,
        1 - f.erlang_b(10, 8),
    ),
    "utilisation": (central(10, 0.8, Exponential(1)), lambda result: result.utilisation, 0.8),
    "random split mean": (SPLIT, lambda result: result.mean_s, f.random_split_mean_response_s(10, 7, 1)),
    "random split p99": (SPLIT, of_latency(0.99), f.random_split_response_percentile_s(10, 7, 1)),
    "concurrency is as many replicas": (
        Scenario(Poisson(8), Exponential(1), Fleet(5, concurrency=2)),
        mean_wait,
        f.mean_wait_s(10, 8, 1),
    ),
}


def coverage(scenario, measure, exact, run=simulate, requests=40_000, **how):
    return sum(exact in measure(run(scenario, seed=seed, requests=requests, **how)) for seed in SEEDS)


@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_exact_value(case):
    scenario, measure, exact = CASES[case]
    assert coverage(scenario, measure, exact) >= ENOUGH


QUICK = [
    "M/M/10 mean wait",
    "M/M/10 p99 of the wait",
    "M/M/10 p99",
    "M/D/10, Crommelin",
    "M/LN(2)/1",
    "random split p99",
]


@pytest.mark.parametrize("case", QUICK)
def test_the_intervals_of_quick_hold_the_exact_value(case):
    scenario, measure, exact = CASES[case]
    assert coverage(scenario, measure, exact, run=quick, requests=96_000) >= ENOUGH


def test_intervals_are_not_wide_for_nothing():
    result = simulate(central(10, 0.8, Exponential(1)), seed=1, requests=1_000_000)
    assert result.mean_s.relative_half_width < 0.01
    assert result.p99_s.relative_half_width < 0.02


def test_without_a_warm_up_the_mean_wait_is_too_short():
    empty = central(1, 0.9, Exponential(1))
    measured = [
        simulate(empty, seed=seed, requests=20_000, replications=40, warm_up=warm).wait.mean_s.value
        for seed in range(10)
        for warm in (0.0, 0.5)
    ]
    assert sum(measured[::2]) < 0.9 * sum(measured[1::2])


@pytest.mark.parametrize("busy", [0.5, 0.8])
def test_two_choices_come_to_the_mean_field_limit(busy):
    scenario = Scenario(Poisson(200 * busy), Exponential(1), Fleet(200, routing="power of two"))
    found = simulate(scenario, seed=1, requests=400_000).mean_s
    assert found.value == pytest.approx(f.power_of_two_mean_response_s(200, 200 * busy, 1), rel=0.015)


def test_routing_orders_the_waits():
    waits = [
        simulate(Scenario(Poisson(8), Exponential(1), Fleet(10, routing=routing)), seed=1).wait.mean_s
        for routing in ("central queue", "join the shortest queue", "power of two", "round robin", "random")
    ]
    assert all(better.high < worse.low for better, worse in pairwise(waits))


# ---------------------------------------------------------------- caches


def cached(cache, rate_rps=1.0):
    return Scenario(Poisson(rate_rps), Constant(1e-9), Fleet(1), cache=cache)


@pytest.mark.parametrize(
    ("size", "keys", "exponent", "expected"),
    [
        (10_000, 100_000, 1, 0.7373),
        (1_000, 100_000, 1, 0.5062),
        (1_000, 100_000, 1.2, 0.7953),
        (100, 1_000, 1, 0.5765),
    ],
)
def test_least_recently_used_agrees_with_che(size, keys, exponent, expected):
    warm = cached(Cache(size, keys, exponent, starts_warm=True))
    found = simulate(warm, seed=1, requests=1_000_000, replications=4, warm_up=0.5).hit_ratio
    assert found.value == pytest.approx(expected, abs=0.004)


def two_of_three(shares):
    """Return the exact hit ratio of two places for three keys."""
    missing = 0.0
    for key, own in enumerate(shares):
        one, other = shares[:key] + shares[key + 1 :]
        missing += own * one * other * (1 / (1 - one) + 1 / (1 - other))  # the last two keys were the others
    return 1 - missing


def test_two_of_three_keys_hit_exactly():
    assert two_of_three([0.5, 0.3, 0.2]) == pytest.approx(0.7193, abs=5e-5)
    exact = two_of_three([6 / 11, 3 / 11, 2 / 11])  # Zipf with exponent 1
    assert coverage(cached(Cache(2, 3, 1.0)), lambda result: result.hit_ratio, exact) >= ENOUGH


@pytest.mark.parametrize(("rate_rps", "ttl_s"), [(1 / 60, 60), (0.1, 60), (1, 60)])
def test_time_to_live_hits_as_renewal_theory_says(rate_rps, ttl_s):
    scenario = cached(Cache(1, 1, ttl_s=ttl_s), rate_rps)
    exact = rate_rps * ttl_s / (1 + rate_rps * ttl_s)
    assert coverage(scenario, lambda result: result.hit_ratio, exact, requests=20_000) >= ENOUGH


# ---------------------------------------------------------------- batches


@pytest.mark.parametrize(("largest", "per_s"), [(8, 667), (32, 1333), (64, 1600)])
def test_full_batches_serve_what_the_formula_says(largest, per_s):
    fleet = Fleet(1, queue_limit=4 * largest, batching=Batching(largest, 0.1))
    found = simulate(
        Scenario(Poisson(5 * per_s), PerBatch(0.008, 0.0005), fleet), seed=1, requests=1_000_000
    ).goodput_rps
    assert f.batch_throughput_rps(largest, 0.008, 0.0005) == pytest.approx(per_s, abs=0.5)
    assert found.value == pytest.approx(per_s, rel=0.01)


def test_a_lone_request_waits_for_company_in_vain():
    fleet = Fleet(1, batching=Batching(8, 0.002))
    result = simulate(Scenario(Poisson(0.01), PerBatch(0.008, 0.0005), fleet), seed=1, requests=2_000)
    assert result.p50_s.value == pytest.approx(0.0105)


def test_a_batch_without_waiting_takes_what_is_there():
    fleet = Fleet(1, batching=Batching(64, 0.0))
    result = simulate(Scenario(Poisson(600), PerBatch(0.008, 0.0005), fleet), seed=1)
    assert result.p50_s.value < 0.025
    assert result.p99_s.value < 2 * (0.008 + 64 * 0.0005)


# ---------------------------------------------------------------- time-outs


def test_impatient_requests_leave_as_often_as_theory_says():
    # M/M/1 whose requests leave the queue after T: the density of the virtual wait is λP₀e^(−(μ−λ)w) below T, and
    # from there on it falls as e^(−μw), for nobody joins.
    rate, patience_s = 0.8, 1.0
    below = rate * -math.expm1(-(1 - rate) * patience_s) / (1 - rate)
    above = rate * math.exp(-(1 - rate) * patience_s)
    clients = Clients(timeout_s=patience_s, stops_work=True)
    scenario = Scenario(Poisson(rate), Exponential(1), Fleet(1), clients)
    result = simulate(scenario, seed=1, requests=1_000_000, warm_up=0.0)
    left_the_queue = result.counts.timed_out - result.wasted  # the others were in service when time was up
    assert left_the_queue / result.counts.arrived == pytest.approx(above / (1 + below + above), rel=0.01)
