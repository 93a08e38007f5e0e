"""The head and the summary of the document."""

from collections.abc import Iterator
from hashlib import sha256

from mlsd_helpers.analysis.cost import answers_per_month, total_per_month, unpriced
from mlsd_helpers.document.fields import Phrases, phrases
from mlsd_helpers.document.gaps import gaps
from mlsd_helpers.document.markdown import (
    Md,
    block,
    blocks,
    bullets,
    code,
    counted,
    escape,
    joined,
    link,
    section,
)
from mlsd_helpers.document.promises import promises
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review import report
from mlsd_helpers.units import show_money

_ABOUT: Phrases = {
    "status": "**Status:** {}",
    "owner": "**Owner:** {}",
    "authors": "**Authors:** {}",
    "reviewers": "**Reviewers:** {}",
    "approved_by": "**Approved by:** {}",
    "date": "**Date:** {}",
}
_FEW = 3  # fleets that one line names


def head(figures: Figures) -> Md:
    """Write the title, the people responsible for the design, and its version."""
    design = figures.design
    content = design.model_dump_json(by_alias=True, exclude_defaults=True)
    version = Md(f"**Version:** {code(sha256(content.encode()).hexdigest()[:12])}, from the design's content")
    about = phrases(figures, "about", design.about, _ABOUT)
    return blocks(Md(f"# {escape(design.name)}"), bullets([*about, version]))


def summary(figures: Figures) -> Md:
    """Write the purpose of the system and its most important figures, in ten lines."""
    needs = figures.design.requirements
    words = figures.design.summary or (needs and needs.goal)
    lines = [Md(f"**{title}:** {text}") for title, text in _lines(figures) if text]
    kept = promises(figures)
    said = Md(
        "Verdicts follow from the design by calculation, for the peak, if its figures hold." if kept else ""
    )
    return section("summary", "Summary", block(words) if words else Md(""), bullets(lines), kept, said)


def _lines(figures: Figures) -> Iterator[tuple[str, Md]]:
    design = figures.design
    choice = design.pattern.choice if design.pattern else None
    pattern = Md(f"; computed: {link(escape(choice), 'section-decisions')}") if choice else Md("")
    about = design.about
    yield "Status", escape(about.status) if about and about.status else Md("")
    for one in figures.views:
        of = f" ({one.workload})" if one.workload else ""
        kind = one.held("requirements.prediction.type")
        more = Md("") if of else pattern
        yield f"Predicts{of}", Md(f"{one.number('requirements.prediction.type')}{more}") if kind else Md("")
    yield "Size", _size(figures)
    yield "Cost", joined(cost(figures), "; ")
    yield "Risks", _risks(figures)
    yield "Review", link(_review(figures), "section-findings")
    yield "Open questions", _questions(figures)
    missing = sum(1 for _ in gaps(design))
    yield "Not decided yet", link(counted(missing, "point"), "section-undecided") if missing else Md("")


def _size(figures: Figures) -> Md:
    fleets = figures.design.fleets
    given = {path: plan.replicas for path, plan in fleets.items() if plan.replicas is not None}
    if len(given) > _FEW:
        return Md(f"{sum(given.values()):,} replicas in {len(given)} fleets")
    return joined((_fleet(figures, path) for path in given), "; ")


def _plural(number: float | None) -> str:
    return "" if number == 1 else "s"


def _fleet(figures: Figures, path: str) -> Md:
    plan, sizing = figures.design.fleets[path], figures.sizings[path]
    of = Md(f"{code(plan.component)} ") if plan.component else Md("")
    same = [one for one in figures.design.fleets.values() if one.component == plan.component]
    of = Md(f"{of}{code(plan.id)} ") if plan.id and len(same) > 1 else of
    zones = (
        Md(f" in {figures.number(f'{path}.zones')} zone{'' if plan.zones == 1 else 's'}")
        if plan.zones
        else Md("")
    )
    load = Md("")
    if sizing.load_rps is not None:
        load = Md(f" for {figures.load(path)} at the peak")
    return Md(
        f"{of}{figures.number(f'{path}.replicas')} replica{'' if plan.replicas == 1 else 's'}{zones}{load}"
    )


def cost(figures: Figures) -> Iterator[Md]:
    """Write the total cost a month and for a thousand requests, and the budget."""
    design = figures.design
    total = total_per_month(figures.costs)
    budget = design.capacity.budget_per_month if design.capacity else None
    unknown = sum(row.per_month is None for row in figures.costs)
    if total is not None:
        more = f", and {counted(unknown, 'item')} whose cost is not known" if unknown else ""
        yield link(f"{escape(show_money(total, design.currency))} a month{more}", "costs")
    if budget is not None:
        within = (
            "above the"
            if total is not None and total > budget
            else "so far within the"
            if unknown or unpriced(design)
            else "within the"
        )
        limit = figures.number("capacity.budget_per_month")
        yield Md(f"budget {limit}" if total is None else f"{within} budget of {limit}")
    if total is not None and (answers := answers_per_month(design)):
        held = {one.held("requirements.throughput.peak") is not None for one in figures.views}
        if len(held) == 1 and not design.views:  # requests of several workloads are no common unit
            unit = "requests" if True in held else "items"
            yield Md(f"{escape(show_money(total / answers * 1000, design.currency))} per 1,000 {unit}")


def _risks(figures: Figures) -> Md:
    """Count the risks by what is left of them, and name those that stay high."""
    risks = figures.design.risks
    levels = [one.left or one.impact for one in risks]
    counts = [f"{levels.count(level)} {level}" for level in ("high", "medium", "low") if level in levels]
    high = [link(code(one.id), f"risk-{one.id}") for one in risks if (one.left or one.impact) == "high"]
    named = Md(f" ({joined(high)})") if high else Md("")
    parts = joined((escape(each) for each in counts[1:]), ", ")
    return (
        Md(f"{counts[0]}{named}{f', {parts}' if parts else ''}, after what is done")
        if counts
        else Md(f"{len(risks)}" if risks else "")
    )


def _review(figures: Figures) -> str:
    opened, accepted = figures.review
    words = report.counted(opened) or "no findings open"
    return f"{words}, {len(accepted)} accepted" if accepted else words


def _questions(figures: Figures) -> Md:
    asked = figures.design.questions
    if not asked:
        return Md("")
    due = [one.until for one in asked if one.until]
    words = f"{len(asked)}, the next due {min(due).isoformat()}" if due else f"{len(asked)}"
    return link(words, "questions")
