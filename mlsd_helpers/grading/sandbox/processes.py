"""Finds the processes of a sandbox and measures their memory, by /proc."""

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def number_of(pidfd: int) -> int:
    """Return the process id, in our namespace, of a pidfd."""
    return _field(Path(f"/proc/self/fdinfo/{pidfd}"), "Pid")


def _field(file: Path, name: str) -> int:
    """Read a number from lines such as "VmHWM:  1234 kB". Raises OSError also where it is not there."""
    found = re.search(rf"^{name}:\s*(-?\d+)", file.read_text(errors="replace"), re.MULTILINE)
    if found is None:
        raise OSError(f"{file} does not say {name}")
    return int(found[1])


def family(root: int) -> list[int]:
    """Return a process and its descendants that are alive."""
    children: dict[int, list[int]] = {}
    alive = set()
    for pid, parent, state in _all():
        children.setdefault(parent, []).append(pid)
        if state not in "ZX":
            alive.add(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, ())
    return [pid for pid in found if pid in alive]


def _all() -> Iterator[tuple[int, int, str]]:
    for name in os.listdir(_PROC):  # noqa: PTH208 - many, and often
        if name.isdecimal():
            with contextlib.suppress(OSError, ValueError):  # ended meanwhile
                rest = (_PROC / name / "stat").read_text(errors="replace").rpartition(")")[2].split()
                yield int(name), int(rest[1]), rest[0]


def threads_of(user: int) -> int:
    """Return the number of a user's threads, which is what Linux limits."""
    total = 0
    for name in os.listdir(_PROC):  # noqa: PTH208 - many
        if name.isdecimal():
            with contextlib.suppress(OSError):  # ended meanwhile
                if (_PROC / name).stat().st_uid == user:
                    total += _field(_PROC / name / "status", "Threads")
    return total


def resident(pid: int) -> int:
    """Return the resident memory of a process in bytes, shared pages included, or 0 when it has ended."""
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def proportional(pids: list[int]) -> int:
    """Return the memory of processes together in bytes; a page that n processes share counts 1/n for each."""
    total = 0
    for pid in pids:
        try:
            total += _field(_PROC / str(pid) / "smaps_rollup", "Pss") * 1024
        except OSError:
            total += resident(pid)
    return total


def peak(pid: int) -> int:
    """Return the peak resident memory of a process in bytes, or 0 when it has ended."""
    try:
        return _field(_PROC / str(pid) / "status", "VmHWM") * 1024
    except OSError:
        return 0


def end_below(root: int) -> None:
    """Kill all descendants of a process, also those that start others meanwhile."""
    for _ in range(1_000):
        below = family(root)[1:] if root in family(root) else []
        if not below:
            return
        for pid in below:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
