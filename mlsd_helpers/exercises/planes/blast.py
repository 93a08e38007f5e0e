"""Exercise 2: trace what stops, what falls back and what ages when one component dies."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from mlsd_helpers.analysis.blast import blast_radius
from mlsd_helpers.analysis.graph import WAITING
from mlsd_helpers.design import Planes
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, equals, names, quoted

FEEDING = ("events", "batch")
"""The arrows along which data move, in this exercise."""

Arrow = Mapping[str, Any]
Hit = dict[str, set[str]]


def blast(flows: Sequence[Arrow], killed: str) -> Hit:
    """Sweep over the arrows until nothing changes."""
    stops = _stops(flows, killed)
    return {"stops": stops, "falls_back": _saved(flows, stops), "older": _older(flows, stops)}


def _stops(flows: Sequence[Arrow], killed: str) -> set[str]:
    stops = {killed}
    for _ in flows:
        stops |= {f["from"] for f in flows if _waits(f) and f["to"] in stops and not f["fallback"]}
    return stops


def _saved(flows: Sequence[Arrow], stops: set[str]) -> set[str]:
    return {f["from"] for f in flows if _waits(f) and f["to"] in stops and f["fallback"]} - stops


def _older(flows: Sequence[Arrow], stops: set[str]) -> set[str]:
    reached = set(stops)
    for _ in flows:
        reached |= {f["to"] for f in flows if f["carries"] in FEEDING and f["from"] in reached}
    return reached - stops


def _waits(flow: Arrow) -> bool:
    return flow["carries"] in WAITING


def blast_by_search(flows: Sequence[Arrow], killed: str) -> Hit:
    """Search from the dead component, once against the calls and once along the data."""
    stops, ends = {killed}, [killed]
    while ends:
        here = ends.pop()
        for flow in flows:
            if _waits(flow) and flow["to"] == here and not flow["fallback"] and flow["from"] not in stops:
                stops.add(flow["from"])
                ends.append(flow["from"])
    return {"stops": stops, "falls_back": _saved(flows, stops), "older": _older(flows, stops)}


def blast_by_library(flows: Sequence[Arrow], killed: str) -> dict[str, list[str]]:
    """Let the canvas's own function do it; lists will do for sets."""
    names = dict.fromkeys([killed, *(name for flow in flows for name in (flow["from"], flow["to"]))])
    boxes = [{"id": name, "kind": "business rules"} for name in names]
    hit = blast_radius(Planes(components=boxes, flows=flows), killed)
    return {"stops": list(hit.stops), "falls_back": list(hit.falls_back), "older": list(hit.older)}


def followed_the_arrows(flows: Sequence[Arrow], killed: str) -> Hit:
    """You followed the calls forwards. An arrow points at whom is asked; a failure travels back to whoever asked.
    Who is waiting for the dead one?
    """
    turned = [{**f, "from": f["to"], "to": f["from"]} if _waits(f) else f for f in flows]
    stops = _stops(turned, killed)
    return {"stops": stops, "falls_back": _saved(turned, stops), "older": _older(flows, stops)}


def looked_one_step_back(flows: Sequence[Arrow], killed: str) -> Hit:
    """You stopped after the first caller. It gives no answer now, and somebody waits for it in turn. How far back
    does that go?
    """
    stops = {killed} | {f["from"] for f in flows if _waits(f) and f["to"] == killed and not f["fallback"]}
    return {"stops": stops, "falls_back": _saved(flows, stops), "older": _older(flows, stops)}


def forgot_the_fallbacks(flows: Sequence[Arrow], killed: str) -> Hit:
    """You stopped callers that have a fallback. With a default or a last known good answer they go on, worse
    than before. What is the text in `fallback` for?
    """
    bare = [{**f, "fallback": None} for f in flows]
    stops = _stops(bare, killed)
    return {"stops": stops, "falls_back": set(), "older": _older(flows, stops)}  # C20


def one_fallback_for_all(flows: Sequence[Arrow], killed: str) -> Hit:
    """You saved a caller because one of its calls has a fallback. A fallback belongs to one arrow; the other call
    still has nothing to say. Which arrow failed?
    """
    safe = {f["from"] for f in flows if _waits(f) and f["fallback"]}
    stops = {killed}
    for _ in flows:
        stops |= {f["from"] for f in flows if _waits(f) and f["to"] in stops and f["from"] not in safe}
    calls = {f["from"] for f in flows if _waits(f) and f["to"] in stops}
    return {"stops": stops, "falls_back": calls & safe - stops, "older": _older(flows, stops)}


def fell_back_all_the_way(flows: Sequence[Arrow], killed: str) -> Hit:
    """You let everybody fall back who is above a fallback. They got an answer from below and noticed nothing.
    Whose own call failed?
    """
    hit = blast(flows, killed)
    above = set(hit["falls_back"])
    for _ in flows:
        above |= {f["from"] for f in flows if _waits(f) and f["to"] in above}
    return {**hit, "falls_back": above - hit["stops"]}


def stopped_the_readers(flows: Sequence[Arrow], killed: str) -> Hit:
    """You stopped what was fed by the dead one. A store that gets no new data goes on answering, with what it
    has: nothing is red, and every answer ages. Who waits on that arrow?
    """
    stops = _stops(flows, killed)
    for _ in flows:
        stops |= {f["to"] for f in flows if f["carries"] in FEEDING and f["from"] in stops}
        stops |= {f["from"] for f in flows if _waits(f) and f["to"] in stops and not f["fallback"]}
    return {"stops": stops, "falls_back": _saved(flows, stops), "older": _older(flows, stops)}


def aged_one_step(flows: Sequence[Arrow], killed: str) -> Hit:
    """You aged only what the dead one feeds directly. What that feeds in turn gets nothing new either. Where does
    its output go?
    """
    stops = _stops(flows, killed)
    next_ones = {f["to"] for f in flows if f["carries"] in FEEDING and f["from"] in stops}
    return {**blast(flows, killed), "older": next_ones - stops}


_SERVING = ("gateway", "ranker", "scorer", "profiles", "rules", "prices", "geocoder", "embeddings")
_DATA = ("clicks", "ledger", "counts", "nightly", "archive")


def _arrow(start: str, end: str, carries: str, fallback: str | None = None) -> Arrow:
    return {"from": start, "to": end, "carries": carries, "fallback": fallback}


def _draw_sketch(rng: random.Random) -> Case:
    """Draw calls without a circle over six components, and a chain of data that ends in two of them."""
    boxes = rng.sample(_SERVING, 6)
    data = rng.sample(_DATA, 3)
    flows = [
        _arrow(start, end, rng.choice(WAITING), rng.choice([None, None, "a default"]))
        for at, start in enumerate(boxes)
        for end in boxes[at + 1 :]
        if rng.random() < 0.4
    ]
    chain = [*data, boxes[-1]]
    flows += [_arrow(a, b, rng.choice(FEEDING)) for a, b in pairwise(chain)]
    flows.append(_arrow(data[1], boxes[-2], "batch"))
    rng.shuffle(flows)
    return {"flows": flows, "killed": rng.choice([*boxes[2:], data[0], data[1]])}


def _step(name: str, points: float, word: str, words: str) -> Step:
    def expected(case: Case, given: Given) -> set[str]:
        if name == "stops":
            return _stops(**case)
        return (_saved if name == "falls_back" else _older)(case["flows"], given["stops"])

    def explain(case: Case, value: Any) -> str:
        named = names(value)
        if named is None:
            return f"Expected a set of names in `{name}`."
        right = blast(**case)[name]
        surplus, missing = named - right, right - named
        if surplus:
            return f"{quoted(min(surplus))} is not among those that {words}."
        if len(missing) == 1:
            return f"One more of them {word}."
        return f"{len(missing)} more of them {words}." if missing else "Look at `stops` first."

    return replace(equals(name, points, expected), explain=explain)


_HARBOUR = [
    _arrow("gateway", "scorer", "request", "rules decide"),
    _arrow("gateway", "limits", "request"),
    _arrow("scorer", "features", "features"),
    _arrow("scorer", "rules", "request", "score alone"),
    _arrow("payments", "velocity", "events"),
    _arrow("velocity", "features", "events"),
    _arrow("payments", "limits", "batch"),
]
_FEED = [
    _arrow("app", "ranker", "request"),
    _arrow("ranker", "embeddings", "features"),
    _arrow("ranker", "prices", "features", "last known price"),
    _arrow("app", "prices", "request", "no price shown"),
    _arrow("embeddings", "archive", "request"),
    _arrow("nightly", "embeddings", "batch"),
    _arrow("clicks", "nightly", "batch"),
]

EXERCISE = Exercise(
    id="02-blast",
    assignment="02_planes",
    title="Trace the blast radius",
    kind="trace",
    outcome="Say what stops, what falls back and what ages unseen when one component dies.",
    minutes=18,
    steps=(
        _step("stops", 2, "gives no answer", "give no answer"),
        _step("falls_back", 1, "uses a fallback of its own", "use a fallback of their own"),
        _step("older", 1, "goes on with older data", "go on with older data"),
    ),
    cases=(
        {"flows": _HARBOUR, "killed": "features"},
        {"flows": _HARBOUR, "killed": "payments"},
        {"flows": _HARBOUR, "killed": "limits"},
        {"flows": _HARBOUR, "killed": "rules"},
        {"flows": _FEED, "killed": "archive"},
        {"flows": _FEED, "killed": "prices"},
        {"flows": _FEED, "killed": "clicks"},
    ),
    reference=blast,
    alternatives=(blast_by_search, blast_by_library),
    mistakes=(
        followed_the_arrows,
        looked_one_step_back,
        forgot_the_fallbacks,
        one_fallback_for_all,
        fell_back_all_the_way,
        stopped_the_readers,
        aged_one_step,
    ),
    hints=(
        "Look at the two kinds of arrow apart: on some, `from` waits for `to`; along others, `to` is fed by `from`.",
        (
            "Start with `stops = {killed}`. Add every caller whose call has no fallback and ends in `stops`, again "
            "and again until nothing is added. Only then work out the other two from it."
        ),
        (
            "A neighbour: a calls b, b calls c, only a has a fallback; d feeds c. If c dies, b stops and a falls back. "
            "If d dies, nobody stops: c goes on, older every minute."
        ),
    ),
    draw=_draw_sketch,
)
