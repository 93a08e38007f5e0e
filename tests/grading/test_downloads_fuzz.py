"""Downloads of an LMS in which one student chose every name, byte and date: all others are as they were."""

import io
import os
import shutil
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlsd_helpers.grading import downloads, marks

NAME = "05_capacity"
NOTEBOOK = f"{NAME}.ipynb"
AT = datetime(2026, 3, 4, 10, tzinfo=UTC)
PEOPLE = {
    "ada": marks.Student("ada", "Ada", "Lovelace", lms_user_id="4417"),
    "alan": marks.Student("alan", "Alan", "Turing", lms_user_id="4418"),
    "mal": marks.Student("mal", "Mal", "Lory", lms_user_id="4666"),
}
CANVAS = {"ada": "lovelaceada_4417_90001_", "alan": "turingalan_LATE_4418_90002_"}
MOODLE = {"ada": "Ada Lovelace_12_assignsubmission_file_/", "alan": "Alan Turing_13_assignsubmission_file_/"}
FLAT = {student: prefix.removesuffix("/") for student, prefix in MOODLE.items()}
MINE = {
    id(CANVAS): "lorymal_4666_90003_",
    id(MOODLE): "Mal Lory_55_assignsubmission_file_/",
    id(FLAT): "Mal Lory_55_assignsubmission_file_",
}
quick = settings(
    max_examples=80,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@dataclass
class Download:
    """A class's downloads, and what becomes of them."""

    course: Path
    folder: Path
    patch: pytest.MonkeyPatch

    def collect(self, files, *, listed=(), loose=False):
        """Return what each student hands in: whose file is taken, and when it counts as handed in."""
        people = tuple(PEOPLE[name] for name in listed)
        for path in self.folder.iterdir():
            path.unlink()
        if loose:
            for name, content in files:
                (self.folder / name).write_bytes(content)
                os.utime(self.folder / name, (AT.timestamp(),) * 2)
        else:
            with zipfile.ZipFile(self.folder / "class.zip", "w") as archive:
                for name, content in files:
                    archive.writestr(zipfile.ZipInfo(name, AT.timetuple()[:6]), content)
        taken = []
        with self.patch.context() as patch:
            patch.setattr(marks, "students", lambda _: people)
            settle = downloads._Sorter._keep_or_take

            def watched(self, chosen, *, dry_run):
                taken.extend((one.owner.student, one.found, one.submitted_at) for one, _ in chosen)
                return settle(self, chosen, dry_run=dry_run)

            patch.setattr(downloads._Sorter, "_keep_or_take", watched)
            self.done = downloads.collect(self.course, NAME, self.folder, dry_run=True)
        return {
            student: (found.name.removeprefix("class.zip/"), found.at, at) for student, found, at in taken
        }


@pytest.fixture(scope="module")
def download(tmp_path_factory):
    course = tmp_path_factory.mktemp("course")
    (course / "release" / NAME).mkdir(parents=True)
    (course / "release" / NAME / NOTEBOOK).write_text("{}")
    shutil.copy(Path(__file__).parents[2] / "nbgrader_config.py", course)
    with pytest.MonkeyPatch.context() as patch:
        yield Download(course, tmp_path_factory.mktemp("download"), patch)


def zipped(*named, method=zipfile.ZIP_STORED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for info, content in named:
            archive.writestr(info, content)
    return written.getvalue()


def others(class_):
    return [(prefix + NOTEBOOK, student.encode()) for student, prefix in class_.items()]


# What an attacker would put together: the marks of both LMSs, numbers and names of others, and what is odd in names.
PIECES = st.sampled_from(
    [
        *("_", "4417", "4418", "4666", "_4417_99999_", "_1_2_", "LATE", "_LATE_", "99999", "0", "٤٤١٧", "²"),
        *(
            "lovelaceada",
            "Ada Lovelace",
            "ada",
            "x",
            "anon_aB3d9_",
            "anon_ab3d9_7_",
            "canvas-4417",
            "students",
        ),
        *("_12_assignsubmission_file_", "_12_assignsubmission_", "class", ".zip", " (2)", "-1", "copy", "."),
        *(
            "\n",
            "\r",
            "\t",
            " ",
            "\u202e",
            "\u200b",
            "\u0329",
            "ａ",
            "ß",
            "İ",
            "\x7f",
            "'",
            "%",
            "$(id)",
            "{}",
        ),
        *("05_capacity", ".ipynb", "05_capacity.ipynb", CANVAS["ada"], FLAT["ada"]),
    ]
)
NAMES = (
    st.lists(PIECES | st.text(max_size=3), min_size=1, max_size=8)
    .map("".join)
    .map(lambda text: "".join("_" if c in '\0/\\:*?"<>|' or "\ud800" <= c <= "\udfff" else c for c in text))
    .filter(lambda text: text.strip(". ") and len(text.encode()) < 180)
)
ENDINGS = st.sampled_from([".ipynb", ".zip", ".IPYNB", ".ZIP", ""])
CLASSES = st.sampled_from([CANVAS, MOODLE, FLAT])
LISTED = st.lists(st.sampled_from(sorted(PEOPLE)), unique=True)


@quick
@given(CLASSES, LISTED, st.lists(st.tuples(NAMES, ENDINGS), min_size=1, max_size=3), NAMES, st.booleans())
@example(CANVAS, ["ada", "mal"], [("x_4417_99999_05_capacity", ".ipynb")], "x", False)
@example(CANVAS, ["ada"], [("x_4417_99999_05_capacity", ".ipynb")], "x", False)
@example(CANVAS, [], [("\nx", ".zip")], CANVAS["ada"] + NOTEBOOK, False)
def test_no_name_that_a_student_chose_says_whose_it_is(download, class_, listed, names, inside, loose):
    theirs = (inside, CANVAS["ada"] + NOTEBOOK, MOODLE["ada"] + NOTEBOOK)
    archive = zipped(*dict.fromkeys(theirs, b"mal").items())
    files = {
        MINE[id(class_)] + name + ending: archive if ending.lower() == ".zip" else b"mal"
        for name, ending in names
    }
    loose = loose and class_ is not MOODLE
    before = download.collect(others(class_), listed=listed, loose=loose)
    after = download.collect([*others(class_), *files.items()], listed=listed, loose=loose)
    assert {student: after[student] for student in before} == before
    assert set(after) - set(before) <= {"mal", "canvas-4666", "Mal_Lory"}
    # Without those whose files it would be mistaken for, too.
    alone = download.collect(files.items(), listed=listed, loose=loose)
    assert set(alone) <= {"mal", "canvas-4666", "Mal_Lory"}


SEED = zipped((NOTEBOOK, b"{}" * 20), ("a/b.txt", b"x"), method=zipfile.ZIP_DEFLATED)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
SEEDS = [
    SEED,
    zipped(("work.zip", SEED)),
    *(zipped((NOTEBOOK, b"{}" * 9), method=method) for method in METHODS),
]


@st.composite
def archives(draw):
    """Return a zip with some bytes changed, left out or put in."""
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content) - 1))
        until = at + draw(st.integers(0, 4))
        content[at:until] = draw(st.binary(max_size=4) | st.sampled_from([b"\xff" * 4, b"\0" * 4]))
    return bytes(content)


@quick
@given(archives() | st.binary(max_size=200))
def test_whatever_a_student_calls_a_zip_the_class_is_collected(download, content):
    files = [*others(CANVAS), (MINE[id(CANVAS)] + "work.zip", content)]
    assert {"canvas-4417", "canvas-4418"} <= set(download.collect(files))


DATES = st.tuples(
    st.integers(1980, 2107),
    st.integers(0, 15),
    st.integers(0, 31),
    *[st.integers(0, n) for n in (31, 63, 59)],
)


@quick
@given(DATES, DATES, st.sampled_from(["", "LATE_"]))
def test_no_date_that_a_student_wrote_says_when_it_came(download, first, second, late):
    """Two uploads of one student, each a zip: the second by the LMS's number counts, and both at the LMS's time."""
    named = [(MINE[id(CANVAS)].replace("mal_", f"mal_{late}"), first), (f"lorymal_{late}4666_90004_", second)]
    files = [(f"{prefix}w.zip", zipped((zipfile.ZipInfo(NOTEBOOK, date), b"mal"))) for prefix, date in named]
    (name, at, submitted_at) = download.collect(files)["canvas-4666"]
    assert name == f"{files[1][0]}/{NOTEBOOK}"
    assert abs(at - AT) <= timedelta(days=1)  # in this machine's zone
    assert submitted_at is None
