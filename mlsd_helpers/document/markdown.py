"""Markdown that shows any words as they are, on GitHub and in JupyterLab.

Words come from a design and may hold any mark. Everything that is Markdown here has the type `Md`; only
`say`, `block` and `code` make it of words, so that words cannot get into a document unescaped.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NewType

Md = NewType("Md", str)
"""Markdown, safe within a line and a table cell."""

NOTHING = Md("–")

# A span keeps MathJax off: it looks for formulas after entities are resolved, within one piece of text.
_ENTITIES = {ord(mark): f"&#{ord(mark)};" for mark in "&<>`*[]|~{}@#"} | {
    ord(mark): f"<span>&#{ord(mark)};</span>" for mark in "$\\"
}
_LINKED = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)
_OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # within a word it is no emphasis


def say(text: str) -> Md:
    """Show words as they are, on one line.

    >>> say("a *b* costs $2 | snake_case _c_")
    'a &#42;b&#42; costs <span>&#36;</span>2 &#124; snake_case &#95;c&#95;'
    """
    words = " ".join(text.split()).translate(_ENTITIES)
    words = _LINKED.sub(lambda mark: f"&#{ord(mark[0])};", words)
    return Md(_OUTER_UNDERSCORE.sub("&#95;", words))


def block(text: str) -> Md:
    """Show words that begin a line: what would begin a list or a heading does not.

    >>> block("1. first"), block("- a"), block("plain")
    ('&#49;. first', '&#45; a', 'plain')
    """
    words = say(text)
    first = words[:1]
    if first.isalpha() or first in {"&", "<", ""}:  # a letter begins nothing, and the others are escaped
        return words
    return Md(f"&#{ord(first)};{words[1:]}")


def code(name: str) -> Md:
    """Show an id or a path, of letters, digits and ``_-.``."""
    return Md(f"`{name}`")


def anchor(name: str, words: str = "") -> Md:
    """Mark a place that links lead to, before these words."""
    return Md(f'<a id="{name}"></a>{words}')


def link(words: str, target: str) -> Md:
    """Link words to a place in the document."""
    return Md(f"[{words}](#{target})")


def joined(words: Iterable[Md], between: str = ", ") -> Md:
    """Put words in a row."""
    return Md(between.join(words))


def blocks(*paragraphs: Md) -> Md:
    """Put paragraphs, tables and diagrams below each other, without the empty ones."""
    return Md("\n\n".join(filter(None, paragraphs)))


def section(name: str, title: str, *paragraphs: Md) -> Md:
    """Write a section with a heading that links can lead to."""
    return blocks(anchor(f"section-{name}"), Md(f"## {title}"), *paragraphs)


def bullets(items: Iterable[Md]) -> Md:
    """Write a list."""
    return Md("\n".join(f"- {item}" for item in items))


def table(heads: Sequence[str], rows: Iterable[Sequence[Md]]) -> Md:
    """Write a table; nothing at all when it has no rows."""
    lines = [_row(row) for row in rows]
    return Md("\n".join([_row(heads), "|" + " --- |" * len(heads), *lines])) if lines else Md("")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell or NOTHING for cell in cells)} |"
