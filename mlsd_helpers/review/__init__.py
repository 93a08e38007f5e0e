"""Review: rules that read a design and return what a good reviewer would say.

One module a lesson, each with its `RULES`; `rule` says what a rule is. `mutations` holds, for each rule, a change of
a sound design that breaks it and nothing else.

>>> from mlsd_helpers import cases
>>> [finding.code for finding in review(cases.load("harbour_pay"))]
[]
"""

from collections.abc import Iterable

from mlsd_helpers.design import Design
from mlsd_helpers.review import capacity, dataflow, pattern, planes, requirements
from mlsd_helpers.review.rule import SEVERITIES, Fault, Finding, Rule, in_order, rule

__all__ = ["RULES", "SEVERITIES", "Fault", "Finding", "Rule", "in_order", "review", "rule", "rules_called"]

RULES: tuple[Rule, ...] = (
    *requirements.RULES,
    *planes.RULES,
    *dataflow.RULES,
    *pattern.RULES,
    *capacity.RULES,
)
"""Every rule, in the order of the lessons."""


def review(design: Design) -> tuple[Finding, ...]:
    """Return what the rules find in a design: errors first, then by rule and place."""
    return in_order(finding for one in RULES for finding in one(design))


def rules_called(names: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules with these codes, or whose codes begin with them: ``["PLANE", "CAP004"]``."""
    wanted = tuple(name.upper() for name in names)
    return tuple(one for one in RULES if one.code.startswith(wanted))
