"""Rules on calls: who waits for whom, for how long, how often that is answered, and what happens when it is not."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mlsd_helpers.analysis import graph
from mlsd_helpers.analysis.paths import (
    JOBS,
    MODELS,
    Order,
    begun_within,
    behind_queues,
    each_workload,
    may_ask,
    order_of,
    promised,
    with_queues,
)
from mlsd_helpers.analysis.people import delivered_alerts
from mlsd_helpers.analysis.rates import without_rare
from mlsd_helpers.analysis.request import (
    Call,
    Request,
    Span,
    answered_by_plan,
    attempts_s,
    calls_by_component,
    has_fallback,
    longest_calls_s,
    requests_of,
)
from mlsd_helpers.analysis.whole import answers_of, waiting_entries
from mlsd_helpers.design import Component, Design, Flow, Objective, Pattern, Planes
from mlsd_helpers.design.requirements import FailureMode, Promise
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import sketched
from mlsd_helpers.review.sketch import (
    BROOKER,
    KEPT_IN,
    RUNNERS,
    answered,
    arrow,
    listed,
    percent,
    places,
    requirement,
    way,
)
from mlsd_helpers.units import show_seconds

_NOT_COUNTED = ("people", "device fleet", "client", "raw source")  # what has no replicas of ours
_OUTSIDE = (
    "raw source",
    "external service",
)  # what is not ours waits as long as it likes, and has its own way without us
_SLACK = 1 + 1e-9  # for sums of decimal figures
_SURELY = 0.9  # of a sum of percentiles, which is more than the percentile of the sum
_MANY_RETRIES = (
    2  # further attempts without a pause or a budget: three times the load on what is slow already
)
_PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9}
_MEAN_IS_BELOW = (
    90.0  # the percentile from which on it is above the mean, but for the most extreme distributions
)


# ---- what a call needs


def _waited(planes: Planes) -> list[Flow]:
    return [flow for _, flow in graph.waiting_flows(planes)]


def _queues(planes: Planes) -> set[str]:
    return {one.id for one in planes.components if one.kind == "event stream"}


def _asked(planes: Planes) -> list[Flow]:
    """Return the calls on which a machine waits.

    People are handed a case, and a queue hands on what it holds: neither waits for an answer by a timeout. Whoever
    writes to a queue waits until it has taken the message.
    """
    people = {one.id for one in planes.components if one.kind == "people"}
    patient = people | _queues(planes)
    return [flow for flow in _waited(planes) if flow.start not in patient and flow.end not in people]


@rule(
    "PLANE005",
    title="Call without a timeout",
    prevents="one slow dependency that blocks its callers, and then theirs",
    incident=BROOKER,
    wrong_when="Wrong if nobody waits on the connection, as for a hand-over to a queue; draw that as events.",
    needs=sketched,
)
def call_without_timeout(_: Design, planes: Planes) -> Iterator[Fault]:
    """A call without a timeout waits as long as the slowest answer takes."""
    where, known = places(planes), graph.components_by_id(planes)
    for flow in _asked(planes):
        if flow.timeout is None and known[flow.start].kind not in _OUTSIDE and not _of_a_run(flow, known):
            yield Fault(
                f"{where[flow]}.timeout",
                f"{arrow(flow)} has no timeout: its caller may wait without limit.",
                "Set a timeout above the call's usual p99 and within the latency budget."
                + _if_it_tells(known[flow.start]),
            )


def _of_a_run(flow: Flow, known: Mapping[str, Component]) -> bool:
    """Tell whether a run reads or writes a store of ours: it fails and is repeated, and nobody waits for an answer."""
    return known[flow.start].kind in {"batch scorer", "batch pipeline"} and known[flow.end].kind in KEPT_IN


def _if_it_tells(start: Component) -> str:
    """Say what an arrow from monitoring may rather be: who tells somebody does not wait for an answer."""
    told = start.plane == "monitoring"
    return " Or let the arrow carry an alert, if it only tells something." if told else ""


def _asked_by(planes: Planes, entry: str) -> str:
    """Say what begins at a component that nobody calls: requests of somebody, or the calls of a job."""
    job = graph.components_by_id(planes)[entry].kind in JOBS
    return f"the calls that {entry} makes by the clock" if job else f"the requests that enter at {entry}"


@rule(
    "PLANE006",
    title="Call without a fallback",
    prevents="an outage of a dependency that becomes an outage of the product",
    incident="Netflix: what is computed online needs a fast fallback to what was computed before (Amatriain & "
    "Basilico, Netflix TechBlog, 2013).",
    wrong_when="Acceptable if no answer is possible without this call; write 'fails: closed', and what the user "
    "is told. It then counts as no answer, unless 'answered: true' says that it does.",
    needs=sketched,
)
def call_without_fallback(design: Design, planes: Planes) -> Iterator[Fault]:
    """What a caller does without an answer has to be decided before an answer is missing."""
    where, known = places(planes), graph.components_by_id(planes)
    decided = {name for mode in _failure_modes(design) if mode.fails for name in mode.of}
    decided |= answered_by_plan(design)
    asked = {
        flow for flow in _asked(planes) if known[flow.start].kind not in _OUTSIDE and flow.end not in decided
    }
    for call in _calls(planes):
        if call.from_outside:  # what a client does by itself is no answer of the system
            continue
        last = call.flows[-1]
        if (
            last in asked
            and not call.handed_on
            and not _of_a_run(last, known)
            and not any(_is_said(flow.fallback) or flow.fails for flow in call.flows)
        ):
            lack = (
                f"the fallback {last.fallback!r}, which names no answer," if last.fallback else "no fallback"
            )
            yield Fault(
                f"{where[last]}.fallback",
                f"{arrow(last)} has {lack} for when no answer comes.",
                "State what the caller does instead, such as a default or the last good value, and whether it "
                "fails open." + _if_it_tells(known[last.start]),
            )


def _is_said(fallback: str | None) -> bool:
    """Tell whether a fallback is more than a placeholder; "a default" may be answered."""
    return answered(fallback) or "default" in (fallback or "").casefold().split()


def _failure_modes(design: Design) -> tuple[FailureMode, ...]:
    return design.requirements.failure_modes if design.requirements else ()


def _ways_of_alerts(planes: Planes) -> dict[str, list[Flow]]:
    """Return, for each component, the flows by which it delivers alerts, where nothing else is done without them."""
    ways = defaultdict[str, list[Flow]](list)
    for flow in delivered_alerts(planes):
        ways[flow.start].append(flow)
    elsewhere = {flow.id for flow in planes.flows if flow.id} - {
        flow.id for made in ways.values() for flow in made
    }
    return {
        name: made
        for name, made in ways.items()
        if not any(has_fallback(flow) or flow.otherwise in elsewhere for flow in made)
    }


@rule(
    "PLANE072",
    "warning",
    title="Alerts that reach people by one provider alone",
    prevents="an emergency that was predicted in time, and of which nobody heard",
    wrong_when="Acceptable if people look at the scores themselves as often; draw how they read them as 'otherwise'.",
    needs=sketched,
)
def alert_by_one_provider(design: Design, planes: Planes) -> Iterator[Fault]:
    """Where the alert is the product, a channel that is down loses it, as a dead server loses an answer."""
    where, known = places(planes), graph.components_by_id(planes)
    for made in _ways_of_alerts(planes).values():
        ends = {flow.end for flow in made}
        if (
            _delivers_less(design, planes, made) is None
            and len(ends) == 1
            and known[made[0].end].kind == "external service"
        ):
            yield Fault(
                f"{where[made[0]]}.otherwise",
                f"{arrow(made[0])} is the only way of these alerts, and nothing is done while {made[0].end} is down.",
                "Name a second way that does not depend on the first as 'otherwise', such as a siren, a pager or "
                "another provider, or say in 'fallback' who notices and what is done.",
            )


@rule(
    "PLANE073",
    title="Alerts delivered less often than promised",
    prevents="a promise that the system keeps up to the last step, which loses each thirtieth alert",
    wrong_when="Wrong if the target is about the scores alone; state the second way of the alerts all the same.",
    needs=sketched,
)
def alerts_lost_on_their_way(design: Design, planes: Planes) -> Iterator[Fault]:
    """An alert that does not arrive is an answer that was not given."""
    where, target = places(planes), requirement(design, "availability", "target")
    for made in _ways_of_alerts(planes).values():
        if (delivered := _delivers_less(design, planes, made)) is not None:
            yield Fault(
                f"{where[made[0]]}.otherwise",
                f"{percent(delivered)} of the alerts of {made[0].start} get through "
                f"{listed(dict.fromkeys(flow.end for flow in made))}; the target is {percent(target)}.",
                "Add a way that does not depend on these, as 'otherwise', or agree on more with the provider.",
            )


def _delivers_less(design: Design, planes: Planes, ways: Sequence[Flow]) -> float | None:
    """Return the share of alerts that some ways deliver, where it is known and below the target; None elsewhere."""
    target, known = requirement(design, "availability", "target"), graph.components_by_id(planes)
    stated = [known[name].availability for name in dict.fromkeys(flow.end for flow in ways)]
    delivered = 1 - math.prod(1 - (1.0 if share is None else share) for share in stated)
    return delivered if target and delivered < target - 1e-12 else None


def _calls(planes: Planes) -> Iterator[Call]:
    return (call for made in calls_by_component(planes).values() for call in made)


@rule(
    "PLANE038",
    "warning",
    title="Fallback that gives no answer",
    prevents="an outage of a dependency that becomes an outage of the product, as everybody had signed",
    wrong_when="Acceptable if no answer is possible without this call; write 'fails: closed'.",
    needs=sketched,
)
def fallback_without_answer(_: Design, planes: Planes) -> Iterator[Fault]:
    """An error, a wait or the word "none" is no answer to whoever asked."""
    where, asked = places(planes), set(_asked(planes))
    for call in _calls(planes):
        stated = [flow for flow in call.flows if flow.fallback]
        closed = any(flow.fails == "closed" for flow in call.flows)
        if (
            stated
            and stated[-1] in asked
            and not (closed or call.alternatives or call.has_fallback or call.from_outside)
        ):
            flow = stated[-1]
            yield Fault(
                f"{where[flow]}.fallback",
                f"Without an answer of {flow.end}, {flow.start} does this: {(flow.fallback or '').rstrip('.')}. "
                "That answers nobody.",
                "Answer from less: a default, the last good value, a simpler model, a person. If an answer would "
                "do harm, write 'fails: closed' and what the user is told.",
            )


# ---- timeouts


@dataclass(frozen=True)
class _Waiter:
    """A component, its calls that have a timeout, and how long it may wait for them, in seconds."""

    component: Component
    calls: tuple[Call, ...]
    """Those that may belong to the caller that waits for so long."""
    limit_s: float
    enters: bool
    """Requests enter here: the limit is the latency budget, and a wait as long as it is within."""
    budget_s: float
    """The latency budget; infinite where none is stated."""
    order: Order

    @property
    def span(self) -> Span:
        return longest_calls_s(self.component, self.calls, self.order)

    @property
    def limit(self) -> str:
        """The limit in words."""
        if self.enters:
            return f"the latency budget is {show_seconds(self.limit_s)}"
        budget = (
            f", and the latency budget is {show_seconds(self.budget_s)}"
            if self.limit_s > self.budget_s
            else ""
        )
        return f"the caller of {self.component.id} gives up after {show_seconds(self.limit_s)}{budget}"

    @property
    def too_long(self) -> list[Flow]:
        """The single calls that exceed the limit, retries included."""
        return [
            flow
            for call in self.calls
            for flow in call.flows
            if self.exceeded_by(attempts_s(flow), falls_back=call.has_fallback)
        ]

    @property
    def too_late(self) -> list[Call]:
        """The calls whose alternatives exceed it, though each attempt alone does not."""
        return [call for call in self.calls if call.alternatives and self.exceeded_by(call.longest_s)]

    @property
    def outlasts_its_caller(self) -> bool:
        """Whether its calls may take longer than its caller waits; of alternatives that do so, PLANE040 tells."""
        if self.enters or (self.too_late and not self.too_long):
            return False
        return bool(self.too_long) or self.together_too_long

    @property
    def together_too_long(self) -> bool:
        """Whether all calls together surely exceed the limit."""
        falls_back = any(call.has_fallback for call in self.calls)
        return self.exceeded_by(self.span.least_s, falls_back=falls_back)

    def exceeded_by(self, time_s: float, *, falls_back: bool = True) -> bool:
        """Tell whether a wait is too long; one as long as the caller's, only if something answers after it."""
        inside = not self.enters and falls_back
        return time_s >= self.limit_s / _SLACK if inside else time_s > self.limit_s * _SLACK

    def sum_of_calls(self) -> str:
        """Return the calls and their times in words."""
        return listed(f"{call.flow.end} {show_seconds(call.longest_s)}" for call in self.calls)


def _waiters(design: Design, planes: Planes) -> list[_Waiter]:
    """Return every component whose calls have a limit: a caller's timeout, or the latency budget.

    A component with several callers stands there once for each set of calls that surely belong to the same one.
    """
    asked = _asked(planes)
    if graph.cycle(asked):
        return []
    callers = defaultdict[str, list[Flow]](list)
    for flow in asked:
        if flow.timeout is not None:
            callers[flow.end].append(flow)
    begun = begun_within(design)
    roots = {*graph.own_roots(planes)} - behind_queues(planes)  # by a queue too
    kinds = {one.id: one.kind for one in planes.components}
    run = design.requirements.schedule if design.requirements else None
    budget_is_of_others = run is not None or any(kinds[name] not in JOBS for name in roots)
    budget_s = requirement(design, "latency", "budget")
    calls, timed_part = calls_by_component(planes), _timed(set(asked))
    found, order = list[_Waiter](), order_of(design.pattern)
    for one in planes.components:
        is_asked = may_ask(one) and (one.kind not in JOBS or not budget_is_of_others)
        enters = one.id in begun or (one.id in roots and is_asked)
        timed = tuple(filter(None, map(timed_part, calls.get(one.id, ()))))
        inside = list(_by_caller(callers[one.id], timed))
        limited = [(budget_s or 0.0, timed)] if enters else inside
        found += [
            _Waiter(one, made, limit_s, enters, budget_s or math.inf, order)
            for limit_s, made in limited
            if limit_s and made
        ]
    return found


def _by_caller(callers: Sequence[Flow], made: Sequence[Call]) -> Iterator[tuple[float, tuple[Call, ...]]]:
    """Yield how long the callers of a component wait, each time with the calls that are surely made meanwhile.

    Calls that name what causes them, in `after` or by shares that are divided alike, are held against the shortest of
    these; the others against the longest of all.
    """
    if not callers:
        return
    causes = causes_of(callers, made)
    limits_s = {call: min(flow.timeout or math.inf for flow in causes[call]) for call in causes}
    longest_s = max(flow.timeout or math.inf for flow in callers)
    for limit_s in sorted({longest_s, *limits_s.values()}):
        calls = tuple(call for call in made if limits_s.get(call, longest_s) == limit_s)
        yield limit_s, calls


def causes_of(callers: Sequence[Flow], made: Sequence[Call]) -> dict[Call, tuple[Flow, ...]]:
    """Return, for each call of a component of which it can be told, the incoming flows that cause it.

    It can where all callers wait alike, where the call names them, and where the callers exclude each other and each
    has a call of exactly its share.
    """
    if len({flow.timeout for flow in callers}) == 1:
        return dict.fromkeys(made, tuple(callers))
    known = {flow.id: flow for flow in callers if flow.id}
    found = dict[Call, tuple[Flow, ...]]()
    shares = [flow.share for flow in callers]
    told = None not in shares and len({*shares}) == len(shares) and math.fsum(filter(None, shares)) <= _SLACK
    for call in made:
        named = tuple(known[name] for name in call.flow.after if name in known)
        alike = [flow for flow in callers if told and flow.share == call.flow.share]
        if named or alike or (told and call.flow.share is None):
            found[call] = named or tuple(alike) or tuple(callers)
    return found


def _timed(asked: set[Flow]) -> Callable[[Call], Call | None]:
    def timed(call: Call) -> Call | None:
        flows = [flow for flow in call.flows if flow in asked and flow.timeout is not None]
        return Call(flows[0], tuple(flows[1:])) if flows else None

    return timed


@rule(
    "PLANE007",
    "warning",
    title="Edge timeout exceeds the latency budget",
    prevents="a fallback that comes after the user has left",
    wrong_when="Acceptable if a late answer is worth more than the fallback: a budget at a percentile "
    "lets some requests take longer.",
    needs=sketched,
)
def edge_timeout_exceeds_budget(design: Design, planes: Planes) -> Iterator[Fault]:
    """A timeout above the latency budget does not protect the budget."""
    where, waiters = places(planes), _waiters(design, planes)
    inner = {one.component.id for one in waiters if one.outlasts_its_caller}
    rare = 1 - _PERCENTILES.get(requirement(design, "latency", "percentile") or "", 100.0) / 100
    for waiter in waiters:
        usual = (call for call in waiter.calls if call.flow.share is None or call.flow.share > rare)
        one = replace(waiter, calls=tuple(usual))
        if one.component.kind in {"client", *_OUTSIDE}:
            continue  # how long it waits is not ours to say: the system answers within the budget or not
        if one.enters and not inner & {flow.end for flow in one.too_long}:  # PLANE008 tells both
            yield from _over_limit(
                one, where, "Shorten the timeout, so that the fallback can still answer in time."
            )


@rule(
    "PLANE008",
    title="Inner timeout exceeds its caller's",
    prevents="work for callers that have given up, on servers that are already slow",
    incident=BROOKER,
    wrong_when="Acceptable if the work must finish whoever waits, such as a write with an idempotency key.",
    needs=sketched,
)
def inner_timeout_exceeds_callers(design: Design, planes: Planes) -> Iterator[Fault]:
    """A component must give up on its own calls before its caller gives up on it."""
    where = places(planes)
    fix = "Make each timeout shorter than its caller's, with time left for the fallback."
    for one in _waiters(design, planes):
        if one.outlasts_its_caller:
            yield from _over_limit(one, where, fix)


def _over_limit(one: _Waiter, where: dict[Flow, str], fix: str) -> Iterator[Fault]:
    """Find calls that exceed a limit, each by itself or for certain together."""
    for flow in one.too_long:
        yield Fault(
            f"{where[flow]}.timeout",
            f"{arrow(flow)} may wait {show_seconds(attempts_s(flow))}, retries included; {one.limit}.",
            fix,
        )
    if not one.too_long and one.together_too_long:
        longest = max(one.calls, key=lambda call: call.longest_s)
        yield Fault(
            f"{where[longest.flow]}.timeout",
            f"{one.component.id} may wait {show_seconds(one.span.least_s)} for its calls, retries included "
            f"({one.sum_of_calls()}); {one.limit}.",
            fix,
        )


@rule(
    "PLANE062",
    "warning",
    title="Which caller causes a call not stated",
    prevents="a call that goes on for seconds after the caller that waits least has left",
    wrong_when="Wrong if the component passes on how long its caller still waits; then state the shortest timeout.",
    needs=sketched,
)
def cause_of_call_unknown(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component with a patient and an impatient caller has to know for which of them it calls."""
    where, asked = places(planes), _asked(planes)
    calls, timed_part = calls_by_component(planes), _timed(set(asked))
    callers_of, known = defaultdict[str, list[Flow]](list), graph.components_by_id(planes)
    for flow in asked:
        if flow.timeout and known[flow.start].kind not in _OUTSIDE:
            callers_of[flow.end].append(flow)
    for one in planes.components if not graph.cycle(asked) else ():
        callers = callers_of[one.id]
        if len({flow.timeout for flow in callers}) < 2:
            continue
        hasty, patient = (pick(callers, key=lambda flow: flow.timeout or 0.0) for pick in (min, max))
        made = tuple(filter(None, map(timed_part, calls.get(one.id, ()))))
        least_s, most_s = hasty.timeout or 0.0, patient.timeout or 0.0
        causes = causes_of(callers, made)
        late = [call for call in made if call not in causes and least_s <= call.longest_s < most_s]
        if late:
            slow = max(late, key=lambda call: call.longest_s)
            yield Fault(
                f"{where[slow.flow]}.after",
                f"{listed(arrow(call.flow) for call in late)} may wait {show_seconds(slow.longest_s)}, retries "
                f"included; for {one.id}, {patient.id or patient.start} waits {show_seconds(most_s)} and "
                f"{hasty.id or hasty.start} {show_seconds(least_s)}.",
                "Give the flows that arrive an id each, and name in 'after' which of them cause the call; or shorten "
                "its timeout.",
            )


@rule(
    "PLANE039",
    "warning",
    title="Order of calls not stated where it decides",
    prevents="calls that fit the budget side by side, and are programmed one after another",
    needs=sketched,
)
def order_of_calls_unknown(design: Design, planes: Planes) -> Iterator[Fault]:
    """One after another, calls add up; at once, only the slowest counts."""
    late = dict[str, str]()
    for one in _waiters(design, planes):
        least_s, most_s = one.span.least_s, one.span.most_s
        if one.exceeded_by(most_s) and not one.exceeded_by(least_s) and not (one.too_long or one.too_late):
            late[one.component.id] = f"the timeouts add up to {show_seconds(most_s)}, and {one.limit}"
    if not late:
        late = _late_in_a_row(design, planes)
    for name, words in late.items():
        yield Fault(
            f"planes.components.{name}.calls",
            f"{name} does not say whether its calls are made one after another or at once. One after another, {words}.",
            "Write 'calls: at once' or 'calls: one after another', and then timeouts that fit.",
        )


@rule(
    "PLANE059",
    "warning",
    title="Timeout below the callee's own latency",
    prevents="a fallback that answers while everything works",
    wrong_when="Acceptable if the fallback is as good, and is meant to take that share.",
    needs=sketched,
)
def timeout_below_latency(design: Design, planes: Planes) -> Iterator[Fault]:
    """A timeout below the usual time of an answer turns slow answers into failures, and each retry into more load."""
    where, known, asked = places(planes), graph.components_by_id(planes), _asked(planes)
    latency = design.requirements.latency if design.requirements else None
    percentile = latency.percentile if latency else "p99"
    parts_s, streamed = _parts_s(design), _streams(design)
    told = {one.component.id for one in _waiters(design, planes) if one.outlasts_its_caller}  # by PLANE008
    queues = _queues(planes)
    calls = [flow for flow in asked if flow.end not in queues]
    for flow in () if graph.cycle(asked) else asked:
        end = known[flow.end]
        if flow.timeout is None or end.id in streamed | told:
            continue
        if (end.latency or 0.0) > parts_s.get(end.id, math.inf) * _SLACK:
            continue  # PLANE060 says that it is too slow, or PLANE010 what comes of it
        if end.latency and flow.timeout < end.latency / _SLACK:
            at = end.latency_is or percentile
            share = _PERCENTILES.get(at)
            cut = f"more than {percent(1 - share / 100)} of the calls are" if share else "calls will be"
            yield Fault(
                f"{where[flow]}.timeout",
                f"{arrow(flow)} is given up after {show_seconds(flow.timeout)}, and {end.id} takes "
                f"{show_seconds(end.latency)} ({at}): {cut} cut off.",
                "Set the timeout above the callee's p99, or make the callee faster.",
            )
        elif end.id not in queues and (fault := _below_its_parts(flow, calls, parts_s, known, where)):
            yield fault


def _below_its_parts(
    flow: Flow,
    calls: list[Flow],
    parts_s: dict[str, float],
    known: dict[str, Component],
    where: dict[Flow, str],
) -> Fault | None:
    """Compare a timeout with what the latency split plans for the callee and what it calls in a row."""

    def planned_s(name: str) -> float:
        return min(parts_s.get(name, 0.0), known[name].latency or math.inf)

    behind = graph.reached([flow.end], graph.steps_along(calls))
    row = graph.heaviest_way([one for one in calls if one.start in behind], planned_s, lambda _: 0.0)
    names = dict.fromkeys([flow.end, *(name for one in row for name in (one.start, one.end))])
    in_a_row = [name for name in names if planned_s(name)]
    sum_s = math.fsum(map(planned_s, in_a_row))
    if flow.timeout is None or flow.timeout >= sum_s * (_SURELY if len(in_a_row) > 1 else 1 / _SLACK):
        return None
    if any(one.timeout and one.start != flow.start and one.timeout < planned_s(one.end) for one in row):
        return None  # the inner timeout is the cause
    return Fault(
        f"{where[flow]}.timeout",
        f"{arrow(flow)} is given up after {show_seconds(flow.timeout)}, and the latency split gives "
        f"{' and then '.join(in_a_row)} {show_seconds(sum_s)}.",
        "Set the timeout above what the split plans for, or plan less.",
    )


def _parts_s(design: Design) -> dict[str, float]:
    """Return the part of the latency budget of each component that has one, in seconds."""
    latency, planes = design.requirements.latency if design.requirements else None, design.planes
    known = {one.id for one in planes.components} if planes else set[str]()
    parts_s = dict[str, float]()
    for part in latency.split if latency else ():
        if part.component in known:
            parts_s[part.component] = parts_s.get(part.component, 0.0) + part.time
    return parts_s


@rule(
    "PLANE060",
    "warning",
    title="Component slower than its part of the budget",
    prevents="a latency budget that adds up, made of parts that nobody can keep",
    wrong_when="Wrong if the stated latency includes what the component calls; state its own time.",
    needs=sketched,
)
def slower_than_its_part(design: Design, planes: Planes) -> Iterator[Fault]:
    """A split of the budget is a plan only while each component keeps its part."""
    latency = design.requirements.latency if design.requirements else None
    late_in_all = (*latency_exceeds_budget(design), *percentiles_fill_budget(design))
    if latency is None or late_in_all:
        return  # one cause, one finding
    certain_s, known = _certain_s(latency.percentile), graph.components_by_id(planes)
    late = dict[str, str]()
    for name, time_s in _parts_s(design).items():
        one = known[name]
        own_s = max(certain_s(one), (one.latency or 0.0) if one.latency_is == "mean" else 0.0)
        if own_s > time_s * _SLACK:
            at = one.latency_is or latency.percentile
            late[name] = f"{name} takes {show_seconds(own_s)} ({at}) of a part of {show_seconds(time_s)}"
    if late:
        yield Fault(
            f"planes.components.{next(iter(late))}.latency",
            f"{listed(late.values())}.",
            "Split the budget again, or make the component faster; measure it if the figure is a guess.",
        )


def _streams(design: Design) -> set[str]:
    """Return what writes an answer piece by piece: a timeout may be until the first piece."""
    latency, planes = design.requirements.latency if design.requirements else None, design.planes
    if planes is None or latency is None or all(one.what == "whole answer" for one in latency.promises):
        return set()
    planned = {plan.component for plan in design.fleets.values() if plan.generation}
    return {one.id for one in planes.components if one.kind in RUNNERS or one.id in planned}


# ---- latency


def _entries(
    planes: Planes, latency_s: Callable[[Component], float], pattern: Pattern | None = None
) -> list[Request]:
    """Return the requests of users: those that enter in the serving plane, or come from outside."""
    asking = {one.id for one in planes.components if may_ask(one)} - behind_queues(planes)
    return [
        one
        for one in requests_of(with_queues(planes), latency_s, order=order_of(pattern))
        if one.entry in asking
    ]


def _certain_s(percentile: str) -> Callable[[Component], float]:
    """Return the time that a component takes for certain at a percentile: its own at that one, or a lower one."""

    def latency_s(one: Component) -> float:
        known = _PERCENTILES.get(one.latency_is or percentile)
        asked = _PERCENTILES.get(percentile)
        return one.latency or 0.0 if known and asked and known <= asked else 0.0

    return latency_s


def _mean_s(percentile: str) -> Callable[[Component], float]:
    """Return the mean of a component, where it is stated and says something about a percentile."""
    counts = percentile == "mean" or _PERCENTILES[percentile] >= _MEAN_IS_BELOW

    def latency_s(one: Component) -> float:
        return one.latency or 0.0 if counts and (one.latency_is or percentile) == "mean" else 0.0

    return latency_s


@rule(
    "PLANE010",
    title="Latency along the calls exceeds the budget",
    prevents="a latency budget that is exceeded, which shows only under load",
    wrong_when="Wrong if not every request makes the call; state its 'share'.",
    needs=sketched,
)
def latency_exceeds_budget(design: Design, planes: Planes) -> Iterator[Fault]:
    """No request is faster than the slowest part that it waits for, and means add up along the calls."""
    if fault := surely_late(design, planes):
        yield fault


def surely_late(design: Design, planes: Planes) -> Fault | None:
    """Return what makes a request surely later than the budget, if anything."""
    budget_s, percentile = (requirement(design, "latency", name) for name in ("budget", "percentile"))
    if not budget_s:
        return None
    known = graph.components_by_id(planes)
    certain_s = _certain_s(percentile)
    for one in _entries(planes, certain_s, design.pattern):
        slowest = max(one.needs, key=lambda name: certain_s(known[name]))
        if one.certain_s > budget_s * _SLACK:
            return Fault(
                f"planes.components.{slowest}.latency",
                f"Every request waits for {slowest}, which alone takes {show_seconds(one.certain_s)} at "
                f"{known[slowest].latency_is or percentile}; the latency budget is {show_seconds(budget_s)}.",
                f"Make {slowest} faster, compute its answer ahead, or answer without it.",
            )
    for one in _entries(planes, _mean_s(percentile), design.pattern):
        if one.time.least_s > budget_s * _SLACK:
            return Fault(
                f"planes.components.{one.time.way[-1]}.latency",
                f"The mean latencies of {listed(one.time.way)} come to {_least(one.time)}; the latency budget is "
                f"{show_seconds(budget_s)} at {percentile}.",
                "Remove a call, or make calls at the same time.",
            )
    return None


@rule(
    "PLANE043",
    "warning",
    title="Percentiles that fill the budget",
    prevents="a budget that is kept on paper, by adding figures that do not add",
    wrong_when="Wrong if the whole was measured: write that figure as the latency of one component.",
    needs=sketched,
)
def percentiles_fill_budget(design: Design, planes: Planes) -> Iterator[Fault]:
    """From the percentiles of the parts it cannot be told that the whole keeps its own."""
    if surely_late(design, planes):
        return
    for promise, one in _promised(design, planes):
        if one.time.least_s > promise.within * _SLACK:
            yield Fault(
                f"planes.components.{one.time.way[-1]}.latency",
                f"The latencies of {listed(one.time.way)} come to {_least(one.time)}, and {_within(promise)}. "
                "Percentiles do not add: the whole may take less or far more.",
                "Measure the whole, or enforce a share of each part by a timeout with a fallback. Where only some "
                "requests make a call, state its 'share'.",
            )
            return


def _least(time: Span) -> str:
    return show_seconds(time.least_s) + ("" if time.known else " even if calls are made at once")


def _within(promise: Promise) -> str:
    return f"the {promise.what} is promised within {show_seconds(promise.within)} at {promise.percentile}"


def _promised(design: Design, planes: Planes) -> Iterator[tuple[Promise, Request]]:
    """Yield each promise about a whole request with each request; up to the first token, the rest does not count."""
    latency = design.requirements.latency if design.requirements else None
    planned = {plan.component for plan in design.fleets.values() if plan.generation}
    planes = promised(design).planes or planes
    entries = {one.entry for one in _entries(planes, lambda _: 0.0)}
    for promise in latency.promises if latency else ():
        within_s = promise.within if promise.what == "first token" else math.inf
        if promise.what == "gap between tokens":
            continue

        asked, usual = _PERCENTILES.get(promise.percentile, 100.0), latency.percentile if latency else ""

        def counted_s(
            one: Component, within_s: float = within_s, asked: float = asked, usual: str = usual
        ) -> float:
            if _PERCENTILES.get(one.latency_is or usual, 0.0) > asked:
                return 0.0  # a higher percentile says nothing of a lower one
            writes = one.kind in RUNNERS or one.id in planned
            planned_apart = (
                within_s < math.inf and one.id in planned
            )  # CAP034 compares the plan's first token
            whole_answer = planned_apart or (writes and (one.latency or 0.0) > within_s)
            return 0.0 if whole_answer else one.latency or 0.0

        for one in _entries(_without_rare_calls(planes, promise.percentile), counted_s, design.pattern):
            if one.entry in entries:
                yield promise, one


def _without_rare_calls(planes: Planes, percentile: str) -> Planes:
    """Return the sketch without calls of so few requests that a percentile does not see them, all together."""
    gone, _ = without_rare(planes, 1 - _PERCENTILES.get(percentile, 100.0) / 100)
    return planes.changed(flows=[flow for flow in planes.flows if flow not in gone]) if gone else planes


def _late_in_a_row(design: Design, planes: Planes) -> dict[str, str]:
    """Return the component whose calls, if made one after another, may break a promise, with what they add up to."""
    calls = calls_by_component(planes)
    open_order = [one.id for one in planes.components if one.calls is None and len(calls.get(one.id, ())) > 1]
    for promise, one in _promised(design, planes):
        hub = next((name for name in one.time.way if name in open_order), None)
        if hub and one.time.least_s <= promise.within * _SLACK < one.time.most_s:
            return {hub: f"the latencies add up to {show_seconds(one.time.most_s)}, and {_within(promise)}"}
    return {}


# ---- retries and alternatives


@rule(
    "PLANE009",
    title="Retries multiply along a chain",
    prevents="a short fault that retries turn into an outage",
    incident=BROOKER,
    wrong_when="Wrong if a circuit breaker stops them; state its limit as the budget of 'retry'.",
    needs=sketched,
)
def retries_multiply(_: Design, planes: Planes) -> Iterator[Fault]:
    """Retries multiply from layer to layer: three tries at five layers are 243 calls."""
    queues = _queues(planes)
    calls = [
        flow for flow in _waited(planes) if flow.end not in queues
    ]  # once it is queued, nobody tries again
    chain = graph.heaviest_way(calls, lambda _: 0, _log_attempts)
    retrying = [flow for flow in chain if _is_unlimited(flow)]
    if len(retrying) == 1:  # one layer alone may weigh more than two elsewhere
        chain = graph.heaviest_way(
            calls, lambda _: 0, lambda flow: _is_unlimited(flow) + 1e-9 * _log_attempts(flow)
        )
        retrying = [flow for flow in chain if _is_unlimited(flow)]
    if len(retrying) > 1:
        made = math.exp(min(math.fsum(math.log1p(flow.retries) for flow in retrying), 80))
        names = [name for flow in chain for name in (flow.start, flow.end)]
        yield Fault(
            f"{places(planes)[retrying[-1]]}.retries",
            f"{len(retrying)} layers on {way(names[:1] + names[1::2])} retry: one request may become "
            f"{made:,.4g} calls.",
            "Retry at one layer only, with a retry budget.",
        )


def _log_attempts(flow: Flow) -> float:
    return math.log1p(flow.retries) if _is_unlimited(flow) else 0.0


def _is_unlimited(flow: Flow) -> bool:
    return flow.retries > 0 and (flow.retry is None or flow.retry.budget is None)


@rule(
    "PLANE041",
    "warning",
    title="Retries without a pause or a budget",
    prevents="three times the load on a service at the moment at which it is slow",
    incident=BROOKER,
    wrong_when="Acceptable if the callee is known to fail for single calls only, and never for all.",
    needs=sketched,
)
def retries_at_once(_: Design, planes: Planes) -> Iterator[Fault]:
    """Retries at once reach a service when it can take least."""
    eager = [
        flow
        for flow in _waited(planes)
        if flow.retries >= _MANY_RETRIES
        and _is_unlimited(flow)
        and not (flow.retry and (flow.retry.backoff or "").startswith("exponential"))
    ]
    if eager:
        most = max(flow.retries for flow in eager)
        yield Fault(
            f"{places(planes)[eager[0]]}.retries",
            f"{listed(map(arrow, eager))} may be tried {most + 1} times without a pause that grows or a budget: "
            f"{most + 1} times the load when the callee is slow.",
            "State in 'retry' an exponential backoff with jitter and a budget, such as 10% of first attempts.",
        )


@rule(
    "PLANE042",
    title="Retry of a call that must not be made twice",
    prevents="a payment that is made twice, since the first answer was late",
    incident=BROOKER,
    needs=sketched,
)
def unsafe_retry(_: Design, planes: Planes) -> Iterator[Fault]:
    """A call without an answer may have been carried out."""
    where = places(planes)
    for flow in _repeated(planes):
        if flow.idempotent is False:
            yield Fault(
                f"{where[flow]}.retries",
                f"{arrow(flow)} is tried up to {flow.retries + 1} times, and is not idempotent.",
                "Send an idempotency key, so that a second attempt does nothing, or do not retry.",
            )


def _repeated(planes: Planes) -> list[Flow]:
    """Return what is tried again: calls, and whatever else states retries, such as a command."""
    own = (flow for _, flow in graph.own_flows(planes))
    return [flow for flow in dict.fromkeys((*_waited(planes), *own)) if flow.retries]


@rule(
    "PLANE076",
    "warning",
    title="Retry of what acts, and may do so twice",
    prevents="an invoice that is posted twice, since nobody asked what a second attempt does",
    incident=BROOKER,
    wrong_when="Acceptable if a second attempt does nothing; write 'idempotent: true'.",
    needs=sketched,
)
def retry_may_act_twice(_: Design, planes: Planes) -> Iterator[Fault]:
    """What posts, sends or charges is repeated only if a second attempt is known to do no harm."""
    where, parts, carried_out = places(planes), graph.components_by_id(planes), _carried_out(planes)
    found = [
        flow
        for flow in _repeated(planes)
        if flow.idempotent is None
        and (flow in carried_out or _acts(flow, parts[flow.end]))
        and parts[flow.start].plane != "control"
    ]
    if found:
        yield Fault(
            f"{where[found[0]]}.idempotent",
            f"Tried again, and not said whether twice does harm: {listed(map(arrow, found))}.",
            "State 'idempotent', and send an idempotency key where a second attempt would post, send or charge again.",
        )


_DEAR = 0.1
"""What one call costs, in the design's currency, from which on paying it twice matters; our threshold."""


def _carried_out(planes: Planes) -> set[Flow]:
    """Return the flows by which a decision is carried out, whatever they carry: tasks of people, and of others.

    Rules, and a service that is told a prediction, decide where a share of the cases goes. What gets such a share
    carries it out, by itself or by people and services outside. Without that, what fails open is asked for a fact.
    """
    parts = graph.components_by_id(planes)
    own = [
        flow
        for flow in dict.fromkeys((*_waited(planes), *(one for _, one in graph.own_flows(planes))))
        if parts[flow.start].plane == parts[flow.end].plane == "serving"
        and (flow.carries == "request" or graph.is_task(flow, parts))
    ]
    models = {
        one.id
        for one in planes.components
        if one.kind in MODELS and (one.kind != "external service" or one.tokens is not None)
    }
    asking = graph.reached(models, graph.steps_back(_waited(planes)))
    told = {flow.end for _, flow in graph.own_flows(planes) if flow.carries == "predictions"}
    decide = {
        one.id
        for one in planes.components
        if (one.kind == "business rules" or (one.kind == "service" and one.id in told))
    } - asking
    sent = {
        flow
        for flow in own
        if flow.start in decide
        and flow.share is not None
        and flow.fails != "open"
        and flow.end not in asking
        and parts[flow.end].kind in {"service", "external service", "people"}
    }
    behind = graph.reached((flow.end for flow in sent), graph.steps_along(own))
    outward = {"external service", "people"}
    later = {
        flow
        for flow in own
        if flow.start in behind and flow.fails != "open" and parts[flow.end].kind in outward
    }
    return sent | later | {flow for flow in own if parts[flow.end].kind == "people"}


def _acts(flow: Flow, end: Component) -> bool:
    """Tell whether what gets a flow does something by it: a command, a message to people, a result, a charge."""
    done = (
        flow.carries in {"command", "alert"} and end.plane != "control"
    )  # what is switched twice is switched
    handed_on = flow.carries == "predictions" and end.kind in {"service", "external service"}
    return done or handed_on or bool(end.price and (end.price.per_request or 0.0) >= _DEAR)


@rule(
    "PLANE040",
    title="Alternative that comes too late",
    prevents="a second provider that is paid for, and never answers in time",
    needs=sketched,
)
def alternative_too_late(design: Design, planes: Planes) -> Iterator[Fault]:
    """An alternative is tried after the first one's timeout, and both have to fit into the caller's."""
    where = places(planes)
    for one in _waiters(design, planes):
        for call in () if one.enters or one.too_long else one.too_late:
            parts = " and ".join(f"{flow.end} {show_seconds(attempts_s(flow))}" for flow in call.flows)
            yield Fault(
                f"{where[call.flow]}.timeout",
                f"Tried one after the other, {parts} may take {show_seconds(call.longest_s)}; {one.limit}.",
                f"Give up on {call.flow.end} earlier, so that {call.flows[-1].end} still has time to answer.",
            )


@rule(
    "PLANE045",
    "warning",
    title="Alternatives that fail together",
    prevents="two ways to an answer that are lost in one outage",
    wrong_when="Acceptable if what both need fails far more rarely than either of them.",
    needs=sketched,
)
def alternatives_share_a_dependency(_: Design, planes: Planes) -> Iterator[Fault]:
    """Two alternatives that need the same component are one when that component is down."""
    needed_by = {
        start: [call.flow.end for call in made if call.needed]
        for start, made in calls_by_component(planes).items()
    }
    where = places(planes)
    for call in _calls(planes):
        if not call.alternatives or call.has_fallback:
            continue
        needs = [graph.reached([flow.end], needed_by) for flow in call.flows]
        shared = set.intersection(*needs) - graph.reached([call.flow.start], needed_by)
        if names := [one.id for one in planes.components if one.id in shared]:
            yield Fault(
                f"{where[call.flow]}.otherwise",
                f"{' and '.join(dict.fromkeys(flow.end for flow in call.flows))} all need {listed(names)}, so that "
                f"{call.flow.start} loses them together.",
                "Let the alternative do without it, or state a fallback for when it is down.",
            )


# ---- failures


@rule(
    "PLANE011",
    title="Cycle of waiting calls",
    prevents="a request that waits for itself",
    wrong_when="Wrong if the call back is an operation that never waits for the first one; draw the "
    "operations as separate components.",
    needs=sketched,
)
def cycle_of_waiting_calls(_: Design, planes: Planes) -> Iterator[Fault]:
    """Calls that lead back to their caller end in a timeout, or never."""
    queues = _queues(planes)
    if circle := graph.cycle([flow for flow in _waited(planes) if flow.end not in queues]):
        yield Fault(
            f"planes.components.{circle[0]}",
            "These components wait for each other in a cycle (a possible deadlock): "
            f"{way([*circle, circle[0]])}.",
            "Break the cycle: compute one of the answers ahead, or send it as an event.",
        )


def _needed(planes: Planes) -> list[Component]:
    """Return what requests, or some of them, get no answer without, and whose replicas are ours to count."""
    planes = with_queues(planes)
    calls = calls_by_component(planes)
    called, known = {flow.end for flow in _waited(planes)}, graph.components_by_id(planes)
    asking = [name for name in calls if may_ask(known[name])]
    entries = [name for name in asking if name not in called] or asking
    steps = {name: [call.flow.end for call in made if call.needed] for name, made in calls.items()}
    names = graph.reached(entries, steps)
    return [
        one
        for one in planes.components
        if one.id in names and not (one.run_by_others or one.kind in _NOT_COUNTED)
    ]


_BY_THE_CLOCK = ("batch scorer", "batch pipeline")
"""Kinds whose run is started again where a machine fails; the loss of their only zone lasts longer than a run."""


@rule(
    "PLANE012",
    title="Single point of failure",
    prevents="an outage caused by the loss of one machine or one zone",
    wrong_when="Wrong if somebody else runs copies of it behind one address; write 'managed: true'.",
    needs=sketched,
)
def single_point_of_failure(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component that requests need has a second replica in a second zone, or its risk is accepted in writing."""
    for one in _needed(planes):
        who, counted = "requests", ["replicas", "zones"]
        if one.kind in _BY_THE_CLOCK:
            who, counted = "runs", ["zones"]
        alone = [name for name in counted if getattr(one, name) == 1]
        if alone and not answered(one.accepted_risk):
            yield Fault(
                f"planes.components.{one.id}.{alone[0]}",
                f"{one.id} is a single point of failure: {who} need it, and it has one {alone[0].removesuffix('s')}.",
                "Add a second one, in another zone, give its callers a fallback, or state in 'accepted_risk' why one "
                "is enough.",
            )


@rule(
    "PLANE013",
    "info",
    title="Replica count unknown",
    prevents="a single point of failure that nobody has noticed",
    wrong_when="Wrong if somebody else runs it: write 'managed: true' and its availability, or 'kind: client' for what "
    "runs at the users.",
    needs=sketched,
    whole=True,
)
def replica_count_unknown(design: Design, _: Planes) -> Iterator[Fault]:
    """How many replicas a component has decides what its failure costs."""
    planned = {plan.component for plan in design.fleets.values() if plan.replicas}
    needed = [one for view in each_workload(design) if view.planes for one in _needed(view.planes)]
    unknown = [
        one.id
        for one in dict.fromkeys(needed)
        if one.replicas is None and one.id not in planned and not answered(one.accepted_risk)
    ]
    if unknown:
        yield Fault(
            f"planes.components.{unknown[0]}.replicas",
            f"Requests need {listed(unknown)}, and the number of replicas is not stated.",
            "State 'replicas' and 'zones'.",
        )


@rule(
    "PLANE014",
    title="Availability of the parts misses the target",
    prevents="a target that is missed although every component meets its own",
    wrong_when="Wrong if components fail together and not independently.",
    needs=sketched,
)
def less_available_than_target(design: Design, planes: Planes) -> Iterator[Fault]:
    """The availabilities of the components that a request needs multiply: five times 99.9% is 99.5%."""
    target = requirement(design, "availability", "target")
    through = with_queues(promised(design).planes or planes)
    if through is not planes:
        design, planes = design.model_copy(update={"planes": through}), through
    found = answers_of(design)
    worst = next((one for one in requests_of(planes) if one.entry == found.entry), None)
    if not (target and target < 1 and worst and found.most < target - 1e-12):
        return
    up = {one.id: 1.0 if one.availability is None else one.availability for one in planes.components}
    needs = [name for name in worst.needs if up[name] < 1] or list(worst.needs)
    weakest = min(needs, key=up.__getitem__)
    yield Fault(
        f"planes.components.{weakest}.availability",
        f"{percent(found.most)} of {_asked_by(planes, worst.entry)} get an answer, as they need "
        f"{listed(f'{name} ({percent(up[name])})' for name in needs)}; the target is {percent(target)}."
        + (f" {'; '.join(found.causes)}." if found.causes else ""),
        f"Answer without {weakest} when it is down, make it more available, or call fewer components; a refusal that "
        "counts as an answer needs 'answered: true' on its flow.",
    )


@rule(
    "PLANE071",
    "warning",
    title="Availability of a needed part not stated",
    prevents="a target that is met on paper, since the part that fails most states nothing",
    wrong_when="Acceptable if the part runs within one that states its own.",
    needs=sketched,
)
def availability_not_stated(design: Design, planes: Planes) -> Iterator[Fault]:
    """A component that every request needs, and that states no availability, counts as always up."""
    target = requirement(design, "availability", "target")
    known = graph.components_by_id(planes)
    steps = graph.steps_along(_waited(planes))
    called = graph.reached(graph.own_roots(planes), steps) if planes.asked else {*known}
    stated = any(known[name].availability is not None for name in called)
    for one in requests_of(planes) if stated and target is not None and target < 1 else ():
        needs = [
            known[name]
            for name in one.needs
            if known[name].kind not in _NOT_RUN and (name != one.entry or known[name].kind == "api gateway")
        ]
        silent = [part.id for part in needs if part.availability is None]
        if silent and one.entry in waiting_entries(planes):
            yield Fault(
                f"planes.components.{silent[0]}.availability",
                f"Every one of {_asked_by(planes, one.entry)} needs {listed(silent)}, which "
                f"{'does' if len(silent) == 1 else 'do'} not state an availability, as others do; the target is "
                f"{percent(target)}.",
                "State what its owner or its provider promises, or an assumption with an owner.",
            )
            return


_NOT_RUN = ("client", "people", "raw source", "device fleet", "event stream")


@rule(
    "PLANE061",
    "warning",
    title="Objective that does not fit the design",
    prevents="a target on the dashboard that the design cannot keep, or that alarms after the promise is broken",
    wrong_when="Wrong if the objective is about something else than how many requests are answered; say what in "
    "'measures'.",
    needs=sketched,
)
def objective_does_not_fit(design: Design, planes: Planes) -> Iterator[Fault]:
    """An objective on answers is at least what the requirements promise, and at most what the parts allow."""
    target = requirement(design, "availability", "target")
    worst = min(_entries(planes, lambda _: 0.0), key=lambda one: one.availability, default=None)
    for one in design.operations.objectives if design.operations else ():
        if not _is_on_answers(one):
            continue
        if target is not None and one.target < target - 1e-12:
            yield Fault(
                f"operations.objectives.{one.id}.target",
                f"{one.id} aims at {percent(one.target)}, and the requirements promise {percent(target)}: it is kept "
                "while the promise is broken.",
                "Set it to the promise or above, or change the promise.",
            )
        elif worst and worst.availability < one.target - 1e-12 and not (target and one.target <= target):
            yield Fault(
                f"operations.objectives.{one.id}.target",
                f"{one.id} aims at {percent(one.target)}, and {percent(worst.availability)} of the requests that enter "
                f"at {worst.entry} get an answer, as far as the availabilities of the components tell.",
                "Lower it, or let requests be answered without the weakest component.",
            )


def _is_on_answers(one: Objective) -> bool:
    """Tell whether an objective counts answered requests: by its field, or by words where that is left out."""
    if one.measures is not None:
        return one.measures == "answered"
    of_all = one.indicator.rpartition("/")[2]
    by_clock = _BY_CLOCK.search(of_all) is not None
    return (
        not by_clock
        and bool(_ANSWERED.search(one.indicator))
        and not _OTHER_THAN_ANSWERED.search(one.indicator)
    )


_BY_CLOCK = re.compile(r"\b(night|run|day|week|hour|month|job|batch|load|round)(e?s)?\b", re.IGNORECASE)
_ANSWERED = re.compile(
    r"availab|answer|success|error|\b5xx\b|uptime|\bup\b|served|scored|decided", re.IGNORECASE
)
_OTHER_THAN_ANSWERED = re.compile(
    r"within|laten|late\b|in time|fast|slow|second|\bms\b|minute|\bp\d\d|\bage\b|old\b|fresh|correct|right|wrong"
    r"|quality|grounded|helpful|accura|precis|recall|forecast|predict|promises|token|page",
    re.IGNORECASE,
)


@rule(
    "PLANE044",
    "warning",
    title="Shedding by priorities that nobody has",
    prevents="an overload in which a report is answered and a payment refused",
    wrong_when="Wrong if each request brings its own priority; write who sets it as the 'priority' of a flow.",
    needs=sketched,
)
def shedding_without_priorities(design: Design, planes: Planes) -> Iterator[Fault]:
    """What is shed first has to be decided before there is too much."""
    paths = design.pattern.paths if design.pattern else ()
    if any(flow.priority for flow in planes.flows) or any(path.priority for path in paths):
        return
    for place, plan in design.fleets.items():
        if plan.sheds == "lowest priority":
            yield Fault(
                f"{place}.sheds",
                "Under overload the requests of the lowest priority are refused, and no flow or path has a priority.",
                "State 'priority' of each path or flow that reaches these replicas: 1 is kept longest.",
            )
