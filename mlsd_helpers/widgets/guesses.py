"""Read what a learner types as an answer: a number with its unit."""

import math
import re

from mlsd_helpers.errors import QuantityError
from mlsd_helpers.figures.base import show_number

_TYPED = re.compile(
    r"(?P<number>\$?\s*[+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*(?P<unit>\D.*)?",
    re.IGNORECASE,
)
_PLURAL = re.compile(r"((?<=x)es|(?<=[a-z]{3})s)(?=/|$)")
_TIMES_S = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "millisecond": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0,
    "min": 60.0, "minute": 60.0, "h": 3_600.0, "hour": 3_600.0, "d": 86_400.0, "day": 86_400.0,
}  # fmt: skip
_CENTS = {"cent": 1.0, "c": 1.0, "ct": 1.0, "$": 100.0, "dollar": 100.0, "usd": 100.0}
_TWO_UNITS = {
    "ns": "ms", "us": "ms", "µs": "ms", "ms": "s", "s": "ms", "min": "h", "h": "min", "d": "h",
    "cents": "dollars", "$": "cents", "million/s": "/s",
}  # fmt: skip
"""Units that have to be typed, each with another that a bare number could be in."""
_PER_CENT = {"%": 1.0, "percent": 1.0, "per cent": 1.0}


def read_guess(text: str, unit: str = "", lowest: float = 0.0, highest: float = math.inf) -> float:
    """Read what a learner typed as a number in `unit`.

    A unit has to be typed where the number could be in two, such as ms or s; what is counted, a rate and a whole
    number of per cent may stand alone. Another unit of the same kind is converted.

    >>> read_guess("1,200 ms", "ms"), read_guess("1.2 s", "ms"), read_guess("3", "boxes"), read_guess("3", "/s")
    (1200.0, 1200.0, 3.0, 3.0)
    >>> read_guess("1200", "ms")
    Traceback (most recent call last):
    ...
    mlsd_helpers.errors.QuantityError: 1200 of what, ms or s? Write the unit as well, such as 1200 ms.
    >>> read_guess("0.3", "%")
    Traceback (most recent call last):
    ...
    mlsd_helpers.errors.QuantityError: 0.3 of what, per cent or a share? Write it in per cent, such as 30 % or 0.3 %.
    >>> read_guess("-3 ms", "ms")
    Traceback (most recent call last):
    ...
    mlsd_helpers.errors.QuantityError: -3 ms is below 0 ms, the lowest value that makes sense here. Try again.
    """
    given = text.strip()
    example = f"Type one{', with its unit' if needs_unit(unit) else ''}, such as {with_unit(12, unit)}."
    if not given:
        raise QuantityError(f"There is no number yet. {example}")
    typed = _TYPED.fullmatch(given)
    if typed is None:
        raise QuantityError(f"{given!r} is not a number. {example}")
    digits = typed["number"].replace("$", "").replace(",", "").strip()
    number, named = float(digits), "$" if typed["number"].startswith("$") else (typed["unit"] or "").strip()
    if not named and needs_unit(unit):
        kinds = f"{unit} or {_TWO_UNITS[unit]}"
        raise QuantityError(
            f"{given} of what, {kinds}? Write the unit as well, such as {with_unit(given, unit)}."
        )
    if not named and unit == "%" and 0 < number <= 1:
        raise QuantityError(
            f"{given} of what, per cent or a share? Write it in per cent, such as {100 * number:.12g} % or {given} %."
        )
    factor = _factor(named, unit)
    if factor is None:
        raise QuantityError(f"{given!r} is not in {unit or 'plain numbers'}. {example}")
    return _sensible(
        float(f"{number * factor:.12g}") if math.isfinite(number) else number, unit, lowest, highest
    )


def needs_unit(unit: str) -> bool:
    """Tell whether a unit has to be typed: a person may give the number in this one or in another.

    >>> needs_unit("ms"), needs_unit("cents"), needs_unit("%"), needs_unit("requests/s"), needs_unit("replicas")
    (True, True, False, False, False)
    """
    return unit in _TWO_UNITS


def with_unit(number: float | str, unit: str) -> str:
    """Write a number with its unit, a word for things in the singular for 1.

    >>> with_unit(2, "boxes"), with_unit(1, "boxes"), with_unit(1, "requests/s"), with_unit(1, "ms")
    ('2 boxes', '1 box', '1 request/s', '1 ms')
    """
    shown = number if isinstance(number, str) else show_number(number)
    gap = "" if unit.startswith("/") else " "
    return f"{shown}{gap}{_PLURAL.sub('', unit) if shown == '1' else unit}".rstrip()


def _factor(named: str, unit: str) -> float | None:
    """Return what turns a number in the unit `named` into one in `unit`, or None where they are not of a kind."""
    mine, theirs = _singular(named), _singular(unit)
    if not named or mine == theirs:
        return 1.0
    if "/" in unit:
        return _per_time(mine, theirs)
    for kind in (_TIMES_S, _CENTS, _PER_CENT):
        if mine in kind and theirs in kind:
            return kind[mine] / kind[theirs]
    return None


def _per_time(mine: str, theirs: str) -> float | None:
    """Compare two rates, such as requests/min and /s; the thing that is counted may be left out."""
    mine = re.sub(r"\s*\bper\s+", "/", mine)
    if "/" not in mine:
        return None
    (thing, time), (wanted, per) = (one.rsplit("/", 1) for one in (mine, theirs))
    thing, time = _singular(thing.strip()), _singular(time.strip())
    scale = 1e-6 if wanted == "million" and thing != "million" else 1.0
    if time not in _TIMES_S or per not in _TIMES_S:
        return None
    if wanted != "million" and thing not in {"", "request", wanted}:
        return None
    return scale * _TIMES_S[per] / _TIMES_S[time]


def _singular(unit: str) -> str:
    return _PLURAL.sub("", unit.strip().casefold().replace("rps", "requests/s"))


def _sensible(number: float, unit: str, lowest: float, highest: float) -> float:
    if not math.isfinite(number):
        raise QuantityError("That number is not finite. Type an ordinary number, such as 12.5.")
    if not lowest <= number <= highest:
        side, end = ("below", "lowest") if number < lowest else ("above", "highest")
        bound = with_unit(lowest if number < lowest else highest, unit)
        raise QuantityError(
            f"{with_unit(number, unit)} is {side} {bound}, the {end} value that makes sense here. Try again."
        )
    return number
