"""Step 2, planes: the boxes and arrows of the whole system, each box in exactly one of five planes."""

from collections.abc import Iterator
from itertools import chain
from types import MappingProxyType
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from mlsd_helpers.design.problems import Path
from mlsd_helpers.design.quantities import Count, Fraction, Positive, Seconds
from mlsd_helpers.design.value import Id, Several, Text, Value, ids_of, refuse, repeated, unresolved

Plane = Literal["data", "training", "serving", "monitoring", "control"]

DataKind = Literal[
    "raw source", "ingestion", "event stream", "batch pipeline", "stream processor",
    "feature store", "offline store", "label store",
]  # fmt: skip
TrainingKind = Literal[
    "training pipeline", "training compute", "experiment registry", "model registry", "evaluation"
]
ServingKind = Literal[
    "api gateway", "load balancer", "model server", "cache", "prediction store", "batch scorer",
    "candidate generator", "business rules",
]  # fmt: skip
MonitoringKind = Literal[
    "prediction log", "metrics", "drift detector", "quality monitor", "dashboard", "alerting"
]
ControlKind = Literal[
    "ci/cd", "retraining trigger", "validation gate", "canary", "rollback", "kill switch", "scheduler"
]
Kind = Literal[DataKind, TrainingKind, ServingKind, MonitoringKind, ControlKind]

KINDS: MappingProxyType[Plane, tuple[Kind, ...]] = MappingProxyType({
    "data": get_args(DataKind),
    "training": get_args(TrainingKind),
    "serving": get_args(ServingKind),
    "monitoring": get_args(MonitoringKind),
    "control": get_args(ControlKind),
})  # fmt: skip
"""The kinds of component in each plane. A kind belongs to one plane by what it answers for, not by who calls
it: the model server reads the feature store, yet the feature store is data."""

PLANE_OF: MappingProxyType[Kind, Plane] = MappingProxyType(
    {kind: plane for plane, kinds in KINDS.items() for kind in kinds}
)

Carries = Literal[
    "request", "features", "predictions", "events", "batch", "labels", "model", "metrics", "alert", "command",
    "configuration",
]  # fmt: skip
"""What flows along an arrow; `request` and `features` are on the way of somebody who waits."""


class Component(Value):
    """A box: something that runs or stores, with an owner."""

    id: Id
    kind: Kind
    title: Text | None = None
    owner: Text | None = None
    replicas: Positive[Count] | None = None
    zones: Positive[Count] | None = None
    latency: Seconds | None = None
    """What it adds to one request, at the percentile of the latency requirement."""
    availability: Fraction | None = None
    accepted_risk: Text | None = None
    """Why it may be a single point of failure."""

    @property
    def plane(self) -> Plane:
        """The plane that this kind of component belongs to.

        >>> Component(id="features", kind="feature store").plane
        'data'
        """
        return PLANE_OF[self.kind]


class Flow(Value):
    """An arrow: what goes from one component to another, and what happens when it does not."""

    start: Id = Field(alias="from")
    end: Id = Field(alias="to")
    carries: Carries
    timeout: Positive[Seconds] | None = None
    retries: Count = 0
    """Further attempts after the first."""
    fallback: Text | None = None
    """What the start does when no answer comes."""
    check: Text | None = None
    """What is checked before it is let through: size, schema, ranges."""


class Alert(Value):
    """A measurement with a limit, and who does what when it is passed."""

    id: Id
    raised_by: Id
    """The monitoring component that measures."""
    watches: Literal["infrastructure", "data", "predictions", "quality"]
    metric: Text
    threshold: Text | None = None
    window: Seconds | None = None
    minimum_count: Count | None = None
    """Fewer observations than this raise no alert."""
    owner: Text | None = None
    action: Text | None = None


class Retraining(Value):
    """When a new model is trained, and how often at most."""

    triggers: Several[Literal["schedule", "volume", "drift", "quality", "manual"]] = ()
    period: Seconds | None = None
    """From one scheduled training to the next."""
    cooldown: Seconds | None = None
    """The least time between two trainings."""
    decided_after: Seconds | None = None
    """From a prediction to the decision that uses its label."""


class Release(Value):
    """How a new model reaches the users, and how it is taken back."""

    validation: Text | None = None
    """What a model must pass before anybody sees it."""
    shadow: Seconds | None = None
    """How long it answers beside the old one, unseen."""
    canary_share: Fraction | None = None
    canary_time: Seconds | None = None
    rollback_to: Text | None = None
    rollback_time: Seconds | None = None
    """From the decision to the old behaviour everywhere."""
    versioned_together: Several[Literal["model", "feature schema", "configuration", "code"]] = ()
    """What goes back together in a rollback."""
    kill_switch: Text | None = None


class Planes(Value):
    """The sketch: components, flows between them, and how the system is watched and changed."""

    components: tuple[Component, ...] = ()
    flows: tuple[Flow, ...] = ()
    alerts: tuple[Alert, ...] = ()
    retraining: Retraining | None = None
    release: Release | None = None

    def component(self, wanted: str) -> Component | None:
        """Return the component with this id, if there is one."""
        return next((component for component in self.components if component.id == wanted), None)

    def in_plane(self, plane: Plane) -> tuple[Component, ...]:
        """Return the components of one plane."""
        return tuple(component for component in self.components if component.plane == plane)

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        known = {component.id for component in self.components}
        ids = chain(ids_of("components", self.components), ids_of("alerts", self.alerts))
        refuse(chain(repeated(ids), unresolved(self._named_components(), known, "component")))
        return self

    def _named_components(self) -> Iterator[tuple[Path, str]]:
        for position, flow in enumerate(self.flows):
            yield ("flows", position, "from"), flow.start
            yield ("flows", position, "to"), flow.end
        for position, alert in enumerate(self.alerts):
            yield ("alerts", position, "raised_by"), alert.raised_by
