"""What a simulation found: percentiles with intervals, counts and checks.

A percentile comes from the pooled histogram of all replications, because the mean of the replications' own
percentiles is biased under high load. Its interval comes from the spread of the replications, which are
independent; successive requests in a queue are not.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from mlsd_helpers.formulas import _ranges
from mlsd_helpers.simulation.compiled import COMPILED, compiled
from mlsd_helpers.simulation.fleet import SERVED, Flags, Floats, Ints
from mlsd_helpers.simulation.tables import table_as_html, table_as_text
from mlsd_helpers.units import show_seconds

BITS = 9  # 512 bins for each doubling of the time: a bin is at most 0.2 % wide, and its mean stands for it
OCTAVES = 56  # from 2^-30 s, a nanosecond, to 2^26 s, two years
_SMALLEST = 1023 - 30  # the biased exponent of 2^-30; smaller times, such as 0, go into the first bin

_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def t_975(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t: half a 95 % interval in standard errors.

    >>> t_975(9), round(t_975(1_000), 3)
    (2.262, 1.962)
    """
    return _T_975[degrees - 1] if degrees <= len(_T_975) else 1.96 + 2.4 / degrees


@dataclass(frozen=True)
class Estimate:
    """A value, and the 95 % interval around it from independent replications; NaN where it is not known."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, replications: Sequence[float], most: float = math.inf) -> "Estimate":
        """Return `value` with the 95 % interval that the spread of the replications gives, cut to 0 … `most`."""
        known = [each for each in replications if math.isfinite(each)]
        if len(known) < 2 or not math.isfinite(value):
            return cls(value, math.nan, math.nan)
        half = t_975(len(known) - 1) * float(np.std(known, ddof=1)) / math.sqrt(len(known))
        return cls(value, max(0.0, value - half), min(most, value + half))

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def relative_half_width(self) -> float:
        """Half the interval over the value: 0.16 is ±16 %."""
        return (self.high - self.low) / 2 / self.value if self.value else 0.0

    def as_text(self, show: Callable[[float], str] = show_seconds) -> str:
        """Return the value with its interval, each formatted by `show`.

        >>> Estimate(0.120, 0.115, 0.125).as_text()
        '120 ms (115 ms to 125 ms)'
        """
        if math.isnan(self.value):
            return "none"
        if math.isinf(self.value):
            return "no answer"
        if math.isnan(self.low):
            return show(self.value)
        value, low, high = map(show, (self.value, self.low, self.high))
        return value if value == low == high else f"{value} ({low} to {high})"

    told = as_text  # its name until 0.2.0


@dataclass(frozen=True, eq=False)
class Distribution:
    """Times of all replications, as histograms with bins of a constant relative width.

    Each bin holds the number and the sum of its times, and its mean stands for them. Equal times therefore come
    out exactly, and others within 0.1 % (0.4 % from `quick` and for generation).
    """

    first: int = field(repr=False)
    counts: Ints = field(repr=False)
    sums: Floats = field(repr=False)

    @classmethod
    def of(cls, table: Floats) -> "Distribution":
        """Keep the bins from the first to the last that is not empty; `table` holds a count and a sum for each bin."""
        used = np.flatnonzero(table[..., 0].any(axis=0))
        first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 1)
        return cls(first, table[:, first:last, 0].astype(np.int64), table[:, first:last, 1].copy())

    @property
    def size(self) -> int:
        """How many times there are."""
        return int(self.counts.sum())

    @property
    def mean_s(self) -> Estimate:
        """The mean, with its interval."""
        each = _ratio(self.sums.sum(axis=1), self.counts.sum(axis=1))
        pooled = float(self.sums.sum()) / self.size if self.size else math.nan
        return Estimate.of(pooled, each.tolist())

    def percentile(self, share: float) -> Estimate:
        """Return the time that `share` of all (0.99 for p99) do not exceed, with its interval."""
        _ranges.share_between(percentile=share)
        pooled = _at(share, self.counts.sum(axis=0), self.sums.sum(axis=0))
        return Estimate.of(pooled, [_at(share, *row) for row in zip(self.counts, self.sums, strict=True)])

    def count_within(self, limit_s: float) -> Ints:
        """Count, for each replication, the times that are at most `limit_s`, taking each bin by its mean."""
        means = _ratio(self.sums, self.counts)
        within: Ints = np.where(means <= limit_s, self.counts, 0).sum(axis=1)
        return within

    def curve(self) -> tuple[Floats, Floats]:
        """Return the cumulative distribution: times in ascending order, and the share that is at most as long."""
        counts, sums = self.counts.sum(axis=0), self.sums.sum(axis=0)
        used = counts > 0
        return sums[used] / counts[used], np.cumsum(counts[used]) / max(self.size, 1)


def _ratio(upper: Any, lower: Any) -> Floats:
    ratio: Floats = np.divide(upper, lower, out=np.full(np.shape(lower), np.nan), where=np.asarray(lower) > 0)
    return ratio


def _at(share: float, counts: Ints, sums: Floats) -> float:
    below = np.cumsum(counts)
    if not below[-1]:
        return math.nan
    place = int(np.searchsorted(below, max(1, math.ceil(share * below[-1] * (1 - 1e-12)))))
    return float(sums[place] / counts[place])


class Tally:
    """Histograms being filled: for each kind of time, and each replication, a count and a sum in each bin.

    There are 2^`bits` bins for each doubling of the time. Count and sum are stored side by side, both as floats,
    because memory access dominates the cost.
    """

    def __init__(self, kinds: int, replications: int, bits: int = BITS) -> None:
        self._bits = bits
        self.table = np.zeros((replications, kinds, OCTAVES << bits, 2))

    def add(self, replication: int, times_s: Floats, ends: Flags) -> None:
        """Add the times of served requests, a column for each kind; -1 means that there is none."""
        tables = tuple(self.table[replication])
        if COMPILED:
            fill(times_s, times_s.view(np.int64), ends, tables, self._bits)
            return
        for kind, column in enumerate(times_s[ends == SERVED].T.copy()):
            kept = column[column >= 0]
            leading = (kept.view(np.int64) >> (52 - self._bits)) - (_SMALLEST << self._bits)
            np.add.at(
                tables[kind],
                np.clip(leading, 0, len(tables[kind]) - 1),
                np.stack([np.ones_like(kept), kept], 1),
            )

    def distributions(self) -> list[Distribution]:
        """Return one distribution for each kind."""
        return [Distribution.of(self.table[:, kind]) for kind in range(self.table.shape[1])]


@compiled
def fill(times_s: Floats, patterns: Ints, ends: Flags, tables: tuple[Floats, ...], bits: int) -> None:
    """Count the times of served requests in their bins. `tables` is a tuple because numba knows its length."""
    for place in range(len(times_s)):
        if ends[place] == SERVED:
            for kind in range(len(tables)):
                if times_s[place, kind] >= 0.0:
                    count(tables[kind], bin_of(patterns[place, kind], bits), times_s[place, kind])


@compiled
def count(table: Floats, bin_: int, time_s: float) -> None:
    """Count a time in a bin."""
    table[bin_, 0] += 1.0
    table[bin_, 1] += time_s


@compiled
def bin_of(pattern: int, bits: int) -> int:
    """Return the bin of a time from its bit pattern: the leading bits of a float approximate its logarithm."""
    return min(max((pattern >> (52 - bits)) - (_SMALLEST << bits), 0), (OCTAVES << bits) - 1)


@dataclass(frozen=True)
class Counts:
    """How the requests after the warm-up ended; `arrived` is the sum of the other counts."""

    arrived: int
    served: int
    shed: int = 0
    timed_out: int = 0
    lost: int = 0
    in_flight: int = 0


_ENDS = (
    ("shed", "shed"),
    ("timed_out", "timed out"),
    ("lost", "lost with a replica"),
    ("in_flight", "in flight"),
)
PERCENTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))


@dataclass(frozen=True, eq=False)
class Result:
    """What a simulation found, over all its replications and after the warm-up of each."""

    scenario: Any
    seed: int
    replications: int
    latency: Distribution
    """From a request's arrival to its answer, retries included; of served requests only."""
    wait: Distribution
    """From sending the attempt that was served until its service starts."""
    counts: Counts
    served: Estimate
    """Share of the requests that got an answer."""
    goodput_rps: Estimate
    """Requests served per second; work for clients that gave up does not count."""
    utilisation: Estimate
    """Busy share of the slots of all replicas that are up. Generation: share of the time in which a replica works
    on at least one sequence, which is high long before the fleet is full."""
    hit_ratio: Estimate | None
    attempts: int
    """Attempts sent to the fleet, with retries and those of the warm-up."""
    wasted: int
    """Attempts that were worked on after their client had given up."""
    littles_law_error: float | None
    """Relative difference between the two sides of Little's law, which should be rounding only.
    None from `quick`, which does not count the requests in the system."""
    arrived_each: tuple[int, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    """Warnings about the numbers."""
    requests: int = 0
    """Requests of all replications, those of the warm-up included."""
    first_token: Distribution | None = None
    """Generation: from a request's arrival to its first token."""
    per_token: Distribution | None = None
    """Generation: mean time between the tokens after the first, by request."""

    @property
    def sent(self) -> int:
        """Requests that were simulated, those of the warm-up included; each is sent once at least."""
        return self.requests or sum(self.arrived_each)

    @property
    def p50_s(self) -> Estimate:
        """The median latency."""
        return self.latency.percentile(0.50)

    @property
    def p95_s(self) -> Estimate:
        """The latency that one request in twenty exceeds."""
        return self.latency.percentile(0.95)

    @property
    def p99_s(self) -> Estimate:
        """The latency that one request in a hundred exceeds."""
        return self.latency.percentile(0.99)

    @property
    def mean_s(self) -> Estimate:
        """The mean latency."""
        return self.latency.mean_s

    def of_all(self, share: float) -> Estimate:
        """Return the latency that `share` of all requests do not exceed; no answer counts as infinite."""
        served = self.latency.size / sum(self.arrived_each)
        if share > served:
            return Estimate(math.inf, math.inf, math.inf)
        return self.latency.percentile(share / served) if served < 1 else self.latency.percentile(share)

    def share_within(self, limit_s: float) -> Estimate:
        """Return the share of all requests, refused ones too, that were answered within `limit_s`."""
        within = self.latency.count_within(limit_s)
        each = [count / arrived for count, arrived in zip(within.tolist(), self.arrived_each, strict=True)]
        return Estimate.of(float(within.sum()) / sum(self.arrived_each), each, most=1.0)

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return the rows of the table for people: name, and value with its interval."""
        rows = [(name, self.latency.percentile(share).as_text()) for name, share in PERCENTILES]
        rows += [("mean", self.mean_s.as_text()), ("p99 of the wait", self.wait.percentile(0.99).as_text())]
        if self.first_token and self.per_token:
            rows += [("p99 to the first token", self.first_token.percentile(0.99).as_text())]
            rows += [("p99 per token", self.per_token.percentile(0.99).as_text())]
        rows += [
            ("served", self.served.as_text(show_share)),
            ("utilisation", self.utilisation.as_text(show_share)),
        ]
        if self.hit_ratio:
            rows += [("cache hits", self.hit_ratio.as_text(show_share))]
        rows += [("goodput", self.goodput_rps.as_text(lambda rps: f"{rps:,.4g}/s"))]
        ends = ((name, getattr(self.counts, key)) for key, name in _ENDS)
        return (*rows, *((name, f"{number:,}") for name, number in ends if number))

    def text(self) -> str:
        """Return the result as plain text."""
        return "\n".join([self._title(), table_as_text(self.rows()), *self.notes])

    def _title(self) -> str:
        return (
            f"{self.counts.arrived:,} requests in {self.replications} independent replications, seed {self.seed}; "
            "95 % intervals in brackets"
        )

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return table_as_html(self.rows(), caption=self._title()) + notes


def show_share(share: float) -> str:
    """Write a share in per cent, with four digits.

    >>> show_share(0.8), show_share(0.99954)
    ('80 %', '99.95 %')
    """
    return f"{100 * share:.4g} %"
