"""Write parts of a design into its file, and show the lines that this changed."""

from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlsd_helpers.cases import PARTS, carry_on, load, names
from mlsd_helpers.design import Design, load_design

_MOST_LINES = 40
_WORKED = "the worked case"


@dataclass(frozen=True)
class Changes:
    """The lines of a file that writing it changed: `-` before one that went, `+` before one that came.

    `file` is the file's name, and `beside` what its lines were compared with: the file as it was, or the worked case.
    Of the worked case no line is told that the file does not have: a learner may not have found it yet.
    """

    file: str
    beside: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        """Return the changed lines under a sentence that says what they were compared with."""
        if not self.lines:
            return f"{self.file}: no line differs from {self.beside}."
        shown = self.lines[:_MOST_LINES]
        more = len(self.lines) - len(shown)
        rest = [f"… and {more} more"] if more else []
        return "\n".join([f"{self.file}, what differs from {self.beside}:", *shown, *rest])

    __repr__ = __str__


def write(path: str | Path, **parts: Any) -> Changes:
    """Write parts of a design, such as ``requirements``, into its file, and return the lines that this changed.

    What the file held before is kept in the folder `history` beside it. A file named after a worked case gets that
    case's earlier parts where it has none yet; a part that is new in it is compared with the worked case's. Raises
    ``DesignError`` for a file that cannot be read or written, and for parts that do not fit.
    """
    path = Path(path)
    before, beside = path.read_text(encoding="utf-8") if path.exists() else "", "before"
    mine = load_design(path) if path.exists() else None
    if path.stem in names():
        first = next((part for part in PARTS if part in parts), PARTS[0])
        design, worked = carry_on(path, until=first), load(path.stem)
        new = {
            part: getattr(worked, part)
            for part in PARTS
            if part in parts and getattr(mine, part, None) is None
        }
        if new or mine is None:
            before, beside = _saved(before, path.name, design.with_part(**new)), _WORKED
    else:
        design = mine or Design(name="My system")
    design = design.with_part(**parts)
    design.save(path, replace=True)
    after = path.read_text(encoding="utf-8") if path.exists() else design.to_yaml()
    compared = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))
    told = ("+",) if beside == _WORKED else ("-", "+")
    return Changes(path.name, beside, tuple(line for line in compared[2:] if line.startswith(told)))


def _saved(before: str, name: str, design: Design) -> str:
    """Return what a file would hold after a design was saved over what it held before."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        if before:
            path.write_text(before, encoding="utf-8")
        design.save(path, replace=True)
        return path.read_text(encoding="utf-8")
