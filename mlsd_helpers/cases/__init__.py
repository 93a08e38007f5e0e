"""Worked designs, one YAML file a case.

>>> load("harbour_pay").capacity.replicas
45
"""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from mlsd_helpers.design import Design, load_design
from mlsd_helpers.design.problems import nearest
from mlsd_helpers.errors import DesignError

__all__ = ["carry_on", "load", "names"]

_SUFFIX = ".yaml"
PARTS = ("requirements", "planes", "dataflow", "pattern", "capacity")
"""The parts of a design, in the order of the lessons."""


def names() -> tuple[str, ...]:
    """Return the name of every case, in alphabetical order."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


@lru_cache(maxsize=32)
def load(name: str) -> Design:
    """Return the worked design of one case.

    Raises ``DesignError`` for a name that is not among ``names()``.
    """
    if name not in names():
        raise DesignError(f"There is no case {name!r}. {nearest(name, names())}")
    text = files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return Design.parse(text, name + _SUFFIX)


def carry_on(path: str | Path, name: str = "", until: str = "") -> Design:
    """Return the learner's own design so far; where a part before `until` is missing, the case's stands in.

    Without a `name` it is the case that the file is named after; without `until` every missing part is the case's. A
    file that is not there yet counts as empty. Parts from `until` on stay as the learner left them. Raises
    ``DesignError`` for a file that cannot be read, a case or a part that does not exist.
    """
    worked = load(name or Path(path).stem)
    if until and until not in PARTS:
        raise DesignError(f"There is no part {until!r} in a design. {nearest(until, PARTS)}")
    mine = load_design(path) if Path(path).exists() else Design(name=worked.name)
    earlier = PARTS[: PARTS.index(until)] if until else PARTS
    missing = {part: getattr(worked, part) for part in earlier if getattr(mine, part) is None}
    return mine.with_part(**missing)
