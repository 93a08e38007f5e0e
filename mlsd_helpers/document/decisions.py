"""The decisions: patterns and other choices with what was rejected, risks, open questions, accepted findings."""

from mlsd_helpers.design import Pattern
from mlsd_helpers.document.fields import Columns, entries, format_value
from mlsd_helpers.document.markdown import Md, anchor, blocks, bullets, code, escape, link, part, section
from mlsd_helpers.document.provenance import Figures

AT = "pattern.paths"

_PATHS: Columns = {
    "path": "id",
    "pattern": "pattern",
    "component": "component",
    "workload": "workload",
    "stage": "stage",
    "beside": "parallel_to",
    "share": "share",
    "scores": "items",
    "keeps": "keeps",
    "bounded input": "bounded_input",
    "kept under overload": "priority",
    "when": "when",
    "reason": "reason",
}
_CHOICES: Columns = {
    "decision": "id",
    "chosen": "chose",
    "not chosen": "over",
    "because": "because",
    "would change if": "flips_when",
    "by": "by",
    "on": "date",
}
_RISKS: Columns = {
    "risk": "id",
    "what may happen": "text",
    "likelihood": "likelihood",
    "impact": "impact",
    "what is done": "answer",
    "risk that is left": "left",
    "owner": "owner",
}
_QUESTIONS: Columns = {"question": "id", "what is not known": "text", "who finds out": "owner", "by": "until"}


def decisions(figures: Figures) -> Md:
    """Write the choices and their alternatives, risks, open questions, and accepted findings."""
    design = figures.design
    asked = entries(figures, "questions", design.questions, _QUESTIONS, "question")
    return section(
        "decisions",
        "Decisions, risks and open questions",
        part("Where answers are computed", _patterns(figures, design.pattern)),
        part("Decisions", entries(figures, "decisions", design.decisions, _CHOICES, "decision")),
        part("Risks", entries(figures, "risks", design.risks, _RISKS, "risk")),
        part("Open questions", anchor("questions", ""), asked) if asked else Md(""),
        part("Accepted findings", _accepted(figures)),
    )


def _patterns(figures: Figures, pattern: Pattern | None) -> Md:
    if pattern is None:
        return Md("")
    rejected: Columns = {
        "alternative": "pattern",
        "path": lambda one: link(code(one.path), f"path-{one.path}") if one.path else escape("all"),
        "rejected because": "reason",
        "would be taken if": "flips_when",
    }
    details = []
    for path in pattern.paths:
        parts = (
            (name, format_value(figures, f"{AT}.{path.id}.{name}", getattr(path, name)))
            for name in ("keys", "cache", "precompute", "stream")
        )
        if lines := bullets(Md(f"{name}: {words}") for name, words in parts if words):
            details.append(blocks(Md(f"Path {code(path.id)}:"), lines))
    turned_down = entries(figures, "pattern.rejected", pattern.rejected, rejected)
    return blocks(
        entries(figures, AT, pattern.paths, _PATHS, "path"),
        *details,
        Md("Rejected:") if turned_down else Md(""),
        turned_down,
    )


def _accepted(figures: Figures) -> Md:
    columns: Columns = {
        "rule": lambda one: code(one.rule),
        "where": "where",
        "places": lambda one: Md(str(sum(by == one for _, by in figures.review.accepted))),
        "as found": "found",
        "because": "because",
        "by": "by",
        "looked at again": "until",
    }
    return entries(figures, "accepted", figures.design.accepted, columns)
