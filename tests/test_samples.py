"""The invented data of the lessons have the shape that the lessons say they have."""

import math

import numpy as np
import pytest

from mlsd_helpers import samples
from mlsd_helpers.widgets import PlanesCanvas

DAY = samples.payments_of_a_day()


def test_a_closed_loop_sends_one_request_into_the_stall_and_an_open_one_each_that_is_due():
    loops = samples.loops_beside_a_stall()
    inside = {name: sum(50 <= due_s < 60 for due_s, _ in loop) for name, loop in loops.items()}
    assert inside == {"closed": 1, "open": 100}


def test_an_open_loop_finds_a_queue_after_the_stall():
    late = [due_s for due_s, taken_s in samples.loops_beside_a_stall()["open"] if taken_s > 0.011]
    assert min(late) == pytest.approx(50)
    assert max(late) > 60


def test_a_gate_takes_the_errors_away_and_makes_the_file_older():
    none, loose, strict = (samples.days_behind_a_gate(allowed) for allowed in (math.inf, 0.2, 0.02))
    assert none["minutes of errors"] > 0 == loose["minutes of errors"] == strict["minutes of errors"]
    assert none["oldest file in use (min)"] == 0 < loose["oldest file in use (min)"]
    assert none["good files refused (%)"] == 0
    assert loose["good files refused (%)"] < strict["good files refused (%)"]


def test_an_older_count_flags_less_of_the_fraud():
    fraud = DAY["fraud"].to_numpy()
    recalls = [samples.flagged_at_age(DAY, age)[fraud].mean() for age in (0.01, 5, 15, 60)]
    assert recalls == sorted(recalls, reverse=True)


def test_an_age_for_each_payment_is_taken_as_one_age_for_all():
    each = np.full(len(DAY), 4.0)
    assert (samples.flagged_at_age(DAY, each) == samples.flagged_at_age(DAY, 4)).all()


def test_over_the_day_a_job_flags_more_than_at_its_worst_age_and_less_than_at_its_best():
    fraud = DAY["fraud"].to_numpy()
    over_the_day = samples.flagged_over_the_day(DAY, period_min=10, delay_min=5)[fraud].mean()
    best, worst = (samples.flagged_at_age(DAY, age)[fraud].mean() for age in (5, 15))
    assert worst < over_the_day < best


def test_a_stream_has_one_age():
    assert (samples.flagged_over_the_day(DAY, 0, 0.5) == samples.flagged_at_age(DAY, 0.5)).all()


def test_the_sketch_with_holes_has_three_and_one_of_them_breaks_two_rules():
    found = [one for one in PlanesCanvas(samples.sketch_with_holes()).findings if one.severity != "info"]
    assert len(found) == 4
    assert {one.severity for one in found} == {"error"}
