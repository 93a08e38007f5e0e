import json

import pytest

from mlsd_helpers.exercises.requirements.interview import BUDGET, Interview
from mlsd_helpers.widgets import StakeholderInterview

KEYS = list(Interview().questions)


def hears(widget, **message):
    widget._on_message(widget, message, [])


def state(widget):
    return json.dumps(widget.get_state())


def test_an_answer_is_nowhere_before_its_question_is_asked():
    widget = StakeholderInterview()
    for key in KEYS[:BUDGET]:
        answer = Interview().ask(key)
        assert answer not in state(widget)
        assert answer not in widget.still() + widget.sentence()
        hears(widget, kind="ask", key=key)
        assert answer in state(widget)
        assert answer in widget.still()
    assert widget.shown["left"] == 0


def test_what_is_to_be_found_is_said_when_the_questions_are_spent_and_not_before():
    widget = StakeholderInterview()
    for key in KEYS[: BUDGET - 1]:
        widget.ask(key)
        assert widget.shown["review"] == widget.shown["assumed"] == ""
    widget.ask(KEYS[BUDGET - 1])
    assert widget.shown["review"] == widget.talk.review()
    assert all(part in widget.shown["assumed"] for part in widget.talk.assumed)


def test_the_owner_may_be_sent_away_early():
    widget = StakeholderInterview()
    hears(widget, kind="end")
    assert "You missed" in widget.shown["review"]


def test_two_answers_put_side_by_side_get_a_reply_and_mend_the_review():
    widget = StakeholderInterview()
    for key in ("age", "source", "law", "wait", "peak"):
        widget.ask(key)
    hears(widget, kind="confront", keys=["age", "wait"])
    assert "no trouble" in widget.shown["reply"]
    assert "Confront" in widget.shown["review"]
    hears(widget, kind="confront", keys=["source", "age"])
    assert "You are right" in widget.shown["reply"]
    assert "You found the contradiction" in widget.shown["review"]


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "ask", "key": ""},
        {"kind": "ask", "key": "weather"},
        {"kind": "confront", "keys": []},
        {"kind": "confront", "keys": ["age"]},
        {"kind": "confront", "keys": ["age", "source"]},
        {"kind": "confront", "keys": ["age", "source", "law"]},
        {"kind": "confront"},
    ],
)
def test_what_cannot_be_done_is_said_and_costs_nothing(message):
    widget = StakeholderInterview()
    hears(widget, **message)
    assert widget.problem
    assert (widget.shown["left"], widget.shown["reply"]) == (BUDGET, "")
    widget.ask("wait")
    assert widget.problem == ""


def test_a_question_too_many_is_refused_and_the_notes_stay():
    widget = StakeholderInterview()
    for key in KEYS[: BUDGET + 1]:
        widget.ask(key)
    assert "is over" in widget.problem
    assert len(widget.shown["notes"]) == BUDGET


def test_a_new_interview_forgets_everything():
    widget = StakeholderInterview()
    fresh = dict(widget.shown)
    for key in KEYS[:BUDGET]:
        widget.ask(key)
    hears(widget, kind="again")
    assert widget.shown == fresh


def test_a_message_of_another_kind_changes_nothing():
    widget = StakeholderInterview()
    before = dict(widget.shown)
    hears(widget, kind="unheard of")
    hears(widget, wrong=1)
    assert widget.shown == before


def test_without_a_kernel_the_questions_stand_in():
    shown, _ = StakeholderInterview()._repr_mimebundle_()
    for question in Interview().questions.values():
        assert question in shown["text/plain"]
        assert question in shown["text/html"]
