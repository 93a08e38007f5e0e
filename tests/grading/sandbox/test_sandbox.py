import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest

import mlsd_helpers
from mlsd_helpers.errors import GradingError
from mlsd_helpers.exercises import ALL, find
from mlsd_helpers.grading.sandbox import (
    AnswerTimeout,
    ForkServer,
    SessionEnded,
    choose_sandbox,
    confinement,
    landlock,
    sweep,
)
from mlsd_helpers.grading.sandbox.forkserver import _files

from .conftest import LIMITS

pytestmark = pytest.mark.processes


def test_names_are_missing_blank_callable_or_values(session):
    session.run("none = None\ndots = ...\nnumber = 3\ndef function(): pass\nclass Kind: pass")
    kinds = {name: session.kind(name) for name in ("nowhere", "none", "dots", "number", "function", "Kind")}
    assert kinds == {
        "nowhere": "missing",
        "none": "blank",
        "dots": "blank",
        "number": "value",
        "function": "callable",
        "Kind": "callable",
    }


def test_an_answer_is_called_on_a_case_and_says_nothing_else(session):
    session.run("import warnings")
    session.run(
        "def f(x, *, y=1):\n    print(x)\n    warnings.warn('!')\n    x.append(y)\n    return {'all': x}"
    )
    case = {"x": [1], "y": 2}
    assert session.call("f", case) == {"all": [1, 2]}
    assert case == {"x": [1], "y": 2}
    assert session.run("1") == [
        {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {}, "execution_count": 3}
    ]


def test_cells_follow_each_other_and_outputs_are_valid(session):
    outputs = session.run("import numpy as np\nx = np.ones(2)\nprint(x)")
    outputs += session.run("x + 1") + session.run("x / y") + session.run("display(x)")
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.from_dict(one) for one in outputs])
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    assert [one["output_type"] for one in outputs] == ["stream", "execute_result", "error", "display_data"]


def test_a_sandbox_knows_the_cases_that_are_shown_and_no_more(session, text):
    session.run(
        "import mlsd_helpers as mlsd\nfrom mlsd_helpers.exercises import find, check\nfind('00-shown').cases"
    )
    assert text(session.run("mlsd.exercises.find('00-shown').cases")) == "({'x': 1}, {'x': 2})"
    for name in ("inputs", "cases"):  # the second is the older name
        assert text(session.run(f"mlsd.exercises.{name}('00-shown')[1]")) == "{'x': 2}"
    assert "00-shown" in text(session.run("mlsd.exercises.find('00-other')"))
    assert session.run("mlsd.exercises.ALL")[0]["data"]["text/plain"] == "()"
    verdict = session.run("verdict = mlsd.check('00-shown', 3)\nverdict")
    assert "outside" in verdict[0]["data"]["text/markdown"]
    assert session.run("assert verdict.passed is None\nverdict.grade()")[-1]["data"] == {"text/plain": "0.0"}
    for shown in ("mlsd.hint('00-shown')", "mlsd.ask('00-ask-share')", "mlsd.widgets.Prediction"):
        assert session.run(shown)[0]["output_type"] == "execute_result"


def cases_of(exercise):
    return exercise.cases if exercise.draw is None else (*exercise.cases, exercise.draw(random.Random(1)))


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_every_case_goes_into_a_sandbox(session, exercise):
    session.run("def names(**case): return sorted(case)")
    for case in cases_of(exercise)[:2] + cases_of(exercise)[-1:]:
        assert session.call("names", case) == sorted(case)


def test_a_function_of_a_case_is_asked_outside(server, submission, text):
    exercise = find("00-kill")
    with server.session(submission, {exercise.id: exercise.cases}) as session:
        session.run("from mlsd_helpers.exercises import cases\nright = cases('00-kill')[0]['right']")
        assert text(session.run("right(500, 0.040, 0.7, 0.3)")) == "38"
        assert "Error" in session.run("right('many')")[0]["ename"]
        session.run("def f(right, suspect, **_): return right(500, 0.04, 0.7, headroom=0.3), repr(suspect)")
        case = exercise.cases[0]
        assert session.call("f", case) == (38, repr(case["suspect"]))
        outputs = session.run("vars(right), type(right).__module__, right.fault")
        assert case["suspect"]._fault not in str(outputs)
        session.run("def f(right, **_):\n    while True: right(500, 0.04, 0.7, 0.3)")
        with pytest.raises(AnswerTimeout):
            session.call("f", case)
        assert session.kind("f") == "callable"


def test_what_a_sandbox_cannot_hold_is_our_fault_not_the_students(session):
    with pytest.raises(GradingError, match="Exercise"):
        session.call("f", {"x": ALL[0]})
    assert session.kind("f") == "missing"


def test_a_sandbox_that_was_closed_says_so(server, submission):
    with server.session(submission) as session:
        session.run("x = bytearray(50 * 2**20)")
    assert session.cost.seconds > 0
    assert session.cost.peak > 50 * 2**20
    with pytest.raises(SessionEnded, match="closed"):
        session.run("1")


def test_a_fork_server_that_was_killed_starts_again(server, submission):
    before = server._process
    with server.session(submission) as session:
        os.kill(before.pid, signal.SIGKILL)
        before.wait()
        if server.sandbox == "bubblewrap":
            with pytest.raises(SessionEnded):
                session.run("import time; time.sleep(2)")
    with server.session(submission) as session:
        assert session.run("1")


def test_random_numbers_differ_from_sandbox_to_sandbox(server, submission):
    drawn = set()
    for _ in range(3):
        with server.session(submission) as session:
            drawn.add(str(session.run("import random, numpy as np\nrandom.random(), np.random.random()")))
    assert len(drawn) == 3


def test_a_whole_sandbox_has_a_limit(server, submission):
    with (
        server.session(submission, deadline=time.monotonic() + 0.5) as session,
        pytest.raises(SessionEnded, match="in all"),
    ):
        session.run("import time; time.sleep(2)")


def test_without_a_sandbox_there_are_limits_all_the_same(submission):
    with ForkServer("none", limits=LIMITS) as server:
        with server.session(submission) as session:
            assert session.run("open('data.csv').read()")[0]["data"]["text/plain"] == "'a,b\\n1,2\\n'"
            assert "times_target" not in str(
                session.run("from mlsd_helpers.exercises.start.kill import _FAULTS\n_FAULTS")
            )
            session.run("import subprocess; subprocess.Popen(['sleep', '600.25'], start_new_session=True)")
            with pytest.raises(SessionEnded, match="longer"):
                session.run("sum(range(10**14))")
        assert server.descendants() == []
    assert (submission / "data.csv").exists()


# ---- the sandbox ----------------------------------------------------------------------------------


def test_the_best_sandbox_is_chosen_and_none_only_when_that_is_allowed(monkeypatch):
    monkeypatch.setattr(confinement, "_no_bubblewrap", lambda: "")
    monkeypatch.setattr(confinement, "_no_landlock", lambda: "")
    assert choose_sandbox() == "bubblewrap"
    monkeypatch.setattr(confinement, "_no_bubblewrap", lambda: "there is none")
    assert choose_sandbox() == "landlock"
    monkeypatch.setattr(confinement, "_no_landlock", lambda: "too old")
    with pytest.raises(GradingError, match=r"(?s)there is none.*too old.*--unsafe"):
        choose_sandbox()
    assert choose_sandbox(unsafe=True) == "none"


def test_off_linux_grading_without_a_sandbox_has_to_be_allowed(monkeypatch):
    monkeypatch.setattr(confinement.sys, "platform", "darwin")
    with pytest.raises(GradingError, match="--unsafe"):
        choose_sandbox()
    assert choose_sandbox(unsafe=True) == "stock"


def test_it_is_said_why_a_sandbox_does_not_work(monkeypatch, tmp_path):
    monkeypatch.setattr(landlock, "version", lambda: 4)
    assert "6.12" in confinement._no_landlock()
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert "setting up uid map" in confinement._no_bubblewrap()
    with pytest.raises(GradingError, match="setting up uid map"), ForkServer("bubblewrap"):
        pass
    monkeypatch.setenv("PATH", "")
    assert "not installed" in confinement._no_bubblewrap()


def test_hidden_folders_are_not_seen_wherever_they_lie(server, submission):
    hidden = Path(mlsd_helpers.__path__[0], "cases")
    case = next(hidden.glob("*.yaml"))
    source = f"len(open({str(case)!r}).read())"
    with server.session(submission) as session:
        assert session.run(source)[0]["output_type"] == "execute_result"
    with (
        ForkServer(server.sandbox, limits=LIMITS, hidden=[hidden]) as other,
        other.session(submission) as session,
    ):
        assert session.run(source)[0]["output_type"] == "error"


def test_the_inside_needs_no_nbgrader():
    code = "import sys; import mlsd_helpers.grading.sandbox.inside as i; i._preload(); print('nbgrader' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_files_of_a_submission_are_counted(tmp_path):
    for name in "abc":
        (tmp_path / name).write_bytes(bytes(100))
    os.mkfifo(tmp_path / "pipe")
    assert dict(_files(tmp_path, 250)).keys() == {"a", "b"}


def test_the_folder_of_a_killed_worker_is_swept_away_and_no_other(server):
    left = tempfile.mkdtemp(prefix="mlsd-sandbox-")
    sweep()
    assert not Path(left).exists()
    assert server._scratch.exists()


def deep(folder):
    here = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(3_000):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    "make", [deep, lambda folder: (folder / "d").mkdir(mode=0o300)], ids=["deep", "closed"]
)
def test_a_folder_that_is_hard_to_remove_is_removed(make):
    left = Path(tempfile.mkdtemp(prefix="mlsd-sandbox-"))
    make(left)
    sweep()
    assert not left.exists()


def test_a_sandbox_keeps_to_its_workers_processor(submission):
    one = min(os.sched_getaffinity(0))
    before = os.sched_getaffinity(0)
    with (
        ForkServer(choose_sandbox(), limits=LIMITS, processors=[one]) as server,
        server.session(submission) as session,
    ):
        session.run(
            "import os\ntry: os.sched_setaffinity(0, range(os.cpu_count()))\nexcept OSError: pass\n"
            "mine = os.sched_getaffinity(0)"
        )
        assert session.value("mine") == {one}
    assert os.sched_getaffinity(0) == before
