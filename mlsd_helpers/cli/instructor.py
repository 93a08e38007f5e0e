"""The commands for instructors: from `mlsd release` to `mlsd marks`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mlsd_helpers.cli.common import Command, complain, line_that_moves, say, takes_course
from mlsd_helpers.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlsd_helpers.grading.release import Outcome

# mlsd release


def release(given: argparse.Namespace) -> int:
    """Make the student versions of the exercises with nbgrader.

    They are generated from source/ into release/, and the due dates of nbgrader_config.py are written into the
    gradebook. With --check nothing is written: they are generated into a temporary directory and compared with
    release/. Exit status 1 when nbgrader refuses an assignment, or the contents differ.
    """
    say("Starting nbgrader.")
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading import release as versions  # noqa: PLC0415
    from mlsd_helpers.grading import term  # noqa: PLC0415

    course = workspace.find_course(given.course)
    due = term.read(course).due_at
    work = versions.compare if given.check else versions.release
    strays = () if given.assignment else versions.strays(course)
    names = versions.assignments(course, given.assignment)
    outcomes = (*(_shown(work, course, name, None if given.check else due(name)) for name in names), *strays)
    for stray in strays:
        say(f"{stray.assignment}: {stray.problem}")
    return 1 if any(outcome.problem for outcome in outcomes) else 0


def _release_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "assignment", nargs="*", metavar="ASSIGNMENT", help="such as 05_capacity (default: all)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; compare with release/")
    takes_course(parser)


def _shown(
    work: "Callable[[Path, str], Outcome]", course: Path, name: str, due: "datetime | None"
) -> "Outcome":
    say(f"{name}: ", end="")
    outcome = work(course, name)
    say(outcome.problem or (f"ok, due {due:%Y-%m-%d %H:%M} {due.tzinfo}" if due else "ok"))
    return outcome


# mlsd grade


def grade(given: argparse.Namespace) -> int:
    """Grade the submissions: scores in nbgrader's gradebook, a feedback page for each student, and a summary.

    A student's code runs in a sandbox, and is judged outside of it. A submission that was graded by the same rules is
    skipped, so run a stopped command again to continue it. After a rule has changed, only the submissions whose result
    changes are written again. Exit status 1 when a submission could not be graded.
    """
    say("Starting nbgrader.")
    from mlsd_helpers.grading import workers  # noqa: PLC0415

    workers.get_ready()
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.errors import GradingError  # noqa: PLC0415
    from mlsd_helpers.grading import classroom  # noqa: PLC0415
    from mlsd_helpers.grading.grade import Job, students  # noqa: PLC0415
    from mlsd_helpers.grading.sandbox import choose_sandbox  # noqa: PLC0415

    course = workspace.find_course(given.course)
    sandbox = choose_sandbox(unsafe=given.unsafe)
    say(classroom.about(sandbox))
    failed = False
    for assignment in given.assignment:
        job = Job(course, assignment, sandbox, given.db or "", dry_run=given.dry_run, again=given.again)
        everyone = students(job)
        if unknown := sorted(set(given.student or ()) - set(everyone)):
            raise GradingError(
                f"There is no submission for {assignment} from {', '.join(unknown)}. Check the folders in submitted/."
            )
        summary = classroom.grade_class(
            job,
            given.student or everyone,
            workers=given.workers,
            dask=given.dask or "",
            say=line_that_moves(),
        )
        for line in (*summary.lines(), *summary.differences()):
            say(line)
        if given.dry_run:
            say("Nothing was written.")
        failed = failed or bool(summary.errors)
    return 1 if failed else 0


def _grade_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", nargs="+", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument(
        "--student",
        action="append",
        metavar="ID",
        help="only this student; repeat it for more (default: all)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would change; write nothing")
    parser.add_argument("--again", action="store_true", help="also grade what was graded by the same rules")
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="worker processes on this machine (default: one for each core)",
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="use a Dask cluster that sees this folder, such as tcp://host:8786"
    )
    parser.add_argument("--db", metavar="URL", help="the gradebook, such as postgresql://host/name")
    parser.add_argument(
        "--unsafe", action="store_true", help="run students' code without a sandbox where there is none"
    )
    takes_course(parser)


# mlsd collect, mlsd report, mlsd marks


def collect(given: argparse.Namespace) -> int:
    """Sort a folder or zip of LMS downloads into submitted/, and list every file with its outcome.

    It reads the names that Canvas and Moodle give to downloads; nbgrader_config.py can describe other names. The newest
    of several uploads is kept, and nothing newer is overwritten. Exit status 1 when a person has to decide whose a file
    is.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading import downloads  # noqa: PLC0415

    course = workspace.find_course(given.course)
    done = downloads.collect(course, given.assignment, given.folder, dry_run=given.dry_run)
    say(str(done))
    return 1 if done.undecided else 0


def _collect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder or zip from the LMS")
    parser.add_argument("--dry-run", action="store_true", help="print what would happen; write nothing")
    takes_course(parser)


def report(given: argparse.Namespace) -> int:
    """Write the report of a graded class: one HTML page, and tables as CSV beside it.

    For each exercise it shows the difficulty, the discrimination, the known mistakes with their numbers, and the wrong
    answers that no known mistake explains; then the flags, the repairs, and what could not be run. With --anonymous it
    contains no name.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading.report import report as write  # noqa: PLC0415

    course = workspace.find_course(given.course)
    written = write(
        course, given.assignment, anonymous=given.anonymous, output=given.output, db_url=given.db or ""
    )
    for path in (written.page, *written.tables):
        say(str(path))
    return 0


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument("--anonymous", action="store_true", help="pseudonyms in place of names")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="the page (default: reports/ASSIGNMENT.html)"
    )
    _takes_gradebook(parser)


def marks(given: argparse.Namespace) -> int:
    """Print marks as CSV, for people or for the import of Canvas or Moodle.

    They are nbgrader's, with manual grades and late penalties. Students without a submission have no score.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading import marks as gradebook  # noqa: PLC0415

    found = gradebook.read(workspace.find_course(given.course), given.assignment, given.db or "")
    text = gradebook.as_csv(found, given.format)
    if given.output is None:
        say(text.replace("\r\n", "\n"), end="")
    else:
        given.output.write_text(text, encoding="utf-8", newline="")
    if found.waiting:
        number = len(found.waiting)
        complain(f"{number} submissions have no manual grade yet. Open the formgrader: mlsd lab --instructor")
    return 0


def _marks_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", nargs="+", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument(
        "--format",
        choices=("plain", "canvas", "moodle"),
        default="plain",
        help="the columns (default: plain)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="the file, such as marks.csv (default: print)"
    )
    _takes_gradebook(parser)


def _takes_gradebook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--db", metavar="URL", help="the gradebook, such as postgresql://host/name")
    takes_course(parser)


# mlsd feedback


def feedback(given: argparse.Namespace) -> int:
    """Zip the feedback pages under the names of the LMS downloads, so that the LMS gives each to its student.

    Canvas takes the zip under "Upload Submissions", Moodle under "Upload multiple feedback files in a zip". Exit
    status 1 when a student in the downloads has no feedback yet.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading.returning import zip_feedback  # noqa: PLC0415

    course = workspace.find_course(given.course)
    done = zip_feedback(course, given.assignment, given.folder, given.output)
    say(f"{done.zip}: {len(done.pages)} pages")
    for student in done.missing:
        complain(f"{one_line(student)} has no feedback yet. Grade it: mlsd grade {given.assignment}")
    return 1 if done.missing else 0


def _feedback_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder or zip that was collected")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("feedback.zip"),
        help="the zip (default: feedback.zip)",
    )
    takes_course(parser)


# mlsd demo


def demo(given: argparse.Namespace) -> int:
    """Grade a synthetic class once, and print its marks.

    Its submissions are right answers, known mistakes and broken notebooks, made from the exercises. Release, grading
    and feedback happen in a temporary folder; your course does not change.
    """
    from tempfile import mkdtemp  # noqa: PLC0415

    say("Starting nbgrader.")
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading import end_to_end  # noqa: PLC0415
    from mlsd_helpers.grading import release as versions  # noqa: PLC0415

    course = workspace.find_course(given.course)
    root = Path(mkdtemp(prefix="mlsd-demo-"))
    for assignment in versions.assignments(course, given.assignment):
        students, marks = end_to_end.walk(course, root, assignment, line_that_moves())
        say("\n" + end_to_end.table(marks, list(students[0].scores)))
    say(f"\nFeedback pages: {root / 'feedback'}")
    return 0


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "assignment", nargs="*", metavar="ASSIGNMENT", help="such as 05_capacity (default: all)"
    )
    takes_course(parser)


COMMANDS = (
    Command(release, _release_arguments),
    Command(grade, _grade_arguments),
    Command(collect, _collect_arguments),
    Command(feedback, _feedback_arguments),
    Command(report, _report_arguments),
    Command(marks, _marks_arguments),
    Command(demo, _demo_arguments),
)
