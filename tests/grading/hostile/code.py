"""Submissions whose code reads, writes, patches, or does not end.

What could do harm outside a sandbox looks first whether it is in one, and is bounded.
"""

from functools import partial

from tests.grading.hostile.desk import ALL_BUT_TWO, Submission, attack

# A right answer to both, as whoever reads it somewhere would run it.
_RUN_SOLUTIONS = """
import json
for cell in json.load(open(path))["cells"]:
    source = "".join(cell["source"])
    if cell["metadata"].get("nbgrader", {}).get("solution"):
        exec(source)
"""
_ONLY_IN_A_ROOM = """
import os
if os.path.exists(COURSE):
    raise SystemExit("this is no sandbox")
"""

trouble = partial(attack, flagged=None, failed=None)
"""Code that goes wrong, on purpose or not: no cheating to flag."""

# ---- reads ----------------------------------------------------------------------------------------

READS = (
    attack(
        "reads-source", f'path = COURSE + "/source/01_requirements/01_requirements.ipynb"{_RUN_SOLUTIONS}'
    ),
    attack(
        "reads-source-by-relative-path",
        f'path = "../../source/01_requirements/01_requirements.ipynb"{_RUN_SOLUTIONS}',
    ),
    attack(
        "reads-a-neighbour",
        f'path = COURSE + "/submitted/a-neighbour/01_requirements/01_requirements.ipynb"{_RUN_SOLUTIONS}',
    ),
    attack(
        "reads-graded-work-and-verdicts",
        """
import glob
for path in glob.glob(COURSE + "/autograded/**", recursive=True) + glob.glob(COURSE + "/verdicts/**", recursive=True):
    print(open(path).read())
""",
    ),
    attack(
        "reads-its-own-notebook-for-hidden-tests",
        """
import glob
for pattern in ("*", "../*", "../../*", "/proc/*/cwd/*", COURSE + "/*/*/*"):
    for path in glob.glob(pattern):
        if path.endswith("ipynb"):
            print(path, open(path, errors="replace").read())
""",
        flagged=None,
    ),
    attack(
        "imports-the-reference",
        """
from mlsd_helpers.exercises import find
peak, percentile = find("01-peak").reference, find("01-percentile").reference
""",
    ),
    attack(
        "imports-the-exercise-modules",
        """
from mlsd_helpers.exercises.requirements.peak import EXERCISE
peak = EXERCISE.reference
""",
    ),
    attack(
        "reads-the-exercise-files",
        """
import glob, os, sys
import mlsd_helpers
root = os.path.dirname(mlsd_helpers.__file__)
for path in glob.glob(root + "/exercises/**/*.py", recursive=True):
    space = {}
    exec(open(path).read(), space)
    peak = getattr(space.get("EXERCISE"), "reference", peak)
""",
    ),
    attack(
        "searches-memory-for-the-reference",
        """
import gc
for thing in gc.get_objects():
    if getattr(thing, "__module__", "") == "mlsd_helpers.exercises.requirements.peak" or hasattr(thing, "alternatives"):
        peak = getattr(thing, "reference", thing)
""",
    ),
    attack(
        "climbs-the-frames-of-its-caller",
        call="""
import sys
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
        right = getattr(value, "reference", None)
        if callable(right):
            return right(counts, bucket_s, repeated)
    frame = frame.f_back
return {"peak_rps": 0, "mean_rps": 0}
""",
        flagged=None,
    ),
    attack(
        "reads-environment-secrets",
        """
import os
print(dict(os.environ))
for number in range(1, 2_000):
    try:
        print(open(f"/proc/{number}/environ").read())
    except OSError:
        pass
""",
    ),
    attack("reads-a-secret-file", "print(open(SECRET).read())", flagged=None),
    attack(
        "reads-the-gradebook",
        """
import sqlite3
for row in sqlite3.connect(f"file:{COURSE}/gradebook.db?mode=ro", uri=True).execute("select * from student"):
    print(row)
""",
    ),
    attack(
        "calls-home",
        """
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for host in ("127.0.0.1", "localhost"):
        try:
            with socket.socket(socket.AF_INET, kind) as out:
                out.settimeout(0.2)
                out.connect((host, PORT))
                out.sendall(b"the hidden tests")
        except OSError as error:
            print(error)
""",
    ),
)

# ---- writes ---------------------------------------------------------------------------------------

WRITES = (
    attack(
        "writes-marks-into-the-gradebook",
        """
import sqlite3
with sqlite3.connect(COURSE + "/gradebook.db") as book:
    book.execute("update grade set auto_score = 42, manual_score = 42")
""",
    ),
    attack("deletes-the-gradebook", 'import os\nos.remove(COURSE + "/gradebook.db")'),
    attack(
        "overwrites-a-neighbour",
        """
import glob
for path in glob.glob(COURSE + "/submitted/*/01_requirements/*.ipynb"):
    open(path, "w").write("{}")
""",
    ),
    attack(
        "writes-to-source-and-release",
        """
for step in ("source", "release"):
    open(f"{COURSE}/{step}/01_requirements/01_requirements.ipynb", "a").write(" ")
""",
        flagged=None,
    ),
    attack(
        "writes-into-the-package",
        """
import os
import mlsd_helpers
open(os.path.dirname(mlsd_helpers.__file__) + "/hostile_was_here.txt", "w").write("x")
""",
        flagged=None,
    ),
    attack(
        "leaves-a-start-up-file",
        """
import os, pathlib, site
for place in ("~/.ipython/profile_default/startup", "~/.config/matplotlib", site.getusersitepackages()):
    folder = pathlib.Path(os.path.expanduser(place))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hostile_was_here.py").write_text("hostile = True")
""",
        flagged=None,
    ),
    attack(
        "leaves-a-note-for-the-next",
        """
import glob, os
for place in ("/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~"), "."):
    for path in glob.glob(place + "/mlsd-hostile-note*"):
        exec(open(path).read())  # finds what another one left
    try:
        open(place + "/mlsd-hostile-note", "w").write("raise SystemError('a note was found')")
    except OSError:
        pass
""",
        flagged=None,
    ),
    attack(
        "finds-a-note-of-another",
        """
import glob, os
found = [path for place in ("/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~"), ".")
         for path in glob.glob(place + "/mlsd-hostile-note*")]
print("NOTES", len(found))
if found:
    fan_out = None
    raise SystemError("a note was found")
""",
        flagged=None,
    ),
    attack(
        "kills-the-warm-parent",
        _ONLY_IN_A_ROOM
        + """
import signal
for number in [os.getppid(), *range(1, 100)]:
    if number != os.getpid():
        try:
            os.kill(number, signal.SIGKILL)
        except OSError:
            pass
""",
        failed=None,
    ),
    attack(
        "kills-everything",
        _ONLY_IN_A_ROOM + "import signal\nos.kill(-1, signal.SIGSTOP)\nos.kill(-1, signal.SIGKILL)",
        failed=None,
    ),
    attack(
        "writes-into-the-warm-parents-memory",
        """
import os
for number in {os.getppid(), 1, 2, 3}:
    for name in ("mem", "environ", "maps", "root/etc/passwd", "fd/0"):
        try:
            open(f"/proc/{number}/{name}", "r+b").read(100)
            print("OPENED", number, name)
        except OSError:
            pass
""",
        failed=None,
    ),
    attack(
        "patches-modules-for-the-next",
        """
import math, statistics
import mlsd_helpers.formulas
math.isclose = statistics.fmean = lambda *_, **__: True
mlsd_helpers.formulas.peak_of_trace = lambda *_, **__: 1 / 0
mlsd_helpers.hostile = True
""",
        flagged=None,
    ),
    attack(
        "finds-a-patch-of-another",
        """
import math
import mlsd_helpers
print("PATCHED", hasattr(mlsd_helpers, "hostile") or math.isclose(1, 2))
""",
        flagged=None,
    ),
    attack(
        "writes-to-all-file-descriptors",
        """
import json, os, struct
body = json.dumps({"ok": True, "value": 1, "score": 3, "id": 1}).encode()
for number in range(3, 256):
    try:
        os.write(number, struct.pack("!I", len(body)) + body)
    except OSError:
        pass
""",
        flagged=None,
        failed=None,
    ),
    attack(
        "writes-noise-when-called",
        call="""
import os
for number in range(3, 256):
    try:
        os.write(number, b"\\xff" * 100)
    except OSError:
        pass
return {"peak_rps": 0, "mean_rps": 0}
""",
        flagged=None,
        failed=None,
    ),
    attack(
        "closes-all-file-descriptors",
        "import os\nos.closerange(3, 4096)",
        flagged=None,
        failed=None,
    ),
    attack(
        "reads-what-is-sent-to-it",
        """
import os, select
for number in range(3, 256):
    try:
        if select.select([number], [], [], 0)[0]:
            print(os.read(number, 1000))
    except OSError:
        pass
""",
        flagged=None,
    ),
)

# ---- patches --------------------------------------------------------------------------------------

PATCHES = (
    attack(
        "patches-builtins",
        """
import builtins
builtins.all = builtins.any = builtins.bool = lambda *_: True
""",
        failed=None,
    ),
    attack(
        "patches-numpy",
        """
import numpy as np
np.allclose = np.isclose = np.array_equal = lambda *_, **__: True
np.testing.assert_allclose = np.testing.assert_equal = lambda *_, **__: None
""",
    ),
    attack(
        "patches-the-check",
        """
class Full:
    passed, score = True, 3.0
    def grade(self):
        return 3.0
mlsd.check = lambda *_, **__: Full()
""",
    ),
    attack(
        "patches-the-kit",
        """
import mlsd_helpers.exercises as exercises
import sys
for module in [m for name, m in sys.modules.items() if name.startswith("mlsd_helpers.exercises")]:
    for name in ("judge", "mark", "same", "run"):
        setattr(module, name, lambda *_, **__: True)
""",
    ),
    attack(
        "stands-in-for-the-package",
        "class mlsd:\n    check = staticmethod(lambda *_, **__: mlsd)\n    grade = lambda: 3.0",
    ),
    attack(
        "drops-asserts-and-checks-from-the-tree",
        """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
    def visit_Call(self, node):
        return ast.Constant(3.0) if "check" in ast.unparse(node) else self.generic_visit(node)
get_ipython().ast_transformers.append(Drop())
""",
    ),
    attack(
        "blanks-the-cells-that-check",
        """
def blank(lines):
    return ["3.0\\n"] if any("check(" in line or "assert" in line for line in lines) else lines
get_ipython().input_transformers_cleanup.append(blank)
get_ipython().input_transformers_post.append(blank)
""",
    ),
    attack(
        "replaces-run-cell",
        """
shell = get_ipython()
run_cell = shell.run_cell
def skip(source, *more, **other):
    return run_cell("3.0" if "check(" in source else source, *more, **other)
shell.run_cell = skip
""",
    ),
    attack(
        "replaces-the-display",
        """
import sys
shell = get_ipython()
sys.displayhook = lambda value: print("Out[1]: 3.0")
shell.display_formatter.format = lambda *_, **__: ({"text/plain": "3.0"}, {})
shell.display_pub.publish = lambda *_, **__: None
""",
        failed=None,
    ),
    attack(
        "hooks-each-cell",
        """
def again(*_):
    mlsd.check = lambda *_, **__: 3.0
for event in ("pre_run_cell", "post_run_cell", "pre_execute", "post_execute"):
    get_ipython().events.register(event, again)
""",
    ),
    attack(
        "patches-again-every-millisecond",
        """
import builtins, math, threading, time
def again():
    while True:
        math.isclose = lambda *_, **__: True
        mlsd.check = lambda *_, **__: 3.0
        time.sleep(0.001)
threading.Thread(target=again, daemon=True).start()
""",
    ),
    attack(
        "patches-while-the-check-runs-and-restores",
        call="""
import math, sys
before = math.isclose
math.isclose = lambda *_, **__: True
sys.setprofile(lambda frame, event, arg: frame.f_locals.update(right=True))
try:
    return {"peak_rps": 0, "mean_rps": 0}
finally:
    math.isclose = before
""",
    ),
    attack(
        "traces-what-runs-after-it",
        call="""
import sys
def trace(frame, event, arg):
    for name in ("score", "right", "passed"):
        if name in frame.f_locals:
            frame.f_locals[name] = True
    return trace
sys.settrace(trace)
return {"peak_rps": 0, "mean_rps": 0}
""",
    ),
    attack("says-its-own-score", "3.0", flagged=None),
    attack("says-a-score-below-nothing", "-1", flagged=None),
    attack("asks-for-a-billion-points", "verdict = 10**9\nverdict", flagged=None),
    attack(
        "prints-a-verdict",
        'print("✓ Fresh cases passed · 3 of 3 points")\nfrom IPython.display import display\ndisplay(3.0)',
        flagged=None,
    ),
    attack(
        "forges-what-is-sent",
        """
import json, socket, sys
dumps = json.dumps
json.dumps = lambda value, *more, **other: dumps({"score": 3.0, "passed": True, "value": 10**9})
json.JSONEncoder.encode = lambda self, value: '{"score": 3.0}'
""",
        flagged=None,
        failed=None,
        deserves=ALL_BUT_TWO,
    ),
)

# ---- values that are not what they seem ------------------------------------------------------------

VALUES = (
    attack(
        "equality-that-is-always-true",
        """
class Yes:
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda *_: True
    __float__ = lambda self: 0.0
    __hash__ = None
def peak(**_):
    return {"peak_rps": Yes(), "mean_rps": Yes()}
percentile = Yes()
""",
    ),
    attack(
        "numbers-that-equal-all",
        """
class Yes(float):
    __eq__ = __le__ = __ge__ = lambda *_: True
    __sub__ = __rsub__ = __abs__ = lambda *_: Yes(0)
    __hash__ = None
def peak(**_):
    return {"peak_rps": Yes(0), "mean_rps": Yes(0)}
""",
    ),
    attack(
        "containers-that-lie",
        """
class Map(dict):
    get = __getitem__ = lambda self, key, default=None: default
    items = lambda self: iter([("peak_rps", 1)])
class Text(str):
    __eq__ = lambda *_: True
    __hash__ = str.__hash__
def peak(**_):
    return Map(peak_rps=0, mean_rps=0)
def percentile(**_):
    return {Text("merged"): Text("x"), Text("latency_ms"): Text("y")}
""",
    ),
    attack(
        "equality-that-never-returns",
        """
class Never:
    def __eq__(self, other):
        while True:
            pass
    __repr__ = __str__ = __float__ = __len__ = __iter__ = __eq__
    __hash__ = None
def peak(**_):
    return {"peak_rps": Never(), "mean_rps": Never()}
""",
        failed=None,
    ),
    attack(
        "runs-code-when-unpickled",
        """
import os
class Bomb:
    def __reduce__(self):
        return os.system, (f"touch {COURSE}/hostile_was_here",)
def peak(**_):
    return {"peak_rps": Bomb(), "mean_rps": Bomb()}
percentile = Bomb()
""",
    ),
    attack(
        "says-it-is-a-number",
        """
class Fake:
    __class__ = float
    __float__ = lambda self: 1.0
    def __getattr__(self, name):
        return Fake()
def peak(**_):
    return {"peak_rps": Fake(), "mean_rps": Fake()}
percentile = Fake()
""",
        flagged=None,
    ),
    attack(
        "returns-itself-in-itself",
        call='answer = {"peak_rps": 0}\nanswer["mean_rps"] = answer\nreturn answer',
        flagged=None,
    ),
    trouble(
        "returns-a-hundred-thousand-levels",
        call='answer = []\nfor _ in range(100_000):\n    answer = [answer]\nreturn {"peak_rps": answer}',
    ),
    trouble("returns-200-mb", call='return {"peak_rps": "x" * 200_000_000, "mean_rps": 0}'),
    trouble("returns-ten-million-items", call='return {"peak_rps": [0] * 10_000_000}'),
    trouble("returns-a-number-of-a-million-digits", call='return {"peak_rps": 10**1_000_000, "mean_rps": 0}'),
    attack(
        "returns-an-endless-iterator",
        call='import itertools\nreturn {"peak_rps": itertools.count(), "mean_rps": iter(int, 1)}',
        flagged=None,
    ),
    trouble(
        "raises-something-of-its-own",
        call="class Odd(BaseException):\n    __str__ = lambda self: 1 / 0\nraise Odd",
    ),
    trouble("raises-a-novel", call='raise ValueError("x" * 50_000_000)'),
)

# ---- ends, or does not -----------------------------------------------------------------------------

_ENDLESS = (
    "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
)

ENDS = (
    trouble("os-exit", "import os\nos._exit(0)", failed=True),
    trouble("os-exit-when-called", call="import os\nos._exit(0)", failed=True),
    trouble("sys-exit", "import sys\nsys.exit(0)"),
    trouble("sys-exit-when-called", call="import sys\nsys.exit(0)"),
    trouble("quits", "quit()\nexit()"),
    trouble(
        "kill-9-of-itself",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    ),
    trouble(
        "stops-itself",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    ),
    trouble(
        "an-alarm-that-kills",
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.05)\nimport time\ntime.sleep(0.5)",
    ),
    trouble("an-uninterruptible-loop", _ENDLESS, failed=True),
    trouble("an-uninterruptible-loop-when-called", call=_ENDLESS),
    trouble(
        "sleeps-with-signals-blocked",
        call="import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(10**6)",
    ),
    trouble("recursion", "def down(n):\n    return down(n + 1)\ndown(0)"),
    trouble("recursion-when-called", call="return peak(counts, bucket_s, repeated)"),
    trouble(
        "recursion-past-the-stack",
        "import sys\nsys.setrecursionlimit(10**9)\nout = []\nfor _ in range(500_000):\n    out = [out]\nrepr(out)",
    ),
    trouble("a-segmentation-fault", "import ctypes\nctypes.string_at(0)", failed=True),
    trouble("waits-for-input", 'input("password? ")'),
    trouble("waits-in-a-debugger", "breakpoint()"),
    trouble(
        "fork-bomb",
        _ONLY_IN_A_ROOM
        + """
import time
for _ in range(8):
    try:
        os.fork()
    except OSError:
        pass
time.sleep(60)
""",
        failed=True,
    ),
    trouble(
        "four-hundred-sleepers",
        _ONLY_IN_A_ROOM
        + "import time\nfor _ in range(400):\n    if os.fork() == 0:\n        time.sleep(60)\n        os._exit(0)",
    ),
    trouble(
        "a-daemon-that-outlives-the-cell",
        """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
""",
    ),
    trouble(
        "a-background-process",
        """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
""",
    ),
    trouble("a-shell-in-the-background", "get_ipython().system_raw('sleep 60 &')"),
    trouble(
        "never-lets-go-at-exit",
        """
import atexit, threading, time
atexit.register(time.sleep, 60)
threading.Thread(target=time.sleep, args=(60)).start()
""",
    ),
    trouble("fifty-gigabytes", "hoard = bytearray(50 * 2**30)"),
    trouble(
        "touches-memory-bit-by-bit",
        _ONLY_IN_A_ROOM + "hoard = []\nfor _ in range(60):\n    hoard.append(bytearray(b'x') * (50 * 2**20))",
    ),
    trouble(
        "touches-memory-in-many-processes",
        _ONLY_IN_A_ROOM
        + """
import time
for _ in range(20):
    if os.fork() == 0:
        hoard = bytearray(b"x") * (120 * 2**20)
        time.sleep(60)
        os._exit(0)
time.sleep(60)
""",
        failed=True,
    ),
    trouble(
        "files-without-end",
        _ONLY_IN_A_ROOM
        + """
block = b"x" * 2**20
for place in (".", "/tmp", "/dev/shm", os.path.expanduser("~")):
    for number in range(4):
        try:
            with open(f"{place}/endless-{number}", "wb") as file:
                for _ in range(300):
                    file.write(block)
        except OSError:
            pass
""",
    ),
    trouble(
        "files-without-number",
        _ONLY_IN_A_ROOM
        + """
for number in range(50_000):
    try:
        open(f"many-{number}", "w").close()
    except OSError:
        break
""",
    ),
    trouble(
        "a-gigabyte-of-output",
        "for _ in range(1_000):\n    print('x' * 10**6)",
    ),
    trouble(
        "a-gigabyte-to-the-terminal",
        "import os\nfor number in (1, 2):\n    for _ in range(1_000):\n        os.write(number, b'x' * 10**6)",
    ),
    trouble(
        "output-without-number",
        "from IPython.display import display\nfor number in range(5_000):\n    display(number)",
    ),
    trouble("output-of-a-shell", "get_ipython().system('yes | head -c 50000000')"),
    trouble(
        "prints-when-called",
        call="""
import sys
print("x" * 10**7)
print("y" * 10**7, file=sys.stderr)
return {"peak_rps": 0, "mean_rps": 0}
""",
    ),
    trouble(
        "takes-the-streams-away",
        "import sys\nsys.stdout = sys.stderr = None\nsys.stdin.close()",
    ),
    trouble("forgets-everything", "get_ipython().run_line_magic('reset', '-f')"),
    trouble("goes-to-another-folder", "import os\nos.chdir('/')\nos.umask(0o777)"),
)

ALL: tuple[Submission, ...] = (*READS, *WRITES, *PATCHES, *VALUES, *ENDS)
