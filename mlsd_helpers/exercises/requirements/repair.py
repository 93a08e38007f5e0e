"""Exercise 7: repair a page of requirements until the review finds nothing wrong in four places."""

import copy
import math
import random
from collections.abc import Callable
from typing import Any

from mlsd_helpers.design import Design
from mlsd_helpers.design.requirements import Requirements, Throughput
from mlsd_helpers.exercises import reviewed
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step
from mlsd_helpers.units import ms

Needs = dict[str, Any]

_NOTES = {"busiest_hour", "candidates"}
_FIELDS = tuple(Throughput.model_fields)
_PROMISED = ("p95", "p99", "p99.9")
_SHORTEST_S = 5 * ms


def _repaired(
    needs: Needs, percentile: str = "p99", last_s: float | None = None, candidates: int | None = None
) -> Needs:
    mended = copy.deepcopy(needs)
    mended["latency"]["percentile"] = percentile
    split = mended["latency"]["split"]
    others_s = sum(part["time"] for part in split[:-1])
    split[-1]["time"] = mended["latency"]["budget"] - others_s if last_s is None else last_s
    load = mended["throughput"]
    load.update(peak=load["busiest_hour"], derivation="busiest period")
    load["scorings_per_request"] = load["candidates"] if candidates is None else candidates
    return _stripped(mended)


def _stripped(needs: Needs) -> Needs:
    """Take away the two figures that were only measured; a design has no place for them."""
    load = {name: value for name, value in needs["throughput"].items() if name not in _NOTES}
    return {**needs, "throughput": load}


def repaired(needs: Needs) -> Needs:
    """State the tail, fit the hops, take the busiest hour, count the candidates."""
    return _repaired(needs)


def repaired_with_room(needs: Needs) -> Needs:
    """Promise p95, and leave a little of the budget unspent."""
    return _repaired(needs, percentile="p95", last_s=0.005)


def repaired_as_a_value(needs: Needs) -> Requirements:
    """Do the same at p99.9, and hand back the typed value."""
    return Requirements(**_repaired(needs, percentile="p99.9"))


def kept_the_median(needs: Needs) -> Needs:
    """You left the promise at the middle. It says nothing of the slow half, and those are the people who write to you.
    At which percentile would you want to be served?
    """
    return _repaired(needs, percentile="p50")


def stretched_the_budget(needs: Needs) -> Needs:
    """You made the budget larger until the hops fitted. The budget is the product's, and somebody is waiting. Which hop
    can give time back?
    """
    mended = _repaired(needs)
    split = copy.deepcopy(needs["latency"]["split"])
    budget = sum(part["time"] for part in split)
    return {**mended, "latency": {**mended["latency"], "split": split, "budget": budget}}


def sized_for_the_mean(needs: Needs) -> Needs:
    """You left the mean for a peak. The day has a busiest hour, and the queue of that hour does not wait for the night.
    Which of the measured figures is it?
    """
    mended = _repaired(needs)
    load = {**mended["throughput"], "peak": needs["throughput"]["mean"]}
    return {**mended, "throughput": load}


def one_scoring_a_request(needs: Needs) -> Needs:
    """You left one scoring for a request. A ranking scores each candidate, and the work grows with them. How many
    machines would your page buy?
    """
    return _repaired(needs, candidates=1)


def promised_p90(needs: Needs) -> Needs:
    """You promise p90. One request in ten may then be as slow as it likes, and the task asks for p95, p99 or p99.9."""
    return _repaired(needs, percentile="p90")


def peak_out_of_the_air(needs: Needs) -> Needs:
    """You put a peak there that nobody measured. It is paid for all year. Which of the notes was measured?"""
    mended = _repaired(needs)
    return {**mended, "throughput": {**mended["throughput"], "peak": 1_000_000}}


def starved_a_hop(needs: Needs) -> Needs:
    """You left a hop next to no time, so that the sum fits on paper. No hop may have less than 5 ms."""
    return _repaired(needs, last_s=0.001)


def shortened_every_hop(needs: Needs) -> Needs:
    """You shortened more than one hop. Each hop that gets less time is work for the team that owns it, and one was
    enough. Which one can give back all that is too much?
    """
    mended = _repaired(needs)
    split = copy.deepcopy(needs["latency"]["split"])
    factor = needs["latency"]["budget"] / sum(part["time"] for part in split)
    for part in split:
        part["time"] *= factor
    return {**mended, "latency": {**mended["latency"], "split": split}}


def _errors(value: Any) -> set[str]:
    design = Design(name="exercise", requirements=_typed(value))
    return {found.code for found in reviewed.found_in(design, "REQ")}


def _fits(case: Case, page: Requirements) -> bool:
    """Tell whether one hop alone became shorter, to no less than the shortest, and the budget no longer."""
    given, split = case["latency"], page.latency.split  # type: ignore[union-attr] # the review found no error in it
    if len(split) != len(given["split"]) or page.latency.budget > given["budget"]:  # type: ignore[union-attr]
        return False
    changed = [
        hop.time
        for hop, before in zip(split, given["split"], strict=True)
        if not math.isclose(hop.time, before["time"], abs_tol=1e-9)
    ]
    return len(changed) == 1 and changed[0] > _SHORTEST_S - 1e-9


def _strange(value: Any) -> list[str]:
    """Return what stands under `throughput` and is no field of it: a note, or a name that was misspelt."""
    return (
        []
        if isinstance(value, Requirements)
        else [name for name in value["throughput"] if name not in _FIELDS]
    )


def _typed(value: Any) -> Requirements:
    """Return the page as the review reads it, without strange fields: one of them spoils its own point alone."""
    if isinstance(value, Requirements):
        return value
    load = {name: of for name, of in value["throughput"].items() if name in _FIELDS}
    return Requirements(**{**value, "throughput": load})


def _free_of(code: str, holds: Callable[[Case, Requirements], bool]) -> Callable[[Case, Any, Given], bool]:
    def right(case: Case, value: Any, _: Given) -> bool:
        return code not in _errors(value) and holds(case["needs"], _typed(value))

    return right


def _explain(words: str) -> Callable[[Case, Any], str]:
    def explain(_: Case, value: Any) -> str:
        try:
            _typed(value)
        except Exception as error:  # noqa: BLE001 - a learner's object may raise anything
            return f"This is not a page of requirements that the review can read: {error}"
        return words

    return explain


def _scorings(case: Case, value: Any, given: Given) -> bool:
    def measured(needs: Case, page: Requirements) -> bool:
        return page.throughput is not None and (
            page.throughput.scorings_per_request == needs["throughput"]["candidates"]
        )

    return not _strange(value) and _free_of("REQ008", measured)(case, value, given)


def _explain_scorings(case: Case, value: Any) -> str:
    explained = _explain("The scorings of a request are not those that were measured.")(case, value)
    strange = [] if explained.startswith("This is not") else _strange(value)
    if not strange:
        return explained
    if set(strange) <= _NOTES:
        return f"Leave the measured notes out of `throughput`: {', '.join(strange)}."
    return f"`throughput` has no field {', '.join(map(repr, strange))}. Its fields: {', '.join(_FIELDS)}."


def _step(name: str, code: str, words: str, holds: Callable[[Any, Any], bool]) -> Step:
    return Step(name, 1, _free_of(code, holds), part="", explain=_explain(words))


def _case(budget: float, hops: list[float], mean: int, busiest: int, candidates: int) -> Case:
    names = ("gateway", "features", "scoring")
    return {
        "needs": {
            "prediction": {"type": "ranking"},
            "latency": {
                "budget": budget,
                "percentile": "p50",
                "split": [{"part": name, "time": time} for name, time in zip(names, hops, strict=True)],
            },
            "throughput": {"peak": mean, "mean": mean, "derivation": "mean", "busiest_hour": busiest,
                           "candidates": candidates},
        }
    }  # fmt: skip


def _draw(rng: random.Random) -> Case:
    """Draw a page with the four faults, in other numbers."""
    budget = rng.choice([0.15, 0.2, 0.3])
    hops = [rng.choice([0.02, 0.03]), rng.choice([0.04, 0.06]), budget]
    mean = rng.randrange(100, 900)
    return _case(budget, hops, mean, round(mean * rng.uniform(1.4, 2.2)), rng.randrange(50, 600))


EXERCISE = Exercise(
    id="01-repair",
    assignment="01_requirements",
    title="Repair a page of requirements",
    kind="repair a design",
    outcome="Mend four faults that a review finds in requirements, without changing what was asked.",
    minutes=16,
    steps=(
        _step("tail", "REQ004", "The promise says nothing of slow requests.",
              lambda _, page: page.latency.percentile in _PROMISED),
        _step("budget", "REQ005", "Do the hops fit into the budget that was given, with one of them alone shortened, "
              "to 5 ms or more?", _fits),
        _step("peak", "REQ006", "The peak is not the rate of the busiest hour.",
              lambda case, page: math.isclose(page.throughput.peak, case["throughput"]["busiest_hour"], rel_tol=1e-3)),
        Step("scorings", 1, _scorings, part="", explain=_explain_scorings),
    ),
    cases=(_case(0.2, [0.03, 0.06, 0.15], 240, 410, 350), _case(0.15, [0.02, 0.04, 0.12], 610, 930, 80)),
    reference=repaired,
    alternatives=(repaired_with_room, repaired_as_a_value),
    mistakes=(
        kept_the_median,
        promised_p90,
        stretched_the_budget,
        starved_a_hop,
        shortened_every_hop,
        sized_for_the_mean,
        peak_out_of_the_air,
        one_scoring_a_request,
    ),
    hints=(
        "Look at four places: the percentile, the sum of the split, the peak, and the scorings of a request.",
        "Start with a copy (`copy.deepcopy`). The last hop may shrink; the two notes move to their fields.",
        "A neighbour: a kitchen that promises 20 minutes cannot plan 15 for the stove and 10 for the door.",
    ),
    draw=_draw,
)  # fmt: skip
