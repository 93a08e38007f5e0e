"""What is left of what a student wrote: nothing but what is allowed, as other parsers read it; what is honest, whole."""
# ruff: noqa: E501, S314 - what is attacked is read better in one line; drawings are parsed as a browser would

import io
import json
import re
import signal
from base64 import b64decode, b64encode
from collections import Counter
from contextlib import contextmanager
from itertools import product
from xml.etree import ElementTree as ET

import matplotlib.figure
import nbformat
import numpy as np
import pandas as pd
import pytest
from bleach._vendor.html5lib import HTMLParser, getTreeBuilder
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor
from nbgrader.utils import compute_checksum
from PIL import Image

from mlsd_helpers.exercises.kit import Verdict
from mlsd_helpers.figures.base import Figure, table
from mlsd_helpers.grading import sanitising
from mlsd_helpers.grading.converting import _IMAGE, _described
from mlsd_helpers.grading.feedback import HideHiddenTests, Secret, _clear, without
from tests.effort import QUICK, some
from tests.grading.hostile import markup

EVERY_MARKUP = {**markup.HTML, **markup.SWALLOWS}
TAGS = {
    "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del", "details", "div",
    "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins",
    "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "summary",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
}  # fmt: skip
ATTRIBUTES = {
    "align", "alt", "border", "cellpadding", "cellspacing", "class", "color", "colspan", "dir", "height", "open",
    "rowspan", "scope", "span", "src", "start", "style", "title", "type", "valign", "width",
}  # fmt: skip
DATA = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PIXEL = f"data:image/png;base64,{DATA}"
OF_A_PAGE = re.compile(r"navbar|modal|tabbable|score|comment|btn|fixed")
COVERS = re.compile(
    r"position|inset|z-index|opacity|transform|float|margin|display|url|import|expression|\\|/\*"
)


def elements(page):
    """Yield tag and attributes of a page's elements, as two parsers read it, one of them by a browser's rules."""
    for tag in BeautifulSoup(page, "html.parser").find_all(True):
        yield tag.name, {name: " ".join(v) if isinstance(v, list) else v for name, v in tag.attrs.items()}
    fragment = HTMLParser(getTreeBuilder("etree"), namespaceHTMLElements=False).parseFragment(page)
    for element in fragment.iter():
        if element.tag != "DOCUMENT_FRAGMENT":
            yield str(element.tag), dict(element.attrib)


def faults(page):
    """Return what a page's markup holds that no student may put there."""
    found = []
    for tag, attributes in elements(page):
        if tag not in TAGS:
            found.append(tag)
        found += [name for name in attributes if name not in ATTRIBUTES]
        if not re.fullmatch(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]*", attributes.get("src", PIXEL)):
            found.append(attributes["src"])
        found += [attributes[name] for name in ("style",) if COVERS.search(attributes.get(name, ""))]
        found += [one for one in ("class",) if OF_A_PAGE.search(attributes.get(one, ""))]
    return found


def faults_in_svg(drawing):
    """Return what a drawing holds that runs, or lies elsewhere; it has to be XML."""
    found = []
    for element in ET.fromstring(drawing).iter():
        tag = element.tag.rpartition("}")[2]
        names = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
        found += [tag] if tag in {"script", "style", "foreignObject", "a", "set", "animate", "iframe"} else []
        found += [name for name in names if name.startswith("on")]
        found += [
            value for value in names.values() if re.search(r"(?i)url\((?!#)|https?:|javascript:", value)
        ]
    return found


def shown(source, **metadata):
    """Return the page that nbconvert makes of Markdown that was sanitised."""
    cell = nbformat.v4.new_markdown_cell(source, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    sanitising.sanitise(notebook)
    renderer = IPythonRenderer(escape=False)
    return MarkdownWithMath(renderer=renderer).render(notebook.cells[0].source)


def of_cell(*outputs):
    """Return the outputs of a cell when its notebook was sanitised."""
    cell = nbformat.v4.new_code_cell()
    cell.outputs = list(outputs)
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [cell]
    sanitising.sanitise(notebook)
    return notebook.cells[0].outputs


def display(data, metadata=None):
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}}


@contextmanager
def an_end():
    """Fail when what is within takes forever: a hundred times as long as it does on a slow machine."""

    def give_up(*_):
        raise AssertionError("it does not end")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# ---------------------------------------------------------------- what is hostile


@pytest.mark.parametrize("name", EVERY_MARKUP)
def test_of_html_nothing_is_left_that_is_not_allowed(name):
    assert faults(sanitising.html(EVERY_MARKUP[name])) == []
    (output,) = of_cell(display({"text/html": EVERY_MARKUP[name]}))
    assert faults(output.data["text/html"]) == []


@pytest.mark.parametrize("name", [*markup.MARKDOWN, *EVERY_MARKUP])
def test_of_markdown_nothing_is_left_that_is_not_allowed(name):
    source = markup.MARKDOWN.get(name) or EVERY_MARKUP[name]
    assert faults(shown(source)) == []
    assert faults(shown(f"words *and*\n\n{source}\n\n- more")) == []
    assert markup.AWAY not in {value for _, found in elements(shown(source)) for value in found.values()}
    (output,) = of_cell(display({"text/markdown": source}))
    assert (
        faults(MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(output.data["text/markdown"]))
        == []
    )


@pytest.mark.parametrize(
    ("first", "second"), list(product(("<svg>", "<math><mtext>", "<select>", "<table>", "<p>"), repeat=2))
)
def test_markup_within_other_markup_does_not_change_its_mind(first, second):
    page = f"{first}{second}" + "".join(markup.HTML.values()) + "<b>end</b>"
    once = sanitising.html(page)
    assert faults(once) == faults(sanitising.html(once)) == []


PIECES = st.sampled_from([
    "<", ">", "</", "/>", '"', "'", "`", "=", " ", "\n", "&lt;", "&#60;", "<!--", "-->", "<![CDATA[", "]]>", "svg", "math",
    "mtext", "style", "script", "img", "p", "table", "td", "a", "b", "noscript", "title", "template", "select", "onerror",
    "onload", "src", "href", "style", "id", "class", "x", "javascript:", "http://a", "url(", ")", "\x00", "é", "\u2028",
    "](", "[", "]", "![", "*", "_", "#", "```", "~~~", "|", "-", ">", "$", "$$", "\\", "\\begin{a}", ":", "1.", "    ", "\n\n",
])  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_whatever_goes_in_what_comes_out_is_allowed_and_stays(text):
    clean = sanitising.html(text)
    assert faults(clean) == faults(sanitising.html(clean)) == []
    assert faults(shown(text)) == faults(shown(sanitising.markdown(text))) == []


@given(st.binary(max_size=40).map(lambda data: data.decode("latin-1")) | st.text(max_size=60))
def test_no_text_stops_it(text):
    assert faults(sanitising.html(text)) == []
    assert faults(shown(text)) == []
    assert isinstance(sanitising.svg(text), str)


@pytest.mark.parametrize("name", [*markup.SVG, *markup.HTML])
def test_of_a_drawing_nothing_is_left_that_runs_or_lies_elsewhere(name):
    given = markup.SVG.get(name) or markup.HTML[name]
    around = f'<svg xmlns="http://www.w3.org/2000/svg">{given}<rect width="1" height="1"/></svg>'
    for drawing in (given, around):
        (output,) = of_cell(display({"image/svg+xml": drawing}))
        clean = output.data.get("image/svg+xml")
        assert not clean or faults_in_svg(clean) == []
    page = sanitising.html(f'<img src="data:image/svg+xml;base64,{b64encode(around.encode()).decode()}">')
    inner = re.search(r"base64,([^\"]*)", page)
    assert not inner or faults_in_svg(b64decode(inner[1])) == []


@pytest.mark.parametrize("name", markup.DISPLAYS)
def test_of_what_is_displayed_only_known_kinds_and_sizes_are_left(name):
    data, metadata = markup.DISPLAYS[name]
    (output,) = of_cell(display(data, metadata))
    assert set(output.data) <= {
        "text/plain",
        "text/html",
        "text/markdown",
        "text/latex",
        "image/svg+xml",
    } or (re.fullmatch("[A-Za-z0-9+/]*=*", output.data["image/png"]))
    assert all(
        isinstance(value, int | float) or key == "alt"
        for told in output.metadata.values()
        for key, value in told.items()
    )


@pytest.mark.parametrize("output", [
    None, "x", {}, {"output_type": "pyout"}, {"output_type": ["stream"]}, {"output_type": "stream", "text": None},
    {"output_type": "stream", "name": "x y", "text": ["a", 1]}, {"output_type": "error", "traceback": "x", "ename": 1},
    {"output_type": "error"}, {"output_type": "display_data", "data": []}, {"output_type": "display_data", "data": 1},
    {"output_type": "execute_result", "execution_count": "<script>", "data": {"text/html": {"a": 1}}, "metadata": 1},
    {"output_type": "display_data", "data": {"text/plain": 3.5, "image/png": None}, "metadata": {"image/png": []}},
])  # fmt: skip
def test_an_output_of_any_shape_becomes_one_or_none(output):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=of_cell(output))])
    nbformat.validate(notebook)
    assert not notebook.cells[0].outputs or notebook.cells[0].outputs[0].get("execution_count") is None


def test_of_metadata_only_known_keys_with_plain_values_are_left():
    hostile = f'"><script>{markup.RUN}</script>'
    told = {
        "tags": ["keep", hostile, "a b", 3], "magics_language": "html", "slideshow": {"slide_type": hostile},
        "collapsed": True, "editable": hostile, "name": hostile, "alt": hostile, "jupyter": {"x": hostile},
        "nbgrader": {"grade_id": hostile, "grade": True, "points": hostile, "comment": hostile, "score": 1e9, "locked": 1},
    }  # fmt: skip
    cell = {
        "cell_type": "code",
        "source": "x",
        "metadata": told,
        "outputs": [],
        "execution_count": hostile,
        "id": hostile,
    }
    notebook = nbformat.from_dict({
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"title": hostile, "widgets": {"x": hostile}, "kernelspec": {"name": hostile, "language": "python"}},
        "cells": [cell, {**cell, "cell_type": hostile}, {**cell, "cell_type": "raw", "source": hostile}],
    })  # fmt: skip
    sanitising.sanitise(notebook)
    written = json.dumps(notebook)
    assert "<script" not in written
    assert "score" not in written
    assert notebook.cells[0].metadata == {"collapsed": True, "tags": ["keep"], "nbgrader": {"grade": True}}
    assert notebook.cells[0].execution_count is None
    assert [one.cell_type for one in notebook.cells] == ["code", "raw"]


def test_a_page_that_nbconvert_makes_of_everything_at_once_holds_no_markup_of_a_students():
    cells = [
        nbformat.v4.new_markdown_cell(source)
        for source in [*markup.MARKDOWN.values(), *EVERY_MARKUP.values()]
    ]
    outputs = [
        *(display({"text/html": text}) for text in EVERY_MARKUP.values()),
        *(display({"image/svg+xml": text}) for text in markup.SVG.values()),
        *(display(*one) for one in markup.DISPLAYS.values()),
        *({"output_type": "stream", "name": "stdout", "text": text} for text in markup.TEXT.values()),
        *(
            {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}
            for text in markup.TEXT.values()
        ),
    ]
    cells += [nbformat.v4.new_code_cell(text) for text in EVERY_MARKUP.values()]
    cells[-1].outputs = list(map(nbformat.from_dict, outputs))
    notebook = nbformat.v4.new_notebook(cells=cells)
    exporter = HTMLExporter(
        preprocessors=[sanitising.Sanitise],
        filters={"highlight_code": sanitising.highlighted},
        template_name="basic",
    )
    page, _ = exporter.from_notebook_node(notebook)
    kinds = Counter(tag for tag, _ in elements(page))
    assert not {
        "script",
        "iframe",
        "style",
        "svg",
        "form",
        "input",
        "a",
        "link",
        "meta",
        "base",
        "object",
    } & set(kinds)
    assert not [name for _, found in elements(page) for name in found if name.startswith("on")]
    assert not [
        found["src"] for _, found in elements(page) if not found.get("src", PIXEL).startswith("data:image/")
    ]


# ---------------------------------------------------------------- what is honest


def test_a_table_of_pandas_keeps_its_look():
    frame = pd.DataFrame({"rate": [1.5, 20], "name": ["a<b", "c & d"]})
    read = BeautifulSoup(sanitising.html(frame._repr_html_()), "html.parser")
    assert read.table["class"] == ["dataframe"]
    assert [cell.text for cell in read.find_all("td")] == ["1.5", "a<b", "20.0", "c & d"]
    assert "text-align:right" in read.thead.tr["style"].replace(" ", "")


def test_a_styled_table_keeps_its_colours():
    styled = (
        pd.DataFrame({"x": [1.0, 9.0]}).style.highlight_max(color="yellow").bar(color="#abc").set_caption("X")
    )
    read = BeautifulSoup(sanitising.html(styled.to_html()), "html.parser")
    cells = read.find_all("td")
    assert "yellow" in cells[1]["style"]
    assert "yellow" not in cells[0].get("style", "")
    assert "linear-gradient" in cells[1]["style"]
    assert read.caption.text == "X"


def test_figures_keep_their_pictures():
    canvas = matplotlib.figure.Figure(figsize=(2, 2))
    axes = canvas.add_subplot()
    axes.plot([1, 2])
    axes.imshow(np.eye(2))
    axes.set_title("ä & b")
    png, svg = io.BytesIO(), io.StringIO()
    canvas.savefig(png, format="png")
    canvas.savefig(svg, format="svg")
    picture = b64encode(png.getvalue()).decode()
    sizes = {"image/png": {"width": 100, "height": 50.5, "alt": "a line"}}
    one, other = of_cell(
        display({"image/png": f"{picture}\n", "text/plain": "<Figure>"}, sizes),
        display({"image/svg+xml": svg.getvalue()}),
    )
    assert one.data["image/png"] == picture
    assert one.metadata == sizes
    kept, drawn = (
        Counter(e.tag for e in ET.fromstring(x).iter()) for x in (other.data["image/svg+xml"], svg.getvalue())
    )
    for tag in ("path", "use", "g", "clipPath", "image", "svg"):
        name = f"{{http://www.w3.org/2000/svg}}{tag}"
        assert kept[name] == drawn[name]
    ours = Figure(svg.getvalue(), alt='a "line"', caption="it costs $5")
    read = BeautifulSoup(sanitising.html(ours.html()), "html.parser")
    assert read.img["alt"] == 'a "line"'
    assert b"<path" in b64decode(read.img["src"].partition(",")[2])
    assert read.figcaption.text == "it costs $5"
    inline = BeautifulSoup(sanitising.html(f"<p>before</p>{svg.getvalue()}<p>after</p>"), "html.parser")
    assert b"<path" in b64decode(inline.img["src"].partition(",")[2])
    assert [p.text for p in inline.find_all("p")] == ["before", "after"]


def test_markdown_keeps_emphasis_lists_tables_code_formulas_and_the_words_of_links():
    source = (
        "# Why\n\n**Two** zones: see [the notes](https://example.org/notes).\n\n- a\n- `x < y` and $a_1 < b$\n\n"
        "| zone | rate |\n|:--|--:|\n| a | 5 |\n\n```python\nfor x in y:\n\n    print(x)\n```\n\n<b>bold</b> H<sub>2</sub>O<br>\n\n"
        f"![p]({PIXEL})"
    )
    read = BeautifulSoup(shown(source), "html.parser")
    assert read.h1.text == "Why"
    assert read.strong.text == "Two"
    assert "the notes (https://example.org/notes)" in read.p.text
    assert [cell.text for cell in read.find_all(["th", "td"])] == ["zone", "rate", "a", "5"]
    assert "x < y" in [one.text for one in read.find_all("code")]
    assert "$a_1 < b$" in read.text
    assert "for x in y:\n\n    print(x)" in read.pre.text
    assert (read.b.text, read.sub.text) == ("bold", "2")
    assert read.img["src"].startswith("data:image/png")


def test_plain_markdown_stays_as_it_was_typed():
    source = (
        "**Two** of 3 zones, *not* one; `x[0]`.\n\n1. a\n2. b\n\n| a | b |\n|---|---|\n| $x$ | [1, 2] |\n"
    )
    assert sanitising.markdown(source) == source


def test_a_picture_that_is_attached_is_shown():
    picture = {"image/png": DATA}
    told = sanitising.markdown("![a plan](attachment:plan.png)", {"plan.png": picture})
    image = BeautifulSoup(told, "html.parser").img
    assert (image["alt"], image["src"]) == ("a plan", PIXEL)
    assert "elsewhere" in sanitising.markdown("![elsewhere](attachment:plan.png)", {"other.png": picture})


def test_what_the_judge_says_and_the_courses_tables_stay():
    verdict = Verdict("x", False, 1, 4, "With `a = 3`: your answer is `{'a': 1}`; *too small*.")
    (told,) = of_cell(display(verdict._repr_mimebundle_()))
    assert told.data == verdict._repr_mimebundle_()
    columns = {"a": (1, 2), "b": ("$x", "<y>")}
    words = [
        cell.text
        for cell in BeautifulSoup(sanitising.html(table(columns, "A & B")), "html.parser").find_all("td")
    ]
    assert words == ["1", "$x", "2", "<y>"]


def test_a_verdict_that_quotes_a_students_markup_shows_it_as_text():
    verdict = Verdict("x", False, 0, 4, f"your answer is `{'`'}<img src=x onerror={markup.RUN}>`.")
    (told,) = of_cell(display(verdict._repr_mimebundle_()))
    assert (
        faults(MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(told.data["text/markdown"]))
        == []
    )


def test_text_keeps_its_colours_and_the_last_of_what_was_written_over():
    stream, error = of_cell(
        {"output_type": "stream", "name": "stdout", "text": "10%\r50%\r100%\r\n\x1b[1;31mred\x1b[0m\x1b[2K\x1b]0;title\x07 end"},
        {"output_type": "error", "ename": "E", "evalue": "a<b", "traceback": ["\x1b[0;31mE\x1b[0m: a<b"]},
    )  # fmt: skip
    assert stream.text.startswith("100%\n\x1b[1;31mred\x1b[0m")
    assert stream.text.count("\x1b") == 2
    assert error.traceback == ["\x1b[0;31mE\x1b[0m: a<b"]


def test_a_score_that_nbgrader_reads_from_a_cell_is_not_touched():
    told = {
        "output_type": "execute_result",
        "data": {"text/plain": "2.5"},
        "metadata": {},
        "execution_count": 3,
    }
    assert of_cell(told) == [told]


def test_released_text_stays_and_the_same_text_by_a_student_does_not():
    cell = nbformat.v4.new_markdown_cell('<a href="x.html">x</a>')
    cell.metadata.nbgrader = {"grade_id": "x", "grade": False, "solution": False, "locked": True}
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    changed = nbformat.from_dict({**cell, "source": '<a href="y.html">x</a>'})
    own = nbformat.v4.new_markdown_cell(cell.source)
    notebook = nbformat.v4.new_notebook(cells=[cell, changed, own])
    sanitising.sanitise(notebook)
    assert ["href" in one.source for one in notebook.cells] == [True, False, False]


# ---------------------------------------------------------------- time

LONG = 200_000 if QUICK else 1_000_000
BOMBS = {
    "<": "<", "<img": "<img", "<div>": "<div>", "<ul><li>": "<ul><li>", "attributes": "<p " + "a " * 10, "&": "&",
    "</p>": "</p>", "<b></i>": "<b></i>", "<svg": "<svg ", "</svg>": "</svg>", "<style>": "<style>#T_a{}", "base64": "A",
    "a sheet": "<style>" + "a" * 990_000 + "</style>", "words": "a", "nested": "<svg>" + "<g>" * 300_000,
    "a style": "<p style='color:" + "a" * 990_000, "selectors": "<style>" + "#T_a," * 100_000 + "{" + "a" * 480_000 + "}</style>",
    "cells": "<style>#T_a{" + "a" * 200 + "}</style>" + '<td id="T_a">' * 75_000, "blanks": " ", "quotes": '"', "comments": "<!--",
}  # fmt: skip


@pytest.mark.parametrize("name", some(BOMBS))
@pytest.mark.parametrize("kind", ["text/html", "text/markdown", "image/svg+xml", "text/plain"])
def test_no_output_takes_forever(name, kind):
    text = BOMBS[name] * max(1, LONG // len(BOMBS[name]))
    with an_end():
        (output,) = of_cell(display({kind: text}))
        _clear(output, Secret.of(["assert f(3) == 6"]))
        _clear(nbformat.from_dict(display({"text/latex": text})), Secret.of(["assert f(3) == 6"]))
        _IMAGE.sub(_described, text)


@pytest.mark.parametrize("text", [
    "a" + " " * 60_000 + "b", r"\begin{a}" * 20_000, "$a" * 90_000, "[" * 190_000, "x.x." * 40_000, "     \n" * 30_000,
    "\\\\[" * 60_000, "*a **b " * 20_000, "> " * 90_000, "`a``" * 40_000, "- a\n  - b\n" * 15_000, "." * 190_000,
])  # fmt: skip
def test_no_cell_takes_forever(text):
    with an_end():
        shown(text)
        sanitising.highlighted(text)
        MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(sanitising.markdown(f"{text} <b>"))


@pytest.mark.parametrize("text", [
    "<" * LONG, "\x1b[1" * (LONG // 4), "\x1b[31m" * (LONG // 5), "-" * LONG, "1" * LONG, "\\n" * (LONG // 2),
    "'\"" * (LONG // 2), "a\n" * (LONG // 2), "\r" * LONG + "\r\n", "a" * LONG + "\r\nb",
])  # fmt: skip
def test_no_printed_text_takes_forever(text):
    secret = Secret.of([f"assert f({n}) == {n + 1}, 'as many as {n}'" for n in range(200)])
    with an_end():
        (stream,) = of_cell({"output_type": "stream", "name": "stdout", "text": text})
        ansi2html(stream.text)
        CoalesceStreamsPreprocessor().preprocess_cell(nbformat.from_dict({"outputs": [stream]}), {}, 0)
        without(stream.text, secret)


def test_markup_with_too_many_tags_gives_way_to_words_that_say_so():
    (output,) = of_cell(display({"text/html": "<i>" * sanitising.MOST_TAGS * 2, "text/plain": "what it is"}))
    assert "what it is" in output.data["text/html"]
    assert str(sanitising.MOST_TAGS) in output.data["text/html"].replace(",", "")
    many = of_cell(*[display({"text/html": "<i>x</i>" * 4_000})] * 50)
    assert sum(output.data["text/html"].count("<i>") for output in many) < sanitising.MOST_TAGS * 5


def test_a_number_that_no_character_has_stops_no_feedback():
    cell = nbformat.v4.new_code_cell(
        "x", outputs=[nbformat.from_dict(display({"text/latex": f"&#{'1' * 5000};"}))]
    )
    hide = HideHiddenTests()
    hide.preprocess(nbformat.v4.new_notebook(cells=[cell]), {})


# ---- what covers, multiplies or takes an id ---------------------------------------------------------


@pytest.mark.parametrize("line_end", ["\r", "\r\n", "\n"])
def test_a_heading_takes_no_id_however_its_line_ends(line_end):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"00-kill{line_end}====={line_end}")]
    )
    sanitising.sanitise(notebook)
    page = HTMLExporter(template_name="basic").from_notebook_node(notebook)[0]
    assert not BeautifulSoup(page, "html.parser").find(id="00-kill")


@pytest.mark.parametrize(
    ("tag", "style"),
    [
        ("span", "padding:1500px 900px;background-color:white"),
        ("b", "border-top: 2000px solid white"),
        ("td", "border: 3000px solid white"),
        ("td", "padding: 1e4px"),
        ("td", "border: calc(9px * 999) solid"),
        ("span", "text-decoration: underline 900px white"),
        ("span", "vertical-align: 900px"),
        ("span", "font-size: 900px"),
        ("span", "font-size: 90em"),
    ],
)
def test_no_style_draws_over_what_is_around(tag, style):
    around = "<table><tr>{}</tr></table>" if tag == "td" else "{}"
    clean = sanitising.html(around.format(f'<{tag} style="{style}">x</{tag}>'))
    kept = str(BeautifulSoup(clean, "html.parser").find(tag).get("style", ""))
    assert not re.search("[0-9]{3}|[0-9]{2}em|e4|calc", kept)


def test_the_styles_of_a_table_stay():
    style = (
        "border: 1px solid #ccc; padding: 0.5em 4pt; color: rgb(200, 10, 255); font-size: 120%; width: 300px"
    )
    clean = sanitising.html(f'<table><tr><td style="{style}">x</td></tr></table>')
    kept = BeautifulSoup(clean, "html.parser").td["style"]
    assert all(name in kept for name in ("border", "padding", "color", "font-size", "width"))


def uses(levels):
    groups = "".join(
        f'<g id="g{level + 1}">' + f'<use href="#g{level}"/>' * 10 + "</g>" for level in range(levels)
    )
    return f'<svg><defs><g id="g0"><path d="M0 0"/></g>{groups}</defs><use href="#g{levels}"/></svg>'


def test_a_picture_that_uses_in_uses_is_left_out_and_one_that_uses_is_shown():
    assert "use" in sanitising.svg(uses(0))
    assert not sanitising.svg(uses(2))
    many = '<svg><defs><g id="a">' + "<path/>" * 500 + "</g></defs>" + '<use href="#a"/>' * 500 + "</svg>"
    assert not sanitising.svg(many)
    pattern = '<svg><pattern id="a"><rect fill="url(#b)"/></pattern><pattern id="b"><rect/></pattern></svg>'
    assert not sanitising.svg(pattern)


@pytest.mark.thorough
def test_a_picture_with_more_pixels_than_a_browser_can_hold_is_left_out():
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, format="png")
    assert file.tell() < 100_000
    (output,) = of_cell(display({"image/png": b64encode(file.getvalue()).decode(), "text/plain": "<Figure>"}))
    assert "image/png" not in output.data


def test_the_cells_of_a_table_span_few_others():
    clean = sanitising.html(
        '<table><tr><td colspan="1000" rowspan="65534">x</td><td colspan="3">y</td></tr></table>'
    )
    assert [dict(cell.attrs) for cell in BeautifulSoup(clean, "html.parser").find_all("td")] == [
        {},
        {"colspan": "3"},
    ]
