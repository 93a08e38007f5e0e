"""What one request takes: its time and its availability, along all that it waits for.

A component answers when its own work and its calls are done. Calls are made one after another or at once, as the
component says; where it does not say, both are computed. Of calls at once, some begin later: those that name others in
`after`, those in a later stage of the pattern, and what hands predictions on, when the other calls have answered. Calls
one after another take no longer than the slowest where paths of the pattern are parallel. A call with an alternative is
tried first, and the alternative only when it gives no answer; a call with a fallback is answered whatever becomes of
it, unless it is made from outside the system.

>>> from mlsd_helpers.design import Component, Flow, Planes
>>> hub = Component(id="hub", kind="orchestrator", calls="one after another")
>>> parts = [Component(id=name, kind="service", latency="80 ms", availability="99.9%") for name in "abc"]
>>> calls = [Flow(start="hub", end=part.id, carries="request") for part in parts]
>>> (entry,) = requests_of(Planes(components=(hub, *parts), flows=calls))
>>> round(entry.time.most_s, 6), round(entry.availability, 6)
(0.24, 0.997003)
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

from mlsd_helpers.analysis.graph import (
    callers_first,
    components_by_id,
    cycle,
    own_entries,
    reached,
    waiting_flows,
)
from mlsd_helpers.analysis.once import once
from mlsd_helpers.analysis.paths import Order
from mlsd_helpers.design import Component, Design, Flow, Planes

_NO_FALLBACK = re.compile(
    r"\W*(none|no|not?hing|n/?a|tbd|todo|unknown|-+|\?+|error|errors|5\d\d|crash|raise|abort|reject|time ?out"
    r"|no fallback|(fail|reject|drop|abort|refuse|error|give up|wait|retry|try again|keep (on )?trying)\b.*"
    r"|(the )?(page|user|request|caller|client|customer)s? waits?\b.*"
    r"|(return|answer|respond|show|send|throw|raise)s?( with)?( an?| the)?( http)? ?"
    r"(error|failure|5\d\d|exception|apology)\b.*"
    r"|((we|it|the app|show|display|say|tell|reply|answer|return|ask)s? |an? |the |that |user |customer |to |is )*\W*"
    r"(something went wrong|try (it )?again|error (message|page)|(service )?(temporarily )?unavailable)\b.*)\W*",
    re.IGNORECASE,
)


def has_fallback(flow: Flow) -> bool:
    """Tell whether the caller has an answer of its own when a call gives none.

    Words such as "none" or "fail the request" name no answer. A call that fails open lets the request through, which
    is one.

    >>> has_fallback(Flow(start="a", end="b", carries="request", fallback="Fail the request"))
    False
    >>> has_fallback(Flow(start="a", end="b", carries="request", fallback="Keep the order of the retrieval"))
    True
    """
    if flow.fallback is None:
        return flow.fails == "open"
    return not _NO_FALLBACK.fullmatch(flow.fallback)


def answered_by_plan(design: Design) -> frozenset[str]:
    """Return the components of whose failure a failure mode says what users get meanwhile, an answer of some kind.

    >>> lost = [{"id": "ocr", "failure": "Down", "of": "ocr", "meanwhile": "Clerks type the fields"},
    ...         {"id": "llm", "failure": "Down", "of": "llm", "meanwhile": "none"}]
    >>> sorted(answered_by_plan(Design(name="d", requirements={"failure_modes": lost})))
    ['ocr']
    """
    return frozenset(
        name
        for mode in (design.requirements.failure_modes if design.requirements else ())
        if mode.meanwhile and not _NO_FALLBACK.fullmatch(mode.meanwhile)
        for name in mode.of
    )


_REFUSES = re.compile(
    r"\b(refus\w*|declin\w*|reject\w*|den(y|ies|ied)|turn\w* (away|down)|(is|are|stays?) blocked"
    r"|tr(y|ies) (it )?(again|later)|come back|told no|not possible)\b",
    re.IGNORECASE,
)


def counts_as_answered(flow: Flow) -> bool | None:
    """Tell whether a request whose call gives no answer is answered all the same; None where that is open.

    As the flow's `answered` says. Otherwise it is if the caller has an answer of its own, and is not if it refuses:
    if the call fails closed. It is open where words and `fails` contradict, and where words alone refuse, which may be
    the decision that is asked for.

    >>> refusal = Flow(start="a", end="b", carries="request", fallback="The payment is refused")
    >>> [counts_as_answered(refusal.changed(**more)) for more in ({}, {"fails": "closed"}, {"answered": True})]
    [None, False, True]
    """
    if flow.answered is not None:
        return flow.answered
    if not has_fallback(flow):
        return False
    refuses = bool(_REFUSES.search(flow.fallback or ""))
    if flow.fails == "closed":
        return False if refuses else None
    return None if refuses and flow.fails is None else True


def attempts_s(flow: Flow) -> float:
    """Return the longest time that a call may take, retries included, in seconds; infinite without a timeout.

    Pauses between the attempts come on top, and are not known.
    """
    return math.inf if flow.timeout is None else flow.timeout * (1 + flow.retries)


_ASKING = ("client", "people", "raw source", "external service")
"""Kinds that ask the system from outside, where nothing of the system calls them."""


def outside_of(planes: Planes) -> frozenset[str]:
    """Return the components that ask the system from outside, so that what they do without its answer is none of it.

    A device fleet is no such component: a model on the device may answer for the system.

    >>> parts = [Component(id="app", kind="client"), Component(id="api", kind="api gateway")]
    >>> sorted(outside_of(Planes(components=parts, flows=[Flow(start="app", end="api", carries="request")])))
    ['app']
    """
    flows = [flow for _, flow in waiting_flows(planes)]
    called, calling = {flow.end for flow in flows}, {flow.start for flow in flows}
    return frozenset(
        one.id
        for one in planes.components
        if one.kind == "client" or (one.kind in _ASKING and one.id in calling - called)
    )


_NO_ORDER: Order = MappingProxyType({})
_MOST_SHARED = 8  # components of which every state is tried out; alternatives that share more are rare


@dataclass(frozen=True)
class Call:
    """One call of a component: the flow that is tried first, and those that are tried after it, in order."""

    flow: Flow
    alternatives: tuple[Flow, ...] = ()
    from_outside: bool = False
    """Whether it is made from outside the system; what the caller then does by itself is no answer of the system."""
    handed_on: bool = False
    """Whether what nobody answers is handed to people, a queue or a store, on which nobody waits."""

    @property
    def flows(self) -> tuple[Flow, ...]:
        """All that may be tried, in order."""
        return (self.flow, *self.alternatives)

    @property
    def answered_without(self) -> bool | None:
        """Whether the request is answered when all of them fail, by its last flow or its first; None if open."""
        last, first = counts_as_answered(self.flows[-1]), counts_as_answered(self.flow)
        if self.flows[-1].answered is not None:
            return last
        if self.handed_on:
            return True
        if self.from_outside:
            return any(flow.answered for flow in self.flows)
        if True in {first, last}:
            said = [flow for flow in self.flows if flow.answered is None and flow.fails == "closed"]
            return None if said else True
        return None if None in {first, last} else False

    @property
    def has_fallback(self) -> bool:
        """Whether the request may be answered when all of them fail, as far as the design says."""
        return self.answered_without is not False

    @property
    def only_in_words(self) -> bool:
        """Whether only words, or `fails`, say that a request is answered when all of them fail."""
        return bool(self.answered_without) and not self.handed_on and not any(f.answered for f in self.flows)

    @property
    def needed(self) -> bool:
        """Whether every request that makes this call needs exactly this component's answer."""
        return not self.alternatives and not self.has_fallback

    @property
    def longest_s(self) -> float:
        """The longest time until the caller goes on, in seconds: every attempt of every alternative times out."""
        return math.fsum(attempts_s(flow) for flow in self.flows)


@once
def calls_by_component(planes: Planes) -> dict[str, tuple[Call, ...]]:
    """Return the calls that each component makes for a request, in the order of the sketch.

    An alternative that states a share of its own is such a call too.
    """
    waiting = [flow for _, flow in waiting_flows(planes)]
    by_id: dict[str | None, Flow] = {flow.id: flow for flow in waiting if flow.id}
    others = {flow.id for flow in planes.flows if flow.id} - by_id.keys()
    later, outside = {flow.otherwise for flow in waiting if flow.otherwise}, outside_of(planes)
    calls = defaultdict[str, list[Call]](list)
    for flow in waiting:
        if flow.id is None or flow.id not in later or flow.share is not None:
            tried = tuple(_alternatives(flow, by_id))
            handed_on = (flow, *tried)[-1].otherwise in others
            calls[flow.start].append(Call(flow, tried, flow.start in outside, handed_on))
    return {start: tuple(made) for start, made in calls.items()}


def _alternatives(flow: Flow, by_id: Mapping[str | None, Flow]) -> Iterator[Flow]:
    seen = {flow.id}
    while (following := by_id.get(flow.otherwise)) and following.id not in seen:
        seen.add(following.id)
        yield following
        flow = following


@dataclass(frozen=True)
class Span:
    """A time between two bounds, in seconds, and the components that make up the upper one, from the entry inwards.

    The bounds differ where a component does not say whether its calls are made one after another or at once.
    """

    least_s: float
    most_s: float
    way: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether the order of all calls is known, or does not matter."""
        return math.isclose(self.least_s, self.most_s)


@dataclass(frozen=True)
class Request:
    """What one request takes that enters at a component."""

    entry: str
    time: Span
    """The stated latencies along its calls: added one after another, the largest of those at once. Means add to a
    mean (at once: to a lower bound of it), bounds add to a bound, percentiles add to neither."""
    certain_s: float
    """What the request takes at least at each percentile of which latencies are stated: the largest single one that
    every request waits for."""
    longest_s: Span
    """How long the entry may wait for its calls until each has timed out; infinite where a timeout is missing."""
    availability: float
    """The share of requests with an answer, from the availabilities that are stated; 1 where none is."""
    needs: tuple[str, ...]
    """The components without which no request has an answer, from the entry inwards."""
    in_full: float
    """The share of requests for which everything that is tried first answers: no fallback, no alternative."""


def stated_latency_s(component: Component) -> float:
    """Return the latency that a component states, in seconds; 0 where it states none."""
    return component.latency or 0.0


def stated_availability(component: Component) -> float:
    """Return the share of calls that a component says it answers; 1 where it says nothing."""
    return 1.0 if component.availability is None else component.availability


def _own_answer(call: Call) -> float:
    return float(call.has_fallback)


def _always(_flow: Flow, _time: "Span") -> float:
    return 1.0


@dataclass(frozen=True)
class Sure:
    """What is taken for granted of answers: those of a component, of a fallback, and of a call in its time.

    Each gives a share: of calls that a component answers, of unanswered calls that a fallback answers, and of answers
    that come before the call of a flow times out, by the time of what it calls.
    """

    up: Callable[[Component], float] = stated_availability
    falls_back: Callable[[Call], float] = _own_answer
    in_time: Callable[[Flow, Span], float] = _always


AS_STATED = Sure()


def requests_of(
    planes: Planes,
    latency_s: Callable[[Component], float] = stated_latency_s,
    sure: Sure = AS_STATED,
    order: Order = _NO_ORDER,
) -> tuple[Request, ...]:
    """Return what a request takes at each component that calls and is not called; nothing where calls form a cycle.

    In the sketch of a workload, at its entries.

    `latency_s` gives the time of one component by itself, in seconds; some rules count some of them only. `sure` gives
    what is answered; what is stated, and every fallback, when it is left out. `order` is that of the pattern's stages.
    """
    flows = [flow for _, flow in waiting_flows(planes)]
    if not flows or cycle(flows):
        return ()
    called = {flow.end for flow in flows}
    walk = _Walk(
        components_by_id(planes), calls_by_component(planes), callers_first(flows), latency_s, sure, order
    )
    found = [name for name in dict.fromkeys(f.start for f in flows) if name not in called]
    touched = {*called, *(flow.start for flow in flows)}
    return tuple(walk.request(name) for name in own_entries(planes, found) if name in touched)


def times_of(
    planes: Planes,
    latency_s: Callable[[Component], float],
    tried: Collection[Flow] = (),
    alone: Collection[str] = (),
    order: Order = _NO_ORDER,
) -> dict[str, Span]:
    """Return the time of a request by each component where it may enter; nothing where calls form a cycle.

    Calls that begin with a flow in `tried` give no answer, and their alternatives are tried after them. The time of a
    component in `alone` includes what it calls. `order` is that of the pattern's stages.
    """
    flows = [flow for _, flow in waiting_flows(planes)]
    if cycle(flows):
        return {}
    names = callers_first(flows)
    calls = {name: made for name, made in calls_by_component(planes).items() if name not in alone}
    walk = _Walk(components_by_id(planes), calls, names, latency_s, AS_STATED, order, tried)
    return {name: walk.time(name) for name in names}


def failing_shares(planes: Planes) -> dict[Flow, float]:
    """Return the share of calls that what is tried first leaves to its alternatives, for each call that has any.

    From the availabilities that the callee and what it needs state; 1 where the callee states none.
    """
    flows = [flow for _, flow in waiting_flows(planes)]
    if cycle(flows):
        return {}
    known, calls = components_by_id(planes), calls_by_component(planes)
    walk = _Walk(known, calls, callers_first(flows), stated_latency_s, AS_STATED, _NO_ORDER)
    return {
        call.flow: 1.0
        if known[call.flow.end].availability is None
        else 1 - walk.request(call.flow.end).availability
        for made in calls.values()
        for call in made
        if call.alternatives
    }


def longest_calls_s(component: Component, calls: Sequence[Call], order: Order = _NO_ORDER) -> Span:
    """Return how long a component may wait for its calls until each has timed out, in seconds."""
    spans = [Span(call.longest_s, call.longest_s, (call.flow.end,)) for call in calls]
    return _together(component.calls, _of_one_request(calls, spans), order)


def waves(component: Component, calls: Sequence[Call], order: Order = _NO_ORDER) -> list[list[Call]]:
    """Return the calls that a component makes for a request in the order in which they may begin.

    Those of one wave wait for none of each other: of calls at once all that can begin together, otherwise one each.

    >>> calls = [Call(Flow(start="a", end="b", id="x", carries="request", after=["y"])),
    ...          Call(Flow(start="a", end="c", id="y", carries="request"))]
    >>> [[call.flow.id for call in wave] for wave in waves(Component(id="a", kind="service", calls="at once"), calls)]
    [['y'], ['x']]
    """
    left, found = list(calls), list[list[Call]]()
    while left:
        ready = [
            one for one in left if not any(_comes_before(other.flow, one.flow, order) for other in left)
        ] or left  # a circle of calls that wait for each other
        if component.calls != "at once":
            ready = ready[:1]
        found.append(ready)
        left = [one for one in left if one not in ready]
    return found


def _of_one_request(calls: Sequence[Call], spans: Sequence[Span]) -> "_Made":
    """Leave out calls that other requests make: those whose shares add up to 100% or less exclude each other.

    So do a call and its alternative that gets requests of its own: a request begins with one of them.
    """
    left = dict(enumerate(spans))
    place = {call.flow: at for at, call in enumerate(calls)}
    for at, call in enumerate(calls):
        for other in (place[flow] for flow in call.alternatives if flow in place):
            if {at, other} <= left.keys():
                del left[min(at, other, key=lambda number: spans[number].most_s)]
    parts = [at for at in left if calls[at].flow.share not in {None, 1.0}]
    if len(parts) > 1 and math.fsum(calls[at].flow.share or 0.0 for at in parts) <= 1 + 1e-9:
        longest = max(parts, key=lambda at: spans[at].most_s)
        left = {at: span for at, span in left.items() if at == longest or at not in parts}
    return [(calls[at].flow, span) for at, span in left.items()]


_Made = Sequence[tuple[Flow, Span]]
"""The calls that one request makes of one component, each with its time."""


def _together(how: str | None, made: _Made, order: Order) -> Span:
    """Join calls: one after another their sum, at once until the last answers, both bounds where it is not said."""
    if not made:
        return Span(0.0, 0.0)
    at_once = _at_once(made, order)
    if how == "at once" or len(made) == 1:
        return at_once
    in_a_row = _in_a_row(made, order)
    return in_a_row if how else Span(at_once.least_s, in_a_row.most_s, in_a_row.way)


def _at_once(made: _Made, order: Order) -> Span:
    """Join calls that each begin as soon as those before it have answered."""
    ends = dict[int, Span]()
    ordered = len({flow.carries for flow, _ in made}) > 1 or any(
        flow.after or flow.end in order for flow, _ in made
    )

    def end(at: int) -> Span:
        if at not in ends:
            flow, own = made[at]
            ends[at] = own  # a circle of calls that wait for each other is cut here
            before = [
                other for other, (one, _) in enumerate(made) if ordered and _comes_before(one, flow, order)
            ]
            waited = [end(other) for other in before]
            last = max(waited, key=lambda span: span.most_s, default=Span(0.0, 0.0))
            least_s = max((span.least_s for span in waited), default=0.0)
            ends[at] = Span(own.least_s + least_s, own.most_s + last.most_s, (*last.way, *own.way))
        return ends[at]

    found = [end(at) for at in range(len(made))]
    longest = max(found, key=lambda span: span.most_s)
    return Span(max(span.least_s for span in found), longest.most_s, longest.way)


def _comes_before(one: Flow, other: Flow, order: Order) -> bool:
    """Tell whether a call has to be answered before another one of the same component begins."""
    if one is other:
        return False
    if (one.id is not None and one.id in other.after) or (other.id is not None and other.id in one.after):
        return one.id is not None and one.id in other.after
    first, second = (order[flow.end].stage if flow.end in order else None for flow in (one, other))
    if first is not None and second is not None:
        return first < second
    return other.carries == "predictions" != one.carries


def _in_a_row(made: _Made, order: Order) -> Span:
    """Add calls up; of those that parallel paths of the pattern make, the slowest."""
    groups = defaultdict[object, list[Span]](list)
    for at, (flow, span) in enumerate(made):
        groups[order.get(flow.end, at)].append(span)
    slowest = [max(group, key=lambda span: span.most_s) for group in groups.values()]
    way = tuple(dict.fromkeys(name for span in slowest if span.most_s for name in span.way))
    least_s = math.fsum(max(span.least_s for span in group) for group in groups.values())
    return Span(least_s, math.fsum(span.most_s for span in slowest), way)


class _Walk:
    """Walks the calls of a sketch from the components that call nobody to those that nobody calls."""

    def __init__(
        self,
        components: Mapping[str, Component],
        calls: Mapping[str, tuple[Call, ...]],
        order: Sequence[str],
        latency_s: Callable[[Component], float],
        sure: Sure,
        stages: Order,
        tried: Collection[Flow] = (),
    ) -> None:
        self._of, self._calls, self._latency_s, self._sure = components, calls, latency_s, sure
        self._stages, self._tried = stages, tried
        self._time: dict[str, Span] = {}
        for name in reversed(order):
            self._time[name] = self._time_of(name)

    def time(self, name: str) -> Span:
        """Return the time of a component with all that it calls."""
        return self._time[name]

    def request(self, entry: str) -> Request:
        calls = self._calls.get(entry, ())
        needs = tuple(dict.fromkeys(self._needs(entry)))
        return Request(
            entry,
            self._with_way(entry),
            max((self._latency_s(self._of[name]) for name in needs), default=0.0),
            longest_calls_s(self._of[entry], calls, self._stages),
            self._answered(entry, needs),
            needs,
            math.prod(map(self._up, self._reached(entry, lambda call: (call.flow,)))),
        )

    def _time_of(self, name: str) -> Span:
        """Return the time of a component with its calls, when every first attempt answers but those of `tried`."""
        own = self._latency_s(self._of[name])
        calls = self._calls.get(name, ())
        called = _of_one_request(calls, [self._call_time(call) for call in calls])
        spans = _together(self._of[name].calls, called, self._stages)
        return Span(own + spans.least_s, own + spans.most_s, spans.way)

    def _call_time(self, call: Call) -> Span:
        """Return the time of a call: what it calls, or every alternative after the one before it has timed out."""
        first = self._time[call.flow.end]
        if call.flow not in self._tried or not call.alternatives:
            return Span(first.least_s, first.most_s, (call.flow.end,))
        waits = [(flow, self._time[flow.end].most_s, attempts_s(flow)) for flow in call.flows]
        waited_s = math.fsum(time_s if math.isinf(wait_s) else wait_s for _, time_s, wait_s in waits[:-1])
        last_s = waits[-1][1]
        answered_s = max(time_s for _, time_s, _ in waits)
        most_s = max(waited_s + last_s, answered_s)
        return Span(min(first.least_s, last_s), most_s, tuple(flow.end for flow in call.flows))

    def _with_way(self, entry: str) -> Span:
        """Return the time of a component with the whole way: each component by itself knows its next ones only."""
        way, left = dict[str, None](), [entry]
        while left:
            name = left.pop()
            if name not in way:
                way[name] = None
                left += reversed(self._time[name].way)
        return Span(self._time[entry].least_s, self._time[entry].most_s, tuple(way))

    def _needs(self, name: str) -> Iterator[str]:
        """Yield a component and all that it needs for every request; without recursion, since sketches are deep."""
        left, seen = [name], set[str]()
        while left:
            one = left.pop()
            if one in seen:
                continue
            seen.add(one)
            yield one
            left += [
                call.flow.end
                for call in reversed(self._calls.get(one, ()))
                if call.needed and call.flow.share in {None, 1.0}
            ]

    def _up(self, name: str) -> float:
        return self._sure.up(self._of[name])

    def _answered(self, entry: str, needs: Iterable[str]) -> float:
        """Return the share of requests that are answered.

        What every request needs counts once, however often it is called. What several alternatives of a call need
        fails for all of them: both states of each such component are tried out, of the `_MOST_SHARED` that fail most.
        """
        needed = set(needs)
        shared = sorted(self._shared(entry) - needed, key=self._up)[:_MOST_SHARED]
        total = 0.0
        for states in product((True, False), repeat=len(shared)):
            up = {name for name, is_up in zip(shared, states, strict=True) if is_up}
            chances = (self._up(name) if name in up else 1 - self._up(name) for name in shared)
            if chance := math.prod(chances):
                total += chance * self._rest(needed | up, set(shared) - up, entry)
        return math.prod(map(self._up, needed)) * total

    def _shared(self, entry: str) -> set[str]:
        """Return what may fail and is needed by more than one alternative of a call."""
        steps = {name: [f.end for call in made for f in call.flows] for name, made in self._calls.items()}
        seen = reached([entry], steps)
        found = set[str]()
        for call in (call for name in seen for call in self._calls.get(name, ()) if call.alternatives):
            times = Counter(name for flow in call.flows for name in reached([flow.end], steps))
            found |= {name for name, number in times.items() if number > 1 and self._up(name) < 1}
        return found

    def _rest(self, up: set[str], down: set[str], entry: str) -> float:
        """Return the share of requests answered while some components are up for certain, and others down."""
        answered: dict[str, float] = {}
        may_reach = self._reached(entry, lambda call: call.flows)
        for name in self._time:  # called ones before their callers
            if name not in may_reach:
                continue
            share = 1.0 if name in up else 0.0 if name in down else self._up(name)
            for call in self._calls.get(name, ()):
                share *= self._call_answered(call, answered.__getitem__)
            answered[name] = share
        return answered[entry]

    def _call_answered(self, call: Call, answered: Callable[[str], float]) -> float:
        failed = math.prod(
            1 - answered(flow.end) * self._sure.in_time(flow, self._time[flow.end]) for flow in call.flows
        )
        share = 1.0 if call.flow.share is None else call.flow.share
        return 1 - share * failed * (1 - self._sure.falls_back(call))

    def _reached(self, entry: str, flows_of: Callable[[Call], Iterable[Flow]]) -> set[str]:
        """Return all that a request may reach by some flows of each call."""
        steps = {name: {f.end for call in made for f in flows_of(call)} for name, made in self._calls.items()}
        return reached([entry], steps)
