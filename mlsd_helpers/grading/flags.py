"""Flags: what in a submission an instructor should look at, with evidence. A flag costs no points and proves nothing.

`inspect` reads what a student wrote. The judge and the sandbox add flags for what happened while it ran. Scores do not
depend on flags: the sandbox and the judge protect them.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from mlsd_helpers.grading import inspection
from mlsd_helpers.grading.inspection import (
    ANSWERS,
    CELLS,
    CHANNEL,
    CHECKS,
    FLOODS,
    GRADEBOOK,
    HIDES,
    NETWORK,
    OTHERS,
    OUTSIDE,
    PROCESSES,
    SCRIPT,
    SYSTEM,
)
from mlsd_helpers.grading.records import MOST_FLAGS, Flag

SLOW = "repeats text to be slow"
TOO_LONG = "is too long to be inspected"
LIMIT = "was stopped at a limit"
ODD_FILE = "has a file that was left out"
LEFT_OUT = "lost something on its page"
MANY_POINTS = "sent a value that no answer has"

KINDS: Mapping[str, str] = MappingProxyType({
    ANSWERS: "Read the line: it searches the package, the course or memory for solutions. In a sandbox there are none.",
    OTHERS: "Ask why: it names the folders of other students' work, which no exercise needs.",
    GRADEBOOK: "Ask why: it names nbgrader's gradebook. Compare the scores in the formgrader with the record.",
    CELLS: "Read the line: it changes how IPython runs or shows the cells after it.",
    CHECKS: "Read the line: it replaces what a check relies on. The judge runs elsewhere; asserts in cells do not.",
    SCRIPT: "Do not open this notebook in Jupyter as trusted: it holds a script or a page for the reader's browser.",
    CHANNEL: "Ask why: it writes to or closes files that it never opened, such as the connection to the judge.",
    PROCESSES: "Read the line: it starts background processes, or acts on other processes.",
    SYSTEM: "Read the line: it calls the operating system past Python, where it could attack the sandbox.",
    OUTSIDE: "Ask why: it reads or changes what lies outside its folder.",
    NETWORK: "Ask why: it opens network connections. The sandbox lets none out.",
    HIDES: "Decode it: it runs code that a reader cannot see.",
    FLOODS: "Read the line: it makes far more text or data than a person can read.",
    SLOW: "Open it with care: it repeats one text so often that an editor or a page may hang.",
    TOO_LONG: "Read the cell: only its beginning was inspected.",
    LIMIT: "Read the reason: it exceeded a limit on time, memory, processes or output.",
    ODD_FILE: "Look at the folder: a link, a file that cannot be read, or one that is too large.",
    LEFT_OUT: "Look at the notebook: scripts or large outputs were left out of its feedback page.",
    MANY_POINTS: "Read the answer: it sent the judge a kind of value that no answer has.",
})  # fmt: skip
"""Each kind of flag, with what an instructor should do about it."""

MOST_INSPECTED = 20_000
"""Characters of one cell."""

_ALL_INSPECTED = 200_000  # characters of the code of one notebook
_PER_KIND = 2
_REPEATS = 0.02  # compressed size of text that repeats itself, as a share


def inspect(sources: Iterable[str], shown: Iterable[str] = (), texts: Iterable[str] = ()) -> Iterator[Flag]:
    """Yield flags for what a student wrote: `sources` is code, `texts` is Markdown; `shown` are the released cells.

    A released line is never evidence. Each kind is flagged at most twice, with the first lines that have it. The time
    grows linearly with the length of the sources.
    """
    known = {line.strip() for text in shown for line in text.splitlines()}
    found: dict[str, list[str]] = {}
    for kind, line in _matches(list(sources), list(texts)):
        lines = found.setdefault(kind, [])
        if line.strip() not in known and line not in lines and len(lines) < _PER_KIND:
            lines.append(line)
    flags = [
        Flag(kind, lines[n]) for n in range(_PER_KIND) for kind, lines in found.items() if len(lines) > n
    ]
    yield from flags[:MOST_FLAGS]


def _matches(sources: list[str], texts: list[str]) -> Iterator[tuple[str, str]]:
    left = _ALL_INSPECTED
    cells: list[str] = []
    for source in sources:
        most = min(MOST_INSPECTED, left)
        if len(source) > most:
            yield TOO_LONG, f"{len(source):,} characters: {source[:100]}"
        cells.append(source[:most])
        left -= len(cells[-1])
    for text in (*cells, *texts):
        if len(text) > 4_000 and len(zlib.compress(text.encode(errors="replace"), 1)) < _REPEATS * len(text):
            yield SLOW, f"{len(text):,} characters: {text.strip()[:60]}"
    yield from inspection.in_code(cells)
    for text in texts:
        yield from inspection.in_markup(text)
