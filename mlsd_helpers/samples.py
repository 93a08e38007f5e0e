"""Invented data that the lessons look at, the same each time; tables of features; and the AUC.

The lessons say what the numbers mean; none of them is measured.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd_helpers.errors import RangeError
from mlsd_helpers.exercises.dataflow.gaps import HARBOUR_PAY
from mlsd_helpers.units import minute, show_seconds

__all__ = [
    "arrivals",
    "auc",
    "disputed_payments",
    "feature_table",
    "gaps_between_payments",
    "payments_of_a_day",
]


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


def _path_in_words(path: list[dict]) -> str:  # type: ignore[type-arg]
    words = {"period_min": "every", "delay_min": "delay", "ttl_min": "cache"}
    stages = [
        " | ".join(f"({_path_in_words(branch)})" for branch in stage["parallel"])
        if "parallel" in stage
        else " + ".join(f"{word} {stage[key]:g}" for key, word in words.items() if key in stage)
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
