"""Requirements and results: what is met, what is missed, and what the design leaves open."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import NamedTuple

from mlsd_helpers import formulas
from mlsd_helpers.analysis import ages
from mlsd_helpers.analysis.graph import alternatives, components_by_id
from mlsd_helpers.analysis.people import slow_people
from mlsd_helpers.analysis.prediction import Prediction, state_during, writing
from mlsd_helpers.analysis.promises import (
    Rise,
    cut_off,
    offline,
    run_in_time,
    run_in_zone_loss,
    shares_in_time,
)
from mlsd_helpers.analysis.sizing import PERCENTILES, Sizing
from mlsd_helpers.analysis.surroundings import (
    Callers,
    Fallbacks,
    callers_of,
    is_timed,
    percentile_reaching,
    share_reaching,
    somebody_waits,
)
from mlsd_helpers.analysis.whole import Answers, Elsewhere, answers_of, calls_of_models
from mlsd_helpers.design import DataFlow, Design, FleetPlan, Promise
from mlsd_helpers.design.decisions import OF_SIMULATION
from mlsd_helpers.errors import RangeError
from mlsd_helpers.simulation.result import Distribution, Estimate, Result, show_share
from mlsd_helpers.simulation.scenario import ROUTINGS
from mlsd_helpers.simulation.tables import Row
from mlsd_helpers.units import FRACTION, SECONDS, read, show_seconds

Results = Sequence[tuple[str, Result]]
Reading = tuple[Estimate, bool | None]
"""A value under one reading of the design, and whether it meets the requirement."""
_NEVER = Estimate(math.inf, math.inf, math.inf)


def show_time(time_s: float) -> str:
    """Write a time; below a nanosecond there is nothing to tell apart.

    >>> show_time(0.04), show_time(1.3e-21), show_time(0)
    ('40 ms', 'below 1 ns', '0 s')
    """
    return "below 1 ns" if 0 < time_s < 1e-9 else show_seconds(time_s)


def shown_in(unit: str) -> Callable[[float], str]:
    """Return what formats a number of a unit: "s", "share" or "count"."""
    return {"s": show_time, "share": show_share, "count": lambda count: f"{count:,.4g}"}[unit]


def exactly(value: float) -> Estimate:
    """Return a value that is known without an interval."""
    return Estimate(value, math.nan, math.nan)


@dataclass(frozen=True)
class RequirementResult:
    """A requirement, the simulated value, and whether it is met; None where that is open."""

    requirement: str
    wanted: str
    found: Estimate
    """The value; of several readings of the design, the worst one."""
    met: bool | None
    unit: str = "s"
    why: str = ""
    """Why there is no verdict, or why the requirement is missed without a simulation."""
    best: Estimate | None = None
    """The value under the best reading, where there are several."""
    accepted: str = ""
    """Who accepts that it is missed, and until when, where the design says so."""

    @property
    def word(self) -> str:
        """The verdict in a word or two."""
        return {True: "met", False: "missed", None: "not judged" if self.why else "too close to call"}[
            self.met
        ]

    def row(self) -> Row:
        """Return the row of a table; the reason stands in `because`, for it may be long."""
        show = shown_in(self.unit)
        found = self.found.as_text(show)
        if self.best is not None and (best := self.best.as_text(show)) != found:
            found = f"{best} or {found}"
            if self.requirement == "answered" and self.met is None and self.found.value == 0:
                most = show(self.best.value)  # none is answered for certain
                found = f"at most {most}" if most != show(1.0) else "not known"
        accepted = f" ({self.accepted})" if self.accepted else ""
        return self.requirement, self.wanted, found, f"{self.word}{accepted}"

    @property
    def because(self) -> str:
        """The reason of the verdict as a line of its own; "" where there is none."""
        return f"{self.requirement} is {self.word}: {self.why}." if self.why else ""


_RULES_OF = {
    "latency": ("CAP009", "CAP010", "CAP013", "CAP029", "CAP030", "PLANE010", "PLANE043"),
    "first token": ("CAP027", "CAP034"),
    "per token": ("CAP034",),
    "answered": ("CAP015", "CAP017", "CAP032", "PLANE014"),
    "utilisation": ("CAP005", "CAP006", "CAP015", "CAP017"),
    "result of a run": ("PATTERN028",),
}
"""The rules of the review that tell of the same as a requirement which is missed."""


def with_acceptances(
    design: Design, sizing: Sizing, verdicts: Iterable[RequirementResult], today: date
) -> Iterator[RequirementResult]:
    """Say of each missed requirement by whom it is accepted, and until when, if the design accepts a finding on it.

    Or if it accepts the requirement by its own code, such as SIM001, for a figure that is no better than this one. A
    finding that is accepted somewhere in `capacity` counts for the fleets there alone.
    """
    for one in verdicts:
        named = one.requirement.split(",")[0]
        rules = {*_RULES_OF.get(named, ()), *(code for code, name in OF_SIMULATION.items() if name == named)}
        accepted = next(
            (
                given
                for given in design.accepted
                if given.rule in rules
                and given.in_force(today)
                and _is_about(given.where, sizing)
                and (given.rule not in OF_SIMULATION or given.found is None or _is_no_worse(one, given.found))
            ),
            None,
        )
        if one.met is not False or accepted is None:
            yield one
            continue
        until = f" until {accepted.until}" if accepted.until else ""
        yield replace(one, accepted=f"{accepted.rule} accepted by {accepted.by}{until}")


_READ_AS = {"s": SECONDS, "share": FRACTION}
_ROUNDED = 1e-3  # figures are shown with four digits


def _is_no_worse(one: RequirementResult, said: str) -> bool:
    """Tell whether a simulated value is as good as one that was accepted; within its interval they are the same."""
    try:
        limit = read(said, _READ_AS[one.unit])
    except (RangeError, ValueError, KeyError):
        return False
    low, high = _interval(one.found)
    return high >= limit * (1 - _ROUNDED) if one.requirement == "answered" else low <= limit * (1 + _ROUNDED)


def _is_about(where: str | None, sizing: Sizing) -> bool:
    if where is None or not where.startswith("capacity"):
        return where is None or "." in where or where in {sizing.plan.id, sizing.plan.component}
    return where == sizing.path or where.startswith(f"{sizing.path}.") or sizing.path.startswith(f"{where}.")


def by_fallback(result: Result, timeout_s: float, at_once: int = 1) -> Estimate:
    """Return the share of requests that a fallback answers, as the fleet left one of the calls made at once."""
    served = served_of(result, timeout_s)
    return Estimate(*(1 - each**at_once for each in (served.value, served.high, served.low)))


def fallback_notes(fallbacks: Fallbacks, share: Estimate | None) -> Iterable[str]:
    """Say what share a fallback answers, and what is taken for granted."""
    if share is not None:
        texts = " or ".join(repr(text) for text in fallbacks.texts)
        yield (
            f"{share.as_text(show_share)} of the requests are answered by a fallback, {texts}, and count as "
            "answered. A caller's own fallback is taken to answer always, but for more than its people can take."
        )


# ---------------------------------------------------------------- verdicts


def _below(found: Estimate, limit: float) -> bool | None:
    low, high = _interval(found)
    return True if high < limit else False if low >= limit else None


def _above(found: Estimate, limit: float) -> bool | None:
    low, high = _interval(found)
    return True if low >= limit else False if high < limit else None


def _interval(found: Estimate) -> tuple[float, float]:
    return (found.value, found.value) if math.isnan(found.low) else (found.low, found.high)


def _combined(
    requirement: str,
    wanted: str,
    readings: Sequence[Reading],
    whys: Iterable[str],
    doubt: str,
    *,
    unit: str = "s",
    worst: Callable[..., Estimate] = max,
) -> RequirementResult:
    """Return one result for all readings: a verdict where they agree, and none where `doubt` says why not."""
    found = [each for each, _ in readings]
    last = worst(found, key=lambda each: each.value)
    first = (min if worst is max else max)(found, key=lambda each: each.value)
    shown = None if first.value == last.value else first
    if doubt:
        return RequirementResult(requirement, wanted, last, None, unit, doubt, shown)
    verdicts = {met for _, met in readings}
    if len(verdicts) == 1:
        return RequirementResult(requirement, wanted, last, verdicts.pop(), unit, best=shown)
    why = "; ".join(filter(None, whys)) if {True, False} <= verdicts else ""
    return RequirementResult(requirement, wanted, last, None, unit, why, shown)


@dataclass(frozen=True)
class Doubts:
    """Why the results of a fleet are no ground for a verdict, or for "met"; empty where they are one."""

    all: str = ""
    """Of every figure."""
    answered: str = ""
    """Of the share that is answered."""
    percentile: Callable[[float], str] = lambda _: ""
    """Of a percentile: too few requests were simulated for it."""
    rise: "Rise | None" = None
    """What answers while load rises to the peak, where that is fewer replicas than were simulated."""
    during: tuple[str, ...] = ()
    """The incidents that were simulated."""
    backlog: bool = False
    """Whether the queue grows without end, so that what was simulated is only its beginning."""
    declared: Prediction | None = None
    """The same state of a fleet by its service time, where its generation was simulated."""


class Answered(NamedTuple):
    """The share of requests that are answered at the peak, and what the design leaves open about it."""

    least: Estimate
    most: Estimate
    whys: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    by_models: float = 1.0
    """The share that is answered at best without any fallback of a model."""


def judge(
    design: Design, sizing: Sizing, results: Results, answers: Answered, doubts: Doubts
) -> list[RequirementResult]:
    """Compare results of one fleet, one for each reading of its plan, with the requirements of a design.

    `answers` is the share of requests that the whole design answers.
    """
    wanted, plan = design.requirements, sizing.plan
    undecided = _undecided(sizing) if len(results) > 1 else ""
    found = list[RequirementResult]()
    if wanted and wanted.latency and is_timed(design, plan):
        share = share_reaching(design, sizing.load_rps) if sizing.path == "capacity" else 1.0
        found += _latency(design, sizing, results, share, undecided, doubts)
    if wanted and wanted.availability and somebody_waits(design, plan):
        target = wanted.availability.target
        late = _late_rise(design, plan, target, doubts) or cut_off(design, target)
        found.append(_of_answers(wanted.availability.target, answers, undecided, doubts, late))
    if plan.target_utilisation and not plan.generation:
        target = plan.target_utilisation
        state = state_during(design, sizing, doubts.during) if plan.batching else None
        busy = (  # batches are as large as they have to be, so that replicas are busy long before they are full
            [exactly(state.load_rps * sizing.seat_s / state.replicas)]
            if state and sizing.seat_s and state.replicas
            else [result.utilisation for _, result in results]
        )
        readings = [(share, _below(share, target * (1 + 1e-9))) for share in busy]
        asked = f"at most {show_share(target)}"
        found.append(_combined("utilisation", asked, readings, [undecided], doubts.all, unit="share"))
    return found


def _late_rise(design: Design, plan: FleetPlan, target: float, doubts: Doubts) -> str:
    """Say that fewer replicas answer while load rises, where too few of the requests are answered then."""
    if doubts.rise is None:
        return ""
    found, timeout_s = doubts.rise.answers, callers_of(design, plan).timeout_s
    late = 1.0 if found.overloaded else found.least.later_than(timeout_s) if timeout_s < math.inf else 0.0
    return doubts.rise.words if 1 - late < target else ""


def _of_answers(
    target: float, answers: Answered, undecided: str, doubts: Doubts, late: str
) -> RequirementResult:
    readings = [(share, _above(share, target)) for share in answers[:2]]
    asked = f"at least {show_share(target)}"
    doubt = doubts.all or ("" if any(met is False for _, met in readings) else doubts.answered or late)
    whys = "; ".join(answers.whys) or undecided
    found = _combined("answered", asked, readings, [whys], doubt, unit="share", worst=min)
    if found.met and answers.by_models < target:
        return replace(found, why=f"{show_share(answers.by_models)} by the model, the rest by fallbacks")
    if found.met is False and answers.causes:
        return replace(found, why="; ".join(answers.causes))
    if (
        found.met is None
        and not doubt
        and found.why == whys
        and answers.by_models < target <= answers.most.value
    ):
        return replace(found, why=f"{show_share(answers.by_models)} by the model; {whys}")
    if found.met is None and not found.why and answers.least.value < answers.most.value:
        return replace(found, why=whys)
    return found


def answered_of(
    design: Design,
    served: Mapping[str, Sequence[Estimate]],
    fleets_s: Mapping[str, float],
    *,
    zone_lost: bool,
) -> Answered:
    """Return the share of requests that are answered, with what the fleets of components serve under each reading.

    The interval follows from the ends of the intervals of the shares.
    """

    def at(end: Callable[[Estimate], float]) -> Answers:
        shares = {
            name: (min(map(end, readings)), max(map(end, readings))) for name, readings in served.items()
        }
        return answers_of(design, shares, fleets_s, zone_lost=zone_lost)

    middle, low, high = at(lambda e: e.value), at(lambda e: _interval(e)[0]), at(lambda e: _interval(e)[1])
    ends = [(each.least, each.most) for each in (middle, low, high)]
    sure = all(
        math.isnan(each.low) or each.low == each.high for readings in served.values() for each in readings
    )
    least, most = (
        exactly(ends[0][end]) if sure else Estimate(*(each[end] for each in ends)) for end in (0, 1)
    )
    calls = calls_of_models(design.planes) if design.planes else ()
    shares = {
        name: (min(each.value for each in readings), max(each.value for each in readings))
        for name, readings in served.items()
    }

    known = components_by_id(design.planes) if design.planes else {}
    people = (
        {one.end: (0.0, 0.0) for one in alternatives(design.planes) if known[one.end].kind == "people"}
        if design.planes
        else {}
    )
    by_models = answers_of(
        design, {**shares, **people}, fleets_s, zone_lost=zone_lost, counts=lambda call: call not in calls
    ).most
    return Answered(least, most, middle.whys, middle.causes, by_models)


def _undecided(sizing: Sizing) -> str:
    """Say what to write where a plan leaves open what is simulated in two readings."""
    return " and ".join(f"say which with {sizing.path}.{field}" for field in open_fields(sizing.plan))


def open_fields(plan: FleetPlan) -> tuple[str, ...]:
    """Return the fields of a plan of which each reading is simulated, since it decides none."""
    best: tuple[str, ...] = (
        ("random", "round robin", "join the shortest queue") if plan.generation else ROUTINGS
    )
    alone = plan.replicas == 1 and not plan.autoscaler
    given = plan.service_time
    spread = given and given.known_scv is None and not given.file and given.distribution != "measured"
    return (
        *(("routing",) if plan.routing not in best and not alone else ()),
        *(("service_time.scv",) if spread and not plan.batching and not plan.generation else ()),
    )


def served_of(result: Result, timeout_s: float) -> Estimate:
    """Return the share that the fleet answers in time; generation itself is simulated without timeouts."""
    if result.first_token is not None and timeout_s < math.inf:
        return result.share_within(timeout_s)
    return result.served


def served_by_service_time(found: Prediction, sizing: Sizing, callers: Callers) -> list[Estimate]:
    """Return the least and the most that a fleet answers in time, by its service time."""
    return [exactly(share) for share in shares_in_time(found, sizing, callers)]


NAMES = {"whole answer": "latency", "first token": "first token", "gap between tokens": "per token"}
"""What the results call each promise."""


def _latency(
    design: Design, sizing: Sizing, results: Results, reaching: float, undecided: str, doubts: Doubts
) -> Iterable[RequirementResult]:
    plan = sizing.plan
    latency = design.requirements.latency if design.requirements else None
    callers, falls_back = callers_of(design, plan), Fallbacks.of(design, plan).answer
    for promise in latency.promises if latency else ():
        share = PERCENTILES.get(promise.percentile)
        elsewhere = Elsewhere.of(design, plan, promise.percentile, doubts.during)
        whole, pause, of_fleet = promise.what == "whole answer", "", share
        whys = [undecided]
        if whole:
            ends = (
                [elsewhere.of_one(percentile_reaching(each, reaching)) for each in elsewhere.bounds(share)]
                if share
                else [None]
            )
            of_fleet = ends[-1]
            give_up_s = callers.timeout_s + elsewhere.later_s if falls_back else None
            times = (
                [_NEVER if give_up_s is None else exactly(give_up_s)]
                if doubts.backlog
                else [
                    time for _, result in results for end in ends for time in _of_all(result, end, give_up_s)
                ]
            )
            late = (
                "" if math.isfinite(max(t.value for t in times)) else "the time of the fallback is not given"
            )
            whys = [elsewhere.why, late, undecided]
            pause = _pauses(results, callers, of_fleet, elsewhere, promise.within)
        elif promise.what == "first token":
            ends = [elsewhere.of_one(each) for each in elsewhere.bounds(share)] if share else [None]
            of_fleet = ends[-1]
            times = [
                _percentile(one.first_token, end) for _, one in results if one.first_token for end in ends
            ]
            before = f"{elsewhere} of other parts, not known whether before the first token"
            whys = [before if elsewhere.most_s else "", undecided]
        else:
            times = [_percentile(result.per_token, share) for _, result in results if result.per_token]
        if not times:
            yield _without_tokens(sizing, promise)
            continue
        if whole:
            sums = [each for time in times for each in dict.fromkeys(_of_whole(time, elsewhere))]
        else:
            added = (0.0, elsewhere.most_s) if promise.what == "first token" else (0.0,)
            sums = [_shifted(time, by_s) for time, by_s in product(times, dict.fromkeys(added))]
        readings = [(each, _below(each, promise.within)) for each in sums]
        if doubts.declared:
            declared = _Declared(doubts.declared, sizing, promise, of_fleet, elsewhere)
            taken = declared.readings(results, callers.timeout_s + elsewhere.later_s if falls_back else None)
            others = [(each, _below(each, promise.within)) for each in taken]
            if {met for _, met in readings + others} >= {True, False}:
                agree = all(len({met for _, met in each}) == 1 for each in (readings, others))
                whys = [declared.words(taken), *(() if agree else whys)]
            readings += others
        missed = all(met is False for _, met in readings)
        is_met = {met for _, met in readings} == {True}
        rise = doubts.rise.late(promise, share, elsewhere) if doubts.rise and is_met else ""
        unknown = (
            ""
            if promise.what == "gap between tokens"
            else elsewhere.unknown
            or _slowest_mean(share, elsewhere)
            or offline(design, plan, share)
            or (slow_people(design, promise.within, share) if whole else "")
            or (_slower_as_stated(design, plan, times, elsewhere, promise.within) if whole else "")
        )
        open_ = unknown or pause or rise or _by_roofline(plan, times, promise.within)
        doubt = (
            doubts.all
            or doubts.percentile(elsewhere.of_one(share or 0.5) if whole else share or 0.5)
            or ("" if missed else open_)
        )
        if doubt and doubt == open_ and not is_met:
            doubt = "; ".join(filter(None, [*whys, open_]))  # what is open anyway, and this beside it
        asked = f"below {show_seconds(promise.within)}" + (
            f", {elsewhere} of it elsewhere" if whole and elsewhere.most_s else ""
        )
        yield _combined(f"{NAMES[promise.what]}, {promise.percentile}", asked, readings, whys, doubt)


def _slower_as_stated(
    design: Design, plan: FleetPlan, times: Iterable[Estimate], elsewhere: Elsewhere, within_s: float
) -> str:
    """Say that a component states a longer time than its fleet takes here, where that would be too late."""
    components = design.planes.components if design.planes else ()
    stated = next((one.latency for one in components if one.id == plan.component), None)
    if stated is None or stated <= max(time.value for time in times) or stated + elsewhere.most_s < within_s:
        return ""
    return f"{plan.component} states a latency of {show_seconds(stated)}, and its service time gives less"


def _without_tokens(sizing: Sizing, promise: Promise) -> RequirementResult:
    """Say that a promise on tokens is not judged by a fleet whose plan states no generation."""
    name, asked = f"{NAMES[promise.what]}, {promise.percentile}", f"below {show_seconds(promise.within)}"
    why = f"{sizing.path}.generation is not stated, so its simulation has no tokens"
    return RequirementResult(name, asked, exactly(math.nan), None, why=why)


def _slowest_mean(share: float | None, elsewhere: Elsewhere) -> str:
    several = share is None and elsewhere.at_once > 1
    return f"the mean of the slowest of {elsewhere.at_once:,} calls is not computed" if several else ""


class _Declared(NamedTuple):
    """A promise of a fleet that generates, by the service time that its plan states beside the generation."""

    found: Prediction
    sizing: Sizing
    promise: Promise
    share: float | None
    """The percentile of the fleet's answers, as a share; None for the mean."""
    elsewhere: Elsewhere

    def readings(self, results: Results, give_up_s: float | None) -> list[Estimate]:
        """Return the least and the most that the promise takes; nothing where the service time does not say."""
        found, share = self.found, self.share
        if self.promise.what == "gap between tokens":
            made, given = self.sizing.plan.generation, self.sizing.plan.service_time
            each_s = given.mean / made.output_tokens if made and made.output_tokens and given else 0.0
            late = found.overloaded or each_s >= self.promise.within
            return [exactly(math.inf if found.overloaded else each_s)] if late else []
        if found.overloaded:
            least_s = most_s = math.inf
        else:
            least_s, most_s = found.mean_s if share is None else found.response_s(share)
        if self.promise.what == "whole answer":
            if give_up_s is not None:
                least_s = min(least_s, give_up_s)
            return [
                exactly(self.elsewhere.whole(least_s).least_s),
                exactly(self.elsewhere.whole(most_s).most_s),
            ]
        return self._first_token(results, most_s)

    def _first_token(self, results: Results, answer_s: float) -> list[Estimate]:
        """Return the wait alone, and at most the wait and the simulated time to the first token one after the other.

        A share of 1 − p may exceed either, so that each is taken where half of that share exceeds it.
        """
        found, share = self.found, self.share
        if found.overloaded:
            return [_NEVER]
        of_each = (
            0.5 + 0.5 * share if share else 0.95
        )  # the mean of a wait lies below its p95 for queues of this kind
        first_s = max(_percentile(one.first_token, of_each).value for _, one in results if one.first_token)
        most_s = min(answer_s, found.wait_s(of_each).most_s + first_s) + self.elsewhere.most_s
        written = writing(self.sizing)
        least_s = max(found.wait_s(share or 0.5).least_s, written.first_s.least_s if written else 0.0)
        return [exactly(least_s), exactly(max(least_s, most_s))]

    def words(self, ends: Sequence[Estimate]) -> str:
        """Say what the service time comes to."""
        if self.found.overloaded:
            offered = self.found.load_rps * (self.sizing.seat_s or 0.0) / max(self.found.replicas, 1)
            return f"by service_time the fleet is overloaded, at {show_share(offered)}"
        times = " or ".join(dict.fromkeys(show_time(float(f"{each.value:.4g}")) for each in ends))
        return f"by service_time {NAMES[self.promise.what]}, {self.promise.percentile}, is {times}"


_SLOWER = 2.0
"""How much longer than by the roofline a real engine may take; our estimate."""


def _by_roofline(plan: FleetPlan, times: Iterable[Estimate], within_s: float) -> str:
    """Say that a promise is kept at the speed of the roofline only, where the plan states no measured time."""
    if plan.generation is None or plan.service_time or all(t.value * _SLOWER < within_s for t in times):
        return ""
    return (
        f"times are by the roofline, and an engine that takes {_SLOWER:g} times as long exceeds the limit; measure one "
        "and state the service_time"
    )


def _of_whole(time: Estimate, elsewhere: Elsewhere) -> Iterator[Estimate]:
    """Yield the time of the whole request by that in the fleet, at least and at most."""
    if math.isinf(time.value):
        yield _NEVER
        return
    middle, low, high = (elsewhere.whole(each) for each in (time.value, *_interval(time)))
    for end in (0, 1):
        yield Estimate(middle[end], low[end], high[end]) if not math.isnan(time.low) else exactly(middle[end])


def _pauses(
    results: Results, callers: Callers, share: float | None, elsewhere: Elsewhere, within_s: float
) -> str:
    """Say that the pauses before retries may decide, where the percentile holds only with retried requests."""
    simulated = [result for _, result in results if callers.pause and result.first_token is None]
    for result in simulated:
        retried = result.attempts / max(result.sent, 1) - 1
        if retried <= 0:
            continue
        sure = result.of_all(min((share or 0.5) + retried, 1.0))
        if share is None or math.isinf(sure.value) or elsewhere.whole(sure.value).most_s >= within_s:
            return (
                f"{show_share(retried)} of the requests are tried again after a pause ({callers.pause}) whose length "
                "the design does not state"
            )
    return ""


def _of_all(result: Result, share: float | None, give_up_s: float | None) -> Iterable[Estimate]:
    """Yield the latency of all requests; two where its percentile is answered by a fallback: at once, or never."""
    if share is None:
        yield result.mean_s
        return
    found = result.of_all(share)
    yield found
    if math.isinf(found.value) and give_up_s is not None:
        slowest = result.latency.percentile(0.999) if result.latency.size else exactly(0.0)
        yield exactly(give_up_s) if math.isfinite(give_up_s) else slowest


def _percentile(times: Distribution, share: float | None) -> Estimate:
    return times.percentile(share) if share else times.mean_s


def _shifted(estimate: Estimate, by_s: float) -> Estimate:
    return Estimate(estimate.value + by_s, estimate.low + by_s, estimate.high + by_s)


def overloaded(
    design: Design, sizing: Sizing, utilisation: float, backlog_rps: float
) -> list[RequirementResult]:
    """Return the verdicts on a fleet whose queue grows without limit, at an offered load over capacity above 1."""
    wanted, target = design.requirements, sizing.plan.target_utilisation
    why = f"overloaded, the backlog grows by {backlog_rps:,.3g} requests/s"
    found = []
    if wanted and wanted.latency and is_timed(design, sizing.plan):
        found += [
            RequirementResult(
                f"{NAMES[one.what]}, {one.percentile}",
                f"below {show_seconds(one.within)}",
                _NEVER,
                met=False,
                why=why,
            )
            for one in wanted.latency.promises
            if one.what == "whole answer" or sizing.plan.generation
        ]
    if wanted and wanted.availability:
        asked = f"at least {show_share(wanted.availability.target)}"
        answered = exactly(1 / utilisation)
        found.append(RequirementResult("answered", asked, answered, met=False, unit="share", why=why))
    asked = f"at most {show_share(target)}" if target else "below 100 %"
    offered = exactly(utilisation)
    found.append(RequirementResult("utilisation", asked, offered, met=False, unit="share", why=why))
    return found


def while_rising(design: Design, sizing: Sizing, rise: Rise | None) -> Iterator[RequirementResult]:
    """Yield what is open while load rises at a speed that nobody states, apart from verdicts at the planned size."""
    wanted, plan = design.requirements, sizing.plan
    if rise is None or wanted is None:
        return
    promises = wanted.latency.promises if wanted.latency and is_timed(design, plan) else ()
    late = rise.answers.overloaded or any(
        rise.late(one, PERCENTILES.get(one.percentile), Elsewhere.of(design, plan, one.percentile))
        for one in promises
    )
    if late:
        found = exactly(rise.answers.replicas)
        yield RequirementResult(
            "while load rises", f"{plan.replicas} replicas", found, None, "count", rise.words
        )


def by_the_clock(design: Design, incidents: Collection[str] = ()) -> list[RequirementResult]:
    """Compare the run of a design with its deadline, by arithmetic; of incidents only a lost zone can be computed."""
    run = run_in_zone_loss(design) if "zone loss" in incidents else run_in_time(design)
    if run is None:
        return []
    asked = f"at most {show_seconds(run.limit_s)} after its start"
    found, met, why = exactly(run.takes_s), run.in_time, run.why
    if met and (others := [name for name in incidents if name != "zone loss"]):
        met = None
        why = f"what {' and '.join(others)} {'do' if len(others) > 1 else 'does'} to a run is not computed"
    return [RequirementResult("result of a run", asked, found, met, why=why)]


def not_simulated(design: Design) -> tuple[str, ...]:
    """Return the places of the promises that only the review of a design judges."""
    wanted = design.requirements
    if wanted is None:
        return ()
    fresh = ("features", "model", "predictions", "labelled_data", "index", "also")
    waited = any(somebody_waits(design, plan) for plan in design.fleets.values()) or not design.fleets
    rest = ("rto", "rpo") if waited else ("target", "rto", "rpo")
    # of generation only a fleet gives tokens, and where none is waited for nothing is simulated
    tokens = () if waited else ("first_token", "per_token")
    held = (
        ("latency", wanted.latency, tokens),
        ("freshness", wanted.freshness, fresh),
        ("availability", wanted.availability, rest),
    )
    return tuple(
        f"requirements.{axis}.{name}"
        for axis, of, names in held
        for name in names
        if of is not None and getattr(of, name)
    )


def ages_after_a_missed_run(design: Design) -> list[RequirementResult]:
    """Compare with its limit the worst age of each feature when its slowest stage misses one run."""
    wanted, flow = design.requirements, design.dataflow
    general = wanted.freshness.features if wanted and wanted.freshness else None
    found = []
    for feature in flow.features if flow else ():
        limit_s = feature.sla if feature.sla is not None else general
        missed_s = max((_period_s(flow, name) for name in feature.stage_ids()), default=0.0) if flow else 0.0
        if flow and limit_s is not None and missed_s:
            age_s = formulas.worst_age_in_outage_s(ages.stages_on_the_way(flow, feature), missed_s)
            asked = f"at most {show_seconds(limit_s)}, one run missed"
            found.append(
                RequirementResult(f"age of {feature.id}", asked, exactly(age_s), met=age_s <= limit_s)
            )
    return found


def _period_s(flow: DataFlow, name: str) -> float:
    stage = flow.stage(name)
    return stage.period or 0.0 if stage else 0.0
