"""Build the course as a static site that needs no server of ours: `make site` does it.

The site is JupyterLite. Its Python is Pyodide, which runs in the browser. It holds a learner's workspace, our package
and what that needs and Pyodide lacks; all else comes from Pyodide's own distribution, numpy and matplotlib among it.
There is no numba: the simulator's loop runs as plain Python.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mlsd_helpers
from mlsd_helpers.workspace.course import offered
from tools import binder

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
TOOLS = ROOT / ".venv-site"  # an environment of its own: JupyterLab stumbles over the browser's kernel
LOCK = ROOT / "tools" / "site.lock"

PYODIDE = "314.0.6"  # the one that jupyterlite-pyodide-kernel in tools/site.lock was made for
PYTHON = "3.14"
PLATFORM = "pyemscripten_2026_0_wasm32"
MACHINE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_system": "Emscripten",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "emscripten",
    "extra": "",
}
BROWSER = ("anywidget", "ipywidgets", "matplotlib", "numpy", "pandas")  # of what the course needs
STAND_INS = {
    "widgetsnbextension"
}  # the classic notebook's half of ipywidgets; the kernel brings an empty one
SMALL = ("--apps=lab", "--no-sourcemaps", "--no-unused-shared-packages")
FIRST_CELL = "%pip install -q mlsd-helpers[browser]"


def declaration(project: dict[str, Any]) -> str:
    """Return a pyproject.toml of our package for the browser: its Python, and what is imported there."""
    ranges = {requirement.name: str(requirement) for requirement in binder.wanted(project, "course")}
    return f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "mlsd-helpers"
version = "{mlsd_helpers.__version__}"
requires-python = "=={PYTHON}.*"
dependencies = {json.dumps([ranges["pydantic"], ranges["pyyaml"]])}
optional-dependencies.browser = {json.dumps([ranges[name] for name in BROWSER])}
[tool.hatch.build.targets.wheel]
packages = ["mlsd_helpers"]
"""


def our_wheel(folder: Path) -> None:
    """Build our package's wheel for the browser into a folder."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    with TemporaryDirectory(prefix="mlsd-wheel-") as name:
        copy = Path(name)
        shutil.copytree(
            ROOT / "mlsd_helpers", copy / "mlsd_helpers", ignore=shutil.ignore_patterns("__pycache__")
        )
        (copy / "pyproject.toml").write_text(declaration(project), encoding="utf-8")
        _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=copy)


def lacking() -> frozenset[str]:
    """Return what our package needs and Pyodide lacks."""
    return (
        closure("anywidget", "ipywidgets") - closure("ipython", "traitlets", "typing-extensions") - STAND_INS
    )


def closure(*names: str) -> frozenset[str]:
    """Return these packages, and all that they need in the browser."""
    found, ahead = set[str](), set(names)
    while ahead:
        found |= ahead
        ahead = {needed for name in ahead for needed in _needs(name)} - found
    return frozenset(found)


def _needs(name: str) -> Iterator[str]:
    wanted = map(Requirement, metadata.requires(name) or ())
    return (canonicalize_name(one.name) for one in wanted if _counts(one))


def _counts(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(MACHINE)


def download(names: Iterable[str], folder: Path) -> None:
    """Download the locked wheels of these packages for the browser's Python, checked against their hashes."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = {pin.name: pin for pin in binder.pins(lock) if _counts(pin.requirement)}
    machine = ("--platform", PLATFORM, "--python-version", PYTHON, "--implementation", "cp")
    with TemporaryDirectory(prefix="mlsd-pins-") as place:
        pinned = Path(place) / "pins.txt"
        pinned.write_text("".join(_hashed(pins[name]) for name in names), encoding="utf-8")
        wheels = ("--no-deps", "--only-binary=:all:", "--require-hashes")
        _pip(sys.executable, "download", *wheels, *machine, "-r", pinned, "-d", folder)


def _hashed(pin: binder.Pin) -> str:
    return " ".join([f"{pin.name}=={pin.version}", *(f"--hash={digest}" for digest in pin.hashes)]) + "\n"


def contents(folder: Path) -> None:
    """Lay a workspace into a folder; each notebook first installs our package into the browser."""
    for name, content in offered(ROOT):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_with_first_cell(content) if path.suffix == ".ipynb" else content)


def _with_first_cell(content: bytes) -> bytes:
    notebook = nbformat.reads(content.decode(), as_version=4)
    notebook.cells.insert(0, new_code_cell(FIRST_CELL, id="in-the-browser"))
    return json.dumps(notebook).encode()  # text in one piece: JupyterLite stumbles over a list of lines


def build(
    output: Path, pyodide: Path | None = None, files: Path | None = None, wheels: Path | None = None
) -> None:
    """Build the site into a folder.

    `pyodide` is a Pyodide to serve with it, in place of the one on Pyodide's own site; `files` stand in for a
    learner's workspace, and `wheels` for what comes from Pyodide.
    """
    python = _tools()
    with TemporaryDirectory(prefix="mlsd-site-") as name:
        work = Path(name)
        print("collecting the package, the lessons and what they need", flush=True)
        shutil.copytree(wheels, work / "pypi") if wheels else (work / "pypi").mkdir()
        our_wheel(work / "pypi")
        download(lacking(), work / "pypi")
        shutil.copytree(files, work / "files") if files else contents(work / "files")
        if pyodide:
            shutil.copytree(pyodide, work / "static" / "pyodide")
        print("building the site", flush=True)
        where = ("--lite-dir", work, "--output-dir", output, "--contents", work / "files")
        _run(python, "-m", "jupyterlite_core", "build", *where, *SMALL, cwd=work)


def _tools() -> Path:
    """Return the Python that has JupyterLite, after making its environment when that is new or out of date."""
    python = TOOLS / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    stamp, locked_now = TOOLS / "installed", LOCK.read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != locked_now:
        print(f"installing JupyterLite into {TOOLS.name}/: once", flush=True)
        venv.create(TOOLS, clear=True, with_pip=True)
        _pip(python, "install", "--require-hashes", "-r", LOCK)
        stamp.write_text(locked_now, encoding="utf-8")
    return python


def _pip(python: Path | str, command: str, *options: Path | str) -> None:
    _run(python, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *options, cwd=ROOT)


def _run(*command: Path | str, cwd: Path) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(  # noqa: S603
        words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nThis failed, with the words above: {' '.join(words)}")


def main() -> None:
    """Build the site that the arguments ask for."""
    parser = argparse.ArgumentParser("python -m tools.site", description="Build the course as a static site.")
    parser.add_argument("--output", type=Path, default=SITE, metavar="DIR", help="where to (default: site/)")
    parser.add_argument(
        "--pyodide",
        type=Path,
        metavar="DIR",
        help=f"a Pyodide {PYODIDE} to serve with it (default: the one on Pyodide's site)",
    )
    given = parser.parse_args()
    build(given.output.resolve(), given.pyodide and given.pyodide.resolve())
    print(f"Look at it: python -m http.server --bind 127.0.0.1 --directory {given.output}")


if __name__ == "__main__":
    main()
