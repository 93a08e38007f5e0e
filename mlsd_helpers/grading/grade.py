"""Grading one submission: restore it, run it in a sandbox, judge it outside, convert it with nbgrader, record it.

    submitted/ → restore → sandbox ⇄ judge → nbgrader's converters → autograded/, feedback/ → record

The record is written last. A run that was killed is therefore simply run again: a submission that has a record with
the same digests of submission and rules is skipped.
"""

import hashlib
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
from mlsd_helpers.grading import class_exceptions, disagreement, flags, judging, lateness, records, submission
from mlsd_helpers.grading.anonymity import seed_of
from mlsd_helpers.grading.converting import Outputs, SubmissionConverter, remove, write_files
from mlsd_helpers.grading.deadline import OutOfTimeError
from mlsd_helpers.grading.inspection import CELLS
from mlsd_helpers.grading.records import FAILED, GRADED, Flag, Judged, Record, Request
from mlsd_helpers.grading.release import configuration
from mlsd_helpers.grading.restore import MOST_NOTES, RestoredNotebook, is_folder, restore, with_note
from mlsd_helpers.grading.sandbox import ForkServer, Limits, Session
from mlsd_helpers.grading.submission import TIME_FILE, Submission
from mlsd_helpers.grading.term import Term
from mlsd_helpers.grading.workers import own_processor, reduce_gc

WORK = ".grading"
"""The folder in the course for the lock and the temporary directories of a run; it can always be removed."""


@dataclass(frozen=True)
class Job:
    """The settings for grading an assignment, the same for every worker, on this machine or another.

    `sandbox` is one of `sandbox.choose_sandbox`, or "stock" where no process can be forked. `seed` is that of the fresh
    cases, by default that of the course.
    """

    course: Path
    assignment: str
    sandbox: str = "bubblewrap"
    db_url: str = ""
    limits: Limits = field(default_factory=Limits)
    seed: int | None = None
    dry_run: bool = False
    again: bool = False

    def configuration(self) -> Config:
        """Return the course's nbgrader configuration, with the job's gradebook."""
        config = configuration(self.course)
        config.CourseDirectory.assignment_id = self.assignment
        if self.db_url:
            config.CourseDirectory.db_url = self.db_url
        url = CourseDirectory(config=config).db_url
        if url.startswith("sqlite") and "?" not in url:
            config.CourseDirectory.db_url = (
                f"{url}?timeout=120"  # seconds to wait for other workers that write
            )
        return config


@dataclass(frozen=True)
class Result:
    """The result for one submission: its record, its earlier record, and whether the two differ.

    `error` is set when grading itself failed: then there is no record, and the next run tries again. `put_off` means
    that the submission exceeded a shorter time limit than its own, and has to be graded again with more time.
    """

    student: str
    record: Record | None
    before: Record | None = None
    changed: bool = False
    error: str = ""
    put_off: bool = False


class Grader:
    """Grades submissions of one assignment, one after the other. Each worker has one, and closes it in the end."""

    def __init__(self, job: Job) -> None:
        """Read the released and the source notebooks; raise GradingError where there is none."""
        self._job = job
        self._seed = seed_of(job.course, job.assignment) if job.seed is None else job.seed
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
        self._term = Term(config=self._config)
        self._exceptions = class_exceptions.read(job.course, self._term, job.assignment)
        self._late_costs = lateness.LatePenalty(self._config).costs
        self._shown_cases = {one.id: one.cases for one in ALL if one.assignment == job.assignment}
        self._stack = ExitStack()
        self._stack.callback(reduce_gc())
        self._fork_server: ForkServer | None = None

    def close(self) -> None:
        """End the fork server and remove the temporary directory."""
        self._stack.close()
        self._converter.close()

    def grade(self, student: str, seconds: float | None = None) -> Result:
        """Grade one submission, unless it has been graded by the same rules.

        `seconds` is the time limit for its code, by default that of the job. When it exceeds a shorter limit, nothing
        is written and the result is `put_off`.

        Raises GradingError when no submission can be graded: no process can be started, for example.
        """
        job = self._job
        most = job.limits.cells_s if seconds is None else min(seconds, job.limits.cells_s)
        given = submission.read(self._converter.course_folder("submitted", student))
        before = records.read(job.course, job.assignment, student)
        resubmitted = before is None or before.submission_digest != given.digest
        late = self._lateness(student, given)
        if (
            before is not None
            and not resubmitted
            and self._has_outputs(student)
            and before.rules == self._rules
            and late.is_in(before)
            and not job.again
        ):
            return Result(student, before, before)
        seed = self._seed if before is None or resubmitted else before.seed
        self.prepare(seed)
        graded = self._judge(student, given, seed, time.monotonic() + most)
        if graded.out_of_time and most < job.limits.cells_s:
            return Result(student, None, before, put_off=True)
        return self._save(given, graded, before, late)

    def give_up(self, student: str, why: str) -> Result:
        """Record that one submission could not be graded, with the reason, and write a feedback page that says so."""
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
            self._seed,
            judged,
            flags=(Flag(flags.LIMIT, why),),
        )
        return self._save(given, self._without_cells(record, f"{why[0].upper()}{why[1:]}."), before, late)

    def _has_outputs(self, student: str) -> bool:
        folders = (self._converter.course_folder(step, student) for step in ("autograded", "feedback"))
        return all(folder.is_dir() for folder in folders)

    def _lateness(self, student: str, given: Submission) -> "_Lateness":
        known = self._converter.known(student)
        at = self._exceptions.submitted.get(student, given.handed_in_at)
        due, extension = lateness.due_of(
            self._term, self._exceptions, self._job.assignment, student, known.due, known.extension
        )
        late_s = lateness.seconds_late(at, due)
        rule = _late_rule(self._config) if late_s else ""
        unknown = at is None and due is not None and self._late_costs
        return _Lateness(at, extension, late_s, rule, unknown, known.by_hand)

    # ---- judging ----------------------------------------------------------------------------------

    def prepare(self, seed: int | None = None) -> None:
        """Start the fork server and draw the fresh cases, so that no submission's time limit includes that.

        The cases are those of a seed, by default that of the term.
        """
        seed = self._seed if seed is None else seed
        if self._fork_server is None and self._job.sandbox != "stock":
            hidden = _hidden_from_students(self._job, self._config)
            processor = own_processor(self._job.course / WORK, self._stack)
            job = self._job
            server = ForkServer(job.sandbox, limits=job.limits, hidden=hidden, processors=processor)
            self._fork_server = self._stack.enter_context(server)
        for name in self._shown_cases:
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
        requests: list[Request] = []
        out_of_time = False
        for name, released in self.released.items():
            path, note, absent = given.notebook(name, set(self.released))
            restored = restore(released, path, absent)
            executed = self._run(restored, work, seed, deadline)
            stopped = executed.reason if not restored.problem else ""
            student_notes = [f"Your code was stopped: {stopped}."] if stopped else []
            if not restored.problem:  # a problem has its own note in the notebook
                student_notes += [
                    *restored.left_out,
                    *(f"A file was left out: {note}." for note in given.notes[:MOST_NOTES]),
                ]
            page = restored.notebook
            notebooks[name] = with_note(page, student_notes) if student_notes else page
            shift = int(bool(student_notes))  # the notes are a cell of their own, the first
            outputs[name] = {index + shift: cell for index, cell in executed.outputs.items()}
            judged |= executed.judged
            reasons += filter(None, [restored.problem or executed.reason])
            repairs += [*([note] if note else []), *restored.repairs, *restored.left_out]
            found += [*executed.flags, *_flags(restored, released)]
            requests += disagreement.in_notebook(
                restored.notebook, judging.exercises_of(released, self._tests)
            )
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
            requests=tuple(requests),
        )
        return _Graded(record, notebooks, outputs, out_of_time)

    def _run(self, restored: RestoredNotebook, work: Path, seed: int, deadline: float) -> judging.Execution:
        server = self._fork_server
        if server is None:
            return judging.run_stock(restored.notebook, self._tests, work, self._config)

        def open_session(until: float) -> Session:
            with suppress(GradingError):  # a machine that is too busy for a moment: try once more
                return server.session(work, self._shown_cases, until)
            try:
                return server.session(work, self._shown_cases, until)
            except GradingError as error:  # a GradingError would end the run of the whole class
                raise RuntimeError(str(error)) from error

        return judging.run(restored.notebook, self._tests, open_session, seed, self._job.limits, deadline)

    def _without_cells(self, record: Record, why: str) -> "_Graded":
        """Return a judged submission without the student's cells: the released notebook with the judgement."""
        notebooks = {name: with_note(released, [why]) for name, released in self.released.items()}
        outputs = {
            name: judging.outputs_of(notebook, self._tests, record.exercises)
            for name, notebook in notebooks.items()
        }
        return _Graded(record, notebooks, outputs)

    # ---- writing ----------------------------------------------------------------------------------

    def _save(self, given: Submission, graded: "_Graded", before: Record | None, late: "_Lateness") -> Result:
        """Write the outputs where they differ from those of the earlier record, and then the record."""
        record = late.written_in(graded.record)
        same = before is not None and replace(before, rules="", seconds={}) == replace(
            record, rules="", seconds={}
        )
        changed = not (same and self._has_outputs(record.student))
        if not self._job.dry_run:
            if changed or self._job.again:
                resubmitted = before is None or before.submission_digest != given.digest
                record = self._write(given, replace(graded, record=record), late, resubmitted=resubmitted)
            records.write(self._job.course, record)
        return Result(record.student, record, before, changed)

    def _write(self, given: Submission, graded: "_Graded", late: "_Lateness", *, resubmitted: bool) -> Record:
        record = graded.record
        # A student's other files stay in submitted/: beside the notebook, formgrader would serve them to a browser.
        files = {name: content for name, content in given.files.items() if name in _NBGRADER_FILES}
        files.pop(TIME_FILE, None)
        if late.at is not None:
            files[TIME_FILE] = f"{late.at:%Y-%m-%d %H:%M:%S.%f} UTC".encode()

        def convert(graded: "_Graded") -> dict[str, float]:
            return self._converter.convert(
                record.student,
                graded.notebooks,
                graded.outputs,
                files,
                self._job.limits.page_s,
                at=late.at,
                extension=late.extension,
                resubmitted=resubmitted,
            )

        try:
            spent = convert(graded)
        except OutOfTimeError:
            record = replace(record, flags=(*record.flags, _NO_PAGE))
            spent = convert(self._without_cells(record, _NO_PAGE_NOTE))
        self._converter.publish(record.student)
        return replace(record, seconds={**record.seconds, **spent})


@dataclass(frozen=True)
class _Lateness:
    """When a submission came, how late that is, and what was entered by hand: what a mark depends on beside a score."""

    at: datetime | None
    extension: timedelta | None
    late_s: float
    rule: str
    unknown: bool
    by_hand: str

    def written_in(self, record: Record) -> Record:
        """Return a record with it."""
        return replace(
            record,
            late_s=self.late_s,
            late_rule=self.rule,
            time_unknown=self.unknown,
            by_hand=self.by_hand,
        )

    def is_in(self, record: Record) -> bool:
        """Tell whether a record was written with it."""
        return self.written_in(record) == record


@dataclass(frozen=True)
class _Graded:
    """A judged submission: its record, its notebooks for nbgrader, and the outputs of their cells."""

    record: Record
    notebooks: Mapping[str, Any]
    outputs: Outputs
    out_of_time: bool = False


_NBGRADER_FILES = (TIME_FILE, "submission_secret.txt")
"""Files that nbgrader keeps beside a notebook; by the second, `nbgrader release_feedback` finds the student."""

_NO_PAGE = Flag(flags.SLOW, "its feedback page took too long to make, and shows the judgement alone")
_NO_PAGE_NOTE = (
    "A page with your own cells could not be made: that took too long. "
    "Your answers were judged all the same, as shown below."
)


def _flags(restored: RestoredNotebook, released: Any) -> list[Flag]:
    sources = [*restored.answers.values(), *restored.extras]
    found = flags.inspect(sources, [cell.source for cell in released.cells], restored.texts)
    tags = [Flag(CELLS, tag) for tag in restored.tags[:2]]
    return [*tags, *(Flag(flags.LEFT_OUT, what) for what in restored.left_out[:2]), *found]


def students(job: Job) -> list[str]:
    """Return the students who submitted the assignment, in order."""
    return submitters(CourseDirectory(config=job.configuration()), job.assignment)


def submitters(directory: CourseDirectory, assignment: str) -> list[str]:
    """Return the students who submitted an assignment, in order, from the folders of a course."""
    pattern = directory.format_path(directory.submitted_directory, "*", assignment)
    root, _, rest = pattern.partition("*")
    visible = (folder for folder in Path(root).glob("*") if not folder.name.startswith("."))
    return sorted(  # a folder that cannot be read may have a submission
        folder.name
        for folder in visible
        if os.path.lexists(f"{folder}{rest}") or (is_folder(folder) and not os.access(folder, os.X_OK))
    )


# ---- the rules ------------------------------------------------------------------------------------


def _notebooks(job: Job, config: Config, step: str) -> dict[str, Any]:
    directory = CourseDirectory(config=config)
    folder = Path(directory.format_path(getattr(directory, f"{step}_directory"), ".", job.assignment))
    found = {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}
    if not found:
        raise GradingError(
            f"There is no notebook in {folder}. Make the student version first: mlsd release {job.assignment}"
        )
    return found


def _hidden_from_students(job: Job, config: Config) -> list[Path]:
    """Return the course and its parts that nbgrader may keep elsewhere: solutions, submissions and the gradebook."""
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
    """Return a digest of what a score depends on: the notebooks of the assignment, and the package."""
    digest = hashlib.sha256(_code().encode())
    for step in ("source", "release"):
        for name, notebook in _notebooks(job, config, step).items():
            digest.update(name.encode() + nbformat.writes(notebook).encode())
    return digest.hexdigest()[:16]


def _late_rule(config: Config) -> str:
    """Return a digest of the settings that lateness depends on."""
    settings = [sorted(config[name].items()) for name in ("AssignLatePenalties", "LateSubmissionPlugin")]
    chosen = repr((settings, config.Term.get("late_per_day")))
    return hashlib.sha256(chosen.encode()).hexdigest()[:16]


@cache
def _code() -> str:
    """Return a digest of the whole package: a list of the modules that scores depend on would soon be incomplete."""
    root = Path(mlsd_helpers.__file__).parent
    paths = sorted(path for kind in ("py", "yaml", "json") for path in root.glob(f"**/*.{kind}"))
    paths = [path for path in paths if "_course" not in path.parts]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
