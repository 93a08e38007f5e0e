"""A whole request: the time that it spends outside a fleet, and whether it is answered, as ranges.

The lower end of a time, and the upper end of a share, hold whatever the design leaves open. Where a design leaves open
what matters, `why` and `whys` say what to write.

>>> from mlsd_helpers import cases
>>> design = cases.load("harbour_pay")
>>> round(Elsewhere.of(design, design.capacity).most_s, 3), round(answers_of(design).least, 4)
(0.1, 0.9999)
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType

from mlsd_helpers.analysis.graph import (
    components_by_id,
    cycle,
    own_entries,
    reached,
    steps_along,
    waiting_flows,
)
from mlsd_helpers.analysis.once import once
from mlsd_helpers.analysis.paths import (
    JOBS,
    MODELS,
    begun_within,
    behind_queues,
    each_together,
    order_of,
    peak_rps,
    promised,
    run_rps,
)
from mlsd_helpers.analysis.prediction import Range, prediction_during, writing
from mlsd_helpers.analysis.rates import (
    calls_per_request,
    most_at_once,
    pace_on_duty,
    share_on_duty,
    without_rare,
)
from mlsd_helpers.analysis.request import (
    Call,
    Span,
    Sure,
    attempts_s,
    calls_by_component,
    failing_shares,
    requests_of,
    times_of,
)
from mlsd_helpers.analysis.sizing import PERCENTILES, sizings
from mlsd_helpers.analysis.surroundings import callers_of, includes_calls, lookups_s, somebody_waits
from mlsd_helpers.design import Component, Design, FleetPlan, Flow, Planes
from mlsd_helpers.design.requirements import BudgetPart
from mlsd_helpers.units import hour, show_seconds, show_share

_CLIENTS = ("raw source", "people", "device fleet", "client")
"""Kinds from which requests come: where they enter first, what they take is no part of an answer."""
_OF_ALL = ("zone loss", "surge")
"""Failures that meet all fleets at the same time; a restart or an empty cache meets one."""
_LONG_S = 1e6  # longer than all times elsewhere, to see on which way a fleet lies


@once
def waiting_entries(planes: Planes) -> tuple[str, ...]:
    """Return where requests of users enter: what calls and is not called, runs no job, and works behind no queue.

    Those of the serving plane, or where none is, of any.

    >>> from mlsd_helpers.design import Component, Flow
    >>> parts = [Component(id="exchange", kind="raw source"), Component(id="bids", kind="api gateway")]
    >>> waiting_entries(Planes(components=parts, flows=[Flow(start="exchange", end="bids", carries="request")]))
    ('exchange',)
    """
    flows = [flow for _, flow in waiting_flows(planes)]
    known, called = components_by_id(planes), {flow.end for flow in flows}
    found = [
        one
        for one in dict.fromkeys(flow.start for flow in flows if flow.start not in called)
        if known[one].kind not in JOBS
    ]
    if planes.asked:
        touched = {name for flow in flows for name in (flow.start, flow.end)}
        named = [name for name in own_entries(planes, found) if name in touched]
        return tuple(name for name in named if known[name].kind not in JOBS)
    aside = behind_queues(planes)
    found = [one for one in found if one not in aside] or found
    return tuple([one for one in found if known[one].plane == "serving"] or found)


# ---------------------------------------------------------------- time elsewhere


def _as_given(least_s: float, most_s: float) -> Callable[[float], Range]:
    return lambda own_s: Range(own_s + least_s, own_s + most_s)


@dataclass(frozen=True)
class Elsewhere:
    """The time that a request spends outside a fleet, in seconds: from `least_s` to `most_s`, on the fleet's own way.

    What other components do at the same time counts in `whole` alone, and only where it takes longer.
    """

    least_s: float = 0.0
    most_s: float = 0.0
    why: str = ""
    """What to write in the design where the two differ."""
    notes: tuple[str, ...] = ()
    unknown: str = ""
    """What on the way says nothing of its time, so that a request may take longer than `most_s` says."""
    whole: Callable[[float], Range] = field(default=_as_given(0.0, 0.0), compare=False, repr=False)
    """The time of a whole request by the time that it spends in the fleet."""
    rare: float = 0.0
    """The share of requests that also make calls left out here, for so few cannot set the percentile; see `bounds`."""
    later_s: float = 0.0
    """The longest time of what is tried after the fleet itself has timed out, in seconds."""
    coming: float = 1.0
    """The share of requests that come to the fleet at most, where it is an alternative; 1 elsewhere."""
    seldom: bool = False
    """Whether these are too few to set the percentile."""
    at_once: int = 1
    """The calls of the fleet that a request makes at once; it waits for the slowest."""

    def of_one(self, share: float) -> float:
        """Return the percentile of one call that is a percentile of the slowest of those made at once, as shares.

        All n independent calls are quicker than a time with probability F(t)ⁿ, so that it is the p^(1/n) percentile
        of one (David and Nagaraja, Order Statistics, 2003, section 2.1). Calls that are slow together are quicker.

        >>> round(Elsewhere(at_once=12).of_one(0.99), 5), Elsewhere().of_one(0.99)
        (0.99916, 0.99)
        """
        return math.pow(share, 1 / self.at_once)

    def bounds(self, share: float) -> tuple[float, ...]:
        """Return the percentiles of the other requests between which a percentile of all lies, as shares.

        At best the rare requests are all quicker, at worst all slower: with 2% of them, the p95 of all lies between
        the p94.9 and the p96.9 of the rest.

        >>> [round(each, 4) for each in Elsewhere(rare=0.02).bounds(0.95)], Elsewhere().bounds(0.95)
        ([0.949, 0.9694], (0.95,))
        """
        if not self.rare:
            return (share,)
        rest = 1 - self.rare
        return max(1 - (1 - share) / rest, 0.0), 1 - (1 - share - self.rare) / rest

    @classmethod
    def of(
        cls,
        design: Design,
        plan: FleetPlan | None,
        percentile: str | None = None,
        during: Collection[str] = (),
    ) -> "Elsewhere":
        """Take it from the parts of the latency budget, what components state, and what other fleets are predicted.

        Parts of the fleet's component are its own; parts of other components are elsewhere, and take no less than
        these state, or their own fleets are predicted to take at `percentile`, by default that of the budget. What
        only requests reach that enter at another place, and never come to the fleet, takes no time of these. A part
        without a component is elsewhere if some part is the fleet's, and may be either otherwise; where it is
        elsewhere, it comes at most on top of what components state and the split leaves out. A part is also the
        time of what its component calls and the split does not name, where what these state fits into it. Calls that
        are made at once take as long as the slowest, and calls that too few requests make to set the percentile are
        left out. Alternatives are tried after what gives no answer, where enough requests come to them, or the fleet is
        one. What a fleet calls takes no time of its own where its service time includes it, and a reserve takes none.
        Without a split all is up to what the components state, which need not add up. `during` names failures that meet
        the other fleets at the same time.
        """
        latency = design.requirements.latency if design.requirements else None
        if latency is None:
            return cls()
        at_once = tuple(one for one in during if one in _OF_ALL)
        return _elsewhere(design, plan, percentile or latency.percentile, at_once)

    def __str__(self) -> str:
        if math.isinf(self.most_s):
            return "a time without end, as another fleet is overloaded,"
        if math.isclose(self.least_s, self.most_s):
            return show_seconds(self.most_s)
        if not self.least_s:
            return f"up to {show_seconds(self.most_s)}"
        return f"{show_seconds(self.least_s)} to {show_seconds(self.most_s)}"


@once
def _elsewhere(design: Design, plan: FleetPlan | None, percentile: str, during: tuple[str, ...]) -> Elsewhere:
    way = _Way(design, plan, percentile, during)
    return (way.without_rare() if percentile != "mean" else way).elsewhere()


class _Way:
    """What a request does around one fleet."""

    def __init__(
        self, design: Design, plan: FleetPlan | None, percentile: str, during: tuple[str, ...]
    ) -> None:
        assert design.requirements is not None
        latency = design.requirements.latency
        assert latency is not None
        fleet = plan.component if plan else None
        self._design, self._fleet = promised(design), fleet
        self._waited = {at for at, _ in waiting_flows(design.planes)} if design.planes else set[int]()
        split = [part for part in latency.split if not part.is_reserve]
        self._own = [part for part in split if fleet and part.component == fleet]
        self._named = [part for part in split if fleet and part.component not in {None, fleet}]
        self._words = [part for part in split if not (fleet and part.component)]
        self._share = PERCENTILES.get(percentile, 0.5)
        # The split is of the budget; at a lower percentile its parts may be shorter.
        self._of_budget = self._share >= PERCENTILES.get(latency.percentile, 0.5)
        self._parts = dict[str, float]()
        for part in self._named:
            self._parts[part.component or ""] = self._parts.get(part.component or "", 0.0) + part.time
        self._order = order_of(design.pattern)
        self._at_once = most_at_once(self._design.planes) if self._design.planes else {}
        self._lookups = lookups_s(design)
        self._fleets = _fleets_s(design, self._share, fleet, during)
        self._waiting = {
            other.component
            for other in design.fleets.values()
            if other.component != fleet and includes_calls(design, other)
        }
        self._holds = plan is not None and includes_calls(design, plan)
        self._calls, self._held = self._flows()
        self._known = components_by_id(design.planes) if design.planes else {}
        self._left_out, self.rare = tuple[Flow, ...](), 0.0
        self._inside = self._inside_parts()
        self._tried, self._forced = self._alternatives()

    def without_rare(self) -> "_Way":
        """Leave out calls that together fewer requests make than lie beyond the percentile, where they take longest."""
        planes, ways = self._design.planes, {frozenset[Flow](): self}
        if planes is None or not self._calls or self._fleet is None:
            return self

        def is_worth(gone: frozenset[Flow], rare: float) -> bool:
            before = max(ways, key=len)
            shorter = self._without(gone, rare)
            if shorter.is_shorter(ways[before]):
                ways[gone] = shorter
            return gone in ways

        way = ways[without_rare(planes, 1 - self._share, is_worth)[0]]
        way._tried, way._forced = way._alternatives()  # noqa: SLF001 - of its own class
        return way

    def _without(self, gone: frozenset[Flow], rare: float) -> "_Way":
        way = copy(self)
        way._calls = [flow for flow in self._calls if flow not in gone]  # noqa: SLF001 - of its own class
        way._left_out, way.rare = tuple(flow for flow in self._calls if flow in gone), rare  # noqa: SLF001
        way._inside = way._inside_parts()  # noqa: SLF001
        return way

    def _alternatives(self) -> tuple[frozenset[Flow], frozenset[Flow]]:
        """Return what begins a call whose alternatives count: where they may take requests, and where they surely do.

        They surely do on the only way to the fleet. Elsewhere they may, where all together leave more requests to
        alternatives than lie beyond the percentile.
        """
        planes = self._design.planes
        if planes is None or not self._calls or self._fleet is None:
            return frozenset(), frozenset()
        calls = [
            call
            for made in calls_by_component(planes).values()
            for call in made
            if call.flow in self._calls and call.alternatives
        ]
        first = [call.flow for made in calls_by_component(planes).values() for call in made]
        forced = set[Flow]()
        if self._fleet not in reached(self._entries(planes), steps_along(first)):
            steps = steps_along(self._calls)
            forced = {
                call.flow
                for call in calls
                if self._fleet in reached((flow.end for flow in call.alternatives), steps)
            }
        left, tried = 1 - self._share - self.rare, set(forced)
        for share, call in sorted(((self._fails(call), call) for call in calls), key=lambda one: one[0]):
            left -= share
            if left <= 1e-9:
                tried.add(call.flow)
        return frozenset(tried), frozenset(forced)

    def _fails(self, call: Call) -> float:
        """Return which share of the requests an alternative takes, as far as the design says; 1 where it does not."""
        planes, flow = self._design.planes or Planes(), call.flow
        made = calls_per_request(planes).get(flow.start, 1.0) * (1.0 if flow.share is None else flow.share)
        is_planned = any(plan.component == flow.end for plan in self._design.fleets.values())
        if flow.end != self._fleet and self._most_s(flow.end) > attempts_s(flow) * (1 + 1e-9):
            return min(made, 1.0)
        if is_planned and self._known[flow.end].availability is None:
            return 0.0  # what its fleet does not answer is simulated
        return min(made * failing_shares(planes).get(flow, 1.0), 1.0)

    def _later_s(self) -> float:
        """Return the longest time of what is tried after the fleet itself has timed out, in seconds."""
        planes = self._design.planes
        if planes is None or self._fleet is None or not self._calls:
            return 0.0
        spans = times_of(
            planes, lambda one: self._most_s(one.id) if one.id != self._fleet else 0.0, order=self._order
        )
        later = [0.0]
        for call in (call for made in calls_by_component(planes).values() for call in made):
            if call.flow.end == self._fleet and call.alternatives:
                *between, last = call.alternatives
                later.append(math.fsum([*map(attempts_s, between), spans[last.end].most_s]))
        return max(later)

    @property
    def _coming(self) -> float:
        """Return the share of requests that come to the fleet at most, where it is an alternative; 1 elsewhere."""
        made = calls_by_component(self._design.planes or Planes()).values() if self._forced else ()
        shares = [self._fails(call) for calls in made for call in calls if call.flow in self._forced]
        return min(math.fsum(shares), 1.0) if shares else 1.0

    @property
    def _seldom(self) -> str:
        """Say that too few requests come to the fleet to set the percentile, where it is an alternative."""
        if self._coming >= 1 - self._share - 1e-9:
            return ""
        return (
            f"{self._fleet} is an alternative for {show_share(self._coming)} of the requests, too few to set the "
            f"p{100 * self._share:.4g}"
        )

    def is_shorter(self, other: "_Way") -> bool:
        """Tell whether a request takes less time here than otherwise; always through the fleet."""
        planes = self._design.planes
        if planes is None or self._fleet not in reached(self._entries(planes), steps_along(self._calls)):
            return False
        mine, others = (way.elsewhere() for way in (self, other))
        is_less = mine.whole(0.0).most_s < others.whole(0.0).most_s * (1 - 1e-9)
        return is_less or bool(others.unknown and not mine.unknown)

    def _gone(self) -> set[str]:
        """Return what only the calls lead to that are left out, or that the fleet's own time includes."""
        gone = [*self._left_out, *self._held]
        if self._design.planes is None or not gone:
            return set()
        entries = self._entries(self._design.planes)
        before = reached(entries, steps_along([*self._calls, *gone]))
        return set(before) - set(reached(entries, steps_along(self._calls)))

    def _inside_parts(self) -> dict[str, str]:
        """Return what is called within a part of the split, with the component that the part names.

        The split does not name it, nothing but that component leads to it, and by what all of them state, or are
        predicted to take, the part covers its calls too.
        """
        planes = self._design.planes
        if planes is None or not self._calls or not self._parts:
            return {}

        def time_s(one: Component) -> float:
            predicted = self._fleets.get(one.id)
            return max(one.latency or 0.0, predicted.most_s if predicted else 0.0)

        spans, entries = times_of(planes, time_s, order=self._order), self._entries(planes)
        found = dict[str, str]()
        for name, part_s in self._parts.items():
            if name not in self._known or not self._known[name].latency:
                continue
            inner = reached([name], steps_along(self._calls)) - {name}
            around = reached(entries, steps_along(flow for flow in self._calls if flow.start != name))
            named = inner & ({*self._parts, self._fleet} | around)
            if inner and not named and spans[name].most_s <= part_s * (1 + 1e-9):
                found |= dict.fromkeys(
                    (one for one in self._known if one in inner and time_s(self._known[one])), name
                )
        return found

    def _flows(self) -> tuple[list[Flow], list[Flow]]:
        """Return the calls around the fleet, and those that its own time includes.

        None where the sketch does not show the fleet, or goes round in a circle.
        """
        planes = self._design.planes
        drawn = waiting_flows(planes) if planes else ()
        flows = [flow for _, flow in drawn]
        touched = {name for flow in flows for name in (flow.start, flow.end)}
        if self._fleet not in touched or cycle(flows):
            return [], []
        held = [
            flow for at, flow in drawn if self._holds and flow.start == self._fleet and at in self._waited
        ]
        return [flow for flow in flows if flow not in held], held

    def elsewhere(self) -> Elsewhere:
        on_way = self._on_way()
        apart = {*on_way, *self._gone(), *self._of_others()}
        beside = [part for part in self._named if part.component not in apart]
        aside_s, words_s = (math.fsum(part.time for part in parts) for parts in (beside, self._words))
        unlisted = [name for name in on_way if self._unlisted(name)]
        open_ = bool(self._words) and not self._own
        least_add_s = (aside_s + (0.0 if open_ else words_s)) if self._of_budget else 0.0

        seldom = self._seldom
        surely, tried = self._forced, self._tried
        if seldom:  # the percentile is that of requests which do not come to the fleet
            surely, tried = frozenset[Flow](), self._tried - self._forced

        def whole(own_s: float) -> Range:
            least_s = self._time(own_s, self._least_s, surely) + least_add_s
            most_s = self._time(own_s, self._most_s, tried)
            if open_:  # the words may be the split of what the components state
                most_s = max(most_s, self._time(own_s, self._listed_s, tried) + words_s)
            else:
                most_s += words_s
            return Range(least_s, most_s + aside_s)

        nearer, further = whole(_LONG_S), whole(2 * _LONG_S)
        # A fleet that is called several times counts as often; its percentiles add up at most.
        times = [
            max(round((b - a) / _LONG_S), 1) if math.isfinite(b) else 1  # another fleet may be overloaded
            for a, b in zip(nearer, further, strict=True)
        ]
        least_s, most_s = (
            round(max(end - number * _LONG_S, 0.0), 9) for end, number in zip(nearer, times, strict=True)
        )
        nothing_s = whole(0.0).least_s

        def both(own_s: float) -> Range:
            least_end_s = nothing_s if seldom else max(nothing_s, own_s + least_s)
            return Range(least_end_s, max(least_end_s, whole(own_s).most_s))

        return Elsewhere(
            least_s,
            max(least_s, most_s),
            seldom
            or (self._why(open_, unlisted) if most_s > least_s or whole(0.0).most_s > nothing_s else ""),
            tuple(self._notes(open_, unlisted)),
            self._unknown(on_way),
            both,
            self.rare,
            self._later_s(),
            self._coming,
            bool(seldom),
            self._at_once.get(self._fleet or "", 1),
        )

    def _on_way(self) -> tuple[str, ...]:
        """Return what a request that reaches the fleet may reach, without the fleet and without its caller."""
        planes = self._design.planes
        if not self._calls or planes is None or self._fleet is None:
            return ()
        steps = steps_along(self._calls)
        entries = [one for one in self._entries(planes) if self._fleet in reached([one], steps)]
        found = dict.fromkeys(name for name in self._known if name in reached(entries, steps))
        for name in entries:
            if self._known[name].kind in _CLIENTS:
                found.pop(name)
        found.pop(self._fleet, None)
        return tuple(found)

    def _of_others(self) -> set[str]:
        """Return what only requests reach that enter elsewhere and never come to the fleet."""
        planes = self._design.planes
        if not self._calls or planes is None or self._fleet is None:
            return set()
        steps = steps_along(self._calls)
        calls = [*self._calls, *self._held]
        called = {flow.end for flow in calls}
        starts = {flow.start for flow in calls if flow.start not in called}  # in whatever plane they stand
        ways = [reached([one], steps) for one in starts]
        mine = set[str]().union(*(way for way in ways if self._fleet in way))
        return set[str]().union(*ways) - mine if mine else set()

    def _entries(self, planes: Planes) -> tuple[str, ...]:
        calls = [*self._calls, *self._held]
        called = {flow.end for flow in calls}
        return waiting_entries(planes) or tuple({f.start for f in calls if f.start not in called})

    def _time(self, own_s: float, of: Callable[[str], float], tried: frozenset[Flow]) -> float:
        """Return the time of a request that spends `own_s` in the fleet; calls in a row unless they are at once."""
        planes = self._design.planes
        on_way = set(self._on_way())
        if not self._calls or planes is None or self._fleet is None:
            return own_s
        spans = times_of(
            planes,
            lambda one: own_s if one.id == self._fleet else of(one.id) if one.id in on_way else 0.0,
            tried,
            (self._fleet,) if self._holds else (),
            self._order,
        )
        steps = steps_along(self._calls)
        reaching = (one for one in self._entries(planes) if self._fleet in reached([one], steps))
        return max((spans[one].most_s for one in reaching), default=own_s)

    def _least_s(self, name: str) -> float:
        if name in self._inside:
            return 0.0
        part_s = max(self._parts.get(name, 0.0), self._lookups.get(name, 0.0)) if self._of_budget else 0.0
        if name in self._waiting and name in self._fleets:
            return part_s + self._fleets[name].least_s
        return max(part_s, self._fleets[name].least_s) if name in self._fleets else part_s

    def _listed_s(self, name: str) -> float:
        """Return the longest time of what the split names, or a fleet is predicted to take."""
        listed = name in self._parts or name in self._fleets or name in self._lookups
        return self._most_s(name) if listed else 0.0

    def _most_s(self, name: str) -> float:
        if name in self._inside:
            return 0.0
        stated_s = max(self._known[name].latency or 0.0, self._lookups.get(name, 0.0))
        predicted_s = self._fleets[name].most_s if name in self._fleets else 0.0
        if name in self._waiting and name in self._fleets:
            return max(self._parts.get(name, 0.0), stated_s) + predicted_s
        longest_s = max(self._parts.get(name, 0.0), stated_s, predicted_s)
        if self._times_known(name):
            return longest_s
        bound_s = self._bound_s(name)
        return longest_s if math.isinf(bound_s) else max(longest_s, bound_s)

    def _times_known(self, name: str) -> bool:
        """Tell whether a component's time at the percentile is given: by its part, its fleet, or what it states."""
        one = self._known[name]
        if any(name in known for known in (self._parts, self._fleets, self._inside, self._lookups)):
            return True
        if one.latency is None:
            return False
        asked = self._share ** (1 / self._at_once.get(name, 1))
        return PERCENTILES.get(one.latency_is or "", 1.0) >= asked and one.latency_is != "mean"

    def _bound_s(self, name: str) -> float:
        """Return the longest time that the callers of a component wait for it."""
        return max((attempts_s(flow) for flow in self._calls if flow.end == name), default=math.inf)

    def _unlisted(self, name: str) -> bool:
        given = (self._parts, self._fleets, self._lookups)
        return not any(name in known for known in given) and self._most_s(name) > 0

    def _unknown(self, on_way: Iterable[str]) -> str:
        if not (self._calls or self._held or self._named or self._own or self._words):
            return f"{_NO_WAY}, and requirements.latency.split does not say what it takes"
        called = {flow.end for flow in self._calls}
        names = [
            name
            for name in on_way
            if not self._times_known(name)
            and math.isinf(self._bound_s(name))
            and (
                name in called or self._known[name].kind not in _CLIENTS
            )  # a caller of ours takes no time of ours
        ]
        if not names:
            return ""
        verb = "does" if len(names) == 1 else "do"
        said = f"{', '.join(names)} {verb} not say how long a request takes there at this percentile"
        return (
            f"{said}, and no part of the split names {'it' if len(names) == 1 else 'them'}"
            if self._words
            else said
        )

    def _why(self, open_: bool, unlisted: list[str]) -> str:
        if open_:
            return (
                f"say which part is the fleet's with `component: {self._fleet}`"
                if self._fleet
                else "name capacity.component"
            )
        several = [
            name
            for name in (*self._on_way(), self._fleet or "")
            if self._known[name].calls is None and self._makes_several(name)
        ]
        failing = dict.fromkeys(flow.end for flow in self._calls if flow in self._tried - self._forced)
        unknown = [name for name in failing if self._known[name].availability is None]
        often = [name for name in failing if name not in unknown]
        said = [f"state the availability of {', '.join(unknown)}"] if unknown else []
        said += (
            [f"give up on {', '.join(often)} so early that an alternative answers in time"] if often else []
        )
        said += ["say in requirements.latency.split what each component may take"] if unlisted else []
        said += [f"say whether {', '.join(several)} makes its calls at once"] if several else []
        return " and ".join(said) or "make the parts as long as their components say"

    def _makes_several(self, name: str) -> bool:
        """Tell whether one request may make several calls of a component, whose order matters."""
        made = [call.flow for call in calls_by_component(self._design.planes or Planes()).get(name, ())]
        made = [flow for flow in made if flow in self._calls]
        parts = [flow.share for flow in made if flow.share not in {None, 1.0}]
        exclude_each_other = len(parts) == len(made) and math.fsum(filter(None, parts)) <= 1 + 1e-9
        return len(made) > 1 and not exclude_each_other

    def _notes_on_calls(self) -> Iterator[str]:
        if self._holds and self._held:
            yield (
                f"Not added, for the service time of {self._fleet} includes it: what {self._fleet} calls "
                f"({', '.join(dict.fromkeys(flow.end for flow in self._held))})."
            )
        for call in (
            one for made in calls_by_component(self._design.planes or Planes()).values() for one in made
        ):
            if call.flow in self._tried:
                after = " and then ".join(flow.end for flow in call.alternatives)
                yield f"Added one after the other, for {after} is tried once {call.flow.end} gives no answer."

    def _notes_on_times(self) -> Iterator[str]:
        for name, time_s in self._lookups.items():
            if time_s > self._parts.get(name, 0.0) and name in self._on_way():
                yield f"By dataflow.lookup a request looks features up in {name} for {show_seconds(time_s)}."
        for name in (*self._on_way(), self._fleet or ""):
            if (number := self._at_once.get(name, 1)) > 1:
                yield (
                    f"A request makes {number:,} calls of {name} at once and waits for the slowest: p"
                    f"{100 * self._share:.4g} of that is p{100 * self._share ** (1 / number):.6g} of one call, if they "
                    "are independent."
                )

    def _notes(self, open_: bool, unlisted: list[str]) -> Iterator[str]:
        if self._left_out:
            called = ", ".join(dict.fromkeys(flow.end for flow in self._left_out))
            low, high = (f"p{100 * each:.4g}" for each in Elsewhere(rare=self.rare).bounds(self._share))
            yield (
                f"{show_share(self.rare)} of the requests also call {called}: too few to set the "
                f"p{100 * self._share:.4g}, which lies between {low} and {high} of the others."
            )
        yield from self._notes_on_calls()
        yield from self._notes_on_times()
        if self._inside:
            said = ", ".join(f"{one} (in the part of {caller})" for one, caller in self._inside.items())
            yield f"Not added again, for a part of the split covers it: {said}."
        if self._own:
            others = self._named + self._words
            yield (
                f"Parts of the latency in {self._fleet}, which are simulated: {_listed(self._own)}. "
                f"Parts elsewhere, added as given: {_listed(others) or 'none'}."
            )
        if open_:
            yield (
                "No part of requirements.latency.split is known to be the fleet's, so each reading is computed: all of "
                f"these are the fleet's, or none: {_listed(self._words)}."
                + (
                    f" Added as given, for their component is another: {_listed(self._named)}."
                    if self._named
                    else ""
                )
            )
        if unlisted:
            said = ", ".join(f"{name} ({show_seconds(self._most_s(name))})" for name in unlisted)
            yield (
                f"Other components on the way state latencies, or have timeouts: {said}. Their percentiles need not "
                "add up."
            )
        longer = [
            f"{name} ({show_seconds(self._most_s(name))}, not {show_seconds(part_s)})"
            for name, part_s in self._parts.items()
            if name in self._known and self._most_s(name) > part_s * (1 + 1e-9)
        ]
        if longer:
            yield f"Longer than their part of the split, by what they state or are predicted: {', '.join(longer)}."
        at_once = [
            name
            for name in (*self._on_way(), self._fleet or "")
            if name in self._known and self._known[name].calls == "at once"
        ]
        if at_once and self._calls:
            yield f"Calls that {', '.join(at_once)} makes at once take as long as the slowest of them."


def _listed(parts: Iterable[BudgetPart]) -> str:
    return ", ".join(f"{part.name} ({show_seconds(part.time)})" for part in parts)


def _fleets_s(design: Design, share: float, without: str | None, during: tuple[str, ...]) -> dict[str, Range]:
    """Return how long the fleets of other components take to answer; of several in one place the range of all."""
    found, whole_share = dict[str, Range](), share
    at_once = most_at_once(design.planes) if design.planes else {}
    for sizing in sizings(design).values() if len(design.fleets) > 1 else ():
        name = sizing.plan.component
        if name is None or name == without:
            continue
        share = whole_share ** (1 / at_once.get(name, 1))  # of the slowest of independent calls
        if takes := writing(sizing):
            times = takes.answer_s(share)
        elif (answers := prediction_during(design, sizing, during)) is None:
            continue
        elif includes_calls(design, sizing.plan):
            times = Range(0.0, math.inf) if answers.overloaded else answers.wait_s(share)
        else:
            times = answers.response_s(share)
        known = found.get(name, times)
        found[name] = Range(min(known.least_s, times.least_s), max(known.most_s, times.most_s))
    return found


def split_s(design: Design) -> float:
    """Return how long a request takes by the split of its latency budget, in seconds, at the entry where it is longest.

    The parts of components that it calls, joined as everywhere; the others added. One after another where it is open.
    """
    latency = design.requirements.latency if design.requirements else None
    parts_s = dict[str, float]()
    for part in latency.split if latency else ():
        parts_s[part.component or ""] = parts_s.get(part.component or "", 0.0) + part.time
    planes = promised(design).planes or Planes()
    order = order_of(design.pattern)
    spans = times_of(planes, lambda one: parts_s.get(one.id, 0.0), order=order)
    entries = [name for name in waiting_entries(planes) if name in spans]
    called = (
        reached(entries, steps_along(flow for _, flow in waiting_flows(planes))) if entries else set[str]()
    )
    beside = dict[object, float]()
    for name, time_s in parts_s.items():
        if name not in called:
            place = order.get(name, name)
            beside[place] = max(beside.get(place, 0.0), time_s)
    return math.fsum(beside.values()) + max((spans[name].most_s for name in entries), default=0.0)


def left_for(design: Design, plan: FleetPlan, budget_s: float) -> float:
    """Return how long a request may be in a fleet at most, in seconds: by a budget, and by its callers' timeouts.

    What it spends elsewhere for certain is taken off the budget, and off the timeout what the fleet itself calls.
    """
    flows = [flow for _, flow in waiting_flows(design.planes)] if design.planes else []
    holds = includes_calls(design, plan)
    called = reached([plan.component], steps_along(flows)) if plan.component and not holds else set()
    latency = design.requirements.latency if design.requirements else None
    parts = (
        part.time
        for part in (latency.split if latency else ())
        if part.component in called and part.component != plan.component
    )
    timeout_s = callers_of(design, plan).timeout_s - math.fsum(parts)
    elsewhere_s = Elsewhere.of(design, plan).least_s
    return min(budget_s - elsewhere_s if math.isfinite(elsewhere_s) else 0.0, timeout_s)


# ---------------------------------------------------------------- answers


@dataclass(frozen=True)
class Answers:
    """The share of requests that are answered, by a fallback or not: from `least` to `most`."""

    least: float
    most: float
    entry: str = ""
    """Where the requests enter of which fewest are answered."""
    whys: tuple[str, ...] = ()
    """What the design leaves open, where the two differ."""
    causes: tuple[str, ...] = ()
    """What keeps requests from being answered for certain, beside availabilities that are stated."""


def answers_of(
    design: Design,
    served: Mapping[str, tuple[float, float]] | None = None,
    fleets_s: Mapping[str, float] = MappingProxyType({}),
    *,
    zone_lost: bool = False,
    entry: str | None = None,
    counts: Callable[[Call], bool] = lambda _: True,
) -> Answers:
    """Return the share of requests that are answered at the peak.

    It follows from the availabilities that components state, from quotas that the peak exceeds, from timeouts, and
    from `served`: which share of its requests the fleet of each component serves, at least and at most; all when left
    out. `fleets_s` is how long fleets take, in seconds, for the timeouts of those further up. With `zone_lost`, what
    stands in one zone is gone. `counts` tells of which calls a fallback counts as an answer at all. Requests enter at
    `entry`, or, when it is left out, where fewest are answered. A fleet that the sketch does not show is needed by
    every request. What stands before and behind a queue that the promise spans is needed alike, unless `entry` stands
    behind it.
    """
    if served is None:
        waited = (plan.component for plan in design.fleets.values() if somebody_waits(design, plan))
        served = {name: (1.0, 1.0) for name in waited if name}
    if entry not in begun_within(design):
        design = promised(design)
    planes = design.planes
    entries = (entry,) if entry else waiting_entries(planes) if planes else ()
    if planes is None or not entries or cycle([flow for _, flow in waiting_flows(planes)]):
        return Answers(0.0, _product(served.values(), 1), whys=(_NO_WAY,))
    steps = steps_along(flow for _, flow in waiting_flows(planes))
    apart = [name for name in served if name not in reached(entries, steps)]
    ends = [
        _End(design, planes, served, fleets_s, counts, zone_lost=zone_lost, sure=sure)
        for sure in (True, False)
    ]
    lowest = [end.answered(entries) for end in ends]
    least, most = (
        lowest[number][0] * math.prod(end.alone(name) for name in apart) for number, end in enumerate(ends)
    )
    return Answers(
        min(least, most),
        most,
        lowest[1][1],
        ends[0].open_points() if least < most else (),
        tuple(sorted(set(ends[1].causes))),
    )


@once
def calls_of_models(planes: Planes) -> tuple[Call, ...]:
    """Return the calls whose answer is a model's, directly or by way of others, and that a fallback may answer."""
    steps = steps_along(flow for _, flow in waiting_flows(planes))
    models = {one.id for one in planes.components if one.kind in MODELS and one.kind != "embedder"}
    return tuple(
        call
        for made in calls_by_component(planes).values()
        for call in made
        if call.has_fallback and models & reached([call.flow.end], steps)
    )


_NO_WAY = "the sketch does not show which components a request passes on its way to an answer"


def _product(shares: Iterable[tuple[float, float]], end: int) -> float:
    return math.prod((each[end] for each in shares), start=1.0)


class _End:
    """One reading of a design: with what it says for certain alone, or with all that it leaves open at its best."""

    def __init__(
        self,
        design: Design,
        planes: Planes,
        served: Mapping[str, tuple[float, float]],
        fleets_s: Mapping[str, float],
        counts: Callable[[Call], bool],
        *,
        zone_lost: bool,
        sure: bool,
    ) -> None:
        self._counts = counts
        self._design, self._planes, self._served, self._fleets_s = design, planes, served, fleets_s
        self._zone_lost, self._certain = zone_lost, sure
        self._plans = {plan.component: plan for plan in design.fleets.values()}
        self._first = set(waiting_entries(planes))
        self._rates = _rates(design, planes)
        self._at_once = most_at_once(planes)
        self._of_models = {call.flow for call in calls_of_models(planes)}
        calls = calls_by_component(planes)
        self._calls = [call for made in calls.values() for call in made]
        self._needed_by = {
            start: [call.flow.end for call in made if call.needed] for start, made in calls.items()
        }
        first = {call.flow.end for call in self._calls}
        self._later = {flow.end for call in self._calls for flow in call.alternatives} - first
        """What is called as an alternative only."""
        self._ups = dict[str, float]()
        self.whys, self.causes = list[str](), list[str]()
        self._places: dict[str, set[str]] = {"availability": set(), "zones": set(), "fallback": set()}

    def open_points(self) -> tuple[str, ...]:
        """Say what the design leaves open: alike points in one sentence, their places in the order of the sketch."""
        boxes = [one.id for one in self._planes.components]
        calls = [f"{flow.start} → {flow.end}" for flow in self._planes.flows]
        found = []
        for name in ("availability", "zones"):
            ids = [box for box in boxes if box in self._places[name]]
            if len(ids) == 1:
                found.append(f"planes.components.{ids[0]}.{name} is not stated")
            elif ids:
                found.append(f"'{name}' is not stated of the components {', '.join(ids)}")
        if ways := list(dict.fromkeys(way for way in calls if way in self._places["fallback"])):
            which = (
                f"the call {ways[0]} fails"
                if len(ways) == 1
                else f"one of these calls fails: {', '.join(ways)}"
            )
            where = "on the flow" if len(ways) == 1 else "on each of these flows"
            found.append(
                f"not stated whether a request counts as answered when {which}; write `answered: true` or "
                f"`answered: false` {where}"
            )
        return (*found, *sorted(set(self.whys)))

    def answered(self, entries: Iterable[str]) -> tuple[float, str]:
        """Return the share of requests that are answered where fewest are, and where that is."""
        sure, order = Sure(self._up, self._falls_back, self._in_time), order_of(self._design.pattern)
        found = {
            one.entry: one.availability for one in requests_of(self._planes, self._latency_s, sure, order)
        }
        return min((found[name], name) for name in entries)

    def alone(self, name: str) -> float:
        """Return the share that a fleet answers to which the sketch shows no way."""
        one = components_by_id(self._planes).get(name)
        stated = self._stated(one) if one else self._open(f"{_NO_WAY}, among them {name or 'the fleet'}")
        return stated * self._served[name][0 if self._certain else 1]

    def _latency_s(self, one: Component) -> float:
        return max(self._fleets_s.get(one.id, 0.0), one.latency or 0.0)

    def _up(self, one: Component) -> float:
        if one.id not in self._ups:
            self._ups[one.id] = math.prod(
                (
                    self._stated(one),
                    min(self._by_quota(one), self._taken_instead(one)),
                    self._by_zone(one),
                    self._by_fleet(one),
                )
            )
        return self._ups[one.id]

    def _open(self, why: str) -> float:
        """Return what an open point comes to: nothing for certain, everything at best."""
        self.whys.append(why)
        return self._at_the_end

    def _open_at(self, what: str, place: str) -> float:
        """Return what an open point comes to that others may share."""
        self._places[what].add(place)
        return self._at_the_end

    @property
    def _at_the_end(self) -> float:
        return 0.0 if self._certain else 1.0

    def _stated(self, one: Component) -> float:
        if one.availability is not None:
            return one.availability
        if one.id in self._first and one.kind in _CLIENTS:
            return 1.0
        return self._open_at("availability", one.id)

    def _by_fleet(self, one: Component) -> float:
        least, most = self._served.get(one.id, (1.0, 1.0))
        return (least if self._certain else most) ** self._at_once.get(one.id, 1)

    def _by_quota(self, one: Component) -> float:
        """Return the share of the calls at the peak that a quota, or the people on duty, let through."""
        limits, rate = list(_limits(one)), self._rates.get(one.id)
        if not limits:
            return 1.0
        if rate is None:
            return self._open(f"how often {one.id}, which takes only so many calls, is called is not known")
        passed = 1.0
        for limit, each, what in limits:
            if limit is None:
                passed *= self._open(f"{what} of {one.id} cannot be compared with its calls")
                continue
            if rate * each <= limit * (1 + 1e-9):
                continue
            through = limit / (rate * each)
            per = one.quota.per if one.quota else None
            words = (
                f"{one.id} is called {rate:,.4g} times a second at the peak, and {what} lets {show_share(through)} "
                "pass"
            )
            if per and what != "the rate of its people" and not one.run_by_others:
                continue  # our own limit against a single caller
            if per and what != "the rate of its people":
                passed *= through if self._certain else 1.0
                self.whys.append(f"{words} if it counts for all; how many {per}s there are is not stated")
            elif one.id in self._later:
                passed *= through if self._certain else 1.0
                self.whys.append(f"{words} once all requests go there")
            else:
                passed *= through
                self.causes.append(words)
        return passed

    def _taken_instead(self, one: Component) -> float:
        """Return the share that people take of the calls to which they are the alternative."""
        if one.kind != "people":
            return 1.0
        asked = [call for call in self._calls if one.id in {flow.end for flow in call.alternatives}]
        return min((self._taken_over(call, (one,)) for call in asked), default=1.0)

    def _taken_over(self, call: Call, people: Sequence[Component]) -> float:
        """Return the share that people can take of what overloaded fleets leave of a call while the peak lasts.

        They have the time of the peak for it, or as long as cases may wait, if that is longer. All where nobody takes
        over, or it is not stated how many cases they take, and when.
        """
        rate, paces = self._rates.get(call.flow.end), [pace_on_duty(one) for one in people]
        if not people or rate is None or None in paces or any(one.hours is None for one in people):
            return 1.0
        left = 1 - math.prod(map(self._by_served, sorted(reached([call.flow.end], self._needed_by))))
        if left <= 0:
            return 1.0
        load = self._design.requirements.throughput if self._design.requirements else None
        lasts_s = (load.peak_lasts or load.over if load else None) or hour
        taken = sum(
            (pace or 0.0) * max(lasts_s, one.wait or 0.0) / lasts_s * (one.requests_per_case or 1.0)
            for one, pace in zip(people, paces, strict=True)
        )
        if rate * left <= taken * (1 + 1e-9):
            return 1.0
        names = ", ".join(one.id for one in people)
        self.causes.append(
            f"{names} can take {taken * hour:,.4g} requests for each hour of the peak, and {rate * left * hour:,.4g} "
            f"that {call.flow.end} does not answer go there"
        )
        return taken / (rate * left)

    def _by_served(self, name: str) -> float:
        return self._by_fleet(components_by_id(self._planes)[name])

    def _by_zone(self, one: Component) -> float:
        """Return whether a component is there while a zone is lost."""
        if not self._zone_lost or one.run_by_others or one.kind in _CLIENTS:
            return 1.0
        plan = self._plans.get(one.id)
        if one.id in self._served:
            return 1.0  # its own fleet, which was simulated without the zone
        zones = (plan.zones if plan else None) or one.zones
        if zones == 1 or (zones is None and one.replicas == 1):
            self.causes.append(f"{one.id} stands in one zone, which may be the lost one")
            return 0.0
        if zones is None:
            return self._open_at("zones", one.id)
        return 1.0

    def _falls_back(self, call: Call) -> float:
        """Tell whether a request is answered without any answer to a call."""
        if not self._counts(call):
            return 0.0
        answered = call.answered_without
        if answered is not None and not (call.only_in_words and call.flow in self._of_models):
            people = _people_after(self._planes, call)
            taken = self._taken_over(call, people)
            asked_before = {one.id for one in people} & {flow.end for flow in call.alternatives}
            return answered * (
                0.0 if taken < 1 and asked_before else taken
            )  # what they cannot take, they never can
        flow = next(
            (flow for flow in call.flows if flow.fails == "closed" and flow.answered is None),
            call.flow if call.flow.fallback else call.flows[-1],
        )
        return self._open_at("fallback", f"{flow.start} → {flow.end}")

    def _in_time(self, flow: Flow, time: Span) -> float:
        """Return the share of answers that come before a call times out; that of a fleet's own calls is simulated."""
        if flow.timeout is None or flow.end in self._served:
            return 1.0
        late = time.most_s if self._certain else time.least_s
        if late <= flow.timeout * (1 + 1e-9):
            return 1.0
        words = (
            f"the call of {flow.end} by {flow.start} times out after {show_seconds(flow.timeout)}, and an answer may "
            f"take {show_seconds(time.most_s)}"
        )
        if self._certain:
            self.whys.append(words)
            return 0.0
        own = next(one for one in self._planes.components if one.id == flow.end)
        share = PERCENTILES.get(own.latency_is or "")
        if share is None or (own.latency or 0.0) <= flow.timeout:
            return 1.0
        self.causes.append(words)
        return (1 - (1 - share) ** (1 + flow.retries)) ** self._at_once.get(flow.end, 1)


def _people_after(planes: Planes, call: Call) -> tuple[Component, ...]:
    """Return the people who take over when all flows of a call fail: whom the last one leads to, or words name."""
    by_id = {flow.id: flow.end for flow in planes.flows if flow.id}
    last = by_id.get(call.flows[-1].otherwise or "")
    people = [one for one in planes.components if one.kind == "people" and one.plane == "serving"]
    if drawn := tuple(one for one in people if one.id == last):
        return drawn
    said = " ".join(flow.fallback or "" for flow in (call.flow, *call.alternatives))
    return tuple(
        one
        for one in people
        if re.search(rf"\b{re.escape(one.id.replace('_', ' ').removesuffix('s'))}", said, re.IGNORECASE)
    )


def _limits(one: Component) -> Iterator[tuple[float | None, float, str]]:
    """Yield what a component takes a second at most, how much of it one call is, and what limits it."""
    if one.quota and one.quota.requests is not None:
        yield one.quota.requests, 1.0, "its quota of requests"
    if one.quota and one.quota.tokens is not None:
        each = one.tokens.input + one.tokens.output if one.tokens else None
        yield one.quota.tokens if each is not None else None, each or 0.0, "its quota of tokens"
    if one.kind == "people" and one.rate is not None:
        on_duty = share_on_duty(one.hours)
        yield one.rate if on_duty is None or on_duty > 0 else 0.0, 1.0, "the rate of its people"


def _rates(design: Design, planes: Planes) -> dict[str, float]:
    """Return how often each component is called at the peak, in calls a second; alternatives as if all came to them."""
    return each_together(
        design, lambda one: _own_rates(one, planes if one is design else promised(one).planes)
    )


def _own_rates(design: Design, planes: Planes | None) -> dict[str, float]:
    peak = peak_rps(design) or run_rps(design)
    if peak is None or planes is None:
        return {}
    calls = dict(calls_per_request(planes))
    entries = waiting_entries(planes)
    if not calls and len(entries) == 1:
        calls = {entries[0]: 1.0}
    for start, made in calls_by_component(planes).items():
        for call in made if start in calls else ():
            share = 1.0 if call.flow.share is None else call.flow.share
            for flow in call.alternatives:
                calls.setdefault(flow.end, share * flow.calls * calls[start])
    return {name: number * peak for name, number in calls.items()}
