"""How the exercises of this lesson round up."""

import math


def round_up(value: float) -> int:
    """Round up, but not for the last bit of a float.

    >>> round_up(100 * 0.07 / 0.7), round_up(28.571)
    (10, 29)
    """
    return math.ceil(value - 1e-9)
