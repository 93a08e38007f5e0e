"""Exact distributions of ages: sums of independent uniform waits, and the oldest of several.

P(age ≤ x) is stored as a sum of one-sided powers, c (x − k)^m / m! from the knot k on, in rational numbers, so
that no digits cancel when one wait is a week and another a second. Adding independent ages then multiplies
their terms: (x − k)^m / m! and (x − l)^n / n! make (x − k − l)^(m + n) / (m + n)!, as their Laplace transforms
show.
"""

from collections import defaultdict
from fractions import Fraction
from itertools import product
from math import comb, factorial

Ages = dict[tuple[Fraction, int], Fraction]  # (knot, power): coefficient


def constant(age: float) -> Ages:
    """Return the distribution of a constant age."""
    return {(Fraction(age), 0): Fraction(1)}


def uniform(longest: float) -> Ages:
    """Return the distribution of a wait that is uniform from 0 to `longest`."""
    width = Fraction(longest)
    return {(Fraction(0), 1): 1 / width, (width, 1): -1 / width} if width else constant(0)


def added(one: Ages, other: Ages) -> Ages:
    """Return the distribution of the sum of two independent ages."""
    terms: Ages = defaultdict(Fraction)
    for ((knot, power), a), ((other_knot, other_power), b) in product(one.items(), other.items()):
        terms[knot + other_knot, power + other_power] += a * b
    return terms


def older(one: Ages, other: Ages) -> Ages:
    """Return the distribution of the older of two independent ages: the product of P(age ≤ x)."""
    terms: Ages = defaultdict(Fraction)
    for (early, a), (late, b) in product(one.items(), other.items()):
        (knot, power), (start, from_start) = sorted((early, late))
        for rest in range(power + 1):  # (x − knot)^power, about the later knot
            moved = comb(power, rest) * (start - knot) ** (power - rest)
            whole = rest + from_start
            scale = Fraction(factorial(whole), factorial(power) * factorial(from_start))
            terms[start, whole] += a * b * moved * scale
    return terms


def mean(ages: Ages) -> float:
    """Return the mean age: the largest age minus the area under P(age ≤ x) up to it."""
    greatest = max(knot for knot, _ in ages)
    area = sum(
        c * (greatest - knot) ** (power + 1) / factorial(power + 1) for (knot, power), c in ages.items()
    )
    return float(greatest - area)


def share_above(ages: Ages, age: float) -> float:
    """Return the share of ages above `age`."""
    x = Fraction(age)
    terms = (c * (x - knot) ** power / factorial(power) for (knot, power), c in ages.items() if knot <= x)
    return float(1 - sum(terms))
