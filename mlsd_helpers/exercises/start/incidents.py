"""Exercise 1: which incidents are specific to machine learning, and which could hit any system?"""

import random
from collections.abc import Collection, Sequence
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Step, equals, names

Incident = dict[str, str]

ML_CAUSES = frozenset({"skew", "leak", "drift", "feedback", "late_labels"})
"""Causes that need a model which learnt from data."""

OTHER_CAUSES = ("permission", "order", "config", "quota", "certificate", "overload", "network", "versions")
"""Causes that any distributed system knows."""

WHERE = ("model server", "training job", "feature store", "gateway")
SYMPTOMS = ("wrong predictions", "errors", "slow answers")


def _answer(incidents: Sequence[Incident], ids: Collection[str]) -> Answer:
    return {"ml_specific": set(ids), "share": len(ids) / len(incidents)}


def _having(incidents: Sequence[Incident], key: str, values: Collection[str]) -> set[str]:
    return {incident["id"] for incident in incidents if incident[key] in values}


def classify(incidents: Sequence[Incident]) -> Answer:
    """Go by the cause, whatever broke and however it showed."""
    return _answer(incidents, _having(incidents, "cause", ML_CAUSES))


def classify_by_exclusion(incidents: Sequence[Incident]) -> Answer:
    """Take away what any system knows; a list, in order."""
    ids = [incident["id"] for incident in incidents if incident["cause"] not in OTHER_CAUSES]
    return {"ml_specific": ids, "share": sum(1 for _ in ids) / len(incidents)}


class Sorted:
    """An answer that is an object instead of a dict."""

    def __init__(self, ml_specific: tuple[str, ...], share: float) -> None:
        self.ml_specific = ml_specific
        self.share = share


def classify_as_record(incidents: Sequence[Incident]) -> Sorted:
    """Do the same, and answer with an object."""
    ids = tuple(sorted(_having(incidents, "cause", ML_CAUSES)))
    return Sorted(ids, len(ids) / len(incidents))


def blamed_the_model(incidents: Sequence[Incident]) -> Answer:
    """You went by where it broke, and blamed the model for what its server or its training job did. A full disk
    stops a training job as it stops any job. Would the same cause break a system without a model?
    """
    return _answer(incidents, _having(incidents, "where", {"model server", "training job"}))


def judged_by_the_symptom(incidents: Sequence[Incident]) -> Answer:
    """You went by the symptom: wrong predictions. One symptom has many causes, and not every cause of wrong predictions
    has to do with learning. What would the person on call have to change?
    """
    return _answer(incidents, _having(incidents, "symptom", {"wrong predictions"}))


def all_of_it_is_ml(incidents: Sequence[Incident]) -> Answer:
    """You call everything that happens to a system with a model ML-specific. Most of such a system is ordinary
    software, and breaks as that does. Which of these would a web shop know as well?
    """
    return _answer(incidents, [incident["id"] for incident in incidents])


def data_trouble_counted(incidents: Sequence[Incident]) -> Answer:
    """You counted ordinary trouble with data as ML-specific. A query that returns something else, or a job that
    reads half a file, spoils an invoice just as well. What does the model add to that cause?
    """
    return _answer(incidents, _having(incidents, "cause", ML_CAUSES | {"permission", "order"}))


def only_drift_counted(incidents: Sequence[Incident]) -> Answer:
    """You counted only that the world moved. A model also fails by what it was shown in training: features made in
    another way, facts from the future, labels too early, its own decisions. Can other systems fail by that?
    """
    return _answer(incidents, _having(incidents, "cause", {"drift"}))


def share_of_the_others(incidents: Sequence[Incident]) -> Answer:
    """Your set may well be right, and `share` is that of the others. Say which share you mean before you quote it:
    the wrong one would send the team to mend the model.
    """
    right = classify(incidents)
    return {**right, "share": 1 - right["share"]}


def _incident(number: int, cause: str, where: str, symptom: str) -> Incident:
    return {"id": f"i{number}", "cause": cause, "where": where, "symptom": symptom}


def _draw(rng: random.Random) -> Case:
    """Draw twelve incidents, three to five of them ML-specific, whose place and symptom say nothing."""
    others = sorted(ML_CAUSES - {"drift"})
    causes = ["drift", *rng.sample(others, rng.choice([2, 3, 4])), "permission", "order"]
    causes += rng.choices(OTHER_CAUSES[2:], k=12 - len(causes))
    rng.shuffle(causes)
    places, symptoms = [*WHERE] * 3, [*SYMPTOMS] * 4
    rng.shuffle(places)
    rng.shuffle(symptoms)
    rows = zip(rng.sample(range(10, 100), 12), causes, places, symptoms, strict=True)
    return {"incidents": [_incident(*row) for row in rows]}


SHOWN: tuple[Incident, ...] = tuple(
    _incident(*row)
    for row in (
        (1, "permission", "gateway", "errors"),
        (2, "drift", "model server", "wrong predictions"),
        (3, "order", "feature store", "wrong predictions"),
        (4, "certificate", "model server", "errors"),
        (5, "skew", "feature store", "wrong predictions"),
        (6, "quota", "training job", "wrong predictions"),
        (7, "overload", "model server", "slow answers"),
        (8, "late_labels", "training job", "wrong predictions"),
        (9, "config", "gateway", "errors"),
        (10, "network", "feature store", "slow answers"),
        (11, "feedback", "gateway", "slow answers"),
        (12, "versions", "model server", "errors"),
    )
)
"""Twelve incidents, invented, after the kinds that are published."""


def _names(value: Any) -> set[str]:
    return names(value) or set()


def _ml_specific(case: Case, _: Given) -> set[str]:
    return _having(case["incidents"], "cause", ML_CAUSES)


def _finds_all(case: Case, value: Any, given: Given) -> bool:
    """Tell whether all are named, and not by naming nearly everything: most of what is named has to be right."""
    right = _ml_specific(case, given)
    return right <= _names(value) and len(_names(value)) < 2 * len(right)


def _alarms_truly(case: Case, value: Any, given: Given) -> bool:
    return bool(_names(value)) and _names(value) <= _ml_specific(case, given)


def _share(case: Case, given: Given) -> float:
    """Follow the learner's own set, unless it is everything."""
    named, of = len(given["finds_all"]), len(case["incidents"])
    return (named if named < of else len(_ml_specific(case, given))) / of


def _explain_set(case: Case, value: Any) -> str:
    unknown = _names(value) - {incident["id"] for incident in case["incidents"]}
    if unknown or not _names(value):
        return "Expected a set of `id`s: that of each incident that is ML-specific."
    right = _having(case["incidents"], "cause", ML_CAUSES)
    wrong = next(one for one in case["incidents"] if (one["id"] in _names(value)) != (one["id"] in right))
    named = "is" if wrong["id"] in _names(value) else "is not"
    return f"{wrong['id']} {named} in your set. Could its cause, {wrong['cause']!r}, hit a system without a model?"


EXERCISE = Exercise(
    id="00-incidents",
    assignment="00_start_here",
    title="Is it the model?",
    kind="classify",
    outcome="Tell failures that need a model from those that any distributed system knows.",
    minutes=9,
    steps=(
        Step("finds_all", 1, _finds_all, _ml_specific, part="ml_specific", explain=_explain_set),
        Step("no_false_alarm", 1, _alarms_truly, part="ml_specific", explain=_explain_set),
        equals("share", 1, _share, tolerance=1e-3),
    ),
    cases=({"incidents": list(SHOWN)},),
    reference=classify,
    alternatives=(classify_by_exclusion, classify_as_record),
    mistakes=(
        blamed_the_model,
        judged_by_the_symptom,
        all_of_it_is_ml,
        data_trouble_counted,
        only_drift_counted,
        share_of_the_others,
    ),
    hints=(
        "Look at `cause` alone. Where it broke and how it showed do not tell why.",
        (
            "Start with a set of the causes that need a model which learnt from data; then keep the incidents "
            "whose cause is in it."
        ),
        (
            "A neighbour: a web page is slow because a certificate check times out. Any system has that. A page "
            "recommends only what it recommended before: that takes a model that learns from its own decisions."
        ),
    ),
    draw=_draw,
)
