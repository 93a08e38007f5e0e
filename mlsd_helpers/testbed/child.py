"""The common parts of the testbed's processes: read settings, report, and exit when the testbed exits.

Settings come as one line of JSON on standard input, which then stays open. It closes when the testbed closes or its
process ends, also when that is killed; then this process exits. (Linux could send a signal instead, but it does so
when the *thread* ends that started the process, and notebooks start and end threads.)
"""

import json
import os
import sys
import threading
from typing import Any


def settings() -> dict[str, Any]:
    """Read the next settings. Exit with a message where no testbed sends any."""
    line = sys.stdin.readline()
    if not line:
        sys.exit("This is a process of the testbed; `testbed.start` starts it.")
    found: dict[str, Any] = json.loads(line)
    return found


def exit_with_the_testbed() -> None:
    """Exit as soon as the testbed closes or ends; no settings can be read after this call."""

    def exit_at_end_of_input() -> None:
        while os.read(0, 1024):  # not sys.stdin, whose lock would delay the end of the process
            pass
        os._exit(0)

    threading.Thread(target=exit_at_end_of_input, daemon=True).start()


def report(**facts: Any) -> None:
    """Send the testbed a report, as one line of JSON."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
