"""Save a document: overwrite a generated document that nobody changed, and refuse to overwrite anything else."""

from hashlib import sha256
from pathlib import Path

from mlsd_helpers.errors import DesignError
from mlsd_helpers.files import write_whole

_MARK = "<!-- Written by `mlsd document`. Change the design, not this file. {digest} -->\n\n"


def marked(text: str) -> str:
    """Put a first line before a document, with a digest that shows later changes."""
    return _MARK.format(digest=sha256(text.encode()).hexdigest()[:16]) + text


def is_as_written(text: str) -> bool:
    """Return whether a document matches the digest in its first line."""
    return text == marked(text.partition("\n\n")[2])


def save(text: str, path: Path) -> Path:
    """Write a document to a file in one atomic step, and return the file's path.

    Raises ``DesignError`` when the file exists and is not an unchanged generated document, or cannot be written.
    """
    try:
        path = path.resolve()
        if path.is_dir():
            raise DesignError(f"{path} is a folder. Name a file, such as {path / 'design.md'}.")
        if path.exists() and not is_as_written(path.read_text(encoding="utf-8", errors="replace")):
            raise DesignError(
                f"{path} is not a document as `mlsd document` wrote it, and stays as it is. "
                "Write to another file, or move this one away."
            )
        return write_whole(path, text)
    except (OSError, ValueError) as error:
        if isinstance(error, DesignError):
            raise
        raise DesignError(f"{path} cannot be written: {error}. Choose a folder you may write in.") from None
