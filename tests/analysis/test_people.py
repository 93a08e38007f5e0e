"""Cases that people get: requests and runs are added, and shares multiply along the way."""

import pytest

from mlsd_helpers.analysis.people import cases_of_people
from mlsd_helpers.analysis.rates import calls_per_request
from mlsd_helpers.design import Component, Design, Flow, Planes
from mlsd_helpers.units import day

PARTS = [
    Component(id="shop", kind="client"),
    Component(id="desk", kind="service"),
    Component(id="model", kind="model server"),
    Component(id="nightly", kind="batch scorer"),
    Component(id="tool", kind="service"),
    Component(id="team", kind="people"),
]
ASKED = [
    Flow(start="shop", end="desk", carries="request"),
    Flow(start="desk", end="model", carries="request"),
]
ONLINE = {"throughput": {"peak": "10 rps", "mean": "86400 per day"}}
NIGHTLY = {"schedule": {"period": "1 d", "items": 1_000_000}}


def cases_a_day(*flows: Flow, **needs: object) -> float | None:
    planes = Planes(components=PARTS, flows=[*ASKED, *flows])
    design = Design(name="d", requirements=needs, planes=planes)
    found = cases_of_people(design, planes, calls_per_request(planes)).get("team")
    return None if found is None or found.surely is None else found.surely * day


def test_cases_of_requests_and_of_runs_are_added():
    flows = [
        Flow(start="desk", end="team", carries="alert", share="1%"),
        Flow(start="nightly", end="team", carries="alert", share="0.1%"),
    ]
    assert cases_a_day(*flows, **ONLINE, **NIGHTLY) == pytest.approx(864 + 1_000)
    assert cases_a_day(*flows, **ONLINE) == pytest.approx(864)


def test_shares_multiply_through_what_lies_between():
    into = Flow(start="desk", end="tool", carries="alert", share="5%")
    onward = Flow(start="tool", end="team", carries="alert", share="50%")
    assert cases_a_day(into, onward, **ONLINE) == pytest.approx(86_400 * 0.025)


@pytest.mark.parametrize("carries", ["alert", "request"])
def test_a_share_that_picks_cases_out_holds_against_acted_on(carries):
    into = Flow(start="desk", end="tool", carries=carries, share="5%")
    onward = Flow(start="tool", end="team", carries="alert")
    acted_on = {"prediction": {"type": "binary classification", "acted_on": "0.01%"}}
    assert cases_a_day(into, onward, **ONLINE, **acted_on) == pytest.approx(4_320)


def test_a_share_that_divides_requests_among_models_picks_no_cases_out():
    planes = Planes(
        components=PARTS,
        flows=[
            ASKED[0],
            Flow(start="desk", end="model", carries="request", share="50%"),
            Flow(start="model", end="team", carries="predictions"),
        ],
    )
    needs = {**ONLINE, "prediction": {"type": "binary classification", "acted_on": "1%"}}
    design = Design(name="d", requirements=needs, planes=planes)
    found = cases_of_people(design, planes, calls_per_request(planes))["team"]
    assert found.surely * day == pytest.approx(432)


def test_stored_scores_come_to_people_by_the_requests_that_read_them():
    flows = [
        Flow(start="nightly", end="desk", carries="predictions"),
        Flow(start="desk", end="team", carries="alert", share="1%"),
    ]
    assert cases_a_day(*flows, **ONLINE, **NIGHTLY) == pytest.approx(864)


def test_data_that_go_in_a_circle_are_counted_once():
    flows = [
        Flow(start="desk", end="tool", carries="events", share="10%"),
        Flow(start="tool", end="desk", carries="events"),
        Flow(start="tool", end="team", carries="alert"),
    ]
    assert cases_a_day(*flows, **ONLINE) == pytest.approx(8_640)


def test_the_load_of_another_entry_is_unknown_and_not_that_of_the_stated_one():
    parts = [*PARTS, Component(id="office", kind="external service"), Component(id="orders", kind="service")]
    flows = [
        *ASKED,
        Flow(start="office", end="orders", carries="request"),
        Flow(start="orders", end="team", carries="request"),
    ]
    planes = Planes(components=parts, flows=flows)
    needs = {**ONLINE, "prediction": {"type": "binary classification", "acted_on": "1%"}}
    design = Design(name="d", requirements=needs, planes=planes)
    assert "team" not in cases_of_people(design, planes, calls_per_request(planes))
    both = planes.changed(flows=[*flows, Flow(start="desk", end="team", carries="alert", share="2%")])
    found = cases_of_people(design.with_part(planes=both), both, calls_per_request(both))["team"]
    assert found.surely * day == pytest.approx(1_728)


def streamed(start: str, **requirements: object) -> Design:
    parts = [
        Component(id="bus", kind="event stream"),
        Component(id="joins", kind=start),
        Component(id="model", kind="model server"),
        Component(id="rules", kind="business rules"),
        Component(id="room", kind="people", rate="6 per h", hours="24/7"),
    ]
    flows = [
        Flow(start="bus", end="joins", carries="events"),
        Flow(start="joins", end="model", carries="request"),
        Flow(start="model", end="rules", carries="predictions", share="0.05%"),
        Flow(start="rules", end="room", carries="request", share="3.4%"),
    ]
    return Design(name="d", requirements=requirements, planes=Planes(components=parts, flows=flows))


def test_shares_multiply_from_the_stream_processor_that_asks_the_model():
    design = streamed("stream processor", throughput={"peak": 200, "mean": 67})
    assert design.planes is not None
    found = cases_of_people(design, design.planes, calls_per_request(design.planes))["room"]
    assert found.surely is not None
    assert found.surely * day == pytest.approx(67 * 86_400 * 0.0005 * 0.034)


def test_a_share_of_an_unknown_load_is_no_number_of_cases():
    design = streamed("batch pipeline", throughput={"peak": 200, "mean": 67})
    assert design.planes is not None
    found = cases_of_people(design, design.planes, calls_per_request(design.planes))["room"]
    assert found.surely is None


def test_people_read_stored_answers_of_the_run_that_makes_them():
    flows = [
        Flow(start="nightly", end="kept", carries="predictions"),
        Flow(start="kept", end="team", carries="predictions"),
    ]
    parts = [*PARTS, Component(id="kept", kind="prediction store")]
    planes = Planes(components=parts, flows=flows)
    needs = {**NIGHTLY, "prediction": {"type": "binary classification", "acted_on": "1%"}}
    design = Design(name="d", requirements=needs, planes=planes)
    found = cases_of_people(design, planes, calls_per_request(planes))["team"]
    assert found.surely is not None
    assert found.surely * day == pytest.approx(10_000)


def test_runs_of_one_workload_begin_at_none_of_another_workloads_scorers():
    text = """
name: d
requirements:
  workloads:
  - {id: often, entry: quick, schedule: {period: 900 s, items: 2300}}
  - {id: daily, entry: slow, schedule: {period: 1 d, items: 2300}}
planes:
  components:
  - {id: quick, kind: batch scorer}
  - {id: slow, kind: batch scorer}
  - {id: kept, kind: prediction store}
  - {id: room, kind: people, plane: serving}
  flows:
  - {from: quick, to: kept, carries: predictions}
  - {from: slow, to: kept, carries: predictions}
  - {from: slow, to: room, carries: predictions, share: 1%, workload: daily}
"""
    daily = Design.parse(text).views[1]
    assert daily.planes is not None
    found = cases_of_people(daily, daily.planes, {"slow": 1.0})["room"]
    assert found.surely is not None
    assert found.surely * day == pytest.approx(23)


@pytest.mark.parametrize("carries", ["command", "predictions", "request", "alert"])
def test_a_task_is_a_case_whatever_word_carries_it(carries):
    into = Flow(start="desk", end="team", carries=carries, share="25%")
    assert cases_a_day(into, **ONLINE) == pytest.approx(21_600)


def test_a_command_of_the_control_plane_brings_people_no_cases():
    planes = Planes(
        components=[*PARTS, Component(id="stop", kind="kill switch")],
        flows=[*ASKED, Flow(start="stop", end="team", carries="command", share="25%")],
    )
    design = Design(name="d", requirements=ONLINE, planes=planes)
    assert not cases_of_people(design, planes, calls_per_request(planes))
