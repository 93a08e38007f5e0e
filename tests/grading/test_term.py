"""A term's settings: what can't be right is said, dates reach the gradebook, and points leave the judge alone."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from mlsd_helpers import cli
from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading import marks, release
from mlsd_helpers.grading.returning import zip_feedback
from mlsd_helpers.grading.term import Term, read

ROOT = Path(__file__).parents[2]
NAME = "05_capacity"
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own


@pytest.fixture
def course(tmp_path):
    """Make a course of one assignment; `settle` adds lines to its configuration."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "source" / NAME, tmp_path / "source" / NAME)
    return tmp_path


def settle(course, *lines):
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\n".join(["", *lines, ""]))
    return course


def book(course):
    return Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd")


# ---------------------------------------------------------------- what can't be right


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('c.Term.due = {"05_capcity": "2027-03-12"}', ["c.Term.due", "05_capcity", "05_capacity"]),
        ('c.Term.due = {"05-plan": "2027-03-12"}', ["c.Term.due", "05-plan"]),
        ('c.Term.due = {"05_capacity": "12.3.2027"}', ["c.Term.due['05_capacity']", "2027-03-12 18:00"]),
        ('c.Term.due = {"05_capacity": 20270312}', ["c.Term.due['05_capacity']", "2027-03-12 18:00"]),
        ('c.Term.due = "2027-03-12"', ["due", "dict"]),
        ('c.Term.points = {"05-pln": 3}', ["c.Term.points", "05-pln", "05-plan"]),
        ('c.Term.points = {"05-plan": -1}', ["c.Term.points['05-plan']", "-1"]),
        ('c.Term.points = {"05-plan": "3"}', ["c.Term.points['05-plan']", "'3'"]),
        ('c.Term.points = {"05-plan": True}', ["c.Term.points['05-plan']", "True"]),
        ('c.Term.points = {"05-plan": float("nan")}', ["c.Term.points['05-plan']", "nan"]),
        ('c.Term.points = {"05-plan": 1e308}', ["c.Term.points['05-plan']", "1e+308"]),
        ("c.Term.late_per_day = 10", ["c.Term.late_per_day", "10", "0.1"]),
        ('c.Term.timezone = "Berlin"', ["c.Term.timezone", "'Berlin'", "Europe/Berlin"]),
        ('c.Term.timezone = "../etc/passwd"', ["c.Term.timezone"]),
        ("c.Term.dues = {}", ["c.Term.dues", "due"]),
        ("c.Term.due = {", ["SyntaxError", "line"]),
        ("c.Term.due = duee", ["NameError", "duee", "line"]),
    ],
)
def test_a_setting_that_cannot_be_right_names_the_file_the_key_and_what_is_expected(course, line, says):
    with pytest.raises(WorkspaceError) as raised:
        read(settle(course, line))
    for word in ["nbgrader_config.py", *says]:
        assert word in str(raised.value)


def test_a_mistake_stops_a_release_before_anything_is_written(course, capsys):
    settle(course, 'c.Term.due = {"05_capcity": "2027-03-12"}')
    assert cli.main(["release", "--course", str(course)]) == 2
    assert "05_capcity" in capsys.readouterr().err
    assert not (course / "release").exists()
    assert not (course / "gradebook.db").exists()


def test_the_committed_configuration_sets_nothing_for_anybody():
    term = read(ROOT)
    assert (term.due, term.points, term.late_per_day) == ({}, {}, 0)


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2027-03-12 18:00", datetime(2027, 3, 12, 17, tzinfo=UTC)),
        ("2027-07-12T18:00", datetime(2027, 7, 12, 16, tzinfo=UTC)),  # summer time
        ("2027-03-12", datetime(2027, 3, 12, 22, 59, 59, tzinfo=UTC)),
        ("2027-03-12 18:00-05:00", datetime(2027, 3, 12, 23, tzinfo=UTC)),
        (datetime(2027, 3, 12, 18, tzinfo=ZoneInfo("UTC")), datetime(2027, 3, 12, 18, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_date_is_in_the_terms_zone_and_a_day_ends_at_its_end(given, utc):
    assert Term(timezone="Europe/Berlin", due={NAME: given}).due_at(NAME) == utc


def due(course):
    with book(course) as there:
        return there.find_assignment(NAME).duedate


@pytest.mark.thorough
def test_each_release_enters_the_date_and_what_the_term_leaves_open_stays(course):
    assert not release.release(course, NAME).problem
    assert due(course) is None
    settle(course, f"c.Term.due = {{'{NAME}': '2027-03-12 18:00'}}")
    assert not release.release(course, NAME).problem
    assert due(course).isoformat() == "2027-03-12T18:00:00"
    settle(course, "c.Term.due = {}")
    assert not release.release(course, NAME).problem
    assert due(course).isoformat() == "2027-03-12T18:00:00"
    settle(course, f"c.Term.due = {{'{NAME}': None}}")
    assert not release.release(course, NAME).problem
    assert due(course) is None


def test_a_comparison_enters_no_date(course):
    settle(course, f"c.Term.due = {{'{NAME}': '2027-03-12 18:00'}}")
    release.compare(course, NAME)
    assert not (course / "gradebook.db").exists()


# ---------------------------------------------------------------- lateness


@pytest.mark.parametrize(
    ("seconds", "lost"), [(1, 2), (86_400, 2), (86_401, 4), (9.5 * 86_400, 20), (90 * 86_400, 20)]
)
def test_each_day_begun_costs_its_share_and_never_more_than_all(seconds, lost):
    assert Term(late_per_day=0.1).late_submission_penalty("ada", 20, seconds) == pytest.approx(lost)


def test_without_a_share_nbgraders_own_setting_counts():
    assert Term().late_submission_penalty("ada", 20, 90) is None
    assert Term(penalty_method="zero").late_submission_penalty("ada", 20, 90) == 20


# ---------------------------------------------------------------- points

POINTS = st.floats(0.5, 100)


@given(most=st.lists(POINTS, min_size=1, max_size=8), counts=st.lists(POINTS, max_size=8), whole=POINTS)
def test_full_scores_come_to_the_points_of_the_term_and_shares_stay(most, counts, whole):
    cells = [(f"e{number}", points) for number, points in enumerate(most)]
    own = {f"e{number}": points for number, points in enumerate(counts[: len(most)])}
    weights = Term(points=own).weights("a", cells)
    assert all(points * weights[name] == pytest.approx(own.get(name, points)) for name, points in cells)
    scaled = Term(points={**own, "a": whole}).weights("a", cells)
    assert sum(points * scaled[name] for name, points in cells) == pytest.approx(whole)
    ratios = [scaled[name] / weights[name] for name, _ in cells]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))


def test_what_counts_nothing_and_an_exercise_without_points_divide_nothing():
    assert Term(points={"a": 10, "e": 0}).weights("a", [("e", 2.0)]) == {"e": 0}
    assert Term(points={"e": 5}).weights("a", [("e", 0.0), ("f", 1.0)]) == {"e": 1, "f": 1}


def test_marks_are_in_the_terms_points_and_lateness_takes_the_same_share(course, monkeypatch):
    monkeypatch.setattr("nbgrader.api.get_alembic_version", lambda: "any")  # it starts a process
    with book(course) as there:
        there.add_student("ada")
        due = datetime(2027, 3, 12, 18)  # noqa: DTZ001 - nbgrader keeps UTC without its zone
        there.add_assignment(NAME, duedate=due)
        there.add_notebook(NAME, NAME)
        for cell, most in (("05-plan", 4), ("05-audit", 6)):
            there.add_grade_cell(cell, NAME, NAME, max_score=most, cell_type="code")
        there.add_submission(NAME, "ada", timestamp=due + timedelta(hours=2))
        for cell, score in (("05-plan", 3), ("05-audit", 6)):
            grade = there.find_grade(cell, NAME, NAME, "ada")
            grade.auto_score, grade.needs_manual_grade = score, False
        there.db.commit()
    settle(course, f'c.Term.points = {{"{NAME}": 70, "05-plan": 8}}\nc.Term.late_per_day = 0.1')
    found = marks.read(course, [NAME])
    assert found.assignments == {NAME: pytest.approx(70)}
    (mark,) = found.marks
    assert (mark.points, mark.late_penalty, mark.score) == pytest.approx((60, 6, 54))


# ---------------------------------------------------------------- pages on their way back


def names_in(course, folder, *students):
    for student in students:
        page = course / "feedback" / student / NAME / f"{NAME}.html"
        page.parent.mkdir(parents=True)
        page.write_text(student)
    return zip_feedback(course, NAME, folder, course / "feedback.zip")


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


def test_a_page_goes_back_under_the_name_that_canvas_or_moodle_gave(course):
    folder = course / "downloads"
    put(folder / "adal_LATE_17_90_my work.ipynb")
    put(folder / "Bob Ross_5_assignsubmission_file_" / f"{NAME}.ipynb")
    done = names_in(course, folder, "canvas-17", "Bob_Ross")
    assert set(done.pages) == {
        f"adal_LATE_17_90_{NAME}.html",
        f"Bob Ross_5_assignsubmission_file_/{NAME}.html",
    }


def test_a_page_of_a_zipped_submission_goes_back_under_the_name_of_its_zip(course):
    work = course / "work"
    put(work / f"{NAME}.ipynb")
    (course / "downloads").mkdir()
    shutil.make_archive(str(course / "downloads" / "adal_17_90_work"), "zip", work)
    shutil.make_archive(str(course / "all"), "zip", course / "downloads")
    for folder in (course / "downloads", course / "all.zip"):
        done = zip_feedback(course, NAME, folder, course / "feedback.zip")
        assert done.missing == ("canvas-17",)
    assert set(names_in(course, course / "all.zip", "canvas-17").pages) == {f"adal_17_90_{NAME}.html"}


def test_a_page_never_goes_back_under_a_name_that_stands_in_a_zipped_submission(course):
    work = course / "work"
    put(work / f"bobr_18_91_{NAME}.ipynb")
    put(work / f"Bob Ross_5_assignsubmission_file_/{NAME}.ipynb")
    (course / "downloads").mkdir()
    shutil.make_archive(str(course / "downloads" / "adal_17_90_work"), "zip", work)
    assert set(names_in(course, course / "downloads", "canvas-17").pages) == {f"adal_17_90_{NAME}.html"}
