"""The document and the report of a simulation read well: nothing twice, no empty column, a verdict on each promise."""

import re

import pytest

from mlsd_helpers import cases, document
from mlsd_helpers.analysis.cost import costs_of
from mlsd_helpers.analysis.whole import answers_of
from mlsd_helpers.design import Design
from mlsd_helpers.document.fields import listed
from mlsd_helpers.document.markdown import Md
from mlsd_helpers.review import review
from mlsd_helpers.simulation.report import Report
from mlsd_helpers.simulation.requirements import RequirementResult, exactly
from tests.document.reading import section, shown, table, tables
from tests.document.whole import WHOLE

NAMES = cases.names()


def parts(*kinds, **fields):
    return [{"id": one, "kind": kind, **fields} for one, kind in kinds]


def answering(*fallbacks):
    """Return a gateway that calls a service for each fallback, and fails closed."""
    services = [(f"s{number}", "service") for number, _ in enumerate(fallbacks)]
    boxes = parts(("door", "api gateway"), *services, availability="99%")
    flows = [
        {
            "from": "door",
            "to": box,
            "carries": "request",
            "timeout": "1 s",
            "fails": "closed",
            "fallback": words,
        }
        for (box, _), words in zip(services, fallbacks, strict=True)
    ]
    return Design(name="d", planes={"components": boxes, "flows": flows})


def test_what_is_open_about_several_fallbacks_is_one_sentence_with_its_places_in_the_order_of_the_sketch():
    (why,) = answers_of(answering("Show the old list", "Take a message", "Hand over to a person")).whys
    assert re.findall(r"door → (s\d)", why) == ["s0", "s1", "s2"]
    assert why.count("answered: true") == 1


def test_availabilities_that_nobody_states_are_one_sentence():
    boxes = parts(("door", "api gateway"), ("a", "service"), ("b", "service"))
    flows = [{"from": "door", "to": box, "carries": "request"} for box in ("a", "b")]
    (why,) = answers_of(Design(name="d", planes={"components": boxes, "flows": flows})).whys
    assert {"door", "a", "b"} <= set(re.findall(r"\w+", why))


def test_no_reason_speaks_of_a_fallback_that_there_is_not():
    boxes = parts(("door", "api gateway"), ("a", "service"), availability="99%")
    flow = {"from": "door", "to": "a", "carries": "request", "fails": "open"}
    design = Design(name="d", planes={"components": boxes, "flows": [flow]})
    assert "None" not in " ".join(answers_of(design).whys)
    assert "None" not in shown(section(document(design), "planes"))


def test_the_reason_of_a_verdict_stands_below_the_table_of_a_simulation():
    why = "one of many reasons " * 20
    one = RequirementResult("answered", "at least 99%", exactly(0.9), None, unit="share", why=why)
    said = Report("d", (), (one,), (), ()).text()
    assert max(map(len, said.split("\n\n")[1].splitlines())) < 120
    assert why.split(".", maxsplit=1)[0].strip() in said


@pytest.mark.parametrize("name", ["support_assistant", "claims_scoring", "shelf_vision", "harbour_pay"])
def test_no_column_of_a_table_is_empty(name):
    for rows in tables(document(cases.load(name))):
        for head in rows[0]:
            said = {row[head] for row in rows}
            assert said != {"–"}, head
            assert said != {"no"} or head != "run by others"


@pytest.mark.parametrize("name", NAMES)
def test_large_figures_have_commas(name):
    words = document(cases.load(name))
    assert not re.findall(r"\[\d{4,} ?(?:rps|/\w+)\]", words)


@pytest.mark.parametrize("name", ["support_assistant", "netflix_recommendations", "claims_scoring"])
def test_the_summary_gives_a_verdict_on_each_promise_of_each_workload(name):
    case = cases.load(name)
    rows = table(document(case), "summary", "workload" if case.views else "promise")
    assert {row["verdict"] for row in rows} <= {"kept", "**missed**", "not judged"}
    for view in case.views or (case,):
        own = [row for row in rows if not case.views or row["workload"] == view.workload.id]
        needs = view.requirements
        assert len(own) >= len(needs.latency.promises if needs.latency else ()) + (
            needs.availability is not None
        )
    assert all(row.get("because", "–") != "–" for row in rows if row["verdict"] == "not judged")


def test_a_promise_that_a_fleet_breaks_is_missed_in_the_summary():
    case = cases.load("harbour_pay")
    latency = case.requirements.latency.changed(budget="60 ms")
    hurried = case.with_part(requirements=case.requirements.changed(latency=latency))
    first = table(document(hurried), "summary", "promise")[0]
    assert first["verdict"] == "**missed**"


def test_the_summary_compares_the_cost_with_the_budget():
    case = cases.load("harbour_pay")
    dear = case.with_part(capacity=case.capacity.changed(cost_per_replica_hour="$2"))
    assert "within the budget" in section(document(case), "summary")
    assert "above the budget" in section(document(dear), "summary")


def test_a_price_whose_use_is_not_known_is_one_item():
    price = {"per_million_input_tokens": "$1", "per_million_output_tokens": "$4"}
    box = {"id": "vendor", "kind": "external service", "price": price}
    assert len(costs_of(Design(name="d", planes={"components": [box]}))) == 1


def test_calls_of_a_worker_behind_a_queue_are_not_among_those_that_a_user_waits_for():
    boxes = parts(
        ("door", "api gateway"),
        ("m", "model server"),
        ("q", "event stream"),
        ("w", "service"),
        ("v", "service"),
    )
    flows = [
        {"from": "door", "to": "m", "carries": "request", "timeout": "1 s"},
        {"from": "m", "to": "q", "carries": "events"},
        {"from": "q", "to": "w", "carries": "events"},
        {"from": "w", "to": "v", "carries": "request", "timeout": "9 s"},
    ]
    words = section(document(Design(name="d", planes={"components": boxes, "flows": flows})), "planes")
    waited = words.partition("### Calls on which a request waits")[2].partition("### ")[0]
    aside = words.partition("### Calls on which no user waits")[2].partition("### ")[0]
    assert "1 s" in waited
    assert "9 s" not in waited
    assert "9 s" in aside


def test_entries_of_a_list_are_set_apart_by_a_mark_that_they_do_not_hold():
    assert listed([Md("a"), Md("b")]) == "a, b"
    assert listed([Md("One; two."), Md("Three")]) == "One; two. Three."
    assert listed([Md("a, b"), Md("c")]) == "a, b; c"


def test_goals_that_are_none_end_where_the_next_begins():
    needs = WHOLE.requirements.changed(non_goals=["Paying money back; staff do.", "Small talk."])
    words = shown(document(WHOLE.with_part(requirements=needs)))
    assert "staff do. Small talk." in words


def test_a_tiny_significance_is_sized_and_not_an_error():
    one = {"id": "e", "unit": "user", "units_per_day": 10, "metric": "time", "variation": 1.0, "effect": 1.0}
    one |= {"significance": 1e-20, "power": 0.8, "duration": "1 d"}
    assert any(found.code == "EXP002" for found in review(Design(name="d", experiments=[one])))
