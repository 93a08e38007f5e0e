"""Controls sandboxes from a worker: starts a fork server, opens sessions, sends requests and enforces limits."""

import contextlib
import json
import math
import os
import pickle
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading.sandbox import codec, notebook, paths, processes, wire
from mlsd_helpers.grading.sandbox.confinement import OWN, command, environment
from mlsd_helpers.grading.sandbox.limits import Limits

_START_S = 120.0
_OPEN_S = 60.0
_GRACE_S = 1.0  # a sandbox stops a cell or a call by itself at the limit; this is on top
_EXIT_S = 10.0
_CHECK_S = 0.25  # between two checks of what a sandbox uses
_LOOK_S, _MOST_LOOKS = 0.025, 80  # between two looks at what a cell left running, until it has ended
_MOST_ASKED = 100_000  # calls of the functions of one case, in one request
_LARGEST = 1e15  # number that a function of a case is called with
_FOLDER = f"{OWN}/submission"
_SCRATCH = "mlsd-sandbox-"
_MAIN = "from mlsd_helpers.grading.sandbox.inside import main; main()"
_CLOSED = "it was closed"
_MALFORMED = "your code sent something that no answer sends"
_EXITED = "your code ended its own process (os._exit, a kill or a crash)"


class SessionEnded(Exception):  # noqa: N818 - it says what happened to the sandbox
    """The sandbox has ended. `reason` says why, in words for a student."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AnswerRaised(Exception):  # noqa: N818 - likewise
    """The student's answer raised an error. The session can still be used."""

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(f"{type_name}: {message}")
        self.type_name, self.message = type_name, message


class AnswerTimeout(Exception):  # noqa: N818 - likewise
    """The student's answer took too long and was stopped. The session can still be used."""


@dataclass(frozen=True)
class Cost:
    """What a session used: its duration in seconds, and its peak memory in bytes, shared memory included."""

    seconds: float
    peak: int


class ForkServer:
    """A process that has imported what answers need, and forks a sandbox for each session within milliseconds.

    `hidden` names folders that no sandbox may see, even inside the environment that Python runs from. The sandboxes run
    on `processors`, by default on all. With bubblewrap the server ends with the thread that started it, so it never
    outlives a worker.
    """

    def __init__(
        self,
        sandbox: str,
        *,
        limits: Limits | None = None,
        hidden: Iterable[Path] = (),
        processors: Iterable[int] = (),
    ) -> None:
        self.sandbox, self.limits, self.hidden = sandbox, limits or Limits(), tuple(hidden)
        self.processors = set(processors)
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH))
        self._lock_handle = os.open(self._scratch, os.O_RDONLY)
        _lock(self._lock_handle)

    def __enter__(self) -> Self:
        """Start the server. Raises GradingError where it does not start."""
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server and any open sandbox."""
        self._stop()
        os.close(self._lock_handle)
        _clear_away(self._scratch)

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        whole, names = paths.readable(self.hidden) if self.sandbox == "landlock" else ((), ())
        confinement = {"sandbox": self.sandbox, "readable": whole, "listed": names}
        config = {"control": theirs.fileno(), "confinement": confinement, "limits": asdict(self.limits)}
        log = self._scratch / "log"
        with theirs, log.open("wb") as errors, _on(self.processors):
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                command(self.sandbox, _MAIN, [json.dumps(config)], hidden=self.hidden, limits=self.limits),
                env=environment() if self.sandbox == "bubblewrap" else environment(*[str(self._scratch)] * 2),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[theirs.fileno()],
            )
        self._control.settimeout(_START_S)
        with contextlib.suppress(OSError):
            if self._control.recv(16) == b"ready":
                return
        self._stop()
        says = "\n".join(log.read_text(errors="replace").strip().splitlines()[-5:])
        raise GradingError(
            f"The process that runs submissions did not start in {self.sandbox}. It says:\n{says}"
        )

    def _stop(self) -> None:
        if self._process is None:
            return
        self._control.close()
        if self.sandbox != "bubblewrap":
            processes.end_below(self._process.pid)
        self._process.kill()  # with bubblewrap, the kernel then ends all that it started
        self._process.wait()
        self._process = None

    def session(
        self, folder: Path, shown: Mapping[str, Any] | None = None, deadline: float = math.inf
    ) -> "Session":
        """Open a session in a new sandbox, which gets a copy of a folder's files.

        `shown` holds the cases that exercises show, by exercise id. The session ends at its `deadline`, on the clock of
        `time.monotonic`, or earlier at one of its limits.

        Raises GradingError where the sandbox does not start, which is no fault of the submission.
        """
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._start()
        return Session(self, folder, shown or {}, deadline)

    def fork(self) -> tuple[socket.socket, int, int, Path | None]:
        """Fork an empty sandbox; return its socket, a pidfd and the id of its first process, and its folder outside."""
        self.end_leftovers()
        ours, theirs = socket.socketpair()
        inside = None if self.sandbox == "bubblewrap" else Path(tempfile.mkdtemp(dir=self._scratch))
        try:
            with theirs:
                self._control.settimeout(_OPEN_S)
                socket.send_fds(self._control, [str(inside or _FOLDER).encode()], [theirs.fileno()])
                _, handles, *_ = socket.recv_fds(self._control, 64, 1)
            (handle,) = handles
            process = processes.number_of(handle)
        except (OSError, ValueError) as error:
            ours.close()
            self._stop()
            raise GradingError(f"No sandbox could be started in {self.sandbox}: {error}.") from None
        return ours, handle, process, inside

    def descendants(self) -> list[int]:
        """Return all processes below the server, also those whose own parent has ended."""
        return processes.family(self._process.pid)[1:] if self._process is not None else []

    def end_leftovers(self) -> None:
        """End the processes that a sandbox left behind. With bubblewrap its process namespace does that."""
        if self.sandbox != "bubblewrap" and self._process is not None:
            processes.end_below(self._process.pid)


@contextlib.contextmanager
def _on(processors: set[int]) -> Iterator[None]:
    """Restrict processes that are started meanwhile, and their descendants, to some processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def sweep() -> None:
    """Remove the folders of fork servers whose worker was killed: no process holds their lock."""
    for left in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with contextlib.suppress(OSError):  # another user's, or locked
            folder = os.open(left, os.O_RDONLY)
            try:
                _lock(folder)
                _clear_away(left)
            finally:
                os.close(folder)


def _clear_away(folder: Path) -> None:
    """Remove a folder that a sandbox wrote to, however deeply nested and whatever its permissions."""
    with contextlib.suppress(Exception):  # RecursionError too, before Python 3.13
        shutil.rmtree(folder)
    if folder.exists():
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run(  # noqa: S603 - the system's own, which descend without recursion
                [*command, "--", str(folder)], check=False, capture_output=True, timeout=_EXIT_S * 6
            )


def _lock(folder: int) -> None:
    """Take the lock of a folder for as long as this process has it open. Raises OSError where another holds it."""
    import fcntl  # noqa: PLC0415 - not on Windows, which has no sandboxes

    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Session:
    """One submission in its sandbox. Any request may raise SessionEnded; after that every request raises it."""

    def __init__(
        self, server: ForkServer, folder: Path, shown: Mapping[str, Any], deadline: float = math.inf
    ) -> None:
        self._server, self.limits = server, server.limits
        self._ended: SessionEnded | None = None
        self._functions: list[Callable[..., Any]] = []
        self._began, self._seconds, self._peak = time.monotonic(), 0.0, 0
        self._deadline = math.inf  # the start is not counted as the student's time
        self._socket, self._handle, self._process, self._folder = server.fork()
        self._base = processes.resident(self._process)
        self.excess = ""  # which limit its processes exceeded together
        self.left_running = False  # whether `check` last saw processes besides the first
        self._ending_others = False
        self.odd_arguments: list[str] = []  # argument types that no honest answer uses
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        try:
            files = dict(_files(folder, self.limits.files))
            self._ask(_OPEN_S, "opening", do="open", files=files, shown=dict(shown))
        except SessionEnded as ended:
            raise GradingError(f"A sandbox for {folder} did not start: {ended.reason}.") from None
        except BaseException:
            self._end("it was not started")
            raise
        self._deadline = min(deadline, self._began + self.limits.cells_s)

    def __enter__(self) -> Self:
        """Return the session, which is open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes of the sandbox and remove its files."""
        self._end(_CLOSED)

    @property
    def cost(self) -> Cost:
        """What the session has used so far, or in total once it has ended."""
        if self._ended is None:
            self._measure()
        return Cost(self._seconds, self._peak)

    def run(self, source: str) -> list[dict[str, Any]]:
        """Run a cell and return its outputs, as nbformat has them."""
        reply = self._ask(self.limits.cell_s, "one cell", do="run", source=source)
        with self._strict():
            outputs = notebook.outputs(reply["outputs"])
        self.check()
        return outputs

    def check(self) -> None:
        """Raise SessionEnded if the session has ended, or if its processes exceed a limit now, which ends it.

        The watcher looks only every now and then. With a check after each cell, a cell that leaves too much running is
        the one that ends the session, whether or not the watcher looked before the cell had ended.
        """
        if self._ended is not None:
            raise self._ended
        family = self._family()
        self.left_running = len(family) > 1
        self.excess = self.excess or self._excess_of(family)
        if self.excess:
            raise self._end(self.excess)

    def kind(self, name: str) -> str:
        """Say what a name is bound to: "missing", "blank" (None or ...), "callable" or "value"."""
        reply = self._ask(self.limits.call_s, "one call", do="kind", name=name)
        with self._strict():
            return {one: one for one in ("missing", "blank", "callable", "value")}[reply["kind"]]

    def value(self, name: str) -> Any:
        """Return the value that a name is bound to: a plain value or Opaque.

        Raises AnswerRaised or AnswerTimeout where the value cannot be read.
        """
        return self._answer(do="value", name=name)

    def call(self, name: str, case: Mapping[str, Any]) -> Any:
        """Call a function on a case, by keyword, and return its value: a plain value or Opaque.

        What the function prints is discarded. Functions in the case stay outside; the sandbox calls them there.

        Raises AnswerRaised for what it raises, also NotImplementedError, and AnswerTimeout.
        """
        return self._answer(do="call", name=name, case=dict(case))

    def _answer(self, **request: Any) -> Any:
        reply = self._ask(self.limits.call_s, "one call", **request)
        with self._strict():
            match reply:
                case {"timeout": True}:
                    raise AnswerTimeout
                case {"raised": [str(name), str(message)]}:
                    raise AnswerRaised(codec.clean(name)[:100], codec.clean(message)[:500])
            return codec.decode(reply["value"])

    @contextlib.contextmanager
    def _strict(self) -> Iterator[None]:
        """End the session when its reply is malformed."""
        try:
            yield
        except (wire.BrokenFrameError, KeyError, TypeError):
            raise self._end(_MALFORMED) from None

    # ---- requests -------------------------------------------------------------------------------------

    def _ask(self, seconds: float, what: str, **request: Any) -> dict[str, Any]:
        """Send a request, serve calls of a case's functions, and return the reply. Anything else ends the session."""
        if self._ended is not None:
            raise self._ended
        number = secrets.token_hex(8)  # so that no reply can be sent before its request
        late = time.monotonic() + seconds + _GRACE_S
        why = f"your code ran longer than {seconds:g} s in {what}"
        if self._deadline < late:
            late = self._deadline
            why = f"your code ran longer than {self._deadline - self._began:.3g} s in all"
        self._send({"id": number, **request}, late, why)
        for _ in range(_MOST_ASKED):
            with self._strict():
                reply = _object(self._receive(late, why))
                match reply:
                    case {"ask": int(which), "args": args, "kwargs": kwargs} if (
                        0 <= which < len(self._functions)
                    ):
                        answer = self._ask_outside(
                            self._functions[which], codec.decode(args), codec.decode(kwargs)
                        )
                    case {"id": str(replied)} if replied == number:
                        return reply
                    case {"refused": str(refusal)} if request["do"] == "open":
                        raise self._end(codec.clean(refusal)[:500])
                    case _:
                        raise wire.BrokenFrameError
            self._send(answer, late, why)
        raise self._end(
            f"your code asked the functions of one case more than {_MOST_ASKED:,} times; "
            "a search over a few dozen inputs, each chosen for a reason, is enough"
        )

    def _ask_outside(self, function: Callable[..., Any], args: Any, kwargs: Any) -> dict[str, Any]:
        """Call a function of a case here, outside the sandbox, if its arguments are plain numbers."""
        if (
            not isinstance(args, tuple)
            or not isinstance(kwargs, dict)
            or not all(isinstance(k, str) for k in kwargs)
        ):
            raise wire.BrokenFrameError
        args, kwargs = tuple(map(_number, args)), {name: _number(one) for name, one in kwargs.items()}
        given = (*args, *kwargs.values())
        modest = [isinstance(one, int | float) and -_LARGEST <= one <= _LARGEST for one in given]
        odd = [type(one).__name__ for one, is_modest in zip(given, modest, strict=True) if not is_modest]
        if odd:
            self.odd_arguments = [f"a function of a case was called with {odd[0]}"]
            return {"raised": ValueError(f"It takes finite numbers up to {_LARGEST:g}, and got {odd[0]}.")}
        try:
            return {"value": function(*args, **kwargs)}
        except Exception as error:  # noqa: BLE001 - its arguments come from a student
            return {"raised": ValueError(f"{type(error).__name__}: {error}")}

    def _send(self, message: Mapping[str, Any], late: float, why: str) -> None:
        self._socket.settimeout(max(late - time.monotonic(), 0.01))
        try:
            self._socket.sendall(wire.frame(self._pickled(message)))
        except TimeoutError:
            raise self._end(why) from None
        except OSError:
            raise self._end(_EXITED) from None

    def _pickled(self, message: Mapping[str, Any]) -> bytes:
        """Pickle a request. Functions of an exercise stay here; a sandbox calls them by number."""
        file = BytesIO()
        pickler = pickle.Pickler(file)
        pickler.persistent_id = self._persistent_id  # type: ignore[method-assign]
        pickler.dump(message)
        return file.getvalue()

    def _persistent_id(self, value: Any) -> tuple[int, str] | None:
        home = value if hasattr(value, "__qualname__") else type(value)
        if not str(getattr(home, "__module__", "")).startswith("mlsd_helpers.exercises"):
            return None
        if not callable(value):
            raise GradingError(
                f"A case holds a {type(value).__name__}, which no sandbox can hold, since it has no exercises. "
                "Make it a function, which is then called outside, or plain values."
            )
        self._functions.append(value)
        return len(self._functions) - 1, repr(value)

    def _receive(self, late: float, why: str) -> bytes:
        """Wait for one whole frame."""
        received = bytearray()
        self._socket.setblocking(False)
        waiting = select.poll()
        for one in (self._socket.fileno(), self._handle):
            waiting.register(one, select.POLLIN)
        while True:
            left = late - time.monotonic()
            if left <= 0 or not waiting.poll(1000 * left):
                raise self._end(why)
            try:
                part = self._socket.recv(2**20)
            except OSError:  # also when nothing came: then it is the process that ended
                raise self._end(_EXITED) from None
            if not part:
                raise self._end(_EXITED)
            received += part
            body = wire.split(received)
            if body is not None:
                return body

    def _watch(self) -> None:
        """End the sandbox's processes when they are too many or use too much memory together.

        This runs in a thread of its own, so that it also works while the judge waits or computes.
        """
        while not self._closing.wait(_CHECK_S):
            self.excess = self.excess or self._excess_of(self._family())
            if self.excess:
                self._kill()
                self._server.end_leftovers()
                return

    def _family(self) -> list[int]:
        family = processes.family(self._process)
        return family if self._server.sandbox == "bubblewrap" else self._server.descendants() or family

    def _excess_of(self, family: list[int]) -> str:
        if len(family) > self.limits.processes and not self._ending_others:
            return f"your code started more than {self.limits.processes} processes"
        used = processes.proportional(family)
        self._peak = max(self._peak, used)
        if used > self._base + self.limits.most_memory:
            return f"your code used more than {self.limits.memory / 2**30:g} GB of memory"
        return ""

    def end_others(self) -> None:
        """End all processes of the sandbox but its first, such as those that a cell left running.

        Many take a while to end; the watcher does not count them meanwhile, or the next answer would pay for them.
        """
        self._ending_others = True
        for _ in range(_MOST_LOOKS):
            others = [pid for pid in self._family() if pid != self._process]
            if not others:
                break
            for pid in others:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_LOOK_S)
        self._ending_others = self.left_running = False

    # ---- ending ---------------------------------------------------------------------------------------

    def _measure(self) -> None:
        self._seconds = time.monotonic() - self._began
        self._peak = max(self._peak, processes.peak(self._process))

    def _end(self, reason: str) -> SessionEnded:
        """End the sandbox, once, and return the exception that its requests raise from now on."""
        if self._ended is None:
            self._measure()
            self._closing.set()
            self._watcher.join()
            self._ended = SessionEnded(self.excess or reason)
            self._kill()
            self._socket.close()
            if reason != _CLOSED:  # its memory must be free before the next sandbox starts
                select.select([self._handle], [], [], _EXIT_S)
            os.close(self._handle)
            self._server.end_leftovers()
            if self._folder is not None:
                _clear_away(self._folder)
        return self._ended

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)  # the process id may have been reused


def _files(folder: Path, most: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder, up to `most` bytes in total. Links are not followed."""
    for path in sorted(folder.rglob("*")):
        if (
            path.is_symlink()
            or not path.is_file()
            or not path.parent.resolve().is_relative_to(folder.resolve())
        ):
            continue
        most -= path.stat().st_size
        if most >= 0:
            yield str(path.relative_to(folder)), path.read_bytes()


def _object(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise wire.BrokenFrameError from None
    if not isinstance(read, dict):
        raise wire.BrokenFrameError
    return read


def _number(value: Any) -> Any:
    """Convert a fraction or a decimal to a float; return anything else unchanged."""
    with contextlib.suppress(OverflowError, ValueError):
        return float(value) if isinstance(value, Fraction | Decimal) else value
    return value
