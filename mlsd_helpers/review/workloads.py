"""Rules on how requests are divided into workloads."""

from collections.abc import Iterator

from mlsd_helpers.analysis.graph import reached, steps_along, steps_back, waiting_flows
from mlsd_helpers.analysis.paths import hand_overs
from mlsd_helpers.analysis.surroundings import is_promised
from mlsd_helpers.analysis.whole import waiting_entries
from mlsd_helpers.design import Design, Planes, Workload
from mlsd_helpers.design.workloads import begins_at
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import sketched


def _workloads(design: Design) -> tuple[Workload, ...]:
    return design.requirements.workloads if design.requirements else ()


def _taken(planes: Planes, workload: Workload) -> set[str]:
    """Return what the requests of a workload reach from its entries."""
    flows = [flow for _, flow in waiting_flows(planes) if not flow.workload or workload.id in flow.workload]
    return reached(begins_at(planes, workload), steps_along(flows))


@rule(
    "WORK001",
    "warning",
    title="Workload without an entry",
    prevents="a load that is counted nowhere, or where it never comes",
    needs=sketched,
    whole=True,
)
def workload_without_entry(design: Design, _: Planes) -> Iterator[Fault]:
    """Where the requests of a workload enter decides what they reach, and whose promise it has to keep."""
    found = _workloads(design)
    for one in found if len(found) > 1 else ():
        if not one.entry:
            yield Fault(
                f"requirements.workloads.{one.id}.entry",
                f"The design does not state where the requests or runs of {one.id} begin.",
                "Name the component: a gateway, a client, or the job that runs by the clock.",
            )


@rule(
    "WORK002",
    "warning",
    title="Requests that belong to no workload",
    prevents="users to whom nothing is promised, and a load that nobody has planned",
    wrong_when="Wrong if nobody waits there; draw what it sends as events or a batch.",
    needs=sketched,
    whole=True,
)
def requests_of_no_workload(design: Design, planes: Planes) -> Iterator[Fault]:
    """Once requests are divided into workloads, each request belongs to one."""
    found = _workloads(design)
    if not found or not all(one.entry for one in found):
        return
    taken = set[str]().union(*(_taken(planes, one) for one in found))
    behind = {one.id for view in design.views for one in planes.components if is_promised(view, one.id)}
    taken |= behind  # a queue hands requests on to it
    entries = {entry for one in found for entry in begins_at(planes, one)}
    before = [flow for _, flow in waiting_flows(planes) if flow.start not in entries]
    leading = reached(entries, steps_back(before))
    for name in waiting_entries(planes):
        if name not in taken and not reached([name], steps_along(before)) <= leading:
            yield Fault(
                f"planes.components.{name}",
                f"Requests enter at {name}, and no workload does.",
                "Name it as an entry of the workload that they belong to, or add a workload.",
            )


@rule(
    "WORK003",
    "warning",
    title="Workloads that cannot be told apart",
    prevents="a load that is counted twice on every call",
    wrong_when="Acceptable if each request of either takes every call; accept it, and say so.",
    needs=sketched,
    whole=True,
)
def workloads_alike(design: Design, planes: Planes) -> Iterator[Fault]:
    """Where two workloads enter at the same component, a flow behind it says whose it is."""
    found = _workloads(design)
    calls = [flow for _, flow in waiting_flows(planes)]
    starts, taken = {flow.start for flow in calls}, [*calls, *hand_overs(planes).values()]
    divided = {flow.start for flow in taken if flow.workload}
    for position, one in enumerate(found):
        for other in found[:position]:
            for name in one.entry:
                if name not in other.entry or name not in starts:
                    continue
                if not reached([name], steps_along(taken)) & divided:
                    yield Fault(
                        f"requirements.workloads.{one.id}.entry",
                        f"{other.id} and {one.id} both enter at {name}, and no flow behind it says which of them "
                        "takes it.",
                        "Write 'workload' on the flows that one of them alone takes.",
                    )
