"""What surrounds a fleet: who calls it, who waits for it, what a request does elsewhere, and who answers in its place.

>>> from mlsd_helpers import cases
>>> design = cases.load("harbour_pay")
>>> round(Elsewhere.of(design, design.capacity).most_s, 3), callers_of(design, design.capacity).timeout_s
(0.1, 0.42)
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from mlsd_helpers.analysis.graph import components_by_id, reached, steps_along, steps_back, waiting_flows
from mlsd_helpers.analysis.paths import JOBS, peak_rps, warm_rps
from mlsd_helpers.analysis.rates import calls_per_request
from mlsd_helpers.analysis.request import has_fallback, requests_of
from mlsd_helpers.design import Component, Design, FleetPlan, Flow
from mlsd_helpers.units import show_seconds

_OF_JOBS = {*JOBS, "event stream"}


def _waiting(design: Design) -> list[Flow]:
    return [flow for _, flow in waiting_flows(design.planes)] if design.planes else []


def somebody_waits(design: Design, plan: FleetPlan) -> bool:
    """Tell whether somebody may be waiting for the answers of a fleet; False where jobs or events feed it alone.

    Where the sketch does not show the fleet, somebody waits unless the system runs on a schedule.

    >>> from mlsd_helpers import cases
    >>> [somebody_waits(case, case.capacity) for case in map(cases.load, ("harbour_pay", "shopify_products"))]
    [True, False]
    """
    needs = design.requirements
    known = components_by_id(design.planes) if design.planes else {}
    component = known.get(plan.component or "")
    if component is None:
        return not (needs and needs.schedule and not needs.latency and not needs.throughput)
    flows = _waiting(design)
    before = reached([component.id], steps_back(flows))
    called = {flow.end for flow in flows}
    fed = {flow.end for flow in (design.planes.flows if design.planes else ()) if flow.carries in _FEEDS}
    entries = [known[name] for name in before if name not in called]
    if not entries:  # a cycle
        return True
    return any(
        entry.kind not in _OF_JOBS and not (entry.id == component.id and entry.id in fed) for entry in entries
    )


_FEEDS = ("events", "batch", "command")


def is_timed(design: Design, plan: FleetPlan) -> bool:
    """Tell whether the latency requirement is about a fleet: named in its split, waited for, or the only fleet."""
    latency = design.requirements.latency if design.requirements else None
    if latency is None:
        return False
    if len(design.fleets) <= 1 or any(part.component == plan.component for part in latency.split):
        return True
    return somebody_waits(design, plan)


def calls_of(design: Design, plan: FleetPlan) -> float | None:
    """Return how many calls reach a fleet for one request of a user; None where the sketch does not tell."""
    return calls_per_request(design.planes).get(plan.component or "") if design.planes else None


def share_reaching(design: Design, load_rps: float | None) -> float:
    """Return the share of requests that the answering fleet answers; caches and stored answers take the others.

    >>> share_reaching(Design(name="d"), 100.0)
    1.0
    """
    peak, warm = peak_rps(design), warm_rps(design)
    if not peak or not warm or not load_rps or warm >= peak or load_rps > warm * (1 + 1e-9):
        return 1.0
    return load_rps / peak


def percentile_reaching(percentile: float, share: float) -> float:
    """Return the percentile of a fleet's answers that is `percentile` of all, where it answers a share of them.

    All others are taken as quicker: with 80% answered by a cache, the p99 of all is the p95 of the rest. At least the
    median, since the others take time as well.

    >>> round(percentile_reaching(0.99, 0.2), 6)
    0.95
    """
    return max(1 - (1 - percentile) / share, 0.5)


MODELS = ("model server", "embedder", "re-ranker")
"""Kinds of component whose replicas run a model."""


def unplanned_models(design: Design) -> tuple[Component, ...]:
    """Return what runs a model for requests that wait, by ourselves, and has no fleet in a plan that has others."""
    fleets = design.fleets.values()
    planned = {plan.component for plan in fleets}
    if not fleets or None in planned or design.planes is None:
        return ()  # a plan that names no component may be that of any
    touched = {name for flow in _waiting(design) for name in (flow.start, flow.end)}
    return tuple(
        one
        for one in design.planes.components
        if one.kind in MODELS and one.id in touched and one.id not in planned and not one.run_by_others
    )


class Callers(NamedTuple):
    """The calls of a fleet: after which time they are given up, and how often they are tried again."""

    timeout_s: float = math.inf
    retries: int = 0


def callers_of(design: Design, plan: FleetPlan) -> Callers:
    """Return the calls of the component that is sized; of several timeouts the shortest counts."""
    calls = {
        flow.timeout: flow.retries
        for flow in _waiting(design)
        if flow.end == plan.component != flow.start and flow.timeout
    }
    return Callers(min(calls), calls[min(calls)]) if calls else Callers()


@dataclass(frozen=True)
class Fallbacks:
    """Whether each call that a fleet does not answer runs into a fallback, and which."""

    answer: bool
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, design: Design, plan: FleetPlan | None) -> "Fallbacks":
        """Walk from the fleet back to where requests enter: each way has to pass a flow with a fallback.

        Words that name no answer, such as "none", are no fallback; a flow with an alternative has one.
        """
        if plan is None or plan.component is None:
            return cls(answer=False)
        flows = _waiting(design)
        answered = [flow for flow in flows if has_fallback(flow) or flow.otherwise]
        without = reached([plan.component], steps_back(flow for flow in flows if flow not in answered))
        texts = tuple(
            dict.fromkeys(
                flow.fallback or f"the alternative {flow.otherwise}"
                for flow in answered
                if flow.end in without
            )
        )
        entries = without - {flow.end for flow in flows}
        return cls(bool(texts) and not entries, texts)


@dataclass(frozen=True)
class Elsewhere:
    """The time that a request spends outside a fleet, in seconds: from `least_s` to `most_s`."""

    least_s: float = 0.0
    most_s: float = 0.0
    why: str = ""
    """What to write in the design where the two differ."""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, design: Design, plan: FleetPlan | None) -> "Elsewhere":
        """Take it from the parts of the latency budget, and the components that they name.

        Parts of the fleet's component are its own; parts of other components are elsewhere. A part without a component
        is elsewhere if some part is the fleet's. Otherwise it may be either. Without a split it is up to what the
        components on the way say of their latencies, which need not add up.
        """
        latency = design.requirements.latency if design.requirements else None
        fleet = plan.component if plan else None
        if latency is None:
            return cls()
        if not latency.split:
            return cls._of_components(design, fleet)
        own = [part for part in latency.split if fleet and part.component == fleet]
        other = [part for part in latency.split if fleet and part.component not in {None, fleet}]
        unnamed = [part for part in latency.split if not (fleet and part.component)]
        if own:
            other, unnamed = other + unnamed, []
        least_s = math.fsum(part.time for part in other)
        names = {"own": own, "added": other, "either": unnamed}
        shown = {
            how: ", ".join(f"{part.name} ({show_seconds(part.time)})" for part in parts)
            for how, parts in names.items()
        }
        notes = []
        if own:
            notes.append(
                f"Parts of the latency in {fleet}, which are simulated: {shown['own']}. "
                f"Parts elsewhere, added as given: {shown['added'] or 'none'}."
            )
        if unnamed:
            notes.append(
                "No part of requirements.latency.split is known to be the fleet's, so each reading is computed: all of "
                f"these are the fleet's, or none: {shown['either']}."
                + (f" Added as given, for their component is another: {shown['added']}." if other else "")
            )
        why = (
            f"say which part is the fleet's with `component: {fleet}`" if fleet else "name capacity.component"
        )
        return cls(
            least_s,
            least_s + math.fsum(part.time for part in unnamed),
            why if unnamed else "",
            tuple(notes),
        )

    @classmethod
    def _of_components(cls, design: Design, fleet: str | None) -> "Elsewhere":
        """Take the latencies that the components on the way of a request state, other than the fleet's own."""
        if fleet is None or design.planes is None:
            return cls()
        known = components_by_id(design.planes)
        reaching = reached([fleet], steps_back(_waiting(design)))
        steps = steps_along(_waiting(design))
        own_s = known[fleet].latency or 0.0 if fleet in known else 0.0
        most_s, names = 0.0, list[str]()
        for request in requests_of(design.planes):
            if request.entry in reaching and request.time.most_s - own_s > most_s:
                most_s = request.time.most_s - own_s
                names = [name for name in request.time.way if name != fleet and known[name].latency]
        if not names or not reached([fleet], steps):
            return cls()
        said = ", ".join(f"{name} ({show_seconds(known[name].latency or 0.0)})" for name in names)
        return cls(
            0.0,
            most_s,
            "say in requirements.latency.split what each component may take",
            (f"Other components on the way state latencies: {said}. Their percentiles need not add up.",),
        )

    def __str__(self) -> str:
        if self.least_s == self.most_s:
            return show_seconds(self.most_s)
        return f"{show_seconds(self.least_s)} or {show_seconds(self.most_s)}"


def left_for(design: Design, plan: FleetPlan, budget_s: float) -> float:
    """Return how long a request may be in a fleet at most, in seconds: by a budget, and by its callers' timeouts.

    What it spends elsewhere for certain is taken off the budget, and off the timeout what the fleet itself calls.
    """
    called = reached([plan.component], steps_along(_waiting(design))) if plan.component else set()
    latency = design.requirements.latency if design.requirements else None
    parts = (
        part.time
        for part in (latency.split if latency else ())
        if part.component in called and part.component != plan.component
    )
    timeout_s = callers_of(design, plan).timeout_s - math.fsum(parts)
    return min(budget_s - Elsewhere.of(design, plan).least_s, timeout_s)
