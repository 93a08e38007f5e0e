"""A design with several workloads as one design for each: what reads a design with one workload reads each of these.

The view of a workload has its promises as its own requirements, its paths and features, and a sketch that knows where
its requests enter. Everything else is the design's. Views are not checked again, and are not written to a file.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlsd_helpers.design.planes import Asked, Planes
from mlsd_helpers.design.requirements import AXES, Requirements, Workload

if TYPE_CHECKING:
    from mlsd_helpers.design.dataflow import DataFlow
    from mlsd_helpers.design.pattern import Pattern

_OF_WORKLOADS = "requirements.workloads."
_OF_AXES = re.compile(rf"\brequirements\.({'|'.join(AXES)})\b")


def path_in(workload: str, words: str) -> str:
    """Return words in which the paths of a workload's view are those of the design.

    >>> path_in("chat", "See requirements.latency.budget, and requirements.goal.")
    'See requirements.workloads.chat.latency.budget, and requirements.goal.'
    """
    return _OF_AXES.sub(rf"requirements.workloads.{workload}.\1", words)


_MADE_OR_WATCHED = ("training", "monitoring")


def begins_at(planes: Planes | None, workload: Workload) -> tuple[str, ...]:
    """Return where the requests or runs of a workload begin: its entries, or what these start by a command.

    A scheduler works on nothing itself: what it commands does, or what that commands in its turn. A training that it
    starts as well is no run of the workload.

    >>> from mlsd_helpers.design import Component, Flow, Planes
    >>> parts = (Component(id="clock", kind="scheduler"), Component(id="scorer", kind="batch scorer"))
    >>> sketch = Planes(components=parts, flows=(Flow(start="clock", end="scorer", carries="command"),))
    >>> begins_at(sketch, Workload(id="nightly", entry="clock"))
    ('scorer',)
    """
    if planes is None:
        return workload.entry
    plane_of = {one.id: one.plane for one in planes.components}
    commanded, working = defaultdict[str, list[str]](list), set[str]()
    for flow in planes.flows:
        if not _is_of(flow, workload.id) or (flow.carries == "command" and flow.start == flow.end):
            continue  # what starts itself again begins nothing else
        if flow.carries == "command" and plane_of[flow.end] not in _MADE_OR_WATCHED:
            commanded[flow.start].append(flow.end)
        elif plane_of[flow.end] not in _MADE_OR_WATCHED:
            working.add(flow.start)
    found, seen, left = list[str](), set[str](), list(reversed(workload.entry))
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in working or name not in commanded:
            found.append(name)
        else:
            left += reversed(commanded[name])
    return tuple(found) or workload.entry


def parts_of_view(parts: Mapping[str, Any], workload: Workload) -> dict[str, Any]:
    """Return the parts of a design in the view of one of its workloads."""
    stated, planes, pattern, flow = (
        parts[name] for name in ("requirements", "planes", "pattern", "dataflow")
    )
    axes = {name: getattr(workload, name) for name in AXES}
    asked = Asked(workload.id, {one.id: begins_at(planes, one) for one in stated.workloads})
    return {
        **parts,
        "requirements": Requirements.model_construct(**{**dict(stated), **axes, "workloads": ()}),
        "planes": planes and planes.of_workload(asked),
        "pattern": pattern and _pattern_of(pattern, workload.id),
        "dataflow": flow and _dataflow_of(flow, workload.id),
        "does_not_apply": tuple(
            one.model_copy(update={"where": _path_in_view(stated, workload, one.where)})
            for one in parts["does_not_apply"]
        ),
        "evidence": tuple(
            one.model_copy(update={"figure": _path_in_view(stated, workload, one.figure)})
            for one in parts["evidence"]
        ),
        "accepted": tuple(
            one.model_copy(update={"where": where or None})
            for one in parts["accepted"]
            if not (where := _path_in_view(stated, workload, one.where or "")).startswith(_OF_WORKLOADS)
        ),
    }


def _path_in_view(stated: Requirements, workload: Workload, path: str) -> str:
    steps = path.split(".")
    position = str(stated.workloads.index(workload))
    if steps[:2] == ["requirements", "workloads"] and steps[2:3] in ([workload.id], [position]):
        return ".".join(["requirements", *steps[3:]])
    return path


def _is_of(one: Any, workload: str) -> bool:
    return not one.workload or workload in one.workload


def _pattern_of(pattern: "Pattern", workload: str) -> "Pattern":
    paths = [path for path in pattern.paths if _is_of(path, workload)]
    ids = {path.id for path in paths}
    kept = tuple(
        path.model_copy(update={"parallel_to": tuple(name for name in path.parallel_to if name in ids)})
        for path in paths
    )
    return pattern.model_copy(update={"paths": kept})


def _dataflow_of(flow: "DataFlow", workload: str) -> "DataFlow":
    """Return the features that a workload's model reads; their width is that of its input if others read others."""
    features = tuple(one for one in flow.features if _is_of(one, workload))
    if len(features) == len(flow.features):
        return flow
    width = flow.input_width and sum(one.width for one in features)
    return flow.model_copy(update={"features": features, "input_width": width})
