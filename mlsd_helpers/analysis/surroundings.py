"""What surrounds a fleet: who calls it, how often, who waits for it, and who answers in its place.

>>> from mlsd_helpers import cases
>>> design = cases.load("harbour_pay")
>>> callers_of(design, design.capacity).timeout_s
0.42
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from mlsd_helpers.analysis.graph import (
    components_by_id,
    own_entries,
    own_flows,
    reached,
    steps_along,
    steps_back,
    waiting_flows,
)
from mlsd_helpers.analysis.paths import (
    JOBS,
    behind_queues,
    each_workload,
    entries_of,
    order_of,
    peak_rps,
    promised,
    queue_takes_the_peak,
    run_rps,
    together,
    warm_rps,
)
from mlsd_helpers.analysis.rates import calls_per_request, mean_at_once, shares_reaching
from mlsd_helpers.analysis.request import (
    calls_by_component,
    counts_as_answered,
    longest_calls_s,
    outside_of,
)
from mlsd_helpers.design import Component, Design, FleetPlan, Flow, Planes

_OF_JOBS = {*JOBS, "event stream"}


def _waiting(design: Design) -> list[Flow]:
    return [flow for _, flow in waiting_flows(design.planes)] if design.planes else []


def somebody_waits(design: Design, plan: FleetPlan) -> bool:
    """Tell whether somebody may be waiting for the answers of a fleet; False where jobs or events feed it alone.

    Where the sketch does not show the fleet, somebody waits unless the system runs on a schedule. Of a workload, its
    own requests count; of a design with several workloads, those of any. A promise over a queue waits like a caller,
    unless it leaves the queue time to take the peak; one that ends before the queue does not.

    >>> from mlsd_helpers import cases
    >>> [somebody_waits(case, case.capacity) for case in map(cases.load, ("harbour_pay", "shopify_products"))]
    [True, False]
    """
    if design.views:
        return any(somebody_waits(one, plan) for one in design.views)
    needs = design.requirements
    known = components_by_id(design.planes) if design.planes else {}
    component = known.get(plan.component or "")
    if component is None:
        return not (needs and needs.schedule and not needs.latency and not needs.throughput)
    if needs and needs.latency and needs.latency.until and not is_promised(design, component.id):
        return False
    return _is_waited_for(design, component) or (
        promised(design) is not design
        and not queue_takes_the_peak(design)
        and _is_waited_for(promised(design), component)
    )


def is_promised(design: Design, component: str) -> bool:
    """Tell whether an answer takes its way over a component: by calls, and by the hand-overs that a promise spans."""
    if design.planes is None:
        return False
    through = promised(design)
    return component in reached(entries_of(through.planes or design.planes), steps_along(_waiting(through)))


def _is_waited_for(design: Design, component: Component) -> bool:
    known = components_by_id(design.planes) if design.planes else {}
    flows = _waiting(design)
    before = reached([component.id], steps_back(flows))
    called = {flow.end for flow in flows}
    fed = {flow.end for flow in (design.planes.flows if design.planes else ()) if flow.carries in _FEEDS}
    if design.planes and design.planes.asked:
        named = own_entries(design.planes, [name for name in before if name not in called])
        return any(known[name].kind not in _OF_JOBS for name in named if name in before)
    entries = [known[name] for name in before if name not in called]
    if not entries:  # a cycle
        return True
    aside = behind_queues(design.planes) if design.planes else frozenset[str]()
    return any(
        entry.kind not in _OF_JOBS
        and entry.id not in aside
        and not (entry.id == component.id and entry.id in fed)
        for entry in entries
    )


def no_fleet_waited_for(design: Design) -> str:
    """Say why no fleet is judged by the requests of a design: none is planned for them, or events lead to it."""
    of, paths = (
        design.workload.id if design.workload else None,
        design.pattern.paths if design.pattern else (),
    )
    own = [path.component for path in paths if of is None or not path.workload or of in path.workload]
    planned = [
        name for name in own if name and any(plan.component == name for plan in design.fleets.values())
    ]
    if not planned:
        return "its requests wait for no fleet that is planned"
    return (
        f"its work comes to {', '.join(dict.fromkeys(planned))} by events or in batches, which neither the formulas "
        "nor the simulation follow"
    )


_FEEDS = ("events", "batch", "command")
_QUEUED = ("request", "events", "predictions", "alert", "command")


def is_timed(design: Design, plan: FleetPlan) -> bool:
    """Tell whether the latency requirement is about a fleet: named in its split, waited for, or the only fleet."""
    latency = design.requirements.latency if design.requirements else None
    if latency is None or not reaches(design, plan):
        return False
    if latency.until and plan.component and design.planes and design.planes.component(plan.component):
        return is_promised(design, plan.component)
    if len(design.fleets) <= 1 or any(part.component == plan.component for part in latency.split):
        return True
    return somebody_waits(design, plan)


def reaches(design: Design, plan: FleetPlan) -> bool:
    """Tell whether requests of a workload come to a fleet; of a design without workloads, all do.

    A fleet that the sketch does not show, and one that no workload reaches, may be anybody's.
    """
    if design.planes is None or design.planes.asked is None or plan.component is None:
        return True
    if all(one.id != plan.component for one in design.planes.components):
        return True
    return _comes_to(design, plan.component) or not any(
        _comes_to(one, plan.component) for one in design.others
    )


def _comes_to(design: Design, component: str) -> bool:
    if design.planes is None:
        return False
    planes = promised(design).planes or design.planes
    queues = {one.id for one in planes.components if one.kind == "event stream"}
    flows = [
        *_waiting(promised(design)),
        *(one for _, one in own_flows(planes) if one.carries in _QUEUED and queues & {one.start, one.end}),
    ]
    called = {flow.end for flow in flows}
    found = dict.fromkeys(flow.start for flow in flows if flow.start not in called)
    paths = design.pattern.paths if design.pattern else ()
    own = {path.component for path in paths if path.workload}
    return component in own | reached(own_entries(design.planes, found), steps_along(flows))


def brought_rps(design: Design, plan: FleetPlan) -> float | None:
    """Return what the calls of the sketch bring a fleet at the peak; of a workload by the clock, during its run."""
    rate, calls = peak_rps(design) or run_rps(design), calls_of(design, plan)
    return None if rate is None or calls is None else rate * calls


def calls_of(design: Design, plan: FleetPlan) -> float | None:
    """Return how many calls reach a fleet for one request of a user; None where the sketch does not tell."""
    planes = promised(design).planes
    return calls_per_request(planes).get(plan.component or "") if planes else None


def required_rps(design: Design, plan: FleetPlan) -> float | None:
    """Return what the requirements bring a fleet at the peak, in requests a second; None where that is not known.

    The peak, times how often the sketch calls the component for a request, less what caches and stored answers take.
    Fleets of one component share it as their loads are. None where nobody waits: a queue absorbs the peak. All
    workloads are added up, and among them runs by the clock that use a fleet for whose answers others wait.

    >>> from mlsd_helpers.design import CapacityPlan, Requirements
    >>> needs = Requirements(throughput={"peak": "500 rps"})
    >>> plan = CapacityPlan(load="50 rps")
    >>> required_rps(Design(name="d", requirements=needs, capacity=plan), plan)
    500.0
    """
    if not any(_required_rps(one, plan) for one in each_workload(design) if peak_rps(one)):
        return None
    return together(design, lambda one: _required_rps(one, plan))


def _required_rps(design: Design, plan: FleetPlan) -> float | None:
    if peak_rps(design) is not None and not somebody_waits(design, plan):
        return None
    reaching, part = reaching_rps(design, plan), _part_of_fleet(design, plan)
    return None if reaching is None or part is None else reaching * part


def reaching_rps(design: Design, plan: FleetPlan) -> float | None:
    """Return what a design, or one workload alone, brings the component of a fleet at the peak; None if not known."""
    peak = peak_rps(design)
    if peak is None:
        return brought_rps(design, plan)
    planes = promised(design).planes
    calls = shares_reaching(planes).get(plan.component or "") if planes else None
    paths = design.pattern.paths if design.pattern else ()
    passed = (warm_rps(design, plan.component) or 0.0) / peak
    peak *= mean_at_once(planes, plan.component)
    if calls is None:
        return peak * passed if len(design.fleets) == 1 else None
    named = {path.component for path in paths if path.component}
    if plan.component not in named:
        before = named & _called_by(
            planes, plan.component
        )  # a cache takes load off what stands behind it alone
        passed = 1.0 if before else passed or 1.0
    # A share that is stated may be what a cache leaves already; to take both would count the cache twice.
    return peak * (passed * calls if calls > 1 else min(passed, calls))


def _called_by(planes: Planes | None, component: str | None) -> set[str]:
    """Return what a component calls, directly or by way of others."""
    if planes is None or component is None:
        return set()
    return reached([component], steps_along(flow for _, flow in waiting_flows(planes))) - {component}


def _part_of_fleet(design: Design, plan: FleetPlan) -> float | None:
    """Return the share of what comes to a component that comes to one of its fleets; None where it is not known."""
    same = [one for one in design.fleets.values() if one.component == plan.component]
    loads = [one.load for one in same if one.load]
    if len(same) > 1 and (plan.load is None or len(loads) < len(same)):
        return None
    return plan.load / math.fsum(loads) if len(same) > 1 and plan.load else 1.0


def share_reaching(design: Design, load_rps: float | None) -> float:
    """Return the share of requests that the answering fleet answers; caches and stored answers take the others.

    >>> share_reaching(Design(name="d"), 100.0)
    1.0
    """
    peak, warm = peak_rps(design), warm_rps(design)
    if not peak or not warm or not load_rps or warm >= peak or load_rps > warm * (1 + 1e-9):
        return 1.0
    return load_rps / peak


def percentile_reaching(percentile: float, share: float) -> float:
    """Return the percentile of a fleet's answers that is `percentile` of all, where it answers a share of them.

    All others are taken as quicker: with 80% answered by a cache, the p99 of all is the p95 of the rest. At least the
    median, since the others take time as well.

    >>> round(percentile_reaching(0.99, 0.2), 6)
    0.95
    """
    return max(1 - (1 - percentile) / share, 0.5)


def lookups_s(design: Design) -> dict[str, float]:
    """Return how long a request looks features up in the feature store that it calls, in seconds; none of several.

    By `dataflow.lookup`, at the percentile of the latency requirement.
    """
    lookup = design.dataflow.lookup if design.dataflow else None
    if not lookup or not design.planes:
        return {}
    kept = {one.id for one in design.planes.components if one.kind == "feature store"}
    called = kept & {flow.end for flow in _waiting(promised(design))}
    return {called.pop(): lookup.time_s} if len(called) == 1 else {}


MODELS = ("model server", "embedder", "re-ranker")
"""Kinds of component whose replicas run a model."""


def unplanned_models(design: Design) -> tuple[Component, ...]:
    """Return what runs a model for requests that wait, by ourselves, and has no fleet in a plan that has others."""
    fleets = design.fleets.values()
    planned = {plan.component for plan in fleets}
    if not fleets or None in planned or design.planes is None:
        return ()  # a plan that names no component may be that of any
    touched = {name for flow in _waiting(promised(design)) for name in (flow.start, flow.end)}
    return tuple(
        one
        for one in design.planes.components
        if one.kind in MODELS
        and one.id in touched
        and one.id not in planned
        and not one.run_by_others
        and not _is_enough(design, one)
    )


_LIGHT = 0.6
"""What keeps no more than 60% of its replicas busy without the largest zone, one call each, is no bottleneck."""


def _is_enough(design: Design, one: Component) -> bool:
    """Tell whether the replicas that the sketch states carry the peak of all workloads, by the stated latency."""
    calls = together(design, lambda each: brought_rps(each, FleetPlan(component=one.id)))
    if calls is None or one.latency is None or not one.replicas:
        return False
    zones = one.zones or 1
    left = one.replicas if zones < 2 else one.replicas - math.ceil(one.replicas / zones)
    return calls * one.latency <= _LIGHT * left


class Callers(NamedTuple):
    """The calls of a fleet: after which time they are given up, and how often they are tried again."""

    timeout_s: float = math.inf
    retries: int = 0
    budget: float | None = None
    """Retries at most, as a share of first attempts; None where the design limits none."""
    pause: str = ""
    """How callers pause before they try again, in the design's word; empty where they do not."""


def callers_of(design: Design, plan: FleetPlan) -> Callers:
    """Return the calls of the component that is sized; of several timeouts the shortest counts."""
    calls = [flow for flow in _waiting(design) if flow.end == plan.component != flow.start and flow.timeout]
    if not calls:
        return Callers()
    hasty = min(calls, key=lambda flow: flow.timeout or math.inf)
    pause = hasty.retry.backoff if hasty.retry and hasty.retries else None
    return Callers(
        hasty.timeout or math.inf,
        hasty.retries,
        hasty.retry.budget if hasty.retry else None,
        "" if pause in {None, "none"} else str(pause),
    )


def includes_calls(design: Design, plan: FleetPlan) -> bool:
    """Tell whether the service time of a fleet includes the waits for what its component calls.

    As `service_time.includes_calls` says, or if the component makes calls and states a shorter time of its own.
    """
    time, planes = plan.service_time, design.planes
    one = planes.component(plan.component) if planes and plan.component else None
    if time is None or one is None or not any(flow.start == one.id for flow in _waiting(design)):
        return False
    if time.includes_calls is not None:
        return time.includes_calls
    own_s = _own_s(design, one)
    return own_s is not None and time.mean > own_s * (1 + 1e-9)


def _own_s(design: Design, one: Component) -> float | None:
    """Return what a component takes by itself, in seconds: by its parts of the latency split, or as it states."""
    latency = design.requirements.latency if design.requirements else None
    parts_s = [part.time for part in (latency.split if latency else ()) if part.component == one.id]
    return math.fsum(parts_s) if parts_s else one.latency


def longest_held_s(design: Design, plan: FleetPlan) -> float:
    """Return how long a request holds its place in a fleet at most, in seconds; infinite where nothing limits it.

    A service time that includes the waits for calls ends when each of these has timed out, retries and alternatives
    included, and the component's own time has passed. A mean that is longer contradicts that: it limits nothing.
    """
    if plan.service_time is None or design.planes is None or not includes_calls(design, plan):
        return math.inf
    one = components_by_id(design.planes)[plan.component or ""]
    if (own_s := _own_s(design, one)) is None:
        return math.inf
    calls = calls_by_component(design.planes).get(one.id, ())
    longest_s = own_s + longest_calls_s(one, calls, order_of(design.pattern)).most_s
    return longest_s if longest_s > plan.service_time.mean else math.inf


@dataclass(frozen=True)
class Fallbacks:
    """Whether each call that a fleet does not answer runs into a fallback, and which."""

    answer: bool
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, design: Design, plan: FleetPlan | None) -> "Fallbacks":
        """Walk from the fleet back to where requests enter: each way has to pass a flow with a fallback.

        Words that name no answer, such as "none", are no fallback; a flow with an alternative has one.
        """
        if plan is None or plan.component is None:
            return cls(answer=False)
        flows = _waiting(promised(design))
        outside = outside_of(design.planes) if design.planes else frozenset[str]()
        answered, rest = list[Flow](), list[Flow]()
        for flow in flows:
            own = flow.start in outside and not flow.answered
            (rest if (own or counts_as_answered(flow) is False) and not flow.otherwise else answered).append(
                flow
            )
        without = reached([plan.component], steps_back(rest))
        texts = tuple(
            dict.fromkeys(
                flow.fallback
                or (f"the alternative {flow.otherwise}" if flow.otherwise else "go on without it")
                for flow in answered
                if flow.end in without
            )
        )
        entries = without - {flow.end for flow in flows}
        return cls(bool(texts) and not entries, texts)
