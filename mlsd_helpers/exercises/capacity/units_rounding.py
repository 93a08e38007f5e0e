"""Exercise 2: repair a sizing sheet, where units and rounding hide."""

import math
import random
from collections.abc import Callable
from fractions import Fraction

from mlsd_helpers.exercises.capacity._rounding import round_up
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals


def repaired(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """Size from the sheet's units; round once, last, and not for a float's last bit."""
    busy = requests_per_minute / 60 * service_time_ms / 1000
    return {"busy": busy, "replicas": _from_busy(busy, target_percent, headroom_percent)}


def _from_busy(busy: float, target_percent: float, headroom_percent: float) -> int:
    return round_up(busy / (target_percent / 100) * (1 + headroom_percent / 100))


def repaired_in_fractions(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """Size in exact arithmetic, where no float can be a last bit too large."""
    busy = Fraction(str(requests_per_minute)) * Fraction(str(service_time_ms)) / 60_000
    return {
        "busy": float(busy),
        "replicas": math.ceil(busy * (100 + Fraction(str(headroom_percent))) / Fraction(str(target_percent))),
    }


def repaired_by_rounding(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """Size with a rounding to nine places before the rounding up."""
    busy = (requests_per_minute / 60) * (service_time_ms * 1e-3)
    exact = busy * (1 + headroom_percent * 0.01) / (target_percent * 0.01)
    return {"busy": busy, "replicas": math.ceil(round(exact, 9))}


def _up_twice(busy: float, target_percent: float, headroom_percent: float) -> int:
    return round_up(round_up(busy / (target_percent / 100)) * (1 + headroom_percent / 100))


def milliseconds_as_seconds(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """You used milliseconds as if they were seconds: a fleet a thousand times too large. Replicas have no
    unit; write the unit beside each number and see whether they cancel.
    """
    busy = requests_per_minute / 60 * service_time_ms
    return {"busy": busy, "replicas": _from_busy(busy, target_percent, headroom_percent)}  # C45


def minutes_as_seconds(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """You used requests per minute as if they were per second: sixty times the load. Bring both inputs to
    seconds before they meet.
    """
    busy = requests_per_minute * service_time_ms / 1000
    return {"busy": busy, "replicas": _from_busy(busy, target_percent, headroom_percent)}


def kept_the_sheets_units(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """You multiplied what stands in the sheet: requests per minute by milliseconds. That is neither seconds
    nor a number of replicas. Bring both to seconds first, and see the unit cancel.
    """
    busy = requests_per_minute * service_time_ms
    return {"busy": busy, "replicas": _from_busy(busy, target_percent, headroom_percent)}


def rounded_before_headroom(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """You rounded up twice: once before the headroom and once after it, and so bought a replica that
    nobody asked for. State the rounding rule: once, last.
    """
    busy = requests_per_minute / 60 * service_time_ms / 1000
    return {"busy": busy, "replicas": _up_twice(busy, target_percent, headroom_percent)}  # C51


def rounded_the_busy_first(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """You rounded the busy replicas up before you divided by the target. They are a mean and may be a fraction:
    what is rounded up early is multiplied by all that follows. State the rounding rule: once, last.
    """
    busy = requests_per_minute / 60 * service_time_ms / 1000
    return {"busy": busy, "replicas": _from_busy(round_up(busy), target_percent, headroom_percent)}  # C51


def rounded_at_every_step(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """You rounded up at every step: the busy replicas, then those at the target, then those with the headroom. Each
    rounding is carried through the next. State the rounding rule: once, last.
    """
    busy = requests_per_minute / 60 * service_time_ms / 1000
    return {"busy": busy, "replicas": _up_twice(round_up(busy), target_percent, headroom_percent)}  # C51


def rounded_twice_and_kept_the_noise(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """You rounded up twice, before the headroom and after it, and what you rounded may be a hair above a whole
    number that it ought to be. Round once, last, and do not let the last bit of a float be rounded up.
    """
    busy = requests_per_minute / 60 * service_time_ms / 1000
    first = math.ceil((requests_per_minute / 60) * (service_time_ms * 0.001) / (target_percent * 0.01))
    return {"busy": busy, "replicas": math.ceil(first * (1 + headroom_percent * 0.01))}  # C51


def kept_the_float_noise(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """Your arithmetic is right and the float is not: 100 × 0.07 is 7.000000000000001 to a computer, and
    rounding up turns that last bit into a whole replica. Decide how much of a
    replica is noise, and do not let it be rounded up.
    """
    busy = requests_per_minute / 60 * service_time_ms / 1000
    noisy = (requests_per_minute / 60) * (service_time_ms * 0.001) / (target_percent * 0.01)
    return {"busy": busy, "replicas": math.ceil(noisy * (1 + headroom_percent * 0.01))}  # C52


def percent_as_a_number(
    requests_per_minute: float, service_time_ms: float, target_percent: float, headroom_percent: float
) -> Answer:
    """You divided by 70 where 70 % is 0.7. Per cent means "of a hundred": bring the target and the
    headroom to fractions first.
    """
    busy = requests_per_minute / 60 * service_time_ms / 1000
    return {"busy": busy, "replicas": round_up(busy / target_percent * (1 + headroom_percent))}


_ORDERS_OF_WORK: tuple[Callable[[float, float, float, float], float], ...] = (
    lambda rpm, ms, target, headroom: rpm / 60 * ms / 1000 / (target / 100) * (1 + headroom / 100),
    lambda rpm, ms, target, headroom: (rpm / 60) * (ms / 1000) / (target / 100) * (1 + headroom / 100),
    lambda rpm, ms, target, headroom: (rpm / 60) * (ms * 0.001) / (target * 0.01) * (1 + headroom * 0.01),
    lambda rpm, ms, target, headroom: rpm * ms / 60_000 / (target / 100) * (1 + headroom / 100),
    lambda rpm, ms, target, headroom: rpm * ms / 60_000 * (1 + headroom / 100) / (target / 100),
)
"""Ways in which people multiply the same four numbers; each leaves other last bits."""


def _draw_sheet(rng: random.Random) -> Case:
    """Draw a row of the sheet: well off a whole number, just above one, or on one where floats show noise."""
    kind = rng.choice(["off", "off", "above", "noisy", "noisy"])
    noisy, high = kind == "noisy", 0.98 if kind == "off" else 0.05
    while True:
        case = {
            "requests_per_minute": 60 * rng.randrange(20, 400),
            "service_time_ms": rng.randrange(2, 120),
            "target_percent": 60 if noisy else rng.choice([50, 60, 70, 75, 80]),
            "headroom_percent": 0 if noisy else rng.choice([10, 20, 30, 40]),
        }
        right = repaired_in_fractions(**case)["replicas"]
        naive = [order(*case.values()) for order in _ORDERS_OF_WORK]
        if noisy and all(math.ceil(value) == right + 1 for value in naive):
            return case
        if not noisy and all(0.01 < value % 1 < high for value in naive):
            return case


def _shares(case: Case) -> tuple[float, float]:
    return case["target_percent"], case["headroom_percent"]


def _up_with_noise(value: float) -> int:
    """Round up a value whose last bit is too large."""
    return round_up(value) + (abs(value - round(value)) < 1e-9)


def _with_noise(case: Case, given: Given) -> int:
    target, headroom = _shares(case)
    return _up_with_noise(given["busy"] / target * (100 + headroom))


def _twice_with_noise(case: Case, given: Given) -> int:
    target, headroom = _shares(case)
    return math.ceil(_up_with_noise(given["busy"] / target * 100) * (1 + headroom * 0.01))


def _is_noisy(case: Case) -> bool:
    return all(math.ceil(order(*case.values())) > repaired(**case)["replicas"] for order in _ORDERS_OF_WORK)


EXERCISE = Exercise(
    id="05-units-rounding",
    assignment="05_capacity",
    title="Repair the sizing sheet",
    kind="repair",
    outcome="Find unit and rounding faults in somebody else's sizing.",
    minutes=8,
    steps=(
        equals(
            "busy", 1, lambda c, _: c["requests_per_minute"] * c["service_time_ms"] / 60_000, tolerance=1e-6
        ),
        equals("replicas", 2, lambda c, g: _from_busy(g["busy"], c["target_percent"], c["headroom_percent"])),
    ),
    cases=(
        {"requests_per_minute": 600, "service_time_ms": 63, "target_percent": 60, "headroom_percent": 30},
        {"requests_per_minute": 6000, "service_time_ms": 42, "target_percent": 60, "headroom_percent": 0},
        {"requests_per_minute": 2400, "service_time_ms": 53, "target_percent": 70, "headroom_percent": 0},
        {"requests_per_minute": 12060, "service_time_ms": 70, "target_percent": 70, "headroom_percent": 30},
        {"requests_per_minute": 7200, "service_time_ms": 85, "target_percent": 75, "headroom_percent": 30},
        {"requests_per_minute": 3000, "service_time_ms": 108, "target_percent": 60, "headroom_percent": 0},
    ),
    reference=repaired,
    alternatives=(repaired_in_fractions, repaired_by_rounding),
    mistakes=(
        milliseconds_as_seconds,
        minutes_as_seconds,
        kept_the_sheets_units,
        Slip(
            percent_as_a_number,
            {
                "replicas": lambda c, g: round_up(
                    g["busy"] / c["target_percent"] * (1 + c["headroom_percent"])
                )
            },
        ),
        Slip(rounded_before_headroom, {"replicas": lambda c, g: _up_twice(g["busy"], *_shares(c))}),
        Slip(rounded_the_busy_first, {"replicas": lambda c, g: _from_busy(round_up(g["busy"]), *_shares(c))}),
        Slip(rounded_at_every_step, {"replicas": lambda c, g: _up_twice(round_up(g["busy"]), *_shares(c))}),
        Slip(rounded_twice_and_kept_the_noise, {"replicas": _twice_with_noise}),
        Slip(kept_the_float_noise, {"replicas": _with_noise}),
    ),
    hints=(
        "Look at each column's heading: which of the four are not in seconds or fractions?",
        (
            "Start with `busy` alone: requests per second × seconds per request. It has no unit. Then round "
            "once, at the very end."
        ),
        (
            "A neighbour: 3,000 requests a minute of 20 ms are 50/s × 0.020 s = 1 busy replica. At 50 % and "
            "no headroom that is 2, not 3, whatever the floats say."
        ),
    ),
    draw=_draw_sheet,
    strata=(
        Stratum("another is in the float itself", _is_noisy),
        Stratum(
            "One is about *when* to round",
            lambda c: (
                _up_twice(c["requests_per_minute"] * c["service_time_ms"] / 60_000, *_shares(c))
                > repaired(**c)["replicas"]
            ),
        ),
        Stratum("per **minute**", lambda c: c["requests_per_minute"] < 3_000),
    ),
    general=(
        "Write `repaired`",
        "Return a dict",
        "`busy`",
        "`replicas`",
        "Units are not its only fault",
        "A colleague moved a spreadsheet",
        "Procurement has just asked",
    ),
)
