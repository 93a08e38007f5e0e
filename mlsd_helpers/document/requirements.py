"""The requirements, each with its reason, and the latency budget."""

from collections.abc import Callable, Iterator, Mapping

from mlsd_helpers.design import Requirements
from mlsd_helpers.document.markdown import Md, anchor, blocks, code, escape, joined, link, section, table
from mlsd_helpers.document.provenance import AXES, Figures, decided, undecided
from mlsd_helpers.formulas import budget_left_s
from mlsd_helpers.units import show_seconds

BUDGET = "Budgets add, percentiles do not: the parts are limits, and none of them is measured by their sum."

_WRITING = {"first_token": "first token within", "per_token": "then a token every"}
_LABELLING = {
    "delay": "delay",
    "label_yield": "yield",
    "items": "items",
    "labels_per_item": "labels an item",
    "cost_per_label": "a label costs",
}


def requirements(figures: Figures) -> Md:
    """Write the requirements: goal, the axes with their reasons, what may fail."""
    needs = figures.design.requirements
    if needs is None:
        return section("requirements", "Requirements", undecided("requirements"))
    heads = ("id", "requirement", "value", "reason")
    axes = table(heads, [_axis(figures, name) for name in AXES])
    return section("requirements", "Requirements", _purpose(needs), axes, _failures(needs))


def _purpose(needs: Requirements) -> Md:
    not_a_goal = joined(map(escape, needs.non_goals), " ")
    return blocks(
        Md(f"**Goal.** {decided(needs.goal, 'requirements.goal')}"),
        Md(f"**Not a goal.** {not_a_goal or undecided('requirements.non_goals')}"),
        Md(f"**Without a model.** {decided(needs.baseline, 'requirements.baseline')}"),
    )


def _axis(figures: Figures, name: str) -> tuple[Md, ...]:
    path = f"requirements.{name}"
    given = figures.held(f"{path}.id")
    if given is None:
        return Md(""), escape(name), undecided(path), Md("")
    value = joined(_VALUES[name](figures, path), "; ")
    return anchor(f"requirement-{given}", code(given)), escape(name), value, reasons(figures, path)


def reasons(figures: Figures, path: str) -> Md:
    """Link all the reasons of a group of figures."""
    notes = [note for note in figures.design.evidence if f"{note.figure}.".startswith(f"{path}.")]
    notes = notes or list(filter(None, [figures.reason(path)]))
    sources = (link(note.source, f"source-{note.source}") for note in notes if note.source)
    beliefs = (link(note.assumption, f"assumption-{note.assumption}") for note in notes if note.assumption)
    return joined(dict.fromkeys([*sources, *beliefs]))


def _prediction(figures: Figures, path: str) -> Iterator[Md]:
    yield figures.number(f"{path}.type")
    yield decided(figures.held(f"{path}.output"), f"{path}.output")
    yield from _named(figures, path, {"base_rate": "base rate"})


def _latency(figures: Figures, path: str) -> Iterator[Md]:
    percentile, budget_s = figures.number(f"{path}.percentile"), figures.number(f"{path}.budget")
    needs = figures.design.requirements
    tier = needs.latency.tier if needs and needs.latency else ""
    yield Md(f"{percentile} below {budget_s}, {tier}")
    yield from _named(figures, path, _WRITING)


def _throughput(figures: Figures, path: str) -> Iterator[Md]:
    yield Md(f"at most {figures.number(f'{path}.peak')}")
    yield from _named(figures, path, {"mean": "on average", "burstiness": "variance over mean"})
    if figures.held(f"{path}.scorings_per_request") != 1:
        yield from _named(figures, path, {"scorings_per_request": "scorings a request"})
    yield decided(figures.held(f"{path}.derivation"), f"{path}.derivation")
    if how := figures.held(f"{path}.how"):
        yield escape(how)


def _freshness(figures: Figures, path: str) -> Iterator[Md]:
    for name, words in (("features", "features"), ("model", "the model"), ("predictions", "predictions")):
        if figures.held(f"{path}.{name}") is not None:
            yield Md(f"{words} at most {figures.number(f'{path}.{name}')} old")


def _availability(figures: Figures, path: str) -> Iterator[Md]:
    window = figures.text(f"{path}.window") and figures.number(f"{path}.window")
    yield Md(f"{figures.number(f'{path}.target')} over {window or undecided(f'{path}.window')}")


def _labels(figures: Figures, path: str) -> Iterator[Md]:
    yield escape(figures.held(f"{path}.source"))
    yield decided(figures.held(f"{path}.definition"), f"{path}.definition")
    yield from _named(figures, path, _LABELLING)
    if quality := figures.held(f"{path}.quality"):
        yield escape(quality)


_VALUES: dict[str, Callable[[Figures, str], Iterator[Md]]] = {
    "prediction": _prediction,
    "latency": _latency,
    "throughput": _throughput,
    "freshness": _freshness,
    "availability": _availability,
    "labels": _labels,
}


def _named(figures: Figures, path: str, words: Mapping[str, str]) -> Iterator[Md]:
    """Write those of the figures that are there, each after its words."""
    for name, before in words.items():
        if figures.held(f"{path}.{name}") is not None:
            yield Md(f"{before} {figures.number(f'{path}.{name}')}")


def _failures(needs: Requirements) -> Md:
    rows = (
        (
            anchor(f"failure-{mode.id}", code(mode.id)),
            escape(mode.failure),
            decided(mode.meanwhile, f"requirements.failure_modes.{mode.id}.meanwhile"),
            decided(mode.fails, f"requirements.failure_modes.{mode.id}.fails"),
        )
        for mode in needs.failure_modes
    )
    written = table(("id", "what fails", "meanwhile", "fails"), rows)
    return written or undecided("requirements.failure_modes")


def budget(figures: Figures) -> Md:
    """Write the latency budget, part by part, and what is left of it."""
    needs = figures.design.requirements
    latency = needs.latency if needs else None
    if latency is None or not latency.split:
        path = "requirements.latency" + (".split" if latency else "")
        return section("budget", "Latency budget", undecided(path))
    path = "requirements.latency.split"
    parts = [
        (escape(part.name), figures.number(f"{path}.{position}.time"))
        for position, part in enumerate(latency.split)
    ]
    left_s = round(budget_left_s(latency.budget, [part.time for part in latency.split]), 12)
    left = link(f"**{show_seconds(left_s)}**", "formula-budget_left_s")
    whole = (escape("budget"), figures.required("requirements.latency.budget"))
    rows = [*parts, whole, (Md("**left**"), left)]
    return section("budget", "Latency budget", table(("part", "time"), rows), Md(BUDGET))
