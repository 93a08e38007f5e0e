"""An example of a part stands in a learner's file as comments, and changes nothing of the design."""

import pytest

from mlsd_helpers.design import Design, load_design
from mlsd_helpers.design.outline import example, outline
from mlsd_helpers.errors import DesignError

PARTS = ("requirements", "planes", "dataflow", "pattern", "capacity", "data", "experiments", "operations")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text("# mine\nname: Parcels  # for now\ncapacity: {replicas: 3}", encoding="utf-8")
    return path


def uncommented(path):
    return "\n".join(
        line.removeprefix("# ")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "example" not in line
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_file_with_an_outline_is_the_same_design_and_without_the_comment_signs_it_has_the_part(path, part):
    before = path.read_text(encoding="utf-8")
    design = load_design(path)
    outline(path, part)
    assert path.read_text(encoding="utf-8").startswith(before)
    assert load_design(path) == design
    if part != "capacity":
        mine = Design.parse(uncommented(path).replace("mine\n", ""))
        assert getattr(mine, part)


def test_all_outlines_together_are_one_design(tmp_path):
    path = tmp_path / "design.yaml"
    for part in PARTS:
        assert outline(path, part).state == "written"
    mine = Design.parse(uncommented(path).partition("\n")[2])
    assert all(getattr(mine, part) for part in PARTS)


def test_the_line_that_is_told_is_the_line_of_the_example(path):
    told = outline(path, "planes")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[told.line].startswith("# planes:")
    assert outline(path, "planes").line == told.line


def test_a_part_of_ones_own_stays_and_an_outline_is_written_once(path):
    before = path.read_bytes()
    assert outline(path, "capacity").state == "present"
    assert path.read_bytes() == before
    outline(path, "planes")
    once = path.read_bytes()
    assert outline(path, "planes").state == "commented"
    assert path.read_bytes() == once


def test_line_ends_stay(path):
    path.write_bytes(b"name: Parcels\r\n")
    outline(path, "planes")
    assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")


def test_a_part_that_does_not_exist_is_an_error_that_names_a_near_one(path):
    with pytest.raises(DesignError, match="planes"):
        outline(path, "plane")
    with pytest.raises(DesignError):
        example("name")


def test_a_file_that_cannot_be_read_stays(path):
    path.write_text("name: [", encoding="utf-8")
    with pytest.raises(DesignError):
        outline(path, "planes")
    assert path.read_text(encoding="utf-8") == "name: ["


def test_the_outline_of_workloads_gives_requirements_with_several(tmp_path):
    path = tmp_path / "design.yaml"
    assert outline(path, "workloads").state == "written"
    head, _, example_lines = path.read_text(encoding="utf-8").partition("of each line.\n")
    mine = head.rpartition("\n")[0] + "\n" + example_lines.replace("# ", "")
    path.write_text(mine, encoding="utf-8")
    assert len(load_design(path).views) == 2
    assert outline(path, "workloads").state == "present"
