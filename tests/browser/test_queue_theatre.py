"""The queue theatre in a real JupyterLab: it answers while a slider moves."""

import statistics
import time
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.jupyterlab import Notebook, browser, needs_chromium, open_notebook, running_lab

pytestmark = [pytest.mark.browser, needs_chromium]
GROSS_S = 1.5  # far above what a person notices; the figure itself is printed


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    folder = tmp_path_factory.mktemp("theatre")
    cells = ["import mlsd_helpers as mlsd", 'mlsd.widgets.QueueTheatre(routing="random")']
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "theatre.ipynb")
    with running_lab(folder) as lab, browser() as started:
        opened = open_notebook(started, lab, "theatre.ipynb", height=1300)
        opened.run_all()
        assert opened.errors() == []
        yield opened


def moved_s(theatre: Notebook, key: str) -> float:
    """Press a key, and return how long it takes until the picture has changed."""
    picture = theatre.page.locator(".mlsd-theatre .mlsd-plot")
    before = picture.get_attribute("aria-label")
    started = time.perf_counter()
    theatre.page.keyboard.press(key)
    expect(picture).not_to_have_attribute("aria-label", str(before), timeout=30_000)
    return time.perf_counter() - started


def test_a_movement_reaches_the_picture_while_one_looks(theatre: Notebook) -> None:
    theatre.page.get_by_role("slider", name="Replicas").focus()
    took = [moved_s(theatre, "ArrowRight") for _ in range(9)]
    print(
        f"\nfrom the key to the new picture, 100,000 requests: median {1000 * statistics.median(took):.0f} ms"
    )
    assert statistics.median(took) < GROSS_S


def test_an_event_and_a_routing_are_chosen_by_keyboard(theatre: Notebook) -> None:
    theatre.page.get_by_role("button", name="zone loss").focus()
    assert moved_s(theatre, "Enter") > 0
    expect(theatre.page.get_by_role("button", name="zone loss")).to_have_attribute("aria-pressed", "true")
    theatre.page.get_by_role("combobox", name="Routing").focus()
    assert moved_s(theatre, "ArrowDown") > 0
    theatre.screenshot("theatre-zone-loss")


def test_axe_finds_nothing_in_either_theme(theatre: Notebook) -> None:
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        theatre.use_theme(theme)
        assert theatre.violations(".mlsd-theatre") == []
    theatre.screenshot("theatre-dark", ".mlsd-theatre")
