"""The whole design and its YAML file. Each part is optional while the design is being made."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import PrivateAttr, ValidationInfo, model_validator

from mlsd_helpers.design.capacity import CapacityPlan, FleetPlan
from mlsd_helpers.design.data import Data
from mlsd_helpers.design.dataflow import DataFlow
from mlsd_helpers.design.decisions import (
    About,
    Acceptance,
    DecisionRecord,
    DoesNotApply,
    OpenQuestion,
    Risk,
)
from mlsd_helpers.design.experiments import Experiment
from mlsd_helpers.design.loading import load
from mlsd_helpers.design.operations import Operations
from mlsd_helpers.design.pattern import Pattern
from mlsd_helpers.design.planes import Planes
from mlsd_helpers.design.problems import FILE, Path, Problem, UnreadableDesignError
from mlsd_helpers.design.quantities import Count
from mlsd_helpers.design.references import (
    amounts_in,
    entry_at,
    ids_in,
    is_place,
    two_currencies,
    unresolved_names,
)
from mlsd_helpers.design.requirements import Requirements, Workload
from mlsd_helpers.design.value import Fault, Id, Text, Value, ids_of, refuse, repeated, unresolved
from mlsd_helpers.design.workloads import parts_of_view
from mlsd_helpers.errors import DesignError

if TYPE_CHECKING:
    from mlsd_helpers.design.reading import Lines


class Source(Value):
    """Something published, or written by the product's people, that figures come from."""

    id: Id
    title: Text
    """What it is called."""
    where: Text | None = None
    """Publisher, place, number: enough to find it again."""
    year: Count | None = None
    """When it was published."""


class Evidence(Value):
    """Where one figure of the design comes from: a source, or an assumption of ours."""

    figure: Text
    """The path of the figure, such as ``requirements.throughput.peak``; list entries go by their id."""
    source: Id | None = None
    """The id of the source."""
    assumption: Id | None = None
    """The id of the assumption."""
    note: Text | None = None
    """What the source says, or how the figure follows."""


@dataclass
class _Kept:
    """What was computed of a design once; no part of it, so that all are equal."""

    views: "tuple[Design, ...] | None" = field(default=None, compare=False)


class Design(Value):
    """A system for machine learning, from requirement to capacity."""

    name: Text
    """What the system is called."""
    summary: Text | None = None
    """One or two sentences on what it does."""
    about: About | None = None
    requirements: Requirements | None = None
    planes: Planes | None = None
    dataflow: DataFlow | None = None
    pattern: Pattern | None = None
    capacity: CapacityPlan | None = None
    data: Data | None = None
    experiments: tuple[Experiment, ...] = ()
    """Comparisons on users."""
    operations: Operations | None = None
    decisions: tuple[DecisionRecord, ...] = ()
    """What was chosen, and what would change it."""
    risks: tuple[Risk, ...] = ()
    """What may go wrong."""
    questions: tuple[OpenQuestion, ...] = ()
    """What is not known yet."""
    does_not_apply: tuple[DoesNotApply, ...] = ()
    """Parts that this system does not have, each with the reason."""
    accepted: tuple[Acceptance, ...] = ()
    """Findings of the review that are known and accepted."""
    sources: tuple[Source, ...] = ()
    """Publications and papers that figures come from."""
    evidence: tuple[Evidence, ...] = ()
    """Where single figures come from."""

    _whole: "Design | None" = PrivateAttr(None)
    _workload: Workload | None = PrivateAttr(None)
    _kept: _Kept = PrivateAttr(default_factory=_Kept)

    @property
    def workload(self) -> Workload | None:
        """The workload whose view this is; None where it is no view."""
        return self._workload

    @property
    def views(self) -> tuple["Design", ...]:
        """The design as each of its workloads sees it, with the workload's promises as its requirements.

        Nothing where it states no `workloads`, and of a view itself.

        >>> two = [{"id": "score", "labels": {"source": "clicks"}}, {"id": "chat"}]
        >>> views = Design(name="d", requirements={"workloads": two}).views
        >>> [(one.workload.id, one.requirements.labels is not None) for one in views]
        [('score', True), ('chat', False)]
        """
        if self._kept.views is None:
            stated = self.requirements.workloads if self.requirements else ()
            self._kept.views = tuple(map(self._view, stated))
        return self._kept.views

    @property
    def others(self) -> tuple["Design", ...]:
        """The views of the other workloads, where this is the view of one."""
        return (
            tuple(one for one in self._whole.views if one.workload != self._workload) if self._whole else ()
        )

    def _view(self, workload: Workload) -> "Design":
        fields = parts_of_view(dict(self), workload)
        whole = type(self).model_construct(_fields_set=self.model_fields_set, **fields)
        kept = tuple(one for one in whole.evidence if not any(whole.misplaced("evidence", (one,))))
        view = whole.model_copy(update={"evidence": kept})
        view._whole, view._workload = self, workload  # noqa: SLF001 - of its own class
        return view

    def changed(self, **fields: Any) -> Self:
        """Return the design with some parts replaced, and checked again; a view of a workload is not checked."""
        return super().changed(**fields) if self._workload is None else self.model_copy(update=fields)

    @property
    def fleets(self) -> dict[str, FleetPlan]:
        """The plan of every fleet by its path, such as ``capacity`` or ``capacity.fleets.ranker``.

        >>> list(Design(name="d", capacity={"replicas": 3}).fleets)
        ['capacity']
        """
        return self.capacity.plans() if self.capacity else {}

    @property
    def currency(self) -> str:
        """The currency of the first amount that has one, by its ISO code; USD where none has.

        >>> Design(name="d", capacity={"budget_per_month": "€9,000"}).currency
        'EUR'
        """
        return next((amount.currency for _, amount in amounts_in(self)), "USD")

    def model_dump(self, **how: Any) -> dict[str, Any]:
        """Return the fields as pydantic does; amounts that were given without a currency are in the design's."""
        return super().model_dump(**{"context": {"currency": self.currency}} | how)

    def why_not(self, path: str) -> str | None:
        """Return why a part, or what it stands in, does not apply; nothing where it applies.

        >>> reason = {"where": "requirements.latency", "because": "A nightly job: nobody waits."}
        >>> Design(name="d", does_not_apply=[reason]).why_not("requirements.latency.split")
        'A nightly job: nobody waits.'
        """
        inside = (one for one in self.does_not_apply if f"{path}.".startswith(f"{one.where}."))
        return next((one.because for one in inside), None)

    @classmethod
    def parse(cls, text: str, subject: str = "the design") -> "Design":
        """Read a design from YAML text; ``subject`` is what an error calls it."""
        from mlsd_helpers.design.reading import parse  # noqa: PLC0415 - loads PyYAML

        return parse(cls, text, subject)[0]

    def with_part(self, **parts: Any) -> Self:
        """Return the design with some of its parts replaced; ``None`` takes a part away.

        What was said about a figure or a place that is no longer there goes with it: evidence, accepted findings. So
        does the reason why a part does not apply that is now there.

        >>> Design(name="my design").with_part(capacity={"replicas": 45}).capacity.replicas
        45
        """
        bare = self.changed(**dict.fromkeys(_REMARKS, ()) | parts)
        left = [name for name in _REMARKS if name not in parts and getattr(self, name)]
        if not left:
            return bare
        kept = {
            name: tuple(one for one in getattr(self, name) if not any(bare.misplaced(name, (one,))))
            for name in left
        }
        return bare.changed(**kept)

    def at(self, path: str) -> Any:
        """Return the value at a path such as ``capacity.zones`` or ``dataflow.features.amount.sla``.

        A list entry goes by its id or its position. Raises ``DesignError`` where the design holds nothing.
        """
        value: Any = self
        for step in path.split("."):
            if (value := _inside(value, step)) is None:
                raise DesignError(f"{path!r} is not in the design: nothing at {step!r}. Name what it holds.")
        return value

    def save(self, path: str | FilePath, *, replace: bool = False) -> FilePath:
        """Write the design to a YAML file in one atomic step, and return the file's path.

        A file that already holds this design is left as it is. One that holds anything else is a ``DesignError``,
        unless ``replace`` is true: its content is then kept in the folder ``history`` beside it, under the time at
        which it was written. Where it is a design, only what differs is rewritten: comments, order and ``x-``
        keys stay. While nbgrader validates a notebook, nothing is written.
        """
        from mlsd_helpers.design.writing import save  # noqa: PLC0415 - loads PyYAML

        self._refuse_unreadable()
        return save(self, FilePath(path), replace=replace)

    def to_yaml(self) -> str:
        """Write the design as YAML text; ``Design.parse`` gives the same design again.

        Raises ``DesignError`` where one part names a component, alert or objective that another does not have.
        """
        from mlsd_helpers.design.writing import to_yaml  # noqa: PLC0415 - loads PyYAML

        self._refuse_unreadable()
        return to_yaml(self)

    @model_validator(mode="after")
    def _names_resolve(self, info: ValidationInfo) -> Self:
        lists = ("experiments", "decisions", "risks", "questions", "sources")
        ids = (repeated(ids_of(name, getattr(self, name))) for name in lists)
        remarks = (self.misplaced(name, getattr(self, name)) for name in _REMARKS)
        across = self._unresolved() if info.context == FILE else ()
        refuse(chain(*ids, across, *remarks, two_currencies(self)))
        return self

    def _unresolved(self) -> Iterator[Fault]:
        """Find names in one part that refer to nothing in another; parts that are combined in Python may have some."""
        return unresolved_names(self, self.planes, self.operations)

    def _refuse_unreadable(self) -> None:
        """Raise the error that reading the written file would raise."""
        if problems := [Problem(path, message) for path, message in self._unresolved()]:
            raise UnreadableDesignError(f"The design {self.name!r}", problems)

    def misplaced(self, name: str, remarks: Iterable[Any]) -> Iterator[Fault]:
        """Find remarks, in the list called `name`, on places that the design does not have."""
        find: dict[str, Callable[[Design, Path, Any], Iterator[Fault]]] = _REMARKS
        for position, one in enumerate(remarks):
            yield from find[name](self, (name, position), one)


class Loaded(NamedTuple):
    """A design, and where each of its fields stands in the file."""

    design: Design
    lines: "Lines"


def load_design(path: str | FilePath) -> Design:
    """Read a design from a YAML file.

    Raises ``DesignError`` when it cannot: each problem with its line, its field and what to do.
    """
    return load_with_lines(path).design


def load_with_lines(path: str | FilePath) -> Loaded:
    """Read a design from a YAML file, and keep the line of each field: ``lines("capacity.zones")``."""
    return Loaded(*load(Design, path))


def _inside(value: Any, step: str) -> Any:
    if isinstance(value, tuple):
        return entry_at(value, step)
    fields = type(value).model_fields if isinstance(value, Value) else {}
    return next((getattr(value, name) for name, field in fields.items() if step in {name, field.alias}), None)


def _has(design: Design, path: str) -> bool:
    try:
        design.at(path)
    except DesignError:
        return False
    return True


def _unsupported(design: Design, place: Path, note: Evidence) -> Iterator[Fault]:
    """Find evidence that names a figure, a source or an assumption which the design does not have."""
    if not _has(design, note.figure):
        yield (*place, "figure"), f"{note.figure!r} is not in the design. Name a figure that it holds."
    if note.source:
        known = {source.id for source in design.sources}
        yield from unresolved([((*place, "source"), note.source)], known, "source")
    if note.assumption:
        beliefs = {belief.id for belief in design.requirements.assumptions} if design.requirements else set()
        yield from unresolved([((*place, "assumption"), note.assumption)], beliefs, "assumption")


def _accepted_nowhere(design: Design, place: Path, finding: Acceptance) -> Iterator[Fault]:
    where = finding.where
    if where is not None and not is_place(design, where) and where not in ids_in(design):
        message = f"{where!r} is neither an id nor a path of the design. Write it as the finding has it."
        yield (*place, "where"), message


def _applies(design: Design, place: Path, answer: DoesNotApply) -> Iterator[Fault]:
    if not is_place(design, answer.where):
        hint = "Write a path such as 'capacity' or 'requirements.latency'."
        yield (*place, "where"), f"{answer.where!r} is no part of a design. {hint}"
    elif _has(design, answer.where) and design.at(answer.where) not in (None, (), False):
        yield (*place, "where"), f"{answer.where!r} is in the design. Take it out there, or this answer here."


_REMARKS: dict[str, Callable[[Design, Path, Any], Iterator[Fault]]] = {
    "does_not_apply": _applies,
    "accepted": _accepted_nowhere,
    "evidence": _unsupported,
}
"""The lists whose entries refer to other places of the design, each with the function that finds wrong references."""
