"""A stub replaces `mlsd_helpers.exercises` inside a sandbox, since the exercises hold the reference answers.

The stub has the cases that the exercises show, and no answers.
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
    """The verdict of a check, which the judge makes outside."""

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
        """Display the message; the points are given outside."""
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
    """Set the cases that each exercise shows, by exercise id."""
    _shown.update({name: Exercise(name, tuple(cases)) for name, cases in shown.items()})


def find(exercise_id: str) -> Exercise:
    """Return what an exercise shows. Raises ExerciseError for an unknown one."""
    if exercise_id not in _shown:
        raise ExerciseError(f"There is no exercise {exercise_id!r} here. Known: {', '.join(_shown)}.")
    return _shown[exercise_id]


def inputs(exercise_id: str) -> tuple[Any, ...]:
    """Return the inputs that an exercise shows."""
    return find(exercise_id).cases


def pending(exercise_id: str = "", *_: Any, **__: Any) -> Verdict:
    """Replace a check, a hint or a question."""
    return Verdict(str(exercise_id))


class _StubModule(ModuleType):
    """An empty module in place of an exercise's, for widgets that import names from one."""

    __path__ = []  # noqa: RUF012 - as a package has it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return pending


class _Finder(Loader, MetaPathFinder):
    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.startswith(f"{NAME}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StubModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module empty."""


def install() -> None:
    """Replace the exercises, before anything imports them.

    2026-12: `mlsd.exercises` and `from mlsd_helpers.exercises...` must both work in a cell, and the package's folder is
    masked, so the stub is put where the import system looks.
    """
    package, questions = ModuleType(NAME), ModuleType(f"{NAME}.questions")
    package.__path__ = []
    vars(package).update(ALL=(), QUESTIONS=(), Exercise=Exercise, Verdict=Verdict, Hint=Verdict)
    vars(package).update(
        find=find, inputs=inputs, cases=inputs, check=pending, hint=pending, find_question=pending
    )
    vars(questions).update(Estimate=Verdict, Recall=Verdict, Question=Verdict)
    sys.modules[package.__name__], sys.modules[questions.__name__] = package, questions
    sys.meta_path.insert(0, _Finder())
    vars(mlsd_helpers).update(exercises=package, ask=pending, check=pending, hint=pending)
