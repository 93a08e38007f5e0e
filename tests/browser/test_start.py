"""The design autopsy as a learner meets it: in a real JupyterLab, by keyboard."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from mlsd_helpers.widgets.incidents import INCIDENTS
from tests.browser.jupyterlab import browser, needs_chromium, open_notebook, running_lab

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """import mlsd_helpers as mlsd
guess = mlsd.ask("00-ask-outage")
guess""",
    "mlsd.widgets.DesignAutopsy(prediction=guess)",
    "mlsd.figures.course_map()",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("start")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(
        new_notebook(cells=[new_code_cell(c) for c in CELLS], metadata=kernel), root / "live.ipynb"
    )
    with running_lab(root) as started:
        yield started


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture
def notebook(lab, chromium):
    opened = open_notebook(chromium, lab, "live.ipynb", width=1000, height=1700)
    opened.run_all()
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []
    opened.page.close()


def press(notebook, *keys):
    for key in keys:
        notebook.page.keyboard.press(key)


def opened_autopsy(notebook):
    notebook.page.get_by_label("How many minutes").fill("60")
    press(notebook, "Enter")
    autopsy = notebook.page.locator(".mlsd-autopsy")
    expect(autopsy.get_by_role("radio")).to_have_count(8)
    return autopsy


def test_the_autopsy_opens_with_the_prediction_and_keeps_its_answers(notebook):
    assert "11:05" not in notebook.page.content()
    autopsy = opened_autopsy(notebook)
    page = notebook.page.content()
    assert not [why for i in INCIDENTS for _, why in i.planes.values() if why in page]
    expect(autopsy.get_by_role("listitem")).to_have_count(1)


def test_an_incident_is_gone_through_and_judged_by_keyboard(notebook):
    autopsy = opened_autopsy(notebook)
    autopsy.get_by_role("button", name="Next moment").focus()
    press(notebook, "Enter", "Enter")
    expect(autopsy.get_by_role("listitem")).to_have_count(3)
    expect(autopsy.locator(".mlsd-heard")).to_contain_text("11:20")
    autopsy.get_by_role("radio", name="training makes").focus()
    press(notebook, "Space", "Enter")
    expect(autopsy.locator(".mlsd-verdict")).to_contain_text("Training: Not there.")
    press(notebook, "ArrowUp", "Enter")
    expect(autopsy.locator(".mlsd-verdict")).to_contain_text("Data: Earliest.")
    autopsy.get_by_role("radio", name="Cloudflare").focus()
    press(notebook, "ArrowDown")
    expect(autopsy.get_by_role("radio", name="Zillow")).to_be_focused()
    expect(autopsy.get_by_role("listitem")).to_have_count(1)
    expect(autopsy.locator(".mlsd-verdict")).to_be_empty()
    expect(autopsy.get_by_role("radio", name="data brings")).not_to_be_checked()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_wrong_in_either_theme(notebook, theme):
    autopsy = opened_autopsy(notebook)
    for _ in range(4):
        autopsy.get_by_role("button", name="Next moment").click()
    expect(autopsy.get_by_role("listitem")).to_have_count(5)
    autopsy.get_by_role("radio", name="control decides").check()
    autopsy.get_by_role("button", name="Check").click()
    expect(autopsy.locator(".mlsd-verdict")).to_contain_text("Later.")
    notebook.use_theme(theme)
    assert notebook.violations(".mlsd") == []
    assert notebook.violations("figure") == []
    notebook.screenshot(f"start-{theme.split()[1].lower()}")
