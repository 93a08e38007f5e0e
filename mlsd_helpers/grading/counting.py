"""What an assignment says of itself, made from its cells: numbers of exercises, minutes, points and sittings.

`make fix` writes it into the assignments of source/. A release without some exercises is counted and numbered anew.
"""

import re
from collections.abc import Iterable
from typing import Any

_INTRO = re.compile(
    r"^[A-Z]\w+(?: short)? exercises?, about [^,.\n]+, [\d.]+ points?\.(?: They are divided into \w+ sittings\.)?",
    re.MULTILINE,
)
_TASK = re.compile(r"^\*About (\d+) minutes?, [\d.]+ points?", re.MULTILINE)
_NUMBERED = re.compile(r"^## \d+ ", re.MULTILINE)
_SITTING = re.compile(
    r"^## \w+ sitting, about \d+ minutes?: exercises? \d+(?: (?:to|and) \d+)?", re.MULTILINE
)
_NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_ORDINALS = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"]


def counted(cells: Iterable[Any]) -> list[str]:
    """Return the sources of cells with what they count made anew: in the introduction, sittings and headings.

    Each exercise has a heading `## 1 …`, a line `*About 6 minutes, 3 points…*` in the same or a later cell, and a cell
    with its points. A cell without such a text is returned as it is.
    """
    cells = list(cells)
    marked = [cell["metadata"].get("nbgrader", {}) for cell in cells]
    points = [float(one.get("points", 0)) for one in marked if one.get("grade") or one.get("task")]
    texts = ["".join(cell["source"]) for cell in cells]
    ours = [
        cell["cell_type"] == "markdown" and not one.get("solution")
        for cell, one in zip(cells, marked, strict=True)
    ]
    minutes: list[int] = []  # of each exercise
    sittings: list[tuple[int, int]] = []  # the cell of each, and the number of exercises above it
    for place, text in enumerate(texts):
        if not ours[place]:
            continue
        if _SITTING.search(text):
            sittings.append((place, len(minutes)))
        minutes += map(int, _TASK.findall(text))
        if _NUMBERED.search(text):
            texts[place] = _NUMBERED.sub(f"## {len(minutes) + (not _TASK.search(text))} ", text, count=1)
    ends = [*(first for _, first in sittings[1:]), len(minutes)]
    held = [(place, first, end) for (place, first), end in zip(sittings, ends, strict=False) if first < end]
    for turn, (place, first, last) in enumerate(held):
        which = (
            f"exercise {last}"
            if last == first + 1
            else f"exercises {first + 1} {_joined(first, last)} {last}"
        )
        head = f"## {_ORDINALS[turn]} sitting, about {_of(sum(minutes[first:last]), 'minute')}: {which}"
        texts[place] = _SITTING.sub(head, texts[place])
    number = _NUMBERS[len(points)].capitalize() if len(points) < len(_NUMBERS) else str(len(points))
    intro = (
        f"{number} exercise{'' if len(points) == 1 else 's'}, about {_of(sum(minutes), 'minute')}, "
        f"{_of(sum(points), 'point')}."
    )
    if len(held) > 1:
        intro += f" They are divided into {_NUMBERS[len(held)]} sittings."
    return [_INTRO.sub(intro, text) if mine else text for text, mine in zip(texts, ours, strict=True)]


def _joined(first: int, last: int) -> str:
    return "and" if last == first + 2 else "to"


def _of(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"
