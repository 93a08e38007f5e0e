"""A fallback or a check of a placeholder is found as one that is missing, and the message says what stands there."""

import pytest

from mlsd_helpers import review, samples
from mlsd_helpers.design import Design


def found(planes, code):
    return [one.message for one in review(Design(name="d", planes=planes)) if one.code == code]


@pytest.mark.parametrize("empty", ["x", "none", "tbd"])
def test_a_fallback_of_a_placeholder_is_no_fallback(empty):
    message = found(samples.sketch_of_six().with_flow("scorer", "features", fallback=empty), "PLANE006")
    assert len(message) == 1
    assert repr(empty) in message[0]


def test_a_fallback_in_words_is_one():
    assert not found(
        samples.sketch_of_six().with_flow("scorer", "features", fallback="Each feature's default"), "PLANE006"
    )


def test_a_check_of_a_placeholder_is_not_said_to_be_absent():
    planes = samples.sketch_with_holes()
    (absent,) = found(planes, "PLANE015")
    (empty,) = found(planes.with_flow("merchant_jobs", "features", check="x"), "PLANE015")
    assert "says what is refused" in empty
    assert "says what is refused" not in absent
