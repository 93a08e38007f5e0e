"""A flow that makes several calls at once: one for each shard, and a request waits for the slowest."""

import pytest

from mlsd_helpers.analysis.cost import calls_per_s
from mlsd_helpers.analysis.rates import calls_per_request, most_at_once
from mlsd_helpers.analysis.surroundings import required_rps
from mlsd_helpers.analysis.whole import Elsewhere, answers_of
from mlsd_helpers.design import CapacityPlan, Design, Planes, Requirements
from mlsd_helpers.review import review
from mlsd_helpers.simulation import report

BOXES = [
    {"id": "door", "kind": "api gateway", "latency": "10 ms", "availability": "100%"},
    {"id": "index", "kind": "vector index"},
]


def searching(calls=1, *, share="50%", budget="100 ms", index=None, flow=None, **plan):
    """Give 100 requests a second at a door, half of which ask each shard of an index."""
    given = {
        "id": "shards",
        "component": "index",
        "service_time": {"mean": "10 ms", "distribution": "exponential"},
    }
    given |= {"zones": 2, "replicas": 40, "routing": "central queue", "load": f"{50 * calls} rps"} | plan
    asks = {"from": "door", "to": "index", "carries": "request", "share": share, "calls": calls}
    return Design(
        name="search",
        requirements=Requirements(
            latency={"budget": budget, "percentile": "p99"},
            throughput={"peak": "100 rps", "mean": "10 rps"},
            availability={"target": "99%"},
        ),
        planes=Planes(components=[BOXES[0], BOXES[1] | (index or {})], flows=[asks | (flow or {})]),
        capacity=CapacityPlan(fleets=[given]),
    )


def plan_of(design):
    return next(iter(design.fleets.values()))


def codes(design):
    return {one.code for one in review(design)}


def test_each_call_made_at_once_is_load_for_the_callee_and_costs():
    design = searching(12)
    assert calls_per_request(design.planes)["index"] == pytest.approx(6)
    assert required_rps(design, plan_of(design)) == pytest.approx(600)
    assert calls_per_s(design)["index"] == pytest.approx(60)


def test_a_fleet_is_held_against_the_calls_of_all_shards():
    assert codes(searching(12, load="50 rps", replicas=2)) - codes(searching(1, load="50 rps", replicas=2))


def test_calls_within_calls_multiply():
    boxes = [{"id": name, "kind": "service"} for name in "abc"]
    flows = [
        {"from": "a", "to": "b", "carries": "request", "calls": 3},
        {"from": "b", "to": "c", "carries": "request", "calls": 4},
    ]
    planes = Planes(components=boxes, flows=flows)
    assert calls_per_request(planes) == {"a": 1, "b": 3, "c": 12}
    assert most_at_once(planes) == {"b": 3, "c": 12}


def test_a_percentile_of_the_slowest_call_is_a_higher_one_of_each():
    design = searching(12)
    around = Elsewhere.of(design, plan_of(design))
    assert around.of_one(0.99) ** 12 == pytest.approx(0.99)
    one, twelve = (report(searching(n), seed=1, requests=200_000).verdicts[0].found.value for n in (1, 12))
    assert twelve > one + 0.02  # an exponential mean of 10 ms: ln 12 times as much


def test_check_and_simulate_agree_that_the_slowest_call_is_late():
    assert report(searching(1, budget="60 ms"), seed=1, requests=200_000).verdicts[0].met is True
    late = searching(12, budget="60 ms")
    assert report(late, seed=1, requests=200_000).verdicts[0].met is False
    assert codes(late) - codes(searching(1, budget="60 ms"))


def test_a_stated_percentile_of_one_call_is_not_that_of_the_slowest():
    stated = {"latency": "40 ms", "latency_is": "p99"}
    door = [{"id": "front", "component": "door", "service_time": "2 ms", "replicas": 9, "zones": 3}]
    plans = [searching(n, index=stated).with_part(capacity=CapacityPlan(fleets=door)) for n in (1, 12)]
    one, several = (Elsewhere.of(design, plan_of(design)) for design in plans)
    assert not one.unknown
    assert "index" in several.unknown


def test_a_request_is_answered_when_all_its_calls_are():
    served = {"index": (0.99, 0.99)}
    one, three = (answers_of(searching(n, share="100%"), served).most for n in (1, 3))
    assert three == pytest.approx(one**3)


def test_an_empty_cache_brings_all_calls_of_a_request():
    paths = [{"id": "p", "pattern": "hybrid", "share": "100%", "cache": {"key": ["q"], "hit_ratio": "50%"}}]
    headroom = {"share": "0%", "pays_for": ["cold cache"]}
    tight = searching(
        12, share="100%", load="600 rps", replicas=12, target_utilisation="70%", headroom=headroom
    )
    assert "CAP019" in codes(tight.with_part(pattern={"paths": paths}))


def test_words_about_shards_alone_add_no_calls():
    design = searching(1, index={"does": "HNSW in 12 shards"})
    assert calls_per_request(design.planes)["index"] == pytest.approx(0.5)


def test_only_requests_that_come_to_a_feature_store_read_keys_there():
    boxes = [
        {"id": "door", "kind": "api gateway"},
        {"id": "store", "kind": "feature store", "quota": {"requests": "40,000 rps"}},
    ]
    asks = {"from": "door", "to": "store", "carries": "features"}
    flow = {
        "stages": [{"id": "write", "store": "online", "component": "store"}],
        "features": [{"id": "price", "source": "offers", "path": ["write"]}],
        "lookup": {"calls": 1, "time_per_call": "5 ms", "keys": 600},
    }
    for share, is_said in (("50%", False), ("100%", True)):
        planes = Planes(components=boxes, flows=[asks | {"share": share}])
        needs = Requirements(throughput={"peak": "100 rps"})
        found = codes(Design(name="d", requirements=needs, planes=planes, dataflow=flow))
        assert ("FLOW022" in found) is is_said


def looking_up(*, at_once):
    """Give a request of 100 ms that makes 30 look-ups of 6 ms each, for which the store states 15 ms."""
    boxes = [
        {"id": "door", "kind": "api gateway", "latency": "10 ms"},
        {"id": "store", "kind": "feature store", "latency": "15 ms"},
        {"id": "ranker", "kind": "model server"},
    ]
    flows = [
        {"from": "door", "to": "store", "carries": "features"},
        {"from": "door", "to": "ranker", "carries": "request"},
    ]
    fleet = {"component": "ranker", "replicas": 9, "zones": 3, "load": "100 rps", "routing": "central queue"}
    fleet |= {"service_time": {"mean": "5 ms", "distribution": "exponential"}}
    split = [{"component": "door", "time": "10 ms"}, {"component": "store", "time": "15 ms"}]
    return Design(
        name="d",
        requirements=Requirements(latency={"budget": "100 ms", "percentile": "p99", "split": split}),
        planes=Planes(components=boxes, flows=flows),
        dataflow={"lookup": {"calls": 30, "time_per_call": "6 ms", "at_once": at_once}},
        capacity=CapacityPlan(fleets=[fleet]),
    )


@pytest.mark.parametrize(("at_once", "met"), [(True, True), (False, False)])
def test_feature_lookups_count_in_the_latency_of_a_request(at_once, met):
    design = looking_up(at_once=at_once)
    assert report(design, seed=1, requests=50_000).verdicts[0].met is met
    assert ("FLOW025" in codes(design)) is not met


def test_a_cache_that_requests_fill_is_not_asked_for_a_job():
    path = {"id": "p", "pattern": "pre-computed", "cache": {"key": ["q"]}}
    found = [one for one in review(Design(name="d", pattern={"paths": [path]})) if one.code == "PATTERN006"]
    assert "hybrid" in found[0].fix
    assert found[0].where.endswith("pattern")
