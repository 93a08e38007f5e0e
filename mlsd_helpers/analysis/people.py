"""The cases that people get: from requests and from runs by the clock, by shares along the whole way to them.

>>> from mlsd_helpers.design import Component, Design, Flow, Planes, Requirements
>>> parts = [
...     Component(id="scorer", kind="batch scorer"),
...     Component(id="tool", kind="service"),
...     Component(id="analysts", kind="people"),
... ]
>>> flows = [
...     Flow(start="scorer", end="tool", carries="alert", share="0.1%"),
...     Flow(start="tool", end="analysts", carries="alert"),
... ]
>>> nightly = Requirements(schedule={"period": "1 d", "items": 500_000})
>>> design = Design(name="d", requirements=nightly, planes=Planes(components=parts, flows=flows))
>>> round(cases_of_people(design, design.planes, {})["analysts"].surely * 86_400)
500
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from mlsd_helpers.analysis.graph import (
    components_by_id,
    is_task,
    own_flows,
    reached,
    steps_along,
    steps_back,
    waiting_flows,
)
from mlsd_helpers.analysis.paths import JOBS, MODELS, promised
from mlsd_helpers.analysis.rates import calls_per_request
from mlsd_helpers.design import Component, Design, Flow, Planes
from mlsd_helpers.units import show_seconds, show_share

_BRINGS = ("request", "features", "predictions", "events", "batch", "labels", "alert")
_LISTS = ("events", "batch", "labels")
"""Nobody knows how long a list or a sample is, unless a share says so."""
_READ_LATER = ("prediction store", "cache")
"""What is kept here reaches people by the requests that read it."""


class Cases(NamedTuple):
    """The cases a second that people get on average: surely, and if all answers of which nothing is said come too.

    Infinite at most where some begin with what no requirement states the load of.
    """

    surely: float | None
    at_most: float


class _Part(NamedTuple):
    """What share of everything reaches a component, and whether a share on the way has picked it out as cases."""

    share: float
    picked: bool


def cases_of_people(
    design: Design,
    planes: Planes,
    per_request: Mapping[str, float],
    all_of_them: frozenset[str] = frozenset(),
) -> dict[str, Cases]:
    """Return the cases that each group of people gets on average, added over requests and the items of runs.

    By the shares of the flows on the way, multiplied from one to the next; where none picks cases out, by
    `prediction.acted_on`. A share that only divides requests among models picks none out. `per_request` is how often
    a request reaches each component; people in `all_of_them` see everything that reaches whoever sends to them.
    """
    needs = design.requirements
    wanted = needs.prediction if needs else None
    acted_on = wanted.acted_on if wanted else None
    ways = tuple(_ways(design, planes, per_request))
    asks = needs is not None and needs.throughput is not None
    unreached = frozenset(
        one.id
        for one in planes.components
        if not (asks and one.kind in JOBS)
        and not any(way.reaches(one.id) or way.feeds(one.id) for way in ways)
    ) - {name for names in of_other_entries(planes, per_request).values() for name in names}
    unreached -= {name for other in design.others if other.planes for name in brought_to(other.planes)}
    if planes.named_entries:
        unreached &= brought_to(planes)  # what begins elsewhere brings nothing of this workload
    found = dict[str, Cases]()
    for one in planes.components:
        if one.kind != "people" or one.plane == "training":
            continue
        of_ways = [
            way.cases(
                one,
                acted_on,
                all_of_them=one.id in all_of_them,
                unreached=unreached if way is ways[0] else frozenset(),
            )
            for way in ways
        ]
        if each := [cases for cases in of_ways if cases]:
            known = [cases.surely for cases in each if cases.surely is not None]
            per_case = one.requests_per_case or 1.0
            found[one.id] = Cases(
                sum(known) / per_case if known else None, sum(cases.at_most for cases in each) / per_case
            )
    return found


def brought_to(planes: Planes) -> set[str]:
    """Return what something comes to from where the requests or runs of a workload enter, those included."""
    return reached(planes.named_entries, steps_along(_bringing(planes)))


def _bringing(planes: Planes) -> list[Flow]:
    """Return the flows that bring cases, or what becomes one."""
    known = components_by_id(planes)
    return [flow for _, flow in own_flows(planes) if flow.carries in _BRINGS or is_task(flow, known)]


def waits_for_people(design: Design, within_s: float, share: float | None) -> tuple[tuple[Flow, float], ...]:
    """Return the flows to people for whom more requests wait than may be late, and the share of requests that do.

    They wait for longer than `within_s` on average, where a `share` is promised to take less. Whoever is asked is
    waited for; whoever gets predictions is, where the work behind a queue goes on to them, unless the promise ends
    elsewhere, by `latency.until`.
    """
    latency, planes = design.requirements.latency if design.requirements else None, design.planes
    if latency is None or planes is None or share is None:
        return ()
    known, through = components_by_id(planes), promised(design).planes or planes
    per_request = calls_per_request(through)
    begun = {flow.end for _, flow in own_flows(planes) if known[flow.start].kind == "event stream"}
    behind = reached(begun, steps_along(flow for _, flow in waiting_flows(planes)))
    ends = (
        reached([latency.until], steps_back(flow for _, flow in own_flows(planes))) if latency.until else None
    )
    found = []
    for _, flow in own_flows(planes):
        end = known[flow.end]
        if end.kind != "people" or flow.share is None or (end.wait or 0.0) <= within_s:
            continue
        asked = flow.carries == "request" and (ends is None or end.id in ends)
        handed = flow.carries in {"predictions", "events"} and (
            end.id in ends if ends is not None else flow.carries == "predictions" and flow.start in behind
        )
        waiting = min(per_request.get(flow.start, 0.0), 1.0) * flow.share
        if (asked or handed) and waiting > 1 - share + 1e-9:
            found.append((flow, waiting))
    return tuple(found)


def slow_people(design: Design, within_s: float, share: float | None) -> str:
    """Say that a promise waits for people who are slower; empty where it does not."""
    known = components_by_id(design.planes) if design.planes else {}
    return "; ".join(
        f"{show_share(waiting)} of the requests wait {show_seconds(known[flow.end].wait or 0.0)} for {flow.end}"
        for flow, waiting in waits_for_people(design, within_s, share)
    )


_OUTSIDE = ("client", "device fleet", "people", "raw source", "external service")


def delivered_alerts(planes: Planes) -> tuple[Flow, ...]:
    """Return the alerts that are what the system is for: from a model's answer to people or a channel.

    What tells the owners that the system itself is ill is none: it starts in monitoring, or at what raises an alert
    of the design. Of a workload, those that its requests or runs lead to.

    >>> from mlsd_helpers import cases
    >>> delivered_alerts(cases.load("booking_ranking").planes)
    ()
    """
    known, calls = components_by_id(planes), [flow for _, flow in waiting_flows(planes)]
    own = [flow for _, flow in own_flows(planes)]
    models = {one.id for one in planes.components if one.kind in (*MODELS, "business rules")}
    told = steps_along(flow for flow in own if flow.carries in _TOLD)
    having = reached(models - {flow.end for flow in own if flow.carries == "alert"}, told)
    having |= reached(models, steps_back(calls))
    if planes.named_entries:
        having &= brought_to(planes)
    having -= {alert.raised_by for alert in planes.alerts}
    return tuple(
        flow
        for flow in own
        if flow.carries == "alert"
        and flow.start in having
        and known[flow.start].plane == known[flow.end].plane == "serving"
        and known[flow.start].kind not in _OUTSIDE
    )


_TOLD = ("predictions", "events", "alert")


def of_other_entries(planes: Planes, per_request: Mapping[str, float]) -> dict[str, frozenset[str]]:
    """Return what only requests reach whose number no requirement states, by the place outside that they come from.

    The stated load enters elsewhere.
    """
    brought = _bringing(planes)
    steps, ends = steps_along(brought), {flow.end for flow in brought}
    doors = (
        {name for names in planes.asked.entries.values() for name in names} if planes.asked else set[str]()
    )
    starts = [
        one.id
        for one in planes.components
        if one.kind in _OUTSIDE
        and one.id in steps
        and one.id not in ends
        and (one.id in per_request or not reached([one.id], steps) & doors)
    ]
    if not any(name in per_request for name in starts):
        return {}
    stated = reached(per_request, steps)
    return {name: frozenset(reached([name], steps) - stated) for name in starts if name not in per_request}


def _ways(design: Design, planes: Planes, per_request: Mapping[str, float]) -> Iterator["_Way"]:
    needs = design.requirements
    load, run = (needs.throughput, needs.schedule) if needs else (None, None)
    if load and load.mean is not None:
        yield _Way(planes, load.mean, per_request or _streams_that_ask_models(planes), frozenset())
    if run and run.items and run.period and not (load and _is_fed_by_requests(planes, per_request)):
        own = brought_to(planes) if planes.named_entries else {one.id for one in planes.components}
        scorers = [
            one.id
            for one in planes.components
            if one.kind == "batch scorer" and one.id in own and one.id not in per_request
        ]
        if scorers or load is None:
            starts = dict.fromkeys(scorers, 1.0) if scorers else per_request
            apart = frozenset(per_request) - set(starts) if load else frozenset()
            yield _Way(planes, run.items / run.period, starts, apart)


def _streams_that_ask_models(planes: Planes) -> dict[str, float]:
    """Return the stream processors with which the calls of a model begin, if all of these begin at streams."""
    known, calls = components_by_id(planes), [flow for _, flow in waiting_flows(planes)]
    asking = reached({one.id for one in planes.components if one.kind in MODELS}, steps_back(calls))
    begins = (
        asking - {flow.end for flow in calls} - {one.id for one in planes.components if one.kind in _OUTSIDE}
    )
    streams = {name for name in begins if known[name].kind == "stream processor"}
    return dict.fromkeys(streams, 1.0) if len(streams) == 1 else {}


def _is_fed_by_requests(planes: Planes, per_request: Mapping[str, float]) -> bool:
    """Tell whether what runs score are the requests of the day, which count once: by way of a queue or a log."""
    known = components_by_id(planes)
    fed = {
        flow.end
        for _, flow in own_flows(planes)
        if flow.start in per_request and flow.carries in {"events", "batch", "request"}
    }
    return any(known[name].kind == "batch scorer" for name in fed)


class _Way:
    """How what is predicted comes to people: from requests, or from the items of a run."""

    def __init__(
        self, planes: Planes, rate: float, starts: Mapping[str, float], apart: frozenset[str]
    ) -> None:
        self._rate, self._starts, self._apart = rate, starts, apart
        self._known = components_by_id(planes)
        alternatives = {flow.otherwise for _, flow in own_flows(planes) if flow.otherwise}
        self._flows = [
            flow for flow in _bringing(planes) if not (flow.id in alternatives and flow.share is None)
        ]
        self._into = defaultdict[str, list[Flow]](list)
        for flow in self._flows:
            self._into[flow.end].append(flow)
        calls = steps_back(flow for _, flow in waiting_flows(planes))
        asked = {flow.end for flow in self._flows if flow.carries != "alert"}
        models = {  # a provider that only gets alerts is a channel
            one.id
            for one in planes.components
            if one.kind in MODELS and (one.kind != "external service" or one.id in asked)
        }
        self._asks_models = reached(models, calls)
        self._parts = dict[str, _Part | None]()

    def reaches(self, name: str) -> bool:
        return self._reaching(name) is not None

    def feeds(self, name: str) -> bool:
        """Tell whether answers come this way to a store from which people read them, by themselves or on a board."""
        return name in self._read_later

    @cached_property
    def _read_later(self) -> set[str]:
        stores = [name for name, one in self._known.items() if one.kind in _READ_LATER]
        fed = [name for name in stores if any(self._along(flow) is not None for flow in self._into[name])]
        return reached(fed, steps_along(self._flows)) if fed else set()

    def cases(
        self, one: Component, acted_on: float | None, *, all_of_them: bool, unreached: frozenset[str]
    ) -> Cases | None:
        """Return the cases that people get this way; None where none are known to come."""
        picked, rest, begins_unknown = list[float](), list[tuple[float, bool]](), False
        for flow in self._into[one.id]:
            if not self._is_brought(flow):
                continue
            found, sure = self._along(flow), flow.carries in {"predictions", "request", "alert", "command"}
            if found is None and self.feeds(flow.start):
                found, sure = _Part(1.0 if flow.share is None else flow.share, flow.share is not None), False
            if found is None:
                begins_unknown |= flow.start in unreached and flow.share is not None
                continue  # a share of a number that nobody states
            if found.picked:
                picked.append(self._rate * found.share)
            elif flow.carries not in _LISTS:
                rest.append((self._rate * found.share, sure))
        if all_of_them:
            most = max((*picked, *(share for share, _ in rest)), default=None)
            return None if most is None else Cases(most, most)
        if acted_on is not None:
            rest = [(share, True) for share, _ in rest]
        most = max((share for share, sure in rest if sure), default=None)
        if not picked and most is None:
            return Cases(None, math.inf) if begins_unknown else None
        sum_ = sum(picked)
        surely = [*([sum_] if picked else []), *([most * acted_on] if most and acted_on is not None else [])]
        return Cases(max(surely, default=None), math.inf if begins_unknown else max(sum_, most or 0.0))

    def _is_brought(self, flow: Flow) -> bool:
        return flow.carries != "alert" or self._known[flow.start].plane == "serving"

    def _along(self, flow: Flow) -> _Part | None:
        """Return what comes along a flow; None where what it starts from is not reached."""
        before = self._reaching(flow.start)
        if before is None or flow.share is None:
            return before
        return _Part(before.share * flow.share, before.picked or flow.end not in self._asks_models)

    def _reaching(self, name: str) -> _Part | None:
        """Return what reaches a component, once what comes before it is known (no recursion: ways may be long)."""
        waiting = [] if name in self._parts else [self._begun(name)]
        while waiting:
            here, before = waiting[-1]
            step = next((flow.start for flow in before if flow.start not in self._parts), None)
            if step is not None:
                waiting.append(self._begun(step))
            else:
                self._parts[here] = self._found(here)
                waiting.pop()
        return self._parts[name]

    def _begun(self, name: str) -> tuple[str, Iterator[Flow]]:
        start = self._starts.get(name)  # what comes back in a circle adds nothing
        self._parts[name] = None if start is None else _Part(start, picked=False)
        return name, iter(self._into[name])

    def _found(self, name: str) -> _Part | None:
        if name in self._apart or self._known[name].kind in _READ_LATER:
            return None
        parts = [part for flow in self._into[name] if (part := self._along(flow)) is not None]
        if name in self._starts:
            is_picked = bool(parts) and name not in self._asks_models and all(part.picked for part in parts)
            return _Part(self._starts[name], is_picked)
        if not parts:
            return None
        picked = sum(part.share for part in parts if part.picked)
        rest = [part.share for part in parts if not part.picked]
        return _Part(max([picked, *rest]), picked=not rest)
