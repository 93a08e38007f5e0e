"""A class, graded: the scores deserved, nothing lost, nothing touched that did not change."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook

from mlsd_helpers import cli
from mlsd_helpers.errors import GradingError, WorkspaceError
from mlsd_helpers.grading import end_to_end, grade, judging, marks, records
from mlsd_helpers.grading.classroom import absent, grade_class
from mlsd_helpers.grading.converting import SubmissionConverter
from mlsd_helpers.grading.grade import Grader, Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from tests.grading.conftest import ASSIGNMENT
from tests.support.hidden import shows_hidden_check

pytestmark = pytest.mark.end_to_end

FEW = ("reference", "mistaken-1", "blank")
KINDS = (*FEW, "alternative-1", "alternative-2", "mistaken-2", "syntax-error", "exception")
"""Whom nbgrader grades too: one or two of each kind, since a kernel takes seconds."""


@pytest.fixture(scope="module")
def sandbox():
    return choose_sandbox(unsafe=True)


def run(course, sandbox, **options):
    options = {"workers": 0, "seed": 7} | options  # the same cases each time, made once
    parts = {name: options.pop(name) for name in ("workers", "dask", "say") if name in options}
    job = Job(course, ASSIGNMENT, sandbox, **options)
    return grade_class(job, grade.students(job), **parts)


def contents(course, *steps):
    return {
        path.relative_to(course).as_posix(): (path.stat().st_mtime_ns, path.stat().st_ino)
        for step in steps
        for path in (course / step).rglob("*")
        if path.is_file()
    }


def rows(course):
    """Everything that nbgrader's gradebook says of a class, without its keys and clocks."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        return {
            (submission.student.id, notebook.name): {
                "late": submission.total_seconds_late,
                "failed": notebook.failed_tests,
                "needs": notebook.needs_manual_grade,
                "grades": [
                    (g.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade, g.max_score)
                    for g in sorted(notebook.grades, key=lambda g: g.name)
                ],
                "comments": [
                    (c.name, c.auto_comment, c.manual_comment)
                    for c in sorted(notebook.comments, key=lambda c: c.name)
                ],
            }
            for submission in book.assignment_submissions(ASSIGNMENT)
            for notebook in submission.notebooks
        }


# ---- where no process can be forked ---------------------------------------------------------------


def test_grading_can_be_imported_where_there_is_no_posix():
    without = """
import ctypes, sys
sys.modules.update(dict.fromkeys(("resource", "fcntl", "termios", "multiprocessing.forkserver")))
class Library(ctypes.CDLL):
    def __init__(self, name, *rest, **options):
        if name is None:
            raise TypeError("no such library")
        super().__init__(name, *rest, **options)
ctypes.CDLL = Library
import mlsd_helpers.grading.end_to_end
"""
    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_forks_nbgraders_own_kernels_give_the_same_scores(course_of, handed_in_once):
    names = "reference", "mistaken-1", "blank", "syntax-error"
    deserved = {one.student: dict(one.scores) for one in handed_in_once[1] if one.student in names}
    course = course_of(*names)
    summary = run(course, "stock")
    assert end_to_end.marks(course, ASSIGNMENT) == deserved
    judged = [one for result in summary.results for one in result.record.exercises.values()]
    assert not any(one.by_judge for one in judged)
    assert any("inside the student's process" in line for line in summary.lines())


def test_a_kernel_that_ends_has_a_result_that_says_so(course_of):
    course = course_of("blank")
    path = course / "submitted" / "blank" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution"))
    first.source = "import os\nos._exit(1)"
    nbformat.write(notebook, path)
    (result,) = run(course, "stock").results
    assert result.record.status == records.FAILED
    assert "did not run to its end" in result.record.reason
    assert sum(end_to_end.marks(course, ASSIGNMENT)["blank"].values()) == 0


def test_code_that_did_not_run_is_told_from_an_exercise_that_was_left_as_it_came(course_of, sandbox):
    course = course_of("blank", "syntax-error")
    emptied, broken = (
        course / "submitted" / name / ASSIGNMENT / f"{ASSIGNMENT}.ipynb" for name in ("blank", "syntax-error")
    )
    for path, source in ((emptied, ""), (broken, "def plan(:\n    return 3")):
        notebook = nbformat.read(path, as_version=4)
        answer = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution"))
        answer.source = source
        nbformat.write(notebook, path)
    blank, crashed = (result.record.exercises for result in run(course, sandbox).results)
    assert not any(one.attempted for one in blank.values())
    assert all(one.ran for one in blank.values())
    first = next(iter(crashed.values()))
    assert (first.attempted, first.ran) == (False, False)
    assert "Did not run" in end_to_end.feedback_page(course, "syntax-error", ASSIGNMENT).read_text()
    assert "Did not run" not in end_to_end.feedback_page(course, "blank", ASSIGNMENT).read_text()


# ---- beside nbgrader ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(handed_in_once, sandbox, tmp_path_factory):
    """One class, graded by ours, and its `KINDS` by nbgrader's commands."""
    root, students = handed_in_once
    stock, ours = (tmp_path_factory.mktemp(name) / "course" for name in ("stock", "ours"))
    for course in (stock, ours):
        shutil.copytree(root, course)
        late = course / "submitted" / "reference" / ASSIGNMENT / "timestamp.txt"
        late.write_text("2030-01-01 00:00:00 UTC")
        (late.parent / "data.csv").write_text("a,b\n1,2\n")
    for folder in (stock / "submitted").iterdir():
        if folder.name not in KINDS:
            shutil.rmtree(folder)
    end_to_end.nbgrader(stock, "autograde", ASSIGNMENT)
    end_to_end.nbgrader(stock, "generate_feedback", ASSIGNMENT)
    summary = run(ours, sandbox, workers=2)
    return stock, ours, students, summary


def test_honest_work_gets_the_score_it_deserves(both):
    *_, students, summary = both
    given = {one.student: {k: j.score for k, j in one.record.exercises.items()} for one in summary.results}
    assert given == {one.student: dict(one.scores) for one in students}
    assert not summary.errors


def test_each_known_mistake_is_on_record_by_its_name(both):
    *_, summary = both
    record = next(one.record for one in summary.results if one.student == "mistaken-1")
    assert all(judged.mistakes for judged in record.exercises.values() if judged.score < judged.points)


def test_the_gradebook_has_the_rows_that_nbgrader_writes(both):
    stock, ours, *_ = both
    assert {key: row for key, row in rows(ours).items() if key[0] in KINDS} == rows(stock)


def test_the_folders_have_the_files_that_nbgrader_writes_but_for_those_of_students(both):
    stock, ours, *_ = both
    for step in ("autograded", "feedback"):
        modes = [
            {
                path.relative_to(course): path.stat().st_mode
                for student in KINDS
                for path in (course / step / student).rglob("*")
                if path.name != "data.csv"
            }
            for course in (stock, ours)
        ]
        assert modes[0] == modes[1]
    assert not list((ours / "autograded").rglob("data.csv"))  # formgrader would serve it to a browser


def plain(path):
    """Read a graded notebook without what differs each time: times, random cases, the names of temporary files."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                output.traceback = []
                output.evalue = re.sub(r"\(.*\)", "", output.evalue)
            elif "text/markdown" in output.get("data", {}):
                output.data = {kind: text.partition("\n")[0] for kind, text in output.data.items()}
    return notebook


@pytest.mark.parametrize("student", ["reference", "alternative-1", "blank", "exception"])
def test_the_graded_notebook_is_the_one_that_nbgrader_writes(both, student):
    stock, ours, *_ = both
    one, other = (
        plain(c / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb") for c in (stock, ours)
    )
    assert other == one


@pytest.mark.parametrize("student", ["reference", "blank"])
def test_the_feedback_page_is_to_a_parser_the_one_that_nbgrader_writes(both, student):
    stock, ours, *_ = both
    pages = []
    for course in (stock, ours):
        page = BeautifulSoup(
            end_to_end.feedback_page(course, student, ASSIGNMENT).read_text(encoding="utf-8"), "html.parser"
        )
        for shown in page.select(".output"):  # a verdict names a case, which differs
            shown.clear()
        pages.append(str(page).replace("\n", ""))
    assert pages[0] == pages[1]


def test_the_feedback_page_names_the_mistake(both):
    _, ours, students, _ = both
    mistaken = next(one for one in students if one.student == "mistaken-1")
    page = re.sub(
        r"\s+", " ", end_to_end.feedback_page(ours, "mistaken-1", ASSIGNMENT).read_text(encoding="utf-8")
    )
    first = next(iter(mistaken.feedback.values()))
    assert first.partition("*")[0][:60] in page
    assert not shows_hidden_check(page)


# ---- again ----------------------------------------------------------------------------------------


def test_a_second_run_leaves_alone_what_is_graded(course_of, sandbox):
    course = course_of(*FEW)
    run(course, sandbox)
    before = contents(course, "autograded", "feedback", "verdicts")
    assert [one.changed for one in run(course, sandbox).results] == [False] * 3
    assert contents(course, "autograded", "feedback", "verdicts") == before


def test_a_new_submission_is_graded_and_nobody_elses(course_of, sandbox):
    course = course_of(*FEW)
    run(course, sandbox)
    shutil.copy(
        course / "submitted" / "reference" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb",
        course / "submitted" / "blank" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb",
    )
    summary = run(course, sandbox)
    assert [one.student for one in summary.results if one.changed] == ["blank"]
    assert end_to_end.marks(course, ASSIGNMENT)["blank"] == end_to_end.marks(course, ASSIGNMENT)["reference"]


@pytest.fixture
def harsher(monkeypatch):
    """Change a rule: one exercise gives nothing any more."""
    judge = judging.kit.judge

    def changed(exercise, answer, **options):
        verdict = judge(exercise, answer, **options)
        return replace(verdict, score=0.0, passed=False) if exercise.id == "05-plan" else verdict

    def apply():
        monkeypatch.setattr(judging.kit, "judge", changed)
        monkeypatch.setattr(grade, "_code", lambda: "other rules")

    return apply


def test_a_changed_rule_writes_only_what_it_changes(course_of, sandbox, harsher):
    course = course_of(*FEW)
    run(course, sandbox)
    before = contents(course, "autograded", "feedback")
    harsher()
    shown = run(course, sandbox, dry_run=True)
    assert [line.split(":")[0] for line in shown.differences()] == [
        "mistaken-1 05-plan",
        "reference 05-plan",
    ] or [line.split(":")[0] for line in shown.differences()] == ["reference 05-plan"]
    assert contents(course, "autograded", "feedback") == before
    changed = {one.student for one in run(course, sandbox).results if one.changed}
    assert "blank" not in changed
    after = contents(course, "autograded", "feedback")
    assert {name.split("/")[1] for name in before if before[name] != after[name]} == changed
    assert end_to_end.marks(course, ASSIGNMENT)["reference"]["05-plan"] == 0


def submission_times(course, **times):
    for student, time in times.items():
        (course / "submitted" / student / ASSIGNMENT / "timestamp.txt").write_text(f"{time} UTC")


def due(course, date):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate=date)


def test_a_moved_due_date_changes_those_whom_it_concerns(course_of, sandbox):
    course = course_of(*FEW)
    submission_times(course, reference="2027-03-10 12:00", blank="2027-03-01 12:00")
    due(course, "2027-03-09 12:00")
    run(course, sandbox)
    assert {who: said["late"] for (who, _), said in rows(course).items()} == {
        "reference": 86_400,
        "blank": 0,
        "mistaken-1": 0,
    }
    due(course, "2027-03-10 12:00")
    assert list(run(course, sandbox, dry_run=True).differences()) == ["reference: 24.0 h late → on time"]
    assert [one.student for one in run(course, sandbox).results if one.changed] == ["reference"]
    assert {said["late"] for said in rows(course).values()} == {0}


def test_an_extension_counts(course_of, sandbox):
    course = course_of("reference")
    submission_times(course, reference="2027-03-10 12:00")
    due(course, "2027-03-09 12:00")
    run(course, sandbox)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        book.find_submission(ASSIGNMENT, "reference").extension = timedelta(days=2)
        book.db.commit()
    assert list(run(course, sandbox).differences()) == ["reference: 24.0 h late → on time"]


def test_another_price_of_lateness_changes_who_is_late(course_of, sandbox):
    course = course_of("reference", "blank")
    submission_times(course, reference="2027-03-10 12:00", blank="2027-03-01 12:00")
    due(course, "2027-03-09 12:00")
    run(course, sandbox)
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text().replace("late_per_day = 0.0", "late_per_day = 0.25"))
    assert [one.student for one in run(course, sandbox).results if one.changed] == ["reference"]
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        notebook = book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "reference")
        assert notebook.late_submission_penalty == notebook.score / 4


def settle(course, *lines):
    config = course / "nbgrader_config.py"
    config.write_text("\n".join([config.read_text(), *lines, ""]))


def exceptions(course, *lines):
    (course / "class").mkdir(exist_ok=True)
    text = "\n".join(["id,assignment,exception,value", *lines])
    (course / "class" / "exceptions.csv").write_text(text)


def test_a_due_date_in_the_configuration_counts_at_once_and_a_dry_run_leaves_the_gradebook_alone(
    course_of, sandbox
):
    course = course_of("reference")
    submission_times(course, reference="2027-03-10 12:00")
    run(course, sandbox)
    settle(course, f'c.Term.due = {{"{ASSIGNMENT}": "2027-03-09 12:00"}}')
    assert list(run(course, sandbox, dry_run=True).differences()) == ["reference: on time → 24.0 h late"]
    assert [said["late"] for said in rows(course).values()] == [0]
    run(course, sandbox)
    assert [said["late"] for said in rows(course).values()] == [86_400]


def test_a_line_gives_one_student_an_extension_and_taking_it_away_takes_it_back(course_of, sandbox):
    course = course_of("reference", "blank")
    submission_times(course, reference="2027-03-10 12:00", blank="2027-03-10 12:00")
    settle(course, f'c.Term.due = {{"{ASSIGNMENT}": "2027-03-09 12:00"}}', "c.Term.late_per_day = 0.25")
    exceptions(course, f"reference,{ASSIGNMENT},extension,2027-03-10")
    run(course, sandbox)
    assert {who: said["late"] for (who, _), said in rows(course).items()} == {"reference": 0, "blank": 86_400}
    exceptions(course)
    assert list(run(course, sandbox).differences()) == ["reference: on time → 24.0 h late"]
    exceptions(course, f"nobody,{ASSIGNMENT},excused,")
    with pytest.raises(WorkspaceError, match="no student nobody"):
        run(course, sandbox)


def test_where_lateness_has_a_price_a_time_that_is_not_known_costs_nothing_and_is_said(course_of, sandbox):
    course = course_of("reference", "blank")
    submission_times(course, blank="2027-03-10 12:00")
    settle(course, f'c.Term.due = {{"{ASSIGNMENT}": "2027-03-09 12:00"}}')
    assert "not known" not in "\n".join(run(course, sandbox).lines())  # lateness costs nothing
    settle(course, "c.Term.late_per_day = 0.25")
    summary = run(course, sandbox)
    assert ["reference" in line for line in summary.lines() if "is not known" in line] == [True]
    exceptions(course, f"reference,{ASSIGNMENT},submitted,2027-03-09 13:00")
    summary = run(course, sandbox)
    assert list(summary.differences()) == [
        "reference: on time → 1.0 h late",
        "reference: it is now known when it was submitted",
    ]
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        notebook = book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "reference")
        assert notebook.late_submission_penalty == notebook.score / 4


def test_who_submitted_nothing_is_named_unless_excused_or_in_a_group(course_of, sandbox):
    course = course_of("reference")
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        for student in ("ada", "bob", "eve", "kim"):
            book.add_student(student)
    exceptions(
        course,
        f"ada,{ASSIGNMENT},excused,",
        f"bob,{ASSIGNMENT},group,reference",
        f"kim,{ASSIGNMENT},group,eve",
    )
    assert absent(Job(course, ASSIGNMENT, sandbox)) == ["eve", "kim"]


def test_a_score_changed_by_hand_changes_its_penalty_and_page_and_waits_for_nobody_again(
    course_of, sandbox, harsher
):
    course = course_of("mistaken-1")
    submission_times(course, **{"mistaken-1": "2027-03-10 12:00"})
    settle(course, f'c.Term.due = {{"{ASSIGNMENT}": "2027-03-09 12:00"}}', "c.Term.late_per_day = 0.25")
    run(course, sandbox)
    where = (ASSIGNMENT, ASSIGNMENT, "mistaken-1")
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        grade_of = book.find_grade("05-audit", *where)
        grade_of.manual_score, grade_of.needs_manual_grade = 1.5, False
        book.db.commit()
    harsher()
    for _ in range(2):  # for the rule and the score, and then for nothing
        run(course, sandbox)
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
            notebook = book.find_submission_notebook(*where)
            assert notebook.late_submission_penalty == notebook.score / 4
            assert not notebook.needs_manual_grade
        assert marks.read(course, [ASSIGNMENT]).stale == ()
    assert [one.changed for one in run(course, sandbox).results] == [False]
    submission = course / "submitted" / "mistaken-1" / ASSIGNMENT
    (submission / "more.csv").write_text("a,b")  # another submission has to be looked at again
    run(course, sandbox)
    assert rows(course)["mistaken-1", ASSIGNMENT]["needs"]


def test_flags_are_shown_once(course_of, sandbox):
    course = course_of("blank")
    path = course / "submitted" / "blank" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.with_name("odd").symlink_to(path)
    assert any("look at blank" in line for line in run(course, sandbox).lines())
    again = list(run(course, sandbox).lines())
    assert not any("look at blank" in line for line in again)
    assert any("report" in line and "blank" in line for line in again)


def test_a_dry_run_writes_nothing(course_of, sandbox):
    course = course_of(*FEW)
    summary = run(course, sandbox, dry_run=True)
    assert len(summary.results) == 3
    assert not (course / "autograded").exists()
    assert not (course / "verdicts").exists()
    assert rows(course) == {}


def test_an_answer_that_is_submitted_again_meets_the_same_cases(course_of, sandbox):
    course = course_of("blank")
    run(course, sandbox, seed=None)
    before = records.read(course, ASSIGNMENT, "blank").seed
    notebook = course / "submitted" / "blank" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook.write_text(notebook.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert run(course, sandbox, seed=None, again=True).results
    assert records.read(course, ASSIGNMENT, "blank").seed == before


def test_manual_scores_and_comments_survive_a_regrade(course_of, sandbox):
    course = course_of("mistaken-1")
    run(course, sandbox)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        where = (ASSIGNMENT, ASSIGNMENT, "mistaken-1")
        book.find_grade("05-plan", *where).manual_score = 3.5
        book.find_grade("05-plan", *where).extra_credit = 1
        book.find_comment("05-plan-answer", *where).manual_comment = "Well reasoned."
        book.db.commit()
    run(course, sandbox, again=True)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        kept = book.find_grade("05-plan", *where)
        assert (kept.manual_score, kept.extra_credit) == (3.5, 1)
        assert book.find_comment("05-plan-answer", *where).manual_comment == "Well reasoned."
        assert book.find_grade("05-audit", *where).manual_score is None


# ---- when something is in the way -----------------------------------------------------------------


def test_a_full_disk_ends_the_run_with_what_to_do_and_the_next_run_goes_on(course_of, sandbox, monkeypatch):
    course = course_of(*FEW)
    publish = SubmissionConverter.publish
    published = []

    def full(self, student):
        if published:
            raise OSError(28, "No space left on device")
        published.append(student)
        publish(self, student)

    with monkeypatch.context() as patch:
        patch.setattr(SubmissionConverter, "publish", full)
        with pytest.raises(GradingError, match="again"):
            run(course, sandbox)
    assert len(list(records.all_of(course, ASSIGNMENT))) == 1
    assert not (course / grade.WORK).exists()
    assert [one.changed for one in run(course, sandbox).results].count(False) == 1
    assert len(list(records.all_of(course, ASSIGNMENT))) == 3


def test_a_gradebook_that_stays_locked_ends_the_run_and_leaves_no_half_result(course_of, sandbox):
    course = course_of("reference")
    url = f"sqlite:///{course / 'gradebook.db'}?timeout=0.2"
    run(course, sandbox, db_url=url, dry_run=True)
    holder = sqlite3.connect(course / "gradebook.db")
    job = Job(course, ASSIGNMENT, sandbox, url)
    grader = Grader(job)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        from mlsd_helpers.grading.classroom import _graded

        with pytest.raises(GradingError, match="gradebook"):
            _graded(grader, "reference")
    finally:
        grader.close()
        holder.close()
    assert not (course / "autograded").exists()
    assert not (course / "feedback").exists()
    assert [one.changed for one in run(course, sandbox, db_url=url).results] == [True]


def test_a_second_run_at_the_same_time_is_refused(course_of, sandbox):
    course = course_of("blank")
    with pytest.raises(GradingError, match="Another"):
        run(course, sandbox, say=lambda _: run(course, sandbox))


def test_what_is_not_released_is_said_with_the_command_that_does_it(course_of, sandbox):
    course = course_of("blank")
    with pytest.raises(GradingError, match="mlsd release 04_patterns"):
        grade_class(Job(course, "04_patterns", sandbox), ["blank"], workers=1)


def test_a_failure_with_one_submission_does_not_stop_the_others(course_of, sandbox, monkeypatch):
    course = course_of(*FEW)
    restore = grade.restore

    def broken(released, path, *rest):
        if "blank" in path.parts:
            raise ZeroDivisionError
        return restore(released, path, *rest)

    monkeypatch.setattr(grade, "restore", broken)
    summary = run(course, sandbox)
    assert [one.student for one in summary.errors] == ["blank"]
    assert set(end_to_end.marks(course, ASSIGNMENT)) == {"reference", "mistaken-1"}


def test_names_that_are_no_patterns_and_no_ascii_are_students(course_of, sandbox):
    course = course_of("blank")
    names = ["[abc]*", "Zoë O'Neil", "名前"]
    for name in names:
        shutil.copytree(course / "submitted" / "blank", course / "submitted" / name)
    run(course, sandbox)
    assert set(end_to_end.marks(course, ASSIGNMENT)) == {"blank", *names}
    assert (
        json.loads((course / "verdicts" / ASSIGNMENT / "名前.json").read_text(encoding="utf-8"))["student"]
        == "名前"
    )


@pytest.mark.parametrize(
    "part", ["analysis/sizing.py", "cases/harbour_pay.yaml", "grading/judging.py", "units.py"]
)
def test_whatever_a_score_depends_on_is_a_rule(part, tmp_path, monkeypatch):
    package = Path(grade.mlsd_helpers.__file__).parent
    copy = shutil.copytree(package, tmp_path / "mlsd_helpers", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(grade.mlsd_helpers, "__file__", str(copy / "__init__.py"))
    before = grade._code.__wrapped__()
    with (copy / part).open("a") as file:
        file.write("\n# changed\n")
    assert grade._code.__wrapped__() != before


def test_a_student_who_handed_in_nothing_is_named_and_not_made(course_of, capsys):
    course = course_of("blank")
    command = ["grade", ASSIGNMENT, "--student", "blnk", "--unsafe", "--course", str(course)]
    assert cli.main(command) == 2
    assert "blnk" in capsys.readouterr().err
    assert rows(course) == {}
