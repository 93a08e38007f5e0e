"""Zipf popularity: the key of rank i is requested in proportion to i^−α, for up to billions of keys.

Sums over the ranks are exact up to `_EXACT`. Beyond, the terms are smooth, and an integral over the logarithm
of the rank replaces the sum, by Gauss–Legendre quadrature. The sum from m + 1 to n equals the integral from m +
1/2 to n + 1/2 with a relative error of about α² / 24 m², below 1e-6 here.
"""

import math
from collections.abc import Callable
from functools import lru_cache

_EXACT = 500
_PANEL = 0.5  # in ln(rank)
_GAUSS = (
    (0.0, 0.5688888888888889),
    (0.5384693101056831, 0.47862867049936647),
    (-0.5384693101056831, 0.47862867049936647),
    (0.906179845938664, 0.23692688505618908),
    (-0.906179845938664, 0.23692688505618908),
)


@lru_cache(maxsize=64)
def popularity(keys: int, exponent: float) -> tuple[tuple[float, float], ...]:
    """Return pairs: a key's share of the requests, and the number of keys with that share."""
    ranks = [(float(rank), 1.0) for rank in range(1, min(keys, _EXACT) + 1)]
    ranks += _quadrature(_EXACT + 0.5, keys + 0.5) if keys > _EXACT else []
    total = math.fsum(weight * rank**-exponent for rank, weight in ranks)
    return tuple((rank**-exponent / total, weight) for rank, weight in ranks)


def _quadrature(first: float, last: float) -> list[tuple[float, float]]:
    span = math.log(last / first)
    panels = math.ceil(span / _PANEL)
    half = span / panels / 2
    ranks = []
    for panel in range(panels):
        for node, weight in _GAUSS:
            rank = first * math.exp((2 * panel + 1 + node) * half)
            ranks.append((rank, weight * half * rank))
    return ranks


def over_keys(keys: int, exponent: float, value: Callable[[float], float]) -> float:
    """Sum `value` of each key's share of the requests over all keys."""
    return math.fsum(count * value(share) for share, count in popularity(keys, exponent))


def head_share(top: int, keys: int, exponent: float) -> float:
    """Return the share of the requests that the `top` most popular keys have."""
    if top >= keys:
        return 1.0
    one_of_all = popularity(keys, exponent)[0][0]
    one_of_top = popularity(top, exponent)[0][0]
    return one_of_all / one_of_top
