"""The formgrader of `mlsd lab --instructor`: a student's files run nowhere, and its course is the one in the folder.

A Jupyter server extension. nbgrader's formgrader hands out every file of a graded folder from JupyterLab's own origin,
so a page that a student handed in beside the notebook could do there what the instructor can. It also takes the path of
another course from its address, and runs the `nbgrader_config.py` that lies there: a link to a student's folder would
run the student's file. What its other pages say of students, and repeat of an address, it writes as markup.
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

_front = handlers.FormgraderHandler.get
_render = base.BaseHandler.render


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(_server: Any) -> None:
    base.BaseHandler.content_security_policy = _PAGES
    base.BaseHandler.render = _escaped
    handlers.SubmissionFilesHandler.content_security_policy = _FILES
    handlers.FormgraderHandler.get = _this_course


def _this_course(handler: Any) -> Any:
    asked, root = handler.get_argument("path", ""), handler.coursedir.root
    if asked and Path(asked).resolve() != Path(root).resolve():
        raise HTTPError(403, f"This formgrader shows the course in {root} alone. Start another for {asked}.")
    return _front(handler)


def _escaped(handler: Any, name: str, **told: Any) -> Any:
    return _render(handler, name, **{key: _as_text(value) for key, value in told.items()})


def _as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_text(one) for key, one in value.items()}
    return escape(value) if isinstance(value, str) else value
