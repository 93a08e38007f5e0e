"""Review: rules that read a design and return what a good reviewer would say.

One module for each part of a design; whatever `rule` makes a rule of in one of them is in `RULES`.

>>> from mlsd_helpers import cases
>>> [finding.code for finding in review(cases.load("harbour_pay"))]
[]
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import chain
from typing import NamedTuple

from mlsd_helpers.design import Acceptance, Design
from mlsd_helpers.review import (
    calls,
    capacity,
    data,
    dataflow,
    duties,
    experiments,
    monitoring,
    pattern,
    planes,
    promises,
    release,
    requirements,
    security,
    services,
    workloads,
)
from mlsd_helpers.review.acceptance import acceptance_of
from mlsd_helpers.review.rule import SEVERITIES, Fault, Finding, Rule, in_order, rule

__all__ = [
    "RULES",
    "SEVERITIES",
    "Fault",
    "Finding",
    "Review",
    "Rule",
    "in_order",
    "review",
    "reviewed",
    "rule",
    "rules_called",
]

_MODULES = (
    *(requirements, planes, calls, monitoring, release, dataflow, pattern, capacity, promises),
    *(data, duties, security, services, experiments, workloads),
)
_FOUND = [one for module in _MODULES for one in vars(module).values() if isinstance(one, Rule)]
_SERIES = list(dict.fromkeys(one.code[:-3] for one in _FOUND))

RULES: tuple[Rule, ...] = tuple(sorted(_FOUND, key=lambda one: (_SERIES.index(one.code[:-3]), one.code)))
"""Every rule, part by part as a design grows, and in the order of the codes."""


class Review(NamedTuple):
    """What a review says: findings that are open, and those that the design accepts, each with its acceptance."""

    findings: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Acceptance], ...]


def reviewed(design: Design, today: date | None = None) -> Review:
    """Review a design as of a day, which is today in UTC when left out; errors first, then by rule and place.

    An acceptance counts until its day, that day included.
    """
    day = today or datetime.now(UTC).date()
    found = in_order(chain.from_iterable(one(design, day) for one in RULES))
    known = [(one, acceptance_of(design, one, day)) for one in found]
    return Review(
        tuple(one for one, accepted in known if accepted is None),
        tuple((one, accepted) for one, accepted in known if accepted is not None),
    )


def review(design: Design, today: date | None = None) -> tuple[Finding, ...]:
    """Return what the rules find in a design, without what it accepts: errors first, then by rule and place.

    The day, today in UTC when left out, decides which acceptances still count.
    """
    return reviewed(design, today).findings


def rules_called(codes: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules whose code is, or begins with, one of some codes; in any case.

    >>> [one.code for one in rules_called(["REQ001", "plane00"])][:3]
    ['REQ001', 'PLANE001', 'PLANE002']
    """
    wanted = tuple(code.upper() for code in codes)
    return tuple(one for one in RULES if one.code.startswith(wanted))
