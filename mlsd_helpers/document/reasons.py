"""The appendices: calculations, assumptions, sources and formulas."""

import inspect
import re

from mlsd_helpers import formulas
from mlsd_helpers.document.fields import Columns, entries
from mlsd_helpers.document.markdown import Md, anchor, code, escape, joined, link, section, table
from mlsd_helpers.document.plan import cells, rows
from mlsd_helpers.document.provenance import ASSUMED, BY_DEFAULT, WITHOUT_REASON, Figures

_FORMULA = re.compile(r"\(#formula-(\w+)\)")
_SOURCE = re.compile(r"Source: (.*?)(?:\n\n|\Z)", re.DOTALL)
_LISTED = 50  # paths that one sentence names


def plan(figures: Figures) -> Md:
    """Write the appendix of calculations: each result with its formula, its inputs and its assumptions."""
    planned = list(rows(figures))
    table_of_rows = table(("row", "formula", "inputs", "result"), map(cells, planned))
    assumed = dict.fromkeys(one.assumption for row in planned for one in row.inputs if one.assumption)
    notes = anchor(ASSUMED, escape(" ".join(assumed))) if assumed else Md("")
    return section("plan", "Appendix: calculations", table_of_rows, notes)


def assumptions(figures: Figures) -> Md:
    """Write the assumptions with their owners."""
    needs = figures.design.requirements
    columns: Columns = {"id": "id", "assumption": "text", "owner": "owner", "check": "check"}
    held = needs.assumptions if needs else ()
    body = entries(figures, "requirements.assumptions", held, columns, "assumption")
    return section("assumptions", "Appendix: assumptions", body)


def further_fields(figures: Figures, body: str) -> Md:
    """Write what the design states and no section shows, so that nothing of a design is missing in its document."""
    rows = ((code(path), escape(value)) for path, value in figures.not_shown(body))
    return section("fields", "Appendix: further fields", table(("field", "value"), rows))


def sources(figures: Figures) -> Md:
    """Write the sources, the evidence, and the figures without evidence."""
    columns: Columns = {
        "id": "id",
        "title": "title",
        "where": "where",
        "year": lambda one: Md(str(one.year or "")),
    }
    bare = _listed(
        WITHOUT_REASON,
        "These figures name neither a source nor an assumption. Add them under `evidence`:",
        figures.unreasoned(),
    )
    usual = _listed(BY_DEFAULT, "Left at their default:", figures.by_default())
    body = entries(figures, "sources", figures.design.sources, columns, "source")
    evidence = table(
        ("figure", "source", "assumption", "note"),
        (
            (
                code(one.figure),
                _linked("source", one.source),
                _linked("assumption", one.assumption),
                escape(one.note or ""),
            )
            for one in figures.design.evidence
        ),
    )
    return section("sources", "Appendix: sources and evidence", body, evidence, bare, usual)


def _linked(kind: str, given: str | None) -> Md:
    return link(given, f"{kind}-{given}") if given else Md("")


def _listed(place: str, words: str, paths: tuple[str, ...]) -> Md:
    more = f", and {len(paths) - _LISTED:,} more" if len(paths) > _LISTED else ""
    named = joined(map(code, paths[:_LISTED]))
    return anchor(place, f"{words} {named}{more}.") if paths else Md("")


def used_formulas(body: Md) -> Md:
    """Write the summary and the source of each formula that the document links to."""
    names = sorted(set(_FORMULA.findall(body)))
    if not names:
        return Md("")
    heads = ("formula", "what it gives", "source")
    return section("formulas", "Appendix: formulas", table(heads, map(_formula, names)))


def _formula(name: str) -> tuple[Md, Md, Md]:
    words = inspect.getdoc(getattr(formulas, name)) or ""
    source = _SOURCE.search(words)
    summary = words.partition("\n\n")[0].replace("`", "")
    return (
        anchor(f"formula-{name}", code(name)),
        escape(summary),
        escape(source[1].replace("`", "") if source else ""),
    )
