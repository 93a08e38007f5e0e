"""The questions that a lesson asks: what a learner predicts, and what they recall from earlier lessons.

They are data here and not cells there, so that no answer stands in a notebook before its question is answered.
`mlsd.ask(question_id)` shows one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number to predict. `truth` computes it, in `unit`, once the learner has locked in a guess.

    Without a `truth` it follows from the data that the lesson shows, and `samples.TRUTHS` computes it.
    """

    id: str
    question: str
    unit: str
    truth: Callable[[], float] | None
    because: str
    within: float = 0.1
    highest: float = math.inf
    """The highest guess that makes sense: there are no 25 of twelve."""
    to_work_out: bool = False
    """Whether it is a task with all that it needs, and no guess."""


@dataclass(frozen=True)
class Recall:
    """A question on an earlier lesson: its options, what choosing each one says, and which is right."""

    id: str
    lesson: str
    question: str
    options: Mapping[str, str]
    answer: str


Question = Estimate | Recall
