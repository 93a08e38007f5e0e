import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import figures, formulas
from mlsd_helpers.analysis import FreshnessInputs, freshness_view
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import Stage

times = st.floats(1, 100_000)
inputs = st.builds(
    FreshnessInputs,
    period_s=times,
    delay_s=st.floats(0, 100_000),
    ttl_s=st.floats(0, 10_000),
    sla_s=times,
    phase=st.floats(0, 1),
)


def test_a_view_gives_the_fifteen_minute_job_its_published_numbers():
    view = freshness_view(FreshnessInputs(900, 270, 30, 900))
    assert (view.bounds.worst_s, view.bounds.mean_s, view.left_s) == (1200, 735, 600)
    assert view.stale == pytest.approx(0.317, abs=0.001)
    assert "at most 10 min" in view.verdict


def test_where_delays_exceed_the_sla_the_verdict_offers_no_period():
    verdict = freshness_view(FreshnessInputs(3600, 960, 120, 900)).verdict
    assert "No period" in verdict
    assert "18 min" in verdict


def test_a_worst_age_that_equals_the_sla_holds_it():
    view = freshness_view(FreshnessInputs(600, 270, 30, 900))
    assert view.stale == 0
    assert "holds" in view.verdict


@given(inputs=inputs)
def test_the_age_that_is_drawn_stays_within_the_bounds_and_reaches_them(inputs):
    view = freshness_view(inputs)
    _, stored, oldest = np.array(view.rows).T
    near = 1e-4 * view.bounds.worst_s
    assert stored.min() >= view.bounds.best_s - near
    assert oldest.max() <= view.bounds.worst_s + near
    assert stored.min() == pytest.approx(view.bounds.best_s, abs=near)
    assert oldest.max() == pytest.approx(view.bounds.worst_s, abs=near)
    assert (oldest >= stored - near).all()


@given(inputs=inputs)
def test_the_age_rises_with_the_clock_and_falls_by_whole_periods(inputs):
    time, stored, oldest = np.array(freshness_view(inputs).rows).T
    for age in (stored, oldest):
        runs = (np.diff(time) - np.diff(age)) / inputs.period_s
        assert np.allclose(runs, runs.round(), atol=1e-5)


def rises_between_its_falls(view):
    """Tell whether the age is drawn rising with the clock wherever two points are not the two sides of a fall."""
    time, *ages = np.array(view.rows).T
    apart = np.diff(time) > 2e-6 * view.inputs.period_s
    return all(np.allclose(np.diff(age)[apart], np.diff(time)[apart]) for age in ages)


@given(inputs=inputs)
def test_every_tooth_is_drawn_to_its_tip(inputs):
    assert rises_between_its_falls(freshness_view(inputs))


@pytest.mark.parametrize("phase", [0, 0.5, 1])
def test_the_last_tooth_has_its_tip_where_the_delay_is_a_multiple_of_the_period(phase):
    view = freshness_view(FreshnessInputs(60, 960, 120, 900, phase))
    assert rises_between_its_falls(view)
    if phase != 0.5:
        assert view.rows[-1][1:] == pytest.approx((960 + 60, 960 + 60 + 120), rel=1e-4)


@given(inputs=inputs)
def test_a_phase_moves_the_falls_and_no_bound(inputs):
    moved = FreshnessInputs(inputs.period_s, inputs.delay_s, inputs.ttl_s, inputs.sla_s, phase=0)
    assert freshness_view(moved).bounds == freshness_view(inputs).bounds


def test_a_phase_decides_what_one_read_finds():
    ages = {freshness_view(FreshnessInputs(3600, 960, 0, 900, phase)).read_ages_s for phase in (0, 0.3, 0.7)}
    assert len(ages) == 3


@pytest.mark.parametrize(
    "wrong", [{"period_s": 0}, {"sla_s": -1}, {"phase": 1.5}, {"delay_s": -1}, {"ttl_s": float("nan")}]
)
def test_inputs_out_of_range_are_refused(wrong):
    with pytest.raises(RangeError):
        freshness_view(FreshnessInputs(**wrong))


def test_the_timeline_says_its_ages_and_keeps_its_data():
    figure = figures.freshness_timeline(3600, 960, 120, 900)
    assert all(word in figure.alt for word in ("78 min", "47 min", "16 min"))
    assert max(figure.data["oldest_s"]) == pytest.approx(78 * 60, rel=1e-4)


def test_the_parts_of_an_age_add_up_to_its_worst():
    paths = {"chain": [Stage(900, 120), Stage(3600, 720)], "cached": [Stage(900, 270), Stage(ttl_s=30)]}
    data = figures.age_parts(paths, sla_s=3600).data
    for at, name in enumerate(data["path"]):
        parts = sum(data[part][at] for part in ("period_s", "delay_s", "ttl_s"))
        assert parts == formulas.age_bounds(paths[name]).worst_s


def test_the_parts_say_each_path_in_words():
    alt = figures.age_parts({"chain": [Stage(900, 120), Stage(3600, 720)]}, sla_s=3600).alt
    assert "chain 89 min" in alt
    assert "60 min" in alt


def test_no_path_is_refused():
    with pytest.raises(RangeError):
        figures.age_parts({})


def test_recall_by_age_keeps_its_points_and_says_them():
    figure = figures.recall_by_age([1, 900], [0.9, 0.25], floor=0.8)
    assert figure.data["recall"] == (0.9, 0.25)
    assert "15 min: 25%" in figure.alt
    assert "80%" in figure.alt


@pytest.mark.parametrize("wrong", [([1, 2], [0.5]), ([0, 1], [1, 1]), ([2, 1], [1, 1]), ([], [])])
def test_ages_without_their_recalls_are_refused(wrong):
    with pytest.raises(RangeError):
        figures.recall_by_age(*wrong)
