"""What a submission of the catalogue is, and the desk at which it is made: from the released notebook, as data."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlsd_helpers.exercises import ALL as EXERCISES

ASSIGNMENT = "01_requirements"
FULL = {exercise.id: exercise.points for exercise in EXERCISES if exercise.assignment == ASSIGNMENT}
NONE = dict.fromkeys(FULL, 0.0)
ALL_BUT_TWO = {**FULL, "01-peak": 0.0, "01-percentile": 0.0}
"""What a cheat deserves: three right answers of their own, and nothing for the two that they want for nothing."""

WRONG = 'def peak(counts, bucket_s, repeated):\n    return {"peak_rps": 0, "mean_rps": 0}\n'

Cell = dict[str, Any]


class Sheet:
    """The released notebook with answers in it, as the JSON that a student's file holds."""

    def __init__(self, released: Path, answers: Mapping[str, str]) -> None:
        self.notebook = json.loads(released.read_text(encoding="utf-8"))
        for exercise, source in answers.items():
            self.answer(exercise)["source"] = source

    @property
    def cells(self) -> list[Cell]:
        return self.notebook["cells"]  # type: ignore[no-any-return]

    def cell(self, grade_id: str) -> Cell:
        return next(cell for cell in self.cells if name_of(cell) == grade_id)

    def answer(self, exercise: str) -> Cell:
        return self.cell(f"{exercise}-answer")

    def tests(self) -> list[Cell]:
        return [cell for cell in self.cells if name_of(cell) in FULL]

    def answers(self) -> list[Cell]:
        return [cell for cell in self.cells if name_of(cell).endswith("-answer")]

    def own(self, source: str, before: str = "01-briefs-answer", kind: str = "code") -> Cell:
        """Add a cell of the student's own before another one."""
        cell: Cell = {"cell_type": kind, "metadata": {}, "source": source}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        self.cells.insert(self.cells.index(self.cell(before)), cell)
        return cell

    def text(self, **how: Any) -> str:
        return json.dumps(self.notebook, **how)


def name_of(cell: Cell) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


@dataclass(frozen=True)
class Desk:
    """Where one submission is made. `right` holds right answers; `secret` is a file that nobody may read."""

    course: Path
    folder: Path
    right: Mapping[str, str]
    secret: Path
    port: int

    @property
    def released(self) -> Path:
        return self.course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"

    @property
    def path(self) -> Path:
        return self.folder / f"{ASSIGNMENT}.ipynb"

    def sheet(self, answers: Mapping[str, str] | None = None) -> Sheet:
        """Return a sheet with all answers right, but for those that are given."""
        return Sheet(self.released, {**self.right, **(answers or {})})

    def submit(self, what: Sheet | str | bytes, name: str = f"{ASSIGNMENT}.ipynb") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = what.text() if isinstance(what, Sheet) else what
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def known(self) -> str:
        """Return source that knows where everything is, as the most dangerous student would."""
        return f"COURSE, SECRET, PORT = {str(self.course)!r}, {str(self.secret)!r}, {self.port}\n"


@dataclass(frozen=True)
class Submission:
    """One submission, the score it deserves, and what an instructor should see; None where it does not matter."""

    name: str
    make: Callable[[Desk], Any]
    deserves: Mapping[str, float] = field(default_factory=lambda: FULL)
    flagged: bool | None = None
    repaired: bool | None = None
    failed: bool | None = None


def attack(
    name: str,
    cell: str = "",
    *,
    call: str = "",
    given: Mapping[str, str] | None = None,
    deserves: Mapping[str, float] = ALL_BUT_TWO,
    flagged: bool | None = True,
    failed: bool | None = False,
) -> Submission:
    """Make a submission that wants the points of two answers without having them.

    `cell` runs as part of an answer cell, behind a wrong answer; `call` is what that answer does when it is called.
    `given` replaces other answers.
    """

    def make(desk: Desk) -> None:
        body = "\n".join(f"    {line}" for line in call.splitlines())
        answer = f"def peak(counts, bucket_s, repeated):\n{body}\n" if call else WRONG
        source = f"{desk.known()}{answer}\n{cell}"
        desk.submit(desk.sheet({"01-peak": source, "01-percentile": "pass", **(given or {})}))

    return Submission(name, make, deserves, flagged=flagged, failed=failed)


def mangled(
    name: str,
    change: Callable[[Sheet], object],
    *,
    deserves: Mapping[str, float] = FULL,
    flagged: bool | None = None,
    repaired: bool | None = True,
    failed: bool = False,
    answers: Mapping[str, str] | None = None,
) -> Submission:
    """Make a submission whose answers are right, but for those given, and whose notebook was changed."""

    def make(desk: Desk) -> None:
        sheet = desk.sheet(answers)
        change(sheet)
        desk.submit(sheet)

    return Submission(name, make, deserves, flagged=flagged, repaired=repaired, failed=failed)


def broken(name: str, make: Callable[[Desk], Any]) -> Submission:
    """Make a submission that cannot be read."""
    return Submission(name, make, NONE, flagged=None, failed=True)
