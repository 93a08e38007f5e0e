"""The map of the course: five steps, and the one file to which each adds its part."""

from typing import TYPE_CHECKING

from mlsd_helpers.figures.base import Figure, draw
from mlsd_helpers.figures.style import EXACT, INK, PANEL, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import FancyBboxPatch

STEPS = (
    ("01", "Requirements", "What is\npromised, and\nto whom?", "requirements"),
    ("02", "Planes", "Which parts\nare there,\nand who\nwatches them?", "planes"),
    ("03", "Data flow", "How old is\nwhat the\nmodel sees?", "dataflow"),
    ("04", "Patterns", "When is\nan answer\ncomputed?", "pattern"),
    ("05", "Capacity", "How many\nmachines, for\nwhich failure?", "capacity"),
)
"""Lesson, step, its question, and the part of the design that it writes."""

_WIDE, _HIGH, _GAP = 1.0, 1.2, 0.14
_SMALLEST = 9.5  # points: 11 px and more where a notebook shows the figure 640 px wide


def course_map() -> Figure:
    """Show lessons 01 to 05 and the part of harbour_pay.yaml that each writes.

    Data: lesson, step, question, part.
    """
    lessons, steps, questions, parts = zip(*STEPS, strict=True)
    each = "; ".join(
        f"lesson {lesson}, {step.lower()}, asks “{' '.join(question.split())}” and writes {part}"
        for lesson, step, question, part in STEPS
    )
    return draw(
        _paint,
        alt=f"Five steps, each adding its part to harbour_pay.yaml: {each}.",
        data={
            "lesson": lessons,
            "step": steps,
            "question": tuple(" ".join(question.split()) for question in questions),
            "part": parts,
        },
        height_px=310,
    )


def _paint(axes: "Axes") -> None:
    for position, (lesson, step, question, part) in enumerate(STEPS):
        left = position * (_WIDE + _GAP)
        _box(axes, left, 0.75, f"{lesson}\n{step}", question)
        axes.annotate("", (left + _WIDE / 2, 0.22), (left + _WIDE / 2, 0.72), arrowprops=_arrow(RULE.colour))
        axes.text(
            left + _WIDE / 2, 0.09, f"{part}:", ha="center", va="center", family="monospace", size=_SMALLEST
        )
        if position:
            axes.annotate("", (left - 0.01, 1.25), (left - _GAP + 0.01, 1.25), arrowprops=_arrow(QUIET))
    end = len(STEPS) * (_WIDE + _GAP) - _GAP
    axes.add_patch(_rectangle(-0.05, -0.28, end + 0.1, 0.5, EXACT.colour, EXACT.pale))
    axes.text(end / 2, -0.14, "harbour_pay.yaml: one file, to which each lesson adds its part",
              ha="center", va="center", color=EXACT.colour, weight="bold", size=_SMALLEST)  # fmt: skip
    axes.set_xlim(-0.1, end + 0.1)
    axes.set_ylim(-0.35, 2.05)
    axes.axis("off")


def _box(axes: "Axes", left: float, foot: float, title: str, question: str) -> None:
    axes.add_patch(_rectangle(left, foot, _WIDE, _HIGH, QUIET, PANEL))
    middle = left + _WIDE / 2
    axes.text(middle, foot + 0.94, title, ha="center", va="center", weight="bold", size=_SMALLEST, color=INK)
    axes.text(middle, foot + 0.38, question, ha="center", va="center", size=_SMALLEST, color=INK)


def _rectangle(left: float, foot: float, wide: float, high: float, edge: str, face: str) -> "FancyBboxPatch":
    from matplotlib.patches import FancyBboxPatch  # noqa: PLC0415 - heavy

    return FancyBboxPatch(
        (left, foot), wide, high, boxstyle="round,pad=0,rounding_size=0.05", edgecolor=edge, facecolor=face
    )


def _arrow(colour: str) -> dict[str, object]:
    return {"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0}
