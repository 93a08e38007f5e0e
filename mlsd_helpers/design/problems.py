"""What is wrong with a design, in plain words: the line, the field, what was given, what to do."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from heapq import nsmallest
from os.path import commonprefix
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args

from mlsd_helpers.errors import DesignError
from mlsd_helpers.printable import one_line

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

CHOICE = "<"  # begins what pydantic puts into a path for a choice between kinds of value
FILE = "file"  # the context of validation where a whole file is read
MOST = 1_000  # problems that are worth explaining
LISTED = 10
_NAMED = 100  # names that a message lists; more kinds than a component has
_SHOWN = 60  # characters of what was given
_LONGEST = 5_000  # characters of a problem, so that a list of choices is whole

_SENTENCES = {
    "missing": "is missing. Write it.",
    "value_error": "{error}",
    "too_short": "is empty. Write at least one entry.",
    "bool_type": "{given} is neither true nor false. Write one of them.",
    "bool_parsing": "{given} is neither true nor false. Write one of them.",
    "string_type": "{given} is not text. Write words; put quotes around a number that is meant as text.",
    "string_pattern_mismatch": "{given} is not an id. Use a letter, then letters, digits, '_' and '-'.",
    "string_too_short": "is empty. Write it or leave the key out.",
    "string_too_long": "is too long. Keep it to {max_length} characters.",
    "tuple_type": "{given} is not a list. Write one entry a line, each beginning with '- '.",
    "model_type": "{given} is not a group of keys. Write 'key: value' lines, indented below this key.",
}
"""How each kind of error that pydantic finds is said here."""

_ELSEWHERE = {
    "attempts": "Write further attempts as 'retries: 1', on the flow itself.",
    "does_not_apply": "Write it for the whole design: does_not_apply: [{where: path of the part, because: reason}].",
    "promises": "Write 'budget' and 'percentile', 'first_token' and 'per_token', and what else is promised in 'also'.",
    "rollback": "Write 'rollback_to', 'rollback_time' and 'rollback_takes_back'.",
    "together": "Write 'versioned_together'.",
}
"""Keys that people expect where they are not, and what to write."""

Step = str | int
Path = tuple[Step, ...]


class Problem(NamedTuple):
    """One thing that is wrong: where in the file, in which field, and what to do."""

    path: Path
    message: str
    line: int | None = None

    def __str__(self) -> str:
        """Write the problem on one line."""
        where = f"line {self.line}" if self.line else ""
        field = field_path(self.path)
        words = ": ".join((", ".join(filter(None, (where, field))), self.message)).removeprefix(": ")
        return one_line(words, most=_LONGEST)


class UnreadableDesignError(DesignError):
    """A design with problems; ``problems`` holds each with its line and field."""

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(_listing(subject, self.problems))

    def __reduce__(self) -> tuple[type[Self], tuple[str, tuple[Problem, ...]]]:
        """Travel between processes whole."""
        return type(self), (self.subject, self.problems)


def _listing(subject: str, problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return f"{subject}, {problems[0]}" if problems[0].line else f"{subject}: {problems[0]}"
    number = f"{len(problems)} problems" if len(problems) < MOST else f"{MOST} problems or more"
    lines = [f"{subject}: {number}.", *(f"  {problem}" for problem in problems[:LISTED])]
    if len(problems) > LISTED:
        lines.append(f"  … and {len(problems) - LISTED} more.")
    return "\n".join(lines)


def field_path(path: Path) -> str:
    """Write a path as people read it.

    >>> field_path(("planes", "components", 3, "timeout"))
    'planes.components[3].timeout'
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{step[:_SHOWN]}" for step in path)
    return "".join(steps).removeprefix(".")


def nearest(given: object, known: Iterable[str]) -> str:
    """Say which known names were probably meant, or else which there are.

    >>> nearest("capcity", ["capacity", "planes"]), nearest("x", [])
    ("Did you mean 'capacity'?", 'There are none yet.')
    >>> nearest("database", ["cache", "raw source"])
    'Known: cache, raw source.'
    """
    wanted, names = str(given)[:_SHOWN], sorted(known)
    number = len(names)
    if number > MOST:  # comparing takes time: only those that begin most alike
        names = nsmallest(MOST, names, key=lambda name: -len(commonprefix([wanted, name])))  # noqa: RUF071 - no paths
    if close := get_close_matches(wanted, names):
        return f"Did you mean {' or '.join(map(repr, close))}?"
    if number <= _NAMED:
        return f"Known: {', '.join(names)}." if names else "There are none yet."
    listed = get_close_matches(wanted, names, n=LISTED, cutoff=0)
    return f"Known: {', '.join(listed)}, the nearest of {number:,}."


def explain(error: "ValidationError", model: "type[BaseModel]") -> list[Problem]:
    """Turn what pydantic found into problems in plain words."""
    found = error.errors(include_url=False)[:MOST]
    return [problem for item in found for problem in _explained(item["type"], item, model)]


def _explained(kind: str, item: Any, model: "type[BaseModel]") -> Iterator[Problem]:
    path: Path = tuple(step for step in item["loc"] if not str(step).startswith(CHOICE))
    if kind == "faults":
        for at, message in item["ctx"]["faults"]:
            yield Problem(path + at, message)
    elif kind == "extra_forbidden":
        known = known_keys(_model_at(model, path[:-1]))
        hint = " Or put quotes around a text with a comma in it." if item["input"] is None else ""
        instead = _ELSEWHERE.get(str(path[-1])) or nearest(path[-1], known)
        yield Problem(path, f"unknown key. {instead}{hint}")
    else:
        yield Problem(path, _sentence(kind, item))


def _sentence(kind: str, item: Any) -> str:
    given, context = shown(item["input"]), item.get("ctx", {})
    if kind == "literal_error":
        choices = nearest(item["input"], choices_in(context["expected"]))
        return f"{given} is not one of the choices. {choices}"
    if kind == "string_type" and isinstance(item["input"], int | float) and isinstance(item["loc"][-1], int):
        return (
            f"{given} is a number, and a text belongs here. In [...] and {{...}} a comma ends a text: put quotes "
            "around a text with a comma in it, or around a number that is meant as text."
        )
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(given=given, **context)
    return f"{given} cannot be used: {item['msg'][:1].lower()}{item['msg'][1:]}."


def shown(given: object) -> str:
    """Show what was given, shortened."""
    if given is None:
        return "nothing"
    if isinstance(given, dict | list | tuple):
        return "a group of keys" if isinstance(given, dict) else "a list"
    text = repr(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def choices_in(expected: str) -> list[str]:
    """Split pydantic's list of literal choices.

    >>> choices_in("'mean', 'p50' or 'p99'")
    ['mean', 'p50', 'p99']
    """
    return expected.replace("' or '", "', '").strip("'").split("', '")


def known_keys(model: "type[BaseModel]") -> list[str]:
    """Return the keys that a value of this kind has."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: "type[BaseModel]", path: Path) -> "type[BaseModel]":
    for step in path:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if step in fields:
            model = inner_kind(fields[str(step)].annotation) or model
    return model


def inner_kind(annotation: Any) -> "type[BaseModel] | None":
    """Find the value inside ``Value | None`` or ``tuple[Value, ...]``."""
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return annotation
    return next((found for part in get_args(annotation) if (found := inner_kind(part))), None)
