import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import figures, formulas
from mlsd_helpers.analysis import LatencyInputs, latency_view
from mlsd_helpers.analysis.latency import SPREAD
from mlsd_helpers.cases.traffic import DAYS, PROFILE, REPEATED, week
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import hour

times = st.floats(0.001, 5)
inputs = st.builds(
    LatencyInputs,
    ordinary_s=times,
    slow_share=st.floats(0, 0.5),
    slow_s=times,
    calls=st.integers(1, 200),
    promise_s=times,
)


def samples(given, size, seed=0):
    rng = np.random.default_rng(seed)
    means = np.where(rng.random(size) < given.slow_share, given.slow_s, given.ordinary_s)
    return means * np.exp(SPREAD * rng.standard_normal(size) - SPREAD**2 / 2)


def test_the_marks_are_those_of_a_large_sample():
    given = LatencyInputs(0.020, 0.05, 0.400, calls=10, promise_s=0.100)
    view, drawn = latency_view(given), samples(given, 10**6).reshape(-1, given.calls)
    assert view.mean.time_s == pytest.approx(drawn.mean(), rel=0.01)
    assert view.p50.time_s == pytest.approx(np.quantile(drawn, 0.5), rel=0.01)
    assert view.p99.time_s == pytest.approx(np.quantile(drawn, 0.99), rel=0.01)
    assert view.page_p99.time_s == pytest.approx(np.quantile(drawn.max(axis=1), 0.99), rel=0.02)
    assert view.late == pytest.approx((drawn > 0.100).mean(), rel=0.02)
    assert view.late_pages == pytest.approx((drawn.max(axis=1) > 0.100).mean(), rel=0.02)


@given(inputs=inputs)
def test_the_mean_is_the_weighted_mean_and_the_percentiles_stand_in_order(inputs):
    view = latency_view(inputs)
    assert view.mean.time_s == pytest.approx(
        (1 - inputs.slow_share) * inputs.ordinary_s + inputs.slow_share * inputs.slow_s
    )
    assert view.p50.time_s <= view.p99.time_s <= view.page_p99.time_s * (1 + 1e-9)
    assert view.late <= view.late_pages + 1e-12


@given(inputs=inputs)
def test_the_curve_falls_and_a_mark_lies_on_it(inputs):
    view = latency_view(inputs)
    shares = [share for _, share in view.curve]
    assert shares == sorted(shares, reverse=True)
    for mark in view.marks:
        sooner = [share for time_s, share in view.curve if time_s < mark.time_s]
        later = [share for time_s, share in view.curve if time_s > mark.time_s]
        assert not sooner or min(sooner) >= mark.slower - 1e-9
        assert not later or max(later) <= mark.slower + 1e-9


@given(inputs=inputs, longer=st.floats(1, 10))
def test_a_longer_tail_moves_no_mark_to_the_left(inputs, longer):
    before = latency_view(inputs)
    after = latency_view(
        LatencyInputs(
            inputs.ordinary_s, inputs.slow_share, inputs.slow_s * longer, inputs.calls, inputs.promise_s
        )
    )
    for one, other in zip(before.marks, after.marks, strict=True):
        assert other.time_s >= one.time_s * (1 - 1e-9)


@given(inputs=inputs, scale=st.floats(0.1, 10))
def test_the_unit_of_time_does_not_matter(inputs, scale):
    given_s = (inputs.ordinary_s, inputs.slow_s, inputs.promise_s)
    ordinary_s, slow_s, promise_s = (scale * time_s for time_s in given_s)
    scaled = latency_view(LatencyInputs(ordinary_s, inputs.slow_share, slow_s, inputs.calls, promise_s))
    for one, other in zip(latency_view(inputs).marks, scaled.marks, strict=True):
        assert other.time_s == pytest.approx(scale * one.time_s)


def test_a_mean_that_keeps_a_promise_hides_a_p99_that_breaks_it():
    view = latency_view(LatencyInputs(0.020, 0.05, 1.6, promise_s=0.100))
    assert view.keeps(view.mean)
    assert not view.keeps(view.p99)
    assert "p50 and mean" in view.verdict


def test_a_promise_is_strict():
    view = latency_view(LatencyInputs(0.020, 0, 0.4, promise_s=0.020))
    assert view.mean.time_s == pytest.approx(0.020)
    assert not view.keeps(view.mean)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ordinary_s": 0},
        {"slow_s": float("nan")},
        {"promise_s": float("inf")},
        {"slow_share": -0.1},
        {"slow_share": 1},
        {"calls": 0},
        {"calls": 1.5},
    ],
)
def test_inputs_out_of_range_are_refused(wrong):
    with pytest.raises(RangeError):
        latency_view(LatencyInputs(**wrong))


def test_the_tail_says_its_numbers_and_keeps_its_data():
    figure = figures.latency_tail(0.020, 0.05, 0.400, calls=10)
    view = latency_view(LatencyInputs(0.020, 0.05, 0.400, calls=10))
    assert figure.data["time_s"] == tuple(mark.time_s for mark in view.marks)
    assert all(f"{mark.name} {mark.words}" in figure.alt for mark in view.marks)


def test_a_tail_without_slow_requests_is_drawn():
    assert "0% of requests" in figures.latency_tail(slow_share=0).alt


def test_the_week_has_the_published_profile_and_a_peak_that_is_an_artefact():
    counts = week(seed=3)
    as_counted = formulas.peak_of_trace(counts, hour)
    explained = formulas.peak_of_trace(counts, hour, REPEATED)
    assert len(counts) == DAYS * len(PROFILE)
    assert as_counted.bucket in REPEATED
    assert explained.bucket not in REPEATED
    assert as_counted.factor == pytest.approx(2.59, rel=0.05)
    assert explained.factor == pytest.approx(2.01, rel=0.05)
    assert week(seed=3) == counts != week(seed=4)


def test_a_peak_is_drawn_as_counted_until_it_is_explained():
    counts = week()
    raw = figures.trace_peak(counts, repeated=REPEATED, explained=False)
    mended = figures.trace_peak(counts, repeated=REPEATED)
    (hour_twice,) = REPEATED
    assert raw.data["rps"][hour_twice] == pytest.approx(2 * mended.data["rps"][hour_twice])
    assert f"hour {hour_twice}" in raw.alt
    assert f"hour {hour_twice}" not in mended.alt


def test_two_loops_say_how_many_requests_met_the_stall():
    figure = figures.two_loops({"closed": [(0, 1), (9, 1)], "open": [(0, 1), (3, 6), (4, 5)]}, (2, 8))
    assert "closed loop sent 2 requests, 0 of them" in figure.alt
    assert "open loop sent 3 requests, 2 of them" in figure.alt
    assert figure.data["loop"] == ("closed",) * 2 + ("open",) * 3


@pytest.mark.parametrize("ways", [{}, {name: [(0, 1)] for name in "abc"}])
def test_no_way_to_measure_and_too_many_are_refused(ways):
    with pytest.raises(RangeError):
        figures.two_loops(ways, (1, 2))
