from collections import Counter

import pytest

from mlsd_helpers import exercises
from mlsd_helpers.errors import ExerciseError
from mlsd_helpers.exercises.questions import Estimate, Recall
from mlsd_helpers.widgets import ask
from mlsd_helpers.widgets.questions import mixed, truth_of

OPEN = [
    question for question in exercises.QUESTIONS if isinstance(question, Estimate) and not truth_of(question)
]


@pytest.mark.parametrize("question", OPEN, ids=lambda question: question.id)
def test_a_number_of_the_lessons_own_data_is_computed_only_when_the_guess_is_locked(question):
    calls = []
    asked = ask(question.id, truth=lambda: calls.append("computed") or 0.7)
    assert not calls
    asked.lock(0.7)
    assert calls
    assert asked.verdict["headline"].startswith("Right.")


@pytest.mark.parametrize("question", OPEN, ids=lambda question: question.id)
def test_a_question_that_nothing_answers_is_refused(question):
    with pytest.raises(ExerciseError, match="truth="):
        ask(question.id)


RECALLED = [question for question in exercises.QUESTIONS if isinstance(question, Recall)]


def test_the_right_option_stands_equally_often_in_each_place():
    for number in {len(question.options) for question in RECALLED}:
        alike = [question for question in RECALLED if len(question.options) == number]
        places = Counter(mixed(question).index(question.answer) for question in alike)
        fair = -(-len(alike) // number)
        assert max(places.values()) <= fair, f"of {len(alike)} questions with {number} options: {places}"


def test_no_lesson_has_the_right_option_in_one_place_only_and_no_round_of_places_repeats_for_ever():
    by_lesson = {}
    for question in RECALLED:
        by_lesson.setdefault(question.id[:2], []).append(mixed(question).index(question.answer))
    assert all(len(set(places)) > 1 for places in by_lesson.values() if len(places) > 2)
    assert len({tuple(places[:3]) for places in by_lesson.values()}) > 1


@pytest.mark.parametrize("question", RECALLED, ids=lambda question: question.id)
def test_the_order_of_options_is_the_same_each_time_and_loses_none(question):
    assert ask(question.id).options == mixed(question)
    assert sorted(mixed(question)) == sorted(question.options)


def test_every_truth_is_a_guess_that_is_accepted():
    for question in exercises.QUESTIONS:
        if isinstance(question, Estimate) and truth_of(question):
            asked = ask(question.id)
            asked.lock(truth_of(question)())
            assert asked.verdict["headline"].startswith("Right"), question.id


def test_a_task_with_all_that_it_needs_is_not_called_a_prediction():
    tasks = [one for one in exercises.QUESTIONS if isinstance(one, Estimate) and one.to_work_out]
    assert tasks
    for task in tasks:
        assert ask(task.id).still().startswith("<p><strong>Your turn.")
    assert ask("01-ask-mean").still().startswith("<p><strong>Predict first.")
