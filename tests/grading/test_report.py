"""The class report: its numbers, its groups, and a page that shows what students wrote and does nothing else."""

import csv
import io
import math
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import cli
from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.exercises import ALL
from mlsd_helpers.exercises.kit import answer_of, feedback, judge, mistake_name
from mlsd_helpers.grading import anonymity, records
from mlsd_helpers.grading.analysis import ENOUGH, Discrimination, analyse, discrimination, shape
from mlsd_helpers.grading.marks import Student
from mlsd_helpers.grading.records import FAILED, Flag, Judged, Record
from mlsd_helpers.grading.report import _totals, answers_csv, exercises_csv, html, report

ROOT = Path(__file__).parents[2]
NAME = "05_capacity"
EXERCISES = [exercise for exercise in ALL if exercise.assignment == NAME]
PLAN = next(exercise for exercise in EXERCISES if exercise.id == "05-plan")
SECRET = b"a secret of the tests"


def judged(exercise, answer):
    verdict = judge(exercise, answer)
    return Judged(
        verdict.score, verdict.points, verdict.mistakes, verdict.message, verdict.attempted, ran=verdict.ran
    )


def record(student, **answers):
    """Return the record of a student who answers with the reference but for these exercises, by id."""
    given = {e.id: answers.get(e.id.replace("-", "_"), e.reference) for e in EXERCISES}
    return Record(student, NAME, exercises={e.id: judged(e, given[e.id]) for e in EXERCISES})


def plain(student, **scores):
    return Record(student, NAME, exercises={name: Judged(score, 4) for name, score in scores.items()})


@pytest.fixture(scope="module")
def a_class():
    """Return a class in which each known mistake of the plan is made once, one answer is odd and one is blank."""
    made = [
        record(f"mistaken-{number}", **{"05_plan": answer_of(m)}) for number, m in enumerate(PLAN.mistakes)
    ]
    odd = {"replicas_per_zone": [1, 1, 1], "cost_per_1k": 7.0, "within_budget": True}
    return (record("right"), record("odd", **{"05_plan": odd}), record("blank", **{"05_plan": None}), *made)


def plan_of(analysis):
    return next(item for item in analysis.items if item.id == "05-plan")


# ---------------------------------------------------------------- numbers


def test_difficulty_is_the_share_of_points_of_full_and_of_blank():
    class_of_four = [plain("a", x=4), plain("b", x=2), plain("c", x=0)]
    class_of_four.append(Record("d", NAME, exercises={"x": Judged(0, 4, attempted=False)}))
    item = next(item for item in analyse(NAME, class_of_four).items if item.id == "x")
    assert (item.mean, item.full, item.blank) == (6 / 16, 1 / 4, 1 / 4)


def test_code_that_did_not_run_is_a_kind_of_its_own_and_not_blank():
    crashed = Judged(0, 4, message="There is no `x`.", attempted=False, ran=False)
    blank = Judged(0, 4, attempted=False)
    a_class = [Record("a", NAME, exercises={"x": crashed}), Record("b", NAME, exercises={"x": blank})]
    analysis = analyse(NAME, a_class)
    item = next(item for item in analysis.items if item.id == "x")
    assert (item.blank, item.crashed) == (1 / 2, 1 / 2)
    (row,) = (row for row in csv.DictReader(io.StringIO(exercises_csv(analysis))) if row["exercise"] == "x")
    assert (float(row["blank"]), float(row["did_not_run"])) == (1 / 2, 1 / 2)
    kinds = {row["students"]: row["kind"] for row in csv.DictReader(io.StringIO(answers_csv(analysis)))}
    assert kinds == {"a": "did not run", "b": "left blank"}
    assert "did not run: 1; left blank: 1" in html(analysis)


def test_what_could_not_be_run_is_listed_and_in_no_figure():
    failed = Record("z", NAME, status=FAILED, reason="ran longer than 60 s", exercises={"x": Judged(0, 4)})
    with_it, without = analyse(NAME, [plain("a", x=4), failed]), analyse(NAME, [plain("a", x=4)])
    assert repr(with_it.items) == repr(without.items)  # some values are NaN, which equals nothing
    assert with_it.totals == without.totals
    assert with_it.failures == (("z", "ran longer than 60 s"),)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=ENOUGH, max_size=60))
def test_discrimination_is_the_correlation_with_the_other_exercises(pairs):
    class_of_many = [plain(f"s{n}", x=x, y=y, z=1) for n, (x, y) in enumerate(pairs)]
    found = next(item for item in analyse(NAME, class_of_many).items if item.id == "x").discrimination
    x, y = np.array(pairs, dtype=float).T
    if x.std() == 0 or y.std() == 0:
        assert found.value is None
    else:
        assert found.value == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)
        assert -1 <= found.low <= found.value <= found.high <= 1


def test_the_interval_of_a_discrimination_holds_the_truth_about_19_times_in_20():
    rng, truth, hits, trials = np.random.default_rng(5), 0.4, 0, 400
    for _ in range(trials):
        x, noise = rng.standard_normal((2, 40))
        told = discrimination(list(x), list(truth * x + math.sqrt(1 - truth**2) * noise))
        hits += told.low <= truth <= told.high
    assert abs(hits / trials - 0.95) < 0.04


def test_the_interval_is_fishers():
    one, other = np.resize([1, -1], 28), np.resize([1, 1, -1, -1], 28)  # uncorrelated
    told = discrimination(list(one), list(0.5 * one + math.sqrt(0.75) * other))
    assert told.value == pytest.approx(0.5)
    assert (math.atanh(told.high) - math.atanh(told.low)) / 2 == pytest.approx(1.96 / 5, rel=1e-3)
    assert math.atanh(told.high) + math.atanh(told.low) == pytest.approx(2 * math.atanh(0.5))


def test_what_is_no_different_from_chance_is_told_apart_from_strong_and_from_wrong():
    kinds = {
        sign: {Discrimination(value, value - wide, value + wide).reading for value, wide in pairs}
        for sign, pairs in {
            "strong": [(0.5, 0.4), (0.2, 0.1)],
            "chance": [(0.3, 0.4), (-0.3, 0.4), (0.0, 0.1)],
            "wrong": [(-0.5, 0.4), (-0.2, 0.1)],
        }.items()
    }
    assert all(len(readings) == 1 for readings in kinds.values())
    assert len(set.union(*kinds.values())) == 3


def test_a_total_is_the_share_of_the_points_that_can_be_had():
    analysis = analyse("an assignment of our own", [plain("a", x=4, y=2), plain("b", x=1, y=0)])
    assert analysis.points == 8
    assert analysis.totals == (6 / 8, 1 / 8)


def test_everyone_stands_in_the_picture_of_totals_full_marks_too():
    bars = _totals(
        analyse("an assignment of our own", [plain("a", x=4), plain("b", x=0), plain("c", x=2)])
    ).bars
    assert [bar.number for bar in bars] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_exercises_that_were_decided_in_a_students_process_are_named():
    inside = Record("a", NAME, exercises={"x": Judged(1, 4, by_judge=False), "y": Judged(1, 4)})
    assert analyse(NAME, [inside, plain("b", x=1, y=1)]).by_asserts == ("x",)


def test_the_case_that_a_message_is_about_makes_no_group_of_its_own():
    assert shape("With `kind = 'batch'`: too large.") == shape("With `rate_rps = 7, zone = 'b'`: too large.")
    assert shape("With `kind = 'batch'`: too large.") != shape("With `kind = 'batch'`: too small.")


def test_a_repair_names_each_student_once():
    often = replace(plain("a", x=1), repairs=("a cell is back", "a cell is back", "a link, left out"))
    analysis = analyse(NAME, [often, replace(plain("b", x=1), repairs=("a cell is back",))])
    assert analysis.repairs == (("a cell is back", ("a", "b")), ("a link, left out", ("a",)))


def test_a_small_class_and_equal_points_give_a_reason_in_place_of_a_number():
    for own, rest in (([0, 1] * 5, [1, 2] * 5), ([3] * 40, [1, 2] * 20), ([1, 2] * 20, [3] * 40)):
        told = discrimination(own, rest)
        assert told.value is None
        assert told.reading
    assert "10" in discrimination([0, 1] * 5, [1, 2] * 5).reading


# ---------------------------------------------------------------- groups


def test_each_known_mistake_stands_with_its_feedback_and_its_students(a_class):
    item = plan_of(analyse(NAME, a_class))
    found = {group.name: (group.feedback, group.students) for group in item.of("mistake")}
    for number, mistake in enumerate(PLAN.mistakes):
        assert found[mistake_name(mistake)] == (feedback(mistake), (f"mistaken-{number}",))
    assert (item.number("right"), item.number("blank")) == (1, 1)
    assert [group.students for group in item.of("unexplained")] == [("odd",)]
    assert not item.unmade


def test_mistakes_come_by_number_of_students_and_those_of_nobody_are_named(a_class):
    more = [replace(a_class[4], student=f"again-{n}") for n in range(3)]
    item = plan_of(analyse(NAME, [a_class[0], a_class[3], a_class[4], *more]))
    assert [len(group.students) for group in item.of("mistake")] == [4, 1]
    assert set(item.unmade) == {mistake_name(m) for m in PLAN.mistakes[2:]}


def test_unexplained_answers_that_differ_in_numbers_are_one_group():
    def odd(factor):
        return lambda **case: {"busy": 1.234 * factor, "replicas": 3 * factor}

    class_of_odd = [record(f"s{n}", **{"05_units_rounding": odd(n + 1)}) for n in range(5)]
    items = {item.id: item for item in analyse(NAME, class_of_odd).items}
    groups = items["05-units-rounding"].of("unexplained")
    assert sum(len(group.students) for group in groups) == 5
    assert len(groups) == len({shape(message) for group in groups for message in group.messages}) < 5


def test_words_and_exceptions_stay_apart():
    assert shape("your answer is `p99 = 3.5e-3`.") == shape("your answer is `p99 = -12`.")
    assert shape("your answer is `choice = 'batch'`.") != shape("your answer is `choice = 'stream'`.")
    assert shape("it raised `KeyError: 'a'`.") != shape("it raised `ZeroDivisionError: a`.")


def test_an_exercise_or_mistake_that_the_course_no_longer_knows_is_still_shown():
    old = Record("a", NAME, exercises={"05-gone": Judged(1, 4, ("forgotten_mistake",), "You said `1`.")})
    page = html(analyse(NAME, [old]))
    assert "05-gone" in page
    assert "forgotten mistake" in page


# ---------------------------------------------------------------- the page

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% for x in y %}",
    "`<b>` *<i>x</i>* `",
    "</pre></style><style>",
    "\u202egnp.\u2066\x00\x1b[31m\ud800",
]
TAGS = {
    "html", "head", "meta", "title", "style", "body", "svg", "defs", "pattern", "rect", "line", "circle", "text",
    "desc", "header", "main", "section", "h1", "h2", "h3", "h4", "p", "dl", "div", "dt", "dd", "figure", "figcaption",
    "table", "thead", "tbody", "tr", "th", "td", "a", "code", "em", "ol", "ul", "li", "details", "summary", "bdi",
    "pre",
}  # fmt: skip


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words, self.ids = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def hostile_page():
    class_of_hostiles = [
        Record(
            text, NAME, status=FAILED if n == 5 else records.GRADED, reason=text,
            exercises={"05-plan": Judged(1, 4, (text,) if n % 2 else (), text), text: Judged(0, 1)},
            flags=(Flag(text, text),), repairs=(text,),
        )
        for n, text in enumerate(HOSTILE)
    ]  # fmt: skip
    return html(analyse(NAME, class_of_hostiles))


def test_what_students_wrote_is_text_and_nothing_else(hostile_page):
    read = Reader(hostile_page)
    assert set(read.tags) <= TAGS
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in "".join(read.words)
    assert "{{ 7 * 7 }}" in "".join(read.words)
    assert not set("\u202e\u2066\x00\x1b\ud800") & set(hostile_page)


def test_the_page_loads_nothing(hostile_page):
    assert "default-src 'none'" in hostile_page
    addresses = [
        value
        for name, value in Reader(hostile_page).attributes
        if name in {"src", "href", "srcset", "action"}
    ]
    assert all(value.startswith(("#e", "../course/0")) for value in addresses)
    assert not re.findall(r"url\((?!#)|@import|https?:", hostile_page)


def test_every_picture_has_words_of_its_own_and_every_id_is_one(a_class):
    page = html(analyse(NAME, a_class))
    read = Reader(page)
    assert len(read.ids) == len(set(read.ids))
    pictures = re.findall(r'<svg role="img" aria-labelledby="(\S+) (\S+)".*?</svg>', page, re.DOTALL)
    assert len(pictures) == len(EXERCISES) + 1
    assert {name for pair in pictures for name in pair} <= set(read.ids)
    described = re.findall(r"<desc[^>]*>([^<]+)</desc>", page)
    assert len(described) == len(pictures)
    assert any("left blank: 1" in words and "spread over all zones: 1" in words for words in described)


def test_no_two_kinds_of_bars_differ_by_colour_alone():
    css = (ROOT / "mlsd_helpers/grading/templates/report.css").read_text()
    fillings = dict(re.findall(r"rect\.(right|mistake|unexplained|crashed|blank) \{ fill: ([^;]+);", css))
    assert len({filling.replace("var(--right)", "solid") for filling in fillings.values()}) == 5


def test_the_tables_hold_what_the_page_does_and_no_formula(a_class):
    hostile = record("=cmd|' /C calc'!A0", **{"05_plan": "=1+1"})
    analysis = analyse(NAME, [*a_class, hostile])
    exercises = list(csv.DictReader(io.StringIO(exercises_csv(analysis))))
    assert [row["exercise"] for row in exercises] == [e.id for e in EXERCISES]
    assert float(exercises[-1]["blank"]) == pytest.approx(1 / len([*a_class, hostile]), abs=1e-6)
    answers = list(csv.DictReader(io.StringIO(answers_csv(analysis))))
    of_plan = [row for row in answers if row["exercise"] == "05-plan"]
    assert sum(int(row["number"]) for row in of_plan) == analysis.counted
    assert not any(cell.startswith("=") for row in answers for cell in row.values())


# ---------------------------------------------------------------- without names

STUDENTS = (
    Student("ada.lovelace", "Ada", "Lovelace", "countess@example.org", "441790"),
    Student("canvas-90210", "Zoë", "O'Hara"),
    Student("blä_bla7", "José María", "Nuñez-Ortega"),
    Student("17"),
)
SPELT = [
    "ada.lovelace",
    "ADA.LOVELACE",
    "/srv/ada/work",
    "AdaLovelaceError: no",
    "lovelace_ada_2.csv",
    "countess@example.org",
    "user 441790",
    "canvas-90210",
    "90210",
    "Zoe O'Hara",
    "Zoe\u0308 O'Hara",
    "blä_bla7",
    "jose maria",
    "NUÑEZ",
]
LEAKS = re.compile(
    r"ada|lovelace|countess|441790|90210|zo[eë]|hara|bl[aä]|jos[eé]|nu[nñ]ez|ortega|mar[ií]a", re.IGNORECASE
)


@pytest.mark.parametrize("text", SPELT)
def test_a_name_is_taken_out_however_it_is_spelt(text):
    clean = anonymity.cleaner(STUDENTS, SECRET)
    assert not LEAKS.search(clean(f"before {text} after"))
    assert clean(f"before {text} after").startswith("before ")


def test_other_words_and_numbers_stay():
    text = "`replicas = 17`: Adagio, 4417901 and annotations. Too large."
    assert anonymity.cleaner(STUDENTS, SECRET)(text) == text


def names_everywhere(name):
    return Record(
        name, NAME, reason=f"{name} ended", status=FAILED if name == STUDENTS[1].id else records.GRADED,
        submission_digest=name,
        exercises={"05-plan": Judged(1, 4, (), f"your answer is `{name}`.")},
        flags=(Flag("reads another student", f"open('submitted/{name}/x')"),), repairs=(f"by {name}",),
    )  # fmt: skip


def test_no_name_is_left_anywhere_in_the_anonymous_report(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    for student in STUDENTS[:3]:
        records.write(tmp_path, names_everywhere(student.id))
    named = report(tmp_path, NAME)
    assert LEAKS.search(named.page.read_text())
    written = report(tmp_path, NAME, anonymous=True)
    assert written.page != named.page
    for path in (written.page, *written.tables):
        text = path.read_text()
        for student in STUDENTS[:3]:
            assert student.id not in text
    # What the course itself says, such as "adaptive", may hold the letters of a name.
    shown = anonymity.anonymous(map(names_everywhere, (s.id for s in STUDENTS)), SECRET, STUDENTS)
    assert not LEAKS.search(repr(shown))


def test_pseudonyms_stay_the_same_and_tell_nothing_without_the_secret(tmp_path):
    secret = anonymity.secret_of(tmp_path)
    assert anonymity.secret_of(tmp_path) == secret
    assert (tmp_path / records.FOLDER / ".pseudonyms").stat().st_mode & 0o077 == 0
    names = [f"s{number:03}" for number in range(300)]
    hidden = [anonymity.pseudonym(secret, name) for name in names]
    assert len(set(hidden)) == 300
    assert hidden == [anonymity.pseudonym(secret, name) for name in names]
    assert not set(hidden) & {anonymity.pseudonym(b"another", name) for name in names}


def test_the_order_of_an_anonymous_class_is_not_that_of_its_names():
    names = [f"s{number:03}" for number in range(50)]
    in_order = [anonymity.pseudonym(SECRET, name) for name in names]
    shown = [one.student for one in anonymity.anonymous([Record(name, NAME) for name in names], SECRET)]
    assert shown == sorted(in_order) != in_order


# ---------------------------------------------------------------- files


def test_a_report_is_where_it_was_asked_for_and_leaves_nothing_else(tmp_path, a_class):
    for one in a_class:
        records.write(tmp_path, one)
    written = report(tmp_path, NAME, output=tmp_path / "there" / "mine.html")
    assert {path.name for path in (tmp_path / "there").iterdir()} == {
        "mine.html",
        "mine-exercises.csv",
        "mine-answers.csv",
        "mine-requests.csv",
    }
    before = written.page.read_bytes()
    assert report(tmp_path, NAME, output=written.page).page.read_bytes() == before


def test_the_command_names_the_files_that_it_wrote(tmp_path, a_class, capsys):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    (tmp_path / "course").mkdir()
    (tmp_path / "course/00_start_here.ipynb").touch()
    records.write(tmp_path, a_class[0])
    assert cli.main(["report", NAME, "--anonymous", "--course", str(tmp_path)]) == 0
    named = {Path(line) for line in capsys.readouterr().out.splitlines()}
    assert named == set((tmp_path / "reports").iterdir())
    assert all("anonymous" in path.name for path in named)


def test_nothing_graded_yet_is_a_plain_error(tmp_path):
    with pytest.raises(WorkspaceError, match="mlsd grade"):
        report(tmp_path, NAME)


def test_a_large_class_with_a_mistake_each_leaves_a_page_that_can_be_read(a_class):
    odd = a_class[1]
    many = []
    for number in range(300):
        message = f"it raised `Error{chr(65 + number % 26)}{chr(65 + number // 26)}: {'long ' * 1000}`."
        answers = {name: replace(one, score=0, message=message) for name, one in odd.exercises.items()}
        many.append(replace(odd, student=f"s{number}", exercises=answers))
    analysis = analyse(NAME, many)
    assert len(html(analysis)) < 500_000
    assert answers_csv(analysis).count("long long") > 300 * len(EXERCISES)
