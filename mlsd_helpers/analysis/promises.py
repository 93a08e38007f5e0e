"""What keeps a promise from being judged, and what is judged by arithmetic: runs, and answers in time."""

import math
from typing import NamedTuple

from mlsd_helpers import formulas
from mlsd_helpers.analysis.graph import components_by_id, reached, steps_along
from mlsd_helpers.analysis.jobs import Job, computed_s, fleet_of, run_of, slowest_quota, waits_of_calls
from mlsd_helpers.analysis.prediction import Answers as PredictedAnswers
from mlsd_helpers.analysis.prediction import Prediction, Service, State, predict
from mlsd_helpers.analysis.request import has_fallback
from mlsd_helpers.analysis.sizing import Sizing, largest_zone, or_none
from mlsd_helpers.analysis.surroundings import Callers, Fallbacks, callers_of
from mlsd_helpers.analysis.whole import Elsewhere
from mlsd_helpers.design import Design, FleetPlan, Promise
from mlsd_helpers.units import show_seconds, show_share

_SENT = ("request", "events", "batch", "features")


def offline(design: Design, plan: FleetPlan, share: float | None) -> str:
    """Say that more devices are out of reach than a percentile leaves out, where a fleet works on what they send."""
    planes, share = design.planes, 1.0 if share is None else share
    if planes is None:
        return ""
    steps = steps_along(flow for flow in planes.flows if flow.carries in _SENT)
    for one in planes.components:
        away = 1 - one.devices.online if one.devices and one.devices.online is not None else 0.0
        if away > 1 - share + 1e-9 and (plan.component is None or plan.component in reached([one.id], steps)):
            return (
                f"{show_share(away)} of the devices of {one.id} are offline at any one time, what they send arrives "
                "later, and the simulation starts when it has arrived"
            )
    return ""


def cut_off(design: Design, target: float) -> str:
    """Say that more devices are offline than may be without an answer, where they ask and have none of their own."""
    planes = design.planes
    known = components_by_id(planes) if planes else {}
    for flow in planes.flows if planes else ():
        devices = known[flow.start].devices
        away = 1 - devices.online if devices and devices.online is not None else 0.0
        if flow.carries == "request" and away > 1 - target + 1e-9 and not has_fallback(flow):
            return f"{show_share(away)} of the devices of {flow.start} are offline at any one time and get no answer"
    return ""


class Rise(NamedTuple):
    """The replicas that may be all there are while load rises to the peak."""

    answers: Prediction
    words: str
    assumed: bool
    """Whether the design does not say how fast load rises, so that it may jump."""

    def late(self, promise: Promise, share: float | None, elsewhere: Elsewhere) -> str:
        """Say that they break a promise; empty where they keep it."""
        if promise.what == "gap between tokens":
            return ""
        if promise.what == "first token" or share is None:
            least_s = self.answers.wait_s(share or 0.5).least_s
        else:
            least_s = self.answers.response_s(share).least_s
        return "" if elsewhere.whole(least_s).most_s < promise.within else self.words


def rising(sizing: Sizing, busy: float | None = None) -> Rise | None:
    """Return what answers while load rises to the peak; None where all planned replicas do.

    `busy` is how many replicas a generation keeps busy at the peak, by its tokens.
    """
    plan, scaler, load = sizing.plan, sizing.plan.autoscaler, sizing.load_rps
    least = scaler.minimum if scaler else None
    if scaler is None or least is None or not load or not plan.replicas or least >= plan.replicas:
        return None
    seat_s = sizing.seat_s or (None if busy is None else busy / load)
    before = 0.0
    if scaler.fastest_rise is not None and seat_s:
        target = scaler.target or plan.target_utilisation or 1.0
        before = math.ceil(max(load - scaler.fastest_rise, 0.0) * seat_s / target - 1e-9)
    replicas = min(max(least, int(before)), plan.replicas)
    if replicas == plan.replicas:
        return None
    state = State("", replicas, load)
    found = predict(plan, state)
    if busy is not None and busy >= replicas:
        nothing = PredictedAnswers(Service(1.0, 0.0), None)
        found = Prediction(*state, nothing, nothing)
    if found is None:
        return None
    rise = "" if scaler.fastest_rise is not None else f"; {sizing.path}.autoscaler.fastest_rise is not stated"
    return Rise(
        found,
        f"{replicas} of {plan.replicas} replicas may be all there are for {show_seconds(scaler.delay)} while load "
        f"rises to the peak{rise}",
        scaler.fastest_rise is None,
    )


def shares_in_time(found: Prediction, sizing: Sizing, callers: Callers) -> tuple[float, ...]:
    """Return the least and the most that a fleet answers in time, by its service time; the same where it is certain."""
    if found.overloaded:
        busy = found.load_rps * (sizing.seat_s or 0.0)
        return (0.0, 1.0 if callers.retries else min(found.replicas / busy, 1.0) if busy else 0.0)
    refused = refused_shares(sizing, found)
    late = (
        (0.0, 0.0)
        if math.isinf(callers.timeout_s)
        else (found.least.later_than(callers.timeout_s), found.most.later_than(callers.timeout_s))
    )
    lost = [min(one + other, 1.0) for one, other in zip(refused, late, strict=True)]
    return (1 - lost[1], 1 - lost[0] ** (1 + callers.retries))


def grows_without_end(design: Design, found: Prediction, sizing: Sizing) -> bool:
    """Tell whether the queue of an overloaded fleet is a wait for all: nothing limits it, and no call fails.

    A call that has no timeout never fails, so that none of its fallbacks answers either.
    """
    plan = sizing.plan
    if not found.overloaded or plan.queue_limit is not None or plan.autoscaler:
        return False
    return math.isinf(callers_of(design, plan).timeout_s) or not Fallbacks.of(design, plan).answer


def refused_shares(sizing: Sizing, found: Prediction) -> tuple[float, float]:
    """Return the share of requests that a limited queue refuses, at least and at most.

    The formula is for exponential service times: steadier ones refuse fewer where there is room to wait, and those that
    spread further may refuse any share.
    """
    plan, limit = sizing.plan, sizing.plan.queue_limit
    if limit is None or plan.service_time is None or plan.batching:
        return 0.0, 0.0 if limit is None else 1.0
    slots, mean_s, rate = plan.concurrency_per_replica, plan.service_time.mean, found.load_rps
    shared = (found.replicas * slots, found.replicas * (slots + limit), rate, mean_s)
    own = (slots, slots + limit, rate / found.replicas, mean_s)
    best, worst = (or_none(formulas.mmck_blocking, *queue) for queue in (shared, own))
    if plan.routing == "random":
        best = worst
    if plan.routing == "central queue" or found.replicas == 1:
        worst = best
    steady = limit and found.least.service.scv < 1
    at_most = 1.0 if worst is None or found.most.service.scv > 1 else worst
    return 0.0 if steady else best or 0.0, at_most


class RunInTime(NamedTuple):
    """How long a run takes, in seconds, and whether that is within its deadline; None where it is open."""

    limit_s: float
    takes_s: float
    in_time: bool | None
    why: str


def run_in_time(design: Design) -> RunInTime | None:
    """Compare the run of a design with its deadline, by arithmetic; None where there is no deadline."""
    run = run_of(design)
    if run is None or not (limit_s := run.schedule.allowed):
        return None
    paths = design.pattern.paths if design.pattern else ()
    scored = {path.id: computed_s(design, path) for path in paths if path.pattern == "pre-computed"}
    last = [job for job in run.jobs if job.name in scored][-1:] or run.jobs[-1:]  # a hand-over may follow
    stated = [job.where for job in last if run.scoring_known and scored.get(job.name) is None]
    stated = [where for where in stated if "pattern" not in where] or [
        f"pattern.paths.{name}.precompute.job_time" for name, time_s in scored.items() if time_s is None
    ]
    asked, quota_s = slowest_quota(design, run)
    rest_s = math.fsum(job.time_s for job in run.jobs if job not in last)
    if rest_s + quota_s > max(limit_s, run.time_s):
        why = f"the calls of {asked} take {show_seconds(quota_s)} within its quota"
        return RunInTime(limit_s, rest_s + quota_s, False, why)
    met: bool | None = run.time_s <= limit_s
    why = ""
    waits_s, slow = waits_of_calls(design, run)
    by_fleet = [job for job in run.jobs if job.stated_s is not None]
    if not met and by_fleet:
        named = " and ".join(f"{job.name} {show_seconds(job.stated_s or 0.0)}" for job in by_fleet)
        why = f"by the fleet's service time and replicas; stated for {named}"
    elif met and not run.scoring_known:
        return RunInTime(limit_s, math.nan, None, "no job says how long the scoring takes")
    elif met and stated:
        met = None
        why = (
            f"{stated[0]} is what the design states, and nothing computes it; give the fleet that does the work its "
            "service_time and replicas, and the path its keys"
        )
    elif met and run.time_s + waits_s > limit_s:
        most = "without limit" if math.isinf(waits_s) else show_seconds(waits_s)
        met, why = None, f"{slow} may wait {most} for its calls, retries included, which comes on top"
    return RunInTime(limit_s, run.time_s, met, why)


def run_in_zone_loss(design: Design) -> RunInTime | None:
    """Compare a run with its deadline when its fleets have lost their largest zone; None where there is no deadline.

    At least, a fleet works on all items with the replicas that are left; at most, each job that has zones takes
    longer by as much as replicas are lost. Where these differ in verdict, or zones are not stated, it is open.
    """
    run, plain = run_of(design), run_in_time(design)
    if run is None or plain is None:
        return None
    least_s, most_s, unknown, away = 0.0, 0.0, list[str](), list[str]()
    for job in run.jobs:
        slower = _slower_without_a_zone(design, job)
        if slower is None:
            unknown.append(job.name)
        elif math.isinf(slower.most):
            away.append(job.component or job.name)
        least_s += max(job.stated_s or job.time_s, slower.fleet_s) if slower else job.time_s
        most_s += job.time_s * (slower.most if slower else 1.0)
    if away:
        return RunInTime(
            plain.limit_s, math.inf, False, f"nothing is left of {' and '.join(dict.fromkeys(away))}"
        )
    if least_s > plain.limit_s:
        return RunInTime(plain.limit_s, least_s, False, "with the replicas that a zone's loss leaves")
    if plain.in_time is not True:
        return plain._replace(takes_s=least_s)
    why = ""
    if unknown:
        why = f"the design does not state the zones of what works on {' and '.join(unknown)}"
    elif most_s > plain.limit_s:
        why = f"up to {show_seconds(most_s)} if each job slows down by the replicas that are lost"
    return RunInTime(plain.limit_s, least_s if why else most_s, None if why else True, why)


class _Slower(NamedTuple):
    """What the loss of the largest zone does to a job: the time of its fleet then, and how many times as long."""

    fleet_s: float
    most: float


def _slower_without_a_zone(design: Design, job: Job) -> _Slower | None:
    """Return how much longer a job takes without the largest zone; None where its zones are not known."""
    component = components_by_id(design.planes).get(job.component or "") if design.planes else None
    if component and (component.managed or component.run_by_others):
        return _Slower(0.0, 1.0)
    paths = [path for path in (design.pattern.paths if design.pattern else ()) if path.id == job.name]
    found = fleet_of(design, paths[0]) if paths else None
    plan = found[1] if found else None
    replicas = (plan and plan.replicas) or (component and component.replicas)
    zones = (plan and plan.zones) or (component and component.zones)
    if not replicas or not zones:
        return None
    in_a_zone = max(largest_zone(replicas, zones), (plan and plan.replicas_per_zone) or 0)
    left = replicas - min(in_a_zone, replicas)
    if left == 0:
        return _Slower(math.inf, math.inf)
    needed_s = (computed_s(design, paths[0]) or 0.0) if paths else 0.0
    return _Slower(needed_s * replicas / left, replicas / left)
