"""Rules on how a model is made again, tested, released in stages and taken back."""

import math
import re
from collections.abc import Iterator
from statistics import NormalDist

from mlsd_helpers.analysis import graph
from mlsd_helpers.analysis.paths import MODELS, answers_requests
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Alert, Component, Design, Flow, Planes, Release
from mlsd_helpers.design.release import Gate, ReleaseStage
from mlsd_helpers.design.value import step_to
from mlsd_helpers.formulas.availability import error_budget_s
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import (
    gates_of,
    generates,
    is_about_people,
    is_of_another,
    judges_answers,
    predicts,
    sketched,
)
from mlsd_helpers.review.sketch import (
    CLOUDFLARE,
    KEPT_IN,
    TRAINERS,
    answered,
    arrow,
    buys_models,
    filled,
    listed,
    percent,
    places,
    released,
    requirement,
)
from mlsd_helpers.review.words import points
from mlsd_helpers.units import day, hour, show_seconds

_LARGEST_FIRST_STAGE = 0.25  # of all users; our estimate of what nobody would call a trial any more
_LONGEST_CANARY_S = 7 * day  # a canary that would have to run longer gives way to a comparison in the shadow
_FEWEST_WRONG = 5  # wrong answers that a gate has to allow before chance decides less than the model
_LATE_LABELS = 0.1  # of the time between two trainings: below, few of the newest examples have no label yet
_NORMAL = NormalDist()

_SLICED = "the slices in which it holds too"
_LIMIT = re.compile(
    r"\d|no (worse|lower|less|higher|more|harm)|not (be )?(worse|lower|higher)|at (least|most)|better|higher|lower"
    r"|above|below|exceeds?|beats?|within|as good|than (the|before|today)|zero|baseline",
    re.IGNORECASE,
)
_SLICES = re.compile(
    r"\bslices?\b|\bsegments?\b|\b(in|for|on|across) (each|every|all)\b|\bper\b|\bby (?!hand|people|us\b|the team)"
    r"|groups?\b|cohorts?\b|strat\w+|\bnew (users|customers|visitors|products|items)",
    re.IGNORECASE,
)
_SHADOW = re.compile(r"shadow|\bdark\b|mirror|nobody|unseen", re.IGNORECASE)
_UPTIME = re.compile(r"answer|latenc|availab|error|within|time|up\b|success|status|fast|slow", re.IGNORECASE)


# ---- from training to serving


def _steered(design: Design) -> Planes | None:
    """Return the planes once something in them controls: before, the empty plane is the finding."""
    planes = sketched(design)
    return planes if planes is not None and planes.in_plane("control") else None


@rule(
    "PLANE023",
    "info",
    title="Retraining or release undecided",
    prevents="a model that is trained once and never replaced",
    wrong_when="Wrong for retraining if a vendor trains the model; its release still has to be decided.",
    needs=_steered,
)
def control_undecided(design: Design, planes: Planes) -> Iterator[Fault]:
    """A model is replaced many times, so how it is replaced is part of the design."""
    asked = ["release"] if buys_models(design, planes) else ["retraining", "release"]
    if missing := [name for name in asked if getattr(planes, name) is None]:
        yield Fault(
            f"planes.{missing[0]}",
            f"The planes do not state {' and '.join(missing)} yet.",
            "State what starts a training, and which steps a model passes before users get it.",
        )


@rule(
    "PLANE024",
    title="Promotion without validation",
    prevents="a worse model that replaces a better one without anybody's decision",
    needs=released,
)
def promotion_without_validation(_: Design, release: Release) -> Iterator[Fault]:
    """Bad data train a bad model, and only a validation keeps it out of production."""
    if not (release.gates or answered(release.validation)):
        yield Fault(
            "planes.release.validation",
            "The release states no validation before a model is promoted.",
            "State in 'gates' on which metrics and slices it must be no worse than the model in use.",
        )


def _gate_kinds(planes: Planes) -> tuple[str, ...]:
    """Return the kinds that judge a model; where gates are stated, what carries a release out applies them."""
    gates = ("validation gate", "evaluation")
    return (*gates, "ci/cd", "canary") if planes.release and planes.release.gates else gates


def _model_flows(planes: Planes) -> list[Flow]:
    return [flow for flow in planes.flows if flow.carries == "model"]


def _training_components(planes: Planes) -> list[str]:
    return [one.id for one in planes.in_plane("training")]


@rule(
    "PLANE025",
    title="Model path around the validation gate",
    prevents="a model in production that was never validated",
    wrong_when="Acceptable for the way back to a version that passed the gate before.",
    needs=filled("training", "serving", "control"),
)
def path_around_the_gate(_: Design, planes: Planes) -> Iterator[Fault]:
    """A validation gate has an effect only if no model can go around it."""
    known, where, gates = graph.components_by_id(planes), places(planes), _gate_kinds(planes)
    judges = {one.id for one in planes.components if one.kind in gates}
    filled_by_flows = {
        flow.end for flow in _model_flows(planes) if known[flow.end].kind in _REGISTRIES
    }  # what is in these came along those flows
    starts = [name for name in _training_components(planes) if name not in judges | filled_by_flows]
    promoted = _told_by_the_gate(planes)
    open_ways = [flow for flow in _model_flows(planes) if flow.start not in judges | promoted]
    unjudged = graph.reached(starts, graph.steps_along(open_ways))
    loose = [flow for flow in open_ways if flow.start in unjudged and known[flow.end].plane == "serving"]
    if loose:
        yield Fault(
            where[loose[0]],
            f"{listed(map(arrow, loose))} {'brings' if len(loose) == 1 else 'bring'} a model to serving that did "
            "not pass a validation gate.",
            "Route every model through the gate, urgent ones included; or let the gate promote it in the registry, and "
            "draw that as a command from the gate to the registry.",
        )


_REGISTRIES = ("model registry", "experiment registry")


def _told_by_the_gate(planes: Planes) -> set[str]:
    """Return the registries that a gate commands: they hand out the versions that it has promoted, and no others."""
    gates = [one.id for one in planes.components if one.kind in {"validation gate", "evaluation"}]
    told = [flow for flow in planes.flows if flow.carries in {"command", "configuration"}]
    registries = {one.id for one in planes.components if one.kind in _REGISTRIES}
    return registries & graph.reached(gates, graph.steps_along(told))


@rule(
    "PLANE026",
    title="No model path from training to serving",
    prevents="a retraining whose result is never used",
    wrong_when="Wrong if the model is bought and not trained here; leave the training plane out.",
    needs=filled("training", "serving", "control"),
)
def model_never_reaches_serving(_: Design, planes: Planes) -> Iterator[Fault]:
    """A trained model needs a path to the components that serve it."""
    trainers = [one.id for one in planes.components if one.kind in TRAINERS]
    starts = _training_components(planes) if trainers or planes.retraining else []
    sending = {flow.start for flow in _model_flows(planes)}
    known, gates = graph.components_by_id(planes), _gate_kinds(planes)
    passed = [  # a gate lets what installs the model go on
        flow
        for flow in planes.flows
        if flow.carries == "command" and known[flow.start].kind in gates and flow.end in sending
    ]
    arrived = graph.reached(starts, graph.steps_along([*_model_flows(planes), *passed]))
    if starts and not any(one.id in arrived for one in planes.in_plane("serving")):
        yield Fault(
            "planes.flows",
            "No flows of models lead from training to serving.",
            "Add them: from the registry through the validation gate and the canary to what serves.",
        )


# ---- what a release has to pass


@rule(
    "PLANE051",
    "warning",
    title="Release gate that says too little",
    prevents="a release that passes, since nobody had said what would fail",
    needs=released,
)
def gate_says_too_little(design: Design, release: Release) -> Iterator[Fault]:
    """A gate is a metric on a fixed set, a limit or a baseline, and the groups in which it holds too."""
    missing = _missing_of_gates(design, release) if release.gates else _missing_of_words(release.validation)
    if is_about_people(design) and _SLICED in missing:
        missing.remove(_SLICED)  # DATA013 asks for the groups of people
    if missing:
        yield Fault(
            "planes.release.gates" if release.gates else "planes.release.validation",
            f"What a release has to pass does not state {listed(missing)}.",
            "Write a gate: 'metric', the evaluation set in 'on', 'at_least' or a 'baseline' with 'worse_by_at_most', "
            "and 'slices'.",
        )


def _missing_of_words(words: str | None) -> list[str]:
    if not answered(words):
        return []  # PLANE024 says so
    asked = {"a limit or a baseline": _LIMIT, _SLICED: _SLICES}
    return [name for name, pattern in asked.items() if not pattern.search(words or "")]


def _missing_of_gates(design: Design, release: Release) -> list[str]:
    gates = gates_of(design, release)
    changed = not release.of or not all(is_of_another(design, name) for name in release.of)
    if not gates and changed and design.requirements and design.requirements.prediction:
        tested = list(dict.fromkeys(name for gate in release.gates for name in gate.of))
        return [f"any test of its answers (the gates are on {listed(tested)})"]
    loose = [gate.id for gate in gates if not (_has_limit(gate) or answered(gate.baseline))]
    unset = [gate.id for gate in gates if not answered(gate.on)]
    missing = [f"a limit or a baseline of {listed(loose)}"] if loose else []
    missing += [f"the evaluation set of {listed(unset)}"] if unset else []
    sliced = any(answered(*gate.slices) for gate in gates if judges_answers(design, gate))
    return missing if sliced or not gates else [*missing, _SLICED]


def _has_limit(gate: Gate) -> bool:
    return any(limit is not None for limit in (gate.at_least, gate.at_most, gate.worse_by_at_most))


@rule(
    "PLANE052",
    "warning",
    title="Evaluation set too small for its limit",
    prevents="a gate that chance opens and closes",
    wrong_when="Acceptable for a difference if both versions answer the same cases and mostly alike: a paired "
    "comparison needs fewer; write 'paired: true'.",
    needs=released,
)
def evaluation_set_too_small(_: Design, release: Release) -> Iterator[Fault]:
    """How finely a gate can tell good from bad is limited by the number of its cases."""
    for position, gate in enumerate(release.gates):
        if words := _too_few(gate):
            sliced = gate.smallest_slice is not None
            yield Fault(
                f"planes.release.gates.{step_to(position, gate)}.{'smallest_slice' if sliced else 'cases'}",
                f"The gate {gate.id} has {gate.smallest_slice if sliced else gate.cases:,} cases"
                f"{' in its smallest slice' if sliced else ''}: {words}.",
                "Add cases, above all of the kinds that go wrong, or set a limit that so many cases can show.",
            )


def _too_few(gate: Gate) -> str | None:
    limit = gate.at_least if gate.at_least is not None else gate.at_most
    cases = gate.smallest_slice or gate.cases
    if gate.smallest_slice and gate.cases is not None and gate.smallest_slice > gate.cases:
        return f"the whole set has {gate.cases:,}, so that one of the two numbers is wrong"
    if not cases or limit is None or not 0 < limit < 1:
        return None
    rarer = min(limit, 1 - limit)
    if cases * rarer < _FEWEST_WRONG:
        return f"a limit of {percent(limit)} is {cases * rarer:.3g} of them, and one more or less is chance"
    error = 1.96 * math.sqrt(limit * (1 - limit) / cases)
    if gate.worse_by_at_most and not gate.paired and error > gate.worse_by_at_most:
        return (
            f"at {percent(limit)} chance alone moves the metric by {points(error)}, and it is to show "
            f"{points(gate.worse_by_at_most)}"
        )
    return None


# ---- stages


def _is_trial(stage: ReleaseStage) -> bool:
    return (stage.share is not None and stage.share < 1) or (stage.share is None and answered(stage.to))


def _exposed(release: Release) -> list[ReleaseStage]:
    """Return the stages in which somebody gets the new version's answers: not those in its shadow."""
    return [stage for stage in release.rollout if not _SHADOW.search(stage.to or stage.id or "")]


def _devices(planes: Planes) -> list[Component]:
    return [one for one in planes.components if one.kind == "device fleet" or one.devices]


@rule(
    "PLANE031",
    "warning",
    title="Release without a canary",
    prevents="a bad model that reaches all users at once",
    incident=CLOUDFLARE,
    wrong_when="Acceptable if no user sees the output before it is checked, as in a batch job.",
    needs=released,
)
def release_without_canary(design: Design, release: Release) -> Iterator[Fault]:
    """A first stage limits a bad release to a share of the users, for a time."""
    planes = design.planes
    if planes is None or _devices(planes) or not predicts(design):
        return
    if not answers_requests(design) and release.shadow:
        return  # nobody waits: runs beside the old one come before anybody sees the new one's
    first = next(iter(_exposed(release)), None)
    share = release.canary_share if first is None else first.share
    if first is None or not _is_trial(first) or not first.lasts:
        where = "canary_time" if share and share < 1 and not release.stages else "canary_share"
        by_clock = not answers_requests(design)
        yield Fault(
            f"planes.release.{'stages' if release.stages else where}",
            "A new model's first run is used at once: nothing compares it with the old one's."
            if by_clock
            else "A new model reaches all users at once: the release states no first stage with a share below 100% "
            "and a time.",
            "Run it beside the old one for some days, and state that as 'shadow'."
            if by_clock
            else "State 'stages', or 'canary_share' and 'canary_time', such as 1% for 2 hours.",
        )
    elif share and share > _LARGEST_FIRST_STAGE:
        yield Fault(
            f"planes.release.{'stages' if release.stages else 'canary_share'}",
            f"The first stage of a release reaches {percent(share)} of the users at once.",
            "Begin with the smallest share that can show the harm in time, such as 1% for 2 hours.",
        )


@rule(
    "PLANE054",
    title="Release to all devices at once",
    prevents="a version that stops every device, and with it the way to repair it",
    wrong_when="Wrong if the rings are decided elsewhere; write them as 'stages'.",
    needs=released,
)
def all_devices_at_once(design: Design, release: Release) -> Iterator[Fault]:
    """What goes wrong on a device cannot be taken back by switching traffic: a ring at a time limits the harm."""
    fleets = _devices(design.planes) if design.planes else []
    if fleets and not (release.rollout and _is_trial(release.rollout[0])):
        number = sum(one.devices.number for one in fleets if one.devices)
        yield Fault(
            "planes.release.stages",
            f"A release reaches {f'all {number:,} devices' if number else 'all devices'} of "
            f"{listed(one.id for one in fleets)} at once.",
            "State rings in 'stages': our own devices, 1%, 10%, all, each with a time and what stops it.",
        )


@rule(
    "PLANE050",
    "warning",
    title="Stage that nothing stops",
    prevents="a bad release that runs its two hours, and then goes to everybody",
    needs=released,
)
def stage_without_a_stop(design: Design, release: Release) -> Iterator[Fault]:
    """A stage is a test only if it is said what ends it, and if that can show wrong answers too."""
    planes = design.planes
    trials = [stage for stage in _exposed(release) if _is_trial(stage)]
    if planes is None or not trials or not planes.in_plane("control"):
        return
    stops = {name for stage in trials for name in stage.stops_on}
    if not trials[0].stops_on and (release.stages or not _is_compared(planes)):
        yield Fault(
            "planes.release.stages",
            "Nothing says what stops a release in its first stage.",
            "Name the alerts and objectives that stop it in 'stops_on', one on the answers themselves among them.",
        )
    elif stops and not _shows_quality(design, stops):
        yield Fault(
            "planes.release.stages",
            f"A release is stopped by {listed(sorted(stops))}, none of which shows wrong answers.",
            "Add an alert on predictions or on a sign of quality: the score distribution, complaints, clicks.",
        )


def _is_compared(planes: Planes) -> bool:
    """Tell whether a flow of a canary says what is compared."""
    canaries = {one.id for one in planes.components if one.kind in {"canary", "experiment platform"}}
    return any(canaries & {flow.start, flow.end} and answered(flow.check) for flow in planes.flows)


def _shows_quality(design: Design, stops: set[str]) -> bool:
    alerts = design.planes.alerts if design.planes else ()
    objectives = design.operations.objectives if design.operations else ()
    return any(alert.id in stops and alert.watches != "infrastructure" for alert in alerts) or any(
        one.id in stops and not _UPTIME.search(one.indicator) for one in objectives
    )


@rule(
    "PLANE056",
    "warning",
    title="Stage that ends before its alert can speak",
    prevents="a release that has reached everybody when the alert that should have stopped it is raised",
    wrong_when="Wrong if the alert's own figure comes sooner than labels do; then let it watch predictions.",
    needs=released,
)
def stage_shorter_than_its_alert(design: Design, release: Release) -> Iterator[Fault]:
    """An alert can stop a stage only if its window, and the labels that it needs, fit into the stage."""
    known = {alert.id: alert for alert in (design.planes.alerts if design.planes else ())}
    delay_s = requirement(design, "labels", "delay") or 0.0
    for position, stage in enumerate(release.stages):
        stops = [known[name] for name in stage.stops_on if name in known]
        needed_s = {alert.id: _speaks_after_s(alert, delay_s) for alert in stops}
        if not (stage.lasts and _is_trial(stage)):
            continue
        mute = {name: time_s for name, time_s in needed_s.items() if time_s > stage.lasts * (1 + 1e-9)}
        answers = [one.id for one in stops if one.watches != "infrastructure"] or list(needed_s)
        nothing = bool(answers) and mute.keys() >= {*answers}
        if not nothing:  # how late labels are differs from case to case: a window is sure
            mute = {
                name: time_s for name, time_s in mute.items() if (known[name].window or 0.0) > stage.lasts
            }
        if not mute:
            continue
        told = listed(
            f"{name} ({show_seconds(time_s)}{'' if time_s <= (known[name].window or 0.0) else ' with its labels'})"
            for name, time_s in mute.items()
        )
        yield Fault(
            f"planes.release.stages.{step_to(position, stage)}.for",
            f"The stage lasts {show_seconds(stage.lasts)}, and is to stop on {told}, "
            f"{'which needs' if len(mute) == 1 else 'which need'} longer"
            f"{': nothing that watches the answers can stop it' if nothing else ''}.",
            "Let the stage last longer, name it at a later stage only, or stop on something that shows sooner, such as "
            "the scores against those of the old model.",
        )
        return  # the first such stage is the one that had to find it


def _speaks_after_s(alert: Alert, delay_s: float) -> float:
    """Return how long a stage has to last before an alert can show what the new version does.

    Of quality by labels it is the window and their delay: the answers of a window get their labels so much later.
    """
    return (alert.window or 0.0) + (delay_s if alert.watches == "quality" else 0.0)


@rule(
    "PLANE032",
    "warning",
    title="Canary too small to detect a doubled error rate",
    prevents="a canary that ends before it could detect anything",
    wrong_when="Acceptable if a shadow comparison or a longer ramp takes its place. The usual error rate is taken "
    "from the target, not from measurements.",
    needs=released,
)
def canary_too_small(design: Design, release: Release) -> Iterator[Fault]:
    """A canary needs enough requests to tell a doubled error rate from the usual one."""
    rate_rps = requirement(design, "throughput", "mean") or requirement(design, "throughput", "peak")
    target = requirement(design, "availability", "target")
    first = next(iter(_exposed(release)), None)
    planes = design.planes
    if planes is None or _devices(planes) or not answers_requests(design) or not predicts(design):
        return
    if not (
        rate_rps and target and 0.5 < target < 1 and first and first.share and first.share < 1 and first.lasts
    ):
        return
    needed, seen = _canary_requests(1 - target, first.share), rate_rps * first.share * first.lasts
    takes_s = needed / (rate_rps * first.share)
    if seen < needed and not (release.shadow and takes_s > _LONGEST_CANARY_S):
        yield Fault(
            "planes.release.stages" if release.stages else "planes.release.canary_time",
            f"A canary of {percent(first.share)} gets {seen:,.0f} requests in {show_seconds(first.lasts)} at the mean "
            f"load; to tell an error rate of {percent(2 * (1 - target))} from {percent(1 - target)} it needs about "
            f"{needed:,.0f}.",
            f"Run it for {show_seconds(takes_s)} or longer, or give it a larger share. With little traffic, compare "
            "both versions on all of it in the shadow.",
        )


def _canary_requests(usual: float, share: float) -> float:
    """Return the requests after which a canary shows twice the usual error rate: 5% two-sided, power 80%.

    The rest of the traffic is the other arm. Source: Fleiss, Levin & Paik (2003), Statistical Methods for Rates and
    Proportions, chapter 4: samples of unequal size.
    """
    bad, of_rest = 2 * usual, share / (1 - share)
    pooled = bad * share + usual * (1 - share)
    spread = _NORMAL.inv_cdf(0.975) * math.sqrt(pooled * (1 - pooled) * (1 + of_rest)) + _NORMAL.inv_cdf(
        0.8
    ) * math.sqrt(bad * (1 - bad) + usual * (1 - usual) * of_rest)
    return (spread / usual) ** 2


# ---- back again


@rule(
    "PLANE027",
    title="Rollback missing or without effect",
    prevents="a bad release that is noticed and cannot be taken back",
    wrong_when="Acceptable if the kill switch is the planned way back, and its fallback can stay on "
    "until a new release.",
    needs=filled("serving", "control"),
)
def rollback_without_effect(_: Design, planes: Planes) -> Iterator[Fault]:
    """A rollback has to reach the components that serve."""
    undoing = [one.id for one in planes.components if one.kind == "rollback"]
    serving = (one.id for one in planes.in_plane("serving"))
    leading = graph.reached(serving, graph.steps_back(planes.flows)) if undoing else set[str]()
    if _has_no_way_back(planes):
        yield Fault(
            "planes.components",
            "The planes have no rollback, and the release does not say what it goes back to.",
            "Add one, with a flow from the alerts to it, or state 'rollback_to' and 'rollback_time'.",
        )
    if deaf := [name for name in undoing if name not in leading]:
        yield Fault(
            f"planes.components.{deaf[0]}",
            f"No flows lead from {listed(deaf)} to a component that serves.",
            "Add the flow to the component that goes back to the old version.",
        )


def _has_no_way_back(planes: Planes) -> bool:
    """Tell whether a sketch has a control plane, and neither draws nor states a rollback."""
    stated = planes.release is not None and answered(planes.release.rollback_to)
    kinds = {one.kind for one in planes.components}
    return not stated and "rollback" not in kinds and bool(planes.in_plane("control"))


def _stores_features(design: Design) -> bool:
    """Tell whether the model reads features that are stored under a schema."""
    stored = design.dataflow is not None and any(one.source != "request" for one in design.dataflow.features)
    kinds = {one.kind for one in design.planes.components} if design.planes else set()
    return _reads_features(design.planes) or (stored and "vector index" not in kinds) or not kinds


def _reads_features(planes: Planes | None) -> bool:
    """Tell whether a feature store is read for a model, or for its training, and not by rules beside it alone."""
    if planes is None:
        return False
    known = graph.components_by_id(planes)
    stores = {one.id for one in planes.components if one.kind == "feature store"}
    calls = [flow for _, flow in graph.waiting_flows(planes)]
    models = {one.id for one in planes.components if one.kind in MODELS or one.plane == "training"}
    for_models = graph.reached(models, graph.steps_back(calls))
    readers = {flow.start for flow in calls if flow.end in stores}
    readers |= {flow.end for flow in planes.flows if flow.start in stores}
    only_beside = readers and all(
        name not in for_models and known[name].kind == "business rules" for name in readers
    )
    return bool(stores) and not only_beside


@rule(
    "PLANE028",
    title="Rollback does not restore what belongs together",
    prevents="an old model that reads features in a schema that it was not trained on",
    wrong_when="Wrong if the model reads nothing that is stored.",
    needs=released,
)
def rollback_of_the_model_alone(design: Design, release: Release) -> Iterator[Fault]:
    """A model, its feature schema and its configuration are one version."""
    kept = release.taken_back
    bought = design.planes is not None and buys_models(design, design.planes)
    asked = [] if bought else ["model"]
    if _stores_features(design) and not generates(design):
        asked.append("feature schema")
    missing = [one for one in asked if one not in kept]
    if not kept and design.planes is not None and _has_no_way_back(design.planes):
        return  # PLANE027 says so
    if missing or not kept:
        lost = (
            f"{', and not' if kept else ': neither' if len(missing) > 1 else ', not'} the " if missing else ""
        )
        lost += (" and the " if kept else " nor the ").join(missing)
        yield Fault(
            "planes.release.versioned_together",
            f"A rollback restores {', '.join(kept) or 'nothing'}{lost}."
            if kept or not says_something(release.rollback_to)
            else f"A rollback goes back to {release.rollback_to!r}, and versioned_together does not say what that is: "
            f"{' and '.join(missing) or 'the model'}.",
            "Version together what belongs together: the model, its feature schema and configuration; with a language "
            "model the prompt, tokeniser, adapter and index.",
        )


@rule(
    "PLANE053",
    "warning",
    title="Rollback that leaves something behind",
    prevents="a rollback after which the wrong answers go on",
    wrong_when="Acceptable for stored answers that are made again sooner than a rollback would take.",
    needs=released,
)
def rollback_leaves_behind(design: Design, release: Release) -> Iterator[Fault]:
    """What is released together, and what changes what users get, such as prompts and stored answers, goes back too."""
    kept = set(release.taken_back)
    if not kept:
        return  # PLANE028 says so
    kinds = {one.kind for one in design.planes.components} if design.planes else set()
    texts = generates(design) and not kept & {
        "code",
        "configuration",
    }  # where prompts and guardrails may stand
    has = {
        "prompt": texts,
        "guardrails": texts and "guardrail" in kinds,
        "predictions": _answers_outlive(design, release),
        "index": design.planes is not None and _index_outlives(design.planes, release),
    }
    left = [name for name, there in has.items() if there and name not in kept]
    named = {"model", "feature schema", *left}  # PLANE028 asks for the first two
    left += [name for name in release.versioned_together if name not in kept | named]
    if left:
        yield Fault(
            f"planes.release.{'rollback_takes_back' if release.rollback_takes_back else 'versioned_together'}",
            f"A rollback restores {', '.join(release.taken_back)}, and leaves the {' and the '.join(left)} of the bad "
            "version.",
            "Add it to 'rollback_takes_back', and keep the version before until the new one has proved itself.",
        )


def _answers_outlive(design: Design, release: Release) -> bool:
    """Tell whether requests read stored answers of a bad model for longer than its rollback takes.

    The job that fills their store may be that of another workload.
    """
    if design.planes is None:
        return False
    planes = design.planes
    parts, asking = graph.components_by_id(planes), graph.alternatives(planes)
    read = {call.end for _, call in graph.waiting_flows(planes)}
    read |= {flow.end for _, flow in graph.own_flows(planes) if flow in asking}
    written = [
        flow for flow in planes.flows if flow.carries in {"predictions", "batch"} and flow not in asking
    ]
    on = graph.steps_along(
        flow for flow in written if flow.carries == "predictions" and parts[flow.start].kind not in KEPT_IN
    )
    stored = {  # rules, or people who approve, may pass the answers on
        one.id: {name for name in graph.reached([one.id], on) if parts[name].kind in KEPT_IN}
        | {flow.end for flow in written if flow.start == one.id}
        for one in planes.components
        if one.kind == "batch scorer"
    }
    filling = {name for name, ends in stored.items() if (ends - {name}) & read}
    paths = [path for one in (design, *design.others) for path in (one.pattern.paths if one.pattern else ())]
    periods = {
        path.component: path.precompute.period
        for path in paths
        if path.precompute and path.component in {*filling, None}
    }
    replaced_s = max((periods.get(name, periods.get(None, day)) for name in filling), default=0.0)
    return replaced_s > max(hour, release.rollback_time or 0.0)


def _index_outlives(planes: Planes, release: Release) -> bool:
    """Tell whether requests search what a released model has embedded, or one that is made with it."""
    parts = graph.components_by_id(planes)
    indexes = {one.id for one in planes.components if one.kind == "vector index"}
    calls = dict(graph.waiting_flows(planes))
    searched = {flow.end for flow in calls.values()} & indexes
    given = _model_flows(planes)
    filling = {  # a call that carries features reads
        flow.start
        for position, flow in enumerate(planes.flows)
        if flow.end in searched and flow.carries in {"batch", "events", "features"} and position not in calls
    } & {flow.end for flow in given}
    back = graph.steps_back(given)
    released = {*release.of} or {name for name in parts if name in {flow.end for flow in given}}
    makers = {name for name in graph.reached(released, back) if parts[name].kind in TRAINERS}
    return bool(makers & graph.reached(filling, back))


@rule(
    "PLANE029",
    "warning",
    title="Rollback without a target or a duration",
    prevents="a search for the last good version during an outage",
    needs=released,
)
def rollback_without_target(design: Design, release: Release) -> Iterator[Fault]:
    """A rollback needs a target version and a time limit."""
    if design.planes is not None and _has_no_way_back(design.planes):
        return  # PLANE027 says so
    missing = [] if answered(release.rollback_to) else ["rollback_to"]
    missing += ["rollback_time"] * (release.rollback_time is None)
    if missing:
        yield Fault(
            f"planes.release.{missing[0]}",
            f"The release does not state {' and '.join(missing)}, so a rollback has to be worked out during an outage.",
            "Keep the previous version warm, and state 'rollback_to' and 'rollback_time'.",
        )


@rule(
    "PLANE030",
    "warning",
    title="Rollback slower than the error budget",
    prevents="a month's error budget that is used up while the old version is deployed",
    wrong_when="Wrong if a bad release gives wrong answers and not none: those count against quality, not "
    "availability.",
    needs=released,
)
def rollback_slower_than_error_budget(design: Design, release: Release) -> Iterator[Fault]:
    """One bad release, on the share of the traffic that it has reached, must not use up the error budget."""
    target = requirement(design, "availability", "target")
    window_s = requirement(design, "availability", "window")
    if not (target and target < 1 and window_s and release.rollback_time):
        return
    first = next(iter(_exposed(release)), None)
    share = first.share if first and first.share else 1.0
    if release.rollback_time * share > (budget_s := error_budget_s(target, window_s)):
        reached = f" on {percent(share)} of the traffic" if share < 1 else ""
        yield Fault(
            "planes.release.rollback_time",
            f"A rollback takes {show_seconds(release.rollback_time)}{reached}, and a target of {percent(target)} "
            f"allows {show_seconds(budget_s)} of failure in {show_seconds(window_s)}.",
            "Switch to a version that is kept warm instead of deploying it, or begin with a smaller share.",
        )


@rule(
    "PLANE033",
    "warning",
    title="Kill switch missing",
    prevents="hours of harm while the cause is looked for",
    incident=CLOUDFLARE,
    wrong_when="Acceptable if the old version stays warm and traffic moves back to it as fast.",
    needs=sketched,
)
def kill_switch_missing(design: Design, planes: Planes) -> Iterator[Fault]:
    """Switching a model off is faster than repairing it."""
    drawn = any(one.kind == "kill switch" for one in planes.components)
    by_clock = design.requirements is not None and design.requirements.schedule is not None
    asked = planes.release is not None and answers_requests(design) and predicts(design) and not by_clock
    if planes.release is not None and asked and not (answered(planes.release.kill_switch) or drawn):
        yield Fault(
            "planes.release.kill_switch",
            "The release states no kill switch, so the model cannot be switched off at once.",
            "State which flag sends all requests to the fallback, and who may set it.",
        )


# ---- training again


@rule(
    "PLANE034",
    "warning",
    title="Retraining on alarms without a cooldown",
    prevents="a training for each alarm, each on the bad data that raised it",
    wrong_when="Acceptable if a person approves each training.",
    needs=sketched,
)
def retraining_without_cooldown(_: Design, planes: Planes) -> Iterator[Fault]:
    """Alarms come in series, and each would start a training without a cooldown."""
    if planes.retraining is None or planes.retraining.cooldown:
        return
    if alarms := [one for one in planes.retraining.triggers if one in {"drift", "quality"}]:
        yield Fault(
            "planes.retraining.cooldown",
            f"Each alarm of {' and '.join(alarms)} starts a training, however soon after the last one.",
            "State in 'cooldown' the least time between two trainings.",
        )


@rule(
    "PLANE035",
    title="Decision before labels arrive",
    prevents="a training that counts examples without a label yet as negative",
    wrong_when="Acceptable if the estimate corrects for labels that are still to come.",
    needs=sketched,
)
def decision_before_labels(design: Design, planes: Planes) -> Iterator[Fault]:
    """A decision that uses labels has to wait until they have arrived."""
    delay_s = requirement(design, "labels", "delay")
    decided_s = planes.retraining.decided_after if planes.retraining else None
    if delay_s and decided_s is not None and decided_s < delay_s:
        yield Fault(
            "planes.retraining.decided_after",
            f"The decision comes {show_seconds(decided_s)} after a prediction, and the label "
            f"{show_seconds(delay_s)}.",
            "Decide later, or correct for the labels that are still missing.",
        )


_SILENCE = ("nothing heard", "not chosen", "shown and not chosen")
"""Negatives that are made of what has not happened yet."""


@rule(
    "PLANE055",
    "info",
    title="Age of an example before it counts not stated",
    prevents="a model that learns the newest positives as negatives, since their label had not come yet",
    wrong_when="Wrong if only examples with a label are trained on, and a missing label means nothing.",
    needs=sketched,
)
def wait_for_labels_unknown(design: Design, planes: Planes) -> Iterator[Fault]:
    """Where labels come late, a training has to say from when on an example without one counts."""
    delay_s, training = requirement(design, "labels", "delay"), planes.retraining
    if not delay_s or training is None or training.decided_after is not None:
        return
    negatives, rest_on = (requirement(design, "labels", name) for name in ("negatives", "rest_on"))
    kind = requirement(design, "prediction", "type")
    of_a_class = (
        kind in {None, "binary classification", "multi-class classification"} and rest_on != "judgement"
    )
    if negatives not in _SILENCE and not (negatives is None and of_a_class):
        return  # an example without a label is none
    by_itself = any(trigger != "manual" for trigger in training.triggers)
    if by_itself and delay_s >= min(_LATE_LABELS * (training.period or math.inf), day):
        starts = f"every {show_seconds(training.period)}" if training.period else "by itself"
        yield Fault(
            "planes.retraining.decided_after",
            f"A training starts {starts}, labels come {show_seconds(delay_s)} after the prediction, and nothing says "
            "from when on an example counts.",
            f"State 'decided_after', {show_seconds(delay_s)} or more, and leave newer examples out.",
        )


_ROUNDED = 0.05
"""A month is not meant to the hour: an age that is so much over its limit passes. Our choice."""


@rule(
    "PLANE036",
    title="Model older than allowed",
    prevents="a model that is planned to be older than the product allows",
    wrong_when="Wrong if routine trainings skip the shadow and the stages.",
    needs=sketched,
)
def model_over_age(design: Design, planes: Planes) -> Iterator[Fault]:
    """The age of a model is the time between trainings plus the time until its release."""
    allowed_s = requirement(design, "freshness", "model")
    training, release = planes.retraining, planes.release
    if not (allowed_s and training and training.period):
        return
    stages_s = [stage.lasts or 0.0 for stage in release.rollout if _is_trial(stage)] if release else []
    waits_s = math.fsum([release.shadow or 0.0 if release else 0.0, *stages_s])
    run_s = (design.data.training.run_time or 0.0) if design.data and design.data.training else 0.0
    if (age_s := training.period + run_s + waits_s) > allowed_s * (1 + _ROUNDED):
        run = f", {show_seconds(run_s)} of training" if run_s else ""
        yield Fault(
            "planes.retraining.period",
            f"A training every {show_seconds(training.period)}{run} and {show_seconds(waits_s)} of shadow and first "
            f"stages make a model up to {show_seconds(age_s)} old, and it may be {show_seconds(allowed_s)}; "
            f"{percent(_ROUNDED)} more would pass as rounding.",
            "Train more often, or release faster.",
        )


@rule(
    "PLANE037",
    "warning",
    title="Retraining that nothing starts",
    prevents="a schedule on which nothing is ever trained",
    wrong_when="Acceptable if a person starts trainings; write that under 'triggers'.",
    needs=sketched,
)
def retraining_never_starts(_: Design, planes: Planes) -> Iterator[Fault]:
    """A trigger without a setting never fires."""
    training = planes.retraining
    if training and "schedule" in training.triggers and training.period is None:
        yield Fault(
            "planes.retraining.period",
            "Trainings start on a schedule, and its period is not stated.",
            "State how often a model is trained, such as 7 d.",
        )
    if training and not training.triggers:
        yield Fault(
            "planes.retraining.triggers",
            "Retraining has no trigger, so no training starts.",
            "State what starts one: schedule, volume, drift, quality, or a person.",
        )


@rule(
    "PLANE070",
    "warning",
    title="Step of a release longer than its period",
    prevents="two models in one canary at once, and an alert of which nobody knows whose it is",
    wrong_when="Acceptable if a newer model ends the release of the one before; accept it with that reason.",
    needs=released,
)
def releases_overlap(design: Design, release: Release) -> Iterator[Fault]:
    """A training, a shadow or a stage that outlasts the period still runs when the next model comes to it."""
    retraining = design.planes.retraining if design.planes else None
    period_s = retraining.period if retraining else None
    training = design.data.training if design.data else None
    stages = [
        (f"the stage {step_to(position, stage)}", stage.lasts)
        for position, stage in enumerate(release.rollout)
        if stage.share is None or stage.share < 1
    ]
    steps = [
        ("the training", training.run_time if training else None),
        ("the shadow", release.shadow),
        *stages,
    ]
    long = [
        f"{name} {show_seconds(time_s)}"
        for name, time_s in steps
        if time_s and period_s and time_s > period_s
    ]
    if period_s and long:
        yield Fault(
            "planes.retraining.period",
            f"A model is trained every {show_seconds(period_s)}, and longer than that takes: {listed(long)}.",
            "Train less often, or shorten what takes longer, and no stage below what its alerts need.",
        )


@rule(
    "PLANE065",
    "warning",
    title="Release that is compared with nothing in use",
    prevents="a release that passes its limit and is worse than what it replaces",
    wrong_when="Wrong if nothing is in use yet, neither a model nor rules; name what people do as the 'baseline'.",
    needs=released,
)
def compared_with_nothing(_: Design, release: Release) -> Iterator[Fault]:
    """A limit says what is good enough, and a baseline whether the change is an improvement."""
    if release.gates and not any(answered(gate.baseline) for gate in release.gates):
        yield Fault(
            f"planes.release.gates.{release.gates[0].id}.baseline",
            "No gate compares a release with the model in use or with what is done without a model.",
            "Name in 'baseline' of the main gate what it is compared with, and in 'worse_by_at_most' what it may lose.",
        )
