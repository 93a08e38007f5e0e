"""The base of every widget: state in Python, one plain ES module, and a still version.

A widget's module is `base.js` followed by the widget's own file, so that what they share stands once and no
bundler is needed. Where there is no kernel, the same output shows a still picture or table (text/html) and a
sentence (text/plain).
"""

from pathlib import Path
from typing import Any

from anywidget import AnyWidget

_HERE = Path(__file__).parent


def module(name: str) -> str:
    """Return the source of a widget's ES module: the shared part, then the file `name` beside this one."""
    return "\n".join((_HERE / part).read_text(encoding="utf-8") for part in ("base.js", name))


class Widget(AnyWidget):
    """A widget that also shows itself without a kernel; subclasses say how, in HTML and in a sentence."""

    _css = _HERE / "base.css"

    def still(self) -> str:
        """Return what stands in for the widget where there is no kernel, as HTML."""
        raise NotImplementedError

    def sentence(self) -> str:
        """Return the widget in plain words."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, metadata = shown
        return {**data, "text/html": self.still(), "text/plain": self.sentence()}, metadata
