"""The IPython shell that runs cells in a sandbox and collects their outputs as nbformat stores them."""

import base64
import builtins
import getpass
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

_MOST_OUTPUTS = 1_000  # of one cell
_ENDS = 4  # calls shown at each end of a recursion


class Outputs:
    """The outputs of one cell, up to a number of characters in all."""

    def __init__(self, most: int) -> None:
        self.list: list[dict[str, Any]] = []
        self._most = self._left = most
        self._cut = self._clear_next = False

    def stream(self, name: str, text: str) -> None:
        """Add printed text; consecutive text of one stream is one output."""
        head = text[: max(self._left, 0)]
        if not self._takes(len(head)) or not head:
            self._cut = self._cut or bool(text)
            return
        self._cut = len(head) < len(text)
        if self.list and self.list[-1].get("name") == name:
            self.list[-1]["parts"].append(head)
        else:
            self.list.append({"output_type": "stream", "name": name, "parts": [head]})

    def add(self, output: dict[str, Any]) -> None:
        """Add a display, a result or an error."""
        plain = json.dumps(output, default=_plain)
        if self._takes(len(plain)):
            self.list.append(json.loads(plain))

    def clear(self, *, wait: bool) -> None:
        """Clear the outputs, now or, with `wait`, before the next one."""
        self._clear_next = wait
        if not wait:
            self.list.clear()

    def update(self, display_id: str, content: dict[str, Any]) -> None:
        """Replace what an earlier display of this cell shows."""
        for output in self.list:
            if output.get("display_id") == display_id:
                output.update(json.loads(json.dumps(content, default=_plain)))

    def _takes(self, size: int) -> bool:
        if self._clear_next:
            self.clear(wait=False)
        fits = not self._cut and self._left > 0 and len(self.list) < _MOST_OUTPUTS
        self._left -= size
        if fits and self._left >= 0:
            return True
        self._cut = True
        return False

    def shown(self) -> list[dict[str, Any]]:
        """Return the outputs as nbformat stores them."""
        whole = []
        for output in self.list:
            kept = {key: value for key, value in output.items() if key not in {"parts", "display_id"}}
            whole.append({**kept, "text": "".join(output["parts"])} if "parts" in output else kept)
        if self._cut:
            most = f"{self._most:,} characters in {_MOST_OUTPUTS:,} outputs"
            note = f"\n[The rest of the output was cut off: a cell may show {most}.]\n"
            whole.append({"output_type": "stream", "name": "stdout", "text": note})
        return whole


def _plain(value: Any) -> str:
    """Encode bytes, such as images, as base64, and anything else as text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


class _Stream(io.TextIOBase):
    """Standard output or error of the cells."""

    def __init__(self, name: str, shell: "CellShell") -> None:
        self.name, self._shell = name, shell

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._shell.outputs.stream(self.name, str.__str__(text))
        return len(text)


class _Publisher(DisplayPublisher):
    shell: "CellShell"

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,  # noqa: ARG002 - IPython still has it
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        content = {"data": data, "metadata": metadata or {}}
        outputs, display_id = self.shell.outputs, (transient or {}).get("display_id")
        if update and display_id:
            outputs.update(display_id, content)
        else:
            outputs.add({"output_type": "display_data", **content, "display_id": display_id})

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear(wait=wait)


class _Hook(DisplayHook):
    shell: "CellShell"

    def write_output_prompt(self) -> None:
        """Write no prompt: the output has the execution count."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        result = {"data": format_dict, "metadata": md_dict or {}, "execution_count": self.prompt_count}
        self.shell.outputs.add({"output_type": "execute_result", **result})

    def finish_displayhook(self) -> None:
        """Write no line break."""
        self._is_active = False


class CellShell(InteractiveShell):
    """An IPython shell that collects the outputs of a cell."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)

    outputs = Outputs(2**20)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.outputs.add(
            {"output_type": "error", "ename": etype.__name__, "evalue": _text(evalue), "traceback": list(stb)}
        )

    @contextmanager
    def _tee(self, channel: Any) -> Iterator[None]:  # noqa: ARG002 - IPython names it
        """Disable IPython's own copy of the output, which has no limit (IPython 9, 2026-12)."""
        yield

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> None:
        """Disable IPython's own copy of tracebacks, which doubles their time (IPython 9, 2026-12)."""

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: figures are always inline."""

    def ask_exit(self) -> None:
        """Do nothing: `exit` does not end a session."""

    def run(self, source: str, most: int) -> list[dict[str, Any]]:
        """Run a cell and return its outputs."""
        self.outputs = Outputs(most)
        try:
            self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        except BaseException as error:  # noqa: BLE001 - also SystemExit, which IPython lets through
            self._showtraceback(type(error), error, [f"{type(error).__name__}: {_text(error)}"])
        return self.outputs.shown()


def _text(value: Any) -> str:
    try:
        return str.__str__(str(value))
    except Exception as error:  # noqa: BLE001 - a learner's exception may do anything
        return f"(cannot be shown: {type(error).__name__})"


def _show_recursion(
    shell: CellShell, kind: Any, error: Any, trace: TracebackType, tb_offset: int | None = None
) -> Any:
    """Show the ends of an endless recursion; IPython would take seconds to format each call."""
    calls = [trace]
    while calls[-1].tb_next is not None:
        calls.append(calls[-1].tb_next)
    if len(calls) > 2 * _ENDS:
        calls[_ENDS].tb_next = calls[-_ENDS]
    lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
    shell._showtraceback(kind, error, lines)  # noqa: SLF001 - our own
    return lines


def _no_input(*_: Any, **__: Any) -> str:
    raise StdinNotImplementedError("Nobody is there to answer input() while a notebook is graded.")


def make_shell() -> CellShell:
    """Make the shell: no history on disk, no start-up files, no input, inline figures."""
    config = Config()
    config.HistoryManager.enabled = False  # on disk; `In` and `Out` work
    config.InteractiveShell.enable_tip = False
    shell: CellShell = CellShell.instance(config=config)
    # 2026-12: a notebook may call these by any import, and stdin is /dev/null. A kernel raises the same error.
    builtins.input = getpass.getpass = _no_input
    shell.set_custom_exc((RecursionError,), _show_recursion)  # type: ignore[no-untyped-call]
    shell.run("%matplotlib inline\nimport matplotlib.pyplot", 1_000)
    shell.run("1 / 0", 1_000)  # the first traceback imports modules
    shell.reset(new_session=True)  # type: ignore[no-untyped-call]
    shell.execution_count = 1
    return shell


def redirect_streams(shell: CellShell) -> None:
    """Redirect standard output and error to the shell's outputs."""
    sys.stdout, sys.stderr = _Stream("stdout", shell), _Stream("stderr", shell)


@contextmanager
def discard_output() -> Iterator[None]:
    """Discard what is printed and displayed meanwhile."""
    shell = CellShell.instance()
    before, shell.outputs = shell.outputs, Outputs(0)
    try:
        yield
    finally:
        shell.outputs = before
