import json
import os
from contextlib import suppress

import pytest

from mlsd_helpers import cases
from mlsd_helpers.analysis.whole import Elsewhere
from mlsd_helpers.design import CapacityPlan, DataFlow, Design, Planes, Requirements
from mlsd_helpers.errors import MlsdError
from mlsd_helpers.simulation import (
    Clients,
    GenerationScenario,
    Measured,
    Scenario,
    ZoneLoss,
    from_design,
    report,
    simulate,
)
from mlsd_helpers.simulation.from_design import STALE
from mlsd_helpers.units import minute

ASKED = Planes(
    components=[
        {"id": "app", "kind": "client"},
        {"id": "scorer", "kind": "model server", "availability": "100%"},
    ],
    flows=[{"from": "app", "to": "scorer", "carries": "request"}],
)
SMALL = Design(name="small", planes=ASKED).with_part(
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


def with_plan(**plan):
    return SMALL.with_part(capacity=SMALL.capacity.changed(**plan))


def verdicts(design, **how):
    return {
        each.requirement: each.met for each in report(design, seed=1, **{"requests": 100_000} | how).verdicts
    }


def test_a_requirement_is_met_with_a_central_queue_and_missed_at_random():
    assert verdicts(SMALL) == {"latency, p99": True, "answered": True, "utilisation": True}
    assert verdicts(with_plan(routing="random"))["latency, p99"] is False


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_verdict_is_left_open_when_the_interval_holds_the_limit(share):
    found = report(SMALL, seed=1, requests=100_000).result.p99_s
    latency = SMALL.requirements.latency.changed(budget=found.low + share * (found.high - found.low))
    design = SMALL.with_part(requirements=SMALL.requirements.changed(latency=latency))
    assert verdicts(design)["latency, p99"] is None
    assert report(design, seed=1, requests=100_000).met is None


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_share_that_is_answered_is_left_open_when_the_interval_holds_it(share):
    full = with_plan(queue_limit=0, routing="random", replicas=40)
    found = report(full, seed=1, requests=100_000).result.served
    target = found.low + share * (found.high - found.low)
    wanted = SMALL.requirements.changed(availability={"target": target})
    assert verdicts(full.with_part(requirements=wanted))["answered"] is None
    assert verdicts(full)["answered"] is False


def test_a_fleet_just_below_its_target_utilisation_meets_it():
    busy = with_plan(load="503 rps")  # 0.694 of 0.7
    assert verdicts(busy, requests=1_000_000)["utilisation"] is True


def test_an_incident_begins_where_measuring_does():
    lost = report(with_plan(replicas=36), seed=1, requests=100_000, incidents=["zone loss"]).result
    assert lost.scenario.incidents == (ZoneLoss(0.2 * 10_000 / 500),)


def test_an_autoscaler_is_given_time_to_act():
    scaled = with_plan(autoscaler={"metric": "busy", "delay": "60 s"})
    assert report(scaled, seed=1).result.counts.arrived > 1_000_000
    assert report(SMALL, seed=1).result.counts.arrived == 0.8 * 500_000


def test_time_that_passes_elsewhere_counts_in_the_latency_and_before_the_first_token():
    split = [
        {"part": "network", "time": "100 ms"},
        {"part": "anything", "time": "200 ms", "component": "writer"},
    ]
    latency = {"budget": "30 s", "percentile": "p99", "first_token": "2 s", "per_token": "90 ms"}
    requirements = SMALL.requirements.changed(latency=latency, throughput={"peak": "2 rps"})
    plan = CapacityPlan(component="writer", replicas=2, routing="random", generation=WRITER)
    plain = SMALL.with_part(requirements=requirements, capacity=plan)
    aside = plain.with_part(requirements=requirements.changed(latency=latency | {"split": split}))
    near, far = (
        {each.requirement: each.found.value for each in report(design, seed=1, requests=2_000).verdicts}
        for design in (plain, aside)
    )
    assert far["latency, p99"] - near["latency, p99"] == pytest.approx(0.1)
    assert far["first token, p99"] - near["first token, p99"] == pytest.approx(0.1)
    assert far["per token, p99"] == near["per token, p99"]


def test_the_formula_and_the_rule_stand_beside_the_simulation():
    beside = {each.figure: each for each in report(SMALL, seed=1, requests=1_000_000).beside}
    assert beside["p99 of the wait"].formula == pytest.approx(0.0062, abs=5e-5)
    for figure in ("utilisation", "mean wait", "p99 of the wait", "p99 of the latency"):
        assert beside[figure].simulated.value == pytest.approx(beside[figure].formula, rel=0.1)
    assert beside["replicas"].rule == 29  # no headroom is given
    headroom = with_plan(headroom={"share": "30%"})
    beside = {each.figure: each for each in report(headroom, seed=1, requests=400).beside}
    assert beside["replicas"].rule == 38
    assert beside["replicas"].simulated.value == 29


def test_the_loss_of_a_zone_is_seen_in_the_utilisation():
    spread = with_plan(replicas=36)
    assert verdicts(spread)["utilisation"] is True
    assert verdicts(spread, incidents=["zone loss"])["utilisation"] is False


@pytest.mark.parametrize("incident", ["surge", "rolling restart", "zone loss"])
def test_an_incident_makes_the_tail_no_shorter(incident):
    calm, troubled = (
        report(
            with_plan(queue_limit=5, routing="round robin"), seed=1, requests=100_000, incidents=names
        ).result
        for names in ((), (incident,))
    )
    assert troubled.utilisation.value > calm.utilisation.value
    assert troubled.p99_s.value > calm.p99_s.value


def test_a_cold_cache_lets_the_whole_peak_through():
    cache = {"key": "card", "hit_ratio": "80%"}
    path = {"id": "a", "pattern": "request-time", "share": "100%", "cache": cache}
    design = with_plan(load="100 rps", replicas=20).with_part(pattern={"paths": [path]})
    calm, cold = (
        simulate(design, seed=1, incidents=names).utilisation.value for names in ((), ("cold cache",))
    )
    assert (calm, cold) == pytest.approx((0.2, 0.99), abs=0.02)
    with pytest.raises(MlsdError, match="changes nothing"):
        report(SMALL, seed=1, incidents=["cold cache"])


def test_a_stale_pipeline_makes_features_older_and_no_request_slower():
    calm, stale = (
        report(cases.load("harbour_pay"), seed=1, requests=20_000, incidents=names)
        for names in ((), ["stale pipeline"])
    )
    ages = {each.requirement: each for each in stale.verdicts if each.requirement.startswith("age of")}
    merchant_rate = ages["age of merchant_rate_15m"]
    assert (merchant_rate.found.value, merchant_rate.met) == (25 * minute, False)
    assert ages["age of card_tx_count_10m"].met is True
    assert not stale.met
    assert stale.result.p99_s.value == calm.result.p99_s.value
    assert STALE in stale.notes
    assert (
        STALE
        in simulate(cases.load("harbour_pay"), seed=1, requests=1_000, incidents=["stale pipeline"]).notes
    )


def aged(**feature):
    """Return the worst age of a feature on a path of two stages, the second on the clock of the first."""
    stages = [
        {"id": "count", "period": "10 min"},
        {"id": "publish", "period": "10 min", "synchronised": True, "delays": ["1 min"]},
    ]
    path = {"id": "rate", "source": "payments", "path": ["count", "publish"]}
    design = SMALL.with_part(
        requirements=SMALL.requirements.changed(freshness={"features": "5 min"}),
        dataflow=DataFlow(stages=stages, features=[path | feature]),
    )
    found = report(design, seed=1, requests=1_000, incidents=["stale pipeline"]).verdicts
    return next(each for each in found if each.requirement == "age of rate")


def test_the_age_after_a_missed_run_is_held_against_the_features_own_limit():
    assert aged().found.value == 21 * minute
    limits = [None, "20 min", "21 min", "1 h"]
    assert [aged(sla=limit).met for limit in limits] == [False, False, True, True]


def test_callers_of_the_fleet_give_up_after_the_timeout_of_their_flow():
    design = called({"timeout": "60 ms", "retries": 2}, {"timeout": "2 s"})
    assert from_design(design).clients == Clients(0.060, 2)
    hasty = simulate(called({"timeout": "60 ms"}), seed=1, requests=20_000)
    assert hasty.latency.percentile(0.999).value <= 0.060
    assert hasty.counts.timed_out > 0.1 * hasty.counts.arrived
    assert from_design(called({})).clients == from_design(SMALL).clients == Clients()


def test_a_request_without_an_answer_does_not_make_the_latency_look_better():
    assert verdicts(called({"timeout": "200 ms"}))["latency, p99"] is True
    assert verdicts(called({"timeout": "100 ms"}))["latency, p99"] is False


def called(*calls):
    flows = [
        {"from": f"gateway{n}", "to": "scorer", "carries": "request"} | call for n, call in enumerate(calls)
    ]
    boxes = [{"id": flow["from"], "kind": "api gateway", "latency": "1 ms"} for flow in flows]
    planes = Planes(components=[{"id": "scorer", "kind": "model server"}, *boxes], flows=flows)
    return with_plan(component="scorer").with_part(planes=planes)


@pytest.mark.parametrize("where", ["outside", "above", "pipe", "large"])
def test_a_design_reads_no_other_file_than_one_beside_it(tmp_path, where):
    folder, secret = tmp_path / "design", tmp_path / "secret"
    folder.mkdir()
    secret.write_text("sesame\n")
    os.mkfifo(folder / "pipe")
    with (folder / "large").open("wb") as file:
        file.truncate(100_000_000)
    file = {"outside": str(secret), "above": "../secret"}.get(where, where)
    measured = with_plan(service_time={"mean": "40 ms", "distribution": "measured", "file": file})
    with pytest.raises(MlsdError) as refused:
        from_design(measured, folder=folder)
    assert "sesame" not in str(refused.value)


def test_measured_times_are_read_from_the_file_beside_the_design(tmp_path):
    measured = with_plan(service_time={"mean": "40 ms", "distribution": "measured", "file": "times.txt"})
    (tmp_path / "times.txt").write_text("0.030\n0.030\n\n0.060\n")
    assert from_design(measured, folder=tmp_path).service == Measured((0.03, 0.03, 0.06))
    shown = report(measured, seed=1, requests=20_000, folder=tmp_path)
    assert any("3 measured service times" in note for note in shown.notes)
    assert shown.result.p50_s.value == pytest.approx(0.03)


@pytest.mark.parametrize("text", ["", "\n", "0.03\n40 ms\n", "0\n", "-1", "nan", "inf"])
def test_a_file_without_times_is_refused_with_its_name(tmp_path, text):
    measured = with_plan(service_time={"mean": "40 ms", "distribution": "measured", "file": "times.txt"})
    (tmp_path / "times.txt").write_text(text)
    with pytest.raises(MlsdError, match=r"times\.txt"):
        simulate(measured, seed=1, folder=tmp_path)


def test_the_worked_design_meets_what_it_asks_for():
    held = report(cases.load("harbour_pay"), seed=1)
    assert held.met
    case = cases.load("harbour_pay")
    assert Elsewhere.of(case, case.capacity).most_s == pytest.approx(0.1)


def test_a_generation_design_is_held_against_its_tokens():
    latency = {"budget": "20 s", "percentile": "p95", "first_token": "1 s", "per_token": "20 ms"}
    requirements = SMALL.requirements.changed(latency=latency, throughput={"peak": "5 rps"})
    design = SMALL.with_part(
        requirements=requirements, capacity=CapacityPlan(replicas=2, zones=2, generation=WRITER)
    )
    assert isinstance(from_design(design), GenerationScenario)
    named = {"latency, p95", "first token, p95", "per token, p95", "answered"}
    assert set(verdicts(design)) == named
    busy = design.with_part(capacity=design.capacity.changed(target_utilisation="70%"))
    assert set(verdicts(busy)) == named  # a step is as full as the memory allows: its utilisation says little
    assert verdicts(design, incidents=["zone loss"])["per token, p95"] is True


@pytest.mark.parametrize("name", [name for name in cases.names() if cases.load(name).capacity])
def test_the_capacity_of_every_case_becomes_a_scenario_or_is_refused_in_words(name):
    with suppress(MlsdError):
        assert isinstance(from_design(cases.load(name)), Scenario | GenerationScenario)


INCOMPLETE = {
    "no capacity": Design(name="empty"),
    "no load": Design(name="idle").with_part(capacity={"replicas": 2, "service_time": "40 ms"}),
    "no replicas": with_plan(replicas=None),
    "no service time": with_plan(service_time=None),
    "times in a file": with_plan(
        service_time={"mean": "40 ms", "distribution": "measured", "file": "times.txt"}
    ),
    "too few replicas": with_plan(replicas=20),
}


@pytest.mark.parametrize("what", INCOMPLETE)
def test_a_design_that_lacks_a_number_says_which(what):
    with pytest.raises(MlsdError) as refused:
        simulate(INCOMPLETE[what], seed=1)
    assert any(word in str(refused.value) for word in ("Write", "Add replicas"))


def test_an_unknown_incident_names_the_known_ones():
    with pytest.raises(MlsdError, match="zone loss"):
        simulate(SMALL, seed=1, incidents=["earthquake"])


def test_a_report_shows_itself_as_text_html_and_plain_values():
    shown = report(SMALL, seed=1, requests=20_000)
    assert "verdict" in shown.text()
    assert '<th scope="col">verdict</th>' in shown._repr_html_()
    assert json.loads(json.dumps(shown.as_dict(), allow_nan=False))["verdicts"][0]["unit"] == "s"


def test_progress_is_reported_after_each_replication():
    seen = []
    simulate(SMALL, seed=1, requests=1_000, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(number, 10) for number in range(1, 11)]
