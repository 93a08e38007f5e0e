"""Predict by formula and simulation, then measure."""

import math
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from statistics import fmean, median

from mlsd_helpers import formulas
from mlsd_helpers.errors import MeasurementError
from mlsd_helpers.simulation import Estimate, Fleet, Measured, Poisson, Result, Scenario, simulate
from mlsd_helpers.testbed.results import Load
from mlsd_helpers.testbed.running import Service

_CLIENTS = 8  # enough that one is always waiting for the server
_LIGHT = 0.15  # a utilisation at which hardly anybody waits


@dataclass(frozen=True)
class ServiceTimes:
    """The time that one request keeps the server busy, in seconds.

    It depends on what the server did before: `idle_s` is the mean for a request that wakes an idle server, with
    its caches cold, `busy_s` for one that follows another. `shape` is how single times vary around a mean of 1;
    `elsewhere_s` is spent in the client and the network, and adds no queue.
    """

    idle_s: float
    busy_s: float
    elsewhere_s: float
    shape: tuple[float, ...] = field(repr=False)

    def mean_s(self, rate_rps: float) -> float:
        """Return the mean at a rate: a share ρ of requests finds the server busy, and ρ is rate × mean.

        >>> times = ServiceTimes(idle_s=0.002, busy_s=0.001, elsewhere_s=0, shape=(1.0,))
        >>> times.mean_s(500)  # half idle, half busy: 2/3 × 1 ms + 1/3 × 2 ms, and 500/s of them keep it 2/3 busy
        0.0013333333333333333
        """
        return self.idle_s / (1 + rate_rps * (self.idle_s - self.busy_s))

    def rate_rps(self, utilisation: float) -> float:
        """Return the rate, in requests/s, at which the server is busy for that share of the time."""
        return utilisation / ((1 - utilisation) * self.idle_s + utilisation * self.busy_s)

    @property
    def scv(self) -> float:
        """Variance over squared mean."""
        return Measured(self.shape).scv

    def scenario(self, rate_rps: float) -> Scenario:
        """Return one server with these times under Poisson arrivals."""
        mean_s = self.mean_s(rate_rps)
        return Scenario(Poisson(rate_rps), Measured(tuple(mean_s * each for each in self.shape)), Fleet(1))


def measure_service_times(service: Service, lasts_s: float = 2.0) -> ServiceTimes:
    """Measure how long one request keeps the server busy, and how that varies: in four times `lasts_s`.

    A server with a queue that is never empty answers one request per service time: eight clients in a closed
    loop give `busy_s`, by the utilisation law at a utilisation of 1 (Denning & Buzen, 1978, ACM Computing
    Surveys 10(3)). In an open loop at a sixth of that rate, the server's CPU time for a request is `idle_s`.
    Who then comes when all others are answered does not wait: the mean of their latencies is longer than
    `idle_s` by what is spent elsewhere, and how they vary is the shape.
    """
    crowd = service.load(lasts_s=lasts_s, loop="closed", clients=_CLIENTS)
    busy_s = crowd.took_s / max(crowd.answered, 1)
    light = service.load(rate_rps=_LIGHT / busy_s, lasts_s=3 * lasts_s)
    for load in (crowd, light):
        if load.failures:
            raise MeasurementError(f"Service times need answers, and some requests failed: {load}.")
    return service_times(light, busy_s)


def service_times(light: Load, busy_s: float) -> ServiceTimes:
    """Split the latencies measured under a light load into service time and the rest."""
    idle_s = max(light.server_cpu_s / light.answered, busy_s)
    alone_s = never_waited(light.sample_s)
    elsewhere_s = max(0.0, fmean(alone_s) - idle_s)
    kept_s = [max(each - elsewhere_s, idle_s / 10) for each in alone_s]
    return ServiceTimes(idle_s, busy_s, elsewhere_s, tuple(each / fmean(kept_s) for each in kept_s))


def never_waited(sample_s: Sequence[tuple[float, float]]) -> list[float]:
    """Return the latencies of those requests that were sent when all earlier ones had been answered.

    >>> never_waited([(0.0, 0.5), (1.0, 3.0), (2.0, 2.5), (9.0, 0.4)])
    [0.5, 3.0, 0.4]
    """
    ends_s = accumulate((at_s + took_s for at_s, took_s in sample_s), max, initial=0.0)
    return [took_s for (at_s, took_s), free_s in zip(sample_s, ends_s, strict=False) if at_s >= free_s]


@dataclass(frozen=True)
class Prediction:
    """The p99 at one rate, three ways, in seconds: the formula of M/M/1, a simulation, and measurements.

    `hindsight_s` is simulated with the service time that the measured runs then had: what is left between it and
    `measured_s` is the model's, and the rest is a machine that was slower or faster than when it was measured.
    """

    rate_rps: float
    utilisation: float
    formula_s: float
    simulated_s: Estimate
    measured_s: Estimate
    hindsight_s: float
    runs: tuple[Load, ...] = field(repr=False)

    @property
    def ratio(self) -> float:
        """Simulated over measured."""
        return self.simulated_s.value / self.measured_s.value


def predict(times: ServiceTimes, rate_rps: float, *, seed: int = 1) -> tuple[float, Result]:
    """Return the p99 by formula, in seconds, and the simulation; `times.elsewhere_s` is only in the first."""
    mean_s = times.mean_s(rate_rps)
    formula_s = formulas.response_percentile_s(1, rate_rps, mean_s, 0.99) + times.elsewhere_s
    return formula_s, simulate(times.scenario(rate_rps), seed=seed)


def compare(
    service: Service, times: ServiceTimes, rate_rps: float, *, runs: int = 3, lasts_s: float = 4.0
) -> Prediction:
    """Predict the p99 at a rate, and measure it in several runs; the median of them is what was measured."""
    formula_s, result = predict(times, rate_rps)
    loads = tuple(service.load(rate_rps=rate_rps, lasts_s=lasts_s, seed=run) for run in range(runs))
    p99s_s = [load.p99_s for load in loads]
    p99, away_s = result.p99_s, times.elsewhere_s
    return Prediction(
        rate_rps,
        rate_rps * times.mean_s(rate_rps),
        formula_s,
        simulated_s=Estimate(p99.value + away_s, p99.low + away_s, p99.high + away_s),
        measured_s=Estimate(median(p99s_s), min(p99s_s), max(p99s_s)),
        hindsight_s=_hindsight_s(times, rate_rps, loads),
        runs=loads,
    )


def _hindsight_s(times: ServiceTimes, rate_rps: float, loads: Sequence[Load]) -> float:
    found_s = median(load.server_cpu_s / max(load.answered, 1) for load in loads)
    if not 0 < rate_rps * found_s < 1:
        return math.inf
    now = replace(times, idle_s=found_s, busy_s=found_s)
    return simulate(now.scenario(rate_rps), seed=1).p99_s.value + times.elsewhere_s


@dataclass(frozen=True)
class Limit:
    """The rates between which a service fails its limit, in requests/s, and which limit it was."""

    carried_rps: float
    refused_rps: float
    by: str


def gives_up(
    service: Service,
    *,
    within_s: float = 0.1,
    repeats: float = 0.0,
    first_rps: float = 100.0,
    step: float = 1.4,
) -> Limit:
    """Raise the rate until the p99 is above `within_s`, and return the last that was carried and the first not.

    Requests that fail count as never answered. If the generator itself was late by as much, it says so: then the
    service might carry more.
    """
    carried_rps, rate_rps = 0.0, first_rps
    while True:
        load = service.load(rate_rps=rate_rps, lasts_s=2.0, repeats=repeats)
        if load.p99_s > within_s:
            late = load.late_s["0.99"] > within_s / 2
            return Limit(carried_rps, rate_rps, "the load generator" if late else "the service")
        carried_rps, rate_rps = rate_rps, rate_rps * step


# ---------------------------------------------------------------- the machine


def machine() -> str:
    """Describe this machine without naming it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{cores} cores, {platform.system()}, Python {platform.python_version()}"


def crowding(for_s: float = 0.1) -> float:
    """Return the wall time of a busy loop divided by its CPU time: 1 on an idle machine."""
    started_s, used_s = time.perf_counter(), time.process_time()
    while time.process_time() - used_s < for_s:
        math.sqrt(2)
    return (time.perf_counter() - started_s) / for_s
