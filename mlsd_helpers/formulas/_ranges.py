"""Range checks for the inputs of formulas: one for each kind of range.

Every check takes its values by name, so that the error names the wrong one. Raises `RangeError`.
"""

import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real

from mlsd_helpers.errors import RangeError

_ADVICE = {  # the first whose ending fits
    "_per_s": "Give a rate per second.",
    "_s": "Give a time in seconds.",
    "_rps": "Give a rate in requests per second.",
    "_bytes": "Give a size in bytes.",
    "percentile": "Give 0.99 for the 99th.",
}
_SHARE = "Give a share, such as 0.3 for 30%."
_COUNT = "Give it as an int."
_MOST_COUNTED = 1_000_000


def positive(**given: float) -> None:
    """Check that each value is a finite number above 0.

    >>> positive(inference_time_s=-0.04)
    Traceback (most recent call last):
    ...
    mlsd_helpers.errors.RangeError: inference_time_s -0.04 must be above 0. Give a time in seconds.
    """
    _require(given, lambda value: value > 0, "above 0", "Give a finite number.")


def not_negative(**given: float) -> None:
    """Check that each value is a finite number of at least 0."""
    _require(given, lambda value: value >= 0, "at least 0", "Give a finite number.")


def share(**given: float) -> None:
    """Check that each value is a share from 0 to 1, both included."""
    _require(given, lambda value: 0 <= value <= 1, "from 0 to 1", _SHARE)


def share_above_0(**given: float) -> None:
    """Check that each value is a share above 0 and at most 1."""
    _require(given, lambda value: 0 < value <= 1, "above 0 and at most 1", _SHARE)


def share_below_1(**given: float) -> None:
    """Check that each value is a share of at least 0 and below 1."""
    _require(given, lambda value: 0 <= value < 1, "at least 0 and below 1", _SHARE)


def share_between(**given: float) -> None:
    """Check that each value is a share above 0 and below 1.

    >>> share_between(percentile=99)
    Traceback (most recent call last):
    ...
    mlsd_helpers.errors.RangeError: percentile 99 must be above 0 and below 1. Give 0.99 for the 99th.
    """
    _require(given, lambda value: 0 < value < 1, "above 0 and below 1", _SHARE)


def whole(at_least: int = 1, /, **given: int) -> None:
    """Check that each value is a whole number of at least `at_least`."""
    _require(
        given,
        lambda value: _is_whole(value) and value >= at_least,
        f"a whole number of at least {at_least}",
        _COUNT,
    )


def countable(at_least: int = 1, /, **given: int) -> None:
    """Check that each value is a whole number from `at_least` to a million, since the formula counts up to it."""
    whole(at_least, **given)
    _require(
        given,
        lambda value: value <= _MOST_COUNTED,
        f"at most {_MOST_COUNTED:,}, for the formula counts up to it",
        "Check the unit, or split the fleet.",
    )


def below_saturation(utilisation: float) -> None:
    """Check that a queue's arrivals are below the capacity of its servers.

    >>> below_saturation(0.8)
    """
    if utilisation >= 1:
        verb = "exceed" if utilisation > 1 else "equal"
        reason = f"arrivals {verb} service. Add replicas or reduce load."
        raise RangeError(f"utilisation {utilisation:.6g} must be below 1: {reason}")


def _require(
    given: Mapping[str, float], accepts: Callable[[float], bool], expected: str, advice: str
) -> None:
    for name, value in given.items():
        if not (_is_number(value) and accepts(value)):
            fix = next((text for end, text in _ADVICE.items() if name.endswith(end)), advice)
            raise RangeError(f"{name} {value!r} must be {expected}. {fix}")


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral)


def _is_number(value: object) -> bool:
    if type(value) is float:  # quick: most of them, and `isinstance` of an abstract class is slow
        return math.isfinite(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond the largest float
        return False
