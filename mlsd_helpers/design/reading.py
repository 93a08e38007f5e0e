"""YAML text to plain values, each with its place in the text.

The reader takes YAML's events rather than objects: nothing in a file can construct anything, duplicate keys are
errors, and a file that is nested too deeply or whose aliases expand too far is refused early. Plain scalars are
read as in YAML 1.2: ``no`` is a string and ``12:30`` is not a number. ``<<`` merges the keys of other groups in,
as in YAML 1.1. Keys that begin with ``x-`` are for notes and anchors; a value does not include them.

No other module of design/ loads PyYAML when it is imported.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, NoReturn, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from mlsd_helpers.design.problems import (
    FILE,
    MOST,
    Path,
    Problem,
    Step,
    UnreadableDesignError,
    explain,
    shown,
)

T = TypeVar("T", bound=BaseModel)

DEEPEST = 40  # levels; a design has about 8
MOST_VALUES = 250_000  # 10,000 components and their flows have about 130,000
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast where there is one

_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(
    r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}


def plain(text: str) -> Any:
    """Read one YAML word without quotes.

    >>> plain("45"), plain("0.7"), plain("true"), plain("no"), plain("40 ms"), plain("")
    (45, 0.7, True, 'no', '40 ms', None)
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


_NOTHING: dict[Any, Any] = {}  # shared by all scalars, so that a large file does not hold as many empty dicts
NOTES = "x-"  # begins a key that the design does not include
MERGE = "<<"


@dataclass(slots=True)
class Node:
    """A value read from YAML, its place, and the nodes inside it by key or position."""

    value: Any
    line: int
    """From 1; for the value of a key, the line of the key."""
    start: int
    """The value's first character, counted from 0 in the text."""
    end: int
    """The character after its last one; a comment behind it does not belong to it."""
    inside: dict[Step, "Node"] = field(default_factory=lambda: _NOTHING)
    size: int = 1
    height: int = 1
    key_start: int = 0
    in_one_piece: bool = True
    """Whether the text from ``start`` to ``end`` is a scalar, an alias or a group in brackets."""
    is_alias: bool = False
    merged: dict[str, "Node"] = field(default_factory=lambda: _NOTHING)
    """What ``<<`` brings in, by key."""
    _by_id: "dict[str, Node] | None" = None

    def add(self, step: Step, node: "Node") -> None:
        """Take a node in, under its key or position."""
        self.inside[step] = node
        self.size += node.size
        self.height = max(self.height, node.height + 1)

    def step(self, step: Step) -> "Node | None":
        """Return the node under a key, or the list entry at a position or with an id."""
        if not isinstance(self.value, list) or isinstance(step, int):
            return self.inside.get(step) or self.merged.get(str(step))
        if step.isdecimal():
            return self.inside.get(int(step))
        if self._by_id is None:  # by now the list is whole; of two entries with an id the first counts
            entries = reversed(self.inside.values())
            self._by_id = {entry.id: entry for entry in entries if isinstance(entry.id, str)}
        return self._by_id.get(step)

    @property
    def id(self) -> Any:
        """The id of a group of keys, where it has one."""
        return self.value.get("id") if isinstance(self.value, dict) else None


class Lines:
    """Where each field of a design stands in its file."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def __call__(self, path: str | Iterable[Step]) -> int:
        """Return the line, from 1, of a field or else of the nearest group around it.

        ``path`` is ``"capacity.zones"`` or ``("capacity", "zones")``; a list entry goes by position or id.
        """
        node = self.root
        for step in path.split(".") if isinstance(path, str) else path:
            node = node.step(step) or node
        return node.line

    def named(self, path: Path) -> Path:
        """Replace positions in a path by the ids that stand there."""
        node, named = self.root, list[Step]()
        for step in path:
            inside = node.step(step)
            node = inside or node
            named.append(
                inside.id if isinstance(step, int) and inside and isinstance(inside.id, str) else step
            )
        return tuple(named)


def read(text: str, subject: str) -> tuple[Node, list[Problem]]:
    """Read one YAML document; return its root, and the problems that leave something to go on with.

    ``subject`` is what errors call it. Raises ``UnreadableDesignError`` when there is nothing to go on with.
    """
    try:
        return _Reader(yaml.parse(text, Loader=LOADER), subject).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        message = f"is not YAML: {error.problem}. Check indentation, colons and quotes."
        raise UnreadableDesignError(subject, [Problem((), message, line)]) from None
    except (yaml.YAMLError, UnicodeError):
        message = "is not YAML: it holds characters that no text has. Save it as UTF-8 text."
        raise UnreadableDesignError(subject, [Problem((), message)]) from None


def parse(model: type[T], text: str, subject: str) -> tuple[T, Lines]:
    """Read a value of some kind from YAML text, with the line of each field."""
    root, problems = read(text, subject)
    lines = Lines(root)
    try:
        value = model.model_validate(root.value, context=FILE)
    except ValidationError as error:
        problems += [
            Problem(lines.named(problem.path), problem.message, lines(problem.path))
            for problem in explain(error, model)
        ]
    if problems:
        raise UnreadableDesignError(subject, sorted(problems, key=lambda problem: problem.line or 0))
    return value, lines


class _Reader:
    """Builds nodes from YAML's events."""

    def __init__(self, events: Iterator[Any], subject: str) -> None:
        self._events = events
        self._subject = subject
        self._anchors: dict[str, Node] = {}
        self._path: list[Step] = []
        self._values = 0
        self._problems: list[Problem] = []

    def document(self) -> tuple[Node, list[Problem]]:
        """Read the one document of the stream."""
        next(self._events)  # the stream starts
        if not isinstance(event := next(self._events), DocumentStartEvent):
            self._stop("is empty. Begin with 'name: my design'.", event)
        root = self._node(event := next(self._events))
        if not isinstance(root.value, dict):
            self._stop(f"holds {shown(root.value)}. Begin with 'name: my design'.", event)
        next(self._events)  # the document ends
        if isinstance(event := next(self._events), DocumentStartEvent):
            self._stop("a second document begins here. Keep one design in a file.", event)
        return root, self._problems

    def _node(self, event: Any) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        self._bound(1, 0, event)
        if event.tag is not None:
            self._problem(f"the tag {event.tag!r} means nothing here. Remove it.", event)
        node = self._built(event)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _built(self, event: Any) -> Node:
        if isinstance(event, ScalarEvent):
            return _placed_at(event, plain(event.value) if event.implicit[0] else event.value)
        if isinstance(event, MappingStartEvent):
            return self._mapping(_placed_at(event, {}, inside={}, in_one_piece=bool(event.flow_style)))
        return self._sequence(_placed_at(event, [], inside={}, in_one_piece=bool(event.flow_style)))

    def _alias(self, event: Any) -> Node:
        known = self._anchors.get(event.anchor)
        if known is None:
            self._stop(f"*{event.anchor} repeats what is not complete above it.", event)
        self._bound(known.size, known.height, event)
        place = {"line": _line(event), "start": _start(event), "end": event.end_mark.index}
        return replace(known, **place, in_one_piece=True, is_alias=True)

    def _sequence(self, node: Node) -> Node:
        for position in count():
            if isinstance(event := next(self._events), SequenceEndEvent):
                break
            node.add(position, self._entry(position, event))
            node.value.append(node.inside[position].value)
        return _ended(node, event)

    def _mapping(self, node: Node) -> Node:
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self._stop("a key here is not a word. Write 'key: value'.", event)
            key, before = event.value, node.inside.get(event.value)
            entry = self._entry(key, next(self._events))
            entry.line, entry.key_start = _line(event), _start(event)
            node.add(key, entry)
            if key == MERGE and event.implicit[0]:
                self._merge(node, entry, event)
            elif not key.startswith(NOTES):
                node.value[key] = entry.value
            if before:
                self._problem(f"is written twice, first on line {before.line}. Keep one.", event, key)
        node.value = {key: entry.value for key, entry in node.merged.items()} | node.value
        return _ended(node, event)

    def _merge(self, node: Node, entry: Node, event: Any) -> None:
        """Bring in the keys of one group or of several; of two groups with a key, the first one counts."""
        groups = list(entry.inside.values()) if isinstance(entry.value, list) else [entry]
        if not all(isinstance(group.value, dict) for group in groups):
            self._problem("brings in the keys of other groups. Write '<<: *anchor'.", event, MERGE)
            return
        merged: dict[str, Node] = {}
        for group in reversed(groups):
            merged |= {key: found for key in group.value if (found := group.step(key))}
        node.merged = merged

    def _entry(self, step: Step, event: Any) -> Node:
        self._path.append(step)
        node = self._node(event)
        self._path.pop()
        return node

    def _bound(self, size: int, height: int, event: Any) -> None:
        """Refuse what is too deep or too much."""
        self._values += size
        if len(self._path) + height > DEEPEST:
            self._stop(f"is nested more than {DEEPEST} levels deep. Flatten it.", event)
        if self._values > MOST_VALUES:
            self._stop(f"holds more than {MOST_VALUES:,} values, aliases written out. Split it.", event)

    def _problem(self, message: str, event: Any, *inside: Step) -> None:
        if len(self._problems) < MOST:
            self._problems.append(Problem((*self._path, *inside), message, _line(event)))

    def _stop(self, message: str, event: Any) -> NoReturn:
        raise UnreadableDesignError(self._subject, [Problem((), message, _line(event))])


def _placed_at(event: Any, value: Any, **more: Any) -> Node:
    return Node(value, _line(event), _start(event), event.end_mark.index, **more)


def _ended(node: Node, event: Any) -> Node:
    """Note where a group ends: at its bracket, or else with what is last inside it."""
    last = next(reversed(node.inside.values()), None)
    node.end = event.end_mark.index if node.in_one_piece or last is None else last.end
    return node


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _start(event: Any) -> int:
    return int(event.start_mark.index)
