"""The stakeholder of lesson 01: a budget of questions, and what it takes to find what is hidden."""

import pytest

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
    assert asked(*keys).review().count("You found") == found
