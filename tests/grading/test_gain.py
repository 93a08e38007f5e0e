"""Two parallel forms, and what a class has learnt between them."""

import csv
import io
import re

import pytest

from mlsd_helpers import cli
from mlsd_helpers.errors import GradingError
from mlsd_helpers.exercises import ALL, forms
from mlsd_helpers.exercises.exercise import mistake_name
from mlsd_helpers.exercises.forms import LETTERS, form
from mlsd_helpers.grading import gain

FIRST, SECOND = (form(letter) for letter in LETTERS)


def test_the_forms_are_parallel_with_other_figures():
    assert len(FIRST) == len(SECOND) == 12
    for one, other in zip(FIRST, SECOND, strict=True):
        assert one.exercise == other.exercise
        assert {option.mistake for option in one.options} == {option.mistake for option in other.options}
        assert one.text != other.text


@pytest.mark.parametrize("question", [*FIRST, *SECOND], ids=lambda one: one.exercise)
def test_each_wrong_option_is_what_a_known_mistake_gives_and_one_option_is_right(question):
    exercise = next(one for one in ALL if one.id == question.exercise)
    wrong = [option for option in question.options if option.mistake]
    assert 2 <= len(wrong) == len(question.options) - 1
    assert {option.mistake for option in wrong} <= set(map(mistake_name, exercise.mistakes))
    assert len({option.value for option in question.options}) == len(question.options)


def test_every_lesson_with_figures_is_asked_about_and_a_form_stays_what_it_is():
    assert {one.exercise[:2] for one in FIRST} == {"01", "02", "03", "04", "05"}
    forms._pair.cache_clear()  # else the same objects are compared with themselves
    assert form("A") == FIRST


def test_the_right_option_is_not_always_at_the_same_place():
    assert len({one.right for one in (*FIRST, *SECOND)}) > 2


def answers(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["student", *range(1, 13)], *rows])
    return path


def right(questions, **wrong):
    """Return the texts of the right options, but for the questions whose number is given as q1 and so on."""
    return [
        question.options[(question.right + 1) % len(question.options)].value
        if wrong.get(f"q{at}")
        else question.options[question.right].value
        for at, question in enumerate(questions, 1)
    ]


def test_numbers_letters_and_texts_of_options_are_read_alike(tmp_path):
    places = [one.right for one in FIRST]
    rows = [
        ["ada", *right(FIRST)],
        ["bo", *(at + 1 for at in places)],
        ["cy", *("abcd"[at] + ")" for at in places)],
    ]
    read = gain.read(answers(tmp_path / "a.csv", rows), "A")
    assert set(read.values()) == {tuple(places)}
    (blank,) = gain.read(answers(tmp_path / "b.csv", [["dot", *["?"] * 12]]), "A").values()
    assert blank == (None,) * 12


def test_what_was_learnt_is_counted_among_those_who_answered_both(tmp_path):
    before = {str(n): right(FIRST, q1=n < 8) for n in range(10)} | {"only before": right(FIRST)}
    after = {str(n): right(SECOND, q2=n == 0) for n in range(10)} | {"only after": right(SECOND)}
    read = [
        gain.read(answers(tmp_path / f"{letter}.csv", [[name, *row] for name, row in given.items()]), letter)
        for letter, given in zip(LETTERS, (before, after), strict=True)
    ]
    first, second, *_ = gain.compare(*read)
    assert (first.both, first.right_before, first.right_after) == (10, 2, 10)
    assert first.p_value == pytest.approx(2 / 2**8)
    assert (second.right_before, second.right_after, second.p_value) == (10, 9, 1)
    assert sum(count for _, count, _ in first.mistakes) == 8


def test_files_that_cannot_be_compared_say_why(tmp_path):
    with pytest.raises(GradingError, match="row 2"):
        gain.read(answers(tmp_path / "a.csv", [["ada", 1, 2]]), "A")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GradingError):
        gain.read(tmp_path / "b.csv", "A")
    with pytest.raises(GradingError, match="ada"):
        gain.read(answers(tmp_path / "c.csv", [["ada", *[1] * 12], ["ada", *[2] * 12]]), "A")
    with pytest.raises(GradingError, match="No student"):
        gain.compare({"ada": (0,) * 12}, {"bo": (0,) * 12})


def test_a_form_in_gift_has_one_right_option_a_question_and_no_sign_that_moodle_reads_otherwise():
    text = gain.as_gift(FIRST)
    blocks = re.findall(r"^::Q(\d+)::(.*) \{\n((?:  .*\n)+)\}", text, re.MULTILINE)
    assert [int(number) for number, *_ in blocks] == list(range(1, 13))
    for _, words, options in blocks:
        assert not re.search(r"(?<!\\)[~=#{}:]", words)
        assert len(re.findall(r"^  =", options, re.MULTILINE)) == 1
        for line in options.splitlines():
            assert len(re.findall(r"(?<!\\)[~=#]", line)) in {1, 2}


def test_the_page_to_hand_out_does_not_tell_the_answers_and_the_table_does():
    assert "right" not in gain.as_text(FIRST).casefold()
    rows = list(csv.DictReader(io.StringIO(gain.as_csv(FIRST))))
    assert [int(row["right"]) for row in rows] == [one.right + 1 for one in FIRST]


def test_the_commands_print_a_form_and_the_gain(tmp_path, capsys):
    assert cli.main(["form", "A"]) == 0
    assert FIRST[0].text in capsys.readouterr().out
    files = [answers(tmp_path / f"{letter}.csv", [["ada", *right(form(letter))]]) for letter in LETTERS]
    assert cli.main(["report", "--gain", *map(str, files)]) == 0
    assert "100 %" in capsys.readouterr().out
    assert cli.main(["report"]) == 2
