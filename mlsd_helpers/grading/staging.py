"""nbgrader's own converters, run on one submission in a folder aside, whose results then take their place whole.

What nbgrader writes is what `nbgrader autograde` and `nbgrader generate_feedback` write: the same rows in the
gradebook, the same files. The cells have already run; their outputs are put in where nbgrader would execute.
"""

import re
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.ipkernel import IPythonKernel
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.writers.files import FilesWriter
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import CheckCellMetadata, Execute
from sqlalchemy.exc import SAWarning
from traitlets import default
from traitlets.config import Config

from mlsd_helpers.grading import bookkeeping, sanitising
from mlsd_helpers.grading.deadline import time_limit
from mlsd_helpers.grading.pages import TEMPLATES

Executor = Callable[[Any, Any], tuple[Any, Any]]


class _Staged(BaseConverter):  # type: ignore[misc]
    """What two converters share here: one exporter for all submissions, and no search for them by a pattern.

    nbgrader makes an exporter for each run, and with it compiles its page's templates again; and a student whose
    name has brackets is no pattern.
    """

    _warm = False

    def start(self) -> None:
        self.init_notebooks()
        if not self._warm:
            self._warm = True
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
        """Convert what is there as nbgrader does, and let an error out instead of logging it."""
        directory = self.coursedir
        names = directory.assignment_id, directory.student_id
        self.notebooks = next(iter(self.assignments.values()))
        self.init_assignment(*names)
        # The writer makes it when its name changes: not for the same student twice.
        Path(self._format_dest(*names)).mkdir(parents=True, exist_ok=True)
        for notebook in self.notebooks:
            self.convert_single_notebook(notebook)
        self.set_permissions(*names)


class _Autograde(_Staged, Autograde):  # type: ignore[misc]
    """Autograde, with the outputs of cells that ran elsewhere in place of execution."""


class _Feedback(_Staged, GenerateFeedback):  # type: ignore[misc]
    """Feedback, with its page's templates compiled once."""

    @default("exporter_class")
    def _exporter_class_default(self) -> type:
        return _Page


class _Page(HTMLExporter):
    """nbgrader's page, without a second parse of it, and with what many submissions share made once.

    nbconvert reads the page that it has just written again, to name images and to mark cells of another template. The
    pages are the same to a parser; this takes a fraction of the time.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._text_as_html = lru_cache(_KEPT)(partial(super().markdown2html, {}))

    @pass_context
    def markdown2html(self, context: Any, source: str) -> Any:
        """Return Markdown as HTML: a student's is HTML already, and ours is the same for everyone."""
        if sanitising.is_line(source):
            return source
        if context.get("cell", {}).get("attachments") or self.embed_images:
            return super().markdown2html(context, source)
        return self._text_as_html(source)

    def register_preprocessor(self, preprocessor: Any, enabled: bool = False) -> Any:
        """Add a step of nbgrader's or the course's, but for the one that was done before the notebook was written."""
        if _is(preprocessor, sanitising.Sanitise):
            return None
        return super().register_preprocessor(preprocessor, enabled)  # type: ignore[no-untyped-call]

    def _init_resources(self, resources: Any) -> Any:
        made = super()._init_resources(resources)  # type: ignore[no-untyped-call]
        made["include_css"] = sanitising.without_fonts(made["include_css"])
        return made

    def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> tuple[Any, Any]:
        """Write the page, and give an image without a description one that says so, as nbconvert does."""
        resources = self._init_resources(resources)
        self.register_filter("highlight_code", sanitising.highlighted)  # type: ignore[no-untyped-call]
        kinds = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=resources)
        self.register_filter("filter_data_type", kinds)  # type: ignore[no-untyped-call]
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **options)
        return _IMAGE.sub(_described, page), resources


_KEPT = 1_000  # Markdown cells of ours
_IMAGE = re.compile(r"<img\b[^<>]*>")  # what a student wrote has no < or > of its own any more


def _described(image: re.Match[str]) -> str:
    tag = image[0]
    if " alt=" in tag:
        return tag
    return tag.replace("<img", '<img alt="No description has been provided for this image"', 1)


class Stage:
    """A folder aside, laid out as nbgrader expects, for one submission after the other."""

    def __init__(self, folder: Path, course: Path, config: Config, assignment: str) -> None:
        self._assignment = assignment
        self.folder = folder
        self._places = CourseDirectory(config=config)
        staged = Config(config)
        staged.CourseDirectory.update(
            root=str(course),
            assignment_id=assignment,
            db_url=self._places.db_url,
            submitted_directory=str(folder / "submitted"),
            autograded_directory=str(folder / "autograded"),
            feedback_directory=str(folder / "feedback"),
        )
        staged.Exporter.optimistic_validation = True  # once a notebook, not once a preprocessor
        staged.HTMLExporter.update(
            extra_template_basedirs=list(TEMPLATES), preprocessors=[]
        )  # sanitised below
        self._directory = CourseDirectory(config=staged)
        self._outputs: dict[str, Executor] = {}
        self._autograde = _Autograde(coursedir=self._directory, config=staged)
        self._feedback = _Feedback(coursedir=self._directory, config=staged)
        executes = list(self._autograde.autograde_preprocessors)
        self._autograde.autograde_preprocessors = [
            self._execute if _is(one, Execute) else one
            for one in executes
            if not _is(one, CheckCellMetadata) and not _is(one, sanitising.Sanitise)
        ]
        # The notebook is ours: copied into the released one, whose metadata nbgrader has checked.
        self._autograde.sanitize_preprocessors = [
            one for one in self._autograde.sanitize_preprocessors if not _is(one, CheckCellMetadata)
        ]

    def close(self) -> None:
        """Remove the folder, and close the gradebook."""
        remove(self.folder)
        bookkeeping.close(self._places.db_url)

    def place(self, step: str, student: str) -> Path:
        """Return a folder of the course as nbgrader is configured: step is submitted, autograded or feedback."""
        directory = getattr(self._places, f"{step}_directory")
        return Path(self._places.format_path(directory, student, self._assignment))

    def seconds_late(self, student: str, handed_in_at: datetime | None) -> float:
        """Return how long after its due date, and the student's extension, an assignment was handed in."""
        if handed_in_at is None:
            return 0.0
        with bookkeeping.kept_open(), Gradebook(self._places.db_url, self._places.course_id) as book:
            due = book.find_assignment(self._assignment).duedate
            with suppress(MissingEntry):
                due = book.find_submission(self._assignment, student).duedate  # with an extension
        return 0.0 if due is None else max(0.0, (handed_in_at - due).total_seconds())

    def submitted(self, student: str) -> Path:
        """Return the folder of a submission in the stage, empty."""
        for name in ("submitted", "autograded", "feedback"):
            remove(self.folder / name)
        folder = Path(self._directory.format_path(str(self.folder / "submitted"), student, self._assignment))
        folder.mkdir(parents=True)
        return folder

    def convert(
        self, student: str, outputs: Mapping[str, Mapping[int, list[Any]]], page_s: float
    ) -> dict[str, float]:
        """Let nbgrader grade what is in `submitted(student)` and make its feedback; return the seconds of each.

        `outputs` holds, by notebook, the outputs of its code cells by their place. What nbgrader raises comes out;
        so does OutOfTimeError, when the feedback page takes longer than `page_s` seconds.
        """
        self._outputs = {name: _outputs_of(by_place) for name, by_place in outputs.items()}
        self._directory.student_id = student
        spent = {}
        with bookkeeping.kept_open(), warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own queries
            # Writing to the gradebook may wait for others, and must not be left half done.
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
        """Put the graded notebook and its feedback where nbgrader has them, in place of earlier ones."""
        for step in ("autograded", "feedback"):
            made = Path(self._directory.format_path(str(self.folder / step), student, self._assignment))
            place = self.place(step, student)
            place.parent.mkdir(parents=True, exist_ok=True)
            aside = self.folder / f"{step}-before"
            remove(aside)
            if place.exists():
                place.rename(aside)
            made.rename(place)
            remove(aside)

    def _execute(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        return self._outputs[resources["nbgrader"]["notebook"]](notebook, resources)


def _outputs_of(by_place: Mapping[int, list[Any]]) -> Executor:
    def execute(notebook: Any, resources: Any) -> tuple[Any, Any]:
        notebook.metadata.language_info = dict(IPythonKernel.language_info)  # as a kernel would say
        number = 0
        for place, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            number += 1
            cell.execution_count = number
            cell.outputs = [nbformat.from_dict(output) for output in by_place.get(place, [])]
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = number
        sanitising.sanitise(notebook)
        return notebook, resources

    return execute


def _is(preprocessor: Any, kind: type) -> bool:
    """Tell whether an entry of nbgrader's list, a class or its dotted name, is of a kind."""
    if isinstance(preprocessor, str):
        return preprocessor.rpartition(".")[2] == kind.__name__
    return isinstance(preprocessor, type) and issubclass(preprocessor, kind)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, read-only files too; one that is not there is no error."""

    def writable(function: Callable[[str], object], path: str, _: object) -> None:
        Path(path).parent.chmod(0o700)
        Path(path).chmod(0o700)
        function(path)

    if folder.exists():
        shutil.rmtree(folder, onerror=writable)
