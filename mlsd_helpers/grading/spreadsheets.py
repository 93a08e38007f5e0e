"""CSV for spreadsheets, in which nothing that a student typed runs as a formula (CSV injection)."""

import csv
import io
import math
import re
from collections.abc import Iterable

from mlsd_helpers.printable import printable

Cell = str | float | int | None

_ENDS_A_CELL = re.compile(r"[;|\t](?=\s*[=+\-@＝＋－＠])")
_STARTS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def neutral(cell: Cell) -> Cell:
    """Put an apostrophe before text that a spreadsheet would run as a formula; numbers and None stay as they are.

    Spreadsheets skip leading blanks, and also read full-width signs:
    https://owasp.org/www-community/attacks/CSV_Injection.

    >>> neutral("=HYPERLINK(A1)"), neutral("Ada"), neutral(-1.5)
    ("'=HYPERLINK(A1)", 'Ada', -1.5)
    """
    if not isinstance(cell, str):
        return cell
    runs = cell.lstrip().startswith(_STARTS_A_FORMULA) or cell[:1] in {"\t", "\r", "\n"}
    return f"'{cell}" if runs else cell


def delimiter_of(text: str) -> str:
    """Return what parts the cells of a CSV: a comma, or a semicolon, as spreadsheets of some countries write it.

    >>> delimiter_of("id;submitted"), delimiter_of("id,submitted")
    (';', ',')
    """
    head = text.partition("\n")[0]
    return ";" if head.count(";") > head.count(",") else ","


def table(columns: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    """Return a table with students' text as CSV: the text becomes printable, without line breaks.

    Some spreadsheets end a cell at a semicolon, bar or tab; no formula begins after one of these either.
    """

    def clean(cell: Cell) -> Cell:
        return _ENDS_A_CELL.sub(",", printable(cell)) if isinstance(cell, str) else cell

    return csv_of(columns, (map(clean, row) for row in rows))


def csv_of(columns: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    """Return a table as CSV after RFC 4180, its text neutralised; a number that is not finite becomes an empty cell."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerows([neutral(_plain(cell)) for cell in row] for row in (columns, *rows))
    return written.getvalue()


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, float):
        return round(cell, 6) if math.isfinite(cell) else None
    return cell.encode(errors="replace").decode().replace("\0", "") if isinstance(cell, str) else cell
