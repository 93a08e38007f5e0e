"""The origin of each figure of a design: its evidence, or the evidence of its group."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mlsd_helpers.analysis.ages import as_read, worst_ages_s
from mlsd_helpers.analysis.cost import CostRow, costs_of
from mlsd_helpers.analysis.sizing import Sizing, sizings
from mlsd_helpers.design import Design, Evidence, Feature
from mlsd_helpers.design.requirements import AXES
from mlsd_helpers.design.value import Value
from mlsd_helpers.design.workloads import path_in
from mlsd_helpers.document.markdown import NOTHING, Md, code, escape, link
from mlsd_helpers.review import Review, reviewed
from mlsd_helpers.units import show_rate

Steps = tuple[str, ...]
"""A path, step by step; a list entry is named by its id, or by its position where it has none."""


def _steps(path: str) -> Steps:
    return tuple(path.split("."))


WITHOUT_REASON = "without-reason"
BY_DEFAULT = "by-default"
ASSUMED = "assumed"
PEAK = "requirements.throughput.peak"

_ALIASES = {
    "label_yield": "yield",
    "start": "from",
    "end": "to",
    "lasts": "for",
    "stands_in": "plane",
}
_OTHERWISE_SHOWN = {"name", "sources", "evidence", "accepted", "does_not_apply"}
_BY_HAND = {
    _steps(path)
    for path in (
        "summary",
        "about.context",
        "about.context_file",
        "requirements.goal",
        "requirements.baseline",
        "requirements.non_goals",
        "requirements.latency.also.*.what",
        "requirements.freshness.also.*.what",
        "planes.components.*.title",
        "planes.components.*.does",
        "planes.components.*.stands_in",
        "planes.components.*.managed",
        "planes.components.*.run_by_others",
        "planes.release.rollback_takes_back",
        "pattern.rejected.*.path",
        "capacity.costs.*.text",
        "dataflow.features.*.source",
        "dataflow.features.*.path",
        "dataflow.features.*.default",
        "dataflow.features.*.personal",
        "dataflow.features.*.protected",
        "dataflow.stages.*.synchronised",
        "dataflow.stages.*.store",
        "dataflow.stages.*.component",
    )
}
"""Fields that sections write without `Figures.text` and `format_value`; ``*`` is each entry of a list."""
_LONG = re.compile(r"^[1-9]\d{3,}")  # digits of a figure to set apart by commas
_FEWEST_LETTERS = 24  # shorter words stand in a document by chance
_REASONS = {"sources", "evidence"}  # these hold reasons and no figures of their own
_IN_WORDS = {("requirements", "prediction", "type"), ("requirements", "latency", "percentile")}


@dataclass(frozen=True)
class Figures:
    """The figures of a design by their paths, such as ``capacity.zones``, each with its reason."""

    design: Design
    folder: Path | None = None
    """The folder of the design's file and of the files that it includes."""
    _used: set[Steps] = field(default_factory=set, compare=False, repr=False)

    @cached_property
    def views(self) -> tuple["Figures", ...]:
        """The figures of each workload, by paths as if it were the only one; of a design without any, these alone."""
        found = self.design.views
        return tuple(Figures(one, self.folder, self._used) for one in found) or (self,)

    @property
    def workload(self) -> str:
        """The id of the workload whose figures these are; empty for those of a design."""
        return self.design.workload.id if self.design.workload else ""

    @cached_property
    def ages_s(self) -> Mapping[str, float]:
        """The worst age of each feature when a model reads it, in seconds; of several workloads the oldest."""
        found = [worst_ages_s(as_read(one.design)) for one in self.views]
        names = dict.fromkeys(name for ages in found for name in ages)
        return {name: max(ages.get(name, 0.0) for ages in found) for name in names}

    def limiting(self, feature: Feature) -> "Figures":
        """Return the figures of the workload whose freshness limits a feature most, of those that read it."""
        path = "requirements.freshness.features"
        reading = [one for one in self.views if not feature.workload or one.workload in feature.workload]
        limited = [one for one in reading if one.held(path) is not None]
        return min(limited, key=lambda one: one.held(path), default=self)

    @cached_property
    def sizings(self) -> dict[str, Sizing]:
        """What the plan of each fleet comes to, by the path of the plan."""
        return sizings(self.design)

    def load_path(self, plan: str) -> str:
        """Return where the load of a fleet is given: in its plan, or among the requirements."""
        return self.sizings[plan].load_path

    def load(self, plan: str) -> Md:
        """Write the load of a fleet, linked to where it is given, or to the peak from which it follows."""
        path, load = self.load_path(plan), self.sizings[plan].load_rps
        if load is None or self.held(path) == load:
            return self.required(path)
        return link(escape(show_rate(load)), self.peak)

    @property
    def peak(self) -> str:
        """The anchor of the peak of the requirements, or of the requirements of all workloads."""
        return "section-requirements" if self.design.views else self.origin(PEAK)

    @cached_property
    def costs(self) -> tuple[CostRow, ...]:
        """The costs of the design, item by item."""
        return costs_of(self.design)

    @cached_property
    def review(self) -> Review:
        """The findings of the rules today: open ones, and those that the design accepts."""
        return reviewed(self.design)

    @cached_property
    def rows(self) -> dict[str, str]:
        """The anchor of the row of each component, alert and objective, by its id."""
        planes, operations = self.design.planes, self.design.operations
        lists = (
            ("objective", operations.objectives if operations else ()),
            ("alert", planes.alerts if planes else ()),
            ("component", planes.components if planes else ()),
        )
        return {one.id: f"{kind}-{one.id}" for kind, held in lists for one in held}

    def held(self, path: str) -> Any:
        """Return the value at a path, or None where the design has none."""
        return self._held.get(_steps(path))

    def text(self, path: str) -> str | None:
        """Return the value at a path as text with its unit, or None.

        >>> Figures(Design(name="x", capacity={"service_time": "40 ms"})).text("capacity.service_time.mean")
        '40 ms'
        """
        steps = _steps(path)
        self.note(path)
        # A service time with only a mean is written as the mean alone.
        written = self._written.get(steps, self._written.get(steps[:-1]) if steps[-1:] == ("mean",) else None)
        if isinstance(written, int) and not isinstance(written, bool):
            return f"{written:,}"
        if isinstance(written, str) and isinstance(self.held(path), int | float):
            return _LONG.sub(lambda digits: f"{int(digits[0]):,}", written)
        return None if written is None else str(written)

    def note(self, path: str) -> None:
        """Remember that the document shows the value at a path."""
        self._used.add(_steps(path_in(self.workload, path) if self.workload else path))

    def not_shown(self, body: str) -> Iterator[tuple[str, str]]:
        """Yield the fields that the design states and a document so far does not show: path and value.

        Words are looked for in the document's text, numbers and short words by the paths that were written.
        """
        used = self._used | {steps[:-1] for steps in self._used if steps[-1] == "mean"}
        for steps, value in self._chosen.items():
            groups = {steps[:length] for length in range(1, len(steps) + 1)}
            if steps[:2] == ("requirements", "workloads"):
                alone = ("requirements", *steps[3:])
                groups |= {alone[:length] for length in range(1, len(alone) + 1)}
            by_name = {(*group[:-2], "*", group[-1]) for group in groups if len(group) > 2}
            if (
                steps[0] in _OTHERWISE_SHOWN
                or not used.isdisjoint(groups)
                or not _BY_HAND.isdisjoint(groups | by_name)
            ):
                continue
            is_long = isinstance(value, str) and (len(value) >= _FEWEST_LETTERS or steps[-1] == "per_month")
            words = code(value) if steps[-1] == "id" else escape(str(value)) if is_long else ""
            if not words or words not in body:
                number = f"{value:,}" if isinstance(value, int) else f"{value}"
                said = "yes" if value is True else "no" if value is False else number
                yield ".".join(_ALIASES.get(step, step) for step in steps), said

    def number(self, path: str) -> Md:
        """Write a figure, linked to its evidence."""
        return self._linked(path, self.target(path))

    def required(self, path: str) -> Md:
        """Write a figure of the requirements, linked to its row in their table."""
        return self._linked(path, self.origin(path))

    def reason(self, path: str) -> Evidence | None:
        """Return the evidence for a figure, or for the smallest group around it that has evidence."""
        steps = _steps(path)
        groups = (steps[:length] for length in range(len(steps), 0, -1))
        return next((self._reasons[group] for group in groups if group in self._reasons), None)

    def target(self, path: str) -> str:
        """Return the anchor that a figure links to: an assumption, a source, or the list of the other figures."""
        reason = self.reason(path)
        if reason is None:
            return WITHOUT_REASON if _is_chosen(_steps(path), self._chosen) else BY_DEFAULT
        return f"assumption-{reason.assumption}" if reason.assumption else f"source-{reason.source}"

    def origin(self, path: str) -> str:
        """Return the anchor of an input's origin: its requirement, or its evidence."""
        part, axis, *_ = (*path.split("."), "")
        if part == "requirements" and axis in AXES:
            return f"requirement-{self.anchor_of(axis)}"
        return self.target(path)

    def anchor_of(self, axis: str) -> str:
        """Return what to call an axis of the requirements in an anchor: its id, after that of its workload."""
        own = self.held(f"requirements.{axis}.id")
        return f"{self.workload}-{own}" if self.workload else f"{own}"

    def unreasoned(self) -> tuple[str, ...]:
        """Return the paths of the given figures that name neither a source nor an assumption."""
        return tuple(path for steps, path in self._bare() if _is_chosen(steps, self._chosen))

    def by_default(self) -> tuple[str, ...]:
        """Return the paths of the figures that the design leaves at their default."""
        return tuple(path for steps, path in self._bare() if not _is_chosen(steps, self._chosen))

    def _bare(self) -> Iterator[tuple[Steps, str]]:
        for steps, value in self._held.items():
            path = ".".join(steps)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            figure = is_number or steps in _IN_WORDS
            if figure and steps[0] not in _REASONS and self.reason(path) is None:
                yield steps, ".".join(_ALIASES.get(step, step) for step in steps)

    def _linked(self, path: str, target: str) -> Md:
        words = self.text(path)
        return NOTHING if words is None else link(escape(words), target)

    @cached_property
    def _held(self) -> Mapping[Steps, Any]:
        return _leaves(self.design)

    @cached_property
    def _written(self) -> Mapping[Steps, Any]:
        return _leaves(self.design.model_dump(mode="json"))

    @cached_property
    def _chosen(self) -> Mapping[Steps, Any]:
        return _leaves(self.design.model_dump(mode="json", exclude_defaults=True))

    @cached_property
    def _reasons(self) -> Mapping[Steps, Evidence]:
        notes = [note for note in self.design.evidence if note.source or note.assumption]
        return {_by_id(self.design, note.figure): note for note in reversed(notes)}  # the first one counts


def undecided(*paths: str) -> Md:
    """Write which fields are not decided yet, by their paths in the design."""
    return Md(f"*not decided yet:* {', '.join(map(code, paths))}")


def _is_chosen(steps: Steps, chosen: Mapping[Steps, Any]) -> bool:
    return steps in chosen or (steps[-1] == "mean" and steps[:-1] in chosen)


def _leaves(value: Any) -> dict[Steps, Any]:
    """Return each single value by its path, of a design or of its JSON."""
    found: dict[Steps, Any] = {}

    def collect(value: Any, steps: Steps) -> None:
        if isinstance(value, Value | dict):
            for name, inside in value.items() if isinstance(value, dict) else value:
                collect(inside, (*steps, name))
        elif isinstance(value, list | tuple):
            for position, entry in enumerate(value):
                collect(entry, (*steps, _name(entry, position)))
        elif value is not None:
            found[steps] = value

    collect(value, ())
    return found


def _name(entry: Any, position: int) -> str:
    given = entry.get("id") if isinstance(entry, dict) else getattr(entry, "id", None)
    return given or str(position)


def _by_id(value: Any, path: str) -> Steps:
    """Return a path with entries by their ids and fields by their names; evidence may use positions and aliases."""
    steps: list[str] = []
    for step in path.split("."):
        if isinstance(value, tuple):
            names = [_name(entry, position) for position, entry in enumerate(value)]
            position = names.index(step) if step in names else int(step)
            steps.append(names[position])
            value = value[position]
        else:
            fields = {field.alias: name for name, field in type(value).model_fields.items() if field.alias}
            steps.append(fields.get(step, step))
            value = getattr(value, steps[-1])
    return tuple(steps)
