"""Exercise 4: which named failure does the headroom pay for?"""

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.analysis.sizing import down_in_restart, largest_zone
from mlsd_helpers.exercises.capacity._rounding import round_up
from mlsd_helpers.exercises.kit import (
    Answer,
    Case,
    Exercise,
    Given,
    Slip,
    Step,
    Stratum,
    equals,
    names,
    quoted,
)

FAILURES = ("rolling_restart", "zone_loss", "surge", "restart_in_surge", "cold_cache")


def _busy_after(fleet: Case) -> dict[str, float]:
    """Return the busy replicas that the load needs in each failure."""
    busy = fleet["peak_rps"] * fleet["service_time_s"]
    return {
        "rolling_restart": busy,
        "zone_loss": busy,
        "surge": busy * fleet["surge_factor"],
        "restart_in_surge": busy * fleet["surge_factor"],
        "cold_cache": busy / (1 - fleet["cache_hit_ratio"]),
    }


def _left_after(fleet: Case) -> dict[str, int]:
    """Return the replicas that are left in each failure."""
    replicas = fleet["replicas"]
    restarting = replicas - down_in_restart(replicas, fleet["restart_share"])
    return {
        "rolling_restart": restarting,
        "zone_loss": replicas - largest_zone(replicas, fleet["zones"]),
        "surge": replicas,
        "restart_in_surge": restarting,
        "cold_cache": replicas,
    }


def _utilisations(fleet: Case) -> Answer:
    busy, left = _busy_after(fleet), _left_after(fleet)
    return {failure: busy[failure] / left[failure] for failure in FAILURES}


def _covered(utilisation: Mapping[str, Any], most: float) -> set[str]:
    return {failure for failure in FAILURES if utilisation[failure] <= most + 1e-9}


def failures_covered(**fleet: Any) -> Answer:
    """Work out each failure's utilisation, and keep those within the target."""
    utilisation = _utilisations(fleet)
    return {**utilisation, "covered": _covered(utilisation, fleet["target_utilisation"])}


def failures_covered_by_zone_sizes(**fleet: Any) -> Answer:
    """Lay the replicas out zone by zone, and lose the fullest."""
    zones = [fleet["replicas"] // fleet["zones"]] * fleet["zones"]
    for extra in range(fleet["replicas"] % fleet["zones"]):
        zones[extra] += 1
    busy = fleet["peak_rps"] * fleet["service_time_s"]
    up = fleet["replicas"] - int(round(fleet["replicas"] * fleet["restart_share"], 9))
    answer = {
        "rolling_restart": busy / up,
        "zone_loss": busy / (sum(zones) - max(zones)),
        "surge": fleet["surge_factor"] * busy / sum(zones),
        "restart_in_surge": fleet["surge_factor"] * busy / up,
        "cold_cache": busy / (1 - fleet["cache_hit_ratio"]) / sum(zones),
    }
    return {
        **answer,
        "covered": [name for name, u in answer.items() if u <= fleet["target_utilisation"] + 1e-9],
    }


def failures_covered_by_need(**fleet: Any) -> Answer:
    """Compare the replicas left with the replicas needed, instead of utilisations."""
    busy, left = _busy_after(fleet), _left_after(fleet)
    covered = tuple(f for f in FAILURES if left[f] >= round_up(busy[f] / fleet["target_utilisation"]))
    return {**{f: busy[f] / left[f] for f in FAILURES}, "covered": covered}


def _judged(fleet: Case, utilisation: Answer) -> Answer:
    return {**utilisation, "covered": _covered(utilisation, fleet["target_utilisation"])}


def lost_the_average_zone(**fleet: Any) -> Answer:
    """You took a third of the replicas (1/zones) away. Replicas do not split: the zones are not all of one
    size, and the one that fails may be the fullest. Round per zone.
    """
    left = fleet["replicas"] * (1 - 1 / fleet["zones"])
    busy = fleet["peak_rps"] * fleet["service_time_s"]
    return _judged(fleet, {**_utilisations(fleet), "zone_loss": busy / left})  # C55


def lost_the_smallest_zone(**fleet: Any) -> Answer:
    """You rounded the zone down, and so lost the smallest one. Where the replicas do not divide evenly, some zones
    hold one more, and the one that fails may be the fullest.
    """
    left = fleet["replicas"] - fleet["replicas"] // fleet["zones"]
    busy = fleet["peak_rps"] * fleet["service_time_s"]
    return _judged(fleet, {**_utilisations(fleet), "zone_loss": busy / left})  # C55


def rounded_the_restart_up(**fleet: Any) -> Answer:
    """You rounded the restarting replicas up. A share of a replica is not stopped: the task rounds it *down* to whole
    replicas, as Kubernetes does with `maxUnavailable`.
    """
    left = fleet["replicas"] - math.ceil(round(fleet["replicas"] * fleet["restart_share"], 9))
    busy = fleet["peak_rps"] * fleet["service_time_s"]
    restarting = {"rolling_restart": busy / left, "restart_in_surge": busy * fleet["surge_factor"] / left}
    return _judged(fleet, {**_utilisations(fleet), **restarting})


def spent_the_headroom_twice(**fleet: Any) -> Answer:
    """You took the worse of the two. In a restart *during* a surge there are fewer replicas *and* more
    load: headroom that is spent on one is not there for the other.
    """
    utilisation = _utilisations(fleet)
    worse = max(utilisation["rolling_restart"], utilisation["surge"])
    return _judged(fleet, {**utilisation, "restart_in_surge": worse})


def sized_for_the_warm_cache(**fleet: Any) -> Answer:
    """A cold cache changes nothing in your answer. When the cache is empty, every request that it used to
    answer reaches the replicas: of ten, nine at a hit ratio of 0.9.
    """
    utilisation = _utilisations(fleet)
    warm = fleet["peak_rps"] * fleet["service_time_s"] / fleet["replicas"]
    return _judged(fleet, {**utilisation, "cold_cache": warm})  # C39


def added_the_hit_ratio(**fleet: Any) -> Answer:
    """You added the hit ratio to the load. The replicas see the *misses*, a share 1 − h of all requests;
    without a cache they see all, which is 1 / (1 − h) times as many.
    """
    utilisation = _utilisations(fleet)
    cold = fleet["peak_rps"] * fleet["service_time_s"] * (1 + fleet["cache_hit_ratio"]) / fleet["replicas"]
    return _judged(fleet, {**utilisation, "cold_cache": cold})


def covered_until_full(**fleet: Any) -> Answer:
    """You call a failure covered as long as the fleet is not yet full. At 99 % busy it still answers, after
    a long queue: covered means that the *target* still holds.
    """
    utilisation = _utilisations(fleet)
    return {**utilisation, "covered": _covered(utilisation, 1.0)}  # C53


def exactly_at_the_target_is_above(**fleet: Any) -> Answer:
    """You leave out a failure in which the utilisation is exactly the target. "Within the target" includes the target
    itself: write the limit as ≤.
    """
    utilisation = _utilisations(fleet)
    return {**utilisation, "covered": _covered(utilisation, fleet["target_utilisation"] - 1e-6)}


def _just_kept(rng: random.Random) -> Case:
    """Draw a fleet that keeps its target exactly when a zone is lost, in floats too."""
    zones, per_zone = rng.choice([(2, 4), (2, 8), (2, 12), (3, 4), (3, 6), (3, 10), (4, 4), (4, 8)])
    busy = 3 * (zones - 1) * per_zone // 4
    return {
        "replicas": zones * per_zone,
        "zones": zones,
        "peak_rps": busy * 20,
        "service_time_s": 0.05,
        "target_utilisation": 0.75,
        "restart_share": rng.choice([0.1, 0.2]),
        "surge_factor": rng.choice([1.2, 1.3, 1.4]),
        "cache_hit_ratio": rng.choice([0.2, 0.5, 0.8, 0.9]),
    }


def _draw_fleet(rng: random.Random) -> Case:
    """Draw a fleet that covers some failures and not others: one of them exactly, or none of them by a hair."""
    if rng.random() < 0.3:
        return _just_kept(rng)
    while True:
        peak, time, target = (
            rng.randrange(100, 900, 20),
            rng.choice([0.02, 0.03, 0.04, 0.05]),
            rng.choice([0.6, 0.7, 0.75]),
        )
        case = {
            "replicas": formulas.replicas(peak, time, target, rng.choice([0.2, 0.3, 0.5, 0.6])),
            "zones": rng.choice([2, 3, 4]),
            "peak_rps": peak,
            "service_time_s": time,
            "target_utilisation": target,
            "restart_share": rng.choice([0.1, 0.2, 0.25]),
            "surge_factor": rng.choice([1.2, 1.3, 1.4]),
            "cache_hit_ratio": rng.choice([0.2, 0.5, 0.8, 0.9]),
        }
        gaps = [abs(utilisation - target) for utilisation in _utilisations(case).values()]
        if min(gaps) > 0.004 and _covered(_utilisations(case), target):
            return case


def _draw_small_fleet(rng: random.Random) -> Case:
    """Draw a fleet so small that no whole replica restarts, and that is full in some failure."""
    while True:
        case = {**_draw_fleet(rng), "replicas": rng.randrange(4, 9), "restart_share": 0.1, "zones": 2}
        case["peak_rps"] = round(0.8 * case["target_utilisation"] * case["replicas"] / case["service_time_s"])
        if min(abs(one - case["target_utilisation"]) for one in _utilisations(case).values()) > 0.004:
            return case


def _without_cache(rng: random.Random) -> Case:
    return {**_draw_fleet(rng), "cache_hit_ratio": 0}


def _is_just_kept(case: Case) -> bool:
    return any(abs(one - case["target_utilisation"]) < 1e-9 for one in _utilisations(case).values())


def _just_missed(rng: random.Random) -> Case:
    """Draw a fleet that is above its target by less than half a per cent when a zone is lost."""
    case = _just_kept(rng)
    return {**case, "peak_rps": case["peak_rps"] * 1.004}


def _is_just_missed(case: Case) -> bool:
    over = [one - case["target_utilisation"] for one in _utilisations(case).values()]
    return any(0.001 < one < 0.005 for one in over)


def _is_above_one(case: Case) -> bool:
    return any(one > 1 for one in _utilisations(case).values())


def _utilisation_step(failure: str, points: float) -> Step:
    return equals(failure, points, lambda case, _: _utilisations(case)[failure], tolerance=1e-3)


def _covered_step(case: Case, given: Given) -> set[str]:
    return _covered(given, case["target_utilisation"])


def _explain_covered(case: Case, value: Any) -> str:
    named = names(value)
    if named is None:
        return "Expected a set of names, such as {'surge'}."
    if unknown := named - set(FAILURES):
        return f"{quoted(min(unknown))} is not one of the failures in the table."
    return "Hold each of your own utilisations against the target: within it, or above?"


EXERCISE = Exercise(
    id="05-headroom",
    assignment="05_capacity",
    title="Name the failure that the headroom pays for",
    kind="trace and choose",
    outcome="Say which named failures a fleet survives within its target, and which it does not.",
    minutes=10,
    steps=(
        _utilisation_step("rolling_restart", 0.5),
        _utilisation_step("zone_loss", 1),
        _utilisation_step("surge", 0.5),
        _utilisation_step("restart_in_surge", 0.5),
        _utilisation_step("cold_cache", 0.5),
        replace(equals("covered", 1, _covered_step), explain=_explain_covered),
    ),
    cases=(
        {"replicas": 38, "zones": 3, "peak_rps": 500, "service_time_s": 0.04, "target_utilisation": 0.7,
         "restart_share": 0.2, "surge_factor": 1.2, "cache_hit_ratio": 0.9},
        {"replicas": 43, "zones": 3, "peak_rps": 500, "service_time_s": 0.04, "target_utilisation": 0.7,
         "restart_share": 0.25, "surge_factor": 1.4, "cache_hit_ratio": 0.2},
        {"replicas": 27, "zones": 2, "peak_rps": 201, "service_time_s": 0.07, "target_utilisation": 0.75,
         "restart_share": 0.25, "surge_factor": 1.3, "cache_hit_ratio": 0.5},
        {"replicas": 24, "zones": 3, "peak_rps": 240, "service_time_s": 0.05, "target_utilisation": 0.75,
         "restart_share": 0.1, "surge_factor": 1.3, "cache_hit_ratio": 0},
    ),
    reference=failures_covered,
    alternatives=(failures_covered_by_zone_sizes, failures_covered_by_need),
    mistakes=(
        lost_the_average_zone,
        lost_the_smallest_zone,
        rounded_the_restart_up,
        spent_the_headroom_twice,
        sized_for_the_warm_cache,
        added_the_hit_ratio,
        Slip(covered_until_full, {"covered": lambda _, g: _covered(g, 1.0)}),
        Slip(
            exactly_at_the_target_is_above,
            {"covered": lambda c, g: _covered(g, c["target_utilisation"] - 1e-6)},
        ),
    ),
    hints=(
        (
            "Look at the two things that a failure can change: how many replicas are left, and how many are "
            "kept busy."
        ),
        (
            "Start with two small tables, `busy` and `left`, one entry a failure; the utilisation is the one "
            "over the other. Whole replicas fail, and the fullest zone may be the one."
        ),
        (
            "A neighbour: 10 replicas in 3 zones stand as 4 + 3 + 3; the loss of a zone can leave 6. With 4 "
            "busy replicas that is a utilisation of 0.67."
        ),
    ),
    draw=_draw_fleet,
    strata=(
        Stratum("rounded down to whole ones", lambda c: round(c["replicas"] * c["restart_share"], 9) % 1 == 0),
        Stratum("rounded down to whole ones", lambda c: c["replicas"] * c["restart_share"] < 1, _draw_small_fleet),
        Stratum("spread over the zones as evenly as can be", lambda c: c["replicas"] % c["zones"] == 1),
        Stratum("the fullest zone is lost", lambda c: c["zones"] > 2 and c["replicas"] % c["zones"] == c["zones"] - 1),
        Stratum("in which the utilisation stays within the target", _is_just_kept, _just_kept),
        Stratum("in which the utilisation stays within the target", _is_just_missed, _just_missed),
        Stratum("in which the utilisation stays within the target", _is_above_one, _draw_small_fleet),
        Stratum("answers a share `cache_hit_ratio`", lambda c: c["cache_hit_ratio"] == 0, _without_cache),
    ),
    general=(
        '"We have 30 % headroom" says nothing',
        "Write `failures_covered`",
        "| key | what happens |",
        "| `surge` |",
        "| `restart_in_surge` |",
        "the cache has just been emptied",
    ),
)  # fmt: skip
