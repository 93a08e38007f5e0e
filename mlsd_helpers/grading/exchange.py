"""Submissions in nbgrader's exchange, collected one by one as they become complete.

`nbgrader collect` takes what is there, also a submission that is still being copied, which it then never takes again,
and it follows links, with which a student could have a file of the instructor's copied. Here a submission is taken once
it has its time and is quiet; links stay links, which grading does not follow; and it is copied aside and renamed.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import ignore_patterns, parse_utc
from traitlets.config import Config

from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading import submission
from mlsd_helpers.grading.converting import remove
from mlsd_helpers.grading.grade import WORK, Job
from mlsd_helpers.grading.restore import is_link
from mlsd_helpers.grading.submission import TIME_FILE
from mlsd_helpers.printable import one_line


class _Collector(ExchangeCollect):  # type: ignore[misc]
    """nbgrader's own collector: what is newer and whose it is. It copies aside, without following a link."""

    aside: Path

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a submission as nbgrader does, with its limits of size, and rename it when all of it is there."""
        remove(self.aside)
        directory = self.coursedir
        if self.get_size(src) > 1000 * directory.max_dir_size:
            raise ExchangeError(f"it has more than {directory.max_dir_size:,} kB")
        left_out = ignore_patterns(
            directory.ignore, directory.include, directory.max_file_size, log or self.log
        )
        copy = partial(shutil.copy2, follow_symlinks=False)
        shutil.copytree(src, self.aside, symlinks=True, ignore=left_out, copy_function=copy)
        if directory.groupshared:
            for path in (self.aside, *self.aside.rglob("*")):
                path.chmod(path.stat().st_mode | (0o2770 if path.is_dir() else 0o660), follow_symlinks=False)
        shutil.move(self.aside, dest)


@dataclass
class Inbound:
    """The part of the exchange into which students submit, for one assignment."""

    folder: Path
    assignment: str
    collector: _Collector
    _settled: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, config: Config, job: Job) -> "Inbound | None":
        """Return where students submit, or None where the course uses no exchange."""
        directory = CourseDirectory(config=config)
        collector = _Collector(coursedir=directory, config=config, update=True)
        collector.aside = job.course / WORK / "collected"
        folder = Path(collector.root) / directory.course_id / "inbound"
        if not directory.course_id or not folder.is_dir():
            return None
        if collector.before_duedate:
            raise GradingError(
                "c.ExchangeCollect.before_duedate is set, and --watch takes the newest submission. Take that setting "
                "out of nbgrader_config.py, or run `nbgrader collect` and `mlsd grade` without --watch."
            )
        collector.inbound_path = str(folder)
        return cls(folder, job.assignment, collector)

    def collect(self, is_quiet: Callable[[str, object], bool]) -> Iterator[str]:
        """Copy each student's newest submission into submitted/ once it is complete; yield a line for each problem.

        `is_quiet` is asked for the name and the stamp of a folder, until it says yes.
        """
        for student, name in self._newest().items():
            folder = self.folder / name
            if name in self._settled or is_link(folder) or not (folder / TIME_FILE).is_file():
                continue
            if not is_quiet(name, submission.stamp(folder)):
                continue
            self._settled.add(name)
            self.collector.src_records = [
                {"username": student, "filename": name, "timestamp": _time_of(name)}
            ]
            try:
                self.collector.copy_files()
            except (ExchangeError, OSError, RuntimeError, ValueError) as error:
                yield f"{one_line(name)} can't be collected: {one_line(str(error))}. `nbgrader collect` tries it again."

    def _newest(self) -> dict[str, str]:
        """Return the name of the newest folder of each student."""
        newest: dict[str, str] = {}
        for folder in sorted(self.folder.glob("*+*+*")):
            found = _NAME.fullmatch(folder.name)
            if found is None or found["assignment"] != self.assignment or found["student"].startswith("."):
                continue
            try:
                time = _time_of(folder.name)
            except ValueError:
                continue  # no name that nbgrader gives
            before = newest.get(found["student"])
            if before is None or time > _time_of(before):
                newest[found["student"]] = folder.name
        return newest


_NAME = re.compile(r"(?P<student>.+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-[^+]+)(?:\+[^+]*)?")
"""How nbgrader names a submission in the exchange: student, assignment, time, and letters that nobody can guess."""


def _time_of(name: str) -> Any:
    found = _NAME.fullmatch(name)
    return parse_utc(found["time"] if found else name)
