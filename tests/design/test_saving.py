"""Saving: what is saved loads as the same design, and nothing that was there is lost."""

import re
import stat
from difflib import ndiff

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsd_helpers import cases
from mlsd_helpers.design import CapacityPlan, Design, load_design, reading, writing
from mlsd_helpers.errors import DesignError
from tests.design.any_design import PARTS, designs
from tests.effort import examples

ONE, OTHER = Design(name="one"), Design(name="other")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "design.yaml"


def history(path):
    """Return the files that keep what was replaced."""
    return list(path.with_name(writing.HISTORY).iterdir())


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
    assert [kept.read_text(encoding="utf-8") for kept in history(path)] == ["# mine\nname: one\n"]


# What a user wrote stays

MINE = """\
# All that follows was agreed in March.

x-owners: {scorer: ana, "on call": [bo, cy]}
x-small: &small
  replicas: 2   # enough for the night
  zones: 1
name: 'one'   # for now

capacity:
    # measured in the week before Christmas
    load: 500 rps
    zones: 3
    # still open
    headroom: {share: 30%, pays_for: [surge, zone loss], x-why: told by Ana}
    replicas: 45 # at most
# the sketch

planes:
  components:
    # in front
    - id: gateway
      kind: api gateway
      title: >
        takes what
        comes
    # behind it
    - {id: scorer, kind: model server, <<: *small}  # one a zone

    - id: features
      x-ticket: 17
      kind: feature store
  flows:
  - {from: gateway, to: scorer, carries: request}   # the thin one
  - {from: scorer, to: features, carries: request}
# the end
"""


def lines_changed(path, change, text=MINE):
    """Save a changed design over a text; return the lines that are gone and those that came."""
    path.write_bytes(text.encode())
    after = change(load_design(path))
    after.save(path, replace=True)
    assert load_design(path) == after
    found = path.read_bytes().decode()
    compared = list(ndiff(text.splitlines(), found.splitlines()))
    return [[line[2:] for line in compared if line.startswith(sign)] for sign in "-+"]


def capacity(**fields):
    return lambda design: design.with_part(capacity=design.capacity.changed(**fields))


def components(change):
    return lambda design: design.with_part(
        planes=design.planes.changed(components=change(list(design.planes.components)))
    )


CHANGES = {
    # a change: the lines that go and those that come
    "a value": (capacity(zones=4), ["    zones: 3"], ["    zones: 4"]),
    "a value with a comment behind it": (
        capacity(replicas=46), ["    replicas: 45 # at most"], ["    replicas: 46 # at most"],
    ),
    "a word that looks like a number": (
        lambda design: design.changed(name="8e9"), ["name: 'one'   # for now"], ["name: '8e9'   # for now"],
    ),
    "a new key": (capacity(queue_limit=10), [], ["    queue_limit: 10"]),
    "a key that goes": (capacity(load=None), ["    load: 500 rps"], []),
    "a key that <<: brings in": (
        components(lambda found: [found[0], found[1].changed(replicas=3), found[2]]),
        ["    - {id: scorer, kind: model server, <<: *small}  # one a zone"],
        ["    - {id: scorer, kind: model server, replicas: 3, zones: 1}  # one a zone"],
    ),
    "a value inside brackets": (
        capacity(headroom={"share": "40%", "pays_for": ["surge", "zone loss"]}),
        ["    headroom: {share: 30%, pays_for: [surge, zone loss], x-why: told by Ana}"],
        ["    headroom: {share: 40%, pays_for: [surge, zone loss], x-why: told by Ana}"],
    ),
    "text of several lines": (
        components(lambda found: [found[0].changed(title="takes all"), *found[1:]]),
        ["      title: >", "        takes what", "        comes"],
        ["      title: takes all"],
    ),
    "an entry that goes": (
        lambda design: design.with_part(planes=design.planes.changed(flows=design.planes.flows[1:])),
        ["  - {from: gateway, to: scorer, carries: request}   # the thin one"],
        [],
    ),
    "an entry at the top and one at the end": (
        components(lambda found: [{"id": "a", "kind": "cache"}, *found, {"id": "z", "kind": "cache"}]),
        [],
        ["    - {id: a, kind: cache}", "    - {id: z, kind: cache}"],
    ),
    "a new part": (
        lambda design: design.with_part(requirements={"goal": "fewer\ncalls"}),
        [],
        ["requirements:", "  goal: |-", "    fewer", "    calls"],
    ),
    "a part that goes": (
        lambda design: design.with_part(capacity=None),
        MINE[MINE.index("capacity:") : MINE.index("# the sketch")].splitlines(),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "gone", "come"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_only_the_lines_of_what_changed_change(path, change, gone, come, line_end):
    assert lines_changed(path, change, MINE.replace("\n", line_end)) == [gone, come]
    assert path.read_bytes().count(b"\r\n") in {0, path.read_bytes().count(b"\n")}


def test_a_last_line_without_an_end_gets_one_before_what_is_added(path):
    assert lines_changed(path, lambda design: design.changed(summary="s"), "name: one") == [
        [],
        ["summary: s"],
    ]


def test_what_an_alias_shares_changes_in_one_place_alone(path):
    text = "name: d\nx-id: 7\ndataflow: {stages: [{id: a, delays: &d [1 s, 2 s]}, {id: b, delays: *d}]}\n"
    stages = [{"id": "a", "delays": ["3 s"]}, {"id": "b", "delays": ["1 s", "2 s"]}]
    lines_changed(path, lambda design: design.with_part(dataflow={"stages": stages}), text)
    assert "x-id: 7" in path.read_text(encoding="utf-8")


def test_a_key_and_a_list_entry_are_added_at_the_same_place(path):
    rejected = "{pattern: request-time, reason: slow, flips_when: never}"
    text = f"# mine\nname: d\npattern:\n  rejected:\n  - {rejected}\n"
    paths = [{"id": "A", "pattern": "request-time"}]
    lines_changed(
        path,
        lambda design: design.with_part(pattern={"paths": paths, "rejected": [*design.pattern.rejected] * 2}),
        text,
    )
    assert path.read_text(encoding="utf-8").startswith("# mine")


@pytest.mark.parametrize("name", [name for name in cases.names() if not cases.load(name).data])
def test_the_comments_of_a_case_stay_whatever_part_is_replaced(path, name):
    case, other = cases.load(name), cases.load("harbour_pay")
    commented = re.sub(r"^(\w+:)", r"# about \1\n\1", case.to_yaml(), flags=re.MULTILINE)
    data = case.data and case.data.changed(datasets=[one.changed(kept_in=()) for one in case.data.datasets])
    for part in PARTS:
        path.write_text(commented, encoding="utf-8")
        parts = {
            "requirements",
            "planes",
            "pattern",
            part,
        }  # these name each other's components and workloads
        after = case.with_part(**{one: getattr(other, one) for one in parts}, data=data, evidence=())
        after.save(path, replace=True)
        assert load_design(path) == after
        assert path.read_text(encoding="utf-8").count("# about") == commented.count("# about")


@pytest.mark.parametrize("part", PARTS)
@settings(max_examples=examples(5), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_design_is_edited_into_any_other_one(part, data):
    before, after = data.draw(designs(part)), data.draw(designs(part))
    text = f"# mine\n{before.to_yaml()}"
    edited = writing.edited(text, reading.parse(Design, text, "")[1].root, before, after)
    assert edited.startswith(("# mine", writing.HEADER))  # anew where the change cannot be made in place
    assert Design.parse(edited) == after


def test_no_earlier_version_is_lost(path):
    versions = [Design(name=name) for name in ("one", "two", "three", "four")]
    for design in versions:
        design.save(path, replace=True)
    kept = {load_design(file).name for file in [path, *history(path)]}
    assert kept == {"one", "two", "three", "four"}


def test_the_same_version_is_kept_once(path):
    for design in (ONE, OTHER, ONE, OTHER, ONE, OTHER):
        design.save(path, replace=True)
    assert len(history(path)) == 2


def test_a_write_that_fails_leaves_everything_as_it_was(path, monkeypatch):
    ONE.save(path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DesignError):
        OTHER.save(path, replace=True)
    assert load_design(path) == ONE
    assert {file.name for file in path.parent.iterdir()} <= {"design.yaml", writing.HISTORY}


def test_nothing_is_written_while_a_notebook_is_validated(path, monkeypatch):
    ONE.save(path)
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")
    OTHER.save(path, replace=True)
    OTHER.save(path.with_name("other.yaml"))
    assert load_design(path) == ONE
    assert list(path.parent.iterdir()) == [path]


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
