"""The replica rule beside Erlang C: one value that a figure draws and a widget shows.

The rule promises a mean utilisation; Erlang C gives the wait. Erlang C is exact for Poisson arrivals,
exponential service times and one queue that all replicas share.
"""

import math
from dataclasses import dataclass

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import show_seconds

ASSUMES = "The wait before service by Erlang C: Poisson arrivals, exponential service, one shared queue."
_MOST_POINTS = 60


@dataclass(frozen=True)
class CapacityInputs:
    """What is sized: times in seconds, the peak in requests per second, the rest as fractions.

    `wait_budget_s` is the longest wait before service that the `percentile` may have; None is half a
    service time.
    """

    peak_rps: float = 500
    service_time_s: float = 0.040
    target_utilisation: float = 0.7
    headroom: float = 0.3
    wait_budget_s: float | None = None
    percentile: float = 0.99

    @property
    def budget_s(self) -> float:
        """The wait budget in seconds, half a service time where none was given."""
        return self.service_time_s / 2 if self.wait_budget_s is None else self.wait_budget_s

    @property
    def offered_load(self) -> float:
        """The load in erlangs: how many replicas the peak keeps busy on average."""
        return formulas.offered_load_erlangs(self.peak_rps, self.service_time_s)


@dataclass(frozen=True)
class Fleet:
    """A number of replicas under the peak, with its mean utilisation and a percentile of its wait in seconds."""

    replicas: int
    utilisation: float
    wait_s: float

    def __str__(self) -> str:
        """Return the fleet as a label: 26 (77% busy, wait 17.8 ms)."""
        return f"{self.replicas:,} ({self.utilisation:.0%} busy, wait {show_wait(self.wait_s)})"


@dataclass(frozen=True)
class CapacityView:
    """The rule's fleet, the exact one for a wait budget, and the wait of the numbers of replicas around them."""

    inputs: CapacityInputs
    rule: Fleet
    exact: Fleet
    curve: tuple[tuple[int, float], ...]

    @property
    def percentile_name(self) -> str:
        """The percentile as engineers write it: p99."""
        return f"p{100 * self.inputs.percentile:.4g}"

    @property
    def wait_top_s(self) -> float:
        """The longest wait worth drawing, in seconds: what lies above belongs to a queue near its limit."""
        budget, service = self.inputs.budget_s, self.inputs.service_time_s
        by_rule = self.rule.wait_s if math.isfinite(self.rule.wait_s) else 0.0
        drawn = min(1.1 * self.curve[0][1], max(8 * budget, 1.15 * by_rule))
        return max(1.5 * budget, drawn) or service

    @property
    def formula(self) -> str:
        """The rule with its numbers put in."""
        given, factor = self.inputs, 1 + self.inputs.headroom
        before = given.peak_rps * given.service_time_s / given.target_utilisation * factor
        return (
            f"replicas = ⌈{given.peak_rps:,g}/s × {given.service_time_s:.4g} s ÷ {given.target_utilisation:g} "
            f"× {factor:.4g}⌉ = ⌈{before:,.6g}⌉ = {self.rule.replicas:,}"
        )

    @property
    def verdict(self) -> str:
        """Which of the two asks for more replicas, and by how many."""
        more = self.rule.replicas - self.exact.replicas
        if more == 0:
            return "The rule and Erlang C agree."
        return f"For this wait the rule asks for {abs(more):,} too {'many' if more > 0 else 'few'}."

    @property
    def sentence(self) -> str:
        """The whole view in words."""
        given, name = self.inputs, self.percentile_name
        return (
            f"At {given.peak_rps:,g} requests/s of {show_seconds(given.service_time_s)} the rule gives "
            f"{self._said(self.rule)}. A {name} wait of at most {show_wait(given.budget_s)} takes "
            f"{self._said(self.exact)}. {self.verdict}"
        )

    def _said(self, fleet: Fleet) -> str:
        counted = f"{fleet.replicas:,} replica" + ("" if fleet.replicas == 1 else "s")
        return (
            f"{counted}: {fleet.utilisation:.0%} busy, {self.percentile_name} wait {show_wait(fleet.wait_s)}"
        )

    @property
    def alt(self) -> str:
        """What a picture of the curve says in words."""
        up_to = math.floor(self.inputs.offered_load)
        limit = f" With {up_to:,} or fewer the queue grows without end." if up_to else ""
        return f"{self.percentile_name} wait against replicas. {self.sentence}{limit}"


def capacity_view(inputs: CapacityInputs) -> CapacityView:
    """Size one fleet by the rule and one by Erlang C; inputs out of range raise `RangeError`.

    >>> view = capacity_view(CapacityInputs(peak_rps=1_000, service_time_s=0.050))
    >>> view.rule.replicas, view.exact.replicas
    (93, 57)
    """
    for name, value in (("peak_rps", inputs.peak_rps), ("service_time_s", inputs.service_time_s)):
        if not value > 0:
            raise RangeError(
                f"{name} {value!r} must be above 0. Give requests per second, and seconds for each."
            )
    rps, service_s = inputs.peak_rps, inputs.service_time_s
    by_rule = formulas.replicas(rps, service_s, inputs.target_utilisation, inputs.headroom)
    by_wait = formulas.servers_for_wait(rps, service_s, inputs.budget_s, inputs.percentile)
    curve = _curve(inputs, by_rule, by_wait)
    return CapacityView(inputs, _fleet(by_rule, inputs), _fleet(by_wait, inputs), curve)


def _fleet(replicas: int, inputs: CapacityInputs) -> Fleet:
    busy = formulas.utilisation(replicas, inputs.peak_rps, inputs.service_time_s)
    return Fleet(replicas, busy, _wait_s(replicas, inputs))


def _wait_s(replicas: int, inputs: CapacityInputs) -> float:
    if replicas <= inputs.offered_load:
        return math.inf
    return formulas.wait_percentile_s(replicas, inputs.peak_rps, inputs.service_time_s, inputs.percentile)


def _curve(inputs: CapacityInputs, *marked: int) -> tuple[tuple[int, float], ...]:
    points: list[tuple[int, float]] = []
    for replicas in _worth_drawing(inputs.offered_load, marked):
        stays_zero = bool(points) and points[-1][1] == 0  # the wait only falls: nothing to compute again
        points.append((replicas, 0.0 if stays_zero else _wait_s(replicas, inputs)))
    return tuple(points)


def _worth_drawing(offered_load: float, marked: tuple[int, ...]) -> list[int]:
    """From the first stable number to a little beyond the marked ones: all, or denser near the limit."""
    first = math.floor(offered_load) + 1
    span = max(max(marked) - first, 3)
    span += max(2, span // 10)
    if span < _MOST_POINTS:
        return list(range(first, first + span + 1))
    steps = (round(span ** (step / _MOST_POINTS)) for step in range(_MOST_POINTS + 1))
    stable = (count for count in marked if count >= first)
    return sorted({first, *(first + step for step in steps), *stable})


def show_wait(wait_s: float) -> str:
    """Write a wait with three digits.

    >>> show_wait(0.15621), show_wait(0), show_wait(math.inf)
    ('156 ms', '0 ms', 'without end')
    """
    if wait_s == 0:
        return "0 ms"
    return show_seconds(float(f"{wait_s:.3g}")) if math.isfinite(wait_s) else "without end"
