"""Marks from nbgrader's gradebook, with its manual grades and late penalties, as CSV for people or an LMS."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading import class_exceptions, term
from mlsd_helpers.grading.class_exceptions import ClassExceptions
from mlsd_helpers.grading.lateness import LatePenalty, due_of, seconds_late
from mlsd_helpers.grading.release import configuration
from mlsd_helpers.grading.spreadsheets import Cell, table
from mlsd_helpers.printable import one_line

_SQLITE = "sqlite:///"
_LEAST_POINTS = 1e-6  # of a cell with points
_LISTED = 20  # invalid marks in an error message
_CANVAS_ID = re.compile(r"canvas-(\d+)")  # how `mlsd collect` names a student who is not in the gradebook


@dataclass(frozen=True)
class Student:
    """A student in the gradebook; what it does not have is empty.

    `lms_user_id` is the LMS's id: set it with `nbgrader db student add` or `import`.
    """

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""

    @property
    def name(self) -> str:
        """The full name, or the id where there is none."""
        return f"{self.first_name} {self.last_name}".strip() or self.id


@dataclass(frozen=True)
class Mark:
    """The mark of one submission, in the points of the term: points, late penalty, and maximum.

    `waits` is true while a manual grade is missing; `stale` while the feedback page shows another late penalty.
    """

    assignment: str
    student: Student
    points: float
    late_penalty: float
    most: float
    waits: bool = False
    stale: bool = False

    @property
    def score(self) -> float:
        """Points minus the late penalty, and at least zero, as nbgrader exports them."""
        return max(0.0, self.points - self.late_penalty)


@dataclass(frozen=True)
class Marks:
    """The marks of some assignments: the maximum of each, the class, and a mark for each submission that counts.

    `excused` has the assignments and ids of excused students. `ignored` has those of submissions that don't count,
    since their students are in the group of somebody else. `decimals` are those of a score in a table; None for all.
    """

    assignments: Mapping[str, float]
    students: tuple[Student, ...]
    marks: tuple[Mark, ...]
    excused: frozenset[tuple[str, str]] = frozenset()
    ignored: tuple[tuple[str, str], ...] = ()
    decimals: int | None = None

    @property
    def waiting(self) -> tuple[Mark, ...]:
        """The marks that lack a manual grade."""
        return tuple(mark for mark in self.marks if mark.waits)

    @property
    def stale(self) -> tuple[Mark, ...]:
        """The marks whose feedback page shows another late penalty."""
        return tuple(mark for mark in self.marks if mark.stale)

    def rounded(self, points: float) -> float:
        """Return points with the decimals of a table; a half is rounded up.

        >>> Marks({}, (), (), decimals=1).rounded(63.25)
        63.3
        """
        if self.decimals is None or not math.isfinite(points):
            return points
        exact = Decimal(repr(round(points, 9)))  # without what a computation added
        return float(exact.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP))

    def by_student(self, excused: str | None = None) -> Iterator[tuple[Student, list[float | str | None]]]:
        """Yield each student with a score for each assignment: None for no submission, `excused` where that holds."""
        scores: dict[tuple[str, str], float | str | None] = dict.fromkeys(self.excused, excused)
        scores |= {(mark.assignment, mark.student.id): self.rounded(mark.score) for mark in self.marks}
        for student in self.students:
            yield student, [scores.get((name, student.id)) for name in self.assignments]


def read(course: Path, assignments: Sequence[str], db_url: str = "") -> Marks:
    """Read the marks of these assignments from the gradebook, or from the one at `db_url`.

    Raises WorkspaceError where there is no gradebook, no such assignment in it, or an invalid mark: an export without
    that mark would delete it in the LMS.
    """
    points = term.read(course)
    late = LatePenalty(configuration(course))
    with gradebook(course, db_url) as book:
        there = {assignment.name: assignment for assignment in book.assignments}
        unknown = [name for name in assignments if name not in there]
        if unknown:
            raise WorkspaceError(
                f"The gradebook has no assignment {', '.join(unknown)}. It has: "
                f"{', '.join(sorted(there)) or 'none'}. `mlsd release` enters them."
            )
        known = {student.id: student for student in _students(book)}
        most: dict[str, float] = {}
        marks: list[Mark] = []
        excused: set[tuple[str, str]] = set()
        ignored: list[tuple[str, str]] = []
        for name in dict.fromkeys(assignments):
            graded = ([*one.grade_cells, *one.task_cells] for one in there[name].notebooks)
            cells = [(cell.name, cell.max_score) for of_one in graded for cell in of_one]
            if wrong := [
                f"{cell} has {own}"
                for cell, own in cells
                if own and not _within(own, _LEAST_POINTS, term.MOST_POINTS)
            ]:
                raise WorkspaceError(
                    f"{name}: the points in the gradebook are invalid: {one_line(', '.join(wrong))}. Release it again: "
                    f"mlsd release {name}"
                )
            weights = points.weights(name, cells)
            most[name] = sum(own * weights[cell] for cell, own in cells)
            exceptions = class_exceptions.read(course, points, name, known)
            own = {
                mark.student.id: mark
                for mark in _of(book, name, known, weights, most[name], points, exceptions, late)
            }
            counts = {member: own.get(first) for member, first in exceptions.groups.items()}
            ignored += [(name, member) for member in sorted(counts) if member in own]
            own |= {member: replace(mark, student=known[member]) for member, mark in counts.items() if mark}
            without = exceptions.excused | {member for member, mark in counts.items() if not mark}
            excused |= {(name, one) for one in exceptions.excused}
            marks += [own[one] for one in sorted(own) if one not in without]
        if wrong := list(_problems(marks)):
            more = [f"… and {len(wrong) - _LISTED} more."] if len(wrong) > _LISTED else []
            listed = "\n  ".join(wrong[:_LISTED] + more)
            raise WorkspaceError(
                f"{len(wrong)} of {len(marks)} marks are invalid, so none is exported:\n  {listed}\n"
                "Set these scores in the formgrader (`mlsd lab --instructor`), or grade them again with "
                "`mlsd grade ASSIGNMENT --again --student ID`; then run this command again."
            )
        return Marks(
            MappingProxyType(most),
            tuple(known.values()),
            tuple(marks),
            frozenset(excused),
            tuple(ignored),
            points.decimals,
        )


def students(course: Path, db_url: str = "") -> tuple[Student, ...]:
    """Return the students of the gradebook in the order of their ids; none where there is no gradebook yet."""
    if _missing(_directory(course, db_url).db_url):
        return ()
    with gradebook(course, db_url) as book:
        return _students(book)


@contextmanager
def gradebook(course: Path, db_url: str = "") -> Iterator[Gradebook]:
    """Open the course's gradebook: at `db_url`, or the one that nbgrader_config.py names."""
    directory = _directory(course, db_url)
    if _missing(directory.db_url):
        raise WorkspaceError(
            f"There is no gradebook at {directory.db_url.removeprefix(_SQLITE)}. "
            "Run `mlsd release`, which creates it."
        )
    try:
        with Gradebook(directory.db_url, directory.course_id) as book:
            yield book
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise WorkspaceError(
            f"The gradebook can't be read: {reason}. Close what uses it, and check its version of nbgrader."
        ) from error


def _directory(course: Path, db_url: str) -> CourseDirectory:
    config = configuration(course)
    if db_url:
        config.CourseDirectory.db_url = db_url
    return CourseDirectory(config=config)


def _missing(db_url: str) -> bool:
    """Tell whether the gradebook is missing; to open it would create it."""
    return db_url.startswith(_SQLITE) and not Path(db_url.removeprefix(_SQLITE).partition("?")[0]).is_file()


def _students(book: Gradebook) -> tuple[Student, ...]:
    fields = ("id", "first_name", "last_name", "email", "lms_user_id")
    known = (Student(*(getattr(one, field) or "" for field in fields)) for one in book.students)
    return tuple(sorted(known, key=lambda one: one.id))


def _of(
    book: Gradebook,
    assignment: str,
    known: Mapping[str, Student],
    weights: Mapping[str, float],
    most: float,
    points_of: term.Term,
    exceptions: ClassExceptions,
    late: LatePenalty,
) -> Iterator[Mark]:
    submissions = {one.student.id: one for one in book.assignment_submissions(assignment)}
    for student, one in sorted(submissions.items()):
        grades = [grade for notebook in one.notebooks for grade in notebook.grades]
        points = sum(_points(grade) * weights[grade.name] for grade in grades)
        at = exceptions.submitted.get(student, one.timestamp)
        of_class = one.assignment.duedate
        due, _ = due_of(points_of, exceptions, assignment, student, of_class, one.extension)
        late_s = seconds_late(at, due)
        # Computed anew, since nbgrader keeps the penalty of a score that has changed by hand since then. It is in the
        # notebooks' own points; the same share is subtracted here.
        own, off = (
            _number(one.score),
            sum(late.of(student, _number(notebook.score), late_s) for notebook in one.notebooks),
        )
        penalty = off * (points / own if own else 1.0)
        stale = not math.isclose(off, _number(one.late_submission_penalty or 0.0), abs_tol=1e-6)
        yield Mark(assignment, known[student], points, penalty, most, bool(one.needs_manual_grade), stale)


def _points(grade: Any) -> float:
    """Return the score of a cell, or NaN where there is none. SQLite stores NaN as NULL, and stores text too."""
    given = [one for one in (grade.auto_score, grade.manual_score) if one is not None]
    if not all(isinstance(one, int | float) for one in given) or not (given or grade.needs_manual_grade):
        return math.nan
    return _number(grade.score)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _within(value: object, low: float, high: float) -> bool:
    return low <= _number(value) <= high  # false for NaN


def _problems(marks: Iterable[Mark]) -> Iterator[str]:
    """Yield each invalid mark with its student. Extra credit may exceed the maximum, so the limits are wide."""
    for mark in marks:
        most = max(100.0, 10 * mark.most)
        if not (_within(mark.points, -most, most) and _within(mark.late_penalty, -most, most)):
            late = f", {mark.late_penalty:g} off for lateness" if mark.late_penalty else ""
            yield f"{one_line(mark.student.id)}, {mark.assignment}: {mark.points:g} of {mark.most:g} points{late}"


# ---- CSV ------------------------------------------------------------------------------------------


def as_csv(marks: Marks, style: str = "plain") -> str:
    """Return marks as CSV: `plain`, `canvas` or `moodle`. Where nothing was submitted there is no score."""
    return _STYLES[style](marks)


def _plain(marks: Marks) -> str:
    student_columns = "student_id last_name first_name email"
    columns = f"assignment {student_columns} points late_penalty score max_score waits_for_manual excused"
    mark_of = {(mark.assignment, mark.student.id): mark for mark in marks.marks}
    rows: list[list[Cell]] = []
    for name, most in marks.assignments.items():
        for student in marks.students:
            mark = mark_of.get((name, student.id))
            numbers: list[Cell] = [None, None, None, most, None]
            if mark is not None:
                given = map(marks.rounded, (mark.points, mark.late_penalty, mark.score))
                numbers = [*given, most, "yes" if mark.waits else "no"]
            excused = "yes" if (name, student.id) in marks.excused else "no"
            rows.append(
                [name, student.id, student.last_name, student.first_name, student.email, *numbers, excused]
            )
    return table(columns.split(), rows)


def _canvas(marks: Marks) -> str:
    """Return the columns of Canvas's import in its order, with its row of points possible.

    Canvas finds a student by ID, its own number; then by SIS User ID or SIS Login ID; then by name:
    https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb, and for instructors "How do I
    import grades in the Gradebook?" in the Canvas guides.
    """
    columns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *marks.assignments]
    possible: list[Cell] = ["Points Possible", "", "", "", "", *marks.assignments.values()]
    rows = [
        [_last_first(one), _canvas_id(one), "", "" if _CANVAS_ID.fullmatch(one.id) else one.id, "", *scores]
        for one, scores in marks.by_student("EX")  # what excuses a student in Canvas's import
    ]
    return table(columns, [possible, *rows])


def _canvas_id(student: Student) -> str:
    """Return Canvas's number of a student, or "": Canvas reads any text that begins with digits as a number."""
    collected = _CANVAS_ID.fullmatch(student.id)
    number = student.lms_user_id or (collected[1] if collected else "")
    return number if number.isascii() and number.isdigit() else ""


def _last_first(student: Student) -> str:
    both = student.last_name and student.first_name
    return f"{student.last_name}, {student.first_name}" if both else student.name


def _moodle(marks: Marks) -> str:
    """Return the columns of Moodle's own export; in the import, an instructor maps them by hand.

    Moodle finds a student by the one of `Email address`, `ID number` and `Username` that is mapped to the user: https://docs.moodle.org/en/Grade_import.
    """
    columns = ["First name", "Last name", "ID number", "Username", "Email address"]
    items = [f"Assignment: {name} (Real)" for name in marks.assignments]
    rows = [
        [one.first_name, one.last_name, one.lms_user_id, one.id, one.email, *scores]
        for one, scores in marks.by_student()
    ]
    return table([*columns, *items], rows)


_STYLES: Mapping[str, Callable[[Marks], str]] = MappingProxyType(
    {"plain": _plain, "canvas": _canvas, "moodle": _moodle}
)
STYLES = tuple(_STYLES)
