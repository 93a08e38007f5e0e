"""The promises of a design, each with its verdict by calculation: kept, missed, or not judged and why."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from mlsd_helpers.analysis.people import slow_people
from mlsd_helpers.analysis.prediction import predictions
from mlsd_helpers.analysis.promises import (
    cut_off,
    grows_without_end,
    offline,
    rising,
    run_in_time,
    shares_in_time,
)
from mlsd_helpers.analysis.sizing import PERCENTILES, Sizing, sizings
from mlsd_helpers.analysis.surroundings import (
    Fallbacks,
    callers_of,
    is_timed,
    no_fleet_waited_for,
    percentile_reaching,
    share_reaching,
    somebody_waits,
)
from mlsd_helpers.analysis.whole import Elsewhere, answers_of
from mlsd_helpers.design import Design, Promise
from mlsd_helpers.document.markdown import Md, escape, link, table
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review.fleets import late_answers
from mlsd_helpers.units import show_seconds, show_share

AT = "requirements"
_SIMULATE = "mlsd simulate judges it"
_FINEST = 1e-3
"""The part of what a target lets fail below which a miss is not judged: no formula is as fine."""
_LONGEST = 200  # characters of a reason in the table


class Verdict(NamedTuple):
    """Whether a promise is kept, None where that is open, and the reason or the calculated value."""

    kept: bool | None
    why: str = ""

    @property
    def word(self) -> str:
        """The verdict in a word or two."""
        return {True: "kept", False: "**missed**", None: "not judged"}[self.kept]


def promises(figures: Figures) -> Md:
    """Write each promise of each workload with its verdict."""
    rows = [(of, what, Md(said.word), _because(said.why)) for of, what, said in _rows(figures)]
    first = 0 if figures.design.views else 1
    return table(("workload", "promise", "verdict", "because")[first:], (row[first:] for row in rows))


def _because(why: str) -> Md:
    return (
        escape(why) if len(why) <= _LONGEST else link("what is open stands by the request", "section-planes")
    )


def _rows(figures: Figures) -> Iterator[tuple[Md, Md, Verdict]]:
    for one in figures.views:
        of = escape(one.workload)
        yield from ((of, what, said) for what, said in _of_workload(one))


def _of_workload(figures: Figures) -> Iterator[tuple[Md, Verdict]]:
    design, needs = figures.design, figures.design.requirements
    for one in needs.latency.promises if needs and needs.latency else ():
        limit = link(show_seconds(one.within), figures.origin(f"{AT}.latency"))
        yield Md(f"{one.what} at {one.percentile} below {limit}"), of_latency(design, one)
    if needs and needs.schedule and needs.schedule.allowed:
        said, run = Verdict(None, "no job says how long it takes"), run_in_time(design)
        if run and math.isfinite(run.takes_s):
            said = Verdict(run.in_time, run.why or f"it takes {show_seconds(run.takes_s)}")
        until = "deadline" if needs.schedule.deadline else "due"
        when = "within" if needs.schedule.deadline else "by"
        yield Md(f"done {when} {figures.required(f'{AT}.schedule.{until}')}"), said
    if needs and needs.availability:
        target = figures.required(f"{AT}.availability.target")
        yield Md(f"{target} of requests answered"), of_answers(design, needs.availability.target)
    if needs and needs.freshness and needs.freshness.features:
        limit = figures.required(f"{AT}.freshness.features")
        yield Md(f"features at most {limit} old"), _of_features(figures, needs.freshness.features)


def of_latency(design: Design, promise: Promise) -> Verdict:
    """Judge a promise of a whole answer by queueing theory, at the peak and during the failures that are paid for."""
    return next(_of_latency(design, promise))


def _of_latency(design: Design, promise: Promise) -> Iterator[Verdict]:
    """Yield verdicts, of which the first counts."""
    latency = design.requirements.latency if design.requirements else None
    share = PERCENTILES.get(promise.percentile)
    fleets = [one for one in sizings(design).values() if is_timed(design, one.plan)]
    whole = promise.what == "whole answer"
    if whole and (why := slow_people(design, promise.within, share)):
        yield Verdict(False, why)
    if latency is None or not fleets:
        yield Verdict(None, no_fleet_waited_for(design))
    elif not whole and not any(one.plan.generation for one in fleets):
        yield Verdict(None, "no planned fleet writes the answer")
    elif not any(somebody_waits(design, one.plan) for one in fleets):
        yield Verdict(None, "a queue holds the peak, and how long it makes an answer wait is not calculated")
    if latency is None or not whole or share is None or share < PERCENTILES.get(latency.percentile, 1.0):
        yield Verdict(None, _SIMULATE)
        return
    late = [one for one in late_answers(design, tuple(fleets)) if one.promise == promise]
    for one in (one for one in late if one.sure):
        during = f" during a {one.during.during}" if one.during.during else ""
        yield Verdict(False, f"{one.sizing.plan.component or 'the fleet'} takes too long{during}")
    doubts = [_doubt(design, one, promise, share) for one in fleets]
    yield from (one for one in doubts if one.kept is False)
    yield from (one for one in doubts if one.kept is None)
    yield from (Verdict(None, f"it may take longer; {one.elsewhere.why or _SIMULATE}") for one in late)
    yield Verdict(True)


def _doubt(design: Design, sizing: Sizing, promise: Promise, share: float) -> Verdict:
    """Say what of one fleet keeps a promise from being judged, or breaks it."""
    calm, elsewhere = predictions(design, sizing)[:1], Elsewhere.of(design, sizing.plan, promise.percentile)
    if not calm or sizing.plan.generation:
        return Verdict(None, _SIMULATE)
    name = sizing.plan.component or "the fleet"
    instead = Fallbacks.of(design, sizing.plan).answer
    if calm[0].overloaded:
        if not instead or grows_without_end(design, calm[0], sizing):
            return Verdict(False, _overloaded(name))
        return Verdict(None, f"{_overloaded(name)}, and a fallback answers; {_SIMULATE}")
    if not instead:
        asked = elsewhere.of_one(percentile_reaching(share, share_reaching(design, sizing.load_rps)))
        answered = shares_in_time(calm[0], sizing, callers_of(design, sizing.plan))
        if max(answered) < asked - _FINEST * (1 - asked) and not elsewhere.seldom:
            return Verdict(False, f"{name} answers {show_share(max(answered))} in time at most")
        if min(answered) < asked - 1e-12:
            return Verdict(None, f"{name} may refuse more, or be given up more often, than that; {_SIMULATE}")
    rise = rising(sizing)
    late = rise.late(promise, share, elsewhere) if rise else ""
    why = elsewhere.unknown or offline(design, sizing.plan, share) or late
    return Verdict(None if why else True, why)


def _overloaded(name: str) -> str:
    return f"{name} is overloaded at the peak"


def of_answers(design: Design, target: float) -> Verdict:
    """Judge which share of requests is answered at the peak, with what each fleet serves by queueing theory."""
    served = dict[str, tuple[float, float]]()
    fleets = [one for one in sizings(design).values() if somebody_waits(design, one.plan)]
    if not fleets:
        return Verdict(None, no_fleet_waited_for(design))
    for one in fleets:
        calm = predictions(design, one)[:1]
        if not calm or one.plan.generation:
            return Verdict(None, _SIMULATE)
        if grows_without_end(design, calm[0], one):
            return Verdict(False, _overloaded(one.plan.component or "the fleet"))
        shares = shares_in_time(calm[0], one, callers_of(design, one.plan))
        name = one.plan.component or ""
        known = served.get(name, (1.0, max(shares)))
        served[name] = min(known[0], *shares), max(known[1], *shares)
    found = answers_of(design, served)
    if found.least >= target - 1e-12:
        why = cut_off(design, target)
        return Verdict(None, why) if why else Verdict(True)
    if found.most < target - _FINEST * (1 - target):
        return Verdict(False, "; ".join([f"{show_share(found.most)} at most", *found.causes]))
    return Verdict(None, "; ".join(found.whys) or _SIMULATE)


def _of_features(figures: Figures, limit_s: float) -> Verdict:
    """Judge the worst ages of the features, each by its own limit if it has one; open where a stage has no times."""
    flow = figures.design.dataflow
    ages = figures.ages_s
    read = [one for one in flow.features if one.id in ages] if flow else []
    if flow is None or not read:
        return Verdict(None, "no features are planned")
    oldest = max(read, key=lambda one: ages[one.id] / max(one.sla or limit_s, 1e-9))
    allowed_s = limit_s if oldest.sla is None else oldest.sla
    if ages[oldest.id] > allowed_s * (1 + 1e-9):
        return Verdict(False, f"{oldest.id} may be {show_seconds(ages[oldest.id])} old")
    if bare := [one.id for one in flow.stages if not one.delays]:
        return Verdict(None, f"how long {', '.join(bare)} takes is not stated")
    own = "each by its own limit" if all(one.sla is not None for one in read) else ""
    return Verdict(True, own)
