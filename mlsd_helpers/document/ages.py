"""How old a feature is at worst when the model reads it, from the stages that it passes."""

from collections.abc import Iterable, Mapping

from mlsd_helpers.design import DataFlow, Feature, Stage
from mlsd_helpers.formulas import age_bounds, freshness


def stages_by_id(flow: DataFlow) -> dict[str, Stage]:
    """Return the stages by their ids."""
    return {stage.id: stage for stage in flow.stages}


def worst_age_s(feature: Feature, stages: Mapping[str, Stage]) -> float:
    """Return the worst age of a feature, in seconds; of branches, the oldest decides."""
    ways = (((step,),) if isinstance(step, str) else step.parallel for step in feature.path)
    return sum(max(_worst_s(stages[name] for name in branch) for branch in branches) for branches in ways)


def _worst_s(stages: Iterable[Stage]) -> float:
    return age_bounds([_as_formula(stage) for stage in stages]).worst_s


def _as_formula(stage: Stage) -> freshness.Stage:
    period_s = 0.0 if stage.synchronised else stage.period or 0.0
    return freshness.Stage(period_s, sum(stage.delays), stage.ttl or 0.0)
