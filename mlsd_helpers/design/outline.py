"""An example of a part of a design, written into a file as comments: the learner puts a system of their own in."""

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from mlsd_helpers.design.design import Design, load_with_lines
from mlsd_helpers.design.problems import nearest
from mlsd_helpers.errors import DesignError
from mlsd_helpers.files import write_whole

_TOP = {"workloads": "requirements"}
"""Examples whose first key is not their name: they show a part in another way."""
_BEGIN = "# {part}: an example, a shop's search. Put in your own values, and remove the first # of each line."


class Outline(NamedTuple):
    """What was done to a file: printed as one line."""

    path: Path
    part: str
    line: int
    state: str  # "written", "commented" or "present"

    def __str__(self) -> str:
        """Return the line that is printed."""
        said = {
            "written": f"{self.path.name} has an example of `{self.part}` now, as comments, from line {self.line}.",
            "commented": f"{self.path.name} has the example of `{self.part}` as comments from line {self.line}.",
            "present": f"{self.path.name} has its own `{self.part}`, in line {self.line}. It stays as it is.",
        }
        return said[self.state]

    def __repr__(self) -> str:
        """Show the line where a notebook shows a value."""
        return str(self)


def example(part: str) -> str:
    """Return the YAML lines of an example of a part, such as "planes"; a ``DesignError`` for a part that has none.

    "workloads" are requirements of several workloads.
    """
    parts = sorted(
        one.name.removesuffix(".yaml") for one in files(__package__).joinpath("examples").iterdir()
    )
    if part not in parts:
        raise DesignError(f"There is no part {part!r} in a design. {nearest(part, parts)}")
    text = files(__package__).joinpath("examples", f"{part}.yaml").read_text(encoding="utf-8")
    return text[text.index(f"{_TOP.get(part, part)}:") :]


def outline(path: str | Path, part: str) -> Outline:
    """Add an example of a part to a design's file, each line as a comment; say so where the part is there already.

    The design itself stays what it was. A file that does not exist yet is made, with a name to replace. Raises
    ``DesignError`` for a file that cannot be read or written, and for a part that does not exist.
    """
    path = Path(path)
    lines = example(part).splitlines()
    begin = _BEGIN.format(part=part)
    if not path.exists():
        Design(name="My system").save(path)
    design, places = load_with_lines(path)
    top = _TOP.get(part, part)
    if getattr(design, top) is not None and top in design.model_fields_set:
        return Outline(path, top, places(top), "present")
    text = path.read_bytes().decode()
    if begin in text:
        return Outline(path, part, text[: text.index(begin)].count("\n") + 1, "commented")
    end = "\r\n" if "\r\n" in text else "\n"
    text = text if text.endswith("\n") else text + end
    added = end.join(["", begin, *(f"# {line}".rstrip() for line in lines), ""])
    try:
        write_whole(path, text + added)
    except OSError as error:
        raise DesignError(f"{path} cannot be written: {error}. Choose a folder you may write in.") from None
    return Outline(path, part, text.count("\n") + 2, "written")
