"""Exercise 3: write the rules that find three holes in any sketch."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlsd_helpers.analysis import graph
from mlsd_helpers.design import PLANE_OF, Planes
from mlsd_helpers.exercises.kit import Case, Exercise, Step, Stratum, equals, names, same

Box = Mapping[str, Any]
Arrow = Mapping[str, Any]
Found = dict[str, Any]

MONITORS = ("drift detector", "quality monitor", "alerting")


def lint(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """Find calls that wait for ever or have no fallback, monitors that nobody acts on, and whether answers are kept."""
    return {
        "calls": {at for at, flow in enumerate(flows) if _waits(flow) and not _guarded(flow)},
        "unheard": _monitors(components) - _heard(components, flows),
        "logged": _logged(components, flows),
    }


def _waits(flow: Arrow) -> bool:
    return flow["carries"] in graph.WAITING


def _guarded(flow: Arrow) -> bool:
    return flow["timeout"] is not None and flow["fallback"] is not None


def _of(components: Sequence[Box], plane: str) -> set[str]:
    return {box["id"] for box in components if box["plane"] == plane}


def _monitors(components: Sequence[Box]) -> set[str]:
    return {box["id"] for box in components if box["kind"] in MONITORS}


def _heard(components: Sequence[Box], flows: Sequence[Arrow]) -> set[str]:
    """Return what reaches control, over monitoring alone: what serving does next is no alert."""
    heard, watching = _of(components, "control"), _of(components, "monitoring")
    for _ in flows:
        heard |= {flow["from"] for flow in flows if flow["from"] in watching and flow["to"] in heard}
    return heard


def _logged(components: Sequence[Box], flows: Sequence[Arrow]) -> bool:
    logs = {box["id"] for box in components if box["kind"] == "prediction log"}
    serving = _of(components, "serving")
    return any(f["carries"] == "predictions" and f["from"] in serving and f["to"] in logs for f in flows)


def lint_by_graph(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """Use the typed design and the review's own walks."""
    planes = Planes(components=[{"id": b["id"], "kind": b["kind"]} for b in components], flows=flows)
    plane = {one.id: one.plane for one in planes.components}
    back = graph.steps_back(flow for flow in planes.flows if plane[flow.start] == "monitoring")
    heard = graph.reached((name for name in plane if plane[name] == "control"), back)
    kept = [f for f in planes.flows if f.carries == "predictions" and plane[f.start] == "serving"]
    kinds = {one.id: one.kind for one in planes.components}
    return {
        "calls": [
            at
            for at, f in enumerate(planes.flows)
            if f.carries in graph.WAITING and (f.timeout is None or f.fallback is None)
        ],
        "unheard": [name for name, kind in kinds.items() if kind in MONITORS and name not in heard],
        "logged": any(kinds[flow.end] == "prediction log" for flow in kept),
    }


def lint_monitor_by_monitor(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """Walk forwards from each monitor instead of backwards from control."""
    control, watching = _of(components, "control"), _of(components, "monitoring")
    unheard = []
    for monitor in sorted(_monitors(components)):
        reached = {monitor}
        for _ in flows:
            reached |= {f["to"] for f in flows if f["from"] in reached & watching}
        if not reached & control:
            unheard.append(monitor)
    return {**lint(components, flows), "unheard": unheard}


def asked_for_timeouts_only(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You accept a call that has a timeout. It says when the caller gives up, not what it does then. Where is the
    answer to come from?
    """
    calls = {at for at, flow in enumerate(flows) if _waits(flow) and flow["timeout"] is None}
    return {**lint(components, flows), "calls": calls}  # C20


def asked_for_fallbacks_only(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You accept a call that has a fallback and no timeout. A fallback begins when the waiting ends: without a limit,
    when is that?
    """
    calls = {at for at, flow in enumerate(flows) if _waits(flow) and flow["fallback"] is None}
    return {**lint(components, flows), "calls": calls}


def asked_for_either(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You find the calls that have neither. A call with a timeout alone ends without an answer, and one with a
    fallback alone never gets to it: each of the two is needed. Which word stands between your conditions?
    """
    calls = {at for at, f in enumerate(flows) if _waits(f) and f["timeout"] is None and f["fallback"] is None}
    return {**lint(components, flows), "calls": calls}


def judged_every_arrow(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You ask every arrow for a timeout and a fallback. Nobody waits on a batch or an event; only `request` and
    `features` hold somebody up. Which arrows are calls?
    """
    calls = {at for at, flow in enumerate(flows) if not _guarded(flow)}
    return {**lint(components, flows), "calls": calls}


def asked_for_requests_only(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You let calls for `features` pass. A model waits for its features as a user waits for an answer. Which two words
    of `carries` are calls?
    """
    calls = {at for at, flow in enumerate(flows) if flow["carries"] == "request" and not _guarded(flow)}
    return {**lint(components, flows), "calls": calls}


def asked_for_features_only(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You let calls for a `request` pass. Somebody waits for the answer of each. Which two words of `carries` are
    calls?
    """
    calls = {at for at, flow in enumerate(flows) if flow["carries"] == "features" and not _guarded(flow)}
    return {**lint(components, flows), "calls": calls}


def found_the_guarded_calls(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You found the calls that have both. A rule names what is to be mended: which calls does it look for?"""
    calls = {at for at, flow in enumerate(flows) if _waits(flow) and _guarded(flow)}
    return {**lint(components, flows), "calls": calls}


def counted_from_one(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You count the arrows from 1. A position in a list counts from 0, so that `flows[at]` is the arrow that is meant.
    What does `enumerate` begin with?
    """
    found = lint(components, flows)
    return {**found, "calls": {at + 1 for at in found["calls"]}}


def wanted_a_direct_arrow(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You want an arrow straight into control. A detector may tell the pager, and the pager the rollback: that is
    heard too. How do you follow more than one arrow?
    """
    control = _of(components, "control")
    direct = {flow["from"] for flow in flows if flow["to"] in control}
    return {**lint(components, flows), "unheard": _monitors(components) - direct}


def followed_two_arrows(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You follow two arrows and no more. A detector may tell a store of metrics, that the pager, and the pager the
    rollback. When is a way at its end?
    """
    control, watching = _of(components, "control"), _of(components, "monitoring")
    told = {flow["from"] for flow in flows if flow["to"] in control}
    told |= {flow["from"] for flow in flows if flow["to"] in told & watching}
    return {**lint(components, flows), "unheard": _monitors(components) - told}


def heard_by_alerts_alone(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You follow only arrows that carry an alert. What a detector writes into metrics can wake the pager too: any arrow
    leads on. Does the rule ask what a way carries?
    """
    alerts = [flow for flow in flows if flow["carries"] == "alert"]
    return {**lint(components, flows), "unheard": _monitors(components) - _heard(components, alerts)}


def heard_by_any_way(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You follow an alert through components of other planes. Labels that a monitor adds to a store may start a
    training weeks later, and nobody was told. Through which plane may a way lead?
    """
    heard = _of(components, "control")
    for _ in flows:
        heard |= {flow["from"] for flow in flows if flow["to"] in heard}
    return {**lint(components, flows), "unheard": _monitors(components) - heard}


def followed_arrows_both_ways(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You follow arrows against their direction too. A log that feeds two monitors carries nothing from one to the
    other. Which way does what a monitor says travel?
    """
    both = [*flows, *({**flow, "from": flow["to"], "to": flow["from"]} for flow in flows)]
    return {**lint(components, flows), "unheard": _monitors(components) - _heard(components, both)}


def the_pager_is_enough(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You take what reaches the pager as heard. A pager from which nothing leads on wakes nobody who can act. In which
    plane does a way have to end?
    """
    pagers = {box["id"] for box in components if box["kind"] == "alerting"}
    found = lint(components, flows)
    heard = pagers | {flow["from"] for flow in flows if flow["to"] in pagers}
    return {**found, "unheard": found["unheard"] - (heard - pagers)}


def only_alerting_passes_on(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You let a way pass the pager alone. A store of metrics may tell control too: the rule asks in which plane each
    component of the way is. Does it ask for its kind?
    """
    control = _of(components, "control")
    heard = {flow["from"] for flow in flows if flow["to"] in control}
    pagers = {box["id"] for box in components if box["kind"] == "alerting"} & heard
    heard |= {flow["from"] for flow in flows if flow["to"] in pagers}
    return {**lint(components, flows), "unheard": _monitors(components) - heard}


def any_arrow_is_heard(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You count a monitor as heard when it tells anybody. A dashboard acts on nothing, and neither does a pager that
    leads nowhere. Where does an alert have to arrive?
    """
    telling = {flow["from"] for flow in flows}
    return {**lint(components, flows), "unheard": _monitors(components) - telling}  # C14


def only_the_last_one(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You looked at the pager alone. A drift detector that tells nobody is just as quiet. Which kinds of component
    find something?
    """
    found = lint(components, flows)
    pagers = {box["id"] for box in components if box["kind"] == "alerting"}
    return {**found, "unheard": found["unheard"] & pagers}


def left_the_pager_out(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You left the pager out. Alerting that reaches nothing in control wakes nobody who can act. Which three kinds of
    component find something?
    """
    found = lint(components, flows)
    pagers = {box["id"] for box in components if box["kind"] == "alerting"}
    return {**found, "unheard": found["unheard"] - pagers}


def asked_all_of_monitoring(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You ask every part of monitoring to be heard. A log and a dashboard find nothing by themselves. Which three kinds
    of component does the rule speak of?
    """
    unheard = _of(components, "monitoring") - _heard(components, flows)
    return {**lint(components, flows), "unheard": unheard}


def found_the_heard(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You found the monitors that are heard. The rule is to find the others: of which does nobody act?"""
    unheard = _monitors(components) & _heard(components, flows)
    return {**lint(components, flows), "unheard": unheard}


def a_box_is_a_log(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You found the box of the prediction log and were content. A log into which nothing flows keeps nothing, and
    labels have nothing to be joined to. What has to arrive there, and from where?
    """
    logged = any(box["kind"] == "prediction log" for box in components)
    return {**lint(components, flows), "logged": logged}  # C15


def logged_by_anybody(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You let predictions from any plane count. What an evaluation writes there was answered to nobody: the answers
    that users got come from serving. Where do the predictions of a log have to come from?
    """
    logs = {box["id"] for box in components if box["kind"] == "prediction log"}
    logged = any(flow["carries"] == "predictions" and flow["to"] in logs for flow in flows)
    return {**lint(components, flows), "logged": logged}


def logged_anywhere(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You let predictions count wherever serving sends them. A monitor compares them and forgets; what keeps them until
    the labels come is the log. What kind of component do they have to reach?
    """
    serving = _of(components, "serving")
    logged = any(flow["carries"] == "predictions" and flow["from"] in serving for flow in flows)
    return {**lint(components, flows), "logged": logged}


def logged_by_the_model_server_alone(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You ask the model server alone for predictions. Rules and caches answer users too, and their answers are judged
    as the model's are. Which plane does the rule speak of?
    """
    kinds = {box["id"]: box["kind"] for box in components}
    sent = [flow for flow in flows if kinds[flow["from"]] == "model server"]
    return {**lint(components, flows), "logged": lint(components, sent)["logged"]}


def metrics_are_a_log(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You let metrics count as a log. A rate of errors says that all is well while the answers are wrong: only the
    answers themselves can be judged. What does serving have to send?
    """
    serving, watching = _of(components, "serving"), _of(components, "monitoring")
    logged = any(flow["from"] in serving and flow["to"] in watching for flow in flows)
    return {**lint(components, flows), "logged": logged}  # C13


def logged_by_whatever_it_carries(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You let anything count that serving sends to the log. Metrics in a log are still metrics: labels are joined to
    the answers themselves. What does the arrow have to carry?
    """
    logs = {box["id"] for box in components if box["kind"] == "prediction log"}
    serving = _of(components, "serving")
    logged = any(flow["from"] in serving and flow["to"] in logs for flow in flows)
    return {**lint(components, flows), "logged": logged}


def found_the_unlogged(components: Sequence[Box], flows: Sequence[Arrow]) -> Found:
    """You say True where nothing is logged. `logged` is True where it is. Which way round does the key read?"""
    found = lint(components, flows)
    return {**found, "logged": not found["logged"]}


def _arrow(
    start: str, end: str, carries: str, timeout: float | None = None, fallback: str | None = None
) -> Arrow:
    return {"from": start, "to": end, "carries": carries, "timeout": timeout, "fallback": fallback}


_BOXES = (
    ("door", "api gateway"), ("scorer", "model server"), ("features", "feature store"), ("rules", "business rules"),
    ("log", "prediction log"), ("health", "metrics"), ("drift", "drift detector"), ("recall", "quality monitor"),
    ("pager", "alerting"), ("wall", "dashboard"), ("undo", "rollback"), ("retrain", "retraining trigger"),
    ("labels", "label store"), ("holdout", "evaluation"),
)  # fmt: skip


def _draw_sketch(rng: random.Random) -> Case:
    """Draw a sketch whose guards, alert arrows and log are there or not, under names of its own."""
    prefix = rng.choice(["", "eu_", "v2_", "card_"])
    calls = [("door", "scorer"), ("scorer", "features"), ("scorer", "rules"), ("door", "rules")]
    flows = [
        _arrow(a, b, rng.choice(graph.WAITING), rng.choice([None, 0.05]), rng.choice([None, "a default"]))
        for a, b in calls
    ]
    sent = [("health", "metrics"), ("log", "metrics"), ("recall", "predictions"), ("log", "predictions")]
    flows += [_arrow("scorer", end, carries) for end, carries in sent if rng.random() < 0.4]
    flows += [_arrow("log", "drift", "predictions"), _arrow("log", "recall", "predictions")]
    flows += [_arrow("holdout", "log", "predictions")] * rng.choice([0, 1])
    flows += [_arrow("rules", "log", "predictions")] * rng.choice([0, 0, 1])
    flows.append(_arrow("labels", "retrain", "labels"))
    ends = ["pager", "wall", "retrain", "labels", "health", None]
    ways = [
        ("drift", rng.choice([*ends, "recall"])),
        ("recall", rng.choice(ends)),
        ("health", rng.choice(["pager", "retrain", None])),
        ("pager", rng.choice(["undo", "wall", None])),
    ]
    flows += [_arrow(a, b, rng.choice(["alert", "alert", "metrics"])) for a, b in ways if b]
    flows.append(_arrow("undo", "scorer", "command"))
    rng.shuffle(flows)
    return _named(prefix, flows)


def _named(prefix: str, flows: Sequence[Arrow]) -> Case:
    planes: Mapping[Any, str] = PLANE_OF
    boxes = [{"id": prefix + name, "kind": kind, "plane": planes[kind]} for name, kind in _BOXES]
    return {
        "components": boxes,
        "flows": [{**f, "from": prefix + f["from"], "to": prefix + f["to"]} for f in flows],
    }


def _found(name: str, points: float, asks: str) -> Step:
    def explain(case: Case, value: Any) -> str:
        right = lint(**case)[name]
        if isinstance(right, bool):
            if not (same(value, True) or same(value, False)):
                return "Expected True or False."
            return "Ask of each arrow where it begins, where it ends, and what it carries."
        named = names(value)
        if named is None:
            return f"Expected a set: {asks}."
        wanted = {str(one) for one in right}
        surplus, missing = named - wanted, wanted - named
        if surplus:
            return f"{min(surplus, key=lambda one: (len(one), one))} is not one of {asks}."
        return f"Of {asks}, {len(missing)} {'is' if len(missing) == 1 else 'are'} not in your set."

    return replace(equals(name, points, lambda case, _: lint(**case)[name]), explain=explain)


def _differs(mistake: Callable[..., Found], part: str) -> Callable[[Case], bool]:
    """Return whether a case shows a mistake in one part of the answer."""
    return lambda case: mistake(**case)[part] != lint(**case)[part]


_FIRST = (
    _arrow("door", "scorer", "request", 0.4, "rules decide"),
    _arrow("scorer", "features", "features", 0.04),
    _arrow("scorer", "rules", "request", fallback="score alone"),
    _arrow("scorer", "health", "metrics"),
    _arrow("log", "drift", "predictions"),
    _arrow("drift", "pager", "alert"),
    _arrow("recall", "labels", "labels"),
    _arrow("labels", "retrain", "labels"),
    _arrow("pager", "undo", "alert"),
    _arrow("scorer", "log", "metrics"),
)
_SECOND = (
    _arrow("door", "scorer", "request"),
    _arrow("scorer", "features", "features", fallback="a default"),
    _arrow("scorer", "log", "predictions"),
    _arrow("log", "drift", "predictions"),
    _arrow("recall", "retrain", "alert"),
    _arrow("drift", "pager", "alert"),
    _arrow("pager", "wall", "alert"),
)
_THIRD = (
    _FIRST[1],
    _FIRST[2],
    _arrow("holdout", "log", "predictions"),
    _FIRST[4],
    _arrow("recall", "wall", "alert"),
)
_FIFTH = (
    _arrow("door", "rules", "request", 0.4, "a default"),
    _arrow("rules", "log", "predictions"),
    _arrow("log", "drift", "predictions"),
    _arrow("log", "recall", "predictions"),
    _arrow("drift", "health", "metrics"),
    _arrow("health", "retrain", "alert"),
    _arrow("pager", "wall", "alert"),
)
_FOURTH = (
    _FIRST[0],
    _arrow("scorer", "recall", "predictions"),
    _arrow("drift", "health", "alert"),
    _arrow("health", "pager", "alert"),
    _arrow("recall", "pager", "metrics"),
    _FIRST[8],
)

EXERCISE = Exercise(
    id="02-lint",
    assignment="02_planes",
    title="Write rules that find holes in a sketch",
    kind="code",
    outcome="Turn a sentence about a sound sketch into a rule that finds where any sketch breaks it.",
    minutes=28,
    steps=(
        _found("calls", 1, "the positions of calls without a timeout or without a fallback"),
        _found("unheard", 1.5, "the monitors from which nothing reaches control"),
        _found("logged", 0.5, "a truth value"),
    ),
    cases=(
        _named("", _FIRST),
        _named("", _SECOND),
        _named("eu_", _THIRD),
        _named("v2_", _FOURTH),
        _named("", _FIFTH),
    ),
    reference=lint,
    alternatives=(lint_by_graph, lint_monitor_by_monitor),
    mistakes=(
        asked_for_timeouts_only,
        asked_for_fallbacks_only,
        asked_for_either,
        asked_for_requests_only,
        asked_for_features_only,
        found_the_guarded_calls,
        counted_from_one,
        judged_every_arrow,
        wanted_a_direct_arrow,
        followed_two_arrows,
        heard_by_alerts_alone,
        heard_by_any_way,
        followed_arrows_both_ways,
        the_pager_is_enough,
        only_alerting_passes_on,
        any_arrow_is_heard,
        only_the_last_one,
        left_the_pager_out,
        asked_all_of_monitoring,
        found_the_heard,
        a_box_is_a_log,
        logged_by_anybody,
        logged_anywhere,
        logged_by_the_model_server_alone,
        metrics_are_a_log,
        logged_by_whatever_it_carries,
        found_the_unlogged,
    ),
    hints=(
        "Look at one key at a time: run the check after each, it scores them by themselves.",
        (
            "Start with a dict from each id to its plane. For `unheard`, begin with the ids of control; add, "
            "again and again, every monitoring component that sends something to one already in."
        ),
        (
            "A neighbour: smoke → siren → porter, and only the porter can open the door. The smoke detector is heard, "
            "through the siren. A second detector wired to a lamp is not."
        ),
    ),
    draw=_draw_sketch,
    strata=(
        Stratum("(`request` or `features`)", _differs(asked_for_requests_only, "calls")),
        Stratum("(`request` or `features`)", _differs(asked_for_features_only, "calls")),
        Stratum("without a timeout *or*", _differs(asked_for_fallbacks_only, "calls")),
        Stratum("*or* without a fallback;", _differs(asked_for_timeouts_only, "calls")),
        Stratum("drift detectors, quality monitors", _differs(only_the_last_one, "unheard")),
        Stratum("and alerting", _differs(left_the_pager_out, "unheard")),
        Stratum("from which no way leads to the control plane.", _differs(any_arrow_is_heard, "unheard")),
        Stratum("no way leads", _differs(heard_by_alerts_alone, "unheard")),
        Stratum("A way may pass other components", _differs(followed_two_arrows, "unheard")),
        Stratum("A way may pass other components", _differs(only_alerting_passes_on, "unheard")),
        Stratum("no way leads", _differs(followed_arrows_both_ways, "unheard")),
        Stratum("no way leads", _differs(the_pager_is_enough, "unheard")),
        Stratum("each of them is in the monitoring plane;", _differs(heard_by_any_way, "unheard")),
        Stratum("whether `predictions` flow", _differs(logged_by_whatever_it_carries, "logged")),
        Stratum("from the serving plane", _differs(logged_by_anybody, "logged")),
        Stratum("from the serving plane", _differs(logged_by_the_model_server_alone, "logged")),
        Stratum("`logged`: whether", _differs(a_box_is_a_log, "logged")),
        Stratum("into a prediction log.", _differs(logged_anywhere, "logged")),
    ),
    general=(
        "A review is a handful",
        "Write three of its rules.",
        "`components` are dicts",
        "`flows` are dicts",
        "Return a dict",
    ),
)
