"""Loading: any text either is a design or gets an error that says where it is wrong and what to do."""

import tracemalloc

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from mlsd_helpers import cases
from mlsd_helpers.design import (
    PLANE_OF,
    Design,
    UnreadableDesignError,
    load_design,
    load_with_lines,
    loading,
    reading,
)
from mlsd_helpers.design.problems import nearest
from mlsd_helpers.errors import DesignError

CASE = cases.load("harbour_pay").to_yaml()
COMPONENT = "planes:\n  components:\n  - id: a\n    kind: "

WRONG = {
    # what is written: the field path and the line that the error must name
    "a wrong unit": ("name: d\ncapacity:\n  load: 40 ms", ("capacity", "load"), 3),
    "no unit": ("name: d\ncapacity:\n  load: '500'", ("capacity", "load"), 3),
    "a negative number": ("name: d\ncapacity:\n  replicas: -3", ("capacity", "replicas"), 3),
    "not a number": ("name: d\ncapacity:\n  load: .nan", ("capacity", "load"), 3),
    "far too large": ("name: d\ncapacity:\n  load: 1e30", ("capacity", "load"), 3),
    "endless": ("name: d\ncapacity:\n  load: 1e9999 rps", ("capacity", "load"), 3),
    "above 100%": ("name: d\ncapacity:\n  target_utilisation: 70", ("capacity", "target_utilisation"), 3),
    "true for a number": ("name: d\ncapacity:\n  replicas: true", ("capacity", "replicas"), 3),
    "a list for a number": ("name: d\ncapacity:\n  replicas:\n  - 3", ("capacity", "replicas"), 3),
    "a number for text": ("name: 7", ("name",), 1),
    "a word for a part": ("name: d\nplanes: five", ("planes",), 2),
    "a part for a list": ("name: d\nplanes:\n  components:\n    id: a", ("planes", "components"), 3),
    "an unknown part": ("name: d\ncapacities: {}", ("capacities",), 2),
    "an unknown key": ("name: d\ncapacity:\n\n  zonez: 3", ("capacity", "zonez"), 4),
    "an unknown kind": (f"name: d\n{COMPONENT}modle server", ("planes", "components", "a", "kind"), 5),
    "no name": ("summary: d", ("name",), 1),
    "a key twice": ("name: d\nname: e", ("name",), 2),
    "a key twice inside": ("name: d\ncapacity:\n  zones: 3\n  zones: 4", ("capacity", "zones"), 4),
    "an id twice": (f"name: d\n{COMPONENT}cache\n  - id: a\n    kind: cache", ("planes", "components", "a", "id"), 6),
    "a flow to nowhere": (
        f"name: d\n{COMPONENT}cache\n  flows:\n  - from: a\n    to: b\n    carries: request",
        ("planes", "flows", 0, "to"),
        8,
    ),
    "a feature without a stage": (
        "name: d\ndataflow:\n  features:\n  - id: f\n    source: s",
        ("dataflow", "features", "f", "path"),
        4,
    ),
    "a stage that is none": (
        "name: d\ndataflow:\n  features:\n  - id: f\n    source: s\n    path: [a b]",
        ("dataflow", "features", "f", "path", 0),
        6,
    ),
    "a tag": ("name: !!python/name:os.system d", ("name",), 1),
    "a character that cannot be printed": ('name: "\\e[31m"', ("name",), 1),
    "an unfinished line": ("name: d\ncapacity: {zones: 3\n", (), 3),
    "a tab": ("name: d\ncapacity:\n\tzones: 3", (), 3),
    "a second document": ("name: d\n---\nname: e", (), 2),
    "a list": ("- name: d", (), 1),
    "a word": ("design", (), 1),
    "an alias of nothing": ("name: *d", (), 1),
    "an alias of itself": ("name: d\nplanes: &a\n  components: [*a]", (), 3),
    "a key that is a list": ("name: d\n? [a]\n: b", (), 2),
    "a merge of a word": ("name: d\ncapacity:\n  <<: 3", ("capacity", "<<"), 3),
    "a fault in what is merged": ("x-a: &a\n  zones: 0\nname: d\ncapacity: {<<: *a}", ("capacity", "zones"), 2),
    "a fault beside a note": ("name: d\ncapacity:\n  x-zones: 0\n  zones: 0", ("capacity", "zones"), 4),
    "an unfinished note": ("name: d\nx-a: [", (), 3),
    "too deep": ("name: " + "[" * 60 + "]" * 60, (), 1),
}  # fmt: skip


@pytest.mark.parametrize(("text", "path", "line"), WRONG.values(), ids=WRONG)
def test_an_error_names_the_file_the_line_and_the_field(text, path, line):
    with pytest.raises(UnreadableDesignError) as refused:
        Design.parse(text, "mine.yaml")
    (problem,) = refused.value.problems
    assert (problem.path, problem.line) == (path, line)
    assert "mine.yaml" in str(refused.value)
    assert f"line {line}" in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# a comment", "---", "...", "null", "\0", "\ud800", "name: \x07"]
)
def test_a_text_without_a_design_is_refused(text):
    with pytest.raises(DesignError):
        Design.parse(text)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("capacity: {replica: 3}", "replicas"), ("capacty: {}", "capacity"), (COMPONENT + "modle server", "model server")],
)  # fmt: skip
def test_an_unknown_name_gets_the_nearest_known_one(wrong, right):
    with pytest.raises(DesignError, match=f"'{right}'"):
        Design.parse(f"name: d\n{wrong}")


def test_a_kind_that_is_like_no_other_gets_all_kinds():
    with pytest.raises(DesignError) as refused:
        Design.parse(f"name: d\n{COMPONENT}zzz")
    assert all(kind in str(refused.value) for kind in PLANE_OF)


def test_a_name_like_several_gets_each_of_them():
    components = "".join(f"  - {{id: {name}, kind: cache}}\n" for name in ("orders_eu", "orders_us", "other"))
    flow = "  flows:\n  - {from: orders, to: other, carries: request}\n"
    with pytest.raises(DesignError, match=r"'orders_(us|eu)' or 'orders_(us|eu)'"):
        Design.parse(f"name: d\nplanes:\n  components:\n{components}{flow}")


@pytest.mark.parametrize("number", [0, 2_500, 4_999])
def test_the_nearest_of_thousands_of_names_is_found_wherever_it_stands(number):
    assert f"'store_{number:04}'" in nearest(f"store_{number:04}x", [f"store_{n:04}" for n in range(5_000)])


def test_several_problems_are_listed_together_and_in_order():
    with pytest.raises(UnreadableDesignError) as refused:
        Design.parse("name: 7\nname: 8\nplanes: 3\ncapacity: {zones: 0, load: fast}")
    assert [problem.line for problem in refused.value.problems] == [2, 2, 3, 4, 4]


def test_no_more_than_ten_problems_are_listed():
    with pytest.raises(UnreadableDesignError) as refused:
        Design.parse("name: d\n" + "".join(f"key{n}: 1\n" for n in range(500)))
    assert len(refused.value.problems) == 500
    assert len(str(refused.value).splitlines()) == 12


def test_a_part_may_be_missing_or_empty():
    assert Design.parse("name: d\ncapacity:\nplanes: {}").capacity is None


def test_words_read_as_words():
    design = Design.parse("name: no\nsummary: 12:30")
    assert (design.name, design.summary) == ("no", "12:30")


def test_a_few_aliases_are_welcome():
    text = "name: d\ndataflow: {stages: [{id: a, delays: &d [1 s, 2 s]}, {id: b, delays: *d}]}"
    first, second = Design.parse(text).dataflow.stages
    assert first.delays == second.delays


def test_keys_that_begin_with_x_are_notes_at_any_level():
    text = "x-a: {b: [1]}\nname: d\ncapacity:\n  x-why: [1, {c: d}]\n  headroom: {share: 30%, x-: }\n"
    assert Design.parse(text) == Design(name="d", capacity={"headroom": {"share": "30%"}})


@pytest.mark.parametrize(
    ("merge", "zones", "replicas"),
    [
        ("<<: *a", 3, 9),
        ("<<: [*a, *b]", 3, 9),
        ("<<: [*b, *a]", 4, 9),
        ("zones: 5, <<: *a", 5, 9),
        ("<<: *a, replicas: 5", 3, 5),
        ("<<: *c", 4, 7),
        ("<<: {zones: 6}", 6, None),
        ("'<<': *a", None, None),
    ],
)
def test_a_merge_brings_in_keys_that_are_not_written(merge, zones, replicas):
    text = f"""name: d
x-1: &a {{zones: 3, replicas: 9, x-y: 1}}
x-2: &b {{zones: 4}}
x-3: &c {{<<: *b, replicas: 7}}
capacity: {{{merge}}}"""
    if zones is None:
        with pytest.raises(UnreadableDesignError):
            Design.parse(text)
    else:
        plan = Design.parse(text).capacity
        assert (plan.zones, plan.replicas) == (zones, replicas)


def test_merges_that_multiply_are_refused():
    levels = "".join(f"a{n + 1}: &a{n + 1} {{<<: *a{n}, b: *a{n}, c: *a{n}}}\n" for n in range(30))
    ends_all_reading(f"name: d\na0: &a0 {{x: 1}}\n{levels}")


# Files that are meant to hurt. Time is bounded by what is looked at, not by a clock.


def ends_all_reading(text):
    """Refused as a whole, before any field is looked at."""
    with pytest.raises(UnreadableDesignError) as refused:
        Design.parse(text)
    assert [problem.path for problem in refused.value.problems] == [()]


def test_aliases_that_multiply_are_refused():
    levels = "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(30))
    ends_all_reading(f"name: d\na0: &a0 [x]\n{levels}")


def test_aliases_that_nest_are_refused():
    levels = "".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(200))
    ends_all_reading(f"name: d\na0: &a0 [x]\n{levels}")


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 5_000, "{a: " * 100_000])
def test_a_file_too_deep_is_refused(text):
    ends_all_reading(text)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(DesignError):
            load_design(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * loading.LARGEST_FILE
    finally:
        tracemalloc.stop()


@pytest.mark.thorough
def test_ten_thousand_components_load():
    text = "name: d\nplanes:\n  components:\n" + "".join(
        f"  - {{id: c{n}, kind: cache, owner: me, replicas: 3, latency: 2 ms}}\n" for n in range(10_000)
    )
    assert len(Design.parse(text).planes.components) == 10_000


@pytest.mark.thorough
def test_ten_thousand_broken_names_are_one_error():
    components = "".join(f"  - {{id: c{n}, kind: cache}}\n" for n in range(10_000))
    flows = "".join(f"  - {{from: d{n}, to: e{n}, carries: request}}\n" for n in range(10_000))
    with pytest.raises(DesignError):
        Design.parse(f"name: d\nplanes:\n  components:\n{components}  flows:\n{flows}")


def test_nothing_in_a_file_is_carried_out(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text("name: !!python/object/apply:os.mkdir [made]\n", encoding="utf-8")
    with pytest.raises(DesignError):
        load_design(path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_readable_file_is_an_error(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("name: café".encode("latin-1"))
    for place in (tmp_path, tmp_path / "missing.yaml", tmp_path / "latin.yaml", "\0", tmp_path / ("x" * 300)):
        with pytest.raises(DesignError):
            load_design(place)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_bytes("\ufeffname: d\r\ncapacity:\r\n  zones: 3\r\n".encode())
    assert load_design(path).capacity.zones == 3


# Lines


def test_the_line_of_every_field_is_known(tmp_path):
    path = tmp_path / "design.yaml"
    cases.load("harbour_pay").save(path)
    design, lines = load_with_lines(path)
    text = path.read_text(encoding="utf-8").splitlines()
    assert text[lines(("capacity", "zones")) - 1] == "  zones: 3"
    assert text[lines("capacity") - 1] == "capacity:"
    assert "card_spend_24h" in text[lines("dataflow.features.card_spend_24h") - 1]
    assert lines(("dataflow", "features", 2)) == lines("dataflow.features.card_spend_24h")
    assert "timeout" in text[lines("planes.flows.0.timeout") - 1]
    assert design.capacity.zones == 3


def test_a_field_that_is_not_written_has_the_line_of_the_group_around_it(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text("name: d\n\ncapacity:\n  zones: 3\n", encoding="utf-8")
    lines = load_with_lines(path).lines
    assert lines("capacity.autoscaler.delay") == 3
    assert lines("planes") == lines(()) == 1


# Fuzz


def loads_or_is_refused(text):
    try:
        design = Design.parse(text)
    except DesignError:
        return
    assert Design.parse(design.to_yaml()) == design  # it stays a text


@given(st.text())
@example("name: 0o17")
@example("name: 1e3")
@example("name: '\\N'")
def test_any_text_loads_or_is_refused(text):
    loads_or_is_refused(text)
    loads_or_is_refused(f"name: {text}")


@given(start=st.integers(0, len(CASE)), cut=st.integers(0, 60), put=st.text(max_size=12) | st.sampled_from(
    ["\n", "  ", "- ", ": ", "&a ", "*a", "!!int ", "{", "]", '"', "null", "-1", "1e30", ".inf", "0", "true", "\t"]
))  # fmt: skip
def test_a_damaged_case_loads_or_is_refused(start, cut, put):
    loads_or_is_refused(CASE[:start] + put + CASE[start + cut :])


WORDS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(sorted({line.split(":")[0].strip(" -{") for line in CASE.splitlines() if ":" in line}))
TREES = st.recursive(
    WORDS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=4), max_leaves=12
)  # fmt: skip


@given(part=st.sampled_from(list(Design.model_fields)), tree=TREES)
def test_any_tree_loads_or_is_refused(part, tree):
    loads_or_is_refused(yaml.safe_dump({"name": "d", part: tree}))


@pytest.mark.parametrize(("text", "path", "line"), WRONG.values(), ids=WRONG)
def test_without_libyaml_the_same_field_and_line_are_named(text, path, line, monkeypatch):
    monkeypatch.setattr(reading, "LOADER", yaml.SafeLoader)
    with pytest.raises(UnreadableDesignError) as refused:
        Design.parse(text)
    (problem,) = refused.value.problems
    assert problem.path == path
    assert problem.line is not None
    if path:
        assert problem.line == line


def test_a_threshold_may_be_a_number_without_quotes():
    alert = "{id: psi, raised_by: m, watches: data, metric: index, threshold: 0.2}"
    design = Design.parse(f"name: d\nplanes: {{components: [{{id: m, kind: metrics}}], alerts: [{alert}]}}")
    assert design.planes.alerts[0].threshold == "0.2"
    assert Design.parse(design.to_yaml()) == design  # it stays a text


def test_a_number_among_texts_is_told_from_a_text_with_a_comma():
    with pytest.raises(DesignError, match="comma"):
        Design.parse("name: d\nabout: {reviewers: [Ada, each 7 d, 24]}")
