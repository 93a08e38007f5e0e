"""Exercise 1: a faded sizing, the rule in four steps."""

import math
import random
from fractions import Fraction

from mlsd_helpers import formulas
from mlsd_helpers.exercises.capacity._rounding import round_up
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Slip, Stratum, equals


def size(peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float) -> Answer:
    """Size a fleet in four lines."""
    busy = peak_rps * service_time_s
    at_target = busy / target_utilisation
    with_headroom = at_target * (1 + headroom)
    return {"at_target": at_target, "with_headroom": with_headroom, "replicas": round_up(with_headroom)}


def size_in_fractions(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """Size a fleet in exact arithmetic."""
    rate, time, target, extra = (
        Fraction(str(x)) for x in (peak_rps, service_time_s, target_utilisation, headroom)
    )
    exact = rate * time / target
    return {
        "at_target": float(exact),
        "with_headroom": float(exact * (1 + extra)),
        "replicas": math.ceil(exact * (1 + extra)),
    }


def size_by_library(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """Size a fleet with the course's calculator, and work the steps back."""
    per_replica = target_utilisation / service_time_s
    return {
        "at_target": peak_rps / per_replica,
        "with_headroom": (peak_rps + headroom * peak_rps) / per_replica,
        "replicas": formulas.replicas(peak_rps, service_time_s, target_utilisation, headroom),
    }


def _sized(at_target: float, headroom: float) -> Answer:
    with_headroom = at_target * (1 + headroom)
    return {"at_target": at_target, "with_headroom": with_headroom, "replicas": round_up(with_headroom)}


def multiplied_by_utilisation(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """That comes from multiplying by the target. Many people read 0.7 as "use 70 % of the machines"; it
    means that each machine may be only 70 % busy, so you need *more* machines: divide. What happens to
    your answer as the target drops to 0.1?
    """
    return _sized(peak_rps * service_time_s * target_utilisation, headroom)  # C46


def forgot_utilisation(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """That is the number of replicas kept busy all the time. Headroom does not replace the target: it pays
    for a failure, while the target keeps queues short on a normal day. How busy would each replica be?
    """
    return _sized(peak_rps * service_time_s, headroom)  # C47


def forgot_headroom(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """That is the need on a day when every replica is up. During a rolling restart some are not, and the
    rest pass the target. Where did the headroom go?
    """
    at_target = peak_rps * service_time_s / target_utilisation
    return {"at_target": at_target, "with_headroom": at_target, "replicas": round_up(at_target)}  # C48


def divided_by_one_minus_headroom(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """That reserves a share of the larger fleet. "Plus 30 %" is a share of the need: multiply by 1.3.
    Dividing by 0.7 adds 43 %. Both are policies; say which one you mean.
    """
    at_target = peak_rps * service_time_s / target_utilisation
    with_headroom = at_target / (1 - headroom)
    return {
        "at_target": at_target,
        "with_headroom": with_headroom,
        "replicas": round_up(with_headroom),
    }  # C50


def rounded_down(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """You rounded down. The last part of a replica is load that somebody has to serve: round up, always."""
    answer = size(peak_rps, service_time_s, target_utilisation, headroom)
    return {**answer, "replicas": int(answer["with_headroom"])}  # C49


def rounded_to_nearest(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """You rounded to the nearest whole number, which goes down half of the time. A fleet that is a third
    of a replica short is short: round up, always.
    """
    answer = size(peak_rps, service_time_s, target_utilisation, headroom)
    return {**answer, "replicas": round(answer["with_headroom"])}  # C49


def one_more_than_the_whole(
    peak_rps: float, service_time_s: float, target_utilisation: float, headroom: float
) -> Answer:
    """You cut the fraction off and add one, which is rounding up only where there is a fraction. Work for exactly 7
    replicas needs 7, and your answer orders 8: what rounds up and leaves a whole number as it is?
    """
    answer = size(peak_rps, service_time_s, target_utilisation, headroom)
    return {**answer, "replicas": int(answer["with_headroom"] + 1e-9) + 1}


def _is_whole(case: Case) -> bool:
    """Tell whether a sizing comes out whole, in floats too, in whichever order its factors are taken."""
    rate, time, target, extra = (float(value) for value in case.values())
    orders = (
        rate * time / target * (1 + extra),
        rate * time * (1 + extra) / target,
        rate * (1 + extra) * time / target,
        rate * (time / target) * (1 + extra),
        rate / (target / time) * (1 + extra),
        rate * time / target + rate * time / target * extra,
    )
    return orders[0] == int(orders[0]) and len(set(orders)) == 1


def _draw_sizing(rng: random.Random) -> Case:
    """Draw a sizing whose number of replicas is whole, or lies well between two whole numbers."""
    while True:
        case = {
            "peak_rps": rng.choice(
                [rng.randrange(2, 20, 2), *(rng.randrange(40, 2_000, 10) for _ in range(7))]
            ),
            "service_time_s": rng.randrange(5, 120, 5) / 1000,
            "target_utilisation": rng.choice([0.5, 0.6, 0.7, 0.75, 0.8]),
            "headroom": rng.choice([0.1, 0.2, 0.25, 0.3, 0.4]),
        }
        if 0.1 < size(**case)["with_headroom"] % 1 < 0.9 or _is_whole(case):
            return case


EXERCISE = Exercise(
    id="05-faded-sizing",
    assignment="05_capacity",
    title="Size the fraud service",
    kind="faded worked example",
    outcome="Turn a peak rate into a number of replicas, and say what each step is for.",
    minutes=6,
    steps=(
        equals(
            "at_target",
            1,
            lambda c, _: c["peak_rps"] * c["service_time_s"] / c["target_utilisation"],
            tolerance=1e-6,
        ),
        equals("with_headroom", 1, lambda c, g: g["at_target"] * (1 + c["headroom"]), tolerance=1e-6),
        equals("replicas", 1, lambda _, g: round_up(g["with_headroom"])),
    ),
    cases=(
        {"peak_rps": 120, "service_time_s": 0.085, "target_utilisation": 0.75, "headroom": 0.3},
        {"peak_rps": 80, "service_time_s": 0.05, "target_utilisation": 0.5, "headroom": 0.2},
        {"peak_rps": 1200, "service_time_s": 0.015, "target_utilisation": 0.6, "headroom": 0.25},
        {"peak_rps": 310, "service_time_s": 0.03, "target_utilisation": 0.7, "headroom": 0.3},
        {"peak_rps": 200, "service_time_s": 0.05, "target_utilisation": 0.5, "headroom": 0.25},
    ),
    reference=size,
    alternatives=(size_in_fractions, size_by_library),
    mistakes=(
        multiplied_by_utilisation,
        forgot_utilisation,
        Slip(forgot_headroom, {"with_headroom": lambda _, g: g["at_target"]}),
        Slip(
            divided_by_one_minus_headroom,
            {"with_headroom": lambda c, g: g["at_target"] / (1 - c["headroom"])},
        ),
        Slip(rounded_down, {"replicas": lambda _, g: int(g["with_headroom"])}),
        Slip(rounded_to_nearest, {"replicas": lambda _, g: round(g["with_headroom"])}),
        Slip(one_more_than_the_whole, {"replicas": lambda _, g: int(g["with_headroom"] + 1e-9) + 1}),
    ),
    hints=(
        (
            "Look at the units. The worked line gives replicas that are busy *all* the time. What does a "
            "target of 0.5 do to that number?"
        ),
        (
            "Start with `at_target`: each replica may be busy only for a share `target_utilisation` of the "
            "time, so one replica carries less than one busy replica's work."
        ),
        (
            "A neighbour: 60 RPS of 0.1 s keep 6 replicas busy. At a target of 0.5 that takes 12, with 25 % "
            "headroom 15."
        ),
    ),
    draw=_draw_sizing,
    strata=(
        Stratum("`replicas`: the whole number to order", _is_whole),
        Stratum("for other countries with other traffic", lambda c: size(**c)["with_headroom"] < 1),
        Stratum(
            "the same plus the headroom",
            lambda c: c["headroom"] == 0,
            lambda rng: {**_draw_sizing(rng), "headroom": 0},
        ),
    ),
    general=("The first line of the rule is worked", "Write the three lines", "`at_target`"),
)
