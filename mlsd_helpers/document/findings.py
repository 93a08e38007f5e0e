"""The findings of the review, rule by rule, and those that are accepted."""

from itertools import groupby

from mlsd_helpers.document.markdown import Md, blocks, bullets, code, escape, section
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review import RULES, Finding

_RULES = {rule.code: rule for rule in RULES}
_MOST = 10  # places of one rule


def findings(figures: Figures) -> Md:
    """Write each open finding under the title of its rule."""
    rules = (list(places) for _, places in groupby(figures.review.findings, key=lambda one: one.code))
    none = Md("None: the rules find nothing that is not accepted.")
    return section(
        "findings", "Findings of the review", *(map(_rule, rules) if figures.review.findings else [none])
    )


def _rule(places: list[Finding]) -> Md:
    first, fixes = places[0], {one.fix for one in places}
    rule = _RULES.get(first.code)
    title = f" {rule.title}" if rule else ""
    reason = f". {escape(rule.reason)}" if rule else ""
    lines = []
    for one in places[:_MOST]:
        where = escape(one.where) if "`" in one.where else code(one.where)
        lines.append(Md(f"{where}: {escape(one.message)}{f' {escape(one.fix)}' if len(fixes) > 1 else ''}"))
    if more := len(places[_MOST:]):
        lines.append(Md(f"And {more} more places; `mlsd check --format json` lists them all."))
    fix = Md(f"To do: {escape(first.fix)}") if len(fixes) == 1 else Md("")
    return blocks(Md(f"**{code(first.code)}{title}** ({first.severity}){reason}"), bullets(lines), fix)
