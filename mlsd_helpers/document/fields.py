"""What a design says in its fields, as tables and sentences: which fields, and under which words, is data."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from typing import Any

from mlsd_helpers.design.value import Value, step_to
from mlsd_helpers.document.markdown import Md, anchor, code, escape, joined, table
from mlsd_helpers.document.provenance import Figures

Columns = dict[str, str | Callable[[Any], Md]]
"""The heads of a table, each with the field that its column shows (``retry.budget``), or what writes its cells."""
Phrases = Mapping[str, str]
"""Fields, each with its sentence in which ``{}`` is the value; without ``{}`` it is said when the field is true."""

_IDS = frozenset(
    {"component", "start", "end", "raised_by", "of", "met_by", "kept_in", "deleted_by", "stops_on"}
)


_WORDS = {"scv": "squared coefficient of variation"}


def entries(
    figures: Figures,
    path: str,
    given: Sequence[Any],
    columns: Columns,
    kind: str = "",
    keep: Callable[[Any], bool] = bool,
) -> Md:
    """Write the list at a path, or those entries that `keep` keeps, without columns in which no entry says anything.

    Each number links to its reason. With a `kind`, each id is an anchor: ``alert-slow`` for the kind ``alert``.
    """
    rows = [
        [_cell(figures, f"{path}.{step_to(place, one)}", one, column, kind) for column in columns.values()]
        for place, one in enumerate(given)
        if keep(one)
    ]
    used = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    heads = [head for place, head in enumerate(columns) if place in used]
    return table(heads, ([row[place] for place in used] for row in rows))


def _cell(figures: Figures, path: str, entry: Value, column: str | Callable[[Any], Md], kind: str) -> Md:
    if callable(column):
        return column(entry)
    value = field(entry, column)
    if column == "id" and value:
        return anchor(f"{kind}-{value}", code(value)) if kind else code(value)
    return said(figures, f"{path}.{column}", value)


def field(entry: Any, path: str) -> Any:
    """Return a field of an entry, or a field of that (``retry.budget``); None where nothing is said."""
    return reduce(lambda value, name: getattr(value, name, None), path.split("."), entry)


def phrases(figures: Figures, path: str, entry: Value | None, words: Phrases) -> list[Md]:
    """Write those fields of an entry, each in its phrase, that say something other than their default."""
    return list(_phrases(figures, path, entry, words))


def _phrases(figures: Figures, path: str, entry: Value | None, words: Phrases) -> Iterator[Md]:
    fields = type(entry).model_fields if entry else {}
    for name, phrase in words.items():
        value = getattr(entry, name, None)
        if value is None or value == fields[name].default:
            continue
        if "{}" not in phrase:
            yield Md(phrase if value else f"not: {phrase}")
        elif words_of_value := said(figures, f"{path}.{name}", value):
            yield Md(phrase.format(words_of_value))


def said(figures: Figures, path: str, value: Any) -> Md:
    """Write the value at a path: words, a number with its reason, a list, a group of fields; nothing where empty."""
    if isinstance(value, str):
        return name(figures, value) if path.rpartition(".")[2] in _IDS else escape(value)
    if isinstance(value, bool | date):
        return escape(value.isoformat() if isinstance(value, date) else "yes" if value else "no")
    if isinstance(value, tuple):
        return joined(_listed(figures, path, value))
    if isinstance(value, Value):
        return joined(_grouped(figures, path, value), "; ")
    return Md("") if value is None else figures.number(path)


def _listed(figures: Figures, path: str, value: Iterable[Any]) -> Iterator[Md]:
    for place, one in enumerate(value):
        # ids in a list are told by the name of the list
        yield said(figures, path if isinstance(one, str) else f"{path}.{step_to(place, one)}", one)


def _grouped(figures: Figures, path: str, value: Value) -> Iterator[Md]:
    for name_of_field, kind in type(value).model_fields.items():
        inside = getattr(value, name_of_field)
        if inside != kind.default and (words := said(figures, f"{path}.{name_of_field}", inside)):
            title = _WORDS.get(name_of_field) or (kind.alias or name_of_field).replace("_", " ")
            yield Md(f"{title} {words}")


def name(figures: Figures, given: str) -> Md:
    """Write the id of a component or an alert, linked to its row where the design has one."""
    target = figures.rows.get(given)
    return Md(f"[{code(given)}](#{target})") if target else code(given)
