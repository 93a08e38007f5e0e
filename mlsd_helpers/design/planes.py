"""Step 2, planes: the boxes and arrows of the whole system, each box in exactly one of five planes."""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, PrivateAttr, model_validator

from mlsd_helpers.design.components import Component, Plane
from mlsd_helpers.design.problems import Path, nearest
from mlsd_helpers.design.quantities import Count, Fraction, Positive, Seconds
from mlsd_helpers.design.release import Release, Retraining
from mlsd_helpers.design.value import (
    Fault,
    Id,
    Several,
    Text,
    TextOrNumber,
    Value,
    ids_of,
    refuse,
    repeated,
    unresolved,
)
from mlsd_helpers.errors import DesignError

Carries = Literal[
    "request", "features", "predictions", "events", "batch", "labels", "model", "metrics", "alert", "command",
    "configuration",
]  # fmt: skip
"""What flows along an arrow; `request` and `features` are on the way of somebody who waits."""


class Retry(Value):
    """How a call is repeated; the number of further attempts is ``retries``."""

    backoff: Literal["none", "fixed", "exponential", "exponential with jitter"] | None = None
    """How long a caller waits before it tries again; jitter is random, so that callers do not return together."""
    budget: Fraction | None = None
    """Retries at most, as a share of first attempts, whatever fails."""


class Contract(Value):
    """What the owner of a flow's data promises those who read it."""

    owner: Text
    """The team that answers for it."""
    version: Text | None = None
    """The version of the schema."""
    compatibility: Literal["backward", "forward", "full", "none"] | None = None
    """Which changes are allowed: backward, new readers read old data; forward, old readers read new data."""


class Flow(Value):
    """An arrow: what goes from one component to another, and what happens when it does not."""

    id: Id | None = None
    start: Id = Field(alias="from")
    """The component that calls or sends."""
    end: Id = Field(alias="to")
    """The component that is called or receives."""
    carries: Carries
    """What goes along it."""
    share: Fraction | None = None
    """The share of the start's requests that make this call; all when left out. An alternative that states one is
    called so often besides, whatever becomes of the flow before it."""
    calls: Positive[Count] = 1
    """How many calls a request of the start that makes this call makes of it, all at once: one for each shard of the
    data; the start waits for the slowest."""
    after: Several[Id] = ()
    """What comes before this call, by ids: the flows to the start that cause it, any of them when left out; and of
    calls that the start makes at once, those that must have answered."""
    timeout: Positive[Seconds] | None = None
    """How long the start waits for one attempt."""
    retries: Count = 0
    """Further attempts after the first."""
    retry: Retry | None = None
    idempotent: bool | None = None
    """Whether a call that is made twice does no harm."""
    workload: Several[Id] = ()
    """The workloads whose requests make this call or whose items it carries; all that reach its start when left out."""
    otherwise: Id | None = None
    """The flow from the same start that is tried when this one gives no answer, by its id."""
    fallback: Text | None = None
    """What the start does when no answer comes."""
    fails: Literal["open", "closed"] | None = None
    """Without an answer: open lets requests through unjudged, closed refuses them."""
    answered: bool | None = None
    """Whether a request that gets no answer here counts as answered all the same, in ``requirements.availability``; as
    the fallback says when left out, and no where the call fails closed."""
    check: Text | None = None
    """What is checked before it is let through: size, schema, ranges."""
    auth: Text | None = None
    """How the start proves who it is: "workload identity", "user's token"."""
    personal: bool | None = None
    """Whether it carries personal data."""
    without: Several[Id] = ()
    """Sets of data that do not go along it, though its start has them; ``check`` says what keeps them back."""
    contract: Contract | None = None
    priority: Positive[Count] | None = None
    """Under overload, the largest number is shed first; 1 is kept longest."""

    @property
    def per_start(self) -> float:
        """How many calls the start makes of it for each of its requests, on average.

        >>> Flow(start="a", end="b", carries="request", share="50%", calls=12).per_start
        6.0
        """
        return self.calls * (1.0 if self.share is None else self.share)

    @property
    def needed(self) -> bool:
        """Whether the start has nothing to do instead: neither a fallback nor another flow.

        >>> Flow(start="a", end="b", carries="request", fallback="Keep the order").needed
        False
        """
        return self.fallback is None and self.otherwise is None


class Alert(Value):
    """A measurement with a limit, and who does what when it is passed."""

    id: Id
    raised_by: Id
    """The monitoring component that measures."""
    watches: Literal["infrastructure", "data", "predictions", "quality"]
    """What kind of fault it finds."""
    metric: Text
    """What is measured."""
    raised_on: Literal["limit", "absence"] | None = None
    """What raises it: a limit that is passed, or something that has not come in time, such as the result of a run."""
    of: Several[Id] = ()
    """The components whose calls, answers or data it measures; those of the whole system when left out."""
    threshold: TextOrNumber | None = None
    """The limit, in words or numbers."""
    window: Seconds | None = None
    """The time over which it is measured."""
    minimum_count: Count | None = None
    """Fewer observations than this raise no alert."""
    owner: Text | None = None
    action: Text | None = None
    """What the owner does."""
    runbook: Text | None = None
    """Where it stands what to do: a file or an address."""


class Asked(NamedTuple):
    """Whose requests a sketch shows, where it is that of one workload: its id, and the entries of each workload."""

    workload: str
    entries: dict[str, tuple[str, ...]]


class Planes(Value):
    """The sketch: components, flows between them, and how the system is watched and changed."""

    components: tuple[Component, ...] = ()
    """The boxes."""
    region: Several[Text] = ()
    """Where everything runs and stores that names no region of its own and is not run by others."""
    flows: tuple[Flow, ...] = ()
    """The arrows."""
    alerts: tuple[Alert, ...] = ()
    """What is watched, and who acts."""
    retraining: Retraining | None = None
    release: Release | None = None
    _asked: Asked | None = PrivateAttr(None)

    @property
    def asked(self) -> Asked | None:
        """Whose requests alone the sketch shows; None where it shows those of everybody."""
        return self._asked

    @property
    def named_entries(self) -> tuple[str, ...]:
        """Where the requests or runs of the workload begin whose sketch this is, as far as it says; empty elsewhere."""
        return self._asked.entries[self._asked.workload] if self._asked else ()

    def of_workload(self, asked: Asked) -> Self:
        """Return the same sketch, in which calls that only the requests of other workloads make are nobody's."""
        made = self.model_copy()
        made._asked = asked  # noqa: SLF001 - of its own class
        return made

    def changed(self, **fields: Any) -> Self:
        """Return the sketch with some fields replaced, of the same workload, and checked again."""
        made = super().changed(**fields)
        return made.of_workload(self._asked) if self._asked else made

    def component(self, wanted: str) -> Component | None:
        """Return the component with this id, if there is one."""
        return next((component for component in self.components if component.id == wanted), None)

    def region_of(self, one: Component) -> tuple[str, ...]:
        """Return where a component runs and stores: its own regions, or that of all.

        >>> planes = Planes(region="eu-west-1", components=[Component(id="a", kind="cache")])
        >>> planes.region_of(planes.components[0])
        ('eu-west-1',)
        """
        elsewhere = one.kind in {"client", "external service", "people", "device fleet"}
        return one.region or (() if elsewhere else self.region)

    def flow(self, wanted: str) -> Flow | None:
        """Return the flow with this id, if there is one."""
        return next((flow for flow in self.flows if flow.id == wanted), None)

    def in_plane(self, plane: Plane) -> tuple[Component, ...]:
        """Return the components of one plane."""
        return tuple(component for component in self.components if component.plane == plane)

    def among(self, ids: Collection[str]) -> Self:
        """Return the sketch of some components alone: with the flows and alerts that name no others."""
        return self.changed(
            components=[one for one in self.components if one.id in ids],
            flows=[one for one in self.flows if {one.start, one.end} <= {*ids}],
            alerts=[one for one in self.alerts if {one.raised_by, *one.of} <= {*ids}],
        )

    def without(self, *ids: str) -> Self:
        """Return the sketch without some components, and without the flows and alerts that name them.

        Raises ``DesignError`` for a component that the sketch does not have.
        """
        there = {one.id for one in self.components}
        if unknown := sorted({*ids} - there):
            raise DesignError(f"The sketch has no component {unknown[0]!r}. {nearest(unknown[0], there)}")
        return self.among(there - {*ids})

    def with_flow(self, start: str, end: str, **fields: Any) -> Self:
        """Return the sketch with some fields of each flow from `start` to `end` replaced, such as its fallback.

        Raises ``DesignError`` when nothing flows from `start` to `end`.
        """
        if not any((one.start, one.end) == (start, end) for one in self.flows):
            raise DesignError(
                f"Nothing flows from {start!r} to {end!r}. `flows` holds what flows, each with its ends."
            )
        return self.changed(
            flows=[
                one.changed(**fields) if (one.start, one.end) == (start, end) else one for one in self.flows
            ]
        )

    def with_alert(self, **alert: Any) -> Self:
        """Return the sketch with an alert, in place of the one that has its `id`, if there is one."""
        return self.changed(alerts=[*(one for one in self.alerts if one.id != alert["id"]), alert])

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        known = {component.id for component in self.components}
        ids = chain.from_iterable(
            ids_of(name, getattr(self, name)) for name in ("components", "flows", "alerts")
        )
        release = repeated(self._ids_of_release())
        named = unresolved(self._named_components(), known, "component")
        refuse(chain(repeated(ids), release, named, self._wrong_alternatives(), self._wrong_causes()))
        return self

    def _ids_of_release(self) -> Iterator[tuple[Path, str]]:
        for name in ("gates", "stages") if self.release else ():
            for path, given in ids_of(name, getattr(self.release, name)):
                yield ("release", *path), given

    def _named_components(self) -> Iterator[tuple[Path, str]]:
        for position, flow in enumerate(self.flows):
            yield ("flows", position, "from"), flow.start
            yield ("flows", position, "to"), flow.end
        for position, alert in enumerate(self.alerts):
            yield ("alerts", position, "raised_by"), alert.raised_by
            for name in alert.of:
                yield ("alerts", position, "of"), name
        for name in self.release.of if self.release else ():
            yield ("release", "of"), name
        for position, gate in enumerate(self.release.gates if self.release else ()):
            for name in gate.of:
                yield ("release", "gates", position, "of"), name

    def _wrong_causes(self) -> Iterator[Fault]:
        """Find causes of calls that are no flow, or that neither arrive nor start where the call starts."""
        flows = {flow.id: flow for flow in self.flows if flow.id}
        for position, flow in enumerate(self.flows):
            for name in flow.after:
                path: Path = ("flows", position, "after")
                if (cause := flows.get(name)) is None:
                    yield from unresolved([(path, name)], flows, "flow")
                elif cause is flow and flow.start != flow.end:
                    yield path, f"the flow {name!r} cannot come after itself. Name another one."
                elif flow.start not in {cause.end, cause.start}:
                    ends = (
                        f"goes from {cause.start!r} to {cause.end!r}, and this one starts at {flow.start!r}"
                    )
                    yield path, f"the flow {name!r} {ends}. Name a flow to or from {flow.start!r}."

    def _wrong_alternatives(self) -> Iterator[Fault]:
        """Find alternatives that are no flow, that start elsewhere, or that lead back to where they began."""
        flows = {flow.id: flow for flow in self.flows if flow.id}
        for position, flow in enumerate(self.flows):
            path: Path = ("flows", position, "otherwise")
            if flow.otherwise is None:
                continue
            if (other := flows.get(flow.otherwise)) is None:
                yield from unresolved([(path, flow.otherwise)], flows, "flow")
            elif other.start != flow.start:
                starts = f"starts at {other.start!r}, this one at {flow.start!r}"
                yield path, f"the flow {other.id!r} {starts}. Name a flow from {flow.start!r}."
            elif _comes_back(flow, flows):
                yield path, f"{other.id!r} leads back to this flow. Let the last alternative have a fallback."


def _comes_back(flow: Flow, flows: dict[str, Flow]) -> bool:
    """Tell whether a flow is among its own alternatives."""
    seen = set[str]()
    following = flow.otherwise
    while following in flows and following not in seen:
        seen.add(following)
        following = flows[following].otherwise
    return flow.id in seen
