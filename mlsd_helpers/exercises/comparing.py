"""Other answers to an exercise, for whoever has solved it: the course's own, and another way."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from mlsd_helpers.exercises.exercise import Exercise


@dataclass(frozen=True)
class Solutions:
    """The source of the course's answer to an exercise and of other ways, as text and in a notebook."""

    exercise_id: str
    sources: tuple[str, ...]

    def __str__(self) -> str:
        """Return the answers one below the other."""
        return "\n\n".join(f"# {title}\n{source}" for title, source in self._titled())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = "\n\n".join(f"**{title}**\n\n```python\n{source}\n```" for title, source in self._titled())
        return {"text/plain": str(self), "text/markdown": shown}

    def _titled(self) -> Iterator[tuple[str, str]]:
        for at, source in enumerate(self.sources):
            yield f"{self.exercise_id}: " + ("our answer" if at == 0 else "another way"), source


def solutions(exercise: Exercise) -> Solutions:
    """Return the sources of the reference and of its alternatives."""
    return Solutions(exercise.id, tuple(map(_source, (exercise.reference, *exercise.alternatives))))


def _source(answer: Any) -> str:
    """Return an answer's source, with that of the functions of its module that it calls; a value is shown."""
    if not inspect.isfunction(answer):
        return repr(answer)
    return "\n\n".join(inspect.getsource(one).rstrip() for one in _called(answer, []))


def _called(function: Callable[..., Any], seen: list[Any]) -> Iterator[Any]:
    """Yield a function after those of its lesson that it calls, each once."""
    seen.append(function)
    lesson = function.__module__.rpartition(".")[0]
    for name in _names(function.__code__):
        called = inspect.unwrap(function.__globals__.get(name))  # type: ignore[arg-type] # whatever it is
        if inspect.isfunction(called) and called.__module__.startswith(lesson) and called not in seen:
            yield from _called(called, seen)
    yield function


def _names(code: CodeType) -> Iterator[str]:
    """Yield the global names in a function's code, comprehensions and inner functions included."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
