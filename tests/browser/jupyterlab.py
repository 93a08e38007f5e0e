"""A real JupyterLab in Chromium: start it, open a notebook, run it, and see what a learner sees.

The server listens on loopback, keeps its settings in a temporary folder and ends with its context. It has no
token: for tests only.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None,
    reason="NO BROWSER: install chromium (on Debian: apt-get install chromium) to run this test",
)
_SERVER = (
    "--no-browser",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    "--IdentityProvider.token=",
    "--ServerApp.password=",
    "--ServerApp.disable_check_xsrf=True",
    "--ServerApp.allow_root=True",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)
_CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
)
_FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "IPYTHONDIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)
_QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
_CURRENT = "window.jupyterapp?.shell?.currentWidget"
_CELL_ERRORS = f"""() => [...{_CURRENT}.content.model.cells].flatMap((cell) =>
    (cell.type === 'code' ? cell.toJSON().outputs : [])
        .filter((output) => output.output_type === 'error')
        .map((output) => `${{output.ename}}: ${{output.evalue}}`))"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address without a slash at the end, and the folder that it serves."""

    url: str
    root: Path


@dataclass
class Notebook:
    """A notebook open in a page, with what the page complained about since it was opened."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def run_all(self, within_s: float = 120) -> None:
        """Run every cell and wait until the kernel is idle."""
        self.page.set_default_timeout(within_s * 1000)
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.wait_idle(within_s)

    def wait_idle(self, within_s: float = 60) -> None:
        """Wait until the kernel has nothing to do."""
        idle = f"() => {_CURRENT}?.sessionContext?.session?.kernel?.status === 'idle'"
        self.page.wait_for_function(idle, timeout=within_s * 1000)

    def errors(self) -> list[str]:
        """Return the errors that cells ended with, in their order."""
        found: list[str] = self.page.evaluate(_CELL_ERRORS)
        return found

    def use_theme(self, theme: str) -> None:
        """Change the theme: "JupyterLab Light" or "JupyterLab Dark"."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        light = str("Dark" not in theme).lower()
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def screenshot(self, name: str, selector: str | None = None) -> Path:
        """Keep a picture of the page, or of the first that `selector` finds, as artefacts/`name`.png."""
        path = ARTEFACTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        shown = self.page.locator(selector).first if selector else self.page
        shown.screenshot(path=path)
        return path

    def violations(self, selector: str) -> list[str]:
        """Return what axe-core finds wrong within `selector`; JupyterLab's own faults are not ours."""
        # JupyterLab's body has no height, and axe holds what a body without height clips for invisible: it would
        # judge no contrast at all.
        self.page.evaluate("document.body.style.height = '100vh'")
        found: list[dict[str, Any]] = Axe().run(self.page, context=selector).response["violations"]
        return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


@contextmanager
def running_lab(root: Path) -> Iterator[Lab]:
    """Serve the folder `root` by a JupyterLab of its own on a free port of loopback."""
    with TemporaryDirectory(prefix="mlsd-lab-") as home, (Path(home) / "server.log").open("wb") as log:
        port = _free_port()
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            *_SERVER,
            f"--ServerApp.port={port}",
            f"--ServerApp.root_dir={root}",
        ]
        server = subprocess.Popen(
            command, cwd=home, env=_settings(Path(home)), stdout=log, stderr=log, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_served(url, server, Path(log.name))
            yield Lab(url, root)
        finally:
            _stop(server)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the system's Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_CHROMIUM))
        try:
            yield started
        finally:
            started.close()


def open_notebook(started: Browser, lab: Lab, path: str, width: int = 1280, height: int = 900) -> Notebook:
    """Open the notebook at `path`, relative to the served folder, in a page of its own, with its kernel."""
    page = started.new_page(viewport={"width": width, "height": height})
    notebook = Notebook(page)
    page.on("console", lambda message: _keep_error(notebook, message))
    page.on("pageerror", lambda error: notebook.complaints.append(str(error)))
    page.on("request", lambda request: _keep_outside(notebook, lab, request.url))
    page.goto(f"{lab.url}/lab/tree/{quote(path)}?reset")
    page.wait_for_function(f"() => {_CURRENT}?.content?.model?.cells?.length > 0", timeout=60_000)
    notebook.wait_idle()
    return notebook


def _keep_error(notebook: Notebook, message: ConsoleMessage) -> None:
    if message.type == "error":
        notebook.complaints.append(message.text)


def _keep_outside(notebook: Notebook, lab: Lab, url: str) -> None:
    if url.startswith(("http:", "https:")) and not url.startswith(lab.url):
        notebook.complaints.append(f"a request to the outside: {url}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _settings(home: Path) -> dict[str, str]:
    folders = {name: str(home / name.lower()) for name in _FOLDERS}
    quiet = (
        Path(folders["JUPYTERLAB_SETTINGS_DIR"])
        / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    )
    quiet.parent.mkdir(parents=True)
    quiet.write_text(json.dumps(_QUIET), encoding="utf-8")
    return {**os.environ, **folders}


def _wait_until_served(url: str, server: "subprocess.Popen[bytes]", log: Path, within_s: float = 90) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"{url}/api/status", timeout=5):  # noqa: S310
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(
        f"JupyterLab did not answer at {url}. Its log ends:\n{log.read_text(errors='replace')[-2000:]}"
    )


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Let the server end its kernels first, and end it by force only when it does not."""
    server.terminate()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
