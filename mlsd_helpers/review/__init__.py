"""Review: rules that read a design and return what a good reviewer would say.

One module a lesson, each with its `RULES`; `rule` says what a rule is. `mutations` holds, for each rule, a change of
a sound design that breaks it and nothing else.

>>> from mlsd_helpers import cases
>>> [finding.code for finding in review(cases.load("harbour_pay"))]
[]
"""

from mlsd_helpers.design import Design
from mlsd_helpers.review import capacity, dataflow, pattern, planes, requirements
from mlsd_helpers.review.rule import SEVERITIES, Fault, Finding, Rule, rule

__all__ = ["RULES", "SEVERITIES", "Fault", "Finding", "Rule", "review", "rule"]

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
    found = {finding for one in RULES for finding in one.findings(design)}
    return tuple(sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.code, f.where, f.message)))
