"""Lesson 02, planes: seven exercises on boxes and arrows, one a module, and the mistakes people make in them.

The numbers C12 to C21 in comments are those of docs/misconceptions.md.
"""

from mlsd_helpers.exercises.planes import availability, blast, canary, gate, lint, place, repair
from mlsd_helpers.exercises.planes.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    place.EXERCISE,
    blast.EXERCISE,
    lint.EXERCISE,
    repair.EXERCISE,
    availability.EXERCISE,
    canary.EXERCISE,
    gate.EXERCISE,
)
