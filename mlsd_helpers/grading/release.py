"""Student versions: nbgrader's generate_assignment on source/, written to release/ or compared with it.

nbgrader removes the old student version before it makes the new one, so nothing is left when that fails. Here the new
one is made in a temporary directory, and replaces the old one when it is complete.
"""

import difflib
import hashlib
import json
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import capture_log
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from mlsd_helpers.errors import WorkspaceError

CONFIG = "nbgrader_config.py"
_DIFF_LINES = 12


@dataclass(frozen=True)
class Outcome:
    """The result for one assignment; `problem` is "" on success."""

    assignment: str
    problem: str = ""


class NameCells(NbGraderPreprocessor):  # type: ignore[misc]
    """Gives each cell an id that depends on its content, so that the same source gives the same release.

    A graded cell has its grade_id, any other a digest of its content. Without this, ids that are missing, or that a new
    conversion of the text twin makes at random, would differ each time.
    """

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Set the ids of the cells, where the format of the notebook has ids."""
        if nb.nbformat_minor >= 5:
            for cell, name in zip(nb.cells, _names(nb.cells), strict=True):
                cell["id"] = name
        return nb, resources


def _names(cells: Iterable[Any]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for cell in cells:
        content = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or content
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name[:60]}-{seen[name]}"


def assignments(course: Path, names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the named assignments of source/, or all of them, in order.

    Raises WorkspaceError for a name that is not there, and where there is none at all.
    """
    there = sorted(folder.name for folder in (course / "source").glob("*") if any(folder.glob("*.ipynb")))
    unknown = sorted(set(names) - set(there))
    if unknown or not there:
        given = f"no assignment {', '.join(unknown)}" if unknown else "no assignment"
        raise WorkspaceError(
            f"There is {given} in {course / 'source'}. It has: {', '.join(there) or 'nothing'}."
        )
    return tuple(name for name in there if not names or name in set(names))


def release(course: Path, assignment: str) -> Outcome:
    """Make the student version of one assignment in release/ and its rows in nbgrader's gradebook."""
    with tempfile.TemporaryDirectory(dir=course, prefix=".release-") as scratch:
        problem = _generate(course, assignment, Path(scratch))
        if problem:
            return Outcome(assignment, problem)
        place = course / "release" / assignment
        place.parent.mkdir(exist_ok=True)
        if place.exists():
            place.rename(Path(scratch, "before"))
        Path(scratch, assignment).rename(place)
    return Outcome(assignment)


def compare(course: Path, assignment: str) -> Outcome:
    """Make the student version in a temporary directory, without a gradebook, and compare it with release/."""
    with tempfile.TemporaryDirectory() as scratch:
        problem = _generate(course, assignment, Path(scratch), gradebook=False)
        made, there = (_contents(folder / assignment) for folder in (Path(scratch), course / "release"))
    return Outcome(assignment, problem or differences(there, made))


def strays(course: Path) -> tuple[Outcome, ...]:
    """Return the folders of release/ without an assignment in source/."""
    there = {folder.name for folder in (course / "release").glob("*") if folder.is_dir()}
    gone = sorted(there - set(assignments(course)))
    return tuple(Outcome(name, f"not in source/; remove release/{name}.") for name in gone)


def differences(before: dict[str, str], after: dict[str, str]) -> str:
    """Return a short diff of the contents of two folders, "" when they are the same.

    >>> print(differences({"a.txt": "one"}, {"a.txt": "two"}))
    a.txt:
    -one
    +two
    >>> differences({"a.txt": "one"}, {"a.txt": "one"})
    ''
    """
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return "\n".join(f"{name}:\n{_diff(before.get(name, ''), after.get(name, ''))}" for name in changed)


def _diff(before: str, after: str) -> str:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))
    lines = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    more = [f"… {len(lines) - _DIFF_LINES} more lines"] if len(lines) > _DIFF_LINES else []
    return "\n".join([*lines[:_DIFF_LINES], *more])


def _contents(folder: Path) -> dict[str, str]:
    """Read the files of a folder as text; the JSON of notebooks is normalised."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".ipynb_checkpoints" not in path.parts)
    return {path.relative_to(folder).as_posix(): _text(path) for path in files}


def _text(path: Path) -> str:
    text = path.read_bytes().decode(errors="replace")
    if path.suffix == ".ipynb":
        return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False)
    return text


def _generate(course: Path, assignment: str, into: Path, *, gradebook: bool = True) -> str:
    """Run nbgrader's converter, and return its message when it fails."""
    config = configuration(course)
    config.CourseDirectory.update(release_directory=str(into), assignment_id=assignment)
    config.GenerateAssignment.no_database = not gradebook
    config.SaveCells.enabled = config.SetDueDate.enabled = config.AddCells.enabled = gradebook
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    with environment_on_path():
        result = capture_log(converter)
    if result["success"]:
        return ""
    log: str = result.get("log", "") + result["error"]
    raised: list[str] = re.findall(r"^\s*((?:\w+\.)*\w+(?:Error|Exception): .+)$", log, flags=re.MULTILINE)
    return raised[0] if raised else log.strip().splitlines()[-1]  # an exception without its traceback


def configuration(course: Path) -> Config:
    """Return nbgrader's configuration of a course, with the course's root.

    Raises WorkspaceError where the folder has none, and where Python can't read it.
    """
    if not (course / CONFIG).is_file():
        raise WorkspaceError(
            f"{course} has no {CONFIG}, which keeps solutions out of release/. "
            "Run this in a clone of the course, or name one with --course."
        )
    try:
        config = PyFileConfigLoader(CONFIG, path=str(course)).load_config()
    except Exception as error:
        line = getattr(error, "lineno", None) or traceback.extract_tb(error.__traceback__)[-1].lineno
        raise WorkspaceError(
            f"{course / CONFIG}, line {line}: {type(error).__name__}: {getattr(error, 'msg', error)}. Correct it."
        ) from error
    config.CourseDirectory.root = str(course.resolve())
    return config


@contextmanager
def environment_on_path() -> Iterator[None]:
    """Put the environment's programs on the PATH: nbgrader starts `alembic` by name when it creates a gradebook."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
