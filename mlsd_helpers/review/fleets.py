"""The fleets of a design as rules see them: which somebody waits for, what they need, promise and cost."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import floor, inf, isclose
from typing import NamedTuple

from mlsd_helpers import formulas
from mlsd_helpers.analysis.cost import CostRow, costs_of
from mlsd_helpers.analysis.graph import components_by_id, reached, steps_back, waiting_flows
from mlsd_helpers.analysis.prediction import Prediction, State, predict, predictions
from mlsd_helpers.analysis.sizing import PERCENTILES, Memory, Sizing, or_none, sizings
from mlsd_helpers.analysis.surroundings import (
    Fallbacks,
    callers_of,
    is_timed,
    percentile_reaching,
    share_reaching,
    somebody_waits,
)
from mlsd_helpers.analysis.whole import Elsewhere
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Design, FailureMode, FleetPlan, Generation, Latency
from mlsd_helpers.design.requirements import Promise
from mlsd_helpers.review.rule import Fault
from mlsd_helpers.review.words import listed
from mlsd_helpers.units import hour, show_seconds

SLACK = 1.02  # of a predicted time, which is an approximation
ZONE_OUTAGE_S = hour
"""How long a zone is taken to be away where a queue holds what comes meanwhile; our estimate."""


def fleets_of(design: Design) -> tuple[Sizing, ...] | None:
    """Return every fleet that has a plan."""
    return tuple(sizings(design).values()) or None


def run_by_others(design: Design, sizing: Sizing) -> bool:
    """Tell whether somebody else answers for the replicas of a fleet, and so for its headroom and its queue."""
    known = components_by_id(design.planes) if design.planes else {}
    one = known.get(sizing.plan.component or "")
    return one is not None and one.run_by_others


def waited(design: Design) -> tuple[Sizing, ...] | None:
    """Return the fleets of our own for whose answers somebody may wait, and whose replicas are counted."""
    return tuple(one for one in ours(design) or () if somebody_waits(design, one.plan)) or None


def ours(design: Design) -> tuple[Sizing, ...] | None:
    """Return the fleets of our own whose replicas are counted."""
    found = fleets_of(design) or ()
    return tuple(one for one in found if one.plan.replicas and not run_by_others(design, one)) or None


class Sized(NamedTuple):
    """A fleet with what a size needs, and the replicas that its load needs without any headroom."""

    sizing: Sizing
    plan: FleetPlan
    replicas: int
    load_rps: float
    seat_s: float
    target: float
    base: int

    @property
    def path(self) -> str:
        """Where the plan stands in the design."""
        return self.sizing.path

    def busy(self, replicas: int) -> float:
        """Return the utilisation of so many replicas."""
        return self.load_rps * self.seat_s / replicas if replicas else inf


def size_of(sizing: Sizing) -> Sized | None:
    """Return a fleet where its plan says enough to compare its size with a need; without a target, with the load."""
    load, seat_s, plan = sizing.load_rps, sizing.seat_s, sizing.plan
    if plan.replicas is None or load is None or seat_s is None:
        return None
    target, base = plan.target_utilisation, sizing.base
    if target is None:
        target, base = 1.0, floor(load * seat_s) + 1
    return None if base is None else Sized(sizing, plan, plan.replicas, load, seat_s, target, base)


def sized_fleets(design: Design) -> tuple[Sized, ...] | None:
    """Return the fleets whose size can be compared with a need."""
    return tuple(one for sizing in fleets_of(design) or () if (one := size_of(sizing))) or None


def covered(design: Design) -> tuple[Sized, ...] | None:
    """Return the fleets whose replicas suffice while nothing fails."""
    return tuple(one for one in sized_fleets(design) or () if one.replicas >= one.base) or None


def paying_for(failure: str) -> Callable[[Design], tuple[Sized, ...] | None]:
    """Return what finds the fleets whose headroom pays for a failure."""

    def find(design: Design) -> tuple[Sized, ...] | None:
        found = covered(design) or ()
        return (
            tuple(one for one in found if one.plan.headroom and failure in one.plan.headroom.pays_for) or None
        )

    return find


def behind_a_queue(design: Design, plan: FleetPlan) -> bool:
    """Tell whether a queue of its own component holds what a fleet does not take at once."""
    planes = design.planes
    if planes is None or plan.component is None:
        return False
    known = components_by_id(planes)
    queues = {one.id for one in planes.components if one.kind == "event stream"}
    flows = [flow for _, flow in waiting_flows(planes) if flow.start not in queues]
    before = reached([plan.component], steps_back(flows)) & set(known)
    called = {flow.end for flow in flows}
    taking = {
        flow.end for flow in planes.flows if flow.start in queues and flow.carries in {"events", "request"}
    }
    return bool(before) and before - called <= taking


def a_queue_holds(design: Design, plan: FleetPlan) -> bool:
    """Tell whether what a fleet does not take at once waits for it: nobody waits, and no caller gives up before."""
    return not somebody_waits(design, plan) and callers_of(design, plan).timeout_s == inf


def allowed_wait_s(design: Design, plan: FleetPlan) -> float:
    """Return how long a request may wait for a fleet, in seconds, as the latency budget allows; infinite without."""
    if (latency := latency_of(design)) is None or not is_timed(design, plan):
        return inf
    own_s = plan.service_time.mean if plan.service_time else 0.0
    return latency.budget - Elsewhere.of(design, plan).most_s - own_s


def told_once(design: Design, found: Iterable[tuple[Sizing, Fault]]) -> Iterator[Fault]:
    """Make one fault of those that ask for the same, and name the other fleets in it."""
    by_fix = defaultdict[str, list[tuple[Sizing, Fault]]](list)
    for sizing, fault in found:
        if not says_something(design.why_not(fault.where)):
            by_fix[fault.fix].append((sizing, fault))
    for (_, first), *others in by_fix.values():
        names = [sizing.plan.id or name_of(sizing) for sizing, _ in others]
        more = f" Alike: {listed(names)}." if names else ""
        yield Fault(first.where, f"{first.message}{more}", first.fix)


def latency_of(design: Design) -> Latency | None:
    """Return the latency requirement."""
    return design.requirements.latency if design.requirements else None


def name_of(sizing: Sizing) -> str:
    """Return what a message calls a fleet."""
    return sizing.plan.component or sizing.plan.id or "the fleet"


def failures_of(sizing: Sizing) -> Iterator[tuple[str, str, int]]:
    """Yield the failures that every fleet meets: its name, in words, and the replicas that it leaves."""
    replicas = sizing.plan.replicas or 0
    if sizing.left_by_zone is not None:
        yield "zone loss", "the loss of the largest zone", sizing.left_by_zone
    if sizing.down_in_restart:
        words = f"a rolling restart of {sizing.restart_share.value:.0%} at a time"
        yield "rolling restart", words, replicas - sizing.down_in_restart


def sent_to_what_is_left(design: Design, sized: Sized) -> FailureMode | None:
    """Return the failure mode that sends all of a fleet's load to the rest of its regions, which is too small for it.

    A fleet stands in as many regions as its component or the planes name, if its zones are as many.
    """
    one = design.planes.component(sized.plan.component) if design.planes and sized.plan.component else None
    left = sized.sizing.left_by_zone
    if (
        one is None
        or design.planes is None
        or left is None
        or sized.replicas < sized.base
        or sized.busy(left) < 1
    ):
        return None
    regions = one.region or design.planes.region
    if len(regions) != (sized.plan.zones or one.zones):
        return None
    modes = design.requirements.failure_modes if design.requirements else ()
    return next(
        (mode for mode in modes if {*mode.to_region} & {*regions} and (not mode.of or one.id in mode.of)),
        None,
    )


def below(one: float, other: float) -> bool:
    """Tell whether a number is below another by more than rounding."""
    return one < other and not isclose(one, other, rel_tol=1e-9)


def timed(design: Design) -> tuple[Sizing, ...] | None:
    """Return the fleets that a promise is about, whose service alone is fast enough."""
    if (latency := latency_of(design)) is None:
        return None
    return (
        tuple(
            one
            for one in fleets_of(design) or ()
            if is_timed(design, one.plan)
            and (one.plan.service_time is None or one.plan.service_time.mean < latency.budget)
            and batch_s(one.plan) < latency.budget
        )
        or None
    )


def batch_s(plan: FleetPlan) -> float:
    """Return how long the first request of a full batch takes; 0 without batches."""
    if (batch := plan.batching) is None:
        return 0.0
    time_s = or_none(formulas.batch_time_s, batch.largest, batch.fixed_time, batch.time_per_item)
    return batch.longest_wait + (time_s or 0.0)


class Late(NamedTuple):
    """A promise of a whole answer that a fleet breaks, at some point of the plan."""

    sizing: Sizing
    promise: Promise
    during: Prediction
    percentile: float
    """Of the fleet's own answers."""
    elsewhere: Elsewhere
    sure: bool
    """Whether it is broken whatever the plan leaves open."""
    by_fallback: bool
    """Whether a fallback answers at this percentile, in time."""


def late_answers(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Late]:
    """Yield, for each fleet, the first promise that it breaks for certain, or else the first that it may break."""
    yield from filter(None, (_first_broken(design, one) for one in fleets))


@lru_cache(maxsize=32)  # several rules ask for it
def _first_broken(design: Design, sizing: Sizing) -> Late | None:
    broken = [late for found in predictions(design, sizing) for late in _broken(design, sizing, found)]
    return min(broken, key=lambda late: (not late.sure, late.by_fallback), default=None)


def _broken(design: Design, sizing: Sizing, found: Prediction) -> Iterator[Late]:
    latency, elsewhere = latency_of(design), Elsewhere.of(design, sizing.plan)
    fallback = Fallbacks.of(design, sizing.plan).answer
    timeout_s = callers_of(design, sizing.plan).timeout_s if fallback else inf
    reaching = share_reaching(design, sizing.load_rps) if sizing.path == "capacity" else 1.0
    judged = latency is not None and not found.overloaded and not elsewhere.seldom
    for promise in latency.promises if latency and judged else ():
        share = PERCENTILES.get(promise.percentile)
        if promise.what != "whole answer" or share is None:
            continue
        # The split is of the budget; at a lower percentile its parts may be shorter.
        split = share >= PERCENTILES.get(latency.percentile, 1.0) if latency else False
        least_s, most_s = (elsewhere.least_s, elsewhere.most_s) if split else (0.0, 0.0)
        percentile = elsewhere.of_one(percentile_reaching(share, reaching))
        allowed, left_s = 1 - percentile, promise.within - least_s
        late = found.least.later_than(max(left_s * SLACK, 0.0)) > allowed
        slow = found.most.later_than(max(promise.within - most_s, 0.0)) > allowed
        cut_off = timeout_s + least_s < promise.within and found.least.later_than(timeout_s) > allowed
        if late or slow or cut_off:
            in_time = timeout_s + elsewhere.later_s + most_s < promise.within
            sure = late and timeout_s + least_s >= promise.within
            if sure or cut_off or not in_time:
                yield Late(sizing, promise, found, percentile, elsewhere, sure, cut_off and not sure)


def predicted(late: Late) -> str:
    """Say what is predicted, and of what it is made up."""
    found = late.during
    least_s, most_s = found.response_s(late.percentile)
    name = f"p{100 * late.percentile:.4g}"
    range_ = (
        show_seconds(float(f"{least_s:.3g}"))
        if isclose(least_s, most_s, rel_tol=0.02)
        else f"{show_seconds(float(f'{least_s:.3g}'))} to {show_seconds(float(f'{most_s:.3g}'))}"
    )
    when = f" during a {found.during}" if found.during else ""
    if (number := late.elsewhere.at_once) > 1:
        range_ += f" (a request waits for the slowest of {number:,} calls)"
    other = f", {late.elsewhere} pass elsewhere" if late.elsewhere.most_s else ""
    return (
        f"With {found.replicas} replicas at {found.load_rps:,.6g} requests a second{when}, {name} of "
        f"{name_of(late.sizing)} is {range_}{other}, and a whole answer may take "
        f"{show_seconds(late.promise.within)} at {late.promise.percentile}"
    )


def routing_is_to_blame(late: Late) -> bool:
    """Tell whether random routing alone breaks a promise: one queue for all replicas would keep it."""
    plan, found = late.sizing.plan, late.during
    if plan.routing != "random":
        return False
    state = State(found.during, found.replicas, found.load_rps)
    shared = predict(plan.changed(routing="central queue"), state, 1.0, found.least.service.longest_s)
    left_s = late.promise.within - late.elsewhere.least_s
    return shared is not None and shared.least.later_than(max(left_s, 0.0)) <= 1 - late.percentile


class Bill(NamedTuple):
    """A budget, and what it has to pay over 30 days."""

    where: str
    budget: float
    planned: float
    """The replicas as planned, those for releases included."""
    at_most: float
    """With all that autoscalers may add; of a budget for all, with everything that has a price."""
    text: str
    largest_price: float = 0.0
    """Of the prices of components, the one that is paid most for."""
    expected: float = 0.0
    """Everything with a price as planned and at the mean load, without what autoscalers may add."""


def bills_of(design: Design) -> tuple[Bill, ...] | None:
    """Return each budget of a plan with what it has to pay: a fleet's own, or that of all with everything priced."""
    if design.capacity is None:
        return None
    found, rows = list[Bill](), [one for one in costs_of(design) if one.per_month]
    of_fleet = {one.path.removesuffix(".cost_per_replica_hour"): one for one in rows}
    for path, plan in design.fleets.items():
        own = of_fleet.get(path)
        if path != "capacity" and plan.budget_per_month is not None and own:
            found.append(_bill(f"{path}.budget_per_month", plan.budget_per_month, [own], [own]))
    if design.capacity.budget_per_month is not None and rows:
        fleets = [one for path, one in of_fleet.items() if path in design.fleets]
        found.append(_bill("capacity.budget_per_month", design.capacity.budget_per_month, fleets, rows))
    return tuple(found) or None


def _bill(where: str, budget: float, fleets: list[CostRow], rows: list[CostRow]) -> Bill:
    dear = sorted(rows, key=lambda one: -(one.highest or 0.0))
    text = "; ".join(f"{one.what}: {one.how}" for one in dear[:3])
    more = "" if len(dear) <= 3 else f"; and {len(dear) - 3} more"
    planned = sum(one.per_month or 0.0 for one in fleets)
    priced = max((one.highest or 0.0 for one in rows if ".price." in one.path), default=0.0)
    expected = sum(one.per_month or 0.0 for one in rows)
    return Bill(
        where, budget, planned, sum(one.highest or 0.0 for one in rows), text + more, priced, expected
    )


class Generating(NamedTuple):
    """A fleet that generates, with what one of its replicas makes and holds."""

    sizing: Sizing
    made: Generation
    memory: Memory


def generating(design: Design) -> tuple[Generating, ...] | None:
    """Return the fleets that generate."""
    return (
        tuple(
            Generating(one, one.plan.generation, one.memory)
            for one in fleets_of(design) or ()
            if one.plan.generation and one.memory
        )
        or None
    )


def promises_of(design: Design, what: str) -> list[tuple[str, Promise]]:
    """Return what is promised of one kind, each with its place."""
    latency = latency_of(design)
    if latency is None:
        return []
    fields = {"whole answer": "budget", "first token": "first_token", "gap between tokens": "per_token"}
    own = len(latency.promises) - len(latency.also)
    return [
        (
            f"requirements.latency.{fields[what]}"
            if number < own
            else f"requirements.latency.also.{number - own}",
            one,
        )
        for number, one in enumerate(latency.promises)
        if one.what == what
    ]
