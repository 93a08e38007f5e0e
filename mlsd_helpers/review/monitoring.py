"""Rules on generated data and on monitoring: what is logged, what is watched, and who hears of it."""

import re
from collections.abc import Iterator

from mlsd_helpers.analysis import graph
from mlsd_helpers.analysis.people import brought_to
from mlsd_helpers.analysis.rates import calls_per_request
from mlsd_helpers.analysis.whole import answers_of
from mlsd_helpers.design import Alert, Component, Design, Flow, Planes
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import sketched
from mlsd_helpers.review.sketch import (
    CLOUDFLARE,
    answered,
    arrow,
    filled,
    listed,
    places,
    requirement,
)
from mlsd_helpers.units import day, hour, minute, show_seconds

_MONITORS = ("drift detector", "quality monitor")
_GENERATED = ("batch", "events", "predictions")
_STORES = ("feature store", "prediction store", "vector index")
_LOGS = ("offline store", "service", "external service", "other")  # what may keep predictions, beside a log
_SETTERS = ("ci/cd", "experiment platform", "kill switch", "rollback", "secret store", "people")
_JUDGES = ("label store", "people", "evaluation")
_ABSENCE = re.compile(
    r"\b(no|not|none|nothing|missing|miss(es|ed)|absen\w*|deadline|late|overdue|dead.?man|heartbeat|silen\w+|stale\w*"
    r"|age|old\w*|since|unfinished|finish\w*|exit|fail(s|ed|ure)?|days? left|expir\w+|down|unreachable)\b",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"\b(age|ages|fresh\w*|stale\w*|old\w*|late(ness)?|lag\w*|delay\w*|behind|since|watermark|overdue|deadline|out.of.date"
    r"|not updated|last (run|update|load|write)|run time|backlog)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\s*(above|more than|over|at least|>=?)?\s*\d[\d,]*\s+"
    r"(?!percent|points?\b|times\b|standard|sigma|of\b|(ms|milli\w*|s|sec\w*|m|min\w*|h|hours?|d|days?|weeks?)\b)[a-z]+",
    re.IGNORECASE,
)
"""A limit that is a number of things, which needs no number of observations besides."""
_LATENESS = re.compile(
    r"\b(deadline|late(r|ness)?|overdue|due|on time|in time|by \d|([01]?\d|2[0-3]):[0-5]\d|unfinished|missing|absen\w*"
    r"|not (\w+ )?(there|finished|ready|started|run|arrived|done|complete\w*)|dead.?man|heartbeat|did not|has not"
    r"|no (\w+ )?(list|result|run|output|file)|age|since|completion|finish\w*)\b",
    re.IGNORECASE,
)


# ---- generated data


@rule(
    "PLANE015",
    title="Generated input without a check",
    prevents="bad generated data that reaches every server within minutes",
    incident=CLOUDFLARE,
    wrong_when="Acceptable if the data are checked before they come here, such as in the job that writes "
    "them; write that check here.",
    needs=sketched,
    whole=True,
)
def generated_input_unchecked(_: Design, planes: Planes) -> Iterator[Fault]:
    """Generated data are input too: their size, schema and ranges have to be checked before use."""
    yield from _unchecked([flow for flow in _generated(planes) if flow.carries != "predictions"], planes)


@rule(
    "PLANE075",
    "warning",
    title="Stored answers without a check",
    prevents="a run that went wrong, and whose answers are given to everybody until the next one",
    wrong_when="Acceptable if each answer is checked where it is made or read; write that check here.",
    needs=sketched,
    whole=True,
)
def stored_answers_unchecked(_: Design, planes: Planes) -> Iterator[Fault]:
    """The answers of a run are counted, and compared with the run before, before requests read them."""
    yield from _unchecked([flow for flow in _generated(planes) if flow.carries == "predictions"], planes)


def _unchecked(flows: list[Flow], planes: Planes) -> Iterator[Fault]:
    if loose := [flow for flow in flows if not answered(flow.check)]:
        lack = "no check that says what is refused" if any(flow.check for flow in loose) else "no check"
        yield Fault(
            f"{places(planes)[loose[0]]}.check",
            f"{listed(map(arrow, loose))} {'has' if len(loose) == 1 else 'have'} {lack}, and serving reads these "
            "data.",
            "State in 'check' what is refused: row counts, duplicate keys, ranges, schema.",
        )


def _generated(planes: Planes) -> list[Flow]:
    """Return the flows of data that programs make and serving reads."""
    known, asking = graph.components_by_id(planes), graph.alternatives(planes)
    read = {flow.end for flow in (*asking, *(call for _, call in graph.waiting_flows(planes)))}
    read |= {
        flow.start
        for flow in planes.flows
        if known[flow.end].plane == "serving"
        and known[flow.end].kind != "people"
        and flow.carries != "metrics"
    }
    return [
        flow
        for flow in planes.flows
        if flow not in asking
        and _is_input(flow, known[flow.start], known[flow.end])
        and (flow.carries == "configuration" or flow.end in read or not read)
    ]


def _is_input(flow: Flow, start: Component, end: Component) -> bool:
    """Tell whether data that a program makes reach serving; settings and secrets by those who release are not such."""
    by_event = (
        start.kind == "stream processor" and flow.carries != "batch"
    )  # one record at a time, not all at once
    to_a_store = end.kind in _STORES and flow.carries in _GENERATED and not by_event
    generated = end.plane == "serving" and flow.carries == "configuration" and start.kind not in _SETTERS
    return to_a_store or generated


# ---- what is logged and watched


@rule(
    "PLANE016",
    title="Prediction log missing",
    prevents="a decline that cannot be measured, and labels without predictions to join",
    wrong_when="Wrong if the log is kept by a system outside this design; draw it. A store of predictions that a "
    "quality monitor reads is one too, where a set of data kept in it states a 'retention' beyond the delay of labels.",
    needs=filled("serving", "monitoring"),
)
def prediction_log_missing(design: Design, planes: Planes) -> Iterator[Fault]:
    """Only a prediction that was stored can be compared with its outcome."""
    known = graph.components_by_id(planes)
    serving = [one.id for one in planes.in_plane("serving")]
    moving = [flow for flow in planes.flows if flow.carries in _GENERATED]
    heard = graph.reached(serving, graph.steps_along(moving))
    told = [flow.end for flow in moving if flow.carries == "predictions" and flow.start in serving]
    kept = graph.reached(told, graph.steps_along(moving)) - set(serving)
    delay_s = requirement(design, "labels", "delay") or 0.0
    lasting = {
        name
        for one in (design.data.datasets if design.data else ())
        if one.retention and one.retention >= delay_s
        for name in one.kept_in
    }
    compared = {flow.start for flow in moving if known[flow.end].kind == "quality monitor"}
    if any(known[name].kind == "prediction log" for name in heard) or compared & lasting & {*told}:
        return
    if not any(known[name].kind in _LOGS for name in kept):
        yield Fault(
            "planes.flows",
            "Serving writes no prediction log, so neither drift nor quality can be measured.",
            "Log features, prediction and model version at serving.",
        )


@rule(
    "PLANE017",
    "warning",
    title="Neither predictions nor quality are watched",
    prevents="wrong answers that are served fast, with status 200",
    incident="Zillow Offers, by our reading: forecasts missed by more than the margin of the business, and no "
    "independent check bounded them; a write-down of $304 million (third quarter of 2021).",
    wrong_when="Acceptable if another system watches predictions; draw it.",
    needs=filled("monitoring"),
)
def predictions_unwatched(_: Design, planes: Planes) -> Iterator[Fault]:
    """Processor load, error rates and row counts do not show whether answers are right."""
    watched = _watched(planes)
    if not watched & {"predictions", "quality"}:
        yield Fault(
            "planes.alerts",
            f"All alerts watch {listed(f'the {one}' for one in sorted(watched))}."
            if watched
            else "There is no alert.",
            "Add alerts on data, on predictions and, once labels arrive, on quality.",
        )


def _watched(planes: Planes) -> set[str]:
    return {alert.watches for alert in planes.alerts}


def _says(pattern: re.Pattern[str], alert: Alert) -> bool:
    return any(pattern.search(text) for text in (alert.metric, alert.threshold) if text)


@rule(
    "PLANE047",
    "warning",
    title="Age of data that nobody watches",
    prevents="weeks of answers from last week's data, while every service is up",
    wrong_when="Wrong if readers refuse what is too old; write that as an alert on what they refuse.",
    needs=filled("monitoring"),
)
def age_unwatched(design: Design, planes: Planes) -> Iterator[Fault]:
    """Stale data raise no error: only an alert on their age shows that a job or a stream has stopped."""
    fresh = design.requirements.freshness if design.requirements else None
    limits = {name: getattr(fresh, name) for name in ("features", "predictions", "index")} if fresh else {}
    stated = [f"{name} {show_seconds(time_s)}" for name, time_s in limits.items() if time_s]
    stated += [f"{one.what} {show_seconds(one.within)}" for one in (fresh.also if fresh else ())]
    watched = _watched(planes)
    if not stated or "predictions" not in watched:
        return  # what is hardly watched at all, PLANE017 and DATA015 say
    if "data" not in watched and not any(_says(_AGE, alert) for alert in planes.alerts):
        yield Fault(
            "planes.alerts",
            f"The design limits how old things may be ({', '.join(stated)}), and no alert watches an age.",
            "Add an alert on the age of what is read: the time since the newest data in it.",
        )


@rule(
    "PLANE048",
    "warning",
    title="Labels that no alert uses",
    prevents="a decline that could have been seen a week after its start, and is seen by customers",
    wrong_when="Acceptable if labels come too late to act on; say which early sign is watched in their place.",
    needs=filled("monitoring"),
)
def quality_unwatched(design: Design, planes: Planes) -> Iterator[Fault]:
    """Where labels arrive, quality is measured with them and has a limit."""
    watched = _watched(planes)
    if requirement(design, "labels", "source") and "predictions" in watched and "quality" not in watched:
        yield Fault(
            "planes.alerts",
            "Labels arrive, and no alert watches the quality that they show.",
            "Add an alert on the metric of the release gate, over a window with enough labels.",
        )


@rule(
    "PLANE049",
    "warning",
    title="Missed deadline that nobody is told of",
    prevents="a morning without a list, of which its readers are the first to hear",
    needs=filled("monitoring"),
)
def deadline_unwatched(design: Design, planes: Planes) -> Iterator[Fault]:
    """A job that was never started reports no error: the absence of its result has to raise the alert."""
    run = design.requirements.schedule if design.requirements else None
    if run is None or not (run.allowed or run.period) or not _watched(planes) & {"infrastructure", "data"}:
        return  # where only predictions and quality are watched, PATTERN031 says so
    if any(_watches_a_run(planes, alert, run.allowed or run.period or 0) for alert in planes.alerts):
        return
    limit = f"within {show_seconds(run.allowed)}" if run.allowed else f"every {show_seconds(run.period or 0)}"
    yield Fault(
        "planes.alerts",
        f"The result has to be there {limit}, and no alert watches whether it is.",
        "Add an alert that is raised when the result is not there in time, by something that does not depend on the "
        "job; write 'raised_on: absence' on it.",
    )


def _watches_a_run(planes: Planes, alert: Alert, limit_s: float) -> bool:
    """Tell whether an alert hears of a run that is late: on its parts, by its field, a time near the limit or words."""
    own = brought_to(planes) if planes.named_entries else {one.id for one in planes.components}
    own |= {flow.start for flow in planes.flows if flow.carries == "command" and flow.end in own}
    if alert.watches not in {"infrastructure", "data"} or (alert.of and not own & {*alert.of}):
        return False
    times_s = [
        float(number) * _SIZES_S[unit.lower()]
        for text in (alert.metric, alert.threshold)
        for number, unit in _DURATION.findall(text or "")
    ]
    near = any(limit_s / 2 <= time_s <= 2 * limit_s for time_s in times_s)
    return alert.raised_on == "absence" or near or _says(_LATENESS, alert)


_SIZES_S = {"s": 1.0, "m": minute, "h": hour, "d": day}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(s|m|h|d)(?:ec|in|ours?|ays?|econds?|inutes?)?s?\b", re.IGNORECASE)


# ---- alerts


@rule(
    "PLANE018",
    title="Alert without an owner or an action",
    prevents="an alert that everybody sees and nobody answers",
    wrong_when="Acceptable if alerts go to the owner of the component by policy; write that owner here.",
    needs=sketched,
)
def alert_without_owner_or_action(_: Design, planes: Planes) -> Iterator[Fault]:
    """An alert needs somebody who answers it, and an action that they take."""
    lacking = {alert: _unsaid(alert) for alert in planes.alerts}
    yield from _one_fault(
        lacking, "State who does what when it is raised, in 'action' or a 'runbook', or remove it."
    )


def _unsaid(alert: Alert) -> list[str]:
    asked = {"owner": (alert.owner,), "action": (alert.action, alert.runbook)}
    return [name for name, texts in asked.items() if not answered(*texts)]


def _one_fault(lacking: dict[Alert, list[str]], fix: str) -> Iterator[Fault]:
    """Make one fault of what alerts lack."""
    found = {alert: names for alert, names in lacking.items() if names}
    if not found:
        return
    first, names = next(iter(found.items()))
    words = [f"{alert.id}: no {' and no '.join(lacks).replace('_', ' ')}" for alert, lacks in found.items()]
    message = (
        f"The alert {words[0].replace(':', ' has', 1)}."
        if len(words) == 1
        else f"Alerts: {'; '.join(words)}."
    )
    yield Fault(f"planes.alerts.{first.id}.{names[0]}", message, fix)


@rule(
    "PLANE019",
    "warning",
    title="Alert without a threshold, window or minimum count",
    prevents="false alarms by chance, until the alert is switched off",
    incident="Our simulation: a population stability index of ten bins exceeds 0.1 in 37% of comparisons of two "
    "samples of 200 from one distribution. That 0.1 is a rule of thumb: Yurdakul & Naranjo, Journal of Risk Model "
    "Validation.",
    wrong_when="Wrong for an alert on what has not come; write 'raised_on: absence'.",
    needs=sketched,
)
def alert_without_window_or_count(_: Design, planes: Planes) -> Iterator[Fault]:
    """A share is meaningful only over a window and from some number of observations on."""
    lacking = {alert: _unmeasured(alert) for alert in planes.alerts}
    yield from _one_fault(
        lacking, "State which value is too high, over which window, and from how many observations on."
    )


def _unmeasured(alert: Alert) -> list[str]:
    """Return what an alert has to state: one on an absence or an age counts nothing, one on machines no outcomes."""
    if alert.raised_on == "absence" or (alert.raised_on is None and _says(_ABSENCE, alert)):
        return []
    has_limit = alert.threshold is not None and (
        re.search(r"\d", alert.threshold) or answered(alert.threshold)
    )
    missing = [] if has_limit else ["threshold"]
    missing += ["window"] * (alert.window is None)
    counts = alert.watches == "infrastructure" or _COUNT.match(alert.threshold or "")
    return missing + ["minimum_count"] * (alert.minimum_count is None and not counts)


@rule(
    "PLANE020",
    "warning",
    title="Alert raised by what it watches",
    prevents="an alert that fails together with what it watches",
    wrong_when="Acceptable if a component watches another one, as a gateway those behind it.",
    needs=sketched,
)
def component_watches_itself(_: Design, planes: Planes) -> Iterator[Fault]:
    """A component that fails cannot raise the alert about its failure."""
    known = graph.components_by_id(planes)
    for alert in planes.alerts:
        raiser = known[alert.raised_by]
        watched = raiser.plane not in {"monitoring", "control"}
        if watched and not (raiser.run_by_others or raiser.kind in {"people", "evaluation"}):
            yield Fault(
                f"planes.alerts.{alert.id}.raised_by",
                f"{raiser.id}, which is in the {raiser.plane} plane, raises the alert {alert.id}.",
                "Send the measurement to a component of the monitoring plane, which raises the alert.",
            )


_SLOW = re.compile(
    r"\b(laten\w*|response times?|answer times?|slow\w*|durations?|p\d\d(\.\d)?|(requests|answers)\b.*\d ?m?s)\b",
    re.IGNORECASE,
)
_OF_OTHERS = re.compile(
    r"\b(token|age|lag|delay\w*|fresh\w*|stale\w*|behind|job|batch|build|train\w*|label\w*|queue|backlog|wait\w*|start\w*"
    r"|rollback|deploy\w*)\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|sec|seconds?|min|minutes?)\b", re.IGNORECASE)
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_PERCENTILE = re.compile(r"\bp(\d\d(?:\.\d)?)\b", re.IGNORECASE)
_ERRORS = re.compile(r"\b(errors?|5xx|fail\w*|unanswered|no answer|unavailab\w*)\b", re.IGNORECASE)
_NO_ANSWERS = re.compile(
    r"\b(forecast\w*|predict\w*|calibrat\w*|mean|absolute|squared|budget|burn\w*|job|batch|build|train\w*|label\w*"
    r"|schema|parse\w*|valid\w*|check\w*|records?|rows?|messages?|logins?|test\w*|change|relative|more|rise\w*"
    r"|above the|than|twice|times)\b",
    re.IGNORECASE,
)
_USUAL = 0.5  # calls of a component for each request from which on it is on the way of a usual one
_FAST_BURN = 14.4
"""Of the error budget: 2% of a month's in an hour, the burn rate at which a person is woken."""


def _times_s(text: str) -> list[float]:
    units = {"ms": 1e-3, "mi": 60.0, "s": 1.0, "se": 1.0}
    return [
        float(number) * (1e-3 if unit.lower().startswith("milli") else units[unit.lower()[:2]])
        for number, unit in _TIME.findall(text)
    ]


@rule(
    "PLANE063",
    "warning",
    title="Latency alert that allows more than is promised",
    prevents="a promise that is broken for weeks while every alert is quiet",
    wrong_when="Wrong if it is about requests of which more time is promised; write that promise under 'latency.also'.",
    needs=sketched,
)
def latency_alert_beyond_promise(design: Design, planes: Planes) -> Iterator[Fault]:
    """An alert on slow answers has to speak before the promise is broken, not after."""
    latency = design.requirements.latency if design.requirements else None
    promises = [one for one in latency.promises if one.what == "whole answer"] if latency else []
    if not promises:
        return
    longest = max(promises, key=lambda one: one.within)
    rates = calls_per_request(planes)
    aside = [one.id for one in planes.components if rates.get(one.id, 0.0) < _USUAL]
    promised = float(longest.percentile[1:]) if longest.percentile.startswith("p") else 0.0
    for alert in planes.alerts:
        words = f"{alert.metric} {alert.threshold or ''}"
        at = _PERCENTILE.search(words)
        other = _OF_OTHERS.search(alert.metric) or any(
            re.search(rf"\b{re.escape(name)}\b", words) for name in aside
        )
        if (
            alert.watches != "infrastructure"
            or other
            or not _SLOW.search(words)
            or (at and float(at[1]) > promised)
        ):
            continue
        limits_s = _times_s(alert.threshold or "") or _times_s(alert.metric)
        if limits_s and min(limits_s) > longest.within * (1 + 1e-9):
            yield Fault(
                f"planes.alerts.{alert.id}.threshold",
                f"The alert {alert.id} is raised above {show_seconds(min(limits_s))}, and an answer is promised within "
                f"{show_seconds(longest.within)} at {longest.percentile}: what lies between is broken in silence.",
                f"Set its limit to {show_seconds(longest.within)} or below, or count the share of answers that take "
                "longer than that.",
            )


@rule(
    "PLANE064",
    "warning",
    title="Error alert that lets the error budget run out",
    prevents="a month's failures in a day or two, below the limit of every alert",
    incident="A burn of 14.4 uses 2% of a month's budget in an hour: Google, The Site Reliability Workbook, chapter 5.",
    wrong_when="Wrong if another system watches the error budget; draw its alert. Wrong if the alert counts the calls "
    "of one component; name it in 'of'.",
    needs=sketched,
)
def error_alert_beyond_budget(design: Design, planes: Planes) -> Iterator[Fault]:
    """An alert on failed requests has to speak while most of the error budget is left."""
    target = requirement(design, "availability", "target")
    window_s = requirement(design, "availability", "window")
    if not target or not window_s or not 0.9 <= target < 1:
        return
    limits = dict[str, float]()
    for alert in planes.alerts:
        words = f"{alert.metric} {alert.threshold or ''}"
        if re.search(r"\b(budget|burn\w*)\b", words, re.IGNORECASE):
            return  # by whatever words, it watches the budget itself
        shares = _SHARE.findall(alert.threshold or "")
        counted = alert.watches == "infrastructure" and _ERRORS.search(alert.metric)
        if counted and shares and not _NO_ANSWERS.search(words):
            limit = min(map(float, shares)) / 100
            if _counts_requests(design, planes, alert, limit):
                limits[alert.id] = limit
    if not limits:
        return
    first = min(limits, key=limits.__getitem__)
    burn = limits[first] / (1 - target)
    if burn > _FAST_BURN * (1 + 1e-9):
        yield Fault(
            f"planes.alerts.{first}.threshold",
            f"The alert {first} is raised at {100 * limits[first]:.4g}% of failed requests; a target of "
            f"{100 * target:.6g}% allows {100 * (1 - target):.3g}%, so that just below that limit the budget of "
            f"{show_seconds(window_s)} is gone in {show_seconds(window_s / burn)}.",
            f"Alert on the burn of the error budget, such as {100 * _FAST_BURN * (1 - target):.3g}% over an hour and "
            f"{100 * 6 * (1 - target):.3g}% over six hours.",
        )


def _counts_requests(design: Design, planes: Planes, alert: Alert, limit: float) -> bool:
    """Tell whether an alert is on requests of this workload, as far as it names components in `of`.

    Failed calls of a component are failed requests where every request needs its answer. An alert that names none is
    on the requests of all workloads: it lets a budget run out where it is above the limit of each.
    """
    if alert.of:
        reached = calls_per_request(planes)
        return any(name in reached and answers_of(design, {name: (0.0, 0.0)}).most == 0 for name in alert.of)
    targets = [requirement(one, "availability", "target") for one in design.others]
    return all(target is None or limit > _FAST_BURN * (1 - target) for target in targets)


def _reporting_flows(planes: Planes) -> list[Flow]:
    """Return the flows over which what was measured is told on."""
    plane_of = {one.id: one.plane for one in planes.components}
    return [flow for flow in planes.flows if plane_of[flow.start] == "monitoring"]


@rule(
    "PLANE021",
    title="Monitor whose findings reach nobody",
    prevents="a dashboard that shows a decline for months while nobody acts",
    wrong_when="Wrong if an alert reaches its owner on a way that is not drawn; draw the pager.",
    needs=filled("monitoring", "control"),
)
def monitor_without_action(_: Design, planes: Planes) -> Iterator[Fault]:
    """What a monitor finds has to reach a component or a person that can act on it."""
    acting = [
        one.id for one in planes.components if one.plane == "control" or one.kind in {"people", "alerting"}
    ]
    heard = graph.reached(acting, graph.steps_back(_reporting_flows(planes)))
    raising = {alert.raised_by for alert in planes.alerts}
    deaf = [
        one.id
        for one in planes.in_plane("monitoring")
        if one.id not in heard and (one.kind in _MONITORS or one.id in raising)
    ]
    if deaf:
        yield Fault(
            f"planes.components.{deaf[0]}",
            f"No flow leads from {listed(deaf)} to the control plane, a pager or people, so nothing acts on what "
            f"{'it finds' if len(deaf) == 1 else 'they find'}.",
            "Add a flow to whoever acts: people, a pager, a retraining trigger, a rollback or a kill switch.",
        )


@rule(
    "PLANE022",
    "warning",
    title="Quality monitor without labels",
    prevents="a quality figure that is measured against nothing",
    wrong_when="Acceptable if a reference model or a rule stands in for labels; draw what it says as labels.",
    needs=filled("monitoring"),
)
def quality_monitor_without_labels(_: Design, planes: Planes) -> Iterator[Fault]:
    """Quality can be measured only against labels."""
    known = graph.components_by_id(planes)
    labelled = (f.end for f in planes.flows if f.carries == "labels" or known[f.start].kind in _JUDGES)
    knowing = graph.reached(labelled, graph.steps_along(_reporting_flows(planes)))
    raising = {alert.raised_by for alert in planes.alerts if alert.watches == "quality"}
    blind = [
        one.id
        for one in planes.in_plane("monitoring")
        if one.id not in knowing and (one.kind == "quality monitor" or one.id in raising)
    ]
    if blind:
        yield Fault(
            f"planes.components.{blind[0]}",
            f"{listed(blind)} {'measures' if len(blind) == 1 else 'measure'} quality, and no labels come there.",
            "Add the flow of labels, of ratings or of people's reviews, or let it watch predictions instead.",
        )
