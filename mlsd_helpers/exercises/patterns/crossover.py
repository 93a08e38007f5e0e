"""Exercise 2: from which rate on do answers made ahead cost less?"""

import math
import random
from dataclasses import replace
from functools import partial
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals
from mlsd_helpers.units import day

_MILLION = 1e6


def _runs(case: Case) -> float:
    return float(day / (case["max_age_s"] - case["job_s"]))


def _ahead(case: Case, runs: float) -> float:
    return float(case["keys"] * runs * case["batch_price"] / _MILLION)


def _crossover(case: Case, ahead: float) -> float:
    return float(ahead / ((case["request_price"] - case["read_price"]) / _MILLION) / day)


def _worked(case: Case, **instead: Any) -> Answer:
    """Work it out, with what is given instead carried on into what follows from it."""
    runs = instead.get("runs_per_day", _runs(case))
    ahead = instead.get("ahead_per_day", _ahead(case, runs))
    crossing = instead.get("crossover_rps", _crossover(case, ahead))
    cheaper = instead.get("cheaper", "B" if case["mean_rps"] > crossing else "A")
    return {"runs_per_day": runs, "ahead_per_day": ahead, "crossover_rps": crossing, "cheaper": cheaper}


def crossover(**case: Any) -> Answer:
    """Solve for the rate at which both cost the same."""
    return _worked(case)


def crossover_by_formula(**case: Any) -> Answer:
    """Use the calculators."""
    runs = day / (case["max_age_s"] - case["job_s"])
    batch, request, read = (case[name] / _MILLION for name in ("batch_price", "request_price", "read_price"))
    per_day = formulas.crossover_requests_per_day(case["keys"], runs, batch, request, read)
    return {
        "runs_per_day": runs,
        "ahead_per_day": formulas.precompute_cost_per_day(case["keys"], runs, batch),
        "crossover_rps": per_day / day,
        "cheaper": "B" if case["mean_rps"] * day > per_day else "A",
    }


def crossover_by_comparing(**case: Any) -> Answer:
    """Compare the two bills of a day at the mean rate, in millions of requests."""
    answer = _worked(case)
    millions = case["mean_rps"] * day / _MILLION
    from_store = answer["ahead_per_day"] + millions * case["read_price"]
    return {**answer, "cheaper": "b" if from_store < millions * case["request_price"] else "a"}


def period_is_the_limit(**case: Any) -> Answer:
    """You ran the job once every allowed age. Its own time comes on top, so that the oldest answer is too
    old: what may the period be, when the job has taken its part of the limit?
    """
    return _worked(case, runs_per_day=day / case["max_age_s"])  # C22


def period_plus_the_job(**case: Any) -> Answer:
    """You added the job's time to the limit. It is part of the age that is allowed, and so shortens the
    period. Do answers that take long to make need more runs, or fewer?
    """
    return _worked(case, runs_per_day=day / (case["max_age_s"] + case["job_s"]))


def made_once_a_day(**case: Any) -> Answer:
    """You made each answer once a day. Fresh answers are bought by making them again and again: every key, at
    every run, asked for or not. How many inferences is that?
    """
    return _worked(case, ahead_per_day=_ahead(case, 1))  # C36


def batch_at_the_request_price(**case: Any) -> Answer:
    """You paid the job's inferences at the price of request time. A job fills its machines and waits for
    nobody: it has a price of its own. Which one is given for it?
    """
    return _worked(case, ahead_per_day=_ahead({**case, "batch_price": case["request_price"]}, _runs(case)))


def reading_for_free(**case: Any) -> Answer:
    """You forgot what a look-up costs. Each request saves an inference and pays for a read: only the
    difference pays for the job. What does one more request save?
    """
    ahead = _ahead(case, _runs(case))
    return _worked(case, crossover_rps=_crossover({**case, "read_price": 0}, ahead))


def requests_per_day(**case: Any) -> Answer:
    """Your crossover is a number of requests a day, and the rate that you hold against it is one a second.
    Bring both to the same unit before they meet.
    """
    return _worked(case, crossover_rps=_crossover(case, _ahead(case, _runs(case))) * day)


def cheaper_the_wrong_way(**case: Any) -> Answer:
    """Your crossover is right, and you read it backwards. The job costs the same however many come; each
    request makes the other pattern dearer. Who gains by more requests?
    """
    return _worked(case, cheaper="A" if _worked(case)["cheaper"] == "B" else "B")


def _draw_case(rng: random.Random) -> Case:
    """Draw prices, and a rate that is not near the crossover."""
    case: dict[str, Any] = {
        "keys": rng.choice([20_000, 200_000, 500_000, 3_000_000]),
        "max_age_s": rng.choice([3_600, 7_200, 21_600]),
        "job_s": rng.choice([300, 600, 1_200]),
        "request_price": rng.choice([8, 10, 20]),
        "batch_price": rng.choice([3, 4, 5]),
        "read_price": rng.choice([1, 2]),
    }
    crossing = _crossover(case, _ahead(case, _runs(case)))
    return {**case, "mean_rps": float(f"{crossing * rng.choice([0.2, 0.4, 3, 8]):.2g}")}


def _cheaper_step(case: Case, given: Given) -> str:
    return "B" if case["mean_rps"] > given["crossover_rps"] else "A"


def _explain_cheaper(_case: Case, value: Any) -> str:
    if not isinstance(value, str) or value.strip().upper() not in {"A", "B"}:
        return "Expected 'A' or 'B'."
    return "Hold `mean_rps` against your own crossover: which of the two bills grows faster with the rate?"


def _case(keys: int, mean_rps: float, max_age_s: int, job_s: int, *prices: float) -> Case:
    names = ("request_price", "batch_price", "read_price")
    ages = {"max_age_s": max_age_s, "job_s": job_s}
    return {"keys": keys, "mean_rps": mean_rps, **ages, **dict(zip(names, prices, strict=True))}


def _draw_near(times: float, rng: random.Random) -> Case:
    """Draw prices, and a rate that is so many times the crossover."""
    case = _draw_case(rng)
    return {**case, "mean_rps": times * _worked(case)["crossover_rps"]}


def _is_near(times: float, case: Case) -> bool:
    return math.isclose(case["mean_rps"], times * _worked(case)["crossover_rps"])


EXERCISE = Exercise(
    id="04-crossover",
    assignment="04_patterns",
    title="Find the crossover",
    kind="estimate",
    outcome="Work out the rate from which pre-computing costs less than request-time inference.",
    minutes=11,
    steps=(
        equals("runs_per_day", 1, lambda c, _: _runs(c), tolerance=1e-3),
        equals("ahead_per_day", 1, lambda c, g: _ahead(c, g["runs_per_day"]), tolerance=1e-3),
        equals("crossover_rps", 1, lambda c, g: _crossover(c, g["ahead_per_day"]), tolerance=1e-3),
        replace(equals("cheaper", 1, _cheaper_step), explain=_explain_cheaper),
    ),
    cases=(
        _case(500_000, 300, 7_200, 600, 10, 5, 1),
        _case(3_000_000, 90, 3_600, 1_200, 20, 4, 2),
        _case(20_000, 60, 21_600, 300, 8, 3, 1),
    ),
    reference=crossover,
    alternatives=(crossover_by_formula, crossover_by_comparing),
    mistakes=(
        period_is_the_limit,
        period_plus_the_job,
        Slip(made_once_a_day, {"ahead_per_day": lambda c, _: _ahead(c, 1)}),
        Slip(
            batch_at_the_request_price,
            {
                "ahead_per_day": lambda c, g: _ahead(
                    {**c, "batch_price": c["request_price"]}, g["runs_per_day"]
                )
            },
        ),
        Slip(
            reading_for_free,
            {"crossover_rps": lambda c, g: _crossover({**c, "read_price": 0}, g["ahead_per_day"])},
        ),
        Slip(requests_per_day, {"crossover_rps": lambda c, g: _crossover(c, g["ahead_per_day"]) * day}),
        Slip(cheaper_the_wrong_way, {"cheaper": lambda c, g: "A" if _cheaper_step(c, g) == "B" else "B"}),
    ),
    hints=(
        "Look at which part of each bill grows with the number of requests, and which does not.",
        (
            "Start with the longest period that keeps the oldest answer within the limit. Then: what do all runs "
            "of a day cost, and what does one more request save?"
        ),
        (
            "A neighbour: a limit of 25 h and a job of 1 h make one run a day. 2 million keys at $6 a million are "
            "$12 a day. If a request saves $4 a million, 3 million requests a day pay for it: 35 a second."
        ),
    ),
    draw=_draw_case,
    strata=(
        Stratum(
            "with the longest period at which no answer is ever older",
            lambda c: c["max_age_s"] < 4 * c["job_s"],
        ),
        Stratum(
            "with the longest period at which no answer is ever older",
            lambda c: c["max_age_s"] > day,
            lambda rng: {**_draw_case(rng), "max_age_s": 30 * 3_600},
        ),
        *(
            Stratum('"A" or "B", at `mean_rps`', partial(_is_near, times), partial(_draw_near, times))
            for times in (0.6, 0.97, 1.03, 1.7)
        ),
        Stratum(
            "`read_price`, a look-up",
            lambda c: c["read_price"] == 0,
            lambda rng: {**_draw_case(rng), "read_price": 0, "mean_rps": 1e6},
        ),
    ),
    general=(
        "From which request rate on",
        "Return a dict",
        "`ahead_per_day`",
        "`crossover_rps`",
    ),
)
