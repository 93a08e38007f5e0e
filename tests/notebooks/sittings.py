"""How long a lesson takes a reader who is new to it, by section: `python -m tests.notebooks.sittings 01_requirements`.

An estimate: 180 words of text a minute, those of a question and its reason too; and besides, the time to think of an
answer, to read a code cell with its output, to try an interactive view and to run a lab, as below. Readers of lessons
01 to 05 took 85, 80, 80, 95 and 105 minutes, 1.2 to 1.4 times this sum each: they read some sentences twice. What
stands under `## For another day: …` is not part of a sitting, and sources are not read.
"""

import re
import sys

from mlsd_helpers import exercises
from mlsd_helpers.exercises.questions import Estimate
from tests.notebooks.reading import parts
from tools.notebooks import ROOT

WORDS_A_MIN = 180
PREDICTION_MIN, RECALL_MIN, LAB_MIN, OWN_SYSTEM_MIN = 1, 0.5, 5, 4
READ_TWICE = 1.28
CELL_MIN, LINES_AT_A_GLANCE, MORE_LINE_MIN = 0.5, 6, 0.1
VIEW_MIN = {
    "StakeholderInterview": 7,
    "DesignAutopsy": 6,
    "LatencySculptor": 7,
    "PlanesCanvas": 7,
    "FreshnessTimeline": 6,
    "PatternSurface": 7,
    "FirstQueue": 4,
    "QueueTheatre": 8,
    "CapacityExplorer": 6,
}
ANOTHER_VIEW_MIN = 5
AFTERWARDS = ("For another day: your own system", "For another day: further")
_HEADING = re.compile(r"^## (.*)", re.MULTILINE)
_ASKED = re.compile(r'mlsd\.ask\(\s*"([^"]+)"')


def _reading_min(text):
    """Return how long a text takes to read, without the targets of its links."""
    words = re.sub(r"\]\([^)]*\)", "]", text).split()
    return sum(bool(re.search(r"\w", word)) for word in words) / WORDS_A_MIN


def _question_min(question):
    """Return how long a question takes with its answer: of its options one is read with its reason."""
    if isinstance(question, Estimate):
        return PREDICTION_MIN + _reading_min(f"{question.question} {question.because}")
    options = " ".join(question.options)
    return RECALL_MIN + _reading_min(f"{question.question} {options} {question.options[question.answer]}")


def _cell_min(code):
    """Return how long a code cell takes; one of comments alone takes no time."""
    lines = [line for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return 0
    if asked := _ASKED.search(code):
        return _question_min(exercises.find_question(asked[1]))
    if view := re.search(r"mlsd\.widgets\.(\w+)\(", code):
        return VIEW_MIN.get(view[1], ANOTHER_VIEW_MIN)
    if "mlsd.testbed." in code:
        return LAB_MIN
    if "mlsd.outline(" in code:
        return OWN_SYSTEM_MIN
    return CELL_MIN + MORE_LINE_MIN * max(0, len(lines) - LINES_AT_A_GLANCE)


def minutes_by_section(path):
    """Return the heading and the estimated minutes of each section of a lesson, without its sources."""
    found = {0: ["(opening)", 0.0]}
    for part in parts(path):
        title = _HEADING.match(part.prose)
        section = found.setdefault(part.section, ["", 0.0])
        section[0] = title[1] if title else section[0]
        section[1] += _reading_min(part.prose) + _cell_min(part.code)
    return [(title, minutes) for title, minutes in found.values() if title != "Sources"]


def estimate_min(path):
    """Return the estimated minutes of a lesson, and those of what stands under `Further` in it."""
    each = minutes_by_section(path)
    sitting = sum(minutes for title, minutes in each if title not in AFTERWARDS)
    further = sum(minutes for title, minutes in each if title.lower().endswith("further"))
    return READ_TWICE * sitting, READ_TWICE * further


if __name__ == "__main__":
    for name in sys.argv[1:]:
        lesson = ROOT / "course" / f"{name}.ipynb"
        for title, minutes in minutes_by_section(lesson):
            print(f"{minutes:6.1f}  {title}")
        needed, further = estimate_min(lesson)
        print(f"{needed:6.1f}  in a sitting, with {READ_TWICE}; {further:.1f} under Further\n")
