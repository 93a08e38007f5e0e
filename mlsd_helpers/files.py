"""Atomic writes: a file has its old content or the new one, never a part of it."""

import os
import stat
import tempfile
from pathlib import Path


def write_whole(path: str | Path, content: str | bytes, *, mode: int | None = None) -> Path:
    """Write a file atomically, and return its path with links resolved.

    The content is written to a temporary file in the same directory, flushed to the disk, and renamed over the
    target. Text is written as UTF-8 with its line ends unchanged. An existing file keeps its permission bits; a new
    file gets `mode`, or the bits that the umask allows. Raises ``OSError`` (or ``ValueError`` for a path that no
    file can have) when it cannot, and removes the temporary file.
    """
    path = Path(path).resolve()  # through a link, so that the link stays and its target is replaced
    if path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
    elif mode is None:
        umask = os.umask(0)  # the only way to read it is to set it
        os.umask(umask)
        mode = 0o666 & ~umask
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return path
