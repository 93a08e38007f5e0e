"""Rules that ask no more than a design owes: what fields say elsewhere, what is not ours, and what hardly matters."""

from typing import Any

import pytest

from mlsd_helpers.design import Design
from mlsd_helpers.review import review

BUDGET = {"budget": "2 min", "percentile": "p95"}


def drawn(
    *flows: dict[str, Any], needs: dict[str, Any] | None = None, **components: dict[str, Any]
) -> Design:
    boxes = [
        {"id": name, "replicas": 2, "zones": 2, "owner": "Us", **one} for name, one in components.items()
    ]
    planes = {"components": boxes, "flows": list(flows)}
    return Design(name="d", requirements={"latency": BUDGET, **(needs or {})}, planes=planes)


def call(start: str, end: str, **fields: Any) -> dict[str, Any]:
    return {"from": start, "to": end, "carries": "request", "timeout": "10 s", **fields}


def found(design: Design) -> set[str]:
    return {one.code for one in review(design)}


SERVED = {"app": {"kind": "client"}, "api": {"kind": "service"}, "model": {"kind": "model server"}}


@pytest.mark.parametrize(("meanwhile", "asks"), [("Clerks type the fields", False), ("none", True)])
def test_a_failure_mode_that_names_a_component_decides_what_its_callers_do(meanwhile, asks):
    modes = {"failure_modes": [{"id": "m", "failure": "Down", "of": "model", "meanwhile": meanwhile}]}
    design = drawn(call("app", "api"), call("api", "model", timeout="5 s"), needs=modes, **SERVED)
    assert ("PLANE006" in found(design)) == asks


@pytest.mark.parametrize(("fallback", "too_late"), [("The order of arrival", True), (None, False)])
def test_a_call_may_last_as_long_as_its_caller_waits_if_nothing_answers_after_it(fallback, too_late):
    parts = {"front": {"kind": "api gateway"}, **SERVED}
    calls = call("app", "front"), call("front", "api"), call("api", "model", fallback=fallback)
    assert ("PLANE008" in found(drawn(*calls, **parts))) == too_late


def test_a_webhook_of_others_owes_us_no_timeout():
    parts = {**SERVED, "mail": {"kind": "external service"}}
    patient = call("mail", "api", timeout="1 min", retries=5, id="mailed")
    hasty = call("app", "api", timeout="20 s", id="uploaded")
    behind = call("api", "model", timeout="30 s", fallback="Later", id="ask")
    assert not found(drawn(patient, hasty, behind, **parts)) & {"PLANE005", "PLANE007", "PLANE062"}
    assert "PLANE005" not in found(drawn({**patient, "timeout": None}, hasty, behind, **parts))


@pytest.mark.parametrize(
    ("load", "asks"),
    [
        ({"over": "1 h"}, True),
        ({}, True),
        ({"over": "1 h", "burstiness": 6}, False),
        ({"burstiness": 6}, False),
    ],
)
def test_stated_bursts_end_the_question_and_silence_does_not(load, asks):
    needs = {"throughput": {"peak": "2 rps", "mean": "1 rps", "derivation": "mean times factor", **load}}
    assert ("REQ019" in found(drawn(needs=needs, **SERVED))) == asks


@pytest.mark.parametrize(("retention", "missed"), [("3 d", False), ("2 years", True)])
def test_a_provider_that_keeps_data_for_days_deletes_them_by_itself(retention, missed):
    parts = {
        "eraser": {"kind": "service"},
        "store": {"kind": "offline store"},
        "mail": {"kind": "external service", "terms": {"retention": retention}},
    }
    kept = {
        "id": "mails",
        "personal": True,
        "deleted_by": "eraser",
        "kept_in": ["store", "mail"],
        "deletion": "x",
    }
    design = drawn({"from": "eraser", "to": "store", "carries": "command"}, **parts)
    design = design.changed(data={"datasets": [kept]})
    assert ("DATA010" in found(design)) == missed


WRITER = {
    "kind": "external service",
    "plane": "serving",
    "tokens": {"input": 4500, "output": 700},
    "price": {"per_million_output_tokens": "€10"},
    "quota": {"requests": "300 per min"},
    "trust_zone": "vendor",
}


def reading(writer: dict[str, Any], *alerts: dict[str, Any], **needs: Any) -> Design:
    parts = {
        **SERVED,
        "llm": writer,
        "rules": {"kind": "business rules"},
        "store": {"kind": "feature store"},
        "metrics": {"kind": "metrics"},
        "alerting": {"kind": "alerting"},
    }
    flows = [
        call("app", "api"),
        call("api", "model", timeout="2 s"),
        call("api", "llm", timeout="4 s"),
        call("api", "rules", timeout="1 s"),
        {"from": "rules", "to": "store", "carries": "features", "timeout": "1 s"},
        {"from": "api", "to": "metrics", "carries": "metrics"},
        {"from": "metrics", "to": "alerting", "carries": "metrics"},
    ]
    needs = {"prediction": {"type": "multi-class classification", "output": "fields"}, **needs}
    design = drawn(*flows, needs=needs, **parts)
    release = {"versioned_together": ["model"], "rollback_to": "The model before"}
    return design.changed(planes=design.planes.changed(alerts=alerts, release=release))


def test_a_component_that_writes_texts_is_guarded_whatever_the_system_predicts():
    assert "SEC004" in found(reading(WRITER))
    assert "SEC004" not in found(reading({"kind": "external service", "tokens": {"input": 10, "output": 0}}))


def test_a_quota_and_an_alert_on_refusals_watch_the_spending():
    refused = {
        "id": "full",
        "metric": "share of calls refused",
        "raised_by": "alerting",
        "watches": "infrastructure",
    }
    assert "SERV006" in found(reading(WRITER))
    assert "SERV006" not in found(reading(WRITER, refused))
    assert "SERV006" in found(reading({**WRITER, "quota": None}, refused))


def test_a_provider_whose_failure_people_take_over_has_a_way_out():
    modes = [{"id": "m", "failure": "Down", "of": "llm", "meanwhile": "Hard ones go to the clerks"}]
    assert "SERV026" in found(reading(WRITER))
    assert "SERV026" not in found(reading(WRITER, failure_modes=modes))


def test_a_feature_schema_is_asked_for_only_where_a_model_reads_stored_features():
    assert "PLANE028" not in found(reading(WRITER))
    design = reading(WRITER)
    flow = {"from": "model", "to": "store", "carries": "features", "timeout": "1 s"}
    more = (*design.planes.flows, flow)
    assert "PLANE028" in found(design.changed(planes=design.planes.changed(flows=more)))


@pytest.mark.parametrize(("limit", "late"), [(10, False), (13, True)])
def test_a_queue_that_is_a_little_too_long_is_no_error(limit, late):
    plan = {
        "component": "model",
        "load": "2 rps",
        "replicas": 12,
        "queue_limit": limit,
        "service_time": {"mean": "1.4 s", "distribution": "exponential"},
        "target_utilisation": "70%",
    }
    needs = {"latency": {"budget": "15 s", "percentile": "p95"}, "throughput": {"peak": "2 rps"}}
    design = Design(name="d", requirements=needs, capacity=plan)
    assert ("CAP031" in found(design)) == late
