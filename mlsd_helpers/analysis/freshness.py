"""A feature's age over time: one value that a figure draws and a widget shows.

A job runs on a schedule, its result becomes readable some time later, and a cache serves copies of it. In the store
the age is a sawtooth; a copy in the cache falls up to a TTL later.
"""

import math
from dataclasses import dataclass

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import AgeBounds, Stage
from mlsd_helpers.units import show_seconds

ASSUMES = "Age counts from the start of the run. Up to a TTL after a result is readable, a copy holds the one before."
PERIODS = 3
READ_AT = 2.0  # periods after the beginning of the window


@dataclass(frozen=True)
class FreshnessInputs:
    """A schedule, what a run takes, a cache and a promise: times in seconds, the phase a share of the period."""

    period_s: float = 900
    delay_s: float = 270
    ttl_s: float = 30
    sla_s: float = 900
    phase: float = 0.0

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The path as the formulas take it."""
        return (Stage(self.period_s, self.delay_s), Stage(ttl_s=self.ttl_s))


@dataclass(frozen=True)
class FreshnessView:
    """What the inputs give: bounds of the age, the share of stale reads, and the age over some periods.

    A row is a time, the age in the store and the age of the oldest copy, in seconds.
    """

    inputs: FreshnessInputs
    bounds: AgeBounds
    stale: float
    rows: tuple[tuple[float, float, float], ...]

    @property
    def window_s(self) -> float:
        """How much time is drawn."""
        return PERIODS * self.inputs.period_s

    @property
    def read_s(self) -> float:
        """When the one read happens that is marked."""
        return READ_AT * self.inputs.period_s

    @property
    def top_s(self) -> float:
        """The oldest age worth drawing."""
        return 1.18 * max(self.bounds.worst_s, self.inputs.sla_s)

    @property
    def left_s(self) -> float:
        """What delays and TTL leave of the age limit for the period; below 0 when they exceed it."""
        return self.inputs.sla_s - self.inputs.delay_s - self.inputs.ttl_s

    @property
    def read_ages_s(self) -> tuple[float, float]:
        """The age that the marked read finds in the store, and in the oldest copy that the cache may hold."""
        return _stored_s(self.inputs, self.read_s), _oldest_s(self.inputs, self.read_s)

    @property
    def verdict(self) -> str:
        """Whether the promise holds, and what would make it hold."""
        if self.stale == 0:
            spare_s = self.inputs.sla_s - self.bounds.worst_s
            spare = show_seconds(spare_s) if spare_s > 0 else "nothing"
            return f"The age limit holds, with {spare} to spare at the worst."
        share = f"{self.stale:.1%} of reads are stale."
        if self.left_s > 0:
            return f"{share} A period of at most {show_seconds(self.left_s)} would keep the age limit."
        spent = show_seconds(self.inputs.delay_s + self.inputs.ttl_s)
        return f"{share} No period can keep the age limit: delays and TTL alone come to {spent}."

    @property
    def sum(self) -> str:
        """The worst age with its numbers put in."""
        given = self.inputs
        parts = " + ".join(show_seconds(part) for part in (given.period_s, given.delay_s, given.ttl_s))
        sign = "≤" if self.stale == 0 else ">"
        return f"worst age = {parts} = {show_seconds(self.bounds.worst_s)} {sign} {show_seconds(given.sla_s)}"

    @property
    def read_words(self) -> str:
        """How old the marked read finds its feature."""
        low, high = map(show_seconds, self.read_ages_s)
        return low if low == high else f"{low} from the store, up to {high} from the cache"

    @property
    def sentence(self) -> str:
        """The whole view in words."""
        given, bounds = self.inputs, self.bounds
        return (
            f"A run every {show_seconds(given.period_s)}, readable {show_seconds(given.delay_s)} later, cached for "
            f"{show_seconds(given.ttl_s)}: the age when read is {show_seconds(bounds.best_s)} at best, "
            f"{show_seconds(bounds.mean_s)} on average, {show_seconds(bounds.worst_s)} at worst, against an age limit "
            f"of {show_seconds(given.sla_s)}. {self.verdict}"
        )

    @property
    def alt(self) -> str:
        """What a picture of the timeline says in words."""
        return (
            f"Age of the feature over {PERIODS} periods: a sawtooth that rises with the clock and falls when a result "
            f"becomes readable. {self.sentence}"
        )


def freshness_view(inputs: FreshnessInputs) -> FreshnessView:
    """Work out a schedule's ages; inputs out of range raise `RangeError`.

    >>> view = freshness_view(FreshnessInputs(period_s=900, delay_s=270, ttl_s=30, sla_s=900))
    >>> view.bounds.worst_s, round(view.stale, 3), view.left_s
    (1200.0, 0.317, 600)
    """
    for name, value in (("period_s", inputs.period_s), ("sla_s", inputs.sla_s)):
        if not 0 < value < math.inf:
            raise RangeError(f"{name} {value!r} must be above 0 and finite. Give seconds.")
    if not 0 <= inputs.phase <= 1:
        raise RangeError(f"phase {inputs.phase!r} must be from 0 to 1. Give a share of the period.")
    bounds = formulas.age_bounds(inputs.stages)
    return FreshnessView(inputs, bounds, formulas.share_stale(inputs.stages, inputs.sla_s), _rows(inputs))


def _stored_s(inputs: FreshnessInputs, time_s: float) -> float:
    """Return the age of what the store holds at a time: since the start of the newest run that is readable."""
    since = time_s - inputs.delay_s - inputs.phase * inputs.period_s
    behind = math.floor(since / inputs.period_s + 1e-9) * inputs.period_s
    return inputs.delay_s + since - behind


def _oldest_s(inputs: FreshnessInputs, time_s: float) -> float:
    """Return the age of the oldest copy that the cache may serve at a time: fetched a whole TTL ago."""
    return _stored_s(inputs, time_s - inputs.ttl_s) + inputs.ttl_s


def _rows(inputs: FreshnessInputs) -> tuple[tuple[float, float, float], ...]:
    just_before = 1e-6 * inputs.period_s
    end_s = PERIODS * inputs.period_s - just_before  # a fall at the edge would flatten the last tooth
    falls = {*_falls(inputs, inputs.delay_s), *_falls(inputs, inputs.delay_s + inputs.ttl_s)}
    inside = [time_s for time_s in falls if 0 < time_s < end_s]
    times = sorted({0.0, end_s, *inside, *(max(time_s - just_before, 0.0) for time_s in inside)})
    return tuple((time_s, _stored_s(inputs, time_s), _oldest_s(inputs, time_s)) for time_s in times)


def _falls(inputs: FreshnessInputs, lasts_s: float) -> list[float]:
    """Return when the age falls within the window: `lasts_s` after the start of each run."""
    first = (inputs.phase * inputs.period_s + lasts_s) % inputs.period_s
    return [first + run * inputs.period_s for run in range(PERIODS + 1)]
