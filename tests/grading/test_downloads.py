"""Downloads of an LMS: whose each file is, which of several counts, and what must never be written."""

import io
import json
import os
import shutil
import stat
import struct
import unicodedata
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Assignment, Gradebook, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader
from traitlets.utils.importstring import import_item

from mlsd_helpers import cli
from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.grading import archives, marks
from mlsd_helpers.grading.downloads import (
    IGNORED,
    KEPT,
    NO_STUDENT,
    SUPERSEDED,
    TAKEN,
    LmsNames,
    clean_id,
    collect,
)

ROOT = Path(__file__).parents[2]
NAME = "05_capacity"
NOTEBOOK = f"{NAME}.ipynb"
MOODLE = "assignsubmission_file_"


@pytest.fixture
def course(tmp_path):
    course = tmp_path / "course"
    for assignment in (NAME, "04_patterns"):
        (course / "release" / assignment).mkdir(parents=True)
        (course / "release" / assignment / f"{assignment}.ipynb").write_text("{}")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    return course


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "download"
    folder.mkdir()
    return folder


def put(folder, name, content="{}", minute=0):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, ((1_780_000_000 + 60 * minute),) * 2)
    return path


def zipped(path, *named, time=(2026, 3, 4, 10, 0, 0)):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in named:
            archive.writestr(zipfile.ZipInfo(name, time), content)
    return path


def archive_of(*named):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in named:
            archive.writestr(name, content)
    return written.getvalue()


def submitted(course):
    folder = course / "submitted"
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def outcomes(collection):
    return {one.file: one.outcome for one in collection.files}


def note(collection, part):
    return next(one.note for one in collection.files if part in one.file)


def configure(course, *lines):
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\n".join(["", *lines, ""]))


@pytest.fixture
def enrol(monkeypatch):
    """Return what sets the class list: the names of students by their number in Canvas; the first name is the id."""

    def enrol(people):
        students = tuple(
            marks.Student(name.partition(" ")[0].lower(), *name.split(" ", 1), lms_user_id=number)
            for number, name in people.items()
        )
        monkeypatch.setattr(marks, "students", lambda _: students)

    return enrol


ADA, MAL = {"4417": "Ada Lovelace"}, {"4666": "Mal Lory"}
ADAS = "lovelaceada_4417_90001_05_capacity.ipynb"


# ---------------------------------------------------------------- whose it is


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("tannersam_4417_90210_05_capacity.ipynb", "canvas-4417"),
        ("tannersam_4417_90210_05_capacity-1.ipynb", "canvas-4417"),
        ("tannersam_LATE_4417_90210_05_capacity (2).ipynb", "canvas-4417"),
        ("müllerjörg_4417_90210_final.ipynb", "canvas-4417"),
        ("late_4417_90210_05_capacity.ipynb", "canvas-4417"),
        ("anon_aB3d9_90210_05_capacity.ipynb", "anon-aB3d9"),
        ("LATE_anon_aB3d9_90210_05_capacity.ipynb", "anon-aB3d9"),
        (f"Sam Tanner_12_{MOODLE}/05_capacity.ipynb", "Sam_Tanner"),
        (f"Sam Tanner_12_{MOODLE}/task/05_capacity.ipynb", "Sam_Tanner"),
        (f"Sam Tanner_12_{MOODLE}05_capacity.ipynb", "Sam_Tanner"),
        (f"Sam Tanner_12_{MOODLE}\\05_capacity.ipynb", "Sam_Tanner"),
        (f"مريم نور_12_{MOODLE}/05_capacity.ipynb", "مريم_نور"),
        (f"Zoë O'Hara-Nuñez_12_{MOODLE}/05_capacity.IPYNB", "Zoë_O-Hara-Nuñez"),
    ],
)
@pytest.mark.parametrize("as_zip", [False, True])
def test_the_names_of_canvas_and_moodle_work_as_they_come(name, student, as_zip, course, folder):
    if as_zip:
        collect(course, NAME, zipped(folder / "class.zip", (name, "mine")))
    else:
        put(folder, name, "mine")
        collect(course, NAME, folder)
    assert submitted(course)[f"{student}/{NAME}/{NOTEBOOK}"] == "mine"


class OfMacOS(zipfile.ZipInfo):
    """A member whose name is UTF-8 and doesn't say so."""

    def _encodeFilenameFlags(self):  # noqa: N802 - zipfile's own
        return self.filename.encode(), self.flag_bits


def test_an_archive_that_hides_its_encoding_is_read_as_utf8(course, folder):
    with zipfile.ZipFile(folder / "class.zip", "w") as archive:
        archive.writestr(OfMacOS(f"Zoë مريم_12_{MOODLE}/05_capacity.ipynb"), "mine")
    assert collect(course, NAME, folder).students == ("Zoë_مريم",)


@pytest.mark.parametrize(
    "name",
    [
        # A folder or file may be called like Moodle's folder of somebody else.
        f"Eve Evil_12_{MOODLE}/Ada_1_{MOODLE}/05_capacity.ipynb",
        f"Eve Evil_12_{MOODLE}Ada_1_{MOODLE}05_capacity.ipynb",
        f"Eve Evil_12_{MOODLE}/ada_1_2_05_capacity.ipynb",
    ],
)
def test_nobody_hands_in_for_another(name, course, folder):
    put(folder, name)
    collect(course, NAME, folder)
    assert list(submitted(course)) == [f"Eve_Evil/{NAME}/{NOTEBOOK}"]


@pytest.mark.parametrize(
    "name", ["evil_1_2_4417_90210_05_capacity.ipynb", "evil_1_4417_90210_05_capacity-3.ipynb"]
)
@pytest.mark.parametrize("listed", [{}, ADA, {"1": "Bob Ross"} | ADA])
def test_numbers_in_the_name_of_a_person_or_a_file_decide_nothing(name, listed, course, folder, enrol):
    # Person 4417 called "evil_1_2", or a file "4417_90210_05_capacity" of person 1: nobody can tell.
    enrol(listed)
    put(folder, name)
    assert outcomes(collect(course, NAME, folder)) == {name: NO_STUDENT}
    assert not submitted(course)


@pytest.mark.parametrize(
    "name",
    [
        "lorymal_4666_90003_x_4417_99999_05_capacity.ipynb",
        "lorymal_4666_90003_4417_99999_05_capacity.ipynb",
        "lorymal_4666_90003_Ada Lovelace_12_assignsubmission_file_05_capacity.ipynb",
        "lorymal_4666_90003_anon_aB3d9_99999_05_capacity.ipynb",
        "lorymal_4666_90003_work/lovelaceada_4417_99999_05_capacity.ipynb",  # unpacked by the instructor
        f"lorymal_4666_90003_work/Ada Lovelace_12_{MOODLE}/05_capacity.ipynb",
        f"ada_12_{MOODLE}x_4666_90003_05_capacity.ipynb",  # Canvas, and a person called ada_12_assignsubmission…
        "mal_4417_4666_90003_05_capacity.ipynb",  # Canvas, and a person called mal_4417
        "mal_4417_1_4666_90003_final.ipynb",
        "mal_4417_1_?_4666_90003_final.ipynb",  # as tools may unpack mal_4417_1_ø
        "mal_4417_1_#U00f8_4666_90003_final.ipynb",
        "lorymal_4666_90003_\nlovelaceada_4417_99999_05_capacity.ipynb",
    ],
)
@pytest.mark.parametrize("listed", [{}, MAL, ADA | MAL])
@pytest.mark.parametrize("present", [True, False])
def test_no_name_of_a_file_or_person_takes_the_place_of_another(name, listed, present, course, folder, enrol):
    enrol(listed)
    put(folder, name, "Mallory's")
    if present:
        put(folder, ADAS, "Ada's")
    collect(course, NAME, folder)
    ada = "ada" if "4417" in listed else "canvas-4417"
    theirs = {"ada", "canvas-4417", "Ada_Lovelace", "anon-aB3d9"}
    found = {path: text for path, text in submitted(course).items() if path.partition("/")[0] in theirs}
    assert found == ({f"{ada}/{NAME}/{NOTEBOOK}": "Ada's"} if present else {})


def test_the_name_of_a_file_makes_nobody_a_student_of_the_class_list(course, folder, enrol):
    enrol(ADA)  # Mallory is not in it
    name = put(folder, "lorymal_4666_90003_x_4417_99999_05_capacity.ipynb").name
    assert outcomes(collect(course, NAME, folder)) == {name: NO_STUDENT}


@pytest.mark.parametrize(
    "name",
    [
        "05_capacity_final.ipynb",
        "05_capacity_2026_12_01.ipynb",
        "Homework_2026_12_01.ipynb",
        "05_capacity (2026_12_01).ipynb",
        "2026_12_capacity.ipynb",
    ],
)
def test_an_honest_name_with_numbers_is_taken(name, course, folder, enrol):
    enrol(ADA)
    put(folder, f"lovelaceada_4417_90001_{name}")
    assert collect(course, NAME, folder).students == ("ada",)


@pytest.mark.parametrize("name", ["शर्माप्रिया", "m#U00fcllerj#U00f6rg", "m?llerj?rg"])
def test_names_in_every_script_and_as_tools_unpack_them_are_read(name, course, folder):
    put(folder, f"{name}_4417_90210_05_capacity.ipynb")
    assert collect(course, NAME, folder).students == ("canvas-4417",)


@pytest.mark.parametrize(
    "name",
    [
        "lorymal_4666_90003_work.zip",
        "lorymal_4666_90003_\nwork.zip",
        "lory\u0329mal_4666_90003_work.zip",
        "l?rymal_4666_90003_work.zip",  # as some tools unpack an ø
        f"_5_{MOODLE}/work.zip",
        f"Mal Lory_5_{MOODLE}/work.zip",
        f"Mal Lory_5_{MOODLE}\nwork.zip",
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_the_archive_of_a_student_is_never_taken_for_that_of_the_class(name, inside, course, folder):
    archive = archive_of(
        (ADAS, "Mallory's"),
        (f"Ada Lovelace_12_{MOODLE}/05_capacity.ipynb", "Mallory's"),
        ("lovelaceada_4417_99_w.zip", archive_of((NOTEBOOK, "Mallory's"))),
    )
    if inside:
        (folder / "class.zip").write_bytes(archive_of((name, archive), (ADAS, "Ada's")))
    else:
        put(folder, ADAS, "Ada's")
        put(folder, name).write_bytes(archive)
    collect(course, NAME, folder)
    found = submitted(course)
    assert found.pop(f"canvas-4417/{NAME}/{NOTEBOOK}") == "Ada's"
    assert {path.partition("/")[0] for path in found} <= {"canvas-4666", "Mal_Lory"}


def test_a_pattern_of_ones_own_opens_no_archive_that_it_does_not_fit(course, folder):
    pattern = r"(?P<student_id>\w+)-(?P<timestamp>\d{8}T\d{6})-(?P<file_id>\w+)"
    configure(course, f"c.FileNameCollectorPlugin.named_regexp = {pattern!r}")
    archive = archive_of((f"ada-20260304T101500-{NOTEBOOK}", "Mallory's"))
    class_zip = archive_of((f"eve-20260304T101500-{NOTEBOOK}", "x"), ("mal-20260304T101500-!.zip", archive))
    (folder / "class.zip").write_bytes(class_zip)
    done = collect(course, NAME, folder)
    assert done.students == ("eve",)
    with zipfile.ZipFile(folder / "class.zip") as unpacked:
        unpacked.extractall(folder)
    (folder / "class.zip").unlink()
    assert collect(course, NAME, folder).undecided
    assert {path.partition("/")[0] for path in submitted(course)} == {"eve"}


@pytest.mark.parametrize("called", ["ada", "ADA", "4417", "canvas-4417", "ａｄａ"])
def test_nobody_becomes_a_student_of_the_class_list_by_calling_themselves_by_an_id(
    called, course, folder, enrol
):
    enrol(ADA)
    put(folder, f"{called}_55_{MOODLE}/05_capacity.ipynb")
    put(folder, f"Ada Lovelace_12_{MOODLE}/05_capacity.ipynb", "Ada's")
    collect(course, NAME, folder)
    assert submitted(course)[f"ada/{NAME}/{NOTEBOOK}"] == "Ada's"


@pytest.mark.parametrize("name", [NOTEBOOK, "class.zip"])
def test_a_folder_called_like_the_archive_of_a_student_is_left_to_the_instructor(name, course, folder):
    put(folder, f"lorymal_LATE_4666_90003_work/{name}")  # its date would be the student's
    done = collect(course, NAME, folder)
    assert [one.outcome for one in done.files] == [NO_STUDENT]
    assert not submitted(course)


def test_a_person_decides_between_two_who_lead_to_one_student(course, folder, enrol, capsys):
    (course / "course").mkdir()
    (course / "course/00_start_here.ipynb").touch()
    enrol(ADA)
    put(folder, ADAS)
    put(folder, "lovelaceadam_4417_90002_05_capacity.ipynb")
    assert cli.main(["collect", NAME, str(folder), "--course", str(course)]) == 1
    assert "lovelaceadam" in capsys.readouterr().out
    assert not submitted(course)


def test_a_folder_that_differs_in_small_and_capital_letters_is_not_written_beside(course, folder):
    (course / "submitted/ada_lovelace").mkdir(parents=True)
    put(folder, f"Ada Lovelace_12_{MOODLE}/05_capacity.ipynb")
    assert collect(course, NAME, folder).undecided
    assert not submitted(course)


def test_a_name_that_may_be_read_as_two_people_is_left_to_the_instructor(course, folder):
    put(folder, "evil_1_2_4417_90210_final.ipynb")
    done = collect(course, NAME, folder)
    assert outcomes(done) == {"evil_1_2_4417_90210_final.ipynb": NO_STUDENT}
    assert not submitted(course)


def test_a_pattern_of_ones_own_comes_from_the_configuration(course, folder):
    pattern = r"(?P<student_id>\w+)-(?P<timestamp>\d{8}T\d{6})-(?P<file_id>\w+)"
    configure(course, f"c.FileNameCollectorPlugin.named_regexp = {pattern!r}")
    put(folder, f"ada-20260304T101500-{NOTEBOOK}", "first")
    put(folder, f"ada-20260304T111500-{NOTEBOOK}", "second")
    put(folder, "tannersam_4417_90210_05_capacity.ipynb")
    done = collect(course, NAME, folder)
    assert submitted(course) == {
        f"ada/{NAME}/{NOTEBOOK}": "second",
        f"ada/{NAME}/timestamp.txt": "2026-03-04 11:15:00.000000 UTC",
    }
    assert outcomes(done)["tannersam_4417_90210_05_capacity.ipynb"] == NO_STUDENT


def test_a_student_of_the_class_list_goes_by_their_id_there(course, folder, monkeypatch):
    monkeypatch.setattr("nbgrader.api.get_alembic_version", lambda: "any")  # it starts a process
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mlsd") as book:
        book.add_student("s1", lms_user_id="4417")
        book.add_student("s2", first_name="Zoë", last_name="O'Hara")
    put(folder, "tannersam_4417_90210_05_capacity.ipynb")
    put(folder, f"ZOË O'HARA_12_{MOODLE}/05_capacity.ipynb")
    put(folder, f"Guest_13_{MOODLE}/05_capacity.ipynb")
    done = collect(course, NAME, folder)
    assert set(done.students) == {"s1", "s2", "Guest"}
    assert "class list" in note(done, "Guest")


# ---------------------------------------------------------------- which one counts


def test_of_several_uploads_the_newest_counts(course, folder):
    put(folder, "a_1_10_05_capacity.ipynb", "second", minute=1)
    put(folder, "a_1_9_05_capacity-1.ipynb", "first", minute=9)  # written later, uploaded earlier
    put(folder, f"Bo_7_{MOODLE}/05_capacity.ipynb", "first", minute=1)
    put(folder, f"Bo_7_{MOODLE}/05_capacity (1).ipynb", "second", minute=2)
    done = collect(course, NAME, folder)
    assert set(submitted(course).values()) == {"second"}
    assert sorted(outcomes(done).values()) == [SUPERSEDED, SUPERSEDED, TAKEN, TAKEN]


def test_another_name_is_taken_for_the_notebook_unless_the_notebook_is_there(course, folder):
    put(folder, "a_1_9_final version.ipynb", "mine")
    put(folder, "b_2_9_05_capacity.ipynb", "notebook")
    put(folder, "b_2_10_scratch.ipynb", "scratch")
    done = collect(course, NAME, folder)
    assert submitted(course) == {
        f"canvas-1/{NAME}/{NOTEBOOK}": "mine",
        f"canvas-2/{NAME}/{NOTEBOOK}": "notebook",
    }
    assert "final version" in note(done, "a_1_9")


def test_the_notebook_of_another_assignment_is_no_submission(course, folder):
    put(folder, "a_1_9_04_patterns-1.ipynb")
    done = collect(course, NAME, folder)
    assert outcomes(done) == {"a_1_9_04_patterns-1.ipynb": IGNORED}
    assert not submitted(course)


def test_nothing_newer_is_overwritten_and_a_newer_one_replaces_it_whole(course, folder):
    one = put(folder, "a_1_9_05_capacity.ipynb", "first", minute=5)
    collect(course, NAME, folder)
    assert outcomes(collect(course, NAME, folder)) == {one.name: KEPT}
    put(folder, one.name, "an older one", minute=4)
    assert outcomes(collect(course, NAME, folder)) == {one.name: KEPT}
    assert set(submitted(course).values()) == {"first"}
    put(folder, one.name, "a newer one", minute=6)
    assert outcomes(collect(course, NAME, folder)) == {one.name: TAKEN}
    assert set(submitted(course).values()) == {"a newer one"}


def test_a_submission_by_another_way_is_compared_by_its_time(course, folder):
    there = course / "submitted/canvas-1" / NAME
    there.mkdir(parents=True)
    (there / NOTEBOOK).write_text("through the exchange")
    (there / "timestamp.txt").write_text("2026-05-29 00:00:00.0 UTC")
    put(folder, "a_1_9_05_capacity.ipynb")  # 28 May
    assert collect(course, NAME, folder).of(KEPT)
    (there / "timestamp.txt").write_text("2026-05-27 00:00:00.0 UTC")
    assert collect(course, NAME, folder).of(TAKEN)


def test_a_failed_write_leaves_what_was_there(course, folder, monkeypatch):
    put(folder, "a_1_9_05_capacity.ipynb", "first", minute=1)
    collect(course, NAME, folder)
    put(folder, "a_1_9_05_capacity.ipynb", "second", minute=2)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        collect(course, NAME, folder)
    assert submitted(course) == {f"canvas-1/{NAME}/{NOTEBOOK}": "first"}


# ---------------------------------------------------------------- late


def late_by(course, student):
    """Return the seconds that nbgrader takes a submission to be late, the due date being noon of 4 March."""
    place = course / "submitted" / student / NAME
    assignment = Assignment(name=NAME, duedate=datetime(2026, 3, 4, 12))  # noqa: DTZ001 - nbgrader's are UTC
    at = CourseDirectory(root=str(course)).get_existing_timestamp(str(place))
    return SubmittedAssignment(assignment=assignment, timestamp=at).total_seconds_late


def test_the_day_of_a_download_makes_nobody_late_and_the_unknown_time_is_said(course, folder):
    archive = zipped(
        folder / "class.zip",
        ("a_LATE_1_9_05_capacity.ipynb", "late"),
        ("b_2_9_05_capacity.ipynb", "in time"),
        time=(2026, 3, 9, 10, 0, 0),
    )
    late, unknown = collect(course, NAME, archive).remarks()
    assert late_by(course, "canvas-1") == late_by(course, "canvas-2") == 0
    assert "canvas-1" in late
    assert "1 submission came" in unknown
    (course / "class").mkdir()
    (course / "class/exceptions.csv").write_text(
        f"id,assignment,exception,value\ncanvas-1,{NAME},submitted,2026-03-04 13:00\n"
    )
    assert [line for line in collect(course, NAME, archive).remarks() if "canvas-1" in line] == []


CANVAS_LIST = [
    {"user_id": 1, "submitted_at": "2026-03-04T15:12:00Z", "late": True},
    {"user_id": 2, "submitted_at": "2026-03-03T10:00:00+01:00", "late": False},
    {"user_id": 3, "submitted_at": None, "late": False},
]


def test_canvass_list_of_submissions_says_when_they_came_also_after_they_were_taken(course, folder):
    put(folder, "a_LATE_1_9_05_capacity.ipynb")
    put(folder, "b_2_9_05_capacity.ipynb")
    collect(course, NAME, folder)
    times = folder.parent / "submissions.json"
    times.write_text(json.dumps(CANVAS_LIST))
    before = submitted(course)
    dry = collect(course, NAME, folder, times=[times], dry_run=True)
    assert submitted(course) == before
    done = collect(course, NAME, folder, times=[times])
    assert list(done.remarks()) == list(dry.remarks()) == []
    assert late_by(course, "canvas-1") == 3.2 * 3600
    assert late_by(course, "canvas-2") == 0
    again = collect(course, NAME, folder)  # the times stay
    assert late_by(course, "canvas-1") == 3.2 * 3600
    assert list(again.remarks()) == []


WORKSHEET = """\ufeffIdentifier,Full name,Status,Grade,"Last modified (submission)","Last modified (grade)"
Participant 101,Ada Lovelace,Submitted for grading,-,"{}",-
Participant 102,Bo,No submission,-,-,-
"""


@pytest.mark.parametrize("time", ["Wednesday, 4 March 2026, 2:00 PM", "Wednesday, March 4, 2026, 2:00 PM"])
def test_moodles_worksheet_says_when_they_came_in_the_zone_of_the_term(course, folder, time):
    configure(course, 'c.Term.timezone = "Europe/Berlin"')
    put(folder, f"Ada Lovelace_101_{MOODLE}/{NOTEBOOK}")
    times = folder.parent / "Grades.csv"
    times.write_text(WORKSHEET.format(time))
    collect(course, NAME, folder, times=[times])
    assert late_by(course, "Ada_Lovelace") == 3600


def test_an_instructors_table_says_when_they_came(course, folder):
    put(folder, "a_1_9_05_capacity.ipynb")
    put(folder, f"Ada Lovelace_101_{MOODLE}/{NOTEBOOK}")
    times = folder.parent / "times.csv"
    times.write_text("id,submitted\nAda_Lovelace,2026-03-04 13:00\n1,2026-03-04 14:00\n")
    collect(course, NAME, folder, times=[times])
    assert late_by(course, "Ada_Lovelace") == 3600
    assert late_by(course, "canvas-1") == 7200


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("what,else\n1,2\n", "no times of submission"),
        ('{"errors": []}', "no times of submission"),
        ('[{"user_id": 1, "submitted_at": "2026-03-04"}]', "zone"),
        (WORKSHEET.format("05/03/2026, 14:00"), "05/03/2026"),
        (WORKSHEET.format("Mittwoch, 4. März 2026, 14:00"), "English"),
        ("id,submitted\nada,2026-03-04\n", "2026-03-04"),
    ],
)
def test_a_record_of_times_that_cannot_be_read_is_an_error_and_nothing_is_taken(course, folder, text, named):
    put(folder, "a_1_9_05_capacity.ipynb")
    times = folder.parent / "times.csv"
    times.write_text(text)
    with pytest.raises(WorkspaceError, match=named):
        collect(course, NAME, folder, times=[times])
    assert not submitted(course)


def test_other_users_of_the_machine_read_nothing_of_what_is_collected(course, folder):
    (course / "course").mkdir()
    (course / "course/00_start_here.ipynb").touch()
    (course / "class").mkdir(mode=0o755)
    put(folder, "a_1_9_05_capacity.ipynb")
    command = ["collect", NAME, str(folder), "--course", str(course)]
    assert cli.main([*command, "--dry-run"]) == 0
    assert stat.S_IMODE((course / "class").stat().st_mode) == 0o755
    assert cli.main(command) == 0
    for name in ("class", "submitted"):
        assert not stat.S_IMODE((course / name).stat().st_mode) & stat.S_IRWXO, name


def test_who_submitted_nothing_that_can_be_graded_is_named(course, folder):
    put(folder, "a_1_9_report.pdf")
    put(folder, "b_2_9_report.pdf")
    put(folder, "b_2_10_05_capacity.ipynb")
    remarks = list(collect(course, NAME, folder).remarks())
    assert ["canvas-1" in line for line in remarks if "can be graded" in line] == [True]


def cells(*ids):
    return json.dumps({"cells": [{"metadata": {"nbgrader": {"grade_id": one}}} for one in ids]})


def test_a_notebook_with_the_cells_of_another_assignment_is_named_when_it_is_collected(course, folder):
    for name, one in ((NAME, "05-plan"), ("04_patterns", "04-choose")):
        (course / "source" / name).mkdir(parents=True, exist_ok=True)
        (course / "source" / name / f"{name}.ipynb").write_text(cells(one))
    put(folder, "a_1_9_05_capacity.ipynb", cells("04-choose"))
    put(folder, "b_2_9_05_capacity.ipynb", cells("05-plan"))
    put(folder, "c_3_9_05_capacity.ipynb", "[" * 100_000)
    done = collect(course, NAME, folder)
    assert ["canvas-1" in line for line in done.remarks() if "04_patterns" in line] == [True]
    assert len(done.of(TAKEN)) == 3


def test_times_of_files_count_only_where_the_configuration_says_so(course, folder):
    archive = zipped(
        folder / "class.zip", (f"Ada_1_{MOODLE}/05_capacity.ipynb", "x"), time=(2026, 3, 5, 10, 0, 0)
    )
    collect(course, NAME, archive)
    assert late_by(course, "Ada") == 0
    shutil.rmtree(course / "submitted")
    configure(course, "c.LmsNames.dated_by_files = True")
    collect(course, NAME, archive)
    assert late_by(course, "Ada") > 0


@pytest.mark.parametrize("year", [1980, 2025, 2107])
@pytest.mark.parametrize("in_class_zip", [False, True])
def test_what_is_in_an_archive_is_as_old_as_the_archive(year, in_class_zip, course, folder):
    work = zipped(folder / "b_LATE_2_9_work.zip", (NOTEBOOK, "mine"), time=(year, 1, 1, 0, 0, 0))
    os.utime(work, (1_780_000_000,) * 2)
    put(folder, "a_LATE_1_9_05_capacity.ipynb")
    if in_class_zip:
        content = work.read_bytes()
        work.unlink()
        zipped(folder / "class.zip", (work.name, content), time=(2026, 5, 28, 20, 26, 40))
    collect(course, NAME, folder)
    alone, packed_one = (
        (course / "submitted" / who / NAME / NOTEBOOK).stat() for who in ("canvas-1", "canvas-2")
    )
    assert packed_one.st_mtime == pytest.approx(alone.st_mtime, abs=86_400)


def test_a_far_future_does_not_keep_out_what_comes_later(course, folder):
    work = zipped(folder / "a_1_9_work.zip", (NOTEBOOK, "first"), time=(2107, 12, 31, 0, 0, 0))
    os.utime(work, (1_780_000_000,) * 2)
    collect(course, NAME, folder)
    put(folder, "a_1_10_05_capacity.ipynb", "second", minute=1)
    collect(course, NAME, folder)
    assert submitted(course) == {f"canvas-1/{NAME}/{NOTEBOOK}": "second"}
    # The exchange's students write this file.
    for date in ("2107-01-01 00:00:00 UTC", "9" * 5000):
        (course / "submitted/canvas-1" / NAME / "timestamp.txt").write_text(date)
        os.utime(course / "submitted/canvas-1" / NAME / NOTEBOOK, (1_780_000_000,) * 2)
        put(folder, "a_1_11_05_capacity.ipynb", date, minute=2)
        assert collect(course, NAME, folder).of(TAKEN)


def test_the_name_of_a_person_does_not_hide_that_they_are_late(course, folder, enrol):
    enrol(MAL)
    put(folder, "mal_4666_1_LATE_4666_90003_final.ipynb")  # a person called mal_4666_1
    assert collect(course, NAME, folder).undecided
    assert not submitted(course)


# ---------------------------------------------------------------- what is refused


def unnamed():
    """Return an archive with a member whose name is empty."""
    head = struct.pack("<4s4B4H3L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 33, 0, 1, 1, *(0,) * 7)
    return b"x" + head + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(head), 1, 0)


def undercounted(members=11_000):
    """Return an archive that lists more than it says."""
    head = struct.pack("<4s4B4H3L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 33, 0, 1, 1, 1, *(0,) * 6) + b"x"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(head) * members, 0, 0)
    return head * members + end


def packed(method, *, broken):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        archive.writestr(NOTEBOOK, "{}" * 500)
    content = bytearray(written.getvalue())
    if broken:
        content[60:70] = b"\xff" * 10
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(unnamed(), id="a member without a name"),
        pytest.param(undercounted(), id="more members than it says"),
        pytest.param(archive_of(("-1" * 20_000 + ".ipynb", "{}")), id="a name of 40,000 characters"),
        pytest.param(archive_of((f"x ({'1' * 5000}).ipynb", "{}")), id="a number of 5,000 digits"),
        pytest.param(archive_of(("a/" * 3000 + NOTEBOOK, "{}")), id="a deep path"),
        pytest.param(packed(zipfile.ZIP_LZMA, broken=True), id="broken LZMA"),
        pytest.param(packed(zipfile.ZIP_BZIP2, broken=True), id="broken bzip2"),
        pytest.param(packed(zipfile.ZIP_DEFLATED, broken=True), id="broken deflate"),
        pytest.param(packed(zipfile.ZIP_BZIP2, broken=False), id="a method that expands without a limit"),
        pytest.param(b"PK\5\6" + b"\xff" * 18, id="an end alone"),
        pytest.param(b"", id="nothing"),
    ],
)
@pytest.mark.parametrize("in_class_zip", [False, True])
def test_the_archive_of_one_student_stops_nobody_else(content, in_class_zip, course, folder):
    files = {"a_1_9_05_capacity.ipynb": b"a", "b_2_9_work.zip": content, "c_3_9_05_capacity.ipynb": b"c"}
    if in_class_zip:
        (folder / "class.zip").write_bytes(archive_of(*files.items()))
    else:
        for name, text in files.items():
            (folder / name).write_bytes(text)
    done = collect(course, NAME, folder)
    assert {"canvas-1", "canvas-3"} <= set(done.students)
    assert all(len(line) < 1000 for line in str(done).splitlines())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_python_expands_without_a_limit_is_not_read_and_says_so(method, course, folder):
    (folder / "b_2_9_work.zip").write_bytes(packed(method, broken=False))
    done = collect(course, NAME, folder)
    assert [one.outcome for one in done.files] == [IGNORED]
    assert "deflate" in note(done, NOTEBOOK)


def test_no_error_while_one_file_is_read_stops_the_class(course, folder, monkeypatch):
    put(folder, "a_1_9_05_capacity.ipynb", "a")
    zipped(folder / "b_2_9_work.zip", (NOTEBOOK, "b"))

    def fails(*_):
        raise MemoryError

    monkeypatch.setattr(zipfile.ZipFile, "open", fails)
    assert collect(course, NAME, folder).students == ("canvas-1",)


def test_no_error_of_a_plugin_of_ones_own_stops_the_class(course, folder, monkeypatch):
    put(folder, "a_1_9_05_capacity.ipynb")
    put(folder, "b_2_9_05_capacity.ipynb")
    reads = LmsNames._match
    monkeypatch.setattr(
        LmsNames, "_match", lambda self, name: reads(self, name) if name[0] == "a" else {"": 1 / 0}
    )
    done = collect(course, NAME, folder)
    assert done.students == ("canvas-1",)
    assert done.undecided


def test_what_one_student_hands_in_is_bounded_as_a_whole(course, folder, monkeypatch):
    monkeypatch.setattr(archives, "MANY", 3)
    configure(
        course,
        "c.FileNameCollectorPlugin.valid_ext = ['.ipynb', '.txt']",
        "c.CourseDirectory.max_dir_size = 2  # kB",
    )
    for number in range(9):
        named = [(f"{number}{i}.txt", "x" * 900) for i in range(3)]
        zipped(folder / f"a_1_{10 + number}_work.zip", *named)
    zipped(folder / "a_1_9_many.zip", *((f"{i}.txt", "") for i in range(4)))
    put(folder, "b_2_9_05_capacity.ipynb")
    done = collect(course, NAME, folder)
    assert done.students == ("canvas-1", "canvas-2")
    assert sum(len(text) for path, text in submitted(course).items() if path.startswith("canvas-1")) <= 2000


def test_names_that_only_some_systems_take_are_made_plain(course, folder):
    configure(course, "c.FileNameCollectorPlugin.valid_ext = ['.ipynb', '.txt']")
    names = ["aux.txt", "a:b\x07\u202e?.txt", "dots...txt", "長" * 80 + ".txt", "_util[1].txt"]
    class_zip = [
        (f"x_{n}_9_05_capacity.zip", archive_of((NOTEBOOK, ""), (name, "")))
        for n, name in enumerate(names, 1)
    ]
    people = ["con", "AUX.x", "長" * 75, "trailing."]
    class_zip += [(f"{name}_{n}_{MOODLE}/05_capacity.ipynb", "") for n, name in enumerate(people)]
    (folder / "class.zip").write_bytes(archive_of(*class_zip))
    assert len(collect(course, NAME, folder).students) == len(names) + len(people)
    parts = {part for path in submitted(course) for part in path.split("/")}
    assert "_util[1].txt" in parts
    assert all(len(part.encode()) <= 255 and part.isprintable() and not part.endswith(".") for part in parts)
    assert not {part.partition(".")[0].lower() for part in parts} & {"con", "aux"}


def test_every_file_is_accounted_for(course, folder):
    put(folder, "a_1_9_05_capacity.ipynb")
    put(folder, "a_1_8_05_capacity.ipynb")
    put(folder, "a_1_8_photo.png")
    put(folder, "notes.ipynb")
    put(folder, ".DS_Store")
    put(folder, "sub/.ipynb_checkpoints/a_1_9_05_capacity-checkpoint.ipynb")
    zipped(
        folder / "b_2_9_work.zip",
        ("05_capacity.ipynb", "b"),
        ("data.csv", ""),
        ("__MACOSX/._05_capacity.ipynb", ""),
    )
    (folder / "c_3_9_work.zip").write_text("no archive")
    done = collect(course, NAME, folder)
    assert outcomes(done) == {
        "a_1_9_05_capacity.ipynb": TAKEN,
        "a_1_8_05_capacity.ipynb": SUPERSEDED,
        "a_1_8_photo.png": IGNORED,
        "notes.ipynb": NO_STUDENT,
        ".DS_Store": IGNORED,
        "sub/.ipynb_checkpoints/a_1_9_05_capacity-checkpoint.ipynb": IGNORED,
        "b_2_9_work.zip/05_capacity.ipynb": TAKEN,
        "b_2_9_work.zip/data.csv": IGNORED,
        "b_2_9_work.zip/__MACOSX/._05_capacity.ipynb": IGNORED,
        "c_3_9_work.zip": IGNORED,
    }
    assert all(one.note for one in done.of(IGNORED))
    assert all(one.file in str(done) for one in done.files)


def test_links_and_pipes_are_not_followed(course, folder, tmp_path):
    secret = put(tmp_path, "secret/05_capacity.ipynb", "the solution")
    (folder / "a_1_9_05_capacity.ipynb").symlink_to(secret)
    (folder / f"Eve_1_{MOODLE}").symlink_to(secret.parent)
    os.mkfifo(folder / "b_2_9_05_capacity.ipynb")
    link = zipfile.ZipInfo("c_3_9_05_capacity.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(folder / "class.zip", "w") as archive:
        archive.writestr(link, str(secret))
    assert list(outcomes(collect(course, NAME, folder)).values()) == [IGNORED] * 4
    assert not submitted(course)


@pytest.mark.parametrize(
    "name",
    [
        "../../a_1_9_05_capacity.ipynb",
        "/etc/a_1_9_05_capacity.ipynb",
        "C:/a_1_9_05_capacity.ipynb",
        "..\\a_1_9_05_capacity.ipynb",
        "x\\..\\..\\a_1_9_05_capacity.ipynb",
    ],
)
def test_a_path_out_of_an_archive_is_refused(name, course, folder):
    done = collect(course, NAME, zipped(folder / "class.zip", (name, "x")))
    assert [one.outcome for one in done.files] == [IGNORED]
    assert not submitted(course)


def test_a_link_in_submitted_is_not_written_through(course, folder, tmp_path):
    (course / "submitted").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (course / "submitted/canvas-1").symlink_to(tmp_path / "elsewhere")
    put(folder, "a_1_9_05_capacity.ipynb")
    assert collect(course, NAME, folder).of(KEPT)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_what_is_too_large_or_too_deep_is_left_out_and_the_rest_is_taken(course, folder):
    configure(course, "c.CourseDirectory.max_file_size = 2  # kB")
    bomb = archive_of(("05_capacity.ipynb", "0" * 1_000_000))
    matryoshka = archive_of(("b.zip", archive_of(("c.zip", archive_of(("a_1_9_05_capacity.ipynb", "x"))))))
    (folder / "class.zip").write_bytes(
        archive_of(
            (f"Bomb_1_{MOODLE}/work.zip", bomb),
            (f"Ada_2_{MOODLE}/05_capacity.ipynb", "fine"),
            ("a.zip", matryoshka),
        )
    )
    done = collect(course, NAME, folder)
    assert submitted(course) == {f"Ada/{NAME}/{NOTEBOOK}": "fine"}
    assert [one.outcome for one in done.files if "Ada" not in one.file] == [IGNORED, IGNORED]


def test_a_damaged_file_gives_way_to_the_one_before(course, folder):
    path = zipped(
        folder / "class.zip", ("a_1_8_05_capacity.ipynb", "first"), ("a_1_9_05_capacity.ipynb", "second")
    )
    path.write_bytes(path.read_bytes().replace(b"second", b"broken"))
    done = collect(course, NAME, folder)
    assert submitted(course) == {f"canvas-1/{NAME}/{NOTEBOOK}": "first"}
    assert outcomes(done)["class.zip/a_1_9_05_capacity.ipynb"] == IGNORED


@pytest.mark.parametrize(
    "names",
    [
        (f"Sam Lee_1_{MOODLE}", f"Sam Lee_2_{MOODLE}"),  # two people of one name
        (f"Sam*Lee_1_{MOODLE}", f"Sam?Lee_2_{MOODLE}"),
        (f"Sam Lee_1_{MOODLE}", f"SAM LEE_2_{MOODLE}"),  # one folder on macOS and Windows
    ],
)
def test_two_students_never_share_a_folder(names, course, folder):
    for name in names:
        put(folder, f"{name}/05_capacity.ipynb")
    assert set(outcomes(collect(course, NAME, folder)).values()) == {IGNORED}
    assert not submitted(course)


def test_a_student_cannot_date_their_own_submission(course, folder):
    configure(course, "c.FileNameCollectorPlugin.valid_ext = ['.ipynb', '.txt']")
    put(folder, f"Eve_1_{MOODLE}/05_capacity.ipynb")
    put(folder, f"Eve_1_{MOODLE}/timestamp.txt", "1999-01-01 00:00:00 UTC")
    put(folder, f"Eve_1_{MOODLE}/TimeStamp.txt", "1999-01-01 00:00:00 UTC")
    put(folder, f"Eve_1_{MOODLE}/notes.txt", "mine")
    collect(course, NAME, folder)
    assert sorted(submitted(course)) == [f"Eve/{NAME}/{NOTEBOOK}", f"Eve/{NAME}/notes.txt"]


def test_a_dry_run_says_the_same_and_writes_nothing(course, folder):
    put(folder, "a_1_9_05_capacity.ipynb")
    put(folder, "readme.md")
    dry = collect(course, NAME, folder, dry_run=True)
    assert not (course / "submitted").exists()
    assert dry.files == collect(course, NAME, folder).files


def test_a_folder_or_assignment_that_is_not_there_is_a_plain_error(course, folder, tmp_path):
    with pytest.raises(WorkspaceError, match="nowhere"):
        collect(course, NAME, tmp_path / "nowhere")
    with pytest.raises(WorkspaceError, match="04_patterns"):
        collect(course, "07_none", folder)


def test_the_command_fails_where_a_file_has_no_student(course, folder, capsys):
    (course / "course").mkdir()
    (course / "course/00_start_here.ipynb").touch()
    put(folder, "a_1_9_05_capacity.ipynb")
    assert cli.main(["collect", NAME, str(folder), "--course", str(course)]) == 0
    put(folder, "whose.ipynb")
    assert cli.main(["collect", NAME, str(folder), "--course", str(course), "--dry-run"]) == 1
    assert "whose.ipynb" in capsys.readouterr().out


# ---------------------------------------------------------------- ids


@given(st.text())
def test_an_id_is_always_one_plain_folder_name(raw):
    name = clean_id(raw)
    assert name == clean_id(name)
    assert name == unicodedata.normalize("NFC", name)
    assert not set(name) & set('/\\:*?"<>|[]{}\0\n\u202e\u200b ')
    assert not name.startswith((".", "-"))
    assert len(name) <= 100


def test_a_file_name_does_nothing_to_the_terminal(course, folder):
    put(folder, "\x1b[2Ja_1_9_05_capacity\u202e.ipynb")
    assert not set(str(collect(course, NAME, folder))) & set("\x1b\u202e")


def test_zip_collect_finds_the_same_students(course):
    names = LmsNames()
    assert names.collect(f"/x/Zoë O'Hara_12_{MOODLE}/05_capacity.ipynb")["student_id"] == clean_id(
        "Zoë O'Hara"
    )
    assert names.collect("/x/tannersam_LATE_4417_90210_05_capacity.ipynb")["student_id"] == "canvas-4417"
    assert names.collect("/x/readme.ipynb") is None
    app = PyFileConfigLoader(str(course / "nbgrader_config.py")).load_config().ZipCollectApp
    assert import_item(app.collector_plugin) is LmsNames


def test_who_takes_anothers_name_in_moodle_later_replaces_nothing(course, folder, tmp_path):
    put(folder, f"Ada Lovelace_101_{MOODLE}/{NOTEBOOK}", "ada's")
    assert collect(course, NAME, folder).of(TAKEN)
    again = collect(course, NAME, folder)
    assert again.of(KEPT)
    later = tmp_path / "later"
    put(later, f"Ada Lovelace_202_{MOODLE}/{NOTEBOOK}", "mallory's", minute=60)
    done = collect(course, NAME, later)
    assert done.undecided
    assert not done.of(TAKEN)
    (there,) = (course / "submitted").rglob("*.ipynb")
    assert there.read_text() == "ada's"


def test_a_file_in_the_way_of_one_student_stops_no_other(course, folder):
    put(folder, f"ada_1_{MOODLE}/{NOTEBOOK}")
    put(folder, f"bob_2_{MOODLE}/{NOTEBOOK}")
    put(course, "submitted/ada", "in the way")
    done = collect(course, NAME, folder)
    assert [one.student for one in done.of(TAKEN)] == ["bob"]
    assert done.undecided
