"""The plane canvas as a learner meets it: drawn, reviewed and broken by keyboard, and by mouse."""

import pytest
from playwright.sync_api import expect

from mlsd_helpers import cases
from tests.browser.jupyterlab import needs_chromium, open_cells

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """import mlsd_helpers as mlsd
canvas = mlsd.widgets.PlanesCanvas(mlsd.cases.load("harbour_pay").planes)
canvas""",
    'mlsd.figures.sketch(canvas.planes, killed="features")',
)

ARROWS = len(cases.load("harbour_pay").planes.flows)


@pytest.fixture(scope="module")
def notebook(lab, chromium):
    with open_cells(chromium, lab, "planes", CELLS, height=1900) as opened:
        yield opened


def box(notebook, name):
    return notebook.page.locator(f'[data-key="box:{name}"]')


def test_a_box_is_killed_and_revived_by_keyboard(notebook):
    box(notebook, "features").focus()
    notebook.press("k")
    expect(box(notebook, "scorer")).to_contain_text("falls back")
    expect(notebook.page.locator(".mlsd-blast")).to_contain_text("Falls back: scorer")
    expect(box(notebook, "features")).to_be_focused()
    expect(box(notebook, "scorer")).to_have_accessible_name("scorer, model server, serving plane, falls back")
    notebook.press("k")
    expect(box(notebook, "scorer")).to_contain_text("model server")


def test_an_arrow_is_drawn_guarded_and_removed_by_keyboard(notebook):
    canvas = notebook.page.locator(".mlsd-canvas")
    arrows = canvas.locator(".flow")
    expect(arrows).to_have_count(ARROWS)
    box(notebook, "gateway").focus()
    notebook.press("Enter")
    expect(canvas.locator(".mlsd-status")).to_contain_text("Arrow starts at gateway")
    box(notebook, "features").focus()
    notebook.press("Enter")
    expect(arrows).to_have_count(ARROWS + 1)
    expect(canvas.locator(".mlsd-findings")).to_contain_text("PLANE006")
    canvas.locator(f'[data-key="arrow:{ARROWS}"]').focus()
    canvas.get_by_role("textbox", name="timeout (ms)").fill("30")
    canvas.get_by_role("textbox", name="fallback").fill("Decline")
    notebook.press("Enter")
    expect(canvas.locator(".mlsd-headline")).to_have_text("Review: no error and no warning.")
    canvas.locator(f'[data-key="arrow:{ARROWS}"]').focus()
    notebook.press("Delete")
    expect(arrows).to_have_count(ARROWS)


def test_an_arrow_that_was_begun_can_be_given_up(notebook):
    box(notebook, "gateway").focus()
    notebook.press("Enter", "Escape")
    expect(notebook.page.locator(".mlsd-canvas .mlsd-status")).to_contain_text("Cancelled")
    expect(notebook.page.locator(".flow")).to_have_count(ARROWS)


def test_a_box_moves_by_arrow_keys_and_keeps_the_focus(notebook):
    before = box(notebook, "rules").get_attribute("transform")
    box(notebook, "rules").focus()
    notebook.press("ArrowRight", "ArrowRight")
    expect(box(notebook, "rules")).not_to_have_attribute("transform", before)
    expect(box(notebook, "rules")).to_be_focused()


def test_a_box_is_added_and_removed(notebook):
    canvas = notebook.page.locator(".mlsd-canvas")
    canvas.get_by_label("New box").fill("limits")
    canvas.get_by_label("Kind").select_option("kill switch")
    canvas.get_by_role("button", name="Add", exact=True).click()
    expect(box(notebook, "limits")).to_contain_text("kill switch")
    box(notebook, "limits").focus()
    notebook.press("Delete")
    expect(box(notebook, "limits")).to_have_count(0)
    canvas.get_by_role("button", name="Undo", exact=True).click()
    expect(box(notebook, "limits")).to_have_count(1)
    canvas.get_by_role("button", name="Undo", exact=True).click()
    expect(box(notebook, "limits")).to_have_count(0)


def drag(notebook, start, end):
    """Hovering waits for a box that is just being drawn again."""
    start.hover()
    notebook.page.mouse.down()
    end.hover()
    notebook.page.mouse.up()


def test_a_box_is_dragged_and_an_arrow_is_drawn_by_mouse(notebook):
    before = box(notebook, "canary").get_attribute("transform")
    drag(notebook, box(notebook, "canary").locator(".name"), box(notebook, "quality"))
    expect(box(notebook, "canary")).not_to_have_attribute("transform", before)
    drag(notebook, box(notebook, "delivery").locator(".dot"), box(notebook, "retrain").locator(".name"))
    expect(notebook.page.locator(".flow")).to_have_count(ARROWS + 1)
    notebook.page.locator(".mlsd-canvas").get_by_role("button", name="Undo", exact=True).click()
    expect(notebook.page.locator(".flow")).to_have_count(ARROWS)


def test_a_key_on_the_canvas_is_no_shortcut_of_the_notebook(notebook):
    box(notebook, "gateway").focus()
    notebook.press("b", "a")  # would insert cells
    expect(notebook.page.locator(".jp-CodeCell")).to_have_count(len(CELLS))


def test_what_a_new_arrow_carries_is_chosen_before(notebook):
    canvas = notebook.page.locator(".mlsd-canvas")
    carries = canvas.get_by_label("New arrows carry")
    carries.focus()
    notebook.press("ArrowDown")
    chosen = carries.input_value()
    box(notebook, "gateway").focus()
    notebook.press("Enter")
    box(notebook, "rules").focus()
    notebook.press("Enter")
    drawn = canvas.locator(f'[data-key="arrow:{ARROWS}"]')
    drawn.focus()
    expect(canvas.get_by_label("carries", exact=True)).to_have_value(chosen)
    notebook.press("Delete")
    expect(canvas.locator(".flow")).to_have_count(ARROWS)


def test_axe_finds_nothing_while_a_box_is_dead(notebook):
    box(notebook, "features").focus()
    notebook.press("k")
    expect(notebook.page.locator(".mlsd-blast")).to_contain_text("features is dead")
    assert notebook.violations(".mlsd") == []
    notebook.screenshot("planes-dead")
