"""Rules on the pattern of a design: when answers are computed, and whether jobs, caches and streams keep up."""

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from math import floor, fsum, isclose

from mlsd_helpers import formulas
from mlsd_helpers.analysis.paths import cold_rps, hit_ratio, peak_rps
from mlsd_helpers.analysis.sizing import Sizing, sizing_of
from mlsd_helpers.design import Cache, Design, Pattern, Precompute, ServingPath, Stream
from mlsd_helpers.errors import RangeError
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.units import show_seconds

JUSTIFIED_RPS = 1_000.0
"""Above this, computing every answer while somebody waits should show its price; no limit of the pattern."""
WASTED = 0.5
"""The share of answers computed in vain that a reviewer asks about."""
_HITS_SIMILAR = 0.01  # Che's approximation is within 0.004, and nobody plans hits to the percent
_SHARES_SIMILAR = 0.005  # shares written in whole percents


def _pattern(design: Design) -> Pattern | None:
    return design.pattern


def _place(path: ServingPath, field: str) -> str:
    return f"pattern.paths.{path.id}.{field}"


def _cached(pattern: Pattern) -> Iterator[tuple[ServingPath, Cache]]:
    return ((path, path.cache) for path in pattern.paths if path.cache)


def _made_ahead(pattern: Pattern) -> Iterator[tuple[ServingPath, Precompute]]:
    return ((path, path.precompute) for path in pattern.paths if path.precompute)


def _streamed(pattern: Pattern) -> Iterator[tuple[ServingPath, Stream]]:
    return ((path, path.stream) for path in pattern.paths if path.stream)


def _oldest_answer_s(design: Design) -> float | None:
    stated = design.requirements and design.requirements.freshness
    return stated.predictions if stated else None


@rule(
    "PATTERN001",
    "info",
    title="Serving pattern missing",
    prevents="a pattern that was taken over from the last system",
)
def pattern_missing(design: Design) -> Iterator[Fault]:
    """Each path computes its answers ahead, on an event, or on request."""
    if design.pattern is None:
        yield Fault(
            "pattern", "The design has no pattern yet.", "Choose one for each path, and state the reason."
        )
    elif not design.pattern.paths:
        yield Fault(
            "pattern.paths", "The pattern has no path.", "List each path from a request to its answer."
        )


@rule(
    "PATTERN002",
    title="Pattern without a reason",
    prevents="a choice that nobody can explain or change later",
    needs=_pattern,
)
def pattern_without_reason(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A choice without a reason cannot be reviewed."""
    for path in pattern.paths:
        if path.reason is None:
            yield Fault(
                _place(path, "reason"),
                f"{path.id} is {path.pattern}, without a reason.",
                "State which of freshness, keys, latency and cost decided.",
            )


@rule(
    "PATTERN003",
    title="No alternative pattern considered",
    prevents="a first idea that is taken for the best one",
    wrong_when="Acceptable for a fallback path, or if a constraint leaves one choice; write the "
    "constraint as the reason.",
    needs=_pattern,
)
def no_alternative_considered(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A choice is reviewed by its alternatives, and by what would make one of them better."""
    considered = {no.path for no in pattern.rejected}
    for path in pattern.paths:
        if path.id not in considered and None not in considered:
            yield Fault(
                "pattern.rejected",
                f"The design rejects no alternative pattern for {path.id}.",
                "List at least one, with the reason against it and what would make it the better one.",
            )


@rule(
    "PATTERN004",
    title="Pattern both chosen and rejected",
    prevents="a document that contradicts its own system",
    wrong_when="Wrong if the rejection is about another path; name that path in it.",
    needs=_pattern,
)
def pattern_chosen_and_rejected(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """One path cannot take the pattern that was rejected for it."""
    takers: dict[str, list[str]] = defaultdict(list)
    for path in pattern.paths:
        takers[path.pattern].append(path.id)
    taken = {(path.id, path.pattern) for path in pattern.paths}
    for place, no in enumerate(pattern.rejected):
        clash = takers[no.pattern][:1] if no.path is None else [no.path] * ((no.path, no.pattern) in taken)
        for path_id in clash:
            yield Fault(
                f"pattern.rejected.{place}.pattern",
                f"{path_id} is {no.pattern}, and {no.pattern} is rejected for {path_id}.",
                "Remove the rejection, change the path, or name the one path that the rejection is for.",
            )


@rule(
    "PATTERN005",
    title="Path shares do not add up to 100%",
    prevents="requests that no path was built for",
    wrong_when="Wrong for stages that every request passes, such as retrieval and ranking: they are not "
    "alternatives.",
    needs=_pattern,
)
def shares_do_not_add_up(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """Every request takes exactly one path, so the shares add up to 100%."""
    shares = [path.share for path in pattern.paths]
    known = fsum(share for share in shares if share is not None)
    if known > 1 + _SHARES_SIMILAR or (shares and None not in shares and known < 1 - _SHARES_SIMILAR):
        verb = "are counted twice" if known > 1 else "have no path"
        yield Fault(
            _place(pattern.paths[0], "share"),
            f"The shares of the paths add up to {known:.1%}: {abs(1 - known):.1%} of the requests {verb}.",
            "Correct the shares, so that each request takes exactly one path.",
        )


_FIGURES = {"streaming": "stream", "pre-computed": "precompute"}
_WANTED = {
    "stream": "events and consumed, both per second; partitions, consumers and the largest backlog",
    "precompute": "period, time and window of the job, keys, and the answer on a miss",
}


@rule(
    "PATTERN006",
    title="Pattern without its figures",
    prevents="a stream or a job that was never compared with its load",
    needs=_pattern,
)
def pattern_without_figures(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A stream works or fails by its rates, and a job by its times."""
    for path in pattern.paths:
        field = _FIGURES.get(path.pattern)
        if field and getattr(path, field) is None:
            yield Fault(
                _place(path, field),
                f"{path.id} is {path.pattern} and has no figures under {field}.",
                f"State under {field}: {_WANTED[field]}.",
            )


@rule(
    "PATTERN007",
    "warning",
    title="High request-time load without a price",
    prevents="a fleet that costs more than it earns",
    incident="No limit: Booking.com reads features for 200,000 requests a second within 25 ms at p99.9",
    wrong_when="Acceptable if the capacity is paid for in any case.",
    needs=_pattern,
)
def request_time_without_price(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """Computing answers on request costs money per request, which decides at high rates."""
    plan, peak = design.capacity, peak_rps(design)
    if plan is None or peak is None or plan.cost_per_replica_hour is not None:
        return
    for path in pattern.paths:
        rps = peak * (1.0 if path.share is None else path.share)
        if path.pattern == "request-time" and rps > JUSTIFIED_RPS:
            yield Fault(
                _place(path, "pattern"),
                f"{path.id} computes {rps:,.0f} answers a second on request, and the plan states no price.",
                "State capacity.cost_per_replica_hour, and compare with a cache or with precomputed answers.",
            )


@rule(
    "PATTERN008",
    title="Precomputed answers for unbounded inputs",
    prevents="a table of answers to inputs that never come",
    wrong_when="Acceptable if only frequent inputs are computed ahead and every other one is computed on "
    "request.",
    needs=_pattern,
)
def unbounded_input_made_ahead(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """Only inputs that can be listed can be answered ahead."""
    for path in pattern.paths:
        if path.pattern == "pre-computed" and path.bounded_input is False:
            yield Fault(
                _place(path, "bounded_input"),
                f"{path.id} is pre-computed, and its inputs cannot be listed: those that were not have no answer.",
                "Compute on request, or precompute the part that can be listed, such as an embedding for each item.",
            )


@rule(
    "PATTERN009",
    title="Precomputed answers older than allowed",
    prevents="answers that are out of date when they are read",
    incident="Pinterest's pregenerated home feed before 2018 ranked on what was up to weeks old",
    wrong_when="Wrong if runs work on shards or on changes alone, so that each answer is renewed more often.",
    needs=_pattern,
)
def precomputed_answers_too_old(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """An answer made ahead is up to one period plus the job's time old."""
    limit_s = _oldest_answer_s(design)
    for path, job in _made_ahead(pattern):
        stage = formulas.Stage(period_s=job.period, delay_s=job.job_time or 0.0)
        worst_s = formulas.age_bounds([stage]).worst_s
        if limit_s is not None and _exceeds(worst_s, limit_s):
            yield Fault(
                _place(path, "precompute.period"),
                f"Answers of {path.id} get up to {show_seconds(worst_s)} old, period plus job time, and may be "
                f"{show_seconds(limit_s)}.",
                _shorter_period(job.job_time or 0.0, limit_s),
            )


def _shorter_period(job_s: float, limit_s: float) -> str:
    try:
        longest_s = formulas.largest_period_s([formulas.Stage(delay_s=job_s)], limit_s)
    except RangeError:
        return "The job alone takes longer than that: update answers by event, or compute them on request."
    return f"Run the job every {show_seconds(longest_s)} at most, or compute answers by event or on request."


def _exceeds(value: float, limit: float) -> bool:
    return value > limit and not isclose(value, limit, rel_tol=1e-12)


@rule(
    "PATTERN010",
    title="Job takes longer than its period or window",
    prevents="a job that falls further behind with each run",
    wrong_when="Wrong if runs may overlap, because each works on a shard or on changes alone.",
    needs=_pattern,
)
def job_exceeds_its_window(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A run has to end within its window, and before the next run starts."""
    for path, job in _made_ahead(pattern):
        if _never_done(job):
            yield Fault(
                _place(path, "precompute.job_time"),
                f"The job of {path.id} takes {show_seconds(job.job_time or 0.0)} and has "
                f"{show_seconds(_room_s(job))}, so it is never done in time.",
                "Run it on more machines, compute fewer keys, or run it less often.",
            )


def _room_s(job: Precompute) -> float:
    return min(job.period, job.window if job.window is not None else job.period)


def _never_done(job: Precompute) -> bool:
    return job.job_time is not None and _exceeds(job.job_time, _room_s(job))


@rule(
    "PATTERN011",
    title="No time to repeat a failed job",
    prevents="a failed run at night that leaves a day without answers",
    wrong_when="Wrong if the job resumes from a checkpoint or shard by shard, so that a failure repeats "
    "a part only.",
    needs=_pattern,
)
def no_time_for_second_run(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A job that fails has to run again within the same window."""
    for path, job in _made_ahead(pattern):
        room_s = _room_s(job)
        if job.job_time is not None and not _never_done(job) and _exceeds(2 * job.job_time, room_s):
            yield Fault(
                _place(path, "precompute.window"),
                f"The job of {path.id} takes {show_seconds(job.job_time)} of {show_seconds(room_s)}: a run that "
                "fails at its end cannot be repeated.",
                f"Shorten the job to {show_seconds(room_s / 2)}, widen its window, or keep the parts that are done.",
            )


@rule(
    "PATTERN012",
    title="No answer for new keys",
    prevents="an error page for every key that is new since the last run",
    incident="Uber Michelangelo: a daily job that kept failing let features expire until there were none (2024)",
    wrong_when="Wrong if the list of keys cannot change between runs.",
    needs=_pattern,
)
def miss_without_answer(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """New keys appear between two runs, and need an answer too."""
    for path, job in _made_ahead(pattern):
        if job.on_miss is None:
            yield Fault(
                _place(path, "precompute.on_miss"),
                f"{path.id} does not state the answer for a key that is new since the last run.",
                "State under on_miss, such as: compute it on request, a popular answer, or the rules.",
            )


@rule(
    "PATTERN013",
    "warning",
    title="Most precomputed answers are never read",
    prevents="a bill for answers that nobody reads",
    incident="Pinterest kept pregenerated feeds for users who never returned (Pinterest Engineering, 2018)",
    wrong_when="Wrong if the product needs all answers at once, such as a list that ranks everybody.",
    needs=_pattern,
)
def most_answers_unread(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """An answer that is not read before the next run was computed for nothing."""
    for path, job in _made_ahead(pattern):
        if path.keys and job.keys_read is not None and job.keys_read < path.keys:
            waste = formulas.precompute_waste(path.keys, job.keys_read)
            if waste > WASTED:
                yield Fault(
                    _place(path, "precompute.keys_read"),
                    f"{path.id} computes {path.keys:,} answers, of which {job.keys_read:,} are read before the next "
                    f"run: {waste:.0%} are computed for nothing.",
                    "Compute ahead for the keys that are read, and for the others on request.",
                )


@rule(
    "PATTERN014",
    title="Cache key lacks an input of the answer",
    prevents="one user's answer on another user's screen",
    wrong_when="Acceptable if the input follows from what the key holds, such as a country that follows "
    "from the user.",
    needs=_pattern,
)
def cache_key_incomplete(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """Every input that changes the answer has to be part of the cache key."""
    for path, cache in _cached(pattern):
        held = {_plain(part) for part in cache.key}
        missing = [one for one in cache.answer_depends_on if _plain(one) not in held and not _is_version(one)]
        if missing:
            yield Fault(
                _place(path, "cache.key"),
                f"Answers of {path.id} depend on {', '.join(missing)}, which the cache key lacks: requests that differ "
                "in it share an answer.",
                f"Add {', '.join(missing)} to the key.",
            )


def _plain(part: str) -> str:
    return part.casefold().strip()


def _is_version(part: str) -> bool:
    return "version" in _plain(part)


@rule(
    "PATTERN015",
    title="Cache key without the model version",
    prevents="a release or a rollback that has no effect until the cache expires",
    wrong_when="Acceptable if the time-to-live is shorter than a rollback may take, or if each release "
    "empties the cache.",
    needs=_pattern,
)
def cache_key_without_version(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """Without the model version in the key, the old model's answers outlive a release."""
    for path, cache in _cached(pattern):
        if not any(_is_version(part) for part in cache.key):
            yield Fault(
                _place(path, "cache.key"),
                f"The cache key of {path.id} is {', '.join(cache.key)}, without the model version.",
                "Add the model version to the cache key.",
            )


@rule(
    "PATTERN016",
    "warning",
    title="Inputs of a cached answer not listed",
    prevents="a key that is complete by chance",
    needs=_pattern,
)
def cache_inputs_not_listed(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A cache key can be checked only against the list of what the answer depends on."""
    for path, cache in _cached(pattern):
        if not cache.answer_depends_on:
            yield Fault(
                _place(path, "cache.answer_depends_on"),
                f"{path.id} does not state what its answers depend on, so its cache key cannot be checked.",
                "List every input of the model under answer_depends_on, features included.",
            )


@rule(
    "PATTERN017",
    title="Hit ratio above what the cache allows",
    prevents="a backend that gets several times the load for which it was sized",
    wrong_when="Wrong if the ratio was measured: in sessions keys repeat more than in independent "
    "requests, and other policies can do better than LRU.",
    needs=_pattern,
)
def hit_ratio_out_of_reach(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """Cache size, number of keys, their popularity and the time-to-live bound the hit ratio."""
    for path, cache in _cached(pattern):
        reachable, why = _reachable_hits(path, cache, _path_rps(design, path))
        if cache.hit_ratio is not None and cache.hit_ratio > reachable + _HITS_SIMILAR:
            yield Fault(
                _place(path, "cache.hit_ratio"),
                f"{path.id} plans with a hit ratio of {cache.hit_ratio:.0%}, and {why} gives {reachable:.1%}, if "
                "requests are independent.",
                f"Plan with {floor(100 * reachable + 1e-9)}%, or raise the limit.",
            )


def _path_rps(design: Design, path: ServingPath) -> float | None:
    peak = peak_rps(design)
    return None if peak is None else peak * (1.0 if path.share is None else path.share)


def _reachable_hits(path: ServingPath, cache: Cache, rps: float | None) -> tuple[float, str]:
    """Return the most hits that size and time-to-live allow, and which of them does."""
    limits = [(1.0, "a cache without limits")]
    keys, skew = path.keys, cache.zipf_exponent
    if keys and skew is not None and cache.size is not None:
        limits.append(
            (_hits_of_size(cache.size, keys, skew), f"its size of {cache.size:,} for {keys:,} keys")
        )
    if keys and skew is not None and cache.ttl is not None and rps is not None:
        limits.append((_hits_of_ttl(rps, cache.ttl, keys, skew), f"a life of {show_seconds(cache.ttl)}"))
    return min(limits)


@lru_cache(maxsize=256)
def _hits_of_size(size: int, keys: int, skew: float) -> float:
    try:
        return formulas.che_hit_ratio(size, keys, skew)
    except RangeError:  # more skew than the formula knows: next to everything hits
        return 1.0


@lru_cache(maxsize=256)
def _hits_of_ttl(rps: float, ttl_s: float, keys: int, skew: float) -> float:
    try:
        return formulas.ttl_hit_ratio_of_keys(rps, ttl_s, keys, skew)
    except RangeError:
        return 1.0


@rule(
    "PATTERN018",
    "warning",
    title="Hit ratio without its inputs",
    prevents="a fleet that is sized for a guess",
    wrong_when="Acceptable if the ratio was measured with this cache and this traffic.",
    needs=_pattern,
)
def hit_ratio_without_inputs(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A hit ratio follows from a cache size, a number of keys and how skewed their use is."""
    for path, cache in _cached(pattern):
        grounds = {"size": cache.size, "keys": path.keys, "zipf_exponent": cache.zipf_exponent}
        missing = [name for name, figure in grounds.items() if figure is None]
        if hit_ratio(path) and missing:
            yield Fault(
                _place(path, "cache.hit_ratio"),
                f"{path.id} plans with a hit ratio of {hit_ratio(path):.0%} and does not state {', '.join(missing)}.",
                "Measure how often each key is requested, and state what is missing.",
            )


@rule(
    "PATTERN019",
    title="Cached answers older than allowed",
    prevents="an old answer that is served because it is cached",
    wrong_when="Wrong if a change removes the cached answer at once.",
    needs=_pattern,
)
def cached_answers_too_old(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """A cached answer must not live longer than an answer may be old."""
    limit_s = _freshest_s(design)
    for path, cache in _cached(pattern):
        if limit_s is None or (cache.ttl is not None and not _exceeds(cache.ttl, limit_s)):
            continue
        life = "without limit" if cache.ttl is None else f"for {show_seconds(cache.ttl)}"
        yield Fault(
            _place(path, "cache.ttl"),
            f"The cache of {path.id} keeps answers {life}, and an answer may be {show_seconds(limit_s)} old.",
            f"Set a time-to-live of {show_seconds(limit_s)} at most.",
        )


@rule(
    "PATTERN020",
    title="Empty cache not planned for",
    prevents="an outage that follows from the loss of a cache",
    wrong_when="Acceptable if the cache is replicated and keeps its content through restarts.",
    needs=_pattern,
)
def cold_cache_unplanned(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """A cache starts empty, and then every request reaches the model."""
    sizing, cold = sizing_of(design), cold_rps(design)
    headroom = sizing.plan.headroom if sizing else None
    sized_cold = sizing is not None and cold is not None and _carries(sizing, cold)
    paid_for = headroom is not None and "cold cache" in headroom.pays_for
    if sized_cold or paid_for:
        return
    for path, cache in _cached(pattern):
        if hit_ratio(path) and cache.when_cold is None:
            yield Fault(
                _place(path, "cache.when_cold"),
                f"An empty cache sends {_times_colder(path)} the usual load of {path.id} to the model "
                f"(hit ratio {hit_ratio(path):.0%}), and neither the plan nor when_cold covers it.",
                "Size for the empty cache, warm it before it takes traffic, or state in when_cold what is shed.",
            )


def _carries(sizing: Sizing, rps: float) -> bool:
    """Say whether the fleet was sized for so many requests a second, or happens to carry them."""
    if sizing.plan.load is None or sizing.plan.load >= rps:
        return True
    need = sizing.need(rps)
    return need is not None and sizing.plan.replicas is not None and sizing.plan.replicas >= need


def _times_colder(path: ServingPath) -> str:
    try:
        return f"{formulas.cold_cache_factor(hit_ratio(path)):.3g} times"
    except RangeError:
        return "many times"


@rule(
    "PATTERN021",
    title="Consumers slower than arrivals",
    prevents="features and answers that get older with every hour",
    wrong_when="Acceptable if the rate of events is a short peak and its backlog is worked off in time.",
    needs=_pattern,
)
def consumers_too_slow(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """Consumers have to be faster than arrivals, or they never catch up."""
    for path, stream in _streamed(pattern):
        if stream.consumed <= stream.events:
            yield Fault(
                _place(path, "stream.consumed"),
                f"{stream.events:,.6g} events a second arrive at {path.id}, and its consumers take "
                f"{stream.consumed:,.6g}: they cannot catch up after an outage.",
                "Add partitions and consumers until consumption clearly exceeds arrivals.",
            )


@rule(
    "PATTERN022",
    "warning",
    title="Consumers without a partition",
    prevents="consumers that are paid for and idle",
    wrong_when="Wrong if consumers share partitions, as in Kafka's share groups, or if spare consumers "
    "are kept on purpose.",
    needs=_pattern,
)
def consumers_without_partition(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """In a classic consumer group each partition is read by one consumer."""
    for path, stream in _streamed(pattern):
        if stream.consumers is None or stream.partitions is None:
            continue
        busy = formulas.busy_consumers(stream.consumers, stream.partitions)
        if busy < stream.consumers:
            yield Fault(
                _place(path, "stream.consumers"),
                f"{path.id} has {stream.consumers} consumers for {stream.partitions} partitions: "
                f"{stream.consumers - busy} have nothing to read.",
                f"Use {stream.consumers} partitions, or run {busy} consumers.",
            )


@rule(
    "PATTERN023",
    title="Backlog older than allowed",
    prevents="a stream that is as late as the batch job that it replaced",
    wrong_when="Acceptable if events that are too old are skipped.",
    needs=_pattern,
)
def backlog_too_old(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """A new event waits until the backlog in front of it is read."""
    limit_s = _freshest_s(design)
    for path, stream in _streamed(pattern):
        if limit_s is None or not stream.largest_backlog or not stream.consumed:
            continue
        lag_s = formulas.consumer_lag_s(stream.largest_backlog, stream.consumed)
        if _exceeds(lag_s, limit_s):
            yield Fault(
                _place(path, "stream.largest_backlog"),
                f"A backlog of {stream.largest_backlog:,} events takes {path.id} {show_seconds(lag_s)} to read at "
                f"{stream.consumed:,.6g} a second; answers may be {show_seconds(limit_s)} old{_worked_off(stream)}.",
                _faster(stream.largest_backlog, limit_s),
            )


def _freshest_s(design: Design) -> float | None:
    stated = design.requirements and design.requirements.freshness
    if not stated:
        return None
    return stated.predictions if stated.predictions is not None else stated.features


def _faster(backlog: int, limit_s: float) -> str:
    needed = (
        f"{backlog / limit_s:,.0f} events a second or more" if limit_s else "events as fast as they arrive"
    )
    return f"Consume {needed}, or skip events that are too old."


def _worked_off(stream: Stream) -> str:
    try:
        drain_s = formulas.drain_time_s(stream.largest_backlog or 0, stream.events, stream.consumed)
    except RangeError:
        return ""
    return f". Working it off takes {show_seconds(drain_s)} while new events arrive"
