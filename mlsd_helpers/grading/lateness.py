"""How late a submission is, and what that costs: the same in the gradebook, in marks and on feedback pages.

Times are in UTC without a zone, as nbgrader keeps them.
"""

import math
from datetime import datetime, timedelta
from typing import Any

from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from mlsd_helpers.grading.class_exceptions import ClassExceptions
from mlsd_helpers.grading.term import Term, utc

DAY_S = 86_400


def due_of(
    term: Term,
    exceptions: ClassExceptions,
    assignment: str,
    student: str,
    of_class: datetime | None,
    extension: timedelta | None,
) -> tuple[datetime | None, timedelta | None]:
    """Return when an assignment is due for a student, and the student's extension.

    `of_class` and `extension` are those of the gradebook. The due date of the configuration comes first; where the
    course has a class/exceptions.csv, that file alone decides about extensions.
    """
    if assignment in term.due:
        date = term.due_at(assignment)
        of_class = None if date is None else utc(date)
    if exceptions.there:
        until = exceptions.extensions.get(student)
        extension = max(until - of_class, timedelta(0)) if until and of_class else None
    return (of_class + extension if of_class and extension else of_class), extension


def seconds_late(at: datetime | None, due: datetime | None) -> float:
    """Return how many seconds after the due date a submission came; 0 where one of the two is not known."""
    return max(0.0, (at - due).total_seconds()) if at and due else 0.0


class LatePenalty:
    """What lateness costs by the plugin that the course configures for nbgrader."""

    def __init__(self, config: Config) -> None:
        preprocessor = AssignLatePenalties(config=config)
        preprocessor.init_plugin()
        self._plugin: Any = preprocessor.plugin_inst
        self.costs = self.of("", 1.0, DAY_S) > 0

    def of(self, student: str, score: float, late_s: float) -> float:
        """Return the points that are taken off a score: at least 0 and at most the score; NaN for no number."""
        if late_s <= 0 or not math.isfinite(score):
            return 0.0 if math.isfinite(score) else math.nan
        off = self._plugin.late_submission_penalty(student, score, late_s)
        return math.nan if off is not None and math.isnan(off) else min(max(off or 0.0, 0.0), max(score, 0.0))
