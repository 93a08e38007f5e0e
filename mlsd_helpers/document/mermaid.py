"""Diagrams as Mermaid text, which GitHub and JupyterLab draw."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mlsd_helpers.document.markdown import Md

Shape = Literal["box", "store", "round", "slots"]
Arrow = Literal["waits", "moves", "steers"]

MOST_ARROWS, MOST_TEXT = 500, 50_000  # mermaid's own limits: it draws an error message beyond them

# A diagram has no background of its own, so it brings its colours: lines in a grey that is visible on a light and on a
# dark page, and text always on a light background.
_LOOK = (
    '%%{init: {"theme": "base", "themeVariables": {"lineColor": "#7b8794", "textColor": "#1f2933", '
    '"primaryColor": "#e6eff8", "primaryTextColor": "#1f2933", "primaryBorderColor": "#0b5fa5", '
    '"clusterBkg": "#f4f6f8", "clusterBorder": "#7b8794", "titleColor": "#1f2933", '
    '"edgeLabelBackground": "#ffffff", "noteBkgColor": "#fff8e1", "noteTextColor": "#1f2933"}}}%%'
)
_GROUND = "rect rgb(244, 246, 248)"  # the text of a sequence diagram has no background of its own

_SHAPES: dict[Shape, tuple[str, str]] = {
    "box": ("[", "]"),
    "store": ("[(", ")]"),
    "round": ("([", "])"),
    "slots": ("[[", "]]"),
}
_ARROWS: dict[Arrow, str] = {"waits": "==>", "moves": "-->", "steers": "-.->"}
_PLAIN = frozenset(" ,.-_/()+")
_MARKS = frozenset("ﬂ°¶ß")  # mermaid itself writes these for the '#' and ';' of an entity


@dataclass(frozen=True)
class Node:
    """A box: its id in the diagram, the lines of words in it, its shape."""

    id: str
    lines: Sequence[str]
    shape: Shape = "box"


@dataclass(frozen=True)
class Group:
    """Boxes with a frame and a title around them."""

    id: str
    title: str
    nodes: Sequence[Node]


@dataclass(frozen=True)
class Edge:
    """An arrow between two boxes."""

    start: str
    end: str
    label: str = ""
    arrow: Arrow = "moves"


def flowchart(
    title: str,
    description: str,
    groups: Iterable[Group | Node],
    edges: Sequence[Edge],
    direction: Literal["LR", "TB"] = "LR",
) -> Md:
    """Write a flowchart, or a sentence where it is too large for Mermaid to draw."""
    drawn = [line for group in groups for line in _drawn(group)]
    arrows = [_edge(edge) for edge in dict.fromkeys(edges)]
    head = [_LOOK, f"flowchart {direction}", f"  accTitle: {title}", f"  accDescr: {description}"]
    text = "\n".join([*head, *drawn, *arrows])
    if len(edges) > MOST_ARROWS or len(text) > MOST_TEXT:
        return Md(f"Too large to draw: {description}.")
    return Md(f"```mermaid\n{text}\n```")


def sequence(title: str, description: str, names: Iterable[tuple[str, str]], steps: Iterable[str]) -> Md:
    """Write a sequence diagram from its participants, as pairs of id and name, and its lines of Mermaid."""
    head = [_LOOK, "sequenceDiagram", f"  accTitle: {title}", f"  accDescr: {description}"]
    taking_part = [f"  participant {given} as {label(name)}" for given, name in names]
    lines = [*head, *taking_part, f"  {_GROUND}", *(f"    {step}" for step in steps), "  end"]
    return Md("\n".join(["```mermaid", *lines, "```"]))


def label(text: str) -> str:
    """Escape text for a diagram: each character that mermaid could read as syntax becomes an entity.

    >>> label("p99 [ms]; or less")
    'p99 #91;ms#93;#59; or less'
    """
    plain = (
        (char, (char.isalnum() and char not in _MARKS) or char in _PLAIN) for char in " ".join(text.split())
    )
    return "".join(char if is_plain else f"#{ord(char)};" for char, is_plain in plain)


def _drawn(group: Group | Node) -> list[str]:
    if isinstance(group, Node):
        return [f"  {_node(group)}"]
    inside = [f"    {_node(node)}" for node in group.nodes]
    return [f'  subgraph {group.id}["{label(group.title)}"]', *inside, "  end"]


def _node(node: Node) -> str:
    opened, closed = _SHAPES[node.shape]
    return f'{node.id}{opened}"{"<br>".join(map(label, node.lines))}"{closed}'


def _edge(edge: Edge) -> str:
    words = f'|"{label(edge.label)}"|' if edge.label else ""
    return f"  {edge.start} {_ARROWS[edge.arrow]}{words} {edge.end}"
