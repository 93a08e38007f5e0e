"""What a report says beside the records: names, who is missing, code, requests, and how points count.

It is read from the gradebook, from autograded/ and from the term's settings; what is not there is left out.
"""

import ast
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.coursedir import CourseDirectory

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading import alike, anonymity, disagreement, judging, marks, term
from mlsd_helpers.grading.alike import Alike
from mlsd_helpers.grading.analysis import Analysis, Group
from mlsd_helpers.grading.records import Record
from mlsd_helpers.grading.release import CONFIG, configuration
from mlsd_helpers.grading.sections import section_of

_LINES, _LONG = 40, 2_000  # of a sample of code

Code = Mapping[str, Mapping[str, str]]
"""Of each student, the code of each exercise's answer."""


@dataclass(frozen=True)
class Asked:
    """A request to look at marks again; `answer` says what an instructor did since: a score by hand, or a comment."""

    student: str
    exercise: str
    score: float
    points: float
    reason: str
    answer: str = ""


@dataclass(frozen=True)
class Points:
    """How the marks of the term differ from the points of the records.

    `most` is the maximum in the marks, `weighted` the points of each exercise there, where they differ; `late` counts
    the submissions with a penalty, `lost` is the sum of these, and `by_hand` counts the scores that were set by hand.
    """

    most: float
    weighted: Mapping[str, float] = field(default_factory=dict)
    late: int = 0
    lost: float = 0.0
    by_hand: int = 0


@dataclass(frozen=True)
class Misconception:
    """A known mistake among those of all exercises, the lesson's section that treats it, and a sample of code."""

    exercise: str
    title: str
    group: Group
    section: str = ""
    address: str = ""
    sample: str = ""


@dataclass(frozen=True)
class Context:
    """What a report shows beside the analysis of the records; empty where it is not known.

    `names` are by id. `absent` are the students without a submission, of the `enrolled` ones in the gradebook.
    `samples` are by exercise and the name of a group of unexplained answers.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    enrolled: int = 0
    absent: tuple[str, ...] = ()
    ranking: tuple[Misconception, ...] = ()
    samples: Mapping[tuple[str, str], str] = field(default_factory=dict)
    requests: tuple[Asked, ...] = ()
    alike: tuple[Alike, ...] = ()
    points: Points | None = None


def read(
    course: Path,
    analysis: Analysis,
    records: Sequence[Record],
    *,
    page: Path,
    anonymous: bool = False,
    names: bool = False,
    db_url: str = "",
) -> Context:
    """Read the context of an analysis of these records, of which `records` still have the students' ids."""
    everyone = marks.students(course, db_url) if (course / CONFIG).is_file() else ()
    ids = [record.student for record in records]
    term_marks = _marks(course, analysis.assignment, db_url) if everyone else None
    accounted = set(ids)
    if term_marks is not None:  # excused, or with a mark by the submission of their group
        accounted |= {student for _, student in term_marks.excused}
        accounted |= {mark.student.id for mark in term_marks.marks}
    absent = [one.id for one in everyone if one.id not in accounted]
    code = _code(course, analysis.assignment, ids)
    found = _manual(course, analysis.assignment, db_url) if everyone else {}
    requests = [_asked(record, one, found) for record in records for one in record.requests]
    same = alike.groups(
        code, *(_sources(course / step / analysis.assignment) for step in ("release", "source"))
    )
    hide: Callable[[str], str] = str
    clean: Callable[[str], str] = str
    if anonymous:
        secret = anonymity.secret_of(course)
        clean = anonymity.cleaner((*everyone, *map(marks.Student, ids)), secret)
        hide = lambda student: anonymity.pseudonym(secret, student)  # noqa: E731
        code = {
            hide(student): {name: _without_names(source, clean) for name, source in answers.items()}
            for student, answers in code.items()
        }
    samples = {
        (item.id, group.kind, group.name): _sample(code, item.id, group)
        for item in analysis.items
        for group in item.groups
    }
    ranking = [
        Misconception(
            item.id,
            item.title,
            group,
            *_section(course, analysis.assignment, item.id, group.name, page),
            samples[item.id, "mistake", group.name],
        )
        for item in analysis.items
        for group in item.of("mistake")
    ]
    ranking.sort(key=lambda one: -len(one.group.students))
    return Context(
        {one.id: one.name for one in everyone if one.name != one.id} if names and not anonymous else {},
        len(everyone),
        tuple(sorted(map(hide, absent))),
        tuple(ranking),
        {(name, group): code for (name, kind, group), code in samples.items() if kind == "unexplained"},
        tuple(replace(one, student=hide(one.student), reason=clean(one.reason)) for one in requests),
        tuple(replace(one, students=tuple(sorted(map(hide, one.students)))) for one in same),
        _points(course, analysis.assignment, db_url, term_marks, found) if term_marks else None,
    )


def _section(course: Path, assignment: str, exercise: str, mistake: str, page: Path) -> tuple[str, str]:
    """Return the words and the address of a lesson's section, as JupyterLab makes its anchor."""
    lesson, heading = section_of(assignment, exercise, mistake)
    if not heading:
        return "", ""
    notebook = os.path.relpath(course / "course" / f"{lesson}.ipynb", page.parent)
    return f"{lesson}, {heading}", f"{Path(notebook).as_posix()}#{heading.replace(' ', '-')}"


# ---- code -----------------------------------------------------------------------------------------


def _code(course: Path, assignment: str, students: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the code that was graded, by student and exercise."""
    if not (course / CONFIG).is_file():
        return {}
    directory = CourseDirectory(config=configuration(course))
    return {
        student: _sources(Path(directory.format_path(directory.autograded_directory, student, assignment)))
        for student in students
    }


def _sources(folder: Path) -> dict[str, str]:
    """Return the code of each exercise's answer in the notebooks of a folder."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            notebook = nbformat.read(path, as_version=4)
        except (OSError, ValueError, nbformat.ValidationError):
            continue  # one that was edited by hand; it has no code to show
        tests = judging.exercises_of(notebook, {})
        for cell, exercise in zip(notebook.cells, disagreement.exercises_of(notebook, tests), strict=True):
            if exercise and cell.cell_type == "code" and utils.is_solution(cell):
                found[exercise] = "\n\n".join(filter(None, [found.get(exercise, ""), cell.source]))
    return found


def _sample(code: Code, exercise: str, group: Group) -> str:
    """Return the shortest code of a group's students, cut where it is long."""
    sources = (code.get(student, {}).get(exercise, "").strip() for student in group.students)
    shortest = min(filter(None, sources), key=len, default="")
    lines = shortest[:_LONG].split("\n")
    cut = len(lines) > _LINES or len(shortest) > _LONG
    return "\n".join([*lines[:_LINES], "…"] if cut else lines)


def _without_names(source: str, clean: Callable[[str], str]) -> str:
    """Return code without comments, or "" where it has an id or a name of the class, or can't be parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            bare = ast.unparse(ast.parse(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ""
    return bare if clean(bare) == bare else ""


# ---- the gradebook --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _ByHand:
    score: float | None = None
    comment: bool = False


def _manual(course: Path, assignment: str, db_url: str) -> dict[tuple[str, str], _ByHand]:
    """Return what was graded by hand, by student and cell."""
    found: dict[tuple[str, str], _ByHand] = {}
    with marks.gradebook(course, db_url) as book:
        for one in book.assignment_submissions(assignment):
            for notebook in one.notebooks:
                for grade in notebook.grades:
                    if isinstance(grade.manual_score, int | float):
                        found[one.student.id, grade.name] = _ByHand(float(grade.manual_score))
                for comment in notebook.comments:
                    if comment.manual_comment:
                        key = one.student.id, comment.name
                        found[key] = replace(found.get(key, _ByHand()), comment=True)
    return found


def _asked(record: Record, request: Any, by_hand: Mapping[tuple[str, str], _ByHand]) -> Asked:
    judged = record.exercises.get(request.exercise)
    own = [
        one
        for (student, cell), one in by_hand.items()
        if student == record.student and (cell == request.exercise or cell.startswith(f"{request.exercise}-"))
    ]
    score = next((one.score for one in own if one.score is not None), None)
    answers = ["score by hand"] * (score is not None) + ["comment"] * any(one.comment for one in own)
    shown = score if score is not None else judged.score if judged else 0.0
    points = judged.points if judged else 0.0
    return Asked(record.student, request.exercise, shown, points, request.reason, ", ".join(answers))


def _marks(course: Path, assignment: str, db_url: str) -> marks.Marks | None:
    try:
        return marks.read(course, [assignment], db_url)
    except WorkspaceError:  # `mlsd marks` says what is wrong
        return None


def _points(
    course: Path,
    assignment: str,
    db_url: str,
    found: marks.Marks,
    by_hand: Mapping[tuple[str, str], _ByHand],
) -> Points:
    late = [one.late_penalty for one in found.marks if one.late_penalty]
    with marks.gradebook(course, db_url) as book:
        graded = [cell for one in book.find_assignment(assignment).notebooks for cell in one.grade_cells]
        own = [(cell.name, cell.max_score) for cell in graded]
    weights = term.read(course).weights(assignment, own)
    weighted = {name: points * weights[name] for name, points in own if weights[name] != 1}
    scores = sum(one.score is not None for one in by_hand.values())
    return Points(found.assignments[assignment], weighted, len(late), sum(late), scores)
