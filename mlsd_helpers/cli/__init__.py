"""The command line, `mlsd COMMAND`: each command is a function in the file of those whom it serves.

Exit status: 0 when all is well, 1 when a check found something, 2 on input that can't be used. What a command
needs is imported inside it, so that `mlsd --help` starts at once.
"""

import argparse
import traceback
from collections.abc import Sequence
from inspect import cleandoc

import mlsd_helpers
from mlsd_helpers.cli import engineer, instructor, learner
from mlsd_helpers.cli.common import Parser, complain, missing_package
from mlsd_helpers.errors import MlsdError

COMMANDS = (*learner.COMMANDS, *engineer.COMMANDS, *instructor.COMMANDS)


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
        complain(f"mlsd {given.run.__name__}: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        missing = missing_package(error)
        complain(f"mlsd {given.run.__name__} {missing}" if missing else traceback.format_exc())
        return 2
    except Exception:  # noqa: BLE001 - a fault of ours; its traceback may hold what a student wrote
        complain(traceback.format_exc())
        return 2


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser("mlsd", description="Designing ML Systems: the course and its tools.")
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
