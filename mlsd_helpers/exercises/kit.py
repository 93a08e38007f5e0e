"""The engine of the exercises under one name: what an exercise's module imports, and what judges its answers.

exercise    what an exercise is: plain data
values      what a learner's value is, and how a message quotes it
running     run an answer on a case
marking     judge each step on each case
diagnosis   name the mistake behind a wrong answer
wording     explain a wrong answer in words
judging     all of it: an answer becomes a verdict
"""

from mlsd_helpers.exercises.diagnosis import CaseSet
from mlsd_helpers.exercises.exercise import (
    Answer,
    Case,
    Exercise,
    Given,
    Hint,
    Slip,
    Step,
    Stratum,
    Wrong,
    answer_of,
    equals,
    feedback,
    mistake_name,
)
from mlsd_helpers.exercises.judging import Verdict, judge
from mlsd_helpers.exercises.marking import Marks, mark
from mlsd_helpers.exercises.running import Outcome, OutOfProcessAnswer, StoppedError, run
from mlsd_helpers.exercises.values import is_number, names, quoted, same
from mlsd_helpers.timeout import TooLongError

__all__ = [
    "Answer",
    "Case",
    "CaseSet",
    "Exercise",
    "Given",
    "Hint",
    "Marks",
    "OutOfProcessAnswer",
    "Outcome",
    "Slip",
    "Step",
    "StoppedError",
    "Stratum",
    "TooLongError",
    "Verdict",
    "Wrong",
    "answer_of",
    "equals",
    "feedback",
    "is_number",
    "judge",
    "mark",
    "mistake_name",
    "names",
    "quoted",
    "run",
    "same",
]
