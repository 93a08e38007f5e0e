"""The class report: one HTML page that loads nothing, and its tables as CSV.

The report contains text of students. The template escapes all text, isolates the direction of names (`<bdi>`), and
sets a content security policy under which the page can load and run nothing.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan
from pathlib import Path
from statistics import fmean
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.files import write_whole
from mlsd_helpers.grading import anonymity, context, marks, records
from mlsd_helpers.grading.analysis import ENOUGH, Analysis, Discrimination, Item, Kind, analyse
from mlsd_helpers.grading.context import Context
from mlsd_helpers.grading.spreadsheets import Cell, table

FOLDER = "reports"

NOTHING = Context()

_FIRST = 10  # mistakes of the ranking
_MOST = 20  # kinds of unexplained answers shown for an exercise; all are in the CSV
_LONG = 600  # characters of a message
_LABEL = 38  # characters beside a bar
_LEFT, _LONGEST, _ROW = 270, 400, 28  # px, in a picture 720 wide
_DIRECTION_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KINDS: dict[Kind, str] = {
    "right": "right",
    "mistake": "known mistake",
    "unexplained": "no known mistake",
    "crashed": "did not run",
    "blank": "left blank",
}
_FILLS: dict[Kind, str] = {
    "right": "filled, right",
    "mistake": "hatched, a known mistake",
    "unexplained": "dotted, wrong in another way",
    "crashed": "striped across, the code did not run to its end",
    "blank": "dashed, left blank",
}


@dataclass(frozen=True)
class ReportFiles:
    """The files of a report: the page and its tables, and the analysis that they show."""

    page: Path
    tables: tuple[Path, ...]
    analysis: Analysis


def report(
    course: Path,
    assignment: str,
    *,
    anonymous: bool = False,
    names: bool = False,
    output: Path | None = None,
    db_url: str = "",
) -> ReportFiles:
    """Write the report of an assignment from its records, by default into `reports/`.

    With `names` it has the students' names beside their ids, where it is not anonymous. Raises WorkspaceError where
    nothing of it has been graded.
    """
    graded = with_ids = tuple(records.all_of(course, assignment))
    if not graded:
        raise WorkspaceError(
            f"Nothing of {assignment} has been graded in {course}. Run `mlsd grade {assignment}` first."
        )
    if anonymous:
        graded = anonymity.anonymous(graded, anonymity.secret_of(course), marks.students(course, db_url))
    analysis = analyse(assignment, graded)
    name = f"{assignment}-anonymous" if anonymous else assignment
    page = output or course / FOLDER / f"{name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    about = context.read(
        course, analysis, with_ids, page=page, anonymous=anonymous, names=names, db_url=db_url
    )
    tables = {
        page.with_name(f"{page.stem}-exercises.csv"): exercises_csv(analysis),
        page.with_name(f"{page.stem}-answers.csv"): answers_csv(analysis, about.names),
        page.with_name(f"{page.stem}-requests.csv"): requests_csv(about),
    }
    for path, text in (*tables.items(), (page, html(analysis, about, anonymous=anonymous))):
        write_whole(path, text.encode(errors="replace"))  # a lone surrogate of a student's
    return ReportFiles(page, tuple(tables), analysis)


# ---- CSV ------------------------------------------------------------------------------------------


def exercises_csv(analysis: Analysis) -> str:
    """Return a row for each exercise: shares from 0 to 1, and the discrimination with its interval."""
    columns = "exercise title points submissions mean full blank did_not_run discrimination low high"
    rows: list[list[Cell]] = []
    for item in analysis.items:
        r = item.discrimination
        shares = (item.mean, item.full, item.blank, item.crashed, r.value, r.low, r.high)
        rows.append([item.id, item.title, item.points, analysis.counted, *shares])
    return table(columns.split(), rows)


def answers_csv(analysis: Analysis, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return a row for each kind of answer to each exercise: their number, message and students, named by `names`."""
    rows: list[list[Cell]] = []
    for item in analysis.items:
        for one in item.groups:
            students = (f"{each} ({names[each]})" if each in names else each for each in one.students)
            who = len(one.students), one.message, "; ".join(students)
            rows.append([item.id, _KINDS[one.kind], one.name, *who])
    return table(["exercise", "kind", "name", "number", "message", "students"], rows)


def requests_csv(about: Context) -> str:
    """Return a row for each request to look at marks again, with what was done since."""
    rows: list[list[Cell]] = [
        [
            one.student,
            about.names.get(one.student, ""),
            one.exercise,
            one.score,
            one.points,
            one.reason,
            one.answer,
        ]
        for one in about.requests
    ]
    return table(["student", "name", "exercise", "score", "points", "reason", "answered"], rows)


# ---- HTML -----------------------------------------------------------------------------------------


def html(analysis: Analysis, about: Context = NOTHING, *, anonymous: bool = False) -> str:
    """Return the report as an HTML page that loads nothing."""
    template, css = _template()
    return template.render(
        analysis=analysis,
        about=about,
        anonymous=anonymous,
        flagged=len({student for student, _, _ in analysis.flags}),
        totals=_totals(analysis),
        pictures={item.id: _answers(f"p{number}", item) for number, item in enumerate(analysis.items)},
        css=Markup(css),  # noqa: S704 - our own file
        most=_MOST,
        first=_FIRST,
        enough=ENOUGH,
    )


@cache
def _template() -> tuple[Template, str]:
    loader = PackageLoader("mlsd_helpers.grading")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters |= {
        "average": lambda values: fmean(values) if values else float("nan"),
        "interval": _interval,
        "marked": _marked,
        "plain": _plain,
        "share": _percent,
        "short": lambda text: _cut(text, _LONG),
        "words": lambda name: _plain(name).replace("_", " "),
    }
    css, _, _ = loader.get_source(environment, "report.css")
    return environment.get_template("report.html"), css


def _plain(text: str) -> str:
    """Return text without control characters, and without those that change the direction of writing."""
    gone = {c for c in set(text) if unicodedata.category(c) in {"Cc", "Cs"}} - {
        "\n",
        "\t",
    } | _DIRECTION_CONTROLS
    return "".join(c for c in text if c not in gone)


def _marked(text: str) -> Markup:
    """Return a message of ours as HTML: `code` and *emphasis* become elements, and all else is escaped."""
    parts = re.split(r"`([^`]*)`", _plain(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part)
        if number % 2
        else Markup(re.sub(r"\*([^*\s][^*]*)\*", r"<em>\1</em>", str(escape(part))))  # noqa: S704 - escaped
        for number, part in enumerate(parts)
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _percent(share: float) -> str:
    return "–" if isnan(share) else f"{share:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def _interval(r: Discrimination) -> str:
    if r.value is None:
        return r.reading
    return f"{r.value:.2f} ({r.low:.2f} to {r.high:.2f}): {r.reading}".replace("-", "−")


# ---- pictures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bar:
    label: str
    number: int
    kind: str
    y: int
    width: float


@dataclass(frozen=True)
class _Picture:
    """A chart of labelled bars that begin at `left`, in px; each kind has its own fill, and each bar its number."""

    id: str
    title: str
    alt: str
    caption: str
    bars: tuple[_Bar, ...]
    height: int
    left: int = _LEFT


def _picture(name: str, title: str, caption: str, rows: Sequence[tuple[str, int, str]]) -> _Picture:
    largest = max((number for _, number, _ in rows), default=0) or 1
    bars = tuple(
        _Bar(_cut(label, _LABEL), number, kind, row * _ROW + 4, round(_LONGEST * number / largest, 1))
        for row, (label, number, kind) in enumerate(rows)
    )
    alt = "; ".join(f"{label}: {number}" for label, number, _ in rows)
    return _Picture(name, title, alt, caption, bars, len(rows) * _ROW)


def _totals(analysis: Analysis) -> _Picture:
    tenths = [min(9, int(share * 10 + 1e-9)) for share in analysis.totals]
    rows = [(f"{10 * n} to {10 * n + 10}\N{NO-BREAK SPACE}%", tenths.count(n), "total") for n in range(10)]
    title = "Submissions by share of the points"
    return _picture("totals", title, f"{title}.", rows)


def _answers(name: str, item: Item) -> _Picture:
    key = "; ".join(fill for kind, fill in _FILLS.items() if item.number(kind))
    mistakes = (
        (_plain(one.name).replace("_", " "), len(one.students), "mistake") for one in item.of("mistake")
    )
    rows = [
        ("right", item.number("right"), "right"),
        *mistakes,
        ("wrong in another way", item.number("unexplained"), "unexplained"),
        ("did not run", item.number("crashed"), "crashed"),
        ("left blank", item.number("blank"), "blank"),
    ]
    return _picture(name, f"Answers to {item.title}", f"Students by answer: {key}.", rows)
