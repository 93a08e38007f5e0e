"""What holds for every public formula, found by walking the package: no list by hand."""

import ast
import doctest
import inspect
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError

MODULES = [import_module(f"{formulas.__name__}.{info.name}") for info in iter_modules(formulas.__path__)]
TOPICS = [module for module in MODULES if not module.__name__.rpartition(".")[2].startswith("_")]
PUBLIC: list[Any] = [getattr(formulas, name) for name in formulas.__all__]
GUARDED: list[Any] = [
    public for public in PUBLIC if not is_dataclass(public) or hasattr(public, "__post_init__")
]
NEVER_VALID = (math.nan, math.inf, -math.inf, -1, True, "40 ms", None, 10**400)


def calls_in_doctest(public: Callable[..., Any]) -> Iterator[ast.Call]:
    for example in doctest.DocTestParser().get_examples(public.__doc__ or ""):
        for node in ast.walk(ast.parse(example.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == public.__name__:
                yield node


def worked_inputs(public: Callable[..., Any]) -> dict[str, Any]:
    """Read valid inputs from the formula's own doctest, and add the defaults."""

    def value(node: ast.expr) -> Any:
        return eval(ast.unparse(node), dict(vars(formulas)))  # noqa: S307 our own docstrings

    call = next(calls_in_doctest(public))
    bound = inspect.signature(public).bind(
        *map(value, call.args), **{str(given.arg): value(given.value) for given in call.keywords}
    )
    bound.apply_defaults()
    return dict(bound.arguments)


def planted(given: Any, bad: object) -> Any:
    """Put `bad` in place of a number, or of the first number in a collection."""
    if isinstance(given, Collection) and not isinstance(given, str):
        first, *rest = given
        return type(given)([planted(first, bad), *rest])  # type: ignore[call-arg]
    return bad


def holds_numbers(given: Any) -> bool:
    if isinstance(given, Collection) and not isinstance(given, str):
        return bool(given) and holds_numbers(next(iter(given)))
    return isinstance(given, int | float)


PLACES = [
    pytest.param(public, name, id=f"{public.__name__}-{name}")
    for public in GUARDED
    for name, given in worked_inputs(public).items()
    if holds_numbers(given)
]


@pytest.mark.parametrize(("public", "name"), PLACES)
def test_what_is_no_number_in_range_is_refused_by_the_name_of_its_parameter(
    public: Callable[..., Any], name: str
) -> None:
    inputs = worked_inputs(public)
    public(**inputs)
    for bad in NEVER_VALID:
        if bad is None and "None" in str(inspect.signature(public).parameters[name].annotation):
            continue
        with pytest.raises(RangeError, match=name):
            public(**inputs | {name: planted(inputs[name], bad)})


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__name__)
def test_every_public_name_says_what_it_is_and_shows_an_example(public: Callable[..., Any]) -> None:
    assert next(calls_in_doctest(public), None) is not None
    assert is_dataclass(public) or "ource" in (public.__doc__ or ""), "cites no source"


def test_every_topic_shows_in_the_package() -> None:
    by_topic = [name for module in TOPICS for name in module.__all__]
    assert sorted(formulas.__all__) == sorted(by_topic)
    assert len(set(by_topic)) == len(by_topic), "two topics share a name"


@pytest.mark.parametrize("module", TOPICS, ids=lambda module: module.__name__)
def test_what_a_topic_defines_without_an_underscore_is_public(module: ModuleType) -> None:
    defined = {
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
    }
    assert defined == set(module.__all__)
