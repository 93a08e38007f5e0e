"""The map of patterns as a learner meets it: closed, opened by a prediction, moved by keyboard."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from tests.browser.jupyterlab import browser, needs_chromium, open_notebook, running_lab

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """import mlsd_helpers as mlsd
guess = mlsd.ask("04-ask-age")
guess""",
    "mlsd.widgets.PatternSurface(prediction=guess)",
)


@pytest.fixture
def notebook(tmp_path):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    live = new_notebook(cells=[new_code_cell(cell) for cell in CELLS], metadata=kernel)
    nbformat.write(live, tmp_path / "live.ipynb")
    with running_lab(tmp_path) as lab, browser() as chromium:
        opened = open_notebook(chromium, lab, "live.ipynb", width=1000, height=1700)
        opened.run_all()
        yield opened
        assert opened.errors() == []
        assert opened.complaints == []


def press(notebook, *keys):
    for key in keys:
        notebook.page.keyboard.press(key)


def test_the_map_opens_with_a_prediction_and_answers_to_the_keyboard(notebook):
    surface = notebook.page.locator(".mlsd-patterns")
    expect(surface.get_by_role("slider")).to_have_count(0)
    assert "45 min" not in notebook.page.content()
    notebook.page.get_by_label("2,000 requests/s over a million inputs").fill("20")
    press(notebook, "Enter")

    picture, verdict = surface.get_by_role("img"), surface.locator(".mlsd-headline")
    expect(verdict).to_contain_text("B, pre-computed")
    for name in ("A request-time", "B pre-computed", "C streaming", "H hybrid"):
        expect(picture.get_by_text(name)).to_be_visible()
    expect(surface.get_by_role("table", name="Where the choice flips")).to_contain_text("45 min: H, hybrid")

    surface.get_by_role("slider", name="Allowed age").focus()
    press(notebook, *["ArrowDown"] * 8)
    expect(verdict).to_contain_text("C, streaming")
    expect(surface.get_by_role("status")).to_contain_text("C, streaming")
    surface.get_by_role("slider", name="Different inputs").focus()
    press(notebook, "ArrowUp", "j", "Enter")
    expect(surface.get_by_role("slider", name="Different inputs")).to_be_focused()
    surface.get_by_role("checkbox", name="can be listed").focus()
    press(notebook, "Space")
    expect(verdict).to_contain_text("A, request-time")
    expect(surface.get_by_role("table", name="Cost of each pattern")).to_contain_text("cannot be listed")
    press(notebook, "Space")

    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.use_theme(theme)
        assert notebook.violations(".mlsd") == []
        notebook.screenshot(f"patterns-{theme.split()[1].lower()}", ".mlsd-patterns")
