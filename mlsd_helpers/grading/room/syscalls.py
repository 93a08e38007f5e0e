"""A filter on what a room may ask of the kernel: seccomp, in the form that prctl takes."""

import ctypes
import errno
import platform

from mlsd_helpers.grading.room.namespaces import prctl

# Number on x86-64, and on 64-bit ARM.
_REFUSED = {
    # memory that no limit of ours counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    # keys, which one room could leave for the next
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # parts of the kernel that no answer needs and that had holes before
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "perf_event_open": (298, 241),
    "ptrace": (101, 117),
    "userfaultfd": (323, 282),
}
_SOCKET = (41, 198)
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000  # numbers from here on are x86-64's second set of the same calls

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # where they stand in what the filter sees
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_SET_SECCOMP, _MODE_FILTER = 22, 2


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def can_refuse() -> bool:
    """Tell whether the numbers of this machine's system calls are known here."""
    return platform.machine() in _ARCHITECTURES


def refuse(*, sockets: bool) -> None:
    """Refuse from now on the calls that no answer needs, and all sockets that could reach another process."""
    if not can_refuse():
        return
    column, architecture = _ARCHITECTURES[platform.machine()]
    numbers = [both[column] for both in (*_REFUSED.values(), *([_SOCKET] if sockets else []))]
    tests = [(_EQUAL, number) for number in numbers] + ([(_AT_LEAST, _X32)] if column == 0 else [])
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 0, len(tests) + 2, architecture), (_LOAD, 0, 0, _NUMBER)]
    steps += [(code, len(tests) - at, 0, number) for at, (code, number) in enumerate(tests)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERROR | errno.EPERM)]
    program = _Program(len(steps), (_Step * len(steps))(*(_Step(*step) for step in steps)))
    prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program))
