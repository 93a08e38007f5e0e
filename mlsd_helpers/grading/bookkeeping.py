"""nbgrader's gradebook with fewer queries.

For one submission, nbgrader opens its gradebook ten times, checks each time that every table exists, compiles the same
queries again and asks for each cell with a query of its own. Within `shared_gradebook_connection` it keeps one
connection and reads the rows of a notebook with one query; what it writes is the same.
"""

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from unittest import mock

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    SourceCell,
)
from nbgrader.converters import autograde
from nbgrader.preprocessors import (
    getgrades,
    latesubmissions,
    overwritecells,
    overwritekernelspec,
    saveautogrades,
)
from sqlalchemy import Engine, create_engine
from sqlalchemy.event import listen
from sqlalchemy.orm import scoped_session, sessionmaker

from mlsd_helpers.grading import explaining

_USERS = (
    autograde,
    explaining,
    getgrades,
    latesubmissions,
    overwritecells,
    overwritekernelspec,
    saveautogrades,
)
"""The modules that open a gradebook while nbgrader grades a submission or writes its feedback."""


@contextlib.contextmanager
def shared_gradebook_connection() -> Iterator[None]:
    """Let nbgrader use one connection to each gradebook; `close` ends it.

    December 2026, nbgrader 0.9.5: each converter and preprocessor names the class `Gradebook` in its own module, and no
    setting replaces it. Each one closes its gradebook and disposes of the engine, since open connections piled up in
    large classes (https://github.com/jupyter/nbgrader/issues/560). Remove this when nbgrader shares an engine.
    """
    with contextlib.ExitStack() as patches:
        for module in _USERS:
            patches.enter_context(mock.patch.object(module, "Gradebook", SharedGradebook))
        yield


def close(url: str) -> None:
    """Close the connection to a gradebook."""
    _engine(url).dispose()


@lru_cache(maxsize=4)
def _engine(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        # With the write-ahead log a killed process loses nothing; only a power cut could cost the last rows.
        listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL"))
    return engine


class SharedGradebook(Gradebook):  # type: ignore[misc]
    """A gradebook whose tables exist, on the shared connection; it reads the cells of a notebook with one query."""

    def __init__(self, db_url: str, course_id: str = "default_course", authenticator: Any = None) -> None:
        # Gradebook's own __init__ makes an engine and checks every table.
        self.engine = _engine(db_url)
        # A session lives as long as a notebook is read, and nobody else writes the rows of this submission.
        self.db = scoped_session(sessionmaker(bind=self.engine, expire_on_commit=False))
        self.check_course(course_id=course_id)
        self.course_id = course_id
        self.authenticator = authenticator
        self._rows: dict[tuple[Any, ...], dict[str, Any]] = {}

    def close(self) -> None:
        """End the session and keep the connection."""
        self.db.remove()

    def find_source_cell(self, name: str, notebook: str, assignment: str) -> Any:
        """Return a cell as it was released."""
        found = self._cells(SourceCell, notebook, assignment).get(name)
        return super().find_source_cell(name, notebook, assignment) if found is None else found

    def find_graded_cell(self, name: str, notebook: str, assignment: str) -> Any:
        """Return a cell that has points."""
        found = self._cells(GradeCell, notebook, assignment).get(name)
        return super().find_graded_cell(name, notebook, assignment) if found is None else found

    def find_grade(self, grade_cell: str, *names: str) -> Any:
        """Return a student's grade for a cell."""
        found = self._submitted(Grade, *names).get(grade_cell)
        return super().find_grade(grade_cell, *names) if found is None else found

    def find_comment(self, solution_cell: str, *names: str) -> Any:
        """Return the comment on a student's cell."""
        found = self._submitted(Comment, *names).get(solution_cell)
        return super().find_comment(solution_cell, *names) if found is None else found

    def _cells(self, kind: Any, notebook: str, assignment: str) -> dict[str, Any]:
        key = kind, notebook, assignment
        if key not in self._rows:
            cells = (
                self.db.query(kind)
                .join(Notebook, Notebook.id == kind.notebook_id)
                .join(Assignment, Assignment.id == Notebook.assignment_id)
                .filter(Notebook.name == notebook, Assignment.name == assignment)
            )
            self._rows[key] = {cell.name: cell for cell in cells}
        return self._rows[key]

    def _submitted(self, kind: Any, *names: str) -> dict[str, Any]:
        """Return the grades or the comments of a student's notebook, by the name of their cell."""
        key = kind, *names
        if key not in self._rows:
            try:
                submitted = self.find_submission_notebook(*names)
            except MissingEntry:
                return {}
            rows = (
                self.db.query(BaseCell.name, kind)
                .join(kind, kind.cell_id == BaseCell.id)
                .filter(kind.notebook_id == submitted.id)
            )
            self._rows[key] = dict(rows.all())
        return self._rows[key]
