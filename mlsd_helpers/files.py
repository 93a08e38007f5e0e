"""Atomic writes: a file has its old content or the new one, never a part of it."""

import os
import stat
import tempfile
from pathlib import Path


def write_whole(path: str | Path, content: str | bytes, *, mode: int | None = None) -> Path:
    """Write a file whole, or leave what is there; return its path with links resolved.

    The content is written to a temporary file in the same directory, flushed to the disk, and renamed over the
    target. Text is written as UTF-8 with its line ends as they are. The permission bits of an existing file stay; a
    new file gets `mode`, or those that the umask leaves. Raises ``OSError`` (or ``ValueError`` for a path that no
    file can have) when it cannot, and removes the temporary file.
    """
    path = Path(path).resolve()  # through a link, so that the link stays and its target is replaced
    bits = stat.S_IMODE(path.stat().st_mode) if path.exists() else _usual_mode() if mode is None else mode
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(bits)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return path


def _usual_mode() -> int:
    umask = os.umask(0)  # the only way to read it is to set it
    os.umask(umask)
    return 0o666 & ~umask
