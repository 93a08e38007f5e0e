"""Quantities of a design: written as people write them, held as plain numbers in base units.

A field of type ``Seconds`` reads ``"15 min"`` and holds 900.0; written to a file it is ``15 min`` again.
What is written reads back as exactly the same number.

>>> write(900.0, TIME), write(0.04, TIME), write(0.999, SHARE), write(17_179_869_184.0, SIZE)
('15 min', '40 ms', '99.9%', '16 GiB')

An amount of money knows the currency that it was written in, and is a number in all else. One that is written
without a currency is in the design's.

>>> MONEY.read("€40").currency, MONEY.read("€40") == 40, write(MONEY.read("1200 CHF"), MONEY)
('EUR', True, '1,200 CHF')
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Self, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo
from pydantic_core import CoreSchema, core_schema

from mlsd_helpers import units
from mlsd_helpers.errors import QuantityError

Q = TypeVar("Q", float, int)
_LONGEST = 60  # characters of a wrong value that an error repeats


@dataclass(frozen=True, eq=False)
class Quantity:
    """A kind of quantity in a design: its dimension, its range, and the units that it is written in."""

    dimension: units.Dimension
    most: float
    """The largest value that is believed, in base units; the smallest is 0."""
    written_in: tuple[str, ...]
    """Units to choose from when writing, the preferred first."""
    whole: bool = False
    """Whether it counts things, so that a part of one makes no sense."""

    @property
    def base_unit(self) -> str:
        """The unit in which the number is held."""
        return next(unit for unit, size in self.dimension.units.items() if size == 1)

    def read(self, given: object) -> float:
        """Read text with a unit, or a number in base units."""
        return self._checked(units.read(_brief(given, self), self.dimension), given)

    def _checked(self, number: float, given: object) -> float:
        if not 0 <= number <= self.most:
            raise QuantityError(
                f"{_shown(given)} is out of range. Expected a {self.dimension.name} from 0 to "
                f"{write(self.most, self)}, such as {self.dimension.example!r}."
            )
        if not self.whole:
            return number
        if number != int(number):
            raise QuantityError(f"{_shown(given)} is not a whole number. Write it such as 45.")
        return int(number)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read on the way in; write as people do on the way to a file."""
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda number: write(number, self), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell editors that both text and a number will do."""
        return self.json_schema()

    def json_schema(self) -> dict[str, Any]:
        """Describe the quantity to an editor, which then refuses other words and units."""
        return {
            "type": ["string", "integer" if self.whole else "number"],
            "pattern": self.dimension.pattern,
            "minimum": 0,
            "maximum": int(self.most) if self.whole else self.most,
            "description": f"A {self.dimension.name}, such as {self.dimension.example!r}.",
            "examples": [self.dimension.example],
        }


class Amount(float):
    """A sum of money: a number, with the sign or the code of the currency that it was written in."""

    mark: str

    def __new__(cls, number: float, mark: str = "$") -> Self:
        """Make an amount; without a mark it is one in dollars."""
        amount = super().__new__(cls, number)
        amount.mark = mark
        return amount

    @property
    def currency(self) -> str:
        """The ISO code of the currency."""
        return units.SIGNS.get(self.mark, self.mark)


class _Money(Quantity):
    """A quantity that also knows its currency: an ``Amount``, or a plain number where none is given."""

    def read(self, given: object) -> float:
        """Read an amount with its currency, or a number without one."""
        if isinstance(given, Amount):
            return given
        number, mark = units.read_money(_brief(given, self))
        number = self._checked(number, given)
        return number if mark is None else Amount(number, mark)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Write an amount as it was given; in Python one in dollars, or in none, is a plain number."""

        def written(number: float, info: SerializationInfo) -> str | float:
            currency = (info.context or {}).get("currency", "USD")
            if info.mode == "python" and (not isinstance(number, Amount) or number.currency == "USD"):
                return float(number)
            return _amount(number, currency)

        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(written, info_arg=True)
        )


class _AboveZero:
    """Refuses 0 where it would mean nothing."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check what the quantity has read."""
        return core_schema.no_info_after_validator_function(self.checked, handler(source))

    @staticmethod
    def checked(number: Q) -> Q:
        """Return a number above 0."""
        if not number > 0:
            raise QuantityError("0 means nothing here. Write what it is, or leave the key out.")
        return number


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _brief(given: object, kind: Quantity) -> object:
    """Refuse what is too long or too nested to repeat."""
    if not isinstance(given, int | float | str) or len(str(given)[: _LONGEST + 1]) > _LONGEST:
        raise QuantityError(
            f"{_shown(given)} is not a {kind.dimension.name}. Write it such as {kind.dimension.example!r}."
        )
    return given


def write(number: float, kind: Quantity) -> str | float:
    """Write a quantity in the unit that needs the fewest digits; reading it gives exactly ``number``."""
    if kind.dimension is units.MONEY:
        return _amount(number, "USD")
    if kind.dimension is units.RATIO:
        return number
    return _written(number, kind)


@lru_cache(maxsize=10_000, typed=True)
def _written(number: float, kind: Quantity) -> str | int:
    if number == 0 and kind.base_unit:
        return f"0 {kind.base_unit}"
    text = min(_candidates(number, kind))[1] if number >= 100_000 or not kind.whole else f"{number:.0f}"
    return int(text) if kind.whole and text.isdigit() else text


def _candidates(number: float, kind: Quantity) -> Iterator[tuple[tuple[bool, int, int], str]]:
    for rank, unit in enumerate(kind.written_in):
        for digits in (6, 12, 15, 16, 17):
            figure = _plain(number / kind.dimension.units[unit], digits)
            text = f"{figure}{unit}" if unit in {"%", ""} else f"{figure} {unit}"
            if units.read(text, kind.dimension) == number:
                yield (figure.startswith("0."), len(figure), rank), text
                break
    yield (True, 1_000, 0), f"{number!r} {kind.base_unit}".strip()


def _plain(number: float, digits: int) -> str:
    figure = f"{number:.{digits}g}"
    return format(Decimal(figure), "f") if "e" in figure and 1e-6 < number < 1e15 else figure


def _amount(number: float, currency: str) -> str:
    """Write an amount as it was given; one without a currency in the design's."""
    given = number if isinstance(number, Amount) else None
    if (given.currency if given else currency) == "USD":
        whole = number >= 100 and number == int(number)  # below, dollars have always been written with cents
    else:
        whole = number == int(number)
    cents = f"{number:.2f}"
    figure = f"{number:,.0f}" if whole else cents if float(cents) == number else float.__repr__(number)
    if given and given.mark in units.CURRENCIES and given.currency != "USD":
        return f"{figure} {given.mark}"
    return units.in_currency(figure, given.currency if given else currency)


TIME = Quantity(units.SECONDS, most=100 * 365 * units.day, written_in=("d", "h", "min", "s", "ms", "us"))
RATE = Quantity(units.PER_SECOND, most=1e12, written_in=("rps", "/min", "/h", "/day"))
TOKEN_RATE = Quantity(units.PER_SECOND, most=1e12, written_in=("/s", "/min", "/h", "/day"))
SIZE = Quantity(units.BYTES, most=1e18, written_in=("TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB", "B"))
BANDWIDTH = Quantity(units.BYTES_PER_SECOND, most=1e18, written_in=("TB/s", "GB/s", "MB/s", "kB/s", "B/s"))
COMPUTE = Quantity(units.FLOP_PER_SECOND, most=1e24, written_in=("PFLOP/s", "TFLOP/s", "GFLOP/s", "FLOP/s"))
SHARE = Quantity(units.FRACTION, most=1.0, written_in=("%",))
EXTRA = Quantity(units.FRACTION, most=1_000.0, written_in=("%",))
RATIO = Quantity(units.RATIO, most=1e6, written_in=("",))
NUMBER = Quantity(
    units.COUNT, most=1e15, written_in=("trillion", "billion", "million", "thousand", ""), whole=True
)
MONEY = _Money(units.MONEY, most=1e12, written_in=("USD",))

Seconds = Annotated[float, TIME]
"""A time, in seconds: ``40 ms``, ``15 min``."""
PerSecond = Annotated[float, RATE]
"""A rate, per second: ``500 rps``, ``20k rps``, ``1.5M per day``."""
TokensPerSecond = Annotated[float, TOKEN_RATE]
"""A rate of tokens, per second: ``2M per min``."""
Bytes = Annotated[float, SIZE]
"""A size, in bytes: ``16 GiB``."""
BytesPerSecond = Annotated[float, BANDWIDTH]
"""A bandwidth, in bytes per second: ``3.35 TB/s``."""
FlopPerSecond = Annotated[float, COMPUTE]
"""A compute rate, in floating-point operations per second: ``989 TFLOP/s``."""
Fraction = Annotated[float, SHARE]
"""A share from 0 to 1: ``30%``."""
Extra = Annotated[float, EXTRA]
"""An addition relative to what is there, 0 or more: ``30%``, ``900%``."""
Ratio = Annotated[float, RATIO]
"""A plain number, 0 or more: ``1.3``."""
Count = Annotated[int, NUMBER]
"""A whole number of things: ``45``, ``50 million``, ``1.5M``."""
Money = Annotated[float, MONEY]
"""An amount of money, in one currency for the whole design: ``$0.20``, ``€40``, ``1,200 CHF``."""

Positive = Annotated[Q, _AboveZero()]
"""A quantity that cannot be 0: ``Positive[Seconds]``."""
