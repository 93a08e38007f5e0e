"""The sketch of the five planes, and tables of what is in it."""

from mlsd_helpers.analysis.graph import WAITING
from mlsd_helpers.design import KINDS, Component, Flow, Planes
from mlsd_helpers.design.value import Value
from mlsd_helpers.document.markdown import Md, anchor, bullets, code, escape, joined, section, table
from mlsd_helpers.document.mermaid import Arrow, Edge, Group, Node, flowchart
from mlsd_helpers.document.provenance import Figures, decided, undecided

AT = "planes"
LEGEND = "Thick arrows: somebody waits. Dotted arrows: orders and alerts. The others: data on their way."

_MAY_BE_LEFT_OUT = frozenset({"gates", "stages", "rollback_takes_back"})
_STEERS = frozenset({"alert", "command", "configuration"})


def planes(figures: Figures) -> Md:
    """Write the planes: sketch, components, flows, alerts, retraining, release."""
    sketch = figures.design.planes
    if sketch is None:
        return section("planes", "Planes", undecided(AT))
    return section(
        "planes",
        "Planes",
        _sketch(sketch),
        Md(f"{LEGEND}{_empty(sketch)}"),
        _components(figures, sketch),
        _flows(figures, sketch),
        _alerts(figures, sketch),
        _changes(figures, "Retraining", "retraining"),
        _changes(figures, "Release", "release"),
    )


def _sketch(sketch: Planes) -> Md:
    ids = {component.id: f"c{number}" for number, component in enumerate(_by_plane(sketch))}
    filled = [plane for plane in KINDS if sketch.in_plane(plane)]
    groups = [Group(f"plane_{plane}", f"{plane} plane", _boxes(sketch, plane, ids)) for plane in filled]
    edges = [Edge(ids[flow.start], ids[flow.end], flow.carries, _arrow(flow)) for flow in sketch.flows]
    size = f"{len(ids)} components of the five planes and {len(edges)} flows between them"
    nothing = Node("nothing", ("nothing yet",), "round")
    return flowchart("Planes", f"{size}, listed in the tables below", groups or [nothing], edges, "TB")


def _empty(sketch: Planes) -> str:
    empty = [plane for plane in KINDS if not sketch.in_plane(plane)]
    return f" Not drawn, as nothing is in them: {', '.join(empty)}." if empty else ""


def _by_plane(sketch: Planes) -> list[Component]:
    return [component for plane in KINDS for component in sketch.in_plane(plane)]


def _boxes(sketch: Planes, plane: str, ids: dict[str, str]) -> list[Node]:
    inside = [component for component in sketch.components if component.plane == plane]
    return [
        Node(ids[one.id], (one.id, one.kind), "store" if "store" in one.kind else "box") for one in inside
    ]


def _arrow(flow: Flow) -> Arrow:
    return "waits" if flow.carries in WAITING else "steers" if flow.carries in _STEERS else "moves"


def _components(figures: Figures, sketch: Planes) -> Md:
    heads = ("component", "plane", "kind", "owner", "replicas", "zones", "latency", "availability", "note")
    rows = [_component(figures, one) for one in _by_plane(sketch)]
    return table(heads, rows) or undecided(f"{AT}.components")


def _component(figures: Figures, one: Component) -> tuple[Md, ...]:
    path = f"{AT}.components.{one.id}"
    numbers = [figures.number(f"{path}.{name}") for name in ("replicas", "zones", "latency", "availability")]
    return (
        anchor(f"component-{one.id}", code(one.id)),
        escape(one.plane),
        escape(one.kind),
        decided(one.owner, f"{path}.owner"),
        *numbers,
        joined(map(escape, filter(None, (one.title, one.accepted_risk))), ". "),
    )


def _flows(figures: Figures, sketch: Planes) -> Md:
    heads = ("from", "to", "carries", "timeout", "retries", "without an answer", "check")
    rows = (
        (
            code(flow.start),
            code(flow.end),
            escape(flow.carries),
            figures.number(f"{AT}.flows.{position}.timeout"),
            figures.number(f"{AT}.flows.{position}.retries") if flow.retries else Md(""),
            escape(flow.fallback or ""),
            escape(flow.check or ""),
        )
        for position, flow in enumerate(sketch.flows)
    )
    return table(heads, rows) or undecided(f"{AT}.flows")


def _alerts(figures: Figures, sketch: Planes) -> Md:
    heads = ("alert", "raised by", "watches", "metric", "when", "over", "at least", "owner", "action")
    rows = (
        (
            anchor(f"alert-{alert.id}", code(alert.id)),
            code(alert.raised_by),
            escape(alert.watches),
            escape(alert.metric),
            decided(alert.threshold, f"{AT}.alerts.{alert.id}.threshold"),
            figures.number(f"{AT}.alerts.{alert.id}.window"),
            figures.number(f"{AT}.alerts.{alert.id}.minimum_count"),
            decided(alert.owner, f"{AT}.alerts.{alert.id}.owner"),
            decided(alert.action, f"{AT}.alerts.{alert.id}.action"),
        )
        for alert in sketch.alerts
    )
    return table(heads, rows) or undecided(f"{AT}.alerts")


def _changes(figures: Figures, title: str, name: str) -> Md:
    """Write what is decided about retraining or the release, field by field."""
    group = getattr(figures.design.planes, name)
    if group is None:
        return Md(f"**{title}.** {undecided(f'{AT}.{name}')}")
    fields = {field: getattr(group, field) for field in type(group).model_fields}
    lines = (
        Md(f"{field.replace('_', ' ')}: {_value(figures, f'{AT}.{name}.{field}', value)}")
        for field, value in fields.items()
        if value or field not in _MAY_BE_LEFT_OUT
    )
    return Md(f"**{title}**\n\n{bullets(lines)}")


def _value(figures: Figures, path: str, value: object) -> Md:
    if isinstance(value, tuple):
        return joined(map(_entry, value)) or undecided(path)
    if value is None or isinstance(value, str):
        return decided(value, path)
    return figures.number(path)


def _entry(entry: str | Value) -> Md:
    """Write an entry of a list: a word, or a group of keys with what each says."""
    if isinstance(entry, str):
        return escape(entry)
    given = entry.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    words = {
        key: ", ".join(map(str, said)) if isinstance(said, list) else said for key, said in given.items()
    }
    return escape(f"({'; '.join(f'{key} {said}' for key, said in words.items())})")
