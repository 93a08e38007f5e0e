"""The parts of a design, their fields, and the rules that read them: for the pages that tools/reference.py writes."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, get_args, get_type_hints

from mlsd_helpers.design import Design
from mlsd_helpers.design.value import Value
from mlsd_helpers.review import RULES

ROOT = Path(__file__).parents[1]

Steps = tuple[str, ...]


def places(kind: type[Value], steps: Steps) -> Iterator[tuple[Steps, type[Value]]]:
    """Yield every part of a design at the first place where it may stand."""
    seen = set[type[Value]]()

    def walk(kind: type[Value], steps: Steps) -> Iterator[tuple[Steps, type[Value]]]:
        if kind not in seen:
            seen.add(kind)
            yield steps, kind
            for key, hint in keys(kind).items():
                for part in parts_in(hint):
                    yield from walk(part, (*steps, key))

    return walk(kind, steps)


@cache
def keys(kind: type[Value]) -> Mapping[str, Any]:
    """Return the type of each field by the key under which it is written."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.alias or name: hints[name] for name, field in kind.model_fields.items()}


def parts_in(hint: Any) -> Iterator[type[Value]]:
    """Yield the parts that a field of some type may hold."""
    if isinstance(hint, type) and issubclass(hint, Value):
        yield hint
    else:
        yield from chain.from_iterable(map(parts_in, get_args(hint)))


@cache
def readers() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the rules that read a field, by part and name, as far as their code shows it.

    It is shown by an attribute of an argument whose type is a part of a design, by an attribute that only one part
    has, and by the path in a message. What a rule learns from an analysis is not told.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for path in sorted((ROOT / "mlsd_helpers" / "review").rglob("*.py")):
        functions = {
            one.name: one
            for one in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(one, ast.FunctionDef)
        }
        for one in functions.values():
            for code in _codes(one):
                for reached in _reached(one, functions):
                    for field in _read_by(reached):
                        found.setdefault(field, set()).add(code)
    return {field: tuple(sorted(codes)) for field, codes in found.items()}


def _codes(function: ast.FunctionDef) -> Iterator[str]:
    known = {one.code for one in RULES}
    for mark in function.decorator_list:
        for given in mark.args if isinstance(mark, ast.Call) else ():
            if isinstance(given, ast.Constant) and given.value in known:
                yield str(given.value)


def _reached(function: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef]) -> list[ast.FunctionDef]:
    """Return a function, and those of its module that it uses."""
    reached = [function]
    for one in reached:
        names = {node.id for node in ast.walk(one) if isinstance(node, ast.Name)}
        reached += [
            functions[name] for name in sorted(names & functions.keys()) if functions[name] not in reached
        ]
    return reached


def _read_by(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    typed = {
        argument.arg: _kinds_by_name()[argument.annotation.id]
        for argument in function.args.args
        if isinstance(argument.annotation, ast.Name) and argument.annotation.id in _kinds_by_name()
    }
    for node in ast.walk(ast.Module(function.body, [])):
        if isinstance(node, ast.Attribute):
            owner = typed.get(node.value.id) if isinstance(node.value, ast.Name) else None
            if owner and node.attr in owner.model_fields:
                yield from _family(owner, node.attr)
            elif owner is None and node.attr in _only_in():
                yield from _family(_only_in()[node.attr], node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _at_path(node.value)


@cache
def _kinds_by_name() -> Mapping[str, type[Value]]:
    return {kind.__name__: kind for _, kind in places(Design, ())}


def _family(kind: type[Value], name: str) -> Iterator[tuple[str, str]]:
    """Yield a field of a part, and the same field of a wider or narrower one."""
    for other in _kinds_by_name().values():
        if (issubclass(other, kind) or issubclass(kind, other)) and name in other.model_fields:
            yield other.__name__, name


@cache
def _only_in() -> Mapping[str, type[Value]]:
    """Return the part that alone has a field of a name, where no other class of ours has such a name either."""
    names = Counter(
        name for kind in _kinds_by_name().values() for name in kind.model_fields if not kind.__subclasses__()
    )
    for folder in ("review", "analysis", "formulas", "units.py"):
        place = ROOT / "mlsd_helpers" / folder
        for path in place.rglob("*.py") if place.is_dir() else (place,):
            for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(one, ast.ClassDef):
                    names.update(_members(one))
    return {
        name: kind for kind in _kinds_by_name().values() for name in kind.model_fields if names[name] == 1
    }


def _members(one: ast.ClassDef) -> Iterator[str]:
    for node in one.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.FunctionDef):
            yield node.name


def _at_path(text: str) -> Iterator[tuple[str, str]]:
    """Yield the field that a path such as ``capacity.zones`` leads to."""
    kind: type[Value] = Design
    steps = text.split(".") if re.fullmatch(r"\w+(\.\w+)+", text) else []
    for position, step in enumerate(steps):
        names = {field.alias or name: name for name, field in kind.model_fields.items()}
        if step not in names:
            return
        if position == len(steps) - 1:
            yield from _family(kind, names[step])
        inside = list(parts_in(keys(kind)[step]))
        if not inside:
            return
        kind = inside[0]
