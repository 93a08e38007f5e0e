"""A stakeholder who answers five of twelve questions, the same way each time, and volunteers nothing."""

from collections.abc import Iterable
from typing import NamedTuple

from mlsd_helpers.cases import load
from mlsd_helpers.design import Assumption, Requirements
from mlsd_helpers.errors import ExerciseError

BUDGET = 5
"""How many questions the stakeholder has time for."""


class _Question(NamedTuple):
    question: str
    answer: str
    settles: str = ""
    """What of the requirements the answer settles."""


_QUESTIONS = {
    "answer": _Question(
        "What is one answer?", "A score from 0 to 1: how likely the payment is fraud.", "prediction type"
    ),
    "wait": _Question(
        "How long may an answer take?", "The checkout gives us 500 ms, 99 times in 100.", "latency"
    ),
    "peak": _Question(
        "How many payments come in the busiest five minutes?", "500 a second. On average 200.", "throughput"
    ),
    "age": _Question(
        "How old may a count of recent payments be?", "A quarter of an hour. Thieves are quick.", "freshness"
    ),
    "truth": _Question(
        "When do you learn that it was fraud?",
        "When the card holder disputes it: after 30 days, mostly.",
        "labels",
    ),
    "silence": _Question(
        "What happens when there is no score?",
        "The rules decide. A shop that cannot sell leaves us.",
        "failure modes",
    ),
    "rare": _Question("How often is it fraud?", "One payment in a thousand.", "base rate"),
    "law": _Question(
        "What must the model not do?",
        "Payment data must not leave the region. The lawyers are firm.",
        "constraints",
    ),
    "today": _Question(
        "What do you do today?", "Rules on amount, country and recent declines.", "what is done today"
    ),
    "source": _Question(
        "Where do those counts come from?", "From a job that runs every night at two.", "source of the counts"
    ),
    "price": _Question("What does a label cost?", "Fifty cents, and two people look at each.", "cost"),
    "algorithm": _Question("Which algorithm would you like?", "Something with attention. My nephew says so."),
}
_CONTRADICTION = frozenset({"age", "source"})
_HIDDEN = "law"
_NOT_ASKED = "not_asked"


class Interview:
    """An interview with a budget: ask by key, listen, and confront the stakeholder with what cannot both hold.

    >>> talk = Interview()
    >>> talk.ask("today")
    'Rules on amount, country and recent declines.'
    >>> talk.left
    4
    """

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}
        self._confronted = False

    @property
    def questions(self) -> dict[str, str]:
        """The questions that can be asked, by their key."""
        return {key: asked.question for key, asked in _QUESTIONS.items()}

    @property
    def answers(self) -> dict[str, str]:
        """The answers heard so far, by the key of their question, in the order in which they were asked."""
        return dict(self._asked)

    @property
    def left(self) -> int:
        """How many questions are left."""
        return BUDGET - len(self._asked)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What was not asked about: each is an assumption now, and wants an owner."""
        return tuple(
            asked.settles for key, asked in _QUESTIONS.items() if asked.settles and key not in self._asked
        )

    def assumptions(self, beside: Iterable[Assumption] = ()) -> tuple[Assumption, ...]:
        """Return what was not asked as an assumption of a design, after those `beside` it.

        Those of an earlier interview are left out, as this one took its place.

        >>> [one.id for one in Interview().assumptions()]
        ['not_asked']
        """
        kept = [one for one in beside if not one.id.startswith(_NOT_ASKED)]
        if not self.assumed:
            return tuple(kept)
        taken = Assumption(
            id=_NOT_ASKED,
            text=f"Not asked, and assumed as it stands on this page: {', '.join(self.assumed)}.",
            owner="Product owner",
            check="Ask before the sketch of lesson 02 is agreed.",
        )
        return (*kept, taken)

    def page(self, page: Requirements) -> Requirements:
        """Return a page of requirements as this interview leaves it.

        What was not asked is an assumption on it. The constraints of the worked case stand on it once they were heard.
        """
        worked = load("harbour_pay").requirements
        known = worked.constraints if worked else ()
        own = [one for one in page.constraints if one.id not in {other.id for other in known}]
        heard = known if _HIDDEN in self._asked else ()
        return page.changed(constraints=[*heard, *own], assumptions=self.assumptions(page.assumptions))

    def ask(self, key: str) -> str:
        """Return the answer to a question; to ask it again costs nothing.

        Raises:
            ExerciseError: no question has this key, or the time is over.
        """
        if key not in _QUESTIONS:
            raise ExerciseError(f"There is no question {key!r}. Choose one of: {', '.join(_QUESTIONS)}.")
        if key not in self._asked and not self.left:
            raise ExerciseError(
                f"The time for {BUDGET} questions is over. Make a new Interview() to start again."
            )
        self._asked[key] = _QUESTIONS[key].answer
        return self._asked[key]

    def confront(self, first: str, second: str) -> str:
        """Put two answers beside each other, and return what the stakeholder says to it; this costs no question.

        Raises:
            ExerciseError: one of the two was not asked, or they are the same.
        """
        if first == second or not {first, second} <= self._asked.keys():
            raise ExerciseError("Name the keys of two different questions that you have asked.")
        if {first, second} != _CONTRADICTION:
            return "I see no trouble there. Why should these two not both hold?"
        self._confronted = True
        return "You are right: at noon those counts are ten hours old. One of the two has to give way."

    def review(self) -> str:
        """Say what the interview found: the contradiction, and the constraint that nobody volunteers."""
        if self._confronted:
            pair = "You found the contradiction: two answers that cannot both hold."
        elif self._asked.keys() >= _CONTRADICTION:
            pair = "Your notes hold a contradiction: two answers that cannot both hold. Confront your host with them."
        else:
            pair = (
                "You missed a contradiction: two answers that cannot both hold. A wish and how things are made today "
                "may clash, so ask for both."
            )
        if _HIDDEN in self._asked:
            return f"{pair} You found a constraint that nobody mentions unasked."
        return f"{pair} You missed a constraint that nobody mentions unasked. Ask what is ruled out."
