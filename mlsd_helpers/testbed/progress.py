"""Shows the progress of the testbed on one line, in a notebook or a terminal."""

import sys
from typing import Any


class Progress:
    """One line, empty again at the end. Without a notebook or a terminal it shows nothing."""

    def __init__(self) -> None:
        self._handle: Any = None
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        self._notebook = hasattr(shell, "kernel")
        self._terminal = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._notebook:
            self._display(text)
        elif self._terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def _display(self, text: str) -> None:
        from IPython.display import display  # noqa: PLC0415 - there in a notebook

        shown = {"text/plain": text}
        if self._handle is None:
            show: Any = display
            self._handle = show(shown, raw=True, display_id=True)
        elif self._handle:
            self._handle.update(shown, raw=True)
