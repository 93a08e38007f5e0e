"""Known mistakes in the pattern of a design."""

from collections.abc import Callable
from typing import Any

from mlsd_helpers import cases
from mlsd_helpers.design import Design, Pattern, Requirements, ServingPath
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


STARTS: dict[str, Callable[[], Design]] = {
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
    return _with_figures(design, "cache", key=["card", "merchant", "amount"])


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


@breaks("PATTERN023", start="streamed")
def backlog_of_an_hour(design: Design) -> Design:
    """Let so many events wait that the last is read an hour later."""
    return _with_figures(design, "stream", largest_backlog=3_600_000)
