"""What the repair of a data flow accepts beyond its reference."""

import pytest

from mlsd_helpers.exercises import kit
from mlsd_helpers.exercises.dataflow.design import EXERCISE, repaired


def steps_passed(answer):
    """Return the names of the steps that an answer passes on the shown cases."""
    marks = kit.mark(EXERCISE, answer, EXERCISE.cases)
    return {step.name for step in EXERCISE.steps if marks.step_passed(step)}


def test_the_age_behind_parallel_branches_is_that_of_the_older_one():
    def by_stream_or_job(flow):
        """Join what the stream and the repaired job know."""
        mended = repaired(flow)
        for feature in mended["features"]:
            if feature["id"] == "merchant_rate_15m":
                feature["path"] = [{"parallel": [["card_stream"], ["rate_job"]]}, "rate_cache"]
        return mended

    assert "fresh" in steps_passed(by_stream_or_job)


@pytest.mark.parametrize("job", ["spend_job", "rate_job", "click_job"])
def test_a_job_does_not_get_fresh_by_being_called_synchronised(job):
    def synchronised(flow):
        mended = repaired(flow)
        for stage in mended["stages"]:
            if stage["id"] == job:
                stage["synchronised"] = True
        return mended

    assert "kept" not in steps_passed(synchronised)
