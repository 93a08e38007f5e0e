"""The plane canvas: boxes and arrows that a learner draws, reviews and breaks."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from mlsd_helpers.analysis.blast import BlastRadius, blast_radius
from mlsd_helpers.design import KINDS, Component, Design, Flow, Planes, Requirements
from mlsd_helpers.design.planes import Carries
from mlsd_helpers.errors import DesignError, MlsdError
from mlsd_helpers.figures.base import table
from mlsd_helpers.figures.plane_layout import BOX_HIGH, BOX_WIDE, PITCH, Cell, layout
from mlsd_helpers.figures.planes import draw_planes, flow_table, sketch
from mlsd_helpers.review import Finding, in_order, rules_called
from mlsd_helpers.units import SECONDS, read
from mlsd_helpers.widgets.base import Closable, Lockable, module, style

_SUBJECTS = {"Component: id: ": "New box: ", "Component: ": "New box: ", "Flow: ": "Arrow: "}
"""Of each class that an error may name: what the page calls it."""
_CARRIES = Carries.__args__  # type: ignore[attr-defined]
Message = Mapping[str, Any]


class PlanesCanvas(Closable):
    """An editor of boxes and arrows over the five planes, reviewed as it is drawn.

    `planes` is the sketch as a frozen value: set it, or read what the learner has drawn. Each change replaces it,
    and `undo` brings the one before back. `kill` shows the blast radius of one component. `requirements` lets
    rules on budgets and targets speak as well. With a `prediction` the canvas stays closed, and nothing of it
    reaches the page, until that is locked in. An edit that is refused leaves its reason in `message`.
    """

    _esm = module("planes_canvas.js")
    _css = style("planes_canvas.css")  # type: ignore[assignment] # text, where the base has a path
    _name = "Plane canvas"

    def __init__(
        self,
        planes: Planes | None = None,
        *,
        requirements: Requirements | None = None,
        prediction: Lockable | None = None,
    ) -> None:
        self._planes = planes or Planes()
        self._requirements = requirements
        self._past: list[Planes] = []
        self._cells: dict[str, Cell] = {}
        self.killed = ""
        self.message, self._failed = "", False
        super().__init__(prediction)
        self.on_msg(self._on_message)
        self.observe(self._show, names="ready")
        self._show()

    @property
    def planes(self) -> Planes:
        """The sketch as it stands now."""
        return self._planes

    @planes.setter
    def planes(self, planes: Planes) -> None:
        self._replace(planes, "The sketch was replaced.")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules on planes find in the sketch, errors first."""
        design = Design(name="the sketch", planes=self._planes, requirements=self._requirements)
        return in_order(finding for rule in rules_called(["PLANE"]) for finding in rule(design))

    @property
    def blast(self) -> BlastRadius | None:
        """What the killed component does to the others, if one is killed."""
        return blast_radius(self._planes, self.killed) if self.killed else None

    # -- editing

    def add(self, name: str, kind: str) -> None:
        """Add a component in the plane of its kind."""
        if not name:
            raise DesignError("New box: it has no name yet. Type one, such as scores, then add it.")
        if self._planes.component(name):
            raise DesignError(f"New box: there is a box {name!r} already. Choose another name.")
        box = Component(id=name, kind=kind)
        self._replace(
            self._planes.changed(components=(*self._planes.components, box)),
            f"{name} added to the {box.plane} plane.",
        )

    def connect(self, start: str, end: str, carries: str = "request") -> None:
        """Draw an arrow; there is one at most of each kind between two components."""
        if start == end:
            raise DesignError(f"{start} cannot send anything to itself. Choose another box.")
        if any((flow.start, flow.end, flow.carries) == (start, end, carries) for flow in self._planes.flows):
            raise DesignError(f"There is an arrow from {start} to {end} that carries {carries} already.")
        arrow = Flow(start=start, end=end, carries=carries)
        self._replace(
            self._planes.changed(flows=(*self._planes.flows, arrow)),
            f"Arrow from {start} to {end}, {carries}.",
        )

    def change_arrow(self, at: int, **fields: Any) -> None:
        """Change what an arrow carries, its timeout (s), fallback or check; an empty text takes it away."""
        flow = self._arrow(at)
        changed = flow.changed(**{name: value or None for name, value in fields.items()})
        flows = (*self._planes.flows[:at], changed, *self._planes.flows[at + 1 :])
        self._replace(self._planes.changed(flows=flows), f"Arrow from {flow.start} to {flow.end} changed.")

    def remove_arrow(self, at: int) -> None:
        """Take an arrow away."""
        flow = self._arrow(at)
        flows = tuple(one for place, one in enumerate(self._planes.flows) if place != at)
        self._replace(self._planes.changed(flows=flows), f"Arrow from {flow.start} to {flow.end} removed.")

    def remove(self, name: str) -> None:
        """Take a component away, with its arrows and alerts."""
        self._known(name)
        self._replace(
            self._planes.changed(
                components=tuple(one for one in self._planes.components if one.id != name),
                flows=tuple(flow for flow in self._planes.flows if name not in {flow.start, flow.end}),
                alerts=tuple(alert for alert in self._planes.alerts if alert.raised_by != name),
            ),
            f"{name} removed, with its arrows.",
        )

    def move(self, name: str, left: float, top: float) -> None:
        """Put a box into the cell of its lane that is nearest to a point (pixels); the sketch stays what it is.

        What stood there takes its place; every other box stays.
        """
        self._known(name)
        planes = {one.id: one.plane for one in self._planes.components}
        placed = layout(self._planes, self._cells)
        cell = placed.cell(planes[name], left, top)
        there = (one for one, kept in placed.cells.items() if kept == cell and planes[one] == planes[name])
        self._cells = {**placed.cells, next(there, name): placed.cells[name], name: cell}
        self._show()

    def kill(self, name: str) -> None:
        """Let a component die, or bring it back when it is the dead one; one is dead at a time."""
        self._known(name)
        self.killed = "" if self.killed == name else name
        self._report(self.blast.sentence if self.blast else f"{name} works again.")

    def undo(self) -> None:
        """Bring back the sketch before the last change."""
        if not self._past:
            raise DesignError("There is nothing to undo. Change something first.")
        self._planes = self._past.pop()
        self._after_change("The last change is undone.")

    def _replace(self, planes: Planes, message: str) -> None:
        self._past.append(self._planes)
        self._planes = planes
        self._after_change(message)

    def _after_change(self, message: str) -> None:
        if self.killed and self._planes.component(self.killed) is None:
            self.killed = ""
        self._report(f"{message} {self.verdict}")

    def _report(self, message: str, *, failed: bool = False) -> None:
        self.message, self._failed = message, failed
        self._show()

    def _known(self, name: str) -> None:
        if self._planes.component(name) is None:
            raise DesignError(f"There is no component {name!r}. Choose one that is drawn.")

    def _arrow(self, at: int) -> Flow:
        if not 0 <= at < len(self._planes.flows):
            raise DesignError(f"There is no arrow number {at}. There are {len(self._planes.flows)}.")
        return self._planes.flows[at]

    # -- the page

    def _on_message(self, _widget: object, message: Message, _buffers: object) -> None:
        try:
            edit = self._EDITS[str(message.get("kind"))]
            edit(self, message)
        except (MlsdError, KeyError, TypeError, ValueError) as error:
            why = _in_words(error) if isinstance(error, MlsdError) else "That edit cannot be read. Try again."
            self._report(f"Not done. {why}", failed=True)

    _EDITS: Mapping[str, Callable[["PlanesCanvas", Message], None]] = {
        "add": lambda self, m: self.add(str(m["id"]).strip(), m["of"]),
        "connect": lambda self, m: self.connect(m["from"], m["to"], m["carries"]),
        "change": lambda self, m: self.change_arrow(
            int(m["at"]),
            carries=m["carries"],
            timeout=_seconds(m["timeout_ms"]),
            fallback=m["fallback"],
            check=m["check"],
        ),
        "remove_arrow": lambda self, m: self.remove_arrow(int(m["at"])),
        "remove": lambda self, m: self.remove(m["id"]),
        "move": lambda self, m: self.move(m["id"], float(m["x"]), float(m["y"])),
        "kill": lambda self, m: self.kill(m["id"]),
        "undo": lambda self, _: self.undo(),
    }

    @property
    def verdict(self) -> str:
        """How many errors and warnings the review finds."""
        counts = {kind: sum(one.severity == kind for one in self.findings) for kind in ("error", "warning")}
        counted = [
            f"{number} {kind}{'s' if number != 1 else ''}" for kind, number in counts.items() if number
        ]
        return f"Review: {', '.join(counted)}." if counted else "Review: no error and no warning."

    def _show(self, _change: object = None) -> None:
        if self.ready:
            self.shown = self._for_the_page()

    def _for_the_page(self) -> dict[str, Any]:
        placed, hit = layout(self._planes, self._cells), self.blast
        alt = f"Sketch with {len(self._planes.components)} boxes and {len(self._planes.flows)} arrows"
        return {
            "picture": draw_planes(self._planes, hit, placed).for_page(alt),
            "box": [BOX_WIDE, BOX_HIGH],
            "pitch": list(PITCH),
            "boxes": [{"id": name, "x": x, "y": y} for name, (x, y) in placed.boxes.items()],
            "arrows": [_arrow(at, flow) for at, flow in enumerate(self._planes.flows)],
            "findings": _listed(self.findings),
            "verdict": self.verdict,
            "killed": self.killed,
            "blast": hit.sentence if hit else "",
            "message": self.message,
            "failed": self._failed,
            "undoable": bool(self._past),
            "kinds": {plane: list(kinds) for plane, kinds in KINDS.items()},
            "carries": list(_CARRIES),
        }

    def _open_still(self) -> str:
        figure = sketch(self._planes, self.killed or None)
        rows = _listed(self.findings)
        columns = {name: tuple(row[name] for row in rows) for name in rows[0]} if rows else {}
        review = table(columns, self.verdict) if rows else f"<p>{escape(self.verdict)}</p>"
        return figure.html() + table(flow_table(self._planes), "Arrows") + review

    def _open_sentence(self) -> str:
        return f"{self._name}. {sketch(self._planes, self.killed or None).alt} {self.verdict}"


def _in_words(error: MlsdError) -> str:
    """Return an error's text with the page's words in place of class names.

    >>> _in_words(DesignError("Component: id: 'a b' is not an id."))
    "New box: 'a b' is not an id."
    """
    text = str(error)
    named = next((name for name in _SUBJECTS if text.startswith(name)), "")
    return _SUBJECTS.get(named, "") + text.removeprefix(named)


def _seconds(given: Any) -> float | None:
    """Read a timeout as people write it; a bare number is in milliseconds, as its field says.

    >>> _seconds("40"), _seconds("40 ms"), _seconds("0.04 s"), _seconds(" ")
    (0.04, 0.04, 0.04, None)
    """
    text = str(given).strip()
    if not text:
        return None
    return read(f"{text} ms" if text[-1].isdigit() or text[-1] == "." else text, SECONDS)


def _arrow(at: int, flow: Flow) -> dict[str, Any]:
    """Return what the page shows of an arrow when it is selected."""
    return {
        "at": at,
        "from": flow.start,
        "to": flow.end,
        "carries": flow.carries,
        "timeout_ms": round(flow.timeout * 1000, 3) if flow.timeout else "",
        "fallback": flow.fallback or "",
        "check": flow.check or "",
    }


def _listed(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    """Return the errors and warnings as rows."""
    return [
        {"code": one.code, "severity": one.severity, "found": one.message, "fix": one.fix}
        for one in findings
        if one.severity != "info"
    ]
