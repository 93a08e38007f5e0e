import pytest

from mlsd_helpers import exercises
from mlsd_helpers.errors import ExerciseError
from mlsd_helpers.exercises.questions import Estimate
from mlsd_helpers.widgets import ask

OPEN = [question for question in exercises.QUESTIONS if isinstance(question, Estimate) and not question.truth]


@pytest.mark.parametrize("question", OPEN, ids=lambda question: question.id)
def test_a_number_of_the_lessons_own_data_is_computed_only_when_the_guess_is_locked(question):
    calls = []
    asked = ask(question.id, truth=lambda: calls.append("computed") or 7.0)
    assert not calls
    asked.lock(7)
    assert calls
    assert asked.verdict["headline"].startswith("Right.")


@pytest.mark.parametrize("question", OPEN, ids=lambda question: question.id)
def test_a_question_that_nothing_answers_is_refused(question):
    with pytest.raises(ExerciseError, match="truth="):
        ask(question.id)
