"""Pictures in both themes, and in a window that is too narrow for them or zoomed."""

import io

import pytest
from PIL import Image

from tests.browser.jupyterlab import open_cells

pytestmark = pytest.mark.browser

CELLS = (
    "import mlsd_helpers as mlsd\nmlsd.figures.rule_against_exact()",
    "mlsd.figures.sketch(mlsd.cases.load('harbour_pay').planes)",
    "mlsd.widgets.CapacityExplorer()",
)
NARROW = {"width": 640, "height": 900}
FIGURE = ".jp-RenderedHTMLCommon figure img"


@pytest.fixture(scope="module")
def notebook(chromium, lab):
    with open_cells(chromium, lab, "pictures", CELLS, width=1280) as opened:
        yield opened


def corner(notebook):
    """Return how bright the panel of the first figure is, 0 to 255."""
    shown = notebook.page.locator(FIGURE).first.screenshot()
    return sum(Image.open(io.BytesIO(shown)).convert("RGB").getpixel((3, 3))) / 3


@pytest.mark.parametrize("system", ["light", "dark"])
def test_a_figure_follows_the_theme_of_the_page_and_not_that_of_the_system(notebook, system):
    notebook.page.emulate_media(color_scheme=system)
    notebook.use_theme("JupyterLab Dark")
    notebook.screenshot("pictures-dark")
    assert corner(notebook) < 40
    notebook.use_theme("JupyterLab Light")
    notebook.screenshot("pictures-light")
    assert corner(notebook) > 240


@pytest.mark.parametrize("selector", [FIGURE, ".mlsd-plot"])
def test_a_picture_keeps_the_size_of_its_text_in_a_narrow_window(notebook, selector):
    for picture in notebook.page.locator(selector).all():
        picture.scroll_into_view_if_needed()
        wide = picture.bounding_box()["width"]
        notebook.page.set_viewport_size(NARROW)
        try:
            picture.scroll_into_view_if_needed()
            notebook.screenshot(f"pictures-narrow-{selector[1:4]}")
            assert picture.bounding_box()["width"] >= 0.8 * wide
            cell = picture.locator("xpath=ancestor::*[contains(@class,'jp-Cell')][1]")
            assert (
                cell.evaluate("one => one.scrollWidth - one.clientWidth") <= 1
            )  # the picture scrolls, not the page
        finally:
            notebook.page.set_viewport_size({"width": 1280, "height": 900})
