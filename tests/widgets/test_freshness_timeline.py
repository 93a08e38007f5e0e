import json

import pytest

from mlsd_helpers.analysis import FreshnessInputs, freshness_view
from mlsd_helpers.errors import RangeError
from mlsd_helpers.widgets import FreshnessTimeline, Prediction


def closed():
    prediction = Prediction("How stale?", truth=31.7, because="so")
    return prediction, FreshnessTimeline(prediction=prediction)


def test_everything_shown_moves_together():
    widget = FreshnessTimeline()
    widget.set_state({"period_s": 600})
    view = freshness_view(FreshnessInputs(period_s=600))
    assert widget.view == view
    assert widget.shown["sum"] == view.sum
    assert widget.shown["verdict"] == view.verdict
    assert widget.shown["picture"]["alt"] == view.alt


def test_a_phase_changes_what_the_marked_read_finds():
    widget = FreshnessTimeline(period_s=3600)
    before = widget.shown["picture"]["body"]
    widget.phase = 0.5
    assert "one read: " in before
    assert widget.shown["picture"]["body"] != before


def test_nothing_of_the_view_leaves_python_before_the_prediction_is_locked():
    prediction, widget = closed()
    assert widget.get_state(["ready", "shown"]) == {"ready": False, "shown": {}}
    widget.period_s = 1200
    assert widget.shown == {}
    prediction.lock(20)
    assert widget.ready
    assert widget.shown["verdict"] == freshness_view(FreshnessInputs(1200)).verdict


@pytest.mark.parametrize("wrong", [{"period_s": 0}, {"delay_s": -5}, {"phase": 2}])
def test_inputs_out_of_range_are_refused(wrong):
    with pytest.raises(RangeError):
        FreshnessTimeline(**wrong)


def test_a_slider_set_out_of_range_stays_where_it_was():
    widget = FreshnessTimeline()
    with pytest.raises(RangeError):
        widget.ttl_s = -1
    assert widget.ttl_s == 30


def test_what_the_page_gets_is_json():
    assert "31.7%" in json.dumps(FreshnessTimeline().shown, allow_nan=False)


def test_without_a_kernel_a_figure_a_table_and_a_sentence_stand_in():
    shown, _ = FreshnessTimeline()._repr_mimebundle_()
    assert all(part in shown["text/html"] for part in ("<figure", "<img alt", "<table"))
    assert "20 min at worst" in shown["text/plain"]


def test_without_a_kernel_a_closed_view_is_folded_away():
    shown, _ = closed()[1]._repr_mimebundle_()
    assert shown["text/html"].index("<details>") < shown["text/html"].index("<figure")
    assert "20 min" not in shown["text/plain"]
