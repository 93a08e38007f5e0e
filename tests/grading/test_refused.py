"""A folder that cannot be written to, a disk that is full: real ones, in a mount namespace of their own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlsd_helpers.grading import end_to_end
from tests.grading.conftest import ASSIGNMENT

BWRAP = shutil.which("bwrap")
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(BWRAP is None, reason="NOT RUN: bubblewrap is not installed (apt install bubblewrap)"),
]

GRADE = f"{Path(sys.executable).parent / 'mlsd'} grade {ASSIGNMENT} --workers 1 --unsafe"


def in_namespace(course, command, *mounts):
    return subprocess.run(
        [
            BWRAP,
            "--dev-bind",
            "/",
            "/",
            "--unshare-user-try",
            "--cap-add",
            "ALL",
            *mounts,
            "sh",
            "-c",
            command,
        ],
        cwd=course,
        capture_output=True,
        text=True,
        check=False,
    )


def graded(course):
    return set(end_to_end.marks(course, ASSIGNMENT)), {path.name for path in (course / "feedback").iterdir()}


@pytest.mark.parametrize("part", ["feedback", "verdicts", "gradebook.db", "."])
def test_what_cannot_be_written_is_named_and_the_next_run_goes_on(course_of, part):
    course = course_of("reference", "blank")
    for folder in ("feedback", "verdicts"):
        (course / folder).mkdir()
    place = str(course / part)
    refused = in_namespace(course, GRADE, "--ro-bind", place, place)
    assert refused.returncode == 2
    assert place in refused.stderr
    assert "Traceback" not in refused.stderr
    kept = {path.name for path in (course / "verdicts").iterdir()}
    assert kept <= {".pseudonyms"}  # no record, which marks what is done, but perhaps the course's secret
    again = in_namespace(course, GRADE)
    assert again.returncode == 0, again.stderr
    assert graded(course) == ({"reference", "blank"}, {"reference", "blank"})


def test_a_disk_that_is_full_ends_the_run_and_loses_nothing(course_of, tmp_path):
    course, small = course_of("reference", "blank"), tmp_path / "small"
    small.mkdir()
    fill = "dd if=/dev/zero of=filling bs=1k count=$(($(df -k --output=avail . | tail -1) - 150)) 2>/dev/null"
    script = f"""
        cp -r {course}/. {small} && cd {small} && {fill}
        {GRADE}; echo "first $?"; ls -A {small}
        rm filling
        {GRADE}; echo "second $?"; ls -A {small}; cp -r {small} {tmp_path}/kept
    """
    done = in_namespace(tmp_path, script, "--size", "8000000", "--tmpfs", str(small))
    first, second = done.stdout.split("first ")[1].split("second ")
    assert first.splitlines()[0] == "2", done.stderr
    assert "No space left on device" in done.stderr or "disk is full" in done.stderr
    assert "same command again" in done.stderr
    assert ".grading" not in first
    assert second.splitlines()[0] == "0", done.stderr
    assert graded(tmp_path / "kept") == ({"reference", "blank"}, {"reference", "blank"})
