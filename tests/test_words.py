"""What is written for people: commands exist and are run, links and anchors lead somewhere, a term means one thing."""

import re
import shlex
from collections import Counter
from functools import cache

import nbformat
import pytest

from mlsd_helpers import cli, workspace
from tests.support.repository import ROOT, SCRIPTS, files, run

# ---------------------------------------------------------------- commands

READS = {
    "check",
    "document",
    "simulate",
    "rules",
    "doctor",
}  # commands of mlsd that write nothing: run as they stand
WORKSPACE = "tests/test_workspace.py::test_the_whole_life_of_a_learners_jupyterlab"
INSTALLS = "tests/test_repository.py::test_the_first_command_installs_and_the_second_does_not"
ELSEWHERE = {  # by how a command begins: the test that runs it
    "make bench": "tests/test_words.py::test_every_make_command_exists",  # minutes, and peers that nothing installs
    "make coverage": "tests/test_words.py::test_every_make_command_exists",  # minutes
    "make demo": "tests/test_end_to_end.py::test_every_score_in_the_gradebook_is_exactly_the_one_deserved",
    "make dist": "tests/test_versions.py::test_make_builds_nothing_for_a_wrong_tag",
    "make exercises": "tests/test_recipes.py::test_a_recipe_passes_the_tests_that_it_names",
    "make fix": "tests/test_recipes.py::test_a_new_lesson_shows_what_its_recipes_say",
    "make lab ARGS=--instructor": "tests/test_workspace.py::test_an_instructor_gets_the_formgrader_over_the_course",
    "make lab": WORKSPACE,
    "make lint": "tests/test_repository.py::test_the_layers_hold_in_an_unspoilt_copy",  # and `make test` begins with it
    "make lock": "tests/test_repository.py::test_environment_yml_is_what_the_lock_makes_of_it",
    "make loop": "tests/test_words.py::test_every_make_command_exists",  # minutes
    "make near": "tests/test_repository.py::test_the_tests_near_to_a_file_are_those_of_its_room",
    "make record": "tests/notebooks/test_fix.py::test_what_was_measured_stays_until_it_is_measured_anew",
    "make quick": "tests/test_words.py::test_every_make_command_exists",  # a part of what runs this
    "make pytest": "tests/test_words.py::test_every_make_command_exists",  # runs this
    "make portable": "tests/test_words.py::test_every_make_command_exists",  # a part of what runs this
    "make publish": "tests/test_words.py::test_every_make_command_exists",  # it publishes
    "make site": "tests/site/test_site.py::test_the_pure_floors_come_to_the_same_in_the_browser_as_here",
    "make test": "tests/test_words.py::test_every_make_command_exists",  # runs this
    "mlsd check design.yaml": "tests/test_reference.py::test_the_first_review_in_the_readme_is_what_the_command_prints",
    "mlsd collect": "tests/grading/test_downloads.py::test_the_names_of_canvas_and_moodle_work_as_they_come",
    "mlsd demo": "tests/test_end_to_end.py::test_every_score_in_the_gradebook_is_exactly_the_one_deserved",
    "mlsd feedback": "tests/test_instructor.py::test_each_page_of_feedback_goes_back_under_the_name_of_its_download",
    "mlsd grade": "tests/grading/test_grade.py::test_honest_work_gets_the_score_it_deserves",
    "mlsd lab": WORKSPACE,
    "mlsd marks": "tests/grading/test_marks.py::test_canvas_reads_its_columns_points_possible_and_students",
    "mlsd release": "tests/test_release.py::test_only_the_named_assignment_is_made",
    "mlsd report": "tests/grading/test_report.py::test_a_report_is_where_it_was_asked_for_and_leaves_nothing_else",
    "mlsd schema": "tests/design/test_schema.py::test_the_command_writes_the_schema_to_a_file",
    "nbgrader": "tests/test_release.py::test_nbgraders_own_command_makes_the_same_release",
    "pip install": INSTALLS,
    "python -m http.server": "tests/site/test_site.py::test_a_prediction_and_a_check_answer_in_the_browser",
    "python -m venv": INSTALLS,
}
RUN_AS_IT_STANDS = {  # documents whose every block of commands is run, and by what
    "docs/instructors.md": "tests/test_instructor.py",
    "docs/recipes.md": "tests/test_recipes.py",
}
PROGRAMS = r"(?:make|mlsd|nbgrader|python -m|pip install)"


def commands():
    """Give each command that a document shows, in a block or between backticks, with the documents that show it."""
    found = {}
    for path in files("*.md"):
        for code in code_in(path):
            for command in re.findall(rf"^(?:\$ )?(?:\w+=\S+ )*({PROGRAMS} [^#|>&\n]+)", code, re.MULTILINE):
                found.setdefault(" ".join(command.split()), set()).add(path.relative_to(ROOT).as_posix())
    return found


def code_in(path):
    text = path.read_text(encoding="utf-8")
    block = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
    blocks = [] if path.relative_to(ROOT).as_posix() in RUN_AS_IT_STANDS else block.findall(text)
    return [*blocks, *re.findall(r"`([^`\n]+)`", block.sub("", text))]


COMMANDS = commands()


def elsewhere(command):
    """Give the test that runs a command, by the longest beginning that is listed."""
    return next(
        (ELSEWHERE[begin] for begin in sorted(ELSEWHERE, reverse=True) if command.startswith(begin)), None
    )


@pytest.mark.processes
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_a_document_shows_runs(command):
    program, word, *given = shlex.split(command)
    if (
        command not in ELSEWHERE
        and program == "mlsd"
        and word in READS
        and (given or word in {"doctor", "rules"})
    ):
        done = run(SCRIPTS / program, word, *given)
        assert done.returncode in {0, 1}, f"{COMMANDS[command]}: {done.stderr}"  # 1 is a finding, 2 an error
    elif program == "mlsd" and not given:
        assert run(SCRIPTS / program, word, "--help").returncode == 0, COMMANDS[command]
    else:
        assert elsewhere(command), f"{COMMANDS[command]}: list it in ELSEWHERE, with the test that runs it"


@pytest.mark.parametrize(("document", "test"), RUN_AS_IT_STANDS.items())
def test_a_document_that_is_run_as_it_stands_is_read_by_that_test(document, test):
    assert document.rpartition("/")[2] in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize(("begin", "test"), ELSEWHERE.items())
def test_the_test_that_runs_a_command_is_there(begin, test):
    path, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), begin


@pytest.mark.processes
@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make")])
def test_every_make_command_exists(command):
    words = [word for word in shlex.split(command)[1:] if "=" not in word]
    made = run("make", "--dry-run", *words)
    assert made.returncode == 0, f"{COMMANDS[command]}: {made.stderr}"


@pytest.mark.processes
@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.run.__name__)
def test_every_command_has_help_that_names_only_commands_that_exist(command):
    helped = run(SCRIPTS / "mlsd", command.run.__name__, "--help")
    assert helped.returncode == 0, helped.stderr
    known = {one.run.__name__ for one in cli.COMMANDS}
    assert set(re.findall(r"`mlsd (\w+)", helped.stdout)) <= known


def test_every_command_is_in_some_document():
    shown = {command.split()[1] for command in COMMANDS if command.startswith("mlsd")}
    run_by_make = {"release", "demo"}
    assert {command.run.__name__ for command in cli.COMMANDS} <= shown | run_by_make


@pytest.mark.parametrize("path", files("*.md"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_python_in_a_document_gives_what_it_says(path):
    names = {}
    for block in re.findall(
        r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        for line in block.splitlines():
            code, _, said = line.partition("  # ")
            if said.replace(".", "").isdigit():
                assert repr(eval(code, names)) == said  # noqa: S307 - our own words
            elif code.startswith(("import ", "from ")):
                exec(code, names)  # noqa: S102


# ---------------------------------------------------------------- links

GLOSSARY = ROOT / "course" / "glossary.md"
LINK = re.compile(r"\]\(([^()\s]+(?:\([^()]*\))?)\)")


def links(text):
    """Give the relative links of a Markdown text: file and anchor."""
    code = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
    return [target.partition("#")[::2] for target in LINK.findall(code.sub("", text)) if "://" not in target]


def markdown(path):
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@cache
def headings(path):
    code = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
    return re.findall(r"^#+ (.+?)\s*$", code.sub("", markdown(path)), re.MULTILINE)


def anchors(path, *, in_jupyterlab):
    """Give the anchors that lead somewhere on the code host, and where a learner reads in JupyterLab as well."""
    host = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(path)}
    return host & {heading.replace(" ", "-") for heading in headings(path)} if in_jupyterlab else host


def broken(path):
    """Give the links of a file that lead nowhere."""
    found, learners = [], path.suffix == ".ipynb" or path.name == GLOSSARY.name
    for name, anchor in links(markdown(path)):
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target, in_jupyterlab=learners)):
            found.append(f"{name}#{anchor}")
    return found


@pytest.mark.parametrize("path", files("*.md", "*.ipynb"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_and_anchor_leads_somewhere(path):
    assert not broken(path)


@pytest.mark.parametrize(
    "path", files("course/*.ipynb", "source/*/*.ipynb"), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_a_term_is_linked_to_its_own_heading_in_the_glossary(path):
    assert not re.findall(r"\[[^\]]*\*\*\]\((?:[^)]*/)?glossary\.md\)", markdown(path))


def test_every_link_leads_somewhere_in_a_workspace_too(tmp_path):
    workspace.make(ROOT, tmp_path)
    found = {path: broken(path) for pattern in ("*.md", "*.ipynb") for path in tmp_path.rglob(pattern)}
    assert found
    assert not {path: names for path, names in found.items() if names}


def test_a_broken_link_and_a_broken_anchor_are_found(tmp_path):
    (tmp_path / "a.md").write_text("# one two\n[x](b.md) [y](#one-two) [z](#three) [w](a.md#one-two)\n")
    assert broken(tmp_path / "a.md") == ["b.md#", "#three"]


# ---------------------------------------------------------------- terms

ENTRY = re.compile(r"^## (.+)\n\n((?:.+\n)+)\[Lesson (\d\d)\]\((\d\d_\w+)\.ipynb\)$", re.MULTILINE)
ENTRIES = {
    term: (" ".join(said.split()), lesson) for term, said, _, lesson in ENTRY.findall(GLOSSARY.read_text())
}
LESSONS = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "course/text").glob("*.py"))
}


def forms(term):
    """Give how a lesson may write a term where it introduces it."""
    return re.compile(rf"\*\*{re.escape(term)}(?:s|es)?\b", re.IGNORECASE)


def test_no_term_is_defined_twice_and_all_stand_in_order():
    terms = re.findall(r"^## (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    assert not [term for term, times in Counter(map(str.casefold, terms)).items() if times > 1]
    assert terms == sorted(terms, key=str.casefold)
    assert set(terms) == set(ENTRIES), "a term, a blank line, a sentence or two, and its lesson"


@pytest.mark.parametrize("term", ENTRIES)
def test_a_term_takes_a_sentence_or_two(term):
    said, _ = ENTRIES[term]
    assert said.endswith(".")
    assert 1 <= len(re.findall(r"[.:?](?:\s|$)", said)) <= 3  # a colon may hold the second one


@pytest.mark.parametrize("term", ENTRIES)
def test_the_lesson_of_a_term_uses_it(term):
    _, lesson = ENTRIES[term]
    assert re.search(re.escape(term), LESSONS[lesson].replace("\n", " "), re.IGNORECASE)


@pytest.mark.parametrize("term", ENTRIES)
def test_no_earlier_lesson_introduces_a_term(term):
    _, lesson = ENTRIES[term]
    assert not [name for name in LESSONS if name < lesson and forms(term).search(LESSONS[name])]


def test_each_term_of_the_glossary_is_linked_from_the_lesson_that_introduces_it():
    terms = re.findall(r"^## (.+)\n\n(?:.+\n)+?\[Lesson \d\d\]\((.+)\)", markdown(GLOSSARY), re.MULTILINE)
    assert len(terms) == len(headings(GLOSSARY)) - 1
    linked = {path.name: set(links(markdown(path))) for path in (ROOT / "course").glob("*.ipynb")}
    anchored = anchors(GLOSSARY, in_jupyterlab=True)
    for term, lesson in terms:
        anchor = term.replace(" ", "-")
        assert (GLOSSARY.name, anchor if anchor in anchored else "") in linked[lesson], term
