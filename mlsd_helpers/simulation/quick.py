"""The engine for sliders: a plain queue in milliseconds, from cached unit draws.

Sixteen independent replications run side by side, so that the processor works on several at a time. For a
central queue each keeps, in order, the times at which its replicas become free; a request takes the first. For
a queue per replica it keeps the time at which each becomes free. That is enough where no request is shed, times
out or fails; any other scenario goes to the event loop of `fleet`, with the same interface.

The same seed uses the same unit draws for every scenario. So the difference between two positions of a slider
comes from the scenario and not from chance.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from mlsd_helpers.formulas import _ranges
from mlsd_helpers.simulation import draws, running
from mlsd_helpers.simulation.compiled import COMPILED, compiled
from mlsd_helpers.simulation.fleet import SERVED, Floats, Ints, Nodes
from mlsd_helpers.simulation.result import Counts, Estimate, Result, Tally, bin_of, count
from mlsd_helpers.simulation.scenario import (
    Clients,
    Constant,
    Exponential,
    Lognormal,
    PerBatch,
    Poisson,
    Scenario,
    Service,
)

LANES = 16
BITS = 7  # 128 bins for each doubling: a bin is at most 0.8 % wide, and its mean stands for it
_MOST_PLACES = 256  # beyond, a heap is quicker
_ROUTINGS = {"central queue", "random", "round robin"}


def quick(scenario: Scenario, *, seed: int, requests: int = 100_000, warm_up: float = 0.1) -> Result:
    """Simulate a scenario fast enough for a slider: 100,000 requests take milliseconds.

    The result is that of `simulate` with 16 replications. `requests` and `warm_up` have the same meaning there.
    """
    if not is_plain(scenario):
        return running.run(scenario, seed=seed, requests=requests, replications=LANES, warm_up=warm_up)
    each = running.requests_each(requests, LANES, warm_up)
    _ranges.whole(0, seed=seed)
    lanes, first = _lanes(scenario, each, seed), int(each * warm_up)
    tally = _serve(scenario, lanes, first, seed)
    return _result_of(scenario, lanes, seed, first, tally, running.notes(scenario, each, warm_up))


def is_plain(scenario: Scenario) -> bool:
    """Tell whether a scenario is a plain queue: no request is shed, times out or fails, and nothing is cached."""
    fleet = scenario.fleet
    extras = (scenario.cache, scenario.incidents, fleet.batching, fleet.autoscaler)
    if any(extras) or fleet.queue_limit is not None or scenario.clients != Clients():
        return False
    if fleet.routing == "central queue":
        return fleet.replicas * fleet.concurrency <= _MOST_PLACES
    return fleet.routing in _ROUTINGS and fleet.concurrency == 1


# ---------------------------------------------------------------- draws, cached from one call to the next


class Lanes(NamedTuple):
    """Arrival and service times, a column for each lane, and what to multiply each by to get seconds."""

    passed: Floats
    gap_s: float
    work: Floats
    mean_s: float


def _lanes(scenario: Scenario, each: int, seed: int) -> Lanes:
    arrivals, service = scenario.arrivals, scenario.service
    work = _unit_work(service, each, seed)
    if isinstance(arrivals, Poisson):
        return Lanes(_cached("passed", each, seed), 1 / arrivals.rate_rps, work, float(service.mean_s))
    passed = [draws.arrival_times_s(arrivals, each, rng) for rng in _generators(seed, "arrivals")]
    return Lanes(np.stack(passed, axis=1), 1.0, work, float(service.mean_s))


def _unit_work(service: Service, each: int, seed: int) -> Floats:
    if isinstance(service, Exponential):
        return _cached("exponential", each, seed)
    if isinstance(service, Constant | PerBatch):
        return _cached("ones", each, seed)
    if isinstance(service, Lognormal):
        return _lognormal(service.scv, each, seed)
    return np.stack([draws.unit_work(service, each, rng) for rng in _generators(seed, "work")], axis=1)


_STREAMS = ("passed", "exponential", "normal", "uniform", "arrivals", "work")


def _generators(seed: int, stream: str) -> list[Generator]:
    return [np.random.default_rng([_STREAMS.index(stream), lane, seed]) for lane in range(LANES)]


@lru_cache(maxsize=8)
def _cached(stream: str, each: int, seed: int) -> Floats:
    if stream == "ones":
        return np.ones((each, LANES))
    return np.stack([_unit(stream, each, rng) for rng in _generators(seed, stream)], axis=1)


def _unit(stream: str, each: int, rng: Generator) -> Floats:
    if stream == "uniform":
        return rng.random(each)
    if stream == "normal":
        return rng.standard_normal(each)
    exponential = rng.standard_exponential(each)
    return np.cumsum(exponential) if stream == "passed" else exponential


@lru_cache(maxsize=4)
def _lognormal(scv: float, each: int, seed: int) -> Floats:
    return draws.unit_lognormal(scv, _cached("normal", each, seed))


# ---------------------------------------------------------------- queues, side by side


def _serve(scenario: Scenario, lanes: Lanes, first: int, seed: int) -> Tally:
    """Serve the requests of every lane, and count waits and latencies from the row `first` on."""
    places = scenario.fleet.replicas * scenario.fleet.concurrency
    choice = _choices(scenario.fleet.routing, places, len(lanes.work), seed)
    tally = Tally(2, LANES, BITS)
    if not COMPILED:
        _serve_by_rows(lanes, choice, places, first, tally)
        return tally
    rows = np.empty((3, LANES))
    given = (*lanes, np.zeros((places, LANES)), rows, rows.view(np.int64), first, tally.table)
    if len(choice):
        serve_split(*given, choice)
    else:
        serve_central(*given)
    return tally


def _choices(routing: str, places: int, each: int, seed: int) -> Nodes:
    """Return which queue each request joins; nothing for a central queue."""
    if routing == "central queue":
        return np.zeros((0, LANES), np.int32)
    if routing == "random":
        return (_cached("uniform", each, seed) * places).astype(np.int32)
    return np.repeat(np.arange(each, dtype=np.int32) % np.int32(places), LANES).reshape(each, LANES)


@compiled
def serve_central(
    passed: Floats, gap_s: float, work: Floats, mean_s: float, free: Floats, rows: Floats, bits: Ints, first: int,
    table: Floats,
) -> None:  # fmt: skip
    """Serve one request of every lane after the other; `free` holds, in order, when each place becomes free."""
    last = len(free) - 1
    for request in range(len(passed)):
        for lane in range(LANES):
            now = passed[request, lane] * gap_s
            start = now if now > free[0, lane] else free[0, lane]  # noqa: FURB136 - a jump less than max()
            done = start + work[request, lane] * mean_s
            rows[0, lane] = start - now
            rows[1, lane] = done - now
            rows[2, lane] = done
        for place in range(last):  # replace the earliest time by `done`, in order
            for lane in range(LANES):
                done = rows[2, lane]
                later = done if done > free[place, lane] else free[place, lane]  # noqa: FURB136
                free[place, lane] = later if later < free[place + 1, lane] else free[place + 1, lane]  # noqa: FURB136
        for lane in range(LANES):
            free[last, lane] = max(rows[2, lane], free[last, lane])
        if request >= first:
            count_row(rows, bits, table)


@compiled
def serve_split(
    passed: Floats, gap_s: float, work: Floats, mean_s: float, free: Floats, rows: Floats, bits: Ints, first: int,
    table: Floats, choice: Nodes,
) -> None:  # fmt: skip
    """Serve one request of every lane after the other, each at the place of its own `choice`."""
    for request in range(len(passed)):
        for lane in range(LANES):
            now = passed[request, lane] * gap_s
            place = choice[request, lane]
            start = max(now, free[place, lane])
            done = start + work[request, lane] * mean_s
            free[place, lane] = done
            rows[0, lane] = start - now
            rows[1, lane] = done - now
        if request >= first:
            count_row(rows, bits, table)


@compiled
def count_row(rows: Floats, bits: Ints, table: Floats) -> None:
    """Count the wait and the latency of every lane in its bins."""
    for lane in range(LANES):
        count(table[lane, 0], bin_of(bits[0, lane], BITS), rows[0, lane])
        count(table[lane, 1], bin_of(bits[1, lane], BITS), rows[1, lane])


def _serve_by_rows(lanes: Lanes, choice: Nodes, places: int, first: int, tally: Tally) -> None:
    """Do the same without a compiler, a row of lanes at a time."""
    arrival_s, work_s = lanes.passed * lanes.gap_s, lanes.work * lanes.mean_s
    start_s = _starts(arrival_s, work_s, choice, places)
    everyone = np.full(len(work_s) - first, SERVED, np.int8)
    times_s = np.stack([start_s - arrival_s, start_s + work_s - arrival_s], axis=-1)[first:]
    for lane in range(LANES):
        tally.add(lane, times_s[:, lane], everyone)


def _starts(arrival_s: Floats, work_s: Floats, choice: Nodes, places: int) -> Floats:
    """Return when the service of each request starts."""
    start_s = np.empty_like(arrival_s)
    free, other = np.zeros((places, LANES)), np.zeros((places, LANES))
    every = np.arange(LANES)
    for request, now in enumerate(arrival_s):
        if len(choice):
            start = np.maximum(now, free[choice[request], every], out=start_s[request])
            free[choice[request], every] = start + work_s[request]
            continue
        start = np.maximum(now, free[0], out=start_s[request])
        np.maximum(start + work_s[request], free, out=other)
        np.minimum(other[:-1], free[1:], out=other[:-1])
        free, other = other, free
    return start_s


# ---------------------------------------------------------------- what was found


def _result_of(
    scenario: Scenario,
    lanes: Lanes,
    seed: int,
    first: int,
    tally: Tally,
    result_notes: tuple[str, ...],
) -> Result:
    wait, latency = tally.distributions()
    each = len(lanes.work) - first
    span_s = (lanes.passed[-1] - lanes.passed[first]) * lanes.gap_s
    places = scenario.fleet.replicas * scenario.fleet.concurrency
    busy = lanes.work[first:].sum(axis=0) * lanes.mean_s / span_s / places
    return Result(
        scenario=scenario,
        seed=seed,
        replications=LANES,
        latency=latency,
        wait=wait,
        counts=Counts(each * LANES, each * LANES),
        served=Estimate(1.0, 1.0, 1.0),
        goodput_rps=running.averaged((each / span_s).tolist()),
        utilisation=running.averaged(busy.tolist(), most=1.0),
        hit_ratio=None,
        attempts=len(lanes.work) * LANES,
        wasted=0,
        littles_law_error=None,
        arrived_each=(each,) * LANES,
        notes=result_notes,
    )
