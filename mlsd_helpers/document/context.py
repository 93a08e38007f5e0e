"""Prose from a Markdown file beside the design."""

import re
from pathlib import Path

from mlsd_helpers.document.markdown import Md, block, blocks, escape
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.errors import DesignError

_MOST_BYTES = 1_000_000
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?=\s)")


def context(figures: Figures) -> Md:
    """Write the context: the design's own text, and the Markdown file that it includes.

    Raises ``DesignError`` for a file that is missing, is not text, or lies outside the design's folder. Without a
    folder the file is named and not read.
    """
    about = figures.design.about
    if about is None:
        return Md("")
    words = block(about.context) if about.context else Md("")
    if about.context_file is None:
        return words
    if figures.folder is None:
        return blocks(words, Md(f"More in the file {escape(about.context_file)}, beside the design."))
    return blocks(words, included(figures.folder, about.context_file))


def included(folder: Path, name: str) -> Md:
    """Read a Markdown file from a folder; its headings move three levels down, below those of the document."""
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        fault = "" if inside else f"it lies outside of {str(folder)!r}, the folder of the design"
        if not fault and path.stat().st_size > _MOST_BYTES:
            fault = f"it is larger than {_MOST_BYTES:,} bytes"
        text = "" if fault else path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        fault = str(error)
    if fault:
        raise DesignError(
            f"about.context_file: {name!r} cannot be read: {fault}. Name a Markdown file in the folder of the design."
        )
    return _within_a_section(text)


def _within_a_section(text: str) -> Md:
    """Move headings three levels down, outside of code blocks, and end a code block that nothing ends."""
    lines, fence = [], ""
    for line in text.strip().splitlines():
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence) and not line.strip(" `~"):
            fence = ""
        elif not fence:
            line = _HEADING.sub(lambda mark: "#" * min(len(mark[1]) + 3, 6), line)  # noqa: PLW2901 - or the line itself
        lines.append(line)
    return Md("\n".join([*lines, *filter(None, [fence])]))
