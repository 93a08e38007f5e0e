"""Judge an answer: the verdict that a learner sees, and the score that nbgrader keeps."""

import re
import secrets
import sys
from dataclasses import dataclass, field, replace
from typing import Any

from mlsd_helpers.exercises.diagnosis import CaseSet
from mlsd_helpers.exercises.exercise import Exercise, mistake_name
from mlsd_helpers.exercises.marking import Marks, mark
from mlsd_helpers.exercises.running import run
from mlsd_helpers.exercises.values import all_same
from mlsd_helpers.exercises.wording import explain

MOST_FOR_A_CONSTANT = 0.25
"""The largest share of the points for an answer that is the same in every case."""

_PRINTED = "Your answer printed:"
_SAME_EVERYWHERE = (
    "Your answer is the same in every case, and the right one is not. Work it out from what is given."
)


@dataclass(frozen=True)
class Verdict:
    """What a check found. It shows itself in a notebook, and nbgrader reads its score there.

    nbgrader takes the plain text of a cell's last value for its points, where that is a number. So in a kernel the
    plain text of a verdict is its score, and what a page shows is the verdict in words.
    """

    exercise_id: str
    passed: bool
    score: float
    points: float
    message: str
    mistakes: tuple[str, ...] = ()
    """The names of the known mistakes behind it, in the order of the steps that they touch."""
    attempted: bool = True
    fresh: bool = field(default=False, repr=False)
    printed: str = field(default="", repr=False)
    """What the answer printed on the first case shown on which it printed something."""
    ran: bool = field(default=True, repr=False)
    """False where the code that makes the answer did not run to its end: then it is not attempted, and not blank."""

    @property
    def mistake(self) -> str | None:
        """The first of the known mistakes behind it."""
        return next(iter(self.mistakes), None)

    @property
    def headline(self) -> str:
        """One line: the outcome in words, and the points."""
        if not self.ran:
            word = "✗ Did not run"
        elif not self.attempted:
            word = "○ Not attempted"
        elif self.passed:
            word = "✓ Fresh cases passed" if self.fresh else "✓ Visible checks passed"
        else:
            word = "◐ Partly right" if self.score else "✗ Not yet"
        return f"{word} · {self.score:g} of {self.points:g} points"

    def __str__(self) -> str:
        """Return the headline, the message and what was printed, as plain text."""
        told = f"{self.headline}\n{self.message}"
        return f"{told}\n{_PRINTED}\n{self.printed}" if self.printed else told

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = f"**{self.headline}**\n\n{_without_html(self.message)}"
        if self.printed:
            fence = "`" * (1 + max([2, *(len(run) for run in re.findall("`+", self.printed))]))
            shown += f"\n\n{_PRINTED}\n\n{fence}text\n{self.printed.rstrip()}\n{fence}"
        return {"text/plain": repr(float(self.score)) if _in_kernel() else str(self), "text/markdown": shown}

    def grade(self) -> float:
        """Show the verdict and return its score: how test cells ended before a verdict was their last value."""
        from IPython.display import display  # noqa: PLC0415 - only a notebook needs it

        display(self)  # type: ignore[no-untyped-call]
        return float(self.score)


def _in_kernel() -> bool:
    """Tell whether a notebook's kernel runs this, and neither plain Python nor a terminal."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _without_html(text: str) -> str:
    """Leave no tag outside what is quoted as code: a message may repeat what a learner gave."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)


def judge(
    exercise: Exercise,
    answer: Any,
    *,
    fresh: bool = False,
    seed: int | None = None,
    case_set: CaseSet | None = None,
) -> Verdict:
    """Judge an answer on the visible cases, or on fresh ones beside them: those of `case_set`, or drawn from `seed`.

    nbgrader keeps the score of the fresh ones; a learner sees the verdict on the fixed ones.
    """
    if case_set is None and fresh:
        case_set = CaseSet.fresh(exercise, secrets.randbits(32) if seed is None else seed)
    marks = mark(exercise, answer, exercise.cases if case_set is None else case_set.cases)
    verdict = _judged(exercise, marks, case_set, answer, fresh=fresh)
    if case_set is not None:  # a hidden case is not told, and an answer could print its case
        return verdict
    return replace(verdict, printed=next((one.printed for one in marks.outcomes if one.printed.strip()), ""))


def _judged(
    exercise: Exercise, marks: Marks, case_set: CaseSet | None, answer: Any, *, fresh: bool
) -> Verdict:
    if all(outcome.blank for outcome in marks.outcomes):
        return _verdict(
            exercise, 0, "Write your answer in the cell above, then run the check again.", fresh, blank=True
        )
    gates = [step for step in exercise.steps if step.gate and not marks.step_passed(step)]
    passed = [] if gates else [step for step in exercise.steps if marks.step_passed(step)]
    score = sum(step.points for step in passed)
    most = exercise.points * MOST_FOR_A_CONSTANT
    if score > most and _ignores_its_case(exercise, marks):
        return _verdict(exercise, most, _SAME_EVERYWHERE, fresh)
    if score == exercise.points:
        return _verdict(exercise, score, _praise(exercise.id, fresh=fresh), fresh)
    if case_set is not None:
        known = case_set.diagnose(marks)
    else:
        case_set = CaseSet.of(exercise, exercise.cases)
        known = _made_elsewhere(exercise, answer, case_set.diagnose(marks))
    message = explain(case_set, marks, known)
    return _verdict(exercise, score, message, fresh, mistakes=tuple(map(mistake_name, known)))


_others: dict[int, CaseSet] = {}
"""Other cases of each exercise whose answer made a known mistake, by the identity of the exercise."""


def _made_elsewhere(exercise: Exercise, answer: Any, known: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the mistakes that an answer makes on other cases, too: on the few that are shown, results may coincide."""
    if not known:
        return ()
    if id(exercise) not in _others:
        _others[id(exercise)] = CaseSet.fresh(
            exercise, 0
        )  # which keeps the exercise, so that its identity stays
    others = _others[id(exercise)]
    made = others.diagnose(mark(exercise, answer, others.cases))
    return tuple(one for one in known if any(one is other for other in made))


def _ignores_its_case(exercise: Exercise, marks: Marks) -> bool:
    """Tell whether an answer is the same in every case, though the right one is not."""
    keys = {step.key: step for step in exercise.steps}.values()
    given = [one for one, outcome in zip(marks.parts, marks.outcomes, strict=True) if not outcome.problem]
    if len(given) < 2 or not all(all_same([parts[step.name] for parts in given]) for step in keys):
        return False
    right = [run(exercise.reference, case).value for case in marks.cases]
    return not all(all_same([step.value(value) for value in right]) for step in keys)


def _verdict(
    exercise: Exercise,
    score: float,
    message: str,
    fresh: bool,
    *,
    mistakes: tuple[str, ...] = (),
    blank: bool = False,
) -> Verdict:
    passed = score == exercise.points
    return Verdict(exercise.id, passed, score, exercise.points, message, mistakes, not blank, fresh)


def _praise(exercise_id: str, *, fresh: bool) -> str:
    if fresh:
        return (
            "Your answer is right on cases that it had not seen. Other ways to solve it: "
            f"`mlsd.compare({exercise_id!r}, your_answer)`."
        )
    return (
        "Your answer is right on the cases shown here. Grading tries it on others; try it on some now: "
        f"`mlsd.check({exercise_id!r}, your_answer, fresh=True)`."
    )
