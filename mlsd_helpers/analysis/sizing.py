"""The size of a fleet that a design implies: each number once, for every reader.

A number that the design gives is taken as it stands, 0 too. One that it leaves open is None, or a `Decision` with
the assumption that stands in for it. Whoever uses such a decision shows its assumption.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from mlsd_helpers import formulas
from mlsd_helpers.analysis.once import once
from mlsd_helpers.analysis.paths import each_workload, peak_rps, together
from mlsd_helpers.analysis.surroundings import brought_rps, calls_of, reaches, required_rps
from mlsd_helpers.design import BYTES_PER_VALUE, Design, FleetPlan, Generation
from mlsd_helpers.errors import RangeError

T = TypeVar("T")

PEAK = "requirements.throughput.peak"
HOURS_A_MONTH = 30 * 24.0
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
_ROUNDED = 0.01  # how far a load may lie below what is required and still be the same figure
USUAL_SURGE = 0.3
USUAL_RESTART_SHARE = 0.25
FLOPS_UTILISATION = 0.5
"""The share of an accelerator's dense compute that reading a prompt reaches."""


def or_none(formula: Callable[..., T], *given: float) -> T | None:
    """Apply a formula; None outside its range."""
    try:
        return formula(*given)
    except RangeError:
        return None


def largest_zone(replicas: int, zones: int) -> int:
    """Return the replicas of the largest zone, where they stand as evenly as whole replicas allow.

    >>> largest_zone(44, zones=3)
    15
    """
    return math.ceil(replicas / zones)


def down_in_restart(replicas: int, share: float) -> int:
    """Return the replicas that a rolling restart takes away at once: the share, rounded down.

    None of them is away where the share is less than one: each new replica starts before an old one stops.

    >>> down_in_restart(38, 0.25), down_in_restart(3, 0.25)
    (9, 0)
    """
    return math.floor(replicas * share + 1e-9)


def fleet_names(design: Design) -> dict[str, str]:
    """Return what to call each fleet, by its place: its component, with its id or place where several are of it.

    >>> from mlsd_helpers.design import CapacityPlan
    >>> plans = [{"id": "eu", "component": "model"}, {"component": "model"}, {"component": "index"}]
    >>> list(fleet_names(Design(name="d", capacity=CapacityPlan(fleets=plans))).values())
    ['model (eu)', 'model (capacity.fleets.1)', 'index']
    """
    fleets = design.fleets
    of_it = Counter(plan.component for plan in fleets.values() if plan.component)
    return {
        path: (f"{plan.component} ({plan.id or path})" if of_it[plan.component] > 1 else plan.component)
        if plan.component
        else plan.id or path
        for path, plan in fleets.items()
    }


@dataclass(frozen=True)
class Decision:
    """A number that the design decides, or that every reader assumes alike while it does not."""

    path: str
    value: float
    assumption: str = ""
    """What stands in for it and why, as a sentence; empty where the design decides."""


def _decision(path: str, given: float | None, assumed: float, why: str) -> Decision:
    if given is not None:
        return Decision(path, given)
    return Decision(path, assumed, f"{path} is not decided: {why}.")


@dataclass(frozen=True)
class Memory:
    """What one replica that generates holds and reads: bytes, bytes and operations a second."""

    whole_bytes: float
    weights_bytes: float
    bytes_per_token: float
    usable: float
    bandwidth: float | None
    compute: float | None
    read_bytes: float
    """The weights that one token reads: all, or those of the active experts of a mixture."""
    used_parameters: float
    """The parameters that one token is computed with."""

    @property
    def tokens(self) -> int | None:
        """The tokens whose keys and values fit beside the weights; None where the weights do not fit."""
        held = (self.whole_bytes, self.weights_bytes, self.bytes_per_token, self.usable)
        return or_none(formulas.kv_cache_tokens, *held)

    def sequences(self, tokens: int) -> int | None:
        """Return how many sequences of so many tokens fit at once; None where the weights do not fit."""
        held = (self.whole_bytes, self.weights_bytes, self.bytes_per_token, tokens, self.usable)
        return or_none(formulas.concurrent_sequences, *held)


@dataclass(frozen=True)
class Sizing:
    """What the plan of a fleet comes to."""

    plan: FleetPlan
    load_rps: float | None
    """What reaches the replicas at the peak: what the plan says, or what the requirements bring where that is more."""
    load_path: str
    """Where the design gives it, or would."""
    path: str = "capacity"
    """Where the plan stands in the design."""

    @property
    def underestimated(self) -> bool:
        """Whether the requirements bring the fleet more than its plan says."""
        return self.plan.load is not None and self.load_rps is not None and self.load_rps > self.plan.load

    @property
    def seat_s(self) -> float | None:
        """How long a request takes a replica, which works on several at once: service time ÷ concurrency.

        In batches, that of the largest ÷ its requests: at the peak batches are full, whatever one request takes alone.
        """
        service, batch = self.plan.service_time, self.plan.batching
        if batch is not None:
            full_s = or_none(formulas.batch_time_s, batch.largest, batch.fixed_time, batch.time_per_item)
            return None if full_s is None else full_s / batch.largest / self.plan.concurrency_per_replica
        return None if service is None else service.mean / self.plan.concurrency_per_replica

    @property
    def base(self) -> int | None:
        """The replicas that the peak needs while nothing fails."""
        return self.need()

    def need(self, load_rps: float | None = None, headroom: float = 0.0) -> int | None:
        """Return the replicas that a load needs at the target, by default that of the peak."""
        load_rps = self.load_rps if load_rps is None else load_rps
        target = self.plan.target_utilisation
        if load_rps is None or self.seat_s is None or target is None:
            return None
        return or_none(formulas.replicas, load_rps, self.seat_s, target, headroom)

    @property
    def headroom(self) -> Decision:
        """The share that is added to the need."""
        given = self.plan.headroom.share if self.plan.headroom else None
        return _decision(f"{self.path}.headroom.share", given, 0.0, "nothing is added to the need")

    @property
    def surge(self) -> Decision:
        """How far traffic may rise above the peak, as a share of it."""
        given = self.plan.headroom.surge if self.plan.headroom else None
        why = f"{USUAL_SURGE:.0%} above the peak is assumed"
        return _decision(f"{self.path}.headroom.surge", given, USUAL_SURGE, why)

    @property
    def restart_share(self) -> Decision:
        """The largest share of the replicas that a rolling restart takes away at once."""
        headroom = self.plan.headroom
        given = headroom.unavailable_in_restart if headroom else None
        if headroom and headroom.max_surge and given is None:
            return Decision(f"{self.path}.headroom.max_surge", 0.0)  # new replicas start before old ones stop
        why = f"{USUAL_RESTART_SHARE:.0%} is assumed, as Kubernetes does"
        return _decision(f"{self.path}.headroom.unavailable_in_restart", given, USUAL_RESTART_SHARE, why)

    @property
    def down_in_restart(self) -> int:
        """The replicas that a rolling restart takes away at once."""
        return down_in_restart(self.plan.replicas or 0, self.restart_share.value)

    @property
    def largest_zone(self) -> int:
        """The replicas of the largest zone: at least an even share, and what the plan says of each zone."""
        replicas, said = self.plan.replicas or 0, self.plan.replicas_per_zone or 0
        return min(max(largest_zone(replicas, self.plan.zones or 1), said), replicas)

    @property
    def left_by_zone(self) -> int | None:
        """The replicas that the loss of the largest zone leaves; None without a second zone."""
        if self.plan.replicas is None or (self.plan.zones or 1) < 2:
            return None
        return self.plan.replicas - self.largest_zone

    @property
    def sequences(self) -> Decision:
        """The sequences that a replica which generates works on at once."""
        given = self.plan.generation.concurrent_sequences if self.plan.generation else None
        at_once = self.plan.concurrency_per_replica
        why = f"{at_once} at once is assumed, from {self.path}.concurrency_per_replica"
        return _decision(f"{self.path}.generation.concurrent_sequences", given, at_once, why)

    @cached_property
    def memory(self) -> Memory | None:
        """What a replica that generates holds; None where nothing is generated."""
        return _memory(self.plan.generation) if self.plan.generation else None


@once
def sizings(design: Design) -> dict[str, Sizing]:
    """Return what the plan of each fleet comes to, by its place in the design.

    A plan without a load gets the peak, and a further fleet what the calls of the sketch bring it of the peak.
    """
    return {path: _sized(design, path, plan) for path, plan in design.fleets.items()}


def _sized(design: Design, path: str, plan: FleetPlan) -> Sizing:
    if plan.load is not None:
        required = required_rps(design, plan) or 0.0
        load = plan.load if required <= plan.load * (1 + _ROUNDED) else required
        return Sizing(plan, load, f"{path}.load", path)
    calls = None if path == "capacity" else together(design, lambda one: calls_of(one, plan))
    peak = together(design, lambda one: peak_rps(one) if reaches(one, plan) else None)
    if peak is None or calls is None:
        most = None if peak is None else max(peak, required_rps(design, plan) or 0.0)
        where = "requirements.workloads" if each_workload(design)[0].workload else PEAK
        return Sizing(plan, most, where, path)
    return Sizing(plan, together(design, lambda one: brought_rps(one, plan)), f"{path}.load", path)


def sizing_of(design: Design) -> Sizing | None:
    """Return what the plan of a design's first fleet comes to; None without a plan.

    >>> from mlsd_helpers import cases
    >>> sizing = sizing_of(cases.load("harbour_pay"))
    >>> sizing.base, sizing.largest_zone, sizing.down_in_restart
    (29, 15, 11)
    """
    return next(iter(sizings(design).values()), None)


def _memory(given: Generation) -> Memory:
    model, one, number = given.model, given.accelerator, given.accelerators_per_replica
    size = BYTES_PER_VALUE[given.kv_precision or given.precision]
    shape = (model.layers or 0, model.kv_heads or 0, model.head_dim or 0)
    used = model.active_parameters or model.parameters
    per_token = model.kv_bytes_per_token or formulas.kv_cache_bytes_per_token(*shape, size)
    return Memory(
        whole_bytes=one.memory * number,
        weights_bytes=formulas.model_weights_bytes(model.parameters, BYTES_PER_VALUE[given.precision]),
        bytes_per_token=per_token,
        usable=given.usable_memory,
        bandwidth=None if one.bandwidth is None else one.bandwidth * number,
        compute=None if one.compute is None else one.compute * number,
        read_bytes=formulas.model_weights_bytes(used, BYTES_PER_VALUE[given.precision]),
        used_parameters=used,
    )
