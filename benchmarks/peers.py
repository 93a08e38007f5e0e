"""The same work for each simulator: M/M/10 at a utilisation of 0.8, with draws and percentiles of the wait.

`python -m benchmarks.peers NAME REQUESTS` runs one simulator and prints its CPU time and peak memory as JSON.
Compilation is not counted, except with `--cold`.
"""

import heapq
import itertools
import json
import random
import resource
import sys
import time
from collections.abc import Callable

SERVERS, RATE = 10, 8.0
Waits = tuple[float, float]  # p50 and p99, in service times


def _percentiles(waits: list[float]) -> Waits:
    waits.sort()
    return waits[len(waits) // 2], waits[int(0.99 * len(waits))]


def simpy(requests: int) -> Waits:
    """Run a process for each customer, and a resource of ten."""
    import simpy as sp  # noqa: PLC0415

    environment, waits = sp.Environment(), []
    servers = sp.Resource(environment, SERVERS)

    def customer():  # noqa: ANN202
        came = environment.now
        with servers.request() as turn:
            yield turn
            waits.append(environment.now - came)
            yield environment.timeout(random.expovariate(1))

    def source():  # noqa: ANN202
        for _ in range(requests):
            yield environment.timeout(random.expovariate(RATE))
            environment.process(customer())

    environment.process(source())
    environment.run()
    return _percentiles(waits)


def ciw(requests: int) -> Waits:
    """Run a network of one node."""
    import ciw as cw  # noqa: PLC0415

    cw.seed(1)
    network = cw.create_network(
        arrival_distributions=[cw.dists.Exponential(RATE)],
        service_distributions=[cw.dists.Exponential(1)],
        number_of_servers=[SERVERS],
    )
    simulation = cw.Simulation(network)
    simulation.simulate_until_max_customers(requests)
    return _percentiles([record.waiting_time for record in simulation.get_all_records()])


def salabim(requests: int) -> Waits:
    """Run a component for each customer."""
    import salabim as sb  # noqa: PLC0415

    sb.yieldless(False)
    environment, waits = sb.Environment(random_seed=1), []
    servers = sb.Resource(capacity=SERVERS, monitor=False)

    class Customer(sb.Component):  # type: ignore[misc]
        def process(self):  # noqa: ANN202
            came = environment.now()
            yield self.request(servers)
            waits.append(environment.now() - came)
            yield self.hold(random.expovariate(1))

    class Source(sb.Component):  # type: ignore[misc]
        def process(self):  # noqa: ANN202
            for _ in range(requests):
                yield self.hold(random.expovariate(RATE))
                Customer(mode=None)

    Source()
    environment.run()
    return _percentiles(waits)


def heapq_loop(requests: int) -> Waits:
    """Run the smallest possible Python loop: one heap of the times at which servers become free."""
    free, waits, now, draw = [0.0] * SERVERS, [], 0.0, random.expovariate
    for _ in range(requests):
        now += draw(RATE)
        start = max(now, free[0])
        waits.append(start - now)
        heapq.heapreplace(free, start + draw(1))
    return _percentiles(waits)


def cimba(requests: int) -> Waits:
    """Run ten processes on a store of arrival times, waits counted in bins, compiled beforehand."""
    from benchmarks.cimba_model import run  # noqa: PLC0415

    return run(requests)


def ours_without_numba(requests: int) -> Waits:
    """Run `quick` without numba."""
    sys.modules["numba"] = None  # type: ignore[assignment]
    return ours_quick(requests)


def ours_loop_without_numba(requests: int) -> Waits:
    """Run the event loop without numba."""
    sys.modules["numba"] = None  # type: ignore[assignment]
    return ours_loop(requests)


def ours_loop(requests: int) -> Waits:
    """Run the compiled event loop."""
    from mlsd_helpers.simulation import simulate  # noqa: PLC0415

    return _of(simulate(_mm10(), seed=next(_SEEDS), requests=requests))


def ours_quick(requests: int) -> Waits:
    """Run `quick` with new draws."""
    from mlsd_helpers.simulation import quick  # noqa: PLC0415

    return _of(quick(_mm10(), seed=next(_SEEDS), requests=requests))


def ours_slider(requests: int) -> Waits:
    """Run `quick` with the cached draws of an earlier call, as a slider does."""
    from mlsd_helpers.simulation import quick  # noqa: PLC0415

    return _of(quick(_mm10(), seed=0, requests=requests))


_SEEDS = itertools.count(1)


def _mm10():  # noqa: ANN202
    from mlsd_helpers.simulation import Exponential, Fleet, Poisson, Scenario  # noqa: PLC0415

    return Scenario(Poisson(RATE), Exponential(1), Fleet(SERVERS))


def _of(result) -> Waits:  # noqa: ANN001
    result.p50_s, result.p95_s, result.p99_s  # noqa: B018 - all that a figure shows, with intervals
    return result.wait.percentile(0.5).value, result.wait.percentile(0.99).value


PEERS: dict[str, Callable[[int], Waits]] = {
    "SimPy": simpy,
    "Ciw": ciw,
    "salabim": salabim,
    "cimba": cimba,
    "heapq loop": heapq_loop,
    "mlsd loop, no numba": ours_loop_without_numba,
    "mlsd quick, no numba": ours_without_numba,
    "mlsd loop": ours_loop,
    "mlsd quick, new draws": ours_quick,
    "mlsd quick, slider": ours_slider,
}
NEEDS = {"SimPy": "simpy", "Ciw": "ciw", "salabim": "salabim", "cimba": "cimba"}
SLOW = {"SimPy", "Ciw", "salabim", "heapq loop", "mlsd loop, no numba", "mlsd quick, no numba"}

KEPT = {"mlsd quick, slider", "mlsd generation, same requests"}  # these use cached draws


def measure(work: Callable[[], Waits], requests: int, times: int) -> dict[str, float]:
    """Run some work in this process; return the least CPU time of several runs, and the peak memory."""
    least = float("inf")
    for _ in range(times):
        before = time.process_time()
        p50, p99 = work()
        least = min(least, time.process_time() - before)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ns": least * 1e9 / requests, "peak_mb": peak_mb, "p50": p50, "p99": p99}


def main(engines: dict[str, Callable[[int], Waits]]) -> None:
    """Measure the simulator that the command line names."""
    name, requests, cold = sys.argv[1], int(sys.argv[2]), "--cold" in sys.argv
    if not cold:
        engines[name](requests if name in KEPT else 400)  # load, compile and draw once
    print(json.dumps(measure(lambda: engines[name](requests), requests, 1 if cold or name in SLOW else 3)))


if __name__ == "__main__":
    main(PEERS)
