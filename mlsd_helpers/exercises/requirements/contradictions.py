"""Exercise 4: find the requirements of one page that cannot all hold."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum, names
from mlsd_helpers.formulas import precision_at_base_rate

Statement = dict[str, Any]
Statements = Sequence[Statement]
Numbers = Mapping[str, float]
Clash = Callable[[Numbers], bool]

_NOISE = 1e-9
_SAYS = {
    "promised": ("freshness", "No count is older than {most_min} min when it is read."),
    "job": (
        "freshness",
        "Counts come from a job that starts every {period_min} min and takes {job_min} min.",
    ),
    "training": ("freshness", "The model is trained anew every {training_min} min."),
    "budget": ("latency", "The p99 of an answer is at most {answer_p99_ms} ms."),
    "features": ("latency", "Reading features, the first step, has a p99 of {features_p99_ms} ms by itself."),
    "scoring": ("latency", "Scoring, the second step, has a p99 of {scoring_p99_ms} ms by itself."),
    "peak": ("load", "Payments come at {peak_rps} a second for hours, and nobody waits long."),
    "fleet": ("load", "{replicas} replicas serve them, one payment at a time each, in {service_ms} ms."),
    "rate": ("alarms", "Of {one_in} payments, one is fraud."),
    "model": (
        "alarms",
        "The model finds {found_percent} % of the fraud, and stops {false_percent} % of the rest.",
    ),
    "right": ("alarms", "Of the payments that are stopped, at least {right_percent} % are fraud."),
}
"""What each statement is about, and how it says its numbers."""

_SIDES = {
    "freshness": {"promised", "job"},
    "latency": {"budget"},  # and the step, or both, that alone exceed it
    "load": {"peak", "fleet"},
    "alarms": {"rate", "model", "right"},
}


def _numbers(statements: Statements) -> dict[str, float]:
    return {name: value for statement in statements for name, value in statement["numbers"].items()}


def _too_old(n: Numbers) -> bool:
    return n["period_min"] + n["job_min"] > n["most_min"]


def _never_idle(n: Numbers) -> bool:
    return n["peak_rps"] * n["service_ms"] / 1_000 >= n["replicas"] - _NOISE


def _wrong_alarms(n: Numbers) -> bool:
    shares = (1 / n["one_in"], n["found_percent"] / 100, n["false_percent"] / 100)
    return 100 * precision_at_base_rate(*shares) < n["right_percent"]


def _slow_steps(n: Numbers) -> set[str]:
    return {step for step in ("features", "scoring") if n[f"{step}_p99_ms"] > n["answer_p99_ms"]}


def _parts(n: Numbers) -> dict[str, set[str]]:
    """Return which statements clash, topic by topic, by the names that they have in `_SAYS`."""
    slow = _slow_steps(n)
    return {
        "freshness": _SIDES["freshness"] if _too_old(n) else set(),
        "latency": _SIDES["latency"] | slow if slow else set(),
        "load": _SIDES["load"] if _never_idle(n) else set(),
        "alarms": _SIDES["alarms"] if _wrong_alarms(n) else set(),
    }


def _named(statements: Statements, parts: Mapping[str, set[str]]) -> set[str]:
    clashing = set().union(*parts.values())
    return {statement["id"] for statement in statements if _part(statement) in clashing}


def _part(statement: Statement) -> str:
    return _PART_OF[frozenset(statement["numbers"])]


def contradictions(statements: Statements) -> set[str]:
    """Work each topic out from its numbers."""
    return _named(statements, _parts(_numbers(statements)))


def contradictions_by_margin(statements: Statements) -> list[str]:
    """Ask what each topic has left over, and list what has less than nothing."""
    n = _numbers(statements)
    fraud, honest = n["found_percent"], n["false_percent"] * (n["one_in"] - 1)
    names = {name: statement["id"] for statement in statements for name in statement["numbers"]}
    found = []
    if n["most_min"] - n["period_min"] < n["job_min"]:
        found += [names["most_min"], names["job_min"]]
    over = [name for name in ("features_p99_ms", "scoring_p99_ms") if n[name] > n["answer_p99_ms"]]
    found += [names[name] for name in (*over, *["answer_p99_ms"][: len(over)])]
    if 1_000 * n["replicas"] <= n["peak_rps"] * n["service_ms"]:
        found += [names["peak_rps"], names["replicas"]]
    if 100 * fraud < n["right_percent"] * (fraud + honest):
        found += [names["one_in"], names["found_percent"], names["right_percent"]]
    return found


def contradictions_by_keeping(statements: Statements) -> tuple[str, ...]:
    """Strike out what can stand."""
    keep = {statement["id"] for statement in statements} - contradictions(statements)
    return tuple(statement["id"] for statement in statements if statement["id"] not in keep)


def _instead(statements: Statements, **parts: set[str]) -> set[str]:
    return _named(statements, _parts(_numbers(statements)) | parts)


def added_the_percentiles(statements: Statements) -> set[str]:
    """You added the p99s of the two steps. Both are rarely slow together, so the whole may well keep a p99 that is
    below the sum: budgets add, percentiles do not. Which single step is already slower than the answer may be?
    """
    n = _numbers(statements)
    over = n["features_p99_ms"] + n["scoring_p99_ms"] > n["answer_p99_ms"]
    return _instead(statements, latency={"budget", "features", "scoring"} if over else set())  # C2


def full_is_fast_enough(statements: Statements) -> set[str]:
    """You let a fleet pass that is busy all the time. One over the service time is what a replica can do when it
    is never idle, and then a chance crowd of requests starts a queue that nothing works off. What is left over at your
    peak?
    """
    n = _numbers(statements)
    over = n["peak_rps"] * n["service_ms"] / 1_000 > n["replicas"] + _NOISE
    return _instead(statements, load=_SIDES["load"] if over else set())  # C8


def trained_means_fresh(statements: Statements) -> set[str]:
    """You held the age of the model against the age of a count. A model that was trained last night may read a count
    that is a second old, and the other way round: ask *what* is so many minutes old.
    """
    n = _numbers(statements)
    sides = _parts(n)["freshness"] | (
        {"promised", "training"} if n["training_min"] > n["most_min"] else set()
    )
    return _instead(statements, freshness=sides)  # C10


def rare_alarms_are_right(statements: Statements) -> set[str]:
    """You took one false alarm in a hundred honest payments for one in a hundred alarms. Honest payments are many
    more than fraud, so most alarms can be false: count both kinds among, say, 100,000 payments.
    """
    n = _numbers(statements)
    wrong = 100 - n["false_percent"] < n["right_percent"]
    return _instead(statements, alarms=_SIDES["alarms"] if wrong else set())  # C11


def gave_odds_for_a_share(statements: Statements) -> set[str]:
    """You held the right alarms against the false ones. Asked is their share of *all* alarms, the right ones among
    them: by what do you divide?
    """
    n = _numbers(statements)
    right, false = n["found_percent"], n["false_percent"] * (n["one_in"] - 1)
    return _instead(
        statements, alarms=_SIDES["alarms"] if 100 * right < n["right_percent"] * false else set()
    )


def all_fraud_is_found(statements: Statements) -> set[str]:
    """You counted all fraud as stopped. The model finds a part of it, and only that part makes right alarms: how many
    are those among 100,000 payments?
    """
    return _instead(statements, alarms=_parts({**_numbers(statements), "found_percent": 100})["alarms"])


def half_the_period_is_the_age(statements: Statements) -> set[str]:
    """You took half the period, the age of a count in the mean. The limit holds for each reading: how old is a count
    just before the new ones are there?
    """
    n = _numbers(statements)
    return _instead(statements, freshness=_parts({**n, "period_min": n["period_min"] / 2})["freshness"])


def as_slow_as_allowed_is_too_slow(statements: Statements) -> set[str]:
    """You refused a step that is exactly as slow as the answer may be. A p99 of "at most" lets the limit itself in:
    which sign does that have?
    """
    n = _numbers(statements)
    slow = {step for step in ("features", "scoring") if n[f"{step}_p99_ms"] >= n["answer_p99_ms"]}
    return _instead(statements, latency=_SIDES["latency"] | slow if slow else set())


def busy_means_full(statements: Statements) -> set[str]:
    """You refused a fleet that is idle for a small part of the time. A target such as 70 % is a choice; a queue grows
    without end only where nothing is left. What share of the time is a replica busy here?
    """
    n = _numbers(statements)
    return _instead(statements, load=_SIDES["load"] if _busy(n) > 0.7 else set())


def period_is_the_age(statements: Statements) -> set[str]:
    """You held the period alone against the limit. While the next run is at work, the counts of the last one are still
    what is read: its own time comes on top. How old is a count just before the new ones are there?
    """
    n = _numbers(statements)
    return _instead(statements, freshness=_SIDES["freshness"] if n["period_min"] > n["most_min"] else set())


def named_the_faster_step_too(statements: Statements) -> set[str]:
    """You named both steps where one of them alone is too slow. The other could stay as it is: which of the two would
    you have to make faster?
    """
    slow = _slow_steps(_numbers(statements))
    return _instead(statements, latency={"budget", "features", "scoring"} if slow else set())


def exactly_on_time_is_late(statements: Statements) -> set[str]:
    """You refused a count that is exactly as old as it may be. "No older than" lets the limit itself in: which sign
    does that have?
    """
    n = _numbers(statements)
    over = n["period_min"] + n["job_min"] >= n["most_min"]
    return _instead(statements, freshness=_SIDES["freshness"] if over else set())


def named_one_side(statements: Statements) -> set[str]:
    """You named one side of each contradiction. It takes two to contradict, and which of them gives way is the
    product's choice, not yours: name all that cannot stand together.
    """
    sides = {"promised", "features", "scoring", "peak", "right"}
    return _named(statements, {topic: names & sides for topic, names in _parts(_numbers(statements)).items()})


# ---- what is drawn --------------------------------------------------------------------------------


def _numbers_of(says: str) -> list[str]:
    return [word.partition("}")[0] for word in says.split("{")[1:]]


_PART_OF = {frozenset(_numbers_of(says)): part for part, (_, says) in _SAYS.items()}


def _page(n: Numbers, order: Sequence[str] = tuple(_SAYS)) -> Case:
    shown = [(part, *_SAYS[part]) for part in order]
    return {
        "statements": [
            {"id": f"R{at}", "topic": topic, "says": says.format(**n),
             "numbers": {name: n[name] for name in _numbers_of(says)}}
            for at, (_, topic, says) in enumerate(shown, start=1)
        ]
    }  # fmt: skip


_NAMES = tuple(name for _, says in _SAYS.values() for name in _numbers_of(says))


def _near_the_share(rng: random.Random) -> tuple[float, ...]:
    """Draw alarms that promise a share a little above or below the one that the numbers give."""
    one_in, found, false = rng.choice([4, 5, 10]), rng.choice([50, 60, 70]), 10
    share = 100 * precision_at_base_rate(1 / one_in, found / 100, false / 100)
    return one_in, found, false, rng.choice([math.floor(share - 0.5), math.ceil(share + 0.5)])


def _draw(rng: random.Random) -> Case:
    """Draw a page in which each topic holds or does not, near the border as often as far from it."""
    period, job, budget = rng.choice([5, 10, 15, 60]), rng.choice([2, 3, 6]), rng.choice([100, 150, 300])
    service, replicas = rng.choice([20, 40, 50]), rng.randrange(4, 40)
    full = 1_000 * replicas // service
    most = period + rng.choice([-2, 0, job - 1, job, job + 5])
    features, scoring = rng.choice(
        [(0.3, 0.6), (0.5, 0.7), (0.6, 0.9), (0.2, 1.2), (1.3, 0.4), (1.0, 0.5), (0.5, 1.0), (1.1, 1.3)]
    )
    false, right = rng.choice([1, 2]), rng.choice([5, 50, 80])
    alarms = (rng.choice([100, 1_000]), rng.choice([80, 90]), false, rng.choice([right, 100 - false // 2]))
    numbers = (
        most, period, job, rng.choice([1_440, 1_440, most]), budget, round(features * budget), round(scoring * budget),
        rng.choice([full, full, full - 1, full // 2, 2 * full]), replicas, service,
        *rng.choice([alarms, alarms, (5, 80, 10, 65), _near_the_share(rng)]),
    )  # fmt: skip
    return _page(dict(zip(_NAMES, numbers, strict=True)), rng.sample(list(_SAYS), len(_SAYS)))


def _case(*numbers: float) -> Case:
    return _page(dict(zip(_NAMES, numbers, strict=True)))


def _of(case: Case, topic: str) -> set[str]:
    return {statement["id"] for statement in case["statements"] if statement["topic"] == topic}


def _step(topic: str) -> Step:
    def right(case: Case, value: Any, _: Given) -> bool:
        named = names(value)
        if named is None:
            return False
        return named & _of(case, topic) == contradictions(case["statements"]) & _of(case, topic)

    def explain(case: Case, value: Any) -> str:
        named = names(value)
        if named is None:
            return "Expected a set of ids, such as {'R1', 'R2'}; an empty one where all can hold."
        if named - {statement["id"] for statement in case["statements"]}:
            return "Expected ids of the statements, such as 'R1'."
        return f"Look at {topic}: {_ASKS[topic]}"

    def shows(case: Case, value: Any) -> set[str]:
        """Return what is named too much or too little on the topic, or that a part of a clash is named alone."""
        named = (names(value) or set()) & _of(case, topic)
        clash = contradictions(case["statements"]) & _of(case, topic)
        return {"a part alone"} if named and named < clash else named ^ clash

    return Step(topic, 1, right, part="", explain=explain, shows=shows)


def _holds(test: Callable[[Numbers], bool]) -> Callable[[Case], bool]:
    return lambda case: test(_numbers(case["statements"]))


def _shows_alarms(mistake: Callable[[Statements], set[str]]) -> Callable[[Case], bool]:
    return lambda case: mistake(case["statements"]) != contradictions(case["statements"])


def _fresh(n: Numbers) -> float:
    """Return how much older than promised a count is at its oldest, in minutes."""
    return n["period_min"] + n["job_min"] - n["most_min"]


def _busy(n: Numbers) -> float:
    return n["peak_rps"] * n["service_ms"] / (1_000 * n["replicas"])


def _slower(n: Numbers) -> float:
    """Return the larger p99 of the two steps, as a share of the p99 of the answer."""
    return max(n["features_p99_ms"], n["scoring_p99_ms"]) / n["answer_p99_ms"]


_ASKS = {
    "freshness": "how old is a count at its oldest, and which statement speaks of another age?",
    "latency": "can the whole be faster than one of its steps?",
    "load": "what part of each second are the replicas idle?",
    "alarms": "of 100,000 payments, how many alarms are right, and how many false?",
}


EXERCISE = Exercise(
    id="01-contradictions",
    assignment="01_requirements",
    title="Requirements that cannot all hold",
    kind="find the gap",
    outcome="Find the requirements that contradict each other, and leave alone those that only look so.",
    minutes=45,
    steps=tuple(map(_step, _ASKS)),
    cases=(
        _case(45, 60, 3, 1_440, 100, 45, 70, 500, 20, 40, 1_000, 90, 1, 50),
        _case(15, 15, 2, 1_440, 100, 30, 130, 400, 29, 40, 100, 90, 1, 49),
        _case(30, 24, 6, 1_440, 200, 90, 150, 500, 10, 40, 1_000, 80, 1, 5),
        _case(30, 20, 5, 20, 200, 60, 200, 190, 10, 50, 100, 80, 2, 35),
    ),
    reference=contradictions,
    alternatives=(contradictions_by_margin, contradictions_by_keeping),
    mistakes=(
        added_the_percentiles,
        full_is_fast_enough,
        trained_means_fresh,
        rare_alarms_are_right,
        period_is_the_age,
        exactly_on_time_is_late,
        named_the_faster_step_too,
        named_one_side,
        gave_odds_for_a_share,
        all_fraud_is_found,
        half_the_period_is_the_age,
        as_slow_as_allowed_is_too_slow,
        busy_means_full,
    ),
    hints=(
        "Look at one topic at a time; each scores by itself. Ask whether all its sentences can be true on one day.",
        (
            "Start with load: the seconds of work that come in a second, against the replicas. Then freshness: period "
            "and job together. For latency think of the slower step; for alarms, count payments."
        ),
        (
            "A neighbour: 'the soup is on the table in 10 minutes' and 'it cooks for 12' cannot both hold; 'it cooks "
            "for 8, and is served in 6' may, if both are the slowest of a hundred."
        ),
    ),
    draw=_draw,
    strata=(
        Stratum("a count is oldest just before the next run is done", _holds(lambda n: _fresh(n) == 0)),
        Stratum(
            "a count is oldest just before the next run is done",
            _holds(lambda n: 0 < _fresh(n) <= n["job_min"]),
        ),
        Stratum(
            "some only look as if they did",
            _holds(lambda n: n["training_min"] > n["most_min"] and _fresh(n) <= 0),
        ),
        Stratum("- *latency*: two steps follow each other", _holds(lambda n: _slow_steps(n) == {"features"})),
        Stratum("- *latency*: two steps follow each other", _holds(lambda n: _slow_steps(n) == {"scoring"})),
        Stratum(
            "For latency, these are the p99 of the answer and each step",
            _holds(lambda n: len(_slow_steps(n)) == 2),
        ),
        Stratum("The whole is never faster than either of its steps", _holds(lambda n: _slower(n) == 1)),
        Stratum(
            "what else do you know?",
            _holds(
                lambda n: _slower(n) < 1 and n["features_p99_ms"] + n["scoring_p99_ms"] > n["answer_p99_ms"]
            ),
        ),
        Stratum("Nobody waits long as long as", _holds(lambda n: _busy(n) == 1)),
        Stratum("How much of the time may a replica be busy", _holds(lambda n: 0.95 < _busy(n) < 1)),
        Stratum("- *alarms*: of three statements", _holds(_wrong_alarms)),
        Stratum("Count the alarms that are right", _holds(lambda n: n["one_in"] == 5)),
        Stratum("Count the alarms that are right", _shows_alarms(gave_odds_for_a_share)),
        Stratum("Count the alarms that are right", _shows_alarms(all_fraud_is_found)),
        Stratum(
            "Count the alarms that are right",
            _holds(lambda n: n["false_percent"] == 10 and not _wrong_alarms(n)),
        ),
        Stratum("empty where all can", lambda case: not contradictions(case["statements"])),
    ),
    general=(
        "A page has",
        "Each says its",
        "The check uses",
        "Here is the first",
        "By topic:",
        "- *load*: payments come",
        "Name every statement",
        "The first lines",
    ),
)
