"""What shuts a room off from the machine, and the command that starts a warm parent in it.

bubblewrap   namespaces of its own: no network, no process and no file but those that Python needs
landlock     the kernel refuses files, sockets and signals; what is written to disk has no limit in all,
             and a hand-in can see which files there are, though not what is in them
none         limits only: a hand-in can read and write what you can

"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import mlsd_helpers
from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading.room import landlock, syscalls
from mlsd_helpers.grading.room.limits import Limits

PACKAGE = Path(mlsd_helpers.__file__).parent
MASKED = tuple(PACKAGE / name for name in ("exercises", "_course"))
"""The reference answers, and the course with its student versions."""

OWN = "/room"
"""What a room may write to, in bubblewrap; each room has it empty."""

_TEMPORARY = "/tmp"  # noqa: S108 - Python or the course may be in there, too
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime")
_TRY = "from mlsd_helpers.grading.room.inside import try_sandbox; try_sandbox()"
_USER = "1000"  # not 0, which programs treat in ways of their own


def choose_sandbox(*, unsafe: bool = False) -> str:
    """Return the best sandbox that works here: "bubblewrap" or "landlock".

    Where there is none and `unsafe` allows it, it is "none", or "stock" where no warm process can be forked, as on
    Windows and macOS: nbgrader's own kernels.

    Raises GradingError where there is none; the message says why and what to do.
    """
    if sys.platform != "linux":
        if unsafe:
            return "stock"
        raise GradingError(
            "Only Linux can shut a hand-in off from this machine. Grade there, in a virtual machine or a container "
            "such as Docker's. `--unsafe` grades here, as nbgrader does: a hand-in can then read and change whatever "
            "you can, its own score too."
        )
    refusals = []
    for sandbox, why_not in (("bubblewrap", _no_bubblewrap), ("landlock", _no_landlock)):
        refusal = why_not()
        if not refusal:
            return sandbox
        refusals.append(f"- {sandbox}: {refusal}")
    if unsafe:
        return "none"
    raise GradingError(
        "Nothing here can shut a hand-in off from this machine:\n" + "\n".join(refusals) + "\n"
        "Install bubblewrap (`apt install bubblewrap`), or grade in a container or on Linux 6.12 or newer. "
        "`--unsafe` grades without: a hand-in can then read and change whatever you can."
    )


def _no_bubblewrap() -> str:
    """Say why bubblewrap does not work here, or nothing."""
    if not shutil.which("bwrap"):
        return "the command `bwrap` is not installed."
    try:
        tried = subprocess.run(  # noqa: S603 - our own command, no shell
            command("bubblewrap", _TRY),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment(),
        )
    except subprocess.TimeoutExpired:
        return "`bwrap` did not come to an end."
    if tried.returncode == 0:
        return ""
    says = (tried.stderr.strip().splitlines() or ["nothing"])[-1]
    hint = (
        " Ubuntu's AppArmor may refuse it: see containers/bubblewrap#632."
        if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists()
        else ""
    )
    return f"`bwrap` is refused here; it says: {says}.{hint}"


def _no_landlock() -> str:
    """Say why landlock does not work here, or nothing."""
    if landlock.version() < landlock.NEEDED:
        return "it needs Linux 6.12 or newer."
    return "" if syscalls.can_refuse() else f"how to close sockets on {platform.machine()} is not known here."


def environment(home: str = f"{OWN}/home", temporary: str = f"{OWN}/temporary") -> dict[str, str]:
    """Return all that a room sees of the environment: nothing of ours."""
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {
        "PATH": os.pathsep.join([f"{sys.prefix}/bin", "/usr/bin", "/bin"]),
        "HOME": home,
        "TMPDIR": temporary,
        "USER": "student",
        "LANG": "C.UTF-8",
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # as a kernel sets it
        **dict.fromkeys(one_thread, "1"),  # a fork copies only one
    }


def command(
    sandbox: str,
    code: str,
    arguments: Sequence[str] = (),
    *,
    hidden: Iterable[Path] = (),
    limits: Limits | None = None,
) -> list[str]:
    """Return the command that runs a line of Python in a sandbox, where it can import what we can.

    `hidden` names folders that must not be seen, wherever they lie.
    """
    trees = tuple(dict.fromkeys(_trees()))
    path = [one for one in map(Path, sys.path) if any(one.is_relative_to(tree) for tree in trees)]
    where = [*map(str, dict.fromkeys(path)), str(PACKAGE.parent)]
    start = f"import sys; sys.path[:] = {where!r}; {code}"
    python = [sys.executable, "-I", "-c", start, *arguments]
    if sandbox != "bubblewrap":
        return python
    return [
        shutil.which("bwrap") or "bwrap",
        *_walls(trees, (*MASKED, *hidden), limits or Limits()),
        "--",
        *python,
    ]


def readable(hidden: Iterable[Path] = ()) -> tuple[list[str], list[str]]:
    """Return what landlock lets a room read: whole paths, and folders of which only the names."""
    masked = [path.resolve() for path in (*MASKED, *hidden)]
    whole: list[Path] = []
    listed: list[Path] = []
    starts = [*map(Path, _SYSTEM), *(Path("/etc", name) for name in _ETC), *_trees(), PACKAGE]
    open_ones = [start.resolve() for start in starts]
    for path in open_ones:
        if any(path.is_relative_to(mask) for mask in masked):
            continue
        if any(mask.is_relative_to(path) for mask in masked):
            listed.append(path)
            open_ones += (child for child in path.iterdir() if not child.is_symlink())
        else:
            whole.append(path)
    return list(map(str, dict.fromkeys(whole))), list(map(str, listed))


def _trees() -> Iterator[Path]:
    """Yield the folders that Python and its packages are in; a virtual environment has links to another one."""
    yield from (Path(sys.prefix), Path(sys.base_prefix))
    yield from (Path(one) for one in sys.path if Path(one).name in {"site-packages", "dist-packages"})
    yield from (link.parent.parent for link in _links(Path(sys.executable)) if link.parent.name == "bin")


def _links(path: Path) -> Iterator[Path]:
    yield path
    while path.is_symlink():
        path = path.parent / path.readlink()
        yield path


def _walls(trees: Iterable[Path], masked: Iterable[Path], limits: Limits) -> Iterator[str]:
    yield from (f"--unshare-{name}" for name in ("user", "pid", "net", "ipc", "uts", "cgroup-try"))
    yield from ("--disable-userns",)  # a hand-in must not become root of a namespace of its own
    yield from ("--die-with-parent", "--new-session")  # ends with the worker; cannot type into its terminal
    yield from ("--uid", _USER, "--gid", _USER, "--hostname", "room")
    yield from ("--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP")  # to open rooms; each gives them up
    for folder in map(Path, _SYSTEM):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.exists():
            yield from ("--ro-bind", str(folder), str(folder))
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from (
        "--size",
        str(limits.files),
        "--tmpfs",
        OWN,
        "--dir",
        f"{OWN}/home",
        "--dir",
        f"{OWN}/temporary",
    )
    if not any(tree.is_relative_to(_TEMPORARY) for tree in [*trees, PACKAGE]):
        yield from ("--symlink", f"{OWN}/temporary", _TEMPORARY)
    for tree in [*trees, PACKAGE]:
        if not str(tree).startswith("/usr"):
            yield from ("--ro-bind", str(tree), str(tree))
    for folder in masked:
        if folder.exists() and any(folder.is_relative_to(tree) for tree in [*trees, PACKAGE]):
            yield from ("--tmpfs", str(folder), "--remount-ro", str(folder))
    yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", OWN)
