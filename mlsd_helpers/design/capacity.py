"""Step 5, capacity: how many replicas, where, at what cost, and which failure the spare ones pay for."""

from itertools import chain
from typing import Any, Literal, Self

from pydantic import (
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from mlsd_helpers.design.quantities import (
    TIME,
    Bytes,
    BytesPerSecond,
    Count,
    Extra,
    FlopPerSecond,
    Fraction,
    Money,
    PerSecond,
    Positive,
    Ratio,
    Seconds,
)
from mlsd_helpers.design.value import Id, Several, Text, Value, ids_of, refuse, repeated, step_to

Distribution = Literal["constant", "exponential", "lognormal", "measured"]
Failure = Literal["rolling restart", "zone loss", "surge", "cold cache"]
Routing = Literal["central queue", "random", "round robin", "power of two", "join the shortest queue"]
Precision = Literal["fp32", "bf16", "fp16", "fp8", "int8", "int4"]

BYTES_PER_VALUE = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5}
_KNOWN_SCV = {"constant": 0.0, "exponential": 1.0}


class ServiceTime(Value):
    """How long one replica works on one request; ``service_time: 40 ms`` when only the mean is known."""

    mean: Positive[Seconds]
    """On average."""
    distribution: Distribution | None = None
    """How it varies."""
    scv: Ratio | None = None
    """Squared coefficient of variation, variance over squared mean; for lognormal."""
    file: Text | None = None
    """Measured times, one a line, in seconds; beside the design."""
    includes_calls: bool | None = None
    """Whether it includes the waits for what the component calls, so that a request holds its place meanwhile. When
    left out: yes, if the component makes calls and its own part of the latency split, or its latency, is shorter."""

    @property
    def known_scv(self) -> float | None:
        """The squared coefficient of variation, where it is given or follows from the distribution."""
        return self.scv if self.scv is not None else _KNOWN_SCV.get(self.distribution or "")

    @model_validator(mode="before")
    @classmethod
    def _mean_alone(cls, given: Any) -> Any:
        return {"mean": given} if isinstance(given, str | int | float) else given

    @model_serializer(mode="wrap")
    def _mean_alone_again(self, write: SerializerFunctionWrapHandler) -> Any:
        fields = write(self)
        return fields["mean"] if isinstance(fields, dict) and fields.keys() == {"mean"} else fields

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Let editors accept the mean alone."""
        return {"anyOf": [TIME.json_schema(), handler(schema)]}


class Headroom(Value):
    """What is added above the need at the peak, and the failure that it pays for."""

    share: Extra
    """Added on top: 30% is 1.3 times the need."""
    pays_for: Several[Failure] = ()
    """The failures that the added replicas make up for."""
    max_surge: Extra | None = None
    """The largest share of replicas that a rolling restart starts before it stops others, as ``maxSurge`` in
    Kubernetes; not to be confused with ``surge``, a rise of traffic."""
    unavailable_in_restart: Fraction | None = None
    """The largest share of replicas that a rolling restart takes away at once; 25% is assumed when left out."""
    surge: Extra | None = None
    """How far traffic may rise above the peak: 30% is 1.3 times the peak, and is assumed when left out."""
    note: Text | None = None
    """Why this share."""


class Autoscaler(Value):
    """What adds replicas: on which signal, and how late."""

    metric: Text
    """The signal that it follows."""
    delay: Seconds
    """From the rise in load to the new replica's first answer."""
    target: Fraction | None = None
    """The value of the signal that it keeps."""
    minimum: Count | None = None
    """The fewest replicas."""
    maximum: Count | None = None
    """The most replicas."""
    fastest_rise: PerSecond | None = None
    """How many requests a second are added within one delay, at the worst."""


class Batching(Value):
    """Requests that one replica answers together; a batch of n takes ``fixed_time + n × time_per_item``."""

    largest: Positive[Count]
    """The most requests in one batch."""
    longest_wait: Seconds
    """How long a request waits for others at most."""
    fixed_time: Seconds
    """Of each batch, whatever its size."""
    time_per_item: Seconds
    """Added by each request in the batch."""


class ModelShape(Value):
    """The size of a generative model, as its configuration gives it."""

    name: Text
    """The model."""
    parameters: Positive[Count]
    """All of them."""
    active_parameters: Positive[Count] | None = None
    """Parameters that one token uses, in a mixture of experts; all when left out."""
    layers: Positive[Count] | None = None
    """Of the transformer."""
    kv_heads: Positive[Count] | None = None
    """Key-value heads; fewer than attention heads with grouped-query attention."""
    head_dim: Positive[Count] | None = None
    """The dimension of one attention head."""
    kv_bytes_per_token: Positive[Bytes] | None = None
    """Bytes of keys and values of one token, at the precision used; in place of layers, heads and dimension, where
    these do not give it: latent attention (MLA), sliding windows."""

    @model_validator(mode="after")
    def _keys_and_values_have_a_size(self) -> Self:
        if self.kv_bytes_per_token is None:
            missing = [name for name in ("layers", "kv_heads", "head_dim") if getattr(self, name) is None]
            refuse(
                ((name,), "is missing. Write it, or 'kv_bytes_per_token' in its place.") for name in missing
            )
        if self.active_parameters and self.active_parameters > self.parameters:
            problem = (
                f"{self.active_parameters:,} is more than all {self.parameters:,} parameters. Write fewer."
            )
            refuse([(("active_parameters",), problem)])
        return self


class Accelerator(Value):
    """One accelerator, by its dense figures."""

    name: Text
    """The model of the device."""
    memory: Positive[Bytes]
    """Of one device."""
    bandwidth: BytesPerSecond | None = None
    """Of its memory."""
    compute: FlopPerSecond | None = None
    """Dense, at the precision used; data sheets like to print twice that."""


class Generation(Value):
    """What sizing for generation needs: model, precision, accelerator, tokens."""

    model: ModelShape
    precision: Precision
    """Of the weights."""
    kv_precision: Precision | None = None
    """Of the KV cache; the same as the weights when left out."""
    accelerator: Accelerator
    accelerators_per_replica: Positive[Count] = 1
    """How many hold one copy of the model."""
    usable_memory: Fraction = 0.9
    """The share of the memory left for weights and KV cache."""
    prompt_tokens: Count
    """Mean tokens read in one request."""
    output_tokens: Count
    """Mean tokens written in one request."""
    context_tokens: Count | None = None
    """The longest sequence that must fit."""
    concurrent_sequences: Count | None = None
    """Sequences that one replica works on at once; as many as ``concurrency_per_replica`` when left out."""
    prefix_cache: Fraction | None = None
    """The share of prompt tokens whose keys and values are still there from earlier requests."""
    tokens_per_pass: Positive[Ratio] | None = None
    """Mean tokens that one pass of the model writes with speculative decoding; 1 when left out."""


class FleetPlan(Value):
    """The plan for one fleet: its work, its replicas, its zones, its cost."""

    id: Id | None = None
    component: Id | None = None
    """The component of the planes that is sized here."""
    load: PerSecond | None = None
    """What reaches the replicas at the peak; the requirement's peak when left out."""
    because: Text | None = None
    """Why the load is what it is."""
    service_time: ServiceTime | None = None
    target_utilisation: Positive[Fraction] | None = None
    """How busy the replicas are at the peak, before headroom."""
    headroom: Headroom | None = None
    replicas: Count | None = None
    """How many run."""
    zones: Positive[Count] | None = None
    """Over how many availability zones they are spread."""
    replicas_per_zone: Count | None = None
    """In each zone; the replicas stand as evenly as they can when left out."""
    concurrency_per_replica: Positive[Count] = 1
    """Requests that one replica works on at the same time."""
    queue_limit: Count | None = None
    """Waiting requests per replica before load is shed; without a limit when left out."""
    sheds: Literal["newest", "oldest", "lowest priority"] | None = None
    """Which request is refused when the queue is full."""
    release_replicas: Count | None = None
    """Further replicas for a release: shadow, canary, the old version kept warm."""
    routing: Routing | None = None
    """How a request finds its replica."""
    autoscaler: Autoscaler | None = None
    batching: Batching | None = None
    cost_per_replica_hour: Money | None = None
    """What one replica costs an hour."""
    budget_per_month: Money | None = None
    """Over 30 days. Of a plan in ``fleets``, for that fleet; of ``capacity``, for everything that has a price: fleets,
    ``costs``, and the prices of components."""
    generation: Generation | None = None


class Cost(Value):
    """What is paid beside fleets and prices of components: storage, traffic, logs."""

    id: Id
    text: Text | None = None
    """What it is for."""
    component: Id | None = None
    """The component that it belongs to."""
    per_month: Money
    """Over 30 days."""


class CapacityPlan(FleetPlan):
    """The plan for the fleet that answers, or for several: each in ``fleets``."""

    fleets: tuple[FleetPlan, ...] = ()
    """The plans of further fleets, or of all."""
    costs: tuple[Cost, ...] = ()
    """What is paid beside fleets."""

    def plans(self) -> dict[str, FleetPlan]:
        """Return every fleet's plan by its place, this one first unless it only holds others.

        >>> plan = CapacityPlan(budget_per_month="$9,000", fleets=[{"id": "rank", "replicas": 3}, {"replicas": 2}])
        >>> list(plan.plans()), list(CapacityPlan(replicas=3).plans())
        (['capacity.fleets.rank', 'capacity.fleets.1'], ['capacity'])
        """
        holds_others_only = self.fleets and all(
            getattr(self, name) == field.get_default()
            for name, field in FleetPlan.model_fields.items()
            if name != "budget_per_month"
        )
        first: dict[str, FleetPlan] = {} if holds_others_only else {"capacity": self}
        places = (f"capacity.fleets.{step_to(i, fleet)}" for i, fleet in enumerate(self.fleets))
        return first | dict(zip(places, self.fleets, strict=True))

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse(repeated(chain(ids_of("fleets", self.fleets), ids_of("costs", self.costs))))
        return self
