"""Checks whether this machine can run the course. Each check is a function, and `CHECKS` lists them.

>>> print(Check("sandbox", "optional", "no bubblewrap", "sudo apt-get install bubblewrap"))
optional  sandbox     no bubblewrap
          to mend it: sudo apt-get install bubblewrap
"""

import html
import importlib.util
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

DISTRIBUTION = "mlsd-helpers"
_PREPARE = f'{sys.executable} -c "from mlsd_helpers import simulation; simulation.prepare()"'
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")  # Ubuntu from 24.04 on


@dataclass(frozen=True)
class Check:
    """The result of a check, and the command that mends it.

    The course needs what is `missing`; without what is `optional`, some tests or features are skipped.
    """

    name: str
    state: Literal["ok", "missing", "optional"]
    found: str
    mend: str = ""

    def __str__(self) -> str:
        """Write the check in a line, and the command that mends it below."""
        line = f"{self.state:<9} {self.name:<11} {self.found}"
        return f"{line}\n{'':<9} to mend it: {self.mend}" if self.mend else line


@dataclass(frozen=True, repr=False)
class Report:
    """The results of all checks, as text in a terminal and as HTML in a notebook."""

    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool:
        """Whether everything that the course needs is there."""
        return all(check.state != "missing" for check in self.checks)

    def __str__(self) -> str:
        """Write a line for each check, and the conclusion."""
        lacking = sum(check.state == "missing" for check in self.checks)
        end = (
            f"{lacking} missing: mend and run this again." if lacking else "This machine can run the course."
        )
        return "\n".join([*map(str, self.checks), end])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def report(checks: Sequence[Callable[[], Check]] | None = None) -> Report:
    """Run the given checks, by default all of `CHECKS`."""
    return Report(tuple(_run(check) for check in (CHECKS if checks is None else checks)))


def _run(check: Callable[[], Check]) -> Check:
    """Run a check; a package that it cannot import is missing."""
    try:
        return check()
    except ImportError as error:
        mend = _install([f"{DISTRIBUTION}[course]"])
        return Check(check.__name__, "missing", f"{error.name or error} is not installed", mend)


def _install(requirements: Iterable[str]) -> str:
    return " ".join([sys.executable, "-m", "pip", "install", *(f'"{each}"' for each in requirements)])


# What the course needs


def python(version: str = platform.python_version()) -> Check:
    """Check Python's version against the range that the package declares."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - comes with the course's packages

    wanted = metadata.metadata(DISTRIBUTION)["Requires-Python"]
    found = f"{version} at {sys.executable}; the course needs {wanted}"
    if SpecifierSet(wanted).contains(version, prereleases=True):
        return Check("python", "ok", found)
    return Check("python", "missing", found, "make clean lab PYTHON=python3.13")


def packages(declared: Sequence[str] | None = None) -> Check:
    """Check the versions of the packages against the ranges that the package declares for the course."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - comes with the course's packages

    lines = metadata.requires(DISTRIBUTION) or () if declared is None else declared
    requirements = [Requirement(line) for line in lines]
    needed = [each for each in requirements if not each.marker or each.marker.evaluate({"extra": "course"})]
    versions = {each.name: _version(each.name) for each in needed}
    fits = {one.name: one.specifier.contains(versions[one.name] or "0", prereleases=True) for one in needed}
    wrong = [each for each in needed if not (versions[each.name] and fits[each.name])]
    if not wrong:
        return Check("packages", "ok", f"{len(needed)} within their ranges")
    found = ", ".join(f"{each.name} {versions[each.name] or 'is not there'}" for each in wrong)
    return Check("packages", "missing", found, _install(f"{each.name}{each.specifier}" for each in wrong))


def _version(name: str) -> str:
    """Return the version of an installed distribution, or nothing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def kernel(program: str | None = None) -> Check:
    """Check that the kernel `python3`, which every notebook names, runs this environment's Python."""
    program = _kernel_program() if program is None else program
    if program in {"python", "python3", f"python3.{sys.version_info.minor}"}:  # Jupyter puts its own in place
        program = sys.executable
    if program and Path(program).absolute().parent == Path(sys.executable).absolute().parent:
        return Check("kernel", "ok", f"python3 runs {program}")
    found = f"python3 runs {program}, not {sys.executable}" if program else "there is no kernel python3"
    return Check("kernel", "missing", found, f"{sys.executable} -m ipykernel install --sys-prefix")


def _kernel_program() -> str:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: PLC0415 - heavy

    try:
        return str(KernelSpecManager().get_kernel_spec("python3").argv[0])
    except NoSuchKernel:
        return ""


def jupyterlab() -> Check:
    """Check that JupyterLab is there."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise ModuleNotFoundError(name="jupyterlab")
    return Check("jupyterlab", "ok", _version("jupyterlab"))


def nbgrader() -> Check:
    """Check nbgrader's panels in JupyterLab, their server side, and the command that makes its gradebook."""
    from jupyter_core.paths import jupyter_config_path, jupyter_path  # noqa: PLC0415 - the course's packages

    places = {
        "its panels": [Path(data, "labextensions/@jupyter/nbgrader/package.json") for data in jupyter_path()],
        "its server": [Path(etc, "jupyter_server_config.d/nbgrader.json") for etc in jupyter_config_path()],
        "alembic": [Path(sys.executable).with_name("alembic")],
    }
    lacking = [name for name, files in places.items() if not any(file.is_file() for file in files)]
    if not lacking:
        return Check("nbgrader", "ok", f"{_version('nbgrader')}, with its panels in JupyterLab")
    mend = f"{sys.executable} -m pip install --force-reinstall --no-deps nbgrader alembic"
    return Check("nbgrader", "missing", f"without {' and '.join(lacking)}", mend)


def folder(here: Path | None = None) -> Check:
    """Check that files can be written where you are."""
    here = here or Path.cwd()
    try:
        with tempfile.TemporaryFile(dir=here):
            return Check("folder", "ok", f"{here} can be written")
    except OSError as error:
        return Check("folder", "missing", f"{here}: {error.strerror}", "mlsd lab ~/mlsd")


# Optional: without it, something is skipped


def browser(path: str | None = None) -> Check:
    """Check for a browser that tests can drive."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    if found is None:
        without = "no Chromium: tests in a browser are skipped"
        return Check("browser", "optional", without, _system("chromium"))
    if importlib.util.find_spec("playwright") is None:
        mend = _install([f"{DISTRIBUTION}[dev]"])
        return Check("browser", "optional", f"{found}, but no playwright: tests in it are skipped", mend)
    return Check("browser", "ok", found)


def sandbox(path: str | None = None, apparmor: Path = _APPARMOR) -> Check:
    """Check that bubblewrap runs: submissions are graded inside it."""
    program = shutil.which("bwrap", path=path)
    if program is None:
        found = "no bubblewrap: `mlsd grade` takes Landlock on Linux 6.12 or newer, and else refuses"
        return Check("sandbox", "optional", found, _system("bubblewrap"))
    tried = subprocess.run(  # noqa: S603 - a fixed command
        [program, "--ro-bind", "/", "/", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode == 0:
        return Check("sandbox", "ok", program)
    said = tried.stderr.strip() or f"exit status {tried.returncode}"
    found = f"{program} is not allowed to run ({said}): `mlsd grade` takes Landlock where it can"
    if apparmor.is_file() and apparmor.read_text().strip() == "1":
        return Check("sandbox", "optional", found, f"sudo sysctl kernel.{apparmor.name}=0")
    return Check("sandbox", "optional", found, "docker run --security-opt seccomp=unconfined, in a container")


def _system(package: str) -> str:
    return f"{'brew' if sys.platform == 'darwin' else 'sudo apt-get'} install {package}"


def simulator() -> Check:
    """Check for the simulator's machine code on disk; without it the first simulation waits for the compiler."""
    if importlib.util.find_spec("numba") is None:
        return Check("simulator", "optional", "no numba: it runs as plain Python", _install(["numba"]))
    cache = Path(__file__).parent / "simulation" / "__pycache__"
    kept = len(list(cache.glob("*.nbi")))
    if kept:
        return Check("simulator", "ok", f"compiled, {kept} functions kept on disk")
    return Check("simulator", "optional", "not compiled yet: the first simulation takes seconds", _PREPARE)


def testbed() -> Check:
    """Check for the packages of the testbed; without them lessons show recordings of another machine."""
    from mlsd_helpers.testbed import running  # noqa: PLC0415 - brings numpy

    if lacking := running.missing():
        found = f"no {', '.join(lacking)}: lessons show recorded measurements"
        return Check("testbed", "optional", found, _install([f"{DISTRIBUTION}[testbed]"]))
    server = running.redis_server()
    if server is None:
        return Check("testbed", "optional", "no redis-server: it streams to SQLite", _system("redis-server"))
    return Check("testbed", "ok", f"its packages, and {server}")


CHECKS: tuple[Callable[[], Check], ...] = (
    python,
    packages,
    jupyterlab,
    kernel,
    nbgrader,
    folder,
    browser,
    sandbox,
    simulator,
    testbed,
)
