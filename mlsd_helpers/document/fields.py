"""Tables and sentences made from the fields of a design. The fields and their words are given as data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from typing import Any

from mlsd_helpers.design.value import Value, step_to
from mlsd_helpers.document.markdown import Md, anchor, code, escape, joined, table
from mlsd_helpers.document.provenance import Figures

Columns = dict[str, str | Callable[[Any], Md]]
"""The heads of a table, each with the field of its column (``retry.budget``), or a function that writes its cells."""
Phrases = Mapping[str, str]
"""Fields, each with a phrase in which ``{}`` is the value; one without ``{}`` is written when the field is true."""

_IDS = {"component", "start", "end", "raised_by", "of", "met_by", "kept_in", "deleted_by", "stops_on"}
_NOT = {"decides about people": "decides about nobody"}
_WORDS = {"scv": "squared coefficient of variation"}


def entries(
    figures: Figures,
    path: str,
    given: Sequence[Any],
    columns: Columns,
    kind: str = "",
    keep: Callable[[Any], bool] = bool,
) -> Md:
    """Write the list at a path as a table: the entries that `keep` keeps, without columns that are empty.

    Each number links to its reason. With a `kind`, each id is an anchor: ``alert-slow`` for the kind ``alert``.
    """
    rows = [
        [_cell(figures, f"{path}.{step_to(place, one)}", one, column, kind) for column in columns.values()]
        for place, one in enumerate(given)
        if keep(one)
    ]
    return table([*columns], rows)


def _cell(figures: Figures, path: str, entry: Value, column: str | Callable[[Any], Md], kind: str) -> Md:
    if callable(column):
        return column(entry)
    value = field(entry, column)
    if column == "id" and value:
        return anchor(f"{kind}-{value}", code(value)) if kind else code(value)
    return format_value(figures, f"{path}.{column}", value)


def field(entry: Any, path: str) -> Any:
    """Return a field of an entry, or a field of that (``retry.budget``); None where it is not set."""
    return reduce(lambda value, name: getattr(value, name, None), path.split("."), entry)


def phrases(figures: Figures, path: str, entry: Value | None, words: Phrases) -> list[Md]:
    """Write each field of an entry that differs from its default, in its phrase."""
    fields = type(entry).model_fields if entry else {}
    written = []
    for name, phrase in words.items():
        value = getattr(entry, name, None)
        if value is None or value == fields[name].default:
            continue
        if "{}" not in phrase:
            figures.note(f"{path}.{name}")
            written.append(Md(phrase if value else _NOT.get(phrase, f"not so: {phrase}")))
        elif words_of_value := format_value(figures, f"{path}.{name}", value):
            written.append(Md(phrase.format(words_of_value)))
    return written


def listed(pieces: Sequence[Md]) -> Md:
    """Join the entries of a list by a mark that none of them holds, so that one sees where each ends.

    >>> listed([Md("a"), Md("b")]), listed([Md("a, at once"), Md("b")]), listed([Md("One."), Md("Two")])
    ('a, b', 'a, at once; b', 'One. Two.')
    """
    if len(pieces) > 1 and any(one.endswith(".") for one in pieces):
        return joined((Md(f"{one.removesuffix('.')}.") for one in pieces), " ")
    inside = " ".join(pieces)
    return joined(pieces, next((mark for mark in (", ", "; ") if mark not in inside), " · "))


def format_value(figures: Figures, path: str, value: Any) -> Md:
    """Write the value at a path: text, a number linked to its reason, a list, or a group of fields; "" for None."""
    figures.note(path)
    if isinstance(value, str):
        return name(figures, value) if path.rpartition(".")[2] in _IDS else escape(value)
    if isinstance(value, bool | date):
        return escape(value.isoformat() if isinstance(value, date) else "yes" if value else "no")
    if isinstance(value, tuple):
        # The name of the list says whether its texts are ids.
        paths = (path if isinstance(one, str) else f"{path}.{step_to(n, one)}" for n, one in enumerate(value))
        return listed([format_value(figures, at, one) for at, one in zip(paths, value, strict=True)])
    if isinstance(value, Value):
        return joined(_grouped(figures, path, value), "; ")
    return Md("") if value is None else figures.number(path)


def _grouped(figures: Figures, path: str, value: Value) -> Iterator[Md]:
    for name_of_field, kind in type(value).model_fields.items():
        inside = getattr(value, name_of_field)
        if inside != kind.default and (words := format_value(figures, f"{path}.{name_of_field}", inside)):
            title = _WORDS.get(name_of_field) or (kind.alias or name_of_field).replace("_", " ")
            yield Md(f"{title} {words}")


def name(figures: Figures, given: str) -> Md:
    """Write the id of a component or an alert, linked to its row where the design has one."""
    target = figures.rows.get(given)
    return Md(f"[{code(given)}](#{target})") if target else code(given)
