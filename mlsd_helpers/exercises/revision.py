"""Questions made of known mistakes: an exercise's input with new figures, the right value, and what mistakes give."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlsd_helpers.exercises.exercise import Case, Exercise, Given, Step, answer_of, feedback, mistake_name
from mlsd_helpers.exercises.running import run
from mlsd_helpers.exercises.values import same

OPTIONS = 4
"""The most values that a question offers."""

_TRIES = 30  # inputs to draw until the mistake shows
_LONGEST_INPUT = 500  # characters
_LONGEST_VALUE = 70
_APART = 0.02  # two numbers that differ by less look alike


@dataclass(frozen=True)
class Option:
    """A value to choose: `mistake` is the name of the mistake that gives it, None for the right one."""

    value: str
    mistake: str | None
    feedback: str


@dataclass(frozen=True)
class Revision:
    """A question on one step of an exercise, with one right option."""

    exercise: Exercise
    step: str
    case: Case
    options: tuple[Option, ...]

    def __str__(self) -> str:
        """Return the question with its numbered options."""
        given = "\n".join(f"  {name} = {_shown(value)}" for name, value in self.case.items())
        options = "\n".join(f"  {at}  {one.value}" for at, one in enumerate(self.options, 1))
        asked = f"What is `{self.step}`?" if self.step else "What is the answer?"
        return f"{self.exercise.title} ({self.exercise.id}). Given:\n{given}\n{asked}\n{options}"


def revise(exercise: Exercise, mistake: str, rng: random.Random) -> Revision | None:
    """Make a question in which a known mistake of an exercise gives another value than the right answer.

    None where the exercise has no such mistake, or no input that is short enough to be read shows it.
    """
    known = {mistake_name(one): one for one in exercise.mistakes}
    if mistake not in known:
        return None
    for case in _inputs(exercise, rng):
        right = run(exercise.reference, case).value
        for step, given in _steps(exercise, case, right):
            values: dict[str | None, Any] = {None: step.value(right)}
            for one in (known[mistake], *exercise.mistakes):
                value = step.value(run(answer_of(one), case).value)
                if len(values) < OPTIONS and _misleads(step, case, given, value, list(values.values())):
                    values.setdefault(mistake_name(one), value)
                elif len(values) == 1:  # the step does not show the mistake that is asked for
                    break
            if len(values) > 1:
                why = {name: feedback(one) for name, one in known.items()}
                options = [
                    Option(_shown(value), name, why.get(name or "", "")) for name, value in values.items()
                ]
                rng.shuffle(options)
                return Revision(exercise, step.key, case, tuple(options))
    return None


def _inputs(exercise: Exercise, rng: random.Random) -> Iterator[Case]:
    for _ in range(_TRIES):
        case = exercise.draw(rng) if exercise.draw else rng.choice(exercise.cases)
        if case and sum(len(_shown(value)) for value in case.values()) <= _LONGEST_INPUT:
            yield case


def _steps(exercise: Exercise, case: Case, right: Any) -> Iterator[tuple[Step, Given]]:
    """Yield the steps that apply to a case and have a value to show, each with the right earlier values."""
    given: dict[str, Any] = {}
    for step in exercise.steps:
        if step.applies(case) and 0 < len(_shown(step.value(right))) <= _LONGEST_VALUE:
            yield step, dict(given)
        given[step.name] = step.value(right)


def _misleads(step: Step, case: Case, given: Given, value: Any, others: list[Any]) -> bool:
    """Tell whether a value is wrong, can be read, and looks like none of the others."""
    if value is None or len(_shown(value)) > _LONGEST_VALUE or step.right(case, value, given):
        return False
    return not any(same(value, other, _APART) or _shown(value) == _shown(other) for other in others)


def _shown(value: Any, *, inside: bool = False) -> str:
    """Return a value as a reader writes it: numbers to four figures, collections in order."""
    if inside and isinstance(value, Mapping | list | tuple | set | frozenset):
        return f"({_shown(value)})"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return _joined(f"{name}: {_shown(one, inside=True)}" for name, one in value.items())
    if isinstance(value, set | frozenset | list | tuple):
        parts = [_shown(one, inside=True) for one in value]
        return _joined(parts if isinstance(value, list | tuple) else sorted(parts))
    return "none" if value is None else str(value)


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts) or "nothing"
