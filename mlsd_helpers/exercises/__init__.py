"""Exercises and questions: what is asked, what is right, and which mistakes have a name.

Each package here is a lesson, and is found by itself. Its `ORDER` names the modules that hold an `EXERCISE`, as the
assignment asks them; its module `questions` holds the `QUESTIONS`. `kit` names the parts of the engine.

A number such as C45 in a comment is that of a belief in docs/misconceptions.md.
"""

from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

from mlsd_helpers.errors import ExerciseError
from mlsd_helpers.exercises.comparing import Solutions, solutions
from mlsd_helpers.exercises.kit import Case, Exercise, Hint, Verdict, judge
from mlsd_helpers.exercises.past import note
from mlsd_helpers.exercises.questions import Question

__all__ = [
    "ALL",
    "QUESTIONS",
    "Exercise",
    "Hint",
    "Verdict",
    "cases",
    "check",
    "compare",
    "find",
    "find_question",
    "hint",
    "inputs",
]

_lessons = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__) if found.ispkg]

ALL: tuple[Exercise, ...] = tuple(
    sorted(
        (import_module(f"{lesson.__name__}.{name}").EXERCISE for lesson in _lessons for name in lesson.ORDER),
        key=lambda exercise: exercise.assignment,
    )
)
"""Every exercise of the course, in the order of the lessons."""

QUESTIONS: tuple[Question, ...] = tuple(
    question for lesson in _lessons for question in import_module(f"{lesson.__name__}.questions").QUESTIONS
)
"""Every question that a lesson asks."""

_Asked = TypeVar("_Asked", Exercise, Question)
_rung: dict[str, int] = {}


def find(exercise_id: str) -> Exercise:
    """Return an exercise by its id.

    Raises:
        ExerciseError: no exercise has this id; the message names the nearest.

    """
    return _by_id(ALL, exercise_id, "exercise")


def find_question(question_id: str) -> Question:
    """Return a question by its id.

    Raises:
        ExerciseError: no question has this id; the message names the nearest.
    """
    return _by_id(QUESTIONS, question_id, "question")


def _by_id(among: tuple[_Asked, ...], wanted: str, kind: str) -> _Asked:
    known = {one.id: one for one in among}
    if wanted in known:
        return known[wanted]
    near = get_close_matches(str(wanted), known, n=1, cutoff=0.3)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ExerciseError(f"There is no {kind} {wanted!r}.{meant} Known: {', '.join(known)}.")


def inputs(exercise_id: str) -> tuple[Case, ...]:
    """Return the inputs on which the visible check of an exercise tries an answer: one mapping for each case.

    Raises:
        ExerciseError: no exercise has this id.
    """
    return find(exercise_id).cases


cases = inputs
"""The older name of `inputs`, which works for one release; `mlsd.cases` are the worked designs."""


def check(exercise_id: str, answer: Any, *, fresh: bool = False, seed: int | None = None) -> Verdict:
    """Judge an answer: on the cases shown with the exercise, or on fresh ones (as grading does).

    Whatever the answer does, the verdict says it in plain words; nothing is raised. In a workspace, a mistake that
    has a name is kept for `mlsd again`.

    Raises:
        ExerciseError: no exercise has this id.

    """
    verdict = judge(find(exercise_id), answer, fresh=fresh, seed=seed)
    for mistake in verdict.mistakes:
        note(exercise_id, mistake)
    return verdict


def compare(exercise_id: str, answer: Any) -> Solutions | Verdict:
    """Show the course's own answer and another way, to whoever has solved the exercise.

    The answer is tried on fresh inputs first; where it does not get full points, the verdict is returned.

    Raises:
        ExerciseError: no exercise has this id.

    """
    verdict = check(exercise_id, answer, fresh=True)
    return solutions(find(exercise_id)) if verdict.passed else verdict


def hint(exercise_id: str) -> Hint:
    """Return the next hint: where to look, then how to start, then a worked neighbour. Never the answer.

    After the last one it starts again from the first.

    Raises:
        ExerciseError: no exercise has this id.

    """
    hints = find(exercise_id).hints
    rung = _rung.get(exercise_id, 0)
    _rung[exercise_id] = (rung + 1) % len(hints)
    return Hint(hints[rung], rung + 1, len(hints))


def __dir__() -> list[str]:
    """List what a learner needs, so that completion shows no answer."""
    return ["check", "compare", "hint", "inputs"]
