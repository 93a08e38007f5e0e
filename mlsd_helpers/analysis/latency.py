"""A latency distribution with a tail: one value that a figure draws and a widget shows.

Most requests are ordinary and a share of them is slow, each kind lognormal. The curve is the share of requests that
are slower than a time, so that every percentile is where the curve crosses a level: p50 at 50%, p99 at 1%.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import ms, show_seconds

SPREAD = 0.15
"""The standard deviation of the logarithm of a time, for each of the two kinds of request."""

ASSUMES = (
    "Ordinary and slow requests are lognormal, each about 15% around its mean; calls are slow independently."
)
PERCENTILE = 0.99
FROM_S, TO_S = 1 * ms, 10.0
LEAST_SHARE = 2e-5
_POINTS = 160


@dataclass(frozen=True)
class LatencyInputs:
    """A distribution and a promise: times in seconds, the share of slow requests a fraction.

    `calls` is how many such requests a page makes at once; it waits for all of them.
    """

    ordinary_s: float = 0.020
    slow_share: float = 0.05
    slow_s: float = 0.400
    calls: int = 10
    promise_s: float = 0.100


class Mark(NamedTuple):
    """A number by which a latency is known, and the share of requests that are slower than it."""

    name: str
    time_s: float
    slower: float

    @property
    def words(self) -> str:
        """The time as a person would say it."""
        return show_seconds(float(f"{self.time_s:.3g}"))


@dataclass(frozen=True)
class LatencyView:
    """What the inputs give: mean, p50, p99 and the page's p99 in seconds, and the curve of slower requests.

    A point of the curve is a time in seconds and the share of requests that are slower.
    """

    inputs: LatencyInputs
    mean: Mark
    p50: Mark
    p99: Mark
    page_p99: Mark
    curve: tuple[tuple[float, float], ...]
    late: float
    """The share of requests that are slower than the promise."""
    late_pages: float
    """The same of pages."""

    @property
    def marks(self) -> tuple[Mark, Mark, Mark, Mark]:
        """The four numbers, in the order in which they are told."""
        return self.p50, self.mean, self.p99, self.page_p99

    @property
    def sum(self) -> str:
        """The mean with its numbers put in."""
        given = self.inputs
        shares = (_share(1 - given.slow_share), _share(given.slow_share))
        parts = zip(shares, (given.ordinary_s, given.slow_s), strict=True)
        return (
            f"mean = {' + '.join(f'{share} × {show_seconds(s)}' for share, s in parts)} = {self.mean.words}"
        )

    def keeps(self, mark: Mark) -> bool:
        """Tell whether a promise that is made about this number is kept."""
        return mark.time_s < self.inputs.promise_s

    @property
    def verdict(self) -> str:
        """Which of the four would keep the promise, and how many are late."""
        kept = [mark.name for mark in self.marks if self.keeps(mark)]
        return (
            f"The promise of {show_seconds(self.inputs.promise_s)} is kept by {_listed(kept)}; {_share(self.late)} of "
            f"requests and {_share(self.late_pages)} of pages take longer."
        )

    @property
    def sentence(self) -> str:
        """The whole view in words."""
        given = self.inputs
        told = ", ".join(f"{mark.name} {mark.words}" for mark in self.marks)
        return (
            f"Ordinary requests take {show_seconds(given.ordinary_s)}, {_share(given.slow_share)} of them "
            f"{show_seconds(given.slow_s)}, and a page waits for {given.calls}: {told}. {self.verdict}"
        )

    @property
    def alt(self) -> str:
        """What a picture of the curve says in words."""
        return (
            "Share of requests slower than a time, on logarithmic axes: a curve that falls at the ordinary time to the "
            f"share of slow requests, and at the slow time to nothing. {self.sentence}"
        )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "none of the four"


def _share(share: float) -> str:
    percent = 100 * share if share >= LEAST_SHARE else 0
    return f"{percent:.{4 if share > 0.99 else 3}g}%"


def latency_view(inputs: LatencyInputs) -> LatencyView:
    """Work out a distribution's numbers; inputs out of range raise `RangeError`.

    >>> view = latency_view(LatencyInputs(ordinary_s=0.020, slow_share=0.05, slow_s=0.400))
    >>> round(view.mean.time_s, 3), view.p50.time_s < 0.021, view.p99.time_s > 0.400
    (0.039, True, True)
    """
    _refuse(inputs)
    mean_s = (1 - inputs.slow_share) * inputs.ordinary_s + inputs.slow_share * inputs.slow_s
    each_call = formulas.leaf_percentile(inputs.calls, PERCENTILE)
    late = _slower(inputs, inputs.promise_s)
    return LatencyView(
        inputs,
        mean=Mark("mean", mean_s, _slower(inputs, mean_s)),
        p50=_percentile(inputs, "p50", 0.5),
        p99=_percentile(inputs, "p99", PERCENTILE),
        page_p99=_percentile(inputs, f"p99 of a page with {inputs.calls} calls", each_call),
        curve=tuple((time_s, _slower(inputs, time_s)) for time_s in _TIMES_S),
        late=late,
        late_pages=formulas.fan_out_tail(late, inputs.calls),
    )


_TIMES_S = tuple(FROM_S * (TO_S / FROM_S) ** (step / _POINTS) for step in range(_POINTS + 1))


def _refuse(inputs: LatencyInputs) -> None:
    for name in ("ordinary_s", "slow_s", "promise_s"):
        value = getattr(inputs, name)
        if not 0 < value < math.inf:
            raise RangeError(f"{name} {value!r} must be above 0 and finite. Give seconds.")
    if not 0 <= inputs.slow_share < 1:
        raise RangeError(
            f"slow_share {inputs.slow_share!r} must be from 0 to below 1. Give a share: 0.05 for 5%."
        )


def _slower(inputs: LatencyInputs, time_s: float) -> float:
    """Return the share of requests that take longer than a time."""
    kinds = ((1 - inputs.slow_share, inputs.ordinary_s), (inputs.slow_share, inputs.slow_s))
    return math.fsum(share * _beyond(mean_s, time_s) for share, mean_s in kinds)


def _beyond(mean_s: float, time_s: float) -> float:
    """Return the share of a lognormal of this mean beyond a time; its median lies a little below the mean."""
    return NormalDist().cdf((math.log(mean_s / time_s) - SPREAD**2 / 2) / SPREAD)


def _percentile(inputs: LatencyInputs, name: str, percentile: float) -> Mark:
    """Find a percentile by bisection of the logarithm; sixty halvings leave nothing that a float could show."""
    low, high = (
        math.log(min(inputs.ordinary_s, inputs.slow_s)) - 3,
        math.log(max(inputs.ordinary_s, inputs.slow_s)) + 3,
    )
    for _ in range(60):
        middle = (low + high) / 2
        slower = _slower(inputs, math.exp(middle))
        low, high = (middle, high) if slower > 1 - percentile else (low, middle)
    return Mark(name, math.exp(high), 1 - percentile)
