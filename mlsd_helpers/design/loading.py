"""A value from a YAML file, or an error that says what to mend."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mlsd_helpers.errors import DesignError
from mlsd_helpers.printable import one_line

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mlsd_helpers.design.reading import Lines

T = TypeVar("T", bound="BaseModel")

LARGEST_FILE = 5 * 1024 * 1024  # bytes; a design of 10,000 components has about 2 MB


def load(kind: type[T], path: str | Path) -> tuple[T, "Lines"]:
    """Read a value of a kind, and where each of its fields stands in the file."""
    from mlsd_helpers.design.reading import parse  # noqa: PLC0415 - loads PyYAML

    return parse(kind, _text(Path(path)), one_line(path))


def _text(path: Path) -> str:
    name = one_line(path)
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder above must not be read
        raise DesignError(
            f"{name} is a folder. Name the file in it, such as {one_line(path / 'design.yaml')}."
        )
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise DesignError(f"There is no file {name}. Check the name and the folder you are in.") from None
    except (OSError, ValueError) as error:
        raise DesignError(f"{name} cannot be read: {error}. Check the name and your permissions.") from None
    if len(content) > LARGEST_FILE:
        raise DesignError(
            f"{name} is larger than {LARGEST_FILE >> 20} MB. A design is text of a few kB: split it, or take out what "
            "is no design."
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DesignError(f"{name} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None
