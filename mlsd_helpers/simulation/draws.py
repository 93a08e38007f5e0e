"""All random draws of a run, made before the loop starts: arrivals, service times, routing and keys.

The generator alone determines a run: the same seed gives the same trace.
"""

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mlsd_helpers.simulation.compiled import COMPILED, compiled
from mlsd_helpers.simulation.fleet import REQUEST, Floats, Ints, Nodes
from mlsd_helpers.simulation.scenario import (
    Arrivals,
    Bursty,
    Cache,
    Constant,
    Cut,
    Diurnal,
    Exponential,
    Lognormal,
    PerBatch,
    Poisson,
    Scenario,
    Service,
    Surge,
    Trace,
)

_BY_CHANCE = {"random", "power of two", "join the shortest queue"}


def generators(seed: int, replications: int) -> list[Generator]:
    """Return independent generators, one for each replication."""
    return [generator(seed, number) for number in range(replications)]


def generator(seed: int, *which: int) -> Generator:
    """Return an independent generator: `which` is the number of the replication, or that and a further number."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=which))


def draw(scenario: Scenario, requests: int, rng: Generator) -> NDArray[np.void]:
    """Draw all that one run needs: a row for each request."""
    rows = np.zeros(requests, REQUEST)
    surges = tuple(incident for incident in scenario.incidents if isinstance(incident, Surge))
    rows["arrival_s"] = _quickened(arrival_times_s(scenario.arrivals, requests, rng), surges)
    work = unit_work(scenario.service, requests, rng)
    if not scenario.fleet.batching:  # there the size of the batch decides
        work *= scenario.service.mean_s
    rows["work"] = work
    if scenario.fleet.routing in _BY_CHANCE:
        rows["first"] = rng.random(requests)
    if scenario.fleet.routing == "power of two":
        rows["second"] = rng.random(requests)
    if scenario.cache:
        rows["key"] = _keys(scenario.cache, requests, rng)
    return rows


# ---------------------------------------------------------------- arrivals


def arrival_times_s(arrivals: Arrivals, requests: int, rng: Generator) -> Floats:
    """Return arrival times in order, from 0 s on."""
    if isinstance(arrivals, Trace):
        return _replayed(arrivals, requests)
    gaps = rng.standard_exponential(requests)
    passed = np.cumsum(gaps, out=gaps)  # in mean gaps: a Poisson process of rate 1
    if isinstance(arrivals, Poisson):
        return np.divide(passed, arrivals.rate_rps, out=passed)
    if isinstance(arrivals, Bursty):
        return _in_bursts(arrivals, passed, rng)
    return _by_profile(arrivals, passed)


def _replayed(trace: Trace, requests: int) -> Floats:
    once = np.asarray(trace.times_s) - trace.times_s[0]
    rounds = math.ceil(requests / len(once))
    starts = np.repeat(np.arange(rounds) * trace.span_s, len(once))
    times: Floats = (np.tile(once, rounds) + starts)[:requests]
    return times


def _in_bursts(arrivals: Bursty, passed: Floats, rng: Generator) -> Floats:
    excess = arrivals.variance_to_mean - 1
    if excess == 0:
        return passed / arrivals.rate_rps
    shape = arrivals.rate_rps / excess  # gamma rates: their variance adds `excess` means to each count's
    chunk = max(16, int(1.2 * len(passed) / (arrivals.rate_rps * arrivals.burst_s)))
    expected, parts = 0.0, [np.zeros(1)]
    while expected <= passed[-1]:
        parts.append(expected + np.cumsum(rng.gamma(shape, excess, chunk) * arrivals.burst_s))
        expected = float(parts[-1][-1])
    windows = np.concatenate(parts)
    times: Floats = np.interp(passed, windows, np.arange(len(windows)) * arrivals.burst_s)
    return times


def _by_profile(arrivals: Diurnal, passed: Floats) -> Floats:
    levels = np.asarray(arrivals.profile) / np.mean(arrivals.profile)
    part_s = arrivals.period_s / len(levels)
    expected = np.concatenate([[0.0], np.cumsum(levels * arrivals.rate_rps * part_s)])
    rounds, rest = np.divmod(passed, expected[-1])
    times: Floats = rounds * arrivals.period_s + np.interp(rest, expected, np.arange(len(expected)) * part_s)
    return times


def _quickened(times_s: Floats, surges: tuple[Surge, ...]) -> Floats:
    """Compress the time between arrivals while a surge lasts; the factors of overlapping surges multiply."""
    if not surges:
        return times_s
    ends = {surge.at_s + surge.lasts_s for surge in surges} - {math.inf}
    edges = np.array(sorted({0.0, *(surge.at_s for surge in surges), *ends}))
    factors = [
        math.prod(s.factor for s in surges if s.at_s <= edge < s.at_s + s.lasts_s) for edge in edges.tolist()
    ]
    before = np.concatenate([[0.0], np.cumsum(np.diff(edges) * factors[:-1])])
    part = np.searchsorted(before, times_s, side="right") - 1
    quickened: Floats = edges[part] + (times_s - before[part]) / np.asarray(factors)[part]
    return quickened


# ---------------------------------------------------------------- service


def unit_work(service: Service, requests: int, rng: Generator) -> Floats:
    """Return service times with a mean of 1."""
    if isinstance(service, Constant | PerBatch):
        return np.ones(requests)
    if isinstance(service, Exponential):
        return rng.standard_exponential(requests)
    if isinstance(service, Lognormal):
        return unit_lognormal(service.scv, rng.standard_normal(requests))
    if isinstance(service, Cut):
        uncut_s = unit_work(service.of, requests, rng) * service.of.mean_s
        cut: Floats = np.minimum(uncut_s, service.longest_s) / service.mean_s
        return cut
    sample = np.asarray(service.sample_s) / service.mean_s
    drawn: Floats = sample[rng.integers(len(sample), size=requests)]
    return drawn


def unit_lognormal(scv: float, normal: Floats) -> Floats:
    """Return lognormal values with a mean of 1 from standard normal ones."""
    variance = math.log1p(scv)
    values: Floats = np.exp(normal * math.sqrt(variance) - variance / 2)
    return values


# ---------------------------------------------------------------- lengths
#
# A lognormal length is read from its quantile function, which a table holds as straight lines: a third of the cost
# of normal values and an exponential. A draw is 32 random bits as a signed number. Its size, over 2^32, is the
# probability of what lies beyond the length drawn, and its sign says on which side of the median. The leading bits
# of a float are a logarithm of it, so that the lines are as fine far out as near the median.

LINES = 7  # 2^7 lines for each halving of the probability: normal values within 10^-5 of the exact ones
_HALVINGS = 32
_SMALLEST = 1022  # the exponent of 0.5, the smallest size, as a float writes it
_LAST = (_HALVINGS << LINES) - 1


def lengths(mean: float, scv: float, tails: Floats) -> Nodes:
    """Return whole lognormal lengths, at least 1, for draws of `tails`; all alike with an `scv` of 0."""
    if scv == 0:
        return np.full(len(tails), max(1, round(mean)), np.int32)
    drawn = np.empty(len(tails), np.int32)
    read_lengths(tails, tails.view(np.int64), _lines(mean, scv), drawn)
    return drawn


def tails(number: int, rng: Generator) -> Floats:
    """Return draws for `lengths`, from -2^31 to 2^31: each the middle of one of 2^32 equal shares."""
    bits = rng.integers(2**64, size=(number + 1) // 2, dtype=np.uint64)
    signed: Floats = bits.view(np.int32)[:number] + np.float64(0.5)
    return signed


@compiled
def read_lengths(tails: Floats, patterns: Ints, lines: Floats, lengths: Nodes) -> None:
    """Find each draw's line by its bit pattern, and read the length off it; above the median where negative."""
    for draw in range(len(tails)):
        line = (patterns[draw] >> (52 - LINES)) - (_SMALLEST << LINES) & _LAST
        if tails[draw] < 0:
            line += _LAST + 1
        lengths[draw] = max(1, int(lines[line, 0] + lines[line, 1] * tails[draw] + 0.5))


@lru_cache(maxsize=16)
def _lines(mean: float, scv: float) -> Floats:
    """Return the lines of a lognormal quantile function, each by its value at 0 and its slope."""
    edges, normal = _normal_quantiles()
    sides = []
    for sign in (1, -1):
        at_edges = np.minimum(mean * unit_lognormal(scv, sign * normal), 2**30)  # more fits in no cache
        signed = sign * edges
        slopes = np.diff(at_edges) / np.diff(signed)
        sides.append(np.stack([at_edges[:-1] - slopes * signed[:-1], slopes], axis=1))
    return np.concatenate(sides)


@lru_cache(maxsize=1)
def _normal_quantiles() -> tuple[Floats, Floats]:
    """Return the sizes of draws at which lines meet, and the standard normal values below which they lie."""
    patterns = (_SMALLEST << LINES) + np.arange(_LAST + 2) << (52 - LINES)
    edges: Floats = patterns.view(np.float64)
    return edges, np.array([NormalDist().inv_cdf(size / 2**32) for size in edges.tolist()])


# ---------------------------------------------------------------- keys


def _keys(cache: Cache, requests: int, rng: Generator) -> Nodes:
    below, guide = _popularity(cache.keys, cache.zipf_exponent)
    asked = rng.random(requests)
    if not COMPILED:
        return np.searchsorted(below, asked, side="right").astype(np.int32)
    keys = np.empty(requests, np.int32)
    find_keys(asked, below, guide, keys)
    return keys


@lru_cache(maxsize=16)
def _popularity(keys: int, exponent: float) -> tuple[Floats, Nodes]:
    """Return the share asked for up to each key, and for each of as many equal shares the first key there."""
    below: Floats = np.cumsum(np.arange(1, keys + 1, dtype=float) ** -exponent)
    below /= below[-1]
    guide = np.searchsorted(below, np.arange(keys) / keys, side="right").astype(np.int32)
    return below, guide


@compiled
def find_keys(asked: Floats, below: Floats, guide: Nodes, keys: Nodes) -> None:
    """Find for each draw the first key whose cumulated share is above it, starting where the guide says."""
    for request in range(len(asked)):
        key = guide[int(asked[request] * len(guide))]
        while below[key] <= asked[request]:
            key += 1
        keys[request] = key
