"""Lesson 04, patterns: seven exercises on when an answer is computed, one a module, and the mistakes made there.

The numbers C34 to C44 in comments are those of docs/misconceptions.md.
"""

from mlsd_helpers.exercises.patterns import (
    cache_key,
    cache_trace,
    choose,
    critique,
    crossover,
    design,
    lag,
)
from mlsd_helpers.exercises.patterns.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    choose.EXERCISE,
    crossover.EXERCISE,
    cache_trace.EXERCISE,
    cache_key.EXERCISE,
    lag.EXERCISE,
    critique.EXERCISE,
    design.EXERCISE,
)
