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
from collections.abc import Mapping

from mlsd_helpers.analysis.graph import callers_first, components_by_id, waiting_flows
from mlsd_helpers.analysis.request import calls_by_component
from mlsd_helpers.design import Planes

_ENTRIES = ("api gateway", "load balancer", "rate limiter", "device fleet")


def calls_per_request(planes: Planes, at_most: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return how many calls reach each component for one request of a user, while everything answers at once.

    Retries and alternatives make none. Where several components are called by nobody, requests enter at the only
    gateway, load balancer, rate limiter or device fleet among them; nothing is returned where that is not clear.
    Callers of unknown rate add nothing, so that each figure is a lower bound. `at_most` limits what reaches a
    component, such as behind a cache.
    """
    flows = [flow for _, flow in waiting_flows(planes)]
    known = components_by_id(planes)
    called = {flow.end for flow in flows}
    entries = list(dict.fromkeys(flow.start for flow in flows if flow.start not in called))
    if len(entries) > 1:
        entries = [name for name in entries if known[name].kind in _ENTRIES]
    if len(entries) != 1:
        return {}
    calls = calls_by_component(planes)
    rates = {entries[0]: 1.0}
    limits = at_most or {}
    for name in callers_first(flows):
        if name in rates:
            rates[name] = min(rates[name], limits.get(name, math.inf))
        for call in calls.get(name, ()) if name in rates else ():
            share = 1.0 if call.flow.share is None else call.flow.share
            rates[call.flow.end] = rates.get(call.flow.end, 0.0) + share * rates[name]
    return {name: rates[name] for name in known if name in rates}


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
    return day_h / 24 * _days(hours) / 7


def _days(hours: str) -> int:
    """Return on how many days of a week; all where none is named."""
    named = [_DAYS.index(day[:2].lower()) for day in re.findall(_DAY, hours, re.IGNORECASE)]
    if re.search(r"(working|week) ?days?\b", hours, re.IGNORECASE):
        return 5
    if len(named) == 2 and re.search(rf"{_DAY}\s*(-|–|to)\s*{_DAY}", hours, re.IGNORECASE):
        return (named[1] - named[0]) % 7 + 1
    return len(set(named)) or 7
