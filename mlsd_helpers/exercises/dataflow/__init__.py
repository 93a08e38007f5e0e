"""Lesson 03, data flow: eight exercises on the age of features, one a module, and the mistakes that people make.

The numbers C22 to C33 in comments are those of docs/misconceptions.md.
"""

from mlsd_helpers.exercises.dataflow import ages, design, gaps, join, labels, parity, repair, trace
from mlsd_helpers.exercises.dataflow.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    trace.EXERCISE,
    ages.EXERCISE,
    gaps.EXERCISE,
    repair.EXERCISE,
    join.EXERCISE,
    parity.EXERCISE,
    labels.EXERCISE,
    design.EXERCISE,
)
