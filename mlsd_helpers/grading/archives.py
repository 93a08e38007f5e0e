"""Reads untrusted folders and zips: no link is followed, no path leads outside, and no file is larger than allowed.

Nothing here writes. A file that must not or cannot be read, such as a link, is yielded with the reason as its
`problem`, or its `read()` raises OSError with the reason; no content of a file raises anything else.
"""

import io
import os
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

MANY = 10_000  # files in one student's archive
_UTF8 = 0x800  # the flag of a member whose name is UTF-8; without it, names are read as code page 437
_LONGEST_NAME = 255  # bytes of a file's or folder's name: no file system takes more
_LONGEST_PATH = 1000  # characters
_LISTED = 1000  # the most bytes of a member's entry in the directory of its archive
_ENTRIES, _BYTES = 4, 5  # where zipfile keeps the number of entries, and the size of that directory


@dataclass(frozen=True)
class DownloadedFile:
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
        """The suffix of its name, in lower case."""
        return PurePosixPath(self.path).suffix.lower()


def files(folder: Path, most_bytes: int) -> Iterator[DownloadedFile]:
    """Yield every file of a folder, or of a zip, in the order of their names."""
    if folder.is_file():
        yield _on_disk(folder, folder.name, most_bytes)
        return
    for directory, below, names in os.walk(folder):
        below.sort()
        for name in sorted([*names, *(one for one in below if Path(directory, one).is_symlink())]):
            path = Path(directory, name)
            yield _on_disk(path, path.relative_to(folder).as_posix(), most_bytes)


def members(
    archive: DownloadedFile, most_bytes: int, most_files: int | None = None
) -> Iterator[DownloadedFile]:
    """Yield the files of a zip. A zip that can't be opened, or has more than `most_files`, is itself yielded.

    The directory of an archive with too many files is not read, which would take time and memory.
    """
    try:
        with _opened(archive, most_files) as inside:
            listed = sorted(inside.infolist(), key=lambda info: info.filename)
    except OSError as error:
        yield replace(archive, problem=f"can't be opened: {error}")
        return
    if most_files is not None and len(listed) > most_files:  # more than the archive claims
        yield replace(archive, problem=_too_many(most_files))
        return
    for info in listed:
        if not info.filename.endswith("/"):
            yield _in_archive(archive, info, most_bytes)


def moment(seconds: float) -> datetime:
    """Return a time in seconds since 1970 as a date; a time outside the range of dates becomes 1970."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


@contextmanager
def _opened(archive: DownloadedFile, most_files: int | None = None) -> Iterator[ZipFile]:
    """Open a zip while it is read, so that nested archives are not in memory all at once."""
    try:
        with archive.disk.open("rb") if archive.disk else io.BytesIO(archive.read()) as file:
            if most_files is not None:
                _refuse_long_list(file, most_files)
            with ZipFile(file) as inside:
                yield inside
    except OSError:
        raise
    except Exception as error:  # zipfile may raise any error on a damaged archive, such as struct.error
        raise OSError(str(error) or type(error).__name__) from error


def _refuse_long_list(file: io.BufferedIOBase, most_files: int) -> None:
    """Raise OSError where the directory of an archive is too long; ZipFile would read all of it at once."""
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to ask
    if end and (end[_ENTRIES] > most_files or end[_BYTES] > most_files * _LISTED):
        raise OSError(_too_many(most_files))


def _on_disk(path: Path, name: str, most_bytes: int) -> DownloadedFile:
    try:
        kind = path.lstat()
    except OSError as error:
        return DownloadedFile(name, name, moment(0), problem=str(error))
    at = moment(kind.st_mtime)
    if not stat.S_ISREG(kind.st_mode):
        what = "a link, and not followed" if stat.S_ISLNK(kind.st_mode) else "no regular file"
        return DownloadedFile(name, name, at, problem=what)
    found = DownloadedFile(name, name, at, path.read_bytes, disk=path)
    # The limit is for single files; the archive of a whole class may be larger.
    too_large = found.suffix != ".zip" and kind.st_size > most_bytes
    return replace(found, problem=_too_large(most_bytes)) if too_large else found


def _in_archive(archive: DownloadedFile, info: ZipInfo, most_bytes: int) -> DownloadedFile:
    path = _name(info).replace("\\", "/")
    problem = _problem(path, info, most_bytes)

    def read() -> bytes:
        with _opened(archive) as inside, inside.open(info) as file:
            return file.read(info.file_size)  # not more than the size that was checked

    shown = path if len(path) <= _LONGEST_NAME else f"{path[:_LONGEST_NAME]}…"
    return DownloadedFile(f"{archive.name}/{shown}", path, _written_at(info), read, problem)


def _problem(path: str, info: ZipInfo, most_bytes: int) -> str:
    """Return why a member must not be read, or ""."""
    parts = path.split("/")
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link, and not followed"
    if ".." in parts or not parts[0] or parts[0].endswith(":"):
        return "a path that leads out of the archive, or an empty one"
    if len(path) > _LONGEST_PATH or any(len(part.encode(errors="replace")) > _LONGEST_NAME for part in parts):
        return f"a name of more than {_LONGEST_NAME} bytes, or a path of more than {_LONGEST_PATH} characters"
    if info.file_size > most_bytes:
        return _too_large(most_bytes)
    # zipfile decompresses other methods without a limit, and no LMS or file manager uses them by default.
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "compressed with a rare method: only deflate is read; zip it again"
    return ""


def _name(info: ZipInfo) -> str:
    """Return a member's name; archives of macOS have UTF-8 names without the flag for it."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _written_at(info: ZipInfo) -> datetime:
    """Return when a member was written, in the time zone of this machine, since archives have none."""
    try:
        return moment(time.mktime((*info.date_time, 0, 0, -1)))
    except (OverflowError, ValueError):
        return moment(0)


def _too_many(most_files: int) -> str:
    return f"more than {max(most_files, 0):,} files"


def _too_large(most_bytes: int) -> str:
    return f"larger than {most_bytes / 1e6:g} MB"
