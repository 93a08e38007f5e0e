"""Copy the course into a workspace: `plan` decides from hashes alone what may be written, `make` writes it.

A learner's work is never overwritten. A file is theirs when it differs from the copied file, whose hash is in
`.mlsd/manifest.json`. Without that file, every file that differs from the course is theirs.
"""

import errno
import glob
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Literal

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.files import write_whole
from mlsd_helpers.workspace.course import DESIGN, MANIFEST, STATE, offered


@dataclass(frozen=True)
class Action:
    """The action for one file of the course: copy, update, copy beside the learner's file, or nothing.

    `path` is its name in the workspace, and `to` the file that is written, empty when nothing is.
    """

    what: Literal["copy", "update", "beside", "keep", "same"]
    path: str
    to: str = ""


def plan(offer: Mapping[str, str], found: Mapping[str, str], copied: Mapping[str, str]) -> tuple[Action, ...]:
    """Decide about each file on offer, from the hashes of what is on offer, found and was copied last.

    >>> plan({"a.ipynb": "v2"}, found={"a.ipynb": "v1"}, copied={"a.ipynb": "v1"})
    (Action(what='update', path='a.ipynb', to='a.ipynb'),)
    >>> plan({"a.ipynb": "v2"}, found={"a.ipynb": "mine"}, copied={"a.ipynb": "v1"})
    (Action(what='beside', path='a.ipynb', to='a.new.ipynb'),)
    """
    return tuple(_action(path, offer[path], found, copied.get(path)) for path in sorted(offer))


def _action(path: str, new: str, found: Mapping[str, str], copied: str | None) -> Action:
    now = found.get(path)
    if now is None:
        return Action("copy", path, path)
    if now == new:
        return Action("same", path)
    if path == DESIGN or new == copied:  # theirs from the start, or changed by them alone
        return Action("keep", path)
    if now == copied:
        return Action("update", path, path)
    return _beside(path, new, found)


def _beside(path: str, new: str, found: Mapping[str, str]) -> Action:
    name, number = PurePosixPath(path), 1
    while True:
        mark = "new" if number == 1 else f"new-{number}"
        to = str(name.with_name(f"{name.stem}.{mark}{name.suffix}"))
        if found.get(to) == new:
            return Action("keep", path)
        if to not in found:
            return Action("beside", path, to)
        number += 1


def describe(actions: Sequence[Action]) -> str:
    """Return what was done, in one line.

    >>> describe([Action("copy", "a.ipynb", "a.ipynb"), Action("beside", "b.ipynb", "b.new.ipynb")])
    '1 file copied; b.ipynb is yours and kept, the new one is b.new.ipynb'
    >>> describe([Action("same", "a.ipynb"), Action("keep", "b.ipynb")])
    'nothing to do, your work is as you left it'
    """
    parts = []
    for what, done in (("copy", "copied"), ("update", "updated")):
        number = sum(action.what == what for action in actions)
        parts += [f"{number} file{'s' * (number > 1)} {done}"] * bool(number)
    for action in actions:
        if action.what == "beside":
            parts.append(f"{action.path} is yours and kept, the new one is {action.to}")
    return "; ".join(parts) or "nothing to do, your work is as you left it"


def make(course: Path, workspace: Path) -> tuple[Action, ...]:
    """Make or refresh a workspace, and return what was done.

    Raises WorkspaceError where the folder can't be used. Whatever was written until then is whole, and a
    second run goes on from there.
    """
    _refuse_course(course, workspace)
    with plainly(workspace):
        contents = dict(offered(course))
        offer = {path: _hash(content) for path, content in contents.items()}
        workspace.mkdir(parents=True, exist_ok=True)
        copied = _manifest(workspace)
        actions = plan(offer, _found(workspace, offer), copied)
        for action in actions:
            if action.to:
                write(workspace / action.to, contents[action.path])
        if copied != (now := {**copied, **offer}):
            write(workspace / STATE / ".gitignore", b"*\n")
            write(workspace / MANIFEST, json.dumps({"laid": now}, indent=1, sort_keys=True).encode())
    _trust(workspace / action.to for action in actions if action.to.endswith(".ipynb"))
    return actions


def _refuse_course(course: Path, workspace: Path) -> None:
    folder = workspace.resolve()
    parts = (course / name for name in ("course", "source", "release", "mlsd_helpers"))
    if folder == course or any(folder.is_relative_to(part) for part in parts):
        raise WorkspaceError(f"{workspace} belongs to the course itself. Give another folder: mlsd lab DIR.")


def _found(workspace: Path, paths: Iterable[str]) -> dict[str, str]:
    """Hash the files at the paths that the course would write, and the copies beside them."""
    found = {}
    for place in map(workspace.joinpath, paths):
        beside = place.parent.glob(f"{glob.escape(place.stem)}.new*{glob.escape(place.suffix)}")
        for there in (place, *beside):
            if there.exists() or there.is_symlink():
                name = there.relative_to(workspace).as_posix()
                found[name] = _hash(there.read_bytes()) if there.is_file() else "not a file"
    return found


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _manifest(workspace: Path) -> dict[str, str]:
    try:
        copied = json.loads((workspace / MANIFEST).read_bytes())["laid"]
        return {str(path): str(content) for path, content in copied.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write(path: Path, content: bytes) -> None:
    """Write a file atomically, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def _trust(notebooks: Iterable[Path]) -> None:
    """Sign our own notebooks, so that JupyterLab shows their outputs."""
    with suppress(Exception):  # without a usable store of signatures, running a notebook trusts it as well
        import nbformat  # noqa: PLC0415 - heavy
        from nbformat.sign import NotebookNotary  # noqa: PLC0415

        notary = NotebookNotary()
        for notebook in notebooks:
            notary.sign(nbformat.read(notebook, as_version=4))
        notary.store.close()


_CAUSES = MappingProxyType({
    errno.EEXIST: "is a file where a folder is needed",
    errno.ENOTDIR: "is a file where a folder is needed",
    errno.ENOSPC: "lies on a disk that is full; free some space",
    errno.EDQUOT: "lies on a disk where your quota is used up; free some space",
})  # fmt: skip


@contextmanager
def plainly(workspace: Path) -> Iterator[None]:
    """Turn an error of the file system into a WorkspaceError that says what to do."""
    try:
        yield
    except WorkspaceError:
        raise
    except OSError as error:
        cause = _CAUSES.get(error.errno or 0, f"cannot be written: {error.strerror or error}")
        raise WorkspaceError(
            f"{error.filename or workspace} {cause}. Your work is untouched. "
            "Mend that, or give another folder: mlsd lab DIR."
        ) from error
