"""Requirements and results: what is met, what is missed, and what the design leaves open."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from mlsd_helpers import formulas
from mlsd_helpers.analysis import ages
from mlsd_helpers.analysis.sizing import PERCENTILES, Sizing
from mlsd_helpers.analysis.surroundings import (
    Elsewhere,
    Fallbacks,
    callers_of,
    is_timed,
    percentile_reaching,
    share_reaching,
)
from mlsd_helpers.design import DataFlow, Design, FleetPlan
from mlsd_helpers.design.requirements import Latency
from mlsd_helpers.simulation.result import Distribution, Estimate, Result, show_share
from mlsd_helpers.simulation.scenario import ROUTINGS
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


def by_fallback(result: Result, timeout_s: float) -> Estimate:
    """Return the share of requests that a fallback answers."""
    served = _served(result, timeout_s)
    return Estimate(1 - served.value, 1 - served.high, 1 - served.low)


def fallback_notes(fallbacks: Fallbacks, share: Estimate | None) -> Iterable[str]:
    """Say what share a fallback answers, and what is taken for granted."""
    if share is not None:
        texts = " or ".join(repr(text) for text in fallbacks.texts)
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
    sizing: Sizing,
    results: Results,
    elsewhere: Elsewhere,
    fallbacks: Fallbacks,
    doubt: str = "",
) -> list[RequirementResult]:
    """Compare results of one fleet, one for each reading of its plan, with the requirements of a design.

    With a `doubt` about the results there is no verdict. Of several fleets that answer a request, each may lose its
    part of what the availability target allows: a fleet that loses more, and less than all of it, is not judged.
    """
    wanted, plan = design.requirements, sizing.plan
    timeout_s = callers_of(design, plan).timeout_s
    undecided = _undecided(sizing) if len(results) > 1 else ""
    found = list[RequirementResult]()
    timed = [one for one in design.fleets.values() if is_timed(design, one)]
    if wanted and wanted.latency and plan in timed:
        share = share_reaching(design, sizing.load_rps) if sizing.path == "capacity" else 1.0
        give_up_s = timeout_s if fallbacks.answer else None
        found += _latency(wanted.latency, results, elsewhere, give_up_s, share, undecided, doubt)
    if wanted and wanted.availability:
        target = wanted.availability.target
        parts = max(len(timed), 1)
        sure = 1 - (1 - target) / parts
        answered = [_answered(result, fallbacks, timeout_s) for _, result in results]
        readings = [(share, _above(share, sure)) for share in answered]
        asked = f"at least {show_share(target)}" + (f" by {parts} fleets together" if parts > 1 else "")
        why = doubt
        if parts > 1 and not all(met for _, met in readings):
            readings = [(share, False if _above(share, target) is False else None) for share in answered]
            why = doubt or (
                "" if any(met is False for _, met in readings) else "the other fleets lose some too"
            )
        found.append(_combined("answered", asked, readings, [undecided], why, unit="share", worst=min))
    if plan.target_utilisation and not plan.generation:
        target = plan.target_utilisation
        busy = [result.utilisation for _, result in results]
        readings = [(share, _below(share, target * (1 + 1e-9))) for share in busy]
        asked = f"at most {show_share(target)}"
        found.append(_combined("utilisation", asked, readings, [undecided], doubt, unit="share"))
    return found


def _undecided(sizing: Sizing) -> str:
    """Say what to write where a plan leaves open what is simulated in two readings."""
    return " and ".join(f"say which with {sizing.path}.{field}" for field in open_fields(sizing.plan))


def open_fields(plan: FleetPlan) -> tuple[str, ...]:
    """Return the fields of a plan of which each reading is simulated, since it decides none."""
    best: tuple[str, ...] = (
        ("random", "round robin", "join the shortest queue") if plan.generation else ROUTINGS
    )
    alone = plan.replicas == 1 and not plan.autoscaler
    given = plan.service_time
    spread = given and given.known_scv is None and not given.file and given.distribution != "measured"
    return (
        *(("routing",) if plan.routing not in best and not alone else ()),
        *(("service_time.scv",) if spread and not plan.batching and not plan.generation else ()),
    )


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


NAMES = {"whole answer": "latency", "first token": "first token", "gap between tokens": "per token"}
"""What the results call each promise."""


def _latency(
    latency: Latency,
    results: Results,
    elsewhere: Elsewhere,
    give_up_s: float | None,
    reaching: float,
    undecided: str,
    doubt: str,
) -> Iterable[RequirementResult]:
    aside = f", {elsewhere} of it elsewhere" if elsewhere.most_s else ""
    unknown = (
        f"{elsewhere} of other parts, not known whether before the first token" if elsewhere.most_s else ""
    )
    for promise in latency.promises:
        share = PERCENTILES.get(promise.percentile)
        if promise.what == "whole answer":
            of_fleet = percentile_reaching(share, reaching) if share else None
            times = [time for _, result in results for time in _of_all(result, of_fleet, give_up_s)]
            late = (
                "" if math.isfinite(max(t.value for t in times)) else "the time of the fallback is not given"
            )
            added, whys, how = (elsewhere.least_s, elsewhere.most_s), [elsewhere.why, late, undecided], aside
        elif promise.what == "first token":
            times = [_percentile(result.first_token, share) for _, result in results if result.first_token]
            added, whys, how = (0.0, elsewhere.most_s), [unknown, undecided], ""
        else:
            times = [_percentile(result.per_token, share) for _, result in results if result.per_token]
            added, whys, how = (0.0, 0.0), [undecided], ""
        if times:
            sums = [_shifted(time, by_s) for time, by_s in product(times, dict.fromkeys(added))]
            readings = [(each, _below(each, promise.within)) for each in sums]
            asked = f"below {show_seconds(promise.within)}{how}"
            name = f"{NAMES[promise.what]}, {promise.percentile}"
            yield _combined(name, asked, readings, whys, doubt)


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


def overloaded(
    design: Design, sizing: Sizing, utilisation: float, backlog_rps: float
) -> list[RequirementResult]:
    """Return the verdicts on a fleet whose queue grows without limit, at an offered load over capacity above 1."""
    wanted, target = design.requirements, sizing.plan.target_utilisation
    why = f"overloaded, the backlog grows by {backlog_rps:,.3g} requests/s"
    found = []
    if wanted and wanted.latency and is_timed(design, sizing.plan):
        found += [
            RequirementResult(
                f"{NAMES[one.what]}, {one.percentile}",
                f"below {show_seconds(one.within)}",
                _NEVER,
                met=False,
                why=why,
            )
            for one in wanted.latency.promises
            if one.what == "whole answer" or sizing.plan.generation
        ]
    if wanted and wanted.availability:
        asked = f"at least {show_share(wanted.availability.target)}"
        answered = exactly(1 / utilisation)
        found.append(RequirementResult("answered", asked, answered, met=False, unit="share", why=why))
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
