"""Notebooks and their text twins: carry changes over, run the lessons, store nothing that a machine adds.

`python -m tools.notebooks sync`: the half of a pair that somebody changed is carried over to the other; a twin alone
makes its notebook. `python -m tools.notebooks execute`: each lesson whose code or package has changed is run in a new
workspace, with the recordings of the testbed, and its outputs are stored; the cells tagged `nbval-ignore-output` keep
what they measured. `python -m tools.notebooks record` measures anew. The last two take names, such as 05_capacity.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbformat
from jupytext.cli import jupytext as run_jupytext
from jupytext.config import load_jupytext_configuration_file
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from mlsd_helpers import workspace
from tools.past import Past, digest

ROOT = Path(__file__).parents[1]
CELL_TIMEOUT_S = 120
MEASURES = "nbval-ignore-output"  # the tag of a cell whose output differs from run to run
RUNS_ON = ("mlsd_helpers", "requirements.lock")  # what the outputs of a lesson depend on, beside its code
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
    return tidy | {"outputs": _joined(map(_without_widget_view, cell.outputs))}


def _without_widget_view(output: NotebookNode) -> NotebookNode:
    if "data" not in output:
        return output
    data = {kind: value for kind, value in output.data.items() if kind != WIDGET_VIEW}
    shown: NotebookNode = nbformat.from_dict({**output, "data": data})
    return shown


def _joined(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Join what a stream was cut into by chance, and drop displays that show nothing."""
    kept: list[NotebookNode] = []
    for output in outputs:
        last = kept[-1] if kept else None
        if output.output_type == "display_data" and not any(output.data.values()):
            continue
        if output.output_type == "stream" and last and output.get("name") == last.get("name"):
            kept[-1] = nbformat.from_dict({**last, "text": last.text + output.text})
        else:
            kept.append(output)
    return kept


# ---------------------------------------------------------------- carry changes over


def sync(root: Path = ROOT) -> None:
    """Carry the changed half of every pair over to the other, keeping cell ids and outputs; print which."""
    past = Past.of(root)
    apart = [pair for pair in pairs(root) if not _agree(pair, root)]
    winners = {pair: _changed_half(pair, past) for pair in apart}
    if problems := [_both_changed(pair, root) for pair, winner in winners.items() if not winner]:
        sys.exit("\n".join([*problems, "Nothing was written."]))
    for pair, winner in winners.items():
        if winner:
            _carry_over(pair, winner, root)
    for pair in pairs(root):
        _write(pair, nbformat.read(pair.notebook, as_version=4))
        past.memory[_name(pair.twin, root)] = digest(pair.twin.read_text(encoding="utf-8"))
    past.remember()


def _agree(pair: Pair, root: Path) -> bool:
    if not (pair.notebook.exists() and pair.twin.exists()):
        return False
    texts = {_as_twin(half, half.read_text(encoding="utf-8"), root) for half in (pair.notebook, pair.twin)}
    return len(texts) == 1


def _as_twin(half: Path, text: str, root: Path) -> str:
    """Return the text of a half as its twin would say it."""
    if half.suffix == ".py":
        return text
    written: str = jupytext.writes(nbformat.reads(text, as_version=4), "py:percent", config=_settings(root))
    return written


@cache
def _settings(root: Path) -> object:
    return load_jupytext_configuration_file(str(root / "jupytext.toml"))


def _changed_half(pair: Pair, past: Past) -> Path | None:
    """Return the half that holds somebody's change: the only one there, or the only one that differs from before."""
    halves = [half for half in (pair.twin, pair.notebook) if half.exists()]
    if len(halves) == 1:
        return halves[0]
    now = {half: _as_twin(half, half.read_text(encoding="utf-8"), past.root) for half in halves}
    committed = {half: past.committed(half) for half in halves}
    remembered = past.memory.get(_name(pair.twin, past.root))
    changed = [half for half in halves if now[half] != _as_twin_if_any(half, committed[half], past.root)]
    if not changed:  # somebody committed one half alone
        changed = past.touched_last(*halves)
    elif len(changed) == 2 and remembered:  # changed, carried over, and one of them changed again
        changed = [half for half in halves if digest(now[half]) != remembered]
    elif not any(committed.values()):  # no commit has them, so nobody but an editor wrote them
        changed = [max(halves, key=lambda half: half.stat().st_mtime)]
    return changed[0] if len(changed) == 1 else None


def _as_twin_if_any(half: Path, text: str | None, root: Path) -> str | None:
    return None if text is None else _as_twin(half, text, root)


def _both_changed(pair: Pair, root: Path) -> str:
    twin, notebook = _name(pair.twin, root), _name(pair.notebook, root)
    return (
        f"{twin} and {notebook} were both changed, and they differ. Keep one, and run this again:\n"
        f"  git checkout HEAD -- {notebook}    # keeps the text\n"
        f"  git checkout HEAD -- {twin}    # keeps the notebook"
    )


def _carry_over(pair: Pair, winner: Path, root: Path) -> None:
    loser = pair.notebook if winner == pair.twin else pair.twin
    now = time.time()
    for half, at in ((loser, now - 2), (winner, now)):  # jupytext goes by the clock
        if half.exists():
            os.utime(half, (at, at))
    run_jupytext(["--quiet", "--sync", str(winner)])
    print(f"{_name(loser, root)}: made equal to {_name(winner, root)}")


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


# ---------------------------------------------------------------- run lessons


def execute(*names: str, root: Path = ROOT) -> None:
    """Run each lesson whose code, outputs or package have changed, or those of them that are named."""
    past, package = Past.of(root), _package(root)
    for pair in _lessons(names, root):
        notebook = nbformat.read(pair.notebook, as_version=4)
        if not _is_current(pair, notebook, package, past):
            notebook = _run(pair, root)
        past.memory[_name(pair.notebook, root)] = _state(notebook, package)
    past.remember()


def record(*names: str, root: Path = ROOT) -> None:
    """Run every lesson, or those named, and store what their cells measure on this machine."""
    past, package = Past.of(root), _package(root)
    for pair in _lessons(names, root):
        past.memory[_name(pair.notebook, root)] = _state(_run(pair, root, measure=True), package)
    past.remember()


def _lessons(names: Iterable[str], root: Path) -> list[Pair]:
    lessons = {pair.notebook.stem: pair for pair in pairs(root) if pair.is_lesson}
    if unknown := set(names) - set(lessons):
        sys.exit(f"There is no lesson {', '.join(sorted(unknown))}. There are: {', '.join(lessons)}.")
    return [lessons[name] for name in names or lessons]


def _package(root: Path) -> str:
    """Return a digest of what the outputs of every lesson depend on."""
    files = [path for name in RUNS_ON for path in (root / name, *(root / name).rglob("*")) if path.is_file()]
    kept = sorted(path for path in files if "__pycache__" not in path.parts)
    return digest(*(f"{_name(path, root)} {path.read_bytes().hex()}" for path in kept))


def _is_current(pair: Pair, notebook: NotebookNode, package: str, past: Past) -> bool:
    """Tell whether the outputs are those of the code and the package: as remembered, else as committed."""
    if known := past.memory.get(_name(pair.notebook, past.root)):
        return known == _state(notebook, package)
    committed = past.committed(pair.notebook)
    return (
        committed is not None
        and _state(nbformat.reads(committed, as_version=4), package) == _state(notebook, package)
        and not past.changed_since(pair.notebook, *(past.root / name for name in RUNS_ON))
    )


def _state(notebook: NotebookNode, package: str) -> str:
    code = [[cell.source, cell.outputs] for cell in notebook.cells if cell.cell_type == "code"]
    return digest(package, json.dumps(code))


def _run(pair: Pair, root: Path, *, measure: bool = False) -> NotebookNode:
    print(f"{_name(pair.notebook, root)}: running", flush=True)
    with TemporaryDirectory() as folder:
        workspace.make(root, Path(folder))
        notebook = executed(nbformat.read(pair.notebook, as_version=4), Path(folder), measure=measure)
    if _write(pair, notebook):
        print(f"{_name(pair.notebook, root)}: outputs changed")
    stored: NotebookNode = nbformat.read(pair.notebook, as_version=4)
    return stored


def executed(notebook: NotebookNode, folder: Path, *, measure: bool = False) -> NotebookNode:
    """Return the notebook as a learner's folder leaves it when every cell has run once, in order.

    Unless it is to measure, the testbed shows recordings, and cells that measure keep the outputs that they have.
    """
    before = [deepcopy(cell.get("outputs", [])) for cell in notebook.cells]
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],  # nobody needs to hear that a kernel listens on loopback
        resources={"metadata": {"path": str(folder)}},
    )
    choice = {} if measure else {"MLSD_TESTBED": "recorded"}
    ran: NotebookNode = client.execute(
        env={name: value for name, value in os.environ.items() if name != "MLSD_TESTBED"} | choice
    )
    for cell, outputs in zip(ran.cells, before, strict=True):
        if outputs and not measure and MEASURES in cell.metadata.get("tags", []):
            cell.outputs = [_counted(output, cell.execution_count) for output in outputs]
    return ran


def _counted(output: NotebookNode, count: int) -> NotebookNode:
    counted = {"execution_count": count} if output.output_type == "execute_result" else {}
    kept: NotebookNode = nbformat.from_dict({**output, **counted})
    return kept


def _write(pair: Pair, notebook: NotebookNode) -> bool:
    """Write a notebook tidily, and tell whether that changed the file."""
    text = nbformat.writes(tidied(notebook, keep_outputs=pair.is_lesson)) + "\n"
    changed = text != pair.notebook.read_text(encoding="utf-8")
    if changed:
        pair.notebook.write_text(text, encoding="utf-8")
    os.utime(pair.twin)  # the twin stays the newer half: JupyterLab refuses an older one that differs
    return bool(changed)


def main(command: str, *names: str) -> None:
    """Carry out one command."""
    commands: dict[str, Callable[..., None]] = {"sync": sync, "execute": execute, "record": record}
    try:
        commands[command](*names)
    except CellExecutionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
