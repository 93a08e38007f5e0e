"""What every part of a design is: a frozen value with ids that are unique and names that resolve."""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from mlsd_helpers.design.problems import LISTED, MOST, Path, UnreadableDesignError, explain, nearest


class Value(BaseModel):
    """A frozen value; what cannot be one is a ``DesignError`` in plain words."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        populate_by_name=True,
        defer_build=True,
        str_strip_whitespace=True,
        use_attribute_docstrings=True,
        json_schema_extra={"patternProperties": {"^x-": {}}},  # notes, which the reader leaves out
    )

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise UnreadableDesignError(type(self).__name__, explain(error, type(self))) from None

    # Pydantic's own mark for "validate nested values directly": an error then keeps its whole field path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def changed(self, **fields: Any) -> Self:
        """Return the value with some fields replaced, and checked again."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | fields)


def printable(text: str) -> str:
    """Refuse characters that an editor would not show."""
    if not all(char.isprintable() or char in "\n\t" for char in text):
        raise ValueError(f"{text[:40]!r} holds characters that cannot be printed. Remove them.")
    return text


class _OneOrMany:
    """Lets a single entry stand for a list of one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]}

    @staticmethod
    def listed(given: object) -> object:
        """Make a list of anything that is none."""
        return given if given is None or isinstance(given, list | tuple) else (given,)


T = TypeVar("T")

Text = Annotated[str, StringConstraints(min_length=1, max_length=4_000), AfterValidator(printable)]
"""A few words or sentences."""
TextOrNumber = Annotated[
    Text,
    BeforeValidator(lambda given: str(given) if type(given) in {int, float} else given),
    WithJsonSchema({"type": ["string", "number"], "minLength": 1, "maxLength": 4_000}),
]
"""Words, or a number that needs no quotes: ``threshold: 0.2``."""
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
"""A short name that other parts refer to: a letter, then letters, digits, ``_`` and ``-``."""
Several = Annotated[tuple[T, ...], _OneOrMany()]
"""A list in which a single entry may stand alone."""

Fault = tuple[Path, str]
"""Where in a part something is wrong, and what."""


def refuse(faults: Iterable[Fault]) -> None:
    """Raise, from within a validator, the faults that no single field shows."""
    if found := tuple(islice(faults, MOST)):
        raise PydanticCustomError("faults", "references", {"faults": found})


def repeated(ids: Iterable[tuple[Path, str]]) -> Iterator[Fault]:
    """Find ids that were used before."""
    seen: set[str] = set()
    for path, given in ids:
        if given in seen:
            yield path, f"the id {given!r} is used twice. Give each its own id."
        seen.add(given)


def ids_of(name: str, values: Iterable[Any]) -> Iterator[tuple[Path, str]]:
    """Pair each id in the list called ``name`` with its place."""
    for position, value in enumerate(values):
        if value.id is not None:
            yield (name, position, "id"), value.id


def step_to(position: int, entry: object) -> str:
    """Return the step of a path that leads to an entry of a list: its id, or its position where it has none.

    >>> step_to(3, object())
    '3'
    """
    return getattr(entry, "id", None) or str(position)


def unresolved(names: Iterable[tuple[Path, str]], known: Collection[str], kind: str) -> Iterator[Fault]:
    """Find names that refer to nothing; ``kind`` says what they should refer to."""
    missing = ((path, given) for path, given in names if given not in known)
    for number, (path, given) in enumerate(missing):
        hint = nearest(given, known) if number < LISTED else ""  # what is not listed need not cost
        yield path, f"there is no {kind} {given!r}. {hint}".strip()
