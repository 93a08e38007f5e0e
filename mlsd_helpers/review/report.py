"""Findings as people, programs and continuous integration read them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mlsd_helpers.design.problems import UnreadableDesignError, field_path, nearest
from mlsd_helpers.errors import MlsdError
from mlsd_helpers.printable import one_line, printable
from mlsd_helpers.review import RULES, Finding, Rule, rules_called

Line = Callable[[str], int]
"""The line of a field in its file."""

_COLOURS = {"error": "31;1", "warning": "33;1", "info": "36;1"}
_NAMES = {"error": "error", "warning": "warning", "info": "notice"}  # what GitHub calls them
_RULES = {one.code: one for one in RULES}
_SENTENCE = "{0} of severity error, {1} of severity warning, {2} of severity info."


def as_text(file: str, findings: Sequence[Finding], line: Line, *, colour: bool = False) -> str:
    """Write findings for people: line, rule, field, message, reason and fix; the severity always in words."""
    if not findings:
        return f"{one_line(file)}: the rules find nothing."
    parts = [_paragraph(file, one, line(one.where), colour=colour) for one in findings]
    counts = [sum(one.severity == severity for one in findings) for severity in _COLOURS]
    return "\n\n".join([*parts, f"{one_line(file)}: {_SENTENCE.format(*counts)}"])


def _paragraph(file: str, finding: Finding, line: int, *, colour: bool) -> str:
    severity = finding.severity
    shown = f"\x1b[{_COLOURS[severity]}m{severity}\x1b[0m" if colour else severity
    rule = _RULES[finding.code]
    return "\n".join([
        f"{one_line(file)}:{line}: {shown} {finding.code} {rule.title}",
        f"  {one_line(finding.where)}: {one_line(finding.message)}",
        f"  Why: {rule.reason}",
        f"  Fix: {one_line(finding.fix)}",
        *([f"  Note: {rule.wrong_when}"] if rule.wrong_when else []),
    ])  # fmt: skip


def as_json(file: str, findings: Iterable[Finding], line: Line) -> str:
    """Write findings for programs: one object with the file and its findings in order."""
    return json.dumps(
        {"file": file, "findings": [_record(one, line(one.where)) for one in findings]}, indent=2
    )


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
    """Write findings as annotations of a pull request on GitHub, one a line."""
    return "\n".join(
        _annotation(
            _NAMES[one.severity],
            file,
            line(one.where),
            f"{one.code} {_RULES[one.code].title}",
            f"{one.message} {one.fix}",
        )
        for one in findings
    )


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
