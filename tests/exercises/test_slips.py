"""Slips as a reader writes them, in code of their own, are named; also on fresh cases, whatever is drawn."""

import math

import pytest

from mlsd_helpers.exercises import find, kit
from tests.effort import seeds


def rounds_twice(requests_per_minute, service_time_ms, target_percent, headroom_percent):
    busy = requests_per_minute / 60 * (service_time_ms / 1000)
    at_target = math.ceil(busy / (target_percent / 100))
    return {"busy": busy, "replicas": math.ceil(at_target * (1 + headroom_percent / 100))}


def reads_what_ended_before(period_min, first_run_min, delays_min, fetched_min, read_min):
    lasts, run = sum(delays_min), first_run_min
    while run + period_min + lasts < fetched_min:
        run += period_min
    return {"run_min": run, "readable_min": run + lasts, "age_min": read_min - run}


def waits_longer(payments, today, wait_days, early_days):
    mature = [p for p in payments if today - p["paid_day"] > wait_days]
    took = [p["disputed_day"] - p["paid_day"] for p in mature if p["disputed_day"] is not None]
    frauds = [days for days in took if days < wait_days]
    early = [days for days in frauds if days < early_days]
    return {"mature": len(mature), "rate": len(frauds) / len(mature), "arrived": len(early) / len(frauds)}


def below_the_target(**fleet):
    right = find("05-headroom").reference(**fleet)
    covered = {name for name in right if name != "covered" and right[name] < fleet["target_utilisation"]}
    return {**right, "covered": covered}


def fresh_sooner(**case):
    right = find("04-lag").reference(**case)
    return {**right, "fresh_again_s": max(0, right["caught_up_s"] - case["max_lag_s"])}


SLIPS = {
    "05-units-rounding": (rounds_twice, "rounded_twice_and_kept_the_noise"),
    "03-trace": (reads_what_ended_before, "readable_a_moment_too_late"),
    "03-labels": (waits_longer, "every_limit_strict"),
    "05-headroom": (below_the_target, "exactly_at_the_target_is_above"),
    "04-lag": (fresh_sooner, "took_the_limit_off_the_time"),
}


@pytest.mark.parametrize("exercise_id", SLIPS)
def test_a_slip_is_named_on_the_visible_cases_and_on_every_draw(exercise_id):
    exercise, (answer, mistake) = find(exercise_id), SLIPS[exercise_id]
    assert kit.judge(exercise, answer).mistake == mistake
    for seed in seeds(3):
        drawn = kit.CaseSet.fresh(exercise, seed)
        assert kit.judge(exercise, answer, fresh=True, case_set=drawn).mistake == mistake
