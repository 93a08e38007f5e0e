"""docs/architecture.md against the code: the floors are those of the contract, and each walk can be walked."""

import ast
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from mlsd_helpers import cli
from tests.support.repository import PROJECT, ROOT, run

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FLOORS, WALKS = PAGE.split("## Four walks")
NODE = re.compile(r'^    (f\d+)\["(.+?) · .+"\]$', re.MULTILINE)
TITLES = re.findall(r"^### (.+)$", WALKS, re.MULTILINE)
STEP = re.compile(r"^\d+\. `([^`]+)`((?:.+\n?(?!\d+\. |\n))*.*)", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
COMMANDS = {command.run.__name__ for command in cli.COMMANDS}
CONTRACT = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]


# ---------------------------------------------------------------- the floors


def test_the_picture_has_the_floors_of_the_contract_from_the_top_down():
    drawn = [re.findall(r"\w+", names) for _, names in NODE.findall(FLOORS)]
    assert drawn == [re.findall(r"\w+", floor) for floor in CONTRACT]


def test_the_arrows_of_the_picture_run_down_from_floor_to_floor():
    arrows = re.search(r"^    (f1 --> .+)$", FLOORS, re.MULTILINE)[1].split(" --> ")
    assert arrows == [name for name, _ in NODE.findall(FLOORS)]


# ---------------------------------------------------------------- the walks


@dataclass(frozen=True)
class Stop:
    """A step of a walk: the name that it has on the page, where that stands in the code, and files named beside it."""

    name: str
    place: Path
    beside: tuple[Path, ...]

    @property
    def word(self):
        return self.name.rpartition(".")[2]

    def is_named_in(self, path):
        """Tell whether a file calls this step, starts it or reads it."""
        text = path.read_text(encoding="utf-8")
        if self.place.suffix != ".py":
            return self.place.name in text
        if path.suffix != ".py" or path == self.place or full(self.name) in text:
            return self.word in text
        tree = ast.parse(text)
        words = {getattr(node, "id", getattr(node, "attr", None)) for node in ast.walk(tree)}
        return self.word in words and bool(imported(tree) & {*above(self.name), *above(module_of(self.name))})


def full(name):
    return name if name.startswith("tools.") else f"mlsd_helpers.{name}"


def found(name):
    """Give the module, class or function that a dotted name leads to, or None."""
    parts = full(name).split(".")
    for cut in range(len(parts), 1, -1):
        try:
            thing = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            thing = getattr(thing, part, None)
        return thing
    return None


def module_of(name):
    """Give the dotted name of the module that holds what a name leads to."""
    return getattr(found(name), "__module__", full(name))


def above(name):
    """Give a dotted name and its packages, without the one that holds everything."""
    parts = full(name.removeprefix("mlsd_helpers.")).split(".")
    return [".".join(parts[:cut]) for cut in range(2, len(parts) + 1)]


def imported(tree):
    """Give what a module imports anywhere, also inside of a function."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def files_in(text):
    """Give the files of the repository that a text names, those of the package without its name."""
    places = [folder / name for name in CODE.findall(text) for folder in (ROOT, ROOT / "mlsd_helpers")]
    return tuple(path for path in places if path.is_file())


def stops(walk):
    """Give the steps of the walk with a title, list by list: each list is a walk of its own."""
    text = re.split(r"^### .+$", WALKS, flags=re.MULTILINE)[TITLES.index(walk) + 1]
    lists = re.findall(r"(?:^\d+\. .+\n(?:   .+\n)*)+", text, re.MULTILINE)
    assert lists
    return [[stop(*step) for step in STEP.findall(one)] for one in lists]


def stop(name, says):
    (place,) = files_in(f"`{name}`") or [Path(import_module(module_of(name)).__file__)]
    return Stop(name, place, files_in(says))


def unreached(one):
    """Give the steps that no step above them calls, starts or reads."""
    return [
        step.name
        for at, step in enumerate(one)
        if at
        and not any(step.is_named_in(path) for before in one[:at] for path in (before.place, *before.beside))
    ]


def leads_somewhere(name):
    """Tell whether a name between backticks is a command, a file or something in the code."""
    program, _, rest = name.partition(" ")
    if program == "mlsd":
        return rest in COMMANDS
    if program == "make":
        return run("make", "--dry-run", rest).returncode == 0
    return (ROOT / name).exists() or bool(files_in(f"`{name}`")) or found(name) is not None


@pytest.mark.parametrize("name", sorted(set(CODE.findall(re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))))
def test_every_command_file_module_and_function_that_the_page_names_exists(name):
    assert leads_somewhere(name)


@pytest.mark.parametrize(
    "name", ["mlsd frobnicate", "review.revise", "grading.attic.open", "widgets/none.js"]
)
def test_a_name_that_has_been_changed_is_found(name):
    assert not leads_somewhere(name)


def test_there_are_as_many_walks_as_the_page_says():
    assert len(TITLES) == 4


@pytest.mark.parametrize("walk", TITLES)
def test_each_step_of_a_walk_is_called_or_started_by_one_above_it(walk):
    assert [unreached(one) for one in stops(walk)] == [[] for _ in stops(walk)]


@pytest.mark.parametrize("walk", TITLES)
def test_no_walk_can_be_walked_from_its_end(walk):
    assert all(unreached(one[::-1]) for one in stops(walk))
