import re
from base64 import b64decode
from collections import Counter
from pathlib import Path

import pytest

from mlsd_helpers import widgets
from mlsd_helpers.analysis.patterns import ASSUMPTIONS
from mlsd_helpers.figures.drawing import LIGHT
from mlsd_helpers.widgets import (
    CapacityExplorer,
    Choice,
    DesignAutopsy,
    FreshnessTimeline,
    LatencySculptor,
    PatternSurface,
    PlanesCanvas,
    Prediction,
    QueueTheatre,
)
from mlsd_helpers.widgets.base import module
from tests.javascript import in_our_files, syntax_error

FOLDER = Path(widgets.__file__).parent
EXPLORED = (CapacityExplorer, FreshnessTimeline, LatencySculptor, PatternSurface, QueueTheatre)
FILES = sorted([*FOLDER.glob("*.js"), *FOLDER.glob("*.css")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_widgets_files_load_nothing_from_elsewhere(file):
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|\bimport\b|url\((?!#)|fetch\(", text)


@pytest.mark.parametrize("widget", [CapacityExplorer, Choice, Prediction])
def test_a_widgets_module_is_the_shared_part_and_its_own(widget):
    assert widget._esm.startswith((FOLDER / "base.js").read_text(encoding="utf-8"))
    assert widget._esm.count("export default") == 1


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.js")), ids=lambda file: file.name)
def test_no_name_is_declared_twice_in_a_widgets_module(file):
    text = module(file.name) if file.name != "base.js" else file.read_text(encoding="utf-8")
    names = re.findall(r"^(?:function|const|let|class) (\w+)", text, re.MULTILINE)
    assert not [name for name, times in Counter(names).items() if times > 1]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.js")), ids=lambda file: file.name)
def test_a_widgets_file_is_javascript(file):
    problem = syntax_error(file.name, file.read_text(encoding="utf-8"))
    assert not problem, problem


def test_a_syntax_error_is_told_with_its_file_and_line():
    assert syntax_error("x.js", "let a = 1;\nfunction render({ model, el , {\n}\n").startswith("x.js:2\n")


def test_an_error_in_a_page_leads_to_the_line_of_our_file():
    lines = module("choice.js").splitlines()
    own = (FOLDER / "choice.js").read_text(encoding="utf-8").splitlines()
    at = lines.index(own[0]) + 1
    said = f"ReferenceError: it is not defined\n    at Object.render (mlsd/choice.js:{at}:27)"
    assert "(choice.js:1:27)" in in_our_files(said)
    assert "(base.js:1:27)" in in_our_files(said.replace(f":{at}:", ":1:"))


WORDS = [
    CapacityExplorer().closed,
    *(kind._name for kind in (DesignAutopsy, PlanesCanvas, *EXPLORED)),
    *(one.name for one in ASSUMPTIONS),
]


@pytest.mark.parametrize("words", WORDS)
def test_what_python_words_is_not_worded_again_in_javascript(words):
    assert not [file.name for file in FOLDER.glob("*.js") if f'"{words}"' in file.read_text("utf-8")]


@pytest.mark.parametrize("kind", [*EXPLORED, PlanesCanvas])
def test_a_widget_shows_the_drawing_that_stands_in_for_it_without_a_kernel(kind):
    widget = kind()
    stored = re.search(r"data:image/svg\+xml;base64,([^\"]+)", widget.still())[1]
    body = widget.shown["picture"]["body"]
    assert re.sub(r"var\(--mlsd-(\w+)\)", lambda found: LIGHT[found[1]], body) in b64decode(stored).decode()


@pytest.mark.parametrize("kind", [*EXPLORED, PlanesCanvas])
def test_every_pattern_clip_and_arrowhead_that_a_drawing_uses_is_in_it(kind):
    body = kind().shown["picture"]["body"]
    ids = re.findall(r' id="([^"]+)"', body)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", body)) <= set(ids)


def test_a_widget_on_a_light_page_has_the_colours_of_a_stored_figure():
    light, _, dark = (FOLDER / "base.css").read_text("utf-8").partition('[data-jp-theme-light="false"]')
    fallback = dict(re.findall(r"--mlsd-(\w+): (?:var\([\w-]+, )?(#\w+)", light))
    assert {name: fallback[name] for name in LIGHT} == LIGHT
    ours = {name for name in LIGHT if f"--mlsd-{name}: #" in light}
    assert ours <= set(re.findall(r"--mlsd-(\w+):", dark.partition("}")[0]))


def test_the_public_names_are_all_there():
    assert all(hasattr(widgets, name) for name in widgets.__all__)
