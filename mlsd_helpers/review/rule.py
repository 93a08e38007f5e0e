"""What a rule is, and what it finds.

A rule is a function that reads a design and yields what is wrong with it. `rule` gives it a stable code, a
severity, a title, a reason in one line and the failure that it prevents.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from inspect import cleandoc
from typing import Any, Literal, TypeVar, overload

from mlsd_helpers.analysis.graph import own_flows
from mlsd_helpers.analysis.surroundings import reaches
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Design, FleetPlan
from mlsd_helpers.design.value import step_to
from mlsd_helpers.design.workloads import path_in

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
    whole: bool = False
    """Whether it is about the design as a whole, and not about each of its workloads."""

    def __call__(self, design: Design, today: date | None = None) -> Iterator[Finding]:
        """Apply the rule to a design, as of a day; today in UTC when left out.

        What does not apply to the design, with a reason in words, is no finding. A design with several workloads is
        judged as each of them sees it. What is found for all of them is one finding; what is found for some names
        these.
        """
        day = today or datetime.now(UTC).date()
        if self.whole or not design.views:
            yield from self._found(design, day)
            return
        for fault in by_workload(design, [list(self._found(one, day)) for one in design.views]):
            yield Finding(self.code, self.severity, fault.where, fault.message, fault.fix)

    def _found(self, design: Design, day: date) -> Iterator[Finding]:
        for fault in self.check(design, day):
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
    whole: bool = False,
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
    whole: bool = False,
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
    whole: bool = False,
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
    whole: bool = False,
) -> Callable[[Callable[..., Iterator[Fault]]], Rule]:
    """Make a rule of a function; the first line of its docstring is the reason.

    What `needs` returns of a design is passed to the function as well; a design for which it returns None is sound.
    A `dated` rule gets the day of the review instead. One about the `whole` is not applied to each workload.

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
        return Rule(code, severity, title, reason, prevents, incident, wrong_when, check_on_day, whole)

    return make


def by_workload(design: Design, found: Sequence[Sequence[Finding]]) -> Iterator[Finding]:
    """Yield what was found in the view of each workload: once, with paths of the design, and the workloads by name.

    What was found in all of them is about none. What a workload's requests never reach is judged by the others.
    """
    views = design.views
    places = dict[Finding, dict[str, list[Design]]]()
    for view, findings in zip(views, found, strict=True):
        for one in findings:
            places.setdefault(replace(one, fix=""), {}).setdefault(one.fix, []).append(view)
    for without_fix, by_fix in places.items():
        one = replace(without_fix, fix=_fix_of(by_fix))
        having = {_id_of(view) for asking in by_fix.values() for view in asking}
        judging = [view for view in views if _judges(view, one.where)] or list(views)
        of_them = [view for view in judging if _id_of(view) in having]
        if not of_them:
            continue
        words = (one.where, one.message, one.fix)
        if any(path_in("", each) != each for each in words):  # of a promise, which is that of one workload
            for view in of_them:
                where, message, fix = (path_in(_id_of(view), each) for each in words)
                yield replace(one, where=where, message=_named([view], message), fix=fix)
        elif len(of_them) == len(views):
            yield one
        else:
            yield replace(one, message=_named(of_them, one.message))


def _fix_of(by_fix: Mapping[str, Sequence[Design]]) -> str:
    """Return what to do, where that differs by workload: what to do for each."""
    if len(by_fix) == 1:
        return next(iter(by_fix))
    return " ".join(f"For {', '.join(map(_id_of, asking))}: {fix}" for fix, asking in by_fix.items())


def _id_of(view: Design) -> str:
    return view.workload.id if view.workload else ""


def _named(views: Sequence[Design], message: str) -> str:
    names = ", ".join(map(_id_of, views))
    return f"Workload{'s' if len(views) > 1 else ''} {names}: {message}"


def _judges(view: Design, where: str) -> bool:
    """Tell whether a place may concern a workload: not a flow of others alone, nor what its requests never reach."""
    for path, plan in view.fleets.items():
        if path != "capacity" and f"{where}.".startswith(f"{path}."):
            return reaches(view, plan)
    own = {position for position, _ in own_flows(view.planes)} if view.planes else set[int]()
    for position, flow in enumerate(view.planes.flows if view.planes else ()):
        places = (f"planes.flows.{step_to(position, flow)}.", f"planes.flows.{position}.")
        if position not in own and f"{where}.".startswith(places):
            return False
    release = view.planes.release if view.planes else None
    for position, gate in enumerate(release.gates if release else ()):
        if gate.of and f"{where}.".startswith(f"planes.release.gates.{step_to(position, gate)}."):
            return any(reaches(view, FleetPlan(component=name)) for name in gate.of)
    return True


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings once each: errors first, then by rule and place."""
    return tuple(
        sorted(set(found), key=lambda f: (SEVERITIES.index(f.severity), f.code, f.where, f.message, f.fix))
    )
