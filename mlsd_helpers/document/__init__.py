"""The design document: Markdown made from a design, in which every number links to its source.

>>> from mlsd_helpers.design import Design
>>> document(Design(name="Harbour Pay")).splitlines()[2]
'# Harbour Pay'
"""

from mlsd_helpers.document.saving import save
from mlsd_helpers.document.writing import document

__all__ = ["document", "save"]
