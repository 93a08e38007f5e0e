"""How much is drawn in a test: all of it, or a part in `make quick`, which sets MLSD_QUICK."""

import os
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

QUICK = bool(os.environ.get("MLSD_QUICK"))


def examples(count: int) -> int:
    """Return how many of so many examples to try."""
    return max(5, count // 6) if QUICK else count


def some(values: Iterable[T], start: int = 0) -> list[T]:
    """Return all values, or every fourth of them: those that begin at another place between them are all."""
    return list(values)[start % 4 :: 4] if QUICK else list(values)


def seeds(count: int) -> range:
    """Return the seeds to try, from 1 on: so many, or a part of them."""
    return range(1, 1 + (max(1, count // 4) if QUICK else count))
