"""The command line, `mlsd COMMAND`: each command is a function here, listed in `COMMANDS`.

Exit status: 0 when all is well, 1 when a check found something, 2 on input that can't be used. What a command
needs is imported inside it, so that `mlsd --help` starts at once.
"""

import argparse
import io
import os
import sys
import time
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

import mlsd_helpers
from mlsd_helpers.errors import MlsdError, WorkspaceError

if TYPE_CHECKING:
    from datetime import datetime

    from mlsd_helpers.grading.release import Outcome


@dataclass(frozen=True)
class Command:
    """A command: the function that runs it, whose docstring is its help, and one that adds its arguments."""

    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; an error is one plain message."""
    parser = _parser()
    given = parser.parse_args(argv)
    if given.run is None:
        parser.print_help()
        return 0
    try:
        return int(given.run(given))
    except (MlsdError, OSError) as error:
        print(f"mlsd {given.run.__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("mlsd", description="Designing ML Systems: the course and its tools.")
    parser.add_argument("--version", action="version", version=f"mlsd {mlsd_helpers.__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for command in COMMANDS:
        about = cleandoc(command.run.__doc__ or "")
        summary = about.partition("\n")[0]
        one = commands.add_parser(command.run.__name__, help=summary, description=about, formatter_class=raw)
        command.arguments(one)
        one.set_defaults(run=command.run)
    return parser


def _say(line: str, end: str = "\n") -> None:
    print(line, end=end, flush=True)


def _takes_course(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--course", type=Path, metavar="DIR", help="root of the course (default: the clone around you)"
    )


# mlsd lab


def lab(given: argparse.Namespace) -> int:
    """Open the course in JupyterLab, in a workspace of your own.

    The workspace holds the lessons, the exercises under assignments/ and your design.yaml. Run this as often
    as you like: your work is never overwritten, and what changed in the course is laid beside it. Ctrl-C stops
    it. With MLSD_BROWSER=0, or where there is no display, it prints the address and opens no browser.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415

    course = workspace.find_course(given.course)
    if given.instructor:
        _refuse_copy(course)
        return _open(course, "formgrader", given)
    folder = given.dir or workspace.default_folder(course, Path.cwd())
    _say(f"{folder}: {workspace.describe(workspace.make(course, folder))}.")
    return _open(folder, f"lab/tree/{workspace.first_lesson(course)}", given)


def _lab_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "dir", nargs="?", type=Path, metavar="DIR", help="the workspace (default: workspace/)"
    )
    parser.add_argument(
        "--port", type=_port, default=8888, help="its port (default: 8888, or the next that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument(
        "--instructor", action="store_true", help="open the course itself, in nbgrader's formgrader"
    )
    _takes_course(parser)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a port. Give a whole number up to 65535, such as 8888."
        )
    return int(text)


def _refuse_copy(course: Path) -> None:
    if not (course / "nbgrader_config.py").is_file():
        raise WorkspaceError(
            f"{course} has no nbgrader_config.py to grade with. Run this in a clone of the course."
        )


def _open(folder: Path, page: str, given: argparse.Namespace) -> int:
    from mlsd_helpers import workspace  # noqa: PLC0415

    port = workspace.free_port(given.port)
    if given.port not in {0, port}:
        _say(f"Port {given.port} is taken, so this is {port}.")
    _say("Starting JupyterLab; Ctrl-C stops it.")
    try:
        with workspace.jupyterlab(folder, port, learner=not given.instructor) as server:
            _say(server.address(page))
            if _has_browser(given):
                webbrowser.open(server.address(page))
            server.wait()
    except KeyboardInterrupt:
        _say("Stopped.")
    return 0


def _has_browser(given: argparse.Namespace) -> bool:
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    display = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, displays))
    return display and not given.no_browser and os.environ.get("MLSD_BROWSER") != "0"


# mlsd doctor


def doctor(_: argparse.Namespace) -> int:
    """Say whether this machine can run the course.

    Each line is ok, missing or optional. Below a line that isn't ok stands the command that mends it. Exit
    status 1 when something is missing.
    """
    from mlsd_helpers.doctor import report  # noqa: PLC0415

    found = report()
    _say(str(found))
    return 0 if found.ready else 1


# mlsd release


def release(given: argparse.Namespace) -> int:
    """Make the student versions of the exercises with nbgrader.

    They are generated from source/ into release/; due dates of nbgrader_config.py go into the gradebook. With
    --check nothing is written: they are made aside and compared with release/. Exit status 1 when nbgrader
    refuses an assignment, or the contents differ.
    """
    _say("Starting nbgrader.")
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
        _say(f"{stray.assignment}: {stray.problem}")
    return 1 if any(outcome.problem for outcome in outcomes) else 0


def _release_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "assignment", nargs="*", metavar="ASSIGNMENT", help="such as 05_capacity (default: all)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; compare with release/")
    _takes_course(parser)


def _shown(
    work: "Callable[[Path, str], Outcome]", course: Path, name: str, due: "datetime | None"
) -> "Outcome":
    _say(f"{name}: ", end="")
    outcome = work(course, name)
    _say(outcome.problem or (f"ok, due {due:%Y-%m-%d %H:%M} {due.tzinfo}" if due else "ok"))
    return outcome


# mlsd grade


def grade(given: argparse.Namespace) -> int:
    """Grade what was handed in: scores in nbgrader's gradebook, a feedback page a student, and a summary.

    A student's code runs in a sandbox, and is judged outside of it. What has been graded by the same rules is left
    alone, so a run that was stopped is simply run again, and after a changed rule only what it changes is written.
    Exit status 1 when a hand-in could not be graded.
    """
    _say("Starting nbgrader.")
    from mlsd_helpers.grading import workers  # noqa: PLC0415

    if given.workers != 1:
        workers.get_ready()
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading import classroom  # noqa: PLC0415
    from mlsd_helpers.grading.grade import Job, students  # noqa: PLC0415
    from mlsd_helpers.grading.room import choose_sandbox  # noqa: PLC0415

    course = workspace.find_course(given.course)
    sandbox = choose_sandbox(unsafe=given.unsafe)
    _say(classroom.about(sandbox))
    failed = False
    for assignment in given.assignment:
        job = Job(course, assignment, sandbox, given.db or "", dry_run=given.dry_run, again=given.again)
        summary = classroom.grade_class(
            job,
            given.student or students(job),
            workers=given.workers,
            dask=given.dask or "",
            say=_line_that_moves(),
        )
        for line in (*summary.lines(), *summary.differences()):
            _say(line)
        if given.dry_run:
            _say("Nothing was written.")
        failed = failed or bool(summary.errors)
    return 1 if failed else 0


def _line_that_moves() -> Callable[[str], None]:
    """Return what shows progress: one line on a terminal, and a line every few seconds elsewhere."""
    shown = 0.0

    def show(line: str) -> None:
        nonlocal shown
        if sys.stdout.isatty():
            print(f"\r\x1b[K{line}", end="", flush=True)
        elif time.monotonic() - shown > 5:
            shown = time.monotonic()
            _say(line)
        if sys.stdout.isatty() and "left" not in line:
            print()

    return show


def _grade_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", nargs="+", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument(
        "--student", action="append", metavar="ID", help="only this one; may be given again (default: all)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would change; write nothing")
    parser.add_argument("--again", action="store_true", help="grade and write again what has been graded")
    parser.add_argument(
        "--workers", type=int, default=0, metavar="N", help="processes here (default: a core each)"
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="use a Dask cluster that sees this folder, such as tcp://host:8786"
    )
    parser.add_argument("--db", metavar="URL", help="the gradebook, such as postgresql://host/name")
    parser.add_argument(
        "--unsafe", action="store_true", help="run students' code without a sandbox where there is none"
    )
    _takes_course(parser)


# mlsd collect, mlsd report, mlsd marks


def collect(given: argparse.Namespace) -> int:
    """Sort a folder or zip of LMS downloads into submitted/, and account for every file.

    The names that Canvas and Moodle give to downloads work as they come; nbgrader_config.py may say others. Of what
    a student uploaded more than once the newest is kept, and nothing newer is overwritten. Exit status 1 when a
    file has no student.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading import downloads  # noqa: PLC0415

    course = workspace.find_course(given.course)
    done = downloads.collect(course, given.assignment, given.folder, dry_run=given.dry_run)
    _print(str(done))
    return 1 if done.of(downloads.NO_STUDENT) else 0


def _collect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder or zip from the LMS")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; write nothing")
    _takes_course(parser)


def report(given: argparse.Namespace) -> int:
    """Write what a graded class answered: one HTML page, and tables as CSV beside it.

    For each exercise: how hard it was, how well it tells strong from weak, which known mistakes were made and by how
    many, and the wrong answers that no known mistake explains; then what was flagged, repaired, or could not be run.
    With --anonymous no name is left in it.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading.report import report as write  # noqa: PLC0415

    course = workspace.find_course(given.course)
    written = write(
        course, given.assignment, anonymous=given.anonymous, output=given.output, db_url=given.db or ""
    )
    for path in (written.page, *written.tables):
        _print(str(path))
    return 0


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument("--anonymous", action="store_true", help="pseudonyms for names, everywhere")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="the page (default: reports/ASSIGNMENT.html)"
    )
    _takes_gradebook(parser)


def marks(given: argparse.Namespace) -> int:
    """Print marks as CSV, for people or for the import of Canvas or Moodle.

    They are nbgrader's: manual grades and late penalties count. Who handed in nothing has no score.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading import marks as gradebook  # noqa: PLC0415

    found = gradebook.read(workspace.find_course(given.course), given.assignment, given.db or "")
    text = gradebook.as_csv(found, given.format)
    if given.output is None:
        _print(text.replace("\r\n", "\n").removesuffix("\n"))
    else:
        given.output.write_text(text, encoding="utf-8", newline="")
    if found.waiting:
        print(f"{len(found.waiting)} hand-ins wait for a manual grade.", file=sys.stderr)
    return 0


def _marks_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", nargs="+", metavar="ASSIGNMENT", help="such as 05_capacity")
    parser.add_argument(
        "--format", choices=("plain", "canvas", "moodle"), default="plain", help="for whom (default: plain)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write them, such as marks.csv")
    _takes_gradebook(parser)


def _takes_gradebook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--db", metavar="URL", help="the gradebook, such as postgresql://host/name")
    _takes_course(parser)


# mlsd feedback


def feedback(given: argparse.Namespace) -> int:
    """Zip the feedback pages under the names of the LMS downloads, for the LMS to give back.

    Canvas takes the zip under "Upload Submissions", Moodle under "Upload multiple feedback files in a zip". Exit
    status 1 when a student in the downloads has no feedback yet.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading.returning import as_downloaded  # noqa: PLC0415

    course = workspace.find_course(given.course)
    done = as_downloaded(course, given.assignment, given.folder, given.output)
    _print(f"{done.zip}: {len(done.pages)} pages")
    for student in done.missing:
        print(f"{student} has no feedback yet. Grade it: mlsd grade {given.assignment}", file=sys.stderr)
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
    _takes_course(parser)


# mlsd demo


def demo(given: argparse.Namespace) -> int:
    """Grade a synthetic class once, and show what comes out.

    Its hand-ins are right answers, known mistakes and broken notebooks, made from the exercises themselves.
    They are released, graded and given feedback in a folder of its own; your course is not touched.
    """
    from tempfile import mkdtemp  # noqa: PLC0415

    _say("Starting nbgrader.")
    from mlsd_helpers import workspace  # noqa: PLC0415
    from mlsd_helpers.grading import release as versions  # noqa: PLC0415
    from mlsd_helpers.grading import road  # noqa: PLC0415

    course = workspace.find_course(given.course)
    root = Path(mkdtemp(prefix="mlsd-demo-"))
    for assignment in versions.assignments(course, given.assignment):
        students, marks = road.walk(course, root, assignment, _line_that_moves())
        _say("\n" + road.table(marks, list(students[0].scores)))
    _say(f"\nFeedback, a page a student: {root / 'feedback'}")
    return 0


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "assignment", nargs="*", metavar="ASSIGNMENT", help="such as 05_capacity (default: all)"
    )
    _takes_course(parser)


# mlsd document


def document(given: argparse.Namespace) -> int:
    """Write the design document of a design, as Markdown.

    It goes to the terminal, or to the file that --output names. A document there that nobody changed is written
    again; any other file stays as it is, with exit status 2.
    """
    from mlsd_helpers.design import load_design  # noqa: PLC0415
    from mlsd_helpers.document import document, save  # noqa: PLC0415

    text = document(load_design(given.file))
    if given.output is None:
        _say(text, end="")
    else:
        _say(str(save(text, given.output)))
    return 0


def _document_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the design, such as design.yaml")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it, such as design.md")


# mlsd simulate


def simulate(given: argparse.Namespace) -> int:
    """Simulate a design's capacity, and say of each requirement whether it is met.

    Each figure stands with its interval, beside the rule's and the exact formula's. Incidents are switched on by
    name and last to the end. Exit status 1 when a requirement is missed.
    """
    import json  # noqa: PLC0415

    from mlsd_helpers.design import load_design  # noqa: PLC0415
    from mlsd_helpers.simulation import report  # noqa: PLC0415

    design = load_design(given.file)
    found = report(
        design,
        seed=given.seed,
        requests=given.requests,
        incidents=given.incident,
        folder=given.file.parent,
        progress=_bar(),
    )
    _say(json.dumps(found.as_dict(), indent=2) if given.format == "json" else found.text())
    return 0 if found.met else 1


def _bar() -> Callable[[int, int], None]:
    """Return what shows progress on a terminal once a run takes longer than a second."""
    started = time.monotonic()

    def show(done: int, of: int) -> None:
        if sys.stderr.isatty() and (time.monotonic() - started > 1 or done == of):
            filled = 20 * done // of
            end = "\r" if done < of else "\r" + " " * 40 + "\r"
            print(
                f"[{'#' * filled}{'.' * (20 - filled)}] {done} of {of}", end=end, file=sys.stderr, flush=True
            )

    return show


def _simulate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the design, such as design.yaml")
    parser.add_argument(
        "--incident",
        action="append",
        default=[],
        metavar="NAME",
        help="such as 'zone loss'; may be given again",
    )
    parser.add_argument("--requests", type=int, metavar="N", help="how many to simulate (default: enough)")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="the same seed gives the same result"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to write it (default: text)"
    )


# mlsd check


def check(given: argparse.Namespace) -> int:
    """Review a design, and say what is wrong, why it matters and what to do.

    Each finding stands with its line in the file. Exit status 1 when one is an error, 2 when the file cannot be
    read. `mlsd rules` explains the rules.
    """
    from mlsd_helpers.design import load_with_lines  # noqa: PLC0415
    from mlsd_helpers.review import report, review  # noqa: PLC0415

    try:
        design, lines = load_with_lines(given.file)
    except MlsdError as error:
        if given.format == "github":
            _print(report.unreadable_as_annotations(given.file, error))
        raise
    findings = review(design)
    if given.format == "text":
        _print(report.as_text(given.file, findings, lines, colour=_wants_colour()))
    else:
        write = report.as_json if given.format == "json" else report.as_annotations
        _print(write(given.file, findings, lines))
    return 1 if any(finding.severity == "error" for finding in findings) else 0


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the design, such as design.yaml")
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="text for people (default), json for programs, github for annotations of a pull request",
    )


def _wants_colour() -> bool:
    asked = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return asked and sys.stdout.isatty()


def _print(text: str) -> None:
    """Print to whoever reads: a terminal may lack a letter, and a pipe may have been closed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        print(text, end="\n" if text else "", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end


# mlsd rules


def rules(given: argparse.Namespace) -> int:
    """List the rules of `mlsd check`, or explain some.

    With a code, such as PLANE005, the rule is explained: its reason, the failure that it prevents, and where
    that failure is published. With the beginning of codes, such as PLANE, all rules of a lesson are.
    """
    from mlsd_helpers.review import RULES, report  # noqa: PLC0415

    _print(report.rule_list(RULES) if given.code is None else report.explained(given.code))
    return 0


def _rules_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "code", nargs="?", metavar="CODE", help="such as PLANE005, or PLANE for all of a lesson"
    )


COMMANDS = (
    Command(lab, _lab_arguments),
    Command(doctor, lambda _: None),
    Command(check, _check_arguments),
    Command(rules, _rules_arguments),
    Command(release, _release_arguments),
    Command(grade, _grade_arguments),
    Command(collect, _collect_arguments),
    Command(feedback, _feedback_arguments),
    Command(report, _report_arguments),
    Command(marks, _marks_arguments),
    Command(demo, _demo_arguments),
    Command(document, _document_arguments),
    Command(simulate, _simulate_arguments),
)

if __name__ == "__main__":
    sys.exit(main())
