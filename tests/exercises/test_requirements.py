"""A page of requirements and a decision are judged by what the task asks, and each point by itself."""

import pytest

import mlsd_helpers as mlsd
from mlsd_helpers.exercises.requirements import decide, repair

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
    clash = {"worth_fresh": 400, "worth_old": 30, "stream_cost": 200, "job_cost": 60, "allowed": True}

    step = mlsd.exercises.find("01-decide").steps[-1]
    assert "dropping" in step.explain({"clash": clash}, decide.forgot_to_do_without(clash)["margin"])
