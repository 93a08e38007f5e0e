"""Known mistakes in the pattern of a design."""

from collections.abc import Callable
from typing import Any

from mlsd_helpers import cases
from mlsd_helpers.design import Component, Design, Flow, Pattern, Requirements, ServingPath
from tests.review.mutations.capacity import resized
from tests.review.mutations.mutation import breaks

_WHILE_WAITING = {
    "pattern": "request-time",
    "path": "authorise",
    "reason": "A score for each card is read before the model could have answered.",
    "flips_when": "The amount decides more than the card's history.",
}
_AHEAD = {
    "pattern": "pre-computed",
    "path": "authorise",
    "reason": "Most cards do not pay within a day, and a score a day old misses what happened since.",
    "flips_when": "A score a day old were enough.",
}
_BY_EVENT = {
    "pattern": "streaming",
    "path": "authorise",
    "reason": "A score that moves with each payment buys little over one a day.",
    "flips_when": "Fraud comes in bursts shorter than the freshness of the answers.",
}


def _path(design: Design) -> ServingPath:
    return (design.pattern or Pattern()).paths[0]


def _with_path(design: Design, **fields: Any) -> Design:
    pattern = design.pattern or Pattern()
    return design.with_part(pattern=pattern.changed(paths=(_path(design).changed(**fields),)))


def _with_figures(design: Design, figures: str, **fields: Any) -> Design:
    return _with_path(design, **{figures: getattr(_path(design), figures).changed(**fields)})


def _answers_as_old_as(design: Design, predictions: str) -> Design:
    needs = design.requirements or Requirements()
    freshness = needs.freshness.changed(predictions=predictions) if needs.freshness else None
    return design.with_part(requirements=needs.changed(freshness=freshness))


def _of_other_pattern(design: Design, rejected: list[dict[str, str]], **fields: Any) -> Design:
    path = _path(design).changed(**fields)
    return design.with_part(pattern={"paths": (path,), "rejected": rejected})


def cached() -> Design:
    """Keep scores for a minute, for a payment that is tried again."""
    cache = {
        "key": ["card", "merchant", "amount", "model version"],
        "answer_depends_on": ["card", "merchant", "amount", "model version"],
        "ttl": "1 min",
        "size": 200_000,
        "hit_ratio": "30%",
        "zipf_exponent": 1.0,
        "hit_time": "2 ms",
        "when_cold": "The fleet is sized for every payment.",
    }
    design = _answers_as_old_as(cases.load("harbour_pay"), "5 min")
    return _with_path(design, keys=1_000_000, cache=cache)


def made_ahead() -> Design:
    """Make a score for each card twice a day."""
    job = {
        "period": "12 h",
        "keys_read": 8_000_000,
        "job_time": "2 h",
        "window": "6 h",
        "on_miss": "The fixed rules decide.",
    }
    design = _answers_as_old_as(cases.load("harbour_pay"), "1 d")
    return _of_other_pattern(
        design,
        [_WHILE_WAITING, _BY_EVENT],
        pattern="pre-computed",
        reason="Cards can be listed, and most of what decides is their history.",
        bounded_input=True,
        keys=10_000_000,
        precompute=job,
    )


def streamed() -> Design:
    """Update the score of a card with each of its payments."""
    stream = {
        "events": "500 rps",
        "consumed": "1000 rps",
        "partitions": 12,
        "consumers": 6,
        "largest_backlog": 60_000,
    }
    return _of_other_pattern(
        cases.load("harbour_pay"),
        [_WHILE_WAITING, _AHEAD],
        pattern="streaming",
        reason="Each payment changes the score of its card, and nobody waits for the next one.",
        bounded_input=True,
        stream=stream,
    )


def in_stages() -> Design:
    """Find similar cards first, from two sources, and score against those that are left."""
    design = cases.load("harbour_pay")
    planes = design.planes
    assert planes is not None
    assert design.pattern is not None
    parts = [
        {"id": name, "kind": "candidate generator", "owner": "Model team", "replicas": 6, "zones": 3}
        for name in ("by_device", "by_merchant")
    ]
    calls = [
        {
            "from": "scorer",
            "to": part["id"],
            "carries": "request",
            "timeout": "20 ms",
            "fallback": "An empty list",
        }
        for part in parts
    ]
    first: dict[str, Any] = {
        "pattern": "request-time",
        "stage": 1,
        "reason": "The payment decides.",
        "items": 5_000,
        "keeps": 200,
    }
    paths = [
        first | {"id": "device", "component": "by_device", "parallel_to": "merchant"},
        first | {"id": "merchant", "component": "by_merchant"},
        _path(design).changed(stage=2, component="scorer", items=400),
    ]
    rejected = [no.changed(path=None) for no in design.pattern.rejected]
    drawn = planes.changed(components=(*planes.components, *parts), flows=(*planes.flows, *calls))
    return design.with_part(planes=drawn, pattern={"paths": paths, "rejected": rejected})


STARTS: dict[str, Callable[[], Design]] = {
    "in stages": in_stages,
    "cached": cached,
    "made ahead": made_ahead,
    "streamed": streamed,
}


@breaks("PATTERN001")
def no_pattern(design: Design) -> Design:
    """Leave the pattern out."""
    return design.with_part(pattern=None)


@breaks("PATTERN002")
def no_reason(design: Design) -> Design:
    """Choose without a reason."""
    return _with_path(design, reason=None)


@breaks("PATTERN003")
def nothing_rejected(design: Design) -> Design:
    """Consider no other pattern."""
    return design.with_part(pattern=(design.pattern or Pattern()).changed(rejected=()))


@breaks("PATTERN004")
def rejected_and_taken(design: Design) -> Design:
    """Reject for every path what one path takes."""
    pattern = design.pattern or Pattern()
    twice = {"pattern": "request-time", "reason": "Too dear at the peak."}
    return design.with_part(pattern=pattern.changed(rejected=(*pattern.rejected, twice)))


@breaks("PATTERN005")
def lost_share(design: Design) -> Design:
    """Lose one payment in ten between the paths."""
    return _with_path(design, share="90%")


@breaks("PATTERN005", start="in stages")
def payments_that_no_source_looks_at(design: Design) -> Design:
    """Divide the payments between two sources, and lose one in five."""
    device = _with_stage_path(design, "device", parallel_to=(), share="50%", keeps=400)
    return _with_stage_path(device, "merchant", share="30%", keeps=400)


@breaks("PATTERN006", start="streamed")
def stream_without_rates(design: Design) -> Design:
    """Stream, and never count events."""
    return _with_path(design, stream=None)


@breaks("PATTERN007")
def strained_without_price(design: Design) -> Design:
    """Score 2,000 payments a second at request time, whatever it costs."""
    needs, plan = design.requirements, design.capacity
    assert needs is not None
    assert needs.throughput is not None
    assert plan is not None
    busier = needs.throughput.changed(peak="2000 rps", mean="800 rps")
    faster = {"mean": "10 ms", "distribution": "lognormal", "scv": 0.25}
    unpriced = {"cost_per_replica_hour": None, "budget_per_month": None}
    return design.with_part(
        requirements=needs.changed(throughput=busier),
        capacity=plan.changed(load="2000 rps", service_time=faster, **unpriced),
    )


@breaks("PATTERN008", start="made ahead")
def free_text_ahead(design: Design) -> Design:
    """Compute answers ahead for what cannot be listed."""
    return _with_path(design, bounded_input=False)


@breaks("PATTERN009", start="made ahead")
def hourly_answers(design: Design) -> Design:
    """Make answers each hour that may be an hour old."""
    hourly = _with_figures(design, "precompute", period="1 h", job_time="10 min", window="40 min")
    return _answers_as_old_as(hourly, "1 h")


@breaks("PATTERN037", start="made ahead")
def daily_answers_of_a_day(design: Design) -> Design:
    """Make answers each day in two hours, and promise that they are a day old at most."""
    return _answers_as_old_as(_with_figures(design, "precompute", period="1 d"), "1 d")


@breaks("PATTERN010", start="made ahead")
def endless_job(design: Design) -> Design:
    """Start a job of three hours every two."""
    return _with_figures(design, "precompute", period="2 h", job_time="3 h", window="2 h")


@breaks("PATTERN011", start="made ahead")
def window_just_fits(design: Design) -> Design:
    """Give a job of five hours six."""
    return _with_figures(design, "precompute", job_time="5 h")


@breaks("PATTERN012", start="made ahead")
def unknown_key(design: Design) -> Design:
    """Say nothing about a card that is new since the last run."""
    return _with_figures(design, "precompute", on_miss=None)


@breaks("PATTERN013", start="made ahead")
def scores_for_all(design: Design) -> Design:
    """Score every card, of which one in ten pays before the next run."""
    return _with_figures(design, "precompute", keys_read=1_000_000)


@breaks("PATTERN014", start="cached")
def key_without_card(design: Design) -> Design:
    """Share answers between cards."""
    return _with_figures(design, "cache", key=["merchant", "amount", "model version"])


@breaks("PATTERN015", start="cached")
def key_without_version(design: Design) -> Design:
    """Serve the old model's answers after a release."""
    return _with_figures(_quick_to_undo(design), "cache", key=["card", "merchant", "amount"])


@breaks("PATTERN015", start="cached")
def version_of_something_else(design: Design) -> Design:
    """Take the app's version for the model's."""
    parts = ["card", "merchant", "amount", "app version"]
    return _with_figures(_quick_to_undo(design), "cache", key=parts, answer_depends_on=parts)


def _quick_to_undo(design: Design) -> Design:
    """Roll back within ten seconds, which is less than answers live in the cache."""
    planes = design.planes
    assert planes is not None
    assert planes.release is not None
    return design.with_part(planes=planes.changed(release=planes.release.changed(rollback_time="10 s")))


@breaks("PATTERN016", start="cached")
def key_of_unknowns(design: Design) -> Design:
    """Choose a key without a list of what decides."""
    return _with_figures(design, "cache", answer_depends_on=())


@breaks("PATTERN017", start="cached")
def hits_wished_for(design: Design) -> Design:
    """Expect hits that no cache of that size and life can give."""
    return _with_figures(design, "cache", hit_ratio="95%")


@breaks("PATTERN018", start="cached")
def hits_out_of_the_air(design: Design) -> Design:
    """Expect hits of a cache of unknown size."""
    return _with_figures(design, "cache", size=None)


@breaks("PATTERN019", start="cached")
def cached_for_an_hour(design: Design) -> Design:
    """Keep for an hour what may be five minutes old."""
    return _with_figures(design, "cache", ttl="1 h")


@breaks("PATTERN020", start="cached")
def sized_when_warm(design: Design) -> Design:
    """Size the fleet for what a warm cache lets through, and say nothing of an empty one."""
    plan = design.capacity
    assert plan is not None
    warm = _with_figures(design, "cache", hit_ratio="40%", when_cold=None)
    return resized(warm.with_part(capacity=plan.changed(load="300 rps")), 27, 9)


@breaks("PATTERN021", start="streamed")
def stream_too_slow(design: Design) -> Design:
    """Consume fewer events than arrive."""
    return _with_figures(design, "stream", consumed="450 rps")


@breaks("PATTERN022", start="streamed")
def more_consumers_than_partitions(design: Design) -> Design:
    """Run twenty consumers on twelve partitions."""
    return _with_figures(design, "stream", consumers=20)


@breaks("PATTERN035", start="streamed")
def most_replicas_read_nothing(design: Design) -> Design:
    """Let forty replicas read twelve partitions, which keep twelve of them busier than planned."""
    return _with_path(design, component="scorer")


@breaks("PATTERN023", start="streamed")
def backlog_of_an_hour(design: Design) -> Design:
    """Let so many events wait that the last is read an hour later."""
    return _with_figures(design, "stream", largest_backlog=3_600_000)


@breaks("PATTERN023", start="streamed")
def outage_longer_than_answers_live(design: Design) -> Design:
    """Be down for twenty minutes where answers may be fifteen minutes old; catching up takes ten."""
    return _with_figures(design, "stream", largest_backlog=600_000)


@breaks("PATTERN024", start="streamed")
def hardly_faster_than_events(design: Design) -> Design:
    """Consume a little more than arrives."""
    return _with_figures(design, "stream", consumed="520 rps")


@breaks("PATTERN025", start="cached")
def budget_of_a_hit(design: Design) -> Design:
    """Split the budget as if each payment were in the cache."""
    needs, planes = design.requirements, design.planes
    assert needs is not None
    assert needs.latency is not None
    assert planes is not None
    cache = {"id": "answers", "kind": "cache", "owner": "Payments", "replicas": 3, "zones": 3}
    call = {
        "from": "gateway",
        "to": "answers",
        "carries": "request",
        "timeout": "20 ms",
        "fallback": "Ask the scorer",
    }
    split = [
        {"part": "network", "component": "gateway", "time": "60 ms"},
        {"component": "answers", "time": "2 ms"},
    ]
    flows = [
        one.changed(fallback=None, fails="closed")
        if one.end == "scorer" and one.carries == "request"
        else one
        for one in planes.flows
    ]
    return design.with_part(
        requirements=needs.changed(latency=needs.latency.changed(split=split)),
        planes=planes.changed(components=(*planes.components, cache), flows=(*flows, call)),
    )


def _with_stage_path(design: Design, path_id: str, **fields: Any) -> Design:
    pattern = design.pattern or Pattern()
    paths = tuple(one.changed(**fields) if one.id == path_id else one for one in pattern.paths)
    return design.with_part(pattern=pattern.changed(paths=paths))


@breaks("PATTERN026", start="in stages")
def ranked_more_than_found(design: Design) -> Design:
    """Rank a thousand where two sources hand on 400 at most."""
    return _with_stage_path(design, "authorise", items=1_000)


@breaks("PATTERN026", start="in stages")
def kept_more_than_scored(design: Design) -> Design:
    """Hand on more than was looked at."""
    return _with_stage_path(design, "device", items=100)


@breaks("PATTERN027", start="in stages")
def all_sources_awaited(design: Design) -> Design:
    """Wait for each of the sources, however slow."""
    planes = design.planes
    assert planes is not None
    flows = [
        one.changed(fallback=None, fails="closed") if one.end.startswith("by_") else one
        for one in planes.flows
    ]
    return design.with_part(planes=planes.changed(flows=tuple(flows)))


def _scheduled(design: Design, **fields: Any) -> Design:
    needs = design.requirements
    assert needs is not None
    assert needs.schedule is not None
    return design.with_part(requirements=needs.changed(schedule=needs.schedule.changed(**fields)))


def _with_planes(design: Design, **fields: Any) -> Design:
    assert design.planes is not None
    return design.with_part(planes=design.planes.changed(**fields))


@breaks("PATTERN028", start="nightly")
def chain_longer_than_the_night(design: Design) -> Design:
    """Count the scoring, and not what has to run before it."""
    return _scheduled(design, deadline="3 h")


@breaks("PATTERN029", start="nightly")
def no_second_run(design: Design) -> Design:
    """Leave no time to repeat the longest job, which begins anew."""
    once = _with_figures(design, "precompute", resumable=False)
    return _scheduled(once, deadline="5 h")


@breaks("PATTERN036", start="nightly")
def waits_for_the_registry(design: Design) -> Design:
    """Start at ten, be due at four, and let a call take half an hour three times."""
    planes = design.planes
    assert planes is not None
    register = Component(
        id="register",
        kind="service",
        owner="Risk models",
        managed=True,
        availability="99.9%",
    )
    ask = Flow(
        start="scorer", end="register", carries="request", timeout="50 min", retries=2, idempotent=True,
        retry={"backoff": "exponential with jitter"}, fallback="The entry of the day before",
    )  # fmt: skip
    parts = [one.changed(replicas=4, zones=2) if one.id == "scorer" else one for one in planes.components]
    drawn = _with_planes(design, components=(*parts, register), flows=(*planes.flows, ask))
    return _scheduled(drawn, deadline=None, starts="22:00", due="04:00")


@breaks("PATTERN030", start="nightly")
def timed_on_a_sample(design: Design) -> Design:
    """Score ten times as many as the path has keys."""
    return _scheduled(design, items=20_000_000)


@breaks("PATTERN030", start="nightly")
def never_timed(design: Design) -> Design:
    """State no time of the job that scores all."""
    return _with_figures(design, "precompute", job_time=None)


@breaks("PATTERN031", start="nightly")
def nobody_sees_a_late_run(design: Design) -> Design:
    """Watch quality, and not whether there is a list at all."""
    assert design.planes is not None
    return _with_planes(
        design, alerts=tuple(one for one in design.planes.alerts if one.watches != "infrastructure")
    )


@breaks("PATTERN032", start="nightly")
def rerun_doubles_rows(design: Design) -> Design:
    """Append to the list, however often the job is started."""
    assert design.planes is not None
    flows = [one.changed(idempotent=False) if one.end == "lists" else one for one in design.planes.flows]
    return _with_planes(design, flows=tuple(flows))


@breaks("PATTERN033", start="nightly")
def input_taken_as_it_is(design: Design) -> Design:
    """Start by the clock, whatever has arrived."""
    assert design.planes is not None
    unchecked = {("ledger", "export"), ("export", "warehouse")}
    flows = [
        one.changed(check=None) if (one.start, one.end) in unchecked else one for one in design.planes.flows
    ]
    return _with_planes(design, flows=tuple(flows))


@breaks("PATTERN034", start="nightly")
def asks_a_registry_for_each_item(design: Design) -> Design:
    """Ask somebody else's service for each of two million firms, at twenty a second."""
    assert design.planes is not None
    registry: dict[str, Any] = {"id": "registry", "kind": "external service", "plane": "data"}
    registry |= {"owner": "Risk models", "quota": {"requests": "20 rps"}, "availability": "99.9%"}
    registry |= {
        "price": {"per_request": 0},
        "terms": {"exit": "The yearly file of the office, within a day"},
    }
    call = {
        "from": "features",
        "to": "registry",
        "carries": "request",
        "timeout": "2 s",
        "auth": "certificate",
    }
    call |= {"fallback": "The feature is missing"}
    return _with_planes(
        design,
        components=(*design.planes.components, registry),
        flows=(*design.planes.flows, call),
    )
