"""Finds the course, and lists the files that it offers for a learner's workspace."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from mlsd_helpers.errors import WorkspaceError

LESSONS = "[0-9][0-9]_*.ipynb"
STATE = ".mlsd"  # hidden folder of a workspace: what was copied, JupyterLab's settings and its log
MANIFEST = f"{STATE}/manifest.json"

GLOSSARY = "glossary.md"
DESIGN = "design.yaml"
_STARTER = b"# A system of your own: nobody else writes values into this file.\nname: My system\n"
_LINKS = MappingProxyType({
    rb"\.\./release/(?=\d\d_)": b"assignments/",  # from a lesson to its exercises
    rb"\.\./\.\./course/(?=\d\d_|glossary)": b"../../",  # and back
})  # fmt: skip


def find_course(given: Path | None = None, here: Path | None = None) -> Path:
    """Return the course's root: the given one, or the clone around `here`, or what came with the package.

    Raises WorkspaceError where there is no course.
    """
    if given is not None:
        if not _is_course(given):
            raise WorkspaceError(
                f"{given} holds no course: there is no course/NN_topic.ipynb in it. Give the root of a clone."
            )
        return given.resolve()
    here = (here or Path.cwd()).resolve()
    package = Path(__file__).resolve().parents[1]
    around = (folder for folder in (here, *here.parents) if (folder / "nbgrader_config.py").is_file())
    for folder in (*around, package.parent, package / "_course"):
        if _is_course(folder):
            return folder
    raise WorkspaceError(f"There is no course around {here}. Run this in a clone, or give --course DIR.")


def _is_course(folder: Path) -> bool:
    return any((folder / "course").glob(LESSONS)) or any((folder / "source").glob(f"*/{LESSONS}"))


def default_folder(course: Path, here: Path) -> Path:
    """Return the default folder of a workspace: `here` if it is one, else `workspace/`."""
    if (here / MANIFEST).is_file():
        return here
    return (course if here.is_relative_to(course) else here) / "workspace"


def first_lesson(course: Path) -> str:
    """Return the name of the lesson to open first: 00_start_here, or the first that there is."""
    return min(path.name for path in (course / "course").glob(LESSONS))


def offered(course: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file of a fresh workspace: lessons, glossary, assignments/ and the design.

    Raises WorkspaceError when the course has no lesson.
    """
    lessons = sorted((course / "course").glob(LESSONS))
    if not lessons:
        raise WorkspaceError(f"{course / 'course'} has no lesson, NN_topic.ipynb. Give --course DIR.")
    for lesson in lessons:
        yield lesson.name, _unrun(_relinked(lesson.read_bytes()))
    if (course / "course" / GLOSSARY).is_file():
        yield GLOSSARY, (course / "course" / GLOSSARY).read_bytes()
    for path in sorted((course / "release").glob("[0-9][0-9]_*/**/*")):
        name = path.relative_to(course / "release")
        if path.is_file() and not any(part.startswith((".", "__")) for part in name.parts):
            content = path.read_bytes()
            yield f"assignments/{name.as_posix()}", _relinked(content) if path.suffix == ".ipynb" else content
    yield DESIGN, _STARTER


def _relinked(notebook: bytes) -> bytes:
    """Change the links between lessons and exercises to their paths in a workspace."""
    for link, target in _LINKS.items():
        notebook = re.sub(link, target, notebook)
    return notebook


def _unrun(notebook: bytes) -> bytes:
    """Remove the outputs of a lesson: they would answer the questions that ask for a prediction."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    content["metadata"].pop("widgets", None)
    return f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode()
