"""The findings of the review, rule by rule, and those that are accepted."""

from collections.abc import Iterator
from itertools import groupby

from mlsd_helpers.design import Acceptance, Design
from mlsd_helpers.document.markdown import Md, blocks, bullets, code, escape, joined, section
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review import RULES, Finding

_RULES = {rule.code: rule for rule in RULES}
_MOST = 10  # places of one rule


def split(figures: Figures) -> tuple[list[Finding], list[tuple[Finding, Acceptance]]]:
    """Return the findings that are open, and those that the design accepts, each with its acceptance."""
    known = [(one, _acceptance_of(figures.design, one)) for one in figures.findings]
    return [one for one, by in known if by is None], [(one, by) for one, by in known if by is not None]


def _acceptance_of(design: Design, finding: Finding) -> Acceptance | None:
    """Return the first answer that accepts a finding: of its rule, at its place or everywhere."""
    places = f"{finding.where}."
    return next(
        (
            one
            for one in design.accepted
            if one.rule == finding.code
            and (one.where is None or places.startswith(f"{one.where}.") or one.where in places.split("."))
        ),
        None,
    )


def findings(figures: Figures) -> Md:
    """Write each open finding under the title of its rule."""
    opened, _ = split(figures)
    rules = (list(places) for _, places in groupby(opened, key=lambda one: one.code))
    told = [_rule(places) for places in rules] or [Md("None: the rules find nothing that is not accepted.")]
    return section("findings", "Findings of the review", *told)


def _rule(places: list[Finding]) -> Md:
    first, fixes = places[0], {one.fix for one in places}
    rule = _RULES.get(first.code)
    title = f" {rule.title}" if rule else ""
    reason = f". {escape(rule.reason)}" if rule else ""
    lines = [*_places(places[:_MOST], with_fix=len(fixes) > 1)]
    if more := len(places[_MOST:]):
        lines.append(Md(f"And {more} more places; `mlsd check --format json` lists them all."))
    fix = Md(f"To do: {escape(first.fix)}") if len(fixes) == 1 else Md("")
    return blocks(Md(f"**{code(first.code)}{title}** ({first.severity}){reason}"), bullets(lines), fix)


def _places(places: list[Finding], *, with_fix: bool) -> Iterator[Md]:
    for one in places:
        words = [escape(one.message), *([escape(one.fix)] if with_fix else [])]
        yield Md(f"{_place(one.where)}: {joined(words, ' ')}")


def _place(where: str) -> Md:
    return code(where) if "`" not in where else escape(where)
