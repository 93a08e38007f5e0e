"""Write an answer of an exercise module as source that runs without that module, for a synthetic class.

Exercises hold the reference answers, so they cannot be imported where submissions are graded. The source brings along
what the answer uses of them: functions, constants and imports, also of neighbouring modules.
"""

import ast
import math
import sys
from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from importlib import import_module
from inspect import getsource
from types import ModuleType
from typing import Any

from pydantic import BaseModel

_EXERCISES = "mlsd_helpers.exercises"


def source_of(answer: Any, name: str) -> str:
    """Return source that binds `name` to an answer: a value, or a function that an exercise module holds.

    The source of a function is a factory, whose local names meet no name of the notebook.

    Raises ValueError for a function without a name at the top of an exercise module.
    """
    if callable(answer):
        module, own_name = _home_of(answer)
        return "\n".join(map(ast.unparse, _factory(f"make_{name}", module, {own_name: name})))
    imports: set[str] = set()
    assignment = f"{name} = {_written(answer, imports)}"
    return "\n".join([*sorted(imports), assignment])


# ---- what an answer uses --------------------------------------------------------------------------


def _home_of(answer: Any) -> tuple[str, str]:
    """Return the exercise module that defines an answer, and its name there."""
    for module, held in [one for one in sys.modules.items() if one[0].startswith(_EXERCISES)]:
        for name, value in vars(held).items() if isinstance(held, ModuleType) else ():
            if value is answer and any(name in _bound(statement) for statement in _body(module)):
                return module, name
    raise ValueError(f"{answer!r} has no name at the top of an exercise module; give it one.")


def _factory(factory: str, module: str, names: dict[str, str]) -> list[ast.stmt]:
    """Return a function that makes objects of a module, and the statement that calls it.

    `names` maps each object's name in the module to the name that it gets.
    """
    function, call = ast.parse(
        f"def {factory}():\n return {', '.join(names)}\n{', '.join(names.values())} = {factory}()"
    ).body
    assert isinstance(function, ast.FunctionDef)
    function.body[:0] = _needed(module, names)
    return [function, call]


def _needed(module: str, names: Collection[str]) -> Iterator[ast.stmt]:
    """Yield the statements of a module that some of its names need, in their order.

    A factory replaces an import from another exercise module.
    """
    binds = {name: statement for statement in _body(module) for name in _bound(statement)}
    if missing := set(names) - set(binds):
        raise ValueError(
            f"{module} defines no {', '.join(missing)}; import names, not a module of exercises."
        )
    needed: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in binds and name not in needed:
            needed.add(name)
            left += _names(binds[name])
    for statement in _body(module):
        used = needed.intersection(_bound(statement))
        match statement:
            case _ if not used:
                pass
            case ast.ImportFrom(module=str(home), names=aliases) if home.startswith(_EXERCISES):
                wanted = {one.name: one.asname or one.name for one in aliases}
                wanted = {name: local for name, local in wanted.items() if local in used}
                yield from _factory(f"make_{'_'.join(wanted.values())}", home, wanted)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (_import(statement, one) for one in aliases if _local(one) in used)
            case _:
                yield statement


def _import(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(statement, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(statement.module, [alias], 0)


@lru_cache
def _body(module: str) -> list[ast.stmt]:
    """Return the statements of a module, without annotations and docstrings."""
    tree = _WithoutNotes().visit(ast.parse(getsource(import_module(module))))
    return list(ast.fix_missing_locations(tree).body)


def _bound(statement: ast.stmt) -> Collection[str]:
    """Return the names that a statement at the top of a module binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [_local(alias) for alias in aliases]
        case ast.Assign(targets=targets):
            return [name for target in targets for name in _names(target)]
    return []


def _local(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _names(node: ast.AST) -> list[str]:
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]


class _WithoutNotes(ast.NodeTransformer):
    """Removes annotations and docstrings. Fields of a class keep their annotations, which define them."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        node.args = self.visit(node.args)
        node.body = self._visited(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        fields_of_class = {id(one) for one in node.body if isinstance(one, ast.AnnAssign)}
        node.body = self._visited(node.body, kept=fields_of_class)
        return node

    def _visited(self, body: list[ast.stmt], kept: Collection[int] = ()) -> list[ast.stmt]:
        first = body[0]
        has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        rest = body[1:] if has_docstring else body
        return [one if id(one) in kept else self.visit(one) for one in rest] or [ast.Pass()]

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()


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
