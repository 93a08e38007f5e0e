"""Exercise 4: repair a sketch within four edits, until the review finds no error in it."""

import copy
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mlsd_helpers.analysis.graph import WAITING
from mlsd_helpers.design import Design, Planes
from mlsd_helpers.errors import MlsdError
from mlsd_helpers.exercises import reviewed
from mlsd_helpers.exercises.kit import Case, Exercise, Step, Stratum
from mlsd_helpers.review import Finding

Sketch = dict[str, Any]
Faults = Callable[[Case, Any], list[str]]
"""What is wrong with an answer to a case, one text for each fault."""

MOST_EDITS = 4
_CHECK = "Row count within 20% of the last, one row a key, ranges"
_TOGETHER = ["model", "feature schema", "configuration"]


# ---- the sketch that is to be repaired ------------------------------------------------------------

_BOXES = (
    ("payments", "raw source"), ("jobs", "batch pipeline"), ("features", "feature store"), ("disputes", "label store"),
    ("training", "training pipeline"), ("models", "model registry"),
    ("door", "api gateway"), ("scorer", "model server"), ("rules", "business rules"),
    ("log", "prediction log"), ("drift", "drift detector"), ("recall", "quality monitor"), ("wall", "dashboard"),
    ("retrain", "retraining trigger"), ("gate", "validation gate"), ("undo", "rollback"),
)  # fmt: skip
_CALLS = (("door", "scorer", "request"), ("scorer", "features", "features"), ("scorer", "rules", "request"))
_INPUTS = (
    ("jobs", "features", "batch"),
    ("payments", "features", "events"),
    ("jobs", "scorer", "configuration"),
)
_ALERTS = (("drift", "retrain", "alert"), ("recall", "retrain", "alert"))
_REST = (
    ("payments", "jobs", "batch"), ("jobs", "training", "batch"), ("disputes", "training", "labels"),
    ("training", "models", "model"), ("models", "gate", "model"), ("gate", "scorer", "model"),
    ("scorer", "log", "predictions"), ("log", "drift", "predictions"), ("log", "recall", "predictions"),
    ("disputes", "recall", "labels"), ("drift", "wall", "metrics"), ("recall", "wall", "metrics"),
    ("retrain", "training", "command"), ("undo", "scorer", "command"),
)  # fmt: skip


def _sketch(prefix: str, call: int, unchecked: int, deaf: int, together: Sequence[str]) -> Sketch:
    """Return a sketch with one fault of each kind, at the places given."""
    flows = [_flow(*arrow, timeout=_timeout_s(arrow[1]), fallback="A default") for arrow in _CALLS]
    flows[call] = _flow(*_CALLS[call])
    flows += [_flow(*arrow, check=_CHECK) for arrow in _INPUTS]
    flows[len(_CALLS) + unchecked].pop("check")
    flows += [_flow(*arrow) for at, arrow in enumerate(_ALERTS) if at != deaf]
    flows += [_flow(*arrow) for arrow in _REST]
    for flow in flows:
        flow.update({"from": prefix + flow["from"], "to": prefix + flow["to"]})
    return {
        "components": [{"id": prefix + name, "kind": kind} for name, kind in _BOXES],
        "flows": flows,
        "release": {
            "validation": "Recall by slice",
            "canary_share": 0.01,
            "canary_time": 7200,
            "versioned_together": list(together),
        },
    }


def _timeout_s(callee: str) -> float:
    """Whoever calls the scorer has to wait longer than the scorer waits in turn."""
    return 0.4 if callee.endswith("scorer") else 0.05


def _flow(start: str, end: str, carries: str, **more: Any) -> Sketch:
    return {"from": start, "to": end, "carries": carries, **more}


def _draw_sketch(rng: random.Random) -> Case:
    prefix = rng.choice(["", "eu_", "v2_", "card_", "shop_"])
    together = rng.choice([["model"], ["model", "configuration"], ["model", "code"]])
    places = (rng.randrange(3), rng.randrange(3), rng.randrange(2))
    return {"planes": _sketch(prefix, *places, together)}


# ---- right answers --------------------------------------------------------------------------------


def _repaired(planes: Sketch, **otherwise: Any) -> Sketch:
    """Repair the four faults, some of them otherwise: each keyword replaces one repair."""
    mended = copy.deepcopy(planes)
    kinds = {box["id"]: box["kind"] for box in mended["components"]}
    how: dict[str, Any] = {
        "call": {"fallback": "Decide by rules"},
        "entry": {"check": _CHECK},
        "ear": "retraining trigger",
        "together": _TOGETHER,
    } | otherwise
    for flow in mended["flows"]:
        if flow["carries"] in WAITING and "fallback" not in flow:
            flow.update(
                {
                    key: value
                    for key, value in ({"timeout": _timeout_s(flow["to"])} | how["call"]).items()
                    if value is not None
                }
            )
        if _unchecked(flow, kinds):
            flow.update(how["entry"])
    for name, kind in kinds.items():
        if kind in {"drift detector", "quality monitor"} and not _tells(name, mended["flows"], kinds):
            ear = next(box for box, its in kinds.items() if its == how["ear"])
            mended["flows"].append(_flow(name, ear, "alert"))
    mended["release"]["versioned_together"] = how["together"]
    return mended


def _unchecked(flow: Sketch, kinds: Mapping[str, str]) -> bool:
    into_store = kinds[flow["to"]] == "feature store" and flow["carries"] in {"batch", "events"}
    return (into_store or flow["carries"] == "configuration") and "check" not in flow


def _tells(name: str, flows: Iterable[Sketch], kinds: Mapping[str, str]) -> bool:
    control = ("retraining trigger", "rollback", "kill switch")
    return any(flow["from"] == name and kinds[flow["to"]] in control for flow in flows)


def repaired(planes: Sketch) -> Sketch:
    """Guard the call, check what comes in, let the monitor be heard, and roll back whole."""
    return _repaired(planes)


def repaired_as_a_value(planes: Sketch) -> Planes:
    """Do the same with other words, and hand back the typed value."""
    return Planes(**_repaired(planes, call={"fallback": "Last known good", "retries": 0}))


def repaired_by_another_entry(planes: Sketch) -> Sketch:
    """Version the code as well, and write another check."""
    return _repaired(planes, entry={"check": "Schema and row count"}, together=["code", *_TOGETHER])


# ---- known mistakes -------------------------------------------------------------------------------


def gave_up_without_an_answer(planes: Sketch) -> Sketch:
    """You gave the call a timeout and nothing to do after it. The caller gives up in time, and has no answer. What
    stands in meanwhile?
    """
    return _repaired(planes, call={"retries": 0})  # C20


def left_the_call(planes: Sketch) -> Sketch:
    """You left a call as it was. Its caller waits as long as the callee likes, and has no answer when none comes. What
    does it need?
    """
    return _repaired(planes, call={"timeout": None})


def waited_without_a_limit(planes: Sketch) -> Sketch:
    """You gave the call a fallback and no timeout. A fallback begins when the waiting ends: without a limit, when is
    that?
    """
    return _repaired(planes, call={"timeout": None, "fallback": "Decide by rules"})


def waited_longer_than_the_caller(planes: Sketch) -> Sketch:
    """You let somebody wait as long as its own caller, or longer. That one has gone when the answer comes. Which of the
    two has to give up first?
    """
    return _repaired(planes, call={"timeout": 60, "fallback": "Decide by rules"})


def retried_instead(planes: Sketch) -> Sketch:
    """You let the call try again. When the callee is down, three tries fail like one, and it gets three times the load
    when it comes back. What does the caller say meanwhile?
    """
    return _repaired(planes, call={"retries": 2})


def took_the_call_away(planes: Sketch) -> Sketch:
    """You took away what had the fault. A part that is not called cannot fail, and gives nothing either: the product
    asked for it. How can the call stay?
    """
    mended = _repaired(planes)
    faulty = [flow for flow in planes["flows"] if flow["carries"] in WAITING and "fallback" not in flow]
    names = {(flow["from"], flow["to"]) for flow in faulty}
    kept = [flow for flow in mended["flows"] if (flow["from"], flow["to"]) not in names]
    return {**mended, "flows": kept}


def trusted_what_we_generate(planes: Sketch) -> Sketch:
    """You left the generated input unchecked, because it comes from our own side. So did Cloudflare's file. What is
    refused at that door?
    """
    return _repaired(planes, entry={})  # C19


def told_nobody(planes: Sketch) -> Sketch:
    """You left a monitor that tells nobody in control. It finds that the answers are wrong, and nothing happens. Who
    can act on it?
    """
    mended = _repaired(planes)
    return {**mended, "flows": mended["flows"][: len(planes["flows"])]}


def checked_in_name_only(planes: Sketch) -> Sketch:
    """You wrote a check that names nothing it refuses. Whoever builds it has to know which file does not come in. What
    is counted, and what is compared?
    """
    return _repaired(planes, entry={"check": "none"})


def told_the_dashboard(planes: Sketch) -> Sketch:
    """You drew the alert to the dashboard. It shows the decline to whoever happens to look, and acts on nothing. Which
    plane can act?
    """
    return _repaired(planes, ear="dashboard")  # C14


def rolled_back_on_drift(planes: Sketch) -> Sketch:
    """You let the drift detector order a rollback. Drift says that inputs have changed, and the old model gets the same
    inputs: nothing says that the new model is at fault. What could an alarm of drift start, or whom could it call?
    """
    return _repaired(planes, ear="rollback")


def took_back_all_but_the_model(planes: Sketch) -> Sketch:
    """You left the model out of the rollback. Its features and its settings go back to what they were, and the new
    model reads them. What is the rollback for?
    """
    return _repaired(planes, together=["feature schema", "configuration"])


def took_back_the_model_only(planes: Sketch) -> Sketch:
    """You left the rollback without the feature schema. The old model reads features in a shape that it has never seen.
    What has to go back with it?
    """
    return _repaired(planes, together=planes["release"]["versioned_together"])  # C16


def mended_what_was_whole(planes: Sketch) -> Sketch:
    """You changed more than four things. Each edit of a running system is a risk of its own. Which of yours answers a
    finding?
    """
    mended = _repaired(planes)
    for box in mended["components"]:
        box["owner"] = "Platform"
    return mended


# ---- the judgement --------------------------------------------------------------------------------


def found_in(planes: Planes) -> list[Finding]:
    """Return the errors that the rules on planes find in a sketch."""
    design = Design(name="exercise", planes=planes)
    return [one for one in reviewed.found_in(design, "PLANE") if one.severity == "error"]


def errors_in(planes: Planes) -> set[str]:
    """Return their codes."""
    return {one.code for one in found_in(planes)}


def edits(before: Planes, after: Planes) -> int:
    """Count how many entries were added, removed or changed; a changed one counts once."""
    lists = [(getattr(before, name), getattr(after, name)) for name in ("components", "flows", "alerts")]
    parts = [before.retraining != after.retraining, before.release != after.release]
    return sum(_changes(*pair) for pair in lists) + sum(parts)


def _changes(before: Iterable[Any], after: Iterable[Any]) -> int:
    old, new = (Counter(one.model_dump_json() for one in entries) for entries in (before, after))
    return int(max((new - old).total(), (old - new).total()))


def _typed(planes: Any) -> Planes:
    return planes if isinstance(planes, Planes) else Planes(**planes)


def _both(case: Case, value: Any) -> tuple[Planes, Planes]:
    return _typed(case["planes"]), _typed(value)


def _gone(before: Planes, after: Planes) -> list[str]:
    """Return the boxes and arrows that are no longer there, whatever was written on them."""
    boxes = {(one.id, one.kind) for one in before.components} - {
        (one.id, one.kind) for one in after.components
    }
    arrows = Counter((f.start, f.end, f.carries) for f in before.flows)
    arrows -= Counter((f.start, f.end, f.carries) for f in after.flows)
    return [f"the {kind} {name}" for name, kind in sorted(boxes)] + [
        f"{start} → {end} with its {carries}" for start, end, carries in sorted(arrows)
    ]


def _lost(case: Case, value: Any) -> str:
    """Say what of the sketch is gone, or that there is none."""
    try:
        before, after = _both(case, value)
    except MlsdError as error:
        return f"This is not a sketch: {str(error).splitlines()[0][:200]}"
    except TypeError:
        return "Expected the sketch itself: a dict with `components`, `flows` and `release`, or a `Planes`."
    if gone := _gone(before, after):
        return f"Of what was there, {gone[0]} is gone. Repair it, and keep what the product asked for."
    if _canary(before) != _canary(after):
        return "The validation or the canary of the release has changed, and nobody found fault with them."
    return ""


def _canary(planes: Planes) -> dict[str, Any]:
    return planes.release.model_dump(exclude={"versioned_together"}) if planes.release else {}


def _unneeded(case: Case, value: Any) -> list[str]:
    before, after = _both(case, value)
    if (made := edits(before, after)) > MOST_EDITS:
        return [f"That took {made} edits. Change only what a finding asks for."]
    return (
        [] if errors_in(before) - errors_in(after) else ["No error has gone. Look at what the review finds."]
    )


def _calls(_: Case, value: Any) -> list[str]:
    return _messages(value, "PLANE005", "PLANE006", "PLANE008")


def _inputs(_: Case, value: Any) -> list[str]:
    return _messages(value, "PLANE015")


def _heard(_: Case, value: Any) -> list[str]:
    planes = _typed(value)
    kinds = {box.id: box.kind for box in planes.components}
    to_rollback = [
        f for f in planes.flows if (kinds[f.start], kinds[f.end]) == ("drift detector", "rollback")
    ]
    return _messages(planes, "PLANE021") + [
        f"{flow.start} orders a rollback. Drift alone does not show that the new model is at fault: let it start "
        "something else."
        for flow in to_rollback
    ]


def _rollback(_: Case, value: Any) -> list[str]:
    return _messages(value, "PLANE028")


def _messages(value: Any, *codes: str) -> list[str]:
    return [f"{one.code} {one.message}" for one in found_in(_typed(value)) if one.code in codes]


def _heard_and_told(case: Case, value: Any) -> list[str]:
    """Return what is wrong with who is heard, and whom the new arrows tell."""
    before, after = _both(case, value)
    kinds = {box.id: box.kind for box in after.components}
    old = [(flow.start, flow.end, flow.carries) for flow in before.flows]
    found = _heard(case, value)
    return found + [
        f"tells a {kinds[flow.end]}"
        for flow in after.flows
        if found and (flow.start, flow.end, flow.carries) not in old
    ]


def _calls_and_retries(case: Case, value: Any) -> list[str]:
    found = _calls(case, value)
    retried = any(flow.retries for flow in _typed(value).flows)
    return [*found, "retries"] if found and retried else found


def _kinds_of(faults: Faults) -> Faults:
    """Leave out of each text what differs between answers with the same fault: a duration, and what is right."""
    return lambda case, value: [
        re.sub(r" may wait .*| A rollback restores .*, and not|\d+ edits", "", one)
        for one in faults(case, value)
    ]


def _step(name: str, words: str, faults: Faults, more: Faults | None = None) -> Step:
    """Make a step that is right where a sketch has none of some faults, which are told in the review's words."""

    def explain(case: Case, value: Any) -> str:
        return f"{words} {' '.join(faults(case, value))}".strip()

    return Step(
        name,
        1,
        lambda case, value, _: not faults(case, value),
        part="",
        explain=explain,
        shows=_kinds_of(more or faults),
    )


def _unchecked_is(carries: str) -> Callable[[Case], bool]:
    """Return whether the hole in the inputs of a sketch is an arrow that carries this."""

    def holds(case: Case) -> bool:
        kinds = {box["id"]: box["kind"] for box in case["planes"]["components"]}
        return any(_unchecked(f, kinds) and f["carries"] == carries for f in case["planes"]["flows"])

    return holds


def _unguarded_is(callee: str) -> Callable[[Case], bool]:
    return lambda case: any(
        f["carries"] in WAITING and "fallback" not in f and f["to"].endswith(callee)
        for f in case["planes"]["flows"]
    )


def _deaf_is(monitor: str) -> Callable[[Case], bool]:
    return lambda case: (
        not any(f["from"].endswith(monitor) and f["to"].endswith("retrain") for f in case["planes"]["flows"])
    )


EXERCISE = Exercise(
    id="02-repair",
    assignment="02_planes",
    title="Repair a sketch within four edits",
    kind="repair a design",
    outcome="Mend what a review finds in a sketch, and nothing else.",
    minutes=42,
    steps=(
        Step(
            "kept",
            0,
            lambda case, value, _: not _lost(case, value),
            part="",
            explain=_lost,
            shows=lambda case, value: [_lost(case, value)],
            gate=True,
        ),
        _step("edits", "", _unneeded),
        _step(
            "calls",
            "Somebody still waits too long, or has nothing to say after it.",
            _calls,
            _calls_and_retries,
        ),
        _step("inputs", "Generated input still comes in unchecked.", _inputs),
        _step("heard", "Look at whom each monitor tells.", _heard, _heard_and_told),
        _step("rollback", "A rollback still leaves something of the old version behind.", _rollback),
    ),
    cases=(
        {"planes": _sketch("", 1, 0, 0, ["model"])},
        {"planes": _sketch("eu_", 0, 2, 1, ["model", "configuration"])},
        {"planes": _sketch("", 2, 1, 0, ["model", "code"])},
    ),
    reference=repaired,
    alternatives=(repaired_as_a_value, repaired_by_another_entry),
    mistakes=(
        left_the_call,
        waited_without_a_limit,
        waited_longer_than_the_caller,
        retried_instead,
        gave_up_without_an_answer,
        took_the_call_away,
        trusted_what_we_generate,
        checked_in_name_only,
        told_nobody,
        told_the_dashboard,
        rolled_back_on_drift,
        took_back_all_but_the_model,
        took_back_the_model_only,
        mended_what_was_whole,
    ),
    hints=(
        "Look at what the review says of the sketch: each error names its place, and what to do there.",
        (
            "Start with a copy (`copy.deepcopy`). One loop over the flows mends calls and inputs; the monitor nobody "
            "hears needs one more arrow; the release is one line. A caller waits longer than what it calls."
        ),
        (
            "A neighbour: a call from a shop to its price service has a timeout, and shows yesterday's price when it "
            "passes; the nightly price file is refused when it has half its usual rows."
        ),
    ),
    draw=_draw_sketch,
    strata=(
        Stratum("A colleague's sketch", lambda c: c["planes"]["components"][0]["id"] != "payments"),
        *(
            Stratum("generated input that is not checked", _unchecked_is(carries))
            for carries in ("events", "batch", "configuration")
        ),
        *(
            Stratum("a call that waits for ever", _unguarded_is(callee))
            for callee in ("scorer", "features", "rules")
        ),
        *(
            Stratum("a monitor that nobody in control hears", _deaf_is(monitor))
            for monitor in ("drift", "recall")
        ),
    ),
    general=(
        "This is what the review says",
        "Write `repaired`",
        "The check uses three sketches",
        "They have the same four kinds of hole",
        "What is still wrong",
        "Keep every box",
        "An entry added or changed",
        "Four edits are enough",
        "*Generated input*",
        "Each wants a `check`",
        "A `timeout` is in seconds",
        "A `fallback` and a",
        "To look at a sketch",
    ),
)
