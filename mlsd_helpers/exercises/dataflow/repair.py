"""Exercise 4: why does a feature break its age limit, and what is the cheapest repair that works?"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, equals, quoted

Feature = Mapping[str, Any]
Repair = Mapping[str, Any]
NOTHING: Repair = {"name": "none", "cost_per_month": 0, "changes": {}}


def _left_min(feature: Feature) -> float:
    return float(feature["sla_min"] - sum(feature["delays_min"]) - feature["ttl_min"])


def _worst_min(feature: Feature) -> float:
    return float(feature["period_min"] + sum(feature["delays_min"]) + feature["ttl_min"])


def _reason(feature: Feature, left_min: float) -> str:
    if feature["store"] == "offline":
        return "store"
    if feature["period_min"] <= left_min:
        return "fits"
    return "period" if left_min > 0 else "path"


def _after(feature: Feature, repair: Repair) -> Feature:
    return {**feature, **repair["changes"]}


def _works(feature: Feature) -> bool:
    return bool(feature["store"] == "online" and _worst_min(feature) <= feature["sla_min"])


def _cost(repair: Repair) -> float:
    return float(repair["cost_per_month"])


def _cheapest(feature: Feature, repairs: Sequence[Repair]) -> Repair:
    return min((r for r in (NOTHING, *repairs) if _works(_after(feature, r))), key=_cost)


def _answered(feature: Feature, left_min: float, reason: str, repair: Repair) -> Answer:
    worst_min = _worst_min(_after(feature, repair))
    return {"left_min": left_min, "reason": reason, "repair": repair["name"], "worst_min": worst_min}


def choose(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """See what is left for the period, name the reason, and take the cheapest repair that works."""
    left_min = _left_min(feature)
    return _answered(feature, left_min, _reason(feature, left_min), _cheapest(feature, repairs))


def choose_by_price(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """Try the repairs from the cheapest on, until one works."""
    left_min = feature["sla_min"] - feature["ttl_min"] - sum(feature["delays_min"])
    reason = ("period" if left_min > 0 else "path") if feature["period_min"] > left_min else "fits"
    for repair in sorted([NOTHING, *repairs], key=_cost):
        if _works(_after(feature, repair)):
            break
    return _answered(feature, left_min, "store" if feature["store"] == "offline" else reason, repair)


def choose_by_library(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """Let the course's calculator say whether any period is left."""
    others = [formulas.Stage(delay_s=sum(feature["delays_min"]), ttl_s=feature["ttl_min"])]
    try:
        reason = (
            "period"
            if formulas.largest_period_s(others, feature["sla_min"]) < feature["period_min"]
            else "fits"
        )
    except RangeError:
        reason = "path"
    reason = "store" if feature["store"] == "offline" else reason
    left_min = feature["sla_min"] - formulas.age_bounds(others).worst_s
    return _answered(feature, left_min, reason, _cheapest(feature, repairs))


def whole_sla_for_the_period(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You left the whole age limit to the period. Delays and the cache have spent part of it before the schedule gets
    its share, sometimes all of it: solve for what is *left*.
    """
    bare = {**feature, "delays_min": [0], "ttl_min": 0}
    left_min = _left_min(bare)
    fitting = [r for r in (NOTHING, *repairs) if _works(_after(bare, {"changes": _schedule(r)}))]
    return _answered(feature, left_min, _reason(feature, left_min), min(fitting, key=_cost))  # C23


def _schedule(repair: Repair) -> dict[str, Any]:
    return {name: value for name, value in repair["changes"].items() if name in {"period_min", "store"}}


def left_out_the_cache(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You gave the cache's time to the period. A copy may be a whole TTL old when it is read: take it off too."""
    left_min = _left_min({**feature, "ttl_min": 0})
    return _answered(feature, left_min, _reason(feature, left_min), _cheapest(feature, repairs))  # C25


def more_often_always_helps(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You run the job more often where no schedule can help: its delays have spent the age limit before the period gets
    a share. A job that starts every minute still takes as long as it takes. What else could change?
    """
    left_min = _left_min(feature)
    reason, repair = _reason(feature, left_min), _cheapest(feature, repairs)
    if reason != "path":
        return _answered(feature, left_min, reason, repair)
    schedules = [r for r in repairs if set(r["changes"]) == {"period_min"}]
    return _answered(
        feature, left_min, "period", min(schedules, key=lambda r: float(r["changes"]["period_min"]))
    )


def freshest_repair(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You took the freshest repair. Freshness beyond the age limit buys nothing that anybody asked for, and somebody
    pays for it every month: take the *cheapest* that keeps the age limit.
    """
    left_min = _left_min(feature)
    working = [r for r in repairs if _works(_after(feature, r))]
    repair = min(working, key=lambda r: _worst_min(_after(feature, r)))
    return _answered(feature, left_min, _reason(feature, left_min), repair)


def freshest_where_it_is_a_gap(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You repair only what is a gap, which is right, and then take the freshest repair. Freshness beyond the age limit
    buys nothing that anybody asked for: of those that keep the age limit, take the *cheapest*.
    """
    left_min = _left_min(feature)
    if _works(feature):
        return choose(feature, repairs)
    working = [r for r in repairs if _works(_after(feature, r))]
    repair = min(working, key=lambda r: _worst_min(_after(feature, r)))
    return _answered(feature, left_min, _reason(feature, left_min), repair)


def left_is_never_below_zero(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You stopped at 0 where delays and cache exceed the limit. How far below 0 it is says how much has to come off the
    path before any period is possible: give the difference as it is.
    """
    return {**choose(feature, repairs), "left_min": max(0.0, _left_min(feature))}


def just_in_time_is_late(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You call it a gap when the worst age just equals the limit. "At most 15 minutes" holds at 15: write the limit as
    an inequality, and read its sign.
    """
    left_min = _left_min(feature)
    stricter = {**feature, "sla_min": feature["sla_min"] - 1e-6}
    reason = _reason(feature, left_min) if left_min <= 0 else _reason(stricter, _left_min(stricter))
    return _answered(feature, left_min, reason, _cheapest(stricter, repairs))


def nothing_left_is_a_period(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You ask for a shorter period where exactly nothing is left for one. A job cannot run every 0 minutes: with 0
    left, as below it, the path has to change.
    """
    right = choose(feature, repairs)
    return {**right, "reason": "period"} if right["reason"] == "path" and right["left_min"] >= 0 else right


def cheapest_of_all(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You took the cheapest repair on the list without trying it. After it, the feature is still a gap: work out
    the worst age with the change made, and compare again.
    """
    left_min = _left_min(feature)
    return _answered(feature, left_min, _reason(feature, left_min), min(repairs, key=_cost))


def fresh_but_out_of_reach(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You repaired an age where there was no way to read it: what lies in an offline store never reaches a request,
    however fresh it is. Ask first whether it *can* be read.
    """
    as_if = {**feature, "store": "online"}
    left_min = _left_min(feature)
    return _answered(feature, left_min, _reason(as_if, left_min), _cheapest(as_if, repairs))


def fits_before_it_is_read(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You call it no gap because its age is within the limit, though no request can read it. The reasons have an order:
    ask for the store before the age.
    """
    right = choose(feature, repairs)
    fits = feature["period_min"] <= right["left_min"]
    return {**right, "reason": "fits" if fits else right["reason"]}


def _repairs(period_min: float, shorter_min: float, costs: Sequence[int]) -> list[dict[str, Any]]:
    """List what can be bought; the last is always enough."""
    made: tuple[tuple[str, dict[str, Any]], ...] = (
        ("fetch at every read", {"ttl_min": 0}),
        ("half the period", {"period_min": period_min / 2}),
        ("a short period", {"period_min": shorter_min}),
        ("a period of a minute", {"period_min": 1}),
        ("copy to the online store", {"store": "online"}),
        ("copy to the online store, a short period", {"store": "online", "period_min": shorter_min}),
        ("compute from the stream", {"period_min": 0, "delays_min": [0.1], "ttl_min": 0, "store": "online"}),
    )
    return [
        {"name": name, "cost_per_month": cost, "changes": changes}
        for (name, changes), cost in zip(made, costs, strict=True)
    ]


def _draw_repair(rng: random.Random) -> Case:
    """Draw a feature that fits, or breaks its age limit for one of the three reasons."""
    reason = rng.choice(["fits", "period", "path", "store"])
    delays_min = [rng.randrange(1, 7) for _ in range(3)]
    ttl_min = rng.choice([1, 2, 3])
    lasts_min = sum(delays_min) + ttl_min
    period_min = rng.choice([30, 60])
    left_min = {"fits": period_min + rng.randrange(0, 5), "path": -rng.randrange(0, 2)}.get(
        reason, rng.choice([5, 8, 10, 12])
    )
    if reason == "store" and rng.random() < 0.5:  # fresh enough, and out of reach
        left_min = period_min + rng.randrange(0, 5)
    costs = sorted(rng.sample(range(20, 2_000, 10), 7))
    return {
        "feature": {
            "period_min": period_min,
            "delays_min": delays_min,
            "ttl_min": ttl_min,
            "store": "offline" if reason == "store" else "online",
            "sla_min": lasts_min + left_min,
        },
        "repairs": _repairs(period_min, 5, costs),
    }


def _case(
    period_min: int, delays_min: list[float], ttl_min: float, sla_min: float, store: str = "online"
) -> Case:
    feature = {
        "period_min": period_min,
        "delays_min": delays_min,
        "ttl_min": ttl_min,
        "store": store,
        "sla_min": sla_min,
    }
    return {
        "feature": feature,
        "repairs": _repairs(period_min, 10 if period_min == 15 else 5, [30, 60, 90, 400, 410, 450, 900]),
    }


def _named(case: Case, name: Any) -> Repair:
    return next(repair for repair in (NOTHING, *case["repairs"]) if repair["name"] == name)


_REASONS = ("fits", "path", "period", "store")


def _explain_reason(_case: Case, value: Any) -> str:
    if not isinstance(value, str) or value.strip().casefold() not in _REASONS:
        return f"Expected one of {', '.join(map(repr, _REASONS))}."
    return (
        "Ask in this order: can a request read it? Is the period within your own `left_min`? If not, is anything left "
        "for a period?"
    )


def _explain_repair(case: Case, value: Any) -> str:
    """Say what comes of a repair: it is not needed, it does not help, or it costs more than another."""
    named = {repair["name"].casefold(): repair for repair in (NOTHING, *case["repairs"])}
    repair = named.get(value.strip().casefold()) if isinstance(value, str) else None
    if repair is None:
        return f"{quoted(value)} is none of the names of the repairs, nor 'none'."
    after = _after(case["feature"], repair)
    if _works(case["feature"]):
        return "Something is bought here. Is the feature a gap, as it is?"
    if after["store"] == "offline":
        return "After that, no request can read the feature yet."
    if not _works(after):
        return (
            f"After that, its worst age is {_worst_min(after):g} min, and the age limit {after['sla_min']:g}."
        )
    return "It works, and one that costs less works too."


def _worst_after(case: Case, given: Given) -> float:
    name = given.get("repair") or _cheapest(case["feature"], case["repairs"])["name"]
    return _worst_min(_after(case["feature"], _named(case, name)))


EXERCISE = Exercise(
    id="03-repair",
    assignment="03_dataflow",
    title="The cheapest repair that works",
    kind="choose and justify",
    outcome="Solve for the longest period that keeps an age limit, and see when no period can.",
    minutes=16,
    steps=(
        equals("left_min", 1, lambda c, _: _left_min(c["feature"])),
        replace(
            equals("reason", 1, lambda c, g: _reason(c["feature"], g["left_min"])), explain=_explain_reason
        ),
        replace(
            equals("repair", 1, lambda c, _: _cheapest(c["feature"], c["repairs"])["name"]),
            explain=_explain_repair,
        ),
        equals("worst_min", 1, _worst_after),
    ),
    cases=(
        _case(15, [1, 3, 0.5], 0.5, 15),
        _case(60, [3, 12, 1], 2, 15),
        _case(60, [3, 4, 1], 2, 75),
        _case(30, [1, 2, 1], 1, 12, store="offline"),
        _case(30, [2, 5, 1], 2, 40),
        _case(60, [4, 5, 3], 3, 15),
        _case(30, [1, 2, 1], 1, 45, store="offline"),
    ),
    reference=choose,
    alternatives=(choose_by_price, choose_by_library),
    mistakes=(
        whole_sla_for_the_period,
        left_out_the_cache,
        more_often_always_helps,
        freshest_repair,
        freshest_where_it_is_a_gap,
        left_is_never_below_zero,
        just_in_time_is_late,
        nothing_left_is_a_period,
        cheapest_of_all,
        fresh_but_out_of_reach,
        fits_before_it_is_read,
    ),
    hints=(
        "Look at what the delays and the cache have spent of the age limit before the period gets its share.",
        (
            "Start with `left_min`, the age limit less delays and TTL. Then write a small function that gives the "
            "worst age of a feature, and try it on `{**feature, **repair['changes']}` for each repair."
        ),
        (
            "A neighbour: delays of 6, a TTL of 4, an age limit of 30. 20 minutes are left for the period: one of 60 "
            "has to come down. With an age limit of 10 nothing is left, and the path has to change."
        ),
    ),
    draw=_draw_repair,
)
