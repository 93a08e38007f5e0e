"""Grading a submission, start to end: restore, run in a sandbox, judge outside, hand to nbgrader, and note it last.

    submitted/ → restore → sandbox ⇄ judge → nbgrader's converters in a folder aside → autograded/, feedback/ → record

A record is written when everything else is in its place. So a run that was killed is simply run again: what has a
record of the same submission and the same rules is left alone.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
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
from mlsd_helpers.grading import flags, judging, records, submission
from mlsd_helpers.grading.converting import SubmissionConverter, remove, write_files
from mlsd_helpers.grading.deadline import OutOfTimeError
from mlsd_helpers.grading.inspection import CELLS
from mlsd_helpers.grading.records import FAILED, GRADED, Flag, Judged, Record
from mlsd_helpers.grading.release import configuration
from mlsd_helpers.grading.restore import MOST_NOTES, Restored, is_folder, noted, restore
from mlsd_helpers.grading.sandbox import ForkServer, Limits, Session
from mlsd_helpers.grading.submission import TIME_FILE, Submission
from mlsd_helpers.grading.workers import few_collections, own_processor

WORK = ".grading"
"""Where a run keeps its lock and its folders aside, in the course's folder; it can always be removed."""


@dataclass(frozen=True)
class Job:
    """What grading an assignment needs, the same for every worker, on this machine or another.

    `sandbox` is one of `sandbox.choose_sandbox`, or "stock" where no process can be forked.
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
    """What became of one submission: its record, the one before, and whether anything changed.

    `error` is set when grading itself failed; there is no record then, and the next run tries again. `put_off` says
    that the time given did not suffice, and that it should be graded again with more.
    """

    student: str
    record: Record | None
    before: Record | None = None
    changed: bool = False
    error: str = ""
    put_off: bool = False


class Grader:
    """Grades submissions of one assignment, one after the other. A worker has one; close it afterwards."""

    def __init__(self, job: Job) -> None:
        """Read what judges; raise GradingError when the assignment is not released."""
        self._job = job
        self._config = job.configuration()
        self._converter = SubmissionConverter(
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
        self._parent: ForkServer | None = None

    def close(self) -> None:
        """End the fork server and remove the folder aside."""
        self._stack.close()
        self._converter.close()

    def grade(self, student: str, seconds: float | None = None) -> Result:
        """Grade one submission, unless it has been graded by the same rules.

        `seconds` is the time that its code has, by default all that the limits give. When that was less and did not
        suffice, nothing is written and the result is `put_off`.

        Raises GradingError when no submission can be graded any more: a full disk, a gradebook that stays locked.
        """
        job = self._job
        most = job.limits.cells_s if seconds is None else min(seconds, job.limits.cells_s)
        given = submission.read(self._converter.course_folder("submitted", student))
        before = records.read(job.course, job.assignment, student)
        same = before is not None and before.submission_digest == given.digest
        late = self._lateness(student, given)
        if (
            before is not None
            and same
            and self._is_there(student)
            and _rules_of(before) == (self._rules, *late)
            and not job.again
        ):
            return Result(student, before, before)
        seed = before.seed if before is not None and same else job.seed
        self._get_ready(seed)
        graded = self._judge(student, given, seed, time.monotonic() + most)
        if graded.out_of_time and most < job.limits.cells_s:
            return Result(student, None, before, put_off=True)
        return self._put(student, given, graded, before, late)

    def give_up(self, student: str, why: str) -> Result:
        """Record that a submission could not be graded, for a reason of its own, and give it a page that says so."""
        given = submission.read(self._converter.course_folder("submitted", student))
        before = records.read(self._job.course, self._job.assignment, student)
        late = self._lateness(student, given)
        judged: dict[str, Judged] = {}
        for released in self.released.values():
            judged |= judging.not_judged(released, self._tests, f"It could not be judged: {why}.")
        record = Record(
            student,
            self._job.assignment,
            FAILED,
            f"{why}.",
            given.digest,
            self._rules,
            self._job.seed,
            judged,
            flags=(Flag(flags.LIMIT, why),),
        )
        return self._put(student, given, self._bare(record, f"{why[0].upper()}{why[1:]}."), before, late)

    def _is_there(self, student: str) -> bool:
        return all(
            self._converter.course_folder(step, student).is_dir() for step in ("autograded", "feedback")
        )

    def _lateness(self, student: str, given: Submission) -> tuple[float, str]:
        """Return how many seconds late a submission is, and a digest of what that costs."""
        late_s = self._converter.seconds_late(student, given.handed_in_at)
        return late_s, _late_rule(self._config) if late_s else ""

    # ---- judging ----------------------------------------------------------------------------------

    def _get_ready(self, seed: int) -> None:
        """Start what runs code and draw the cases that judge it, which is no student's time."""
        if self._parent is None and self._job.sandbox != "stock":
            hidden = _not_for_students(self._job, self._config)
            own = own_processor(self._job.course / WORK, self._stack)
            warm = ForkServer(self._job.sandbox, limits=self._job.limits, hidden=hidden, processors=own)
            self._parent = self._stack.enter_context(warm)
        for name in self._shown:
            judging.case_set(name, seed)

    def _judge(self, student: str, given: Submission, seed: int, deadline: float) -> "_Graded":
        began = time.perf_counter()
        work = self._converter.folder / "files"
        remove(work)
        write_files(given.files, work)
        notebooks: dict[str, Any] = {}
        outputs: dict[str, dict[int, list[Any]]] = {}
        judged: dict[str, Judged] = {}
        reasons: list[str] = []
        repairs = [f"{note}, left out" for note in given.notes]
        found: list[Flag] = []
        out_of_time = False
        for name, released in self.released.items():
            path, note, absent = given.notebook(name, set(self.released))
            restored = restore(released, path, absent)
            executed = self._run(restored, work, seed, deadline)
            stopped = executed.reason if not restored.problem else ""
            tell = [f"Your code was stopped: {stopped}."] if stopped else []
            if not restored.problem:  # which has a note of its own
                tell += [*restored.left_out, *(f"Left out was {note}." for note in given.notes[:MOST_NOTES])]
            notebooks[name] = noted(restored.notebook, tell) if tell else restored.notebook
            shift = int(bool(tell))
            outputs[name] = {place + shift: cell for place, cell in executed.outputs.items()}
            judged |= executed.judged
            reasons += filter(None, [restored.problem or executed.reason])
            repairs += [*([note] if note else []), *restored.repairs, *restored.left_out]
            found += [*executed.flags, *_flags(restored, released)]
            out_of_time = out_of_time or executed.out_of_time
        found += [Flag(flags.ODD_FILE, why) for why in [*given.links[:1], *given.notes[:2]]]
        record = Record(
            student,
            self._job.assignment,
            FAILED if reasons else GRADED,
            " ".join(reasons),
            given.digest,
            self._rules,
            seed,
            judged,
            tuple(repairs),
            tuple(found),
            {"judged": round(time.perf_counter() - began, 4)},
        )
        return _Graded(record, notebooks, outputs, out_of_time)

    def _run(self, restored: Restored, work: Path, seed: int, deadline: float) -> judging.Executed:
        parent = self._parent
        if parent is None:
            return judging.run_stock(restored.notebook, self._tests, work, self._config)

        def open_session(until: float) -> Session:
            with suppress(GradingError):
                return parent.session(work, self._shown, until)
            try:  # a machine that was too busy for a moment
                return parent.session(work, self._shown, until)
            except GradingError as error:  # costs this submission its turn, and not the class its run
                raise RuntimeError(str(error)) from error

        return judging.run(restored.notebook, self._tests, open_session, seed, self._job.limits, deadline)

    def _bare(self, record: Record, why: str) -> "_Graded":
        """Return a judged submission without a word of the student's: the released notebook, and what was judged."""
        notebooks = {name: noted(released, [why]) for name, released in self.released.items()}
        outputs = {
            name: judging.outputs_of(notebook, self._tests, record.exercises)
            for name, notebook in notebooks.items()
        }
        return _Graded(record, notebooks, outputs)

    # ---- writing ----------------------------------------------------------------------------------

    def _put(
        self,
        student: str,
        given: Submission,
        graded: "_Graded",
        before: Record | None,
        late: tuple[float, str],
    ) -> Result:
        """Write what was graded where it is not there yet, and its record last."""
        record = replace(graded.record, late_s=late[0], late_rule=late[1])
        changed = not (before is not None and self._is_there(student) and _same(before, record))
        if not self._job.dry_run:
            if changed or self._job.again:
                record = self._write(student, given, replace(graded, record=record))
            records.write(self._job.course, record)
        return Result(student, record, before, changed)

    def _write(self, student: str, given: Submission, graded: "_Graded") -> Record:
        record = graded.record
        try:
            spent = self._convert(student, given, graded)
        except OutOfTimeError:
            record = replace(record, flags=(*record.flags, _NO_PAGE))
            spent = self._convert(student, given, self._bare(record, _NO_PAGE_NOTE))
        self._converter.publish(student)
        return replace(record, seconds={**record.seconds, **spent})

    def _convert(self, student: str, given: Submission, graded: "_Graded") -> dict[str, float]:
        # A student's other files stay in submitted/: beside the notebook, formgrader would serve them to a browser.
        files = {name: content for name, content in given.files.items() if name in _NBGRADER_FILES}
        page_s = self._job.limits.page_s
        return self._converter.convert(student, graded.notebooks, graded.outputs, files, page_s)


@dataclass(frozen=True)
class _Graded:
    """A submission that was judged: its record, and by notebook what nbgrader is to have, with its cells' outputs."""

    record: Record
    notebooks: Mapping[str, Any]
    outputs: Mapping[str, Mapping[int, list[Any]]]
    out_of_time: bool = False


_NBGRADER_FILES = (TIME_FILE, "submission_secret.txt")
"""Files that nbgrader keeps beside a notebook; by the second, `nbgrader release_feedback` finds the student."""

_NO_PAGE = Flag(flags.SLOW, "its page took too long to make, and shows the judgement alone")
_NO_PAGE_NOTE = (
    "A page with your own cells could not be made: that took too long. "
    "Your answers were judged all the same, as shown below."
)


def _rules_of(record: Record) -> tuple[str, float, str]:
    return record.rules, record.late_s, record.late_rule


def _same(before: Record, after: Record) -> bool:
    """Tell whether a regrade found what was found before."""
    return replace(before, rules="", seconds={}) == replace(after, rules="", seconds={})


def _flags(restored: Restored, released: Any) -> list[Flag]:
    sources = [*restored.answers.values(), *restored.extras]
    found = flags.inspect(sources, [cell.source for cell in released.cells], restored.texts)
    happened = [(CELLS, tag) for tag in restored.tags[:2]]
    happened += [(flags.LEFT_OUT, what) for what in restored.left_out[:2]]
    return [*(Flag(*one) for one in happened), *found]


def students(job: Job) -> list[str]:
    """Return who handed in the assignment, in order."""
    directory = CourseDirectory(config=job.configuration())
    pattern = directory.format_path(directory.submitted_directory, "*", job.assignment)
    root, _, rest = pattern.partition("*")
    return sorted(
        folder.name
        for folder in Path(root).glob("*")
        if not folder.name.startswith(".") and (os.path.lexists(f"{folder}{rest}") or _is_closed(folder))
    )


def _is_closed(folder: Path) -> bool:
    """Tell whether a folder cannot be looked into, so that nobody knows what was handed in."""
    return is_folder(folder) and not os.access(folder, os.X_OK)


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


def _not_for_students(job: Job, config: Config) -> list[Path]:
    """Return the course, and what nbgrader may keep of it elsewhere: solutions, submissions and the gradebook."""
    directory = CourseDirectory(config=config)
    steps = ("source", "release", "submitted", "autograded", "feedback", "solution")
    kept = [job.course / getattr(directory, f"{step}_directory") for step in steps]
    kind, _, place = directory.db_url.partition(":///")
    gradebook = [job.course / place.partition("?")[0]] if kind == "sqlite" else []
    return [job.course, *kept, *gradebook]


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
    """Return a digest of the package: which of it a score depends on, no list would say for long."""
    root = Path(mlsd_helpers.__file__).parent
    paths = sorted(path for kind in ("py", "yaml", "json") for path in root.glob(f"**/*.{kind}"))
    paths = [path for path in paths if "_course" not in path.parts]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
