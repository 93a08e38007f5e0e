"""Exercise 2: the best, mean and worst age of a path, in code."""

import random
from collections.abc import Callable

from mlsd_helpers import formulas
from mlsd_helpers.exercises.dataflow._path import Path, Stage, as_formula, in_one_row, without
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Stratum, equals

Ages = tuple[float, float, float]


def ages(path: Path) -> Answer:
    """Add what each stage adds; of branches, take the oldest."""
    best, mean, worst = _added(path)
    return _named(best, mean, worst)


def _added(path: Path) -> Ages:
    each = [_of_branches(stage) if "parallel" in stage else _of_stage(stage) for stage in path]
    best, mean, worst = (sum(one[k] for one in each) for k in range(3))
    return best, mean, worst


def _of_branches(stage: Stage) -> Ages:
    branches = [_added(branch) for branch in stage["parallel"]]
    best, mean, worst = (max(branch[k] for branch in branches) for k in range(3))
    return best, mean, worst


def _of_stage(stage: Stage) -> Ages:
    waits = (0 if stage.get("in_step") else stage.get("period_min", 0)) + stage.get("ttl_min", 0)
    delay = stage.get("delay_min", 0)
    return delay, delay + waits / 2, delay + waits


def _named(best: float, mean: float, worst: float) -> Answer:
    return {"best_min": best, "mean_min": mean, "worst_min": worst}


def ages_by_library(path: Path) -> Answer:
    """Hand the path to the course's calculator, in minutes."""
    bounds = formulas.age_bounds(as_formula(path))
    return _named(bounds.best_s, bounds.mean_s, bounds.worst_s)


def ages_by_ends(path: Path) -> Answer:
    """Walk the path twice, with no wait and with every wait in full; the mean lies halfway between."""
    best, worst = _walk(path, 0), _walk(path, 1)
    return _named(best, (best + worst) / 2, worst)


def _walk(path: Path, share: float) -> float:
    age = 0.0
    for stage in path:
        if "parallel" in stage:
            age += max(_walk(branch, share) for branch in stage["parallel"])
        else:
            period = stage.get("period_min", 0) * (not stage.get("in_step", False))
            age += stage.get("delay_min", 0) + share * (period + stage.get("ttl_min", 0))
    return age


def age_is_the_period(path: Path) -> Answer:
    """You added the schedules alone. After a run has started, export, compute and load still take their time,
    and the data age meanwhile: the age is the period *and* every delay. What is the age just after a load?
    """
    return ages(without(path, "delay_min"))  # C22


def slowest_schedule_decides(path: Path) -> Answer:
    """You let the slowest schedule decide. Two schedules that nobody lines up can miss each other: data that
    just missed the first run may just miss the second as well, so their periods *add*.
    """
    waits = [0 if stage.get("in_step") else stage.get("period_min", 0) for stage in in_one_row(path)]
    rest = _added(without(path, "period_min"))
    return _named(rest[0], rest[1] + max(waits) / 2, rest[2] + max(waits))  # C26


def added_the_branches(path: Path) -> Answer:
    """You added branches that run side by side. They do not wait for each other; what joins them is as old as
    the oldest. Series add, branches take the worst.
    """
    return ages(in_one_row(path))  # C27


def freshest_branch_for_the_best(path: Path) -> Answer:
    """Your best age takes the freshest of the branches that run side by side. What joins them has the older one in
    it, on its best day too: at its best as at its worst, the *oldest* branch decides.
    """
    return {**ages(path), "best_min": _freshest(path)}  # C27


def _freshest(path: Path) -> float:
    each = (min(map(_freshest, s["parallel"])) if "parallel" in s else s.get("delay_min", 0) for s in path)
    return float(sum(each))


def left_out_the_cache(path: Path) -> Answer:
    """Your path has no cache. A copy may be served until its TTL is over, so a cache is a stage like any other
    and adds from nothing up to its TTL.
    """
    return ages(without(path, "ttl_min"))  # C25


def mean_for_the_worst(path: Path) -> Answer:
    """Your worst age is a mean. An age limit is a promise about the tail: the unlucky read comes just before the next
    result. Which share of reads is older than the mean?
    """
    right = ages(path)
    return {**right, "worst_min": right["mean_min"]}  # C24


def waits_although_in_step(path: Path) -> Answer:
    """You let a stage wait for its clock although it has none: `in_step` means that the end of the stage before
    it starts it. What does a period add when nothing ever waits for it?
    """
    return ages(without(path, "in_step"))


def a_copy_is_never_new(path: Path) -> Answer:
    """Your best age holds a wait: a period or a TTL. At its best a run starts as the data come in, and a copy is
    fetched just as the model asks: what is left is what a run takes.
    """
    right = ages(path)
    waits = sum(stage.get("ttl_min", 0) for stage in path)
    return {**right, "best_min": right["best_min"] + waits, "mean_min": right["mean_min"] + waits / 2}


def half_of_the_worst(path: Path) -> Answer:
    """You took half of the worst age for the mean. The delays are there on every day: only the *waits* are between
    nothing and all of it, so the mean lies halfway between the best and the worst.
    """
    right = ages(path)
    return {**right, "mean_min": right["worst_min"] / 2}


def first_branch_alone(path: Path) -> Answer:
    """You followed the first of the branches. What joins them waits for all: it is as old as the oldest of them."""
    followed = [stage["parallel"][0] if "parallel" in stage else [stage] for stage in path]
    return ages([stage for branch in followed for stage in branch])  # C27


def a_stage_waits_once(path: Path) -> Answer:
    """A stage of yours has a period *or* a TTL. One that runs on a schedule and whose result is then served as a copy
    has both, and each is waited for.
    """
    return ages([_without_ttl(stage) for stage in path])


def _without_ttl(stage: Stage) -> Stage:
    if "parallel" in stage:
        return {"parallel": [[_without_ttl(one) for one in branch] for branch in stage["parallel"]]}
    waits = stage.get("period_min", 0)
    return {name: value for name, value in stage.items() if not (waits and name == "ttl_min")}


_STAGES: tuple[Callable[[random.Random], Stage], ...] = (
    lambda rng: {"period_min": rng.choice([10, 15, 20, 30, 60]), "delay_min": rng.randrange(1, 15)},
    lambda rng: {"period_min": rng.choice([15, 30, 45]), "delay_min": rng.randrange(1, 9), "in_step": True},
    lambda rng: {"period_min": rng.choice([60, 120, 240]), "delay_min": rng.randrange(5, 40)},
    lambda rng: {"delay_min": rng.randrange(1, 5), "ttl_min": rng.choice([2, 4, 10])},
)


def _draw_path(rng: random.Random) -> Case:
    """Draw a chain of schedules and a cache, in every other case with two branches before it."""
    chain = [make(rng) for make in _STAGES]
    if rng.random() < 0.5:
        return {"path": chain}
    branches = [[_STAGES[0](rng)], [_STAGES[2](rng)]]
    return {"path": [{"parallel": branches}, *chain[1:]]}


def _draw_both_waits(rng: random.Random) -> Case:
    """Draw a schedule whose result is served as a copy, in step with the stage before it or not."""
    both = {
        "period_min": rng.choice([30, 60]),
        "delay_min": rng.randrange(1, 9),
        "ttl_min": rng.choice([5, 10]),
    }
    return {"path": [_STAGES[0](rng), both | ({"in_step": True} if rng.random() < 0.5 else {})]}


def _draw_branches(rng: random.Random) -> Case:
    """Draw branches of which another is the oldest at its best than at its worst, one of them with branches inside."""
    slow, often = {"delay_min": rng.randrange(30, 60)}, _STAGES[2](rng) | {"delay_min": rng.randrange(5, 20)}
    inside = {"parallel": [[_STAGES[0](rng)], [often]]}
    branches = [[slow], [inside, {"delay_min": 1}]]
    rng.shuffle(branches)
    return {"path": [{"parallel": branches}, _STAGES[3](rng)]}


def _stages(case: Case) -> list[Stage]:
    return in_one_row(in_one_row(case["path"]))


def _has_both_waits(case: Case) -> bool:
    return any({"period_min", "ttl_min"} <= set(stage) for stage in _stages(case))


def _has_branches_inside(case: Case) -> bool:
    return any("parallel" in stage for stage in in_one_row(case["path"]))


def _in_a_row(case: Case) -> bool:
    return not any("parallel" in stage for stage in case["path"])


EXERCISE = Exercise(
    id="03-ages",
    assignment="03_dataflow",
    title="Best, mean and worst age of a path",
    kind="code",
    outcome="Compute the bounds of a feature's age for stages in series, in parallel and out of step.",
    minutes=20,
    steps=(
        equals("best_min", 1, lambda c, _: ages(**c)["best_min"]),
        equals("worst_min", 2, lambda c, _: ages(**c)["worst_min"]),
        equals("mean_min", 1, lambda c, _: ages(**c)["mean_min"], applies=_in_a_row),
    ),
    cases=(
        {"path": [{"period_min": 60, "delay_min": 16}, {"ttl_min": 2}]},
        {"path": [{"period_min": 15, "delay_min": 2}, {"period_min": 60, "delay_min": 12}]},
        {"path": [{"parallel": [[{"period_min": 5, "delay_min": 6}], [{"period_min": 10, "delay_min": 7}],
                                [{"period_min": 5, "delay_min": 9}]]},
                  {"delay_min": 1, "ttl_min": 4}]},
        {"path": [{"period_min": 30, "delay_min": 4}, {"period_min": 45, "delay_min": 6, "in_step": True},
                  {"delay_min": 1, "ttl_min": 3}]},
        {"path": [{"period_min": 30, "delay_min": 5, "ttl_min": 10}]},
    ),
    reference=ages,
    alternatives=(ages_by_library, ages_by_ends),
    mistakes=(
        age_is_the_period,
        slowest_schedule_decides,
        added_the_branches,
        freshest_branch_for_the_best,
        left_out_the_cache,
        mean_for_the_worst,
        waits_although_in_step,
        a_copy_is_never_new,
        half_of_the_worst,
        first_branch_alone,
        a_stage_waits_once,
    ),
    hints=(
        "Look at one stage at a time: what does it always add, and what does it add at most?",
        (
            "Start with three sums over the stages: delays for the best; delays, periods and TTLs for the worst. A "
            "stage that holds `parallel` adds what its oldest branch adds; a branch is a path, so call yourself."
        ),
        (
            "A neighbour: every 20 minutes with a delay of 5, then a cache of 10. Best 5, worst 5 + 20 + 10 = 35, "
            "mean 5 + 10 + 5 = 20."
        ),
    ),
    draw=_draw_path,
    strata=(
        Stratum("What it leaves out is 0", lambda c: any(len(stage) == 1 for stage in _stages(c)), _draw_branches),
        Stratum(
            "it runs on a schedule of its own, that nobody lines up with any other",
            lambda c: sum("period_min" in stage and "in_step" not in stage for stage in _stages(c)) > 1,
        ),
        Stratum("how long a cache serves a copy", _has_both_waits, _draw_both_waits),
        Stratum("it waits for no clock of its own", lambda c: any("in_step" in stage for stage in _stages(c))),
        Stratum("a list of paths that run side by side", _has_branches_inside, _draw_branches),
        Stratum("The mean is graded only where nothing runs in parallel", _in_a_row),
    ),
    general=(
        "A `path` is a list of stages",
        "| key | meaning |",
        "| `delay_min` |",
        "A stage with `parallel`",
        "Return a dict with",
        "At its best, an age",
        "holds no wait",
        "there it is halfway",
        "Write it yourself",
    ),
)  # fmt: skip
