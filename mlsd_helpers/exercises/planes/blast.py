"""Exercise 2: trace what stops, what falls back and what ages when one component dies."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from mlsd_helpers.analysis.blast import blast_radius
from mlsd_helpers.analysis.graph import WAITING
from mlsd_helpers.design import Planes
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Slip, Step, Stratum, equals, names, quoted

FEEDING = ("events", "batch")
"""The arrows along which data move, in this exercise."""

Arrow = Mapping[str, Any]
Hit = dict[str, set[str]]


def blast(flows: Sequence[Arrow], killed: str) -> Hit:
    """Sweep over the arrows until nothing changes."""
    return _hit(flows, _stops(flows, killed))


def _hit(flows: Sequence[Arrow], stops: set[str]) -> Hit:
    return {"stops": stops, "falls_back": _saved(flows, stops), "older": _older(flows, stops)}


def _stops(flows: Sequence[Arrow], killed: str) -> set[str]:
    stops = {killed}
    for _ in flows:
        stops |= {f["from"] for f in flows if _waits(f) and f["to"] in stops and not f["fallback"]}
    return stops


def _saved(flows: Sequence[Arrow], stops: set[str]) -> set[str]:
    return _with_a_fallback(flows, stops) - stops


def _with_a_fallback(flows: Sequence[Arrow], stops: set[str]) -> set[str]:
    return {f["from"] for f in flows if _waits(f) and f["to"] in stops and f["fallback"]}


def _older(flows: Sequence[Arrow], stops: set[str]) -> set[str]:
    return _fed(flows, stops) - stops


def _fed(flows: Sequence[Arrow], sources: set[str], feeding: Sequence[str] = FEEDING) -> set[str]:
    fed: set[str] = set()
    for _ in flows:
        fed |= {f["to"] for f in flows if f["carries"] in feeding and f["from"] in sources | fed}
    return fed


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
    return _hit(flows, stops)


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
    return _hit(flows, _stops([{**f, "from": f["to"], "to": f["from"]} for f in flows], killed))


def looked_one_step_back(flows: Sequence[Arrow], killed: str) -> Hit:
    """You stopped after the first caller. It gives no answer now, and somebody waits for it in turn. How far back
    does that go?
    """
    callers = {f["from"] for f in flows if _waits(f) and f["to"] == killed and not f["fallback"]}
    return _hit(flows, {killed} | callers)


def stopped_nobody_else(flows: Sequence[Arrow], killed: str) -> Hit:
    """You let nobody stop but the dead one. Whoever asks it and has no fallback cannot answer either. Who has asked?"""
    return _hit(flows, {killed})


def left_out_the_dead_one(flows: Sequence[Arrow], killed: str) -> Hit:
    """You left the dead one out of `stops`. It gives no answer either, and all others follow from it. Who is the first
    that does not answer?
    """
    hit = blast(flows, killed)
    return {**hit, "stops": hit["stops"] - {killed}}


def forgot_the_fallbacks(flows: Sequence[Arrow], killed: str) -> Hit:
    """You stopped callers that have a fallback. With a default or a last known good answer they go on, worse
    than before. What is the text in `fallback` for?
    """
    return _hit(flows, _stops([{**f, "fallback": None} for f in flows], killed))  # C20


def one_fallback_for_all(flows: Sequence[Arrow], killed: str) -> Hit:
    """You saved a caller because one of its calls has a fallback. A fallback belongs to one arrow; the other call
    still has nothing to say. Which arrow failed?
    """
    safe = {f["from"] for f in flows if _waits(f) and f["fallback"]}
    return _hit(flows, _stops([f for f in flows if f["from"] not in safe], killed))


def features_do_not_wait(flows: Sequence[Arrow], killed: str) -> Hit:
    """You let nobody wait for `features`. A model that has asked a store for its inputs cannot score before they come,
    as with any request. Which two words of `carries` are calls?
    """
    asked = [f for f in flows if f["carries"] != "features"]
    stops = _stops(asked, killed)
    return {**_hit(flows, stops), "falls_back": _saved(asked, stops)}


def stopped_the_readers(flows: Sequence[Arrow], killed: str) -> Hit:
    """You stopped what was fed by the dead one. A store that gets no new data goes on answering, with what it
    has: nothing is red, and every answer ages. Who waits on that arrow?
    """
    fed = [_arrow(f["to"], f["from"], "request") for f in flows if f["carries"] in FEEDING]
    return _hit(flows, _stops([*flows, *fed], killed))


def fell_back_all_the_way(flows: Sequence[Arrow], killed: str) -> Hit:
    """You let everybody fall back who is above a fallback. They got an answer from below and noticed nothing.
    Whose own call failed?
    """
    hit = blast(flows, killed)
    return {**hit, "falls_back": _above(flows, hit["stops"])}


def _above(flows: Sequence[Arrow], stops: set[str]) -> set[str]:
    above = _saved(flows, stops)
    for _ in flows:
        above |= {f["from"] for f in flows if _waits(f) and f["to"] in above}
    return above - stops


def fell_back_from_the_dead_one(flows: Sequence[Arrow], killed: str) -> Hit:
    """You let those fall back alone that call the dead one. What stops because of it gives its callers no answer
    either. To which of them is a fallback needed?
    """
    return {**blast(flows, killed), "falls_back": _saved(flows, {killed}) - _stops(flows, killed)}


def fell_back_and_stopped(flows: Sequence[Arrow], killed: str) -> Hit:
    """You let somebody fall back who stops. One of its calls has a fallback, another that failed has none, and so it
    gives no answer at all. Who of them still answers?
    """
    hit = blast(flows, killed)
    return {**hit, "falls_back": _with_a_fallback(flows, hit["stops"])}


def aged_one_step(flows: Sequence[Arrow], killed: str) -> Hit:
    """You aged only what is fed directly. What that feeds in turn gets nothing new either. Where does its output go?"""
    hit = blast(flows, killed)
    return {**hit, "older": _next(flows, hit["stops"])}


def _next(flows: Sequence[Arrow], stops: set[str]) -> set[str]:
    return {f["to"] for f in flows if f["carries"] in FEEDING and f["from"] in stops} - stops


def aged_by_the_dead_one(flows: Sequence[Arrow], killed: str) -> Hit:
    """You aged only what gets its data from the dead one. Whoever stopped with it sends nothing more either. What do
    the others in `stops` feed?
    """
    hit = blast(flows, killed)
    return {**hit, "older": _fed(flows, {killed}) - hit["stops"]}


def aged_by_events_alone(flows: Sequence[Arrow], killed: str) -> Hit:
    """You left the batches out. A table that is filled once a night ages as well when the job has died; it only takes
    longer until somebody sees it. Which two words of `carries` feed something?
    """
    hit = blast(flows, killed)
    return {**hit, "older": _fed(flows, hit["stops"], ["events"]) - hit["stops"]}


def aged_by_batches_alone(flows: Sequence[Arrow], killed: str) -> Hit:
    """You left the events out. A count that is fed by a stream stands still when the stream does, and is read as
    before. Which two words of `carries` feed something?
    """
    hit = blast(flows, killed)
    return {**hit, "older": _fed(flows, hit["stops"], ["batch"]) - hit["stops"]}


def aged_and_stopped(flows: Sequence[Arrow], killed: str) -> Hit:
    """You aged somebody who stops. Old data do no harm in an answer that nobody gets. Who of them goes on?"""
    hit = blast(flows, killed)
    return {**hit, "older": _fed(flows, hit["stops"])}


def aged_or_fell_back(flows: Sequence[Arrow], killed: str) -> Hit:
    """You left out of `older` who falls back. One call of it failed and has a fallback; the data that it is fed age all
    the same. Can both happen to one part?
    """
    hit = blast(flows, killed)
    return {**hit, "older": hit["older"] - hit["falls_back"]}


_SERVING = ("gateway", "ranker", "scorer", "profiles", "rules", "prices", "geocoder", "embeddings")
_DATA = ("clicks", "ledger", "counts", "nightly", "archive")
_APART = ("back_office", "invoices")


def _arrow(start: str, end: str, carries: str, fallback: str | None = None) -> Arrow:
    return {"from": start, "to": end, "carries": carries, "fallback": fallback}


def _draw_sketch(rng: random.Random) -> Case:
    """Draw calls without a circle over six components, data that they are fed and feed, and two components apart."""
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
    flows.append(_arrow(rng.choice(boxes[:4]), data[0], rng.choice(FEEDING)))
    flows.append(_arrow(rng.choice(boxes[2:4]), rng.choice(boxes[:2]), rng.choice(FEEDING)))
    flows.append(_arrow(*_APART, "request"))
    rng.shuffle(flows)
    return {"flows": flows, "killed": rng.choice([*boxes[2:], data[0], data[1]])}


def _own(case: Case, given: Given) -> set[str]:
    """Return the learner's own `stops` with the dead one, which belongs to any; the right ones where all stop."""
    everybody = {name for flow in case["flows"] for name in (flow["from"], flow["to"])}
    stops: set[str] = given["stops"] | {case["killed"]}
    return _stops(**case) if stops >= everybody else stops


def _step(name: str, points: float, word: str, words: str) -> Step:
    def expected(case: Case, given: Given) -> set[str]:
        if name == "stops":
            return _stops(**case)
        return (_saved if name == "falls_back" else _older)(case["flows"], _own(case, given))

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
    _arrow("app", "embeddings", "features", "the newest items"),
    _arrow("nightly", "embeddings", "batch"),
    _arrow("clicks", "nightly", "batch"),
    _arrow("ranker", "clicks", "events"),
    _arrow("prices", "ranker", "batch"),
]


def _differs(mistake: Callable[..., Hit], part: str) -> Callable[[Case], bool]:
    """Return whether a case shows a mistake in one part of the answer."""
    return lambda case: mistake(**case)[part] != blast(**case)[part]


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
        {"flows": _HARBOUR, "killed": "scorer"},
        {"flows": _FEED, "killed": "archive"},
        {"flows": _FEED, "killed": "prices"},
        {"flows": _FEED, "killed": "clicks"},
    ),
    reference=blast,
    alternatives=(blast_by_search, blast_by_library),
    mistakes=(
        followed_the_arrows,
        looked_one_step_back,
        stopped_nobody_else,
        left_out_the_dead_one,
        forgot_the_fallbacks,
        one_fallback_for_all,
        features_do_not_wait,
        stopped_the_readers,
        Slip(fell_back_all_the_way, {"falls_back": lambda c, g: _above(c["flows"], _own(c, g))}),
        Slip(
            fell_back_from_the_dead_one,
            {"falls_back": lambda c, g: _saved(c["flows"], {c["killed"]}) - _own(c, g)},
        ),
        Slip(fell_back_and_stopped, {"falls_back": lambda c, g: _with_a_fallback(c["flows"], _own(c, g))}),
        Slip(aged_one_step, {"older": lambda c, g: _next(c["flows"], _own(c, g))}),
        Slip(aged_by_the_dead_one, {"older": lambda c, g: _fed(c["flows"], {c["killed"]}) - _own(c, g)}),
        Slip(
            aged_by_events_alone,
            {"older": lambda c, g: _fed(c["flows"], _own(c, g), ["events"]) - _own(c, g)},
        ),
        Slip(
            aged_by_batches_alone,
            {"older": lambda c, g: _fed(c["flows"], _own(c, g), ["batch"]) - _own(c, g)},
        ),
        Slip(aged_and_stopped, {"older": lambda c, g: _fed(c["flows"], _own(c, g))}),
        Slip(
            aged_or_fell_back,
            {"older": lambda c, g: _older(c["flows"], _own(c, g)) - _saved(c["flows"], _own(c, g))},
        ),
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
    strata=(
        Stratum("whoever waits for something that stops", _differs(looked_one_step_back, "stops")),
        Stratum("(`request` or `features`)", _differs(features_do_not_wait, "stops")),
        Stratum("on an arrow without a fallback;", _differs(one_fallback_for_all, "stops")),
        Stratum("who has a fallback on an arrow", _differs(features_do_not_wait, "falls_back")),
        Stratum("to something that stops", _differs(fell_back_from_the_dead_one, "falls_back")),
        Stratum("and does not stop itself;", _differs(fell_back_and_stopped, "falls_back")),
        Stratum("who is fed (`events`", _differs(aged_by_batches_alone, "older")),
        Stratum("or `batch`)", _differs(aged_by_events_alone, "older")),
        Stratum("directly or by way of others", _differs(aged_one_step, "older")),
        Stratum("from something that stops", _differs(aged_by_the_dead_one, "older")),
        Stratum("and goes on.", _differs(aged_and_stopped, "older")),
        Stratum("`older`: who is fed", _differs(aged_or_fell_back, "older")),
    ),
    general=("`flows` is a list", "The component `killed` is dead.", "Return a dict"),
)
