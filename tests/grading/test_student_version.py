"""An assignment that is changed: exercises left out, counted anew, or added while submissions are there."""

import json
import shutil

import nbformat
import pytest
from nbgrader.api import Gradebook

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading import end_to_end, grade, marks, release, term
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.counting import counted
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from tests.grading.conftest import ASSIGNMENT, COURSE

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")]


def settle(course, *lines):
    config = course / "nbgrader_config.py"
    config.write_text("\n".join([config.read_text(), *lines, ""]))


def texts(course):
    cells = nbformat.read(end_to_end.released(course, ASSIGNMENT), as_version=4).cells
    return "\n".join(cell.source for cell in cells)


def run(course):
    job = Job(course, ASSIGNMENT, choose_sandbox(unsafe=True), seed=7)
    return grade_class(job, grade.students(job), workers=0)


def test_what_the_assignments_count_is_what_is_made_of_their_cells():
    for path in sorted((COURSE / "source").glob("*/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert ["".join(cell["source"]) for cell in cells] == counted(cells), f"{path.name}: make exercises"


def test_an_exercise_is_left_out_by_a_line_and_what_is_left_is_counted(tmp_path):
    end_to_end.set_up(COURSE, tmp_path / "course", ASSIGNMENT)
    course = tmp_path / "course"
    settle(course, 'c.Term.leave_out = ["05-backlog"]')
    assert term.read(course).leave_out == ["05-backlog"]
    assert not release.release(course, ASSIGNMENT).problem
    text = texts(course)
    assert "05-backlog" not in text
    assert "Six exercises, about 68 minutes, 23 points. They are divided into two sittings." in text
    assert "## Second sitting, about 34 minutes: exercises 5 and 6\n" in f"{text}\n"
    assert [f"## {number} " in text for number in range(1, 8)] == [True] * 6 + [False]
    assert not release.compare(course, ASSIGNMENT).problem
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        names = {cell.name for cell in book.find_notebook(ASSIGNMENT, ASSIGNMENT).grade_cells}
    assert len(names) == 6
    settle(course, 'c.Term.leave_out = ["05-backlogs"]')
    with pytest.raises(WorkspaceError, match="Did you mean 05-backlog"):
        term.read(course)


def test_a_sitting_without_an_exercise_is_left_out_too_and_an_assignment_may_have_none(tmp_path):
    name = "02_planes"
    end_to_end.set_up(COURSE, tmp_path / "course", name)
    settle(tmp_path / "course", 'c.Term.leave_out = ["02-repair"]')  # a sitting of its own
    assert not release.release(tmp_path / "course", name).problem
    text = end_to_end.released(tmp_path / "course", name).read_text()
    assert "Six exercises" in text
    assert "They are divided into three sittings." in text
    assert "Third sitting, about 33 minutes: exercises 5 and 6" in text
    assert "Fourth sitting" not in text
    marked = {"grade": True, "points": 2, "grade_id": "a"}
    intro = {"cell_type": "markdown", "metadata": {}, "source": "Nine exercises, about an hour, 3 points."}
    task = {"cell_type": "markdown", "metadata": {}, "source": "## 4 Wait\n\n*About 5 minutes, 2 points.*"}
    test = {"cell_type": "code", "metadata": {"nbgrader": marked}, "source": "1"}
    assert counted([intro, task, test])[:2] == [
        "One exercise, about 5 minutes, 2 points.",
        "## 1 Wait\n\n*About 5 minutes, 2 points.*",
    ]


@pytest.fixture
def begun(handed_in_once, tmp_path):
    """Make a term without one exercise, in which one student has submitted and been graded."""
    course = tmp_path / "course"
    end_to_end.set_up(COURSE, course, ASSIGNMENT)
    settle(course, 'c.Term.leave_out = ["05-backlog"]')
    assert not release.release(course, ASSIGNMENT).problem
    shutil.copytree(handed_in_once[0] / "submitted" / "reference", course / "submitted" / "reference")
    run(course)
    return course


def test_an_exercise_that_is_new_in_a_term_is_added_to_what_was_submitted(begun):
    before = end_to_end.marks(begun, ASSIGNMENT)["reference"]
    with Gradebook(f"sqlite:///{begun / 'gradebook.db'}", "mlsd") as book:
        score = book.find_grade("05-audit", ASSIGNMENT, ASSIGNMENT, "reference")
        score.manual_score, score.needs_manual_grade = 1.5, False
        book.db.commit()
    settle(begun, "c.Term.leave_out = []")
    assert not release.release(begun, ASSIGNMENT).problem
    assert "Seven exercises" in texts(begun)
    (mark,) = marks.read(begun, [ASSIGNMENT]).marks  # before it is graded again
    assert (mark.most, mark.points) == (26, sum(before.values()) - before["05-audit"] + 1.5)
    (result,) = run(begun).results
    assert not result.error
    after = end_to_end.marks(begun, ASSIGNMENT)["reference"]
    assert after == {**before, "05-audit": 1.5, "05-backlog": 3.0}  # this student had answered it


def test_an_exercise_with_submissions_is_not_taken_out_but_can_count_nothing(begun):
    released = texts(begun)
    settle(begun, 'c.Term.leave_out = ["05-backlog", "05-audit"]')
    problem = release.release(begun, ASSIGNMENT).problem
    assert 'c.Term.points = {"05-audit": 0}' in problem
    assert texts(begun) == released
    settle(begun, 'c.Term.points = {"05-audit": 0}')
    (mark,) = marks.read(begun, [ASSIGNMENT]).marks
    assert (mark.points, mark.most) == (17, 17)
