"""Explain a wrong answer in words, without saying what is right."""

import contextlib
import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from typing import Any

from mlsd_helpers.exercises.diagnosis import CaseSet
from mlsd_helpers.exercises.exercise import Case, Exercise, Step, feedback, mistake_name
from mlsd_helpers.exercises.marking import Marks, expected_value
from mlsd_helpers.exercises.values import (
    MOST_ENTRIES,
    MOST_TEXT,
    as_code,
    cut,
    is_number,
    names,
    same,
    short,
)

_LONGEST_REASON = 800
_TOO_LARGE = (
    "It is larger than any answer has to be, and was not judged: "
    f"keep it to {MOST_ENTRIES:,} entries and {MOST_TEXT:,} characters."
)
_NOTHING = (
    "it returned None, which is no answer. Where a function comes to its end without a `return`, it returns None: "
    "which way does it take here?"
)
_CHECK_SHAPE = "Check what the exercise asks for."


def explain(case_set: CaseSet, marks: Marks, known: Sequence[Any]) -> str:
    """Say what is wrong with the first wrong step, and what is said of the known mistakes beside it."""
    wrong = [step for step in case_set.exercise.steps if not marks.step_passed(step)]
    about = {mistake_name(one): case_set.touched(one) for one in known}
    first = next((one for one in known if wrong[0].name in about[mistake_name(one)]), None)
    told = [_about(case_set, wrong[0], marks, first)]
    for one in known:
        if one is not first:
            step = next(step for step in wrong if step.name in about[mistake_name(one)])
            told.append(
                f"Beside that{f', in {as_code(step.key)}' if step.key else ''}: {cut(feedback(one), _LONGEST_REASON)}"
            )
    return "\n\n".join(told)


def _about(case_set: CaseSet, step: Step, marks: Marks, known: Any | None) -> str:
    """Say what is wrong with a step, on its smallest case or else the first."""
    exercise = case_set.exercise
    failed = [at for at, right in enumerate(marks.right) if not right.get(step.name, True)]
    at = min(failed, key=lambda at: math.inf if _is_cut(case_set.shown[at]) else len(case_set.shown[at]))
    case = case_set.cases[at]
    where = f"With {as_code(_named(exercise, case, case_set.shown[at]))}: " if case else ""
    return f"{where}{_what_is_wrong(exercise, step, marks, at, known)}"


def _is_cut(shown: str) -> bool:
    return "…" in shown


def _named(exercise: Exercise, case: Case, shown: str) -> str:
    """Return a case as a message shows it: where it was cut and is a visible one, the code that gives all of it."""
    at = next((at for at, visible in enumerate(exercise.cases) if visible is case), None)
    return shown if at is None or not _is_cut(shown) else f"mlsd.exercises.inputs({exercise.id!r})[{at}]"


def _what_is_wrong(exercise: Exercise, step: Step, marks: Marks, at: int, known: Any | None) -> str:
    outcome = marks.outcomes[at]
    if outcome.blank:
        return "this part is not written yet." if outcome.unwritten else _NOTHING
    if outcome.problem:
        return outcome.problem
    shape = _shape_problem(exercise, outcome.value)
    if shape:
        return f"{shape} {_CHECK_SHAPE}"
    value = step.value(outcome.value)
    why = feedback(known) if known is not None else _direction(exercise, step, marks, at)
    return f"{_what_it_is(step.key, value)} {cut(why, _LONGEST_REASON)}"


def _what_it_is(part: str, value: Any) -> str:
    """Show a wrong value, unless it is too long: cut, it would seldom show what is wrong in it."""
    shown = short(value)
    if shown.endswith("…"):
        return f"{as_code(part) if part else 'your answer'} is not right yet."
    return f"your answer is {as_code(f'{part} = {shown}' if part else shown)}."


def _direction(exercise: Exercise, step: Step, marks: Marks, at: int) -> str:
    """Say how a wrong value is wrong, without saying what is right."""
    case, value = marks.cases[at], marks.parts[at][step.name]
    if value is None:
        missing = step.value(marks.outcomes[at].value) is None
        return "This part is missing." if missing else _TOO_LARGE
    expected = expected_value(step, case, marks.given[at])
    if step.explain is not None:
        with contextlib.suppress(Exception):  # a value so odd that nothing can be said of it
            return step.explain(case, value)
        return f"It is of the type {as_code(type(value).__name__)}. {_CHECK_SHAPE}"
    if type(expected) not in {int, float, Fraction}:
        return f"{_unlike(value, expected)} Ask for a hint: `mlsd.hint({exercise.id!r})`."
    if not is_number(value):
        return f"Expected one finite number. {_CHECK_SHAPE}"
    return _factor(float(value), float(expected), below_zero=_is_below_zero(step, marks))


def _unlike(value: Any, expected: Any) -> str:
    """Say how a value differs from one that is no number."""
    if isinstance(expected, list | tuple):
        return _entries(value, expected)
    if isinstance(expected, set | frozenset):
        return _members(value, expected)
    if type(value) is type(expected):
        return "Here it is another."
    return f"Expected {'True or False' if isinstance(expected, bool) else 'a word'}."


def _is_below_zero(step: Step, marks: Marks) -> bool:
    """Tell whether the right value of a step is below zero in some case."""
    right = (expected_value(step, case, given) for case, given in zip(marks.cases, marks.given, strict=True))
    return any(is_number(value) and float(value) < 0 for value in right)


def _entries(value: Any, expected: Sequence[Any]) -> str:
    """Say which entry of a list is the first that is wrong, and how."""
    with contextlib.suppress(Exception):  # a value so odd that it has no entries
        given = list(value)
        if len(given) != len(expected):
            return f"Expected {len(expected)} entries here, and there are {len(given)}."
        at = next(at for at, right in enumerate(expected) if not same(given[at], right))
        named = f"Entry {at + 1} of {len(given)} is {as_code(short(given[at]))}"
        if isinstance(expected[at], bool) or not is_number(expected[at]) or not is_number(given[at]):
            return f"{named}: that is the first that is not right."
        return f"{named}: too {'large' if given[at] > expected[at] else 'small'}."
    return f"Expected a list of {len(expected)} entries."


def _members(value: Any, expected: AbstractSet[Any]) -> str:
    """Say what a set has too much; what it lacks is not named."""
    given = names(value)
    if given is None:
        return "Expected a set."
    extra = given - {str(one) for one in expected}
    return f"{as_code(short(min(extra)))} does not belong in it." if extra else "Something is missing in it."


_NEAR_FACTOR = 0.02  # what rounding leaves; further off, a factor is chance
_FACTORS = {
    1e3: "about a thousand times: milliseconds against seconds, or one against a thousand?",
    1e6: "about a million times: check the units of the inputs.",
    60.0: "about sixty times: minutes against seconds?",
    3600.0: "about 3,600 times: hours against seconds, or a factor of 60 the wrong way round?",
    100.0: "about a hundred times: per cent against a fraction?",
}


def _factor(value: float, expected: float, *, below_zero: bool = False) -> str:
    if value <= 0 < expected and not below_zero:
        return "It has to be above zero."
    if min(value, expected) <= 0 <= max(value, expected):
        return "Too large." if value > expected else "Too small."
    side = "large" if abs(value) > abs(expected) else "small"
    less, more = sorted((abs(value), abs(expected)))
    off = more / less
    for factor, words in _FACTORS.items():
        if abs(off / factor - 1) < _NEAR_FACTOR:
            return f"Too {side} by {words}"
    return f"Too {side}, by more than a factor of ten." if off > 10 else f"Too {side}."


def _shape_problem(exercise: Exercise, value: Any) -> str:
    """Say in plain words what is wrong with the shape of an answer, or nothing."""
    if any(step.value(value) is not None for step in exercise.steps):
        return ""
    parts = dict.fromkeys(step.key for step in exercise.steps)
    return f"it returned {as_code(short(value))}; expected a dict with the keys {', '.join(map(as_code, parts))}."
