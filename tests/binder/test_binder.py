"""Binder, as far as it goes without Binder: its plan, its environment made anew, postBuild, and a lesson in a browser.

Not shown here: conda's own Python, the image, and the service that starts it.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from packaging.utils import canonicalize_name

from mlsd_helpers import workspace
from tests.browser.jupyterlab import browser, needs_chromium, open_notebook, running_lab
from tests.browser.learner import unit_of
from tools import binder

ROOT = Path(__file__).parents[2]
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")
PINS = re.findall(r"^      - ([\w.-]+)==(\S+)$", ENVIRONMENT, re.MULTILINE)
SCRIPTS = Path(sys.executable).parent
LESSON = "workspace/05_capacity.ipynb"  # the one with the simulator
MEMORY_MB = 1000  # Binder gives 1 to 2 GB


def binders_python():
    """Find the Python that environment.yml names."""
    name = f"python{binder.PYTHON}"
    pyenvs = Path.home().glob(f".pyenv/versions/{binder.PYTHON}*/bin/{name}")
    for candidate in filter(None, [shutil.which(name), *map(str, pyenvs)]):
        if subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


PYTHON = binders_python()
needs_python = pytest.mark.skipif(
    PYTHON is None, reason=f"NO PYTHON {binder.PYTHON}: install it to try Binder's environment"
)


def run(*command, cwd, **environment):
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def copied(folder):
    """Copy what is, or would be, committed."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


# ---------------------------------------------------------------- the plan


def test_every_pin_is_a_pin_of_the_lock():
    locked = {(pin.name, pin.version) for pin in binder.pins((ROOT / "requirements.lock").read_text())}
    assert PINS
    assert {(canonicalize_name(name), version) for name, version in PINS} <= locked
    under_pip = ENVIRONMENT.partition("  - pip:\n")[2].splitlines()
    assert len(under_pip) == len(PINS), "something under pip is no exact pin"


def test_binder_installs_the_environment_before_it_copies_the_course(tmp_path):
    """An environment that comes after the copy would be made again for every commit."""
    plan = run(SCRIPTS / "jupyter-repo2docker", "--no-build", "--debug", ".", cwd=copied(tmp_path))
    steps = [
        r"^COPY .*src/environment\.yml ",
        r"env update .*--file \"environment\.yml\"",
        r"^COPY .*src/ \$",
        r"^RUN chmod \+x postBuild",
        r"^RUN \./postBuild",
    ]
    found = [re.search(step, plan, re.MULTILINE) for step in steps]
    assert all(found), plan
    places = [step.start() for step in found]
    assert places == sorted(places)


def test_the_badge_opens_the_first_lesson_of_the_workspace_that_postbuild_makes():
    [opened] = re.findall(
        r"mybinder\.org/v2/\S+\?urlpath=lab/tree/(\S+?)\)", (ROOT / "README.md").read_text()
    )
    assert opened == f"workspace/{workspace.first_lesson(ROOT)}"


# ---------------------------------------------------------------- the environment


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Give a copy of the repository as Binder leaves it, and the environment that it made."""
    folder = tmp_path_factory.mktemp("binder")
    course, environment = copied(folder / "course"), folder / "environment"
    python = environment / "bin" / "python"
    run(PYTHON, "-m", "venv", environment, cwd=folder)
    pins = [f"{name}=={version}" for name, version in PINS]
    run(SCRIPTS / "uv", "pip", "install", "--python", python, "--no-deps", *pins, cwd=folder)
    said = run("bash", "-c", "./postBuild", cwd=course, PATH=f"{python.parent}:{os.environ['PATH']}")
    assert "files copied" in said
    return course, python


@pytest.mark.binder
@pytest.mark.end_to_end
@needs_python
def test_the_pins_agree_and_the_package_is_there_with_its_compiled_simulator(built, tmp_path):
    course, python = built
    assert "No broken requirements" in run(python, "-m", "pip", "check", cwd=tmp_path)
    home = run(python, "-c", "import mlsd_helpers; print(mlsd_helpers.__file__)", cwd=tmp_path)
    assert python.parents[1] in Path(home.strip()).parents
    assert list(Path(home.strip()).parent.rglob("*.nbi")), "no compiled code was kept"
    assert (course / "workspace" / workspace.first_lesson(ROOT)).is_file()


@pytest.mark.binder
@pytest.mark.end_to_end
@pytest.mark.browser
@needs_python
@needs_chromium
def test_a_lesson_runs_there_and_its_memory_is_within_what_binder_gives(built):
    course, python = built
    with running_lab(course, python) as lab, browser() as chromium:
        lesson = open_notebook(chromium, lab, LESSON)
        lesson.run_all()
        assert lesson.errors() == []
        moved = move_everything(lesson)
        used = {process.pid: megabytes(process) for process in ours(lab.url)}
        lesson.screenshot("binder")
    print(f"\n{LESSON} with {moved} controls moved: {sum(used.values()):.0f} MB in {len(used)} processes")
    assert moved
    assert sum(used.values()) < MEMORY_MB


def move_everything(lesson):
    """Lock in every prediction, move each slider once, and say how many were moved."""
    page = lesson.page
    for asked in page.locator(".mlsd-prediction").all():
        field = asked.get_by_role("textbox")
        field.fill(f"10 {unit_of(asked)}")
        field.press("Enter")
    lesson.wait_idle()
    sliders = page.get_by_role("slider").all()
    for slider in sliders:
        slider.focus()
        page.keyboard.press("ArrowRight")
    lesson.wait_idle()
    return len(sliders)


def ours(url):
    """Give the server at this address and its kernels."""
    port = url.rpartition(":")[2]
    server = next(
        process for process in psutil.Process().children(recursive=True) if started_with(process, port)
    )
    return [server, *server.children(recursive=True)]


def started_with(process, port):
    with contextlib.suppress(psutil.Error):  # it has just ended
        return any(f"port={port}" in word for word in process.cmdline())
    return False


def megabytes(process):
    return process.memory_info().rss / 1e6
