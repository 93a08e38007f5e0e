"""A document to a file: one that nobody changed is written again, anything else stays as it is."""

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from mlsd_helpers.errors import DesignError

_MARK = "<!-- Written by `mlsd document`. Change the design, not this file. {digest} -->\n\n"


def marked(text: str) -> str:
    """Put a line before a document by which it can be told whether somebody changed it since."""
    return _MARK.format(digest=sha256(text.encode()).hexdigest()[:16]) + text


def is_as_written(text: str) -> bool:
    """Say whether a document is exactly as it was written."""
    return text == marked(text.partition("\n\n")[2])


def save(text: str, path: Path) -> Path:
    """Write a document to a file, all or nothing, and return where it lies.

    Raises ``DesignError`` when the file holds anything but a document that is as it was written.
    """
    try:
        path = path.resolve()  # through a link, so that the file is replaced and not the link
        if path.is_dir():
            raise DesignError(f"{path} is a folder. Name a file, such as {path / 'design.md'}.")
        if path.exists() and not is_as_written(path.read_text(encoding="utf-8", errors="replace")):
            raise DesignError(
                f"{path} is not a document as `mlsd document` wrote it, and stays as it is. "
                "Write to another file, or move this one away."
            )
        _write(path, text)
    except (OSError, ValueError) as error:
        if isinstance(error, DesignError):
            raise
        raise DesignError(f"{path} cannot be written: {error}. Choose a folder you may write in.") from None
    return path


def _write(path: Path, text: str) -> None:
    """Write beside the file, then move into its place in one step."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        beside.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
