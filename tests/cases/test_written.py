"""Parts of a design are written into its file, and the lines that this changes are shown."""

import pytest

import mlsd_helpers as mlsd
from mlsd_helpers.cases.written import Changes
from mlsd_helpers.errors import DesignError


@pytest.fixture
def worked():
    return mlsd.cases.load("harbour_pay").requirements


def latency(page, **changed):
    return page.changed(latency=page.latency.changed(**changed))


def test_a_new_file_is_compared_with_the_worked_case(tmp_path, worked):
    path = tmp_path / "harbour_pay.yaml"
    assert not mlsd.write(path, requirements=worked).lines
    assert mlsd.load_design(path).requirements == worked


def test_a_decision_shows_as_the_lines_that_it_changes(tmp_path, worked):
    path = tmp_path / "harbour_pay.yaml"
    lines = mlsd.write(path, requirements=latency(worked, percentile="p99.9")).lines
    assert [line.split() for line in lines] == [["+", "percentile:", "p99.9"]]
    lines = mlsd.write(path, requirements=latency(worked, percentile="p95")).lines
    assert [line.split() for line in lines] == [["-", "percentile:", "p99.9"], ["+", "percentile:", "p95"]]
    assert "no line differs" in str(mlsd.write(path, requirements=latency(worked, percentile="p95")))


def test_a_later_part_brings_the_earlier_ones_of_the_case(tmp_path):
    path = tmp_path / "harbour_pay.yaml"
    planes = mlsd.cases.load("harbour_pay").planes
    assert not mlsd.write(path, planes=planes).lines
    design = mlsd.load_design(path)
    assert design.requirements
    assert design.planes == planes
    assert design.dataflow is None


def test_a_part_that_is_new_in_a_file_shows_the_decision_and_not_the_whole_part(tmp_path, worked):
    path = tmp_path / "harbour_pay.yaml"
    mlsd.write(path, requirements=worked)
    path.write_text("# mine\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    sketch = mlsd.cases.load("harbour_pay").planes.with_flow("scorer", "features", fallback="What it kept")
    changes = mlsd.write(path, planes=sketch)
    assert len(changes.lines) <= 2
    assert "What it kept" in str(changes)
    assert path.read_text(encoding="utf-8").startswith("# mine")


def test_a_file_of_ones_own_gets_its_part_and_no_other(tmp_path):
    path = tmp_path / "design.yaml"
    changes = mlsd.write(path, name="Tide tables")
    assert [line for line in changes.lines if "Tide tables" in line]
    assert mlsd.load_design(path).requirements is None
    assert "Tide tables" in str(mlsd.write(path, name="Tides"))


def test_what_a_file_said_of_its_part_is_where_a_lesson_goes_on(tmp_path, worked):
    path = tmp_path / "harbour_pay.yaml"
    assert mlsd.cases.carry_on(path).requirements == worked
    mlsd.write(path, requirements=latency(worked, percentile="p95"))
    so_far = mlsd.cases.carry_on(path)
    assert so_far.requirements.latency.percentile == "p95"
    assert so_far.planes == mlsd.cases.load("harbour_pay").planes


def test_many_lines_are_cut():
    assert "60 more" in str(Changes("a.yaml", "before", tuple("+x" for _ in range(100))))


def test_a_file_that_is_no_design_is_not_written_over(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(DesignError):
        mlsd.write(path, name="x")
    assert path.read_text(encoding="utf-8") == "[1, 2]"


def test_a_line_of_the_worked_case_that_the_file_lacks_is_not_told(tmp_path, worked):
    changes = mlsd.write(tmp_path / "harbour_pay.yaml", requirements=worked.changed(constraints=()))
    assert "region" not in str(changes)
