"""The synthetic class: its submissions are what a student could have typed, and deserve what it says."""

import datetime as dt
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import cases, formulas
from mlsd_helpers.exercises import ALL, Exercise, kit
from mlsd_helpers.grading.standalone import source_of
from mlsd_helpers.grading.synthetic import class_of, large_class
from tests.effort import some

COURSE = Path(__file__).parents[2]
ASSIGNMENTS = sorted({exercise.assignment for exercise in ALL})
NAME = "answer"
SEED = 7


@contextmanager
def no_exercises() -> Iterator[None]:
    """Let nothing of the exercises be imported, as where submissions are graded."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if name.startswith("mlsd_helpers.exercises")]:
            patch.setitem(sys.modules, name, None)
        yield


def ran(source: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 - our own source
    return namespace[NAME]


def answers_of(exercise: Exercise) -> list[Any]:
    return [exercise.reference, *exercise.alternatives, *map(kit.answer_of, exercise.mistakes)]


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
def test_an_answer_typed_in_is_judged_as_the_answer_itself(exercise: Exercise) -> None:
    drawn = () if exercise.draw is None else (exercise.draw(random.Random(SEED)),)
    case_set = kit.CaseSet.of(exercise, (*exercise.cases, *drawn))
    for answer in some(answers_of(exercise)):
        source = source_of(answer, NAME)
        wanted = kit.judge(exercise, answer, case_set=case_set)
        with no_exercises():
            verdict = kit.judge(exercise, ran(source), case_set=case_set)
        assert (verdict.score, verdict.mistake) == (wanted.score, wanted.mistake), source


# ---- an answer that asks more of the writer than any exercise does now -----------------------------

NEIGHBOUR = '''
from dataclasses import dataclass
import math as numbers

@dataclass(frozen=True)
class Rate:
    """A docstring."""
    per_s: float

def scaled(rate: Rate) -> float:
    """Only a docstring and a return."""
    factor: float = _FACTOR
    return factor * rate.per_s + numbers.floor(0.5)

_FACTOR = 2.0
'''
MODULE = """
import cmath as numbers
from functools import lru_cache, partial
from mlsd_helpers.exercises.neighbour_for_test import Rate as Speed, scaled

_FACTOR, _OTHER = 10, 1

def answer(x: float) -> float:
    return scaled(Speed(x)) * _FACTOR + _OTHER + numbers.phase(2)

def recursive(x: float) -> float:
    return 0 if x <= 0 else 1 + recursive(x - 1)

def uses_the_wanted_name(x: float) -> float:
    return answer(x) + 1

def has_the_wanted_name_inside(answer: float) -> float:
    return _shown(lambda _FACTOR: answer * _FACTOR)

def _shown(how):
    return how(_FACTOR)

def _made(by):
    def inside(x):
        return by * answer(x)
    return inside

in_a_closure = _made(3)
in_part = partial(max, 4)
kept = lru_cache(recursive)
"""


@pytest.fixture
def lesson(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    import mlsd_helpers.exercises

    monkeypatch.setattr(mlsd_helpers.exercises, "__path__", [*mlsd_helpers.exercises.__path__, str(tmp_path)])
    (tmp_path / "neighbour_for_test.py").write_text(NEIGHBOUR)
    (tmp_path / "lesson_for_test.py").write_text(MODULE)
    import mlsd_helpers.exercises.lesson_for_test as module

    yield module
    for name in ("neighbour_for_test", "lesson_for_test"):
        del sys.modules[f"mlsd_helpers.exercises.{name}"]
        delattr(mlsd_helpers.exercises, name)


@pytest.mark.parametrize(
    "name",
    [
        "answer",
        "recursive",
        "uses_the_wanted_name",
        "has_the_wanted_name_inside",
        "in_a_closure",
        "in_part",
        "kept",
    ],
)
def test_equal_names_of_two_modules_and_of_the_notebook_are_kept_apart(lesson: ModuleType, name: str) -> None:
    function = getattr(lesson, name)
    source = source_of(function, NAME)
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 - our own source
    assert [namespace[NAME](x) for x in (0, 1, 2.5)] == [function(x) for x in (0, 1, 2.5)]
    assert set(namespace) == {"__builtins__", NAME, f"make_{NAME}"}
    assert "docstring" not in source
    assert "lesson_for_test" not in source


def test_a_function_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        source_of(lambda: 1, NAME)


# ---- answers that are values ----------------------------------------------------------------------

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.fractions(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner) | st.frozensets(st.integers())
    ),
    max_leaves=20,
)


@given(plain)
def test_a_plain_value_comes_back_the_same(value: Any) -> None:
    assert ran(source_of(value, NAME)) == value
    assert type(ran(source_of(value, NAME))) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        *map(cases.load, cases.names()),
        formulas.Stage(60, 16, 2),
        set(),
        frozenset(),
        (),
        ...,
        Decimal("0.1"),
        dt.date(2026, 1, 2),
        dt.timedelta(minutes=3),
        [Fraction(1, 3), {"deep": {Decimal(1), (1,)}}],
    ],
    ids=repr,
)
def test_a_typed_value_comes_back_the_same(value: Any) -> None:
    assert ran(source_of(value, NAME)) == value


def test_a_table_and_an_array_come_back_the_same() -> None:
    frame = pd.DataFrame(
        {"card": ["ada", "bob"], "spend": [1.5, np.nan], "n": np.int32([1, 2])}, index=[7, 9]
    )
    array = np.array([[1, np.nan], [np.inf, 2]], dtype="float32")
    pd.testing.assert_frame_equal(ran(source_of(frame, NAME)), frame)
    np.testing.assert_array_equal(ran(source_of(array, NAME)), array)
    assert ran(source_of(array, NAME)).dtype == array.dtype


# ---- classes --------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_submission_imports_an_exercise(assignment: str) -> None:
    for one in class_of(COURSE, assignment):
        assert "mlsd_helpers.exercises" not in "".join(one.answers.values())


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_large_class_has_the_size_and_every_kind_of_answer(assignment: str) -> None:
    students = large_class(COURSE, assignment, 300, seed=SEED)
    assert len({one.student for one in students}) == 300
    for exercise in (exercise for exercise in ALL if exercise.assignment == assignment):
        kinds = Counter(one.answers.get(exercise.id) for one in students)
        assert len(kinds) == len(answers_of(exercise)) + 1
        assert {one.scores[exercise.id] for one in students if exercise.id not in one.answers} == {0}
        told = {one.feedback[exercise.id] for one in students if exercise.id in one.feedback}
        assert told == {kit.feedback(mistake) for mistake in exercise.mistakes}
        full = [one for one in students if one.scores[exercise.id] == exercise.points]
        assert all(exercise.id not in one.feedback for one in full)


def test_a_large_class_is_the_same_for_a_seed_and_differs_between_seeds() -> None:
    once, again, other = (large_class(COURSE, ASSIGNMENTS[0], 40, seed=seed) for seed in (1, 1, 2))
    assert once == again != other
