"""Requirements and results: what is met, what is missed, and what the design leaves open."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from mlsd_helpers import formulas
from mlsd_helpers.analysis import ages
from mlsd_helpers.analysis.graph import reached, steps_back, waiting_flows
from mlsd_helpers.analysis.sizing import PERCENTILES
from mlsd_helpers.design import DataFlow, Design
from mlsd_helpers.design.requirements import Latency
from mlsd_helpers.simulation.result import Distribution, Estimate, Result, show_share
from mlsd_helpers.simulation.tables import Row
from mlsd_helpers.units import show_seconds

Results = Sequence[tuple[str, Result]]
Reading = tuple[Estimate, bool | None]
"""A value under one reading of the design, and whether it meets the requirement."""
_NEVER = Estimate(math.inf, math.inf, math.inf)


def show_time(time_s: float) -> str:
    """Write a time; below a nanosecond there is nothing to tell apart.

    >>> show_time(0.04), show_time(1.3e-21), show_time(0)
    ('40 ms', 'below 1 ns', '0 s')
    """
    return "below 1 ns" if 0 < time_s < 1e-9 else show_seconds(time_s)


def shown_in(unit: str) -> Callable[[float], str]:
    """Return what formats a number of a unit: "s", "share" or "count"."""
    return {"s": show_time, "share": show_share, "count": lambda count: f"{count:,.4g}"}[unit]


def exactly(value: float) -> Estimate:
    """Return a value that is known without an interval."""
    return Estimate(value, math.nan, math.nan)


@dataclass(frozen=True)
class RequirementResult:
    """A requirement, the simulated value, and whether it is met; None where that is open."""

    requirement: str
    wanted: str
    found: Estimate
    """The value; of several readings of the design, the worst one."""
    met: bool | None
    unit: str = "s"
    why: str = ""
    """Why there is no verdict, or why the requirement is missed without a simulation."""
    best: Estimate | None = None
    """The value under the best reading, where there are several."""

    @property
    def word(self) -> str:
        """The verdict in a word or two."""
        return {True: "met", False: "missed", None: "not judged" if self.why else "too close to call"}[
            self.met
        ]

    def row(self) -> Row:
        """Return the row of a table."""
        show = shown_in(self.unit)
        found = self.found.as_text(show)
        if self.best is not None:
            found = f"{self.best.as_text(show)} or {found}"
        return self.requirement, self.wanted, found, f"{self.word}: {self.why}" if self.why else self.word


# ---------------------------------------------------------------- what a design says about the way of a request


@dataclass(frozen=True)
class Elsewhere:
    """The time that a request spends outside the fleet, in seconds: from `least_s` to `most_s`."""

    least_s: float = 0.0
    most_s: float = 0.0
    why: str = ""
    """What to write in the design where the two differ."""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, design: Design) -> "Elsewhere":
        """Take it from the parts of the latency budget and the components that they name.

        Parts of `capacity.component` are the fleet's and are simulated; parts of other components are elsewhere. A
        part without a component is elsewhere if some part is the fleet's. Otherwise it may be either.
        """
        latency = design.requirements.latency if design.requirements else None
        if latency is None or not latency.split:
            return cls()
        fleet = design.capacity.component if design.capacity else None
        own = [part for part in latency.split if fleet and part.component == fleet]
        other = [part for part in latency.split if fleet and part.component not in {None, fleet}]
        unnamed = [part for part in latency.split if not (fleet and part.component)]
        if own:
            other, unnamed = other + unnamed, []
        least_s = math.fsum(part.time for part in other)
        names = {"simulated": own, "added": other, "either": unnamed}
        shown = {
            how: ", ".join(f"{part.name} ({show_seconds(part.time)})" for part in parts)
            for how, parts in names.items()
        }
        notes = []
        if own:
            notes.append(
                f"Parts of the latency in {fleet}, which are simulated: {shown['simulated']}. "
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

    def __str__(self) -> str:
        if self.least_s == self.most_s:
            return show_seconds(self.most_s)
        return f"{show_seconds(self.least_s)} or {show_seconds(self.most_s)}"


@dataclass(frozen=True)
class Fallbacks:
    """Whether each call that the fleet does not answer runs into a fallback, and which."""

    answer: bool
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, design: Design) -> "Fallbacks":
        """Walk from the fleet back to where requests enter: each way has to pass a flow with a fallback."""
        component = design.capacity.component if design.capacity else None
        if component is None or design.planes is None:
            return cls(answer=False)
        flows = [flow for _, flow in waiting_flows(design.planes)]
        without = reached([component], steps_back(flow for flow in flows if not flow.fallback))
        texts = tuple(dict.fromkeys(flow.fallback for flow in flows if flow.fallback and flow.end in without))
        entries = without - {flow.end for flow in flows}
        return cls(bool(texts) and not entries, texts)

    @staticmethod
    def share(result: Result, timeout_s: float) -> Estimate:
        """Return the share of requests that a fallback answers."""
        served = _served(result, timeout_s)
        return Estimate(1 - served.value, 1 - served.high, 1 - served.low)

    def notes(self, share: Estimate | None) -> Iterable[str]:
        """Say what share a fallback answers, and what is taken for granted."""
        if share is not None:
            texts = " or ".join(repr(text) for text in self.texts)
            yield (
                f"{share.as_text(show_share)} of the requests are answered by a fallback, {texts}, and count as "
                "answered. A fallback is taken to answer always."
            )


# ---------------------------------------------------------------- verdicts


def _below(found: Estimate, limit: float) -> bool | None:
    low, high = _interval(found)
    return True if high < limit else False if low >= limit else None


def _above(found: Estimate, limit: float) -> bool | None:
    low, high = _interval(found)
    return True if low >= limit else False if high < limit else None


def _interval(found: Estimate) -> tuple[float, float]:
    return (found.value, found.value) if math.isnan(found.low) else (found.low, found.high)


def _combined(
    requirement: str,
    wanted: str,
    readings: Sequence[Reading],
    whys: Iterable[str],
    doubt: str,
    *,
    unit: str = "s",
    worst: Callable[..., Estimate] = max,
) -> RequirementResult:
    """Return one result for all readings: a verdict where they agree, and none where `doubt` says why not."""
    found = [each for each, _ in readings]
    last = worst(found, key=lambda each: each.value)
    first = (min if worst is max else max)(found, key=lambda each: each.value)
    shown = None if first.value == last.value else first
    if doubt:
        return RequirementResult(requirement, wanted, last, None, unit, doubt, shown)
    verdicts = {met for _, met in readings}
    if len(verdicts) == 1:
        return RequirementResult(requirement, wanted, last, verdicts.pop(), unit, best=shown)
    why = "; ".join(filter(None, whys)) if {True, False} <= verdicts else ""
    return RequirementResult(requirement, wanted, last, None, unit, why, shown)


def judge(
    design: Design,
    results: Results,
    elsewhere: Elsewhere,
    fallbacks: Fallbacks,
    timeout_s: float,
    doubt: str = "",
) -> list[RequirementResult]:
    """Compare results, one for each routing, with the requirements of a design.

    `timeout_s` is that of the calls of the fleet. With a `doubt` about the results there is no verdict.
    """
    wanted, plan = design.requirements, design.capacity
    routing = "say which with capacity.routing" if len(results) > 1 else ""
    found = list[RequirementResult]()
    if wanted and wanted.latency:
        found += _latency(
            wanted.latency, results, elsewhere, timeout_s if fallbacks.answer else None, routing, doubt
        )
    if wanted and wanted.availability:
        target = wanted.availability.target
        answered = [_answered(result, fallbacks, timeout_s) for _, result in results]
        readings = [(share, _above(share, target)) for share in answered]
        found.append(
            _combined(
                "answered",
                f"at least {show_share(target)}",
                readings,
                [routing],
                doubt,
                unit="share",
                worst=min,
            )
        )
    if plan and plan.target_utilisation and not plan.generation:
        target = plan.target_utilisation
        busy = [result.utilisation for _, result in results]
        readings = [(share, _below(share, target * (1 + 1e-9))) for share in busy]
        found.append(
            _combined(
                "utilisation", f"at most {show_share(target)}", readings, [routing], doubt, unit="share"
            )
        )
    return found


def _answered(result: Result, fallbacks: Fallbacks, timeout_s: float) -> Estimate:
    """Return the share of requests that get an answer, from the fleet or a fallback."""
    if fallbacks.answer:
        return exactly(1 - result.counts.in_flight / result.counts.arrived)
    return _served(result, timeout_s)


def _served(result: Result, timeout_s: float) -> Estimate:
    """Return the share that the fleet answers in time; generation itself is simulated without timeouts."""
    if result.first_token is not None and timeout_s < math.inf:
        return result.share_within(timeout_s)
    return result.served


def _latency(
    latency: Latency,
    results: Results,
    elsewhere: Elsewhere,
    give_up_s: float | None,
    routing: str,
    doubt: str,
) -> Iterable[RequirementResult]:
    share = PERCENTILES.get(latency.percentile)
    aside = f", {elsewhere} of it elsewhere" if elsewhere.most_s else ""
    whole = [time for _, result in results for time in _of_all(result, share, give_up_s)]
    first = [_percentile(result.first_token, share) for _, result in results if result.first_token]
    steps = [_percentile(result.per_token, share) for _, result in results if result.per_token]
    late = "" if math.isfinite(max(time.value for time in whole)) else "the time of the fallback is not given"
    unknown = (
        f"{elsewhere} of other parts, not known whether before the first token" if elsewhere.most_s else ""
    )
    both = (elsewhere.least_s, elsewhere.most_s)
    for name, limit_s, times, added, whys, how in (
        ("latency", latency.budget, whole, both, (elsewhere.why, late, routing), aside),
        ("first token", latency.first_token, first, (0.0, elsewhere.most_s), (unknown, routing), ""),
        ("per token", latency.per_token, steps, (0.0, 0.0), (routing,), ""),
    ):
        if limit_s and times:
            sums = [_shifted(time, by_s) for time, by_s in product(times, dict.fromkeys(added))]
            readings = [(each, _below(each, limit_s)) for each in sums]
            asked = f"below {show_seconds(limit_s)}{how}"
            yield _combined(f"{name}, {latency.percentile}", asked, readings, whys, doubt)


def _of_all(result: Result, share: float | None, give_up_s: float | None) -> Iterable[Estimate]:
    """Yield the latency of all requests; two where its percentile is answered by a fallback: at once, or never."""
    if share is None:
        yield result.mean_s
        return
    found = result.of_all(share)
    yield found
    if math.isinf(found.value) and give_up_s is not None:
        slowest = result.latency.percentile(0.999) if result.latency.size else exactly(0.0)
        yield exactly(give_up_s) if math.isfinite(give_up_s) else slowest


def _percentile(times: Distribution, share: float | None) -> Estimate:
    return times.percentile(share) if share else times.mean_s


def _shifted(estimate: Estimate, by_s: float) -> Estimate:
    return Estimate(estimate.value + by_s, estimate.low + by_s, estimate.high + by_s)


def overloaded(design: Design, utilisation: float, backlog_rps: float) -> list[RequirementResult]:
    """Return the verdicts on a fleet whose queue grows without limit, at an offered load over capacity above 1."""
    wanted, plan = design.requirements, design.capacity
    why = f"overloaded, the backlog grows by {backlog_rps:,.3g} requests/s"
    found = []
    if wanted and (latency := wanted.latency):
        limits = (
            ("latency", latency.budget),
            ("first token", latency.first_token),
            ("per token", latency.per_token),
        )
        found += [
            RequirementResult(
                f"{name}, {latency.percentile}", f"below {show_seconds(limit)}", _NEVER, met=False, why=why
            )
            for name, limit in limits
            if limit
        ]
    if wanted and wanted.availability:
        asked = f"at least {show_share(wanted.availability.target)}"
        answered = exactly(1 / utilisation)
        found.append(RequirementResult("answered", asked, answered, met=False, unit="share", why=why))
    target = plan.target_utilisation if plan else None
    asked = f"at most {show_share(target)}" if target else "below 100 %"
    offered = exactly(utilisation)
    found.append(RequirementResult("utilisation", asked, offered, met=False, unit="share", why=why))
    return found


def ages_after_a_missed_run(design: Design) -> list[RequirementResult]:
    """Compare with its limit the worst age of each feature when its slowest stage misses one run."""
    wanted, flow = design.requirements, design.dataflow
    general = wanted.freshness.features if wanted and wanted.freshness else None
    found = []
    for feature in flow.features if flow else ():
        limit_s = feature.sla if feature.sla is not None else general
        missed_s = max((_period_s(flow, name) for name in feature.stage_ids()), default=0.0) if flow else 0.0
        if flow and limit_s is not None and missed_s:
            age_s = formulas.worst_age_in_outage_s(ages.stages_on_the_way(flow, feature), missed_s)
            asked = f"at most {show_seconds(limit_s)}, one run missed"
            found.append(
                RequirementResult(f"age of {feature.id}", asked, exactly(age_s), met=age_s <= limit_s)
            )
    return found


def _period_s(flow: DataFlow, name: str) -> float:
    stage = flow.stage(name)
    return stage.period or 0.0 if stage else 0.0
