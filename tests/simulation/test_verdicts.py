"""A requirement is met only where the simulation shows it under every reading of the design."""

from typing import Any

import pytest

from mlsd_helpers.cli import main
from mlsd_helpers.design import CapacityPlan, Design, Planes, Requirements
from mlsd_helpers.errors import DesignError
from mlsd_helpers.simulation import from_design, report, reports, simulate

SCORER = {"id": "scorer", "kind": "model server", "availability": "100%"}
ASKED = Planes(
    components=[{"id": "app", "kind": "client"}, SCORER],
    flows=[{"from": "app", "to": "scorer", "carries": "request"}],
)
FLEET = Design(name="fleet", planes=ASKED).with_part(
    requirements=Requirements(
        latency={"budget": "300 ms", "percentile": "p99"},
        throughput={"peak": "500 rps"},
        availability={"target": "99.9%"},
    ),
    capacity=CapacityPlan(
        component="scorer",
        service_time={"mean": "40 ms", "distribution": "exponential"},
        target_utilisation="70%",
        replicas=29,
        zones=3,
        routing="central queue",
    ),
)
WRITER = {
    "model": {"name": "8B", "parameters": 8_030_000_000, "layers": 32, "kv_heads": 8, "head_dim": 128},
    "precision": "bf16",
    "accelerator": {"name": "one", "memory": "80 GB", "bandwidth": "3.35 TB/s", "compute": "989 TFLOP/s"},
    "prompt_tokens": 1_155,
    "output_tokens": 211,
    "concurrent_sequences": 64,
}


def planned(**plan):
    return FLEET.with_part(capacity=FLEET.capacity.changed(**plan))


def needing(design, *parts, **latency):
    split = [dict(zip(("part", "time", "component"), part, strict=False)) for part in parts]
    changed = design.requirements.latency.changed(split=split, **latency)
    return design.with_part(requirements=design.requirements.changed(latency=changed))


def called(design, *calls):
    surely = {"latency": "1 ms", "availability": "100%"}
    boxes = [
        {"id": name, "kind": "api gateway"} | surely for name in sorted({call["from"] for call in calls})
    ]
    flows = [{"to": "scorer", "carries": "request"} | call for call in calls]
    components = [SCORER, *boxes]
    return design.with_part(planes=Planes(components=components, flows=flows))


def writing(**plan):
    latency = {"budget": "20 s", "percentile": "p95", "first_token": "2 s", "per_token": "90 ms"}
    requirements = Requirements(latency=latency, throughput={"peak": "4 rps"})
    given = {"component": "scorer", "replicas": 2, "routing": "random", "generation": WRITER}
    return Design(name="writer", planes=ASKED).with_part(
        requirements=requirements, capacity=CapacityPlan(**given | plan)
    )


def results(design, **how):
    found = report(design, seed=1, **{"requests": 100_000} | how).verdicts
    return {each.requirement.partition(",")[0]: each for each in found}


def met(design, **how):
    return {name: each.met for name, each in results(design, **how).items()}


# ---------------------------------------------------------------- overload


@pytest.mark.parametrize(
    ("design", "incidents"),
    [
        (planned(replicas=15), ()),
        (planned(replicas=20), ()),  # exactly as much as the fleet can do
        (FLEET, ["zone loss"]),
        (planned(headroom={"share": "0%", "surge": "60%"}), ["surge"]),
        (writing(load="100 rps"), ()),
    ],
)
def test_an_overload_misses_every_requirement(design, incidents):
    found = report(design, seed=1, incidents=incidents)
    assert {each.met for each in found.verdicts} == {False}
    assert all("backlog grows" in each.why for each in found.verdicts)
    utilisation = next(each for each in found.verdicts if each.requirement == "utilisation")
    assert utilisation.found.value >= 1
    assert found.met is False
    assert "nothing was simulated" in found.text()
    assert found.as_dict()["met"] is False


def test_the_backlog_of_an_overload_grows_by_what_the_fleet_cannot_serve():
    answered = results(planned(replicas=15))["answered"]
    assert "125 requests/s" in answered.why  # 500 arrive, 15 / 40 ms are served
    assert answered.found.value == pytest.approx(0.75)


def test_the_command_ends_with_1_on_an_overload(tmp_path, capsys):
    file = tmp_path / "design.yaml"
    file.write_text(planned(replicas=15).to_yaml())
    assert main(["simulate", str(file)]) == 1
    assert "overloaded" in capsys.readouterr().out


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_first_how_long_a_run_takes_without_numba(terminal, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("mlsd_helpers.simulation.COMPILED", False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    file = tmp_path / "design.yaml"
    file.write_text(FLEET.to_yaml())
    main(["simulate", str(file), "--requests", "2000"])
    assert ("Without numba" in capsys.readouterr().err) is terminal


def test_a_plan_with_two_service_times_shows_both_where_they_differ():
    shown = report(writing(service_time="5.3 s", concurrency_per_replica=64), seed=1, requests=1_000).text()
    assert "service time" in shown
    assert "16.56 %" in shown  # 4 × 5.3 s ÷ 64 ÷ 2


def test_nothing_is_met_while_the_declared_service_time_overloads_the_fleet():
    found = results(writing(service_time="5.3 s", concurrency_per_replica=4))
    assert {each.met for each in found.values()} == {None}
    assert all("service_time" in each.why for each in found.values())


# ---------------------------------------------------------------- parts of the latency


OTHERS = (("guardrail", "400 ms", "guard"), ("ranking", "2.02 s", "ranker"), ("writing", "4 s", "scorer"))


def test_a_first_token_is_not_met_without_what_may_come_before_the_model():
    first = results(needing(writing(), *OTHERS), requests=10_000)["first token"]
    assert first.met is None
    assert "2.42 s" in first.why
    assert first.best.value < 2 < first.found.value


def test_a_first_token_is_met_where_every_other_part_fits_before_it():
    limit = {"first_token": "10 s"}
    assert met(needing(writing(), *OTHERS, **limit), requests=10_000)["first token"] is True


def test_a_first_token_is_missed_where_the_fleet_alone_takes_longer():
    limit = {"first_token": "1 ms"}
    assert met(needing(writing(), *OTHERS, **limit), requests=10_000)["first token"] is False


@pytest.mark.parametrize("name", ["inference", "ranking", "queue", "model", "x"])
def test_a_part_belongs_to_the_component_that_it_names_and_not_to_its_words(name):
    def added(component):
        split = ((name, "90 ms", component), ("other", "100 ms", "scorer"))
        return results(needing(FLEET, *split))["latency"].found.value

    assert added("ranker") - added("scorer") == pytest.approx(0.09)


def test_parts_that_name_no_component_are_read_both_ways():
    parts = (("inference", "40 ms"), ("network", "50 ms"))
    open_ = results(needing(FLEET, *parts, budget="250 ms"))["latency"]
    assert open_.met is None
    assert "component: scorer" in open_.why
    assert open_.found.value - open_.best.value == pytest.approx(0.09)
    assert met(needing(FLEET, *parts, budget="400 ms"))["latency"] is True
    assert met(needing(FLEET, *parts, budget="100 ms"))["latency"] is False


def test_a_report_says_which_parts_were_taken_for_what():
    shown = report(needing(FLEET, ("a", "10 ms", "scorer"), ("b", "20 ms")), seed=1, requests=20_000).text()
    assert "simulated: a (10 ms)" in shown
    assert "b (20 ms)" in shown


# ---------------------------------------------------------------- large fleets


@pytest.mark.parametrize("replicas", [5_000, pytest.param(30_000, marks=pytest.mark.thorough)])
def test_a_large_fleet_is_as_busy_as_it_is_offered(replicas):
    plan = {
        "routing": "power of two",
        "service_time": {"mean": "35 ms", "distribution": "lognormal", "scv": 1},
    }
    large = planned(replicas=replicas, load=0.7 * replicas / 0.035, target_utilisation="75%", **plan)
    found = results(large, requests=None)["utilisation"]
    assert found.met is True
    assert found.found.value == pytest.approx(0.7, rel=0.005)


def test_a_run_that_is_too_short_for_the_fleet_gives_no_verdict():
    large = planned(replicas=10_000, load=0.7 * 10_000 / 0.04, routing="power of two")
    found = results(large, requests=50_000)
    assert {each.met for each in found.values()} == {None}
    assert all("--requests" in each.why for each in found.values())


# ---------------------------------------------------------------- what the design leaves open


def test_without_a_routing_a_requirement_is_met_only_under_both():
    open_ = planned(routing=None)
    latency = results(open_)["latency"]
    assert latency.met is None
    assert "capacity.routing" in latency.why
    assert met(open_)["answered"] is True
    assert met(needing(open_, budget="1 s"))["latency"] is True
    assert met(needing(open_, budget="50 ms"))["latency"] is False
    assert "central queue" in report(open_, seed=1, requests=20_000).text()


def test_a_routing_that_generation_lacks_is_not_replaced_by_the_best():
    names = {name for name, _ in report(writing(routing="central queue"), seed=1, requests=2_000).results}
    assert len(names) == 2


def test_generation_arrives_in_the_bursts_that_the_requirement_names():
    design = writing()
    bursty = design.requirements.changed(throughput={"peak": "4 rps", "burstiness": 3})
    assert from_design(design.with_part(requirements=bursty)).arrivals.variance_to_mean == 3


# ---------------------------------------------------------------- fallbacks


HASTY = {"from": "gateway", "timeout": "150 ms"}
BY_POPULARITY = {"fallback": "Order by popularity", "answered": True}


def test_a_call_that_runs_into_its_fallback_is_answered():
    assert met(called(FLEET, HASTY))["answered"] is False
    kind = report(called(FLEET, HASTY | BY_POPULARITY), seed=1, requests=100_000)
    assert next(each.met for each in kind.verdicts if each.requirement == "answered") is True
    assert kind.by_fallback.value == pytest.approx(1 - kind.result.served.value)
    assert "Order by popularity" in kind.text()
    assert kind.as_dict()["answered_by_fallback"]["value"] > 0.01


def test_a_fallback_of_one_caller_answers_for_no_other():
    calls = (HASTY | BY_POPULARITY, {"from": "other", "timeout": "150 ms"})
    assert met(called(FLEET, *calls))["answered"] is False


def test_a_fallback_further_up_answers_too():
    up = {"from": "client", "to": "gateway", "fallback": "What was shown before", "answered": True}
    assert met(called(FLEET, HASTY, up))["answered"] is True


@pytest.mark.parametrize(("budget", "verdict"), [("100 ms", False), ("200 ms", None)])
def test_a_percentile_that_a_fallback_answers_is_no_sooner_than_its_timeout(budget, verdict):
    hasty = called(FLEET, HASTY | BY_POPULARITY)
    assert met(needing(hasty, budget=budget))["latency"] is verdict


def test_a_run_that_ends_before_its_queues_settle_gives_no_verdict():
    slow = planned(
        routing="random", replicas=21
    )  # 95 % busy: a queue at one replica takes a minute to settle
    assert set(met(slow, requests=20_000).values()) == {None}
    assert set(met(slow, requests=None).values()) == {True, False}


# ---------------------------------------------------------------- readings, further promises, caches


def test_a_spread_that_nobody_states_is_read_both_ways():
    open_ = planned(service_time="40 ms")
    latency = results(needing(open_, budget="100 ms"))["latency"]
    assert latency.met is None
    assert "service_time.scv" in latency.why
    assert met(needing(open_, budget="30 ms"))["latency"] is False  # even if each takes the mean
    assert met(needing(open_, budget="400 ms"))["latency"] is True


def test_a_further_promise_is_held_against_its_own_percentile():
    also = [{"what": "whole answer", "percentile": "p99.9", "within": "200 ms"}]
    found = report(needing(FLEET, also=also), seed=1, requests=100_000).verdicts
    verdicts = {each.requirement: each.met for each in found}
    assert (verdicts["latency, p99"], verdicts["latency, p99.9"]) == (True, False)


def test_behind_a_cache_a_lower_percentile_of_the_fleet_decides():
    path = {"id": "a", "pattern": "request-time", "share": "100%", "cache": {"key": "x", "hit_ratio": "80%"}}
    wide = needing(
        planned(replicas=40, load="500 rps"), budget="150 ms"
    )  # its p99 is 184 ms and its p95 120 ms
    needs = wide.requirements.changed(throughput={"peak": "2500 rps"})
    cached = wide.with_part(requirements=needs, pattern={"paths": [path]})
    assert met(wide)["latency"] is False
    assert met(cached)["latency"] is True
    assert "80 %" in report(cached, seed=1, requests=20_000).text()


def test_generation_is_not_met_where_the_declared_service_time_misses_the_budget():
    slow = writing(
        service_time={"mean": "5.3 s", "distribution": "lognormal", "scv": 1}, concurrency_per_replica=64
    )
    latency = results(needing(slow, budget="10 s"), requests=2_000)["latency"]
    assert latency.met is None  # by the roofline it is met, and by the service time p95 is 15 s
    assert "service_time" in latency.why


# ---------------------------------------------------------------- several fleets


def with_fleets(**embedder):
    first = FLEET.capacity.model_dump() | {"id": "rank", "queue_limit": None}
    second = {"id": "embed", "component": "embedder", "load": "500 rps", "routing": "central queue"}
    second |= {"service_time": {"mean": "10 ms", "distribution": "constant"}, "replicas": 10} | embedder
    mine = {name: value for name, value in first.items() if name not in {"fleets", "costs"}}
    split = [{"component": "embedder", "time": "20 ms"}, {"component": "scorer", "time": "200 ms"}]
    latency = FLEET.requirements.latency.changed(split=split)
    needs = FLEET.requirements.changed(latency=latency)
    flow = {"from": "app", "to": "embedder", "carries": "request"}
    boxes = (*ASKED.components, {"id": "embedder", "kind": "embedder", "availability": "100%"})
    sketch = ASKED.changed(components=boxes, flows=(*ASKED.flows, flow))
    return FLEET.with_part(requirements=needs, planes=sketch, capacity={"fleets": [mine, second]})


def test_each_fleet_is_simulated_with_the_others_as_the_split_has_them():
    rank, embed = reports(with_fleets(), seed=1, requests=100_000)
    assert rank.met is embed.met is True
    found = {one.design: one.verdicts[0].found.value for one in (rank, embed)}
    assert found["fleet: capacity.fleets.embed"] == pytest.approx(
        0.21, abs=0.005
    )  # 10 ms, and 200 ms elsewhere
    assert found["fleet: capacity.fleets.rank"] > 0.2


def test_nothing_is_met_as_a_whole_while_a_fleet_is_left_out():
    one = report(with_fleets(), seed=1, requests=100_000, fleet="embed")
    assert one.met is None
    assert "capacity.fleets.rank" in one.text()
    with pytest.raises(DesignError, match=r"capacity\.fleets\.rank"):
        report(with_fleets(), seed=1, requests=1_000)
    with pytest.raises(DesignError, match="Name one of"):
        simulate(with_fleets(), seed=1, requests=1_000, fleet="other")


def test_the_command_fails_where_any_fleet_misses(tmp_path, capsys):
    file = tmp_path / "design.yaml"
    file.write_text(with_fleets(replicas=6, target_utilisation="50%").to_yaml())  # 83 % busy
    assert main(["simulate", str(file), "--requests", "20000"]) == 1
    assert main(["simulate", str(file), "--requests", "20000", "--fleet", "rank"]) == 0
    assert "Left out: capacity.fleets.embed" in capsys.readouterr().out


def test_what_several_fleets_lose_is_counted_together():
    hasty = {"load": "500 rps", "queue_limit": 0, "routing": "random"}
    design = with_fleets(**hasty, replicas=7_500)
    both = [one.verdicts[1] for one in reports(design, seed=1, requests=600_000)]
    assert {each.requirement for each in both} == {"answered"}
    assert 0.999 < both[0].found.value == both[1].found.value < 0.9995
    assert both[0].met is both[1].met is True
    tight = design.requirements.changed(availability={"target": "99.95%"})
    found = reports(design.with_part(requirements=tight), seed=1, requests=600_000)
    assert [one.verdicts[1].met for one in found] == [False, False]


def test_a_fleet_that_is_simulated_alone_says_nothing_of_what_all_answer():
    one = report(with_fleets(), seed=1, requests=100_000, fleet="embed")
    answered = next(each for each in one.verdicts if each.requirement == "answered")
    assert (answered.met, "capacity.fleets.rank" in answered.why) == (None, True)


# ---------------------------------------------------------------- a service time beside a generation

BESIDE: dict[str, Any] = {"service_time": {"mean": "4 s", "distribution": "lognormal", "scv": 0.15}}
BESIDE |= {"concurrency_per_replica": 16, "replicas": 3, "zones": 3}


def test_a_promise_at_another_percentile_is_held_against_the_service_time_too():
    also = [{"what": "whole answer", "percentile": "p50", "within": "3 s"}]
    found = report(needing(writing(**BESIDE), also=also), seed=1, requests=10_000).verdicts
    by_name = {each.requirement: each for each in found}
    assert by_name["latency, p95"].met is True
    assert (
        by_name["latency, p50"].met is None
    )  # the median is 2.8 s by its tokens, and 3.7 s by its service time
    assert "service_time" in by_name["latency, p50"].why


def test_during_an_incident_the_service_time_is_that_of_what_is_left():
    busy = writing(
        **BESIDE | {"concurrency_per_replica": 8}
    )  # 16 requests at once: three replicas have room for 24
    assert met(busy, requests=10_000)["latency"] is True
    lost = results(busy, requests=10_000, incidents=["zone loss"])
    assert lost["latency"].met is None
    assert lost["latency"].why.startswith("by service_time")
    assert "100 %" in report(busy, seed=1, requests=10_000, incidents=["zone loss"]).text()
    surged = busy.with_part(capacity=busy.capacity.changed(headroom={"share": "0%", "surge": "60%"}))
    assert met(surged, requests=10_000, incidents=["surge"])["latency"] is None


def test_what_both_the_tokens_and_the_service_time_miss_is_missed():
    slow = needing(writing(**BESIDE), budget="2 s", first_token=None)
    assert met(slow, requests=10_000)["latency"] is False


@pytest.mark.parametrize(
    ("accepted", "is_said"),
    [
        ({}, True),
        ({"until": "2999-01-01"}, True),
        ({"until": "2020-01-01"}, False),
        ({"where": "capacity.service_time"}, True),
        ({"rule": "PLANE014"}, False),
    ],
)
def test_a_missed_requirement_is_shown_with_who_accepts_it(accepted, is_said):
    late = needing(planned(), budget="30 ms")
    given = {"rule": "CAP029", "because": "Until the new model", "by": "Head of payments"} | accepted
    late = late.with_part(accepted=[given])
    found = next(
        one for one in report(late, seed=1, requests=20_000).verdicts if "latency" in one.requirement
    )
    assert found.met is False  # what is accepted is still missed
    assert ("accepted by Head of payments" in found.row()[-1]) is is_said


def test_a_doubt_about_one_promise_is_no_reason_for_another():
    found = results(needing(writing(**BESIDE), budget="6 s"), requests=10_000)
    assert found["latency"].met is None
    assert found["first token"].met is True
    assert found["per token"].met is True


def test_an_autoscaler_beside_a_generation_has_a_verdict_at_the_planned_replicas():
    scaler = {"metric": "busy sequences", "delay": "6 min", "minimum": 1, "maximum": 6}
    found = results(writing(**BESIDE | {"concurrency_per_replica": 8}, autoscaler=scaler), requests=10_000)
    assert found["latency"].met is True
    assert found["while load rises"].met is None
    assert "1 of 3" in found["while load rises"].why
    steady = results(writing(**BESIDE, autoscaler=scaler | {"minimum": 3}), requests=10_000)
    assert "while load rises" not in steady
