"""How nbgrader makes a student version: exercises that are left out, counts, cells that are new in a term."""

import re
from collections.abc import Iterable
from typing import Any

from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    SolutionCell,
    SourceCell,
    TaskCell,
)
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from mlsd_helpers.grading.counting import counted
from mlsd_helpers.grading.term import Term

_SITTING_ABOUT = re.compile(r"^(## \w+ sitting, [^:\n]*: exercises? [\d toand]+\d), .*$", re.MULTILINE)


class LeaveOut(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes the exercises of `c.Term.leave_out` out of the student version, and counts what is left."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Remove all cells of an exercise, from the first whose name begins with its id to the last."""
        names = _names(nb.cells)
        exercises = {
            name for name, cell in zip(names, nb.cells, strict=True) if is_grade(cell) or is_task(cell)
        }
        gone: set[int] = set()
        for one in Term(parent=self).leave_out:
            if one in exercises:
                others = exercises - {one}
                places = [place for place, name in enumerate(names) if _is_of(name, one, others)]
                gone |= set(range(places[0], places[-1] + 1))
        if gone:
            for place, last in _sittings(nb.cells):
                inside = set(range(place + 1, last))
                if not any(is_grade(nb.cells[one]) or is_task(nb.cells[one]) for one in inside - gone):
                    gone.add(place)
                elif inside & gone:  # what it is about may be gone
                    nb.cells[place].source = _SITTING_ABOUT.sub(r"\1", nb.cells[place].source)
            nb.cells = [cell for place, cell in enumerate(nb.cells) if place not in gone]
            for cell, text in zip(nb.cells, counted(nb.cells), strict=True):
                cell.source = text
        return nb, resources


def _is_of(name: str, exercise: str, others: Iterable[str]) -> bool:
    """Tell whether a cell belongs to an exercise: `05-plan-answer` to `05-plan`, unless there is a longer id for it."""
    longer = (one for one in others if one.startswith(f"{exercise}-"))
    return (name == exercise or name.startswith(f"{exercise}-")) and not any(
        name == one or name.startswith(f"{one}-") for one in longer
    )


def _sittings(cells: list[Any]) -> list[tuple[int, int]]:
    """Return the cell in which each sitting begins, and the cell after its last one."""
    begin = [
        place
        for place, cell in enumerate(cells)
        if cell.cell_type == "markdown" and not is_solution(cell) and _SITTING_ABOUT.search(cell.source)
    ]
    return list(zip(begin, [*begin[1:], len(cells)], strict=False))


class AddCells(NbGraderPreprocessor):  # type: ignore[misc]
    """Adds the new cells of an assignment to a gradebook with submissions, which nbgrader's own step refuses to do.

    A submission of before has no answer to a new exercise, and gets its points when it is graded or submitted again.
    Cells that are gone stay an error, since scores would go with them.
    """

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Add the cells; the notebook does not change. Raises ValueError where one is gone that a submission has."""
        names = resources["nbgrader"]
        where = names["notebook"], names["assignment"]
        with Gradebook(names["db_url"]) as book:
            try:
                notebook = book.find_notebook(*where)
            except MissingEntry:
                return nb, resources
            if not notebook.submissions:
                return nb, resources
            graded = (notebook.grade_cells, notebook.solution_cells, notebook.task_cells)
            there = {(type(cell), cell.name) for cells in (*graded, notebook.source_cells) for cell in cells}
            wanted = {key: cell for cell in nb.cells for key in _keys(cell)}
            if gone := sorted({name for kind, name in there - set(wanted) if kind is not SourceCell}):
                raise ValueError(
                    f"{', '.join(gone)} can't be left out of {where[1]}, which has submissions: their scores would be "
                    f'lost. Let the exercise count nothing instead: c.Term.points = {{"{min(gone, key=len)}": 0}}'
                )
            for cell in list(notebook.source_cells):
                if (SourceCell, cell.name) not in wanted:  # a text, which has no scores
                    book.db.delete(cell)
            for (kind, name), cell in wanted.items():
                if (kind, name) not in there:
                    _add(book, notebook, kind, name, cell)
            book.db.commit()
        return nb, resources


def _names(cells: list[Any]) -> list[str]:
    return [str(cell.metadata.get("nbgrader", {}).get("grade_id", "")) for cell in cells]


def _keys(cell: Any) -> list[tuple[type, str]]:
    """Return what nbgrader keeps of a cell, as its own step does."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    kinds = [
        kind
        for kind, holds in ((GradeCell, is_grade), (SolutionCell, is_solution), (TaskCell, is_task))
        if holds(cell)
    ]
    return [(kind, name) for kind in (*kinds, *([SourceCell] if kinds or is_locked(cell) else []))]


def _add(book: Gradebook, notebook: Any, kind: type, name: str, cell: Any) -> None:
    """Add a cell, and its empty rows to each submission."""
    known = {"name": name, "notebook": notebook}
    if kind is SourceCell:
        source = {
            "cell_type": cell.cell_type,
            "locked": is_locked(cell),
            "source": cell.source,
            "checksum": None,
        }
        book.db.add(SourceCell(**known, **source))
        return
    if kind is SolutionCell:
        added: BaseCell = SolutionCell(**known)
    else:
        added = kind(**known, max_score=float(cell.metadata.nbgrader["points"]), cell_type=cell.cell_type)
    book.db.add(added)
    book.db.flush()
    for submitted in notebook.submissions:
        if kind is not SolutionCell:
            book.db.add(Grade(cell_id=added.id, notebook=submitted, auto_score=0.0, needs_manual_grade=False))
        if kind is not GradeCell:
            book.db.add(Comment(cell_id=added.id, notebook=submitted))
