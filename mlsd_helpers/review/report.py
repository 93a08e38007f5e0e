"""Findings as people, programs and continuous integration read them.

People and GitHub get one finding a rule, with its first places. Programs, exercises and the canvas read each place.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from mlsd_helpers.design import Acceptance
from mlsd_helpers.design.problems import UnreadableDesignError, field_path, nearest
from mlsd_helpers.errors import MlsdError
from mlsd_helpers.printable import one_line, printable
from mlsd_helpers.review import RULES, Finding, Rule, rules_called

Line = Callable[[str], int]
"""The line of a field in its file."""
Accepted = Sequence[tuple[Finding, Acceptance]]
"""What a design accepts, each with its acceptance."""

_COLOURS = {"error": "31;1", "warning": "33;1", "info": "36;1"}
_NAMES = {"error": "error", "warning": "warning", "info": "notice"}  # what GitHub calls them
_RULES = {one.code: one for one in RULES}
_COUNTED = ("error", "warning", "hint")
_MOST_PLACES = 3  # of one rule, shown to people and on GitHub; programs get all
_MOST_NAMED = 20  # further places of a rule that are named without their messages


def _by_rule(findings: Iterable[Finding]) -> list[tuple[Rule, list[Finding]]]:
    """Group the findings of each rule, in their order."""
    return [(_RULES[code], list(places)) for code, places in groupby(findings, key=lambda one: one.code)]


def as_text(
    file: str, findings: Sequence[Finding], line: Line, accepted: Accepted = (), *, colour: bool = False
) -> str:
    """Write findings for people, a paragraph for each rule: line, rule, first places, reason, fix and exceptions.

    The severity is always in words. Findings of severity info follow, a line for each rule. Then comes what
    is accepted, with its day.
    """
    if not findings:
        left = " else" if accepted else ""
        return f"{_accepted(accepted)}{one_line(file)}: the rules find nothing{left}."
    found = _by_rule(findings)
    parts = [
        _paragraph(file, rule, places, line, colour=colour)
        for rule, places in found
        if rule.severity != "info"
    ]
    hints = [
        _hint(file, rule, places, line, colour=colour) for rule, places in found if rule.severity == "info"
    ]
    if hints:
        parts.append("\n".join(["Also, of severity info; `mlsd rules CODE` says more of one:", *hints]))
    return "\n\n".join([*parts, f"{_accepted(accepted)}{one_line(file)}: {counted(findings)}."])


def counted(findings: Sequence[Finding]) -> str:
    """Count findings by severity, as `mlsd check` and the document say it: those of one rule are one, at its places.

    >>> counted([])
    ''
    """
    rules = {one.code: one.severity for one in findings}
    counts = [sum(severity == one for one in rules.values()) for severity in _COLOURS]
    places = f", at {len(findings)} places" if len(findings) > len(rules) else ""
    said = (
        f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in zip(counts, _COUNTED, strict=True)
    )
    return f"{', '.join(said)}{places}" if findings else ""


def _accepted(accepted: Accepted) -> str:
    """Write what is accepted: how much, and of each the rule, the place, the day, who accepts it and why."""
    if not accepted:
        return ""
    lines = [
        f"  {finding.code} {one_line(finding.where)}, {_until(by)}, by {one_line(by.by)}: {one_line(by.because)}\n"
        f"    {'As accepted' if by.found else 'Whatever its figures'}: {one_line(finding.message)}"
        for finding, by in accepted
    ]
    number = f"{len(accepted)} finding{'s are' if len(accepted) > 1 else ' is'} accepted:"
    return "\n".join([number, *lines, "", ""])


def _until(accepted: Acceptance) -> str:
    return "without a date" if accepted.until is None else f"until {accepted.until.isoformat()}"


def _hint(file: str, rule: Rule, places: Sequence[Finding], line: Line, *, colour: bool) -> str:
    first, more = places[0], len(places) - 1
    shown = _severity(rule, colour=colour)
    others = (
        f" (and {more} more: line {', '.join(str(line(one.where)) for one in places[1:][:_MOST_NAMED])})"
        if more
        else ""
    )
    return f"{one_line(file)}:{line(first.where)}: {shown} {rule.code} {one_line(first.message)}{others}"


def _severity(rule: Rule, *, colour: bool) -> str:
    return f"\x1b[{_COLOURS[rule.severity]}m{rule.severity}\x1b[0m" if colour else rule.severity


def _paragraph(file: str, rule: Rule, places: Sequence[Finding], line: Line, *, colour: bool) -> str:
    shown = _severity(rule, colour=colour)
    lines = [f"{one_line(file)}:{line(places[0].where)}: {shown} {rule.code} {rule.title}"]
    fixes = {one.fix for one in places}
    for one in places[:_MOST_PLACES]:
        other = "" if one is places[0] else f"line {line(one.where)}, "
        lines += [f"  {other}{one_line(one.where)}: {one_line(one.message)}"]
        lines += [f"  Fix: {one_line(one.fix)}"] if len(fixes) > 1 else []
    if more := len(places[_MOST_PLACES:]):
        rest = [
            f"line {line(one.where)}, {one_line(one.where)}" for one in places[_MOST_PLACES:][:_MOST_NAMED]
        ]
        others = "; --format json lists them all" if more > len(rest) else ""
        lines += [f"  And {more} more: {'; '.join(rest)}{others}."]
    lines += [f"  Why: {rule.reason}"]
    lines += [f"  Fix: {one_line(places[0].fix)}"] if len(fixes) == 1 else []
    lines += [f"  Note: {rule.wrong_when}"] if rule.wrong_when else []
    return "\n".join(lines)


def as_json(file: str, findings: Iterable[Finding], line: Line, accepted: Accepted = ()) -> str:
    """Write findings for programs: one object with the file, its findings in order, and what it accepts."""
    known = [
        {
            **_record(one, line(one.where)),
            "accepted": {"because": by.because, "by": by.by, "until": by.until and by.until.isoformat()},
        }
        for one, by in accepted
    ]
    found = [_record(one, line(one.where)) for one in findings]
    return json.dumps({"file": file, "findings": found, "accepted": known}, indent=2)


def _record(finding: Finding, line: int) -> Mapping[str, Any]:
    rule = _RULES[finding.code]
    return {
        "line": line,
        "severity": finding.severity,
        "code": finding.code,
        "title": rule.title,
        "where": finding.where,
        "message": finding.message,
        "reason": rule.reason,
        "fix": finding.fix,
        "wrong_when": rule.wrong_when,
    }


def as_annotations(file: str, findings: Iterable[Finding], line: Line) -> str:
    """Write findings as annotations of a pull request on GitHub, one a line and one a rule: it shows ten a step."""
    return "\n".join(
        _annotation(
            _NAMES[rule.severity],
            file,
            line(places[0].where),
            f"{rule.code} {rule.title}",
            f"{places[0].message} {places[0].fix}{_elsewhere([line(one.where) for one in places[1:]])}",
        )
        for rule, places in _by_rule(findings)
    )


def _elsewhere(lines: Sequence[int]) -> str:
    shown = ", ".join(f"line {line}" for line in lines[:_MOST_PLACES])
    more = f" and {len(lines) - _MOST_PLACES} more places" if len(lines) > _MOST_PLACES else ""
    return f" Also: {shown}{more}." if lines else ""


def unreadable_as_annotations(file: str, error: MlsdError) -> str:
    """Write what keeps a file from being read as annotations."""
    if not isinstance(error, UnreadableDesignError):
        return _annotation("error", file, 1, "unreadable design", str(error))
    return "\n".join(
        _annotation("error", file, problem.line or 1, field_path(problem.path) or "design", problem.message)
        for problem in error.problems
    )


def _annotation(kind: str, file: str, line: int, title: str, message: str) -> str:
    properties = f"file={_property(file)},line={line},title={_property(title)}"
    return f"::{kind} {properties}::{_escaped(message)}"


def _escaped(text: str) -> str:
    """Escape what would end an annotation; the % first, for the others bring their own."""
    return printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def rule_list(rules: Iterable[Rule]) -> str:
    """List rules, one a line: code, severity, title."""
    return "\n".join(f"{one.code:<11} {one.severity:<8} {one.title}" for one in rules)


def explained(code: str) -> str:
    """Explain a rule, or all whose code begins with `code`, such as PLANE.

    Raises ``MlsdError`` for a code that no rule has.
    """
    found = rules_called([code]) if code else ()
    if not found:
        known = {one.code for one in RULES} | {one.code.rstrip("0123456789") for one in RULES}
        raise MlsdError(f"There is no rule {code!r}. {nearest(code.upper(), known)}")
    return "\n\n".join(_explanation(one) for one in found)


def _explanation(one: Rule) -> str:
    lines = [
        f"{one.code} ({one.severity}): {one.title}",
        f"  Why: {one.reason}",
        f"  Prevents: {one.prevents}.",
        one.incident and f"  Source: {one.incident}",
        one.wrong_when and f"  Note: {one.wrong_when}",
    ]
    return "\n".join(filter(None, lines))
