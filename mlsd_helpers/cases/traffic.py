"""A week of requests with the shape of a published trace, and an hour that came twice."""

import random

PROFILE = (0.97, 0.72, 0.53, 0.38, 0.28, 0.24, 0.48, 0.82, 1.01, 1.06, 1.06, 1.12,
           1.18, 1.18, 1.22, 1.17, 1.00, 1.19, 1.44, 1.51, 1.43, 1.42, 1.38, 1.23)  # fmt: skip
"""Hour by hour, the rate of New York taxi rides over its mean. Source: Numenta Anomaly Benchmark, NYC taxi."""

DAYS, SATURDAY, SUNDAY = 7, 5, 6
REPEATED = frozenset({24 * SUNDAY + 1})
"""The hour at one on Sunday, when summer time ended: its count is that of two hours."""
EXPLANATION = {"repeated": REPEATED}
"""What `figures.trace_peak` and `formulas.peak_of_trace` take to explain the busiest hour of `week`."""

_MEAN_RPS = 200
_NIGHT, _EVENING = 1.87, 1.38  # what a weekend night and a Saturday evening have above an ordinary one


def week(seed: int = 0) -> list[int]:
    """Return the requests of each hour of a week, Monday first, as a counter that goes by the clock wrote them.

    The profile is the published one; weekend nights are busier, the last two days' first, and one hour of them came
    twice. Its largest count then stands over the mean, and over the largest ordinary one, about as in the trace.

    >>> counts = week()
    >>> len(counts), counts.index(max(counts)) in REPEATED
    (168, True)
    """
    rng = random.Random(seed)  # noqa: S311 - traffic, not secrets
    rates = [_MEAN_RPS * PROFILE[at % 24] * _uplift(at) * rng.gauss(1, 0.015) for at in range(24 * DAYS)]
    return [round(3_600 * rate * (1 + (at in REPEATED))) for at, rate in enumerate(rates)]


def _uplift(at: int) -> float:
    day, hour = divmod(at, 24)
    if day >= SATURDAY and hour < 4:
        return _NIGHT
    return _EVENING if day == SATURDAY and hour >= 18 else 1.0
