"""What every process of the testbed does: read its orders, say how it goes, and end when the testbed does.

Orders come as one line of JSON on standard input, which then stays open. When it closes, the testbed has closed or
its process is gone, killed ones too, and so this one goes. (Linux could send a signal instead, but when the
*thread* ends that started the process: notebooks start threads and end them.)
"""

import json
import os
import sys
import threading
from typing import Any


def orders() -> dict[str, Any]:
    """Read the next orders; without a testbed there are none."""
    line = sys.stdin.readline()
    if not line:
        sys.exit("This is a process of the testbed; `testbed.start` starts it.")
    found: dict[str, Any] = json.loads(line)
    return found


def end_with_the_testbed() -> None:
    """End this process, from now on, when the testbed has closed or is gone; no orders can come after this."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    # Not sys.stdin, whose lock would hold up the interpreter when the process ends by itself.
    while os.read(0, 1024):
        pass
    os._exit(0)


def say(**facts: Any) -> None:
    """Tell the testbed something, as one line of JSON."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
