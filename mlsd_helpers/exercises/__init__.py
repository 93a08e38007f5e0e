"""Exercises: what is right, and which mistakes have a name.

One module a lesson, each with its `EXERCISES`; `kit` is the engine. A new module is found by itself.
"""

from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from mlsd_helpers.errors import ExerciseError
from mlsd_helpers.exercises.kit import Exercise, Hint, Verdict, judge

__all__ = ["ALL", "Exercise", "Hint", "Verdict", "check", "find", "hint"]


def _discover() -> tuple[Exercise, ...]:
    names = sorted(module.name for module in iter_modules(__path__) if module.name != "kit")
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return tuple(exercise for module in modules for exercise in module.EXERCISES)


ALL: tuple[Exercise, ...] = _discover()
"""Every exercise of the course, in the order of the lessons."""

_rung: dict[str, int] = {}


def find(exercise_id: str) -> Exercise:
    """Return an exercise by its id.

    Raises:
        ExerciseError: no exercise has this id; the message names the nearest.

    """
    for exercise in ALL:
        if exercise.id == exercise_id:
            return exercise
    known = [exercise.id for exercise in ALL]
    near = get_close_matches(str(exercise_id), known, n=1, cutoff=0.3)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ExerciseError(f"There is no exercise {exercise_id!r}.{meant} Known: {', '.join(known)}.")


def check(exercise_id: str, answer: Any, *, fresh: bool = False, seed: int | None = None) -> Verdict:
    """Judge an answer: on the cases shown with the exercise, or on fresh ones (as grading does).

    Whatever the answer does, the verdict says it in plain words; nothing is raised.

    Raises:
        ExerciseError: no exercise has this id.

    """
    return judge(find(exercise_id), answer, fresh=fresh, seed=seed)


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
