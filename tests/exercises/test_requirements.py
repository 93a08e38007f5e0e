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
