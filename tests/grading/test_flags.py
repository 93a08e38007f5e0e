"""Flags: every attack is pointed at with its line, and nothing that honest students write is.

`flags/` holds the code, each piece under a line with its name.
"""

import gc
import json
import re
import time
from pathlib import Path

import pytest

from mlsd_helpers.grading import flags
from mlsd_helpers.grading.classroom import Summary
from mlsd_helpers.grading.flags import KINDS, inspect
from mlsd_helpers.grading.grade import Result
from mlsd_helpers.grading.records import MOST_FLAGS, Flag, Record
from tests.grading.hostile import code
from tests.grading.hostile.desk import ASSIGNMENT

ROOT = Path(__file__).parents[2]


def pieces(name):
    text = (Path(__file__).parent / "flags" / f"{name}.txt").read_text(encoding="utf-8")
    _, *parts = re.split(r"^=== (.*)\n", text, flags=re.MULTILINE)
    return {title: source.removesuffix("\n") for title, source in zip(parts[::2], parts[1::2], strict=True)}


HONEST, HONEST_TEXTS, HOSTILE, HOSTILE_TEXTS = map(
    pieces, ("honest", "honest_texts", "hostile", "hostile_texts")
)
LARGE = {
    "dots": "x." * 9_000 + "x",
    "blanks": "a" + " " * 15_000 + "b",
    "tags": f"HTML('{'<' * 19_000}')",
    "a long cell": "\n".join(f"x{n} = {n * 7919 % 1013}" for n in range(5_000)),
}
LARGE_TEXTS = {
    "tags": "<" * 190_000,
    "formulas": "\\begin{a}" * 20_000,
    "blanks": "a" + " " * 60_000 + "b",
}


def named(cases):
    return pytest.mark.parametrize("source", cases.values(), ids=cases.keys())


@named(HONEST)
def test_honest_code_has_no_flag(source):
    assert list(inspect([source])) == []


@named(HONEST_TEXTS)
def test_honest_notes_have_no_flag(source):
    assert list(inspect([], texts=[source])) == []


def test_honest_code_has_no_flag_all_together_either():
    assert list(inspect(HONEST.values(), texts=HONEST_TEXTS.values())) == []
    table = "ROWS = [" + "\n".join(f"    ({n}, 'node-{n * 7919 % 997}')," for n in range(500)) + "]"
    assert list(inspect([table])) == []


@pytest.mark.parametrize("step", ["course", "source/*", "release/*"])
def test_what_we_write_ourselves_has_no_flag(step):
    notebooks = list(ROOT.glob(f"{step}/*.ipynb"))
    assert len(notebooks) >= 6
    for path in notebooks:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources, texts = (
            ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]
            for kind in ("code", "markdown")
        )
        assert list(inspect(sources, texts=texts)) == [], path


@named(HOSTILE | LARGE)
def test_hostile_code_is_flagged_with_a_line_of_it(source):
    found = list(inspect([source]))
    assert found
    assert all(flag.kind in KINDS and 0 < len(flag.evidence) <= 120 for flag in found)


@named(HOSTILE_TEXTS | LARGE_TEXTS)
def test_a_hostile_text_is_flagged(source):
    assert list(inspect([], texts=[source]))


@pytest.mark.parametrize(
    "one", [one for one in code.ALL if one.flagged is not None], ids=lambda one: one.name
)
def test_the_catalogue_of_attacks_is_flagged_before_it_runs(one, tmp_path):
    class Desk:
        def known(self):
            return "COURSE, SECRET, PORT = '/tmp/course', '/tmp/secret', 1\n"

        def sheet(self, answers):
            self.answers = answers

        def submit(self, _):
            pass

    desk = Desk()
    one.make(desk)
    assert bool(list(inspect(desk.answers.values()))) == one.flagged


def test_the_evidence_is_where_it_is_however_far_to_the_right():
    source = "import os\nx = 1;" + " " * 500 + "y = 2; os.fork()  # " + "z" * 500
    assert "os.fork()" in next(iter(inspect([source]))).evidence


def test_what_was_released_is_no_sign_and_the_same_in_other_words_is():
    released = 'twelve = mlsd.exercises.find("03-gaps").reference'
    assert list(inspect([released, "print(twelve)"], shown=[f"import os\n  {released}\n"])) == []
    assert list(inspect([f"{released}()"], shown=[released]))


def test_names_of_one_cell_hold_in_the_next_and_in_the_one_before():
    assert list(inspect(["def go():\n    spawn()", "from os import fork as spawn"]))
    assert list(inspect(["a = 'exer'", "b = 'cises'", "getattr(mlsd, a + b)"]))


def test_no_more_flags_than_a_person_reads_and_of_each_kind_the_first():
    found = list(inspect([*HOSTILE.values(), *LARGE.values()], texts=HOSTILE_TEXTS.values()))
    assert len(found) <= MOST_FLAGS
    assert len({flag.kind for flag in found}) >= 12
    assert len(list(inspect([f"os.kill(-1, {n})" for n in range(50)]))) == 2


def test_a_cell_that_is_too_long_to_be_looked_at_says_so_and_its_beginning_is_looked_at():
    found = {flag.kind for flag in inspect(["import os\nos.fork()\n" + LARGE["a long cell"]])}
    assert {flags.TOO_LONG, flags.PROCESSES} <= found


REPEATED = [
    "x.", "f()", "'a'+", "!kill ", "x='/proc/1", "source/", "<a ", "x='<a onaaa", "= ", "&#1", "a=b\n", "getattr(",
    "f(x);", "x[", "[0]", "f'{x}';", "%time x\n", "[::-1]", ".encode()", ".replace('a', 'aa')", "os.write(3, x);", "\0",
    "a=a+a\n", "\u202e", "not ",
]  # fmt: skip
NESTED = ["a.b({}).c()", "getattr({0}, {0})", "''.join([{}])"]


def test_no_code_takes_much_longer_to_look_at_than_honest_code_of_its_length():
    length = 10_000
    usual = min(spent(HONEST.values()) for _ in range(3)) * length / sum(map(len, HONEST.values()))
    sources = [one * (length // len(one)) + "x" for one in REPEATED] + [nested(one, length) for one in NESTED]
    for source in sources:
        assert spent([source]) < 15 * usual + 0.1, source[:40]
        assert spent([], texts=[source]) < 15 * usual + 0.1, source[:40]


def nested(form, length):
    source = "x"
    while len(source) < 300:
        source = form.format(source)
    return f"{source};" * (length // len(source))


def spent(*args, **more):
    """Measure processor time in seconds, without the collector: it walks what all other tests left in memory."""
    gc.disable()
    began = time.process_time()
    list(inspect(*args, **more))
    took = time.process_time() - began
    gc.enable()
    return took


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_says_once_what_to_do_about_each_kind_there_is(kind):
    record = Record("ada", ASSIGNMENT, flags=(Flag(kind, "x"), Flag(kind, "y")))
    lines = list(Summary((Result("ada", record),), 1.0).lines())
    assert [KINDS[kind] in line for line in lines].count(True) == 1
