"""Student versions made by nbgrader, and feedback that keeps hidden tests hidden."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mlsd_helpers import cli
from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading import release
from mlsd_helpers.grading.feedback import HideHiddenTests, Secret, without

ROOT = Path(__file__).parents[1]
NAME = "01_tiny"

HIDDEN = """\
### BEGIN HIDDEN TESTS
import random as dice
fresh_draw = dice.randint(30, 90)
assert double(fresh_draw) == 2 * fresh_draw, "A fresh draw is not doubled."
### END HIDDEN TESTS"""
CHECK = f"""\
assert double(2) == 4, "Two is not doubled."
{HIDDEN}
assert double(0) == 0"""


def graded(grade_id, source, **flags):
    marks = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
    return new_code_cell(source, id=grade_id, metadata={"nbgrader": marks | {"grade_id": grade_id} | flags})


def source_notebook():
    solution = "def double(number):\n    ### BEGIN SOLUTION\n    return number + number\n    ### END SOLUTION"
    cells = [
        new_markdown_cell("# Tiny", id="title"),
        graded("double", solution, solution=True),
        graded("double-check", CHECK, grade=True, locked=True, points=2),
    ]
    spec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": spec})


def make_course(folder):
    (folder / "source" / NAME).mkdir(parents=True)
    write(folder, source_notebook())
    (folder / "source" / NAME / f"{NAME}.py").write_text(CHECK)  # a text twin, with all the answers
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


@pytest.fixture(scope="module")
def course_once_released(tmp_path_factory):
    course = make_course(tmp_path_factory.mktemp("released"))
    assert mlsd(course) == 0
    return course


@pytest.fixture
def course(course_once_released, tmp_path):
    return shutil.copytree(course_once_released, tmp_path / "course")


def write(course, notebook):
    nbformat.write(notebook, course / "source" / NAME / f"{NAME}.ipynb")


def released(course):
    folder = course / "release"
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def mlsd(course, *words):
    return cli.main(["release", *words, "--course", str(course)])


# ---------------------------------------------------------------- release


@pytest.mark.thorough
def test_a_release_holds_the_notebook_alone_and_no_answer(course):
    assert list(released(course)) == [f"{NAME}/{NAME}.ipynb"]
    text = released(course)[f"{NAME}/{NAME}.ipynb"]
    assert "number + number" not in text
    assert "fresh_draw" not in text
    assert "Write this step, then run the check below." in text


def test_the_gradebook_gets_the_assignment(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        assert gradebook.find_assignment(NAME).max_score == 2


def forget_ids(notebook):
    for cell in notebook["cells"]:
        del cell["id"]


def change_ids(notebook):
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"another-{number}"


@pytest.mark.filterwarnings("ignore::nbformat.warnings.MissingIDFieldWarning")
@pytest.mark.parametrize("change", [forget_ids, change_ids, lambda _: None])
def test_the_same_source_gives_the_same_release_whatever_its_ids(course, change):
    before = released(course)
    notebook = json.loads((course / "source" / NAME / f"{NAME}.ipynb").read_text())
    change(notebook)
    (course / "source" / NAME / f"{NAME}.ipynb").write_text(json.dumps(notebook))
    mlsd(course)
    assert released(course) == before


def test_two_cells_alike_get_two_ids_always_the_same(course):
    notebook = source_notebook()
    notebook.cells += [new_code_cell("1", id="a"), new_code_cell("1", id="b")]
    write(course, notebook)
    mlsd(course)
    cells = json.loads(released(course)[f"{NAME}/{NAME}.ipynb"])["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert mlsd(course, "--check") == 0


@pytest.mark.thorough
def test_the_environment_is_left_as_it_was(course, monkeypatch):
    (course / "gradebook.db").unlink()  # nbgrader starts alembic for a new one
    monkeypatch.setenv("PATH", "/usr/bin")
    before = dict(os.environ)
    assert mlsd(course) == 0
    assert dict(os.environ) == before


def test_what_nbgrader_refuses_is_said_and_leaves_the_old_release(course, capsys):
    before = released(course)
    notebook = source_notebook()
    notebook.cells[2].metadata = {}
    write(course, notebook)
    assert mlsd(course) == 1
    assert "Hidden test region detected in a non-grade cell" in capsys.readouterr().out
    assert released(course) == before
    assert not list(course.glob(".release-*"))


def test_a_check_passes_on_what_was_just_made_and_writes_nothing(course):
    before = {path: path.stat().st_mtime_ns for path in course.rglob("*")}
    assert mlsd(course, "--check") == 0
    assert {path: path.stat().st_mtime_ns for path in course.rglob("*")} == before


def spoil_a_cell(folder):
    path = folder / NAME / f"{NAME}.ipynb"
    path.write_text(path.read_text().replace("# Tiny", "# Tinier"))


def add_a_file(folder):
    (folder / NAME / "answers.txt").write_text("42")


def remove_the_notebook(folder):
    (folder / NAME / f"{NAME}.ipynb").unlink()


def add_an_assignment(folder):
    (folder / "02_gone").mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_a_cell, "Tinier"),
        (add_a_file, "answers.txt"),
        (remove_the_notebook, f"{NAME}.ipynb"),
        (add_an_assignment, "02_gone"),
    ],
)
def test_a_check_finds_what_differs(course, spoil, said, capsys):
    spoil(course / "release")
    assert mlsd(course, "--check") == 1
    assert said in capsys.readouterr().out


def test_only_the_named_assignment_is_made(course):
    before = released(course)
    (course / "source/02_other").mkdir()
    nbformat.write(source_notebook(), course / "source/02_other/02_other.ipynb")
    write(course, new_notebook())
    assert mlsd(course, "02_other") == 0
    after = released(course)
    assert after.pop("02_other/02_other.ipynb")
    assert after == before


def test_an_unknown_assignment_is_refused_before_anything_is_made(course, capsys):
    shutil.rmtree(course / "release")
    assert mlsd(course, NAME, "99_none") == 2
    assert NAME in capsys.readouterr().err
    assert not released(course)


def test_without_its_configuration_nothing_is_released(course):
    (course / "nbgrader_config.py").unlink()
    with pytest.raises(WorkspaceError, match="keeps solutions out"):
        release.release(course, NAME)


def test_the_configuration_adds_to_what_nbgrader_ignores(course):
    from nbgrader.coursedir import CourseDirectory

    ignored = CourseDirectory(config=release.configuration(course)).ignore
    assert "*.py" in ignored
    assert set(CourseDirectory().ignore) < set(ignored)


# ---------------------------------------------------------------- feedback


def hide(*cells):
    """Pass a notebook with the check cell and these through the preprocessor, and give what a page would show."""
    check = graded("double-check", CHECK, grade=True, locked=True, points=2)
    notebook, _ = HideHiddenTests()(new_notebook(cells=[check, *cells]), {"nbgrader": {}})
    return json.dumps(notebook)


def secrets_in(text):
    """Give the hidden lines in a text, whatever colours, tags and quotes stand in it."""
    plain = html.unescape(re.sub(r"\x1b\[[0-9;]*m|<[^>]*>", "", text)).replace("\\", "").replace("'", '"')
    return [line for line in HIDDEN.splitlines() if line.strip("# ").replace("'", '"') in plain]


LEAKS = {
    "a print of the notebook's file": new_output(
        "stream", text=json.dumps(CHECK.splitlines(keepends=True), indent=1)
    ),
    "the list of all inputs": new_output("execute_result", data={"text/plain": repr(["", CHECK])}),
    "a warning that shows its line": new_output(
        "stream", name="stderr", text=f"UserWarning\n  {HIDDEN.splitlines()[2]}\n"
    ),
    "a sentence that quotes it": new_output("stream", text=f"I saw {HIDDEN.splitlines()[1]} there."),
    "a coloured page": new_output(
        "display_data", data={"text/html": "<pre><b>import</b> random <b>as</b> dice</pre>"}
    ),
    "data": new_output("display_data", data={"application/json": {"source": CHECK}}),
}


@pytest.mark.parametrize("output", LEAKS.values(), ids=LEAKS)
def test_no_output_of_any_cell_shows_a_hidden_line(output):
    assert secrets_in(json.dumps(output))
    assert not secrets_in(hide(new_code_cell("leak()", outputs=[output])))


def test_what_says_nothing_of_a_hidden_test_stays():
    printed = new_output("stream", text="import random\n  8\nelse:\nDoubled: [2, 4]\n")
    assert "import random\\n  8\\nelse:\\nDoubled: [2, 4]" in hide(new_code_cell("run()", outputs=[printed]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("      4 38,", False),  # a frame of a traceback
        ("----> 4 38,", False),
        ("38,", True),  # a value of their own
        ("['', 'f(1)\\nn = 38\\ng(2)']", False),  # quoted
        ("when n = 38, stop", True),
    ],
)
def test_a_short_hidden_line_is_a_secret_where_it_stands_as_a_line(text, shown):
    assert (without(text, Secret.of(["38,", "n = 38"])) == text) is shown


def test_a_line_that_is_shown_elsewhere_is_no_secret():
    secret = Secret.of(
        hidden=["verdict = check(answer)", "assert verdict.passed"], shown=["assert verdict.passed"]
    )
    text = "----> 1 assert verdict.passed\n      2 verdict = check(answer)"
    assert without(text, secret) == "----> 1 assert verdict.passed\n    (hidden check)"


def test_a_students_own_delimiter_does_not_stop_their_feedback():
    own = graded("double", "### BEGIN HIDDEN TESTS\nmine = 1", solution=True)
    assert "mine = 1" in hide(own)


ANSWERS = {
    "right": "return number + number",
    "hard-coded": "return {0: 0, 2: 4}.get(number, 4)",
    "chained": """
    try:
        return [0, 0, 4][number]
    except IndexError as error:
        raise ValueError(number) from error""",
    "syntax": "return )",
    "scribbling": "pass  ### BEGIN HIDDEN TESTS",
    "thief": f"return number\nprint(open('{NAME}.ipynb').read()); print(In)",
}


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory):
    """Run nbgrader's own commands over a small class, from source/ to feedback/."""
    course = make_course(tmp_path_factory.mktemp("class"))
    nbgrader(course, "generate_assignment")
    for student, answer in ANSWERS.items():
        submit(course, student, answer)
    nbgrader(course, "autograde")
    nbgrader(course, "generate_feedback")
    return course


def nbgrader(course, step):
    command = [Path(sys.executable).with_name("nbgrader"), step, NAME]
    run = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def submit(course, student, answer):
    notebook = nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    body, _, after = answer.partition("\nprint")
    notebook.cells[1].source = f"def double(number):\n    {body}"
    notebook.cells += [new_code_cell(f"print{after}")] if after else []
    folder = course / "submitted" / student / NAME
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{NAME}.ipynb")


def page(course, student):
    """Give the words of a feedback page."""
    text = (course / "feedback" / student / NAME / f"{NAME}.html").read_text()
    return html.unescape(re.sub(r"<[^>]*>", "", text))


@pytest.mark.end_to_end
@pytest.mark.parametrize("student", ANSWERS)
def test_feedback_shows_the_answer_and_no_hidden_line(graded_class, student):
    graded = (graded_class / "autograded" / student / NAME / f"{NAME}.ipynb").read_text()
    assert "fresh_draw" in graded  # the secret is there to be let out
    shown = page(graded_class, student)
    assert "def double(number)" in shown
    assert "fresh_draw" not in shown
    their_own = "### BEGIN HIDDEN TESTS" if student == "scribbling" else "nothing"
    assert not secrets_in(shown.replace(their_own, ""))


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("hard-coded", "A fresh draw is not doubled."),
        ("chained", "list index out of range"),
        ("syntax", "SyntaxError"),
    ],
)
def test_feedback_keeps_what_the_failed_check_says(graded_class, student, words):
    assert words in page(graded_class, student)


@pytest.mark.end_to_end
def test_nbgraders_own_command_makes_the_same_release(graded_class, course_once_released):
    assert released(graded_class) == released(course_once_released)


@pytest.mark.end_to_end
def test_no_text_twin_reaches_a_student(graded_class):
    given = [
        path for step in ("release", "autograded", "feedback") for path in (graded_class / step).rglob("*.py")
    ]
    assert not given
