"""What the paths of a design let through to the model: requests a second, warm and cold.

Also whether anybody waits for an answer at all, and which paths are stages, alternatives or run at the same time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from mlsd_helpers.analysis.graph import (
    components_by_id,
    cycle,
    own_entries,
    own_flows,
    reached,
    steps_along,
    steps_back,
    waiting_flows,
)
from mlsd_helpers.analysis.once import once
from mlsd_helpers.design import Component, Design, Flow, Pattern, Planes, ServingPath
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import backend_rps, cold_cache_factor
from mlsd_helpers.units import hour

LIVE = ("request-time", "hybrid")
"""Patterns whose requests are answered by the model while somebody waits."""
JOBS = (
    "batch scorer",
    "batch pipeline",
    "ingestion",
    "stream processor",
    "scheduler",
    "training pipeline",
    "training compute",
    "evaluation",
    "validation gate",
    "retraining trigger",
    "ci/cd",
)
"""Kinds whose own calls are those of a job: nobody waits for them."""
_DOORS = ("api gateway", "load balancer", "rate limiter", "llm gateway", "device fleet", "client")


def answers_requests(design: Design) -> bool:
    """Tell whether somebody may wait for an answer; False for a system that runs by the clock alone.

    That is one without a requirement of latency or throughput that states a schedule and has no entry for requests,
    or that scores in batches and whose calls all begin at jobs.

    >>> nightly = Design(name="d", requirements={"schedule": {"period": "1 d", "deadline": "6 h"}})
    >>> answers_requests(nightly), answers_requests(Design(name="d"))
    (False, True)
    """
    stated = design.requirements
    if stated is None or stated.latency or stated.throughput:
        return True
    known = components_by_id(design.planes) if design.planes else {}
    flows = [flow for _, flow in waiting_flows(design.planes)] if design.planes else []
    called = {flow.end for flow in flows}
    starts = dict.fromkeys(flow.start for flow in flows if flow.start not in called)
    named = own_entries(design.planes, starts) if design.planes else ()
    entries = {known[name].kind for name in named if name in known}
    if stated.schedule:
        return bool(entries & set(_DOORS))
    scores_in_batches = any(one.kind == "batch scorer" for one in known.values())
    return not scores_in_batches or bool(entries - set(JOBS))


MODELS = (
    "external service", "model server", "llm gateway", "batch scorer", "candidate generator", "embedder", "re-ranker",
)  # fmt: skip
"""Kinds that a model may run on."""
_ASIDE = (
    "cache",
    "prediction store",
    "batch scorer",
    "embedder",
    "people",
)  # fed beside the way of a request
_HANDED = ("events", "request")  # to a queue, and by it
_OUTSIDE = ("raw source", "people", "external service")  # where requests may come from, if no door is drawn


def may_ask(component: Component) -> bool:
    """Tell whether requests may enter at a component that nobody calls: it serves, or stands for what is outside."""
    return component.plane == "serving" or component.kind in _OUTSIDE


_HANDED_ON = ("events", "batch", "command", "alert")  # to whoever works on it later


@once
def behind_queues(planes: Planes) -> frozenset[str]:
    """Return what begins to work on its own when something comes out of a queue, so that nobody waits for its calls.

    A queue is drawn, or a component of ours hands events or commands to it. Nothing where all calls begin so: then the
    queue is the way of the requests; nor where a model is reached through it alone, see `with_queues`.

    >>> boxes = [("app", "client"), ("api", "api gateway"), ("queue", "event stream"), ("worker", "service"),
    ...     ("model", "model server")]
    >>> flows = [("app", "api", "request"), ("api", "model", "request"), ("api", "queue", "events"),
    ...     ("queue", "worker", "events"), ("worker", "model", "request")]
    >>> sorted(behind_queues(Planes(
    ...     components=[Component(id=name, kind=kind) for name, kind in boxes],
    ...     flows=[{"from": start, "to": end, "carries": carries} for start, end, carries in flows])))
    ['worker']
    """
    behind = _given_by_queues(planes)
    return behind if behind and with_queues(planes) is planes else frozenset()


def _given_by_queues(planes: Planes) -> frozenset[str]:
    known, flows = components_by_id(planes), [flow for _, flow in waiting_flows(planes)]
    called = {flow.end for flow in flows}
    starts = {flow.start for flow in flows if flow.start not in called}
    queues = {one.id for one in planes.components if one.kind == "event stream"}
    given = {
        flow.end
        for _, flow in own_flows(planes)
        if flow.start in queues
        or (
            flow.carries in _HANDED_ON and known[flow.start].kind not in (*_OUTSIDE, "client", "device fleet")
        )
    }
    behind = (starts & (given | queues)) - {*planes.named_entries}  # a workload's own entry is its door
    others = {name for name in starts - behind if may_ask(known[name]) and known[name].kind not in JOBS}
    return frozenset(behind) if others else frozenset()


@once
def entries_of(planes: Planes) -> tuple[str, ...]:
    """Return where requests enter: what calls, is called by nobody, and is no job.

    Of several, those from which a model is reached, and among them gateways and their like before other components.
    In the sketch of a workload, where it says.
    """
    if planes.named_entries:
        return planes.named_entries
    known, flows = components_by_id(planes), [flow for _, flow in waiting_flows(planes)]
    called, steps = {flow.end for flow in flows}, steps_along(flows)
    names = [
        name
        for name in dict.fromkeys(flow.start for flow in flows)
        if name not in called and may_ask(known[name]) and known[name].kind not in JOBS
    ]
    aside = _given_by_queues(planes)
    names = list(own_entries(planes, [name for name in names if name not in aside] or names))
    models = {one.id for one in planes.components if one.kind in MODELS}
    asking = [name for name in names if reached([name], steps) & models]
    if not asking:  # what acts on answers that it is sent is no place where requests enter
        told = reached(
            models, steps_along(flow for _, flow in own_flows(planes) if flow.carries == "predictions")
        )
        asking = [name for name in names if name not in told]
    for kinds in (_DOORS, _OUTSIDE):
        if doors := [name for name in asking if known[name].kind in kinds]:
            return tuple(doors)
    return tuple(asking)


@once
def with_queues(planes: Planes) -> Planes:
    """Return the planes with each hand-over that a request takes on its way drawn as a call.

    Where a model is reached by calls, these are the way of a request. Where it stands behind a queue, the way leads
    through the queue, and on by predictions and alerts to whatever else serves.
    """
    known, flows = components_by_id(planes), [flow for _, flow in waiting_flows(planes)]
    queues = {one.id for one in planes.components if one.kind == "event stream"}
    doors = {one.id for one in planes.components if one.kind in (*_DOORS, "raw source")}
    given = {flow.end for _, flow in own_flows(planes) if flow.start in queues} if doors else set()
    starts = doors | (set(entries_of(planes)) - given)
    models = {
        one.id
        for one in planes.components
        if one.kind in MODELS
        and one.kind not in _ASIDE
        and not (one.kind == "external service" and one.id in starts)  # it sends requests
    }
    direct = [flow for flow in flows if flow.start not in queues]
    if not queues or reached(starts, steps_along(direct)) & models:
        return planes
    serving = {one.id for one in planes.components if one.plane == "serving" and one.kind not in _ASIDE}
    taken = {flow.start for _, flow in own_flows(planes) if flow.carries in _HANDED and flow.end in serving}
    behind = [
        flow
        for _, flow in own_flows(planes)
        if (flow.carries in _HANDED and flow.end in queues & taken and flow.start not in queues)
        or (flow.carries in _HANDED and flow.start in queues and flow.end in serving)
        or (flow.carries in {"predictions", "alert"} and {flow.start, flow.end} <= serving)
    ]
    way = reached(starts, steps_along([*flows, *behind]))
    drawn = {flow for flow in behind if flow.start in way and known[flow.end].kind not in _ASIDE}
    if not way & models or cycle([*flows, *(flow for flow in drawn if flow not in flows)]):
        return planes
    return planes.changed(
        flows=[flow.changed(carries="request") if flow in drawn else flow for flow in planes.flows]
    )


_HAND_OVERS = ("events", "command", "predictions", "alert", "request", "batch")
"""What hands work on to whoever does it later."""
_BESIDE = ("prediction log", "offline store", "label store")  # what is written beside an answer


@once
def promised(design: Design) -> Design:
    """Return the design with each hand-over that its promise of latency spans drawn as a call.

    An answer may come from behind a queue: nobody holds a connection, and the promise runs on. It ends at
    `latency.until`; without that, it spans the way to what `latency.split` names, or to a model that only queues lead
    to. What the callers before a hand-over do without an answer ends there: their timeouts and fallbacks are of the
    hand-over, not of the work. What a call behind it leaves open fails later, and is no answer within the budget. The
    same design where nothing is spanned.

    >>> boxes = [("api", "api gateway"), ("jobs", "event stream"), ("worker", "service"), ("model", "model server")]
    >>> flows = [("api", "jobs", "events"), ("jobs", "worker", "events"), ("worker", "model", "request")]
    >>> design = Design(
    ...     name="d",
    ...     requirements={"latency": {"budget": "2 min", "percentile": "p95"}},
    ...     planes={
    ...         "components": [{"id": name, "kind": kind} for name, kind in boxes],
    ...         "flows": [{"from": start, "to": end, "carries": carries} for start, end, carries in flows],
    ...     },
    ... )
    >>> [flow.carries for flow in promised(design).planes.flows]
    ['request', 'request', 'request']
    """
    planes, latency = design.planes, design.requirements.latency if design.requirements else None
    if planes is None or latency is None or design.views:
        return design
    calls = dict(waiting_flows(planes))
    spanned = _spanned(planes, calls, latency.until, [part.component for part in latency.split])
    if not spanned:
        return design
    hand_overs = [planes.flows[position] for position in spanned]
    back = steps_back([*calls.values(), *hand_overs])
    before = reached((flow.start for flow in hand_overs), back)
    behind = reached((flow.end for flow in hand_overs), steps_along(calls.values()))

    def drawn(position: int, flow: Flow) -> Flow:
        if position in spanned:
            return flow.changed(carries="request", timeout=None, retries=0, fallback=None, fails=None)
        if position not in calls:
            return flow
        if calls[position].end in before:
            return flow.changed(timeout=None, retries=0, fallback=None, fails=None)
        if calls[position].start in behind and flow.fails == "closed" and flow.answered is None:
            return flow.changed(answered=False)
        return flow

    flows = tuple(drawn(position, flow) for position, flow in enumerate(planes.flows))
    return design.model_copy(update={"planes": planes.changed(flows=flows)})


@once
def begun_within(design: Design) -> frozenset[str]:
    """Return what begins to work on its own when a hand-over that the promise of latency spans comes to it.

    Nobody holds a connection to it, so that no timeout is its limit, and the budget is.
    """
    planes, through = design.planes, promised(design).planes
    if planes is None or through is None:
        return frozenset()
    called = {flow.end for _, flow in waiting_flows(planes)}
    return frozenset(flow.end for _, flow in waiting_flows(through)) - called


def hand_overs(planes: Planes) -> dict[int, Flow]:
    """Return the flows by which serving hands on work that nobody waits for, with their positions."""
    known, calls = components_by_id(planes), dict(waiting_flows(planes))
    return {
        position: flow
        for position, flow in own_flows(planes)
        if flow.carries in _HAND_OVERS
        and position not in calls
        and not {"monitoring", "training"} & {known[flow.start].plane, known[flow.end].plane}
    }


def _spanned(
    planes: Planes, calls: Mapping[int, Flow], until: str | None, named: Sequence[str | None]
) -> frozenset[int]:
    """Return the positions of the hand-overs on the way of an answer; none where it comes along calls alone."""
    known, entries = components_by_id(planes), entries_of(planes) or _first(planes)
    handed = hand_overs(planes)
    given = {flow.end for flow in handed.values() if known[flow.start].kind == "event stream"}
    if until and not planes.named_entries and given.issuperset(entries):
        entries = _before_hand_overs(entries, [*calls.values(), *handed.values()])
    direct = reached(entries, steps_along(calls.values()))
    ends = {one for one in ([until] if until else named) if one and one in known} - direct
    handed = {
        position: flow
        for position, flow in handed.items()
        if flow.end in ends or known[flow.end].kind not in _BESIDE
    }
    through = planes if until else with_queues(planes)
    found = {
        position
        for position, (flow, other) in enumerate(zip(planes.flows, through.flows, strict=True))
        if flow != other
    }
    both = [*calls.values(), *handed.values()]
    ways = reached(entries, steps_along(both)) & reached(ends, steps_back(both))
    found |= {position for position, flow in handed.items() if {flow.start, flow.end} <= ways}
    circular = cycle([*calls.values(), *(planes.flows[position] for position in found)])
    return frozenset() if circular else frozenset(found)


def _before_hand_overs(entries: Iterable[str], flows: Sequence[Flow]) -> tuple[str, ...]:
    """Return where the work begins that comes to some entries from a queue; the entries where nothing begins it."""
    given = {flow.end for flow in flows}
    first = sorted(reached(entries, steps_back(flows)) - given)
    return tuple(first) or tuple(entries)


def _first(planes: Planes) -> tuple[str, ...]:
    """Return where work may come from that no call leads to: doors, and sources outside."""
    return tuple(one.id for one in planes.components if one.kind in (*_DOORS, *_OUTSIDE))


def queue_takes_the_peak(design: Design) -> bool:
    """Tell whether a promise is longer than a peak, so that a queue may spread the peak over its time.

    A peak lasts as long as `peak_lasts` says, or the time over which it was counted, or an hour (our estimate).
    """
    needs = design.requirements
    load, latency = (needs.throughput, needs.latency) if needs else (None, None)
    lasts = (load.peak_lasts or load.over if load else None) or hour
    return latency is not None and latency.budget >= lasts


def peak_rps(design: Design) -> float | None:
    """Return the peak of the requirements, in requests a second."""
    stated = design.requirements and design.requirements.throughput
    return stated.peak if stated else None


def run_rps(design: Design) -> float | None:
    """Return how many items a second a workload that runs by the clock has to score, to be done by its deadline.

    None of a design without workloads: its run has nothing beside it.
    """
    run = design.requirements.schedule if design.requirements and design.workload else None
    if run is None or run.items is None or peak_rps(design) is not None:
        return None
    time_s = run.allowed or run.period
    return run.items / time_s if time_s else None


def each_workload(design: Design) -> tuple[Design, ...]:
    """Return the view of each workload, that of `design` first if it is one; the design alone where it has none."""
    return design.views or (design, *design.others)


def together(design: Design, load_of: Callable[[Design], float | None]) -> float | None:
    """Add up what all workloads bring at the peak to what they share; None where no workload is known to bring any.

    What a workload brings that works off the peak is not added: what is shared has to hold the larger of the two.

    >>> each = [{"id": name, "throughput": {"peak": "40 rps"}} for name in "ab"]
    >>> each += [{"id": "c", "off_peak": True, "throughput": {"peak": "70 rps"}}]
    >>> together(Design(name="d", requirements={"workloads": each}), peak_rps)
    80.0
    """
    found = [(one, load) for one in each_workload(design) if (load := load_of(one)) is not None]
    off_peak = [load for one, load in found if one.workload and one.workload.off_peak]
    at_peak = [load for one, load in found if not (one.workload and one.workload.off_peak)]
    sums = [*([sum(at_peak)] if at_peak else []), *off_peak]
    return max(sums, default=None)


def each_together(design: Design, loads_of: Callable[[Design], Mapping[str, float]]) -> dict[str, float]:
    """Add up by component what all workloads bring at the peak; see `together`."""
    found = [(one, loads_of(one)) for one in each_workload(design)]
    names = dict.fromkeys(name for _, loads in found for name in loads)
    by_workload = {one.workload and one.workload.id: loads for one, loads in found}
    sums = {
        name: together(design, lambda one, at=name: by_workload[one.workload and one.workload.id].get(at))  # type: ignore[misc]
        for name in names
    }
    return {name: load for name, load in sums.items() if load is not None}


def burstiness_of(design: Design) -> float | None:
    """Return the variance over mean of the arrivals in each second; the largest of several workloads."""
    stated = [one.requirements.throughput for one in each_workload(design) if one.requirements]
    return max((load.burstiness for load in stated if load and load.burstiness), default=None)


def hit_ratio(path: ServingPath) -> float:
    """Return the share of a path's requests that its cache is expected to answer."""
    return (path.cache.hit_ratio or 0.0) if path.cache else 0.0


class Alternative(NamedTuple):
    """Paths that the same request takes at the same time, and the share of requests that take them."""

    paths: tuple[ServingPath, ...]
    share: float | None


def stages_of(pattern: Pattern) -> dict[int | None, tuple[Alternative, ...]]:
    """Return the alternatives of each stage by its number, in order; those without a stage under None, at the end.

    A request takes one alternative of each stage. Where a stage has one only and does not say its share, all
    requests take it.

    >>> ways = [{"id": "a", "pattern": "request-time", "stage": 1}, {"id": "b", "pattern": "request-time", "stage": 1}]
    >>> [len(found) for found in stages_of(Pattern(paths=ways)).values()]
    [2]
    """
    stages = defaultdict[int | None, list[tuple[ServingPath, ...]]](list)
    for group in _at_once(pattern.paths):
        stages[group[0].stage].append(group)
    ordered = sorted(stages, key=lambda number: (number is None, number or 0))
    return {number: tuple(map(_alternative(stages[number]), stages[number])) for number in ordered}


def _alternative(stage: Sequence[object]) -> Callable[[tuple[ServingPath, ...]], Alternative]:
    usual = 1.0 if len(stage) == 1 else None
    return lambda group: Alternative(
        group, max((path.share for path in group if path.share is not None), default=usual)
    )


class Place(NamedTuple):
    """Where a component stands among the stages of a pattern: its stage, and to which alternative it belongs."""

    stage: int | None
    alternative: int


Order = Mapping[str, Place]
"""The places of components that have exactly one."""


def order_of(pattern: Pattern | None) -> Order:
    """Return the place of each component in the stages of a pattern; none of what is in several, or runs by itself.

    >>> order_of(Pattern(paths=[{"id": "a", "pattern": "request-time", "component": "x", "stage": 1}]))
    {'x': Place(stage=1, alternative=0)}
    """
    found = defaultdict[str, set[Place]](set)
    for number, stage in stages_of(pattern).items() if pattern else ():
        for at, one in enumerate(stage):
            for path in one.paths:
                if path.component and (number is not None or len(one.paths) > 1):
                    found[path.component].add(Place(number, at))
    return {name: places.pop() for name, places in found.items() if len(places) == 1}


def _at_once(paths: Sequence[ServingPath]) -> list[tuple[ServingPath, ...]]:
    """Group paths that run at the same time; whoever is parallel to one of a group belongs to it."""
    beside = defaultdict[str, set[str]](set)
    for path in paths:
        for other in path.parallel_to:
            beside[path.id].add(other)
            beside[other].add(path.id)
    place = {path.id: number for number, path in enumerate(paths)}
    groups: list[tuple[ServingPath, ...]] = []
    seen = set[str]()
    for path in paths:
        if path.id not in seen:
            group = reached([path.id], beside)
            seen |= group
            groups.append(tuple(paths[number] for number in sorted(map(place.__getitem__, group))))
    return groups


def warm_rps(design: Design, component: str | None = None) -> float | None:
    """Return what reaches a fleet at the peak once every cache is warm, in requests a second.

    Of the component's own paths, where some name it; of the busiest stage otherwise.
    """
    return _arriving(design, component, lambda rps, path: backend_rps(rps, hit_ratio(path)))


def cold_rps(design: Design, component: str | None = None) -> float | None:
    """Return what reaches a fleet at the peak while every cache is empty, in requests a second; see `warm_rps`."""
    return _arriving(design, component, lambda rps, _: rps)


def cold_load_rps(design: Design, load_rps: float, at_once: float = 1.0) -> float | None:
    """Return what reaches a fleet that is sized for `load_rps` while caches are empty; None where no cache hits.

    A request makes `at_once` calls of the fleet.
    """
    paths = design.pattern.paths if design.pattern else ()
    hits = max(map(hit_ratio, paths), default=0.0)
    if not hits:
        return None
    if (cold := together(design, cold_rps)) is not None:
        return max(cold * at_once, load_rps)
    try:
        return load_rps * cold_cache_factor(hits)
    except RangeError:
        return None


def _arriving(
    design: Design, component: str | None, passed_rps: Callable[[float, ServingPath], float]
) -> float | None:
    """Add up what passes the live paths: the whole peak where there is no path, or a share is not known."""
    peak = peak_rps(design)
    pattern = design.pattern or Pattern()
    stages = stages_of(pattern)
    if peak is None or not stages or any(one.share is None for stage in stages.values() for one in stage):
        return peak
    own = component if any(path.component == component for path in pattern.paths) else None
    loads = {
        number: sum(_passed(one, peak, own, passed_rps) for one in stage) for number, stage in stages.items()
    }
    beside = loads.pop(None, 0.0)
    return beside + (sum if own else max)(loads.values() or [0.0])


def _passed(
    one: Alternative, peak: float, own: str | None, passed_rps: Callable[[float, ServingPath], float]
) -> float:
    found = [
        passed_rps(peak * (one.share or 0.0), path)
        for path in one.paths
        if path.pattern in LIVE and (own is None or path.component == own)
    ]
    return (sum if own else max)(found or [0.0])
