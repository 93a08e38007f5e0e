"""How old each feature of a design is when the model reads it, from the stages that it passes.

A path turns into the stages of `mlsd_helpers.formulas.age_bounds`: one after another their ages add, of parallel
branches the oldest decides, and each schedule runs on a clock of its own. A stage that is synchronised with the
one before it adds its delays and no wait.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from math import fsum, inf, isclose
from typing import NamedTuple

from mlsd_helpers.analysis.paths import answers_requests
from mlsd_helpers.design import DataFlow, Design, Feature
from mlsd_helpers.design import Stage as DesignedStage
from mlsd_helpers.formulas import AgeBounds, Parallel, Stage, age_bounds

__all__ = [
    "CARRY_DATA",
    "LabelledDataAge",
    "as_read",
    "bounds",
    "branches_of",
    "delays_alone_s",
    "labelled_data_age",
    "least_worst_ages_s",
    "stages_by_id",
    "stages_on_the_way",
    "worst_age_s",
    "worst_ages_s",
    "worst_s",
    "writers_into",
]

Branches = tuple[tuple[str, ...], ...]
CARRY_DATA = ("events", "batch", "labels", "predictions")
"""What flows bring along that is read later."""


def stages_by_id(flow: DataFlow) -> dict[str, Stage]:
    """Return the stages by their ids, as the formulas take them."""
    return {stage.id: _of_formula(stage) for stage in flow.stages}


def as_read(design: Design) -> DataFlow:
    """Return the data flow with the waits that the model meets when it reads.

    In a run by the clock, the first job starts the run and the model reads at its end: the period of that job adds
    no wait. Where requests are answered, the data flow is as it stands.

    >>> job = {"id": "export", "period": "1 d", "delays": "2 h"}
    >>> feature = {"id": "turnover", "source": "ledger", "path": "export"}
    >>> parts = {"dataflow": {"stages": [job], "features": [feature]}}
    >>> nightly = {"schedule": {"period": "1 d", "deadline": "6 h"}}
    >>> worst_ages_s(as_read(Design(name="d", requirements=nightly, **parts)))["turnover"] / 3600
    2.0
    """
    flow, schedule = design.dataflow or DataFlow(), design.requirements and design.requirements.schedule
    if not (schedule and schedule.period) or answers_requests(design):
        return flow
    first = {
        branch[0]
        for one in flow.features
        for branches in branches_of(one)[:1]
        for branch in branches
        if branch
    }
    stages = tuple(
        one.changed(period=None)
        if one.id in first and isclose(one.period or 0.0, schedule.period, rel_tol=0.01)
        else one
        for one in flow.stages
    )
    return flow.changed(stages=stages)


def worst_age_s(design: Design, feature: Feature) -> float:
    """Return the worst age of a feature of the design when the model reads it, in seconds.

    For all features at once, `worst_ages_s` looks each stage up only once.

    >>> from mlsd_helpers import cases
    >>> design = cases.load("harbour_pay")
    >>> worst_age_s(design, design.at("dataflow.features.graph_risk")) / 60  # 15 + 2 + 30 + 12
    59.0
    """
    return worst_s(feature, stages_by_id(as_read(design)))


def worst_ages_s(flow: DataFlow) -> dict[str, float]:
    """Return the worst age of every feature, in seconds, by its id."""
    stages = stages_by_id(flow)
    return {feature.id: worst_s(feature, stages) for feature in flow.features}


def bounds(design: Design, feature: Feature) -> AgeBounds:
    """Return the best, mean and worst age of a feature of the design, in seconds.

    The mean behind parallel branches is exact, for up to about a dozen waits in them; see `formulas.age_bounds`.

    >>> from mlsd_helpers import cases
    >>> design = cases.load("harbour_pay")
    >>> bounds(design, design.at("dataflow.features.merchant_rate_15m"))
    AgeBounds(best_s=270.0, mean_s=585.0, worst_s=900.0)
    """
    return age_bounds(stages_on_the_way(as_read(design), feature))


def stages_on_the_way(flow: DataFlow, feature: Feature) -> tuple[Stage | Parallel, ...]:
    """Return the path of a feature as the formulas take it, parallel branches together."""
    stages = stages_by_id(flow)
    path: list[Stage | Parallel] = []
    for branches in branches_of(feature):
        ways = [[stages[name] for name in branch] for branch in branches]
        path += ways[0] if len(ways) == 1 else [Parallel(ways)]
    return tuple(path)


def branches_of(feature: Feature) -> tuple[Branches, ...]:
    """Return the steps of a feature's path, each as its branches; a stage alone is one branch of one stage."""
    return tuple(((step,),) if isinstance(step, str) else step.parallel for step in feature.path)


def worst_s(feature: Feature, stages: Mapping[str, Stage]) -> float:
    """Return the worst age of a feature on its way through `stages`, in seconds."""
    steps = (
        max(age_bounds([stages[name] for name in branch]).worst_s for branch in branches)
        for branches in branches_of(feature)
    )
    return age_bounds([Stage(delay_s=oldest_s) for oldest_s in steps]).worst_s


def delays_alone_s(feature: Feature, stages: Mapping[str, Stage]) -> float:
    """Return the worst age that is left when no stage waits for a schedule, in seconds."""
    started = {name: replace(stages[name], period_s=0.0) for name in feature.stage_ids()}
    return worst_s(feature, started)


def least_worst_ages_s(design: Design) -> dict[str, float]:
    """Return how old what a component holds gets at least, by the freshest way there, in seconds.

    Each way along the flows of data adds, at every component, the worst age of the quickest stage that runs on it.
    Where no stage on the way has a time, this is 0.

    >>> from mlsd_helpers.design import Component, Flow, Planes
    >>> parts = [Component(id="docs", kind="raw source"), Component(id="index", kind="vector index")]
    >>> planes = Planes(components=parts, flows=[Flow(start="docs", end="index", carries="batch")])
    >>> crawl = {"id": "crawl", "period": "1 d", "delays": "2 h", "component": "index"}
    >>> least_worst_ages_s(Design(name="d", planes=planes, dataflow={"stages": [crawl]}))["index"] / 3600
    26.0
    """
    flow, planes = design.dataflow or DataFlow(), design.planes
    own = dict[str, float]()
    for stage in flow.stages:
        if stage.component is not None:
            quickest_s = age_bounds([_of_formula(stage)]).worst_s
            own[stage.component] = min(quickest_s, own.get(stage.component, inf))
    if planes is None:
        return own
    after = defaultdict[str, list[str]](list)
    fed = set[str]()
    for arrow in planes.flows:
        if arrow.carries in CARRY_DATA and arrow.start != arrow.end:
            after[arrow.start].append(arrow.end)
            fed.add(arrow.end)
    age_s = dict[str, float]()
    left = [(own.get(one.id, 0.0), one.id) for one in planes.components if one.id not in fed]
    heapq.heapify(left)
    while left:
        so_far_s, name = heapq.heappop(left)
        if name not in age_s:
            age_s[name] = so_far_s
            for end in after[name]:
                heapq.heappush(left, (so_far_s + own.get(end, 0.0), end))
    return {one.id: age_s.get(one.id, own.get(one.id, 0.0)) for one in planes.components}


def writers_into(
    design: Design, kinds: Collection[str], names: Collection[str | None] = ()
) -> frozenset[str]:
    """Return the components of some kinds or names, and those that write data straight into one of them.

    >>> from mlsd_helpers.design import Component, Flow, Planes
    >>> parts = [Component(id="crawler", kind="batch pipeline"), Component(id="index", kind="vector index")]
    >>> planes = Planes(components=parts, flows=[Flow(start="crawler", end="index", carries="batch")])
    >>> sorted(writers_into(Design(name="d", planes=planes), {"vector index"}))
    ['crawler', 'index']
    """
    planes = design.planes
    if planes is None:
        return frozenset()
    ends = {one.id for one in planes.components if one.kind in kinds or one.id in names}
    return frozenset(
        ends | {flow.start for flow in planes.flows if flow.end in ends and flow.carries in CARRY_DATA}
    )


class LabelledDataAge(NamedTuple):
    """How old the newest labelled example gets from which the model in use has learnt: the sum of three times."""

    label_s: float
    training_s: float
    release_s: float

    @property
    def worst_s(self) -> float:
        """The age just before the next model replaces the one in use, in seconds."""
        return fsum(self)


def labelled_data_age(design: Design) -> LabelledDataAge | None:
    """Return the age of the newest labelled example in the model in use; None where no label delay is stated.

    Until a label is decided; from one training to the next, its run included; shadow and stages of the release.
    A time that is not stated counts as 0, so that the sum is a lower bound.

    >>> from mlsd_helpers import cases
    >>> round(labelled_data_age(cases.load("harbour_pay")).worst_s / 86_400, 2)  # 35 + 7 + 2 + 2 h
    44.08
    """
    planes, labels = design.planes, design.requirements and design.requirements.labels
    retraining, release = (planes.retraining, planes.release) if planes else (None, None)
    waits = [labels.delay if labels else None, retraining.decided_after if retraining else None]
    label_s = max((wait for wait in waits if wait is not None), default=None)
    if label_s is None:
        return None
    run = design.data.training if design.data else None
    training_s = fsum([(retraining and retraining.period) or 0.0, (run and run.run_time) or 0.0])
    stages_s = (
        [release.shadow or 0.0, *(stage.lasts or 0.0 for stage in release.rollout)] if release else [0.0]
    )
    return LabelledDataAge(label_s, training_s, fsum(stages_s))


def _of_formula(stage: DesignedStage) -> Stage:
    period_s = 0.0 if stage.synchronised else stage.period or 0.0
    return Stage(period_s, fsum(stage.delays), stage.ttl or 0.0)


_BY_WORK = 0.15
"""How much of a limit the work of jobs may add while the limit was only rounded to their period; our estimate."""


def late_by_its_work(period_s: float, worst_s: float, limit_s: float) -> bool:
    """Tell whether an age passes a limit that is the period itself, by little more than the time that jobs take.

    >>> day = 86_400.0
    >>> [late_by_its_work(day, worst_h * 3600, day) for worst_h in (24, 25.6, 30)]
    [False, True, False]
    """
    equal = isclose(period_s, limit_s, rel_tol=0.01)
    return equal and limit_s * (1 + 1e-9) < worst_s <= limit_s * (1 + _BY_WORK)
