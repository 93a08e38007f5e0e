"""Invented data that the lessons look at, the same each time; tables of features; and the AUC.

The lessons say what the numbers mean; none of them is measured.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd_helpers import cases
from mlsd_helpers.design import DataFlow, Design, Planes
from mlsd_helpers.errors import RangeError
from mlsd_helpers.exercises.dataflow.gaps import HARBOUR_PAY
from mlsd_helpers.exercises.planes.place import PARTS as WHAT_PARTS_DO
from mlsd_helpers.review import review
from mlsd_helpers.units import minute, show_seconds

__all__ = [
    "WHAT_PARTS_DO",
    "arrivals",
    "auc",
    "days_behind_a_gate",
    "disputed_payments",
    "feature_table",
    "findings_of_flow",
    "flagged_at_age",
    "flagged_over_the_day",
    "follow_a_payment",
    "gaps_between_payments",
    "loops_beside_a_stall",
    "path_table",
    "payment_amounts",
    "payments_of_a_day",
    "sketch_of_six",
    "sketch_with_holes",
    "ways_to_start",
]


def payment_amounts() -> NDArray:  # type: ignore[type-arg]
    """Return the amounts of 10,000 payments in euros, drawn from a lognormal distribution."""
    amounts: NDArray = np.random.default_rng(seed=0).lognormal(mean=3.5, sigma=1.0, size=10_000)  # type: ignore[type-arg]
    return amounts


def _without_a_code_in_cents() -> float:
    amounts = payment_amounts()
    return float(np.sum(100 * amounts <= np.quantile(amounts, 0.95)))


def loops_beside_a_stall() -> dict[str, list[tuple[float, float]]]:
    """Return, for a closed and an open loop, when each request was due and how long its answer took, in seconds.

    One server takes 10 ms a request, in their order, and does nothing from 50 to 60 s of 100 s. Both loops are set to
    ten requests a second. The closed one waits for an answer before it sends the next request.
    """

    def done_s(start_s: float) -> float:
        return (60 if 50 <= start_s < 60 else start_s) + 0.010

    closed, open_, due_s, free_s = [], [], 0.0, 0.0
    while due_s < 100:
        answered_s = done_s(due_s)
        closed.append((due_s, answered_s - due_s))
        due_s = max(answered_s, due_s + 0.1)
    for on_the_clock_s in np.arange(0, 100, 0.1):
        free_s = done_s(max(on_the_clock_s, free_s))
        open_.append((float(on_the_clock_s), free_s - on_the_clock_s))
    return {"closed": closed, "open": open_}


_FIVE = ("velocity", "features", "gateway", "scorer", "rules")
_BESIDES = (
    "merchant_jobs",
    "disputes",
    "training",
    "models",
    "scores",
    "quality",
    "pager",
    "retrain",
    "gate",
    "canary",
    "undo",
)


def _with_only(names: Iterable[str]) -> Planes:
    planes = cases.load("harbour_pay").planes or Planes()
    return planes.without(*({one.id for one in planes.components} - set(names)))


def sketch_of_six() -> Planes:
    """Return six parts of Harbour Pay, in which the scorer has no fallback for the feature store."""
    return _with_only([*_FIVE, "card_events"]).with_flow("scorer", "features", fallback=None)


def sketch_with_holes() -> Planes:
    """Return parts of Harbour Pay with three holes, which the rules on planes find."""
    planes = _with_only([*_FIVE, *_BESIDES]).with_flow("scorer", "features", timeout=None, fallback=None)
    planes = planes.with_flow("merchant_jobs", "features", check=None)
    return planes.changed(flows=[flow for flow in planes.flows if flow.start != "quality"])


_CHANGE_MIN, _END_MIN, _EVERY_MIN, _HOLDS_ROWS = 11 * 60 + 20, 17 * 60 + 6, 5, 200


def days_behind_a_gate(allowed: float) -> pd.Series:
    """Return what a gate does on 400 days on which files double: minutes of errors, the oldest file, refusals.

    The gate refuses a file whose number of rows differs from that of the last good file by more than the share
    `allowed`; infinity lets each file pass. A file is made every 5 minutes and has 108 to 112 rows, at random. From
    11:20 on, every half hour another tenth of the nodes that make the files begins to write each row twice; at 17:06
    all are mended. The reader holds at most 200 rows and fails while it has a larger file. All are means over the days.
    """
    rng = np.random.default_rng(seed=2)
    days = [_behind_a_gate(_rows_of_a_day(rng), allowed) for _ in range(400)]
    names = ("minutes of errors", "oldest file in use (min)", "good files refused (%)")
    return pd.Series(np.mean(days, axis=0), index=names)


def _rows_of_a_day(rng: np.random.Generator) -> NDArray:  # type: ignore[type-arg]
    at_min = np.arange(0, 24 * 60, _EVERY_MIN)
    nodes = np.clip((at_min - _CHANGE_MIN) // 30 + 1, 0, 10)
    nodes[at_min >= _END_MIN] = 0
    doubled = rng.random(at_min.size) < nodes / 10
    return rng.integers(108, 113, at_min.size) * np.where(doubled, 2, 1)


def _behind_a_gate(rows: NDArray, allowed: float) -> tuple[float, float, float]:  # type: ignore[type-arg]
    last_good, age_min, errors_min, ages_min = rows[0], 0, 0, []
    for count in rows:
        accepted = abs(count - last_good) <= allowed * last_good
        age_min = 0 if accepted else age_min + _EVERY_MIN
        last_good = count if accepted else last_good
        errors_min += _EVERY_MIN * bool(accepted and count > _HOLDS_ROWS)
        ages_min.append(age_min)
    refused = np.array(ages_min)[rows <= _HOLDS_ROWS] > 0
    return errors_min, max(ages_min), 100 * refused.mean()


def flagged_at_age(day: pd.DataFrame, age_min: float | NDArray) -> NDArray:  # type: ignore[type-arg]
    """Tell which payments of `payments_of_a_day` are flagged by a count of the card's payments that is so old.

    The count is over ten minutes, which end `age_min` before the payment: one age for all, or one for each. Three or
    more are flagged.
    """
    place = day["card"].to_numpy() * 10_000 + day["at_min"].to_numpy()  # the cards one after the other
    until = np.searchsorted(place, place - age_min, "right")
    since = np.searchsorted(place, place - age_min - 10, "right")
    flags: NDArray = until - since >= 3  # type: ignore[type-arg]
    return flags


def flagged_over_the_day(day: pd.DataFrame, period_min: float, delay_min: float) -> NDArray:  # type: ignore[type-arg]
    """Return for each payment how often it is flagged, a share, when a job makes the count of `flagged_at_age`.

    The job runs every `period_min` and takes `delay_min`, so the age rises from the delay to the sum of both. The share
    is over twelve phases of the schedule. A period of 0 stands for a stream: its count is as old as its delay.
    """
    if not period_min:
        return flagged_at_age(day, delay_min).astype(float)
    at = day["at_min"].to_numpy()
    ages = [delay_min + (at - delay_min - period_min * k / 12) % period_min for k in range(12)]
    shares: NDArray = np.mean([flagged_at_age(day, age) for age in ages], axis=0)  # type: ignore[type-arg]
    return shares


def feature_table(features: list[dict] | None = None) -> pd.DataFrame:  # type: ignore[type-arg]
    """Return a row for each feature: its path in words, the store in which it ends, and its age limit.

    A feature is a dict as in exercise 3 of lesson 03, its times in minutes; without any it is Harbour Pay's twelve.
    """
    rows = [
        {
            "feature": feature["name"],
            "path": _path_in_words(feature["path"]),
            "store": feature["store"],
            "age limit": show_seconds(feature["sla_min"] * minute),
        }
        for feature in (HARBOUR_PAY if features is None else features)
    ]
    table = pd.DataFrame(rows).set_index("feature")
    pd.set_option("display.max_colwidth", None)
    return table


def follow_a_payment() -> pd.DataFrame:
    """Return when each step of the first plan of lesson 03 is done, for a payment made at 10:01, in minutes.

    The job starts on the hour, exports, computes and loads; a cache in front of the store keeps each copy.
    """
    takes_min = {
        "payment made": 0,
        "next run starts": 60 - 1,
        "exported": 3,
        "computed": 12,
        "loaded into the store": 1,
        "cached copy of the old value expires": 2,
    }
    trace = pd.DataFrame({"takes_min": takes_min})
    trace["age_min"] = trace["takes_min"].cumsum()
    clock = pd.Timestamp("10:01") + pd.to_timedelta(trace["age_min"], unit="min")
    return trace.assign(done=clock.dt.strftime("%H:%M"))


def ways_to_start() -> pd.DataFrame:
    """Return what three ways to start the second job of a chain cost in runs a day, and the worst age in minutes.

    The first job runs every 15 minutes and takes 2, the second every hour and takes 12, as in lesson 03.
    """
    ways = {
        "on a clock of its own": (24, (15, 2, 60, 12)),
        "at the first end after each hour": (24, (2, 60, 12)),
        "at each end": (24 * 60 // 15, (15, 2, 12)),
    }
    return pd.DataFrame(
        {
            way: {"runs a day": runs, "adds up": " + ".join(map(str, parts)), "worst age": sum(parts)}
            for way, (runs, parts) in ways.items()
        }
    ).T


def path_table(flow: DataFlow, paths: list[str]) -> pd.DataFrame:
    """Return the period, the delays and the TTL of stages that make a whole path each, in minutes, by their ids."""
    stages = {stage.id: stage for stage in flow.stages}
    return pd.DataFrame(
        {
            name: {
                "period": (stages[name].period or 0) / minute,
                "delays": sum(stages[name].delays) / minute,
                "TTL": (stages[name].ttl or 0) / minute,
            }
            for name in paths
        }
    ).T.round(2)


def findings_of_flow(flow: Mapping[str, Any], read_within_s: float) -> pd.DataFrame:
    """Return what the review finds in a data flow, by the field that each is about; a request may wait so long."""
    needs = {"latency": {"budget": read_within_s, "percentile": "p99"}}
    found = review(Design(name="a data flow", requirements=needs, dataflow=flow))
    about = [one for one in found if one.where.startswith("dataflow")]
    pd.set_option("display.max_colwidth", None)
    return pd.DataFrame({"finding": [one.message for one in about]}, index=[one.where for one in about])


def _minutes(value: float) -> str:
    return f"{value:g} min" if 1 <= value < 2 * 60 else show_seconds(value * minute)


def _path_in_words(path: list[dict]) -> str:  # type: ignore[type-arg]
    words = {"period_min": "every", "delay_min": "delay", "ttl_min": "cache"}
    stages = [
        " | ".join(f"({_path_in_words(branch)})" for branch in stage["parallel"])
        if "parallel" in stage
        else " + ".join(f"{word} {_minutes(stage[key])}" for key, word in words.items() if key in stage)
        + (" (started by the stage before)" if stage.get("in_step") else "")
        for stage in path
    ]
    return ", then ".join(stages) or "with the request"


def disputed_payments() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return 20,000 payments of 90 days, one in fifty of them fraud, and their outcomes; times in days.

    An outcome is readable 5 to 30 days after its payment. Fraud strikes all cards alike, whatever happened before.
    """
    rng = np.random.default_rng(seed=3)
    count = 20_000
    fraud = rng.random(count) < 0.02
    payments = pd.DataFrame(
        {
            "card": rng.integers(0, 2_000, count),
            "paid_at": np.sort(rng.uniform(0, 90, count)),
            "amount": rng.lognormal(3.2 + 0.9 * fraud, 1.0),
            "fraud": fraud,
        }
    )
    outcomes = pd.DataFrame(
        {
            "card": payments["card"],
            "happened_at": payments["paid_at"],
            "readable_at": payments["paid_at"] + rng.uniform(5, 30, count),
            "disputed": fraud.astype(float),
        }
    )
    return payments, outcomes


def gaps_between_payments() -> pd.DataFrame:
    """Return, for 20,400 payments, the seconds since the card's last one, whether it is missing, and what is fraud."""
    rng = np.random.default_rng(seed=5)
    gap_s = np.concatenate([rng.exponential(6 * 3600, 20_000), rng.exponential(90, 400)])
    fraud = np.arange(len(gap_s)) >= 20_000
    missing = rng.random(len(gap_s)) < 0.05
    return pd.DataFrame({"gap_s": np.where(missing, np.nan, gap_s), "fraud": fraud})


def payments_of_a_day() -> pd.DataFrame:
    """Return a day of 2,000 cards by card and minute; 60 are stolen and used 30 times, every 72 s on average."""
    rng = np.random.default_rng(seed=8)
    cards, stolen_cards, uses = 2_000, 60, 30
    usual = rng.poisson(4, cards)
    starts = rng.uniform(0, 22 * 60, stolen_cards)[:, None]
    bursts = starts + np.cumsum(rng.exponential(72 / 60, (stolen_cards, uses)), axis=1)
    honest = {"card": np.repeat(np.arange(cards), usual), "at_min": rng.uniform(0, 24 * 60, usual.sum())}
    stolen = {
        "card": np.repeat(rng.choice(cards, stolen_cards, replace=False), uses),
        "at_min": bursts.ravel(),
    }
    both = pd.concat([pd.DataFrame(honest).assign(fraud=False), pd.DataFrame(stolen).assign(fraud=True)])
    return both.sort_values(["card", "at_min"], ignore_index=True)


def arrivals(mean_rps: float, burstiness: float, lasts_s: int, seed: int = 5) -> tuple[NDArray, NDArray]:  # type: ignore[type-arg]
    """Return the counts of each second, and the moments of all requests in seconds, evenly spread in their second.

    The counts have this mean, and a variance of `burstiness` times their mean: Poisson for 1, negative binomial above
    it.
    """
    rng = np.random.default_rng(seed)
    if burstiness == 1:
        counts = rng.poisson(mean_rps, lasts_s)
    else:
        counts = rng.negative_binomial(mean_rps / (burstiness - 1), 1 / burstiness, lasts_s)
    moments = np.sort(np.repeat(np.arange(lasts_s), counts) + rng.random(counts.sum()))
    return counts, moments


def auc(positives: Iterable[float], negatives: Iterable[float]) -> float:
    """Return the AUC: the probability that a positive has a higher value than a negative, ties counted half.

    It is Mann and Whitney's U over the number of pairs, in n log n steps. Both need at least one finite number, in any
    order. Source: Mann & Whitney (1947), Annals of Mathematical Statistics 18.

    Of the four pairs of (2, 3) and (1, 2), three are in order and one is a tie.

    >>> auc([2, 3], [1, 2])
    0.875
    """
    above, below = _finite("positives", positives), _finite("negatives", negatives)
    won = sum(bisect_left(below, value) + bisect_right(below, value) for value in above)
    return won / (2 * len(above) * len(below))


def _finite(name: str, values: Iterable[float]) -> list[float]:
    given = list(values) if isinstance(values, Iterable) else []
    if not given or any(isinstance(one, bool | str) or not math.isfinite(one) for one in given):
        raise RangeError(f"{name} {given[:3]!r} must be finite numbers, at least one. Give a list of them.")
    return sorted(map(float, given))


TRUTHS: Mapping[str, Callable[[], float]] = {
    "00-ask-cents": _without_a_code_in_cents,
    "02-ask-errors": lambda: round(float(days_behind_a_gate(math.inf)["minutes of errors"])),
}
"""What is true of the data above, by the question of a lesson that asks for it."""
