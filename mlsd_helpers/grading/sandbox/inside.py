"""What runs inside the sandbox: the fork server, and the sandboxes that are its forks.

The fork server runs no line of a submission. For each sandbox it forks; the fork closes every way back, and only then
reads what it is asked.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import pickle
import random
import resource
import signal
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlsd_helpers.grading.sandbox import codec, landlock, namespaces, paths, processes, stub, syscalls, wire
from mlsd_helpers.grading.sandbox.confinement import OWN, environment
from mlsd_helpers.grading.sandbox.limits import Limits
from mlsd_helpers.timeout import TooLongError, time_limit

_WARM = (
    "numpy",
    "pandas",
    "matplotlib.figure",
    "ipywidgets",
    "anywidget",
    "mlsd_helpers.design.design",
    "mlsd_helpers.review",
    "mlsd_helpers.figures",
    "mlsd_helpers.formulas",
    "mlsd_helpers.cases",
    "mlsd_helpers.widgets",
)
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - empty in each sandbox
_OPEN_FILES = 128
_SANDBOXES_AT_ONCE = 2  # other sandboxes of the same user may start processes at the same time
_NAMESPACES = namespaces.NEWPID | namespaces.NEWNS | namespaces.NEWIPC | namespaces.NEWNET


@dataclass(frozen=True)
class Walls:
    """The sandbox, and for landlock the paths that can be read, and the folders of which only names can be."""

    sandbox: str
    readable: Sequence[str] = ()
    listed: Sequence[str] = ()


# ---- the fork server ------------------------------------------------------------------------------


def main() -> None:
    """Get warm, then open a sandbox each time the worker asks for one, until it closes the line."""
    config = json.loads(sys.argv[1])
    walls, limits = Walls(**config["walls"]), Limits(**config["limits"])
    control = socket.socket(fileno=config["line"])
    shell = _warm_up()
    if walls.sandbox != "bubblewrap":
        namespaces.adopt_orphans()  # so that the worker finds what a sandbox leaves behind
    if walls.sandbox != "none":
        syscalls.program(walls.sandbox)  # made once, for every sandbox
    control.send(b"warm")
    while True:
        folder, handles, *_ = socket.recv_fds(control, 4096, 1)
        if not folder:  # the worker has gone
            processes.end_below(os.getpid())
            return
        intermediate = os.fork()
        if not intermediate:
            _open(walls, folder.decode(), socket.socket(fileno=handles[0]), control, limits, shell)
        os.close(handles[0])
        with contextlib.suppress(ChildProcessError):
            os.waitpid(intermediate, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:  # sandboxes that have ended
                pass


def _warm_up() -> Any:
    """Import what answers need, so that each fork has it."""
    stub.install()
    from mlsd_helpers.grading.sandbox.shell import make_shell  # noqa: PLC0415 - it takes a while

    shell = make_shell()
    for name in _WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if threading.active_count() > 1:
        raise RuntimeError(f"threads would not survive a fork: {threading.enumerate()}")
    gc.collect()
    gc.freeze()  # else the first collection in a sandbox copies every page
    return shell


def _open(
    walls: Walls, folder: str, line: socket.socket, control: socket.socket, limits: Limits, shell: Any
) -> None:
    """Become a sandbox, in a process of its own. Never returns."""
    try:
        memory = _address_space()
        with contextlib.suppress(OSError):  # when memory ends, the kernel ends a sandbox first
            Path("/proc/self/oom_score_adj").write_text("1000")
        if walls.sandbox == "bubblewrap":
            namespaces.unshare(_NAMESPACES)
        session = os.fork()
        if session:  # only the fork is in the new process namespace
            socket.send_fds(control, [b"open"], [os.pidfd_open(session)])
            os._exit(0)
        line = _shut_off(walls, folder, line, limits, memory)
        _Session(line, shell, limits).serve()
    except BaseException as error:  # noqa: BLE001 - nothing may get back into the fork server's loop
        with contextlib.suppress(Exception):
            line.sendall(wire.framed(json.dumps({"refused": f"{type(error).__name__}: {error}"}).encode()))
    finally:
        os._exit(0)


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 2**30


def _shut_off(walls: Walls, folder: str, line: socket.socket, limits: Limits, memory: int) -> socket.socket:
    """Close every way out of the sandbox but its line, and return that."""
    os.setsid()  # `kill(0)` must not reach the fork server
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    kept = os.dup2(line.detach(), 3)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))  # the worker's line to the fork server, too
    _enclose(walls, folder, limits)
    os.chdir(folder)
    sys.path.insert(0, "")  # a module beside the notebook, as in Jupyter
    for kind, most in (
        (resource.RLIMIT_AS, memory + limits.memory),
        (resource.RLIMIT_FSIZE, limits.files),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 1),  # 0 would still start a program that keeps the core
        (resource.RLIMIT_SIGPENDING, 1024),
        (
            resource.RLIMIT_CPU,
            int(limits.cells_s) + 1,
        ),  # should the worker be gone, and nobody count the time
    ):
        _limit(kind, most)
    if walls.sandbox != "none":
        syscalls.refuse(walls.sandbox)
    return socket.socket(fileno=kept)


def _enclose(walls: Walls, folder: str, limits: Limits) -> None:
    """Leave the sandbox no file but its own and what it may read, no right, and no more processes than its limit."""
    user = namespaces.sandbox_user()
    most = limits.most_processes
    if walls.sandbox == "bubblewrap":
        namespaces.start_loopback()
        namespaces.keep_mounts_here()
        for covered in (OWN, _SHARED_MEMORY):  # nothing passes from one sandbox to the next
            namespaces.mount_tmpfs(covered, limits.files, user=user)
        namespaces.mount_tmpfs("/proc", 4096, user=user, writable=False)  # it would show the fork server
        namespaces.drop_rights(user)
        for name in (os.environ["HOME"], os.environ["TMPDIR"], folder):
            Path(name).mkdir()
        _limit(resource.RLIMIT_NPROC, most)
        return
    os.environ.update(environment(folder, folder))
    tempfile.tempdir = None  # where it was before
    if walls.sandbox == "landlock":
        if user == os.getuid():  # Linux counts whatever else the user runs
            most = processes.threads_of(user) + _SANDBOXES_AT_ONCE * most
        else:
            os.chown(folder, user, user)
            Path(folder).parent.chmod(0o711)  # which only we may enter
        landlock.restrict(readable=walls.readable, listed=walls.listed, own=folder)
        namespaces.drop_rights(user)
        _limit(resource.RLIMIT_NPROC, most)


def _limit(kind: int, most: int) -> None:
    """Set a limit that cannot be raised again, or keep a lower one."""
    before = resource.getrlimit(kind)[1]
    lower = most if before == resource.RLIM_INFINITY else min(most, before)
    resource.setrlimit(kind, (lower, lower))


def try_sandbox(sandbox: str) -> None:
    """End this process, with an error where this kind of sandbox cannot be opened."""
    with tempfile.TemporaryDirectory() as around:
        folder = tempfile.mkdtemp(dir=around)
        if sandbox == "bubblewrap":
            namespaces.unshare(_NAMESPACES)
        session = os.fork()
        if not session:
            refusal = _tried(sandbox, f"{OWN}/folder" if sandbox == "bubblewrap" else folder)
            os.write(2, refusal.encode())
            os._exit(int(bool(refusal)))
        failed = os.waitstatus_to_exitcode(os.waitpid(session, 0)[1])
    sys.exit(failed)


def _tried(sandbox: str, folder: str) -> str:
    """Return why a sandbox cannot be opened, or nothing."""
    whole, listed = paths.readable() if sandbox == "landlock" else ((), ())
    try:
        _enclose(Walls(sandbox, whole, listed), folder, Limits())
        syscalls.refuse(sandbox)
        Path(os.__file__).read_bytes()  # which only root may be able to
        Path(codec.__file__).read_bytes()
    except Exception as error:  # noqa: BLE001 - whatever it is, this is a fork, and the caller says it
        return f"{type(error).__name__}: {error}"
    return ""


# ---- a sandbox ---------------------------------------------------------------------------------------


class _Session:
    def __init__(self, line: socket.socket, shell: Any, limits: Limits) -> None:
        self.line, self.shell, self.limits = line, shell, limits
        self.process = os.getpid()

    def serve(self) -> None:
        """Answer one request after the other, until the worker has gone."""
        from mlsd_helpers.grading.sandbox.shell import take_over  # noqa: PLC0415 - the fork server has it

        take_over(self.shell)
        random.seed()
        sys.modules["numpy"].random.seed()
        while True:
            request = self.load(wire.receive(self.line))
            reply = self.answer(request)
            if os.getpid() != self.process:
                os._exit(0)  # a fork that a cell made and forgot
            self.line.sendall(wire.framed(json.dumps({"id": request["id"], **reply}).encode()))

    def load(self, body: bytes) -> Any:
        return _Unpickler(self, body).load()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "open":
                for name, content in request["files"].items():
                    path = Path(name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                stub.show(request["shown"])
                return {}
            case "run":
                return {"outputs": self.run(request["source"])}
            case "kind":
                return {"kind": self.kind(request["name"])}
            case "value":
                return self.guarded(lambda: self.shell.user_ns[request["name"]])
            case "call":
                return self.guarded(lambda: self.shell.user_ns[request["name"]](**request["case"]))
        raise ValueError(request["do"])

    def run(self, source: str) -> list[dict[str, Any]]:
        with _time_limit(self.limits.cell_s, "one cell"):
            outputs: list[dict[str, Any]] = self.shell.run(source, self.limits.output)
        return outputs

    def kind(self, name: str) -> str:
        if name not in self.shell.user_ns:
            return "missing"
        value = self.shell.user_ns[name]
        if value is None or value is Ellipsis:
            return "blank"
        return "callable" if callable(value) else "value"

    def guarded(self, make: Any) -> dict[str, Any]:
        from mlsd_helpers.grading.sandbox.shell import put_aside  # noqa: PLC0415 - the fork server has it

        try:
            with put_aside(), warnings.catch_warnings(), _time_limit(self.limits.call_s, "one call"):
                warnings.simplefilter("ignore")
                return {"value": codec.encode(make())}
        except TooLongError:
            return {"endless": True}
        except BaseException as error:  # noqa: BLE001 - an answer may raise anything
            return {"raised": [_name(error), _message(error)]}


class _Unpickler(pickle.Unpickler):
    """Reads what the worker sent, with stand-ins for what stays outside."""

    def __init__(self, session: _Session, body: bytes) -> None:
        super().__init__(io.BytesIO(body))
        self.session = session

    def persistent_load(self, known: Any) -> "_Outside":
        return _Outside(self.session, *known)


class _Outside:
    """A function that a case holds: it stays outside, since it may know what is right, and is asked there."""

    _turn = threading.Lock()  # a cell's threads may ask at once, and there is one line

    def __init__(self, session: _Session, number: int, text: str) -> None:
        self._session, self._number, self._text = session, number, text

    def __repr__(self) -> str:
        return self._text

    def __deepcopy__(self, _: Any) -> "_Outside":
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        question = {"ask": self._number, "args": codec.encode(args), "kwargs": codec.encode(kwargs)}
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # half a frame would end the sandbox
        self._turn.acquire()
        try:
            self._session.line.sendall(wire.framed(json.dumps(question).encode()))
            reply = self._session.load(wire.receive(self._session.line))
        finally:
            self._turn.release()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        if "raised" in reply:
            raise reply["raised"]
        return reply["value"]


def _time_limit(seconds: float, what: str) -> contextlib.AbstractContextManager[None]:
    return time_limit(seconds, TooLongError(f"This ran longer than {seconds:g} s in {what}."))


def _name(error: BaseException) -> str:
    """Return the name of an error; one that means "not written yet" or "without end" by its base."""
    known = (kind for kind in (NotImplementedError, RecursionError) if isinstance(error, kind))
    return next(known, type(error)).__name__


def _message(error: BaseException) -> str:
    try:
        return str.__str__(str(error))[:500]
    except Exception:  # noqa: BLE001 - a learner's exception may do anything
        return "(a message that cannot be shown)"
