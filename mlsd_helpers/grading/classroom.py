"""Grade a whole class with workers on this machine or on a Dask cluster, and summarise the results."""

import contextlib
import errno
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import nbgrader
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from pebble import ProcessExpired, ProcessPool
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading import class_exceptions, marks
from mlsd_helpers.grading.converting import remove
from mlsd_helpers.grading.flags import KINDS
from mlsd_helpers.grading.grade import WORK, Grader, Job, Result, students
from mlsd_helpers.grading.records import FAILED
from mlsd_helpers.grading.release import environment_on_path
from mlsd_helpers.grading.sandbox import sweep
from mlsd_helpers.grading.term import Term, utc
from mlsd_helpers.grading.workers import pool
from mlsd_helpers.printable import one_line

SUPPORTED = ((0, 9, 5), (0, 10))
"""nbgrader versions, from and below, whose converters and gradebook this has been tried with."""


_LISTED = 20  # students in a line


@dataclass(frozen=True)
class Summary:
    """The results of a run, and its duration in seconds."""

    results: tuple[Result, ...]
    seconds: float

    @property
    def errors(self) -> tuple[Result, ...]:
        """The submissions that could not be graded, through no fault of the student."""
        return tuple(result for result in self.results if result.error)

    def lines(self) -> Iterator[str]:
        """Yield the summary, a line each."""
        kinds = Counter(map(_kind, self.results))
        counts = ", ".join(f"{number} {kind}" for kind, number in kinds.items()) or "nobody has submitted"
        number = "1 submission" if len(self.results) == 1 else f"{len(self.results)} submissions"
        yield f"{number} in {self.seconds:.0f} s: {counts}."
        for result in self.results:
            record = result.record
            if result.error:
                yield f"  {one_line(result.student)}: not graded. {one_line(result.error)}"
            elif record is not None and record.status == FAILED:
                yield f"  {one_line(result.student)}: {one_line(record.reason)}"
        yield from self._flags()
        if unknown := [one.student for one in self.results if one.record and one.record.time_unknown]:
            yield (
                f"  When {_who(unknown)} submitted is not known, so nothing is taken off for lateness. Give the "
                "times of your LMS to `mlsd collect --times`, or a line `submitted` for each in class/exceptions.csv."
            )
        if in_run := {
            name
            for result in self.results
            if result.record
            for name, judged in result.record.exercises.items()
            if not judged.by_judge
        }:
            names = one_line(", ".join(sorted(in_run)))
            yield f"  judged inside the student's process, as nbgrader does: {names}."

    def _flags(self) -> Iterator[str]:
        """Yield the flags of what was graded in this run; those of before are in the report."""
        seen = dict[str, None]()
        before = []
        for result in self.results:
            found = result.record.flags if result.record else ()
            if found and result.before is not None and not result.changed:
                before.append(result.student)
                continue
            for flag in found:
                seen[flag.kind] = None
                yield f"  look at {one_line(result.student)}: {flag}"
        for kind in seen:
            if kind in KINDS:
                yield f"  {kind}: {KINDS[kind]}"
        if before:
            yield f"  The report shows what was flagged in earlier runs: {_who(before)}."

    def differences(self) -> Iterator[str]:
        """Yield what a regrade changes, for each submission that was graded before."""
        for result in self.results:
            before, after = result.before, result.record
            if before is None or after is None:
                continue
            who = one_line(result.student)
            for name in {**before.exercises, **after.exercises}:
                old, new = before.exercises.get(name), after.exercises.get(name)
                scores = [f"{one.score:g}" if one else "–" for one in (old, new)]
                if scores[0] != scores[1]:
                    yield f"{who} {one_line(name)}: {scores[0]} → {scores[1]}"
            if before.late_s != after.late_s:
                yield f"{who}: {_lateness(before.late_s)} → {_lateness(after.late_s)}"
            elif before.late_rule != after.late_rule:
                yield f"{who}: {_lateness(after.late_s)}, which now costs something else"
            if before.time_unknown != after.time_unknown:
                yield f"{who}: it is {'no longer' if after.time_unknown else 'now'} known when it was submitted"
            if before.by_hand != after.by_hand:
                yield f"{who}: what was entered by hand has changed, so the feedback page is written again"


def absent(job: Job) -> list[str]:
    """Return the students in the class list of whom no submission counts, and who are not excused."""
    exceptions = class_exceptions.read(job.course, Term(config=job.configuration()), job.assignment)
    return exceptions.lacks(students(job), (one.id for one in marks.students(job.course, job.db_url)))


def _who(students: Sequence[str]) -> str:
    """Return students as text, the first ones of many.

    >>> _who(["ada", "alan"]), _who([str(number) for number in range(30)])[-14:]
    ('ada, alan', '19 and 10 more')
    """
    more = f" and {len(students) - _LISTED} more" if len(students) > _LISTED else ""
    return ", ".join(map(one_line, students[:_LISTED])) + more


def _lateness(seconds: float) -> str:
    """Return how late a submission is, as text.

    >>> _lateness(0), _lateness(100_000)
    ('on time', '27.8 h late')
    """
    return f"{seconds / 3600:.1f} h late" if seconds else "on time"


def _kind(result: Result) -> str:
    if result.error or result.record is None:
        return "not graded"
    if result.before is not None and not result.changed:
        return "unchanged"
    return "graded, but did not run to the end" if result.record.status == FAILED else "graded"


def about(sandbox: str) -> str:
    """Return a line that says how students' code is isolated."""
    return {
        "bubblewrap": "Students' code runs in a sandbox (bubblewrap) and is judged outside of it.",
        "landlock": "Students' code runs in a sandbox (Landlock; no bubblewrap here) and is judged outside of it.",
        "none": "WARNING: no sandbox: students' code runs with your rights. It is judged outside of its process.",
        "stock": "WARNING: nbgrader's own kernels are used, slower, and a notebook is judged inside its own process.",
    }[sandbox]


# ---- a run ----------------------------------------------------------------------------------------


def grade_class(
    job: Job,
    students: Sequence[str],
    *,
    workers: int | None = None,
    dask: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Grade the submissions of an assignment. Results are kept when the run is interrupted.

    `workers` is the number of processes, by default one per core; with 0 this process grades, without a worker's limits
    of time and memory. `dask` is the address of a scheduler whose workers see the same folders.

    Raises:
        GradingError: another run is active, the assignment is not in the gradebook, or a disk is full.

    """
    began = time.monotonic()
    with exclusive_run(job), prepared_gradebook(job):
        results = []
        for result in _spread(job, students, (os.cpu_count() or 1) if workers is None else workers, dask):
            results.append(result)
            done, of = len(results), len(students)
            left = (time.monotonic() - began) / done * (of - done)
            say(f"graded {done} of {of}" + (f", about {left:.0f} s left" if done < of else ""))
    results.sort(key=lambda result: result.student)
    return Summary(tuple(results), time.monotonic() - began)


def _spread(job: Job, students: Sequence[str], workers: int, dask: str) -> Iterator[Result]:
    if dask:
        yield from _on_dask(job, students, dask)
    elif workers:
        yield from _in_processes(job, students, max(1, min(workers, len(students))))
    else:
        grader = Grader(job)
        try:
            yield from map(lambda student: _graded(grader, student), students)  # noqa: C417 - lazy
        finally:
            grader.close()


def _graded(grader: Grader, student: str, seconds: float | None = None, why: str = "") -> Result:
    """Grade one submission, or give it up. An error of one submission does not stop the others."""
    try:
        try:
            return grader.give_up(student, why) if why else grader.grade(student, seconds)
        except MemoryError:
            return grader.give_up(student, why or "to grade it took too much memory")
    except GradingError:
        raise
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return Result(
                student, None, error="the name of its folder is too long. Rename it to 200 bytes or less."
            )
        raise GradingError(f"{one_line(student)} could not be written: {_refused(error)}") from error
    except OperationalError as error:
        raise GradingError(
            f"The gradebook could not be written: {error.orig}. Close what holds it (a formgrader?) and run the "
            "same command again; it goes on where it stopped."
        ) from error
    except Exception as error:  # noqa: BLE001 - one submission must not stop the class
        return Result(student, None, error=f"{type(error).__name__}: {error}")


def _refused(error: OSError) -> str:
    where = f" ({one_line(error.filename)})" if error.filename else ""
    what_to_do = "Put it right and run the same command again; it goes on where it stopped."
    return f"{error.strerror or error}{where}. {what_to_do}"


# ---- on this machine ------------------------------------------------------------------------------

_graders: dict[Job, Grader] = {}
_ATTEMPTS = 3  # for a submission whose worker was killed from outside
_GRACE_S = 30  # on top of a submission's limit, for a busy machine; then its worker is killed


def _in_processes(job: Job, students: Sequence[str], workers: int) -> Iterator[Result]:
    """Distribute the submissions to processes. One that takes long is postponed until the others are done."""
    processes = pool(workers, job.limits.judge_memory)
    try:
        turns = {schedule(processes, job, student, job.limits.first_s): (student, 1) for student in students}
        while turns:
            for future in wait(turns, return_when=FIRST_COMPLETED).done:
                student, attempt = turns.pop(future)
                result, again = outcome(processes, job, student, attempt, future)
                if again is None:
                    yield result
                else:
                    turns[again] = student, attempt + 1
    except BrokenProcessPool as error:
        raise GradingError(f"The processes that grade could not be started: {error}") from error
    finally:
        processes.stop()  # type: ignore[no-untyped-call]
        processes.join()


def schedule(
    processes: ProcessPool, job: Job, student: str, seconds: float, why: str = ""
) -> "Future[Result]":
    """Let a worker grade one submission within some seconds, or give it up for the reason `why`."""
    whole = seconds + job.limits.page_s + _GRACE_S
    future: Future[Result] = processes.schedule(
        _graded_here, args=(job, student, seconds, why), timeout=whole
    )
    return future


def outcome(
    processes: ProcessPool, job: Job, student: str, attempt: int, future: "Future[Result]"
) -> tuple[Result, "Future[Result] | None"]:
    """Return the result of an attempt, and the next attempt where it needs one."""
    result, why = Result(student, None), ""
    try:
        result = future.result()
        if not result.put_off:
            return result, None
    except ProcessExpired:
        if attempt >= _ATTEMPTS:
            killed = "its worker was killed three times. Is there enough memory?"
            return Result(student, None, error=killed), None
    except TimeoutError:
        if attempt > _ATTEMPTS:
            return Result(student, None, error="it took too long, and so did giving it up."), None
        why = f"to grade it took longer than {job.limits.whole_s:g} s" if attempt > 1 else ""
    return result, schedule(processes, job, student, job.limits.cells_s, why)


def _graded_here(job: Job, student: str, seconds: float, why: str) -> Result:
    """Grade one submission in this worker, which keeps its grader for the next."""
    return _graded(grader_of(job), student, seconds, why)


def grader_of(job: Job) -> Grader:
    """Return the grader of this worker."""
    if job not in _graders:
        for grader in _graders.values():
            grader.close()
        _graders.clear()
        _graders[job] = Grader(job)
    return _graders[job]


# ---- on a cluster ---------------------------------------------------------------------------------

_pools: dict[int, ProcessPool] = {}
_pools_lock = threading.Lock()


def _on_dask(job: Job, students: Sequence[str], address: str) -> Iterator[Result]:
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ImportError:
        raise GradingError("--dask needs Dask: pip install distributed") from None
    try:
        client = distributed.Client(address, timeout=10)
    except (OSError, TimeoutError, ValueError) as error:
        raise GradingError(f"There is no Dask scheduler at {address}: {error}") from error
    with client:
        futures = client.map(_graded_beside, [job] * len(students), list(students), pure=False, retries=2)
        for future in distributed.as_completed(futures):
            yield future.result()


def _graded_beside(job: Job, student: str) -> Result:
    """Grade one in a process beside a Dask worker, since a thread of the worker cannot be ended."""
    with _pools_lock:
        # 2026-12: a worker under a nanny is a daemon, and multiprocessing allows daemons no children. Our children
        # end with it by themselves (`workers`).
        multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined] # noqa: SLF001
        if os.getpid() not in _pools:
            _pools[os.getpid()] = pool(1, job.limits.judge_memory)
        processes, seconds = _pools[os.getpid()], job.limits.cells_s
        future: Future[Result] | None = schedule(processes, job, student, seconds)
        attempt = 2  # there is no shorter first attempt here
        while future is not None:
            result, future = outcome(processes, job, student, attempt, future)
            attempt += 1
    return result


# ---- before and after -----------------------------------------------------------------------------


@contextlib.contextmanager
def exclusive_run(job: Job) -> Iterator[None]:
    """Lock the course against a second run, and remove what a killed run left."""
    course = job.course
    work = course / WORK
    try:
        work.mkdir(exist_ok=True)
    except OSError as error:
        raise GradingError(f"{course} cannot be written to: {_refused(error)}") from error
    with (work / "lock").open("w") as lock:
        _lock(lock, course)
        for left in work.iterdir():
            if left.is_dir():
                remove(left)
        try:
            yield
        finally:
            remove(work)
            if job.sandbox != "stock":
                sweep()


def _lock(file: TextIO, course: Path) -> None:
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise GradingError(f"Another `mlsd grade` is at work in {course}. Wait for it, or stop it.") from None


@contextlib.contextmanager
def prepared_gradebook(job: Job) -> Iterator[None]:
    """Check the requirements of a run, and let several workers write to a gradebook in SQLite."""
    _check_version()
    directory = CourseDirectory(config=job.configuration())
    try:
        with environment_on_path(), Gradebook(directory.db_url, directory.course_id) as book:
            before_due = book.find_assignment(job.assignment).duedate
            term = Term(config=job.configuration())
            class_exceptions.read(
                job.course, term, job.assignment, {*students(job), *(one.id for one in book.students)}
            )
            due = term.due_at(job.assignment)
            if job.assignment in term.due and not job.dry_run and before_due != (due and utc(due)):
                book.update_or_create_assignment(job.assignment, duedate=due)
            before = _journal(book, "WAL") if book.engine.dialect.name == "sqlite" else ""
    except MissingEntry:
        raise GradingError(
            f"The gradebook does not know {job.assignment}. Release it first: mlsd release {job.assignment}"
        ) from None
    except OperationalError as error:
        raise GradingError(f"The gradebook {directory.db_url} can't be opened: {error.orig}") from error
    try:
        yield
    finally:
        if before:
            with (
                contextlib.suppress(OperationalError),
                Gradebook(directory.db_url, directory.course_id) as book,
            ):
                _journal(book, before)


def _journal(book: Any, mode: str) -> str:
    """Set SQLite's journal mode and return what it was."""
    with book.engine.connect() as connection:
        before = str(connection.execute(text("PRAGMA journal_mode")).scalar())
        connection.execute(text(f"PRAGMA journal_mode={mode}"))
    return before


def _check_version() -> None:
    version = tuple(int(part) for part in nbgrader.__version__.split(".")[:3] if part.isdigit())
    low, high = SUPPORTED
    if not low <= version < high:
        span = " up to below ".join(".".join(map(str, one)) for one in SUPPORTED)
        raise GradingError(
            f"nbgrader {nbgrader.__version__} is installed; `mlsd grade` works with {span}. "
            "Install one of these, or use `nbgrader autograde`."
        )
