"""Name the mistake behind a wrong answer, on cases that tell the known mistakes apart."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from mlsd_helpers.exercises.exercise import Case, Exercise, Step, answer_of, mistake_name
from mlsd_helpers.exercises.marking import Marks, mark
from mlsd_helpers.exercises.values import same, show_case

FRESH_CASES = 8
"""How many cases a hidden check draws before it asks whether they tell all known mistakes apart."""


def _alike(step: Step, one: Marks, other: Marks) -> bool:
    """Tell whether two answers gave the same for a step on every case where it applies."""
    rows = zip(one.right, one.parts, other.parts, strict=True)
    pairs = [(a[step.name], b[step.name]) for right, a, b in rows if step.name in right]
    try:
        return all(a is not None and b is not None and same(a, b, 1e-6) for a, b in pairs)
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is compared
        return False


@dataclass(frozen=True)
class CaseSet:
    """The cases that an answer is judged on, with what each known mistake gives on them.

    To make one costs more than to judge one answer; who judges many keeps it.
    """

    exercise: Exercise
    cases: tuple[Case, ...]
    known: tuple[Marks, ...]

    @classmethod
    def of(cls, exercise: Exercise, cases: Sequence[Case]) -> "CaseSet":
        """Run every known mistake on the cases."""
        known = tuple(mark(exercise, answer_of(mistake), cases) for mistake in exercise.mistakes)
        return cls(exercise, tuple(cases), known)

    @classmethod
    def fresh(cls, exercise: Exercise, seed: int) -> "CaseSet":
        """Draw cases until they tell all known mistakes apart, each failing the steps it fails on the fixed ones.

        An exercise without `draw` has only its fixed cases.
        """
        shown = cls.of(exercise, exercise.cases)
        if exercise.draw is None:
            return shown
        rng = random.Random(seed)  # noqa: S311 - cases, not secrets
        cases: list[Case] = []
        for size in (FRESH_CASES * 2**doubling for doubling in range(6)):
            cases += [exercise.draw(rng) for _ in range(size - len(cases))]
            case_set = cls.of(exercise, cases)
            if case_set.passed == shown.passed and not case_set.undistinguished():
                return case_set
        unlike = [
            mistake_name(one)
            for one, now, then in zip(exercise.mistakes, case_set.passed, shown.passed, strict=True)
            if now != then
        ]
        raise AssertionError(
            f"{exercise.id}: {len(cases)} fresh cases do not tell its known mistakes apart: "
            f"{', '.join([*case_set.undistinguished(), *unlike])}."
        )

    def diagnose(self, marks: Marks) -> Any | None:
        """Return the known mistake behind the first step that is wrong, or None."""
        failed = [step for step in self.exercise.steps if not marks.step_passed(step)]
        best, most_alike = None, 0
        for mistake, theirs in zip(self.exercise.mistakes, self.known, strict=True):
            if not failed or theirs.step_passed(failed[0]) or not _alike(failed[0], marks, theirs):
                continue
            alike = sum(_alike(step, marks, theirs) for step in self.exercise.steps)
            if alike > most_alike:
                best, most_alike = mistake, alike
        return best

    def undistinguished(self) -> list[str]:
        """List what the cases fail to tell apart: a mistake from the right answer, or two mistakes."""
        names = [mistake_name(mistake) for mistake in self.exercise.mistakes]
        weak = [name for name, passed in zip(names, self.passed, strict=True) if all(passed)]
        for (name, one), (other_name, other) in combinations(zip(names, self.known, strict=True), 2):
            if all(_alike(step, one, other) for step in self.exercise.steps):
                weak.append(f"{name} = {other_name}")
        return weak

    @cached_property
    def shown(self) -> list[str]:
        """Each case as a message shows it."""
        return list(map(show_case, self.cases))

    @cached_property
    def passed(self) -> list[tuple[bool, ...]]:
        """Which steps each known mistake passes."""
        return [tuple(map(marks.step_passed, self.exercise.steps)) for marks in self.known]
