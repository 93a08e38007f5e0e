"""Killed at any moment and started again, grading goes on where it was."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlsd_helpers.grading import end_to_end, grade, records
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from tests.grading.conftest import ASSIGNMENT
from tests.grading.test_grade import rows

pytestmark = pytest.mark.end_to_end

ROUNDS = 50

# A process that has all imports forks a run and kills it, over and over. Cells are not run: what is tried here is
# the writing. Each run gets a little further, so that the kills fall all over a run.
_ROUNDS = f"""
import os, random, signal, sys, time
from pathlib import Path
from mlsd_helpers.grading import classroom, grade, judging
from mlsd_helpers.grading.records import Judged

def run(restored, work, seed):
    tests = [c for c in restored.notebook.cells if c.metadata.get("nbgrader", {{}}).get("grade")]
    judged = {{c.metadata.nbgrader.grade_id: Judged(0.0, c.metadata.nbgrader.points) for c in tests}}
    return judging.Execution({{}}, judged)

grade.Grader._run = lambda self, *given: run(*given)
course = Path(sys.argv[1])
job = grade.Job(course, {ASSIGNMENT!r}, "none", seed=1)
random.seed(int(sys.argv[2]))
for round in range({ROUNDS}):
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        summary = classroom.grade_class(job, grade.students(job), workers=0)
        os._exit(9 if summary.errors else 0)
    time.sleep(random.uniform(0, 0.8))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit("a run failed")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_run_that_is_killed_fifty_times_grades_each_submission_once_and_leaves_nothing_behind(course_of):
    course = course_of()
    subprocess.run([sys.executable, "-c", _ROUNDS, str(course), "1"], check=True)
    half = [record.student for record in records.all_of(course, ASSIGNMENT)]
    for student in half:  # whoever has a record has everything
        assert (course / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").is_file()
        assert end_to_end.feedback_page(course, student, ASSIGNMENT).is_file()

    job = Job(course, ASSIGNMENT, choose_sandbox(unsafe=True), seed=7)
    everyone = grade.students(job)
    assert not grade_class(job, everyone, workers=1).errors
    assert [record.student for record in records.all_of(course, ASSIGNMENT)] == everyone
    assert sorted(student for student, _ in rows(course)) == everyone
    for step in ("autograded", "feedback"):
        assert sorted(folder.name for folder in (course / step).iterdir()) == everyone
        assert all(len(list(folder.rglob("*.*"))) == 1 for folder in (course / step).iterdir())
    assert not (course / grade.WORK).exists()
    assert not list(course.rglob("*.part"))


def _grade(course, *options):
    command = [
        sys.executable,
        "-m",
        "mlsd_helpers.cli",
        "grade",
        ASSIGNMENT,
        "--course",
        str(course),
        *options,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _below(parent: int) -> list[int]:
    """Return all processes below one."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [parent]
    while waiting:
        waiting += (new := children.get(waiting.pop(), []))
        found += new
    return found


def _forks(process: int) -> bool:
    try:
        return "forkserver" in Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return False  # it has just ended


def _wait(condition, seconds=300.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_worker_that_is_killed_costs_nobody_a_result_and_a_killed_run_leaves_no_process(course_of):
    course = course_of()
    run = _grade(course, "--workers", "2", "--unsafe")
    done = course / "verdicts" / ASSIGNMENT
    _wait(lambda: len(list(done.glob("*.json"))) >= 1)
    first = next(process for process in _below(run.pid) if _forks(process))  # workers are forked from it
    workers = [process for process in _below(first) if _forks(process)]
    assert len(workers) == 2
    os.kill(random.Random(1).choice(workers), signal.SIGKILL)
    _wait(lambda: len(list(done.glob("*.json"))) >= 4)
    everything = _below(run.pid)
    run.kill()
    run.wait()
    _wait(lambda: not any(map(_alive, everything)), 60)

    again = _grade(course, "--workers", "2", "--unsafe")
    said, _ = again.communicate(timeout=480)
    assert again.returncode == 0, said
    job = Job(course, ASSIGNMENT)
    assert [record.student for record in records.all_of(course, ASSIGNMENT)] == grade.students(job)
