"""Each recipe of docs/recipes.md, done as it is written, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.repository import ROOT, files

RECIPES = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
MOST_STEPS = 10
STEP = re.compile(r"^\d+\. ", re.MULTILINE)
BLOCK = re.compile(r"^   ```(\w+)\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"\b(?i:write|add to) `([^`]+\.\w+)`")

pytestmark = pytest.mark.end_to_end


@dataclass(frozen=True)
class Step:
    """What a step says, the file that it writes if any, and its block: text for the file, a diff, or commands."""

    says: str
    place: str
    language: str
    block: str


def steps(title):
    """Give the steps of a recipe."""
    _, _, after = RECIPES.partition(f"\n## {title}\n")
    recipe = re.split(r"^## ", after, flags=re.MULTILINE)[0]
    return [step(text) for text in STEP.split(recipe)[1:]]


def step(text):
    blocks = BLOCK.findall(text)
    assert len(blocks) <= 1, f"one block a step: {text}"
    says = " ".join(BLOCK.sub("", text).split())
    place = PLACE.search(says)
    language, block = blocks[0] if blocks else ("", "")
    return Step(says, place[1] if place else "", language, dedent(block))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Give a copy of the repository whose `make` uses the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("recipes") / "repository"
    for path in files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for compiled in {path.parent / "__pycache__" for path in files() if path.suffix == ".py"}:
        if compiled.is_dir():  # saves the time to compile all modules and tests anew
            shutil.copytree(
                compiled, folder / compiled.relative_to(ROOT), ignore=lambda _, names: unfinished(names)
            )
    environment = folder / ".venv"
    environment.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != "installed-here":
            (environment / part.name).symlink_to(part)
    (environment / "installed-here").write_text(
        f"{folder.resolve()}\n"
    )  # newer than the lock: nothing is installed
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", folder / ".mypy_cache")  # saves most of mypy's time
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)  # the tests ask git for the files
    return folder


def unfinished(names):
    """Name what another process is writing just now: compiled code gets its name when it is whole."""
    return [name for name in names if not name.endswith(".pyc")]


def write(copy, step):
    """Write the block of a step into its file, behind what the file has, or where its other lines say."""
    path = copy / step.place
    assert path.resolve().is_relative_to(copy.resolve())
    path.parent.mkdir(parents=True, exist_ok=True)
    if step.language == "diff":
        path.write_text(changed(path.read_text(), step.block))
    else:
        before = path.read_text() + "\n" if "add to" in step.says.lower() else ""
        path.write_text(before + step.block)


def changed(text, diff):
    """Give a text with the changes of a diff, whose context has to be there once."""
    for change in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        lines = change.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
        place = re.compile(f"^{re.escape(old)}", re.MULTILINE)
        assert len(place.findall(text)) == 1, f"not there once:\n{old}"
        text = place.sub(lambda _, new=new: new, text)
    return text


def do(copy, *titles):
    """Write every file of some recipes."""
    for title in titles:
        for one in steps(title):
            if one.language not in {"", "sh", "text"}:
                assert one.place, f"a step with code names its file: {one.says}"
                write(copy, one)


def run(copy, title):
    """Run every command of a recipe, and give what each printed."""
    blocks = [one.block for one in steps(title) if one.language == "sh"]
    return [said(copy, command) for block in blocks for command in block.splitlines()]


@cache  # two recipes that end alike do it once
def said(copy, command):
    path = f"{copy / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "MAKEFLAGS": "", "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def passed(output):
    """Count the tests that passed, of which there has to be one."""
    return int(re.search(r"(\d+) passed", output)[1])


TITLES = re.findall(r"^## (.+)$", RECIPES, re.MULTILINE)
MAKE = "make fix LESSONS=90_example"  # what several recipes end with
ALONE = {"A case", "A formula", "A review rule"}  # the others make one lesson together


def test_no_recipe_is_long():
    assert TITLES
    assert all(1 <= len(steps(title)) <= MOST_STEPS for title in TITLES)


def test_a_change_whose_place_is_gone_or_stands_twice_is_refused():
    assert changed("a\nb\n", " a\n+c\n") == "a\nc\nb\n"
    assert changed("a\nb\n", "-a\n+c\n@@\n+d\n b\n") == "c\nd\nb\n"
    for text in ("aa\n", "a\na\n"):
        with pytest.raises(AssertionError, match="not there once"):
            changed(text, " a\n+c\n")


@pytest.fixture(scope="module")
def written(copy):
    """Give the copy with the files of every recipe."""
    do(copy, "A lesson", "An exercise", "A question", *(title for title in TITLES if title in ALONE))
    do(copy, *(title for title in TITLES if "assignment" in title or "widget" in title))
    return copy


@pytest.mark.parametrize("title", TITLES)
def test_a_recipe_passes_the_tests_that_it_names(written, title):
    outputs = run(written, title)
    assert passed(outputs[-1]) >= 3


def test_a_new_lesson_shows_what_its_recipes_say(written):
    said(written, MAKE)
    assert "27 calls for one" in (written / "course/90_example.ipynb").read_text()
    listed = (written / "docs/course-map.md").read_text()
    assert all(
        shown in listed for shown in ("How retries multiply", "How long a client waits", "RetryExplorer")
    )


def test_a_new_rule_says_what_it_is_for(written):
    explained, _ = run(written, "A review rule")
    assert "REQ090" in explained


def test_what_the_recipes_write_passes_the_quick_checks(written):
    said(written, MAKE)  # formatted
    said(written, "make format-check code types layers")
