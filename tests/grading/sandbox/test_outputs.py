"""What a sandbox keeps of a cell, against what a notebook would: the shape that nbformat gives it."""

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.processes

CELLS = {
    "a stream is one output": "print('a')\nprint('b', end='')\nimport sys; sys.stdout.write('c')",
    "two streams": "import sys; print('a'); print('b', file=sys.stderr)",
    "a result": "1 + 1",
    "no result": "x = 1",
    "no result either": "None",
    "a quiet result": "1 + 1;",
    "a table": "import pandas as pd; pd.DataFrame({'a': [1]})",
    "an error": "def f():\n    return 1 / 0\nprint('before')\nf()",
    "a syntax error": "x = = 1",
    "an exit": "raise SystemExit(3)",
    "a display": "from IPython.display import Markdown, display\ndisplay(Markdown('*x*'), 3)",
    "html": "from IPython.display import HTML\nHTML('<b>x</b>')",
    "a figure": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "a figure left open": "import matplotlib.pyplot as plt\n_ = plt.figure()\n_ = plt.plot([1, 2])",
    "a magic": "%matplotlib inline\n%precision 3",
    "an await": "import asyncio\nawait asyncio.sleep(0, 'done')",
    "an update": "from IPython.display import display\nh = display('a', display_id=True)\nh.update('b')",
    "cleared": "from IPython.display import clear_output\nprint('a')\nclear_output()\nprint('b')",
    "cleared later": "from IPython.display import clear_output\nprint('a')\nclear_output(wait=True)\nprint('b')",
    "a widget": "import ipywidgets\nipywidgets.IntSlider(value=3)",
    "a shell command": "!echo hello",
    "the number of a cell": "len(In), In[-1], sorted(Out), get_ipython().execution_count",
    "input": "input('name? ')",
    "a warning": "import warnings; warnings.warn('careful')",
    "a long result": "list(range(100))",
}


def shape(outputs):
    """Return what does not depend on where a cell ran."""
    return [
        (
            one["output_type"],
            one.get("name"),
            one.get("ename"),
            sorted(one.get("data", {})),
            one.get("text") if one.get("name") == "stdout" else None,
            {
                k: v
                for k, v in one.get("data", {}).items()
                if k in {"text/plain", "text/markdown", "text/html"}
            }
            if "image/png" not in one.get("data", {})
            else None,
            type(one.get("traceback")),
        )
        for one in outputs
    ]


@pytest.fixture(scope="module")
def from_a_kernel(tmp_path_factory):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in CELLS.values()])
    client = NotebookClient(notebook, allow_errors=True, kernel_name="python3", coalesce_streams=True)
    client.execute(cwd=str(tmp_path_factory.mktemp("kernel")))
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


@pytest.mark.end_to_end
def test_every_output_has_the_shape_that_a_kernel_gives_it(session, server, from_a_kernel):
    outputs = {name: session.run(source) for name, source in CELLS.items()}
    if server.sandbox == "landlock":  # gives no terminal, which `!` wants
        del outputs["a shell command"]
    differ = {n: (shape(outputs[n]), shape(from_a_kernel[n])) for n in outputs}
    assert {n: pair for n, pair in differ.items() if pair[0] != pair[1]} == {}
