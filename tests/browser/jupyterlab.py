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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.javascript import in_our_files

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
_HIGH = 8_000  # pixels; twice that is what this browser draws at once
CURRENT = "window.jupyterapp?.shell?.currentWidget"
"""The notebook that is open in a page, in JavaScript."""
_CELL_ERRORS = f"""() => [...{CURRENT}.content.model.cells].flatMap((cell) =>
    (cell.type === 'code' ? cell.toJSON().outputs : [])
        .filter((output) => output.output_type === 'error')
        .map((output) => `${{output.ename}}: ${{output.evalue}}`))"""

_CORNER = "table.dataframe th:empty"  # above the row names; pandas makes it a header of nothing
_AT_THE_END = f"""() => {{
    const it = {CURRENT}.content, bottom = (node) => node.getBoundingClientRect().bottom;
    return bottom(it.widgets.at(-1).node) <= bottom(it.outerNode);
}}"""


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

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def wait_idle(self, within_s: float = 60) -> None:
        """Wait until the kernel has nothing to do."""
        idle = f"() => {CURRENT}?.sessionContext?.session?.kernel?.status === 'idle'"
        self.page.wait_for_function(idle, timeout=within_s * 1000)

    def attach_all(self) -> None:
        """Draw cells that are out of sight as well, so that they can be measured."""
        self.page.evaluate(
            f"() => {{ const it = {CURRENT}.content;"
            " it.notebookConfig = {...it.notebookConfig, windowingMode: 'none'}; }"
        )

    def turn_to(self, path: str) -> None:
        """Open the notebook at `path` in the same page, in place of this one: a page takes seconds to load."""
        self._put_away()
        self.complaints.clear()
        opening = "async path => { await window.jupyterapp.commands.execute('docmanager:open', {path}); }"
        self.page.evaluate(opening, path)
        self.wait_open()

    def close(self) -> None:
        """End the kernel and close the page."""
        self._put_away()
        self.page.close()
        _opened.remove(self)

    def _put_away(self) -> None:
        """End the kernel, and close the notebook without asking whether to save it."""
        self.page.evaluate(
            f"async () => {{ const it = {CURRENT}; await it.sessionContext.shutdown(); it.dispose(); }}"
        )

    def wait_open(self) -> None:
        """Wait until the notebook has its cells and its kernel."""
        self.page.wait_for_function(f"() => {CURRENT}?.content?.model?.cells?.length > 0", timeout=60_000)
        self.wait_idle()

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
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")  # it covers the page meanwhile

    def screenshot(self, name: str, selector: str | None = None) -> Path:
        """Keep a picture of the page, or of the first that `selector` finds, as artefacts/`name`.png."""
        path = ARTEFACTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        shown = self.page.locator(selector).first if selector else self.page
        shown.screenshot(path=path)
        return path

    def keep_all(self, name: str) -> None:
        """Where MLSD_PICTURES asks for it, keep the whole notebook as `name`-1.png and so on, in a high window."""
        if not os.environ.get("MLSD_PICTURES"):
            return
        before = self.page.viewport_size
        self.page.set_viewport_size({**before, "height": _HIGH})
        for part in count():
            self.page.evaluate(
                f"part => {{ const it = {CURRENT}.content.outerNode; it.scrollTop = part * it.clientHeight; }}",
                part,
            )
            self.screenshot(f"{name}-{part + 1}", ".jp-WindowedPanel-outer")
            if self.page.evaluate(_AT_THE_END):
                break
        self.page.set_viewport_size(before)

    def violations(self, selector: str) -> list[str]:
        """Return what axe-core finds wrong within `selector`; the faults of JupyterLab and pandas are not ours."""
        # JupyterLab's body has no height, and axe holds what a body without height clips for invisible: it would
        # judge no contrast at all.
        self.page.evaluate("document.body.style.height = '100vh'")
        where = {"include": [selector], "exclude": [_CORNER]}
        own = {"rules": {"link-in-text-block": {"enabled": False}}}  # the theme says how a link looks
        found: list[dict[str, Any]] = Axe().run(self.page, context=where, options=own).response["violations"]
        return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


@contextmanager
def running_lab(root: Path, python: Path | str = sys.executable) -> Iterator[Lab]:
    """Serve the folder `root` by a JupyterLab of its own, that of `python`, on a free port of loopback."""
    with TemporaryDirectory(prefix="mlsd-lab-") as home, (Path(home) / "server.log").open("wb") as log:
        port = _free_port()
        command = [
            str(python),
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


_running: list[Browser] = []
_opened: list[Notebook] = []


def complaints() -> list[str]:
    """Return what the open pages complain about, as lines of our files where it comes from one."""
    return [in_our_files(complaint) for notebook in _opened for complaint in notebook.complaints]


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the system's Chromium without a window, or go on with the one that runs."""
    if _running:
        yield _running[0]
        return
    with sync_playwright() as playwright:
        _running.append(playwright.chromium.launch(executable_path=CHROMIUM, args=list(_CHROMIUM)))
        try:
            yield _running[0]
        finally:
            _running.pop().close()


def open_notebook(started: Browser, lab: Lab, path: str, width: int = 1280, height: int = 900) -> Notebook:
    """Open the notebook at `path`, relative to the served folder, in a page of its own, with its kernel."""
    page = started.new_page(viewport={"width": width, "height": height})
    notebook = Notebook(page)
    _opened.append(notebook)
    page.on("console", lambda message: _keep_error(notebook, message))
    page.on("pageerror", lambda error: notebook.complaints.append(error.stack or str(error)))
    page.on("request", lambda request: _keep_outside(notebook, lab, request.url))
    page.goto(f"{lab.url}/lab/tree/{quote(path)}?reset")
    notebook.wait_open()
    return notebook


@contextmanager
def open_cells(
    started: Browser, lab: Lab, name: str, cells: Iterable[str], width: int = 1000, height: int = 900
) -> Iterator[Notebook]:
    """Write cells into the notebook `name`.ipynb, open and run it; at the end nothing may have gone wrong in it."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    written = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=kernel)
    nbformat.write(written, lab.root / f"{name}.ipynb")
    notebook = open_notebook(started, lab, f"{name}.ipynb", width, height)
    notebook.run_all()
    yield notebook
    assert notebook.errors() == []
    assert notebook.complaints == []
    notebook.close()


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
    return {**os.environ, "MLSD_TESTBED": "recorded", **folders}  # a page waits for no measurement


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
