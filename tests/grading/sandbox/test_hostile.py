"""Submissions that end, hang, fill, spy or lie, in every sandbox that works here."""

import contextlib
import os
import socket
import subprocess
import time

import pytest

import mlsd_helpers
from mlsd_helpers.grading.sandbox import AnswerRaised, AnswerTimeout, Opaque, SessionEnded, processes

pytestmark = pytest.mark.processes

ENDS = {
    "an exit": ("import os; os._exit(0)", "ended its own process"),
    "an abort": ("import os; os.abort()", "ended its own process"),
    "a crash": ("import ctypes; ctypes.string_at(1)", "ended its own process"),
    "a loop that cannot be stopped": ("sum(range(10**14))", "longer than 3 s"),
    "a recursion without end": (
        "import sys; sys.setrecursionlimit(10**9)\ndef f(): return f()\nf()",
        "longer than 3 s|ended its own|memory",
    ),
    "sleepers": (
        "import os, time\nfor _ in range(300):\n    if os.fork() == 0: time.sleep(600)",
        "more than 20 processes",
    ),
    "memory in several processes": (
        "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        b = b'x' * (200 * 2**20); time.sleep(60)",
        "memory",
    ),
    "garbage to every file": (
        "import os\nfor f in range(64):\n    try: os.write(f, b'garbage' * 99)\n    except OSError: pass",
        "sent something",
    ),
    "a reply of its own": (
        'import os, struct\nb = b\'{"id": "0", "outputs": []}\'\nos.write(3, struct.pack(\'!I\', len(b)) + b)',
        "sent something",
    ),
    "a frame that is too long": ("import os\nos.write(3, b'\\xff' * 8)", "sent something"),
    "a reply too early": (
        "import threading, os, time\nthreading.Timer(0.2, lambda: os.write(3, b'\\0\\0\\0\\2{}')).start()",
        "sent something",
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_sandbox_ends_and_says_why(server, submission, name):
    source, reason = ENDS[name]
    with server.session(submission) as session:
        with pytest.raises(SessionEnded, match=reason):
            _run_all(session, [source] + ["import time; time.sleep(1)"] * 20)
        with pytest.raises(SessionEnded, match=reason):
            session.kind("x")
    with server.session(submission) as session:  # and the next one is whole
        assert session.run("1")[0]["data"] == {"text/plain": "1"}


def _run_all(session, cells):
    for cell in cells:
        session.run(cell)


GOES_ON = {
    "a loop": ("while True: pass", "longer than 3 s"),
    "a loop that catches what it can": (
        "while True:\n    try: 1 / 0\n    except Exception: pass",
        "longer than 3 s",
    ),
    "a recursion": ("def f(): return f()\nf()", "recursion"),
    "8 GB": ("x = bytearray(8 * 2**30)\n'done'", ""),
    "8 GB of numbers": ("import numpy as np; x = np.ones(2**30)", "allocate"),
    "memory outside any process": ("import os; os.memfd_create('x')", "not permitted"),
    "a large file": (
        "with open('x', 'wb') as f:\n    for _ in range(99): f.write(bytes(2**20))",
        "space|large",
    ),
    "a device": ("import os; os.mknod('x', 0o600 | 0o20000, 0x103)", "not permitted|denied"),
    "a fork that goes on": ("import os; os.fork(); print('x')", "x"),
    "an answer to nobody": ("input()", "Nobody"),
}


@pytest.mark.parametrize("name", GOES_ON)
def test_a_sandbox_goes_on(session, text, name):
    source, says = GOES_ON[name]
    before = text(session.run(source))
    assert says.split("|")[0] in before or says.split("|")[-1] in before
    assert "done" not in before
    assert text(session.run("1 + 1")) == "2"


def test_what_is_printed_is_cut(session):
    outputs = session.run("for _ in range(1000): print('x' * 10**6)")
    assert sum(len(one["text"]) for one in outputs) < 2 * session.limits.output
    many = session.run("from IPython.display import display\nfor _ in range(2_000): display(1)")
    assert len(many) < 1_500
    large = session.run("from IPython.display import HTML\nHTML('x' * 10**7)")
    assert "cut off" in large[-1]["text"]


def test_nothing_that_a_sandbox_started_is_left(server, submission):
    source = """
import os, subprocess, time
subprocess.Popen(["sleep", "4321.5"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "4321.5"])
    os._exit(0)
time.sleep(0.3)
"""
    with server.session(submission) as session:
        session.run(source)
        assert "4321.5" in _commands()
    for _ in range(50):
        if "4321.5" not in _commands():
            return
        time.sleep(0.1)
    raise AssertionError("a sleeper is left")


def _commands():
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("number", [9, 15])
def test_a_sandbox_cannot_end_another_process(server, submission, number):
    victim = subprocess.Popen(["sleep", "600"])
    source = f"""
import os
for pid in [1, os.getppid(), {victim.pid}, {os.getpid()}, *range(2, 400)]:
    try:
        if pid and pid != os.getpid(): os.kill(pid, {number})
    except OSError:
        pass
"""
    try:
        with server.session(submission) as session:
            session.run(source)
            with contextlib.suppress(SessionEnded):  # where it is not the first process of its namespace
                session.run(f"import os; os.kill(0, {number})")
            before = server._process
            assert before.poll() is None
            assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
    with server.session(submission):
        assert server._process is before


def test_a_sandbox_sees_neither_the_course_nor_the_answers_nor_our_environment(
    server, submission, monkeypatch, root
):
    package = mlsd_helpers.__path__[0]
    secrets = [
        root / "source",
        root / "release",
        f"{package}/exercises/kit.py",
        submission / "data.csv",  # where it lies outside
        "/etc/passwd",
        f"/proc/{os.getpid()}/environ",
        "/proc/1/environ",
    ]
    source = f"""
import os
from pathlib import Path
seen = []
for one in {[str(one) for one in secrets]!r}:
    try: seen.append((one, os.listdir(one) if Path(one).is_dir() else open(one, 'rb').read()))
    except OSError: pass
print(seen)
"""
    monkeypatch.setenv("A_SECRET", "swordfish")
    with server.session(submission) as session:
        assert session.run(source)[0]["text"] == "[]\n"
        assert "swordfish" not in session.run("import os; print(dict(os.environ))")[0]["text"]
        outputs = session.run("from mlsd_helpers.exercises.start.kill import _FAULTS\n_FAULTS")
        assert "times_target" not in str(outputs)


def test_a_sandbox_reaches_no_server(server, submission, text, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        path = str(tmp_path / "s")[:100]
        local.bind(path)
        local.listen()
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\0mlsd-sandbox-test")
        abstract.listen()
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.3)
        source = f"""
import socket
def reached(family, kind, address):
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(2)
            s.connect(address)
            s.send(b"x")
        return True
    except OSError:
        return False
print(reached(socket.AF_INET, socket.SOCK_STREAM, {tcp.getsockname()!r}),
      reached(socket.AF_UNIX, socket.SOCK_STREAM, {path!r}),
      reached(socket.AF_UNIX, socket.SOCK_STREAM, "\\0mlsd-sandbox-test"))
reached(socket.AF_INET, socket.SOCK_DGRAM, {udp.getsockname()!r})
"""
        with server.session(submission) as session:
            assert text(session.run(source)).startswith("False False False")
        with pytest.raises(TimeoutError):
            udp.recv(1)
        udp.close()
        abstract.close()


PASSED_ON = """
import builtins, os, tempfile
import numpy as np
places = ["/tmp", "/dev/shm", "/var/tmp", "/dev", "/", os.path.expanduser("~"), ".", tempfile.gettempdir()]
places += [os.path.dirname(np.__file__), os.path.dirname(os.__file__)]
left = [place for place in places if os.path.exists(os.path.join(place, "left-behind"))]
print(left, hasattr(np, "left"), hasattr(builtins, "left"), "LEFT" in os.environ)
for place in places:
    try: open(os.path.join(place, "left-behind"), "w").close()
    except OSError: pass
np.left = builtins.left = 1
os.environ["LEFT"] = "1"
"""


def test_nothing_passes_from_one_sandbox_to_the_next(server, submission):
    for _ in range(2):
        with server.session(submission) as session:
            assert session.run(PASSED_ON)[0]["text"] == "[] False False False\n"


def test_a_sandbox_writes_neither_to_the_packages_nor_to_the_submission(server, submission, text):
    targets = [
        f"{mlsd_helpers.__path__[0]}/new.py",
        f"{mlsd_helpers.__path__[0]}/exercises/new.py",
        "/usr/new",
    ]
    with server.session(submission) as session:
        for target in targets:
            assert "Error" in str(session.run(f"open({target!r}, 'w')"))
        assert text(session.run("open('data.csv').read()")) == "'a,b\\n1,2\\n'"
        session.run("open('data.csv', 'w').write('changed')")
    assert (submission / "data.csv").read_text() == "a,b\n1,2\n"


def test_a_link_in_a_submission_is_not_followed(server, submission, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "answers.txt").write_text("42")
    (submission / "link.txt").symlink_to(tmp_path / "secret" / "answers.txt")
    (submission / "folder").symlink_to(tmp_path / "secret")
    with server.session(submission) as session:
        assert session.run("import os; print(sorted(os.listdir()))")[0]["text"] == "['data.csv']\n"


def test_a_sandbox_has_no_rights_to_win_back(session, text):
    source = """
import ctypes, os
c = ctypes.CDLL(None)
print(c.umount2(b"/proc", 2), c.umount2(b"/tmp", 2), c.mount(b"x", b"/tmp", b"tmpfs", 0, None),
      c.setuid(0) if os.getuid() else -1, c.ptrace(16, 1, 0, 0))
"""
    assert set(text(session.run(source)).split()) == {"-1"}


ANSWERS = """
class Liar(float):
    __eq__ = lambda self, other: True
    __float__ = lambda self: 42.0
class Any:
    __eq__ = lambda self, other: True
    __float__ = lambda self: 42.0
    __repr__ = lambda self: "42"
class Endless:
    def __repr__(self):
        while True: pass
class Raising:
    def __repr__(self): raise SystemExit("out")
    __class__ = property(lambda self: 1 / 0)
class Bomb:
    def __reduce__(self): return (print, ("boom",))
liar, anything, endless, raising, bomb = Liar(1), Any(), Endless(), Raising(), Bomb()
nested = []
for _ in range(10**5): nested = [nested]
def loop(x):
    while True: pass
def stubborn(x): return sum(range(10**14))
def deep(x): return deep(x)
def blank(x): raise NotImplementedError
def leave(x): raise SystemExit(1)
def lying(x):
    class E(Exception):
        def __str__(self): raise ValueError
    raise E
"""


def test_a_value_says_nothing_but_itself(session):
    session.run(ANSWERS)
    assert type(session.value("liar")) is float
    assert session.value("liar") == 1
    for name in ("anything", "raising", "bomb", "nested"):
        value = session.value(name)
        assert isinstance(value, Opaque), name
        assert value != 42
    with pytest.raises(AnswerTimeout):
        session.value("endless")
    assert session.value("liar") == 1


def test_a_call_ends_in_a_value_or_in_words(session):
    session.run(ANSWERS)
    with pytest.raises(AnswerTimeout):
        session.call("loop", {"x": 1})
    for name, error in (
        ("deep", "RecursionError"),
        ("blank", "NotImplementedError"),
        ("leave", "SystemExit"),
        ("lying", "E"),
        ("missing", "KeyError"),
    ):
        with pytest.raises(AnswerRaised) as raised:
            session.call(name, {"x": 1})
        assert raised.value.type_name == error
    with pytest.raises(SessionEnded, match="longer than 1 s in one call"):
        session.call("stubborn", {"x": 1})


def test_reading_what_is_sent_runs_nothing(session, capsys):
    session.run(ANSWERS)
    session.value("bomb")
    assert "boom" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "reply", ['{"id": 1}', "[]", "1e999", '{"outputs": 3}', "[" * 10**5, "\\ud800", "NaN"]
)
def test_a_sandbox_that_patches_its_own_machinery_ends(session, reply):
    with pytest.raises(SessionEnded, match="sent something"):
        session.run(f"import json\njson.dumps = lambda *a, **k: {reply!r}")


@pytest.mark.parametrize(
    "outputs", ["3", '[{"output_type": "x"}]', '[{"output_type": "stream", "name": "a", "text": "b"}]']
)
def test_outputs_of_another_shape_end_a_sandbox(session, outputs):
    source = f"""
import json
dumps = json.dumps
def forged(given, **_):
    return dumps({{**given, "outputs": json.loads({outputs!r})}} if "id" in given else given)
json.dumps = forged
"""
    with pytest.raises(SessionEnded, match="sent something"):
        session.run(source)


def test_the_family_of_a_process_is_all_below_it():
    with subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600 & wait"], start_new_session=True) as shell:
        time.sleep(0.3)
        family = processes.family(shell.pid)
        assert len(family) == 3
        assert processes.proportional(family) > 0
        processes.end_below(shell.pid)
        shell.kill()
    assert processes.family(shell.pid) == []
