"""Rules on the capacity of a design: replicas, headroom, queue, autoscaler, cost and memory, of each fleet."""

from collections.abc import Callable, Iterator
from math import floor, inf, isclose
from typing import NamedTuple

from mlsd_helpers import formulas
from mlsd_helpers.analysis.cost import CostRow, costs_of
from mlsd_helpers.analysis.graph import components_by_id
from mlsd_helpers.analysis.paths import answers_requests, cold_load_rps, peak_rps, warm_rps
from mlsd_helpers.analysis.prediction import Prediction, State, Writing, predict, predictions, writing
from mlsd_helpers.analysis.sizing import HOURS_A_MONTH, PERCENTILES, Memory, Sizing, or_none, sizings
from mlsd_helpers.analysis.surroundings import (
    MODELS,
    Elsewhere,
    Fallbacks,
    callers_of,
    calls_of,
    is_timed,
    left_for,
    percentile_reaching,
    share_reaching,
    somebody_waits,
    unplanned_models,
)
from mlsd_helpers.design import Design, FleetPlan, Generation, Latency
from mlsd_helpers.design.requirements import Promise
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.words import money
from mlsd_helpers.units import hour, show_bytes, show_seconds

BUSIEST_TARGET = 0.9
"""From this target on the wait, and what an error of the forecast does, have to be looked at."""
FORECAST_ERROR = 0.05
"""How far a peak may be above its forecast without surprising anybody; our estimate."""
BURSTY = 5.0
"""Variance over mean of arrivals per second from which a utilisation alone says little; Poisson has 1."""
ZONE_OUTAGE_S = hour
"""How long a zone is taken to be away where a queue holds what comes meanwhile; our estimate."""
_ROOFLINE_SLACK = (
    0.9  # input embeddings are looked up and not read: some per cent of the weights of a small model
)
_SLACK = 1.02  # of a predicted time, which is an approximation


def _fleets(design: Design) -> tuple[Sizing, ...] | None:
    """Return every fleet that has a plan."""
    return tuple(sizings(design).values()) or None


def _run_by_others(design: Design, sizing: Sizing) -> bool:
    """Tell whether somebody else answers for the replicas of a fleet, and so for its headroom and its queue."""
    known = components_by_id(design.planes) if design.planes else {}
    one = known.get(sizing.plan.component or "")
    return one is not None and one.run_by_others


def _waited(design: Design) -> tuple[Sizing, ...] | None:
    """Return the fleets of our own for whose answers somebody may wait, and whose replicas are counted."""
    return (
        tuple(
            one
            for one in _fleets(design) or ()
            if one.plan.replicas and not _run_by_others(design, one) and somebody_waits(design, one.plan)
        )
        or None
    )


class _Sized(NamedTuple):
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
        return self.sizing.path

    def busy(self, replicas: int) -> float:
        """Return the utilisation of so many replicas."""
        return self.load_rps * self.seat_s / replicas if replicas else inf


def _size(sizing: Sizing) -> _Sized | None:
    """Return a fleet where its plan says enough to compare its size with a need; without a target, with the load."""
    load, seat_s, plan = sizing.load_rps, sizing.seat_s, sizing.plan
    if plan.replicas is None or load is None or seat_s is None:
        return None
    target, base = plan.target_utilisation, sizing.base
    if target is None:
        target, base = 1.0, floor(load * seat_s) + 1
    return None if base is None else _Sized(sizing, plan, plan.replicas, load, seat_s, target, base)


def _sized(design: Design) -> tuple[_Sized, ...] | None:
    return tuple(one for sizing in _fleets(design) or () if (one := _size(sizing))) or None


def _covered(design: Design) -> tuple[_Sized, ...] | None:
    """Return the fleets whose replicas suffice while nothing fails."""
    return tuple(one for one in _sized(design) or () if one.replicas >= one.base) or None


def _paying_for(failure: str) -> Callable[[Design], tuple[_Sized, ...] | None]:
    """Return what finds the fleets whose headroom pays for a failure."""

    def find(design: Design) -> tuple[_Sized, ...] | None:
        found = _covered(design) or ()
        return (
            tuple(one for one in found if one.plan.headroom and failure in one.plan.headroom.pays_for) or None
        )

    return find


def _latency(design: Design) -> Latency | None:
    return design.requirements.latency if design.requirements else None


def _name(sizing: Sizing) -> str:
    """Return what a message calls a fleet."""
    return sizing.plan.component or sizing.plan.id or "the fleet"


def _failures(sizing: Sizing) -> Iterator[tuple[str, str, int]]:
    """Yield the failures that every fleet meets: its name, in words, and the replicas that it leaves."""
    replicas = sizing.plan.replicas or 0
    if sizing.left_by_zone is not None:
        yield "zone loss", "the loss of the largest zone", sizing.left_by_zone
    if sizing.down_in_restart:
        words = f"a rolling restart of {sizing.restart_share.value:.0%} at a time"
        yield "rolling restart", words, replicas - sizing.down_in_restart


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
        if one.plan.replicas is None and not _run_by_others(design, one)
    ]
    if bare:
        which = "" if len(design.fleets) == 1 else f" of {', '.join(map(_name, bare))}"
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
    wrong_when="Wrong if nobody waits for the answers, or if requests are shed on purpose meanwhile.",
    needs=_waited,
)
def headroom_missing(_: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Replicas restart and zones fail, which takes spare replicas."""
    for sized in filter(None, map(_size, fleets)):
        if sized.plan.headroom is not None or sized.replicas < sized.base:
            continue
        usual = [("", "the failure of one replica", sized.replicas - 1), *_failures(sized.sizing)]
        worst = max(usual, key=lambda one: sized.busy(one[2]))
        if (busy := sized.busy(worst[2])) >= 1:
            left = f"{worst[2]} of {sized.replicas} replicas"
            much = "no answer" if busy == inf else f"an offered load of {busy:.0%}"
            yield Fault(
                f"{sized.path}.headroom",
                f"The plan has no headroom: {worst[1]} leaves {left} of {_name(sized.sizing)}, which means {much}.",
                "Choose the failure, such as the loss of a zone, and add the replicas that it takes.",
            )


@rule(
    "CAP003",
    title="Capacity plan and planes disagree",
    prevents="a plan that was changed in one of two places",
    needs=_fleets,
)
def plan_and_planes_disagree(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """A fleet has one size, and capacity and planes state the same."""
    known = components_by_id(design.planes) if design.planes else {}
    for path, plan in ((one.path, one.plan) for one in fleets):
        box = known.get(plan.component or "")
        for field in ("replicas", "zones"):
            drawn, planned = getattr(box, field, None), getattr(plan, field)
            if drawn is not None and planned is not None and drawn != planned:
                yield Fault(
                    f"{path}.{field}",
                    f"The plan has {planned} {field} of {plan.component}, and planes.components has {drawn}.",
                    f"State the right number in the plan and in planes.components.{plan.component}.",
                )


@rule(
    "CAP004",
    title="Replicas per zone do not add up",
    prevents="a zone that is smaller than the plan says",
    wrong_when="Wrong if zones differ in size; leave 'replicas_per_zone' out then.",
    needs=_fleets,
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
    needs=_fleets,
)
def sized_below_the_peak(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """The fleet gets every request of the peak that no cache, stored answer or other component takes."""
    throughput = design.requirements.throughput if design.requirements else None
    for one in fleets:
        load, reaches = one.plan.load, _reaching_rps(design, one)
        if load is None or reaches is None or not _below(load, reaches):
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
        return warm_rps(design, sizing.plan.component)
    peak, calls = peak_rps(design), calls_of(design, sizing.plan)
    return None if peak is None or calls is None else peak * calls


def _below(one: float, other: float) -> bool:
    return one < other and not isclose(one, other, rel_tol=1e-9)


@rule(
    "CAP006",
    title="Too few replicas for the peak",
    prevents="a queue that grows for as long as the peak lasts",
    wrong_when="Acceptable if nobody waits and the backlog is worked off in time; state 'mean' and 'peak_lasts'.",
    needs=_sized,
)
def too_few_replicas(design: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
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
        yield Fault(
            f"{sized.path}.replicas",
            f"{sized.replicas} replicas for {sized.load_rps:,.6g} requests a second mean {so_busy}; {wanted}.",
            f"Run {sized.base} replicas, and spare ones for the failure that they have to survive.",
        )


def _queue_absorbs_the_peak(design: Design, sized: _Sized) -> bool:
    """Tell whether nobody waits, and what a peak leaves behind is worked off within the latency budget."""
    if somebody_waits(design, sized.plan) or not sized.replicas:
        return False
    if (busy := sized.busy(sized.replicas)) < 1:
        return True
    throughput, latency = design.requirements and design.requirements.throughput, _latency(design)
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
    needs=_covered,
)
def replicas_without_the_headroom(_: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
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
    needs=_waited,
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
    found, latency = predict(plan, full), _latency(design)
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
    needs=_fleets,
)
def service_time_exceeds_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """More replicas do not make one answer faster, so the service time alone must fit into the budget."""
    latency = _latency(design)
    for one in fleets:
        time = one.plan.service_time
        if latency and time and is_timed(design, one.plan) and time.mean >= latency.budget:
            yield Fault(
                f"{one.path}.service_time",
                f"One answer takes {show_seconds(time.mean)} on average without any wait, and the latency budget is "
                f"{show_seconds(latency.budget)} at {latency.percentile}.",
                "Make the model faster or smaller, compute answers ahead, or agree on another budget.",
            )


# ---- predicted latency


class _Late(NamedTuple):
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


def _timed(design: Design) -> tuple[Sizing, ...] | None:
    """Return the fleets that a promise is about, whose service alone is fast enough."""
    if (latency := _latency(design)) is None:
        return None
    return (
        tuple(
            one
            for one in _fleets(design) or ()
            if is_timed(design, one.plan)
            and (one.plan.service_time is None or one.plan.service_time.mean < latency.budget)
            and _batch_s(one.plan) < latency.budget
        )
        or None
    )


def _batch_s(plan: FleetPlan) -> float:
    """Return how long the first request of a full batch takes; 0 without batches."""
    if (batch := plan.batching) is None:
        return 0.0
    time_s = or_none(formulas.batch_time_s, batch.largest, batch.fixed_time, batch.time_per_item)
    return batch.longest_wait + (time_s or 0.0)


def _late(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[_Late]:
    """Yield, for each fleet, the first promise that it breaks for certain, or else the first that it may break."""
    for one in fleets:
        found = [late for calm in predictions(design, one) for late in _broken(design, one, calm)]
        if found:
            yield min(found, key=lambda late: (not late.sure, late.by_fallback))


def _broken(design: Design, sizing: Sizing, found: Prediction) -> Iterator[_Late]:
    latency, elsewhere = _latency(design), Elsewhere.of(design, sizing.plan)
    fallback = Fallbacks.of(design, sizing.plan).answer
    timeout_s = callers_of(design, sizing.plan).timeout_s if fallback else inf
    reaching = share_reaching(design, sizing.load_rps) if sizing.path == "capacity" else 1.0
    for promise in latency.promises if latency and not found.overloaded else ():
        share = PERCENTILES.get(promise.percentile)
        if promise.what != "whole answer" or share is None:
            continue
        # The split is of the budget; at a lower percentile its parts may be shorter.
        split = share >= PERCENTILES.get(latency.percentile, 1.0) if latency else False
        least_s, most_s = (elsewhere.least_s, elsewhere.most_s) if split else (0.0, 0.0)
        percentile = percentile_reaching(share, reaching)
        allowed, left_s = 1 - percentile, promise.within - least_s
        late = found.least.later_than(max(left_s * _SLACK, 0.0)) > allowed
        slow = found.most.later_than(max(promise.within - most_s, 0.0)) > allowed
        cut_off = timeout_s + least_s < promise.within and found.least.later_than(timeout_s) > allowed
        if late or slow or cut_off:
            in_time = timeout_s + most_s < promise.within
            sure = late and timeout_s + least_s >= promise.within
            if sure or cut_off or not in_time:
                yield _Late(sizing, promise, found, percentile, elsewhere, sure, cut_off and not sure)


def _predicted(late: _Late) -> str:
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
    other = f", {late.elsewhere} pass elsewhere" if late.elsewhere.most_s else ""
    return (
        f"With {found.replicas} replicas at {found.load_rps:,.6g} requests a second{when}, {name} of "
        f"{_name(late.sizing)} is {range_}{other}, and a whole answer may take "
        f"{show_seconds(late.promise.within)} at {late.promise.percentile}"
    )


def _routing_is_to_blame(late: _Late) -> bool:
    """Tell whether random routing alone breaks a promise: one queue for all replicas would keep it."""
    plan, found = late.sizing.plan, late.during
    if plan.routing != "random":
        return False
    state = State(found.during, found.replicas, found.load_rps)
    shared = predict(plan.changed(routing="central queue"), state)
    left_s = late.promise.within - late.elsewhere.least_s
    return shared is not None and shared.least.later_than(max(left_s, 0.0)) <= 1 - late.percentile


@rule(
    "CAP010",
    title="Random routing exceeds the latency budget",
    prevents="queues at some replicas while others are idle",
    wrong_when="Wrong if the parts of the latency split run at the same time.",
    needs=_timed,
)
def random_routing_exceeds_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Random routing lets some replicas queue while others are idle."""
    for late in _late(design, fleets):
        if late.sure and _routing_is_to_blame(late):
            yield Fault(
                f"{late.sizing.path}.routing",
                f"{_predicted(late)}. Routing is random; one queue for all replicas would keep the promise.",
                "Send each request to the shortest queue, or to the shorter of two drawn at random.",
            )


@rule(
    "CAP011",
    "warning",
    title="Bursts without headroom",
    prevents="minutes of waiting in a fleet that is idle on average",
    incident="Azure's LLM trace of code requests of 2023: a variance of 13 times the mean in each second",
    wrong_when="Acceptable if a simulation of the measured arrivals shows that the plan holds.",
    needs=_waited,
)
def bursts_without_headroom(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Utilisation counts work and not when it arrives, so bursts need headroom of their own."""
    throughput = design.requirements.throughput if design.requirements else None
    burstiness = throughput.burstiness if throughput else None
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
    wrong_when="Wrong for an endpoint that limits its own queue; mark its component as 'managed'.",
    needs=_waited,
)
def queue_unlimited(_: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """A limited queue rejects what would be late; an unlimited one makes every request late."""
    for one in fleets:
        if one.plan.queue_limit is None:
            yield Fault(
                f"{one.path}.queue_limit",
                f"The plan does not limit how many requests wait for a replica of {_name(one)}, so an overload "
                "outlasts its cause.",
                "Set queue_limit to what the latency budget leaves time for, and send the rest to the fallback.",
            )


@rule(
    "CAP013",
    title="Batching exceeds the latency budget",
    prevents="throughput that is paid for with the latency of every request",
    wrong_when="Wrong for continuous batching, where requests join and leave at each step.",
    needs=_fleets,
)
def batching_exceeds_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Each request of a batch waits for the batch to fill, and then for all of it."""
    latency = _latency(design)
    for one in fleets:
        batch = one.plan.batching
        if batch is None or latency is None or not is_timed(design, one.plan):
            continue
        if (whole_s := _batch_s(one.plan)) >= latency.budget:
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
    needs=_fleets,
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
    needs=_paying_for("zone loss"),
)
def zone_loss_overloads(_: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
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
    needs=_paying_for("zone loss"),
)
def replicas_rounded_over_zones(_: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
    """A zone holds whole replicas, so the need is rounded up in each zone."""
    for sized in fleets:
        left = sized.sizing.left_by_zone
        if left is not None and left < sized.base and _enough_in_all(sized):
            yield _zone_fault(
                sized, left, "The need was rounded up once for all zones, and has to be in each."
            )


def _enough_in_all(sized: _Sized) -> bool:
    """Say whether the replicas would suffice without rounding by zone."""
    zones = sized.plan.zones or 1
    need = sized.sizing.need(headroom=1 / (zones - 1))
    return need is not None and sized.replicas >= need


def _zone_fault(sized: _Sized, left: int, why: str) -> Fault:
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
    needs=_paying_for("rolling restart"),
)
def restart_overloads(_: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
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
    needs=_paying_for("surge"),
)
def surge_overloads(_: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
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
    needs=_paying_for("cold cache"),
)
def cold_cache_overloads(design: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
    """An empty cache lets every request through until it is warm."""
    for sized in fleets:
        cold = cold_load_rps(design, sized.load_rps)
        if cold is None:
            yield Fault(
                f"{sized.path}.headroom.pays_for",
                "The headroom pays for a cold cache, and no path has a cache with a hit ratio.",
                "State another failure, or the cache under pattern.paths.",
            )
            continue
        need = sized.sizing.need(cold)
        if need is not None and sized.replicas < need:
            yield Fault(
                f"{sized.path}.replicas",
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
def rise_faster_than_autoscaler(design: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
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
        if backlog:
            yield Fault(
                f"{sized.path}.autoscaler.delay",
                f"{rising_rps:,.6g} requests a second arrive and {sized.replicas} replicas answer {most_rps:,.6g}: in "
                f"the {show_seconds(scaler.delay)} until new replicas run, {backlog:,.0f} requests queue up.",
                "Keep replicas ready for the fastest rise, start them faster, or scale before known peaks.",
            )


@rule(
    "CAP021",
    title="Autoscaler bounds contradict the plan",
    prevents="an autoscaler that undoes the plan",
    wrong_when="Wrong if the plan's replicas include a reserve that the autoscaler does not run.",
    needs=_fleets,
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


@rule(
    "CAP022",
    title="Autoscaler target above the planned utilisation",
    prevents="new replicas that start when the queue is already there",
    wrong_when="Wrong if the two targets measure different things, such as processor time and busy time.",
    needs=_fleets,
)
def autoscaler_target_above_plan(_: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """An autoscaler that acts above the planned utilisation acts too late."""
    for path, plan in ((one.path, one.plan) for one in fleets):
        wanted = plan.autoscaler.target if plan.autoscaler else None
        target = plan.target_utilisation
        if wanted is not None and target is not None and _below(target, wanted):
            yield Fault(
                f"{path}.autoscaler.target",
                f"The autoscaler acts at a utilisation of {wanted:.0%}, and the fleet is planned for {target:.0%}.",
                f"Set its target to {target:.0%} or below.",
            )


class _Bill(NamedTuple):
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


def _bills(design: Design) -> tuple[_Bill, ...] | None:
    """Return each budget of a plan with what it has to pay: a fleet's own, or that of all with everything priced."""
    if design.capacity is None:
        return None
    found, rows = list[_Bill](), [one for one in costs_of(design) if one.per_month]
    of_fleet = {one.path.removesuffix(".cost_per_replica_hour"): one for one in rows}
    for path, plan in design.fleets.items():
        own = of_fleet.get(path)
        if path != "capacity" and plan.budget_per_month is not None and own:
            found.append(_bill(f"{path}.budget_per_month", plan.budget_per_month, [own], [own]))
    if design.capacity.budget_per_month is not None and rows:
        fleets = [one for path, one in of_fleet.items() if path in design.fleets]
        found.append(_bill("capacity.budget_per_month", design.capacity.budget_per_month, fleets, rows))
    return tuple(found) or None


def _bill(where: str, budget: float, fleets: list[CostRow], rows: list[CostRow]) -> _Bill:
    dear = sorted(rows, key=lambda one: -(one.highest or 0.0))
    text = "; ".join(f"{one.what}: {one.how}" for one in dear[:3])
    more = "" if len(dear) <= 3 else f"; and {len(dear) - 3} more"
    planned = sum(one.per_month or 0.0 for one in fleets)
    priced = max((one.highest or 0.0 for one in rows if ".price." in one.path), default=0.0)
    return _Bill(where, budget, planned, sum(one.highest or 0.0 for one in rows), text + more, priced)


@rule(
    "CAP023",
    title="Cost exceeds the budget",
    prevents="a bill that ends the project",
    wrong_when="Acceptable if reserved or spot prices are lower than the price in the plan.",
    needs=_bills,
)
def cost_exceeds_budget(design: Design, bills: tuple[_Bill, ...]) -> Iterator[Fault]:
    """Every replica is paid for all month, whether or not requests come."""
    for bill in bills:
        if _below(bill.budget, bill.planned):
            yield Fault(
                bill.where,
                f"The planned replicas cost {money(design, bill.planned)} in 30 days, and the budget is "
                f"{money(design, bill.budget)} ({bill.text}).",
                "Agree on a larger budget or on less headroom, or make the model faster.",
            )


class _Generating(NamedTuple):
    """A fleet that generates, with what one of its replicas makes and holds."""

    sizing: Sizing
    made: Generation
    memory: Memory


def _generating(design: Design) -> tuple[_Generating, ...] | None:
    return (
        tuple(
            _Generating(one, one.plan.generation, one.memory)
            for one in _fleets(design) or ()
            if one.plan.generation and one.memory
        )
        or None
    )


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
def weights_do_not_fit(_: Design, fleets: tuple[_Generating, ...]) -> Iterator[Fault]:
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
    needs=_generating,
)
def sequences_do_not_fit(_: Design, fleets: tuple[_Generating, ...]) -> Iterator[Fault]:
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
    needs=_generating,
)
def faster_than_memory_bandwidth(design: Design, fleets: tuple[_Generating, ...]) -> Iterator[Fault]:
    """Each pass of a model reads the weights that it uses from memory, and the keys and values of all sequences."""
    for sizing, made, memory in fleets:
        step_s = _step_s(sizing, made, memory)
        if step_s is None:
            continue
        least_s, time = step_s * _ROOFLINE_SLACK, sizing.plan.service_time
        claimed_s = time.mean / made.output_tokens if time and made.output_tokens else None
        gaps = [one for one in _promises(design, "gap between tokens") if is_timed(design, sizing.plan)]
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


def _promises(design: Design, what: str) -> list[tuple[str, Promise]]:
    """Return what is promised of one kind, each with its place."""
    latency = _latency(design)
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
    needs=_generating,
)
def first_token_too_late(design: Design, fleets: tuple[_Generating, ...]) -> Iterator[Fault]:
    """The whole prompt is computed before the first token: two operations a parameter and token."""
    for sizing, made, _ in fleets:
        takes = writing(sizing)
        if takes is None or not is_timed(design, sizing.plan):
            continue
        for where, promise in _promises(design, "first token"):
            if _below(promise.within, takes.first_s.least_s):
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
    needs=_generating,
)
def context_does_not_fit(_: Design, fleets: tuple[_Generating, ...]) -> Iterator[Fault]:
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


# ---- promises against the plan's own figures


@rule(
    "CAP029",
    title="Predicted latency exceeds the budget",
    prevents="a latency target that the plan's own figures miss on the first day",
    wrong_when="Wrong if the parts of the latency split run at the same time.",
    needs=_timed,
)
def predicted_latency_exceeds_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Service times vary and requests wait: their percentile by queueing theory has to fit into the budget."""
    for late in _late(design, fleets):
        if late.sure and not _routing_is_to_blame(late):
            yield Fault(
                f"{late.sizing.path}.service_time"
                if late.sizing.plan.service_time
                else f"{late.sizing.path}.batching",
                f"{_predicted(late)}.",
                "Make the model faster or its times steadier, add replicas where requests wait, or agree on another "
                "budget.",
            )
    for one in fleets:
        takes = writing(one)
        if takes is None or one.plan.service_time is not None:
            continue
        before_s = Elsewhere.of(design, one.plan).least_s
        for where, promise in _promises(design, "whole answer"):
            answer_s = takes.answer_s(None).least_s
            if answer_s + before_s >= promise.within:
                yield Fault(
                    where,
                    f"An answer of {takes.mean_tokens:,.0f} tokens takes at least {show_seconds(answer_s)}, and "
                    f"{show_seconds(before_s)} pass elsewhere; it may take {show_seconds(promise.within)} in all.",
                    "Write shorter answers, use more bandwidth, or agree on another budget.",
                )
                break


@rule(
    "CAP030",
    "warning",
    title="Latency may exceed the budget",
    prevents="a latency target that holds only if everything turns out well",
    wrong_when="Acceptable if a load test of the fleet has shown the percentile; note it as evidence.",
    needs=_timed,
)
def latency_may_exceed_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """What a plan leaves open, such as routing or the spread of its service times, decides its percentiles."""
    for late in _late(design, fleets):
        if late.sure:
            continue
        path, plan, open_ = late.sizing.path, late.sizing.plan, list[tuple[str, str, str]]()
        if plan.routing is None and (plan.replicas or 0) > 1:
            open_.append((f"{path}.routing", "which routing", "state 'routing' (random is the worst)"))
        if plan.service_time and not late.during.spread_known:
            open_.append(
                (f"{path}.service_time", "how service times spread", "state the 'scv' of the service time")
            )
        if late.elsewhere.most_s > late.elsewhere.least_s:
            why = late.elsewhere.why
            open_.append(("requirements.latency.split", "how long other parts take", why))
        if late.by_fallback:
            where, reason = (
                f"{path}.service_time",
                (
                    "Its callers give up before, so that at this percentile the fallback answers and not the model."
                ),
            )
            fix = "Make the model faster, or state that so many answers may come from the fallback."
        elif open_:
            where, reason = (
                open_[0][0],
                f"The plan leaves open {' and '.join(words for _, words, _ in open_)}.",
            )
            told = "; ".join(fix for _, _, fix in open_)
            fix = f"{told[0].upper()}{told[1:]}; or keep more time in reserve."
        else:
            where = f"{path}.service_time" if plan.service_time else f"{path}.batching"
            reason = "The longer time is the worst that this routing and these bursts may do."
            fix = "Simulate it, and add replicas or choose a routing that knows the queues."
        yield Fault(where, f"{_predicted(late)}. {reason}", fix)


@rule(
    "CAP031",
    title="Queue limit exceeds the time to wait",
    prevents="replicas that are busy with requests whose callers have given up",
    wrong_when="Wrong if requests that have waited too long are dropped before they are served.",
    needs=_timed,
)
def queue_limit_exceeds_time_to_wait(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """The last request of a full queue waits for all before it, and must still be answered in time."""
    for one in fleets:
        plan, limit = one.plan, one.plan.queue_limit
        if not limit or plan.service_time is None or plan.batching or not plan.service_time.mean:
            continue
        mean_s, latency = plan.service_time.mean, _latency(design)
        seat_s = mean_s / plan.concurrency_per_replica
        left_s = left_for(design, plan, latency.budget) - mean_s if latency else inf
        first = [promise.within for _, promise in _promises(design, "first token")]
        takes = writing(one)
        reading_s = takes.first_s.least_s if takes else 0.0
        if plan.generation and first and min(first) > reading_s:
            left_s = min(left_s, min(first) - reading_s)
        if limit * seat_s > max(left_s, 0.0) * (1 + 1e-9):
            allowed = max(floor(left_s / seat_s + 1e-9), 0)
            yield Fault(
                f"{one.path}.queue_limit",
                f"The last of {limit} requests in the queue of a replica waits {show_seconds(limit * seat_s)}, at "
                f"{show_seconds(seat_s)} each; budget, first token and timeouts leave {show_seconds(max(left_s, 0.0))} "
                "to wait, with mean service times.",
                f"Set queue_limit to {allowed} at most, and answer the rest by the fallback at once.",
            )


@rule(
    "CAP032",
    title="Too many requests refused or given up",
    prevents="an availability target that the fleet itself misses, with every component up",
    wrong_when="Wrong if another component answers what is refused; state it as the fallback of the call.",
    needs=_timed,
)
def too_many_refused(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """A full queue refuses requests and a short timeout gives them up: both are requests without an answer."""
    target = (
        design.requirements.availability.target
        if design.requirements and design.requirements.availability
        else None
    )
    for one in fleets if target is not None and target < 1 else ():
        found = predictions(design, one)[:1]
        timeout_s = callers_of(design, one.plan).timeout_s
        if not found or found[0].overloaded or Fallbacks.of(design, one.plan).answer:
            continue
        late = found[0].least.later_than(timeout_s) if timeout_s < inf else 0.0
        full = _refused(one, found[0])
        if late + full > (1 - (target or 0.0)) * _SLACK:
            limit = "unlimited" if one.plan.queue_limit is None else str(one.plan.queue_limit)
            timeout = show_seconds(timeout_s) if timeout_s < inf else "missing"
            yield Fault(
                f"{one.path}.queue_limit" if full > late else f"{one.path}.service_time",
                f"{late + full:.3%} of the requests at the peak get no answer from {_name(one)} (queue limit {limit}, "
                f"timeout {timeout}), nothing answers in its place, and {1 - (target or 0.0):.3%} may be lost.",
                "Give the call a fallback, add replicas, or set a timeout that so few requests exceed.",
            )


def _refused(sizing: Sizing, found: Prediction) -> float:
    """Return the share of requests that a limited queue refuses at the peak, at least."""
    plan, limit = sizing.plan, sizing.plan.queue_limit
    if limit is None or plan.service_time is None or plan.batching:
        return 0.0
    slots, mean_s, rate = plan.concurrency_per_replica, plan.service_time.mean, found.load_rps
    if plan.routing == "random":
        queue = (slots, slots + limit, rate / found.replicas, mean_s)
    else:
        queue = (found.replicas * slots, found.replicas * (slots + limit), rate, mean_s)
    # With room to wait, steady service times refuse fewer than exponential ones, for which the formula is.
    least = found.least.service
    return 0.0 if limit and least.scv < 1 else or_none(formulas.mmck_blocking, *queue) or 0.0


@rule(
    "CAP033",
    "warning",
    title="Failure not planned for",
    prevents="the overload by a failure that nobody thought of and everybody meets",
    wrong_when="Acceptable if it is decided what is shed, or degraded, meanwhile; accept the finding with that reason.",
    needs=_waited,
)
def failure_not_planned_for(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Zones fail and every release restarts replicas, whether or not a plan names them."""
    timed = _timed(design) or ()
    kept = {one.path for one in timed} - {late.sizing.path for late in _late(design, timed) if late.sure}
    for one in fleets:
        plan = one.plan
        paid = plan.headroom.pays_for if plan.headroom else ()
        if (sized := _size(one)) is None:
            if plan.headroom is None:
                yield Fault(
                    f"{one.path}.headroom",
                    f"The plan has {plan.replicas} replicas of {_name(one)}, and neither states which failure they "
                    "survive nor the load and service time that would tell.",
                    "State load, service_time, target_utilisation, and the failure that the headroom pays for.",
                )
            continue
        if sized.replicas < sized.base:
            continue
        judged = design if one.path in kept else None  # others are late without any further failure
        hit = [
            (words, left, why)
            for name, words, left in _failures(one)
            if name not in paid
            and (why := _unbearable(judged, sized, left, certain=plan.headroom is not None))
        ]
        if hit:
            told = "; ".join(
                f"{words} leaves {left} of {sized.replicas} replicas, {why}" for words, left, why in hit
            )
            yield Fault(
                f"{one.path}.headroom.pays_for" if plan.headroom else f"{one.path}.headroom",
                f"Not planned for: {told}.",
                "Add replicas for it and name it under pays_for, or decide what is shed meanwhile.",
            )


def _unbearable(design: Design | None, sized: _Sized, left: int, *, certain: bool) -> str:
    """Say what is wrong with so many replicas at the peak, if anything.

    A plain overload counts only where it is `certain` to be said here, and a percentile only with a design.
    """
    if (busy := sized.busy(left)) >= 1:
        so_busy = "which is none" if busy == inf else f"with an offered load of {busy:.0%}"
        return so_busy if certain else ""
    latency = _latency(design) if design else None
    if design is None or latency is None or not is_timed(design, sized.plan):
        return ""
    share = PERCENTILES.get(latency.percentile)
    found = predict(sized.plan, State("", left, sized.load_rps))
    left_s = latency.budget - Elsewhere.of(design, sized.plan).least_s
    if share is None or found is None or found.least.later_than(max(left_s * _SLACK, 0.0)) <= 1 - share:
        return ""
    return f"{busy:.0%} busy, with a {latency.percentile} of {show_seconds(found.response_s(share).least_s)}"


# ---- generation against its promises


@rule(
    "CAP034",
    "warning",
    title="Promises on generation do not fit together",
    prevents="a streamed answer that starts late, or that ends long after its budget",
    wrong_when="Acceptable if long answers are cut off, or promised apart from usual ones; write that limit as "
    "'context_tokens' or as a promise of its own.",
    needs=_latency,
)
def generation_promises_do_not_fit(design: Design, latency: Latency) -> Iterator[Fault]:
    """The first token waits for all that comes before it, and a whole answer for each of its tokens."""
    fleets = [one for one in _fleets(design) or () if one.plan.generation and is_timed(design, one.plan)]
    yield from _late_first_token(design, fleets)
    yield from _late_last_token(design, latency, fleets)


def _late_first_token(design: Design, fleets: list[Sizing]) -> Iterator[Fault]:
    promises = _promises(design, "first token")
    for one in fleets if promises else ():
        takes, elsewhere = writing(one), Elsewhere.of(design, one.plan)
        least_s, most_s = takes.first_s if takes else (0.0, 0.0)
        for where, promise in promises:
            share = PERCENTILES.get(promise.percentile)
            calm = predictions(design, one)[:1]
            wait_s = calm[0].wait_s(share).least_s if calm and share and not calm[0].overloaded else 0.0
            if least_s <= promise.within < most_s + wait_s + elsewhere.most_s:
                yield Fault(
                    where,
                    f"The first token may take {show_seconds(promise.within)}: reading the prompt takes "
                    f"{show_seconds(least_s)} to {show_seconds(most_s)} by the data sheet, the wait for a place "
                    f"{show_seconds(wait_s)}, and other parts, as far as they come before, {elsewhere}.",
                    "Take what comes before the model off the promise: call it at once, shorten it, or promise more.",
                )
                break


def _late_last_token(design: Design, latency: Latency, fleets: list[Sizing]) -> Iterator[Fault]:
    for one in fleets:
        takes = writing(one)
        before_s = Elsewhere.of(design, one.plan).most_s
        for where, promise in _promises(design, "whole answer") if takes else ():
            share = PERCENTILES.get(promise.percentile)
            slow_s = takes.answer_s(share).most_s if takes else 0.0
            quick_s = takes.answer_s(None).least_s if takes else 0.0
            if quick_s + before_s < promise.within <= slow_s + before_s and takes:
                yield Fault(
                    where,
                    f"An answer of {_long(takes, share)} takes {show_seconds(slow_s)} by the data sheet, with "
                    f"{show_seconds(before_s)} elsewhere, and may take {show_seconds(promise.within)}.",
                    "Limit the length of answers, use more bandwidth, or promise more.",
                )
                return
    if not latency.first_token or not latency.per_token:
        return
    lengths = [takes for one in fleets if (takes := writing(one))]
    outputs = [one.tokens.output for one in (design.planes.components if design.planes else ()) if one.tokens]
    if not lengths and outputs and max(outputs):
        lengths = [Writing((0.0, 0.0), (0.0, 0.0), max(outputs), inf)]  # type: ignore[arg-type]
    share = PERCENTILES.get(latency.percentile)
    for takes in lengths[:1]:
        promised_s = latency.first_token + (takes.tokens(share) - 1) * latency.per_token
        if promised_s > latency.budget * (1 + 1e-9):
            yield Fault(
                "requirements.latency.per_token",
                f"At the promised pace, {show_seconds(latency.first_token)} and then "
                f"{show_seconds(latency.per_token)} a token, an answer of {_long(takes, share)} takes "
                f"{show_seconds(promised_s)}, and the latency budget is {show_seconds(latency.budget)} at "
                f"{latency.percentile}.",
                "Promise a shorter gap or a longer answer, or limit the length of answers.",
            )


def _long(takes: Writing, share: float | None) -> str:
    tokens = takes.tokens(share)
    if share is None:
        return f"{tokens:,.0f} tokens"
    if tokens >= takes.most_tokens:
        return f"{tokens:,.0f} tokens, the most that the context allows,"
    return f"{tokens:,.0f} tokens (p{100 * share:.4g}, if lengths are lognormal with an SCV of 1)"


# ---- releases, queues, money


_WARM = ("warm", "standby", "stand-by", "running", "side by side", "blue")


@rule(
    "CAP035",
    "warning",
    title="Release without replicas",
    prevents="a shadow or a warm old version that takes its replicas from the users",
    wrong_when="Acceptable if releases run where other replicas are idle; say so in 'because' and write the number.",
    needs=_waited,
)
def release_without_replicas(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """A shadow answers every request that it copies a second time, and an old version that is kept warm needs room."""
    release = design.planes.release if design.planes else None
    if release is None:
        return
    warm = release.rollback_to is not None and any(word in release.rollback_to.lower() for word in _WARM)
    why = [
        words
        for words, given in (
            (f"a shadow of {show_seconds(release.shadow or 0.0)}", release.shadow),
            ("an old version that is kept warm", warm),
        )
        if given
    ]
    known = components_by_id(design.planes) if design.planes else {}
    bare = [
        one
        for one in fleets
        if one.plan.release_replicas is None
        and (one.plan.component not in known or known[one.plan.component].kind in MODELS)
    ]
    if why and bare:
        need = ", ".join(f"{_name(one)} {one.base}" for one in bare if one.base is not None)
        whole = f"; scoring all of the peak twice takes {need}" if need and release.shadow else ""
        yield Fault(
            f"{bare[0].path}.release_replicas",
            f"The release has {' and '.join(why)}, and the plan has no replicas for it{whole}.",
            "State release_replicas: for all requests, or for the sample that a shadow scores.",
        )


@rule(
    "CAP036",
    "warning",
    title="Headroom where a queue would do",
    prevents="replicas that are paid for all year and needed in an hour of it",
    wrong_when="Wrong if a zone may be away for longer, or if what waits is lost.",
    needs=_covered,
)
def headroom_where_a_queue_would_do(design: Design, fleets: tuple[_Sized, ...]) -> Iterator[Fault]:
    """Where nobody waits, a queue holds what arrives while a zone is away, and it is worked off afterwards."""
    latency = _latency(design)
    for sized in fleets:
        plan, zones = sized.plan, sized.plan.zones or 1
        paid = plan.headroom.pays_for if plan.headroom else ()
        spare = sized.replicas - sized.base
        if (
            latency is None
            or somebody_waits(design, plan)
            or "zone loss" not in paid
            or zones < 2
            or spare < 1
        ):
            continue
        left = sized.base - -(-sized.base // zones)
        busy = sized.busy(left)
        left_s = (
            latency.budget
            - Elsewhere.of(design, plan).most_s
            - (plan.service_time.mean if plan.service_time else 0.0)
        )
        wait_s = ZONE_OUTAGE_S * max(busy - 1, 0.0)
        if wait_s < left_s and spare > zones:
            price = plan.cost_per_replica_hour
            cost = "" if price is None else f", {money(design, spare * price * HOURS_A_MONTH)} a month"
            yield Fault(
                f"{sized.path}.headroom.pays_for",
                f"Nobody waits for {_name(sized.sizing)}. With {sized.base} replicas, the loss of a zone for "
                f"{show_seconds(ZONE_OUTAGE_S)} at the peak would make requests wait {show_seconds(wait_s)}, and "
                f"{show_seconds(left_s)} are allowed: {spare} replicas are more than that needs{cost}.",
                f"Run {sized.base} replicas and let the queue hold the rest, or say why it must not.",
            )


@rule(
    "CAP037",
    "warning",
    title="Model without a fleet",
    prevents="a bottleneck that is in no plan",
    wrong_when="Wrong if it runs within a component that is planned, or if others run it: mark it as 'managed'.",
    needs=_fleets,
)
def model_without_a_fleet(design: Design, _: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Each model that requests wait for needs replicas of its own, and the slowest one decides."""
    if bare := unplanned_models(design):
        names = ", ".join(f"{one.id} ({one.kind})" for one in bare)
        planned = ", ".join(_name(one) for one in sizings(design).values())
        yield Fault(
            f"planes.components.{bare[0].id}",
            f"Requests wait for {names}, and the plan has no such fleet; it plans {planned}.",
            "Add a plan for each under capacity.fleets, with load, service time and replicas.",
        )


@rule(
    "CAP038",
    "warning",
    title="Bill may exceed the budget",
    prevents="a bill that nobody expected, in the month that was busiest",
    wrong_when="Acceptable if a limit on spending stops the autoscaler before.",
    needs=_bills,
)
def bill_may_exceed_budget(design: Design, bills: tuple[_Bill, ...]) -> Iterator[Fault]:
    """The autoscaler's maximum is what may have to be paid for, together with prices by use and all further costs."""
    for bill in bills:
        alone = bill.planned > bill.budget or bill.largest_price > bill.budget  # has a rule of its own
        if _below(bill.budget, bill.at_most) and not alone:
            yield Fault(
                bill.where,
                f"Up to {money(design, bill.at_most)} may fall due in 30 days ({bill.text}); the planned replicas are "
                f"{money(design, bill.planned)}, and the budget is {money(design, bill.budget)}.",
                "Lower the maximum to what the budget pays for, or agree on a larger budget.",
            )


@rule(
    "CAP039",
    "warning",
    title="Autoscaler down to one replica or none",
    prevents="a first request of the morning that waits for a start, or a night on one machine",
    wrong_when="Acceptable if nobody minds the first request, as in an internal tool.",
    needs=_waited,
)
def autoscaler_down_to_one(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """What an autoscaler has switched off is not there when a request comes or a replica fails."""
    latency = _latency(design)
    for one in fleets:
        scaler, replicas = one.plan.autoscaler, one.plan.replicas or 0
        if scaler is None or scaler.minimum is None or scaler.minimum > 1 or replicas < 2:
            continue
        if scaler.minimum == 0 and latency and scaler.delay >= latency.budget:
            found = (
                f"With a minimum of 0, the first request waits {show_seconds(scaler.delay)} for a replica, and the "
                f"latency budget is {show_seconds(latency.budget)}."
            )
        else:
            found = f"With a minimum of {scaler.minimum}, no second replica is there when one fails at a quiet hour."
        yield Fault(f"{one.path}.autoscaler.minimum", found, "Keep two replicas at least, in two zones.")
