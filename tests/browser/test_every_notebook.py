"""Every lesson and every assignment as a learner meets it: run, predicted, moved, answered, read in both themes.

Notebooks are found by glob. Lessons run in their order in one workspace, so that each goes on with the design that
the one before it wrote.
"""

from pathlib import Path

import pytest

import mlsd_helpers as mlsd
from mlsd_helpers import cli
from mlsd_helpers.grading.synthetic import class_of
from tests.browser import learner
from tests.browser.jupyterlab import needs_chromium, open_notebook

pytestmark = [pytest.mark.browser, needs_chromium]

COURSE = Path(__file__).parents[2]
LESSONS = sorted(path.stem for path in (COURSE / "course").glob("[0-9][0-9]_*.ipynb"))
ASSIGNMENTS = sorted(path.stem for path in (COURSE / "release").glob("[0-9][0-9]_*/*.ipynb"))
PARTS = ("requirements", "planes", "dataflow", "pattern", "capacity")  # written by lessons 01 to 05
WIDTH = 1000 - 15  # a window less a scroll bar, which this browser does not draw
THEMES = ("Light", "Dark")


@pytest.fixture(scope="module")
def desk(lab, chromium):
    opened = open_notebook(chromium, lab, f"{LESSONS[0]}.ipynb", width=WIDTH)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def parts():
    """Give the parts of the design that the lessons which ran so far had to write: all, or those picked by name."""
    return []


@pytest.fixture(scope="module", params=LESSONS)
def lesson(request, desk, parts):
    number = int(request.param[:2])
    parts += PARTS[number - 1 : number] if number else ()
    return run(desk, request.param, f"{request.param}.ipynb")


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def assignment(request, desk):
    return run(desk, request.param, f"assignments/{request.param}/{request.param}.ipynb")


def run(desk, name, path):
    desk.turn_to(path)
    desk.run_all()
    return name, desk


def submit(assignment, student):
    return next(one for one in class_of(COURSE, assignment) if one.student == student)


def test_a_lesson_runs_and_every_question_and_control_answers_to_the_keyboard(lesson):
    _, notebook = lesson
    assert notebook.errors() == []
    assert learner.answer_questions(notebook) > 0
    assert notebook.page.locator(".mlsd-locked:visible").count() == 0
    tell_wide_code(notebook)
    moved, dead = learner.move_controls(notebook)
    print(f"\n{len(moved)} controls moved")
    assert dead == []
    assert notebook.errors() == []
    assert notebook.complaints == []


@pytest.mark.usefixtures("lesson")
def test_a_lesson_writes_its_part_of_a_design_that_is_clean(lab, parts):
    path = lab.root / "harbour_pay.yaml"
    if not parts:
        assert not path.exists()
        return
    design = mlsd.load_design(path)
    missing = [part for part in PARTS if getattr(design, part) is None]
    assert not {*parts} & {*missing}
    assert cli.main(["check", str(path)]) == 0
    assert {found.severity for found in mlsd.review(design)} <= ({"info"} if missing else set())
    assert not mlsd.load_design(lab.root / "design.yaml").model_fields_set & {
        *PARTS
    }  # nobody wrote into the learner's


@pytest.mark.parametrize("theme", THEMES)
def test_a_lesson_reads_well(lesson, theme):
    name, notebook = lesson
    reads_well(name, notebook, theme, f"lesson-{name}-{theme.lower()}")


def test_an_assignment_runs_as_it_is_handed_out(assignment):
    name, notebook = assignment
    assert notebook.errors() == []
    assert learner.said(notebook).keys() == submit(name, "reference").answers.keys()
    for exercise, shown in learner.said(notebook).items():
        assert "Not attempted" in shown, exercise
    tell_wide_code(notebook)
    learner.answer_questions(notebook)
    assert learner.move_controls(notebook)[1] == []


@pytest.mark.parametrize("theme", THEMES)
def test_an_assignment_names_a_mistake_passes_the_right_answer_and_reads_well(assignment, theme):
    name, notebook = assignment
    student = {"Light": "mistaken-1", "Dark": "reference"}[theme]
    submitted = submit(name, student)
    learner.write_answers(notebook, dict(submitted.answers))
    notebook.run_all()
    shown = {exercise: learner.words(text) for exercise, text in learner.said(notebook).items()}
    for exercise in submitted.answers:
        expected = submitted.feedback.get(exercise, "Visible checks passed")
        assert learner.words(expected) in shown[exercise], exercise
    assert notebook.errors() == []
    assert notebook.complaints == []
    reads_well(name, notebook, theme, f"assignment-{name}-{student}")


def tell_wide_code(notebook):
    notebook.attach_all()
    print("\ncode wider than the window:", learner.code_sideways(notebook) or "none")


def reads_well(name, notebook, theme, picture):
    notebook.use_theme(f"JupyterLab {theme}")
    notebook.attach_all()
    notebook.keep_all(picture)
    assert learner.unnamed_pictures(notebook) == []
    assert learner.formulas(notebook) == []
    assert learner.sideways(notebook) == []
    assert notebook.violations(".jp-OutputArea-output, .jp-MarkdownOutput") == []
