"""Exercise 5: the availability of a topology: what is required, what is doubled, and what they share."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals

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
    return _answered(math.prod(required), _doubled(copy, copies, common_share), guarded, window_d)


def _doubled(copy: float, copies: int, common_share: float) -> float:
    return (1 - common_share * (1 - copy)) * (1 - ((1 - common_share) * (1 - copy)) ** copies)


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


Part = Callable[[Case, Given], float]

_PARTS: Mapping[str, Part] = {
    "series": lambda c, _: math.prod(c["required"]),
    "copies": lambda c, _: _doubled(c["copy"], c["copies"], c["common_share"]),
    "together": lambda _, g: g["series"] * g["copies"],
    "by_fallback": lambda c, g: g["together"] * (1 - math.prod(c["guarded"])),
    "down_min": lambda c, g: (1 - g["together"]) * c["window_d"] * _MINUTES_A_DAY,
}
"""How each part follows from the case and the parts before it."""


_OTHERWISE: Mapping[str, tuple[str, Part]] = {
    "weakest_link": ("series", lambda c, _: min(c["required"])),
    "mean_of_the_parts": ("series", lambda c, _: fmean(c["required"])),
    "counted_what_has_a_fallback": ("series", lambda c, _: math.prod([*c["required"], *c["guarded"]])),
    "added_what_is_lost": ("series", lambda c, _: 1 - sum(1 - part for part in c["required"])),
    "copies_fail_apart": ("copies", lambda c, _: 1 - (1 - c["copy"]) ** c["copies"]),
    "copies_in_series": ("copies", lambda c, _: c["copy"] ** c["copies"]),
    "one_copy": ("copies", lambda c, _: c["copy"]),
    "common_takes_the_rest": (
        "copies",
        lambda c, _: (1 - c["common_share"]) * (1 - (1 - c["copy"]) ** c["copies"]),
    ),
    "common_on_top": (
        "copies",
        lambda c, _: (1 - c["common_share"] * (1 - c["copy"])) * (1 - (1 - c["copy"]) ** c["copies"]),
    ),
    "common_alone": ("copies", lambda c, _: 1 - c["common_share"] * (1 - c["copy"])),
    "two_copies": ("copies", lambda c, _: _doubled(c["copy"], 2, c["common_share"])),
    "guarded_at_the_end": ("together", lambda c, g: g["series"] * g["copies"] * math.prod(c["guarded"])),
    "left_the_store_out": ("together", lambda _, g: g["series"]),
    "forgot_the_required": ("by_fallback", lambda c, _: 1 - math.prod(c["guarded"])),
    "all_guarded_fail": (
        "by_fallback",
        lambda c, g: g["together"] * math.prod(1 - part for part in c["guarded"]),
    ),
    "added_the_guarded": ("by_fallback", lambda c, g: g["together"] * sum(1 - part for part in c["guarded"])),
    "answered_without_fallback": ("by_fallback", lambda c, g: g["together"] * math.prod(c["guarded"])),
    "worst_guarded_alone": ("by_fallback", lambda c, g: g["together"] * (1 - min(c["guarded"]))),
    "down_in_hours": ("down_min", lambda c, g: (1 - g["together"]) * c["window_d"] * 24),
    "down_in_seconds": ("down_min", lambda c, g: (1 - g["together"]) * c["window_d"] * _MINUTES_A_DAY * 60),
    "down_of_a_year": ("down_min", lambda _, g: (1 - g["together"]) * 365 * _MINUTES_A_DAY),
    "down_of_30_days": ("down_min", lambda _, g: (1 - g["together"]) * 30 * _MINUTES_A_DAY),
    "up_for_down": ("down_min", lambda c, g: g["together"] * c["window_d"] * _MINUTES_A_DAY),
    "fallback_is_down": (
        "down_min",
        lambda c, g: (1 - g["together"] + g["by_fallback"]) * c["window_d"] * _MINUTES_A_DAY,
    ),
    "required_down_alone": ("down_min", lambda c, g: (1 - g["series"]) * c["window_d"] * _MINUTES_A_DAY),
}
"""What each known mistake works out otherwise, and how; the rest follows."""


def _worked(case: Case, mistake: str) -> Answer:
    part, otherwise = _OTHERWISE[mistake]
    given: Answer = {}
    for name, right in _PARTS.items():
        given[name] = (otherwise if name == part else right)(case, given)
    return given


def _slip(mistake: Callable[..., Answer]) -> Slip:
    part, otherwise = _OTHERWISE[mistake.__name__]
    return Slip(mistake, {part: otherwise})


def weakest_link(**case: Any) -> Answer:
    """You took the weakest of them. A request needs all, and they seldom fail at the same moment: each takes its
    own share away. What happens as you add one more?
    """  # C17
    return _worked(case, "weakest_link")


def mean_of_the_parts(**case: Any) -> Answer:
    """You took the mean. By that, adding a perfect part would mend a bad one. What has to be up for a request to be
    answered?
    """  # C17
    return _worked(case, "mean_of_the_parts")


def counted_what_has_a_fallback(**case: Any) -> Answer:
    """You multiplied the guarded calls in. When one of them fails, its caller answers by a fallback: worse, and
    there. Which parts can stop an answer?
    """
    return _worked(case, "counted_what_has_a_fallback")


def added_what_is_lost(**case: Any) -> Answer:
    """You took the sum of what each is down away from 1. That counts a minute in which two are down twice: it is
    near for a few good parts, and not the same. What is multiplied?
    """
    return _worked(case, "added_what_is_lost")


def copies_fail_apart(**case: Any) -> Answer:
    """You let the copies fail by themselves. They share a configuration, a zone or a bug, and that share of the
    failures takes all of them at once. What does one more copy change about it?
    """  # C18
    return _worked(case, "copies_fail_apart")


def copies_in_series(**case: Any) -> Answer:
    """You multiplied the copies as if all of them were needed. One is enough: they are down only when every one of
    them is. Should a second copy make things worse?
    """
    return _worked(case, "copies_in_series")


def one_copy(**case: Any) -> Answer:
    """You counted one copy. The others take over from it, except for what hits all at once. What part of its
    failures do they take away?
    """
    return _worked(case, "one_copy")


def common_takes_the_rest(**case: Any) -> Answer:
    """You took the common share of all time away. It is a share of one copy's *failures*, and those are rare. Of
    what is `common_share` a share?
    """
    return _worked(case, "common_takes_the_rest")


def common_on_top(**case: Any) -> Answer:
    """You counted the common failures twice: once for all copies, and again among those that each copy has by
    itself. Which part of its failures is a copy's own?
    """
    return _worked(case, "common_on_top")


def common_alone(**case: Any) -> Answer:
    """You counted only what takes all copies at once. Copies that fail by themselves can be down at the same
    moment, too. How often are all of them?
    """
    return _worked(case, "common_alone")


def two_copies(**case: Any) -> Answer:
    """You took two copies, however many there are. What does the number of copies change?"""
    return _worked(case, "two_copies")


def guarded_at_the_end(**case: Any) -> Answer:
    """You multiplied the guarded calls into `together`. A call with a fallback leaves the product: when it fails,
    the request is answered all the same, though worse. Which parts can stop an answer?
    """
    return _worked(case, "guarded_at_the_end")


def left_the_store_out(**case: Any) -> Answer:
    """You left the store out of `together`. A request needs the required parts *and* a copy of the store. What has
    to be up for an answer?
    """
    return _worked(case, "left_the_store_out")


def forgot_the_required(**case: Any) -> Answer:
    """You counted the guarded calls that fail, whether or not there was an answer to save. Without the required
    parts no fallback is ever reached. Of which requests is this a share?
    """
    return _worked(case, "forgot_the_required")


def all_guarded_fail(**case: Any) -> Answer:
    """You counted requests for which every guarded call failed. One is enough for a fallback. What is the opposite
    of "at least one failed"?
    """
    return _worked(case, "all_guarded_fail")


def added_the_guarded(**case: Any) -> Answer:
    """You added up what the guarded calls fail. Where two fail at once, that request is counted twice. What is the
    opposite of "at least one failed"?
    """
    return _worked(case, "added_the_guarded")


def answered_without_fallback(**case: Any) -> Answer:
    """You counted the requests that needed no fallback. `by_fallback` are the others of those that were answered.
    Which share of the guarded calls succeeds?
    """
    return _worked(case, "answered_without_fallback")


def worst_guarded_alone(**case: Any) -> Answer:
    """You took the worst of the guarded calls. Each of them fails at other moments, and any of them is enough. What
    is the opposite of "at least one failed"?
    """
    return _worked(case, "worst_guarded_alone")


def down_in_hours(**case: Any) -> Answer:
    """Your downtime is in hours, and `down_min` asks for minutes. Write the unit beside each factor, and see them
    cancel.
    """
    return _worked(case, "down_in_hours")


def down_in_seconds(**case: Any) -> Answer:
    """Your downtime is in seconds, and `down_min` asks for minutes. Write the unit beside each factor, and see them
    cancel.
    """
    return _worked(case, "down_in_seconds")


def down_of_a_year(**case: Any) -> Answer:
    """You took a year. The promise is over the window that is given, and a month's budget is spent in a month. What
    is `window_d`?
    """
    return _worked(case, "down_of_a_year")


def down_of_30_days(**case: Any) -> Answer:
    """You took 30 days. The promise is over the window that is given. What is `window_d`?"""
    return _worked(case, "down_of_30_days")


def up_for_down(**case: Any) -> Answer:
    """You gave the minutes with an answer. A budget is what is left: of which share are they?"""
    return _worked(case, "up_for_down")


def fallback_is_down(**case: Any) -> Answer:
    """You counted answers by fallback as no answer. They are worse, and they are there. When does nobody get an
    answer?
    """
    return _worked(case, "fallback_is_down")


def required_down_alone(**case: Any) -> Answer:
    """You counted only what the required parts are down. Without the store nobody gets an answer, either. Which
    share tells how many are answered?
    """
    return _worked(case, "required_down_alone")


def _draw_topology(rng: random.Random) -> Case:
    return {
        "required": rng.choices(
            rng.choice([(0.99, 0.995, 0.999), (0.999, 0.9995, 0.9999)]), k=rng.choice([3, 4, 5])
        ),
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
        equals("series", 1, _PARTS["series"], tolerance=1e-6),
        equals("copies", 1.5, _PARTS["copies"], tolerance=1e-5),
        equals("together", 0.5, _PARTS["together"], tolerance=1e-6),
        equals("by_fallback", 0.5, _PARTS["by_fallback"], tolerance=1e-3),
        equals("down_min", 0.5, _PARTS["down_min"], tolerance=1e-3),
    ),
    cases=(
        {"required": [0.999] * 4, "guarded": [0.99], "copy": 0.97, "copies": 2, "common_share": 0.1, "window_d": 30},
        {"required": [0.9999, 0.9995, 0.9999], "guarded": [0.98, 0.99], "copy": 0.98, "copies": 3, "common_share": 0.2,
         "window_d": 28},
    ),
    reference=topology,
    alternatives=(topology_by_library, topology_step_by_step),
    mistakes=tuple(
        map(
            _slip,
            (
                weakest_link,
                mean_of_the_parts,
                counted_what_has_a_fallback,
                added_what_is_lost,
                copies_fail_apart,
                copies_in_series,
                one_copy,
                common_takes_the_rest,
                common_on_top,
                common_alone,
                two_copies,
                guarded_at_the_end,
                left_the_store_out,
                forgot_the_required,
                all_guarded_fail,
                added_the_guarded,
                answered_without_fallback,
                worst_guarded_alone,
                down_in_hours,
                down_in_seconds,
                down_of_a_year,
                down_of_30_days,
                up_for_down,
                fallback_is_down,
                required_down_alone,
            ),
        )
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
    strata=(
        Stratum("`copies` copies, of which one is enough.", lambda c: c["copies"] > 2),
        Stratum("a share `common_share` of its failures takes all copies at once", lambda c: c["common_share"] == 0.2),
        Stratum("Calls to the parts in `guarded` have a fallback.", lambda c: len(c["guarded"]) > 1),
        Stratum("of which at least one guarded call failed;", lambda c: len(c["guarded"]) > 1),
        Stratum("`together`: the share", lambda c: _PARTS["series"](c, {}) > _PARTS["copies"](c, {})),
        Stratum("in a window of `window_d` days.", lambda c: c["window_d"] not in {30, 28}),
    ),
    general=(
        "One copy by itself has the availability `copy`;",
        "Return a dict",
        "`series`",
        "`copies`: that",
    ),
)  # fmt: skip
