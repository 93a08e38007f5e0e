"""When is an answer computed? Four patterns priced side by side, and where the choice between them flips.

    A  request-time   computed when it is asked for
    B  pre-computed   computed for every key, again and again, and looked up
    C  streaming      computed at each event, and looked up
    H  hybrid         popular keys as in B, the rest as in A

Costs are dollars a day, prices dollars a million. Keys are asked for as in Zipf's law with an exponent of 1. B
and H compute at half the price of request time, in jobs of ten minutes that run as seldom as freshness allows. C
is five seconds behind. Keeping a job running costs a fixed sum a day, and so does keeping a stream running.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import day, minute, s, show_seconds

JOB_S = 10 * minute
LAG_S = 5 * s
BATCH_SHARE = 0.5
"""What an inference costs in a job, against one at request time."""
JOB_PER_DAY, STREAM_PER_DAY = 20.0, 100.0
NAMES: Mapping[str, str] = MappingProxyType(
    {"A": "request-time", "B": "pre-computed", "C": "streaming", "H": "hybrid"}
)
ASSUMES = (
    f"Our assumptions: popularity by Zipf with an exponent of 1; a job takes {show_seconds(JOB_S)}, a stream is "
    f"{show_seconds(LAG_S)} behind; in a job an inference costs half; keeping a job running costs "
    f"${JOB_PER_DAY:g} a day, a stream ${STREAM_PER_DAY:g}."
)
RATES, AGES = (1.0, 100_000.0), (1.0, 7 * day)
COLUMNS, ROWS = 40, 24
_MILLION = 1e6


@dataclass(frozen=True)
class PatternInputs:
    """What the choice depends on; the first six can be moved.

    `read_share` is that of reads among reads and events, above 0 and at most 1; prices are dollars a million.
    `listable` says that the inputs are known before somebody asks: from a list, as B needs, and from events, as C does.
    """

    rate_rps: float = 2_000
    max_age_s: float = 3_600
    key_count: float = 1_000_000
    read_share: float = 0.9
    inference_price: float = 10.0
    read_price: float = 0.5
    listable: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name, least in (
            ("rate_rps", 0.0),
            ("max_age_s", 0.0),
            ("read_share", 0.0),
            ("inference_price", 0.0),
        ):
            value = getattr(self, name)
            if not least < value < math.inf:
                raise RangeError(f"{name} {value!r} must be above 0. Give a finite number.")
        if not 1 <= self.key_count < math.inf:
            raise RangeError(f"key_count {self.key_count!r} must be at least 1. Count the different inputs.")
        if self.read_share > 1:
            raise RangeError(
                f"read_share {self.read_share!r} must be at most 1. Give reads ÷ (reads + events)."
            )
        if not 0 <= self.read_price < math.inf:
            raise RangeError(
                f"read_price {self.read_price!r} must be at least 0. Give dollars a million reads."
            )


@dataclass(frozen=True)
class Assumption:
    """An input that can be moved: its name, its unit, and the range in which a flip is looked for."""

    field: str
    name: str
    low: float
    high: float

    def say(self, value: float) -> str:
        """Write a value of it with its unit."""
        match self.field:
            case "rate_rps":
                return f"{_round(value)} requests/s"
            case "max_age_s":
                return show_seconds(float(f"{value:.2g}"))
            case "read_share":
                return f"{value:.0%} reads"
            case "key_count":
                return f"{_round(value)} keys"
            case _:
                return f"${value:.2g} a million"


ASSUMPTIONS = (
    Assumption("rate_rps", "Request rate", *RATES),
    Assumption("max_age_s", "Allowed age", *AGES),
    Assumption("key_count", "Different inputs", 1e2, 1e9),
    Assumption("read_share", "Share of reads", 0.05, 1.0),
    Assumption("inference_price", "Price of an inference", 0.1, 10_000.0),
    Assumption("read_price", "Price of a read", 0.01, 100.0),
)


def _round(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.10g}"


# ---- prices ---------------------------------------------------------------------------------------


def _harmonic(count: float) -> float:
    """Return 1 + 1/2 + … + 1/count, within a hundredth at 1 and far closer beyond."""
    return math.log(count) + 0.5772156649 + 1 / (2 * count) - 1 / (12 * count**2) if count >= 1 else 0.0


def head_worth_making(given: PatternInputs, period_s: float) -> float:
    """Return how many of the most popular keys are asked for often enough to be made ahead."""
    saved = given.inference_price * given.rate_rps * period_s / _harmonic(given.key_count)
    return min(given.key_count, math.floor(saved / (given.inference_price * BATCH_SHARE)))


def costs(given: PatternInputs) -> dict[str, float]:
    """Return the cost of each feasible pattern, in dollars a day.

    >>> {name: round(cost) for name, cost in costs(PatternInputs()).items()}
    {'A': 1728, 'B': 250, 'C': 378, 'H': 268}
    """
    requests = given.rate_rps * day / _MILLION
    reads = requests * given.read_price
    at_request = requests * given.inference_price
    priced = {"A": at_request}
    period_s = given.max_age_s - JOB_S
    if given.listable and period_s >= JOB_S:
        made = given.inference_price * BATCH_SHARE * day / period_s / _MILLION
        head = head_worth_making(given, period_s)
        missed = 1 - _harmonic(head) / _harmonic(given.key_count)
        priced["B"] = given.key_count * made + reads + JOB_PER_DAY
        priced["H"] = head * made + reads + max(missed, 0) * at_request + 2 * JOB_PER_DAY
    if given.listable and given.max_age_s >= LAG_S:
        events = requests * (1 - given.read_share) / given.read_share
        priced["C"] = events * given.inference_price + reads + STREAM_PER_DAY
    return {name: priced[name] for name in NAMES if name in priced}


def cheapest(given: PatternInputs) -> str:
    """Return the cheapest pattern that is fresh enough."""
    priced = costs(given)
    return min(priced, key=lambda name: priced[name])


def why_not(given: PatternInputs) -> dict[str, str]:
    """Say of each pattern that cannot be taken why not."""
    if not given.listable:
        return dict.fromkeys("BCH", "no list and no event brings the inputs ahead")
    late = {"B": 2 * JOB_S, "C": LAG_S, "H": 2 * JOB_S}
    return {
        name: f"an answer gets {show_seconds(age_s)} old at the least"
        for name, age_s in late.items()
        if given.max_age_s < age_s
    }


# ---- where the choice flips -----------------------------------------------------------------------


@dataclass(frozen=True)
class Flip:
    """The value of one assumption, nearest below or above, at which another pattern becomes the cheapest."""

    assumption: Assumption
    value: float
    below: bool
    pattern: str

    def __str__(self) -> str:
        """Return the flip as a phrase: below 45 min H, hybrid."""
        return f"{'below' if self.below else 'above'} {self.at} {self.to}"

    @property
    def at(self) -> str:
        """The value, with its unit."""
        return self.assumption.say(self.value)

    @property
    def to(self) -> str:
        """The pattern that is the cheapest beyond it."""
        return f"{self.pattern}, {NAMES[self.pattern]}"


_STEPS = 240


def _flip(given: PatternInputs, moved: Assumption, *, below: bool) -> Flip | None:
    """Walk away from the value of today until the choice changes, then halve the last step."""
    today, now = cheapest(given), float(getattr(given, moved.field))
    end = moved.low if below else moved.high
    if (end >= now) == below:
        return None

    def chosen(value: float) -> str:
        change: Any = {moved.field: value}
        return cheapest(replace(given, **change))

    inside = now
    for step in range(1, _STEPS + 1):
        outside = min(max(now * (end / now) ** (step / _STEPS), moved.low), moved.high)
        if chosen(outside) != today:
            break
        inside = outside
    else:
        return None
    for _ in range(30):
        middle = math.sqrt(inside * outside)
        inside, outside = (inside, middle) if chosen(middle) != today else (middle, outside)
    return Flip(moved, outside, below, chosen(outside))


def flips(given: PatternInputs) -> tuple[Flip, ...]:
    """Return, for each assumption, the nearest values below and above at which the choice changes."""
    sides = (_flip(given, moved, below=below) for moved in ASSUMPTIONS for below in (True, False))
    return tuple(flip for flip in sides if flip is not None)


# ---- the view -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PatternView:
    """The choice at one point, what it costs, where it flips, and the map of choices around it."""

    inputs: PatternInputs
    costs: Mapping[str, float]
    flips: tuple[Flip, ...]
    surface: tuple[str, ...]
    """One string a row of the map, the shortest age first; one letter a rate, the lowest first."""

    @property
    def choice(self) -> str:
        """The cheapest pattern that is fresh enough."""
        return min(self.costs, key=lambda name: self.costs[name])

    @property
    def verdict(self) -> str:
        """The choice, and by how much it is the cheapest."""
        others = sorted((cost, name) for name, cost in self.costs.items() if name != self.choice)
        cost = f"${self.costs[self.choice]:,.0f} a day"
        if not others:
            return f"{self.choice}, {NAMES[self.choice]}: the only one that can do it, at {cost}."
        following, name = others[0]
        return f"{self.choice}, {NAMES[self.choice]}: {cost}; next is {name}, {NAMES[name]}, at ${following:,.0f}."

    @property
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Pattern, cost, and what is to be said of it."""
        against = why_not(self.inputs)
        return tuple(
            (
                f"{name}, {title}",
                f"${self.costs[name]:,.0f} a day" if name in self.costs else "–",
                against.get(name, "cheapest" if name == self.choice else ""),
            )
            for name, title in NAMES.items()
        )

    @property
    def sentence(self) -> str:
        """The view in words."""
        said = "; ".join(f"{flip.assumption.name.lower()} {flip}" for flip in self.flips)
        where = f"The choice flips with {said}." if said else "Nothing alone flips the choice."
        return f"{_at(self.inputs)}: {self.verdict} {where}"

    @property
    def alt(self) -> str:
        """What the map says in words."""
        shares = {name: "".join(self.surface).count(name) / (COLUMNS * ROWS) for name in NAMES}
        areas = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share)
        return (
            "Map of the cheapest pattern by request rate and allowed age, both logarithmic. "
            f"Share of the map: {areas}. {self.sentence}"
        )


def _at(given: PatternInputs) -> str:
    rate, age, keys = (assumption.say(getattr(given, assumption.field)) for assumption in ASSUMPTIONS[:3])
    return f"{rate}, {keys}, answers up to {age} old"


def places(surface: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return for each pattern on a map the cell (column, row) that lies deepest inside its region.

    >>> places(("AAABBB", "AAABBB", "AAABBB"))
    {'A': (1, 0), 'B': (4, 0)}
    """
    columns = ["".join(row[at] for row in surface) for at in range(len(surface[0]))]
    deepest: dict[str, tuple[int, tuple[int, int]]] = {}
    for at, row in enumerate(surface):
        for column, name in enumerate(row):
            depth = min(_depth(row, column), 2 * _depth(columns[column], at))
            if depth > deepest.get(name, (0, (0, 0)))[0]:
                deepest[name] = (depth, (column, at))
    return {name: deepest[name][1] for name in sorted(deepest)}


def _depth(line: str, at: int) -> int:
    """Return how many cells of the same pattern lie on the shorter side of one cell, that one included."""
    before = len(line[: at + 1]) - len(line[: at + 1].rstrip(line[at]))
    after = len(line[at:]) - len(line[at:].lstrip(line[at]))
    return min(before, after)


def log_steps(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return the middles of `count` cells of equal ratio from `low` to `high`."""
    return tuple(low * (high / low) ** ((cell + 0.5) / count) for cell in range(count))


@lru_cache(maxsize=256)
def _surface(given: PatternInputs) -> tuple[str, ...]:
    rates, ages = log_steps(*RATES, COLUMNS), log_steps(*AGES, ROWS)
    return tuple(
        "".join(cheapest(replace(given, rate_rps=rate, max_age_s=age)) for rate in rates) for age in ages
    )


def pattern_view(given: PatternInputs) -> PatternView:
    """Price the patterns at one point, and draw the map around it; inputs out of range raise `RangeError`.

    >>> view = pattern_view(PatternInputs(rate_rps=2_000, key_count=10_000, max_age_s=86_400))
    >>> view.choice, view.surface[0][0]
    ('B', 'A')
    """
    settled = replace(given, rate_rps=1.0, max_age_s=1.0)  # the map shows every rate and age
    return PatternView(given, MappingProxyType(costs(given)), flips(given), _surface(settled))
