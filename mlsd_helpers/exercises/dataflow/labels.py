"""Exercise 7: count fraud once its labels are there."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Stratum, equals

Payments = Sequence[dict[str, Any]]


def _delays(payments: Payments, wait_days: float) -> list[float]:
    """Return how many days each dispute took, of those that came within the wait."""
    took = [p["disputed_day"] - p["paid_day"] for p in payments if p["disputed_day"] is not None]
    return [days for days in took if days <= wait_days]


def _counted(mature: Payments, wait_days: float, early_days: float) -> Answer:
    took = _delays(mature, wait_days)
    early = sum(days <= early_days for days in took)
    return {"mature": len(mature), "rate": len(took) / len(mature), "arrived": early / len(took)}


def fraud_rate(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """Count among the payments that have been waited for."""
    return _counted([p for p in payments if today - p["paid_day"] >= wait_days], wait_days, early_days)


def fraud_rate_in_a_loop(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """Go through the payments once."""
    mature = frauds = early = 0
    for payment in payments:
        if payment["paid_day"] + wait_days <= today:
            took = (payment["disputed_day"] or float("inf")) - payment["paid_day"]
            mature, frauds, early = mature + 1, frauds + (took <= wait_days), early + (took <= early_days)
    return {"mature": mature, "rate": frauds / mature, "arrived": early / frauds}


def fraud_rate_in_pandas(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """Use a frame, in which a dispute that never came compares as false."""
    import pandas as pd  # noqa: PLC0415 - only who runs this alternative needs it

    rows = pd.DataFrame(payments).astype(float)
    mature = rows[rows["paid_day"] <= today - wait_days]
    took = mature["disputed_day"] - mature["paid_day"]
    fraud = took <= wait_days
    return {"mature": len(mature), "rate": fraud.mean(), "arrived": (took[fraud] <= early_days).mean()}


def no_label_is_honest(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You counted payments whose labels are still on their way, and took their silence for honesty. A dispute takes
    weeks, so the newest payments look best of all. How old does a payment have to be before silence means something?
    """
    return _counted(payments, wait_days, early_days)  # C33


def waited_longer_than_asked(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You left out the payments that are exactly `wait_days` old. "At least" includes that day: write it as ≥."""
    return _counted([p for p in payments if today - p["paid_day"] > wait_days], wait_days, early_days)


def last_day_of_the_wait_is_late(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You left out the disputes of the last day of the wait. "Within `wait_days`" includes it: write it as ≤."""
    mature = [p for p in payments if today - p["paid_day"] >= wait_days]
    return _counted(mature, wait_days - 1, early_days)


def last_early_day_is_late(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You left out the disputes that came after exactly `early_days`. "Within" includes that day: write it as ≤."""
    mature = [p for p in payments if today - p["paid_day"] >= wait_days]
    return _counted(mature, wait_days, early_days - 1)


def every_limit_strict(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """Your limits leave out the day that they name. "At least `wait_days` old" includes a payment of exactly that age,
    and "within" includes the last day: write ≥ and ≤.
    """
    mature = [p for p in payments if today - p["paid_day"] > wait_days]
    return _counted(mature, wait_days - 1, early_days - 1)


def labelled_alone(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You kept only payments that were disputed, so that all of them are fraud. An honest payment never gets a label:
    it is known by the time that has gone by.
    """
    return _counted([p for p in payments if p["disputed_day"] is not None], wait_days, early_days)


def disputed_at_any_time(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You counted disputes that came after the wait. A label is defined by a window; without it, old payments have had
    longer to be disputed than young ones, and the rate falls with time for no reason.
    """
    mature = [p for p in payments if today - p["paid_day"] >= wait_days]
    return _counted(mature, float("inf"), early_days)


def early_among_all(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You divided the early disputes by all payments. The question is how many of the *disputes* were there that early:
    it says how far a count of that day falls short.
    """
    right = fraud_rate(payments, today, wait_days, early_days)
    return {**right, "arrived": right["arrived"] * right["rate"]}


def early_of_all_payments(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """Your share of early disputes counts payments that are too young to be counted. Of those only what was disputed
    early can be there yet, so the share comes out too high: count it among the payments that are old enough.
    """
    took = _delays(payments, wait_days)
    early = sum(days <= early_days for days in took)
    return {**fraud_rate(payments, today, wait_days, early_days), "arrived": early / len(took)}


def a_dispute_is_an_answer(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You added young payments that are disputed already, and left out those of the same days that are not. That picks
    the bad ones: a payment is counted by its *age*, whatever is known of it.
    """
    known = [p for p in payments if today - p["paid_day"] >= wait_days or p["disputed_day"] is not None]
    return _counted(known, wait_days, early_days)


def fraud_of_all_ages(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """Your rate counts fraud among young payments, and divides by the old ones. A share is taken within one group: the
    fraud *among those* that are old enough.
    """
    right = fraud_rate(payments, today, wait_days, early_days)
    return {**right, "rate": len(_delays(payments, wait_days)) / right["mature"]}


def divided_by_all(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You divided by all payments. The young ones are in the divisor, and their fraud is not in your count yet: the
    rate falls with every payment of today. Divide by the payments that are old enough.
    """
    right = fraud_rate(payments, today, wait_days, early_days)
    return {**right, "rate": right["rate"] * right["mature"] / len(payments)}


def early_among_all_disputes(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """Your share of early disputes counts those that came after the wait. They are no fraud as it is defined here:
    count early and late ones within `wait_days`.
    """
    right = fraud_rate(payments, today, wait_days, early_days)
    mature = [p for p in payments if today - p["paid_day"] >= wait_days]
    took = _delays(mature, float("inf"))
    return {**right, "arrived": sum(days <= early_days for days in took) / len(took)}


def counted_the_fraud(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """Your rate is a number of payments. A rate is a *share*: divide by how many were waited for."""
    right = fraud_rate(payments, today, wait_days, early_days)
    return {**right, "rate": right["rate"] * right["mature"]}


def counted_the_early(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You gave how many disputes came early. Asked is their *share*: divide by all the fraud that was waited for."""
    right = fraud_rate(payments, today, wait_days, early_days)
    return {**right, "arrived": right["arrived"] * right["rate"] * right["mature"]}


def share_that_came_late(payments: Payments, today: int, wait_days: int, early_days: int) -> Answer:
    """You gave the share that was still to come after `early_days`. Asked is the share that had arrived by then."""
    right = fraud_rate(payments, today, wait_days, early_days)
    return {**right, "arrived": 1 - right["arrived"]}


def _payment(paid_day: int, disputed_after: int | None) -> dict[str, Any]:
    return {
        "paid_day": paid_day,
        "disputed_day": None if disputed_after is None else paid_day + disputed_after,
    }


def _draw_payments(rng: random.Random) -> Case:
    """Draw old payments, some disputed early, late and too late, and young ones, some disputed yet."""
    today, wait_days, early_days = rng.randrange(80, 120), rng.choice([20, 30]), rng.choice([2, 3, 4])
    old, young = range(1, today - wait_days), range(today - wait_days + 1, today + 1)
    after = [
        *[rng.randrange(early_days) for _ in range(rng.randrange(1, 4))],
        *[rng.randrange(early_days + 1, wait_days) for _ in range(rng.randrange(1, 5))],
        *[None] * rng.randrange(2, 7),
        *rng.choice([[early_days], []]),
        *rng.choice([[wait_days], []]),
        *rng.choice([[wait_days + rng.randrange(1, 5)], []]),
    ]
    payments = [_payment(rng.choice(old[:40]), days) for days in after]
    payments += [_payment(rng.choice(young), None) for _ in range(rng.randrange(3, 7))]
    if rng.random() < 0.5:
        payments += [_payment(day, rng.randrange(1, early_days + 1)) for day in rng.choices(young[:10], k=2)]
    if rng.random() < 0.5:
        payments.append(_payment(today - wait_days, None))
    rng.shuffle(payments)
    return {"payments": payments, "today": today, "wait_days": wait_days, "early_days": early_days}


def _some(holds: Callable[[Case, int, float], bool]) -> Callable[[Case], bool]:
    """Tell of a case whether it holds for the age of some payment and the days that its dispute took."""

    def in_case(case: Case) -> bool:
        return any(
            holds(
                case,
                case["today"] - one["paid_day"],
                math.inf if one["disputed_day"] is None else one["disputed_day"] - one["paid_day"],
            )
            for one in case["payments"]
        )

    return in_case


EXERCISE = Exercise(
    id="03-labels",
    assignment="03_dataflow",
    title="Wait for the labels",
    kind="estimate",
    outcome="Estimate a rate from labels that arrive late, without taking silence for an answer.",
    minutes=9,
    steps=(
        equals("mature", 1, lambda c, _: fraud_rate(**c)["mature"]),
        equals("rate", 1, lambda c, _: fraud_rate(**c)["rate"], tolerance=1e-6),
        equals("arrived", 1, lambda c, _: fraud_rate(**c)["arrived"], tolerance=1e-6),
    ),
    cases=(
        _draw_payments(random.Random(7)),  # noqa: S311 - a case, not a secret
        _draw_payments(random.Random(8)),  # noqa: S311
    ),
    reference=fraud_rate,
    alternatives=(fraud_rate_in_a_loop, fraud_rate_in_pandas),
    mistakes=(
        no_label_is_honest,
        waited_longer_than_asked,
        last_day_of_the_wait_is_late,
        last_early_day_is_late,
        every_limit_strict,
        labelled_alone,
        disputed_at_any_time,
        early_among_all,
        early_of_all_payments,
        a_dispute_is_an_answer,
        fraud_of_all_ages,
        divided_by_all,
        early_among_all_disputes,
        counted_the_fraud,
        counted_the_early,
        share_that_came_late,
    ),
    hints=(
        "Look at the newest payments: what can be known of them today?",
        (
            "Start with the payments that are at least `wait_days` old today. For those, a dispute that has not come "
            "within the wait is an answer; all counts are among them."
        ),
        (
            "A neighbour: a wait of 10 days. Of 8 payments from day 1, two are disputed, on days 2 and 9; 4 from "
            "day 20 are not. On day 25 the rate is 2 of 8, and of the two, one had arrived within a day."
        ),
    ),
    draw=_draw_payments,
    strata=(
        Stratum(
            "A payment counts as fraud when it is disputed within `wait_days`",
            _some(lambda c, age, took: age >= c["wait_days"] == took),
        ),
        Stratum(
            "the share of fraud among those",
            _some(lambda c, age, took: age >= c["wait_days"] < took < math.inf),
        ),
        Stratum("at least `wait_days` old", _some(lambda c, age, _: age == c["wait_days"])),
        Stratum(
            "so that their answer is known", _some(lambda c, age, took: age < c["wait_days"] and took < age)
        ),
        Stratum(
            "had been disputed within `early_days`",
            _some(lambda c, age, took: age >= c["wait_days"] and took == c["early_days"]),
        ),
    ),
    general=("Each of the `payments` is", "It is the day `today`", "Return a dict"),
)
