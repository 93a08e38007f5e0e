"""The formgrader of `mlsd lab --instructor`: students' files run nowhere, and it opens no other course.

A Jupyter server extension that closes three holes of nbgrader 0.9.5 (December 2026; a patch, since no setting does it):

- Formgrader serves every file of a graded folder from JupyterLab's own origin. A page that a student submitted beside
  the notebook could do there what the instructor can do. A content security policy sandboxes such files.
- The address of formgrader may name another course, whose `nbgrader_config.py` it runs. A link to a student's folder
  would run the student's file. Only the course in the folder is opened.
- Its pages write names of students and parts of the address as markup. They are escaped.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from nbgrader.server_extensions.formgrader import base, handlers
from tornado.web import HTTPError

_PAGES = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_FILES = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_get = handlers.FormgraderHandler.get
_render = base.BaseHandler.render


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(_server: Any) -> None:
    base.BaseHandler.content_security_policy = _PAGES
    base.BaseHandler.render = _escaped
    handlers.SubmissionFilesHandler.content_security_policy = _FILES
    handlers.FormgraderHandler.get = _only_this_course


def _only_this_course(handler: Any) -> Any:
    asked, root = handler.get_argument("path", ""), handler.coursedir.root
    if asked and Path(asked).resolve() != Path(root).resolve():
        raise HTTPError(
            403, f"This formgrader opens only the course in {root}. Start another one in {asked}."
        )
    return _get(handler)


def _escaped(handler: Any, name: str, **values: Any) -> Any:
    return _render(handler, name, **_as_text(values))


def _as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_text(one) for key, one in value.items()}
    return escape(value) if isinstance(value, str) else value
