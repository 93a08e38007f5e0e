import json
import re

import pytest

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import TheatreInputs, queue_theatre, theatre_view
from mlsd_helpers.simulation import ROUTINGS
from mlsd_helpers.units import ms, show_seconds
from mlsd_helpers.widgets import Prediction, QueueTheatre
from mlsd_helpers.widgets.queue_theatre import STEPS


def closed():
    prediction = Prediction("The p99?", "ms", truth=594, because="queues")
    return prediction, QueueTheatre(prediction=prediction)


def lanes(**inputs):
    return {lane.routing: lane for lane in theatre_view(TheatreInputs(**inputs)).lanes}


def p99_s(routing="central queue", **inputs):
    return lanes(routing=routing, **inputs)[routing].p99_s


def test_a_plain_fleet_agrees_with_the_formulas_of_both_routings():
    assert p99_s().value == pytest.approx(formulas.response_percentile_s(29, 500, 0.040, 0.99), rel=0.05)
    at_random_s = formulas.random_split_response_percentile_s(29, 500, 0.040, 0.99)
    assert p99_s("random").value == pytest.approx(at_random_s, rel=0.05)


@pytest.mark.parametrize("replicas", range(21, 41))
def test_what_has_settled_is_near_the_truth_and_what_has_not_shows_no_percentile(replicas):
    found = lanes(replicas=replicas)
    exact_s = {
        "central queue": formulas.response_percentile_s(replicas, 500, 0.040, 0.99),
        "random": formulas.random_split_response_percentile_s(replicas, 500, 0.040, 0.99),
    }
    for routing, lane in found.items():
        if lane.p99_s:
            assert lane.p99_s.value == pytest.approx(exact_s[routing], rel=0.25), routing
    assert found["central queue"].p99_s or replicas < 22


@pytest.mark.parametrize(
    "worse",
    [{"routing": "random"}, {"burstiness": 100}, {"replicas": 22}, {"peak_rps": 680}, {"batch": 2}],
)
def test_each_movement_for_the_worse_is_seen(worse):
    assert p99_s(**worse).low > p99_s().high


@pytest.mark.parametrize("rps", [631, 708])
def test_where_the_run_is_too_short_the_percentile_of_the_long_run_is_said(rps):
    view = theatre_view(TheatreInputs(peak_rps=rps))
    short = [lane for lane in view.lanes if not lane.p99_s]
    assert short
    assert not view.overloaded
    exact_s = formulas.random_split_response_percentile_s(29, rps, 0.040, 0.99)
    assert short[-1].formula_p99_s == pytest.approx(exact_s)
    assert show_seconds(exact_s) in view.verdict


def test_batches_say_why_requests_wait_beside_idle_replicas_and_how_large_one_queue_makes_them():
    view = theatre_view(TheatreInputs(replicas=38, batch=8))
    one, at_random = (lane.p99_s for lane in view.lanes)
    assert one.low > at_random.high
    assert "about 2.5 more" in view.batches
    assert "becomes idle takes" not in json.dumps(QueueTheatre(batch=8).shown)


def test_a_lost_zone_that_overloads_shows_a_growing_queue_and_no_percentile():
    theatre = QueueTheatre(event="zone loss")
    view = theatre.view
    assert (view.inputs.left, view.overloaded) == (19, True)
    assert view.growth_rps == pytest.approx(25)
    assert [lane.percentiles for lane in view.lanes] == [(), ()]
    for recording in view.recordings:
        quarter = len(recording.at_s) // 4
        assert recording.total[-1] > 5 * recording.total[:quarter].max()
    assert not re.search(r"p(50|95|99)", json.dumps(theatre.shown))
    assert "grows by 25 requests a second" in theatre.sentence()
    assert "grows by 25 requests a second" in theatre.still()


def test_a_fleet_that_is_overloaded_from_the_start_starts_empty_and_grows():
    view = theatre_view(TheatreInputs(replicas=10))
    assert view.overloaded
    for recording in view.recordings:
        slope = (recording.total[-1] - recording.total[0]) / recording.at_s[-1]
        assert slope == pytest.approx(view.growth_rps, rel=0.2)


@pytest.mark.parametrize("replicas", [1, 2, 3, 38])
@pytest.mark.parametrize("event", ["zone loss", "rolling restart"])
def test_the_load_is_judged_by_the_replicas_that_an_event_leaves(event, replicas):
    view = theatre_view(TheatreInputs(replicas=replicas, event=event))
    if view.inputs.left:
        assert view.busy == pytest.approx(500 * 0.040 / view.inputs.left)
    else:
        assert view.overloaded
    for recording in view.recordings:
        assert recording.out.sum(axis=0).max() == view.inputs.lost


def test_a_batch_states_its_time_and_its_requests_vary_as_they_did():
    view = theatre_view(TheatreInputs(batch=2))
    assert "40 ms for one request, 48 ms for 2" in view.batches
    p50, _, p99 = (p.estimate for p in view.lanes[0].percentiles)
    assert p99.value > 4 * p50.value
    assert p50.high > p50.low
    assert p99.low > p99_s().high


def test_batches_help_a_fleet_that_is_overloaded_without_them():
    assert theatre_view(TheatreInputs(replicas=15)).overloaded
    assert not theatre_view(TheatreInputs(replicas=15, batch=8)).overloaded


def test_a_cache_takes_load_away():
    assert theatre_view(TheatreInputs(cached_share=0.2)).busy < theatre_view(TheatreInputs()).busy - 0.1


def test_the_same_index_of_burstiness_hurts_a_small_fleet_and_is_lost_in_a_large_one():
    assert p99_s(burstiness=13).value < 1.1 * p99_s().value
    small = {"peak_rps": 25, "replicas": 2}
    assert p99_s(**small, burstiness=13).low > 3 * p99_s(**small).high
    assert "16%" in theatre_view(TheatreInputs(burstiness=13)).bursts
    assert "72%" in theatre_view(TheatreInputs(**small, burstiness=13)).bursts


@pytest.mark.parametrize("routing", ROUTINGS)
def test_both_routings_get_the_same_requests(routing):
    view = theatre_view(TheatreInputs(routing=routing))
    alone = theatre_view(TheatreInputs(routing=routing, beside=routing))
    assert view.lanes[-1].percentiles == alone.lanes[0].percentiles
    assert len({lane.routing for lane in view.lanes}) == len(view.lanes) == len(view.recordings)


def test_one_queue_leaves_nobody_waiting_beside_an_idle_replica_and_random_routing_does():
    one, at_random = theatre_view(TheatreInputs()).recordings
    assert not ((one.total > 0) & (one.idle > 0)).any()
    assert ((at_random.total > 10) & (at_random.idle > 5)).any()


@pytest.mark.parametrize(
    "inputs", [{}, {"event": "zone loss", "replicas": 38}, {"batch": 4}, {"cached_share": 0.1}]
)
def test_what_is_recorded_is_a_state_that_a_fleet_can_be_in(inputs):
    for recording in theatre_view(TheatreInputs(**inputs)).recordings:
        assert (recording.waiting >= 0).all()
        assert (recording.central >= 0).all()
        assert not (recording.working & recording.out).any()
        if inputs.get("batch", 1) == 1:
            assert not ((recording.waiting > 0) & ~recording.working).any()


def test_an_overload_shown_stays_json():
    assert "Overloaded" in json.dumps(QueueTheatre(replicas=10).shown, allow_nan=False)
    assert json.dumps(QueueTheatre(replicas=1, event="zone loss").shown, allow_nan=False)


def test_everything_shown_moves_together():
    theatre = QueueTheatre()
    theatre.set_state({"routing": "power of two"})
    view = theatre_view(TheatreInputs(routing="power of two"))
    assert theatre.shown["verdict"] == view.verdict
    assert theatre.shown["picture"]["alt"] == view.alt


def test_nothing_leaves_python_before_the_prediction_is_locked_and_then_the_guess_is_drawn():
    prediction, theatre = closed()
    assert theatre.shown == {}
    prediction.lock("250 ms")
    assert "your prediction 250 ms" in theatre.shown["picture"]["body"]


@pytest.mark.parametrize(
    "wrong", [{"routing": "by magic"}, {"beside": "?"}, {"event": "flood"}, {"cached_share": 2}]
)
def test_inputs_out_of_range_are_refused(wrong):
    with pytest.raises(RangeError):
        QueueTheatre(**wrong)


def test_each_control_is_introduced_by_a_step_once():
    offered = [trait for _, _, traits in STEPS for trait in traits]
    assert sorted(offered) == sorted(set(offered)) == sorted(QueueTheatre._inputs)
    assert QueueTheatre().step == 1
    assert all(text for _, text, _ in STEPS)


def test_the_still_picture_says_its_percentiles_and_how_many_wait():
    figure = queue_theatre()
    view = theatre_view(TheatreInputs())
    assert all(p.estimate.as_text() in figure.alt for lane in view.lanes for p in lane.percentiles)
    assert view.seen in figure.alt
    assert len(figure.data["time_s"]) == sum(len(lane.curve) for lane in view.lanes)
    assert [lane.formula_p99_s for lane in view.lanes] == pytest.approx([184.4 * ms, 593.6 * ms], rel=0.01)


def test_the_same_inputs_give_the_same_picture():
    assert queue_theatre().svg == queue_theatre().svg
