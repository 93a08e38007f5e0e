"""What a feedback page says of a score: what was taken off, why, what it counts, and the name of each exercise."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution, is_task

from mlsd_helpers.grading import class_exceptions
from mlsd_helpers.grading.class_exceptions import ClassExceptions
from mlsd_helpers.grading.lateness import LatePenalty, due_of, seconds_late
from mlsd_helpers.grading.term import Term

_HEADING = re.compile(r"^#{1,3} +(.+?) *$", re.MULTILINE)
_HOUR_S = 3_600


class ExplainScore(NbGraderPreprocessor):  # type: ignore[misc]
    """Tells the page's template of lateness and points, and corrects a late penalty whose score has changed by hand.

    It follows nbgrader's GetGrades, and adds to `resources["nbgrader"]`: `score` and `late_penalty` anew, `reasons`,
    which are sentences, and `titles` by grade_id.
    """

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Add them; the notebook does not change."""
        names = resources["nbgrader"]
        assignment, student = names["assignment"], names["student"]
        term = Term(parent=self)
        exceptions = class_exceptions.read(Path(CourseDirectory(config=self.config).root), term, assignment)
        late = LatePenalty(self.config)
        with Gradebook(names["db_url"]) as book:
            notebook = book.find_submission_notebook(names["notebook"], assignment, student)
            submission = notebook.assignment
            due, extension = due_of(
                term, exceptions, assignment, student, submission.assignment.duedate, submission.extension
            )
            at = exceptions.submitted.get(student, submission.timestamp)
            late_s = seconds_late(at, due)
            off = late.of(student, notebook.score, late_s)
            if off != (notebook.late_submission_penalty or 0.0):
                notebook.late_submission_penalty = off or None
                book.db.commit()
            scores = [(grade.name, grade.score, grade.max_score) for grade in notebook.grades]
            alone = len(submission.notebooks) == 1
        names["score"], names["late_penalty"] = names["score"] + names["late_penalty"] - off, off
        points, reasons = sum(score for _, score, _ in scores), list[str]()
        if late_s and at and due:
            reasons += _about_time(term, at, due, off, points, extended=bool(extension))
        if at is None and due is not None and late.costs:
            reasons.append("It is not known here when you submitted, so nothing is taken off for lateness.")
        if alone:
            reasons += _about_points(term, assignment, scores, off)
        names["reasons"] = [*reasons, *_about_student(exceptions, student)]
        names["titles"] = dict(_titles(nb))
        return nb, resources


def _about_time(
    term: Term, at: datetime, due: datetime, off: float, points: float, *, extended: bool
) -> Iterator[str]:
    late_s = seconds_late(at, due)
    zone = ZoneInfo(term.timezone)
    came, until = (f"{one.replace(tzinfo=UTC).astimezone(zone):%d %B %Y, %H:%M}" for one in (at, due))
    how = f"{late_s / _HOUR_S:.1f} hours" if late_s < 48 * _HOUR_S else f"{late_s / 24 / _HOUR_S:.1f} days"
    yours = ", your extension included" if extended else ""
    share = f" ({off / points:.0%})" if points else ""
    costs = f"{off:.4g} of {points:.4g} points{share} are taken off" if off else "nothing is taken off"
    yield (
        f"You submitted on {came}, {how} after the due date, {until} ({term.timezone}){yours}. For that {costs}."
    )


def _about_points(
    term: Term, assignment: str, scores: list[tuple[str, float, float]], off: float
) -> Iterator[str]:
    if not any(name in term.points for name in (assignment, *(name for name, _, _ in scores))):
        return
    weights = term.weights(assignment, [(name, most) for name, _, most in scores])
    points = sum(score * weights[name] for name, score, _ in scores)
    most = sum(of * weights[name] for name, _, of in scores)
    own = sum(score for _, score, _ in scores)
    left = max(0.0, points * (1 - off / own) if own else points)
    yield f"In your course's marks this is {left:.4g} of {most:.4g} points, since exercises have other weights there."
    if nothing := [name for name, _, _ in scores if not weights[name]]:
        yield f"In these marks {', '.join(nothing)} counts nothing."


def _about_student(exceptions: ClassExceptions, student: str) -> Iterator[str]:
    if student in exceptions.excused:
        yield "You are excused from this assignment: it has no mark, and does not count."
    if student in exceptions.groups:
        yield "The submission of your group counts, and not this one."


def _titles(nb: Any) -> Iterator[tuple[str, str]]:
    """Yield the grade_id of each cell with points, and the last heading above it that is not a student's."""
    heading = ""
    for cell in nb.cells:
        marked = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and marked and not is_solution(cell):
            heading = (_HEADING.findall(cell.source) or [heading])[-1]
        if is_grade(cell) or is_task(cell):
            yield marked["grade_id"], heading or marked["grade_id"]
