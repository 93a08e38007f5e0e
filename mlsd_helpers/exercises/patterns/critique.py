"""Exercise 6: pick the flawed statements of a design that was published and replaced."""

import random
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum, names, quoted

Statement = dict[str, Any]
Statements = Sequence[Statement]
KINDS = ("age", "work", "rerun", "copies", "expiry", "tail")


def _cannot_hold(statement: Statement) -> bool:
    """Work a statement out from its own numbers."""
    match statement["kind"]:
        case "age":
            return bool(statement["period_h"] + statement["job_h"] > statement["oldest_h"])
        case "work":
            return bool(statement["users_million"] > statement["visitors_million"] * statement["visits_each"])
        case "rerun":
            return bool(2 * statement["job_h"] > statement["window_h"])
        case "copies":
            return bool(statement["feeds_tb"] * (1 + statement["experiments"]) > statement["store_tb"])
        case "expiry":
            return bool((1 + statement["missed_runs"]) * statement["period_h"] > statement["ttl_h"])
        case _:
            return bool(statement["hit_percent"] < 99 and statement["miss_ms"] > statement["p99_ms"])


def critique(statements: Statements) -> set[str]:
    """Return the ids of the statements that their own numbers refute."""
    return {statement["id"] for statement in statements if _cannot_hold(statement)}


_LEFT = {
    "age": lambda s: s["oldest_h"] - s["period_h"] - s["job_h"],
    "work": lambda s: s["visitors_million"] * s["visits_each"] - s["users_million"],
    "rerun": lambda s: s["window_h"] - s["job_h"] * 2,
    "copies": lambda s: s["store_tb"] - s["feeds_tb"] * s["experiments"] - s["feeds_tb"],
    "expiry": lambda s: s["ttl_h"] - s["period_h"] * (s["missed_runs"] + 1),
    "tail": lambda s: s["p99_ms"] - (s["miss_ms"] if s["hit_percent"] < 99 else s["hit_ms"]),
}


def critique_by_margin(statements: Statements) -> list[str]:
    """Work out what each statement has left over, in its own unit."""
    return [statement["id"] for statement in statements if _LEFT[statement["kind"]](statement) < 0]


def critique_by_keeping(statements: Statements) -> tuple[str, ...]:
    """Strike out what holds."""
    holds = {statement["id"] for statement in statements if not _cannot_hold(statement)}
    return tuple(sorted({statement["id"] for statement in statements} - holds))


def _misjudged(statements: Statements, kind: str, flawed: Mapping[str, bool]) -> set[str]:
    return {s["id"] for s in statements if (flawed[s["id"]] if s["kind"] == kind else _cannot_hold(s))}


def _when(statements: Statements, kind: str, flawed: Any) -> set[str]:
    judged = {
        statement["id"]: bool(statement["kind"] == kind and flawed(statement)) for statement in statements
    }
    return _misjudged(statements, kind, judged)


def period_is_the_age(statements: Statements) -> set[str]:
    """You let an age pass that is at least the period. While the next run works, the old feed is still the
    one that is read: the run's own time comes on top. How old is a feed just before the next one is there?
    """
    return _when(statements, "age", lambda s: s["period_h"] > s["oldest_h"])  # C22


def exactly_as_old_is_older(statements: Statements) -> set[str]:
    """You refute an age that is reached exactly. "No feed is older than 13 h" holds at 13: write the statement as an
    inequality, and read its sign.
    """
    return _when(statements, "age", lambda s: s["period_h"] + s["job_h"] >= s["oldest_h"])


def ahead_is_always_less_work(statements: Statements) -> set[str]:
    """You believe that making answers ahead is always less work. It is made for everybody, and most never
    come: count the answers that somebody reads. How many would request time have had to make?
    """
    return _when(statements, "work", lambda _: False)  # C36


def a_visitor_comes_once(statements: Statements) -> set[str]:
    """You counted each visitor once. At request time every *visit* costs an inference, and regular visitors
    come several times: compare inferences with inferences.
    """
    return _when(statements, "work", lambda s: s["users_million"] > s["visitors_million"])


def fits_once(statements: Statements) -> set[str]:
    """You found room for one run, and the statement is about a run that fails. By then its time is gone,
    and the whole job has to fit once more. What is left of the window?
    """
    return _when(statements, "rerun", lambda s: s["job_h"] > s["window_h"])  # C44


def one_copy_for_all(statements: Statements) -> set[str]:
    """You stored one copy. Feeds are made by a model, so each experiment with another model stores a feed
    of its own for everybody, next to the one in use.
    """
    return _when(statements, "copies", lambda s: s["feeds_tb"] > s["store_tb"])


def forgot_the_model_in_use(statements: Statements) -> set[str]:
    """You stored a copy for each experiment and none for the model in use, beside which they run: one copy more."""
    return _when(statements, "copies", lambda s: s["feeds_tb"] * s["experiments"] > s["store_tb"])


def only_missed_runs_count(statements: Statements) -> set[str]:
    """You counted the missed runs alone. What is in the store was written by the run *before* them, and the
    next one to write comes after them: one period more. Is anything left by then?
    """
    return _when(statements, "expiry", lambda s: s["missed_runs"] * s["period_h"] > s["ttl_h"])


def mean_for_the_tail(statements: Statements) -> set[str]:
    """You worked out a mean. The p99 is about the slowest in a hundred, and as long as more than that miss
    the cache, those misses own it, and all of them take the same here. What does a miss take?
    """

    def mean_ms(statement: Statement) -> float:
        hit = statement["hit_percent"] / 100
        return float(hit * statement["hit_ms"] + (1 - hit) * statement["miss_ms"])

    return _when(statements, "tail", lambda s: mean_ms(s) > s["p99_ms"])  # C38


# ---- what is drawn --------------------------------------------------------------------------------

_SAYS = {
    "age": "A run starts every {period_h} h and takes {job_h} h. No feed is older than {oldest_h} h.",
    "work": "Making feeds for all {users_million} million users once a day takes no more inferences than scoring "
    "{visitors_million} million daily visitors, {visits_each} visits each, as they come.",
    "rerun": "The job takes {job_h} h of a window of {window_h} h. A run that fails at its end is made up for in "
    "time.",
    "copies": "One set of feeds takes {feeds_tb} TB. {experiments} experiments run beside the model in use, and the "
    "store of {store_tb} TB holds them all.",
    "expiry": "Features are written every {period_h} h and expire {ttl_h} h after that. When {missed_runs} runs in a "
    "row write nothing, requests still find features until the next one writes.",
    "tail": "A cache answers {hit_percent} % in {hit_ms} ms, each miss takes {miss_ms} ms: the p99 is within "
    "{p99_ms} ms.",
}


def _statement(at: int, kind: str, **numbers: float) -> Statement:
    return {"id": f"S{at}", "kind": kind, "says": _SAYS[kind].format(**numbers), **numbers}


def _draw_numbers(rng: random.Random, kind: str) -> dict[str, float]:
    period, job = rng.choice([4, 6, 12, 24]), rng.choice([1, 2, 3])
    match kind:
        case "age":
            return {"period_h": period, "job_h": job, "oldest_h": period + rng.choice([-2, 0, job, job + 3])}
        case "work":
            users, share, each = (
                rng.choice([40, 60, 100]),
                rng.choice([0.1, 0.2, 0.3, 0.5]),
                rng.choice([3, 5, 8]),
            )
            return {"users_million": users, "visitors_million": round(users * share), "visits_each": each}
        case "rerun":
            return {"job_h": job + 2, "window_h": rng.choice([job + 1, job + 3, 2 * job + 4, 2 * job + 6])}
        case "copies":
            feeds, experiments = rng.choice([4, 6, 9]), rng.choice([3, 5, 8])
            all_feeds = feeds * (experiments + 1)
            room = rng.choice([feeds - 1, feeds + 2, feeds * experiments + 1, all_feeds, all_feeds + 1])
            return {"feeds_tb": feeds, "experiments": experiments, "store_tb": room}
        case "expiry":
            missed = rng.choice([1, 2, 3])
            ttl = period * rng.choice([missed - 0.5, missed + 0.5, missed + 1.5])
            return {"period_h": period, "ttl_h": ttl, "missed_runs": missed}
        case _:
            hit, miss = rng.choice([70, 85, 95, 99.5]), rng.choice([40, 60, 120])
            return {"hit_percent": hit, "hit_ms": 2, "miss_ms": miss, "p99_ms": rng.choice([10, 30, 150])}


def _draw_case(rng: random.Random) -> Case:
    kinds = list(KINDS)
    rng.shuffle(kinds)
    return {
        "statements": [
            _statement(at, kind, **_draw_numbers(rng, kind)) for at, kind in enumerate(kinds, start=1)
        ]
    }


def _kind_step(kind: str) -> Step:
    def right(case: Case, value: Any, _: Given) -> bool:
        named = names(value)
        return named is not None and _is_judged(kind, case, named)

    def shows(case: Case, value: Any) -> set[str]:
        named = names(value) or set()
        return {one["id"] for one in _of_kind(kind, case) if (one["id"] in named) != _cannot_hold(one)}

    return Step(kind, 1, right, part="", explain=lambda case, value: _explain(kind, case, value), shows=shows)


def _of_kind(kind: str, case: Case) -> list[Statement]:
    return [statement for statement in case["statements"] if statement["kind"] == kind]


def _is_judged(kind: str, case: Case, named: Collection[str]) -> bool:
    """Tell whether the statements of a kind are named where they cannot hold, and only there."""
    return all((one["id"] in named) == _cannot_hold(one) for one in _of_kind(kind, case))


def _explain(kind: str, case: Case, value: Any) -> str:
    named = names(value)
    if named is None:
        return "Expected a set of ids, such as {'S2', 'S5'}."
    ids = {statement["id"] for statement in case["statements"]}
    if unknown := named - ids:
        return f"{quoted(min(unknown))} is none of the statements."
    wrong = ", ".join(one for one in KINDS if not _is_judged(one, case, named))
    return (
        f"Judged wrongly in this list: {wrong}. (The other kinds may be right in this list by chance; other lists are "
        f"tried too.) Take {kind!r} first: work it out from the numbers that it gives itself."
    )


def _has_one(kind: str, flawed: bool, case: Case) -> bool:
    return any(_cannot_hold(one) == flawed for one in _of_kind(kind, case))


def _is_just_right(kind: str, case: Case) -> bool:
    """Tell whether a statement of a kind holds with nothing left over."""
    return any(_LEFT[kind](one) == 0 for one in _of_kind(kind, case))


EXERCISE = Exercise(
    id="04-critique",
    assignment="04_patterns",
    title="Pick the statements that cannot hold",
    kind="critique",
    outcome="Refute the statements of a pre-computed design by their own numbers.",
    minutes=15,
    steps=tuple(map(_kind_step, KINDS)),
    cases=(
        {"statements": [
            _statement(1, "age", period_h=24, job_h=3, oldest_h=24),
            _statement(2, "work", users_million=50, visitors_million=5, visits_each=3),
            _statement(3, "rerun", job_h=5, window_h=6),
            _statement(4, "copies", feeds_tb=9, experiments=8, store_tb=20),
            _statement(5, "expiry", period_h=24, ttl_h=60, missed_runs=2),
            _statement(6, "tail", hit_percent=80, hit_ms=2, miss_ms=42, p99_ms=10),
        ]},
        {"statements": [
            _statement(1, "tail", hit_percent=85, hit_ms=2, miss_ms=120, p99_ms=30),
            _statement(2, "expiry", period_h=12, ttl_h=42, missed_runs=2),
            _statement(3, "copies", feeds_tb=4, experiments=3, store_tb=17),
            _statement(4, "rerun", job_h=3, window_h=8),
            _statement(5, "work", users_million=60, visitors_million=30, visits_each=5),
            _statement(6, "age", period_h=6, job_h=2, oldest_h=8),
        ]},
        {"statements": [
            _statement(1, "copies", feeds_tb=6, experiments=5, store_tb=32),
            _statement(2, "age", period_h=12, job_h=1, oldest_h=10),
            _statement(3, "tail", hit_percent=99.5, hit_ms=2, miss_ms=60, p99_ms=10),
            _statement(4, "work", users_million=40, visitors_million=12, visits_each=8),
            _statement(5, "expiry", period_h=6, ttl_h=9, missed_runs=2),
            _statement(6, "rerun", job_h=4, window_h=3),
        ]},
    ),
    reference=critique,
    alternatives=(critique_by_margin, critique_by_keeping),
    mistakes=(
        period_is_the_age,
        exactly_as_old_is_older,
        ahead_is_always_less_work,
        a_visitor_comes_once,
        fits_once,
        one_copy_for_all,
        forgot_the_model_in_use,
        only_missed_runs_count,
        mean_for_the_tail,
    ),
    hints=(
        "Look at one kind of statement at a time: each scores by itself. `says` is the sentence behind the numbers.",
        (
            "Start with the two that are about time, `age` and `rerun`. Draw a line for the hours, and put on it "
            "when a run starts, when it ends, and what is read in between."
        ),
        (
            "A neighbour: feeds are written every 8 h and expire after 10 h. One run writes nothing: from the write "
            "before it to the one after it there are 16 h, and in the last 6 of them the store is empty."
        ),
    ),
    draw=_draw_case,
    strata=(
        *(
            Stratum("the **set of the ids** of those that cannot hold", partial(_has_one, kind, flawed))
            for kind in KINDS
            for flawed in (True, False)
        ),
        *(
            Stratum("the numbers of that sentence", partial(_is_just_right, kind))
            for kind in ("age", "work", "rerun", "copies")
        ),
        Stratum("all misses take the same time", lambda c: _of_kind("tail", c)[0]["hit_percent"] == 95),
    ),
    general=(
        "Pinterest's feed of 2015",
        "its team published",
        "Somebody now proposes",
        "(The numbers are invented",
        "Write `critique`",
    ),
)  # fmt: skip
