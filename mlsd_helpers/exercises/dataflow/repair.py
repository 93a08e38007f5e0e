"""Exercise 4: why does a feature break its age limit, and what is the cheapest repair that works?"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals, quoted

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


# ---- known mistakes in what is left for the period ------------------------------------------------


def _with_left(feature: Feature, repairs: Sequence[Repair], left_min: float) -> Answer:
    return _answered(feature, left_min, _reason(feature, left_min), _cheapest(feature, repairs))


def whole_sla_for_the_period(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You left the whole age limit to the period. Delays and the cache have spent part of it before the schedule gets
    its share, sometimes all of it: solve for what is *left*.
    """
    return _with_left(feature, repairs, float(feature["sla_min"]))  # C23


def left_out_the_cache(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You gave the cache's time to the period. A copy may be a whole TTL old when it is read: take it off too."""
    return _with_left(feature, repairs, _left_min({**feature, "ttl_min": 0}))  # C25


def took_the_longest_delay(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You took one delay off, the longest. The steps of a run come one after the other, so that each of them costs time
    in which the data age: take off their sum.
    """
    return _with_left(feature, repairs, _left_min({**feature, "delays_min": [max(feature["delays_min"])]}))


def took_the_period_off(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You took the period off as well. `left_min` is what is left *for* it, so that the two can be compared: is the
    period that the feature has now any longer?
    """
    return {**choose(feature, repairs), "left_min": _left_min(feature) - feature["period_min"]}


def left_is_never_below_zero(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You stopped at 0 where delays and cache exceed the limit. How far below 0 it is says how much has to come off the
    path before any period is possible: give the difference as it is.
    """
    return _with_left(feature, repairs, max(0.0, _left_min(feature)))


# ---- known mistakes in the reason -----------------------------------------------------------------


def _with_reason(
    feature: Feature, repairs: Sequence[Repair], reason: Callable[[Feature, float], str]
) -> Answer:
    left_min = _left_min(feature)
    return _answered(feature, left_min, reason(feature, left_min), _cheapest(feature, repairs))


def _slip_in_reason(mistake: Any, reason: Callable[[Feature, float], str]) -> Slip:
    return Slip(mistake, {"reason": lambda c, g: reason(c["feature"], g["left_min"])})


def _as_if_online(feature: Feature, left_min: float) -> str:
    return _reason({**feature, "store": "online"}, left_min)


def _strict(feature: Feature, left_min: float) -> str:
    reason = _reason(feature, left_min)
    return "period" if reason == "fits" and feature["period_min"] == left_min else reason


def just_in_time_is_late(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You call it a gap when the worst age just equals the limit. "At most 15 minutes" holds at 15: write the limit as
    an inequality, and read its sign.
    """
    return _with_reason(feature, repairs, _strict)


def _never_path(feature: Feature, left_min: float) -> str:
    return _reason(feature, left_min).replace("path", "period")


def a_shorter_period_would_do(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You blame the period where no period can help: delays and cache have spent the age limit before it gets a share.
    Is anything left for one?
    """
    return _with_reason(feature, repairs, _never_path)


def _never_fits(feature: Feature, left_min: float) -> str:
    reason = _reason(feature, left_min)
    return "period" if reason == "fits" else reason


def every_feature_is_a_gap(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You blame the period of a feature that is no gap: a request can read it, and its period is within what is left.
    Ask first whether there is anything to repair.
    """
    return _with_reason(feature, repairs, _never_fits)


def _fits_first(feature: Feature, left_min: float) -> str:
    return "fits" if feature["period_min"] <= left_min else _reason(feature, left_min)


def fits_before_it_is_read(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You call it no gap because its age is within the limit, though no request can read it. The reasons have an order:
    ask for the store before the age.
    """
    return _with_reason(feature, repairs, _fits_first)


def _store_last(feature: Feature, left_min: float) -> str:
    reason = _as_if_online(feature, left_min)
    return _reason(feature, left_min) if reason == "fits" else reason


def age_before_the_store(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You blame the age of a feature that no request can read. It is out of reach however fresh it gets: ask for the
    store before the age.
    """
    return _with_reason(feature, repairs, _store_last)


def never_asked_for_the_store(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You did not ask where the feature lies. In an offline store no request can read it, however fresh it is: that is
    the first reason to look for.
    """
    return _with_reason(feature, repairs, _as_if_online)


# ---- known mistakes in the repair -----------------------------------------------------------------


def _with_repair(feature: Feature, repair: Repair) -> Answer:
    left_min = _left_min(feature)
    return _answered(feature, left_min, _reason(feature, left_min), repair)


def _working(feature: Feature, repairs: Sequence[Repair]) -> list[Repair]:
    return [repair for repair in repairs if _works(_after(feature, repair))]


def _freshest(feature: Feature, repairs: Sequence[Repair]) -> Repair:
    return min(_working(feature, repairs), key=lambda repair: _worst_min(_after(feature, repair)))


def more_often_always_helps(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You run the job more often where no schedule can help: its delays have spent the age limit before the period gets
    a share. A job that starts every minute still takes as long as it takes. What else could change?
    """
    if _reason(feature, _left_min(feature)) != "path":
        return choose(feature, repairs)
    schedules = [repair for repair in repairs if set(repair["changes"]) == {"period_min"}]
    return _with_repair(feature, min(schedules, key=lambda repair: float(repair["changes"]["period_min"])))


def freshest_repair(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You took the freshest repair. Freshness beyond the age limit buys nothing that anybody asked for, and somebody
    pays for it every month: take the *cheapest* that keeps the age limit.
    """
    return _with_repair(feature, _freshest(feature, repairs))


def freshest_where_it_is_a_gap(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You repair only what is a gap, which is right, and then take the freshest repair. Freshness beyond the age limit
    buys nothing that anybody asked for: of those that keep the age limit, take the *cheapest*.
    """
    return _with_repair(feature, NOTHING if _works(feature) else _freshest(feature, repairs))


def first_on_the_list(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You took the first repair on the list that works. The list is in no order: look at all that work, and take the
    one that costs least.
    """
    return _with_repair(feature, _working(feature, [NOTHING, *repairs])[0])


def cheapest_of_all(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You took the cheapest repair on the list without trying it. After it, the feature is still a gap: work out
    the worst age with the change made, and compare again.
    """
    return _with_repair(feature, min(repairs, key=_cost))


def cheapest_where_it_is_a_gap(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You repair only what is a gap, which is right, and then take the cheapest repair without trying it. Work out the
    worst age with the change made: is it still a gap?
    """
    return _with_repair(feature, NOTHING if _works(feature) else min(repairs, key=_cost))


def repaired_what_fits(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You bought a repair for a feature that is no gap. It would cost every month and mend nothing: the answer there is
    `"none"`.
    """
    return _with_repair(feature, min(_working(feature, repairs), key=_cost))


def _if_it_were(changes: Mapping[str, Any], feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """Take the cheapest that would work if some values were others, whatever a repair does to them."""
    works = (r for r in (NOTHING, *repairs) if _works({**_after(feature, r), **changes}))
    return _with_repair(feature, min(works, key=_cost))


def fresh_but_out_of_reach(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You repaired an age where there was no way to read it: what lies in an offline store never reaches a request,
    however fresh it is. Ask first whether it *can* be read.
    """
    return _if_it_were({"store": "online"}, feature, repairs)


def tried_without_the_cache(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You tried the repairs without the cache. The copy that a request reads may be a whole TTL old: add it to the
    worst age after the repair.
    """
    return _if_it_were({"ttl_min": 0}, feature, repairs)  # C25


def tried_the_period_alone(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You held the period alone against the age limit. Delays and the cache come on top of it, after a repair as
    before: the worst age is the sum of all three.
    """
    return _if_it_were({"ttl_min": 0, "delays_min": [0]}, feature, repairs)  # C23


def strictly_within(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You passed over a repair after which the worst age just equals the limit. "At most 15 minutes" holds at 15, and a
    dearer one buys nothing that anybody asked for.
    """
    return _if_it_were({"sla_min": feature["sla_min"] - 1e-6}, feature, repairs)


def tried_the_mean(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """You tried the repairs with half of the period, as on average. An age limit is on the worst read, which comes just
    before the next result: count the whole period.
    """
    works = (r for r in (NOTHING, *repairs) if _works(_halved(_after(feature, r))))
    return _with_repair(feature, min(works, key=_cost))  # C24


def _halved(feature: Feature) -> Feature:
    return {**feature, "period_min": feature["period_min"] / 2}


# ---- known mistakes in the age after it -----------------------------------------------------------


def age_before_the_repair(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """Your worst age is the one before the repair. What the repair changes, it sets: work the age out once more with
    the changes made.
    """
    return {**choose(feature, repairs), "worst_min": _worst_min(feature)}


def age_without_the_cache(feature: Feature, repairs: Sequence[Repair]) -> Answer:
    """Your worst age has no cache in it. The copy that a request reads may be a whole TTL old: add it."""
    right = choose(feature, repairs)
    after = _after(feature, _cheapest(feature, repairs))
    return {**right, "worst_min": right["worst_min"] - after["ttl_min"]}  # C25


# ---- cases ----------------------------------------------------------------------------------------


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
    costs = rng.sample(range(20, 2_000, 10), 7)
    if rng.random() < 0.7:  # what does more costs more, as a rule
        costs.sort()
    repairs = _repairs(period_min, 5, costs)
    return {
        "feature": {
            "period_min": period_min,
            "delays_min": delays_min,
            "ttl_min": ttl_min,
            "store": "offline" if reason == "store" else "online",
            "sla_min": lasts_min + left_min,
        },
        "repairs": rng.sample(repairs, len(repairs)) if rng.random() < 0.7 else repairs,
    }


def _case(
    period_min: int,
    delays_min: list[float],
    ttl_min: float,
    sla_min: float,
    store: str = "online",
    order: Sequence[int] = (5, 3, 0, 6, 2, 1, 4),
    costs: Sequence[int] = (30, 60, 90, 400, 410, 450, 900),
) -> Case:
    feature = {
        "period_min": period_min,
        "delays_min": delays_min,
        "ttl_min": ttl_min,
        "store": store,
        "sla_min": sla_min,
    }
    repairs = _repairs(period_min, 10 if period_min == 15 else 5, costs)
    return {"feature": feature, "repairs": [repairs[at] for at in order]}


def _named(case: Case, name: Any) -> Repair:
    return next(repair for repair in (NOTHING, *case["repairs"]) if repair["name"] == name)


_REASONS = ("fits", "path", "period", "store")


def _explain_reason(_case: Case, value: Any) -> str:
    if not isinstance(value, str) or value.strip().casefold() not in _REASONS:
        return f"Expected one of {', '.join(map(repr, _REASONS))}."
    return (
        "Ask in this order: can a request read it? Is the period within your own `left_min`? If not, is anything left "
        "for a period? With 0 left a job would run every 0 minutes."
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


def _just_repaired(case: Case) -> bool:
    """Tell whether the cheapest repair makes the worst age just equal to the limit."""
    feature, repair = case["feature"], _cheapest(case["feature"], case["repairs"])
    return repair is not NOTHING and _worst_min(_after(feature, repair)) == feature["sla_min"]


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
        _case(15, [1, 3, 0.5], 0.5, 15, order=range(7)),
        _case(60, [3, 12, 1], 2, 15),
        _case(60, [3, 4, 1], 2, 75),
        _case(30, [1, 2, 1], 1, 12, store="offline", costs=[30, 60, 90, 400, 410, 950, 900]),
        _case(30, [2, 5, 1], 2, 40),
        _case(60, [4, 5, 3], 3, 15),
        _case(30, [1, 2, 1], 1, 45, store="offline"),
    ),
    reference=choose,
    alternatives=(choose_by_price, choose_by_library),
    mistakes=(
        whole_sla_for_the_period,
        left_out_the_cache,
        took_the_longest_delay,
        took_the_period_off,
        left_is_never_below_zero,
        _slip_in_reason(just_in_time_is_late, _strict),
        _slip_in_reason(a_shorter_period_would_do, _never_path),
        _slip_in_reason(every_feature_is_a_gap, _never_fits),
        _slip_in_reason(fits_before_it_is_read, _fits_first),
        _slip_in_reason(age_before_the_store, _store_last),
        _slip_in_reason(never_asked_for_the_store, _as_if_online),
        more_often_always_helps,
        freshest_repair,
        freshest_where_it_is_a_gap,
        first_on_the_list,
        cheapest_of_all,
        cheapest_where_it_is_a_gap,
        repaired_what_fits,
        fresh_but_out_of_reach,
        tried_without_the_cache,
        tried_the_period_alone,
        strictly_within,
        tried_the_mean,
        age_before_the_repair,
        age_without_the_cache,
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
    strata=(
        Stratum("below 0 when they exceed it", lambda c: _left_min(c["feature"]) < 0),
        Stratum(
            '`"fits"` when it is no gap',
            lambda c: (
                c["feature"]["store"] == "online" and _left_min(c["feature"]) == c["feature"]["period_min"]
            ),
        ),
        Stratum(
            '`"path"` when nothing is left for any period',
            lambda c: c["feature"]["store"] == "online" and _left_min(c["feature"]) == 0,
        ),
        Stratum(
            "when no request can read it",
            lambda c: (
                c["feature"]["store"] == "offline"
                and _as_if_online(c["feature"], _left_min(c["feature"])) == "fits"
            ),
        ),
        Stratum("`cost_per_month`", lambda c: sorted(c["repairs"], key=_cost) != c["repairs"]),
        Stratum("the cheapest repair after which it is no gap", _just_repaired),
    ),
    general=(
        "A `feature` is a dict",
        "Return a dict",
        "`reason`: why it is a gap",
        "`worst_min`",
        "The repairs of",
    ),
)
