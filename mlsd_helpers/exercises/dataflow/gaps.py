"""Exercise 3: find the design gaps among twelve features."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.exercises.dataflow._path import Path, as_formula, in_one_row, without, worst_min
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum, names, quoted

Feature = dict[str, Any]
_NOISE = 1e-9


def _too_old(feature: Feature, age: Callable[[Path], float] = worst_min) -> bool:
    return age(feature["path"]) > float(feature["sla_min"]) + _NOISE


def _unreadable(feature: Feature) -> bool:
    return bool(feature["store"] == "offline")


def gaps(features: Sequence[Feature]) -> set[str]:
    """Name what is too old at its worst, and what no request can read."""
    return {f["name"] for f in features if _too_old(f) or _unreadable(f)}


def gaps_in_order(features: Sequence[Feature]) -> list[str]:
    """Name them in a list, in their order, by recursion over the path."""
    return [f["name"] for f in features if f["store"] == "offline" or _by_hand(f["path"]) > f["sla_min"]]


def _by_hand(path: Path) -> float:
    age = 0.0
    for stage in path:
        if "parallel" in stage:
            age += max(map(_by_hand, stage["parallel"]))
        else:
            waits = () if stage.get("in_step") else ("period_min",)
            age += sum(stage.get(part, 0) for part in (*waits, "delay_min", "ttl_min"))
    return age


def gaps_as_tuple(features: Sequence[Feature]) -> tuple[str, ...]:
    """Take away what fits."""
    fits = {f["name"] for f in features if f["store"] != "offline" and _by_hand(f["path"]) <= f["sla_min"]}
    return tuple(sorted({f["name"] for f in features} - fits))


def period_against_the_sla(features: Sequence[Feature]) -> set[str]:
    """You held the period against the age limit. A job every 15 minutes delivers data that are older than that: before
    the next result is readable, the period *and* every delay have gone by. What is left for the period?
    """
    late = {f["name"] for f in features if _longest_period(f["path"]) > f["sla_min"]}
    return late | {f["name"] for f in features if _unreadable(f)}  # C23


def _longest_period(path: Path) -> float:
    return float(max((stage.get("period_min", 0) for stage in in_one_row(path)), default=0))


def mean_against_the_sla(features: Sequence[Feature]) -> set[str]:
    """You held the mean age against the age limit. Half of the reads are older than that, and an age limit is on the
    worst of them. Who reads just before the next result?
    """
    return {f["name"] for f in features if _too_old(f, _mean_min) or _unreadable(f)}  # C24


def _mean_min(path: Path) -> float:
    return formulas.age_bounds(as_formula(path)).mean_s


def left_out_the_cache(features: Sequence[Feature]) -> set[str]:
    """You missed what only a cache makes too old. It serves a copy until the TTL is over, while the data behind
    it go on ageing: a cache is one more stage.
    """
    return {f["name"] for f in features if _too_old(f, _without_cache) or _unreadable(f)}  # C25


def _without_cache(path: Path) -> float:
    return worst_min(without(path, "ttl_min"))


def last_hop_alone(features: Sequence[Feature]) -> set[str]:
    """You looked at the last stage only. What it reads is old already, and two schedules that nobody lines up can
    miss each other: trace the feature from its *raw source*.
    """
    return {
        f["name"] for f in features if _too_old(f, lambda path: worst_min(path[-1:])) or _unreadable(f)
    }  # C26


def added_the_branches(features: Sequence[Feature]) -> set[str]:
    """You call a feature a gap that has none: you added branches that run side by side. They do not wait for each
    other, and the oldest decides. What would a false alarm cost the team that repairs it?
    """
    return {f["name"] for f in features if _too_old(f, _in_one_row) or _unreadable(f)}  # C27


def _in_one_row(path: Path) -> float:
    return worst_min(in_one_row(path))


def age_alone(features: Sequence[Feature]) -> set[str]:
    """You missed a feature that is fresh and cannot be had: it lies in an offline store only, which no request can
    read in time. Freshness is no use where there is no way to the model's input.
    """
    return {f["name"] for f in features if _too_old(f)}


def just_in_time_is_late(features: Sequence[Feature]) -> set[str]:
    """You call a feature a gap whose worst age just equals its age limit. "At most 30 minutes" holds at 30: write the
    limit as an inequality, and read its sign.
    """
    late = {f["name"] for f in features if worst_min(f["path"]) >= f["sla_min"]}
    return late | {f["name"] for f in features if _unreadable(f)}


def just_in_time_is_late_in_a_store(features: Sequence[Feature]) -> set[str]:
    """You call a feature of the store a gap whose worst age just equals its age limit. "At most 30 minutes" holds at
    30: write the limit as an inequality, and read its sign.
    """
    return just_in_time_is_late([f for f in features if f["store"] != "request"])


def waits_although_in_step(features: Sequence[Feature]) -> set[str]:
    """You call a feature a gap that has none: you let a stage wait for a clock although the stage before it starts it.
    What does its period add to the age, when it is `in_step`?
    """
    return {f["name"] for f in features if _too_old(f, _with_all_clocks) or _unreadable(f)}


def _with_all_clocks(path: Path) -> float:
    return worst_min(without(path, "in_step"))


def freshest_branch(features: Sequence[Feature]) -> set[str]:
    """You missed a feature that one of two branches makes too old. What joins branches that run side by side holds what
    the older one brought: the *oldest* branch decides.
    """
    return {f["name"] for f in features if _too_old(f, _by_freshest_branch) or _unreadable(f)}  # C27


def _by_freshest_branch(path: Path) -> float:
    ways = (min(map(worst_min, s["parallel"])) if "parallel" in s else worst_min([s]) for s in path)
    return float(sum(ways))


def first_hop_alone(features: Sequence[Feature]) -> set[str]:
    """You looked at the first stage only. Each stage after it adds its own wait and its own delay, and the model reads
    what the *last* one gives: add up the whole path.
    """
    return {f["name"] for f in features if _too_old(f, lambda path: worst_min(path[:1])) or _unreadable(f)}


def delays_left_out(features: Sequence[Feature]) -> set[str]:
    """You added up what each stage waits for, and not what its runs take. Data age while a job computes as well: add
    every delay.
    """
    return {f["name"] for f in features if _too_old(f, _without_delays) or _unreadable(f)}  # C22


def _without_delays(path: Path) -> float:
    return worst_min(without(path, "delay_min"))


def unless_online(features: Sequence[Feature]) -> set[str]:
    """You call a feature a gap that the request itself brings. It is there, and new, and needs no store: in which
    `store` can no request read a feature?
    """
    return {f["name"] for f in features if f["store"] != "online" or _too_old(f)}


def named_what_fits(features: Sequence[Feature]) -> set[str]:
    """You named the features that fit. Asked are those that do not: turn the condition round."""
    return {f["name"] for f in features} - gaps(features)


def _feature(name: str, sla_min: float, *path: dict[str, Any], store: str = "online") -> Feature:
    return {"name": name, "sla_min": sla_min, "store": store, "path": list(path)}


def _every(period_min: float, delay_min: float, ttl_min: float = 0) -> dict[str, Any]:
    stage = {"period_min": period_min, "delay_min": delay_min, "ttl_min": ttl_min}
    return {name: value for name, value in stage.items() if value}


HARBOUR_PAY = (
    _feature("amount", 0, store="request"),
    _feature("card_tx_count_10m", 1, _every(0.02, 0.12)),
    _feature("card_spend_24h", 15, _every(60, 3), _every(0, 12), _every(0, 1, 2)),
    _feature("merchant_chargeback_30d", 1440, _every(1440, 110)),
    _feature("device_age_days", 2880, _every(1440, 110)),
    _feature("ip_country", 43200, _every(10080, 30)),
    _feature("email_verified", 15, _every(0, 0.5), _every(0, 0, 10)),
    _feature("merchant_rate_15m", 15, _every(15, 4.5), _every(0, 0, 0.5)),
    _feature("graph_risk", 60, _every(15, 2), _every(60, 12)),
    _feature("avg_ticket_90d", 10080, _every(1440, 110)),
    _feature("session_clicks", 1, _every(0.08, 0.04), store="offline"),
    _feature("dual_source_flag", 15, {"parallel": [[_every(1, 8)], [_every(1, 7)]]}),
)
"""The twelve features of the running case, as they were first drawn up."""


def _drawn_features(rng: random.Random) -> list[Feature]:
    """Draw twelve features, each with one thing that can be right or wrong."""
    delay, ttl = rng.randrange(2, 10), rng.choice([2, 4, 6])
    period, hour = rng.choice([5, 10, 15, 20]), rng.choice([60, 120])
    always = [
        _feature("spend_24h", rng.choice([10, 15, 20]), _every(hour, delay)),
        _feature("rate_15m", period, _every(period, delay)),
        _feature("profile", period + delay + rng.choice([0, 1]), _every(period, delay), _every(0, 0, ttl)),
        _feature("graph_risk", hour + 12 + delay, _every(15, 2), _every(hour, 12)),
        _feature("limits", ttl + 1, _every(0, 0.5), _every(0, 0, ttl)),
    ]
    others = [
        _feature("amount", 0, store="request"),
        _feature("clicks_5m", rng.choice([1, 2]), _every(0.1, 0.1)),
        _feature("session", rng.choice([1, 5]), _every(0.1, 0.2), store="offline"),
        _feature("ticket_90d", 10080, _every(1440, rng.randrange(60, 200))),
        _feature("two_sources", period + delay + 2, _two(period, delay)),
        _feature("two_regions", period + delay - 1, _two(period, delay), _every(0, 0.5)),
        _feature("balance", period + delay, _every(period, delay)),
        _feature("declines_1h", period + 2 * delay + 1, _every(period, delay), _in_step(hour, delay)),
        _feature("refunds_1h", period + delay, _every(period, delay), _in_step(hour, delay)),
    ]
    return [*always, *rng.sample(others, 12 - len(always))]


def _in_step(period_min: float, delay_min: float) -> dict[str, Any]:
    return {**_every(period_min, delay_min), "in_step": True}


def _two(period_min: float, delay_min: float) -> dict[str, Any]:
    return {"parallel": [[_every(period_min, delay_min)], [_every(period_min / 2, delay_min + 1)]]}


def _draw_features(rng: random.Random) -> Case:
    """Draw twelve features, in any order, under names that do not tell which of them are gaps."""
    features = _drawn_features(rng)
    called = [feature["name"] for feature in features]
    rng.shuffle(features)
    return {"features": [{**f, "name": name} for f, name in zip(features, called, strict=True)]}


def _names(value: Any) -> set[str]:
    return names(value) or set()


def _finds_all(case: Case, value: Any, _: Given) -> bool:
    """Tell whether all are named, and not by naming nearly everything: most of what is named has to be a gap."""
    right = gaps(case["features"])
    return right <= _names(value) and len(_names(value)) < 2 * len(right)


def _alarms_truly(case: Case, value: Any, _: Given) -> bool:
    """Nothing is named that is no gap; who names nothing has raised no alarm at all."""
    return bool(_names(value)) and _names(value) <= gaps(case["features"])


def _missing(case: Case, value: Any) -> set[str]:
    """Return the gaps that an answer leaves out; none where it names nothing, which rests on no belief."""
    return gaps(case["features"]) - _names(value) if _names(value) and not _no_name(case, value) else set()


def _false_alarms(case: Case, value: Any) -> set[str]:
    return _names(value) - gaps(case["features"])


def _explain_missing(case: Case, value: Any) -> str:
    if problem := _no_name(case, value):
        return problem
    found = len(_names(value) & gaps(case["features"]))
    if found == len(gaps(case["features"])):
        return "You name so many that every gap is among them. To name everything finds nothing: which of them fit?"
    return f"There are more gaps than the {found} of them that you name."


def _explain_alarm(case: Case, value: Any) -> str:
    wrong = _false_alarms(case, value)
    if problem := _no_name(case, value):
        return problem
    if not wrong:
        return "You name no gap at all, and some of the features are."
    late = [f["name"] for f in case["features"] if f["name"] in wrong and f["store"] != "request"]
    if not late:
        return (
            f"{quoted(min(wrong))} is none: the request brings it, so it is there, and new. In which `store` can no "
            "request read a feature?"
        )
    return f"{quoted(min(late))} is none: a request can read it, and its worst age is within its age limit."


def _no_name(case: Case, value: Any) -> str:
    """Say what is no name of a feature, or nothing."""
    if names(value) is None:
        return "Return the names of the gaps, in a set or a list."
    unknown = _names(value) - {feature["name"] for feature in case["features"]}
    if not unknown:
        return ""
    return f"{quoted(min(unknown))} is none of the names. Return the `name` of each feature that is a gap."


def _some(holds: Callable[[Feature], bool]) -> Callable[[Case], bool]:
    return lambda case: any(map(holds, case["features"]))


def _stages(path: Path) -> Iterator[dict[str, Any]]:
    for stage in path:
        yield stage
        for branch in stage.get("parallel", ()):
            yield from _stages(branch)


EXERCISE = Exercise(
    id="03-gaps",
    assignment="03_dataflow",
    title="Find the gaps in twelve features",
    kind="find the gap",
    outcome="Hold each feature's worst age against its age limit, and see what cannot be read at all.",
    minutes=12,
    steps=(
        Step("finds_every_gap", 2, _finds_all, part="", explain=_explain_missing, shows=_missing),
        Step("no_false_alarm", 2, _alarms_truly, part="", explain=_explain_alarm, shows=_false_alarms),
    ),
    cases=(
        {"features": list(HARBOUR_PAY)},
        {"features": _drawn_features(random.Random(3))},  # noqa: S311 - a case, not a secret
    ),
    reference=gaps,
    alternatives=(gaps_in_order, gaps_as_tuple),
    mistakes=(
        period_against_the_sla,
        mean_against_the_sla,
        left_out_the_cache,
        last_hop_alone,
        added_the_branches,
        age_alone,
        just_in_time_is_late,
        just_in_time_is_late_in_a_store,
        waits_although_in_step,
        freshest_branch,
        first_hop_alone,
        delays_left_out,
        unless_online,
        named_what_fits,
    ),
    hints=(
        "Look for two kinds of gap: data that are too old when they are read, and data that cannot be read.",
        (
            "Start from the worst age of exercise 2, which you may use here, and compare it with `sla_min`: is equal "
            "still within? Then look at `store`."
        ),
        (
            "A neighbour: every 30 minutes with a delay of 5, against an age limit of 30, is a gap; against 35 it is "
            "none. With its result in an offline store it is one against any age limit."
        ),
    ),
    draw=_draw_features,
    strata=(
        Stratum("at most so old when it is read", _some(lambda f: 0 < worst_min(f["path"]) == f["sla_min"])),
        Stratum(
            "its `path` as in exercise 2",
            _some(lambda f: any("in_step" in one for one in _stages(f["path"]))),
        ),
        Stratum(
            "its `path` as in exercise 2",
            _some(lambda f: _by_freshest_branch(f["path"]) < f["sla_min"] < worst_min(f["path"]) - _NOISE),
        ),
        Stratum("or `request` when the request brings it", _some(lambda f: f["store"] == "request")),
        Stratum("or cannot get it at all", _some(lambda f: _unreadable(f) and not _too_old(f))),
    ),
    general=("(The table has times", "Return the names"),
)
