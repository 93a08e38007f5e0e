"""Keeps students' data from other users of the machine."""

import stat
from contextlib import suppress
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from mlsd_helpers.grading.records import FOLDER
from mlsd_helpers.grading.release import configuration

_STEPS = ("submitted", "autograded", "feedback")
_OURS = ("class", "reports", ".collected", FOLDER)


def keep_private(course: Path, db_url: str = "") -> None:
    """Take other users' rights off the folders with students' data and off the gradebook; a group keeps its own."""
    directory = CourseDirectory(config=configuration(course))
    kind, _, gradebook = (db_url or directory.db_url).partition(":///")
    files = [course / gradebook.partition("?")[0]] if kind == "sqlite" else []
    for path in (
        *(course / getattr(directory, f"{step}_directory") for step in _STEPS),
        *(course / name for name in _OURS),
        *files,
    ):
        with suppress(OSError):  # not there, or somebody else's, who decides about it
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & stat.S_IRWXO:
                path.chmod(mode & ~stat.S_IRWXO)
