"""Feedback that shows a student their mistake, and not the hidden test that found it.

nbgrader puts the hidden tests back into a notebook before it grades it, and makes the feedback page from that
notebook. So the tests are in its cells, in the tracebacks of failed checks, and in anything that a student's code
prints about the cells. The message of a failed hidden test is meant for the student, and stays.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_locked

NOTE = "    (hidden check)"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_GUTTER = re.compile(r"(?:-+>)?\s*\d+ ?(.*)")  # IPython's line numbers: "      4 x = 1", "----> 5 assert x"
_TAG = re.compile(r"<[^<>]*>")
_ENDLESS = re.compile(r"&#\d{8,}")  # no character has such a number, and int() refuses one that is too long
_BREAK = re.compile(r"\\n|\n")  # a line break, or one written inside a quoted string
_QUOTING = re.compile(r"""["'\\,\s]+""")  # what quoting may add to a line
_SHORT = 5  # characters: a shorter line, such as "38," in a table, is not secret
_LONG = 8  # characters: a shorter line, such as "else:", is not secret within a longer one


@dataclass(frozen=True)
class Secret:
    """The lines of the hidden regions: `lines` as a traceback shows them, `bare` without what quoting adds."""

    lines: frozenset[str]
    bare: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.lines or self.bare)

    @classmethod
    def of(cls, hidden: Iterable[str], shown: Iterable[str] = ()) -> "Secret":
        """Collect the hidden lines, except those that are blank or also shown elsewhere."""
        lines = frozenset(map(str.strip, hidden)) - frozenset(map(str.strip, shown)) - {""}
        return cls(lines, frozenset(bare for bare in map(_bare, lines) if len(bare) >= _SHORT))

    def within(self, text: str) -> "Secret":
        """Return the lines that can be in a text. For most outputs there are none, which saves looking at each line."""
        bare = _bare(text)
        return Secret(
            frozenset(line for line in self.lines if line in text),
            frozenset(line for line in self.bare if line in bare),
        )

    def is_in(self, line: str) -> bool:
        """Tell whether a line of output shows a hidden line: in a traceback, printed or quoted."""
        plain = _COLOUR.sub("", line)
        numbered = _GUTTER.fullmatch(plain)
        if numbered and numbered[1].strip() in self.lines:
            return True
        return any(self._is_quoted(_bare(piece)) for piece in _BREAK.split(plain))

    def _is_quoted(self, piece: str) -> bool:
        return piece in self.bare or any(bare in piece for bare in self.bare if len(bare) >= _LONG)


def split(source: str, begin: str, end: str) -> tuple[list[str], list[str]]:
    r"""Split the lines of a cell into those of its hidden regions, delimiters included, and those shown.

    >>> split("a = 1\n# BEGIN\nb = 2\n# END\nc = 3", "BEGIN", "END")
    (['# BEGIN', 'b = 2', '# END'], ['a = 1', 'c = 3'])
    """
    hidden: list[str] = []
    shown: list[str] = []
    inside = False
    for line in source.split("\n"):
        inside = inside or begin in line
        (hidden if inside else shown).append(line)
        inside = inside and end not in line
    return hidden, shown


def without(text: str, secret: Secret) -> str:
    r"""Return a text with one note in place of each run of lines that show hidden lines.

    >>> print(without("----> 1 assert f(3) == 6\nAssertionError: doubled?", Secret.of(["assert f(3) == 6"])))
        (hidden check)
    AssertionError: doubled?
    """
    kept: list[str] = []
    present = secret.within(_COLOUR.sub("", text))
    if not present:
        return text
    for line in text.split("\n"):
        shown = NOTE if present.is_in(line) else line
        if shown != NOTE or kept[-1:] != [NOTE]:
            kept.append(shown)
    return "\n".join(kept)


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]
    """Removes hidden tests from the instructor's cells and from every output of the notebook.

    A hidden region that students write in their own cells is their text, and stays. nbgrader's own preprocessor refuses
    the whole notebook because of it, and the student gets no feedback.
    """

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Clear the outputs first, while the cells still contain the hidden lines."""
        secret = self._secret(nb.cells)
        for cell in nb.cells:
            for output in cell.get("outputs", ()):
                _clear(output, secret)
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> Any:
        """Clear the hidden regions of a cell that students cannot edit."""
        return super().preprocess_cell(cell, resources, cell_index) if is_locked(cell) else (cell, resources)

    def _secret(self, cells: Iterable[Any]) -> Secret:
        delimiters = self.begin_test_delimeter, self.end_test_delimeter
        parts = [split(cell.source, *delimiters) for cell in cells if is_locked(cell)]
        return Secret.of(
            hidden=(line for hidden, _ in parts for line in hidden),
            shown=(line for _, shown in parts for line in shown),
        )


def _clear(output: Any, secret: Secret) -> None:
    if output.output_type == "stream":
        output.text = without(output.text, secret)
    elif output.output_type == "error":
        output.evalue = without(output.evalue, secret)
        output.traceback = without("\n".join(output.traceback), secret).split("\n")
    else:
        output.data = {kind: _clear_data(kind, data, secret) for kind, data in output.data.items()}


def _clear_data(kind: str, data: Any, secret: Secret) -> Any:
    """Clear plain text line by line. Markup and other data that show a hidden line are removed as a whole."""
    if kind == "text/plain":
        return without(data, secret)
    plain = html.unescape(_ENDLESS.sub("", _TAG.sub("", str(data))))
    present = secret.within(_COLOUR.sub("", plain))
    shown = present and any(present.is_in(line) for line in plain.split("\n"))
    return NOTE.strip() if shown else data


def _bare(line: str) -> str:
    return _QUOTING.sub(" ", line).strip()
