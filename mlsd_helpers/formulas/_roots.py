"""Roots of functions that only fall: percentiles that have no closed form."""

from collections.abc import Callable


def where_it_falls_to(level: float, falling: Callable[[float], float], start: float) -> float:
    """Find x ≥ 0 at which a falling function reaches `level`; 0 when it starts below it.

    Bisection: it needs nothing but the falling, and ends at the last bit. `start` guesses the scale.

    >>> round(where_it_falls_to(0.25, lambda x: 1 / (1 + x), start=1.0), 12)
    3.0
    """
    low, high = 0.0, start
    if falling(low) <= level:
        return 0.0
    while falling(high) > level:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        if falling(middle) > level:
            low = middle
        else:
            high = middle
    return high
