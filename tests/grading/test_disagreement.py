"""Requests to look at marks again: found wherever a student can write, once each, with the exercise that they mean."""

import nbformat
import pytest

from mlsd_helpers.grading import disagreement, records
from mlsd_helpers.grading.records import Record, Request
from mlsd_helpers.grading.restore import restore
from tests.grading.conftest import ASSIGNMENT, COURSE

RELEASED = nbformat.read(COURSE / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
TESTS = {
    cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.grade_id
    for cell in RELEASED.cells
    if cell.metadata.get("nbgrader", {}).get("grade")
}


def place_of(name):
    return next(
        place
        for place, cell in enumerate(RELEASED.cells)
        if cell.metadata.get("nbgrader", {}).get("grade_id") == name
    )


def requests_in(tmp_path, *cells):
    """Return the requests in a submission with these cells: source, type, and the cell that each follows."""
    notebook = nbformat.from_dict(RELEASED)
    for source, kind, after in cells:
        new = nbformat.v4.new_code_cell(source) if kind == "code" else nbformat.v4.new_markdown_cell(source)
        names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
        notebook.cells.insert(names.index(after) + 1, new)
    path = tmp_path / "submitted.ipynb"
    nbformat.write(notebook, path)
    return list(disagreement.in_notebook(restore(RELEASED, path).notebook, TESTS))


REASON = "the fleet survives."


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (f"I disagree, because {REASON}", "markdown"),
        (f"> *I disagree* because {REASON}\n\nAnd this is something else.", "markdown"),
        (f"I DISAGREE: {REASON}", "code"),
        ("# i disagree because the fleet\n# survives.\nx = 1", "code"),
        (f'"""I disagree, since {REASON}"""', "code"),
        ("I disagree.\nthe fleet\nsurvives.", "markdown"),
    ],
)
def test_a_request_is_found_as_text_as_a_comment_and_in_quotes(tmp_path, source, kind):
    (found,) = requests_in(tmp_path, (source, kind, "05-plan"))
    assert (found.exercise, found.reason.rstrip(".")) == ("05-plan", REASON.rstrip("."))


@pytest.mark.parametrize(
    ("after", "exercise"),
    [
        ("05-plan", "05-plan"),
        ("05-audit", "05-audit"),
        ("05-audit-task", "05-audit"),
        ("05-audit-answer", "05-audit"),
        ("05-intro", "05-faded-sizing"),
    ],
)
def test_a_request_is_about_the_exercise_in_which_it_stands(tmp_path, after, exercise):
    (found,) = requests_in(tmp_path, (f"I disagree, because {REASON}", "markdown", after))
    assert found.exercise == exercise


def test_a_request_may_name_its_exercise(tmp_path):
    (found,) = requests_in(tmp_path, (f"I disagree with 05-audit, because {REASON}", "markdown", "05-plan"))
    assert found == Request("05-audit", REASON.rstrip("."))


def test_a_comment_in_an_answer_is_a_request_too(tmp_path):
    notebook = nbformat.from_dict(RELEASED)
    notebook.cells[place_of("05-plan-answer")].source += f"\n    # I disagree, because {REASON}\n    return 3"
    path = tmp_path / "submitted.ipynb"
    nbformat.write(notebook, path)
    (found,) = disagreement.in_notebook(restore(RELEASED, path).notebook, TESTS)
    assert found.exercise == "05-plan"
    assert "return" not in found.reason


@pytest.mark.parametrize(
    "source",
    [
        "I disagree, because …",
        "I disagree",
        "I disagree, because",
        "I disagree with the lesson here",
        "I agree.",
    ],
)
def test_what_gives_no_reason_is_no_request(tmp_path, source):
    assert not requests_in(tmp_path, (source, "markdown", "05-plan"))


def test_a_request_that_is_there_twice_counts_once_and_two_reasons_count_twice(tmp_path):
    found = requests_in(
        tmp_path,
        ("I disagree, because it is right.", "markdown", "05-plan"),
        ("I disagree, because **it is RIGHT**", "markdown", "05-plan"),
        ("I disagree, because it is right.", "markdown", "05-audit"),
        ("I disagree, because the text allows it.", "markdown", "05-plan"),
    )
    assert sorted((one.exercise, one.reason.casefold().count("right")) for one in found) == [
        ("05-audit", 1),
        ("05-plan", 0),
        ("05-plan", 1),
    ]


def test_a_flood_of_requests_and_a_long_one_are_cut(tmp_path):
    lines = "\n\n".join(f"I disagree, because {number}" for number in range(200))
    assert len(requests_in(tmp_path, (lines, "markdown", "05-plan"))) == disagreement.MOST
    (long,) = requests_in(tmp_path, (f"I disagree, because {'so ' * 5_000}", "markdown", "05-plan"))
    assert len(long.reason) <= 1_000


def test_a_request_is_kept_in_the_record_and_a_record_of_an_older_run_has_none(tmp_path):
    record = Record("ada", ASSIGNMENT, requests=(Request("05-plan", "\x1b[31m<b>so</b>\nit is"),))
    path = records.write(tmp_path, record)
    assert records.read(tmp_path, ASSIGNMENT, "ada") == record
    assert "\n" not in record.requests[0].reason
    path.write_text(path.read_text().partition(',\n "requests"')[0] + "}")
    assert records.read(tmp_path, ASSIGNMENT, "ada").requests == ()
