"""Markdown in which any text is shown unchanged, on GitHub and in JupyterLab.

Text comes from a design and may contain any character. Markdown has the type `Md`; only `escape`, `block` and `code`
turn text into it, so that no text gets into a document unescaped.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NewType

Md = NewType("Md", str)
"""Markdown, safe within a line and a table cell."""

NOTHING = Md("–")

# A span hides the character from MathJax, which looks for formulas within one text node after entities are resolved.
_ENTITIES = {ord(mark): f"&#{ord(mark)};" for mark in "&<>`*[]|~{}@#"} | {
    ord(mark): f"<span>&#{ord(mark)};</span>" for mark in "$\\"
}
_LINKED = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)
_OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # within a word it is no emphasis


def escape(text: str) -> Md:
    """Escape text so that it is shown unchanged, on one line.

    >>> escape("a *b* costs $2 | snake_case _c_")
    'a &#42;b&#42; costs <span>&#36;</span>2 &#124; snake_case &#95;c&#95;'
    """
    words = " ".join(text.split()).translate(_ENTITIES)
    words = _LINKED.sub(lambda mark: f"&#{ord(mark[0])};", words)
    return Md(_OUTER_UNDERSCORE.sub("&#95;", words))


def block(text: str) -> Md:
    """Escape text at the beginning of a line, so that it does not begin a list or heading.

    >>> block("1. first"), block("- a"), block("plain")
    ('&#49;. first', '&#45; a', 'plain')
    """
    words = escape(text)
    first = words[:1]
    if first.isalpha() or first in {"&", "<", ""}:  # a letter begins nothing, and the others are escaped
        return words
    return Md(f"&#{ord(first)};{words[1:]}")


def code(name: str) -> Md:
    """Show an id or a path, of letters, digits and ``_-.``."""
    return Md(f"`{name}`")


def counted(number: int, thing: str) -> Md:
    """Write a number of things, with a plural s.

    >>> counted(1, "call"), counted(2_000, "call")
    ('1 call', '2,000 calls')
    """
    return Md(f"{number:,} {thing}{'' if number == 1 else 's'}")


def anchor(name: str, words: str = "") -> Md:
    """Write an anchor for links, before some Markdown."""
    return Md(f'<a id="{name}"></a>{words}')


def link(words: str, target: str) -> Md:
    """Write a link to an anchor in the document."""
    return Md(f"[{words}](#{target})")


def joined(words: Iterable[Md], between: str = ", ") -> Md:
    """Join pieces of Markdown on one line."""
    return Md(between.join(words))


def blocks(*paragraphs: Md) -> Md:
    """Join paragraphs, tables and diagrams by blank lines, without the empty ones."""
    return Md("\n\n".join(filter(None, paragraphs)))


def section(name: str, title: str, *paragraphs: Md) -> Md:
    """Write a section: an anchor, a heading and its paragraphs; "" where they are empty."""
    body = blocks(*paragraphs)
    return body and blocks(anchor(f"section-{name}"), Md(f"## {title}"), body)


def part(title: str, *paragraphs: Md) -> Md:
    """Write a part of a section under its own heading; "" where its paragraphs are empty."""
    body = blocks(*paragraphs)
    return body and blocks(Md(f"### {title}"), body)


def bullets(items: Iterable[Md]) -> Md:
    """Write a list, without the empty items."""
    return Md("\n".join(f"- {item}" for item in items if item))


def table(heads: Sequence[str], rows: Iterable[Sequence[Md]]) -> Md:
    """Write a table without the columns that are empty in all rows, the first aside; "" when it has no rows."""
    held = [tuple(row) for row in rows]
    used = [at for at in range(len(heads)) if not at or any(row[at] not in {"", NOTHING} for row in held)]
    head, *lines = (f"| {' | '.join(row[at] or NOTHING for at in used)} |" for row in (tuple(heads), *held))
    return Md("\n".join([head, "|" + " --- |" * len(used), *lines])) if lines else Md("")
