"""A synthetic class: submissions made from the answers that the exercises define, with the expected scores.

Each exercise has a reference, alternatives and known mistakes, and the class submits all of them. The tests of grading
and `mlsd demo` use it.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mlsd_helpers.exercises import ALL, Exercise, find
from mlsd_helpers.exercises.kit import CaseSet, answer_of, feedback, judge
from mlsd_helpers.grading.standalone import source_of

_CHECKED = re.compile(r'mlsd\.check\("([^"]+)", (\w+)\)')
_SOLUTION = re.compile(r"[ \t]*### BEGIN SOLUTION\n(.*?)[ \t]*### END SOLUTION\n?", re.DOTALL)


@dataclass(frozen=True)
class SyntheticStudent:
    """One student's submission: the source of answer cells by exercise, and the expected scores.

    An exercise that is not in `answers` stays as released. `feedback` is the text expected on the page, by exercise.
    """

    student: str
    answers: Mapping[str, str]
    scores: Mapping[str, float]
    feedback: Mapping[str, str] = field(default_factory=dict)


def class_of(course: Path, assignment: str) -> tuple[SyntheticStudent, ...]:
    """Return a class in which some student submits each right answer and each known mistake."""
    return tuple(_submissions(course, assignment))


def large_class(course: Path, assignment: str, students: int, seed: int) -> tuple[SyntheticStudent, ...]:
    """Return a class of a given size; each answer is drawn from the right ones, the known mistakes, and none."""
    rng = random.Random(seed)  # noqa: S311 - a class, not secrets
    ids = [exercise.id for exercise in _exercises(assignment)]
    drawn_from = [(*_right(course, one), *_wrong(course, one), _SubmittedAnswer(one, None, 0)) for one in ids]
    return tuple(
        _joined(f"student-{number:0{len(str(students))}}", [rng.choice(answers) for answers in drawn_from])
        for number in range(1, students + 1)
    )


@dataclass(frozen=True)
class _SubmittedAnswer:
    """One student's answer to one exercise; without a source the cell stays as released."""

    exercise: str
    source: str | None
    score: float
    feedback: str = ""


@cache
def _right(course: Path, exercise_id: str) -> tuple[_SubmittedAnswer, ...]:
    exercise = find(exercise_id)
    right = (exercise.reference, *exercise.alternatives)
    return tuple(
        _SubmittedAnswer(exercise_id, _typed(course, exercise, one), exercise.points) for one in right
    )


@cache
def _wrong(course: Path, exercise_id: str) -> tuple[_SubmittedAnswer, ...]:
    exercise = find(exercise_id)
    case_set = CaseSet.of(exercise, exercise.cases)
    return tuple(
        _SubmittedAnswer(
            exercise_id,
            _typed(course, exercise, answer),
            judge(exercise, answer, case_set=case_set).score,
            said,
        )
        for answer, said in ((answer_of(mistake), feedback(mistake)) for mistake in exercise.mistakes)
    )


def _joined(student: str, answers: Sequence[_SubmittedAnswer]) -> SyntheticStudent:
    return SyntheticStudent(
        student,
        {one.exercise: one.source for one in answers if one.source is not None},
        {one.exercise: one.score for one in answers},
        {one.exercise: one.feedback for one in answers if one.feedback},
    )


def _exercises(assignment: str) -> list[Exercise]:
    return [exercise for exercise in ALL if exercise.assignment == assignment]


def _submissions(course: Path, assignment: str) -> Iterator[SyntheticStudent]:
    exercises = _exercises(assignment)
    full = {exercise.id: exercise.points for exercise in exercises}
    solutions = _solutions(course, assignment)
    yield SyntheticStudent("reference", solutions, full)
    right = [_right(course, exercise)[1:] for exercise in full]
    wrong = [_wrong(course, exercise) for exercise in full]
    for kind, rows in (("alternative", right), ("mistaken", wrong)):
        for number in range(max(map(len, rows))):
            yield _joined(f"{kind}-{number + 1}", [row[number % len(row)] for row in rows])
    yield SyntheticStudent("blank", {}, dict.fromkeys(full, 0))
    first, last = exercises[0].id, exercises[-1].id
    yield SyntheticStudent("syntax-error", {**solutions, first: "def broken(:\n    pass"}, {**full, first: 0})
    raising = f"def {_name(course, exercises[-1])}(**_):\n    return 1 / 0"
    yield SyntheticStudent(
        "exception",
        {**solutions, last: raising},
        {**full, last: 0},
        {last: "ZeroDivisionError: division by zero"},
    )


def _typed(course: Path, exercise: Exercise, answer: Any) -> str:
    """Return the source of a cell that binds an answer to the name that the check reads."""
    return source_of(answer, _name(course, exercise))


def _name(course: Path, exercise: Exercise) -> str:
    """Return the name that an exercise's check reads."""
    return _names(_source(course, exercise.assignment))[exercise.id]


@cache
def _names(notebook: Path) -> Mapping[str, str]:
    code = "\n".join(_text(cell) for cell in _cells(notebook) if cell["cell_type"] == "code")
    return dict(_CHECKED.findall(code))


def _solutions(course: Path, assignment: str) -> dict[str, str]:
    """Return the instructor's own answer cells, as a student would have typed them."""
    return {
        _grade_id(cell).removesuffix("-answer"): _SOLUTION.sub(r"\1", _text(cell))
        for cell in _cells(_source(course, assignment))
        if _grade_id(cell).endswith("-answer")
    }


def submit(one: SyntheticStudent, course: Path, assignment: str) -> Path:
    """Write one submission into submitted/, from the released notebook, and return the notebook's path."""
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
