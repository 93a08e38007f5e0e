"""Units: constants to multiply by, and quantities read as people write them.

Inside the project a time is seconds, a rate is per second, a size is bytes and a share is a fraction, all
plain floats. Text such as ``"15 min"`` is read here, at the edge, and nowhere else.

>>> 40 * ms
0.04
>>> read("15 min", SECONDS)
900.0
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from mlsd_helpers.errors import QuantityError

us, ms, s = 1e-6, 1e-3, 1.0
minute, hour, day, week = 60.0, 3_600.0, 86_400.0, 604_800.0
year = 365 * day
month = year / 12  # so that 12 months are a year
KiB, MiB, GiB, TiB = 2.0**10, 2.0**20, 2.0**30, 2.0**40
kB, MB, GB, TB = 1e3, 1e6, 1e9, 1e12  # noqa: N816 - as the unit is written


@dataclass(frozen=True, eq=False)
class Dimension:
    """A kind of quantity: its name, an example of how to write it, and its units in base units."""

    name: str
    example: str
    units: Mapping[str, float]
    takes_scales: bool = False
    """Whether ``k``, ``M`` and the other ``SCALES`` may stand before a unit: ``20k rps``."""
    unit_may_lead: bool = False
    """Whether the unit may stand before the number: ``$0.20``."""

    @property
    def pattern(self) -> str:
        """A regular expression, for JSON Schema, that matches the texts which are read as 0 or more."""
        known = "|".join(sorted(filter(None, self.units), key=len, reverse=True)).replace("$", r"\$")
        scale = rf"({'|'.join(SCALES)})?\s*" if self.takes_scales else ""
        unit = rf"({known})" + ("?" if "" in self.units else "")
        behind = rf"[+]?{_NUMBER}\s*{scale}{unit if known else ''}"
        if self.unit_may_lead:
            behind = rf"({behind}|({known})\s*[+]?{_NUMBER}\s*{scale.removesuffix(_GAP)})"
        return rf"^\s*{behind}\s*$"


def _dimension(name: str, example: str, units: dict[str, float], *, takes_scales: bool = False) -> Dimension:
    return Dimension(name, example, MappingProxyType(units), takes_scales)


SCALES = MappingProxyType(
    {"k": 1e3, "K": 1e3, "M": 1e6, "bn": 1e9, "B": 1e9,
     "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
)  # fmt: skip
_GAP = r"\s*"
_NUMBER = r"([0-9][0-9_,]*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"


_TIMES = {
    "us": us, "µs": us, "ms": ms, "s": s, "sec": s, "second": s, "seconds": s,
    "min": minute, "minute": minute, "minutes": minute, "h": hour, "hour": hour, "hours": hour,
    "d": day, "day": day, "days": day, "week": week, "weeks": week,
    "month": month, "months": month, "year": year, "years": year,
}  # fmt: skip
_SIZES = {"B": 1.0, "kB": kB, "MB": MB, "GB": GB, "TB": TB, "KiB": KiB, "MiB": MiB, "GiB": GiB, "TiB": TiB}

SECONDS = _dimension("time", "40 ms", _TIMES)
PER_SECOND = _dimension(
    "rate",
    "500 rps",
    {"rps": 1.0, "RPS": 1.0, "qps": 1.0, "QPS": 1.0, "/s": 1.0, "per second": 1.0, "per s": 1.0,
     "rpm": 1 / minute, "/min": 1 / minute, "per minute": 1 / minute, "per min": 1 / minute,
     "/h": 1 / hour, "per hour": 1 / hour, "per h": 1 / hour,
     "/day": 1 / day, "per day": 1 / day, "/week": 1 / week, "per week": 1 / week},
    takes_scales=True,
)  # fmt: skip
BYTES = _dimension("size", "16 GiB", _SIZES)
BYTES_PER_SECOND = _dimension("bandwidth", "3.35 TB/s", {f"{unit}/s": size for unit, size in _SIZES.items()})
FLOP_PER_SECOND = _dimension(
    "compute rate", "989 TFLOP/s", {"GFLOP/s": 1e9, "TFLOP/s": 1e12, "PFLOP/s": 1e15, "FLOP/s": 1.0}
)
FRACTION = _dimension("share", "30%", {"%": 0.01, "": 1.0})
COUNT = _dimension(
    "count",
    "45",
    {"": 1.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12},
    takes_scales=True,
)
RATIO = _dimension("ratio", "1.3", {"": 1.0})
SIGNS = MappingProxyType({"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW"})
"""The signs of currencies, each with its code."""
_CODES = (
    "USD EUR GBP JPY CHF CNY INR KRW AUD BRL CAD DKK NOK PLN SEK SGD AED AFN ALL AMD AOA ARS AWG AZN BAM BBD BDT BGN "
    "BHD BIF BMD BND BOB BSD BTN BWP BYN BZD CDF CLP COP CRC CUP CVE CZK DJF DOP DZD EGP ERN ETB FJD FKP GEL GHS GIP "
    "GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS IQD IRR ISK JMD JOD KES KGS KHR KMF KPW KWD KYD KZT LAK LBP LKR LRD LSL "
    "LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NPR NZD OMR PAB PEN PGK PHP PKR PYG QAR "
    "RON RSD RUB RWF SAR SBD SCR SDG SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX UYU "
    "UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES = tuple(_CODES.split())
"""The codes of ISO 4217 that are legal tender somewhere, those of large markets first."""
MONEY = Dimension(
    "sum of money",
    "$0.20",
    MappingProxyType(dict.fromkeys((*SIGNS, *CURRENCIES, ""), 1.0)),
    takes_scales=True,
    unit_may_lead=True,
)
DOLLARS = MONEY  # the name before 0.2

_LONGEST = 64  # characters: no person writes a longer quantity, and the pattern stays quick
_QUANTITY = re.compile(rf"\s*(?P<number>[+-]?{_NUMBER})\s*(?P<unit>.*?)\s*")
_SCALED = re.compile(rf"({'|'.join(SCALES)})\s*(.*)")
_CURRENCY = "|".join((*map(re.escape, SIGNS), *CURRENCIES))
_CURRENCY_FIRST = re.compile(rf"\s*({_CURRENCY})\s*([-+.0-9].*)")
_CURRENCY_LAST = re.compile(rf".*?({_CURRENCY})\s*")
_LISTED = 25  # units that an error names


def read(given: object, dimension: Dimension) -> float:
    """Read a quantity as people write it; a bare number is taken as base units.

    >>> read("500 rps", PER_SECOND), read("30%", FRACTION), read("16 GiB", BYTES) / GiB
    (500.0, 0.3, 16.0)
    >>> read("20k rps", PER_SECOND), read("86.4M per day", PER_SECOND), read("1.5M", COUNT)
    (20000.0, 1000.0, 1500000.0)
    >>> read("40", SECONDS)
    Traceback (most recent call last):
    ...
    mlsd_helpers.errors.QuantityError: '40' has no unit. Write a time with its unit, such as '40 ms'.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise QuantityError(f"{given!r} is not a {dimension.name}. Write it such as {dimension.example!r}.")
    number = _from_text(given, dimension) if isinstance(given, str) else _from_number(given)
    if not math.isfinite(number):
        raise QuantityError(
            f"{given!r} is not a finite {dimension.name}. Write it such as {dimension.example!r}."
        )
    return number


def read_money(given: object) -> tuple[float, str | None]:
    """Read an amount of money, and the sign or code of its currency; None where it is written without one.

    >>> read_money("$0.20"), read_money("1,200 CHF"), read_money("€1.2M"), read_money(40)
    ((0.2, '$'), (1200.0, 'CHF'), (1200000.0, '€'), (40.0, None))
    """
    if not isinstance(given, str) or len(given) > _LONGEST:
        return read(given, MONEY), None
    first = _CURRENCY_FIRST.fullmatch(given)
    text = f"{first[2]} {first[1]}" if first else given
    last = _CURRENCY_LAST.fullmatch(text)
    return read(text, MONEY), last[1] if last else None


def _from_number(number: float | Fraction) -> float:
    try:
        return float(number)
    except OverflowError:  # an int beyond every float
        return math.inf


@lru_cache(maxsize=128)
def _exact(size: float) -> Fraction:
    return Fraction(size).limit_denominator(10_000_000)


@lru_cache(maxsize=10_000)
def _from_text(text: str, dimension: Dimension) -> float:
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        hint = _instead(text, dimension) if len(text) <= _LONGEST else None
        raise QuantityError(
            f"{text!r} is not a {dimension.name}. {hint or f'Write it such as {dimension.example!r}.'}"
        )
    number, unit = match["number"], match["unit"]
    size = _size_of(unit, dimension)
    if size is None:
        if hint := _instead(text, dimension):
            raise QuantityError(f"{text!r} is not a {dimension.name}. {hint}")
        if not unit:
            raise QuantityError(
                f"{text!r} has no unit. Write a {dimension.name} with its unit, "
                f"such as {dimension.example!r}."
            )
        names = list(filter(None, dimension.units))
        known = ", ".join(names[:_LISTED] + ["…"] * (len(names) > _LISTED))
        scales = f", also behind {', '.join(SCALES)}" if dimension.takes_scales else ""
        raise QuantityError(
            f"{text!r}: {unit!r} is not a unit of {dimension.name}. Use one of: {known}{scales}."
        )
    # Exact arithmetic, rounded once: 99.9% is 0.999 and not 0.9990000000000001.
    return _from_number(Fraction(number.replace(",", "").replace("_", "")) * _exact(size))


_CLOCK = re.compile(r"\s*\d{1,2}:\d{2}(:\d{2})?\s*([ap]\.?m\.?|h|o'clock|utc|[ce]e?s?t)?\s*", re.IGNORECASE)
_PERIODS = MappingProxyType({
    "hourly": "1 h", "daily": "1 d", "nightly": "1 d", "weekly": "1 week", "fortnightly": "2 weeks",
    "biweekly": "2 weeks", "monthly": "1 month", "quarterly": "3 months", "quarter": "3 months",
    "yearly": "1 year", "annually": "1 year", "annual": "1 year",
})  # fmt: skip
_LARGE = MappingProxyType({
    "mio": "million", "mill": "million", "mil": "million", "mln": "million", "mn": "million", "m": "million",
    "mrd": "billion", "mld": "billion", "bln": "billion", "bil": "billion", "b": "billion",
    "tsd": "thousand", "tn": "trillion", "trn": "trillion",
})  # fmt: skip
_OTHER_TIMES = MappingProxyType({
    "msec": "ms", "millis": "ms", "millisecond": "ms", "milliseconds": "ms", "usec": "us", "microseconds": "us",
    "secs": "s", "mins": "min", "hr": "h", "hrs": "h", "std": "h", "w": "weeks", "wk": "weeks", "wks": "weeks",
    "mo": "months", "mos": "months", "mth": "months", "mths": "months", "y": "years", "yr": "years", "yrs": "years",
})  # fmt: skip


def _instead(text: str, dimension: Dimension) -> str | None:
    """Say what to write for what people write often and no unit is: a clock time, a word, another short form."""
    times = dimension.units is SECONDS.units
    if times and _CLOCK.fullmatch(text):
        return (
            "That is a time of the day, and this is how long something takes. Write the time from its start, such as "
            "'4.5 h'; a time of the day goes into words, such as 'schedule.calendar'."
        )
    match = _QUANTITY.fullmatch(text)
    number, word = (match["number"], match["unit"]) if match else ("", text.strip())
    known = word.casefold().rstrip(".")
    if times and not number and known in _PERIODS:
        return f"Write '{_PERIODS[known]}'."
    if times and number and known in _OTHER_TIMES:
        return f"Write '{number} {_OTHER_TIMES[known]}'."
    large, _, rest = known.partition(" ")
    if dimension.takes_scales and number and large.rstrip(".") in _LARGE:
        unit = f" {rest}" if rest else ""
        if unit.strip() in dimension.units:
            return f"Write '{number} {_LARGE[large.rstrip('.')]}{unit}'."
    return None


def _size_of(unit: str, dimension: Dimension) -> float | None:
    """Return a unit in base units, with a scale before it or not; None for one that there is not."""
    if unit in dimension.units:
        return dimension.units[unit]
    scaled = _SCALED.fullmatch(unit) if dimension.takes_scales else None
    if scaled is None or scaled[2] not in dimension.units:
        return None
    return SCALES[scaled[1]] * dimension.units[scaled[2]]


def show_seconds(seconds: float) -> str:
    """Write a time in the unit in which a person would say it.

    >>> show_seconds(0.04), show_seconds(900), show_seconds(2.5), show_seconds(0)
    ('40 ms', '15 min', '2.5 s', '0 s')
    >>> show_seconds(math.inf)
    'unlimited time'
    """
    if math.isinf(seconds):
        return "unlimited time"
    for unit, size in (
        ("d", day),
        ("h", hour),
        ("min", minute),
        ("s", s),
        ("ms", ms),
        ("µs", us),
        ("ns", 1e-9),
    ):
        if abs(seconds) >= size * (2 if unit in {"d", "h", "min"} else 1):
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:.4g} s"


def show_bytes(size: float) -> str:
    """Write a size in binary units.

    >>> show_bytes(131_072), show_bytes(17_179_869_184)
    ('128 KiB', '16 GiB')
    """
    for unit, base in (("TiB", TiB), ("GiB", GiB), ("MiB", MiB), ("KiB", KiB)):
        if abs(size) >= base:
            return f"{size / base:.4g} {unit}"
    return f"{size:.4g} B"


def show_number(number: float) -> str:
    """Write a number, whole ones and large ones without decimals.

    >>> show_number(29), show_number(18_750.0), show_number(2.5)
    ('29', '18,750', '2.5')
    """
    return f"{number:,.0f}" if number == int(number) or abs(number) >= 1_000 else f"{number:.4g}"


def show_share(share: float) -> str:
    """Write a share in per cent.

    >>> show_share(4 / 9)
    '44.44%'
    """
    return f"{share * 100:.4g}%"


def show_rate(per_second: float) -> str:
    """Write a rate in requests per second."""
    return f"{show_number(per_second)} rps"


def show_money(amount: float, currency: str = "USD") -> str:
    """Write a sum of money in a currency, by its ISO code; small sums with four digits.

    >>> show_money(6480), show_money(0.5), show_money(0.0125), show_money(6480, "EUR"), show_money(6480, "CHF")
    ('$6,480.00', '$0.50', '$0.0125', '€6,480.00', '6,480.00 CHF')
    """
    figure = f"{amount:,.2f}"
    return in_currency(
        f"{amount:.4g}" if 0 < amount < 1 and float(figure) != float(f"{amount:.4g}") else figure, currency
    )


show_dollars = show_money  # the name before 0.2


def in_currency(figure: str, currency: str) -> str:
    """Put the sign of a currency before a figure; its code behind, where it has no sign.

    >>> in_currency("40", "EUR"), in_currency("40", "CHF")
    ('€40', '40 CHF')
    """
    sign = next((sign for sign, code in SIGNS.items() if code == currency), None)
    return f"{sign}{figure}" if sign else f"{figure} {currency}"
