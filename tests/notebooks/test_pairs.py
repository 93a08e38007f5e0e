"""A notebook and its text twin are one document, whichever of the two was edited."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from difflib import unified_diff
from itertools import zip_longest

import jupytext
import nbformat
import pytest
import requests
from jupytext.config import load_jupytext_configuration_file

from tools import notebooks
from tools.notebooks import KEPT_METADATA, ROOT, Pair, pairs

CONFIGURATION = load_jupytext_configuration_file(str(ROOT / "jupytext.toml"))
TWIN = '''\
# %% [markdown]
"""
# Sizing
"""

# %%
peak_rps = 500

# %% tags=["aside"]
peak_rps * 2
'''


def shown(cell):
    metadata = {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}
    return [cell.cell_type, json.dumps(metadata, sort_keys=True), *cell.source.splitlines()]


def first_difference(notebook, twin):
    """Say where two notebooks part, or return nothing."""
    for number, (left, right) in enumerate(zip_longest(notebook.cells, twin.cells), start=1):
        left, right = (shown(cell) if cell else [] for cell in (left, right))  # noqa: PLW2901
        if left != right:
            return "\n".join(
                [f"cell {number} differs", *unified_diff(left, right, "notebook", "twin", lineterm="")]
            )
    return ""


def difference(pair):
    """Say where the halves of a pair part, read either way, or return nothing."""
    notebook = nbformat.read(pair.notebook, as_version=4)
    text = pair.twin.read_text(encoding="utf-8")
    rewritten = jupytext.writes(notebook, fmt="py:percent", config=CONFIGURATION)
    return first_difference(notebook, jupytext.reads(text, fmt="py:percent")) or "\n".join(
        unified_diff(rewritten.splitlines(), text.splitlines(), "the notebook as text", "twin", lineterm="")
    )


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair.notebook.relative_to(ROOT).as_posix())
def test_a_notebook_and_its_twin_say_the_same(pair):
    for half in (pair.notebook, pair.twin):
        assert half.exists(), (
            f"{half.relative_to(ROOT)} is missing: `make fix` makes a notebook from its twin"
        )
    assert not (found := difference(pair)), (
        f"{pair.notebook.relative_to(ROOT)}, {found}\n`make fix` carries it over"
    )


def in_course(folder):
    return Pair(folder / "course" / "05_x.ipynb", folder / "course" / "text" / "05_x.py")


def in_source(folder):
    return Pair(folder / "source" / "05_x" / "05_x.ipynb", folder / "source" / "05_x" / "05_x.py")


def written(pair, folder):
    """Write the twin, and let `make fix` make the notebook, in a folder laid out like the project."""
    shutil.copy(ROOT / "jupytext.toml", folder)
    pair.twin.parent.mkdir(parents=True)
    pair.twin.write_text(TWIN)
    notebooks.sync(folder)
    return pair


@pytest.fixture(params=[in_course, in_source])
def pair(request, tmp_path):
    return written(request.param(tmp_path), tmp_path)


def later(path):
    """Make a file the newer half of its pair, on file systems with coarse clocks too."""
    os.utime(path, (time.time() + 5,) * 2)


def test_a_twin_alone_makes_its_notebook(pair):
    made = nbformat.read(pair.notebook, as_version=4)
    assert made.metadata.kernelspec.name == "python3"
    assert not difference(pair)


def test_a_change_in_the_twin_reaches_the_notebook_and_keeps_ids(pair, tmp_path):
    before = nbformat.read(pair.notebook, as_version=4)
    pair.twin.write_text(TWIN.replace("500", "700"))
    later(pair.twin)
    notebooks.sync(tmp_path)
    after = nbformat.read(pair.notebook, as_version=4)
    assert after.cells[1].source == "peak_rps = 700"
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]


def test_a_change_in_the_notebook_reaches_the_twin(pair, tmp_path):
    notebook = nbformat.read(pair.notebook, as_version=4)
    notebook.cells[1].source = "peak_rps = 900"
    nbformat.write(notebook, pair.notebook)
    later(pair.notebook)
    notebooks.sync(tmp_path)
    assert pair.twin.read_text() == TWIN.replace("500", "900")


# ---------------------------------------------------------------- which half wins, where there is a history


def git(folder, *words):
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


def committed(folder):
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "As it is")


@pytest.fixture
def kept(pair, tmp_path):
    """Give a pair that is committed."""
    git(tmp_path, "init", "--quiet")
    committed(tmp_path)
    return pair


def say(pair, number):
    """Write another number into the twin."""
    pair.twin.write_text(TWIN.replace("500", number))


def in_notebook(pair, number):
    """Write another number into the notebook."""
    text = pair.notebook.read_text()
    pair.notebook.write_text(text.replace("peak_rps = 500", f"peak_rps = {number}"))


def test_a_notebook_that_git_restored_does_not_overwrite_the_edited_twin(kept, tmp_path):
    say(kept, "700")
    notebooks.sync(tmp_path)
    git(tmp_path, "checkout", "--", kept.notebook)
    later(kept.notebook)
    notebooks.sync(tmp_path)
    assert kept.twin.read_text() == TWIN.replace("500", "700")
    assert not difference(kept)


def test_the_half_that_differs_from_the_last_commit_wins_whatever_the_clock_says(kept, tmp_path, capsys):
    in_notebook(kept, "700")
    later(kept.twin)
    notebooks.sync(tmp_path)
    assert kept.twin.read_text() == TWIN.replace("500", "700")
    said = capsys.readouterr().out
    assert all(half.relative_to(tmp_path).as_posix() in said for half in (kept.notebook, kept.twin))


def test_two_halves_that_were_both_changed_are_an_error_that_names_them_and_changes_nothing(kept, tmp_path):
    say(kept, "700")
    in_notebook(kept, "900")
    before = kept.notebook.read_bytes(), kept.twin.read_bytes()
    with pytest.raises(SystemExit) as error:
        notebooks.sync(tmp_path)
    assert all(
        half.relative_to(tmp_path).as_posix() in str(error.value) for half in (kept.notebook, kept.twin)
    )
    assert before == (kept.notebook.read_bytes(), kept.twin.read_bytes())
    git(tmp_path, "checkout", "HEAD", "--", kept.notebook)  # what the error says
    notebooks.sync(tmp_path)
    assert not difference(kept)
    assert "700" in kept.twin.read_text()


@pytest.mark.parametrize(("change", "other"), [(say, in_notebook), (in_notebook, say)])
def test_a_half_may_be_changed_again_before_the_first_change_is_committed(kept, change, other, tmp_path):
    other(kept, "700")
    notebooks.sync(tmp_path)
    committed(tmp_path)
    other(kept, "500")
    notebooks.sync(tmp_path)
    change(kept, "900")
    notebooks.sync(tmp_path)
    assert "900" in kept.twin.read_text()
    assert not difference(kept)


def test_a_half_that_was_committed_alone_is_carried_over(kept, tmp_path):
    say(kept, "700")
    committed(tmp_path)
    later(kept.notebook)
    notebooks.sync(tmp_path)
    assert not difference(kept)
    assert "700" in kept.twin.read_text()


def test_of_a_pair_that_no_commit_has_yet_the_newer_half_wins(pair, tmp_path):
    git(tmp_path, "init", "--quiet")
    say(pair, "700")
    later(pair.twin)
    notebooks.sync(tmp_path)
    assert not difference(pair)
    say(pair, "900")
    notebooks.sync(tmp_path)
    assert "900" in pair.twin.read_text()


def test_where_nothing_changed_nothing_is_said(kept, tmp_path, capsys):
    capsys.readouterr()
    notebooks.sync(tmp_path)
    assert not capsys.readouterr().out


@pytest.mark.end_to_end
def test_outputs_of_unchanged_cells_survive_a_change_in_the_twin(tmp_path):
    lesson = written(in_course(tmp_path), tmp_path)
    run = notebooks.executed(nbformat.read(lesson.notebook, as_version=4), tmp_path)
    nbformat.write(run, lesson.notebook)
    lesson.twin.write_text(TWIN.replace("# Sizing", "# Sizing it"))
    later(lesson.twin)
    notebooks.sync(tmp_path)
    assert nbformat.read(lesson.notebook, as_version=4).cells[2].outputs[0].data["text/plain"] == "1000"


@pytest.mark.end_to_end
def test_a_save_in_jupyterlab_keeps_the_pair_equal(pair, tmp_path):
    path = pair.notebook.relative_to(tmp_path).as_posix()
    with jupyterlab(tmp_path) as contents:
        model = contents(path)
        model["content"]["cells"][1]["source"] = "peak_rps = 800"
        contents(path, {"type": "notebook", "format": "json", "content": model["content"]})
    assert pair.twin.read_text() == TWIN.replace("500", "800")
    assert not difference(pair)


@contextmanager
def jupyterlab(root):
    """Run JupyterLab on loopback, and yield a function that reads or writes through its contents API."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ip": "127.0.0.1",
        "port": port,
        "port_retries": 0,
        "root_dir": root,
        "disable_check_xsrf": True,
    }
    flags = [f"--ServerApp.{name}={value}" for name, value in options.items()]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
    ]
    server = subprocess.Popen([*command, *flags], cwd=root, stderr=subprocess.DEVNULL)

    def contents(path, model=None):
        url = f"http://127.0.0.1:{port}/api/contents/{path}"
        reply = requests.put(url, json=model, timeout=60) if model else requests.get(url, timeout=60)
        reply.raise_for_status()
        return reply.json()

    try:
        wait_until_it_answers(contents, server)
        yield contents
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_until_it_answers(contents, server):
    for _ in range(600):
        assert server.poll() is None, "JupyterLab stopped before it answered"
        try:
            contents("")
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("JupyterLab did not answer within a minute")
