"""Submissions whose notebook is broken or was changed: files that are none, and cells that are not where they were."""

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.grading.hostile.desk import (
    ASSIGNMENT,
    FULL,
    NONE,
    WRONG,
    Cell,
    Desk,
    Sheet,
    Submission,
    broken,
    mangled,
    name_of,
)

_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)

RELEASED = Path(__file__).parents[3] / "release"

# ---- cells that were changed -----------------------------------------------------------------------


def _meta(cell: Cell) -> dict[str, Any]:
    return cell["metadata"]["nbgrader"]  # type: ignore[no-any-return]


def _each_test(change: Callable[[Cell], object]) -> Callable[[Sheet], None]:
    def apply(sheet: Sheet) -> None:
        for cell in sheet.tests():
            change(cell)

    return apply


def _drop(wanted: Callable[[Cell], bool]) -> Callable[[Sheet], None]:
    def apply(sheet: Sheet) -> None:
        sheet.cells[:] = [cell for cell in sheet.cells if not wanted(cell)]

    return apply


def _to_markdown(cell: Cell) -> None:
    cell["cell_type"] = "markdown"
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)


def _swap_names(sheet: Sheet) -> None:
    one, other = sheet.answer("01-peak"), sheet.answer("01-percentile")
    _meta(one)["grade_id"], _meta(other)["grade_id"] = _meta(other)["grade_id"], _meta(one)["grade_id"]


def _twice(sheet: Sheet) -> None:
    for cell in [*sheet.answers(), *sheet.tests()]:
        sheet.cells.insert(sheet.cells.index(cell) + 1, json.loads(json.dumps(cell)))


def _stub_then_answer(sheet: Sheet) -> None:
    cell = sheet.answer("01-peak")
    stub = {**json.loads(json.dumps(cell)), "source": "raise NotImplementedError"}
    sheet.cells.insert(sheet.cells.index(cell), stub)


def _hides_a_test_of_its_own(sheet: Sheet) -> None:
    sheet.own("### BEGIN HIDDEN TESTS\nprint('mine')\n### END HIDDEN TESTS\n3.0", before="01-peak")
    sheet.own("### BEGIN HIDDEN TESTS", before="01-peak", kind="markdown")


def _odd_types(sheet: Sheet) -> None:
    sheet.cells[0]["source"] = None
    sheet.cells[0]["metadata"] = None
    sheet.cells[1]["id"] = 7
    sheet.cells.extend([None, 3, [], "cell", {}, {"cell_type": "poem", "source": {"a": 1}, "metadata": []}])


_WRONG_TWO = {"01-peak": WRONG, "01-percentile": "pass"}
_ALL_BUT_TWO = {**FULL, "01-peak": 0.0, "01-percentile": 0.0}

CELLS = (
    mangled("tests-deleted", _drop(lambda cell: name_of(cell) in FULL)),
    mangled("tests-turned-to-markdown", _each_test(_to_markdown)),
    mangled("tests-emptied", _each_test(lambda cell: cell.update(source="3.0"))),
    mangled(
        "tests-answer-themselves",
        _each_test(lambda cell: cell.update(source="from types import SimpleNamespace\n10**6")),
        answers=_WRONG_TWO,
        deserves=_ALL_BUT_TWO,
    ),
    mangled(
        "tests-tagged-skip-execution",
        _each_test(lambda cell: cell["metadata"].update(tags=["skip-execution"])),
        answers=_WRONG_TWO,
        deserves=_ALL_BUT_TWO,
        flagged=True,
        repaired=None,
    ),
    mangled(
        "all-cells-raise-nothing",
        lambda sheet: [cell["metadata"].update(tags=["raises-exception"]) for cell in sheet.cells],
        repaired=None,
    ),
    mangled("points-changed", _each_test(lambda cell: _meta(cell).update(points=100))),
    mangled("points-below-nothing", _each_test(lambda cell: _meta(cell).update(points=-5))),
    mangled("points-that-are-no-number", _each_test(lambda cell: _meta(cell).update(points="many"))),
    mangled("not-graded-any-more", _each_test(lambda cell: _meta(cell).update(grade=False))),
    mangled("unlocked", _each_test(lambda cell: _meta(cell).update(locked=False, solution=True))),
    mangled("tests-renamed", _each_test(lambda cell: _meta(cell).update(grade_id=f"x-{name_of(cell)}"))),
    mangled("all-tests-with-one-name", _each_test(lambda cell: _meta(cell).update(grade_id="01-peak"))),
    mangled(
        "answers-renamed",
        lambda sheet: [_meta(c).update(grade_id=f"x{n}") for n, c in enumerate(sheet.answers())],
    ),
    mangled(
        "names-that-are-no-text",
        lambda sheet: [_meta(c).update(grade_id=[n]) for n, c in enumerate(sheet.answers())],
    ),
    mangled("names-swapped", _swap_names, deserves={**FULL, "01-peak": 0.0}, repaired=None),
    mangled("every-cell-twice", _twice),
    mangled("a-stub-copied-before-its-answer", _stub_then_answer),
    mangled("reversed", lambda sheet: sheet.cells.reverse(), repaired=None),
    mangled(
        "sorted-by-length",
        lambda sheet: sheet.cells.sort(key=lambda cell: len(cell["source"])),
        repaired=None,
    ),
    mangled(
        "an-answer-deleted",
        _drop(lambda cell: name_of(cell) == "01-peak-answer"),
        deserves={**FULL, "01-peak": 0.0},
    ),
    mangled("answers-turned-to-markdown", lambda sheet: [_to_markdown(cell) for cell in sheet.answers()]),
    mangled("no-cells", lambda sheet: sheet.cells.clear(), deserves=NONE, failed=True),
    mangled(
        "a-cell-of-a-million-characters",
        lambda sheet: sheet.answer("01-peak").update(source="# " + "x" * 1_000_000),
        deserves={**FULL, "01-peak": 0.0},
    ),
    mangled(
        "three-thousand-cells",
        lambda sheet: [sheet.own("*more*", kind="markdown") for _ in range(3_000)],
        repaired=None,
    ),
    mangled("hides-a-test-of-its-own", _hides_a_test_of_its_own, repaired=None),
    mangled("cells-of-odd-types", _odd_types, repaired=None),
    mangled(
        "a-schema-of-the-future",
        lambda sheet: [_meta(cell).update(schema_version=99) for cell in sheet.tests()],
        repaired=None,
    ),
)

# ---- files that are no notebook, or not quite -------------------------------------------------------


def _text(text: str | bytes) -> Callable[[Desk], object]:
    return lambda desk: desk.submit(text)


def _format(number: Any) -> Callable[[Desk], object]:
    def make(desk: Desk) -> None:
        sheet = desk.sheet()
        sheet.notebook["nbformat"] = number
        desk.submit(sheet)

    return make


def _old_format(desk: Desk) -> None:
    """Write format 3, which has worksheets, `input` for a code cell's source, and heading cells."""
    cells = []
    for cell in desk.sheet().cells:
        code = cell["cell_type"] == "code"
        body = (
            {"input": cell["source"], "language": "python", "outputs": []}
            if code
            else {"source": cell["source"]}
        )
        cells.append({"cell_type": cell["cell_type"], "metadata": cell["metadata"], **body})
    notebook = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells}],
    }
    desk.submit(json.dumps(notebook))


def _sparse(desk: Desk) -> None:
    with desk.path.open("wb") as file:
        file.truncate(200 * 2**20)


def _many_beside(desk: Desk) -> None:
    desk.submit(desk.sheet())
    for number in range(400):
        (desk.folder / f"data-{number}.csv").write_text("a,b\n")


def _deep_folders(desk: Desk) -> None:
    desk.submit(desk.sheet())
    folder = desk.folder.joinpath(*["d"] * 300)
    folder.mkdir(parents=True)
    (folder / "end.txt").write_text("deep")


def _odd_names(desk: Desk) -> None:
    desk.submit(desk.sheet())
    for name in ("new\nline.txt", "-rf", "*", "[x]", "$HOME", "ünï💥.csv", "a" * 240, " ", "..."):
        (desk.folder / name).write_text("odd")
    (desk.folder / os.fsdecode(b"latin-\xff.txt")).write_text("odd")


def _shadows(desk: Desk) -> None:
    desk.submit(desk.sheet())
    for name in (
        "json.py",
        "numpy.py",
        "random.py",
        "sitecustomize.py",
        "conftest.py",
        "mlsd_helpers/__init__.py",
    ):
        desk.submit("raise SystemExit('shadowed')", name)
    for name in ("nbgrader_config.py", "jupyter_config.py", "ipython_config.py"):
        desk.submit("import os\nos._exit(3)", name)


def _links(desk: Desk) -> None:
    desk.submit(
        desk.sheet(
            {
                "01-peak": f"{WRONG}\nprint(open('data.csv').read(), open('system').read())",
                "01-percentile": "pass",
            }
        )
    )
    (desk.folder / "data.csv").symlink_to(desk.secret)
    (desk.folder / "system").symlink_to("/etc/hostname")
    (desk.folder / "folder").symlink_to(desk.secret.parent)
    (desk.folder / "loop").symlink_to("loop")
    (desk.folder / "dangling").symlink_to("nowhere")
    (desk.folder / "solution.ipynb").symlink_to(desk.course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")


def _pipe_beside(desk: Desk) -> None:
    desk.submit(desk.sheet())
    os.mkfifo(desk.folder / "pipe")


def _two_copies(desk: Desk) -> None:
    desk.submit(desk.sheet())
    desk.submit(desk.sheet(_WRONG_TWO), f"{ASSIGNMENT}-Copy1.ipynb")


def _which_of_two(desk: Desk) -> None:
    desk.submit(desk.sheet(), "mine.ipynb")
    desk.submit(desk.sheet(), "mine too.ipynb")


def _of_another_assignment(desk: Desk) -> None:
    """Hand in the released notebook of another assignment; some of its cells read the same."""
    other = next(path for path in RELEASED.glob("*/*.ipynb") if path.stem != ASSIGNMENT)
    desk.submit(other.read_bytes())


def _replaced_by(link_to: Callable[[Desk], Any]) -> Callable[[Desk], None]:
    """Put a link in the place of the whole folder."""

    def make(desk: Desk) -> None:
        shutil.rmtree(desk.folder)
        desk.folder.symlink_to(link_to(desk))

    return make


def _stamped(text: str | bytes) -> Callable[[Desk], None]:
    def make(desk: Desk) -> None:
        desk.submit(desk.sheet())
        desk.submit(text, "timestamp.txt")

    return make


def _stamp_is_a_folder(desk: Desk) -> None:
    desk.submit(desk.sheet())
    (desk.folder / "timestamp.txt").mkdir()


_DEEP = "[" * 100_000 + "]" * 100_000

UNREADABLE = (
    broken("an-empty-file", _text("")),
    broken("only-spaces", _text("   \n")),
    broken("broken-json", lambda desk: desk.submit(desk.sheet().text()[:-400])),
    broken("png-bytes", _text(_PNG)),
    broken("a-web-page", _text("<!doctype html><title>Log in</title>")),
    broken("json-that-is-a-list", _text("[1, 2]")),
    broken("json-that-is-nothing", _text("null")),
    broken("json-a-hundred-thousand-deep", _text(_DEEP)),
    broken(
        "metadata-a-hundred-thousand-deep",
        lambda desk: desk.submit(
            desk.sheet().text().replace('"metadata": {', f'"metadata": {{"deep": {_DEEP}, ', 1)
        ),
    ),
    broken("nbformat-99", _format(99)),
    broken("nbformat-that-is-text", _format("four")),
    broken("nbformat-missing", _text('{"cells": []}')),
    broken(
        "cells-that-are-no-list",
        _text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {"0": 1}}'),
    ),
    broken("two-hundred-megabytes-of-nothing", _sparse),
    broken("a-folder-for-a-notebook", lambda desk: desk.path.mkdir()),
    broken("a-pipe-for-a-notebook", lambda desk: os.mkfifo(desk.path)),
    broken(
        "a-link-to-source",
        lambda desk: desk.path.symlink_to(desk.course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"),
    ),
    broken("a-link-to-itself", lambda desk: desk.path.symlink_to(desk.path.name)),
    broken(
        "a-link-to-a-neighbours-folder",
        _replaced_by(lambda desk: desk.course / "submitted" / "a-neighbour" / ASSIGNMENT),
    ),
    broken("a-link-to-the-course", _replaced_by(lambda desk: desk.course)),
    broken("nothing-handed-in", lambda _: None),
    broken("which-of-two", _which_of_two),
    broken("another-assignments-notebook", _of_another_assignment),
    broken("only-a-script", lambda desk: desk.submit("print(1)", f"{ASSIGNMENT}.py")),
)

ODD = (
    Submission("nbformat-3", _old_format, repaired=None, failed=False),
    Submission("many-files-beside", _many_beside, repaired=True, failed=False),
    Submission("deep-folders-beside", _deep_folders, failed=False),
    Submission("odd-file-names", _odd_names, failed=False),
    Submission("files-that-shadow-modules", _shadows, failed=False),
    Submission("links-out-of-the-folder", _links, _ALL_BUT_TWO, flagged=True, repaired=True, failed=False),
    Submission("a-pipe-beside", _pipe_beside, failed=False),
    Submission("a-copy-beside", _two_copies, failed=False),
    Submission(
        "a-name-with-a-number",
        lambda desk: desk.submit(desk.sheet(), f"{ASSIGNMENT} (1).ipynb"),
        repaired=True,
        failed=False,
    ),
    Submission("a-stamp-that-is-no-time", _stamped("yesterday, I think"), failed=False),
    Submission("a-stamp-of-bytes", _stamped(b"\xff\xfe\x00"), failed=False),
    Submission("a-stamp-that-is-a-folder", _stamp_is_a_folder, failed=False),
    Submission("a-stamp-of-the-year-9999", _stamped("9999-12-31 23:59:59 UTC"), failed=False),
    Submission(
        "a-name with spaces, ünïcode [and] {brackets} 'quoted'",
        lambda desk: desk.submit(desk.sheet()),
        failed=False,
    ),
)

ALL: tuple[Submission, ...] = (*CELLS, *UNREADABLE, *ODD)
