"""Write environment.yml, Binder's environment, from the lock: `make lock` does it.

Binder builds an environment once and keeps it while environment.yml stays the same: the pins stand there, and
the package itself is installed by postBuild.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYTHON = "3.12"
EXTRAS = ("course", "testbed")
BUILD = "hatchling"  # what postBuild installs the package with
MACHINE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}
HEAD = f"""\
# Written by `make lock` from requirements.lock: the course on Binder.
name: designing-ml-systems
channels:
  - conda-forge
dependencies:
  - python={PYTHON}
  - pip
  - pip:
"""


@dataclass(frozen=True)
class Pin:
    """One entry of the lock: a version, its hashes, and the packages that asked for it."""

    requirement: Requirement
    hashes: tuple[str, ...]
    wanted_by: frozenset[str]

    @property
    def name(self) -> str:
        """Its name, as package indexes spell it."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The one version that it allows."""
        return str(self.requirement.specifier).removeprefix("==")


def pins(lock: str) -> tuple[Pin, ...]:
    """Return the entries of a lock; a package can have one for each of several Pythons or systems."""
    return tuple(_pin(entry) for entry in _entries(lock.splitlines()))


def _entries(lines: list[str]) -> Iterator[list[str]]:
    starts = [number for number, line in enumerate(lines) if not line.startswith((" ", "#"))]
    return (lines[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True))


def _pin(entry: list[str]) -> Pin:
    requirement, *rest = (line.strip().removesuffix("\\").strip() for line in entry)
    comments = (line.removeprefix("#").strip().removeprefix("via").strip() for line in rest if line[0] == "#")
    return Pin(
        requirement=Requirement(requirement),
        hashes=tuple(line.removeprefix("--hash=") for line in rest if line.startswith("--hash=")),
        wanted_by=frozenset(comment for comment in comments if comment),
    )


def wanted(project: dict[str, Any], *extras: str) -> tuple[Requirement, ...]:
    """Return what pyproject.toml asks for directly, with these extras."""
    table = project["project"]
    groups = [table["dependencies"], *(table["optional-dependencies"][extra] for extra in extras)]
    return tuple(Requirement(text) for group in groups for text in group)


def environment(lock: str, project: dict[str, Any]) -> str:
    """Return environment.yml: what the course needs, as locked, on Binder's Python."""
    here = {
        pin.name: pin
        for pin in pins(lock)
        if pin.requirement.marker is None or pin.requirement.marker.evaluate(MACHINE)
    }
    needed = {canonicalize_name(requirement.name) for requirement in wanted(project, *EXTRAS)} | {BUILD}
    while more := {name for name, pin in here.items() if pin.wanted_by & needed} - needed:
        needed |= more
    return HEAD + "".join(f"      - {name}=={here[name].version}\n" for name in sorted(needed))


def main() -> None:
    """Write environment.yml."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (ROOT / "environment.yml").write_text(environment(lock, project), encoding="utf-8")


if __name__ == "__main__":
    main()
