"""The paths that a sandbox can see: what Python needs, and nothing of a course, wherever the course lies.

The innermost of the visible and hidden folders decides: a course below `/usr` is hidden, and the environment in that
course is visible, except the reference answers in its packages.
"""

import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import mlsd_helpers
from mlsd_helpers.errors import GradingError

PACKAGE = Path(mlsd_helpers.__file__).parent
ANSWERS = ("exercises", "_course")
"""Folders of the package with the reference answers, and with the course and its student versions."""

_PACKAGE_NAME = "mlsd_helpers"
_COURSE_FILES = {"nbgrader_config.py", "gradebook.db"}
_DEEP = 2  # levels that are searched, as in lib/python3.12/site-packages
_STORES = ("/nix/store", "/gnu/store")
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", *_STORES)
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime")
_PARTS = (
    *("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "include", "share", "etc", "ssl"),
    *("conda-meta", "pyvenv.cfg"),
)
"""The entries of a prefix, such as `/usr` or an environment, that Python or programs need."""


def visible_paths() -> list[Path]:
    """Return the paths that a sandbox needs, by the names that programs and Python use."""
    prefixes = (Path("/usr"), Path("/usr/local"), Path(sys.prefix), Path(sys.base_prefix))
    found = [
        *map(Path, _SYSTEM),
        *(Path("/etc", name) for name in _ETC),
        *(prefix / part for prefix in prefixes for part in _PARTS),
        *_libraries(),
        Path(sys.executable).resolve(),
        PACKAGE,
    ]
    return [path for path in dict.fromkeys(found) if path.exists()]


def _libraries() -> list[Path]:
    """Return the folders of Python's own modules and of installed packages."""
    ours = (Path(one) for one in sys.path if Path(one).name in {"site-packages", "dist-packages"})
    return [Path(sysconfig.get_path("stdlib")), *ours]


def python_path() -> list[str]:
    """Return the folders that a sandbox imports modules from."""
    open_ones = visible_paths()
    found = [one for one in sys.path if any(Path(one).is_relative_to(path) for path in open_ones)]
    return [*dict.fromkeys(found), str(PACKAGE.parent)]


def _python_links() -> list[Path]:
    """Return the links by which Python is started, such as those of an environment made from another one."""
    found: list[Path] = []
    path = Path(sys.executable)
    while path.is_symlink():
        found.append(path)
        path = path.parent / path.readlink()
    return found


def hidden_paths(hidden: Iterable[Path]) -> list[Path]:
    """Return the real paths that no sandbox may see: `hidden`, and every copy of the answers.

    Raises GradingError where Python itself would be hidden, too.
    """
    courses = [name for path in hidden for name in _names(path)]
    copies = [name for path in _copies() for name in _names(path)]
    real = [path.resolve() for path in visible_paths()]
    for needed in (*_libraries(), PACKAGE, Path(sys.executable)):
        path = needed.resolve()
        if path.exists() and _innermost(path, courses) >= max(_innermost(path, real), 1):
            raise GradingError(
                f"{courses[0]} is where Python has {path}, so a sandbox cannot hide the one and show the other. "
                "Move the course into a folder of its own, and grade it there."
            )
    return list(dict.fromkeys([*courses, *copies]))


def _innermost(path: Path, folders: Iterable[Path]) -> int:
    """Return the depth of the innermost folder that contains a path, or 0."""
    return max((len(one.parts) for one in folders if path.is_relative_to(one)), default=0)


def _names(path: Path) -> Iterator[Path]:
    """Yield a path's real name, and those that it has by other mounts of the same disk."""
    real = path.resolve()
    yield real
    mounts = list(_mounts())
    own = [one for one in mounts if real.is_relative_to(one[2])]
    if not own:
        return
    disk, root, point = max(reversed(own), key=lambda one: len(one[2].parts))
    inside = root / real.relative_to(point)
    for other, its_root, its_point in mounts:
        if other != disk:
            continue
        if inside.is_relative_to(its_root):
            yield its_point / inside.relative_to(its_root)
        elif its_root.is_relative_to(inside):
            yield its_point


def _mounts() -> Iterator[tuple[str, Path, Path]]:
    """Yield the number of the disk, the folder of that disk, and where it is mounted."""
    try:
        lines = (
            Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        )
    except OSError:
        return
    for line in lines:
        _, _, disk, *two = line.split(" ")[:5]
        root, point = (re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), one) for one in two)
        yield disk, Path(root), Path(point)


@cache
def _copies() -> tuple[Path, ...]:
    """Return the answers in every copy of the package that Python could import, and the courses there."""
    found = [PACKAGE / name for name in ANSWERS]
    real = {path.resolve() for path in visible_paths() if str(path) not in _STORES}
    outermost = [path for path in real if not any(path != one and path.is_relative_to(one) for one in real)]
    for path in (one for start in outermost for one in _below(start, _DEEP)):
        if path.name == _PACKAGE_NAME:
            found += [path / name for name in ANSWERS]
        elif path.name.startswith(_PACKAGE_NAME) and path.suffix in {".whl", ".zip", ".egg"}:
            found.append(path)
        elif path.name in _COURSE_FILES and not any(one.is_relative_to(path.parent) for one in real):
            found.append(path.parent)
    return tuple(path for path in found if path.exists())


def _below(folder: Path, deep: int) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # a file, or not readable for us either
        return
    for entry in entries:
        yield Path(entry.path)
        if deep and entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), deep - 1)


def layout(hidden: Iterable[Path]) -> tuple[dict[Path, Path], dict[Path, Path | None]]:
    """Return the links of a sandbox, and for each visible path the real path behind it, or None for an empty one.

    Outer paths come before those inside them.
    """
    shut, names = [one for one in hidden_paths(hidden) if one.exists()], visible_paths()
    links = {name: name.readlink() for name in names if name.is_symlink() and _aim(name) in names}
    shown: dict[Path, Path | None] = {name: name.resolve() for name in names if name not in links}
    for name, real in list(shown.items()):
        if real is not None:
            shown |= {name / one.relative_to(real): None for one in shut if one.is_relative_to(real)}
    needed: dict[Path, Path | None] = {}
    for name in sorted(shown, key=lambda one: len(one.parts)):
        outer = next((one for one in name.parents if one in needed), None)
        around = needed[outer] if outer else None
        as_it_is = around / name.relative_to(outer) if outer and around else None
        if outer is None or shown[name] != as_it_is:
            needed[name] = shown[name]
    unseen = [name for name in _python_links() if not any(one in needed for one in name.parents)]
    return links | {name: name.readlink() for name in unseen}, needed


def _aim(link: Path) -> Path:
    return Path(os.path.normpath(link.parent / link.readlink()))


def readable(hidden: Iterable[Path] = ()) -> tuple[list[str], list[str]]:
    """Return what landlock lets a sandbox read: whole paths, and folders that it may only list.

    Python lists the folders that it imports modules from.
    """
    shut = hidden_paths(hidden)
    imported = [*(Path(one).resolve() for one in python_path()[:-1]), PACKAGE.resolve()]
    whole: list[Path] = []
    listed: list[Path] = []
    left = [path.resolve() for path in visible_paths()]
    for path in left:
        if path in shut:
            continue
        if not any(one.is_relative_to(path) for one in shut):
            whole.append(path)
            continue
        if any(path.is_relative_to(one) for one in imported):
            listed.append(path)
        with suppress(PermissionError):  # then a sandbox cannot enter it either
            left += (child for child in path.iterdir() if not child.is_symlink())
    return list(dict.fromkeys(map(str, whole))), list(dict.fromkeys(map(str, listed)))
