"""What the commands share: their description, the arguments that several take, and printing."""

import argparse
import io
import os
import re
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn, TextIO

from mlsd_helpers.printable import one_line, printable

_COLOUR = re.compile(r"(\x1b\[(?:0|\d\d;1)m)")  # those of `mlsd check`
Argument = tuple[str, dict[str, Any]]


def argument(name: str, words: str, **options: Any) -> Argument:
    """Describe an argument of a command: its name, its help, and more options of `ArgumentParser.add_argument`."""
    return name, {"help": words, **options}


def output(words: str) -> Argument:
    """Describe the option that names the file to write."""
    return argument("--output", words, type=Path, metavar="FILE")


COURSE = argument("--course", "root of the course (default: the clone around you)", type=Path, metavar="DIR")
"""`main` replaces its value by the root of the course that it finds."""


class Command:
    """A command: the function that runs it, whose docstring is its help, and its arguments."""

    def __init__(self, run: Callable[[argparse.Namespace], int], *arguments: Argument) -> None:
        self.run = run
        self.arguments = arguments


def say(line: str = "", end: str = "\n", *, start: str = "", to: TextIO | None = None) -> None:
    """Print and flush, to standard output or to `to`. All output of the commands goes through this function.

    Characters that control a terminal are replaced in `line`, except our colours and line ends; `start` and `end`
    are printed as they are. A character that the stream's encoding lacks is replaced. A closed pipe is no error.
    """
    stream = to or sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    parts = _COLOUR.split(line)  # every second one is a colour
    safe = "".join(part if place % 2 else printable(part, keep="\n") for place, part in enumerate(parts))
    try:
        print(f"{start}{safe}", end=end, flush=True, file=stream)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # Python flushes once more at its end


def complain(line: str) -> None:
    """Print an error or a warning."""
    say(line, to=sys.stderr)


def missing_package(error: ModuleNotFoundError) -> str | None:
    """Return which command installs a missing package; None where the missing module is our own."""
    package = (error.name or "").partition(".")[0]
    if not package or package == "mlsd_helpers":
        return None
    listed = (
        re.match(r"([\w.-]+).*extra == .(\w+)", each) for each in metadata.requires("mlsd-helpers") or ()
    )
    extras = {found[1].lower().replace("-", "_"): found[2] for found in listed if found}
    extra = extras.get(package.lower(), "course")
    return f"needs {package}, which is not installed; run: {sys.executable} -m pip install 'mlsd-helpers[{extra}]'"


def progress_line() -> Callable[[str], None]:
    """Return a function that prints progress: it rewrites one line of a terminal, and prints every 5 s elsewhere."""
    shown = 0.0

    def show(line: str) -> None:
        nonlocal shown
        if sys.stdout.isatty():
            say(line, start="\r\x1b[K", end="" if "left" in line else "\n")
        elif time.monotonic() - shown > 5:
            shown = time.monotonic()
            say(line)

    return show


class Parser(argparse.ArgumentParser):
    """A parser that prints its errors with `complain`: they repeat what was typed, or what a shell pattern matched."""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End with a message."""
        if message:
            complain(one_line(message.strip()))
        sys.exit(status)
