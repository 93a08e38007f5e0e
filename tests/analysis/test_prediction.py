"""The predicted times of a fleet, against exact values and against the simulation."""

import math

import pytest

from mlsd_helpers import cases, formulas
from mlsd_helpers.analysis.prediction import Service, State, predict, predictions, writing
from mlsd_helpers.analysis.sizing import sizing_of
from mlsd_helpers.design import FleetPlan
from mlsd_helpers.simulation import (
    Bursty,
    Constant,
    Exponential,
    Fleet,
    Lognormal,
    Poisson,
    Scenario,
    simulate,
)

NAMES = {0: "constant", 1: "exponential"}


def predicted(mean_s, scv, replicas, at_once, busy, routing, burstiness=1.0):
    time = {"mean": mean_s, "scv": scv, "distribution": NAMES.get(scv, "lognormal")}
    plan = FleetPlan(service_time=time, concurrency_per_replica=at_once, routing=routing)
    return predict(plan, State("", replicas, busy * replicas * at_once / mean_s), burstiness)


# ---------------------------------------------------------------- exact values


@pytest.mark.parametrize(("replicas", "busy"), [(1, 0.5), (2, 0.5), (10, 0.8), (100, 0.95), (3_000, 0.99)])
@pytest.mark.parametrize("percentile", [0.5, 0.9, 0.99, 0.999])
def test_exponential_times_and_one_queue_are_exact(replicas, busy, percentile):
    found = predicted(0.04, 1, replicas, 1, busy, "central queue")
    queue = (replicas, found.load_rps, 0.04, percentile)
    assert found.response_s(percentile) == pytest.approx(
        (formulas.response_percentile_s(*queue),) * 2, rel=1e-4
    )
    assert found.wait_s(percentile) == pytest.approx((formulas.wait_percentile_s(*queue),) * 2, rel=1e-4)


def test_random_routing_is_a_queue_at_each_replica():
    found = predicted(0.04, 1, 25, 1, 0.8, "random")
    exact = formulas.random_split_response_percentile_s(25, 500, 0.04)
    assert found.response_s(0.99) == pytest.approx((exact, exact), rel=1e-4)


@pytest.mark.parametrize("scv", [0, 0.25, 1, 4])
@pytest.mark.parametrize("busy", [0.3, 0.7, 0.9])
def test_one_replica_waits_for_the_exact_mean(scv, busy):
    waits = predicted(1.0, scv, 1, 1, busy, "central queue").least.waits
    steps = [i / 50 for i in range(20_000)]
    mean = sum(waits(step) for step in steps[1:]) / 50 + waits(0) / 100
    assert mean == pytest.approx(formulas.mg1_mean_wait_s(busy, 1.0, scv), rel=0.01)


@pytest.mark.parametrize(("busy", "decay"), [(0.7, 0.6756), (0.8, 0.43090), (0.9, 0.20715)])
def test_waits_for_a_constant_time_decay_as_they_do_exactly(busy, decay):
    assert busy * math.expm1(decay) == pytest.approx(decay, rel=0.01)  # the root of M/D/1, per service time
    exact = math.log((1 - busy) / (busy * math.exp(decay) - 1) / 0.01) / decay
    found = predicted(1.0, 0, 1, 1, busy, "central queue").wait_s(0.99).least_s
    assert exact * 0.97 <= found <= exact * 1.1


def test_the_share_of_queues_in_service_is_the_load_and_many_queues_are_the_closed_form():
    for busy in (0.05, 0.5, 0.9, 0.999):
        for at_once in (1, 2, 8, 64, 500):
            shares = formulas.power_of_two_queues(busy, at_once)
            assert sum(shares[1 : at_once + 1]) == pytest.approx(busy * at_once, rel=1e-6)
            assert list(shares) == sorted(shares, reverse=True)
        mean = sum(formulas.power_of_two_queues(busy)[1:])
        assert mean * 1.0 / busy == pytest.approx(
            formulas.power_of_two_mean_response_s(100, 100 * busy, 1), rel=1e-6
        )


# ---------------------------------------------------------------- against the simulation

BANDS = {
    # replicas, at once, busy, SCV, routing, variance over mean of arrivals
    "one queue": (10, 1, 0.8, 0.25, "central queue", 1),
    "one queue, constant": (10, 1, 0.8, 0, "central queue", 1),
    "one queue, several at once": (3, 8, 0.8, 1, "central queue", 1),
    "at random": (10, 1, 0.7, 0.25, "random", 1),
    "at random, several at once": (4, 8, 0.8, 1, "random", 1),
    "at random, heavy tail": (20, 1, 0.6, 4, "random", 1),
    "in turn": (10, 1, 0.8, 1, "round robin", 1),
    "power of two": (50, 1, 0.8, 1, "power of two", 1),
    "power of two, steady times": (10, 1, 0.8, 0.25, "power of two", 1),
    "shortest queue": (10, 1, 0.8, 1, "join the shortest queue", 1),
    "shortest queue, steady times": (100, 1, 0.9, 0.25, "join the shortest queue", 1),
    "bursts": (20, 1, 0.75, 0.25, "central queue", 3),
    "no routing": (20, 1, 0.7, 1, None, 1),
}
"""Scenarios whose simulated p95 and p99 lie within the predicted range, 8 % further at either end."""


@pytest.mark.parametrize("name", BANDS)
def test_the_simulation_lies_within_the_predicted_range(name):
    replicas, at_once, busy, scv, routing, burstiness = BANDS[name]
    found = predicted(0.04, scv, replicas, at_once, busy, routing, burstiness)
    service = {0: Constant(0.04), 1: Exponential(0.04)}.get(scv) or Lognormal(0.04, scv)
    rate = Poisson(found.load_rps) if burstiness == 1 else Bursty(found.load_rps, burstiness)
    for one in [routing] if routing else ["central queue", "random"]:
        fleet = Fleet(replicas, concurrency=at_once, routing=one)
        ran = simulate(Scenario(rate, service, fleet), seed=1, requests=100_000)
        for percentile, simulated in ((0.95, ran.p95_s.value), (0.99, ran.p99_s.value)):
            least_s, most_s = found.response_s(percentile)
            assert 0.92 * least_s <= simulated <= 1.08 * most_s


# ---------------------------------------------------------------- properties


@pytest.mark.parametrize(
    "routing", ["central queue", "random", "round robin", "power of two", "join the shortest queue"]
)
@pytest.mark.parametrize("scv", [0, 0.01, 1, 9])
def test_a_range_is_in_order_and_grows_with_the_load(routing, scv):
    before = (0.0, 0.0)
    for busy in (0.1, 0.5, 0.9, 0.99):
        found = predicted(0.04, scv, 7, 2, busy, routing, burstiness=2.5).response_s(0.99)
        assert found.least_s <= found.most_s * (1 + 1e-6)
        assert found.least_s >= before[0] * (1 - 1e-6)
        assert found.most_s >= before[1] * (1 - 1e-6)
        before = found


def test_an_overload_has_no_percentile():
    found = predicted(0.04, 1, 10, 1, 1.0, "central queue")
    assert found.overloaded
    assert found.response_s(0.99) == (math.inf, math.inf)


def test_an_unknown_spread_is_read_as_constant_and_as_exponential():
    found = predict(FleetPlan(service_time="40 ms", routing="central queue"), State("", 100, 100))
    assert found.response_s(0.99) == pytest.approx((0.04, 0.04 * math.log(100)), rel=1e-3)
    assert not found.spread_known


def test_a_service_alone_has_the_percentiles_of_its_distribution():
    for service in (Service(0.04, 0.0), Service(0.04, 1.0, exponential=True), Service(0.04, 0.5)):
        time_s = service.percentile_s(0.99)
        assert service.exceeds(time_s * 1.001) <= 0.01 <= service.exceeds(time_s * 0.999)


def test_each_failure_that_the_headroom_pays_for_is_predicted():
    case = cases.load("harbour_pay")
    paid = {"share": "50%", "pays_for": ["zone loss", "rolling restart", "surge"], "surge": "20%"}
    design = case.with_part(capacity=case.capacity.changed(headroom=paid))
    found = {one.during: one for one in predictions(design, sizing_of(design))}
    assert {name: (one.replicas, one.load_rps) for name, one in found.items()} == {
        "": (45, 500),
        "zone loss": (30, 500),
        "rolling restart": (34, 500),
        "surge": (45, 600),
    }
    surging = design.capacity.changed(headroom=paid | {"max_surge": "25%"})
    restart = predictions(design.with_part(capacity=surging), sizing_of(design.with_part(capacity=surging)))[
        2
    ]
    assert restart.replicas == 45  # new replicas start before old ones stop


def test_a_mixture_of_experts_is_read_in_part_and_a_cached_prefix_is_not_read_at_all():
    case = cases.load("azure_assistant")
    made = case.capacity.generation

    def taken(**changes):
        plan = case.capacity.changed(generation=made.changed(**changes))
        return writing(sizing_of(case.with_part(capacity=plan)))

    dense = taken()
    sparse = taken(model=made.model.changed(active_parameters=1_000_000_000))
    assert sparse.gap_s.least_s < 0.2 * dense.gap_s.least_s
    assert sparse.gap_s.most_s == dense.gap_s.most_s
    assert taken(prefix_cache="75%").first_s.most_s == pytest.approx(dense.first_s.most_s / 4)
    assert taken(tokens_per_pass=2).gap_s.most_s == pytest.approx(dense.gap_s.most_s / 2)
