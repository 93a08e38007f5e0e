"""Exercise 1: which incidents are specific to machine learning, and which could hit any system?"""

import random
from collections.abc import Collection, Sequence
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Step, Stratum, equals, names

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


def _without(incidents: Sequence[Incident], cause: str) -> Answer:
    return _answer(incidents, _having(incidents, "cause", ML_CAUSES - {cause}))


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


def altered_query_counted(incidents: Sequence[Incident]) -> Answer:
    """You counted a change of permissions as ML-specific. A query that returns something else spoils an invoice just as
    well. What does the model add to that cause?
    """
    return _answer(incidents, _having(incidents, "cause", ML_CAUSES | {"permission"}))


def early_job_counted(incidents: Sequence[Incident]) -> Answer:
    """You counted a job that started too early as ML-specific. A report that reads half a file is wrong as well. What
    does the model add to that cause?
    """
    return _answer(incidents, _having(incidents, "cause", ML_CAUSES | {"order"}))


def skew_is_a_bug(incidents: Sequence[Incident]) -> Answer:
    """You left out `skew`. Each of the two computations may be right by itself: it hurts because a model learnt from
    one of them and is served the other. Could that hit a system that learns from nothing?
    """
    return _without(incidents, "skew")


def leak_is_a_bug(incidents: Sequence[Incident]) -> Answer:
    """You left out `leak`. To use a later fact is wrong only because the model learns to lean on it, and does not have
    it when it answers. Could that hit a system that learns from nothing?
    """
    return _without(incidents, "leak")


def feedback_is_a_choice(incidents: Sequence[Incident]) -> Answer:
    """You left out `feedback`. The decisions did what they were made for; what went wrong is what was learnt from them.
    Could that hit a system that learns from nothing?
    """
    return _without(incidents, "feedback")


def late_labels_are_late_data(incidents: Sequence[Incident]) -> Answer:
    """You left out `late_labels`. The data came as late as they always do; what went wrong is that "not yet" was learnt
    as "no". Could that hit a system that learns from nothing?
    """
    return _without(incidents, "late_labels")


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


def count_for_the_share(incidents: Sequence[Incident]) -> Answer:
    """You gave how many there are. A share is a part of the whole, between 0 and 1: of how many incidents in all?"""
    right = classify(incidents)
    return {**right, "share": len(right["ml_specific"])}


def _incident(number: int, cause: str, where: str, symptom: str) -> Incident:
    return {"id": f"i{number}", "cause": cause, "where": where, "symptom": symptom}


def _draw(rng: random.Random) -> Case:
    """Draw twelve incidents, three or four of them ML-specific, whose place and symptom say nothing."""
    causes = ["drift", *rng.choices(sorted(ML_CAUSES - {"drift"}), k=rng.choice([2, 3]))]
    causes += rng.sample(OTHER_CAUSES * 2, 12 - len(causes))
    rng.shuffle(causes)
    places, symptoms = [*WHERE] * 3, [*SYMPTOMS] * 4
    rng.shuffle(places)
    rng.shuffle(symptoms)
    rows = zip(rng.sample(range(10, 100), 12), causes, places, symptoms, strict=True)
    return {"incidents": [_incident(*row) for row in rows]}


def _stratum(cause: str) -> Stratum:
    return Stratum(f"| `{cause}` |", lambda case: any(one["cause"] == cause for one in case["incidents"]))


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

_SHOWN_TOO = tuple(
    _incident(*row)
    for row in (
        (21, "leak", "feature store", "errors"),
        (22, "order", "training job", "wrong predictions"),
        (23, "leak", "gateway", "slow answers"),
        (24, "config", "model server", "wrong predictions"),
        (25, "skew", "training job", "errors"),
        (26, "network", "gateway", "slow answers"),
        (27, "drift", "feature store", "slow answers"),
    )
)


def _names(value: Any) -> set[str]:
    return names(value) or set()


def _ml_specific(case: Case, _: Given) -> set[str]:
    return _having(case["incidents"], "cause", ML_CAUSES)


def _finds_all(case: Case, value: Any, given: Given) -> bool:
    """Tell whether all are named, and not by naming nearly everything."""
    return _ml_specific(case, given) <= _names(value) and len(_names(value)) <= 0.75 * len(case["incidents"])


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
        Step("no_false_alarm", 1, _alarms_truly, _ml_specific, part="ml_specific", explain=_explain_set),
        equals("share", 1, _share, tolerance=1e-3),
    ),
    cases=({"incidents": list(SHOWN)}, {"incidents": list(_SHOWN_TOO)}),
    reference=classify,
    alternatives=(classify_by_exclusion, classify_as_record),
    mistakes=(
        blamed_the_model,
        judged_by_the_symptom,
        all_of_it_is_ml,
        altered_query_counted,
        early_job_counted,
        only_drift_counted,
        skew_is_a_bug,
        leak_is_a_bug,
        feedback_is_a_choice,
        late_labels_are_late_data,
        Slip(share_of_the_others, {"share": lambda c, g: 1 - _share(c, g)}),
        Slip(count_for_the_share, {"share": lambda c, g: len(c["incidents"]) * _share(c, g)}),
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
    strata=tuple(map(_stratum, (*sorted(ML_CAUSES - {"drift"}), *OTHER_CAUSES))),
    general=(
        "Predict before",
        "An incident is",
        "Each record says",
        "| `cause` |",
        "| `drift` |",
        "Write `classify`",
        "- `ml_specific`",
        "- `share`",
    ),
)
