import math

import pytest

from mlsd_helpers.errors import MlsdError, RangeError
from mlsd_helpers.simulation import (
    Autoscaler,
    Batching,
    Bursty,
    Cache,
    Clients,
    ColdCache,
    Constant,
    Diurnal,
    Engine,
    Exponential,
    Fleet,
    GenerationScenario,
    Lognormal,
    Measured,
    PerBatch,
    Poisson,
    ReplicaFailure,
    RollingRestart,
    Scenario,
    Surge,
    Tokens,
    Trace,
    ZoneLoss,
    describe,
    quick,
    simulate,
)

ENGINE = Engine(kv_tokens=1_000, step_s=0.01)


def scenario(rate=8, service=None, fleet=None, *rest, **more):
    return Scenario(Poisson(rate), service or Exponential(1), fleet or Fleet(10, 2), *rest, **more)


INVALID = {
    "no arrivals": lambda: Poisson(0),
    "a rate that is no number": lambda: Poisson(math.nan),
    "more regular than Poisson": lambda: Bursty(5, 0.5),
    "an empty profile": lambda: Diurnal(5, ()),
    "a profile of nothing": lambda: Diurnal(5, (0, 0)),
    "an empty trace": lambda: Trace(()),
    "a trace of one": lambda: Trace((1.0,)),
    "a trace out of order": lambda: Trace((1.0, 0.5)),
    "a trace of one instant": lambda: Trace((1.0, 1.0)),
    "a trace with a hole": lambda: Trace((1.0, math.nan)),
    "no service time": lambda: Constant(0),
    "a negative service time": lambda: Exponential(-1),
    "no spread": lambda: Lognormal(1, 0),
    "an empty sample": lambda: Measured(()),
    "a sample with a zero": lambda: Measured((1.0, 0.0)),
    "a batch that takes no time": lambda: PerBatch(0, 0),
    "a batch of one": lambda: Batching(1, 0),
    "no replicas": lambda: Fleet(0),
    "half a replica": lambda: Fleet(2.5),
    "more zones than replicas": lambda: Fleet(2, 3),
    "an unknown routing": lambda: Fleet(2, routing="least work"),
    "a queue shorter than a batch": lambda: Fleet(2, queue_limit=2, batching=Batching(4, 0)),
    "a fleet above the autoscaler's maximum": lambda: Fleet(9, autoscaler=Autoscaler(0.7, 60, 2, 8)),
    "a target of nothing": lambda: Autoscaler(0, 60, 2, 8),
    "a time-out of nothing": lambda: Clients(timeout_s=0),
    "a thousand retries": lambda: Clients(retries=1_000),
    "more entries than keys": lambda: Cache(11, 10),
    "batches of services that do not tell": lambda: scenario(fleet=Fleet(10, batching=Batching(4, 0))),
    "more than the fleet can do": lambda: scenario(rate=10),
    "more than the autoscaler can add": lambda: scenario(
        20, fleet=Fleet(10, autoscaler=Autoscaler(0.7, 60, 2, 20))
    ),
    "the only zone lost": lambda: scenario(fleet=Fleet(10), incidents=[ZoneLoss(1)]),
    "a zone that is not there": lambda: scenario(incidents=[ZoneLoss(1, zone=2)]),
    "eleven of ten failing": lambda: scenario(incidents=[ReplicaFailure(1, 11)]),
    "a restart of nothing": lambda: scenario(incidents=[RollingRestart(1, 0)]),
    "a surge of nothing": lambda: scenario(incidents=[Surge(1, 0)]),
    "a surge in the past": lambda: scenario(incidents=[Surge(-1, 2)]),
    "a cold cache where none is": lambda: scenario(incidents=[ColdCache(1)]),
    "no requests": lambda: simulate(scenario(), seed=1, requests=0),
    "one replication": lambda: simulate(scenario(), seed=1, replications=1),
    "nothing measured": lambda: simulate(scenario(), seed=1, warm_up=1.0),
    "a negative seed": lambda: simulate(scenario(), seed=-1),
    "a negative seed of quick": lambda: quick(scenario(), seed=-1),
    "a percentile of 99": lambda: quick(scenario(), seed=1).latency.percentile(99),
    "a named incident for a scenario": lambda: simulate(scenario(), seed=1, incidents=["surge"]),
    "no scenario at all": lambda: simulate("500 rps", seed=1),
    "a prompt that never fits": lambda: GenerationScenario(Poisson(1), Tokens(990), Tokens(20), ENGINE),
    "more tokens than the engine writes": lambda: GenerationScenario(
        Poisson(99), Tokens(90), Tokens(90), ENGINE
    ),
}


@pytest.mark.parametrize("what", INVALID)
def test_what_cannot_be_simulated_is_refused_in_plain_words(what):
    with pytest.raises(MlsdError) as refused:
        INVALID[what]()
    words = str(refused.value)
    assert words.endswith(".")
    assert len(words) > 30


def test_an_overload_names_the_utilisation_and_the_way_out():
    with pytest.raises(RangeError, match=r"utilisation 1\.2.*Add replicas"):
        scenario(rate=12)


@pytest.mark.parametrize(
    "bounded",
    [
        lambda: scenario(20, fleet=Fleet(10, queue_limit=5)),
        lambda: scenario(20, None, Fleet(10), Clients(timeout_s=3, stops_work=True)),
    ],
)
def test_a_bounded_overload_is_noted(bounded):
    result = simulate(bounded(), seed=1, requests=20_000)
    assert any(note.startswith("Overloaded") for note in result.notes)
    assert result.served.value < 0.6


def test_a_run_that_is_too_short_says_so():
    assert any(note.startswith("Short") for note in simulate(scenario(9.9), seed=1, requests=2_000).notes)
    assert any(note.startswith("Few") for note in simulate(scenario(), seed=1, requests=2_000).notes)
    assert simulate(scenario(), seed=1).notes == ()


def test_a_scenario_is_described_in_one_line():
    told = describe(scenario(fleet=Fleet(10, 2), incidents=[ZoneLoss(60)]))
    assert (
        told == "Poisson(rate_rps=8), Exponential(mean_s=1), Fleet(replicas=10, zones=2), ZoneLoss(at_s=60)"
    )
    assert describe(Trace((1, 2, 3))) == "Trace(3 times_s)"
