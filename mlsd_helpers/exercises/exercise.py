"""What an exercise is: plain data, with the steps that judge an answer and the wrong answers that have a name.

An answer is a function that the learner writes, or a value. It has *steps*, each with points of its own. A later
step is judged on the learner's own earlier values, so that one slip costs one step.

A known mistake is a function whose docstring is its feedback (also in a `Slip`), or a `Wrong` value with its feedback.
The same object diagnoses a learner, proves the grader, and fills the synthetic class that grading is tested on.
"""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from mlsd_helpers.exercises.values import NOISE, same

Case = Mapping[str, Any]
"""The inputs of one call, by the names of the parameters."""

Given = Mapping[str, Any]
"""A value for each earlier step of the same case, by the step's name."""

Answer = dict[str, Any]
"""The parts of an answer, by the keys of the steps that judge them."""


@dataclass(frozen=True)
class Wrong:
    """A known mistake in an exercise whose answer is a value: the wrong value, and the belief behind it."""

    name: str
    value: Any
    feedback: str


@dataclass(frozen=True)
class Slip:
    """A known mistake in steps that build on earlier ones.

    `answer` is the mistake as a function. `values` has what it makes of a learner's own earlier values, for each step
    that it touches, so that it is known again behind another mistake in one of those.
    """

    answer: Callable[..., Any]
    values: Mapping[str, Callable[[Case, Given], Any]]


@dataclass(frozen=True)
class Stratum:
    """A kind of case that the statement speaks of, such as a boundary, a topic or a fault.

    `says` is what the statement says of it, word for word. `holds` tells whether a case is of this kind; every set of
    fresh cases has some of them. `draw` draws one, where the exercise's own `draw` seldom does.
    """

    says: str
    holds: Callable[[Case], bool]
    draw: Callable[[random.Random], Case] | None = None


@dataclass(frozen=True)
class Step:
    """One judgement that earns points of its own, on one part of an answer.

    `right(case, value, given)` judges the part. `given` holds a value for each earlier step that has an `expected`:
    the learner's own in plain Python, or the expected one where theirs is of another type or says nothing.
    `expected`, where there is one right value, lets a message say "too large" without saying by how much.
    `explain`, where there is none, says what is wrong with a value, by its consequence.
    `part` is the key of the answer that is judged, "" for the whole answer; by default the step's name.
    `shows` says what is wrong with a value, one text for each fault, where a value is too large to be compared as a
    whole: known mistakes are found by these.
    A step that does not apply to a case is not judged on it. Where a `gate` is wrong, the answer earns nothing.
    """

    name: str
    points: float
    right: Callable[[Case, Any, Given], bool]
    expected: Callable[[Case, Given], Any] | None = None
    applies: Callable[[Case], bool] = lambda _case: True
    part: str | None = None
    explain: Callable[[Case, Any], str] | None = None
    shows: Callable[[Case, Any], Collection[str]] | None = None
    gate: bool = False

    @property
    def key(self) -> str:
        """The key of the answer that is judged, "" for the whole answer."""
        return self.name if self.part is None else self.part

    def value(self, answer: Any) -> Any:
        """Return the part of an answer that this step judges, or None where it is missing."""
        if not self.key:
            return answer
        return answer.get(self.key) if isinstance(answer, Mapping) else getattr(answer, self.key, None)


@dataclass(frozen=True)
class Exercise:
    """What is asked, what is right, and which wrong answers have a name.

    `cases` are shown to the learner by the visible check; `draw` makes fresh ones for the hidden check, and each of
    `strata` is among them. `general` is what the statement says of every case, or of none: sentences of it, or their
    beginnings.
    """

    id: str
    assignment: str
    title: str
    kind: str
    outcome: str
    minutes: int
    steps: tuple[Step, ...]
    cases: tuple[Case, ...]
    reference: Any
    alternatives: tuple[Any, ...]
    mistakes: tuple[Any, ...]
    hints: tuple[str, ...]
    draw: Callable[[random.Random], Case] | None = None
    strata: tuple[Stratum, ...] = ()
    general: tuple[str, ...] = ()

    def __dir__(self) -> list[str]:
        """List what an exercise asks, so that completion shows no answer."""
        return ["assignment", "cases", "hints", "id", "kind", "minutes", "outcome", "points", "title"]

    @property
    def points(self) -> float:
        """The most that the exercise can score."""
        return sum(step.points for step in self.steps)


def equals(
    name: str,
    points: float,
    expected: Callable[[Case, Given], Any],
    *,
    tolerance: float = NOISE,
    applies: Callable[[Case], bool] = lambda _case: True,
    part: str | None = None,
) -> Step:
    """Make a step that has one right value, within a relative tolerance."""

    def right(case: Case, value: Any, given: Given) -> bool:
        return same(value, expected(case, given), tolerance)

    return Step(name, points, right, expected, applies, part)


def mistake_name(mistake: Any) -> str:
    """Return the stable name of a known mistake."""
    return mistake.name if isinstance(mistake, Wrong) else str(answer_of(mistake).__name__)


def feedback(mistake: Any) -> str:
    """Return what a learner who makes this mistake is told."""
    if isinstance(mistake, Wrong):
        return mistake.feedback
    return cleandoc(answer_of(mistake).__doc__ or "").replace("\n", " ")


def answer_of(mistake: Any) -> Any:
    """Return the mistake in the shape of an answer."""
    if isinstance(mistake, Wrong):
        return mistake.value
    return mistake.answer if isinstance(mistake, Slip) else mistake


@dataclass(frozen=True)
class Hint:
    """One rung of an exercise's ladder of hints."""

    text: str
    rung: int
    of: int

    def __str__(self) -> str:
        """Return the hint as plain text."""
        return f"Hint {self.rung} of {self.of}: {self.text}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/markdown": f"**Hint {self.rung} of {self.of}.** {self.text}"}
