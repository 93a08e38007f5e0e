"""Runs that a scheduler starts: its commands say what works, and what begins elsewhere joins no other workload."""

from pathlib import Path

import pytest
from hypothesis import Phase, given, settings

from mlsd_helpers import cases
from mlsd_helpers.analysis.blast import blast_radius
from mlsd_helpers.analysis.people import cases_of_people
from mlsd_helpers.analysis.rates import calls_per_request
from mlsd_helpers.design import Component, Design, Flow, load_design
from mlsd_helpers.review import review, rules_called
from tests.design import any_design

FILE = Path(__file__).with_name("flood_alerts.yaml")


@pytest.fixture
def design():
    return load_design(FILE)


def found(design, code):
    return [one.message for one in rules_called([code])[0](design)]


def entering(design, **entries):
    """Let workloads begin elsewhere."""
    stated = design.requirements
    workloads = [one.changed(entry=entries.get(one.id, one.entry)) for one in stated.workloads]
    return design.with_part(requirements=stated.changed(workloads=workloads))


def messages(design):
    return [(one.code, one.where, one.message) for one in review(design)]


def test_the_same_is_found_whether_the_entry_is_the_clock_or_what_it_starts(design):
    assert messages(design) == messages(entering(design, scoring="scorer"))


def test_a_clock_that_commands_a_clock_is_followed_to_what_works(design):
    planes = design.planes
    plan = Component(id="plan", kind="scheduler")
    flow = Flow(start="plan", end="clock", carries="command")
    chained = design.with_part(
        planes=planes.changed(components=(*planes.components, plan), flows=(*planes.flows, flow))
    )
    assert messages(entering(chained, scoring="plan")) == messages(entering(chained, scoring="scorer"))


def test_what_starts_itself_again_is_followed_no_further(design):
    again = Flow(start="scorer", end="scorer", carries="command")
    planes = design.planes.changed(
        components=(*design.planes.components, Component(id="idle", kind="device fleet")),
        flows=(again, Flow(start="idle", end="idle", carries="command")),
    )
    for name in ("scorer", "idle"):
        without, with_clock = by_clock(entering(design.with_part(planes=planes), scoring=(name,)), "scoring")
        assert messages(without) == messages(with_clock)


def by_clock(design, name):
    """Let a clock start what one workload begins with: both with the entry it had, and with the clock as its entry."""
    workload = next(one for one in design.requirements.workloads if one.id == name)
    clock = Component(id="a-clock", kind="scheduler")
    flows = [Flow(start="a-clock", end=entry, carries="command") for entry in workload.entry]
    planes = design.planes
    drawn = design.with_part(
        planes=planes.changed(components=(*planes.components, clock), flows=(*planes.flows, *flows))
    )
    return drawn, entering(drawn, **{name: ("a-clock",)})


@pytest.mark.parametrize("file", ["two_workloads.yaml", "flood_alerts.yaml"])
def test_any_workload_is_judged_alike_when_a_clock_starts_it(file):
    design = load_design(FILE.with_name(file))
    for workload in design.requirements.workloads:
        without, with_clock = by_clock(design, workload.id)
        assert messages(without) == messages(with_clock), workload.id


@settings(max_examples=25, deadline=None, phases=[Phase.generate])
@given(any_design.planes().filter(lambda planes: len(planes.components) > 1))
def test_any_sketch_is_judged_alike_when_a_clock_starts_it(planes):
    names = [one.id for one in planes.components if one.plane not in {"training", "monitoring"}][:2]
    if len(names) < 2 or "a-clock" in names:
        return
    workloads = [
        {"id": "W1", "entry": names[0], "schedule": {"period": "1 h", "deadline": "9 min", "items": 600}},
        {"id": "W2", "entry": names[1], "throughput": {"peak": "9 rps", "mean": "2 rps"}},
    ]
    design = Design(name="d", requirements={"workloads": workloads}, planes=planes)
    for name in ("W1", "W2"):
        without, with_clock = by_clock(design, name)
        assert messages(without) == messages(with_clock)


def test_a_page_beside_a_run_brings_people_no_cases(design):
    assert found(design, "SERV008") == []
    page = next(view for view in design.views if view.workload.id == "page")
    assert cases_of_people(page, page.planes, calls_per_request(page.planes)) == {}


def test_calls_of_a_run_are_not_held_against_the_budget_of_a_page(design):
    assert found(design, "PLANE007") == []


def test_what_begins_elsewhere_is_no_entrance_of_a_workload(design):
    page = next(view for view in design.views if view.workload.id == "page")
    assert list(blast_radius(page.planes, "web").entries) == ["gateway"]


def test_a_root_that_no_workload_names_brings_people_no_cases_of_others(design):
    planes = design.planes.changed(
        flows=(
            *design.planes.flows,
            Flow(start="catch_up", end="engineers", carries="request", share=0.5),
        )
    )
    assert found(design.with_part(planes=planes), "SERV008") == []


def test_a_workload_that_reads_what_others_store_needs_no_labels_and_no_stages(design):
    for code in ("REQ002", "REQ015", "PLANE031", "PLANE051"):
        assert not [one for one in found(design, code) if "page" in one], code


def test_a_workload_that_asks_a_model_states_its_prediction(design):
    planes = design.planes.changed(
        flows=(*design.planes.flows, Flow(start="web", end="scorer", carries="request"))
    )
    assert [one for one in found(design.with_part(planes=planes), "REQ002") if "page" in one]


def test_a_case_with_workloads_is_judged_alike_when_a_clock_starts_one():
    design = cases.load("netflix_recommendations")
    workload = design.requirements.workloads[-1]
    without, with_clock = by_clock(design, workload.id)
    assert messages(without) == messages(with_clock)
