"""`make fix` runs a lesson when its code or the package has changed, with recordings, and changes nothing twice."""

import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mlsd_helpers import workspace
from tools import notebooks
from tools.notebooks import MEASURES, ROOT, Pair, executed, pairs, tidied


def git(folder, *words):
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


def committed(folder):
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "As it is")


class Course:
    """A course of one lesson; `ran` counts how often it was run."""

    def __init__(self, root):
        self.root, self.ran = root, 0
        self.lesson = Pair(root / "course" / "05_x.ipynb", root / "course" / "text" / "05_x.py")
        self.lesson.twin.parent.mkdir(parents=True)
        self.lesson.twin.touch()
        self.module = root / "mlsd_helpers" / "formulas.py"
        self.module.parent.mkdir()
        self.module.write_text("factor = 1")
        self.write(new_notebook(cells=[new_markdown_cell("Text"), new_code_cell("1 + 1")]))

    def write(self, notebook):
        nbformat.write(notebook, self.lesson.notebook)

    def change(self, cell, source):
        notebook = nbformat.read(self.lesson.notebook, as_version=4)
        notebook.cells[cell].source = source
        self.write(notebook)

    def run(self, notebook, folder, *, measure=False):
        self.ran += 1
        notebook.cells[1].outputs = [new_output("stream", text=f"run {self.ran}")]
        return notebook

    def runs(self):
        """Tell how often `make fix` runs the lesson now."""
        before = self.ran
        notebooks.execute(root=self.root)
        return self.ran - before


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Give a course whose lesson was run and committed."""
    made = Course(tmp_path)
    monkeypatch.setattr(notebooks, "executed", made.run)
    monkeypatch.setattr(workspace, "make", lambda *_: ())
    git(tmp_path, "init", "--quiet")
    made.runs()
    committed(tmp_path)
    return made


@pytest.fixture(params=["where it was run", "in a clone"])
def either(request, course, tmp_path_factory):
    if request.param == "in a clone":
        clone = tmp_path_factory.mktemp("clone")
        git(clone, "clone", "--quiet", course.root, ".")
        course.root, course.module = clone, clone / course.module.relative_to(course.root)
        course.lesson = notebooks.pairs(clone)[0]
    return course


def test_a_lesson_that_was_committed_as_it_ran_is_not_run(either):
    assert either.runs() == 0


def test_a_changed_sentence_runs_nothing(either):
    either.change(0, "Another text")
    assert either.runs() == 0


def test_changed_code_is_run_once(either):
    either.change(1, "1 + 2")
    assert either.runs() == 1
    assert either.runs() == 0


@pytest.mark.parametrize("commit", [False, True])
def test_a_changed_package_runs_the_lesson_once_whether_or_not_it_is_committed(either, commit):
    either.module.write_text("factor = 2")
    if commit:
        committed(either.root)
    assert either.runs() == 1
    assert either.runs() == 0


def test_a_new_module_runs_the_lesson(either):
    either.module.with_name("more.py").write_text("more = 1")
    assert either.runs() == 1


def test_lost_outputs_are_made_again(either):
    notebook = nbformat.read(either.lesson.notebook, as_version=4)
    notebook.cells[1].outputs = []
    either.write(notebook)
    assert either.runs() == 1


def test_an_unknown_lesson_is_an_error_that_lists_the_known_ones(course):
    with pytest.raises(SystemExit, match="05_x"):
        notebooks.execute("06_y", root=course.root)


def test_streams_that_were_cut_by_chance_are_joined_and_empty_displays_go():
    outputs = [
        new_output("stream", text="one\n"),
        new_output("stream", text="two\n"),
        new_output("display_data", {"text/plain": ""}),
        new_output("stream", name="stderr", text="three\n"),
        new_output("display_data", {"text/plain": "shown"}),
        new_output("stream", text="four\n"),
    ]
    tidy = (
        tidied(new_notebook(cells=[new_code_cell("", outputs=outputs)]), keep_outputs=True).cells[0].outputs
    )
    texts = [output.get("text") or output.data["text/plain"] for output in tidy]
    assert texts == ["one\ntwo\n", "three\n", "shown", "four\n"]


@pytest.mark.end_to_end
def test_what_was_measured_stays_until_it_is_measured_anew(tmp_path):
    measured = new_code_cell(
        "import os; os.environ.get('MLSD_TESTBED', 'live')", metadata={"tags": [MEASURES]}
    )
    plain = new_code_cell("os.environ.get('MLSD_TESTBED', 'live')")

    def shown(notebook, *, measure):
        ran = executed(notebook, tmp_path, measure=measure)
        return [cell.outputs[0].data["text/plain"] for cell in ran.cells]

    notebook = new_notebook(cells=[measured, plain])
    assert shown(notebook, measure=False) == ["'recorded'", "'recorded'"]  # there was nothing to keep
    assert shown(notebook, measure=True) == ["'live'", "'live'"]
    assert shown(notebook, measure=False) == ["'live'", "'recorded'"]


@pytest.mark.end_to_end
def test_running_a_lesson_that_measures_again_changes_nothing(tmp_path):
    lesson = next(pair for pair in pairs() if pair.notebook.stem == "03_dataflow")
    stored = nbformat.read(lesson.notebook, as_version=4)
    assert any(MEASURES in cell.metadata.get("tags", []) for cell in stored.cells)
    workspace.make(ROOT, tmp_path)
    again = executed(nbformat.read(lesson.notebook, as_version=4), tmp_path)
    assert tidied(again, keep_outputs=True) == stored
