"""Run independent replications of a scenario and combine their results."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.simulation import draws, fleet
from mlsd_helpers.simulation.fleet import CRASH, DRAIN, RETURN, SERVED, STEP, Flags, Floats, Ints, Settings
from mlsd_helpers.simulation.result import Counts, Estimate, Result, Tally
from mlsd_helpers.simulation.scenario import (
    ROUTINGS,
    ColdCache,
    Incident,
    PerBatch,
    ReplicaFailure,
    RollingRestart,
    Scenario,
    Surge,
    ZoneLoss,
)

_NO_LIMIT = 2**31 - 1
_FEWEST = 20  # requests in a replication
_MOST = 100_000_000  # requests in all replications

Progress = Callable[[int, int], None]
Rows = NDArray[np.void]


def run(
    scenario: Scenario,
    *,
    seed: int,
    requests: int = 100_000,
    replications: int = 10,
    warm_up: float = 0.1,
    progress: Progress | None = None,
) -> Result:
    """Simulate a scenario with the loop that knows every feature.

    `requests` are shared evenly among `replications`, at least 2. The first `warm_up` share of each is not
    measured, because the fleet starts empty. `progress(done, of)` is called after each
    replication.
    """
    each = requests_each(requests, replications, warm_up)
    _ranges.whole(0, seed=seed)
    tally, runs = Tally(2, replications), []
    for number, rng in enumerate(draws.generators(seed, replications)):
        sums, rows, attempts = one_run(scenario, each, int(each * warm_up), rng)
        tally.add(number, times_s(rows, "latency_s", "wait_s"), rows["end"])
        runs.append(_statistics_of(sums, attempts, rows["end"]))
        if progress:
            progress(number + 1, replications)
    return _result_of(scenario, seed, runs, tally, notes(scenario, each, warm_up), each * replications)


def times_s(rows: Rows, first: str, last: str) -> Floats:
    """Return the fields from `first` to `last`, all of them times, as a view with a column for each."""
    from_, to = (rows[name].ctypes.data - rows.ctypes.data for name in (first, last))
    columns: Floats = rows.view(float).reshape(len(rows), -1)[:, from_ // 8 : to // 8 + 1]
    return columns


def requests_each(requests: int, replications: int, warm_up: float) -> int:
    """Return the number of requests in one replication; raise `RangeError` where that is out of range."""
    _ranges.whole(2, replications=replications)
    _ranges.whole(requests=requests)
    _ranges.share_below_1(warm_up=warm_up)
    if not _FEWEST * replications <= requests <= _MOST:
        raise RangeError(
            f"requests {requests:,} must be from {_FEWEST * replications:,} ({_FEWEST} for each of {replications} "
            f"replications) to {_MOST:,}. Take 100,000 for a look and 1,000,000 for a p99 under high load."
        )
    return requests // replications


def one_run(scenario: Scenario, requests: int, warm_up: int, rng: Generator) -> tuple[np.void, Rows, Rows]:
    """Run once, and return the sums, the rows of the requests after the warm-up, and those of all attempts."""
    settings = settings_of(scenario, requests, warm_up)
    drawn, ready = draws.draw(scenario, requests, rng), scenario.fleet.replicas
    state = fleet.new_fleet(settings, drawn, plan_of(scenario), ready)
    warm = scenario.cache is not None and scenario.cache.starts_warm
    sums: np.void = fleet.simulate_fleet(settings, state, warm_cache=warm)[0]
    return sums, state.requests[warm_up:], state.attempts[: sums["attempts"]]


@dataclass(frozen=True)
class _Run:
    ends: Ints
    served: float
    goodput_rps: float
    utilisation: float
    hit_ratio: float
    attempts: int
    wasted: int
    littles_law_error: float


def _statistics_of(sums: np.void, attempts: Rows, end: Flags) -> _Run:
    ends = np.bincount(end, minlength=5)
    up_s = sums["to_up_s"] - sums["from_up_s"]
    still_s = float((sums["clock"] - attempts["sent_s"][attempts["doing"] != fleet.LEFT]).sum())
    return _Run(
        ends=ends,
        served=ends[SERVED] / len(end),
        goodput_rps=ends[SERVED] / (sums["to_s"] - sums["from_s"]),
        utilisation=(sums["to_busy_s"] - sums["from_busy_s"]) / up_s if up_s else math.nan,
        hit_ratio=sums["hits"] / sums["lookups"] if sums["lookups"] else math.nan,
        attempts=len(attempts),
        wasted=int(sums["wasted"]),
        littles_law_error=gap(sums["system_s"], sums["sojourn_s"] + still_s),
    )


def gap(one: float, other: float) -> float:
    """Return the relative difference of two positive numbers."""
    return float(abs(one - other) / max(one, other, 1e-300))


def _result_of(
    scenario: Scenario,
    seed: int,
    runs: Sequence[_Run],
    tally: Tally,
    result_notes: tuple[str, ...],
    requests: int,
) -> Result:
    latency, wait = tally.distributions()
    in_flight, served, shed, timed_out, lost = np.sum([each.ends for each in runs], axis=0).tolist()
    arrived = in_flight + served + shed + timed_out + lost
    return Result(
        scenario=scenario,
        seed=seed,
        replications=len(runs),
        latency=latency,
        wait=wait,
        counts=Counts(arrived, served, shed, timed_out, lost, in_flight),
        served=averaged([each.served for each in runs], most=1.0),
        goodput_rps=averaged([each.goodput_rps for each in runs]),
        utilisation=averaged([each.utilisation for each in runs], most=1.0),
        hit_ratio=averaged([each.hit_ratio for each in runs], most=1.0) if scenario.cache else None,
        attempts=sum(each.attempts for each in runs),
        wasted=sum(each.wasted for each in runs),
        littles_law_error=max(each.littles_law_error for each in runs),
        arrived_each=tuple(int(each.ends.sum()) for each in runs),
        notes=result_notes,
        requests=requests,
    )


def averaged(values: Sequence[float], most: float = math.inf) -> Estimate:
    """Return the mean of the replications, with its interval."""
    return Estimate.of(float(np.mean(values)), values, most)


# ---------------------------------------------------------------- from a scenario to what the loop takes


def settings_of(scenario: Scenario, requests: int, warm_up: int) -> Settings:
    """Return a scenario as the numbers that the loop reads."""
    farm, clients, cache = scenario.fleet, scenario.clients, scenario.cache
    batching, scaler = farm.batching, farm.autoscaler
    batch = scenario.service if isinstance(scenario.service, PerBatch) else PerBatch(0, 1)
    return Settings(
        requests=requests,
        warm_up=warm_up,
        stride=max(1, int(requests * 0.38196601125)),  # the golden ratio: far away, and no early repeats
        replicas=farm.most_replicas,
        concurrency=farm.concurrency,
        routing=ROUTINGS.index(farm.routing),
        queue_limit=_NO_LIMIT if farm.queue_limit is None else farm.queue_limit,
        largest_batch=batching.largest if batching else 1,
        batch_wait_s=float(batching.longest_wait_s) if batching else 0.0,
        batch_fixed_s=float(batch.fixed_s),
        batch_item_s=float(batch.per_item_s),
        timeout_s=float(clients.timeout_s),
        retries=clients.retries,
        backoff_s=float(clients.backoff_s),
        retry_budget=math.inf if clients.retry_budget is None else float(clients.retry_budget),
        retry_burst=math.inf if clients.retry_budget is None else float(clients.retry_burst),
        stops_work=int(clients.stops_work),
        cache_size=cache.size if cache else 0,
        keys=cache.keys if cache else 0,
        ttl_s=float(cache.ttl_s) if cache and cache.ttl_s else math.inf,
        hit_s=float(cache.hit_s) if cache else 0.0,
        tick_s=float(scaler.period_s) if scaler else math.inf,
        delay_s=float(scaler.delay_s) if scaler else 0.0,
        target=float(scaler.target) if scaler else 1.0,
        tolerance=float(scaler.tolerance) if scaler else 0.0,
        calm_s=float(scaler.calm_s) if scaler else 0.0,
        smallest_fleet=scaler.minimum if scaler else farm.replicas,
    )


def plan_of(scenario: Scenario) -> Rows:
    """Return the incidents as steps for single replicas, in order of time."""
    steps = [step for incident in scenario.incidents for step in _steps(incident, scenario)]
    steps.sort(
        key=lambda step: (step[0], step[1] != RETURN)
    )  # at one instant, replicas return before others leave
    return np.array(steps, STEP)


Step = tuple[float, int, int]


def _steps(incident: Incident, scenario: Scenario) -> list[Step]:
    farm = scenario.fleet
    if isinstance(incident, ReplicaFailure):
        return _away(range(incident.replicas), CRASH, incident.at_s, incident.lasts_s)
    if isinstance(incident, ZoneLoss):
        gone = range(incident.zone, farm.most_replicas, farm.zones)
        return _away(gone, CRASH, incident.at_s, incident.lasts_s)
    if isinstance(incident, RollingRestart):
        return _rolled(incident, farm.replicas)
    return [(incident.at_s, fleet.CLEAR_CACHE, 0)] if isinstance(incident, ColdCache) else []


def _away(replicas: range, how: int, at_s: float, lasts_s: float) -> list[Step]:
    back = [(at_s + lasts_s, RETURN, replica) for replica in replicas] if lasts_s < math.inf else []
    return [*((at_s, how, replica) for replica in replicas), *back]


def _rolled(restart: RollingRestart, replicas: int) -> list[Step]:
    at_once = max(1, math.floor(replicas * restart.share + 1e-9))
    steps = []
    for turn, first in enumerate(range(0, replicas, at_once)):
        group = range(first, min(first + at_once, replicas))
        steps += _away(group, DRAIN, restart.at_s + turn * restart.each_s, restart.each_s)
    return steps


# ---------------------------------------------------------------- warnings about the numbers


def notes(scenario: Scenario, each: int, warm_up: float) -> tuple[str, ...]:
    """Return warnings: the run is too short, or the load exceeds the capacity of the fleet."""
    busy, warm_up_s = scenario.utilisation, each * warm_up / scenario.arrivals.rate_rps
    found = []
    if busy >= 1:
        found.append(
            f"Overloaded: the offered load is {busy:.0%} of the capacity. How many requests wait, are shed or time "
            "out depends on the length of the run."
        )
    elif warm_up_s < 3 * settling_time_s(scenario):
        found.append(
            f"Short: at this load a queue settles in about {settling_time_s(scenario):.3g} s, and the warm-up lasts "
            f"{warm_up_s:.3g} s. Simulate more requests in fewer replications."
        )
    surges = (incident for incident in scenario.incidents if isinstance(incident, Surge))
    return (
        *found,
        *too_few(each, warm_up),
        *(note for surge in surges for note in _overloaded(scenario, surge)),
    )


def too_few(each: int, warm_up: float) -> tuple[str, ...]:
    """Return a warning where a p99 rests on fewer than 10 requests in a replication."""
    beyond = each * (1 - warm_up) * 0.01
    if beyond >= 10:
        return ()
    return (f"Few: the p99 of a replication rests on {beyond:.3g} requests. Simulate more.",)


def _overloaded(scenario: Scenario, surge: Surge) -> tuple[str, ...]:
    busy = scenario.utilisation * surge.factor
    if busy < 1:
        return ()
    return (f"The surge offers {busy:.0%} of the capacity: the queue grows until it ends.",)


def settling_time_s(scenario: Scenario) -> float:
    """Return the relaxation time of the queue, in seconds: S(1 + SCV)/2 ÷ (√c − √a)².

    Exact for M/M/c in heavy traffic, a rough guide elsewhere. Random and round-robin routing give each replica
    a queue of its own, so c = 1.
    """
    separate = scenario.fleet.routing in {"random", "round robin"}
    places = 1 if separate else scenario.fleet.replicas * scenario.fleet.concurrency
    busy = min(scenario.utilisation, 0.9999)
    spread = (1 + scenario.service.scv) / 2
    return spread * scenario.service.mean_s / (math.sqrt(places) - math.sqrt(busy * places)) ** 2
