"""nbgrader's pages with a policy: what they call to load MathJax writes a policy in its place."""

from pathlib import Path

import nbgrader

TEMPLATES = (
    str(Path(__file__).parent),
    str(Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"),
)
"""Folders of nbconvert templates; the first that has a template gives it."""
