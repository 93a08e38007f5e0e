"""The boxes of a design: which kinds there are, in which plane each stands, and what is said of one."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from mlsd_helpers.design.quantities import (
    Bytes,
    BytesPerSecond,
    Count,
    Fraction,
    Money,
    PerSecond,
    Positive,
    Ratio,
    Seconds,
    TokensPerSecond,
)
from mlsd_helpers.design.value import Fault, Id, Several, Text, Value, refuse

Plane = Literal["data", "training", "serving", "monitoring", "control"]

DataKind = Literal[
    "raw source", "ingestion", "event stream", "batch pipeline", "stream processor",
    "feature store", "offline store", "label store", "vector index",
]  # fmt: skip
TrainingKind = Literal[
    "training pipeline", "training compute", "experiment registry", "model registry", "evaluation"
]
ServingKind = Literal[
    "api gateway", "load balancer", "model server", "cache", "prediction store", "batch scorer",
    "candidate generator", "business rules", "orchestrator", "embedder", "re-ranker", "guardrail",
    "llm gateway", "rate limiter", "device fleet", "client",
]  # fmt: skip
MonitoringKind = Literal[
    "prediction log", "metrics", "drift detector", "quality monitor", "dashboard", "alerting"
]
ControlKind = Literal[
    "ci/cd", "retraining trigger", "validation gate", "canary", "rollback", "kill switch", "scheduler",
    "experiment platform", "secret store",
]  # fmt: skip
KindOfOnePlane = Literal[DataKind, TrainingKind, ServingKind, MonitoringKind, ControlKind]
KindOfAnyPlane = Literal["service", "external service", "people", "other"]
Kind = Literal[KindOfOnePlane, KindOfAnyPlane]

KINDS: MappingProxyType[Plane, tuple[KindOfOnePlane, ...]] = MappingProxyType({
    "data": get_args(DataKind),
    "training": get_args(TrainingKind),
    "serving": get_args(ServingKind),
    "monitoring": get_args(MonitoringKind),
    "control": get_args(ControlKind),
})  # fmt: skip
"""The kinds of component in each plane. A kind belongs to one plane by what it answers for, not by who calls
it: the model server reads the feature store, yet the feature store is data."""

ANY_PLANE: tuple[KindOfAnyPlane, ...] = get_args(KindOfAnyPlane)
"""The kinds that may stand in any plane: their ``plane`` says which, and it is serving when left out."""

PLANE_OF: MappingProxyType[Kind, Plane] = MappingProxyType(
    {kind: plane for plane, kinds in KINDS.items() for kind in kinds}
)

LatencyIs = Literal["mean", "p50", "p90", "p95", "p99", "p99.9", "bound"]


class Quota(Value):
    """What a component accepts at most; beyond it, calls are refused."""

    requests: PerSecond | None = None
    """The largest rate of requests."""
    tokens: TokensPerSecond | None = None
    """Input and output together."""
    per: Text | None = None
    """Whom it counts for: each "tenant", "user", "developer"; all callers together when left out, and for words such as
    "all", "key" or "account"."""


class Price(Value):
    """What a component costs beside the replicas that a capacity plan counts."""

    per_request: Money | None = None
    """Each call."""
    per_million_input_tokens: Money | None = None
    """Each million tokens read."""
    per_million_output_tokens: Money | None = None
    """Each million tokens written."""
    per_hour: Money | None = None
    """Each hour of each replica or person."""
    per_month: Money | None = None
    """Fixed, whatever the use."""


class Terms(Value):
    """What the contract with a provider, or the law on a recipient, says about our data."""

    role: Literal["processor", "controller", "authority"] = "processor"
    """Whether it works for us, for purposes of its own, or gets the data because a law that ``agreement`` names says
    so."""
    trains_on_our_data: bool | None = None
    """Whether the provider trains models on what we send."""
    retention: Seconds | None = None
    """How long the provider keeps what we send; 0 s when it keeps nothing."""
    agreement: Text | None = None
    """The contract that says so, such as a data processing agreement and its date."""
    exit: Text | None = None
    """How the provider is replaced, and how long that takes: who else is asked, what we keep, the period of notice."""


class TokensPerCall(Value):
    """How many tokens one call has, on average."""

    input: Count
    """Tokens read."""
    output: Count = 0
    """Tokens written."""


class Devices(Value):
    """The devices of a fleet, and the link to them."""

    number: Positive[Count]
    """How many there are."""
    online: Fraction | None = None
    """The share of the devices that can be reached at any one time."""
    offline_at_most: Seconds | None = None
    """How long a device may be out of reach and still has to come back to a working version."""
    hardware: Count | None = None
    """Hardware revisions in the field."""
    versions: Count | None = None
    """Versions of the model or software that are in use at once."""
    link: Text | None = None
    """What connects a device: "LTE", "Wi-Fi of the shop"."""
    bandwidth: BytesPerSecond | None = None
    """Of one device's link."""
    data_per_month: Bytes | None = None
    """What one device may send and receive in 30 days."""
    update_size: Bytes | None = None
    """What one device downloads for one release."""
    signed: bool | None = None
    """Whether a device checks the signature of a release before it uses it."""
    sends: BytesPerSecond | None = None
    """What one device sends on average, as it goes over the link."""
    keeps: Seconds | None = None
    """For how long a device keeps what it cannot send while it is offline."""


class Component(Value):
    """A box: something that runs or stores, or somebody who works, with an owner."""

    id: Id
    kind: Kind
    """What kind of box it is, which also says its plane."""
    does: Text | None = None
    """What it does, in words; needed for the kind ``other``."""
    stands_in: Plane | None = Field(default=None, alias="plane")
    """The plane of a kind that may stand in any: service, external service, people, other; the last has to say it."""
    title: Text | None = None
    """What it is called where its id says too little."""
    owner: Text | None = None
    managed: bool = False
    """Somebody else runs it, its replicas and zones included; an external service always is."""
    version: Text | None = None
    """The version that is used, where it is pinned."""
    replicas: Positive[Count] | None = None
    """How many copies run, or how many people there are."""
    zones: Positive[Count] | None = None
    """Over how many availability zones they are spread."""
    region: Several[Text] = ()
    """Where it runs and stores."""
    trust_zone: Text | None = None
    """Who can reach it: "public", "internal", "vendor". A flow between two zones crosses a trust boundary."""
    calls: Literal["one after another", "at once"] | None = None
    """Whether its calls for one request wait for each other or are under way together."""
    latency: Seconds | None = None
    """What it adds to one request by itself, without the calls it makes; at the percentile of the latency
    requirement, unless ``latency_is`` says otherwise."""
    latency_is: LatencyIs | None = None
    """Which number ``latency`` is: the mean, a percentile, or a bound that no call exceeds."""
    availability: Fraction | None = None
    """The share of calls that it answers."""
    accepted_risk: Text | None = None
    """Why it may be a single point of failure."""
    items: Count | None = None
    """What it holds: passages of an index, keys of a store."""
    quota: Quota | None = None
    price: Price | None = None
    terms: Terms | None = None
    checks_answers: Literal["piece by piece", "whole", "afterwards"] | None = None
    """When a guardrail checks an answer: each piece before it is shown, the whole before it is shown, or after that."""
    tokens: TokensPerCall | None = None
    """Tokens of one call, for what reads or writes tokens and has no plan for generation."""
    hours: Text | None = None
    """When people are on duty: "Mon-Fri 8-20"."""
    rate: PerSecond | None = None
    """How many cases all people on duty together take; "30 per h" is an hour on duty, "200 per day" 24 such hours."""
    cases_per_day: Count | None = None
    """In place of a rate: how many cases all people together take on a day on which they are there."""
    requests_per_case: Positive[Ratio] | None = None
    """How many requests make one case, such as the turns of a chat; 1 when left out."""
    wait: Seconds | None = None
    """How long a case waits for people, on average."""
    devices: Devices | None = None

    @property
    def plane(self) -> Plane:
        """The plane that the component stands in: by its kind, or the one that it names.

        >>> Component(id="features", kind="feature store").plane
        'data'
        >>> Component(id="labellers", kind="people", plane="training").plane
        'training'
        """
        return self.stands_in or PLANE_OF.get(self.kind, "serving")

    @property
    def run_by_others(self) -> bool:
        """Whether somebody else answers for its replicas and zones."""
        return self.managed or self.kind == "external service"

    @model_validator(mode="after")
    def _says_its_plane(self) -> Self:
        refuse(self._wrong_plane())
        return self

    def _wrong_plane(self) -> Iterator[Fault]:
        if self.kind == "other":
            if self.does is None:
                yield ("does",), "is missing. Say in words what a component of the kind 'other' does."
            if self.stands_in is None:
                yield ("plane",), f"is missing. Write one of {', '.join(KINDS)} for the kind 'other'."
        elif self.stands_in and self.stands_in != PLANE_OF.get(self.kind, self.stands_in):
            stands = PLANE_OF[self.kind]
            yield (
                ("plane",),
                (
                    f"a {self.kind} stands in {stands}, not in {self.stands_in}. Leave the key out, or choose "
                    f"a kind of any plane: {', '.join(ANY_PLANE)}."
                ),
            )
