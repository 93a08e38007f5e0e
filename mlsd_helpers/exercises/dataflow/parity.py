"""Exercise 6: one transformation for training and for serving."""

import random
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals

Values = Sequence[float | None]
Transform = Callable[[Values, float, float], list[float]]


def _seconds(requests_ms: Values) -> list[float | None]:
    return [None if value is None else value / 1000 for value in requests_ms]


def _there(values: Values) -> list[float]:
    return [value for value in values if value is not None]


def _transformed(values: Values, fill_s: float, cap_s: float) -> list[float]:
    return [min(fill_s if value is None else value, cap_s) / cap_s for value in values]


def _filled_with(
    fill_s: float, training_s: Values, requests_ms: Values, cap_s: float, transform: Transform = _transformed
) -> Answer:
    serving = transform(_seconds(requests_ms), fill_s, cap_s)
    return {"fill_s": fill_s, "training": transform(training_s, fill_s, cap_s), "serving": serving}


def prepare(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Fit on training alone, and send both through one function."""
    return _filled_with(fmean(_there(training_s)), training_s, requests_ms, cap_s)


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
    return {"fill_s": fill_s, "training": rows[0], "serving": rows[1]}


# ---- known mistakes in what is filled in ----------------------------------------------------------


def counted_missing_as_zero(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Your mean counts missing values as 0, so that it falls as more are missing. A mean of what is there divides by
    how many *are* there.
    """
    return _filled_with(sum(_there(training_s)) / len(training_s), training_s, requests_ms, cap_s)


def capped_before_the_mean(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Your mean is one of values that were capped already. The order is part of the transformation: first the mean of
    what was measured, then the fill, then the cap.
    """
    fill_s = fmean(min(value, cap_s) for value in _there(training_s))
    return _filled_with(fill_s, training_s, requests_ms, cap_s)


def left_zeros_out_of_the_mean(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Your mean leaves the zeros out. A 0 was measured: the card paid a moment ago. Only `None` is missing, and a test
    such as `if value` takes both for the same.
    """
    return _filled_with(fmean(filter(None, training_s)), training_s, requests_ms, cap_s)


def filled_with_the_median(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """You fill with the median. A model could learn from that as well, but what is agreed on here is the *mean*, and
    whoever serves the model fills with that.
    """
    return _filled_with(median(_there(training_s)), training_s, requests_ms, cap_s)


def fitted_on_both(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Your mean counts the requests too. What is filled in is fitted once, on training, and belongs to the model's
    version: none of these requests had come when the model was trained.
    """
    both = [*_there(training_s), *_there(_seconds(requests_ms))]
    return _filled_with(fmean(both), training_s, requests_ms, cap_s)


# ---- known mistakes in both paths -----------------------------------------------------------------


def _not_capped(values: Values, fill_s: float, cap_s: float) -> list[float]:
    return [(fill_s if value is None else value) / cap_s for value in values]


def never_capped(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """You did not cap the values. After a month without a payment the model would meet a number larger than any that
    it has learnt from: nothing that comes out is above 1.
    """
    return _filled_with(fmean(_there(training_s)), training_s, requests_ms, cap_s, _not_capped)


def _not_divided(values: Values, fill_s: float, cap_s: float) -> list[float]:
    return [cap_s * value for value in _transformed(values, fill_s, cap_s)]


def never_divided(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """Your values are still in seconds. The last step is missing: divide by `cap_s`, so that all lie from 0 to 1."""
    return _filled_with(fmean(_there(training_s)), training_s, requests_ms, cap_s, _not_divided)


def _filled_last(values: Values, fill_s: float, cap_s: float) -> list[float]:
    return [fill_s if value is None else min(value, cap_s) / cap_s for value in values]


def filled_in_after_the_scaling(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """You filled in seconds among values that were divided already. The order is part of the transformation: first
    fill, then cap and divide all of them alike.
    """
    return _filled_with(fmean(_there(training_s)), training_s, requests_ms, cap_s, _filled_last)


def _fill_not_capped(values: Values, fill_s: float, cap_s: float) -> list[float]:
    return [(fill_s if value is None else min(value, cap_s)) / cap_s for value in values]


def filled_in_after_the_cap(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """What you fill in is not capped. A few long gaps make the mean larger than `cap_s`, so the fill has to come before
    the cap: nothing that comes out is above 1.
    """
    return _filled_with(fmean(_there(training_s)), training_s, requests_ms, cap_s, _fill_not_capped)


def _zero_filled(values: Values, fill_s: float, cap_s: float) -> list[float]:
    return _transformed([value or None for value in values], fill_s, cap_s)


def took_zero_for_missing(training_s: Values, requests_ms: Values, cap_s: float) -> Answer:
    """You filled the zeros as well. A 0 was measured: the card paid a moment ago, as a thief's does. Only `None` is
    missing, and `value or fill` takes both for the same.
    """
    return _filled_with(fmean(_there(training_s)), training_s, requests_ms, cap_s, _zero_filled)


# ---- known mistakes in one path -------------------------------------------------------------------


def served_zero(**case: Any) -> Answer:
    """You fill a missing value with 0 at serving. The model has learnt that 0 means "a payment a moment ago", which
    is what a thief's card looks like, and training filled with the mean: one transformation, both paths.
    """
    return {**prepare(**case), "serving": _zero_served(case, {})}  # C32


def _zero_served(case: Case, _: Given) -> list[float]:
    return _transformed(_seconds(case["requests_ms"]), 0, case["cap_s"])


def served_zero_as_missing(**case: Any) -> Answer:
    """At serving you filled the zeros as well. A 0 was measured: the card paid a moment ago, as a thief's does. Only
    `None` is missing, and `value or fill` takes both for the same.
    """
    right = prepare(**case)
    return {**right, "serving": _zero_filled_served(case, right)}


def _zero_filled_served(case: Case, given: Given) -> list[float]:
    return _zero_filled(_seconds(case["requests_ms"]), given["fill_s"], case["cap_s"])


def refitted_on_requests(**case: Any) -> Answer:
    """You computed a new mean from the requests. What was fitted belongs to the model's version and travels with it:
    otherwise the same payment scores differently beside other payments.
    """
    return {**prepare(**case), "serving": _refitted(case, {})}


def _refitted(case: Case, _: Given) -> list[float]:
    serving_s = _seconds(case["requests_ms"])
    return _transformed(serving_s, fmean(_there(serving_s) or [0.0]), case["cap_s"])


def left_in_milliseconds(**case: Any) -> Answer:
    """Your serving values are still in milliseconds, so nearly all of them end at the cap. The name of each input
    says its unit: bring both to seconds before they meet.
    """
    right = prepare(**case)
    return {**right, "serving": _in_milliseconds(case, right)}


def _in_milliseconds(case: Case, given: Given) -> list[float]:
    return _transformed(case["requests_ms"], given["fill_s"], case["cap_s"])


def scaled_by_their_own_largest(**case: Any) -> Answer:
    """You scaled the requests by their own largest value. Then 1 means one thing in training and another in serving;
    the scale is a parameter that both share.
    """
    right = prepare(**case)
    return {**right, "serving": _own_scale(case, right)}


def _own_scale(case: Case, given: Given) -> list[float]:
    filled = [given["fill_s"] if value is None else value for value in _seconds(case["requests_ms"])]
    return [value / (max(filled) or 1) for value in filled]


def dropped_what_is_missing(**case: Any) -> Answer:
    """You dropped the training rows in which the value is missing. Serving cannot drop a payment, so the model meets
    a case that it has never seen. What stands for a missing value in training?
    """
    right = prepare(**case)
    return {**right, "training": _dropped(case, right)}


def _dropped(case: Case, given: Given) -> list[float]:
    return _transformed(_there(case["training_s"]), given["fill_s"], case["cap_s"])


# ---- cases ----------------------------------------------------------------------------------------


def _some_missing(rng: random.Random, most: int) -> list[float | None]:
    values: list[float | None] = [rng.randrange(most) for _ in range(rng.randrange(3, 6))]
    return rng.sample([*values, None, 0], len(values) + 2)


def _draw_parity(rng: random.Random) -> Case:
    """Draw gaps between payments in training and in requests; in each one is missing and one is 0."""
    cap_s = rng.choice([300, 600, 900])
    requests_s = _some_missing(rng, cap_s * 2)
    return {
        "training_s": _some_missing(rng, cap_s * 2),
        "requests_ms": [None if value is None else value * 1000 for value in requests_s],
        "cap_s": cap_s,
    }


def _draw_long_gaps(rng: random.Random) -> Case:
    """Draw training values that some cards make so large that their mean is above the cap."""
    case = _draw_parity(rng)
    return {
        **case,
        "training_s": [*case["training_s"], *(case["cap_s"] * rng.randrange(8, 12) for _ in "ab")],
    }


def _draw_one_request(rng: random.Random) -> Case:
    """Draw a single request, as serving gets them."""
    case = _draw_parity(rng)
    return {**case, "requests_ms": [rng.choice([None, 1_000 * rng.randrange(1, case["cap_s"])])]}


def _both_hold(value: float | None) -> Callable[[Case], bool]:
    return lambda case: value in case["training_s"] and value in case["requests_ms"]


def _training(case: Case, given: Given) -> list[float]:
    return _transformed(case["training_s"], given["fill_s"], case["cap_s"])


def _serving(case: Case, given: Given) -> list[float]:
    return _transformed(_seconds(case["requests_ms"]), given["fill_s"], case["cap_s"])


def _in_both(mistake: Any, transform: Transform) -> Slip:
    """Return a mistake that sends both paths through a wrong transformation."""
    return Slip(
        mistake,
        {
            "training": lambda c, g: transform(c["training_s"], g["fill_s"], c["cap_s"]),
            "serving": lambda c, g: transform(_seconds(c["requests_ms"]), g["fill_s"], c["cap_s"]),
        },
    )


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
        {"training_s": [0, None, 900, 1_500], "requests_ms": [None, 0, 240_000], "cap_s": 600},
    ),
    reference=prepare,
    alternatives=(prepare_in_numpy, prepare_row_by_row),
    mistakes=(
        counted_missing_as_zero,
        capped_before_the_mean,
        left_zeros_out_of_the_mean,
        filled_with_the_median,
        fitted_on_both,
        _in_both(never_capped, _not_capped),
        _in_both(never_divided, _not_divided),
        _in_both(filled_in_after_the_scaling, _filled_last),
        _in_both(filled_in_after_the_cap, _fill_not_capped),
        _in_both(took_zero_for_missing, _zero_filled),
        Slip(served_zero, {"serving": _zero_served}),
        Slip(served_zero_as_missing, {"serving": _zero_filled_served}),
        Slip(refitted_on_requests, {"serving": _refitted}),
        Slip(left_in_milliseconds, {"serving": _in_milliseconds}),
        Slip(scaled_by_their_own_largest, {"serving": _own_scale}),
        Slip(dropped_what_is_missing, {"training": _dropped}),
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
    strata=(
        Stratum("A missing value, `None`", _both_hold(0)),
        Stratum("(before the cap)", lambda c: fmean(_there(c["training_s"])) > c["cap_s"], _draw_long_gaps),
        Stratum("one a request", lambda c: len(c["requests_ms"]) == 1, _draw_one_request),
    ),
    general=(
        "The feature is the time",
        "Training gets it in **seconds**",
        "Two teams wrote",
        "Here is what",
        "Write `prepare`",
        "then values are capped",
        "Return a dict",
        "`fill_s`",
        "`training`",
    ),
)
