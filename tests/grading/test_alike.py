"""Answers with the same code: a hint that names, comments and what was given do not change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers.grading.alike import LEAST, Alike, groups, normal_form

GIVEN = """def plan(peak_rps, service_time_s):
    busy = peak_rps * service_time_s
    # Your code here.
    raise NotImplementedError("Write this step, then run the check below.")
"""
ONE = """def plan(peak_rps, service_time_s):
    busy = peak_rps * service_time_s
    zones = [0, 0, 0]
    for place in range(100):
        if sum(zones) - max(zones) < busy / 0.7:
            zones[place % 3] += 1
        else:
            break
    return {"zones": zones, "total": sum(zones), "busy": busy}
"""
RENAMED = '''def plan(peak_rps: float, service_time_s: float) -> dict:
    """My own work."""
    busy = peak_rps * service_time_s

    fleet = [0, 0, 0]  # one for each
    for i in range(100):
        if (sum(fleet) - max(fleet)
                < busy / 0.7):
            fleet[i % 3] += 1
        else:
            break
    return {"zones": fleet, "total": sum(fleet), "busy": busy}
'''
OTHER = ONE.replace("sum(zones) - max(zones)", "sum(sorted(zones)[:-1])")


def test_names_comments_annotations_and_layout_do_not_count_and_the_rest_does():
    assert normal_form(ONE, GIVEN) == normal_form(RENAMED, GIVEN) != ""
    assert normal_form(OTHER, GIVEN) not in {"", normal_form(ONE, GIVEN)}
    assert normal_form(ONE.replace("0.7", "0.8"), GIVEN) != normal_form(ONE, GIVEN)


def test_names_that_are_used_otherwise_are_no_renaming():
    swapped = ONE.replace('"busy": busy', '"busy": zones')
    assert normal_form(swapped, GIVEN) != normal_form(ONE, GIVEN)


def test_a_blank_a_short_and_a_broken_answer_are_like_nothing():
    short = GIVEN.replace(
        'raise NotImplementedError("Write this step, then run the check below.")', "return busy / 0.7"
    )
    for source in (GIVEN, short, "", "def plan(:", ONE[: len(ONE) // 2] + "(", "x = " + "(" * 500, "\0"):
        assert normal_form(source, GIVEN) == "", source


def test_what_was_given_is_not_counted():
    long = GIVEN + "\n".join(f"a{n} = [1, 2, 3, {n}]" for n in range(LEAST))
    assert normal_form(long + "\nmine = 1", long) == ""


def test_students_with_the_same_code_are_one_group_with_all_its_exercises():
    code = {
        "ada": {"x": ONE, "y": ONE},
        "alan": {"x": RENAMED, "y": RENAMED},
        "grace": {"x": OTHER, "y": GIVEN},
        "zoe": {"x": GIVEN, "y": GIVEN},
    }
    given_with_it = {"x": GIVEN, "y": GIVEN}
    assert groups(code, given_with_it, {"y": ONE}) == (Alike(("ada", "alan"), ("x", "y"), ("y",)),)
    assert groups({"ada": {"x": ONE}}, given_with_it, {"x": ONE}) == ()


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_any_text_has_a_normal_form(text):
    assert isinstance(normal_form(text, GIVEN), str)


@pytest.mark.parametrize(
    "source", ["match x:\n    case [1, y]: z = y", "try:\n    x = 1\nexcept E as e:\n    print(e)"]
)
def test_statements_with_parts_of_their_own_are_read(source):
    many = "\n".join([source] * 12)
    assert normal_form(many) == normal_form(many + "  # the same")
    assert normal_form(many)
