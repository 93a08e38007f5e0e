"""The parts of a design: what each derives, and what it refuses."""

import pickle

import pytest

from mlsd_helpers import cases, design
from mlsd_helpers.design import (
    KINDS,
    PLANE_OF,
    CapacityPlan,
    Component,
    DataFlow,
    Design,
    Feature,
    Headroom,
    Latency,
    Lookup,
    Parallel,
    Pattern,
    Planes,
    Requirements,
    ServiceTime,
    Stage,
    UnreadableDesignError,
)
from mlsd_helpers.errors import DesignError


def paths_refused(make, **fields):
    """Return the field paths that a value is refused for."""
    with pytest.raises(UnreadableDesignError) as refused:
        make(**fields)
    return [problem.path for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("budget", "tier"),
    [
        ("99 ms", "real-time"),
        ("100 ms", "near-real-time"),
        ("1.999 s", "near-real-time"),
        ("2 s", "interactive"),
        ("59 s", "interactive"),
        ("1 min", "batch"),
    ],
)
def test_the_boundaries_of_the_tiers_are_strict(budget, tier):
    assert Latency(budget=budget, percentile="p99").tier == tier


def test_every_kind_of_component_is_in_exactly_one_plane():
    assert sum(len(kinds) for kinds in KINDS.values()) == len(PLANE_OF)
    assert set(KINDS) == {"data", "training", "serving", "monitoring", "control"}


def test_the_feature_store_is_data():
    assert Component(id="store", kind="feature store").plane == "data"


def test_a_service_time_may_be_its_mean_alone():
    assert ServiceTime(mean="40 ms") == CapacityPlan(service_time="40 ms").service_time


@pytest.mark.parametrize(
    ("fields", "scv"),
    [
        ({}, None),
        ({"distribution": "constant"}, 0),
        ({"distribution": "exponential"}, 1),
        ({"distribution": "lognormal", "scv": 4}, 4),
    ],
)
def test_the_variation_of_a_service_time_follows_from_its_distribution(fields, scv):
    assert ServiceTime(mean="40 ms", **fields).known_scv == scv


def test_lookups_add_unless_they_are_made_at_once():
    assert Lookup(calls=23, time_per_call="2 ms").time_s == pytest.approx(0.046)
    assert Lookup(calls=23, time_per_call="2 ms", at_once=True).time_s == pytest.approx(0.002)


def test_different_patterns_on_different_paths_are_a_hybrid():
    batch, live = {"id": "a", "pattern": "pre-computed"}, {"id": "b", "pattern": "request-time"}
    assert Pattern(paths=[batch]).choice == "pre-computed"
    assert Pattern(paths=[batch, live]).choice == "hybrid"
    assert Pattern().choice is None


def test_one_entry_may_stand_without_a_list():
    assert Headroom(share="30%", pays_for="zone loss").pays_for == ("zone loss",)
    assert Feature(id="f", source="s", path="hourly").path == ("hourly",)


def test_a_feature_knows_the_stages_in_its_branches():
    path = ["a", Parallel(parallel=["b", ["c", "d"]]), "e"]
    assert Feature(id="f", source="s", path=path).stage_ids() == ("a", "b", "c", "d", "e")


def test_components_are_found_by_id_and_by_plane():
    planes = cases.load("harbour_pay").planes
    assert planes.component("scorer").kind == "model server"
    assert planes.component("nobody") is None
    assert planes.component("features") in planes.in_plane("data")


def test_repeated_ids_are_refused():
    twice = [{"id": "a", "kind": "metrics"}, {"id": "a", "kind": "cache"}]
    assert paths_refused(Planes, components=twice) == [("components", 1, "id")]
    assert paths_refused(
        Requirements,
        failure_modes=[{"id": "A1", "failure": "it fails"}],
        assumptions=[{"id": "A1", "text": "it holds"}],
    ) == [("assumptions", 0, "id")]
    assert paths_refused(Pattern, paths=[{"id": "a", "pattern": "hybrid"}] * 2) == [("paths", 1, "id")]
    stages = [Stage(id="a"), Stage(id="a")]
    assert paths_refused(DataFlow, stages=stages) == [("stages", 1, "id")]


def test_names_that_refer_to_nothing_are_refused():
    flow = {"from": "a", "to": "b", "carries": "request"}
    component = {"id": "a", "kind": "model server"}
    assert paths_refused(Planes, components=[component], flows=[flow]) == [("flows", 0, "to")]
    rejected = {"pattern": "streaming", "reason": "dear", "path": "a"}
    assert paths_refused(Pattern, rejected=[rejected]) == [("rejected", 0, "path")]
    feature = {"id": "f", "source": "s", "path": "hourly"}
    assert paths_refused(DataFlow, features=[feature]) == [("features", 0, "path")]


def test_a_feature_that_names_no_stage_is_refused_unless_the_request_brings_it():
    assert paths_refused(DataFlow, features=[Feature(id="f", source="s")]) == [("features", 0, "path")]
    assert DataFlow(features=[Feature(id="f", source="request")]).features


def test_a_feature_that_passes_a_stage_twice_is_refused():
    feature = Feature(id="f", source="s", path=["a", "a"])
    assert paths_refused(DataFlow, stages=[Stage(id="a")], features=[feature]) == [("features", 0, "path")]


def test_evidence_names_figures_sources_and_assumptions_of_the_design():
    evidence = [{"figure": "capacity.zones", "source": "paper", "assumption": "A1"}]
    assert paths_refused(Design, name="d", evidence=evidence) == [
        ("evidence", 0, "figure"),
        ("evidence", 0, "source"),
        ("evidence", 0, "assumption"),
    ]


def test_a_value_does_not_change():
    plan = CapacityPlan(replicas=38)
    with pytest.raises(ValueError, match="frozen"):
        plan.replicas = 45
    assert plan.changed(replicas=45) == CapacityPlan(replicas=45)
    assert plan.replicas == 38


def test_a_changed_value_is_checked_again():
    assert paths_refused(CapacityPlan(replicas=38).changed, replicas="many") == [("replicas",)]


def test_equal_designs_have_equal_hashes():
    here = cases.load("harbour_pay")
    again = Design.parse(here.to_yaml())
    assert here is not again
    assert {here: 1}[again] == 1


def test_a_part_is_replaced_and_the_rest_stays():
    before = cases.load("harbour_pay")
    after = before.with_part(capacity=before.capacity.changed(replicas=38))
    assert after.capacity.replicas == 38
    assert after.planes is before.planes
    assert after.evidence == before.evidence
    assert before.capacity.replicas == 45


def test_evidence_leaves_with_its_figure():
    design = cases.load("harbour_pay").with_part(capacity=None)
    assert design.capacity is None
    assert design.evidence
    assert not any(note.figure.startswith("capacity") for note in design.evidence)


def test_a_part_that_there_is_not_is_refused():
    assert paths_refused(Design(name="d").with_part, capacities=None) == [("capacities",)]


def test_a_figure_is_found_by_its_path():
    design = cases.load("harbour_pay")
    assert design.at("capacity.zones") == 3
    assert design.at("dataflow.features.amount.sla") == 0
    assert design.at("planes.flows.0.from") == "gateway"
    for nothing in ("capacity.zone", "dataflow.features.99", "name.x", "", "capacity.generation.model"):
        with pytest.raises(DesignError):
            design.at(nothing)


def test_an_error_travels_between_processes():
    with pytest.raises(UnreadableDesignError) as refused:
        Design()  # type: ignore[call-arg]
    again = pickle.loads(pickle.dumps(refused.value))  # noqa: S301 - our own
    assert (str(again), again.problems) == (str(refused.value), refused.value.problems)


def test_every_public_name_is_there():
    assert all(hasattr(design, name) for name in design.__all__)
    assert design.__all__ == sorted(
        design.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )


def test_the_sketch_of_some_components_names_no_others():
    whole = cases.load("harbour_pay").planes
    some = {"scorer", "features", "quality"}
    part = whole.among(some)
    assert {box.id for box in part.components} == some
    assert {(arrow.start, arrow.end) for arrow in part.flows} == {("scorer", "features")}
    assert {alert.raised_by for alert in part.alerts} <= some
    assert part.release == whole.release


def test_a_sketch_without_a_component_has_nothing_that_names_it():
    whole = cases.load("harbour_pay").planes
    part = whole.without("features", "quality")
    assert {box.id for box in whole.components} - {box.id for box in part.components} == {
        "features",
        "quality",
    }
    assert not [arrow for arrow in part.flows if {arrow.start, arrow.end} & {"features", "quality"}]
    assert "quality" not in {alert.raised_by for alert in part.alerts}


def test_a_flow_is_changed_where_it_is_and_nowhere_else():
    whole = cases.load("harbour_pay").planes
    bare = whole.with_flow("scorer", "features", fallback=None)
    changed = [(old, new) for old, new in zip(whole.flows, bare.flows, strict=True) if old != new]
    assert [(new.start, new.end, new.fallback) for _, new in changed] == [("scorer", "features", None)]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda case: case.planes.without("feature"),
        lambda case: case.planes.with_flow("features", "scorer", fallback=None),
        lambda case: case.dataflow.with_feature("card_spend_24", path="daily"),
        lambda case: case.dataflow.with_stage("merchant_rates", period="10 min"),
    ],
)
def test_what_a_design_does_not_have_is_not_changed_but_refused(wrong):
    with pytest.raises(DesignError, match=r"features|card_spend_24h|merchant_rate"):
        wrong(cases.load("harbour_pay"))


def test_a_stage_and_a_feature_are_changed_where_they_are():
    flow = cases.load("harbour_pay").dataflow
    changed = flow.with_stage("merchant_rate", period="7 min").with_feature("card_spend_24h", path="daily")
    assert changed.stage("merchant_rate").period == 7 * 60
    assert [old.id for old, new in zip(flow.features, changed.features, strict=True) if old != new] == [
        "card_spend_24h"
    ]


def test_an_alert_is_added_or_takes_the_place_of_the_one_with_its_id():
    alert = {"id": "late", "raised_by": "watch", "watches": "data", "metric": "age", "threshold": "above 1 h"}
    planes = Planes(components=[{"id": "watch", "kind": "metrics"}]).with_alert(**alert)
    again = planes.with_alert(**{**alert, "threshold": "above 2 h"})
    assert [one.threshold for one in again.alerts] == ["above 2 h"]
