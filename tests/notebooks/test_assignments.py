"""Each assignment: the instructor's version earns every point and prints lines that fit, the student's earns none."""

import shutil
import sys

import nbformat
import pytest
from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbgrader.validator import Validator
from traitlets.config import Config

from tools.notebooks import ROOT, pairs

pytestmark = pytest.mark.end_to_end

ASSIGNMENTS = [pair.notebook for pair in pairs() if not pair.is_lesson]
COLUMNS = 68
"""How many characters an output shows in a line, in a window of 1,000 pixels, before it folds in mid-word."""
RELEASED = sorted((ROOT / "release").glob("*/*.ipynb"))


@pytest.fixture
def assignment(request, tmp_path):
    """Give a copy of the notebook, in a folder of its own that running it may write to."""
    shutil.copytree(request.param.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / request.param.name


def each(paths):
    return pytest.mark.parametrize("assignment", paths, ids=lambda path: path.stem, indirect=True)


def graded(path):
    """Give the source of every cell that nbgrader scores by running it."""
    cells = nbformat.read(path, as_version=4).cells
    marked = [(cell.source, cell.metadata.get("nbgrader", {})) for cell in cells if cell.cell_type == "code"]
    return [source.strip() for source, mark in marked if mark.get("grade") and not mark.get("solution")]


def short_of_full_points(path, *, validate_all=False):
    """Run a notebook as the Validate button does; give (source, error) of each cell that falls short."""
    verdict = Validator(validate_all=validate_all).validate(str(path))
    assert verdict.keys() <= {"failed"}, verdict
    return [(cell["source"], cell["raw_error"]) for cell in verdict.get("failed", [])]


@each(ASSIGNMENTS)
def test_the_instructors_version_earns_every_point_without_an_error(assignment):
    assert graded(assignment)
    found = short_of_full_points(assignment, validate_all=True)
    assert not found, "\n\n".join(f"{source}\n{error}" for source, error in found)


@each(RELEASED)
def test_the_students_version_earns_nothing_as_it_is_handed_out(assignment):
    assert graded(assignment)
    failing = [source for source, _ in short_of_full_points(assignment)]
    unearned = [source for source in graded(assignment) if source not in failing]
    assert not unearned, "these cells give points for nothing:\n\n" + "\n\n".join(unearned)


@pytest.fixture
def shell(monkeypatch):
    """Give an IPython without a kernel, which starts at once; it leaves this process as it was."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.display_formatter.active_types = shell.display_formatter.format_types
    yield shell
    shell.restore_sys_module_state()
    InteractiveShell.clear_instance()


def shown_as_text(shell, source):
    """Run a cell; return what it shows as plain text, which a page does not wrap at its words."""
    values = []
    shell.display_trap.hook = CapturingDisplayHook(shell, values)
    with capture_output() as shown:
        assert shell.run_cell(source).success, source
    data = [one.data for one in shown.outputs] + [one["data"] for one in values]
    plain = [one["text/plain"] for one in data if set(one) == {"text/plain"}]
    return "\n".join([shown.stdout, *plain])


@each(ASSIGNMENTS)
def test_what_it_prints_fits_beside_the_file_browser(assignment, shell, monkeypatch):
    monkeypatch.chdir(assignment.parent)
    cells = [one for one in nbformat.read(assignment, as_version=4).cells if one.cell_type == "code"]
    lines = [line for cell in cells for line in shown_as_text(shell, cell.source).splitlines()]
    assert not [line for line in lines if len(line) > COLUMNS]
