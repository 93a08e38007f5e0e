"""A hostile class, walked in Chromium: whatever students wrote, no page runs it, loads it or lets it cover anything."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import nbformat
import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, Page

from mlsd_helpers import workspace
from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading import end_to_end, release, report
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from tests.browser.jupyterlab import browser, needs_chromium
from tests.grading.hostile import markup

COURSE = Path(__file__).parents[2]
NAME = "00_start_here"
NAMED = '<img src=x onerror="window.__ran=1">'  # a name that a student gave to an LMS
QUOTED = quote(NAMED, safe="")
OWN = (
    "/formgrader/submissions/",
    "/formgrader/static/",
    "/formgrader/api/",
    "/formgrader/fonts/",
    "/favicon.ico",
)
PLACES = (
    "manage_assignments", f"manage_submissions/{NAME}", "gradebook", f"gradebook/{NAME}", f"gradebook/{NAME}/{NAME}",
    "manage_students", "manage_students/html", f"manage_students/html/{NAME}", f"manage_students/{QUOTED}",
    f"manage_submissions/{QUOTED}", f"gradebook/{QUOTED}/{QUOTED}",
)  # fmt: skip
ODD = """() => {
    const within = [...document.querySelectorAll('#notebook *')];
    const odd = within.filter((one) => ['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'FORM', 'LINK', 'META', 'BASE', 'STYLE',
        'svg', 'math', 'VIDEO', 'AUDIO', 'TEMPLATE'].includes(one.tagName)).map((one) => one.outerHTML.slice(0, 100));
    const covers = within.filter((one) => ['fixed', 'absolute', 'sticky'].includes(getComputedStyle(one).position)
        && !one.closest('.anchor-link')).map((one) => one.outerHTML.slice(0, 100));
    const handlers = within.flatMap((one) => one.getAttributeNames().filter((name) => name.startsWith('on')));
    const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
    const twice = ids.filter((id, place) => ids.indexOf(id) !== place && !id.startsWith('notebook'));  // nbgrader's
    return [...odd, ...covers, ...handlers, ...twice, ...(window.__ran ? ['it ran'] : []),
        ...(document.title === 'RAN' ? ['it ran'] : [])];
}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.end_to_end,
    needs_chromium,
]  # a JupyterLab, some kernels, a page each


@dataclass
class Walk:
    """A browser's tab that notes everything that a page of nbgrader's does not do by itself."""

    page: Page
    home: str = ""
    asked: str = ""
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("console", lambda message: self._said(message.text))
        self.page.on("pageerror", lambda error: self.seen.append(f"an error: {error}"))
        self.page.on("dialog", lambda dialog: (self.seen.append("a dialog"), dialog.dismiss()))
        self.page.on("popup", lambda _: self.seen.append("a popup"))
        self.page.on("download", lambda _: self.seen.append("a download"))
        self.page.on("framenavigated", lambda frame: self._asked(frame.url))

    def _asked(self, url: str) -> None:
        path = urlsplit(url).path
        known = url == self.asked or (self.home.startswith("http:") and path.startswith(OWN))
        if not url.startswith(("data:image/", "about:blank")) and not (
            self.home and url.startswith(self.home) and known
        ):
            self.seen.append(f"a request: {url[:200]}")

    def _said(self, text: str) -> None:
        if "MARKUP-RAN" in text or "Content Security Policy" in text or "Refused" in text:
            self.seen.append(text[:300])

    def look(self, url: str, home: str) -> list[str]:
        """Open a page, wait until nothing happens any more, and return what is odd about it."""
        self.page.goto("about:blank")
        self.home, self.asked, self.seen = home, url, []
        self.page.goto(url)
        self.page.wait_for_load_state("networkidle")
        self.page.mouse.move(400, 400)  # over whatever lies there
        self.page.keyboard.press("Tab")
        return [*self.seen, *self.page.evaluate(ODD)]


def displayed(data, metadata):
    source = f"from IPython.display import display\ndisplay({data!r}, raw=True, metadata={metadata!r})"
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    return nbformat.v4.new_code_cell(source, outputs=[output])


def printed(text):
    return nbformat.v4.new_code_cell(
        f"import sys\nprint({text!r})\nprint({text!r}, file=sys.stderr)\nraise ValueError({text!r})"
    )


HAND_INS = {
    "html": [displayed({"text/html": text, "text/plain": "x"}, {}) for text in markup.HTML.values()],
    "cells": [nbformat.v4.new_markdown_cell(text) for text in markup.HTML.values()],
    "markdown": [nbformat.v4.new_markdown_cell(text) for text in markup.MARKDOWN.values()]
    + [displayed({"text/markdown": text}, {}) for text in [*markup.MARKDOWN.values(), *markup.HTML.values()]],
    "drawings": [displayed({"image/svg+xml": text}, {}) for text in markup.SVG.values()],
    "displays": [displayed(*one) for one in markup.DISPLAYS.values()],
    "text": [printed(text) for text in markup.TEXT.values()],
    **{
        f"swallows-{number}": [displayed({"text/html": text}, {}), nbformat.v4.new_markdown_cell(text)]
        for number, text in enumerate(markup.SWALLOWS.values())
    },
}
FILES = {
    "page.html": f"<script>{markup.RUN};fetch('{markup.AWAY}')</script>",
    "page.svg": f'<svg xmlns="http://www.w3.org/2000/svg" onload="{markup.RUN}"><script>{markup.RUN}</script></svg>',
    "nbgrader_config.py": "from pathlib import Path\nPath('RAN').touch()\n",
}


def submit(course, student, cells):
    notebook = nbformat.read(end_to_end.released(course, NAME), as_version=4)
    first = next(place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells[first + 1 : first + 1] = cells
    notebook.metadata |= {
        "title": f"</title><script>{markup.RUN}</script>",
        "widgets": {"x": {"state": markup.AWAY}},
    }
    folder = course / "submitted" / student / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_text(json.dumps(notebook))
    for name, text in FILES.items():
        (folder / name).write_text(text)


@contextmanager
def formgrader(course, chromium: Browser) -> Iterator[tuple[Walk, str, dict[str, str]]]:
    """Serve a course as `mlsd lab --instructor` does, logged in; yield a tab, its address and the submissions' ids."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        ids = {one.student.id: one.id for one in book.notebook_submissions(NAME, NAME)}
    with workspace.jupyterlab(course, workspace.free_port(0), learner=False) as server:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(server.address("formgrader"))
        page.wait_for_load_state("networkidle")
        page.close()
        yield Walk(context.new_page()), f"http://127.0.0.1:{server.port}", ids
        context.close()


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Path:
    """Make a class in which everyone is hostile, and grade it."""
    course = tmp_path_factory.mktemp("hostile") / "course"
    end_to_end.set_up(COURSE, course, NAME)
    assert not release.release(course, NAME).problem
    for student, cells in HAND_INS.items():
        submit(course, student, cells)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        for student in HAND_INS:
            book.add_student(student, first_name=NAMED, last_name=NAMED)
    try:
        sandbox = choose_sandbox()
    except GradingError as error:
        pytest.skip(str(error))
    summary = grade_class(Job(course, NAME, sandbox), list(HAND_INS), workers=2)
    assert not summary.errors
    return course


def test_no_page_about_a_hostile_class_runs_or_loads_anything(graded, chromium):
    found = {}
    walk = Walk(chromium.new_page())
    for student in HAND_INS:
        page = end_to_end.feedback_page(graded, student, NAME)
        found[page.name, student] = walk.look(page.as_uri(), page.as_uri())
    written = report.report(graded, NAME).page
    found["report"] = walk.look(written.as_uri(), written.as_uri())
    with formgrader(graded, chromium) as (walk, home, ids):
        assert set(ids) == set(HAND_INS)
        for student, number in ids.items():
            found["formgrader", student] = walk.look(f"{home}/formgrader/submissions/{number}/", home)
            shown_by_nbgrader(walk.page, found["formgrader", student])
        for place in PLACES:
            found[place] = walk.look(f"{home}/formgrader/{place}", home)
    assert [(where, one[:200]) for where, what in found.items() for one in what] == []


def shown_by_nbgrader(page, found):
    """Note what of nbgrader's own page does not work any more."""
    works = page.evaluate(
        "() => !!(window.formgrader?.loaded && formgrader.grades.loaded && formgrader.keyboard_manager)"
    )
    bound = page.locator("input.score").count()
    page.evaluate("() => document.querySelector('span.glyphicon.name-hidden')?.click()")
    if not (works and bound and page.locator("a.name-shown").is_visible()):
        found.append("nbgrader's page does not work")


def test_what_stock_nbgrader_or_an_earlier_version_wrote_is_as_harmless_where_it_is_shown(
    graded, chromium, tmp_path
):
    course = tmp_path / "course"
    shutil.copytree(graded, course)
    end_to_end.nbgrader(course, "autograde", NAME, "--student", "displays", "--force")
    for student in (
        "html",
        "cells",
        "markdown",
        "swallows-0",
    ):  # as an earlier version wrote it, and its files
        shutil.copytree(course / "submitted" / student, course / "autograded" / student, dirs_exist_ok=True)
    end_to_end.nbgrader(course, "generate_feedback", NAME, "--force")
    found = {}
    walk = Walk(chromium.new_page())
    for student in HAND_INS:
        page = end_to_end.feedback_page(course, student, NAME)
        found["feedback", student] = walk.look(page.as_uri(), page.as_uri())
    with formgrader(course, chromium) as (walk, home, ids):
        for student, number in ids.items():
            found["formgrader", student] = walk.look(f"{home}/formgrader/submissions/{number}/", home)
        for name in ("page.html", "page.svg"):
            where = f"{home}/formgrader/submissions/{ids['html']}/{name}"
            found["file", name] = [
                one for one in walk.look(where, home) if "Content Security Policy" not in one
            ]
        refused = walk.page.goto(f"{home}/formgrader?path=submitted/html/{NAME}")
        assert refused.status == 403
    assert not list(course.rglob("RAN"))
    assert [(where, one[:200]) for where, what in found.items() for one in what] == []
