"""What a learner's value is: whether it is the right one, whether it is too large, and how a message quotes it.

A learner's object may raise anything when it is looked at. `same` and `names` then raise that; nothing else here does.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from numbers import Real
from typing import Any

MOST_ENTRIES = 10_000
"""The most entries, nested ones included, of a part of an answer that a step judges; ours have 300."""

MOST_TEXT = 250_000
"""The most characters that all texts in such a part have together."""

NOISE = 1e-9
"""The relative difference that floating-point arithmetic may make."""

_MOST_TIMES_OFF = (
    2e6  # a value that is further off is not handed on; mixed-up units are off by a million at most
)
_MOST = 1e15  # of a number that is handed on beside an expected 0, or in a collection


def same(value: Any, expected: Any, tolerance: float = NOISE) -> bool:  # noqa: PLR0911 - one return a type
    """Tell whether a learner's value is the expected one, in any shape that has no other meaning.

    Numbers are compared within a tolerance, words without capitals and spaces around them. 0 and 1 are truth values
    where one is expected. Any collection, such as an array or a column, is a list or a set; a column is also a mapping.
    """
    if isinstance(expected, bool):
        return (_is_bool(value) or (is_number(value) and value in {0, 1})) and bool(value) == expected
    if isinstance(expected, Real):
        return is_number(value) and math.isclose(
            float(value), float(expected), rel_tol=tolerance, abs_tol=NOISE
        )
    if isinstance(expected, str):
        return isinstance(value, str) and _word(value) == _word(expected)
    if isinstance(expected, set | frozenset):
        return _is_collection(value) and set(map(_word, value)) == set(map(_word, expected))
    if isinstance(expected, Mapping):
        return (isinstance(value, Mapping) or hasattr(value, "items")) and all(
            same(value.get(k), v, tolerance) for k, v in expected.items()
        )
    if isinstance(expected, Sequence):
        return (
            _is_collection(value)
            and len(value) == len(expected)
            and all(same(one, right, tolerance) for one, right in zip(value, expected, strict=True))
        )
    return bool(value == expected)


def _word(value: Any) -> str:
    """Return a name as it is compared: an id may be a number, and nobody means another by a capital."""
    return str(value).strip().casefold()


def listed(value: Any) -> Any:
    """Return an answer with a list in place of each iterator, such as a generator or what `map` returns."""
    if isinstance(value, Iterator):
        return list(islice(value, MOST_ENTRIES + 1))
    return {key: listed(one) for key, one in value.items()} if type(value) is dict else value


def is_number(value: Any) -> bool:
    """Tell whether a value is one finite number; numpy's scalars and 0-d arrays are, booleans are not."""
    if _is_bool(value) or isinstance(value, str | bytes) or getattr(value, "ndim", 0) != 0:
        return False
    try:
        return math.isfinite(float(value))
    except Exception:  # noqa: BLE001 - a learner's object may raise anything
        return False


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in {"bool_", "bool"}


def _is_collection(value: Any) -> bool:
    return isinstance(value, Iterable) and hasattr(value, "__len__") and not isinstance(value, str | bytes)


def names(value: Any) -> set[str] | None:
    """Return the names in a collection as text, or None where the value is no collection of single things."""
    return {str(one) for one in value} if _is_collection(value) and not isinstance(value, Mapping) else None


def fits(value: Any) -> bool:
    """Tell whether a value is small enough to be judged, all that is in it counted."""
    entries, text, left = MOST_ENTRIES, MOST_TEXT, [value]
    try:
        while left and entries >= 0 and text >= 0:
            one = left.pop()
            if isinstance(one, str | bytes):
                text -= len(one)
            elif type(one) in _COUNTED and len(one) > entries:
                return False
            elif type(one) not in _SINGLE:
                inside = list(islice(_inside(one), MOST_ENTRIES + 1))
                entries -= max(len(inside), _size(one))
                left += [part for part in inside if type(part) not in _SINGLE]
    except Exception:  # noqa: BLE001 - a learner's object may raise anything; the steps will see
        return True
    return entries >= 0 and text >= 0


_SINGLE = {int, float, bool, type(None)}
_COUNTED = {list, tuple, set, frozenset, dict, range}


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | Mapping):
        return chain(value.keys(), value.values())
    if hasattr(type(value), "model_fields"):  # a part of a design
        return iter(vars(value).values())
    return iter(value if _is_collection(value) else ())


def _size(value: Any) -> int:
    """Return how many values a table or an array holds; to iterate over a table gives its columns' names alone."""
    size = getattr(value, "size", 0) if hasattr(value, "ndim") else 0
    return size if isinstance(size, int) else 0


def as_plain(value: Any, expected: Any) -> Any | None:
    """Return a number or a collection as plain Python where a step can work with it as with the expected one.

    Otherwise return None, also for a word or a truth value: a later step is judged on the expected one.
    """
    try:
        return _in_plain(value, expected)
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is looked at
        return None


def _in_plain(value: Any, expected: Any) -> Any | None:
    if not isinstance(expected, bool) and isinstance(expected, Real):
        return _possible(value, abs(float(expected)))
    if not isinstance(expected, set | frozenset | list | tuple) or not _is_collection(value):
        return None
    first = next(iter(expected), "")
    items = [str(one) if isinstance(first, str) and isinstance(one, str) else _number(one) for one in value]
    if None in items or (any(expected) and not any(items)):
        return None
    return set(items) if isinstance(expected, set | frozenset) else items


def _possible(value: Any, expected: float) -> float | None:
    """Return a number that is not absurd beside the expected one; a difference may well be 0 in a single case."""
    number = _number(value)
    if number and expected and not expected / _MOST_TIMES_OFF <= abs(number) <= expected * _MOST_TIMES_OFF:
        return None
    return number


def _number(value: Any) -> float | None:
    """Return a number, or a truth value as one, where it is finite and no step can make it infinite."""
    number = float(value) if _is_bool(value) or is_number(value) else math.inf
    return number if abs(number) < _MOST else None


def all_same(values: Sequence[Any]) -> bool:
    """Tell whether all values are the same; false where they cannot be compared."""
    try:
        return all(value is values[0] or same(value, values[0]) for value in values[1:])
    except Exception:  # noqa: BLE001 - a learner's object may raise anything when it is compared
        return False


# ---- how a message quotes a value -----------------------------------------------------------------


def quoted(value: Any) -> str:
    """Show something of a learner's in a message: short, and as code."""
    return as_code(short(value))


def as_code(text: str) -> str:
    """Quote as code, so that nothing in a learner's value is taken for Markdown or HTML."""
    return f"`{text.replace('`', chr(39))}`"


def short(value: Any, most: int = 120) -> str:
    """Show a value in few characters; a value may have a broken repr, and one that is too large is only named."""
    if not fits(value):
        return f"a {type(value).__name__} that is too large to be shown"
    try:
        text = (
            f"{value:.6g}"
            if isinstance(value, float)
            else repr(value)
            if isinstance(value, str)
            else "{" + ", ".join(sorted(map(repr, value))) + "}"  # the same each time
            if isinstance(value, set | frozenset) and value
            else str(value)
        )
    except Exception as error:  # noqa: BLE001 - a learner's object may do anything
        text = f"a {type(value).__name__} that cannot be shown ({type(error).__name__})"
    return cut(" ".join(text.split()), most)


def cut(text: str, most: int) -> str:
    """Shorten a text to at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def show_case(case: Mapping[str, Any]) -> str:
    """Show the inputs of a case by the names of the parameters, a dict of inputs entry by entry."""
    return ", ".join(f"{name} = {_show_input(value)}" for name, value in case.items())


def _show_input(value: Any) -> str:
    if not isinstance(value, Mapping):
        return short(value)
    return f"{{{', '.join(f'{key!r}: {short(entry)}' for key, entry in value.items())}}}"
