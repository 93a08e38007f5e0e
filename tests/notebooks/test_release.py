"""What students are given: exactly what nbgrader makes of source/, and no part of an answer."""

import re

import nbformat
import pytest

from mlsd_helpers.grading import release
from tools.notebooks import ROOT, pairs

ASSIGNMENTS = [pair.notebook for pair in pairs() if not pair.is_lesson]
REGION = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END (?:SOLUTION|HIDDEN TESTS)", re.DOTALL)
TELLING = 15  # a shorter line, such as `return total`, may well stand in both


@pytest.fixture
def released():
    """Give every file that students are given, notebooks as the text that they would read."""
    files = sorted(path for path in (ROOT / "release").rglob("*") if path.is_file())
    assert files, "release/ is empty: run `make fix`"
    return {path: text_of(path) for path in files}


def text_of(path):
    if path.suffix != ".ipynb":
        return path.read_bytes().decode(errors="replace")
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def telling_lines(text):
    return {line.strip() for line in text.splitlines() if len(line.strip()) > TELLING}


@pytest.mark.end_to_end
@pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.stem)
def test_release_is_what_nbgrader_makes_of_source(path):
    assert not release.compare(ROOT, path.stem).problem, "run `make fix`"


def test_nothing_else_lies_in_release():
    assert not release.strays(ROOT)


def test_every_assignment_is_released(released):
    assert {path.stem for path in ASSIGNMENTS} == {path.stem for path in released if path.suffix == ".ipynb"}


def test_no_marker_of_a_solution_or_of_a_hidden_test_is_given_out(released):
    marker = re.compile(r"###\s*(BEGIN|END)|BEGIN (SOLUTION|HIDDEN)|END (SOLUTION|HIDDEN)")
    assert not [path for path in released if marker.search(path.read_bytes().decode(errors="replace"))]


def test_no_text_twin_is_given_out(released):
    assert not [path for path in released if path.suffix in {".py", ".pyc"}]


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.stem)
def test_no_line_of_a_solution_or_of_a_hidden_test_is_given_out(path, released):
    text = text_of(path)
    secret = telling_lines("\n".join(REGION.findall(text))) - telling_lines(REGION.sub("", text))
    assert secret, "no solution found: are its markers spelt as nbgrader wants them?"
    given = {line for text in released.values() for line in telling_lines(text)}
    assert not secret & given
