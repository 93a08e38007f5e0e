"""Questions that a learner answers before the right answer is shown.

The answer stays in Python until the learner has locked in a guess: before that, no widget state and no page has it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import traitlets as t

from mlsd_helpers.errors import QuantityError, RangeError
from mlsd_helpers.figures.base import as_words, show_number
from mlsd_helpers.widgets.base import Widget, module
from mlsd_helpers.widgets.guesses import needs_unit, read_guess, with_unit

T = TypeVar("T")
_FAR = 3  # from this ratio on, the verdict says how many times off a guess is
_ROUNDED = 0.01  # how far a guess that rounds the truth may be off


class _Sentence(str):
    """Words that a notebook shows without quotation marks."""

    __slots__ = ()
    __repr__ = str.__str__


_LOCKED = _Sentence("Lock in your answer to the question above first, then run this cell again.")
_FACTOR = "times"  # with this unit, "2 times your 3 times" would be confusing


@dataclass(frozen=True)
class Comparison:
    """A guess beside the truth, both in the same unit."""

    guess: float
    truth: float
    unit: str = ""
    within: float = 0.1

    @property
    def side(self) -> Literal["close", "low", "high"]:
        """Say whether the guess is off by at most the share `within` of the truth, or on which side it lies."""
        if abs(self.guess - self.truth) <= (self.within + 1e-12) * abs(self.truth):
            return "close"
        return "low" if self.guess < self.truth else "high"

    @property
    def ratio(self) -> float | None:
        """Return guess over truth, or None where either is 0 or below."""
        return self.guess / self.truth if self.guess > 0 and self.truth > 0 else None

    @property
    def right(self) -> bool:
        """Whether the guess is the truth, as it is shown or rounded to the decimals of the guess.

        A rounded guess is right only within 1 % of the truth.

        >>> Comparison(63, 63.4).right, Comparison(8, 8.3).right, Comparison(1.52, 1.5174).right
        (True, False, True)
        """
        if show_number(self.guess) == show_number(self.truth):
            return True
        decimals = len(f"{self.guess:.12g}".partition(".")[2])
        rounded = math.isclose(round(self.truth, decimals), self.guess)
        return rounded and abs(self.guess - self.truth) <= _ROUNDED * abs(self.truth)

    def __str__(self) -> str:
        """Return the comparison as one sentence."""
        guess, truth = with_unit(self.guess, self.unit), with_unit(self.truth, self.unit)
        if self.right:
            return f"Right. It is {truth}."
        if self.side == "close":
            return f"Close, within {100 * self.within:.3g} %. It is {truth}; you said {guess}."
        told = self.ratio is not None and self.unit != _FACTOR and max(self.ratio, 1 / self.ratio) >= _FAR
        if not told or "1" in map(show_number, (self.guess, self.truth)):
            return f"Too {self.side}. It is {truth}; you said {show_number(self.guess)}."
        if self.side == "low":
            times = show_number(float(f"{self.truth / self.guess:.3g}"))
            return f"Too low. It is {truth}, {times} times your {guess}."
        times = show_number(float(f"{self.guess / self.truth:.3g}"))
        return f"Too high. It is {truth}; you said {guess}, {times} times that."


class Prediction(Widget):
    """Ask for a number, and show the right one only once a guess is locked in.

    `truth` is a number in `unit`, or a function of no arguments that returns one, called when the guess is
    locked in. `because` is the reason, shown with it. A guess that is off by at most the share `within` of the
    truth counts as close; `lowest` and `highest` bound what makes sense as a guess (`-math.inf` for no bound). A
    guess that is typed needs its unit where the number could be in two. `heading` stands above the question. The traits
    `locked` and `guess` can be observed. Without a learner the widget stays unlocked, and nothing else happens.
    """

    _esm = module("prediction.js")
    question = t.Unicode().tag(sync=True)
    unit = t.Unicode().tag(sync=True)
    locked = t.Bool(default_value=False).tag(sync=True)
    guess = t.Float(default_value=None, allow_none=True).tag(sync=True)
    problem = t.Unicode().tag(sync=True)
    verdict = t.Dict().tag(sync=True)
    hint = t.Unicode().tag(sync=True)
    """What to write, and which guesses count as close."""
    heading = t.Unicode().tag(sync=True)
    locked_text = t.Unicode().tag(sync=True)
    """The guess with its unit, once it is locked in."""

    def __init__(
        self,
        question: str,
        unit: str = "",
        *,
        truth: float | Callable[[], float],
        because: str,
        within: float = 0.1,
        lowest: float = 0.0,
        highest: float = math.inf,
        heading: str = "Predict first",
    ) -> None:
        self._truth, self._because = truth, because
        self._within, self._bounds = within, (lowest, highest)
        if not callable(truth):
            _known(truth)
        super().__init__(question=question, unit=unit, hint=_hint(unit, within), heading=heading)
        self.on_msg(self._on_message)

    def lock(self, guess: float | str) -> None:
        """Lock in a guess, as the button does; a guess that cannot be read leaves a message in `problem`."""
        if self.locked:
            return
        try:
            typed = guess if isinstance(guess, str) else f"{with_unit(f'{float(guess):.12g}', self.unit)}"
            number = read_guess(typed, self.unit, *self._bounds)
        except QuantityError as error:
            self.problem = str(error)
            return
        comparison = Comparison(number, self._reveal(), self.unit, self._within)
        with self.hold_sync():
            self.problem, self.guess, self.locked_text = "", number, with_unit(number, self.unit)
            self.verdict = {"headline": str(comparison), "reasons": [self._because]}
            self.locked = True
        self.update_record()

    def unlocks(self, shown: T | Callable[[], T]) -> T | str:
        """Return what is `shown` once a guess is locked in; before, a sentence that says what to do.

        A cell below a question gives its answer away otherwise, also when all cells are run at once. What takes long
        may be a function: it is called once a guess is locked in.

        >>> asked = Prediction("What is 6 × 7?", truth=42, because="by counting")
        >>> asked.unlocks(6 * 7)
        Lock in your answer to the question above first, then run this cell again.
        >>> asked.lock("40")
        >>> asked.unlocks(6 * 7)
        42
        """
        if not self.locked:
            return _LOCKED
        return shown() if callable(shown) else shown

    def _reveal(self) -> float:
        return _known(self._truth() if callable(self._truth) else self._truth)

    def _on_message(self, _widget: object, message: Mapping[str, Any], _buffers: object) -> None:
        if message.get("kind") == "lock":
            self.lock(str(message.get("guess", "")))

    def still(self) -> str:
        """Return the question and how to answer it; once a guess is locked in, the verdict."""
        unit = f" ({self.unit})" if self.unit else ""
        question = f"<strong>{self.heading}.</strong> {as_words(self.question + unit)}"
        return f"<p>{question}</p><p>{as_words(self._state())}</p>"

    def sentence(self) -> str:
        """Return the question and where the learner stands."""
        return f"{self.heading}. {self.question} {self._state()}"

    def _state(self) -> str:
        if not self.locked:
            return "Run this cell in JupyterLab to lock in your prediction."
        return " ".join(
            [f"Your prediction: {self.locked_text}.", self.verdict["headline"], *self.verdict["reasons"]]
        )

    def record(self) -> str:
        """Return the question, the guess and the verdict, as they stay in a saved notebook."""
        return self.still() if self.locked else super().record()


def _hint(unit: str, within: float) -> str:
    what = f"with its unit: {unit}" if needs_unit(unit) else f"in {unit}" if unit else ""
    close = f"within {100 * within:.3g} % counts as close" if within > 0.01 else "to be met exactly"
    return "; ".join(filter(None, [what, close]))


def _known(truth: float) -> float:
    if isinstance(truth, bool) or not isinstance(truth, int | float) or not math.isfinite(truth):
        raise RangeError(
            f"The truth of a prediction is {truth!r}. Give a finite number, or a function that returns one."
        )
    return float(truth)


class Choice(Widget):
    """Ask for one of several options, and show what each means only after it is chosen.

    `feedback` maps an option to the text that its choice shows; `because` is shown with the right one. A wrong
    choice may be followed by another. The trait `locked` is true as soon as an option has been checked, `chosen` is
    the latest option and `correct` is whether it is the answer.
    """

    _esm = module("choice.js")
    question = t.Unicode().tag(sync=True)
    options = t.List(t.Unicode()).tag(sync=True)
    chosen = t.Unicode(default_value=None, allow_none=True).tag(sync=True)
    locked = t.Bool(default_value=False).tag(sync=True)
    correct = t.Bool(default_value=False).tag(sync=True)
    problem = t.Unicode().tag(sync=True)
    verdict = t.Dict().tag(sync=True)

    def __init__(
        self,
        question: str,
        options: Sequence[str],
        *,
        answer: str,
        because: str,
        feedback: Mapping[str, str] | None = None,
    ) -> None:
        self._answer, self._because, self._feedback = answer, because, dict(feedback or {})
        for named in (answer, *self._feedback):
            if named not in options:
                raise RangeError(
                    f"{named!r} is not one of the options. They are: {', '.join(map(repr, options))}."
                )
        super().__init__(question=question, options=list(options))
        self.on_msg(self._on_message)

    def choose(self, option: str) -> None:
        """Hand in an option, as the button does; anything else leaves a message in `problem`."""
        if self.correct:
            return
        if option not in self.options:
            self.problem = "Nothing is chosen yet. Choose one of the options, then check it."
            return
        right = option == self._answer
        reasons = [self._feedback.get(option, ""), self._because if right else ""]
        with self.hold_sync():
            self.problem, self.chosen, self.correct = "", option, right
            self.verdict = {
                "headline": "Right." if right else "Not that one.",
                "reasons": [r for r in reasons if r],
            }
            self.locked = True
        self.update_record()

    def _on_message(self, _widget: object, message: Mapping[str, Any], _buffers: object) -> None:
        if message.get("kind") == "choose":
            self.choose(str(message.get("option", "")))

    def still(self) -> str:
        """Return the question and its options; what was chosen and what that means, once something is chosen."""
        options = "".join(f"<li>{as_words(option)}</li>" for option in self.options)
        return f"<p>{as_words(self.question)}</p><ul>{options}</ul><p>{as_words(self._state())}</p>"

    def sentence(self) -> str:
        """Return the question, its options and where the learner stands."""
        return f"{self.question} Options: {'; '.join(self.options)}. {self._state()}"

    def _state(self) -> str:
        if self.chosen is None:
            return "Run this cell in JupyterLab to answer."
        return " ".join([f"You chose: {self.chosen}.", self.verdict["headline"], *self.verdict["reasons"]])

    def record(self) -> str:
        """Return the question, the latest answer and what it means, as they stay in a saved notebook."""
        return self.still() if self.locked else super().record()
