"""One term of a course, set in nbgrader_config.py: due dates, points and late penalties.

nbgrader asks `Term` for late penalties. `SetDueDate` writes due dates into the gradebook whenever an assignment is
generated, by `mlsd release`, `nbgrader generate_assignment` or the formgrader. Points do not change the notebooks or
the judge: `mlsd marks` multiplies scores by `Term.weights`.
"""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Dict, Float, Int, List, TraitError, Unicode, validate

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading.release import CONFIG, configuration

MOST_POINTS = 1e6
"""The most points of an assignment; a larger number is a typing error."""

_DAY_S = 86_400
_END_OF_DAY = time(23, 59, 59)


class Term(LateSubmissionPlugin):  # type: ignore[misc]
    """The settings of a term, as `c.Term.…`; it is also nbgrader's plugin for late penalties."""

    timezone = Unicode("UTC", help="The zone of due dates, such as Europe/Berlin.").tag(config=True)
    due = Dict(
        help="When an assignment is due, by its name: '2027-03-12 18:00', a date alone for the end of that day, "
        "or None for no date. Other assignments keep their date in the gradebook."
    ).tag(config=True)
    points = Dict(
        help="The points of an assignment or an exercise in `mlsd marks`, by its name. Others have the points of "
        "their notebook."
    ).tag(config=True)
    leave_out = List(
        Unicode(), help="Exercises that the student version does not have, such as '05-backlog'."
    ).tag(config=True)
    late_per_day = Float(
        0.0,
        help="The share of its score, from 0 to 1, that a submission loses for each day or part of a day.",
    ).tag(config=True)
    decimals = Int(2, min=0, max=6, help="The decimals of a mark in `mlsd marks`; a half is rounded up.").tag(
        config=True
    )

    @validate("timezone")
    def _a_zone(self, proposal: Any) -> str:
        zone = str(proposal["value"])
        try:
            ZoneInfo(zone)
        except (KeyError, OSError, ValueError) as error:
            raise TraitError(f"c.Term.timezone is {zone!r}. Give a zone such as 'Europe/Berlin'.") from error
        return zone

    @validate("due")
    def _dates(self, proposal: Any) -> Any:
        for name, given in proposal["value"].items():
            try:
                _date(given)
            except (TypeError, ValueError) as error:
                raise TraitError(
                    f"c.Term.due[{name!r}] is {given!r}. Give a date such as '2027-03-12 18:00', or None."
                ) from error
        return proposal["value"]

    @validate("points")
    def _numbers(self, proposal: Any) -> Any:
        for name, given in proposal["value"].items():
            is_number = isinstance(given, int | float) and not isinstance(given, bool)
            if not is_number or not 0 <= given <= MOST_POINTS:  # false for NaN
                raise TraitError(
                    f"c.Term.points[{name!r}] is {given!r}. Give a number from 0 to {MOST_POINTS:,.0f}."
                )
        return proposal["value"]

    @validate("late_per_day")
    def _a_share(self, proposal: Any) -> Any:
        if not 0 <= proposal["value"] <= 1:
            raise TraitError(
                f"c.Term.late_per_day is {proposal['value']!r}. Give a share from 0 to 1, such as 0.1."
            )
        return proposal["value"]

    def due_at(self, assignment: str) -> datetime | None:
        """Return when an assignment is due, in the term's zone; None where no date is set."""
        return self.moment(self.due.get(assignment))

    def moment(self, given: object) -> datetime | None:
        """Return a date as it is set in the configuration, in the term's zone unless it names another.

        A date alone is the end of that day. Raises TypeError or ValueError for what is no date.
        """
        date = _date(given)
        return date if date is None or date.tzinfo else date.replace(tzinfo=ZoneInfo(self.timezone))

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Return the late penalty in points; where `late_per_day` is 0, that of nbgrader's own plugin.

        >>> Term(late_per_day=0.1).late_submission_penalty("ada", 20, 86_401)
        4.0
        """
        if not self.late_per_day:
            given: float | None = super().late_submission_penalty(student_id, score, total_seconds_late)
            return given
        return score * min(1.0, self.late_per_day * math.ceil(total_seconds_late / _DAY_S))

    def weights(self, assignment: str, most: Iterable[tuple[str, float]]) -> Mapping[str, float]:
        """Return the factor for each exercise's score; `most` are the exercises with the points of their notebook.

        >>> Term(points={"a": 4, "05": 10}).weights("05", [("a", 2.0), ("b", 1.0)])
        {'a': 4.0, 'b': 2.0}
        """
        own = {
            name: (points, self.points[name] / points if points and name in self.points else 1.0)
            for name, points in most
        }
        total = sum(points * weight for points, weight in own.values())
        rest = self.points[assignment] / total if total and assignment in self.points else 1.0
        return {name: weight * rest for name, (_, weight) in own.items()}


class SetDueDate(NbGraderPreprocessor):  # type: ignore[misc]
    """Writes the due date of an assignment into the gradebook when it is generated."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Write the due date; the notebook does not change."""
        names, term = resources["nbgrader"], Term(parent=self)
        if names["assignment"] in term.due:
            with Gradebook(names["db_url"]) as book:
                book.update_or_create_assignment(
                    names["assignment"], duedate=term.due_at(names["assignment"])
                )
        return nb, resources


def read(course: Path) -> Term:
    """Return the term of a course.

    Raises WorkspaceError for a setting or a name that does not exist, and for a value that can't be used.
    """
    file, config = course / CONFIG, configuration(course)
    settings = Term.class_trait_names(config=True)
    for name in config.Term:
        if name not in settings:
            raise WorkspaceError(_unknown(f"{file}: there is no c.Term.{name}.", name, settings))
    try:
        term = Term(config=config)
    except TraitError as error:
        raise WorkspaceError(f"{file}: {error}") from error
    assignments, exercises = _names(course)
    for setting, kind, there in (
        ("due", "assignment", assignments),
        ("points", "assignment or exercise", assignments | exercises),
        ("leave_out", "exercise", exercises),
    ):
        for name in getattr(term, setting) if there else ():
            if name not in there:
                problem = f"{file}: c.Term.{setting} names {name!r}, which is no {kind} of this course."
                raise WorkspaceError(_unknown(problem, str(name), there))
    return term


def _unknown(problem: str, name: str, there: Iterable[str]) -> str:
    near = get_close_matches(name, there, n=1)
    return (
        f"{problem} Did you mean {near[0]}?" if near else f"{problem} There is: {', '.join(sorted(there))}."
    )


def _names(course: Path) -> tuple[set[str], set[str]]:
    """Return the assignments of source/, and the exercises in them."""
    notebooks = sorted((course / "source").glob("*/*.ipynb"))
    cells = (cell for path in notebooks for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
    marked = (cell["metadata"].get("nbgrader", {}) for cell in cells)
    graded = {one["grade_id"] for one in marked if one.get("grade") or one.get("task")}
    return {path.parent.name for path in notebooks}, graded


def utc(moment: datetime) -> datetime:
    """Return a time in UTC without its zone, as nbgrader keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _date(given: object) -> datetime | None:
    if given is None:
        return None
    if isinstance(given, datetime):
        return given
    if not isinstance(given, str):
        raise TypeError
    date = datetime.fromisoformat(given)
    return datetime.combine(date, _END_OF_DAY) if len(given.strip()) <= len("2027-03-12") else date
