"""The architecture: components by plane, the diagram, and the flows between them."""

from functools import partial

from mlsd_helpers.analysis.graph import waiting_flows
from mlsd_helpers.design import KINDS, Component, Flow, Planes
from mlsd_helpers.document.fields import Columns, entries, field, format_value
from mlsd_helpers.document.markdown import Md, escape, joined, part, section
from mlsd_helpers.document.mermaid import Arrow, Edge, Group, Node, flowchart
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.document.request import request

AT = "planes"
LEGEND = "Thick arrows: somebody waits. Dotted arrows: orders and alerts. The others: data on their way."

_STEERS = frozenset({"alert", "command", "configuration"})
_ENDS: Columns = {"from": "start", "to": "end", "carries": "carries"}
_CALLS: Columns = {
    "share": "share",
    "timeout": "timeout",
    "retries": "retries",
    "between retries": "retry.backoff",
    "retries at most": "retry.budget",
    "idempotent": "idempotent",
    "else": "otherwise",
    "without an answer": "fallback",
    "fails": "fails",
    "kept under overload": "priority",
}
_SET = ("share", "timeout", "retries", "retry", "idempotent", "otherwise", "fallback", "fails", "priority")
_MORE: Columns = {
    "check": "check",
    "who proves to be who": "auth",
    "personal data": "personal",
    "contract": "contract",
    "flow": "id",
}


_COMPONENTS: Columns = {
    "component": "id",
    "plane": "plane",
    "kind": "kind",
    "what it does": lambda one: joined(map(escape, filter(None, (one.title, one.does))), ". "),
    "owner": "owner",
    "replicas": "replicas",
    "zones": "zones",
    "regions": "region",
    "trust zone": "trust_zone",
    "makes its calls": "calls",
    "latency": "latency",
    "which is": "latency_is",
    "availability": "availability",
    "may fail alone because": "accepted_risk",
}
_OTHERS: Columns = {
    "component": "id",
    "version": "version",
    "managed": "run_by_others",
    "holds": "items",
    "quota": "quota",
    "price": "price",
    "terms": "terms",
    "tokens a call": "tokens",
    "on duty": "hours",
    "cases taken": "rate",
    "cases a day": "cases_per_day",
    "requests of a case": "requests_per_case",
    "wait": "wait",
    "devices": "devices",
}


_OF_OTHERS = (
    "version",
    "run_by_others",
    "items",
    "quota",
    "price",
    "terms",
    "tokens",
    "hours",
    "rate",
    "cases_per_day",
    "requests_per_case",
    "wait",
    "devices",
)


def planes(figures: Figures) -> Md:
    """Write the architecture: diagram, components, the path of a request, and the calls that it waits for."""
    sketch = figures.design.planes
    if sketch is None:
        return section("planes", "Architecture")
    ordered = _by_plane(sketch)
    others = [one for one in ordered if any(getattr(one, name) for name in _OF_OTHERS)]
    empty = ", ".join(plane for plane in KINDS if not sketch.in_plane(plane))
    waited = _waited(sketch)
    calls = entries(figures, f"{AT}.flows", sketch.flows, _ENDS | _CALLS, keep=waited.__contains__)
    return section(
        "planes",
        "Architecture",
        _sketch(sketch),
        Md(f"**Runs in:** {regions}")
        if (regions := format_value(figures, f"{AT}.region", sketch.region))
        else Md(""),
        Md(f"{LEGEND}{f' Not drawn, as nothing is in them: {empty}.' if empty else ''}"),
        entries(figures, f"{AT}.components", ordered, _COMPONENTS, "component"),
        part("Services, people and devices", entries(figures, f"{AT}.components", others, _OTHERS)),
        request(figures, sketch),
        part("Calls on which a request waits", calls),
    )


def _waited(sketch: Planes) -> set[Flow]:
    """Return the flows on which a request waits, as they are drawn."""
    return {sketch.flows[position] for position, _ in waiting_flows(sketch)}


def _sketch(sketch: Planes) -> Md:
    waited = _waited(sketch)
    ids = {component.id: f"c{number}" for number, component in enumerate(_by_plane(sketch))}

    def arrow(flow: Flow) -> Arrow:
        return "waits" if flow in waited else "steers" if flow.carries in _STEERS else "moves"

    filled = [plane for plane in KINDS if sketch.in_plane(plane)]
    groups = [Group(f"plane_{plane}", f"{plane} plane", _boxes(sketch, plane, ids)) for plane in filled]
    edges = [Edge(ids[flow.start], ids[flow.end], flow.carries, arrow(flow)) for flow in sketch.flows]
    size = f"{len(ids)} components of the five planes and {len(edges)} flows between them"
    nothing = Node("nothing", ("nothing yet",), "round")
    return flowchart("Planes", f"{size}, listed in the tables below", groups or [nothing], edges, "TB")


def _by_plane(sketch: Planes) -> list[Component]:
    return [component for plane in KINDS for component in sketch.in_plane(plane)]


def _boxes(sketch: Planes, plane: str, ids: dict[str, str]) -> list[Node]:
    inside = [component for component in sketch.components if component.plane == plane]
    return [
        Node(ids[one.id], (one.id, one.kind), "store" if "store" in one.kind else "box") for one in inside
    ]


def flows(figures: Figures) -> Md:
    """Write the appendix of flows: all flows with their checks, authentication and contracts."""
    sketch = figures.design.planes
    if sketch is None:
        return section("flows", "Appendix: flows")
    all_of_them = entries(figures, f"{AT}.flows", sketch.flows, _ENDS | _MORE)
    waited = _waited(sketch)
    other = [flow for flow in sketch.flows if flow not in waited and any(map(partial(field, flow), _SET))]
    tries = entries(figures, f"{AT}.flows", sketch.flows, _ENDS | _CALLS, keep=lambda flow: flow in other)
    return section("flows", "Appendix: flows", all_of_them, part("Flows on which nobody waits", tries))
