"""Exercise 4: repair a cache key that gives one person another's answer."""

import random
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache, partial
from itertools import combinations
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Step, Stratum, equals, names

Row = Mapping[str, Any]
Log = Sequence[Row]
VALUES = {
    "user": ("ana", "ben", "eva"),
    "query": ("milk", "bread", "tea"),
    "locale": ("en", "pt"),
    "device": ("phone", "web"),
    "model_version": (7, 8),
}
FIELDS = (*VALUES, "request_id")


def _key(row: Row, fields: Collection[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in FIELDS if name in fields)


def _leaks(log: Log, fields: Collection[str]) -> int:
    """Count the requests that get an answer which is not their own."""
    cache: dict[tuple[Any, ...], Any] = {}
    return sum(cache.setdefault(_key(row, fields), row["answer"]) != row["answer"] for row in log)


def _hits(log: Log, fields: Collection[str]) -> int:
    return len(log) - len({_key(row, fields) for row in log})


_SUBSETS = tuple(chosen for size in range(len(FIELDS) + 1) for chosen in combinations(FIELDS, size))


def _safe(log: Log) -> tuple[tuple[str, ...], ...]:
    """Return every key with which no answer goes astray, the one that hits most first."""
    return _safe_of(tuple(tuple(row[name] for name in (*FIELDS, "answer")) for row in log))


@lru_cache(maxsize=512)  # every answer to a case is judged against the same log
def _safe_of(rows: tuple[tuple[Any, ...], ...]) -> tuple[tuple[str, ...], ...]:
    log = [dict(zip((*FIELDS, "answer"), row, strict=True)) for row in rows]
    safe = (fields for fields in _SUBSETS if not _leaks(log, fields))
    return tuple(sorted(safe, key=lambda fields: -_hits(log, fields)))


def repair(log: Log, old_key: Collection[str]) -> Answer:
    """Try every set of fields, and keep the safe one with the most hits."""
    return {"leaks": _leaks(log, old_key), "key": set(_safe(log)[0])}


def repair_by_dropping(log: Log, old_key: Collection[str]) -> Answer:
    """Start from every field, and drop one after the other while no answer goes astray, the rarest repeat first."""
    key = list(FIELDS)
    for name in sorted(FIELDS, key=lambda name: -len({row[name] for row in log})):
        fewer = [field for field in key if field != name]
        if not _leaks(log, fewer):
            key = fewer
    return {"leaks": _leaks(log, old_key), "key": key}


def repair_by_pairs(log: Log, old_key: Collection[str]) -> Answer:
    """Keep a field where two requests differ in nothing else, their numbers apart, and have different answers."""
    first: dict[tuple[Any, ...], Any] = {}
    leaks = 0
    for row in log:
        place = tuple(row[name] for name in sorted(old_key))
        leaks += first.setdefault(place, row["answer"]) != row["answer"]
    return {"leaks": leaks, "key": tuple(name for name in VALUES if _decides(log, name))}


def _decides(log: Log, name: str) -> bool:
    others = [other for other in VALUES if other != name]
    return _leaks(log, others) > 0


def _with_key(log: Log, old_key: Collection[str], key: Collection[str]) -> Answer:
    return {"leaks": _leaks(log, old_key), "key": set(key)}


def kept_the_old_key(log: Log, old_key: Collection[str]) -> Answer:
    """You kept the key as it was, and it gives some people the answer of somebody else. Find two requests
    with the same key and different answers: in which field do they differ?
    """
    return _with_key(log, old_key, old_key)  # C37


def forgot_the_model_version(log: Log, old_key: Collection[str]) -> Answer:
    """Your key lacks the version of the model. After a release, and after a rollback, it goes on giving the
    answers of the model that is no longer there. Which inputs of an answer do not come with the request?
    """
    return _with_key(log, old_key, set(repair(log, old_key)["key"]) - {"model_version"})  # C37


def everything_in_the_key(log: Log, old_key: Collection[str]) -> Answer:
    """You put every field into the key. It is safe and it never hits: no two requests have the same number.
    Which of the fields does the *answer* depend on?
    """
    return _with_key(log, old_key, FIELDS)


def all_but_the_request_id(log: Log, old_key: Collection[str]) -> Answer:
    """Your key is safe and too long: it also holds fields that change nothing in the answer, and splits
    what could be shared. Take one field out at a time. Does any answer go astray?
    """
    return _with_key(log, old_key, VALUES)


def one_field_is_enough(log: Log, old_key: Collection[str]) -> Answer:
    """You took the fewest fields that keep answers apart, and that is the number of the request. No request
    comes twice, so nothing ever hits. What else has to be true of a good key?
    """
    return _with_key(log, old_key, {"request_id"})


def counted_every_hit(log: Log, old_key: Collection[str]) -> Answer:
    """You counted every hit as a leak. A hit is what a cache is for; it leaks where the answer that was
    kept is not the one that this request should have had. Compare the answers.
    """
    return {**repair(log, old_key), "leaks": _hits(log, old_key)}


def counted_the_keys(log: Log, old_key: Collection[str]) -> Answer:
    """You counted the keys under which different answers meet. Behind one such key many requests may get
    the wrong one: count requests.
    """
    answers: dict[tuple[Any, ...], set[Any]] = {}
    for row in log:
        answers.setdefault(_key(row, old_key), set()).add(row["answer"])
    return {**repair(log, old_key), "leaks": sum(len(met) > 1 for met in answers.values())}


def leaks_of_the_new_key(log: Log, old_key: Collection[str]) -> Answer:
    """You counted the leaks of the key that you made, and a right key has none. `leaks` is asked of the *old* one:
    replay the log with `old_key`, and count the requests that get an answer which is not theirs.
    """
    return {**repair(log, old_key), "leaks": 0}


_DECIDING = (
    ("user", "query", "model_version"),
    ("query", "locale", "model_version"),
    ("user", "locale", "model_version"),
    ("query", "device", "model_version"),
    ("query", "model_version"),
    ("user", "query", "locale"),
    ("user", "query", "locale", "model_version"),
)


def _row(rng: random.Random, number: int, deciding: Sequence[str]) -> Row:
    row: dict[str, Any] = {name: rng.choice(values) for name, values in VALUES.items()}
    decisive = "|".join(str(row[name]) for name in deciding)
    return {**row, "request_id": number, "answer": zlib.crc32(decisive.encode()) % 100_000}


def _draw_case(rng: random.Random) -> Case:
    """Draw a log in which one safe key alone has the most hits, and every field of it is seen to decide."""
    while True:
        deciding = rng.choice(_DECIDING)
        log = [_row(rng, 1_000 + at, deciding) for at in range(90)]
        dropped = rng.choice(deciding)
        spare = rng.choice([[], [rng.choice([name for name in VALUES if name not in deciding])]])
        case = {"log": log, "old_key": [name for name in deciding if name != dropped] + spare}
        seen = all(_decides(log, name) for name in deciding)
        longer = ((*deciding, name) for name in VALUES if name not in deciding)
        if seen and all(_hits(log, key) < _hits(log, deciding) for key in longer):
            return case


def _is_needed(name: str, case: Case) -> bool:
    return name in _safe(case["log"])[0]


def _draw_with_one_device(rng: random.Random) -> Case:
    """Draw a log of one device alone: a key hits as often with it as without it."""
    while True:
        case = _draw_case(rng)
        if "device" not in _safe(case["log"])[0]:
            return {**case, "log": [{**row, "device": "web"} for row in case["log"]]}


def _is_safe(case: Case, value: Any, _: Given) -> bool:
    fields = _fields(value)
    return bool(fields) and not _leaks(case["log"], fields)


def _is_lean(case: Case, value: Any, given: Given) -> bool:
    most = _hits(case["log"], _safe(case["log"])[0])
    return _is_safe(case, value, given) and _hits(case["log"], _fields(value)) == most


def _fields(value: Any) -> set[str]:
    """Return the fields of a key, none where it is no key of these fields."""
    named = names(value) or set()
    return named if named <= set(FIELDS) else set()


def _explain_key(case: Case, value: Any) -> str:
    fields = _fields(value)
    if not fields:
        return f"Expected a set of fields, such as {{'user', 'query'}}, among {', '.join(FIELDS)}."
    if wrong := _leaks(case["log"], fields):
        return f"With this key, {wrong} of {len(case['log'])} requests get an answer that is not theirs."
    return f"No answer goes astray, and only {_hits(case['log'], fields)} requests hit: is each field needed?"


EXERCISE = Exercise(
    id="04-cache-key",
    assignment="04_patterns",
    title="Repair a cache key",
    kind="repair",
    outcome="Find what an answer depends on, and make a cache key of exactly that.",
    minutes=20,
    steps=(
        equals("leaks", 1, lambda c, _: _leaks(c["log"], c["old_key"])),
        Step("safe", 2, _is_safe, part="key", explain=_explain_key),
        Step("lean", 1, _is_lean, part="key", explain=_explain_key),
    ),
    cases=tuple(_draw_case(random.Random(seed)) for seed in (1, 2, 3)),  # noqa: S311 - cases, not secrets
    reference=repair,
    alternatives=(repair_by_dropping, repair_by_pairs),
    mistakes=(
        kept_the_old_key,
        forgot_the_model_version,
        everything_in_the_key,
        all_but_the_request_id,
        one_field_is_enough,
        counted_every_hit,
        counted_the_keys,
        leaks_of_the_new_key,
    ),
    hints=(
        "Look for two rows of the log that have the same old key and different answers.",
        (
            "Start with the leaks: go through the log, keep the first answer for each key, and count the requests "
            "whose own answer is another. Then try keys: there are not many sets of six fields."
        ),
        (
            "A neighbour: a log of city, hour and number; the answer is the weather. With the key (city,) what was "
            "true at noon is told at midnight; with all three nothing hits; (city, hour) is right."
        ),
    ),
    draw=_draw_case,
    strata=(
        *(Stratum("with which nobody gets a wrong answer", partial(_is_needed, name)) for name in VALUES),
        Stratum("as many requests as possible hit", lambda c: len(_safe(c["log"])[0]) == 2),
        Stratum(
            "of keys that hit equally often, the one with the fewest fields",
            lambda c: len({row["device"] for row in c["log"]}) == 1,
            _draw_with_one_device,
        ),
        Stratum(
            "makes its key of the fields in `old_key`",
            lambda c: not set(c["old_key"]) <= set(_safe(c["log"])[0]),
        ),
    ),
    general=(
        "A support ticket says",
        "You have a `log`",
        "Write `repair_key`",
        "`leaks`: how many",
        "The cache starts empty",
    ),
)
