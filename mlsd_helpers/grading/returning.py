"""Feedback pages under the names of the downloads, so that an LMS gives each page back to its student.

Canvas's "Upload Submissions" and Moodle's "Upload multiple feedback files in a zip" find a student by the numbers in
the names that they gave: https://github.com/instructure/canvas-lms/blob/master/app/models/abstract_assignment.rb and
https://github.com/moodle/moodle/blob/main/public/mod/assign/feedback/file/importziplib.php.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from nbgrader.coursedir import CourseDirectory

from mlsd_helpers.grading import downloads
from mlsd_helpers.grading.release import configuration


@dataclass(frozen=True)
class FeedbackZip:
    """What went into the zip, each page's name by its path; and the students who have no page yet."""

    zip: Path
    pages: Mapping[str, Path]
    missing: tuple[str, ...]


def zip_feedback(course: Path, assignment: str, folder: Path, zip_file: Path) -> FeedbackZip:
    """Write a zip of the feedback of those who have a file in the downloads, one page a notebook.

    Raises WorkspaceError where there are no such downloads or assignment.
    """
    config = configuration(course)
    config.CourseDirectory.root = str(course.resolve())
    directory = CourseDirectory(config=config)
    sorted_out = downloads.collect(course, assignment, folder, dry_run=True)
    theirs = {
        one.student: one.prefix
        for outcome in (downloads.KEPT, downloads.TAKEN)
        for one in sorted_out.of(outcome)
    }
    pages: dict[str, Path] = {}
    missing = []
    for student, prefix in sorted(theirs.items()):
        place = Path(directory.format_path(directory.feedback_directory, student, assignment))
        found = {prefix + page.name: page for page in sorted(place.glob("*.html"))}
        pages |= found
        missing += [] if found else [student]
    _write(zip_file, pages)
    return FeedbackZip(zip_file, pages, tuple(missing))


def _write(zip_file: Path, pages: Mapping[str, Path]) -> None:
    """Write the zip whole or not at all."""
    handle, made = tempfile.mkstemp(dir=zip_file.resolve().parent, prefix=".feedback-")
    try:
        with os.fdopen(handle, "wb") as file, ZipFile(file, "w", ZIP_DEFLATED) as archive:
            for name, path in pages.items():
                archive.write(path, name)
        Path(made).replace(zip_file)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
