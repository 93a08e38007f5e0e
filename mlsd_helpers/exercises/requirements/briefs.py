"""Exercise 1: what does a brief ask for? Type of prediction, tier of latency, and how many scorings a second."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Stratum, equals

Brief = Mapping[str, Any]

_TYPES = {
    "yes or no": "binary classification",
    "one of twelve queues": "multi-class classification",
    "minutes until arrival": "regression",
    "shops, best first": "ranking",
    "a paragraph of text": "generation",
}


_GIVES = {
    "binary classification": "one of two classes",
    "multi-class classification": "one of several classes that are fixed beforehand",
    "regression": "a number",
    "ranking": "candidates, which change with each request, in order",
    "generation": "something that is written",
}
_TIERS = ("real-time", "near-real-time", "interactive", "batch")


def _tier(limit_ms: float) -> str:
    if limit_ms < 100:
        return "real-time"
    if limit_ms < 2_000:
        return "near-real-time"
    return "interactive" if limit_ms < 60_000 else "batch"


def _answer(brief: Brief, **otherwise: Any) -> Answer:
    return {
        "type": _TYPES[brief["answer"]],
        "tier": _tier(brief["limit_ms"]),
        "scorings_per_s": brief["peak_rps"] * brief["candidates"],
    } | otherwise


def read_brief(brief: Brief) -> Answer:
    """Go by what one answer is, by strict limits, and by what the model is run on."""
    return _answer(brief)


def read_brief_in_seconds(brief: Brief) -> Answer:
    """Convert to seconds, and look the tier up from the slow end."""
    limit_s = brief["limit_ms"] / 1_000
    tiers = {"batch": 60, "interactive": 2, "near-real-time": 0.1, "real-time": 0}
    return _answer(brief, tier=next(name for name, least in tiers.items() if limit_s >= least))


class Read:
    """An answer that is an object instead of a dict."""

    def __init__(self, parts: Answer) -> None:
        self.__dict__.update(parts)


def read_brief_as_record(brief: Brief) -> Read:
    """Do the same, and answer with an object."""
    return Read(read_brief(brief))


def boundary_let_in(brief: Brief) -> Answer:
    """You let the limit itself into the faster tier. The tiers are strict: real-time ends *before* its limit. Which
    inequality would a test of your tier evaluate?
    """
    return _answer(brief, tier=_tier(brief["limit_ms"] - 1))  # C9


def counted_requests(brief: Brief) -> Answer:
    """You counted requests. The model is run once for each candidate, and it is the model that needs machines. How
    many times does it run for one request?
    """
    return _answer(brief, scorings_per_s=brief["peak_rps"])  # C7


def counted_candidates_of_rankings_alone(brief: Brief) -> Answer:
    """You counted the candidates of rankings alone. Another answer may also be made of several runs of the model, and
    the brief says how many. What does `candidates` say here?
    """
    return _answer(brief) if brief["answer"] == "shops, best first" else counted_requests(brief)


def read_milliseconds_as_seconds(brief: Brief) -> Answer:
    """You held milliseconds against limits in seconds, so that nearly everything is slow. In which unit is `limit_ms`,
    and in which are the limits of the tiers?
    """
    return _answer(brief, tier=_tier(1_000 * brief["limit_ms"]))


def somebody_always_waits(brief: Brief) -> Answer:
    """You never say batch. From a minute on nobody waits at the screen, and the work can be done when it is cheap. Up
    to which limit does a person wait?
    """
    right = _answer(brief)
    return {**right, "tier": "interactive" if right["tier"] == "batch" else right["tier"]}


def order_called_classes(brief: Brief) -> Answer:
    """You called an ordered list a choice among classes. Classes are fixed before anybody asks; candidates change
    with each request, and their order is the answer. What would a new shop do to your classes?
    """
    right = _answer(brief)
    return {**right, "type": "multi-class classification" if right["type"] == "ranking" else right["type"]}


def two_classes_for_all(brief: Brief) -> Answer:
    """You called a choice among many a choice between two. How many queues can a message be sent to?"""
    right = _answer(brief)
    many = right["type"] == "multi-class classification"
    return {**right, "type": "binary classification" if many else right["type"]}


def order_called_number(brief: Brief) -> Answer:
    """You called an ordered list a number. A score may lie behind each candidate; what is returned, and judged, is
    their order. Would the answer change if all scores were doubled?
    """
    right = _answer(brief)
    return {**right, "type": "regression" if right["type"] == "ranking" else right["type"]}


def text_called_classes(brief: Brief) -> Answer:
    """You called a text a choice among classes. Each next word may be such a choice; the answer is a text that nobody
    listed beforehand. How many paragraphs could it be?
    """
    right = _answer(brief)
    return {**right, "type": "multi-class classification" if right["type"] == "generation" else right["type"]}


def number_called_class(brief: Brief) -> Answer:
    """You called a number a class. Half an hour and an hour lie apart by an amount, and the error is measured by it;
    two classes are merely different. How wrong is an answer that is off by one?
    """
    right = _answer(brief)
    return {**right, "type": "multi-class classification" if right["type"] == "regression" else right["type"]}


def waited_means_batch(brief: Brief) -> Answer:
    """You call everything batch that is not real-time. Between the two lies what somebody still waits for: for a
    second, or for half a minute. Which of the limits of the tiers is the first that the brief keeps?
    """
    right = _answer(brief)
    return {**right, "tier": "real-time" if right["tier"] == "real-time" else "batch"}


def _explain_type(case: Case, value: Any) -> str:
    if value not in _GIVES:
        return f"Expected one of {', '.join(map(repr, _GIVES))}."
    return f"That gives {_GIVES[value]}. Is this what {case['brief']['answer']!r} is?"


def _explain_tier(case: Case, value: Any) -> str:
    if value not in _TIERS:
        return f"Expected one of {', '.join(map(repr, _TIERS))}."
    side = "faster" if _TIERS.index(value) > _TIERS.index(_tier(case["brief"]["limit_ms"])) else "slower"
    return f"A {side} tier has this limit. Between which two times does each tier lie?"


def _case(answer: str, limit_ms: int, peak_rps: int, candidates: int = 1) -> Case:
    return {"brief": {"answer": answer, "limit_ms": limit_ms, "peak_rps": peak_rps, "candidates": candidates}}


_BORDERS_MS = (100, 2_000, 60_000)


def _draw(rng: random.Random) -> Case:
    """Draw a brief, two of three on a border or near it; not a ranking alone may have several candidates."""
    answer = rng.choice(list(_TYPES))
    limit_ms = rng.choice(
        [
            *_BORDERS_MS,
            *(rng.randrange(border * 3 // 4, border) for border in _BORDERS_MS),
            *(rng.randrange(border + 1, border * 4 // 3) for border in _BORDERS_MS),
            rng.randrange(10, 99),
            rng.randrange(110, 1_900),
            rng.randrange(2_100, 55_000),
            rng.randrange(70_000, 3_600_000),
        ]
    )
    candidates = rng.randrange(50, 900, 10) if answer == "shops, best first" else rng.choice([1, 1, 3, 12])
    return _case(answer, limit_ms, rng.randrange(20, 4_000), candidates)


def _answers(kind: str) -> Stratum:
    return Stratum("There are five kinds of `answer`", lambda case: bool(case["brief"]["answer"] == kind))


def _near(border_ms: int) -> list[Stratum]:
    """Return what lies on a border between two tiers, just below it, and just above it."""
    ranges = (
        (border_ms, border_ms),
        (border_ms * 3 // 4, border_ms - 1),
        (border_ms + 1, border_ms * 4 // 3),
    )
    return [_within(least, most) for least, most in ranges]


def _within(least: int, most: int) -> Stratum:
    return Stratum(
        '- `tier`: `"real-time"` (limit < 100 ms)', lambda case: least <= case["brief"]["limit_ms"] <= most
    )


EXERCISE = Exercise(
    id="01-briefs",
    assignment="01_requirements",
    title="Read a brief",
    kind="classify",
    outcome="Name the type of prediction, the latency tier and the scorings a second of a brief.",
    minutes=11,
    steps=(
        replace(equals("type", 1, lambda case, _: read_brief(case["brief"])["type"]), explain=_explain_type),
        replace(equals("tier", 1, lambda case, _: read_brief(case["brief"])["tier"]), explain=_explain_tier),
        equals(
            "scorings_per_s", 1, lambda case, _: read_brief(case["brief"])["scorings_per_s"], tolerance=1e-6
        ),
    ),
    cases=(
        _case("yes or no", 100, 500),
        _case("shops, best first", 80, 230, 450),
        _case("minutes until arrival", 2_000, 700),
        _case("one of twelve queues", 600, 35),
        _case("a paragraph of text", 30_000, 21),
        _case("yes or no", 3_600_000, 9),
        _case("minutes until arrival", 60_000, 40, 12),
    ),
    reference=read_brief,
    alternatives=(read_brief_in_seconds, read_brief_as_record),
    mistakes=(
        boundary_let_in,
        counted_requests,
        counted_candidates_of_rankings_alone,
        read_milliseconds_as_seconds,
        somebody_always_waits,
        order_called_classes,
        number_called_class,
        two_classes_for_all,
        order_called_number,
        text_called_classes,
        waited_means_batch,
    ),
    hints=(
        "Look at one answer at a time: what it is, when it is due, and on what the model is run to make it.",
        "Start with a dict from `answer` to the type. For the tier write three strict comparisons, the fastest first.",
        (
            "A neighbour: ten letters a second, each tried against 30 stamps and due in under 3 s, are 300 "
            "comparisons a second; a letter that may take exactly 3 s is not among those under 3 s."
        ),
    ),
    draw=_draw,
    strata=(
        *(stratum for border_ms in _BORDERS_MS for stratum in _near(border_ms)),
        *map(_answers, _TYPES),
        Stratum(
            "- `scorings_per_s`",
            lambda case: case["brief"]["candidates"] > 1 and case["brief"]["answer"] != "shops, best first",
        ),
    ),
    general=("A `brief` says", "Grading changes", "Write `read_brief`", "- `type`"),
)
