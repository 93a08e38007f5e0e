"""Starts JupyterLab for a folder, on the loopback interface, and stops it."""

import http.client
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.workspace.copying import plainly, write
from mlsd_helpers.workspace.course import STATE

PORT = 8888
_TRIED = 50  # ports after the wanted one
_SETTINGS = {
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "notebook-extension/tracker": {"codeCellConfig": {"lineNumbers": False, "lineWrap": True}},
}


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its process, its port on the loopback interface, its access token and its log."""

    process: subprocess.Popen[bytes]
    port: int
    token: str
    log: Path

    def address(self, page: str) -> str:
        """Return the address of a page, such as ``lab/tree/00_start_here.ipynb``."""
        return f"http://127.0.0.1:{self.port}/{page}?token={self.token}"

    def wait(self) -> None:
        """Wait until JupyterLab ends. Raises WorkspaceError when it ends with an error."""
        if self.process.wait():
            raise self._failure("JupyterLab stopped")

    def await_answer(self, patience_s: float) -> None:
        """Wait until JupyterLab answers. Raises WorkspaceError when it ends, or takes over `patience_s` seconds."""
        end = time.monotonic() + patience_s
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise self._failure("JupyterLab did not start")
            time.sleep(0.1)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/api/status", headers={"Authorization": f"token {self.token}"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _failure(self, what: str) -> WorkspaceError:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return WorkspaceError(f"{what}. `mlsd doctor` may say why. The end of {self.log}:\n{tail}")


@contextmanager
def jupyterlab(folder: Path, port: int, *, learner: bool = True, patience_s: float = 120) -> Iterator[Server]:
    """Run JupyterLab in a folder while the context lasts; SIGTERM and SIGHUP end it as Ctrl-C does.

    A learner's JupyterLab has nbgrader's Validate and leaves out the instructor's panels. Raises
    WorkspaceError when it isn't installed, or doesn't answer within `patience_s` seconds.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        mend = f"{sys.executable} -m pip install 'mlsd-helpers[course]'"
        raise WorkspaceError(f"JupyterLab is not installed beside {sys.executable}. Run: {mend}")
    token, log = secrets.token_hex(24), folder / STATE / "jupyter.log"
    with plainly(folder):
        _configure(folder / STATE, learner=learner)
        output = log.open("wb")
    with output, _stoppable(), _running(_command(folder, port), folder, token, output) as process:
        server = Server(process, port, token, log)
        server.await_answer(patience_s)
        yield server


def free_port(wanted: int = PORT) -> int:
    """Return the wanted port of the loopback interface, or the next free one; for 0 any free port.

    Raises WorkspaceError when those after it are taken too.
    """
    for port in range(wanted, min(wanted + _TRIED, 65_536)):
        with socket.socket() as candidate, suppress(OSError):
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            candidate.bind(("127.0.0.1", port))
            return int(candidate.getsockname()[1])
    raise WorkspaceError(
        f"Port {wanted} and those after it cannot be used. Give another: mlsd lab --port 8888."
    )


def _command(folder: Path, port: int) -> list[str]:
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        sys.executable,
        "-P",  # a learner's json.py must not stand in for the library's
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder.resolve()}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *root,
    ]


def _environment(folder: Path, token: str) -> dict[str, str]:
    here = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join([here, os.environ.get("PATH", "")]),  # nbgrader starts alembic by name
        "JUPYTER_CONFIG_DIR": str(folder.resolve() / STATE / "jupyter"),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment, whatever else is installed
        "JUPYTER_TOKEN": token,  # a command line can be read by everyone on the machine
    }


def _configure(state: Path, *, learner: bool) -> None:
    """Write JupyterLab's settings; settings that the learner has changed stay."""
    write(state / ".gitignore", b"*\n")
    settings = state / "jupyter"
    for name, values in _SETTINGS.items():
        place = settings / f"lab/user-settings/@jupyterlab/{name}.jupyterlab-settings"
        if not place.exists():
            _write_json(place, values)
    server: dict[str, Any] = {"terminado_settings": _terminal()}
    if learner:
        panels = ("assignment-list", "course-list", "create-assignment", "formgrader", "menu")
        hidden = {f"@jupyter/nbgrader:{panel}": True for panel in panels}
        _write_json(settings / "labconfig/page_config.json", {"disabledExtensions": hidden})
        services = ("assignment_list", "course_list", "formgrader")
        server["jpserver_extensions"] = {
            f"nbgrader.server_extensions.{service}": False for service in services
        }
    else:
        server["jpserver_extensions"] = {"mlsd_helpers.grading.formgrader": True}
    _write_json(settings / "jupyter_server_config.json", {"ServerApp": server})


def _terminal() -> dict[str, Any]:
    """Return a terminal's settings: the user's shell, but no login shell.

    A login shell reads /etc/profile, which on Debian and macOS sets PATH anew, and then does not find `mlsd`.
    """
    if os.name == "nt":
        return {}
    return {"shell_command": [os.environ.get("SHELL") or shutil.which("bash") or "sh"]}


def _write_json(path: Path, value: Any) -> None:
    write(path, json.dumps(value, indent=1).encode())


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt, so that no server keeps running."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _running(command: list[str], folder: Path, token: str, output: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=folder,
        env=_environment(folder, token),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # Ctrl-C reaches only this process, which then stops the server
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End JupyterLab and its kernels; kill them when that takes too long or Ctrl-C is pressed again."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()
