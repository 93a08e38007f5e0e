"""Exercise 4: a gate in front of a generated feature file: let it in or not, and why."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Step, Stratum, equals

Row = Mapping[str, Any]
Ranges = Mapping[str, tuple[float, float]]

GROWTH = 0.2
REASONS = ("ok", "size", "duplicate", "schema", "range")


def gate(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """Check size, duplicates, schema and ranges, in this order, and keep the last good file otherwise, if any."""
    return _decided(_reason(rows, last_good_rows, hard_limit, ranges), last_good_rows)


def _decided(reason: str, last_good_rows: int) -> Answer:
    accept = reason == "ok"
    return {"accept": accept, "reason": reason, "serve": "new" if accept else _kept(last_good_rows)}


def _kept(last_good_rows: int) -> str:
    return "last good" if last_good_rows else "nothing"


def _reason(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> str:
    names = [row["feature"] for row in rows]
    usual = last_good_rows or len(rows)
    if len(rows) > hard_limit or abs(len(rows) - usual) > GROWTH * usual + 1e-9:
        return "size"
    if len(set(names)) < len(names):
        return "duplicate"
    if set(names) != set(ranges):
        return "schema"
    inside = all(ranges[row["feature"]][0] <= row["value"] <= ranges[row["feature"]][1] for row in rows)
    return "ok" if inside else "range"


def gate_by_checks(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """Name each check, and take the first that fails."""
    names = Counter(row["feature"] for row in rows)
    usual = last_good_rows or len(rows)
    low, high = (1 - GROWTH) * usual - 1e-9, (1 + GROWTH) * usual + 1e-9
    failing = {
        "size": not low <= len(rows) <= min(high, hard_limit),
        "duplicate": max(names.values(), default=0) > 1,
        "schema": names.keys() != ranges.keys(),
        "range": any(
            not ranges.get(row["feature"], (row["value"],))[0]
            <= row["value"]
            <= ranges.get(row["feature"], (row["value"],))[-1]
            for row in rows
        ),
    }
    return _decided(next((reason for reason, fails in failing.items() if fails), "ok"), last_good_rows)


def gate_in_capitals(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """Answer with the same words, written otherwise."""
    answer = gate(rows, last_good_rows, hard_limit, ranges)
    return {**answer, "reason": answer["reason"].upper(), "serve": answer["serve"].title()}


def trusted_the_pipeline(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """You let everything in. A file that our own pipeline wrote is input like any other: Cloudflare's was internal
    too. What would have to be true for it to be always right?
    """
    return _decided("ok", last_good_rows)  # C19


def left_it_to_the_hard_limit(
    rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges
) -> Answer:
    """You measure the size against the reader's limit alone. That is where the reader breaks; a file twice its usual
    size below it is wrong already. What is usual?
    """
    return _decided(_reason(rows, len(rows), hard_limit, ranges), last_good_rows)


def only_growth_is_odd(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """You refuse files that grew and welcome those that shrank. A file of which half is gone was cut off somewhere.
    Which way can a size go wrong?
    """
    return _decided(_reason(rows, min(len(rows), last_good_rows), hard_limit, ranges), last_good_rows)


def counted_names_once(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """You compared sets of names. A set has forgotten how often each came, and doubled rows were the fault. What do
    you count before you make a set?
    """
    once = list({row["feature"]: row for row in rows}.values())
    size = _reason(rows, last_good_rows, hard_limit, ranges) == "size"
    return _decided("size" if size else _reason(once, len(once), hard_limit, ranges), last_good_rows)


def checked_names_only(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """You check names and counts, and never a value. The right columns full of impossible numbers pass, and the model
    answers with confidence. What are the ranges for?
    """
    reason = _reason(rows, last_good_rows, hard_limit, ranges)
    return _decided("ok" if reason == "range" else reason, last_good_rows)


def refused_and_served_nothing(
    rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges
) -> Answer:
    """You refuse the file and serve nothing. Then the gate causes the outage that it was built against. Which file is
    known to work?
    """
    answer = gate(rows, last_good_rows, hard_limit, ranges)
    return {**answer, "serve": "new" if answer["accept"] else "nothing"}  # C20


def served_what_was_never_there(
    rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges
) -> Answer:
    """You serve the last good file before there is one. On the first day there is nothing to fall back on, and what
    reads the file has to know it. What do its readers get until a file is let in?
    """
    answer = gate(rows, last_good_rows, hard_limit, ranges)
    return {**answer, "serve": "new" if answer["accept"] else "last good"}


def refused_at_the_edge(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """You refuse a file that is exactly 20 % away. "More than 20 %" begins above it; with shares, a rounding error of
    the computer's may decide too. With which sign do you compare?
    """
    usual = last_good_rows or len(rows)
    far = abs(len(rows) - usual) >= GROWTH * usual - 1e-9
    reason = "size" if last_good_rows and far else _reason(rows, last_good_rows, hard_limit, ranges)
    return _decided(reason, last_good_rows)


def warned_and_served_it(rows: Sequence[Row], last_good_rows: int, hard_limit: int, ranges: Ranges) -> Answer:
    """You name the fault and serve the file all the same. A check that changes nothing is a log line. What does
    refusing mean for those who read the file?
    """
    return {**gate(rows, last_good_rows, hard_limit, ranges), "serve": "new"}


_NAMES = ("bot_score", "ip_age", "tls_kind", "path_depth", "visits_1h", "errors_1h", "bytes_in", "country_risk",
          "agent_rank", "hour", "cookie_age", "asn_rank", "burst", "depth_7d", "ratio_404", "refs")  # fmt: skip


def _file(names: Sequence[str], value: float) -> list[Row]:
    return [{"feature": name, "value": value} for name in names]


def _case(fault: str, names: Sequence[str], limit: int, value: float = 0.5, *, first: bool = False) -> Case:
    """Return a file with one fault, beside what was usual; nothing was before the first."""
    rows = _file(names, value)
    broken = {
        "ok": rows,
        "doubled": rows + rows,
        "too large": rows + _file([f"new_{n}" for n in range(1, limit)], value),
        "grown": rows + _file([f"new_{n}" for n in range(len(names))], value),
        "cut": rows[: len(rows) // 2],
        "duplicate": [*rows, rows[1]],
        "renamed": [{**rows[0], "feature": "renamed"}, *rows[1:]],
        "one new": [*rows, {"feature": "surprise", "value": value}],
        "range": [*rows[:-1], {**rows[-1], "value": value + 7}],
        "edge": rows,
    }[fault]
    usual = {6: 5, 8: 10, 12: 15}[len(names)] if fault == "edge" else len(names)
    return {
        "rows": broken,
        "last_good_rows": 0 if first else usual,
        "hard_limit": limit,
        "ranges": dict.fromkeys(names, (0, 1)),
    }


_FAULTS = ("ok", "doubled", "too large", "grown", "cut", "duplicate", "renamed", "one new", "range", "edge")
"""What may be wrong with a file; at the edge it is exactly 20 % larger or smaller than the last good one."""


def _draw_file(rng: random.Random) -> Case:
    fault = rng.choice(_FAULTS)
    names = rng.sample(_NAMES, rng.choice([6, 8, 12] if fault == "edge" else range(6, 13)))
    limit, value = rng.choice([25, 30, 40]), round(rng.random(), 2)
    return _case(fault, names, limit, value, first=rng.random() < 0.2)


def _changed(case: Case, **parts: Any) -> Case:
    return {**case, **parts}


def _at_the_limit(rng: random.Random) -> Case:
    """Draw a good file of exactly as many rows as the reader takes, or one more, with or without a file before."""
    case = _case("ok", rng.sample(_NAMES, 12), 12 - rng.randrange(2), first=rng.random() < 0.5)
    return _changed(case, last_good_rows=case["last_good_rows"] and 11)


def _on_a_bound(rng: random.Random) -> Case:
    """Draw a file whose values are all at the lowest or at the highest that is allowed."""
    return _case("ok", rng.sample(_NAMES, 8), 30, rng.choice([0, 1]))


def _too_low(rng: random.Random) -> Case:
    """Draw a file with one value below its range."""
    case = _case("ok", rng.sample(_NAMES, 8), 30, 0.5)
    return _changed(case, rows=[*case["rows"][:-1], {**case["rows"][-1], "value": -0.25}])


def _twice_with_another_value(rng: random.Random) -> Case:
    """Draw a file in which a feature comes again with another value."""
    case = _case("ok", rng.sample(_NAMES, 8), 30, 0.5)
    return _changed(case, rows=[*case["rows"], {**case["rows"][0], "value": 0.75}])


def _with_two_faults(rng: random.Random) -> Case:
    """Draw a file in which two checks fail, each pair of them in turn."""
    case = _case(rng.choice(["duplicate", "renamed", "one new"]), rng.sample(_NAMES, 8), 30, 0.5)
    rows = [*case["rows"][:-1], {**case["rows"][-1], "value": 9}]
    if rng.random() < 0.5:
        return _changed(case, rows=rows, last_good_rows=20)
    return _changed(case, rows=[*rows, rows[0]] if rng.random() < 0.5 else rows)


def _failing(case: Case) -> set[str]:
    """Return every check that a file fails, by leaving out those before it."""
    names = [row["feature"] for row in case["rows"]]
    failing = {"size"} if _reason(**case) == "size" else set()
    failing |= {"duplicate"} if len(set(names)) < len(names) else set()
    failing |= {"schema"} if set(names) != set(case["ranges"]) else set()
    known = (row for row in case["rows"] if row["feature"] in case["ranges"])
    inside = all(
        case["ranges"][row["feature"]][0] <= row["value"] <= case["ranges"][row["feature"]][1]
        for row in known
    )
    return failing | (set() if inside else {"range"})


def _is_off_by_a_fifth(case: Case) -> bool:
    usual = case["last_good_rows"]
    return bool(usual and abs(abs(len(case["rows"]) - usual) - GROWTH * usual) < 1e-9)


def _first_of_two(reason: str, case: Case) -> bool:
    return len(_failing(case)) > 1 and _reason(**case) == reason


def _is_on_a_bound(case: Case) -> bool:
    return {row["value"] for row in case["rows"]} <= {0, 1}


def _only(reason: str) -> Callable[[Case], bool]:
    return lambda case: _failing(case) == {reason}


def _serve(case: Case, given: Given) -> str:
    return "new" if given["accept"] else _kept(case["last_good_rows"])


def _reasoned(case: Case, value: Any) -> str:
    if str(value).strip().casefold() not in REASONS:
        return f"Expected one of {', '.join(REASONS)}."
    return "Another check comes first, or this one is passed. Take the checks in the order of the table."


def _accepted(case: Case, value: Any) -> str:
    if not isinstance(value, bool):
        return "Expected True or False."
    if value:
        return "You let this file in, and a check of the table refuses it. Which rows, names or values are odd in it?"
    return (
        "You refuse this file, and it passes every check of the table. Which one refuses it in your function?"
    )


def _served(case: Case, value: Any) -> str:
    if str(value).strip().casefold() not in {"new", "last good", "nothing"}:
        return "Expected 'new', 'last good' or 'nothing'."
    return "Which file do readers have, by your own `accept` and by whether a file was let in before?"


EXERCISE = Exercise(
    id="02-gate",
    assignment="02_planes",
    title="Gate a generated file",
    kind="decide with a reason",
    outcome="Let generated input in or refuse it with a reason, and say what is served meanwhile.",
    minutes=17,
    steps=(
        replace(equals("accept", 1, lambda case, _: gate(**case)["accept"]), explain=_accepted),
        Step(
            "reason",
            1.5,
            lambda case, value, _: str(value).strip().casefold() == gate(**case)["reason"],
            explain=_reasoned,
        ),
        replace(equals("serve", 0.5, _serve), explain=_served),
    ),
    cases=(
        *(_case(fault, _NAMES[:8], 20) for fault in _FAULTS),
        *(_case(fault, _NAMES[:6], 10, first=True) for fault in ("ok", "renamed")),
    ),
    reference=gate,
    alternatives=(gate_by_checks, gate_in_capitals),
    mistakes=(
        trusted_the_pipeline,
        left_it_to_the_hard_limit,
        only_growth_is_odd,
        counted_names_once,
        checked_names_only,
        Slip(refused_and_served_nothing, {"serve": lambda _, g: "new" if g["accept"] else "nothing"}),
        Slip(served_what_was_never_there, {"serve": lambda _, g: "new" if g["accept"] else "last good"}),
        Slip(warned_and_served_it, {"serve": lambda *_: "new"}),
        refused_at_the_edge,
    ),
    hints=(
        "Look at the table of checks from the top: the first that fails gives the reason.",
        (
            "Start with `reason`, one `if` a check with a `return` in each; the other two keys follow from it. For the "
            "size, compare with the last good file in both directions, and with the limit."
        ),
        (
            "A neighbour: the last good file has 50 rows, the limit is 200. 61 rows are refused and so are 39; 58 go "
            "on to the next check."
        ),
    ),
    draw=_draw_file,
    strata=(
        Stratum(
            "0 means that none was let in yet", lambda c: not c["last_good_rows"] and _reason(**c) == "ok"
        ),
        Stratum(
            "0 means that none was let in yet", lambda c: not c["last_good_rows"] and _reason(**c) != "ok"
        ),
        Stratum(
            "The reader stops beyond `hard_limit` rows",
            lambda c: len(c["rows"]) == c["hard_limit"],
            _at_the_limit,
        ),
        Stratum("| `size` |", lambda c: len(c["rows"]) == c["hard_limit"] + 1, _at_the_limit),
        Stratum("or more than 20 % away from the last good one", _is_off_by_a_fifth),
        Stratum("either way", lambda c: len(c["rows"]) < 0.8 * c["last_good_rows"]),
        Stratum("either way", lambda c: 0 < 1.2 * c["last_good_rows"] < len(c["rows"])),
        Stratum(
            "| `duplicate` | in which a feature comes twice |", _only("duplicate"), _twice_with_another_value
        ),
        Stratum("| `schema` |", lambda c: _failing(c) == {"schema"} and len(c["rows"]) == len(c["ranges"])),
        Stratum("| `schema` |", lambda c: _failing(c) == {"schema"} and len(c["rows"]) > len(c["ranges"])),
        Stratum("| `range` | with a value outside its range |", _only("range")),
        Stratum("| `range` | with a value outside its range |", _only("range"), _too_low),
        Stratum(
            "maps each feature that the model knows to its lowest and highest value",
            _is_on_a_bound,
            _on_a_bound,
        ),
        *(
            Stratum("the first that fails gives the reason", partial(_first_of_two, reason), _with_two_faults)
            for reason in ("size", "duplicate", "schema")
        ),
    ),
    general=(
        "A file of features is generated",
        "The last file that was let in",
        "Decide with a reason",
        "Take the checks in this order",
        "| reason | refused is a file |",
        "| `ok` |",
        "Return a dict",
        "Here is one case for each",
    ),
)
