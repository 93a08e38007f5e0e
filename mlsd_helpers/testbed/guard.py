"""The testbed's guard: runs its Redis, and removes its folder when the testbed is gone, however it went.

`python -m mlsd_helpers.testbed.guard` is started by the testbed.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PATIENCE_S = 5.0


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
    orders: dict[str, Any] = json.loads(sys.stdin.readline())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    folder = Path(orders["folder"])
    redis = None
    try:
        if orders["redis"]:
            with (folder / "redis.log").open("wb") as log:
                redis = subprocess.Popen(  # noqa: S603 - the testbed found it
                    redis_command(orders["redis"], folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
        print(json.dumps({"ready": True, "redis": redis.pid if redis else None}), flush=True)  # noqa: T201
        sys.stdin.read()
    finally:
        if redis:
            redis.kill()
            redis.wait()
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder; processes that are just ending may still write to it for a moment."""
    ends_s = time.monotonic() + _PATIENCE_S
    while folder.exists() and time.monotonic() < ends_s:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
