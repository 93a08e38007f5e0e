"""The fork server's loop and the sessions that it forks run inside the sandbox.

The fork server itself runs no code of a submission. It forks for each session; the fork confines itself first, and
then reads its first request.
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

from mlsd_helpers.grading.deadline import OutOfTimeError, time_limit
from mlsd_helpers.grading.sandbox import codec, landlock, namespaces, paths, processes, stub, syscalls, wire
from mlsd_helpers.grading.sandbox.confinement import OWN, environment
from mlsd_helpers.grading.sandbox.limits import Limits

_PRELOADED = (
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
_SANDBOXES_AT_ONCE = 2  # of the same user, which may start processes at the same time
_NAMESPACES = namespaces.NEWPID | namespaces.NEWNS | namespaces.NEWIPC | namespaces.NEWNET


@dataclass(frozen=True)
class Confinement:
    """The kind of sandbox; for landlock also the paths that can be read, and the folders that can only be listed."""

    sandbox: str
    readable: Sequence[str] = ()
    listed: Sequence[str] = ()


# ---- the fork server ------------------------------------------------------------------------------


def main() -> None:
    """Import what answers need, then fork a session for each request of the worker, until it closes the socket."""
    config = json.loads(sys.argv[1])
    confinement, limits = Confinement(**config["confinement"]), Limits(**config["limits"])
    control = socket.socket(fileno=config["control"])
    shell = _preload()
    if confinement.sandbox != "bubblewrap":
        namespaces.become_subreaper()  # so that the worker finds what a sandbox leaves behind
    if confinement.sandbox != "none":
        syscalls.program(confinement.sandbox)  # cached for all sessions
    control.send(b"ready")
    while True:
        folder, handles, *_ = socket.recv_fds(control, 4096, 1)
        if not folder:  # the worker has closed the socket
            processes.end_below(os.getpid())
            return
        intermediate = os.fork()
        if not intermediate:
            _start_session(
                confinement, folder.decode(), socket.socket(fileno=handles[0]), control, limits, shell
            )
        os.close(handles[0])
        with contextlib.suppress(ChildProcessError):
            os.waitpid(intermediate, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:  # sandboxes that have ended
                pass


def _preload() -> Any:
    """Import what answers need, so that each fork has it."""
    stub.install()
    from mlsd_helpers.grading.sandbox.shell import make_shell  # noqa: PLC0415 - it takes a while

    shell = make_shell()
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if threading.active_count() > 1:
        raise RuntimeError(f"threads would not survive a fork: {threading.enumerate()}")
    gc.collect()
    gc.freeze()  # else the first collection in a sandbox copies every page
    return shell


def _start_session(
    confinement: Confinement,
    folder: str,
    connection: socket.socket,
    control: socket.socket,
    limits: Limits,
    shell: Any,
) -> None:
    """Fork, confine the fork and serve its session. Never returns."""
    try:
        memory = _address_space()
        with contextlib.suppress(OSError):  # out of memory, the kernel ends a sandbox first
            Path("/proc/self/oom_score_adj").write_text("1000")
        if confinement.sandbox == "bubblewrap":
            namespaces.unshare(_NAMESPACES)
        session = os.fork()
        if session:  # only the fork is in the new process namespace
            socket.send_fds(control, [b"open"], [os.pidfd_open(session)])
            os._exit(0)
        connection = _isolate(confinement, folder, connection, limits, memory)
        _Session(connection, shell, limits).serve()
    except BaseException as error:  # noqa: BLE001 - must not return into the fork server's loop
        with contextlib.suppress(Exception):
            connection.sendall(
                wire.frame(json.dumps({"refused": f"{type(error).__name__}: {error}"}).encode())
            )
    finally:
        os._exit(0)


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 2**30


def _isolate(
    confinement: Confinement, folder: str, connection: socket.socket, limits: Limits, memory: int
) -> socket.socket:
    """Confine this process, leave it no open file but its connection, and return that."""
    os.setsid()  # `kill(0)` must not reach the fork server
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    kept = os.dup2(connection.detach(), 3)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))  # the control socket, too
    _confine(confinement, folder, limits)
    os.chdir(folder)
    sys.path.insert(0, "")  # a module beside the notebook, as in Jupyter
    for kind, most in (
        (resource.RLIMIT_AS, memory + limits.memory),
        (resource.RLIMIT_FSIZE, limits.files),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 1),  # 0 would still start a program that keeps the core
        (resource.RLIMIT_SIGPENDING, 1024),
        (resource.RLIMIT_CPU, int(limits.cells_s) + 1),  # should the worker have ended
    ):
        _limit(kind, most)
    if confinement.sandbox != "none":
        syscalls.install_filter(confinement.sandbox)
    return socket.socket(fileno=kept)


def _confine(confinement: Confinement, folder: str, limits: Limits) -> None:
    """Restrict files, privileges and the number of processes. The system calls are restricted by `syscalls`."""
    user = namespaces.sandbox_user()
    most = limits.most_processes
    if confinement.sandbox == "bubblewrap":
        namespaces.start_loopback()
        namespaces.make_mounts_private()
        for covered in (OWN, _SHARED_MEMORY):  # empty for each sandbox
            namespaces.mount_tmpfs(covered, limits.files, user=user)
        namespaces.mount_tmpfs("/proc", 4096, user=user, writable=False)  # /proc would show the fork server
        namespaces.drop_privileges(user)
        for name in (os.environ["HOME"], os.environ["TMPDIR"], folder):
            Path(name).mkdir()
        _limit(resource.RLIMIT_NPROC, most)
        return
    os.environ.update(environment(folder, folder))
    tempfile.tempdir = None  # forget the cached one
    if confinement.sandbox == "landlock":
        if user == os.getuid():  # Linux counts all processes of the user
            most = processes.threads_of(user) + _SANDBOXES_AT_ONCE * most
        else:
            os.chown(folder, user, user)
            Path(folder).parent.chmod(0o711)  # it was made for this user alone
        landlock.restrict(readable=confinement.readable, listed=confinement.listed, own=folder)
        namespaces.drop_privileges(user)
        _limit(resource.RLIMIT_NPROC, most)


def _limit(kind: int, most: int) -> None:
    """Set a hard limit, or keep a lower one."""
    before = resource.getrlimit(kind)[1]
    lower = most if before == resource.RLIM_INFINITY else min(most, before)
    resource.setrlimit(kind, (lower, lower))


def try_sandbox(sandbox: str) -> None:
    """Exit with status 0 if this kind of sandbox works here, else print why not and exit with 1."""
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
    """Return why a sandbox does not work here, or an empty text."""
    whole, listed = paths.readable() if sandbox == "landlock" else ((), ())
    try:
        _confine(Confinement(sandbox, whole, listed), folder, Limits())
        syscalls.install_filter(sandbox)
        Path(os.__file__).read_bytes()  # perhaps only root can
        Path(codec.__file__).read_bytes()
    except Exception as error:  # noqa: BLE001 - any error is the answer
        return f"{type(error).__name__}: {error}"
    return ""


# ---- a session ---------------------------------------------------------------------------------------


class _Session:
    def __init__(self, connection: socket.socket, shell: Any, limits: Limits) -> None:
        self.connection, self.shell, self.limits = connection, shell, limits
        self.process = os.getpid()

    def serve(self) -> None:
        """Answer requests until the worker closes the connection."""
        from mlsd_helpers.grading.sandbox.shell import redirect_streams  # noqa: PLC0415 - the fork server has it

        redirect_streams(self.shell)
        random.seed()
        sys.modules["numpy"].random.seed()
        while True:
            request = self.load(wire.receive(self.connection))
            reply = self.answer(request)
            if os.getpid() != self.process:
                os._exit(0)  # a fork that a cell made, and that returned from it
            self.connection.sendall(wire.frame(json.dumps({"id": request["id"], **reply}).encode()))

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
                return self.reply_of(lambda: self.shell.user_ns[request["name"]])
            case "call":
                return self.reply_of(lambda: self.shell.user_ns[request["name"]](**request["case"]))
        raise ValueError(request["do"])

    def run(self, source: str) -> list[dict[str, Any]]:
        seconds = self.limits.cell_s
        with time_limit(seconds, f"This ran longer than {seconds:g} s in one cell."):
            outputs: list[dict[str, Any]] = self.shell.run(source, self.limits.output)
        return outputs

    def kind(self, name: str) -> str:
        if name not in self.shell.user_ns:
            return "missing"
        value = self.shell.user_ns[name]
        if value is None or value is Ellipsis:
            return "blank"
        return "callable" if callable(value) else "value"

    def reply_of(self, make: Any) -> dict[str, Any]:
        from mlsd_helpers.grading.sandbox.shell import discard_output  # noqa: PLC0415 - the fork server has it

        try:
            with discard_output(), warnings.catch_warnings(), time_limit(self.limits.call_s):
                warnings.simplefilter("ignore")
                return {"value": codec.encode(make())}
        except OutOfTimeError:
            return {"timeout": True}
        except BaseException as error:  # noqa: BLE001 - an answer may raise anything
            base = next(
                (kind for kind in (NotImplementedError, RecursionError) if isinstance(error, kind)),
                type(error),
            )
            return {"raised": [base.__name__, _message(error)]}


class _Unpickler(pickle.Unpickler):
    """Unpickles a request, with a proxy for each function that stays outside."""

    def __init__(self, session: _Session, body: bytes) -> None:
        super().__init__(io.BytesIO(body))
        self.session = session

    def persistent_load(self, known: Any) -> "_RemoteFunction":
        return _RemoteFunction(self.session, *known)


class _RemoteFunction:
    """A proxy for a function of a case. The function stays outside, since it may hold the right answer."""

    _turn = threading.Lock()  # threads of a cell share one connection

    def __init__(self, session: _Session, number: int, text: str) -> None:
        self._session, self._number, self._text = session, number, text

    def __repr__(self) -> str:
        return self._text

    def __deepcopy__(self, _: Any) -> "_RemoteFunction":
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        question = {"ask": self._number, "args": codec.encode(args), "kwargs": codec.encode(kwargs)}
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # half a frame would end the session
        self._turn.acquire()
        try:
            self._session.connection.sendall(wire.frame(json.dumps(question).encode()))
            reply = self._session.load(wire.receive(self._session.connection))
        finally:
            self._turn.release()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        if "raised" in reply:
            raise reply["raised"]
        return reply["value"]


def _message(error: BaseException) -> str:
    try:
        return str.__str__(str(error))[:500]
    except Exception:  # noqa: BLE001 - a learner's exception may do anything
        return "(a message that cannot be shown)"
