"""A synthetic class: hand-ins made from what the exercises know, with the scores that they deserve.

Each exercise brings its reference, its alternatives and its known mistakes, so a class that covers all of them
needs no list of its own. Grading is tried on it, and `mlsd demo` shows it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlsd_helpers.exercises import ALL, Exercise
from mlsd_helpers.exercises.kit import Wrong, answer_of, feedback, judge

_CHECKED = re.compile(r'mlsd\.check\("([^"]+)", (\w+)\)')
_SOLUTION = re.compile(r"[ \t]*### BEGIN SOLUTION\n(.*?)[ \t]*### END SOLUTION\n?", re.DOTALL)


@dataclass(frozen=True)
class HandIn:
    """What one student hands in: the source of answer cells by exercise, and what it deserves.

    An exercise that is not in `answers` stays as released. `feedback` is what the page has to say.
    """

    student: str
    answers: Mapping[str, str]
    scores: Mapping[str, float]
    feedback: Mapping[str, str] = field(default_factory=dict)


def class_of(course: Path, assignment: str) -> tuple[HandIn, ...]:
    """Return a class for an assignment in which each right answer and each known mistake is handed in by someone."""
    return tuple(_hand_ins(course, assignment))


def _hand_ins(course: Path, assignment: str) -> Iterator[HandIn]:
    exercises = [exercise for exercise in ALL if exercise.assignment == assignment]
    full = {exercise.id: exercise.points for exercise in exercises}
    solutions = _solutions(course, assignment)
    yield HandIn("reference", solutions, full)
    for number in range(max(len(exercise.alternatives) for exercise in exercises)):
        answers = {e.id: _binding(course, e, e.alternatives[number % len(e.alternatives)]) for e in exercises}
        yield HandIn(f"alternative-{number + 1}", answers, full)
    for number in range(max(len(exercise.mistakes) for exercise in exercises)):
        yield _mistaken(course, exercises, number)
    yield HandIn("blank", {}, dict.fromkeys(full, 0))
    first, last = exercises[0].id, exercises[-1].id
    yield HandIn("syntax-error", {**solutions, first: "def broken(:\n    pass"}, {**full, first: 0})
    raising = f"def {_name(course, exercises[-1])}(**_):\n    return 1 / 0"
    yield HandIn(
        "exception",
        {**solutions, last: raising},
        {**full, last: 0},
        {last: "ZeroDivisionError: division by zero"},
    )


def _mistaken(course: Path, exercises: list[Exercise], number: int) -> HandIn:
    known = [(exercise, exercise.mistakes[number % len(exercise.mistakes)]) for exercise in exercises]
    return HandIn(
        f"mistaken-{number + 1}",
        {exercise.id: _binding(course, exercise, mistake) for exercise, mistake in known},
        {exercise.id: judge(exercise, answer_of(mistake)).score for exercise, mistake in known},
        {exercise.id: feedback(mistake) for exercise, mistake in known},
    )


def _binding(course: Path, exercise: Exercise, answer: Any) -> str:
    """Return the source of a cell that gives an answer the name that the check looks for."""
    name = _name(course, exercise)
    if isinstance(answer, Wrong) or not callable(answer):
        return f"{name} = {answer_of(answer)!r}"
    return f"from {answer.__module__} import {answer.__name__} as {name}"


def _name(course: Path, exercise: Exercise) -> str:
    text = "\n".join(map(_text, _cells(_source(course, exercise.assignment))))
    checks: dict[str, str] = dict(_CHECKED.findall(text))
    return checks[exercise.id]


def _solutions(course: Path, assignment: str) -> dict[str, str]:
    """Return the instructor's own answer cells, as a student would have typed them."""
    return {
        _grade_id(cell).removesuffix("-answer"): _SOLUTION.sub(r"\1", _text(cell))
        for cell in _cells(_source(course, assignment))
        if _grade_id(cell).endswith("-answer")
    }


def hand_in(one: HandIn, course: Path, assignment: str) -> Path:
    """Write one hand-in into submitted/, from the released notebook, and return the notebook's path."""
    released = course / "release" / assignment / f"{assignment}.ipynb"
    notebook = json.loads(released.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        exercise = _grade_id(cell).removesuffix("-answer")
        if _grade_id(cell).endswith("-answer") and exercise in one.answers:
            cell["source"] = one.answers[exercise]
    path = course / "submitted" / one.student / assignment / f"{assignment}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def _source(course: Path, assignment: str) -> Path:
    return course / "source" / assignment / f"{assignment}.ipynb"


def _cells(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def _text(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])


def _grade_id(cell: Mapping[str, Any]) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))
