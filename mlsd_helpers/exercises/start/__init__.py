"""Lesson 00, start here: five short exercises on habits, one a module, and the mistakes that people make in them."""

from mlsd_helpers.exercises.start import fallback, incidents, inequality, kill, response
from mlsd_helpers.exercises.start.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

EXERCISES = (
    incidents.EXERCISE,
    inequality.EXERCISE,
    fallback.EXERCISE,
    response.EXERCISE,
    kill.EXERCISE,
)
