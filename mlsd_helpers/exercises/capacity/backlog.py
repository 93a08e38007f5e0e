"""Exercise 5: what queues while the autoscaler wakes up."""

import random
from fractions import Fraction

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Slip, Stratum, equals


def backlog(surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float) -> Answer:
    """Count what queues until the new replicas are there, and how long it takes to go."""
    queued = max(surge_rps - capacity_rps, 0) * delay_s
    return {
        "queued": queued,
        "last_wait_s": queued / scaled_rps,
        "drain_s": queued / (scaled_rps - surge_rps),
    }


def backlog_by_the_second(surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float) -> Answer:
    """Step through the surge a second at a time."""
    queued = 0.0
    for _ in range(int(delay_s)):
        queued = max(0.0, queued + surge_rps - capacity_rps)
    return {
        "queued": queued,
        "last_wait_s": queued / scaled_rps,
        "drain_s": queued / (scaled_rps - surge_rps),
    }


def backlog_in_fractions(surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float) -> Answer:
    """Do the same with exact arithmetic, and answer in whole numbers where they are whole."""
    surge, capacity, delay, scaled = (
        Fraction(str(x)) for x in (surge_rps, capacity_rps, delay_s, scaled_rps)
    )
    queued = (surge - capacity) * delay if surge > capacity else Fraction(0)
    return {"queued": queued, "last_wait_s": queued / scaled, "drain_s": queued / (scaled - surge)}


def instant_autoscaling(surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float) -> Answer:
    """Nothing queues in your answer, as if replicas appeared the moment that they are needed. Until the
    delay is over, the old fleet serves the surge alone: headroom has to carry that time.
    """
    return {"queued": 0.0, "last_wait_s": 0.0, "drain_s": 0.0}  # C57


def queued_everything(surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float) -> Answer:
    """You queued every request of the surge. The old fleet goes on serving meanwhile: only the difference
    queues.
    """
    queued = surge_rps * delay_s
    return {
        "queued": queued,
        "last_wait_s": queued / scaled_rps,
        "drain_s": queued / (scaled_rps - surge_rps),
    }


def negative_backlog(surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float) -> Answer:
    """Your queue goes below zero when the old fleet is large enough. A queue cannot hold less than
    nothing; spare capacity is not saved up.
    """
    queued = (surge_rps - capacity_rps) * delay_s
    return {
        "queued": queued,
        "last_wait_s": queued / scaled_rps,
        "drain_s": queued / (scaled_rps - surge_rps),
    }


def drained_without_arrivals(
    surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float
) -> Answer:
    """You drained the queue with the whole new capacity. The surge goes on arriving: only what is left
    over after serving it drains the queue.
    """
    answer = backlog(surge_rps, capacity_rps, delay_s, scaled_rps)
    return {**answer, "drain_s": answer["queued"] / scaled_rps}


def drained_by_what_was_added(
    surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float
) -> Answer:
    """You drained the queue with what the new replicas add to the old fleet. The old fleet alone is short of the surge,
    so the new ones first make up for that: take what arrives off what is served.
    """
    answer = backlog(surge_rps, capacity_rps, delay_s, scaled_rps)
    added_rps = scaled_rps - capacity_rps
    return {**answer, "drain_s": answer["queued"] / added_rps}


def waited_until_drained(surge_rps: float, capacity_rps: float, delay_s: float, scaled_rps: float) -> Answer:
    """You took the time until the queue is empty for the wait of one request. The last one in the queue at
    the end of the delay waits until those before it are served, at the full new rate: it does not wait
    for the ones that arrive behind it.
    """
    answer = backlog(surge_rps, capacity_rps, delay_s, scaled_rps)
    return {**answer, "last_wait_s": answer["drain_s"]}


def _draw_surge(rng: random.Random) -> Case:
    capacity = rng.randrange(200, 1_000, 25)
    surge = capacity + rng.choice([-100, -50, 25, 75, 100, 150])
    return {
        "surge_rps": surge,
        "capacity_rps": capacity,
        "delay_s": rng.choice([30, 60, 90, 120, 180]),
        "scaled_rps": max(surge, capacity) + rng.randrange(50, 400, 50),
    }


EXERCISE = Exercise(
    id="05-backlog",
    assignment="05_capacity",
    title="What queues while the autoscaler wakes up",
    kind="trace",
    outcome="Estimate the backlog of a surge and the time to drain it.",
    minutes=6,
    steps=(
        equals("queued", 1, lambda c, _: backlog(**c)["queued"], tolerance=1e-3),
        equals("last_wait_s", 1, lambda c, g: g["queued"] / c["scaled_rps"], tolerance=1e-3),
        equals("drain_s", 1, lambda c, g: g["queued"] / (c["scaled_rps"] - c["surge_rps"]), tolerance=1e-3),
    ),
    cases=(
        {"surge_rps": 600, "capacity_rps": 500, "delay_s": 60, "scaled_rps": 750},
        {"surge_rps": 400, "capacity_rps": 450, "delay_s": 90, "scaled_rps": 500},
        {"surge_rps": 330, "capacity_rps": 300, "delay_s": 120, "scaled_rps": 450},
    ),
    reference=backlog,
    alternatives=(backlog_by_the_second, backlog_in_fractions),
    mistakes=(
        instant_autoscaling,
        queued_everything,
        negative_backlog,
        Slip(drained_without_arrivals, {"drain_s": lambda c, g: g["queued"] / c["scaled_rps"]}),
        Slip(
            drained_by_what_was_added,
            {"drain_s": lambda c, g: g["queued"] / (c["scaled_rps"] - c["capacity_rps"])},
        ),
        Slip(
            waited_until_drained,
            {"last_wait_s": lambda c, g: g["queued"] / (c["scaled_rps"] - c["surge_rps"])},
        ),
    ),
    hints=(
        "Look at the delay alone first: what arrives in it, and what is served in it?",
        (
            "Start with `queued`, which cannot be below zero. Then ask two different questions: how long "
            "does the last one in it wait, and when is it empty?"
        ),
        (
            "A neighbour: 110/s arrive at a fleet of 100/s for 30 s: 300 queue. At 160/s the last one waits "
            "300/160 = 1.9 s, and the queue is empty after 300/50 = 6 s."
        ),
    ),
    draw=_draw_surge,
    strata=(
        Stratum(
            "Traffic changes to `surge_rps`, upwards as a rule", lambda c: c["surge_rps"] < c["capacity_rps"]
        ),
        Stratum(
            "The fleet can serve `capacity_rps`",
            lambda c: c["surge_rps"] == c["capacity_rps"],
            lambda rng: {**(case := _draw_surge(rng)), "surge_rps": case["capacity_rps"]},
        ),
        Stratum(
            "take `delay_s` to serve their first request",
            lambda c: c["delay_s"] == 0,
            lambda rng: {**_draw_surge(rng), "delay_s": 0},
        ),
        Stratum(
            "which is above the surge",
            lambda c: c["scaled_rps"] == c["surge_rps"] + 1,
            lambda rng: {**(case := _draw_surge(rng)), "scaled_rps": case["surge_rps"] + 1},
        ),
    ),
    general=(
        "The surge goes on",
        "Trace what happens, in a dict",
        "`queued`",
        "`last_wait_s`",
        "`drain_s`",
    ),
)
