"""Landlock restricts a process to the files that its rules name, without namespaces.

Numbers are those of the kernel's interface, Documentation/userspace-api/landlock.rst.
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from mlsd_helpers.grading.sandbox.namespaces import forbid_new_privileges, syscall

NEEDED = 6
"""The first version of the interface that restricts signals, from Linux 6.12."""

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_ALL_FILES = (1 << 16) - 1
_ALL_NETWORK = 0b11
_ALL_SCOPES = 0b11  # abstract sockets, signals
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OWN = _ALL_FILES & ~(_MAKE_CHAR | _MAKE_BLOCK)
_ON_FILES = _EXECUTE | _READ_FILE | _WRITE_FILE | _TRUNCATE


class _Rules(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Return the version of the interface that the kernel has, or 0."""
    try:
        return syscall(_CREATE, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(*, readable: Iterable[str], listed: Iterable[str], own: str) -> None:
    """Restrict this process and its descendants to the files beneath `readable` and to the folder `own`.

    Folders in `listed` can be listed, but what is in them cannot be read.
    """
    rules = _Rules(_ALL_FILES, _ALL_NETWORK, _ALL_SCOPES)
    handle = syscall(_CREATE, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    for paths, allowed in (
        (readable, _READ),
        (listed, _READ_DIR),
        (("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"), _READ_FILE | _WRITE_FILE),
        ((own,), _OWN),
    ):
        for path in paths:
            if Path(path).exists():
                _allow(handle, path, allowed)
    forbid_new_privileges()
    syscall(_RESTRICT, handle, 0)
    os.close(handle)


def _allow(handle: int, path: str, allowed: int) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        fits = allowed if stat.S_ISDIR(os.fstat(folder).st_mode) else allowed & _ON_FILES
        rule = _Beneath(fits, folder)
        syscall(_ADD, handle, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(folder)
