"""One class of hostile, broken and odd submissions, graded in one run: each gets its score, and nobody loses any."""

import ctypes
import hashlib
import html
import os
import re
import select
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import mlsd_helpers
from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading import classroom, end_to_end, records, workers
from mlsd_helpers.grading.grade import Job, students
from mlsd_helpers.grading.records import FAILED, GRADED, Record
from mlsd_helpers.grading.release import release
from mlsd_helpers.grading.sandbox import Limits, choose_sandbox
from mlsd_helpers.grading.synthetic import class_of
from tests.grading.hostile import code, files, honest
from tests.grading.hostile.desk import ASSIGNMENT, FULL, Desk, Submission
from tests.support.hidden import shows_hidden_check

COURSE = Path(__file__).parents[2]
CATALOGUE: tuple[Submission, ...] = (*code.ALL, *files.ALL, *honest.HONEST)
NEIGHBOURS = ("a-neighbour", "i-neighbour", "q-neighbour", "z-neighbour")
SECRET = "4711-not-for-students"  # noqa: S105 - not one
LIMITS = Limits(
    cell_s=5, call_s=2, cells_s=60, memory=512 * 2**20, processes=48, files=16 * 2**20, output=100_000
)
PR_SET_CHILD_SUBREAPER = 36

pytestmark = pytest.mark.end_to_end
every_submission = pytest.mark.parametrize("one", CATALOGUE, ids=lambda one: one.name)


@dataclass(frozen=True)
class Graded:
    root: Path
    errors: Mapping[str, str]
    marks: end_to_end.Marks
    before: Mapping[str, str]
    after: Mapping[str, str]
    left_running: tuple[str, ...]
    heard: int

    def record(self, student: str) -> Record:
        record = records.read(self.root, ASSIGNMENT, student)
        assert record is not None, self.errors.get(student, "no record")
        return record

    def page(self, student: str) -> str:
        return end_to_end.feedback_page(self.root, student, ASSIGNMENT).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def graded() -> Iterator[Graded]:
    try:
        sandbox = choose_sandbox()
    except GradingError as error:
        pytest.skip(str(error))
    if sandbox != "bubblewrap":
        pytest.skip(f"{sandbox}: these want a sandbox of their own processes and files")
    # Not in /tmp: every sandbox has an empty one, which would hide the course where nothing else does.
    with TemporaryDirectory(dir="/var/tmp", prefix="mlsd-class-") as root:
        yield graded_class(Path(root), sandbox)


def graded_class(root: Path, sandbox: str) -> Graded:
    course, secret = root / "course", root / "secrets" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text(SECRET)
    end_to_end.set_up(COURSE, course, ASSIGNMENT)
    assert not release(course, ASSIGNMENT).problem
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        pytest.MonkeyPatch.context() as patch,
    ):
        datagrams.bind(server.getsockname())
        patch.setenv("MLSD_SECRET", SECRET)
        submit_all(course, secret, server.getsockname()[1])
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # an orphan of ours becomes our child
        workers.get_ready()  # what workers are forked from stays for the next run
        before, running = digests(course), offspring()
        job = Job(course, ASSIGNMENT, sandbox, limits=LIMITS)
        summary = classroom.grade_class(job, students(job), workers=2)
        found = Graded(
            course,
            {result.student: result.error for result in summary.errors},
            end_to_end.marks(course, ASSIGNMENT),
            before,
            digests(course),
            tuple(sorted(offspring() - running)),
            heard(server, datagrams),
        )
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    return found


def submit_all(course: Path, secret: Path, port: int) -> None:
    right = class_of(COURSE, ASSIGNMENT)[0].answers
    for name in (*NEIGHBOURS, *(one.name for one in CATALOGUE)):
        folder = course / "submitted" / name / ASSIGNMENT
        folder.mkdir(parents=True)
        desk = Desk(course, folder, right, secret, port)
        if name in NEIGHBOURS:
            desk.submit(desk.sheet())
    for one in CATALOGUE:
        one.make(Desk(course, course / "submitted" / one.name / ASSIGNMENT, right, secret, port))


def digests(course: Path) -> dict[str, str]:
    """Return a digest of everything that was there before grading, links by where they point."""
    found = {}
    for step in ("source", "release", "submitted"):
        for path in (course / step).rglob("*"):
            name = str(path.relative_to(course))
            if path.is_symlink():
                found[name] = str(path.readlink())
            elif path.is_file():
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[name] = "folder or pipe"
    return found


def offspring() -> set[str]:
    """Return the processes below this one, with what they run."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            state, parent, *_ = (process / "stat").read_text().rpartition(")")[2].split()
            if state != "Z":
                lines[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
                parents[int(process.name)] = int(parent)
    found, edge = set[int](), {os.getpid()}
    while edge:
        edge = {child for child, parent in parents.items() if parent in edge}
        found |= edge
    return {f"{number} {lines[number]}" for number in found if "resource_tracker" not in lines[number]}


def heard(*ends: socket.socket) -> int:
    """Return at how many ends somebody has called."""
    return len(select.select(ends, [], [], 0)[0])


def plain(page: str) -> str:
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", page)))


# ---- each gets what it deserves ---------------------------------------------------------------------


@every_submission
def test_it_gets_the_score_it_deserves_and_no_more(graded: Graded, one: Submission) -> None:
    record = graded.record(one.name)
    scores = {name: judged.score for name, judged in record.exercises.items()}
    said = {name: judged.message for name, judged in record.exercises.items()}
    assert scores == dict(one.deserves), (record.reason, said)
    assert graded.marks[one.name] == dict(one.deserves)


@every_submission
def test_what_happened_is_on_record(graded: Graded, one: Submission) -> None:
    record = graded.record(one.name)
    if one.failed is not None:
        assert record.status == (FAILED if one.failed else GRADED), record.reason
    assert bool(record.reason) == (record.status == FAILED)
    if one.flagged is not None:
        assert bool(record.flags) == one.flagged, record.flags
    if one.repaired is not None:
        assert bool(record.repairs) == one.repaired, record.repairs


@every_submission
def test_its_feedback_is_there_and_keeps_every_secret(graded: Graded, one: Submission) -> None:
    page = graded.page(one.name)
    assert SECRET not in page
    assert not shows_hidden_check(plain(page))
    assert "BEGINSOLUTION" not in plain(page)
    assert len(page) < 5_000_000
    record = graded.record(one.name)
    if record.status == FAILED:
        assert plain(record.reason) in plain(page)


# ---- and nobody else is hurt ------------------------------------------------------------------------


def test_everybody_is_graded(graded: Graded) -> None:
    assert not graded.errors
    assert set(graded.marks) == {*NEIGHBOURS, *(one.name for one in CATALOGUE)}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_an_honest_neighbour_has_full_marks(graded: Graded, name: str) -> None:
    record = graded.record(name)
    assert (record.score, record.status, record.flags, record.repairs) == (sum(FULL.values()), GRADED, (), ())
    assert graded.marks[name] == FULL


def test_what_was_handed_in_and_the_course_are_as_before(graded: Graded) -> None:
    assert graded.after == graded.before


def test_the_gradebook_is_whole(graded: Graded) -> None:
    with sqlite3.connect(graded.root / "gradebook.db") as book:
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)


def test_nothing_is_left_behind(graded: Graded) -> None:
    shared = map(Path, ("/tmp", "/dev/shm", "/var/tmp"))  # noqa: S108 - where a sandbox has its own
    places = (Path(mlsd_helpers.__file__).parent, graded.root, Path.home(), *shared)
    assert not [path for place in places for path in place.glob("hostile_was_here*")]
    assert not [path for place in places for path in place.glob("mlsd-hostile-note*")]
    assert not list((Path.home() / ".ipython").glob("**/hostile_was_here*"))
    assert not (graded.root / ".grading").exists()


def test_no_process_is_left(graded: Graded) -> None:
    assert graded.left_running == ()


def test_nothing_reached_the_network(graded: Graded) -> None:
    assert graded.heard == 0


def test_nothing_passes_from_one_sandbox_to_the_next(graded: Graded) -> None:
    assert "NOTES0" in plain(graded.page("finds-a-note-of-another"))
    assert "PATCHEDFalse" in plain(graded.page("finds-a-patch-of-another"))
    assert "OPENED" not in re.sub(
        r"OPENED&quot;|print.*OPENED", "", graded.page("writes-into-the-warm-parents-memory")
    )


def test_the_catalogue_is_large_and_its_names_differ() -> None:
    names = [one.name for one in CATALOGUE]
    assert len(set(names)) == len(names) >= 60
