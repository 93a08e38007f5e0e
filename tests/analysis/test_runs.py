"""A run takes its whole chain, by what its fleet needs, and less of the fleet makes it longer."""

from typing import Any

import pytest

from mlsd_helpers.analysis.cost import costs_of
from mlsd_helpers.analysis.jobs import run_of
from mlsd_helpers.analysis.promises import run_in_time
from mlsd_helpers.design import Component, Design
from mlsd_helpers.simulation.requirements import by_the_clock

MINUTE = 60.0


def forecast(service_time: str = "1.2 s", zones: int | None = 3, **stages: Any) -> Design:
    """Return a run each quarter of an hour: 3 min of features, and 2,300 items on 12 workers, stated as 6 min."""
    parts = [
        {"id": "features", "kind": "batch pipeline", "managed": True},
        {"id": "scorer", "kind": "batch scorer"},
        {"id": "sender", "kind": "service", "managed": True},
    ]
    flows = [
        {"from": "features", "to": "scorer", "carries": "features"},
        {"from": "scorer", "to": "sender", "carries": "predictions"},
    ]
    build = {"id": "build", "period": "15 min", "delays": "3 min", "component": "features"}
    job = {"period": "15 min", "job_time": "6 min"}
    return Design(
        name="d",
        requirements={"schedule": {"period": "15 min", "deadline": "12 min", "items": 2300}},
        planes={"components": parts, "flows": flows},
        dataflow={
            "stages": [build, *stages.values()],
            "features": [
                {"id": "load", "source": "meters", "path": ["build", *[n for n in stages if n == "score"]]}
            ],
        },
        pattern={
            "paths": [{"id": "path", "component": "scorer", "pattern": "pre-computed", "precompute": job}]
        },
        capacity={"component": "scorer", "service_time": service_time, "replicas": 12, "zones": zones},
    )


def test_the_time_of_the_fleet_takes_the_place_of_the_stated_one_within_the_chain():
    found = run_in_time(forecast("3.3 s"))
    assert found is not None
    assert found.takes_s == pytest.approx(3 * MINUTE + 2300 * 3.3 / 12)  # 13.54 min of 12
    assert found.in_time is False


def test_a_stage_and_a_path_that_describe_one_step_count_once():
    score = {"id": "score", "synchronised": True, "delays": "5 min", "component": "scorer"}
    assert run_of(forecast(score=score)).time_s == 9 * MINUTE


def test_handing_a_result_over_belongs_to_its_run():
    send = {"id": "send", "synchronised": True, "delays": "2 min", "component": "sender"}
    assert run_of(forecast(send=send)).time_s == 11 * MINUTE


@pytest.mark.parametrize(
    ("service_time", "zones", "met"),
    [("1.2 s", 3, True), ("2.4 s", 3, False), ("1.2 s", 1, False), ("1.2 s", None, None)],
)
def test_a_lost_zone_makes_a_run_longer_or_it_is_not_judged(service_time, zones, met):
    (verdict,) = by_the_clock(forecast(service_time, zones), ["zone loss"])
    assert verdict.met is met
    assert verdict.met is not None or verdict.why


def test_a_run_is_not_judged_during_an_incident_whose_effect_is_not_computed():
    (verdict,) = by_the_clock(forecast(), ["rolling restart"])
    assert verdict.word == "not judged"


def test_each_workload_has_the_one_bill_of_the_design():
    parts = [{"id": name, "kind": "batch scorer"} for name in ("one", "two")]
    paths = [
        {"id": f"{name}_path", "component": name, "workload": name, "pattern": "pre-computed",
         "precompute": {"period": "1 d", "job_time": "2 h"}}
        for name in ("one", "two")
    ]  # fmt: skip
    fleets = [
        {"id": f"{name}_fleet", "component": name, "replicas": 2, "cost_per_replica_hour": "€1"}
        for name in ("one", "two")
    ]
    schedule = {"period": "1 d", "deadline": "6 h", "items": 1000}
    asked = [{"id": name, "entry": name, "schedule": schedule} for name in ("one", "two")]
    design = Design(
        name="d",
        requirements={"workloads": asked},
        planes={"components": parts},
        pattern={"paths": paths},
        capacity={"fleets": fleets},
    )
    bills = [[row.per_month for row in costs_of(one)] for one in (design, *design.views)]
    assert bills == [[120.0, 120.0]] * 3


@pytest.mark.parametrize(("at", "minutes"), [("features", 9), ("online", 6), (None, 9)])
def test_what_only_requests_read_is_no_step_of_a_run(at, minutes):
    drawn = forecast()
    store = Component(id="online", kind="feature store")
    planes = drawn.planes.changed(components=(*drawn.planes.components, store))
    design = drawn.changed(planes=planes, dataflow=drawn.dataflow.with_stage("build", component=at))
    assert run_of(design).time_s == minutes * MINUTE


def asked_of_a_vendor(items: int, **vendor: Any) -> Design:
    """Return a nightly run that asks a vendor for each item, and its own model when the vendor fails."""
    parts = [
        {"id": "summariser", "kind": "batch scorer"},
        {"id": "vendor", "kind": "external service", "tokens": {"input": 9_000, "output": 500}} | vendor,
        {"id": "own", "kind": "model server"},
    ]
    flows = [
        {"id": "first", "from": "summariser", "to": "vendor", "carries": "request", "otherwise": "second"},
        {"id": "second", "from": "summariser", "to": "own", "carries": "request"},
    ]
    flows = [flow | {"timeout": "1 min"} for flow in flows]
    job: dict[str, Any] = {"id": "p", "component": "summariser", "pattern": "pre-computed"}
    job |= {"precompute": {"period": "1 d", "job_time": "6 h"}}
    return Design(
        name="d",
        requirements={"schedule": {"period": "1 d", "deadline": "8 h", "items": items}},
        planes={"components": parts, "flows": flows},
        pattern={"paths": [job]},
        capacity={"component": "own", "service_time": "9 s", "replicas": 48},
    )


def test_a_run_is_no_quicker_than_the_quota_of_what_it_asks_for_each_item():
    found = run_in_time(asked_of_a_vendor(150_000, quota={"tokens": "2M per min"}))
    assert found.in_time is False
    assert found.takes_s == pytest.approx(150_000 * 9_500 / 2e6 * MINUTE)


def test_no_fleet_works_on_a_run_that_is_only_tried_when_something_else_fails():
    found = run_in_time(asked_of_a_vendor(1_500))
    assert found.in_time is None
    assert "job_time" in found.why


def test_a_run_whose_scoring_nobody_times_has_no_figure():
    bare = asked_of_a_vendor(1_500).with_part(pattern={"paths": []})
    assert "no job" in run_in_time(bare).why
    (one,) = by_the_clock(bare)
    assert one.row()[2] == "none"
