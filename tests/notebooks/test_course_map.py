"""The course map says what the exercises are."""

from mlsd_helpers import exercises
from tools.course_map import PLACE, course_map
from tools.notebooks import pairs


def test_the_course_map_is_what_the_exercises_give():
    assert PLACE.read_text(encoding="utf-8") == course_map(), "run `make fix`"


def test_every_lesson_with_exercises_is_on_the_map_and_no_other():
    lessons = {pair.twin.stem for pair in pairs() if pair.is_lesson}
    assert {exercise.assignment for exercise in exercises.ALL} == lessons
