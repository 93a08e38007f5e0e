"""nbgrader's own extensions over the course, as `mlsd lab --instructor` opens them, with a local exchange."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mlsd_helpers import workspace
from mlsd_helpers.exercises import ALL
from mlsd_helpers.grading import end_to_end, release
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from mlsd_helpers.grading.synthetic import class_of, submit
from tests.browser.jupyterlab import ARTEFACTS, browser, needs_chromium

COURSE = Path(__file__).parents[2]
NAME = "05_capacity"
STUDENT = "mistaken-1"
PATIENCE_MS = 60_000  # for anything to appear; a validation runs the whole notebook
POINTS = sum(exercise.points for exercise in ALL if exercise.assignment == NAME)

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture
def course(tmp_path):
    """Make a course with one submission graded, and its assignment in an exchange of its own."""
    root = tmp_path / "course"
    end_to_end.set_up(COURSE, root, NAME)
    (tmp_path / "exchange").mkdir(mode=0o777)
    (tmp_path / "exchange").chmod(0o777)  # past the umask: nbgrader wants it writable to all
    with (root / "nbgrader_config.py").open("a") as file:
        file.write(
            f'c.Exchange.root = "{tmp_path / "exchange"}"\nc.Exchange.cache = "{tmp_path / "cache"}"\n'
        )
    assert not release.release(root, NAME).problem
    one = next(one for one in class_of(root, NAME) if one.student == STUDENT)
    submit(one, root, NAME)
    assert not grade_class(Job(root, NAME, choose_sandbox(unsafe=True)), [STUDENT], workers=1).errors
    end_to_end.nbgrader(root, "release_assignment", NAME)
    return root, one


def test_every_extension_of_nbgrader_works_with_the_course(course):
    root, one = course
    with workspace.jupyterlab(root, workspace.free_port(0), learner=False) as server, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        try:
            page.goto(server.address("formgrader"))
            the_formgrader_shows_the_graded_submission(page, one)
            page.goto(server.address(f"lab/tree/source/{NAME}/{NAME}.ipynb"))
            expect(page.get_by_role("button", name="Validate")).to_be_visible()
            create_assignment_shows_the_points(page)
            validate_says_success(page)
            the_assignment_list_fetches_and_submits(page, root)
            the_course_list_names_the_course(page)
        except BaseException:
            page.screenshot(path=ARTEFACTS / "nbgrader-failed.png")
            raise


def keep(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"nbgrader-{name}.png")


def the_formgrader_shows_the_graded_submission(page, one):
    assignment = page.locator("tr", has=page.get_by_role("link", name=NAME, exact=True))
    expect(assignment.locator(".num-submissions")).to_have_text("1")
    keep(page, "1-assignments")
    assignment.locator(".num-submissions a").click()
    row = page.locator("tr", has=page.locator(".student-id", has_text=STUDENT))
    expect(row.locator(".status")).to_have_text("graded")
    expect(row.locator(".score")).to_have_text(f"{sum(one.scores.values()):g} / {POINTS:g}")
    keep(page, "2-submissions")

    page.get_by_role("link", name="Manual Grading").first.click()
    page.get_by_role("link", name=NAME, exact=True).click()
    page.get_by_role("link", name=NAME, exact=True).last.click()
    page.get_by_role("link", name="Submission #1").click()
    for exercise, score in one.scores.items():
        expect(page.locator(f'input.score[id="{exercise}"]')).to_have_attribute("placeholder", f"{score:g}")
    page.locator('input.score[id="05-plan"]').scroll_into_view_if_needed()
    keep(page, "3-graded-cell")


def create_assignment_shows_the_points(page):
    page.locator(".lm-TabBar-tab", has_text="Create Assignment").click()
    expect(page.locator(".nbgrader-TotalPointsInput").first).to_have_value(f"{POINTS:g}")
    graded = page.locator(".nbgrader-CellId input").evaluate_all("inputs => inputs.map(input => input.value)")
    assert {exercise.id for exercise in ALL if exercise.assignment == NAME} <= set(graded)
    keep(page, "4-create-assignment")


def validate_says_success(page):
    page.get_by_role("button", name="Validate").click()
    verdict = page.get_by_role("dialog")
    expect(verdict).to_contain_text("Success", timeout=2 * PATIENCE_MS)
    keep(page, "5-validated")
    verdict.get_by_role("button").last.click()


def choose(page, command):
    """Choose from JupyterLab's menu Nbgrader."""
    page.locator(".lm-MenuBar-itemLabel", has_text="Nbgrader").click()
    page.locator(f'.lm-Menu-item[data-command="{command}"]').click()


def the_assignment_list_fetches_and_submits(page, root):
    choose(page, "nbgrader:open-assignment-list")
    lists = {
        kind: page.locator(f"#{kind}_assignments_list > .list_item")
        for kind in ("released", "fetched", "submitted")
    }
    expect(lists["released"].locator(".item_name")).to_have_text(NAME)
    lists["released"].get_by_role("button", name="Fetch").click()
    lists["fetched"].get_by_role("button", name="Submit").click()
    expect(lists["submitted"].locator(".item_name").first).to_have_text(NAME)
    keep(page, "6-assignment-list")
    inbound = root.parent / "exchange" / "mlsd" / "inbound"
    assert [path.name.split("+")[1] for path in inbound.iterdir()] == [NAME]


def the_course_list_names_the_course(page):
    choose(page, "nbgrader:open-course-list")
    expect(page.locator("#formgrader_list > .list_item")).to_contain_text("mlsd")
    keep(page, "7-course-list")
