import json

import pytest

from mlsd_helpers.design import KINDS
from mlsd_helpers.errors import RangeError
from mlsd_helpers.widgets import DesignAutopsy, Prediction
from mlsd_helpers.widgets.design_autopsy import autopsy_view
from mlsd_helpers.widgets.incidents import EARLIEST, INCIDENTS, LATER, NOT_THERE


def closed():
    prediction = Prediction("How long?", "min", truth=190, because="the times")
    return prediction, DesignAutopsy(prediction=prediction)


def said(incident):
    return [why for _, why in incident.planes.values()]


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_an_incident_answers_for_each_plane_and_one_is_the_earliest(incident):
    assert list(incident.planes) == list(KINDS)
    verdicts = [when for when, _ in incident.planes.values()]
    assert verdicts.count(EARLIEST) == 1
    assert set(verdicts) <= {EARLIEST, LATER, NOT_THERE}


def test_no_plane_is_right_twice():
    earliest = [plane for i in INCIDENTS for plane, (when, _) in i.planes.items() if when == EARLIEST]
    assert len(set(earliest)) == len(INCIDENTS)


def test_nothing_of_the_view_leaves_python_before_the_prediction_is_locked():
    prediction, autopsy = closed()
    autopsy.step(3)
    autopsy.choose("data")
    assert autopsy.shown == {}
    prediction.lock(20)
    assert autopsy.ready
    assert autopsy.shown["now"] == 0


def test_a_message_from_the_page_opens_nothing_that_is_locked():
    _, autopsy = closed()
    autopsy._on_message(autopsy, {"kind": "choose", "plane": "data"}, None)
    assert (autopsy.view.chosen, autopsy.view.moment) == (None, 1)


def test_what_a_choice_means_is_in_no_state_before_it_is_made():
    autopsy = DesignAutopsy()
    for position in range(len(INCIDENTS)):
        autopsy.turn_to(position)
        autopsy.step(99)
        state = json.dumps(autopsy.get_state(["shown", "problem"]), ensure_ascii=False)
        assert not [why for incident in INCIDENTS for why in said(incident) if why in state]
    assert not [why for incident in INCIDENTS for why in said(incident) if why in autopsy.still()]


def test_a_choice_says_what_it_means_and_a_wrong_one_may_be_followed_by_another():
    autopsy = DesignAutopsy()
    autopsy.choose("control")
    assert not autopsy.view.correct
    assert said(INCIDENTS[0])[4] in autopsy.shown["verdict"]["reasons"]
    autopsy.choose("data")
    assert autopsy.view.correct
    assert autopsy.shown["solved"] == [True, False, False]


def test_each_incident_is_where_it_was_left():
    autopsy = DesignAutopsy()
    autopsy.step(2)
    autopsy.choose("serving")
    autopsy.turn_to(1)
    assert (autopsy.view.moment, autopsy.view.chosen) == (1, None)
    autopsy.turn_to(0)
    assert (autopsy.view.moment, autopsy.view.chosen) == (3, "serving")


def test_moments_stop_at_both_ends():
    autopsy = DesignAutopsy()
    autopsy.step(-5)
    assert autopsy.view.moment == 1
    autopsy.step(99)
    assert autopsy.view.moments == INCIDENTS[0].moments
    assert not autopsy.shown["more"]


def test_checking_before_choosing_is_answered_in_words():
    autopsy = DesignAutopsy()
    autopsy.choose("")
    assert autopsy.problem
    autopsy.choose("data")
    assert autopsy.problem == ""


def test_a_plane_that_does_not_exist_is_refused():
    with pytest.raises(RangeError, match="plane"):
        autopsy_view(INCIDENTS[0], chosen="cloud")


@pytest.mark.parametrize(
    "odd", [{}, {"kind": "turn", "position": 7}, {"kind": "step", "moments": "x"}, {"kind": 3}]
)
def test_an_odd_message_changes_nothing(odd):
    autopsy = DesignAutopsy()
    before = autopsy.shown
    autopsy._on_message(autopsy, odd, None)
    assert autopsy.shown == before


def test_without_a_kernel_tables_and_a_sentence_stand_in_folded_while_it_is_closed():
    shown, _ = closed()[1]._repr_mimebundle_()
    assert shown["text/html"].index("<details>") < shown["text/html"].index("<table")
    assert "14:30" not in shown["text/plain"]
    assert all(incident.name in DesignAutopsy().sentence() for incident in INCIDENTS)
