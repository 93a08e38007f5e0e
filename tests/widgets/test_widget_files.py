import re
from collections import Counter
from pathlib import Path

import pytest

from mlsd_helpers import widgets
from mlsd_helpers.widgets import CapacityExplorer, Choice, Prediction
from mlsd_helpers.widgets.base import module

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


def test_the_public_names_are_all_there():
    assert all(hasattr(widgets, name) for name in widgets.__all__)
