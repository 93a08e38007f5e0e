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

from tests.test_repository import ROOT, files

RECIPES = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
MOST_STEPS = 10
STEP = re.compile(r"^\d+\. ", re.MULTILINE)
BLOCK = re.compile(r"^   ```(\w+)\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"\b(?i:write|add to) `([^`]+\.\w+)`")

pytestmark = pytest.mark.road


@dataclass(frozen=True)
class Step:
    """What a step says, the file that it writes if any, and its block: Python for the file, or commands."""

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
    environment = folder / ".venv"
    environment.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != "installed-here":
            (environment / part.name).symlink_to(part)
    (environment / "installed-here").write_text(
        f"{folder.resolve()}\n"
    )  # newer than the lock: nothing is installed
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)  # the tests ask git for the files
    return folder


def write(copy, step):
    """Write the block of a step into its file, or behind what the file has."""
    path = copy / step.place
    assert path.resolve().is_relative_to(copy.resolve())
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text() + "\n" if "add to" in step.says.lower() else ""
    path.write_text(before + step.block)


def do(copy, title):
    """Write every file of a recipe."""
    for one in steps(title):
        if one.language == "python":
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


def test_no_recipe_is_long():
    titles = re.findall(r"^## (.+)$", RECIPES, re.MULTILINE)
    assert titles
    assert all(1 <= len(steps(title)) <= MOST_STEPS for title in titles)


def test_a_new_case(copy):
    do(copy, "A case")
    *_, output = run(copy, "A case")
    assert passed(output) >= 7


@pytest.fixture(scope="module")
def written(copy):
    """Give the copy with the files of a new lesson and its exercise."""
    do(copy, "A lesson")
    do(copy, "An exercise")
    return copy


def test_a_new_exercise(written):
    made, output = run(written, "An exercise")
    assert "90_example: ok" in made
    assert passed(output) >= 30
    assert "How retries multiply" in (written / "docs/course-map.md").read_text()


def test_a_new_lesson(written):
    *_, output = run(written, "A lesson")
    assert passed(output) >= 6
    assert "27 calls for one" in (written / "course/90_example.ipynb").read_text()
