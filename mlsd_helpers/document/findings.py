"""The findings of the review, as a table."""

import re

from mlsd_helpers.document.markdown import Md, code, escape, section, table
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review import review

_PATH = re.compile(r"[\w.-]+")


def findings(figures: Figures) -> Md:
    """Write each finding of the review."""
    rows = [
        (code(one.code), escape(one.severity), _place(one.where), escape(one.message), escape(one.fix))
        for one in review(figures.design)
    ]
    body = table(("finding", "severity", "where", "what", "what to do"), rows)
    return section("findings", "Open findings", body or Md("None: a review by rules finds nothing."))


def _place(where: str) -> Md:
    return code(where) if _PATH.fullmatch(where) else escape(where)
