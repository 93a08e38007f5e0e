"""Known mistakes in the planes of a design."""

from collections.abc import Callable
from functools import partial
from typing import Any

from mlsd_helpers import cases
from mlsd_helpers.design import Component, Design, Flow, Planes
from tests.review.mutations.fuller import adding, setting
from tests.review.mutations.mutation import breaks

STARTS: dict[str, Callable[[], Design]] = {"stored answers": partial(cases.load, "booking_ranking")}
"""Sound designs that mistakes are made from, by name."""

# ---- how a sketch is changed


def _planes(design: Design) -> Planes:
    assert design.planes is not None, "start from a design that has planes"
    return design.planes


def _with(design: Design, **fields: Any) -> Design:
    return design.with_part(planes=_planes(design).changed(**fields))


def _component(design: Design, name: str, **fields: Any) -> Design:
    parts = (one.changed(**fields) if one.id == name else one for one in _planes(design).components)
    return _with(design, components=tuple(parts))


def _alert(design: Design, name: str, **fields: Any) -> Design:
    alerts = (one.changed(**fields) if one.id == name else one for one in _planes(design).alerts)
    return _with(design, alerts=tuple(alerts))


def _flow(design: Design, start: str, end: str, **fields: Any) -> Design:
    def mine(flow: Flow) -> bool:
        return (flow.start, flow.end) == (start, end)

    flows = (flow.changed(**fields) if mine(flow) else flow for flow in _planes(design).flows)
    return _with(design, flows=tuple(flows))


def _without_flows(design: Design, gone: Callable[[Flow], bool]) -> Design:
    return _with(design, flows=tuple(flow for flow in _planes(design).flows if not gone(flow)))


def _with_flow(design: Design, **fields: Any) -> Design:
    return _with(design, flows=(*_planes(design).flows, Flow(**fields)))


def _setting(design: Design, name: str, **fields: Any) -> Design:
    return _with(design, **{name: getattr(_planes(design), name).changed(**fields)})


# ---- boxes


@breaks("PLANE001")
def no_planes(design: Design) -> Design:
    return design.with_part(planes=None)


@breaks("PLANE002")
def no_control(design: Design) -> Design:
    kept = tuple(one for one in _planes(design).components if one.plane != "control")
    names = {one.id for one in kept}
    flows = tuple(flow for flow in _planes(design).flows if {flow.start, flow.end} <= names)
    return _with(design, components=kept, flows=flows)


@breaks("PLANE003")
def loose_dashboard(design: Design) -> Design:
    board = Component(id="board", kind="dashboard", owner="Platform")
    return _with(design, components=(*_planes(design).components, board))


@breaks("PLANE004")
def orphan(design: Design) -> Design:
    return _component(design, "drift", owner=None)


# ---- somebody waits


@breaks("PLANE005")
def wait_for_ever(design: Design) -> Design:
    return _flow(design, "scorer", "features", timeout=None)


@breaks("PLANE006")
def no_fallback(design: Design) -> Design:
    return _flow(design, "scorer", "features", fallback=None)


@breaks("PLANE062")
def two_callers_for_one_call(design: Design) -> Design:
    flow = next(one for one in _planes(design).flows if (one.start, one.end) == ("gateway", "scorer"))
    slow = _flow(design, "scorer", "features", timeout="450 ms")
    half = _flow(slow, "gateway", "scorer", share="50%")
    return _with(half, flows=(*_planes(half).flows, flow.changed(id="later", timeout="480 ms", share="50%")))


@breaks("PLANE007")
def patient_gateway(design: Design) -> Design:
    return _flow(design, "gateway", "scorer", timeout="2 s")


@breaks("PLANE008")
def patient_scorer(design: Design) -> Design:
    return _flow(design, "scorer", "features", timeout="450 ms")


@breaks("PLANE009")
def retries_everywhere(design: Design) -> Design:
    latency = design.at("requirements.latency")
    split = [part.changed(time="50 ms") if part.component == "scorer" else part for part in latency.split]
    quick = setting(_component(design, "scorer", latency="100 ms"), "requirements.latency", split=split)
    outer = _flow(quick, "gateway", "scorer", timeout="160 ms", retries=1)
    short = outer.with_part(
        capacity=outer.at("capacity").changed(queue_limit=2)
    )  # as the timeout leaves time for
    return _flow(short, "scorer", "features", retries=1)


@breaks("PLANE010")
def slow_gateway(design: Design) -> Design:
    return _component(design, "gateway", latency="550 ms")


@breaks("PLANE010")
def slow_means(design: Design) -> Design:
    slow = _component(design, "scorer", latency="450 ms", latency_is="mean")
    return _component(slow, "gateway", latency="60 ms", latency_is="mean")


@breaks("PLANE011")
def scorer_asks_itself(design: Design) -> Design:
    return _with_flow(
        design, start="scorer", end="scorer", carries="request", timeout="20 ms", fallback="The first score"
    )


@breaks("PLANE012")
def one_gateway(design: Design) -> Design:
    return _component(design, "gateway", replicas=1, zones=1)


@breaks("PLANE013")
def some_gateways(design: Design) -> Design:
    return _component(design, "gateway", replicas=None)


@breaks("PLANE071")
def gateway_says_nothing(design: Design) -> Design:
    """Let the others state how available they are."""
    return _component(design, "gateway", availability=None)


@breaks("PLANE014")
def weak_gateway(design: Design) -> Design:
    return _component(design, "gateway", availability="99.5%")


@breaks("SERV035", start="stored answers")
def popularity_is_no_answer_by_itself(design: Design) -> Design:
    """Let the model answer too few, and nobody say that the order by popularity is an answer."""
    return _flow(_component(design, "scorer", availability="99.5%"), "gateway", "scorer", answered=None)


def _alerting(design: Design, *names: str, **fields: Any) -> Design:
    """Return the design with providers that tell shops of a payment by text."""
    bureau = design.at("planes.components.bureau")
    for name in names:
        price = {"per_month": "$10"}
        told = Flow(
            start="scorer", end=name, carries="alert", share="0.1%", personal=False, auth="workload identity",
            timeout="3 s", idempotent=True,
        )  # fmt: skip
        design = adding(design, "planes.components", bureau.changed(id=name, price=price, **fields))
        design = adding(design, "planes.flows", told)
    return design


@breaks("PLANE072", "in full")
def told_by_one_provider(design: Design) -> Design:
    return _alerting(design, "texts")


@breaks("PLANE073", "in full")
def told_by_weak_providers(design: Design) -> Design:
    return _alerting(design, "texts", "mails", availability="90%")


# ---- what is generated, and what is watched


@breaks("PLANE015")
def trusted_batch(design: Design) -> Design:
    return _flow(design, "merchant_jobs", "features", check=None)


@breaks("PLANE075")
def trusted_run(design: Design) -> Design:
    return _flow(design, "merchant_jobs", "features", carries="predictions", check=None)


@breaks("PLANE016")
def nothing_logged(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.end == "scores")


@breaks("PLANE017")
def only_processors_watched(design: Design) -> Design:
    alerts = _planes(design).alerts
    return _with(design, alerts=tuple(one for one in alerts if one.watches == "infrastructure"))


@breaks("PLANE018")
def alert_without_action(design: Design) -> Design:
    return _alert(design, "score_shift", action=None)


@breaks("PLANE019")
def alert_on_any_count(design: Design) -> Design:
    return _alert(design, "score_shift", minimum_count=None)


@breaks("PLANE020")
def scorer_watches_itself(design: Design) -> Design:
    return _alert(design, "slow_scores", raised_by="scorer")


@breaks("PLANE021")
def alert_without_consumer(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.start == "drift")


@breaks("PLANE022")
def quality_unlabelled(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.carries == "labels" and flow.end == "quality")


# ---- what is released


@breaks("PLANE023")
def no_retraining_yet(design: Design) -> Design:
    return _with(design, retraining=None)


@breaks("PLANE024")
def promoted_unseen(design: Design) -> Design:
    return _setting(design, "release", validation=None)


@breaks("PLANE025")
def back_door(design: Design) -> Design:
    return _with_flow(design, start="models", end="scorer", carries="model", check="Whoever is in a hurry")


@breaks("PLANE026")
def canary_keeps_the_model(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.start == "canary")


@breaks("PLANE027")
def undo_of_nothing(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.start == "undo")


@breaks("PLANE028")
def model_goes_back_alone(design: Design) -> Design:
    return _setting(design, "release", versioned_together=["model"])


@breaks("PLANE029")
def back_to_something(design: Design) -> Design:
    return _setting(design, "release", rollback_to=None)


@breaks("PLANE030")
def rollback_by_deployment(design: Design) -> Design:
    return _setting(design, "release", rollback_time="5 d")


@breaks("PLANE031")
def released_to_all(design: Design) -> Design:
    return _setting(design, "release", canary_share=None, canary_time=None)


@breaks("PLANE032")
def short_canary(design: Design) -> Design:
    return _setting(design, "release", canary_time="30 min")


@breaks("PLANE033")
def no_kill_switch(design: Design) -> Design:
    return _setting(design, "release", kill_switch=None)


@breaks("PLANE034")
def retrain_on_every_alarm(design: Design) -> Design:
    return _setting(design, "retraining", cooldown=None)


@breaks("PLANE035")
def labels_too_late(design: Design) -> Design:
    return _setting(design, "retraining", decided_after="7 d")


@breaks("PLANE036")
def model_over_age(design: Design) -> Design:
    return _setting(design, "retraining", period="14 d")


@breaks("PLANE037")
def schedule_of_nothing(design: Design) -> Design:
    return _setting(design, "retraining", period=None)


# ---- calls that are answered in vain


@breaks("PLANE038")
def fallback_is_an_error(design: Design) -> Design:
    return _flow(design, "scorer", "features", fallback="Return an error")


@breaks("PLANE039")
def calls_in_any_order(design: Design) -> Design:
    longer = _flow(design, "scorer", "features", timeout="250 ms")
    return _flow(longer, "scorer", "rules", timeout="200 ms")


@breaks("PLANE008")
def calls_in_a_row(design: Design) -> Design:
    return _component(calls_in_any_order.change(design), "scorer", calls="one after another")


@breaks("PLANE040")
def second_choice_too_late(design: Design) -> Design:
    second = _flow(design, "scorer", "rules", id="guess", timeout="200 ms")
    return _flow(second, "scorer", "features", id="read", otherwise="guess", timeout="300 ms")


@breaks("PLANE041")
def three_tries_at_once(design: Design) -> Design:
    return _flow(design, "scorer", "features", retries=2)


@breaks("PLANE042")
def paid_twice(design: Design) -> Design:
    return _flow(design, "scorer", "rules", retries=1, idempotent=False)


@breaks("PLANE076")
def perhaps_posted_twice(design: Design) -> Design:
    ledger = Component(id="ledger", kind="service", owner="Payments")
    post = Flow(start="rules", end="ledger", carries="command", retries=1, personal=False)
    return adding(adding(design, "planes.components", ledger), "planes.flows", post)


@breaks("PLANE043")
def slow_scorer(design: Design) -> Design:
    return _component(design, "scorer", latency="450 ms")


@breaks("PLANE044")
def everything_is_important(design: Design) -> Design:
    assert design.capacity is not None, "start from a design that has a plan"
    return design.with_part(capacity=design.capacity.changed(sheds="lowest priority"))


@breaks("PLANE045")
def both_read_the_store(design: Design) -> Design:
    second = _flow(design, "scorer", "rules", id="guess", fallback=None, fails="closed", timeout="60 ms")
    patient = _flow(second, "gateway", "rules", timeout="60 ms")
    first = _flow(patient, "scorer", "features", id="read", otherwise="guess", fallback=None)
    return _with_flow(
        first, start="rules", end="features", carries="features", timeout="35 ms", fails="closed"
    )


@breaks("PLANE046")
def another_teams_table(design: Design) -> Design:
    return _with_flow(design, start="payments", end="merchant_jobs", carries="batch")


# ---- what nobody hears of


def _without_alert(design: Design, name: str) -> Design:
    return _with(design, alerts=tuple(one for one in _planes(design).alerts if one.id != name))


@breaks("PLANE047")
def nobody_watches_the_store(design: Design) -> Design:
    return _without_alert(design, "missing_features")


@breaks("PLANE048")
def nobody_reads_the_labels(design: Design) -> Design:
    return _without_alert(design, "lost_recall")


@breaks("PLANE049", start="nightly")
def alert_on_the_exit_code(design: Design) -> Design:
    return _alert(design, "run_late", metric="processor load of the scorer", threshold="above 90%")


# ---- what a release has to pass, and what goes back


@breaks("PLANE050")
def stopped_by_processors(design: Design) -> Design:
    first = {"id": "few", "share": "1%", "for": "2 h", "stops_on": "slow_scores"}
    return _setting(design, "release", canary_share=None, canary_time=None, stages=[first, {"share": 1}])


@breaks("PLANE050")
def stopped_by_nothing(design: Design) -> Design:
    first = {"id": "few", "share": "1%", "for": "2 h"}
    return _setting(design, "release", canary_share=None, canary_time=None, stages=[first, {"share": 1}])


@breaks("PLANE051")
def tried_by_hand(design: Design) -> Design:
    return _setting(design, "release", validation="The team looks at a few payments by hand")


@breaks("PLANE052")
def forty_cases(design: Design) -> Design:
    gate = {
        "id": "recall",
        "metric": "recall",
        "on": "Disputes of March",
        "at_least": "95%",
        "cases": 40,
        "baseline": "the model in use",
    }
    return _setting(design, "release", gates=[{**gate, "slices": "country", "of": ["scorer", "rules"]}])


@breaks("PLANE053", start="stored answers")
def last_nights_answers_stay(design: Design) -> Design:
    return _setting(design, "release", rollback_takes_back=())


@breaks("PLANE054", start="with devices")
def every_terminal_at_once(design: Design) -> Design:
    return _setting(design, "release", canary_share=None, canary_time=None)


@breaks("PLANE055")
def labels_whenever(design: Design) -> Design:
    return _setting(design, "retraining", decided_after=None)


# ---- figures that contradict each other


@breaks("PLANE056")
def stopped_by_next_months_labels(design: Design) -> Design:
    first = {"id": "first", "share": "1%", "for": "2 h", "stops_on": "lost_recall"}
    stages = [first, {"id": "all", "share": "100%"}]
    return _setting(design, "release", canary_share=None, canary_time=None, stages=stages)


@breaks("PLANE056")
def one_of_two_alerts_cannot_speak(design: Design) -> Design:
    first = {"id": "first", "share": "1%", "for": "1 d", "stops_on": ["score_shift", "lost_recall"]}
    stages = [first, {"id": "all", "share": "100%"}]
    return _setting(design, "release", canary_share=None, canary_time=None, stages=stages)


@breaks("PLANE063")
def alert_at_twice_the_budget(design: Design) -> Design:
    return _alert(design, "slow_scores", metric="p99 latency of a payment", threshold="above 900 ms")


@breaks("PLANE064")
def one_in_ten_may_fail(design: Design) -> Design:
    alerts = _planes(design).alerts
    errors = alerts[0].changed(id="errors", metric="share of requests with status 5xx", threshold="10%")
    return _with(design, alerts=(*alerts, errors))


@breaks("PLANE059")
def impatient_reader(design: Design) -> Design:
    return _flow(design, "scorer", "features", timeout="20 ms")


@breaks("PLANE060")
def slower_than_its_share(design: Design) -> Design:
    return _component(design, "gateway", latency="65 ms")


@breaks("PLANE061")
def four_nines_on_the_dashboard(design: Design) -> Design:
    known = design.at("operations.objectives") if design.operations else ()
    ours = {
        "id": "answered",
        "indicator": "payments scored / payments",
        "target": "99.999%",
        "window": "30 d",
    }
    return design.with_part(operations={"objectives": [*known, {**ours, "owner": "Payments"}]})


@breaks("PLANE070")
def shadow_longer_than_a_week(design: Design) -> Design:
    older = setting(design, "requirements.freshness", model="90 d", labelled_data="300 d")
    return _setting(older, "release", shadow="8 d")


@breaks("PLANE065", start="in full")
def good_enough_by_itself(design: Design) -> Design:
    """Hold a release against a limit, and not against what is in use."""
    gates = [gate.changed(baseline=None, worse_by_at_most=None) for gate in design.at("planes.release").gates]
    return setting(design, "planes.release", gates=gates)
