"""Feedback pages under the names of the downloads, so that an LMS gives each page to its student.

Canvas's "Upload Submissions" and Moodle's "Upload multiple feedback files in a zip" find a student by the numbers in
the file names, which are those of the downloads:
https://github.com/instructure/canvas-lms/blob/master/app/models/abstract_assignment.rb and
https://github.com/moodle/moodle/blob/main/public/mod/assign/feedback/file/importziplib.php.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from nbgrader.coursedir import CourseDirectory

from mlsd_helpers.files import write_whole
from mlsd_helpers.grading import downloads
from mlsd_helpers.grading.release import configuration


@dataclass(frozen=True)
class FeedbackZip:
    """A zip of feedback: the path of each page by its name in the zip, and the students who have no page yet."""

    zip: Path
    pages: Mapping[str, Path]
    missing: tuple[str, ...]


def zip_feedback(course: Path, assignment: str, folder: Path, zip_file: Path) -> FeedbackZip:
    """Zip the feedback of the students who have a file in the downloads: one page for each notebook.

    Raises WorkspaceError where there are no such downloads or assignment.
    """
    directory = CourseDirectory(config=configuration(course))
    collection = downloads.collect(course, assignment, folder, dry_run=True)
    theirs = {
        one.student: one.prefix
        for outcome in (downloads.KEPT, downloads.TAKEN)
        for one in collection.of(outcome)
    }
    pages: dict[str, Path] = {}
    missing = []
    for student, prefix in sorted(theirs.items()):
        place = Path(directory.format_path(directory.feedback_directory, student, assignment))
        found = {prefix + page.name: page for page in sorted(place.glob("*.html"))}
        pages |= found
        missing += [] if found else [student]
    zipped = io.BytesIO()
    with ZipFile(zipped, "w", ZIP_DEFLATED) as archive:
        for name, path in pages.items():
            archive.write(path, name)
    write_whole(zip_file, zipped.getvalue(), mode=0o600)
    return FeedbackZip(zip_file, pages, tuple(missing))
