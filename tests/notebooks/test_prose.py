"""Each number in a lesson's text comes from the code, or stands in a short list with its reason.

A number in digits has to stand, with the same value, in the code or the stored output of its own section, or in the
cells before the first. `40 ms` and `0.04`, `3 %` and `0.03` are the same. A section without code may take its
numbers from the whole lesson. Outputs are held by running the lessons, so that a formula which changes is seen here.
What refers to a place (a heading, a source, a lesson) is no number. In words, "twelve" and "one in twenty" are
numbers; counts up to ten, a hundred and a thousand are none.
"""

import re

import pytest

from mlsd_helpers import exercises
from mlsd_helpers.exercises.questions import Estimate
from tests.notebooks.held import IN_PROSE, IN_REASONS
from tests.notebooks.reading import (
    CITED,
    Part,
    clock_times,
    constants,
    flat,
    in_digits,
    numbers,
    parts,
    without_places,
)
from tools.notebooks import pairs

LESSONS = [pair.notebook for pair in pairs() if pair.is_lesson]
# Published figures, word for word as the lesson has them: compared with the source by hand, which is cited beside them.
PUBLISHED = {
    "01_requirements": ("decides on a card payment in less than 100 ms",),
    "02_planes": (
        "About 45 minutes and more than 4 million executions",
        "over 460 million dollars",
        "97 e-mails of its own systems",
    ),
    "03_dataflow": (
        "reads 23 features for each candidate",
        "35 % of conversions had arrived after an hour and half after a day, of those that arrive within 30 days",
        "0.66 % more job applications",
    ),
    "04_patterns": (
        "200,000 times a second, with a p99.9 below 25 ms",
        "about 900,000 times a second",
        "0.66 % more job applications and 20 % fewer dismissals",
        "In 31 of the 51 clusters",
    ),
    "05_capacity": (
        "about 1 % in one example",
        "the variance of the counts per second is 1.3 times their mean",
        "in bursts, with 13 times",
        "Llama 3 8B has 8.03 billion parameters",
        "only 20 to 38 % of their KV memory",
        (
            "1,979 TFLOP/s at 16 bits is the figure for sparse matrices, in which half of the entries are zero; "
            "for **dense** weights it is 989"
        ),
    ),
}
# Examples that are given and not worked out.
GIVEN = {
    "01_requirements": (
        "five questions of twelve",
        "Two of the twelve answers",
        'When somebody says "fifteen minutes"',
        "recall >= 60 %, with precision >= 50 %, in a month",
        "a share of the reads instead, such as 99 %",
        "keeps its limit in 99 % of requests",
        "Day 1 is Monday, 27 October",
        'to "26 h", a day and the time of the job',
    ),
    "03_dataflow": (
        "A payment one second after 10:00 has just missed a run",
        "23 × 2 = 46 ms of the latency budget are gone",
        "A window that ends at 10:00 and is published at 10:12 is not there at 10:05",
    ),
    "04_patterns": (
        "above about 1,000 requests a second",
        "Raise the number of inputs, slowly, to 100 million",
        "Set up 2,000 requests/s, 10,000 keys, one day",
    ),
    "05_capacity": ("Move the rate from 10 to 10,000 requests a second",),
}


def without(phrases, prose):
    for phrase in phrases:
        prose = prose.replace(phrase, " ")
    return prose


def scope(part, found):
    """Return the parts that may give a number of this one."""
    sections = {0, part.section, *map(int, re.findall(r"\bsection (\d+)", part.prose))}
    has_code = any(other.code for other in found if other.section == part.section)
    return [other for other in found if not has_code or other.section in sections]


def homeless(found, phrases=()):
    """Return (section, number) for each number of the prose that nothing gives."""
    lost = []
    for part in found:
        if part.prose.startswith("## Sources"):
            continue
        prose = in_digits(without(phrases, without_places(part.prose)))
        near = scope(part, found)
        given = [
            number for other in near for number in constants(other.code) + numbers(in_digits(other.shown))
        ]
        times = clock_times("\n".join(other.shown for other in near))
        wanted = [str(n) for n in numbers(prose) if not any(n.means(other) for other in given)]
        lost += [(part.section, written) for written in (*wanted, *sorted(clock_times(prose) - times))]
    return lost


def phrases_of(lesson):
    return (*PUBLISHED.get(lesson.stem, ()), *GIVEN.get(lesson.stem, ()))


def held_in(lesson):
    return sorted((*phrases_of(lesson), *IN_PROSE.get(lesson.stem, ())), key=len, reverse=True)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_each_number_in_the_text_is_given_by_the_code(lesson):
    lost = homeless(parts(lesson), held_in(lesson))
    assert not lost, f"section and number, given by no code there: {lost}"


@pytest.mark.parametrize(
    ("prose", "kept"),
    [
        ("It takes 40 ms, or 0.04 s.", True),
        ("It takes 41 ms.", False),
        ("It takes 40 minutes.", False),
        ("A load of 1,000, 99.9 % of it at 11:20.", True),
        ("A load of 1,001.", False),
        ("Out of 99.8 %.", False),
        ("Twenty of them.", False),
        ("It takes thirty-two, a hundred, ten of them.", False),
        ("It takes one in fifty, a hundred, ten of them.", True),
        ("At 11:21.", False),
        ("As in lesson 03 and section 9, on 18 November 2025 [7].", True),
    ],
)
def test_a_number_that_drifts_is_noticed(prose, kept):
    code = Part(0, 1, "", "time_s, load, share = 0.040, 1_000, 0.02  # 41, 20", "99.9% at 11:20")
    assert (not homeless([code, Part(1, 1, prose, "", "")])) == kept


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_what_was_published_stands_as_it_was_compared_and_is_cited(lesson):
    text = [flat(paragraph) for part in parts(lesson) for paragraph in part.prose.split("\n\n")]
    for phrase in phrases_of(lesson):
        assert any(phrase in paragraph for paragraph in text), phrase
    for phrase in PUBLISHED.get(lesson.stem, ()):
        assert any(phrase in paragraph and CITED.search(paragraph) for paragraph in text), phrase


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_what_no_cell_gives_is_held_by_a_comparison(lesson):
    text = [flat(paragraph) for part in parts(lesson) for paragraph in part.prose.split("\n\n")]
    for phrase, holds in IN_PROSE.get(lesson.stem, {}).items():
        assert any(phrase in paragraph for paragraph in text), phrase
        assert holds(), phrase


WITH_REASON = [
    question
    for question in exercises.QUESTIONS
    if isinstance(question, Estimate) and question.id[:2] in {name[:2] for name in (*IN_REASONS, "00")}
]


@pytest.mark.parametrize("question", WITH_REASON, ids=lambda question: question.id)
def test_each_number_in_a_reason_is_held_by_a_comparison_or_stands_in_the_question(question):
    held = IN_REASONS.get(question.id, {})
    for phrase, holds in held.items():
        assert phrase in question.because, phrase
        assert holds(), phrase
    asked = Part(0, 0, "", "", question.question)
    assert not homeless([asked, Part(1, 0, question.because, "", "")], sorted(held, key=len, reverse=True))
