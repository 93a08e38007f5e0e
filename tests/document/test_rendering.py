"""The document in a real JupyterLab: its diagrams drawn by mermaid itself, its links followed, no mathematics."""

import json
from functools import cache, partial

import pytest

from mlsd_helpers import cases, document
from mlsd_helpers.design import Design
from tests.browser.jupyterlab import browser, needs_chromium, running_lab
from tests.document.hostile import HOSTILE, in_chart, saying
from tests.document.reading import anchors, links
from tests.document.whole import WHOLE

pytestmark = [pytest.mark.browser, needs_chromium]

DESIGNS = {name: partial(cases.load, name) for name in cases.names()} | {
    "hostile words": partial(saying, HOSTILE),
    "hostile chart": in_chart,
    "every part": lambda: WHOLE,
    "nearly empty": lambda: Design(name="x", planes={}, dataflow={}, pattern={}, capacity={}),
}
REFUSED = "# Wrong\n\n```mermaid\nflowchart LR\n  a --> --> b[\n```\n"
PREVIEW = """path => window.jupyterapp.commands.execute(
    'docmanager:open', {path, factory: 'Markdown Preview'})"""
SHOWN = ".jp-MarkdownViewer:not(.lm-mod-hidden)"


@cache
def written(name):
    return document(DESIGNS[name]())


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("documents")
    for name, text in {**{name: written(name) for name in DESIGNS}, "refused": REFUSED}.items():
        (root / f"{name}.md").write_text(text, encoding="utf-8")
    with running_lab(root) as started:
        yield started


@pytest.fixture(scope="module")
def page(lab):
    with browser() as started:
        opened = started.new_page(viewport={"width": 1400, "height": 1000})
        opened.goto(f"{lab.url}/lab?reset")
        opened.wait_for_function("() => window.jupyterapp?.shell?.currentWidget", timeout=60_000)
        yield opened


def show(page, name, diagrams):
    """Open a document's preview and wait until mermaid is done with its diagrams."""
    page.evaluate("window.jupyterapp.commands.execute('application:close-all')")
    page.evaluate(PREVIEW, f"{name}.md")
    page.wait_for_selector(f"{SHOWN} h1")
    page.wait_for_function(
        """([shown, wanted]) => {
            const done = (mark) => document.querySelectorAll(`${shown} ${mark}`).length;
            return done('.jp-RenderedMermaid img') + done('.jp-mod-warning, .jp-RenderedMermaid pre.mermaid') >= wanted;
        }""",
        arg=[SHOWN, diagrams],
        timeout=60_000,
    )


@pytest.fixture(scope="module", params=DESIGNS)
def name(request, page):
    """Show each document once; pytest runs what looks at it before it goes on to the next."""
    show(page, request.param, written(request.param).count("```mermaid"))
    return request.param


def test_mermaid_draws_every_diagram(name, page):
    diagrams = written(name).count("```mermaid")
    assert diagrams
    assert page.locator(f"{SHOWN} .jp-RenderedMermaid img").count() == diagrams


def test_every_link_leads_to_its_place_in_jupyterlab(name, page):
    found = page.evaluate(
        """shown => {
            const all = (mark) => [...document.querySelectorAll(`${shown} ${mark}`)];
            return JSON.stringify({
                links: all('a[href^="#"]:not(.jp-InternalAnchorLink)').map((one) => one.getAttribute('href').slice(1)),
                places: all('[data-jupyter-id], [id]').map((one) => one.dataset.jupyterId ?? one.id),
            });
        }""",
        SHOWN,
    )
    rendered = json.loads(found)
    assert sorted(rendered["links"]) == sorted(links(written(name)))
    assert set(anchors(written(name))) <= set(rendered["places"])


def test_nothing_is_set_as_mathematics(name, page):
    page.wait_for_timeout(200)  # MathJax typesets after the rest
    assert page.locator(f"{SHOWN} mjx-container, {SHOWN} .MathJax").count() == 0


def test_mermaid_does_refuse_what_it_cannot_read(page):
    show(page, "refused", 1)
    assert page.locator(f"{SHOWN} .jp-RenderedMermaid img").count() == 0
