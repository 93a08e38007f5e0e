"""Records: what grading found in each submission, as one small JSON file that is written last.

A record is in `verdicts/ASSIGNMENT/STUDENT.json`, beside nbgrader's folders. nbgrader knows the score; the record
knows why: the known mistake, the message, what was repaired in the notebook, what an instructor should look at.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlsd_helpers.files import write_whole
from mlsd_helpers.printable import one_line, printable

FOLDER = "verdicts"

MOST_FLAGS = 20
MOST_REPAIRS = 50
_LONGEST = 120  # characters of a kind, and of evidence
_LONGEST_REASON = 1_000
_MOST_POINTS = 1e6

GRADED = "graded"
FAILED = "failed"  # the notebook could not be run, or its process ended; it has a result all the same


@dataclass(frozen=True)
class Judged:
    """The judgement of one exercise. `mistakes` are the names of the known mistakes behind the answer.

    `by_judge` is false where an assert in the student's own process decided, as in stock nbgrader. `ran` is false where
    the code that makes the answer did not run to its end; then `attempted` is false too.
    """

    score: float
    points: float
    mistakes: tuple[str, ...] = ()
    message: str = ""
    attempted: bool = True
    by_judge: bool = True
    ran: bool = True


@dataclass(frozen=True)
class Flag:
    """Something for the instructor to look at; it costs no points. `grading.flags` lists the kinds.

    The evidence is what a student wrote, shortened to one line without control characters.
    """

    kind: str
    evidence: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", one_line(self.kind, _LONGEST))
        object.__setattr__(self, "evidence", one_line(self.evidence, _LONGEST).strip())

    def __str__(self) -> str:
        """Return the flag on one line."""
        return f"{self.kind}: {self.evidence}"


@dataclass(frozen=True)
class Request:
    """A student's request to look at the marks of an exercise again: the reason, shortened to one line."""

    exercise: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", one_line(self.reason, _LONGEST_REASON).strip())


@dataclass(frozen=True)
class Record:
    """One graded submission. `exercises` is by exercise id; `seconds` is by step of grading.

    It keeps the first MOST_FLAGS flags and MOST_REPAIRS repairs, without duplicates; a reason or repair is one line.
    """

    student: str
    assignment: str
    status: str = GRADED
    reason: str = ""  # what happened, for the student to read; only where status is FAILED
    submission_digest: str = ""  # digest of the submitted files
    rules: str = ""  # digest of the code and notebooks that judged them
    seed: int = 0  # of the fresh cases
    exercises: Mapping[str, Judged] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    late_s: float = 0.0  # seconds after the due date, with the student's extension
    late_rule: str = ""  # digest of the settings for lateness; only where it is late
    time_unknown: bool = False  # lateness has a price, and nothing says when it was submitted
    by_hand: str = ""  # digest of the scores and comments entered by hand that its feedback page shows
    requests: tuple[Request, ...] = ()

    def __post_init__(self) -> None:
        repairs = tuple(dict.fromkeys(one_line(repair, 2 * _LONGEST) for repair in self.repairs))
        if (more := len(repairs) - MOST_REPAIRS) > 0:
            repairs = (*repairs[: MOST_REPAIRS - 1], f"and {more + 1:,} more")
        object.__setattr__(self, "reason", one_line(self.reason))
        object.__setattr__(self, "repairs", repairs)
        object.__setattr__(self, "flags", tuple(dict.fromkeys(self.flags))[:MOST_FLAGS])

    @property
    def score(self) -> float:
        """The points of all exercises."""
        return sum(judged.score for judged in self.exercises.values())


def path_of(course: Path, assignment: str, student: str) -> Path:
    """Return where the record of a submission is."""
    return course / FOLDER / assignment / f"{student}.json"


def write(course: Path, record: Record) -> Path:
    """Write a record in an atomic write, and return its path."""
    path = path_of(course, record.assignment, record.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _escaped(json.dumps(asdict(record), ensure_ascii=False, indent=1)), mode=0o600)
    return path


def read(course: Path, assignment: str, student: str) -> Record | None:
    """Return the record of a submission, or None where it is missing or cannot be read."""
    try:
        return _from_json(json.loads(path_of(course, assignment, student).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


def all_of(course: Path, assignment: str) -> Iterator[Record]:
    """Yield the records of an assignment in the order of the students; one that can't be read says so as its reason."""
    for path in sorted((course / FOLDER / assignment).glob("[!.]*.json")):
        lost = Record(path.stem, assignment, FAILED, f"{path} can't be read. Remove it, and grade again.")
        yield read(course, assignment, path.stem) or lost


def _from_json(data: dict[str, Any]) -> Record:
    return Record(
        **{
            **data,
            "exercises": {name: _judged(judged) for name, judged in data["exercises"].items()},
            "repairs": tuple(data["repairs"]),
            "flags": tuple(Flag(**flag) for flag in data["flags"]),
            "requests": tuple(Request(**request) for request in data.get("requests", ())),
        }
    )


def _judged(data: dict[str, Any]) -> Judged:
    one = data.pop("mistake", None)  # as records of 0.1 have it
    judged = Judged(**{**data, "mistakes": tuple(data.get("mistakes", [one] if one else []))})
    if not all(math.isfinite(one) and abs(one) <= _MOST_POINTS for one in (judged.score, judged.points)):
        raise ValueError(f"{judged.score} of {judged.points} points is no score")
    return judged


def _escaped(text: str) -> str:
    """Escape control characters, and others that a terminal or an editor acts on, in JSON."""
    return re.sub(
        r"[^\n -~]",
        lambda found: found[0] if printable(found[0]) == found[0] else json.dumps(found[0])[1:-1],
        text,
    )
