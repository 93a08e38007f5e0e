import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from mlsd_helpers import formulas as f
from mlsd_helpers.simulation import Engine, GenerationScenario, Poisson, Tokens, simulate
from mlsd_helpers.simulation.draws import generators, lengths, tails
from mlsd_helpers.simulation.generation import requests_of, serve, steps_to_fill

H100_8B = Engine(
    426_788, 16.06e9 / 3.35e12, 131_072 / 3.35e12, prefill_per_token_s=2 * 8.03e9 / (989e12 * 0.5)
)


def token_by_token(scenario, asked):
    """Do every step on its own: the slow way that says what is right."""
    engine, clock, reserved, late, requests = scenario.engine, 0.0, 0, 0, len(asked.arrival_s)
    active, line = {}, []
    first_s, latency_s = np.zeros(requests), np.zeros(requests)
    while late < requests or line or active:
        if not active and not line:
            clock = max(clock, asked.arrival_s[late])
        while late < requests and asked.arrival_s[late] <= clock:
            if size(asked, late) <= engine.kv_tokens:
                line.append(late)
            late += 1
        if (
            line
            and len(active) < engine.most_sequences
            and reserved + size(asked, line[0]) <= engine.kv_tokens
        ):
            new = line.pop(0)
            clock += engine.prefill_s + engine.prefill_per_token_s * asked.prompt[new]
            first_s[new], active[new] = clock - asked.arrival_s[new], 1
            reserved += size(asked, new)
        elif active:
            context = sum(asked.prompt[one] + written for one, written in active.items())
            clock += (
                engine.step_s + engine.step_per_sequence_s * len(active) + engine.step_per_token_s * context
            )
            active = {one: written + 1 for one, written in active.items()}
        for one in [one for one, written in active.items() if written == asked.output[one]]:
            latency_s[one] = clock - asked.arrival_s[one]
            reserved -= size(asked, one)
            del active[one]
    return first_s, latency_s


def size(asked, request):
    return asked.prompt[request] + asked.output[request]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "engine",
    [
        Engine(2_000, 0.01, 1e-5, 1e-4, 1e-4, 0.001, 6),
        Engine(1_500, 0.01, most_sequences=50),
        Engine(900, 0.02, 1e-6),
    ],
)
def test_the_fast_way_gives_what_every_token_alone_gives(engine, seed):
    scenario = GenerationScenario(Poisson(1.5), Tokens(150), Tokens(20), engine)
    asked = requests_of(scenario, 400, seed, 0)
    outcomes, _ = serve(scenario, asked)
    served = outcomes["end"] == 1
    first_s, latency_s = token_by_token(scenario, asked)
    assert outcomes["first_token_s"][served] == pytest.approx(first_s[served], abs=1e-9)
    assert outcomes["latency_s"][served] == pytest.approx(latency_s[served], abs=1e-9)
    assert ((asked.prompt + asked.output <= engine.kv_tokens) == served).all()
    assert outcomes["wait_s"][served].max() > 0


@pytest.mark.parametrize("growth_s", [0.0, 1e-9, 1e-4, 0.01])
@pytest.mark.parametrize("gap_s", [1e-6, 0.0099, 0.01, 0.0101, 0.37, 25.0])
def test_a_gap_takes_as_many_steps_as_counting_says(growth_s, gap_s):
    steps, passed_s = 0, 0.0
    while passed_s < gap_s * (1 - 1e-12):
        passed_s += 0.01 + growth_s * steps
        steps += 1
    assert steps_to_fill(0.01, growth_s, gap_s) == steps


def test_lengths_are_lognormal_to_the_far_end():
    shares = np.array([1e-6, 1e-4, 0.01, 0.3, 0.4999, 0.5001, 0.7, 0.99, 0.9999, 1 - 1e-6])
    draws = np.where(shares < 0.5, shares, shares - 1) * 2**32  # their size is the share beyond
    spread = math.sqrt(math.log1p(1.5))
    exact = [100_000 * math.exp(spread * NormalDist().inv_cdf(share) - spread**2 / 2) for share in shares]
    assert lengths(100_000, 1.5, draws) == pytest.approx(exact, rel=3e-5, abs=0.51)


def test_no_length_is_nothing():
    assert lengths(1, 9, tails(1_000, generators(1, 1)[0])).min() == 1


def test_a_length_beyond_all_memory_stays_positive():
    assert lengths(1e9, 30, np.array([-0.5])).tolist() == [2**30]


def test_draws_are_spread_evenly_and_one_says_nothing_of_the_next():
    drawn = tails(400_001, generators(1, 1)[0])
    assert len(drawn) == 400_001
    shares = np.where(drawn > 0, drawn, drawn + 2**32) / 2**32
    assert np.histogram(shares, 20, (0, 1))[0] == pytest.approx(20_000, rel=0.03)
    for apart in (1, 2):
        assert np.corrcoef(shares[:-apart], shares[apart:])[0, 1] == pytest.approx(0, abs=0.01)


def test_the_same_seed_brings_the_same_requests_to_another_engine():
    one = GenerationScenario(Poisson(4), Tokens(1_155), Tokens(211), H100_8B)
    other = replace(one, engine=replace(H100_8B, step_s=0.01), replicas=2, routing="random")
    for number in range(2):
        for mine, theirs in zip(
            requests_of(one, 500, 1, number)[:3], requests_of(other, 500, 1, number)[:3], strict=True
        ):
            assert (mine == theirs).all()
    assert (requests_of(one, 500, 1, 0).prompt != requests_of(one, 500, 1, 1).prompt).any()
    assert (requests_of(one, 500, 1, 0).prompt != requests_of(one, 500, 2, 0).prompt).any()


def test_one_sequence_at_a_time_is_a_queue_with_one_server():
    engine = Engine(10_000, step_s=0.01, prefill_s=0.01, most_sequences=1)
    scenario = GenerationScenario(Poisson(8), Tokens(50, 0), Tokens(10, 0), engine)
    exact = f.md1_mean_wait_s(8, 0.1)
    assert (
        sum(exact in simulate(scenario, seed=seed, requests=40_000).wait.mean_s for seed in range(40)) >= 33
    )


def test_the_first_token_and_the_steps_of_a_lone_request_are_the_rooflines():
    scenario = GenerationScenario(Poisson(0.001), Tokens(2_048, 0), Tokens(200, 0), H100_8B)
    result = simulate(scenario, seed=1, requests=1_000)
    assert result.first_token.percentile(0.5).value == pytest.approx(0.0665, abs=5e-4)
    assert result.per_token.percentile(0.5).value == pytest.approx(
        1 / 208.6 + 2148 * 131_072 / 3.35e12, rel=1e-3
    )


def test_the_conversation_trace_keeps_as_many_sequences_as_littles_law_says():
    engine = Engine(10**7, step_s=0.025, most_sequences=1_000)
    scenario = GenerationScenario(Poisson(5.53), Tokens(1_155), Tokens(211), engine)
    latency_s = simulate(scenario, seed=1).mean_s.value
    assert f.littles_law(5.53, latency_s) == pytest.approx(29.2, rel=0.02)


def test_the_shortest_queue_is_found_among_all():
    fleets = (
        GenerationScenario(Poisson(20), Tokens(1_155), Tokens(211), H100_8B, 4, routing)
        for routing in ("join the shortest queue", "random")
    )
    (shortest, evenly), (_, by_chance) = (serve(one, requests_of(one, 5_000, 1, 0)) for one in fleets)
    assert evenly["busy_s"].min() > 0.9 * evenly["busy_s"].max() > 0
    assert (shortest["end"] == 1).all()
    assert evenly["sojourn_s"].sum() < by_chance["sojourn_s"].sum()


def test_engines_that_are_settled_beforehand_share_the_requests():
    fleet = GenerationScenario(Poisson(20), Tokens(1_155), Tokens(211), H100_8B, 4, "round robin")
    assert requests_of(fleet, 10, 1, 0).engine.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    by_chance = replace(fleet, routing="random")
    one, other = (requests_of(by_chance, 40_000, 1, number).engine for number in range(2))
    assert np.bincount(one) == pytest.approx(10_000, rel=0.05)
    assert (one == other).mean() == pytest.approx(1 / 4, abs=0.02)


def test_an_answer_of_one_token_has_no_time_per_token():
    scenario = GenerationScenario(Poisson(2), Tokens(1_155), Tokens(1, 0), H100_8B)
    result = simulate(scenario, seed=1, requests=1_000)
    assert (result.per_token.size, result.first_token.size) == (0, 900)


def test_more_memory_for_the_cache_shortens_the_wait():
    waits = [
        simulate(
            GenerationScenario(Poisson(4), Tokens(1_155), Tokens(211), Engine(kv_tokens, 0.02)), seed=1
        ).wait.mean_s.value
        for kv_tokens in (40_000, 60_000, 400_000)
    ]
    assert waits == sorted(waits, reverse=True)


@pytest.mark.parametrize("routing", ["random", "round robin", "join the shortest queue"])
def test_every_request_is_served_once_on_several_replicas(routing):
    scenario = GenerationScenario(Poisson(20), Tokens(1_155), Tokens(211), H100_8B, 4, routing)
    outcomes, engines = serve(scenario, requests_of(scenario, 3_000, 1, 0))
    assert (outcomes["end"] == 1).all()
    assert (outcomes["first_token_s"] <= outcomes["latency_s"]).all()
    assert engines["reserved"].tolist() == engines["context"].tolist() == [0, 0, 0, 0]
    assert not math.isnan(simulate(scenario, seed=1, requests=3_000).p99_s.value)
