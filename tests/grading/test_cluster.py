"""Past one machine: a real Dask scheduler with two workers, one of them killed, and a gradebook in PostgreSQL."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading import grade, records, release
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from tests.grading.conftest import ASSIGNMENT

pytestmark = pytest.mark.end_to_end

_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=str)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(port, process, log):
    end = time.monotonic() + 300
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    pytest.fail(f"nothing answers on port {port}:\n{log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def running(log, *command, **options):
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def postgres(tmp_path):
    """Yield the address of a PostgreSQL server of our own, which does not run as root."""
    if not _POSTGRES:
        pytest.skip("PostgreSQL is not installed: grading into it was not tried")
    tools = _POSTGRES[-1].parent
    as_user = {"user": "postgres", "cwd": "/"} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="mlsd-postgres-"))
    port = free_port()
    try:
        if as_user:
            shutil.chown(folder, "postgres")
        data = folder / "data"
        subprocess.run(
            [tools / "initdb", "-D", data, "-U", "mlsd", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            **as_user,
        )
        server = [tools / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"]
        with running(tmp_path / "postgres.log", *server, **as_user) as process:
            answers(port, process, tmp_path / "postgres.log")
            yield f"postgresql://mlsd@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def dask(tmp_path):
    """Yield a scheduler's address and its two worker processes."""
    pytest.importorskip("distributed")
    port = free_port()
    tool = [sys.executable, "-m", "dask"]
    address = f"tcp://127.0.0.1:{port}"
    log = tmp_path / "scheduler.log"
    worker = [
        *tool,
        "worker",
        address,
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
        "--host",
        "127.0.0.1",
    ]
    with contextlib.ExitStack() as stack:
        scheduler = [*tool, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
        answers(port, stack.enter_context(running(log, *scheduler)), log)
        workers = [
            stack.enter_context(running(tmp_path / f"worker-{n}.log", *worker, cwd=tmp_path)) for n in (1, 2)
        ]
        yield address, workers


def test_a_cluster_grades_a_class_into_postgresql_though_a_worker_is_killed(course_of, postgres, dask):
    address, workers = dask
    course = course_of()
    config = course / release.CONFIG
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {postgres!r}\n")
    assert not release.release(course, ASSIGNMENT).problem
    (course / "gradebook.db").unlink()
    seen = []

    def kill_one_in_the_middle(line):
        seen.append(line)
        if len(seen) == 3:
            workers[0].send_signal(signal.SIGKILL)

    job = Job(course, ASSIGNMENT, choose_sandbox(unsafe=True), seed=7)
    everyone = grade.students(job)
    summary = grade_class(job, everyone, dask=address, say=kill_one_in_the_middle)
    assert not summary.errors
    assert workers[0].poll() is not None
    assert [record.student for record in records.all_of(course, ASSIGNMENT)] == everyone
    with Gradebook(postgres, "mlsd") as book:
        scores = {one.student.id: one.score for one in book.assignment_submissions(ASSIGNMENT)}
    assert scores == {one.student: one.record.score for one in summary.results}
    assert not (course / "gradebook.db").exists()


def test_a_scheduler_that_is_not_there_is_said(course_of):
    pytest.importorskip("distributed")
    course = course_of("blank")
    with pytest.raises(GradingError, match="no Dask scheduler"):
        grade_class(Job(course, ASSIGNMENT), ["blank"], dask=f"tcp://127.0.0.1:{free_port()}")
