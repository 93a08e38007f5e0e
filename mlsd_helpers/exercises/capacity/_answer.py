"""What the exercises of this lesson share: the shape of an answer, and rounding up."""

import math
from typing import Any

Answer = dict[str, Any]


def round_up(value: float) -> int:
    """Round up, but not for the last bit of a float.

    >>> round_up(100 * 0.07 / 0.7), round_up(28.571)
    (10, 29)
    """
    return math.ceil(value - 1e-9)
