"""Rules on what fleets promise: percentiles, queues, failures, generation, releases and money."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import floor, inf

from mlsd_helpers import formulas
from mlsd_helpers.analysis.cost import costs_of, working_hours
from mlsd_helpers.analysis.graph import components_by_id
from mlsd_helpers.analysis.paths import entries_of, stages_of
from mlsd_helpers.analysis.prediction import (
    State,
    Writing,
    predict,
    predictions,
    state_during,
    writing,
)
from mlsd_helpers.analysis.promises import refused_shares
from mlsd_helpers.analysis.sizing import PERCENTILES, Sizing, largest_zone, or_none, sizings
from mlsd_helpers.analysis.surroundings import (
    MODELS,
    Fallbacks,
    callers_of,
    is_promised,
    is_timed,
    longest_held_s,
    somebody_waits,
    unplanned_models,
)
from mlsd_helpers.analysis.whole import Elsewhere, left_for
from mlsd_helpers.design import Design, Latency, Pattern, Planes
from mlsd_helpers.review.calls import surely_late
from mlsd_helpers.review.fleets import (
    SLACK,
    ZONE_OUTAGE_S,
    Bill,
    Sized,
    a_queue_holds,
    allowed_wait_s,
    below,
    bills_of,
    covered,
    failures_of,
    fleets_of,
    late_answers,
    latency_of,
    name_of,
    ours,
    predicted,
    promises_of,
    routing_is_to_blame,
    run_by_others,
    sent_to_what_is_left,
    size_of,
    timed,
    told_once,
    waited,
)
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import sketched, worked_out
from mlsd_helpers.review.words import listed, mentions, money
from mlsd_helpers.units import show_seconds

_HIGH = 0.9995
"""From this target on, 22 minutes in 30 days, nobody has the time to decide where requests go; our estimate."""
_WARM = ("warm", "standby", "stand-by", "running", "side by side", "blue")


@rule(
    "CAP029",
    title="Predicted latency exceeds the budget",
    prevents="a latency target that the plan's own figures miss on the first day",
    wrong_when="Wrong if the parts of the latency split run at the same time.",
    needs=timed,
)
def predicted_latency_exceeds_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Service times vary and requests wait: their percentile by queueing theory has to fit into the budget."""
    late = [one for one in late_answers(design, fleets) if one.sure and not routing_is_to_blame(one)]
    yield from told_once(
        design,
        (
            (
                one.sizing,
                Fault(
                    f"{one.sizing.path}.{'service_time' if one.sizing.plan.service_time else 'batching'}",
                    f"{predicted(one)}.",
                    "Make the model faster or its times steadier, add replicas where requests wait, or agree on "
                    "another budget.",
                ),
            )
            for one in late
        ),
    )
    for one in fleets:
        takes = writing(one)
        if takes is None or one.plan.service_time is not None:
            continue
        before_s = Elsewhere.of(design, one.plan).least_s
        for where, promise in promises_of(design, "whole answer"):
            answer_s = takes.answer_s(None).least_s
            if answer_s + before_s >= promise.within:
                yield Fault(
                    where,
                    f"An answer of {takes.mean_tokens:,.0f} tokens takes at least {show_seconds(answer_s)}, and "
                    f"{show_seconds(before_s)} pass elsewhere; it may take {show_seconds(promise.within)} in all.",
                    "Write shorter answers, use more bandwidth, or agree on another budget.",
                )
                break


@rule(
    "CAP030",
    "warning",
    title="Latency may exceed the budget",
    prevents="a latency target that holds only if everything turns out well",
    wrong_when="Acceptable if a load test of the fleet has shown the percentile; note it as evidence.",
    needs=timed,
)
def latency_may_exceed_budget(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """What a plan leaves open, such as routing or the spread of its service times, decides its percentiles."""
    if design.planes is None or surely_late(design, design.planes) is None:  # else PLANE010 tells
        yield from told_once(design, _what_is_open(design, fleets))


def _what_is_open(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[tuple[Sizing, Fault]]:
    for late in late_answers(design, fleets):
        if late.sure:
            continue
        path, plan, open_ = late.sizing.path, late.sizing.plan, list[tuple[str, str, str]]()
        if plan.routing is None and (plan.replicas or 0) > 1:
            open_.append((f"{path}.routing", "which routing", "state 'routing' (random is the worst)"))
        if plan.service_time and not late.during.spread_known:
            open_.append(
                (f"{path}.service_time", "how service times spread", "state the 'scv' of the service time")
            )
        if late.elsewhere.most_s > late.elsewhere.least_s:
            why = late.elsewhere.why
            open_.append(("requirements.latency.split", "how long other parts take", why))
        if len(open_) == 1 and "split" in open_[0][0] and _is_slower_than_planned(design):
            continue  # PLANE060 tells
        if late.by_fallback:
            where, reason = (
                f"{path}.service_time",
                (
                    "Its callers give up before, so that at this percentile the fallback answers and not the model."
                ),
            )
            fix = "Make the model faster, or state that so many answers may come from the fallback."
        elif open_:
            where, reason = (
                open_[0][0],
                f"The plan leaves open {' and '.join(words for _, words, _ in open_)}.",
            )
            told = "; ".join(fix for _, _, fix in open_)
            fix = f"{told[0].upper()}{told[1:]}; or keep more time in reserve."
        else:
            where = f"{path}.service_time" if plan.service_time else f"{path}.batching"
            reason = "The longer time is the worst that this routing and these bursts may do."
            fix = "Simulate it, and add replicas or choose a routing that knows the queues."
        yield late.sizing, Fault(where, f"{predicted(late)}. {reason}", fix)


def _is_slower_than_planned(design: Design) -> bool:
    """Tell whether a component states a latency above its part of the budget."""
    latency = latency_of(design)
    parts_s = defaultdict[str | None, float](float)
    for part in latency.split if latency else ():
        parts_s[part.component] += part.time
    return any(
        one.id in parts_s and (one.latency or 0.0) > parts_s[one.id] * (1 + 1e-9)
        for one in (design.planes.components if design.planes else ())
    )


@rule(
    "CAP047",
    title="Promise that ends where no request comes",
    prevents="a promise that is judged by a way that no request takes",
    needs=sketched,
)
def promise_ends_nowhere(design: Design, planes: Planes) -> Iterator[Fault]:
    """A promise of latency is about the way of a request to the component at which its answer is there."""
    latency = latency_of(design)
    end = latency.until if latency else None
    if end and planes.component(end) and entries_of(planes) and not is_promised(design, end):
        yield Fault(
            "requirements.latency.until",
            f"The answer is there at {end}, and no flow of requests, nor of what is handed on behind a queue, leads "
            f"from {listed(entries_of(planes))} to it.",
            "Name the component at which the answer is there, or draw the flows that lead to it.",
        )


_SURELY_LATE = 1.2  # times what is left; less is within the error of a mean service time, our threshold


@rule(
    "CAP031",
    title="Queue limit exceeds the time to wait",
    prevents="replicas that are busy with requests whose callers have given up",
    wrong_when="Wrong if requests that have waited too long are dropped before they are served.",
    needs=timed,
)
def queue_limit_exceeds_time_to_wait(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """The last request of a full queue waits for all before it, and must still be answered in time."""
    yield from told_once(design, _queues_too_long(design, fleets))


def _queues_too_long(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[tuple[Sizing, Fault]]:
    for one in fleets:
        plan, limit = one.plan, one.plan.queue_limit
        if not limit or plan.service_time is None or plan.batching or not plan.service_time.mean:
            continue
        mean_s, latency = plan.service_time.mean, latency_of(design)
        seat_s = mean_s / plan.concurrency_per_replica
        left_s = left_for(design, plan, latency.budget) - mean_s if latency else inf
        first = [promise.within for _, promise in promises_of(design, "first token")]
        takes = writing(one)
        reading_s = takes.first_s.least_s if takes else 0.0
        if plan.generation and first and min(first) > reading_s:
            left_s = min(left_s, min(first) - reading_s)
        if limit * seat_s > max(left_s, 0.0) * _SURELY_LATE:
            allowed = max(floor(left_s / seat_s + 1e-9), 0)
            yield (
                one,
                Fault(
                    f"{one.path}.queue_limit",
                    f"The last of {limit} requests in the queue of a replica waits {show_seconds(limit * seat_s)}, at "
                    f"{show_seconds(seat_s)} each; budget, first token and timeouts leave "
                    f"{show_seconds(max(left_s, 0.0))} to wait, with mean service times.",
                    f"Set queue_limit to {allowed} at most, and answer the rest by the fallback at once.",
                ),
            )


@rule(
    "CAP032",
    title="Too many requests refused or given up",
    prevents="an availability target that the fleet itself misses, with every component up",
    wrong_when="Wrong if another component answers what is refused; state it as the fallback of the call.",
    needs=timed,
)
def too_many_refused(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """A full queue refuses requests and a short timeout gives them up: both are requests without an answer."""
    target = (
        design.requirements.availability.target
        if design.requirements and design.requirements.availability
        else None
    )
    for one in fleets if target is not None and target < 1 else ():
        found = predictions(design, one)[:1]
        timeout_s = callers_of(design, one.plan).timeout_s
        if not found or found[0].overloaded or Fallbacks.of(design, one.plan).answer:
            continue
        late = found[0].least.later_than(timeout_s) if timeout_s < inf else 0.0
        full = refused_shares(one, found[0])[0]
        around = Elsewhere.of(design, one.plan)
        late, full = (around.coming * (1 - (1 - share) ** around.at_once) for share in (late, full))
        if late + full > (1 - (target or 0.0)) * SLACK:
            limit = "unlimited" if one.plan.queue_limit is None else str(one.plan.queue_limit)
            timeout = show_seconds(timeout_s) if timeout_s < inf else "missing"
            yield Fault(
                f"{one.path}.queue_limit" if full > late else f"{one.path}.service_time",
                f"{late + full:.3%} of the requests at the peak get no answer from {name_of(one)} (queue limit "
                f"{limit}, timeout {timeout}), nothing answers in its place, and {1 - (target or 0.0):.3%} may be "
                "lost.",
                "Give the call a fallback, add replicas, or set a timeout that so few requests exceed.",
            )


@rule(
    "CAP033",
    "warning",
    title="Failure not planned for",
    prevents="the overload by a failure that nobody thought of and everybody meets",
    wrong_when="Acceptable if it is decided what is shed, or degraded, meanwhile; accept the finding with that reason.",
    needs=waited,
)
def failure_not_planned_for(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Zones fail and every release restarts replicas, whether or not a plan names them."""
    yield from told_once(design, _not_planned_for(design, fleets))


def _not_planned_for(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[tuple[Sizing, Fault]]:
    about = timed(design) or ()
    kept = {one.path for one in about} - {
        late.sizing.path for late in late_answers(design, about) if late.sure
    }
    for one in fleets:
        plan = one.plan
        paid = plan.headroom.pays_for if plan.headroom else ()
        if (sized := size_of(one)) is None:
            if plan.headroom is None:
                yield (
                    one,
                    Fault(
                        f"{one.path}.headroom",
                        f"The plan has {plan.replicas} replicas of {name_of(one)}, and neither states which failure "
                        "they survive nor the load and service time that would tell.",
                        "State load, service_time, target_utilisation, and the failure that the headroom pays for.",
                    ),
                )
            continue
        if sized.replicas < sized.base:
            continue
        judged = design if one.path in kept else None  # others are late without any further failure
        hit = [
            (words, left, why)
            for name, words, left in failures_of(one)
            if name not in paid
            and not (name == "zone loss" and sent_to_what_is_left(design, sized))  # SERV032 says so
            and (why := _unbearable(judged, sized, left, certain=plan.headroom is not None))
        ]
        if hit:
            told = "; ".join(
                f"{words} leaves {left} of {sized.replicas} replicas, {why}" for words, left, why in hit
            )
            yield (
                one,
                Fault(
                    f"{one.path}.headroom.pays_for" if plan.headroom else f"{one.path}.headroom",
                    f"Not planned for: {told}.",
                    "Add replicas for it and name it under pays_for, or decide what is shed meanwhile.",
                ),
            )


def _unbearable(design: Design | None, sized: Sized, left: int, *, certain: bool) -> str:
    """Say what is wrong with so many replicas at the peak, if anything.

    A plain overload counts only where it is `certain` to be said here, and a percentile only with a design.
    """
    if (busy := sized.busy(left)) >= 1:
        so_busy = "which is none" if busy == inf else f"with an offered load of {busy:.0%}"
        return so_busy if certain else ""
    latency = latency_of(design) if design else None
    if design is None or latency is None or not is_timed(design, sized.plan):
        return ""
    share = PERCENTILES.get(latency.percentile)
    found = predict(sized.plan, State("", left, sized.load_rps), 1.0, longest_held_s(design, sized.plan))
    around = Elsewhere.of(design, sized.plan)
    left_s, share = latency.budget - around.least_s, None if share is None else around.of_one(share)
    if share is None or found is None or found.least.later_than(max(left_s * SLACK, 0.0)) <= 1 - share:
        return ""
    return f"{busy:.0%} busy, with a {latency.percentile} of {show_seconds(found.response_s(share).least_s)}"


@rule(
    "CAP034",
    "warning",
    title="Promises on generation do not fit together",
    prevents="a streamed answer that starts late, or that ends long after its budget",
    wrong_when="Acceptable if long answers are cut off, or promised apart from usual ones; write that limit as "
    "'context_tokens' or as a promise of its own.",
    needs=latency_of,
)
def generation_promises_do_not_fit(design: Design, latency: Latency) -> Iterator[Fault]:
    """The first token waits for all that comes before it, and a whole answer for each of its tokens."""
    fleets = [
        one
        for one in fleets_of(design) or ()
        if one.plan.generation and is_timed(design, one.plan) and not Elsewhere.of(design, one.plan).seldom
    ]
    yield from _late_first_token(design, fleets)
    yield from _late_last_token(design, latency, fleets)


def _called(design: Design, sizing: Sizing) -> str:
    """Return what tells a fleet from the others: its component, and its own id where that runs in several."""
    plan, component = sizing.plan, name_of(sizing)
    several = [one for one in design.fleets.values() if one.component == plan.component]
    return f"{component} ({plan.id})" if plan.id and plan.id != component and len(several) > 1 else component


def _late_first_token(design: Design, fleets: list[Sizing]) -> Iterator[Fault]:
    promises = promises_of(design, "first token")
    for one in fleets if promises else ():
        takes, elsewhere = writing(one), Elsewhere.of(design, one.plan)
        least_s, most_s = takes.first_s if takes else (0.0, 0.0)
        for where, promise in promises:
            share = PERCENTILES.get(promise.percentile)
            calm = predictions(design, one)[:1]
            wait_s = calm[0].wait_s(share).least_s if calm and share and not calm[0].overloaded else 0.0
            if least_s <= promise.within < most_s + wait_s + elsewhere.most_s:
                yield Fault(
                    where,
                    f"The first token of {_called(design, one)} may take {show_seconds(promise.within)}: "
                    f"reading the prompt takes {show_seconds(least_s)} to {show_seconds(most_s)} by the data sheet, "
                    f"the wait for a place {show_seconds(wait_s)}, and other parts, as far as they come before, "
                    f"{elsewhere}.",
                    "Take what comes before the model off the promise: call it at once, shorten it, or promise more.",
                )
                break


def _late_last_token(design: Design, latency: Latency, fleets: list[Sizing]) -> Iterator[Fault]:
    for one in fleets:
        takes = writing(one)
        before_s = Elsewhere.of(design, one.plan).most_s
        for where, promise in promises_of(design, "whole answer") if takes else ():
            share = PERCENTILES.get(promise.percentile)
            slow_s = takes.answer_s(share).most_s if takes else 0.0
            quick_s = takes.answer_s(None).least_s if takes else 0.0
            if quick_s + before_s < promise.within <= slow_s + before_s and takes:
                yield Fault(
                    where,
                    f"An answer of {_called(design, one)} of {_long(takes, share)} takes {show_seconds(slow_s)} by the "
                    f"data sheet, with {show_seconds(before_s)} elsewhere, and may take "
                    f"{show_seconds(promise.within)}.",
                    "Limit the length of answers, use more bandwidth, or promise more.",
                )
                return
    if not latency.first_token or not latency.per_token:
        return
    lengths = [takes for one in fleets if (takes := writing(one))]
    outputs = [one.tokens.output for one in (design.planes.components if design.planes else ()) if one.tokens]
    if not lengths and outputs and max(outputs):
        lengths = [Writing((0.0, 0.0), (0.0, 0.0), max(outputs), inf)]  # type: ignore[arg-type]
    share = PERCENTILES.get(latency.percentile)
    for takes in lengths[:1]:
        promised_s = latency.first_token + (takes.tokens(share) - 1) * latency.per_token
        if promised_s > latency.budget * (1 + 1e-9):
            yield Fault(
                "requirements.latency.per_token",
                f"At the promised pace, {show_seconds(latency.first_token)} and then "
                f"{show_seconds(latency.per_token)} a token, an answer of {_long(takes, share)} takes "
                f"{show_seconds(promised_s)}, and the latency budget is {show_seconds(latency.budget)} at "
                f"{latency.percentile}.",
                "Promise a shorter gap or a longer answer, or limit the length of answers.",
            )


def _long(takes: Writing, share: float | None) -> str:
    tokens = takes.tokens(share)
    if share is None:
        return f"{tokens:,.0f} tokens"
    if tokens >= takes.most_tokens:
        return f"{tokens:,.0f} tokens, the most that the context allows,"
    return f"{tokens:,.0f} tokens (p{100 * share:.4g}, if lengths are lognormal with an SCV of 1)"


@rule(
    "CAP035",
    "warning",
    title="Release without replicas",
    prevents="a shadow or a warm old version that takes its replicas from the users",
    wrong_when="Acceptable if releases run where other replicas are idle; say so in 'because' and write the number.",
    needs=waited,
)
def release_without_replicas(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """A shadow answers every request that it copies a second time, and an old version that is kept warm needs room."""
    release = design.planes.release if design.planes else None
    if release is None:
        return
    warm = release.rollback_to is not None and any(word in release.rollback_to.lower() for word in _WARM)
    why = [
        words
        for words, given in (
            (f"a shadow of {show_seconds(release.shadow or 0.0)}", release.shadow),
            (
                "an old version that is kept warm",
                warm and not any(one.plan.release_replicas for one in fleets),
            ),
        )
        if given
    ]
    known = components_by_id(design.planes) if design.planes else {}
    bare = [
        one
        for one in fleets
        if one.plan.release_replicas is None
        and (not release.of or one.plan.component in {None, *release.of})
        and (one.plan.component not in known or known[one.plan.component].kind in MODELS)
    ]
    if why and bare:
        need = ", ".join(f"{name_of(one)} {one.base}" for one in bare if one.base is not None)
        whole = f"; scoring all of the peak twice takes {need}" if need and release.shadow else ""
        yield Fault(
            f"{bare[0].path}.release_replicas",
            f"The release has {' and '.join(why)}, and the plan has no replicas for it{whole}.",
            "State release_replicas: for all requests, or for the sample that a shadow scores.",
        )


@rule(
    "CAP036",
    "warning",
    title="Headroom where a queue would do",
    prevents="replicas that are paid for all year and needed in an hour of it",
    wrong_when="Wrong if a zone may be away for longer, or if what waits is lost.",
    needs=covered,
)
def headroom_where_a_queue_would_do(design: Design, fleets: tuple[Sized, ...]) -> Iterator[Fault]:
    """Where nobody waits, a queue holds what arrives while a zone is away, and it is worked off afterwards."""
    latency = latency_of(design)
    for sized in fleets:
        plan, zones = sized.plan, sized.plan.zones or 1
        paid = plan.headroom.pays_for if plan.headroom else ()
        if latency is None or not a_queue_holds(design, plan) or "zone loss" not in paid or zones < 2:
            continue
        others = tuple(failure for failure in paid if failure != "zone loss")
        needed = _needed(design, sized, others)
        spare = 0 if needed is None else sized.replicas - needed
        if needed is None or spare <= zones:
            continue
        left_s = allowed_wait_s(design, plan)
        if left_s == inf:
            continue  # how late an answer may be is not stated, so that nothing shows that a queue would do
        wait_s = ZONE_OUTAGE_S * max(sized.busy(needed - largest_zone(needed, zones)) - 1, 0.0)
        if wait_s < left_s:
            price = plan.cost_per_replica_hour
            cost = (
                ""
                if price is None
                else f", {money(design, spare * price * working_hours(design, plan)[0])} a month"
            )
            yield Fault(
                f"{sized.path}.headroom.pays_for",
                f"Nobody waits for {name_of(sized.sizing)}. With {needed} replicas, the loss of a zone for "
                f"{show_seconds(ZONE_OUTAGE_S)} at the peak would make requests wait {show_seconds(wait_s)}, and "
                f"{show_seconds(left_s)} are allowed: {spare} replicas are more than that needs{cost}.",
                f"Run {needed} replicas, take the loss of a zone out of pays_for, state a share of "
                f"{floor(100 * (needed / sized.base - 1))}%, and let the queue hold what comes meanwhile.",
            )


def _needed(design: Design, sized: Sized, failures: Iterable[str]) -> int | None:
    """Return the fewest replicas that carry the peak in each of some failures; None where that is not known."""
    needs = [sized.base]
    for failure in failures:
        if failure == "rolling restart":
            share = sized.sizing.restart_share.value
            need = or_none(formulas.replicas_for_rolling_restart, sized.base, share)
        else:
            state = state_during(design, sized.sizing, [failure])
            need = sized.sizing.need(state.load_rps) if state else None
        if need is None:
            return None
        needs.append(need)
    return max(needs)


@rule(
    "CAP037",
    "warning",
    title="Model without a fleet",
    prevents="a bottleneck that is in no plan",
    wrong_when="Wrong if it runs within a component that is planned, or if others run it: mark it as 'managed'.",
    needs=fleets_of,
)
def model_without_a_fleet(design: Design, _: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Each model that requests wait for needs replicas of its own, and the slowest one decides."""
    if bare := unplanned_models(design):
        kinds = {one.id: one.kind.replace("-", " ") for one in bare}
        names = listed([f"{name} ({kind})" if name != kind else name for name, kind in kinds.items()])
        planned = listed(list(dict.fromkeys(name_of(one) for one in sizings(design).values())))
        yield Fault(
            f"planes.components.{bare[0].id}",
            f"Requests wait for {names}, and the plan has no such fleet; it plans {planned}.",
            "Add a plan for each under capacity.fleets, with load, service time and replicas.",
        )


@rule(
    "CAP038",
    "warning",
    title="Bill may exceed the budget",
    prevents="a bill that nobody expected, in the month that was busiest",
    wrong_when="Acceptable if a limit on spending stops the autoscaler before.",
    needs=bills_of,
)
def bill_may_exceed_budget(design: Design, bills: tuple[Bill, ...]) -> Iterator[Fault]:
    """The autoscaler's maximum is what may have to be paid for, together with prices by use and all further costs."""
    for bill in bills:
        by_use = bill.largest_price > 0 and bill.expected > bill.budget
        alone = bill.planned > bill.budget or by_use  # each has a rule of its own
        if below(bill.budget, bill.at_most) and not alone:
            yield Fault(
                bill.where,
                f"Up to {money(design, bill.at_most)} may fall due in 30 days ({bill.text}); the planned replicas are "
                f"{money(design, bill.planned)}, and the budget is {money(design, bill.budget)}.",
                "Lower the maximum to what the budget pays for, or agree on a larger budget.",
            )


@rule(
    "CAP039",
    "warning",
    title="Autoscaler down to one replica or none",
    prevents="a first request of the morning that waits for a start, or a night on one machine",
    wrong_when="Acceptable if nobody minds the first request, as in an internal tool.",
    needs=waited,
)
def autoscaler_down_to_one(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """What an autoscaler has switched off is not there when a request comes or a replica fails."""
    latency = latency_of(design)
    for one in fleets:
        scaler, replicas = one.plan.autoscaler, one.plan.replicas or 0
        if scaler is None or scaler.minimum is None or scaler.minimum > 1 or replicas < 2:
            continue
        if scaler.minimum == 0 and latency and scaler.delay >= latency.budget:
            found = (
                f"With a minimum of 0, the first request waits {show_seconds(scaler.delay)} for a replica, and the "
                f"latency budget is {show_seconds(latency.budget)}."
            )
        else:
            found = f"With a minimum of {scaler.minimum}, no second replica is there when one fails at a quiet hour."
        yield Fault(f"{one.path}.autoscaler.minimum", found, "Keep two replicas at least, in two zones.")


@rule(
    "CAP040",
    "warning",
    title="Autoscaler that takes the zone reserve away",
    prevents="a reserve for the loss of a zone that is there at the peak only",
    wrong_when="Acceptable if requests may wait, or are shed, until replicas have started in the other zones.",
    needs=waited,
)
def autoscaler_takes_the_reserve(_: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """An autoscaler keeps a utilisation over all zones: the zones that are left get all of it."""
    for one in fleets:
        plan, scaler = one.plan, one.plan.autoscaler
        zones, paid = plan.zones or 1, plan.headroom.pays_for if plan.headroom else ()
        target = (scaler.target or plan.target_utilisation) if scaler else None
        kept = scaler.minimum if scaler else None
        if scaler is None or not target or zones < 2 or "zone loss" not in paid:
            continue
        if kept is not None and (kept <= 1 or kept >= (plan.replicas or 0)):
            continue  # of one replica or none CAP039 tells
        if scaler.maximum is not None and scaler.maximum < (plan.replicas or 0):
            continue  # CAP021 tells
        if (busy := target * zones / (zones - 1)) >= 1:
            yield Fault(
                f"{one.path}.autoscaler.target",
                f"Below the peak the autoscaler keeps {name_of(one)} {target:.0%} busy in {zones} zones; without one "
                f"of them the others get {busy:.0%}, so that the headroom for a zone is there at the peak only.",
                f"Set the target below {(zones - 1) / zones:.0%}, by what the wait may grow, or the minimum to the "
                "replicas of the plan.",
            )


@rule(
    "CAP041",
    "warning",
    title="Loss of a region not planned for",
    prevents="a region whose users are sent to another, which then fails too",
    wrong_when="Acceptable if users of a lost region get no answer meanwhile; write that as a failure mode.",
)
def region_not_planned_for(design: Design) -> Iterator[Fault]:
    """A time to recover, or a second region, is a promise only if it is said where the requests go."""
    said = _said_of_regions(design)
    needs = design.requirements
    available = needs.availability if needs else None
    by_component = defaultdict[str, list[Sizing]](list)
    for one in fleets_of(design) or ():
        if one.plan.component and somebody_waits(design, one.plan):
            by_component[one.plan.component].append(one)
    for name, same in by_component.items():
        sized = [found for one in same if (found := size_of(one))]
        if len(sized) < 2 or len(sized) < len(same) or (said and not any(map(_FAILS_OVER.search, said))):
            continue
        lost = max(sized, key=lambda one: one.load_rps)
        left_rps = sum(one.replicas / one.seat_s for one in sized if one is not lost)
        asked_rps = sum(one.load_rps for one in sized)
        if asked_rps > left_rps:
            yield Fault(
                f"{lost.path}.replicas",
                f"If {lost.plan.id or name} is lost, the other fleets of {name} would get {asked_rps:,.6g} requests a "
                f"second and answer {left_rps:,.6g} at most.",
                "Size the others for it, or write as a failure mode of the requirements who gets no answer, or a "
                "simpler one, while a region is away.",
            )
            return
    if (
        available
        and available.rto is None
        and not said
        and worked_out(design)
        and _HIGH <= available.target < 1
    ):
        yield Fault(
            "requirements.availability.rto",
            f"{100 * available.target:.6g}% of the requests are to be answered, and nothing says what happens when a "
            "region or a data centre is lost: no time to recover, no failure mode, risk or decision.",
            "State 'rto' and 'rpo', or write as a failure mode that nobody is answered until it is back.",
        )
    if available and available.rto is not None and not said:
        yield Fault(
            "requirements.availability.rto",
            f"After the loss of a region answers are to be back within {show_seconds(available.rto)}, and nothing says "
            "from where: no failure mode, risk or decision speaks of it.",
            "Write as a failure mode what happens meanwhile, and where data, models and replicas come from.",
        )


_OF_REGIONS = re.compile(
    r"\bregions?\b|data.?cent(er|re)|\bsites?\b|fail.?over|disaster|restor|stand.?by", re.IGNORECASE
)
_FAILS_OVER = re.compile(
    r"fail.?over|(goes?|go|sent|send|routed?|moves?|shift\w*|divert\w*|take[sn]?) .*\b(to|over|by)\b",
    re.IGNORECASE,
)


def _said_of_regions(design: Design) -> list[str]:
    """Return what a design says of the loss of a region, in its failure modes, risks, questions and decisions."""
    modes = design.requirements.failure_modes if design.requirements else ()
    texts = [f"{one.failure} {one.meanwhile or ''}" for one in modes]
    texts += [f"{one.text} {one.answer or ''}" for one in design.risks]
    texts += [one.text for one in design.questions]
    texts += [f"{one.chose} {one.because or ''}" for one in design.decisions]
    return [text for text in texts if _OF_REGIONS.search(text)]


@rule(
    "CAP042",
    "warning",
    title="Candidates of several sources that nobody merges",
    prevents="a ranker that gets more items than it is sized for, or candidates cut by chance",
    wrong_when="Wrong if the sources overlap by so much; write in 'reason' how their lists are merged.",
)
def candidates_not_merged(design: Design) -> Iterator[Fault]:
    """Where several sources hand on more items than the next stage scores, something decides which are dropped."""
    stages = [found for number, found in stages_of(design.pattern or Pattern()).items() if number is not None]
    paths = design.pattern.paths if design.pattern else ()
    boxes = design.planes.components if design.planes else ()
    words = [text for path in paths for text in (path.reason, path.when)]
    words += [text for box in boxes for text in (box.does, box.title)]
    if mentions(
        r"merg|dedup|duplicat|union|quota|fus(e|ion)|blend|interleav|overlap|at most|cut to|best of", *words
    ):
        return
    for before, after in pairwise(stages):
        for one in before:
            kept = [path.keeps for path in one.paths if path.keeps]
            taken = [path.items for other in after for path in other.paths if path.items]
            if len(one.paths) > 1 and len(kept) == len(one.paths) and taken and sum(kept) > max(taken):
                path = next(path for other in after for path in other.paths if path.items == max(taken))
                yield Fault(
                    f"pattern.paths.{path.id}.items",
                    f"{' and '.join(path.id for path in one.paths)} hand on {sum(kept):,} items, {path.id} scores "
                    f"{path.items:,}, and nothing says which are dropped.",
                    "Write in 'reason' how the lists are merged: doubles, a quota for each source, a limit.",
                )


@rule(
    "CAP043",
    "warning",
    title="Plan whose figures cannot be compared",
    prevents="a number of replicas that nothing contradicts, since nothing is stated that could",
    wrong_when="Acceptable if the size was found by a load test of the whole fleet; state what it measured.",
    needs=fleets_of,
)
def plan_cannot_be_compared(design: Design, fleets: tuple[Sizing, ...]) -> Iterator[Fault]:
    """Load and service time tell whether the replicas suffice; a price tells whether the budget does."""
    uncounted = [
        one
        for one in fleets
        if one.plan.replicas is None
        and not run_by_others(design, one)
        and (one.plan.load or one.plan.service_time or one.plan.batching)
    ]
    if uncounted:
        yield Fault(
            f"{uncounted[0].path}.replicas",
            f"The plan states what {listed([name_of(one) for one in uncounted])} has to carry, and not how many "
            "replicas do.",
            "State 'replicas', which load, service time and headroom are held against.",
        )
    counted = ours(design) or ()
    for one in counted:
        plan, missing = one.plan, list[str]()
        if plan.headroom is None and somebody_waits(design, plan) and size_of(one) is None:
            continue  # CAP033 asks for both
        if one.seat_s is None and plan.batching is None and plan.generation is None:
            missing.append("service_time")
        if one.load_rps is None and not (design.requirements and design.requirements.schedule):
            missing.append("load")
        if plan.headroom and plan.headroom.pays_for and plan.target_utilisation is None:
            missing.append("target_utilisation")
        if missing:
            yield Fault(
                f"{one.path}.{missing[0]}",
                f"The plan has {plan.replicas} replicas of {name_of(one)}, and does not state {listed(missing)}: "
                + (
                    "how busy they may be in a failure is not decided."
                    if missing == ["target_utilisation"]
                    else "nothing tells whether they suffice."
                ),
                "Measure one replica, and state it with the load at the peak and the utilisation that is planned for.",
            )
    budget = design.capacity.budget_per_month if design.capacity else None
    if counted and budget is not None and not any(row.per_month for row in costs_of(design)):
        yield Fault(
            f"{counted[0].path}.cost_per_replica_hour",
            f"The budget is {money(design, budget)}, and nothing that is planned has a price.",
            "State what a replica costs an hour.",
        )
