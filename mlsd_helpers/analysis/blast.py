"""The blast radius of a failure: what stops with a component, what falls back, and what ages unseen."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlsd_helpers.analysis.graph import WAITING, own_roots, reached, steps_along, waiting_flows
from mlsd_helpers.analysis.request import Call, calls_by_component
from mlsd_helpers.design import Flow, Planes
from mlsd_helpers.design.problems import nearest
from mlsd_helpers.errors import DesignError

FEEDING = ("events", "batch", "labels")
"""What a receiver can do without for a while: it goes on with what it has, which gets older."""


@dataclass(frozen=True)
class BlastRadius:
    """What one dead component does to the others, each in the order of the sketch."""

    killed: str
    stops: tuple[str, ...]
    """Who gives no answer any more; the dead one comes first."""
    falls_back: tuple[str, ...]
    """Who calls something that stopped, and has an answer all the same."""
    older: tuple[str, ...]
    """Who goes on with data that nobody renews: nothing looks broken."""
    unheard: tuple[str, ...]
    """Who gets no more predictions, models, metrics, alerts or orders from what stopped."""
    entries: Mapping[str, str]
    """What becomes of the requests that enter at each component that nobody calls."""

    @property
    def sentence(self) -> str:
        """The whole in words."""
        told = (
            ("Stops too", self.stops[1:]),
            ("Falls back", self.falls_back),
            ("Goes on with data that gets older", self.older),
            ("Hears nothing more from it", self.unheard),
        )
        parts = [f"{words}: {', '.join(names)}" for words, names in told if names]
        requests = [f"Requests at {entry} {outcome}" for entry, outcome in self.entries.items()]
        return f"{self.killed} is dead. " + ". ".join([*parts, *requests]) + "."


def blast_radius(planes: Planes, killed: str) -> BlastRadius:
    """Follow the failure of one component through a sketch.

    Who waits for a component that stopped (the arrow carries `request` or `features`) stops too, unless that call
    has a fallback or an alternative that answers. What it fed (`events`, `batch`, `labels`, `features` that a job
    writes) goes on with older data.
    This assumes that a fallback works and that a timeout ends each call; a review asks for both.

    Raises ``DesignError`` for a component that the sketch does not have.

    >>> from mlsd_helpers import cases
    >>> hit = blast_radius(cases.load("harbour_pay").planes, "features")
    >>> hit.stops, hit.falls_back
    (('features',), ('scorer',))
    """
    names = [component.id for component in planes.components]
    if killed not in names:
        raise DesignError(f"There is no component {killed!r} in the sketch. {nearest(killed, names)}")
    calls = [flow for _, flow in waiting_flows(planes)]
    made = [call for calls_of_one in calls_by_component(planes).values() for call in calls_of_one]
    stopped = _stopped(killed, made)
    hit = (call for call in made if any(flow.end in stopped for flow in call.flows))
    saved = {call.flow.start for call in hit} - stopped
    waited = {position for position, _ in waiting_flows(planes)}
    feeding = [
        flow
        for position, flow in enumerate(planes.flows)
        if flow.carries in FEEDING or (flow.carries == "features" and position not in waited)
    ]
    older = reached(stopped, steps_along(feeding)) - stopped
    roots = own_roots(planes)
    told = {f.end for f in planes.flows if f.start in stopped and f.carries not in (*WAITING, *FEEDING)}
    return BlastRadius(
        killed,
        (killed, *(name for name in names if name in stopped - {killed})),
        tuple(name for name in names if name in saved),
        tuple(name for name in names if name in older),
        tuple(name for name in names if name in told - stopped),
        {entry: _outcome(entry, calls, stopped, saved, older) for entry in names if entry in roots},
    )


def _stopped(killed: str, made: Iterable[Call]) -> set[str]:
    """Return what gives no answer: the dead one, and who has a call that nothing answers in its place."""
    waiting = defaultdict[str, list[Call]](list)
    for call in made:
        for flow in () if call.has_fallback else call.flows:
            waiting[flow.end].append(call)
    stopped, left = {killed}, [killed]
    while left:
        for call in waiting[left.pop()]:
            caller = call.flow.start
            if caller not in stopped and all(flow.end in stopped for flow in call.flows):
                stopped.add(caller)
                left.append(caller)
    return stopped


def _outcome(entry: str, calls: Iterable[Flow], stopped: set[str], saved: set[str], older: set[str]) -> str:
    if entry in stopped:
        return "get no answer"
    passed = reached({entry}, steps_along(flow for flow in calls if flow.end not in stopped))
    if passed & saved:
        return "are answered by a fallback"
    return "are answered from older data" if passed & older else "are answered as before"
