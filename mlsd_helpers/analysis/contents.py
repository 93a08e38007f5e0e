"""Where what some stores hold goes: along flows of data, back to whoever reads it, and into what they call next."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection

from mlsd_helpers.analysis.graph import components_by_id, reached, steps_back, waiting_flows
from mlsd_helpers.design import Flow, Planes

_PUSHED = ("request", "features", "predictions", "events", "batch")
_READ = ("vector index", "feature store", "cache", "prediction store", "offline store", "label store")
KEEPING = (*_READ, "prediction log", "event stream", "raw source")
_ANSWERING = ("model server", "batch scorer", "llm gateway")
_AT_ONCE = -1  # before the first call


def carried_to(planes: Planes, stores: Collection[str], stays: Callable[[Flow], bool]) -> dict[str, Flow]:
    """Return each component that gets what some stores hold, with the flow that brings it; the stores are left out.

    A call to a store brings its contents back to the caller, and so does a call to a service that reads it. What calls
    a model answers with what the model has written, and not with what the model has read. A caller passes on what it
    has read in later calls (flows are in the order of calls) and to models in any order; it asks a store with a query
    alone. `stays` tells which flows do not take the contents along.

    >>> from mlsd_helpers.design import Component
    >>> kinds = {"caller": "orchestrator", "index": "vector index", "writer": "model server", "limiter": "rate limiter"}
    >>> calls = [("caller", "limiter"), ("caller", "index"), ("caller", "writer")]
    >>> sketch = Planes(
    ...     components=[Component(id=name, kind=kind) for name, kind in kinds.items()],
    ...     flows=[Flow(start=start, end=end, carries="request") for start, end in calls],
    ... )
    >>> sorted(carried_to(sketch, ["index"], stays=lambda flow: False))
    ['caller', 'writer']
    """
    parts = components_by_id(planes)
    calls = dict(waiting_flows(planes))
    models = {one.id for one in planes.components if one.kind in _ANSWERING or one.tokens}
    leading = reached(models, steps_back(calls.values()))
    touching = defaultdict[str, list[tuple[int, Flow]]](list)
    for position, flow in enumerate(planes.flows):
        for name in {flow.start, flow.end}:
            touching[name].append((position, flow))
    since = {name: _AT_ONCE for name in stores if name in parts}
    brought = dict[str, Flow]()
    open_ones = deque(since)
    while open_ones:
        name = open_ones.popleft()
        for position, flow in touching[name]:
            if stays(flow):
                continue
            call = calls.get(position, flow)
            if call.end == name:
                returns = position in calls and (name in stores or name not in leading)
                other, at = call.start, position if returns else None
            else:
                is_query = position in calls and parts[call.end].kind in _READ
                later = position not in calls or position > since[name] or call.end in leading
                is_answer = flow.carries == "predictions" and parts[name].kind not in KEEPING
                moved = flow.carries in _PUSHED or (flow.carries == "labels" and flow.personal)
                goes = moved and later and not is_query and not is_answer
                other, at = call.end, _AT_ONCE if goes else None
            if at is not None and at < since.get(other, len(planes.flows)):
                since[other], brought[other] = at, flow
                open_ones.append(other)
    return {name: flow for name, flow in brought.items() if name not in stores}
