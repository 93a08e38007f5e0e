import re
from collections import Counter
from pathlib import Path

import pytest

from mlsd_helpers import cases, widgets
from mlsd_helpers.analysis.patterns import AGES, RATES
from mlsd_helpers.figures import sketch
from mlsd_helpers.widgets import CapacityExplorer, Choice, PatternSurface, PlanesCanvas, Prediction
from mlsd_helpers.widgets.base import module
from tests.javascript import in_our_files, syntax_error

FOLDER = Path(widgets.__file__).parent
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


def test_a_closed_view_is_worded_in_one_place():
    words = CapacityExplorer().closed
    sources = [
        file for file in (*FOLDER.glob("*.js"), *FOLDER.glob("*.py")) if words in file.read_text("utf-8")
    ]
    assert [file.name for file in sources] == ["base.py"]


def test_the_page_draws_the_arrows_and_axes_of_the_figures():
    planes = cases.load("harbour_pay").planes
    figure, page = sketch(planes).svg, PlanesCanvas(planes).shown
    assert page["arrows"]
    assert all(f'd="{arrow["path"]}"' in figure for arrow in page["arrows"])
    axes = PatternSurface().shown
    assert [end for axis in ("rates", "ages") for end in axes[axis]["ends"]] == [*RATES, *AGES]
    crowded = CapacityExplorer(peak_rps=9_000).shown
    assert len(crowded["curve"]) > 40
    assert not crowded["dots"]
    assert CapacityExplorer().shown["dots"]


def test_the_public_names_are_all_there():
    assert all(hasattr(widgets, name) for name in widgets.__all__)
