import json
import math
import re

import pytest

from mlsd_helpers.errors import QuantityError, RangeError
from mlsd_helpers.exercises.questions import Estimate
from mlsd_helpers.figures.base import show_number
from mlsd_helpers.widgets import Choice, Prediction, ask, questions
from mlsd_helpers.widgets.guesses import read_guess, with_unit
from mlsd_helpers.widgets.prediction import Comparison

TRUTH = 593.625
OPTIONS = ("restart", "zone", "cache")


def a_prediction(**changed):
    given = {
        "question": "What is the p99?",
        "unit": "ms",
        "truth": TRUTH,
        "because": "a queue each",
        **changed,
    }
    return Prediction(**given)


def a_choice():
    feedback = {"zone": "that leaves 25", "cache": "that doubles the load"}
    return Choice("Which one?", OPTIONS, answer="restart", because="29 stay", feedback=feedback)


def everything_sent(widget):
    state = {name: value for name, value in widget.get_state().items() if name not in {"_esm", "_css"}}
    return json.dumps([state, widget._repr_mimebundle_()], default=str)


def press(widget, **message):
    widget._handle_custom_msg(message, [])


def test_the_truth_leaves_python_only_after_the_lock():
    prediction = a_prediction()
    assert "593.6" not in everything_sent(prediction)
    assert "a queue each" not in everything_sent(prediction)
    press(prediction, kind="lock", guess="100 ms")
    assert "593.6" in everything_sent(prediction)
    assert "a queue each" in everything_sent(prediction)


def test_a_truth_that_costs_time_is_worked_out_at_the_lock():
    asked = []
    prediction = a_prediction(truth=lambda: asked.append(1) or 2.0)
    assert not asked
    prediction.lock(2)
    assert asked == [1]


def test_without_a_learner_a_prediction_stays_open():
    prediction = a_prediction()
    assert (prediction.locked, prediction.guess, prediction.verdict) == (False, None, {})


def test_a_guess_is_locked_in_once():
    prediction = a_prediction()
    prediction.lock(100)
    prediction.lock(200)
    assert (prediction.locked, prediction.guess) == (True, 100)


@pytest.mark.parametrize("typed", ["", "about 5", "nan", "-3", "1e999", "0,5", "5", "5 replicas", "5 %", "."])
def test_a_guess_that_cannot_be_read_is_explained_and_nothing_is_told(typed):
    prediction = a_prediction()
    press(prediction, kind="lock", guess=typed)
    assert prediction.problem
    assert not prediction.locked
    assert "593.6" not in everything_sent(prediction)


def test_the_explanation_goes_once_a_guess_can_be_read():
    prediction = a_prediction()
    prediction.lock("five")
    prediction.lock("5 ms")
    assert (prediction.problem, prediction.locked) == ("", True)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("12.5 ms", 12.5),
        (" 1,200 ms ", 1_200),
        ("600ms", 600),
        (".5 ms", 0.5),
        ("1e3 MS", 1_000),
        ("0 ms", 0),
    ],
)
def test_numbers_are_read_as_people_write_them(typed, number):
    assert read_guess(typed, "ms") == number


@pytest.mark.parametrize("unit", ["ms", "min", "cents", "million/s"])
def test_a_number_that_could_be_in_two_units_is_refused_and_the_message_says_what_to_write(unit):
    with pytest.raises(QuantityError, match=re.escape(with_unit("42", unit))):
        read_guess("42", unit)
    assert read_guess(with_unit("42", unit), unit) == 42


@pytest.mark.parametrize("unit", ["", "replicas", "boxes", "times", "incidents", "%", "/s", "requests/s"])
def test_a_unit_that_the_question_names_may_be_left_out(unit):
    assert read_guess("42", unit) == read_guess(f"42 {unit}", unit) == 42


@pytest.mark.parametrize("typed", ["0.3", "1", ".05"])
def test_a_bare_number_that_may_be_a_share_is_no_per_cent(typed):
    with pytest.raises(QuantityError, match="share"):
        read_guess(typed, "%")
    assert read_guess(f"{typed} %", "%") == float(typed)
    assert read_guess("0", "%") == 0


def test_what_gives_an_answer_away_is_shown_after_the_lock():
    shown = []
    prediction = a_prediction()
    assert "Lock in" in prediction.unlocks(lambda: shown.append(TRUTH))
    assert not shown
    prediction.lock(100)
    assert prediction.unlocks(lambda: TRUTH) == TRUTH


def test_what_a_cell_has_worked_out_is_shown_after_the_lock():
    prediction = a_prediction()
    assert "Lock in" in prediction.unlocks(TRUTH)
    prediction.lock(100)
    assert prediction.unlocks(TRUTH) == TRUTH


def test_a_truth_may_be_a_number_that_the_lesson_has_worked_out(monkeypatch):
    open_question = Estimate("90-open", "How many?", "", truth=None, because="counted")
    monkeypatch.setattr(questions, "find_question", {"90-open": open_question}.__getitem__)
    asked = ask("90-open", truth=TRUTH)
    asked.lock(TRUTH)
    assert asked.verdict["headline"].startswith("Right")


@pytest.mark.parametrize(
    ("guess", "truth", "right"),
    [
        (63, 63.4, True),
        (64, 63.4, False),
        (8, 8.3, False),
        (8.3, 8.264, True),
        (220, 216, False),
        (0, 0.4, False),
    ],
)
def test_a_rounded_truth_is_right(guess, truth, right):
    assert str(Comparison(guess, truth, "%")).startswith("Right") == right


@pytest.mark.parametrize(
    ("typed", "unit", "number"),
    [
        ("1.2 s", "ms", 1_200),
        ("1 h", "min", 60),
        ("2 hours", "min", 120),
        ("60/min", "/s", 1),
        ("600 requests/min", "requests/s", 10),
        ("10 rps", "requests/s", 10),
        ("3 per second", "/s", 3),
        ("11,500,000/s", "million/s", 11.5),
        ("$0.02", "cents", 2),
        ("5 percent", "%", 5),
    ],
)
def test_another_unit_of_the_same_kind_is_converted(typed, unit, number):
    assert read_guess(typed, unit) == pytest.approx(number)


@pytest.mark.parametrize(
    ("typed", "unit"), [("5 s", "%"), ("5 %", "replicas"), ("5 boxes", "replicas"), ("5 ms", "/s")]
)
def test_a_unit_of_another_kind_is_refused(typed, unit):
    with pytest.raises(QuantityError, match="is not in"):
        read_guess(typed, unit)


def test_there_are_no_twenty_five_of_twelve():
    with pytest.raises(QuantityError, match="above 12 incidents"):
        read_guess("25", "incidents", highest=12)
    asked = ask("00-ask-share")
    asked.lock("25")
    assert "above 12" in asked.problem
    assert not asked.locked


@pytest.mark.parametrize("within", [0.01, 0.1, 0.15, 0.5])
@pytest.mark.parametrize("truth", [0.2, 38, 215])
def test_close_is_off_by_at_most_its_share_of_the_truth(within, truth):
    for off in (0.99 * within, 1.01 * within):
        above, below = (Comparison(truth * (1 + by), truth, "", within) for by in (off, -off))
        assert (above.side == "close") == (below.side == "close") == (off < within)


def test_what_was_asked_answered_and_why_stays_in_the_record():
    prediction = a_prediction()
    assert "Run this cell again" in prediction.record()
    assert "593.6" not in prediction.record()
    prediction.lock("0.1 s")
    for words in (prediction.question, "100 ms", "593.6 ms", "a queue each"):
        assert words in prediction.record()
    choice = a_choice()
    assert "29 stay" not in choice.record()
    choice.choose("zone")
    for words in (choice.question, *OPTIONS, "You chose: zone", "that leaves 25"):
        assert words in choice.record()


def test_a_negative_guess_is_read_where_it_makes_sense():
    assert read_guess("-3", lowest=-math.inf) == -3
    with pytest.raises(QuantityError, match="below 0"):
        read_guess("-3")


@pytest.mark.parametrize(
    ("guess", "side", "ratio"), [(50, "low", 0.5), (95, "close", 0.95), (111, "high", 1.11), (0, "low", None)]
)
def test_a_guess_is_compared_with_the_truth(guess, side, ratio):
    comparison = Comparison(guess, truth=100)
    assert (comparison.side, comparison.ratio) == (side, ratio)


@pytest.mark.parametrize("truth", [0, -5])
def test_a_truth_without_a_ratio_is_compared_all_the_same(truth):
    assert Comparison(3, truth).side == "high"
    assert "3" in str(Comparison(3, truth))


def test_the_verdict_says_the_truth_and_how_far_off_the_guess_is():
    prediction = a_prediction()
    prediction.lock(100)
    assert all(said in prediction.verdict["headline"] for said in ("593.6", "100", "5.94"))


@pytest.mark.parametrize("truth", [math.nan, "593", True, None])
def test_a_truth_that_is_no_number_is_the_authors_error(truth):
    with pytest.raises(RangeError, match="truth"):
        a_prediction(truth=truth)


def test_what_an_option_means_leaves_python_only_after_it_is_chosen():
    choice = a_choice()
    for secret in ("29 stay", "that leaves 25", "that doubles the load"):
        assert secret not in everything_sent(choice)
    press(choice, kind="choose", option="zone")
    assert "that leaves 25" in everything_sent(choice)
    assert "that doubles the load" not in everything_sent(choice)
    assert "29 stay" not in everything_sent(choice)


def test_a_wrong_choice_may_be_followed_by_the_right_one():
    choice = a_choice()
    choice.choose("zone")
    assert (choice.locked, choice.correct, choice.chosen) == (True, False, "zone")
    choice.choose("restart")
    assert (choice.correct, choice.verdict["reasons"]) == (True, ["29 stay"])
    choice.choose("zone")
    assert choice.chosen == "restart"


def test_choosing_nothing_is_explained():
    choice = a_choice()
    press(choice, kind="choose", option="")
    assert choice.problem
    assert not choice.locked


@pytest.mark.parametrize("wrong", [{"answer": "all"}, {"feedback": {"all": "no"}}])
def test_an_answer_that_is_no_option_is_the_authors_error(wrong):
    with pytest.raises(RangeError, match="'all'"):
        Choice(**{"question": "?", "options": OPTIONS, "answer": "zone", "because": "", **wrong})


@pytest.mark.parametrize("widget", [a_prediction(), a_choice()])
def test_without_a_kernel_the_question_can_still_be_read(widget):
    shown, _ = widget._repr_mimebundle_()
    assert widget.question in shown["text/html"]
    assert widget.question in shown["text/plain"]


def test_an_exact_guess_is_right_and_not_merely_close() -> None:
    assert str(Comparison(guess=38, truth=38.0)).startswith("Right")
    assert not str(Comparison(guess=37, truth=38.0)).startswith("Right")


@pytest.mark.parametrize("guess", [20, 30, 40, 60])
def test_how_many_times_off_a_guess_is_is_said_where_it_is_far_off(guess):
    said = str(Comparison(guess, 31.67, "%", within=0.01))
    assert str(guess) in said
    assert "times" not in said
    assert "times" in str(Comparison(5 * guess, 31.67, "%"))


@pytest.mark.parametrize(
    ("guess", "truth", "unit"),
    [
        (1, 23_964, "requests"),
        (1, 31.67, "%"),
        (1, 8, "boxes"),
        (3, 1, "cents"),
        (1, 10.8, "times"),
        (4, 20, "times"),
    ],
)
def test_no_multiple_is_said_of_one_or_of_a_factor(guess, truth, unit):
    said = str(Comparison(guess, truth, unit))
    assert "times your" not in said
    assert "times that" not in said
    for number in (guess, truth):
        assert re.search(rf"\b{show_number(number)}\b", said)


@pytest.mark.parametrize("unit", ["replicas", "boxes", "requests/s"])
def test_one_of_a_thing_is_said_in_the_singular(unit):
    assert f"1 {unit}" not in str(Comparison(1, 1, unit))
    assert f"2 {unit}" in str(Comparison(2, 2, unit))


def test_a_unit_that_is_no_word_for_things_has_no_singular():
    assert "1 ms." in str(Comparison(1, 1, "ms"))
