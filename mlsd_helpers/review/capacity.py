"""Rules on the capacity of a design: replicas, headroom, queue, autoscaler, cost and memory, of each fleet."""

from collections.abc import Iterator
from math import ceil, floor, inf, isclose

from mlsd_helpers import formulas
from mlsd_helpers.analysis.graph import components_by_id, reached, steps_back, waiting_flows
from mlsd_helpers.analysis.paths import (
    answers_requests,
    burstiness_of,
    cold_load_rps,
    hit_ratio,
    peak_rps,
    together,
    warm_rps,
)
from mlsd_helpers.analysis.prediction import State, predict, service_of, writing
from mlsd_helpers.analysis.rates import mean_at_once
from mlsd_helpers.analysis.sizing import PERCENTILES, Memory, Sizing, or_none, sizings
from mlsd_helpers.analysis.surroundings import (
    MODELS,
    brought_rps,
    is_timed,
    longest_held_s,
    reaches,
    reaching_rps,
    somebody_waits,
)
from mlsd_helpers.analysis.whole import left_for
from mlsd_helpers.design import Design, FleetPlan, Generation
from mlsd_helpers.review.fleets import (
    ZONE_OUTAGE_S,
    Bill,
    Generating,
    Sized,
    a_queue_holds,
    allowed_wait_s,
    batch_s,
    behind_a_queue,
    below,
    bills_of,
    covered,
    failures_of,
    fleets_of,
    generating,
    late_answers,
    latency_of,
    name_of,
    ours,
    paying_for,
    predicted,
    promises_of,
    routing_is_to_blame,
    run_by_others,
    size_of,
    sized_fleets,
    timed,
    told_once,
    waited,
)
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.words import money
from mlsd_helpers.units import show_bytes, show_seconds

_ROUNDED = 0.01  # of a load that is written with few digits
BUSIEST_TARGET = 0.9
"""From this target on the wait, and what an error of the forecast does, have to be looked at."""
FORECAST_ERROR = 0.05
"""How far a peak may be above its forecast without surprising anybody; our estimate."""
BURSTY = 5.0
"""Variance over mean of arrivals per second from which a utilisation alone says little; Poisson has 1."""
_ROOFLINE_SLACK = (
    0.9  # input embeddings are looked up and not read: some per cent of the weights of a small model
)


@rule(
    "CAP001",
    "info",
    title="Capacity plan missing",
    prevents="a fleet whose size nobody can justify",
    wrong_when="Wrong if the design runs no fleet of its own, as with a nightly job or a vendor's API; say so under "
    "'does_not_apply'.",
)
def plan_missing(design: Design) -> Iterator[Fault]:
    """The size of a fleet follows from its load, its service time and the failures it survives."""
    if design.capacity is None:
        if design.why_not("capacity") is None and _may_need_a_fleet(design):
            yield Fault(
                "capacity",
                "The design has no plan yet.",
                "State load, service time, target utilisation and headroom.",
            )
        return
    bare = [
        one
        for one in sizings(design).values()
        if one.plan.replicas is None
        and not (one.plan.load or one.plan.service_time or one.plan.batching)  # CAP043 tells
        and not run_by_others(design, one)
    ]
    if bare:
        which = "" if len(design.fleets) == 1 else f" of {', '.join(map(name_of, bare))}"
        yield Fault(
            f"{bare[0].path}.replicas",
            f"The plan{which} does not state its replicas.",
            "Compute the number, and state it.",
        )


def _may_need_a_fleet(design: Design) -> bool:
    """Tell whether a design without a plan may have a fleet: one that answers requests with a model of its own."""
    if not answers_requests(design):
        return False
    components = design.planes.components if design.planes else ()
    return not components or any(one.kind in MODELS and not one.run_by_others for one in components)


@rule(
    "CAP002",
    title="Headroom missing",
    prevents="a fleet that is overloaded when the first replica restarts",
    wrong_when="Wrong if requests are shed on purpose meanwhile.",
    needs=ours,
)
def headroom_missing(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Replicas restart and zones fail, which takes spare replicas, unless a queue holds what comes meanwhile."""
    for sized in filter(None, map(size_of, fleets)):
        if sized.plan.headroom is not None or sized.replicas < sized.base:
            continue
        usual = [("", "the failure of one replica", sized.replicas - 1), *failures_of(sized.sizing)]
        worst = max(usual, key=lambda one: sized.busy(one[2]))
        busy = sized.busy(worst[2])
        wait_s = ZONE_OUTAGE_S * (busy - 1)
        queued = a_queue_holds(design, sized.plan)
        if queued and wait_s < allowed_wait_s(design, sized.plan):
            continue
        if busy >= (1 if queued else max(sized.target, BUSIEST_TARGET)):
            left = f"{worst[2]} of {sized.replicas} replicas"
            much = "no answer" if busy == inf else f"an offered load of {busy:.0%}"
            yield Fault(
                f"{sized.path}.headroom",
                f"The plan has no headroom: {worst[1]} leaves {left} of {name_of(sized.sizing)}, which means {much}.",
                "Choose the failure, such as the loss of a zone, and add the replicas that it takes.",
            )


@rule(
    "CAP003",
    title="Capacity plan and planes disagree",
    prevents="a plan that was changed in one of two places",
    needs=fleets_of,
)
def plan_and_planes_disagree(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """A fleet has one size, and capacity and planes state the same."""
    known = components_by_id(design.planes) if design.planes else {}
    for path, plan in ((one.path, one.plan) for one in fleets):
        if len(_plans_of_same(fleets, plan)) > 1:
            continue  # one component in several fleets, such as one in each region
        box = known.get(plan.component or "")
        for field in ("replicas", "zones"):
            drawn, planned = getattr(box, field, None), getattr(plan, field)
            if drawn is not None and planned is not None and drawn != planned:
                yield Fault(
                    f"{path}.{field}",
                    f"The plan has {planned} {field} of {plan.component}, and planes.components has {drawn}.",
                    f"State the right number in the plan and in planes.components.{plan.component}.",
                )


def _plans_of_same(fleets: tuple[Sizing, ...], plan: FleetPlan) -> list[FleetPlan]:
    """Return the plans of the fleets that run the same component, this one included."""
    if plan.component is None:
        return [plan]
    return [one.plan for one in fleets if one.plan.component == plan.component]


@rule(
    "CAP004",
    title="Replicas per zone do not add up",
    prevents="a zone that is smaller than the plan says",
    wrong_when="Wrong if zones differ in size; leave 'replicas_per_zone' out then.",
    needs=fleets_of,
)
def zones_do_not_add_up(_: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """All zones together hold the replicas of the plan."""
    for path, plan in ((one.path, one.plan) for one in fleets):
        if plan.replicas is None or plan.zones is None or plan.replicas_per_zone is None:
            continue
        if (together := plan.zones * plan.replicas_per_zone) != plan.replicas:
            yield Fault(
                f"{path}.replicas_per_zone",
                f"{plan.zones} zones of {plan.replicas_per_zone} replicas are {together}; the plan has "
                f"{plan.replicas}.",
                "Correct one of the three figures; leave replicas_per_zone out if zones differ by one.",
            )


@rule(
    "CAP005",
    title="Fleet sized below the peak",
    prevents="a fleet that is sufficient on average and overloaded at the peak",
    wrong_when="Wrong if requests reach the fleet less often than the sketch says; state the 'share' of their flow.",
    needs=fleets_of,
)
def sized_below_the_peak(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """The fleet gets every request of the peak that no cache, stored answer or other component takes."""
    throughput = design.requirements.throughput if design.requirements else None
    for one in fleets:
        same, reaches = _plans_of_same(fleets, one.plan), _reaching_rps(design, one)
        loads = [plan.load for plan in same if plan.load is not None]
        if len(loads) < len(same) or same[0] is not one.plan or reaches is None:
            continue
        load = sum(loads)
        if not below(load * (1 + _ROUNDED), reaches):
            continue
        mean = throughput.mean if throughput else None
        if not somebody_waits(design, one.plan) and mean is not None and load > mean:
            continue  # a queue absorbs the peak
        as_mean = ", which is the mean" if mean is not None and isclose(load, mean) else ""
        yield Fault(
            f"{one.path}.load",
            f"The plan is sized for {load:,.6g} requests a second{as_mean}, and {reaches:,.6g} arrive at the peak.",
            f"Size for {reaches:,.6g} a second.",
        )


def _reaching_rps(design: Design, sizing: Sizing) -> float | None:
    """Return what reaches a fleet at the peak, in requests a second: behind caches, or by the calls of the sketch."""
    if sizing.path == "capacity" or len(design.fleets) == 1:
        return together(design, lambda one: _passed_rps(one, sizing.plan))
    return together(design, lambda one: _brought_rps(one, sizing.plan))


def _brought_rps(design: Design, plan: FleetPlan) -> float | None:
    """Return what the calls of the sketch bring one of several fleets, less what the cache of its path answers."""
    brought = brought_rps(design, plan)
    paths = design.pattern.paths if design.pattern else ()
    cached = any(path.component == plan.component and hit_ratio(path) for path in paths)
    behind = reaching_rps(design, plan) if cached and brought is not None else None
    return brought if behind is None else behind


def _passed_rps(design: Design, plan: FleetPlan) -> float | None:
    """Return what of the peak no cache answers, or what a run brings; None of a workload that does not come here."""
    if not reaches(design, plan):
        return None
    known = reaching_rps(design, plan)
    return warm_rps(design, plan.component) if known is None and peak_rps(design) is not None else known


@rule(
    "CAP006",
    title="Too few replicas for the peak",
    prevents="a queue that grows for as long as the peak lasts",
    wrong_when="Acceptable if nobody waits and the backlog is worked off in time; state 'mean' and 'peak_lasts'.",
    needs=sized_fleets,
)
def too_few_replicas(design: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """The peak needs load × service time ÷ target utilisation, rounded up, while nothing fails."""
    for sized in fleets:
        if sized.replicas >= sized.base or _queue_absorbs_the_peak(design, sized):
            continue
        busy = sized.busy(sized.replicas)
        so_busy = "no answer" if busy == inf else f"a utilisation of {busy:.2f}"
        wanted = (
            f"a utilisation of {sized.target:.0%} needs {sized.base}"
            if sized.plan.target_utilisation is not None
            else f"{sized.base} are the fewest that keep up"
        )
        left = sized.sizing.left_by_zone
        zone = (
            ""
            if left is None
            else f" Without the largest zone only {left} are left, {_so_busy(sized, left)}."
        )
        yield Fault(
            f"{sized.path}.replicas",
            f"{sized.replicas} replicas for {sized.load_rps:,.6g} requests a second mean {so_busy}; {wanted}.{zone}",
            f"Run {sized.base} replicas, and spare ones for the failure that they have to survive.",
        )


def _so_busy(sized: Sized, replicas: int) -> str:
    busy = sized.busy(replicas)
    return "which is none" if busy == inf else f"with an offered load of {busy:.0%}"


def _queue_absorbs_the_peak(design: Design, sized: Sized) -> bool:
    """Tell whether nobody waits, and what a peak leaves behind is worked off within the latency budget."""
    if somebody_waits(design, sized.plan) or not sized.replicas:
        return False
    if (busy := sized.busy(sized.replicas)) < 1:
        return True
    throughput, latency = design.requirements and design.requirements.throughput, latency_of(design)
    if not throughput or not throughput.mean or throughput.mean * sized.seat_s >= sized.replicas:
        return False
    if latency is None:
        return True
    return throughput.peak_lasts is not None and throughput.peak_lasts * (busy - 1) < latency.budget


@rule(
    "CAP007",
    title="Replicas do not include the headroom",
    prevents="headroom that is written down and not there",
    wrong_when="Acceptable if the headroom is a reserve that other fleets share and that is counted "
    "elsewhere.",
    needs=covered,
)
def replicas_without_the_headroom(_: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """Headroom is a share on top of the need, and has to exist as replicas."""
    for sized in fleets:
        share = sized.sizing.headroom.value
        need = sized.sizing.need(headroom=share)
        if need is not None and sized.replicas < need:
            yield Fault(
                f"{sized.path}.replicas",
                f"{sized.replicas} replicas do not include a headroom of {share:.0%}: {sized.load_rps:,.6g} requests a "
                f"second need {need} with it, and {sized.base} without it.",
                f"Run {need} replicas or more, or state a smaller headroom and what it pays for.",
            )


@rule(
    "CAP008",
    "warning",
    title="Utilisation target too high",
    prevents="waits that double with the next percent of traffic",
    wrong_when="Wrong if the load cannot exceed the plan, as behind a rate limiter.",
    needs=waited,
)
def utilisation_target_too_high(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Waits grow like 1 / (1 − utilisation), in a large fleet later than in a small one; forecasts are never exact."""
    for one in fleets:
        target = one.plan.target_utilisation
        if target is not None and target >= BUSIEST_TARGET and (why := _too_busy(design, one, target)):
            yield Fault(
                f"{one.path}.target_utilisation",
                f"At a target utilisation of {target:.0%} {why}.",
                "Plan for 60% to 80%, or show by a simulation of your own traffic that more will do.",
            )


def _too_busy(design: Design, sizing: Sizing, target: float) -> str:
    """Say what is wrong with a target, if anything: what a wrong forecast does, or the wait."""
    plan = sizing.plan
    surge = plan.headroom is not None and "surge" in plan.headroom.pays_for
    if target * (1 + FORECAST_ERROR) >= 1 and not surge:
        return f"the fleet saturates when the load is {1 / target - 1:.1%} above its forecast"
    if plan.service_time is None or not plan.replicas or not plan.service_time.mean:
        return ""
    mean_s = plan.service_time.mean
    full = State("", plan.replicas, target * plan.replicas * plan.concurrency_per_replica / mean_s)
    found = predict(plan, full, 1.0, longest_held_s(design, plan))
    latency = latency_of(design)
    share = PERCENTILES.get(latency.percentile) if latency else 0.99
    if found is None or share is None:
        return ""
    left_s = left_for(design, plan, latency.budget) - mean_s if latency else mean_s
    if (wait_s := found.wait_s(share).least_s) <= max(left_s, 0.0):
        return ""
    limit = (
        f"and {show_seconds(max(left_s, 0.0))} are left for it" if latency else "longer than the work itself"
    )
    return f"{plan.replicas} replicas let one request in {1 / (1 - share):,.0f} wait {show_seconds(wait_s)}, {limit}"


@rule(
    "CAP009",
    title="Service time exceeds the latency budget",
    prevents="a latency target that no number of replicas meets",
    wrong_when="Wrong if the budget is for the first part of a streamed answer only.",
    needs=fleets_of,
)
def service_time_exceeds_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """More replicas do not make one answer faster, so the service time alone must fit into the budget."""
    latency = latency_of(design)
    for one in fleets:
        time = one.plan.service_time
        if latency and time and is_timed(design, one.plan) and time.mean >= latency.budget:
            yield Fault(
                f"{one.path}.service_time",
                f"One answer takes {show_seconds(time.mean)} on average without any wait, and the latency budget is "
                f"{show_seconds(latency.budget)} at {latency.percentile}.",
                "Make the model faster or smaller, compute answers ahead, or agree on another budget.",
            )


@rule(
    "CAP010",
    title="Random routing exceeds the latency budget",
    prevents="queues at some replicas while others are idle",
    wrong_when="Wrong if the parts of the latency split run at the same time.",
    needs=timed,
)
def random_routing_exceeds_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Random routing lets some replicas queue while others are idle."""
    for late in late_answers(design, fleets):
        if late.sure and routing_is_to_blame(late):
            yield Fault(
                f"{late.sizing.path}.routing",
                f"{predicted(late)}. Routing is random; one queue for all replicas would keep the promise.",
                "Send each request to the shortest queue, or to the shorter of two drawn at random.",
            )


@rule(
    "CAP011",
    "warning",
    title="Bursts without headroom",
    prevents="minutes of waiting in a fleet that is idle on average",
    incident="Azure's LLM trace of code requests of 2023: a variance of 13 times the mean in each second",
    wrong_when="Acceptable if a simulation of the measured arrivals shows that the plan holds.",
    needs=waited,
)
def bursts_without_headroom(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Utilisation counts work and not when it arrives, so bursts need headroom of their own."""
    burstiness = burstiness_of(design)
    for one in fleets if burstiness is not None and burstiness > BURSTY else ():
        headroom = one.plan.headroom
        if headroom is None or "surge" not in headroom.pays_for:
            yield Fault(
                f"{one.path}.headroom.pays_for" if headroom else f"{one.path}.headroom",
                f"The variance of arrivals is {burstiness:.4g} times their mean, where the number of replicas assumes "
                "1 (Poisson), and no headroom pays for a surge.",
                "Simulate the plan with a trace of your traffic, and size a headroom for surges from it.",
            )


@rule(
    "CAP012",
    title="Unlimited queue",
    prevents="requests that wait until nobody needs their answer any more",
    wrong_when="Wrong for an endpoint that limits its own queue; mark its component as 'managed'. Wrong for a room of "
    "people who each wait for an answer before they ask again; draw them as 'people' who call it.",
    needs=waited,
)
def queue_unlimited(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """A limited queue rejects what would be late; an unlimited one makes every request late."""
    found = [
        (
            one,
            Fault(
                f"{one.path}.queue_limit",
                f"The plan does not limit how many requests wait for a replica of {name_of(one)}, so an overload "
                "outlasts its cause.",
                f"Set queue_limit to {_queue_that_fits(design, one)}, and send the rest to the fallback.",
            ),
        )
        for one in fleets
        if one.plan.queue_limit is None
        and not behind_a_queue(design, one.plan)
        and not _asked_by_staff(design, one.plan.component)
    ]
    yield from told_once(design, found)


def _asked_by_staff(design: Design, component: str | None) -> bool:
    """Tell whether people alone call a component in the end: each asks once and waits, so no queue outgrows them."""
    if design.planes is None or component is None:
        return False
    calls = [flow for _, flow in waiting_flows(design.planes)]
    callers, called = reached([component], steps_back(calls)), {flow.end for flow in calls}
    kinds = {one.id: one.kind for one in design.planes.components}
    first = callers - called
    return bool(first) and all(kinds.get(name) == "people" for name in first)


def _queue_that_fits(design: Design, sizing: Sizing) -> str:
    """Say how many requests may wait for a replica, so that the last one is answered in time."""
    latency, time = latency_of(design), sizing.plan.service_time
    if latency is None or time is None or not time.mean or not is_timed(design, sizing.plan):
        return "what its callers wait for at most"
    share = PERCENTILES.get(latency.percentile)
    own_s = service_of(time)[0].percentile_s(share) if share else time.mean
    left_s = left_for(design, sizing.plan, latency.budget) - max(own_s, time.mean)
    if left_s <= 0:
        return "0, as the latency budget leaves no time to wait"
    allowed = floor(left_s * sizing.plan.concurrency_per_replica / time.mean + 1e-9)
    return f"{allowed} at most, which is what the latency budget leaves time for"


@rule(
    "CAP013",
    title="Batching exceeds the latency budget",
    prevents="throughput that is paid for with the latency of every request",
    wrong_when="Wrong for continuous batching, where requests join and leave at each step.",
    needs=fleets_of,
)
def batching_exceeds_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Each request of a batch waits for the batch to fill, and then for all of it."""
    latency = latency_of(design)
    for one in fleets:
        batch = one.plan.batching
        if batch is None or latency is None or not is_timed(design, one.plan):
            continue
        if (whole_s := batch_s(one.plan)) >= latency.budget:
            yield Fault(
                f"{one.path}.batching",
                f"A batch of {batch.largest} waits up to {show_seconds(batch.longest_wait)} and takes "
                f"{show_seconds(whole_s - batch.longest_wait)}, and the whole latency budget is "
                f"{show_seconds(latency.budget)}.",
                "Use smaller batches, or let them wait for less time.",
            )


@rule(
    "CAP014",
    "warning",
    title="Headroom without a purpose",
    prevents="spare replicas that are removed because nobody knows what they are for",
    wrong_when="Acceptable if the platform prescribes the share; name what the platform keeps it for.",
    needs=fleets_of,
)
def headroom_without_purpose(_: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """The failure that headroom is for decides how much is needed."""
    for one in fleets:
        headroom = one.plan.headroom
        if headroom is not None and headroom.share and not headroom.pays_for:
            yield Fault(
                f"{one.path}.headroom.pays_for",
                f"The headroom of {headroom.share:.0%} states no failure that it pays for.",
                "State the failure: rolling restart, zone loss, surge or cold cache. The share follows from it.",
            )


@rule(
    "CAP015",
    title="Zone loss overloads the rest",
    prevents="an overload of two zones by the loss of the third",
    wrong_when="Acceptable if it is decided what is shed, or degraded, while a zone is down.",
    needs=paying_for("zone loss"),
)
def zone_loss_overloads(_: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """A zone fails as a whole, and the other zones have to carry the peak."""
    for sized in fleets:
        left = sized.sizing.left_by_zone
        if left is None:
            yield Fault(
                f"{sized.path}.zones",
                "The headroom pays for the loss of a zone, and the plan has no second zone.",
                "Spread the replicas over three zones.",
            )
        elif left < sized.base and not _enough_in_all(sized):
            share = sized.sizing.headroom.value
            yield _zone_fault(sized, left, f"A headroom of {share:.0%} is too small for that.")


@rule(
    "CAP016",
    title="Replicas rounded over all zones",
    prevents="one replica too few in each zone that is left",
    wrong_when="Acceptable if a utilisation above the target will do for as long as a zone is down.",
    needs=paying_for("zone loss"),
)
def replicas_rounded_over_zones(_: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """A zone holds whole replicas, so the need is rounded up in each zone."""
    for sized in fleets:
        left = sized.sizing.left_by_zone
        if left is not None and left < sized.base and _enough_in_all(sized):
            yield _zone_fault(
                sized, left, "The need was rounded up once for all zones, and has to be in each."
            )


def _enough_in_all(sized: Sized) -> bool:
    """Say whether the replicas would suffice without rounding by zone."""
    zones = sized.plan.zones or 1
    need = sized.sizing.need(headroom=1 / (zones - 1))
    return need is not None and sized.replicas >= need


def _zone_fault(sized: Sized, left: int, why: str) -> Fault:
    zones = sized.plan.zones or 1
    layout = or_none(formulas.zone_layout, sized.load_rps, sized.seat_s, sized.target, zones)
    busy = sized.busy(left)
    so_busy = "" if busy == inf else f", at a utilisation of {busy:.2f}"
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
        f"{sized.path}.replicas",
        f"Without its largest zone of {zones}, {sized.replicas} replicas are {left}{so_busy}; the peak needs "
        f"{sized.base}. {why}",
        fix,
    )


@rule(
    "CAP017",
    title="Rolling restart overloads the rest",
    prevents="an overload by one's own release, at the peak",
    wrong_when="Wrong if new replicas start before old ones stop; state that as 'max_surge'.",
    needs=paying_for("rolling restart"),
)
def restart_overloads(_: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """A rolling restart stops a share of the replicas at once, and the others have to carry the peak."""
    for sized in fleets:
        share = sized.sizing.restart_share
        need = or_none(formulas.replicas_for_rolling_restart, sized.base, share.value)
        if need is None or sized.replicas < need:
            enough = "no number" if need is None else str(need)
            yield Fault(
                f"{sized.path}.replicas" if share.assumption else share.path,
                f"A rolling restart takes {share.value:.0%} of the {sized.replicas} replicas away at once, and "
                f"{sized.base} are needed at the peak; {enough} would be enough. {share.assumption}".rstrip(),
                "Start new replicas before old ones stop (max_surge), restart fewer at once, or away from the peak.",
            )


@rule(
    "CAP018",
    title="Surge exceeds the fleet",
    prevents="an overload by a sale, a match or a holiday that was announced",
    wrong_when="Acceptable if the autoscaler is faster than the surge, or if it is decided what is shed.",
    needs=paying_for("surge"),
)
def surge_overloads(_: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """A surge is a share on top of the peak, at the same target utilisation."""
    for sized in fleets:
        surge = sized.sizing.surge.value
        if sized.sizing.surge.assumption:
            yield Fault(
                f"{sized.path}.headroom.surge",
                f"The headroom pays for a surge of unknown size. {sized.sizing.surge.assumption}",
                "State how far traffic may rise above the peak, such as 'surge: 30%'.",
            )
            continue
        need = sized.sizing.need(sized.load_rps * (1 + surge))
        if need is None or sized.replicas < need:
            enough = "more than can be counted" if need is None else str(need)
            yield Fault(
                f"{sized.path}.headroom.surge",
                f"A surge of {surge:.0%} is {sized.load_rps * (1 + surge):,.6g} requests a second and needs {enough} "
                f"replicas; the plan has {sized.replicas}.",
                "Run that many replicas, or state which requests are shed.",
            )


@rule(
    "CAP019",
    title="Empty cache overloads the fleet",
    prevents="an outage that starts when a cache is emptied",
    wrong_when="Acceptable if the cache is warmed before it takes traffic.",
    needs=paying_for("cold cache"),
)
def cold_cache_overloads(design: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """An empty cache lets every request through until it is warm."""
    for sized in fleets:
        at_once = mean_at_once(design.planes, sized.plan.component)
        cold = cold_load_rps(design, sized.load_rps, at_once)
        if cold is None:
            yield Fault(
                f"{sized.path}.headroom.pays_for",
                "The headroom pays for a cold cache, and no path has a cache with a hit ratio.",
                "State another failure, or the cache under pattern.paths.",
            )
            continue
        busy, most = cold * sized.seat_s / sized.replicas, max(sized.target, BUSIEST_TARGET)
        if busy > most:
            need = ceil(cold * sized.seat_s / most - _ROUNDED)
            yield Fault(
                f"{sized.path}.replicas",
                f"With empty caches the fleet gets {cold:,.6g} requests a second in place of "
                f"{sized.load_rps:,.6g}, an offered load of {busy:.0%}; it takes {need} replicas to keep that at "
                f"{most:.0%}, and the plan has {sized.replicas}.",
                f"Run {need} replicas, or warm the cache before it takes traffic and shed requests meanwhile.",
            )


@rule(
    "CAP020",
    title="Load rises faster than the autoscaler",
    prevents="minutes of overload while new replicas start",
    wrong_when="Acceptable if requests may wait until the backlog is worked off.",
    needs=covered,
)
def rise_faster_than_autoscaler(design: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """New replicas take time to start, and those that run have to carry the rise meanwhile."""
    for sized in fleets:
        scaler, headroom = sized.plan.autoscaler, sized.plan.headroom
        if scaler is None or not somebody_waits(design, sized.plan):
            continue
        surge = headroom.surge if headroom and "surge" not in headroom.pays_for else None
        rise_rps = scaler.fastest_rise if scaler.fastest_rise is not None else sized.load_rps * (surge or 0.0)
        most_rps = sized.replicas / sized.seat_s
        rising_rps = sized.load_rps + rise_rps
        backlog = or_none(formulas.surge_backlog, rising_rps, most_rps, scaler.delay)
        if not backlog and (fault := _rise_from_the_minimum(sized)):
            yield fault
        if backlog:
            yield Fault(
                f"{sized.path}.autoscaler.delay",
                f"{rising_rps:,.6g} requests a second arrive and {sized.replicas} replicas answer {most_rps:,.6g}: in "
                f"the {show_seconds(scaler.delay)} until new replicas run, {backlog:,.0f} requests queue up.",
                "Keep replicas ready for the fastest rise, start them faster, or scale before known peaks.",
            )


def _rise_from_the_minimum(sized: Sized) -> Fault | None:
    """Compare the fastest rise, up to the peak, with the fewest replicas that the autoscaler keeps."""
    scaler = sized.plan.autoscaler
    kept = (scaler.minimum or 0) if scaler else 0
    if scaler is None or not scaler.fastest_rise or not 1 < kept < sized.replicas:
        return None  # of one replica or none CAP039 tells
    kept_rps = kept / sized.seat_s
    before_rps = kept_rps * min(scaler.target or sized.target, 1.0)
    after_rps = min(before_rps + scaler.fastest_rise, sized.load_rps)
    backlog = or_none(formulas.surge_backlog, after_rps, kept_rps, scaler.delay)
    if not backlog:
        return None
    return Fault(
        f"{sized.path}.autoscaler.minimum",
        f"From its minimum of {kept} replicas, {before_rps:,.6g} requests a second may rise to "
        f"{after_rps:,.6g} within {show_seconds(scaler.delay)}, and {kept} replicas answer "
        f"{kept_rps:,.6g}: {backlog:,.0f} requests queue up until new ones run.",
        f"Keep {ceil(after_rps * sized.seat_s / sized.target)} replicas before the rise, by a higher minimum or a "
        "schedule, or start them faster.",
    )


@rule(
    "CAP021",
    title="Autoscaler bounds contradict the plan",
    prevents="an autoscaler that undoes the plan",
    wrong_when="Wrong if the plan's replicas include a reserve that the autoscaler does not run.",
    needs=fleets_of,
)
def autoscaler_bounds_contradict_plan(_: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """The autoscaler's bounds have to include the plan's replicas."""
    for path, plan in ((one.path, one.plan) for one in fleets):
        scaler = plan.autoscaler
        if scaler is None or plan.replicas is None:
            continue
        if scaler.maximum is not None and scaler.maximum < plan.replicas:
            yield Fault(
                f"{path}.autoscaler.maximum",
                f"The autoscaler stops at {scaler.maximum} replicas, and the plan has {plan.replicas}.",
                f"Raise the maximum to {plan.replicas} or more.",
            )
        elif scaler.minimum is not None and scaler.maximum is not None and scaler.minimum > scaler.maximum:
            yield Fault(
                f"{path}.autoscaler.minimum",
                f"The autoscaler's minimum of {scaler.minimum} replicas is above its maximum of {scaler.maximum}.",
                "Set the minimum below the maximum.",
            )
        elif scaler.minimum is not None and scaler.minimum > plan.replicas:
            yield Fault(
                f"{path}.autoscaler.minimum",
                f"The autoscaler keeps {scaler.minimum} replicas at least, and the plan has {plan.replicas}.",
                f"Plan {scaler.minimum} replicas, with their cost, or lower the minimum.",
            )


@rule(
    "CAP022",
    title="Autoscaler target above the planned utilisation",
    prevents="new replicas that start when the queue is already there",
    wrong_when="Wrong if the two targets measure different things, such as processor time and busy time.",
    needs=fleets_of,
)
def autoscaler_target_above_plan(_: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """An autoscaler that acts above the planned utilisation acts too late."""
    for path, plan in ((one.path, one.plan) for one in fleets):
        wanted = plan.autoscaler.target if plan.autoscaler else None
        target = plan.target_utilisation
        if wanted is not None and target is not None and below(target, wanted):
            yield Fault(
                f"{path}.autoscaler.target",
                f"The autoscaler acts at a utilisation of {wanted:.0%}, and the fleet is planned for {target:.0%}.",
                f"Set its target to {target:.0%} or below.",
            )


@rule(
    "CAP023",
    title="Cost exceeds the budget",
    prevents="a bill that ends the project",
    wrong_when="Acceptable if reserved or spot prices are lower than the price in the plan.",
    needs=bills_of,
)
def cost_exceeds_budget(design: Design, bills: tuple[Bill, ...]) -> Iterator[Fault]:
    """Every replica is paid for all month, whether or not requests come."""
    for bill in bills:
        if below(bill.budget, bill.planned):
            yield Fault(
                bill.where,
                f"The planned replicas cost {money(design, bill.planned)} in 30 days, and the budget is "
                f"{money(design, bill.budget)} ({bill.text}).",
                "Agree on a larger budget or on less headroom, or make the model faster.",
            )


def _hardware(made: Generation) -> str:
    count = made.accelerators_per_replica
    return made.accelerator.name if count == 1 else f"{count} × {made.accelerator.name}"


@rule(
    "CAP024",
    title="Weights do not fit into memory",
    prevents="a replica that cannot start",
    wrong_when="Wrong if some weights are kept in main memory, at the price of speed.",
    needs=generating,
)
def weights_do_not_fit(_: Design, fleets: tuple[Generating, ...]) -> Iterator[Fault]:
    """All weights of a model have to fit into the memory of its accelerators."""
    for sizing, made, memory in fleets:
        if memory.tokens is None:
            yield Fault(
                f"{sizing.path}.generation.accelerator",
                f"The weights of {made.model.name} in {made.precision} take {show_bytes(memory.weights_bytes)}, and "
                f"{_hardware(made)} has {show_bytes(memory.whole_bytes)}, of which {made.usable_memory:.0%} can be "
                "used.",
                "Quantise the weights, split them over more accelerators, or take a smaller model.",
            )


@rule(
    "CAP025",
    title="Sequences do not fit into memory",
    prevents="requests that wait or are preempted on an accelerator with computing power to spare",
    incident="Systems before vLLM put only 20% to 38% of their KV memory to use (Kwon et al., SOSP 2023)",
    wrong_when="Wrong if the model keeps fewer keys and values than its layers and heads say (sliding window, latent "
    "attention); state kv_bytes_per_token.",
    needs=generating,
)
def sequences_do_not_fit(_: Design, fleets: tuple[Generating, ...]) -> Iterator[Fault]:
    """Memory holds the weights and, for each sequence, its keys and values; a shared prefix is held once."""
    for sizing, made, memory in fleets:
        planned = sizing.sequences
        own = floor(made.prompt_tokens * (1 - (made.prefix_cache or 0.0))) + made.output_tokens
        tokens = max(own, 1)
        fits = memory.sequences(tokens)
        if fits is not None and planned.value > fits:
            asked_bytes = planned.value * tokens * memory.bytes_per_token
            yield Fault(
                planned.path,
                f"{planned.value:.0f} sequences of {tokens:,} tokens need {show_bytes(asked_bytes)} for keys and "
                f"values, and beside the weights of {show_bytes(memory.weights_bytes)} there is room for {fits}. "
                f"{planned.assumption}".rstrip(),
                f"Plan with {fits} at once, or store keys and values in a smaller precision.",
            )


@rule(
    "CAP026",
    title="Decoding faster than the memory allows",
    prevents="half of the replicas that are needed, after a speed from a brochure",
    wrong_when="Wrong for a mixture of experts or speculative decoding that is not stated: write "
    "'active_parameters' or 'tokens_per_pass'.",
    needs=generating,
)
def faster_than_memory_bandwidth(design: Design, fleets: tuple[Generating, ...]) -> Iterator[Fault]:
    """Each pass of a model reads the weights that it uses from memory, and the keys and values of all sequences."""
    for sizing, made, memory in fleets:
        step_s = _step_s(sizing, made, memory)
        if step_s is None:
            continue
        least_s, time = step_s * _ROOFLINE_SLACK, sizing.plan.service_time
        claimed_s = time.mean / made.output_tokens if time and made.output_tokens else None
        gaps = [one for one in promises_of(design, "gap between tokens") if is_timed(design, sizing.plan)]
        if claimed_s is not None and claimed_s < least_s:
            yield _above_the_roofline(f"{sizing.path}.service_time", made, claimed_s, step_s)
        elif gaps and (shortest := min(gaps, key=lambda one: one[1].within))[1].within < least_s:
            yield _above_the_roofline(shortest[0], made, shortest[1].within, step_s)


def _step_s(sizing: Sizing, made: Generation, memory: Memory) -> float | None:
    """Return the least time for one token of each of all planned sequences, in seconds."""
    if memory.bandwidth is None:
        return None
    pass_s = or_none(
        formulas.decode_step_s,
        memory.bandwidth,
        memory.read_bytes,
        sizing.sequences.value,
        memory.bytes_per_token,
        made.prompt_tokens + made.output_tokens / 2,
    )
    return None if pass_s is None else pass_s / max(made.tokens_per_pass or 1.0, 1.0)


def _above_the_roofline(where: str, made: Generation, claimed_s: float, step_s: float) -> Fault:
    return Fault(
        where,
        f"The plan makes a token every {show_seconds(claimed_s)}, and {_hardware(made)} takes at least "
        f"{show_seconds(step_s)} a token to read what {made.model.name} uses of its weights, and the cache of all "
        "sequences.",
        "Measure it, or plan with fewer sequences at once, fewer bytes a parameter, or more bandwidth.",
    )


@rule(
    "CAP027",
    title="First token later than allowed",
    prevents="users who wait for the first word, however fast the others come",
    wrong_when="Wrong for a mixture of experts or a cached prefix that is not stated: write 'active_parameters' or "
    "'prefix_cache'.",
    needs=generating,
)
def first_token_too_late(design: Design, fleets: tuple[Generating, ...]) -> Iterator[Fault]:
    """The whole prompt is computed before the first token: two operations a parameter and token."""
    for sizing, made, _ in fleets:
        takes = writing(sizing)
        if takes is None or not is_timed(design, sizing.plan):
            continue
        for where, promise in promises_of(design, "first token"):
            if below(promise.within, takes.first_s.least_s):
                yield Fault(
                    where,
                    f"Reading {made.prompt_tokens:,} tokens takes at least {show_seconds(takes.first_s.least_s)} at "
                    f"the peak compute of {_hardware(made)}, and the first token may take "
                    f"{show_seconds(promise.within)}.",
                    "Shorten prompts, cache their common prefix, or use more compute.",
                )
                break


@rule(
    "CAP028",
    title="Context too long or too short",
    prevents="answers that are cut off, and long requests that never run",
    wrong_when="Wrong for a sliding-window model, whose cache does not grow with the whole sequence.",
    needs=generating,
)
def context_does_not_fit(_: Design, fleets: tuple[Generating, ...]) -> Iterator[Fault]:
    """The longest sequence has to fit into memory, and a usual one into the longest."""
    for sizing, made, memory in fleets:
        longest, usual = made.context_tokens, made.prompt_tokens + made.output_tokens
        room, where = memory.tokens, f"{sizing.path}.generation.context_tokens"
        if longest is not None and usual > longest:
            yield Fault(
                where,
                f"A usual prompt of {made.prompt_tokens:,} tokens and its answer of {made.output_tokens:,} exceed the "
                f"context of {longest:,}.",
                "Allow a longer context, or shorten prompts and answers.",
            )
        elif longest is not None and room is not None and longest > room:
            yield Fault(
                where,
                f"A context of {longest:,} tokens exceeds the {room:,} whose keys and values fit into memory beside "
                "the weights.",
                f"Allow {room:,} tokens at most, or use more memory.",
            )
