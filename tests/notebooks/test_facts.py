"""What texts say of exercises, minutes, points and prices is what the exercises and the worked design say."""

import importlib
import re
from itertools import groupby

import nbformat
import pytest

from mlsd_helpers import cases, exercises
from mlsd_helpers.exercises.questions import Estimate
from tests.notebooks.sittings import estimate_min
from tools.notebooks import ROOT, pairs

NUMBERS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
)
IN_WORDS = dict(enumerate(NUMBERS, start=1))
COUNTED = re.compile(rf"\b({'|'.join(IN_WORDS.values())}) (?:short )?exercises\b", re.IGNORECASE)
INTRO = re.compile(r"^(\w+) (?:short )?exercises?, about ([\w ]+), ([\d.]+) points?\.", re.MULTILINE)
TASK = re.compile(r"^\*About (\d+) minutes, ([\d.]+) points?\b", re.MULTILINE)
LASTS = {
    "half an hour": 30,
    "an hour": 60,
    "an hour and a half": 90,
    "two hours": 120,
    "two and a half hours": 150,
}
NEAR_ENOUGH = 0.15

OF_EACH = {name: tuple(group) for name, group in groupby(exercises.ALL, key=lambda one: one.assignment)}
each_assignment = pytest.mark.parametrize("name", OF_EACH)


def prose(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def assignment(name):
    return ROOT / "source" / name / f"{name}.ipynb"


def minutes(said):
    """Return how long a text says that something takes."""
    return LASTS.get(said) or int(re.fullmatch(r"(\d+) minutes", said)[1])


@each_assignment
def test_an_assignment_begins_with_the_number_of_its_exercises_their_time_and_their_points(name):
    (said,) = INTRO.findall(prose(assignment(name)))
    assert said[0].lower() == IN_WORDS[len(OF_EACH[name])]
    assert minutes(said[1]) == pytest.approx(sum(one.minutes for one in OF_EACH[name]), rel=NEAR_ENOUGH)
    assert float(said[2]) == sum(one.points for one in OF_EACH[name])


@each_assignment
def test_each_task_says_the_minutes_and_the_points_of_its_exercise(name):
    said = [(int(minutes), float(points)) for minutes, points in TASK.findall(prose(assignment(name)))]
    assert said == [(one.minutes, one.points) for one in OF_EACH[name]]


HEADED = re.compile(
    r"^## (\w+) sitting, about (\d+) minutes: exercises? (\d+)(?: (?:to|and) (\d+))?, ", re.MULTILINE
)
LONGEST_OF_EXERCISES_MIN = 45
ORDINALS = ("First", "Second", "Third", "Fourth")


@each_assignment
def test_an_assignment_is_divided_into_sittings_that_last_as_long_as_their_exercises(name):
    _, *sittings = re.split(r"^(?=## \w+ sitting,)", prose(assignment(name)), flags=re.MULTILINE)
    if sum(one.minutes for one in OF_EACH[name]) <= LONGEST_OF_EXERCISES_MIN and not sittings:
        return  # one sitting
    first = 1
    for ordinal, sitting in zip(ORDINALS, sittings, strict=False):
        ((said, minutes, start, end),) = HEADED.findall(sitting)
        lasts = [int(each) for each, _ in TASK.findall(sitting)]
        assert (said, int(start), int(end or start)) == (ordinal, first, first + len(lasts) - 1)
        assert int(minutes) == sum(lasts) <= LONGEST_OF_EXERCISES_MIN
        first += len(lasts)
    assert first == len(OF_EACH[name]) + 1


@each_assignment
def test_where_a_lesson_and_its_package_count_the_exercises_they_count_rightly(name):
    texts = [prose(ROOT / "course" / f"{name}.ipynb"), prose(assignment(name)), package_of(name).__doc__]
    said = {number.lower() for text in texts for number in COUNTED.findall(text)}
    assert said <= {IN_WORDS[len(OF_EACH[name])]}


def package_of(name):
    """Return the package of a lesson's exercises."""
    return importlib.import_module(OF_EACH[name][0].reference.__module__.rpartition(".")[0])


def test_the_number_of_worked_designs_is_the_one_that_the_changes_name():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"(\w+) worked designs", changes)
    assert said.lower() == IN_WORDS[len(cases.names())]


PRICE = re.compile(r"\$(\d+\.\d+) an hour")


def test_a_question_names_the_price_of_the_worked_design():
    price = cases.load("harbour_pay").capacity.cost_per_replica_hour
    asked = [one.question for one in exercises.QUESTIONS if isinstance(one, Estimate)]
    said = [float(number) for question in asked for number in PRICE.findall(question)]
    assert said
    assert set(said) == {price}


@pytest.mark.parametrize("path", sorted((ROOT / "course/text").glob("*.py")), ids=lambda path: path.stem)
def test_a_lesson_takes_prices_from_the_worked_design(path):
    text = path.read_text(encoding="utf-8")
    typed_in = [*re.findall(r"(?:price|cost)\w*\s*=\s*[\d.]+", text), *PRICE.findall(text)]
    assert not typed_in, "take it from `case`"


SITTING = re.compile(r"\bAbout (\d+) minutes,\s+exercises apart\b")
FURTHER = re.compile(r"^## (?:For another day: f|F)urther\s+About (\d+) minutes\b", re.MULTILINE)
LONGEST_MIN = 65
FIFTH = 0.2
ERROR_OF_ESTIMATE_MIN = 8
LESSONS = [pair.notebook for pair in pairs() if pair.is_lesson]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_says_how_long_it_takes_and_fits_a_sitting(lesson):
    (said,) = map(int, SITTING.findall(prose(lesson)))
    sitting_min, further_min = estimate_min(lesson)
    assert said == pytest.approx(sitting_min, rel=FIFTH, abs=ERROR_OF_ESTIMATE_MIN)
    assert sitting_min <= LONGEST_MIN
    told = [int(said) for said in FURTHER.findall(prose(lesson))]
    assert len(told) == bool(further_min)
    # Readers needed up to 1.6 times the estimate: what stands there is denser than the lesson.
    assert all((1 - FIFTH) * further_min <= said <= 1.6 * further_min for said in told)


@pytest.mark.parametrize("path", [pair.twin for pair in pairs()], ids=lambda path: path.stem)
def test_sections_are_numbered_in_a_row_and_none_stands_twice(path):
    titles = re.findall(r"^## (?:(\d+) )?(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    numbers = [int(number) for number, _ in titles if number]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({title for _, title in titles}) == len(titles)
