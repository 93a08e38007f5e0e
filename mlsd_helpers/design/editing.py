"""Changes to the YAML text of a value: the differences are rewritten, every other character stays.

The reader knows the place of each value in the text. A change replaces, inserts or removes the lines of one key or
list entry; comments, order, quotes and indentation elsewhere stay. A round trip through a YAML library would indent
the whole file its own way and attach a comment above a key to the key before it.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from mlsd_helpers.design.reading import NOTES, Node

Write = Callable[[Any], str]


class NotEditableError(Exception):
    """A change that this module cannot make in the text; the caller writes the text anew."""


class Editor:
    """Collects the changes from one value to another in the text that the first one was read from.

    ``block`` writes a value as lines of YAML, ``inline`` as YAML within a line.
    """

    def __init__(self, text: str, block: Write, inline: Write) -> None:
        self._text = text
        self._block = block
        self._inline = inline
        self._edits: list[tuple[int, int, int, str]] = []  # start, end, minus the column, the new text

    def edited(self, root: Node, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
        """Return the text with the changes from ``old``, which ``root`` was read as, to ``new``."""
        self._group(root, old, new)
        text, position = "", 0
        for start, end, _, words in sorted(self._edits, key=lambda edit: edit[:3]):
            if start < position:
                raise NotEditableError
            text, position = text + self._text[position:start] + words, end
        return text + self._text[position:]

    def _group(self, node: Node, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        entries = list(node.inside.values())
        before = entries[-1] if entries else None
        for key in old:
            if key not in new:
                self._remove(node, entries, node.inside.get(key))
        for key, value in new.items():
            if entry := node.inside.get(key):
                before = entry
                self._change(node, entry, old.get(key), value, key)
            elif key not in old or old[key] != value:  # else it is merged in
                self._insert(node, before, {key: value})

    def _list(self, node: Node, old: Sequence[Any], new: Sequence[Any]) -> None:
        entries = list(node.inside.values())
        for entry in entries:
            entry.key_start = self._text.rfind("-", 0, entry.start)
        matched = SequenceMatcher(None, list(map(_name, old)), list(map(_name, new)), autojunk=False)
        for _, i, i_end, j, j_end in matched.get_opcodes():
            before = entries[i - 1] if i else None
            for was, becomes in zip_longest(range(i, i_end), range(j, j_end)):
                if was is None:
                    self._insert(node, before, [new[becomes]])
                    continue
                before = entries[was]
                if becomes is None:
                    self._remove(node, entries, before)
                else:
                    self._change(node, before, old[was], new[becomes])

    def _change(self, around: Node, entry: Node, old: Any, new: Any, key: str | None = None) -> None:
        """Change an entry of a list, or of a group where it has a key."""
        if old == new:
            return
        earlier = len(self._edits)
        try:
            self._change_inside(entry, old, new)
        except NotEditableError:
            del self._edits[earlier:]
            new = with_notes(new, entry)
            fits_a_line = not isinstance(new, dict | list) and "\n" not in str(new)
            if around.in_one_piece or (entry.in_one_piece and entry.start < entry.end and fits_a_line):
                self._put(entry.start, entry.end, self._inline(new))
            else:
                whole = [new] if key is None else {key: new}
                self._put(entry.key_start, entry.end, self._lines(whole, self._column(entry.key_start)))

    def _change_inside(self, entry: Node, old: Any, new: Any) -> None:
        if entry.is_alias:
            raise NotEditableError
        three = (old, new, entry.value)
        if all(isinstance(value, dict) and value for value in three):
            self._group(entry, old, new)
        elif all(isinstance(value, list) and value for value in three) and len(old) == len(entry.value):
            self._list(entry, old, new)
        else:
            raise NotEditableError

    def _insert(self, around: Node, before: Node | None, whole: Any) -> None:
        """Insert an entry behind another one, or at the top of a list."""
        if around.in_one_piece or (before is None and isinstance(whole, dict)):
            raise NotEditableError
        first = next(iter(around.inside.values())).key_start
        column = self._column(first)
        at = self._line_end(before.end) if before else first - column
        gap = "\n" if at and self._text[at - 1] != "\n" else ""
        depth = column + isinstance(whole, list)  # a dash may stand below the first letter of the list's key
        self._edits.append((at, at, -depth, f"{gap}{' ' * column}{self._lines(whole, column)}\n"))

    def _remove(self, around: Node, entries: Sequence[Node], entry: Node | None) -> None:
        if around.in_one_piece or entry is None:
            raise NotEditableError
        column = self._column(entry.key_start)
        start = entry.key_start - column
        if not self._text[start : entry.key_start].strip():
            self._edits.append((start, self._line_end(entry.end), -column, ""))
        elif following := [one.key_start for one in entries if one.key_start > entry.key_start]:
            self._edits.append((entry.key_start, following[0], -column, ""))
        else:
            raise NotEditableError

    def _put(self, start: int, end: int, words: str) -> None:
        ended = "\n" if self._text[start:end].endswith("\n") else ""  # as a block scalar does
        self._edits.append((start, end, -self._column(start), words + ended))

    def _lines(self, whole: Any, column: int) -> str:
        """Write an entry as lines of which all but the first are indented; ``whole`` holds it alone."""
        lines = self._block(whole)
        if lines.startswith("["):  # how a short list of words is written
            lines = f"- {self._inline(whole[0])}"
        return lines.rstrip("\n").replace("\n", "\n" + " " * column)

    def _column(self, position: int) -> int:
        return position - (self._text.rfind("\n", 0, position) + 1)

    def _line_end(self, position: int) -> int:
        if position and self._text[position - 1] == "\n":
            return position
        return self._text.find("\n", position) + 1 or len(self._text)


def _name(entry: Any) -> str:
    """Return what tells one list entry from the others: its id, or all of it."""
    return str(entry["id"]) if _has_id(entry) else repr(entry)


def with_notes(new: Any, node: Node | None) -> Any:
    """Add to a value the ``x-`` keys that stand at its place in the text."""
    if node is None or not isinstance(new, dict | list):
        return new
    if isinstance(new, list):
        return [with_notes(entry, node.step(entry["id"]) if _has_id(entry) else None) for entry in new]
    notes = {key: _all_of(note) for key, note in node.inside.items() if str(key).startswith(NOTES)}
    return {key: with_notes(value, node.inside.get(key)) for key, value in new.items()} | notes


def _all_of(node: Node) -> Any:
    if isinstance(node.value, list):
        return [_all_of(entry) for entry in node.inside.values()]
    return {key: _all_of(one) for key, one in node.inside.items()} if node.inside else node.value


def _has_id(entry: Any) -> bool:
    return isinstance(entry, dict) and "id" in entry
