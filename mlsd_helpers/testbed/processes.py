"""The processes of the testbed, seen from the process that starts them."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlsd_helpers.errors import MeasurementError

READY_S = 60.0  # a cold import of scikit-learn on a shared machine takes its time
_CLOSE_WITHIN_S = 5.0


class Child:
    """A Python process of the testbed. It ends when this process ends, or when it is closed."""

    def __init__(self, name: str, settings: dict[str, Any], folder: Path) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", f"mlsd_helpers.testbed.{name}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # an interrupt of the kernel is not for it
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        self._reports: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_reports, daemon=True)
        self._reader.start()
        self.send(settings)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def send(self, settings: dict[str, Any]) -> None:
        """Send it settings."""
        assert self._process.stdin
        with suppress(OSError):  # it has ended, and `receive` says why
            self._process.stdin.write(json.dumps(settings) + "\n")
            self._process.stdin.flush()

    def receive(self, within_s: float) -> dict[str, Any]:
        """Return its next report; raises ``MeasurementError`` with its last error when there is none."""
        try:
            fact = self._reports.get(timeout=within_s)
        except queue.Empty:
            raise MeasurementError(
                f"The testbed's {self.name} said nothing for {within_s:g} s. {self._last_error()}"
            ) from None
        if fact is None:
            raise MeasurementError(
                f"The testbed's {self.name} ended before it was done. {self._last_error()}"
            )
        return fact

    def kill(self) -> None:
        """Kill it, as an accident would."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Stop it and wait for it; kill it when it does not stop."""
        assert self._process.stdin
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_CLOSE_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._reader.join(_CLOSE_WITHIN_S)

    def _read_reports(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self._reports.put(json.loads(line))
        self._reports.put(None)

    def _last_error(self) -> str:
        time.sleep(0.05)
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.exists() else []
        return f"Its last line: {lines[-1]}" if lines else "It left no message."
