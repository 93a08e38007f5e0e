"""Compare a design with its requirements: each met or missed, with intervals, rule of thumb and formula."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.analysis import ages
from mlsd_helpers.analysis.sizing import PERCENTILES, Decision, Sizing, sizing_of
from mlsd_helpers.design import CapacityPlan, DataFlow, Design, Requirements
from mlsd_helpers.printable import one_line
from mlsd_helpers.simulation import generation, running
from mlsd_helpers.simulation.from_design import STALE, IncidentName, from_design
from mlsd_helpers.simulation.generation import GenerationScenario
from mlsd_helpers.simulation.result import Distribution, Estimate, Result, show_share
from mlsd_helpers.simulation.scenario import Measured, Scenario
from mlsd_helpers.simulation.tables import Row, table_as_html, table_as_text
from mlsd_helpers.units import show_seconds

_IN_THE_FLEET = ("wait", "queue", "inference", "predict", "model", "generat", "scor")
_REPLICATIONS = 10
_WARM_UP = 0.2
_SHOWN: dict[str, Callable[[float], str]] = {
    "s": show_seconds,
    "share": show_share,
    "count": lambda count: f"{count:,.4g}",
}
Table = tuple[Row, list[Row]]


@dataclass(frozen=True)
class RequirementResult:
    """A requirement, the simulated value, and whether it is met; None when the interval contains the limit."""

    requirement: str
    wanted: str
    found: Estimate
    met: bool | None
    unit: str = "s"

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return {True: "met", False: "missed", None: "too close to call"}[self.met]

    def row(self) -> Row:
        """Return the row of a table."""
        return self.requirement, self.wanted, self.found.as_text(_SHOWN[self.unit]), self.word


@dataclass(frozen=True)
class Comparison:
    """One figure by the rule of thumb, by the exact formula for M/M/c, and as simulated."""

    figure: str
    rule: float | None
    formula: float | None
    simulated: Estimate
    unit: str = "s"

    def row(self) -> Row:
        """Return the row of a table."""
        show = _SHOWN[self.unit]
        rule, formula = (
            "does not say" if value is None else show(value) for value in (self.rule, self.formula)
        )
        return self.figure, rule, formula, self.simulated.as_text(show)


Verdict = RequirementResult  # their names until 0.2.0
Beside = Comparison


@dataclass(frozen=True)
class Report:
    """The simulation of a design, compared with its requirements."""

    design: str
    incidents: tuple[str, ...]
    verdicts: tuple[RequirementResult, ...]
    beside: tuple[Comparison, ...]
    result: Result
    notes: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether no requirement is missed."""
        return all(verdict.met is not False for verdict in self.verdicts)

    def text(self) -> str:
        """Return the report as plain text."""
        tables = [table_as_text([head, *rows]) for head, rows in self._tables()]
        return "\n\n".join([one_line(self._title()), *tables, *self.notes, self.result.text()])

    def _title(self) -> str:
        return f"{self.design}, during {' and '.join(self.incidents)}" if self.incidents else self.design

    def _tables(self) -> list[Table]:
        verdicts = ("requirement", "wanted", "simulated", "verdict"), [each.row() for each in self.verdicts]
        beside = ("figure", "rule", "formula (M/M/c)", "simulated"), [each.row() for each in self.beside]
        return [table for table in (verdicts, beside) if table[1]]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        return {
            "design": self.design,
            "incidents": list(self.incidents),
            "met": self.met,
            "verdicts": [
                {
                    "requirement": each.requirement,
                    "wanted": each.wanted,
                    "verdict": each.word,
                    "unit": each.unit,
                }
                | _numbers(each.found)
                for each in self.verdicts
            ],
            "beside": [
                {"figure": each.figure, "rule": each.rule, "formula": each.formula, "unit": each.unit}
                | _numbers(each.simulated)
                for each in self.beside
            ],
            "notes": [*self.notes, *self.result.notes],
        }

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        tables = "".join(table_as_html(rows, head) for head, rows in self._tables())
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<p><strong>{escape(self._title())}</strong></p>{tables}{notes}{self.result._repr_html_()}"


def report(
    design: Design,
    *,
    seed: int,
    requests: int | None = None,
    incidents: Sequence[IncidentName] = (),
    folder: Path | None = None,
    progress: running.Progress | None = None,
) -> Report:
    """Simulate a design and hold the result against its requirements.

    Incidents by name, see `from_design`; they begin where measuring does and last to the end, so that every
    figure is one *during* the incident. `requests` are shared among ten replications; left out, they are
    500,000, or as many as show an autoscaler at work. A verdict is given when the whole interval lies on one
    side of the limit; a request without an answer counts as one that takes for ever. `folder` as there.
    """
    plain = from_design(design, folder=folder)
    sizing = sizing_of(design) or Sizing(CapacityPlan(), None, "")
    requests = requests or _enough(plain)
    at_s = requests / _REPLICATIONS * _WARM_UP / plain.arrivals.rate_rps
    scenario = from_design(design, incidents, at_s=at_s, folder=folder)
    result = _run(scenario, seed, requests, progress)
    return Report(
        design=design.name,
        incidents=tuple(incidents),
        verdicts=tuple(_verdicts(design, result, incidents)),
        beside=_beside(sizing, scenario, result),
        result=result,
        notes=tuple(_notes(design, sizing, scenario, incidents)),
    )


def _run(
    scenario: Scenario | GenerationScenario, seed: int, requests: int, progress: running.Progress | None
) -> Result:
    run: Callable[..., Result] = running.run if isinstance(scenario, Scenario) else generation.run
    return run(
        scenario,
        seed=seed,
        requests=requests,
        replications=_REPLICATIONS,
        warm_up=_WARM_UP,
        progress=progress,
    )


def _enough(scenario: Scenario | GenerationScenario) -> int:
    if isinstance(scenario, GenerationScenario):
        return 100_000
    scaler = scenario.fleet.autoscaler
    reactions_s = 5 * (scaler.delay_s + scaler.period_s) if scaler else 0
    return int(min(max(500_000, scenario.arrivals.rate_rps * reactions_s * _REPLICATIONS), 10_000_000))


# ---------------------------------------------------------------- verdicts


def _verdicts(design: Design, result: Result, incidents: Sequence[str]) -> Iterable[RequirementResult]:
    wanted, plan = design.requirements, design.capacity
    if wanted:
        yield from _latency(wanted, result)
    if wanted and wanted.availability:
        target = wanted.availability.target
        met = _above(result.served, target)
        yield RequirementResult("answered", f"at least {show_share(target)}", result.served, met, "share")
    if plan and plan.target_utilisation and not plan.generation:
        target = plan.target_utilisation
        met = _below(result.utilisation, target * (1 + 1e-9))
        yield RequirementResult(
            "utilisation", f"at most {show_share(target)}", result.utilisation, met, "share"
        )
    if "stale pipeline" in incidents and design.dataflow:
        yield from _ages(design.dataflow, wanted)


def _latency(wanted: Requirements, result: Result) -> Iterable[RequirementResult]:
    latency = wanted.latency
    if latency is None:
        return
    share = PERCENTILES.get(latency.percentile)
    elsewhere_s = time_elsewhere_s(wanted)
    aside = f", {show_seconds(elsewhere_s)} of it elsewhere" if elsewhere_s else ""
    times = (
        ("latency", latency.budget, result.of_all(share) if share else result.mean_s, aside),
        ("first token", latency.first_token, _found(result.first_token, share), ""),
        ("per token", latency.per_token, _found(result.per_token, share), ""),
    )
    for name, limit_s, time_s, how in times:
        if limit_s and time_s:
            found = _shifted(time_s, elsewhere_s if how else 0.0)
            asked = f"below {show_seconds(limit_s)}{how}"
            yield RequirementResult(f"{name}, {latency.percentile}", asked, found, _below(found, limit_s))


def _found(times: Distribution | None, share: float | None) -> Estimate | None:
    if times is None:
        return None
    return times.percentile(share) if share else times.mean_s


def time_elsewhere_s(wanted: Requirements) -> float:
    """Return the part of the latency budget, in seconds, that is split off for other hops than the fleet.

    Parts that speak of waiting, queueing, inference, prediction, scoring, generating or the model are the
    fleet's: those are simulated. The others are taken as they stand.
    """
    split = wanted.latency.split if wanted.latency else ()
    return math.fsum(p.time for p in split if not any(word in p.name.lower() for word in _IN_THE_FLEET))


def _shifted(estimate: Estimate, by_s: float) -> Estimate:
    return Estimate(estimate.value + by_s, estimate.low + by_s, estimate.high + by_s)


def _below(found: Estimate, limit: float) -> bool | None:
    if found.high < limit:
        return True
    return False if found.low >= limit else None


def _above(found: Estimate, limit: float) -> bool | None:
    if found.low >= limit:
        return True
    return False if found.high < limit else None


def _ages(flow: DataFlow, wanted: Requirements | None) -> Iterable[RequirementResult]:
    """Compare with its limit the worst age of each feature when its slowest stage misses one run."""
    general = wanted.freshness.features if wanted and wanted.freshness else None
    for feature in flow.features:
        limit_s = feature.sla if feature.sla is not None else general
        missed_s = max((_period_s(flow, name) for name in feature.stage_ids()), default=0.0)
        if limit_s is not None and missed_s:
            age_s = formulas.worst_age_in_outage_s(ages.stages_on_the_way(flow, feature), missed_s)
            asked = f"at most {show_seconds(limit_s)}, one run missed"
            yield RequirementResult(f"age of {feature.id}", asked, _certain(age_s), met=age_s <= limit_s)


def _certain(value: float) -> Estimate:
    return Estimate(value, math.nan, math.nan)


def _period_s(flow: DataFlow, name: str) -> float:
    stage = flow.stage(name)
    return stage.period or 0.0 if stage else 0.0


# ---------------------------------------------------------------- the rule and the formula beside it


def _beside(
    sizing: Sizing, scenario: Scenario | GenerationScenario, result: Result
) -> tuple[Comparison, ...]:
    if isinstance(scenario, GenerationScenario):
        return ()
    if sizing.plan.batching:
        return (Comparison("utilisation", scenario.utilisation, None, result.utilisation, "share"),)
    fleet, rate_rps, service_s = scenario.fleet, scenario.arrivals.rate_rps, scenario.service.mean_s
    queue = (fleet.replicas * fleet.concurrency, rate_rps, service_s)
    busy = formulas.utilisation(*queue)
    exact = (formulas.mean_wait_s, formulas.wait_percentile_s, formulas.response_percentile_s)
    wait, wait_p99, p99 = (formula(*queue) if busy < 1 else None for formula in exact)
    replicas = _certain(fleet.replicas)
    return (
        Comparison("utilisation", busy, busy, result.utilisation, "share"),
        Comparison("mean wait", None, wait, result.wait.mean_s),
        Comparison("p99 of the wait", None, wait_p99, result.wait.percentile(0.99)),
        Comparison("p99 of the latency", None, p99, result.p99_s),
        Comparison(
            "replicas", sizing.need(headroom=sizing.headroom.value), _staffed(scenario), replicas, "count"
        ),
    )


def _staffed(scenario: Scenario) -> float:
    """Return the fewest replicas of M/M/c whose p99 wait is at most half a service time."""
    service_s = scenario.service.mean_s
    servers = formulas.servers_for_wait(scenario.arrivals.rate_rps, service_s, service_s / 2)
    return math.ceil(servers / scenario.fleet.concurrency)


def _used(sizing: Sizing, incidents: Sequence[str]) -> Iterable[Decision]:
    """Yield the decisions that this simulation uses and that a design may leave open."""
    yield sizing.sequences if sizing.plan.generation else sizing.headroom
    yield from (sizing.surge for name in incidents if name == "surge")
    yield from (sizing.restart_share for name in incidents if name == "rolling restart")


def _notes(
    design: Design, sizing: Sizing, scenario: Scenario | GenerationScenario, incidents: Sequence[str]
) -> Iterable[str]:
    plan = sizing.plan
    yield from (one.assumption for one in _used(sizing, incidents) if one.assumption)
    if "rolling restart" in incidents and not sizing.down_in_restart:
        yield (
            f"{show_share(sizing.restart_share.value)} of {plan.replicas} replicas is less than one: each new replica "
            "starts before an old one stops, and the rolling restart takes none away."
        )
    if "stale pipeline" in incidents:
        yield STALE
        if not any(stage.period for stage in (design.dataflow.stages if design.dataflow else ())):
            yield "Nothing in the data flow runs on a period, so that no run can be missed and no age grows."
    if isinstance(scenario, GenerationScenario):
        yield (
            "Steps and prompts take what the roofline allows, with half of the dense compute for prompts; prompt "
            "and output lengths are lognormal with an SCV of 1. A real engine is slower. Nobody gives up waiting."
        )
        return
    patience = scenario.clients
    if patience.timeout_s < math.inf:
        again = (
            f"try again at once, {patience.retries} times at most" if patience.retries else "do not try again"
        )
        yield (
            f"Callers give up {show_seconds(patience.timeout_s)} after they called, as the flow to {plan.component} "
            f"says, and {again}. The fleet works on what they gave up."
        )
    if plan.routing is None:
        yield "capacity.routing is not given: simulated with a central queue."
    if plan.batching:
        return
    yield (
        "The formula is exact for Poisson arrivals, exponential service and one central queue, without incidents; "
        "its replicas keep the p99 wait within half a service time."
    )
    given, service = plan.service_time, scenario.service
    if given and isinstance(service, Measured):
        yield (
            f"{len(service.sample_s):,} measured service times, with a mean of {show_seconds(service.mean_s)}; the "
            f"design says {show_seconds(given.mean)}."
        )
    elif given and given.known_scv is None:
        yield "The spread of the service time is not given: simulated with an SCV of 1."


# ---------------------------------------------------------------- tables


def _numbers(estimate: Estimate) -> dict[str, Any]:
    values = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
