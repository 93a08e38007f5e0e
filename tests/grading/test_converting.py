"""The adapter to nbgrader: what it replaces there, and how a score passes through an output."""

import sys

import nbformat
import pytest
from nbgrader import api
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import Engine

from mlsd_helpers.grading.bookkeeping import SharedGradebook, shared_gradebook_connection
from mlsd_helpers.grading.converting import score_of, score_outputs

CELL = nbformat.from_dict(
    {
        "cell_type": "code",
        "source": "",
        "metadata": {
            "nbgrader": {"grade": True, "solution": False, "grade_id": "one", "points": 2, "checksum": ""}
        },
        "outputs": [],
    }
)


def test_nothing_is_patched_outside_of_the_modules_of_nbgrader_that_grade():
    def patchable():
        return (
            api.Gradebook,
            api.create_engine,
            api.sessionmaker,
            api.Base.metadata.create_all,
            Engine.dispose,
        )

    before = patchable()
    with shared_gradebook_connection():
        assert patchable() == before


def test_every_part_of_nbgrader_that_grades_opens_the_shared_gradebook():
    directory = CourseDirectory()
    grading, feedback = Autograde(coursedir=directory), GenerateFeedback(coursedir=directory)
    parts = [*grading.sanitize_preprocessors, *grading.autograde_preprocessors, *feedback.preprocessors]
    modules = {sys.modules[one.__module__] for one in (Autograde, GenerateFeedback, *parts)}
    with shared_gradebook_connection():
        opened = [module.Gradebook for module in modules if hasattr(module, "Gradebook")]
        assert len(opened) > 3
        assert set(opened) == {SharedGradebook}


@pytest.mark.parametrize("score", [0.0, 0.1, 1.5, 2.0])
def test_a_score_that_is_written_into_outputs_is_the_score_that_nbgrader_reads(score):
    assert score_of(CELL, score_outputs({"text/plain": "Good."}, score)) == score


@pytest.mark.parametrize(
    ("written", "read"), [("99", 2.0), ("inf", 2.0), ("-1", 0.0), ("nan", 0.0), ("-inf", 0.0)]
)
def test_a_number_that_is_no_score_is_brought_within_the_points_of_its_cell(written, read):
    outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": written})]
    assert score_of(CELL, outputs) == read
