"""The rules on fleets, on sound designs that must pass and bad ones that must not."""

import pytest

from mlsd_helpers import cases
from mlsd_helpers.analysis.cost import costs_of
from mlsd_helpers.design import CapacityPlan, Component, Design, Flow, Planes, Requirements
from mlsd_helpers.review import review
from mlsd_helpers.simulation import reports

HARBOUR = cases.load("harbour_pay")
WRITER = cases.load("azure_assistant")
EXPONENTIAL = {"mean": "100 ms", "distribution": "exponential"}


def found(design: Design, series: str = "CAP") -> dict[str, str]:
    return {one.code: one.severity for one in review(design) if one.code.startswith(series)}


def message(design: Design, code: str) -> str:
    return " ".join(one.message for one in review(design) if one.code == code)


def planned(design: Design = HARBOUR, **fields) -> Design:
    return design.with_part(capacity=design.capacity.changed(**fields))


def small(**plan) -> Design:
    """Return the smallest design that has a latency: what a fleet takes, and when it has to have answered."""
    given = {"load": "10 rps", "replicas": 2, "service_time": EXPONENTIAL, "routing": "central queue"}
    needs = Requirements(latency={"budget": "200 ms", "percentile": "p99"})
    return Design(
        name="small", requirements=needs, capacity=CapacityPlan(**given | {"queue_limit": 0} | plan)
    )


def within(design: Design, budget: str, **latency) -> Design:
    needs = design.requirements
    changed = needs.latency.changed(budget=budget, **latency)
    return design.with_part(requirements=needs.changed(latency=changed))


def scaled(replicas: int, **fields) -> Design:
    """Return Harbour Pay with another number of replicas, wherever it stands."""
    planes = HARBOUR.planes
    parts = [one.changed(replicas=replicas) if one.id == "scorer" else one for one in planes.components]
    drawn = HARBOUR.with_part(planes=planes.changed(components=parts))
    return planned(drawn, replicas=replicas, replicas_per_zone=None, autoscaler=None, **fields)


# ---------------------------------------------------------------- predicted percentiles


def test_a_percentile_beyond_the_budget_is_found_though_the_fleet_is_half_idle():
    assert found(small())["CAP029"] == "error"  # M/M/2: its p99 is 567 ms
    assert "567" in message(small(), "CAP029")
    assert "CAP029" not in found(within(small(), "600 ms"))


def test_random_routing_is_judged_with_the_spread_that_the_plan_states():
    assert found(planned(routing="random")) == {}  # with exponential times it would be 553 ms
    spread = {"mean": "40 ms", "distribution": "exponential"}
    assert found(planned(routing="random", service_time=spread)) == {"CAP010": "error"}


def test_a_spread_that_nobody_states_is_no_error_where_steady_times_would_do():
    open_ = within(small(service_time="100 ms", replicas=5), "250 ms")
    assert found(open_).keys() & {"CAP029", "CAP030"} == {"CAP030"}
    assert "spread" in message(open_, "CAP030")
    assert "CAP029" in found(within(small(service_time="100 ms"), "150 ms"))  # late even with constant times


def test_behind_a_cache_a_lower_percentile_of_the_fleet_decides():
    path = {"id": "a", "pattern": "request-time", "share": "100%", "cache": {"key": "x", "hit_ratio": "80%"}}
    wide = within(small(replicas=20), "350 ms")  # its p99 is 461 ms, and its p95 300 ms
    assert "CAP029" in found(wide)
    needs = wide.requirements.changed(throughput={"peak": "50 rps"})
    assert "CAP029" not in found(wide.with_part(requirements=needs, pattern={"paths": [path]}))


def test_parts_elsewhere_count_as_the_split_has_them():
    split = [{"component": "features", "time": "150 ms"}, {"component": "scorer", "time": "450 ms"}]
    design = within(small(replicas=20, component="scorer"), "600 ms", split=split)
    assert "CAP029" in found(design)  # 461 + 150
    assert "CAP029" not in found(within(design, "620 ms"))


def test_latencies_of_components_without_a_split_are_a_warning_since_they_need_not_add_up():
    boxes = [
        Component(id="door", kind="api gateway", latency="200 ms", replicas=2, zones=2),
        Component(id="scorer", kind="model server", replicas=20, zones=2),
    ]
    call = Flow(start="door", end="scorer", carries="request", timeout="2 s", fallback="Popular ones")
    design = within(small(replicas=20, component="scorer"), "600 ms").with_part(
        planes=Planes(components=boxes, flows=[call])
    )
    assert found(design).keys() & {"CAP029", "CAP030"} == {"CAP030"}
    assert "door" in message(design, "CAP030") or "elsewhere" in message(design, "CAP030")


def test_a_failure_that_headroom_pays_for_has_to_keep_the_percentile():
    spread = {"mean": "40 ms", "distribution": "exponential"}
    design = planned(within(HARBOUR, "400 ms", split=()), routing="random", service_time=spread)
    text = message(design, "CAP010")
    assert "zone loss" in text
    assert "30 replicas" in text


def test_a_promise_at_another_percentile_is_looked_at_too():
    also = [{"what": "whole answer", "percentile": "p99.9", "within": "150 ms"}]
    assert "CAP029" in found(within(HARBOUR, "500 ms", also=also))


def test_where_the_fallback_answers_in_time_the_late_model_is_a_warning():
    flows = [
        one.changed(timeout="100 ms") if (one.start, one.end) == ("gateway", "scorer") else one
        for one in HARBOUR.planes.flows
    ]
    design = planned(HARBOUR.with_part(planes=HARBOUR.planes.changed(flows=flows)), queue_limit=0)
    codes = found(design)
    assert codes.keys() & {"CAP029", "CAP030"} == {"CAP030"}
    assert "fallback" in message(design, "CAP030")


@pytest.mark.parametrize("routing", ["central queue", "random", "power of two"])
@pytest.mark.parametrize(("scv", "budget"), [(0.25, "160 ms"), (0.25, "700 ms"), (1, "400 ms"), (1, "3 s")])
def test_what_the_simulation_misses_is_an_error(routing, scv, budget):
    time = {"mean": "100 ms", "distribution": "lognormal", "scv": scv}
    plan = {"load": "140 rps", "replicas": 20, "queue_limit": None, "service_time": time, "routing": routing}
    design = within(small(**plan), budget)
    (report,) = reports(design, seed=1, requests=60_000)
    latency = next(one.met for one in report.verdicts if one.requirement.startswith("latency"))
    errors = found(design).keys() & {"CAP010", "CAP029"}
    if latency is not None:
        assert bool(errors) is (latency is False)


# ---------------------------------------------------------------- the queue


def test_a_queue_longer_than_the_time_to_wait_is_found_whatever_the_words_of_the_split():
    assert found(planned(queue_limit=12)) == {"CAP031": "error"}
    assert found(planned(queue_limit=8)) == {}


def test_the_timeout_of_the_callers_bounds_the_queue_as_well():
    design = planned(cases.load("doordash_ranking"), queue_limit=3)
    assert "CAP031" in found(design)  # 250 ms would leave 90, and the timeout less what is called leaves 100


def test_for_generation_the_queue_has_to_leave_time_for_the_first_token():
    assert "CAP031" in found(planned(WRITER, queue_limit=8))


def test_a_full_queue_and_a_short_timeout_refuse_more_than_may_be_lost():
    needs = small().requirements.changed(availability={"target": "99.9%"})
    busy = within(small(load="140 rps", replicas=20), "1 s")
    busy = busy.with_part(requirements=busy.requirements.changed(availability=needs.availability))
    assert "CAP032" in found(busy)
    assert "CAP032" not in found(planned(busy, queue_limit=5))


# ---------------------------------------------------------------- failures


def test_the_loss_of_a_zone_that_no_plan_names_is_found():
    """Three zones and 67% busy: what is left has to do more than it can."""
    time = {"mean": "20 ms", "distribution": "lognormal", "scv": 0.3}
    plan = {
        "load": "30000 rps",
        "replicas": 900,
        "zones": 3,
        "service_time": time,
        "target_utilisation": "70%",
    }
    paid = {"share": "0%", "pays_for": "rolling restart", "max_surge": "25%"}
    design = small(**plan, headroom=paid, routing="power of two")
    assert found(design)["CAP033"] == "warning"
    assert "600 of 900" in message(design, "CAP033")
    assert "CAP033" not in found(planned(design, replicas=1_350))


def test_new_replicas_that_start_first_take_none_away():
    paid = {"share": "0%", "pays_for": "rolling restart"}
    tight = scaled(30, zones=None, headroom=paid)
    assert "CAP017" in found(tight)
    assert "CAP017" not in found(planned(tight, headroom=paid | {"max_surge": "25%"}))


def test_replicas_that_survive_need_no_headroom_in_words():
    assert found(planned(headroom=None)) == {}


def test_a_plan_without_a_target_is_overloaded_by_its_load():
    assert "CAP006" in found(small(load="25 rps"))
    assert "CAP006" not in found(small(load="15 rps"))


# ---------------------------------------------------------------- utilisation


@pytest.mark.parametrize(
    ("replicas", "target", "sound"), [(1_000, "92%", True), (509, "98%", False), (5, "92%", False)]
)
def test_a_high_target_is_judged_by_the_size_of_the_fleet_and_by_its_forecast(replicas, target, sound):
    time = {"mean": "50 ms", "distribution": "exponential"}
    plan = {"load": "50 rps", "replicas": replicas, "service_time": time, "target_utilisation": target}
    assert ("CAP008" not in found(within(small(**plan), "300 ms"))) is sound


# ---------------------------------------------------------------- whom a rule is about


def test_an_endpoint_that_others_run_needs_neither_headroom_nor_queue():
    planes = HARBOUR.planes
    parts = [one.changed(managed=True) if one.id == "scorer" else one for one in planes.components]
    managed = HARBOUR.with_part(planes=planes.changed(components=parts))
    bare = managed.with_part(
        capacity={"component": "scorer", "service_time": "40 ms", "budget_per_month": "$9,000"}
    )
    assert found(bare) == {}
    assert found(planned(managed, headroom=None, queue_limit=None)) == {}


def test_nobody_waits_for_what_events_feed():
    async_ = cases.load("shopify_products")
    assert found(planned(async_, queue_limit=None)) == {}
    paid = planned(async_, headroom={"share": "1%", "pays_for": "zone loss"})
    assert "CAP036" not in found(paid)


def test_a_system_without_requests_or_without_a_model_of_its_own_needs_no_plan():
    nightly = Design(name="n", requirements={"schedule": {"period": "1 d", "deadline": "6 h", "items": "2M"}})
    boxes = [
        Component(id="door", kind="api gateway"),
        Component(id="vendor", kind="external service"),
        Component(id="seer", kind="embedder", managed=True),
    ]
    bought = Design(name="b", planes=Planes(components=boxes))
    own = Design(name="o", planes=Planes(components=[*boxes, Component(id="own", kind="model server")]))
    assert [list(found(design)) for design in (nightly, bought, own)] == [[], [], ["CAP001"]]
    answered = Design(name="a", does_not_apply=[{"where": "capacity", "because": "A vendor runs all of it."}])
    assert "CAP001" not in found(answered)


# ---------------------------------------------------------------- generation


def test_a_mixture_of_experts_may_be_faster_than_all_its_weights_could_be_read():
    made = WRITER.capacity.generation
    mixture = made.model.changed(name="mixture", parameters="30 billion", active_parameters="3 billion")
    quick = {"mean": "1.5 s", "distribution": "lognormal", "scv": 1}
    sparse = planned(WRITER, generation=made.changed(model=mixture, precision="fp8"), service_time=quick)
    dense = planned(
        WRITER, generation=made.changed(model=mixture.changed(active_parameters=None), precision="fp8"),
        service_time=quick,
    )  # fmt: skip
    assert "CAP026" in found(dense)
    assert "CAP026" not in found(sparse)


def test_several_tokens_a_pass_and_a_cached_prefix_are_believed_where_they_are_stated():
    made = WRITER.capacity.generation
    quick = planned(WRITER, service_time={"mean": "700 ms", "distribution": "lognormal", "scv": 1})
    assert "CAP026" in found(quick)
    assert "CAP026" not in found(planned(quick, generation=made.changed(tokens_per_pass=2.5)))
    soon = {"first_token": "500 ms"}
    long = made.changed(prompt_tokens=60_000, context_tokens=None)
    assert "CAP027" in found(within(planned(WRITER, generation=long), "60 s", **soon))
    cached = planned(WRITER, generation=long.changed(prefix_cache="90%"))
    assert "CAP027" not in found(within(cached, "60 s", **soon))


def test_the_promised_pace_has_to_make_a_long_answer_in_time():
    assert found(within(WRITER, "60 s")) == {}
    assert "CAP034" in found(within(WRITER, "20 s"))


def test_what_comes_before_the_model_counts_against_the_first_token():
    split = [
        {"component": "gateway", "time": "400 ms"},
        {"component": "context", "time": "700 ms"},
        {"component": "scorer", "time": "50 s"},
    ]
    assert "CAP034" in found(within(WRITER, "60 s", split=split))


# ---------------------------------------------------------------- several fleets, money


def two_fleets(**second) -> Design:
    first = {
        name: value
        for name, value in HARBOUR.capacity.model_dump().items()
        if name not in {"fleets", "costs"}
    }
    planes = HARBOUR.planes
    model = Component(id="vector", kind="embedder", owner="Model team", replicas=9, zones=3)
    call = Flow(start="scorer", end="vector", carries="request", timeout="30 ms", fallback="The mean vector")
    drawn = planes.changed(components=[*planes.components, model], flows=[*planes.flows, call])
    plan = {
        "id": "vectors", "component": "vector",
        "service_time": {"mean": "4 ms", "distribution": "lognormal", "scv": 0.2},
        "target_utilisation": "70%", "headroom": {"share": "50%", "pays_for": "zone loss"}, "replicas": 9, "zones": 3,
        "queue_limit": 2, "release_replicas": 3, "routing": "join the shortest queue",
    }  # fmt: skip
    fleets = [first | {"budget_per_month": None}, plan | second]
    return HARBOUR.with_part(planes=drawn, capacity={"fleets": fleets, "budget_per_month": "$8,000"})


def test_every_fleet_is_looked_at_and_named_by_its_place():
    assert found(two_fleets()) == {}
    for change, code in (
        ({"queue_limit": 90}, "CAP031"),
        ({"queue_limit": None}, "CAP012"),
        ({"load": "100 rps"}, "CAP005"),  # the sketch brings it 500
        ({"replicas": 8}, "CAP003"),
        ({"zones": 9}, "CAP003"),
        ({"release_replicas": None}, "CAP035"),
    ):
        places = [one.where for one in review(two_fleets(**change)) if one.code == code]
        assert places
        assert all(where.startswith("capacity.fleets.vectors.") for where in places)


def test_a_release_says_of_what_it_is_and_asks_no_replicas_of_other_fleets():
    def of(*names):
        bare = two_fleets(release_replicas=None)
        release = bare.planes.release.changed(of=names)
        return found(bare.with_part(planes=bare.planes.changed(release=release)))

    assert "CAP035" in of()
    assert "CAP035" in of("vector")
    assert "CAP035" not in of("scorer")


def test_an_autoscaler_that_keeps_more_than_is_planned_is_found():
    scaler = HARBOUR.capacity.autoscaler
    assert "CAP021" in found(planned(autoscaler=scaler.changed(minimum=47)))


def test_a_budget_for_all_fleets_pays_all_of_them():
    dear = two_fleets(cost_per_replica_hour="$0.50")
    assert found(dear) == {"CAP023": "error"}
    assert len([row for row in costs_of(dear) if row.path.startswith("capacity.fleets.")]) == 2


def test_the_bill_counts_releases_the_autoscaler_and_what_is_paid_by_use():
    (row,) = costs_of(HARBOUR)
    assert (row.per_month, row.highest) == (48 * 144, 55 * 144)
    logs = [{"id": "logs", "per_month": "$900"}]
    assert found(planned(costs=logs)) == {"CAP038": "warning"}
    assert found(planned(costs=logs, budget_per_month="$9,000")) == {}


# ---------------------------------------------------------------- the cases


def test_the_ranking_that_missed_its_budget_unseen_is_found():
    case = cases.load("booking_ranking")
    slow = {"mean": "30 ms", "distribution": "lognormal", "scv": 0.25}
    before = planned(case, service_time=slow, replicas=66, replicas_per_zone=22, queue_limit=10)
    assert found(before)["CAP029"] == found(before)["CAP031"] == "error"
    (report,) = reports(before, seed=1, requests=20_000)
    assert report.met is False


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in cases.names() if cases.load(name).fleets])
def test_the_simulation_agrees_with_the_review_on_each_case(name):
    case = cases.load(name)
    for report in reports(case, seed=1, requests=200_000):
        missed = [one.requirement for one in report.verdicts if one.met is False]
        errors = [code for code, severity in found(case).items() if severity == "error"]
        assert bool(missed) <= bool(errors), report.text()


# ---------------------------------------------------------------- fleets that always run, and queues


def streaming(*, timeout: str | None = None, **plan) -> Design:
    """Return a fleet that a stream processor calls, beside a daily job on another component."""
    call = {"from": "windows", "to": "anomaly", "carries": "request", "timeout": timeout}
    boxes = [("windows", "stream processor"), ("anomaly", "model server"), ("power", "batch scorer")]
    daily = {"period": "1 d", "job_time": "30 min"}
    paths = [
        {"id": "alarms", "component": "anomaly", "pattern": "streaming"},
        {"id": "forecast", "component": "power", "pattern": "pre-computed", "precompute": daily},
    ]
    given = {"component": "anomaly", "service_time": "50 ms", "replicas": 40, "zones": 2}
    return Design(
        name="stream",
        requirements=Requirements(
            latency={"budget": "60 s", "percentile": "p99"}, throughput={"peak": "200 rps"}
        ),
        planes=Planes(components=[Component(id=i, kind=k) for i, k in boxes], flows=[call]),
        pattern={"paths": paths},
        capacity=CapacityPlan(**given | {"target_utilisation": "60%", "cost_per_replica_hour": "$1"} | plan),
    )


def test_a_stream_is_paid_for_all_month_whatever_jobs_run_on_other_components():
    (row,) = costs_of(streaming())
    assert row.per_month == 40 * 720
    job = streaming(component="power")
    (row,) = costs_of(job)
    assert row.per_month == 40 * 15


def test_a_stream_without_headroom_is_found_as_any_other_fleet():
    assert "CAP002" in found(streaming(replicas=18))
    assert "CAP002" not in found(streaming(replicas=40))


def test_whoever_follows_the_advice_to_let_a_queue_hold_gets_no_other_finding():
    paid = {"share": "100%", "pays_for": ["zone loss", "rolling restart"], "unavailable_in_restart": "10%"}
    design = streaming(headroom=paid, zones=3)
    assert "CAP036" in found(design)
    assert "Run 18 replicas" in " ".join(one.fix for one in review(design))
    paid |= {"share": "5%", "pays_for": ["rolling restart"]}
    followed = found(streaming(headroom=paid, replicas=18, zones=3))
    assert not {"CAP007", "CAP015", "CAP017", "CAP036"} & set(followed)


def test_no_queue_holds_a_call_that_times_out():
    paid = {"share": "100%", "pays_for": ["zone loss"]}
    assert "CAP036" not in found(streaming(timeout="2 s", headroom=paid, zones=3))


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [("250 ms", set()), ("450 ms", {"CAP029"}), (None, {"CAP029"})],
)
def test_a_place_that_is_held_for_a_call_is_free_again_once_the_call_has_timed_out(timeout, expected):
    asked = [
        Flow(start="app", end="hub", carries="request", timeout="900 ms"),
        Flow(start="hub", end="vendor", carries="request", timeout=timeout, fallback="The last answer"),
    ]
    boxes = [
        Component(id="app", kind="client"),
        Component(id="hub", kind="orchestrator", latency="40 ms"),
        Component(id="vendor", kind="external service"),
    ]
    plan = {"component": "hub", "service_time": {"mean": "150 ms", "distribution": "lognormal", "scv": 0.6}}
    design = small(**plan, replicas=4, concurrency_per_replica=16).with_part(
        planes=Planes(components=boxes, flows=asked)
    )
    codes = found(within(design, "400 ms", percentile="p99.9")).keys()
    assert codes & {"CAP029"} == expected


# ---------------------------------------------------------------- caches and zones


def shop(**plan) -> Design:
    """Return a price service with a fleet of its own before a model whose answers a cache keeps."""
    calls = [{"from": "door", "to": "prices"}, {"from": "prices", "to": "model"}]
    model = {"component": "model", "service_time": "22 ms", "concurrency_per_replica": 2, "zones": 3}
    fleets = [
        {"id": "models", **model, "load": "450 rps", "target_utilisation": "55%", "replicas": 15, **plan},
        {"id": "prices", "component": "prices", "load": "900 rps", "service_time": "6 ms", "replicas": 30},
    ]
    cache = {"key": ["q"], "hit_ratio": "50%", "hit_ratio_is": "measured"}
    return Design(
        name="shop",
        requirements={"throughput": {"peak": "900 rps"}, "latency": {"budget": "1 s", "percentile": "p99"}},
        planes={
            "components": [
                {"id": "door", "kind": "api gateway"},
                {"id": "prices", "kind": "service"},
                {"id": "model", "kind": "model server"},
            ],
            "flows": [{"carries": "request", **one} for one in calls],
        },
        pattern={"paths": [{"id": "p", "component": "model", "pattern": "request-time", "cache": cache}]},
        capacity={"fleets": fleets},
    )


def test_a_cache_takes_load_from_a_fleet_that_stands_behind_another():
    assert "CAP005" not in found(shop())
    assert "CAP005" in found(shop(load="300 rps"))


@pytest.mark.parametrize(("replicas", "overloaded"), [(15, False), (10, True)])
def test_an_empty_cache_may_take_more_than_the_target_of_usual_days(replicas, overloaded):
    paid = shop(replicas=replicas, headroom={"share": "0%", "pays_for": "cold cache"})
    assert ("CAP019" in found(paid)) is overloaded  # 19.8 places of 30 or 20


@pytest.mark.parametrize(("service_time", "overloaded"), [("30 ms", True), ("22 ms", False)])
def test_what_a_lost_zone_leaves_just_below_saturation_is_no_headroom(service_time, overloaded):
    bare = shop(replicas=11, service_time=service_time, target_utilisation="70%")
    assert ("CAP002" in found(bare)) is overloaded  # 13.5 or 9.9 of 14 places
