import json

import pytest

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import TheatreInputs, queue_theatre, theatre_view
from mlsd_helpers.widgets import Prediction, QueueTheatre


def closed():
    prediction = Prediction("The p99?", "ms", truth=594, because="queues")
    return prediction, QueueTheatre(prediction=prediction)


def test_a_plain_fleet_agrees_with_erlang_c():
    view = theatre_view(TheatreInputs())
    assert view.formula_p99_s == formulas.response_percentile_s(29, 500, 0.040, 0.99)
    assert view.p99_s.value == pytest.approx(view.formula_p99_s, rel=0.05)


@pytest.mark.parametrize(
    "worse",
    [{"routing": "random"}, {"burstiness": 100}, {"event": "zone loss"}, {"replicas": 22}, {"peak_rps": 640}],
)
def test_each_movement_for_the_worse_is_seen(worse):
    assert theatre_view(TheatreInputs(**worse)).p99_s.low > theatre_view(TheatreInputs()).p99_s.high


@pytest.mark.parametrize("better", [{"batch": 8}, {"cached_share": 0.2}])
def test_a_batch_and_a_cache_take_load_away(better):
    assert theatre_view(TheatreInputs(**better)).utilisation < theatre_view(TheatreInputs()).utilisation - 0.1


def test_a_queue_without_end_is_shown_as_what_it_is_and_stays_json():
    theatre = QueueTheatre(replicas=10)
    assert theatre.view.endless
    assert "no end" in json.dumps(theatre.shown, allow_nan=False)


def test_everything_shown_moves_together():
    theatre = QueueTheatre()
    theatre.set_state({"routing": "random"})
    view = theatre_view(TheatreInputs(routing="random"))
    assert theatre.view == view
    assert theatre.shown["verdict"] == view.verdict
    assert theatre.shown["picture"]["alt"] == view.alt


def test_nothing_leaves_python_before_the_prediction_is_locked_and_then_the_guess_is_drawn():
    prediction, theatre = closed()
    assert theatre.shown == {}
    prediction.lock("250")
    assert "your prediction 250 ms" in theatre.shown["picture"]["body"]


@pytest.mark.parametrize("wrong", [{"routing": "by magic"}, {"event": "flood"}, {"cached_share": 2}])
def test_inputs_out_of_range_are_refused(wrong):
    with pytest.raises(RangeError):
        QueueTheatre(**wrong)


def test_the_still_picture_says_its_percentiles():
    figure = queue_theatre()
    view = theatre_view(TheatreInputs())
    assert all(value in figure.alt for _, value, _ in view.rows)
    assert len(figure.data["time_s"]) == len(view.curve)


def test_the_same_inputs_give_the_same_picture():
    assert queue_theatre().svg == queue_theatre().svg
