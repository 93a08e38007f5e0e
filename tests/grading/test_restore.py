"""Whatever is handed in, a notebook to grade comes out, and an honest answer is in it."""

import copy
import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsd_helpers.grading.restore import NOTE_ID, restore

RELEASED = Path(__file__).parents[2] / "release" / "05_capacity" / "05_capacity.ipynb"
ANSWER = "05-backlog-answer"
WRITTEN = "def backlog(surge_rps, capacity_rps, delay_s, scaled_rps):\n    return helper(1)"


@pytest.fixture(scope="module")
def released():
    return nbformat.read(RELEASED, as_version=4)


@pytest.fixture
def submitted():
    notebook = json.loads(RELEASED.read_text(encoding="utf-8"))
    named(notebook, ANSWER)["source"] = WRITTEN
    return notebook


@pytest.fixture
def restored(released, tmp_path):
    def restore_of(notebook):
        path = tmp_path / "handed_in.ipynb"
        path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook), encoding="utf-8")
        return restore(released, path)

    return restore_of


def named(notebook, grade_id):
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def sources(notebook):
    return [cell.source for cell in notebook.cells]


def test_the_answers_are_the_students_and_all_else_is_as_released(restored, submitted, released):
    named(submitted, "05-backlog")["source"] = "1 == 1"
    named(submitted, "05-backlog")["metadata"]["nbgrader"]["points"] = 99
    named(submitted, "05-plan")["metadata"]["tags"] = ["skip-execution"]
    one = restored(submitted)
    wanted = copy.deepcopy(released)
    named(wanted, ANSWER)["source"] = WRITTEN
    assert one.notebook == wanted
    assert len([repair for repair in one.repairs if "05-backlog" in repair]) == 2
    assert one.tags == ("05-plan: skip-execution",)


def test_a_students_own_cells_stay_where_they_were(restored, submitted):
    place = submitted["cells"].index(named(submitted, ANSWER))
    own = {"cell_type": "code", "source": ["def helper(x):\n", "    return x"], "metadata": {}, "outputs": []}
    submitted["cells"].insert(place, own)
    submitted["cells"].insert(0, {"cell_type": "markdown", "source": "my notes", "metadata": {}})
    one = restored(submitted)
    found = sources(one.notebook)
    assert found[0] == "my notes"
    assert found.index("def helper(x):\n    return x") + 1 == found.index(WRITTEN)
    assert one.extras == ("def helper(x):\n    return x",)
    assert one.repairs == ()


def lose_names(notebook):
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def lose_names_and_ids(notebook):
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)


def turn_round(notebook):
    notebook["cells"].reverse()


def old_minor(notebook):
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        cell.pop("id", None)


def twice_first_empty(notebook):
    stub = copy.deepcopy(named(json.loads(RELEASED.read_text(encoding="utf-8")), ANSWER))
    notebook["cells"].insert(0, stub)


def twice_last_empty(notebook):
    notebook["cells"].append(copy.deepcopy(named(json.loads(RELEASED.read_text(encoding="utf-8")), ANSWER)))


def line_ends(notebook):
    named(notebook, ANSWER)["source"] = WRITTEN.replace("\n", "\r\n")


def other_type_of_metadata(notebook):
    notebook["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "ir"}}
    for cell in notebook["cells"]:
        cell["metadata"]["id"] = "aBcD"
        cell["metadata"]["vscode"] = {"languageId": "python"}


@pytest.mark.parametrize(
    "change",
    [
        lose_names,
        lose_names_and_ids,
        turn_round,
        old_minor,
        twice_first_empty,
        twice_last_empty,
        line_ends,
        other_type_of_metadata,
    ],
)
def test_the_answer_is_found_in_a_file_that_was_changed_around_it(restored, submitted, released, change):
    change(submitted)
    found = restored(submitted).notebook
    assert named(found, ANSWER).source == WRITTEN
    names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in found.cells]
    assert [name for name in names if name] == [
        cell.metadata.nbgrader.grade_id for cell in released.cells if "nbgrader" in cell.metadata
    ]


def test_a_deleted_cell_is_put_back_and_noted(restored, submitted, released):
    submitted["cells"].remove(named(submitted, "05-plan"))
    one = restored(submitted)
    assert named(one.notebook, "05-plan") == named(released, "05-plan")
    assert any("05-plan" in repair for repair in one.repairs)


def test_the_notebook_of_another_assignment_is_no_answer(released):
    other = RELEASED.parents[1] / "04_patterns" / "04_patterns.ipynb"
    one = restore(released, other)
    assert one.problem
    assert one.answers == {}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[" * 100_000, "null", "[]", '{"nbformat": 99, "cells": []}', '{"nbformat": 3, "worksheets": [7]}',
     '{"nbformat": 4}', '{"nbformat": 4, "cells": [7, {"cell_type": [], "source": {}, "metadata": 3}]}'],
)  # fmt: skip
def test_a_file_that_is_no_notebook_becomes_one_without_answers_that_says_why(restored, released, content):
    one = restored(content)
    assert one.problem
    assert one.notebook.cells[0].id == NOTE_ID
    assert one.problem in one.notebook.cells[0].source
    assert one.notebook.cells[1:] == released.cells


def test_a_link_is_not_followed(released, tmp_path):
    (tmp_path / "link.ipynb").symlink_to(RELEASED)
    assert restore(released, tmp_path / "link.ipynb").answers == {}


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_cell = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | _anything,
        "source": st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3) | _anything,
        "id": st.sampled_from([ANSWER, "05-plan"]) | _anything,
        "metadata": st.fixed_dictionaries(
            {
                "nbgrader": st.fixed_dictionaries(
                    {"grade_id": st.sampled_from([ANSWER, "05-plan"]) | _anything}
                )
            }
        )
        | _anything,
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cells=st.lists(_cell, max_size=6))
def test_any_list_of_cells_gives_a_valid_notebook_with_every_released_cell_once(restored, released, cells):
    found = restored({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).notebook
    nbformat.validate(found)
    names = [cell.metadata.nbgrader.grade_id for cell in found.cells if "nbgrader" in cell.metadata]
    assert names == [
        cell.metadata.nbgrader.grade_id for cell in released.cells if "nbgrader" in cell.metadata
    ]
