"""The commands for instructors: from `mlsd release` to `mlsd marks`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mlsd_helpers.cli.common import (
    COURSE,
    Argument,
    Command,
    argument,
    complain,
    output,
    progress_line,
    say,
)
from mlsd_helpers.errors import GradingError
from mlsd_helpers.files import write_whole
from mlsd_helpers.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlsd_helpers.grading.grade import Job

# mlsd release


def release(given: argparse.Namespace) -> int:
    """Make the student versions of the exercises with nbgrader.

    They are generated from source/ into release/, and the due dates of nbgrader_config.py are written into the
    gradebook. With --check nothing is written: they are generated into a temporary directory and compared with
    release/. Exit status 1 when nbgrader refuses an assignment, or the contents differ.
    """
    say("Starting nbgrader.")
    from mlsd_helpers.grading import release as versions  # noqa: PLC0415
    from mlsd_helpers.grading import term  # noqa: PLC0415
    from mlsd_helpers.grading.privacy import keep_private  # noqa: PLC0415

    course = given.course
    due = term.read(course).due_at
    work = versions.compare if given.check else versions.release
    strays = () if given.assignment else versions.strays(course)
    failed = bool(strays)
    for name in versions.assignments(course, given.assignment):
        day = None if given.check else due(name)
        say(f"{name}: ", end="")
        problem = work(course, name).problem
        say(problem or (f"ok, due {day:%Y-%m-%d %H:%M} {day.tzinfo}" if day else "ok"))
        failed = failed or bool(problem)
    for stray in strays:
        say(f"{stray.assignment}: {stray.problem}")
    if not given.check:
        keep_private(course)
    return 1 if failed else 0


# mlsd grade


def grade(given: argparse.Namespace) -> int:
    """Grade the submissions: scores in nbgrader's gradebook, a feedback page for each student, and a summary.

    A student's code runs in a sandbox, and is judged outside of it. A submission that was graded by the same rules is
    skipped, so run a stopped command again to continue it. After a rule has changed, only the submissions whose result
    changes are written again. Exit status 1 when a submission could not be graded.

    With --watch it goes on: each submission is graded when it arrives in submitted/ or in nbgrader's exchange, and
    again when another one takes its place. Ctrl-C or SIGTERM ends it.
    """
    say("Starting nbgrader.")
    from mlsd_helpers.grading import workers  # noqa: PLC0415

    workers.get_ready()
    from mlsd_helpers.errors import GradingError  # noqa: PLC0415
    from mlsd_helpers.grading import classroom  # noqa: PLC0415
    from mlsd_helpers.grading.grade import Job, students  # noqa: PLC0415
    from mlsd_helpers.grading.privacy import keep_private  # noqa: PLC0415
    from mlsd_helpers.grading.sandbox import choose_sandbox  # noqa: PLC0415

    if given.watch and (other := next((one for one in _NOT_WATCHED if getattr(given, one)), "")):
        raise GradingError(f"--watch does not go with --{other.replace('_', '-')}. Give one of the two.")
    sandbox = choose_sandbox(unsafe=given.unsafe)
    say(classroom.about(sandbox))
    failed = False
    jobs = [
        Job(given.course, name, sandbox, given.db or "", dry_run=given.dry_run, again=given.again)
        for name in dict.fromkeys(given.assignment)
    ]
    if given.watch:
        return _watch(jobs, given)
    for job in jobs:
        name = job.assignment
        everyone = students(job)
        if unknown := sorted(set(given.student or ()) - set(everyone)):
            raise GradingError(
                f"There is no submission for {name} from {', '.join(unknown)}. Check the folders in submitted/."
            )
        summary = classroom.grade_class(
            job,
            given.student or everyone,
            workers=given.workers,
            dask=given.dask or "",
            say=progress_line(),
        )
        for line in (*summary.lines(), *summary.differences()):
            say(line)
        if not given.student and (absent := classroom.absent(job)):
            say(f"Nothing was submitted by {len(absent)}: {one_line(', '.join(absent), most=10_000)}.")
        if given.dry_run:
            say("Nothing was written.")
        else:
            keep_private(given.course, given.db or "")
        failed = failed or bool(summary.errors)
    return 1 if failed else 0


_NOT_WATCHED = ("dry_run", "again", "dask")


def _watch(jobs: "Sequence[Job]", given: argparse.Namespace) -> int:
    """Grade what arrives until a signal comes; a second one ends the process at once."""
    import signal  # noqa: PLC0415
    import threading  # noqa: PLC0415

    from mlsd_helpers.grading.watch import Watch  # noqa: PLC0415

    stop = threading.Event()
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def end(number: int, _: object) -> None:
        signal.signal(number, before[number])
        stop.set()

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        Watch(jobs, given.student or (), workers=given.workers, say=say).run(stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    say("Stopped. The same command goes on from here.")
    return 0


# mlsd collect, mlsd report, mlsd marks


def collect(given: argparse.Namespace) -> int:
    """Sort a folder or zip of LMS downloads into submitted/, and list every file with its outcome.

    It reads the names that Canvas and Moodle give to downloads; nbgrader_config.py can describe other names.
    The newest of several uploads is kept, and nothing newer is overwritten. No download says when a submission came:
    with --times the LMS's record does. Exit status 1 when a person has to decide which student a file belongs to.
    """
    from mlsd_helpers.grading import downloads  # noqa: PLC0415
    from mlsd_helpers.grading.privacy import keep_private  # noqa: PLC0415

    times = given.times or ()
    done = downloads.collect(given.course, given.assignment, given.folder, dry_run=given.dry_run, times=times)
    if not given.dry_run:
        keep_private(given.course)
    say(str(done))
    return 1 if done.undecided else 0


def form(given: argparse.Namespace) -> int:
    """Print one of two parallel forms of twelve questions, for before and after the course.

    Both forms ask the same with other figures; each wrong option is what a known mistake gives. Give form A before
    the course and form B after it, and compare: `mlsd report --gain before.csv after.csv`. The format gift is
    Moodle's; csv names the right options as well.
    """
    from mlsd_helpers.exercises import forms  # noqa: PLC0415
    from mlsd_helpers.grading import gain  # noqa: PLC0415

    write = {"text": gain.as_text, "gift": gain.as_gift, "csv": gain.as_csv}[given.format]
    say(write(forms.form(given.letter)).replace("\r\n", "\n"), end="")
    return 0


def report(given: argparse.Namespace) -> int:
    """Write the report of a graded class: one HTML page, and tables as CSV beside it.

    It begins with the mistakes that most students made, and the requests to look at marks again. For each exercise it
    shows the difficulty, the discrimination, the known mistakes with their numbers, and the wrong answers that no known
    mistake explains; then answers with the same code, who submitted nothing, the flags, the repairs, and what could not
    be run. With --anonymous it contains no name. With --gain it prints what a class has learnt from the answers to
    the two forms of `mlsd form`: a row for each student, named in the first column, and the twelve answers after it.
    """
    if given.gain:
        from mlsd_helpers.exercises.forms import LETTERS  # noqa: PLC0415
        from mlsd_helpers.grading import gain  # noqa: PLC0415

        before, after = (gain.read(path, letter) for path, letter in zip(given.gain, LETTERS, strict=True))
        say(gain.table(gain.compare(before, after)))
        return 0
    if given.assignment is None:
        raise GradingError(
            "No assignment was named. Name one, such as 05_capacity, or give --gain two files."
        )
    if given.anonymous and given.names:
        raise GradingError("--names does not go with --anonymous. Give one of the two.")
    from mlsd_helpers.grading.report import report as write  # noqa: PLC0415

    written = write(
        given.course,
        given.assignment,
        anonymous=given.anonymous,
        names=given.names,
        output=given.output,
        db_url=given.db or "",
    )
    for path in (written.page, *written.tables):
        say(str(path))
    return 0


def marks(given: argparse.Namespace) -> int:
    """Print marks as CSV, for people or for the import of Canvas or Moodle.

    They are nbgrader's, with manual grades and late penalties. Students without a submission have no score.
    """
    from mlsd_helpers.grading import marks as gradebook  # noqa: PLC0415

    found = gradebook.read(given.course, given.assignment, given.db or "")
    text = gradebook.as_csv(found, given.format)
    if given.output is None:
        say(text.replace("\r\n", "\n"), end="")
    else:
        write_whole(given.output, text, mode=0o600)
    if number := len(found.waiting):
        those = "1 submission has" if number == 1 else f"{number} submissions have"
        complain(f"{those} no manual grade yet. Open the formgrader: mlsd lab --instructor")
    for name in found.assignments:
        if stale := [one_line(mark.student.id) for mark in found.stale if mark.assignment == name]:
            complain(
                f"The feedback pages of {', '.join(stale)} show another late penalty than these marks. Write them "
                f"again: mlsd grade {name}"
            )
    for name, student in found.ignored:
        complain(
            f"{one_line(student)} has submitted {name}, and is in the group of somebody else, whose mark counts."
        )
    return 0


# mlsd feedback


def feedback(given: argparse.Namespace) -> int:
    """Zip the feedback pages under the names of the LMS downloads, so that the LMS gives each to its student.

    Canvas takes the zip under "Upload Submissions", Moodle under "Upload multiple feedback files in a zip". Exit
    status 1 when a student in the downloads has no feedback yet.
    """
    from mlsd_helpers.grading.returning import zip_feedback  # noqa: PLC0415

    done = zip_feedback(given.course, given.assignment, given.folder, given.output)
    say(f"{done.zip}: {len(done.pages)} pages")
    for student in done.missing:
        complain(f"{one_line(student)} has no feedback yet. Grade it: mlsd grade {given.assignment}")
    return 1 if done.missing else 0


# mlsd demo


def demo(given: argparse.Namespace) -> int:
    """Grade a synthetic class once, and print its marks.

    Its submissions are right answers, known mistakes and broken notebooks, made from the exercises. Release, grading
    and feedback happen in a temporary folder; your course does not change.
    """
    from tempfile import mkdtemp  # noqa: PLC0415

    say("Starting nbgrader.")
    from mlsd_helpers.grading import end_to_end  # noqa: PLC0415
    from mlsd_helpers.grading import release as versions  # noqa: PLC0415

    root = Path(mkdtemp(prefix="mlsd-demo-"))
    for name in versions.assignments(given.course, given.assignment):
        students, scores = end_to_end.walk(given.course, root, name, progress_line())
        say("\n" + end_to_end.table(scores, list(students[0].scores)))
    say(f"\nFeedback pages: {root / 'feedback'}")
    return 0


def assignment(nargs: str | None = None) -> Argument:
    """Describe the argument that names an assignment, or several."""
    more = " (default: all)" if nargs == "*" else ""
    return argument("assignment", f"such as 05_capacity{more}", nargs=nargs, metavar="ASSIGNMENT")


_DATABASE = argument("--db", "the gradebook, such as postgresql://host/name", metavar="URL")
_ZIP = {"type": Path, "default": Path("feedback.zip"), "metavar": "FILE"}

COMMANDS = (
    Command(
        release,
        assignment("*"),
        argument("--check", "write nothing; compare with release/", action="store_true"),
        COURSE,
    ),
    Command(
        grade,
        assignment("+"),
        argument(
            "--student", "only this student; repeat it for more (default: all)", action="append", metavar="ID"
        ),
        argument("--watch", "go on, and grade each submission when it arrives", action="store_true"),
        argument("--dry-run", "print what would change; write nothing", action="store_true"),
        argument("--again", "also grade what was graded by the same rules", action="store_true"),
        argument(
            "--workers",
            "worker processes on this machine (default: one for each core)",
            type=int,
            metavar="N",
        ),
        argument(
            "--dask", "use a Dask cluster that sees this folder, such as tcp://host:8786", metavar="ADDRESS"
        ),
        _DATABASE,
        argument("--unsafe", "run students' code without a sandbox where there is none", action="store_true"),
        COURSE,
    ),
    Command(
        collect,
        assignment(),
        argument("folder", "the folder or zip from the LMS", type=Path, metavar="FOLDER"),
        argument(
            "--times",
            "when submissions came: Moodle's grading worksheet, Canvas's list of submissions, or a CSV with id and "
            "submitted; repeat it for more",
            action="append",
            type=Path,
            metavar="FILE",
        ),
        argument("--dry-run", "print what would happen; write nothing", action="store_true"),
        COURSE,
    ),
    Command(
        feedback,
        assignment(),
        argument("folder", "the folder or zip that was collected", type=Path, metavar="FOLDER"),
        argument("--output", "the zip (default: feedback.zip)", **_ZIP),
        COURSE,
    ),
    Command(
        form,
        argument("letter", "A or B", choices=("A", "B"), metavar="LETTER"),
        argument(
            "--format", "how it is written (default: text)", choices=("text", "gift", "csv"), default="text"
        ),
    ),
    Command(
        report,
        assignment("?"),
        argument(
            "--gain",
            "answers to form A before and to form B after the course, as CSV",
            nargs=2,
            type=Path,
            metavar=("BEFORE", "AFTER"),
        ),
        argument("--anonymous", "pseudonyms in place of ids", action="store_true"),
        argument("--names", "names beside ids", action="store_true"),
        output("the page (default: reports/ASSIGNMENT.html)"),
        _DATABASE,
        COURSE,
    ),
    Command(
        marks,
        assignment("+"),
        argument(
            "--format", "the columns (default: plain)", choices=("plain", "canvas", "moodle"), default="plain"
        ),
        output("the file, such as marks.csv (default: print)"),
        _DATABASE,
        COURSE,
    ),
    Command(demo, assignment("*"), COURSE),
)
