"""Judge each step of an answer on each case, and hand the learner's own values on to later steps.

A value is handed on where the later step can work with it: it has the type that is expected, a possible size, and is
not the same in every case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlsd_helpers.exercises.exercise import Case, Exercise, Given, Step
from mlsd_helpers.exercises.running import Outcome, run
from mlsd_helpers.exercises.values import all_same, as_plain, fits


@dataclass(frozen=True)
class Marks:
    """An answer's outcome on every case, the part that each step judges, which are right, and what was handed on."""

    cases: tuple[Case, ...]
    outcomes: tuple[Outcome, ...]
    parts: tuple[Mapping[str, Any], ...]
    right: tuple[Mapping[str, bool], ...]
    given: tuple[Given, ...]

    def step_passed(self, step: Step) -> bool:
        """Tell whether a step is right wherever it applies; one that never applies earns nothing."""
        rows = [right[step.name] for right in self.right if step.name in right]
        return bool(rows) and all(rows)


def mark(exercise: Exercise, answer: Any, cases: Sequence[Case]) -> Marks:
    """Run an answer on cases and judge each step on each."""
    outcomes: list[Outcome] = []
    for case in cases:
        endless = outcomes and outcomes[-1].endless  # once is enough to wait for
        outcomes.append(outcomes[-1] if endless else run(answer, case))
    parts = [_parts(exercise, outcome.value) for outcome in outcomes]
    right: list[dict[str, bool]] = [{} for _ in cases]
    given: list[dict[str, Any]] = [{} for _ in cases]
    for step in exercise.steps:
        rows = [at for at, case in enumerate(cases) if step.applies(case)]
        for at in rows:
            right[at][step.name] = judge_step(step, cases[at], parts[at][step.name], given[at])
        if step.expected is not None and step is not exercise.steps[-1]:
            own = [expected_value(step, cases[at], given[at]) for at in rows]
            theirs = [parts[at][step.name] for at in rows]
            for at, value in zip(rows, _handed_on(theirs, own), strict=True):
                given[at][step.name] = value
    return Marks(tuple(cases), tuple(outcomes), tuple(parts), tuple(right), tuple(given))


def _parts(exercise: Exercise, answer: Any) -> dict[str, Any]:
    """Return the part that each step judges, None where it is missing or too large to be judged."""
    found = {step.key: step.value(answer) for step in exercise.steps}
    fitting = {key: value if fits(value) else None for key, value in found.items()}
    return {step.name: fitting[step.key] for step in exercise.steps}


def _handed_on(theirs: Sequence[Any], expected: Sequence[Any]) -> list[Any]:
    """Return what later steps are judged on, case by case: the learner's own value where it says something."""
    values = list(map(as_plain, theirs, expected))
    if all_same([value for value in values if value is not None]) and not all_same(expected):
        return list(expected)
    return [own if value is None else value for value, own in zip(values, expected, strict=True)]


def judge_step(step: Step, case: Case, value: Any, given: Given) -> bool:
    """Tell whether a value is right for a step of a case, after these earlier values."""
    if value is None:
        return False  # also where the answer raised or was left blank
    try:
        return bool(step.right(case, value, given))
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is compared
        return False


def expected_value(step: Step, case: Case, given: Given) -> Any:
    """Return the one right value of a step for a case, or None where there is none."""
    if step.expected is None:
        return None
    try:
        return step.expected(case, given)
    except Exception:  # noqa: BLE001 - what follows from an absurd earlier value has no expected value
        return None
