"""Compile functions where numba is installed; without it they stay plain Python.

Source and results are the same; only the speed differs. `COMPILED` tells which it is.
"""

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])

numba: Any = None
with suppress(ImportError):
    numba = import_module("numba")

COMPILED: bool = numba is not None and not numba.config.DISABLE_JIT


def compiled(function: Function) -> Function:
    """Compile `function` at its first call, and cache the machine code on disk.

    Nothing compiled here allocates memory, so reference counting is off; small functions are inlined. Together
    these make the loop ten times as fast.
    """
    if not COMPILED:
        return function
    compile_ = numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True, _nrt=False)
    return cast("Function", compile_(function))


def record(settings: Any) -> NDArray[np.void]:
    """Return a named tuple of numbers as one record."""
    kinds = [(name, type(value)) for name, value in zip(settings._fields, settings, strict=True)]
    return np.array([tuple(settings)], kinds)


def objects_of(rows: NDArray[Any]) -> list[Any]:
    """Return the rows as a list of objects, or of numbers: plain Python is many times faster on those."""
    names = rows.dtype.names
    if names is None:
        return list(rows.tolist())
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows.tolist()]


def write_back(rows: NDArray[Any], objects: list[Any]) -> None:
    """Copy the objects that `objects_of` returned back into the rows."""
    if rows.dtype.names is None:
        rows[:] = objects
        return
    for name in rows.dtype.names:
        rows[name] = [getattr(row, name) for row in objects]
