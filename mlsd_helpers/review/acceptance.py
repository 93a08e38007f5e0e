"""Which findings a design accepts, where, and until when."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from mlsd_helpers.design import Acceptance, Design
from mlsd_helpers.design.references import entry_at
from mlsd_helpers.review.rule import Finding

OF_ACCEPTANCES = ("DEC004", "DEC005", "DEC006", "DEC007", "DEC008")
"""The rules on acceptances, which cannot be accepted."""


def acceptance_of(design: Design, finding: Finding, today: date) -> Acceptance | None:
    """Return what accepts a finding on a day, if anything does."""
    return next(
        (
            one
            for one in design.accepted
            if one.in_force(today) and covers(design, one, finding) and has_same_figures(one, finding)
        ),
        None,
    )


_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")


def has_same_figures(accepted: Acceptance, finding: Finding) -> bool:
    """Tell whether a finding still has the figures that it was accepted with; always where none were kept."""
    return accepted.found is None or _FIGURE.findall(accepted.found) == _FIGURE.findall(finding.message)


def covers(design: Design, accepted: Acceptance, finding: Finding) -> bool:
    """Tell whether an acceptance means a finding: the same rule, and a place that holds the finding's place.

    A place is a path or an id. Entries of lists may be named by id or by position.
    """
    if accepted.rule != finding.code or accepted.rule in OF_ACCEPTANCES:
        return False
    if accepted.where is None:
        return True
    found = list(_steps(design, finding.where))
    wanted = [step for step, _ in _steps(design, accepted.where)]
    return (
        accepted.where in {given for _, given in found}
        or [step for step, _ in found][: len(wanted)] == wanted
    )


def _steps(design: Design, path: str) -> Iterator[tuple[str, str | None]]:
    """Yield the steps of a path with the id of what stands there; entries of lists by their position."""
    value: Any = design
    for step in path.split("."):
        if isinstance(value, tuple):
            entry = entry_at(value, step)
            step = next((str(position) for position, one in enumerate(value) if one is entry), step)  # noqa: PLW2901
            value = entry
        else:
            fields = type(value).model_fields if hasattr(type(value), "model_fields") else {}
            name = next((name for name, field in fields.items() if step in {name, field.alias}), None)
            value = getattr(value, name) if name else None
        yield step, getattr(value, "id", None)
