"""A testbed comes and goes: nothing is left of it, however it ended, and no part that fails looks well."""

import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from mlsd_helpers.errors import MeasurementError, RangeError
from mlsd_helpers.testbed import running
from mlsd_helpers.testbed.logs import Event, SqliteLog, open_log
from mlsd_helpers.testbed.processes import Child
from mlsd_helpers.testbed.running import start

pytestmark = pytest.mark.processes

PAYMENT = {"card": 1, "merchant": 2, "amount": 3.5, "online": True}


def soon(true, within_s=15.0):
    """Tell whether something comes true in time."""
    ends_s = time.monotonic() + within_s
    while not true():
        if time.monotonic() > ends_s:
            return False
        time.sleep(0.02)
    return True


class Saboteur:
    """Stands in for the line of progress, and does its worst when a load is under way."""

    def __init__(self, act):
        self._act = act

    def show(self, text):
        if "requests" in text and ": 0 " not in text:
            act, self._act = self._act, lambda: None
            act()


def lives(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


# ---------------------------------------------------------------- nothing is left

HOLDER = """
import sys, time
from mlsd_helpers.testbed.running import start
with start("streaming", stream="redis") as service:
    children = __import__("psutil").Process().children(recursive=True)
    print(service.folder, service.url, *(child.pid for child in children), flush=True)
    service.load(rate_rps=50, lasts_s=60)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_testbed_is_gone_when_the_process_that_holds_it_is_ended(end):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as holder:
        folder, url, *pids = holder.stdout.readline().split()
        assert len(pids) == 4  # the guard, Redis, the consumer, the service
        port = int(url.rpartition(":")[2])
        assert soon(lambda: len(psutil.Process(holder.pid).children()) > 4), "load has started"
        pids = {*map(int, pids), *(child.pid for child in psutil.Process(holder.pid).children())}
        holder.send_signal(end)
        holder.wait(20)
    assert soon(lambda: not any(map(lives, pids)))
    assert soon(lambda: not Path(folder).exists())
    assert socket.socket().connect_ex(("127.0.0.1", port)) != 0


def test_a_testbed_is_gone_when_its_block_fails():
    testbeds = []

    def held():
        with start() as testbed:
            testbeds.append(testbed)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        held()
    assert not testbeds[0].folder.exists()
    assert not any(lives(child.pid) for child in testbeds[0].processes.values())


def test_two_labs_at_once_do_not_meet():
    with start() as one, start() as other:
        assert one.url != other.url
        assert one.folder != other.folder
        other.kill("service")
        assert one.score(**PAYMENT)["score"] > 0
        with pytest.raises(MeasurementError, match="No answer"):
            other.score(**PAYMENT)


def test_a_testbed_that_cannot_start_leaves_nothing_and_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("mlsd_helpers.testbed.model.Model.save", lambda trained, folder: None)
    with pytest.raises(MeasurementError, match=r"service ended before it was done.*model\.onnx"), start():
        pass
    assert not [*tmp_path.iterdir()]


def test_a_process_of_the_testbed_does_not_run_by_itself():
    alone = subprocess.run(
        [sys.executable, "-m", "mlsd_helpers.testbed.stream"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert alone.returncode != 0
    assert b"testbed.start" in alone.stderr


# ---------------------------------------------------------------- what fails shows


def test_a_server_that_is_killed_under_load_shows_failures_and_no_low_latency():
    with start() as service:
        service._progress = Saboteur(lambda: service.kill("service"))
        load = service.load(rate_rps=60, lasts_s=4)
    assert load.requests == len(load.scores)
    assert 0 < load.failures < load.requests
    assert load.p99_s == float("inf")
    assert "no answer" in str(load)


def test_a_batch_job_that_is_killed_half_way_leaves_the_old_results_readable():
    with start("pre-computed", job_every_s=600) as service:
        service.kill("batch")
        before = service.score(**PAYMENT)
        now_s = time.time()  # the card does what would change its score, which the job writes early on
        open_log(service.log).append([Event(now_s, PAYMENT["card"], place, 40.0) for place in range(6)])
        table = SqliteLog(service.folder / "scores.db")
        slow = Child("batch", service.settings["batch"] | {"each_takes_s": 0.002}, service.folder)

        table._database.execute("PRAGMA busy_timeout=0")

        def writing():
            with suppress(sqlite3.OperationalError):
                table._database.execute("BEGIN IMMEDIATE")
                table._database.execute("ROLLBACK")
                return False
            return True

        assert soon(writing), "the job is half-way through"
        slow.kill()
        after = service.score(**PAYMENT)
        slow.close()
    assert after["score"] == before["score"]
    assert after["age_s"] > before["age_s"]


@pytest.mark.parametrize("stream", ["redis", "sqlite"])
def test_a_consumer_that_is_killed_under_load_and_restarted_counts_each_payment_once(stream):
    with start("streaming", stream=stream) as service:
        service._progress = Saboteur(lambda: service.kill("stream"))
        service.load(rate_rps=150, lasts_s=3)
        assert service.lag() > 0
        old = service.score(**PAYMENT)["age_s"]
        service.restart("stream")
        assert soon(lambda: service.lag() == 0)
        assert soon(lambda: service.score(**PAYMENT)["age_s"] < old)
        log = open_log(service.log)
        wanted = Counter(event.card for _, event in log.read("0", 10_000, wait_s=0))
        found = dict(zip(wanted, log.states([*wanted]), strict=True))
    assert {card: state.total for card, state in found.items()} == wanted


def test_a_stall_that_the_closed_loop_hides_shows_in_the_open_one():
    with start(stalls=(0.5, 0.5)) as service:
        closed, opened = (service.load(rate_rps=60, lasts_s=3, loop=loop) for loop in ("closed", "open"))
    assert opened.percentile(0.75) > 0.1
    assert opened.percentile(0.75) > 3 * closed.percentile(0.75)


def test_the_generators_own_cost_and_lateness_are_known():
    with start() as service:
        load = service.load(rate_rps=200, lasts_s=2)
    assert 0 < load.client_cpu_s < load.took_s
    assert load.server_cpu_s > 0
    assert 0 <= load.late_s["0.5"] <= load.latency_s["0.5"]


# ---------------------------------------------------------------- what cannot start says why


def test_without_the_extra_the_testbed_says_what_to_install(monkeypatch):
    monkeypatch.setattr(running, "missing", lambda: ("aiohttp",))
    with pytest.raises(MeasurementError, match=r"aiohttp.*make testbed"), start():
        pass


def test_without_redis_the_stream_is_in_sqlite_and_says_so(monkeypatch):
    monkeypatch.setattr(running, "redis_server", lambda: None)
    with start("streaming") as service:
        assert service.log.startswith("sqlite:")
        assert "install" in " ".join(service.notes)
    with (
        pytest.raises(MeasurementError, match="apt-get install redis-server"),
        start("streaming", stream="redis"),
    ):
        pass


@pytest.mark.parametrize(
    "options",
    [
        {"pattern": "hybrid"},
        {"pattern": "streaming", "cache": "memory"},
        {"pattern": "pre-computed", "batching": (8, 0.002)},
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(options):
    with pytest.raises(MeasurementError), start(**options):
        pass


def test_a_load_beyond_the_bounds_and_a_part_that_is_not_there_are_refused():
    with start() as service:
        with pytest.raises(RangeError, match="lower rate"):
            service.load(rate_rps=1e6, lasts_s=60)
        with pytest.raises(RangeError, match="shorter"):
            service.load(rate_rps=0.1, lasts_s=3_600)
        with pytest.raises(MeasurementError, match="no 'stream'"):
            service.kill("stream")
        with pytest.raises(MeasurementError, match="no consumer"):
            service.lag()
        with pytest.raises(MeasurementError, match="HTTP 404"):
            service.score(**PAYMENT | {"card": 10**9})


def test_only_the_loopback_is_listened_on():
    with start("streaming", stream="redis") as service:
        pids = {service.redis_pid, *(child.pid for child in service.processes.values())}
        listening = [
            connection.laddr
            for pid in pids
            for connection in psutil.Process(pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
    assert [address.ip for address in listening] == ["127.0.0.1"]
