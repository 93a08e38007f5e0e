"""The few system calls of Linux that Python has no name for."""

import contextlib
import ctypes
import os
from functools import cache
from typing import Any

NEWNS, NEWIPC, NEWPID = 0x00020000, 0x08000000, 0x20000000
_NOSUID, _NODEV, _NOEXEC, _RDONLY, _REC, _PRIVATE = 2, 4, 8, 1, 0x4000, 0x40000
_CAPBSET_DROP, _NO_NEW_PRIVS, _CAP_AMBIENT, _CHILD_SUBREAPER = 24, 38, 47, 36
_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION = 0x20080522
_CAPABILITIES = 64


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)  # elsewhere than on Linux there may be none


def _call(name: str, *arguments: Any) -> int:
    returned = int(getattr(_libc(), name)(*arguments))
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return returned


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call that the C library has no name for. Raises OSError."""
    return _call(
        "syscall", *(ctypes.c_long(one) if isinstance(one, int) else one for one in (number, *arguments))
    )


def prctl(option: int, *arguments: int) -> None:
    """Change something about this process. Raises OSError."""
    _call("prctl", option, *map(ctypes.c_ulong, (*arguments, 0, 0, 0, 0)[:4]))


def unshare(namespaces: int) -> None:
    """Leave namespaces for new ones; a new process namespace holds the children to come."""
    if hasattr(os, "unshare"):  # from Python 3.12 on
        os.unshare(namespaces)
    else:
        _call("unshare", ctypes.c_int(namespaces))


def keep_mounts_here() -> None:
    """Let no mount made from here on be seen anywhere else."""
    _mount(None, "/", None, _REC | _PRIVATE, None)


def mount_tmpfs(path: str, size: int, *, writable: bool = True) -> None:
    """Cover a folder with an empty one in memory, of a limited size in bytes."""
    flags = _NOSUID | _NODEV | (0 if writable else _RDONLY)
    _mount("tmpfs", path, "tmpfs", flags, f"size={size},nr_inodes=20000,mode=0700")


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _call("mount", *texts[:3], ctypes.c_ulong(flags), texts[3])


def adopt_orphans() -> None:
    """Become the parent of every process below that loses its own."""
    prctl(_CHILD_SUBREAPER, 1)


def drop_rights() -> None:
    """Give up all capabilities for good, also those that starting another program would bring."""
    for number in range(_CAPABILITIES):
        with contextlib.suppress(OSError):  # past the last that there is
            prctl(_CAPBSET_DROP, number)
    prctl(_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL)
    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())
    keep_from_gaining_rights()


def keep_from_gaining_rights() -> None:
    """See to it that no program started from here has more rights than this one."""
    prctl(_NO_NEW_PRIVS, 1)
