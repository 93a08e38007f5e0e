"""Compare a design with its requirements: each met or missed, with intervals, rule of thumb and formula."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from mlsd_helpers import formulas
from mlsd_helpers.analysis.graph import reached, steps_along, waiting_flows
from mlsd_helpers.analysis.jobs import run_of
from mlsd_helpers.analysis.paths import burstiness_of, peak_rps, together
from mlsd_helpers.analysis.prediction import Prediction, predict, state_during
from mlsd_helpers.analysis.promises import Rise, rising
from mlsd_helpers.analysis.sizing import Decision, Sizing, sizings
from mlsd_helpers.analysis.surroundings import (
    Callers,
    Fallbacks,
    callers_of,
    no_fleet_waited_for,
    reaches,
    share_reaching,
    somebody_waits,
    unplanned_models,
)
from mlsd_helpers.analysis.whole import Elsewhere
from mlsd_helpers.design import Design
from mlsd_helpers.design.workloads import path_in
from mlsd_helpers.errors import DesignError
from mlsd_helpers.printable import one_line
from mlsd_helpers.simulation import generation, running
from mlsd_helpers.simulation.from_design import STALE, IncidentName, scenario_of, sizing_at
from mlsd_helpers.simulation.generation import GenerationScenario
from mlsd_helpers.simulation.requirements import (
    Doubts,
    RequirementResult,
    ages_after_a_missed_run,
    answered_of,
    by_fallback,
    by_the_clock,
    exactly,
    fallback_notes,
    judge,
    not_simulated,
    open_fields,
    overloaded,
    served_by_service_time,
    served_of,
    shown_in,
    while_rising,
    with_acceptances,
)
from mlsd_helpers.simulation.result import Estimate, Result, show_share
from mlsd_helpers.simulation.scenario import Measured, OverloadError, Scenario
from mlsd_helpers.simulation.tables import Row, table_as_html, table_as_text
from mlsd_helpers.units import show_seconds

REPLICATIONS = 10
MOST_BY_DEFAULT = 10_000_000
"""Requests that are simulated at most where the caller names no number."""
_WARM_UP, _LONGEST_WARM_UP = 0.2, 0.5  # shares of the requests
_WARM_UP_A_SLOT = 20  # requests in the warm-up for each slot of the fleet
_FEWEST_A_SLOT = 5  # below it, no verdict
_FEWEST_BEYOND = 5  # requests beyond a percentile in each replication; below it, no verdict
Table = tuple[Row, list[Row]]
AnyScenario = Scenario | GenerationScenario


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
        show = shown_in(self.unit)
        rule, formula = ("does not say" if each is None else show(each) for each in (self.rule, self.formula))
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
    results: tuple[tuple[str, Result], ...]
    """What was simulated: one result, or one for each routing where the design decides none; none on overload."""
    notes: tuple[str, ...] = ()
    by_fallback: Estimate | None = None
    """The share of requests that a fallback answers; None where none is declared."""
    left_out: tuple[str, ...] = ()
    """Fleets of the design that were not simulated: without them nothing is met as a whole."""
    not_judged: tuple[str, ...] = ()
    """Places of the promises that no simulation judges, but the review does."""

    @property
    def result(self) -> Result:
        """The only result, or that of the worst usual routing."""
        return self.results[0][1]

    @property
    def met(self) -> bool | None:
        """Whether every requirement that a simulation judges is met: False where one is missed, None where one is open.

        None also where nothing is required that was judged, and where a fleet of the design was left out.
        """
        found = {each.met for each in self.verdicts} | ({None} if self.left_out else set())
        return False if False in found else None if None in found or not found else True

    def text(self) -> str:
        """Return the report as plain text."""
        tables = [table_as_text([head, *rows]) for head, rows in self._tables()]
        results = [f"{name}\n{result.text()}" if name else result.text() for name, result in self.results]
        words = map(one_line, self._words())
        return "\n\n".join([one_line(self._title()), *tables, *words, *results])

    def _words(self) -> list[str]:
        """Return the reasons of verdicts, then the notes."""
        return [*filter(None, (each.because for each in self.verdicts)), *self.notes]

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
                    "why": each.why,
                    "accepted": each.accepted,
                    "unit": each.unit,
                }
                | _numbers(each.found)
                | ({"best": _numbers(each.best)} if each.best else {})
                for each in self.verdicts
            ],
            "beside": [
                {"figure": each.figure, "rule": each.rule, "formula": each.formula, "unit": each.unit}
                | _numbers(each.simulated)
                for each in self.beside
            ],
            "not_judged": list(self.not_judged),
            "answered_by_fallback": _numbers(self.by_fallback) if self.by_fallback else None,
            "notes": [*self.notes, *(note for _, result in self.results for note in result.notes)],
        }

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        tables = "".join(table_as_html(rows, head) for head, rows in self._tables())
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._words())
        results = "".join(f"<p>{escape(name)}</p>{result._repr_html_()}" for name, result in self.results)
        return f"<p><strong>{escape(self._title())}</strong></p>{tables}{notes}{results}"


def _numbers(estimate: Estimate) -> dict[str, Any]:
    values = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def report(
    design: Design,
    *,
    seed: int,
    requests: int | None = None,
    incidents: Sequence[IncidentName] = (),
    folder: Path | None = None,
    fleet: str | None = None,
    progress: running.Progress | None = None,
) -> Report:
    """Simulate a fleet of a design and compare the result with the design's requirements.

    `fleet` is its place in the design or its id. It may be left out where there is only one; `reports` simulates all.

    Incidents by name, see `from_design`; they begin when measuring does and last to the end, so that every figure
    is one *during* the incident. `requests` are shared among ten replications. The default is 500,000, and more for
    a large fleet or an autoscaler, up to `MOST_BY_DEFAULT`. `folder` as in `from_design`.

    A requirement is met or missed where the whole interval lies on one side of the limit. Where the design leaves
    open what matters (the routing, how far service times spread, the parts of the latency that are the fleet's), each
    reading is computed, and the verdict is given where all agree. Where the offered load exceeds the capacity and
    nothing bounds the queue, every requirement of the latency and of the answers is missed, and nothing is simulated.
    There is no verdict where the run is too short for the fleet.
    """
    if design.views:
        raise DesignError(
            "The design has several workloads, each with promises of its own. Call reports(), or give the view of one: "
            f"{', '.join(f'design.views[{at}]' for at in range(len(design.views)))}."
        )
    if fleet is None and len(design.fleets) > 1:
        raise DesignError(f"The design has several fleets. Name one of: {', '.join(design.fleets)}.")
    sizing = sizing_at(design, fleet)
    left_out = [path for path in design.fleets if path != sizing.path]
    wanted = _Wanted(requests, incidents, folder)
    one = _Simulated.of(design, sizing, seed, wanted, progress)
    return _in_words_of_design(design, _report(design, one, [one], left_out, wanted))


def _in_words_of_design(design: Design, found: Report) -> Report:
    """Return a report in which paths of a workload's view are those of the design."""
    if design.workload is None:
        return found
    of = design.workload.id
    return replace(
        found,
        verdicts=tuple(replace(one, why=path_in(of, one.why)) for one in found.verdicts),
        notes=tuple(path_in(of, note) for note in found.notes),
        not_judged=tuple(path_in(of, place) for place in found.not_judged),
    )


class _Wanted(NamedTuple):
    """How a caller wants a simulation."""

    requests: int | None
    incidents: Sequence[IncidentName]
    folder: Path | None


@dataclass
class _Simulated:
    """A fleet with its runs, one for each reading of its plan; none where it is overloaded."""

    sizing: Sizing
    runs: list["_Run"]
    incidents: Sequence[IncidentName]
    overload: OverloadError | None = None
    backlog: OverloadError | None = None
    """The overload of a fleet whose callers give up and have a fallback: its queue grows, however long is simulated."""

    @classmethod
    def of(
        cls, design: Design, sizing: Sizing, seed: int, wanted: _Wanted, progress: running.Progress | None
    ) -> "_Simulated":
        try:
            runs = [_Run.of(design, one, name, *wanted) for name, one in _variants(sizing)]
        except OverloadError as overload:
            return cls(sizing, [], wanted.incidents, overload)
        backlog = runs[0].backlog
        if backlog and not Fallbacks.of(design, sizing.plan).answer:
            return cls(sizing, [], wanted.incidents, backlog)
        for number, run in enumerate(runs):
            run.simulate(seed, _part_of(progress, number, len(runs)))
        return cls(sizing, runs, wanted.incidents, backlog=backlog)

    def served(self, design: Design) -> list[Estimate]:
        """Return the share of its requests that the fleet serves in time, under each reading."""
        if self.overload:
            return [exactly(1 / self.overload.utilisation)]
        if self.backlog:
            return [exactly(0.0), exactly(1 / self.backlog.utilisation)]
        callers = callers_of(design, self.sizing.plan)
        found = [served_of(run.result, callers.timeout_s) for run in self.runs]
        if callers.timeout_s < math.inf or self.sizing.plan.queue_limit is not None:
            found = [_none_lost(share, run.result) for share, run in zip(found, self.runs, strict=True)]
        declared = _declared(design, self.sizing, self.incidents)
        return [*found, *(served_by_service_time(declared, self.sizing, callers) if declared else ())]

    @property
    def longest_s(self) -> float:
        """How long the fleet takes at p99.9 under its worst reading, in seconds."""
        slow = [run.result.latency.percentile(0.999).value for run in self.runs if run.result.latency.size]
        return max(slow, default=0.0)


def _served_by_component(
    design: Design, fleets: Sequence[_Simulated]
) -> tuple[dict[str, list[Estimate]], dict[str, float]]:
    """Return what the fleets of each component serve together under each reading, and how long they take at most."""
    by_component: dict[str, list[_Simulated]] = {}
    for one in fleets:
        if somebody_waits(design, one.sizing.plan):
            by_component.setdefault(one.sizing.plan.component or "", []).append(one)
    served = {
        name: [_together(same, [end(one.served(design)) for one in same]) for end in (_worst, _best)]
        for name, same in by_component.items()
    }
    return served, {name: max(one.longest_s for one in same) for name, same in by_component.items()}


def _none_lost(share: Estimate, result: Result) -> Estimate:
    """Return a share that may be below 1 although no request was lost: by the rule of three, at 95 %.

    Source: J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983).
    """
    return replace(share, low=1 - 3 / sum(result.arrived_each), high=1.0) if share.value == 1 else share


def _worst(served: Sequence[Estimate]) -> Estimate:
    return min(served, key=lambda each: each.value)


def _best(served: Sequence[Estimate]) -> Estimate:
    return max(served, key=lambda each: each.value)


def _only_of_served(result: Result) -> Iterable[str]:
    """Say whose percentiles are shown, where some requests are not served."""
    if result.latency.size < sum(result.arrived_each) and show_share(result.served.value) != show_share(1.0):
        yield (
            f"Percentiles of the fleet below are of the {result.served.as_text(show_share)} of requests that it "
            "serves; the verdict on latency, and what is predicted without timeouts, is of all."
        )


def _together(fleets: Sequence[_Simulated], served: Sequence[Estimate]) -> Estimate:
    """Return what fleets of one component serve of all requests, each by its load."""
    if len(fleets) == 1:
        return served[0]
    loads = [one.sizing.load_rps or 0.0 for one in fleets]

    def mean(values: Iterable[float]) -> float:
        pairs = zip(loads, values, strict=True)
        return math.fsum(load * value for load, value in pairs) / (math.fsum(loads) or 1.0)

    ends = [
        [each.value if math.isnan(each.low) else (each.low, each.high)[end] for each in served]
        for end in (0, 1)
    ]
    return Estimate(mean(each.value for each in served), mean(ends[0]), mean(ends[1]))


def _report(
    design: Design,
    one: _Simulated,
    fleets: Sequence[_Simulated],
    left_out: Sequence[str],
    wanted: _Wanted,
) -> Report:
    """Return the report on one fleet; `fleets` are all that were simulated, itself included."""
    incidents, folder = wanted.incidents, wanted.folder
    sizing, runs = one.sizing, one.runs
    if one.overload:
        return _overloaded(design, sizing, one.overload, incidents, folder)
    elsewhere, fallbacks = (
        Elsewhere.of(design, sizing.plan, during=incidents),
        Fallbacks.of(design, sizing.plan),
    )
    results = [(run.name, run.result) for run in runs]
    served, fleets_s = _served_by_component(design, fleets)
    answers = answered_of(design, served, fleets_s, zone_lost="zone loss" in incidents)
    verdicts = judge(design, sizing, results, answers, _doubts(design, one, left_out, incidents))
    verdicts += while_rising(design, sizing, _assumed_rise(sizing, runs))
    verdicts += by_the_clock(design, incidents)
    if "stale pipeline" in incidents:
        verdicts += ages_after_a_missed_run(design)
    first = runs[0]
    timeout_s = callers_of(design, sizing.plan).timeout_s
    answered = by_fallback(first.result, timeout_s, elsewhere.at_once) if fallbacks.answer else None
    unjudged = not_simulated(design)
    notes = (
        *_load_note(design, sizing),
        *_notes(design, sizing, first.scenario, incidents, folder),
        *elsewhere.notes,
        *fallback_notes(fallbacks, answered),
        *_only_of_served(first.result),
        *(_readings_note(sizing) if len(runs) > 1 else ()),
        *_left_out(design, sizing, left_out),
        *([f"Not judged here, but by mlsd check: {', '.join(unjudged)}."] if unjudged else ()),
    )
    return Report(
        design=_title(design, sizing),
        incidents=tuple(incidents),
        verdicts=tuple(with_acceptances(design, sizing, verdicts, datetime.now(UTC).date())),
        beside=_comparisons(sizing, first.scenario, first.result),
        results=tuple(results),
        notes=notes,
        by_fallback=answered,
        left_out=tuple(left_out),
        not_judged=unjudged,
    )


def _load_note(design: Design, sizing: Sizing) -> Iterable[str]:
    """Say which load was simulated, and why."""
    if sizing.load_rps is None:
        return
    load = f"Simulated load: {sizing.load_rps:,.6g} requests/s at {sizing.plan.component or 'the fleet'}"
    if sizing.underestimated:
        peak = together(design, peak_rps) or 0.0
        yield (
            f"{load}. {sizing.path}.load says {sizing.plan.load:,.6g}, and a peak of {peak:,.6g} brings more, by the "
            "calls of the sketch and by what caches and stored answers take."
        )
    else:
        yield f"{load}, from {sizing.load_path}."


def _doubts(
    design: Design, one: "_Simulated", left_out: Sequence[str], incidents: Sequence[IncidentName]
) -> Doubts:
    """Say why the runs of a fleet are no ground for a verdict, or for none that something is met."""
    sizing, runs, plan = one.sizing, one.runs, one.sizing.plan
    others = [path for path in left_out if somebody_waits(design, design.fleets[path])]
    unplanned = f"the fleets {', '.join(others)} are not simulated" if others else ""
    limited = plan.generation and plan.queue_limit is not None
    return Doubts(
        all=next(filter(None, (run.too_short() for run in runs)), ""),
        answered=unplanned or ("the queue_limit of a generation is not simulated" if limited else ""),
        percentile=lambda share: next(filter(None, (run.too_few(share) for run in runs)), ""),
        rise=None if _assumed_rise(sizing, runs) else rising(sizing, _busy(runs)),
        during=tuple(_changing(incidents)),
        backlog=one.backlog is not None,
        declared=_declared(design, sizing, incidents),
    )


def _busy(runs: Sequence["_Run"]) -> float | None:
    """Return how many replicas a generation keeps busy, by its tokens; None for other fleets."""
    scenario = runs[0].scenario
    return scenario.utilisation * scenario.replicas if isinstance(scenario, GenerationScenario) else None


def _assumed_rise(sizing: Sizing, runs: Sequence["_Run"]) -> Rise | None:
    """Return what answers if load jumps, of a generation, whose autoscaler is not simulated."""
    busy = _busy(runs)
    rise = None if busy is None else rising(sizing, busy)
    return rise if rise and rise.assumed else None


def _title(design: Design, sizing: Sizing) -> str:
    name = design.name if len(design.fleets) == 1 else f"{design.name}: {sizing.path}"
    return f"{name}, workload {design.workload.id}" if design.workload else name


def _retries(callers: Callers) -> str:
    """Say how callers try again."""
    unknown = f"after a pause ({callers.pause}; how long is not stated, and none is simulated)"
    pause = unknown if callers.pause else "at once"
    budget = (
        "" if callers.budget is None else f", and retry at most {show_share(callers.budget)} of the requests"
    )
    times = "once" if callers.retries == 1 else f"{callers.retries} times"
    return f"retry {pause}, {times} at most{budget}"


def _left_out(design: Design, sizing: Sizing, fleets: Sequence[str]) -> Iterable[str]:
    """Say what of a request was not simulated."""
    if fleets:
        yield (
            f"Left out: {', '.join(fleets)}. A verdict is about {sizing.path} alone, with the others as "
            "requirements.latency.split has them."
        )
    if bare := unplanned_models(design):
        yield f"Not simulated, for no fleet is planned for them: {', '.join(one.id for one in bare)}."
    share = share_reaching(design, sizing.load_rps) if sizing.path == "capacity" else 1.0
    if share < 1:
        yield (
            f"{show_share(1 - share)} of the requests are answered before they reach the fleet, and are taken as "
            "quicker: percentiles of all requests are lower ones of those that it answers."
        )


def reports(
    design: Design,
    *,
    seed: int,
    requests: int | None = None,
    incidents: Sequence[IncidentName] = (),
    folder: Path | None = None,
    fleet: str | None = None,
    progress: running.Progress | None = None,
) -> tuple[Report, ...]:
    """Simulate each fleet of a design, or the `fleet` that is named, one after the other; see `report`.

    Of a design with several workloads, each fleet for each workload that comes to it: under the load of all, against
    the promises of the one. A workload that comes to no fleet is judged by its run; where a fleet is named, it is left
    out.
    """

    def of(one: Design) -> Report:
        return report(
            one,
            seed=seed,
            requests=requests,
            incidents=incidents,
            folder=folder,
            fleet=fleet,
            progress=progress,
        )

    wanted = _Wanted(requests, incidents, folder)
    if design.views:
        each = [_of_workload(one, seed, wanted, progress, fleet) for one in design.views]
        waited = tuple(chain.from_iterable(each))
        own = [one for one in design.views if waited == () and reaches(one, sizing_at(one, fleet).plan)]
        return waited or tuple(map(of, own))
    if fleet is not None:
        return (of(design),)
    found = sizings(design) or {"": sizing_at(design, None)}
    fleets = [
        _Simulated.of(design, one, seed, wanted, _part_of(progress, number, len(found)))
        for number, one in enumerate(found.values())
    ]
    return _of_one_promise(design, fleets, [_report(design, one, fleets, (), wanted) for one in fleets])


def _of_workload(
    design: Design, seed: int, wanted: _Wanted, progress: running.Progress | None, fleet: str | None
) -> tuple[Report, ...]:
    """Simulate the fleets that a workload comes to while somebody waits; otherwise judge its run by arithmetic."""
    all_of_them = [
        one
        for one in sizings(design).values()
        if reaches(design, one.plan) and somebody_waits(design, one.plan)
    ]
    chosen = None if fleet is None else sizing_at(design, fleet).path
    own = [one for one in all_of_them if chosen in {None, one.path}]
    left_out = [one.path for one in all_of_them if one not in own]
    fleets = [
        _Simulated.of(design, one, seed, wanted, _part_of(progress, number, len(own)))
        for number, one in enumerate(own)
    ]
    if fleets or fleet is not None:
        each = [_report(design, one, fleets, left_out, wanted) for one in fleets]
        agreed = _of_one_promise(design, fleets, each)
        return tuple(_in_words_of_design(design, one) for one in agreed)
    verdicts = by_the_clock(design, wanted.incidents)
    if "stale pipeline" in wanted.incidents:
        verdicts += ages_after_a_missed_run(design)
    unjudged = not_simulated(design)
    run = run_of(design)
    by_jobs = "nobody waits for its runs, whose time is computed from their jobs and fleets"
    notes = [f"Nothing was simulated: {by_jobs if run and run.jobs else no_fleet_waited_for(design)}."]
    notes += [f"Not judged here, but by mlsd check: {', '.join(unjudged)}."] if unjudged else []
    name = f"{design.name}, workload {design.workload.id if design.workload else ''}"
    found = Report(name, tuple(wanted.incidents), tuple(verdicts), (), (), tuple(notes), not_judged=unjudged)
    return (_in_words_of_design(design, found),)


def _of_one_promise(
    design: Design, fleets: Sequence[_Simulated], found: Sequence[Report]
) -> tuple[Report, ...]:
    """Take back that a latency is met at one fleet where it is missed at another one on the way of the same requests.

    Each fleet is judged with the others as the design states them; what one takes in the simulation may be longer.
    """
    steps = steps_along(flow for _, flow in waiting_flows(design.planes)) if design.planes else {}
    names = [one.sizing.plan.component or "" for one in fleets]

    def missed_at(name: str, requirement: str) -> list[str]:
        return [
            other
            for other, report_ in zip(names, found, strict=True)
            if (other in reached([name], steps) or name in reached([other], steps))
            and any(each.requirement == requirement and each.met is False for each in report_.verdicts)
        ]

    def agreed(name: str, one: RequirementResult) -> RequirementResult:
        if not (one.met and one.requirement.startswith("latency")):
            return one
        others = missed_at(name, one.requirement)
        return replace(one, met=None, why=f"it is missed at {' and '.join(others)}") if others else one

    return tuple(
        replace(one, verdicts=tuple(agreed(name, each) for each in one.verdicts))
        for name, one in zip(names, found, strict=True)
    )


def expected_time_s(
    design: Design,
    requests: int | None = None,
    incidents: Sequence[IncidentName] = (),
    folder: Path | None = None,
) -> float:
    """Estimate how long `reports` takes on this machine, in seconds, from a short run of the first fleet."""
    tried = 400
    runs = [
        _Run.of(view, one, name, requests, incidents, folder)
        for view in design.views or (design,)
        for sizing in sizings(view).values()
        for name, one in _variants(sizing)
        if not view.workload or (reaches(view, sizing.plan) and somebody_waits(view, sizing.plan))
    ]
    if not runs:
        return 0.0
    started = time.perf_counter()
    _engine(runs[0].scenario)(runs[0].scenario, seed=0, requests=tried, replications=2)
    each_s = (time.perf_counter() - started) / tried
    return each_s * sum(run.requests for run in runs)


# ---------------------------------------------------------------- runs


def _engine(scenario: AnyScenario) -> Callable[..., Result]:
    return running.run if isinstance(scenario, Scenario) else generation.run


@dataclass
class _Run:
    """A scenario, how many requests are simulated of it, and what came out."""

    name: str
    scenario: AnyScenario
    requests: int
    warm_up: float
    result: Result = field(init=False)

    @classmethod
    def of(
        cls,
        design: Design,
        sizing: Sizing,
        name: str,
        requests: int | None,
        incidents: Sequence[IncidentName],
        folder: Path | None,
    ) -> "_Run":
        plain = scenario_of(design, sizing, folder=folder)
        needed = _warm_up_requests(plain)
        requests = requests or _enough(plain, needed)
        each = requests // REPLICATIONS
        warm_up = min(max(_WARM_UP, needed / max(each, 1)), _LONGEST_WARM_UP)
        at_s = each * warm_up / plain.arrivals.rate_rps
        scenario = scenario_of(design, sizing, incidents, at_s=at_s, folder=folder)
        if isinstance(scenario, Scenario):
            scenario.refuse_overload_in_incidents()
        return cls(name, scenario, requests, warm_up)

    def simulate(self, seed: int, progress: running.Progress | None) -> None:
        self.result = _engine(self.scenario)(
            self.scenario,
            seed=seed,
            requests=self.requests,
            replications=REPLICATIONS,
            warm_up=self.warm_up,
            progress=progress,
        )

    @property
    def backlog(self) -> OverloadError | None:
        """The overload for which a queue grows: nothing limits it, and callers who gave up are served all the same."""
        scenario = self.scenario
        if isinstance(scenario, GenerationScenario) or scenario.fleet.queue_limit is not None:
            return None
        return scenario.overload()

    def too_few(self, share: float) -> str:
        """Say why too few requests were measured for a percentile: some have to lie beyond it in each replication."""
        beyond = self.requests * (1 - self.warm_up) * (1 - share) / REPLICATIONS
        return "" if beyond >= _FEWEST_BEYOND else _give_few(share, self.requests * _FEWEST_BEYOND / beyond)

    def too_short(self) -> str:
        """Say why the run is too short for a verdict, if it is."""
        scenario, found = self.scenario, self.result.utilisation
        warm_up = self.requests // REPLICATIONS * self.warm_up
        if isinstance(scenario, GenerationScenario):
            least = 3 * self.result.mean_s.value * scenario.arrivals.rate_rps
            return _give_more(5 * least) if warm_up < least else ""
        slots = scenario.fleet.most_replicas * scenario.fleet.concurrency
        advice = _give_more(2 * max(warm_up, _warm_up_requests(scenario)))
        least = max(_FEWEST_A_SLOT * slots * min(1.0, scenario.utilisation), _settling_requests(scenario))
        if warm_up < least:
            return advice
        fleet = scenario.fleet
        if scenario.incidents or fleet.autoscaler or fleet.batching or scenario.clients.retries:
            return ""  # what is offered to the fleet is not known exactly
        offered = scenario.utilisation * (1 - self.result.counts.shed / self.result.counts.arrived)
        offered = min(offered, 1.0)  # an overloaded fleet is never busier than all the time
        # Twice the 95 % interval: one long enough run in 20 leaves the truth out of the interval itself.
        gap, half = abs(found.value - offered), (found.high - found.low) / 2
        return advice if gap > max(2 * half, 0.002 * offered) else ""


def _give_more(warm_up: float) -> str:
    requests = math.ceil(warm_up / _LONGEST_WARM_UP * REPLICATIONS)
    return f"the run is too short for this fleet; give --requests {requests}"


def _give_few(share: float, requests: float) -> str:
    enough = math.ceil(requests / 1000) * 1000
    return f"too few requests were simulated for p{100 * share:.4g}; give --requests {enough}"


def _part_of(progress: running.Progress | None, number: int, runs: int) -> running.Progress | None:
    """Return the progress of one of several runs as that of all."""
    if progress is None:
        return None
    return lambda done, of: progress(number * of + done, runs * of)


def _variants(sizing: Sizing) -> list[tuple[str, Sizing]]:
    """Return the fleet, or its worst and its best reading where the plan decides too little."""
    plan, missing = sizing.plan, open_fields(sizing.plan)
    if not missing:
        return [("", sizing)]
    best = "join the shortest queue" if plan.generation else "central queue"
    worst_plan, best_plan, names = plan, plan, (list[str](), list[str]())
    if "routing" in missing:
        worst_plan, best_plan = plan.changed(routing="random"), plan.changed(routing=best)
        names[0].append("Routing: random")
        names[1].append(f"Routing: {best}")
    if "service_time.scv" in missing and plan.service_time:
        constant = plan.service_time.changed(distribution="constant", scv=0)
        best_plan = best_plan.changed(service_time=constant)
        names[0].append("Service times with an SCV of 1")
        names[1].append("Constant service times")
    both = zip(names, (worst_plan, best_plan), strict=True)
    return [(", ".join(said), replace(sizing, plan=one)) for said, one in both]


def _readings_note(sizing: Sizing) -> Iterable[str]:
    plan, missing = sizing.plan, open_fields(sizing.plan)
    if "routing" in missing:
        best = "join the shortest queue" if plan.generation else "a central queue"
        why = "is not given" if plan.routing is None else f"{plan.routing!r} is not simulated for generation"
        yield f"{sizing.path}.routing {why}: simulated at random and with {best}; a verdict holds for both."
    if "service_time.scv" in missing:
        yield (
            f"The spread of {sizing.path}.service_time is not given: simulated with an SCV of 1 and with constant "
            "times; a verdict holds for both."
        )


def _warm_up_requests(scenario: AnyScenario) -> int:
    """Return how many requests one replication needs until its fleet is as full as it will be."""
    if isinstance(scenario, Scenario):
        slots = scenario.fleet.most_replicas * scenario.fleet.concurrency
        return max(_WARM_UP_A_SLOT * slots, math.ceil(2 * _settling_requests(scenario)))
    return math.ceil(5 * scenario.arrivals.rate_rps * scenario.longest_mean_latency_s)


def _settling_requests(scenario: Scenario) -> float:
    """Return how many requests arrive while the queue settles; a limited queue settles as the fleet fills."""
    if scenario.limited or scenario.utilisation >= 1:
        return 0.0
    return running.settling_time_s(scenario) * scenario.arrivals.rate_rps


def _enough(scenario: AnyScenario, warm_up: int) -> int:
    """Return the default number of requests: enough for a p99, the autoscaler, and the warm-up of each replication."""
    if isinstance(scenario, GenerationScenario):
        usual = 100_000.0
    else:
        scaler = scenario.fleet.autoscaler
        reactions_s = 5 * (scaler.delay_s + scaler.period_s) if scaler else 0
        usual = max(500_000, scenario.arrivals.rate_rps * reactions_s * REPLICATIONS)
    more = max(0, warm_up - _WARM_UP * usual / REPLICATIONS) * REPLICATIONS
    return int(min(usual + more, MOST_BY_DEFAULT))


# ---------------------------------------------------------------- overload


def _overloaded(
    design: Design,
    sizing: Sizing,
    overload: OverloadError,
    incidents: Sequence[IncidentName],
    folder: Path | None,
) -> Report:
    """Return the report on a fleet whose queue grows without limit: nothing needs to be simulated."""
    verdicts = overloaded(design, sizing, overload.utilisation, overload.backlog_rps)
    if "stale pipeline" in incidents:
        verdicts += ages_after_a_missed_run(design)
    need = sizing.need(headroom=sizing.headroom.value)
    note = (
        f"Overloaded: {overload.rate_rps:,.4g} requests/s arrive, and the fleet can serve "
        f"{overload.rate_rps - overload.backlog_rps:,.4g}. Nothing limits the queue, so it grows without end, and "
        "nothing was simulated. Add replicas, or limit the queue."
    )
    both = _two_service_times(design, sizing, incidents, folder)
    assumed = (one.assumption for one in _used(sizing, incidents) if one.assumption)
    return Report(
        design=_title(design, sizing),
        incidents=tuple(incidents),
        verdicts=tuple(with_acceptances(design, sizing, verdicts, datetime.now(UTC).date())),
        beside=()
        if need is None
        else (Comparison("replicas", need, None, exactly(sizing.plan.replicas or 0), "count"),),
        results=(),
        notes=(note, *both, *assumed),
    )


def _utilisations(
    design: Design, sizing: Sizing, incidents: Sequence[IncidentName], folder: Path | None
) -> tuple[float, float] | None:
    """Return the utilisation by the tokens and by the service time, where a plan gives both."""
    state = state_during(design, sizing, _changing(incidents))
    if not (sizing.plan.generation and sizing.seat_s and state and state.replicas):
        return None
    try:
        by_tokens = scenario_of(design, sizing, incidents, folder=folder).utilisation
    except OverloadError as overload:
        by_tokens = overload.utilisation
    return by_tokens, state.load_rps * sizing.seat_s / state.replicas


def _two_service_times(
    design: Design, sizing: Sizing, incidents: Sequence[IncidentName], folder: Path | None
) -> Iterable[str]:
    """Say which of two service times is simulated, and what both come to."""
    both = _utilisations(design, sizing, incidents, folder)
    if both is None or sizing.plan.service_time is None:
        return
    by_tokens, declared = both
    differ = abs(by_tokens - declared) > 0.1 * max(both)
    yield "The plan gives a service time and a part `generation`. The simulation uses `generation`, " + (
        f"which offers {show_share(by_tokens)} of the capacity; by the service time of "
        f"{show_seconds(sizing.plan.service_time.mean)} it is {show_share(declared)}."
        if differ
        else "and the service time agrees with it."
    )


def _declared(design: Design, sizing: Sizing, incidents: Sequence[IncidentName]) -> Prediction | None:
    """Predict by a plan's service time what was simulated of its generation; None where it does not give both."""
    state = state_during(design, sizing, _changing(incidents))
    if not sizing.plan.generation or not sizing.plan.service_time or state is None:
        return None
    return predict(sizing.plan, state, burstiness_of(design) or 1.0)


def _changing(incidents: Sequence[IncidentName]) -> list[IncidentName]:
    """Return the incidents that change what a fleet has to carry."""
    return [one for one in dict.fromkeys(incidents) if one != "stale pipeline"]


# ---------------------------------------------------------------- rule of thumb, formula, notes


def _comparisons(sizing: Sizing, scenario: AnyScenario, result: Result) -> tuple[Comparison, ...]:
    if isinstance(scenario, GenerationScenario):
        return ()
    if sizing.plan.batching:
        full = scenario.utilisation
        return (
            Comparison("load, in the largest batches", full, None, exactly(full), "share"),
            Comparison("share of the time in which replicas work", None, None, result.utilisation, "share"),
        )
    fleet, rate_rps, service_s = scenario.fleet, scenario.arrivals.rate_rps, scenario.service.mean_s
    queue = (fleet.replicas * fleet.concurrency, rate_rps, service_s)
    busy = formulas.utilisation(*queue)
    exact = (formulas.mean_wait_s, formulas.wait_percentile_s, formulas.response_percentile_s)
    wait, wait_p99, p99 = (formula(*queue) if busy < 1 else None for formula in exact)
    need = sizing.need(headroom=sizing.headroom.value)
    return (
        Comparison("utilisation", busy, busy, result.utilisation, "share"),
        Comparison("mean wait", None, wait, result.wait.mean_s),
        Comparison("p99 of the wait", None, wait_p99, result.wait.percentile(0.99)),
        Comparison("p99 of the latency", None, p99, result.p99_s),
        Comparison("replicas", need, _staffed(scenario), exactly(fleet.replicas), "count"),
    )


def _staffed(scenario: Scenario) -> float:
    """Return the fewest replicas of M/M/c whose p99 wait is at most half a service time."""
    service_s = scenario.service.mean_s
    servers = formulas.servers_for_wait(scenario.arrivals.rate_rps, service_s, service_s / 2)
    return math.ceil(servers / scenario.fleet.concurrency)


def _used(sizing: Sizing, incidents: Sequence[IncidentName]) -> Iterable[Decision]:
    """Yield the decisions that this simulation uses and that a design may leave open."""
    yield sizing.sequences if sizing.plan.generation else sizing.headroom
    yield from (sizing.surge for name in incidents if name == "surge")
    yield from (sizing.restart_share for name in incidents if name == "rolling restart")


def _notes(
    design: Design,
    sizing: Sizing,
    scenario: AnyScenario,
    incidents: Sequence[IncidentName],
    folder: Path | None,
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
        yield from _two_service_times(design, sizing, incidents, folder)
        left_out = [name for name in ("queue_limit", "autoscaler", "batching") if getattr(plan, name)]
        yield (
            "Steps and prompts take what the roofline allows, with half of the dense compute for prompts; prompt "
            "and output lengths are lognormal with an SCV of 1. A real engine is slower. Utilisation is the share of "
            "the time in which a replica works on at least one sequence: it is high long before the fleet is full."
        )
        if left_out:
            at = f"; verdicts are at the planned {plan.replicas} replicas" if plan.autoscaler else ""
            yield f"Not simulated for generation: {', '.join(left_out)}{at}."
        return
    callers = scenario.clients
    if callers.timeout_s < math.inf:
        again = _retries(callers_of(design, plan)) if callers.retries else "do not retry"
        yield (
            f"Calls time out after {show_seconds(callers.timeout_s)}, as the flow to {plan.component} says, and "
            f"{again}. The fleet still works on calls that timed out."
        )
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
