import hashlib
import json
import subprocess
import sys

import pytest

from mlsd_helpers.simulation import (
    COMPILED,
    Autoscaler,
    Batching,
    Bursty,
    Cache,
    Clients,
    Constant,
    Engine,
    Exponential,
    Fleet,
    GenerationScenario,
    Lognormal,
    PerBatch,
    Poisson,
    RollingRestart,
    Scenario,
    Surge,
    Tokens,
    ZoneLoss,
    generation,
    quick,
    simulate,
)
from mlsd_helpers.simulation.draws import generators
from mlsd_helpers.simulation.fleet import SERVED
from mlsd_helpers.simulation.running import one_run

IMPATIENT = Clients(2.0, retries=2, backoff_s=0.3, retry_budget=0.2)
TROUBLE = (ZoneLoss(30, lasts_s=40), RollingRestart(100, 0.4, 10), Surge(150, 2, 20))
EVERY_FEATURE = [
    Scenario(Poisson(8), Exponential(1), Fleet(10)),
    Scenario(Bursty(8, 3), Lognormal(1, 2), Fleet(10, 2, routing="random"), IMPATIENT, None, TROUBLE),
    Scenario(
        Bursty(8, 3),
        Constant(1),
        Fleet(10, 2, routing="power of two", queue_limit=4),
        IMPATIENT,
        None,
        TROUBLE,
    ),
    Scenario(
        Poisson(8), Exponential(1), Fleet(10, routing="join the shortest queue"), cache=Cache(5, 50, ttl_s=9)
    ),
    Scenario(
        Poisson(30),
        PerBatch(0.4, 0.1),
        Fleet(4, 2, 2, "round robin", None, Batching(6, 0.2)),
        IMPATIENT,
        None,
        TROUBLE,
    ),
    Scenario(
        Poisson(8),
        Exponential(1),
        Fleet(10, 2, autoscaler=Autoscaler(0.7, 20, 5, 20, 5, calm_s=30)),
        Clients(3, 1, stops_work=True),
        incidents=TROUBLE,
    ),
]
PLAIN_QUEUES = [
    Scenario(Bursty(8, 3), Lognormal(1, 2), Fleet(10)),
    Scenario(Poisson(7), Exponential(1), Fleet(10, routing="random")),
    Scenario(Poisson(7), Constant(1), Fleet(10, routing="round robin")),
]
WRITER = GenerationScenario(
    Poisson(3), Tokens(300), Tokens(40), Engine(4000, 0.01, 1e-5, 1e-4, 1e-4, 0.001, 6), 2
)


def fingerprints():
    """Return one digest for each run, of every bit that came out."""
    for scenario in EVERY_FEATURE:
        yield from one_run(scenario, 2_000, 200, generators(7, 1)[0])[1:]
    for scenario in PLAIN_QUEUES:
        result = quick(scenario, seed=7, requests=3_200)
        yield from (result.latency.counts, result.latency.sums, result.wait.counts, result.wait.sums)
    asked = generation.requests_of(WRITER, 2_000, 7, 0)
    outcomes, engines = generation.serve(WRITER, asked)
    served = outcomes["end"] == SERVED
    yield from (*asked, served)
    yield from (
        engines[name] for name in engines.dtype.names if name != "head"
    )  # nobody waits: it says nothing
    yield from (outcomes[name][served] for name in ("latency_s", "wait_s", "first_token_s", "per_token_s"))
    for what in (EVERY_FEATURE[1], WRITER):
        result = simulate(what, seed=7, requests=3_000)
        for times in filter(None, (result.latency, result.wait, result.first_token, result.per_token)):
            yield from (times.counts, times.sums)


def digests():
    return [hashlib.sha256(rows.tobytes()).hexdigest()[:16] for rows in fingerprints()]


WITHOUT_NUMBA = """
import sys, runpy
sys.modules["numba"] = None
names = runpy.run_path(sys.argv[1])
assert not names["COMPILED"]
import json
print(json.dumps(names["digests"]()))
"""


@pytest.mark.processes
def test_plain_python_gives_the_same_results_to_the_last_bit():
    assert COMPILED, "numba is not installed here: this test has nothing to compare"
    plain = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMBA, __file__], capture_output=True, check=True, text=True
    )
    assert json.loads(plain.stdout) == digests()
