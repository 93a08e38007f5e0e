"""The requirements, each with its values and evidence, the constraints, and the failure modes."""

from collections.abc import Iterator

from mlsd_helpers.design import Promise, Requirements
from mlsd_helpers.design.requirements import AXES
from mlsd_helpers.document.context import context
from mlsd_helpers.document.fields import Columns, Phrases, entries, format_value, listed, name, phrases
from mlsd_helpers.document.markdown import (
    Md,
    anchor,
    blocks,
    code,
    escape,
    joined,
    link,
    part,
    section,
    table,
)
from mlsd_helpers.document.provenance import Figures

AT = "requirements"
_CONSTRAINTS: Columns = {
    "constraint": "id",
    "what": "text",
    "from": "source",
    "reference": "reference",
    "demands": "demands",
    "goes before": "goes_before",
    "about": "of",
    "regions": "region",
    "kept at least": "kept_at_least",
    "kept at most": "kept_at_most",
    "met by": "met_by",
    "holds without them": "held_without",
    "how": "how",
}
_FAILURES: Columns = {
    "id": "id",
    "what fails": "failure",
    "of": "of",
    "meanwhile": "meanwhile",
    "to": "to_region",
    "fails": "fails",
}
_AXES: dict[str, Phrases] = {
    "prediction": {
        "output": "{}",
        "base_rate": "{} of cases are positive",
        "acted_on": "{} of predictions lead to an action",
        "about_people": "decides about people",
        "subject": "about one {}",
        "explained": "explained by: {}",
        "reviewed_by": "reviewed by {}",
        "reasons_kept_in": "reasons kept in {}",
    },
    "throughput": {
        "peak": "at most {}",
        "over": "counted over {}",
        "peak_lasts": "for {}",
        "mean": "on average {}",
        "burstiness": "variance {} times the mean",
        "scorings_per_request": "{} scorings a request",
        "derivation": "peak from: {}",
        "how": "{}",
    },
    "freshness": {
        "features": "features at most {} old",
        "model": "the model at most {} old",
        "predictions": "predictions at most {} old",
        "labelled_data": "newest labelled data at most {} old",
        "index": "a new document in the index within {}",
    },
    "availability": {
        "target": "{} of requests answered",
        "window": "over {}",
        "rto": "answers again {} after the loss of a region",
        "rpo": "which loses at most {} of data",
    },
    "labels": {"source": "{}", "delay": "after {}", "label_yield": "for {} of predictions"},
    "schedule": {
        "calendar": "{}",
        "period": "every {}",
        "items": "{} items a run",
        "deadline": "done within {}",
        "starts": "starts at {}",
        "due": "done by {}",
        "when_late": "when late: {}",
        "cut_off": "what is there is handed over at {}",
        "fallback": "in place of a late result the last one of {}",
    },
}


def requirements(figures: Figures) -> Md:
    """Write context, goals, the axes with their evidence, constraints, and failure modes."""
    needs = figures.design.requirements
    words = context(figures)
    if needs is None:
        return section("requirements", "Context and requirements", words)
    modes = needs.failure_modes
    return section(
        "requirements",
        "Context and requirements",
        words,
        _purpose(needs),
        *map(_promises, figures.views),
        part(
            "Constraints",
            entries(figures, f"{AT}.constraints", needs.constraints, _CONSTRAINTS, "constraint"),
        ),
        part("When something fails", entries(figures, f"{AT}.failure_modes", modes, _FAILURES, "failure")),
    )


def _promises(figures: Figures) -> Md:
    """Write the axes of a design, or of one of its workloads under its name."""
    needs, one = figures.design.requirements, figures.design.workload
    rows = [_axis(figures, name) for name in AXES if needs and getattr(needs, name) is not None]
    axes = table(("requirement", "value", "reason"), rows)
    if one is None:
        return axes
    begins = joined((name(figures, each) for each in one.entry), " and ")
    words = [
        Md(f"{escape(one.does)}") if one.does else Md(""),
        Md(f"Begins at: {begins}.") if begins else Md(""),
        Md("Works only while the others are not at their peak.") if one.off_peak else Md(""),
    ]
    for field in ("id", "does", "entry", "off_peak", *(f"entry.{at}" for at in range(len(one.entry)))):
        figures.note(f"requirements.workloads.{one.id}.{field}")
    return part(f"Workload {code(one.id)}", joined(filter(None, words), " "), axes)


def _purpose(needs: Requirements) -> Md:
    words = (
        ("Goal", escape(needs.goal or "")),
        ("Not a goal", listed([escape(one) for one in needs.non_goals])),
        ("Without a model", escape(needs.baseline or "")),
    )
    return blocks(*(Md(f"**{title}:** {text}") for title, text in words if text))


def _axis(figures: Figures, name: str) -> tuple[Md, ...]:
    path = f"requirements.{name}"
    axis = figures.design.at(path)
    value = joined([*_first(figures, name, path), *phrases(figures, path, axis, _AXES.get(name, {}))], "; ")
    id_ = Md(f" ({code(axis.id)})") if axis.id != name else Md("")
    return (
        anchor(f"requirement-{figures.anchor_of(name)}", f"{escape(name)}{id_}"),
        value,
        reasons(figures, path),
    )


def _first(figures: Figures, name: str, path: str) -> Iterator[Md]:
    """Write the values that have no phrase: the type, each promise of a time, further limits on age."""
    axis = figures.design.at(path)
    if name == "prediction":
        yield figures.number(f"{path}.type")
    if name == "latency":
        yield from (_promise(figures, path, one) for one in axis.promises)
    for place, limit in enumerate(axis.also if name == "freshness" else ()):
        at = f"{path}.also.{place}"
        held = format_value(figures, f"{at}.component", limit.component)
        where = f" ({held})" if held else ""
        yield Md(f"{escape(limit.what)}{where}: at most {figures.number(f'{at}.within')}")


def _promise(figures: Figures, path: str, one: Promise) -> Md:
    at = figures.design.at(path)
    fields = {"whole answer": "budget", "first token": "first_token", "gap between tokens": "per_token"}
    where = f"also.{at.also.index(one)}.within" if one in at.also else fields[one.what]
    percentile = f"{path}.also.{at.also.index(one)}.percentile" if one in at.also else f"{path}.percentile"
    return Md(f"{one.what} at {figures.number(percentile)} below {figures.number(f'{path}.{where}')}")


def reasons(figures: Figures, path: str) -> Md:
    """Link all the evidence of a group of figures."""
    notes = [note for note in figures.design.evidence if f"{note.figure}.".startswith(f"{path}.")]
    notes = notes or list(filter(None, [figures.reason(path)]))
    sources = (link(note.source, f"source-{note.source}") for note in notes if note.source)
    beliefs = (link(note.assumption, f"assumption-{note.assumption}") for note in notes if note.assumption)
    return joined(dict.fromkeys([*sources, *beliefs]))
