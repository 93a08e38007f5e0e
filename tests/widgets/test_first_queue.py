import pytest

from mlsd_helpers import figures, formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures.by_hand import SERVICE_S, at_rate, serve
from mlsd_helpers.widgets import FirstQueue


def test_requests_are_served_one_after_the_other_in_their_order():
    assert [(one.start_s, one.done_s) for one in serve([0, 0, 0.2, 5], 1)] == [(0, 1), (1, 2), (2, 3), (5, 6)]


def test_the_recorded_gaps_wait_as_theory_says():
    run = at_rate(1.0, span_s=400)
    mean_s = sum(one.wait_s for one in run) / len(run)
    assert mean_s == pytest.approx(SERVICE_S * formulas.md1_mean_wait_s(0.5, 1), rel=0.3)


def test_above_what_the_replica_can_serve_the_last_request_waits_longest():
    data = figures.first_queue().data
    for rate in set(data["rate_rps"]):
        waits = [
            s - a
            for r, a, s in zip(data["rate_rps"], data["arrival_s"], data["start_s"], strict=True)
            if r == rate
        ]
        late, early = sum(waits[-5:]), sum(waits[:5])
        assert late > 5 * early if rate * SERVICE_S > 1 else max(waits) < 5


def test_draws_that_do_not_last_are_refused():
    with pytest.raises(RangeError, match="rate_rps"):
        at_rate(100)


def test_without_a_kernel_a_picture_and_its_words_tell_the_point():
    widget = FirstQueue()
    assert "data:image/svg+xml" in widget.still()
    assert "120% of what it can serve" in widget.sentence()
