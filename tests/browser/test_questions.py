"""What a learner's answers leave: the keyboard works on, and what was asked and said can be read later."""

import pytest
from playwright.sync_api import expect

from tests.browser.jupyterlab import CURRENT, needs_chromium, open_cells, open_notebook

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """import mlsd_helpers as mlsd
mlsd.widgets.Prediction("How long is the p99?", "ms", truth=593.6, because="A queue for each replica.")""",
    """mlsd.widgets.Choice("Which failure?", ["a restart", "a lost zone"], answer="a restart",
       because="29 stay.", feedback={"a lost zone": "That leaves 25."})""",
    "mlsd.widgets.StakeholderInterview()",
    "mlsd.widgets.CapacityExplorer()",
    "mlsd.widgets.FirstQueue()",
    "print('the end')",
)
ACTIVE = f"() => {CURRENT}.content.activeCellIndex"
MODE = f"() => {CURRENT}.content.mode"
FOCUSED = f"() => {CURRENT}.content.node.contains(document.activeElement) && !document.activeElement.closest('.mlsd')"
COUNT = f"index => {CURRENT}.content.model.cells.get(index).executionCount"


@pytest.fixture(scope="module")
def notebook(lab, chromium):
    with open_cells(chromium, lab, "questions", CELLS, height=3000) as opened:
        yield opened


def answer(notebook):
    page = notebook.page
    field = page.get_by_label("How long is the p99?")
    if field.is_editable():
        field.fill("100")
        notebook.press("Enter")
        expect(page.locator(".mlsd-prediction .mlsd-problem")).to_contain_text("100 ms")
        field.fill("0.1 s")
        notebook.press("Enter")
        expect(page.locator(".mlsd-prediction .mlsd-verdict")).to_contain_text("593.6")
        page.locator(".mlsd-choice").get_by_label("a lost zone").focus()
        notebook.press("Space", "Enter")
        expect(page.locator(".mlsd-choice .mlsd-verdict")).to_contain_text("That leaves 25.")


CONTROLS = (
    (0, ".mlsd-prediction input"),
    (0, ".mlsd-prediction button"),
    (1, ".mlsd-choice input:enabled"),
    (1, ".mlsd-choice button"),
    (2, ".mlsd-interview input"),
    (2, ".mlsd-interview button"),
    (3, ".mlsd-capacity input"),
    (4, ".mlsd-first button"),
)


@pytest.mark.parametrize(("cell", "control"), CONTROLS)
def test_escape_and_shift_enter_in_a_widget_do_what_they_do_in_the_notebook(notebook, cell, control):
    page = notebook.page
    page.locator(control).first.focus()
    notebook.press("Escape")
    assert page.evaluate(FOCUSED)
    assert (page.evaluate(ACTIVE), page.evaluate(MODE)) == (cell, "command")
    notebook.press("ArrowDown")
    assert page.evaluate(ACTIVE) == cell + 1
    before = page.evaluate(COUNT, cell)
    page.locator(control).first.focus()
    notebook.press("Shift+Enter")
    page.wait_for_function(f"([i, n]) => ({COUNT})(i) > n", arg=[cell, before])
    assert page.evaluate(ACTIVE) == cell + 1
    notebook.wait_idle()


def test_escape_first_cancels_what_a_view_has_begun(lab, chromium):
    sketch = """import mlsd_helpers as mlsd
mlsd.widgets.PlanesCanvas(mlsd.cases.load("harbour_pay").planes)"""
    with open_cells(chromium, lab, "begun", (sketch, "1"), height=2000) as opened:
        box = opened.page.locator(".mlsd-canvas svg [tabindex='0']:has(.ring)").first
        box.focus()
        opened.press("Enter", "Escape")
        assert not opened.page.evaluate(FOCUSED)
        opened.press("Escape")
        assert opened.page.evaluate(FOCUSED)


def test_after_an_answer_shift_enter_goes_on(notebook):
    answer(notebook)
    notebook.page.get_by_label("How long is the p99?").focus()
    notebook.press("Escape", "ArrowDown", "Shift+Enter")
    assert notebook.page.evaluate(ACTIVE) == 2
    notebook.wait_idle()


def test_what_was_answered_is_hidden_while_the_view_lives_and_read_once_it_is_gone(lab, chromium):
    with open_cells(chromium, lab, "kept", CELLS, height=3000) as opened:
        answer(opened)
        records = opened.page.locator(".mlsd-record")
        expect(records.first).to_be_hidden()
        opened.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        opened.page.wait_for_function(f"() => !{CURRENT}.context.model.dirty")
        opened.page.evaluate(f"() => {CURRENT}.sessionContext.session.kernel.restart()")
        for kind in ("prediction", "choice", "interview", "capacity"):
            expect(opened.page.locator(f".mlsd-{kind} .mlsd-gone")).to_contain_text("Run this cell again")
    again = open_notebook(chromium, lab, "kept.ipynb", height=3000)
    records = again.page.locator(".mlsd-record")
    expect(records).to_have_count(5)
    for said in ("How long is the p99?", "100 ms", "593.6 ms", "A queue for each replica."):
        expect(records.nth(0)).to_contain_text(said)
    for said in ("Which failure?", "a restart", "You chose: a lost zone", "That leaves 25."):
        expect(records.nth(1)).to_contain_text(said)
    for unanswered in (2, 3, 4):
        expect(records.nth(unanswered)).to_contain_text("Run this cell again")
    for record in records.all():
        expect(record).to_be_visible()
    again.complaints.clear()  # JupyterLab complains about each view without its model
    again.close()
