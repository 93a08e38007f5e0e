"""What the tests of every notebook look for is seen when it is there: one planted fault for each."""

import pytest

from tests.browser import learner
from tests.browser.jupyterlab import needs_chromium, open_cells

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """from IPython.display import HTML
import mlsd_helpers as mlsd
from mlsd_helpers.widgets import CapacityExplorer""",
    """dot = 'src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="'
HTML(f'<img {dot}><svg></svg><img alt="a dot" {dot}>')""",
    """HTML('<table style="width: 3000px"><tr><td>wide</td></tr></table>')""",
    """HTML('<p style="color: #888; background: #777">faint</p>')""",
    "HTML('<p>$5 a day and $8 an hour</p>')",
    f"long = 0  # {'so on ' * 20}",
    """class Dead(CapacityExplorer):
    _esm = CapacityExplorer._esm.replace("onMove(value);", "if (name !== 'Headroom') onMove(value);")
Dead()""",
    """from mlsd_helpers.widgets import PlanesCanvas
PlanesCanvas(mlsd.cases.load("harbour_pay").planes)""",
)


@pytest.fixture(scope="module")
def notebook(lab, chromium):
    with open_cells(chromium, lab, "faulty", CELLS) as opened:
        opened.attach_all()
        yield opened


def test_a_picture_without_words_is_found(notebook):
    assert [found[:4] for found in learner.unnamed_pictures(notebook)] == ["<img", "<svg"]


def test_prose_between_dollars_is_found(notebook):
    assert len(learner.formulas(notebook)) == 1


def test_what_is_too_wide_is_found(notebook):
    assert [found.split()[-1] for found in learner.sideways(notebook)] == ["wide"]
    assert len(learner.code_sideways(notebook)) == 1


def test_faint_words_are_found(notebook):
    assert any(fault.startswith("color-contrast") for fault in notebook.violations(".jp-OutputArea-output"))


def test_a_control_that_does_nothing_is_found(notebook):
    moved, dead = learner.move_controls(notebook, within_s=2)
    assert [name.split(": ")[1] for name in dead] == ["Headroom (range)"]
    assert {name.split(":")[0] for name in moved} == {"mlsd-capacity 0", "mlsd-canvas 1"}
