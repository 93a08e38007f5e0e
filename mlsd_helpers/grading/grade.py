"""Grading a hand-in, start to end: graft, run in a room, judge outside, hand to nbgrader, and note it last.

    submitted/ → graft → room ⇄ judge → nbgrader's converters in a folder aside → autograded/, feedback/ → record

A record is written when everything else is in its place. So a run that was killed is simply run again: what has a
record of the same hand-in and the same rules is left alone.
"""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

import mlsd_helpers
from mlsd_helpers.errors import GradingError
from mlsd_helpers.exercises import ALL
from mlsd_helpers.grading import flags, judging, records
from mlsd_helpers.grading.graft import Graft, graft, is_plain_file, noted
from mlsd_helpers.grading.records import FAILED, GRADED, Flag, Record
from mlsd_helpers.grading.release import configuration
from mlsd_helpers.grading.room import Limits, Room, WarmParent
from mlsd_helpers.grading.staging import Stage, remove
from mlsd_helpers.grading.workers import few_collections

WORK = ".grading"
"""Where a run keeps its lock and its folders aside, in the course's folder; it can always be removed."""

MOST_FILES = 200
MOST_FILE_BYTES = 100 * 2**20
_HIDDEN = {".ipynb_checkpoints", "__pycache__"}


@dataclass(frozen=True)
class Job:
    """What grading an assignment needs, the same for every worker, on this machine or another.

    `sandbox` is one of `room.choose_sandbox`, or "stock" where no process can be forked.
    """

    course: Path
    assignment: str
    sandbox: str = "bubblewrap"
    db_url: str = ""
    limits: Limits = field(default_factory=Limits)
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    dry_run: bool = False
    again: bool = False

    def configuration(self) -> Config:
        """Return the course's nbgrader configuration, with the gradebook that was asked for."""
        config = configuration(self.course)
        config.CourseDirectory.update(root=str(self.course), assignment_id=self.assignment)
        if self.db_url:
            config.CourseDirectory.db_url = self.db_url
        url = CourseDirectory(config=config).db_url
        if url.startswith("sqlite") and "?" not in url:
            config.CourseDirectory.db_url = f"{url}?timeout=120"  # several workers write
        return config


@dataclass(frozen=True)
class Result:
    """What became of one hand-in: its record, the one before, and whether anything changed.

    `error` is set when grading itself failed; there is no record then, and the next run tries again.
    """

    student: str
    record: Record | None
    before: Record | None = None
    changed: bool = False
    error: str = ""


class Grader:
    """Grades hand-ins of one assignment, one after the other. A worker has one; close it afterwards."""

    def __init__(self, job: Job) -> None:
        """Start the warm parent; raise GradingError when the assignment is not released."""
        self._job = job
        self._config = job.configuration()
        self._stage = Stage(
            job.course / WORK / f"{os.uname().nodename if hasattr(os, 'uname') else 'here'}-{os.getpid()}",
            job.course,
            self._config,
            job.assignment,
        )
        self.released = _notebooks(job, self._config, "release")
        self._tests = _tests(_notebooks(job, self._config, "source"))
        self._rules = _rules(job, self._config)
        self._shown = {one.id: one.cases for one in ALL if one.assignment == job.assignment}
        self._stack = ExitStack()
        self._stack.callback(few_collections())
        self._parent: WarmParent | None = None

    def close(self) -> None:
        """End the warm parent and remove the folder aside."""
        self._stack.close()
        self._stage.close()

    def grade(self, student: str) -> Result:
        """Grade one hand-in, unless it has been graded by the same rules.

        Raises GradingError when no hand-in can be graded any more: a full disk, a gradebook that stays locked.
        """
        job = self._job
        folder = self._stage.place("submitted", student)
        digest = _digest(folder)
        before = records.read(job.course, job.assignment, student)
        there = all(self._stage.place(step, student).is_dir() for step in ("autograded", "feedback"))
        same = before is not None and before.hand_in == digest
        late = self._lateness(student, folder)
        if (
            before is not None
            and same
            and there
            and _rules_of(before) == (self._rules, *late)
            and not job.again
        ):
            return Result(student, before, before)
        seed = before.seed if before is not None and same else job.seed
        record, notebooks, outputs = self._judge(student, folder, seed, digest)
        record = replace(record, late_s=late[0], late_rule=late[1])
        changed = not (before is not None and there and _same(before, record))
        if not job.dry_run:
            if changed or job.again:
                spent = self._write(student, folder, notebooks, outputs)
                record = replace(record, seconds={**record.seconds, **spent})
            records.write(job.course, record)
        return Result(student, record, before, changed)

    def _lateness(self, student: str, folder: Path) -> tuple[float, str]:
        """Return how many seconds late a hand-in is, and a digest of what that costs."""
        late_s = self._stage.seconds_late(student, _handed_in_at(folder))
        return late_s, _late_rule(self._config) if late_s else ""

    # ---- judging ----------------------------------------------------------------------------------

    def _judge(
        self, student: str, folder: Path, seed: int, digest: str
    ) -> tuple[Record, dict[str, Any], dict[str, dict[int, list[Any]]]]:
        began = time.perf_counter()
        files, repairs = _files(folder)
        work = self._stage.folder / "files"
        remove(work)
        _copy(files, work)
        notebooks: dict[str, Any] = {}
        outputs: dict[str, dict[int, list[Any]]] = {}
        judged: dict[str, Any] = {}
        reasons: list[str] = []
        found: list[Flag] = []
        for name, released in self.released.items():
            path, note, absent = _handed_in(folder, name, set(self.released))
            grafted = graft(released, path, absent)
            executed = self._run(grafted, work, seed)
            reason = grafted.problem or executed.reason
            tell = (
                []
                if grafted.problem or not executed.reason
                else [f"Your code was stopped: {executed.reason}."]
            )
            notebooks[name] = noted(grafted.notebook, tell) if tell else grafted.notebook
            shift = int(bool(tell))
            outputs[name] = {place + shift: cell for place, cell in executed.outputs.items()}
            judged |= executed.judged
            reasons += [reason] if reason else []
            repairs += [*([note] if note else []), *grafted.repairs]
            found += _flags(grafted, released)
        if any("a link" in repair for repair in repairs):
            found.append(Flag("a link to another file", next(one for one in repairs if "a link" in one)))
        record = Record(
            student,
            self._job.assignment,
            FAILED if reasons else GRADED,
            " ".join(reasons),
            digest,
            self._rules,
            seed,
            judged,
            tuple(repairs),
            tuple(found),
            {"judged": round(time.perf_counter() - began, 4)},
        )
        return record, notebooks, outputs

    def _run(self, grafted: Graft, work: Path, seed: int) -> judging.Executed:
        if self._job.sandbox == "stock":
            return judging.run_stock(grafted.notebook, self._tests, work, self._config)
        if self._parent is None:
            self._parent = self._stack.enter_context(WarmParent(self._job.sandbox, limits=self._job.limits))
        parent = self._parent

        def open_room() -> Room:
            with suppress(GradingError):
                return parent.room(work, self._shown)
            try:  # a machine that was too busy for a moment
                return parent.room(work, self._shown)
            except GradingError as error:  # costs this hand-in its turn, and not the class its run
                raise RuntimeError(str(error)) from error

        return judging.run(grafted.notebook, self._tests, open_room, seed, self._job.limits.room_s)

    # ---- writing ----------------------------------------------------------------------------------

    def _write(
        self,
        student: str,
        folder: Path,
        notebooks: Mapping[str, Any],
        outputs: Mapping[str, Mapping[int, list[Any]]],
    ) -> dict[str, float]:
        stage = self._stage.submitted(student)
        _copy(_files(folder)[0], stage)
        for name, notebook in notebooks.items():
            nbformat.write(notebook, stage / f"{name}.ipynb")
        spent = self._stage.convert(student, outputs)
        self._stage.publish(student)
        return spent


def _rules_of(record: Record) -> tuple[str, float, str]:
    return record.rules, record.late_s, record.late_rule


def _same(before: Record, after: Record) -> bool:
    """Tell whether a regrade found what was found before."""
    return replace(before, rules="", seconds={}) == replace(after, rules="", seconds={})


def _flags(grafted: Graft, released: Any) -> list[Flag]:
    sources = [*grafted.answers.values(), *grafted.extras]
    found = list(flags.looks(sources, shown=[cell.source for cell in released.cells]))
    return [*found, *(Flag("changes how cells run", tag) for tag in grafted.tags)]


# ---- what was handed in ---------------------------------------------------------------------------


def students(job: Job) -> list[str]:
    """Return who handed in the assignment, in order."""
    directory = CourseDirectory(config=job.configuration())
    pattern = directory.format_path(directory.submitted_directory, "*", job.assignment)
    root, _, rest = pattern.partition("*")
    return sorted(
        folder.name
        for folder in Path(root).glob("*")
        if not folder.name.startswith(".") and os.path.lexists(f"{folder}{rest}")
    )


def _handed_in(folder: Path, name: str, expected: set[str]) -> tuple[Path, str, str]:
    """Return the file of a notebook: the one of its name, or the only one there, as "name (1).ipynb".

    With it comes a note for the instructor, and why there is none, for the student.
    """
    path = folder / f"{name}.ipynb"
    if folder.is_symlink():
        return folder, "the folder is a link, not followed", ""
    if os.path.lexists(path):
        return path, "" if is_plain_file(path) else f"{path.name} is a link or no file, not read", ""
    others = [
        one for one in sorted(folder.glob("*.ipynb")) if one.stem not in expected and is_plain_file(one)
    ]
    if len(expected) == 1 and len(others) == 1:
        return others[0], f"{others[0].name}: taken for {path.name}", ""
    there = f" There is {', '.join(one.name for one in others)}." if others else ""
    return (
        path,
        f"{path.name}: not handed in.{there}",
        f"There is no {path.name} in what was handed in.{there}",
    )


def _files(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the files beside the notebook by their relative path, and what was left out of them."""
    taken: dict[str, Path] = {}
    notes: list[str] = []
    if folder.is_symlink():
        return taken, notes
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in _HIDDEN)
        links = [name for name in [*folders, *names] if Path(place, name).is_symlink()]
        notes += [f"{name}: a link, left out" for name in links if not name.endswith(".ipynb")]
        for name in sorted(set(names) - set(links)):
            path = Path(place, name)
            if name.endswith(".ipynb") or not is_plain_file(path):
                continue
            if name == "timestamp.txt" and not _is_time(path):
                notes.append(f"{name}: holds no time, left out")
                continue
            if len(taken) >= MOST_FILES or path.stat().st_size > MOST_FILE_BYTES:
                notes.append(f"{name}: too large or too many files, left out")
                continue
            taken[path.relative_to(folder).as_posix()] = path
    return taken, notes


def _is_time(path: Path) -> bool:
    """Tell whether a file holds a time that nbgrader can read; it can't grade beside one that it cannot."""
    try:
        _time_in(path)
    except (ValueError, OverflowError):
        return False
    return True


def _time_in(path: Path) -> datetime | None:
    text = path.read_text(encoding="utf-8").strip()
    if len(text) >= 100:
        raise ValueError(text)
    return utils.parse_utc(text) if text else None


def _handed_in_at(folder: Path) -> datetime | None:
    """Return when a hand-in was made, in UTC, where its folder says so."""
    path = folder / "timestamp.txt"
    if folder.is_symlink() or not is_plain_file(path):
        return None
    with suppress(ValueError, OverflowError):
        return _time_in(path)
    return None


def _copy(files: Mapping[str, Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _digest(folder: Path) -> str:
    """Return a digest of what was handed in, by names and contents."""
    digest = hashlib.sha256()
    paths = [] if folder.is_symlink() else sorted(folder.rglob("*"))
    for path in paths:
        if _HIDDEN & set(path.parts):
            continue
        digest.update(os.fsencode(path.relative_to(folder)) + b"\0")
        if is_plain_file(path) and path.stat().st_size <= MOST_FILE_BYTES:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


# ---- what judges it -------------------------------------------------------------------------------


def _notebooks(job: Job, config: Config, step: str) -> dict[str, Any]:
    directory = CourseDirectory(config=config)
    folder = Path(directory.format_path(getattr(directory, f"{step}_directory"), ".", job.assignment))
    found = {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}
    if not found:
        raise GradingError(
            f"There is no notebook in {folder}. Make the student version first: mlsd release {job.assignment}"
        )
    return found


def _tests(source: Mapping[str, Any]) -> dict[str, str]:
    """Return the instructor's test cells by grade_id, hidden tests included."""
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for notebook in source.values()
        for cell in notebook.cells
        if cell.cell_type == "code" and utils.is_grade(cell)
    }


def _rules(job: Job, config: Config) -> str:
    """Return a digest of all that a score depends on: the assignment, and the code that judges."""
    digest = hashlib.sha256(_code().encode())
    for step in ("source", "release"):
        for name, notebook in _notebooks(job, config, step).items():
            digest.update(name.encode() + nbformat.writes(notebook).encode())
    return digest.hexdigest()[:16]


def _late_rule(config: Config) -> str:
    """Return a digest of the settings that lateness depends on."""
    settings = [sorted(config[name].items()) for name in ("AssignLatePenalties", "LateSubmissionPlugin")]
    told = repr((settings, config.Term.get("late_per_day")))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


@cache
def _code() -> str:
    root = Path(mlsd_helpers.__file__).parent
    parts = ("exercises", "formulas", "review", "design", "simulation")
    paths = [path for part in parts for path in sorted(root.glob(f"{part}/**/*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
