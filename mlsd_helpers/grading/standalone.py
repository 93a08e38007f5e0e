"""An answer of an exercise module as source that needs no other, the way a student would have typed it.

Where submissions are graded the exercises cannot be imported, since they hold the reference answers. So the source
brings along what the answer uses of them: functions, constants and imports, also of neighbouring modules.
"""

import ast
import copy
import math
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from graphlib import TopologicalSorter
from importlib import import_module
from inspect import getsource
from types import ModuleType
from typing import Any

from pydantic import BaseModel

_EXERCISES = "mlsd_helpers.exercises"


@dataclass(frozen=True)
class _Binding:
    """One name at the top of a module; `home` is the module, or for an import from elsewhere its text."""

    home: str
    name: str

    @property
    def is_import(self) -> bool:
        return " " in self.home

    @property
    def statement(self) -> ast.stmt:
        """What binds the name, without annotations and docstrings; a copy, so that it can be rewritten."""
        whole = ast.parse(self.home).body[0] if self.is_import else copy.deepcopy(_top(self.home)[self.name])
        return _Bare().visit(whole)  # type: ignore[no-any-return]


def source_of(answer: Any, name: str, taken: Collection[str] = ()) -> str:
    """Return source that binds `name` to an answer: a value, or a function that an exercise module holds.

    Whatever else the source defines gets a name that is not in `taken`.

    Raises ValueError for a function without a name at the top of an exercise module.
    """
    if not callable(answer):
        imports: set[str] = set()
        assignment = f"{name} = {_written(answer, imports)}"
        return "\n".join([*sorted(imports), assignment])
    uses = _uses(_binding_of(answer))
    root = next(iter(uses))
    called = {root: name}
    for binding in uses:
        if binding not in called:
            called[binding] = _free(binding.name, {*called.values(), *(() if binding.is_import else taken)})
    statements = dict.fromkeys(_renamed(*one, called) for one in _in_order(uses))
    return "\n".join(statements)  # one that binds two names comes once


def _free(name: str, taken: Collection[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


# ---- what an answer uses --------------------------------------------------------------------------


@lru_cache
def _top(module: str) -> Mapping[str, ast.stmt]:
    """Return the statements that bind the names at the top of a module, by name."""
    body = ast.parse(getsource(import_module(module))).body
    return {name: one for statement in body for name, one in _bound(statement)}


def _bound(statement: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, statement
        case ast.Import(names=names):
            yield from ((alias.asname or alias.name, ast.Import([alias])) for alias in names)
        case ast.ImportFrom(module=module, names=names):
            yield from ((alias.asname or alias.name, ast.ImportFrom(module, [alias], 0)) for alias in names)
        case ast.Assign(targets=targets):
            yield from ((name, statement) for target in targets for name in _names(target))
        case ast.AnnAssign(target=target):
            yield from ((name, statement) for name in _names(target))


def _names(node: ast.AST) -> Iterator[str]:
    return (one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def _binding_of(answer: Any) -> _Binding:
    for module, held in [one for one in sys.modules.items() if one[0].startswith(_EXERCISES)]:
        for name, value in vars(held).items() if isinstance(held, ModuleType) else ():
            if value is answer and (binding := _look_up(module, name)):
                return binding
    raise ValueError(f"{answer!r} has no name at the top of an exercise module; give it one.")


def _look_up(module: str, name: str) -> _Binding | None:
    """Return where a name of a module comes from; None for a builtin."""
    statement = _top(module).get(name)
    match statement:
        case None:
            return None
        case ast.ImportFrom(module=str(home), names=[alias]) if home.startswith(_EXERCISES):
            found = _look_up(home, alias.name)
            if found is None:
                raise ValueError(f"{module} imports the module {alias.name}; import what it needs of it.")
            return found
        case ast.Import() | ast.ImportFrom():
            return _Binding(ast.unparse(statement), name)
    return _Binding(module, name)


def _uses(root: _Binding) -> Mapping[_Binding, Mapping[str, _Binding]]:
    """Return what an answer needs, itself first: for each binding, those behind the names in its statement."""
    uses: dict[_Binding, Mapping[str, _Binding]] = {}
    open_ones = [root]
    while open_ones:
        binding = open_ones.pop()
        if binding in uses:
            continue
        inside = () if binding.is_import else sorted({binding.name, *_names(binding.statement)})
        found = {name: _look_up(binding.home, name) for name in inside}
        uses[binding] = {name: one for name, one in found.items() if one}
        open_ones += uses[binding].values()
    return uses


def _in_order(
    uses: Mapping[_Binding, Mapping[str, _Binding]],
) -> list[tuple[_Binding, Mapping[str, _Binding]]]:
    """Put imports first, then each module after those that it imports from, as its lines stand."""
    needs: dict[str, set[str]] = {}
    for binding, inside in uses.items():
        homes = {one.home for one in inside.values() if not one.is_import}
        needs.setdefault(binding.home, set()).update(homes - {binding.home})
    place = {home: at for at, home in enumerate(TopologicalSorter(needs).static_order())}

    def position(one: tuple[_Binding, Any]) -> tuple[bool, int, int]:
        binding = one[0]
        return not binding.is_import, place[binding.home], binding.statement.lineno

    return sorted(uses.items(), key=position)


# ---- rewriting its statements ---------------------------------------------------------------------


def _renamed(binding: _Binding, inside: Mapping[str, _Binding], called: Mapping[_Binding, str]) -> str:
    names = {name: called[there] for name, there in inside.items() if called[there] != name}
    statement = binding.statement
    if isinstance(statement, ast.Import | ast.ImportFrom):
        alias = statement.names[0]
        alias.asname = called[binding] if called[binding] != alias.name else None
    return ast.unparse(_Renaming(names).visit(statement))


class _Renaming(ast.NodeTransformer):
    """Give names of a module other ones, but for where a parameter has the same name."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        return self._within(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._within(node)

    def _within(self, node: ast.FunctionDef | ast.Lambda) -> ast.AST:
        parameters = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
        outside, self.names = self.names, {k: v for k, v in self.names.items() if k not in parameters}
        self.generic_visit(node)
        self.names = outside
        return node


class _Bare(ast.NodeTransformer):
    """Take annotations and docstrings away; the fields of a class keep theirs, which are more than a remark."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        _drop_docstring(node)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        _drop_docstring(node)
        node.body = [one if isinstance(one, ast.AnnAssign) else self.visit(one) for one in node.body]
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        plain = ast.Assign([node.target], node.value) if node.value else ast.Pass()
        return ast.copy_location(plain, node)


def _drop_docstring(node: ast.FunctionDef | ast.ClassDef) -> None:
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:] or [ast.Pass()]


# ---- values ---------------------------------------------------------------------------------------


def _written(value: Any, imports: set[str]) -> str:
    """Write a value as an expression, and add the imports that it needs."""
    kind = type(value)
    match value:
        case float() if not math.isfinite(value):
            return f"float('{value}')"
        case dict():
            pairs = (f"{_written(k, imports)}: {_written(v, imports)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple() | set() | frozenset() if kind.__module__ == "builtins":
            items = "".join(f"{_written(item, imports)}, " for item in value)
            return f"[{items}]" if kind is list else f"{kind.__name__}(({items}))"
    return repr(value) if kind.__module__ == "builtins" else _instance(value, kind, imports)


def _instance(value: Any, kind: type, imports: set[str]) -> str:
    def write(part: Any) -> str:
        return _written(part, imports)

    name, needs = kind.__name__, f"from {kind.__module__} import {kind.__name__}"
    text = repr(value)
    if name == "ndarray":
        needs, text = "import numpy as np", f"np.array({write(value.tolist())}, dtype={str(value.dtype)!r})"
    elif name == "DataFrame":
        columns, index, kinds = value.to_dict("list"), list(value.index), value.dtypes.astype(str).to_dict()
        needs = "import pandas as pd"
        text = f"pd.DataFrame({write(columns)}, {write(index)}).astype({write(kinds)})"
    elif isinstance(value, Enum):
        text = f"{name}.{value.name}"
    elif isinstance(value, BaseModel):
        text = f"{name}.model_validate({write(value.model_dump(by_alias=True, exclude_unset=True))})"
    elif is_dataclass(value):
        text = f"{name}(**{write({one.name: getattr(value, one.name) for one in fields(value) if one.init})})"
    elif text.startswith(f"{kind.__module__}."):  # as a date shows itself
        needs = f"import {kind.__module__}"
    imports.add(needs)
    return text
