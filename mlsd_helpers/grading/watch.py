"""Grade submissions as they arrive, in submitted/ or in nbgrader's exchange, with the guarantees of a run.

Once a second the folders are listed, and their files' sizes and times compared with those of the last time. That costs
a few milliseconds, and holds wherever a folder is: notifications of the kernel do not cross NFS or SMB, where a course
often is, and with them a folder has to be compared at the start, and whenever the kernel drops some, all the same.

A folder that changed is graded when it has been quiet for a moment and its notebooks can be read. A file that can't be
read may be one that is still being copied: it is given more time, and then it is graded as it is.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from pebble import ProcessPool

import mlsd_helpers
from mlsd_helpers.errors import GradingError, MlsdError
from mlsd_helpers.grading import submission
from mlsd_helpers.grading.classroom import (
    Summary,
    exclusive_run,
    grader_of,
    outcome,
    prepared_gradebook,
    schedule,
)
from mlsd_helpers.grading.exchange import Inbound
from mlsd_helpers.grading.grade import Job, Result, submitters
from mlsd_helpers.grading.release import CONFIG
from mlsd_helpers.grading.restore import UnreadableError, read_cells
from mlsd_helpers.grading.submission import Stamp
from mlsd_helpers.grading.workers import pool
from mlsd_helpers.printable import one_line

POLL_S = 1.0
QUIET_S = 1.5
"""A folder whose files have not changed for these seconds is complete, if its notebooks can be read."""

PATIENCE_S = 60.0
"""A folder with a notebook that can't be read, or with none, gets these seconds before it is graded as it is."""

_MOST_RESTARTS = 5  # of the processes that grade, within _RETRY_S
_RETRY_S = 60.0  # after an error of the machine, such as a full disk
_READ_S = 30.0  # to find out whether notebooks can be read
_WARM_UP_S = 120.0
_CODE_S = 10.0  # between two looks at the package, which has many files
_STOPS_WITHIN_S = 0.2


class Quiet:
    """Tells for how long each of several things has not changed, by a stamp of it."""

    def __init__(self) -> None:
        self._seen: dict[object, tuple[object, float]] = {}

    def seconds(self, key: object, stamp: object, now: float, age: float = 0.0) -> float:
        """Return for how many seconds a thing has had this stamp; `age` is that of one that was never seen before."""
        before, since = self._seen.get(key, (stamp, now - age))
        if before != stamp:
            since = now
        self._seen[key] = stamp, since
        return now - since


Key = tuple[str, str]
"""An assignment, and a student."""


@dataclass(frozen=True)
class _Turn:
    """What a worker does: attempt 0 finds out whether a submission is complete, the next ones grade it."""

    job: Job
    student: str
    stamp: Stamp
    attempt: int = 0

    @property
    def key(self) -> Key:
        return self.job.assignment, self.student


class Watch:
    """Grades the submissions of some assignments, those of `students` or of everyone, as they arrive."""

    def __init__(
        self,
        jobs: Sequence[Job],
        students: Sequence[str] = (),
        *,
        workers: int | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take one job for each assignment, all of one course. `say` is given each line for the instructor."""
        self._jobs = jobs
        self._students = students
        self._workers = max(1, (os.cpu_count() or 1) if workers is None else workers)
        self._say = say
        self._quiet = Quiet()
        self._directories: dict[str, CourseDirectory] = {}
        self._inbound: list[Inbound] = []
        self._turns: dict[Future[Any], _Turn] = {}
        self._done: dict[Key, Stamp] = {}
        self._incomplete: dict[Key, Stamp] = {}
        self._retry_at: dict[Key, float] = {}
        self._told: dict[Key, str] = {}
        self._first = True
        self._rules_before: object = None
        self._restarts: list[float] = []

    def run(self, stop: threading.Event) -> None:
        """Grade what is there and what arrives, until the event is set.

        Raises:
            GradingError: another run is active, an assignment is not in the gradebook, no process can be started, or
                the package has changed, with which the workers would no longer agree.

        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(exclusive_run(self._jobs[0]))
            for job in self._jobs:
                stack.enter_context(prepared_gradebook(job))
            while not stop.is_set():
                self._watch_by_these_rules(stop)

    def _watch_by_these_rules(self, stop: threading.Event) -> None:
        """Watch until the event is set, or what the workers have read at their start has changed."""
        rules, code, look_at_code = self._rules(), _code(), time.monotonic() + _CODE_S
        self._read_settings(rules)
        processes = pool(self._workers, self._jobs[0].limits.judge_memory)
        try:
            for _ in range(self._workers):
                processes.schedule(_warm_up, args=(self._jobs[0],), timeout=_WARM_UP_S)
            while not stop.is_set():
                now = time.monotonic()
                if not processes.active:
                    raise RuntimeError("a worker was killed")  # noqa: TRY301 - as pebble raises it when asked
                if now >= look_at_code and _code() != code:
                    raise GradingError("The package mlsd_helpers has changed. Start this command again.")
                look_at_code = look_at_code if now < look_at_code else now + _CODE_S
                current = self._rules()
                quiet = self._quiet.seconds("rules", current, now) >= QUIET_S
                if current == rules:
                    self._look_for_arrivals(processes, now)
                elif quiet and not self._turns and self._settings_can_be_read():
                    return
                self._await_results(processes, stop, now + POLL_S)
        except (RuntimeError, CancelledError) as error:  # pebble's pool ends when an idle worker is killed
            self._restarts = [*self._restarts[1 - _MOST_RESTARTS :], time.monotonic()]
            if len(self._restarts) == _MOST_RESTARTS and self._restarts[-1] - self._restarts[0] < _RETRY_S:
                raise GradingError(
                    f"The processes that grade keep ending: {error}. Is there memory?"
                ) from error
            self._say("The processes that grade have ended, and are started again.")
        finally:
            self._turns.clear()
            processes.stop()  # type: ignore[no-untyped-call]
            processes.join()

    # ---- the rules --------------------------------------------------------------------------------

    def _rules(self) -> object:
        course = self._jobs[0].course
        folders = [course / step / job.assignment for job in self._jobs for step in ("source", "release")]
        return _stamp_of([course / CONFIG, *(path for folder in folders for path in folder.glob("*.ipynb"))])

    def _read_settings(self, rules: object) -> None:
        before = set(self._places())
        self._directories = {
            job.assignment: CourseDirectory(config=job.configuration()) for job in self._jobs
        }
        self._inbound = [inbound for job in self._jobs if (inbound := Inbound.of(job.configuration(), job))]
        if rules != self._rules_before and not self._first:
            self._say(
                "The assignment or nbgrader_config.py has changed. What arrives from now on is graded by it; "
                "`mlsd grade` grades again what was graded before."
            )
        self._rules_before = rules
        for place in self._places():
            if place not in before:
                self._say(f"Watching {place}")

    def _places(self) -> list[str]:
        submitted = [
            one.format_path(one.submitted_directory, "STUDENT", assignment)
            for assignment, one in self._directories.items()
        ]
        return [*submitted, *dict.fromkeys(str(inbound.folder) for inbound in self._inbound)]

    def _settings_can_be_read(self) -> bool:
        try:
            for job in self._jobs:
                job.configuration()
        except Exception as error:  # noqa: BLE001 - the configuration is Python, and may raise anything
            self._tell_once(("", CONFIG), f"{CONFIG} has changed and can't be read: {one_line(str(error))}")
            return False
        return True

    # ---- arrivals ---------------------------------------------------------------------------------

    def _look_for_arrivals(self, processes: ProcessPool, now: float) -> None:
        for inbound in self._inbound:
            for told in inbound.collect(lambda name, stamp: self._quiet.seconds(name, stamp, now) >= QUIET_S):
                self._say(told)
        busy = {turn.key for turn in self._turns.values()}
        for job in self._jobs:
            directory = self._directories[job.assignment]
            for student in submitters(directory, job.assignment):
                if (job.assignment, student) in busy or (self._students and student not in self._students):
                    continue
                folder = Path(directory.format_path(directory.submitted_directory, student, job.assignment))
                self._look_at(processes, _Turn(job, student, submission.stamp(folder)), folder, now)
        self._first = False

    def _look_at(self, processes: ProcessPool, turn: _Turn, folder: Path, now: float) -> None:
        """Schedule a submission that is new or has changed, once it is quiet."""
        key, stamp = turn.key, turn.stamp
        if self._done.get(key) == stamp or now < self._retry_at.get(key, now):
            return
        newest = max((changed_ns for *_, changed_ns in stamp), default=time.time_ns())
        age = (time.time_ns() - newest) / 1e9 if self._first else 0.0  # what was there is not being copied
        quiet = self._quiet.seconds(key, stamp, now, age)
        if quiet >= PATIENCE_S:
            self._grade(processes, turn)
        elif quiet >= QUIET_S and self._incomplete.get(key) != stamp:
            self._turns[processes.schedule(_is_complete, args=(folder,), timeout=_READ_S)] = turn

    def _grade(self, processes: ProcessPool, turn: _Turn) -> None:
        future = schedule(processes, turn.job, turn.student, turn.job.limits.first_s)
        self._turns[future] = replace(turn, attempt=1)

    # ---- results ----------------------------------------------------------------------------------

    def _await_results(self, processes: ProcessPool, stop: threading.Event, until: float) -> None:
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            if not self._turns:
                stop.wait(left)
                return
            for future in wait(
                self._turns, timeout=min(left, _STOPS_WITHIN_S), return_when=FIRST_COMPLETED
            ).done:
                turn = self._turns.pop(future)
                if turn.attempt:
                    self._take_result(processes, turn, future)
                elif _said_yes(future):
                    self._grade(processes, turn)
                else:
                    self._incomplete[turn.key] = turn.stamp
                    self._say(
                        f"{_clock()} {one_line(turn.student)} {turn.job.assignment}: can't be read yet. If it does not "
                        f"change for {PATIENCE_S:g} s, it is graded as it is."
                    )

    def _take_result(self, processes: ProcessPool, turn: _Turn, future: "Future[Result]") -> None:
        try:
            result, again = outcome(processes, turn.job, turn.student, turn.attempt, future)
        except MlsdError as error:  # of the machine or the course: the next try may go well
            self._retry_at[turn.key] = time.monotonic() + _RETRY_S
            self._tell_once(turn.key, f"{_clock()} {one_line(turn.student)} {turn.job.assignment}: {error}")
            return
        if again is not None:
            self._turns[again] = replace(turn, attempt=turn.attempt + 1)
            return
        self._done[turn.key] = turn.stamp
        self._told.pop(turn.key, None)
        for line in _lines(turn, result):
            self._say(line)

    def _tell_once(self, key: Key, line: str) -> None:
        """Say what went wrong, and not again while it is the same."""
        if self._told.get(key) != line.partition(" ")[2]:
            self._told[key] = line.partition(" ")[2]  # without the time
            self._say(line)


def _lines(turn: _Turn, result: Result) -> Iterator[str]:
    who = f"{_clock()} {one_line(turn.student)} {turn.job.assignment}"
    record = result.record
    if result.before is not None and not result.changed:
        return
    if record is not None:
        most = sum(one.points for one in record.exercises.values())
        word = "graded" if result.before is None else "graded again"
        late = f", {record.late_s / 3600:.1f} h late" if record.late_s else ""
        yield f"{who}: {word}, {record.score:g} of {most:g} points{late}"
    _, *details = Summary((result,), 0.0).lines()
    yield from details


def _clock() -> str:
    return f"{datetime.now().astimezone():%H:%M:%S}"


def _code() -> object:
    return _stamp_of(Path(mlsd_helpers.__file__).parent.rglob("*.py"))


def _stamp_of(paths: Iterable[Path]) -> object:
    """Return what changes whenever one of these files changes; a missing one is no error."""
    found = []
    for path in sorted(paths):
        with contextlib.suppress(OSError):
            about = path.stat()
            found.append((path, about.st_size, about.st_mtime_ns))
    return found


# ---- in a worker ----------------------------------------------------------------------------------


def _warm_up(job: Job) -> None:
    """Read the notebooks, start the fork server, and draw the fresh cases, before the first submission arrives."""
    grader_of(job).prepare()


def _is_complete(folder: Path) -> bool:
    """Tell whether a submission has notebooks, and all can be read. A file that is being copied can't."""
    notebooks = list(folder.glob("*.ipynb"))
    try:
        return bool(notebooks) and all(isinstance(read_cells(path), list) for path in notebooks)
    except UnreadableError:
        return False


def _said_yes(future: "Future[bool]") -> bool:
    """Tell whether a worker found a submission complete; where it failed in that, the submission is given more time."""
    try:
        return future.result()
    except Exception:  # noqa: BLE001 - a worker that was killed, out of memory, or slow; grading deals with it
        return False
