"""An author changes a line of any notebook, as text or in JupyterLab: the pair stays equal, and one line moves."""

import asyncio
import shutil
from difflib import unified_diff

import nbformat
import pytest
from jupytext import AsyncTextFileContentsManager

from tests.notebooks.test_pairs import difference, later
from tools import notebooks
from tools.notebooks import ROOT, Pair, pairs

ONE_LINE = {"-": 1, "+": 1}


@pytest.fixture(params=pairs(), ids=lambda pair: pair.notebook.relative_to(ROOT).as_posix())
def pair(request, tmp_path):
    """Give a copy of a pair, laid out like the project."""
    shutil.copy(ROOT / "jupytext.toml", tmp_path)
    copy = Pair(*(tmp_path / half.relative_to(ROOT) for half in (request.param.notebook, request.param.twin)))
    for half, original in ((copy.notebook, request.param.notebook), (copy.twin, request.param.twin)):
        half.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(original, half)
    later(copy.twin)
    return copy


def changed(before, after):
    """Count the lines that went and came."""
    _, _, *lines = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    marks = [line[0] for line in lines]
    return {mark: marks.count(mark) for mark in "-+"}


def texts(pair):
    return pair.notebook.read_text(encoding="utf-8"), pair.twin.read_text(encoding="utf-8")


def with_new_title(text):
    """Change the title, which is the first line that begins with `# ` in both halves."""
    title = next(line for line in text.splitlines() if line.startswith("# ") and "%%" not in line)
    return text.replace(title, f"{title}, again", 1)


def test_a_line_changed_in_the_twin_is_a_line_of_the_notebook(pair, tmp_path):
    notebook, twin = texts(pair)
    pair.twin.write_text(with_new_title(twin), encoding="utf-8")
    later(pair.twin)
    notebooks.sync(tmp_path)
    assert not difference(pair)
    assert changed(twin, pair.twin.read_text(encoding="utf-8")) == ONE_LINE
    assert (
        changed(notebook, pair.notebook.read_text(encoding="utf-8")) == ONE_LINE
    )  # ids and outputs are kept


def test_a_line_changed_in_jupyterlab_is_a_line_of_the_twin(pair, tmp_path):
    notebook, twin = texts(pair)
    saved_by_jupyterlab(pair, tmp_path)
    assert not difference(pair)
    assert changed(twin, pair.twin.read_text(encoding="utf-8")) == ONE_LINE
    notebooks.sync(tmp_path)
    assert changed(notebook, pair.notebook.read_text(encoding="utf-8")) == ONE_LINE


def saved_by_jupyterlab(pair, root):
    """Open the notebook, change its title and save it, through what JupyterLab saves with."""
    files = AsyncTextFileContentsManager(root_dir=str(root))
    path = pair.notebook.relative_to(root).as_posix()

    async def edit():
        model = await files.get(path)
        notebook = nbformat.from_dict(model["content"])
        notebook.cells[0].source = with_new_title(notebook.cells[0].source)
        await files.save({"type": "notebook", "format": "json", "content": notebook}, path)

    asyncio.run(edit())


def test_one_after_the_other_keeps_both_changes(pair, tmp_path):
    pair.twin.write_text(with_new_title(pair.twin.read_text(encoding="utf-8")), encoding="utf-8")
    later(pair.twin)
    saved_by_jupyterlab(pair, tmp_path)
    assert not difference(pair)
    assert "again, again" in pair.twin.read_text(encoding="utf-8")
