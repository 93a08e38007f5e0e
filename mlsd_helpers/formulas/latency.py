"""Latency: limits on the time of steps add up, percentiles do not.

Times are in seconds, and a percentile is a share: 0.99 for the 99th. Every function refuses NaN, infinite,
negative and boolean input with `RangeError`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.formulas._roots import solve_decreasing
from mlsd_helpers.formulas._rounding import round_up

__all__ = [
    "Histogram",
    "budget_left_s",
    "histogram_percentile_s",
    "leaf_percentile",
    "max_of_exponentials_percentile_s",
    "merge_histograms",
    "sample_percentile_s",
    "sum_of_exponentials_percentile_s",
]


def budget_left_s(budget_s: float, stages_s: Sequence[float]) -> float:
    """Time that stages in series leave of a latency budget, in seconds; below 0, they exceed it.

    `budget_s` above 0, each of `stages_s` at least 0: a limit that each stage does not exceed. Limits add
    up; measured percentiles do not. Source: arithmetic.

    Five stages of 110 ms in all, in 100 ms.

    >>> round(budget_left_s(budget_s=0.100, stages_s=[0.010, 0.025, 0.040, 0.005, 0.030]), 12)
    -0.01
    """
    _ranges.positive(budget_s=budget_s)
    for stage_s in stages_s:
        _ranges.not_negative(stages_s=stage_s)
    return budget_s - math.fsum(stages_s)


def sample_percentile_s(samples_s: Sequence[float], percentile: float = 0.99) -> float:
    """Percentile of measured times, in seconds.

    The smallest measured time that a share `percentile` of them does not exceed. `samples_s` holds at least one
    time, each at least 0; `percentile` above 0 and below 1. Source: the nearest-rank definition, Hyndman & Fan
    (1996), The American Statistician 50(4), type 1.

    95 requests of 20 ms and 5 of 400 ms: the mean is 39 ms.

    >>> sample_percentile_s([0.020] * 95 + [0.400] * 5, percentile=0.99)
    0.4
    """
    _ranges.share_between(percentile=percentile)
    for sample_s in samples_s:
        _ranges.not_negative(samples_s=sample_s)
    if not samples_s:
        raise RangeError("samples_s must hold at least one time. Give times in seconds, such as [0.02, 0.4].")
    return sorted(samples_s)[round_up(percentile * len(samples_s)) - 1]


def sum_of_exponentials_percentile_s(means_s: Sequence[float], percentile: float = 0.99) -> float:
    """Percentile of the whole time of independent exponential stages in series, in seconds.

    Less than the sum of the stages' percentiles, since stages are rarely slow together. Equal means make it
    Erlang's distribution, others the hypoexponential. `means_s` at least one, each above 0 and within a factor
    of 10⁹ of the others; `percentile` above 0 and below 1. Source: Neuts (1981), Matrix-Geometric Solutions in
    Stochastic Models, phase-type distributions: the share still under way is a row sum of exp(Qt), here by
    uniformisation and squaring, which only adds, so that no digits cancel.

    One stage of 10 ms is exponential: 10 ms × ln 100. The p99 of two stages is 66.4 ms; the sum of their p99 is
    92.1 ms.

    >>> round(sum_of_exponentials_percentile_s([0.010], percentile=0.99), 6)
    0.046052
    """
    _ranges.share_between(percentile=percentile)
    for mean_s in means_s:
        _ranges.positive(means_s=mean_s)
    if not means_s:
        raise RangeError("means_s must hold at least one mean. Give times in seconds, such as [0.01, 0.01].")
    if max(means_s) > 1e9 * min(means_s):  # beyond it, squaring loses digits
        raise RangeError(f"means_s {means_s!r} must be within a factor of 10⁹. Leave out the shortest.")
    rates = [1 / mean_s for mean_s in means_s]
    return solve_decreasing(
        1 - percentile, lambda time_s: _share_under_way(rates, time_s), start=math.fsum(means_s)
    )


def _share_under_way(rates: Sequence[float], time_s: float) -> float:
    jumps = max(rates) * time_s
    halvings = max(0, math.frexp(jumps)[1])
    moves = [rate / max(rates) for rate in rates]
    later = [_stage_after(moves, jumps / 2**halvings, start) for start in range(len(moves))]
    for _ in range(halvings):
        columns = list(zip(*later, strict=True))
        later = [[math.fsum(map(mul, row, column)) for column in columns] for row in later]
    return math.fsum(later[0])


def _stage_after(moves: Sequence[float], jumps: float, start: int) -> list[float]:
    """Return the probability of each stage after a time of at most one mean jump, from the stage `start`."""
    here = [float(stage == start) for stage in range(len(moves))]
    total, weight = [0.0] * len(moves), math.exp(-jumps)
    for jump in range(1, 25):  # the weight falls below 1e-24
        total = [so_far + weight * now for so_far, now in zip(total, here, strict=True)]
        arriving = [0.0, *map(mul, here, moves)]
        here = [now * (1 - move) + new for now, move, new in zip(here, moves, arriving, strict=False)]
        weight *= jumps / jump
    return total


def max_of_exponentials_percentile_s(mean_s: float, fan_out: int, percentile: float = 0.99) -> float:
    """Percentile of the slowest of `fan_out` independent exponential calls, in seconds: −S ln(1 − p^(1/n)).

    `mean_s` above 0, `fan_out` at least 1, `percentile` above 0 and below 1. Source: order statistics, David
    & Nagaraja (2003); for serving, Dean & Barroso (2013), The Tail at Scale.

    The median of the slowest of 10 calls of 10 ms each; the median of one call is 6.9 ms.

    >>> round(max_of_exponentials_percentile_s(mean_s=0.010, fan_out=10, percentile=0.5), 4)
    0.027
    """
    _ranges.positive(mean_s=mean_s)
    _ranges.whole(fan_out=fan_out)
    _ranges.share_between(percentile=percentile)
    return -mean_s * math.log(-math.expm1(math.log(percentile) / fan_out))


def leaf_percentile(fan_out: int, percentile: float = 0.99) -> float:
    """Percentile that each parallel call has to keep for the request to keep `percentile`: p^(1/n).

    `fan_out` at least 1, `percentile` above 0 and below 1; the calls are independent. Source: Dean & Barroso
    (2013), The Tail at Scale, Communications of the ACM 56(2).

    If one request in a hundred may be slow, one call in ten thousand may be slow.

    >>> round(leaf_percentile(fan_out=100, percentile=0.99), 6)
    0.9999
    """
    _ranges.whole(fan_out=fan_out)
    _ranges.share_between(percentile=percentile)
    return math.exp(math.log(percentile) / fan_out)


@dataclass(frozen=True)
class Histogram:
    """Counts of times per bucket.

    `upper_edges_s` are in seconds, above 0 and rising. A count is that of the times up to its edge and above
    the edge before.

    >>> Histogram(upper_edges_s=(0.05, 0.5), counts=(99, 1)).counts
    (99, 1)
    """

    upper_edges_s: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse edges that do not rise, counts below 0, and a count without an edge."""
        _ranges.positive(**{f"upper_edges_s[{i}]": edge_s for i, edge_s in enumerate(self.upper_edges_s)})
        _ranges.whole(0, **{f"counts[{i}]": count for i, count in enumerate(self.counts)})
        rising = all(map(float.__lt__, map(float, self.upper_edges_s), map(float, self.upper_edges_s[1:])))
        if not rising or len(self.upper_edges_s) != len(self.counts):
            raise RangeError(
                f"upper_edges_s {self.upper_edges_s!r} must rise, with one count each. Sort them."
            )


def merge_histograms(histograms: Sequence[Histogram]) -> Histogram:
    """Merge histograms with the same edges by adding their counts; percentiles cannot be averaged.

    At least one histogram. Source: Dean & Barroso (2013) on tails; Tene, HdrHistogram, on merging.

    >>> merge_histograms([Histogram((0.05, 0.5), (99, 1)), Histogram((0.05, 0.5), (60, 40))])
    Histogram(upper_edges_s=(0.05, 0.5), counts=(159, 41))
    """
    if len({histogram.upper_edges_s for histogram in histograms}) != 1:
        raise RangeError("histograms must be at least one, all with the same edges. Record them alike.")
    counts = zip(*(histogram.counts for histogram in histograms), strict=True)
    return Histogram(histograms[0].upper_edges_s, tuple(map(sum, counts)))


def histogram_percentile_s(histogram: Histogram, percentile: float = 0.99) -> float:
    """Upper edge of the bucket that holds a percentile, in seconds: the percentile is at most this.

    The histogram holds at least one time; `percentile` is above 0 and below 1. Source: nearest rank, as for
    `sample_percentile_s`.

    Of 200 times, 159 are at most 50 ms and the 198th is not.

    >>> histogram_percentile_s(Histogram((0.05, 0.5), (159, 41)), percentile=0.99)
    0.5
    """
    _ranges.share_between(percentile=percentile)
    times = sum(histogram.counts)
    if not times:
        raise RangeError("histogram must hold at least one time; all its counts are 0. Record some requests.")
    rank, so_far = round_up(percentile * times), 0
    for edge_s, count in zip(histogram.upper_edges_s, histogram.counts, strict=True):
        so_far += count
        if so_far >= rank:
            return edge_s
    return histogram.upper_edges_s[-1]
