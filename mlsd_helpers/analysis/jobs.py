"""What runs by the clock: the row of jobs from the start of a run to its result, and how long they take.

A job belongs to the row when it starts as often as the whole run does, or when the one before it ends.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum, isclose

from mlsd_helpers.analysis.ages import CARRY_DATA, Branches, branches_of
from mlsd_helpers.analysis.graph import (
    components_by_id,
    heaviest_way,
    own_flows,
    reached,
    steps_along,
    steps_back,
    waiting_flows,
)
from mlsd_helpers.analysis.paths import stages_of
from mlsd_helpers.analysis.people import brought_to
from mlsd_helpers.analysis.rates import calls_of_flows, is_of_each
from mlsd_helpers.analysis.request import calls_by_component, longest_calls_s
from mlsd_helpers.design import Component, Design, Feature, FleetPlan, Planes, Schedule, ServingPath
from mlsd_helpers.design import Stage as DesignedStage

_SIMILAR = 0.01  # relative: a day, or 24 hours less a few minutes


@dataclass(frozen=True)
class Job:
    """One job of a run: its name, where its time is stated, how long it takes, and whether it can go on half-way."""

    name: str
    where: str
    time_s: float
    resumable: bool = False
    stated_s: float | None = None
    """What the design states, where its fleet takes longer for all items by service time and replicas."""
    component: str | None = None
    """What works on it."""


@dataclass(frozen=True)
class Run:
    """A run by the clock: the longest row of jobs that its result waits for, from its input to its hand-over."""

    schedule: Schedule
    jobs: tuple[Job, ...]
    scoring_known: bool
    """Whether the time of the scoring itself is among them."""

    @property
    def time_s(self) -> float:
        """From the start of the run to its result, in seconds, if nothing fails."""
        return fsum(job.time_s for job in self.jobs)

    @property
    def room_s(self) -> float | None:
        """The time that a run has, in seconds: to its deadline, and to the start of the next one."""
        limits = [time_s for time_s in (self.schedule.allowed, self.schedule.period) if time_s]
        return min(limits, default=None)


def run_of(design: Design) -> Run | None:
    """Return the jobs of a design with a schedule; None without one.

    >>> stages = [{"id": "export", "period": "1 d", "delays": "40 min"}]
    >>> stages += [{"id": "features", "delays": "1 h", "synchronised": True}]
    >>> feature = {"id": "turnover", "source": "ledger", "path": ["export", "features"]}
    >>> job = {"period": "1 d", "job_time": "2 h"}
    >>> run = run_of(Design(
    ...     name="d",
    ...     requirements={"schedule": {"period": "1 d", "deadline": "6 h"}},
    ...     dataflow={"stages": stages, "features": [feature]},
    ...     pattern={"paths": [{"id": "score", "pattern": "pre-computed", "precompute": job}]},
    ... ))
    >>> [job.name for job in run.jobs], run.time_s / 3600
    (['export', 'features', 'score'], 3.6666666666666665)
    """
    schedule = design.requirements.schedule if design.requirements else None
    if schedule is None:
        return None
    scoring, preparing = _scoring(design), _preparing(design, schedule)
    scored = {job.component for job in scoring if job.component}
    before = [job for job in preparing if job.component not in scored]
    same = [job for job in preparing if job.component in scored]
    scoring = tuple(_longer(job, [one for one in same if one.component == job.component]) for job in scoring)
    return Run(schedule, (*before, *scoring, *_handing_over(design, schedule)), bool(scoring))


def _longer(job: Job, stages: Sequence[Job]) -> Job:
    """Return the job of a path, with the time of the stages that describe the same step where these take longer."""
    stages_s = fsum(one.time_s for one in stages)
    return (
        replace(job, time_s=stages_s, stated_s=None, where=stages[0].where) if stages_s > job.time_s else job
    )


def _preparing(design: Design, schedule: Schedule) -> tuple[Job, ...]:
    """Return the longest row of stages that features pass in the run."""
    flow = design.dataflow
    if flow is None:
        return ()
    stages = {stage.id: stage for stage in flow.stages}
    period_s = schedule.period or max((stage.period or 0.0 for stage in flow.stages), default=0.0)
    read_at = _read_by_scoring(design)
    rows = [
        _row(
            [
                max(branches, key=lambda way: _time_s(way, stages))
                for branches in _until(feature, read_at, stages)
            ],
            stages,
            period_s,
        )
        for feature in flow.features
    ]
    return max(rows, key=lambda row: fsum(job.time_s for job in row), default=())


def _read_by_scoring(design: Design) -> set[str]:
    """Return the components whose data reach what scores in runs; none where no data are drawn into it."""
    planes, paths = design.planes or Planes(), design.pattern.paths if design.pattern else ()
    scoring = {path.component for path in paths if path.component and path.pattern == "pre-computed"}
    scoring |= {one.id for one in planes.components if one.kind == "batch scorer"}
    carrying = [flow for flow in planes.flows if flow.carries in {*CARRY_DATA, "features"}]
    scoring = scoring or reached(planes.named_entries, steps_along(carrying))
    read_at = reached(scoring, steps_back(carrying))
    return read_at if read_at > scoring else set()


def _until(feature: Feature, read_at: set[str], stages: dict[str, DesignedStage]) -> list[Branches]:
    """Return the steps of a feature's path up to where a run reads it: it goes on to a store for requests alone.

    A feature none of whose steps lead to what scores is one for requests, and no part of the run.
    """
    steps = list(branches_of(feature))
    read = [
        number
        for number, branches in enumerate(steps, start=1)
        if any(stages[name].component in read_at for way in branches for name in way)
    ]
    if read:
        return steps[: max(read)]
    drawn = all(stages[name].component for name in feature.stage_ids())
    return [] if drawn and read_at else steps


def _time_s(way: tuple[str, ...], stages: dict[str, DesignedStage]) -> float:
    return fsum(delay for name in way for delay in stages[name].delays)


def _row(ways: list[tuple[str, ...]], stages: dict[str, DesignedStage], period_s: float) -> tuple[Job, ...]:
    """Return the end of a feature's path that runs within the run; a stage with a clock of its own begins anew."""
    row: list[Job] = []
    begun = False
    for stage in (stages[name] for way in ways for name in way):
        follows = stage.synchronised or stage.period is None
        begun = begun if follows else isclose(stage.period or 0.0, period_s, rel_tol=_SIMILAR)
        if begun:
            row.append(_of_stage(stage))
        else:
            row.clear()
    return tuple(row)


def _of_stage(stage: DesignedStage) -> Job:
    return Job(stage.id, f"dataflow.stages.{stage.id}.delays", fsum(stage.delays), component=stage.component)


def _handing_over(design: Design, schedule: Schedule) -> tuple[Job, ...]:
    """Return the stages on the longest way that results take after the scoring, where no feature passes them."""
    flow, planes = design.dataflow, design.planes
    if flow is None or planes is None:
        return ()
    scorers = _scorers(design)
    passed = {name for feature in flow.features for name in feature.stage_ids()}
    planes_of = {one.id: one.plane for one in planes.components}
    after = defaultdict[str, list[DesignedStage]](list)
    for stage in flow.stages:
        in_run = stage.synchronised or not stage.period or not schedule.period
        in_run = in_run or isclose(stage.period or 0.0, schedule.period or 0.0, rel_tol=_SIMILAR)
        if stage.component and stage.component not in scorers and stage.id not in passed and in_run:
            after[stage.component].append(stage)
    results = [
        one
        for one in planes.flows
        if one.carries in {"predictions", "batch", "events", "request"}
        and {planes_of[one.start], planes_of[one.end]} <= {"serving", "data"}
    ]
    told = reached(scorers, steps_along(one for one in results if one.carries == "predictions"))
    way = heaviest_way(
        [one for one in results if one.start in told],
        lambda name: fsum(delay for stage in after[name] for delay in stage.delays),
        lambda _: 1e-9,  # of two ways alike, one that goes on
    )
    names = dict.fromkeys(name for one in way for name in (one.start, one.end))
    return tuple(_of_stage(stage) for name in names for stage in after[name])


def _scorers(design: Design) -> set[str]:
    """Return the components that score in the runs of a design, or of a workload."""
    paths = design.pattern.paths if design.pattern else ()
    named = {path.component for path in paths if path.component and path.pattern == "pre-computed"}
    kinds = {one.id: one.kind for one in design.planes.components} if design.planes else {}
    entries = design.planes.named_entries if design.planes else ()
    named |= {name for name in entries if kinds.get(name) == "batch scorer"}
    return named or {name for name, kind in kinds.items() if kind == "batch scorer"}


def _scoring(design: Design) -> tuple[Job, ...]:
    """Return the longest job of each stage of the pattern, in order; stages of the data flow where there is none."""
    pattern = design.pattern
    found = [
        [job for one in stage for path in one.paths if (job := _scored(design, path))]
        for stage in (stages_of(pattern).values() if pattern else ())
    ]
    jobs = tuple(max(row, key=lambda job: job.time_s) for row in found if row)
    return jobs or _scoring_stages(design)


def _scored(design: Design, path: ServingPath) -> Job | None:
    """Return the job of a path: it takes what is stated, and no less than its fleet needs for all items."""
    job = path.precompute
    if path.pattern != "pre-computed":
        return None
    stated_s, needed_s = job.job_time if job else None, computed_s(design, path)
    if stated_s is None and needed_s is None:
        return None
    time_s = max(stated_s or 0.0, needed_s or 0.0)
    where = f"pattern.paths.{path.id}.precompute.job_time"
    over_s = stated_s if stated_s is not None and time_s > stated_s else None
    return Job(path.id, where, time_s, bool(job and job.resumable), over_s, path.component)


def _scoring_stages(design: Design) -> tuple[Job, ...]:
    """Return stages that run on a batch scorer and make no feature."""
    flow, planes = design.dataflow, design.planes
    if flow is None or planes is None:
        return ()
    scorers = {one.id for one in planes.components if one.kind == "batch scorer"}
    passed = {name for feature in flow.features for name in feature.stage_ids()}
    return tuple(
        _of_stage(stage)
        for stage in flow.stages
        if stage.component in scorers and stage.id not in passed and stage.delays
    )


def items_of(design: Design, path: ServingPath) -> int | None:
    """Return how many items a run scores: as the schedule says, or as many as the path has keys."""
    schedule = design.requirements.schedule if design.requirements else None
    return schedule.items if schedule and schedule.items is not None else path.keys


def fleet_of(design: Design, path: ServingPath) -> tuple[str, FleetPlan] | None:
    """Return the plan of the fleet that computes a path, with its place.

    That is the fleet of the path's component. Where it has none, the only fleet, unless the path and the fleet name
    different components and the sketch shows no call from the one to the other.

    >>> plan = {"component": "model", "replicas": 2}
    >>> paths = [{"id": name, "component": name, "pattern": "pre-computed"} for name in ("model", "scorer")]
    >>> design = Design(name="d", capacity=plan, pattern={"paths": paths})
    >>> [fleet_of(design, path) is not None for path in design.pattern.paths]
    [True, False]
    """
    fleets = list(design.fleets.items())
    if path.component is None:
        return fleets[0] if len(fleets) == 1 else None
    named = [one for one in fleets if one[1].component == path.component]
    if named or len(fleets) != 1:
        return next(iter(named), None)
    made = calls_by_component(design.planes).values() if design.planes else ()
    first = [
        call.flow for calls in made for call in calls
    ]  # what is only tried after others does not do the work
    by_path = reached([path.component], steps_along(first))
    only = fleets[0]
    return only if only[1].component is None or only[1].component in by_path else None


def computed_s(design: Design, path: ServingPath) -> float | None:
    """Return how long the fleet of a path works on all items of a run, in seconds; None where something is missing.

    That is items × service time ÷ (replicas × requests at a time), by the definition of the service time.
    """
    items, found = items_of(design, path), fleet_of(design, path)
    if not items or found is None:
        return None
    plan = found[1]
    if plan.service_time is None or not plan.replicas:
        return None
    return items * plan.service_time.mean / (plan.replicas * plan.concurrency_per_replica)


def at_quota_s(one: Component, calls: float) -> float:
    """Return the time that so many calls take at the quota of a component, in seconds; 0 where it has none for all."""
    if one.quota is None or is_of_each(one.quota.per):
        return 0.0
    limits = [(one.quota.requests, 1.0)]
    if one.tokens:
        limits.append((one.quota.tokens, float(one.tokens.input + one.tokens.output)))
    return max((calls * each / limit for limit, each in limits if limit), default=0.0)


def slowest_quota(design: Design, run: Run) -> tuple[str, float]:
    """Return what limits a run most by its quota, and how long all calls of the run take there, in seconds."""
    known = components_by_id(design.planes) if design.planes else {}
    items = run.schedule.items or 0
    times = {
        name: at_quota_s(known[name], items * each) for name, each in calls_per_item(design, run).items()
    }
    name = max(times, key=times.__getitem__, default="")
    return name, times.get(name, 0.0)


def waits_of_calls(design: Design, run: Run) -> tuple[float, str]:
    """Return how long the jobs of a run may wait for one call of each kind, and which component may wait longest."""
    if design.planes is None:
        return 0.0, ""
    paths = {path.id: path.component for path in (design.pattern.paths if design.pattern else ())}
    known, calls = components_by_id(design.planes), calls_by_component(design.planes)
    jobs = {paths.get(job.name) for job in run.jobs}
    waits = {name: longest_calls_s(known[name], calls.get(name, ())).most_s for name in jobs if name in known}
    return fsum(waits.values()), max(waits, key=waits.__getitem__, default="")


def calls_per_item(design: Design, run: Run) -> dict[str, float]:
    """Return how many calls of each component a run makes for one of its items, as far as the sketch shows them.

    They are requests, and features that somebody else's service delivers, by what works on the run's jobs, and what
    these calls lead to. What is read or delivered as a batch is one call for all items, and is left out.
    """
    planes = design.planes
    if planes is None:
        return {}
    known = components_by_id(planes)
    scorers = _scorers(design)
    if planes.named_entries:
        scorers &= brought_to(planes)
    starts = {job.component for job in run.jobs if job.component in known} | scorers
    asked = [flow for _, flow in waiting_flows(planes)]
    asked += [
        flow.changed(start=flow.end, end=flow.start)
        for _, flow in own_flows(planes)
        if flow.carries == "features"
        and flow.end in starts
        and known[flow.start].kind == "external service"
        and known[flow.end].plane == "data"
    ]
    later = {flow.otherwise for flow in asked if flow.otherwise}
    made = [flow for flow in asked if flow.id is None or flow.id not in later or flow.share is not None]
    inner = reached({flow.end for flow in made if flow.start in starts}, steps_along(made))
    first = {name for name in starts if name not in inner}
    return calls_of_flows(first or starts, made)
