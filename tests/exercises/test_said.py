"""What a check says of a wrong answer is true of all its cases, and of the case that the notebook shows."""

import mlsd_helpers as mlsd
from mlsd_helpers.exercises.dataflow.design import joined_on_event_time
from mlsd_helpers.exercises.patterns import design as pattern_design


def test_of_cases_too_long_to_show_the_first_is_named_by_the_code_that_gives_it():
    said = mlsd.check("03-design", joined_on_event_time).message
    assert said.startswith("With `mlsd.exercises.inputs('03-design')[0]`: ")


def test_a_critique_that_names_nothing_is_not_told_that_a_kind_is_right():
    said = mlsd.check("04-critique", lambda statements: set()).message
    assert " right," not in said


def test_a_reason_of_one_word_is_no_reason():
    def curt(**case):
        mended = pattern_design.repaired(**case)
        mended["paths"][1]["reason"] = "Dear."
        return mended

    assert mlsd.check("04-design", curt).score == 4.5
