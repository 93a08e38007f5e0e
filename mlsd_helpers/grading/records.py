"""What grading found out about each hand-in: one small JSON file, written last, so that it marks the end.

A record is in `verdicts/ASSIGNMENT/STUDENT.json`, beside nbgrader's folders. nbgrader knows the score; the record
knows why: which known mistake, which words, what was repaired in the notebook, what an instructor should see.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "verdicts"

GRADED = "graded"
FAILED = "failed"  # the notebook could not be run, or its process ended; it has a result all the same


@dataclass(frozen=True)
class Judged:
    """The judgement of one exercise. `mistake` is the name of a known mistake, or None.

    `by_judge` is false where an assert in the student's own process decided, as in stock nbgrader.
    """

    score: float
    points: float
    mistake: str | None = None
    message: str = ""
    attempted: bool = True
    by_judge: bool = True


@dataclass(frozen=True)
class Flag:
    """Something that looks like an attempt to cheat, for the instructor to look at; it costs no points."""

    kind: str
    evidence: str


@dataclass(frozen=True)
class Record:
    """One hand-in, graded. `exercises` is by exercise id; `seconds` by stage."""

    student: str
    assignment: str
    status: str = GRADED
    reason: str = ""  # what happened, in words for the student, where status is FAILED
    hand_in: str = ""  # digest of the files handed in
    rules: str = ""  # digest of what judged them
    seed: int = 0  # of the fresh cases
    exercises: Mapping[str, Judged] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    late_s: float = 0.0  # seconds after the due date, with the student's extension
    late_rule: str = ""  # digest of what lateness costs, where it is late

    @property
    def score(self) -> float:
        """The points of all exercises."""
        return sum(judged.score for judged in self.exercises.values())


def path_of(course: Path, assignment: str, student: str) -> Path:
    """Return where the record of a hand-in is."""
    return course / FOLDER / assignment / f"{student}.json"


def write(course: Path, record: Record) -> Path:
    """Write a record whole or not at all."""
    path = path_of(course, record.assignment, record.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(record), file, ensure_ascii=False, indent=1)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def read(course: Path, assignment: str, student: str) -> Record | None:
    """Return the record of a hand-in, or None where there is none that can be read."""
    try:
        return _from_json(json.loads(path_of(course, assignment, student).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def all_of(course: Path, assignment: str) -> Iterator[Record]:
    """Yield the records of an assignment, by student; one that can't be read says so."""
    for path in sorted((course / FOLDER / assignment).glob("[!.]*.json")):
        lost = Record(path.stem, assignment, FAILED, f"{path} can't be read. Remove it, and grade again.")
        yield read(course, assignment, path.stem) or lost


def _from_json(data: dict[str, Any]) -> Record:
    return Record(
        **{
            **data,
            "exercises": {name: Judged(**judged) for name, judged in data["exercises"].items()},
            "repairs": tuple(data["repairs"]),
            "flags": tuple(Flag(**flag) for flag in data["flags"]),
        }
    )
