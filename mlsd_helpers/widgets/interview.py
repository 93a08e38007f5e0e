"""A requirements interview: a product owner with time for a few questions, and notes to compare."""

from collections.abc import Mapping
from html import escape
from typing import Any

import traitlets as t

from mlsd_helpers.errors import ExerciseError
from mlsd_helpers.exercises.requirements.interview import BUDGET, Interview
from mlsd_helpers.widgets.base import Widget, module, style

_INTRO = f"A product owner at Harbour Pay has time for {BUDGET} of these questions, and volunteers nothing."


class StakeholderInterview(Widget):
    """Choose questions, hear the answers, and put two of them side by side that cannot both hold.

    An answer is in no state and on no page before its question is asked. `talk` is the interview behind it, which
    works as well without the widget; its review appears when the questions are spent, or when the learner ends it.
    """

    _esm = module("interview.js")
    _css = style("interview.css")  # type: ignore[assignment] # a text, where the base has a path
    problem = t.Unicode().tag(sync=True)
    shown = t.Dict().tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.talk = Interview()
        self._reply = self._review = ""
        self.on_msg(self._on_message)
        self._show()

    def ask(self, key: str) -> None:
        """Ask a question, as the button does; what cannot be asked leaves a message in `problem`."""
        try:
            self.talk.ask(key)
        except ExerciseError:
            self.problem = _NO_TIME if key in self.talk.questions else "Choose a question first, then ask it."
            return
        if not self.talk.left:
            self._review = self.talk.review()
        self._show()

    def confront(self, first: str, second: str) -> None:
        """Put two answers side by side, as the button does."""
        try:
            self._reply = self.talk.confront(first, second)
        except ExerciseError:
            self.problem = "Mark two of the answers in your notes, then put them side by side."
            return
        if self._review:
            self._review = self.talk.review()
        self._show()

    def end(self) -> None:
        """End the interview early, and hear what it found."""
        self._review = self.talk.review()
        self._show()

    def start_again(self) -> None:
        """Begin a new interview: the same owner, the same answers."""
        self.talk = Interview()
        self._reply = self._review = ""
        self._show()

    def _show(self) -> None:
        questions, answers = self.talk.questions, self.talk.answers
        with self.hold_sync():
            self.problem = ""
            self.shown = {
                "intro": _INTRO,
                "questions": [[key, question, key in answers] for key, question in questions.items()],
                "notes": [[key, questions[key], answer] for key, answer in answers.items()],
                "left": self.talk.left,
                "reply": self._reply,
                "review": self._review,
                "assumed": _assumed(self.talk) if self._review else "",
            }
        self.update_record()

    def _on_message(self, _widget: object, message: Mapping[str, Any], _buffers: object) -> None:
        match message:
            case {"kind": "ask", "key": key}:
                self.ask(str(key))
            case {"kind": "confront", "keys": [first, second]}:
                self.confront(str(first), str(second))
            case {"kind": "confront"}:
                self.confront("", "")
            case {"kind": "end"}:
                self.end()
            case {"kind": "again"}:
                self.start_again()

    def still(self) -> str:
        """Return the questions, and the answers that were heard."""
        questions = "".join(f"<li>{escape(question)}</li>" for question in self.talk.questions.values())
        notes = "".join(
            f"<dt>{escape(self.talk.questions[key])}</dt><dd>{escape(answer)}</dd>"
            for key, answer in self.talk.answers.items()
        )
        heard = f"<dl>{notes}</dl>" if notes else "<p>Run this cell in JupyterLab to ask.</p>"
        said = "".join(f"<p>{escape(words)}</p>" for words in (self._reply, self._review) if words)
        return f"<p>{escape(_INTRO)}</p><ul>{questions}</ul>{heard}{said}"

    def record(self) -> str:
        """Return the questions and the answers that were heard, as they stay in a saved notebook."""
        return self.still() if self.talk.answers else super().record()

    def sentence(self) -> str:
        """Return what the interview is about, and where it stands."""
        return (
            f"Interview. {_INTRO} {self.talk.left} left. Questions: {' '.join(self.talk.questions.values())}"
        )


_NO_TIME = f"The time for {BUDGET} questions is over. Compare your notes, or start again."


def _assumed(talk: Interview) -> str:
    more = "" if talk.left else " To hear what else there is, start again and ask otherwise."
    return f"Not asked, so you now assume: {', '.join(talk.assumed)}. Give each an owner who finds out.{more}"
