"""References between the parts of a design, its amounts of money, its ids and its paths."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from mlsd_helpers.design.problems import Path, field_path, inner_kind
from mlsd_helpers.design.quantities import MONEY, Amount, write
from mlsd_helpers.design.value import Fault, Value, unresolved

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mlsd_helpers.design.operations import Operations
    from mlsd_helpers.design.planes import Planes

_Named = Iterator[tuple[Path, str]]

_TO_COMPONENTS = (
    ("requirements", "latency", "split", "component"),
    ("requirements", "latency", "until"),
    ("requirements", "freshness", "also", "component"),
    ("requirements", "workloads", "entry"),
    ("requirements", "workloads", "latency", "split", "component"),
    ("requirements", "workloads", "latency", "until"),
    ("requirements", "workloads", "freshness", "also", "component"),
    ("requirements", "constraints", "met_by"),
    ("requirements", "failure_modes", "of"),
    ("requirements", "prediction", "reasons_kept_in"),
    ("requirements", "prediction", "reviewed_by"),
    ("pattern", "paths", "component"),
    ("capacity", "fleets", "component"),
    ("capacity", "costs", "component"),
    ("data", "datasets", "kept_in"),
    ("data", "datasets", "deleted_by"),
    ("data", "training", "component"),
)
_TO_DATASETS = (
    ("requirements", "constraints", "of"),
    ("planes", "flows", "without"),
    ("data", "training", "trained_on"),
)
_TO_WORKLOADS = (
    ("planes", "flows", "workload"),
    ("dataflow", "features", "workload"),
    ("pattern", "paths", "workload"),
    ("requirements", "workloads", "schedule", "fallback"),
)
_TO_ALERTS = ("planes", "release", "stages", "stops_on")


def unresolved_names(
    design: Value, planes: "Planes | None", operations: "Operations | None"
) -> Iterator[Fault]:
    """Find names of components, alerts and objectives that the design does not have.

    A design without components is still being made: it may name those that are to come.
    """
    if planes and planes.components:
        components = {component.id for component in planes.components}
        names = chain.from_iterable(_names(design, fields) for fields in _TO_COMPONENTS)
        yield from unresolved(names, components, "component")
    datasets = {one.id for one in getattr(getattr(design, "data", None), "datasets", ())}
    for fields in _TO_DATASETS:
        yield from unresolved(_names(design, fields), datasets, "data set")
    workloads = {one.id for one in getattr(getattr(design, "requirements", None), "workloads", ())}
    for to_workload in _TO_WORKLOADS:
        yield from unresolved(_names(design, to_workload), workloads, "workload")
    own = {name for _, name in _names(design, ("requirements", "schedule", "id"))}
    yield from unresolved(_names(design, ("requirements", "schedule", "fallback")), own, "run")
    known = {one.id for one in (planes.alerts if planes else ())}
    known |= {one.id for one in (operations.objectives if operations else ())}
    yield from unresolved(_names(design, _TO_ALERTS), known, "alert or objective")


def _names(value: Any, fields: Path, before: Path = ()) -> _Named:
    """Yield every name in a field that is reached by `fields`, with its place."""
    if isinstance(value, tuple) and fields:
        for position, entry in enumerate(value):
            yield from _names(entry, fields, (*before, position))
    elif fields and value is not None:
        yield from _names(getattr(value, str(fields[0])), fields[1:], (*before, fields[0]))
    elif value is not None:
        yield from ((before, name) for name in (value if isinstance(value, tuple) else (value,)))


def two_currencies(design: Value) -> Iterator[Fault]:
    """Find the first amount that is not in the currency of those before it."""
    first: tuple[Path, Amount] | None = None
    for path, amount in amounts_in(design):
        if first is None:
            first = path, amount
        elif amount.currency != first[1].currency:
            other = f"{write(first[1], MONEY)} at {field_path(first[0])} is in {first[1].currency}"
            hint = "Write all amounts in one currency."
            yield path, f"{write(amount, MONEY)} is in {amount.currency}, and {other}. {hint}"
            return


def amounts_in(value: Any, before: Path = ()) -> Iterator[tuple[Path, Amount]]:
    """Yield every amount with a currency in a part of a design, with its place."""
    if isinstance(value, Amount):
        yield before, value
    elif isinstance(value, tuple):
        for position, entry in enumerate(value):
            yield from amounts_in(entry, (*before, position))
    elif isinstance(value, Value):
        for name in _with_money(type(value)):
            yield from amounts_in(getattr(value, name), (*before, name))


@cache
def _with_money(kind: type[Value]) -> tuple[str, ...]:
    """Return the fields of a kind of value that hold money, or a part that has some."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(name for name in kind.model_fields if _is_money(hints[name]))


def _is_money(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, Value):
        return bool(_with_money(hint))
    return hint is MONEY or any(map(_is_money, get_args(hint)))


def ids_in(value: Any) -> Iterator[str]:
    """Yield the id of everything in a part of a design."""
    inside: Iterable[Any] = value if isinstance(value, tuple) else ()
    if isinstance(value, Value):
        if given := getattr(value, "id", None):
            yield given
        inside = (getattr(value, name) for name in type(value).model_fields)
    for part in inside:
        yield from ids_in(part)


def is_place(design: Value, path: str) -> bool:
    """Tell whether a design has, or might have, something at a path; entries of lists have to be there.

    >>> from mlsd_helpers.design import Design
    >>> is_place(Design(name="d"), "capacity.headroom"), is_place(Design(name="d"), "capacity.head")
    (True, False)
    """
    kind: type[BaseModel] | None = type(design)
    value: Any = design
    for step in path.split("."):
        if isinstance(value, tuple):
            if (value := entry_at(value, step)) is None:
                return False
            kind = type(value) if isinstance(value, Value) else None
            continue
        fields = {field.alias or name: name for name, field in kind.model_fields.items()} if kind else {}
        if kind is None or step not in fields:
            return False
        value = getattr(value, fields[step], None)
        kind = inner_kind(kind.model_fields[fields[step]].annotation)
    return True


def entry_at(entries: tuple[Any, ...], step: str) -> Any:
    """Return the entry of a list at a position, or with an id; nothing where there is none."""
    if step.isdecimal():
        return dict(enumerate(entries)).get(int(step[:9]))
    return next((entry for entry in entries if getattr(entry, "id", None) == step), None)
