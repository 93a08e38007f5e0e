"""Known mistakes in the planes of a design."""

from collections.abc import Callable
from typing import Any

from mlsd_helpers.design import Component, Design, Flow, Planes
from tests.review.mutations.mutation import Mutation

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


def no_planes(design: Design) -> Design:
    return design.with_part(planes=None)


def no_control(design: Design) -> Design:
    kept = tuple(one for one in _planes(design).components if one.plane != "control")
    names = {one.id for one in kept}
    flows = tuple(flow for flow in _planes(design).flows if {flow.start, flow.end} <= names)
    return _with(design, components=kept, flows=flows)


def loose_dashboard(design: Design) -> Design:
    board = Component(id="board", kind="dashboard", owner="Platform")
    return _with(design, components=(*_planes(design).components, board))


def orphan(design: Design) -> Design:
    return _component(design, "drift", owner=None)


# ---- somebody waits


def wait_for_ever(design: Design) -> Design:
    return _flow(design, "scorer", "features", timeout=None)


def no_fallback(design: Design) -> Design:
    return _flow(design, "scorer", "features", fallback=None)


def patient_gateway(design: Design) -> Design:
    return _flow(design, "gateway", "scorer", timeout="2 s")


def patient_scorer(design: Design) -> Design:
    return _flow(design, "scorer", "features", timeout="450 ms")


def retries_everywhere(design: Design) -> Design:
    outer = _flow(design, "gateway", "scorer", timeout="160 ms", retries=2)
    return _flow(outer, "scorer", "features", retries=2)


def slow_scorer(design: Design) -> Design:
    return _component(design, "scorer", latency="450 ms")


def scorer_asks_itself(design: Design) -> Design:
    return _with_flow(
        design, start="scorer", end="scorer", carries="request", timeout="20 ms", fallback="The first score"
    )


def one_gateway(design: Design) -> Design:
    return _component(design, "gateway", replicas=1, zones=1)


def some_gateways(design: Design) -> Design:
    return _component(design, "gateway", replicas=None)


def weak_gateway(design: Design) -> Design:
    return _component(design, "gateway", availability="99.5%")


# ---- what is generated, and what is watched


def trusted_batch(design: Design) -> Design:
    return _flow(design, "merchant_jobs", "features", check=None)


def nothing_logged(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.end == "scores")


def only_processors_watched(design: Design) -> Design:
    alerts = _planes(design).alerts
    return _with(design, alerts=tuple(one for one in alerts if one.watches == "infrastructure"))


def alert_without_action(design: Design) -> Design:
    return _alert(design, "score_shift", action=None)


def alert_on_any_count(design: Design) -> Design:
    return _alert(design, "score_shift", minimum_count=None)


def scorer_watches_itself(design: Design) -> Design:
    return _alert(design, "slow_scores", raised_by="scorer")


def alert_without_consumer(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.start == "drift")


def quality_unlabelled(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.carries == "labels" and flow.end == "quality")


# ---- what is released


def no_retraining_yet(design: Design) -> Design:
    return _with(design, retraining=None)


def promoted_unseen(design: Design) -> Design:
    return _setting(design, "release", validation=None)


def back_door(design: Design) -> Design:
    return _with_flow(design, start="models", end="scorer", carries="model", check="Whoever is in a hurry")


def canary_keeps_the_model(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.start == "canary")


def undo_of_nothing(design: Design) -> Design:
    return _without_flows(design, lambda flow: flow.start == "undo")


def model_goes_back_alone(design: Design) -> Design:
    return _setting(design, "release", versioned_together=["model"])


def back_to_something(design: Design) -> Design:
    return _setting(design, "release", rollback_to=None)


def rollback_by_deployment(design: Design) -> Design:
    return _setting(design, "release", rollback_time="1 h")


def released_to_all(design: Design) -> Design:
    return _setting(design, "release", canary_share=None, canary_time=None)


def short_canary(design: Design) -> Design:
    return _setting(design, "release", canary_time="30 min")


def no_kill_switch(design: Design) -> Design:
    return _setting(design, "release", kill_switch=None)


def retrain_on_every_alarm(design: Design) -> Design:
    return _setting(design, "retraining", cooldown=None)


def labels_too_late(design: Design) -> Design:
    return _setting(design, "retraining", decided_after="7 d")


def model_over_age(design: Design) -> Design:
    return _setting(design, "retraining", period="14 d")


def schedule_of_nothing(design: Design) -> Design:
    return _setting(design, "retraining", period=None)


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("PLANE001", no_planes),
    Mutation("PLANE002", no_control),
    Mutation("PLANE003", loose_dashboard),
    Mutation("PLANE004", orphan),
    Mutation("PLANE005", wait_for_ever),
    Mutation("PLANE006", no_fallback),
    Mutation("PLANE007", patient_gateway),
    Mutation("PLANE008", patient_scorer),
    Mutation("PLANE009", retries_everywhere),
    Mutation("PLANE010", slow_scorer),
    Mutation("PLANE011", scorer_asks_itself),
    Mutation("PLANE012", one_gateway),
    Mutation("PLANE013", some_gateways),
    Mutation("PLANE014", weak_gateway),
    Mutation("PLANE015", trusted_batch),
    Mutation("PLANE016", nothing_logged),
    Mutation("PLANE017", only_processors_watched),
    Mutation("PLANE018", alert_without_action),
    Mutation("PLANE019", alert_on_any_count),
    Mutation("PLANE020", scorer_watches_itself),
    Mutation("PLANE021", alert_without_consumer),
    Mutation("PLANE022", quality_unlabelled),
    Mutation("PLANE023", no_retraining_yet),
    Mutation("PLANE024", promoted_unseen),
    Mutation("PLANE025", back_door),
    Mutation("PLANE026", canary_keeps_the_model),
    Mutation("PLANE027", undo_of_nothing),
    Mutation("PLANE028", model_goes_back_alone),
    Mutation("PLANE029", back_to_something),
    Mutation("PLANE030", rollback_by_deployment),
    Mutation("PLANE031", released_to_all),
    Mutation("PLANE032", short_canary),
    Mutation("PLANE033", no_kill_switch),
    Mutation("PLANE034", retrain_on_every_alarm),
    Mutation("PLANE035", labels_too_late),
    Mutation("PLANE036", model_over_age),
    Mutation("PLANE037", schedule_of_nothing),
)
