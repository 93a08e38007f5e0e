"""A page of requirements and a decision are judged by what the task asks, and each point by itself."""

import re

import pytest

import mlsd_helpers as mlsd
from mlsd_helpers.exercises import exercise
from mlsd_helpers.exercises.requirements import briefs, decide, fan_out, peak, repair

ASKED = mlsd.exercises.find("01-repair")


def scored(change):
    """Return the score of the right page after a change to its throughput and latency."""

    def repaired(needs):
        page = repair.repaired(needs)
        change(page["throughput"], page["latency"])
        return page

    return mlsd.check("01-repair", repaired)


@pytest.mark.parametrize(
    "change",
    [
        lambda _, latency: latency.update(percentile="p90"),
        lambda load, _: load.update(peak=1_000_000),
        lambda _, latency: latency["split"][-1].update(time=0.001),
        lambda load, _: load.update(scoring_per_request=load.pop("scorings_per_request")),
        lambda load, _: load.update(busiest_hour=410),
    ],
    ids=["p90", "a peak out of the air", "a hop of 1 ms", "a misspelt field", "a note left in"],
)
def test_one_fault_that_is_left_costs_its_own_point_alone(change):
    assert scored(change).score == ASKED.points - 1


def test_a_misspelt_field_is_named_and_not_taken_for_a_note():
    said = str(scored(lambda load, _: load.update(scoring=load.pop("scorings_per_request"))))
    assert "'scoring'" in said
    assert "notes" not in said


def test_a_margin_that_forgets_to_do_without_is_told_of_the_third_way():
    def two_ways(clash):
        fresh, old = clash["worth_fresh"] - clash["stream_cost"], clash["worth_old"] - clash["job_cost"]
        return {**decide.decide(clash), "margin": max(fresh, old) - min(fresh, old)}

    assert "dropping" in mlsd.check("01-decide", two_ways).message


def test_of_a_repeated_bucket_nothing_is_said_that_its_length_refutes():
    feedback = exercise.feedback(peak.bought_for_a_clock) + exercise.feedback(peak.mean_for_the_peak)
    assert not re.search(r"\bhours?\b", feedback)  # a bucket may be a minute


@pytest.mark.parametrize("seed", range(5))
def test_a_page_on_which_every_hop_got_shorter_loses_a_point(seed):
    for fresh in (False, True):
        verdict = mlsd.check("01-repair", repair.shortened_every_hop, fresh=fresh, seed=seed)
        assert verdict.score == 3
        assert verdict.mistake == "shortened_every_hop"


def test_the_two_usual_wrong_powers_have_a_name():
    for mistake in (fan_out.all_fast_given, fan_out.not_all_slow_at_once):
        assert mlsd.check("01-fan-out", mistake).mistake == mistake.__name__


def test_a_wrong_type_is_told_what_it_gives():
    def all_binary(brief):
        return {**briefs.read_brief(brief), "type": "binary classification"}

    def own_word(brief):
        return {**briefs.read_brief(brief), "type": "classifier"}

    assert "one of two classes" in mlsd.check("01-briefs", all_binary).message
    assert "'regression'" in mlsd.check("01-briefs", own_word).message


def asked_otherwise(**changes):
    """Return the right page with a part of it that nobody asked to change."""

    def repaired(needs):
        return {**repair.repaired(needs), **changes}

    return repaired


def test_a_page_that_changes_what_was_asked_or_measured_earns_nothing():
    verdict = mlsd.check("01-repair", asked_otherwise(prediction={"type": "regression"}))
    assert verdict.score == 0
    assert "`prediction`" in verdict.message
    assert scored(lambda load, _: load.update(mean=load["peak"])).score == 0
    assert scored(lambda _, latency: latency["split"][0].update(part="cache")).score == 0


def test_a_peak_needs_what_it_is_derived_from():
    assert scored(lambda load, _: load.update(derivation="mean")).score == ASKED.points - 1


def test_to_shorten_the_last_hop_whatever_is_too_long_costs_a_point():
    def last(needs):
        page = repair.repaired(needs)
        split = [dict(part) for part in needs["latency"]["split"]]
        split[-1]["time"] = needs["latency"]["budget"] - sum(part["time"] for part in split[:-1])
        return {**page, "latency": {**page["latency"], "split": split}}

    for seed in range(3):
        assert mlsd.check("01-repair", last, fresh=True, seed=seed).score == ASKED.points - 1
