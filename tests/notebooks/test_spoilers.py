"""No expected value stands before its question: not in the text, not in the code, not in a stored output.

What is read before a question is every cell up to the one that asks it, with its code and what it shows, the asking
cell included. Looked for is

- for a number to predict: the number, rounded as it may be, where it is telling: with three digits, or with the
  question's unit behind it, or alone in an output; in code with two digits. Numbers that the question itself states
  are not counted;
- for every question: what it says after the answer, word for word;
- for an exercise: the numbers that the reference gives for the cases shown and that these do not hold
  themselves, with three digits, and rows of at least three numbers. They are looked for in the whole lesson, in the
  assignment up to the check, and in the hints.
"""

import re
from collections.abc import Iterable, Mapping
from numbers import Real

import pytest

import mlsd_helpers
from mlsd_helpers import exercises, widgets, workspace
from mlsd_helpers.exercises.kit import run
from mlsd_helpers.exercises.questions import Estimate
from mlsd_helpers.exercises.requirements import interview
from mlsd_helpers.widgets.questions import truth_of
from tests.notebooks.reading import Part, constants, flat, numbers, parts, without_places
from tools.notebooks import ROOT, pairs

LESSONS = [pair.notebook for pair in pairs() if pair.is_lesson]
RELEASED = sorted((ROOT / "release").glob("*/*.ipynb"))
ASK = re.compile(r'mlsd\.ask\(\s*"([^"]+)"')

# Numbers that are equal by chance, and say another thing.
BY_CHANCE = {
    ("01-ask-busy", "1,000 ms"),  # how long a step of an earlier question stalls
    ("02-availability", "0.999"),  # what a service promises, where all parts together have 0.9993
    ("05-ask-zone", "80 %"),  # how busy servers are in a table of approximations
    ("05-faded-sizing", "17.3 s"),  # a p99 of the lab, where 17.27 replicas are expected
}


def questions(notebook):
    """Return each question that a notebook asks by its id, with the parts up to the cell that asks it."""
    read = parts(notebook)
    return [
        (exercises.find_question(asked), read[: place + 1])
        for place, part in enumerate(read)
        for asked in ASK.findall(part.code)
    ]


ASKED = [(question, read) for notebook in (*LESSONS, *RELEASED) for question, read in questions(notebook)]
each_question = pytest.mark.parametrize(
    ("question", "read"), ASKED, ids=[question.id for question, _ in ASKED]
)
each_exercise = pytest.mark.parametrize("exercise", exercises.ALL, ids=lambda exercise: exercise.id)


def given_away(value, unit, question, read):
    """Return each place where the number to predict stands before it is asked."""
    stated = numbers(question)
    found = [
        str(number)
        for part in read
        for number in constants(part.code)
        if number.digits >= 2 and number.agrees_with(value) and (number.digits >= 3 or number.value == value)
        if not any(map(number.means, stated))
    ]
    for part in read:
        for text in (without_places(part.prose), part.shown):
            found += [
                str(number)
                for number in numbers(text)
                if is_told(number, value, unit, text) and not any(map(number.means, stated))
            ]
    return found


def is_told(number, value, unit, text):
    """Tell whether a number that is written in a text is the value, and can hardly be anything else."""
    if not number.agrees_with(value) or (number.digits < 2 and number.value != value):
        return False
    with_unit = unit and re.search(
        rf"(?<![\d.,]){re.escape(number.numeral)}[ \n]?{re.escape(unit.split('/')[0])}", text
    )
    return number.digits >= 3 or bool(with_unit) or text.strip() == number.numeral


@pytest.mark.parametrize(
    ("question", "read"),
    [(question, read) for question, read in ASKED if isinstance(question, Estimate) and truth_of(question)],
    ids=lambda it: getattr(it, "id", ""),
)
def test_a_number_to_predict_does_not_stand_before_its_question(question, read):
    assert not spoiled(question, truth_of(question)(), read)


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (Part(0, 1, "It will be 38 replicas.", "", ""), True),
        (Part(0, 1, "Some 38 of them, in lesson 38 [38].", "", ""), False),
        (Part(0, 1, "", "", "38"), True),
        (Part(0, 1, "", "assert rule == 38", ""), True),
        (Part(0, 1, "", "", "500 requests/s, 40 ms"), False),
    ],
)
def test_a_planted_number_is_found(planted, found):
    question = "How many replicas for 500 requests/s of 40 ms?"
    assert bool(given_away(38, "replicas", question, [planted])) == found


def spoiled(question, value, read):
    found = given_away(value, question.unit, question.question, read)
    return [written for written in found if (question.id, written) not in BY_CHANCE]


def truths(lesson, folder, patch):
    """Run a lesson's code; return the number expected by each question that it gives the truth of itself."""
    known = {}

    def ask(asked, truth=None):
        if truth is not None:
            known[asked] = truth() if callable(truth) else truth
        return widgets.ask(asked, truth)

    workspace.make(ROOT, folder)
    patch.chdir(folder)
    patch.setattr(mlsd_helpers, "ask", ask)
    namespace = {}
    read = parts(lesson)
    last = max(place for place, part in enumerate(read) if "truth=" in part.code)
    for part in read[: last + 1]:
        exec(part.code, namespace)  # noqa: S102 - our own lesson
    return known


OF_ITS_OWN = [lesson for lesson in LESSONS if any("truth=" in part.code for part in parts(lesson))]


@pytest.mark.end_to_end
@pytest.mark.parametrize("lesson", OF_ITS_OWN, ids=lambda path: path.stem)
def test_a_number_that_the_lesson_computes_does_not_stand_before_its_question(lesson, tmp_path, monkeypatch):
    asked = {question.id: (question, read) for question, read in questions(lesson)}
    known = truths(lesson, tmp_path, monkeypatch)
    assert known
    for name, value in known.items():
        question, read = asked[name]
        assert not spoiled(question, value, read), name


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_what_a_prediction_says_after_the_answer_is_data_and_not_in_the_cell_that_asks(lesson):
    assert not [
        part.code for part in parts(lesson) if re.search(r"widgets\.(Prediction|Choice)\(", part.code)
    ]


def test_the_constraint_that_nobody_mentions_unasked_stands_nowhere_in_its_lesson():
    read = parts(ROOT / "course" / "01_requirements.ipynb")
    text = flat("\n".join(f"{part.prose} {part.code} {part.shown}" for part in read))
    said, _, _ = interview._QUESTIONS[interview._HIDDEN].answer.partition(".")
    assert said not in text


@each_question
def test_what_is_said_after_an_answer_does_not_stand_before_it(question, read):
    said = [question.because] if isinstance(question, Estimate) else question.options.values()
    text = flat("\n".join(f"{part.prose} {part.code} {part.shown}" for part in read))
    assert not [words for words in said if flat(words) in text]


def leaves(value):
    """Return each number in a value, and each row of three numbers or more as a tuple."""
    if isinstance(value, Mapping):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, Real):
        return [] if isinstance(value, bool) else [float(value)]
    if isinstance(value, str) or not isinstance(value, Iterable):
        return []
    row = list(value)
    whole = [tuple(row)] if len(row) >= 3 and all(isinstance(item, int) for item in row) else []
    return [*whole, *(leaf for inner in row for leaf in leaves(inner))]


def expected_values(exercise):
    """Return what the reference gives for the cases shown, without what these hold themselves."""
    found = set()
    for case in exercise.cases:
        found |= {*leaves(run(exercise.reference, case).value)} - {*leaves(case)}
    return found


def stands(value, text, known):
    """Return how an expected value is written in a text, if it is."""
    if isinstance(value, tuple):
        row = ", ".join(map(str, value))
        return [row] if len(set(value)) > 1 and row in text else []
    return [str(number) for number in known if number.digits >= 3 and number.agrees_with(value)]


@each_exercise
def test_an_expected_value_does_not_stand_before_its_exercise(exercise):
    assignment = parts(ROOT / "release" / exercise.assignment / f"{exercise.assignment}.ipynb")
    check = next(place for place, part in enumerate(assignment) if f'mlsd.check("{exercise.id}"' in part.code)
    read = [*parts(ROOT / "course" / f"{exercise.assignment}.ipynb"), *assignment[: check + 1]]
    text = "\n".join([*(f"{part.prose}\n{part.code}\n{part.shown}" for part in read), *exercise.hints])
    known = [
        number for part in read for number in (*numbers(f"{part.prose}\n{part.shown}"), *constants(part.code))
    ]
    known += [number for hint in exercise.hints for number in numbers(hint)]
    found = {written for value in expected_values(exercise) for written in stands(value, text, known)}
    assert not {written for written in found if (exercise.id, written) not in BY_CHANCE}
