"""The cases: complete, with a reason for every figure, and good by their own numbers."""

import math
import sys
from subprocess import run

import pytest

from mlsd_helpers import cases
from mlsd_helpers.errors import DesignError

HARBOUR = cases.load("harbour_pay")


def test_a_name_that_is_no_case_gets_the_nearest_one():
    with pytest.raises(DesignError, match="harbour_pay"):
        cases.load("harbor_pay")


@pytest.mark.parametrize("name", ["../cases/harbour_pay", "/etc/passwd", "", "harbour_pay.yaml"])
def test_a_path_is_no_case(name):
    with pytest.raises(DesignError):
        cases.load(name)


@pytest.mark.parametrize("name", cases.names())
def test_every_part_of_a_case_is_there(name):
    case = cases.load(name)
    assert all((case.summary, case.requirements, case.planes, case.dataflow, case.pattern, case.capacity))


@pytest.mark.parametrize("name", cases.names())
def test_every_piece_of_evidence_names_a_source_or_an_assumption(name):
    assert all(note.source or note.assumption for note in cases.load(name).evidence)


def test_harbour_pay_keeps_the_four_axes_of_its_brief():
    needs = HARBOUR.requirements
    assert needs.prediction.type == "binary classification"
    assert needs.latency.tier == "near-real-time"
    assert (needs.throughput.peak, needs.throughput.mean) == (500, 200)
    assert needs.freshness.features == 15 * 60


def test_harbour_pay_keeps_its_latency_budget():
    latency, planes = HARBOUR.requirements.latency, HARBOUR.planes
    assert sum(part.time for part in latency.split) < latency.budget
    way = ("gateway", "scorer", "features", "rules")
    assert sum(planes.component(name).latency for name in way) < latency.budget


def test_harbour_pay_carries_its_peak_without_a_zone():
    plan = HARBOUR.capacity
    assert plan.replicas == plan.zones * plan.replicas_per_zone == 45
    need = plan.load * plan.service_time.mean / plan.target_utilisation
    assert plan.replicas - plan.replicas_per_zone >= need
    assert plan.replicas_per_zone - 1 < need / (plan.zones - 1)  # and not one more than it takes


def test_harbour_pay_carries_its_peak_in_a_rolling_restart():
    plan = HARBOUR.capacity
    left = plan.replicas - math.ceil(plan.replicas * plan.headroom.unavailable_in_restart)
    assert plan.load * plan.service_time.mean / left <= plan.target_utilisation


def test_harbour_pay_stays_within_its_cost():
    plan = HARBOUR.capacity
    assert plan.replicas * plan.cost_per_replica_hour * 24 * 30 <= plan.budget_per_month


def worst_age(step):
    """Return the oldest that one step can make a feature."""
    if not isinstance(step, str):
        return max(sum(map(worst_age, branch)) for branch in step.parallel)
    stage = HARBOUR.dataflow.stage(step)
    return (stage.period or 0) + sum(stage.delays) + (stage.ttl or 0)


@pytest.mark.parametrize("feature", HARBOUR.dataflow.features, ids=lambda feature: feature.id)
def test_each_feature_of_harbour_pay_is_fresh_readable_and_has_a_default(feature):
    assert sum(map(worst_age, feature.path)) <= feature.sla
    assert feature.default is not None
    assert feature.source == "request" or HARBOUR.dataflow.stage(feature.path[-1]).store == "online"


def test_the_features_of_harbour_pay_fill_the_input_without_gap_or_overlap():
    flow = HARBOUR.dataflow
    slots = [slot for f in flow.features for slot in range(f.slot, f.slot + f.width)]
    assert sorted(slots) == list(range(flow.input_width))


def test_stages_and_sources_of_harbour_pay_are_components():
    names = {component.id for component in HARBOUR.planes.components} | {"request"}
    assert {stage.component for stage in HARBOUR.dataflow.stages} <= names
    assert {feature.source for feature in HARBOUR.dataflow.features} <= names
    assert HARBOUR.planes.component(HARBOUR.capacity.component).replicas == HARBOUR.capacity.replicas


@pytest.mark.parametrize("module", ["numpy", "yaml"])
def test_the_design_itself_loads_neither_numpy_nor_yaml(module):
    code = f"import sys, mlsd_helpers.design\nsys.exit({module!r} in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
