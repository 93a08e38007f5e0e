"""The command line, `mlsd COMMAND`: each command is a function in the module of its users.

Exit status: 0 on success, 1 when a check found something, 2 on input that can't be used. A command imports what it
needs when it runs, so that `mlsd --help` starts at once.
"""

import argparse
import traceback
from collections.abc import Sequence
from inspect import cleandoc
from itertools import chain

import mlsd_helpers
from mlsd_helpers.cli import engineer, instructor, learner
from mlsd_helpers.cli.common import Parser, complain, missing_package
from mlsd_helpers.errors import MlsdError

GROUPS = {
    "for engineers, on a design": engineer.COMMANDS,
    "for learners": learner.COMMANDS,
    "for instructors": instructor.COMMANDS,
}
COMMANDS = tuple(chain.from_iterable(GROUPS.values()))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; an error is one plain message."""
    parser = _parser()
    given = parser.parse_args(argv)
    if given.run is None:
        parser.print_help()
        return 0
    try:
        if "course" in given:
            from mlsd_helpers.workspace import find_course  # noqa: PLC0415

            given.course = find_course(given.course)
        return int(given.run(given))
    except (MlsdError, OSError) as error:
        complain(f"mlsd {given.run.__name__}: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        missing = missing_package(error)
        complain(f"mlsd {given.run.__name__} {missing}" if missing else traceback.format_exc())
        return 2
    except Exception:  # noqa: BLE001 - our own fault; its traceback may contain what a student wrote
        complain(traceback.format_exc())
        return 2


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    about = "Designing ML Systems: the course, and the tools that check a design."
    more = "`mlsd COMMAND --help` says more of each.\n\n" + "\n\n".join(map(_group, GROUPS))
    usage = "mlsd [-h] [-V] COMMAND ..."
    parser = Parser("mlsd", usage=usage, description=about, epilog=more, formatter_class=raw)
    version = f"mlsd {mlsd_helpers.__version__}"
    parser.add_argument("-V", "--version", action="version", version=version)
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(prog="mlsd", dest="command", help=argparse.SUPPRESS)
    for command in COMMANDS:
        about = cleandoc(command.run.__doc__ or "")
        one = commands.add_parser(command.run.__name__, description=about, formatter_class=raw)
        for name, options in command.arguments:
            one.add_argument(name, **options)
        one.set_defaults(run=command.run)
    return parser


def _group(title: str) -> str:
    """List the commands of a group, each with the first line of its help."""
    lines = (
        f"  {one.run.__name__:<10} {cleandoc(one.run.__doc__ or '').partition(chr(10))[0]}"
        for one in GROUPS[title]
    )
    return "\n".join([f"{title}:", *lines])
