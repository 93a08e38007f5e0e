"""Accepted findings: they leave the review, until their day; and an acceptance is reviewed too."""

import json
from datetime import date

import pytest

from mlsd_helpers import cases, cli
from mlsd_helpers.analysis.sizing import sizing_of
from mlsd_helpers.design import Acceptance, Design
from mlsd_helpers.review import review, reviewed
from mlsd_helpers.simulation.requirements import RequirementResult, exactly, with_acceptances
from tests.review.mutations.fuller import setting

DAY = date(2026, 12, 1)
BOXES = [one.id for one in cases.load("harbour_pay").planes.components]
DRIFT_BY_POSITION = f"planes.components.{BOXES.index('drift')}"


def accepting(**fields) -> Design:
    """Return a design with a component that nobody owns, and an acceptance."""
    given = {"rule": "PLANE004", "because": "The team is being founded", "by": "Head of data"}
    ownerless = setting(cases.load("harbour_pay"), "planes.components.drift", owner=None)
    return ownerless.with_part(accepted=[Acceptance(**(given | fields))])


def codes(design: Design, today: date = DAY) -> list[str]:
    return [finding.code for finding in review(design, today)]


@pytest.mark.parametrize(
    "where", [None, "drift", "planes.components.drift", DRIFT_BY_POSITION, "planes.components", "planes"]
)
def test_a_finding_is_accepted_by_its_id_its_path_or_what_holds_it(where):
    design = accepting(where=where)
    assert codes(design) == []
    assert [(found.code, by.by) for found, by in reviewed(design, DAY).accepted] == [
        ("PLANE004", "Head of data")
    ]


@pytest.mark.parametrize("where", ["scorer", "planes.flows"])
def test_another_place_accepts_nothing_and_says_so(where):
    assert codes(accepting(where=where)) == ["DEC006", "PLANE004"]


@pytest.mark.parametrize(
    ("until", "found"),
    [("2026-12-01", []), ("2026-12-02", []), ("2026-11-30", ["DEC004", "PLANE004"])],
)
def test_an_acceptance_counts_until_its_day_and_the_finding_comes_back_after_it(until, found):
    assert codes(accepting(until=until)) == found


@pytest.mark.parametrize("rule", ["DEC004", "DEC005", "DEC006", "DEC007", "DEC008"])
def test_the_rules_on_acceptances_cannot_be_accepted(rule):
    assert "DEC005" in codes(accepting(rule=rule))


@pytest.mark.parametrize("because", ["x", "tbd", "-", "n/a", "To be decided."])
def test_a_reason_without_words_is_none(because):
    assert codes(accepting(because=because)) == ["DEC007"]


def test_a_command_lists_what_is_accepted_and_exits_as_without_it(tmp_path, capsys):
    path = str(accepting(until="9000-01-01").save(tmp_path / "design.yaml"))
    assert cli.main(["check", path]) == 0
    said = capsys.readouterr().out
    assert all(
        text in said for text in ("PLANE004", "9000-01-01", "Head of data", "The team is being founded")
    )
    cli.main(["check", path, "--format", "json"])
    record = json.loads(capsys.readouterr().out)
    assert record["findings"] == []
    assert [(one["code"], one["accepted"]["until"]) for one in record["accepted"]] == [
        ("PLANE004", "9000-01-01")
    ]


def test_a_review_of_the_same_day_is_the_same():
    assert reviewed(accepting(until="2026-12-01"), DAY) == reviewed(accepting(until="2026-12-01"), DAY)


def slow(budget: str, **fields) -> Design:
    split = [{"part": "all", "time": "400 ms"}]
    needs = {"latency": {"budget": budget, "percentile": "p99", "split": split}}
    given = {"rule": "REQ005", "because": "The screen shows a picture meanwhile", "by": "Head of product"}
    return Design(name="d", requirements=needs, accepted=[Acceptance(**(given | fields))])


def test_an_acceptance_holds_for_the_figures_that_it_was_given_for():
    (said,) = (one.message for one in review(slow("300 ms", rule="REQ004")) if one.code == "REQ005")
    assert {"REQ005", "DEC008"}.isdisjoint(codes(slow("300 ms", found=said)))
    assert {"REQ005", "DEC008"} <= set(codes(slow("200 ms", found=said)))
    assert {"DEC006"}.isdisjoint(codes(slow("200 ms", found=said)))
    assert "REQ005" not in codes(slow("200 ms"))


@pytest.mark.parametrize(
    ("found", "is_accepted"), [(None, True), ("99%", False), ("40%", True), ("soon", False)]
)
def test_a_promise_that_simulate_finds_missed_can_be_accepted_for_its_figure(found, is_accepted):
    missed = RequirementResult("answered", "at least 99.9 %", exactly(0.5), met=False, unit="share")
    by = {"rule": "SIM004", "because": "A pilot of a week", "by": "Head of product", "found": found}
    design = Design(name="d", capacity={"replicas": 2}, accepted=[by])
    (one,) = with_acceptances(design, sizing_of(design), [missed], DAY)
    assert one.word == "missed"
    assert ("Head of product" in one.accepted) is is_accepted
    assert not {"DEC005", "DEC006"} & set(codes(design))
