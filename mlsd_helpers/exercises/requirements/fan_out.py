"""Exercise 5: how slow is a request that waits for many calls, and how much time is left for the last hop?"""

import random
from collections.abc import Sequence

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Stratum, equals
from mlsd_helpers.formulas import budget_left_s, fan_out_tail


def fan_out(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """Multiply what is fast; subtract what is spent."""
    left_ms = budget_left_s(budget_ms / 1_000, [hop / 1_000 for hop in hops_ms]) * 1_000
    return {"slow_requests": fan_out_tail(slow_share, calls), "left_ms": left_ms}


def fan_out_by_hand(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """Do it without formulas, call by call."""
    all_fast = 1.0
    for _ in range(calls):
        all_fast *= 1 - slow_share
    return {"slow_requests": 1 - all_fast, "left_ms": budget_ms - sum(hops_ms)}


class Tail:
    """An answer that is an object instead of a dict."""

    def __init__(self, slow_requests: float, left_ms: float) -> None:
        self.slow_requests, self.left_ms = slow_requests, left_ms


def fan_out_as_record(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Tail:
    """Do the same, and answer with an object."""
    return Tail(**fan_out(slow_share, calls, budget_ms, hops_ms))


def one_call_for_all(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You gave the share of slow *calls*. A request that waits for all of them inherits the slowest. How likely is it
    that not one of them is slow?
    """
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "slow_requests": slow_share}  # C6


def added_the_chances(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You added the chances up. Two calls are sometimes slow together, and with enough calls your share passes one.
    What is the chance that all are fast?
    """
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "slow_requests": slow_share * calls}


def capped_the_sum(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You added the chances up, and cut the sum off at 1. A cap hides that the sum counts twice what is slow together;
    below 1 it is as wrong. What is the chance that all are fast?
    """
    right = fan_out(slow_share, calls, budget_ms, hops_ms)
    return {**right, "slow_requests": min(1.0, slow_share * calls)}


def all_slow_at_once(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You gave the chance that *all* calls are slow. One is enough to keep the request waiting. Does your share rise
    or fall with more calls?
    """
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "slow_requests": slow_share**calls}


def all_fast_given(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You gave the share of requests all of whose calls are fast. The others have at least one slow call: how many are
    those?
    """
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "slow_requests": (1 - slow_share) ** calls}


def not_all_slow_at_once(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You gave the chance that *not all* calls are slow. Nearly every request has a fast call, and one slow one is
    enough to keep it waiting. When is no call slow?
    """
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "slow_requests": 1 - slow_share**calls}


def exactly_one_slow(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You gave the chance that exactly one call is slow. Two slow ones keep the request waiting as well. When is none
    slow?
    """
    one = calls * slow_share * (1 - slow_share) ** (calls - 1)
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "slow_requests": one}


def mean_hop_alone(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You took away the mean hop. A request passes every hop, and their times add up. How long does it take for all
    of them?
    """
    left_ms = budget_ms - sum(hops_ms) / len(hops_ms)
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "left_ms": left_ms}


def slowest_hop_alone(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You took away the slowest hop alone. These hops follow each other, and a request waits for each in turn; only
    calls at the same time share their wait. When does the second one start?
    """
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "left_ms": budget_ms - max(hops_ms)}


def gave_what_is_used(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You gave what the hops use, and `left_ms` is what they leave. How much of the budget is there for one
    more hop?
    """
    return {**fan_out(slow_share, calls, budget_ms, hops_ms), "left_ms": float(sum(hops_ms))}


def hid_the_overrun(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You turned what is overspent into nothing, or into time left. Below zero is a finding: the hops do not fit.
    What would a plan with your number say of them?
    """
    right = fan_out(slow_share, calls, budget_ms, hops_ms)
    return {**right, "left_ms": max(0.0, right["left_ms"])}


def turned_the_sign(slow_share: float, calls: int, budget_ms: float, hops_ms: Sequence[float]) -> Answer:
    """You took the budget from the hops. What is left is above zero where they fit, and below where they do not. Which
    of the two is the larger here?
    """
    right = fan_out(slow_share, calls, budget_ms, hops_ms)
    return {**right, "left_ms": -right["left_ms"]}


def _case(slow_share: float, calls: int, budget_ms: int, hops_ms: list[int]) -> Case:
    return {"slow_share": slow_share, "calls": calls, "budget_ms": budget_ms, "hops_ms": hops_ms}


def _draw(rng: random.Random) -> Case:
    """Draw a search over shards and its budget, which is sometimes overspent."""
    hops_ms = [rng.randrange(25, 90) for _ in range(rng.choice([1, 2, 3, 4]))]
    budget_ms = sum(hops_ms) + rng.choice([0, rng.randrange(15, 200), -rng.randrange(5, 20)])
    calls = rng.choice([rng.randrange(1, 5), rng.randrange(20, 120), rng.randrange(20, 120)])
    return _case(rng.choice([0.01, 0.02, 0.005]), calls, budget_ms, hops_ms)


def _left_ms(case: Case) -> float:
    return float(case["budget_ms"] - sum(case["hops_ms"]))


EXERCISE = Exercise(
    id="01-fan-out",
    assignment="01_requirements",
    title="Side by side, and one after another",
    kind="estimate",
    outcome="Find the tail of a fan-out and what serial hops leave of a budget.",
    minutes=12,
    steps=(
        equals("slow_requests", 2, lambda case, _: fan_out(**case)["slow_requests"], tolerance=1e-3),
        equals("left_ms", 1, lambda case, _: fan_out(**case)["left_ms"], tolerance=1e-6),
    ),
    cases=(
        _case(0.02, 40, 300, [60, 35, 120]),
        _case(0.005, 90, 150, [45, 70, 50]),
        _case(0.02, 80, 200, [40, 90]),
    ),
    reference=fan_out,
    alternatives=(fan_out_by_hand, fan_out_as_record),
    mistakes=(
        one_call_for_all,
        added_the_chances,
        capped_the_sum,
        all_slow_at_once,
        all_fast_given,
        not_all_slow_at_once,
        exactly_one_slow,
        mean_hop_alone,
        slowest_hop_alone,
        gave_what_is_used,
        hid_the_overrun,
        turned_the_sign,
    ),
    hints=(
        "Look at the good case first: what has to be true of every call for the request to be fast?",
        "Start with the share of fast calls, and raise it to the number of calls. Serial hops simply add.",
        "A neighbour: of two dice, at least one shows a six in 1 - (5/6)², about 31%, of the throws; not in 2/6.",
    ),
    draw=_draw,
    strata=(
        Stratum("A request makes a number of `calls`", lambda case: case["calls"] < 5),
        Stratum("- `slow_requests`: the share", lambda case: case["calls"] * case["slow_share"] > 1),
        Stratum("it passes the hops `hops_ms` one after another", lambda case: len(case["hops_ms"]) == 1),
        Stratum("it passes the hops `hops_ms` one after another", lambda case: len(case["hops_ms"]) > 2),
        Stratum("what the hops leave of the budget", lambda case: _left_ms(case) == 0),
        Stratum("below 0 when they do not fit", lambda case: _left_ms(case) < 0),
    ),
    general=("Write `fan_out`",),
)
