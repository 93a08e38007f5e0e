"""The architecture: components by plane, the diagram, and the flows between them."""

from collections.abc import Container, Iterator
from functools import partial

from mlsd_helpers.analysis.graph import reached, steps_along, waiting_flows
from mlsd_helpers.analysis.whole import waiting_entries
from mlsd_helpers.design import KINDS, Component, Flow, Planes
from mlsd_helpers.document.fields import Columns, entries, field, format_value
from mlsd_helpers.document.markdown import Md, blocks, escape, joined, part, section
from mlsd_helpers.document.mermaid import Arrow, Edge, Group, Node, flowchart
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.document.request import request

AT = "planes"
LEGEND = "Thick arrows: somebody waits. Dotted arrows: orders and alerts. The others: data on their way."

_STEERS = frozenset({"alert", "command", "configuration"})
_ARROWS: dict[Arrow, str] = {
    "waits": "Somebody waits",
    "moves": "Data on their way",
    "steers": "Orders and alerts",
}
_ENDS: Columns = {"from": "start", "to": "end", "carries": "carries"}
_CALLS: Columns = {
    "share": "share",
    "calls at once": lambda one: escape(f"{one.calls:,}" if one.calls > 1 else ""),
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
    "run by others": lambda one: Md("yes" if one.run_by_others else ""),
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
    return section(
        "planes",
        "Architecture",
        _sketch(sketch),
        Md(f"**Runs in:** {regions}")
        if (regions := format_value(figures, f"{AT}.region", sketch.region))
        else Md(""),
        Md(f"{LEGEND}{f' Not drawn, as nothing is in them: {empty}.' if empty else ''}"),
        *(_of_plane(figures, ordered, plane) for plane in KINDS),
        part("Services, people and devices", *_of_kinds(figures, others)),
        request(figures, sketch),
        *_calls(figures, sketch),
    )


def _of_plane(figures: Figures, ordered: list[Component], plane: str) -> Md:
    """Write the components of a plane, with the columns that are used in it."""

    def inside(one: Component) -> bool:
        return one.plane == plane

    rows = entries(figures, f"{AT}.components", ordered, _COMPONENTS, "component", inside)
    return blocks(Md(f"**The {plane} plane**"), rows) if rows else Md("")


def _of_kinds(figures: Figures, others: list[Component]) -> Iterator[Md]:
    """Write people, devices, what others run, and the rest, each with the columns that are used in it."""
    people = {one for one in others if one.kind == "people"}
    devices = {one for one in others if one.devices} - people
    run_by_others = {one for one in others if one.run_by_others} - people - devices
    for group in (people, devices, run_by_others, set(others) - people - devices - run_by_others):
        yield entries(figures, f"{AT}.components", others, _OTHERS, keep=group.__contains__)


def _calls(figures: Figures, sketch: Planes) -> Iterator[Md]:
    """Write the calls for which a user waits, and those for which only a job or a worker waits."""
    waited, path, heads = _waited(sketch), f"{AT}.flows", _ENDS | _CALLS
    sketches = [one.design.planes or sketch for one in figures.views]
    users = {
        box
        for each in sketches
        for box in reached(waiting_entries(each), steps_along(flow for _, flow in waiting_flows(each)))
    }
    of_users = {flow for flow in waited if flow.start in users}
    for title, kept in (
        ("Calls on which a request waits", of_users),
        ("Calls on which no user waits", waited - of_users),
    ):
        yield part(title, entries(figures, path, sketch.flows, heads, keep=kept.__contains__))


def _waited(sketch: Planes) -> set[Flow]:
    """Return the flows on which a request waits, as they are drawn."""
    return {sketch.flows[position] for position, _ in waiting_flows(sketch)}


def _sketch(sketch: Planes) -> Md:
    waited = _waited(sketch)
    ids = {component.id: f"c{number}" for number, component in enumerate(_by_plane(sketch))}

    filled = [plane for plane in KINDS if sketch.in_plane(plane)]
    groups = [Group(f"plane_{plane}", f"{plane} plane", _boxes(sketch, plane, ids)) for plane in filled]
    edges = [
        Edge(ids[flow.start], ids[flow.end], flow.carries, _arrow(flow, waited)) for flow in sketch.flows
    ]
    size = f"{len(ids)} components of the five planes and {len(edges)} flows between them"
    nothing = Node("nothing", ("nothing yet",), "round")
    return flowchart("Planes", f"{size}, listed in the tables below", groups or [nothing], edges, "TB")


def _arrow(flow: Flow, waited: Container[Flow]) -> Arrow:
    return "waits" if flow in waited else "steers" if flow.carries in _STEERS else "moves"


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
    waited = _waited(sketch)
    of_arrow = {
        title: {flow for flow in sketch.flows if _arrow(flow, waited) == arrow}
        for arrow, title in _ARROWS.items()
    }
    tables = (
        blocks(Md(f"**{title}**"), rows)
        for title, those in of_arrow.items()
        if (rows := entries(figures, f"{AT}.flows", sketch.flows, _ENDS | _MORE, keep=those.__contains__))
    )
    other = [flow for flow in sketch.flows if flow not in waited and any(map(partial(field, flow), _SET))]
    tries = entries(figures, f"{AT}.flows", sketch.flows, _ENDS | _CALLS, keep=lambda flow: flow in other)
    return section("flows", "Appendix: flows", *tables, part("Flows on which nobody waits", tries))
