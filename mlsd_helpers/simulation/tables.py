"""Tables as plain text and as HTML."""

from collections.abc import Sequence
from html import escape

Row = tuple[str, ...]


def table_as_text(rows: Sequence[Row]) -> str:
    """Return rows with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def table_as_html(rows: Sequence[Row], head: Row = (), caption: str = "") -> str:
    """Return rows, each of which the first cell is the header of, as an HTML table."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(c)}</td>" for c in cells)
        + "</tr>"
        for first, *cells in rows
    )
    return (
        "<table>"
        + (f"<caption>{escape(caption)}</caption>" if caption else "")
        + (f"<thead><tr>{top}</tr></thead>" if top else "")
        + f"<tbody>{body}</tbody></table>"
    )
