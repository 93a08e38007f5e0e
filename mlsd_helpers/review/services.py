"""Rules on what others do for the system: providers, people, fleets of devices; and on indexes of embeddings."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal

from mlsd_helpers.analysis.cost import CostRow, costs_of
from mlsd_helpers.analysis.graph import is_task, own_flows, own_roots, reached, steps_along, waiting_flows
from mlsd_helpers.analysis.jobs import calls_per_item, run_of
from mlsd_helpers.analysis.paths import JOBS, each_together, promised, together
from mlsd_helpers.analysis.people import Cases, cases_of_people, of_other_entries, waits_for_people
from mlsd_helpers.analysis.rates import (
    calls_per_request,
    days_on_duty,
    is_of_each,
    longest_off_duty_s,
    pace_on_duty,
    share_on_duty,
)
from mlsd_helpers.analysis.request import answered_by_plan, has_fallback
from mlsd_helpers.analysis.sizing import PERCENTILES, Sizing
from mlsd_helpers.analysis.whole import answers_of, calls_of_models
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Component, Design, Devices, Flow, Planes
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas.statistics import canary_sample_size
from mlsd_helpers.review.fleets import name_of, sent_to_what_is_left, size_of, waited
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import (
    DATA,
    cases_per_s,
    flow_places,
    generates,
    is_of_another,
    providers,
    sketched,
    worked_out,
)
from mlsd_helpers.review.sketch import percent, places, requirement
from mlsd_helpers.review.words import listed, mentions, money
from mlsd_helpers.units import day, hour, show_bytes, show_seconds

_MONTH_S = 30 * day
_SLACK = 1 + 1e-9  # for sums of decimal figures
_COST = r"cost|spend|\bbill|dollar|euro|\busd\b|\beur\b|money|price|tokens? (a|per|used|billed)"
_REFUSED = r"refus|reject|quota|throttl|rate.?limit|\b429\b"
_UNPINNED = r"latest|current|newest|default|\bauto|preview|rolling|stable"
_HANDED_OVER = (
    r"(hand|pass|send|route|transfer|escalat|forward|queue|give|ask|call)\w*\b.*\b(agents?|persons?|people|humans?"
    r"|operators?|reviewers?|analysts?|staff|colleagues?|moderators?|clerks?|support|investigators?|dispatchers?|team)\b"
)
_OFF_DUTY = (
    r"night|hours|closed|outside|nobody|ticket|next (working |business )?(day|morning)|mail|call back|weekend"
)
_BY_USE = re.compile(r"\.price\.per_(request|million)")
_MODELS = ("model server", "external service", "llm gateway", "candidate generator", "re-ranker")
_OFFICE_HOURS = 40 / 168  # of a week, for people whose hours are not stated; our estimate
_FEW_CASES = 100  # a day, which a team reads beside its work; our threshold
_MANY_DEVICES = 1_000  # fewer do not overload a service when they come back together; our threshold


def _counted(number: float) -> str:
    return f"{number:,.4g}" if number < 1e4 else f"{number:,.0f}"


# ---- load


class _Load:
    """How many calls a second reach each component: at the peak, and on average, of all workloads together.

    `peak`, `mean`, `per_request` and `made` are about the requests of the design, or of the one workload, alone.
    """

    def __init__(self, design: Design, planes: Planes, *, alone: bool = False) -> None:
        self._design, self._each = design, {id(design): self}
        for other in () if alone else design.others:
            if other.planes:
                self._each[id(other)] = _Load(other, other.planes, alone=True)
        needs = design.requirements
        load, run = (needs.throughput, needs.schedule) if needs else (None, None)
        self.peak = load.peak if load else None
        self.mean = load.mean if load else None
        if load is None and run and run.items:
            run_s = run.allowed or run.period
            self.peak = run.items / run_s if run_s else None
            self.mean = run.items / run.period if run.period else None
        self._peak_at = dict[str, float]()
        for plan in design.fleets.values():  # one component may have several, such as one in each region
            if plan.component and plan.load:
                self._peak_at[plan.component] = self._peak_at.get(plan.component, 0.0) + plan.load
        self.planned = frozenset(self._peak_at)
        self._flows = [flow for _, flow in waiting_flows(planes)]
        self.per_request = calls_per_request(planes, self._largest())

    def _largest(self) -> dict[str, float]:
        """What a plan says reaches its fleet, per request: behind a cache it is less than the flows show."""
        return {name: load / self.peak for name, load in self._peak_at.items()} if self.peak else {}

    def is_spare(self, name: str) -> bool:
        """Tell whether a component is called only when something else fails."""
        return not self._calls(name) and self.in_a_failure.get(name, 0.0) > 0

    def knows(self, name: str) -> bool:
        """Tell whether it can be told how often a component is called, usually or in a failure."""
        return self._calls(name) or name in self.planned or self.is_spare(name)

    def _calls(self, name: str) -> bool:
        """Tell whether any workload is known to call a component."""
        return any(name in one.per_request for one in self._each.values())

    def peak_of(self, name: str) -> float | None:
        """Return the calls a second that reach a component at the peak, when nothing fails."""
        return together(self._design, lambda one: self._each[id(one)]._at(name, "peak"))  # noqa: SLF001

    def _at(self, name: str, rate: Literal["peak", "mean"]) -> float | None:
        known, requests = self.per_request.get(name), getattr(self, rate)
        return None if requests is None or known is None else requests * known

    def mean_of(self, name: str) -> float | None:
        """Return the calls a second that reach a component on average."""
        found = [each for one in self._each.values() if (each := one._at(name, "mean")) is not None]  # noqa: SLF001
        return sum(found) if found else None

    def made(self, flow: Flow, rate: float | None) -> float | None:
        """Return the calls a second along a flow at some rate of requests, if its start tries it each time."""
        known = self.per_request.get(flow.start)
        return None if rate is None or known is None else rate * known * flow.per_start

    @cached_property
    def in_a_failure(self) -> dict[str, float]:
        """The calls a second to each component at the peak with all retries, and while what is tried first is down."""
        return each_together(self._design, lambda one: self._each[id(one)]._own_in_a_failure())  # noqa: SLF001

    def _own_in_a_failure(self) -> dict[str, float]:
        first = {flow.otherwise: flow for flow in self._flows if flow.otherwise}
        total = defaultdict[str, float](float)
        for flow in self._flows:
            before = first.get(flow.id) if flow.id else None
            own = 0.0 if before and flow.share is None else self.made(flow, self.peak) or 0.0
            more = (self.made(before, self.peak) or 0.0) / before.calls * flow.calls if before else 0.0
            again = flow.retries if flow.retry is None or flow.retry.budget is None else flow.retry.budget
            total[flow.end] += (own + more) * (1 + again)
        return dict(total)


def _tokens_per_call(design: Design, one: Component) -> float | None:
    if one.tokens:
        return float(one.tokens.input + one.tokens.output)
    plans = [
        plan.generation for plan in design.fleets.values() if plan.component == one.id and plan.generation
    ]
    return float(plans[0].prompt_tokens + plans[0].output_tokens) if plans else None


def _limits(design: Design, one: Component) -> Iterator[tuple[str, float, float, str]]:
    """Yield each limit of a component: its field, its size a second, what one call takes of it, its unit."""
    if one.quota is None or is_of_each(one.quota.per):
        return
    if one.quota.requests is not None:
        yield "requests", one.quota.requests, 1.0, "calls"
    tokens = _tokens_per_call(design, one)
    if one.quota.tokens is not None and tokens:
        yield "tokens", one.quota.tokens, tokens, "tokens"


# ---- providers


@rule(
    "SERV001",
    title="Quota below the peak",
    prevents="calls that are refused in the busiest minutes, when they matter most",
    wrong_when="Wrong if the calls are spread over time by a queue; state the share of requests that call on the flow.",
    needs=sketched,
)
def quota_below_peak(design: Design, planes: Planes) -> Iterator[Fault]:
    """A quota has to hold the calls, and the tokens, of the busiest period."""
    load, later = _Load(design, planes), _sent_later(planes)
    for one in planes.components:
        calls = load.mean_of(one.id) if one.id in later else load.peak_of(one.id)
        when = "On average" if one.id in later else "At the peak"
        for field, quota, each, unit in _limits(design, one) if calls else ():
            if (needed := (calls or 0.0) * each) > quota * _SLACK:
                of = (
                    f" ({_counted((calls or 0.0) * 60)} calls of {each:,.0f} tokens)"
                    if unit == "tokens"
                    else ""
                )
                yield Fault(
                    f"planes.components.{one.id}.quota.{field}",
                    f"{when} {one.id} gets {_counted(needed * 60)} {unit} a minute{of}, and accepts "
                    f"{_counted(quota * 60)}.",
                    "Get a larger quota, send less (shorter prompts, a cache, a smaller share), or share the "
                    "load with a second provider.",
                )


def _sent_later(planes: Planes) -> set[str]:
    """Return what gets nothing but commands for which a fallback is stated: a task may wait, and so miss the peak."""
    known = {one.id: one for one in planes.components}
    into = defaultdict[str, list[Flow]](list)
    for flow in planes.flows:
        into[flow.end].append(flow)
    return {
        name
        for name, flows in into.items()
        if all(
            is_task(flow, known)
            and says_something(flow.fallback)
            and flow.fails != "closed"
            and not flow.otherwise
            for flow in flows
        )
    }


@rule(
    "SERV002",
    "warning",
    title="Quota exceeded as soon as something fails",
    prevents="a short disturbance that the quota turns into an outage",
    wrong_when="Wrong if callers stop repeating calls when they are refused; state that as the budget of 'retry'.",
    needs=sketched,
)
def quota_without_room(design: Design, planes: Planes) -> Iterator[Fault]:
    """Retries, and the calls of what has failed before, come on top of the peak."""
    load = _Load(design, planes)
    for one in planes.components:
        usual, worst = load.peak_of(one.id) or 0.0, load.in_a_failure.get(one.id, 0.0)
        for field, quota, each, unit in _limits(design, one):
            if usual * each <= quota * _SLACK < worst * each:
                yield Fault(
                    f"planes.components.{one.id}.quota.{field}",
                    f"When calls are repeated, or what is tried before {one.id} is down, it gets up to "
                    f"{_counted(worst * each * 60)} {unit} a minute at the peak, and accepts "
                    f"{_counted(quota * 60)}.",
                    "Limit retries by a budget, such as 10% of first attempts, or get a quota for the whole load.",
                )


def _models_of_providers(design: Design, planes: Planes) -> Iterator[Component]:
    """Yield the services of others that are models: by their tokens, by who calls them, or since there is no other."""
    gateways = {one.id for one in planes.components if one.kind == "llm gateway"}
    behind = {flow.end for flow in planes.flows if flow.start in gateways}
    ours = any(one.kind == "model server" for one in planes.components)
    alone = generates(design) and not ours and len(providers(planes)) == 1
    for one in providers(planes):
        priced = one.price and (one.price.per_million_input_tokens or one.price.per_million_output_tokens)
        if alone or one.tokens or priced or (one.quota and one.quota.tokens) or one.id in behind:
            yield one


def _waited_for(planes: Planes) -> set[str]:
    """Return what requests wait for, or a workload's runs; what only jobs call beside them, nobody waits for."""
    flows = [flow for _, flow in waiting_flows(planes)]
    kinds, roots = {one.id: one.kind for one in planes.components}, own_roots(planes)
    if not planes.named_entries:
        roots = tuple(name for name in roots if kinds[name] not in JOBS) or roots
    before = reached(roots, steps_along(flows)) if roots else {*kinds}
    return {flow.end for flow in flows if flow.start in before}


def _seldom_asked(planes: Planes) -> set[str]:
    """Return what only gets results, or is only asked by jobs when what they ask first fails."""
    kinds = {one.id: one.kind for one in planes.components}
    spare = {flow.otherwise for flow in planes.flows if flow.otherwise}
    often = {
        flow.end
        for flow in planes.flows
        if flow.carries == "request"
        and not (flow.id in spare and kinds[flow.start] in {*JOBS} - {"stream processor"})
    }
    return {flow.end for flow in planes.flows} - often


@rule(
    "SERV003",
    "warning",
    title="What a provider promises is not stated",
    prevents="a limit, an outage or a bill that comes as a surprise",
    needs=worked_out,
)
def provider_unknown(_: Design, planes: Planes) -> Iterator[Fault]:
    """How much a provider takes, how often it answers and what that costs decide the design."""
    waited, seldom = _waited_for(planes), _seldom_asked(planes)
    for one in providers(planes):
        if one.id not in waited:
            continue
        asked = one.id not in seldom  # what it takes and costs decides nothing else
        priced = one.price and any(value is not None for _, value in one.price)
        missing = ["quota"] * (asked and not _is_limited(one)) + ["availability"] * (one.availability is None)
        missing += ["price"] * (asked and not priced)
        missing += ["tokens"] * bool(one.quota and one.quota.tokens is not None and one.tokens is None)
        if missing:
            yield Fault(
                f"planes.components.{one.id}.{missing[0]}",
                f"Requests wait for {one.id}, and the design does not state its {', '.join(missing)}.",
                "Take them from the contract: requests and tokens a minute, the availability it promises, the "
                "price of a call.",
            )


@rule(
    "SERV004",
    "warning",
    title="Model of a provider without a fixed version",
    prevents="answers that change overnight without a release of ours",
    incident="Chen, Zaharia & Zou, How is ChatGPT's behavior changing over time? (2023).",
    wrong_when="Acceptable if the provider offers no versions; then test it each day, with an alert.",
    needs=worked_out,
)
def version_not_pinned(design: Design, planes: Planes) -> Iterator[Fault]:
    """A provider replaces a model behind the same name, unless the version is fixed."""
    for one in _models_of_providers(design, planes):
        if not _is_pinned(one):
            given = f"its version is {one.version!r}" if one.version else "its version is not stated"
            yield Fault(
                f"planes.components.{one.id}.version",
                f"{one.id} is a model of a provider, and {given}.",
                "Fix the version by its date or number, and let a new one pass the same gates as a model of yours.",
            )


@rule(
    "SERV005",
    title="Bill of everything priced exceeds the budget",
    prevents="a product that costs more than it earns, which the first invoice shows",
    wrong_when="Wrong if the budget is for the servers alone; write it on the plan of that fleet, under 'fleets'.",
    needs=sketched,
    whole=True,
)
def bill_exceeds_budget(design: Design, planes: Planes) -> Iterator[Fault]:
    """What is paid by the call, by the token or by the hour belongs in the same sum as the servers."""
    budget = design.capacity.budget_per_month if design.capacity else None
    rows = [row for row in costs_of(design) if row.per_month]
    fleets = sum(
        row.per_month or 0.0 for row in rows if ".price" not in row.path and row.path.startswith("capacity")
    )
    total = sum(row.per_month or 0.0 for row in rows)
    priced = sorted((row for row in rows if ".price" in row.path), key=lambda row: -(row.per_month or 0.0))
    if not budget or not priced or total <= budget * _SLACK or fleets > budget * _SLACK:
        return  # servers that alone cost too much have a rule of their own
    of_each: dict[str, list[CostRow]] = {}
    for row in priced:
        of_each.setdefault(row.path.partition(".price")[0], []).append(row)
    prices = max(of_each.values(), key=lambda rows: math.fsum(row.per_month or 0.0 for row in rows))
    dear, all_of_it = prices[0], math.fsum(row.per_month or 0.0 for row in prices)
    how = " and ".join(row.how for row in prices)
    alone = f"{_name_of(planes, dear.path)} costs {money(design, all_of_it)} in 30 days ({how})"
    rest = total - all_of_it
    more = f", and everything else {money(design, rest)}" if rest > 0 else ""
    yield Fault(
        dear.path.partition(".price")[0] + ".price",
        f"At the mean load {alone}{more}; the budget is {money(design, budget)}.",
        "Call it less (a cache, a smaller model for easy requests, shorter prompts), or agree on a larger budget.",
    )


def _name_of(planes: Planes, path: str) -> str:
    """Return the id of the component that stands at a path."""
    step = path.removeprefix("planes.components.").partition(".")[0]
    return planes.components[int(step)].id if step.isdecimal() and planes.component(step) is None else step


@rule(
    "SERV006",
    "warning",
    title="Spending without an alert",
    prevents="a loop or an attacker that spends a month's money in a night",
    incident="OWASP Top 10 for Large Language Model Applications, 2025: LLM10, unbounded consumption.",
    wrong_when="Wrong if the provider stops at a limit that was set there; state that limit as its quota, and "
    "add the alert on what is refused.",
    needs=worked_out,
)
def spending_unwatched(design: Design, planes: Planes) -> Iterator[Fault]:
    """What is paid by use has an alert on what is spent."""
    if any(mentions(_COST, alert.metric, alert.action) for alert in planes.alerts):
        return
    labelling = {flow.start for flow in planes.flows if flow.carries == "labels"}
    refused = any(mentions(_REFUSED, alert.metric, alert.action) for alert in planes.alerts)
    paid = [
        one
        for one in planes.components
        if one.price
        and one.id not in labelling
        and not (refused and _is_limited(one))
        and (
            one.price.per_request or one.price.per_million_input_tokens or one.price.per_million_output_tokens
        )
    ]
    if paid:
        rows = [
            row.per_month
            for row in costs_of(design)
            if row.per_month
            and ".price" in row.path
            and _name_of(planes, row.path) in {one.id for one in paid}
        ]
        total = f", about {money(design, sum(rows))} in 30 days at the mean load" if rows else ""
        yield Fault(
            f"planes.components.{paid[0].id}.price",
            f"{listed([one.id for one in paid])} is paid by use{total}, and no alert watches what is spent.",
            "Add an alert on the spend of an hour and of a day, with who stops what.",
        )


def _is_limited(one: Component) -> bool:
    return one.quota is not None and (one.quota.requests is not None or one.quota.tokens is not None)


@rule(
    "SERV007",
    "warning",
    title="Alternative that no gate tests",
    prevents="a fallback that turns out to be useless on the day it is needed",
    needs=worked_out,
)
def alternative_untested(design: Design, planes: Planes) -> Iterator[Fault]:
    """A second model that answers when the first one does not has to be good enough too."""
    gates = planes.release.gates if planes.release else ()
    released = planes.release.of if planes.release else ()
    tested = {name for gate in gates for name in gate.of or released}
    kinds = {one.id: one.kind for one in planes.components}
    ids = {flow.otherwise for flow in planes.flows if flow.otherwise}
    first = {flow.otherwise: kinds[flow.end] for flow in planes.flows if flow.otherwise}
    theirs = {one.id for one in _models_of_providers(design, planes)}
    second = {
        flow.end: None
        for flow in planes.flows
        if flow.id in ids
        and flow.carries != "alert"  # who tells people of an answer gives none
        and (
            kinds[flow.end] in {*_MODELS, "business rules"}
            or (kinds[flow.end] == "service" and first[flow.id] in _MODELS)
        )
        and (
            not {kinds[flow.end], first[flow.id]} & {"external service"}
            or {flow.end, _first(planes, flow)} & theirs
        )
    }
    for name in second if gates else ():
        if name not in tested and not (kinds[name] == "re-ranker" and not tested):
            yield Fault(
                "planes.release.gates",
                f"{name} answers when another one does not, and no gate tests it.",
                f"Name {name} in 'of' of a gate, with the least that it has to reach when it answers alone.",
            )


def _first(planes: Planes, flow: Flow) -> str:
    """Return what is tried before an alternative."""
    return next((one.end for one in planes.flows if flow.id and one.otherwise == flow.id), "")


@rule(
    "SERV025",
    "warning",
    title="Use of a priced or limited service not known",
    prevents="a quota and a bill that nobody can compare with the load",
    wrong_when="Acceptable if it is used so little that neither its quota nor its price matters; say how often under "
    "'accepted'.",
    needs=sketched,
)
def use_not_known(design: Design, planes: Planes) -> Iterator[Fault]:
    """A quota and a price by use mean something only beside the number of calls and tokens."""
    load, waited = _Load(design, planes), {flow.end for _, flow in waiting_flows(planes)}
    why, quotas = dict[str, str](), {one.id: one.quota for one in planes.components}
    run = run_of(design)
    by_runs = (
        calls_per_item(design, run) if run and run.schedule.items else {}
    )  # PATTERN034 holds them to the quota
    for one in planes.components:
        limited = one.quota is not None and not is_of_each(one.quota.per) and one.id in waited
        if not limited or one.kind == "rate limiter":  # whose quota is our own limit
            continue
        callers = [flow.start for _, flow in waiting_flows(planes) if flow.end == one.id]
        limits = [quotas.get(name) for name in callers]
        bounded = all(limit and limit.requests is not None for limit in limits)
        counted = load.knows(one.id) or one.id in by_runs
        if load.peak is not None and not counted and not bounded:
            why[one.id] = "how often it is called at the peak"
    budget = design.capacity.budget_per_month if design.capacity else None
    stated = {cost.component for cost in design.capacity.costs} if design.capacity else set()
    for row in costs_of(design) if budget else ():
        name = _name_of(planes, row.path)
        unknown = row.per_month is None and _BY_USE.search(row.path) and name not in stated
        if unknown and (load.mean is None or not load.is_spare(name)):
            tokens_only = load.mean_of(name) is not None
            why.setdefault(
                name, "how many tokens a call has" if tokens_only else "how often it is called on average"
            )
    if why:
        told = [f"{name} ({words})" for name, words in why.items()]
        field = "quota" if next(iter(why.values())).endswith("peak") else "price"
        yield Fault(
            f"planes.components.{next(iter(why))}.{field}",
            f"From the design it cannot be told what is used of {listed(told)}, so that its quota and price are "
            "compared with nothing.",
            "State the mean load, 'tokens' of a call, and the 'share' of each flow by which requests enter or are "
            f"divided; or {'the load in a plan' if field == 'quota' else 'the money'} under "
            f"'capacity.{'fleets' if field == 'quota' else 'costs'}'.",
        )


# ---- people


def _hands_over(flow: Flow) -> bool:
    """Tell whether people take over when a call, and what is tried after it, gives no answer."""
    return flow.otherwise is None and mentions(_HANDED_OVER, flow.fallback)


def _serving_people(planes: Planes) -> list[Component]:
    return [one for one in planes.components if one.kind == "people" and one.plane == "serving"]


_ALL_OF_THEM = r"\b(all|every|each|whole)\b"


def _cases_of_people(design: Design, planes: Planes) -> dict[str, Cases]:
    """Return the cases that people get from all workloads."""
    found = _own_cases_of_people(design, planes)
    for other in design.others:
        for name, cases in (_own_cases_of_people(other, other.planes) if other.planes else {}).items():
            before = found.get(name, Cases(None, 0.0))
            known = [each for each in (cases.surely, before.surely) if each is not None]
            found[name] = Cases(sum(known) if known else None, cases.at_most + before.at_most)
    return found


def _own_cases_of_people(design: Design, planes: Planes) -> dict[str, Cases]:
    everything = frozenset(one.id for one in planes.components if mentions(_ALL_OF_THEM, one.does))
    return cases_of_people(design, planes, _Load(design, planes).per_request, everything)


@rule(
    "SERV008",
    title="More cases than people can take",
    prevents="a queue that grows each day, and cases that nobody ever looks at",
    wrong_when="Wrong if several requests make one case, such as the turns of a chat: state 'requests_per_case'.",
    needs=sketched,
)
def more_cases_than_people(design: Design, planes: Planes) -> Iterator[Fault]:
    """What a model hands to people has to fit into their hours, and into the time before a run's result is due."""
    arriving = _cases_of_people(design, planes)
    for one in planes.components:
        cases, taken = arriving.get(one.id), cases_per_s(one)
        if cases and cases.surely is not None and taken is not None and cases.surely > taken * _SLACK:
            by_day = one.cases_per_day is not None
            yield Fault(
                f"planes.components.{one.id}.{'cases_per_day' if by_day else 'rate'}",
                f"{one.id} gets {_counted(cases.surely * day)} cases a day on average, and can take "
                f"{_counted(taken * day)}: {_pace(one)}.",
                "Hand over fewer cases, such as those above a higher threshold, or plan more people."
                + ("" if by_day else " A number for a day at work is 'cases_per_day'."),
            )
        elif late := _cases_left_at_the_deadline(design, planes, one):
            yield Fault(f"planes.components.{one.id}.{'rate' if one.rate else 'cases_per_day'}", *late)
    yield from _piled_up_in_the_peak(design, planes, arriving)


def _cases_left_at_the_deadline(design: Design, planes: Planes, one: Component) -> tuple[str, str] | None:
    """Say how many of a run's cases people cannot take before its result is due; None where they can, or may be later.

    They act before it is due where what sends them the cases says what it does without them, and what they answer goes
    back into serving.
    """
    run, pace = run_of(design), pace_on_duty(one)
    if run is None or not (run.schedule.allowed and run.schedule.period and run.schedule.items):
        return None
    if not (run.scoring_known and pace) or (design.requirements and design.requirements.throughput):
        return None
    flows = [flow for _, flow in own_flows(planes) if flow.carries in DATA]
    waits = [flow for flow in flows if flow.end == one.id and (flow.timeout or has_fallback(flow))]
    known = {each.id: each.plane for each in planes.components}
    if not waits or not any(known[flow.end] == "serving" for flow in flows if flow.start == one.id):
        return None
    found = _own_cases_of_people(design, planes).get(one.id)
    left_s = max(run.schedule.allowed - run.time_s, 0.0)
    if found is None or found.surely is None:
        return None
    number = found.surely * run.schedule.period
    if number <= left_s * pace * _SLACK:
        return None
    told = (
        f"{one.id} gets {_counted(number)} cases of a run, whose result is due {show_seconds(run.schedule.allowed)} "
        f"after its start and {show_seconds(left_s)} after its scoring, and can take {_counted(left_s * pace)} by "
        f"then: {_counted(pace * hour)} an hour."
    )
    return (
        told,
        "Hand over fewer cases, such as those above a higher threshold, start the run earlier, or plan more people.",
    )


def _piled_up_in_the_peak(design: Design, planes: Planes, arriving: Mapping[str, Cases]) -> Iterator[Fault]:
    """Find people who fall behind in a peak of days, by more than cases may wait; each of these days is one at work."""
    needs = design.requirements
    load = needs.throughput if needs else None
    lasts_s = (load.peak_lasts or 0.0) if load else 0.0
    if needs is None or load is None or not load.mean or lasts_s < day:
        return
    busy = design.changed(requirements=needs.changed(throughput=load.changed(mean=load.peak)))
    then = _cases_of_people(busy, planes)
    for one in planes.components:
        usual, cases, taken = arriving.get(one.id), then.get(one.id), cases_per_s(one)
        at_work = one.cases_per_day / day if one.cases_per_day is not None else taken
        if not (usual and cases and cases.surely and taken and at_work):
            continue
        late = (usual.surely or 0.0) > taken * _SLACK  # without any peak
        left_s = (cases.surely - at_work) * lasts_s / at_work
        if not late and left_s > max(one.wait or 0.0, day):
            yield Fault(
                f"planes.components.{one.id}.{'cases_per_day' if one.cases_per_day is not None else 'rate'}",
                f"{one.id} gets {_counted(cases.surely * day)} cases a day while the peak lasts "
                f"({show_seconds(lasts_s)}), and can take {_counted(at_work * day)}: the last of them waits "
                f"{show_seconds(left_s)}.",
                "Plan more people for these days, hand over fewer cases meanwhile, or state in 'wait' that cases may "
                "wait for so long.",
            )


def _pace(one: Component) -> str:
    """Say what people take, in the words of the design: on a day at work, or in an hour on duty."""
    if one.cases_per_day is not None:
        return f"{one.cases_per_day:,} on {days_on_duty(one.hours)} days a week"
    hours = f" on duty ({one.hours})" if one.hours else ""
    return f"{_counted((one.rate or 0.0) * hour)} an hour{hours}"


def _load_of(entries: list[str]) -> str:
    """Say where to state the load of entries whose load is not known."""
    if not entries:
        return ""
    return (
        f" Give what enters at {listed(entries)} a workload of its own in requirements.workloads: with its 'entry', "
        "and its 'throughput', or the 'items' and 'period' of its 'schedule'."
    )


@rule(
    "SERV009",
    "warning",
    title="People without a number of cases",
    prevents="a step by hand that works for ten cases and gets a thousand",
    needs=worked_out,
)
def people_unplanned(design: Design, planes: Planes) -> Iterator[Fault]:
    """People are capacity: it has to be known how many cases come to them, and how many they take."""
    arriving = _cases_of_people(design, planes)
    getting = {flow.end for flow in planes.flows if flow.carries in DATA}
    elsewhere = of_other_entries(planes, _Load(design, planes).per_request)
    for one in planes.components:
        if one.kind != "people" or one.id not in getting:
            continue
        cases, taken = arriving.get(one.id), cases_per_s(one)
        few = cases is not None and cases.surely is not None and cases.surely * day <= _FEW_CASES
        missing = ["rate or cases_per_day"] if taken is None and not few else []
        if taken is not None and one.hours is None and one.rate is not None:
            most = cases.surely if cases else None
            missing += ["hours"] * (most is not None and most > taken * _OFFICE_HOURS)
        unknown = cases is not None and math.isinf(cases.at_most)
        if cases and cases.surely is None and (taken is None or cases.at_most > taken):
            missing.append(
                "how many of the answers come to them"
                if not unknown
                else "the load where their way begins, which is no request or run of the requirements"
            )
        others = [start for start, names in elsewhere.items() if one.id in names and not cases and taken]
        missing += [f"how many requests enter at {listed(others)}"] * bool(others)
        if missing:
            if cases and cases.surely is not None:
                get = f"gets {_counted(cases.surely * day)} cases a day"
            else:
                most = cases.at_most if cases and not unknown else None
                get = "gets cases" if most is None else f"gets up to {_counted(most * day)} cases a day"
            place = "rate" if taken is None else "hours" if missing == ["hours"] else "does"
            yield Fault(
                f"planes.components.{one.id}.{place}",
                f"{one.id} {get}, and the design does not state {' and '.join(missing)}.",
                "State in 'rate' or 'cases_per_day' how many cases all of them take, in 'hours' when they are there, "
                "and as 'share' of the flow, or as 'acted_on' of the prediction, how many come to them."
                + _load_of(others)
                + " What begins there is a workload of its own, with its load." * unknown,
            )
    if not any(one.kind == "people" for one in planes.components):
        for place, flow in flow_places(planes):
            if flow.carries in DATA and _hands_over(flow):
                yield Fault(
                    f"{place}.fallback",
                    f"Without an answer, {flow.start} hands over to people "
                    f"({(flow.fallback or '').rstrip('.')}), and the design has none.",
                    "Draw them as a component of the kind 'people', with their rate and hours.",
                )
                return


@rule(
    "SERV010",
    title="People are slower than the promise",
    prevents="a promise in seconds that hangs on somebody who answers in hours",
    needs=sketched,
)
def people_too_slow(design: Design, planes: Planes) -> Iterator[Fault]:
    """An answer that waits for people takes as long as they need."""
    budget_s = (
        design.requirements.latency.budget if design.requirements and design.requirements.latency else None
    )
    waits = {one.id: one.wait for one in planes.components if one.kind == "people" and one.wait}
    for place, flow in flow_places(planes):
        wait_s = waits.get(flow.end)
        if wait_s is None or flow.carries != "request":
            continue
        alone = flow.needed and flow.share in {None, 1.0}
        if flow.timeout and flow.timeout < wait_s:
            limit = f"{flow.start} gives up after {show_seconds(flow.timeout)}"
        elif alone and budget_s and budget_s < wait_s:
            limit = f"the whole answer is promised in {show_seconds(budget_s)}"
        else:
            continue
        yield Fault(
            f"{place}.timeout",
            f"A case waits {show_seconds(wait_s)} for {flow.end} on average, and {limit}.",
            "Answer at once that a person will take over, and hand the case over as an event.",
        )
    latency = design.requirements.latency if design.requirements else None
    promised = PERCENTILES.get(latency.percentile) if latency else None
    late = waits_for_people(design, latency.budget, promised) if latency else ()
    for flow, share in late:
        if latency and (flow.timeout is None or flow.timeout >= waits[flow.end]):
            yield Fault(
                f"{next(place for place, one in flow_places(planes) if one == flow)}.share",
                f"{percent(share)} of the requests wait {show_seconds(waits[flow.end])} for {flow.end} on average; "
                f"{latency.percentile} is promised in {show_seconds(latency.budget)}, and "
                f"{percent(1 - (promised or 0.0))} may take longer.",
                "Hand over fewer, promise a lower percentile or a longer time, or state in 'latency.until' the "
                "component at which the answer is there, if people only look at it later.",
            )


@rule(
    "SERV029",
    title="Deadline that people cannot keep",
    prevents="an order of an authority that comes on a Friday evening, is due in an hour, and is read on Monday",
    wrong_when="Wrong if somebody else is called outside these hours, or if such cases go before all others; draw "
    "those people as a component of their own.",
    needs=sketched,
)
def deadline_missed_by_people(design: Design, planes: Planes) -> Iterator[Fault]:
    """A deadline runs at night and at weekends too, and while a case waits for its turn."""
    for place, told, names, within_s in _deadlines(design):
        for one in planes.components:
            if one.id not in names or one.kind != "people":
                continue
            away_s = longest_off_duty_s(one.hours) or 0.0
            wait_s = one.wait or 0.0
            late = [f"a case waits {show_seconds(wait_s)} on average"] * (wait_s > within_s)
            late += [f"nobody may be there for {show_seconds(away_s)} ({one.hours})"] * (away_s > within_s)
            if late:
                yield Fault(
                    place,
                    f"{told} within {show_seconds(within_s)}, and at {one.id} {' and '.join(late)}.",
                    "Have people on duty day and night for these cases, who take them first, or a way that needs none.",
                )


def _deadlines(design: Design) -> Iterator[tuple[str, str, tuple[str, ...], float]]:
    """Yield each deadline: its place, what it is about, the components that have to keep it, and its time."""
    needs = design.requirements
    for one in needs.constraints if needs else ():
        if one.within:
            yield (
                f"requirements.constraints.{one.id}.within",
                f"{one.id} has to be met",
                one.met_by,
                one.within,
            )
    for at, limit in enumerate(needs.freshness.also if needs and needs.freshness else ()):
        if limit.component:
            yield (
                f"requirements.freshness.also.{at}",
                limit.what.rstrip("."),
                (limit.component,),
                limit.within,
            )


@rule(
    "SERV030",
    title="Deadline that a fleet cannot keep",
    prevents="work behind a queue that is late although the queue is empty",
    needs=sketched,
)
def deadline_missed_by_a_fleet(design: Design, _: Planes) -> Iterator[Fault]:
    """What works behind a queue has a deadline too, and one piece of work has to fit into it."""
    for place, told, names, within_s in _deadlines(design):
        for plan in design.fleets.values():
            takes = plan.service_time
            if plan.component in names and takes and takes.mean > within_s:
                yield Fault(
                    place,
                    f"{told} within {show_seconds(within_s)}, and one piece of work takes {plan.component} "
                    f"{show_seconds(takes.mean)} on average.",
                    "Make the work shorter, or agree on a later deadline.",
                )


@rule(
    "SERV011",
    "warning",
    title="Handed over to people who are not there",
    prevents="a user at night who waits for somebody who comes at eight",
    wrong_when="Acceptable if cases may wait until the morning; say in the fallback what the user is told meanwhile.",
    needs=sketched,
)
def nobody_at_night(design: Design, planes: Planes) -> Iterator[Fault]:
    """A fallback to people holds while they are on duty, and something else has to hold outside their hours."""
    if design.requirements and design.requirements.schedule and not design.requirements.throughput:
        return
    absent = {
        one.id: one
        for one in planes.components
        if one.kind == "people" and (share_on_duty(one.hours) or 1.0) < 1
    }
    if not absent:
        return
    handed = [
        (place, people)
        for place, flow in flow_places(planes)
        if (people := _takes_over(planes, flow, absent)) and people.hours
    ]
    if handed:
        place, people = handed[0]
        more = f" ({len(handed)} flows)" if len(handed) > 1 else ""
        yield Fault(
            f"{place}.fallback",
            f"{people.id} takes over when there is no other answer{more}, and is there {people.hours}; requests "
            "come at all hours.",
            "Say what happens outside their hours: a ticket with a time for the answer, or a safe refusal.",
        )


def _takes_over(planes: Planes, flow: Flow, absent: Mapping[str, Component]) -> Component | None:
    """Return the people that take over at a flow, with nothing in their place, if they may be absent."""
    if flow.carries == "request" and flow.end in absent and not has_fallback(flow) and flow.otherwise is None:
        return absent[flow.end]
    if flow.carries in DATA and not mentions(_OFF_DUTY, flow.fallback):
        return next((one for one in _taking_over(planes, flow) if one.id in absent), None)
    return None


def _taking_over(planes: Planes, flow: Flow) -> list[Component]:
    """Return the people to whom a call without an answer is handed over: those whom flows from its caller reach.

    A word for people alone may be one for the users: a role is that of the people who have it in their name.
    """
    if not _hands_over(flow):
        return []
    sent = [one for one in planes.flows if one.carries in {*DATA, "alert"} and one.carries != "batch"]
    near = reached([flow.start], steps_along(sent))
    roles = {word.casefold() for word in re.findall(_ROLES, flow.fallback or "", re.IGNORECASE)}
    return [one for one in _serving_people(planes) if one.id in near and (not roles or _are(one, roles))]


_ROLES = r"agent|operator|reviewer|analyst|moderator|clerk|investigator|dispatcher"


def _are(people: Component, roles: set[str]) -> bool:
    """Tell whether people are called by one of some roles; other words, such as "a person", may mean anybody."""
    named = f"{people.id} {people.title or ''} {people.does or ''}".casefold()
    return any(role in named for role in roles)


@rule(
    "SERV012",
    "warning",
    title="Outage that sends more cases than people can take",
    prevents="people who get all requests at once, and help nobody",
    wrong_when="Wrong if only a small share is handed over; state it as the 'share' of the flow.",
    needs=sketched,
)
def outage_floods_people(design: Design, planes: Planes) -> Iterator[Fault]:
    """While a model is down, its whole load goes to its fallback; people take a small part of that."""
    load = _Load(design, planes)
    people = {
        one.id: taken for one in planes.components if one.kind == "people" and (taken := _while_there(one))
    }
    ids = {flow.otherwise: flow for flow in planes.flows if flow.otherwise}
    floods = list[tuple[float, str, str, float]]()
    for place, flow in flow_places(planes):
        first = ids.get(flow.id) if flow.id else None
        down = f"{first.end} is" if first and flow.end in people else f"{flow.end} is"
        takers = _taking_over(planes, flow)
        serving = sum(people.get(one.id, 0.0) for one in takers)
        if first is not None and flow.end in people:
            taken = people[flow.end]
        elif flow.carries in {"request", "features"} and _hands_over(flow) and serving:
            taken = serving
            down = f"{first.end} and {flow.end} are" if first else down
        else:
            continue
        each = min((one.requests_per_case or 1.0 for one in takers or _serving_people(planes)), default=1.0)
        made = load.made(first or flow, load.mean or load.peak)
        if made is not None and made / each > taken * _SLACK:
            floods.append((-made / each, place, down, taken))
    if floods:
        cases, place, down, taken = min(floods)
        yield Fault(
            f"{place}.fallback",
            f"While {down} down, {_counted(-cases * hour)} cases an hour go to people who take "
            f"{_counted(taken * hour)}.",
            "Hand over the most important ones only, and tell the others when to come back.",
        )


def _while_there(one: Component) -> float | None:
    """Return the cases a second that people take while they are there."""
    taken, share = cases_per_s(one), share_on_duty(one.hours)
    return (
        one.rate if one.cases_per_day is None else None if taken is None else taken / (share or _OFFICE_HOURS)
    )


# ---- devices


def _devices(planes: Planes) -> Iterator[tuple[Component, Devices]]:
    return ((one, one.devices) for one in planes.components if one.devices)


@rule(
    "SERV013",
    title="Update too large for the link",
    prevents="a rollout that takes weeks, or a bill for data that exceeds the one for servers",
    needs=sketched,
)
def update_too_large(_: Design, planes: Planes) -> Iterator[Fault]:
    """Each release goes over the link of each device."""
    period_s = planes.retraining.period if planes.retraining else None
    releases = max(_MONTH_S / period_s, 1.0) if period_s else 1.0
    for one, fleet in _devices(planes):
        size = fleet.update_size
        if not size:
            continue
        total = f"{fleet.number:,} devices, {_counted(size * fleet.number / 1e9)} GB for each release"
        place = f"planes.components.{one.id}.devices.update_size"
        fix = "Send what has changed only, release less often, or use another link, such as Wi-Fi at night."
        if fleet.data_per_month is not None and size * releases > fleet.data_per_month * _SLACK:
            yield Fault(
                place,
                f"{size * releases / 1e6:,.4g} MB of new releases a month do not fit into a device's "
                f"{fleet.data_per_month / 1e6:,.4g} MB a month ({total}).",
                fix,
            )
        elif fleet.bandwidth and period_s and size / fleet.bandwidth > period_s:
            yield Fault(
                place,
                f"A download of {size / 1e6:,.4g} MB takes {show_seconds(size / fleet.bandwidth)} on a device's "
                f"link, and a new model comes every {show_seconds(period_s)} ({total}).",
                fix,
            )


@rule(
    "SERV014",
    title="Device offline for longer than its model may be old",
    prevents="decisions by a model that the requirements call too old, on devices that nobody can reach",
    wrong_when="Wrong if a device stops using a model that is too old by itself; then accept this with how it does.",
    needs=sketched,
)
def offline_beyond_model_age(design: Design, planes: Planes) -> Iterator[Fault]:
    """A device that is out of reach keeps its model for as long."""
    needs = design.requirements
    allowed_s = needs.freshness.model if needs and needs.freshness else None
    for one, fleet in _devices(planes):
        if allowed_s and fleet.offline_at_most and fleet.offline_at_most > allowed_s * _SLACK:
            yield Fault(
                f"planes.components.{one.id}.devices.offline_at_most",
                f"A device may be offline for {show_seconds(fleet.offline_at_most)}, and a model may be "
                f"{show_seconds(allowed_s)} old.",
                "Let a device stop using a model that is too old, or allow an older model.",
            )


@rule(
    "SERV015",
    "warning",
    title="Rollback that devices out of reach do not get",
    prevents="a bad release that stays on the devices that are offline",
    wrong_when="Wrong if each device goes back by itself; say so in 'rollback_to'.",
    needs=sketched,
)
def rollback_out_of_reach(_: Design, planes: Planes) -> Iterator[Fault]:
    """A rollback is complete when the last device has come back."""
    release = planes.release
    if release is None or not release.rollback_time:
        return
    by_itself = mentions(r"device|slot|local|partition|itself|a/b", release.rollback_to)
    for one, fleet in _devices(planes):
        if not by_itself and fleet.offline_at_most and fleet.offline_at_most > release.rollback_time:
            yield Fault(
                "planes.release.rollback_time",
                f"A rollback is to take {show_seconds(release.rollback_time)}, and a device of {one.id} may be "
                f"offline for {show_seconds(fleet.offline_at_most)}.",
                "Keep the old version on the device, and let it go back by itself when its own checks fail.",
            )


@rule(
    "SERV016",
    "warning",
    title="Old versions on devices without a contract",
    prevents="a change on the server that breaks devices which cannot be updated",
    needs=sketched,
)
def versions_without_contract(_: Design, planes: Planes) -> Iterator[Fault]:
    """What devices and servers send each other has to be understood by every version in the field."""
    fleets = {
        one.id: fleet.versions for one, fleet in _devices(planes) if fleet.versions and fleet.versions > 1
    }
    for place, flow in flow_places(planes):
        kept = flow.contract and flow.contract.compatibility not in {None, "none"}
        name = flow.start if flow.start in fleets else flow.end
        if name in fleets and flow.carries in DATA and not kept:
            yield Fault(
                f"{place}.contract",
                f"{fleets.pop(name)} versions are in use on {name}, and {flow.start} → {flow.end} has no "
                "contract that says which of them it understands.",
                "Add a 'contract' with owner, version and compatibility, and test the oldest version in the field.",
            )


@rule(
    "SERV017",
    "warning",
    title="Devices that all come back at once",
    prevents="an outage that the devices' own retries keep going",
    incident="Brooker, Timeouts, retries and backoff with jitter (Amazon Builders' Library).",
    needs=worked_out,
)
def reconnect_storm(_: Design, planes: Planes) -> Iterator[Fault]:
    """After an outage all devices call together, unless each waits for a random time that grows."""
    fleets = {one.id: fleet.number for one, fleet in _devices(planes) if fleet.number >= _MANY_DEVICES}
    for place, flow in flow_places(planes):
        waits = flow.retry and flow.retry.backoff == "exponential with jitter"
        if flow.start in fleets and flow.end != flow.start and flow.carries in DATA and not waits:
            yield Fault(
                f"{place}.retry",
                f"After an outage {fleets.pop(flow.start):,} devices call {flow.end} again, and the flow does "
                "not say how they spread.",
                "Write 'retry: {backoff: exponential with jitter}', and let the server refuse what it cannot take.",
            )


@rule(
    "SERV018",
    "warning",
    title="First ring too small to show the harm",
    prevents="a release that goes to all devices because the first ones saw nothing, which they could not",
    wrong_when="Acceptable if the first ring looks for crashes only, and a later one is large enough; say so in 'to'.",
    needs=sketched,
)
def first_ring_too_small(design: Design, planes: Planes) -> Iterator[Fault]:
    """A ring has to see enough of a rare event to tell that it has become more frequent."""
    needs, release = design.requirements, planes.release
    rate = needs.prediction.base_rate if needs and needs.prediction else None
    load = needs.throughput if needs else None
    ring = release.rollout[0] if release and release.rollout else None
    if not (rate and load and ring and ring.share and ring.lasts):
        return
    for _one, fleet in _devices(planes):
        mean = load.mean or load.peak
        all_devices = (
            mean if mean * day >= fleet.number else mean * fleet.number
        )  # else: the rate of one device
        seen = all_devices * ring.share * ring.lasts
        try:
            needed = canary_sample_size(rate, 2 * rate)
        except RangeError:
            return
        if seen < needed:
            step = release.rollout[0].id if release and release.stages else None
            place = (
                f"planes.release.stages.{step or 0}"
                if release and release.stages
                else "planes.release.canary_share"
            )
            yield Fault(
                place,
                f"{fleet.number * ring.share:,.0f} devices make {seen:,.0f} predictions in "
                f"{show_seconds(ring.lasts)}, {seen * rate:,.3g} of them positive at {100 * rate:.4g}%; to tell "
                f"that rate from twice as much takes {needed:,} predictions.",
                f"Let the first ring last {show_seconds(needed / (all_devices * ring.share))}, make it larger, "
                "or watch something more frequent.",
            )


@rule(
    "SERV019",
    "warning",
    title="Devices in the field not described",
    prevents="a release that fits the devices on the desk only",
    needs=worked_out,
)
def devices_undescribed(_: Design, planes: Planes) -> Iterator[Fault]:
    """Number, link, time offline, versions and signature of devices decide how anything reaches them."""
    for one in planes.components:
        if one.kind != "device fleet":
            continue
        fleet = one.devices
        names = ("online", "offline_at_most", "hardware", "versions", "update_size", "signed")
        missing = [name for name in names if getattr(fleet, name) is None] if fleet else ["number", *names]
        if fleet is None or (fleet.bandwidth is None and fleet.data_per_month is None):
            missing.append("bandwidth or data_per_month")
        if missing:
            size = fleet.update_size if fleet else None
            total = (
                f" A release is {_counted(size * fleet.number / 1e9)} GB in all." if fleet and size else ""
            )
            yield Fault(
                f"planes.components.{one.id}.devices",
                f"The devices of {one.id} do not state {', '.join(missing)}.{total}",
                "State what reaches them: the share online, the longest time offline, hardware, versions in "
                "use, what a release weighs, the link, and whether it is signed.",
            )


@rule(
    "SERV023",
    "warning",
    title="Hardware in the field that no gate tests",
    prevents="a model that is right on the newest devices and slow or wrong on the others",
    wrong_when="Wrong if the model gives the same answers on all of them in time; say so in a gate's metric.",
    needs=sketched,
)
def hardware_untested(_: Design, planes: Planes) -> Iterator[Fault]:
    """Numbers, cameras and memory differ from one revision of the hardware to the next."""
    if planes.release is None:
        return
    gates = planes.release.gates
    texts = [text for gate in gates for text in (gate.metric, gate.on, *gate.slices)] + [
        planes.release.validation
    ]
    if mentions("hardware|revision|device|generation|chipset|model of phone|board", *texts):
        return
    for one, fleet in _devices(planes):
        if fleet.hardware and fleet.hardware > 1 and _runs_the_model(planes, one):
            yield Fault(
                f"planes.release.{'gates' if gates else 'validation'}",
                f"{one.id} has {fleet.hardware} revisions of hardware, and no gate tests each of them.",
                "Add a gate whose 'slices' are the revisions: accuracy as it is computed there, time and memory.",
            )


def _runs_the_model(planes: Planes, one: Component) -> bool:
    return any(flow.end == one.id and flow.carries == "model" for flow in planes.flows)


@rule(
    "SERV024",
    "warning",
    title="Fewer versions in the field than there must be",
    prevents="a server that stops understanding the devices that were away during a release",
    wrong_when="Wrong if a device without the newest version does not work until it has it; say so in 'does'.",
    needs=sketched,
)
def versions_cannot_hold(_: Design, planes: Planes) -> Iterator[Fault]:
    """While a release goes out, and as long as some devices are away, several versions are in use."""
    period_s = planes.retraining.period if planes.retraining else None
    for one, fleet in _devices(planes):
        if fleet.versions is None:
            continue
        away_s = fleet.offline_at_most or 0.0
        replaced_s = period_s if _runs_the_model(planes, one) else None
        missed = math.ceil(away_s / replaced_s - 1e-9) if replaced_s else 0
        apart = away_s > 0 or (fleet.online is not None and fleet.online < 1)
        least = 1 + max(missed, int(apart))
        if fleet.versions < least:
            why = (
                f"a device may be away for {show_seconds(away_s)}, and a model comes every {show_seconds(replaced_s)}"
                if replaced_s and missed
                else "some devices cannot be reached when a release goes out"
            )
            count = f"{fleet.versions} version{'s' * (fleet.versions > 1)}"
            yield Fault(
                f"planes.components.{one.id}.devices.versions",
                f"{one.id} is to have {count} in use; {why}: at least {least}.",
                "State how many versions servers have to understand, and what a device does that is too old.",
            )


@rule(
    "SERV031",
    "warning",
    title="Versions of devices that no alert tells apart",
    prevents="a fault of one hardware revision that the mean of the whole fleet hides for months",
    wrong_when="Acceptable if each device checks its own answers and reports that it does not trust them.",
    needs=sketched,
)
def drift_between_versions(_: Design, planes: Planes) -> Iterator[Fault]:
    """A sensor or an old version may drift alone, and a mean over all devices moves too little to be seen."""
    watched = [one for one in planes.alerts if one.watches in {"data", "predictions", "quality"}]
    told = any(mentions(_APART, one.metric, one.threshold) for one in watched)
    for one, fleet in _devices(planes) if watched and not told else ():
        kinds = [f"{fleet.versions} versions"] * ((fleet.versions or 1) > 1)
        kinds += [f"{fleet.hardware} hardware revisions"] * ((fleet.hardware or 1) > 1)
        if kinds and _runs_the_model(planes, one):
            yield Fault(
                f"planes.alerts.{watched[-1].id}.metric",
                f"{one.id} has {' and '.join(kinds)} in use, and no alert on data, predictions or quality compares "
                "them.",
                "Measure one of them for each version and revision, and say so in its metric.",
            )


_UNIT = r"(device|camera|sensor|gateway|robot|vehicle|unit)s?"
_APART = (
    r"versions?\b|firmware|revisions?\b|hardware|\bbuilds?\b|cohorts?\b|generations?\b"
    rf"|\b{_UNIT} (model|type|kind)|\b(each|every|per|by|between) {_UNIT}\b"
)


@rule(
    "SERV032",
    title="Failover to replicas that cannot take the load",
    prevents="the second data centre that goes down ten seconds after the first",
    wrong_when="Wrong if part of the load is shed before; say so in 'meanwhile', and take out 'to_region'.",
    needs=waited,
)
def failover_without_room(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Requests that go elsewhere when a region is lost need replicas there for all of the peak."""
    for one in fleets:
        sized, left = size_of(one), one.left_by_zone
        if sized and left is not None and (mode := sent_to_what_is_left(design, sized)):
            load = f"{sized.busy(left):.0%}" if left else "endless"
            yield Fault(
                f"requirements.failure_modes.{mode.id}.to_region",
                f"In {mode.id} requests go to {listed(mode.to_region)}, where {left} of the {sized.replicas} "
                f"replicas of {name_of(one)} are left, with an offered load of {load} at the peak.",
                "Size the fleet for the loss of a region and name it under pays_for as zone loss, or say what is shed.",
            )


# ---- indexes of embeddings


def _is_pinned(one: Component) -> bool:
    return says_something(one.version) and not mentions(_UNPINNED, one.version)


def _of_kind(planes: Planes, kind: str) -> list[str]:
    return [one.id for one in planes.components if one.kind == kind]


@rule(
    "SERV020",
    "warning",
    title="Index and embedder not released together",
    prevents="questions in one space and documents in another: a search that finds nothing and says so to nobody",
    wrong_when="Acceptable if the embedder is never changed; fix its version.",
    needs=sketched,
)
def index_apart_from_embedder(_: Design, planes: Planes) -> Iterator[Fault]:
    """Vectors of two versions of an embedder cannot be compared."""
    indexes = _of_kind(planes, "vector index")
    embedders = [one.id for one in planes.components if one.kind == "embedder" and not _is_pinned(one)]
    release = planes.release
    if not indexes or not embedders or release is None:
        return
    if "index" not in {*release.versioned_together, *release.taken_back}:
        yield Fault(
            "planes.release.versioned_together",
            f"{listed(embedders)} and {listed(indexes)} have to be of one version, and the release names "
            f"{listed(release.versioned_together) or 'nothing'} as versioned together.",
            "Add 'index', build the new index beside the old one, and switch both at once, back too.",
        )


@rule(
    "SERV021",
    "warning",
    title="Index without an age or a way to delete",
    prevents="answers from documents that were withdrawn months ago",
    wrong_when="Wrong if what is indexed never changes; say so under 'does_not_apply'.",
    needs=worked_out,
)
def index_age_unknown(design: Design, planes: Planes) -> Iterator[Fault]:
    """A document that is new, changed or withdrawn has to reach the index within a time."""
    freshness = design.requirements.freshness if design.requirements else None
    limited = {limit.component for limit in freshness.also} if freshness else set()
    aged = (
        bool(freshness and freshness.index is not None)
        or design.why_not("requirements.freshness.index") is not None
    )
    deletable = {
        name
        for one in (design.data.datasets if design.data else ())
        if one.deleted_by or says_something(one.deletion)
        for name in one.kept_in
    }
    for name in (one for one in _of_kind(planes, "vector index") if not is_of_another(design, one)):
        into = [flow for flow in planes.flows if flow.end == name]
        deletes = any(  # an index that a job builds anew does not get what was withdrawn
            flow.carries in {"command", "batch"} or mentions("delet|remov|withdraw", flow.check)
            for flow in into
        )
        missing = [] if aged or name in limited else ["how long a change may be missing from it"]
        missing += (
            []
            if deletes or name in deletable or (aged and not into)
            else ["how a withdrawn document leaves it"]
        )
        if missing:
            place = "requirements.freshness.index" if freshness else "requirements.freshness"
            yield Fault(
                place
                if len(missing) > 1 or missing[0].startswith("how long")
                else f"planes.components.{name}",
                f"The design does not say of {name} {' or '.join(missing)}.",
                "State 'requirements.freshness.index', and the set of data that the index keeps, with its deletion.",
            )


@rule(
    "SERV022",
    "warning",
    title="Retrieval is not measured",
    prevents="a model that is blamed for answers whose documents were never found",
    needs=worked_out,
)
def retrieval_unmeasured(_: Design, planes: Planes) -> Iterator[Fault]:
    """What retrieval does not find, no model behind it can use; so its recall is measured by itself."""
    indexes = _of_kind(planes, "vector index")
    if not indexes or planes.release is None:
        return
    parts = {*indexes, *_of_kind(planes, "embedder"), *_of_kind(planes, "re-ranker")}
    gates, alerts = planes.release.gates, planes.alerts
    words = [*(one.metric for one in gates), *(one.metric for one in alerts), planes.release.validation]
    found = r"recall|retriev|ndcg|\bmrr\b|hit.?rate|right (document|passage)"
    if not any(parts & set(gate.of) for gate in gates) and not mentions(found, *words):
        yield Fault(
            f"planes.release.{'gates' if gates else 'validation'}",
            f"No gate and no alert measures what {listed(indexes)} finds.",
            "Add a gate 'of' the index: recall of the right document among the first ten, on questions with "
            "known answers.",
        )


# ---- a provider that goes


@rule(
    "SERV026",
    "warning",
    title="Provider without a way out",
    prevents="a provider that raises its price, changes its model or ends its service, and nobody else to ask",
    wrong_when="Acceptable if it can be replaced within days; say how in 'terms.exit'.",
    needs=worked_out,
)
def no_way_out(design: Design, planes: Planes) -> Iterator[Fault]:
    """A provider on which every answer depends can fail or leave, so that its successor is known before."""
    needed = {flow.end for _, flow in waiting_flows(planes) if flow.needed or flow.fails == "closed"}
    alternatives = {flow.otherwise for flow in planes.flows if flow.otherwise}
    second = {flow.end for flow in planes.flows if flow.otherwise or flow.id in alternatives - {None}}
    stuck = [
        one.id
        for one in providers(planes)
        if one.id in needed - second - answered_by_plan(design)
        and not (one.terms and says_something(one.terms.exit))
        and not mentions(r"\bexit|terminat|notice|escrow", one.terms.agreement if one.terms else None)
    ]
    if stuck:
        yield Fault(
            f"planes.components.{stuck[0]}.terms",
            f"Nobody but {listed(stuck)} gives these answers, and it is not said who would take over.",
            "State in 'terms.exit' how it is replaced and how long that takes: another provider or a model of our own, "
            "what we keep for it, the period of notice. Or draw the alternative as 'otherwise'.",
        )


@rule(
    "SERV027",
    "warning",
    title="Devices that lose data while they are offline",
    prevents="gaps in the data just where a link is bad, which training takes for a quiet time",
    wrong_when="Acceptable if old readings are of no use to features, labels or audits; say in a failure mode's "
    "'meanwhile' that they are thrown away.",
    needs=worked_out,
)
def lost_while_offline(design: Design, planes: Planes) -> Iterator[Fault]:
    """What a device measures while it is offline has to be kept until it is back."""
    sending = {flow.start for flow in planes.flows if flow.carries in {"events", "batch", "labels"}}
    modes = design.requirements.failure_modes if design.requirements else ()
    decided = mentions(
        r"thr(ow|ew|own) away|discard|\bdrop|\blost\b|overwr", *(mode.meanwhile for mode in modes)
    )
    for one, fleet in _devices(planes):
        away_s = fleet.offline_at_most
        if one.id in sending and away_s and (fleet.keeps is None or (fleet.keeps < away_s and not decided)):
            kept = (
                "it is not stated how long it"
                if fleet.keeps is None
                else f"{show_seconds(fleet.keeps)} is what it"
            )
            yield Fault(
                f"planes.components.{one.id}.devices.keeps",
                f"A device of {one.id} may be offline for {show_seconds(away_s)}, and {kept} keeps unsent data.",
                "State in 'keeps' how long the store on the device lasts, and make it last as long as a device may be "
                "offline, or say in a failure mode what is thrown away.",
            )


@rule(
    "SERV028",
    title="Link that cannot carry what a device sends",
    prevents="readings that arrive later every day, or a bill for data of a hundred times the plan",
    wrong_when="Wrong if the device compresses or leaves out values first; state in 'sends' what goes over the link.",
    needs=sketched,
)
def link_cannot_carry(_: Design, planes: Planes) -> Iterator[Fault]:
    """What a device sends on average has to fit into its link, and into the data that are paid for."""
    for one, fleet in _devices(planes):
        if not fleet.sends:
            continue
        where = f"planes.components.{one.id}.devices"
        each_month = fleet.sends * _MONTH_S
        if fleet.bandwidth is not None and fleet.sends >= fleet.bandwidth:
            yield Fault(
                f"{where}.bandwidth",
                f"A device of {one.id} sends {show_bytes(fleet.sends)} a second, and its link carries "
                f"{show_bytes(fleet.bandwidth)} a second.",
                "Send less (a lower rate, compression, features in place of readings), or take another link.",
            )
        elif fleet.data_per_month is not None and each_month > fleet.data_per_month * _SLACK:
            yield Fault(
                f"{where}.data_per_month",
                f"A device of {one.id} sends {show_bytes(each_month)} in 30 days, and may send "
                f"{show_bytes(fleet.data_per_month)}.",
                "Send less (a lower rate, compression, features in place of readings), or pay for more.",
            )


@rule(
    "SERV035",
    "warning",
    title="Target reached by fallbacks that nobody calls answers",
    prevents="a target that is met on paper while users get no answer of the model",
    wrong_when="Acceptable if users take the fallback for an answer: write 'answered: true' on its flow.",
    needs=sketched,
)
def answers_only_in_words(design: Design, planes: Planes) -> Iterator[Fault]:
    """Whether a request counts as answered when the model gives nothing decides what the target promises."""
    target = requirement(design, "availability", "target")
    words = [call for call in calls_of_models(planes) if call.only_in_words]
    if not (target and target < 1 and words) or answers_of(design).most < target - 1e-12:
        return
    by_models = answers_of(design, counts=lambda call: call not in words)
    if by_models.most >= target - 1e-12:
        return
    through = promised(design).planes or planes
    within = reached([by_models.entry], steps_along(flow for _, flow in waiting_flows(through)))
    calls = [call.flow for call in words if call.flow.start in within]
    told = [f"{flow.start} → {flow.end} ({flow.fallback or 'fails: open'})" for flow in calls]
    yield Fault(
        f"{places(planes)[calls[0]]}.answered" if calls else "planes.flows",
        f"At most {percent(by_models.most)} of the requests that enter at {by_models.entry} are answered without a "
        f"fallback, and the target is {percent(target)}. Nothing says whether a request counts as "
        f"answered that falls back at {listed(told)}.",
        "Write 'answered: true' on the flow if the fallback is an answer that users can work with, and "
        "'answered: false' if it is not; then the target counts it, or misses.",
    )
