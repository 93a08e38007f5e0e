"""Show a question of a lesson by its id."""

from mlsd_helpers.exercises import find_question
from mlsd_helpers.exercises.questions import Estimate
from mlsd_helpers.widgets.prediction import Choice, Prediction


def ask(question_id: str) -> Prediction | Choice:
    """Ask a question of the course: a number to predict, or something to recall from an earlier lesson.

    Raises:
        ExerciseError: no question has this id.
    """
    question = find_question(question_id)
    if isinstance(question, Estimate):
        return Prediction(
            question.question,
            question.unit,
            truth=question.truth,
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
