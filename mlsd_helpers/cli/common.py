"""What the commands share: how a command is described, an argument that many take, and printing."""

import argparse
import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


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


def say(line: str, end: str = "\n") -> None:
    """Print a line at once."""
    print(line, end=end, flush=True)


def print_text(text: str) -> None:
    """Print to whoever reads: a terminal may lack a letter, and a pipe may have been closed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        print(text, end="\n" if text else "", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
