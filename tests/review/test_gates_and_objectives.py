"""Gates on few positives, promotion inside a registry, objectives by what they measure, failures that only delay."""

import pytest

from mlsd_helpers import cases
from mlsd_helpers.design import Design, Flow
from mlsd_helpers.review import review
from tests.review.mutations.fuller import adding, in_full, setting


def found(design: Design, code: str) -> str:
    return " ".join(one.message for one in review(design) if one.code == code)


def gated(**fields: object) -> Design:
    limits = {"at_least": None, "baseline": "The model in use"}
    return setting(in_full(), "planes.release.gates.recall", **limits | fields)


@pytest.mark.parametrize(
    ("fields", "is_found"),
    [
        ({"positives": 40, "worse_by_at_most": "2%"}, True),
        ({"positives": 40, "worse_by_at_most": "2%", "paired": True}, True),
        ({"positives": 250, "worse_by_at_most": "2%"}, True),
        ({"positives": 250, "worse_by_at_most": "2%", "paired": True}, False),
        ({"positives": 5000, "worse_by_at_most": "2%"}, False),
        ({"positives": 12}, True),
        ({"positives": 300}, False),
        ({"positives": 5000, "at_least": "80%", "smallest_slice": 100}, True),
        ({"positives": 5000, "at_least": "80%", "smallest_slice": 20_000}, False),
        ({"positives": None, "cases": 20_000, "worse_by_at_most": "2%"}, True),
    ],
)
def test_a_gate_on_positives_needs_as_many_as_its_limit_or_difference_can_be_seen_on(fields, is_found):
    assert bool(found(gated(**fields), "EXP012")) is is_found


def test_a_gate_on_no_positive_is_told_so_in_plain_figures():
    few = setting(
        gated(positives=None, cases=20_000, worse_by_at_most="1%"),
        "requirements.prediction",
        base_rate="0.002%",
    )
    for design in (few, setting(few, "planes.release.gates.recall", at_least="80%")):
        said = found(design, "EXP012")
        assert "less than one positive" in said
        assert "e+" not in said


def by_registry(*flows: Flow) -> Design:
    design = cases.load("harbour_pay")
    kept = [flow for flow in design.at("planes").flows if flow.carries != "model"]
    return adding(setting(design, "planes", flows=kept), "planes.flows", *flows)


TRAINED = Flow(start="training", end="models", carries="model")
SERVED = Flow(start="models", end="scorer", carries="model")


def test_a_gate_that_promotes_in_the_registry_lets_no_other_model_out():
    told = Flow(start="gate", end="models", carries="command")
    assert found(by_registry(TRAINED, SERVED), "PLANE025")
    assert not found(by_registry(TRAINED, SERVED, told), "PLANE025")
    through = (TRAINED.changed(end="gate"), Flow(start="gate", end="models", carries="model"), SERVED)
    assert not found(by_registry(*through), "PLANE025")
    past = Flow(start="training", end="scorer", carries="model")
    assert found(by_registry(TRAINED, SERVED, told, past), "PLANE025")


@pytest.mark.parametrize(
    ("indicator", "measures", "is_found"),
    [
        ("payments scored / payments", None, True),
        ("nights with all accounts scored by 06:30 / nights", None, False),
        ("runs that succeeded / runs", None, False),
        ("payments scored / payments", "right", False),
        ("good ones / all", "answered", True),
    ],
)
def test_an_objective_is_held_against_answers_only_if_it_counts_them(indicator, measures, is_found):
    ours = {
        "id": "ours",
        "indicator": indicator,
        "measures": measures,
        "target": "99.9999%",
        "window": "30 d",
    }
    design = cases.load("harbour_pay").with_part(operations={"objectives": [ours]})
    assert bool(found(design, "PLANE061")) is is_found


def test_a_failure_that_only_delays_is_decided():
    design = cases.load("harbour_pay")
    first = design.at("requirements.failure_modes")[0].id
    flows = [flow.changed(fails=None, otherwise=None) for flow in design.planes.flows]
    unsaid = setting(design, "planes", flows=flows)
    of_scorer = setting(unsaid, f"requirements.failure_modes.{first}", of="scorer", fails=None)
    assert found(of_scorer, "REQ012")
    assert not found(setting(of_scorer, f"requirements.failure_modes.{first}", fails="delayed"), "REQ012")


# ---- a field decides, and words only where it is left out


@pytest.mark.parametrize(
    ("path", "fields", "code", "is_found"),
    [
        ("planes.release.gates.recall", {"on": "Payments of May", "drawn": "at random"}, "EXP013", True),
        ("planes.release.gates.recall", {"on": "A random 10% of May"}, "EXP013", True),
        ("planes.release.gates.recall", {"on": "A random 10% of May", "drawn": "later"}, "EXP013", False),
        (
            "planes.release.gates.recall",
            {"metric": "hits", "positives": 20, "share_of": "positives"},
            "EXP012",
            True,
        ),
        ("planes.release.gates.recall", {"positives": 20, "share_of": "alarms"}, "EXP012", False),
        ("experiments.limit", {"looks": 10}, "EXP003", True),
        ("experiments.limit", {"looks": 10, "sequential": "Alpha spending"}, "EXP003", False),
        ("requirements.labels", {"rest_on": "decision"}, "DATA028", True),
        (
            "requirements.labels",
            {"source": "What reviewers decided", "rest_on": "judgement"},
            "DATA028",
            False,
        ),
        (
            "requirements.labels",
            {"source": "What they do", "explored": None, "selection": None, "rest_on": "behaviour"},
            "DATA014",
            True,
        ),
        (
            "requirements.labels",
            {"source": "Clicks", "selection": "All", "rest_on": "outcome"},
            "DATA014",
            False,
        ),
    ],
)
def test_a_field_decides_before_words_do(path, fields, code, is_found):
    assert bool(found(setting(in_full(), path, **fields), code)) is is_found


def test_people_who_can_change_a_decision_are_named_and_not_guessed():
    flows = [flow for flow in in_full().at("planes").flows if "analysts" not in {flow.start, flow.end}]
    alone = setting(in_full(), "planes", flows=flows)
    assert found(alone, "DATA012")
    assert not found(setting(alone, "requirements.prediction", reviewed_by="analysts"), "DATA012")
    assert found(setting(alone, "requirements.prediction", reviewed_by="pager"), "DATA012")


@pytest.mark.parametrize(
    ("run_time", "shadow", "is_found"), [("8 d", "0 s", True), ("1 d", "8 d", True), ("1 d", "7 d", False)]
)
def test_no_step_of_a_release_outlasts_the_period_of_training(run_time, shadow, is_found):
    design = setting(in_full(), "planes.retraining", period="7 d")
    design = setting(setting(design, "data.training", run_time=run_time), "planes.release", shadow=shadow)
    assert bool(found(design, "PLANE070")) is is_found
