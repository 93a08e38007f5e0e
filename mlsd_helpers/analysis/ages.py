"""How old each feature of a design is when the model reads it, from the stages that it passes.

A path turns into the stages of `mlsd_helpers.formulas.age_bounds`: one after another their ages add, of parallel
branches the oldest decides, and each schedule runs on a clock of its own. A stage that is synchronised with the
one before it adds its delays and no wait.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import fsum

from mlsd_helpers.design import DataFlow, Design, Feature
from mlsd_helpers.design import Stage as DesignedStage
from mlsd_helpers.formulas import AgeBounds, Parallel, Stage, age_bounds

__all__ = [
    "bounds",
    "branches_of",
    "delays_alone_s",
    "stages_by_id",
    "stages_on_the_way",
    "worst_age_s",
    "worst_ages_s",
    "worst_s",
]

Branches = tuple[tuple[str, ...], ...]


def stages_by_id(flow: DataFlow) -> dict[str, Stage]:
    """Return the stages by their ids, as the formulas take them."""
    return {stage.id: _of_formula(stage) for stage in flow.stages}


def worst_age_s(design: Design, feature: Feature) -> float:
    """Return the worst age of a feature of the design when the model reads it, in seconds.

    For all features at once, `worst_ages_s` looks each stage up only once.

    >>> from mlsd_helpers import cases
    >>> design = cases.load("harbour_pay")
    >>> worst_age_s(design, design.at("dataflow.features.graph_risk")) / 60  # 15 + 2 + 30 + 12
    59.0
    """
    return worst_s(feature, stages_by_id(design.dataflow or DataFlow()))


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
    return age_bounds(stages_on_the_way(design.dataflow or DataFlow(), feature))


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


def _of_formula(stage: DesignedStage) -> Stage:
    period_s = 0.0 if stage.synchronised else stage.period or 0.0
    return Stage(period_s, fsum(stage.delays), stage.ttl or 0.0)
