"""Rules on the planes of a design and its components; calls, monitoring and release have modules of their own."""

from collections.abc import Iterator

from mlsd_helpers.analysis.graph import components_by_id, waiting_flows
from mlsd_helpers.design import Component, Design, Flow, Planes
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import sketched
from mlsd_helpers.review.sketch import answered, arrow, empty_planes, listed, places

_FEEDS = ("batch", "events", "features", "labels", "predictions")
_PRODUCERS = ("raw source", "service", "external service", "other")
"""What lives for purposes of its own; a pipeline or a job was built to feed what reads it."""
_USED_BY_ALL = ("secret store",)  # read by every component: nobody draws that


@rule(
    "PLANE001",
    "info",
    title="Planes missing",
    prevents="a model in production without data supply, monitoring or rollback",
)
def planes_missing(design: Design) -> Iterator[Fault]:
    """A model needs data, training, serving, monitoring and control around it."""
    if design.planes is None or not design.planes.components:
        yield Fault(
            "planes",
            "The design has no components yet.",
            "List the components of data, training, serving, monitoring and control, and the flows between them.",
        )


@rule(
    "PLANE002",
    title="Plane without a component",
    prevents="a system that is built and cannot be monitored or repaired",
    wrong_when="Wrong if somebody else runs that plane, such as the vendor of a bought model; draw the "
    "vendor there.",
    needs=sketched,
)
def plane_without_component(design: Design, planes: Planes) -> Iterator[Fault]:
    """A plane without a component is work that nobody does."""
    if empty := empty_planes(design, planes):
        yield Fault(
            "planes.components",
            f"These planes have no component: {', '.join(empty)}. Nobody does their work.",
            "Add the component that does it, even if it is a person with a checklist.",
        )


@rule(
    "PLANE003",
    "warning",
    title="Unconnected component",
    prevents="a component that is paid for and not used",
    wrong_when="Wrong if only systems outside this design use the component.",
    needs=sketched,
)
def unconnected_component(design: Design, planes: Planes) -> Iterator[Fault]:
    """A component without flows has no effect."""
    joined = {name for flow in planes.flows for name in (flow.start, flow.end)}
    if not joined:
        yield Fault("planes.flows", "The planes have no flows.", "List which component sends what to which.")
        return
    joined |= {one.deleted_by for one in design.data.datasets if one.deleted_by} if design.data else set()
    loose = [one.id for one in planes.components if one.id not in joined and one.kind not in _USED_BY_ALL]
    if loose:
        yield Fault(
            f"planes.components.{loose[0]}",
            f"No flow enters or leaves {listed(loose)}.",
            "Add the flows that it reads and writes, or remove it.",
        )
    asked = {flow.end for flow in planes.flows if flow.carries not in {"model", "command", "metrics"}}
    asked |= {flow.end for _, flow in waiting_flows(planes)}
    doors = [one.id for one in planes.components if one.kind == "api gateway"]
    paths = design.pattern.paths if design.pattern else ()
    planned = {plan.component for plan in design.fleets.values()}
    planned -= {path.component for path in paths if path.pattern != "request-time"}
    planned |= {path.component for path in paths if path.pattern == "request-time"}
    uncalled = [
        one.id
        for one in planes.components
        if doors and one.id in planned and one.kind == "model server" and one.id not in asked
    ]
    if uncalled:
        yield Fault(
            f"planes.components.{uncalled[0]}",
            f"{listed(uncalled)} is to answer at request time, and no flow brings it a request from {listed(doors)}.",
            "Add the flow by which a request comes to it, with its timeout.",
        )


@rule(
    "PLANE004",
    "info",
    title="Component without an owner",
    prevents="an alert at night about a component that no team answers for",
    wrong_when="Acceptable for a vendor's system; name the team that calls the vendor.",
    needs=sketched,
)
def component_without_owner(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component without an owner is not repaired."""
    orphans = [one.id for one in planes.components if one.kind != "client" and not answered(one.owner)]
    if orphans:
        yield Fault(
            f"planes.components.{orphans[0]}.owner",
            f"{listed(orphans)} {'has' if len(orphans) == 1 else 'have'} no owner.",
            "Name the team that answers when it fails.",
        )


@rule(
    "PLANE046",
    "warning",
    title="Data of another team without a contract or a check",
    prevents="a column that another team renames on Friday, and a model that reads it until Monday",
    wrong_when="Acceptable if the reader refuses what does not fit; write that as the flow's 'check'.",
    needs=sketched,
)
def feed_without_contract(_: Design, planes: Planes) -> Iterator[Fault]:
    """What another team changes without notice reaches the model unless a contract or a check stops it."""
    known, where = components_by_id(planes), places(planes)
    loose = [flow for flow in planes.flows if _is_foreign(flow, known) and not _is_agreed(flow)]
    if loose:
        yield Fault(
            f"{where[loose[0]]}.contract",
            f"The data of {listed(arrow(flow) for flow in loose)} change owners with neither a contract nor a check.",
            "State a 'contract' with its owner, version and compatibility, or what the reader refuses as 'check'.",
        )


def _is_foreign(flow: Flow, known: dict[str, Component]) -> bool:
    """Tell whether a flow brings another team's data into a job, a training or an answer."""
    start, end = known[flow.start], known[flow.end]
    if flow.carries not in _FEEDS or start.kind not in _PRODUCERS or not (start.owner and end.owner):
        return False
    used = end.plane in {"training", "serving"} or end.kind in {"batch pipeline", "stream processor"}
    return used and end.kind != "people" and start.owner.casefold() != end.owner.casefold()


def _is_agreed(flow: Flow) -> bool:
    promise = flow.contract
    kept = promise is not None and (answered(promise.version) or promise.compatibility not in {None, "none"})
    return kept or answered(flow.check)
