"""The instructor's work on every assignment, end to end: released, handed in, graded, fed back."""

import json
import re
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

import pytest

from mlsd_helpers.exercises import ALL
from mlsd_helpers.exercises.kit import feedback
from mlsd_helpers.grading import end_to_end
from mlsd_helpers.grading.synthetic import SyntheticStudent
from tests.support.hidden import shows_hidden_check

COURSE = Path(__file__).parents[1]
ASSIGNMENTS = sorted({exercise.assignment for exercise in ALL})

pytestmark = pytest.mark.end_to_end


@dataclass(frozen=True)
class Walked:
    assignment: str
    root: Path
    students: tuple[SyntheticStudent, ...]
    marks: end_to_end.Marks

    def page(self, student: str) -> str:
        return end_to_end.feedback_page(self.root, student, self.assignment).read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def walked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    root = tmp_path_factory.mktemp("end_to_end")
    students, marks = end_to_end.walk(COURSE, root, request.param, say=lambda _: None)
    return Walked(request.param, root, students, marks)


def words(page: str) -> str:
    """Return the letters of a page, without mark-up and spaces, so that a sentence can be looked for."""
    return re.sub(r"[\s*`]+", "", unescape(re.sub(r"<[^>]+>", "", page)))


def test_the_class_holds_every_kind_of_submission(walked: Walked) -> None:
    known = {feedback(m) for e in ALL if e.assignment == walked.assignment for m in e.mistakes}
    submitted = {said for student in walked.students for said in student.feedback.values()}
    assert known <= submitted
    assert {"reference", "alternative-1", "alternative-2", "blank", "syntax-error", "exception"} <= {
        student.student for student in walked.students
    }


def test_every_score_in_the_gradebook_is_exactly_the_one_deserved(walked: Walked) -> None:
    assert {one.student: dict(one.scores) for one in walked.students} == walked.marks


def test_every_feedback_page_names_the_students_mistakes(walked: Walked) -> None:
    for student in walked.students:
        page = words(walked.page(student.student))
        for exercise, said in student.feedback.items():
            assert words(said) in page, f"{student.student}, {exercise}"


def test_the_page_of_a_syntax_error_says_so(walked: Walked) -> None:
    assert "SyntaxError" in words(walked.page("syntax-error"))


def test_no_feedback_page_holds_a_hidden_test_or_a_solution(walked: Walked) -> None:
    reference = next(one for one in walked.students if one.student == "reference")
    released = end_to_end.released(walked.root, walked.assignment).read_text(encoding="utf-8")
    shown = words(escape("".join(line for cell in json.loads(released)["cells"] for line in cell["source"])))
    lines = {words(escape(line)) for source in reference.answers.values() for line in source.splitlines()}
    secret = {line for line in lines if len(line) > 20 and line not in shown}
    assert secret
    for student in walked.students:
        page = words(walked.page(student.student))
        assert "HIDDENTESTS" not in page
        assert not shows_hidden_check(page)
        typed = words(escape("".join(student.answers.values())))
        assert not {line for line in secret if line in page and line not in typed}, student.student
