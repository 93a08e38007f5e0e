"""Exercise 5: test inputs that tell a right `replicas` from faulty ones."""

import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum, is_number, quoted

Inputs = tuple[float, float, float, float]
Sizing = Callable[..., int]

_RANGES: Mapping[str, tuple[str, Callable[[float], bool]]] = {
    "peak_rps": ("requests/s, from 0 to 1e12", lambda value: 0 <= value <= 1e12),
    "service_time_s": ("seconds, above 0 and at most 1e12", lambda value: 0 < value <= 1e12),
    "target": ("a share, from 1e-12 to 1", lambda value: 1e-12 <= value <= 1),
    "headroom": ("a share, from 0 to 10", lambda value: 0 <= value <= 10),
}
"""What the functions take, wider than what an answer may name: they are asked in searches."""

NAMES = tuple(_RANGES)


def _in_range(*inputs: Any) -> Inputs:
    """Return four inputs as floats: these functions are called with whatever a learner hands them."""
    for value, (name, (expected, holds)) in zip(inputs, _RANGES.items(), strict=True):
        if not is_number(value) or not holds(float(value)):
            raise ValueError(f"{name} is {quoted(value)}. Give {expected}.")
    peak_rps, service_time_s, target, headroom = map(float, inputs)
    return peak_rps, service_time_s, target, headroom


@dataclass(frozen=True)
class Right:
    """The right `replicas`; it shows itself by name."""

    def __call__(self, peak_rps: float, service_time_s: float, target: float, headroom: float) -> int:
        """Size a fleet.

        Raises ValueError for what is no number in range; the message names the range.
        """
        return formulas.replicas(*_in_range(peak_rps, service_time_s, target, headroom))

    def __repr__(self) -> str:
        """Show no more than a name."""
        return "replicas"


@dataclass(frozen=True)
class Suspect:
    """A `replicas` with one fault, which its name does not tell."""

    number: int
    _fault: str
    _edge: float = 0.0

    def __call__(self, peak_rps: float, service_time_s: float, target: float, headroom: float) -> int:
        """Size a fleet, wrongly somewhere.

        Raises ValueError for what is no number in range; the message names the range.
        """
        return _FAULTS[self._fault](*_in_range(peak_rps, service_time_s, target, headroom), self._edge)

    def __repr__(self) -> str:
        """Show no more than a number."""
        return f"suspect {self.number}"


def _up(value: float) -> int:
    return math.ceil(value - 1e-9)


def _small_headroom_dropped(p: float, s: float, u: float, h: float, edge: float) -> int:
    return _up(p * s / u * (1 + (h if h > edge else 0)))


_FAULTS: dict[str, Callable[[float, float, float, float, float], int]] = {
    "times_target": lambda p, s, u, h, _: _up(p * s * u * (1 + h)),
    "no_target": lambda p, s, _u, h, _: _up(p * s * (1 + h)),
    "no_headroom": lambda p, s, u, _h, _: _up(p * s / u),
    "headroom_divides": lambda p, s, u, h, _: _up(p * s / u / max(1 - h, 0.01)),
    "floor": lambda p, s, u, h, _: math.floor(p * s / u * (1 + h) + 1e-9),
    "nearest": lambda p, s, u, h, _: round(p * s / u * (1 + h)),
    "early": lambda p, s, u, h, _: _up(_up(p * s / u) * (1 + h)),
    "whole_rates": lambda p, s, u, h, _: _up(int(p) * s / u * (1 + h)),
    "capped": lambda p, s, u, h, edge: min(int(edge), _up(p * s / u * (1 + h))),
    "at_least": lambda p, s, u, h, edge: max(int(edge), _up(p * s / u * (1 + h))),
    "small_headroom_dropped": _small_headroom_dropped,
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    "formula": ("times_target", "no_target", "no_headroom", "headroom_divides"),
    "rounding": ("floor", "nearest", "early"),
    "edges": ("whole_rates", "capped", "at_least", "small_headroom_dropped"),
}
_EDGES: dict[str, tuple[float, ...]] = {
    "capped": (200, 128, 100, 64, 50),
    "at_least": (2, 3, 5),
    "small_headroom_dropped": (0.1, 0.15, 0.2),
}
"""Where a fault begins to show, the hardest to hit first: that one is shown, so that no draw asks for more."""


def _fault_of(case: Case) -> str:
    """Return a suspect's fault, which the judge alone asks for."""
    return str(case["suspect"]._fault)  # noqa: SLF001


def _group_of(case: Case) -> str:
    return next(group for group, faults in GROUPS.items() if _fault_of(case) in faults)


def _first_telling(right: Sizing, suspect: Sizing, candidates: Iterable[Inputs]) -> Inputs:
    """Return the first candidate on which the two differ; where there is none, the first of all."""
    tried = list(candidates)
    return next((inputs for inputs in tried if right(*inputs) != suspect(*inputs)), tried[0])


_ORDINARY: Inputs = (500, 0.040, 0.7, 0.3)
CANDIDATES: tuple[Inputs, ...] = (
    _ORDINARY,
    (201, 0.070, 0.7, 0.3),  # early rounding shows
    (13, 0.1, 0.6, 0.25),
    (0.5, 1.0, 0.7, 0.3),  # less than one request a second
    (4_000, 0.2, 0.5, 0.3),  # beyond any cap
    (300, 0.1, 0.5, 0.05),  # little headroom
)
"""Ordinary, just above and below a whole number, tiny, huge, and with hardly any headroom."""


def telling_inputs(right: Sizing, suspect: Sizing) -> Inputs:
    """Try a few inputs, each chosen for a reason."""
    return _first_telling(right, suspect, CANDIDATES)


def telling_inputs_as_dict(right: Sizing, suspect: Sizing) -> dict[str, float]:
    """Try them from the end, and answer with names."""
    return dict(zip(NAMES, _first_telling(right, suspect, reversed(CANDIDATES)), strict=True))


def telling_inputs_by_grid(right: Sizing, suspect: Sizing) -> list[float]:
    """Try a grid over ordinary and extreme values."""
    grid = product((0.5, 13, 100, 201, 500, 4_000), (0.04, 0.07, 0.2, 1.0), (0.5, 0.6, 0.7), (0, 0.05, 0.3))
    return list(_first_telling(right, suspect, grid))


_WHOLE: tuple[Inputs, ...] = (
    (128, 0.125, 0.5, 0.5),
    (8_192, 0.125, 0.5, 0.5),
    (4, 0.25, 0.5, 0.5),
    (0.5, 1.0, 0.5, 1.0),
    (0.5, 1.0, 0.5, 0.0),
    (256, 0.5, 0.5, 0.0625),
)
"""Powers of two: whole before the headroom and after it, in the float too."""


def one_ordinary_example(right: Sizing, suspect: Sizing) -> Inputs:
    """You try one ordinary example, or two that are alike. Faulty code that was looked at by a person gives the right
    result for it: that is why the fault is still there. Which inputs has nobody looked at?
    """
    return _first_telling(right, suspect, [_ORDINARY, (510, 0.040, 0.7, 0.3)])


def only_whole_results(right: Sizing, suspect: Sizing) -> Inputs:
    """All your inputs give a whole number before anything is rounded. Then up, down and nearest are the same. What lies
    just above a whole number, and just below?
    """
    return _first_telling(right, suspect, _WHOLE)


def never_any_headroom(right: Sizing, suspect: Sizing) -> Inputs:
    """You leave the headroom at zero everywhere. An input that is never varied is never tested: every fault in
    what is done with it stays unseen.
    """
    return _first_telling(right, suspect, [(s[0], s[1], s[2], 0.0) for s in CANDIDATES])


def always_fully_busy(right: Sizing, suspect: Sizing) -> Inputs:
    """Your target is 1 everywhere. To divide by 1, to multiply by it and to forget it are the same: which fault in it
    could then be seen?
    """
    return _first_telling(right, suspect, [(s[0], s[1], 1.0, s[3]) for s in CANDIDATES])


def nothing_huge(right: Sizing, suspect: Sizing) -> Inputs:
    """All your inputs ask for a few dozen servers. A limit that somebody wrote into the function lies beyond them. What
    is the largest service that it could be asked for?
    """
    return _first_telling(right, suspect, [s for s in CANDIDATES if s[0] < 1_000])


def never_a_fleet_of_one(right: Sizing, suspect: Sizing) -> Inputs:
    """All your inputs ask for several servers. What does the function say of the smallest service, for which one is
    enough?
    """
    return _first_telling(right, suspect, [*(s for s in CANDIDATES if s[0] > 1), (0.5, 4.0, 0.7, 0.3)])


def only_whole_rates(right: Sizing, suspect: Sizing) -> Inputs:
    """All your rates are whole numbers. A rate is a mean, and may well be a part of one: which fault would only then be
    seen?
    """
    return _first_telling(right, suspect, [*(s for s in CANDIDATES if s[0] > 1), (1, 0.2, 0.5, 0.3)])


def never_a_little_headroom(right: Sizing, suspect: Sizing) -> Inputs:
    """None of your inputs shows what a little headroom does: it is none or plenty, or makes no difference among so few
    servers. Who wrote the function may have taken a little for none.
    """
    return _first_telling(right, suspect, [s for s in CANDIDATES if s[3] > 0.1])


def no_rounding_on_the_way(right: Sizing, suspect: Sizing) -> Inputs:
    """On none of your inputs does it matter when the function rounds. What is rounded up twice is one too many now and
    then: what would have to lie between the two roundings?
    """
    tried = [(700, 0.1, 0.7, 0.05), (7.3, 0.1, 1.0, 0.0), (0.5, 1.0, 0.5, 0.0), (4_000, 0.2, 0.5, 0.3)]
    return _first_telling(right, suspect, tried)


def _suspect(number: int, fault: str, edge: float = 0.0) -> Case:
    return {"right": Right(), "suspect": Suspect(number, fault, edge)}


def _draw(rng: random.Random) -> Case:
    """Draw a fault of any group, with an edge of its own."""
    fault = rng.choice(GROUPS[rng.choice(list(GROUPS))])
    return _suspect(rng.randrange(100, 1_000_000), fault, rng.choice(_EDGES.get(fault, (0.0,))))


def _read(value: Any) -> Inputs | None:
    """Return the four inputs that an answer names, or None where they are not four numbers in range."""
    if not isinstance(value, Iterable):
        return None
    by_name: Any = value if hasattr(value, "keys") and {*NAMES} <= {*value.keys()} else None
    numbers = list(value) if by_name is None else [by_name[name] for name in NAMES]
    if len(numbers) != 4 or not all(map(is_number, numbers)):
        return None
    peak_rps, service_time_s, target, headroom = map(float, numbers)
    in_range = (
        0 < peak_rps <= 1e6 and 0 < service_time_s <= 60 and 1e-12 <= target <= 1 and 0 <= headroom <= 2
    )
    return (peak_rps, service_time_s, target, headroom) if in_range else None


def _explain(_: Case, value: Any) -> str:
    if _read(value) is None:
        return (
            "Expected four numbers: requests/s (above 0, at most 1,000,000), seconds (above 0, at most 60), "
            "target (above 0, at most 1), headroom (0 to 2)."
        )
    return (
        "On these inputs both give the same number of replicas. Which kind of input have you not tried yet?"
    )


def _shows(case: Case, value: Any) -> list[str]:
    return ["nothing" if _read(value) else "no inputs"]


def _group_step(group: str) -> Step:
    def right(case: Case, value: Any, _: Given) -> bool:
        inputs = _read(value)
        return inputs is not None and case["right"](*inputs) != case["suspect"](*inputs)

    return Step(
        group,
        1,
        right,
        applies=lambda case: _group_of(case) == group,
        part="",
        explain=_explain,
        shows=_shows,
    )


_SHOWN = tuple(
    _suspect(number, fault, edge)
    for number, (fault, edge) in enumerate(
        ((fault, edge) for fault in _FAULTS for edge in _EDGES.get(fault, (0.0, 0.0))[:2]), start=1
    )
)


def _has(fault: str) -> Stratum:
    return Stratum("`suspect` has one fault somewhere", lambda case: _fault_of(case) == fault)


EXERCISE = Exercise(
    id="00-kill",
    assignment="00_start_here",
    title="Find the input that tells",
    kind="code",
    outcome="Choose test inputs on which a fault has to show: ordinary, rounding, edges.",
    minutes=20,
    steps=tuple(map(_group_step, GROUPS)),
    cases=_SHOWN,
    reference=telling_inputs,
    alternatives=(telling_inputs_as_dict, telling_inputs_by_grid),
    mistakes=(
        one_ordinary_example,
        only_whole_results,
        never_any_headroom,
        always_fully_busy,
        nothing_huge,
        never_a_fleet_of_one,
        only_whole_rates,
        never_a_little_headroom,
        no_rounding_on_the_way,
    ),
    hints=(
        "Look at what your inputs have in common. A fault hides in whatever never changes between them.",
        (
            "Start from the ordinary input and change one thing at a time: much smaller, much larger, no headroom and "
            "hardly any, a result just above a whole number."
        ),
        (
            "A neighbour: three faulty ways to split a bill, bill/guests rounded up. 60 by 4 tells nothing; 61 by 4 "
            "tells rounding down; 0.05 by 4 tells whole amounts only; 1 guest tells an off-by-one."
        ),
    ),
    draw=_draw,
    strata=tuple(map(_has, _FAULTS)),
    general=(
        "Somebody wrote",
        "How many servers",
        "`peak_rps` requests",
        "You need not",
        "Write `telling_inputs`",
        "A short list",
    ),
)
