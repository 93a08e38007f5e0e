"""Exercise 1: place components into planes by what they answer for.

A component says what it does and not its kind: a table of kinds and planes does not answer it.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from mlsd_helpers.design import KINDS
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum

Box = Mapping[str, str]
Placed = dict[str, str]

_TABLE: Mapping[str, str] = {
    "raw source": "data", "ingestion": "data", "event stream": "data", "batch pipeline": "data",
    "stream processor": "data", "feature store": "data", "offline store": "data", "label store": "data",
    "training pipeline": "training", "training compute": "training", "experiment registry": "training",
    "model registry": "training", "evaluation": "training",
    "api gateway": "serving", "load balancer": "serving", "model server": "serving", "cache": "serving",
    "prediction store": "serving", "batch scorer": "serving", "candidate generator": "serving",
    "business rules": "serving",
    "prediction log": "monitoring", "metrics": "monitoring", "drift detector": "monitoring",
    "quality monitor": "monitoring", "dashboard": "monitoring", "alerting": "monitoring",
    "ci/cd": "control", "retraining trigger": "control", "validation gate": "control", "canary": "control",
    "rollback": "control", "kill switch": "control", "scheduler": "control",
}  # fmt: skip

_DOES: Mapping[str, str] = {
    "raw source": "records what happened", "ingestion": "brings records in", "event stream": "hands events on",
    "batch pipeline": "works out features nightly", "stream processor": "keeps counts up to date",
    "feature store": "keeps the newest features", "offline store": "keeps old features",
    "label store": "keeps the truth", "training pipeline": "fits models",
    "training compute": "lends machines for fitting",
    "experiment registry": "lists what was tried", "model registry": "lists finished models",
    "evaluation": "scores a model on a test set", "api gateway": "takes requests in",
    "load balancer": "spreads requests", "model server": "runs the model on a request",
    "cache": "repeats recent answers", "prediction store": "keeps answers made ahead",
    "batch scorer": "makes answers ahead", "candidate generator": "picks what is worth ranking",
    "business rules": "decides by fixed rules", "prediction log": "keeps what was answered",
    "metrics": "counts errors and delays", "drift detector": "sees inputs change",
    "quality monitor": "holds answers against the truth", "dashboard": "draws curves of errors",
    "alerting": "wakes somebody", "ci/cd": "rolls code out", "retraining trigger": "orders a new model",
    "validation gate": "refuses bad models", "canary": "shows a version to a few", "rollback": "brings a version back",
    "kill switch": "switches the model off", "scheduler": "says when jobs start",
}  # fmt: skip
"""What a component of each kind does, in words of this exercise."""

PARTS = tuple(sorted(_DOES.values()))
"""All that a component may do, in alphabetical order: the list from which cases are drawn."""

_KIND = {does: kind for kind, does in _DOES.items()}

_ALSO: Mapping[str, str] = {
    "prediction log": "data",
    "model registry": "control",
    "prediction store": "data",
}
"""Kinds that are as well placed elsewhere: training reads the log, a registry says what runs, a store keeps rows."""


def place(components: Sequence[Box]) -> Placed:
    """Look up what each does in a table of one's own."""
    return {box["id"]: _TABLE[_KIND[box["does"]]] for box in components}


def place_plane_by_plane(components: Sequence[Box]) -> Placed:
    """Fill one plane after the other."""
    placed = {}
    for plane in ("control", "monitoring", "serving", "training", "data"):
        for box in components:
            if _TABLE[_KIND[box["does"]]] == plane:
                placed[box["id"]] = plane.upper()
    return placed


def _placed_but(components: Sequence[Box], **otherwise: str) -> Placed:
    moved = {kind.replace("_", " "): plane for kind, plane in otherwise.items()}
    kinds = {box["id"]: _KIND[box["does"]] for box in components}
    return {name: moved.get(kind, _TABLE[kind]) for name, kind in kinds.items()}


def feature_store_in_serving(components: Sequence[Box]) -> Placed:
    """You put the feature store into serving, because serving calls it. Who is asked when a feature is late or
    wrong? A plane is what a part is responsible for, not who calls it.
    """
    return _placed_but(components, feature_store="serving")  # C12


def placed_by_caller(components: Sequence[Box]) -> Placed:
    """You placed each part where its caller is. Then one store would be in three planes at once. Ask what each
    part answers for: what would be wrong if it were wrong?
    """
    return {box["id"]: box["called_by"] for box in components}


def placed_by_machine(components: Sequence[Box]) -> Placed:
    """You placed parts by the machines that they run on. Those change with the next migration, and the
    responsibility stays. What does each part answer for?
    """
    homes = {"data platform": "data", "training cluster": "training", "serving cluster": "serving"}
    return {box["id"]: homes[box["runs_on"]] for box in components}


def gate_in_monitoring(components: Sequence[Box]) -> Placed:
    """You put the gate and the canary into monitoring, because they measure. Monitoring tells; these two decide
    what runs. Which plane can say no?
    """
    return _placed_but(components, validation_gate="monitoring", canary="monitoring")


def gate_in_training(components: Sequence[Box]) -> Placed:
    """You put the gate into training, because it stands at its end. Training wants its model out; who may refuse it
    must not answer for making it. Which plane decides what runs?
    """
    return _placed_but(components, validation_gate="training")


def orders_in_training(components: Sequence[Box]) -> Placed:
    """You put what orders a model into training. Training carries the order out; when to train is a decision. Which
    plane decides?
    """
    return _placed_but(components, retraining_trigger="training")


def releases_in_serving(components: Sequence[Box]) -> Placed:
    """You put what changes the version into serving, where it acts. Serving answers requests by whatever version it
    has: which plane decides which that is?
    """
    return _placed_but(components, canary="serving", kill_switch="serving", rollback="serving")


def pager_in_control(components: Sequence[Box]) -> Placed:
    """You put the pager into control. It says that something is wrong, and changes nothing by itself: which plane
    tells, and which one acts?
    """
    return _placed_but(components, alerting="control")


def rules_in_control(components: Sequence[Box]) -> Placed:
    """You put the fixed rules into control. They decide on one request, as the model does; control decides what runs.
    Who waits for their answer?
    """
    return _placed_but(components, business_rules="control")


def evaluation_in_monitoring(components: Sequence[Box]) -> Placed:
    """You put the test set into monitoring, because it measures. It measures a model before release, as a part of
    making it; monitoring watches what runs. On which data does each work?
    """
    return _placed_but(components, evaluation="monitoring")


def answers_ahead_in_training(components: Sequence[Box]) -> Placed:
    """You put what makes answers ahead into training, because it runs at night. Training makes models; this makes
    answers, which users get. What is wrong when it is?
    """
    return _placed_but(components, batch_scorer="training")


def place_as_others_do(components: Sequence[Box]) -> Placed:
    """Put what can be defended in two planes into the other one."""
    return _placed_but(components, **{kind.replace(" ", "_"): plane for kind, plane in _ALSO.items()})


def experiments_in_control(components: Sequence[Box]) -> Placed:
    """You put the registry of experiments into control. It remembers what was tried and from what; whether any of it
    runs is decided elsewhere. Who fills it?
    """
    return _placed_but(components, experiment_registry="control")


_STEMS = ("card", "rider", "order", "feed", "seller", "listing", "fleet", "ticket", "parcel", "search")
_PLANES = tuple(KINDS)
_MACHINES = ("data platform", "training cluster", "serving cluster")


def _boxes(rng: random.Random, kinds: Sequence[str]) -> list[Box]:
    return [
        {
            "id": f"{rng.choice(_STEMS)}_{number}",
            "does": _DOES[kind],
            "called_by": rng.choice(_PLANES),
            "runs_on": rng.choice(_MACHINES),
        }
        for number, kind in enumerate(kinds, start=1)
    ]


def _draw_boxes(rng: random.Random) -> Case:
    """Draw a dozen components of the kinds in the table, with one of each plane among them."""
    kinds: list[str] = [rng.choice([kind for kind in _TABLE if _TABLE[kind] == plane]) for plane in _PLANES]
    kinds += rng.sample([kind for kind in _TABLE if kind not in kinds], 7)
    rng.shuffle(kinds)
    return {"components": _boxes(rng, kinds)}


def _holding(kind: str) -> Stratum:
    """Make the stratum of the cases that have a part of a kind, whoever calls it."""

    def holds(case: Case) -> bool:
        plane = _TABLE[kind]
        return any(box["does"] == _DOES[kind] and box["called_by"] != plane for box in case["components"])

    says = (
        "Where two planes can be defended"
        if kind in _ALSO
        else "The hidden cases draw other parts than these"
    )
    return Stratum(says, holds)


def _may(case: Case, plane: str) -> set[str]:
    kinds = {box["id"]: _KIND[box["does"]] for box in case["components"]}
    return {name for name, kind in kinds.items() if plane in {_TABLE[kind], _ALSO.get(kind)}}


def _must(case: Case, plane: str) -> set[str]:
    either = {box["id"] for box in case["components"] if _KIND[box["does"]] in _ALSO}
    return _may(case, plane) - either


def _in_plane(plane: str, points: float) -> Step:
    def right(case: Case, value: Any, _: Given) -> bool:
        answered = {str(name): str(placed).strip().casefold() for name, placed in value.items()}
        placed_here = {box["id"] for box in case["components"] if answered.get(box["id"]) == plane}
        return _must(case, plane) <= placed_here <= _may(case, plane)

    def explain(case: Case, value: Any) -> str:
        if not isinstance(value, Mapping):
            return "Expected a dict: the id of each component, and its plane."
        does = {box["id"]: box["does"] for box in case["components"]}
        strange = next((name for name in does if str(value.get(name)).strip().casefold() not in KINDS), None)
        if strange is not None:
            return f"Expected one of {', '.join(KINDS)} for every component, {strange} among them."
        here = {name for name in does if str(value[name]).strip().casefold() == plane}
        wrong = next(n for n in does if n in here - _may(case, plane) or n in _must(case, plane) - here)
        where = "into" if wrong in here else "elsewhere than into"
        return f"Look at {wrong}, which {does[wrong]!r} describes: you put it {where} {plane}. What does it answer for?"

    return Step(plane, points, right, part="", explain=explain)


def _case(*rows: tuple[str, str, str, str]) -> Case:
    keys = ("id", "does", "called_by", "runs_on")
    said = [(name, _DOES[kind], caller, machine) for name, kind, caller, machine in rows]
    return {"components": [dict(zip(keys, row, strict=True)) for row in said]}


EXERCISE = Exercise(
    id="02-place",
    assignment="02_planes",
    title="Place components into planes",
    kind="classify",
    outcome="Place a component into the plane that is responsible for it, whoever calls it.",
    minutes=17,
    steps=(
        _in_plane("data", 1),
        _in_plane("training", 0.5),
        _in_plane("serving", 0.5),
        _in_plane("monitoring", 0.5),
        _in_plane("control", 0.5),
    ),
    cases=(
        _case(
            ("ledger", "raw source", "data", "serving cluster"),
            ("profiles", "feature store", "serving", "serving cluster"),
            ("answers", "prediction log", "training", "data platform"),
            ("nightly_fit", "training pipeline", "control", "training cluster"),
            ("door", "api gateway", "serving", "serving cluster"),
            ("pass_mark", "validation gate", "training", "training cluster"),
            ("shelf", "model registry", "serving", "data platform"),
            ("few_first", "canary", "serving", "serving cluster"),
            ("new_one_please", "retraining trigger", "monitoring", "training cluster"),
        ),
        _case(
            ("chargebacks", "label store", "training", "data platform"),
            ("hot_answers", "cache", "serving", "serving cluster"),
            ("notebook_runs", "experiment registry", "monitoring", "training cluster"),
            ("night_desk", "alerting", "monitoring", "data platform"),
            ("off_button", "kill switch", "serving", "serving cluster"),
            ("score_shape", "drift detector", "control", "data platform"),
            ("holdout_test", "evaluation", "control", "training cluster"),
            ("fixed_limits", "business rules", "serving", "serving cluster"),
            ("click_counts", "stream processor", "serving", "data platform"),
            ("night_list", "batch scorer", "control", "training cluster"),
        ),
    ),
    reference=place,
    alternatives=(place_plane_by_plane, place_as_others_do),
    mistakes=(
        placed_by_caller,
        placed_by_machine,
        feature_store_in_serving,
        gate_in_monitoring,
        gate_in_training,
        orders_in_training,
        releases_in_serving,
        pager_in_control,
        rules_in_control,
        evaluation_in_monitoring,
        answers_ahead_in_training,
        experiments_in_control,
    ),
    hints=(
        "Look at `does` alone. Who calls a part, and where it runs, may change next month.",
        (
            "Start with a table from what is done to its plane, one plane after the other. For each ask: if this is "
            "wrong, what is wrong with it: data, a model, an answer, what we know of it, or what we do about it?"
        ),
        (
            "A neighbour: a thermometer in a kitchen is read by the cook. It is still responsible for the "
            "temperature that it shows, not for the soup."
        ),
    ),
    draw=_draw_boxes,
    strata=tuple(map(_holding, _TABLE)),
    general=(
        "`place` takes a list",
        "Return a dict from",
        "Place by what a part is responsible for",
    ),
)
