"""Data: datasets and their readers, flows out of a region or trust zone, labels, training and experiments."""

from collections.abc import Iterator

from mlsd_helpers.analysis.graph import components_by_id
from mlsd_helpers.design import Component, DataFlow, Flow, Planes
from mlsd_helpers.document.fields import Columns, Phrases, entries, format_value, phrases
from mlsd_helpers.document.markdown import (
    Md,
    blocks,
    bullets,
    code,
    counted,
    escape,
    joined,
    link,
    part,
    section,
)
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.units import show_seconds

_DATASETS: Columns = {
    "data": "id",
    "what": "what",
    "personal": "personal",
    "confidential": "confidential",
    "belongs to": "belongs_to",
    "tenants apart by": "separated_by",
    "purpose": "purpose",
    "legal basis": "basis",
    "kept in": "kept_in",
    "regions": "region",
    "kept for": "retention",
    "in backups for": "backups",
    "kept as long as": "kept_as_long_as",
    "may be trained on by": "training_allowed_by",
    "deleted by": "deleted_by",
    "how it is deleted": "deletion",
    "readers": "readers",
}
_LABELS: Phrases = {
    "source": "**Source:** {}",
    "definition": "**Definition:** {}",
    "rest_on": "**Rest on:** {}",
    "delay": "**Delay:** {}",
    "label_yield": "**Share of predictions with a label:** {}",
    "selection": "**Which predictions get one:** {}",
    "known_for": "**Known for:** {}",
    "negatives": "**Negatives:** {}",
    "corrected_by": "**Corrected by:** {}",
    "explored": "**Decided at random:** {} of cases",
    "items": "**Items of one training set:** {}",
    "labels_per_item": "**Labels an item:** {}",
    "cost_per_label": "**A label costs:** {}",
    "quality": "**Quality:** {}",
    "stands_for": "**Stands for:** {}",
}
_TRAINING: Phrases = {
    "component": "**Trained by:** {}",
    "snapshot": "**Data are fixed by:** {}",
    "code": "**Code is fixed by:** {}",
    "environment": "**Environment is fixed by:** {}",
    "seed": "**Seed:** {}",
    "lineage": "**Lineage:** {}",
    "run_time": "**A run takes:** {}",
    "trained_on": "**Trained on:** {}",
    "extraction": "**What it learnt is kept in by:** {}",
    "cost_per_run": "**A run costs:** {}",
}
_EXPERIMENTS: Columns = {
    "experiment": "id",
    "question": "question",
    "unit": "unit",
    "units a day": "units_per_day",
    "units in all": "units",
    "units in a cluster": "cluster_size",
    "alike in a cluster": "correlation",
    "takes part": "share",
    "arms": "arms",
    "metric": "metric",
    "today": "baseline",
    "variation": "variation",
    "smallest effect": "effect",
    "significance": "significance",
    "power": "power",
    "for": "duration",
    "outcome after": "outcome_after",
    "read after": "read_after",
    "looks": "looks",
    "test of several looks": "sequential",
    "must not get worse": "guardrails",
    "interference": "interference",
    "kept apart by": "isolated_by",
}
_GATES: Columns = {
    "gate": "id",
    "metric": "metric",
    "of": "of",
    "on": "on",
    "drawn": "drawn",
    "share of": "share_of",
    "cases": "cases",
    "positives": "positives",
    "at least": "at_least",
    "at most": "at_most",
    "compared with": "baseline",
    "worse by at most": "worse_by_at_most",
    "on the same cases": "paired",
    "in each of": "slices",
    "cases in the smallest": "smallest_slice",
    "owner of the set": "owner",
    "refreshed every": "refreshed",
}


def data(figures: Figures) -> Md:
    """Write datasets, flows that leave a region or trust zone, the model's inputs, labels, training and gates."""
    design = figures.design
    held, planes = design.data, design.planes
    gates = planes.release.gates if planes and planes.release else ()
    training = phrases(figures, "data.training", held and held.training, _TRAINING)
    datasets = held.datasets if held else ()
    return section(
        "data",
        "Data and learning",
        part("What is kept", entries(figures, "data.datasets", datasets, _DATASETS, "dataset")),
        part("What leaves a region or a trust zone", _leaving(figures, planes)),
        part("What the model reads", _inputs(figures, design.dataflow)),
        *map(_labels, figures.views),
        part("Training", bullets(training)),
        part("Experiments", entries(figures, "experiments", design.experiments, _EXPERIMENTS, "experiment")),
        part("Evaluation gates", entries(figures, "planes.release.gates", gates, _GATES, "gate")),
    )


def _leaving(figures: Figures, planes: Planes | None) -> Md:
    if planes is None:
        return Md("")
    boxes = components_by_id(planes)
    columns: Columns = {
        "from": "start",
        "to": "end",
        "carries": "carries",
        "personal": "personal",
        "trust zones": lambda flow: _zones(boxes[flow.start], boxes[flow.end]),
        "regions": lambda flow: _regions(boxes[flow.start], boxes[flow.end]),
        "who proves to be who": "auth",
        "terms": lambda flow: format_value(
            figures, f"planes.components.{flow.end}.terms", boxes[flow.end].terms
        ),
    }

    def leaves(flow: Flow) -> bool:
        ends = boxes[flow.start], boxes[flow.end]
        return bool(_zones(*ends) or _regions(*ends))

    return entries(figures, "planes.flows", planes.flows, columns, keep=leaves)


def _zones(start: Component, end: Component) -> Md:
    crossed = start.trust_zone and end.trust_zone and start.trust_zone != end.trust_zone
    return Md(f"{escape(start.trust_zone or '')} → {escape(end.trust_zone or '')}") if crossed else Md("")


def _regions(start: Component, end: Component) -> Md:
    left = start.region and end.region and not set(end.region) <= set(start.region)
    before, after = (joined(map(escape, one.region)) for one in (start, end))
    return Md(f"{before} → {after}") if left else Md("")


def _labels(figures: Figures) -> Md:
    """Write the labels of a design, or of one of its workloads."""
    needs, of = figures.design.requirements, figures.workload
    words = phrases(figures, "requirements.labels", needs and needs.labels, _LABELS)
    return part(f"Labels: workload {code(of)}" if of else "Labels", bullets(words))


def _inputs(figures: Figures, flow: DataFlow | None) -> Md:
    """Write the model's inputs in short; the tables are an appendix."""
    if flow is None:
        return Md("")
    if not flow.features:
        return bullets(_agreements(figures, flow))
    sources = {feature.source for feature in flow.features}
    ages_s = figures.ages_s
    general_path = "requirements.freshness.features"
    limiting = {one.id: figures.limiting(one) for one in flow.features}
    limits_s = {
        one.id: limiting[one.id].held(general_path) if one.sla is None else one.sla for one in flow.features
    }
    limited = [one.id for one in flow.features if limits_s[one.id]]
    nearest = max(limited, key=lambda one: ages_s[one] / limits_s[one], default=None)
    aged = ""
    if nearest:
        own = f"dataflow.features.{nearest}.sla"
        limit = limiting[nearest].required(general_path) if figures.held(own) is None else figures.number(own)
        aged = (
            f" Nearest to its limit is {link(code(nearest), f'feature-{nearest}')}: at worst "
            f"{show_seconds(ages_s[nearest])} old, of {limit} that are allowed."
        )
    marks = (("Personal", "personal"), ("The law forbids to decide by", "protected"))
    marked = ((words, [one for one in flow.features if getattr(one, mark)]) for words, mark in marks)
    flagged = bullets(
        Md(f"**{words}:** {joined(link(code(one.id), f'feature-{one.id}') for one in some)}")
        for words, some in marked
        if some
    )
    return blocks(
        Md(
            f"{link(counted(len(flow.features), 'feature'), 'section-dataflow')} from "
            f"{counted(len(sources), 'source')}.{aged}"
        ),
        flagged,
        bullets(_agreements(figures, flow)),
    )


def _agreements(figures: Figures, flow: DataFlow) -> Iterator[Md]:
    if flow.lookup:
        calls, each = (figures.number(f"dataflow.lookup.{name}") for name in ("calls", "time_per_call"))
        order = "all at once" if flow.lookup.at_once else "one after another"
        keys = f", {figures.number('dataflow.lookup.keys')} keys" if flow.lookup.keys else ""
        yield Md(f"**Reading:** {calls} calls of {each}, {order}{keys}")
    yield from phrases(
        figures,
        "dataflow",
        flow,
        {
            "join": "**Training rows are joined by:** {}",
            "transformation": "**Code of training and serving:** {}",
            "parity_test": "**Parity test:** {}",
            "input_width": "**Model input:** {} wide",
        },
    )
