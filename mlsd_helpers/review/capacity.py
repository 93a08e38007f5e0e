"""Rules on the capacity of a design: the need, the failure that spare replicas pay for, the queue, the cost."""

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
from mlsd_helpers.units import show_bytes, show_seconds

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
    prevents="a fleet whose size is what was left over",
    wrong_when="Wrong if the design runs no fleet of its own, as with a nightly job or a vendor's API.",
)
def has_a_plan(design: Design) -> Iterator[Fault]:
    """Every fleet is sized by somebody: by a plan, or by the first bad evening."""
    if design.capacity is None:
        yield Fault(
            "capacity", "There is no plan yet.", "Size the fleet in lesson 5: load, time, target, failure."
        )
    elif design.capacity.replicas is None:
        yield Fault(
            "capacity.replicas", "The plan says no number of replicas.", "Work it out, and write it down."
        )


@rule(
    "CAP002",
    title="Headroom missing",
    prevents="a fleet that is full when the first replica restarts",
    wrong_when="Wrong for a managed or serverless endpoint, whose provider keeps the headroom.",
    needs=_plan,
)
def has_headroom(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Replicas restart, zones fail and traffic rises, and something has to pay for it."""
    if plan.headroom is None and plan.replicas is not None:
        yield Fault(
            "capacity.headroom",
            f"{plan.replicas} replicas, and no headroom: nothing says which failure they survive.",
            "Choose the failure, such as the loss of a zone, and add what it takes.",
        )


@rule(
    "CAP003",
    title="Capacity plan and planes disagree",
    prevents="a plan that was changed in one place of two",
    needs=_plan,
)
def agrees_with_the_sketch(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """No fleet has two sizes: sketch and plan say the same."""
    components = design.planes.components if design.planes else ()
    box = next((one for one in components if one.id == plan.component), None)
    for field in ("replicas", "zones"):
        drawn, planned = getattr(box, field, None), getattr(plan, field)
        if drawn is not None and planned is not None and drawn != planned:
            yield Fault(
                f"capacity.{field}",
                f"The plan has {planned} {field} of {plan.component}, and the planes have {drawn}.",
                f"Find out which holds, and write it in capacity and in planes.components.{plan.component}.",
            )


@rule(
    "CAP004",
    title="Replicas per zone do not add up",
    prevents="a zone that is smaller than everybody believes",
    wrong_when="Wrong if zones differ in size; leave 'replicas_per_zone' out then.",
    needs=_plan,
)
def zones_add_up(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """All zones together hold the replicas of the plan."""
    if plan.replicas is None or plan.zones is None or plan.replicas_per_zone is None:
        return
    if (together := plan.zones * plan.replicas_per_zone) != plan.replicas:
        yield Fault(
            "capacity.replicas_per_zone",
            f"{plan.zones} zones of {plan.replicas_per_zone} make {together}, and the plan has {plan.replicas}.",
            "Correct one of the three; leave replicas_per_zone out where zones differ by one.",
        )


@rule(
    "CAP005",
    title="Fleet sized below the peak",
    prevents="a fleet that is right on average and down at the peak",
    wrong_when="Acceptable if nobody waits and a queue absorbs the peak, as in an asynchronous pipeline.",
    needs=_plan,
)
def sized_for_the_peak(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Every request of the peak reaches the fleet, less what caches and answers made ahead keep away."""
    reaches = warm_rps(design)
    if plan.load is None or reaches is None or not _below(plan.load, reaches):
        return
    throughput = design.requirements.throughput if design.requirements else None
    mean = throughput.mean if throughput else None
    as_mean = ", which is the mean" if mean is not None and isclose(plan.load, mean) else ""
    yield Fault(
        "capacity.load",
        f"The plan carries {plan.load:,.6g} requests a second{as_mean}; {reaches:,.6g} reach it at the peak.",
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
def replicas_carry_the_peak(_: Design, sized: _Sized) -> Iterator[Fault]:
    """Load times service time over target is what the peak needs while nothing fails."""
    if sized.replicas < sized.base:
        busy = sized.load_rps * sized.seat_s / sized.replicas if sized.replicas else None
        so_busy = "nobody to answer" if busy is None else f"a utilisation of {busy:.2f}"
        yield Fault(
            "capacity.replicas",
            f"{sized.replicas} replicas for {sized.load_rps:,.6g} requests a second mean {so_busy}; the target of "
            f"{sized.target:.0%} needs {sized.base}.",
            f"Run {sized.base} replicas and those that a failure takes away.",
        )


@rule(
    "CAP007",
    title="Replicas do not include the headroom",
    prevents="headroom that stands in the document and not in the fleet",
    wrong_when="Acceptable if the headroom is a reserve that other fleets share and that is counted "
    "elsewhere.",
    needs=_covered,
)
def replicas_hold_the_headroom(_: Design, sized: _Sized) -> Iterator[Fault]:
    """Headroom is a share on top of the need, and is counted in replicas."""
    share = sized.sizing.headroom.value
    need = sized.sizing.need(headroom=share)
    if need is not None and sized.replicas < need:
        yield Fault(
            "capacity.replicas",
            f"{sized.replicas} replicas do not hold a headroom of {share:.0%}: with it {sized.load_rps:,.6g} "
            f"requests a second need {need}, without it {sized.base}.",
            f"Run {need} replicas or more, or say what the smaller headroom pays for.",
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
def target_leaves_room(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Queues grow without bound as utilisation nears 1."""
    if plan.target_utilisation is not None and plan.target_utilisation >= BUSIEST_TARGET:
        yield Fault(
            "capacity.target_utilisation",
            f"At a target of {plan.target_utilisation:.0%} there is next to no room for chance: waits grow like "
            "1 / (1 − utilisation).",
            "Plan for 60% to 80%, and let a simulation of your own traffic decide.",
        )


@rule(
    "CAP009",
    title="Service time exceeds the latency budget",
    prevents="a promise that no number of replicas keeps",
    wrong_when="Wrong if the budget is for the first part of a streamed answer only.",
    needs=_plan,
)
def model_fits_the_budget(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """No replica makes a model faster: the service time alone fits into the budget."""
    latency = _latency(design)
    if latency and plan.service_time and plan.service_time.mean >= latency.budget:
        yield Fault(
            "capacity.service_time",
            f"One answer takes {show_seconds(plan.service_time.mean)} on average without any wait, and the budget "
            f"is {show_seconds(latency.budget)} at {latency.percentile}.",
            "Make the model faster or smaller, compute ahead, or agree on another budget.",
        )


@rule(
    "CAP010",
    title="Random routing exceeds the latency budget",
    prevents="queues before some replicas while others are idle",
    wrong_when="Wrong if service times vary less than exponential ones, which the formula assumes "
    "whatever 'scv' says.",
    needs=_covered,
)
def routing_keeps_the_budget(design: Design, sized: _Sized) -> Iterator[Fault]:
    """Chance sends some replicas more than their share, and a request does not see the idle one beside it."""
    latency = _latency(design)
    percentile = PERCENTILES.get(latency.percentile) if latency else None
    if sized.plan.routing != "random" or latency is None or percentile is None:
        return
    up = _replicas_left(sized)
    slow_s = _random_s(sized, up, percentile)
    if slow_s is not None and slow_s > latency.budget:
        yield Fault(
            "capacity.routing",
            f"Routed at random to {up} replicas, {latency.percentile} is {show_seconds(slow_s)} with exponential "
            f"service times, and the budget is {show_seconds(latency.budget)}.",
            "Join the shortest queue, or the shorter of two drawn at random.",
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
def bursts_are_paid_for(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """A utilisation counts work and not when it comes; bursts need room of their own."""
    throughput = design.requirements.throughput if design.requirements else None
    burstiness = throughput.burstiness if throughput else None
    paid = plan.headroom is not None and "surge" in plan.headroom.pays_for
    if burstiness is not None and burstiness > BURSTY and not paid:
        yield Fault(
            "capacity.headroom.pays_for" if plan.headroom else "capacity.headroom",
            f"Arrivals vary {burstiness:.4g} times as much as Poisson's, for which the replica formula was made, "
            "and no headroom pays for a surge.",
            "Replay a trace of your traffic against the plan, and size the surge from it.",
        )


@rule(
    "CAP012",
    title="Unlimited queue",
    prevents="requests that wait until nobody wants their answer any more",
    wrong_when="Wrong for a managed endpoint that limits its own queue, and for work that nobody waits for.",
    needs=_plan,
)
def queue_has_an_end(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """A queue with a limit sheds what would be late; one without makes everything late."""
    if plan.queue_limit is None and plan.replicas is not None:
        yield Fault(
            "capacity.queue_limit",
            "Nothing limits how many requests wait for a replica, so that an overload outlasts its cause.",
            "Let as many wait as the latency budget leaves time for, and shed the rest to the fallback.",
        )


@rule(
    "CAP013",
    title="Batching exceeds the latency budget",
    prevents="throughput that was bought with everybody's latency",
    wrong_when="Wrong for continuous batching, where requests join and leave at each step.",
    needs=_plan,
)
def batches_fit_the_budget(design: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Each request of a batch waits for it to fill, and then for the whole of it."""
    latency = _latency(design)
    batch = plan.batching
    if batch is None or latency is None:
        return
    time_s = or_none(formulas.batch_time_s, batch.largest, batch.fixed_time, batch.time_per_item)
    if time_s is not None and batch.longest_wait + time_s >= latency.budget:
        yield Fault(
            "capacity.batching",
            f"A batch of {batch.largest} waits {show_seconds(batch.longest_wait)} and takes "
            f"{show_seconds(time_s)}, and the whole budget is {show_seconds(latency.budget)}.",
            "Take smaller batches, or let them wait less.",
        )


@rule(
    "CAP014",
    "warning",
    title="Headroom without a purpose",
    prevents="spare replicas that are taken away because nobody knows what for",
    wrong_when="Acceptable if the platform prescribes the share; name what the platform keeps it for.",
    needs=_plan,
)
def headroom_has_a_purpose(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Spare replicas pay for one failure, and seldom for two at once; it has a name."""
    if plan.headroom is not None and not plan.headroom.pays_for:
        yield Fault(
            "capacity.headroom.pays_for",
            f"A headroom of {plan.headroom.share:.0%} pays for nothing that has a name.",
            "Name the failure: rolling restart, zone loss, surge or cold cache. The share follows from it.",
        )


@rule(
    "CAP015",
    title="Zone loss overloads the rest",
    prevents="an overload of two zones by the loss of the third",
    wrong_when="Acceptable if it is decided what is shed, or degraded, while a zone is down.",
    needs=_paying_for("zone loss"),
)
def survives_a_zone(_: Design, sized: _Sized) -> Iterator[Fault]:
    """Zones fail whole, and those that stay carry the peak."""
    left = sized.sizing.left_by_zone
    if left is None:
        yield Fault(
            "capacity.zones",
            "The headroom pays for the loss of a zone, and the plan has no second one.",
            "Spread the replicas over three zones.",
        )
    elif left < sized.base and not _enough_in_all(sized):
        yield _zone_fault(
            sized, left, f"A headroom of {sized.sizing.headroom.value:.0%} is too little for it."
        )


@rule(
    "CAP016",
    title="Replicas rounded over all zones",
    prevents="one replica too few in each zone that stays",
    wrong_when="Acceptable if a utilisation above the target will do for as long as a zone is down.",
    needs=_paying_for("zone loss"),
)
def is_rounded_by_zone(_: Design, sized: _Sized) -> Iterator[Fault]:
    """Zones hold whole replicas, so that the need is rounded up in each zone and not over all of them."""
    left = sized.sizing.left_by_zone
    if left is not None and left < sized.base and _enough_in_all(sized):
        yield _zone_fault(sized, left, "The total would do if a replica could stand in two zones.")


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
def survives_a_restart(_: Design, sized: _Sized) -> Iterator[Fault]:
    """A rolling restart takes a share of the fleet away at once, and what stays carries the peak."""
    share = sized.sizing.restart_share
    need = or_none(formulas.replicas_for_rolling_restart, sized.base, share.value)
    if need is None or sized.replicas < need:
        enough = "no number" if need is None else str(need)
        yield Fault(
            "capacity.replicas" if share.assumption else share.path,
            f"A rolling restart takes {share.value:.0%} of {sized.replicas} replicas away at once, and "
            f"{sized.base} are needed at the peak; {enough} would do. {share.assumption}".rstrip(),
            "Restart fewer at once, or at another time than the peak.",
        )


@rule(
    "CAP018",
    title="Surge exceeds the fleet",
    prevents="a sale, a match or a holiday that is announced and still a surprise",
    wrong_when="Acceptable if the autoscaler is faster than the surge, or if it is decided what is shed.",
    needs=_paying_for("surge"),
)
def survives_a_surge(_: Design, sized: _Sized) -> Iterator[Fault]:
    """A surge is a share on top of the peak, and the fleet carries it at the same target."""
    surge = sized.sizing.surge.value
    if sized.sizing.surge.assumption:
        yield Fault(
            "capacity.headroom.surge",
            f"The headroom pays for a surge of unknown size. {sized.sizing.surge.assumption}",
            "Write how far traffic may rise above the peak, such as 'surge: 30%'.",
        )
        return
    need = sized.sizing.need(sized.load_rps * (1 + surge))
    if need is None or sized.replicas < need:
        enough = "more than can be counted" if need is None else str(need)
        yield Fault(
            "capacity.headroom.surge",
            f"A surge of {surge:.0%} is {sized.load_rps * (1 + surge):,.6g} requests a second and needs {enough} "
            f"replicas; the plan has {sized.replicas}.",
            "Run what it needs, or shed what is above, and say so.",
        )


@rule(
    "CAP019",
    title="Empty cache overloads the fleet",
    prevents="an outage that starts when a cache is emptied",
    wrong_when="Acceptable if the cache is warmed before it takes traffic.",
    needs=_paying_for("cold cache"),
)
def survives_a_cold_cache(design: Design, sized: _Sized) -> Iterator[Fault]:
    """An empty cache lets everything through, and the fleet carries it until the cache is warm."""
    cold = cold_load_rps(design, sized.load_rps)
    if cold is None:
        yield Fault(
            "capacity.headroom.pays_for",
            "The headroom pays for a cold cache, and no path has a cache that hits.",
            "Name another failure, or write the cache under pattern.paths.",
        )
        return
    need = sized.sizing.need(cold)
    if need is not None and sized.replicas < need:
        yield Fault(
            "capacity.replicas",
            f"With its caches empty the fleet gets {cold:,.6g} requests a second in place of "
            f"{sized.load_rps:,.6g}, and needs {need} replicas; the plan has {sized.replicas}.",
            f"Run {need}, or warm the cache before traffic comes and shed meanwhile.",
        )


@rule(
    "CAP020",
    title="Load rises faster than the autoscaler",
    prevents="minutes of overload while new replicas start",
    wrong_when="Acceptable if requests may wait until the backlog is worked off.",
    needs=_covered,
)
def rises_before_the_autoscaler(_: Design, sized: _Sized) -> Iterator[Fault]:
    """Replicas come late, so that those that run take the rise meanwhile."""
    scaler = sized.plan.autoscaler
    if scaler is None or scaler.fastest_rise is None:
        return
    most_rps = sized.replicas / sized.seat_s
    rising_rps = sized.load_rps + scaler.fastest_rise
    backlog = or_none(formulas.surge_backlog, rising_rps, most_rps, scaler.delay)
    if backlog:
        yield Fault(
            "capacity.autoscaler.delay",
            f"{rising_rps:,.6g} requests a second come while {sized.replicas} replicas answer {most_rps:,.6g}: in "
            f"{show_seconds(scaler.delay)} without help {backlog:,.0f} queue up.",
            "Keep replicas ready for the fastest rise, start them faster, or scale ahead of known peaks.",
        )


@rule(
    "CAP021",
    title="Autoscaler bounds contradict the plan",
    prevents="an autoscaler that undoes the plan",
    wrong_when="Wrong if the plan's replicas include a reserve that the autoscaler does not run.",
    needs=_plan,
)
def autoscaler_reaches_the_plan(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Only what the autoscaler may run is there: its bounds hold the plan's replicas."""
    scaler = plan.autoscaler
    if scaler is None or plan.replicas is None:
        return
    if scaler.maximum is not None and scaler.maximum < plan.replicas:
        yield Fault(
            "capacity.autoscaler.maximum",
            f"The autoscaler stops at {scaler.maximum} replicas, and the plan has {plan.replicas}.",
            f"Let it run at least {plan.replicas}.",
        )
    elif scaler.minimum is not None and scaler.maximum is not None and scaler.minimum > scaler.maximum:
        yield Fault(
            "capacity.autoscaler.minimum",
            f"The autoscaler runs at least {scaler.minimum} replicas and at most {scaler.maximum}.",
            "Set the minimum below the maximum.",
        )


@rule(
    "CAP022",
    title="Autoscaler target above the planned utilisation",
    prevents="new replicas that start when the queue is already there",
    wrong_when="Wrong if the two targets measure different things, such as processor time and busy time.",
    needs=_plan,
)
def autoscaler_acts_at_the_target(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """Each replica that is added comes late enough without waiting for a fleet busier than planned."""
    wanted = plan.autoscaler.target if plan.autoscaler else None
    target = plan.target_utilisation
    if wanted is not None and target is not None and _below(target, wanted):
        yield Fault(
            "capacity.autoscaler.target",
            f"The autoscaler waits for a utilisation of {wanted:.0%}, and the fleet is planned for {target:.0%}.",
            f"Let it act at {target:.0%} or below.",
        )


@rule(
    "CAP023",
    title="Cost exceeds the budget",
    prevents="a bill that ends the project",
    wrong_when="Acceptable if reserved or spot prices are lower than the price in the plan.",
    needs=_plan,
)
def keeps_to_its_budget(_: Design, plan: CapacityPlan) -> Iterator[Fault]:
    """All replicas are paid for all month, whether or not requests come."""
    if plan.replicas is None or plan.cost_per_replica_hour is None or plan.budget_per_month is None:
        return
    cost = or_none(formulas.fleet_cost, plan.replicas, plan.cost_per_replica_hour, HOURS_A_MONTH)
    if cost is not None and _below(plan.budget_per_month, cost):
        yield Fault(
            "capacity.budget_per_month",
            f"{plan.replicas} replicas at ${plan.cost_per_replica_hour:,.2f} an hour cost ${cost:,.0f} in 30 days, "
            f"and the budget is ${plan.budget_per_month:,.0f}.",
            "Agree on the cost, or on a smaller failure to pay for; a faster model pays twice.",
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


def _where_it_runs(made: Generation) -> str:
    count = made.accelerators_per_replica
    return made.accelerator.name if count == 1 else f"{count} × {made.accelerator.name}"


@rule(
    "CAP024",
    title="Weights do not fit into memory",
    prevents="a replica that never starts",
    wrong_when="Wrong if some weights are kept in main memory, at the price of speed.",
    needs=_generating,
)
def weights_fit(_: Design, given: _Generating) -> Iterator[Fault]:
    """All weights of the model are in the memory of its accelerators."""
    made, memory = given.made, given.memory
    if memory.tokens is None:
        yield Fault(
            "capacity.generation.accelerator",
            f"The weights of {made.model.name} in {made.precision} are {show_bytes(memory.weights_bytes)}, and "
            f"of the {show_bytes(memory.whole_bytes)} of {_where_it_runs(made)} "
            f"{made.usable_memory:.0%} are usable.",
            "Quantise the weights, split them over more accelerators, or take a smaller model.",
        )


@rule(
    "CAP025",
    title="Sequences do not fit into memory",
    prevents="requests that are preempted, or wait, on an accelerator that computes little",
    incident="Systems before vLLM put only 20% to 38% of their KV memory to use (Kwon et al., SOSP 2023)",
    wrong_when="Wrong if sequences share a prefix, or if the model keeps fewer keys and values (sliding "
    "window, latent attention).",
    needs=_generating,
)
def sequences_fit(_: Design, given: _Generating) -> Iterator[Fault]:
    """Memory is weights and, for each sequence, its keys and values; that decides how many run at once."""
    sizing, made, memory = given
    planned, tokens = sizing.sequences, made.prompt_tokens + made.output_tokens
    fits = memory.sequences(tokens)
    if fits is not None and planned.value > fits:
        asked_bytes = planned.value * tokens * memory.bytes_per_token
        yield Fault(
            planned.path,
            f"{planned.value:.0f} sequences of {tokens:,} tokens need {show_bytes(asked_bytes)} for "
            f"keys and values; beside the weights of {show_bytes(memory.weights_bytes)} there is room for {fits}. "
            f"{planned.assumption}".rstrip(),
            f"Plan {fits} at once, or store keys and values in a smaller precision.",
        )


@rule(
    "CAP026",
    title="Decoding faster than the memory allows",
    prevents="a speed from a brochure, and half the replicas that are needed",
    wrong_when="Wrong for a mixture of experts, which reads its active weights only, and for speculative "
    "decoding, which makes several tokens from one read.",
    needs=_generating,
)
def is_below_the_roofline(design: Design, given: _Generating) -> Iterator[Fault]:
    """Each token reads all weights once from memory, and nothing is faster than the memory."""
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
        f"A token every {show_seconds(claimed_s)} is planned, and {_where_it_runs(made)} cannot read weights and cache "
        f"in less than {show_seconds(step_s)} for each: no implementation is above the roofline.",
        "Measure it; then plan with more replicas, fewer bytes a parameter, or more bandwidth.",
    )


@rule(
    "CAP027",
    title="First token later than allowed",
    prevents="users who wait before the first word, however fast the others come",
    wrong_when="Wrong for a mixture of experts, which computes with its active parameters only, and if a "
    "cached prefix shortens the prompt.",
    needs=_generating,
)
def prompt_is_read_in_time(design: Design, given: _Generating) -> Iterator[Fault]:
    """Every prompt is computed before the first token, two operations for each parameter and token."""
    latency = _latency(design)
    made, memory = given.made, given.memory
    if latency is None or latency.first_token is None or memory.compute is None:
        return
    read = (made.model.parameters, made.prompt_tokens, memory.compute, FLOPS_UTILISATION)
    first_s = or_none(formulas.time_to_first_token_s, *read)
    if first_s is not None and _below(latency.first_token, first_s):
        yield Fault(
            "requirements.latency.first_token",
            f"Reading {made.prompt_tokens:,} tokens takes {show_seconds(first_s)} at half of the peak compute of "
            f"{_where_it_runs(made)}, and the first token is due in {show_seconds(latency.first_token)}.",
            "Shorten prompts, keep the cache of their common start, or take more compute.",
        )


@rule(
    "CAP028",
    title="Context too long or too short",
    prevents="answers that are cut off, and long requests that never run",
    wrong_when="Wrong for a sliding-window model, whose cache does not grow with the whole sequence.",
    needs=_generating,
)
def context_is_long_enough(_: Design, given: _Generating) -> Iterator[Fault]:
    """The longest sequence fits in memory, and a usual one in the longest."""
    made, memory = given.made, given.memory
    longest, usual = made.context_tokens, made.prompt_tokens + made.output_tokens
    room = memory.tokens
    if longest is not None and usual > longest:
        yield Fault(
            "capacity.generation.context_tokens",
            f"A usual prompt of {made.prompt_tokens:,} tokens with its answer of {made.output_tokens:,} is longer "
            f"than the context of {longest:,}.",
            "Allow a longer context, or shorten prompts and answers.",
        )
    elif longest is not None and room is not None and longest > room:
        yield Fault(
            "capacity.generation.context_tokens",
            f"One sequence of {longest:,} tokens is longer than the {room:,} whose keys and values fit beside the "
            "weights.",
            f"Allow {room:,} tokens at most, or take more memory.",
        )
