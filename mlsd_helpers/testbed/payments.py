"""The stream of card payments, a few of them fraud, from one seed.

>>> stream = make_payments(seed=1, rate_rps=100, lasts_s=10)
>>> bool((stream.at_s[1:] >= stream.at_s[:-1]).all())
True

Thieves try a stolen card in bursts of small payments. One payment looks much like any other; the fifth on the
same card within seconds does not. So a model needs to know what the card did in the last half minute.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsd_helpers.errors import RangeError

CARDS = 5_000
MERCHANTS = 50
WINDOW_S = 30.0
_USUAL = 0.6  # share of the honest payments that are the card's usual one: same merchant, same price
_BURST = (5, 10)  # payments that a thief makes with one card
_GAP_S = 1.5  # mean time between them
_MEMORY = 200  # a payment that is asked about again is one of the latest so many

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Payments:
    """Payments in the order of their times, seconds from the start of the stream; one entry of each array each."""

    at_s: Floats
    card: Ints
    merchant: Ints
    amount: Floats
    online: Flags
    fraud: Flags

    def __len__(self) -> int:
        return len(self.at_s)

    def take(self, which: Any) -> "Payments":
        """Return some of the payments: by mask, by slice or by places."""
        return Payments(*(getattr(self, each.name)[which] for each in fields(self)))

    def question(self, place: int) -> dict[str, Any]:
        """Return one payment as a service is asked about it."""
        return {
            "card": int(self.card[place]),
            "merchant": int(self.merchant[place]),
            "amount": float(self.amount[place]),
            "online": bool(self.online[place]),
        }


@dataclass(frozen=True)
class World:
    """The profiles of cards and merchants, one entry for each."""

    popularity: Floats
    usual_amount: Floats
    usual_merchant: Ints
    age_days: Floats
    merchant_risk: Floats


@lru_cache(maxsize=1)
def world() -> World:
    """Return the cards and merchants that all streams share."""
    rng = np.random.default_rng(seed=7)
    popularity = rng.lognormal(0, 0.7, CARDS)
    return World(
        popularity=popularity / popularity.sum(),
        usual_amount=rng.lognormal(3.2, 0.6, CARDS).round(2),
        usual_merchant=rng.integers(0, MERCHANTS, CARDS),
        age_days=rng.uniform(10, 2_000, CARDS).round(),
        merchant_risk=rng.beta(1.5, 6, MERCHANTS).round(3),
    )


def make_payments(seed: int, rate_rps: float, lasts_s: float, fraud_share: float = 0.04) -> Payments:
    """Return a stream of `lasts_s` with `rate_rps` payments a second on average, `fraud_share` of them fraud.

    Honest payments arrive as Poisson does; with `fraud_share` 0 the whole stream does.
    """
    if not (rate_rps > 0 and lasts_s > 0 and 0 <= fraud_share < 1):
        raise RangeError(
            f"rate_rps {rate_rps}, lasts_s {lasts_s} and fraud_share {fraud_share} make no stream. Give a rate and "
            "a time above 0 and a share from 0 to below 1."
        )
    rng = np.random.default_rng(seed)
    count = rng.poisson(rate_rps * lasts_s)
    bursts = rng.poisson(count * fraud_share / np.mean(_BURST)) if fraud_share else 0
    honest = _honest(rng, max(1, count - round(bursts * float(np.mean(_BURST)))), lasts_s)
    streams = [honest, *(_burst(rng, lasts_s) for _ in range(bursts))]
    joined = Payments(*(np.concatenate([getattr(s, f.name) for s in streams]) for f in fields(Payments)))
    kept = joined.take(joined.at_s < lasts_s)
    return kept.take(np.argsort(kept.at_s, kind="stable"))


def _honest(rng: np.random.Generator, count: int, lasts_s: float) -> Payments:
    known = world()
    card = rng.choice(CARDS, count, p=known.popularity)
    usual = rng.random(count) < _USUAL
    other = (known.usual_amount[card] * rng.lognormal(0, 0.8, count)).round(2)
    return Payments(
        at_s=rng.uniform(0, lasts_s, count),
        card=card,
        merchant=np.where(usual, known.usual_merchant[card], rng.integers(0, MERCHANTS, count)),
        amount=np.where(usual, known.usual_amount[card], np.maximum(other, 0.5)),
        online=rng.random(count) < np.where(usual, 0.2, 0.5),
        fraud=np.zeros(count, bool),
    )


def _burst(rng: np.random.Generator, lasts_s: float) -> Payments:
    count = int(rng.integers(*_BURST, endpoint=True))
    known = world()
    card = int(rng.integers(CARDS))
    amount = known.usual_amount[card] * rng.lognormal(0.4, 0.9, count)
    return Payments(
        at_s=rng.uniform(0, lasts_s) + np.cumsum(rng.exponential(_GAP_S, count)),
        card=np.full(count, card),
        merchant=rng.choice(MERCHANTS, count, p=known.merchant_risk / known.merchant_risk.sum()),
        amount=np.maximum(amount.round(2), 0.5),
        online=rng.random(count) < 0.8,
        fraud=np.ones(count, bool),
    )


def asked(settings: dict[str, Any]) -> Payments:
    """Return the payments that a service is asked about; `repeats` of them have been asked about before."""
    stream = make_payments(
        settings["seed"], settings["rate_rps"], settings["lasts_s"], settings["fraud_share"]
    )
    rng = np.random.default_rng(settings["seed"] + 1)
    again = rng.random(len(stream)) < settings["repeats"]
    again[:1] = False
    new = np.flatnonzero(~again)
    so_far = np.cumsum(~again)
    back = np.floor(rng.random(len(stream)) * np.minimum(so_far, _MEMORY)).astype(int)
    same = stream.take(np.where(again, new[so_far - 1 - back], np.arange(len(stream))))
    return replace(same, at_s=stream.at_s)


# ---------------------------------------------------------------- features

Recent = tuple[float, float, int]  # when, how much, at which merchant

REQUEST = ("amount", "amount_to_usual", "merchant_risk", "online")
PROFILE = ("usual_amount", "card_age_days")
WINDOW = ("payments_30s", "spent_30s", "merchants_30s", "since_last_s")
FEATURES = (*REQUEST, *PROFILE, *WINDOW)

UNKNOWN = float("nan")  # the model has learnt what to do without


def request_features(question: dict[str, Any]) -> list[float]:
    """Return the features of the request itself, relative to the card's usual payment."""
    known = world()
    amount = question["amount"]
    return [
        amount,
        amount / float(known.usual_amount[question["card"]]),
        float(known.merchant_risk[question["merchant"]]),
        float(question["online"]),
    ]


def profile_features(card: int) -> list[float]:
    """Return the card's profile features."""
    known = world()
    return [float(known.usual_amount[card]), float(known.age_days[card])]


def window_features(recent: Iterable[Recent], now_s: float) -> list[float]:
    """Return the card's features over the window before `now_s`; training and serving share this definition."""
    inside = [each for each in recent if now_s - WINDOW_S < each[0] <= now_s]
    if not inside:
        return [0.0, 0.0, 0.0, WINDOW_S]
    return [
        float(len(inside)),
        sum(amount for _, amount, _ in inside),
        float(len({merchant for _, _, merchant in inside})),
        now_s - max(at for at, _, _ in inside),
    ]


def row(
    card: int,
    question: dict[str, Any] | None = None,
    recent: Sequence[Recent] | None = None,
    now_s: float = 0,
) -> list[float]:
    """Return the model's input; a group that is not given is NaN."""
    asked = [UNKNOWN] * len(REQUEST) if question is None else request_features(question)
    window = [UNKNOWN] * len(WINDOW) if recent is None else window_features(recent, now_s)
    return [*asked, *profile_features(card), *window]
