"""The whole design: five parts, each of them optional while it is being made, to and from a YAML file."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import model_validator

from mlsd_helpers.design.capacity import CapacityPlan
from mlsd_helpers.design.dataflow import DataFlow
from mlsd_helpers.design.loading import load
from mlsd_helpers.design.pattern import Pattern
from mlsd_helpers.design.planes import Planes
from mlsd_helpers.design.quantities import Count
from mlsd_helpers.design.requirements import Requirements
from mlsd_helpers.design.value import Fault, Id, Text, Value, ids_of, refuse, repeated, unresolved
from mlsd_helpers.errors import DesignError

if TYPE_CHECKING:
    from mlsd_helpers.design.problems import Path
    from mlsd_helpers.design.reading import Lines


class Source(Value):
    """Something published, or written by the product's people, that figures come from."""

    id: Id
    title: Text
    where: Text | None = None
    """Publisher, place, number: enough to find it again."""
    year: Count | None = None


class Evidence(Value):
    """Where one figure of the design comes from: a source, or an assumption of ours."""

    figure: Text
    """The path of the figure, such as ``requirements.throughput.peak``; list entries go by their id."""
    source: Id | None = None
    assumption: Id | None = None
    note: Text | None = None
    """What the source says, or how the figure follows."""


class Design(Value):
    """A system for machine learning, from requirement to capacity."""

    name: Text
    summary: Text | None = None
    requirements: Requirements | None = None
    planes: Planes | None = None
    dataflow: DataFlow | None = None
    pattern: Pattern | None = None
    capacity: CapacityPlan | None = None
    sources: tuple[Source, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @classmethod
    def parse(cls, text: str, subject: str = "the design") -> "Design":
        """Read a design from YAML text; ``subject`` is what an error calls it."""
        from mlsd_helpers.design.reading import parse  # noqa: PLC0415 - loads PyYAML

        return parse(cls, text, subject)[0]

    def with_part(self, **parts: Any) -> Self:
        """Return the design with some of its parts replaced; ``None`` takes a part away.

        Evidence for figures that are no longer there goes with them.

        >>> Design(name="my design").with_part(capacity={"replicas": 45}).capacity.replicas
        45
        """
        bare = self.changed(**{"evidence": ()} | parts)
        if "evidence" in parts or not self.evidence:
            return bare
        kept = tuple(note for note in self.evidence if not any(bare.unsupported((note,))))
        return bare.changed(evidence=kept)

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
        """Write the design to a YAML file, all or nothing, and return where it lies.

        A file that already holds this design is left as it is, comments and all. One that holds anything else
        is a ``DesignError``, unless ``replace`` is true: then it is kept beside the new one, as
        ``design.before.yaml`` for ``design.yaml``, numbered where that is taken.
        """
        from mlsd_helpers.design.writing import save  # noqa: PLC0415 - loads PyYAML

        return save(self, FilePath(path), replace=replace)

    def to_yaml(self) -> str:
        """Write the design as YAML text; ``Design.parse`` gives the same design again."""
        from mlsd_helpers.design.writing import to_yaml  # noqa: PLC0415 - loads PyYAML

        return to_yaml(self)

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        refuse(chain(repeated(ids_of("sources", self.sources)), self.unsupported(self.evidence)))
        return self

    def unsupported(self, evidence: Iterable[Evidence]) -> Iterator[Fault]:
        """Find evidence that names a figure, a source or an assumption which the design does not have."""
        sources = {source.id for source in self.sources}
        assumptions = {belief.id for belief in self.requirements.assumptions} if self.requirements else set()
        for position, note in enumerate(evidence):
            place: Path = ("evidence", position)
            if not _has(self, note.figure):
                yield (
                    (*place, "figure"),
                    f"{note.figure!r} is not in the design. Name a figure that it holds.",
                )
            if note.source:
                yield from unresolved([((*place, "source"), note.source)], sources, "source")
            if note.assumption:
                yield from unresolved([((*place, "assumption"), note.assumption)], assumptions, "assumption")


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
        if step.isdecimal():
            return dict(enumerate(value)).get(int(step[:9]))
        return next((entry for entry in value if getattr(entry, "id", None) == step), None)
    fields = type(value).model_fields if isinstance(value, Value) else {}
    return next((getattr(value, name) for name, field in fields.items() if step in {name, field.alias}), None)


def _has(design: Design, path: str) -> bool:
    try:
        design.at(path)
    except DesignError:
        return False
    return True
