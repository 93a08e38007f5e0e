"""Exercise 7: plan a fleet that survives the loss of a zone."""

import math
import random
from dataclasses import replace
from functools import partial
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.exercises.capacity._rounding import round_up
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Step, Stratum, equals, is_number


def _least_total(case: Case) -> int:
    """Return the fewest replicas, over all zones, that survive the loss of the fullest one."""
    need = round_up(case["peak_rps"] * case["service_time_s"] / case["target_utilisation"])
    fullest = math.ceil(need / (case["zones"] - 1))
    return int(need + fullest)


def _cost_per_1k(replicas: float, case: Case) -> float:
    return float(replicas * case["cost_per_replica_hour"] / (case["mean_rps"] * 3600) * 1000)


def _planned(layout: list[int], **case: Any) -> Answer:
    cost = _cost_per_1k(sum(layout), case)
    return {"replicas_per_zone": layout, "cost_per_1k": cost, "within_budget": cost <= case["budget_per_1k"]}


def _spread(total: int, zones: int) -> list[int]:
    return [total // zones + (zone < total % zones) for zone in range(zones)]


def plan(**case: Any) -> Answer:
    """Plan the fewest replicas that survive the loss of the fullest zone."""
    return _planned(_spread(_least_total(case), case["zones"]), **case)


def plan_alike(**case: Any) -> Answer:
    """Make every zone alike: easier to operate, at most one replica a zone more."""
    need = round_up(case["peak_rps"] * case["service_time_s"] / case["target_utilisation"])
    return _planned([math.ceil(need / (case["zones"] - 1))] * case["zones"], **case)


def plan_by_search(**case: Any) -> Answer:
    """Add replicas one at a time until the loss of the fullest zone leaves enough."""
    total = case["zones"]
    busy = case["peak_rps"] * case["service_time_s"]
    while busy > (total - max(_spread(total, case["zones"]))) * case["target_utilisation"] + 1e-9:
        total += 1
    return _planned(sorted(_spread(total, case["zones"])), **case)


def headroom_covers_a_zone(**case: Any) -> Answer:
    """That is the need plus 30 %. A single zone of that fleet holds more than the 30 % that you added: losing it
    leaves too few. Start from what has to be left, and work back.
    """
    total = formulas.replicas(case["peak_rps"], case["service_time_s"], case["target_utilisation"], 0.3)
    return _planned(_spread(total, case["zones"]), **case)  # C55


def rounded_over_all_zones(**case: Any) -> Answer:
    """You scaled the need by zones / (zones − 1) and rounded once for all zones. The zone that fails may
    be the fullest, and what is left is then short. Round *per zone*.
    """
    need = case["peak_rps"] * case["service_time_s"] / case["target_utilisation"]
    total = round_up(need * case["zones"] / (case["zones"] - 1))
    return _planned(_spread(total, case["zones"]), **case)  # C55


def spread_over_all_zones(**case: Any) -> Answer:
    """You spread the need over all zones. That is the plan for a day on which no zone fails; when one does,
    the need has to fit into the zones that are *left*.
    """
    need = round_up(case["peak_rps"] * case["service_time_s"] / case["target_utilisation"])
    return _planned([math.ceil(need / case["zones"])] * case["zones"], **case)


def headroom_on_top(**case: Any) -> Answer:
    """You survive the loss of a zone and add 30 % on top. The failure *is* the headroom here; a second one has
    to be named before anyone pays for it.
    """
    total = round_up(_least_total(case) * 1.3)
    return _planned(_spread(total, case["zones"]), **case)


def whole_need_in_every_zone(**case: Any) -> Answer:
    """Each of your zones can carry everything alone. That survives the loss of all zones but one; the plan
    pays for the loss of one.
    """
    need = round_up(case["peak_rps"] * case["service_time_s"] / case["target_utilisation"])
    return _planned([need] * case["zones"], **case)


def cost_at_the_peak(**case: Any) -> Answer:
    """You divided the cost by the traffic of the peak. Replicas are paid for all day, and the day's
    predictions come at the *mean* rate: idle capacity is part of the price.
    """
    layout = plan(**case)["replicas_per_zone"]
    return _planned(layout, **{**case, "mean_rps": case["peak_rps"]})  # C59


def cost_of_one_replica(**case: Any) -> Answer:
    """That is the cost of a single replica. All of them are paid for, those that wait for a failure too."""
    layout = plan(**case)["replicas_per_zone"]
    cost = _cost_per_1k(1, case)
    return {"replicas_per_zone": layout, "cost_per_1k": cost, "within_budget": cost <= case["budget_per_1k"]}


def _draw_plan(rng: random.Random) -> Case:
    """Draw a fleet whose price is not within a hair of its budget, whichever right plan is chosen."""
    while True:
        peak = rng.randrange(200, 1_500, 10)
        case = {
            "peak_rps": peak,
            "mean_rps": peak * rng.choice([0.3, 0.4, 0.5]),
            "service_time_s": rng.choice([0.02, 0.03, 0.04, 0.06]),
            "target_utilisation": rng.choice([0.6, 0.7, 0.8]),
            "zones": rng.choice([3, 4]),
            "cost_per_replica_hour": rng.choice([0.1, 0.2, 0.35]),
        }
        case["budget_per_1k"] = _cost_per_1k(_least_total(case), case) * rng.choice([0.6, 0.8, 1.4])
        need = peak * case["service_time_s"] / case["target_utilisation"]
        if _least_total(case) >= 15 and 0.02 < need % 1 < 0.98:
            return case


def _is_whole(case: Case) -> bool:
    need = case["peak_rps"] * case["service_time_s"] / case["target_utilisation"]
    return bool(abs(need - round(need)) < 1e-9)


def _draw_whole(rng: random.Random) -> Case:
    """Draw a fleet whose need is whole: the target is kept exactly."""
    need = 6 * rng.randrange(3, 12)
    case = {**_draw_plan(rng), "peak_rps": need * 20, "service_time_s": 0.03, "target_utilisation": 0.6}
    return {**case, "mean_rps": need * 8, "budget_per_1k": 2 * _cost_per_1k(_least_total(case), case)}


def _costs(times: float, case: Case) -> bool:
    return bool(_cost_per_1k(_least_total(case), case) == times * case["budget_per_1k"])


def _draw_paid(times: float, rng: random.Random) -> Case:
    """Draw a fleet whose price is so many times its budget, with as many replicas in each zone of the least plan."""
    while True:
        case = _draw_plan(rng)
        case = {**case, "budget_per_1k": _cost_per_1k(_least_total(case), case) / times}
        if _least_total(case) % case["zones"] == 0 and _costs(times, case):
            return case


def _draw_two_zones(rng: random.Random) -> Case:
    case = {**_draw_plan(rng), "zones": 2}
    return {**case, "budget_per_1k": 1.4 * _cost_per_1k(_least_total(case), case)}


def _zones_of(case: Case, value: Any) -> list[int] | None:
    zones = list(value) if hasattr(value, "__len__") and not isinstance(value, str | dict) else []
    whole = all(is_number(zone) and float(zone) == int(zone) and zone > 0 for zone in zones)
    return [int(zone) for zone in zones] if whole and len(zones) == case["zones"] else None


def _least_plan(case: Case, _: Given) -> list[int]:
    return _spread(_least_total(case), case["zones"])


def _survives(case: Case, value: Any, _: Given) -> bool:
    zones = _zones_of(case, value)
    busy = case["peak_rps"] * case["service_time_s"]
    return zones is not None and busy <= (sum(zones) - max(zones)) * case["target_utilisation"] + 1e-9


def _not_wasteful(case: Case, value: Any, _: Given) -> bool:
    zones = _zones_of(case, value)
    return zones is not None and sum(zones) <= _least_total(case) + case["zones"]


def _explain_survival(case: Case, value: Any) -> str:
    zones = _zones_of(case, value)
    if zones is None:
        return f"Expected a list of {case['zones']} whole numbers above zero, one a zone."
    left = sum(zones) - max(zones)
    busy = case["peak_rps"] * case["service_time_s"] / left if left else math.inf
    return f"Without the fullest zone {left} replicas are left, {busy:.1%} busy: above the target."


def _explain_waste(case: Case, value: Any) -> str:
    return "It survives, and has more than one replica a zone above the least that does."


def _explain_cost(_case: Case, _value: Any) -> str:
    return (
        "Take what the fleet costs in an hour, and the predictions that it makes in an hour at the mean rate."
    )


def _explain_budget(_case: Case, value: Any) -> str:
    if str(value) not in {"True", "False"} or isinstance(value, str):
        return "Expected True or False."
    return "Hold your own `cost_per_1k` against `budget_per_1k`, both in dollars: at most the budget is within it."


def _cost_of_plan(case: Case, given: Given) -> float:
    return _cost_per_1k(sum(given["survives"]), case)


EXERCISE = Exercise(
    id="05-plan",
    assignment="05_capacity",
    title="Plan a fleet that survives the loss of a zone",
    kind="design",
    outcome="Lay a fleet out over zones for a named failure, and say what a thousand predictions cost.",
    minutes=12,
    steps=(
        Step("survives", 1.5, _survives, _least_plan, part="replicas_per_zone", explain=_explain_survival),
        Step("not_wasteful", 0.5, _not_wasteful, part="replicas_per_zone", explain=_explain_waste),
        replace(equals("cost_per_1k", 1, _cost_of_plan, tolerance=1e-3), explain=_explain_cost),
        replace(
            equals("within_budget", 1, lambda c, g: g["cost_per_1k"] <= c["budget_per_1k"]),
            explain=_explain_budget,
        ),
    ),
    cases=(
        {"peak_rps": 460, "mean_rps": 200, "service_time_s": 0.04, "target_utilisation": 0.7, "zones": 3,
         "cost_per_replica_hour": 0.2, "budget_per_1k": 0.015},
        {"peak_rps": 810, "mean_rps": 300, "service_time_s": 0.03, "target_utilisation": 0.8, "zones": 4,
         "cost_per_replica_hour": 0.35, "budget_per_1k": 0.01},
        {"peak_rps": 640, "mean_rps": 320, "service_time_s": 0.02, "target_utilisation": 0.6, "zones": 3,
         "cost_per_replica_hour": 0.1, "budget_per_1k": 0.002},
    ),
    reference=plan,
    alternatives=(plan_alike, plan_by_search),
    mistakes=(
        headroom_covers_a_zone,
        rounded_over_all_zones,
        spread_over_all_zones,
        headroom_on_top,
        whole_need_in_every_zone,
        Slip(cost_at_the_peak, {"cost_per_1k": lambda c, g: _cost_of_plan({**c, "mean_rps": c["peak_rps"]}, g)}),
        Slip(cost_of_one_replica, {"cost_per_1k": lambda c, _: _cost_per_1k(1, c)}),
    ),
    hints=(
        "Look at the moment after the failure: how many replicas have to be *left*, and in how many zones?",
        (
            "Start from the need at the target, without headroom: the failure is what you pay for. Spread it "
            "over the zones that are left, round up, and give the lost zone as many."
        ),
        (
            "A neighbour: a need of 7 over 3 zones. Two zones have to hold 7, so one holds 4 and the plan is "
            "4 + 4 + 3 = 11: losing a 4 leaves 7."
        ),
    ),
    draw=_draw_plan,
    strata=(
        Stratum("when one zone is lost at the peak, whichever it is", lambda c: _least_total(c) % c["zones"] != 0),
        Stratum("stay within the target", _is_whole, _draw_whole),
        *(
            Stratum("whether that is at most `budget_per_1k`", partial(_costs, times), partial(_draw_paid, times))
            for times in (0.96, 1, 1.04)
        ),
        Stratum("That failure *is* the headroom", lambda c: c["zones"] == 2, _draw_two_zones),
    ),
    general=(
        "Harbour Pay's promise",
        "Write `plan`",
        "`replicas_per_zone`",
        "In all, spend at most",
        "`cost_per_1k`",
    ),
)  # fmt: skip
