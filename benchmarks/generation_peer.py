"""Generation beside vllm-sr-sim: Poisson arrivals, lognormal prompts and answers, one H100, CPU time per request.

The models differ (slots there, a roofline here), so only the cost of simulating is comparable.
"""

import itertools
import random

from benchmarks.peers import Waits, main

RATE, PROMPT, ANSWER = 5.53, 1_155, 211


def vllm_sr_sim(requests: int) -> Waits:
    """Simulate with vllm-sr-sim, and return its p50 and p99 to the first token in seconds."""
    from fleet_sim.core.fleet import Fleet, FleetConfig, PoolConfig  # noqa: PLC0415
    from fleet_sim.core.request import Request  # noqa: PLC0415
    from fleet_sim.gpu_profiles.profiles import H100_80GB  # noqa: PLC0415

    draw, now, arrivals = random.Random(1), 0.0, []
    for number in range(requests):
        now += draw.expovariate(RATE)
        lengths = [max(1, round(mean * draw.lognormvariate(-0.347, 0.833))) for mean in (PROMPT, ANSWER)]
        arrivals.append((now, Request(number, now, *lengths)))
    pools = [PoolConfig("all", H100_80GB, 1, 65_536)]
    result = Fleet(FleetConfig(pools, router_type="RandomRouter")).run(arrivals)
    return result.percentile("ttft", 50), result.percentile("ttft", 99)


def ours(requests: int) -> Waits:
    """Simulate with `mlsd_helpers.simulation`, and return its p50 and p99 to the first token in seconds."""
    return _ours(requests, next(_SEEDS))


def ours_same_requests(requests: int) -> Waits:
    """Simulate the cached requests of the previous run, as for a comparison of engines."""
    return _ours(requests, 0)


_SEEDS = itertools.count(1)


def _ours(requests: int, seed: int) -> Waits:
    from mlsd_helpers.simulation import Engine, GenerationScenario, Poisson, Tokens, simulate  # noqa: PLC0415

    engine = Engine(426_788, 16.06e9 / 3.35e12, 131_072 / 3.35e12, prefill_per_token_s=3.25e-5)
    result = simulate(
        GenerationScenario(Poisson(RATE), Tokens(PROMPT), Tokens(ANSWER), engine),
        seed=seed,
        requests=requests,
    )
    assert result.first_token
    return result.first_token.percentile(0.5).value, result.first_token.percentile(0.99).value


if __name__ == "__main__":
    main(
        {
            "vllm-sr-sim": vllm_sr_sim,
            "mlsd generation": ours,
            "mlsd generation, same requests": ours_same_requests,
        }
    )
