"""Writes a value, such as a design, as YAML text and to a file, without loss of the file's earlier content."""

import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

import yaml

from mlsd_helpers.design.editing import Editor, NotEditableError, with_notes
from mlsd_helpers.design.loading import load
from mlsd_helpers.design.reading import Node, parse, plain
from mlsd_helpers.design.value import Value
from mlsd_helpers.errors import DesignError
from mlsd_helpers.files import write_whole

HISTORY = "history"  # the folder beside a design that keeps what was replaced
HEADER = "# A design for an ML system. `mlsd check` reads this file and says what is missing.\n"
_WIDTH = 110  # columns; what Python needs more than this for does not go on one line


class _Writer(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes words that would read as something else in quotes, and short lists on one line."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write everything out."""
        return True


class _Inline(_Writer):
    """Writes everything on one line."""


class _Row(dict[str, Any]):
    """An entry of a list that fits on one line."""


def _text(writer: Any, text: str) -> Any:
    # In quotes wherever the reader would see a number, true, false or nothing.
    style = "|" if "\n" in text else None if plain(text) == text else "'"
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(writer: Any, entries: list[Any]) -> Any:
    rows = [
        _Row(entry) if isinstance(entry, dict) and _short(entry, entry.values()) else entry
        for entry in entries
    ]
    return writer.represent_sequence("tag:yaml.org,2002:seq", rows, flow_style=_short(entries, entries))


def _short(whole: Any, values: Iterable[Any]) -> bool:
    return len(str(whole)) < _WIDTH and all(isinstance(value, str | int | float) for value in values)


_Writer.add_representer(str, _text)
_Writer.add_representer(list, _list)
_Writer.add_representer(
    _Row, lambda writer, row: writer.represent_mapping("tag:yaml.org,2002:map", row.items(), flow_style=True)
)
_Inline.add_representer(list, yaml.SafeDumper.represent_list)


def to_yaml(value: Value) -> str:
    """Write a value as YAML text, keys in their usual order, without what is left at its default."""
    return HEADER + _block(_fields(value))


def save(design: Value, path: Path, *, replace: bool) -> Path:
    """Write the design to a file; see ``Design.save``."""
    if os.environ.get(
        "NBGRADER_VALIDATING"
    ):  # somebody pressed Validate: that runs the notebook, and changes no file
        return path.resolve()
    try:
        path = path.resolve()
        text = to_yaml(design)
        if path.exists():
            try:
                before, lines = load(type(design), path)
            except DesignError:
                _keep(path, replace=replace)
            else:
                if _fields(before) == _fields(design):  # values in two currencies are equal as numbers
                    return path
                _keep(path, replace=replace)
                text = edited(path.read_bytes().decode(), lines.root, before, design)
        return write_whole(path, text)
    except (OSError, ValueError) as error:
        if isinstance(error, DesignError):
            raise
        raise DesignError(f"{path} cannot be written: {error}. Choose a folder you may write in.") from None


def edited(text: str, root: Node, before: Value, after: Value) -> str:
    """Return the text changed from one value to another; where that fails, the value and the text's ``x-`` keys."""
    try:
        new = Editor(text, _block, _inline).edited(root, _fields(before), _fields(after))
        if "\r\n" in text:
            new = new.replace("\r\n", "\n").replace("\n", "\r\n")
        if _fields(parse(type(after), new, "the edited text")[0]) == _fields(after):
            return new  # else an alias has changed with its anchor
    except (NotEditableError, DesignError):
        pass
    return HEADER + _block(with_notes(_fields(after), root))


def _fields(value: Value) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _block(plain_value: Any) -> str:
    return str(yaml.dump(plain_value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=_WIDTH))


def _inline(plain_value: Any) -> str:
    """Write a value within one line, also between brackets."""
    text = yaml.dump(
        [plain_value],
        Dumper=_Inline,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=1_000_000,  # columns
    )
    return str(text).rstrip("\n")[1:-1]


def _keep(path: Path, *, replace: bool) -> None:
    """Copy the existing file to a backup beside it, or raise DesignError."""
    if path.is_dir():
        raise DesignError(f"{path} is a folder. Name a file, such as {path / 'design.yaml'}.")
    if not replace:
        raise DesignError(
            f"{path} holds something else. Save under another name, or pass replace=True: "
            f"what is there is then kept in the folder {HISTORY}/."
        )
    history = path.parent / HISTORY
    history.mkdir(exist_ok=True)
    kept = list(history.glob(f"{path.stem} *{path.suffix}"))
    if path.read_bytes() not in (one.read_bytes() for one in kept):
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone()
        name = f"{path.stem} {written:%Y-%m-%d %H.%M.%S}"
        later = (f"{name} ({n})" for n in count(2))
        free = (history / f"{one}{path.suffix}" for one in chain([name], later))
        shutil.copy2(path, next(one for one in free if not one.exists()))
