"""Exercise 1: choose the pattern, and say what decided."""

import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals, names, quoted

PATTERNS = ("A", "B", "C")
REASONS = ("cost", "freshness", "input")


def _known_ahead(case: Case) -> dict[str, bool]:
    """Say of each pattern whether it gets its input: A from the request, B from a list, C from an event."""
    return {"A": True, "B": case["listable"], "C": case["event_brings_it"]}


def _feasible(case: Case) -> set[str]:
    """Return the patterns that get their input, and whose answers are fresh enough."""
    oldest_s = {"A": 0, "B": 2 * case["job_s"], "C": case["lag_s"]}
    known = _known_ahead(case)
    return {name for name in PATTERNS if known[name] and oldest_s[name] <= case["max_age_s"]}


def _cheapest(costs: Mapping[str, float], among: Collection[str] = PATTERNS) -> str:
    return min(among, key=lambda pattern: costs[pattern])


def _reason(case: Case, feasible: Collection[str]) -> str:
    cheapest = _cheapest(case["cost_per_day"])
    if cheapest in feasible:
        return "cost"
    return "freshness" if _known_ahead(case)[cheapest] else "input"


def _chosen(case: Case, feasible: Collection[str], **instead: str) -> Answer:
    answer = {"feasible": feasible, "pattern": _cheapest(case["cost_per_day"], feasible)}
    return {**answer, "reason": _reason(case, feasible), **instead}


def choose(**case: Any) -> Answer:
    """Take the cheapest of those that are fresh enough."""
    return _chosen(case, _feasible(case))


def choose_by_elimination(**case: Any) -> Answer:
    """Go through the patterns from the cheapest up, and stop at the first that can do it."""
    brought = {"A": True, "B": case["listable"], "C": case["event_brings_it"]}
    fresh = {
        "A": True,
        "B": case["job_s"] <= case["max_age_s"] / 2,
        "C": case["lag_s"] <= case["max_age_s"],
    }
    order = sorted(brought, key=lambda name: case["cost_per_day"][name])
    can = [name for name in order if brought[name] and fresh[name]]
    ruled_out = "freshness" if brought[order[0]] else "input"
    reason = "cost" if order[0] == can[0] else ruled_out
    return {"feasible": can, "pattern": can[0].lower(), "reason": reason}


def choose_by_oldest_answer(**case: Any) -> Answer:
    """Work out the oldest answer of each pattern; what nothing brings ahead has none before its request."""
    oldest = {"A": 0.0}
    oldest |= {"B": 2.0 * case["job_s"]} if case["listable"] else {}
    oldest |= {"C": case["lag_s"]} if case["event_brings_it"] else {}
    return _chosen(case, tuple(name for name, age_s in oldest.items() if age_s <= case["max_age_s"]))


def chose_by_the_rate(**case: Any) -> Answer:
    """You let the request rate choose. It is already in the costs, and says nothing of freshness: a high rate
    over few keys can be the best case for answers made ahead. What else do you have to look at?
    """
    pattern = "C" if case["peak_rps"] > 1_000 else "A"
    return _chosen(case, _feasible(case), pattern=pattern)  # C34


def ruled_out_request_time(**case: Any) -> Answer:
    """You ruled request-time inference out above a certain rate. Published systems answer hundreds of
    thousands of requests a second that way: a rate rules nothing out, it makes a bill, and the costs are
    given. What makes a pattern impossible?
    """
    feasible = _feasible(case)
    dropped = feasible - {"A"} if case["peak_rps"] > 1_000 else feasible
    return _chosen(case, dropped or feasible)


def listed_what_cannot_be_listed(**case: Any) -> Answer:
    """You made answers ahead for inputs that nobody can list, such as free text. The table has no row for
    what people will write next. Which pattern needs no list?
    """
    return _chosen(case, _feasible({**case, "listable": True}))  # C35


def streamed_features_answer_ahead(**case: Any) -> Answer:
    """You let C answer where no event brings the input. A stream of *features* helps a model that runs at the request:
    that is A over streamed features. C makes the answer itself before the request: what tells it the input?
    """
    return _chosen(case, _feasible({**case, "event_brings_it": True}))


def events_need_a_list(**case: Any) -> Answer:
    """You let C work only where the inputs can be listed. An event brings its own input: a product that a shop changes
    is scored at that moment, though nobody could have listed it. Which of the two patterns ahead needs a list?
    """
    known = case["event_brings_it"] and case["listable"]
    return _chosen(case, _feasible({**case, "event_brings_it": known}))


def job_ages_the_stream(**case: Any) -> Answer:
    """You put the job's time on top of the stream's lag. No job is on the way of an answer that is made at its event:
    C is as old as the stream is behind. To which pattern does the job belong?
    """
    return _chosen(case, _feasible({**case, "lag_s": case["lag_s"] + case["job_s"]}))


def job_counted_once(**case: Any) -> Answer:
    """You counted the job's time once. Just before its next result is readable, an answer is a period *and* a
    job old, and the job cannot start again before it has ended. How old is the oldest answer, at the least?
    """
    return _chosen(case, _feasible({**case, "job_s": case["job_s"] / 2}))


def just_in_time_is_too_old(**case: Any) -> Answer:
    """You ruled out a pattern whose oldest answer is exactly as old as is allowed. "At most" includes the limit itself:
    write it as ≤.
    """
    return _chosen(case, _feasible({**case, "max_age_s": case["max_age_s"] - 1e-3}))


def streaming_has_no_lag(**case: Any) -> Answer:
    """You took streaming for fresh at any limit. A stream is behind by its lag, in quiet times too: hold it
    against the age that is allowed.
    """
    return _chosen(case, _feasible({**case, "lag_s": 0}))  # C42


def cheapest_at_any_age(**case: Any) -> Answer:
    """You took the cheapest of the three, though it is not among those that you found feasible. A cheap
    answer that is too old, or that is not there, is worth nothing. From which set do you choose?
    """
    return _chosen(case, _feasible(case), pattern=_cheapest(case["cost_per_day"]))


def always_cost(**case: Any) -> Answer:
    """You gave cost as the reason everywhere. Where the cheapest pattern of all was ruled out, something else
    decided: name what ruled it out, so that the choice can be looked at again when that changes.
    """
    return _chosen(case, _feasible(case), reason="cost")


def _draw_case(rng: random.Random) -> Case:
    job_s = rng.choice([600, 1_800, 3_600, 7_200])
    return {
        "peak_rps": rng.choice([20, 300, 900, 2_000, 8_000, 40_000]),
        "max_age_s": rng.choice([1, 30, 300, int(1.5 * job_s), 2 * job_s, 3 * job_s, 86_400]),
        "listable": rng.random() < 0.7,
        "event_brings_it": rng.random() < 0.7,
        "job_s": job_s,
        "lag_s": rng.choice([3, 10, 60]),
        "cost_per_day": dict(zip(PATTERNS, rng.sample(range(20, 900), 3), strict=True)),
    }


def _explain_feasible(_case: Case, value: Any) -> str:
    named = names(value)
    if named is None:
        return "Expected a set of patterns, such as {'A', 'C'}."
    if unknown := named - set(PATTERNS):
        return f"{quoted(min(unknown))} is none of the patterns A, B and C."
    if "A" not in named:
        return "A is missing: the request brings its input, and its answer is made when it is asked for."
    return "For each pattern ask two things: what brings it the input, and how old is its oldest answer?"


def _explain_pattern(_case: Case, value: Any) -> str:
    if not isinstance(value, str) or value.strip().upper() not in PATTERNS:
        return "Expected one of 'A', 'B' and 'C'."
    return "Of the patterns in your own `feasible`, is there a cheaper one?"


def _explain_reason(_case: Case, value: Any) -> str:
    if not isinstance(value, str) or value.strip().casefold() not in REASONS:
        return "Expected one of the codes: 'cost', 'freshness', 'input'."
    return "Look at the cheapest of all three: did you take it, and if not, what ruled it out?"


def _pattern_step(case: Case, given: Given) -> str:
    return _cheapest(case["cost_per_day"], [str(name) for name in given["feasible"]])


def _case(rps: int, max_age_s: float, ahead: tuple[bool, bool], job_s: int, lag_s: int, *costs: int) -> Case:
    return {
        "peak_rps": rps,
        "max_age_s": max_age_s,
        "listable": ahead[0],
        "event_brings_it": ahead[1],
        "job_s": job_s,
        "lag_s": lag_s,
        "cost_per_day": dict(zip(PATTERNS, costs, strict=True)),
    }


def _decided_by(case: Case, reason: str) -> bool:
    return _reason(case, _feasible(case)) == reason


def _is_ruled_out_twice(case: Case) -> bool:
    """Tell whether the cheapest pattern lacks its input and would be too old."""
    cheapest = _cheapest(case["cost_per_day"])
    too_old = {"A": False, "B": 2 * case["job_s"] > case["max_age_s"], "C": case["lag_s"] > case["max_age_s"]}
    return bool(too_old[cheapest] and not _known_ahead(case)[cheapest])


EXERCISE = Exercise(
    id="04-choose",
    assignment="04_patterns",
    title="Choose the pattern, and say what decided",
    kind="choose and justify",
    outcome="Choose a serving pattern by freshness, inputs and cost, and name what decided.",
    minutes=12,
    steps=(
        replace(equals("feasible", 1.5, lambda c, _: _feasible(c)), explain=_explain_feasible),
        replace(equals("pattern", 1.5, _pattern_step), explain=_explain_pattern),
        replace(equals("reason", 1, lambda c, g: _reason(c, g["feasible"])), explain=_explain_reason),
    ),
    cases=(
        _case(2_000, 86_400, (True, True), 3_600, 10, 1_728, 90, 300),
        _case(2_000, 86_400, (False, False), 3_600, 10, 1_728, 90, 80),
        _case(40_000, 5_400, (True, True), 3_600, 10, 700, 150, 420),
        _case(900, 1, (True, True), 600, 3, 500, 60, 45),
        _case(300, 30, (True, True), 1_800, 60, 400, 55, 200),
        _case(20, 86_400, (True, True), 3_600, 10, 30, 120, 190),
        _case(8_000, 86_400, (True, True), 3_600, 10, 640, 910, 820),
        _case(350, 60, (False, True), 3_600, 10, 900, 40, 60),
        _case(500, 7_200, (True, False), 1_800, 10, 300, 120, 70),
        _case(700, 3_600, (True, True), 1_800, 20, 260, 80, 110),
        _case(400, 300, (True, True), 1_800, 10, 400, 90, 120),
    ),
    reference=choose,
    alternatives=(choose_by_elimination, choose_by_oldest_answer),
    mistakes=(
        chose_by_the_rate,
        ruled_out_request_time,
        listed_what_cannot_be_listed,
        streamed_features_answer_ahead,
        events_need_a_list,
        job_ages_the_stream,
        job_counted_once,
        just_in_time_is_too_old,
        streaming_has_no_lag,
        Slip(cheapest_at_any_age, {"pattern": lambda c, _: _cheapest(c["cost_per_day"])}),
        Slip(always_cost, {"reason": lambda *_: "cost"}),
    ),
    hints=(
        "Look at three values before any cost: what brings the input before a request, and how old may an answer be?",
        (
            "Start with `feasible`. A computes when it is asked. For B, think of the moment just before a new "
            "result is readable; for C, of its lag. B needs a list of the inputs, C an event that brings each."
        ),
        (
            "A neighbour: a job of 20 min, allowed 30 min. Run back to back, its oldest answer is 40 min old: B "
            "is out. If B was the cheapest of all, the reason for what you take instead is 'freshness'."
        ),
    ),
    draw=_draw_case,
    strata=(
        Stratum(
            "whose oldest answer is fresh enough",
            lambda c: c["max_age_s"] == 2 * c["job_s"] and c["listable"],
        ),
        Stratum(
            "A job starts again when it has ended, and not before",
            lambda c: c["job_s"] < c["max_age_s"] < 2 * c["job_s"] and c["listable"],
        ),
        Stratum(
            "`lag_s`, the usual lag of a stream",
            lambda c: c["lag_s"] == c["max_age_s"] and c["event_brings_it"],
            lambda rng: {**(case := _draw_case(rng)), "event_brings_it": True, "lag_s": case["max_age_s"]},
        ),
        Stratum(
            "`lag_s`, the usual lag of a stream",
            lambda c: c["lag_s"] > c["max_age_s"] and c["event_brings_it"],
        ),
        Stratum(
            "`lag_s`, the usual lag of a stream",
            lambda c: c["lag_s"] > c["max_age_s"] and {"A", "B"} <= _feasible(c),
            lambda rng: {
                **(case := _draw_case(rng)),
                "max_age_s": 3 * case["job_s"],
                "lag_s": 4 * case["job_s"],
            },
        ),
        Stratum(
            "the set of patterns that get their input",
            lambda c: not c["listable"] and c["max_age_s"] >= 2 * c["job_s"] and "C" in _feasible(c),
        ),
        Stratum(
            "the set of patterns that get their input",
            lambda c: "B" in _feasible(c) and c["lag_s"] <= c["max_age_s"] and not c["event_brings_it"],
        ),
        Stratum("A over streamed features is A", lambda c: not c["listable"] and not c["event_brings_it"]),
        Stratum("`pattern`: the cheapest of them", lambda c: len(_feasible(c)) == 3),
        Stratum('`"cost"` if it is the cheapest', lambda c: _decided_by(c, "cost")),
        Stratum('`"input"` when nothing brings', lambda c: _decided_by(c, "input")),
        Stratum('else `"freshness"`', lambda c: _decided_by(c, "freshness")),
        Stratum('`"input"` when nothing brings it the input', _is_ruled_out_twice),
    ),
    general=(
        "A is an answer on request",
        "(Which features a model reads",
        "Write `choose`",
        "Return a dict",
        "`reason`: what decided",
        "Otherwise what ruled that cheapest one out",
    ),
)
