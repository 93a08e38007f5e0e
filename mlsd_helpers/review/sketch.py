"""What the rules on planes look at: the parts of a sketch, and what its flows are called in a message."""

from collections.abc import Callable, Iterable
from typing import Any

from mlsd_helpers.analysis.graph import waiting_flows
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import KINDS, Design, Flow, Planes, Release
from mlsd_helpers.design.components import Plane
from mlsd_helpers.review.scope import flow_places, generates, sketched

CLOUDFLARE = (
    "Cloudflare, 18 November 2025: a generated feature file had doubled rows, nothing refused it, and the proxy "
    "that read it stopped for hours (Cloudflare's report of the outage)."
)
BROOKER = "Brooker, Timeouts, retries and backoff with jitter (Amazon Builders' Library)."
TRAINERS = ("training pipeline", "training compute")
KEPT_IN = ("feature store", "offline store", "prediction store", "vector index", "label store")
"""Stores of ours that jobs write and read."""
RUNNERS = ("external service", "model server", "llm gateway", "batch scorer", "candidate generator")
"""The kinds that a model runs on."""
_MOST_SHOWN = 6


def filled(*needed: Plane) -> Callable[[Design], Planes | None]:
    """Return what gives the planes once they have flows, and components in the planes that a rule is about.

    While one of them is empty, one finding names it, and the rules on flows between them find nothing.
    """

    def find(design: Design) -> Planes | None:
        planes = sketched(design)
        if planes is None or not planes.flows:
            return None
        return planes if set(needed) <= {one.plane for one in planes.components} else None

    return find


def released(design: Design) -> Release | None:
    """Return how a model is released, where the planes say so."""
    return design.planes.release if design.planes is not None else None


def requirement(design: Design, axis: str, field: str) -> Any:
    """Return a figure of the requirements, or nothing where it is not stated."""
    return getattr(getattr(design.requirements, axis, None), field, None)


def empty_planes(design: Design, planes: Planes) -> list[str]:
    """Return the planes that have no component and need one."""
    needless = {one.plane for one in planes.components}
    if buys_models(design, planes):
        needless.add("training")
    return [plane for plane in KINDS if plane not in needless]


def buys_models(design: Design, planes: Planes) -> bool:
    """Tell whether every model comes trained: nothing trains, and others run the models or publish their weights."""
    if planes.retraining is not None or any(one.kind in TRAINERS for one in planes.components):
        return False
    runners = [one for one in planes.components if one.plane == "serving" and one.kind in RUNNERS]
    return bool(runners) and (generates(design) or all(one.run_by_others for one in runners))


def places(planes: Planes) -> dict[Flow, str]:
    """Return the path of each flow, and of each call that a flow shows; of equal ones, the first."""
    found, drawn = dict[Flow, str](), list(flow_places(planes))
    for place, flow in (*drawn, *((drawn[position][0], call) for position, call in waiting_flows(planes))):
        found.setdefault(flow, place)
    return found


def arrow(flow: Flow) -> str:
    """Return what a flow is called."""
    return f"{flow.start} → {flow.end}"


def way(names: list[str]) -> str:
    """Join the components along a way; of many, the first ones and the last."""
    shown = names if len(names) <= _MOST_SHOWN else [*names[: _MOST_SHOWN - 1], "…", names[-1]]
    return " → ".join(shown)


def listed(names: Iterable[str]) -> str:
    """Join names as in a sentence; of many, the first ones and how many more there are.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    given = list(names)
    if len(given) > _MOST_SHOWN:
        given = [*given[: _MOST_SHOWN - 1], f"{len(given) - _MOST_SHOWN + 1} more"]
    return " and ".join(filter(None, [", ".join(given[:-1]), *given[-1:]]))


def percent(share: float) -> str:
    """Write a share as people do."""
    return f"{100 * share:.6g}%"


def answered(*texts: str | None) -> bool:
    """Tell whether one of some texts says anything."""
    return any(map(says_something, texts))
