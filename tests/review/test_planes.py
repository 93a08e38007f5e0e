"""The rules on planes: sound designs that they let through, and bad ones that an arrow by itself does not show."""

from pathlib import Path

import pytest

from mlsd_helpers import cases
from mlsd_helpers.design import Alert, Component, Design, Flow, Planes, Release, load_design
from mlsd_helpers.errors import DesignError
from mlsd_helpers.review import review
from tests.review.mutations.fuller import adding, setting


def codes(design):
    return [one.code for one in review(design) if one.code.startswith("PLANE")]


def call(start, end, **more):
    """Give a call that has all that the rules on single calls ask for, unless it is replaced."""
    given = {"carries": "request", "timeout": "100 ms", "fallback": "The last good value", **more}
    return Flow(start=start, end=end, **given)


def sketch(*flows, needs=None, alerts=(), release=None, retraining=None, **components):
    """Give a design of the components that some flows name; one that is not described further is sound by itself."""
    names = dict.fromkeys([*components, *(name for flow in flows for name in (flow.start, flow.end))])
    sound = {"kind": "service", "owner": "Shop", "replicas": 6, "zones": 3}
    boxes = [Component(id=name, **{**sound, **components.get(name, {})}) for name in names]
    planes = Planes(components=boxes, flows=flows, alerts=alerts, release=release, retraining=retraining)
    return Design(name="d", requirements=needs, planes=planes)


def within(budget, percentile="p99", **more):
    return {"latency": {"budget": budget, "percentile": percentile, **more}}


def answered(target):
    return {"availability": {"target": target, "window": "30 d"}}


def found_in(code, design):
    return [one for one in review(design) if one.code == code]


# ---- latency: what is certain, what cannot be told, what is within


STAR = [call("hub", name) for name in "abcde"]
SLOW = {name: {"latency": "80 ms"} for name in "abcde"}


@pytest.mark.parametrize(
    ("calls", "found"), [("one after another", "PLANE043"), ("at once", None), (None, "PLANE039")]
)
def test_percentiles_in_a_row_are_a_warning_and_calls_at_once_that_fit_are_none(calls, found):
    design = sketch(*STAR, needs=within("200 ms"), hub={"calls": calls}, **SLOW)
    told = {one.code: one.severity for one in review(design) if one.code.startswith("PLANE")}
    told = {code: severity for code, severity in told.items() if code in {"PLANE010", "PLANE039", "PLANE043"}}
    # the timeouts of 100 ms add up too where the order is not stated or is one after another
    assert told == ({found: "warning"} if found else {})


def test_percentiles_that_add_up_to_more_than_the_budget_are_no_error():
    row = [call("a", "b", timeout="140 ms"), call("b", "c")]
    design = sketch(
        *row, needs=within("150 ms"), a={"latency": "40 ms"}, b={"latency": "60 ms"}, c={"latency": "60 ms"}
    )
    assert "PLANE010" not in codes(design)
    assert "PLANE043" in codes(design)


def test_one_part_that_every_request_needs_and_that_is_slower_than_the_budget_is_an_error():
    slow = {"latency": "300 ms"}
    needed = sketch(call("a", "b", fallback=None, fails="closed"), needs=within("200 ms"), b=slow)
    assert "PLANE010" in codes(needed)
    with_fallback = sketch(call("a", "b"), needs=within("200 ms"), b=slow)
    assert "PLANE010" not in codes(with_fallback)


@pytest.mark.parametrize(
    ("latency_is", "certain"),
    [("p50", True), ("p99", True), ("p99.9", False), ("bound", False), ("mean", True)],
)
def test_what_is_certain_at_a_percentile_depends_on_which_number_is_stated(latency_is, certain):
    slow = {"latency": "300 ms", "latency_is": latency_is}
    design = sketch(call("a", "b", fallback=None, fails="closed"), needs=within("200 ms"), b=slow)
    assert ("PLANE010" in codes(design)) == certain


def test_means_add_up():
    row = [call("a", "b", timeout="140 ms"), call("b", "c")]
    mean = {"latency": "60 ms", "latency_is": "mean"}
    assert "PLANE010" in codes(sketch(*row, needs=within("150 ms"), a=mean, b=mean, c=mean))


def test_what_comes_before_the_first_token_counts_and_the_rest_of_the_answer_does_not():
    flows = [call("hub", name, timeout="2 s") for name in ("guard", "search", "model")]
    parts = {
        "hub": {"calls": "one after another"},
        "guard": {"kind": "guardrail", "latency": "1.2 s"},
        "search": {"kind": "vector index", "latency": "1 s"},
        "model": {"kind": "model server", "latency": "9 s"},
    }
    needs = within("15 s", "p95", first_token="2 s")  # noqa: S106 - a token of a language model
    assert "PLANE043" in codes(sketch(*flows, needs=needs, **parts))
    quick = parts | {"guard": {"kind": "guardrail", "latency": "100 ms"}}
    assert "PLANE043" not in codes(sketch(*flows, needs=needs, **quick))


# ---- availability


def test_a_star_of_needed_services_misses_the_target_and_one_with_fallbacks_keeps_it():
    parts = {name: {"availability": "99.9%"} for name in "abcde"}
    needed = [call("hub", name, fallback=None, fails="closed") for name in "abcde"]
    (finding,) = found_in("PLANE014", sketch(*needed, needs=answered("99.7%"), **parts))
    assert "99.501%" in finding.message
    assert not found_in("PLANE014", sketch(*STAR, needs=answered("99.9%"), **parts))


def test_a_store_with_defaults_does_not_count():
    flow = call("scorer", "store", carries="features", fallback="Each feature's default")
    assert "PLANE014" not in codes(sketch(flow, needs=answered("99.9%"), store={"availability": "99.8%"}))


def test_an_own_model_behind_a_vendor_counts():
    flows = [
        call("hub", "vendor", id="first", otherwise="second", fallback=None),
        call("hub", "own", id="second", fallback=None, fails="closed"),
    ]
    parts = {"vendor": {"availability": "99.5%"}, "own": {"availability": "99%"}}
    assert "PLANE014" not in codes(sketch(*flows, needs=answered("99.9%"), **parts))
    alone = [call("hub", "vendor", fallback=None, fails="closed")]
    assert "PLANE014" in codes(sketch(*alone, needs=answered("99.9%"), **parts))


# ---- timeouts


def test_timeouts_one_after_another_add_up():
    flows = [call("door", "hub", timeout="250 ms"), *STAR[:3]]
    in_a_row = sketch(*flows, hub={"calls": "one after another"})
    assert "PLANE008" in codes(in_a_row)
    assert {"PLANE008", "PLANE039"}.isdisjoint(codes(sketch(*flows, hub={"calls": "at once"})))
    assert "PLANE039" in codes(sketch(*flows))


def test_a_vendor_and_then_an_own_model_have_to_fit_into_the_callers_timeout():
    flows = [
        call("door", "hub", timeout="14.5 s"),
        call("hub", "vendor", id="first", otherwise="second", timeout="14.4 s"),
        call("hub", "own", id="second", timeout="14.4 s"),
    ]
    assert "PLANE040" in codes(sketch(*flows))
    quicker = [*flows[:1], flows[1].changed(timeout="5 s"), flows[2].changed(timeout="8 s")]
    assert {"PLANE008", "PLANE039", "PLANE040"}.isdisjoint(codes(sketch(*quicker)))


def test_calls_of_different_requests_are_not_added_up():
    flows = [
        call("door", "hub", timeout="150 ms"),
        call("hub", "a", share="60%"),
        call("hub", "b", share="40%"),
    ]
    assert {"PLANE008", "PLANE039"}.isdisjoint(codes(sketch(*flows, hub={"calls": "one after another"})))


def test_who_hands_a_case_to_people_waits_for_no_timeout():
    handed = Flow(start="hub", end="agents", carries="request")
    found = codes(sketch(handed, agents={"kind": "people", "replicas": None, "zones": None}))
    assert {"PLANE005", "PLANE006", "PLANE012", "PLANE013"}.isdisjoint(found)


# ---- retries


@pytest.mark.parametrize(
    ("again", "found"),
    [
        ({"retries": 1}, False),
        ({"retries": 2}, True),
        ({"retries": 2, "retry": {"backoff": "fixed"}}, True),
        ({"retries": 2, "retry": {"backoff": "exponential with jitter"}}, False),
        ({"retries": 3, "retry": {"budget": "10%"}}, False),
    ],
)
def test_retries_need_a_pause_that_grows_or_a_budget(again, found):
    assert ("PLANE041" in codes(sketch(call("a", "b", **again)))) == found


def test_layers_with_a_retry_budget_do_not_multiply():
    row = [call("a", "b", timeout="2 s", retries=1), call("b", "c", timeout="200 ms", retries=1)]
    assert "PLANE009" in codes(sketch(*row))
    limited = [flow.changed(retry={"budget": "10%"}) for flow in row]
    assert "PLANE009" not in codes(sketch(*limited))


def test_a_retry_of_what_must_not_happen_twice_is_an_error_and_unknown_is_none():
    assert "PLANE042" in codes(sketch(call("a", "b", retries=1, idempotent=False)))
    assert "PLANE042" not in codes(sketch(call("a", "b", retries=1, idempotent=True)))
    assert "PLANE042" not in codes(sketch(call("a", "b", retries=1)))


# ---- fallbacks


@pytest.mark.parametrize("words", ["none", "tbd", "Fail the request", "The page waits", "Try again later"])
def test_words_that_give_no_answer_are_no_fallback(words):
    assert "PLANE038" in codes(sketch(call("a", "b", fallback=words)))


def test_a_target_is_missed_by_refusals_unless_the_design_counts_them_as_answers():
    refused = call("a", "b", fallback="The payment is refused", fails="closed")
    part = {"availability": "99%"}
    assert "PLANE014" in codes(sketch(refused, needs=answered("99.9%"), b=part))
    assert "PLANE014" not in codes(sketch(refused.changed(answered=True), needs=answered("99.9%"), b=part))


def test_failing_on_purpose_is_a_decision():
    closed = call("a", "b", fallback="Refuse, and tell the customer why", fails="closed")
    assert {"PLANE006", "PLANE038"}.isdisjoint(codes(sketch(closed)))
    assert {"PLANE006", "PLANE038"}.isdisjoint(codes(sketch(call("a", "b", fallback=None, fails="closed"))))


def test_two_providers_behind_one_gateway_fail_together():
    def both(**of_second):
        return sketch(
            call("hub", "one", id="first", otherwise="second", fallback=None),
            call("hub", "two", id="second", fallback=None, fails="closed"),
            call("one", "proxy", fallback=None, fails="closed"),
            call("two", "proxy", **of_second),
        )

    assert "PLANE045" in codes(both(fallback=None, fails="closed"))
    assert "PLANE045" not in codes(both(fallback="Call directly"))


# ---- single points of failure


@pytest.mark.parametrize(
    "one",
    [
        {"kind": "external service", "replicas": None, "zones": None},
        {"managed": True, "replicas": None, "zones": None},
        {"kind": "device fleet", "replicas": None, "zones": None},
    ],
)
def test_what_others_run_has_no_replicas_to_count(one):
    found = codes(sketch(call("hub", "part", fallback=None, fails="closed"), part=one))
    assert {"PLANE012", "PLANE013"}.isdisjoint(found)


def test_one_replica_that_a_fallback_stands_in_for_is_no_single_point_of_failure():
    alone = {"kind": "re-ranker", "replicas": 1, "zones": 1}
    assert "PLANE012" not in codes(sketch(call("hub", "sorter", fallback="Keep the order"), sorter=alone))
    assert "PLANE012" in codes(sketch(call("hub", "sorter", fallback=None, fails="closed"), sorter=alone))


def test_a_risk_that_is_accepted_without_a_reason_is_not_accepted():
    alone = {"replicas": 1, "zones": 1, "accepted_risk": "tbd"}
    assert "PLANE012" in codes(sketch(call("hub", "part", fallback=None, fails="closed"), part=alone))


# ---- monitoring


def watched(*flows, alerts=(), **components):
    boxes = {
        "log": {"kind": "prediction log"},
        "model": {"kind": "model server"},
        "pager": {"kind": "alerting"},
    }
    return sketch(*flows, alerts=alerts, **{**boxes, "gate": {"kind": "validation gate"}, **components})


def moved(start, end, carries="predictions"):
    return Flow(start=start, end=end, carries=carries)


def alert(raised_by="metrics", **more):
    given = {
        "watches": "infrastructure",
        "metric": "share of errors",
        "threshold": "above 1%",
        "window": "5 min",
    }
    given |= {"owner": "Shop", "action": "Roll back", "minimum_count": "1000"}
    return Alert(id="sign", raised_by=raised_by, **given | more)


def test_a_prediction_log_may_be_reached_through_a_stream():
    through = [moved("model", "stream"), moved("stream", "log", "events")]
    assert "PLANE016" not in codes(watched(*through, stream={"kind": "event stream"}))
    assert "PLANE016" in codes(
        watched(through[0], moved("other", "log", "metrics"), stream={"kind": "event stream"})
    )


def test_a_validation_gate_may_raise_an_alert_and_a_model_may_not():
    assert "PLANE020" not in codes(watched(moved("gate", "pager", "alert"), alerts=[alert("gate")]))
    assert "PLANE020" in codes(watched(moved("model", "pager", "alert"), alerts=[alert("model")]))


def test_a_pager_or_a_person_is_somebody_who_acts():
    metrics = {"kind": "metrics"}
    for end, kind in (("pager", "alerting"), ("crew", "people")):
        told = watched(
            moved("metrics", end, "alert"), alerts=[alert()], metrics=metrics, **{end: {"kind": kind}}
        )
        assert "PLANE021" not in codes(told)
    wall = watched(
        moved("metrics", "wall", "metrics"), alerts=[alert()], metrics=metrics, wall={"kind": "dashboard"}
    )
    assert "PLANE021" in codes(wall)


def test_several_monitors_that_nobody_hears_are_one_finding():
    kinds = {
        "metrics": {"kind": "metrics"},
        "drift": {"kind": "drift detector"},
        "wall": {"kind": "dashboard"},
    }
    flows = [moved("metrics", "wall", "metrics"), moved("drift", "wall", "metrics")]
    (finding,) = found_in("PLANE021", watched(*flows, alerts=[alert()], **kinds))
    assert "drift" in finding.message
    assert "metrics" in finding.message


@pytest.mark.parametrize(
    "sign",
    [
        {"metric": "no answer counted for 5 min", "window": None, "minimum_count": 0},
        {"metric": "list not finished at 06:00", "window": None, "minimum_count": None, "watches": "data"},
        {"metric": "age of the index", "threshold": "above 90 min", "window": None, "minimum_count": None},
        {"minimum_count": 0, "watches": "predictions"},
    ],
)
def test_an_alert_on_absence_needs_no_count(sign):
    assert "PLANE019" not in codes(
        watched(moved("metrics", "pager", "alert"), alerts=[alert(**sign)], metrics={"kind": "metrics"})
    )


def test_a_runbook_is_an_action_and_an_empty_word_is_none():
    def with_alert(**more):
        return watched(
            moved("metrics", "pager", "alert"), alerts=[alert(**more)], metrics={"kind": "metrics"}
        )

    assert "PLANE018" not in codes(with_alert(action=None, runbook="runbooks/errors.md"))
    assert "PLANE018" in codes(with_alert(action="tbd"))
    assert "PLANE018" in codes(with_alert(owner="tbd"))


def test_latency_is_no_lateness():
    run = {"schedule": {"period": "1 d", "deadline": "6 h"}}
    flows = [moved("metrics", "pager", "alert")]
    boxes = {"metrics": {"kind": "metrics"}, "pager": {"kind": "alerting"}}
    slow = sketch(*flows, needs=run, alerts=[alert(metric="p99 latency")], **boxes)
    late = sketch(*flows, needs=run, alerts=[alert(metric="list not there at 06:00")], **boxes)
    assert "PLANE049" in codes(slow)
    assert "PLANE049" not in codes(late)


# ---- release


def released(*flows, needs=None, release, **components):
    return sketch(*flows, needs=needs, release=Release(**release), **components)


RELEASE = {
    "validation": "No worse than the model in use, in every country",
    "canary_share": "1%",
    "canary_time": "2 h",
    "rollback_to": "The version before, kept warm",
    "rollback_time": "5 min",
    "versioned_together": ["model", "feature schema"],
    "kill_switch": "A flag sends all requests to the rules",
}
ASKED = call("door", "model")
MODEL = {"model": {"kind": "model server"}, "training": {"kind": "training pipeline"}}


def test_bought_models_need_neither_a_training_nor_a_path_from_it():
    bought = {"model": {"kind": "external service"}, "gate": {"kind": "ci/cd"}}
    prompts = RELEASE | {"versioned_together": ["prompt", "configuration"]}
    found = review(released(ASKED, needs={"prediction": {"type": "generation"}}, release=prompts, **bought))
    assert "PLANE026" not in [one.code for one in found]
    assert "PLANE028" not in [one.code for one in found]
    assert not any("training" in one.message for one in found if one.code == "PLANE002")


def test_a_model_that_writes_has_no_feature_schema_and_has_a_prompt():
    writes = {"prediction": {"type": "generation"}}
    store = {"store": {"kind": "feature store"}}
    prompt = RELEASE | {"versioned_together": ["model", "prompt", "tokeniser"]}
    assert {"PLANE028", "PLANE053"}.isdisjoint(
        codes(released(ASKED, needs=writes, release=prompt, **MODEL, **store))
    )
    alone = RELEASE | {"versioned_together": ["model", "tokeniser"]}
    assert "PLANE053" in codes(released(ASKED, needs=writes, release=alone, **MODEL, **store))


def test_a_slow_rollback_of_a_small_ring_spends_a_small_part_of_the_error_budget():
    slow = RELEASE | {"rollback_time": "5 d"}
    needs = answered("99.5%")  # 3.6 h in 30 d; 1% of 5 d is 1.2 h
    assert "PLANE030" not in codes(released(ASKED, needs=needs, release=slow, **MODEL))
    half = slow | {"canary_share": "50%"}
    assert "PLANE030" in codes(released(ASKED, needs=needs, release=half, **MODEL))


def with_load(mean):
    return answered("99.9%") | {"throughput": {"peak": f"{10 * mean} rps", "mean": f"{mean} rps"}}


def test_a_canary_is_sized_for_unequal_arms_at_the_mean_load():
    enough = RELEASE | {"canary_time": "2 h"}  # 10,054 requests at 1%
    assert "PLANE032" not in codes(released(ASKED, needs=with_load(140), release=enough, **MODEL))
    assert "PLANE032" in codes(released(ASKED, needs=with_load(139), release=enough, **MODEL))


def test_with_little_traffic_a_shadow_takes_the_place_of_a_canary():
    shadowed = RELEASE | {"shadow": "7 d"}
    assert "PLANE032" in codes(released(ASKED, needs=with_load(1), release=RELEASE, **MODEL))
    assert "PLANE032" not in codes(released(ASKED, needs=with_load(1), release=shadowed, **MODEL))


def test_a_nightly_job_is_tried_in_the_shadow_and_has_no_canary():
    run = {"schedule": {"period": "1 d", "deadline": "6 h"}}
    shadowed = {**RELEASE, "shadow": "5 d", "canary_share": None, "canary_time": None}
    flows = [moved("files", "job", "batch")]
    kinds = {"job": {"kind": "batch scorer"}, "files": {"kind": "offline store"}}
    assert "PLANE031" not in codes(released(*flows, needs=run, release=shadowed, **kinds))
    assert "PLANE031" in codes(released(*flows, needs=run, release=shadowed | {"shadow": None}, **kinds))


def test_rings_of_devices_are_stages_and_none_is_an_error():
    fleet = {
        "cameras": {"kind": "device fleet", "devices": {"number": 50_000}, "replicas": None, "zones": None}
    }
    none = {**RELEASE, "canary_share": None, "canary_time": None}
    rings = none | {
        "stages": [{"to": "Our own shops", "for": "3 d"}, {"share": "5%", "for": "7 d"}, {"share": 1}]
    }
    asked = call("cameras", "tasks")
    (finding,) = found_in("PLANE054", released(asked, release=none, **fleet))
    assert finding.severity == "error"
    assert {"PLANE031", "PLANE054"}.isdisjoint(codes(released(asked, release=rings, **fleet)))


@pytest.mark.parametrize(
    ("gate", "found"),
    [
        ({"cases": 400, "at_least": "92%"}, False),
        ({"cases": 50, "at_least": "98%"}, True),
        ({"cases": 50, "at_least": "100%"}, False),
        ({"cases": 400, "at_least": "92%", "worse_by_at_most": "1%"}, True),
        ({"cases": 4_000, "at_least": "92%", "worse_by_at_most": "1%"}, False),
    ],
)
def test_a_gate_needs_enough_cases_for_its_limit(gate, found):
    gates = [
        {"id": "grounded", "metric": "grounded answers", "on": "The set of May", "slices": "language", **gate}
    ]
    design = released(ASKED, release=RELEASE | {"gates": gates}, **MODEL)
    assert ("PLANE052" in codes(design)) == found
    assert "PLANE051" not in codes(design)


def test_late_labels_and_trainings_by_the_clock_need_to_say_when_an_example_counts():
    late = {"labels": {"source": "Disputes", "delay": "45 d"}}
    nightly = {"triggers": "schedule", "period": "1 d"}
    assert "PLANE055" in codes(sketch(ASKED, needs=late, retraining=nightly, **MODEL))
    assert "PLANE055" not in codes(
        sketch(ASKED, needs=late, retraining=nightly | {"decided_after": "60 d"}, **MODEL)
    )
    soon = {"labels": {"source": "Clicks", "delay": "10 min"}}
    assert "PLANE055" not in codes(sketch(ASKED, needs=soon, retraining=nightly, **MODEL))


def test_a_first_sketch_of_seven_lines_gets_a_short_review():
    flows = [Flow(start="api", end="model", carries="request")]
    boxes = [Component(id="api", kind="api gateway"), Component(id="model", kind="model server")]
    found = codes(Design(name="d", planes=Planes(components=boxes, flows=flows)))
    assert found == ["PLANE002", "PLANE005", "PLANE006", "PLANE004", "PLANE013"]


def test_rules_on_planes_do_not_depend_on_the_order_of_equal_parts():
    case = cases.load("harbour_pay")
    turned = case.with_part(planes=case.planes.changed(components=tuple(reversed(case.planes.components))))
    assert review(turned) == review(case) == ()


# ---- several callers of one component


def two_doors(*calls, app=None, batch=None, **components):
    """Give a gateway that an impatient and a patient caller ask, and the calls that it makes."""
    doors = [
        call("app", "gate", id="quick", timeout="600 ms", share=app),
        call("app", "gate", id="long", timeout="5 s", share=batch),
    ]
    parts = {"app": {"kind": "client", "replicas": None, "zones": None}, "gate": {"kind": "api gateway"}}
    return sketch(*doors, *calls, **parts, **components)


def test_shares_that_are_divided_alike_say_which_caller_causes_which_call():
    made = call("gate", "a", timeout="500 ms", share="98%"), call("gate", "b", timeout="4 s", share="2%")
    assert {"PLANE008", "PLANE062"}.isdisjoint(codes(two_doors(*made, app="98%", batch="2%")))
    slow = call("gate", "a", timeout="4 s", share="98%"), call("gate", "b", timeout="500 ms", share="2%")
    assert "PLANE008" in codes(two_doors(*slow, app="98%", batch="2%"))


def test_a_call_names_the_flow_that_causes_it():
    assert "PLANE062" in codes(two_doors(call("gate", "a", timeout="4 s")))
    assert {"PLANE008", "PLANE062"}.isdisjoint(
        codes(two_doors(call("gate", "a", timeout="4 s", after=["long"])))
    )
    assert "PLANE008" in codes(two_doors(call("gate", "a", timeout="4 s", after=["quick"])))


def test_a_call_that_no_caller_waits_for_is_an_error_whoever_causes_it():
    assert "PLANE008" in codes(two_doors(call("gate", "a", timeout="6 s")))


def test_what_comes_before_a_call_arrives_or_starts_where_the_call_starts():
    two_doors(call("gate", "a", id="x"), call("gate", "b", after=["x"]))
    with pytest.raises(DesignError, match="Name a flow to or from 'a'"):
        two_doors(call("gate", "a"), call("a", "b", after=["long"]))


def test_a_client_has_no_replicas_to_count():
    assert "PLANE013" not in codes(two_doors(call("gate", "a")))


def test_a_percentile_does_not_see_calls_of_fewer_requests_than_it_leaves_out():
    def drawn(share):
        made = call("gate", "a", share="90%"), call("gate", "slow", share=share, timeout="3 s")
        parts = {"gate": {"kind": "api gateway"}, "slow": {"latency": "2 s", "latency_is": "p95"}}
        return sketch(*made, needs=within("1 s", "p95"), **parts)

    assert "PLANE043" in codes(drawn("10%"))
    assert "PLANE043" not in codes(drawn("2%"))


def test_the_worst_product_of_retries_is_named_and_not_the_first():
    def tried(*retries):
        flows = [call("gate", f"part{at}", retries=number) for at, number in enumerate(retries)]
        return call("web", "gate", retries=1), *flows

    (found,) = found_in("PLANE009", sketch(*tried(1, 3, 2)))
    assert "8 calls" in found.message
    assert "part1" in found.message


# ---- alerts and promises


def warned(metric, threshold, watches="infrastructure"):
    """Return what is said of an alert in a design that promises 600 ms at p95 and answers 99.9%."""
    alert = Alert(
        id="one",
        raised_by="meter",
        watches=watches,
        metric=metric,
        threshold=threshold,
        owner="Shop",
        action="Act",
    )
    meter = {"kind": "metrics", "replicas": None, "zones": None}
    gate, slow = {"kind": "api gateway"}, {"kind": "external service", "replicas": None, "zones": None}
    calls = call("gate", "model"), call("gate", "vendor", share="2%")
    needs = {**within("600 ms", "p95"), **answered("99.9%")}
    drawn = sketch(*calls, needs=needs, alerts=[alert], meter=meter, gate=gate, vendor=slow)
    return {"PLANE063", "PLANE064"}.intersection(codes(drawn))


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [
        ("p95 latency", "800 ms"),
        ("p95 of the gate", "above 8 s"),
        ("latency of requests", "1 min"),
        ("share of requests above 800 ms", "5%"),
    ],
)
def test_a_latency_alert_above_the_promise_is_found(metric, threshold):
    assert warned(metric, threshold) == {"PLANE063"}


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [
        ("p95 latency", "550 ms"),
        ("p99 latency", "1.2 s"),
        ("p95 latency of vendor", "4 s"),
        ("latency of the nightly job", "20 min"),
        ("age of the index, p95", "10 min"),
        ("share of requests above 600 ms", "5%"),
    ],
)
def test_a_latency_alert_within_the_promise_or_on_something_else_is_not(metric, threshold):
    assert not warned(metric, threshold)


def test_an_error_alert_that_lets_the_budget_run_out_in_a_day_is_found():
    assert warned("share of requests with status 5xx", "above 5%") == {"PLANE064"}
    assert not warned("share of requests with status 5xx", "above 1%")
    assert not warned("prediction error, absolute", "above 5%")
    assert not warned("burn of the error budget", "above 10% in a day")


def test_an_error_alert_is_held_against_the_requests_that_need_what_it_names():
    alert = {"id": "one", "raised_by": "meter", "watches": "infrastructure", "owner": "Shop", "action": "Act"}
    alert |= {"metric": "share of failed calls", "threshold": "5%"}
    meter = {"kind": "metrics", "replicas": None, "zones": None}
    spare = {"kind": "external service", "replicas": None, "zones": None}
    calls = call("gate", "model", fallback=None), call("gate", "vendor", fallback="The list of the day")
    needs = {**within("600 ms", "p95"), **answered("99.9%")}

    def about(*names):
        parts = {"meter": meter, "gate": {"kind": "api gateway"}, "vendor": spare}
        return "PLANE064" in codes(sketch(*calls, needs=needs, alerts=[alert | {"of": names}], **parts))

    assert about()
    assert about("model")
    assert about("vendor", "model")
    assert not about("vendor")


def test_an_error_alert_that_names_nothing_is_held_against_the_laxest_of_several_workloads():
    several = load_design(Path(__file__).with_name("two_workloads.yaml"))
    meter = Component(id="meter", kind="metrics")
    alert = {
        "id": "errors",
        "raised_by": "meter",
        "watches": "infrastructure",
        "metric": "share of failed requests",
    }
    alerts = [Alert(**alert, threshold="5%", owner="Shop", action="Act")]

    def found(score, chat):
        design = setting(several, "requirements.workloads.score", **answered(score))
        design = setting(design, "requirements.workloads.chat", **answered(chat))
        design = adding(design, "planes.components", meter)
        return "PLANE064" in codes(setting(design, "planes", alerts=alerts))

    assert found("99.9%", "99.9%")
    assert not found("99.9%", "99%")
