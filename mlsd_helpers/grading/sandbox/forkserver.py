"""The worker's side: start a fork server, open sandboxes in it, ask them, and end them when they go too far."""

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
_GRACE_S = 1.0  # for what a sandbox stops by itself at its limit
_GONE_S = 10.0
_LOOK_S = 0.25  # between two looks at what a sandbox uses
_MOST_ASKED = 100_000  # questions to functions of one case, in one request
_LARGEST = 1e15  # number that a function of a case is asked with
_FOLDER = f"{OWN}/submission"
_SCRATCH = "mlsd-sandbox-"
_MAIN = "from mlsd_helpers.grading.sandbox.inside import main; main()"
_CLOSED = "it was closed"
_STRANGE = "your code sent something that no answer sends"
_ENDED = "your code ended its own process (os._exit, a kill or a crash)"


class SessionEnded(Exception):  # noqa: N818 - it says what happened to the sandbox
    """The sandbox has ended. `reason` says why, in words for a student."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AnswerRaised(Exception):  # noqa: N818 - likewise
    """The student's answer raised an error; the sandbox goes on."""

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(f"{type_name}: {message}")
        self.type_name, self.message = type_name, message


class AnswerTimeout(Exception):  # noqa: N818 - likewise
    """The student's answer took too long and was stopped; the sandbox goes on."""


@dataclass(frozen=True)
class Cost:
    """What a sandbox took: seconds that it was open, and the most memory in bytes, also what it shared."""

    seconds: float
    peak: int


class ForkServer:
    """A process in a sandbox that has imported what answers need, so that opening a sandbox takes milliseconds.

    `hidden` names folders that no sandbox may see, should they lie inside the environment that Python runs from. Its
    sandboxes run on `processors`, by default on all, and slow down nothing on others.
    With bubblewrap it ends with the thread that started it, so that it never outlives a worker.
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
        self._held = os.open(self._scratch, os.O_RDONLY)
        _lock(self._held)

    def __enter__(self) -> Self:
        """Start it. Raises GradingError where it does not start."""
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it, with whatever sandbox is open."""
        self._stop()
        os.close(self._held)
        _clear_away(self._scratch)

    def _start(self) -> None:
        self._line, theirs = socket.socketpair()
        whole, names = paths.readable(self.hidden) if self.sandbox == "landlock" else ((), ())
        walls = {"sandbox": self.sandbox, "readable": whole, "listed": names}
        config = {"line": theirs.fileno(), "walls": walls, "limits": asdict(self.limits)}
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
        self._line.settimeout(_START_S)
        with contextlib.suppress(OSError):
            if self._line.recv(16) == b"warm":
                return
        self._stop()
        says = "\n".join(log.read_text(errors="replace").strip().splitlines()[-5:])
        raise GradingError(
            f"The process that runs submissions did not start in {self.sandbox}. It says:\n{says}"
        )

    def _stop(self) -> None:
        if self._process is None:
            return
        self._line.close()
        if self.sandbox != "bubblewrap":
            processes.end_below(self._process.pid)
        self._process.kill()  # with bubblewrap, all that it started goes too
        self._process.wait()
        self._process = None

    def session(
        self, folder: Path, shown: Mapping[str, Any] | None = None, deadline: float = math.inf
    ) -> "Session":
        """Open a sandbox that has a copy of a folder's files, and the cases that exercises show, by exercise id.

        It ends at its `deadline`, on the clock of `time.monotonic`, or sooner by its limits.

        Raises GradingError where it does not open, which is no fault of the submission.
        """
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._start()
        return Session(self, folder, shown or {}, deadline)

    def open(self) -> tuple[socket.socket, int, int, Path | None]:
        """Open an empty sandbox: the line to it, a handle on its first process, that one's id, its folder here."""
        self.clear()
        line, theirs = socket.socketpair()
        inside = None if self.sandbox == "bubblewrap" else Path(tempfile.mkdtemp(dir=self._scratch))
        try:
            with theirs:
                self._line.settimeout(_OPEN_S)
                socket.send_fds(self._line, [str(inside or _FOLDER).encode()], [theirs.fileno()])
                _, handles, *_ = socket.recv_fds(self._line, 64, 1)
            (handle,) = handles
            process = processes.number_of(handle)
        except (OSError, ValueError) as error:
            line.close()
            self._stop()
            raise GradingError(f"No sandbox could be opened in {self.sandbox}: {error}.") from None
        return line, handle, process, inside

    def below(self) -> list[int]:
        """Return the processes of the sandbox, also those that have left its family."""
        return processes.family(self._process.pid)[1:] if self._process is not None else []

    def clear(self) -> None:
        """End whatever a sandbox has left behind; a process namespace has done so by itself."""
        if self.sandbox != "bubblewrap" and self._process is not None:
            processes.end_below(self._process.pid)


@contextlib.contextmanager
def _on(processors: set[int]) -> Iterator[None]:
    """Start processes on some processors alone; they and all below them stay there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def sweep() -> None:
    """Remove the folders of fork servers whose worker was killed: nobody holds their lock any more."""
    for left in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with contextlib.suppress(OSError):  # another user's, or held
            folder = os.open(left, os.O_RDONLY)
            try:
                _lock(folder)
                _clear_away(left)
            finally:
                os.close(folder)


def _clear_away(folder: Path) -> None:
    """Remove a folder that a sandbox wrote to: folders without end in folders, and some that nobody may list."""
    with contextlib.suppress(Exception):  # RecursionError too, before Python 3.13
        shutil.rmtree(folder)
    if folder.exists():
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run(  # noqa: S603 - the system's own, which descend without recursion
                [*command, "--", str(folder)], check=False, capture_output=True, timeout=_GONE_S * 6
            )


def _lock(folder: int) -> None:
    """Take the lock of a folder for as long as this process has it open. Raises OSError where another holds it."""
    import fcntl  # noqa: PLC0415 - not on Windows, which has no sandboxes

    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Session:
    """Where one submission runs. Every request may raise SessionEnded, and does so ever after."""

    def __init__(
        self, parent: ForkServer, folder: Path, shown: Mapping[str, Any], deadline: float = math.inf
    ) -> None:
        self._parent, self.limits = parent, parent.limits
        self._gone: SessionEnded | None = None
        self._functions: list[Callable[..., Any]] = []
        self._began, self._seconds, self._peak = time.monotonic(), 0.0, 0
        self._late = math.inf  # to open takes our time, not the student's
        self._line, self._handle, self._process, self._inside = parent.open()
        self._base = processes.resident(self._process)
        self._too_much = ""
        self.odd: list[str] = []  # what functions of a case were asked with, and no answer asks
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        try:
            self._ask(
                _OPEN_S,
                "opening",
                do="open",
                files=dict(_files(folder, self.limits.files)),
                shown=dict(shown),
            )
        except SessionEnded as gone:
            raise GradingError(f"A sandbox for {folder} did not open: {gone.reason}.") from None
        except BaseException:
            self._end("it was not opened")
            raise
        self._late = min(deadline, self._began + self.limits.cells_s)

    def __enter__(self) -> Self:
        """Return the sandbox, which is open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all its processes; its files go with them."""
        self._end(_CLOSED)

    @property
    def cost(self) -> Cost:
        """What the sandbox took so far, or in all once it is closed."""
        if self._gone is None:
            self._measure()
        return Cost(self._seconds, self._peak)

    def run(self, source: str) -> list[dict[str, Any]]:
        """Run a cell and return its outputs, as nbformat has them."""
        reply = self._ask(self.limits.cell_s, "one cell", do="run", source=source)
        with self._strict():
            return notebook.outputs(reply["outputs"])

    def kind(self, name: str) -> str:
        """Say what a name is bound to: "missing", "blank" (None or ...), "callable" or "value"."""
        reply = self._ask(self.limits.call_s, "one call", do="kind", name=name)
        with self._strict():
            return {one: one for one in ("missing", "blank", "callable", "value")}[reply["kind"]]

    def value(self, name: str) -> Any:
        """Return the value that a name is bound to: a plain value or Opaque.

        Raises AnswerRaised or AnswerTimeout where the value cannot even be looked at.
        """
        return self._answer(do="value", name=name)

    def call(self, name: str, case: Mapping[str, Any]) -> Any:
        """Call a function on a case, by keyword, and return its value: a plain value or Opaque.

        What the function prints is put aside. Functions in the case stay outside and are asked from there.

        Raises AnswerRaised for what it raises, also NotImplementedError, and AnswerTimeout.
        """
        return self._answer(do="call", name=name, case=dict(case))

    def _answer(self, **request: Any) -> Any:
        reply = self._ask(self.limits.call_s, "one call", **request)
        with self._strict():
            match reply:
                case {"endless": True}:
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
            raise self._end(_STRANGE) from None

    # ---- asking ---------------------------------------------------------------------------------------

    def _ask(self, seconds: float, what: str, **request: Any) -> dict[str, Any]:
        """Send a request and return the reply to it; other than that, the sandbox has nothing to say."""
        if self._gone is not None:
            raise self._gone
        number = secrets.token_hex(8)  # so that no reply is made before its request
        late = time.monotonic() + seconds + _GRACE_S
        why = f"your code ran longer than {seconds:g} s in {what}"
        if self._late < late:
            late, why = self._late, f"your code ran longer than {self._late - self._began:.3g} s in all"
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
        """Call a function of ours with what the sandbox gave, if that is a few plain numbers: it runs here, outside."""
        if (
            not isinstance(args, tuple)
            or not isinstance(kwargs, dict)
            or not all(isinstance(k, str) for k in kwargs)
        ):
            raise wire.BrokenFrameError
        args, kwargs = tuple(map(_number, args)), {name: _number(one) for name, one in kwargs.items()}
        odd = [type(one).__name__ for one in (*args, *kwargs.values()) if not _is_modest(one)]
        if odd:
            self.odd = [f"a function of a case was asked with {odd[0]}"]
            return {"raised": ValueError(f"It takes finite numbers up to {_LARGEST:g}, and got {odd[0]}.")}
        try:
            return {"value": function(*args, **kwargs)}
        except Exception as error:  # noqa: BLE001 - whatever it says of what it was given
            return {"raised": ValueError(f"{type(error).__name__}: {error}")}

    def _send(self, message: Mapping[str, Any], late: float, why: str) -> None:
        self._line.settimeout(max(late - time.monotonic(), 0.01))
        try:
            self._line.sendall(wire.framed(self._pickled(message)))
        except TimeoutError:
            raise self._end(why) from None
        except OSError:
            raise self._end(_ENDED) from None

    def _pickled(self, message: Mapping[str, Any]) -> bytes:
        """Pickle what a sandbox is to have; functions of an exercise stay here, and a sandbox asks them by number."""
        file = BytesIO()
        pickler = pickle.Pickler(file)
        pickler.persistent_id = self._stay  # type: ignore[method-assign]
        pickler.dump(message)
        return file.getvalue()

    def _stay(self, value: Any) -> tuple[int, str] | None:
        home = value if hasattr(value, "__qualname__") else type(value)
        if not str(getattr(home, "__module__", "")).startswith("mlsd_helpers.exercises"):
            return None
        if not callable(value):
            raise GradingError(
                f"A case holds a {type(value).__name__}, which no sandbox can know, since it has no exercises. "
                "Make it a function, which is then asked outside, or plain values."
            )
        self._functions.append(value)
        return len(self._functions) - 1, repr(value)

    def _receive(self, late: float, why: str) -> bytes:
        """Wait for one frame."""
        received = bytearray()
        self._line.setblocking(False)
        waiting = select.poll()
        for one in (self._line.fileno(), self._handle):
            waiting.register(one, select.POLLIN)
        while True:
            left = late - time.monotonic()
            if left <= 0 or not waiting.poll(1000 * left):
                raise self._end(why)
            try:
                part = self._line.recv(2**20)
            except OSError:  # also when nothing came: then it is the process that ended
                raise self._end(_ENDED) from None
            if not part:
                raise self._end(_ENDED)
            received += part
            body = wire.split(received)
            if body is not None:
                return body

    def _watch(self) -> None:
        """End the sandbox's processes when they are too many or take too much memory together.

        A thread looks by the clock, whatever the sandbox sends meanwhile and whatever the judge is at.
        """
        while not self._closing.wait(_LOOK_S):
            self._too_much = self._look()
            if self._too_much:
                self._kill()
                self._parent.clear()
                return

    def _family(self) -> list[int]:
        family = processes.family(self._process)
        return family if self._parent.sandbox == "bubblewrap" else self._parent.below() or family

    def _look(self) -> str:
        family = self._family()
        if len(family) > self.limits.processes:
            return f"your code started more than {self.limits.processes} processes"
        used = processes.proportional(family)
        self._peak = max(self._peak, used)
        if used > self._base + self.limits.most_memory:
            return f"your code used more than {self.limits.memory / 2**30:g} GB of memory"
        return ""

    def end_others(self) -> None:
        """End all processes of the sandbox but its first, such as those that a cell started and forgot."""
        for pid in self._family():
            if pid != self._process:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    # ---- ending ---------------------------------------------------------------------------------------

    def _measure(self) -> None:
        self._seconds = time.monotonic() - self._began
        self._peak = max(self._peak, processes.peak(self._process))

    def _end(self, reason: str) -> SessionEnded:
        """End the sandbox once, and return what its requests raise from now on."""
        if self._gone is None:
            self._measure()
            self._closing.set()
            self._watcher.join()
            self._gone = SessionEnded(self._too_much or reason)
            self._kill()
            self._line.close()
            if reason != _CLOSED:  # what it held may be much; the next sandbox wants it
                select.select([self._handle], [], [], _GONE_S)
            os.close(self._handle)
            self._parent.clear()
            if self._inside is not None:
                _clear_away(self._inside)
        return self._gone

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)  # a number might be another's by now


def _files(folder: Path, most: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder, up to a number of bytes in all; what a link points to is not the student's."""
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
    """Return a fraction or a decimal as the float that it is about; anything else as it is."""
    with contextlib.suppress(OverflowError, ValueError):
        return float(value) if isinstance(value, Fraction | Decimal) else value
    return value


def _is_modest(value: Any) -> bool:
    """Tell whether a value is a number that no computation makes large."""
    return isinstance(value, int | float) and -_LARGEST <= value <= _LARGEST
