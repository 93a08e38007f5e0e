"""Write the document of a design, section by section."""

from collections.abc import Callable

from mlsd_helpers.design import Design
from mlsd_helpers.document.dataflow import dataflow
from mlsd_helpers.document.findings import findings
from mlsd_helpers.document.markdown import Md, block, blocks, bullets, escape, link, section
from mlsd_helpers.document.pattern import decisions
from mlsd_helpers.document.planes import planes
from mlsd_helpers.document.provenance import Figures, undecided
from mlsd_helpers.document.reasons import assumptions, capacity, sources, used_formulas
from mlsd_helpers.document.requirements import budget, requirements
from mlsd_helpers.document.saving import marked

PARTS = ("requirements", "planes", "dataflow", "pattern", "capacity")


def document(design: Design) -> str:
    """Write the design document: Markdown that GitHub and JupyterLab show, diagrams included.

    Every number in its tables links to where it comes from: a requirement, an assumption, a source, a row of
    the plan or a formula. The same design gives the same document. By its first line, `save` sees whether
    somebody changed it later.
    """
    figures = Figures(design)
    body = blocks(*(write(figures) for write in SECTIONS))
    return marked(blocks(Md(f"# {escape(design.name)}"), body, used_formulas(body)) + "\n")


def summary(figures: Figures) -> Md:
    """Write what the system is for, and its most important figures."""
    words = figures.design.summary
    missing = [part for part in PARTS if getattr(figures.design, part) is None]
    return section(
        "summary",
        "Summary",
        block(words) if words else undecided("summary"),
        bullets(Md(f"{name}: {value}") for name, value in _facts(figures)),
        undecided(*missing) if missing else Md(""),
    )


def _facts(figures: Figures) -> list[tuple[str, Md]]:
    pattern = figures.design.pattern
    choice = pattern.choice if pattern else None
    needs = "requirements"
    return [
        ("Prediction", _fact(figures, f"{needs}.prediction.type")),
        ("Latency budget", _fact(figures, f"{needs}.latency.budget")),
        ("Peak", _fact(figures, f"{needs}.throughput.peak")),
        ("Features at most", _fact(figures, f"{needs}.freshness.features")),
        ("Pattern", link(escape(choice), "section-decisions") if choice else undecided("pattern")),
        ("Replicas", _fact(figures, "capacity.replicas")),
    ]


def _fact(figures: Figures, path: str) -> Md:
    return undecided(path) if figures.held(path) is None else figures.required(path)


SECTIONS: tuple[Callable[[Figures], Md], ...] = (
    summary,
    requirements,
    budget,
    planes,
    dataflow,
    decisions,
    capacity,
    findings,
    assumptions,
    sources,
)
