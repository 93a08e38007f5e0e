"""The latency sculptor and the interview as a learner meets them: by keyboard, and by drag, in a real JupyterLab."""

import time

import pytest
from playwright.sync_api import expect

from mlsd_helpers.exercises.requirements.interview import BUDGET, Interview
from tests.browser.jupyterlab import needs_chromium, open_cells

pytestmark = [pytest.mark.browser, needs_chromium]

CELLS = (
    """import mlsd_helpers as mlsd
guess = mlsd.ask("01-ask-mean")
guess""",
    "mlsd.widgets.LatencySculptor(prediction=guess)",
    "mlsd.widgets.StakeholderInterview()",
)


@pytest.fixture(scope="module")
def notebook(lab, chromium):
    with open_cells(chromium, lab, "requirements", CELLS, height=2500) as opened:
        yield opened


@pytest.fixture
def sculptor(notebook):
    view = notebook.page.locator(".mlsd-sculptor")
    if view.get_by_role("slider").count() == 0:
        assert "449 ms" not in notebook.page.content()
        notebook.page.locator(".mlsd-prediction").get_by_role("textbox").fill("500 ms")
        notebook.page.keyboard.press("Enter")
    expect(view.get_by_role("slider")).to_have_count(5)
    return view


@pytest.fixture
def interview(notebook):
    return notebook.page.locator(".mlsd-interview")


def test_the_sculptor_opens_with_the_lock_and_its_tail_moves_by_keyboard(notebook, sculptor):
    rows = sculptor.get_by_role("table")
    expect(rows.get_by_role("row", name="mean")).to_contain_text("is kept")
    sculptor.get_by_role("slider", name="Tail: time of slow requests").focus()
    notebook.press(*["ArrowRight"] * 26)
    expect(rows.get_by_role("row", name="mean")).to_contain_text("is broken")
    expect(rows.get_by_role("row", name="p50")).to_contain_text("20 ms")
    expect(sculptor.locator(".mlsd-screen-reader")).to_contain_text("kept by p50;")
    assert "is kept by p50" in sculptor.get_by_role("img").get_attribute("aria-label")


def test_more_calls_move_the_page_and_nothing_else(notebook, sculptor):
    rows = sculptor.get_by_role("table").get_by_role("row")
    before = rows.all_inner_texts()
    sculptor.get_by_role("slider", name="Calls that a page waits for").focus()
    notebook.press("End")
    expect(rows.last).to_contain_text("a page with 100 calls")
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

    def missed():
        moved = handle.bounding_box()
        return max(abs(moved["x"] - at["x"] + 60), abs(moved["y"] - at["y"] - 40))

    end = time.monotonic() + 30
    while missed() >= 8 and time.monotonic() < end:  # a slow machine draws later
        notebook.page.wait_for_timeout(100)
    assert missed() < 8


def test_an_interview_is_held_by_keyboard_within_its_budget(notebook, interview):
    answers = Interview()
    page = notebook.page.content()
    assert not [key for key in answers.questions if answers_of(key) in page]
    interview.get_by_role("radio", name="How old may a count").focus()
    notebook.press("Space", "Enter")
    expect(interview.get_by_role("listitem")).to_have_count(1)
    expect(interview.locator(".mlsd-screen-reader")).to_contain_text(f"{BUDGET - 1} left")
    interview.get_by_role("radio", name="Where do those counts come from").focus()
    notebook.press("Space", "Enter")
    expect(interview.get_by_role("listitem")).to_have_count(2)
    for note in interview.get_by_role("checkbox").all():
        note.focus()
        notebook.press("Space")
    interview.get_by_role("button", name="These two cannot both hold").focus()
    notebook.press("Enter")
    expect(interview.locator(".mlsd-verdict").first).to_contain_text("You are right")


def test_the_last_question_ends_the_interview_and_a_new_one_begins(notebook, interview):
    interview.get_by_role("button", name="Start again").focus()
    notebook.press("Enter")
    expect(interview.get_by_role("listitem")).to_have_count(0)
    expect(interview.get_by_role("radio").first).to_be_focused()
    notebook.press("Space", "Enter")
    for asked in range(1, BUDGET):
        expect(interview.get_by_role("listitem")).to_have_count(asked)
        notebook.press("ArrowDown", "Enter")
    expect(interview.locator(".mlsd-verdict").last).to_contain_text("You missed a constraint")
    notebook.press("ArrowDown", "Enter")
    expect(interview.locator(".mlsd-problem")).to_contain_text("is over")
    expect(interview.get_by_role("listitem")).to_have_count(BUDGET)


def test_the_newest_answer_comes_into_sight_on_a_small_screen(notebook, interview):
    size = notebook.page.viewport_size
    notebook.page.set_viewport_size({"width": size["width"], "height": 700})
    try:
        interview.get_by_role("button", name="Start again").focus()
        notebook.press("Enter")
        expect(interview.get_by_role("listitem")).to_have_count(0)
        for asked in range(1, 3):
            notebook.press("ArrowDown", "Enter")
            expect(interview.get_by_role("listitem")).to_have_count(asked)
            expect(interview.get_by_role("listitem").last).to_be_in_viewport(ratio=0.9)
    finally:
        notebook.page.set_viewport_size(size)


def answers_of(key):
    return Interview().ask(key)
