"""Exercise 5: trace how far behind a stream is after an outage."""

import random
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals


def _consumed(case: Case) -> float:
    return float(min(case["consumers"], case["partitions"]) * case["each_rps"])


def _spare(case: Case, given: Given) -> float:
    return float(given["consumed_rps"]) - float(case["events_rps"])


def _caught_up(case: Case, given: Given) -> float:
    return float(given["backlog"]) / _spare(case, given)


def _lag(_case: Case, given: Given) -> float:
    return float(given["backlog"]) / float(given["consumed_rps"])


def _fresh_again(case: Case, given: Given) -> float:
    """Return how long the lag takes to fall to what is allowed, in seconds."""
    return _too_many(case, given) / _spare(case, given)


def _too_many(case: Case, given: Given) -> float:
    """Return how many events wait beyond what the allowed lag permits."""
    return max(float(given["backlog"]) - float(case["max_lag_s"]) * float(given["consumed_rps"]), 0.0)


def _traced(case: Case, **instead: float) -> Answer:
    """Trace the steps, with what is given instead carried on into what follows from it."""
    answer = {"consumed_rps": _consumed(case), "backlog": case["events_rps"] * case["outage_s"]} | instead
    answer.setdefault("lag_s", _lag(case, answer))
    answer.setdefault("caught_up_s", _caught_up(case, answer))
    answer.setdefault("fresh_again_s", _fresh_again(case, answer))
    return answer


def trace(**case: Any) -> Answer:
    """Trace the backlog as a fluid."""
    return _traced(case)


def trace_by_formula(**case: Any) -> Answer:
    """Use the calculators."""
    consumed = formulas.busy_consumers(case["consumers"], case["partitions"]) * case["each_rps"]
    events = case["events_rps"]
    backlog = formulas.surge_backlog(events, 0, case["outage_s"])
    too_many = max(backlog - case["max_lag_s"] * consumed, 0)
    return {
        "consumed_rps": consumed,
        "backlog": backlog,
        "lag_s": formulas.consumer_lag_s(backlog, consumed),
        "caught_up_s": formulas.catch_up_s(case["outage_s"], events, consumed),
        "fresh_again_s": formulas.drain_time_s(too_many, events, consumed),
    }


def trace_by_shares(**case: Any) -> Answer:
    """Count in multiples of the outage: how busy the consumers are in quiet times decides everything."""
    consumed = case["each_rps"] * min(case["partitions"], case["consumers"])
    busy = case["events_rps"] / consumed
    lag_s = case["outage_s"] * busy
    return {
        "consumed_rps": consumed,
        "backlog": lag_s * consumed,
        "lag_s": lag_s,
        "caught_up_s": lag_s / (1 - busy),
        "fresh_again_s": max(lag_s - case["max_lag_s"], 0) / (1 - busy),
    }


def every_consumer_works(**case: Any) -> Answer:
    """You let every consumer work. Within a group one partition is read by one consumer: those beyond the
    number of partitions are paid for and read nothing. Which of the two numbers is the limit?
    """
    return _traced(case, consumed_rps=float(case["consumers"] * case["each_rps"]))  # C43


def one_for_each_partition(**case: Any) -> Answer:
    """You gave each partition a consumer of its own, also where there are fewer consumers than that. One
    consumer can read several partitions, and is not faster for it. Which of the two numbers is the limit?
    """
    return _traced(case, consumed_rps=float(case["partitions"] * case["each_rps"]))


def consumed_during_the_outage(**case: Any) -> Answer:
    """You reckoned with what the consumers read during the outage. They read nothing: that is what an
    outage is. How much comes in meanwhile?
    """
    return _traced(case, backlog=(_consumed(case) - case["events_rps"]) * case["outage_s"])


def streaming_never_lags(**case: Any) -> Answer:
    """You have the stream fresh as soon as it runs again. It reads in order: what arrives now is read when
    all that waits before it has been. How long does that take?
    """
    return _traced(case, lag_s=0.0)  # C42


def lag_at_the_spare_rate(**case: Any) -> Answer:
    """You divided the backlog by the spare rate for the lag. That is the time until nothing waits any more;
    the event that arrives now only waits for those *before* it, and at which rate are they read?
    """
    return _traced(case, lag_s=_traced(case)["caught_up_s"])


def nothing_new_arrives(**case: Any) -> Answer:
    """You worked the backlog off as if nothing new came in. While the consumers catch up, events go on
    arriving: only what they can take beyond that makes the backlog smaller.
    """
    return _traced(case, caught_up_s=_traced(case)["lag_s"])


def fresh_when_caught_up(**case: Any) -> Answer:
    """You waited until nothing is left. An arriving event is read in time again as soon as the lag is
    within what is allowed, and that is earlier. What backlog does the allowed lag permit?
    """
    return _traced(case, fresh_again_s=_traced(case)["caught_up_s"])


def took_the_limit_off_the_time(**case: Any) -> Answer:
    """You took the allowed lag off the time to catch up. The two are on different clocks: a lag of one second is what
    is *read* in a second, and the backlog shrinks by the spare rate only. Which backlog does the allowed lag permit?
    """
    return _traced(case, fresh_again_s=max(_traced(case)["caught_up_s"] - case["max_lag_s"], 0.0))


def forgot_that_events_arrive(**case: Any) -> Answer:
    """You let the backlog fall to what is allowed at the rate at which events are read. New ones go on arriving
    meanwhile: it falls by the *spare* rate only.
    """
    traced = _traced(case)
    return _traced(case, fresh_again_s=_too_many(case, traced) / traced["consumed_rps"])


def aged_what_is_read(**case: Any) -> Answer:
    """You looked back: when the outage ends, the event that is read next is as old as the outage. `lag_s` looks ahead,
    from an event that arrives *now*: how long until those before it have been read? `fresh_again_s` is on that clock.
    """
    return _traced(case, lag_s=case["outage_s"], fresh_again_s=_while_too_old(case, _traced(case)))


def _while_too_old(case: Case, given: Given) -> float:
    too_old_s = float(max(case["outage_s"] - case["max_lag_s"], 0))
    return too_old_s * float(case["events_rps"]) / _spare(case, given)


def _draw_case(rng: random.Random) -> Case:
    """Draw an outage with more consumers than partitions, or with a whole number of partitions for each."""
    fewer = rng.choice([4, 6, 10])
    more = rng.choice([fewer + rng.choice([1, 2, 5, 8]), fewer * rng.choice([2, 3])])
    consumers, partitions = (more, fewer) if more % fewer else rng.choice([(more, fewer), (fewer, more)])
    each = rng.choice([400, 500, 800])
    outage_s = rng.choice([300, 600, 1_200])
    return {
        "outage_s": outage_s,
        "events_rps": fewer * each * rng.choice([0.6, 0.75, 0.8, 0.9]),
        "each_rps": each,
        "consumers": consumers,
        "partitions": partitions,
        "max_lag_s": rng.choice([0.1, 0.25, 3]) * outage_s,
    }


def _fewer(case: Case) -> int:
    return int(min(case["consumers"], case["partitions"]))


def _case(outage_s: int, events: int, each: int, consumers: int, partitions: int, max_lag_s: int) -> Case:
    rates = {"events_rps": events, "each_rps": each}
    fleet = {"consumers": consumers, "partitions": partitions}
    return {"outage_s": outage_s, **rates, **fleet, "max_lag_s": max_lag_s}


EXERCISE = Exercise(
    id="04-lag",
    assignment="04_patterns",
    title="Trace the lag after an outage",
    kind="trace",
    outcome="Say how stale a stream is after an outage, and when it is fresh again.",
    minutes=10,
    steps=(
        equals("consumed_rps", 1, lambda c, _: _consumed(c), tolerance=1e-6),
        equals("backlog", 1, lambda c, _: c["events_rps"] * c["outage_s"], tolerance=1e-6),
        equals("lag_s", 1, _lag, tolerance=1e-3),
        equals("caught_up_s", 1, _caught_up, tolerance=1e-3),
        equals("fresh_again_s", 1, _fresh_again, tolerance=1e-3),
    ),
    cases=(
        _case(600, 4_500, 500, 20, 12, 60),
        _case(300, 2_400, 400, 8, 16, 30),
        _case(900, 3_600, 800, 6, 5, 2_700),
    ),
    reference=trace,
    alternatives=(trace_by_formula, trace_by_shares),
    mistakes=(
        every_consumer_works,
        one_for_each_partition,
        Slip(consumed_during_the_outage, {"backlog": lambda c, g: _spare(c, g) * c["outage_s"]}),
        Slip(streaming_never_lags, {"lag_s": lambda *_: 0.0}),
        Slip(lag_at_the_spare_rate, {"lag_s": _caught_up}),
        Slip(nothing_new_arrives, {"caught_up_s": _lag}),
        Slip(fresh_when_caught_up, {"fresh_again_s": _caught_up}),
        Slip(
            took_the_limit_off_the_time,
            {"fresh_again_s": lambda c, g: max(_caught_up(c, g) - c["max_lag_s"], 0.0)},
        ),
        Slip(forgot_that_events_arrive, {"fresh_again_s": lambda c, g: _too_many(c, g) / g["consumed_rps"]}),
        Slip(aged_what_is_read, {"lag_s": lambda c, _: c["outage_s"], "fresh_again_s": _while_too_old}),
    ),
    hints=(
        "Look at which rate each step needs: what arrives, what is read, or the difference of the two.",
        (
            "Start with how many consumers have something to read. The lag is what waits over what is read in a "
            "second; the backlog shrinks only by what is read beyond what arrives."
        ),
        (
            "A neighbour: 1,000 events wait, 50/s are read and 30/s arrive. An event that comes now is read in "
            "20 s. Nothing waits any more after 1,000 / 20 = 50 s; 250 wait, a lag of 5 s, after 37.5 s."
        ),
    ),
    draw=_draw_case,
    strata=(
        Stratum(
            "`consumers` consumers share `partitions` partitions", lambda c: c["consumers"] > c["partitions"]
        ),
        Stratum(
            "each that has something to read takes `each_rps`", lambda c: c["consumers"] < c["partitions"]
        ),
        Stratum(
            "together they take more than arrives",
            lambda c: c["consumers"] == c["partitions"],
            lambda rng: {
                **(case := _draw_case(rng)),
                **dict.fromkeys(("consumers", "partitions"), _fewer(case)),
            },
        ),
        Stratum("0 if none waits longer", lambda c: _traced(c)["lag_s"] < c["max_lag_s"]),
        Stratum(
            "an arriving event waits `max_lag_s` or less",
            lambda c: _traced(c)["lag_s"] == c["max_lag_s"],
            lambda rng: {**(case := _draw_case(rng)), "max_lag_s": _traced(case)["lag_s"]},
        ),
        Stratum(
            "an arriving event waits `max_lag_s` or less",
            lambda c: c["max_lag_s"] == 0,
            lambda rng: {**_draw_case(rng), "max_lag_s": 0},
        ),
    ),
    general=(
        "All consumers of a stream stand still",
        "`events_rps` arrive before",
        "Events are read in their order",
        "Trace what happens",
        "`consumed_rps`",
        "`backlog`",
        "`lag_s`",
        "`caught_up_s`",
    ),
)
