"""nbgrader's pages with a content security policy, which the template writes where nbgrader's would load MathJax."""

from pathlib import Path

import nbgrader

TEMPLATES = (
    str(Path(__file__).parent),
    str(Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"),
)
"""Folders of nbconvert templates; the first folder that has a template is used."""
