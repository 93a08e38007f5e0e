"""Proof of every exercise, present and future: nothing here names one."""

import math
import random
import re
import tracemalloc
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any

import nbformat
import pytest

import mlsd_helpers as mlsd
from mlsd_helpers.exercises import ALL, Exercise, kit, values
from tests.effort import examples, seeds, some

SEEDS = seeds(2)
SOURCE = Path(__file__).parents[2] / "source"
ECHO = re.compile(
    r"^(?:With `[^`]*`: )?(?:your answer is `[^`]*`|(?:your answer|`[^`]*`) is not right yet)\."
)

every_exercise = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
every_mistake = pytest.mark.parametrize(
    ("exercise", "mistake"),
    [(exercise, mistake) for exercise in ALL for mistake in exercise.mistakes],
    ids=lambda it: it.id if isinstance(it, Exercise) else kit.mistake_name(it),
)


@cache
def drawn(exercise_id: str, seed: int) -> kit.CaseSet:
    """Draw fresh cases once for all answers."""
    return kit.CaseSet.fresh(mlsd.exercises.find(exercise_id), seed)


@cache
def shown(exercise_id: str) -> kit.CaseSet:
    """Judge known mistakes on the visible cases once for all answers."""
    exercise = mlsd.exercises.find(exercise_id)
    return kit.CaseSet.of(exercise, exercise.cases)


@cache
def right_on(exercise_id: str) -> list[Any]:
    """Return the reference's answer to each visible case, which nobody may change."""
    exercise = mlsd.exercises.find(exercise_id)
    return [kit.run(exercise.reference, case).value for case in exercise.cases]


def both_ways(exercise: Exercise, answer: Any) -> list[kit.Verdict]:
    """Judge on the fixed cases and on several draws of fresh ones."""
    return [
        kit.judge(exercise, answer, case_set=shown(exercise.id)),
        *(kit.judge(exercise, answer, fresh=True, case_set=drawn(exercise.id, seed)) for seed in SEEDS),
    ]


def test_there_are_exercises_and_their_ids_differ() -> None:
    assert ALL
    assert len({exercise.id for exercise in ALL}) == len(ALL)


def test_every_module_that_holds_an_exercise_is_in_the_order_of_its_lesson(root: Path) -> None:
    folder = root / "mlsd_helpers" / "exercises"
    held = {path for path in folder.glob("*/*.py") if "\nEXERCISE = " in path.read_text(encoding="utf-8")}
    listed = {
        folder / lesson.parent.name / f"{name}.py"
        for lesson in folder.glob("*/__init__.py")
        for name in import_module(f"mlsd_helpers.exercises.{lesson.parent.name}").ORDER
    }
    assert held == listed


@every_exercise
def test_the_reference_and_two_right_answers_that_differ_score_full(exercise: Exercise) -> None:
    assert len(set(map(id, exercise.alternatives))) >= 2
    for answer in (exercise.reference, *exercise.alternatives):
        for verdict in both_ways(exercise, answer):
            assert verdict.passed, f"{answer}: {verdict}"
            assert verdict.score == exercise.points


@every_exercise
def test_the_reference_answers_whatever_is_drawn(exercise: Exercise) -> None:
    """A class has one seed for a term: where one draw in a hundred has no answer, some class has such a term."""
    for number in range(examples(1_000)):
        exercise.reference(**exercise.draw(random.Random(number)))


@every_mistake
def test_a_known_mistake_is_rejected_and_named_with_one_score_on_every_draw(
    exercise: Exercise, mistake: Any
) -> None:
    verdicts = both_ways(exercise, kit.answer_of(mistake))
    assert {verdict.mistake for verdict in verdicts} == {kit.mistake_name(mistake)}
    assert len({verdict.score for verdict in verdicts}) == 1
    assert verdicts[0].score < exercise.points
    assert all(kit.feedback(mistake) in verdict.message for verdict in verdicts)


@every_exercise
def test_feedback_says_something(exercise: Exercise) -> None:
    short = [one for one in exercise.mistakes if len(kit.feedback(one).split()) < 8]
    assert not short


@every_exercise
def test_the_cases_tell_all_known_mistakes_apart(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 2
    assert shown(exercise.id).undistinguished() == []


@every_exercise
def test_a_check_that_is_given_no_cases_judges_on_those_shown(exercise: Exercise) -> None:
    for answer in (exercise.reference, kit.answer_of(exercise.mistakes[-1])):
        assert kit.judge(exercise, answer) == kit.judge(exercise, answer, case_set=shown(exercise.id))


@every_exercise
def test_a_blank_scores_zero_and_counts_as_not_attempted(exercise: Exercise) -> None:
    for blank in (None, ..., lambda **_: None, lambda **_: ...):
        for verdict in both_ways(exercise, blank):
            assert (verdict.score, verdict.attempted, verdict.passed) == (0, False, False)


@every_exercise
def test_a_stub_that_raises_counts_as_not_attempted(exercise: Exercise) -> None:
    def stub(**_: Any) -> None:
        raise NotImplementedError

    assert not kit.judge(exercise, stub).attempted


class Unshowable:
    """A value whose every use raises."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __eq__ = __float__ = __len__ = __iter__ = __bool__ = __repr__  # type: ignore[assignment]
    __hash__ = object.__hash__


def raises(**_: Any) -> Any:
    raise ZeroDivisionError("division by zero")


def leaves(**_: Any) -> Any:
    raise SystemExit(0)


def recurses(**case: Any) -> Any:
    return recurses(**case)


def echoes_its_input(**case: Any) -> Any:
    return case


WRECKS = [
    "text", "", b"bytes", 0, -1, 38, math.nan, math.inf, 10**400, True, [], [1, 2, 3], {}, {"unheard of": 1},
    object(), {1, 2}, Unshowable(), raises, leaves, recurses, echoes_its_input, print, int, type, lambda: 1,
    lambda **_: math.nan, lambda **_: Unshowable(), lambda **_: "text", lambda **_: [None],
    lambda **_: {"": None},
]  # fmt: skip


@every_exercise
def test_a_wreck_gets_a_plain_message_and_no_points(exercise: Exercise) -> None:
    wrong = []
    for wreck in WRECKS:
        verdict = kit.judge(exercise, wreck, case_set=shown(exercise.id))
        plain = "Traceback" not in verdict.message and 0 < len(verdict.message) < 800
        if verdict.score or not plain:
            wrong.append((type(wreck).__name__, verdict))
    assert not wrong


@every_exercise
def test_an_answer_with_absurd_parts_gets_a_plain_message(exercise: Exercise) -> None:
    parts = parts_of(exercise)
    for absurd in (math.nan, "text", None, -1, [], {}, Unshowable(), 10**400):
        answer = partial(dict.fromkeys, parts, absurd)
        verdict = kit.judge(exercise, lambda answer=answer, **_: answer(), case_set=shown(exercise.id))
        assert verdict.score < exercise.points
        assert "Traceback" not in verdict.message


def parts_of(exercise: Exercise) -> list[str]:
    return list(dict.fromkeys(step.key for step in exercise.steps if step.key))


def in_shape(exercise: Exercise, value: Any) -> list[Any]:
    """Return answers that give a value whatever they are given: as the whole, and as each part."""
    parts = parts_of(exercise)
    return [lambda **_: value, *([lambda **_: dict.fromkeys(parts, value)] if parts else [])]


CONSTANTS = [
    0, 1, -1, 2, 1e-3, 1e9, "", "A", "yes", [], {}, set(), True, False, [0], [1], [0] * 9, [1] * 9, [True] * 9,
]  # fmt: skip


@every_exercise
def test_a_constant_earns_at_most_a_quarter(exercise: Exercise) -> None:
    answers = [answer for constant in some(CONSTANTS) for answer in in_shape(exercise, constant)]
    case_set = drawn(exercise.id, 1)
    right = [kit.run(exercise.reference, case).value for case in case_set.cases[:5]]
    for answer in (*answers, *(lambda one=one, **_: one for one in right)):
        assert kit.judge(exercise, answer, fresh=True, case_set=case_set).score <= exercise.points / 4


def named_in(value: Any) -> list[str]:
    """Return every text in a case, and nothing twice: all that an answer could name."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return list(dict.fromkeys(name for one in inside for name in named_in(one)))


def entries_of(case: Any) -> list[str]:
    """Return what stands in a case under `id` or `name`, and the texts of its lists."""
    entries = [one for value in case.values() if isinstance(value, list) for one in value]
    keys = [one.get("id", one.get("name")) if isinstance(one, dict) else one for one in entries]
    return [key for key in keys if isinstance(key, str)]


@every_exercise
@pytest.mark.parametrize("everything", [named_in, entries_of, lambda case: range(40)])
def test_to_name_everything_earns_at_most_a_quarter(exercise: Exercise, everything: Any) -> None:
    parts = parts_of(exercise)
    for answer in (
        lambda **case: list(everything(case)),
        lambda **case: set(everything(case)),
        lambda **case: {part: list(everything(case)) for part in parts},
        lambda **case: {part: set(everything(case)) for part in parts},
    ):
        verdict = kit.judge(exercise, answer, fresh=True, case_set=drawn(exercise.id, 1))
        assert verdict.score <= exercise.points / 4


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = {
    "many numbers": [0] * 100_000,
    "as many numbers as are judged": [1] * (values.MOST_ENTRIES - 1),
    "many names": {f"n{at}" for at in range(100_000)},
    "as many names as are judged": [f"n{at}" for at in range(values.MOST_ENTRIES - 1)],
    "equal hashes": [at * (2**61 - 1) for at in range(1, values.MOST_ENTRIES - 1)],
    "many keys": {at: at for at in range(100_000)},
    "unknown fields": {f"k{at}": "data" for at in range(values.MOST_ENTRIES // 3)},
    "many rows": [{"id": f"c{at}", "kind": "model server"} for at in range(20_000)],
    "a huge whole number": 10**4000,
    "a number near the largest": 1e308,
    "a number near the smallest": 5e-324,
    "a million": 1_000_000,
    "below zero": -1e9,
    "no number": math.nan,
    "deep": nested(60),
    "a long text": "x" * 4_000_000,
    "a text of signs": "<`[" * 16_000,
    "a range": range(10**9),
}


@every_exercise
def test_a_hostile_value_gets_a_finite_score_and_a_short_message(exercise: Exercise) -> None:
    answers = [answer for value in some(HOSTILE.values()) for answer in in_shape(exercise, value)]
    for at, key in enumerate(parts_of(exercise)):  # one part is hostile, the others are right

        def mixed(key: str = key, *, value: Any, **case: Any) -> Any:
            right = kit.run(exercise.reference, case).value
            return {**(right if isinstance(right, dict) else vars(right)), key: value}

        answers += [partial(mixed, value=value) for value in some(HOSTILE.values(), at + 1)]
    for answer in answers:
        verdict = kit.judge(exercise, answer, case_set=shown(exercise.id))
        assert 0 <= verdict.score < exercise.points
        assert len(verdict.message) < 2_500


@every_exercise
def test_the_size_of_a_value_does_not_cost_the_judge(exercise: Exercise) -> None:
    """In memory, where a list times a number once took gigabytes."""
    case_set = shown(exercise.id)
    for value in (HOSTILE["many numbers"], HOSTILE["many names"]):
        for answer in in_shape(exercise, value):
            tracemalloc.start()
            kit.judge(exercise, answer, case_set=case_set)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 20e6


@every_exercise
def test_an_honest_answer_is_far_below_what_is_judged(
    exercise: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "MOST_ENTRIES", values.MOST_ENTRIES // 3)
    monkeypatch.setattr(values, "MOST_TEXT", values.MOST_TEXT // 10)
    for answer in (exercise.reference, *exercise.alternatives):
        assert kit.judge(exercise, answer, fresh=True, case_set=drawn(exercise.id, 1)).passed


@every_exercise
def test_an_answer_typed_in_for_the_visible_cases_fails_the_hidden_ones(exercise: Exercise) -> None:
    table = {
        repr(dict(case)): right for case, right in zip(exercise.cases, right_on(exercise.id), strict=True)
    }

    def typed_in(**case: Any) -> Any:
        return table.get(repr(case), next(iter(table.values())))

    assert kit.judge(exercise, typed_in).passed
    for seed in SEEDS:
        case_set = drawn(exercise.id, seed)
        assert kit.judge(exercise, typed_in, fresh=True, case_set=case_set).score < exercise.points


@every_exercise
def test_an_answer_that_changes_its_input_changes_nothing_for_the_judge(exercise: Exercise) -> None:
    def greedy(**case: Any) -> Any:
        answer = kit.run(exercise.reference, case).value
        for value in case.values():
            if isinstance(value, dict):
                value.clear()
        case.clear()
        return answer

    assert kit.judge(exercise, greedy).passed


@every_exercise
def test_printing_and_warning_cost_nothing(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    def noisy(**case: Any) -> Any:
        import sys
        import warnings

        warnings.warn("harmless", stacklevel=1)
        print("on the way", file=sys.stderr)
        return kit.run(exercise.reference, case).value

    assert kit.judge(exercise, noisy).passed
    assert capsys.readouterr().err == ""


@every_exercise
def test_a_visible_check_never_says_the_right_value(exercise: Exercise) -> None:
    """Nor with a mistake's feedback taken away, as for a wrong answer that nobody has named yet."""
    case_set = shown(exercise.id)
    unnamed = replace(case_set, exercise=replace(exercise, mistakes=()), known=())
    for mistake, marks in zip(exercise.mistakes, case_set.known, strict=True):
        step = next(step for step in exercise.steps if not marks.step_passed(step))
        rights = [right for right in map(step.value, right_on(exercise.id)) if kit.is_number(right)]
        numbers = [number for right in rights if len(number := f"{right:.4g}") > 1]
        for judged in (case_set, unnamed) if numbers else ():
            message = kit.judge(judged.exercise, kit.answer_of(mistake), case_set=judged).message
            verdict_text = ECHO.sub("", message)
            for number in numbers:
                assert not re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.])", verdict_text), message


@every_exercise
def test_hints_form_a_ladder(exercise: Exercise) -> None:
    assert len(exercise.hints) >= 3
    assert all(len(hint.split()) >= 6 for hint in exercise.hints)
    given = [mlsd.hint(exercise.id).text for _ in exercise.hints]
    assert sorted(given) == sorted(exercise.hints)
    assert mlsd.hint(exercise.id).text == given[0]


# ---- two mistakes in one answer -------------------------------------------------------------------


def touched(exercise: Exercise, mistake: Any) -> set[str]:
    return shown(exercise.id).touched(mistake)


def together(exercise: Exercise, mistakes: list[Any]) -> Any:
    """Return an answer that makes each mistake in its own steps, and goes on from there as is right."""

    def answer(**case: Any) -> Any:
        given: dict[str, Any] = {}
        parts: dict[str, Any] = {}
        for step in exercise.steps:
            assert step.expected
            value = step.expected(case, given)
            for one in mistakes:
                if step.name in touched(exercise, one):
                    made = kit.run(kit.answer_of(one), case).value
                    slip = one.values.get(step.name) if isinstance(one, kit.Slip) else None
                    value = slip(case, given) if slip else step.value(made)
            parts[step.key] = given[step.name] = value
        return parts

    return answer


in_steps = pytest.mark.parametrize(
    "exercise",
    [
        one
        for one in ALL
        if len(one.steps) > 1
        and all(step.expected and step.key for step in one.steps)
        and len({step.key for step in one.steps}) == len(one.steps)
    ],
    ids=lambda exercise: exercise.id,
)


def answers_alike(exercise: Exercise, one: Any, other: Any) -> bool:
    cases = drawn(exercise.id, 1).cases
    return all(kit.same(kit.run(one, case).value, kit.run(other, case).value, 1e-6) for case in cases)


@in_steps
def test_a_slip_is_what_its_function_gives(exercise: Exercise) -> None:
    for slip in (one for one in exercise.mistakes if isinstance(one, kit.Slip)):
        assert touched(exercise, slip) == set(slip.values)
        answer = together(exercise, [slip])
        assert kit.judge(exercise, answer, case_set=shown(exercise.id)).mistakes == (kit.mistake_name(slip),)


@in_steps
def test_a_mistake_is_named_beside_every_mistake_in_other_steps(exercise: Exercise) -> None:
    unnamed = []
    for pair in combinations(exercise.mistakes, 2):
        one, other = (touched(exercise, mistake) for mistake in pair)
        if one & other:
            continue
        answer = together(exercise, list(pair))
        names = set(map(kit.mistake_name, pair))
        marks = kit.mark(exercise, answer, drawn(exercise.id, 1).cases)
        failed = {step.name for step in exercise.steps if not marks.step_passed(step)}
        named = set(kit.judge(exercise, answer, case_set=drawn(exercise.id, 1)).mistakes)
        seen = set(kit.judge(exercise, answer, case_set=shown(exercise.id)).mistakes)
        hidden = not failed >= one | other or any(
            answers_alike(exercise, answer, together(exercise, [*others, third]))
            for others in ([pair[0]], [pair[1]])
            for third in exercise.mistakes
            if third not in pair
        )
        if not seen <= names or not named <= names or (not hidden and named != names):
            unnamed.append((*names, named, seen))
    assert not unnamed


# ---- what the statement says, and what is drawn ----------------------------------------------------


def statement(exercise: Exercise) -> str:
    """Return the text of an exercise without its title and its line of minutes."""
    path = SOURCE / exercise.assignment / f"{exercise.assignment}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    ours = [
        one.source
        for one in cells
        if one.cell_type == "markdown"
        and one.metadata.get("nbgrader", {}).get("grade_id", "").startswith(f"{exercise.id}-")
    ]
    text = re.sub(r"^\*About \d.*?\*$", "", "\n\n".join(ours), flags=re.DOTALL | re.MULTILINE)
    return "\n".join(line for line in text.splitlines() if not re.match(r"#|\|[-| ]+$", line))


def sentences(text: str) -> list[str]:
    """Return the sentences, entries of lists and rows of tables of a text, without code blocks."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*] |\||\d+\. ))", text)
    found = [one for block in blocks for one in re.split(r"(?<=[.?!])\s+(?=\S)", block)]
    return [one for one in map(plain, found) if any(map(str.isalpha, one))]


def plain(text: str) -> str:
    return " ".join(text.split())


@every_exercise
def test_each_sentence_of_a_statement_has_a_stratum_or_is_general(exercise: Exercise) -> None:
    said = [plain(words) for words in (*(one.says for one in exercise.strata), *exercise.general)]
    assert [one for one in sentences(statement(exercise)) if not any(words in one for words in said)] == []
    assert [words for words in said if words not in plain(statement(exercise))] == []


@every_exercise
def test_no_stratum_holds_for_every_case(exercise: Exercise) -> None:
    cases = drawn(exercise.id, 1).cases
    assert [one.says for one in exercise.strata if all(map(one.holds, cases))] == []


def graded_cells() -> dict[str, tuple[str, Any]]:
    cells = {}
    for path in sorted(SOURCE.glob("*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            meta = cell.metadata.get("nbgrader", {})
            if meta.get("grade"):
                cells[meta["grade_id"]] = (path.parent.name, cell)
    return cells


def test_each_exercise_is_one_graded_cell_and_each_graded_cell_an_exercise() -> None:
    assert set(graded_cells()) == {exercise.id for exercise in ALL}


@every_exercise
def test_the_graded_cell_carries_the_points_and_judges_on_fresh_cases(exercise: Exercise) -> None:
    assignment, cell = graded_cells()[exercise.id]
    hidden = re.search(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", cell.source, re.DOTALL)
    assert assignment == exercise.assignment
    assert cell.metadata.nbgrader.points == exercise.points
    assert hidden
    assert f'check("{exercise.id}"' in hidden[1]
    assert "fresh=True" in hidden[1]
    assert cell.source.rstrip().endswith("### END HIDDEN TESTS")  # so that the verdict is the last value
