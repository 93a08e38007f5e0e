"""What a class has learnt: the two forms, answered before and after the course, question by question."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path

from mlsd_helpers.errors import GradingError
from mlsd_helpers.exercises.forms import LETTERS, Letter, Question, form
from mlsd_helpers.grading.spreadsheets import csv_of

Answers = dict[str, tuple[int | None, ...]]
"""Of each student: the position of the option chosen in each question, None where none was."""


@dataclass(frozen=True)
class Gain:
    """One question: how many of those who answered it both times were right, and what they believed."""

    exercise: str
    both: int
    right_before: int
    right_after: int
    p_value: float
    mistakes: tuple[tuple[str, int, int], ...]
    """The name of each mistake, and how many made it before and after."""


def read(path: Path, letter: Letter) -> Answers:
    """Read the answers to a form from a CSV file: a student in each row, named in the first column.

    The last twelve columns hold the answers in order: the number of an option, its letter, or its text. Raises
    ``GradingError`` for a file without such rows.
    """
    questions = form(letter)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(map(str.strip, row))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise GradingError(
            f"{path} is no CSV file in UTF-8: {error}. Export the answers once more."
        ) from None
    short = next((at for at, row in enumerate(rows, 1) if len(row) <= len(questions)), None)
    if len(rows) < 2 or short:
        where = f"row {short}" if short else "the file"
        raise GradingError(
            f"{path}: {where} has too little. Expected a row of titles, and for each student a row with a name and "
            f"{len(questions)} answers."
        )
    students = Counter(row[0].strip() for row in rows[1:])
    if twice := [one for one, number in students.items() if number > 1]:
        raise GradingError(
            f"{path}: {', '.join(twice[:3])} stands in several rows. Keep one row for each student."
        )
    return {row[0].strip(): tuple(map(_chosen, questions, row[-len(questions) :])) for row in rows[1:]}


def _chosen(question: Question, cell: str) -> int | None:
    words = cell.strip().casefold()
    values = [option.value.casefold() for option in question.options]
    if words in values:
        return values.index(words)
    places = [str(at) for at in range(1, len(values) + 1)], list("abcdef"[: len(values)])
    return next((names.index(words.rstrip(").")) for names in places if words.rstrip(").") in names), None)


def compare(before: Answers, after: Answers) -> tuple[Gain, ...]:
    """Compare the answers to form A before and to form B after, of those who gave both, question by question.

    The p-value is that of McNemar's exact test, two-sided, on those who were right in one form alone: McNemar, *Note
    on the sampling error of the difference between correlated proportions*, 1947. Raises ``GradingError`` where no
    student has answered both.
    """
    students = sorted(before.keys() & after.keys())
    if not students:
        raise GradingError("No student is in both files. Name each one the same in the first column of both.")
    return tuple(
        _gain(first, second, [(before[one][at], after[one][at]) for one in students])
        for at, (first, second) in enumerate(zip(*map(form, LETTERS), strict=True))
    )


def _gain(first: Question, second: Question, pairs: Sequence[tuple[int | None, int | None]]) -> Gain:
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    learnt = sum(a != first.right and b == second.right for a, b in both)
    lost = sum(a == first.right and b != second.right for a, b in both)
    named = [option.mistake for option in first.options if option.mistake]
    return Gain(
        first.exercise,
        len(both),
        sum(a == first.right for a, _ in both),
        sum(b == second.right for _, b in both),
        mcnemar(learnt, lost),
        tuple(
            (
                name,
                sum(first.options[a].mistake == name for a, _ in both),
                sum(second.options[b].mistake == name for _, b in both),
            )
            for name in named
        ),
    )


def mcnemar(one: int, other: int) -> float:
    """Return the two-sided p-value that `one` and `other` of all who changed went each way by chance.

    >>> mcnemar(8, 1)
    0.0390625
    """
    changed = one + other
    tail = sum(comb(changed, at) for at in range(min(one, other) + 1)) / 2.0**changed
    return min(1.0, 2 * tail)


def table(gains: Sequence[Gain]) -> str:
    """Return the comparison as a table in plain text, with a sentence on how to read it."""
    return "\n".join(_lines(gains))


def _lines(gains: Sequence[Gain]) -> Iterator[str]:
    yield f"{'question':<20} {'both':>5} {'right before':>13} {'right after':>12} {'p':>7}"
    for gain in gains:
        yield (
            f"{gain.exercise:<20} {gain.both:>5} {_share(gain.right_before, gain.both):>13} "
            f"{_share(gain.right_after, gain.both):>12} {gain.p_value:>7.3f}"
        )
        for name, first, last in gain.mistakes:
            if first or last:
                yield f"  {name:<34} {first:>5} {'→':^3} {last:>5}"
    yield "p: how likely a change as large as this is by chance, for one question (McNemar). With twelve questions,"
    yield "nearly half of the classes that learnt nothing have one p below 0.05."


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "none"


def as_csv(questions: Sequence[Question]) -> str:
    """Return a form as a table: a row for each question with its options, and which one is right."""
    most = max(len(one.options) for one in questions)
    heads = ["question", "text", *(f"option {at}" for at in range(1, most + 1)), "right"]
    rows = (
        [
            at,
            one.text,
            *(option.value for option in one.options),
            *[None] * (most - len(one.options)),
            one.right + 1,
        ]
        for at, one in enumerate(questions, 1)
    )
    return csv_of(heads, rows)


def as_text(questions: Sequence[Question]) -> str:
    """Return a form as a page to hand out, without the answers."""
    blocks = (
        "\n".join(
            [
                f"{at}. {one.text}",
                *(f"   {place}) {option.value}" for place, option in enumerate(one.options, 1)),
            ]
        )
        for at, one in enumerate(questions, 1)
    )
    return "\n\n".join(blocks) + "\n"


def as_gift(questions: Sequence[Question]) -> str:
    """Return a form in Moodle's GIFT format; each wrong option tells what is behind it.

    The format: https://docs.moodle.org/en/GIFT_format.
    """
    return "\n\n".join(_gift(at, one) for at, one in enumerate(questions, 1)) + "\n"


def _gift(at: int, question: Question) -> str:
    options = (
        f"  {'~' if option.mistake else '='}{_escaped(option.value)}"
        + (f" #{_escaped(option.feedback)}" if option.mistake else "")
        for option in question.options
    )
    return f"::Q{at}::{_escaped(question.text)} {{\n" + "\n".join(options) + "\n}"


def _escaped(text: str) -> str:
    return "".join(f"\\{one}" if one in "~=#{}:\\" else one for one in text)
