"""What a learner does in any notebook of the course: answer its questions, move its controls, read its outputs."""

import re
from typing import Any

from playwright.sync_api import Locator, expect
from playwright.sync_api import TimeoutError as NothingHappenedError

from tests.browser.jupyterlab import CURRENT, Notebook

DRAFTS = ".mlsd-canvas select, .mlsd-notes input"
"""Controls that only prepare what a button or a drawn arrow does; the test of their own widget sees them do it."""

# A widget without its controls and without what is for ears only, which comes late: what a control has to change.
_STATE = """
    const controls = '.mlsd-slider, .mlsd-field, .mlsd-option, button, .mlsd-screen-reader';
    const state = (widget) => {
        const copy = widget.cloneNode(true);
        copy.querySelectorAll(controls).forEach((one) => one.remove());
        return copy.innerHTML;
    };
"""
_NEXT = f"""([seen, drafts]) => {{
    {_STATE}
    const kinds = {{
        range: (one) => [one.value === one.max ? 'ArrowLeft' : 'ArrowRight'],
        select: (one) => [one.selectedIndex === one.length - 1 ? 'ArrowUp' : 'ArrowDown'],
        checkbox: () => ['Space'],
        radio: (one) => [one.checked ? 'ArrowDown' : 'Space', 'Enter'],
        text: () => ['3', 'Enter'],
        button: () => ['Enter'],
    }};
    const kindOf = (one) => one.tagName === 'SELECT' ? 'select' : one.tagName === 'INPUT' ? one.type : 'button';
    const nameOf = (one) => one.type === 'radio' ? one.closest('fieldset').querySelector('legend').textContent
        : one.labels?.[0]?.textContent ?? (one.matches('svg *') ? one.classList[0] : one.textContent);
    const usable = (one) => one.checkVisibility() && !one.disabled && !one.readOnly
        && one.getAttribute('aria-disabled') !== 'true'
        && !(one.type === 'radio' && !one.checked && document.querySelector(`[name="${{one.name}}"]:checked`));
    const widgets = [...document.querySelectorAll('.mlsd:not(.mlsd-prediction, .mlsd-choice)')];
    for (const [at, widget] of widgets.entries()) {{
        const all = [...widget.querySelectorAll('input, select, button, [tabindex="0"]:not(.mlsd-sideways)')]
            .filter(usable);
        const buttons = all.filter((one) => kindOf(one) === 'button').reverse();  // what ends something stands last
        for (const one of [...all.filter((one) => kindOf(one) !== 'button'), ...buttons]) {{
            const name = `${{widget.classList[1]}} ${{at}}: ${{nameOf(one).trim()}} (${{kindOf(one)}})`;
            if (seen.includes(name)) continue;
            const asks = (one.previousElementSibling ?? one.parentElement.previousElementSibling)
                ?.querySelector('input[type=radio]:not(:checked)');
            if (kindOf(one) === 'button' && asks) asks.checked = true;  // what was chosen before is answered already
            one.focus();
            const draft = one.matches(drafts);
            window.moved = {{one, widget, draft, own: one.value + one.checked, before: state(widget)}};
            return {{name, keys: kinds[kindOf(one)](one), focused: document.activeElement === one}};
        }}
    }}
    return null;
}}"""
_EFFECT = f"""() => {{
    {_STATE}
    const {{one, widget, draft, own, before}} = window.moved;
    const left = one.isConnected && document.activeElement !== one;
    return draft ? one.value + one.checked !== own : left || state(widget) !== before;
}}"""
_UNNAMED = f"""() => [...{CURRENT}.content.node.querySelectorAll(
        ':is(.jp-OutputArea-output, .jp-MarkdownOutput) :is(img, svg, canvas, figure:not(:has(img, svg, canvas)))')]
    .filter((one) => !one.closest('[aria-hidden=true]') && !one.parentElement.closest('svg, [role=img]'))
    .filter((one) => ['', 'Image'].includes(  // JupyterLab says Image where nothing is said
        (one.getAttribute('alt') ?? one.getAttribute('aria-label') ?? '').trim()))
    .map((one) => one.outerHTML.slice(0, 160))"""
_SIDEWAYS = f"""(within) => [...{CURRENT}.content.node.querySelectorAll(within)]
    .filter((one) => one.tagName !== 'INPUT' && one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1)
    .filter((one) => getComputedStyle(one).overflowX !== 'visible')
    .filter((one) => !one.matches('.mlsd-sideways, figure > div'))  // these scroll, so that their text keeps its size
    .map((one) => `${{one.scrollWidth - one.clientWidth}} px beyond: ${{one.textContent.trim().slice(0, 160)}}`)"""


def answer_questions(notebook: Notebook) -> int:
    """Answer every question by keyboard, see each answered, and return their number."""
    page = notebook.page
    predictions, choices = page.locator(".mlsd-prediction").all(), page.locator(".mlsd-choice").all()
    for asked in predictions:
        asked.get_by_role("textbox").focus()
        page.keyboard.type(f"1 {unit_of(asked)}")
        page.keyboard.press("Enter")
    for asked in choices:
        asked.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
    for asked in (*predictions, *choices):
        expect(asked.locator(".mlsd-verdict")).not_to_be_empty(timeout=60_000)
    return len(predictions) + len(choices)


def unit_of(asked: Locator) -> str:
    """Return the unit that a prediction asks for, or nothing."""
    found = re.search(r"(?:with its unit:|\bin) ([^;]+)", asked.locator(".mlsd-unit").inner_text())
    return found[1] if found else ""


def move_controls(notebook: Notebook, within_s: float = 10) -> tuple[list[str], list[str]]:
    """Move each control of each widget once by keyboard; return what was moved, and what had no effect."""
    moved: list[str] = []
    dead: list[str] = []
    while found := notebook.page.evaluate(_NEXT, [moved, DRAFTS]):
        moved.append(found["name"])
        for key in found["keys"]:
            notebook.page.keyboard.press(key)
        try:
            assert found["focused"], f"{found['name']} takes no focus"
            notebook.page.wait_for_function(_EFFECT, timeout=within_s * 1000)
        except (AssertionError, NothingHappenedError):
            dead.append(found["name"])
        notebook.wait_idle()
    return moved, dead


def unnamed_pictures(notebook: Notebook) -> list[str]:
    """Return the pictures in outputs and text that have no text alternative."""
    found: list[str] = notebook.page.evaluate(_UNNAMED)
    return found


def formulas(notebook: Notebook) -> list[str]:
    """Return what is typeset as a formula: the course writes none, so it is prose between two dollar signs."""
    found: list[str] = notebook.page.evaluate(
        f"() => [...{CURRENT}.content.node.querySelectorAll('mjx-container')].map((one) => one.textContent)"
    )
    return found


def sideways(notebook: Notebook) -> list[str]:
    """Return what in outputs and text is wider than its place."""
    within = (
        ":is(.jp-OutputArea-output, .jp-MarkdownOutput), :is(.jp-OutputArea-output, .jp-MarkdownOutput) *"
    )
    found: list[str] = notebook.page.evaluate(_SIDEWAYS, within)
    return found


def code_sideways(notebook: Notebook) -> list[str]:
    """Return the code cells that are wider than their place, with JupyterLab's file browser closed."""
    toggle = "window.jupyterapp.commands.execute('application:toggle-left-area')"
    notebook.page.evaluate(toggle)
    notebook.page.wait_for_function(f"() => {CURRENT}.node.clientWidth > 0.85 * window.innerWidth")
    found: list[str] = notebook.page.evaluate(_SIDEWAYS, ".cm-scroller")
    notebook.page.evaluate(toggle)
    return found


def write_answers(notebook: Notebook, answers: dict[str, str]) -> None:
    """Put the source of answers, by exercise, into their cells."""
    put = f"""answers => [...{CURRENT}.content.model.cells].forEach((cell) => {{
        const id = (cell.getMetadata('nbgrader') ?? {{}}).grade_id?.replace(/-answer$/, '');
        if (cell.getMetadata('nbgrader')?.solution && id in answers) cell.sharedModel.setSource(answers[id]);
    }})"""
    notebook.page.evaluate(put, answers)


def said(notebook: Notebook) -> dict[str, str]:
    """Return what is on screen below each check, by exercise."""
    read = f"""() => Object.fromEntries({CURRENT}.content.widgets
        .filter((cell) => cell.model.getMetadata('nbgrader')?.grade)
        .map((cell) => [cell.model.getMetadata('nbgrader').grade_id,
                        cell.node.querySelector('.jp-OutputArea')?.innerText ?? '']))"""
    notebook.attach_all()
    found: dict[str, Any] = notebook.page.evaluate(read)
    return found


def words(text: str) -> str:
    """Return a text without what Markdown and line breaks make of it."""
    return re.sub(r"\W+", " ", text)
