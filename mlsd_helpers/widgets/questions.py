"""Show a question of a lesson by its id."""

from collections.abc import Callable

from mlsd_helpers.errors import ExerciseError
from mlsd_helpers.exercises import find_question
from mlsd_helpers.exercises.questions import Estimate
from mlsd_helpers.widgets.prediction import Choice, Prediction


def ask(question_id: str, truth: Callable[[], float] | None = None) -> Prediction | Choice:
    """Ask a question of the course: a number to predict, or something to recall from an earlier lesson.

    `truth` computes a number that follows from the lesson's own data; it is called once a guess is locked in.

    Raises:
        ExerciseError: no question has this id, or nothing says what is true.
    """
    question = find_question(question_id)
    if isinstance(question, Estimate):
        known = question.truth or truth
        if known is None:
            raise ExerciseError(
                f"The answer to {question_id!r} follows from its lesson's data. "
                f"Give a function that computes it: ask({question_id!r}, truth=...)."
            )
        return Prediction(
            question.question,
            question.unit,
            truth=known,
            because=question.because,
            within=question.within,
        )
    return Choice(
        f"{question.question} (lesson {question.lesson})",
        list(question.options),
        answer=question.answer,
        because="",
        feedback=question.options,
    )
