"""The testbed's guard: runs Redis, and removes the testbed's folder when the testbed has ended in any way.

The testbed starts it as `python -m mlsd_helpers.testbed.guard`.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_REMOVE_WITHIN_S = 5.0


def redis_command(executable: str, folder: Path) -> list[str]:
    """Return how to start a Redis that only this user can reach: on a socket in the folder, on no port."""
    options = {
        "port": "0",
        "unixsocket": str(folder / "redis.sock"),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "loglevel": "warning",
    }
    return [executable, *(word for name, value in options.items() for word in (f"--{name}", value))]


def main() -> None:
    """Guard until standard input closes."""
    settings: dict[str, Any] = json.loads(sys.stdin.readline())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    folder = Path(settings["folder"])
    redis = None
    try:
        if settings["redis"]:
            with (folder / "redis.log").open("wb") as log:
                redis = subprocess.Popen(  # noqa: S603 - the testbed found it
                    redis_command(settings["redis"], folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
        print(json.dumps({"ready": True, "redis": redis.pid if redis else None}), flush=True)  # noqa: T201
        sys.stdin.read()
    finally:
        if redis:
            redis.kill()
            redis.wait()
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder; processes that are ending may still write to it for a moment."""
    ends_s = time.monotonic() + _REMOVE_WITHIN_S
    while folder.exists() and time.monotonic() < ends_s:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
