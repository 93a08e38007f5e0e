"""Step 3, data flow: every feature from its raw source to its slot in the model's input, with its age.

A *stage* is something that data passes on its way: a stream, a job, a load, a cache. Stages are described
once and named by the features that pass them, in order; ``parallel`` branches come together again.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from mlsd_helpers.design.problems import CHOICE, Path, nearest, shown
from mlsd_helpers.design.quantities import Count, Positive, Seconds
from mlsd_helpers.design.value import (
    Fault,
    Id,
    Several,
    Text,
    Value,
    ids_of,
    printable,
    refuse,
    repeated,
    unresolved,
)
from mlsd_helpers.errors import DesignError

Join = Literal["availability time", "event time", "latest value"]
LARGEST_DEFAULT = 1e15
NO_STAGE = "names no stage. List those it passes, or write 'source: request' if the request brings it."
REQUEST = "request"  # the source of a feature that arrives with the request itself


class Stage(Value):
    """What data passes on its way, and how much age it adds."""

    id: Id
    period: Positive[Seconds] | None = None
    """How often it runs; left out when each arrival starts it."""
    synchronised: bool = False
    """It runs on the clock of the stage before it, so that its period adds no wait."""
    delays: Several[Seconds] = ()
    """What it takes from its start until its result is out, step by step."""
    ttl: Seconds | None = None
    """How long a copy of its result is served before it is fetched again."""
    store: Literal["online", "offline"] | None = None
    """Where its result can be read; serving reads online stores only."""
    component: Id | None = None
    """The component of the planes that does it."""


class Parallel(Value):
    """Branches that run beside each other and come together; the oldest decides."""

    parallel: tuple[Several[Id], ...] = Field(min_length=1)
    """The branches, each a stage or a list of stages."""


StepOnTheWay = Annotated[
    Annotated[Id, Tag(f"{CHOICE}stage")] | Annotated[Parallel, Tag(f"{CHOICE}branches")],
    Discriminator(lambda given: f"{CHOICE}stage" if isinstance(given, str) else f"{CHOICE}branches"),
]


def _scalar(given: object) -> object:
    if isinstance(given, str):
        return printable(given.strip())
    if not isinstance(given, int | float) or not abs(given) <= LARGEST_DEFAULT:
        raise ValueError(f"{shown(given)} is not a default. Write a number, a text, true or false.")
    return given


Scalar = Annotated[
    str | int | float,
    PlainValidator(_scalar),
    PlainSerializer(lambda default: default),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


class Feature(Value):
    """One input of the model: where it comes from, how old it may be, what replaces it when it is missing."""

    id: Id
    source: Id
    """The raw source; ``request`` when it arrives with the request."""
    path: Several[StepOnTheWay] = ()
    """The stages that it passes, in order."""
    sla: Seconds | None = None
    """The oldest it may be when it is used; the freshness requirement when left out."""
    workload: Several[Id] = ()
    """The workloads whose model reads it; all when left out."""
    slot: Count | None = None
    """Its first position in the model's input, from 0."""
    width: Positive[Count] = 1
    """Positions that it fills."""
    default: Scalar | None = None
    """What the model gets when it cannot be read."""
    join: Join | None = None
    """How its training rows are joined."""
    parity_test: Text | None = None
    """The test that training and serving agree on it."""
    personal: bool | None = None
    """Whether it says something about a person."""
    protected: bool | None = None
    """Whether law forbids to decide by it, or by what stands for it: sex, origin, religion."""
    allowed_by: Text | None = None
    """What allows the model to use it all the same: the paragraph, or the medical reason."""

    def stage_ids(self) -> tuple[str, ...]:
        """Return every stage that the feature passes, branches included."""
        steps = (((step,),) if isinstance(step, str) else step.parallel for step in self.path)
        return tuple(name for branches in steps for branch in branches for name in branch)


class Lookup(Value):
    """How the features of one request are read."""

    calls: Count
    """Calls that one request makes."""
    time_per_call: Seconds
    """At the percentile of the latency requirement."""
    at_once: bool = False
    """All calls are under way together."""
    keys: Positive[Count] | None = None
    """Keys that one request reads, over all calls."""

    @property
    def time_s(self) -> float:
        """How long a request waits for its features, in seconds.

        >>> Lookup(calls=23, time_per_call="2 ms").time_s
        0.046
        """
        return self.time_per_call * (1 if self.at_once else self.calls)


def _replaced(
    entries: tuple[Stage, ...] | tuple[Feature, ...], what: str, wanted: str, fields: dict[str, Any]
) -> list[Stage | Feature]:
    """Return the entries, with some fields of the one that is `wanted` replaced."""
    ids = [entry.id for entry in entries]
    if wanted not in ids:
        raise DesignError(f"The data flow has no {what} {wanted!r}. {nearest(wanted, ids)}")
    return [entry.changed(**fields) if entry.id == wanted else entry for entry in entries]


class DataFlow(Value):
    """All features, the stages that they pass, and what holds for all of them."""

    stages: tuple[Stage, ...] = ()
    """What data passes on its way."""
    features: tuple[Feature, ...] = ()
    """The inputs of the model."""
    join: Join | None = None
    """How training rows are joined, unless a feature says otherwise."""
    transformation: Literal["shared", "separate"] | None = None
    """Whether training and serving run the same code."""
    parity_test: Text | None = None
    """The test that training and serving agree, unless a feature names its own."""
    lookup: Lookup | None = None
    input_width: Count | None = None
    """Positions in the model's input."""

    def stage(self, wanted: str) -> Stage | None:
        """Return the stage with this id, if there is one."""
        return next((stage for stage in self.stages if stage.id == wanted), None)

    def with_stage(self, wanted: str, **fields: Any) -> Self:
        """Return the data flow with some fields of a stage replaced. Raises ``DesignError`` when it is not there."""
        return self.changed(stages=_replaced(self.stages, "stage", wanted, fields))

    def with_feature(self, wanted: str, **fields: Any) -> Self:
        """Return the data flow with some fields of a feature replaced. Raises ``DesignError`` when it is not there."""
        return self.changed(features=_replaced(self.features, "feature", wanted, fields))

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        ids = repeated(ids_of("stages", self.stages)), repeated(ids_of("features", self.features))
        known = {stage.id for stage in self.stages}
        refuse(chain(*ids, unresolved(self._named_stages(), known, "stage"), self._wrong_paths()))
        return self

    def _named_stages(self) -> Iterator[tuple[Path, str]]:
        for position, feature in enumerate(self.features):
            for name in feature.stage_ids():
                yield ("features", position, "path"), name

    def _wrong_paths(self) -> Iterator[Fault]:
        for position, feature in enumerate(self.features):
            names = feature.stage_ids()
            if not names and feature.source != REQUEST:
                yield ("features", position, "path"), NO_STAGE
            for name in (name for name, times in Counter(names).items() if times > 1):
                yield ("features", position, "path"), f"passes {name!r} twice. Name each stage once."
