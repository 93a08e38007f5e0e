"""What was got wrong comes back: questions with new figures, made of the known mistakes, and the days on which."""

import io
import random
from datetime import date, timedelta

import pytest

from mlsd_helpers import cli
from mlsd_helpers import exercises as course
from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.exercises.exercise import mistake_name
from mlsd_helpers.exercises.past import WAITS, Past, Record, today
from mlsd_helpers.exercises.revision import revise

DAY = date(2026, 3, 1)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / ".mlsd").mkdir()
    (tmp_path / "assignments").mkdir()
    monkeypatch.chdir(tmp_path / "assignments")
    return tmp_path


def a_mistake(exercise):
    return next(one for one in exercise.mistakes if callable(one))


@pytest.mark.parametrize("exercise", course.ALL, ids=lambda one: one.id)
def test_a_question_has_one_right_option_the_mistake_and_options_that_differ(exercise):
    rng = random.Random(exercise.id)
    for mistake in exercise.mistakes[:3]:
        question = revise(exercise, mistake_name(mistake), rng)
        if question is None:
            continue
        names = [option.mistake for option in question.options]
        assert names.count(None) == 1
        assert mistake_name(mistake) in names
        assert len({option.value for option in question.options}) == len(names) > 1
        assert all(option.feedback for option in question.options if option.mistake)


def test_most_mistakes_can_be_asked_about_and_each_lesson_has_some():
    asked = {
        (exercise.assignment, mistake_name(one))
        for exercise in course.ALL
        for one in exercise.mistakes[:2]
        if revise(exercise, mistake_name(one), random.Random(7))
    }
    assert len(asked) > len(course.ALL)
    assert {assignment for assignment, _ in asked} == {one.assignment for one in course.ALL}


def test_the_right_option_stands_at_every_place():
    exercise = course.find("05-headroom")
    places = set()
    for seed in range(30):
        question = revise(exercise, mistake_name(exercise.mistakes[0]), random.Random(seed))
        places.add([option.mistake for option in question.options].index(None))
    assert len(places) > 1


def test_a_mistake_that_does_not_exist_has_no_question():
    assert revise(course.find("05-headroom"), "no_such", random.Random(1)) is None


def test_a_mistake_comes_back_later_each_time_and_at_last_no_more():
    past, day, waits = Past("05-headroom", "x", 0, DAY), DAY, []
    while past := past.answered(day, right=True):
        waits.append((past.due - day).days)
        day = past.due
    assert [WAITS[0], *waits] == list(WAITS)


def test_a_wrong_answer_starts_anew():
    assert Past("05-headroom", "x", 2, DAY).answered(DAY, right=False) == Past(
        "05-headroom", "x", 0, DAY + timedelta(days=WAITS[0])
    )


def test_a_check_notes_a_mistake_that_has_a_name_and_nothing_else(workspace):
    exercise = course.find("05-headroom")
    course.check(exercise.id, exercise.reference)
    assert Record(workspace).all() == ()
    mistake = a_mistake(exercise)
    assert course.check(exercise.id, mistake).mistake == mistake_name(mistake)
    course.check(exercise.id, mistake)
    (noted,) = Record(workspace / "assignments").all()
    assert (noted.exercise, noted.mistake) == (exercise.id, mistake_name(mistake))
    assert noted.due == today() + timedelta(days=WAITS[0])


def test_grading_and_a_folder_that_is_no_workspace_note_nothing(workspace, tmp_path_factory, monkeypatch):
    exercise = course.find("05-headroom")
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    course.check(exercise.id, a_mistake(exercise))
    assert Record(workspace).all() == ()
    monkeypatch.delenv("NBGRADER_EXECUTION")
    monkeypatch.chdir(elsewhere := tmp_path_factory.mktemp("elsewhere"))
    course.check(exercise.id, a_mistake(exercise))
    assert list(elsewhere.iterdir()) == []
    with pytest.raises(WorkspaceError):
        Record(elsewhere)


@pytest.mark.parametrize("damaged", ["", "{", "[1]", '[{"exercise": "x"}]', "null"])
def test_a_damaged_record_is_an_empty_one(workspace, damaged):
    (workspace / ".mlsd" / "mistakes.json").write_text(damaged, encoding="utf-8")
    assert Record(workspace).all() == ()


def run(monkeypatch, capsys, words, *arguments):
    monkeypatch.setattr("sys.stdin", io.StringIO(words))
    assert cli.main(["again", *arguments]) == 0
    return capsys.readouterr().out


def test_the_command_asks_what_is_due_and_keeps_what_was_answered(workspace, monkeypatch, capsys):
    exercise = course.find("05-headroom")
    record = Record(workspace)
    for mistake in exercise.mistakes[:4]:
        record.add(exercise.id, mistake_name(mistake), DAY)
    record.add("no-such-exercise", "x", DAY)
    out = run(monkeypatch, capsys, "x\n9\n" + "1\n" * 5)
    assert out.count("Given:") == 4
    assert "'9'" in out
    assert all(one.due > today() for one in record.all() if one.exercise == exercise.id)


def test_the_command_says_when_nothing_is_due_and_asks_all_the_same_where_that_is_wanted(
    workspace, monkeypatch, capsys
):
    assert "Given:" not in run(monkeypatch, capsys, "")
    exercise = course.find("05-headroom")
    Record(workspace).add(exercise.id, mistake_name(exercise.mistakes[0]), today())
    before = Record(workspace).all()
    assert str(before[0].due) in run(monkeypatch, capsys, "")
    assert "Given:" in run(monkeypatch, capsys, "\n", "--all")
    assert Record(workspace).all() == before


def test_what_cannot_be_asked_in_a_line_is_named_and_no_past_day_is_promised(workspace, monkeypatch, capsys):
    exercise = course.find("03-join")
    assert revise(exercise, mistake_name(exercise.mistakes[0]), random.Random(1)) is None
    Record(workspace).add(exercise.id, mistake_name(exercise.mistakes[0]), DAY)
    out = run(monkeypatch, capsys, "")
    assert exercise.id in out
    assert str(DAY.year) not in out
