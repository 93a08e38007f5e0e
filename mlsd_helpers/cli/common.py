"""What the commands share: how a command is described, an argument that many take, and printing."""

import argparse
import io
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NoReturn, TextIO

from mlsd_helpers.printable import one_line, printable

_COLOUR = re.compile(r"(\x1b\[(?:0|\d\d;1)m)")  # those of `mlsd check`


@dataclass(frozen=True)
class Command:
    """A command: the function that runs it, whose docstring is its help, and one that adds its arguments."""

    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None]


def takes_course(parser: argparse.ArgumentParser) -> None:
    """Take the root of the course."""
    parser.add_argument(
        "--course", type=Path, metavar="DIR", help="root of the course (default: the clone around you)"
    )


def say(line: str = "", end: str = "\n", *, start: str = "", to: TextIO | None = None) -> None:
    """Print at once, to standard output or where `to` says; everything that a command prints comes by here.

    What a terminal acts on is taken out of `line`, but for our colours and line ends; `start` and `end` are ours.
    A terminal may lack a letter, and a pipe may have been closed.
    """
    stream = to or sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    try:
        print(f"{start}{_safe(line)}", end=end, flush=True, file=stream)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # Python flushes once more at its end


def complain(line: str) -> None:
    """Print an error or a warning."""
    say(line, to=sys.stderr)


def _safe(text: str) -> str:
    parts = _COLOUR.split(text)  # every second one is a colour
    return "".join(part if place % 2 else printable(part, keep="\n") for place, part in enumerate(parts))


def missing_package(error: ModuleNotFoundError) -> str | None:
    """Return what to install for a package that is missing; None where a module of ours is."""
    package = (error.name or "").partition(".")[0]
    if not package or package == "mlsd_helpers":
        return None
    listed = (
        re.match(r"([\w.-]+).*extra == .(\w+)", each) for each in metadata.requires("mlsd-helpers") or ()
    )
    extras = {found[1].lower().replace("-", "_"): found[2] for found in listed if found}
    extra = extras.get(package.lower(), "course")
    return f"needs {package}, which is not installed; run: {sys.executable} -m pip install 'mlsd-helpers[{extra}]'"


def line_that_moves() -> Callable[[str], None]:
    """Return what shows progress: one line on a terminal, and a line every few seconds elsewhere."""
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
    """A parser whose errors, which repeat what was typed or matched by a pattern, are printed like all else."""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End with a message."""
        if message:
            complain(one_line(message.strip()))
        sys.exit(status)
