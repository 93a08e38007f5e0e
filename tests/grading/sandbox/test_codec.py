import collections
import contextlib
import enum
import itertools
import json
import math
import reprlib
import types
import typing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import cases
from mlsd_helpers.design import CapacityPlan
from mlsd_helpers.grading.sandbox.codec import DEPTH, Opaque, decode, encode
from mlsd_helpers.grading.sandbox.wire import BrokenFrameError

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = (
    st.integers()
    | st.integers(-(2**4000), 2**4000)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.fractions()
    | st.decimals(allow_nan=False, places=3)
)
moments = st.dates() | st.datetimes() | st.datetimes(timezones=st.just(UTC)) | st.times() | st.timedeltas()
scalars = st.deferred(lambda: st.none() | st.booleans() | numbers | words | st.binary(max_size=20) | moments)
keys = st.deferred(lambda: scalars | st.tuples(scalars, scalars) | st.frozensets(scalars, max_size=3))
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(keys, max_size=4)
        | st.frozensets(keys, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def sent(value):
    return decode(json.loads(json.dumps(encode(value))))


def kinds(value):
    """Return the types of a value and of all in it."""
    inside = list(value.items()) if isinstance(value, dict) else value
    if isinstance(value, set | frozenset):
        return type(value), *sorted(str(kinds(one)) for one in value)
    return (type(value), *map(kinds, inside)) if isinstance(value, dict | list | tuple) else type(value)


@given(values)
def test_a_plain_value_arrives_as_it_was_with_every_type_in_it(value):
    assert sent(value) == value
    assert str(kinds(sent(value))) == str(kinds(value))


def test_what_is_not_a_number_arrives_as_such():
    assert math.isnan(sent(math.nan))
    assert sent(Decimal("NaN")).is_nan()
    assert math.copysign(1, sent(-0.0)) == -1


tags = st.sampled_from(
    [
        "int",
        "float",
        "complex",
        "bytes",
        "list",
        "tuple",
        "set",
        "frozenset",
        "dict",
        "fraction",
        "decimal",
        "datetime",
        "date",
        "time",
        "timedelta",
        "opaque",
        "model",
        "ndarray",
        "column",
        "category",
        "labels",
        "series",
        "frame",
        "index",
        "moment",
        "missing",
    ]
)
forged = st.recursive(
    documents, lambda inner: st.builds(lambda tag, parts: [tag, *parts], tags, st.lists(inner, max_size=4))
)


@given(forged)
def test_anything_else_that_arrives_is_refused_and_raises_nothing_else(data):
    with contextlib.suppress(BrokenFrameError):
        decode(data)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6).reshape(2, 3),
        np.array([1.5, np.nan]),
        np.array(2 + 3j),
        np.array([True, False]),
        np.array([[], []]),
        np.array(["2026-01-01", "NaT"], dtype="M8[ns]"),
        np.array([1, 2], dtype="m8[s]"),
        np.array(["a", "long text"], dtype=object),
    ],
    ids=str,
)
def test_an_array_keeps_its_shape_and_its_kind(value):
    np.testing.assert_array_equal(sent(value), value)
    assert sent(value).dtype == value.dtype
    assert sent(value).shape == value.shape


def test_a_number_of_numpy_arrives_as_one_of_python():
    given = [np.int64(3), np.float32(0.5), np.bool_(True), np.longdouble(2), np.str_("a")]
    assert [type(one) for one in sent(given)] == [int, float, bool, float, str]


frame = pd.DataFrame(
    {
        "whole": [1, 2],
        "real": [0.5, np.nan],
        "text": ["a", None],
        "when": pd.to_datetime(["2026-01-01", None]),
        "there": pd.to_datetime(["2026-01-01", "2026-06-01"]).tz_localize("Europe/Berlin"),
        "wait": pd.to_timedelta(["1 s", "1 ns"]),
        "kind": pd.Categorical(["x", "y"], ["y", "x"], ordered=True),
        "maybe": pd.array([1, None], dtype="Int64"),
        "mixed": [(1, 2), "x"],
    },
    index=pd.Index([10, 20], name="row"),
)


@pytest.mark.parametrize(
    "value",
    [
        frame,
        frame.iloc[:0],
        frame.set_index(["whole", "kind"]),
        frame.rename(columns={"real": 3}),
        pd.concat([frame[["whole"]], frame[["whole"]]], axis=1),
        frame.groupby("kind", observed=True)[["whole"]].agg(["min", "max"]),
        pd.DataFrame(),
    ],
)
def test_a_table_keeps_its_labels_and_types(value):
    pd.testing.assert_frame_equal(sent(value), value)


@pytest.mark.parametrize("name", frame.columns)
def test_a_column_keeps_its_labels_and_type(name):
    pd.testing.assert_series_equal(sent(frame[name]), frame[name])


@pytest.mark.parametrize(
    "value",
    [pd.Timestamp("2026-01-01 01:02:03.000000004", tz="UTC"), pd.Timedelta("1 D 2 ns"), pd.NaT, pd.NA],
)
def test_a_moment_of_pandas_stays_one(value):
    assert sent(value) is value if value is pd.NaT or value is pd.NA else sent(value) == value
    assert type(sent(value)) is type(value)


def test_a_design_is_checked_again_outside():
    design = cases.load("stripe_radar")
    assert sent(design) == design
    assert sent({"plan": CapacityPlan(replicas=45)})["plan"].replicas == 45
    with pytest.raises(BrokenFrameError):
        decode(["model", "CapacityPlan", ["dict", [["replicas", -1]]]])
    with pytest.raises(BrokenFrameError):
        decode(["model", "BaseModel", ["dict", []]])


class Liar(float):
    def __eq__(self, other):
        return True

    __hash__ = None

    def __float__(self):
        return 42.0

    def __repr__(self):
        return "42"


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "another"


class Items(list):
    def __iter__(self):
        return iter([42])


class Level(enum.IntEnum):
    HIGH = 3


def test_a_subclass_goes_by_the_value_that_it_is_built_on():
    assert repr(sent([Liar(1.5), Text("this"), Items([1]), Level.HIGH])) == "[1.5, 'this', [1], 3]"


class Raising:
    def __repr__(self):
        raise ValueError

    def __getattr__(self, name):
        raise KeyError(name)


class Equal:
    def __eq__(self, other):
        return True

    __hash__ = None


@dataclass
class Plan:
    replicas: int
    zones: Fraction


def test_an_object_arrives_as_its_name_and_its_plain_attributes():
    plan = sent(Plan(3, Fraction(1, 2)))
    assert isinstance(plan, Opaque)
    assert plan.type_name == "Plan"
    assert (plan.replicas, plan.zones) == (3, Fraction(1, 2))
    assert not hasattr(plan, "cost")
    assert sent(types.SimpleNamespace(a=1)).a == 1
    assert sent(Equal()) != 1
    assert sent(Raising()).type_name == "Raising"
    assert sent(lambda: 0).type_name == "function"


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (range(3), [0, 1, 2]),
        (collections.deque([1]), [1]),
        ({"a": 1}.keys(), ["a"]),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.Counter("a"), {"a": 1}),
        (map(str, [1, 2]), ["1", "2"]),
    ],
)
def test_what_acts_like_a_list_or_dict_arrives_as_one(value, arrives):
    assert sent(value) == arrives


def test_what_never_ends_arrives_as_something_too_large():
    assert sent(itertools.count()).type_name == "count"


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


cycle = []
cycle.append(cycle)


@pytest.mark.parametrize(
    "value",
    [
        nested(DEPTH + 1),
        nested(100_000),
        cycle,
        range(10**9),
        [0] * 10**6,
        "x" * 10**8,
        10**10_000,
        Decimal("1e999999"),
    ],
    ids=["deep", "deeper", "cycle", "range", "long", "text", "number", "decimal"],
)
def test_what_is_too_much_arrives_as_nothing_but_its_type(value):
    arrived = sent(value)
    assert isinstance(arrived, Opaque)
    assert arrived.type_name == type(value).__name__
    assert len(arrived.text) < 1000


def test_a_set_that_is_made_to_be_slow_is_refused():
    same_hash = [number * (2**61 - 1) for number in range(1, 1000)]
    with pytest.raises(BrokenFrameError):
        decode(["set", [encode(number) for number in same_hash]])


@pytest.mark.parametrize(
    "data",
    [
        nested(3 * DEPTH),
        ["list", [0] * 10**6],
        ["decimal", "1e999999999"],
        ["int", "0x" + "f" * 100_000],
        ["fraction", 1, 0],
        ["ndarray", "<f8", [10**9, 10**9], []],
        ["ndarray", "<U100000000", [1], ["a"]],
        ["ndarray", "O", [-1], [1]],
        ["series", ["labels", [None], [["column", "int64", [0]]]], None, ["column", "eval", [0]]],
        ["set", [["list", []]]],
        ["opaque", "int", 3, []],
        ["__import__", "os"],
    ],
    ids=lambda data: reprlib.repr(data)[:30],
)
def test_a_monster_is_refused(data):
    with pytest.raises(BrokenFrameError):
        decode(data)


def test_text_that_no_file_can_hold_is_mended():
    assert sent("a\ud800b").encode() == b"a?b"


def test_dates_keep_apart():
    for value in (date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1, microseconds=1)):
        assert type(sent(value)) is type(value)


def index_of(values):
    return ["index", ["labels", [None], [values]]]


@pytest.mark.parametrize(
    "zone", ["dateutil//etc/hostname", "../../etc/hostname", "/etc/hostname", "tzlocal", "Europe/Nowhere"]
)
def test_a_time_zone_that_is_no_zones_name_is_refused_and_no_file_is_opened(zone, monkeypatch):
    opened, real = [], open
    monkeypatch.setattr(
        "builtins.open", lambda name, *how, **so: opened.append(name) or real(name, *how, **so)
    )
    with pytest.raises(BrokenFrameError):
        decode(index_of(["column", f"datetime64[ns, {zone}]", []]))
    assert not any("hostname" in str(name) for name in opened)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "UTC+01:00", "UTC-03:30"])
def test_a_known_zone_and_a_fixed_offset_arrive(zone):
    there = pd.Series(pd.to_datetime(["2026-01-01", None, "2026-07-01"]).tz_localize(zone))
    pd.testing.assert_series_equal(sent(there), there)


def test_a_zone_of_a_file_arrives_as_text():
    there = pd.Series(pd.to_datetime(["2026-01-01"]).tz_localize("dateutil/Europe/Berlin"))
    assert list(sent(there)) == ["2026-01-01 00:00:00+01:00"]


SMALL_INDEX = index_of(["column", "int64", []])
SMALL_CATEGORY = index_of(["category", ["column", "object", ["a"]], [0], True])
DESIGN_PART = ["model", "CapacityPlan", ["dict", [["replicas", 5]]]]


@pytest.mark.parametrize(
    "data",
    [
        ["list", [SMALL_INDEX] * 20_000],
        ["list", [SMALL_CATEGORY] * 20_000],
        ["list", [["moment", "Timedelta", "P1DT2H3M4S"]] * 100_000],
        ["list", [["ndarray", "<f8", [1], [1.0]]] * 90_000],
        ["list", [DESIGN_PART] * 30_000],
        ["list", [["set", []]] * 300_000],
        ["series", ["labels", [None] * 5_000, [["column", "object", ["a"]]] * 5_000], None, ["column", "int64", [0]]],
        index_of(["category", ["column", "object", ["a"]], [0] * 1_000_000, True]),
        ["ndarray", "<f8", [10**9, 0], []],
        ["ndarray", "<f8", [0, 10**9], []],
        ["decimal", "0." + "1" * 100_000],
        index_of(["column", "datetime64[ns]", ["1 January 2026"]]),
        ["moment", "Timestamp", "2026-01-01 1:2"],
        ["moment", "Timedelta", "P1D" + "T" * 100],
    ],
    ids=lambda data: reprlib.repr(data)[:40],
)  # fmt: skip
def test_what_is_slow_to_make_is_refused_before_it_is_made(data):
    with pytest.raises(BrokenFrameError):
        decode(data)


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({str(column): [1] for column in range(2_000)}),
        [pd.Series([1])] * 2_000,
        [pd.Timedelta("1 s")] * 60_000,
        [CapacityPlan(replicas=45)] * 10_000,
        np.zeros((10**7, 0)),
        Decimal("0." + "1" * 100_000),
        [set()] * 150_000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_be_refused_is_not_sent_and_the_sandbox_goes_on(value):
    assert isinstance(sent(value), Opaque)


def test_objects_may_stand_in_a_set():
    assert len(sent({Plan, Raising})) == 2


class Sized(typing.NamedTuple):
    replicas: int
    count: float


def test_a_named_tuple_keeps_its_names():
    plan = decode(json.loads(json.dumps(encode(Sized(3, 0.5)))))
    assert plan == (3, 0.5)
    assert (plan.replicas, plan.count) == (3, 0.5)


@pytest.mark.parametrize(
    "sent",
    [
        ["named", ["a", "a"], [1, 2]],
        ["named", ["a"], [1, 2]],
        ["named", ["__class__"], [1]],
        ["named", ["a b"], [1]],
        ["named", [1], [1]],
        ["named", "ab", [1, 2]],
    ],
)
def test_names_that_no_tuple_has_are_refused(sent):
    with pytest.raises(BrokenFrameError):
        decode(sent)
