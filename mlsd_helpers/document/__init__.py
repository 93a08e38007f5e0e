"""The design document: Markdown that writes itself from a design, every number linked to where it comes from.

>>> from mlsd_helpers.design import Design
>>> document(Design(name="Harbour Pay")).splitlines()[2]
'# Harbour Pay'
"""

from mlsd_helpers.document.saving import save
from mlsd_helpers.document.writing import document

__all__ = ["document", "save"]
