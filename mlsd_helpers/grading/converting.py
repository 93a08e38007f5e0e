"""nbgrader's own converters, run on one submission in a temporary directory, whose results are then moved into place.

nbgrader writes what `nbgrader autograde` and `nbgrader generate_feedback` write: the same rows in the gradebook, the
same files. The cells have already run: where nbgrader would execute them, their outputs are put in. nbgrader reads a
score from an output that is a number; `score_outputs` writes such an output, and `score_of` reads one.
"""

import hashlib
import math
import re
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.ipkernel import IPythonKernel
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.writers.files import FilesWriter
from nbgrader.api import BaseCell, Comment, Grade, MissingEntry
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import CheckCellMetadata, Execute, SaveAutoGrades
from nbgrader.utils import determine_grade
from sqlalchemy.exc import SAWarning
from traitlets import default
from traitlets.config import Config

from mlsd_helpers.grading import bookkeeping, sanitising
from mlsd_helpers.grading.bookkeeping import SharedGradebook
from mlsd_helpers.grading.deadline import time_limit
from mlsd_helpers.grading.pages import TEMPLATES

Outputs = Mapping[str, Mapping[int, list[Any]]]
"""By notebook, the outputs of its code cells by the cell's index."""


class _OneSubmission(BaseConverter):  # type: ignore[misc]
    """A converter that keeps one exporter for all submissions, and finds a submission by its path.

    nbgrader makes an exporter for each run, which compiles the templates of its page again. It also finds submissions
    by a glob pattern, which fails for a student whose name has brackets.
    """

    _has_exporter = False

    def start(self) -> None:
        self.init_notebooks()
        if not self._has_exporter:
            self._has_exporter = True
            self.writer = FilesWriter(parent=self, config=self.config)
            self.exporter = self.exporter_class(parent=self, config=self.config)
            for preprocessor in self.preprocessors:
                self.exporter.register_preprocessor(preprocessor)
        self.convert_notebooks()

    def init_notebooks(self) -> None:
        directory = self.coursedir
        folder = self._format_source(directory.assignment_id, directory.student_id)
        self.assignments = {folder: sorted(map(str, Path(folder).glob("*.ipynb")))}
        self.notebooks: list[str] = []

    def convert_notebooks(self) -> None:
        """Convert the notebooks as nbgrader does, and raise an error instead of logging it."""
        directory = self.coursedir
        names = directory.assignment_id, directory.student_id
        self.notebooks = next(iter(self.assignments.values()))
        self.init_assignment(*names)
        # The writer makes this directory only when its name changes: not for the same student twice.
        Path(self._format_dest(*names)).mkdir(parents=True, exist_ok=True)
        for notebook in self.notebooks:
            self.convert_single_notebook(notebook)
        self.set_permissions(*names)


class _Autograde(_OneSubmission, Autograde):  # type: ignore[misc]
    """Autograde, with the outputs of cells that ran elsewhere in place of execution."""


class _Feedback(_OneSubmission, GenerateFeedback):  # type: ignore[misc]
    """Feedback, with the templates of its page compiled once."""

    @default("exporter_class")
    def _exporter_class_default(self) -> type:
        return _FeedbackExporter


class _FeedbackExporter(HTMLExporter):
    """nbgrader's feedback page, written without parsing it again, and with the released Markdown rendered once.

    nbconvert parses the page that it has just written, to describe images and to mark cells of another template. A
    parser sees no difference between the two pages; this one takes a fraction of the time.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._text_as_html = lru_cache(1_000)(partial(super().markdown2html, {}))  # released Markdown cells

    @pass_context
    def markdown2html(self, context: Any, source: str) -> Any:
        """Return Markdown as HTML: a student's has been rendered, and ours is the same for everyone."""
        if sanitising.is_line(source):
            return source
        if context.get("cell", {}).get("attachments") or self.embed_images:
            return super().markdown2html(context, source)
        return self._text_as_html(source)

    def register_preprocessor(self, preprocessor: Any, enabled: bool = False) -> Any:
        """Add a preprocessor of nbgrader or the course, except Sanitise, which ran before the notebook was written."""
        if _is(preprocessor, sanitising.Sanitise):
            return None
        return super().register_preprocessor(preprocessor, enabled)  # type: ignore[no-untyped-call]

    def _init_resources(self, resources: Any) -> Any:
        made = super()._init_resources(resources)  # type: ignore[no-untyped-call]
        made["include_css"] = sanitising.without_fonts(made["include_css"])
        return made

    def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> tuple[Any, Any]:
        """Write the page. An image without a description gets one that says so, as nbconvert gives it."""
        resources = self._init_resources(resources)
        self.register_filter("highlight_code", sanitising.highlighted)  # type: ignore[no-untyped-call]
        kinds = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=resources)
        self.register_filter("filter_data_type", kinds)  # type: ignore[no-untyped-call]
        # HTMLExporter's own method parses the page again (nbconvert 7.16, December 2026; no setting turns that off).
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **options)
        return _IMAGE.sub(_described, page), resources


_IMAGE = re.compile(r"<img\b[^<>]*>")  # in what a student wrote, every other < or > is escaped


def _described(image: re.Match[str]) -> str:
    tag = image[0]
    if " alt=" in tag:
        return tag
    return tag.replace("<img", '<img alt="No description has been provided for this image"', 1)


@dataclass(frozen=True)
class KnownSubmission:
    """What the gradebook knows before a submission is graded; times are in UTC without a zone.

    `by_hand` is a digest of the scores and comments that were entered by hand, or "" where there are none.
    """

    due: datetime | None = None
    extension: timedelta | None = None
    by_hand: str = ""


class _SaveGrades(SaveAutoGrades):  # type: ignore[misc]
    """Saves the scores, and lets a submission that was graded by hand not wait again, unless it is another one.

    nbgrader's own asks for a new manual grade after each run.
    """

    enabled = True
    resubmitted = True

    def _add_score(self, cell: Any, resources: Any) -> None:
        names = self.notebook_id, self.assignment_id, self.student_id
        grade = self.gradebook.find_grade(cell.metadata.nbgrader.grade_id, *names)
        settled = not self.resubmitted and grade.manual_score is not None and not grade.needs_manual_grade
        super()._add_score(cell, resources)
        if settled:
            grade.needs_manual_grade = False
            self.gradebook.db.commit()


class SubmissionConverter:
    """Runs nbgrader's converters on one submission after the other, in a temporary directory of nbgrader's layout."""

    def __init__(self, folder: Path, course: Path, config: Config, assignment: str) -> None:
        self._assignment = assignment
        self.folder = folder
        self._course = CourseDirectory(config=config)
        temporary = Config(config)
        temporary.CourseDirectory.update(
            root=str(course),
            assignment_id=assignment,
            db_url=self._course.db_url,
            submitted_directory=str(folder / "submitted"),
            autograded_directory=str(folder / "autograded"),
            feedback_directory=str(folder / "feedback"),
        )
        temporary.Exporter.optimistic_validation = True  # once a notebook, not once a preprocessor
        # Without preprocessors, since what is exported has been sanitised.
        temporary.HTMLExporter.update(extra_template_basedirs=list(TEMPLATES), preprocessors=[])
        self._directory = CourseDirectory(config=temporary)
        self._outputs: Outputs = {}
        self._autograde = _Autograde(coursedir=self._directory, config=temporary)
        self._feedback = _Feedback(coursedir=self._directory, config=temporary)
        self._save_grades = _SaveGrades(parent=self._autograde)
        own = {Execute: self._put_outputs_in, SaveAutoGrades: self._save_grades}
        self._autograde.autograde_preprocessors = [
            next((ours for kind, ours in own.items() if _is(one, kind)), one)
            for one in self._autograde.autograde_preprocessors
            if not _is(one, CheckCellMetadata) and not _is(one, sanitising.Sanitise)
        ]
        # The answers are in a copy of the released notebook, whose metadata nbgrader has checked.
        self._autograde.sanitize_preprocessors = [
            one for one in self._autograde.sanitize_preprocessors if not _is(one, CheckCellMetadata)
        ]

    def close(self) -> None:
        """Remove the temporary directory, and close the gradebook."""
        remove(self.folder)
        bookkeeping.close(self._course.db_url)

    def course_folder(self, step: str, student: str) -> Path:
        """Return a folder of the course as nbgrader is configured: step is submitted, autograded or feedback."""
        directory = getattr(self._course, f"{step}_directory")
        return Path(self._course.format_path(directory, student, self._assignment))

    def known(self, student: str) -> KnownSubmission:
        """Return what the gradebook knows of a student's submission."""
        with SharedGradebook(self._course.db_url, self._course.course_id) as book:
            due = book.find_assignment(self._assignment).duedate
            try:
                submission = book.find_submission(self._assignment, student)
            except MissingEntry:
                return KnownSubmission(due)
            entered: list[Any] = []
            for notebook in submission.notebooks:
                for kind, *fields in (
                    (Grade, Grade.manual_score, Grade.extra_credit),
                    (Comment, Comment.manual_comment),
                ):
                    rows = book.db.query(BaseCell.name, *fields).join(kind, kind.cell_id == BaseCell.id)
                    entered += [
                        tuple(row)
                        for row in rows.filter(kind.notebook_id == notebook.id)
                        if any(one is not None for one in row[1:])
                    ]
            digest = hashlib.sha256(repr(sorted(map(repr, entered))).encode()).hexdigest()[:16]
            return KnownSubmission(due, submission.extension, digest if entered else "")

    def convert(
        self,
        student: str,
        notebooks: Mapping[str, Any],
        outputs: Outputs,
        files: Mapping[str, bytes],
        page_s: float,
        *,
        at: datetime | None = None,
        extension: timedelta | None = None,
        resubmitted: bool = True,
    ) -> dict[str, float]:
        """Let nbgrader grade notebooks and write their feedback pages; return the seconds that each took.

        `files` are nbgrader's own files beside them; `at` is when it was submitted, in UTC without a zone. Raises what
        nbgrader raises, and OutOfTimeError when the feedback pages take longer than `page_s` seconds.
        """
        self._save_grades.resubmitted = resubmitted
        with SharedGradebook(self._course.db_url, self._course.course_id) as book:
            book.update_or_create_student(student)
            submission = book.update_or_create_submission(self._assignment, student)
            submission.timestamp, submission.extension = at, extension
            book.db.commit()
        for step in ("submitted", "autograded", "feedback"):
            remove(self.folder / step)
        submitted = self._temporary_folder("submitted", student)
        write_files(files, submitted)
        for name, notebook in notebooks.items():
            nbformat.write(notebook, submitted / f"{name}.ipynb")
        self._outputs = outputs
        self._directory.student_id = student
        spent = {}
        with bookkeeping.shared_gradebook_connection(), warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # about nbgrader's own queries
            # Autograde has no time limit: it may wait for others to write to the gradebook, and must end what it began.
            for name, converter, limit in (
                ("gradebook", self._autograde, nullcontext()),
                ("feedback", self._feedback, time_limit(page_s)),
            ):
                began = time.perf_counter()
                with limit:
                    converter.start()
                spent[name] = round(time.perf_counter() - began, 4)
        return spent

    def publish(self, student: str) -> None:
        """Move the graded notebooks and their feedback to where nbgrader has them, in place of earlier ones."""
        for step in ("autograded", "feedback"):
            place, before = self.course_folder(step, student), self.folder / f"{step}-before"
            place.parent.mkdir(parents=True, exist_ok=True)
            remove(before)
            if place.exists():
                place.rename(before)
            self._temporary_folder(step, student).rename(place)
            remove(before)

    def _temporary_folder(self, step: str, student: str) -> Path:
        return Path(self._directory.format_path(str(self.folder / step), student, self._assignment))

    def _put_outputs_in(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        """Put the outputs into a notebook's cells: a preprocessor in place of nbgrader's Execute."""
        outputs = self._outputs[resources["nbgrader"]["notebook"]]
        notebook.metadata.language_info = dict(IPythonKernel.language_info)  # as a kernel sets it
        number = 0
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            number += 1
            cell.execution_count = number
            cell.outputs = [nbformat.from_dict(output) for output in outputs.get(index, [])]
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = number
        sanitising.sanitise(notebook)
        return notebook, resources


def _is(preprocessor: Any, kind: type) -> bool:
    """Tell whether an entry of nbgrader's list, a class or its dotted name, is of a kind."""
    if isinstance(preprocessor, str):
        return preprocessor.rpartition(".")[2] == kind.__name__
    return isinstance(preprocessor, type) and issubclass(preprocessor, kind)


# ---- scores in outputs ----------------------------------------------------------------------------


def score_outputs(shown: Mapping[str, str], score: float) -> list[Any]:
    """Return the output of a test cell: what to show, and as plain text the number that nbgrader reads as its score."""
    return [
        nbformat.v4.new_output("execute_result", data={**shown, "text/plain": repr(float(score))}),
    ]


def score_of(cell: Any, outputs: list[Any]) -> float:
    """Return the score that nbgrader reads from the outputs of a test cell.

    A number below 0, above the points of the cell, or none, is first put right in the outputs themselves: a student's
    process may have written it.
    """
    points = float(cell["metadata"].nbgrader.points)
    for output in outputs:
        if output.output_type == "execute_result":
            with suppress(ValueError):
                value = float(output.data.get("text/plain", ""))
                score = 0.0 if math.isnan(value) else min(max(value, 0.0), points)
                output.data["text/plain"] = repr(score)
    score, _ = determine_grade(nbformat.from_dict({**cell, "outputs": outputs}))
    return float(score or 0)


# ---- files ----------------------------------------------------------------------------------------


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files, by their path below a folder that is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def remove(folder: Path) -> None:
    """Remove a folder and its content, read-only files too; a missing folder is no error."""

    def writable(function: Callable[[str], object], path: str, _: object) -> None:
        Path(path).parent.chmod(0o700)
        Path(path).chmod(0o700)
        function(path)

    if folder.exists():
        shutil.rmtree(folder, onerror=writable)
