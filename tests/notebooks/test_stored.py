"""What is stored in a notebook: what `make fix` writes, and nothing that a machine adds."""

import re
from collections import Counter

import nbformat
import pytest

from tools.notebooks import ROOT, pairs, tidied

LESSONS = [pair.notebook for pair in pairs() if pair.is_lesson]
ASSIGNMENTS = [pair.notebook for pair in pairs() if not pair.is_lesson]
RELEASED = sorted((ROOT / "release").glob("*/*.ipynb"))


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


@each([*LESSONS, *ASSIGNMENTS, *RELEASED])
def test_it_is_a_valid_notebook_on_the_kernel_that_everyone_has(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"


@each([*LESSONS, *ASSIGNMENTS])
def test_it_is_tidy(path):
    notebook = read(path)
    assert tidied(notebook, keep_outputs=path in LESSONS) == notebook, "run `make fix`"


@each(LESSONS)
def test_a_lesson_was_run_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1)), "run `make fix`"


@each(LESSONS)
def test_a_lesson_keeps_its_outputs_and_none_is_an_error(path):
    outputs = [output for cell in code_cells(path) for output in cell.outputs]
    assert outputs
    assert not [output.ename for output in outputs if output.output_type == "error"]


@each([*ASSIGNMENTS, *RELEASED])
def test_an_assignment_stores_no_output(path):
    for cell in code_cells(path):
        assert (cell.outputs, cell.execution_count) == ([], None), cell.source


@each([*ASSIGNMENTS, *RELEASED])
def test_grade_ids_are_well_formed_and_unique(path):
    ids = [cell.metadata.nbgrader.grade_id for cell in read(path).cells if "nbgrader" in cell.metadata]
    assert ids
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,64}", grade_id) for grade_id in ids), ids
    assert not [grade_id for grade_id, times in Counter(ids).items() if times > 1]
