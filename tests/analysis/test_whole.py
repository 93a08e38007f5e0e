"""The time around a fleet: alternatives come after what fails, held places include calls, reserves take no time."""

import math

import pytest

from mlsd_helpers.analysis.prediction import predictions
from mlsd_helpers.analysis.rates import without_rare
from mlsd_helpers.analysis.sizing import sizings
from mlsd_helpers.analysis.surroundings import includes_calls
from mlsd_helpers.analysis.whole import Elsewhere, answers_of, left_for
from mlsd_helpers.design import CapacityPlan, Component, Design, Flow, Planes, Requirements
from mlsd_helpers.simulation import from_design, simulate
from mlsd_helpers.simulation.requirements import answered_of, exactly

BUSY = {"target_utilisation": "70%", "replicas": 20, "zones": 2, "routing": "central queue", "load": "10 rps"}


def call(start, end, **more):
    return Flow(start=start, end=end, carries="request", **more)


def design(flows, plan, *, split=(), hub=None, vendor=None, fleets=()):
    """Give a hub that calls a model, and a vendor with an alternative of our own; p99 below 1 s."""
    boxes = [
        Component(id="door", kind="api gateway", latency="10 ms"),
        Component(id="hub", kind="orchestrator", calls="at once", **{"latency": "20 ms"} | (hub or {})),
        Component(id="model", kind="model server"),
        Component(id="vendor", kind="external service", **{"latency": "60 ms"} | (vendor or {})),
        Component(id="own", kind="service", latency="80 ms"),
    ]
    needs = Requirements(latency={"budget": "1 s", "percentile": "p99", "split": split})
    named = {name for flow in flows for name in (flow.start, flow.end)}
    planes = Planes(components=[one for one in boxes if one.id in named], flows=flows)
    plans = [BUSY | one for one in (plan, *fleets)]
    return Design(name="d", requirements=needs, planes=planes, capacity=CapacityPlan(fleets=plans))


def around(of, component="model"):
    return Elsewhere.of(of, next(plan for plan in of.fleets.values() if plan.component == component))


MODEL = {"component": "model", "service_time": "30 ms"}
WITH_ALTERNATIVE = [
    call("door", "hub"),
    call("hub", "model", timeout="200 ms"),
    call("hub", "vendor", id="first", timeout="100 ms", otherwise="second"),
    call("hub", "own", id="second", timeout="100 ms"),
]


@pytest.mark.parametrize(
    ("availability", "whole_s"),
    [("98%", 0.030 + 0.100 + 0.080), (None, 0.030 + 0.100 + 0.080), ("99.99%", 0.030 + 0.060)],
)
def test_an_alternative_is_tried_after_the_first_has_timed_out_where_enough_requests_take_it(
    availability, whole_s
):
    found = around(design(WITH_ALTERNATIVE, MODEL, vendor={"availability": availability}))
    assert found.whole(0.0).most_s == pytest.approx(whole_s)
    assert found.whole(0.0).least_s < 0.1  # most requests get the vendor's answer


def test_to_a_fleet_that_is_an_alternative_a_request_comes_after_the_first_has_timed_out():
    plan = {"component": "own", "service_time": "80 ms"}
    often = around(design(WITH_ALTERNATIVE, plan, vendor={"availability": "95%"}), "own")
    assert often.most_s == pytest.approx(0.130)
    assert not often.seldom
    assert often.coming == pytest.approx(0.05)
    seldom = around(design(WITH_ALTERNATIVE, plan, vendor={"availability": "99.99%"}), "own")
    assert seldom.seldom
    assert "too few" in seldom.why
    assert seldom.whole(5.0).most_s < 1  # the percentile is that of requests which do not come to it


IN_A_ROW = [call("door", "hub", timeout="800 ms"), call("hub", "model", timeout="300 ms")]
SPLIT = [{"component": "hub", "time": "20 ms"}, {"component": "model", "time": "200 ms"}]


def test_what_a_fleet_calls_is_not_added_to_a_service_time_that_includes_it():
    def held(**more):
        service = {"mean": "120 ms", "scv": 0.3, **more}
        return design(IN_A_ROW, {"component": "hub", "service_time": service}, split=SPLIT)

    assert around(held(), "hub").most_s == pytest.approx(0.010)
    assert around(held(includes_calls=False), "hub").most_s == pytest.approx(0.210)
    short = design(IN_A_ROW, {"component": "hub", "service_time": "15 ms"}, split=SPLIT)
    assert not includes_calls(short, short.capacity.fleets[0])  # no longer than its own part
    plan = held().capacity.fleets[0]
    assert left_for(held(), plan, 1.0) == pytest.approx(
        0.8
    )  # the whole timeout, and the held time is taken off it
    assert left_for(held(includes_calls=False), plan.changed(service_time={"mean": "120 ms", "includes_calls": False}),
                    1.0) == pytest.approx(0.6)  # fmt: skip


@pytest.mark.parametrize("spread", [{"scv": 0.3}, {"distribution": "exponential"}])
def test_a_held_time_ends_in_the_simulation_where_it_ends_in_the_formula(spread):
    fleet = {
        "component": "hub",
        "service_time": {"mean": "200 ms"} | spread,
        "replicas": 60,
        "load": "100 rps",
    }
    held = design(IN_A_ROW, fleet | {"routing": "central queue"}, split=SPLIT)
    calm, scenario = predictions(held, next(iter(sizings(held).values())))[0], from_design(held)
    found = simulate(scenario, seed=1, requests=100_000)
    assert found.latency.percentile(0.999).value == pytest.approx(0.320)
    for share in (0.5, 0.9, 0.99):
        assert found.latency.percentile(share).value == pytest.approx(calm.response_s(share).most_s, rel=0.03)
    assert found.mean_s.value == pytest.approx(calm.mean_s.most_s, rel=0.02)
    assert found.utilisation.value == pytest.approx(100 * 0.2 / 60, rel=0.02)


def test_a_caller_that_holds_its_place_is_not_added_to_the_fleet_that_it_waits_for():
    hub = {"component": "hub", "service_time": {"mean": "120 ms", "scv": 0.3}}
    found = around(design(IN_A_ROW, MODEL, split=SPLIT, fleets=[hub]))
    assert found.most_s == pytest.approx(0.030, abs=1e-3)


@pytest.mark.parametrize(
    "part", [{"part": "reserve"}, {"part": "spare time"}, {"part": "x", "reserve": True}]
)
def test_no_time_passes_in_a_reserve(part):
    of = design(IN_A_ROW, MODEL, split=[*SPLIT, part | {"time": "400 ms"}])
    assert around(of).most_s == pytest.approx(0.030)
    apart = design(IN_A_ROW, MODEL, split=[*SPLIT, part | {"time": "400 ms", "reserve": False}])
    assert around(apart).most_s == pytest.approx(
        0.430
    )  # the words may be no time at the door, which comes on top


def test_a_part_in_words_and_a_call_that_the_split_leaves_out_add_up():
    network = {"part": "network", "time": "50 ms"}
    of = design(IN_A_ROW, MODEL, split=[*SPLIT, network])
    assert around(of).most_s == pytest.approx(around(design(IN_A_ROW, MODEL, split=SPLIT)).most_s + 0.050)


def test_parts_of_what_only_an_application_outside_reaches_take_no_time_around_a_fleet_that_it_never_asks():
    boxes = [
        Component(id="app", kind="raw source"),
        Component(id="door", kind="api gateway"),
        Component(id="eta", kind="model server"),
        Component(id="rounds", kind="service"),
        Component(id="model", kind="model server"),
    ]
    flows = [call("app", "door"), call("door", "eta"), call("rounds", "model")]
    split = [{"component": name, "time": "100 ms"} for name in ("door", "eta")]
    needs = Requirements(latency={"budget": "1 s", "percentile": "p99", "split": split})
    plan = CapacityPlan(**BUSY | MODEL)
    of = Design(name="d", requirements=needs, planes=Planes(components=boxes, flows=flows), capacity=plan)
    assert Elsewhere.of(of, of.capacity).most_s == 0.0


def test_calls_are_rare_together_and_leave_with_their_alternatives():
    flows = [
        call("hub", "vendor", id="first", share="0.4%", otherwise="second"),
        call("hub", "own", id="second"),
        call("hub", "model", share="0.5%"),
    ]
    planes = design(flows, MODEL).planes
    gone, rare = without_rare(planes, 0.01)
    assert {flow.end for flow in gone} == {"vendor", "own", "model"}
    assert rare == pytest.approx(0.009)
    assert not without_rare(planes, 0.001)[0]
    assert math.isclose(without_rare(planes, 0.005)[1], 0.004)


# ---- what people take over


def taken_over(*, drawn=False, rate="180 per hour", hours="Mon-Sun 8-18", **fields):
    """Give a model that a peak of 1/s for an hour overloads, and clerks to whom its caller hands over."""
    fallback = {"timeout": "1 s", "fallback": "A clerk decides", "answered": True}
    flows = [call("door", "model", id="ask", otherwise="hand" if drawn else None, **fallback)]
    flows += [call("door", "clerks", id="hand", timeout="1 s", share=None)] if drawn else []
    boxes = [
        Component(id="door", kind="api gateway", availability="100%"),
        Component(id="model", kind="model server", availability="100%"),
        Component(id="clerks", kind="people", availability="100%", rate=rate, hours=hours, **fields),
    ]
    needs = Requirements(throughput={"peak": "1 rps", "peak_lasts": "1 h"})
    return Design(name="d", requirements=needs, planes=Planes(components=boxes, flows=flows))


@pytest.mark.parametrize("drawn", [False, True])
def test_people_answer_no_more_of_an_overload_than_they_can_take(drawn):
    found = answered_of(taken_over(drawn=drawn), {"model": [exactly(0.5)]}, {}, zone_lost=False)
    assert found.most.value == pytest.approx(0.55, abs=0.01)  # 180 of the 1,800 of an hour
    assert found.by_models == pytest.approx(0.5)


def test_people_who_may_take_all_of_it_later_answer_it():
    assert answers_of(taken_over(wait="10 h"), {"model": (0.5, 0.5)}).most == pytest.approx(1)
    assert answers_of(taken_over(), {"model": (0.96, 0.96)}).most == pytest.approx(1)


def test_a_number_for_a_day_is_taken_within_the_hours_of_duty():
    found = answers_of(taken_over(rate=None, cases_per_day=1_800), {"model": (0.5, 0.5)})
    assert found.most == pytest.approx(0.55)  # 180 in each of ten hours


def test_people_of_whom_no_hours_are_stated_set_no_limit():
    assert answers_of(taken_over(hours=None), {"model": (0.5, 0.5)}).most == pytest.approx(1)
