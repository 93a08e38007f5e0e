"""Downloads from an LMS, sorted into nbgrader's `submitted/STUDENT/ASSIGNMENT/`.

File names are read by nbgrader's extension point, a `FileNameCollectorPlugin`, which nbgrader_config.py names as
`ZipCollectApp.collector_plugin`; its `named_regexp` and `valid_ext` mean here what they mean in `nbgrader zip_collect`.
The rest of `zip_collect` cannot be used: it unpacks every file of an archive, stops where one student has two files
without a time, and either refuses students who submitted before or removes their earlier submission.
"""

import errno
import json
import os
import re
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import FileNameCollectorPlugin
from nbgrader.utils import parse_utc
from traitlets import Bool
from traitlets.utils.importstring import import_item

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.files import write_whole
from mlsd_helpers.grading import archives, class_exceptions, marks, submission_times
from mlsd_helpers.grading.archives import DownloadedFile
from mlsd_helpers.grading.release import configuration
from mlsd_helpers.grading.term import Term
from mlsd_helpers.printable import one_line

TAKEN = "taken"
SUPERSEDED = "superseded"
KEPT = "kept the earlier submission"
IGNORED = "ignored"
NO_STUDENT = "no student in its name"
OUTCOMES = (TAKEN, SUPERSEDED, KEPT, IGNORED, NO_STUDENT)

# Canvas: lastnamefirstname_LATE_4417_90210_name.ipynb, with the numbers of the student and of the file; a later upload
# has a higher file number. The person is in lower-case letters, digits, marks and underscores. In anonymous grading
# there is no name. See Canvas's lib/content_zipper.rb. Every character that is not ASCII is accepted, since Ruby and
# Python disagree on letters, and so is what tools write in its place when they unpack: ?, #U00f8 or %C3. The pattern
# must not miss a name that Canvas wrote.
_NUMBERS = r"(?P<number>[1-9][0-9]{0,18})_(?P<version>[1-9][0-9]{0,18})_."
_CANVAS = re.compile(rf"(?=_{_NUMBERS})", re.DOTALL)
_CANVAS_PERSON = re.compile(r"(?:[a-z0-9_?\x80-\U0010ffff]|#[UL][0-9A-Fa-f]{4,8}|%[0-9A-F]{2})*")
_CANVAS_LATE = "_LATE"
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<anonym>anon_(?=[0-9]*[A-Za-z])[A-Za-z0-9]{5})_(?P<version>[1-9][0-9]{0,18})_.",
    re.DOTALL,
)
# Moodle: Full Name_123_assignsubmission_file_/name.ipynb, or all in one name; 123 is the participant's number in this
# one assignment. Moodle removes every _ from a person's name. See its mod/assign/locallib.php.
_MOODLE = re.compile(r"(?P<person>[^/_]*)_(?P<participant>[0-9]+)_assignsubmission_file(?:_?/|_)(?=[^/])")
_MARK_OF_MOODLE = "_assignsubmission_"
_AGAIN = re.compile(r"(?:\s?\((\d+)\)|-(\d+)|[-_ ]copy(\d*)| - copy)+\Z", re.IGNORECASE)
_MOST_AGAIN = 40  # characters of the end of a name in which _AGAIN is looked for: it is quadratic
_HIDDEN = re.compile(r"(^|/)(\.|__MACOSX/)")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in "0123456789¹²³")}
_SAME = "it is the same"
_TIME_FILE = "timestamp.txt"
_MOST_DATE = 100  # characters of it that are read
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_LONGEST = 100  # characters of a student id; the gradebook allows 128
_MOST_BYTES = 200  # of the name of a file or folder, without its suffix; file systems allow 255
_MANY_OF_ONE = 5 * archives.MANY  # files in all archives of one student
_READ_TIMEOUT_S = 10.0  # for all files of one student


class LmsNames(FileNameCollectorPlugin):  # type: ignore[misc]
    """Reads the student from the names that Canvas and Moodle give to downloads, or by `named_regexp` where it is set.

    `named_regexp` has the groups `student_id` and `file_id`, and may have `timestamp` (UTC, or with its zone),
    `late` (not empty if the LMS says so), and `version` (a number that grows with each upload). Students choose
    the `file_id`, so its pattern should match any text: `(?s:.+)`.
    """

    dated_by_files = Bool(
        False,
        help="Whether the time of submission is the time of last change. Most downloads have another time instead.",
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known: Mapping[str, str] = {}  # the notebooks' names, by their folded form
        self.numbers: Container[str] = ()  # Canvas's numbers of the students in the class list

    def _match(self, filename: str) -> dict[str, str] | None:
        if self.named_regexp:
            found = re.match(self.named_regexp, filename)
            return found.groupdict() if found else None
        readings = list(_readings(filename))
        if not readings and _MARK_OF_MOODLE not in filename and not _CANVAS.search(filename):
            return None
        problem = self._doubt(readings)
        if not problem:
            return readings[0]
        # `nbgrader zip_collect` leaves out what has no student; `mlsd collect` says why.
        return {"student_id": "", "file_id": filename, "problem": problem} if self.known else None

    def _doubt(self, readings: Sequence[Mapping[str, str]]) -> str:
        """Return why the first reading may not be the one that the LMS meant, or "".

        A file's name can add readings after the LMS's, and a person's name can add some before it. The first reading is
        the LMS's if it leaves exactly the name of a known notebook: that name would contain the LMS's numbers if they
        came later. It is also the LMS's if its student number is the only one in the class list.
        """
        if not readings:
            return "it has an LMS's numbers, but not where the LMS writes them"
        first = readings[0]
        if "version" in first and "/" in first["file_id"]:  # whose dates the student could choose
            return "it is in a folder with the name of a student's archive: leave archives packed, or rename the folder"
        listed = [one for one in readings if one.get("number") in self.numbers]
        if len(readings) == 1 or _original(first["file_id"], self.known)[0] or listed == [first]:
            return ""
        people = " or ".join(dict.fromkeys(one["student_id"] for one in readings))
        return f"its numbers may be read in several ways: {people}; rename it, or complete the class list"


def _readings(path: str) -> Iterator[dict[str, str]]:
    """Yield each way to read a path as one that Canvas or Moodle wrote, from its beginning to its end.

    One of them is what the LMS wrote. The others come from names that a student chose: the name of a file, after it, or
    the name of a person, before it.
    """
    at = 0
    for part in path.split("/"):
        moodle = _MOODLE.match(path, at)
        canvas = list(_canvas(path, at, at + len(part)))
        if moodle:
            person = moodle["person"]
            yield {**moodle.groupdict(), "student_id": clean_id(person), "file_id": path[moodle.end() :]}
        yield from canvas
        if moodle and not canvas:  # Canvas cannot have written this, so the rest is the student's
            return
        at += len(part) + 1


def _canvas(path: str, at: int, end: int) -> Iterator[dict[str, str]]:
    """Yield each way to read the part of a path from `at` to `end` as a name that Canvas wrote."""
    anonymous = _CANVAS_ANONYMOUS.match(path, at, end)
    if anonymous:
        student = anonymous["anonym"].replace("_", "-")
        yield {**anonymous.groupdict(""), "student_id": student, "file_id": path[anonymous.end() - 1 :]}
    longest = _CANVAS_PERSON.match(path, at, end).end()  # type: ignore[union-attr]  # it also matches ""
    for found in _CANVAS.finditer(path, at, end):
        late = path.endswith(_CANVAS_LATE, at, found.start())
        person = found.start() - len(_CANVAS_LATE) * late
        if person <= longest:
            # The number of a student stays when their name changes. The prefix says that it is Canvas's.
            yield {
                **found.groupdict(),
                "student_id": f"canvas-{found['number']}",
                "participant": path[at:person],
                "file_id": path[found.end("version") + 1 :],
                "late": _CANVAS_LATE * late,
            }


def _original(called: str, known: Mapping[str, str]) -> tuple[str, int]:
    """Return the known name of a file that a browser or LMS has numbered, and the number: `05_capacity-1 (2).ipynb`.

    For an unknown file the name is "".
    """
    if _folded(called) in known:
        return known[_folded(called)], 0
    stem, dot, suffix = called.rpartition(".")
    numbered = _AGAIN.search(stem, max(0, len(stem) - _MOST_AGAIN))
    if numbered is None:
        return "", 0
    name = known.get(_folded(f"{stem[: numbered.start()]}{dot}{suffix}"), "")
    return name, int(next(filter(None, numbered.groups()), "1"))


# ---- results --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SortedDownload:
    """The outcome for one file, with the student where one is known, and a note.

    `undecided` means that a person has to decide. `prefix` is what the LMS wrote before the student's own
    file name; with it the LMS finds the student of a feedback page. `late` means that the LMS says so; `timed`
    that it is known when the submission came. `foreign` is the assignment to which its cells belong, if another.
    """

    file: str
    outcome: str
    student: str = ""
    note: str = ""
    undecided: bool = False
    prefix: str = ""
    late: bool = False
    timed: bool = False
    foreign: str = ""

    def __str__(self) -> str:
        """Return it as one line, without control characters from a file name."""
        whose = f" → {self.student}" if self.student else ""
        line = f"{self.file}{whose}{f': {self.note}' if self.note else ''}"
        return one_line(line, most=100_000)


@dataclass(frozen=True)
class Collection:
    """All files of a download, each with its outcome."""

    assignment: str
    files: tuple[SortedDownload, ...]
    dry: bool = False

    def of(self, outcome: str) -> tuple[SortedDownload, ...]:
        """Return the files with one outcome."""
        return tuple(one for one in self.files if one.outcome == outcome)

    @property
    def undecided(self) -> tuple[SortedDownload, ...]:
        """The files for which a person has to decide whose they are."""
        return tuple(one for one in self.files if one.undecided or one.outcome == NO_STUDENT)

    @property
    def students(self) -> tuple[str, ...]:
        """The students from whom a file was taken."""
        return tuple(sorted({one.student for one in self.of(TAKEN)}))

    def __str__(self) -> str:
        """Return the files by outcome, then the number of each outcome."""
        found = {outcome: files for outcome in OUTCOMES if (files := self.of(outcome))}
        lines = [f"{outcome}\n" + "".join(f"  {one}\n" for one in files) for outcome, files in found.items()]
        numbers = ", ".join(f"{len(files)} {outcome}" for outcome, files in found.items()) or "none"
        dry = " Nothing was written: a dry run." if self.dry else ""
        people = _number(len(self.students), "student")
        sums = f"{self.assignment}: {_number(len(self.files), 'file')} ({numbers}), {people}.{dry}"
        return "\n".join([*lines, sums, *self.remarks()])

    def remarks(self) -> Iterator[str]:
        """Yield what to look at: who submitted nothing usable or another assignment, and whose time is not known."""
        usable = {one.student for outcome in (TAKEN, KEPT, SUPERSEDED) for one in self.of(outcome)}
        for one in self.of(IGNORED):
            if one.student and one.student not in usable:
                yield f"Nothing from {one.student} can be graded. {one}"
        counted = [*self.of(TAKEN), *self.of(KEPT)]
        for one in counted:
            if one.foreign:
                yield f"{one.student} submitted the cells of {one.foreign}, and none of {self.assignment}."
        untimed = {one.student: one.late for one in counted if not one.timed}
        if late := sorted(student for student, late in untimed.items() if late):
            yield (
                f"Late according to the LMS, which does not say how late in a download: {', '.join(late)}. Give its "
                "record of times with --times; until then nothing is taken off."
            )
        if others := len(untimed) - len(late):
            yield (
                f"It is not known when {_number(others, 'submission')} came: a download does not say. Where lateness "
                "has a price, give the LMS's record of times with --times; until then nothing is taken off."
            )


# ---- sorting --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Owner:
    """The student of a file, or of a whole archive, by the name that the LMS gave to it."""

    student: str
    note: str
    identity: tuple[str, str]  # differs between two students with the same name
    reading: Mapping[str, Any]  # the groups of the file name
    prefix: str


@dataclass(frozen=True)
class _StudentFile:
    """A student's file: its name in submitted/, and its order among this student's files of that name."""

    found: DownloadedFile
    owner: _Owner
    target: str
    exact: bool
    order: tuple[datetime, int, datetime, int]
    submitted_at: datetime | None
    note: str

    def sorted(
        self, outcome: str, note: str, *, undecided: bool = False, timed: bool = False, foreign: str = ""
    ) -> SortedDownload:
        """Return it with its outcome."""
        student = "" if undecided else self.owner.student
        late = bool(self.owner.reading.get("late"))
        return SortedDownload(
            self.found.name, outcome, student, note, undecided, self.owner.prefix, late, timed, foreign
        )


def collect(
    course: Path, assignment: str, folder: Path, *, dry_run: bool = False, times: Iterable[Path] = ()
) -> Collection:
    """Sort a folder or zip of downloads into submitted/; with `dry_run` write nothing and return what would happen.

    The newest of several uploads is kept, and nothing newer in submitted/ is overwritten. `times` are files that say
    when submissions came: see `submission_times`. Raises WorkspaceError where there is no such folder or assignment,
    and where a file of times can't be used.
    """
    if not folder.exists():
        raise WorkspaceError(
            f"There is no {folder}. Give the folder or zip that you downloaded from the LMS."
        )
    sorter = _Sorter(course, assignment, times)
    settled: list[SortedDownload] = []
    by_student: dict[str, list[_StudentFile]] = defaultdict(list)
    for one in sorter.sort(folder):
        if isinstance(one, SortedDownload):
            settled.append(one)
        else:
            by_student[_folded(one.owner.student)].append(one)
    for theirs in by_student.values():
        settled += sorter.settle(theirs, dry_run=dry_run)
    return Collection(assignment, tuple(sorted(settled, key=lambda one: one.file)), dry_run)


class _Sorter:
    """Sorts the downloads of one assignment of a course."""

    def __init__(self, course: Path, assignment: str, times: Iterable[Path] = ()) -> None:
        config = configuration(course)
        term = Term(config=config)
        self.times = submission_times.read(times, term)
        self.exceptions = class_exceptions.read(course, term, assignment)
        self.directory = CourseDirectory(config=config)
        plugin = config.ZipCollectApp.get("collector_plugin", LmsNames)
        kind = import_item(plugin) if isinstance(plugin, str) else plugin
        self.names: FileNameCollectorPlugin = kind(config=config)
        self.assignment = assignment
        self.notebooks = _notebooks(course, assignment)
        others = (other for other in _assignments(course) if other != assignment)
        self.others = {name: other for other in others for name in _notebooks(course, other)}
        self.known = {_folded(name): name for name in (*self.others, *self.notebooks)}
        self.cells = {name: _cells_of(course, name) for name in sorted(_assignments(course))}
        self.names.known = self.known
        self.roster = _Roster(marks.students(course))
        self.names.numbers = self.roster.by_lms.keys()
        self.most_bytes: int = self.directory.max_file_size * 1000
        self.most_of_one: int = self.directory.max_dir_size * 1000
        # Canvas and Moodle put their mark on every submission, so an archive without a mark is the download itself.
        self.marked = isinstance(self.names, LmsNames) and not self.names.named_regexp
        self.loose = False
        self.listed: Counter[str] = Counter()
        submitted = Path(self.directory.format_path(self.directory.submitted_directory, "x", assignment))
        self._noted = course / ".collected" / f"{assignment}.json"
        self.participants: dict[str, str] = {}
        with suppress(OSError, ValueError):
            self.participants = dict(json.loads(self._noted.read_text("utf-8")))
        self.there: dict[str, set[str]] = defaultdict(set)
        for path in submitted.parent.parent.glob("*"):
            self.there[_folded(path.name)].add(path.name)

    def sort(self, folder: Path) -> Iterator[_StudentFile | SortedDownload]:
        """Find the student of each file by its name."""
        everything = list(archives.files(folder, self.most_bytes))
        self.loose = not self.marked and any(self._has_student(one) for one in everything)
        for found in everything:
            yield from self._sort(found, depth=0)

    def _sort(self, found: DownloadedFile, depth: int) -> Iterator[_StudentFile | SortedDownload]:
        try:
            yield from self._sort_or_raise(found, depth)
        except Exception as error:  # noqa: BLE001 - one bad file must not stop the collection of the class
            yield SortedDownload(found.name, IGNORED, note=f"can't be sorted: {error!r}", undecided=True)

    def _sort_or_raise(self, found: DownloadedFile, depth: int) -> Iterator[_StudentFile | SortedDownload]:
        archive = found.suffix == ".zip"
        if refused := self._refused(found, archive=archive):
            yield SortedDownload(found.name, IGNORED, self._student_of(found), refused)
        elif (reading := self._reading(found)) is not None:
            owner = self._owner(found, reading)
            if isinstance(owner, SortedDownload):
                yield owner
            elif archive:
                yield from self._unpacked(found, owner)
            else:
                yield self._one(found, owner, str(reading["file_id"]))
        elif not archive:
            yield SortedDownload(found.name, NO_STUDENT)
        elif depth > 1:
            yield SortedDownload(found.name, IGNORED, note="an archive within an archive")
        elif not self.marked and (depth or self.loose):
            why = "an archive among files that have one, so not opened"
            yield SortedDownload(found.name, NO_STUDENT, note=why)
        else:
            for member in archives.members(found, self.most_bytes):
                yield from self._sort(member, depth + 1)

    def _unpacked(self, archive: DownloadedFile, owner: _Owner) -> Iterator[_StudentFile | SortedDownload]:
        """Sort the files of a student's archive, whose names and dates decide nothing: the student chose them."""
        most = min(archives.MANY, _MANY_OF_ONE - self.listed[owner.student])
        for member in archives.members(archive, self.most_bytes, most):
            whole = member.path == archive.path  # it could not be opened
            self.listed[owner.student] += archives.MANY if whole else 1
            if refused := self._refused(member, archive=False):
                yield SortedDownload(member.name, IGNORED, owner.student, refused)
            else:
                yield self._one(replace(member, at=archive.at), owner, PurePosixPath(member.path).name)

    def _refused(self, found: DownloadedFile, *, archive: bool) -> str:
        """Return why a file is ignored, or ""."""
        if found.problem:
            return found.problem
        if _HIDDEN.search(found.path):
            return "a hidden file"
        known = archive or found.suffix in self.names.valid_ext
        return "" if known else f"not {' or '.join(self.names.valid_ext)}"

    def _reading(self, found: DownloadedFile) -> Mapping[str, Any] | None:
        """Ask nbgrader's plugin for the student of a file; an archive gets the name of a notebook for that."""
        reading: Mapping[str, Any] | None = self.names.collect(self._as_notebook(found))
        return reading

    def _student_of(self, found: DownloadedFile) -> str:
        """Return the student of a file that can't be used, or "" where it has none."""
        if _HIDDEN.search(found.path):
            return ""
        with suppress(Exception):  # another plugin may raise anything; the file is ignored all the same
            path = str(PurePosixPath(found.path).with_suffix(self.names.valid_ext[0]))
            reading = self.names.collect(path)
            return self.roster.find(reading)[0] if reading else ""
        return ""

    def _has_student(self, found: DownloadedFile) -> bool:
        try:
            return self._reading(found) is not None
        except Exception:  # noqa: BLE001 - another plugin may raise anything; sorting this file reports it
            return True

    def _owner(self, found: DownloadedFile, reading: Mapping[str, Any]) -> _Owner | SortedDownload:
        student, note = self.roster.find(reading)
        if not student:
            return SortedDownload(found.name, NO_STUDENT, note=str(reading.get("problem") or note))
        raw = str(reading.get("person") or reading.get("student_id"))
        path, called = self._as_notebook(found), str(reading["file_id"])
        prefix = path.removesuffix(called) if path.endswith(called) else f"{path}."
        return _Owner(student, note, (raw, _folded(str(reading.get("participant") or ""))), reading, prefix)

    def _as_notebook(self, found: DownloadedFile) -> str:
        suffix = self.names.valid_ext[0] if found.suffix == ".zip" else found.suffix
        return str(PurePosixPath(found.path).with_suffix(suffix))

    def _one(self, found: DownloadedFile, owner: _Owner, file_id: str) -> _StudentFile | SortedDownload:
        called = _called(file_id, found.suffix)
        target, again = _original(called, self.known)
        if target in self.others or _folded(called) == _TIME_FILE:
            why = f"the notebook of {self.others[target]}" if target else "nbgrader's own file"
            return SortedDownload(found.name, IGNORED, owner.student, why)
        if found.suffix != ".ipynb":
            target = target or called
        elif not target and len(self.notebooks) > 1:
            return SortedDownload(found.name, IGNORED, owner.student, f"not a notebook of {self.assignment}")
        named, submitted_at, late = self._time(found, owner.reading, owner.student)
        version = str(owner.reading.get("version") or "")
        return _StudentFile(
            found,
            owner,
            target or self.notebooks[0],
            bool(target),
            (named or _LONG_AGO, int(version) if version.isdecimal() else 0, found.at, again),
            submitted_at,
            "; ".join(filter(None, [owner.note, "" if target else f"called {called}", late])),
        )

    def _time(
        self, found: DownloadedFile, reading: Mapping[str, Any], student: str
    ) -> tuple[datetime | None, datetime | None, str]:
        """Return the time in the name, the time of submission, and a note."""
        if given := reading.get("timestamp"):
            try:
                at = parse_utc(given).replace(tzinfo=UTC)
            except (ValueError, OverflowError):
                return None, None, f"its time {given!r} can't be read, so nbgrader won't call it late"
            return at, at, ""
        if at := self.times.of(reading, student, self.roster.lms_of.get(student, "")):
            return None, at.astimezone(UTC), ""
        if reading.get("late"):
            return None, None, "late according to the LMS"
        return None, found.at if getattr(self.names, "dated_by_files", False) else None, ""

    # -- one student

    def settle(self, theirs: Sequence[_StudentFile], *, dry_run: bool) -> Iterator[SortedDownload]:
        """Choose among all files of one student, and write those that are taken."""
        student = theirs[0].owner.student
        people = {one.owner.identity for one in theirs}
        there = self.there[_folded(student)]
        participant, known = theirs[0].owner.identity[1], self.participants.get(student, "")
        conflict = ""
        if len(people) > 1 or (there and student not in there):
            names = [" ".join(filter(None, who)) for who in people] + [f"submitted/{one}" for one in there]
            conflict = f"{' and '.join(sorted(names))} would share submitted/{student}; rename or remove one"
        elif participant and known and participant != known:
            conflict = f"Moodle's participant {participant} has the name of {known}, who submitted before"
        if conflict:
            yield from (one.sorted(IGNORED, conflict, undecided=True) for one in theirs)
            return
        newest: dict[str, tuple[_StudentFile, bytes]] = {}
        left, end = self.most_of_one, time.monotonic() + _READ_TIMEOUT_S
        for one in sorted(theirs, key=lambda one: (one.exact, one.order), reverse=True):
            target = _folded(one.target)
            if target in newest:
                winner = newest[target][0]
                why = "beside" if winner.exact and not one.exact else "by"
                yield one.sorted(SUPERSEDED, f"{why} {winner.found.name}")
                continue
            try:
                content = self._read(one.found, left, end)
            except Exception as error:  # noqa: BLE001 - one bad file must not stop the collection of the class
                yield one.sorted(IGNORED, str(error) or repr(error))
                continue
            left -= len(content)
            newest[target] = one, content
        chosen = list(newest.values())
        try:
            yield from self._keep_or_take(chosen, dry_run=dry_run)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            note = f"could not be written: {error.strerror} ({error.filename})"
            yield from (one.sorted(IGNORED, note, undecided=True) for one, _ in chosen)

    def _read(self, found: DownloadedFile, most: int, end: float) -> bytes:
        if time.monotonic() > end:
            raise OSError(f"not read: the other files of this student took {_READ_TIMEOUT_S:g} s")
        content = found.read()
        if len(content) > most:
            raise OSError(f"with it this student's files are larger than {self.most_of_one / 1e6:g} MB")
        return content

    def _keep_or_take(
        self, chosen: Sequence[tuple[_StudentFile, bytes]], *, dry_run: bool
    ) -> Iterator[SortedDownload]:
        if not chosen:
            return
        student = chosen[0][0].owner.student
        place = Path(self.directory.format_path(self.directory.submitted_directory, student, self.assignment))
        reason = self._reason_to_keep(place, chosen)
        if not reason and not dry_run:
            self._write(place, chosen)
            self._remember(student, chosen[0][0].owner.identity[1])
        at = max((one.submitted_at for one, _ in chosen if one.submitted_at), default=None)
        timed = bool(at) or student in self.exceptions.submitted
        if reason == _SAME and at and self._time_there(place, []) != at:
            reason = f"{_SAME}; now it is known when it came"
            if not dry_run:
                write_whole(place / _TIME_FILE, _timestamp(at))
        timed = timed or bool(reason and (place / _TIME_FILE).is_file())
        for one, content in chosen:
            foreign = self._foreign(one, content)
            note = "; ".join(
                filter(None, [reason or one.note, f"its cells are those of {foreign}" if foreign else ""])
            )
            yield one.sorted(KEPT if reason else TAKEN, note, timed=timed, foreign=foreign)

    def _foreign(self, one: _StudentFile, content: bytes) -> str:
        """Return the other assignment to which all cells of a notebook belong, or ""."""
        if one.target not in self.notebooks:
            return ""
        try:
            there = _grade_ids(json.loads(content))
        except (
            ValueError,
            RecursionError,
            TypeError,
            AttributeError,
            KeyError,
        ):  # grading says what is wrong with it
            return ""
        if there & self.cells[self.assignment]:
            return ""
        return next((name for name, ids in self.cells.items() if there & ids), "")

    def _remember(self, student: str, participant: str) -> None:
        """Note the number of Moodle's participant: another participant may take the name later."""
        if participant and self.participants.get(student) != participant:
            self.participants[student] = participant
            self._noted.parent.mkdir(exist_ok=True)
            self._noted.write_text(json.dumps(self.participants, ensure_ascii=False, indent=1), "utf-8")

    def _reason_to_keep(self, place: Path, chosen: Sequence[tuple[_StudentFile, bytes]]) -> str:
        """Return why the earlier submission stays in submitted/, or ""."""
        if place.is_symlink() or place.parent.is_symlink():
            return f"{place.parent if place.parent.is_symlink() else place} is a link; remove it"
        there = {path.name: path for path in place.glob("*") if path.is_file() and path.name != _TIME_FILE}
        if not there:
            return ""
        if all(one.target in there and _holds(there[one.target], content) for one, content in chosen):
            return _SAME
        since = self._time_there(place, there.values())
        # In nbgrader's exchange a student writes this date. Zones may differ by a day; a later date is ignored.
        future = since > datetime.now(UTC) + timedelta(days=1)
        if not future and since >= max(one.submitted_at or one.found.at for one, _ in chosen):
            return f"it is as new or newer: {since:%Y-%m-%d %H:%M:%S} UTC"
        return ""

    def _time_there(self, place: Path, files: Iterable[Path]) -> datetime:
        try:
            with (place / _TIME_FILE).open() as file:
                return parse_utc(file.read(_MOST_DATE).strip()).replace(tzinfo=UTC)  # type: ignore[no-any-return]
        except Exception:  # noqa: BLE001 - the file may have any content, and dateutil may raise any error
            return max((archives.moment(file.stat().st_mtime) for file in files), default=_LONG_AGO)

    def _write(self, place: Path, chosen: Sequence[tuple[_StudentFile, bytes]]) -> None:
        """Write the files into a temporary directory, which then replaces the old folder as a whole."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".collect-") as scratch:
            made = Path(scratch, "made")
            made.mkdir()
            for one, content in chosen:
                path = made / one.target
                path.write_bytes(content)
                os.utime(path, (one.found.at.timestamp(),) * 2)
            times = [one.submitted_at for one, _ in chosen if one.submitted_at is not None]
            if times:
                (made / _TIME_FILE).write_text(_timestamp(max(times)))
            if place.exists():
                place.rename(Path(scratch, "before"))
            made.rename(place)


def _timestamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f} UTC"


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _grade_ids(notebook: Any) -> set[str]:
    marked = (cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"])
    return {str(one["grade_id"]) for one in marked if "grade_id" in one}


def _cells_of(course: Path, assignment: str) -> set[str]:
    """Return the grade_ids of an assignment's notebooks."""
    ids: set[str] = set()
    for kind in ("source", "release"):
        for path in (course / kind / assignment).glob("*.ipynb"):
            with suppress(
                ValueError, TypeError, AttributeError, KeyError
            ):  # release and grading say what is wrong
                ids |= _grade_ids(json.loads(path.read_bytes()))
    return ids


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _called(file_id: str, suffix: str) -> str:
    """Return the name of a file without its folders, in a form that every file system accepts."""
    name = PurePosixPath(unicodedata.normalize("NFC", file_id).replace("\\", "/")).name or "unnamed"
    shown = ("-" if c in ':*?"<>|' or unicodedata.category(c).startswith("C") else c for c in name)
    stem = _cut(PurePosixPath("".join(shown)).stem).rstrip(". ") or "unnamed"
    return f"{_unreserved(stem, 'file')}{suffix}"


class _Roster:
    """The students of the gradebook, by their id, by the LMS's name for them, or by their full name."""

    def __init__(self, students: Iterable[marks.Student]) -> None:
        known = tuple(students)
        self.ids = {one.id for one in known}
        self.by_lms = _unique((one.lms_user_id, one.id) for one in known)
        self.lms_of = {one.id: one.lms_user_id for one in known}
        self.by_name = _unique((_folded(one.name), one.id) for one in known)
        # Grading adds unknown students with the name of their folder alone.
        self.listed = {_folded(one.id) for one in known if one.lms_user_id or one.name != one.id}

    def find(self, reading: Mapping[str, Any]) -> tuple[str, str]:
        """Return the id of a student in a form that a folder name can have, or "", and a note."""
        raw = str(reading.get("person") or reading.get("student_id") or "")
        known = self._known(raw, reading)
        student = _plain(known) if known else clean_id(raw)
        if not student:
            return "", "the LMS gives no name that a folder could have" if raw else ""
        if not known and _folded(student) in self.listed:
            return "", f"{raw!r} is not the name of the student {student} in the class list"
        notes = [
            f"{raw!r} became {student}" if not known and student != "_".join(raw.split()) else "",
            "not in the gradebook's class list" if self.ids and not known else "",
        ]
        return student, "; ".join(filter(None, notes))

    def _known(self, raw: str, reading: Mapping[str, Any]) -> str:
        """Return the id of a student by what the LMS wrote, since people choose their own names."""
        if "person" in reading:  # Moodle's
            return self.by_name.get(_folded(raw), "")
        if raw in self.ids:
            return raw
        return self.by_lms.get(str(reading.get("number") or raw), "") or self.by_name.get(_folded(raw), "")


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs whose key occurs once."""
    known = [(key, value) for key, value in pairs if key]
    count = Counter(key for key, _ in known)
    return {key: value for key, value in known if count[key] == 1}


def clean_id(raw: str) -> str:
    """Return an id that is safe as the name of a folder, in a file glob and in a terminal.

    Letters, marks and digits of every script stay; so do . @ - and _. Blanks become _, all else becomes -.

    >>> clean_id("../Zoë  O'Hara"), clean_id("مريم"), clean_id(".."), clean_id("aux")
    ('Zoë_O-Hara', 'مريم', '', 'student-aux')
    """
    return _unreserved(_plain(raw), "student")


def _plain(raw: str) -> str:
    """Return an id with nothing in it but letters, marks, digits, . @ - and _."""
    shown = "".join(c for c in "_".join(raw.split()) if not unicodedata.category(c).startswith("C"))
    safe = (
        c if unicodedata.category(c)[0] in "LMN" or c in ".@-_" else "-"
        for c in unicodedata.normalize("NFC", shown)
    )
    return _cut("".join(safe).strip("-._")[:_LONGEST]).strip("-._")


def _cut(name: str) -> str:
    """Return the beginning of a name, short enough for a file system with a suffix added."""
    return name.encode()[:_MOST_BYTES].decode(errors="ignore")


def _unreserved(name: str, kind: str) -> str:
    """Return a name that is none of Windows' devices, such as `aux` or `con.txt`."""
    return f"{kind}-{name}" if name.partition(".")[0].casefold() in _RESERVED else name


def _folded(text: str) -> str:
    """Return text in a form in which file systems and people consider it the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _assignments(course: Path) -> set[str]:
    return {path.parent.name for kind in ("source", "release") for path in (course / kind).glob("*/*.ipynb")}


def _notebooks(course: Path, assignment: str) -> tuple[str, ...]:
    """Return the file names of an assignment's notebooks."""
    there = sorted(
        {path.name for kind in ("source", "release") for path in (course / kind / assignment).glob("*.ipynb")}
    )
    if not there:
        known = ", ".join(sorted(_assignments(course))) or "nothing"
        raise WorkspaceError(f"There is no assignment {assignment} in {course}. It has: {known}.")
    return tuple(there)
