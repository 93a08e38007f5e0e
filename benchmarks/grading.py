"""`python -m benchmarks.grading`: time to grade a class with nbgrader and with `mlsd grade`, and its breakdown.

Both grade the same submissions on the same machine, with feedback and in the sandbox. `--load` grades a class of 300
in all assignments instead, and compares every score with the expected one.
"""

import argparse
import contextlib
import io
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import nbformat
import psutil

from mlsd_helpers.exercises import ALL
from mlsd_helpers.grading import end_to_end, grade, records, release
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from mlsd_helpers.grading.synthetic import large_class, submit

COURSE = Path(__file__).parents[1]
ASSIGNMENT = "05_capacity"


@dataclass(frozen=True)
class Took:
    """The cost of grading a class; `peak_mb` is the memory of all its processes together, shared pages counted once."""

    students: int
    wall_s: float
    peak_mb: float

    @property
    def per_minute(self) -> float:
        """Submissions a minute."""
        return 60 * self.students / self.wall_s


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument("--students", type=int, default=100, help="size of the class (100)")
    parser.add_argument("--load", action="store_true", help="300 students in every assignment, ours only")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as scratch:
        if asked.load:
            load(Path(scratch), 300)
        else:
            beside(Path(scratch), asked.students)


def beside(scratch: Path, students: int) -> None:
    """Grade one class both ways, and print a breakdown of our time."""
    stock_course, ours_course = (class_in(scratch / name, ASSIGNMENT, students) for name in ("stock", "ours"))
    ours = {n: measured(students, lambda n=n: ours_on(ours_course, n)) for n in (1, os.cpu_count() or 1)}
    stock = measured(students, lambda: by_nbgrader(stock_course))
    print(f"\nGrading {students} submissions of {ASSIGNMENT}, feedback included, sandbox: {choose_sandbox()}")
    print(
        f"  nbgrader autograde, generate_feedback   {stock.per_minute:6.0f} a minute {stock.peak_mb:6.0f} MB"
    )
    for workers, took in ours.items():
        times = took.per_minute / stock.per_minute
        print(
            f"  mlsd grade, {workers} worker(s)                 {took.per_minute:6.0f} a minute {took.peak_mb:6.0f} MB"
            f"   {times:.1f} ×"
        )
    spent = [record.seconds for record in records.all_of(ours_course, ASSIGNMENT)]
    parts = {
        name: median(one[name] for one in spent if name in one) * 1e3
        for name in ("judged", "gradebook", "feedback")
    }
    print(
        "  a submission, in ms, at the median: " + ", ".join(f"{name} {ms:.0f}" for name, ms in parts.items())
    )
    print(f"  the limit, its cells in a warm process: {limit_ms(ours_course):.0f} ms")


def load(scratch: Path, students: int) -> None:
    """Grade a class in every assignment, and compare each score with the one expected."""
    for assignment in sorted({exercise.assignment for exercise in ALL}):
        course = scratch / assignment
        expected = {one.student: dict(one.scores) for one in submit_all(course, assignment, students)}
        took = measured(students, lambda course=course, assignment=assignment: ours_on(course, 0, assignment))
        wrong = sum(
            given != expected[student] for student, given in end_to_end.marks(course, assignment).items()
        )
        print(
            f"{assignment}: {students} submissions, {took.per_minute:.0f} a minute, {took.peak_mb:.0f} MB at most, "
            f"{wrong} unexpected scores"
        )
        shutil.rmtree(course)


def class_in(course: Path, assignment: str, students: int) -> Path:
    """Make a course with the submissions of a class."""
    submit_all(course, assignment, students)
    return course


def submit_all(course: Path, assignment: str, students: int) -> tuple[end_to_end.SyntheticStudent, ...]:
    """Release an assignment and write a submission for every student."""
    end_to_end.set_up(COURSE, course, assignment)
    problem = release.release(course, assignment).problem
    if problem:
        raise SystemExit(problem)
    everyone = large_class(course, assignment, students, seed=1)
    for one in everyone:
        submit(one, course, assignment)
    return everyone


def by_nbgrader(course: Path) -> None:
    """Grade with nbgrader's own commands."""
    end_to_end.nbgrader(course, "autograde", ASSIGNMENT)
    end_to_end.nbgrader(course, "generate_feedback", ASSIGNMENT)


def ours_on(course: Path, workers: int, assignment: str = ASSIGNMENT) -> None:
    """Grade everything again with a number of workers."""
    job = Job(course, assignment, choose_sandbox(), again=True)
    grade_class(job, grade.students(job), workers=workers)


def limit_ms(course: Path) -> float:
    """Return the time of one submission's cells in a warm process, with the checks on fresh cases."""
    path = next((course / "autograded").glob(f"*/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"))
    cells = nbformat.read(path, as_version=4).cells
    codes = [compile(cell.source, "cell", "exec") for cell in cells if cell.cell_type == "code"]
    times = []
    for _ in range(20):
        began = time.perf_counter()
        names: dict[str, object] = {}
        with contextlib.redirect_stdout(io.StringIO()):
            for code in codes:
                with contextlib.suppress(Exception):  # a mistaken submission may raise
                    exec(code, names)  # noqa: S102 - made by us
        times.append((time.perf_counter() - began) * 1e3)
    return median(times)


def measured(students: int, work: Callable[[], object]) -> Took:
    """Do the work and record the memory of this process and its children."""
    done = threading.Event()
    peak = 0.0

    def watch() -> None:
        nonlocal peak
        here = psutil.Process()
        while not done.wait(1):
            total = 0
            for process in [here, *here.children(recursive=True)]:
                try:
                    memory = process.memory_full_info()
                    total += getattr(memory, "pss", memory.uss)
                except psutil.Error:
                    continue
            peak = max(peak, total / 1e6)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        work()
    finally:
        wall = time.perf_counter() - began
        done.set()
        watcher.join()
    return Took(students, wall, peak)


if __name__ == "__main__":
    main()
