"""What students say against their marks, in their own notebooks: "I disagree, because ...".

Such a line stands in any cell that a student can edit, as text, as a comment or in quotes. It is about the exercise
that it names, such as "I disagree with 05-plan, because ...", or else about the one whose cells it is among. The reason
goes on until an empty line. It is a student's text: a report escapes it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nbgrader import utils

from mlsd_helpers.grading.records import Request

MOST = 20
"""Requests of one submission."""

_START = re.compile(
    r"""[\s#>*_"'`“”.…-]*I\s+disagree\b(?P<about>.{0,80}?)(?:,?\s*\b(?:because|since)\b|[:,;.–—]|\s-\s)(?P<reason>.*)""",
    re.IGNORECASE,
)
_MARKUP = "#>*_\"'`“” \t"


def in_notebook(notebook: Any, exercise_of_test: Mapping[str, str]) -> Iterator[Request]:
    """Yield the requests in a restored notebook, each once; one without a reason is none.

    `exercise_of_test` are the exercises by the grade_id of their test cells.
    """
    found = dict[tuple[str, str], Request]()
    for cell, exercise in zip(notebook.cells, exercises_of(notebook, exercise_of_test), strict=True):
        if utils.is_locked(cell):
            continue
        for about, reason in _in_source(cell.source):
            named = next((one for one in exercise_of_test.values() if _names(about, one)), exercise)
            request = Request(named, reason)
            found.setdefault((named, " ".join(re.findall(r"\w+", reason.casefold()))), request)
    yield from list(found.values())[:MOST]


def exercises_of(notebook: Any, exercise_of_test: Mapping[str, str]) -> list[str]:
    """Return the exercise to which each cell belongs: that of the next test cell, and after it, of the last one.

    Cells without a grade_id belong to the same exercise as the cell before them.
    """
    names = [str(cell.metadata.get("nbgrader", {}).get("grade_id", "")) for cell in notebook.cells]
    tests = [exercise_of_test.get(name, "") for name in names]
    found: list[str] = []
    for place, name in enumerate(names):
        following = next((one for one in tests[place:] if one), "")
        found.append(following if (name and following) or not found else found[-1])
    return found


def _in_source(source: str) -> Iterator[tuple[str, str]]:
    """Yield what a request is about, and its reason, for each request in a cell."""
    lines = iter([*source.split("\n"), ""])
    for line in lines:
        start = _START.match(line)
        while start:
            about, reason = start["about"], [start["reason"]]
            is_comment, start = line.lstrip().startswith("#"), None
            for line in lines:  # noqa: PLW2901 - the lines of a reason are taken from those of the cell
                start = _START.match(line)
                if start or not line.strip(_MARKUP) or (is_comment and not line.lstrip().startswith("#")):
                    break
                reason.append(line)
            words = " ".join(part.strip(_MARKUP) for part in reason).strip(_MARKUP + ",.:…-")
            if re.search(r"\w", words):
                yield about, words


def _names(text: str, exercise: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(exercise)}(?![\w-])", text) is not None
