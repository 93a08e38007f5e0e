"""Exercise 7: repair a page of requirements until the review finds nothing wrong in four places."""

import copy
import math
import random
from collections.abc import Callable
from typing import Any

from mlsd_helpers.design import Design
from mlsd_helpers.design.requirements import Requirements, Throughput
from mlsd_helpers.exercises import reviewed
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum
from mlsd_helpers.units import ms

Needs = dict[str, Any]

_NOTES = {"busiest_hour", "candidates"}
_FIELDS = tuple(Throughput.model_fields)
_PROMISED = ("p95", "p99", "p99.9")
_SHORTEST_S = 5 * ms


def _repaired(
    needs: Needs,
    percentile: str = "p99",
    time_s: float | None = None,
    candidates: int | None = None,
    hop: int | None = None,
) -> Needs:
    mended = copy.deepcopy(needs)
    mended["latency"]["percentile"] = percentile
    split = mended["latency"]["split"]
    over_s = sum(part["time"] for part in split) - mended["latency"]["budget"]
    shorter = max(split, key=lambda part: part["time"]) if hop is None else split[hop]
    shorter["time"] = shorter["time"] - over_s if time_s is None else time_s
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
    return _repaired(needs, percentile="p95", time_s=0.005)


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
    """You promise less than p95. One request in twenty or more may then be as slow as it likes, and the task asks for
    p95, p99 or p99.9.
    """
    return _repaired(needs, percentile="p90")


def peak_out_of_the_air(needs: Needs) -> Needs:
    """You put a peak there that nobody measured. It is paid for all year. Which of the notes was measured?"""
    mended = _repaired(needs)
    return {**mended, "throughput": {**mended["throughput"], "peak": 1_000_000}}


def left_the_hops(needs: Needs) -> Needs:
    """You left the hops as they are. Together they take longer than the budget: which of them can give time back?"""
    return _repaired(needs, time_s=max(part["time"] for part in needs["latency"]["split"]))


def starved_a_hop(needs: Needs) -> Needs:
    """You left a hop next to no time, so that the sum fits on paper. No hop may have less than 5 ms: which one is long
    enough to give back all that is too much?
    """
    return _repaired(needs, time_s=0.001)


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


def _hop_faults(needs: Needs, page: Requirements) -> set[str]:
    """Return what is wrong with the hops: one alone has to be shorter, to no less than the shortest, in the budget."""
    given, latency = needs["latency"], page.latency
    if latency is None or latency.budget > given["budget"] + 1e-9:
        return {"a larger budget"}
    if "latency.split" in _changed(needs, page):
        return {"other hops"}
    times_s = [part.time for part in latency.split]
    before_s = [part["time"] for part in given["split"]]
    changed = [
        one for one, old in zip(times_s, before_s, strict=True) if not math.isclose(one, old, abs_tol=1e-9)
    ]
    faults = {"several hops"} if len(changed) > 1 else set()
    if sum(times_s) > latency.budget + 1e-9:
        faults.add("too long" if changed else "as they were")
    if any(one < _SHORTEST_S - 1e-9 for one in changed):
        faults.add("a starved hop")
    return faults


def _tail_faults(_: Needs, page: Requirements) -> set[str]:
    percentile = page.latency and page.latency.percentile
    if percentile in _PROMISED:
        return set()
    return {"the middle"} if percentile in {None, "p50", "mean"} else {"below p95"}


def _peak_faults(needs: Needs, page: Requirements) -> set[str]:
    load, measured = page.throughput, needs["throughput"]
    if load is None:
        return {"no load"}
    faults = set() if load.derivation == "busiest period" else {"no derivation"}
    if math.isclose(load.peak, measured["busiest_hour"], rel_tol=1e-3):
        return faults
    return faults | {
        "the mean" if math.isclose(load.peak, measured["mean"], rel_tol=1e-3) else "not measured"
    }


def _scoring_faults(needs: Needs, page: Requirements) -> set[str]:
    scorings = page.throughput and page.throughput.scorings_per_request
    if scorings == needs["throughput"]["candidates"]:
        return set()
    return {"one"} if scorings in {None, 1} else {"not measured"}


def _changed(needs: Needs, page: Requirements) -> set[str]:
    """Return what was asked or measured, and is not as it was given."""
    parts = [one.part for one in page.latency.split] if page.latency else []
    now = {
        "prediction": page.prediction and page.prediction.type,
        "latency.split": parts,
        "throughput.mean": page.throughput and page.throughput.mean,
    }
    given = {
        "prediction": needs["prediction"]["type"],
        "latency.split": [one["part"] for one in needs["latency"]["split"]],
        "throughput.mean": needs["throughput"]["mean"],
    }
    return {name for name, value in now.items() if value != given[name]}


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
    return Requirements(**_plain({**value, "throughput": load}))


def _plain(value: Any) -> Any:
    """Return a value with numbers of numpy as plain ones, which a page holds."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _explain(words: str) -> Callable[[Case, Any], str]:
    def explain(case: Case, value: Any) -> str:
        try:
            page = _typed(value)
        except Exception as error:  # noqa: BLE001 - a learner's object may raise anything
            return f"This is not a page of requirements that the review can read: {error}"
        return words.format(changed=", ".join(f"`{name}`" for name in sorted(_changed(case["needs"], page))))

    return explain


def _explain_scorings(case: Case, value: Any) -> str:
    explained = _explain("The scorings of a request are not those that were measured.")(case, value)
    strange = [] if explained.startswith("This is not") else _strange(value)
    if not strange:
        return explained
    if set(strange) <= _NOTES:
        return f"Leave the measured notes out of `throughput`: {', '.join(strange)}."
    return f"`throughput` has no field {', '.join(map(repr, strange))}. Its fields: {', '.join(_FIELDS)}."


def _step(
    name: str,
    faults: Callable[[Needs, Requirements], set[str]],
    code: str,
    explain: Callable[[Case, Any], str],
) -> Step:
    def shows(case: Case, value: Any) -> set[str]:
        strange = _strange(value) if name == "scorings" else []
        found = {code} & _errors(value)
        return (faults(case["needs"], _typed(value)) | {*strange}) or found

    def right(case: Case, value: Any, _: Given) -> bool:
        return not shows(case, value)

    return Step(name, 1, right, part="", explain=explain, shows=shows)


def _as_given(case: Case, value: Any, _: Given) -> bool:
    return not _changed(case["needs"], _typed(value))


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
    """Draw a page with the four faults, in other numbers; one hop alone can give back what is too much."""
    budget, longest = rng.choice([0.15, 0.2, 0.3]), rng.randrange(3)
    hops = [rng.choice([0.02, 0.03]), rng.choice([0.04, 0.06])]
    hops.insert(
        longest, budget if longest == 2 else budget - hops[0] - 0.003
    )  # 3 ms would be left for the last
    mean = rng.randrange(100, 900)
    return _case(budget, hops, mean, round(mean * rng.uniform(1.4, 2.2)), rng.randrange(50, 600))


def _longest_is(hop: int) -> Stratum:
    def holds(case: Case) -> bool:
        times_s = [part["time"] for part in case["needs"]["latency"]["split"]]
        return times_s.index(max(times_s)) == hop

    return Stratum("shorten one hop and no other, to no less than 5 ms", holds)


EXERCISE = Exercise(
    id="01-repair",
    assignment="01_requirements",
    title="Repair a page of requirements",
    kind="repair a design",
    outcome="Mend four faults that a review finds in requirements, without changing what was asked.",
    minutes=16,
    steps=(
        Step("as_given", 0, _as_given, part="", gate=True,
             explain=_explain("What was asked for, or measured, has to stay as it is: {changed}.")),
        _step("tail", _tail_faults, "REQ004", _explain("The promise says nothing of slow requests.")),
        _step("budget", _hop_faults, "REQ005", _explain(
            "Do the hops fit into the budget that was given, with one of them alone shortened, to 5 ms or more?")),
        _step("peak", _peak_faults, "REQ006", _explain(
            "Is `peak` the rate of the busiest hour, and `derivation` what says so?")),
        _step("scorings", _scoring_faults, "REQ008", _explain_scorings),
    ),
    cases=(_case(0.2, [0.03, 0.06, 0.15], 240, 410, 350), _case(0.15, [0.027, 0.12, 0.03], 610, 930, 80)),
    reference=repaired,
    alternatives=(repaired_with_room, repaired_as_a_value),
    mistakes=(
        kept_the_median,
        promised_p90,
        stretched_the_budget,
        left_the_hops,
        starved_a_hop,
        shortened_every_hop,
        sized_for_the_mean,
        peak_out_of_the_air,
        one_scoring_a_request,
    ),
    hints=(
        "Look at four places: the percentile, the sum of the split, the peak, and the scorings of a request.",
        "Start with a copy (`copy.deepcopy`). One hop is long enough to shrink; the two notes move to their fields.",
        "A neighbour: a kitchen that promises 20 minutes cannot plan 15 for the stove and 10 for the door.",
    ),
    draw=_draw,
    strata=tuple(map(_longest_is, range(3))),
    general=(
        "A page of `needs`", "Under `throughput`", "Times are", "Write `repaired`", "Leave the two notes out",
    ),
)  # fmt: skip
