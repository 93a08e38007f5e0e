"""The freshness timeline as a learner meets it: opened by a prediction and moved by keyboard in a real JupyterLab."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from tests.browser.jupyterlab import browser, needs_chromium, open_notebook, running_lab

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """from mlsd_helpers import figures
from mlsd_helpers.formulas import Stage
from mlsd_helpers.widgets import FreshnessTimeline, ask
guess = ask("03-ask-stale")
guess""",
    "FreshnessTimeline(prediction=guess)",
    "figures.freshness_timeline(3600, 960, 600, 1800, phase=0.3)",
    'figures.age_parts({"edges": [Stage(900, 120)], "then scores": [Stage(900, 120), Stage(3600, 720)]}, 3600)',
    "figures.recall_by_age([1, 60, 900, 3600], [0.9, 0.85, 0.47, 0.0], floor=0.8)",
)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    root = tmp_path_factory.mktemp("dataflow")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    live = new_notebook(cells=[new_code_cell(cell) for cell in CELLS], metadata=kernel)
    nbformat.write(live, root / "live.ipynb")
    with running_lab(root) as lab, browser() as chromium:
        opened = open_notebook(chromium, lab, "live.ipynb", width=1000, height=3200)
        opened.run_all()
        yield opened
        assert opened.errors() == []
        assert opened.complaints == []


def test_the_view_opens_with_the_lock_and_moves_by_keyboard(notebook):
    view = notebook.page.locator(".mlsd-freshness")
    expect(view.get_by_role("slider")).to_have_count(0)
    assert "31.7" not in notebook.page.content()

    notebook.page.locator(".mlsd-prediction").get_by_role("textbox").fill("20")
    notebook.page.keyboard.press("Enter")
    expect(view.get_by_role("slider")).to_have_count(5)
    expect(view.get_by_text("A period of at most 10 min would keep the SLA.").first).to_be_visible()

    period = view.get_by_role("slider", name="Period")
    period.focus()
    for _ in range(5):
        notebook.page.keyboard.press("ArrowLeft")
    expect(period).to_have_attribute("aria-valuetext", "10 min")
    expect(view.locator(".mlsd-headline")).to_contain_text("The SLA holds")
    expect(view.get_by_role("status")).to_contain_text("The SLA holds")
    assert "15 min at worst" in view.get_by_role("img").get_attribute("aria-label")


def test_the_phase_moves_what_one_read_finds_and_no_bound(notebook):
    view = notebook.page.locator(".mlsd-freshness")
    before = view.get_by_role("table").get_by_role("cell").all_inner_texts()
    view.get_by_role("slider", name="Phase").focus()
    for _ in range(6):
        notebook.page.keyboard.press("ArrowRight")
    expect(view.get_by_role("table").get_by_role("cell").last).not_to_have_text(before[-1])
    assert view.get_by_role("table").get_by_role("cell").all_inner_texts()[:-1] == before[:-1]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_wrong_in_either_theme(notebook, theme):
    notebook.use_theme(theme)
    assert notebook.violations(".mlsd-freshness") == []
    assert notebook.violations("figure") == []
    notebook.screenshot(f"dataflow-{theme.split()[1].lower()}")
