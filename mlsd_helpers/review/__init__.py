"""Review: rules that read a design and return what a good reviewer would say.

One module for each part of a design; whatever `rule` makes a rule of in one of them is in `RULES`.

>>> from mlsd_helpers import cases
>>> [finding.code for finding in review(cases.load("harbour_pay"))]
[]
"""

from collections.abc import Iterable
from itertools import chain

from mlsd_helpers.design import Design
from mlsd_helpers.review import capacity, dataflow, pattern, planes, requirements
from mlsd_helpers.review.rule import SEVERITIES, Fault, Finding, Rule, in_order, rule

__all__ = ["RULES", "SEVERITIES", "Fault", "Finding", "Rule", "in_order", "review", "rule", "rules_called"]

RULES: tuple[Rule, ...] = tuple(
    one
    for module in (requirements, planes, dataflow, pattern, capacity)
    for one in vars(module).values()
    if isinstance(one, Rule)
)
"""Every rule, part by part as a design grows, and in the order of its module."""


def review(design: Design) -> tuple[Finding, ...]:
    """Return what the rules find in a design: errors first, then by rule and place."""
    return in_order(chain.from_iterable(one(design) for one in RULES))


def rules_called(codes: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules whose code is, or begins with, one of some codes; in any case.

    >>> [one.code for one in rules_called(["REQ001", "plane00"])][:3]
    ['REQ001', 'PLANE001', 'PLANE002']
    """
    wanted = tuple(code.upper() for code in codes)
    return tuple(one for one in RULES if one.code.startswith(wanted))
