"""The latency sculptor and the interview as a learner meets them: by keyboard, and by drag, in a real JupyterLab."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from mlsd_helpers.exercises.requirements.interview import BUDGET, Interview
from tests.browser.jupyterlab import browser, needs_chromium, open_notebook, running_lab

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """import mlsd_helpers as mlsd
from mlsd_helpers.exercises.requirements.traffic import REPEATED, week
guess = mlsd.ask("01-ask-mean")
guess""",
    "mlsd.widgets.LatencySculptor(prediction=guess)",
    "mlsd.widgets.StakeholderInterview()",
    "mlsd.figures.latency_tail(0.030, 0.02, 0.9, calls=100)",
    "mlsd.figures.trace_peak(week(), repeated=REPEATED, explained=False)",
    'mlsd.figures.two_loops({"closed": [(0, 1), (9, 1)], "open": [(0, 1), (3, 6), (4, 5)]}, (2, 8))',
)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    root = tmp_path_factory.mktemp("requirements")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    live = new_notebook(cells=[new_code_cell(cell) for cell in CELLS], metadata=kernel)
    nbformat.write(live, root / "live.ipynb")
    with running_lab(root) as lab, browser() as chromium:
        opened = open_notebook(chromium, lab, "live.ipynb", width=1000, height=3900)
        opened.run_all()
        yield opened
        assert opened.errors() == []
        assert opened.complaints == []


@pytest.fixture
def sculptor(notebook):
    view = notebook.page.locator(".mlsd-sculptor")
    if view.get_by_role("slider").count() == 0:
        assert "449 ms" not in notebook.page.content()
        notebook.page.locator(".mlsd-prediction").get_by_role("textbox").fill("500")
        notebook.page.keyboard.press("Enter")
    expect(view.get_by_role("slider")).to_have_count(5)
    return view


@pytest.fixture
def interview(notebook):
    return notebook.page.locator(".mlsd-interview")


def press(notebook, *keys):
    for key in keys:
        notebook.page.keyboard.press(key)


def test_the_sculptor_opens_with_the_lock_and_its_tail_moves_by_keyboard(notebook, sculptor):
    rows = sculptor.get_by_role("table")
    expect(rows.get_by_role("row", name="mean")).to_contain_text("is kept")
    sculptor.get_by_role("slider", name="Tail: time of slow requests").focus()
    press(notebook, *["ArrowRight"] * 26)
    expect(rows.get_by_role("row", name="mean")).to_contain_text("is broken")
    expect(rows.get_by_role("row", name="p50")).to_contain_text("20 ms")
    expect(sculptor.get_by_role("status")).to_contain_text("kept by p50;")
    assert "is kept by p50" in sculptor.get_by_role("img").get_attribute("aria-label")


def test_more_calls_move_the_page_and_nothing_else(notebook, sculptor):
    rows = sculptor.get_by_role("table").get_by_role("row")
    before = rows.all_inner_texts()
    sculptor.get_by_role("slider", name="Calls that a page waits for").focus()
    press(notebook, "End")
    expect(rows.last).to_contain_text("a page of 100")
    assert rows.all_inner_texts()[:-1] == before[:-1]


def test_the_tail_follows_a_pointer(notebook, sculptor):
    handle = sculptor.locator(".handle")
    slow = sculptor.get_by_role("slider", name="Tail: time of slow requests")
    share = sculptor.get_by_role("slider", name="Tail: share of slow requests")
    before = [float(one.input_value()) for one in (slow, share)]
    at = handle.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    notebook.page.mouse.move(x, y)
    notebook.page.mouse.down()
    notebook.page.mouse.move(x - 60, y + 40, steps=6)
    notebook.page.mouse.up()
    notebook.wait_idle()
    after = [float(one.input_value()) for one in (slow, share)]
    assert after[0] < before[0]
    assert after[1] < before[1]
    moved = handle.bounding_box()
    assert abs(moved["x"] - at["x"] + 60) < 8
    assert abs(moved["y"] - at["y"] - 40) < 8


def test_an_interview_is_held_by_keyboard_within_its_budget(notebook, interview):
    answers = Interview()
    page = notebook.page.content()
    assert not [key for key in answers.questions if answers_of(key) in page]
    interview.get_by_role("radio", name="How old may a count").focus()
    press(notebook, "Space", "Enter")
    expect(interview.get_by_role("listitem")).to_have_count(1)
    expect(interview.locator(".mlsd-heard")).to_contain_text(f"{BUDGET - 1} left")
    press(notebook, "ArrowDown", "Enter")
    expect(interview.get_by_role("listitem")).to_have_count(2)
    for note in interview.get_by_role("checkbox").all():
        note.focus()
        press(notebook, "Space")
    interview.get_by_role("button", name="These two cannot both hold").focus()
    press(notebook, "Enter")
    expect(interview.locator(".mlsd-verdict").first).to_contain_text("You are right")


def test_the_last_question_ends_the_interview_and_a_new_one_begins(notebook, interview):
    interview.get_by_role("button", name="Start again").focus()
    press(notebook, "Enter")
    expect(interview.get_by_role("listitem")).to_have_count(0)
    expect(interview.get_by_role("radio").first).to_be_focused()
    press(notebook, "Space", "Enter")
    for asked in range(1, BUDGET):
        expect(interview.get_by_role("listitem")).to_have_count(asked)
        press(notebook, "ArrowDown", "Enter")
    expect(interview.locator(".mlsd-verdict").last).to_contain_text("You missed a constraint")
    press(notebook, "ArrowDown", "Enter")
    expect(interview.locator(".mlsd-problem")).to_contain_text("is over")
    expect(interview.get_by_role("listitem")).to_have_count(BUDGET)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_wrong_in_either_theme(notebook, sculptor, theme):
    notebook.use_theme(theme)
    assert notebook.violations(".mlsd-sculptor") == []
    assert notebook.violations(".mlsd-interview") == []
    assert notebook.violations("figure") == []
    notebook.screenshot(f"requirements-{theme.split()[1].lower()}")


def answers_of(key):
    return Interview().ask(key)
