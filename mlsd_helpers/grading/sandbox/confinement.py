"""What shuts a sandbox off from the machine, and the command that starts a fork server in it.

bubblewrap   namespaces of its own: no network, no process and no file but those that Python needs
landlock     the kernel refuses files, sockets and signals; what is written to disk has no limit in all,
             and a submission can see which files there are, though not what is in them
none         limits only: a submission can read and write what you can

In the first two, seccomp refuses whatever `syscalls` does not list, no sandbox runs as root, and `paths` says what
can be read. SECURITY.md has the promises, and each is tried by the tests.

"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading.sandbox import landlock, paths, syscalls
from mlsd_helpers.grading.sandbox.limits import Limits
from mlsd_helpers.grading.sandbox.namespaces import is_root

OWN = "/sandbox"
"""What a sandbox may write to, in bubblewrap; each sandbox has it empty."""

_TEMPORARY = "/tmp"  # noqa: S108 - Python or the course may be in there, too
_TRY = "from mlsd_helpers.grading.sandbox.inside import try_sandbox; try_sandbox({!r})"
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
            "Only Linux can shut a submission off from this machine. Grade there, in a virtual machine or a container "
            "such as Docker's. `--unsafe` grades here, as nbgrader does: a submission can then read and change what "
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
        "Nothing here can shut a submission off from this machine:\n" + "\n".join(refusals) + "\n"
        "Install bubblewrap (`apt install bubblewrap`), or grade in a container or on Linux 6.12 or newer. "
        "`--unsafe` grades without: a submission can then read and change whatever you can."
    )


def _no_bubblewrap() -> str:
    """Say why bubblewrap does not work here, or nothing."""
    if not shutil.which("bwrap"):
        return "the command `bwrap` is not installed."
    refusal = _refusal("bubblewrap")
    if refusal and Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists():
        refusal += " Ubuntu's AppArmor may refuse it: see containers/bubblewrap#632."
    return refusal


def _no_landlock() -> str:
    """Say why landlock does not work here, or nothing."""
    if landlock.version() < landlock.NEEDED:
        return "it needs Linux 6.12 or newer."
    return _refusal("landlock")


def _refusal(sandbox: str) -> str:
    """Say why this kind of sandbox cannot be opened here, or nothing."""
    if not syscalls.can_refuse():
        return f"which system calls to refuse on {platform.machine()} is not known here, only on x86-64 and 64-bit ARM."
    try:
        tried = subprocess.run(  # noqa: S603 - our own command, no shell
            command(sandbox, _TRY.format(sandbox)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment(),
        )
    except subprocess.TimeoutExpired:
        return "opening a sandbox did not come to an end."
    if tried.returncode == 0:
        return ""
    says = (tried.stderr.strip().splitlines() or ["nothing"])[-1]
    return f"it is refused here; it says: {says}."


def environment(home: str = f"{OWN}/home", temporary: str = f"{OWN}/temporary") -> dict[str, str]:
    """Return all that a sandbox sees of the environment: nothing of ours."""
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {
        "PATH": os.pathsep.join([f"{sys.prefix}/bin", "/usr/bin", "/bin"]),
        "HOME": home,
        "TMPDIR": temporary,
        "USER": "student",
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",  # each thread would reserve memory of its own, which counts to the limit
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

    `hidden` names folders and files that must not be seen, wherever they lie. Raises GradingError where Python itself
    would be hidden with them.
    """
    start = f"import sys; sys.path[:] = {paths.python_path()!r}; {code}"
    python = [sys.executable, "-I", "-c", start, *arguments]
    if sandbox != "bubblewrap":
        return python
    return [shutil.which("bwrap") or "bwrap", *_walls(hidden, limits or Limits()), "--", *python]


def _walls(hidden: Iterable[Path], limits: Limits) -> Iterator[str]:
    yield from (f"--unshare-{name}" for name in ("pid", "net", "ipc", "uts", "cgroup-try"))
    yield from ("--die-with-parent", "--new-session")  # ends with the worker; cannot type into its terminal
    yield from ("--hostname", "sandbox", "--cap-drop", "ALL")
    rights = ["SYS_ADMIN", "SETPCAP", "NET_ADMIN"]  # to open sandboxes; each gives them up
    if is_root():  # its sandboxes become another user, which a namespace with one user has not
        rights += ["SETUID", "SETGID", "CHOWN", "DAC_READ_SEARCH"]
    else:
        yield from ("--unshare-user", "--disable-userns", "--uid", _USER, "--gid", _USER)
    for right in rights:
        yield from ("--cap-add", f"CAP_{right}")
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--size", str(limits.files), "--tmpfs", OWN)
    yield from ("--dir", f"{OWN}/home", "--dir", f"{OWN}/temporary")
    yield from _shown(hidden)
    yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", OWN)


def _shown(hidden: Iterable[Path]) -> Iterator[str]:
    links, shown = paths.walls(hidden)
    if not any(name.is_relative_to(_TEMPORARY) for name in (*links, *shown)):
        yield from ("--symlink", f"{OWN}/temporary", _TEMPORARY)
    for name, aim in links.items():
        yield from ("--symlink", str(aim), str(name))
    for name, real in shown.items():
        for folder in reversed(name.parents):
            outer = next((one for one in (folder, *folder.parents) if one in shown), None)
            if outer is None or (shown[outer] is None and outer != folder):
                yield from ("--dir", str(folder))  # else only we could enter it
        if real is not None:
            yield from ("--ro-bind", str(real), str(name))
        else:
            yield from ("--tmpfs", str(name)) if name.is_dir() else ("--ro-bind", os.devnull, str(name))
    for name, real in shown.items():
        if real is None and name.is_dir():  # and has what was opened in it
            yield from ("--remount-ro", str(name))
