import json
from contextlib import suppress

import pytest

from mlsd_helpers import cases
from mlsd_helpers.design import CapacityPlan, Design, Requirements
from mlsd_helpers.errors import MlsdError
from mlsd_helpers.simulation import GenerationScenario, Scenario, from_design, report, simulate
from mlsd_helpers.simulation.report import time_elsewhere_s

SMALL = Design(name="small").with_part(
    requirements=Requirements(
        latency={"budget": "300 ms", "percentile": "p99"},
        throughput={"peak": "500 rps"},
        availability={"target": "99.9%"},
    ),
    capacity=CapacityPlan(
        service_time={"mean": "40 ms", "distribution": "exponential"},
        target_utilisation="70%",
        replicas=29,
        zones=3,
    ),
)
WRITER = {
    "model": {"name": "8B", "parameters": 8_030_000_000, "layers": 32, "kv_heads": 8, "head_dim": 128},
    "precision": "bf16",
    "accelerator": {"name": "one", "memory": "80 GB", "bandwidth": "3.35 TB/s", "compute": "989 TFLOP/s"},
    "prompt_tokens": 1_155,
    "output_tokens": 211,
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


def test_a_verdict_is_left_open_when_the_interval_holds_the_limit():
    found = report(SMALL, seed=1, requests=100_000).result.p99_s
    latency = SMALL.requirements.latency.changed(budget=(found.low + found.high) / 2)
    design = SMALL.with_part(requirements=SMALL.requirements.changed(latency=latency))
    assert verdicts(design)["latency, p99"] is None


def test_the_formula_and_the_rule_stand_beside_the_simulation():
    beside = {each.figure: each for each in report(SMALL, seed=1, requests=1_000_000).beside}
    assert beside["p99 of the wait"].formula == pytest.approx(0.0062, abs=5e-5)
    for figure in ("utilisation", "mean wait", "p99 of the wait", "p99 of the latency"):
        assert beside[figure].simulated.value == pytest.approx(beside[figure].formula, rel=0.1)
    assert beside["replicas"].rule == 38
    assert beside["replicas"].simulated.value == 29


def test_the_loss_of_a_zone_is_seen_in_the_utilisation():
    assert verdicts(SMALL)["utilisation"] is True
    assert verdicts(SMALL, incidents=["zone loss"])["utilisation"] is False


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
    design = with_plan(load="100 rps", replicas=20)
    calm, cold = (
        simulate(design, seed=1, incidents=names).utilisation.value for names in ((), ("cold cache",))
    )
    assert (calm, cold) == pytest.approx((0.2, 0.99), abs=0.02)
    with pytest.raises(MlsdError, match="changes nothing"):
        report(SMALL, seed=1, incidents=["cold cache"])


def test_a_stale_pipeline_is_told_by_the_age_of_features():
    stale = report(cases.load("harbour_pay"), seed=1, requests=20_000, incidents=["stale pipeline"])
    missed = {each.requirement for each in stale.verdicts if each.met is False}
    assert "age of merchant_rate_15m" in missed
    assert not stale.met


def test_the_worked_design_meets_what_it_asks_for():
    held = report(cases.load("harbour_pay"), seed=1)
    assert held.met
    assert time_elsewhere_s(cases.load("harbour_pay").requirements) == pytest.approx(0.1)


def test_a_generation_design_is_held_against_its_tokens():
    latency = {"budget": "20 s", "percentile": "p95", "first_token": "1 s", "per_token": "20 ms"}
    requirements = SMALL.requirements.changed(latency=latency, throughput={"peak": "5 rps"})
    design = SMALL.with_part(
        requirements=requirements, capacity=CapacityPlan(replicas=2, zones=2, generation=WRITER)
    )
    assert isinstance(from_design(design), GenerationScenario)
    assert set(verdicts(design)) == {"latency, p95", "first token, p95", "per token, p95", "answered"}
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


def test_progress_is_told_after_each_replication():
    told = []
    simulate(SMALL, seed=1, requests=1_000, progress=lambda done, of: told.append((done, of)))
    assert told == [(number, 10) for number in range(1, 11)]
