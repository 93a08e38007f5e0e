"""An exercise answered by hand: typed over what stands there, checked, mended, and validated by nbgrader's button."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from mlsd_helpers.exercises import Exercise, kit
from mlsd_helpers.exercises.capacity import faded_sizing
from mlsd_helpers.grading.synthetic import class_of
from tests.browser.jupyterlab import Lab, Notebook, needs_chromium, open_notebook
from tests.browser.learner import write_answers

COURSE = Path(__file__).parents[2]
LESSON = "05_capacity"
EXERCISE = faded_sizing.EXERCISE

pytestmark = [pytest.mark.browser, needs_chromium]


def test_a_wrong_answer_is_named_then_a_right_one_passes_then_the_notebook_validates(
    lab: Lab, chromium: Browser
) -> None:
    submission = open_notebook(chromium, lab, f"assignments/{LESSON}/{LESSON}.ipynb")
    right = next(one for one in class_of(COURSE, LESSON) if one.student == "reference").answers
    write_answers(submission, {one: source for one, source in right.items() if one != EXERCISE.id})

    answer(submission, EXERCISE, right[EXERCISE.id].replace("busy / target", "busy * target"))
    said = kit.feedback(faded_sizing.multiplied_by_utilisation)
    expect(check(submission, EXERCISE)).to_contain_text(said.replace("*", ""))
    answer(submission, EXERCISE, right[EXERCISE.id])
    expect(check(submission, EXERCISE)).to_contain_text("Visible checks passed")

    submission.page.get_by_role("button", name="Validate").click()
    verdict = submission.page.get_by_role("dialog")
    expect(verdict).to_contain_text("Success", timeout=120_000)
    submission.screenshot("exercise-validated")
    assert submission.complaints == []
    submission.close()


def cell(notebook: Notebook, grade_id: str) -> Locator:
    """Scroll to the cell with this grade_id and return it."""
    find = """id => {
        const notebook = window.jupyterapp.shell.currentWidget.content;
        const index = notebook.widgets.findIndex(
            cell => (cell.model.getMetadata('nbgrader') ?? {}).grade_id === id);
        notebook.activeCellIndex = index;
        return notebook.scrollToItem(index, 'center').then(() => index);
    }"""
    index = notebook.page.evaluate(find, grade_id)
    return notebook.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')


def answer(notebook: Notebook, exercise: Exercise, source: str) -> None:
    """Type an answer over what stands in the cell, and run it."""
    cell(notebook, f"{exercise.id}-answer").locator(".cm-content").click()
    notebook.page.keyboard.press("ControlOrMeta+a")
    notebook.page.keyboard.insert_text(source.rstrip())
    notebook.page.keyboard.press("Shift+Enter")
    notebook.wait_idle()


def check(notebook: Notebook, exercise: Exercise) -> Locator:
    """Run the check of an exercise, after the imports, and return what it shows."""
    cell(notebook, "05-imports").locator(".cm-content").click()
    notebook.page.keyboard.press("Shift+Enter")
    checked = cell(notebook, exercise.id)
    checked.locator(".cm-content").click()
    notebook.page.keyboard.press("Shift+Enter")
    notebook.wait_idle()
    return cell(notebook, exercise.id).locator(".jp-OutputArea")
