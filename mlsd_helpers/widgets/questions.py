"""Show a question of a lesson by its id."""

import random
from collections.abc import Callable
from importlib import import_module

from mlsd_helpers.errors import ExerciseError
from mlsd_helpers.exercises import QUESTIONS, find_question
from mlsd_helpers.exercises.questions import Estimate, Recall
from mlsd_helpers.widgets.prediction import Choice, Prediction


def ask(question_id: str, truth: float | Callable[[], float] | None = None) -> Prediction | Choice:
    """Ask a question of the course: a number to predict, or something to recall from an earlier lesson.

    `truth` is needed where neither the question nor `mlsd_helpers.samples` knows it: a number, or a function that
    computes it.

    Raises:
        ExerciseError: no question has this id, or nothing says what is true.
    """
    question = find_question(question_id)
    if isinstance(question, Estimate):
        known = truth_of(question) if truth is None else truth
        if known is None:
            raise ExerciseError(
                f"The answer to {question_id!r} follows from its lesson's data. "
                f"Give it: ask({question_id!r}, truth=...)."
            )
        return Prediction(
            question.question,
            question.unit,
            truth=known,
            because=question.because,
            within=question.within,
            highest=question.highest,
            heading="Your turn" if question.to_work_out else "Predict first",
        )
    return Choice(
        f"{question.question} (lesson {question.lesson})",
        mixed(question),
        answer=question.answer,
        because="",
        feedback=question.options,
    )


def truth_of(question: Estimate) -> Callable[[], float] | None:
    """Return what computes the truth of a question, from its own figures or from the data that its lesson shows."""
    return question.truth or import_module("mlsd_helpers.samples").TRUTHS.get(question.id)


def mixed(question: Recall) -> list[str]:
    """Return the options of a question in an order that is always the same and tells nothing of the answer.

    Over the questions of the course the right option stands equally often in each place, and among any few questions
    that follow each other in all places, in an order that cannot be guessed.
    """
    options = sorted(question.options)
    draw = random.Random(question.id)  # noqa: S311 - an order to look at, no secret
    draw.shuffle(options)
    options.remove(question.answer)
    options.insert(_place(question), question.answer)
    return options


def _place(question: Recall) -> int:
    """Return where the right option stands: a shuffled round of all places for each few questions."""
    number = len(question.options)
    alike = [one.id for one in QUESTIONS if isinstance(one, Recall) and len(one.options) == number]
    at = alike.index(question.id) if question.id in alike else 0
    places = list(range(number))
    random.Random(f"{number} {at // number}").shuffle(places)  # noqa: S311 - likewise
    return places[at % number]
