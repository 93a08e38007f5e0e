"""The findings of the review, rule by rule, and those that are accepted."""

from collections.abc import Iterator
from itertools import groupby

from mlsd_helpers.document.markdown import Md, blocks, bullets, code, escape, joined, section
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review import RULES, Finding

_RULES = {rule.code: rule for rule in RULES}
_MOST = 10  # places of one rule


def findings(figures: Figures) -> Md:
    """Write each open finding under the title of its rule."""
    rules = (list(places) for _, places in groupby(figures.review.findings, key=lambda one: one.code))
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
