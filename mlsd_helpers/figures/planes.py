"""The drawing of a system: five lanes, a box for each component, an arrow for each flow."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from mlsd_helpers.analysis.blast import BlastRadius, blast_radius
from mlsd_helpers.analysis.graph import WAITING
from mlsd_helpers.design import KINDS, Component, Flow, Planes
from mlsd_helpers.design.components import Kind, Plane
from mlsd_helpers.figures import drawing
from mlsd_helpers.figures.base import Columns, Figure
from mlsd_helpers.figures.drawing import Drawing, tag, words
from mlsd_helpers.figures.plane_layout import BOX_HIGH, BOX_WIDE, WIDE, Lane, Layout, Points, layout

_LETTERS = 16
_BEND = 5  # pixels that a corner of an arrow is rounded by
_STEERING = ("alert", "command", "configuration")

RESPONSIBLE_FOR: Mapping[Plane, str] = MappingProxyType(
    {
        "data": "brings raw data in, makes features of them and keeps them.",
        "training": "makes a model from data, and judges whether it is good enough for its use.",
        "serving": "answers requests with the model.",
        "monitoring": "watches what comes in and goes out, and calls somebody.",
        "control": "decides what runs: roll-out, retraining, rollback, off.",
    }
)
"""What each plane of a production system is responsible for."""

DOES: Mapping[Kind, str] = MappingProxyType({
    "raw source": "has what happened, as it was written first",
    "ingestion": "brings data in from a source",
    "event stream": "hands events on, in order, as they come",
    "batch pipeline": "works data over, from time to time",
    "stream processor": "keeps counts up to date with each event",
    "feature store": "serves each feature's newest value",
    "offline store": "keeps what was, for training",
    "label store": "keeps the truth, when it has come",
    "vector index": "finds the passages nearest to a question",
    "training pipeline": "makes the next model",
    "training compute": "has the machines that training runs on",
    "experiment registry": "remembers what was tried, and how it did",
    "model registry": "keeps models, and what each was made from",
    "evaluation": "measures a model on data that it has not seen",
    "api gateway": "lets requests in, and answers them",
    "load balancer": "spreads requests over replicas",
    "model server": "runs the model",
    "cache": "repeats a recent answer",
    "prediction store": "holds answers that were made in advance",
    "batch scorer": "makes answers in advance",
    "candidate generator": "picks the few that are worth ranking",
    "business rules": "decide what no model may decide",
    "orchestrator": "calls the others in order",
    "embedder": "turns text or pictures into vectors",
    "re-ranker": "sorts the few that retrieval has found",
    "guardrail": "stops what must not go in or come out",
    "llm gateway": "shares quotas of language models",
    "rate limiter": "refuses callers who ask too often",
    "device fleet": "runs the model where the user is",
    "client": "sends what the user asks",
    "prediction log": "keeps what was answered, and from what",
    "metrics": "count and time what happens",
    "drift detector": "sees that data or scores have changed",
    "quality monitor": "compares answers with the truth",
    "dashboard": "shows it to whoever looks",
    "alerting": "tells somebody",
    "ci/cd": "tests a change, and rolls it out",
    "retraining trigger": "says when to train again",
    "validation gate": "lets a model through, or not",
    "canary": "tries a version on few requests first",
    "rollback": "brings back the version before",
    "kill switch": "turns the model off",
    "scheduler": "starts jobs at their time",
    "experiment platform": "puts users into arms, and compares them",
    "secret store": "keeps keys and passwords, and changes them",
})  # fmt: skip
"""What each kind of component does, in a line; those of any plane say it themselves."""


def arrow_kind(flow: Flow) -> str:
    """Return how an arrow is drawn: "waits", "steers" or "moves"."""
    if flow.carries in WAITING:
        return "waits"
    return "steers" if flow.carries in _STEERING else "moves"


def state_of(name: str, hit: BlastRadius | None) -> str:
    """Return the effect of a failure on a component, in a word; "" where there is none."""
    if hit is None:
        return ""
    states = (
        ("dead", (hit.killed,)),
        ("stops", hit.stops),
        ("falls back", hit.falls_back),
        ("older data", hit.older),
        ("hears nothing", hit.unheard),
    )
    return next((state for state, names in states if name in names), "")


def sketch(planes: Planes, killed: str | None = None) -> Figure:
    """Draw a sketch; with `killed`, also what the failure of that component does to the others."""
    hit = blast_radius(planes, killed) if killed else None
    names = {plane: ", ".join(one.id for one in planes.in_plane(plane)) for plane in KINDS}
    filled = "; ".join(f"{plane}: {inside or 'nothing'}" for plane, inside in names.items())
    arrows = f"{len(planes.flows)} arrows, {sum(arrow_kind(f) == 'waits' for f in planes.flows)} of them waited for"
    alt = f"A sketch of five planes. {filled}. {arrows}." + (f" {hit.sentence}" if hit else "")
    rows = [(one.id, one.plane, one.kind, state_of(one.id, hit)) for one in planes.components]
    heads = ("component", "plane", "kind", "state")
    columns = dict(zip(heads, zip(*rows, strict=True) if rows else [()] * len(heads), strict=True))
    return draw_planes(planes, hit, layout(planes)).figure(alt, data=columns)


def flow_table(planes: Planes) -> Columns:
    """Return the arrows as columns of a table."""
    return {
        "from": tuple(flow.start for flow in planes.flows),
        "to": tuple(flow.end for flow in planes.flows),
        "carries": tuple(flow.carries for flow in planes.flows),
        "fallback": tuple(flow.fallback or "" for flow in planes.flows),
        "check": tuple(flow.check or "" for flow in planes.flows),
    }


# ---- the picture ----------------------------------------------------------------------------------

_ARROWS: Mapping[str, tuple[str, str, dict[str, float | str]]] = MappingProxyType(
    {
        "waits": ("somebody waits", drawing.EXACT, {"stroke_width": 2.6}),
        "moves": ("data move", drawing.QUIET, {"stroke_width": 1.2}),
        "steers": ("alerts and orders", drawing.RULE, {"stroke_width": 1.4, "stroke_dasharray": "5 4"}),
    }
)
"""Of each kind of arrow: what the legend says, its colour, and its line."""
_BORDERS: Mapping[str, tuple[str, float, str]] = MappingProxyType(
    {
        "": (drawing.CONTROL, 1.2, "none"),
        "dead": (drawing.RULE, 3.5, "none"),
        "stops": (drawing.RULE, 3.5, "none"),
        "falls back": (drawing.EXACT, 2.5, "7 4"),
        "older data": (drawing.INK, 2, "2 4"),
        "hears nothing": (drawing.CONTROL, 2, "1 3"),
    }
)
"""Of each state of a box: the colour, width and dash of its border."""


def draw_planes(planes: Planes, hit: BlastRadius | None, placed: Layout) -> Drawing:
    """Draw lanes, arrows, boxes and a legend. Boxes and arrows have a key and a label, so that a page can use them."""
    parts = [
        *map(_head, _ARROWS),
        *map(_lane, placed.lanes),
        *(_arrow(at, flow, placed.arrows[at]) for at, flow in enumerate(planes.flows)),
        *(_box(one, placed.boxes[one.id], state_of(one.id, hit)) for one in planes.components),
        *_legend(placed.high),
    ]
    return Drawing("".join(parts), placed.high + 24, WIDE)


def _head(kind: str) -> str:
    """Return the head of a kind of arrow."""
    head = tag("path", d="M0 0L8 4L0 8z", fill=_ARROWS[kind][1])
    return tag("marker", head, id=drawing.unique(kind), viewBox="0 0 8 8", refX=7, refY=4, markerWidth=9,
               markerHeight=9, markerUnits="userSpaceOnUse", orient="auto")  # fmt: skip


def _lane(lane: Lane) -> str:
    """Draw a lane with the plane's name in its margin, where no arrow runs."""
    about = tag("title", f"{lane.plane}: {RESPONSIBLE_FOR[lane.plane]}")
    body = tag("rect", x=0.5, y=lane.top + 1.5, width=WIDE - 1, height=lane.high - 3, rx=6,
               fill=drawing.RAISED, stroke=drawing.GRID)  # fmt: skip
    name = words(lane.plane, 10, lane.top + lane.high / 2 + 4, font_weight=600, fill=drawing.QUIET)
    return tag("g", about, body, name)


def _box(component: Component, at: drawing.Point, state: str) -> str:
    colour, width, dash = _BORDERS[state]
    others = "run by others" if component.run_by_others else ""
    parts = (component.id, component.kind, f"{component.plane} plane", others, state)
    label = ", ".join(filter(None, parts))
    below = {"font_weight": 700} if state else {"fill": drawing.QUIET}
    middle = {"text_anchor": "middle"}
    return tag(
        "g",
        tag("rect", class_="body", width=BOX_WIDE, height=BOX_HIGH, rx=5,
            fill=drawing.PANEL, stroke=colour, stroke_width=width, stroke_dasharray=dash),
        words(short(component.id), BOX_WIDE / 2, 17, class_="name", font_weight=600, **middle),
        words(state or component.kind, BOX_WIDE / 2, 32, font_size=11, **below, **middle),
        class_="box",
        data_key=f"box:{component.id}",
        aria_label=label,
        transform=f"translate({at[0]:g} {at[1]:g})",
    )  # fmt: skip


def short(name: str) -> str:
    """Cut a name to what fits into a box."""
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"


def _arrow(at: int, flow: Flow, corners: Points) -> str:
    given = ((name, getattr(flow, name)) for name in ("fallback", "otherwise", "fails", "check"))
    guards = (f". {name}: {value}" for name, value in given if value)
    label = f"Arrow from {flow.start} to {flow.end}, {flow.carries}{''.join(guards)}"
    path = _stroke(path_through(corners), arrow_kind(flow))
    return tag("g", path, class_="flow", data_key=f"arrow:{at}", aria_label=label)


def _stroke(path: str, kind: str) -> str:
    """Return a line in the style of a kind of arrow, with its head."""
    _, colour, looks = _ARROWS[kind]
    return tag("path", d=path, fill="none", stroke=colour, **looks, marker_end=drawing.url(kind))


def path_through(corners: Points) -> str:
    """Return an SVG path along straight lines with rounded corners.

    >>> path_through([(0, 0), (0, 20), (30, 20)])
    'M0 0L0 15Q0 20 5 20L30 20'
    """
    path = "M{:g} {:g}".format(*corners[0])
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        bend = min(_BEND, math.dist(before, here) / 2, math.dist(here, after) / 2)
        (x, y), (x_2, y_2) = (_towards(here, other, bend) for other in (before, after))
        path += f"L{x:g} {y:g}Q{here[0]:g} {here[1]:g} {x_2:g} {y_2:g}"
    return path + "L{:g} {:g}".format(*corners[-1])


def _towards(point: drawing.Point, other: drawing.Point, far: float) -> drawing.Point:
    share = far / (math.dist(point, other) or 1)
    return tuple(round(a + (b - a) * share, 2) for a, b in zip(point, other, strict=True))  # type: ignore[return-value]


def _legend(top: float) -> Iterator[str]:
    for at, (kind, (meaning, _, _)) in enumerate(_ARROWS.items()):
        x, y = 10 + at * 170, top + 14
        yield _stroke(f"M{x} {y:g}h34", kind) + words(meaning, x + 42, y + 4, fill=drawing.QUIET)
