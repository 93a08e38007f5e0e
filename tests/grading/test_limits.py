"""What one submission may cost, in time, memory and size, wherever that is spent. Each limit is scaled down here."""

import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import nbformat
import pytest

from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading import (
    classroom,
    deadline,
    end_to_end,
    flags,
    grade,
    judging,
    records,
    restore,
    submission,
    workers,
)
from mlsd_helpers.grading.classroom import grade_class
from mlsd_helpers.grading.grade import Job
from mlsd_helpers.grading.records import FAILED, GRADED
from mlsd_helpers.grading.sandbox import ForkServer, Limits, SessionEnded, choose_sandbox, forkserver
from tests.grading.conftest import ASSIGNMENT

pytestmark = pytest.mark.processes

MB = 2**20
FEW_LIMITS = Limits(
    cell_s=6, call_s=1, cells_s=10, memory=300 * MB, processes=20, first_s=3, judge_s=2, page_s=2, outputs=MB
)


def sandbox():
    try:
        return choose_sandbox()
    except GradingError as error:
        pytest.skip(f"NOT RUN: {error}")


def with_cells(course, student, *sources, cell_type="code", right=False):
    """Hand in a notebook with cells of one's own behind its first code cell, and right answers or none."""
    source = "reference" if right else "blank"
    folder = course / "submitted" / student / ASSIGNMENT
    if not folder.exists():
        shutil.copytree(course / "submitted" / source / ASSIGNMENT, folder)
    path = folder / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    first = next(at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code") + 1
    new = nbformat.v4.new_code_cell if cell_type == "code" else nbformat.v4.new_markdown_cell
    notebook.cells[first:first] = [new(one) for one in sources]
    nbformat.write(notebook, path)


def graded(course, *students, workers=1, limits=FEW_LIMITS, **options):
    job = Job(course, ASSIGNMENT, sandbox(), seed=7, limits=limits, **options)
    summary = grade_class(job, students or grade.students(job), workers=workers)
    return {one.student: one for one in summary.results}


def test_what_documents_say_of_the_limits_is_so():
    root = Path(__file__).parents[2]
    guide, decision = (
        " ".join((root / "docs" / name).read_text(encoding="utf-8").split())
        for name in ("instructors.md", "decisions/0014-grading.md")
    )
    limits = Limits()
    assert limits.cells_s == 4 * 60
    assert "four minutes for all its cells" in guide
    assert f"longer than {limits.first_s:g} seconds" in guide
    assert f"{restore.MOST_SOURCE:,} characters a cell, {restore.MOST_EXTRAS} cells of their own" in decision
    assert f"{limits.outputs // MB} MB of outputs" in decision


# ---- a sandbox ---------------------------------------------------------------------------------------

HOG = """
import os, time

def hog(number, size):
    for _ in range(number):
        if os.fork() == 0:
            held = bytearray(size); held[::4096] = b"x" * len(held[::4096]); time.sleep(30); os._exit(0)
hog(4, 150 * 2**20)
"""


@pytest.fixture(scope="module")
def parent():
    with ForkServer(sandbox(), limits=FEW_LIMITS) as warm:
        yield warm


def test_a_sandbox_whose_cells_are_short_is_watched_all_the_same(parent, tmp_path):
    def many_short_cells(session):
        session.run(HOG)
        for _ in range(100):
            session.run("time.sleep(.05)")

    with parent.session(tmp_path) as session, pytest.raises(SessionEnded, match="memory"):
        many_short_cells(session)


def test_a_sandbox_that_sends_byte_by_byte_is_watched_all_the_same(parent, tmp_path):
    dribble = 'import struct\nos.write(3, struct.pack("!I", 2**20))\n'
    dribble += 'for _ in range(200): os.write(3, b" "); time.sleep(.02)'
    with parent.session(tmp_path) as session, pytest.raises(SessionEnded, match="memory"):
        session.run(HOG + dribble)


def test_a_sandbox_is_watched_while_the_judge_is_busy(parent, tmp_path):
    with parent.session(tmp_path) as session:
        session.run(HOG)
        end = time.monotonic() + 10
        while not session.excess and time.monotonic() < end:
            time.sleep(0.05)  # nobody asks the sandbox anything
        with pytest.raises(SessionEnded, match="memory"):
            session.run("1")


SLEEPERS = """
import os, time
for _ in range(400):
    if os.fork() == 0: time.sleep(60); os._exit(0)
"""


def test_a_cell_that_leaves_too_many_processes_ends_its_sandbox_before_the_watcher_looks(
    parent, tmp_path, monkeypatch
):
    monkeypatch.setattr(forkserver, "_CHECK_S", 1000)
    with parent.session(tmp_path) as session, pytest.raises(SessionEnded, match="processes"):
        session.run(SLEEPERS)


@pytest.mark.end_to_end
@pytest.mark.parametrize("late", [0, 1])
def test_what_a_cell_leaves_running_costs_no_other_answer_whenever_the_watcher_looks(
    course_of, monkeypatch, late
):
    """The watcher looks all the time, but in the first `late` sandboxes only when an answer is being judged."""
    watch, kind = forkserver.Session._watch, forkserver.Session.kind
    sandboxes, judging_now = [], set()

    def begin_to_watch(session):
        sandboxes.append(session)
        if len(sandboxes) <= late:
            while session not in judging_now and not session._closing.wait(0.01):
                pass
        watch(session)

    def note_and_say_kind(session, name):
        judging_now.add(session)
        return kind(session, name)

    monkeypatch.setattr(forkserver.Session, "_watch", begin_to_watch)
    monkeypatch.setattr(forkserver.Session, "kind", note_and_say_kind)
    monkeypatch.setattr(forkserver, "_CHECK_S", 0.001)
    course = course_of("reference")
    with_cells(course, "sleepers", SLEEPERS, right=True)
    results = graded(course, workers=0)
    assert flags.LIMIT in {flag.kind for flag in results["sleepers"].record.flags}
    assert results["sleepers"].record.score == results["reference"].record.score > 0


WAITS_FOR_AN_ANSWER = """
import os, time
if os.fork() == 0:
    while not os.path.exists("asked"): time.sleep(0.01)
    for _ in range(40): os.fork()
    time.sleep(60)
"""


@pytest.mark.end_to_end
def test_an_answer_that_a_process_of_an_earlier_cell_ended_is_judged_without_that_process(course_of):
    course = course_of("reference")
    with_cells(course, "late", WAITS_FOR_AN_ANSWER, right=True)
    path = course / "submitted" / "late" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "def " in cell.source and cell.metadata.get("nbgrader", {}).get("solution"):
            name = next(line for line in cell.source.splitlines() if line.startswith("def ")).split("(")[0][
                4:
            ]
            cell.source += f"""
right_{name} = {name}
def {name}(**case):
    if not os.path.exists("asked"):
        open("asked", "w").close()
        time.sleep(0.7)
    return right_{name}(**case)
"""
    nbformat.write(notebook, path)
    results = graded(course, workers=0)
    assert flags.LIMIT in {flag.kind for flag in results["late"].record.flags}
    assert results["late"].record.score == results["reference"].record.score > 0


def test_a_function_that_stays_outside_is_asked_with_modest_numbers_only(parent, tmp_path):
    asked = []

    def outside(*given):
        asked.append(given)
        return 0.0

    outside.__module__ = "mlsd_helpers.exercises.start.kill"
    with parent.session(tmp_path, {"00-shown": ({"ask": outside},)}) as session:
        session.run(
            "import mlsd_helpers as mlsd\nask = mlsd.exercises.cases('00-shown')[0]['ask']\nrefused = []\n"
            "for odd in ('x' * 2**20, [0] * 1000, 10**300, float('nan'), float('inf'), 1j, None, {1: 2}):\n"
            "    try: ask(odd)\n"
            "    except ValueError as error: refused.append(str(error))\n"
            "ask(1, 2.5, True)"
        )
        assert len(session.value("refused")) == 8
        assert session.odd_arguments
    assert asked == [(1, 2.5, True)]


def test_threads_of_a_cell_ask_a_function_at_once_and_fractions_are_numbers(parent, tmp_path):
    def outside(number):
        return 2 * number

    outside.__module__ = "mlsd_helpers.exercises.start.kill"
    with parent.session(tmp_path, {"00-shown": ({"ask": outside},)}) as session:
        session.run(
            "import mlsd_helpers as mlsd\nfrom concurrent.futures import ThreadPoolExecutor\n"
            "from fractions import Fraction\nask = mlsd.exercises.cases('00-shown')[0]['ask']\n"
            "with ThreadPoolExecutor(4) as threads: asked = list(threads.map(ask, range(200)))\n"
            "half = ask(Fraction(1, 4))"
        )
        assert session.value("asked") == [2 * number for number in range(200)]
        assert session.value("half") == 0.5
        assert not session.odd_arguments


# ---- judging --------------------------------------------------------------------------------------


def test_a_time_limit_ends_a_regular_expression_that_would_take_for_ever():
    import re

    with pytest.raises(deadline.OutOfTimeError), deadline.time_limit(0.2):
        re.match(r"(a+)+b", "a" * 64)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_what_is_not_counted_takes_nothing_of_the_time():
    with deadline.time_limit(0.3):
        with deadline.pause_time_limit():
            time.sleep(0.5)
        left, _ = signal.getitimer(signal.ITIMER_REAL)
    assert 0 < left <= 0.3


@pytest.mark.end_to_end
def test_an_exercise_that_takes_long_to_judge_costs_itself(course_of, monkeypatch):
    judge = judging.kit.judge

    def slow(exercise, answer, **options):
        if exercise.id == "05-plan":
            while True:
                time.sleep(0.01)
        return judge(exercise, answer, **options)

    monkeypatch.setattr(judging.kit, "judge", slow)
    course = course_of("reference")
    (result,) = graded(course, workers=0).values()
    scores = {name: (one.score, one.points) for name, one in result.record.exercises.items()}
    assert scores.pop("05-plan")[0] == 0
    assert all(score == points for score, points in scores.values())
    assert [flag.kind for flag in result.record.flags] == [flags.LIMIT]


def test_a_worker_that_takes_too_much_memory_gets_an_error_and_lives():
    with workers.pool(1, 200 * MB) as processes:
        with pytest.raises(MemoryError):
            processes.schedule(bytearray, args=(2**30,)).result()
        assert processes.schedule(len, args=("alive",)).result() == 5


@pytest.mark.end_to_end
def test_a_submission_for_which_memory_does_not_suffice_has_a_result_that_says_so(course_of, monkeypatch):
    course = course_of("reference", "blank")
    run = grade.judging.run

    def hungry(notebook, *rest):
        if any("hungry" in cell.source for cell in notebook.cells):
            raise MemoryError
        return run(notebook, *rest)

    monkeypatch.setattr(grade.judging, "run", hungry)
    with_cells(course, "hungry", "hungry = 1")
    results = graded(course, workers=0)
    assert results["hungry"].record.status == FAILED
    assert "memory" in results["hungry"].record.reason
    assert "memory" in end_to_end.feedback_page(course, "hungry", ASSIGNMENT).read_text(encoding="utf-8")
    assert results["reference"].record.score > 0


# ---- the page -------------------------------------------------------------------------------------


@pytest.mark.end_to_end
def test_a_page_that_takes_too_long_shows_the_judgement_alone_and_the_score_stays(course_of, monkeypatch):
    from mlsd_helpers.grading.converting import _FeedbackExporter

    write = _FeedbackExporter.from_notebook_node

    def slow(self, nb, *rest, **options):
        while any("slow = 1" in cell.source for cell in nb.cells):
            time.sleep(0.01)
        return write(self, nb, *rest, **options)

    monkeypatch.setattr(_FeedbackExporter, "from_notebook_node", slow)
    course = course_of("reference")
    with_cells(course, "slow", "slow = 1", right=True)
    results = graded(course, workers=0)
    assert results["slow"].record.score == results["reference"].record.score > 0
    assert end_to_end.marks(course, ASSIGNMENT)["slow"] == end_to_end.marks(course, ASSIGNMENT)["reference"]
    assert flags.SLOW in {flag.kind for flag in results["slow"].record.flags}
    assert "too long" in end_to_end.feedback_page(course, "slow", ASSIGNMENT).read_text(encoding="utf-8")


@pytest.mark.end_to_end
def test_the_outputs_of_a_whole_notebook_have_a_limit(course_of):
    course = course_of("blank")
    with_cells(course, "loud", *["print('x' * 200_000)"] * 30)
    (loud,) = graded(course, "loud").values()
    assert loud.record.status == GRADED
    page = end_to_end.feedback_page(course, "loud", ASSIGNMENT)
    assert page.stat().st_size < 5 * FEW_LIMITS.outputs
    assert flags.LEFT_OUT in {flag.kind for flag in loud.record.flags}


@pytest.mark.end_to_end
def test_many_empty_outputs_count_too(course_of):
    course = course_of("blank")
    with_cells(course, "many", *["for _ in range(900): display(1)"] * 8)
    (many,) = graded(course, "many").values()
    assert flags.LEFT_OUT in {flag.kind for flag in many.record.flags}


# ---- reading --------------------------------------------------------------------------------------


def released(course):
    return nbformat.read(course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)


def written(tmp_path, notebook):
    path = tmp_path / f"{ASSIGNMENT}.ipynb"
    path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook))
    return path


def test_what_a_notebook_says_of_itself_is_cut_before_it_is_multiplied(handed_in_once, tmp_path):
    notebook = released(handed_in_once[0])
    notebook.cells[0].metadata = {"nbgrader": {"grade_id": "x" * 200_000}, "tags": ["skip"] * 2_000}
    read = restore.restore(released(handed_in_once[0]), written(tmp_path, notebook))
    assert not read.problem
    assert len(read.tags) <= 100
    assert sum(map(len, [*read.tags, *read.repairs])) < 50_000


def test_a_notebook_of_too_many_cells_is_refused_with_what_to_do(handed_in_once, tmp_path):
    notebook = released(handed_in_once[0])
    many = '{"nbformat": 4, "cells": [' + ", ".join(["{}"] * (restore.MOST_CELLS + 1)) + "]}"
    read = restore.restore(notebook, written(tmp_path, many))
    assert f"{restore.MOST_CELLS:,}" in read.problem


def test_a_cell_that_is_too_long_is_left_out_and_the_student_is_told(handed_in_once, tmp_path):
    notebook = released(handed_in_once[0])
    long = "x = 1\n" * restore.MOST_SOURCE
    notebook.cells.append(nbformat.v4.new_code_cell(long))
    answer = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution"))
    answer.source = long
    read = restore.restore(released(handed_in_once[0]), written(tmp_path, notebook))
    assert len(read.left_out) == 2
    assert len(nbformat.writes(read.notebook)) < len(long)


def test_answers_count_however_many_cells_of_ones_own_there_are(handed_in_once, tmp_path):
    notebook = released(handed_in_once[0])
    answer = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution"))
    answer.source = "answer = 1"
    notebook.cells[0:0] = [nbformat.v4.new_code_cell("y = 1\n" * 3_000) for _ in range(60)]
    read = restore.restore(released(handed_in_once[0]), written(tmp_path, notebook))
    assert "answer = 1" in read.answers.values()
    assert read.left_out


def as_ordinary_user(function, *given):
    """Call a function in a process that may not read everything; return what it returns, which JSON can hold."""
    with tempfile.TemporaryFile() as answer:
        child = os.fork()
        if not child:
            try:
                if os.getuid() == 0:
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                answer.write(json.dumps(function(*given)).encode())
                answer.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        answer.seek(0)
        return json.loads(answer.read())


@pytest.fixture
def folder():
    """Yield a folder of a submission that an ordinary user can reach."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        inside = Path(place, "submission")
        inside.mkdir()
        if os.getuid() == 0:
            os.chown(inside, 65534, 65534)
        yield inside
        inside.chmod(0o700)
        for below in inside.rglob("*"):
            if not below.is_symlink():
                below.chmod(0o700)


def what_was_read(folder):
    read = submission.read(folder)
    return {"files": sorted(read.files), "notes": list(read.notes), "links": list(read.links)}


def make_unreadable(path):
    path.write_text("x")
    path.chmod(0o004 if os.getuid() else 0o000)


def odd_name(place):
    return place / os.fsdecode(b"\xff")


ODD = {
    "a file that cannot be read": lambda place: make_unreadable(place / "odd.txt"),
    "a folder that cannot be read": lambda place: (place / "odd").mkdir(mode=0o000),
    "a link": lambda place: (place / "odd").symlink_to("/etc/passwd"),
    "a link whose name is no text": lambda place: odd_name(place).symlink_to("x"),
    "a file whose name is no text": lambda place: odd_name(place).touch(),
    "a name that would forge a line": lambda place: (place / "a\n  look at ada: b").symlink_to("x"),
    "a pipe": lambda place: os.mkfifo(place / "odd"),
    "a long path": lambda place: (
        (place / ("d" * 150) / ("e" * 150)).mkdir(parents=True)
        or (place / ("d" * 150) / ("e" * 150) / "f").touch()
    ),
    "a huge file": lambda place: os.truncate(
        os.open(place / "odd", os.O_CREAT | os.O_WRONLY), 100 * submission.MOST_BYTES
    ),
    "a huge time": lambda place: os.truncate(
        os.open(place / "timestamp.txt", os.O_CREAT | os.O_WRONLY), 100 * submission.MOST_BYTES
    ),
    "a time that is none": lambda place: (place / "timestamp.txt").write_bytes(b"the day before yesterday"),
    "too many files": lambda place: [(place / f"p-{n}").touch() for n in range(submission.MOST_FILES + 1)],
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_what_cannot_be_read_is_noted_and_the_rest_is_read(folder, make):
    (folder / "own.txt").write_text("data")
    make(folder)
    read = as_ordinary_user(what_was_read, folder)
    assert "own.txt" in read["files"]
    assert read["notes"]
    assert all(note.isprintable() for note in [*read["notes"], *read["links"]])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
def test_a_submission_that_cannot_be_read_at_all_is_read_as_empty(folder):
    folder.chmod(0o000)
    read = as_ordinary_user(what_was_read, folder)
    assert read["files"] == []
    assert read["notes"]


def test_what_was_left_out_is_told_to_the_student(course_of):
    course = course_of("blank")
    (course / "submitted" / "blank" / ASSIGNMENT / "data<b>.csv").symlink_to("/etc/hostname")
    (result,) = graded(course, workers=0).values()
    page = end_to_end.feedback_page(course, "blank", ASSIGNMENT).read_text(encoding="utf-8")
    assert "data&lt;b&gt;.csv" in page.replace("&#60;", "&lt;").replace("&#62;", "&gt;")
    assert any("data<b>.csv" in repair for repair in result.record.repairs)


# ---- a class --------------------------------------------------------------------------------------

HOSTILE = {
    "sleeps": ["import time\ntime.sleep(1000)"],
    "spins": ["while True: pass"],
    "swallows": ["import time\nwhile True:\n    try: time.sleep(1)\n    except BaseException: pass"],
    "forks": ["import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"],
    "hogs": [HOG],
    "prints": ["while True: print('x' * 10_000)"],
    "begins-again": ["import time\ntime.sleep(2)", "import os\nos._exit(0)"] * 4,
    "slow-to-show": ["from IPython.display import HTML\nHTML('<img' * 400_000)"] * 3,
    "slow-to-colour": ["x." * 9_900] * 20,
    "nested": ["[" * 9_000],
}


@pytest.mark.end_to_end
def test_a_class_in_which_one_in_three_is_hostile_is_graded_and_the_honest_come_first(course_of):
    # Slow, since each of them takes all the time that it may: some 30 s with limits of a tenth.
    course = course_of("reference")
    right = course / "submitted" / "reference" / ASSIGNMENT
    for number in range(19):
        shutil.copytree(right, course / "submitted" / f"honest-{number:02}" / ASSIGNMENT)
    for name, sources in HOSTILE.items():  # names that come before all others
        with_cells(course, f"a-{name}", *sources, right=True)
    limits = Limits(
        cell_s=3, call_s=1, cells_s=8, memory=300 * MB, processes=30, first_s=2, judge_s=3, page_s=3
    )
    job = Job(course, ASSIGNMENT, sandbox(), limits=limits)
    order: list[str] = []
    spread = classroom._in_processes

    def watched(*given):
        for result in spread(*given):
            order.append(result.student)
            yield result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classroom, "_in_processes", watched)
        summary = grade_class(job, grade.students(job), workers=2)
    assert not summary.errors
    marks = end_to_end.marks(course, ASSIGNMENT)
    assert len(marks) == 20 + len(HOSTILE)
    honest = [name for name in marks if not name.startswith("a-")]
    assert all(marks[name] == marks["reference"] for name in honest)
    assert all(records.read(course, ASSIGNMENT, name).status == GRADED for name in honest)
    hostile = {one.student: one.record for one in summary.results if one.student.startswith("a-")}
    for name in ("swallows", "begins-again"):
        assert flags.LIMIT in {flag.kind for flag in hostile[f"a-{name}"].flags}, (name, hostile[f"a-{name}"])
    # Whoever used up the first turn waits until each honest one has had one.
    assert order.index("a-sleeps") > max(order.index(name) for name in honest)
