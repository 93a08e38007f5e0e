"""The result of one run of the load generator."""

import math
from dataclasses import dataclass, field

from mlsd_helpers.units import show_seconds

MOST_REQUESTS = 200_000
LONGEST_S = 300.0
TIMEOUT_S = 5.0  # of one request


@dataclass(frozen=True)
class Load:
    """One run of load: what was asked for, what was answered, and how long it took.

    Times are in seconds. `failed` counts requests by outcome; `late_s` is how late the generator itself
    sent them; `server_cpu_s` is the CPU time of everything that serves, `client_cpu_s` the generator's own.
    """

    loop: str
    rate_rps: float
    requests: int
    failed: dict[str, int]
    took_s: float
    latency_s: dict[str, float] = field(repr=False)
    late_s: dict[str, float] = field(repr=False)
    age_s: dict[str, float] = field(repr=False)
    server_cpu_s: float
    client_cpu_s: float
    mean_s: float | None = None
    recall: float | None = None
    """Share of the fraud that was called fraud; a failed request calls nothing."""
    alarms: float | None = None
    """Share of the honest payments that were called fraud."""
    sample_s: tuple[tuple[float, float], ...] = field(default=(), repr=False)
    """In an open loop, for each request: when it was meant to be sent, from the start, and its latency."""
    scores: tuple[float | None, ...] = field(default=(), repr=False)
    fraud: tuple[bool, ...] = field(default=(), repr=False)
    """For each score, whether its payment was fraud."""

    @property
    def failures(self) -> int:
        """The number of requests without an answer, or with an empty one."""
        return sum(self.failed.values())

    @property
    def answered(self) -> int:
        """The number of requests that were answered."""
        return self.requests - self.failures

    @property
    def p50_s(self) -> float:
        """The median latency."""
        return self.percentile(0.5)

    @property
    def p99_s(self) -> float:
        """The latency that one request in a hundred exceeds, of *all* that were meant to be sent."""
        return self.percentile(0.99)

    @property
    def worst_s(self) -> float:
        """The longest latency."""
        return self.percentile(1.0)

    def percentile(self, share: float) -> float:
        """Return a percentile of the kept grid; infinite when so many requests failed that it falls among them."""
        if self.failures > (1 - share) * self.requests or not self.latency_s:
            return math.inf
        return self.latency_s[str(share)]

    def recall_at(self, false_alarms: float) -> float:
        """Return the recall with the threshold above which at most this share of the run's honest payments lies.

        So that ways to answer are compared at the same false-alarm rate. A failed request calls nothing.
        """
        known = [
            (-math.inf if one is None else one, fraud)
            for one, fraud in zip(self.scores, self.fraud, strict=True)
        ]
        honest = sorted((one for one, fraud in known if not fraud), reverse=True)
        threshold = honest[math.floor(false_alarms * len(honest))]
        return sum(one > threshold for one, fraud in known if fraud) / sum(self.fraud)

    @property
    def cpu_s_per_thousand(self) -> float:
        """CPU seconds that serving took for each 1,000 predictions; infinite when there was none."""
        return 1_000 * self.server_cpu_s / self.answered if self.answered else math.inf

    def __str__(self) -> str:
        """Summarise the run in one line."""
        lost = ", ".join(f"{count:,} {what}" for what, count in self.failed.items()) or "none failed"
        return (
            f"{self.loop} loop, {self.requests:,} requests in {self.took_s:.1f} s ({lost}): "
            f"p50 {format_time(self.p50_s)}, p99 {format_time(self.p99_s)}, worst {format_time(self.worst_s)}"
        )


def format_time(time_s: float) -> str:
    """Format a time; an infinite one means no answer.

    >>> format_time(0.012), format_time(math.inf)
    ('12 ms', 'no answer')
    """
    return "no answer" if math.isinf(time_s) else show_seconds(time_s)
