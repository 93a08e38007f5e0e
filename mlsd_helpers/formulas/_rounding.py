"""Counts from quantities, safe from float noise: 100 × 0.07 / 0.7 is 10, not 11."""

import math

from mlsd_helpers.errors import RangeError


def round_up(quantity: float) -> int:
    """Round a quantity of at least 0 up to a count; more than 0 of anything takes at least one.

    >>> 100 * 0.07 / 0.7, round_up(100 * 0.07 / 0.7), round_up(10.01), round_up(1e-12)
    (10.000000000000002, 10, 11, 1)
    """
    count = _count_within_noise(quantity)
    return math.ceil(quantity) if count is None or (count == 0 and quantity > 0) else count


def round_down(quantity: float) -> int:
    """Round a quantity of at least 0 down to a count.

    >>> 0.7 / 0.1, round_down(0.7 / 0.1), round_down(6.99)
    (6.999999999999999, 7, 6)
    """
    count = _count_within_noise(quantity)
    return math.floor(quantity) if count is None else count


def _count_within_noise(quantity: float) -> int | None:
    if not math.isfinite(quantity):
        raise RangeError(f"the result {quantity} must be finite. Check the units of the inputs.")
    nearest = round(quantity)
    return nearest if math.isclose(quantity, nearest, rel_tol=1e-12, abs_tol=1e-9) else None
