"""L = λW, however the number in the system is counted: by the loop, by the engines, or event by event here."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.simulation import (
    Bursty,
    Constant,
    Engine,
    Exponential,
    Fleet,
    GenerationScenario,
    Lognormal,
    Poisson,
    Scenario,
    Tokens,
    erlang_c_grid,
    quick,
    simulate,
    wait_percentile_grid_s,
)
from mlsd_helpers.simulation.quick import LANES, _choices, _lanes
from tests.effort import examples

ROUTINGS = ["random", "round robin", "join the shortest queue"]
few = settings(max_examples=examples(40), deadline=None)


def answered_at(arrival_s, work_s, choice, places):
    """Serve one request after the other, from one heap of free places or at the place of its own."""
    own, free, done_s = [0.0] * places, [0.0] * places, []
    for request, now in enumerate(arrival_s):
        queue = own if len(choice) else free
        earliest = queue[choice[request]] if len(choice) else heapq.heappop(free)
        done_s.append(max(now, earliest) + work_s[request])
        if len(choice):
            own[choice[request]] = done_s[-1]
        else:
            heapq.heappush(free, done_s[-1])
    return np.array(done_s)


def person_seconds(arrival_s, done_s):
    """Count who is in the system from one event to the next: the mean number × the time."""
    at_s = np.concatenate([arrival_s, done_s])
    order = np.argsort(at_s, kind="stable")
    inside = np.cumsum(np.repeat([1, -1], len(arrival_s))[order])
    return float(inside[:-1] @ np.diff(at_s[order]))


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(Poisson(8), Exponential(1), Fleet(10)),
        Scenario(Bursty(8, 3), Lognormal(1, 2), Fleet(10)),
        Scenario(Poisson(7), Exponential(1), Fleet(10, routing="random")),
        Scenario(Poisson(7), Constant(1), Fleet(10, routing="round robin")),
    ],
)
def test_it_holds_in_every_lane_of_the_sliders_path(scenario):
    each = 500
    result = quick(scenario, seed=3, requests=each * LANES, warm_up=0.0)
    passed, gap_s, work, mean_s = _lanes(scenario, each, 3)
    choice = _choices(scenario.fleet.routing, 10, each, 3)
    for lane in range(LANES):
        arrival_s = passed[:, lane] * gap_s
        done_s = answered_at(
            arrival_s, work[:, lane] * mean_s, choice[:, lane] if len(choice) else choice, places=10
        )
        assert result.latency.sums[lane].sum() == pytest.approx(person_seconds(arrival_s, done_s), rel=1e-9)


@given(
    st.floats(0.1, 1.2),
    st.sampled_from(ROUTINGS),
    st.integers(1, 3),
    st.integers(900, 4_000),
    st.integers(1, 9),
    st.integers(0, 2**32),
)
@few
def test_it_holds_for_generation(rate_rps, routing, replicas, kv_tokens, most, seed):
    engine = Engine(kv_tokens, 0.01, 1e-5, 1e-4, 1e-4, 0.001, most)
    scenario = GenerationScenario(Poisson(rate_rps), Tokens(150), Tokens(20), engine, replicas, routing)
    assert simulate(scenario, seed=seed, requests=600, replications=2).littles_law_error < 1e-9


@pytest.mark.parametrize("servers", [1, 10, 50])
def test_it_holds_on_the_grid(servers):
    loads = np.array([0.8, 0.9, 0.95]) * servers
    shares = (np.arange(2_000) + 0.5) / 2_000
    mean_wait_s = np.mean([wait_percentile_grid_s(servers, loads, 1.0, share) for share in shares], axis=0)
    in_line = erlang_c_grid(servers, loads) * loads / (servers - loads)  # of M/M/c, by its states
    assert loads * mean_wait_s == pytest.approx(in_line, rel=0.01)
    assert in_line[0] == pytest.approx(f.littles_law(loads[0], f.mean_wait_s(servers, loads[0], 1)))
