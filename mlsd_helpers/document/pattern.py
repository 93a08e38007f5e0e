"""The decisions: the pattern of each path, and the alternatives that were rejected."""

from collections.abc import Iterator

from mlsd_helpers.design import Pattern, ServingPath
from mlsd_helpers.design.value import Value
from mlsd_helpers.document.markdown import (
    Md,
    anchor,
    blocks,
    bullets,
    code,
    escape,
    joined,
    link,
    section,
    table,
)
from mlsd_helpers.document.provenance import Figures, decided, undecided

AT = "pattern.paths"


def decisions(figures: Figures) -> Md:
    """Write the decisions: paths with their reasons, what they keep or compute ahead, what was rejected."""
    pattern = figures.design.pattern
    if pattern is None or not pattern.paths:
        known = _rejected(pattern) if pattern else Md("")
        return section("decisions", "Decisions", undecided(AT if pattern else "pattern"), known)
    paths = table(
        ("path", "pattern", "share", "when", "reason"), [_path(figures, one) for one in pattern.paths]
    )
    details = (_details(figures, one) for one in pattern.paths)
    return section("decisions", "Decisions", paths, *details, _rejected(pattern))


def _path(figures: Figures, one: ServingPath) -> tuple[Md, ...]:
    path = f"{AT}.{one.id}"
    return (
        anchor(f"path-{one.id}", code(one.id)),
        escape(one.pattern),
        figures.number(f"{path}.share"),
        decided(one.when, f"{path}.when"),
        decided(one.reason, f"{path}.reason"),
    )


def _details(figures: Figures, path: ServingPath) -> Md:
    names = ("keys", "cache", "precompute", "stream")
    parts = [line for name in names for line in _part(figures, f"{AT}.{path.id}.{name}", getattr(path, name))]
    return blocks(Md(f"Path {code(path.id)}:"), bullets(parts)) if parts else Md("")


def _part(figures: Figures, name: str, part: object) -> Iterator[Md]:
    """Write what one path says about its keys, its cache, its run ahead or its stream, on one line each."""
    words = name.rpartition(".")[2].replace("_", " ")
    if isinstance(part, Value):
        inside = ((field, getattr(part, field)) for field in type(part).model_fields)
        lines = [line for field, value in inside for line in _part(figures, f"{name}.{field}", value)]
        yield Md(f"{words}: {joined(lines, '; ')}")
    elif isinstance(part, tuple) and part:
        yield Md(f"{words} {joined(map(escape, part))}")
    elif isinstance(part, str):
        yield Md(f"{words}: {escape(part)}")
    elif isinstance(part, int | float):
        yield Md(f"{words} {figures.number(name)}")


def _rejected(pattern: Pattern) -> Md:
    rows = (
        (
            escape(one.pattern),
            link(code(one.path), f"path-{one.path}") if one.path else escape("all"),
            escape(one.reason),
            decided(one.flips_when, f"pattern.rejected.{position}.flips_when"),
        )
        for position, one in enumerate(pattern.rejected)
    )
    heads = ("alternative", "path", "rejected because", "would be taken if")
    return blocks(Md("### Rejected"), table(heads, rows) or undecided("pattern.rejected"))
