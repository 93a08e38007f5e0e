"""Rules on the way of a request: queues, what is outside, what is written, and figures that contradict each other."""

from typing import Any

import pytest

from mlsd_helpers import cases
from mlsd_helpers.design import Design
from mlsd_helpers.review import review


def drawn(*flows: dict[str, Any], latency: str = "5 min", **components: dict[str, Any]) -> Design:
    boxes = [
        {"id": name, "replicas": 2, "zones": 2, "owner": "Us", **one} for name, one in components.items()
    ]
    needs = {"latency": {"budget": latency, "percentile": "p99"}, "availability": {"target": "99.5%"}}
    return Design(name="d", requirements=needs, planes={"components": boxes, "flows": list(flows)})


def call(start: str, end: str, **fields: Any) -> dict[str, Any]:
    return {"from": start, "to": end, "carries": "request", "fallback": "The order of arrival", **fields}


def codes(design: Design) -> set[str]:
    return {one.code for one in review(design)}


QUEUED: dict[str, dict[str, Any]] = {
    "cameras": {"kind": "raw source"},
    "intake": {"kind": "service"},
    "queue": {"kind": "event stream"},
    "model": {"kind": "model server"},
}


@pytest.mark.parametrize("carries", ["events", "request"])
def test_whoever_hands_over_to_a_queue_does_not_wait_for_what_the_queue_calls(carries):
    design = drawn(
        call("cameras", "intake", timeout="30 s", retries=1),
        call("intake", "queue", carries=carries, timeout="5 s"),
        call("queue", "model", carries=carries, timeout="1 min", retries=3),
        **QUEUED,
    )
    assert not codes(design) & {"PLANE005", "PLANE006", "PLANE008", "PLANE009"}


@pytest.mark.parametrize("carries", ["events", "request"])
def test_availability_and_latency_count_through_a_queue(carries):
    slow = {**QUEUED, "model": {"kind": "model server", "availability": "99%", "latency": "6 min"}}
    design = drawn(
        {**call("cameras", "intake", timeout="30 s"), "fallback": None, "fails": "closed"},
        {**call("intake", "queue", carries=carries), "fallback": None, "fails": "closed"},
        {**call("queue", "model", carries=carries), "fallback": None, "fails": "closed"},
        **slow,
    )
    assert codes(design) >= {"PLANE010", "PLANE014"}


def test_features_that_a_job_writes_or_a_training_reads_are_no_calls():
    design = drawn(
        {"from": "counters", "to": "store", "carries": "features"},
        {"from": "lake", "to": "store", "carries": "features"},
        {"from": "store", "to": "trainer", "carries": "features"},
        counters={"kind": "stream processor"},
        lake={"kind": "offline store"},
        store={"kind": "feature store"},
        trainer={"kind": "training pipeline"},
    )
    assert not codes(design) & {"PLANE005", "PLANE006", "PLANE012", "PLANE013"}


def test_predictions_that_are_waited_for_need_a_fallback():
    parts = {
        "gate": {"kind": "api gateway"},
        "model": {"kind": "model server"},
        "rules": {"kind": "business rules"},
    }
    ask = call("gate", "model", timeout="1 s")
    waited = {"from": "model", "to": "rules", "carries": "predictions", "timeout": "50 ms"}
    assert "PLANE006" in codes(drawn(ask, waited, **parts))
    assert "PLANE006" not in codes(drawn(ask, {**waited, "timeout": None}, **parts))


def test_a_timeout_below_the_caller_and_above_the_budget_is_one_finding_with_both_figures():
    design = drawn(
        call("gate", "hub", timeout="30 s"),
        call("hub", "model", timeout="30 s"),
        gate={"kind": "api gateway"},
        hub={"kind": "orchestrator"},
        model={"kind": "model server"},
        latency="10 s",
    )
    found = [one for one in review(design) if one.code in {"PLANE007", "PLANE008"}]
    assert [one.code for one in found] == ["PLANE008"]
    assert "10 s" in found[0].message


def released(**release: Any) -> Design:
    case = cases.load("harbour_pay")
    return case.with_part(planes=case.planes.changed(release=case.planes.release.changed(**release)))


def test_a_shadow_is_no_first_stage_that_something_has_to_stop():
    stages = [
        {"id": "dark", "to": "shadow", "share": "1%", "for": "1 h"},
        {"id": "few", "share": "1%", "for": "2 h", "stops_on": ["score_shift"]},
        {"id": "all", "share": "100%"},
    ]
    assert "PLANE050" not in codes(released(canary_share=None, canary_time=None, stages=stages))


def test_a_rollback_takes_back_all_that_was_released_together():
    kept = released(rollback_takes_back=["model", "feature schema"])
    assert set(kept.planes.release.versioned_together) - {"model", "feature schema"}
    assert codes(kept) == {"PLANE053"}
