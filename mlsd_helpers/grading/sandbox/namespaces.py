"""Linux system calls that Python's standard library does not offer, by ctypes."""

import contextlib
import ctypes
import os
import random
import socket
import struct
from functools import cache
from pathlib import Path
from typing import Any

NEWNS, NEWIPC, NEWPID, NEWNET = 0x00020000, 0x08000000, 0x20000000, 0x40000000
_NOSUID, _NODEV, _NOEXEC, _RDONLY, _REC, _PRIVATE = 2, 4, 8, 1, 0x4000, 0x40000
_KEEPCAPS, _CAPBSET_DROP, _NO_NEW_PRIVS, _CAP_AMBIENT, _CHILD_SUBREAPER = 8, 24, 38, 47, 36
_CAP_AMBIENT_RAISE, _CAP_AMBIENT_CLEAR_ALL = 2, 4
_CAPABILITY_VERSION = 0x20080522
_CAPABILITIES = 64
_DAC_READ_SEARCH = 2
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_FREE_USERS = range(61184, 65520)
"""The user ids that systemd reserves for dynamic users."""


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
    """Move this process into new namespaces; a new process namespace applies to later children."""
    if hasattr(os, "unshare"):  # from Python 3.12 on
        os.unshare(namespaces)
    else:
        _call("unshare", ctypes.c_int(namespaces))


def make_mounts_private() -> None:
    """Keep mounts that are made from now on inside this mount namespace."""
    _mount(None, "/", None, _REC | _PRIVATE, None)


def mount_tmpfs(path: str, size: int, *, user: int, writable: bool = True) -> None:
    """Mount an empty tmpfs of a limited size in bytes over a folder; it belongs to a user."""
    flags = _NOSUID | _NODEV | (0 if writable else _RDONLY)
    _mount("tmpfs", path, "tmpfs", flags, f"size={size},nr_inodes=20000,mode=0700,uid={user},gid={user}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _call("mount", *texts[:3], ctypes.c_ulong(flags), texts[3])


def become_subreaper() -> None:
    """Make this process the parent of every descendant whose own parent ends."""
    prctl(_CHILD_SUBREAPER, 1)


def start_loopback() -> None:
    """Start the loopback interface of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        loopback = struct.pack("16sH22x", b"lo", _IFF_UP)
        _call("ioctl", any_socket.fileno(), ctypes.c_ulong(_SIOCSIFFLAGS), loopback)


def is_root() -> bool:
    """Tell whether this is root of the machine, not of a user namespace."""
    try:
        outside = Path("/proc/self/uid_map").read_text(encoding="ascii").split()[1]
    except OSError:
        outside = "0"
    return os.getuid() == 0 and outside == "0"


def sandbox_user() -> int:
    """Return the user id of a sandbox: our own, or for root an unused one."""
    return os.getuid() or random.SystemRandom().choice(_FREE_USERS)


def drop_privileges(user: int) -> None:
    """Give up all capabilities, also in programs that are started; root changes to another user first.

    The kernel's limits do not hold for root, and the devices belong to root. A process that was root keeps the
    capability to read any file, where it has it, since Python may lie below a folder that only root can enter.
    Raises OSError where this is forbidden, as in some containers.
    """
    kept = 0
    if user != os.getuid():
        permitted = (
            ctypes.c_uint32 * 6
        )()  # effective, permitted, inheritable, and again for those from 32 on
        _call("capget", _header(), permitted)
        kept = int(permitted[1]) & 1 << _DAC_READ_SEARCH
        prctl(_KEEPCAPS, 1)
    for number in range(_CAPABILITIES):
        if not kept & 1 << number:
            with contextlib.suppress(OSError):  # past the last one, or without rights to give up
                prctl(_CAPBSET_DROP, number)
    if user != os.getuid():
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    prctl(_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL)
    _call("capset", _header(), (ctypes.c_uint32 * 6)(kept, kept, kept))
    if kept:
        prctl(_CAP_AMBIENT, _CAP_AMBIENT_RAISE, _DAC_READ_SEARCH)
    forbid_new_privileges()


def _header() -> Any:
    return (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)


def forbid_new_privileges() -> None:
    """Forbid this process and its descendants new privileges, such as those of set-user-id programs."""
    prctl(_NO_NEW_PRIVS, 1)
