"""The style of every figure: one panel, few colours, and no meaning in colour alone.

A figure is drawn on a light panel, as on paper. On a page that says that it is dark, the same drawing is inverted
and keeps its hues. Each kind of line has a colour, a dash and a marker; the colours keep apart under the common
colour-vision deficiencies and stand at 4.5:1 or more against the panel, so that a label may wear its line's colour.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, INK, QUIET, GRID = "#ffffff", "#1f2933", "#52606d", "#e1e5ea"
WIDTH_PX = 700
NARROWEST_PX = 600  # below it, labels would be smaller than 11 px
DARK = "@media (prefers-color-scheme: dark) { svg { filter: invert(0.93) hue-rotate(180deg) } }"
"""What a picture does in an element whose colour scheme is dark; the page of the reader decides, not the system."""
DARK_PAGES = '[data-jp-theme-light="false"], .vscode-dark'
_PX_PER_INCH = 96
_DRAWN_WITH = "DejaVu Sans"  # in every matplotlib, so that the layout is the same everywhere
SCREEN_FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, DejaVu Sans, sans-serif"


@dataclass(frozen=True)
class Line:
    """One kind of line: its colour, dash and marker, and how an area that belongs to it is filled."""

    colour: str
    dash: str
    marker: str
    pale: str
    hatching: str
    hatch: str

    @property
    def area(self) -> dict[str, Any]:
        """How matplotlib fills an area of this kind."""
        return {"facecolor": self.pale, "edgecolor": self.hatching, "hatch": self.hatch, "linewidth": 0}


RULE = Line("#b8400a", "--", "s", "#fdeadf", "#e3b599", "////")
EXACT = Line("#0b5fa5", "-", "o", "#e6eff8", "#b9d0e6", "||")
OTHER = Line("#0f6b5c", "-.", "^", "#e0f1ec", "#aed3c8", "\\\\\\")
LIMIT = Line(QUIET, ":", "x", "none", "#c3cad2", "////")

_SETTINGS: Mapping[Any, Any] = MappingProxyType({
    "svg.fonttype": "none",  # text stays text: a third of the size, and sharp
    "svg.hashsalt": "mlsd",
    "font.family": _DRAWN_WITH,
    "font.size": 9.5,
    "text.color": INK,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.facecolor": PANEL,
    "savefig.facecolor": PANEL,
    "axes.facecolor": PANEL,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "hatch.linewidth": 0.6,
    "path.simplify": True,
})  # fmt: skip


@contextmanager
def applied() -> Iterator[None]:
    """Apply this style alone while a figure is built and written; then restore the user's settings."""
    from matplotlib import rc_context, rcdefaults, rcParams  # noqa: PLC0415

    with rc_context():
        rcdefaults()
        rcParams.update(_SETTINGS)
        yield


def blank(height_px: int) -> "Figure":
    """Return an empty matplotlib figure of the course's width; pyplot is not involved."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    return Figure(figsize=(WIDTH_PX / _PX_PER_INCH, height_px / _PX_PER_INCH), layout="constrained")


def with_screen_fonts(svg: str) -> str:
    """Let the reader's own interface font show the text; it is narrower than the font of the layout."""
    return svg.replace(f"'{_DRAWN_WITH}'", SCREEN_FONTS)


def label(
    axes: "Axes",
    text: str,
    at: tuple[float, float],
    line: Line,
    shift: tuple[float, float] = (6, 0),
    **how: Any,
) -> None:
    """Write a label beside the point `at` (data units), shifted by points, in the colour of its line."""
    behind = {"facecolor": PANEL, "edgecolor": "none", "pad": 1.0}
    weight = "normal" if line is LIMIT else "bold"
    usual = {
        "va": "center",
        "ha": "left",
        "color": line.colour,
        "weight": weight,
        "bbox": behind,
        "zorder": 6,
    }
    axes.annotate(text, at, shift, textcoords="offset points", annotation_clip=False, **{**usual, **how})
