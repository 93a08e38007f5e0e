"""Honest submissions that are odd, and lose nothing."""

import json
import re
from collections.abc import Callable

from tests.grading.hostile.desk import FULL, Cell, Desk, Sheet, Submission, name_of

Change = Callable[[Sheet], object]


def honest(
    name: str, change: Change, *, flagged: bool | None = False, repaired: bool | None = None
) -> Submission:
    def make(desk: Desk) -> None:
        sheet = desk.sheet()
        change(sheet)
        desk.submit(sheet)

    return Submission(name, make, FULL, flagged=flagged, repaired=repaired, failed=False)


def _first(source: str) -> Change:
    """Put a line in front of every answer."""

    def change(sheet: Sheet) -> None:
        for cell in sheet.answers():
            cell["source"] = f"{source}\n{cell['source']}"

    return change


def _inside(line: str) -> Change:
    """Put a line into the function of every answer."""

    def change(sheet: Sheet) -> None:
        for cell in sheet.answers():
            head, rest = cell["source"].split("\n", 1)
            cell["source"] = f"{head}\n    {line}\n{rest}"

    return change


def _own(source: str, kind: str = "code") -> Change:
    return lambda sheet: sheet.own(source, kind=kind)


def _helper(sheet: Sheet) -> None:
    sheet.own("def added_up(numbers):\n    return sum(numbers)", before="01-percentile-answer")
    cell = sheet.answer("01-percentile")
    cell["source"] = cell["source"].replace("sum(column)", "added_up(column)")
    assert "added_up" in cell["source"]


def _split(sheet: Sheet) -> None:
    """Define the whole in a cell of its own before the answer's, which only gives it its name."""
    cell = sheet.answer("01-peak")
    sheet.own(cell["source"].replace("def peak(", "def my_peak("), before="01-peak-answer")
    cell["source"] = "peak = my_peak"


def _split_behind(sheet: Sheet) -> None:
    """Split the answer's cell as an editor does: the upper half keeps the name."""
    cell = sheet.answer("01-peak")
    below: Cell = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": cell["source"],
    }
    cell["source"] = "import math"
    sheet.cells.insert(sheet.cells.index(cell) + 1, below)


def _executed(sheet: Sheet) -> None:
    """Keep outputs of all kinds, a figure and a widget among them."""
    view = {"model_id": "ab12", "version_major": 2, "version_minor": 0}
    for number, cell in enumerate(cell for cell in sheet.cells if cell["cell_type"] == "code"):
        cell["execution_count"] = number + 40
        cell["outputs"] = [
            {"output_type": "stream", "name": "stderr", "text": ["UserWarning: careful\n"]},
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"},
            },
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {"application/vnd.jupyter.widget-view+json": view},
            },
            {
                "output_type": "execute_result",
                "execution_count": number,
                "metadata": {},
                "data": {"text/plain": "0.0"},
            },
            {"output_type": "error", "ename": "E", "evalue": "old", "traceback": ["old"]},
        ]
        cell["metadata"]["execution"] = {
            "iopub.execute_input": "2026-01-01T00:00:00Z",
            "shell.execute_reply": "x",
        }
    sheet.notebook["metadata"]["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {
            "state": {"ab12": {"model_name": "IntSliderModel", "state": {"value": 3}}},
            "version_major": 2,
            "version_minor": 0,
        }
    }


def _heavy_outputs(sheet: Sheet) -> None:
    sheet.tests()[0]["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * 20_000_000}}
    ]


def _from_vs_code(sheet: Sheet) -> None:
    """VS Code: no ids (format 4.2), its own metadata, the name of an interpreter for a kernel."""
    sheet.notebook["nbformat_minor"] = 2
    sheet.notebook["metadata"] = {
        "kernelspec": {"display_name": ".venv (3.12.4)", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "version": "3.12.4"},
        "orig_nbformat": 4,
        "vscode": {
            "interpreter": {"hash": "31f2aee4e71d21fbe5cf8b01ff0e069b9275f58929596ceb00d14d90e3e16cd6"}
        },
    }
    for cell in sheet.cells:
        cell.pop("id", None)
        cell["metadata"]["vscode"] = {"languageId": "python"}


def _from_an_old_vs_code(sheet: Sheet) -> None:
    """Lose the metadata of every cell that was run, as an old VS Code did (microsoft/vscode-python#9997)."""
    sheet.notebook["nbformat_minor"] = 2
    for cell in sheet.cells:
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell["metadata"] = {}


def _from_colab(sheet: Sheet) -> None:
    """Colab: format 4.0, an id within each cell's metadata, its own metadata, a badge on top."""
    sheet.notebook["nbformat_minor"] = 0
    sheet.notebook["metadata"] = {
        "colab": {"provenance": [], "collapsed_sections": [], "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "accelerator": "GPU",
        "gpuClass": "standard",
    }
    for number, cell in enumerate(sheet.cells):
        cell.pop("id", None)
        cell["metadata"] |= {"id": f"XU0o_w7y{number:04}", "colab": {"base_uri": "https://localhost:8080/"}}
        cell["metadata"]["outputId"] = "4f7d5a4a-2a0c-4a55-8f4e-0a2d8f1d3a11"
    sheet.own(
        '<a href="https://colab.research.google.com/x.ipynb">Open In Colab</a>', "01-intro", kind="markdown"
    )


def _from_another_kernel(sheet: Sheet) -> None:
    sheet.notebook["metadata"] = {
        "kernelspec": {"name": "conda-env-ml-py", "display_name": "ml", "language": "python"},
        "deepnote": {"is_reactive": False},
        "kaggle": {"accelerator": "none"},
        "papermill": {"duration": None},
    }
    for cell in sheet.cells:
        cell["metadata"] |= {
            "ExecuteTime": {"end_time": "x"}, "scrolled": True, "trusted": True, "editable": True,
            "slideshow": {"slide_type": ""}, "collapsed": False, "jupyter": {"source_hidden": True},
        }  # fmt: skip


def _without_ids(sheet: Sheet) -> None:
    for cell in sheet.cells:
        cell.pop("id", None)


def _lines(sheet: Sheet) -> None:
    """Write each source as a list of lines, as most editors do."""
    for cell in sheet.cells:
        cell["source"] = (
            cell["source"].splitlines(keepends=True) if isinstance(cell["source"], str) else cell["source"]
        )


def _windows_lines(sheet: Sheet) -> None:
    for cell in sheet.cells:
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        cell["source"] = source.replace("\n", "\r\n")


def _bytes(change: Callable[[str], bytes]) -> Callable[[Desk], object]:
    return lambda desk: desk.submit(change(desk.sheet().text(indent=1, ensure_ascii=False)))


def _copied_tests(sheet: Sheet) -> None:
    """Copy cells, and so their names (jupyter/nbgrader#1083)."""
    for cell in sheet.tests():
        sheet.cells.insert(sheet.cells.index(cell), json.loads(json.dumps(cell)))


def _cleared(sheet: Sheet) -> None:
    """Delete what nobody needs: the texts, and the hints."""
    sheet.cells[:] = [cell for cell in sheet.cells if name_of(cell) and cell["cell_type"] == "code"]


def _with_helpers(desk: Desk) -> None:
    sheet = desk.sheet()
    sheet.own(
        "import my_helpers\nimport csv\nrows = list(csv.reader(open('notes/data.csv')))\nassert rows == [['a', 'b']]"
    )
    cell = sheet.answer("01-percentile")
    cell["source"] = cell["source"].replace("sum(column)", "my_helpers.added_up(column)")
    desk.submit(sheet)
    desk.submit("def added_up(numbers):\n    return sum(numbers)\n", "my_helpers.py")
    desk.submit("a,b\n", "notes/data.csv")
    desk.submit("{}", f".ipynb_checkpoints/{desk.path.stem}-checkpoint.ipynb")
    desk.submit(b"\x00\x05\x16\x07", "__MACOSX/._notes")


_WRITES_AND_READS = """
from pathlib import Path
Path("scratch").mkdir()
Path("scratch/notes.txt").write_text("kept")
assert Path("scratch/notes.txt").read_text() == "kept"
"""
_PLOTS = """
import matplotlib.pyplot as plt
import pandas as pd
frame = pd.DataFrame({"a": [1, 2]})
frame.plot()
plt.show()
frame
"""
_WIDGETS = """
import ipywidgets
slider = ipywidgets.IntSlider()
ipywidgets.interact(lambda n: n + 1, n=slider)
slider
"""
_THREADS = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    assert list(pool.map(abs, [-1, 2])) == [1, 2]
"""
_AS_OBJECT = """
class Answer:
    def __init__(self, function):
        self.function = function
    def __call__(self, **case):
        return self.function(**case)
{name} = Answer({name})
"""
_NUMPY = """
import numpy as np
plain_{name} = {name}
def {name}(**case):
    return {{key: np.{kind}(value) for key, value in plain_{name}(**case).items()}}
"""


def _callable_objects(sheet: Sheet) -> None:
    for cell in sheet.answers():
        name = re.findall(r"^def (\w+)", cell["source"], re.MULTILINE)[-1]
        cell["source"] += _AS_OBJECT.format(name=name)


def _numpy_values(sheet: Sheet) -> None:
    sheet.answer("01-peak")["source"] += _NUMPY.format(name="peak", kind="float64")
    sheet.answer("01-percentile")["source"] += _NUMPY.format(name="percentile", kind="array")


HONEST = (
    honest("a-warning", _first("import warnings\nwarnings.warn('careful')")),
    honest("a-warning-when-called", _inside("import warnings; warnings.warn('careful')")),
    honest("writes-to-stderr", _first("import sys\nprint('on the way', file=sys.stderr)")),
    honest("logs", _first("import logging\nlogging.warning('on the way')")),
    honest("a-slow-import", _first("import time\ntime.sleep(0.3)")),
    honest("prints", _inside("print('on the way')")),
    honest("extra-cells-with-helpers", _helper),
    honest("an-answer-in-two-cells", _split),
    honest("an-answer-split-below", _split_behind),
    honest("an-error-in-a-cell-of-its-own", _own("1 / 0")),
    honest("a-typo-in-a-cell-of-its-own", _own("def broken(:")),
    honest("notes-of-its-own", _own("# My notes\n\n$x < y$ <b>bold</b>", "markdown")),
    honest("notes-with-a-script", _own("# Notes\n\n<script>alert(1)</script>", "markdown"), flagged=True),
    honest("magics", _own("%matplotlib inline\n%time sum(range(10))\n%precision 3\n?sum")),
    honest("a-timed-cell", _own("%%time\nsum(range(10))")),
    honest("awaits", _own("import asyncio\nawait asyncio.sleep(0)")),
    honest(
        "asks-for-hints-and-checks",
        _own("mlsd.hint('01-peak')\nmlsd.check('01-peak', None)\nmlsd.exercises.cases('01-peak')"),
        flagged=None,
    ),
    honest("plots", _own(_PLOTS)),
    honest("widgets", _own(_WIDGETS)),
    honest("threads", _own(_THREADS)),
    honest("writes-and-reads-files", _own(_WRITES_AND_READS)),
    honest("numpy-values", _numpy_values),
    honest("callable-objects", _callable_objects),
    honest("outputs-and-widgets-kept", _executed),
    honest("twenty-megabytes-of-figures", _heavy_outputs),
    honest("from-vs-code", _from_vs_code),
    honest("from-an-old-vs-code", _from_an_old_vs_code),
    honest("from-colab", _from_colab),
    honest("from-another-kernel", _from_another_kernel),
    honest("no-ids", _without_ids),
    honest("no-metadata-at-all", lambda sheet: sheet.notebook.update(metadata={})),
    honest("sources-as-lines", _lines),
    honest("lines-as-windows-ends-them", _windows_lines),
    honest("tests-copied", _copied_tests),
    honest("texts-deleted", _cleared, repaired=True),
    Submission(
        "crlf-file", _bytes(lambda text: text.replace("\n", "\r\n").encode()), flagged=False, failed=False
    ),
    Submission(
        "a-byte-order-mark", _bytes(lambda text: text.encode("utf-8-sig")), flagged=False, failed=False
    ),
    Submission("utf-16", _bytes(lambda text: text.encode("utf-16")), flagged=False, failed=False),
    Submission("latin-1", _bytes(lambda text: text.encode("latin-1", "replace")), failed=False),
    Submission(
        "a-lone-surrogate",
        _bytes(lambda text: text.replace('"def peak', '"# \\ud800\\ndef peak').encode()),
        failed=False,
    ),
    Submission("its-own-module-and-data", _with_helpers, flagged=False, failed=False),
)
