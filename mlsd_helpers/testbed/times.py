"""Latencies and ages in HdrHistograms: three digits, whatever their size, in a few kilobytes."""

from collections.abc import Iterable
from typing import Any

_TICK_S = 1e-7  # times are counted in tenths of a microsecond
_LONGEST_S = 600.0
GRID = (0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0)


class Times:
    """A histogram of times in seconds."""

    def __init__(self, times_s: Iterable[float] = ()) -> None:
        from hdrh.histogram import HdrHistogram  # noqa: PLC0415 - an extra

        self._histogram: Any = HdrHistogram(1, round(_LONGEST_S / _TICK_S), 3)
        for time_s in times_s:
            self.add(time_s)

    def add(self, time_s: float) -> None:
        """Add a time; one beyond ten minutes counts as ten minutes."""
        self._histogram.record_value(round(min(max(time_s, 0), _LONGEST_S) / _TICK_S))

    def __len__(self) -> int:
        return int(self._histogram.get_total_count())

    def percentile(self, share: float) -> float:
        """Return the time that `share` of all do not exceed."""
        return float(self._histogram.get_value_at_percentile(100 * share)) * _TICK_S

    def grid(self) -> dict[str, float]:
        """Return the usual percentiles by their shares, as text for JSON."""
        return {str(share): self.percentile(share) for share in GRID} if len(self) else {}

    @property
    def mean_s(self) -> float:
        """The mean."""
        return float(self._histogram.get_mean_value()) * _TICK_S
