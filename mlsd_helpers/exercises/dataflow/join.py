"""Exercise 5: join each payment to what could be read when it was made."""

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum, is_number, quoted, same

Row = dict[str, Any]
Rows = Sequence[Row]
Wanted = Callable[[Row, Row], bool]


def _last(windows: Rows, payment: Row, wanted: Wanted, by: str = "published_at") -> Row | None:
    found = [window for window in windows if wanted(window, payment)]
    return max(found, key=lambda window: window[by], default=None)


def _readable(window: Row, payment: Row) -> bool:
    return bool(window["card"] == payment["card"] and window["published_at"] <= payment["paid_at"])


def _spends(rows: Sequence[Row | None], default: float) -> list[float]:
    return [default if row is None else row["spend"] for row in rows]


def joined(payments: Rows, windows: Rows, default: float) -> list[float]:
    """Take, for each payment, what was written last for its card, up to that moment."""
    return _spends([_last(windows, payment, _readable) for payment in payments], default)


def joined_by_pandas(payments: Rows, windows: Rows, default: float) -> Any:
    """Let pandas join as of the publication, and put the rows back into their order."""
    import pandas as pd  # noqa: PLC0415 - only who runs this alternative needs it

    left = pd.DataFrame(payments).reset_index(names="place").sort_values("paid_at")
    right = pd.DataFrame(windows).sort_values("published_at")
    rows = pd.merge_asof(left, right, left_on="paid_at", right_on="published_at", by="card")
    return rows.sort_values("place")["spend"].fillna(default).to_numpy()


def joined_by_bisection(payments: Rows, windows: Rows, default: float) -> tuple[float, ...]:
    """Keep each card's publications in order, and look up by bisection."""
    written: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for window in sorted(windows, key=lambda w: float(w["published_at"])):
        written[window["card"]].append((window["published_at"], window["spend"]))
    values = []
    for payment in payments:
        rows = written[payment["card"]]
        at = bisect_right([published for published, _ in rows], payment["paid_at"])
        values.append(rows[at - 1][1] if at else default)
    return tuple(values)


def latest_value(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You gave every payment the newest value there is, from after the payment as well. The model cannot see the
    future, and a model trained on it is excellent until the first day in production.
    """

    def same_card(window: Row, payment: Row) -> bool:
        return bool(window["card"] == payment["card"])

    return _spends([_last(windows, payment, same_card) for payment in payments], default)  # C28


def by_window_end(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You joined on the end of the window. A window that is over is still being computed; until it is published, the
    model reads the one before. Join on when a value became *readable*.
    """

    def over(window: Row, payment: Row) -> bool:
        return bool(window["card"] == payment["card"] and window["window_end"] <= payment["paid_at"])

    return _spends([_last(windows, payment, over, by="window_end") for payment in payments], default)  # C29


def nearest_in_time(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You took the publication that is nearest in time, on either side. The one just after a payment was not there
    yet when the model decided: an as-of join looks backward only.
    """
    rows = []
    for payment in payments:
        own = [w for w in windows if w["card"] == payment["card"]]
        rows.append(min(own, key=lambda w: abs(float(w["published_at"] - payment["paid_at"])), default=None))
    return _spends(rows, default)


def strictly_before(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You left out what became readable in the very moment of the payment. "From then on" includes that moment:
    write the boundary as ≤, in training as in serving.
    """

    def earlier(window: Row, payment: Row) -> bool:
        return bool(window["card"] == payment["card"] and window["published_at"] < payment["paid_at"])

    return _spends([_last(windows, payment, earlier) for payment in payments], default)


def any_card(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You joined in time and forgot the key: a payment got the spend of somebody else's card. Which columns say that
    two rows are about the same thing?
    """

    def there(window: Row, payment: Row) -> bool:
        return bool(window["published_at"] <= payment["paid_at"])

    return _spends([_last(windows, payment, there) for payment in payments], default)


def lost_the_order(payments: Rows, windows: Rows, default: float) -> list[float]:
    """Your values are right and stand beside the wrong payments. An as-of join wants its rows sorted by time, and
    returns them so: put them back into the order of the payments.
    """
    in_time = sorted(payments, key=lambda payment: float(payment["paid_at"]))
    return joined(in_time, windows, default)


def in_order_of_card_and_time(payments: Rows, windows: Rows, default: float) -> list[float]:
    """Your values are right and stand beside the wrong payments: they come card by card. Number the payments first,
    and put the values back into that order.
    """
    by_card = sorted(payments, key=lambda payment: (str(payment["card"]), float(payment["paid_at"])))
    return joined(by_card, windows, default)


def newest_window(payments: Rows, windows: Rows, default: float) -> list[float]:
    """Of what had been published you took the window that ends last. A window can be published late, or once more with
    another spend, and from then on a request reads that one: the *last publication* counts.
    """
    return _spends([_last(windows, payment, _readable, by="window_end") for payment in payments], default)


def last_row_of_the_list(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You took the last row of the list that had been published. The rows come in any order: sort them by
    `published_at` first.
    """
    found = [[window for window in windows if _readable(window, payment)] for payment in payments]
    return _spends([rows[-1] if rows else None for rows in found], default)


def first_publication(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You took the first publication for the card. A request reads each of them only until the next: take the last one
    up to the payment.
    """
    found = [[window for window in windows if _readable(window, payment)] for payment in payments]
    firsts = [min(rows, key=lambda window: float(window["published_at"]), default=None) for rows in found]
    return _spends(firsts, default)


def added_what_was_published(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You added up all that had been published for the card. Each publication takes the place of the one before it, and
    a request reads one row.
    """
    found = [[window["spend"] for window in windows if _readable(window, payment)] for payment in payments]
    return [sum(spends) if spends else default for spends in found]


def next_publication(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You took the publication that comes next. It was not there yet when the model decided: look backward from the
    payment.
    """
    rows = []
    for payment in payments:
        later = [
            w for w in windows if w["card"] == payment["card"] and w["published_at"] >= payment["paid_at"]
        ]
        rows.append(min(later, key=lambda window: float(window["published_at"]), default=None))
    return _spends(rows, default)


def zero_for_nothing(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You wrote 0 where nothing had been published. Then a card that nothing is known of looks like one that spends
    nothing: fill in the `default`, as serving does.
    """
    return joined(payments, windows, 0.0)


def default_of_its_own(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You wrote -1 where nothing had been published, whatever `default` is. Serving fills in the `default`, and
    training has to do the same.
    """
    return joined(payments, windows, -1.0)


def took_zero_for_nothing(payments: Rows, windows: Rows, default: float) -> list[float]:
    """You filled in the default for a spend of 0 as well. That card had spent nothing, which is known: test for what is
    missing with `is None` or `isna`, not with `or`.
    """
    return [value or default for value in joined(payments, windows, default)]


def _windows(rng: random.Random, card: str, start: int) -> list[Row]:
    """Give a card a window an hour, each published some minutes after its end."""
    ends = [start + 60 * hour for hour in range(4)]
    spends = rng.sample(range(10, 900), len(ends))
    return [
        {"card": card, "window_end": end, "published_at": end + rng.randrange(8, 40), "spend": float(spend)}
        for end, spend in zip(ends, spends, strict=True)
    ]


def _draw_join(rng: random.Random) -> Case:
    """Draw payments at, before and after the moments that matter: a window's end and its publication.

    For a card a window may be published late, or a second time with another spend.
    """
    starts = {
        card: rng.randrange(535, 570) for card in rng.choice([("ada", "bob", "cho"), ("c7", "c1", "c12")])
    }
    windows = [window for card, start in starts.items() for window in _windows(rng, card, start)]
    if rng.random() < 0.5:
        card, start = next(iter(starts.items()))
        late = {"window_end": start + rng.choice([0, 60]), "published_at": start + 110, "spend": 7.0}
        windows.append({"card": card, **late})
    if rng.random() < 0.5:
        rng.choice(windows)["spend"] = 0.0
    rng.shuffle(windows)
    payments = [{"card": min(starts), "paid_at": 500}]
    for window in rng.sample(windows, 5):
        moments = (window["published_at"], window["published_at"] - 4, window["window_end"] + 2)
        payments.append({"card": window["card"], "paid_at": rng.choice(moments)})
    payments.append({"card": rng.choice(sorted(starts)), "paid_at": rng.randrange(600, 760)})
    rng.shuffle(payments)
    return {"payments": payments, "windows": windows, "default": rng.choice([-1.0, 0.0, 25.0])}


def _differs(wrong: Callable[..., list[float]]) -> Callable[[Case], bool]:
    """Tell of a case whether a known mistake gives another answer there."""
    return lambda case: wrong(**case) != joined(**case)


def _values(case: Case, value: Any) -> list[Any]:
    values = list(value) if hasattr(value, "__len__") and not isinstance(value, dict | str) else []
    whole = len(values) == len(case["payments"]) and all(map(is_number, values))
    return values if whole else []


def _could_be_read(case: Case, payment: Row, value: Any) -> bool:
    """Tell whether a value is the default, or was readable for that card at that moment."""
    readable = [w["spend"] for w in case["windows"] if _readable(w, payment)]
    return any(same(value, one) for one in [*readable, case["default"]])


def _no_future(case: Case, value: Any, _: Given) -> bool:
    """Hold every value to what was readable; who takes the default throughout has read nothing at all."""
    values, defaults = _values(case, value), [case["default"]] * len(case["payments"])
    if not values or (same(values, defaults) and joined(**case) != defaults):
        return False
    return all(_could_be_read(case, *row) for row in zip(case["payments"], values, strict=True))


def _as_served(case: Case, value: Any, _: Given) -> bool:
    return same(_values(case, value), joined(**case))


def _wrong_entries(case: Case, value: Any) -> list[str]:
    rows = enumerate(zip(_values(case, value), joined(**case), strict=False))
    return [f"{at}: {float(one):.6g}" for at, (one, right) in rows if not same(one, right)]


def _explain(case: Case, value: Any) -> str:
    """Point at the first payment that got a value which is not the one that was there."""
    values = _values(case, value)
    if not values:
        return _no_values(case, value)
    rows = zip(case["payments"], values, joined(**case), strict=True)
    payment = next(payment for payment, one, right in rows if not same(one, right))
    return f"Look at the payment of {payment['card']} at {payment['paid_at']}: what had been published for it by then?"


def _no_values(case: Case, value: Any) -> str:
    """Say why a value is no list of one number a payment."""
    count = len(case["payments"])
    wanted = f"{count} number{'s' * (count > 1)}"
    if not hasattr(value, "__len__") or isinstance(value, dict | str):
        return f"Return a list of {wanted} here, one for each payment."
    if len(value) != count:
        return f"Return {wanted} here, one for each payment: you return {len(value)}."
    at = next(at for at, one in enumerate(value) if not is_number(one))
    payment = case["payments"][at]
    return (
        f"Entry {at + 1} is {quoted(list(value)[at])} and no number. What does the payment of {payment['card']} at "
        f"{payment['paid_at']} get, if nothing had been published for it by then?"
    )


_TWO_CARDS = [
    {"card": "ada", "window_end": 540, "published_at": 552, "spend": 120.0},
    {"card": "ada", "window_end": 600, "published_at": 612, "spend": 310.0},
    {"card": "bob", "window_end": 600, "published_at": 609, "spend": 45.0},
    {"card": "ada", "window_end": 660, "published_at": 672, "spend": 80.0},
]

EXERCISE = Exercise(
    id="03-join",
    assignment="03_dataflow",
    title="Join on when it became readable",
    kind="code",
    outcome="Build training rows that hold exactly what serving would have read.",
    minutes=15,
    steps=(
        Step("nothing_from_the_future", 1, _no_future, part="", explain=_explain, shows=_wrong_entries),
        Step("as_served", 2, _as_served, part="", explain=_explain, shows=_wrong_entries),
    ),
    cases=(
        {"payments": [{"card": "ada", "paid_at": 605}], "windows": _TWO_CARDS, "default": -1.0},
        {
            "payments": [
                {"card": "ada", "paid_at": 672},
                {"card": "bob", "paid_at": 605},
                {"card": "ada", "paid_at": 530},
                {"card": "ada", "paid_at": 650},
            ],
            "windows": _TWO_CARDS,
            "default": -1.0,
        },
        {
            "payments": [{"card": "bob", "paid_at": 640}, {"card": "ada", "paid_at": 616}],
            "windows": _TWO_CARDS,
            "default": 0.0,
        },
        {
            "payments": [
                {"card": "ada", "paid_at": 660},
                {"card": "bob", "paid_at": 610},
                {"card": "ada", "paid_at": 672},
                {"card": "ada", "paid_at": 620},
            ],
            "windows": [
                {"card": "ada", "window_end": 540, "published_at": 655, "spend": 95.0},
                {"card": "bob", "window_end": 600, "published_at": 640, "spend": 60.0},
                {"card": "ada", "window_end": 660, "published_at": 672, "spend": 210.0},
                {"card": "ada", "window_end": 600, "published_at": 611, "spend": 0.0},
            ],
            "default": 25.0,
        },
    ),
    reference=joined,
    alternatives=(joined_by_pandas, joined_by_bisection),
    mistakes=(
        latest_value,
        by_window_end,
        nearest_in_time,
        next_publication,
        strictly_before,
        newest_window,
        last_row_of_the_list,
        first_publication,
        added_what_was_published,
        any_card,
        zero_for_nothing,
        default_of_its_own,
        took_zero_for_nothing,
        lost_the_order,
        in_order_of_card_and_time,
    ),
    hints=(
        "Look at the four columns of a window: which of them says when a request could first have read it?",
        (
            "Start with `pd.merge_asof`: it wants both frames sorted by their times, and its `by` keeps the cards "
            "apart. Number the payments first, so that you can restore their order."
        ),
        (
            "A neighbour: windows end at 8:00 and 9:00 and are published at 8:10 and 9:10. A payment at 9:05 reads the "
            "window of 8:00, one at 9:10 that of 9:00, one at 8:05 the default."
        ),
    ),
    draw=_draw_join,
    strata=(
        Stratum("the `window_end` up to which it counts", _differs(by_window_end)),
        Stratum("(that moment included)", _differs(strictly_before)),
        Stratum("until the next publication for this card", _differs(newest_window)),
        Stratum("the rows come in any order", _differs(last_row_of_the_list)),
        Stratum("in the order of the payments", _differs(lost_the_order)),
        Stratum("`default` where nothing was there yet", _differs(default_of_its_own)),
        Stratum("what a request at `paid_at` would have read", _differs(took_zero_for_nothing)),
    ),
    general=("Training rows for `payments`", "The first two lines"),
)
