"""What stands in for `mlsd_helpers.exercises` inside a sandbox, where no reference answer may be.

It knows the cases that the exercises show, and nothing of what is right.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import mlsd_helpers
from mlsd_helpers.errors import ExerciseError

NAME = "mlsd_helpers.exercises"
_SAYS = "The judge checks this answer outside."


@dataclass(frozen=True)
class Verdict:
    """A verdict still to come."""

    exercise_id: str = ""
    passed: None = None
    score: float = 0.0
    message: str = _SAYS

    def __str__(self) -> str:
        """Return the message."""
        return self.message

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.message, "text/markdown": self.message}

    def grade(self) -> float:
        """Show the message; the points are given outside."""
        from IPython.display import display  # noqa: PLC0415 - only a notebook needs it

        display(self)  # type: ignore[no-untyped-call]
        return self.score


@dataclass(frozen=True)
class Exercise:
    """What an exercise shows."""

    id: str
    cases: tuple[Any, ...]


_shown: dict[str, Exercise] = {}


def show(shown: Mapping[str, Any]) -> None:
    """Say which cases each exercise shows."""
    _shown.update({name: Exercise(name, tuple(cases)) for name, cases in shown.items()})


def find(exercise_id: str) -> Exercise:
    """Return what an exercise shows. Raises ExerciseError for an unknown one."""
    if exercise_id not in _shown:
        raise ExerciseError(f"There is no exercise {exercise_id!r} here. Known: {', '.join(_shown)}.")
    return _shown[exercise_id]


def inputs(exercise_id: str) -> tuple[Any, ...]:
    """Return the inputs that an exercise shows."""
    return find(exercise_id).cases


def later(exercise_id: str = "", *_: Any, **__: Any) -> Verdict:
    """Stand in for a check, a hint or a question."""
    return Verdict(str(exercise_id))


class _Hollow(ModuleType):
    """A module of an exercise with nothing in it, so that what imports names from it (a widget) can be imported."""

    __path__ = []  # noqa: RUF012 - as a package has it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return later


class _Finder(Loader, MetaPathFinder):
    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.startswith(f"{NAME}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Hollow(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


def install() -> None:
    """Take the place of the exercises, before anything imports them."""
    package, questions = ModuleType(NAME), ModuleType(f"{NAME}.questions")
    package.__path__ = []
    vars(package).update(ALL=(), QUESTIONS=(), Exercise=Exercise, Verdict=Verdict, Hint=Verdict)
    vars(package).update(find=find, inputs=inputs, cases=inputs, check=later, hint=later, find_question=later)
    vars(questions).update(Estimate=Verdict, Recall=Verdict, Question=Verdict)
    sys.modules[package.__name__], sys.modules[questions.__name__] = package, questions
    sys.meta_path.insert(0, _Finder())
    vars(mlsd_helpers).update(exercises=package, ask=later, check=later, hint=later)
