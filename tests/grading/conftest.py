"""A class that has handed in, for tests of grading: small, and graded once a module."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlsd_helpers.grading import end_to_end, release
from mlsd_helpers.grading.synthetic import SyntheticStudent, class_of, submit

COURSE = Path(__file__).parents[2]
ASSIGNMENT = "05_capacity"


@pytest.fixture(scope="session")
def handed_in_once(tmp_path_factory) -> tuple[Path, tuple[SyntheticStudent, ...]]:
    """Make a released assignment and a class that has handed in; copy it before you write."""
    root = tmp_path_factory.mktemp("class") / "course"
    end_to_end.set_up(COURSE, root, ASSIGNMENT)
    assert not release.release(root, ASSIGNMENT).problem
    students = class_of(root, ASSIGNMENT)
    for one in students:
        submit(one, root, ASSIGNMENT)
    return root, students


@pytest.fixture
def course_of(handed_in_once, tmp_path) -> Callable[..., Path]:
    """Make a course in which some of the class have handed in."""

    def make(*names: str) -> Path:
        root = tmp_path / "course"
        shutil.copytree(handed_in_once[0], root)
        for folder in (root / "submitted").iterdir():
            if names and folder.name not in names:
                shutil.rmtree(folder)
        return root

    return make
