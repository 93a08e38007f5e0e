"""Walks over the boxes and arrows of a sketch: without recursion, and in time that grows with their number.

>>> from mlsd_helpers.design import Flow
>>> row = [Flow(start="a", end="b", carries="request"), Flow(start="b", end="c", carries="request")]
>>> sorted(reached(["b"], steps_along(row))), cycle(row)
(['b', 'c'], ())
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mlsd_helpers.analysis.once import once
from mlsd_helpers.design import Component, Flow, Planes

Steps = Mapping[str, Iterable[str]]
"""For each component, those that one arrow leads to."""

WAITING = ("request", "features")
"""What flows where somebody waits for the answer, but for `features` that are written or trained on."""
_WRITERS = ("raw source", "ingestion", "event stream", "batch pipeline", "stream processor")
_WRITTEN = ("offline store", "label store", "event stream")  # serving reads no features from these
_KEEPERS = ("prediction store", "cache", "people")
_STORES = ("feature store", "cache", "prediction store", "vector index", *_WRITTEN)
_PROVIDERS = (*_STORES, "raw source", "external service")
"""What never asks anybody for features: an arrow of features away from it shows where they go, not who asks."""

_QUEUED = ("request", "events", "predictions", "alert")
"""What a queue hands on, one for each request."""


@once
def waiting_flows(planes: Planes) -> tuple[tuple[int, Flow], ...]:
    """Return each flow on which somebody waits, from the caller to what it calls, with its position.

    A request waits. So does whoever reads features to answer it; a job that writes features, a training that reads
    them and a monitor that gets them do not. Predictions that one part of serving sends another within a timeout are
    a call as well. Features may be drawn from the reader to the store that it asks, or from the store or provider to
    the reader: the flow that is returned begins at the reader. In the sketch of a workload, nobody waits on flows that
    only requests of other workloads take.

    >>> store, model = Component(id="store", kind="feature store"), Component(id="model", kind="model server")
    >>> drawn = Flow(start="store", end="model", carries="features")
    >>> [(flow.start, flow.end) for _, flow in waiting_flows(Planes(components=(store, model), flows=(drawn,)))]
    [('model', 'store')]
    """
    known, of_others = components_by_id(planes), _of_other_workloads(planes)
    return tuple((position, call) for position, call in _calls(planes, known) if position not in of_others)


@once
def own_flows(planes: Planes) -> tuple[tuple[int, Flow], ...]:
    """Return all flows with their positions; in the sketch of a workload, not those of other workloads alone."""
    of_others = _of_other_workloads(planes)
    return tuple(one for one in enumerate(planes.flows) if one[0] not in of_others)


def alternatives(planes: Planes) -> tuple[Flow, ...]:
    """Return the flows that are tried when another one gives no answer: they ask for one, whatever they carry."""
    tried = {flow.otherwise for flow in planes.flows if flow.otherwise}
    return tuple(flow for flow in planes.flows if flow.id in tried)


def is_task(flow: Flow, known: Mapping[str, Component]) -> bool:
    """Tell whether a flow is a command from one part of serving to another: a task for each request that leads to it.

    A command of the control plane switches or starts something, whatever the number of requests; one to where requests
    come from tells a user something.

    >>> known = {"rules": Component(id="rules", kind="business rules"), "bank": Component(id="bank", kind="service")}
    >>> is_task(Flow(start="rules", end="bank", carries="command"), known)
    True
    """
    serving = known[flow.start].plane == known[flow.end].plane == "serving"
    told = known[flow.end].kind in ("client", "device fleet")
    return flow.carries == "command" and serving and not told and flow.start != flow.end


def _calls(planes: Planes, known: Mapping[str, Component]) -> Iterator[tuple[int, Flow]]:
    for position, flow in enumerate(planes.flows):
        call = _as_called(flow, known)
        if _is_waited_for(call, known[call.start], known[call.end]):
            yield position, call


@once
def _of_other_workloads(planes: Planes) -> frozenset[int]:
    """Return the positions of the flows that only other workloads take: they say so, or only theirs reach the start.

    Requests reach what they call, and through queues what works on them later.
    """
    if planes.asked is None:
        return frozenset()
    asked, known = planes.asked, components_by_id(planes)
    calls = dict(_calls(planes, known))
    queued = {
        position: flow
        for position, flow in enumerate(planes.flows)
        if flow.carries in _QUEUED and "event stream" in (known[flow.start].kind, known[flow.end].kind)
    }

    def takes(workload: str, flow: Flow) -> bool:
        """Whether a flow is one of a workload's: what a queue hands to where only others enter is their own load."""
        entered_by = {name for name, entries in asked.entries.items() if flow.end in entries}
        handed = flow.carries in _QUEUED and known[flow.start].kind == "event stream"
        elsewhere = handed and not flow.workload and entered_by and workload not in entered_by
        return _takes(workload, flow) and not elsewhere

    def reached_by(workload: str) -> set[str]:
        taken = (flow for flow in (*calls.values(), *queued.values()) if takes(workload, flow))
        return reached(asked.entries[workload], steps_along(taken))

    mine = reached_by(asked.workload)
    others = set().union(*(reached_by(name) for name in asked.entries if name != asked.workload)) - mine
    return frozenset(
        position
        for position, flow in enumerate(planes.flows)
        if not takes(asked.workload, flow) or calls.get(position, flow).start in others
    )


def _takes(workload: str, flow: Flow) -> bool:
    return not flow.workload or workload in flow.workload


def own_entries(planes: Planes, found: Iterable[str]) -> tuple[str, ...]:
    """Return where requests enter: as the workload of a sketch says, or else those that were found in it.

    A workload that names no entry has what was found and no other workload names.
    """
    asked = planes.asked
    if asked is None:
        return tuple(found)
    others = {name for entries in asked.entries.values() for name in entries}
    return planes.named_entries or tuple(name for name in found if name not in others)


@once
def own_roots(planes: Planes) -> tuple[str, ...]:
    """Return what calls and is not called: in the sketch of a workload with entries, these and what leads to them.

    What begins elsewhere, and is no workload's entry, is no request of this one.

    >>> from mlsd_helpers.design.planes import Asked
    >>> row = [("gateway", "model"), ("clean_up", "store")]
    >>> sketch = Planes(
    ...     components=[Component(id=name, kind="service") for pair in row for name in pair],
    ...     flows=[Flow(start=start, end=end, carries="request") for start, end in row],
    ... )
    >>> own_roots(sketch), own_roots(sketch.of_workload(Asked("ask", {"ask": ("gateway",)})))
    (('gateway', 'clean_up'), ('gateway',))
    """
    flows = [flow for _, flow in waiting_flows(planes)]
    called = {flow.end for flow in flows}
    found = dict.fromkeys(flow.start for flow in flows if flow.start not in called)
    leading = reached(planes.named_entries, steps_back(flows))
    return tuple(name for name in found if not planes.named_entries or name in leading)


def _as_called(flow: Flow, known: Mapping[str, Component]) -> Flow:
    """Turn features that are drawn from a store or provider to their reader."""
    start, end = known[flow.start].kind, known[flow.end].kind
    delivered = flow.carries == "features" and start in _PROVIDERS and end not in _PROVIDERS
    return flow.changed(start=flow.end, end=flow.start) if delivered else flow


def _is_waited_for(flow: Flow, start: Component, end: Component) -> bool:
    if flow.carries == "predictions":
        within = start.plane == end.plane == "serving" and end.kind not in _KEEPERS
        return within and flow.timeout is not None
    if flow.carries != "features":
        return flow.carries in WAITING
    offline = {"training", "monitoring"} & {start.plane, end.plane} or start.plane == end.plane == "data"
    pushed = start.kind == "external service" and end.kind in _STORES
    return not (offline or pushed or start.kind in _WRITERS or end.kind in (*_WRITTEN, "raw source"))


@once
def components_by_id(planes: Planes) -> dict[str, Component]:
    """Return the components by their ids."""
    return {component.id: component for component in planes.components}


def steps_along(flows: Iterable[Flow]) -> dict[str, list[str]]:
    """Return where each component's flows lead, in the order of the flows; twice where two flows do."""
    steps = defaultdict[str, list[str]](list)
    for flow in flows:
        steps[flow.start].append(flow.end)
    return dict(steps)


def steps_back(flows: Iterable[Flow]) -> dict[str, list[str]]:
    """Return where each component's flows come from, in the order of the flows; twice where two flows do."""
    steps = defaultdict[str, list[str]](list)
    for flow in flows:
        steps[flow.end].append(flow.start)
    return dict(steps)


def reached(starts: Iterable[str], steps: Steps) -> set[str]:
    """Return everything that the steps lead to from some starts, those included."""
    found = set(starts)
    ends = list(found)
    while ends:
        further = set(steps.get(ends.pop(), ())) - found
        found |= further
        ends += further
    return found


def callers_first(flows: Sequence[Flow]) -> tuple[str, ...]:
    """Order what some flows touch so that each flow leads forwards; what a cycle holds or feeds is left out.

    Source: Kahn (1962), Topological sorting of large networks, Communications of the ACM 5.
    """
    arriving = dict.fromkeys((name for flow in flows for name in (flow.start, flow.end)), 0)
    steps = steps_along(flows)
    for name in (end for ends in steps.values() for end in ends):
        arriving[name] += 1
    order = [name for name, number in arriving.items() if number == 0]
    for name in order:  # grows while it is walked
        for end in steps.get(name, ()):
            arriving[end] -= 1
            if arriving[end] == 0:
                order.append(end)
    return tuple(order)


def cycle(flows: Sequence[Flow]) -> tuple[str, ...]:
    """Return the components of one cycle in the order of its flows, or nothing where there is none.

    >>> cycle([Flow(start="a", end="b", carries="request"), Flow(start="b", end="b", carries="request")])
    ('b',)
    """
    ordered = set(callers_first(flows))
    left = [flow for flow in flows if flow.start not in ordered]
    if not left:
        return ()
    before = {flow.end: flow.start for flow in left}  # all that is left has something left before it
    seen: dict[str, int] = {}
    name = left[0].start
    while name not in seen:
        seen[name] = len(seen)
        name = before[name]
    return tuple(reversed([walked for walked, place in seen.items() if place >= seen[name]]))


def heaviest_way(
    flows: Sequence[Flow], of_component: Callable[[str], float], of_flow: Callable[[Flow], float]
) -> tuple[Flow, ...]:
    """Return the flows of the way whose components and flows weigh most; nothing where there is a cycle.

    Each weight is at least 0. All weights of 0 give nothing too.
    """
    leaving = defaultdict[str, list[Flow]](list)
    for flow in flows:
        leaving[flow.start].append(flow)
    order = callers_first(flows)
    if set(leaving) - set(order):
        return ()
    weight = {name: of_component(name) for name in order}
    best, last = dict(weight), dict[str, Flow]()
    for flow in (flow for name in order for flow in leaving.get(name, ())):
        if (total := best[flow.start] + of_flow(flow) + weight[flow.end]) > best[flow.end]:
            best[flow.end], last[flow.end] = total, flow
    return _back_from(max(best, key=best.__getitem__, default=""), last)


def _back_from(name: str, last: Mapping[str, Flow]) -> tuple[Flow, ...]:
    way = list[Flow]()
    while flow := last.get(name):
        way.append(flow)
        name = flow.start
    return tuple(reversed(way))
