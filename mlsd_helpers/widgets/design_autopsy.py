"""Published incidents, moment by moment, and the plane in which each could first have been caught."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import traitlets as t

from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures.base import table
from mlsd_helpers.figures.planes import RESPONSIBLE_FOR
from mlsd_helpers.widgets.base import Closable, Lockable, module, style
from mlsd_helpers.widgets.incidents import EARLIEST, INCIDENTS, Incident

_QUESTION = "In which plane could it first have been caught?"


@dataclass(frozen=True)
class AutopsyView:
    """One incident up to a moment, counted from 1, and the plane that was chosen, if any."""

    incident: Incident
    moment: int = 1
    chosen: str | None = None

    @property
    def moments(self) -> tuple[tuple[str, str], ...]:
        """The moments up to this one."""
        return self.incident.moments[: self.moment]

    @property
    def more(self) -> bool:
        """Whether there are later moments."""
        return self.moment < len(self.incident.moments)

    @property
    def correct(self) -> bool:
        """Whether the chosen plane is the one that could have caught it first."""
        return self.chosen is not None and self.incident.verdict(self.chosen)[0] == EARLIEST

    @property
    def verdict(self) -> dict[str, Any]:
        """The headline and the reason that the choice gets; empty while nothing is chosen."""
        if self.chosen is None:
            return {}
        when, why = self.incident.verdict(self.chosen)
        return {"headline": f"{self.chosen.capitalize()}: {when}", "reasons": [why]}


def autopsy_view(incident: Incident, moment: int = 1, chosen: str | None = None) -> AutopsyView:
    """Return an incident up to a moment; a plane that does not exist raises `RangeError`."""
    if chosen is not None and chosen not in RESPONSIBLE_FOR:
        raise RangeError(f"There is no plane {chosen!r}. Choose one of {', '.join(RESPONSIBLE_FOR)}.")
    return AutopsyView(incident, max(1, min(moment, len(incident.moments))), chosen)


class DesignAutopsy(Closable):
    """Step through incidents, and choose for each the plane that could first have caught it.

    What a choice means is in no state and on no page before it is made; a wrong one may be followed by another.
    With a `prediction` the view stays closed until that is locked in. `view` is the incident as it is shown now.
    """

    _esm = module("design_autopsy.js")
    _css = style("design_autopsy.css")  # type: ignore[assignment] # text, where the base has a path
    _name = "Design autopsy"
    problem = t.Unicode().tag(sync=True)

    def __init__(
        self, incidents: tuple[Incident, ...] = INCIDENTS, *, prediction: Lockable | None = None
    ) -> None:
        self._views = [autopsy_view(incident) for incident in incidents]
        self._now = 0
        super().__init__(prediction)
        self.on_msg(self._on_message)
        self.observe(self._show, names="ready")
        self._show()

    @property
    def view(self) -> AutopsyView:
        """The incident as it is shown now."""
        return self._views[self._now]

    def turn_to(self, position: int) -> None:
        """Turn to another incident, where it was left."""
        if 0 <= position < len(self._views):
            self._now = position
            self._put(self.view)

    def step(self, moments: int = 1) -> None:
        """Show so many more moments, or fewer for a negative number."""
        view = self.view
        self._put(autopsy_view(view.incident, view.moment + moments, view.chosen))

    def choose(self, plane: str) -> None:
        """Choose a plane, as the button does; anything else leaves a message in `problem`."""
        view = self.view
        if plane not in RESPONSIBLE_FOR:
            self.problem = "Nothing is chosen yet. Choose a plane, then check it."
            return
        self._put(autopsy_view(view.incident, view.moment, plane))

    def _put(self, view: AutopsyView) -> None:
        self._views[self._now] = view
        self.problem = ""
        self._show()

    def _show(self, _change: object = None) -> None:
        if self.ready:
            self.shown = _for_the_page(self._views, self._now)

    def _on_message(self, _widget: object, message: Mapping[str, Any], _buffers: object) -> None:
        if not self.ready:
            return
        match message:
            case {"kind": "turn", "position": int(position)}:
                self.turn_to(position)
            case {"kind": "step", "moments": int(moments)}:
                self.step(moments)
            case {"kind": "choose", "plane": plane}:
                self.choose(str(plane))

    def _open_still(self) -> str:
        tables = "".join(
            table(
                {"when": tuple(m[0] for m in i.moments), "what happened": tuple(m[1] for m in i.moments)},
                i.name,
            )
            for i in (view.incident for view in self._views)
        )
        return f"{tables}<p>{_QUESTION}</p>"

    def _open_sentence(self) -> str:
        names = "; ".join(view.incident.name for view in self._views)
        return f"{self._name} of {names}. {_QUESTION} Planes: {', '.join(RESPONSIBLE_FOR)}."


def _for_the_page(views: list[AutopsyView], now: int) -> dict[str, Any]:
    view = views[now]
    return {
        "names": [each.incident.name for each in views],
        "solved": [each.correct for each in views],
        "now": now,
        "moments": [list(moment) for moment in view.moments],
        "progress": f"Moment {view.moment} of {len(view.incident.moments)}",
        "more": view.more,
        "question": _QUESTION,
        "planes": [[name, does] for name, does in RESPONSIBLE_FOR.items()],
        "chosen": view.chosen,
        "verdict": view.verdict,
        "source": f"Source: {view.incident.source}. Where it could have been caught is our reading.",
    }
