"""The widgets as a learner meets them: in a real JupyterLab, by keyboard."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import expect

from mlsd_helpers import figures
from tests.browser.jupyterlab import browser, needs_chromium, open_notebook, running_lab

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """from mlsd_helpers import figures
from mlsd_helpers.widgets import CapacityExplorer, Choice, Prediction
prediction = Prediction("How long is the p99?", "ms", truth=lambda: 500 + 93.6, because="A queue for each replica.")
prediction""",
    "CapacityExplorer(prediction=prediction)",
    """Choice("Which failure does it pay for?", ["a restart", "a lost zone"], answer="a restart",
       because="29 stay.", feedback={"a lost zone": "That leaves 25."})""",
    "figures.wait_by_replicas(500, 0.040)",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("widgets")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    live = new_notebook(cells=[new_code_cell(cell) for cell in CELLS], metadata=kernel)
    nbformat.write(live, root / "live.ipynb")
    nbformat.write(new_notebook(cells=[stored_figure()], metadata=kernel), root / "stored.ipynb")
    with running_lab(root) as started:
        yield started


def stored_figure():
    data = figures.wait_by_replicas(500, 0.040)._repr_mimebundle_()
    return new_code_cell("figure", outputs=[new_output("execute_result", data=data, execution_count=1)])


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture
def notebook(lab, chromium):
    opened = open_notebook(chromium, lab, "live.ipynb", width=1200, height=2600)
    opened.run_all()
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []
    opened.page.close()


def press(notebook, *keys):
    for key in keys:
        notebook.page.keyboard.press(key)


def lock_in(notebook, number):
    notebook.page.get_by_label("How long is the p99?").fill(number)
    press(notebook, "Enter")


def test_the_truth_is_nowhere_on_the_page_until_a_number_is_locked_in(notebook):
    assert "593.6" not in notebook.page.content()
    lock_in(notebook, "about 100")
    expect(notebook.page.locator(".mlsd-problem").first).to_contain_text("not a number")
    lock_in(notebook, "100")
    expect(notebook.page.locator(".mlsd-prediction .mlsd-verdict")).to_contain_text("593.6")


def test_the_explorer_opens_with_the_lock_and_its_parts_move_together_by_keyboard(notebook):
    explorer = notebook.page.locator(".mlsd-capacity")
    expect(explorer.get_by_role("slider")).to_have_count(0)
    lock_in(notebook, "100")
    plot, formula = explorer.get_by_role("img"), explorer.locator(".mlsd-formula")
    expect(formula).to_contain_text("= 38")
    explorer.get_by_role("slider", name="Peak rate").focus()
    press(notebook, *["ArrowUp"] * 6)
    expect(formula).to_contain_text("1,000/s")
    expect(formula).to_contain_text("= 75")
    expect(explorer.get_by_role("table")).to_contain_text("75")
    expect(plot.get_by_text("the rule: 75")).to_be_visible()
    assert "75 replicas" in plot.get_attribute("aria-label")
    expect(explorer.get_by_role("status")).to_contain_text("too many")


def test_every_slider_has_a_name_and_a_value_in_words_and_keeps_its_keys(notebook):
    lock_in(notebook, "100")
    for name, value in (("Peak rate", "500 requests/s"), ("Service time", "40 ms"), ("Headroom", "30%")):
        slider = notebook.page.get_by_role("slider", name=name)
        expect(slider).to_have_attribute("aria-valuetext", value)
        slider.focus()
        press(notebook, "ArrowDown", "j", "k", "Enter")
        expect(slider).to_be_focused()
        expect(slider).not_to_have_attribute("aria-valuetext", value)


def test_a_choice_is_made_by_keyboard_and_a_wrong_one_may_be_mended(notebook):
    choice = notebook.page.locator(".mlsd-choice")
    choice.get_by_label("a restart").focus()
    press(notebook, "ArrowDown", "Enter")
    expect(choice.get_by_text("That leaves 25.")).to_be_visible()
    expect(choice).not_to_contain_text("29 stay.")
    press(notebook, "ArrowUp", "Tab", "Enter")
    expect(choice.get_by_text("29 stay.")).to_be_visible()


def test_a_key_on_a_button_is_no_shortcut_of_the_notebook(notebook):
    notebook.page.locator(".mlsd-choice").get_by_role("button").focus()
    press(notebook, "b", "a")  # would insert cells
    expect(notebook.page.locator(".jp-CodeCell")).to_have_count(len(CELLS))


def test_axe_judges_contrast_here(notebook):
    notebook.page.add_style_tag(content=".mlsd-kind { color: #888 !important; background: #777 }")
    assert any(fault.startswith("color-contrast") for fault in notebook.violations(".mlsd"))


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_wrong_in_either_theme(notebook, theme):
    lock_in(notebook, "100")
    notebook.page.locator(".mlsd-choice").get_by_label("a lost zone").check()
    notebook.page.locator(".mlsd-choice").get_by_role("button").click()
    expect(notebook.page.locator(".mlsd-choice")).to_contain_text("That leaves 25.")
    notebook.use_theme(theme)
    assert notebook.violations(".mlsd") == []
    assert notebook.violations("figure") == []
    notebook.screenshot(f"widgets-{theme.split()[1].lower()}")


def test_a_figure_is_shown_in_a_notebook_that_is_not_trusted(lab, chromium):
    opened = open_notebook(chromium, lab, "stored.ipynb")
    picture = opened.page.locator("figure img")
    expect(picture).to_have_attribute("alt", figures.wait_by_replicas(500, 0.040).alt)
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 0
    opened.page.close()
