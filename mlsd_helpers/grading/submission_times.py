"""When submissions came, from an LMS's own record, since the zips of Canvas and Moodle do not say.

- Moodle's grading worksheet, as CSV: `Identifier` has the participant's number, `Last modified (submission)` the time
  in words, without a zone.
- Canvas's list of submissions, as the JSON that its API gives to a logged-in instructor: `user_id` and `submitted_at`.
- An instructor's own CSV: `id`, a student's id or the LMS's number, and `submitted`.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.utils import parse_utc

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading.spreadsheets import delimiter_of
from mlsd_helpers.grading.term import Term
from mlsd_helpers.printable import one_line

_MOODLE = "Identifier", "Last modified (submission)"
_OWN = "id", "submitted"
_IN_WORDS = re.compile(r"(?=.*[^\W\d_]{3})(?=.*\b\d{4}\b)(?=.*\d:\d\d)")  # a month, a year and a time of day


@dataclass(frozen=True)
class SubmissionTimes:
    """Times with their zone: by Moodle's participant, by Canvas's number, and by what an instructor calls a student."""

    by_participant: Mapping[str, datetime] = field(default_factory=dict)
    by_number: Mapping[str, datetime] = field(default_factory=dict)
    by_id: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, reading: Mapping[str, Any], student: str, lms_user_id: str) -> datetime | None:
        """Return when a file came, by what its name says and by its student; None where that is not known."""
        number = str(reading.get("number") or "")
        return (
            self.by_participant.get(str(reading.get("participant") or ""))
            or self.by_number.get(number)
            or next((self.by_id[one] for one in (student, lms_user_id, number) if one in self.by_id), None)
        )


def read(paths: Iterable[Path], term: Term) -> SubmissionTimes:
    """Read files of times; one that an LMS gives page by page is several files.

    Raises WorkspaceError for a file of another kind, and for a time that can't be read.
    """
    found: tuple[dict[str, datetime], ...] = ({}, {}, {})
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError) as error:
            raise WorkspaceError(
                f"{path} can't be read: {error}. Save it as CSV or JSON in UTF-8."
            ) from error
        for place, read_one in enumerate((_moodle, _canvas, _own)):
            times = read_one(path, text, term)
            if times is not None:
                found[place].update(times)
                break
        else:
            raise WorkspaceError(
                f"{path} has no times of submission. Give Moodle's grading worksheet (CSV, in English, with "
                f"{' and '.join(_MOODLE)}), Canvas's list of submissions (JSON), or a CSV with {' and '.join(_OWN)}."
            )
    return SubmissionTimes(*found)


def _moodle(path: Path, text: str, term: Term) -> dict[str, datetime] | None:
    def in_words(given: str) -> datetime | None:
        if not _IN_WORDS.match(given):  # 05/03/2027 is May for some, and March for others
            raise ValueError(given)
        return term.moment(parse_utc(given))

    def participant(given: str) -> str:
        return given.rpartition(" ")[2]

    return _table(path, text, _MOODLE, in_words, participant)


def _own(path: Path, text: str, term: Term) -> dict[str, datetime] | None:
    def moment(given: str) -> datetime | None:
        if len(given) <= len("2027-03-12"):
            raise ValueError(given)
        return term.moment(given)

    return _table(path, text, _OWN, moment, str)


def _table(
    path: Path,
    text: str,
    columns: tuple[str, str],
    moment: Callable[[str], datetime | None],
    name: Callable[[str], str],
) -> dict[str, datetime] | None:
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    if not set(columns) <= set(rows.fieldnames or ()):
        return None
    times = {}
    for row in rows:
        who, given = ((row[column] or "").strip() for column in columns)
        if given in {"", "-"}:  # nothing submitted
            continue
        try:
            at = moment(given)
        except (ValueError, OverflowError):
            at = None
        if at is None:
            raise WorkspaceError(
                f"{path}, line {rows.line_num}: the time {one_line(given, 60)!r} of {one_line(who, 60)} can't be read. "
                "Write it as 2027-03-12 17:55, or set Moodle to English and download the worksheet again."
            )
        times[name(who)] = at
    return times


def _canvas(path: Path, text: str, _: Term) -> dict[str, datetime] | None:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not (
        isinstance(listed, list) and all(isinstance(one, dict) and "submitted_at" in one for one in listed)
    ):
        return None
    times = {}
    for one in listed:
        if one["submitted_at"] is None:
            continue
        try:
            at = datetime.fromisoformat(str(one["submitted_at"]))
            if at.tzinfo is None:
                raise ValueError(at)  # noqa: TRY301 - Canvas always writes the zone
            times[str(one["user_id"])] = at
        except (ValueError, KeyError) as error:
            raise WorkspaceError(
                f"{path}: {one_line(one, 120)} has no user_id, or a submitted_at without its zone. Download it again."
            ) from error
    return times
