"""Saving: what is saved loads as the same design, and nothing that was there is lost."""

import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsd_helpers import cases
from mlsd_helpers.design import CapacityPlan, Design, load_design
from mlsd_helpers.errors import DesignError
from tests.design.any_design import PARTS, designs
from tests.effort import examples

ONE, OTHER = Design(name="one"), Design(name="other")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "design.yaml"


@pytest.mark.parametrize("part", PARTS)
@settings(max_examples=examples(50), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_is_written_reads_back_as_the_same_design(part, data):
    design = data.draw(designs(part))
    assert Design.parse(design.to_yaml()) == design


@pytest.mark.parametrize("name", cases.names())
def test_a_case_saved_loads_as_the_same_design(path, name):
    cases.load(name).save(path)
    assert load_design(path) == cases.load(name)


def test_a_file_says_what_reads_it(path):
    ONE.save(path)
    assert "mlsd check" in path.read_text(encoding="utf-8").splitlines()[0]


def test_what_is_left_at_its_default_is_not_written():
    assert Design(name="d", capacity=CapacityPlan(replicas=3)).to_yaml().count(":") == 3


def test_keys_stand_in_the_order_of_the_lessons():
    text = cases.load("harbour_pay").to_yaml()
    places = [text.index(f"\n{part}:") for part in PARTS]
    assert places == sorted(places)


def test_another_design_is_not_overwritten(path):
    ONE.save(path)
    with pytest.raises(DesignError):
        OTHER.save(path)
    assert load_design(path) == ONE


@pytest.mark.parametrize("content", [b"", b"my notes: [", b"\xff\xfe"])
def test_a_file_that_is_no_design_is_not_overwritten(path, content):
    path.write_bytes(content)
    with pytest.raises(DesignError):
        ONE.save(path)
    assert path.read_bytes() == content


def test_the_same_design_leaves_the_comments_in_its_file(path):
    path.write_text("# mine\nname: one\n", encoding="utf-8")
    ONE.save(path)
    assert path.read_text(encoding="utf-8") == "# mine\nname: one\n"


def test_what_is_replaced_is_kept_beside(path):
    path.write_text("# mine\nname: one\n", encoding="utf-8")
    OTHER.save(path, replace=True)
    assert load_design(path) == OTHER
    assert path.with_name("design.before.yaml").read_text(encoding="utf-8") == "# mine\nname: one\n"


def test_no_earlier_version_is_lost(path):
    versions = [Design(name=name) for name in ("one", "two", "three", "four")]
    for design in versions:
        design.save(path, replace=True)
    kept = {load_design(file).name for file in path.parent.glob("design*.yaml")}
    assert kept == {"one", "two", "three", "four"}


def test_the_same_version_is_kept_once(path):
    for design in (ONE, OTHER, ONE, OTHER, ONE, OTHER):
        design.save(path, replace=True)
    assert len(list(path.parent.iterdir())) == 3


def test_a_write_that_fails_leaves_everything_as_it_was(path, monkeypatch):
    ONE.save(path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DesignError):
        OTHER.save(path, replace=True)
    assert load_design(path) == ONE
    assert {file.name for file in path.parent.iterdir()} <= {"design.yaml", "design.before.yaml"}


def test_what_cannot_be_written_to_is_an_error(tmp_path):
    for place in (tmp_path, tmp_path / "no" / "design.yaml", "\0", tmp_path / ("x" * 300)):
        with pytest.raises(DesignError):
            ONE.save(place, replace=True)
    assert not list(tmp_path.iterdir())


def test_a_link_stays_a_link(path):
    target = path.with_name("target.yaml")
    ONE.save(target)
    path.symlink_to(target)
    OTHER.save(path, replace=True)
    assert path.is_symlink()
    assert load_design(target) == OTHER


def test_permissions_stay(path):
    ONE.save(path)
    path.chmod(0o640)
    OTHER.save(path, replace=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
