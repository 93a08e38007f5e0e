"""docs/misconceptions.md against the exercises: each number leads to a belief, and each belief is met."""

import ast
import re

from mlsd_helpers import exercises
from mlsd_helpers.exercises.kit import mistake_name
from tests.support.repository import ROOT, files

ROW = re.compile(r"^\| (C\d+) \| .+\. \| .+\. \| (.+) \|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "misconceptions.md").read_text(encoding="utf-8")
ROWS = {number: set(met.split(", ")) for number, met in ROW.findall(PAGE)}
EXERCISES = {exercise.id: {mistake_name(one) for one in exercise.mistakes} for exercise in exercises.ALL}


def met_in(path):
    """Give the number of each comment of an exercise's module, with the exercise and the mistake that it stands in."""
    text = path.read_text(encoding="utf-8")
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    for at, line in enumerate(text.splitlines(), start=1):
        for number in re.findall(r"# (C\d+)$", line):
            (exercise,) = re.findall(r'^    id="(.+)",$', text, re.MULTILINE)
            (mistake,) = [one.name for one in functions if one.lineno <= at <= one.end_lineno]
            assert mistake in EXERCISES[exercise]
            yield number, f"`{exercise}` {mistake.replace('_', ' ')}"


def test_a_belief_is_met_where_the_page_says_and_nowhere_else():
    met = {}
    for path in files("mlsd_helpers/exercises/*/*.py"):
        for number, where in met_in(path):
            met.setdefault(number, set()).add(where)
    assert met == ROWS


def test_each_belief_has_a_number_of_its_own_and_they_stand_in_order():
    numbers = [int(number[1:]) for number, _ in ROW.findall(PAGE)]
    assert numbers == sorted(set(numbers))


def test_every_number_in_the_tests_is_that_of_a_belief():
    cited = {
        number
        for path in files("tests/**/*.py")
        for number in re.findall(r"[\"(](C\d+)\b[^\"\n]*\"\)", path.read_text(encoding="utf-8"))
    }
    assert cited
    assert cited <= {*ROWS}
