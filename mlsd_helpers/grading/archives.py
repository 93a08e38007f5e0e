"""The files of a folder or zip that came from elsewhere: each one named, none followed out of it, none too large.

Nothing here writes. A file that must not be read, such as a link, is yielded with the reason as its `problem`.
"""

import io
import os
import stat
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

_MANY = 10_000  # members of one archive
_UTF8 = 0x800  # the flag of a member whose name is UTF-8; without it, names are read as code page 437


@dataclass(frozen=True)
class Found:
    """A file: its name below the folder, its path in the innermost archive, and when it was last written.

    `read()` returns its bytes; it raises OSError where they can't be had, with the reason.
    """

    name: str
    path: str
    at: datetime
    read: Callable[[], bytes] = field(repr=False, default=bytes)
    problem: str = ""
    disk: Path | None = None

    @property
    def suffix(self) -> str:
        """The ending of its name, in small letters."""
        return PurePosixPath(self.path).suffix.lower()


def files(folder: Path, most_bytes: int) -> Iterator[Found]:
    """Yield every file of a folder, or of a zip, in the order of their names."""
    if folder.is_file():
        yield _on_disk(folder, folder.name, most_bytes)
        return
    for directory, below, names in os.walk(folder):
        below.sort()
        for name in sorted([*names, *(one for one in below if Path(directory, one).is_symlink())]):
            path = Path(directory, name)
            yield _on_disk(path, path.relative_to(folder).as_posix(), most_bytes)


def members(archive: Found, most_bytes: int) -> Iterator[Found]:
    """Yield the files of a zip; one that can't be opened yields itself with the problem."""
    try:
        with _opened(archive) as inside:
            listed = sorted(inside.infolist(), key=lambda info: info.filename)
    except OSError as error:
        yield replace(archive, problem=f"can't be opened: {error}")
        return
    if len(listed) > _MANY:
        yield replace(archive, problem=f"more than {_MANY:,} files in one archive")
        return
    for info in listed:
        if not info.is_dir():
            yield _in_archive(archive, info, most_bytes)


@contextmanager
def _opened(archive: Found) -> Iterator[ZipFile]:
    """Open a zip for as long as one reads: a class's nested archives need not be in memory at once."""
    try:
        with ZipFile(archive.disk or io.BytesIO(archive.read())) as inside:
            yield inside
    except (BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise OSError(str(error)) from error


def _on_disk(path: Path, name: str, most_bytes: int) -> Found:
    kind = path.lstat()
    at = datetime.fromtimestamp(kind.st_mtime, UTC)
    if not stat.S_ISREG(kind.st_mode):
        what = "a link, and not followed" if stat.S_ISLNK(kind.st_mode) else "no regular file"
        return Found(name, name, at, problem=what)
    found = Found(name, name, at, path.read_bytes, disk=path)
    # An archive of a whole class may well be larger than anything in it.
    return (
        found
        if found.suffix == ".zip" or kind.st_size <= most_bytes
        else replace(found, problem=_too_large(most_bytes))
    )


def _in_archive(archive: Found, info: ZipInfo, most_bytes: int) -> Found:
    path = _name(info).replace("\\", "/")
    parts = path.split("/")
    problem = ""
    if stat.S_ISLNK(info.external_attr >> 16):
        problem = "a link, and not followed"
    elif ".." in parts or not parts[0] or parts[0].endswith(":"):
        problem = "a path that leads out of the archive"

    def read() -> bytes:
        with _opened(archive) as inside, inside.open(info) as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise OSError(_too_large(most_bytes))
        return content

    return Found(f"{archive.name}/{path}", path, _written_at(info), read, problem)


def _name(info: ZipInfo) -> str:
    """Return a member's name; archives of macOS hold UTF-8 and don't say so."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _written_at(info: ZipInfo) -> datetime:
    """Return when a member was written, in the zone of this machine: an archive has no zone."""
    try:
        return datetime.fromtimestamp(time.mktime((*info.date_time, 0, 0, -1)), UTC)
    except (OverflowError, ValueError):
        return datetime.fromtimestamp(0, UTC)


def _too_large(most_bytes: int) -> str:
    return f"larger than {most_bytes / 1e6:g} MB"
