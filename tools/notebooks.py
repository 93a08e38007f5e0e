"""Notebooks and their text twins: carry changes over, run the lessons, store nothing that a machine adds.

`python -m tools.notebooks sync`: the newer of each pair wins; a twin alone makes its notebook.
`python -m tools.notebooks execute`: each lesson is run in a new workspace, and its outputs stored; with names, such as
05_capacity, those alone.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupytext.cli import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from mlsd_helpers import workspace

ROOT = Path(__file__).parents[1]
CELL_TIMEOUT_S = 120
KEPT_METADATA = ("nbgrader", "tags")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # names a model that dies with its kernel
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass(frozen=True)
class Pair:
    """A notebook and the text that is reviewed in its place."""

    notebook: Path
    twin: Path

    @property
    def is_lesson(self) -> bool:
        """Whether outputs are kept: in lessons, not in assignments."""
        return self.twin.parent.name == "text"


def pairs(root: Path = ROOT) -> tuple[Pair, ...]:
    """Return every pair of which at least one half exists, lessons first."""
    course, source = root / "course", root / "source"
    lessons = {path.stem for path in (*course.glob("*.ipynb"), *course.glob("text/*.py"))}
    assignments = {path.with_suffix("") for path in (*source.glob("*/*.ipynb"), *source.glob("*/*.py"))}
    return (
        *(Pair(course / f"{name}.ipynb", course / "text" / f"{name}.py") for name in sorted(lessons)),
        *(Pair(path.with_suffix(".ipynb"), path.with_suffix(".py")) for path in sorted(assignments)),
    )


def tidied(notebook: NotebookNode, *, keep_outputs: bool) -> NotebookNode:
    """Return the notebook without what depends on the machine, the kernel or the editor that saved it."""
    cells = [_tidied_cell(cell, keep_outputs=keep_outputs) for cell in notebook.cells]
    tidy: NotebookNode = nbformat.from_dict({**notebook, "cells": cells, "metadata": NOTEBOOK_METADATA})
    return tidy


def _tidied_cell(cell: NotebookNode, *, keep_outputs: bool) -> dict[str, object]:
    metadata = {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}
    tidy = {**cell, "metadata": metadata}
    if cell.cell_type != "code":
        return tidy
    if not keep_outputs:
        return tidy | {"outputs": [], "execution_count": None}
    return tidy | {"outputs": [_without_widget_view(output) for output in cell.outputs]}


def _without_widget_view(output: NotebookNode) -> dict[str, object]:
    if "data" not in output:
        return output
    return output | {"data": {kind: value for kind, value in output.data.items() if kind != WIDGET_VIEW}}


def sync(root: Path = ROOT) -> None:
    """Make both halves of every pair equal to the newer one, keeping cell ids and outputs."""
    for pair in pairs(root):
        jupytext(["--quiet", "--sync", str(pair.twin if pair.twin.exists() else pair.notebook)])
        _write(pair, nbformat.read(pair.notebook, as_version=4))


def execute(*names: str, root: Path = ROOT) -> None:
    """Run every lesson, or those named, from top to bottom, each in a workspace of its own; store what it shows."""
    lessons = {pair.notebook.stem: pair for pair in pairs(root) if pair.is_lesson}
    if unknown := set(names) - set(lessons):
        sys.exit(f"There is no lesson {', '.join(sorted(unknown))}. There are: {', '.join(lessons)}.")
    for pair in (lessons[name] for name in names or lessons):
        print(f"running {pair.notebook.relative_to(root)}", flush=True)
        with TemporaryDirectory() as folder:
            workspace.make(root, Path(folder))
            _write(pair, executed(nbformat.read(pair.notebook, as_version=4), Path(folder)))


def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Return the notebook as a learner's folder leaves it when every cell has run once, in order."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def _write(pair: Pair, notebook: NotebookNode) -> None:
    text = nbformat.writes(tidied(notebook, keep_outputs=pair.is_lesson)) + "\n"
    if text != pair.notebook.read_text(encoding="utf-8"):
        pair.notebook.write_text(text, encoding="utf-8")
    os.utime(pair.twin)  # the twin stays the newer half: JupyterLab refuses an older one that differs


def main(command: str, *names: str) -> None:
    """Carry out one command."""
    try:
        {"sync": sync, "execute": lambda: execute(*names)}[command]()
    except CellExecutionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
