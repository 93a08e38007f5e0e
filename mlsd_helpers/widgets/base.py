"""The base of every widget: state in Python, one plain ES module, and a still version.

A widget's module is `base.js` followed by the widget's own file, so that what they share stands once and no
bundler is needed. Where there is no kernel, the same output shows a still picture or table (text/html) and a
sentence (text/plain).
"""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import uuid4

import traitlets as t
from anywidget import AnyWidget
from IPython.display import display, update_display

from mlsd_helpers.figures.base import Columns

_HERE = Path(__file__).parent

View = TypeVar("View")


def module(name: str) -> str:
    """Return the source of a widget's ES module: the shared part, then the file `name` beside this one.

    A browser names its errors after the last line, and counts their lines from the start of the shared part.
    """
    return f"{_joined('base.js', name)}\n//# sourceURL=mlsd/{name}"


def style(name: str) -> str:
    """Return a widget's style: the shared part, then the file `name` beside this one."""
    return _joined("base.css", name)


def _joined(*parts: str) -> str:
    return "\n".join((_HERE / part).read_text(encoding="utf-8") for part in parts)


def tabular(columns: Columns) -> dict[str, list[Any]]:
    """Return columns as the page's table takes them: their names, and the rows."""
    return {"columns": list(columns), "rows": [list(row) for row in zip(*columns.values(), strict=True)]}


class Widget(AnyWidget):
    """A widget that also shows itself without a kernel; subclasses give the HTML and the sentence."""

    _css = _HERE / "base.css"
    _recorded = ""

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

    def record(self) -> str:
        """Return what stays readable below the view when its kernel is gone, as HTML."""
        return "<p>This view needs its kernel. Run this cell again.</p>"

    def _ipython_display_(self) -> None:
        """Show the view, and below it the record, which the page hides for as long as the view is there.

        What a view shows lives in the kernel. A saved notebook keeps only outputs, so the record is one of its own,
        and is replaced when the learner has answered: replacing the view itself would take the focus from it.
        """
        shown = self._repr_mimebundle_()
        if shown is None:
            return
        display(shown[0], metadata=shown[1], raw=True)  # type: ignore[no-untyped-call] # IPython has no types here
        self._recorded = uuid4().hex
        display(self._record_data(), raw=True, display_id=self._recorded)  # type: ignore[no-untyped-call] # likewise

    def update_record(self) -> None:
        """Replace the record in the notebook by what it is now."""
        if self._recorded:
            update_display(self._record_data(), raw=True, display_id=self._recorded)  # type: ignore[no-untyped-call]

    def _record_data(self) -> dict[str, str]:
        html = f'<div class="mlsd-record">{self.record()}</div>'
        return {"text/html": html, "text/plain": unescape(re.sub(r"<[^>]+>", " ", self.record())).strip()}


class Lockable(Protocol):
    """What a learner commits to before the view opens: a `Prediction` or a `Choice`."""

    locked: Any

    def observe(self, handler: Callable[[Any], None], names: str) -> None:
        """Call `handler` when the trait `names` changes."""


class Closable(Widget):
    """A widget that a prediction keeps closed until it is locked in; the page then gets `shown`, and nothing before.

    A subclass sets `_name`, fills `shown` when `ready` changes, and returns its open view as HTML and as a sentence.
    """

    _name: ClassVar[str]

    title = t.Unicode().tag(sync=True)
    ready = t.Bool().tag(sync=True)
    closed = t.Unicode("Lock in your prediction first.").tag(sync=True)
    """What stands in place of the view while it is closed."""
    shown = t.Dict().tag(sync=True)

    def __init__(self, prediction: Lockable | None, **traits: Any) -> None:
        self._prediction = prediction
        super().__init__(title=self._name, ready=prediction is None or bool(prediction.locked), **traits)
        if prediction is not None:
            prediction.observe(lambda _: self.set_trait("ready", bool(prediction.locked)), names="locked")

    def still(self) -> str:
        """Return the open view as HTML, folded away while the prediction is open."""
        content = self._open_still()
        if self.ready:
            return content
        folded = f"<details><summary>Without a kernel: predict, then open</summary>{content}</details>"
        return f"<p>{self.closed}</p>{folded}"

    def sentence(self) -> str:
        """Return the open view in words, or that a prediction comes first."""
        return self._open_sentence() if self.ready else f"{self._name}. {self.closed}"

    def _open_still(self) -> str:
        """Return the open view as HTML."""
        raise NotImplementedError

    def _open_sentence(self) -> str:
        """Return the open view as a sentence."""
        raise NotImplementedError


class Explorable(Closable, Generic[View]):
    """Inputs that a learner moves, and the view that follows from them, which a prediction may keep closed.

    A subclass sets `_name`, `_inputs` and `_compute`. The inputs are traits, and fields of the frozen value that
    `_compute` takes; it returns the view. `_page`, `_picture` and `_words` turn a view into what the page gets, HTML
    and a sentence. While the prediction is open the page gets nothing of the view. The validator of the traits
    calls `_validate_input`.
    """

    _inputs: ClassVar[tuple[str, ...]]

    def __init__(self, given: Any, prediction: Lockable | None, **traits: Any) -> None:
        self._compute(given)  # refuses what is out of range before there is a widget
        self._given = given
        super().__init__(prediction, **{name: getattr(given, name) for name in self._inputs}, **traits)
        self.observe(self._show, names=[*self._inputs, "ready"])
        self._show()

    @staticmethod
    def _compute(inputs: Any) -> Any:
        """Return the view of inputs, or raise what is wrong with them."""
        raise NotImplementedError

    @property
    def view(self) -> View:
        """What the inputs give now."""
        view: View = self._compute(self._current_inputs())
        return view

    def _current_inputs(self, **changed: Any) -> Any:
        return replace(self._given, **{name: getattr(self, name) for name in self._inputs} | changed)

    def _validate_input(self, proposal: Any) -> Any:
        self._compute(self._current_inputs(**{proposal["trait"].name: proposal["value"]}))
        return proposal["value"]

    def _show(self, _change: object = None) -> None:
        if self.ready:
            self.shown = self._page(self.view)

    def _open_still(self) -> str:
        return self._picture(self.view)

    def _open_sentence(self) -> str:
        return self._words(self.view)

    def _page(self, view: View) -> dict[str, Any]:
        """Return everything that the page draws, already in words where it is words."""
        raise NotImplementedError

    def _picture(self, view: View) -> str:
        """Return a view as HTML."""
        raise NotImplementedError

    def _words(self, view: View) -> str:
        """Return a view as a sentence."""
        raise NotImplementedError
