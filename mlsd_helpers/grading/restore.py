"""Restore a submitted notebook: copy its answers into a fresh student version, so that the submitted file never runs.

This repairs cells that a student deleted, retagged, renamed, duplicated or gave other points. A file that cannot be
read gives a notebook without answers. Each repair is listed for the instructor.
"""

import copy
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

MOST_BYTES = 32 * 2**20
"""Bytes of the largest notebook file that is read; released ones have 30 kB, and saved figures add a few MB."""

MOST_CELLS = 5_000

MOST_SOURCE = 20_000
"""Characters of the longest cell that is graded."""

MOST_EXTRAS = 500
"""Cells of a student's own."""

MOST_TEXT = 500_000
"""Characters of all cells of a student's own."""

MOST_NOTES = 50
"""Repairs that are listed, and notes for the student."""

NOTE_ID = "submission-note"

_SHORT = 100  # characters of a name or a tag, and tags of a cell
_TOO_MUCH = (
    f"a cell may have {MOST_SOURCE:,} characters, and those of your own {MOST_TEXT:,} in {MOST_EXTRAS} cells"
)
_MARKUP = str.maketrans({c: f"&#{ord(c)};" for c in "`*[]<>#!|~$\\&{}"})

Cell = dict[str, Any]


@dataclass(frozen=True)
class RestoredNotebook:
    """A notebook to grade, made of the released one and a student's answers.

    `answers` are by grade_id; `extras` are cells of code of a student's own, `texts` the Markdown that they wrote.
    `problem` tells the student why there are no answers, where the file could not be read. `repairs` lists what was
    repaired in the student's file; `left_out` what is not graded, and is for the student, too; `tags` lists tags that
    would have changed the grading.
    """

    notebook: Any
    answers: Mapping[str, str]
    extras: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    problem: str = ""


class UnreadableError(Exception):
    """A file that is no notebook; the message is for the student."""


# ---- reading --------------------------------------------------------------------------------------


def is_link(path: Path) -> bool:
    """Tell whether a path is a link; False where that cannot be read."""
    return os.path.islink(path)  # noqa: PTH114 - pathlib raises where a folder cannot be searched


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder or a link to one; False where that cannot be read."""
    return os.path.isdir(path)  # noqa: PTH112 - likewise


def is_plain_file(path: Path) -> bool:
    """Tell whether a path is a regular file: no link, no device, no pipe."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read_cells(path: Path) -> list[Cell]:
    """Read the cells of an untrusted notebook file.

    Raises UnreadableError; its message tells the student what is wrong.
    """
    if is_link(path):
        raise UnreadableError("The notebook is a link to another file. Hand in the notebook itself.")
    if is_folder(path):
        raise UnreadableError("There is a folder where the notebook should be. Hand in the notebook itself.")
    if not is_plain_file(path):
        raise UnreadableError("There is no notebook in what was handed in.")
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise UnreadableError(
            f"The notebook cannot be read ({error.strerror}). Hand it in again as an ordinary file."
        ) from None
    if size > MOST_BYTES:
        raise UnreadableError(
            f"The file has {size / 2**20:.0f} MB; at most {MOST_BYTES // 2**20} MB can be graded. "
            "Clear its outputs and hand it in again."
        )
    if size == 0:
        raise UnreadableError("The file is empty. Save the notebook and hand it in again.")
    return _cells(_parse(content))


def _parse(data: bytes) -> Any:
    try:
        try:
            return json.loads(data)  # which detects UTF-8 and UTF-16
        except UnicodeDecodeError:
            return json.loads(data.decode("utf-8", errors="replace"))
    except RecursionError:
        raise UnreadableError("The file is nested too deeply to be a notebook.") from None
    except MemoryError:
        raise UnreadableError(
            "The file takes too much memory to read. Clear its outputs and hand it in again."
        ) from None
    except ValueError:
        raise UnreadableError(
            "The file is no notebook (it is not JSON). Was it saved whole, and is it the .ipynb?"
        ) from None


def _cells(notebook: Any) -> list[Cell]:
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if version == 3 and isinstance(notebook.get("worksheets"), list):
        try:
            notebook = nbformat.convert(nbformat.from_dict(notebook), 4)
        except Exception:  # noqa: BLE001 - a file that only says that it is of that format
            raise UnreadableError("The file has an old format (3) and could not be converted.") from None
    elif version != 4:
        shown = f"{version!r:.19}…" if len(repr(version)) > 20 else repr(version)
        raise UnreadableError(
            f"The file has notebook format {shown}; expected 4. Open it in JupyterLab and save it."
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise UnreadableError("The notebook has no cells.")
    if len(cells) > MOST_CELLS:
        raise UnreadableError(
            f"The notebook has {len(cells):,} cells; at most {MOST_CELLS:,} can be graded. "
            "Delete those that are not needed."
        )
    return [_plain(cell) for cell in cells if isinstance(cell, dict)]


def _plain(cell: Mapping[str, Any]) -> Cell:
    """Return the parts of a cell that matter: its type, source, nbgrader metadata, id and tags."""
    source = cell.get("source")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader, tags, kind = metadata.get("nbgrader"), metadata.get("tags"), cell.get("cell_type")
    text = source[: MOST_SOURCE + 1] if isinstance(source, str) else ""  # one more shows that it is too long
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return {
        "cell_type": next((one for one in ("code", "markdown") if kind == one), "raw"),
        "source": text.encode("utf-8", errors="replace").decode("utf-8"),  # without lone surrogates
        "nbgrader": nbgrader if isinstance(nbgrader, dict) else {},
        "id": cell.get("id") if isinstance(cell.get("id"), str) else None,
        "tags": [tag[:_SHORT] for tag in tags[:_SHORT] if isinstance(tag, str)]
        if isinstance(tags, list)
        else [],
    }


# ---- restoring -------------------------------------------------------------------------------------


def restore(released: Any, path: Path, absent: str = "") -> RestoredNotebook:
    """Copy the answers of a submitted file into the released notebook; any file gives a notebook.

    `absent` tells the student why there is no such file, where that is known.
    """
    problem = absent
    if not problem:
        try:
            return _restored(released, read_cells(path))
        except UnreadableError as error:
            problem = str(error)
    return RestoredNotebook(with_note(released, [problem]), {}, repairs=(problem,), problem=problem)


def _restored(released: Any, given: Sequence[Cell]) -> RestoredNotebook:
    notebook = copy.deepcopy(released)
    places, repairs = _match(notebook.cells, given)
    answers: dict[str, str] = {}
    texts: list[str] = []
    left_out: list[str] = []
    for cell, place in zip(given, places, strict=True):
        if place is None:
            continue
        there = notebook.cells[place]
        repairs += _differences(there, cell)
        if not _is_open(there):
            continue
        if len(cell["source"]) > MOST_SOURCE:
            left_out.append(f"{_name(there)} was left out: {_TOO_MUCH}.")
            continue
        if there.cell_type == "code":
            answers[_name(there)] = cell["source"]
        elif not _is_stub(there, cell):
            texts.append(cell["source"])
        there.source = cell["source"]
    for place, there in enumerate(notebook.cells):
        if _grade_id(there) and place not in places:
            repairs.append(f"{_name(there)}: was missing, put back")
    extras, too_many = _extras(given, places)
    own = [cell for cells in extras.values() for cell in cells]
    notebook.cells = _with_extras(notebook.cells, extras)
    tags = [
        f"{cell['nbgrader']['grade_id'][:_SHORT] if _is_text(cell) else 'a cell'}: {tag}"
        for cell in given
        for tag in cell["tags"]
        if tag.startswith("skip")
    ]
    return RestoredNotebook(
        notebook,
        answers,
        tuple(cell["source"] for cell in own if cell["cell_type"] == "code"),
        (*texts, *(cell["source"] for cell in own if cell["cell_type"] == "markdown")),
        tuple(repairs[:MOST_NOTES]),
        tuple([*left_out, *too_many][:MOST_NOTES]),
        tuple(tags[:MOST_NOTES]),
    )


def _extras(given: Sequence[Cell], places: Sequence[int | None]) -> tuple[dict[int, list[Cell]], list[str]]:
    """Return a student's own cells by the index of the cell that they follow, and notes on those beyond the limits."""
    extras: dict[int, list[Cell]] = {}
    left_out: list[str] = []
    anchor, number, left = -1, 0, MOST_TEXT
    for cell, place in zip(given, places, strict=True):
        if place is not None:
            anchor = place
        elif cell["cell_type"] != "raw" and cell["source"].strip():
            number, left = number + 1, left - len(cell["source"])
            if len(cell["source"]) <= MOST_SOURCE and left >= 0 and number <= MOST_EXTRAS:
                extras.setdefault(anchor, []).append(cell)
            else:
                left_out.append(f"A cell of your own was left out: {_TOO_MUCH}.")
    return extras, left_out


def _match(released: Sequence[Any], given: Sequence[Cell]) -> tuple[list[int | None], list[str]]:
    """Match each given cell to a released one: by grade_id, id, text, or position.

    Raises UnreadableError when no answer and no test of this assignment is among them.
    """
    places: list[int | None] = [None] * len(given)
    repairs: list[str] = []
    by_name = {_grade_id(cell): place for place, cell in enumerate(released) if _grade_id(cell)}
    by_id = {cell.get("id"): place for place, cell in enumerate(released) if cell.get("id")}
    by_text = {cell.source.strip(): place for place, cell in enumerate(released) if cell.source.strip()}
    taken: dict[int, int] = {}

    def take(number: int, place: int | None) -> None:
        if place is None or places[number] is not None:
            return
        if place not in taken:
            taken[place] = number
            places[number] = place
        elif _is_open(released[place]) and _is_stub(released[place], given[taken[place]]):
            repairs.append(f"{_name(released[place])}: there twice; the one with an answer counts")
            places[taken[place]], places[number] = None, place
            taken[place] = number

    keys: tuple[Callable[[Cell], int | None], ...] = (
        lambda cell: by_name.get(cell["nbgrader"]["grade_id"]) if _is_text(cell) else None,
        lambda cell: by_id.get(cell["id"]),
        lambda cell: by_text.get(cell["source"].strip()),
    )
    for key in keys:
        for number, cell in enumerate(given):
            take(number, key(cell))
    known = [released[place].metadata.get("nbgrader", {}) for place in taken]
    if not any(one.get("grade") or one.get("solution") for one in known):
        raise UnreadableError(
            "None of its cells belongs to this assignment. Is it the notebook of another one?"
        )
    for number, place in _by_position(released, given, places, taken):
        take(number, place)
        repairs.append(f"{_name(released[place])}: had lost its name, found by its position")
    doubles = {
        cell["nbgrader"]["grade_id"]
        for cell, place in zip(given, places, strict=True)
        if place is None and _is_text(cell) and cell["nbgrader"]["grade_id"] in by_name
    }
    repairs += [f"{name}: there twice; one of them counts as an extra cell" for name in sorted(doubles)]
    return places, repairs


def _by_position(
    released: Sequence[Any], given: Sequence[Cell], places: Sequence[int | None], taken: Mapping[int, int]
) -> Iterator[tuple[int, int]]:
    """Find answers that lost name and id: the last unmatched cell before the next matched one."""
    for place, there in enumerate(released):
        if not (_is_open(there) and _grade_id(there)) or place in taken:
            continue
        end = next((taken[later] for later in range(place + 1, len(released)) if later in taken), len(given))
        start = next((taken[before] + 1 for before in range(place - 1, -1, -1) if before in taken), 0)
        free = [
            number
            for number in range(start, end)
            if places[number] is None and given[number]["cell_type"] == there.cell_type
        ]
        if free:
            yield free[-1], place


def _with_extras(cells: Sequence[Any], extras: Mapping[int, Sequence[Cell]]) -> list[Any]:
    """Insert a student's own cells after the released cell that they followed."""
    merged: list[Any] = []
    number = 0
    for place in range(-1, len(cells)):
        if place >= 0:
            merged.append(cells[place])
        for cell in extras.get(place, ()):
            number += 1
            is_text = cell["cell_type"] == "markdown"
            new: Any = nbformat.v4.new_markdown_cell if is_text else nbformat.v4.new_code_cell
            merged.append(new(cell["source"], id=f"own-{number}"))
    return merged


def with_note(notebook: Any, notes: Iterable[str]) -> Any:
    """Return a copy of a notebook with notes about the submission at its top, and so on its feedback page.

    The notes may contain file names, which a student chose, so their markup is escaped.
    """
    lines = ["**About what you handed in**", "", *(f"- {note.translate(_MARKUP)}" for note in notes)]
    annotated = copy.deepcopy(notebook)
    annotated.cells.insert(0, nbformat.v4.new_markdown_cell("\n".join(lines), id=NOTE_ID))
    return annotated


def _differences(there: Any, cell: Cell) -> list[str]:
    """List what a student's file changed in a cell, other than an answer."""
    found = []
    if _grade_id(there) and not _is_open(there) and cell["source"].strip() != there.source.strip():
        found.append(f"{_name(there)}: its text was changed, put back")
    if cell["cell_type"] != there.cell_type:
        found.append(f"{_name(there)}: was turned into {cell['cell_type']}, put back")
    wanted = there.metadata.get("nbgrader", {})
    changed = [
        key
        for key in ("grade", "grade_id", "locked", "points", "solution", "task")
        if cell["nbgrader"] and cell["nbgrader"].get(key) != wanted.get(key)
    ]
    if changed:
        found.append(f"{_name(there)}: {', '.join(changed)} changed, put back")
    return found


def _grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _name(cell: Any) -> str:
    return _grade_id(cell) or str(cell.get("id", "a cell"))


def _is_text(cell: Cell) -> bool:
    return isinstance(cell["nbgrader"].get("grade_id"), str)


def _is_open(cell: Any) -> bool:
    """Tell whether a student may edit a released cell."""
    return not cell.metadata.get("nbgrader", {}).get("locked", False)


def _is_stub(there: Any, cell: Cell) -> bool:
    return bool(cell["source"].strip() in {"", there.source.strip()})
