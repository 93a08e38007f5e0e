"""The stakeholder of lesson 01: a budget of questions, and what it takes to find what is hidden."""

from itertools import combinations

import pytest

from mlsd_helpers.cases import load
from mlsd_helpers.errors import ExerciseError
from mlsd_helpers.exercises.requirements.interview import BUDGET, Interview


def asked(*keys: str) -> Interview:
    talk = Interview()
    for key in keys:
        talk.ask(key)
    return talk


def test_the_budget_is_kept() -> None:
    keys = list(Interview().questions)
    talk = asked(*keys[:BUDGET])
    with pytest.raises(ExerciseError):
        talk.ask(keys[BUDGET])
    assert list(talk.answers) == keys[:BUDGET]
    assert talk.ask(keys[0]) == talk.answers[keys[0]]


def test_to_ask_again_costs_nothing() -> None:
    talk = asked("wait", "wait", "wait")
    assert talk.left == BUDGET - 1


def test_an_unknown_question_costs_nothing() -> None:
    talk = Interview()
    with pytest.raises(ExerciseError):
        talk.ask("weather")
    assert talk.left == BUDGET


@pytest.mark.parametrize(
    ("keys", "found"),
    [(("age", "source", "law"), 2), (("age", "source"), 1), (("age", "law"), 1), (("age",), 0), ((), 0)],
)
def test_one_half_of_a_contradiction_finds_nothing(keys: tuple[str, ...], found: int) -> None:
    talk = asked(*keys)
    if {"age", "source"} <= set(keys):
        talk.confront("source", "age")
    assert talk.review().count("You found") == found


def test_to_have_heard_both_is_not_to_have_noticed() -> None:
    assert "You found" not in asked("age", "source").review()


def test_there_is_one_contradiction() -> None:
    keys = list(Interview().questions)
    found = set()
    for first, second in combinations(keys, 2):
        talk = asked(first, second)
        talk.confront(first, second)
        if "You found the contradiction" in talk.review():
            found.add((first, second))
    assert found == {("age", "source")}


@pytest.mark.parametrize("pair", [("age", "age"), ("age", "law"), ("weather", "age")])
def test_only_two_answers_that_were_heard_can_be_put_side_by_side(pair: tuple[str, str]) -> None:
    with pytest.raises(ExerciseError):
        asked("age", "source").confront(*pair)


def test_a_question_of_which_a_design_hangs_is_assumed_until_it_is_asked() -> None:
    missed = set(Interview().assumed)
    for key in ("law", "source"):
        assert len(missed - set(asked(key).assumed)) == 1


def test_what_is_not_asked_is_assumed_and_what_is_hidden_is_not_told() -> None:
    talk = Interview()
    everything = talk.assumed
    talk.ask("wait")
    assert set(everything) - set(talk.assumed) == {"latency"}
    assert not any("law" in part or "region" in part for part in everything)


def test_a_page_holds_the_constraint_that_was_heard_and_assumes_what_was_not_asked() -> None:
    worked = load("harbour_pay").requirements
    assert worked is not None
    unheard = Interview().page(worked)
    assert not unheard.constraints
    assert any("constraints" in one.text for one in unheard.assumptions)
    heard = asked("law").page(unheard)  # a second interview, on the page of the first
    assert heard.constraints == worked.constraints
    assert not any("constraints" in one.text for one in heard.assumptions)
