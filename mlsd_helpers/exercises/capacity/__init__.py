"""Lesson 05, capacity: seven exercises on sizing, one a module, and the mistakes that people make in them.

The numbers C45 to C61 in comments are those of docs/misconceptions.md.
"""

from mlsd_helpers.exercises.capacity import (
    audit,
    backlog,
    erlang_p99,
    faded_sizing,
    headroom,
    plan,
    units_rounding,
)
from mlsd_helpers.exercises.capacity.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    faded_sizing.EXERCISE,
    units_rounding.EXERCISE,
    erlang_p99.EXERCISE,
    headroom.EXERCISE,
    backlog.EXERCISE,
    audit.EXERCISE,
    plan.EXERCISE,
)
