"""A figure: a picture, its text alternative, and its data.

The picture is shown as an `<img>` with its alternative text: in a notebook that it does not trust, JupyterLab keeps
such an element, but removes inline SVG.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from io import StringIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

Cell = float | int | str
Columns = Mapping[str, tuple[Cell, ...]]


@dataclass(frozen=True)
class Figure:
    """A picture (SVG), its text alternative, its caption, and the data behind it as named columns.

    A notebook displays it. Raises ``RangeError`` for an empty text alternative, since readers who do not see the
    picture have only that, and for columns of different lengths.
    """

    svg: str = field(repr=False)
    alt: str
    caption: str = ""
    data: Columns = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise RangeError(
                "The figure has no alt text. Say in one or two sentences what it shows, with its key numbers."
            )
        columns = {name: tuple(column) for name, column in self.data.items()}
        if len({len(column) for column in columns.values()}) > 1:
            lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
            raise RangeError(
                f"The figure's columns differ in length: {lengths}. Give one value for each row."
            )
        object.__setattr__(self, "data", MappingProxyType(columns))

    def html(self) -> str:
        """Return the figure as HTML that stands alone.

        It is dark in a dark theme of JupyterLab or VS Code, and light elsewhere. In a window that is too narrow for it,
        it scrolls sideways, so that its text stays readable.
        """
        picture = b64encode(self.svg.replace(">", f"><style>{style.DARK}</style>", 1).encode()).decode()
        caption = f"<figcaption>{as_words(self.caption)}</figcaption>" if self.caption else ""
        return (
            f'<figure style="margin: 0"><style>{style.DARK_PAGES} {{ --mlsd-scheme: dark }}</style>'
            '<div style="overflow-x: auto" tabindex="0" role="group" aria-label="Figure">'
            f'<img alt="{escape(self.alt)}" width="{style.WIDTH_PX}" '
            f'style="min-width: {style.NARROWEST_PX}px; color-scheme: var(--mlsd-scheme, light)" '
            f'src="data:image/svg+xml;base64,{picture}" /></div>{caption}</figure>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/html": self.html(), "text/plain": self.alt}


def draw(
    paint: Callable[["Axes"], None], *, alt: str, caption: str = "", data: Columns, height_px: int = 380
) -> Figure:
    """Return the figure that `paint` draws on one pair of axes, in the course's style."""
    with style.applied():
        canvas = style.blank(height_px)
        paint(canvas.add_subplot())
        return from_matplotlib(canvas, alt=alt, caption=caption, data=data)


def from_matplotlib(canvas: "MatplotlibFigure", *, alt: str, caption: str = "", data: Columns) -> Figure:
    """Return a figure made from a matplotlib figure; the same drawing gives the same bytes."""
    written = StringIO()
    with style.applied():
        canvas.savefig(written, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]  # no XML declaration, no reference to a DTD on the web
    svg = re.sub(r"(\d\.\d\d)\d+", r"\1", svg)  # a hundredth of a point is finer than any screen
    return Figure(style.with_screen_fonts(re.sub(r"\s*\n\s*", " ", svg)), alt, caption, data)


def as_words(text: str) -> str:
    """Return a text as HTML in which JupyterLab takes nothing between two dollar signs for a formula.

    >>> as_words("$5 & up")
    '<span>$</span>5 &amp; up'
    """
    return escape(text).replace("$", "<span>$</span>")


def table(columns: Columns, caption: str = "") -> str:
    """Return columns as an HTML table whose header cells name their columns."""
    title = f"<caption>{as_words(caption)}</caption>" if caption else ""
    head = "".join(f'<th scope="col">{as_words(name)}</th>' for name in columns)
    shown = (
        [one if isinstance(one, str) else show_number(one) for one in cells] for cells in columns.values()
    )
    rows = ("".join(f"<td>{as_words(cell)}</td>" for cell in row) for row in zip(*shown, strict=True))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def show_number(number: float) -> str:
    """Write a number as a person would: four significant digits, thousands apart.

    >>> show_number(38), show_number(593.64), show_number(12345.6), show_number(0.000123)
    ('38', '593.6', '12,346', '0.000123')
    """
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.4g}"
