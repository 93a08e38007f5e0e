"""Read an untrusted submission once from submitted/.

Files that cannot be read, or exceed a limit, are left out and listed, so that they fail no other submission. This
module writes nothing, so an OSError in the rest of grading concerns the course's own folders.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbgrader import utils

from mlsd_helpers.grading.restore import is_link, is_plain_file
from mlsd_helpers.grading.sandbox.codec import clean

MOST_FILES = 200
"""Files beside the notebook that its code can read."""

MOST_BYTES = 64 * 2**20
"""Bytes of these files together; the same as in a sandbox."""

TIME_FILE = "timestamp.txt"
"""The file with the time of submission, as nbgrader writes it."""

Stamp = tuple[tuple[str, int, int, int, int], ...]
"""Of each file of a submission: its relative path, inode, size, and the times of its last change."""

_MOST_ENTRIES = 20_000  # of the folder
_LONGEST = 200  # bytes of a path below the folder


@dataclass(frozen=True)
class Submission:
    """A submission as it was read.

    `digest` changes with any file; `files` are those beside the notebook, by relative path; `notes` tell student and
    instructor which were left out and why; `links` are the names of links among these.
    """

    folder: Path
    digest: str
    files: Mapping[str, bytes]
    notes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    handed_in_at: datetime | None = None

    def notebook(self, name: str, expected: set[str]) -> tuple[Path, str, str]:
        """Return the file of a notebook: the one of its name, or the only one there, as "name (1).ipynb".

        Return also a note for the instructor, and for the student why there is no notebook.
        """
        path = self.folder / f"{name}.ipynb"
        if is_link(self.folder):
            return self.folder, "the folder is a link, not followed", ""
        if os.path.lexists(path):
            return path, "" if is_plain_file(path) else f"{path.name} is a link or no file, not read", ""
        others: list[Path] = []
        with suppress(OSError):
            others = sorted(self.folder.glob("*.ipynb"))
        others = [one for one in others if one.stem not in expected and is_plain_file(one)]
        others = [one for one in others if one.stem.startswith(name)] or others
        if len(expected) == 1 and len(others) == 1:
            return others[0], f"{shown(others[0].name)}: taken for {path.name}", ""
        there = f" There is {', '.join(shown(one.name) for one in others[:5])}." if others else ""
        why = f" What is there was left out: {self.notes[0]}." if self.notes and not there else ""
        return (
            path,
            f"{path.name}: not handed in.{there}",
            f"There is no {path.name} in what was handed in.{there or why}",
        )


def read(folder: Path) -> Submission:
    """Read a submission's folder, whatever it contains; problems become notes."""
    digest = hashlib.sha256()
    files: dict[str, bytes] = {}
    notes: list[str] = []
    links = [shown(folder.name)] if is_link(folder) else []
    left = MOST_BYTES
    handed_in_at = None
    for name, path, problem in _entries(folder):
        digest.update(name.encode() + b"\0")
        if problem:
            notes.append(f"{shown(name)}: {problem}")
            links += [shown(name)] if problem == _LINK else []
            continue
        try:
            size = path.stat().st_size
            digest.update(str(size).encode() + b"\0")
            if name == TIME_FILE:
                content = _start_of(path, 200)
                handed_in_at = _time(content)
            elif name.endswith(".ipynb"):
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
                continue
            elif len(files) >= MOST_FILES or size > left:
                notes.append(f"{shown(name)}: too large or too many files")
                continue
            else:
                content = _start_of(path, left)
        except OSError as error:
            notes.append(f"{shown(name)}: cannot be read ({error.strerror})")
            continue
        except (ValueError, ArithmeticError):
            notes.append(f"{name}: holds no time")
            continue
        digest.update(content)
        files[name] = content
        left -= len(content)
    return Submission(folder, digest.hexdigest()[:16], files, tuple(notes), tuple(links), handed_in_at)


def stamp(folder: Path) -> Stamp:
    """Return what changes whenever a file below a folder changes, from the file system's records alone.

    The time of a file's last change (ctime) is among them, which no copy and no student can choose.
    """
    found = []
    for name, path, _ in _entries(folder):
        with suppress(OSError):
            about = path.lstat()
            found.append((name, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
    return tuple(found)


def shown(name: str) -> str:
    """Return a file's name as one printable line of at most 100 characters."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in clean(name))
    return text if len(text) <= 100 else f"{text[:99]}…"


_LINK = "a link"


def _entries(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield the files below a folder, sorted: relative path, path, and why it is not read, or an empty text."""
    if is_link(folder):
        return
    unread: list[OSError] = []
    seen = 0
    for place, folders, names in os.walk(folder, onerror=unread.append, followlinks=False):
        for error in unread:
            yield _relative(Path(error.filename), folder), folder, f"cannot be read ({error.strerror})"
        unread.clear()
        linked = {name for name in folders if is_link(Path(place, name))}
        folders[:] = sorted(one for one in set(folders) - linked - {"__pycache__"} if not one.startswith("."))
        for name in sorted({*names, *linked}):
            seen += 1
            if seen > _MOST_ENTRIES:
                yield "…", folder, f"more than {_MOST_ENTRIES:,} files; the rest"
                return
            path = Path(place, name)
            yield _relative(path, folder), path, _problem(path, folder)
    for error in unread:
        yield _relative(Path(error.filename), folder), folder, f"cannot be read ({error.strerror})"


def _relative(path: Path, folder: Path) -> str:
    return clean(path.relative_to(folder).as_posix()) if path != folder else "the folder"


def _problem(path: Path, folder: Path) -> str:
    if is_link(path):
        return _LINK
    if not is_plain_file(path):
        return "no plain file"
    inside = path.relative_to(folder).as_posix()
    if clean(inside) != inside:
        return "its name is not UTF-8"
    return "its path is too long" if len(os.fsencode(inside)) > _LONGEST else ""


def _start_of(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _time(content: bytes) -> datetime | None:
    """Return the time of a timestamp.txt. Raises ValueError for a text that nbgrader cannot read either."""
    text = content.decode().strip()
    if len(text) >= 100:
        raise ValueError(text)
    return utils.parse_utc(text) if text else None
