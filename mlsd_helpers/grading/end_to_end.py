"""An end-to-end run of an instructor's work: release, submit, grade, give feedback.

`mlsd demo` runs it in a temporary folder, and the tests compare its marks with the expected ones.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nbgrader.api import Gradebook

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.release import CONFIG, environment_on_path, release
from mlsd_helpers.grading.sandbox import choose_sandbox
from mlsd_helpers.grading.synthetic import SyntheticStudent, class_of, submit

Marks = Mapping[str, Mapping[str, float]]


def set_up(course: Path, root: Path, assignment: str) -> None:
    """Copy what grading one assignment needs into an empty folder."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(course / CONFIG, root)
    shutil.copytree(course / "source" / assignment, root / "source" / assignment)


def walk(
    course: Path, root: Path, assignment: str, say: Callable[[str], None] = print
) -> tuple[tuple[SyntheticStudent, ...], Marks]:
    """Release, submit, grade and give feedback for a synthetic class in `root`; return its students and marks."""
    set_up(course, root, assignment)
    say(f"Making the student version of {assignment}.")
    outcome = release(root, assignment)
    if outcome.problem:
        raise WorkspaceError(f"nbgrader refuses {assignment}: {outcome.problem}")
    students = class_of(root, assignment)
    for one in students:
        submit(one, root, assignment)
    say(f"{len(students)} students submitted it.")
    job = Job(root, assignment, choose_sandbox(unsafe=True))  # the code is our own
    for line in grade_class(job, [one.student for one in students], say=say).lines():
        say(line)
    return students, marks(root, assignment)


def nbgrader(root: Path, *arguments: str, say: Callable[[str], None] = lambda _: None) -> None:
    """Run one of nbgrader's commands in a course folder, and pass each line of its log to `say`.

    Raises WorkspaceError with the end of the log when the command fails.
    """
    command = [sys.executable, "-m", "nbgrader", *arguments]
    log: list[str] = []
    with (
        environment_on_path(),
        subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running,
    ):
        for line in running.stdout or ():
            log.append(line.rstrip())
            say(log[-1])
    if running.returncode:
        tail = "\n".join(log[-12:])
        raise WorkspaceError(f"`nbgrader {' '.join(arguments)}` failed in {root}:\n{tail}")


def marks(root: Path, assignment: str) -> Marks:
    """Read the marks of an assignment from nbgrader's gradebook: score by student and exercise."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "mlsd") as book:
        return {
            submission.student.id: {
                grade.name: grade.score for notebook in submission.notebooks for grade in notebook.grades
            }
            for submission in book.assignment_submissions(assignment)
        }


def released(root: Path, assignment: str) -> Path:
    """Return where nbgrader puts the student version of an assignment."""
    return root / "release" / assignment / f"{assignment}.ipynb"


def feedback_page(root: Path, student: str, assignment: str) -> Path:
    """Return where nbgrader puts a student's feedback."""
    return root / "feedback" / student / assignment / f"{assignment}.html"


def table(given: Marks, exercises: Sequence[str]) -> str:
    """Return marks as a table with a row for each student.

    >>> print(table({"ada": {"a": 3.0, "b": 0.5}}, ["a", "b"]))
    student     a     b   sum
    ada         3   0.5   3.5
    """
    rows = [["student", *exercises, "sum"]]
    for student, scores in given.items():
        shown = [scores[name] for name in exercises]
        rows.append([student, *(f"{score:g}" for score in (*shown, sum(scores.values())))])
    first, widths = max(len(row[0]) for row in rows), [max(5, len(name)) for name in rows[0][1:]]
    return "\n".join(
        " ".join([row[0].ljust(first), *(cell.rjust(n) for cell, n in zip(row[1:], widths, strict=True))])
        for row in rows
    )
