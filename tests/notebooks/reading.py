"""Read a notebook as a learner meets it, cell by cell: its words, its code, what it shows, and their numbers."""

import ast
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from html import unescape

import nbformat

_TIMES = {
    **dict.fromkeys(("s", "second", "seconds"), 1),
    **dict.fromkeys(("min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    "ms": 1e-3,
}
_SCALES = _TIMES | {
    "%": 0.01,
    "cents": 0.01,
    "million": 1e6,
    "billion": 1e9,
    "KiB": 1024,
    "GB": 1e9,
    "TB/s": 1e12,
    "TFLOP/s": 1e12,
}
_UNITS = "|".join(sorted(map(re.escape, _SCALES), key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?<![\w.])((?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?)(?:[\s-]?({_UNITS})(?![\w/]))?(?!\w)"
)
_CLOCK = re.compile(r"\b\d{1,2}:\d\d\b")
_HEARD = re.compile(r'\b(?:alt|aria-label|title)="([^"]*)"')
_UNSEEN = re.compile(r"<(svg|style|script)\b.*?</\1>|<[^>]+>", re.DOTALL)


_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TEENS = (
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_IN_WORDS = {
    **{word: 10 * tens for tens, word in enumerate(_TENS, start=2)},
    **{word: count for count, word in enumerate(_TEENS, start=11)},
    "thirty-two": 32,
    "ten thousand": 10_000,
}
_LARGE = "|".join(sorted(_IN_WORDS, key=len, reverse=True))
_ONE_IN = re.compile(rf"\bone (?:\w+ )?(?:in|of) ({_LARGE})\b(?!-)", re.IGNORECASE)
_COUNT = re.compile(rf"(?<!-)\b({_LARGE})\b(?!-)", re.IGNORECASE)
CITED = re.compile(r"\[\d+(?:, \d+)*\]")
ORDER = re.compile(r"^#+ \d+|^ *\d+\. ", re.MULTILINE)
PLACES = re.compile(  # sources, links, lessons, dates (a thousand has its comma), and how long the lesson is
    rf"{CITED.pattern}|\]\([^)]*\)"
    r"|\b(?:[Ll]essons?|[Ss]ections?|[Ee]xercises?) \d+(?:(?: to |, | and )\d+)*"
    r"|\b\d+ [A-Z][a-z]+ 20\d\d\b|\b(?:19|20)\d\d\b|\bAbout \d+ minutes,(?! \d)"
)


@dataclass(frozen=True)
class Number:
    """A number as it is written, with the unit behind it if there is one."""

    numeral: str
    unit: str = ""

    def __str__(self):
        return f"{self.numeral} {self.unit}".rstrip()

    @property
    def value(self):
        return float(self._decimal)

    def means(self, other):
        """Tell whether both say the same: as written, or in base units (40 ms and 0.04, 3 % and 0.03).

        A number without a unit, as in code, may have been written in any.
        """
        if self.unit in _TIMES and other.unit in _TIMES:
            return math.isclose(self._base, other._base, rel_tol=1e-9)
        if self.unit and other.unit and (self.unit in _TIMES) != (other.unit in _TIMES):
            return False
        mine, theirs = {self.value, self._base}, {other.value, other._base}
        return any(math.isclose(a, b, rel_tol=1e-9) for a in mine for b in theirs)

    def agrees_with(self, value):
        """Tell whether it is this value, rounded to the digits that are written."""
        return abs(self.value - value) <= 10.0 ** self._decimal.as_tuple().exponent * (0.5 + 1e-9)

    @property
    def digits(self):
        """How many digits it has between its leading and its trailing zeros."""
        return len("".join(map(str, self._decimal.as_tuple().digits)).strip("0"))

    @property
    def _decimal(self):
        return Decimal(self.numeral.replace(",", ""))

    @property
    def _base(self):
        return self.value * _SCALES.get(self.unit, 1)


@dataclass(frozen=True)
class Part:
    """A code cell with what it shows, or the part of a text cell that belongs to one section.

    `section` counts the headings of the second level up to it; `cell` is the place of its cell in the notebook.
    """

    cell: int
    section: int
    prose: str
    code: str
    shown: str


def parts(path):
    """Return the parts of a notebook in order."""
    return parts_of(nbformat.read(path, as_version=4))


def parts_of(notebook):
    """Return the parts of a notebook that was read."""
    found, section = [], 0
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            found.append(Part(place, section, "", cell.source, _shown(cell)))
            continue
        before, *headed = re.split(r"^(?=## )", cell.source, flags=re.MULTILINE)
        found.append(Part(place, section, before, "", ""))
        for prose in headed:
            section += 1
            found.append(Part(place, section, prose, "", ""))
    return found


def _shown(cell):
    if "nbval-ignore-output" in cell.metadata.get("tags", []):
        return ""  # measured: other numbers on the next machine
    said = []
    for output in cell.get("outputs", []):
        said += [output.get("text", ""), *_words(output.get("data", {}))]
    return "\n".join(said)


def _words(data):
    kept = {kind: text for kind, text in data.items() if kind in {"text/plain", "text/markdown", "text/html"}}
    return [_of_html(text) if kind == "text/html" else text for kind, text in kept.items()]


def _of_html(text):
    return unescape("\n".join([_UNSEEN.sub(" ", text), *_HEARD.findall(text)]))


def numbers(text):
    """Return each number that is written in digits; a clock time is none."""
    return [Number(*found.groups(default="")) for found in _NUMBER.finditer(_CLOCK.sub(" ", text))]


def clock_times(text):
    """Return each time of day that is written as in 11:20."""
    return set(_CLOCK.findall(text))


def constants(code):
    """Return each number that stands in code, within its texts too; comments hold nothing."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, str):
                found += numbers(value)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                found.append(Number(repr(value)))
    return found


def flat(text):
    """Return a text in one line."""
    return " ".join(text.split())


def in_digits(prose):
    """Return a text with its counts from eleven on in digits, and "one in twenty" as a share."""
    prose = _ONE_IN.sub(lambda found: f"{100 / _IN_WORDS[found[1].lower()]:g} %", prose)
    return _COUNT.sub(lambda found: f"{_IN_WORDS[found[1].lower()]:,}", prose)


def without_places(prose):
    """Return a text, in one line, without the numbers that say where something stands."""
    return PLACES.sub(" ", flat(ORDER.sub(" ", prose)))
