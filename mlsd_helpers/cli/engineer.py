"""The commands for engineers, on a design: `mlsd check`, `rules`, `schema`, `document` and `simulate`."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mlsd_helpers.cli.common import Command, argument, complain, output, say
from mlsd_helpers.errors import MlsdError, RangeError

# mlsd check


def check(given: argparse.Namespace) -> int:
    """Review a design: print what is wrong, why it matters and what to do.

    Each finding names its line in the file. Accepted findings are listed last, and do not count. Exit status 1
    when a finding is an error, 2 when the file cannot be read. `mlsd rules` explains the rules.
    """
    from mlsd_helpers.design import load_with_lines  # noqa: PLC0415
    from mlsd_helpers.review import report, reviewed  # noqa: PLC0415

    try:
        design, lines = load_with_lines(given.file)
    except MlsdError as error:
        if given.format == "github":
            say(report.unreadable_as_annotations(given.file, error))
        raise
    findings, accepted = reviewed(design)
    if given.format == "text":
        colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()
        say(report.as_text(given.file, findings, lines, accepted, colour=colour))
    elif given.format == "json":
        say(report.as_json(given.file, findings, lines, accepted))
    elif text := report.as_annotations(given.file, findings, lines):
        say(text)
    return 1 if any(finding.severity == "error" for finding in findings) else 0


# mlsd rules


def rules(given: argparse.Namespace) -> int:
    """List the rules of `mlsd check`, or explain some.

    With codes, such as PLANE005, it explains these rules: its title, its reason, the failure that it prevents,
    where that failure is published, and when a finding is wrong or can be accepted. With the beginning of a
    code, such as PLANE, it explains all rules on that part of a design.
    """
    from mlsd_helpers.review import RULES, report  # noqa: PLC0415

    say(
        "\n\n".join(map(report.explained, dict.fromkeys(given.codes)))
        if given.codes
        else report.rule_list(RULES)
    )
    return 0


# mlsd schema


def schema(given: argparse.Namespace) -> int:
    """Print the JSON Schema of a design, with which editors complete, explain and check a design.yaml.

    VS Code with the YAML extension uses the file that the first line of a design names:
    # yaml-language-server: $schema=design.schema.json
    """
    from mlsd_helpers.design import schema_text  # noqa: PLC0415

    if given.output is None:
        say(schema_text(), end="")
    else:
        given.output.write_text(schema_text(), encoding="utf-8")
        say(str(given.output))
    return 0


# mlsd document


def document(given: argparse.Namespace) -> int:
    """Write the design document of a design, as Markdown.

    It is printed, or written to the file that --output names. A generated document there that nobody changed is
    replaced; any other file is left unchanged, with exit status 2. The text of `about.context_file` is read
    from the folder of the design.
    """
    from mlsd_helpers.design import load_design  # noqa: PLC0415
    from mlsd_helpers.document import document, save  # noqa: PLC0415

    text = document(load_design(given.file), folder=given.file.parent)
    if given.output is None:
        say(text, end="")
    else:
        say(str(save(text, given.output)))
    return 0


# mlsd simulate


def simulate(given: argparse.Namespace) -> int:
    """Simulate a design's capacity, and say whether each requirement is met.

    Every fleet is simulated; --fleet chooses one. Each workload has verdicts of its own. Each figure is printed with
    its interval, beside the rule of thumb and the exact formula. Incidents are given by name and last to the end.
    Exit status 1 when a requirement is missed, also by an overload. A requirement that cannot be judged is printed
    with the reason, and leaves the status at 0.
    """
    import json  # noqa: PLC0415

    from mlsd_helpers.design import load_design  # noqa: PLC0415
    from mlsd_helpers.simulation import COMPILED, expected_time_s, reports  # noqa: PLC0415
    from mlsd_helpers.units import show_seconds  # noqa: PLC0415

    design = load_design(given.file)
    how = {"requests": given.requests, "incidents": given.incident, "folder": given.file.parent}
    if not COMPILED and sys.stderr.isatty():
        with suppress(RangeError):  # an overload, which takes no time, or what `report` refuses
            takes_s = round(expected_time_s(design, **how))
            complain(f"Without numba this takes about {show_seconds(takes_s)}; --requests N changes it.")
    found = reports(design, seed=given.seed, fleet=given.fleet, progress=_bar(), **how)
    if given.format == "json":
        shown = [one.as_dict() for one in found]
        say(json.dumps(shown[0] if len(shown) == 1 else shown, indent=2))
    else:
        say("\n\n".join(one.text() for one in found))
    return 1 if any(one.met is False for one in found) else 0


def _bar() -> Callable[[int, int], None]:
    """Return a function that shows progress on a terminal once a run has taken a second."""
    started = time.monotonic()

    def show(done: int, of: int) -> None:
        taken_s = time.monotonic() - started
        if sys.stderr.isatty() and (taken_s > 1 or done == of):
            filled = 20 * done // of
            end = "\r" if done < of else "\r" + " " * 60 + "\r"
            left = f", about {taken_s * (of - done) / done:.0f} s left  "
            say(f"[{'#' * filled}{'.' * (20 - filled)}] {done} of {of}{left}", end=end, to=sys.stderr)

    return show


DESIGN = argument("file", "the design, such as design.yaml", type=Path, metavar="FILE")

COMMANDS = (
    Command(
        check,
        argument("file", "the design, such as design.yaml", metavar="FILE"),
        argument(
            "--format",
            "text for people (default), json for programs, github for annotations of a pull request",
            choices=("text", "json", "github"),
            default="text",
        ),
    ),
    Command(
        rules,
        argument("codes", "such as PLANE005, or PLANE for all on the planes", nargs="*", metavar="CODE"),
    ),
    Command(schema, output("where to write it, such as design.schema.json")),
    Command(document, DESIGN, output("where to write it, such as design.md")),
    Command(
        simulate,
        DESIGN,
        argument(
            "--incident",
            "such as 'zone loss'; may be given again",
            action="append",
            default=[],
            metavar="NAME",
        ),
        argument("--fleet", "one of several fleets, by its id or place", metavar="FLEET"),
        argument(
            "--requests",
            "how many to simulate (default: 500,000; more for a large fleet, up to 10 million)",
            type=int,
            metavar="N",
        ),
        argument("--seed", "the same seed gives the same result", type=int, default=1, metavar="N"),
        argument("--format", "how to write it (default: text)", choices=("text", "json"), default="text"),
    ),
)
