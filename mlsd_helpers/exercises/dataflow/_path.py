"""What the exercises of this lesson share: the ages of a path that is plain data.

A path is a list of stages. A stage is a dict with `period_min`, `delay_min` and `ttl_min`, each of them 0 when
left out; `in_step` says that it starts when the stage before it ends. `{"parallel": [path, path]}` joins branches.
"""

from collections.abc import Sequence
from typing import Any

from mlsd_helpers import formulas

Stage = dict[str, Any]
Path = Sequence[Stage]


def as_formula(path: Path) -> list[formulas.Stage | formulas.Parallel]:
    """Return a path as `age_bounds` takes it; the unit stays minutes."""
    return [_stage(stage) for stage in path]


def _stage(stage: Stage) -> formulas.Stage | formulas.Parallel:
    if "parallel" in stage:
        return formulas.Parallel([as_formula(branch) for branch in stage["parallel"]])
    waits = 0 if stage.get("in_step") else stage.get("period_min", 0)
    return formulas.Stage(waits, stage.get("delay_min", 0), stage.get("ttl_min", 0))


def worst_min(path: Path) -> float:
    """Return the worst age after a path, in minutes.

    >>> worst_min([{"period_min": 60, "delay_min": 16}, {"ttl_min": 2}])
    78.0
    """
    return formulas.age_bounds(as_formula(path)).worst_s


def without(path: Path, key: str) -> list[Stage]:
    """Return the path with one part of every stage left out, in branches too."""
    return [
        {"parallel": [without(branch, key) for branch in stage["parallel"]]}
        if "parallel" in stage
        else {name: value for name, value in stage.items() if name != key}
        for stage in path
    ]


def in_one_row(path: Path) -> list[Stage]:
    """Return the path with its branches laid one after the other, as if each waited for the one before."""
    row: list[Stage] = []
    for stage in path:
        row += [one for branch in stage["parallel"] for one in branch] if "parallel" in stage else [stage]
    return row
