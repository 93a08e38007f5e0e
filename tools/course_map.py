"""Write docs/course-map.md, what each lesson teaches, asks and names as a mistake: `make fix` does it."""

import re
from itertools import groupby

from mlsd_helpers import exercises
from mlsd_helpers.exercises.kit import Exercise, mistake_name
from tools.notebooks import ROOT
from tools.writing import write_changed

PLACE = ROOT / "docs" / "course-map.md"
_COLUMNS = ("learning outcome", "exercise", "kind", "minutes", "points", "known mistakes")


def course_map() -> str:
    """Return the map as it is written."""
    named = sum(len(exercise.mistakes) for exercise in exercises.ALL)
    head = (
        "# Course map\n\n"
        f"{len(exercises.ALL)} exercises with {named} known mistakes; each mistake is told by its name and scored "
        "apart.\nMade by `make fix` from `mlsd_helpers/exercises/` and `course/text/`: change it there."
    )
    lessons = groupby(exercises.ALL, key=lambda exercise: exercise.assignment)
    return "\n\n".join([head, *(_lesson(name, tuple(group)) for name, group in lessons)]) + "\n"


def _lesson(name: str, group: tuple[Exercise, ...]) -> str:
    text = (ROOT / "course" / "text" / f"{name}.py").read_text(encoding="utf-8")
    title = re.findall(r"^# (\d\d .+)$", text, re.MULTILINE)[0]
    views = [view for view in re.findall(r"mlsd\.widgets\.(\w+)\(", text) if view != "Prediction"]
    asked = len(re.findall(r"mlsd\.ask\(|mlsd\.widgets\.Prediction\(", text))
    facts = [
        f"[Lesson](../course/{name}.ipynb): {asked} questions",
        *(f"`{view}`" for view in dict.fromkeys(views)),
    ]
    minutes, points = sum(one.minutes for one in group), sum(one.points for one in group)
    return "\n\n".join(
        [
            f"## {title}",
            f"{', '.join(facts)}. [Exercises](../release/{name}/{name}.ipynb): {minutes} minutes, {points:g} points.",
            "\n".join([_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), *(_row(_cells(one)) for one in group)]),
        ]
    )


def _cells(exercise: Exercise) -> list[str]:
    names = ", ".join(mistake_name(mistake).replace("_", " ") for mistake in exercise.mistakes)
    title = f"`{exercise.id}` {exercise.title}"
    return [
        exercise.outcome,
        title,
        exercise.kind,
        str(exercise.minutes),
        f"{exercise.points:g}",
        names,
    ]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write_changed(PLACE, course_map())
