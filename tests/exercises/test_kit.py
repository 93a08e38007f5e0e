"""The engine on small exercises of its own."""

import ast
import contextlib
import itertools
import random
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade

import mlsd_helpers as mlsd
from mlsd_helpers.errors import ExerciseError, MlsdError
from mlsd_helpers.exercises import kit, running, values
from mlsd_helpers.timeout import time_limit


def area(width: float, height: float) -> dict[str, float]:
    """Compute an area, and the paint for it."""
    return {"area": width * height, "paint": width * height / 10}


def added(width: float, height: float) -> dict[str, float]:
    """You added the sides of the wall; an area multiplies them, so that a metre more counts once a metre."""
    return {"area": width + height, "paint": (width + height) / 10}


def forgot_the_spread(width: float, height: float) -> dict[str, float]:
    """You bought a litre for each square metre; a litre covers ten of them, so divide by that."""
    return {"area": width * height, "paint": width * height}


def draw(rng: random.Random) -> dict[str, int]:
    return {"width": rng.randrange(2, 40), "height": rng.randrange(2, 40)}


def wall(**changes: Any) -> kit.Exercise:
    parts: dict[str, Any] = {
        "id": "wall",
        "assignment": "none",
        "title": "Paint a wall",
        "kind": "code",
        "outcome": "Compute.",
        "minutes": 1,
        "steps": (
            kit.equals("area", 1, lambda c, _: c["width"] * c["height"]),
            kit.equals("paint", 2, lambda _, g: g["area"] / 10),
        ),
        "cases": ({"width": 3, "height": 4}, {"width": 2, "height": 2}, {"width": 10, "height": 7}),
        "reference": area,
        "alternatives": (),
        "mistakes": (added, forgot_the_spread),
        "hints": ("Look.",),
        "draw": draw,
    }
    return kit.Exercise(**{**parts, **changes})


def test_a_later_step_is_judged_on_the_learners_own_earlier_step() -> None:
    assert kit.judge(wall(), added).score == 2


def handed_on(part: Any) -> Any:
    """Return what the second step is given where the first part of an answer is `part` of its case."""
    seen = []
    steps = (
        wall().steps[0],
        kit.Step("paint", 2, lambda _case, _value, given: bool(seen.append(given["area"]))),
    )
    kit.mark(wall(steps=steps), lambda **case: {"area": part(**case), "paint": 1}, wall().cases)
    return seen


@pytest.mark.parametrize(
    "part",
    [
        lambda **_: 0,
        lambda **_: 7,
        lambda width, height: [width * height],
        lambda width, height: [0] * 100_000,
        lambda width, height: str(width * height),
        lambda width, height: width * height * 1e9,
        lambda width, height: width * height / 1e9,
        lambda width, height: 10**4000 * width,
        lambda width, height: float("nan"),
        lambda **_: True,
    ],
)
def test_what_says_nothing_or_has_another_type_is_not_handed_on(part: Any) -> None:
    assert handed_on(part) == [case["width"] * case["height"] for case in wall().cases]


@pytest.mark.parametrize("factor", [1000, 1 / 3600, 86_400, -1])
def test_an_honest_slip_is_handed_on_as_plain_python(factor: float) -> None:
    given = handed_on(lambda width, height: np.float64(width * height * factor))
    assert given == [case["width"] * case["height"] * factor for case in wall().cases]
    assert {type(one) for one in given} == {float}


def test_a_zero_is_handed_on_where_zero_is_right() -> None:
    nothing = wall(
        steps=(
            kit.equals("area", 1, lambda *_: 0),
            kit.equals("paint", 2, lambda case, given: given["area"] + case["width"]),
        ),
        mistakes=(),
    )
    assert kit.judge(nothing, lambda width, height: {"area": 0, "paint": width}).passed


def test_a_constant_that_some_steps_accept_has_a_quarter_at_most() -> None:
    lenient = wall(steps=(kit.Step("area", 3, lambda *_: True), *wall().steps[1:]))
    verdict = kit.judge(lenient, lambda **_: {"area": 4.0, "paint": 1})
    assert verdict.score == lenient.points / 4
    assert "same in every case" in verdict.message
    varied = kit.judge(lenient, lambda width, **_: {"area": width, "paint": 1})
    assert varied.score == 3


def test_a_part_that_is_too_large_costs_its_own_step_alone_and_says_so() -> None:
    judged = wall(steps=(kit.Step("area", 1, lambda *_: True), kit.Step("paint", 2, lambda *_: True)))
    verdict = kit.judge(judged, lambda width, **_: {"area": width, "paint": [0] * 100_000})
    assert verdict.score == 1
    assert f"{values.MOST_ENTRIES:,}" in verdict.message


def test_a_table_counts_with_all_its_rows() -> None:
    pd = pytest.importorskip("pandas")
    assert values.fits(pd.DataFrame({"a": range(10)}))
    assert not values.fits(pd.DataFrame({"a": range(100_000)}))


@pytest.mark.parametrize(
    ("value", "expected"), [(5e-324, 12.0), (1e308, 1e-9), (-5e-324, 3.0), (3.0, -1e308)]
)
def test_a_value_of_any_size_is_too_large_or_too_small(value: float, expected: float) -> None:
    step = kit.equals("", 1, lambda *_: expected)
    verdict = kit.judge(wall(steps=(step,), mistakes=()), lambda **_: value)
    assert verdict.score == 0
    assert verdict.message


def test_names_that_a_message_repeats_are_no_html() -> None:
    step = kit.Step("area", 1, lambda *_: False, explain=lambda _case, value: f"{value} is none.")
    shown = kit.judge(
        wall(steps=(step,), mistakes=()), lambda **_: {"area": "<img src=x>"}
    )._repr_mimebundle_()
    assert not any("<" in text for text in shown["text/markdown"].split("`")[::2])


def test_two_mistakes_in_one_answer_are_named_by_the_first_wrong_step() -> None:
    both = kit.judge(wall(), lambda width, height: {"area": width + height, "paint": width + height})
    assert (both.score, both.mistake) == (
        0,
        "added",
    )  # no Slip, so that it is unknown what the second builds on


def test_two_mistakes_that_no_case_tells_apart_are_reported() -> None:
    weak = wall(cases=({"width": 2, "height": 2},))
    assert "added" in kit.CaseSet.of(weak, weak.cases).undistinguished()


def squares(rng: random.Random) -> dict[str, int]:
    side = rng.randrange(2, 40)
    return {"width": side, "height": side}


def narrow(case: kit.Case) -> bool:
    return min(case.values()) < 1


def test_an_answer_that_fails_what_is_shown_fails_when_it_is_graded() -> None:
    def right_for_squares(width: float, height: float) -> dict[str, float]:
        return area(min(width, height), min(width, height))

    for seed in range(3):
        verdict = kit.judge(wall(draw=squares, mistakes=()), right_for_squares, fresh=True, seed=seed)
        assert verdict.score == 2


@pytest.mark.parametrize("own", [None, lambda _rng: {"width": 0.5, "height": 3}])
def test_each_stratum_is_among_the_fresh_cases_of_every_seed(own: Any) -> None:
    seldom = draw if own else lambda rng: {"width": rng.choice([0.5, *range(2, 300)]), "height": 3}
    exercise = wall(draw=seldom, strata=(kit.Stratum("less than a metre", narrow, own),))
    for seed in range(3):
        assert any(map(narrow, kit.CaseSet.fresh(exercise, seed).cases))


def test_a_stratum_that_nothing_draws_is_named() -> None:
    exercise = wall(strata=(kit.Stratum("less than a metre", narrow),))
    with pytest.raises(AssertionError, match="less than a metre"):
        kit.CaseSet.fresh(exercise, 1)


def test_nothing_is_earned_where_a_gate_is_wrong() -> None:
    kept = kit.Step("same", 0, lambda case, value, _: value == case["width"], gate=True)
    exercise = wall(steps=(kept, *wall().steps), mistakes=())
    for by, score in ((0, 3), (1, 0)):

        def moved(by: int = by, **case: Any) -> dict[str, float]:
            return {**area(**case), "same": case["width"] + by}

        assert kit.judge(exercise, moved).score == score


# ---- mistakes behind mistakes ---------------------------------------------------------------------

SPREAD = kit.Slip(forgot_the_spread, {"paint": lambda _case, given: given["area"]})


def test_a_slip_is_known_again_behind_another_mistake_and_both_are_named() -> None:
    exercise = wall(mistakes=(added, SPREAD))
    both = kit.judge(exercise, lambda width, height: {"area": width + height, "paint": width + height})
    assert both.mistakes == ("added", "forgot_the_spread")
    assert kit.feedback(SPREAD) in both.message


def test_a_slip_is_known_again_behind_one_that_nobody_has_named() -> None:
    exercise = wall(mistakes=(added, SPREAD))
    doubled = kit.judge(
        exercise, lambda width, height: {"area": 3 * width * height, "paint": 3 * width * height}
    )
    assert doubled.mistakes == ("forgot_the_spread",)
    assert "`area" in doubled.message


NUMBERS = tuple({"numbers": [low, low + 1, low + 2, low + 3, low + 6]} for low in range(1, 60, 7))


def evens(numbers: list[int]) -> set[str]:
    """Name the even ones."""
    return {str(one) for one in numbers if one % 2 == 0}


def left_out_the_first(numbers: list[int]) -> set[str]:
    """You left out the first of those given, though nothing says that it is another kind of number."""
    return evens(numbers[1:])


def took_the_last(numbers: list[int]) -> set[str]:
    """You took the last of those given, whatever it is, and a last number is as odd as any other."""
    return evens(numbers) | {str(numbers[-1])}


def took_the_last_again(numbers: list[int]) -> set[str]:
    """You took what came in the end, whatever it is, and a last number is as odd as any other."""
    return took_the_last(numbers)


def picking(*mistakes: Any) -> kit.Exercise:
    step = kit.equals("", 1, lambda case, _: evens(**case))
    return wall(steps=(step,), cases=NUMBERS, reference=evens, mistakes=mistakes, draw=None)


def test_two_mistakes_in_one_set_are_both_named() -> None:
    exercise = picking(left_out_the_first, took_the_last)
    both = kit.judge(exercise, lambda numbers: left_out_the_first(numbers) | {str(numbers[-1])})
    assert set(both.mistakes) == {"left_out_the_first", "took_the_last"}


def test_a_mistake_in_a_set_is_known_beside_an_entry_that_is_wrong_for_no_known_reason() -> None:
    exercise = picking(left_out_the_first, took_the_last)
    beside = kit.judge(
        exercise, lambda numbers: took_the_last(numbers) | ({"8"} if 8 not in numbers else set())
    )
    assert "took_the_last" not in beside.mistakes  # as often wrong for no known reason as for this one
    once = kit.judge(exercise, lambda numbers: took_the_last(numbers) | ({"9"} if 2 in numbers else set()))
    assert once.mistakes == ("took_the_last",)


def test_a_mistake_that_an_answer_makes_on_the_visible_cases_alone_is_not_named() -> None:
    squares = tuple({"width": side, "height": side} for side in (3, 5, 8))
    exercise = wall(cases=squares)
    assert kit.judge(exercise, added).mistakes == ("added",)
    twice_the_width = kit.judge(exercise, lambda width, height: {"area": 2 * width, "paint": width / 5})
    assert twice_the_width.mistakes == ()


def test_nothing_is_named_where_two_mistakes_give_the_same() -> None:
    exercise = picking(took_the_last, took_the_last_again)
    assert kit.judge(exercise, took_the_last).mistakes == ()


def test_an_answer_that_names_everything_is_told_no_belief() -> None:
    exercise = picking(left_out_the_first, took_the_last)
    assert kit.judge(exercise, lambda numbers: set(map(str, numbers))).mistakes == ()


def test_a_mistake_is_known_by_the_faults_that_a_value_shows() -> None:
    def faults(_case: Any, value: Any) -> list[str]:
        return [word for word in value["area"].split() if word != "right"]

    def named(word: str) -> Any:
        def mistake(**_: Any) -> dict[str, str]:
            return {"area": word}

        mistake.__name__ = word
        return mistake

    step = kit.Step("", 1, lambda case, value, _: not faults(case, value), shows=faults)
    exercise = wall(
        steps=(step,), mistakes=(named("low"), named("wide")), reference=named("right"), draw=None
    )
    for words, mistakes in (("low right", {"low"}), ("low wide", {"low", "wide"}), ("long high low", set())):
        assert set(kit.judge(exercise, named(words)).mistakes) == mistakes


def test_the_same_seed_draws_the_same_cases() -> None:
    assert kit.CaseSet.fresh(wall(), 7).cases == kit.CaseSet.fresh(wall(), 7).cases


def test_the_smallest_failing_case_is_shown() -> None:
    verdict = kit.judge(wall(), lambda width, height: {"area": 1.0, "paint": 0.1})
    assert "width = 2, height = 2" in verdict.message or "width = 3, height = 4" in verdict.message
    assert "width = 10" not in verdict.message


@pytest.mark.parametrize(
    ("factor", "unit"), [(1000, "millisecond"), (60, "minute"), (100, "cent"), (1e-3, "millisecond")]
)
def test_a_unit_slip_that_nobody_named_is_diagnosed_by_its_factor(factor: float, unit: str) -> None:
    slip = kit.judge(wall(), lambda width, height: {"area": width * height * factor, "paint": 1})
    assert slip.mistake is None
    assert unit in slip.message


def test_a_value_answer_is_judged_and_its_wrong_values_are_named() -> None:
    choice = wall(
        steps=(kit.equals("", 1, lambda *_: "B"),),
        cases=({},),
        reference="B",
        mistakes=(
            kit.Wrong("rate_alone", "C", "You chose by the rate alone."),
            kit.Wrong("unbounded", "A", "No."),
        ),
        draw=None,
    )
    assert kit.judge(choice, "b").passed
    assert kit.judge(choice, "C").mistake == "rate_alone"
    assert kit.judge(choice, "C", fresh=True).mistake == "rate_alone"


def test_numpy_numbers_and_arrays_are_numbers_and_sequences() -> None:
    assert kit.same(np.float64(2.0), 2)
    assert kit.same(np.int64(38), 38)
    assert kit.same(np.array([1, 2]), [1, 2])
    assert kit.same(np.bool_(True), True)
    assert kit.same(1, True)
    assert kit.same(np.int64(0), False)
    assert not kit.same(0, True)
    assert kit.same(np.array(2.0), 2)
    assert not kit.same(np.array([2.0]), 2)


SHAPES = [
    (1, True), (0.0, False), (np.int64(1), True), (" High ", "high"), (pd.Series([1, 2]), [1, 2]),
    (pd.Index(["A", "b"]), {"a", "b"}), ({"a": 1}.keys(), {"a"}), ({"x": 1, "y": 2}.values(), [1, 2]),
    ((1, 0), [True, False]), (np.array([1, 0]), [True, False]), (pd.Series({"x": 1}), {"x": 1}),
    ([1.0000001, 2], [1, 2]), (["B", "a", "b"], {"a", "b"}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), SHAPES)
def test_a_value_in_another_shape_with_no_other_meaning_is_the_same(value: Any, expected: Any) -> None:
    assert kit.same(value, expected, 1e-6)


@pytest.mark.parametrize("shape", [iter, lambda found: (one for one in found), lambda found: map(str, found)])
def test_what_is_given_one_by_one_is_a_list(shape: Any) -> None:
    assert kit.judge(picking(), lambda numbers: shape(sorted(evens(numbers)))).passed
    step = kit.equals("even", 1, lambda case, _: evens(**case))
    parts = wall(steps=(step,), cases=NUMBERS, reference=lambda **case: {"even": evens(**case)}, mistakes=())
    assert kit.judge(parts, lambda numbers: {"even": shape(evens(numbers))}).passed


def test_numbers_without_end_are_cut_or_stopped() -> None:
    verdict = kit.judge(picking(), lambda **_: itertools.count())
    assert verdict.score == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, 1),
        (2, True),
        ("yes", True),
        ("38", 38),
        (float("nan"), float("nan")),
        (38.4, 38),
        ("ab", ["a", "b"]),
    ],
)
def test_values_of_another_kind_are_not_the_same(value: Any, expected: Any) -> None:
    assert not kit.same(value, expected)


def test_an_unknown_exercise_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(ExerciseError, match="05-faded-sizing"):
        mlsd.check("05-faded-sizin", 1)
    assert issubclass(ExerciseError, MlsdError)


def test_a_verdict_shows_itself_and_never_says_that_all_is_correct() -> None:
    shown = kit.judge(wall(), area)._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/markdown"}
    assert "visible checks passed" in shown["text/plain"].lower()
    assert "all correct" not in shown["text/plain"].lower()


def test_in_a_kernel_nbgrader_reads_the_points_from_the_verdict_that_the_page_shows_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verdict = kit.judge(wall(), lambda **_: {"area": 1, "paint": 1})
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=None))
    shown = verdict._repr_mimebundle_()
    output = new_output("execute_result", data=shown)
    cell = new_code_cell(outputs=[output], metadata={"nbgrader": {"grade": True, "points": verdict.points}})
    assert determine_grade(cell) == (verdict.score, verdict.points)
    assert verdict.headline in shown["text/markdown"]


def test_what_a_learner_gave_cannot_break_the_page() -> None:
    nasty = kit.judge(wall(), lambda **_: {"area": "<script>alert(1)</script> **x**", "paint": 1})
    outside_code = nasty._repr_mimebundle_()["text/markdown"].split("`")[::2]
    assert not any("<script>" in text or "**x**" in text for text in outside_code)


def test_an_answer_that_does_not_end_is_stopped_and_said_to_be_endless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def endless(**_: Any) -> None:
        while True:
            with contextlib.suppress(Exception):  # as a learner's own `except Exception` would
                sum(range(1000))

    monkeypatch.setattr(running, "TIME_LIMIT_S", 0.05)
    assert "still running" in kit.judge(wall(), endless).message
    endless.keeps_time = True  # type: ignore[attr-defined]
    assert "still running" in kit.judge(wall(), endless).message


def test_an_answer_in_another_process_is_stopped_there_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TIME_LIMIT_S", 0.02)

    class Far(kit.OutOfProcessAnswer):
        def __call__(self, **case: Any) -> Any:
            time.sleep(0.05)
            return area(**case)

    class Gone(kit.OutOfProcessAnswer):
        def __call__(self, **_: Any) -> Any:
            raise kit.StoppedError("it took too much memory.")

    assert kit.judge(wall(), Far()).passed
    assert "too much memory" in kit.judge(wall(), Gone()).message


def test_a_check_leaves_the_time_limit_around_it_in_force() -> None:
    class LateError(BaseException):
        """What the check itself does not catch."""

    def judged_and_waited() -> None:
        kit.judge(wall(), added)
        time.sleep(5)

    with pytest.raises(LateError), time_limit(0.2, LateError()):
        judged_and_waited()


def test_what_a_step_explains_is_said_where_no_mistake_is_known() -> None:
    fits = kit.Step(
        "area", 1, lambda _case, value, _given: value < 5, explain=lambda _case, value: f"{value} is vast."
    )
    assert "70 is vast." in kit.judge(wall(steps=(fits,), mistakes=()), lambda **_: {"area": 70}).message


def test_a_renamed_parameter_is_told_to_keep_its_name() -> None:
    renamed = kit.judge(wall(), lambda breadth, height: {"area": breadth * height, "paint": 0})
    assert "names of the parameters" in renamed.message
    assert "names of the parameters" not in kit.judge(wall(), lambda **_: [] + 1).message  # type: ignore[operator]


def test_a_case_too_long_for_the_message_says_where_it_is() -> None:
    cut = wall(cases=({"width": 3, "height": 4}, {"width": 2, "height": 2, "notes": ["long"] * 99}))
    said = kit.judge(cut, lambda width, height, notes=(): {"area": width * height + bool(notes), "paint": 1})
    assert "mlsd.exercises.inputs('wall')[1]" in said.message
    assert "mlsd.exercises" not in kit.judge(wall(), added).message


def test_a_case_is_shown_so_that_a_learner_can_call_the_function_with_it() -> None:
    def fits(sizes: dict[str, tuple[int, int]], value: int) -> dict[str, bool]:
        return {"fits": True}

    case = {"sizes": {"width": (2, 3), "share": 0.25, "name": "a wall"}, "value": 4}
    table = wall(steps=(kit.equals("fits", 1, lambda *_: False),), cases=(case,), mistakes=(), reference=fits)
    call = ast.parse(f"fits({kit.judge(table, fits).message.split('`')[1]})", mode="eval").body
    assert isinstance(call, ast.Call)
    assert {one.arg: ast.literal_eval(one.value) for one in call.keywords} == case


@pytest.mark.parametrize(("part", "named"), [("paint", "`paint`"), ("", "your answer")])
def test_an_answer_too_long_for_the_message_is_named_and_not_cut(part: str, named: str) -> None:
    said = kit.judge(
        wall(steps=(kit.equals("", 1, lambda *_: "?", part=part),), mistakes=()),
        lambda **_: {"paint": ["a good part"] * 50},
    ).message
    assert named in said
    assert "a good part" not in said


def test_a_short_answer_is_shown() -> None:
    assert "`area = 7`" in kit.judge(wall(mistakes=()), added).message


def _prints(answer: Any, text: str) -> Any:
    def printing(**case: Any) -> Any:
        print(text, case)
        return answer(**case)

    return printing


@pytest.mark.parametrize("answer", [area, lambda **_: None, lambda **_: 1 / 0])
def test_what_an_answer_prints_is_shown_with_the_verdict(answer: Any) -> None:
    verdict = kit.judge(wall(), _prints(answer, "busy ```` is"))
    assert "busy ```` is" in str(verdict)
    shown = verdict._repr_mimebundle_()["text/markdown"]
    assert "`````text\nbusy" in shown
    assert kit.judge(wall(), answer).printed == ""


def test_what_an_answer_prints_without_end_is_cut() -> None:
    verdict = kit.judge(wall(), lambda **_: [print("x" * 100) for _ in range(10_000)] and None)
    assert len(verdict.printed) == running.MOST_PRINTED


def test_a_case_that_is_hidden_is_not_printed() -> None:
    assert kit.judge(wall(), _prints(area, "seen"), fresh=True, seed=1).printed == ""


def test_a_none_that_the_answer_trips_over_is_said_in_a_sentence() -> None:
    def careless(counts: Any, bucket_s: float, repeated: Any) -> Any:
        return {"peak_rps": max(count / bucket_s for count in counts), "mean_rps": 1}

    assert "is None" in mlsd.check("01-peak", careless).message
