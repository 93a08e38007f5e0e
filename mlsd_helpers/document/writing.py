"""Write the document of a design, section by section."""

import re
from collections.abc import Callable
from pathlib import Path

from mlsd_helpers.design import Design
from mlsd_helpers.document.capacity import capacity
from mlsd_helpers.document.data import data
from mlsd_helpers.document.dataflow import dataflow
from mlsd_helpers.document.decisions import decisions
from mlsd_helpers.document.findings import findings
from mlsd_helpers.document.gaps import undecided_parts
from mlsd_helpers.document.markdown import Md, blocks, joined, link
from mlsd_helpers.document.operations import operations
from mlsd_helpers.document.planes import flows, planes
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.document.reasons import assumptions, further_fields, plan, sources, used_formulas
from mlsd_helpers.document.requirements import requirements
from mlsd_helpers.document.saving import marked
from mlsd_helpers.document.summary import head, summary

_TITLE = re.compile(r'<a id="(section-[a-z]+)"></a>\n\n## (.*)')

SECTIONS: tuple[Callable[[Figures], Md], ...] = (
    summary,
    requirements,
    planes,
    decisions,
    data,
    capacity,
    operations,
    findings,
    undecided_parts,
    flows,
    dataflow,
    plan,
    assumptions,
    sources,
)


def document(design: Design, *, folder: Path | None = None) -> str:
    """Write the design document: Markdown that GitHub and JupyterLab show, diagrams included.

    A part that the design lacks is left out and named under "Not decided yet". Every number in the tables links to
    its origin: a requirement, an assumption, a source, a row of the plan or a formula. The same design gives the same
    document. Its first line lets `save` detect later changes.

    `folder` is the folder of the design's file. The prose that `about.context_file` names is read from there; without
    a folder it is only named. Raises ``DesignError`` when that file cannot be read.
    """
    figures = Figures(design, folder)
    sections = [write(figures) for write in SECTIONS]
    first = head(figures)
    sections.insert(-1, further_fields(figures, blocks(first, *sections)))
    body = blocks(*sections)
    sections.append(used_formulas(body))
    titles = filter(None, map(_TITLE.match, sections))
    contents = joined((link(title[2], title[1]) for title in titles), " · ")
    return marked(blocks(first, contents, body, sections[-1]) + "\n")
