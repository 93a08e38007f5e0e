"""nbgrader's gradebook, with fewer questions asked of it.

For one submission, nbgrader opens its gradebook ten times, looks for every table each time, compiles the same queries
again and asks for each cell by itself. Within `kept_open` it keeps one connection and reads the rows of a notebook
at once; what it writes is the same.
"""

import contextlib
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any
from unittest import mock

import nbgrader.api
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
from nbgrader.preprocessors import getgrades, overwritecells, saveautogrades
from sqlalchemy import Engine, create_engine
from sqlalchemy.event import listen
from sqlalchemy.orm import sessionmaker


@contextlib.contextmanager
def kept_open() -> Iterator[None]:
    """Let nbgrader use one connection to each gradebook; `close` ends it."""
    with contextlib.ExitStack() as patches:
        for module in (overwritecells, saveautogrades, getgrades):
            patches.enter_context(mock.patch.object(module, "Gradebook", _Book))
        # A session lives as long as a notebook is read, and nobody else writes the rows of this submission.
        sessions = partial(sessionmaker, expire_on_commit=False)
        patches.enter_context(mock.patch.object(nbgrader.api, "sessionmaker", sessions))
        patches.enter_context(mock.patch.object(nbgrader.api, "create_engine", _engine))
        patches.enter_context(mock.patch.object(nbgrader.api.Base.metadata, "create_all"))
        patches.enter_context(mock.patch.object(Engine, "dispose"))
        yield


def close(url: str) -> None:
    """Close the connection to a gradebook that was kept open."""
    _engine(url, echo=False, future=True).dispose()


@lru_cache(maxsize=4)
def _engine(url: str, **options: Any) -> Engine:
    engine = create_engine(url, **options)
    if engine.dialect.name == "sqlite":
        # With the write-ahead log a killed process loses nothing; only a power cut could cost the last rows.
        listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL"))
    return engine


class _Book(Gradebook):  # type: ignore[misc]
    """The gradebook as nbgrader's preprocessors ask for it: cell by cell, of one notebook."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._read: dict[tuple[Any, ...], dict[str, Any]] = {}

    def find_source_cell(self, name: str, notebook: str, assignment: str) -> Any:
        found = self._cells(SourceCell, notebook, assignment).get(name)
        return super().find_source_cell(name, notebook, assignment) if found is None else found

    def find_graded_cell(self, name: str, notebook: str, assignment: str) -> Any:
        found = self._cells(GradeCell, notebook, assignment).get(name)
        return super().find_graded_cell(name, notebook, assignment) if found is None else found

    def find_grade(self, grade_cell: str, *names: str) -> Any:
        found = self._submitted(Grade, *names).get(grade_cell)
        return super().find_grade(grade_cell, *names) if found is None else found

    def find_comment(self, solution_cell: str, *names: str) -> Any:
        found = self._submitted(Comment, *names).get(solution_cell)
        return super().find_comment(solution_cell, *names) if found is None else found

    def _cells(self, kind: Any, notebook: str, assignment: str) -> dict[str, Any]:
        key = kind, notebook, assignment
        if key not in self._read:
            cells = (
                self.db.query(kind)
                .join(Notebook, Notebook.id == kind.notebook_id)
                .join(Assignment, Assignment.id == Notebook.assignment_id)
                .filter(Notebook.name == notebook, Assignment.name == assignment)
            )
            self._read[key] = {cell.name: cell for cell in cells}
        return self._read[key]

    def _submitted(self, kind: Any, *names: str) -> dict[str, Any]:
        """Return the grades or the comments of a student's notebook, by the name of their cell."""
        key = kind, *names
        if key not in self._read:
            try:
                submitted = self.find_submission_notebook(*names)
            except MissingEntry:
                return {}
            rows = (
                self.db.query(BaseCell.name, kind)
                .join(kind, kind.cell_id == BaseCell.id)
                .filter(kind.notebook_id == submitted.id)
            )
            self._read[key] = dict(rows.all())
        return self._read[key]
