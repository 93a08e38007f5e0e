"""From measured times to a prediction: what is taken apart adds up again, and theory agrees where there is one."""

from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import formulas
from mlsd_helpers.errors import MeasurementError
from mlsd_helpers.simulation import Exponential, Fleet, Poisson, Scenario, simulate
from mlsd_helpers.testbed import Load, measuring
from mlsd_helpers.testbed.measuring import (
    ServiceTimes,
    compare,
    gives_up,
    measure_service_times,
    service_times,
)

pytestmark = pytest.mark.processes


@given(st.floats(1e-4, 1), st.floats(0.1, 1), st.floats(0.01, 0.95))
def test_the_rate_of_a_utilisation_keeps_the_server_so_busy(idle_s, share, utilisation):
    times = ServiceTimes(idle_s, share * idle_s, 0.0, (1.0,))
    rate_rps = times.rate_rps(utilisation)
    assert rate_rps * times.mean_s(rate_rps) == pytest.approx(utilisation)
    assert times.scenario(rate_rps).utilisation == pytest.approx(utilisation)


@given(st.lists(st.floats(0.01, 0.1), min_size=2, max_size=50), st.floats(0, 0.1), st.floats(0.1, 1))
def test_service_and_elsewhere_add_up_to_the_latency_of_who_never_waited(worked_s, away_s, share):
    sample_s = tuple((float(place), each + away_s) for place, each in enumerate(worked_s))
    idle_s = fmean(worked_s)
    light = load(requests=100, server_cpu_s=100 * idle_s, sample_s=sample_s)
    times = service_times(light, busy_s=share * idle_s)
    assert times.elsewhere_s == pytest.approx(away_s, abs=1e-9)
    assert (times.idle_s, times.busy_s) == pytest.approx((idle_s, share * idle_s))
    assert times.scv == pytest.approx(np.var(worked_s) / idle_s**2, abs=1e-9)


class ExponentialServer:
    """Stands in for a service that is an M/M/1 queue, with the rest of the way taking 1 ms."""

    service_s, away_s = 0.010, 0.001

    def load(self, *, rate_rps=1.0, lasts_s=0.0, seed=1, loop="open", clients=1, repeats=0.0):
        if loop == "closed":
            return self._told(2_000)
        if rate_rps * self.service_s >= 1:
            return load(requests=100, failed={"no answer in time": 100})
        scenario = Scenario(Poisson(rate_rps), Exponential(self.service_s), Fleet(1))
        p99_s = simulate(scenario, seed=seed, requests=100_000).p99_s.value + self.away_s
        return self._told(5_000, latency_s={"0.99": p99_s}, sample_s=self._sample_s(rate_rps, seed))

    def _sample_s(self, rate_rps, seed):
        rng = np.random.default_rng(seed)
        free_s, sample_s = 0.0, []
        for at_s in np.cumsum(rng.exponential(1 / rate_rps, 5_000)).tolist():
            free_s = max(free_s, at_s) + rng.exponential(self.service_s)
            sample_s.append((at_s, free_s - at_s + self.away_s))
        return tuple(sample_s)

    def _told(self, requests, **known):
        busy_s = requests * self.service_s
        return load(requests=requests, took_s=busy_s, server_cpu_s=busy_s, **known)


def load(**known):
    given = {
        "loop": "open",
        "rate_rps": 1.0,
        "failed": {},
        "took_s": 1.0,
        "latency_s": {},
        "age_s": {},
        "requests": 1,
    }
    return Load(**given | {"late_s": {"0.99": 0.0}, "server_cpu_s": 1.0, "client_cpu_s": 1.0} | known)


def test_where_the_server_is_the_queue_of_the_formula_all_three_agree():
    server = ExponentialServer()
    times = measure_service_times(server)
    assert times.mean_s(70) == pytest.approx(server.service_s)
    assert times.elsewhere_s == pytest.approx(server.away_s, abs=0.001)
    found = compare(server, times, rate_rps=70)
    exact_s = formulas.response_percentile_s(1, 70, server.service_s, 0.99) + server.away_s
    assert found.formula_s == pytest.approx(exact_s, rel=0.03)
    assert found.simulated_s.value == pytest.approx(exact_s, rel=0.15)
    assert found.ratio == pytest.approx(1, abs=0.15)
    assert found.hindsight_s == pytest.approx(found.simulated_s.value)
    assert found.utilisation == pytest.approx(0.7)


def test_a_service_gives_up_between_the_two_rates():
    server = ExponentialServer()
    limit = gives_up(server, within_s=0.2, first_rps=20)
    exact_rps = 100 - np.log(100) / 0.2  # the p99 of M/M/1 is ln 100 / (μ - λ)
    assert limit.carried_rps < exact_rps * 1.02
    assert limit.refused_rps > exact_rps * 0.98
    assert limit.by == "the service"


def test_a_generator_that_is_late_itself_is_named(monkeypatch):
    late = load(latency_s={"0.99": 0.5}, late_s={"0.99": 0.4}, requests=100)
    monkeypatch.setattr(ExponentialServer, "load", lambda server, **_: late)
    assert gives_up(ExponentialServer()).by == "the load generator"


def test_service_times_of_a_service_that_fails_are_refused(monkeypatch):
    monkeypatch.setattr(ExponentialServer, "load", lambda server, **_: load(failed={"HTTP 500": 1}))
    with pytest.raises(MeasurementError, match="HTTP 500"):
        measure_service_times(ExponentialServer())


@pytest.mark.parametrize(("failures", "seen"), [(0, 0.2), (9, 0.2), (11, float("inf"))])
def test_requests_that_fail_are_slower_than_any_that_is_answered(failures, seen):
    found = load(requests=1_000, failed={"HTTP 500": failures}, latency_s={"0.99": 0.2})
    assert found.p99_s == seen


def test_the_machine_is_described_and_not_named():
    import platform

    assert platform.node() not in measuring.machine()
    assert measuring.crowding(0.01) >= 0.99
