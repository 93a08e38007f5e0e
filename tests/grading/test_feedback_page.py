"""The feedback page: what was taken off and why, exercises by their names, and nothing from another server."""

import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook

from mlsd_helpers.grading import end_to_end, grade
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from tests.grading.conftest import ASSIGNMENT

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")]

SETTINGS = f"""
c.Term.timezone = "Europe/Berlin"
c.Term.due = {{"{ASSIGNMENT}": "2027-03-12 18:00"}}
c.Term.late_per_day = 0.1
c.Term.points = {{"{ASSIGNMENT}": 100, "05-audit": 0}}
"""


@pytest.fixture
def course(course_of):
    """Make a course in which one student is 3.2 hours late, another's time is not known, and a third is excused."""
    course = course_of("reference", "blank", "mistaken-1")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + SETTINGS)
    time = course / "submitted" / "reference" / ASSIGNMENT / "timestamp.txt"
    time.write_text("2027-03-12 20:12:00 UTC")
    (course / "class").mkdir()
    (course / "class" / "exceptions.csv").write_text(
        f"id,assignment,exception,value\nmistaken-1,{ASSIGNMENT},excused,\n"
    )
    job = Job(course, ASSIGNMENT, choose_sandbox(unsafe=True), seed=7)
    grade_class(job, grade.students(job), workers=0)
    return course


def page(course, student):
    text = end_to_end.feedback_page(course, student, ASSIGNMENT).read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser")


def test_a_page_says_what_was_taken_off_and_why_and_reads_well(course):
    late = page(course, "reference")
    said = " ".join(late.header.get_text(" ").split())
    for fact in ("23.4 of 26 points", "3.2 hours", "12 March 2027, 18:00", "21:12", "10%", "90 of 100"):
        assert fact in said, said
    assert "05-audit counts nothing" in said
    assert late.html["lang"] == "en"
    links = {link.get_text(): link["href"] for link in late.select("nav a")}
    assert "1 Size the fraud service" in links
    assert len(links) == 7
    assert all(late.find(id=place.removeprefix("#")) for place in links.values())
    assert not late.select("script, link, iframe")
    assert not [image for image in late.select("img") if not image["src"].startswith("data:")]

    assert "not known here when you submitted" in page(course, "blank").header.get_text()
    assert "excused" in page(course, "mistaken-1").header.get_text()


def test_a_page_that_nbgrader_writes_after_a_score_by_hand_has_its_penalty(course):
    where = (ASSIGNMENT, ASSIGNMENT, "reference")
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        score = book.find_grade("05-audit", *where)
        score.manual_score, score.needs_manual_grade = 0.0, False
        book.db.commit()
    end_to_end.nbgrader(course, "generate_feedback", ASSIGNMENT, "--student", "reference", "--force")
    assert "18 of 26 points" in page(course, "reference").header.get_text()
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        assert book.find_submission_notebook(*where).late_submission_penalty == pytest.approx(2.0)
