"""The instructors' guide, walked from an empty folder: each block in order, with a small class of known mistakes.

What an instructor does without a command is done by `follow`, before the command that needs it.
"""

import csv
import io
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from nbgrader.api import Gradebook

from mlsd_helpers.exercises.capacity import units_rounding
from mlsd_helpers.exercises.forms import form
from mlsd_helpers.exercises.kit import feedback
from mlsd_helpers.grading.synthetic import class_of, submit
from tests.support.repository import ROOT, files

GUIDE = ROOT / "docs" / "instructors.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"^(c\.\w+\.\w+) = (.+)$", re.MULTILINE)
ASSIGNMENT = "05_capacity"
NOTEBOOK = f"{ASSIGNMENT}.ipynb"
DUE = datetime(2027, 3, 12, 18, tzinfo=ZoneInfo("Europe/Berlin"))
RULE = units_rounding.EXERCISE  # the guide's last step makes it fairer
UNFAIR = units_rounding.rounded_before_headroom
LATE = timedelta(hours=30)
BY_HAND, COMMENT = 5.75, "Your second count is the better one."
BOB = "canvas-4420"  # not in the class list
HERE = pwd.getpwuid(os.getuid()).pw_name  # hands in by the exchange, which takes the name of the account
DRY = " --dry-run", " --times class/times.json"
CANVAS_NUMBER = re.compile(r"_(44\d\d)_")

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")]


@dataclass
class Walk:
    """A walk through the guide: the clone, and what each command printed and each grading left, in order."""

    folder: Path
    origin: Path
    printed: dict = field(default_factory=lambda: defaultdict(list))
    states: list = field(default_factory=list)
    deserved: dict = field(default_factory=dict)
    now: Path = Path()  # where an instructor stands

    @property
    def course(self):
        return self.folder / "course"

    def gradebook(self):
        return Gradebook(f"sqlite:///{self.course / 'gradebook.db'}", "ml-design-2027")

    def inside(self, path):
        """Nothing is written outside of this walk's own folder."""
        assert path.resolve().is_relative_to(self.folder.resolve())
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def environment(self):
        scripts = str(self.course / ".venv" / "bin")
        return os.environ | {
            "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
            "PYTHONPATH": str(self.course),
            "MAKEFLAGS": "",
            "MLSD_BROWSER": "0",
            "GIT_CONFIG_COUNT": "1",  # the guide's address is the origin of this walk
            "GIT_CONFIG_KEY_0": f"url.{self.origin.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/OWNER/REPOSITORY",
        }

    def run(self, command):
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=self.now,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout


def blocks():
    return BLOCK.findall(GUIDE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("instructor")
    walk = Walk(folder / "term", origin(folder / "origin"))
    walk.folder.mkdir()
    walk.now = walk.folder
    for language, block in blocks():
        if language == "python":
            configure(walk, block)
        elif language == "csv":
            name = "exceptions" if "exception" in block.partition("\n")[0] else "students"
            walk.inside(walk.course / "class" / f"{name}.csv").write_text(block)
        else:
            for command in block.splitlines():
                follow(walk, command)
    return walk


def origin(folder):
    """Commit a copy of the repository, as a code host would have it."""
    for path in files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for command in ("init --quiet", "add --all", "-c user.name=x -c user.email=x commit --quiet -m x"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True)
    return folder


def follow(walk, command):
    """Do one command of the guide, and before it what has no command."""
    if command == "cd course":
        walk.now = walk.course
        share_environment(walk)
        return
    if command == "mlsd lab --instructor":
        open_formgrader(walk)
        grade_by_hand(walk)
        return
    if command.endswith("--watch"):
        walk.printed[command].append(watch(walk, command))
        return
    for needs, prepare in PREPARED.items():
        if re.fullmatch(needs, command):
            prepare(walk)
    # test_end_to_end runs `make demo` for every assignment
    walk.printed[command].append(walk.run(command.replace("make demo", "make --dry-run demo")))
    if command.startswith("mlsd grade"):
        walk.states.append(state(walk))
    if command.startswith("nbgrader release_feedback"):
        shutil.copytree(walk.folder / "aside", walk.course / "feedback", dirs_exist_ok=True)


def share_environment(walk):
    """Let the clone use the environment that runs the tests; installing has a test of its own."""
    environment = walk.inside(walk.course / ".venv" / "installed-here").parent
    for part in Path(sys.prefix).iterdir():
        if part.name != "installed-here":
            (environment / part.name).symlink_to(part)
    (environment / "installed-here").write_text(f"{walk.course.resolve()}\n")


def configure(walk, block):
    """Put each setting of a block in the place of the one that the configuration has."""
    path = walk.inside(walk.course / "nbgrader_config.py")
    text = path.read_text()
    block = block.replace("/srv/nbgrader/exchange", str(walk.folder / "exchange"))
    for name, value in SETTING.findall(block):
        line = re.compile(rf"^{re.escape(name)} = .*$", re.MULTILINE)
        there = len(line.findall(text))
        assert there == (0 if name == "c.Exchange.root" else 1), name
        text = line.sub(f"{name} = {value}", text) if there else f"{text}{name} = {value}\n"
    path.write_text(text)


# ---------------------------------------------------------------- the class


def download(walk):
    """Lay out what Canvas gives: ada submitted twice, grace late, alan made the mistake whose rule will change.

    The dates of the files are those of the download; when a submission came is in Canvas's list alone.
    """
    by_kind = {one.student: one for one in class_of(walk.course, ASSIGNMENT)}
    right, broken = by_kind["reference"], by_kind["syntax-error"]
    unfair = next(one for one in by_kind.values() if one.feedback.get(RULE.id) == feedback(UNFAIR))
    walk.deserved = {"ada": right.scores, "alan": unfair.scores, "grace": right.scores, BOB: broken.scores}
    submitted = {
        "lovelaceada_4417_90001_05_capacity.ipynb": (by_kind["blank"], timedelta(days=-2)),
        "lovelaceada_4417_90077_05_capacity-1.ipynb": (right, timedelta(days=-1)),
        "turingalan_4418_90012_05_capacity.ipynb": (unfair, timedelta(hours=-3)),
        "hoppergrace_LATE_4419_90040_my work (final).ipynb": (right, LATE),
        "bob_4420_90051_05_capacity.ipynb": (broken, timedelta(hours=-1)),
    }
    for name, (one, _) in submitted.items():
        notebook = walk.inside(submit(replace(one, student="aside"), walk.course, ASSIGNMENT))
        target = walk.inside(walk.course / "class" / "downloads" / name)
        notebook.rename(target)
        os.utime(target, ((DUE + timedelta(days=4)).timestamp(),) * 2)
        notebook.parent.rmdir()
        notebook.parent.parent.rmdir()
    times = [
        {"user_id": int(CANVAS_NUMBER.search(name)[1]), "submitted_at": (DUE + after_due).isoformat()}
        for name, (_, after_due) in submitted.items()
    ]
    walk.inside(walk.course / "class" / "times.json").write_text(json.dumps(times))


def grade_by_hand(walk):
    """Give alan's audit full points, as the formgrader does."""
    with walk.gradebook() as book:
        grade = book.find_grade("05-audit", ASSIGNMENT, ASSIGNMENT, "alan")
        grade.manual_score, grade.needs_manual_grade = BY_HAND, False
        book.find_comment("05-audit-answer", ASSIGNMENT, ASSIGNMENT, "alan").manual_comment = COMMENT
        book.db.commit()


FAIRER = """

import dataclasses

def _near(case, value, given):
    wanted = _LAST.expected(case, given)
    return isinstance(value, int | float) and abs(value - wanted) <= 1 + 0.5 * wanted

*_FIRST, _LAST = EXERCISE.steps
EXERCISE = dataclasses.replace(
    EXERCISE,
    steps=(*_FIRST, dataclasses.replace(_LAST, right=_near)),
    mistakes=EXERCISE.mistakes[:4],  # none that rounds otherwise
)
"""


def make_fairer(walk):
    """Let a fleet be a replica too large, which is a mistake no longer, also where a fresh case needs just one."""
    path = walk.inside(walk.course / Path(units_rounding.__file__).relative_to(ROOT))
    path.write_text(path.read_text() + FAIRER)


def move_due_date(walk):
    change(walk.inside(walk.course / "nbgrader_config.py"), "2027-03-12 18:00", "2027-03-14 18:00")


def change(path, before, after):
    text = path.read_text()
    assert text.count(before) == 1, path
    path.write_text(text.replace(before, after))


def open_formgrader(walk):
    """Start the instructor's server, ask it for the formgrader, and stop it as Ctrl-C does."""
    command = ["mlsd", "lab", "--instructor", "--port", "0"]
    with subprocess.Popen(
        command, cwd=walk.course, env=walk.environment(), stdout=subprocess.PIPE, text=True
    ) as server:
        watchdog = threading.Timer(300, server.terminate)
        watchdog.start()
        try:
            address = next(line.strip() for line in server.stdout if line.startswith("http"))
            with urlopen(address, timeout=120) as answer:  # noqa: S310 - loopback
                walk.printed["formgrader"].append(answer.read().decode())
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=60)
            watchdog.cancel()
    assert server.returncode == 0


def watch(walk, command):
    """Start a command that goes on, let a submission arrive, and stop it when its page is there, as Ctrl-C does."""
    with subprocess.Popen(
        command.split(), cwd=walk.course, env=walk.environment(), stdout=subprocess.PIPE, text=True
    ) as watching:
        watchdog = threading.Timer(300, watching.kill)
        watchdog.start()
        try:
            printed = next(line for line in watching.stdout if line.startswith("Watching"))
            submit(replace(reference(walk), student="eve"), walk.course, ASSIGNMENT)
            printed += next(line for line in watching.stdout if "eve" in line)
        finally:
            watching.send_signal(signal.SIGINT)
            printed += watching.communicate(timeout=60)[0]
            watchdog.cancel()
    assert watching.returncode == 0, printed
    return printed


def state(walk):
    """Give each student's scores by exercise, and their late penalty."""
    with walk.gradebook() as book:
        return {
            one.student.id: {
                **{grade.name: grade.score for notebook in one.notebooks for grade in notebook.grades},
                "late": one.late_submission_penalty or 0,
            }
            for one in book.assignment_submissions(ASSIGNMENT)
        }


def table(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def at_the_desk(walk, command):
    """Do what a student does, in a folder of their own."""
    desk = walk.inside(walk.folder / "desk" / "nbgrader_config.py").parent
    (desk / "nbgrader_config.py").write_text(f'c.Exchange.root = "{walk.folder / "exchange"}"\n')
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=desk,
        env=walk.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return desk


def submit_by_exchange(walk):
    """Let a student fetch the assignment, answer rightly and submit."""
    course = "--course ml-design-2027"
    desk = at_the_desk(walk, f"nbgrader fetch_assignment {ASSIGNMENT} {course}")
    answered = submit(replace(reference(walk), student=HERE), walk.course, ASSIGNMENT)
    shutil.copy(answered, desk / ASSIGNMENT / NOTEBOOK)
    shutil.rmtree(answered.parents[1])  # it comes back by the exchange
    at_the_desk(walk, f"nbgrader submit {ASSIGNMENT} {course}")


def keep_to_the_exchange(walk):
    """Put aside whose submission came from an LMS: nbgrader gives back by a secret that a submission brings along."""
    for student in (walk.course / "feedback").iterdir():
        if student.name != HERE:
            shutil.move(student, walk.inside(walk.folder / "aside" / student.name))


def reference(walk):
    return next(one for one in class_of(walk.course, ASSIGNMENT) if one.student == "reference")


def page(walk, student):
    return (walk.course / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(
        encoding="utf-8"
    )


def answer_forms(walk):
    """Let three students answer both forms, the second one better."""
    for name, letter, learnt in (("before", "A", 0), ("after", "B", 2)):
        rows = [
            [student, *(one.right + 1 if at < learnt else 1 for one in form(letter))]
            for at, student in enumerate(("ada", "bo", "cy"))
        ]
        heads = ["student", *range(1, len(rows[0]))]
        lines = (",".join(map(str, row)) for row in (heads, *rows))
        (walk.inside(walk.now) / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")


PREPARED = {
    "mlsd report --gain .*": answer_forms,
    "mlsd collect .* --dry-run": download,
    rf"mlsd grade {ASSIGNMENT} --dry-run": make_fairer,
    "nbgrader release_assignment .*": lambda walk: walk.inside(walk.folder / "exchange").mkdir(mode=0o777),
    "nbgrader collect .*": submit_by_exchange,
    "nbgrader release_feedback .*": keep_to_the_exchange,
    "mlsd grade .* --dry-run --student .*": move_due_date,
}
"""What has no command, by the command that comes after it."""


# ---------------------------------------------------------------- what came of it


def test_the_guide_goes_through(walk):
    assert set(walk.printed) == {
        command
        for language, block in blocks()
        if language == "sh"
        for command in block.splitlines()
        if command not in {"cd course", "mlsd lab --instructor"}
    } | {"formgrader"}


def test_the_term_is_set(walk):
    assert "05_capacity: ok, due 2027-03-12 18:00 Europe/Berlin" in walk.printed["mlsd release"][0]
    with walk.gradebook() as book:
        due = {one.name: one.duedate for one in book.assignments}
    assert due["04_patterns"] == datetime(2027, 3, 5, 22, 59, 59)  # noqa: DTZ001 - nbgrader keeps UTC without its zone
    assert due["03_dataflow"] is None


def test_the_zip_holds_the_student_version_that_was_committed(walk):
    kept = walk.run("git status --porcelain release")
    assert not kept
    with zipfile.ZipFile(walk.course / "class/05_capacity.zip") as handout:
        assert (
            handout.read(f"{ASSIGNMENT}/{NOTEBOOK}")
            == (ROOT / "release" / ASSIGNMENT / NOTEBOOK).read_bytes()
        )


def test_every_download_is_accounted_for_and_a_dry_run_wrote_nothing(walk):
    (dry,), (done,) = (walk.printed[f"mlsd collect {ASSIGNMENT} class/downloads{end}"] for end in DRY)
    assert "5 files (4 taken, 1 superseded), 4 students." in done
    assert "5 files (4 taken, 1 superseded), 4 students. Nothing was written" in dry


def test_scores_are_those_deserved_and_lateness_costs(walk):
    first = walk.states[0]
    for student, deserved in walk.deserved.items():
        assert {name: first[student][name] for name in deserved} == deserved, student
    total = sum(walk.deserved["grace"].values())
    late = {student: scores["late"] for student, scores in first.items()}
    assert late == {"ada": 0, "alan": 0, "grace": pytest.approx(0.2 * total), BOB: 0}  # two days begun


def test_the_report_names_the_mistake(walk):
    answers = table(walk.course / "reports" / f"{ASSIGNMENT}-answers.csv")
    assert "alan" in {row["students"] for row in answers if row["name"] == UNFAIR.__name__}


def test_the_formgrader_opens(walk):
    assert "formgrader" in walk.printed["formgrader"][0].lower()


def test_each_page_of_feedback_goes_back_under_the_name_of_its_download(walk):
    with zipfile.ZipFile(walk.course / "class/feedback.zip") as zipped:
        pages = {name: zipped.read(name).decode() for name in zipped.namelist()}
    assert set(pages) == {
        "lovelaceada_4417_90077_05_capacity.html",
        "turingalan_4418_90012_05_capacity.html",
        "hoppergrace_LATE_4419_90040_05_capacity.html",
        "bob_4420_90051_05_capacity.html",
    }
    assert COMMENT in pages["turingalan_4418_90012_05_capacity.html"]
    assert COMMENT not in pages["lovelaceada_4417_90077_05_capacity.html"]


def test_marks_are_in_the_points_of_the_term(walk):
    alan = {**walk.deserved["alan"], "05-audit": BY_HAND}
    own = sum(alan.values()) + alan["05-plan"]  # which counts twice
    most = sum(walk.deserved["ada"].values()) + walk.deserved["ada"]["05-plan"]
    canvas = {row["Student"]: row[ASSIGNMENT] for row in table(walk.course / "class/canvas.csv")}
    assert float(canvas["Points Possible"]) == 100
    assert float(canvas["Lovelace, Ada"]) == 100
    assert float(canvas["Hopper, Grace"]) == pytest.approx(80)
    assert float(canvas["Turing, Alan"]) == pytest.approx(100 * own / most, abs=0.005)
    assert (canvas["Adams, Eve"], canvas["Dijkstra, Edsger"]) == (canvas["Lovelace, Ada"], "EX")
    moodle = {row["Username"]: row for row in table(walk.course / "class/moodle.csv")}
    assert moodle["ada"]["ID number"] == "4417"
    assert float(moodle["grace"][f"Assignment: {ASSIGNMENT} (Real)"]) == pytest.approx(80)


def test_a_page_says_what_was_taken_off(walk):
    with zipfile.ZipFile(walk.course / "class/feedback.zip") as zipped:
        late = zipped.read("hoppergrace_LATE_4419_90040_05_capacity.html").decode()
    assert "30.0 hours after the due date" in late
    assert "80 of 100 points" in late


def test_a_changed_rule_is_shown_first_then_changes_what_it_is_for_and_nothing_graded_by_hand(walk):
    first, looked_at, dry, fairer, shown_first, moved, _ = walk.states
    shown = f"alan {RULE.id}: {walk.deserved['alan'][RULE.id]:g} → {RULE.points:g}"
    assert shown in walk.printed[f"mlsd grade {ASSIGNMENT} --dry-run"][0]
    by_hand = {**first["alan"], "05-audit": BY_HAND}
    assert looked_at == dry == {**first, "alan": by_hand}
    assert fairer == {**first, "alan": {**by_hand, RULE.id: RULE.points}}
    assert COMMENT in page(walk, "alan")
    assert shown_first == fairer
    assert moved == {**fairer, "grace": {**fairer["grace"], "late": 0}}


def test_the_exchange_hands_out_and_gives_back(walk):
    outbound = walk.folder / "exchange/ml-design-2027/outbound" / ASSIGNMENT / NOTEBOOK
    assert outbound.read_bytes() == (ROOT / "release" / ASSIGNMENT / NOTEBOOK).read_bytes()
    *_, moved, exchanged = walk.states
    full = {**walk.deserved["ada"], "late": 0}
    assert exchanged == {**moved, HERE: full}
    at_the_desk(walk, f"nbgrader fetch_feedback {ASSIGNMENT} --course ml-design-2027")
    (given_back,) = (walk.folder / "desk" / ASSIGNMENT / "feedback").rglob("*.html")
    assert given_back.read_text(encoding="utf-8") == page(walk, HERE)


def test_what_arrives_while_the_command_watches_is_graded_and_has_its_page(walk):
    (printed,) = walk.printed[f"mlsd grade {ASSIGNMENT} --watch"]
    assert f"eve {ASSIGNMENT}: graded, 26 of 26 points" in printed
    assert "Stopped" in printed
    assert "Fresh cases passed" in page(walk, "eve")
