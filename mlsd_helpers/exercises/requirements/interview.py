"""A stakeholder who answers five of twelve questions, the same way each time, and volunteers nothing."""

from mlsd_helpers.errors import ExerciseError

BUDGET = 5
"""How many questions the stakeholder has time for."""

_TOLD = {
    "answer": ("What is one answer?", "A score from 0 to 1: how likely the payment is fraud."),
    "wait": ("How long may an answer take?", "The checkout gives us 500 ms, 99 times in 100."),
    "peak": ("How many payments come in the busiest minute?", "500 a second. On average 200."),
    "age": ("How old may a count of recent payments be?", "A quarter of an hour. Thieves are quick."),
    "source": ("Where do those counts come from?", "From a job that runs every night at two."),
    "truth": (
        "When do you learn that it was fraud?",
        "When the card holder disputes it: after 30 days, mostly.",
    ),
    "silence": (
        "What happens when there is no score?",
        "The rules decide. A shop that cannot sell leaves us.",
    ),
    "rare": ("How often is it fraud?", "One payment in a thousand."),
    "law": ("What must the model not do?", "Payment data must not leave the region. The lawyers are firm."),
    "today": ("What do you do today?", "Rules on amount, country and recent declines."),
    "price": ("What does a label cost?", "Fifty cents, and two people look at each."),
    "algorithm": ("Which algorithm would you like?", "Something with attention. My nephew says so."),
}


class Interview:
    """An interview with a budget: ask by key, and listen.

    >>> talk = Interview()
    >>> talk.ask("today")
    'Rules on amount, country and recent declines.'
    >>> talk.left
    4
    """

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}

    @property
    def questions(self) -> dict[str, str]:
        """The questions that can be asked, by their key."""
        return {key: question for key, (question, _) in _TOLD.items()}

    @property
    def left(self) -> int:
        """How many questions are left."""
        return BUDGET - len(self._asked)

    def ask(self, key: str) -> str:
        """Return the answer to a question; to ask it again costs nothing.

        Raises:
            ExerciseError: no question has this key, or the time is over.
        """
        if key not in _TOLD:
            raise ExerciseError(f"There is no question {key!r}. Choose one of: {', '.join(_TOLD)}.")
        if key not in self._asked and not self.left:
            raise ExerciseError(
                f"The time for {BUDGET} questions is over. Make a new Interview() to start again."
            )
        self._asked[key] = _TOLD[key][1]
        return self._asked[key]

    def review(self) -> str:
        """Say what the interview found: the contradiction, and the constraint that nobody volunteers."""
        contradiction, hidden = {"age", "source"} <= self._asked.keys(), "law" in self._asked
        return (
            f"{'You found' if contradiction else 'You missed'} a contradiction: two answers that cannot both hold. "
            f"{'You found' if hidden else 'You missed'} a constraint that nobody mentions unasked."
        )
