import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers.simulation import (
    ROUTINGS,
    Autoscaler,
    Batching,
    Bursty,
    Cache,
    Clients,
    ColdCache,
    Constant,
    Diurnal,
    Exponential,
    Fleet,
    Lognormal,
    Measured,
    PerBatch,
    Poisson,
    ReplicaFailure,
    RollingRestart,
    Scenario,
    Surge,
    Trace,
    ZoneLoss,
    quick,
    simulate,
)
from mlsd_helpers.simulation.draws import generators
from mlsd_helpers.simulation.running import one_run
from tests.effort import examples

few = settings(max_examples=examples(60), deadline=None)
seeds = st.integers(0, 2**32)
times_s = st.floats(0, 30)
lasting_s = st.floats(0.1, 30)

arrivals = st.one_of(
    st.builds(Poisson, st.floats(0.1, 20)),
    st.builds(Bursty, st.floats(0.1, 20), st.floats(1, 10), st.sampled_from([1.0, 5.0])),
    st.builds(
        Diurnal, st.floats(0.1, 20), st.lists(st.floats(0.1, 3), min_size=1, max_size=5), st.floats(1, 100)
    ),
    st.builds(
        lambda gaps: Trace([sum(gaps[:n]) for n in range(len(gaps) + 1)]),
        st.lists(st.floats(0.01, 2), min_size=3),
    ),
)
services = st.one_of(
    st.builds(Constant, st.floats(0.01, 3)),
    st.builds(Exponential, st.floats(0.01, 3)),
    st.builds(Lognormal, st.floats(0.01, 3), st.floats(0.1, 4)),
    st.builds(Measured, st.lists(st.floats(0.01, 3), min_size=1, max_size=5)),
)
clients = st.builds(
    Clients,
    st.floats(0.05, 5),
    st.integers(0, 3),
    st.floats(0, 1),
    st.none() | st.floats(0, 0.5),
    st.just(2.0),
    st.booleans(),
)
incidents = st.lists(
    st.one_of(
        st.builds(ReplicaFailure, times_s, st.integers(1, 2), lasting_s),
        st.builds(ZoneLoss, times_s, st.just(0), lasting_s),
        st.builds(RollingRestart, times_s, st.floats(0.1, 1), lasting_s),
        st.builds(Surge, times_s, st.floats(0.5, 4), lasting_s),
    ),
    max_size=3,
)


@st.composite
def scenarios(draw):
    """Any scenario that something bounds: clients give up."""
    replicas = draw(st.integers(2, 6))
    batching = draw(st.none() | st.builds(Batching, st.integers(2, 5), st.floats(0, 0.5)))
    scaler = draw(
        st.none()
        | st.builds(
            Autoscaler,
            st.just(0.7),
            st.floats(0, 20),
            st.just(1),
            st.just(9),
            st.just(2.0),
            calm_s=st.just(5.0),
        )
    )
    limit = draw(st.none() | st.integers(5, 9))
    fleet = Fleet(
        replicas, 2, draw(st.integers(1, 3)), draw(st.sampled_from(ROUTINGS)), limit, batching, scaler
    )
    service = PerBatch(draw(st.floats(0.01, 1)), draw(st.floats(0, 0.2))) if batching else draw(services)
    cache = draw(
        st.none()
        | st.builds(
            Cache,
            st.integers(1, 5),
            st.just(9),
            st.floats(0, 2),
            st.none() | st.floats(0.1, 9),
            starts_warm=st.booleans(),
        )
    )
    happening = draw(incidents) + ([ColdCache(draw(times_s))] if cache else [])
    return Scenario(draw(arrivals), service, fleet, draw(clients), cache, happening)


@given(scenarios(), seeds)
@few
def test_nothing_is_lost_without_being_counted(scenario, seed):
    counts = simulate(scenario, seed=seed, requests=600, replications=2).counts
    assert (
        counts.arrived
        == counts.served + counts.shed + counts.timed_out + counts.lost + counts.in_flight
        == 540
    )
    assert counts.in_flight == 0  # clients give up, so that every request ends


@given(scenarios(), seeds)
@few
def test_littles_law_holds_in_every_run(scenario, seed):
    assert simulate(scenario, seed=seed, requests=600, replications=2).littles_law_error < 1e-9


@given(scenarios(), seeds)
@few
def test_percentiles_are_in_order_and_within_the_time_that_clients_wait(scenario, seed):
    result = simulate(scenario, seed=seed, requests=600, replications=2)
    if result.counts.served:
        values = [result.latency.percentile(share).value for share in (0.01, 0.5, 0.95, 0.99, 0.999)]
        assert values == sorted(values)
        attempts = 1 + scenario.clients.retries
        longest_s = (
            attempts * scenario.clients.timeout_s + scenario.clients.retries * scenario.clients.backoff_s
        )
        assert values[-1] <= longest_s * (1 + 1e-9)


@given(scenarios(), seeds)
@few
def test_the_same_seed_gives_the_same_trace(scenario, seed):
    one, other = (one_run(scenario, 300, 30, generators(seed, 1)[0]) for _ in range(2))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@given(scenarios(), seeds)
@few
def test_an_attempt_is_sent_within_the_retries_and_the_budget(scenario, seed):
    result = simulate(scenario, seed=seed, requests=600, replications=2)
    allowed = scenario.clients.retries
    if scenario.clients.retry_budget is not None:
        allowed = min(allowed, scenario.clients.retry_budget + scenario.clients.retry_burst * 2 / 600)
    assert result.attempts <= 600 * (1 + allowed) + 1e-6


@given(arrivals, services, st.integers(1, 6), st.integers(1, 4), seeds)
@few
def test_more_replicas_never_raise_a_percentile_of_a_central_queue(process, service, replicas, more, seed):
    busy = process.rate_rps * service.mean_s / replicas
    service = type(service)(
        *(_slower(value, min(1, 0.95 / busy)) for value in dataclasses.astuple(service)[:1]),
        *dataclasses.astuple(service)[1:],
    )
    for run in (simulate, quick):
        fewer, larger = (
            run(Scenario(process, service, Fleet(count)), seed=seed, requests=800)
            for count in (replicas, replicas + more)
        )
        for share in (0.5, 0.95, 0.99):
            pair = [result.latency.percentile(share).value for result in (larger, fewer)]
            assert pair[0] <= pair[1] * (1 + 1e-2 if run is quick else 1 + 2e-3)


def _slower(value, factor):
    return tuple(each * factor for each in value) if isinstance(value, tuple) else value * factor


@given(st.floats(0.5, 8), seeds)
@few
def test_the_unit_of_time_does_not_matter(factor, seed):
    one = simulate(Scenario(Poisson(7), Exponential(1), Fleet(10)), seed=seed, requests=2_000)
    other = simulate(Scenario(Poisson(7 / factor), Exponential(factor), Fleet(10)), seed=seed, requests=2_000)
    assert abs(other.mean_s.value / factor / one.mean_s.value - 1) < 1e-9
