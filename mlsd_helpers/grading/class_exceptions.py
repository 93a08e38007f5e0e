"""What holds for one student alone, from class/exceptions.csv: extensions, times of submission, groups, and excuses.

Each line names a student, an assignment and an exception, with its value where it has one:

    id,assignment,exception,value
    alan,05_capacity,extension,2027-03-15
    bob,05_capacity,submitted,2027-03-12 17:55
    eve,05_capacity,group,ada
    grace,05_capacity,excused,
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading.spreadsheets import delimiter_of
from mlsd_helpers.grading.term import Term, utc
from mlsd_helpers.printable import one_line

FILE = "class/exceptions.csv"
COLUMNS = ("id", "assignment", "exception", "value")
EXTENSION, SUBMITTED, GROUP, EXCUSED = "extension", "submitted", "group", "excused"
KINDS = (EXTENSION, SUBMITTED, GROUP, EXCUSED)

_LISTED = 20  # faults in an error message


@dataclass(frozen=True)
class ClassExceptions:
    """The exceptions of one assignment, by student; times are in UTC without a zone, as in the gradebook.

    `there` is false where the course has no such file: then the gradebook decides about extensions.
    """

    there: bool = False
    extensions: Mapping[str, datetime] = field(default_factory=dict)
    submitted: Mapping[str, datetime] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)  # who submitted, for each other member
    excused: frozenset[str] = frozenset()

    def lacks(self, handed_in: Iterable[str], students: Iterable[str]) -> list[str]:
        """Return the students of whom no submission counts and who are not excused, in order."""
        there = set(handed_in)
        return sorted(
            one for one in set(students) - there - self.excused if self.groups.get(one, one) not in there
        )


@dataclass(frozen=True)
class _Line:
    number: int
    student: str
    assignment: str
    kind: str
    value: str


def read(course: Path, term: Term, assignment: str, students: Iterable[str] = ()) -> ClassExceptions:
    """Read the exceptions of an assignment.

    `students` are the ids that a line may name; with none, every id is accepted. Raises WorkspaceError with each line
    that can't be used, also of other assignments, and what to write instead.
    """
    path = course / FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ClassExceptions()
    except (OSError, UnicodeError) as error:
        raise WorkspaceError(f"{path} can't be read: {error}. Save it as CSV in UTF-8.") from error
    found: dict[str, dict[str, object]] = {kind: {} for kind in KINDS}
    faults: list[str] = []
    known = frozenset(students)
    for line in _lines(path, text):
        try:
            value = _value(line, term, known, _assignments(course))
            if line.assignment == assignment:
                if line.student in found[line.kind]:
                    raise ValueError(f"{line.student} has another {line.kind} above. Keep one.")  # noqa: TRY301
                found[line.kind][line.student] = value
        except ValueError as error:
            faults.append(f"line {line.number}: {one_line(error)}")
    groups: dict[str, str] = found[GROUP]  # type: ignore[assignment]
    faults += [
        f"{one_line(member)} is in the group of {one_line(first)}, who is in a group of somebody else. Name the one "
        "whose submission counts."
        for member, first in groups.items()
        if first in groups
    ]
    if faults:
        more = [f"… and {len(faults) - _LISTED} more."] if len(faults) > _LISTED else []
        raise WorkspaceError("\n  ".join([f"{path}:", *faults[:_LISTED], *more]))
    return ClassExceptions(
        True,
        MappingProxyType(found[EXTENSION]),  # type: ignore[arg-type]
        MappingProxyType(found[SUBMITTED]),  # type: ignore[arg-type]
        MappingProxyType(groups),
        frozenset(found[EXCUSED]),
    )


def _lines(path: Path, text: str) -> Iterable[_Line]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    columns = [name.strip().lower() for name in next(rows, [])]
    if missing := [name for name in COLUMNS if name not in columns]:
        raise WorkspaceError(
            f"{path}: the first line names no column {', '.join(missing)}. It has to be: {','.join(COLUMNS)}"
        )
    for row in rows:
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        if any(cells.values()):
            student, assignment, kind, value = (cells.get(name, "") for name in COLUMNS)
            yield _Line(rows.line_num, student, assignment, kind.lower(), value)


def _value(line: _Line, term: Term, students: frozenset[str], assignments: frozenset[str]) -> object:
    """Return the value of a line, or raise ValueError with what is wrong in it."""
    for name, given, there in (
        ("student", line.student, students),
        ("assignment", line.assignment, assignments),
        ("exception", line.kind, frozenset(KINDS)),
    ):
        if not given or (there and given not in there):
            raise ValueError(_unknown(name, given, there))
    if line.kind == EXCUSED:
        return True
    if line.kind == GROUP:
        if line.value == line.student or not line.value or (students and line.value not in students):
            raise ValueError(
                f"the value of a group is the id of the member whose submission counts, and not {line.value!r}."
            )
        return line.value
    try:
        at = term.moment(line.value)
    except (TypeError, ValueError):
        at = None
    if at is None or (line.kind == SUBMITTED and len(line.value) <= len("2027-03-12")):
        example = "2027-03-12 17:55" if line.kind == SUBMITTED else "2027-03-15, or 2027-03-15 18:00"
        raise ValueError(f"the value of {line.kind} is {line.value!r}. Give a time such as {example}.")
    return utc(at)


def _unknown(name: str, given: str, there: frozenset[str]) -> str:
    if not given:
        return f"the {name} is empty."
    near = get_close_matches(given, there, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There is: {', '.join(sorted(there)[:_LISTED])}."
    return f"there is no {name} {given}. {hint}"


def _assignments(course: Path) -> frozenset[str]:
    return frozenset(
        path.parent.name for kind in ("source", "release") for path in (course / kind).glob("*/*.ipynb")
    )
