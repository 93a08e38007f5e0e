"""What a report says beside the records: who is missing, what comes first, requests, code, and how points count."""

import csv
import io
import re
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from mlsd_helpers import cli
from mlsd_helpers.exercises import ALL
from mlsd_helpers.exercises.kit import mistake_name
from mlsd_helpers.grading import records
from mlsd_helpers.grading.records import Judged, Record, Request
from mlsd_helpers.grading.report import report
from mlsd_helpers.grading.sections import SECTIONS, section_of
from tests.grading.conftest import ASSIGNMENT, COURSE

PLAN = next(exercise for exercise in ALL if exercise.id == "05-plan")
BACKLOG = next(exercise for exercise in ALL if exercise.id == "05-backlog")
DUE = datetime(2027, 3, 12, 18)  # noqa: DTZ001 - nbgrader keeps UTC without its zone
PEAK, HEADROOM = "cost_at_the_peak", "headroom_covers_a_zone"
CODE = """def plan(**given):
    # {who} wrote this
    zones = [0, 0, 0]
    for place in range(100):
        if sum(zones) - max(zones) < given["peak_rps"] * given["service_time_s"] / 0.7:
            zones[place % 3] += 1
    return {{"replicas_per_zone": zones, "cost_per_1k": 1.0, "within_budget": sum(zones) > {limit}}}
"""
NAMES = {
    "ada": ("Ada", "Lovelace"),
    "alan": ("Alan", "Turing"),
    "grace": ("Grace", "Hopper"),
    "nora": ("Nora", "Void"),
}


def autograded(course, student, code):
    notebook = nbformat.read(COURSE / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "05-plan-answer":
            cell.source = code
    folder = course / "autograded" / student / ASSIGNMENT
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{ASSIGNMENT}.ipynb")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Give a course with three students of four who submitted: each made a mistake, and two asked for a second look."""
    course = tmp_path_factory.mktemp("graded")
    for name in ("source", "release"):
        shutil.copytree(COURSE / name / ASSIGNMENT, course / name / ASSIGNMENT)
    config = (COURSE / "nbgrader_config.py").read_text()
    change = 'c.Term.points = {"05_capacity": 100, "05-plan": 8}'
    config = re.sub(r"(?m)^c\.Term\.points = .*$", change, config)
    config = re.sub(r"(?m)^c\.Term\.late_per_day = .*$", "c.Term.late_per_day = 0.5", config)
    (course / "nbgrader_config.py").write_text(config)
    mistakes = {"ada": PEAK, "alan": PEAK, "grace": HEADROOM}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        book.add_assignment(ASSIGNMENT, duedate=DUE)
        book.add_notebook(ASSIGNMENT, ASSIGNMENT)
        for one in (PLAN, BACKLOG):
            book.add_grade_cell(one.id, ASSIGNMENT, ASSIGNMENT, max_score=one.points, cell_type="code")
            book.add_solution_cell(f"{one.id}-answer", ASSIGNMENT, ASSIGNMENT)
        for student, (first, last) in NAMES.items():
            book.add_student(student, first_name=first, last_name=last)
        for student in mistakes:
            submitted = book.add_submission(ASSIGNMENT, student)
            for grade in submitted.notebooks[0].grades:
                grade.auto_score = 1
            submitted.timestamp = DUE + timedelta(hours=1) if student == "grace" else DUE
        book.find_grade("05-plan", ASSIGNMENT, ASSIGNMENT, "ada").manual_score = 3.5
        book.find_comment("05-backlog-answer", ASSIGNMENT, ASSIGNMENT, "ada").manual_comment = "No."
        book.db.commit()
    asked = {
        "ada": (
            Request("05-plan", "<script>alert(1)</script> the cost is per hour"),
            Request("05-backlog", "I am right"),
        ),
        "alan": (Request("05-plan", "=1+1 is what Ada Lovelace has"),),
    }
    for student, mistake in mistakes.items():
        judged = {
            "05-plan": Judged(1, 4, (mistake,) if mistake else (), "Too small."),
            "05-backlog": Judged(0, 3, message="Too large."),
        }
        records.write(course, Record(student, ASSIGNMENT, exercises=judged, requests=asked.get(student, ())))
        autograded(course, student, CODE.format(who=NAMES[student][0], limit=7 if student == "grace" else 9))
    return course


def rows(written, name):
    path = written.page.with_name(f"{written.page.stem}-{name}.csv")
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def section(page, name):
    return re.search(rf'<section aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL)[1]


def test_the_mistakes_of_most_students_come_first_with_the_lessons_section_and_code(graded):
    first = section(report(graded, ASSIGNMENT).page.read_text(), "first")
    assert re.findall(r"<h3>([^<]*)</h3>", first) == [
        "cost at the peak: 2 students",
        "headroom covers a zone: 1 student",
    ]
    assert 'href="../course/05_capacity.ipynb#6-What-it-costs"' in first
    assert "sum(zones) - max(zones)" in first
    assert "# Ada wrote this" in first


def test_an_unexplained_group_shows_one_answer(graded):
    page = report(graded, ASSIGNMENT).page.read_text()
    unexplained = page[page.index("no known mistake explains it") :]
    assert "NotImplementedError" in unexplained  # the code of 05-backlog


def test_requests_are_listed_with_what_was_done_since_and_run_nothing(graded):
    written = report(graded, ASSIGNMENT, names=True)
    answered = {
        (row["student"], row["exercise"]): (row["score"], row["answered"])
        for row in rows(written, "requests")
    }
    assert answered == {
        ("ada", "05-plan"): ("3.5", "score by hand"),
        ("ada", "05-backlog"): ("0", "comment"),
        ("alan", "05-plan"): ("1", ""),
    }
    assert rows(written, "requests")[0]["name"] == "Ada Lovelace"
    assert not any(row["reason"].startswith("=") for row in rows(written, "requests"))
    page = written.page.read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; the cost is per hour" in section(page, "requests")
    assert section(page, "requests").count(", open") == 1


def test_names_stand_beside_ids_where_they_are_wanted(graded):
    without, with_names = (
        report(graded, ASSIGNMENT, names=names).page.read_text() for names in (False, True)
    )
    assert "Turing" not in without
    assert "Alan Turing" in with_names
    answers = rows(report(graded, ASSIGNMENT, names=True), "answers")
    assert any("alan (Alan Turing)" in row["students"] for row in answers)


def test_who_submitted_nothing_is_named(graded):
    absent = section(report(graded, ASSIGNMENT).page.read_text(), "absent")
    assert "1 of 4 students" in absent
    assert "nora" in absent


def test_the_report_says_whose_points_it_shows(graded):
    reading = section(report(graded, ASSIGNMENT).page.read_text(), "reading")
    points = re.search(r"<dt>Points</dt><dd>(.*?)</dd>", reading, re.DOTALL)[1]
    for words in (
        "has 100 points",
        "<code>05-plan</code>",
        "1 score there was set by hand",
        "1 submission lost",
    ):
        assert words in points


def test_the_same_code_is_hinted_at_and_other_code_is_not(graded):
    alike = section(report(graded, ASSIGNMENT).page.read_text(), "alike")
    assert "ada" in alike
    assert "alan" in alike
    assert "grace" not in alike
    assert "no judgement" in alike


def test_an_anonymous_report_has_no_id_and_no_code_with_one(graded, tmp_path):
    written = report(graded, ASSIGNMENT, anonymous=True)
    page = written.page.read_text()
    assert "sum(zones) - max(zones)" in page  # without the comment that names its author
    for text in (page, *(path.read_text() for path in written.tables)):
        assert not re.search(r"\b(ada|alan|grace|nora|lovelace|turing|hopper)\b", text, re.IGNORECASE)
    named = tmp_path / "named"
    shutil.copytree(graded, named)
    for path in (named / "autograded").rglob("*.ipynb"):
        path.write_text(path.read_text().replace("zones = [0, 0, 0]", "ada_lovelace = zones = [0, 0, 0]"))
    assert "max(zones)" not in report(named, ASSIGNMENT, anonymous=True).page.read_text()


def test_names_and_no_names_at_once_is_a_plain_error(graded, capsys):
    (graded / "course").mkdir(exist_ok=True)
    (graded / "course/00_start_here.ipynb").touch()
    assert cli.main(["report", ASSIGNMENT, "--names", "--anonymous", "--course", str(graded)]) == 2
    assert "--anonymous" in capsys.readouterr().err


def test_a_graded_notebook_that_cannot_be_read_costs_its_sample_alone(graded, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(graded, course)
    for path in (course / "autograded").rglob("*.ipynb"):
        path.write_text("{")
    page = report(course, ASSIGNMENT).page.read_text()
    assert "cost at the peak" in page
    assert "max(zones)" not in page


def test_every_exercise_and_each_named_mistake_has_a_section_of_a_lesson():
    known = {exercise.id: exercise for exercise in ALL}
    for key in SECTIONS:
        exercise, _, mistake = key.partition("/")
        names = {mistake_name(one) for one in known[exercise].mistakes}
        assert not mistake or mistake in names, key
        lesson, heading = section_of(known[exercise].assignment, exercise, mistake)
        text = (COURSE / "course" / "text" / f"{lesson}.py").read_text(encoding="utf-8")
        assert not heading or re.search(rf"(?m)^##+ {re.escape(heading)}$", text), key
    assert set(known) <= set(SECTIONS)


def test_a_record_of_an_exercise_that_is_gone_has_no_section(graded, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(graded, course)
    one = records.read(course, ASSIGNMENT, "ada")
    assert one is not None
    gone = {**one.exercises, "05-gone": Judged(1, 4, ("forgotten",), "You said.")}
    records.write(course, replace(one, exercises=gone))
    assert (
        "forgotten" in report(course, ASSIGNMENT, output=Path(tmp_path / "there" / "r.html")).page.read_text()
    )
