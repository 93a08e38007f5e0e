"""Marks: what the gradebook says they are, in the form that each LMS reads."""

import csv
import io
import math
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from traitlets.config import Config

from mlsd_helpers import cli
from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading import marks
from mlsd_helpers.grading.lateness import LatePenalty
from mlsd_helpers.grading.marks import Mark, Marks, Student, as_csv
from mlsd_helpers.grading.spreadsheets import csv_of, neutral

ROOT = Path(__file__).parents[2]
DUE = datetime(2027, 3, 12, 18)  # noqa: DTZ001 - nbgrader keeps UTC without its zone
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Make a course with two assignments of 4 points: ada has 3 for one, bob 4 but late, eve submitted nothing."""
    monkeypatch.setattr("nbgrader.api.get_alembic_version", lambda: "any")  # it starts a process
    configuration = (ROOT / "nbgrader_config.py").read_text()
    (tmp_path / "nbgrader_config.py").write_text(f"{configuration}\nc.Term.late_per_day = 0.375\n")
    for name in ("04_patterns", "05_capacity"):
        (tmp_path / "release" / name).mkdir(parents=True)
        (tmp_path / "release" / name / f"{name}.ipynb").touch()
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "mlsd") as book:
        book.add_student(
            "ada", first_name="Ada", last_name="Lovelace", email="ada@example.org", lms_user_id="17"
        )
        book.add_student("bob")
        book.add_student("eve")
        for name in ("04_patterns", "05_capacity"):
            book.add_assignment(name, duedate=DUE)
            book.add_notebook(name, name)
            book.add_grade_cell("cell", name, name, max_score=4, cell_type="code")
        for student, score, at in (("ada", 3, DUE), ("bob", 4, DUE + timedelta(hours=3))):
            book.add_submission("05_capacity", student, timestamp=at)
            grade = book.find_grade("cell", "05_capacity", "05_capacity", student)
            grade.auto_score, grade.needs_manual_grade = score, False
        late = book.find_submission_notebook("05_capacity", "05_capacity", "bob")
        late.late_submission_penalty = 1.5
        book.db.commit()
    return tmp_path


def change(course, student, **fields):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        grade = book.find_grade("cell", "05_capacity", "05_capacity", student)
        for name, value in fields.items():
            setattr(grade, name, value)
        book.db.commit()


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def scores(course):
    found = rows(as_csv(marks.read(course, ["05_capacity"])))
    return {row["student_id"]: row["score"] for row in found}


def test_late_penalties_and_manual_grades_count_and_nothing_handed_in_is_no_zero(course):
    assert scores(course) == {"ada": "3.0", "bob": "2.5", "eve": ""}
    change(course, "ada", manual_score=1.0)
    assert scores(course)["ada"] == "1.0"
    assert marks.read(course, ["05_capacity"]).stale == ()


def test_a_score_that_is_changed_by_hand_changes_its_late_penalty(course, capsys):
    change(course, "bob", manual_score=2.0)
    found = marks.read(course, ["05_capacity"])
    assert scores(course)["bob"] == "1.25"  # 37.5 % off, and not the 1.5 points of before
    assert [mark.student.id for mark in found.stale] == ["bob"]
    (course / "course").mkdir()
    (course / "course/00_start_here.ipynb").touch()
    assert cli.main(["marks", "05_capacity", "--course", str(course)]) == 0
    assert "mlsd grade 05_capacity" in capsys.readouterr().err


def test_a_due_date_in_the_configuration_counts_at_once(course):
    setting = '\nc.Term.due = {"05_capacity": "2027-03-14"}\n'
    path = course / "nbgrader_config.py"
    path.write_text(path.read_text() + setting)
    assert scores(course)["bob"] == "4.0"


def exceptions(course, *lines):
    (course / "class").mkdir(exist_ok=True)
    text = "\n".join(["id,assignment,exception,value", *lines])
    (course / "class" / "exceptions.csv").write_text(text, encoding="utf-8-sig")


def test_one_students_extension_is_a_line(course):
    exceptions(course, "bob,05_capacity,extension,2027-03-14", "bob,04_patterns,extension,2027-03-01")
    assert scores(course) == {"ada": "3.0", "bob": "4.0", "eve": ""}
    exceptions(course, "bob,05_capacity,extension,2027-03-12 20:00")  # came an hour after that
    assert scores(course)["bob"] == "2.5"


def test_a_time_of_submission_that_an_instructor_gives_counts(course):
    exceptions(
        course, "bob,05_capacity,submitted,2027-03-12 17:59", "ada,05_capacity,submitted,2027-03-13 18:01"
    )
    assert scores(course) == {"ada": "0.75", "bob": "4.0", "eve": ""}  # two days begun


def test_a_member_of_a_group_has_the_mark_of_the_one_who_submitted(course, capsys):
    exceptions(course, "eve,05_capacity,group,bob", "ada,05_capacity,group,bob")
    assert scores(course) == {"ada": "2.5", "bob": "2.5", "eve": "2.5"}
    assert marks.read(course, ["05_capacity"]).ignored == (("05_capacity", "ada"),)


def test_who_is_excused_has_no_mark_and_canvas_hears_of_it(course):
    exceptions(course, "bob,05_capacity,excused,", "eve,05_capacity,excused,")
    assert scores(course) == {"ada": "3.0", "bob": "", "eve": ""}
    found = marks.read(course, ["05_capacity"])
    assert {row["student_id"]: row["excused"] for row in rows(as_csv(found))} == {
        "ada": "no",
        "bob": "yes",
        "eve": "yes",
    }
    canvas = {row["Student"]: row["05_capacity"] for row in rows(as_csv(found, "canvas"))}
    assert (canvas["bob"], canvas["eve"]) == ("EX", "EX")
    assert {
        row["Username"]: row["Assignment: 05_capacity (Real)"] for row in rows(as_csv(found, "moodle"))
    } == {
        "ada": "3.0",
        "bob": "",
        "eve": "",
    }


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("bobb,05_capacity,excused,", "Did you mean bob"),
        ("bob,05_capacty,excused,", "Did you mean 05_capacity"),
        ("bob,05_capacity,excuse,", "Did you mean excused"),
        ("bob,05_capacity,extension,soon", "extension is 'soon'"),
        ("bob,05_capacity,submitted,2027-03-12", "2027-03-12 17:55"),
        ("bob,05_capacity,group,bob", "whose submission counts"),
        ("bob,05_capacity,group,zoe", "whose submission counts"),
        (",05_capacity,excused,", "student is empty"),
        ("bob,05_capacity,extension,2027-03-14\nbob,05_capacity,extension,2027-03-15", "another extension"),
        ("bob,05_capacity,group,eve\neve,05_capacity,group,ada", "group of somebody else"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_what_to_write(course, line, named):
    exceptions(course, line)
    with pytest.raises(WorkspaceError, match=named):
        marks.read(course, ["05_capacity"])


def test_a_table_of_exceptions_needs_its_columns_and_may_come_from_a_european_spreadsheet(course):
    exceptions(course)
    path = course / "class" / "exceptions.csv"
    path.write_text("id;assignment;exception;value\nbob;05_capacity;excused;\n")
    assert scores(course)["bob"] == ""
    path.write_text("id,assignment,value\n")
    with pytest.raises(WorkspaceError, match="exception"):
        marks.read(course, ["05_capacity"])


def test_marks_are_rounded_as_the_term_says_and_a_half_goes_up(course):
    path = course / "nbgrader_config.py"
    before = path.read_text()
    for decimals, score in ((0, "3.0"), (1, "2.5"), (3, "2.456")):
        change(course, "ada", manual_score=2.5 if decimals < 3 else 2.4555)
        path.write_text(f"{before}c.Term.decimals = {decimals}\n")
        assert scores(course)["ada"] == score


def test_what_waits_for_a_manual_grade_says_so(course):
    assert [mark.student.id for mark in marks.read(course, ["05_capacity"]).marks if mark.waits] == []
    change(course, "ada", needs_manual_grade=True)
    assert [mark.student.id for mark in marks.read(course, ["05_capacity"]).waiting] == ["ada"]


def test_canvas_reads_its_columns_points_possible_and_students(course):
    table = list(
        csv.reader(io.StringIO(as_csv(marks.read(course, ["04_patterns", "05_capacity"]), "canvas")))
    )
    header, possible, *students = table
    # What lib/gradebook_importer.rb asks of a header: these, in this order, and Section last.
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "04_patterns", "05_capacity"]
    assert "Points Possible" in possible[0]
    assert possible[5:] == ["4.0", "4.0"]
    assert students[0] == ["Lovelace, Ada", "17", "", "ada", "", "", "3.0"]
    assert students[2] == ["eve", "", "", "eve", "", "", ""]


def canvas_id(**student):
    one = Student(**student)
    return rows(as_csv(Marks({}, (one,), ()), "canvas"))[1]["ID"]


def test_canvas_gets_no_number_that_is_not_its_own():
    assert canvas_id(id="canvas-4417") == "4417"
    assert canvas_id(id="canvas-4417", lms_user_id="9") == "9"
    assert canvas_id(id="4417") == ""  # some other number: a student's, or a university's
    assert canvas_id(id="ada", lms_user_id="4417abc") == ""  # Canvas would read 4417
    assert canvas_id(id="ada", lms_user_id="٤٤") == ""


def test_moodle_can_map_users_and_items(course):
    found = rows(as_csv(marks.read(course, ["05_capacity"]), "moodle"))
    assert found[0] == {
        "First name": "Ada",
        "Last name": "Lovelace",
        "ID number": "17",
        "Username": "ada",
        "Email address": "ada@example.org",
        "Assignment: 05_capacity (Real)": "3.0",
    }


def test_an_unknown_assignment_and_a_missing_gradebook_are_plain_errors(course, tmp_path):
    with pytest.raises(WorkspaceError, match="04_patterns"):
        marks.read(course, ["05_capacity", "09_none"])
    (course / "gradebook.db").unlink()
    with pytest.raises(WorkspaceError, match="no gradebook"):
        marks.read(course, ["05_capacity"])
    assert marks.students(course) == ()
    assert not (course / "gradebook.db").exists()


def test_a_gradebook_that_cannot_be_read_is_a_plain_error(course):
    (course / "gradebook.db").write_text("not a database at all, " * 100)
    with pytest.raises(WorkspaceError, match="can't be read"):
        marks.read(course, ["05_capacity"])


def test_the_command_prints_or_writes_them_and_says_what_waits(course, capsys):
    (course / "course").mkdir()
    (course / "course/00_start_here.ipynb").touch()
    change(course, "ada", needs_manual_grade=True)
    command = ["marks", "05_capacity", "--format", "moodle", "--course", str(course)]
    assert cli.main(command) == 0
    printed = capsys.readouterr()
    assert rows(printed.out) == rows(as_csv(marks.read(course, ["05_capacity"]), "moodle"))
    assert "manual" in printed.err
    elsewhere = f"sqlite:///{(course / 'gradebook.db').rename(course / 'moved.db')}"
    assert cli.main([*command, "--db", elsewhere, "--output", str(course / "marks.csv")]) == 0
    assert rows((course / "marks.csv").read_text()) == rows(printed.out)
    assert cli.main(command) == 2


@given(st.text(), st.text(), st.text())
def test_no_name_is_a_formula_in_any_style(identifier, first, last):
    student = Student(identifier, first, last, email=first, lms_user_id=last)
    marked = Marks({"a": 1.0}, (student,), (Mark("a", student, 1, 0, 1),))
    for style in marks.STYLES:
        for row in csv.reader(io.StringIO(as_csv(marked, style), newline="")):
            assert not any(cell.lstrip()[:1] in set("=+-@＝＋－＠") and cell for cell in row)
            assert not any(cell[:1] in set("\t\r\n") and cell for cell in row)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_harmless_text_comes_back_as_it_was(text):
    written = csv_of(["text"], [[text]])
    read = next(csv.DictReader(io.StringIO(written, newline="")), {"text": ""})["text"]
    assert read in {text, f"'{text}"}
    assert read == neutral(text)


@pytest.mark.parametrize("text", ["=1+1", " =1+1", "\u00a0@x", "-2", "\tx", "＝1", "+1"])
def test_what_a_spreadsheet_would_run_starts_with_an_apostrophe(text):
    assert neutral(text) == f"'{text}"


def test_a_number_stays_a_number_and_loses_what_is_noise():
    assert csv_of(["n"], [[-1.5], [0.1 + 0.2]]) == "n\r\n-1.5\r\n0.3\r\n"


@pytest.mark.parametrize(
    "row",
    [
        {"manual_score": 1e308},
        {"manual_score": float("inf")},
        {"extra_credit": -1e308},
        {"auto_score": float("nan")},
        {"manual_score": 500},
    ],
)
@pytest.mark.parametrize("style", marks.STYLES)
def test_a_score_that_makes_no_sense_is_named_with_its_student_and_none_is_exported(
    course, row, style, capsys
):
    (course / "course").mkdir()
    (course / "course/00_start_here.ipynb").touch()
    change(course, "bob", **row)
    assert cli.main(["marks", "05_capacity", "--format", style, "--course", str(course)]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "bob" in printed.err
    assert "ada" not in printed.err
    assert "formgrader" in printed.err


def test_a_score_that_is_no_number_is_named_with_its_student(course):
    with sqlite3.connect(course / "gradebook.db") as book:
        book.execute("update grade set manual_score = 'many' where auto_score = 4")
    with pytest.raises(WorkspaceError, match="bob"):
        marks.read(course, ["05_capacity"])


@pytest.mark.parametrize("penalty", [float("inf"), 1e308, -1e9])
def test_a_late_penalty_that_makes_no_sense_in_the_gradebook_is_computed_anew(course, penalty):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        late = book.find_submission_notebook("05_capacity", "05_capacity", "bob")
        late.late_submission_penalty = penalty
        book.db.commit()
    assert scores(course)["bob"] == "2.5"
    assert [mark.student.id for mark in marks.read(course, ["05_capacity"]).stale] == ["bob"]


class NoNumber(LateSubmissionPlugin):
    """A plugin that computes nonsense."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return float("nan")


def test_a_late_penalty_that_is_no_number_is_named_with_its_student():
    config = Config()
    config.AssignLatePenalties.plugin_class = NoNumber
    assert math.isnan(LatePenalty(config).of("bob", 4.0, 60.0))


@pytest.mark.parametrize("points", [float("inf"), 1e308, 1e-308, -1.0])
def test_points_that_make_no_sense_are_named_with_their_exercise(course, points):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        book.find_grade_cell("cell", "05_capacity", "05_capacity").max_score = points
        book.db.commit()
    with pytest.raises(WorkspaceError, match="cell has"):
        marks.read(course, ["05_capacity"])


def test_extra_credit_and_points_taken_off_are_marks(course):
    change(course, "ada", extra_credit=20)
    change(course, "bob", manual_score=-3)
    assert scores(course) == {"ada": "23.0", "bob": "0.0", "eve": ""}


@pytest.mark.parametrize("style", marks.STYLES)
def test_a_table_has_a_line_a_row_and_no_control_characters(style):
    odd = "x\n9,=evil\x1b[2K\x9b\u202e\u2028\ud800"
    student = Student(odd, odd, odd, odd, odd)
    text = as_csv(Marks({"a": 1.0}, (student,), (Mark("a", student, 1, 0, 1),)), style)
    assert len(text.splitlines()) == len(list(csv.reader(io.StringIO(text))))
    assert not set(text) & set("\x1b\x9b\u202e\u2028\ud800")


def test_a_number_that_is_not_finite_is_no_value():
    assert csv_of(["n"], [[float("inf"), float("nan"), 1.0]]) == "n\r\n,,1.0\r\n"
