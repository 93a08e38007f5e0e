"""What students handed in to an LMS, sorted into nbgrader's `submitted/STUDENT/ASSIGNMENT/`.

File names are read by nbgrader's own extension point, a `FileNameCollectorPlugin`, named in nbgrader_config.py as
`ZipCollectApp.collector_plugin`; its `named_regexp` and `valid_ext` count here as in `nbgrader zip_collect`. The
rest of `zip_collect` does not serve: it unpacks whatever is in an archive, stops at the first two files of one
student without a time, and either refuses a student who has handed in before or removes what they handed in.
"""

import os
import re
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import FileNameCollectorPlugin
from nbgrader.utils import parse_utc
from traitlets import Bool
from traitlets.utils.importstring import import_item

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading import archives, marks
from mlsd_helpers.grading.archives import Found
from mlsd_helpers.grading.release import configuration

TAKEN = "taken"
SUPERSEDED = "superseded"
KEPT = "kept what is there"
IGNORED = "ignored"
NO_STUDENT = "no student in its name"
OUTCOMES = (TAKEN, SUPERSEDED, KEPT, IGNORED, NO_STUDENT)

# Canvas: lastnamefirstname_LATE_4417_90210_name.ipynb, number of the student and of the file; a later upload has a
# higher one. In anonymous grading there is no name. After Canvas's own lib/content_zipper.rb.
_CANVAS = re.compile(r"(?=_(?P<student_id>\d+)_(?P<version>\d+)_(?P<file_id>.+))")
_CANVAS_ANONYMOUS = re.compile(
    r"(?:(?P<late>LATE)_)?(?P<student_id>anon_(?=\d*[A-Za-z])[A-Za-z\d]{5})_(?P<version>\d+)_(?P<file_id>.+)"
)
# Moodle: Full Name_123_assignsubmission_file_/name.ipynb, or all in one name; 123 counts the participants of this
# one assignment. Whoever names a file or folder like this hands it in from within a folder of their own: the outermost
# counts. After Moodle's own mod/assign/locallib.php.
_MOODLE = re.compile(
    r"(?:.*?/)??(?P<student_id>[^/_]+)_(?P<participant>\d+)_assignsubmission_file(?:_?/|_)(?P<file_id>[^/].*)"
)
_AGAIN = re.compile(r"(?:\s?\((\d+)\)|-(\d+)|[-_ ]copy(\d*)| - copy)+$", re.IGNORECASE)
_HIDDEN = re.compile(r"(^|/)(\.|__MACOSX/)")
_KEPT_CATEGORIES = ("L", "M", "N")
_TIME_FILE = "timestamp.txt"
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_LONGEST = 100  # characters of a student id; the gradebook holds 128


class LmsNames(FileNameCollectorPlugin):  # type: ignore[misc]
    """Read the student from the names that Canvas and Moodle give to downloads, or by `named_regexp` where it is set.

    `named_regexp` has the groups `student_id` and `file_id`, and may have `timestamp` (UTC, or with its zone),
    `late` (not empty if the LMS says so), and `version` (a number that grows with each upload).
    """

    dated_by_files = Bool(
        False,
        help="Whether a file was handed in when it was last written. Most downloads carry their own time instead.",
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known: Mapping[str, str] = {}  # the notebooks' names, by what they are compared by

    def _match(self, filename: str) -> dict[str, str] | None:
        if self.named_regexp:
            found = re.match(self.named_regexp, filename)
            return found.groupdict() if found else None
        moodle = _MOODLE.match(filename)
        if moodle:
            return {
                **moodle.groupdict(),
                "student_id": clean_id(moodle["student_id"]),
                "person": moodle["student_id"],
            }
        name = filename.rpartition("/")[2]
        anonymous = _CANVAS_ANONYMOUS.fullmatch(name)
        if anonymous:
            return {**anonymous.groupdict(), "student_id": anonymous["student_id"].replace("_", "-")}
        return self._canvas(name)

    def _canvas(self, name: str) -> dict[str, str] | None:
        """Read a name of Canvas's, where `_1_2_` in the name of a person or a file gives it several readings.

        The reading that leaves a known notebook is right. Where there is none, no student may be taken for another.
        """
        readings = [found for found in _CANVAS.finditer(name) if re.fullmatch(r"\w*", name[: found.start()])]
        if len(readings) > 1 and self.known:
            readings = [one for one in readings if _original(one["file_id"], self.known)[0]] or readings
        if not readings:
            return None
        if len(readings) > 1 and self.known:
            return {"student_id": "", "file_id": name, "problem": "its numbers may be read in several ways"}
        found = readings[0]
        late = "LATE" if name[: found.start()].endswith("_LATE") else ""
        # Canvas's number stays when a name changes; it says whose number it is, for the way back to Canvas.
        return {**found.groupdict(), "student_id": f"canvas-{found['student_id']}", "late": late}


def _original(called: str, known: Mapping[str, str]) -> tuple[str, int]:
    """Return the known name of a file that browsers and LMSs number, and the number: `05_capacity-1 (2).ipynb`.

    An unknown name is "".
    """
    if _folded(called) in known:
        return known[_folded(called)], 0
    stem, dot, suffix = called.rpartition(".")
    numbered = _AGAIN.search(stem)
    if numbered is None:
        return "", 0
    name = known.get(_folded(f"{stem[: numbered.start()]}{dot}{suffix}"), "")
    return name, int(next(filter(None, numbered.groups()), "1"))


# ---- what comes out -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sorted:
    """What became of one file: an outcome, the student where one is known, and what there is to say."""

    file: str
    outcome: str
    student: str = ""
    note: str = ""

    def __str__(self) -> str:
        """Return it as a line, without what a file name may do to a terminal."""
        whose = f" → {self.student}" if self.student else ""
        line = f"{self.file}{whose}{f': {self.note}' if self.note else ''}"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


@dataclass(frozen=True)
class Collection:
    """Every file of a download, each with its outcome."""

    assignment: str
    files: tuple[Sorted, ...]
    dry: bool = False

    def of(self, outcome: str) -> tuple[Sorted, ...]:
        """Return the files with one outcome."""
        return tuple(one for one in self.files if one.outcome == outcome)

    @property
    def students(self) -> tuple[str, ...]:
        """Those of whom something was taken."""
        return tuple(sorted({one.student for one in self.of(TAKEN)}))

    def __str__(self) -> str:
        """Return every file under its outcome, and then the numbers."""
        lines = [
            f"{outcome}\n" + "\n".join(f"  {one}" for one in self.of(outcome)) + "\n"
            for outcome in OUTCOMES
            if self.of(outcome)
        ]
        counts = Counter(one.outcome for one in self.files)
        numbers = (
            ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome]) or "none"
        )
        dry = " Nothing was written: a dry run." if self.dry else ""
        sums = f"{self.assignment}: {len(self.files)} files ({numbers}), {len(self.students)} students.{dry}"
        return "\n".join([*lines, sums])


# ---- the work -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _HandIn:
    """A file with a student: what it would be called in submitted/, and how it compares with another of theirs."""

    found: Found
    student: str
    who: tuple[str, str]  # what tells this student from another of the same name
    target: str
    exact: bool
    order: tuple[datetime, int, datetime, int]
    handed_in: datetime | None
    note: str


def collect(course: Path, assignment: str, folder: Path, *, dry_run: bool = False) -> Collection:
    """Sort a folder, or a zip, of downloads into submitted/; with `dry_run` only say what would be done.

    Of what a student uploaded more than once the newest is kept, and nothing newer is overwritten. Raises
    WorkspaceError where there is no such folder or assignment.
    """
    if not folder.exists():
        raise WorkspaceError(
            f"There is no {folder}. Name the folder or zip that you downloaded from the LMS."
        )
    sorter = _Sorter(course, assignment)
    settled: list[Sorted] = []
    by_student: dict[str, list[_HandIn]] = defaultdict(list)
    for one in sorter.sort(folder):
        if isinstance(one, Sorted):
            settled.append(one)
        else:
            by_student[_folded(one.student)].append(one)
    for theirs in by_student.values():
        settled += sorter.settle(theirs, dry_run=dry_run)
    return Collection(assignment, tuple(sorted(settled, key=lambda one: one.file)), dry_run)


class _Sorter:
    """What sorting needs to know of a course."""

    def __init__(self, course: Path, assignment: str) -> None:
        config = configuration(course)
        config.CourseDirectory.root = str(course.resolve())
        self.directory = CourseDirectory(config=config)
        plugin = config.ZipCollectApp.get("collector_plugin", LmsNames)
        self.names: FileNameCollectorPlugin = (import_item(plugin) if isinstance(plugin, str) else plugin)(
            config=config
        )
        self.assignment = assignment
        self.notebooks = _notebooks(course, assignment)
        others = (other for other in _assignments(course) if other != assignment)
        self.others = {name: other for other in others for name in _notebooks(course, other)}
        self.known = {_folded(name): name for name in (*self.others, *self.notebooks)}
        self.names.known = self.known
        self.roster = _Roster(marks.students(course))
        self.most_bytes: int = self.directory.max_file_size * 1000

    def sort(self, folder: Path) -> Iterator[_HandIn | Sorted]:
        """Read what can be read from the names of all files."""
        for found in archives.files(folder, self.most_bytes):
            yield from self._sort(found, depth=0)

    def _sort(self, found: Found, depth: int) -> Iterator[_HandIn | Sorted]:
        if found.problem:
            yield Sorted(found.name, IGNORED, note=found.problem)
        elif _HIDDEN.search(found.path):
            yield Sorted(found.name, IGNORED, note="a hidden file")
        elif found.suffix != ".zip":
            yield self._one(found, self._whose(found.path, found.suffix))
        elif depth > 1:
            yield Sorted(found.name, IGNORED, note="an archive within an archive")
        else:
            yield from self._unpacked(found, depth)

    def _unpacked(self, archive: Found, depth: int) -> Iterator[_HandIn | Sorted]:
        """Sort the files of an archive: one that a student handed in, or one of the LMS."""
        theirs = self._whose(archive.path, self.names.valid_ext[0])
        for member in archives.members(archive, self.most_bytes):
            if theirs is None or member.problem or _HIDDEN.search(member.path):
                yield from self._sort(member, depth + 1)
            else:
                yield self._one(member, {**theirs, "file_id": PurePosixPath(member.path).name})

    def _whose(self, path: str, suffix: str) -> Mapping[str, Any] | None:
        """Ask nbgrader's plugin for the student of a path, as if it ended in `suffix`."""
        found: Mapping[str, Any] | None = self.names.collect(str(PurePosixPath(path).with_suffix(suffix)))
        return found

    def _one(self, found: Found, whose: Mapping[str, Any] | None) -> _HandIn | Sorted:
        if found.suffix not in self.names.valid_ext:
            return Sorted(found.name, IGNORED, note=f"not {' or '.join(self.names.valid_ext)}")
        whose = whose or {}
        raw = str(whose.get("person") or whose.get("student_id") or "")
        student, note = self.roster.find(raw)
        if not student:
            return Sorted(found.name, NO_STUDENT, note=str(whose.get("problem") or ""))
        called = _called(str(whose["file_id"]), found.suffix)
        target, again = _original(called, self.known)
        if target in self.others or called == _TIME_FILE:
            why = f"the notebook of {self.others[target]}" if target else "nbgrader's own file"
            return Sorted(found.name, IGNORED, student, why)
        if found.suffix != ".ipynb":
            target = target or called
        elif not target and len(self.notebooks) > 1:
            return Sorted(found.name, IGNORED, student, f"not a notebook of {self.assignment}")
        named, handed_in, late = self._time(found, whose)
        version = str(whose.get("version") or "")
        return _HandIn(
            found,
            student,
            (raw, str(whose.get("participant") or "")),
            target or self.notebooks[0],
            bool(target),
            (named or _LONG_AGO, int(version) if version.isdecimal() else 0, found.at, again),
            handed_in,
            "; ".join(filter(None, [note, "" if target else f"called {called}", late])),
        )

    def _time(self, found: Found, whose: Mapping[str, Any]) -> tuple[datetime | None, datetime | None, str]:
        """Return the time in the name, when it counts as handed in, and what there is to say about that."""
        given = whose.get("timestamp")
        if given:
            try:
                time = parse_utc(given).replace(tzinfo=UTC)
            except (ValueError, OverflowError):
                return None, None, f"its time {given!r} can't be read, so nbgrader won't call it late"
            return time, time, ""
        if whose.get("late"):
            return None, found.at, "late, says the LMS; by the time of the download"
        return None, found.at if getattr(self.names, "dated_by_files", False) else None, ""

    # -- one student

    def settle(self, theirs: Sequence[_HandIn], *, dry_run: bool) -> Iterator[Sorted]:
        """Decide between all files of one student, and write what is taken."""
        people = {one.who for one in theirs}
        if len(people) > 1:
            names = " and ".join(sorted(" ".join(filter(None, who)) for who in people))
            for one in theirs:
                yield Sorted(
                    one.found.name,
                    IGNORED,
                    note=f"{names} would share submitted/{theirs[0].student}; rename one",
                )
            return
        newest: dict[str, tuple[_HandIn, bytes]] = {}
        for one in sorted(theirs, key=lambda one: (one.exact, one.order), reverse=True):
            if one.target in newest:
                winner = newest[one.target][0]
                why = "beside" if winner.exact and not one.exact else "by"
                yield Sorted(one.found.name, SUPERSEDED, one.student, f"{why} {winner.found.name}")
                continue
            try:
                newest[one.target] = one, one.found.read()
            except OSError as error:
                yield Sorted(one.found.name, IGNORED, one.student, str(error))
        yield from self._keep_or_take(list(newest.values()), dry_run=dry_run)

    def _keep_or_take(self, chosen: Sequence[tuple[_HandIn, bytes]], *, dry_run: bool) -> Iterator[Sorted]:
        if not chosen:
            return
        student = chosen[0][0].student
        place = Path(self.directory.format_path(self.directory.submitted_directory, student, self.assignment))
        reason = self._reason_to_keep(place, chosen)
        if not reason and not dry_run:
            self._write(place, chosen)
        for one, _ in chosen:
            yield Sorted(one.found.name, KEPT if reason else TAKEN, student, reason or one.note)

    def _reason_to_keep(self, place: Path, chosen: Sequence[tuple[_HandIn, bytes]]) -> str:
        """Say why what is in submitted/ stays, or nothing."""
        if place.is_symlink() or place.parent.is_symlink():
            return f"{place.parent if place.parent.is_symlink() else place} is a link; remove it"
        there = {path.name: path for path in place.glob("*") if path.is_file() and path.name != _TIME_FILE}
        if not there:
            return ""
        if all(one.target in there and there[one.target].read_bytes() == content for one, content in chosen):
            return "the same is there"
        since = self._time_there(place, there.values())
        if since >= max(one.handed_in or one.found.at for one, _ in chosen):
            return f"what is there is as new or newer: {since:%Y-%m-%d %H:%M:%S} UTC"
        return ""

    def _time_there(self, place: Path, files: Iterable[Path]) -> datetime:
        try:
            return parse_utc((place / _TIME_FILE).read_text().strip()).replace(tzinfo=UTC)  # type: ignore[no-any-return]
        except (OSError, ValueError):
            return max(datetime.fromtimestamp(file.stat().st_mtime, UTC) for file in files)

    def _write(self, place: Path, chosen: Sequence[tuple[_HandIn, bytes]]) -> None:
        """Make the folder aside and let it take the old one's place, so that it is there whole or not at all."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".collect-") as scratch:
            made = Path(scratch, "made")
            made.mkdir()
            for one, content in chosen:
                path = made / one.target
                path.write_bytes(content)
                os.utime(path, (one.found.at.timestamp(),) * 2)
            times = [one.handed_in for one, _ in chosen if one.handed_in is not None]
            if times:
                (made / _TIME_FILE).write_text(f"{max(times):%Y-%m-%d %H:%M:%S.%f} UTC")
            if place.exists():
                place.rename(Path(scratch, "before"))
            made.rename(place)


def _called(file_id: str, suffix: str) -> str:
    """Return the plain name of a file, without any folder."""
    name = PurePosixPath(unicodedata.normalize("NFC", file_id).replace("\\", "/")).name or "unnamed"
    return f"{PurePosixPath(name).stem}{suffix}"


class _Roster:
    """The students of the gradebook, found by their id, by what the LMS calls them, or by their full name."""

    def __init__(self, students: Iterable[marks.Student]) -> None:
        known = tuple(students)
        self.ids = {one.id for one in known}
        self.by_lms = {one.lms_user_id: one.id for one in known if one.lms_user_id}
        names = Counter(_folded(one.name) for one in known)
        self.by_name = {_folded(one.name): one.id for one in known if names[_folded(one.name)] == 1}

    def find(self, raw: str) -> tuple[str, str]:
        """Return the id of a student as a folder may be called, and what there is to say about it."""
        if raw in self.ids and clean_id(raw) == raw:
            return raw, ""
        known = self.by_lms.get(raw.removeprefix("canvas-")) or self.by_name.get(_folded(raw))
        student = clean_id(known or raw)
        said = [
            f"{raw!r} became {student}" if not known and student != "_".join(raw.split()) else "",
            "not in the gradebook's class list" if self.ids and not known else "",
        ]
        return student, "; ".join(filter(None, said))


def clean_id(raw: str) -> str:
    """Return an id that is safe as the name of a folder, in a file glob and in a terminal.

    Letters, marks and digits of every script stay; so do . @ - and _. Blanks become _, all else becomes -.

    >>> clean_id("../Zoë  O'Hara"), clean_id("مريم"), clean_id("..")
    ('Zoë_O-Hara', 'مريم', '')
    """
    text = unicodedata.normalize("NFC", "_".join(raw.split()))
    shown = (c for c in text if not unicodedata.category(c).startswith("C"))
    safe = "".join(c if unicodedata.category(c)[0] in _KEPT_CATEGORIES or c in ".@-_" else "-" for c in shown)
    return safe.strip("-._")[:_LONGEST]


def _folded(text: str) -> str:
    """Return text as file systems and people compare it."""
    return unicodedata.normalize("NFKC", text).casefold()


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
