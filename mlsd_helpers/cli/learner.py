"""The commands for learners: `mlsd lab`, `mlsd again` and `mlsd doctor`."""

import argparse
import os
import random
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from mlsd_helpers.cli.common import COURSE, Command, argument, say
from mlsd_helpers.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlsd_helpers.exercises.revision import Option

_QUESTIONS = 5  # at a time

# mlsd lab


def lab(given: argparse.Namespace) -> int:
    """Open the course in JupyterLab, in a workspace of your own.

    The workspace holds the lessons, the exercises under assignments/ and your design.yaml. Run this as often
    as you like: your work is never overwritten, and what changed in the course is copied beside it. Ctrl-C stops
    it. With MLSD_BROWSER=0, or where there is no display, it prints the address and opens no browser.
    """
    from mlsd_helpers import workspace  # noqa: PLC0415

    course = given.course
    if given.instructor:
        if not (course / "nbgrader_config.py").is_file():
            raise WorkspaceError(
                f"{course} has no nbgrader_config.py to grade with. Run this in a clone of the course."
            )
        return _open(course, "formgrader", given)
    folder = given.dir or workspace.default_folder(course, Path.cwd())
    say(f"{folder}: {workspace.describe(workspace.make(course, folder))}.")
    return _open(folder, f"lab/tree/{workspace.first_lesson(course)}", given)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a port. Give a whole number up to 65535, such as 8888."
        )
    return int(text)


def _open(folder: Path, page: str, given: argparse.Namespace) -> int:
    from mlsd_helpers import workspace  # noqa: PLC0415

    port = workspace.free_port(given.port)
    if given.port not in {0, port}:
        say(f"Port {given.port} is taken, so this is {port}.")
    say("Starting JupyterLab; Ctrl-C stops it.")
    try:
        with workspace.jupyterlab(folder, port, learner=not given.instructor) as server:
            say(server.address(page))
            if _has_browser(given):
                webbrowser.open(server.address(page))
            server.wait()
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def _has_browser(given: argparse.Namespace) -> bool:
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    display = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, displays))
    return display and not given.no_browser and os.environ.get("MLSD_BROWSER") != "0"


# mlsd again


def again(given: argparse.Namespace) -> int:
    """Ask five questions from your own past mistakes, with new figures.

    `mlsd.check` notes each mistake that has a name. It comes back after one, three, seven and twenty-one days;
    a wrong answer starts that anew. Run this in your workspace. Enter alone stops; what was answered counts.
    """
    from mlsd_helpers import exercises  # noqa: PLC0415
    from mlsd_helpers.exercises.past import Record, today  # noqa: PLC0415
    from mlsd_helpers.exercises.revision import revise  # noqa: PLC0415

    rng = random.Random()  # noqa: S311 - questions are no secret
    record = Record(given.dir)
    past = sorted(record.all(), key=lambda one: one.due)
    known = {one.id: one for one in exercises.ALL}
    due = [one for one in past if given.all or one.due <= today()]
    made = [(one, revise(known[one.exercise], one.mistake, rng)) for one in due if one.exercise in known]
    asked = [(one, question) for one, question in made if question]
    if not past:
        say("`mlsd.check` has found no mistake of yours yet.")
    elif not due:
        say(f"Nothing is due before {past[0].due}.")
    elif not asked:
        names = ", ".join(sorted({one.exercise for one in due}))
        say(f"What is due takes more than a line to ask. Solve it again in its assignment: {names}.")
    for one, question in asked[:_QUESTIONS]:
        say(f"{question}\n")
        if (option := _chosen(question.options)) is None:
            break
        right = option.mistake is None
        record.put(one, one.answered(today(), right=right))
        answer = next(other.value for other in question.options if other.mistake is None)
        say("Right.\n" if right else f"Not so: {answer}. {option.feedback}\n")
    return 0


def _chosen(options: "Sequence[Option]") -> "Option | None":
    """Ask for the number of an option until there is one; None where the learner stops."""
    while True:
        say("Your answer, a number: ", end="")
        words = sys.stdin.readline().strip()
        if not words:
            return None
        if words.isdecimal() and 0 < int(words) <= len(options):
            return options[int(words) - 1]
        say(f"{words!r} is no option. Give a number from 1 to {len(options)}, or Enter alone to stop.")


# mlsd doctor


def doctor(_: argparse.Namespace) -> int:
    """Say whether this machine can run the course.

    Each line is ok, missing or optional. A line that isn't ok is followed by the command that mends it. Exit
    status 1 when something is missing.
    """
    from mlsd_helpers.doctor import report  # noqa: PLC0415

    found = report()
    say(str(found))
    return 0 if found.ready else 1


COMMANDS = (
    Command(
        lab,
        argument("dir", "the workspace (default: workspace/)", nargs="?", type=Path, metavar="DIR"),
        argument("--port", "its port (default: 8888, or the next that is free)", type=_port, default=8888),
        argument("--no-browser", "print the address only", action="store_true"),
        argument("--instructor", "open the course itself, in nbgrader's formgrader", action="store_true"),
        COURSE,
    ),
    Command(
        again,
        argument("dir", "the workspace (default: here)", nargs="?", type=Path, default=Path(), metavar="DIR"),
        argument("--all", "ask also what is not due yet", action="store_true"),
    ),
    Command(doctor),
)
