"""Name the mistakes behind a wrong answer, on the cases that it was judged on.

A known mistake is wrong in certain places: in a step of a case, and there in certain entries of a set, a list or a
mapping. An answer that is wrong in all these places, in the same way, rests on the same belief, whatever else is wrong
in it.
"""

import random
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from mlsd_helpers.exercises.exercise import (
    Case,
    Exercise,
    Given,
    Slip,
    Step,
    Stratum,
    answer_of,
    mistake_name,
)
from mlsd_helpers.exercises.marking import Marks, expected_value, judge_step, mark
from mlsd_helpers.exercises.running import run
from mlsd_helpers.exercises.values import names, same, show_case

FRESH_CASES = 8
"""How many cases a hidden check draws beside those of the strata."""

EACH_STRATUM = 2
"""How many cases a hidden check draws of each stratum."""

MOST_NAMED = 2
"""The most mistakes that are named in one answer."""

_LEAST_EXPLAINED = 2 / 3  # of what is wrong in the steps that the named mistakes touch
_MOST_DRAWS = 3_000  # until a case of a stratum comes; a stratum that needs more draws its own
_ALIKE = 1e-6  # the relative difference of two numbers that are the same mistake

Place = tuple[int, str, Hashable]
"""Where an answer is wrong: the case's number, the step's name, and the entry, "" for the whole value."""


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
        """Return the visible cases, some of each stratum, and some that are drawn as they come.

        An exercise without `draw` has only its visible cases.
        """
        rng = random.Random(seed)  # noqa: S311 - cases, not secrets
        cases = list(exercise.cases)
        for stratum in exercise.strata:
            cases += [_draw(exercise, stratum, rng) for _ in range(EACH_STRATUM)]
        if exercise.draw is not None:
            cases += [exercise.draw(rng) for _ in range(FRESH_CASES)]
        return cls.of(exercise, cases)

    def diagnose(self, marks: Marks) -> tuple[Any, ...]:
        """Return the known mistakes that an answer makes, in the order of the steps that they touch.

        Nothing is named where two explain the same, or where much is left that none explains.
        """
        wrong = self._wrong(marks)
        fitting = [
            (mistake, explained)
            for mistake, theirs in zip(self.exercise.mistakes, self.known, strict=True)
            if (explained := self._explained(mistake, theirs, marks, wrong))
        ]
        named: list[Any] = []
        done: set[Place] = set()
        while fitting and len(named) < MOST_NAMED:
            most = max(len(explained - done) for _, explained in fitting)
            best = [one for one in fitting if len(one[1] - done) == most]
            if not most or any(one[1] - done == best[0][1] - done for one in best[1:]):
                break
            named.append(best[0][0])
            done |= best[0][1]
        steps = {step for _, step, _ in done}
        touched = [place for place in wrong if place[1] in steps]
        if len(done) < _LEAST_EXPLAINED * len(touched):
            return ()
        order = [step.name for step in self.exercise.steps]
        return tuple(sorted(named, key=lambda one: min(map(order.index, self.touched(one)))))

    def touched(self, mistake: Any) -> set[str]:
        """Return the names of the steps in which a known mistake is wrong."""
        theirs = self.known[self.exercise.mistakes.index(mistake)]
        return {step.name for step in self.exercise.steps if not theirs.step_passed(step)}

    def _explained(
        self, mistake: Any, theirs: Marks, marks: Marks, wrong: Mapping[Place, Any]
    ) -> frozenset[Place]:
        """Return where an answer is wrong as a mistake is; nothing where it does not make this mistake."""
        places = {
            (at, step.name, key): value
            for step in self.exercise.steps
            for at in range(len(self.cases))
            for key, value in self._made_of(mistake, step, at, theirs, marks).items()
        }
        if not all(place in wrong and _alike(wrong[place], value) for place, value in places.items()):
            return frozenset()
        steps = {step for _, step, _ in places}
        alone = all(place in places for place in wrong if place[1] in steps)
        if not alone and any(_constant(marks, step) for step in steps):
            return frozenset()  # nothing or everything is no belief that is wrong in a part of it
        return frozenset(places) if alone or len(places) > 1 else frozenset()

    def _made_of(
        self, mistake: Any, step: Step, at: int, theirs: Marks, marks: Marks
    ) -> Mapping[Hashable, Any]:
        """Return where a mistake would be wrong in a step after the answer's own earlier values, and what it gives.

        Nothing is known of that where these make another value right, and the mistake is no slip.
        """
        if step.name not in marks.right[at]:
            return {}
        case, given = self.cases[at], marks.given[at]
        right = expected_value(step, case, given)
        if isinstance(mistake, Slip) and step.name in mistake.values:
            made = _slipped(mistake.values[step.name], case, given)
            return {} if made is None or judge_step(step, case, made, given) else _differences(made, right)
        if theirs.right[at][step.name]:
            return {}
        unchanged = (
            theirs.given[at] == given
            if step.expected is None
            else _alike(expected_value(step, case, theirs.given[at]), right)
        )
        return self._shown(step, at, theirs) if unchanged else {}

    def _wrong(self, marks: Marks) -> dict[Place, Any]:
        """Return where an answer is wrong, and what it gives there."""
        return {
            (at, step.name, key): value
            for step in self.exercise.steps
            for at, right in enumerate(marks.right)
            if right.get(step.name) is False
            for key, value in self._shown(step, at, marks).items()
        }

    def _shown(self, step: Step, at: int, marks: Marks) -> Mapping[Hashable, Any]:
        value = marks.parts[at][step.name]
        if step.shows is not None:
            return dict.fromkeys(_faults(step, self.cases[at], value), True)
        if step.expected is not None:
            return _differences(value, expected_value(step, self.cases[at], marks.given[at]))
        return _differences(value, step.value(self._reference[at]), ordered=False)

    @cached_property
    def _reference(self) -> list[Any]:
        """What the course's own answer is in each case."""
        return [run(self.exercise.reference, case).value for case in self.cases]

    def undistinguished(self) -> list[str]:
        """List what the cases fail to tell apart: a mistake from the right answer, or two mistakes."""
        known = [mistake_name(mistake) for mistake in self.exercise.mistakes]
        weak = [name for name, passed in zip(known, self.passed, strict=True) if all(passed)]
        for (name, one), (other_name, other) in combinations(zip(known, self.known, strict=True), 2):
            if all(_gave_the_same(step, one, other) for step in self.exercise.steps):
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


def _draw(exercise: Exercise, stratum: Stratum, rng: random.Random) -> Case:
    draw = stratum.draw or exercise.draw
    for _ in range(_MOST_DRAWS if draw else 0):
        case = draw(rng)  # type: ignore[misc] # None draws nothing
        if stratum.holds(case):
            return case
    raise AssertionError(f"{exercise.id}: nothing that is drawn is a case of {stratum.says!r}.")


def _slipped(slip: Callable[[Case, Given], Any], case: Case, given: Given) -> Any:
    try:
        return slip(case, given)
    except Exception:  # noqa: BLE001 - absurd earlier values
        return None


def _faults(step: Step, case: Case, value: Any) -> Collection[str]:
    try:
        return step.shows(case, value) if step.shows else ()
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is looked at
        return ()


def _differences(value: Any, right: Any, *, ordered: bool = True) -> Mapping[Hashable, Any]:
    """Return the entries in which a value differs from the right one, or the whole value.

    Lists are compared entry by entry where they are `ordered`: where one order is right.
    """
    try:
        return dict(_entries(value, right, ordered=ordered)) or {"": value}
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is compared
        return {"": None}


def _entries(value: Any, right: Any, *, ordered: bool) -> Iterator[tuple[Hashable, Any]]:
    if isinstance(right, AbstractSet):
        given = names(value)
        if given is not None:
            yield from ((name, True) for name in given ^ {str(one) for one in right})
    elif isinstance(right, Mapping):
        if isinstance(value, Mapping):
            yield from ((key, value.get(key)) for key in right if not _alike(value.get(key), right[key]))
    elif ordered and isinstance(right, list | tuple) and len(value) == len(right):
        pairs = enumerate(zip(value, right, strict=True))
        yield from ((at, one) for at, (one, other) in pairs if not _alike(one, other))


def _gave_the_same(step: Step, one: Marks, other: Marks) -> bool:
    """Tell whether two answers gave the same for a step on every case where it applies."""
    rows = zip(one.right, one.parts, other.parts, strict=True)
    pairs = [(a[step.name], b[step.name]) for right, a, b in rows if step.name in right]
    return all(a is not None and _alike(a, b) for a, b in pairs)


def _constant(marks: Marks, step: str) -> bool:
    """Tell whether an answer gives the same for a step in all of several cases; a design may well."""
    first, *others = [
        parts[step] for right, parts in zip(marks.right, marks.parts, strict=True) if step in right
    ]
    return bool(others) and not isinstance(first, Mapping) and all(_alike(first, other) for other in others)


def _alike(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    try:
        return same(one, other, _ALIKE)
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is compared
        return False
