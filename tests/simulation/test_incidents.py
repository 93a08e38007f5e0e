"""What fails, what comes back, and what clients make of it."""

import math

import pytest

from mlsd_helpers.formulas import mean_wait_s
from mlsd_helpers.simulation import (
    Autoscaler,
    Cache,
    Clients,
    ColdCache,
    Constant,
    Exponential,
    Fleet,
    Poisson,
    ReplicaFailure,
    RollingRestart,
    Scenario,
    Surge,
    Trace,
    ZoneLoss,
    simulate,
)
from mlsd_helpers.simulation.draws import generators
from mlsd_helpers.simulation.running import one_run


def steadily(gap_s=1.0, count=400):
    """Arrivals at 0, 1, 2 … s: everything below can be followed by hand."""
    return Trace(tuple(gap_s * number for number in range(count)))


def rows(scenario, requests=100):
    return one_run(scenario, requests, 0, generators(1, 1)[0])


def test_first_come_is_first_served_in_a_queue():
    scenario = Scenario(Trace((0, 0.1, 0.2, 99)), Constant(1), Fleet(1))
    assert rows(scenario, 3)[1]["wait_s"].tolist() == pytest.approx([0, 0.9, 1.8])


def test_a_crash_loses_what_is_in_service_and_nothing_else():
    alone = Scenario(steadily(), Constant(0.5), Fleet(1), incidents=[ReplicaFailure(10.2, lasts_s=2.5)])
    sums, requests, _ = rows(alone)
    lost = [
        number
        for number in range(100)
        if math.isnan(requests["latency_s"][number]) or requests["end"][number] != 1
    ]
    assert lost == [10]
    assert sums["busy_s"] == pytest.approx(99 * 0.5 + 0.2)  # the lost one had worked for 0.2 s
    assert requests["latency_s"][11:15].tolist() == pytest.approx(
        [2.2, 1.7, 1.2, 0.7]
    )  # they waited for its return


def test_a_lost_zone_takes_its_share_of_the_replicas():
    scenario = Scenario(Poisson(1), Constant(1), Fleet(9, 3), incidents=[ZoneLoss(0)])
    assert simulate(scenario, seed=1).utilisation.value == pytest.approx(1 / 6, rel=0.02)


def test_the_theory_of_fewer_replicas_holds_after_a_zone_loss():
    scenario = Scenario(Poisson(5), Exponential(1), Fleet(9, 3), incidents=[ZoneLoss(0)])
    held = sum(
        mean_wait_s(6, 5, 1) in simulate(scenario, seed=seed, requests=40_000).wait.mean_s
        for seed in range(40)
    )
    assert held >= 33


@pytest.mark.parametrize("routing", ["central queue", "round robin"])
def test_a_rolling_restart_loses_nothing_and_takes_a_share_away_at_a_time(routing):
    restart = RollingRestart(10, share=0.25, each_s=20)
    scenario = Scenario(Poisson(30), Constant(0.1), Fleet(8, routing=routing), incidents=[restart])
    result = simulate(scenario, seed=1, requests=30_000)
    assert result.counts.lost == result.counts.shed == 0
    sums, _, _ = rows(scenario, 3_000)
    away_s = 8 * 20  # each of eight replicas, once, for twenty seconds
    assert sums["up_s"] == pytest.approx(8 * sums["clock"] - away_s, rel=1e-6)


def test_with_no_replica_left_requests_wait_in_a_central_queue_and_are_turned_away_elsewhere():
    for routing, ends in (("central queue", (0, 90)), ("random", (90, 0))):
        fleet = Fleet(2, routing=routing)
        scenario = Scenario(steadily(), Constant(0.1), fleet, incidents=[ReplicaFailure(9.5, replicas=2)])
        end = rows(scenario)[1]["end"]
        assert ((end == 2).sum(), (end == 0).sum()) == ends


def test_an_autoscaler_adds_replicas_only_after_its_delay():
    scaler = Autoscaler(target=0.9, delay_s=60, minimum=12, maximum=40, period_s=30)
    fleet = Fleet(12, autoscaler=scaler)
    surge = Scenario(Poisson(8), Exponential(1), fleet, incidents=[Surge(300, 2.5)])
    _, requests, _ = rows(surge, 12_000)
    arrived, wait = requests["arrival_s"], requests["wait_s"]
    assert wait[(arrived > 200) & (arrived < 300)].mean() < 0.5
    assert wait[(arrived > 340) & (arrived < 360)].mean() > 5
    assert wait[(arrived > 550) & (arrived < 700)].mean() < 0.5


def test_an_autoscaler_gives_replicas_back_after_a_calm():
    scaler = Autoscaler(target=0.7, delay_s=10, minimum=2, maximum=20, period_s=5, calm_s=60)
    scenario = Scenario(Poisson(2), Exponential(1), Fleet(20, autoscaler=scaler))
    assert simulate(scenario, seed=1, requests=100_000).utilisation.value == pytest.approx(0.45, abs=0.15)


def test_a_cold_cache_brings_the_whole_load_to_the_fleet():
    cache = Cache(100, 1_000, starts_warm=True)
    scenario = Scenario(Poisson(10), Constant(0.01), Fleet(2), cache=cache, incidents=[ColdCache(100)])
    attempts = rows(scenario, 2_000)[2]
    sent = attempts["sent_s"]
    before, after = ((sent > start) & (sent < start + 5) for start in (95, 100))
    assert after.sum() > 1.5 * before.sum()


# ---------------------------------------------------------------- clients


def at_load(busy, **clients):
    return Scenario(Poisson(100 * busy), Exponential(1), Fleet(100), Clients(**clients))


def test_retries_turn_a_dip_into_a_lasting_failure():
    trouble = [ReplicaFailure(200, replicas=50, lasts_s=30)]
    stubborn = {"timeout_s": 4.0, "retries": 3}
    alone = {
        busy: simulate(at_load(busy, **stubborn), seed=1, requests=400_000, incidents=trouble).served.value
        for busy in (0.2, 0.85)
    }
    assert alone[0.2] > 0.9
    assert alone[0.85] < 0.5
    with_budget = at_load(0.85, retry_budget=0.1, **stubborn)
    assert simulate(with_budget, seed=1, requests=400_000, incidents=trouble).served.value > alone[0.85] + 0.2


def test_an_answer_after_its_client_gave_up_is_wasted_and_not_served_twice():
    scenario = Scenario(steadily(4.0), Constant(1.5), Fleet(1), Clients(timeout_s=1.0, retries=1))
    sums, requests, attempts = rows(scenario, 50)
    assert (requests["end"] == 3).all()  # every attempt takes longer than its client waits
    assert len(attempts) == sums["wasted"] == 100


def test_a_retry_is_served_and_its_latency_counts_from_the_first_attempt():
    scenario = Scenario(
        Trace((0, 0.1, 99)), Constant(1), Fleet(1, queue_limit=0), Clients(retries=1, backoff_s=1.5)
    )
    requests = rows(scenario, 2)[1]
    assert requests["latency_s"].tolist() == pytest.approx([1.0, 2.5])


def test_a_retry_budget_lets_through_its_share():
    everything_late = Clients(timeout_s=0.5, retries=3, retry_budget=0.1, retry_burst=10)
    scenario = Scenario(Poisson(1), Constant(1), Fleet(10), everything_late)
    result = simulate(scenario, seed=1, requests=10_000)
    assert result.attempts == pytest.approx(11_000, rel=0.01)
