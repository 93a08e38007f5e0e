"""Submissions graded as they come: complete ones, each once, whatever else lies there, until a signal ends it."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest

from mlsd_helpers import cli
from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading import classroom, end_to_end, records, submission, watch
from mlsd_helpers.grading.exchange import Inbound
from mlsd_helpers.grading.grade import WORK, Job
from mlsd_helpers.grading.sandbox import choose_sandbox
from mlsd_helpers.grading.watch import Quiet, Watch
from tests.grading.conftest import ASSIGNMENT
from tests.grading.test_killed import _alive, _below, _forks, _wait

ENDED = "(the watch has ended with an error)"
NOTEBOOK = f"{ASSIGNMENT}.ipynb"


def folder_of(course, student):
    return course / "submitted" / student / ASSIGNMENT


@contextlib.contextmanager
def watched(course, workers=1):
    """Watch a course in a thread; give the lines that are said, and wait in the end until it has stopped."""
    job = Job(course, ASSIGNMENT, choose_sandbox(unsafe=True), seed=7)
    stop, said, failed = threading.Event(), [], []

    def run():
        try:
            Watch([job], workers=workers, say=said.append).run(stop)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            failed.append(error)
            said.append(ENDED)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield said
    finally:
        stop.set()
        thread.join(120)
        for error in failed:
            raise error
        assert not thread.is_alive()


def told(said, *words):
    """Return the lines that have all these words, of a watch that still goes on."""
    assert ENDED not in said
    return [line for line in said if all(word in line for word in words)]


def arrive(course, student, content):
    """Put a notebook into submitted/ as a copy does."""
    folder_of(course, student).mkdir(parents=True, exist_ok=True)
    (folder_of(course, student) / NOTEBOOK).write_bytes(content)


@pytest.fixture
def notebooks(handed_in_once):
    root, _ = handed_in_once
    return {name: (folder_of(root, name) / NOTEBOOK).read_bytes() for name in ("reference", "blank")}


# ---------------------------------------------------------------- what is told apart


def test_a_thing_is_quiet_for_as_long_as_its_stamp_has_been_the_same():
    quiet = Quiet()
    assert quiet.seconds("a", 1, now=10) == 0
    assert quiet.seconds("a", 1, now=12) == 2
    assert quiet.seconds("a", 2, now=13) == 0
    assert quiet.seconds("b", 1, now=13, age=60) == 60
    assert quiet.seconds("a", 2, now=20) == 7


def test_a_stamp_changes_with_every_file_also_with_one_of_the_same_size_and_time(tmp_path):
    (tmp_path / "a.ipynb").write_text("one")
    os.utime(tmp_path / "a.ipynb", (1, 1))
    seen = {submission.stamp(tmp_path)}
    (tmp_path / "new").write_text("two")
    os.utime(tmp_path / "new", (1, 1))
    (tmp_path / "new").replace(tmp_path / "a.ipynb")
    seen.add(submission.stamp(tmp_path))
    (tmp_path / "b.txt").touch()
    seen.add(submission.stamp(tmp_path))
    assert len(seen) == 3
    assert submission.stamp(tmp_path) in seen
    assert submission.stamp(tmp_path / "missing") == ()


@pytest.mark.parametrize("other", ["--dry-run", "--again", "--dask=tcp://host:1"])
def test_what_does_not_go_with_watching_is_a_plain_error(other, course_of, capsys):
    course = course_of("blank")
    assert cli.main(["grade", ASSIGNMENT, "--watch", other, "--unsafe", "--course", str(course)]) == 2
    assert other.partition("=")[0] in capsys.readouterr().err


# ---------------------------------------------------------------- submitted/


@pytest.mark.end_to_end
def test_what_arrives_is_graded_once_it_is_whole_and_again_when_it_is_replaced(
    course_of, notebooks, monkeypatch
):
    monkeypatch.setattr(watch, "POLL_S", 0.1)
    monkeypatch.setattr(watch, "QUIET_S", 0.5)
    monkeypatch.setattr(watch, "PATIENCE_S", 6)
    course = course_of("reference")
    whole = notebooks["reference"]
    record = records.path_of(course, ASSIGNMENT, "late")
    with watched(course) as said:
        _wait(lambda: told(said, "reference", ": graded, 26 of 26"), 120)  # what was there before

        arrive(course, "late", whole[: len(whole) // 2])  # half a copy
        _wait(lambda: told(said, "late", "can't be read yet"))
        assert not record.exists()
        arrive(course, "late", whole)
        _wait(lambda: told(said, "late", ": graded, 26 of 26"))
        assert end_to_end.feedback_page(course, "late", ASSIGNMENT).is_file()
        assert end_to_end.marks(course, ASSIGNMENT)["late"]

        arrive(course, "broken", b'{"cells": [')
        arrive(course, "late", notebooks["blank"])  # another one in its place
        _wait(lambda: told(said, "late", ": graded again, 0 of 26"))
        _wait(lambda: told(said, "broken", "graded, 0 of 26"))
        reason = records.read(course, ASSIGNMENT, "broken").reason
        arrive(course, "after", whole)
        _wait(lambda: told(said, "after", ": graded, 26 of 26"))
        assert len(told(said, reason)) == 1

        with pytest.raises(GradingError, match="Another"), classroom.exclusive_run(Job(course, ASSIGNMENT)):
            pass
    assert len(told(said, "reference", ": graded")) == 1
    assert len(told(said, "late", ": graded")) == 2
    assert not (course / WORK).exists()

    with watched(course) as again:  # all of it has a record
        arrive(course, "last", whole)
        _wait(lambda: told(again, "last", "graded"))
    assert not told(again, "late")


@pytest.mark.end_to_end
def test_a_changed_assignment_is_read_again_and_what_was_graded_before_waits_for_a_run(
    course_of, notebooks, monkeypatch
):
    monkeypatch.setattr(watch, "POLL_S", 0.1)
    monkeypatch.setattr(watch, "QUIET_S", 0.3)
    course = course_of("reference")
    with watched(course) as said:
        _wait(lambda: told(said, "reference", "graded"), 120)
        rules = records.read(course, ASSIGNMENT, "reference").rules
        for step in ("source", "release"):
            path = course / step / ASSIGNMENT / NOTEBOOK
            notebook = nbformat.read(path, as_version=4)
            notebook.cells[0].source += " Changed."
            nbformat.write(notebook, path)
        _wait(lambda: told(said, "has changed"))
        arrive(course, "late", notebooks["reference"])
        _wait(lambda: told(said, "late", "graded"), 120)
    assert records.read(course, ASSIGNMENT, "late").rules != rules
    assert records.read(course, ASSIGNMENT, "reference").rules == rules


@pytest.mark.end_to_end
def test_an_error_of_the_machine_is_told_once_and_tried_again(course_of, monkeypatch):
    monkeypatch.setattr(watch, "POLL_S", 0.05)
    monkeypatch.setattr(watch, "_RETRY_S", 0.2)
    monkeypatch.setattr(watch, "_warm_up", print)
    course = course_of("blank")
    failures = iter([GradingError("The disk is full.")] * 3)
    taken = watch.outcome

    def outcome(*given):
        for error in failures:
            raise error
        return taken(*given)

    monkeypatch.setattr(watch, "outcome", outcome)
    os.utime(folder_of(course, "blank") / NOTEBOOK)
    with watched(course) as said:
        _wait(lambda: told(said, "disk is full"), 120)
        _wait(lambda: next(failures, None) is None, 60)
    assert len(told(said, "disk is full")) == 1


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_killed_worker_does_not_end_it_and_a_signal_does_with_no_process_left(course_of, notebooks, number):
    course = course_of("reference")
    command = [
        sys.executable, "-m", "mlsd_helpers.cli", "grade", ASSIGNMENT, "--watch", "--workers", "1", "--unsafe",
        "--course", str(course),
    ]  # fmt: skip
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        _wait(lambda: records.read(course, ASSIGNMENT, "reference"))
        server = next(process for process in _below(run.pid) if _forks(process))
        workers = [process for process in _below(server) if _forks(process)]
        os.kill(random.Random(1).choice(workers), signal.SIGKILL)
        arrive(course, "late", notebooks["reference"])
        _wait(lambda: records.read(course, ASSIGNMENT, "late"))
        everything = _below(run.pid)
        run.send_signal(number)
        said, _ = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 0, said
    assert "Traceback" not in said
    _wait(lambda: not any(map(_alive, everything)), 60)
    assert not (course / WORK).exists()


# ---------------------------------------------------------------- the exchange


@pytest.fixture
def exchange(course_of):
    course = course_of("blank")
    root = course.parent / "exchange"
    (root / "mlsd" / "inbound").mkdir(parents=True)
    config = course / "nbgrader_config.py"
    config.write_text(
        f'{config.read_text()}\nc.Exchange.root = "{root}"\nc.ExchangeCollect.check_owner = False\n'
    )
    (course / WORK).mkdir(exist_ok=True)
    return course, root / "mlsd" / "inbound"


def hand_in(inbound, student, content, when="2027-03-01 10:00:00.000000 UTC", letters="x", *, complete=True):
    folder = inbound / f"{student}+{ASSIGNMENT}+{when}+{letters}"
    folder.mkdir()
    (folder / NOTEBOOK).write_bytes(content)
    if complete:
        (folder / "timestamp.txt").write_text(when)
    return folder


def inbound_of(course):
    job = Job(course, ASSIGNMENT)
    return Inbound.of(job.configuration(), job)


def always(*_):
    return True


@pytest.mark.end_to_end
def test_a_submission_in_the_exchange_is_taken_when_it_is_complete_and_replaced_by_a_newer_one(exchange):
    course, inbound = exchange
    watching = inbound_of(course)
    first = hand_in(inbound, "ada", b"one", complete=False)
    assert not list(watching.collect(always))
    assert not folder_of(course, "ada").exists()  # no time yet: nbgrader writes it last
    (first / "timestamp.txt").write_text("2027-03-01 10:00:00.000000 UTC")
    assert not list(watching.collect(lambda *_: False))
    assert not folder_of(course, "ada").exists()  # it still changes
    assert not list(watching.collect(always))
    assert (folder_of(course, "ada") / NOTEBOOK).read_bytes() == b"one"

    hand_in(inbound, "ada", b"two", "2027-03-02 10:00:00.000000 UTC")
    hand_in(inbound, "ada", b"old", "2027-02-02 10:00:00.000000 UTC", "y")
    assert not list(watching.collect(always))
    assert (folder_of(course, "ada") / NOTEBOOK).read_bytes() == b"two"
    (folder_of(course, "ada") / NOTEBOOK).write_bytes(b"newer, from an LMS")
    assert not list(inbound_of(course).collect(always))
    assert (folder_of(course, "ada") / NOTEBOOK).read_bytes() == b"newer, from an LMS"


@pytest.mark.end_to_end
def test_what_a_student_lays_into_the_exchange_leads_nowhere_and_stops_nobody(exchange, tmp_path):
    course, inbound = exchange
    secret = tmp_path / "secret.txt"
    secret.write_text("the instructor's own")
    hostile = hand_in(inbound, "mallory", b"{}")
    (hostile / "data.txt").symlink_to(secret)
    hand_in(inbound, "..", b"up")
    hand_in(inbound, "eve", b"no time", "soon")
    hand_in(inbound, "eve", b"no time", "2027-99-99 10:00:00 UTC")
    (inbound / f"oscar+{ASSIGNMENT}+2027-03-01 10:00:00.000000 UTC+z").symlink_to(tmp_path)
    unreadable = hand_in(inbound, "trudy", b"{}")
    os.mkfifo(unreadable / "pipe")
    hand_in(inbound, "zoe", b"right")
    said = list(inbound_of(course).collect(always))
    assert (folder_of(course, "zoe") / NOTEBOOK).read_bytes() == b"right"
    assert (folder_of(course, "mallory") / "data.txt").is_symlink()  # grading follows no link
    assert not submission.read(folder_of(course, "mallory")).files.get("data.txt")
    assert not (course / ASSIGNMENT).exists()
    there = {folder.parent.name for folder in (course / "submitted").glob(f"*/{ASSIGNMENT}")}
    assert there == {"blank", "mallory", "zoe"}
    (line,) = said
    assert "trudy" in line


@pytest.mark.end_to_end
def test_a_student_who_submits_by_the_exchange_has_feedback(exchange, notebooks, monkeypatch):
    monkeypatch.setattr(watch, "POLL_S", 0.1)
    monkeypatch.setattr(watch, "QUIET_S", 0.3)
    course, inbound = exchange
    shutil.rmtree(course / WORK)
    with watched(course) as said:
        _wait(lambda: told(said, "Watching", str(inbound)))
        hand_in(inbound, "ada", notebooks["reference"])
        _wait(lambda: told(said, "ada", "graded, 26 of 26"), 120)
    assert end_to_end.feedback_page(course, "ada", ASSIGNMENT).is_file()


def test_a_course_without_an_exchange_has_nothing_to_collect(course_of):
    assert inbound_of(course_of("blank")) is None
