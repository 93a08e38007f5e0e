"""Encodes plain values as JSON inside a sandbox, and decodes them outside.

A value of a subclass is sent as its base type, so that a number whose `==` is always true arrives as a plain number.
An object that is not plain arrives as `Opaque`, with its type name, a short text and its plain attributes. Decoding
runs nothing that the sandbox sent: it builds known types from checked parts, and raises BrokenFrameError for anything
else.
"""

import base64
import contextlib
import itertools
import math
import re
import sys
import zoneinfo
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from types import MappingProxyType
from typing import Any

from mlsd_helpers.grading.sandbox.wire import BrokenFrameError

DEPTH = 40
NODES = 200_000
TEXT = 4_000_000  # characters of all texts of one value
BITS = 14_000  # of a whole number; Python writes and reads up to 4,300 digits
EXPONENT = 5_000  # of a Decimal, and its digits; a huge one would fill the memory as an int
SIZES = 32  # dimensions of an array
# How many values an object counts as, since it is slow to make.
COLUMN, ARRAY, MOMENT, MODEL, TABLE = 250, 10, 10, 20, 3
_ALIKE = 16  # equal hashes in one set; more than this is an attack
_SHORT = 200

_COLUMN = re.compile(
    r"bool|boolean|object|str|string|complex128|([uU]?[iI]nt|[fF]loat)(8|16|32|64)"
    r"|datetime64\[(s|ms|us|ns)(, (?P<zone>[\w/+:-]{1,40}))?\]|timedelta64\[(s|ms|us|ns)\]"
)
_OFFSET = re.compile(r"UTC|UTC[+-]\d\d:\d\d")
_ARRAY = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16|[mM]8\[(ns|us|ms|s|m|h|D|W|M|Y)\])")
_MOMENTS = {
    "Timestamp": re.compile(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?([+-]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?"
    ),
    "Timedelta": re.compile(r"-?P-?\d{1,18}DT\d{1,2}H\d{1,2}M\d{1,2}(\.\d{1,9})?S"),
}


@dataclass(frozen=True, eq=False)  # hashable, for sets
class Opaque:
    """An object that is no plain value: its type name, its repr and its plain attributes."""

    type_name: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute that the value had in its sandbox."""
        try:
            return vars(self)["fields"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __str__(self) -> str:
        """Return the repr of the value."""
        return self.text


class Named(tuple[Any, ...]):  # noqa: SLOT001 - its names are in its dict
    """A tuple whose items have names as well, as a NamedTuple's have."""


class _Budget:
    """The number of values and characters left. `pay` raises BrokenFrameError when they are used up."""

    def __init__(self, nodes: int) -> None:
        self.nodes, self.text = nodes, TEXT

    def pay(self, nodes: int = 1, *, text: int = 0) -> None:
        self.nodes -= nodes
        self.text -= text
        _require(self.nodes >= 0 and self.text >= 0)


# ---- writing, inside ------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """Return what JSON can hold of a value; never raises for what the value is."""
    try:
        return _Writer(NODES).write(value, 0)
    except (BrokenFrameError, RecursionError):
        problem = "too large or too deep to send"
    except Exception as error:  # noqa: BLE001 - a learner's object may do anything
        problem = f"that cannot be read ({type(error).__name__})"
    return ["opaque", type(value).__name__[:_SHORT], f"a value {problem}", []]


class _Writer(_Budget):
    def write(self, value: Any, depth: int) -> Any:
        self.pay()
        _require(depth <= DEPTH)
        kind = type(value)  # not value.__class__, which may lie
        if kind in _WRITERS:
            return _WRITERS[kind](self, value, depth)
        for module, written in _FOREIGN.items():
            if module in sys.modules and (found := written(self, value, depth)) is not None:
                return found
        for known, writer in _WRITERS.items():
            if issubclass(kind, known):
                return writer(self, value, depth)
        with contextlib.suppress(Exception):  # its methods may not work
            if issubclass(kind, Mapping):
                return self.mapping(dict(value.items()), depth)
            if issubclass(kind, Collection | Iterator):
                return ["list", self.all(iter(value), depth)]
        return self.opaque(value, depth)

    def all(self, values: Iterable[Any], depth: int) -> list[Any]:
        return [self.write(value, depth + 1) for value in values]

    def words(self, text: str) -> str:
        self.pay(0, text=len(text))
        return text

    def whole(self, value: int, _depth: int) -> Any:
        number = _whole(int.__pos__(value))
        return number if number.bit_length() < 64 else ["int", hex(number)]

    def real(self, value: float, _depth: int) -> Any:
        number = float.__pos__(value)
        return number if math.isfinite(number) else ["float", repr(number)]

    def string(self, value: str, _depth: int) -> str:
        return self.words(str.__str__(value))

    def tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        items = self.all(tuple.__iter__(value), depth)
        names = getattr(type(value), "_fields", None)  # of a NamedTuple
        if isinstance(names, tuple) and len(names) == len(items) and all(type(one) is str for one in names):
            return ["named", [self.words(one) for one in names], items]
        return ["tuple", items]

    def parts(self, value: Any, depth: int, tag: str) -> Any:
        return [tag, *self.all(_KINDS[tag][1](value), depth)]

    def table(self, tag: str, values: Iterable[Any], depth: int) -> Any:
        self.pay(TABLE)
        return [tag, self.all(values, depth)]

    def mapping(self, value: dict[Any, Any], depth: int) -> Any:
        self.pay(TABLE)
        return ["dict", [self.all(pair, depth) for pair in dict.items(value)]]

    def opaque(self, value: Any, depth: int) -> Any:
        self.pay(TABLE)
        try:
            text = str.__str__(repr(value))[:_SHORT]
        except Exception as error:  # noqa: BLE001 - a learner's object may do anything
            text = f"a {type(value).__name__} that cannot be shown ({type(error).__name__})"
        try:
            attributes = dict(vars(value)) if not isinstance(value, type) and not callable(value) else {}
        except Exception:  # noqa: BLE001 - likewise
            attributes = {}
        plain = itertools.islice((one for one in attributes.items() if type(one[0]) is str), 100)
        return [
            "opaque",
            type(value).__name__[:_SHORT],
            self.words(text),
            [self.all(one, depth) for one in plain],
        ]


def _of_design(writer: _Writer, value: Any, depth: int) -> Any:
    kind = type(value)
    if _models().get(kind.__name__) is not kind:
        return None
    before = writer.nodes
    dump = writer.write(value.model_dump(by_alias=True, exclude_unset=True), depth + 1)
    writer.pay((before - writer.nodes) * MODEL)
    return ["model", kind.__name__, dump]


@cache
def _models() -> Mapping[str, Any]:
    """Return the design and its parts, by name."""
    from mlsd_helpers.design.value import Value  # noqa: PLC0415 - only where the answer has loaded it

    found, kinds = {}, [Value]
    while kinds:
        kinds += (kind := kinds.pop()).__subclasses__()
        if kind.__module__.startswith("mlsd_helpers.design."):
            found[kind.__name__] = kind
    return found


def _of_numpy(writer: _Writer, value: Any, depth: int) -> Any:
    import numpy as np  # noqa: PLC0415 - only where the answer has loaded it

    if isinstance(value, np.bool_ | np.number):
        number = value.item()  # a long double is its own item
        return writer.write(float(number) if type(number) is type(value) else number, depth)
    if isinstance(value, np.generic | np.ndarray) and not isinstance(value, np.character):
        array = np.asarray(value)
        code = array.dtype.str if _ARRAY.fullmatch(array.dtype.str) else "O"
        writer.pay(ARRAY + sum(array.shape))
        _require(array.size <= NODES and array.ndim <= SIZES)
        flat = array.ravel()
        items = flat.astype("i8") if array.dtype.kind in "mM" else flat
        return ["ndarray", code, list(array.shape), writer.all(items.tolist(), depth)]
    return None


def _of_pandas(writer: _Writer, value: Any, depth: int) -> Any:
    import pandas as pd  # noqa: PLC0415 - only where the answer has loaded it

    found: Any = None
    match value:
        case pd.DataFrame():
            columns = [_column(writer, value.iloc[:, at], depth) for at in range(value.shape[1])]
            axes = (_labels(writer, axis, depth) for axis in (value.index, value.columns))
            found = ["frame", *axes, columns]
        case pd.Series():
            parts = _labels(writer, value.index, depth), writer.write(value.name, depth + 1)
            found = ["series", *parts, _column(writer, value, depth)]
        case pd.Index():
            found = ["index", _labels(writer, value, depth)]
        case pd.Categorical():
            found = writer.write(list(value), depth)
        case pd.Timestamp() | pd.Timedelta():
            writer.pay(MOMENT)
            found = ["moment", type(value).__name__, value.isoformat()]
            if not _MOMENTS[found[1]].fullmatch(found[2]):  # a year with five digits
                found = writer.opaque(value, depth)
        case _ if value is pd.NaT or value is pd.NA:
            found = ["missing", "NaT" if value is pd.NaT else "NA"]
    return found


def _column(writer: _Writer, values: Any, depth: int) -> Any:
    """Encode a Series or an Index: its dtype and its items."""
    writer.pay(COLUMN)
    dtype = str(values.dtype)
    if dtype == "category":
        held = getattr(values, "cat", values)  # an accessor of a Series; an Index has the attributes itself
        writer.pay(len(held.codes))
        codes = held.codes.tolist()
        return ["category", _column(writer, held.categories, depth), codes, bool(held.ordered)]
    _require(len(values) <= NODES)
    known = _is_known(dtype)
    items = list(values) if known else [str(value)[:_SHORT] for value in values]
    return ["column", dtype if known else "object", writer.all(items, depth)]


def _is_known(dtype: str) -> bool:
    """Tell whether a column's dtype is allowed; a time zone must be a known name, never the path of a file."""
    found = _COLUMN.fullmatch(dtype)
    zone = found and found["zone"]
    return bool(found) and (not zone or bool(_OFFSET.fullmatch(zone)) or zone in _zones())


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _labels(writer: _Writer, index: Any, depth: int) -> Any:
    """Encode the labels of an axis: its names, and a column for each level."""
    levels = map(index.get_level_values, range(index.nlevels))
    return ["labels", writer.all(list(index.names), depth), [_column(writer, one, depth) for one in levels]]


def _decimal(text: Any) -> Decimal:
    _require(isinstance(text, str) and len(text) <= 2 * EXPONENT)
    number = Decimal(text)
    _require(not number.is_finite() or abs(number.adjusted()) <= EXPONENT)
    return number


# Types that are sent as a few numbers or texts: the type, its parts, and the constructor from these.
_KINDS: dict[str, tuple[type, Callable[[Any], tuple[Any, ...]], Callable[..., Any]]] = {
    "complex": (complex, lambda it: ((it := complex.__pos__(it)).real, it.imag), complex),
    "bytes": (
        bytes,
        lambda it: (base64.b64encode(bytes.__getitem__(it, slice(None))).decode(),),
        lambda text: base64.b64decode(text, validate=True),
    ),
    "fraction": (
        Fraction,
        lambda it: (it.numerator, it.denominator),
        lambda *parts: Fraction(*map(_whole, parts)),
    ),
    "decimal": (Decimal, lambda it: (str(_decimal(Decimal.__str__(it))),), _decimal),
    "datetime": (datetime, lambda it: (datetime.isoformat(it),), datetime.fromisoformat),
    "date": (date, lambda it: (date.isoformat(it),), date.fromisoformat),
    "time": (time, lambda it: (time.isoformat(it),), time.fromisoformat),
    "timedelta": (
        timedelta,
        lambda it: (it.days, it.seconds, it.microseconds),
        lambda *parts: timedelta(*map(_whole, parts)),
    ),
}

_WRITERS: dict[type, Callable[[_Writer, Any, int], Any]] = {
    type(None): lambda *_: None,
    bool: lambda _, value, __: value is True,
    int: _Writer.whole,
    float: _Writer.real,
    str: _Writer.string,
    tuple: _Writer.tuple,
    list: lambda writer, value, depth: ["list", writer.all(list.__iter__(value), depth)],
    dict: _Writer.mapping,
    set: lambda writer, value, depth: writer.table("set", set.__iter__(value), depth),
    frozenset: lambda writer, value, depth: writer.table("frozenset", frozenset.__iter__(value), depth),
    **{kind: partial(_Writer.parts, tag=tag) for tag, (kind, _, _) in _KINDS.items()},
}

_FOREIGN: dict[str, Callable[[_Writer, Any, int], Any]] = {
    "numpy": _of_numpy,
    "pandas": _of_pandas,
    "mlsd_helpers.design.design": _of_design,
}


# ---- reading, outside -----------------------------------------------------------------------------


def decode(data: Any) -> Any:
    """Return the value that a sandbox sent.

    Raises BrokenFrameError for anything that `encode` does not write.
    """
    try:
        return _Reader(2 * NODES).read(data, 0)
    except BrokenFrameError:
        raise
    except Exception as error:  # noqa: BLE001 - any error of a constructor
        raise BrokenFrameError(str(error)[:_SHORT]) from None


def clean(text: str) -> str:
    """Replace lone surrogates, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


class _Reader(_Budget):
    def read(self, data: Any, depth: int) -> Any:
        self.pay()
        _require(depth <= 2 * DEPTH)
        match data:
            case None | bool() | float():
                return data
            case int():
                return _whole(data)
            case str():
                return clean(data)
            case [str(tag), *parts] if tag in _KINDS:
                return _KINDS[tag][2](*self.all(parts, depth))
            case [str(tag), *parts] if tag in _READERS:
                return _READERS[tag](self, depth, *parts)
        raise BrokenFrameError

    def all(self, data: Any, depth: int) -> list[Any]:
        _require(isinstance(data, list))
        return [self.read(one, depth + 1) for one in data]

    def distinct(self, data: Any, depth: int) -> list[Any]:
        """Decode the keys of a set or dict; refuse many with equal hashes, which would be slow."""
        self.pay(TABLE)
        values = self.all(data, depth)
        _require(max(Counter(map(hash, values)).values(), default=0) <= _ALIKE)
        return values

    def dict(self, depth: int, pairs: Any) -> dict[Any, Any]:
        _require(isinstance(pairs, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in pairs))
        keys = self.distinct([key for key, _ in pairs], depth)
        return dict(zip(keys, self.all([value for _, value in pairs], depth), strict=True))

    def named(self, depth: int, names: Any, items: Any) -> "Named":
        _require(
            isinstance(names, list) and all(isinstance(one, str) and one.isidentifier() for one in names)
        )
        values = Named(self.all(items, depth))
        _require(
            len(names) == len(values) == len(set(names)) and not any(one.startswith("_") for one in names)
        )
        vars(values).update(zip(names, values, strict=True))
        return values

    def opaque(self, depth: int, name: str, text: str, fields: Any) -> Opaque:
        _require(isinstance(name, str) and isinstance(text, str) and isinstance(fields, list))
        self.pay(TABLE)
        pairs = [self.all(pair, depth) for pair in fields]
        _require(all(len(pair) == 2 and isinstance(pair[0], str) for pair in pairs))
        return Opaque(clean(name)[:_SHORT], clean(text)[:_SHORT], MappingProxyType(dict(pairs)))

    def model(self, depth: int, name: str, dump: Any) -> Any:
        import mlsd_helpers.design  # noqa: F401, PLC0415 - loads the parts that `_models` lists

        _require(name in _models())
        before = self.nodes
        parts = self.read(dump, depth + 1)
        self.pay((before - self.nodes) * MODEL)
        return _models()[name].model_validate(parts)

    def ndarray(self, depth: int, code: str, shape: Any, flat: Any) -> Any:
        import numpy as np  # noqa: PLC0415 - only where an answer needs it

        _require(code == "O" or bool(_ARRAY.fullmatch(code)))
        sizes = [_whole(size) for size in shape]
        _require(len(sizes) <= SIZES and min(sizes, default=0) >= 0)
        self.pay(ARRAY + sum(sizes))  # an empty array may have a long side
        items = self.all(flat, depth)
        _require(math.prod(sizes) == len(items))
        array = np.zeros(len(items), dtype=code)
        array[:] = items
        return array.reshape(sizes)

    def column(self, depth: int, data: Any) -> Any:
        """Decode a dtype and its items as a Series."""
        import pandas as pd  # noqa: PLC0415 - only where an answer needs it

        self.pay(COLUMN)
        match data:
            case ["column", str(dtype), items] if _is_known(dtype):
                values = self.all(items, depth)
                if dtype.startswith(("datetime64", "timedelta64")):  # pandas would parse a text, slowly
                    _require(all(isinstance(one, datetime | timedelta) or one is pd.NaT for one in values))
                return pd.Series(values, dtype=dtype)
            case ["category", categories, list(codes), bool(ordered)]:
                self.pay(len(codes))
                kinds = self.column(depth + 1, categories)
                whole = [_whole(code) for code in codes]
                return pd.Series(pd.Categorical.from_codes(whole, kinds, ordered=ordered))
        raise BrokenFrameError

    def labels(self, depth: int, data: Any) -> Any:
        """Decode the labels of an axis."""
        import pandas as pd  # noqa: PLC0415 - only where an answer needs it

        match data:
            case ["labels", names, [level]]:
                return pd.Index(self.column(depth, level)).rename(*self.all(names, depth))
            case ["labels", names, list(columns)]:
                levels = [self.column(depth, column).array for column in columns]
                return pd.MultiIndex.from_arrays(levels, names=self.all(names, depth))
        raise BrokenFrameError

    def series(self, depth: int, index: Any, name: Any, values: Any) -> Any:
        made = self.column(depth, values).set_axis(self.labels(depth, index))
        return made.rename(self.read(name, depth + 1))

    def frame(self, depth: int, index: Any, columns: Any, values: Any) -> Any:
        import pandas as pd  # noqa: PLC0415 - only where an answer needs it

        _require(isinstance(values, list))
        rows = self.labels(depth, index)
        made = pd.DataFrame({at: self.column(depth, column).array for at, column in enumerate(values)}, rows)
        return made.set_axis(self.labels(depth, columns), axis="columns")

    def moment(self, _depth: int, kind: str, text: str) -> Any:
        import pandas as pd  # noqa: PLC0415 - only where an answer needs it

        self.pay(MOMENT)
        _require(bool(_MOMENTS[kind].fullmatch(text)))
        return {"Timestamp": pd.Timestamp, "Timedelta": pd.Timedelta}[kind](text)

    def missing(self, _depth: int, kind: str) -> Any:
        import pandas as pd  # noqa: PLC0415 - only where an answer needs it

        return {"NaT": pd.NaT, "NA": pd.NA}[kind]


def _require(fits: bool) -> None:
    if not fits:
        raise BrokenFrameError


def _whole(data: Any) -> int:
    _require(type(data) is int and data.bit_length() <= BITS)
    return int(data)


_READERS: dict[str, Callable[..., Any]] = {
    "int": lambda _, __, text: _whole(int(text[: BITS // 4 + 4], 16)),
    "float": lambda _, __, text: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[text],
    "list": lambda reader, depth, items: reader.all(items, depth),
    "tuple": lambda reader, depth, items: tuple(reader.all(items, depth)),
    "named": _Reader.named,
    "set": lambda reader, depth, items: set(reader.distinct(items, depth)),
    "frozenset": lambda reader, depth, items: frozenset(reader.distinct(items, depth)),
    "dict": _Reader.dict,
    "opaque": _Reader.opaque,
    "model": _Reader.model,
    "ndarray": _Reader.ndarray,
    "series": _Reader.series,
    "frame": _Reader.frame,
    "index": _Reader.labels,
    "moment": _Reader.moment,
    "missing": _Reader.missing,
}
