"""What each widget does when a learner moves it: in a real JupyterLab, by keyboard.

That every control of every lesson does something, and that axe finds nothing, is in test_every_notebook.py.
"""

import statistics
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import expect

from mlsd_helpers import figures
from mlsd_helpers.widgets.incidents import INCIDENTS
from tests.browser.jupyterlab import needs_chromium, open_cells, open_notebook
from tests.browser.learner import unit_of

pytestmark = [pytest.mark.browser, needs_chromium]

GROSS_S = 1.5  # far above what a person notices; the figure itself is printed
CELLS = (
    """import mlsd_helpers as mlsd
from mlsd_helpers.widgets import CapacityExplorer, Choice, Prediction
prediction = Prediction("How long is the p99?", "ms", truth=lambda: 500 + 87.3, because="A queue for each replica.")
prediction""",
    "CapacityExplorer(prediction=prediction)",
    """Choice("Which failure does it pay for?", ["a restart", "a lost zone"], answer="a restart",
       because="29 stay.", feedback={"a lost zone": "That leaves 25."})""",
    """stale = mlsd.ask("03-ask-stale")
stale""",
    "mlsd.widgets.FreshnessTimeline(prediction=stale)",
    """age = mlsd.ask("04-ask-age")
age""",
    "mlsd.widgets.PatternSurface(prediction=age)",
    """outage = mlsd.ask("00-ask-outage")
outage""",
    "mlsd.widgets.DesignAutopsy(prediction=outage)",
    'mlsd.widgets.QueueTheatre(routing="random")',
    "mlsd.widgets.FirstQueue()",
)


@pytest.fixture(scope="module")
def notebook(lab, chromium):
    with open_cells(chromium, lab, "widgets", CELLS, height=6000) as opened:
        yield opened


def lock_in(notebook, question, number):
    field = notebook.page.get_by_label(question)
    if field.is_editable():
        asked = notebook.page.locator(".mlsd-prediction").filter(has=field)
        field.fill(f"{number} {unit_of(asked)}")
        notebook.press("Enter")


def explorer(notebook):
    lock_in(notebook, "How long is the p99?", "100")
    return notebook.page.locator(".mlsd-capacity")


def test_the_truth_is_nowhere_on_the_page_until_a_number_is_locked_in(notebook):
    assert "587.3" not in notebook.page.content()
    expect(notebook.page.locator(".mlsd-capacity").get_by_role("slider")).to_have_count(0)
    lock_in(notebook, "How long is the p99?", "about 100")
    expect(notebook.page.locator(".mlsd-problem").first).to_contain_text("not a number")
    lock_in(notebook, "How long is the p99?", "100")
    expect(notebook.page.locator(".mlsd-prediction .mlsd-verdict").first).to_contain_text("587.3")


def test_the_parts_of_the_explorer_move_together(notebook):
    capacity = explorer(notebook)
    plot, formula = capacity.get_by_role("img"), capacity.locator(".mlsd-formula")
    expect(formula).to_contain_text("= 38")
    capacity.get_by_role("slider", name="Peak rate").focus()
    notebook.press(*["ArrowUp"] * 6)
    expect(formula).to_contain_text("1,000/s")
    expect(formula).to_contain_text("= 75")
    expect(capacity.get_by_role("table")).to_contain_text("75")
    expect(plot.get_by_text("the rule: 75")).to_be_visible()
    assert "75 replicas" in plot.get_attribute("aria-label")
    expect(capacity.get_by_role("status")).to_contain_text("too many")


def test_a_slider_says_its_value_in_words_and_keeps_its_keys(notebook):
    slider = explorer(notebook).get_by_role("slider", name="Headroom")
    expect(slider).to_have_attribute("aria-valuetext", "30%")
    slider.focus()
    notebook.press("ArrowDown", "j", "k", "Enter")
    expect(slider).to_be_focused()
    expect(slider).not_to_have_attribute("aria-valuetext", "30%")


def test_a_choice_is_made_by_keyboard_and_a_wrong_one_may_be_mended(notebook):
    choice = notebook.page.locator(".mlsd-choice")
    choice.get_by_label("a restart").focus()
    notebook.press("ArrowDown", "Enter")
    expect(choice.get_by_text("That leaves 25.")).to_be_visible()
    expect(choice).not_to_contain_text("29 stay.")
    notebook.press("ArrowUp", "Tab", "Enter")
    expect(choice.get_by_text("29 stay.")).to_be_visible()


def test_a_key_on_a_button_is_no_shortcut_of_the_notebook(notebook):
    notebook.page.locator(".mlsd-choice").get_by_role("button").focus()
    notebook.press("b", "a")  # would insert cells
    expect(notebook.page.locator(".jp-CodeCell")).to_have_count(len(CELLS))


def test_the_period_of_the_timeline_decides_and_its_phase_moves_no_bound(notebook):
    view = notebook.page.locator(".mlsd-freshness")
    assert "31.7" not in notebook.page.locator("body").inner_text()  # a path of a picture may hold it
    lock_in(notebook, "What share of reads is older", "20")
    expect(view.get_by_text("A period of at most 10 min would keep the age limit.").first).to_be_visible()
    cells = view.get_by_role("table").get_by_role("cell")
    before = cells.all_inner_texts()
    view.get_by_role("slider", name="Phase").focus()
    notebook.press(*["ArrowRight"] * 6)
    expect(cells.last).not_to_have_text(before[-1])
    assert cells.all_inner_texts()[:-1] == before[:-1]

    period = view.get_by_role("slider", name="Period")
    period.focus()
    notebook.press(*["ArrowLeft"] * 5)
    expect(period).to_have_attribute("aria-valuetext", "10 min")
    expect(view.get_by_role("status")).to_contain_text("The age limit holds")
    assert "15 min at worst" in view.get_by_role("img").get_attribute("aria-label")


def test_the_map_of_patterns_follows_age_and_what_can_be_listed(notebook):
    surface = notebook.page.locator(".mlsd-patterns")
    assert "45 min: H" not in notebook.page.content()
    lock_in(notebook, "2,000 requests/s over a million inputs", "20")
    picture, verdict = surface.get_by_role("img"), surface.locator(".mlsd-headline")
    expect(verdict).to_contain_text("B, pre-computed")
    for name in ("A request-time", "B pre-computed", "C streaming", "H hybrid"):
        expect(picture.get_by_text(name)).to_be_visible()
    expect(surface.get_by_role("table", name="Where the choice flips")).to_contain_text("45 min: H, hybrid")
    surface.get_by_role("slider", name="Allowed age").focus()
    notebook.press(*["ArrowDown"] * 8)
    expect(verdict).to_contain_text("C, streaming")
    surface.get_by_role("checkbox", name="Inputs are known ahead").focus()
    notebook.press("Space")
    expect(verdict).to_contain_text("A, request-time")
    expect(surface.get_by_role("table", name="Cost of each pattern")).to_contain_text("no list and no event")


def test_an_incident_is_gone_through_and_judged(notebook):
    autopsy = notebook.page.locator(".mlsd-autopsy")
    assert "11:05" not in notebook.page.content()
    lock_in(notebook, "How many minutes", "60")
    expect(autopsy.get_by_role("radio")).to_have_count(8)
    page = notebook.page.content()
    assert not [why for i in INCIDENTS for _, why in i.planes.values() if why in page]
    expect(autopsy.get_by_role("listitem")).to_have_count(1)
    autopsy.get_by_role("button", name="Next moment").focus()
    notebook.press("Enter", "Enter")
    expect(autopsy.get_by_role("listitem")).to_have_count(3)
    expect(autopsy.locator(".mlsd-screen-reader")).to_contain_text("11:20")
    autopsy.get_by_role("radio", name="training makes").focus()
    notebook.press("Space", "Enter")
    expect(autopsy.locator(".mlsd-verdict")).to_contain_text("Training: Not there.")
    notebook.press("ArrowUp", "Enter")
    expect(autopsy.locator(".mlsd-verdict")).to_contain_text("Data: Earliest.")
    autopsy.get_by_role("radio", name="Cloudflare").focus()
    notebook.press("ArrowDown")
    expect(autopsy.get_by_role("radio", name="Zillow")).to_be_focused()
    expect(autopsy.get_by_role("listitem")).to_have_count(1)
    expect(autopsy.locator(".mlsd-verdict")).to_be_empty()
    expect(autopsy.get_by_role("radio", name="data brings")).not_to_be_checked()


def moved_s(notebook, key):
    """Press a key, and return how long it takes until the theatre's picture has changed."""
    picture = notebook.page.locator(".mlsd-theatre .mlsd-plot")
    before = picture.get_attribute("aria-label")
    started = time.perf_counter()
    notebook.press(key)
    expect(picture).not_to_have_attribute("aria-label", before, timeout=30_000)
    return time.perf_counter() - started


def test_a_movement_reaches_the_picture_of_the_theatre_while_one_looks(notebook):
    theatre = notebook.page.locator(".mlsd-theatre")
    theatre.get_by_role("slider", name="Replicas").focus()
    took = [moved_s(notebook, "ArrowRight") for _ in range(9)]
    median_ms = 1000 * statistics.median(took)
    print(f"\nfrom the key to the new picture, 100,000 requests: median {median_ms:.0f} ms")
    assert statistics.median(took) < GROSS_S
    expect(theatre.get_by_role("button", name="zone loss")).to_be_hidden()  # not introduced yet
    for step in ("rate", "a failure"):
        theatre.get_by_role("button", name=f"Next: {step}").focus()
        notebook.press("Enter")
    expect(theatre.get_by_role("button", name="zone loss")).to_be_visible()
    theatre.get_by_role("button", name="zone loss").focus()
    moved_s(notebook, "Enter")
    expect(theatre.get_by_role("button", name="zone loss")).to_have_attribute("aria-pressed", "true")


def test_the_learner_sends_requests_sees_them_wait_and_then_turns_up_the_rate(notebook):
    first = notebook.page.locator(".mlsd-first")
    expect(first.get_by_role("slider")).to_be_hidden()
    first.get_by_role("button", name="Send a request").focus()
    notebook.press(*["Enter"] * 8)
    expect(first.locator(".mlsd-said")).to_contain_text("wait, one is served")
    expect(first.get_by_role("slider")).to_be_visible(timeout=30_000)
    expect(first.locator(".mlsd-formula")).to_be_hidden()
    for presses in (10, 12):  # half of what the replica can serve, then more than that
        first.get_by_role("slider").focus()
        notebook.press(*["ArrowRight"] * presses)
        first.get_by_role("button", name="Skip a minute").focus()
        notebook.press("Enter")
    rows = first.get_by_role("table").get_by_role("row")
    expect(rows).to_have_count(3)
    assert int(rows.nth(2).get_by_role("cell").nth(3).inner_text()) > 5
    expect(first.locator(".mlsd-formula")).to_contain_text(
        "2.2/s × 0.5 s = 1.1: more than one replica can do"
    )


def test_a_figure_is_shown_in_a_notebook_that_is_not_trusted(lab, chromium):
    figure = figures.wait_by_replicas(500, 0.040)
    stored = new_output("execute_result", data=figure._repr_mimebundle_(), execution_count=1)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    written = new_notebook(cells=[new_code_cell("figure", outputs=[stored])], metadata=kernel)
    nbformat.write(written, lab.root / "stored.ipynb")
    opened = open_notebook(chromium, lab, "stored.ipynb")
    picture = opened.page.locator("figure img")
    expect(picture).to_have_attribute("alt", figure.alt)
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 0
    opened.close()
