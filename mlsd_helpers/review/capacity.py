"""Rules on the capacity of a design: replicas, headroom, queue, autoscaler, cost and memory."""

from collections.abc import Callable, Iterator
from math import isclose
from typing import NamedTuple

from mlsd_helpers import formulas
from mlsd_helpers.analysis.paths import cold_load_rps, warm_rps
from mlsd_helpers.analysis.sizing import (
    FLOPS_UTILISATION,
    HOURS_A_MONTH,
    PERCENTILES,
    Memory,
    Sizing,
    or_none,
    sizing_of,
)
from mlsd_helpers.design import CapacityPlan, Design, Generation, Latency
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.units import in_currency, show_bytes, show_seconds

BUSIEST_TARGET = 0.9
"""From this target on the queue decides, and small errors of the load are large ones of the wait."""
BURSTY = 5.0
"""Variance over mean of arrivals per second from which a utilisation alone says little; Poisson has 1."""


class _Sized(NamedTuple):
    """A plan with what a size needs, and the replicas that its load needs without any headroom."""

    sizing: Sizing
    plan: CapacityPlan
    replicas: int
    load_rps: float
    seat_s: float
    target: float
    base: int


def _plan(design: Design) -> CapacityPlan | None:
    return design.capacity


def _sized(design: Design) -> _Sized | None:
    """Return the plan where it says enough to compare its size with a need."""
    if (sizing := sizing_of(design)) is None:
        return None
    load, seat_s, base, plan = sizing.load_rps, sizing.seat_s, sizing.base, sizing.plan
    target = plan.target_utilisation
    if plan.replicas is None or load is None or seat_s is None or target is None or base is None:
        return None
    return _Sized(sizing, plan, plan.replicas, load, seat_s, target, base)


def _covered(design: Design) -> _Sized | None:
    """Return the plan where its replicas suffice while nothing fails."""
    sized = _sized(design)
    return sized if sized is not None and sized.replicas >= sized.base else None


def _paying_for(failure: str) -> Callable[[Design], _Sized | None]:
    """Return what finds the plan where its headroom pays for a failure."""

    def find(design: Design) -> _Sized | None:
        sized = _covered(design)
        headroom = sized.plan.headroom if sized else None
        return sized if headroom is not None and failure in headroom.pays_for else None

    return find


def _latency(design: Design) -> Latency | None:
    return design.requirements.latency if design.requirements else None


@rule(
    "CAP001",
    "info",
    title="Capacity plan missing",
    prevents="a fleet whose size nobody can justify",
    wrong_when="Wrong if the design runs no fleet of its own, as with a nightly job or a vendor's API.",
)
def plan_missing(design: Design) -> Iterator[Fault]:
    """The size of a fleet follows from its load, its service time and the failures it survives."""
    if design.capacity is None:
        yield Fault(
            "capacity",
            "The design has no plan yet.",
            "State load, service time, target utilisation and headroom.",
        )
    elif design.capacity.replicas is None:
        yield Fault(
            "capacity.replicas", "The plan does not state its replicas.", "Compute the number, and state it."
        )


@rule(
    "CAP002",
    title="Headroom missing",
    prevents="a fleet that is overloaded when the first replica restarts",
    wrong_when="Wrong for a managed or serverless endpoint, whose provider keeps the headroom.",
    needs=_plan,
)
def headroom_missing(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Replicas restart, zones fail and traffic rises, which takes spare replicas."""
    if plan.headroom is None and plan.replicas is not None:
        yield Fault(
            "capacity.headroom",
            f"The plan has {plan.replicas} replicas and no headroom, so it does not state which failure they survive.",
            "Choose the failure, such as the loss of a zone, and add the replicas that it takes.",
        )


@rule(
    "CAP003",
    title="Capacity plan and planes disagree",
    prevents="a plan that was changed in one of two places",
    needs=_plan,
)
def plan_and_planes_disagree(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """A fleet has one size, and capacity and planes state the same."""
    components = design.planes.components if design.planes else ()
    box = next((one for one in components if one.id == plan.component), None)
    for field in ("replicas", "zones"):
        drawn, planned = getattr(box, field, None), getattr(plan, field)
        if drawn is not None and planned is not None and drawn != planned:
            yield Fault(
                f"capacity.{field}",
                f"The plan has {planned} {field} of {plan.component}, and planes.components has {drawn}.",
                f"State the right number in capacity and in planes.components.{plan.component}.",
            )


@rule(
    "CAP004",
    title="Replicas per zone do not add up",
    prevents="a zone that is smaller than the plan says",
    wrong_when="Wrong if zones differ in size; leave 'replicas_per_zone' out then.",
    needs=_plan,
)
def zones_do_not_add_up(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """All zones together hold the replicas of the plan."""
    if plan.replicas is None or plan.zones is None or plan.replicas_per_zone is None:
        return
    if (together := plan.zones * plan.replicas_per_zone) != plan.replicas:
        yield Fault(
            "capacity.replicas_per_zone",
            f"{plan.zones} zones of {plan.replicas_per_zone} replicas are {together}; the plan has {plan.replicas}.",
            "Correct one of the three figures; leave replicas_per_zone out if zones differ by one.",
        )


@rule(
    "CAP005",
    title="Fleet sized below the peak",
    prevents="a fleet that is sufficient on average and overloaded at the peak",
    wrong_when="Acceptable if nobody waits and a queue absorbs the peak, as in an asynchronous pipeline.",
    needs=_plan,
)
def sized_below_the_peak(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """The fleet gets every request of the peak that no cache or precomputed answer takes."""
    reaches = warm_rps(design)
    if plan.load is None or reaches is None or not _below(plan.load, reaches):
        return
    throughput = design.requirements.throughput if design.requirements else None
    mean = throughput.mean if throughput else None
    as_mean = ", which is the mean" if mean is not None and isclose(plan.load, mean) else ""
    yield Fault(
        "capacity.load",
        f"The plan is sized for {plan.load:,.6g} requests a second{as_mean}, and {reaches:,.6g} arrive at the peak.",
        f"Size for {reaches:,.6g} a second.",
    )


def _below(one: float, other: float) -> bool:
    return one < other and not isclose(one, other, rel_tol=1e-9)


@rule(
    "CAP006",
    title="Too few replicas for the peak",
    prevents="a queue that grows for as long as the peak lasts",
    wrong_when="Acceptable if nobody waits and the backlog is worked off in time, as in an asynchronous "
    "pipeline.",
    needs=_sized,
)
def too_few_replicas(_: Design, sized: _Sized) -> Iterator[Fault]:
    """The peak needs load × service time ÷ target utilisation, rounded up, while nothing fails."""
    if sized.replicas < sized.base:
        busy = sized.load_rps * sized.seat_s / sized.replicas if sized.replicas else None
        so_busy = "no answer" if busy is None else f"a utilisation of {busy:.2f}"
        yield Fault(
            "capacity.replicas",
            f"{sized.replicas} replicas for {sized.load_rps:,.6g} requests a second mean {so_busy}; a utilisation of "
            f"{sized.target:.0%} needs {sized.base}.",
            f"Run {sized.base} replicas, and spare ones for the failure that they have to survive.",
        )


@rule(
    "CAP007",
    title="Replicas do not include the headroom",
    prevents="headroom that is written down and not there",
    wrong_when="Acceptable if the headroom is a reserve that other fleets share and that is counted "
    "elsewhere.",
    needs=_covered,
)
def replicas_without_the_headroom(_: Design, sized: _Sized) -> Iterator[Fault]:
    """Headroom is a share on top of the need, and has to exist as replicas."""
    share = sized.sizing.headroom.value
    need = sized.sizing.need(headroom=share)
    if need is not None and sized.replicas < need:
        yield Fault(
            "capacity.replicas",
            f"{sized.replicas} replicas do not include a headroom of {share:.0%}: {sized.load_rps:,.6g} requests a "
            f"second need {need} with it, and {sized.base} without it.",
            f"Run {need} replicas or more, or state a smaller headroom and what it pays for.",
        )


@rule(
    "CAP008",
    "warning",
    title="Utilisation target too high",
    prevents="waits that double with the next percent of traffic",
    wrong_when="Wrong for hundreds of servers behind one queue and a load that is known well: there "
    "waits stay short beyond 90%.",
    needs=_plan,
)
def utilisation_target_too_high(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Waits grow without bound as utilisation nears 1."""
    if plan.target_utilisation is not None and plan.target_utilisation >= BUSIEST_TARGET:
        yield Fault(
            "capacity.target_utilisation",
            f"At a target utilisation of {plan.target_utilisation:.0%} a small error of the load is a large one of the "
            "wait: waits grow like 1 / (1 − utilisation).",
            "Plan for 60% to 80%, and check the wait with a simulation of your own traffic.",
        )


@rule(
    "CAP009",
    title="Service time exceeds the latency budget",
    prevents="a latency target that no number of replicas meets",
    wrong_when="Wrong if the budget is for the first part of a streamed answer only.",
    needs=_plan,
)
def service_time_exceeds_budget(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """More replicas do not make one answer faster, so the service time alone must fit into the budget."""
    latency = _latency(design)
    if latency and plan.service_time and plan.service_time.mean >= latency.budget:
        yield Fault(
            "capacity.service_time",
            f"One answer takes {show_seconds(plan.service_time.mean)} on average without any wait, and the latency "
            f"budget is {show_seconds(latency.budget)} at {latency.percentile}.",
            "Make the model faster or smaller, compute answers ahead, or agree on another budget.",
        )


@rule(
    "CAP010",
    title="Random routing exceeds the latency budget",
    prevents="queues at some replicas while others are idle",
    wrong_when="Wrong if service times vary less than exponential ones, which the formula assumes "
    "whatever 'scv' says.",
    needs=_covered,
)
def random_routing_exceeds_budget(design: Design, sized: _Sized) -> Iterator[Fault]:
    """Random routing lets some replicas queue while others are idle."""
    latency = _latency(design)
    percentile = PERCENTILES.get(latency.percentile) if latency else None
    if sized.plan.routing != "random" or latency is None or percentile is None:
        return
    up = _replicas_left(sized)
    slow_s = _random_s(sized, up, percentile)
    if slow_s is not None and slow_s > latency.budget:
        yield Fault(
            "capacity.routing",
            f"With random routing to {up} replicas and exponential service times, {latency.percentile} is "
            f"{show_seconds(slow_s)}, and the latency budget is {show_seconds(latency.budget)}.",
            "Send each request to the shortest queue, or to the shorter of two drawn at random.",
        )


def _replicas_left(sized: _Sized) -> int:
    """Return the replicas that are up in the worst case that the headroom pays for."""
    paid = sized.plan.headroom.pays_for if sized.plan.headroom else ()
    return (sized.sizing.left_by_zone if "zone loss" in paid else None) or sized.replicas


def _random_s(sized: _Sized, up: int, percentile: float) -> float | None:
    service_s, at_once = sized.seat_s * sized.plan.concurrency_per_replica, sized.plan.concurrency_per_replica
    if not up:
        return None
    if at_once == 1:
        return or_none(formulas.random_split_response_percentile_s, up, sized.load_rps, service_s, percentile)
    return or_none(formulas.response_percentile_s, at_once, sized.load_rps / up, service_s, percentile)


@rule(
    "CAP011",
    "warning",
    title="Bursts without headroom",
    prevents="minutes of waiting in a fleet that is idle on average",
    incident="Azure's LLM trace of code requests of 2023: a variance of 13 times the mean in each second",
    wrong_when="Acceptable if a simulation of the measured arrivals shows that the plan holds.",
    needs=_plan,
)
def bursts_without_headroom(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Utilisation counts work and not when it arrives, so bursts need headroom of their own."""
    throughput = design.requirements.throughput if design.requirements else None
    burstiness = throughput.burstiness if throughput else None
    paid = plan.headroom is not None and "surge" in plan.headroom.pays_for
    if burstiness is not None and burstiness > BURSTY and not paid:
        yield Fault(
            "capacity.headroom.pays_for" if plan.headroom else "capacity.headroom",
            f"The variance of arrivals is {burstiness:.4g} times their mean, where the number of replicas assumes 1 "
            "(Poisson), and no headroom pays for a surge.",
            "Simulate the plan with a trace of your traffic, and size a headroom for surges from it.",
        )


@rule(
    "CAP012",
    title="Unlimited queue",
    prevents="requests that wait until nobody needs their answer any more",
    wrong_when="Wrong for a managed endpoint that limits its own queue, and for work that nobody waits for.",
    needs=_plan,
)
def queue_unlimited(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """A limited queue rejects what would be late; an unlimited one makes every request late."""
    if plan.queue_limit is None and plan.replicas is not None:
        yield Fault(
            "capacity.queue_limit",
            "The plan does not limit how many requests wait for a replica, so an overload outlasts its cause.",
            "Set queue_limit to what the latency budget leaves time for, and send the rest to the fallback.",
        )


@rule(
    "CAP013",
    title="Batching exceeds the latency budget",
    prevents="throughput that is paid for with the latency of every request",
    wrong_when="Wrong for continuous batching, where requests join and leave at each step.",
    needs=_plan,
)
def batching_exceeds_budget(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Each request of a batch waits for the batch to fill, and then for all of it."""
    latency = _latency(design)
    batch = plan.batching
    if batch is None or latency is None:
        return
    time_s = or_none(formulas.batch_time_s, batch.largest, batch.fixed_time, batch.time_per_item)
    if time_s is not None and batch.longest_wait + time_s >= latency.budget:
        yield Fault(
            "capacity.batching",
            f"A batch of {batch.largest} waits up to {show_seconds(batch.longest_wait)} and takes "
            f"{show_seconds(time_s)}, and the whole latency budget is {show_seconds(latency.budget)}.",
            "Use smaller batches, or let them wait for less time.",
        )


@rule(
    "CAP014",
    "warning",
    title="Headroom without a purpose",
    prevents="spare replicas that are removed because nobody knows what they are for",
    wrong_when="Acceptable if the platform prescribes the share; name what the platform keeps it for.",
    needs=_plan,
)
def headroom_without_purpose(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """The failure that headroom is for decides how much is needed."""
    if plan.headroom is not None and not plan.headroom.pays_for:
        yield Fault(
            "capacity.headroom.pays_for",
            f"The headroom of {plan.headroom.share:.0%} states no failure that it pays for.",
            "State the failure: rolling restart, zone loss, surge or cold cache. The share follows from it.",
        )


@rule(
    "CAP015",
    title="Zone loss overloads the rest",
    prevents="an overload of two zones by the loss of the third",
    wrong_when="Acceptable if it is decided what is shed, or degraded, while a zone is down.",
    needs=_paying_for("zone loss"),
)
def zone_loss_overloads(_: Design, sized: _Sized) -> Iterator[Fault]:
    """A zone fails as a whole, and the other zones have to carry the peak."""
    left = sized.sizing.left_by_zone
    if left is None:
        yield Fault(
            "capacity.zones",
            "The headroom pays for the loss of a zone, and the plan has no second zone.",
            "Spread the replicas over three zones.",
        )
    elif left < sized.base and not _enough_in_all(sized):
        yield _zone_fault(
            sized, left, f"A headroom of {sized.sizing.headroom.value:.0%} is too small for that."
        )


@rule(
    "CAP016",
    title="Replicas rounded over all zones",
    prevents="one replica too few in each zone that is left",
    wrong_when="Acceptable if a utilisation above the target will do for as long as a zone is down.",
    needs=_paying_for("zone loss"),
)
def replicas_rounded_over_zones(_: Design, sized: _Sized) -> Iterator[Fault]:
    """A zone holds whole replicas, so the need is rounded up in each zone."""
    left = sized.sizing.left_by_zone
    if left is not None and left < sized.base and _enough_in_all(sized):
        yield _zone_fault(sized, left, "The need was rounded up once for all zones, and has to be in each.")


def _enough_in_all(sized: _Sized) -> bool:
    """Say whether the replicas would suffice without rounding by zone."""
    zones = sized.plan.zones or 1
    need = sized.sizing.need(headroom=1 / (zones - 1))
    return need is not None and sized.replicas >= need


def _zone_fault(sized: _Sized, left: int, why: str) -> Fault:
    zones = sized.plan.zones or 1
    layout = or_none(formulas.zone_layout, sized.load_rps, sized.seat_s, sized.target, zones)
    busy = sized.load_rps * sized.seat_s / left if left else None
    so_busy = "" if busy is None else f", at a utilisation of {busy:.2f}"
    fix = (
        "Run more replicas in each zone."
        if layout is None
        else (
            f"Run {sum(layout)} replicas, {max(layout)} in a zone."
            if len(set(layout)) == 1
            else f"Run {sum(layout)} replicas, {max(layout)} in a zone and {min(layout)} where it may be fewer."
        )
    )
    return Fault(
        "capacity.replicas",
        f"Without its largest zone of {zones}, {sized.replicas} replicas are {left}{so_busy}; the peak needs "
        f"{sized.base}. {why}",
        fix,
    )


@rule(
    "CAP017",
    title="Rolling restart overloads the rest",
    prevents="an overload by one's own release, at the peak",
    wrong_when="Wrong if new replicas start before old ones stop (max surge): then none is missing.",
    needs=_paying_for("rolling restart"),
)
def restart_overloads(_: Design, sized: _Sized) -> Iterator[Fault]:
    """A rolling restart stops a share of the replicas at once, and the others have to carry the peak."""
    share = sized.sizing.restart_share
    need = or_none(formulas.replicas_for_rolling_restart, sized.base, share.value)
    if need is None or sized.replicas < need:
        enough = "no number" if need is None else str(need)
        yield Fault(
            "capacity.replicas" if share.assumption else share.path,
            f"A rolling restart takes {share.value:.0%} of the {sized.replicas} replicas away at once, and "
            f"{sized.base} are needed at the peak; {enough} would be enough. {share.assumption}".rstrip(),
            "Restart fewer at once, or away from the peak.",
        )


@rule(
    "CAP018",
    title="Surge exceeds the fleet",
    prevents="an overload by a sale, a match or a holiday that was announced",
    wrong_when="Acceptable if the autoscaler is faster than the surge, or if it is decided what is shed.",
    needs=_paying_for("surge"),
)
def surge_overloads(_: Design, sized: _Sized) -> Iterator[Fault]:
    """A surge is a share on top of the peak, at the same target utilisation."""
    surge = sized.sizing.surge.value
    if sized.sizing.surge.assumption:
        yield Fault(
            "capacity.headroom.surge",
            f"The headroom pays for a surge of unknown size. {sized.sizing.surge.assumption}",
            "State how far traffic may rise above the peak, such as 'surge: 30%'.",
        )
        return
    need = sized.sizing.need(sized.load_rps * (1 + surge))
    if need is None or sized.replicas < need:
        enough = "more than can be counted" if need is None else str(need)
        yield Fault(
            "capacity.headroom.surge",
            f"A surge of {surge:.0%} is {sized.load_rps * (1 + surge):,.6g} requests a second and needs {enough} "
            f"replicas; the plan has {sized.replicas}.",
            "Run that many replicas, or state which requests are shed.",
        )


@rule(
    "CAP019",
    title="Empty cache overloads the fleet",
    prevents="an outage that starts when a cache is emptied",
    wrong_when="Acceptable if the cache is warmed before it takes traffic.",
    needs=_paying_for("cold cache"),
)
def cold_cache_overloads(design: Design, sized: _Sized) -> Iterator[Fault]:
    """An empty cache lets every request through until it is warm."""
    cold = cold_load_rps(design, sized.load_rps)
    if cold is None:
        yield Fault(
            "capacity.headroom.pays_for",
            "The headroom pays for a cold cache, and no path has a cache with a hit ratio.",
            "State another failure, or the cache under pattern.paths.",
        )
        return
    need = sized.sizing.need(cold)
    if need is not None and sized.replicas < need:
        yield Fault(
            "capacity.replicas",
            f"With empty caches the fleet gets {cold:,.6g} requests a second in place of "
            f"{sized.load_rps:,.6g}, and needs {need} replicas; the plan has {sized.replicas}.",
            f"Run {need} replicas, or warm the cache before it takes traffic and shed requests meanwhile.",
        )


@rule(
    "CAP020",
    title="Load rises faster than the autoscaler",
    prevents="minutes of overload while new replicas start",
    wrong_when="Acceptable if requests may wait until the backlog is worked off.",
    needs=_covered,
)
def rise_faster_than_autoscaler(_: Design, sized: _Sized) -> Iterator[Fault]:
    """New replicas take time to start, and those that run have to carry the rise meanwhile."""
    scaler = sized.plan.autoscaler
    if scaler is None or scaler.fastest_rise is None:
        return
    most_rps = sized.replicas / sized.seat_s
    rising_rps = sized.load_rps + scaler.fastest_rise
    backlog = or_none(formulas.surge_backlog, rising_rps, most_rps, scaler.delay)
    if backlog:
        yield Fault(
            "capacity.autoscaler.delay",
            f"{rising_rps:,.6g} requests a second arrive and {sized.replicas} replicas answer {most_rps:,.6g}: in the "
            f"{show_seconds(scaler.delay)} until new replicas run, {backlog:,.0f} requests queue up.",
            "Keep replicas ready for the fastest rise, start them faster, or scale before known peaks.",
        )


@rule(
    "CAP021",
    title="Autoscaler bounds contradict the plan",
    prevents="an autoscaler that undoes the plan",
    wrong_when="Wrong if the plan's replicas include a reserve that the autoscaler does not run.",
    needs=_plan,
)
def autoscaler_bounds_contradict_plan(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """The autoscaler's bounds have to include the plan's replicas."""
    scaler = plan.autoscaler
    if scaler is None or plan.replicas is None:
        return
    if scaler.maximum is not None and scaler.maximum < plan.replicas:
        yield Fault(
            "capacity.autoscaler.maximum",
            f"The autoscaler stops at {scaler.maximum} replicas, and the plan has {plan.replicas}.",
            f"Raise the maximum to {plan.replicas} or more.",
        )
    elif scaler.minimum is not None and scaler.maximum is not None and scaler.minimum > scaler.maximum:
        yield Fault(
            "capacity.autoscaler.minimum",
            f"The autoscaler's minimum of {scaler.minimum} replicas is above its maximum of {scaler.maximum}.",
            "Set the minimum below the maximum.",
        )


@rule(
    "CAP022",
    title="Autoscaler target above the planned utilisation",
    prevents="new replicas that start when the queue is already there",
    wrong_when="Wrong if the two targets measure different things, such as processor time and busy time.",
    needs=_plan,
)
def autoscaler_target_above_plan(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """An autoscaler that acts above the planned utilisation acts too late."""
    wanted = plan.autoscaler.target if plan.autoscaler else None
    target = plan.target_utilisation
    if wanted is not None and target is not None and _below(target, wanted):
        yield Fault(
            "capacity.autoscaler.target",
            f"The autoscaler acts at a utilisation of {wanted:.0%}, and the fleet is planned for {target:.0%}.",
            f"Set its target to {target:.0%} or below.",
        )


@rule(
    "CAP023",
    title="Cost exceeds the budget",
    prevents="a bill that ends the project",
    wrong_when="Acceptable if reserved or spot prices are lower than the price in the plan.",
    needs=_plan,
)
def cost_exceeds_budget(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Every replica is paid for all month, whether or not requests come."""
    if plan.replicas is None or plan.cost_per_replica_hour is None or plan.budget_per_month is None:
        return
    cost = or_none(formulas.fleet_cost, plan.replicas, plan.cost_per_replica_hour, HOURS_A_MONTH)
    if cost is not None and _below(plan.budget_per_month, cost):
        price, cost_of_all, budget = (
            in_currency(figure, design.currency)
            for figure in (
                f"{plan.cost_per_replica_hour:,.2f}",
                f"{cost:,.0f}",
                f"{plan.budget_per_month:,.0f}",
            )
        )
        yield Fault(
            "capacity.budget_per_month",
            f"{plan.replicas} replicas at {price} an hour cost {cost_of_all} in 30 days, and the budget is {budget}.",
            "Agree on a larger budget or on less headroom, or make the model faster.",
        )


class _Generating(NamedTuple):
    """A plan whose replicas generate, with what one of them makes and holds."""

    sizing: Sizing
    made: Generation
    memory: Memory


def _generating(design: Design) -> _Generating | None:
    sizing = sizing_of(design)
    if sizing is None or sizing.plan.generation is None or sizing.memory is None:
        return None
    return _Generating(sizing, sizing.plan.generation, sizing.memory)


def _hardware(made: Generation) -> str:
    count = made.accelerators_per_replica
    return made.accelerator.name if count == 1 else f"{count} × {made.accelerator.name}"


@rule(
    "CAP024",
    title="Weights do not fit into memory",
    prevents="a replica that cannot start",
    wrong_when="Wrong if some weights are kept in main memory, at the price of speed.",
    needs=_generating,
)
def weights_do_not_fit(_: Design, given: _Generating) -> Iterator[Fault]:
    """All weights of a model have to fit into the memory of its accelerators."""
    made, memory = given.made, given.memory
    if memory.tokens is None:
        yield Fault(
            "capacity.generation.accelerator",
            f"The weights of {made.model.name} in {made.precision} take {show_bytes(memory.weights_bytes)}, and "
            f"{_hardware(made)} has {show_bytes(memory.whole_bytes)}, of which {made.usable_memory:.0%} can be used.",
            "Quantise the weights, split them over more accelerators, or take a smaller model.",
        )


@rule(
    "CAP025",
    title="Sequences do not fit into memory",
    prevents="requests that wait or are preempted on an accelerator with computing power to spare",
    incident="Systems before vLLM put only 20% to 38% of their KV memory to use (Kwon et al., SOSP 2023)",
    wrong_when="Wrong if sequences share a prefix, or if the model keeps fewer keys and values (sliding "
    "window, latent attention).",
    needs=_generating,
)
def sequences_do_not_fit(_: Design, given: _Generating) -> Iterator[Fault]:
    """Memory holds the weights and, for each sequence, its keys and values."""
    sizing, made, memory = given
    planned, tokens = sizing.sequences, made.prompt_tokens + made.output_tokens
    fits = memory.sequences(tokens)
    if fits is not None and planned.value > fits:
        asked_bytes = planned.value * tokens * memory.bytes_per_token
        yield Fault(
            planned.path,
            f"{planned.value:.0f} sequences of {tokens:,} tokens need {show_bytes(asked_bytes)} for "
            f"keys and values, and beside the weights of {show_bytes(memory.weights_bytes)} there is room for {fits}. "
            f"{planned.assumption}".rstrip(),
            f"Plan with {fits} at once, or store keys and values in a smaller precision.",
        )


@rule(
    "CAP026",
    title="Decoding faster than the memory allows",
    prevents="half of the replicas that are needed, after a speed from a brochure",
    wrong_when="Wrong for a mixture of experts, which reads its active weights only, and for speculative "
    "decoding, which makes several tokens from one read.",
    needs=_generating,
)
def faster_than_memory_bandwidth(design: Design, given: _Generating) -> Iterator[Fault]:
    """Plain decoding of a dense model reads all weights from memory for each token."""
    latency = _latency(design)
    sizing, made, memory = given
    plan, step_s = sizing.plan, _step_s(sizing, made, memory)
    if step_s is None:
        return
    claimed_s = (
        plan.service_time.mean / made.output_tokens if plan.service_time and made.output_tokens else None
    )
    if claimed_s is not None and _below(claimed_s, step_s):
        yield _above_the_roofline("capacity.service_time", made, claimed_s, step_s)
    elif latency and latency.per_token is not None and _below(latency.per_token, step_s):
        yield _above_the_roofline("requirements.latency.per_token", made, latency.per_token, step_s)


def _step_s(sizing: Sizing, made: Generation, memory: Memory) -> float | None:
    """Return the least time of one decoding step with all planned sequences, in seconds."""
    if memory.bandwidth is None:
        return None
    return or_none(
        formulas.decode_step_s,
        memory.bandwidth,
        memory.weights_bytes,
        sizing.sequences.value,
        memory.bytes_per_token,
        made.prompt_tokens + made.output_tokens / 2,
    )


def _above_the_roofline(where: str, made: Generation, claimed_s: float, step_s: float) -> Fault:
    return Fault(
        where,
        f"The plan makes a token every {show_seconds(claimed_s)}, and {_hardware(made)} takes at least "
        f"{show_seconds(step_s)} a token to read the weights and the cache, with plain decoding of a dense model.",
        "Measure it, or plan with fewer sequences at once, fewer bytes a parameter, or more bandwidth.",
    )


@rule(
    "CAP027",
    title="First token later than allowed",
    prevents="users who wait for the first word, however fast the others come",
    wrong_when="Wrong for a mixture of experts, which computes with its active parameters only, and if a "
    "cached prefix shortens the prompt.",
    needs=_generating,
)
def first_token_too_late(design: Design, given: _Generating) -> Iterator[Fault]:
    """The whole prompt is computed before the first token: two operations a parameter and token."""
    latency = _latency(design)
    made, memory = given.made, given.memory
    if latency is None or latency.first_token is None or memory.compute is None:
        return
    read = (made.model.parameters, made.prompt_tokens, memory.compute, FLOPS_UTILISATION)
    first_s = or_none(formulas.time_to_first_token_s, *read)
    if first_s is not None and _below(latency.first_token, first_s):
        yield Fault(
            "requirements.latency.first_token",
            f"Reading {made.prompt_tokens:,} tokens takes {show_seconds(first_s)} at {FLOPS_UTILISATION:.0%} of the "
            f"peak compute of {_hardware(made)}, and the first token may take {show_seconds(latency.first_token)}.",
            "Shorten prompts, cache their common prefix, or use more compute.",
        )


@rule(
    "CAP028",
    title="Context too long or too short",
    prevents="answers that are cut off, and long requests that never run",
    wrong_when="Wrong for a sliding-window model, whose cache does not grow with the whole sequence.",
    needs=_generating,
)
def context_does_not_fit(_: Design, given: _Generating) -> Iterator[Fault]:
    """The longest sequence has to fit into memory, and a usual one into the longest."""
    made, memory = given.made, given.memory
    longest, usual = made.context_tokens, made.prompt_tokens + made.output_tokens
    room = memory.tokens
    if longest is not None and usual > longest:
        yield Fault(
            "capacity.generation.context_tokens",
            f"A usual prompt of {made.prompt_tokens:,} tokens and its answer of {made.output_tokens:,} exceed the "
            f"context of {longest:,}.",
            "Allow a longer context, or shorten prompts and answers.",
        )
    elif longest is not None and room is not None and longest > room:
        yield Fault(
            "capacity.generation.context_tokens",
            f"A context of {longest:,} tokens exceeds the {room:,} whose keys and values fit into memory beside the "
            "weights.",
            f"Allow {room:,} tokens at most, or use more memory.",
        )
