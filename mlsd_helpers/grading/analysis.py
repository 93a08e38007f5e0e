"""Item analysis of a graded class: difficulty, discrimination, known mistakes and unexplained answers."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import correlation, fmean
from typing import Literal

from mlsd_helpers.exercises import ALL, Exercise
from mlsd_helpers.exercises.kit import feedback, mistake_name
from mlsd_helpers.grading.records import FAILED, Judged, Record

ENOUGH = 20
"""The fewest submissions for a discrimination: at 20, the interval around r = 0.3 is −0.16 to 0.66."""

Kind = Literal["right", "mistake", "unexplained", "crashed", "blank"]

_Z95 = 1.96
_NEARLY_ONE = 1 - 1e-12  # artanh is infinite at 1
_NUMBER = re.compile(
    r"(?<!\w)(?:0x[0-9a-f]+|[-−]?\d[\d.,_]*\d(?:e[-+]?\d+)?|[-−]?\d(?:e[-+]?\d+)?)\b", re.IGNORECASE
)
_RUN = re.compile(r"…(?:, …)+")
_CASE = re.compile(r"^With `[^`]*`: ")


@dataclass(frozen=True)
class Group:
    """The students who gave one kind of answer to an exercise.

    `name` is a known mistake's name, or the shape of the message where no known mistake explains the answer;
    `feedback` is the mistake's own. `messages` are the different messages that these students got.
    """

    kind: Kind
    students: tuple[str, ...]
    name: str = ""
    feedback: str = ""
    messages: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The message that these students got: the mistake's feedback, or the first of their messages."""
        return self.feedback or next(iter(self.messages), "")


@dataclass(frozen=True)
class Discrimination:
    """How far an exercise tells strong from weak submissions: the correlation of its points with those of the rest.

    Between −1 and 1, with its 95 % interval. Without a value, `why` says what is missing.
    """

    value: float | None = None
    low: float = math.nan
    high: float = math.nan
    why: str = ""

    @property
    def reading(self) -> str:
        """What it means, in words."""
        if self.value is None:
            return self.why
        if self.low > 0:
            return "separates strong from weak"
        return "rewards weak submissions: check the exercise" if self.high < 0 else "no different from chance"


@dataclass(frozen=True)
class Item:
    """One exercise, analysed. Shares are of the submissions that could be run, from 0 to 1.

    `unmade` are the known mistakes that nobody made.
    """

    id: str
    title: str
    points: float
    mean: float
    full: float
    blank: float
    crashed: float
    discrimination: Discrimination
    groups: tuple[Group, ...]
    unmade: tuple[str, ...]

    def of(self, kind: Kind) -> tuple[Group, ...]:
        """Return the groups of one kind, the largest first."""
        return tuple(group for group in self.groups if group.kind == kind)

    def number(self, kind: Kind) -> int:
        """Count the students whose answer is of one kind."""
        return len({student for group in self.of(kind) for student in group.students})


@dataclass(frozen=True)
class Analysis:
    """One assignment, analysed. `totals` are the shares of the points, one for each submission.

    `failures` are student and reason; `flags` student, kind and evidence; `repairs` repair and students;
    `by_asserts` the exercises that asserts in the student's own process decided.
    """

    assignment: str
    submissions: int
    points: float
    items: tuple[Item, ...]
    totals: tuple[float, ...]
    failures: tuple[tuple[str, str], ...]
    flags: tuple[tuple[str, str, str], ...]
    repairs: tuple[tuple[str, tuple[str, ...]], ...]
    by_asserts: tuple[str, ...]

    @property
    def counted(self) -> int:
        """The number of submissions that could be run; all shares are of these."""
        return self.submissions - len(self.failures)


def analyse(assignment: str, records: Iterable[Record]) -> Analysis:
    """Analyse the records of one assignment. A submission that could not be run is listed, and not counted."""
    everyone = tuple(records)
    ran = tuple(record for record in everyone if record.status != FAILED)
    known = {exercise.id: exercise for exercise in ALL if exercise.assignment == assignment}
    names = dict.fromkeys([*known, *(name for record in ran for name in record.exercises)])
    items = tuple(_item(name, known.get(name), ran) for name in names)
    points = sum(item.points for item in items)
    return Analysis(
        assignment,
        len(everyone),
        points,
        items,
        tuple(record.score / points for record in ran) if points else (),
        tuple((record.student, record.reason) for record in everyone if record.status == FAILED),
        tuple((record.student, flag.kind, flag.evidence) for record in everyone for flag in record.flags),
        _repairs(everyone),
        tuple(sorted({name for r in ran for name, judged in r.exercises.items() if not judged.by_judge})),
    )


def _item(name: str, exercise: Exercise | None, records: Sequence[Record]) -> Item:
    judged = {record.student: record.exercises[name] for record in records if name in record.exercises}
    points = exercise.points if exercise else max((one.points for one in judged.values()), default=0.0)
    known = {mistake_name(known): feedback(known) for known in exercise.mistakes} if exercise else {}
    groups = _groups(judged, known)
    made = {group.name for group in groups if group.kind == "mistake"}
    return Item(
        name,
        exercise.title if exercise else name,
        points,
        _mean([one.score / one.points if one.points else 0.0 for one in judged.values()]),
        _mean([one.score >= one.points for one in judged.values()]),
        _mean([not one.attempted and one.ran for one in judged.values()]),
        _mean([not one.ran for one in judged.values()]),
        _discrimination(name, records),
        groups,
        tuple(mistake for mistake in known if mistake not in made),
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan


# ---- discrimination -------------------------------------------------------------------------------


def _discrimination(name: str, records: Sequence[Record]) -> Discrimination:
    with_it = [record for record in records if name in record.exercises]
    own = [record.exercises[name].score for record in with_it]
    rest = [round(record.score - score, 9) for record, score in zip(with_it, own, strict=True)]
    return discrimination(own, rest)


def discrimination(own: Sequence[float], rest: Sequence[float]) -> Discrimination:
    """Correlate the points of an exercise with the points of all others: the corrected item-total correlation.

    Henrysson (1963), Psychometrika 28, 211-218; for an exercise of right and wrong it is the point-biserial
    correlation. The interval is Fisher's: tanh(artanh r ± 1.96/√(n − 3)).

    >>> discrimination([0, 1] * 12, [3, 9] * 12).reading
    'separates strong from weak'
    """
    if len(own) < ENOUGH:
        return Discrimination(why=f"{len(own)} submissions are too few; it takes {ENOUGH}")
    if len(set(own)) == 1:
        return Discrimination(why="everyone has the same points here")
    if len(set(rest)) == 1:
        return Discrimination(why="everyone has the same points elsewhere")
    r = max(-_NEARLY_ONE, min(_NEARLY_ONE, correlation(own, rest)))
    middle, half = math.atanh(r), _Z95 / math.sqrt(len(own) - 3)
    return Discrimination(r, math.tanh(middle - half), math.tanh(middle + half))


# ---- kinds of answers -----------------------------------------------------------------------------


def _groups(judged: Mapping[str, Judged], known: Mapping[str, str]) -> tuple[Group, ...]:
    members: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    for student, one in judged.items():
        for kind in _kinds(one):
            members[kind].append(student)
    found = (
        Group(
            kind,
            tuple(students),
            name,
            known.get(name, ""),
            tuple(dict.fromkeys(judged[student].message for student in students)),
        )
        for (kind, name), students in members.items()
    )
    return tuple(sorted(found, key=lambda group: (-len(group.students), group.kind, group.name)))


def _kinds(judged: Judged) -> list[tuple[Kind, str]]:
    if not judged.ran:
        return [("crashed", "")]
    if not judged.attempted:
        return [("blank", "")]
    if judged.score >= judged.points:
        return [("right", "")]
    named: list[tuple[Kind, str]] = [("mistake", name) for name in judged.mistakes]
    return named or [("unexplained", shape(judged.message))]


def shape(message: str) -> str:
    """Return a message without its case and its numbers, which is the same for all answers with one mistake.

    >>> shape("With `peak_rps = 500`: your answer is `replicas = 38`. Too small.")
    'your answer is `replicas = …`. Too small.'
    >>> shape("your answer is `[4, 4, 3]`. Too large.")
    'your answer is `[…]`. Too large.'
    """
    return _RUN.sub("…", _NUMBER.sub("…", _CASE.sub("", message)))


def _repairs(records: Iterable[Record]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    made: dict[str, list[str]] = defaultdict(list)
    for record in records:
        for repair in dict.fromkeys(record.repairs):
            made[repair].append(record.student)
    return tuple(
        sorted(((what, tuple(who)) for what, who in made.items()), key=lambda one: (-len(one[1]), one[0]))
    )
