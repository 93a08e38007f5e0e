"""Each lesson runs, in a learner's workspace, to exactly the outputs that it shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert.filters import strip_ansi
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mlsd_helpers import workspace
from tools.notebooks import CELL_TIMEOUT_S, NOTEBOOK_METADATA, ROOT, pairs

pytestmark = pytest.mark.end_to_end

LESSONS = [pair.notebook for pair in pairs() if pair.is_lesson]
NBVAL = (
    "--nbval",
    "--nbval-current-env",
    f"--nbval-sanitize-with={Path(__file__).with_name('sanitize.cfg')}",
    f"--nbval-cell-timeout={CELL_TIMEOUT_S}",
)
QUIETLY = ("--quiet", "--color=no", "--exitfirst", "-p", "no:cacheprovider", "-c", os.devnull)


def disagreement(notebook):
    """Run a notebook where it lies; return nbval's words on the first cell that shows something else."""
    command = [sys.executable, "-m", "pytest", *NBVAL, *QUIETLY, f"--rootdir={notebook.parent}"]
    recorded = {
        **os.environ,
        "MLSD_TESTBED": "recorded",
    }  # tests/testbed runs the real servers; here they take minutes
    run = subprocess.run(
        [*command, notebook.name],
        cwd=notebook.parent,
        capture_output=True,
        text=True,
        check=False,
        env=recorded,
    )
    if run.returncode == 0:
        return ""
    _, _, failures = run.stdout.rpartition("= FAILURES =")
    return strip_ansi(failures.partition("= short test summary")[0].strip("=") or run.stdout + run.stderr)


@pytest.fixture
def open_lesson(tmp_path):
    """Make a learner's workspace, and put a lesson into it with the outputs that it has in the course."""
    workspace.make(ROOT, tmp_path)
    return lambda lesson: Path(shutil.copy(lesson, tmp_path))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_to_the_outputs_that_it_shows(lesson, open_lesson):
    found = disagreement(open_lesson(lesson))
    assert not found, found


FURTHER_TITLE = re.compile(r"^## .*[Ff]urther$", re.MULTILINE)
FURTHER = [
    lesson
    for lesson in LESSONS
    if any(
        cell.cell_type == "markdown" and FURTHER_TITLE.search(cell.source)
        for cell in nbformat.read(lesson, as_version=4).cells
    )
]


@pytest.mark.parametrize("lesson", FURTHER, ids=lambda path: path.stem)
def test_what_stands_under_further_runs_after_the_first_code_cell_of_its_lesson(lesson, open_lesson):
    opened = open_lesson(lesson)
    notebook = nbformat.read(opened, as_version=4)
    codes = [place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    start = next(place for place, cell in enumerate(notebook.cells) if FURTHER_TITLE.search(cell.source))
    notebook.cells = [notebook.cells[codes[0]], *notebook.cells[start:]]
    nbformat.write(notebook, opened)
    found = disagreement(opened)
    assert not found, found


def test_a_changed_output_is_noticed(tmp_path):
    shown = new_output("execute_result", {"text/plain": "2 and more"}, execution_count=1)
    cell = new_code_cell("1 + 1", outputs=[shown], execution_count=1)
    mine = tmp_path / "mine.ipynb"
    nbformat.write(new_notebook(cells=[cell], metadata=NOTEBOOK_METADATA), mine)
    assert "Cell outputs differ" in disagreement(mine)
