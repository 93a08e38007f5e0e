"""CSV that a spreadsheet opens as text: what a student typed never runs as a formula."""

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
    """Put an apostrophe before text that a spreadsheet would run; numbers, and None for no value, stay.

    Spreadsheets look past leading blanks, and take full-width signs too:
    https://owasp.org/www-community/attacks/CSV_Injection.

    >>> neutral("=HYPERLINK(A1)"), neutral("Ada"), neutral(-1.5)
    ("'=HYPERLINK(A1)", 'Ada', -1.5)
    """
    if not isinstance(cell, str):
        return cell
    return (
        f"'{cell}" if cell.lstrip().startswith(_STARTS_A_FORMULA) or cell[:1] in {"\t", "\r", "\n"} else cell
    )


def table(columns: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    """Return a table about students as CSV, a line a row: what they wrote is printable and holds no line break.

    Where a spreadsheet takes another sign than the comma for the end of a cell, no formula begins behind that either.
    """

    def clean(cell: Cell) -> Cell:
        return _ENDS_A_CELL.sub(",", printable(cell)) if isinstance(cell, str) else cell

    return csv_of(columns, (map(clean, row) for row in rows))


def csv_of(columns: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    """Return a table as CSV, its text neutralised and its line ends the standard's (RFC 4180).

    A number that is not finite is left out.
    """
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerows([neutral(_plain(cell)) for cell in row] for row in (columns, *rows))
    return written.getvalue()


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, float):
        return round(cell, 6) if math.isfinite(cell) else None
    return cell.encode(errors="replace").decode().replace("\0", "") if isinstance(cell, str) else cell
