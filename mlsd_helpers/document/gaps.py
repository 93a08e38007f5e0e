"""The decisions that a design leaves open, and the parts that it declares not applicable."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlsd_helpers.design import Design
from mlsd_helpers.design.value import step_to
from mlsd_helpers.design.workloads import path_in
from mlsd_helpers.document.markdown import Md, bullets, code, escape, joined, part, section
from mlsd_helpers.document.provenance import Figures

WANTED = {
    "about": ("owner", "date"),
    "requirements": (
        "goal", "non_goals", "baseline", "prediction.output", "latency.split", "throughput.mean",
        "throughput.derivation", "freshness.features", "availability.window", "labels.definition", "labels.delay",
        "failure_modes.*.meanwhile", "failure_modes.*.fails", "assumptions.*.owner", "assumptions.*.check",
    ),
    "planes": (
        "components.*.owner", "flows", "alerts.*.threshold", "alerts.*.owner", "alerts.*.action",
        "retraining.triggers", "release.validation", "release.rollback_to", "release.rollback_time",
        "release.versioned_together", "release.kill_switch",
    ),
    "dataflow": (
        "stages", "features.*.default", "lookup", "join", "transformation", "parity_test", "input_width",
    ),
    "pattern": ("paths.*.when", "paths.*.reason", "rejected.*.flips_when"),
    "data": ("datasets",),
    "operations": ("objectives",),
}  # fmt: skip
"""The fields that a team needs before it builds, by part; ``*`` is each entry of a list."""
_PLAN = (
    "component", "service_time", "target_utilisation", "headroom", "replicas", "zones", "queue_limit", "routing",
    "cost_per_replica_hour",
)  # fmt: skip
_LISTS = ("summary", "risks", "sources")
_INSTEAD_OF_A_SCHEDULE = {"requirements.latency", "requirements.throughput"}
_NAMED = 5  # entries of a list that one line names


def gaps(design: Design) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each open decision: its path, and the ids of the entries that lack it where it is a field of a list.

    >>> dict(gaps(Design(name="d", planes={"components": [{"id": "a", "kind": "cache"}]})))["planes.components.owner"]
    ('a',)
    """
    for view in design.views:
        for path, entries in gaps(view):
            if (own := path_in(view.workload.id if view.workload else "", path)) != path:
                yield own, entries
    places = {"capacity.fleets.*" if "." in path else path for path in design.fleets} or {"capacity"}
    plans = (f"{place}.{name}" for place in sorted(places) for name in _PLAN)
    parts = (f"{part}.{field}" for part, fields in WANTED.items() for field in fields)
    found: dict[str, list[str]] = {}
    for wanted in (*_LISTS, *parts, *plans):
        for path, entry in _missing(design, wanted.split(".")):
            found.setdefault(path, []).extend(filter(None, [entry]))
    scheduled = design.requirements and design.requirements.schedule
    for path, names in found.items():
        if design.views and path_in("", path) != path:
            continue  # each workload has its own
        if design.why_not(path) is None and not (scheduled and path in _INSTEAD_OF_A_SCHEDULE):
            yield path, tuple(names)


def _missing(value: Any, steps: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the shortest empty path along some steps, and the entry of a list that lacks the rest."""
    for place, step in enumerate(steps, 1):
        if step == "*":
            path = ".".join((*steps[: place - 1], *steps[place:]))
            for at, entry in enumerate(value):
                if any(_missing(entry, steps[place:])):
                    yield path, step_to(at, entry)
            return
        value = getattr(value, step)
        if value is None or value == ():
            yield ".".join(steps[:place]), ""
            return


def undecided_parts(figures: Figures) -> Md:
    """Write the open decisions, part by part, and the parts that do not apply, with the reasons."""
    by_part: dict[str, list[Md]] = {}
    for path, names in gaps(figures.design):
        by_part.setdefault(path.partition(".")[0], []).append(_gap(path, names))
    whole = [name for name, found in by_part.items() if found == [code(name)]]
    missing = [Md(f"**Nothing yet on:** {joined(map(code, whole))}")] if whole else []
    missing += [Md(f"**{name}:** {joined(found)}") for name, found in by_part.items() if name not in whole]
    answers = bullets(
        Md(f"{code(one.where)}: {escape(one.because)}") for one in figures.design.does_not_apply
    )
    return section("undecided", "Not decided yet", bullets(missing), part("Does not apply", answers))


def _gap(path: str, names: tuple[str, ...]) -> Md:
    if not names:
        return code(path)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    parent, _, field = path.rpartition(".")
    return Md(f"{code(field)} in {code(parent)} of {joined(map(code, names[:_NAMED]))}{more}")
