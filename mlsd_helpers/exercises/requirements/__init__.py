"""Lesson 01, requirements: seven exercises, one a module, and the mistakes that people make in them."""

from mlsd_helpers.exercises.requirements import (
    briefs,
    contradictions,
    decide,
    fan_out,
    peak,
    percentile,
    repair,
)
from mlsd_helpers.exercises.requirements.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    briefs.EXERCISE,
    peak.EXERCISE,
    percentile.EXERCISE,
    fan_out.EXERCISE,
    contradictions.EXERCISE,
    decide.EXERCISE,
    repair.EXERCISE,
)
