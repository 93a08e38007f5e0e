"""Chooses the kind of sandbox that works here, and builds the command that starts a fork server in it.

bubblewrap   namespaces of its own: no network, no process and no file but those that Python needs
landlock     the kernel refuses files, sockets and signals; the total written to disk has no limit,
             and a submission can list files that it cannot read
none         limits only: a submission can read and write what you can

In the first two, seccomp refuses every system call that `syscalls` does not list, no sandbox runs as root, and `paths`
lists what can be read. SECURITY.md has the promises; tests try each of them.
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
"""The folder that a sandbox can write to, in bubblewrap; it is empty for each sandbox."""

_TEMPORARY = "/tmp"  # noqa: S108 - Python or the course may be in there, too
_TRY = "from mlsd_helpers.grading.sandbox.inside import try_sandbox; try_sandbox({!r})"
_USER = "1000"  # not 0, which programs treat as root


def choose_sandbox(*, unsafe: bool = False) -> str:
    """Return the best sandbox that works here: "bubblewrap" or "landlock".

    With `unsafe`, return "none" where neither works, and "stock" (nbgrader's own kernels) on Windows and macOS.

    Raises GradingError where neither works; the message says why and what to do.
    """
    if sys.platform != "linux":
        if unsafe:
            return "stock"
        raise GradingError(
            "Only Linux can isolate a submission from this machine. Grade there, in a virtual machine or a container "
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
        "No sandbox works on this machine:\n" + "\n".join(refusals) + "\n"
        "Install bubblewrap (`apt install bubblewrap`), or grade in a container or on Linux 6.12 or newer. "
        "`--unsafe` grades without: a submission can then read and change whatever you can."
    )


def _no_bubblewrap() -> str:
    """Return why bubblewrap does not work here, or an empty text."""
    if not shutil.which("bwrap"):
        return "the command `bwrap` is not installed."
    refusal = _refusal("bubblewrap")
    if refusal and Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists():
        refusal += " Ubuntu's AppArmor may refuse it: see containers/bubblewrap#632."
    return refusal


def _no_landlock() -> str:
    """Return why landlock does not work here, or an empty text."""
    if landlock.version() < landlock.NEEDED:
        return "it needs Linux 6.12 or newer."
    return _refusal("landlock")


def _refusal(sandbox: str) -> str:
    """Try a kind of sandbox; return why it does not work here, or an empty text."""
    if not syscalls.is_supported():
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
        return "starting a sandbox took longer than 60 s."
    if tried.returncode == 0:
        return ""
    says = (tried.stderr.strip().splitlines() or ["nothing"])[-1]
    return f"it does not start here: {says}."


def environment(home: str = f"{OWN}/home", temporary: str = f"{OWN}/temporary") -> dict[str, str]:
    """Return the environment variables of a sandbox, with none of the grader's."""
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {
        "PATH": os.pathsep.join([f"{sys.prefix}/bin", "/usr/bin", "/bin"]),
        "HOME": home,
        "TMPDIR": temporary,
        "USER": "student",
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",  # each arena reserves memory, which counts towards the limit
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # as a kernel sets it
        **dict.fromkeys(one_thread, "1"),  # a fork has only one
    }


def command(
    sandbox: str,
    code: str,
    arguments: Sequence[str] = (),
    *,
    hidden: Iterable[Path] = (),
    limits: Limits | None = None,
) -> list[str]:
    """Return the command that runs a line of Python in a sandbox, with our installed packages.

    `hidden` names folders and files that the sandbox must not see. Raises GradingError where Python itself would be
    hidden, too.
    """
    start = f"import sys; sys.path[:] = {paths.python_path()!r}; {code}"
    python = [sys.executable, "-I", "-c", start, *arguments]
    if sandbox != "bubblewrap":
        return python
    return [shutil.which("bwrap") or "bwrap", *_bwrap_options(hidden, limits or Limits()), "--", *python]


def _bwrap_options(hidden: Iterable[Path], limits: Limits) -> Iterator[str]:
    yield from (f"--unshare-{name}" for name in ("pid", "net", "ipc", "uts", "cgroup-try"))
    yield from ("--die-with-parent", "--new-session")  # ends with the worker; cannot type into its terminal
    yield from ("--hostname", "sandbox", "--cap-drop", "ALL")
    rights = ["SYS_ADMIN", "SETPCAP", "NET_ADMIN"]  # to start sandboxes, which give them up
    if is_root():  # sandboxes change to another user, which a user namespace with one user does not have
        rights += ["SETUID", "SETGID", "CHOWN", "DAC_READ_SEARCH"]
    else:
        yield from ("--unshare-user", "--disable-userns", "--uid", _USER, "--gid", _USER)
    for right in rights:
        yield from ("--cap-add", f"CAP_{right}")
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--size", str(limits.files), "--tmpfs", OWN)
    yield from ("--dir", f"{OWN}/home", "--dir", f"{OWN}/temporary")
    yield from _mount_options(hidden)
    yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", OWN)


def _mount_options(hidden: Iterable[Path]) -> Iterator[str]:
    links, shown = paths.layout(hidden)
    if not any(name.is_relative_to(_TEMPORARY) for name in (*links, *shown)):
        yield from ("--symlink", f"{OWN}/temporary", _TEMPORARY)
    for name, aim in links.items():
        yield from ("--symlink", str(aim), str(name))
    for name, real in shown.items():
        for folder in reversed(name.parents):
            outer = next((one for one in (folder, *folder.parents) if one in shown), None)
            if outer is None or (shown[outer] is None and outer != folder):
                yield from ("--dir", str(folder))  # else its mode is 0700
        if real is not None:
            yield from ("--ro-bind", str(real), str(name))
        else:
            yield from ("--tmpfs", str(name)) if name.is_dir() else ("--ro-bind", os.devnull, str(name))
    for name, real in shown.items():
        if real is None and name.is_dir():  # after mounts inside it
            yield from ("--remount-ro", str(name))
