"""Drawings in plain SVG, which a figure stores and a widget shows.

The same function draws a picture for both. Its colours are CSS variables: a widget takes them from the notebook's
theme, a stored figure from its light panel. All styling is in attributes, because pages that clean SVG drop styles.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from mlsd_helpers.figures import style
from mlsd_helpers.figures.base import Columns, Figure

WIDE = 680
INK, QUIET, PANEL, GRID = "var(--mlsd-ink)", "var(--mlsd-quiet)", "var(--mlsd-panel)", "var(--mlsd-grid)"
RULE, EXACT, OTHER = "var(--mlsd-rule)", "var(--mlsd-exact)", "var(--mlsd-other)"
CONTROL, RAISED = "var(--mlsd-control)", "var(--mlsd-raised)"
LIGHT = {
    "ink": style.INK,
    "quiet": style.QUIET,
    "panel": style.PANEL,
    "grid": style.GRID,
    "rule": style.RULE.colour,
    "exact": style.EXACT.colour,
    "other": style.OTHER.colour,
    "control": "#6b7785",
    "raised": "#f1f3f5",
}
"""The colours of a stored figure, which are those of a widget on a light page."""

Point = tuple[float, float]


def tag(name: str, *inside: str, **attributes: float | str) -> str:
    """Return an SVG element; `_` in an attribute's name stands for `-`, and `class_` for `class`.

    >>> tag("text", "5 < 6", x=1.23456, text_anchor="end")
    '<text x="1.23" text-anchor="end">5 < 6</text>'
    """
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{_attribute(value)}"' for key, value in attributes.items()
    )
    return f"<{name}{given}>{''.join(inside)}</{name}>" if inside else f"<{name}{given}/>"


def _attribute(value: float | str) -> str:
    return escape(value) if isinstance(value, str) else f"{round(value, 2):.10g}"


def words(text: str, x: float, y: float, *, halo: str = "", **attributes: float | str) -> str:
    """Return text at a point; a halo of the colour `halo` keeps it off the lines behind it."""
    if halo:
        attributes = {
            "paint_order": "stroke", "stroke": halo, "stroke_width": 4, "stroke_linejoin": "round", **attributes,
        }  # fmt: skip
    return tag("text", escape(text), x=x, y=y, **attributes)


def line(start: Point, end: Point, colour: str, width: float = 1, **attributes: float | str) -> str:
    """Return a straight line."""
    (x1, y1), (x2, y2) = start, end
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=width, **attributes)


def curve(points: Iterable[Point], colour: str = INK, width: float = 2, **attributes: float | str) -> str:
    """Return a line through points."""
    return tag(
        "polyline", points=corners(points), fill="none", stroke=colour, stroke_width=width, **attributes
    )


def corners(points: Iterable[Point]) -> str:
    """Return points as SVG lists them."""
    return " ".join(f"{_attribute(x)},{_attribute(y)}" for x, y in points)


def disc(at: Point, colour: str = EXACT, radius: float = 5) -> str:
    """Return a filled circle, the mark of what is exact."""
    return tag("circle", cx=at[0], cy=at[1], r=radius, fill=colour)


def square(at: Point, half: float = 7) -> str:
    """Return a hollow square, the mark of the rule; a disc at the same place shows inside it."""
    x, y = at
    return tag("rect", x=x - half, y=y - half, width=2 * half, height=2 * half,
               fill="none", stroke=RULE, stroke_width=2.5)  # fmt: skip


def diamond(at: Point, half: float, **attributes: float | str) -> str:
    """Return a diamond."""
    x, y = at
    return tag(
        "path", d=f"M{x - half:.1f} {y:.1f}l{half} -{half}l{half} {half}l-{half} {half}z", **attributes
    )


def unique(name: str) -> str:
    """Return an id within a drawing; a page with several drawings gives each its own prefix."""
    return f"mlsd-id-{name}"


def hatching(name: str, colour: str = CONTROL, width: float = 1, opacity: float = 0.45) -> str:
    """Return slanting lines, to fill an area with as `url(#...)` of the unique name."""
    slant = line(
        (3, 0), (3, 6), colour, width, opacity=opacity
    )  # in the middle: the edge would cut half of it
    return tag("pattern", slant, id=unique(name), width=6, height=6,
               patternUnits="userSpaceOnUse", patternTransform="rotate(45)")  # fmt: skip


def clip(name: str, x: float, y: float, width: float, height: float) -> str:
    """Return a rectangle that cuts off what lies outside of it."""
    return tag("clipPath", tag("rect", x=x, y=y, width=width, height=max(height, 0)), id=unique(name))


def url(name: str) -> str:
    """Return a reference to a pattern or a clip of this drawing."""
    return f"url(#{unique(name)})"


@dataclass(frozen=True)
class Drawing:
    """The inside of a picture, with its width and height in pixels."""

    body: str
    high: float
    wide: float = WIDE

    def figure(self, alt: str, caption: str = "", data: Columns | None = None) -> Figure:
        """Return the drawing as a figure on a light panel."""
        size = f'viewBox="0 0 {self.wide:g} {self.high:g}" width="{self.wide:g}" height="{self.high:g}"'
        panel = tag("rect", width=self.wide, height=self.high, fill=PANEL)
        drawn = re.sub(r"var\(--mlsd-(\w+)\)", lambda found: LIGHT[found[1]], panel + self._body)
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{drawn}</svg>'
        return Figure(svg, alt, caption, data or {})

    def for_page(self, alt: str) -> dict[str, Any]:
        """Return the drawing and its text alternative as the page of a widget takes them."""
        return {"body": self._body, "size": [self.wide, self.high], "alt": alt}

    @property
    def _body(self) -> str:
        return tag("g", self.body, font_family=style.SCREEN_FONTS, font_size=12, fill=INK)


@dataclass(frozen=True)
class Axis:
    """A range of values, on a linear or a logarithmic scale; the latter has no place beyond its ends."""

    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Return how far along the axis a value is drawn: 0 at its low end, 1 at its high end."""
        if self.logarithmic:
            value = min(max(value, self.low), self.high)
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def steps(self, about: int, *, whole: bool = False) -> list[float]:
        """Return about so many round values: 1, 2 or 5 times a power of ten apart, or whole numbers only.

        >>> Axis(0, 0.9).steps(4), Axis(18, 41).steps(7, whole=True)
        ([0.0, 0.5], [20.0, 25.0, 30.0, 35.0, 40.0])
        """
        rough = (self.high - self.low) / about
        power = 10 ** math.floor(math.log10(rough))
        step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * (1 - 1e-9))
        step = max(1, round(step)) if whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [float(f"{at * step:.12g}") for at in range(first, last + 1)]


@dataclass(frozen=True)
class Plot:
    """Two axes in a picture, with margins in pixels."""

    across: Axis
    up: Axis
    high: float
    left: float = 62
    right: float = 18
    top: float = 40
    foot: float = 44

    @property
    def floor(self) -> float:
        """Where the axis across lies."""
        return self.high - self.foot

    @property
    def end(self) -> float:
        """Where the axis across ends."""
        return WIDE - self.right

    def x(self, value: float) -> float:
        """Return where a value lies from the left."""
        return self.left + self.across.share(value) * (self.end - self.left)

    def y(self, value: float) -> float:
        """Return where a value lies from the top."""
        return self.floor - self.up.share(value) * (self.floor - self.top)

    def at(self, across: float, up: float) -> Point:
        """Return the point of two values."""
        return self.x(across), self.y(up)

    def level(self, value: float, colour: str, width: float = 1, **attributes: float | str) -> str:
        """Return a line across the plot at a value of the axis that goes up."""
        return line((self.left, self.y(value)), (self.end, self.y(value)), colour, width, **attributes)

    def upright(
        self, value: float, top: float, colour: str, width: float = 1, **attributes: float | str
    ) -> str:
        """Return a line from `top` down to the floor at a value of the axis across."""
        return line((self.x(value), top), (self.x(value), self.floor), colour, width, **attributes)

    def inside(self, left: float | None = None, top: float | None = None) -> dict[str, float]:
        """Return the rectangle of the plot as attributes, from another left or top if one is given."""
        x, y = self.left if left is None else left, self.top if top is None else top
        return {"x": x, "y": y, "width": self.end - x, "height": self.floor - y}

    def axes(
        self,
        across: Sequence[tuple[float, str]],
        up: Sequence[tuple[float, str]],
        names: tuple[str, str],
        up_name_at: Point = (4, 14),
        anchor: str = "start",
    ) -> Sequence[str]:
        """Return a grid, the axis across, and words along both axes: values with their names, and the axes' names."""
        return [
            *(self.level(value, GRID) for value, _ in up),
            *(words(name, self.left - 8, self.y(value) + 4, text_anchor="end") for value, name in up),
            *(words(name, self.x(value), self.floor + 18, text_anchor="middle") for value, name in across),
            line((self.left, self.floor), (self.end, self.floor), CONTROL),
            words(names[0], (self.left + self.end) / 2, self.high - 6, text_anchor="middle", fill=QUIET),
            words(names[1], *up_name_at, fill=QUIET, text_anchor=anchor),
        ]
