"""What a rule is, and what it finds.

A rule is a function that reads a design and yields what is wrong with it. `rule` gives it a stable code, a
severity, a title, a reason in one line and the failure that it prevents.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from inspect import cleandoc
from typing import Any, Literal, TypeVar, overload

from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Design

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """Something that a reviewer would say: where, what, why it matters, and what to do.

    `where` is the path of a field, such as ``capacity.zones`` or ``planes.components.scorer``.
    """

    code: str
    severity: Severity
    where: str
    message: str
    fix: str

    def __str__(self) -> str:
        """Return the finding in one line."""
        return f"{self.severity} {self.code} {self.where}: {self.message} {self.fix}"


@dataclass(frozen=True)
class Fault:
    """One place where a rule is broken: the field, the message with its numbers, and what to do."""

    where: str
    message: str
    fix: str


T = TypeVar("T")
Check = Callable[[Design], Iterator[Fault]]
CheckOfPart = Callable[[Design, T], Iterator[Fault]]
CheckOnDay = Callable[[Design, date], Iterator[Fault]]


@dataclass(frozen=True)
class Rule:
    """A rule: a check with its code, its severity, why it is there, and the failure that it prevents.

    `title` is a short noun phrase for what is found, such as "Call without a timeout". `incident` names a published
    case with its source, where there is one. `wrong_when` says in one sentence when a finding is wrong, or can be
    accepted.
    """

    code: str
    severity: Severity
    title: str
    reason: str
    prevents: str
    incident: str
    wrong_when: str | None
    check: CheckOnDay

    def __call__(self, design: Design, today: date | None = None) -> Iterator[Finding]:
        """Apply the rule to a design, as of a day; today in UTC when left out.

        What does not apply to the design, with a reason in words, is no finding.
        """
        for fault in self.check(design, today or datetime.now(UTC).date()):
            if not says_something(design.why_not(fault.where)):
                yield Finding(self.code, self.severity, fault.where, fault.message, fault.fix)


@overload
def rule(
    code: str,
    severity: Severity = "error",
    *,
    title: str,
    prevents: str,
    incident: str = "",
    wrong_when: str | None = None,
) -> Callable[[Check], Rule]: ...


@overload
def rule(
    code: str,
    severity: Severity = "error",
    *,
    title: str,
    prevents: str,
    incident: str = "",
    wrong_when: str | None = None,
    needs: Callable[[Design], T | None],
) -> Callable[[CheckOfPart[T]], Rule]: ...


@overload
def rule(
    code: str,
    severity: Severity = "error",
    *,
    title: str,
    prevents: str,
    incident: str = "",
    wrong_when: str | None = None,
    dated: Literal[True],
) -> Callable[[CheckOnDay], Rule]: ...


def rule(
    code: str,
    severity: Severity = "error",
    *,
    title: str,
    prevents: str,
    incident: str = "",
    wrong_when: str | None = None,
    needs: Callable[[Design], Any] | None = None,
    dated: bool = False,
) -> Callable[[Callable[..., Iterator[Fault]]], Rule]:
    """Make a rule of a function; the first line of its docstring is the reason.

    What `needs` returns of a design is passed to the function as well; a design for which it returns None is sound.
    A `dated` rule gets the day of the review instead.

    >>> @rule("EXAMPLE001", "info", title="Summary missing", prevents="a design that nobody can name")
    ... def has_a_summary(design):
    ...     "A reader wants to know what this is about."
    ...     if not design.summary:
    ...         yield Fault("summary", "The design has no summary.", "Write one sentence.")
    >>> [finding.code for finding in has_a_summary(Design(name="x"))]
    ['EXAMPLE001']
    """

    def make(check: Callable[..., Iterator[Fault]]) -> Rule:
        def check_on_day(design: Design, today: date) -> Iterator[Fault]:
            if dated:
                return check(design, today)
            if needs is None:
                return check(design)
            part = needs(design)
            return iter(()) if part is None else check(design, part)

        reason = cleandoc(check.__doc__ or "").partition("\n")[0]
        return Rule(code, severity, title, reason, prevents, incident, wrong_when, check_on_day)

    return make


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings once each: errors first, then by rule and place."""
    return tuple(
        sorted(set(found), key=lambda f: (SEVERITIES.index(f.severity), f.code, f.where, f.message, f.fix))
    )
