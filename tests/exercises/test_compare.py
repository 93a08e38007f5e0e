"""Who has solved an exercise sees how others solve it; nobody else does."""

import ast

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import mlsd_helpers as mlsd
from mlsd_helpers.exercises import ALL
from mlsd_helpers.exercises.comparing import Solutions, solutions


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_each_answer_is_shown_as_code_that_calls_nothing_of_its_module_that_is_not_shown(exercise):
    for source, answer in zip(
        solutions(exercise).sources, (exercise.reference, *exercise.alternatives), strict=True
    ):
        tree = ast.parse(source)
        shown = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert answer.__name__ in shown
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert all(name in shown or not name.startswith("_") for name in called)


def test_a_right_answer_is_met_by_other_answers_and_a_wrong_or_blank_one_by_its_verdict():
    exercise = mlsd.exercises.find("05-headroom")
    assert isinstance(mlsd.compare(exercise.id, exercise.alternatives[0]), Solutions)
    for answer in (exercise.mistakes[0], None, lambda **_: {}):
        verdict = mlsd.compare(exercise.id, answer)
        assert not verdict.passed
        assert exercise.reference.__name__ not in str(verdict)


def completed(shell, line):
    """Return what a learner is offered who presses Tab."""
    with provisionalcompleter():
        return {one.text for one in shell.Completer.completions(line, len(line))}


def test_completion_offers_a_learner_no_answer():
    shell = InteractiveShell()
    shell.run_cell("import mlsd_helpers as mlsd")
    assert completed(shell, "mlsd.exercises.") == {"check", "compare", "hint", "inputs"}
    shell.run_cell("asked = mlsd.exercises.find('03-trace')")
    assert "hints" in completed(shell, "asked.")
    assert not completed(shell, "asked.") & {"reference", "alternatives", "mistakes", "steps"}
