"""What each field of a design becomes in the scenario that is simulated."""

import pytest

from mlsd_helpers.design import CapacityPlan, Design, Planes, Requirements
from mlsd_helpers.errors import RangeError
from mlsd_helpers.simulation import (
    Autoscaler,
    Bursty,
    Clients,
    Constant,
    Lognormal,
    Poisson,
    ReplicaFailure,
    RollingRestart,
    Surge,
    ZoneLoss,
    from_design,
)

PLAIN = Design(name="plain").with_part(
    requirements=Requirements(throughput={"peak": "500 rps"}),
    capacity=CapacityPlan(service_time={"mean": "40 ms"}, replicas=30, zones=3),
)
SHAPE = {"name": "8B", "parameters": 8_000_000_000, "layers": 32, "kv_heads": 8, "head_dim": 128}
ACCELERATOR = {"name": "one", "memory": "80 GB", "bandwidth": "3 TB/s", "compute": "900 TFLOP/s"}
WRITES = {
    "model": SHAPE,
    "precision": "bf16",
    "accelerator": ACCELERATOR,
    "prompt_tokens": 1_000,
    "output_tokens": 200,
    "concurrent_sequences": 64,
}


def planned(*incidents, **plan):
    return from_design(PLAIN.with_part(capacity=PLAIN.capacity.changed(**plan)), incidents, at_s=7)


def writing(*incidents, replicas=6, zones=4, routing=None, at_once=1, **generation):
    requirements = Requirements(throughput={"peak": "4 rps"})
    plan = CapacityPlan(
        replicas=replicas,
        zones=zones,
        routing=routing,
        concurrency_per_replica=at_once,
        generation=WRITES | generation,
    )
    return from_design(PLAIN.with_part(requirements=requirements, capacity=plan), incidents)


@pytest.mark.parametrize(("burstiness", "arrivals"), [(1, Poisson(500)), (3, Bursty(500, 3))])
def test_burstiness_is_that_of_the_requirement(burstiness, arrivals):
    throughput = {"peak": "500 rps", "burstiness": burstiness}
    assert from_design(PLAIN.with_part(requirements=Requirements(throughput=throughput))).arrivals == arrivals


@pytest.mark.parametrize(
    ("scv", "service"), [(0, Constant(0.04)), (0.25, Lognormal(0.04, 0.25)), (4, Lognormal(0.04, 4))]
)
def test_a_service_time_has_the_spread_that_it_is_given(scv, service):
    assert planned(service_time={"mean": "40 ms", "scv": scv}).service == service


@pytest.mark.parametrize(
    ("routing", "limit"), [(None, 150), ("central queue", 150), ("random", 5), ("round robin", 5)]
)
def test_a_queue_limit_is_a_replicas_own_and_a_central_queue_has_that_of_all(routing, limit):
    assert planned(queue_limit=5, routing=routing).fleet.queue_limit == limit
    assert planned(routing=routing).fleet.queue_limit is None


@pytest.mark.parametrize(
    ("scaler", "plan", "wanted"),
    [
        ({"target": "60%", "minimum": 10, "maximum": 90}, {}, (0.6, 10, 90)),
        ({"minimum": 40, "maximum": 20}, {"target_utilisation": "65%"}, (0.65, 30, 30)),
        ({}, {}, (0.7, 30, 30)),
    ],
)
def test_an_autoscaler_starts_from_the_replicas_of_the_plan(scaler, plan, wanted):
    found = planned(autoscaler={"metric": "busy", "delay": "2 min"} | scaler, **plan).fleet.autoscaler
    target, minimum, maximum = wanted
    assert found == Autoscaler(target=target, delay_s=120, minimum=minimum, maximum=maximum)


def test_only_those_who_wait_for_the_fleet_give_up():
    called = {"to": "scorer", "timeout": "1 s"}
    flows = [
        {"from": "gateway", "carries": "request", "retries": 1} | called,
        {"from": "log", "carries": "events"} | called | {"timeout": "1 ms"},
        {"from": "scorer", "to": "log", "carries": "request", "timeout": "2 ms"},
    ]
    boxes = [
        {"id": "scorer", "kind": "model server"},
        {"id": "gateway", "kind": "api gateway"},
        {"id": "log", "kind": "event stream"},
    ]
    design = PLAIN.with_part(planes=Planes(components=boxes, flows=flows))
    plan = PLAIN.capacity.changed(component="scorer")
    assert from_design(design.with_part(capacity=plan)).clients == Clients(1.0, 1)


@pytest.mark.parametrize(
    ("headroom", "surge", "share"),
    [
        (None, 1.3, 0.25),
        ({"share": "50%"}, 1.3, 0.25),
        ({"share": "50%", "surge": "80%", "unavailable_in_restart": "10%"}, 1.8, 0.1),
        ({"share": "50%", "surge": 0}, 1.0, 0.25),
    ],
)
def test_incidents_are_those_that_the_headroom_pays_for(headroom, surge, share):
    rises, restarts = planned("surge", "rolling restart", headroom=headroom).incidents
    assert rises == Surge(7, pytest.approx(surge))
    assert restarts == RollingRestart(7, share, 60)


def test_a_writer_loses_its_largest_zone_and_a_surge_brings_more():
    assert (writing().replicas, writing("zone loss").replicas) == (6, 4)
    assert writing("surge").arrivals.rate_rps == pytest.approx(1.3 * writing().arrivals.rate_rps)


def test_a_writer_is_asked_as_the_plan_routes():
    routes = [
        writing(routing=routing).routing for routing in ("random", "round robin", "central queue", None)
    ]
    assert routes == ["random", "round robin", "join the shortest queue", "join the shortest queue"]


def test_an_engine_has_the_memory_and_speed_of_its_accelerators():
    one, two = writing().engine, writing(accelerators_per_replica=2).engine
    weights, token = 16e9, 2 * 32 * 8 * 128 * 2
    assert one.kv_tokens == int((0.9 * 80e9 - weights) / token)
    assert two.kv_tokens == int((0.9 * 160e9 - weights) / token)
    assert (one.step_s, one.step_per_token_s) == pytest.approx((weights / 3e12, token / 3e12))
    assert one.prefill_per_token_s == pytest.approx(2 * 8e9 / (0.5 * 900e12))
    for time in ("step_s", "step_per_token_s", "prefill_per_token_s"):
        assert getattr(two, time) == pytest.approx(getattr(one, time) / 2)


def test_a_cache_of_smaller_values_holds_more_tokens():
    assert writing(kv_precision="fp8").engine.kv_tokens == pytest.approx(
        2 * writing().engine.kv_tokens, abs=1
    )


def test_a_writer_works_on_as_many_sequences_as_the_plan_says():
    assert writing(concurrent_sequences=48).engine.most_sequences == 48
    assert writing(concurrent_sequences=None, at_once=16).engine.most_sequences == 16
    with pytest.raises(RangeError, match="concurrent_sequences is not decided: 1 at once is assumed"):
        writing(concurrent_sequences=None, replicas=2)


def test_a_restart_that_takes_nothing_away_is_no_incident():
    none_at_a_time = {"share": "50%", "unavailable_in_restart": "0%"}
    less_than_one = {"share": "50%", "unavailable_in_restart": "3%"}
    for headroom in (none_at_a_time, less_than_one):
        assert planned("rolling restart", headroom=headroom).incidents == ()


def test_a_zone_that_is_said_to_hold_more_takes_more_away():
    assert planned("zone loss", replicas_per_zone=10).incidents == (ZoneLoss(7),)
    assert planned("zone loss", replicas_per_zone=12).incidents == (ReplicaFailure(7, 12),)
    assert planned("zone loss", replicas_per_zone=8).incidents == (ZoneLoss(7),)


def test_a_cold_cache_lets_through_what_the_paths_say():
    ways = [
        {
            "id": "live",
            "pattern": "request-time",
            "share": "80%",
            "cache": {"key": "user", "hit_ratio": "50%"},
        },
        {"id": "ahead", "pattern": "pre-computed", "share": "20%"},
    ]
    design = PLAIN.with_part(pattern={"paths": ways}, capacity=PLAIN.capacity.changed(load="200 rps"))
    assert from_design(design, ["cold cache"]).incidents == (Surge(0, 2.0),)  # 400 of 500 a second, not all
