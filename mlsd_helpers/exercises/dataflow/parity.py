"""Exercise 6: one transformation for training and for serving."""

import random
from collections.abc import Sequence
from statistics import fmean

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, equals

Values = Sequence[float | None]


def _seconds(requests_ms: Values) -> list[float | None]:
    return [None if value is None else value / 1000 for value in requests_ms]


def _there(values: Values) -> list[float]:
    return [value for value in values if value is not None]


def _transformed(values: Values, fill_s: float, cap_s: float) -> list[float]:
    return [min(fill_s if value is None else value, cap_s) / cap_s for value in values]


def _prepared(fill_s: float, training: list[float], serving: list[float]) -> Answer:
    return {"fill_s": fill_s, "training": training, "serving": serving}


def prepare(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Fit on training alone, and send both through one function."""
    fill_s = fmean(_there(training_s))
    training = _transformed(training_s, fill_s, cap_s)
    return _prepared(fill_s, training, _transformed(_seconds(requests_ms), fill_s, cap_s))


def prepare_in_numpy(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Use arrays in which NaN stands for what is missing."""
    import numpy as np  # noqa: PLC0415 - only who runs this alternative needs it

    training, serving = np.array(training_s, float), np.array(requests_ms, float) / 1000
    fill_s = np.nanmean(training)
    both = [np.minimum(np.where(np.isnan(v), fill_s, v), cap_s) / cap_s for v in (training, serving)]
    return {"fill_s": fill_s, "training": both[0], "serving": both[1]}


def prepare_row_by_row(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Write the loop out."""
    total, count = 0.0, 0
    for value in training_s:
        if value is not None:
            total, count = total + value, count + 1
    fill_s = total / count
    rows: list[list[float]] = [[], []]
    for values, row, unit in ((training_s, rows[0], 1.0), (requests_ms, rows[1], 1e-3)):
        for value in values:
            filled = fill_s if value is None else value * unit
            row.append(1.0 if filled > cap_s else filled / cap_s)
    return _prepared(fill_s, rows[0], rows[1])


def served_zero(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """You fill a missing value with 0 at serving. The model has learnt that 0 means "a payment a moment ago", which
    is what a thief's card looks like, and training filled with the mean: one transformation, both paths.
    """
    right = prepare(training_s, requests_ms, cap_s)
    return {**right, "serving": _transformed(_seconds(requests_ms), 0, cap_s)}  # C32


def refitted_on_requests(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """You computed a new mean from the requests. What was fitted belongs to the model's version and travels with it:
    otherwise the same payment scores differently beside other payments.
    """
    right = prepare(training_s, requests_ms, cap_s)
    serving_s = _seconds(requests_ms)
    return {**right, "serving": _transformed(serving_s, fmean(_there(serving_s) or [0.0]), cap_s)}


def counted_missing_as_zero(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Your mean counts missing values as 0, so that it falls as more are missing. A mean of what is there divides by
    how many *are* there.
    """
    fill_s = sum(_there(training_s)) / len(training_s)
    training = _transformed(training_s, fill_s, cap_s)
    return _prepared(fill_s, training, _transformed(_seconds(requests_ms), fill_s, cap_s))


def capped_before_the_mean(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Your mean is one of values that were capped already. The order is part of the transformation: first the mean of
    what was measured, then the fill, then the cap.
    """
    fill_s = fmean(min(value, cap_s) for value in _there(training_s))
    training = _transformed(training_s, fill_s, cap_s)
    return _prepared(fill_s, training, _transformed(_seconds(requests_ms), fill_s, cap_s))


def left_in_milliseconds(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Your serving values are still in milliseconds, so nearly all of them end at the cap. The name of each input
    says its unit: bring both to seconds before they meet.
    """
    right = prepare(training_s, requests_ms, cap_s)
    return {**right, "serving": _transformed(requests_ms, right["fill_s"], cap_s)}


def scaled_by_their_own_largest(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """You scaled the requests by their own largest value. Then 1 means one thing in training and another in serving;
    the scale is a parameter that both share.
    """
    right = prepare(training_s, requests_ms, cap_s)
    filled = [right["fill_s"] if value is None else value for value in _seconds(requests_ms)]
    return {**right, "serving": [value / max(filled) for value in filled]}


def dropped_what_is_missing(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """You dropped the training rows in which the value is missing. Serving cannot drop a payment, so the model meets
    a case that it has never seen. What stands for a missing value in training?
    """
    right = prepare(training_s, requests_ms, cap_s)
    return {**right, "training": _transformed(_there(training_s), right["fill_s"], cap_s)}


def _some_missing(rng: random.Random, most: int) -> list[float | None]:
    values: list[float | None] = [rng.randrange(1, most) for _ in range(rng.randrange(4, 7))]
    values[rng.randrange(len(values))] = None
    return values


def _draw_parity(rng: random.Random) -> Case:
    """Draw gaps between payments in training and in requests, with something missing in both."""
    cap_s = rng.choice([300, 600, 900])
    requests_s = _some_missing(rng, cap_s * 2)
    return {
        "training_s": _some_missing(rng, cap_s * 2),
        "requests_ms": [None if value is None else value * 1000 for value in requests_s],
        "cap_s": cap_s,
    }


def _training(case: Case, given: Given) -> list[float]:
    return _transformed(case["training_s"], given["fill_s"], case["cap_s"])


def _serving(case: Case, given: Given) -> list[float]:
    return _transformed(_seconds(case["requests_ms"]), given["fill_s"], case["cap_s"])


EXERCISE = Exercise(
    id="03-parity",
    assignment="03_dataflow",
    title="The same feature in training and in serving",
    kind="repair",
    outcome="Give training and serving one transformation, with its parameters fitted once.",
    minutes=10,
    steps=(
        equals("fill_s", 1, lambda c, _: fmean(_there(c["training_s"]))),
        equals("training", 1, _training),
        equals("serving", 2, _serving),
    ),
    cases=(
        {"training_s": [30, None, 90, 1200], "requests_ms": [60_000, None, 900_000], "cap_s": 600},
        {"training_s": [None, 45, None, 15], "requests_ms": [None, 20_000, 5_000], "cap_s": 300},
    ),
    reference=prepare,
    alternatives=(prepare_in_numpy, prepare_row_by_row),
    mistakes=(
        served_zero,
        refitted_on_requests,
        counted_missing_as_zero,
        capped_before_the_mean,
        left_in_milliseconds,
        scaled_by_their_own_largest,
        dropped_what_is_missing,
    ),
    hints=(
        "Look for what the two old functions do differently: there is more than one thing.",
        (
            "Start with one function `transform(values_s, fill_s)` that fills, caps and scales, in this order, and "
            "call it for both. Fit `fill_s` once, on what is there in training."
        ),
        (
            "A neighbour: training of 10, missing, 20, with a cap of 30. The fill is 15; training becomes 1/3, 1/2, "
            "2/3 and requests of 60,000 ms and missing become 1 and 1/2."
        ),
    ),
    draw=_draw_parity,
)
