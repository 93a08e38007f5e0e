"""Rules on the planes of a design: calls, monitoring, release and rollback.

While a plane is empty, the rules on flows between planes find nothing: one finding names the empty plane.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mlsd_helpers.analysis import graph
from mlsd_helpers.design import KINDS, Component, Design, Flow, Planes, Release
from mlsd_helpers.formulas.availability import error_budget_s, series_availability
from mlsd_helpers.formulas.statistics import canary_sample_size
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.units import show_seconds

CLOUDFLARE = (
    "Cloudflare, 18 November 2025: a generated feature file had doubled rows, nothing refused it, and the proxy "
    "that read it stopped for hours (Cloudflare's report of the outage)."
)
BROOKER = "Brooker, Timeouts, retries and backoff with jitter (Amazon Builders' Library)."
MONITORS = ("drift detector", "quality monitor", "alerting")
GENERATED = ("batch", "events", "predictions")
STORES = ("feature store", "prediction store")
_MOST_SHOWN = 6


@rule(
    "PLANE001",
    "info",
    title="Planes missing",
    prevents="a model in production without data supply, monitoring or rollback",
)
def planes_missing(design: Design) -> Iterator[Fault]:
    """A model needs data, training, serving, monitoring and control around it."""
    if design.planes is None or not design.planes.components:
        yield Fault(
            "planes",
            "The design has no components yet.",
            "List the components of data, training, serving, monitoring and control, and the flows between them.",
        )


# ---- what the rules look at


def _sketch(design: Design) -> Planes | None:
    return design.planes if design.planes is not None and design.planes.components else None


def _whole(design: Design) -> Planes | None:
    planes = _sketch(design)
    return planes if planes is not None and planes.flows and not _empty(planes) else None


def _empty(planes: Planes) -> list[str]:
    filled = {component.plane for component in planes.components}
    return [plane for plane in KINDS if plane not in filled]


def _released(design: Design) -> Release | None:
    return design.planes.release if design.planes is not None else None


def _requirement(design: Design, axis: str, field: str) -> Any:
    """Return a figure of the requirements, or nothing where it is not stated."""
    return getattr(getattr(design.requirements, axis, None), field, None)


def _waiting_flows(planes: Planes) -> list[Flow]:
    return [flow for _, flow in graph.waiting_flows(planes)]


def _waited_for(planes: Planes) -> list[Component]:
    names = {name for flow in _waiting_flows(planes) for name in (flow.start, flow.end)}
    return [component for component in planes.components if component.id in names]


def _longest_wait_s(flow: Flow) -> float | None:
    return None if flow.timeout is None else flow.timeout * (1 + flow.retries)


def _arrow(flow: Flow) -> str:
    return f"{flow.start} → {flow.end}"


def _chain(flows: Iterable[Flow]) -> str:
    names = [name for flow in flows for name in (flow.start, flow.end)]
    return _joined(names[:1] + names[1::2])


def _joined(names: list[str]) -> str:
    shown = names if len(names) <= _MOST_SHOWN else [*names[: _MOST_SHOWN - 1], "…", names[-1]]
    return " → ".join(shown)


def _percent(share: float) -> str:
    return f"{100 * share:.6g}%"


# ---- components


@rule(
    "PLANE002",
    title="Plane without a component",
    prevents="a system that is built and cannot be monitored or repaired",
    wrong_when="Wrong if somebody else runs that plane, such as the vendor of a bought model; draw the "
    "vendor there.",
    needs=_sketch,
)
def plane_without_component(_: Design, planes: Planes) -> Iterator[Fault]:
    """A plane without a component is work that nobody does."""
    if empty := _empty(planes):
        yield Fault(
            "planes.components",
            f"These planes have no component: {', '.join(empty)}. Nobody does their work.",
            "Add the component that does it, even if it is a person with a checklist.",
        )


@rule(
    "PLANE003",
    "warning",
    title="Unconnected component",
    prevents="a component that is paid for and not used",
    wrong_when="Wrong if only systems outside this design use the component.",
    needs=_sketch,
)
def unconnected_component(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component without flows has no effect."""
    joined = {name for flow in planes.flows for name in (flow.start, flow.end)}
    if not joined:
        yield Fault("planes.flows", "The planes have no flows.", "List which component sends what to which.")
        return
    for component in planes.components:
        if component.id not in joined:
            yield Fault(
                f"planes.components.{component.id}",
                f"No flow enters or leaves {component.id}.",
                "Add the flows that it reads and writes, or remove it.",
            )


@rule(
    "PLANE004",
    "warning",
    title="Component without an owner",
    prevents="an alert at night about a component that no team answers for",
    wrong_when="Acceptable for a vendor's system; name the team that calls the vendor.",
    needs=_sketch,
)
def component_without_owner(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component without an owner is not repaired."""
    for component in planes.components:
        if component.owner is None:
            yield Fault(
                f"planes.components.{component.id}",
                f"{component.id} has no owner.",
                "Name the team that answers when it fails.",
            )


# ---- calls


def _calls(
    planes: Planes, faulty: Callable[[Flow], bool], field: str, lack: str, fix: str
) -> Iterator[Fault]:
    for position, flow in graph.waiting_flows(planes):
        if faulty(flow):
            yield Fault(f"planes.flows.{position}.{field}", f"{_arrow(flow)} has no {lack}.", fix)


@rule(
    "PLANE005",
    title="Call without a timeout",
    prevents="one slow dependency that blocks its callers, and then theirs",
    incident=BROOKER,
    wrong_when="Wrong if nobody waits on the connection, as for a hand-over to people or to a queue; "
    "draw that as events.",
    needs=_sketch,
)
def call_without_timeout(_: Design, planes: Planes) -> Iterator[Fault]:
    """A call without a timeout waits as long as the slowest answer takes."""
    fix = "Set a timeout above the call's usual p99 and within the latency budget."
    yield from _calls(
        planes,
        lambda flow: flow.timeout is None,
        "timeout",
        "timeout: its caller may wait without limit",
        fix,
    )


@rule(
    "PLANE006",
    title="Call without a fallback",
    prevents="an outage of a dependency that becomes an outage of the product",
    incident="Netflix: what is computed online needs a fast fallback to what was computed before (Amatriain & "
    "Basilico, Netflix TechBlog, 2013).",
    wrong_when="Acceptable if no answer is possible without this call; write that the request fails, and "
    "what the user is told.",
    needs=_sketch,
)
def call_without_fallback(_: Design, planes: Planes) -> Iterator[Fault]:
    """What a caller does without an answer has to be decided before an answer is missing."""
    fix = "State what the caller does instead, such as a default or the last good value, and whether it fails open."
    yield from _calls(
        planes, lambda flow: flow.fallback is None, "fallback", "fallback for when no answer comes", fix
    )


def _shortest_timeouts_s(planes: Planes) -> dict[str, float]:
    """Return for each component the shortest timeout of those who wait for it, in seconds."""
    timeouts_s = dict[str, float]()
    for flow in _waiting_flows(planes):
        if flow.timeout is not None:
            timeouts_s[flow.end] = min(flow.timeout, timeouts_s.get(flow.end, math.inf))
    return timeouts_s


@rule(
    "PLANE007",
    title="Edge timeout exceeds the latency budget",
    prevents="a fallback that comes after the user has left",
    wrong_when="Acceptable if a late answer is worth more than the fallback: a budget at a percentile "
    "lets some requests take longer.",
    needs=_sketch,
)
def edge_timeout_exceeds_budget(design: Design, planes: Planes) -> Iterator[Fault]:
    """A timeout above the latency budget does not protect the budget."""
    budget_s = _requirement(design, "latency", "budget")
    callers = _shortest_timeouts_s(planes)
    for position, flow in graph.waiting_flows(planes):
        wait_s = _longest_wait_s(flow)
        if flow.start not in callers and budget_s and wait_s and wait_s > budget_s:
            yield Fault(
                f"planes.flows.{position}.timeout",
                f"{_arrow(flow)} may wait {show_seconds(wait_s)}, retries included; the latency budget is "
                f"{show_seconds(budget_s)}.",
                "Shorten the timeout, so that the fallback can still answer within the budget.",
            )


@rule(
    "PLANE008",
    title="Inner timeout exceeds its caller's",
    prevents="work for callers that have given up, on servers that are already slow",
    incident=BROOKER,
    wrong_when="Acceptable if the work must finish whoever waits, such as a write with an idempotency key.",
    needs=_sketch,
)
def inner_timeout_exceeds_callers(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component must give up on its own calls before its caller gives up on it."""
    if graph.cycle(_waiting_flows(planes)):
        return
    callers = _shortest_timeouts_s(planes)
    for position, flow in graph.waiting_flows(planes):
        wait_s, limit_s = _longest_wait_s(flow), callers.get(flow.start)
        if wait_s and limit_s and wait_s >= limit_s:
            yield Fault(
                f"planes.flows.{position}.timeout",
                f"{_arrow(flow)} may wait {show_seconds(wait_s)}, retries included, and the caller of "
                f"{flow.start} gives up after {show_seconds(limit_s)}.",
                "Make each timeout shorter than its caller's, with time left for the fallback.",
            )


@rule(
    "PLANE009",
    title="Retries multiply along a chain",
    prevents="a short fault that retries turn into an outage",
    incident=BROOKER,
    wrong_when="Wrong if a retry budget or a circuit breaker limits the retries: the rule sees their "
    "number only.",
    needs=_sketch,
)
def retries_multiply(_: Design, planes: Planes) -> Iterator[Fault]:
    """Retries multiply from layer to layer: three tries at five layers are 243 calls."""
    way = graph.heaviest_way(_waiting_flows(planes), lambda _: 0, lambda flow: float(flow.retries > 0))
    retrying = [flow for flow in way if flow.retries]
    if len(retrying) > 1:
        calls = math.exp(min(math.fsum(math.log1p(flow.retries) for flow in retrying), 80))
        yield Fault(
            f"planes.flows.{planes.flows.index(retrying[-1])}.retries",
            f"{len(retrying)} layers on {_chain(way)} retry: one request may become {calls:,.4g} calls.",
            "Retry at one layer only, with a retry budget.",
        )


@rule(
    "PLANE010",
    title="Latencies along a chain exceed the budget",
    prevents="a latency budget that is exceeded, which shows only under load",
    wrong_when="Wrong if the latencies are percentiles, which do not add: most requests may keep the "
    "budget. Right if they are limits, such as timeouts.",
    needs=_sketch,
)
def chain_exceeds_budget(design: Design, planes: Planes) -> Iterator[Fault]:
    """The latencies along a chain of calls must add up to no more than the latency budget."""
    budget_s = _requirement(design, "latency", "budget")
    latency_s = {one.id: one.latency or 0.0 for one in planes.components}
    way = graph.heaviest_way(_waiting_flows(planes), latency_s.__getitem__, lambda _: 0)
    names = [flow.start for flow in way[:1]] + [flow.end for flow in way]
    total_s = math.fsum(latency_s[name] for name in names)
    if budget_s and total_s > budget_s * (1 + 1e-9):
        slowest = max(names, key=latency_s.__getitem__)
        yield Fault(
            f"planes.components.{slowest}.latency",
            f"The latencies along {_chain(way)} add up to {show_seconds(total_s)}, and the latency budget is "
            f"{show_seconds(budget_s)}.",
            f"Make {slowest} faster, remove it from the chain, or call components at the same time.",
        )


@rule(
    "PLANE011",
    title="Cycle of waiting calls",
    prevents="a request that waits for itself",
    wrong_when="Wrong if the call back is an operation that never waits for the first one; draw the "
    "operations as separate components.",
    needs=_sketch,
)
def cycle_of_waiting_calls(_: Design, planes: Planes) -> Iterator[Fault]:
    """Calls that lead back to their caller end in a timeout, or never."""
    if circle := graph.cycle(_waiting_flows(planes)):
        yield Fault(
            f"planes.components.{circle[0]}",
            f"These components wait for each other in a cycle (a possible deadlock): {_joined([*circle, circle[0]])}.",
            "Break the cycle: compute one of the answers ahead, or send it as an event.",
        )


@rule(
    "PLANE012",
    title="Single point of failure",
    prevents="an outage caused by the loss of one machine or one zone",
    wrong_when="Wrong if every caller has a fallback that will do, or if a vendor runs copies behind one "
    "address.",
    needs=_sketch,
)
def single_point_of_failure(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component that requests wait for has a second replica in a second zone, or its risk is accepted in writing."""
    for one in _waited_for(planes):
        alone = [name for name in ("replicas", "zones") if getattr(one, name) == 1]
        if alone and one.accepted_risk is None:
            yield Fault(
                f"planes.components.{one.id}.{alone[0]}",
                f"{one.id} is a single point of failure: requests wait for it, and it has one "
                f"{alone[0].removesuffix('s')}.",
                "Add a second one, in another zone, or state in 'accepted_risk' why one is enough.",
            )


@rule(
    "PLANE013",
    "warning",
    title="Replica count unknown",
    prevents="a single point of failure that nobody has noticed",
    wrong_when="Wrong for a managed service or a vendor's API: its replicas are not yours to count. "
    "State its availability.",
    needs=_sketch,
)
def replica_count_unknown(_: Design, planes: Planes) -> Iterator[Fault]:
    """How many replicas a component has decides what its failure costs."""
    for one in _waited_for(planes):
        if one.replicas is None and one.accepted_risk is None:
            yield Fault(
                f"planes.components.{one.id}.replicas",
                f"Requests wait for {one.id}, and its number of replicas is not stated.",
                "State 'replicas' and 'zones'.",
            )


@rule(
    "PLANE014",
    title="Availability along a chain misses the target",
    prevents="a target that is missed although every component meets its own",
    wrong_when="Wrong if a call of the chain has a fallback that counts as an answer, or if components "
    "fail together and not independently.",
    needs=_sketch,
)
def chain_less_available_than_target(design: Design, planes: Planes) -> Iterator[Fault]:
    """The availabilities of the components that a request needs multiply: five times 99.9% is 99.5%."""
    target = _requirement(design, "availability", "target")
    up = {one.id: 1.0 if one.availability is None else one.availability for one in planes.components}
    lost = {name: -math.log(max(share, 1e-9)) for name, share in up.items()}
    way = graph.heaviest_way(_waiting_flows(planes), lost.__getitem__, lambda _: 0)
    names = [flow.start for flow in way[:1]] + [flow.end for flow in way]
    together = series_availability([up[name] for name in names] or [1.0])
    if target and target < 1 and together < target - 1e-12:
        weakest = min(names, key=up.__getitem__)
        yield Fault(
            f"planes.components.{weakest}.availability",
            f"The components of {_chain(way)} are all available {_percent(together)} of the time; the target is "
            f"{_percent(target)}.",
            f"Make {weakest}, at {_percent(up[weakest])}, more available, or call fewer components.",
        )


# ---- generated data


@rule(
    "PLANE015",
    title="Generated input without a check",
    prevents="bad generated data that reaches every server within minutes",
    incident=CLOUDFLARE,
    wrong_when="Acceptable if the data are checked before they come here, such as in the job that writes "
    "them; write that check here.",
    needs=_sketch,
)
def generated_input_unchecked(_: Design, planes: Planes) -> Iterator[Fault]:
    """Generated data are input too: their size, schema and ranges have to be checked before use."""
    known = graph.components_by_id(planes)
    for position, flow in enumerate(planes.flows):
        if flow.check is None and _is_input(flow, known[flow.end]):
            yield Fault(
                f"planes.flows.{position}.check",
                f"{_arrow(flow)} has no check, and serving reads these data.",
                "State in 'check' what is refused: row counts, duplicate keys, ranges, schema.",
            )


def _is_input(flow: Flow, end: Component) -> bool:
    to_a_store = end.kind in STORES and flow.carries in GENERATED
    return to_a_store or (end.plane == "serving" and flow.carries == "configuration")


# ---- monitoring


@rule(
    "PLANE016",
    title="Prediction log missing",
    prevents="a decline that cannot be measured, and labels without predictions to join",
    wrong_when="Wrong if predictions reach the log through a stream or another component: the rule sees "
    "direct flows only.",
    needs=_whole,
)
def prediction_log_missing(_: Design, planes: Planes) -> Iterator[Fault]:
    """Only a prediction that was stored can be compared with its outcome."""
    known = graph.components_by_id(planes)
    if not any(
        flow.carries == "predictions"
        and known[flow.start].plane == "serving"
        and known[flow.end].kind == "prediction log"
        for flow in planes.flows
    ):
        yield Fault(
            "planes.flows",
            "Serving writes no prediction log, so neither drift nor quality can be measured.",
            "Log features, prediction and model version at serving.",
        )


@rule(
    "PLANE017",
    "warning",
    title="Only infrastructure is monitored",
    prevents="wrong answers that are served fast, with status 200",
    incident="Zillow Offers, by our reading: forecasts missed by more than the margin of the business, and no "
    "independent check bounded them; a write-down of $304 million (third quarter of 2021).",
    wrong_when="Acceptable if another system watches data and predictions; draw it.",
    needs=_sketch,
)
def only_infrastructure_watched(_: Design, planes: Planes) -> Iterator[Fault]:
    """Processor load and error rates do not show whether answers are right."""
    watched = {alert.watches for alert in planes.alerts}
    if watched <= {"infrastructure"}:
        yield Fault(
            "planes.alerts",
            "All alerts watch the infrastructure." if watched else "The planes have no alert.",
            "Add alerts on data, on predictions and, once labels arrive, on quality.",
        )


@rule(
    "PLANE018",
    title="Alert without an owner or an action",
    prevents="an alert that everybody sees and nobody answers",
    wrong_when="Acceptable if alerts go to the owner of the component by policy; write that owner here.",
    needs=_sketch,
)
def alert_without_owner_or_action(_: Design, planes: Planes) -> Iterator[Fault]:
    """An alert needs somebody who answers it, and an action that they take."""
    for alert in planes.alerts:
        if missing := [name for name in ("owner", "action") if getattr(alert, name) is None]:
            yield Fault(
                f"planes.alerts.{alert.id}.{missing[0]}",
                f"The alert {alert.id} has no {' and no '.join(missing)}.",
                "State who does what when it is raised, or remove it.",
            )


@rule(
    "PLANE019",
    "warning",
    title="Alert without a threshold, window or minimum count",
    prevents="false alarms by chance, until the alert is switched off",
    incident="Our simulation: a population stability index of ten bins exceeds 0.1 in 37% of comparisons of two "
    "samples of 200 from one distribution. That 0.1 is a rule of thumb: Yurdakul & Naranjo, Journal of Risk Model "
    "Validation.",
    wrong_when="Wrong for an alert on absence, such as a missed deadline: it needs no minimum count.",
    needs=_sketch,
)
def alert_without_window_or_count(_: Design, planes: Planes) -> Iterator[Fault]:
    """A threshold is meaningful only over a window and from some number of observations on."""
    for alert in planes.alerts:
        asked = {"threshold": "threshold", "window": "window", "minimum_count": "minimum count"}
        if missing := [name for name in asked if not getattr(alert, name)]:
            yield Fault(
                f"planes.alerts.{alert.id}.{missing[0]}",
                f"The alert {alert.id} has no {' and no '.join(asked[name] for name in missing)}.",
                "State which value is too high, over which window, and from how many observations on.",
            )


@rule(
    "PLANE020",
    title="Alert raised outside the monitoring plane",
    prevents="an alert that fails together with what it watches",
    wrong_when="Acceptable for a validation gate that stops a release and raises an alert: it does not "
    "watch itself.",
    needs=_sketch,
)
def component_watches_itself(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component that fails cannot raise the alert about its failure."""
    known = graph.components_by_id(planes)
    for alert in planes.alerts:
        if (plane := known[alert.raised_by].plane) != "monitoring":
            yield Fault(
                f"planes.alerts.{alert.id}.raised_by",
                f"{alert.raised_by}, which is in the {plane} plane, raises the alert {alert.id}.",
                "Send the measurement to a component of the monitoring plane, which raises the alert.",
            )


def _reporting_flows(planes: Planes) -> list[Flow]:
    """Return the flows over which what was measured is told on."""
    plane_of = {one.id: one.plane for one in planes.components}
    return [flow for flow in planes.flows if plane_of[flow.start] == "monitoring"]


@rule(
    "PLANE021",
    title="Monitor not connected to the control plane",
    prevents="a dashboard that shows a decline for months while nobody acts",
    wrong_when="Wrong if the alert pages a person who acts on it: the rule does not count people as control.",
    needs=_whole,
)
def monitor_without_action(_: Design, planes: Planes) -> Iterator[Fault]:
    """What a monitor finds has to reach a component that can act on it."""
    acting = (one.id for one in planes.in_plane("control"))
    heard = graph.reached(acting, graph.steps_back(_reporting_flows(planes)))
    raising = {alert.raised_by for alert in planes.alerts}
    for one in planes.in_plane("monitoring"):
        if one.id not in heard and (one.kind in MONITORS or one.id in raising):
            yield Fault(
                f"planes.components.{one.id}",
                f"No flow leads from {one.id} to the control plane, so nothing acts on what it finds.",
                "Add a flow to a retraining trigger, a rollback or a kill switch.",
            )


@rule(
    "PLANE022",
    title="Quality monitor without labels",
    prevents="a quality figure that is measured against nothing",
    wrong_when="Acceptable if ratings, reviewers or a reference model stand in for labels; draw them as "
    "labels.",
    needs=_whole,
)
def quality_monitor_without_labels(_: Design, planes: Planes) -> Iterator[Fault]:
    """Quality can be measured only against labels."""
    labelled = (flow.end for flow in planes.flows if flow.carries == "labels")
    knowing = graph.reached(labelled, graph.steps_along(_reporting_flows(planes)))
    raising = {alert.raised_by for alert in planes.alerts if alert.watches == "quality"}
    for one in planes.in_plane("monitoring"):
        if one.id not in knowing and (one.kind == "quality monitor" or one.id in raising):
            yield Fault(
                f"planes.components.{one.id}",
                f"{one.id} measures quality, and no labels reach it.",
                "Add the flow of its labels, or let it watch predictions instead.",
            )


# ---- release


@rule(
    "PLANE023",
    "info",
    title="Retraining or release undecided",
    prevents="a model that is trained once and never replaced",
    wrong_when="Wrong for retraining if a vendor trains the model; its release still has to be decided.",
    needs=_sketch,
)
def control_undecided(_: Design, planes: Planes) -> Iterator[Fault]:
    """A model is replaced many times, so how it is replaced is part of the design."""
    for name in ("retraining", "release"):
        if getattr(planes, name) is None:
            yield Fault(
                f"planes.{name}",
                f"The planes do not state {name} yet.",
                "State what starts a training, and which steps a model passes before users get it.",
            )


@rule(
    "PLANE024",
    title="Promotion without validation",
    prevents="a worse model that replaces a better one without anybody's decision",
    needs=_released,
)
def promotion_without_validation(_: Design, release: Release) -> Iterator[Fault]:
    """Bad data train a bad model, and only a validation keeps it out of production."""
    if release.validation is None:
        yield Fault(
            "planes.release.validation",
            "The release states no validation before a model is promoted.",
            "State on which metrics and slices it must be no worse than the model in use.",
        )


def _model_flows(planes: Planes) -> list[Flow]:
    return [flow for flow in planes.flows if flow.carries == "model"]


def _training_components(planes: Planes) -> list[str]:
    return [one.id for one in planes.in_plane("training")]


@rule(
    "PLANE025",
    title="Model path around the validation gate",
    prevents="a model in production that was never validated",
    wrong_when="Acceptable for the way back to a version that passed the gate before.",
    needs=_whole,
)
def path_around_the_gate(_: Design, planes: Planes) -> Iterator[Fault]:
    """A validation gate has an effect only if no model can go around it."""
    known = graph.components_by_id(planes)
    ways = [flow for flow in _model_flows(planes) if known[flow.start].kind != "validation gate"]
    unjudged = graph.reached(_training_components(planes), graph.steps_along(ways))
    for position, flow in enumerate(planes.flows):
        if (
            flow.carries == "model"
            and known[flow.start].kind != "validation gate"
            and flow.start in unjudged
            and known[flow.end].plane == "serving"
        ):
            yield Fault(
                f"planes.flows.{position}",
                f"{_arrow(flow)} brings a model to serving that did not pass a validation gate.",
                "Route every model through the gate, urgent ones included.",
            )


@rule(
    "PLANE026",
    title="No model path from training to serving",
    prevents="a retraining whose result is never used",
    wrong_when="Wrong if the model is bought and not trained here.",
    needs=_whole,
)
def model_never_reaches_serving(_: Design, planes: Planes) -> Iterator[Fault]:
    """A trained model needs a path to the components that serve it."""
    arrived = graph.reached(_training_components(planes), graph.steps_along(_model_flows(planes)))
    if not any(one.id in arrived for one in planes.in_plane("serving")):
        yield Fault(
            "planes.flows",
            "No flows of models lead from training to serving.",
            "Add them: from the registry through the validation gate and the canary to what serves.",
        )


@rule(
    "PLANE027",
    title="Rollback missing or without effect",
    prevents="a bad release that is noticed and cannot be taken back",
    wrong_when="Acceptable if the kill switch is the planned way back, and its fallback can stay on "
    "until a new release.",
    needs=_whole,
)
def rollback_without_effect(_: Design, planes: Planes) -> Iterator[Fault]:
    """A rollback has to reach the components that serve."""
    undoing = [one.id for one in planes.components if one.kind == "rollback"]
    if not undoing:
        yield Fault(
            "planes.components", "The planes have no rollback.", "Add one, and a flow from the alerts to it."
        )
    serving = (one.id for one in planes.in_plane("serving"))
    leading = graph.reached(serving, graph.steps_back(planes.flows)) if undoing else set[str]()
    for name in undoing:
        if name not in leading:
            yield Fault(
                f"planes.components.{name}",
                f"No flows lead from {name} to a component that serves.",
                "Add the flow to the component that goes back to the old version.",
            )


@rule(
    "PLANE028",
    title="Rollback does not restore what belongs together",
    prevents="an old model that reads features in a schema that it was not trained on",
    wrong_when="Wrong for a model without stored features, such as a language model: prompt, tokeniser, "
    "index and adapters go back with it.",
    needs=_released,
)
def rollback_of_the_model_alone(_: Design, release: Release) -> Iterator[Fault]:
    """A model, its feature schema and its configuration are one version."""
    kept = release.versioned_together
    if missing := [one for one in ("model", "feature schema") if one not in kept]:
        yield Fault(
            "planes.release.versioned_together",
            f"A rollback restores {', '.join(kept) or 'nothing'} and not the {' and the '.join(missing)}.",
            "Version model, feature schema and configuration together.",
        )


@rule(
    "PLANE029",
    "warning",
    title="Rollback without a target or a duration",
    prevents="a search for the last good version during an outage",
    needs=_released,
)
def rollback_without_target(_: Design, release: Release) -> Iterator[Fault]:
    """A rollback needs a target version and a time limit."""
    if missing := [name for name in ("rollback_to", "rollback_time") if getattr(release, name) is None]:
        yield Fault(
            f"planes.release.{missing[0]}",
            f"The release does not state {' and '.join(missing)}, so a rollback has to be worked out during an outage.",
            "Keep the previous version warm, and state 'rollback_to' and 'rollback_time'.",
        )


@rule(
    "PLANE030",
    title="Rollback slower than the error budget",
    prevents="a month's error budget that is used up while the old version is deployed",
    wrong_when="Wrong if bad answers that are delivered do not count against availability, or if a "
    "release reaches only a share of the users at first.",
    needs=_released,
)
def rollback_slower_than_error_budget(design: Design, release: Release) -> Iterator[Fault]:
    """One bad release must not use up the error budget."""
    target = _requirement(design, "availability", "target")
    window_s = _requirement(design, "availability", "window")
    if not (target and target < 1 and window_s and release.rollback_time):
        return
    if release.rollback_time > (budget_s := error_budget_s(target, window_s)):
        yield Fault(
            "planes.release.rollback_time",
            f"A rollback takes {show_seconds(release.rollback_time)}, and a target of {_percent(target)} allows "
            f"{show_seconds(budget_s)} of failure in {show_seconds(window_s)}.",
            "Switch to a version that is kept warm instead of deploying it.",
        )


@rule(
    "PLANE031",
    "warning",
    title="Release without a canary",
    prevents="a bad model that reaches all users at once",
    incident=CLOUDFLARE,
    wrong_when="Acceptable if no user sees the output before it is checked, as in a batch job.",
    needs=_released,
)
def release_without_canary(_: Design, release: Release) -> Iterator[Fault]:
    """A canary limits a bad release to a share of the users, for a time."""
    share = release.canary_share
    if not share or share >= 1 or not release.canary_time:
        yield Fault(
            "planes.release.canary_time" if share and share < 1 else "planes.release.canary_share",
            "A new model reaches all users at once: the release states no canary with a share below 100% and a time.",
            "State 'canary_share' and 'canary_time', such as 1% for 2 hours.",
        )


@rule(
    "PLANE032",
    title="Canary too small to detect a doubled error rate",
    prevents="a canary that ends before it could detect anything",
    wrong_when="Acceptable at low traffic if a shadow comparison or a longer ramp takes its place. The "
    "usual error rate is taken from the target, not from measurements.",
    needs=_released,
)
def canary_too_small(design: Design, release: Release) -> Iterator[Fault]:
    """A canary needs enough requests to tell a doubled error rate from the usual one."""
    peak_rps = _requirement(design, "throughput", "peak")
    target = _requirement(design, "availability", "target")
    share, time_s = release.canary_share, release.canary_time
    if not (peak_rps and target and 0.5 < target < 1 and share and time_s):
        return
    needed, seen = canary_sample_size(1 - target, 2 * (1 - target)), peak_rps * share * time_s
    if seen < needed:
        yield Fault(
            "planes.release.canary_time",
            f"A canary of {_percent(share)} gets {seen:,.0f} requests in {show_seconds(time_s)} at the peak; to tell "
            f"an error rate of {_percent(2 * (1 - target))} from {_percent(1 - target)} it needs {needed:,}.",
            f"Run it for {show_seconds(needed / (peak_rps * share))} or longer, or give it a larger share.",
        )


@rule(
    "PLANE033",
    "warning",
    title="Kill switch missing",
    prevents="hours of harm while the cause is looked for",
    incident=CLOUDFLARE,
    wrong_when="Acceptable if the old version stays warm and traffic moves back to it as fast.",
    needs=_sketch,
)
def kill_switch_missing(_: Design, planes: Planes) -> Iterator[Fault]:
    """Switching a model off is faster than repairing it."""
    drawn = any(one.kind == "kill switch" for one in planes.components)
    if planes.release is not None and planes.release.kill_switch is None and not drawn:
        yield Fault(
            "planes.release.kill_switch",
            "The release states no kill switch, so the model cannot be switched off at once.",
            "State which flag sends all requests to the fallback, and who may set it.",
        )


@rule(
    "PLANE034",
    title="Retraining on alarms without a cooldown",
    prevents="a training for each alarm, each on the bad data that raised it",
    wrong_when="Acceptable if a person approves each training.",
    needs=_sketch,
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
    needs=_sketch,
)
def decision_before_labels(design: Design, planes: Planes) -> Iterator[Fault]:
    """A decision that uses labels has to wait until they have arrived."""
    delay_s = _requirement(design, "labels", "delay")
    decided_s = planes.retraining.decided_after if planes.retraining else None
    if delay_s and decided_s is not None and decided_s < delay_s:
        yield Fault(
            "planes.retraining.decided_after",
            f"The decision comes {show_seconds(decided_s)} after a prediction, and the label "
            f"{show_seconds(delay_s)}.",
            "Decide later, or correct for the labels that are still missing.",
        )


@rule(
    "PLANE036",
    title="Model older than allowed",
    prevents="a model that is planned to be older than the product allows",
    wrong_when="Wrong if routine trainings skip the shadow and the canary.",
    needs=_sketch,
)
def model_over_age(design: Design, planes: Planes) -> Iterator[Fault]:
    """The age of a model is the time between trainings plus the time until its release."""
    allowed_s = _requirement(design, "freshness", "model")
    training, release = planes.retraining, planes.release
    if not (allowed_s and training and training.period):
        return
    waits_s = (release.shadow or 0.0) + (release.canary_time or 0.0) if release else 0.0
    if training.period + waits_s > allowed_s * (1 + 1e-9):
        yield Fault(
            "planes.retraining.period",
            f"A training every {show_seconds(training.period)} and {show_seconds(waits_s)} of shadow and "
            f"canary make a model up to {show_seconds(training.period + waits_s)} old, and it may be "
            f"{show_seconds(allowed_s)}.",
            "Train more often, or release faster.",
        )


@rule(
    "PLANE037",
    "warning",
    title="Retraining that nothing starts",
    prevents="a schedule on which nothing is ever trained",
    wrong_when="Acceptable if a person starts trainings; write that under 'triggers'.",
    needs=_sketch,
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
