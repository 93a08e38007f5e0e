"""A document as a reader meets it: its tables, its links and its words."""

import html
import re

from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
LINK = re.compile(r"\]\(#([^)\s]+)\)")
ANCHOR = re.compile(r'<a id="([^"]*)"></a>')
SPAN = re.compile(r"<span>(.)</span>")


def links(text):
    return LINK.findall(text)


def anchors(text):
    return ANCHOR.findall(text)


def section(text, name):
    return text.partition(f'<a id="section-{name}"></a>')[2].partition('<a id="section-')[0]


def tables(text):
    """Return each table as a list of rows, each a dictionary by the heads of the columns."""
    found, heads = [], None
    for line in text.splitlines():
        cells = line.strip("|").split(" | ") if line.startswith("|") else None
        cells = cells and [cell.strip() for cell in cells]
        if cells is None:
            heads = None
        elif heads is None:
            heads = cells
            found.append([])
        elif set(line) - set("|- "):
            found[-1].append(dict(zip(heads, cells, strict=True)))
    return found


def table(text, name, head):
    """Return the rows of the first part of a section with tables whose first column has this head, of all of them."""
    for part in section(text, name).split("\n### "):
        if rows := [row for rows in tables(part) for row in rows if next(iter(row)) == head]:
            return rows
    raise StopIteration


def row(rows, words):
    """Return the row whose first cell holds these words."""
    return next(one for one in rows if words in next(iter(one.values())))


def structure(text):
    """Return the Markdown of a document without its words: blocks, links, emphasis, code, HTML."""
    found = []
    for token in MARKDOWN.parse(text.partition("\n\n")[2]):
        found.append((token.type, token.tag))
        found += [
            (child.type, child.attrs.get("href"))
            for child in token.children or ()
            if child.type != "text" and child.content.strip("/<>") != "span"
        ]
    return found


def shown(text):
    """Return the words of a document as a browser shows them."""
    rendered = SPAN.sub(r"\1", MARKDOWN.render(text).replace("<span>&#36;</span>", "$"))
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", rendered)).split())


def runs(text):
    """Return the pieces of text between tags: MathJax looks for a formula within one of them."""
    return [html.unescape(run) for run in re.split(r"<[^>]*>", MARKDOWN.render(text))]
