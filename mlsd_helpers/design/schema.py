"""The JSON Schema of a design file, for editors that complete, explain and check YAML."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any

from mlsd_helpers.design.design import Design
from mlsd_helpers.design.value import Value


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a design; the docstring of a field is its description."""
    schema = Design.model_json_schema()
    _describe(schema, Design)
    for kind in _kinds(Value):
        if kind.__name__ in schema["$defs"]:
            _describe(schema["$defs"][kind.__name__], kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _kinds(kind: type[Value]) -> Iterator[type[Value]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def _describe(schema: dict[str, Any], kind: type[Value]) -> None:
    group = schema if "properties" in schema else schema["anyOf"][-1]
    inherited = (above for above in kind.__mro__[1:] if issubclass(above, Value) and above is not Value)
    for name, words in chain(*map(_docstrings, inherited), _docstrings(kind)):
        group["properties"][kind.model_fields[name].alias or name]["description"] = words


def _docstrings(kind: type[Value]) -> Iterator[tuple[str, str]]:
    """Yield each field of a class that is followed by a docstring.

    Read from the source when a schema is asked for: pydantic would do it on every import.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    for field, words in pairwise(getattr(tree, "body", ())):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match words:
                case ast.Expr(value=ast.Constant(value=str() as text)):
                    yield field.target.id, text
