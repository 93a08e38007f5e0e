"""The site that `make site` builds: it works without any server of ours, and here without the network.

Pyodide's core comes from its npm package. numpy, pandas, matplotlib and PyYAML for Pyodide are published on its own
site alone: a notebook that draws is NOT tested in the browser. In its place each lesson runs on the versions that
Pyodide has, without numba, on this machine's Python. PyYAML's part in pure Python stands in for Pyodide's.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from mlsd_helpers.workspace.course import offered
from tests.browser.jupyterlab import Notebook, browser, needs_chromium
from tools import binder, site
from tools.notebooks import NOTEBOOK_METADATA

ROOT = Path(__file__).parents[2]
FLOORS = (Path(__file__).with_name("floors.py")).read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RANGES = {wanted.name: wanted.specifier for wanted in binder.wanted(PROJECT, "course")}
SHIPPED = {
    "matplotlib": "3.10.8",
    "numpy": "2.4.6",
    "pandas": "3.0.2",
    "pydantic": "2.12.5",
    "pyyaml": "6.0.3",
}
"""What Pyodide 314.0.6 has, by the pyodide-lock.json of that release."""
CELLS = (
    "%pip install -q mlsd-helpers anywidget ipywidgets",
    FLOORS,
    'mlsd.ask("00-ask-outage")',
    'mlsd.check("00-kill", (500, 0.040, 0.7, 0.3))',
)
OF_THE_KERNEL = ("micropip", "packaging")  # pure Python, from the index; Pyodide's core comes without them
CURRENT = "window.jupyterapp?.shell?.currentWidget"
needs_npm = pytest.mark.skipif(
    shutil.which("npm") is None,
    reason="NO NPM: install npm (on Debian: apt-get install npm) to run this test",
)


@pytest.mark.parametrize(("package", "version"), SHIPPED.items())
def test_our_ranges_admit_what_pyodide_has(package, version):
    assert RANGES[package].contains(version)


def test_a_site_has_every_file_of_a_workspace_and_notebooks_that_first_install_the_package(tmp_path):
    site.contents(tmp_path)
    laid = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert laid == {name for name, _ in offered(ROOT)}
    for notebook in tmp_path.rglob("*.ipynb"):
        first, *rest = nbformat.read(notebook, as_version=4).cells
        assert first.source == site.FIRST_CELL
        assert rest


# ---------------------------------------------------------------- on Pyodide's versions, here

LESSONS = sorted((ROOT / "course" / "text").glob("*.py"))


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Give a Python that has what Pyodide has, in its versions, and no numba."""
    environment = tmp_path_factory.mktemp("versions") / "environment"
    python = environment / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    wanted = [*(f"{name}=={version}" for name, version in SHIPPED.items()), "anywidget", "ipywidgets"]
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *wanted], check=True)
    return python


@pytest.mark.end_to_end
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_on_the_versions_of_pyodide(lesson, python, tmp_path):
    """A text twin is a script: its assertions hold the numbers."""
    script = shutil.copy(lesson, tmp_path)
    run = subprocess.run(
        [python, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


# ---------------------------------------------------------------- in the browser


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """Give Pyodide's core, and beside it what its kernel loads first."""
    folder = tmp_path_factory.mktemp("pyodide")
    packed = subprocess.check_output(
        ["npm", "pack", f"pyodide@{site.PYODIDE}", "--silent"], cwd=folder, text=True
    )
    shutil.unpack_archive(folder / packed.strip(), folder, filter="data")
    core = folder / "package"
    lock = json.loads((core / "pyodide-lock.json").read_text())
    assert {name: lock["packages"][name]["version"] for name in SHIPPED} == SHIPPED
    lock["packages"] = {
        name: lock["packages"][name] for name in OF_THE_KERNEL
    }  # the rest is not here to be loaded
    for name in OF_THE_KERNEL:
        package = lock["packages"][name]
        wanted = f"{name}=={package['version']}"
        options = ("--no-deps", "--only-binary=:all:", f"--python-version={site.PYTHON}", f"--dest={core}")
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *options, wanted], check=True)
        package["sha256"] = hashlib.sha256((core / package["file_name"]).read_bytes()).hexdigest()
    (core / "pyodide-lock.json").write_text(json.dumps(lock))
    return core


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    """Give wheels of what would come from Pyodide; PyYAML's is what imports where libyaml is missing."""
    folder, version = tmp_path_factory.mktemp("wheels"), yaml.__version__
    site.download(site.closure("ipython", "pydantic"), folder)
    info = f"pyyaml-{version}.dist-info"
    with zipfile.ZipFile(folder / f"pyyaml-{version}-py3-none-any.whl", "w") as wheel:
        for module in Path(yaml.__file__).parent.glob("*.py"):
            wheel.write(module, f"yaml/{module.name}")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: pyyaml\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder


@pytest.fixture(scope="module")
def served(core, stand_ins, tmp_path_factory):
    """Build the site with a notebook that runs the floors, serve it on loopback, and give its address."""
    files, output = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("site")
    nbformat.write(
        new_notebook(cells=[new_code_cell(cell) for cell in CELLS], metadata=NOTEBOOK_METADATA),
        files / "floors.ipynb",
    )
    site.build(output, pyodide=core, files=files, wheels=stand_ins)
    its_own = (
        "from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION; print(PYODIDE_VERSION, end='')"
    )
    assert subprocess.check_output([site.TOOLS / "bin" / "python", "-c", its_own], text=True) == site.PYODIDE
    settings = output / "jupyter-lite.json"
    config = json.loads(settings.read_text())
    config["jupyter-config-data"]["exposeAppInBrowser"] = True
    settings.write_text(json.dumps(config))
    handler = partial(Quiet, directory=output)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def notebook(served):
    """Open the notebook, run it to its end, and hold that nothing was asked of anybody else."""
    with browser() as chromium:
        page = chromium.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{served}/lab/index.html?path=floors.ipynb")
        page.wait_for_function(f"() => {CURRENT}?.content?.model?.cells?.length > 0", timeout=60_000)
        opened = Notebook(page)
        opened.wait_idle(180)
        opened.run_all(300)
        yield opened
        assert not [url for url in asked if not url.startswith((served, "data:", "blob:"))]


def in_the_browser(test):
    for mark in (pytest.mark.browser, pytest.mark.end_to_end, needs_chromium, needs_npm):
        test = mark(test)
    return test


@in_the_browser
def test_the_pure_floors_come_to_the_same_in_the_browser_as_here(notebook):
    assert notebook.errors() == []
    [printed] = notebook.page.evaluate(f"{CURRENT}.content.model.toJSON().cells[1].outputs")
    *told, result = "".join(printed["text"]).rstrip().rpartition("\n")
    assert not "".join(told).strip(), told  # examples that failed in the browser
    there = json.loads(result)
    here = json.loads(subprocess.check_output([sys.executable, Path(__file__).with_name("floors.py")]))
    assert there == here
    assert there["doctests"] > there["failed"] == 0


@in_the_browser
def test_a_prediction_and_a_check_answer_in_the_browser(notebook):
    notebook.page.get_by_label("How many minutes").fill("60 min")
    notebook.page.keyboard.press("Enter")
    expect(notebook.page.locator(".mlsd-prediction .mlsd-verdict")).to_contain_text("your 60 min")
    expect(notebook.page.locator(".jp-OutputArea").last).to_contain_text("points")
    notebook.screenshot("site")
