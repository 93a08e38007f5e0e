"""Roots of decreasing functions: percentiles that have no closed form."""

from collections.abc import Callable


def solve_decreasing(level: float, function: Callable[[float], float], start: float) -> float:
    """Return the x ≥ 0 at which a decreasing function equals `level`; 0 when it starts below it.

    Bisection, to the last bit. `start` is a guess of the scale.

    >>> round(solve_decreasing(0.25, lambda x: 1 / (1 + x), start=1.0), 12)
    3.0
    """
    low, high = 0.0, start
    if function(low) <= level:
        return 0.0
    while function(high) > level:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        if function(middle) > level:
            low = middle
        else:
            high = middle
    return high
