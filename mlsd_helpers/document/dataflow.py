"""The lineage of the features, from their sources to their slots in the model's input, with their ages."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from mlsd_helpers.analysis.ages import branches_of
from mlsd_helpers.design import REQUEST, DataFlow, Feature, Parallel, Stage
from mlsd_helpers.document.markdown import Md, anchor, code, escape, joined, link, section, table
from mlsd_helpers.document.mermaid import Edge, Node, flowchart
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.units import show_seconds

AT = "dataflow"
AGE = "formula-age_bounds"
INPUT = "input"
_FEATURE = ("feature", "source", "passes", "worst age", "oldest allowed", "slot", "default")
_STAGE = ("stage", "runs every", "then takes", "copies kept for", "store", "by")


def dataflow(figures: Figures) -> Md:
    """Write the appendix of features: their lineage, their ages, and the stages that they pass."""
    flow = figures.design.dataflow
    if flow is None:
        return Md("")
    drawn = _lineage(flow) if flow.features or flow.stages else Md("")
    ages_s = figures.ages_s
    features = table(_FEATURE, (_feature(figures, one, ages_s[one.id]) for one in flow.features))
    stages = table(_STAGE, (_stage(figures, one) for one in flow.stages))
    return section("dataflow", "Appendix: features and their lineage", drawn, features, stages)


def _lineage(flow: DataFlow) -> Md:
    sources = dict.fromkeys(feature.source for feature in flow.features)
    places = {source: f"r{number}" for number, source in enumerate(sources)}
    stages = {stage.id: f"s{number}" for number, stage in enumerate(flow.stages)}
    nodes = [
        *(Node(place, (name,), "round" if name == REQUEST else "store") for name, place in places.items()),
        *(Node(stages[stage.id], (stage.id, *filter(None, [_pace(stage)]))) for stage in flow.stages),
        *(Node(f"f{number}", (one.id,), "round") for number, one in enumerate(flow.features)),
        Node(INPUT, ("model input",), "slots"),
    ]
    ends = ((f"f{number}", feature) for number, feature in enumerate(flow.features))
    edges = [edge for end, feature in ends for edge in _arrows(feature, end, places, stages)]
    size = f"{len(flow.features)} features from {len(places)} sources to the model input"
    return flowchart("Lineage of the features", f"{size}, listed in the tables below", nodes, edges)


def _pace(stage: Stage) -> str:
    words = (
        f"every {show_seconds(stage.period)}" if stage.period else "",
        "right after the one before" if stage.synchronised else "",
        f"takes {show_seconds(sum(stage.delays))}" if stage.delays else "",
        f"kept {show_seconds(stage.ttl)}" if stage.ttl else "",
    )
    return ", ".join(filter(None, words))


def _arrows(feature: Feature, end: str, sources: dict[str, str], stages: dict[str, str]) -> Iterator[Edge]:
    ways = [
        [[stages[name] for name in branch] for branch in branches if branch]
        for branches in branches_of(feature)
    ]
    yield from _through([sources[feature.source]], [*filter(None, ways), [[end]]])
    yield Edge(end, INPUT, "" if feature.slot is None else f"slot {feature.slot}")


def _through(before: Sequence[str], ways: Iterable[Sequence[Sequence[str]]]) -> Iterator[Edge]:
    """Yield the arrows from each of the `before` places through all branches, step by step."""
    for branches in ways:
        yield from (Edge(start, branch[0]) for start in before for branch in branches)
        yield from (Edge(start, end) for branch in branches for start, end in pairwise(branch))
        before = [branch[-1] for branch in branches]


def _feature(figures: Figures, one: Feature, worst_s: float) -> tuple[Md, ...]:
    path = f"{AT}.features.{one.id}"
    wide = Md(f", {figures.number(f'{path}.width')} wide") if one.width > 1 else ""
    limiting = figures.limiting(one)
    has_limit = limiting.held("requirements.freshness.features") is not None
    general = limiting.required("requirements.freshness.features") if has_limit else Md("")
    return (
        anchor(f"feature-{one.id}", code(one.id)),
        code(one.source),
        _way(one.path),
        link(show_seconds(worst_s), AGE),
        general if one.sla is None else figures.number(f"{path}.sla"),
        Md(f"{figures.number(f'{path}.slot')}{wide}"),
        escape(_default(one.default)),
    )


def _default(value: object) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return "" if value is None else f"{value:,}" if is_number else str(value)


def _way(steps: Iterable[str | Parallel]) -> Md:
    return joined(map(_passed, steps), " → ")


def _passed(step: str | Parallel) -> Md:
    if isinstance(step, str):
        return link(code(step), f"stage-{step}")
    return Md(f"({' beside '.join(map(_way, step.parallel))})")


def _stage(figures: Figures, one: Stage) -> tuple[Md, ...]:
    path = f"{AT}.stages.{one.id}"
    every = figures.number(f"{path}.period") if one.period else escape("each arrival")
    delays = (figures.number(f"{path}.delays.{position}") for position in range(len(one.delays)))
    return (
        anchor(f"stage-{one.id}", code(one.id)),
        Md(f"{every}, right after the one before") if one.synchronised else every,
        joined(delays, " + "),
        figures.number(f"{path}.ttl"),
        escape(one.store or ""),
        code(one.component) if one.component else Md(""),
    )
