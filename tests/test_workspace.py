"""A learner's workspace: nothing of theirs is lost, and JupyterLab opens over it."""

import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import nbformat
import psutil
import pytest
import websocket
from hypothesis import given
from hypothesis import strategies as st
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mlsd_helpers import workspace
from mlsd_helpers.errors import WorkspaceError

ROOT = Path(__file__).parents[1]
LESSON, EXERCISE = "01_tiny.ipynb", "assignments/01_tiny/01_tiny.ipynb"


def write_notebook(path, text, code="1 + 1"):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [new_markdown_cell(text, id="text"), new_code_cell(code, id="code")]
    nbformat.write(new_notebook(cells=cells), path)


@pytest.fixture
def course(tmp_path):
    root = tmp_path / "clone"
    write_notebook(root / "course/00_start_here.ipynb", "# Start")
    write_notebook(
        root / "course" / LESSON, "# Tiny\n\nNow the [exercises](../release/01_tiny/01_tiny.ipynb)."
    )
    write_notebook(
        root / "release/01_tiny/01_tiny.ipynb", "Back to the [lesson](../../course/01_tiny.ipynb)."
    )
    (root / "release/01_tiny/trace.csv").write_text("second,requests\n0,500\n")
    (root / "nbgrader_config.py").touch()
    return root


@pytest.fixture
def folder(tmp_path, course):
    workspace.make(course, tmp_path / "mine")
    return tmp_path / "mine"


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and ".mlsd" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


# ---------------------------------------------------------------- the plan

names = st.sampled_from(["a.ipynb", "b/c.csv", "design.yaml"])
beside = st.sampled_from(["a.new.ipynb", "a.new-2.ipynb", "b/c.new.csv", "design.new.yaml"])
versions = st.sampled_from(["v1", "v2", "mine"])


@given(
    offer=st.dictionaries(names, versions),
    found=st.dictionaries(names | beside, versions),
    copied=st.dictionaries(names, versions),
)
def test_nothing_is_written_over_what_a_learner_may_have_changed(offer, found, copied):
    for action in workspace.plan(offer, found, copied):
        assert action.to not in found or found[action.to] == copied.get(action.to)


@given(offer=st.dictionaries(names, versions), found=st.dictionaries(names | beside, versions))
def test_what_was_done_is_not_done_again(offer, found):
    done = {action.to: offer[action.path] for action in workspace.plan(offer, found, copied={}) if action.to}
    assert not any(action.to for action in workspace.plan(offer, found | done, copied=offer))
    assert not any(action.to for action in workspace.plan(offer, found | done, copied={}))


# ---------------------------------------------------------------- a workspace


def test_a_first_start_lays_lessons_exercises_and_a_design(folder):
    assert set(contents(folder)) == {
        "00_start_here.ipynb",
        LESSON,
        EXERCISE,
        "assignments/01_tiny/trace.csv",
        "design.yaml",
    }


def test_the_first_design_can_be_loaded(folder):
    from mlsd_helpers.design import load_design

    assert load_design(folder / "design.yaml").name


@pytest.mark.parametrize("name", [LESSON, EXERCISE])
def test_links_between_lessons_and_exercises_lead_somewhere(folder, name):
    text = nbformat.read(folder / name, as_version=4).cells[0].source
    target = text.partition("](")[2].partition(")")[0]
    assert (folder / name).parent.joinpath(target).is_file()


def test_a_second_start_changes_no_file(course, folder):
    def times():
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    before = times()
    actions = workspace.make(course, folder)
    assert times() == before
    assert workspace.describe(actions).startswith("nothing to do")


def test_an_untouched_lesson_follows_the_course(course, folder):
    write_notebook(course / "course" / LESSON, "# Tiny, clearer")
    workspace.make(course, folder)
    assert "clearer" in (folder / LESSON).read_text()


def test_half_done_work_in_an_unchanged_course_is_left_as_it_is(course, folder):
    (folder / LESSON).write_text("my work")
    before = contents(folder)
    assert workspace.describe(workspace.make(course, folder)).startswith("nothing to do")
    assert contents(folder) == before


def test_half_done_work_is_kept_and_the_new_version_laid_beside_it(course, folder):
    (folder / LESSON).write_text("my work")
    write_notebook(course / "course" / LESSON, "# Tiny, clearer")
    actions = workspace.make(course, folder)
    assert (folder / LESSON).read_text() == "my work"
    assert "clearer" in (folder / "01_tiny.new.ipynb").read_text()
    assert "01_tiny.new.ipynb" in workspace.describe(actions)


def test_a_version_laid_beside_is_not_overwritten_by_the_next(course, folder):
    (folder / LESSON).write_text("my work")
    write_notebook(course / "course" / LESSON, "# Tiny, clearer")
    workspace.make(course, folder)
    (folder / "01_tiny.new.ipynb").write_text("my work in the new version")
    write_notebook(course / "course" / LESSON, "# Tiny, clearest")
    workspace.make(course, folder)
    assert (folder / "01_tiny.new.ipynb").read_text() == "my work in the new version"
    assert "clearest" in (folder / "01_tiny.new-2.ipynb").read_text()


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"laid": 3}', "\x00"])
def test_without_a_manifest_whatever_differs_is_the_learners(course, folder, manifest):
    (folder / ".mlsd/manifest.json").unlink()
    if manifest is not None:
        (folder / ".mlsd/manifest.json").write_text(manifest)
    (folder / EXERCISE).write_text("my work")
    workspace.make(course, folder)
    assert (folder / EXERCISE).read_text() == "my work"
    assert (folder / EXERCISE).with_name("01_tiny.new.ipynb").is_file()
    assert not (folder / "01_tiny.new.ipynb").exists()  # the lesson did not differ


def test_a_deleted_lesson_is_laid_again(course, folder):
    (folder / LESSON).unlink()
    workspace.make(course, folder)
    assert (folder / LESSON).is_file()


def test_the_learners_design_is_never_replaced(course, folder):
    (folder / "design.yaml").write_text("name: Harbour Pay\n")
    (folder / ".mlsd/manifest.json").unlink()
    workspace.make(course, folder)
    assert (folder / "design.yaml").read_text() == "name: Harbour Pay\n"
    assert not list(folder.glob("design.new*"))


def test_a_folder_where_a_lesson_should_be_is_left_alone(course, folder):
    (folder / LESSON).unlink()
    (folder / LESSON).mkdir()
    workspace.make(course, folder)
    assert (folder / LESSON).is_dir()


def test_notebooks_laid_are_trusted(folder):
    assert NotebookNotary().check_signature(nbformat.read(folder / LESSON, as_version=4))


def test_a_file_in_place_of_the_folder_is_said_and_kept(course, tmp_path):
    (tmp_path / "taken").write_text("my notes")
    with pytest.raises(WorkspaceError, match="taken is a file"):
        workspace.make(course, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "my notes"


def test_a_file_in_place_of_assignments_is_said_and_kept(course, tmp_path):
    (tmp_path / "assignments").write_text("my notes")
    with pytest.raises(WorkspaceError, match=r"assignments.* is a file"):
        workspace.make(course, tmp_path)
    assert (tmp_path / "assignments").read_text() == "my notes"


@pytest.mark.skipif(sys.platform != "linux", reason="a place that not even root can write: /proc")
def test_a_folder_that_cannot_be_written_is_said(course):
    with pytest.raises(WorkspaceError, match="/proc/mine cannot be written"):
        workspace.make(course, Path("/proc/mine"))


@pytest.fixture
def full_disk():
    """Let no file grow beyond ten bytes, until the limit is lifted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def lift():
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard)), lift
    lift()


def test_a_disk_error_leaves_no_half_file_and_a_second_start_goes_on(course, tmp_path, full_disk):
    fill, lift = full_disk
    fill()
    with pytest.raises(WorkspaceError, match="cannot be written"):
        workspace.make(course, tmp_path / "mine")
    lift()
    assert contents(tmp_path / "mine") == {}
    workspace.make(course, tmp_path / "mine")
    assert (tmp_path / "mine" / LESSON).is_file()


@pytest.mark.parametrize("part", [".", "course", "source/mine"])
def test_the_course_itself_is_not_made_a_workspace(course, part):
    with pytest.raises(WorkspaceError, match="belongs to the course"):
        workspace.make(course, course / part)


# ---------------------------------------------------------------- the course


def test_the_clone_around_a_folder_is_found(course):
    (course / "docs/deep").mkdir(parents=True)
    assert workspace.find_course(here=course / "docs/deep") == course


def test_a_folder_without_lessons_is_no_course(tmp_path):
    with pytest.raises(WorkspaceError, match="holds no course"):
        workspace.find_course(tmp_path)


@pytest.mark.processes
def test_an_installed_package_brings_its_course(course, tmp_path):
    package = tmp_path / "site/mlsd_helpers"
    shutil.copytree(ROOT / "mlsd_helpers", package)
    shutil.copytree(course / "course", package / "_course/course")
    code = "from mlsd_helpers import workspace; print(workspace.find_course())"
    found = subprocess.check_output(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(package.parent)}
    )
    assert found.decode().strip() == str(package / "_course")


def test_a_workspace_goes_to_one_place_wherever_in_the_clone_one_is(course, folder, tmp_path):
    assert workspace.default_folder(course, course / "docs") == course / "workspace"
    assert workspace.default_folder(course, folder) == folder
    assert workspace.default_folder(course, tmp_path) == tmp_path / "workspace"


# ---------------------------------------------------------------- JupyterLab


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_gives_way_to_the_next(taken_port):
    assert workspace.free_port(taken_port) > taken_port


def test_no_port_is_said(taken_port):
    with pytest.raises(WorkspaceError, match="Give another"):
        workspace.free_port(70_000)


def test_a_missing_jupyterlab_is_said_with_the_command_that_installs_it(folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(WorkspaceError, match="-m pip install"), workspace.jupyterlab(folder, 0):
        pass


@pytest.mark.end_to_end
def test_a_jupyterlab_that_does_not_start_is_said_with_the_end_of_its_log(folder, taken_port):
    with (
        pytest.raises(WorkspaceError, match=f"did not start(.|\n)*{taken_port}"),
        workspace.jupyterlab(folder, taken_port),
    ):
        pass


@pytest.fixture
def start(course, folder):
    """Start `mlsd lab` for real, and stop whatever still runs at the end."""
    started = []

    def lab(*options):
        command = [
            sys.executable,
            "-m",
            "mlsd_helpers.cli",
            "lab",
            str(folder),
            "--course",
            str(course),
            *options,
        ]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"MLSD_BROWSER": "0"}
        )
        started.append(process)
        watchdog = threading.Timer(150, process.terminate)
        watchdog.start()
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("http://"):
                break
        watchdog.cancel()
        return process, lines

    yield lab
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


def get(address, path=""):
    """Fetch a page, or another one with the same token."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request("GET", f"{path or parts.path}?{parts.query}")
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def end(process, number):
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(number)
    assert process.wait(30) == 0
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


@pytest.mark.end_to_end
def test_the_terminal_of_a_learners_jupyterlab_finds_mlsd(folder, tmp_path, monkeypatch):
    profile = "export PATH=/usr/bin:/bin\n"  # as /etc/profile of Debian does
    (tmp_path / ".bash_profile").write_text(profile, encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", shutil.which("bash") or "sh")
    with workspace.jupyterlab(folder, workspace.free_port(0)) as server:
        asked = Request(f"http://127.0.0.1:{server.port}/api/terminals", method="POST")
        asked.add_header("Authorization", f"token {server.token}")
        with urlopen(asked, timeout=30) as answer:  # noqa: S310 - likewise
            name = json.load(answer)["name"]
        address = f"ws://127.0.0.1:{server.port}/terminals/websocket/{name}?token={server.token}"
        terminal = websocket.create_connection(address, timeout=30)
        terminal.send(json.dumps(["stdin", "echo found=$(command -v mlsd)=\r"]))
        said = ""
        while not (found := re.search(r"found=(/[^=\s]*)?=", said)):
            kind, *rest = json.loads(terminal.recv())
            said += rest[0] if kind == "stdout" else ""
        terminal.close()
    assert found[1], said
    assert Path(found[1]).parent == Path(sys.executable).parent


@pytest.mark.end_to_end
def test_the_whole_life_of_a_learners_jupyterlab(start, folder, taken_port):
    process, lines = start("--port", str(taken_port))
    assert "nothing to do" in lines[0]
    assert f"Port {taken_port} is taken" in lines[1]
    status, page = get(lines[-1])
    assert status == 200
    assert "/lab/tree/00_start_here.ipynb?token=" in lines[-1]
    assert '"@jupyter/nbgrader:formgrader"' in page.partition("disabledExtensions")[2]
    kernels = json.loads(get(lines[-1], "/api/kernelspecs")[1])["kernelspecs"]
    assert "python3" in kernels
    assert get(lines[-1], "/formgrader")[0] == 404

    second, again = start("--port", str(urlsplit(lines[-1]).port))
    assert get(again[-1])[0] == 200
    assert again[-1] != lines[-1]
    end(second, signal.SIGTERM)
    assert get(lines[-1])[0] == 200
    end(process, signal.SIGINT)
    assert "Traceback" not in (folder / ".mlsd/jupyter.log").read_text()


@pytest.mark.end_to_end
def test_an_instructor_gets_the_formgrader_over_the_course(start, course, folder):
    before = contents(folder)
    process, lines = start("--instructor", "--port", "0")
    assert "/formgrader?token=" in lines[-1]
    assert get(lines[-1], "/formgrader/manage_assignments")[0] == 200
    end(process, signal.SIGINT)
    assert contents(folder) == before
