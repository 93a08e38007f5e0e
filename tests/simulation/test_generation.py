import math

import numpy as np
import pytest

from mlsd_helpers import formulas as f
from mlsd_helpers.simulation import Engine, GenerationScenario, Poisson, Tokens, simulate
from mlsd_helpers.simulation.draws import generators, normal_pairs
from mlsd_helpers.simulation.generation import one_run

H100_8B = Engine(
    426_788, 16.06e9 / 3.35e12, 131_072 / 3.35e12, prefill_per_token_s=2 * 8.03e9 / (989e12 * 0.5)
)


def token_by_token(scenario, rows):
    """Do every step on its own: the slow way that says what is right."""
    engine, clock, reserved, late = scenario.engine, 0.0, 0, 0
    active, line = {}, []
    first_s, latency_s = np.zeros(len(rows)), np.zeros(len(rows))
    while late < len(rows) or line or active:
        if not active and not line:
            clock = max(clock, rows["arrival_s"][late])
        while late < len(rows) and rows["arrival_s"][late] <= clock:
            if rows["prompt"][late] + rows["output"][late] <= engine.kv_tokens:
                line.append(late)
            late += 1
        if (
            line
            and len(active) < engine.most_sequences
            and reserved + size(rows, line[0]) <= engine.kv_tokens
        ):
            new = line.pop(0)
            clock += engine.prefill_s + engine.prefill_per_token_s * rows["prompt"][new]
            first_s[new], active[new] = clock - rows["arrival_s"][new], 1
            reserved += size(rows, new)
        elif active:
            context = sum(rows["prompt"][one] + written for one, written in active.items())
            clock += (
                engine.step_s + engine.step_per_sequence_s * len(active) + engine.step_per_token_s * context
            )
            active = {one: written + 1 for one, written in active.items()}
        for one in [one for one, written in active.items() if written == rows["output"][one]]:
            latency_s[one] = clock - rows["arrival_s"][one]
            reserved -= size(rows, one)
            del active[one]
    return first_s, latency_s


def size(rows, request):
    return rows["prompt"][request] + rows["output"][request]


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
    rows, _ = one_run(scenario, 400, generators(seed, 1)[0])
    served = rows["end"] == 1
    first_s, latency_s = token_by_token(scenario, rows)
    assert rows["first_token_s"][served] == pytest.approx(first_s[served], abs=1e-9)
    assert rows["latency_s"][served] == pytest.approx(latency_s[served], abs=1e-9)
    assert ((rows["prompt"] + rows["output"] <= engine.kv_tokens) == served).all()
    assert rows["wait_s"].max() > 0


def test_lengths_are_drawn_from_independent_normal_values():
    pairs = np.array(normal_pairs(400_000, generators(1, 1)[0]), float)
    assert pairs.mean(axis=1) == pytest.approx([0, 0], abs=0.01)
    assert np.cov(pairs) == pytest.approx(np.eye(2), abs=0.01)
    shares, exact = (0.001, 0.1, 0.5, 0.9, 0.999), (-3.0902, -1.2816, 0, 1.2816, 3.0902)
    assert np.quantile(pairs, shares, axis=1) == pytest.approx(np.array([exact, exact]).T, abs=0.05)


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
    rows, engines = one_run(scenario, 3_000, generators(1, 1)[0])
    assert (rows["end"] == 1).all()
    assert (rows["first_token_s"] <= rows["latency_s"]).all()
    assert engines["reserved"].tolist() == engines["context"].tolist() == [0, 0, 0, 0]
    assert not math.isnan(simulate(scenario, seed=1, requests=3_000).p99_s.value)
