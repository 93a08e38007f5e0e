"""Exercise 5: the availability of a topology: what is required, what is doubled, and what they share."""

import math
import random
from collections.abc import Sequence

from mlsd_helpers import formulas
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, equals

_MINUTES_A_DAY = 24 * 60


def topology(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """Multiply what is required, double what has copies, and turn the rest into minutes."""
    series = math.prod(required)
    common = common_share * (1 - copy)
    doubled = (1 - common) * (1 - ((1 - common_share) * (1 - copy)) ** copies)
    return _answered(series, doubled, guarded, window_d)


def _answered(series: float, doubled: float, guarded: Sequence[float], window_d: float) -> Answer:
    together = series * doubled
    return {
        "series": series,
        "copies": doubled,
        "together": together,
        "by_fallback": together * (1 - math.prod(guarded)),
        "down_min": (1 - together) * window_d * _MINUTES_A_DAY,
    }


def topology_by_library(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """Use the course's calculators."""
    series = formulas.series_availability(required)
    doubled = formulas.common_cause_availability(copy, copies, common_share)
    return _answered(series, doubled, guarded, window_d)


def topology_step_by_step(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """Multiply in a loop, and put the common cause in series with copies that fail by themselves."""
    series = 1.0
    for share in required:
        series *= share
    alone = formulas.parallel_availability([1 - (1 - copy) * (1 - common_share)] * copies)
    return _answered(series, alone * (1 - (1 - copy) * common_share), guarded, window_d)


def weakest_link(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You took the weakest of them. A request needs all, and they seldom fail at the same moment: each takes its own
    share away. What happens as you add one more?
    """
    right = topology(required, guarded, copy, copies, common_share, window_d)
    return _answered(min(required), right["copies"], guarded, window_d)  # C17


def mean_of_the_parts(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You took the mean. By that, adding a perfect part would mend a bad one. What has to be up for a request to be
    answered?
    """
    right = topology(required, guarded, copy, copies, common_share, window_d)
    return _answered(sum(required) / len(required), right["copies"], guarded, window_d)  # C17


def counted_what_has_a_fallback(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You multiplied the guarded calls in. When one of them fails, its caller answers by a fallback: worse, and there.
    Which parts can stop an answer?
    """
    right = topology(required, guarded, copy, copies, common_share, window_d)
    return _answered(math.prod([*required, *guarded]), right["copies"], guarded, window_d)


def guarded_at_the_end(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You multiplied the guarded calls into `together`. A call with a fallback leaves the product: when it fails, the
    request is answered all the same, though worse. Which parts can stop an answer?
    """
    right = topology(required, guarded, copy, copies, common_share, window_d)
    return _answered(right["series"] * math.prod(guarded), right["copies"], guarded, window_d) | {
        "series": right["series"]
    }


def copies_fail_apart(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You let the copies fail by themselves. They share a configuration, a zone or a bug, and that share of the
    failures takes all of them at once. What does one more copy change about it?
    """
    doubled = formulas.parallel_availability([copy] * copies)
    return _answered(math.prod(required), doubled, guarded, window_d)  # C18


def copies_in_series(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You multiplied the copies as if all of them were needed. One is enough: they are down only when every one of
    them is. Should a second copy make things worse?
    """
    return _answered(math.prod(required), copy**copies, guarded, window_d)


def one_copy(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You counted one copy. The others take over from it, except for what hits all at once. What part of its failures
    do they take away?
    """
    return _answered(math.prod(required), copy, guarded, window_d)


def forgot_the_required(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You counted the guarded calls that fail, whether or not there was an answer to save. Without the required parts
    no fallback is ever reached. Of which requests is this a share?
    """
    right = topology(required, guarded, copy, copies, common_share, window_d)
    return {**right, "by_fallback": 1 - math.prod(guarded)}


def down_in_hours(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """Your downtime is in hours, and `down_min` asks for minutes. Write the unit beside each factor, and see them
    cancel.
    """
    right = topology(required, guarded, copy, copies, common_share, window_d)
    return {**right, "down_min": right["down_min"] / 60}


def down_of_a_year(
    required: Sequence[float],
    guarded: Sequence[float],
    copy: float,
    copies: int,
    common_share: float,
    window_d: float,
) -> Answer:
    """You took a year. The promise is over the window that is given, and a month's budget is spent in a month. What is
    `window_d`?
    """
    right = topology(required, guarded, copy, copies, common_share, window_d)
    return {**right, "down_min": right["down_min"] / window_d * 365}


def _draw_topology(rng: random.Random) -> Case:
    return {
        "required": [rng.choice([0.99, 0.995, 0.999, 0.9995]) for _ in range(rng.choice([3, 4, 5]))],
        "guarded": [rng.choice([0.98, 0.99, 0.995]) for _ in range(rng.choice([1, 2]))],
        "copy": rng.choice([0.98, 0.99, 0.995]),
        "copies": rng.choice([2, 3]),
        "common_share": rng.choice([0.05, 0.1, 0.2]),
        "window_d": rng.choice([7, 28, 30, 90]),
    }


EXERCISE = Exercise(
    id="02-availability",
    assignment="02_planes",
    title="Work out the availability of a topology",
    kind="estimate",
    outcome="Multiply required parts, double copies up to their common cause, and say it in minutes.",
    minutes=17,
    steps=(
        equals("series", 1, lambda c, _: math.prod(c["required"]), tolerance=1e-6),
        equals("copies", 1.5, lambda c, _: topology(**c)["copies"], tolerance=1e-5),
        equals("together", 0.5, lambda _, g: g["series"] * g["copies"], tolerance=1e-6),
        equals("by_fallback", 0.5, lambda c, g: g["together"] * (1 - math.prod(c["guarded"])), tolerance=1e-3),
        equals("down_min", 0.5, lambda c, g: (1 - g["together"]) * c["window_d"] * _MINUTES_A_DAY, tolerance=1e-3),
    ),
    cases=(
        {"required": [0.999] * 4, "guarded": [0.99], "copy": 0.97, "copies": 2, "common_share": 0.1, "window_d": 30},
        {"required": [0.9995, 0.999, 0.995], "guarded": [0.98, 0.99], "copy": 0.98, "copies": 3, "common_share": 0.2,
         "window_d": 28},
    ),
    reference=topology,
    alternatives=(topology_by_library, topology_step_by_step),
    mistakes=(
        weakest_link,
        mean_of_the_parts,
        counted_what_has_a_fallback,
        guarded_at_the_end,
        copies_fail_apart,
        copies_in_series,
        one_copy,
        forgot_the_required,
        down_in_hours,
        down_of_a_year,
    ),
    hints=(
        "Look at what has to be up for an answer: all of `required`, at least one copy, and none of `guarded`.",
        (
            "Start with the copies. Split one copy's unavailability in two: the common share, which takes all at once, "
            "and the rest, which each has for itself. The common part stands in series with the others."
        ),
        (
            "A neighbour: two copies of 90 %, half of the failures common. All at once: 5 %. Each by itself: 5 %, both "
            "0.25 %. Together 0.95 × 0.9975 = 0.9476; independent copies would promise 0.99."
        ),
    ),
    draw=_draw_topology,
)  # fmt: skip
