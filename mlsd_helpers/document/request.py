"""One request: its sequence diagram, its latency and availability, and its outcome when a component fails."""

import math
from collections.abc import Iterator
from dataclasses import replace

from mlsd_helpers.analysis.blast import blast_radius
from mlsd_helpers.analysis.graph import components_by_id, cycle, reached, steps_along, waiting_flows
from mlsd_helpers.analysis.paths import Order, order_of, promised
from mlsd_helpers.analysis.rates import most_at_once
from mlsd_helpers.analysis.request import (
    Call,
    Request,
    Span,
    calls_by_component,
    has_fallback,
    requests_of,
    stated_latency_s,
    waves,
)
from mlsd_helpers.analysis.surroundings import lookups_s
from mlsd_helpers.analysis.whole import Elsewhere, answers_of, waiting_entries
from mlsd_helpers.design import Component, Flow, Planes
from mlsd_helpers.document.fields import name
from mlsd_helpers.document.markdown import (
    Md,
    blocks,
    bullets,
    code,
    counted,
    escape,
    joined,
    link,
    part,
    table,
)
from mlsd_helpers.document.mermaid import label, sequence
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.formulas import budget_left_s
from mlsd_helpers.units import show_seconds, show_share

BUDGET = (
    "The parts are limits that add up; percentiles do not add, and none of them is measured by their sum."
)
_MOST_CALLS = 60  # a larger diagram cannot be read
_MOST_ENTRIES, _MOST_COMPONENTS = 5, 40
_CLIENT = "client"


def request(figures: Figures, planes: Planes) -> Md:
    """Write the path of a request, for each workload, and the effect of each failure."""
    return blocks(*(_of_workload(one, one.design.planes or planes) for one in figures.views))


def _of_workload(figures: Figures, planes: Planes) -> Md:
    """Write the path of a request from each component where it may enter, and the effect of each failure."""
    flows = [flow for _, flow in waiting_flows(planes)]
    if way := cycle(flows):
        return part("A request", Md(f"The calls form a cycle: {joined(map(code, way), ' → ')}."))
    found = _requests(figures, planes)
    shown = [_request(figures, planes, one) for one in found[:_MOST_ENTRIES]]
    more = f"Requests enter at {len(found)} components, of which {_MOST_ENTRIES} are shown."
    if figures.workload and not found:
        return Md("")
    return blocks(
        *shown,
        Md(more if len(found) > _MOST_ENTRIES else ""),
        _budget(figures),
        part(_titled(figures, "When a component fails"), _failures(figures, planes, found)),
    )


def _requests(figures: Figures, planes: Planes) -> tuple[Request, ...]:
    """Return each request as its caller waits for it: to the answer, over the queues that the promise spans."""
    looked_up, order = lookups_s(figures.design), order_of(figures.design.pattern)

    def latency_s(one: Component) -> float:
        return max(stated_latency_s(one), looked_up.get(one.id, 0.0))

    through = promised(figures.design).planes or planes
    whole = {one.entry: one for one in requests_of(through, latency_s, order=order)}
    return tuple(
        replace(
            whole.get(one.entry, one), longest_s=one.longest_s
        )  # what a caller waits for ends at the queue
        for one in requests_of(planes, latency_s, order=order)
    )


def _titled(figures: Figures, title: str) -> str:
    return f"{title}: workload {code(figures.workload)}" if figures.workload else title


def _request(figures: Figures, planes: Planes, one: Request) -> Md:
    calls = calls_by_component(planes)
    steps = steps_along(flow for made in calls.values() for call in made for flow in call.flows)
    size = sum(len(steps.get(box, ())) for box in reached([one.entry], steps))
    title = _titled(figures, f"A request at {code(one.entry)}")
    words = f"{counted(size, 'call')} of a request that enters at {one.entry}"
    if size > _MOST_CALLS:
        return part(
            title,
            Md(f"Too large to draw: {escape(words)}."),
            bullets(_takes(figures, planes, one)),
            _around(figures, planes, one),
        )
    drawing = _Sequence(planes, calls, order_of(figures.design.pattern))
    lines = list(drawing.lines(one.entry))
    return part(
        title,
        sequence("A request", f"{counted(size, 'call')} of a request, in order", drawing.names(), lines),
        bullets(_takes(figures, planes, one)),
        _around(figures, planes, one),
    )


class _Sequence:
    """Writes the lines of a sequence diagram; the calls of a component are drawn once, at its first call."""

    def __init__(self, planes: Planes, calls: dict[str, tuple[Call, ...]], order: Order) -> None:
        self._of, self._calls, self._order = components_by_id(planes), calls, order
        self._ids = {_CLIENT: "client"}

    def names(self) -> list[tuple[str, str]]:
        """Return the id and the name of each participant, in the order of their first message."""
        return [(given, box) for box, given in self._ids.items()]

    def lines(self, entry: str) -> Iterator[str]:
        """Yield the messages of a request that enters at a component."""
        self._ids[f"{entry}"] = "p0"
        yield "client->>p0: request"
        yield from self._made_by(entry)
        yield "p0-->>client: answer"

    def _made_by(self, box: str) -> Iterator[str]:
        calls = self._calls.get(box, ())
        if len(calls) > 1 and self._of[box].calls is None:
            yield f"Note over {self._ids[box]}: one after another or at once, not decided yet"
        for wave in waves(self._of[box], calls, self._order):
            for number, call in enumerate(wave):
                if len(wave) > 1:
                    yield "and" if number else "par at once"
                yield from self._call(call)
            if len(wave) > 1:
                yield "end"

    def _call(self, call: Call) -> Iterator[str]:
        share = call.flow.share
        if share not in {None, 1.0}:
            yield f"opt {label(show_share(share or 0))} of requests"
        for number, flow in enumerate(call.flows):
            if call.alternatives:
                yield f"else no answer from {label(call.flows[number - 1].end)}" if number else "alt first"
            yield from self._message(flow)
        if call.alternatives:
            yield "end"
        if share not in {None, 1.0}:
            yield "end"

    def _message(self, flow: Flow) -> Iterator[str]:
        is_new = flow.end not in self._ids
        caller, called = self._ids[flow.start], self._ids.setdefault(flow.end, f"p{len(self._ids) - 1}")
        yield f"{caller}->>{called}: {flow.carries}"
        if words := _limits(flow):
            yield f"Note over {caller},{called}: {'<br/>'.join(map(label, words))}"
        if is_new:
            yield from self._made_by(flow.end)
        yield f"{called}-->>{caller}: answer"


def _limits(flow: Flow) -> list[str]:
    """Return the timeout of a call, and what its caller does without an answer, as lines of text."""
    tries = f"{flow.retries + 1} attempts, each " if flow.retries else ""
    tries = f"{flow.calls:,} calls at once, {tries}" if flow.calls > 1 else tries
    words = [f"{tries}at most {show_seconds(flow.timeout)}" if flow.timeout else f"{tries}without a timeout"]
    if flow.fallback and has_fallback(flow):
        words.append(f"else: {flow.fallback}")
    words += [f"fails {flow.fails}"] if flow.fails else []
    said = {True: "counts as answered", False: "counts as not answered", None: ""}[flow.answered]
    return [*words, *([said] if said else [])]


def _takes(figures: Figures, planes: Planes, one: Request) -> Iterator[Md]:
    boxes = components_by_id(planes)
    if one.time.most_s:
        looked_up = lookups_s(figures.design)
        timed = [box for box in one.time.way if boxes[box].latency or box in looked_up]
        way = joined((name(figures, box) for box in timed), " → ")
        stated = {boxes[box].latency_is for box in one.time.way if boxes[box].latency}
        sums = (
            ""
            if stated <= {"mean", "bound"}
            else " A sum of percentiles is a limit for planning and no percentile."
        )
        slowest = joined(
            Md(f"{name(figures, box)} ({number:,} calls)")
            for box, number in most_at_once(planes).items()
            if box in one.time.way
        )
        sums += (
            f" Of calls at once the slowest counts, and a stated latency is that of one: {slowest}."
            * bool(slowest)
        )
        sums += "".join(
            f" Features are looked up in {name(figures, box)} for {show_seconds(time_s)}."
            for box, time_s in looked_up.items()
            if box in timed and time_s > (boxes[box].latency or 0.0)
        )
        yield Md(f"**Time.** The latencies stated along the calls come to {_between(one.time)}: {way}.{sums}")
    if one.longest_s.most_s:
        if math.isinf(one.longest_s.most_s):
            yield Md("**Wait.** Without a limit: some call has no timeout.")
        else:
            yield Md(f"**Wait.** When every call times out, the caller waits {_between(one.longest_s)}.")
    answers = answers_of(figures.design, entry=one.entry)
    if any(boxes[box].availability is not None for box in one.needs) or one.in_full < 1 or answers.most < 1:
        most, least = show_share(answers.most), show_share(answers.least)
        share = most if most == least else f"at most {most}" if not answers.least else f"{least} to {most}"
        causes = f" {escape('; '.join(answers.causes))}." if answers.causes else ""
        yield Md(
            f"**Answers.** From the stated availabilities, quotas and timeouts, {share} of requests at the peak are "
            f"answered, if fleets serve all that reaches them; {show_share(one.in_full)} without any fallback or "
            f"alternative.{causes}"
        )
        if most != least:
            yield Md(f"**Open about answers:** {escape('; '.join(answers.whys))}.")
    needed = joined(name(figures, box) for box in one.needs)
    yield Md(f"**Needed for every answer:** {needed}.")


def _around(figures: Figures, planes: Planes, one: Request) -> Md:
    """Write what of the promised time passes outside each fleet, as the simulation adds it, and what is left for it.

    Only where a user waits for the request.
    """
    budget_s = figures.held("requirements.latency.budget")
    if budget_s is None or one.entry not in waiting_entries(planes):
        return Md("")
    steps = steps_along(flow for _, flow in waiting_flows(planes))
    plans = {plan.component: plan for plan in figures.design.fleets.values()}
    rows = []
    for box in (box for box in plans if box and box in reached([one.entry], steps)):
        elsewhere = Elsewhere.of(figures.design, plans[box])
        left_s = max(budget_s - elsewhere.most_s, 0.0)
        left = show_seconds(round(left_s, 12)) if math.isfinite(left_s) and not elsewhere.unknown else ""
        rows.append((name(figures, box), escape(f"{elsewhere}"), escape(left), escape(elsewhere.unknown)))
    limit = figures.required("requirements.latency.budget")
    heads = ("fleet", "passes outside it", "left for it", "not known")
    said = Md(f"Of the {limit} that a whole answer may take, by fleet:")
    return blocks(said, table(heads, rows)) if rows else Md("")


def _between(span: Span) -> str:
    most = show_seconds(span.most_s)
    return most if span.known else f"{show_seconds(span.least_s)} to {most}, by the order of the calls"


def _budget(figures: Figures) -> Md:
    """Write the latency budget, part by part, and the time left of it."""
    needs = figures.design.requirements
    latency = needs.latency if needs else None
    if latency is None or not latency.split:
        return Md("")
    path = "requirements.latency.split"
    figures.note(path)
    parts = [
        (
            escape(one.part or ""),
            name(figures, one.component) if one.component else Md(""),
            figures.number(f"{path}.{position}.time"),
        )
        for position, one in enumerate(latency.split)
    ]
    left_s = round(budget_left_s(latency.budget, [one.time for one in latency.split]), 12)
    left = link(f"**{show_seconds(left_s)}**", "formula-budget_left_s")
    whole = (escape("budget"), Md(""), figures.required("requirements.latency.budget"))
    rows = [*parts, whole, (Md("**left**"), Md(""), left)]
    return part(_titled(figures, "Latency budget"), table(("part", "component", "time"), rows), Md(BUDGET))


def _failures(figures: Figures, planes: Planes, found: tuple[Request, ...]) -> Md:
    """Write the effect on requests when one of the components that they reach is dead."""
    steps = steps_along(flow for _, flow in waiting_flows(planes))
    hit = reached([one.entry for one in found], steps)
    boxes = [one.id for one in planes.components if one.id in hit]
    rows = [_failure(figures, planes, box) for box in boxes[:_MOST_COMPONENTS]]
    more = f"And {len(boxes) - _MOST_COMPONENTS} more." if len(boxes) > _MOST_COMPONENTS else ""
    heads = ("dead component", "requests", "stops too", "falls back", "goes on with older data")
    return blocks(table(heads, rows), Md(more))


def _failure(figures: Figures, planes: Planes, box: str) -> tuple[Md, ...]:
    radius = blast_radius(planes, box)
    outcomes = dict.fromkeys(radius.entries.values())
    alike = len(outcomes) == 1
    words = outcomes if alike else (f"at {entry}: {outcome}" for entry, outcome in radius.entries.items())
    lists = (radius.stops[1:], radius.falls_back, radius.older)
    names = (joined(name(figures, one) for one in given) for given in lists)
    return name(figures, box), joined(map(escape, words), "; "), *names
