"""The one engine behind every exercise: run an answer, judge its steps, name the mistake.

An exercise is data. Its answer is a function that the learner writes, or a value; either way an answer has
*steps*, each with points of its own. A later step is judged on the learner's own earlier values, so that one
slip costs one step. Such a value has to be one that the step can work with: of the type that is expected, of a
possible size, and not the same in every case.

A known mistake is a function whose docstring is its feedback (or a `Wrong` value with its feedback). The same
object diagnoses a learner, proves the grader, and fills the synthetic class that grading is tested on.
"""

import contextlib
import copy
import io
import math
import random
import secrets
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from inspect import cleandoc
from itertools import chain, combinations, islice
from numbers import Real
from typing import Any

Case = Mapping[str, Any]
Given = Mapping[str, Any]
Answer = dict[str, Any]
"""The parts of an answer, by the keys of the steps that judge them."""

TIME_LIMIT_S = 5.0
"""How long an answer may take for one case; ours take milliseconds."""

FRESH_CASES = 8
"""How many cases a hidden check draws before it asks whether they tell all known mistakes apart."""

MOST_ENTRIES = 2_000
"""How many entries, with all that is in them, the part of an answer that a step judges may have; ours have 300."""

MOST_TEXT = 50_000
"""How many characters all texts in such a part may have together."""

_NOISE = 1e-9
_FURTHEST = (
    1e6  # how many times too large or too small a value may be that is handed on: units are mixed up by less
)
_MOST = 1e15  # of a number that is handed on beside an expected 0, or in a collection
_LONGEST_REASON = 800
MOST_FOR_A_CONSTANT = 0.25
"""The share of the points that an answer may have which is the same in every case."""

_SAME_EVERYWHERE = (
    "Your answer is the same in every case, and the right one is not. Work it out from what is given."
)
_TOO_LARGE = (
    "It is larger than any answer has to be, and was not judged: "
    f"keep it to {MOST_ENTRIES:,} entries and {MOST_TEXT:,} characters."
)
_CHECK_SHAPE = "Check what the exercise asks for."


# ---- what an exercise is --------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """A known mistake in an exercise whose answer is a value: the wrong value, and the belief behind it."""

    name: str
    value: Any
    feedback: str


@dataclass(frozen=True)
class Step:
    """One judgement that earns points of its own, on one part of an answer.

    `right(case, value, given)` judges the part. `given` holds a value for each earlier step that has an `expected`:
    the learner's own in plain Python, or the expected one where theirs is of another type or says nothing.
    `expected`, where there is one right value, lets a message say "too large" without saying by how much.
    `explain`, where there is none, says what is wrong with a value, by its consequence.
    `part` is the key of the answer that is judged, "" for the whole answer; by default the step's name.
    A step that does not apply to a case is not judged on it.
    """

    name: str
    points: float
    right: Callable[[Case, Any, Given], bool]
    expected: Callable[[Case, Given], Any] | None = None
    applies: Callable[[Case], bool] = lambda _case: True
    part: str | None = None
    explain: Callable[[Case, Any], str] | None = None

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

    `cases` are shown to the learner by the visible check; `draw` makes fresh ones for the hidden check.
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

    @property
    def points(self) -> float:
        """The most that the exercise can score."""
        return sum(step.points for step in self.steps)


def equals(
    name: str,
    points: float,
    expected: Callable[[Case, Given], Any],
    *,
    tolerance: float = _NOISE,
    applies: Callable[[Case], bool] = lambda _case: True,
    part: str | None = None,
) -> Step:
    """Make a step that has one right value, within a relative tolerance."""

    def right(case: Case, value: Any, given: Given) -> bool:
        return same(value, expected(case, given), tolerance)

    return Step(name, points, right, expected, applies, part)


def mistake_name(mistake: Any) -> str:
    """Return the stable name of a known mistake."""
    return mistake.name if isinstance(mistake, Wrong) else str(mistake.__name__)


def feedback(mistake: Any) -> str:
    """Return what a learner who makes this mistake is told."""
    return (
        mistake.feedback if isinstance(mistake, Wrong) else cleandoc(mistake.__doc__ or "").replace("\n", " ")
    )


def answer_of(mistake: Any) -> Any:
    """Return the mistake in the shape of an answer."""
    return mistake.value if isinstance(mistake, Wrong) else mistake


# ---- what a check says ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What a check found. It shows itself in a notebook; `grade()` hands its score to nbgrader."""

    exercise_id: str
    passed: bool
    score: float
    points: float
    message: str
    mistake: str | None = None
    attempted: bool = True
    fresh: bool = field(default=False, repr=False)

    @property
    def headline(self) -> str:
        """One line: the outcome in words, and the points."""
        if not self.attempted:
            word = "○ Not attempted"
        elif self.passed:
            word = "✓ Fresh cases passed" if self.fresh else "✓ Visible checks passed"
        else:
            word = "◐ Partly right" if self.score else "✗ Not yet"
        return f"{word} · {self.score:g} of {self.points:g} points"

    def __str__(self) -> str:
        """Return the headline and the message as plain text."""
        return f"{self.headline}\n{self.message}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = f"**{self.headline}**\n\n{_without_html(self.message)}"
        return {"text/plain": str(self), "text/markdown": shown}

    def grade(self) -> float:
        """Show the verdict and return its score, which nbgrader reads as the points of the cell."""
        from IPython.display import display  # noqa: PLC0415 - only a notebook needs it

        display(self)  # type: ignore[no-untyped-call]
        return float(self.score)


def _without_html(text: str) -> str:
    """Leave no tag outside what is quoted as code: a message may repeat what a learner gave."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)


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


# ---- running an answer ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What an answer gave for one case: a value, or the problem in plain words, or nothing at all."""

    value: Any = None
    problem: str = ""
    blank: bool = False
    endless: bool = False


def run(answer: Any, case: Case) -> Outcome:  # noqa: PLR0911 - one return an ending
    """Apply an answer to a case; whatever it does comes back as an outcome, never as an exception."""
    if answer is None or answer is Ellipsis:
        return Outcome(blank=True)
    try:
        value = _call_quietly(answer, case) if callable(answer) else answer
    except NotImplementedError:
        return Outcome(blank=True)
    except TooLongError:
        return Outcome(
            problem=f"it was still running after {TIME_LIMIT_S:g} s. Does its loop end?", endless=True
        )
    except StoppedError as stopped:
        return Outcome(problem=str(stopped), endless=True)
    except RecursionError:
        return Outcome(
            problem="it called itself without end (RecursionError). Is there a case where it stops?"
        )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a learner's code may raise anything
        return Outcome(problem=_raised(error))
    return Outcome(blank=True) if value is None or value is Ellipsis else Outcome(value)


def _raised(error: BaseException) -> str:
    message = f"it raised {_code(f'{type(error).__name__}: {_short(error)}')}."
    renamed = isinstance(error, TypeError) and "unexpected keyword argument" in message
    return f"{message} Keep the names of the parameters." if renamed else message


def _call_quietly(answer: Callable[..., Any], case: Case) -> Any:
    """Call on a copy of the case, so that nothing is changed under our feet, and with its printing put aside.

    nbgrader counts anything on stderr in a graded cell as a failure, a harmless warning too.
    An answer that `keeps_time` runs elsewhere, and raises TooLongError by itself.
    """
    with (
        contextlib.nullcontext() if getattr(answer, "keeps_time", False) else _time_limit(),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        return answer(**copy.deepcopy(dict(case)))


class TooLongError(BaseException):
    """An answer takes too long. Not an Exception, so that a learner's `except Exception` does not swallow it."""


class StoppedError(Exception):
    """The process in which an answer runs came to its end; the message says why, in words for the learner."""


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    """Stop an answer that does not end, where the system can: on POSIX, in the main thread."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _shape_problem(exercise: Exercise, value: Any) -> str:
    """Say in plain words what is wrong with the shape of an answer, or nothing."""
    if any(step.value(value) is not None for step in exercise.steps):
        return ""
    parts = dict.fromkeys(step.key for step in exercise.steps)
    return (
        f"it returned {_code(_short(value))}; expected a dict with the keys {', '.join(map(_code, parts))}."
    )


# ---- what a value is ------------------------------------------------------------------------------


def same(value: Any, expected: Any, tolerance: float = _NOISE) -> bool:  # noqa: PLR0911 - one return a type
    """Tell whether a learner's value is the expected one: numbers within a tolerance, text without case."""
    if isinstance(expected, bool):
        return _is_bool(value) and bool(value) == expected
    if isinstance(expected, Real):
        return is_number(value) and math.isclose(
            float(value), float(expected), rel_tol=tolerance, abs_tol=_NOISE
        )
    if isinstance(expected, str):
        return isinstance(value, str) and value.strip().casefold() == expected.casefold()
    if isinstance(expected, set | frozenset):
        return _is_collection(value) and {str(item) for item in value} == {str(item) for item in expected}
    if isinstance(expected, Mapping):
        return isinstance(value, Mapping) and all(
            same(value.get(k), v, tolerance) for k, v in expected.items()
        )
    if isinstance(expected, Sequence):
        return _is_collection(value) and len(value) == len(expected) and all(map(same, value, expected))
    return bool(value == expected)


def is_number(value: Any) -> bool:
    """Tell whether a value is one finite number; numpy's scalars and 0-d arrays are, booleans are not."""
    if _is_bool(value) or isinstance(value, str | bytes) or getattr(value, "ndim", 0) != 0:
        return False
    try:
        return math.isfinite(float(value))
    except Exception:  # noqa: BLE001 - a learner's object may raise anything
        return False


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in {"bool_", "bool"}


def _is_collection(value: Any) -> bool:
    return isinstance(value, Iterable) and hasattr(value, "__len__") and not isinstance(value, str | bytes)


def names(value: Any) -> set[str] | None:
    """Return the names in a collection as text, or None where the value is no collection of single things."""
    return {str(one) for one in value} if _is_collection(value) and not isinstance(value, Mapping) else None


def fits(value: Any) -> bool:
    """Tell whether a value is small enough to be judged, all that is in it counted."""
    entries, text, left = MOST_ENTRIES, MOST_TEXT, [value]
    try:
        while left and entries >= 0 and text >= 0:
            one = left.pop()
            if isinstance(one, str | bytes):
                text -= len(one)
            elif type(one) not in _SINGLE:
                inside = list(islice(_inside(one), MOST_ENTRIES + 1))
                entries -= max(len(inside), _size(one))
                left += inside
    except Exception:  # noqa: BLE001 - a learner's object may raise anything; the steps will see
        return True
    return entries >= 0 and text >= 0


_SINGLE = {int, float, bool, type(None)}


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | Mapping):
        return chain(value.keys(), value.values())
    if hasattr(type(value), "model_fields"):  # a part of a design
        return iter(vars(value).values())
    return iter(value if _is_collection(value) else ())


def _size(value: Any) -> int:
    """Return how many values a table or an array holds; to iterate over a table gives its columns' names alone."""
    size = getattr(value, "size", 0) if hasattr(value, "ndim") else 0
    return size if isinstance(size, int) else 0


def _like(value: Any, expected: Any) -> Any | None:
    """Return a number or a collection as plain Python where a step can work with it as with the expected one.

    Otherwise return None, also for a word or a truth value: a later step is judged on the expected one.
    """
    try:
        return _in_plain(value, expected)
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is looked at
        return None


def _in_plain(value: Any, expected: Any) -> Any | None:
    if not isinstance(expected, bool) and isinstance(expected, Real):
        return _possible(value, abs(float(expected)))
    if not isinstance(expected, set | frozenset | list | tuple) or not _is_collection(value):
        return None
    first = next(iter(expected), "")
    items = [str(one) if isinstance(first, str) and isinstance(one, str) else _number(one) for one in value]
    if None in items or (any(expected) and not any(items)):
        return None
    return set(items) if isinstance(expected, set | frozenset) else items


def _possible(value: Any, expected: float) -> float | None:
    """Return a number that is not absurd beside the expected one; a difference may well be 0 in a single case."""
    number = _number(value)
    if number and expected and not expected / _FURTHEST <= abs(number) <= expected * _FURTHEST:
        return None
    return number


def _number(value: Any) -> float | None:
    """Return a number, or a truth value as one, where it is finite and no step can make it infinite."""
    number = float(value) if _is_bool(value) or is_number(value) else math.inf
    return number if abs(number) < _MOST else None


# ---- judging --------------------------------------------------------------------------------------


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
            right[at][step.name] = _judge_step(step, cases[at], parts[at][step.name], given[at])
        if step.expected is not None and step is not exercise.steps[-1]:
            own = [_expected(step, cases[at], given[at]) for at in rows]
            theirs = [parts[at][step.name] for at in rows]
            for at, value in zip(rows, _handed_on(theirs, own), strict=True):
                given[at][step.name] = value
    return Marks(tuple(cases), tuple(outcomes), tuple(parts), tuple(right), tuple(given))


def _parts(exercise: Exercise, answer: Any) -> dict[str, Any]:
    """Return the part that each step judges, None where it is missing or too large to be judged."""
    found = {step.name: step.value(answer) for step in exercise.steps}
    fit = {key: fits(found[step.name]) for step in exercise.steps for key in [step.key]}
    return {step.name: found[step.name] if fit[step.key] else None for step in exercise.steps}


def _handed_on(theirs: Sequence[Any], expected: Sequence[Any]) -> list[Any]:
    """Return what later steps are judged on, case by case: the learner's own value where it says something."""
    values = list(map(_like, theirs, expected))
    if _all_same([value for value in values if value is not None]) and not _all_same(expected):
        return list(expected)
    return [own if value is None else value for value, own in zip(values, expected, strict=True)]


def _all_same(values: Sequence[Any]) -> bool:
    try:
        return all(value is values[0] or same(value, values[0]) for value in values[1:])
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is compared
        return False


def _judge_step(step: Step, case: Case, value: Any, given: Given) -> bool:
    if value is None:
        return False  # also where the answer raised or was left blank
    try:
        return bool(step.right(case, value, given))
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is compared
        return False


def _expected(step: Step, case: Case, given: Given) -> Any:
    if step.expected is None:
        return None
    try:
        return step.expected(case, given)
    except Exception:  # noqa: BLE001 - what follows from an absurd earlier value has no expected value
        return None


# ---- naming the mistake ---------------------------------------------------------------------------


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
    def passed(self) -> list[tuple[bool, ...]]:
        """Which steps each known mistake passes."""
        return [tuple(map(marks.step_passed, self.exercise.steps)) for marks in self.known]


# ---- the check ------------------------------------------------------------------------------------


def judge(
    exercise: Exercise,
    answer: Any,
    *,
    fresh: bool = False,
    seed: int | None = None,
    case_set: CaseSet | None = None,
) -> Verdict:
    """Judge an answer on the fixed cases, or on fresh ones: those of `case_set`, or drawn from `seed` (a new one).

    nbgrader keeps the score of the fresh ones; a learner sees the verdict on the fixed ones.
    """
    if case_set is None and fresh:
        case_set = CaseSet.fresh(exercise, secrets.randbits(32) if seed is None else seed)
    marks = mark(exercise, answer, exercise.cases if case_set is None else case_set.cases)
    if all(outcome.blank for outcome in marks.outcomes):
        return _verdict(
            exercise, 0, "Write your answer in the cell above, then run the check again.", fresh, blank=True
        )
    score = sum(step.points for step in exercise.steps if marks.step_passed(step))
    most = exercise.points * MOST_FOR_A_CONSTANT
    if score > most and _ignores_its_case(exercise, marks):
        return _verdict(exercise, most, _SAME_EVERYWHERE, fresh)
    if score == exercise.points:
        return _verdict(exercise, score, _praise(fresh), fresh)
    known = (case_set or CaseSet.of(exercise, exercise.cases)).diagnose(marks)
    message = _explain(exercise, marks, known)
    return _verdict(exercise, score, message, fresh, mistake=None if known is None else mistake_name(known))


def _ignores_its_case(exercise: Exercise, marks: Marks) -> bool:
    """Tell whether an answer is the same in every case, though the right one is not."""
    keys = {step.key: step for step in exercise.steps}.values()
    given = [one for one, outcome in zip(marks.parts, marks.outcomes, strict=True) if not outcome.problem]
    if len(given) < 2 or not all(_all_same([parts[step.name] for parts in given]) for step in keys):
        return False
    right = [run(exercise.reference, case).value for case in marks.cases]
    return not all(_all_same([step.value(value) for value in right]) for step in keys)


def _verdict(
    exercise: Exercise,
    score: float,
    message: str,
    fresh: bool,
    *,
    mistake: str | None = None,
    blank: bool = False,
) -> Verdict:
    passed = score == exercise.points
    return Verdict(exercise.id, passed, score, exercise.points, message, mistake, not blank, fresh)


def _praise(fresh: bool) -> str:
    if fresh:
        return "Your answer is right on cases that it had not seen."
    return "Your answer is right on the cases shown here. Grading tries it on others."


def _explain(exercise: Exercise, marks: Marks, known: Any | None) -> str:
    step = next(step for step in exercise.steps if not marks.step_passed(step))
    at = _smallest_failure(step, marks)
    case = marks.cases[at]
    where = f"With {_code(_show_case(case))}: " if case else ""
    return f"{where}{_what_is_wrong(exercise, step, marks, at, known)}{_whole_case(exercise, case)}"


def _whole_case(exercise: Exercise, case: Case) -> str:
    """Say how to see a case that is one of those shown and was cut for the message."""
    at = next((at for at, shown in enumerate(exercise.cases) if shown is case), None)
    if at is None or "…" not in _show_case(case):
        return ""
    return f" The whole case: `mlsd.exercises.inputs({exercise.id!r})[{at}]`."


def _what_is_wrong(exercise: Exercise, step: Step, marks: Marks, at: int, known: Any | None) -> str:
    outcome = marks.outcomes[at]
    if outcome.blank:
        return "this part is not written yet."
    if outcome.problem:
        return outcome.problem
    shape = _shape_problem(exercise, outcome.value)
    if shape:
        return f"{shape} {_CHECK_SHAPE}"
    value = step.value(outcome.value)
    why = feedback(known) if known is not None else _direction(exercise, step, marks, at)
    return f"{_what_it_is(step.key, value)} {_cut(why, _LONGEST_REASON)}"


def _what_it_is(part: str, value: Any) -> str:
    """Show a wrong value, unless it is too long: cut, it would seldom show what is wrong in it."""
    shown = _short(value)
    if shown.endswith("…"):
        return f"{_code(part) if part else 'your answer'} is not right yet."
    return f"your answer is {_code(f'{part} = {shown}' if part else shown)}."


def _smallest_failure(step: Step, marks: Marks) -> int:
    """Return the place of the smallest case on which a step is wrong."""
    failed = [at for at, right in enumerate(marks.right) if not right.get(step.name, True)]
    return min(failed, key=lambda at: len(_show_case(marks.cases[at])))


def _direction(exercise: Exercise, step: Step, marks: Marks, at: int) -> str:
    """Say how a wrong value is wrong, without saying what is right."""
    case, value = marks.cases[at], marks.parts[at][step.name]
    if value is None:
        missing = step.value(marks.outcomes[at].value) is None
        return "This part is missing." if missing else _TOO_LARGE
    expected = _expected(step, case, marks.given[at])
    if step.explain is not None:
        with contextlib.suppress(Exception):  # a value so odd that nothing can be said of it
            return step.explain(case, value)
        return _CHECK_SHAPE
    if type(expected) not in {int, float, Fraction}:
        return f"That is not what the design needs here. Ask for a hint: `mlsd.hint({exercise.id!r})`."
    if not is_number(value):
        return f"Expected one finite number. {_CHECK_SHAPE}"
    return _factor(float(value), float(expected))


_FACTORS = {
    1e3: "about a thousand times: milliseconds against seconds, or one against a thousand?",
    1e6: "about a million times: check the units of both inputs.",
    60.0: "about sixty times: minutes against seconds?",
    3600.0: "about 3,600 times: hours against seconds, or a factor of 60 the wrong way round?",
    100.0: "about a hundred times: per cent against a fraction?",
}


def _factor(value: float, expected: float) -> str:
    if value <= 0 < expected:
        return "It has to be above zero."
    if min(value, expected) <= 0 <= max(value, expected):
        return "Too large." if value > expected else "Too small."
    side = "large" if abs(value) > abs(expected) else "small"
    less, more = sorted((abs(value), abs(expected)))
    off = more / less
    for factor, words in _FACTORS.items():
        if abs(off / factor - 1) < 0.1:
            return f"Too {side} by {words}"
    return f"Too {side}, by more than a factor of ten." if off > 10 else f"Too {side}."


def _show_case(case: Case) -> str:
    """Show the inputs of a case by the names of the parameters, a dict of inputs entry by entry."""
    return ", ".join(f"{name} = {_show_input(value)}" for name, value in case.items())


def _show_input(value: Any) -> str:
    if not isinstance(value, Mapping):
        return _short(value)
    return f"{{{', '.join(f'{key!r}: {_short(entry)}' for key, entry in value.items())}}}"


def quoted(value: Any) -> str:
    """Show something of a learner's in a message: short, and as code."""
    return _code(_short(value))


def _code(text: str) -> str:
    """Quote as code, so that nothing in a learner's value is taken for Markdown or HTML."""
    return f"`{text.replace('`', chr(39))}`"


def _short(value: Any, most: int = 120) -> str:
    """Show a value in few characters; a value may have a broken repr, and one that is too large is only named."""
    if not fits(value):
        return f"a {type(value).__name__} that is too large to be shown"
    try:
        text = (
            f"{value:.6g}"
            if isinstance(value, float)
            else repr(value)
            if isinstance(value, str)
            else "{" + ", ".join(sorted(map(repr, value))) + "}"  # the same each time
            if isinstance(value, set | frozenset) and value
            else str(value)
        )
    except Exception as error:  # noqa: BLE001 - a learner's object may do anything
        text = f"a {type(value).__name__} that cannot be shown ({type(error).__name__})"
    return _cut(" ".join(text.split()), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
