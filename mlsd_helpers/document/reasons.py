"""The capacity plan, and what all figures rest on: assumptions, sources, formulas."""

import inspect
import re

from mlsd_helpers import formulas
from mlsd_helpers.document.markdown import Md, anchor, bullets, code, escape, joined, link, section, table
from mlsd_helpers.document.plan import cells, rows
from mlsd_helpers.document.provenance import ASSUMED, BY_DEFAULT, WITHOUT_REASON, Figures, decided, undecided

_FORMULA = re.compile(r"\(#formula-(\w+)\)")
_SOURCE = re.compile(r"Source: (.*?)(?:\n\n|\Z)", re.DOTALL)
_LISTED = 50  # paths that one sentence names


def capacity(figures: Figures) -> Md:
    """Write the capacity plan: what was chosen, and each row with its formula and inputs."""
    plan = figures.design.capacity
    planned = list(rows(figures))
    table_of_rows = table(("row", "formula", "inputs", "result"), map(cells, planned))
    assumed = dict.fromkeys(one.assumption for row in planned for one in row.inputs if one.assumption)
    notes = anchor(ASSUMED, escape(" ".join(assumed))) if assumed else Md("")
    if plan is None:
        return section("capacity", "Capacity plan", undecided("capacity"), table_of_rows)
    sized = code(plan.component) if plan.component else undecided("capacity.component")
    chosen = Md(f"Sized here: {sized}.")
    return section("capacity", "Capacity plan", chosen, _chosen(figures), table_of_rows, notes)


def _chosen(figures: Figures) -> Md:
    names = (
        "replicas",
        "zones",
        "replicas_per_zone",
        "target_utilisation",
        "queue_limit",
        "budget_per_month",
    )
    numbers = (
        Md(f"{name.replace('_', ' ')}: {figures.number(path)}")
        for name in names
        if figures.held(path := f"capacity.{name}") is not None
    )
    return bullets([*numbers, *_rest(figures)])


def _rest(figures: Figures) -> list[Md]:
    """Write what is chosen in words."""
    plan = figures.design.capacity
    if plan is None:
        return []
    lines = [Md(f"routing: {decided(plan.routing, 'capacity.routing')}")]
    if plan.concurrency_per_replica > 1:
        lines.append(
            Md(f"requests at once in a replica: {figures.number('capacity.concurrency_per_replica')}")
        )
    if plan.headroom:
        pays = ", ".join(plan.headroom.pays_for)
        paid = Md(f"pays for {decided(pays, 'capacity.headroom.pays_for')}")
        note = Md(f". {escape(plan.headroom.note)}") if plan.headroom.note else Md("")
        lines.append(Md(f"headroom: {figures.number('capacity.headroom.share')}, {paid}{note}"))
    if plan.autoscaler:
        after = figures.number("capacity.autoscaler.delay")
        lines.append(Md(f"autoscaler: on {escape(plan.autoscaler.metric)}, after {after}"))
    return lines


def assumptions(figures: Figures) -> Md:
    """Write the assumptions with their owners."""
    needs = figures.design.requirements
    at = "requirements.assumptions"
    body = table(
        ("id", "assumption", "owner", "check"),
        [
            (
                anchor(f"assumption-{one.id}", code(one.id)),
                escape(one.text),
                decided(one.owner, f"{at}.{one.id}.owner"),
                decided(one.check, f"{at}.{one.id}.check"),
            )
            for one in (needs.assumptions if needs else ())
        ],
    )
    return section("assumptions", "Assumptions and owners", body or undecided(at))


def sources(figures: Figures) -> Md:
    """Write the sources, what rests on each, and the figures that rest on nothing."""
    body = table(
        ("id", "title", "where", "year"),
        [
            (
                anchor(f"source-{one.id}", code(one.id)),
                escape(one.title),
                escape(one.where or ""),
                escape(str(one.year or "")),
            )
            for one in figures.design.sources
        ],
    )
    bare = _listed(
        WITHOUT_REASON,
        "These figures name neither a source nor an assumption. Add them under `evidence`:",
        figures.unreasoned(),
    )
    usual = _listed(BY_DEFAULT, "Left at their default:", figures.by_default())
    return section("sources", "Sources", body or undecided("sources"), _evidence(figures), bare, usual)


def _evidence(figures: Figures) -> Md:
    rows_of_evidence = [
        (
            code(one.figure),
            link(one.source, f"source-{one.source}") if one.source else Md(""),
            link(one.assumption, f"assumption-{one.assumption}") if one.assumption else Md(""),
            escape(one.note or ""),
        )
        for one in figures.design.evidence
    ]
    return table(("figure", "source", "assumption", "note"), rows_of_evidence)


def _listed(place: str, words: str, paths: tuple[str, ...]) -> Md:
    more = f", and {len(paths) - _LISTED:,} more" if len(paths) > _LISTED else ""
    named = joined(map(code, paths[:_LISTED]))
    return anchor(place, f"{words} {named}{more}.") if paths else Md("")


def used_formulas(body: Md) -> Md:
    """Write what each formula that the document links to gives, and where it is from."""
    names = sorted(set(_FORMULA.findall(body)))
    if not names:
        return Md("")
    heads = ("formula", "what it gives", "source")
    return section("formulas", "Formulas", table(heads, map(_formula, names)))


def _formula(name: str) -> tuple[Md, Md, Md]:
    words = inspect.getdoc(getattr(formulas, name)) or ""
    source = _SOURCE.search(words)
    summary = words.partition("\n\n")[0].replace("`", "")
    return (
        anchor(f"formula-{name}", code(name)),
        escape(summary),
        escape(source[1].replace("`", "") if source else ""),
    )
