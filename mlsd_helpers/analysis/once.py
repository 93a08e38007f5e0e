"""Functions of a design that many rules ask for, each computed once for an object.

Designs are frozen, so a result holds as long as the object lives. Objects are told apart by identity: to compare two
designs by their fields would take longer than most of these functions do.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel

P = ParamSpec("P")
T = TypeVar("T")

_KEPT = 128  # results of each function, and as many designs that stay in memory: those of one review, and a few more


class _Same:
    """An object that is equal to itself only."""

    __slots__ = ("value",)

    def __init__(self, value: BaseModel) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value


def once(function: Callable[P, T]) -> Callable[P, T]:
    """Keep the last results of a function of frozen values. Readers change none of them: a later one gets it too.

    >>> from mlsd_helpers.design import Planes
    >>> planes, asked = Planes(), []
    >>> ask = once(lambda planes: asked.append(planes) or len(asked))
    >>> ask(planes), ask(planes), ask(Planes())
    (1, 1, 2)
    """

    @lru_cache(maxsize=_KEPT)
    def kept(*given: Any) -> T:
        values = [one.value if isinstance(one, _Same) else one for one in given]
        return function(*values)  # type: ignore[arg-type, call-arg]  # those that `asked` was given

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        if kwargs:  # few ask so
            return function(*args, **kwargs)
        return kept(*[_Same(one) if isinstance(one, BaseModel) else one for one in args])

    return asked
