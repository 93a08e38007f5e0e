"""How often each component is called for a request, and how much of a week people are on duty.

>>> from mlsd_helpers.design import Component, Flow
>>> boxes = [Component(id=name, kind="service") for name in "abc"]
>>> calls = [
...     Flow(start="a", end="b", carries="request", share="40%"),
...     Flow(start="a", end="c", carries="request"),
...     Flow(start="c", end="b", carries="request", share="50%"),
... ]
>>> calls_per_request(Planes(components=boxes, flows=calls))
{'a': 1.0, 'b': 0.9, 'c': 1.0}
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from mlsd_helpers.analysis.graph import (
    callers_first,
    components_by_id,
    cycle,
    is_task,
    own_flows,
    reached,
    steps_along,
    waiting_flows,
)
from mlsd_helpers.analysis.once import once
from mlsd_helpers.analysis.paths import JOBS, entries_of, with_queues
from mlsd_helpers.analysis.request import Call, calls_by_component
from mlsd_helpers.design import Component, Flow, Planes
from mlsd_helpers.units import day


def calls_per_request(planes: Planes, at_most: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return how many calls or items reach each component for one request of a user, while all answers come at once.

    Along calls, and through queues to what works on their items later: a queue hands on all that it gets, unless the
    shares of its flows say less. What is handed on without a queue and without a share is not known, and so left out;
    a command within a timeout is sent like a call, and so known.

    Retries make none, nor do alternatives without a share of their own. Requests enter where `entries_of` says; where
    they may enter at several components, each figure is the least that any of them brings, unless the shares of the
    flows from there say how requests are divided among them. Callers of unknown rate add nothing, so that each figure
    is a lower bound. `at_most` limits what reaches a component, such as behind a cache.
    """
    return _calls_per_request(planes) if not at_most else _limited(planes, at_most)


@once
def shares_reaching(planes: Planes) -> dict[str, float]:
    """Return `calls_per_request` with all the calls that a flow makes at once counted as one."""
    if all(flow.calls == 1 for flow in planes.flows):
        return calls_per_request(planes)
    return calls_per_request(planes.changed(flows=[flow.changed(calls=1) for flow in planes.flows]))


def mean_at_once(planes: Planes | None, component: str | None) -> float:
    """Return how many calls of a component one visit to it is on average; 1 where it is called once, or not at all.

    >>> from mlsd_helpers.design import Component
    >>> boxes = [Component(id=name, kind="service") for name in "ab"]
    >>> shards = Flow(start="a", end="b", carries="request", share="50%", calls=12)
    >>> mean_at_once(Planes(components=boxes, flows=[shards]), "b")
    12.0
    """
    once_each = shares_reaching(planes).get(component or "") if planes else None
    return calls_per_request(planes)[component or ""] / once_each if planes and once_each else 1.0


@once
def most_at_once(planes: Planes) -> dict[str, int]:
    """Return for how many calls of each component a request waits at once, at most, where that is more than one.

    Calls within calls multiply: each of 3 shards that asks 4 others makes 12 calls of these.
    """
    flows = [flow for _, flow in waiting_flows(planes)]
    if all(flow.calls == 1 for flow in flows) or cycle(flows):
        return {}
    found = dict[str, int]()
    for name in callers_first(flows):
        for flow in flows:
            if flow.start == name:
                found[flow.end] = max(found.get(flow.end, 1), found.get(name, 1) * flow.calls)
    return {name: number for name, number in found.items() if number > 1}


@once
def _calls_per_request(planes: Planes) -> dict[str, float]:
    return _limited(planes, {})


def _limited(planes: Planes, at_most: Mapping[str, float]) -> dict[str, float]:
    planes = with_queues(planes)
    waited = [flow for _, flow in waiting_flows(planes)]
    handed = _handed_on(planes, waited)
    calls = {name: list(made) for name, made in calls_by_component(planes).items()}
    for flow in handed:
        calls.setdefault(flow.start, []).append(Call(flow))
    order = callers_first([*waited, *handed])
    entries = entries_of(planes)
    if _divided(entries, waited):
        return _calls_from(entries, order, calls, at_most)
    found = [_calls_from([entry], order, calls, at_most) for entry in entries]
    if not found:
        return {}
    names = [one.id for one in planes.components if all(one.id in rates for rates in found)]
    return {name: min(rates[name] for rates in found) for name in names}


_ITEMS = ("events", "predictions", "batch", "labels", "alert", "request", "features")
_RUNS = {*JOBS} - {"stream processor"}  # what a run reads, or writes, is not as many as the requests
_ENDS = (
    "people",
    "prediction log",
    "offline store",
    "label store",
)  # cases of people are counted by themselves


def _handed_on(planes: Planes, waited: Sequence[Flow]) -> list[Flow]:
    """Return the flows that bring items to who works on them later, without what leads back to where they come from."""
    known, taken = components_by_id(planes), set(waited)
    called = {flow.end for flow in waited}  # what requests come to is no run of a job, whatever its kind
    queues = {one.id for one in planes.components if one.kind == "event stream"}
    items = steps_along(flow for _, flow in own_flows(planes) if flow.carries in _ITEMS)
    found = list[Flow]()
    for _, flow in own_flows(planes):
        kinds = known[flow.start].kind, known[flow.end].kind
        task = is_task(flow, known) and flow.start not in reached([flow.end], items)
        brings = (flow.carries in _ITEMS or task) and flow not in taken and not {*kinds} & {*_ENDS}
        counted = flow.share is not None or flow.start in queues or flow.end in queues
        counted = counted or (task and flow.timeout is not None)  # its sender waits until it is taken: a call
        a_run = any(known[name].kind in _RUNS and name not in called for name in (flow.start, flow.end))
        if brings and counted and not a_run and not cycle([*waited, *found, flow]):
            found.append(flow)
    return found


def _divided(entries: Sequence[str], flows: Iterable[Flow]) -> bool:
    """Tell whether the shares of all flows from several entries add up to all requests."""
    shares = [flow.share for flow in flows if flow.start in entries]
    return len(entries) > 1 and None not in shares and math.isclose(math.fsum(filter(None, shares)), 1.0)


def _calls_from(
    entries: Iterable[str],
    order: Iterable[str],
    calls: Mapping[str, Iterable[Call]],
    limits: Mapping[str, float],
) -> dict[str, float]:
    rates = dict.fromkeys(entries, 1.0)
    for name in order:
        if name in rates:
            rates[name] = min(rates[name], limits.get(name, math.inf))
        for call in calls.get(name, ()) if name in rates else ():
            rates[call.flow.end] = rates.get(call.flow.end, 0.0) + call.flow.per_start * rates[name]
    return rates


def calls_of_flows(starts: Iterable[str], flows: Sequence[Flow]) -> dict[str, float]:
    """Return how many calls reach each component for one item at each of some starts, by all of these flows.

    >>> limited = [("scorer", "limiter", 2), ("limiter", "provider", 1)]
    >>> flows = [Flow(start=start, end=end, carries="request", calls=calls) for start, end, calls in limited]
    >>> calls_of_flows(["scorer"], flows)
    {'limiter': 2.0, 'provider': 2.0}
    """
    starts, calls = tuple(starts), defaultdict[str, list[Call]](list)
    for flow in flows:
        calls[flow.start].append(Call(flow))
    found = _calls_from(starts, callers_first(flows), calls, {})
    return {name: number for name, number in found.items() if name not in starts}


def without_rare(
    planes: Planes,
    most: float,
    is_worth: Callable[[frozenset[Flow], float], bool] = lambda _gone, _rare: True,
) -> tuple[frozenset[Flow], float]:
    """Return flows that so few requests take that a percentile does not see them, and how many take any of them.

    Calls with a share, with their alternatives, fewest first, while all together fewer than `most` of the requests
    make one of them, and `is_worth` says of all that would be left out that leaving them out changes something. A call
    of unknown rate counts as if every request came by.
    """
    rates, calls = calls_per_request(planes), calls_by_component(planes)
    later = {flow for made in calls.values() for call in made for flow in call.alternatives}
    starting = {call.flow for made in calls.values() for call in made}
    candidates = [
        (call.flow.share * rates.get(call.flow.start, 1.0), call)
        for made in calls.values()
        for call in made
        if call.flow.share is not None and call.flow.share < 1 and call.flow not in later
    ]
    gone, rare = frozenset[Flow](), 0.0
    for rate, call in sorted(candidates, key=lambda one: one[0]):
        more = gone | {call.flow} | ({*call.alternatives} - starting)
        if rare + rate < most - 1e-9 and not {*call.alternatives} & starting and is_worth(more, rare + rate):
            gone, rare = more, rare + rate
    return gone, rare


_OF_EACH = re.compile(r"user|tenant|customer|client|caller|consumer|person|each|every", re.IGNORECASE)
_TOGETHER = re.compile(r"\b(all|whole|total|together)\b", re.IGNORECASE)
_OF_OURS = re.compile(
    r"\b(keys?|accounts?|organi[sz]ations?|projects?|subscriptions?|contracts?|deployments?"
    r"|models?|endpoints?|company|everybody|us|our\w*)\b",
    re.IGNORECASE,
)


def is_of_each(per: str | None) -> bool:
    """Tell whether a quota counts for each of many callers, and so says nothing of all together.

    Words such as "key" or "account" mean ours, in which all our calls count; any other word names a kind of caller.

    >>> is_of_each("developer"), is_of_each("customer's key"), is_of_each("key"), is_of_each(None)
    (True, True, False, False)
    """
    if per is None or _TOGETHER.search(per):
        return False
    return bool(_OF_EACH.search(per)) or not _OF_OURS.search(per)


_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_DAY = r"\b(mon?|tue?s?|wed?|thu?r?s?|fri?|sat?|sun?)(?:days?|nesdays?|rsdays?|urdays?)?\b"
_SPAN = re.compile(
    r"(\d{1,2})(?:[:.](\d\d))?\s*(?:h|am|pm)?\s*(?:-|–|to|until)\s*(\d{1,2})(?:[:.](\d\d))?", re.IGNORECASE
)
_ALWAYS = re.compile(r"24\s*(/|x|×)\s*7|around the clock|always|day and night", re.IGNORECASE)


def share_on_duty(hours: str | None) -> float | None:
    """Return the share of a week for which words such as "Mon-Fri 8-20" say that people are on duty.

    None where the words cannot be read.

    >>> share_on_duty("Mon-Fri 8-20"), share_on_duty("24/7"), share_on_duty("office hours")
    (0.35714285714285715, 1.0, None)
    """
    if hours is None:
        return None
    if _ALWAYS.search(hours):
        return 1.0
    spans = _SPAN.findall(hours)
    if len(spans) != 1 or re.search(r"\b(am|pm)\b|\d(am|pm)", hours, re.IGNORECASE):
        return None
    start, start_min, end, end_min = (int(number or 0) for number in spans[0])
    day_h = (end + end_min / 60 - start - start_min / 60) % 24 or 24
    return day_h / 24 * days_on_duty(hours) / 7


def pace_on_duty(one: Component) -> float | None:
    """Return the cases a second that people take while they are there; None where their hours cannot be read."""
    if one.rate is not None or one.cases_per_day is None:
        return one.rate
    share = share_on_duty(one.hours)
    return one.cases_per_day * days_on_duty(one.hours) / (7 * day * share) if share else None


def longest_off_duty_s(hours: str | None) -> float | None:
    """Return the longest time in which nobody is on duty by words such as "Mon-Fri 8-20", in seconds.

    None where the words cannot be read.

    >>> [longest_off_duty_s(hours) for hours in ("Mon-Fri 8-20", "8-20", "24/7", "office hours")]
    [216000.0, 43200.0, 0.0, None]
    """
    share, days = share_on_duty(hours), days_on_duty(hours)
    if share is None:
        return None
    night_s = 86_400 - share * 7 / days * 86_400
    return round((7 - days) * 86_400 + night_s, 6)  # the days off may follow one another


def days_on_duty(hours: str | None) -> int:
    """Return on how many days of a week people are there by words such as "Mon-Fri 8-20"; on all where none is named.

    >>> days_on_duty("Mon-Fri 8-20"), days_on_duty("24/7"), days_on_duty(None)
    (5, 7, 7)
    """
    hours = hours or ""
    named = [_DAYS.index(day[:2].lower()) for day in re.findall(_DAY, hours, re.IGNORECASE)]
    if re.search(r"(working|week) ?days?\b", hours, re.IGNORECASE):
        return 5
    if len(named) == 2 and re.search(rf"{_DAY}\s*(-|–|to)\s*{_DAY}", hours, re.IGNORECASE):
        return (named[1] - named[0]) % 7 + 1
    return len(set(named)) or 7
