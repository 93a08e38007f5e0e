"""The learner's road in a real JupyterLab: the workspace, the lesson, an exercise answered wrongly and rightly."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from mlsd_helpers import workspace
from mlsd_helpers.design import load_design
from mlsd_helpers.exercises import ALL, Exercise, kit
from mlsd_helpers.exercises.capacity import faded_sizing
from mlsd_helpers.grading.synthetic import class_of
from tests.browser.jupyterlab import Lab, Notebook, browser, needs_chromium, open_notebook, running_lab

COURSE = Path(__file__).parents[2]
LESSON = "05_capacity"
EXERCISE = faded_sizing.EXERCISE

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Serve the workspace that `mlsd lab` makes."""
    folder = tmp_path_factory.mktemp("learner") / "workspace"
    workspace.make(COURSE, folder)
    with running_lab(folder) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def test_the_lesson_runs_and_its_view_opens_after_a_prediction(lab: Lab, chromium: Browser) -> None:
    lesson = open_notebook(chromium, lab, f"{LESSON}.ipynb")
    lesson.screenshot("lesson-1-opened")
    lesson.run_all()
    assert lesson.errors() == []
    lesson.screenshot("lesson-2-run")

    view = widget(lesson, "Capacity explorer")
    expect(view.get_by_role("slider")).to_have_count(0)
    ask = widget(lesson, "1,000 requests/s of 50 ms")
    ask.get_by_role("spinbutton").or_(ask.get_by_role("textbox")).fill("90")
    ask.get_by_role("button").click()
    expect(ask).to_contain_text("57")
    show(ask)
    lesson.screenshot("lesson-3-predicted")

    rate = view.get_by_role("slider", name="rate")
    picture = view.get_by_role("img")
    rate.scroll_into_view_if_needed()
    before = picture.get_attribute("aria-label")
    rate.focus()
    lesson.page.keyboard.press("ArrowLeft")
    expect(picture).not_to_have_attribute("aria-label", str(before))
    show(view)
    lesson.screenshot("lesson-4-moved")

    plan = load_design(lab.root / "design.yaml").capacity
    assert plan is not None
    assert plan.replicas
    assert lesson.complaints == []


def test_a_wrong_answer_is_named_then_a_right_one_passes_then_the_notebook_validates(
    lab: Lab, chromium: Browser
) -> None:
    path = f"assignments/{LESSON}/{LESSON}.ipynb"
    hand_in = open_notebook(chromium, lab, path)
    right = next(one for one in class_of(COURSE, LESSON) if one.student == "reference").answers

    answer(hand_in, EXERCISE, right[EXERCISE.id].replace("busy / target", "busy * target"))
    said = kit.feedback(faded_sizing.multiplied_by_utilisation)
    expect(check(hand_in, EXERCISE)).to_contain_text(said.replace("*", ""))
    hand_in.screenshot("exercise-1-mistake-named")

    for exercise in (one for one in ALL if one.assignment == LESSON):
        answer(hand_in, exercise, right[exercise.id])
        expect(check(hand_in, exercise)).to_contain_text("Visible checks passed")
    hand_in.screenshot("exercise-2-passed")

    hand_in.page.get_by_role("button", name="Validate").click()
    verdict = hand_in.page.get_by_role("dialog")
    expect(verdict).to_contain_text("Success", timeout=120_000)
    hand_in.screenshot("exercise-3-validated")


def widget(notebook: Notebook, words: str) -> Locator:
    """Return the output area of the widget that says these words."""
    return notebook.page.locator(".jp-OutputArea-output", has_text=words).first


def show(where: Locator) -> None:
    where.evaluate("element => element.scrollIntoView({block: 'center'})")


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
