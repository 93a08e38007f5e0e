import json

import pytest

from mlsd_helpers.analysis import LatencyInputs, latency_view
from mlsd_helpers.errors import RangeError
from mlsd_helpers.widgets import LatencySculptor, Prediction


def closed():
    prediction = Prediction("How many?", truth=63.4, because="so")
    return prediction, LatencySculptor(prediction=prediction)


def test_everything_shown_moves_together():
    widget = LatencySculptor()
    widget.set_state({"slow_s": 1.7, "calls": 100})
    view = latency_view(LatencyInputs(slow_s=1.7, calls=100))
    assert widget.view == view
    assert widget.shown["verdict"] == view.verdict
    assert widget.shown["sum"] == view.sum
    assert all(f"{mark.name} {mark.words}" in widget.shown["picture"]["body"] for mark in view.marks)


def test_the_place_of_the_handle_is_that_of_the_tail():
    shown = LatencySculptor(slow_s=1.7, slow_share=0.05).shown
    for place, value, axis in zip(shown["handle"], (1.7, 0.05), ("slow_s", "slow_share"), strict=True):
        start, end, low, high = shown["axes"][axis]
        assert low * (high / low) ** ((place - start) / (end - start)) == pytest.approx(value)


@pytest.mark.parametrize("far", [{"slow_share": 0}, {"slow_s": 100}, {"promise_s": 1e-6}])
def test_what_lies_beyond_the_axes_is_drawn_at_their_ends(far):
    shown = LatencySculptor(**far).shown
    for place, axis in zip(shown["handle"], ("slow_s", "slow_share"), strict=True):
        start, end, _, _ = shown["axes"][axis]
        assert min(start, end) <= place <= max(start, end)


@pytest.mark.parametrize(
    "moved", [{"ordinary_s": 0.03}, {"slow_share": 0.1}, {"slow_s": 2}, {"calls": 50}, {"promise_s": 0.01}]
)
def test_every_input_moves_what_is_shown(moved):
    widget = LatencySculptor()
    before = widget.shown
    widget.set_state(moved)
    assert widget.shown != before
    assert widget.view == latency_view(LatencyInputs(**moved))


def test_the_table_says_which_numbers_keep_the_promise():
    rows = {row[0]: row[2] for row in LatencySculptor(slow_s=0.4, promise_s=0.1).shown["table"]["rows"]}
    assert (rows["mean"], rows["p99"]) == ("is kept", "is broken")


def test_nothing_of_the_view_leaves_python_before_the_prediction_is_locked():
    prediction, widget = closed()
    assert widget.get_state(["ready", "shown"]) == {"ready": False, "shown": {}}
    widget.slow_share = 0.1
    assert widget.shown == {}
    prediction.lock(5)
    assert widget.ready
    assert widget.shown["verdict"] == latency_view(LatencyInputs(slow_share=0.1)).verdict


@pytest.mark.parametrize("wrong", [{"ordinary_s": 0}, {"slow_share": 1}, {"calls": 0}, {"promise_s": -1}])
def test_inputs_out_of_range_are_refused(wrong):
    with pytest.raises(RangeError):
        LatencySculptor(**wrong)


def test_a_slider_set_out_of_range_stays_where_it_was():
    widget = LatencySculptor()
    with pytest.raises(RangeError):
        widget.slow_share = 2
    assert widget.slow_share == 0.05


def test_what_the_page_gets_is_json():
    assert "39 ms" in json.dumps(
        LatencySculptor(slow_share=0).shown | LatencySculptor().shown, allow_nan=False
    )


def test_without_a_kernel_a_figure_a_table_and_a_sentence_stand_in():
    shown, _ = LatencySculptor()._repr_mimebundle_()
    assert all(part in shown["text/html"] for part in ("<figure", "<img alt", "<table"))
    assert "mean 39 ms" in shown["text/plain"]


def test_without_a_kernel_a_closed_view_is_folded_away():
    shown, _ = closed()[1]._repr_mimebundle_()
    assert shown["text/html"].index("<details>") < shown["text/html"].index("<figure")
    assert "39 ms" not in shown["text/plain"]
