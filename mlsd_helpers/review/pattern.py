"""Rules on the pattern of a design: when answers are computed, and whether jobs, caches and streams keep up."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import floor, fsum, inf, isclose

from mlsd_helpers import formulas
from mlsd_helpers.analysis import ages
from mlsd_helpers.analysis.graph import components_by_id, own_flows, waiting_flows
from mlsd_helpers.analysis.jobs import (
    Job,
    Run,
    at_quota_s,
    calls_per_item,
    computed_s,
    fleet_of,
    items_of,
    run_of,
    waits_of_calls,
)
from mlsd_helpers.analysis.paths import (
    JOBS,
    Alternative,
    answers_requests,
    cold_rps,
    hit_ratio,
    peak_rps,
    stages_of,
)
from mlsd_helpers.analysis.request import has_fallback
from mlsd_helpers.analysis.sizing import PERCENTILES, Sizing, sizing_of, sizings
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Cache, Component, Design, Flow, Pattern, Precompute, ServingPath, Stream
from mlsd_helpers.errors import RangeError
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.sketch import KEPT_IN
from mlsd_helpers.review.words import money
from mlsd_helpers.units import show_seconds

JUSTIFIED_RPS = 1_000.0
"""Above this, computing every answer while somebody waits should show its price; no limit of the pattern."""
WASTED = 0.5
"""The share of answers computed in vain that a reviewer asks about."""
SPARE_FOR_CATCHING_UP = 0.25
"""Below this, as a share of arrivals, a stream takes over four times as long to catch up as it was down. Our choice."""
QUICKEST_ROLLBACK_S = 60.0
"""Assumed where the design states no rollback time: answers that live shorter do not outlive a rollback."""
_HITS_SIMILAR = 0.01  # Che's approximation is within 0.004, and nobody plans hits to the percent
_SAME = 1e-9  # sums of decimal figures
_SAME_UNIT = 0.5  # rates that differ by more than this share count different things
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
    whole=True,
)
def pattern_missing(design: Design) -> Iterator[Fault]:
    """Each path computes its answers ahead, on an event, or on request."""
    if design.requirements is None or design.planes is None:
        return  # they come first
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
    "info",
    title="Pattern without a reason",
    prevents="a choice that nobody can explain or change later",
    needs=_pattern,
)
def pattern_without_reason(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A choice without a reason cannot be reviewed."""
    if bare := [path for path in pattern.paths if not says_something(path.reason)]:
        yield Fault(
            _place(bare[0], "reason"),
            f"No reason is stated for {', '.join(f'{path.id} ({path.pattern})' for path in bare)}.",
            "State which of freshness, keys, latency and cost decided.",
        )


@rule(
    "PATTERN003",
    "info",
    title="No alternative pattern considered",
    prevents="a first idea that is taken for the best one",
    wrong_when="Acceptable for a fallback path, or if a constraint leaves one choice; write it as a decision, with "
    "what it was chosen over.",
    needs=_pattern,
)
def no_alternative_considered(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """A choice is reviewed by its alternatives, and by what would make one of them better."""
    considered = {no.path for no in pattern.rejected if says_something(no.reason)}
    if None in considered or any(one.over and says_something(one.because) for one in design.decisions):
        return
    if alone := [path.id for path in pattern.paths if path.id not in considered and path.share != 0]:
        yield Fault(
            "pattern.rejected",
            f"The design rejects no alternative pattern, with a reason, for {', '.join(alone)}.",
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
    wrong_when="Wrong for paths that one request takes together: number those one after another with 'stage', and name "
    "those at the same time under 'parallel_to'.",
    needs=_pattern,
)
def shares_do_not_add_up(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """Every request takes exactly one path of each stage, so the shares of a stage add up to 100%."""
    stages = stages_of(pattern)
    beside = stages.pop(None, ())
    if not stages:
        yield from _wrong_shares("", beside, (1.0,), all_of_them=True)
        return
    around = fsum(one.share or 0.0 for one in beside)
    for place, (number, alternatives) in enumerate(stages.items()):
        yield from _wrong_shares(
            f" of stage {number}", alternatives, (1.0, 1.0 - around), all_of_them=not place
        )


def _wrong_shares(
    of: str, alternatives: tuple[Alternative, ...], wanted: tuple[float, ...], *, all_of_them: bool
) -> Iterator[Fault]:
    """Compare a sum of shares with those that are right; a later stage may be skipped by some requests."""
    shares = [one.share for one in alternatives]
    known = fsum(share for share in shares if share is not None)
    complete = all_of_them and None not in shares
    if any(abs(known - sum_) <= _SHARES_SIMILAR for sum_ in wanted) or not shares:
        return
    if known > 1 or (complete and known < 1):
        verb = "are counted twice" if known > 1 else "have no path"
        yield Fault(
            _place(alternatives[0].paths[0], "share"),
            f"The shares of the paths{of} add up to {known:.1%}: {abs(1 - known):.1%} of the requests {verb}.",
            "Correct the shares, so that each request takes exactly one path of each stage.",
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
        if field == "precompute" and path.precompute is None and path.cache:
            yield Fault(
                _place(path, "pattern"),
                f"{path.id} is pre-computed and has a cache and no job: requests fill a cache, and nothing is computed "
                "ahead.",
                f"Write 'pattern: hybrid' for a cache, or state under precompute: {_WANTED[field]}.",
            )
        elif field and getattr(path, field) is None:
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
    peak = peak_rps(design)
    priced = {one.id for one in (design.planes.components if design.planes else ()) if one.price}
    if peak is None:
        return
    for path in pattern.paths:
        found = fleet_of(design, path)
        if found is None or found[1].cost_per_replica_hour is not None or found[1].component in priced:
            continue
        rps = peak * (1.0 if path.share is None else path.share)
        if path.pattern == "request-time" and rps > JUSTIFIED_RPS:
            yield Fault(
                _place(path, "pattern"),
                f"{path.id} computes {rps:,.0f} answers a second on request, and the plan states no price.",
                f"State {found[0]}.cost_per_replica_hour, and compare with a cache or with precomputed answers.",
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
        worst_s = _oldest_s(job)
        if (
            limit_s is not None
            and _exceeds(worst_s, limit_s)
            and not ages.late_by_its_work(job.period, worst_s, limit_s)
        ):
            yield Fault(
                _place(path, "precompute.period"),
                f"Answers of {path.id} get up to {show_seconds(worst_s)} old, period plus job time, and may be "
                f"{show_seconds(limit_s)}.",
                _shorter_period(job.job_time or 0.0, limit_s),
            )


@rule(
    "PATTERN037",
    "info",
    title="Answers allowed to be one period old",
    prevents="a promise that is broken on each day by the time that the job takes",
    wrong_when="Wrong if each run starts early enough for its result to replace the last one in time.",
    needs=_pattern,
)
def limit_forgets_the_job(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """What is made once a day is a day old, and the time of the job more, when the next run ends."""
    limit_s = _oldest_answer_s(design)
    for path, job in _made_ahead(pattern):
        worst_s = _oldest_s(job)
        if limit_s is not None and ages.late_by_its_work(job.period, worst_s, limit_s):
            yield Fault(
                _place(path, "precompute.period"),
                f"Answers of {path.id} may be {show_seconds(limit_s)} old, which is their period; at the end of the "
                f"next run they are {show_seconds(worst_s)} old.",
                f"Allow {show_seconds(worst_s)}, or run the job more often.",
            )


def _oldest_s(job: Precompute) -> float:
    return formulas.age_bounds([formulas.Stage(period_s=job.period, delay_s=job.job_time or 0.0)]).worst_s


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
    "warning",
    title="No time to repeat a failed job",
    prevents="a failed run at night that leaves a day without answers",
    wrong_when="Wrong if the job resumes from a checkpoint or shard by shard, so that a failure repeats "
    "a part only: write 'resumable: true'; if the last result stays in use: name its run under 'schedule.fallback'; or "
    "if the next run comes soon enough: state how old predictions may be under 'freshness'.",
    needs=_pattern,
)
def no_time_for_second_run(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """A job that fails has to run again within the same window, unless the next run is early enough."""
    oldest_s = _oldest_answer_s(design)
    for path, job in _made_ahead(pattern):
        room_s = _room_s(job)
        if (
            job.job_time is not None
            and not job.resumable
            and not _never_done(job)
            and _exceeds(2 * job.job_time, room_s)
            and not _last_result_will_do(design)
            and (oldest_s is None or _exceeds(2 * job.period + job.job_time, oldest_s))
        ):
            yield Fault(
                _place(path, "precompute.window"),
                f"The job of {path.id} takes {show_seconds(job.job_time)} of {show_seconds(room_s)}: a run that "
                "fails at its end cannot be repeated.",
                f"Shorten the job to {show_seconds(room_s / 2)}, widen its window, or keep the parts that are done "
                "('resumable: true').",
            )


def _last_result_will_do(design: Design) -> bool:
    """Tell whether the last result of a run, or of another, is used while this one is late."""
    schedule = design.requirements.schedule if design.requirements else None
    return bool(schedule and schedule.fallback)


@rule(
    "PATTERN012",
    title="No answer for new keys",
    prevents="an error page for every key that is new since the last run",
    incident="Uber Michelangelo: a daily job that kept failing let features expire until there were none (2024)",
    wrong_when="Wrong if the list of keys cannot change between runs.",
    needs=_pattern,
)
def miss_without_answer(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """New keys appear between two runs, and need an answer too."""
    if not answers_requests(design):
        return  # nobody asks by key: the next run has the new ones
    for path, job in _made_ahead(pattern):
        if not says_something(job.on_miss) and _looked_up(design, path):
            yield Fault(
                _place(path, "precompute.on_miss"),
                f"{path.id} does not state the answer for a key that is new since the last run.",
                "State under on_miss, such as: compute it on request, a popular answer, or the rules.",
            )


_LOOKED_UP = ("prediction store", "cache", "feature store", "vector index")


def _looked_up(design: Design, path: ServingPath) -> bool:
    """Tell whether requests may ask for one of a run's answers by its key; not where lists and alerts go out alone."""
    planes = design.planes
    if planes is None or path.component is None:
        return True
    sent = {flow.end for flow in planes.flows if flow.start == path.component and flow.carries != "metrics"}
    if not sent:
        return True
    asked = {name for _, flow in waiting_flows(planes) for name in (flow.start, flow.end)}
    kinds = {one.id: one.kind for one in planes.components}
    return path.component in asked or any(kinds[name] in _LOOKED_UP or name in asked for name in sent)


@rule(
    "PATTERN013",
    "warning",
    title="Most precomputed answers are never read",
    prevents="a bill for answers that nobody reads",
    incident="Pinterest kept pregenerated feeds for users who never returned (Pinterest Engineering, 2018)",
    wrong_when="Wrong if the product needs all answers at once, such as a list that ranks everybody; leave out "
    "keys_read then.",
    needs=_pattern,
)
def most_answers_unread(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """An answer that is not read before the next run was computed for nothing."""
    if not answers_requests(design):
        return  # a list ranks all, so that all are read
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
        version = _version_in_key(cache)
        missing = [
            one
            for one in cache.answer_depends_on
            if _plain(one) not in held and not (_names_a_release(one) and version in {None, cache.version})
        ]
        if missing:
            yield Fault(
                _place(path, "cache.key"),
                f"Answers of {path.id} depend on {', '.join(missing)}, which the cache key lacks: requests that differ "
                "in it share an answer.",
                f"Add {', '.join(missing)} to the key.",
            )


def _plain(part: str) -> str:
    return part.casefold().strip()


_RELEASED = re.compile(
    r"\b(model|prompt|index|adapter|weights|checkpoint|release|deployment|artefact|artifact|bundle|tokeni[sz]er|config\w*)\b"
    r".*\b(version|revision|sha\d*|hash|digest|id|tag|number)\b|(model|release)?[ _-]?version",
    re.IGNORECASE,
)


def _names_a_release(part: str) -> bool:
    """Tell whether words name what changes with a release of the model, such as "model version".

    An app's version does not change with it.
    """
    return _RELEASED.fullmatch(_plain(part)) is not None


def _version_in_key(cache: Cache) -> str | None:
    """Return the part of the key that changes with each release: the one that `version` names, or looks like it."""
    if cache.version is not None:
        return cache.version if _plain(cache.version) in map(_plain, cache.key) else None
    return next((part for part in cache.key if _names_a_release(part)), None)


@rule(
    "PATTERN015",
    title="Cache key without the model version",
    prevents="a release or a rollback that has no effect until the cache expires",
    wrong_when="Acceptable if each release empties the cache; let a rollback take back 'predictions'.",
    needs=_pattern,
)
def cache_key_without_version(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """Without the model version in the key, the old model's answers outlive a release."""
    release = design.planes.release if design.planes else None
    if release and "predictions" in release.taken_back:
        return
    rollback_s = release.rollback_time if release else None
    allowed_s = QUICKEST_ROLLBACK_S if rollback_s is None else rollback_s
    for path, cache in _cached(pattern):
        if _version_in_key(cache) is not None or (cache.ttl is not None and cache.ttl <= allowed_s):
            continue
        released = ", ".join(filter(_names_a_release, cache.answer_depends_on))
        lacks = cache.version or released or "the model version"
        life = "without limit" if cache.ttl is None else f"for {show_seconds(cache.ttl)}"
        until = "" if rollback_s is None else f" and a rollback may take {show_seconds(rollback_s)}"
        yield Fault(
            _place(path, "cache.key"),
            f"The cache key of {path.id} is {', '.join(cache.key)}, without {lacks}: answers of a model that was taken "
            f"back live on {life}{until}.",
            f"Add {lacks} to the key, and name that part under cache.version; or keep answers shorter than a rollback "
            "takes.",
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
    "warning",
    title="Hit ratio above what the cache allows",
    prevents="a backend that gets several times the load for which it was sized",
    wrong_when="Wrong if the ratio was measured: in sessions keys repeat more than in independent requests, and other "
    "policies can do better than LRU; write 'hit_ratio_is: measured'.",
    needs=_pattern,
)
def hit_ratio_out_of_reach(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """Cache size, number of keys, their popularity and the time-to-live bound the hit ratio."""
    for path, cache in _estimated(pattern):
        reachable, why = _reachable_hits(path, cache, _path_rps(design, path))
        if cache.hit_ratio is not None and cache.hit_ratio > reachable + _HITS_SIMILAR:
            yield Fault(
                _place(path, "cache.hit_ratio"),
                f"{path.id} plans with a hit ratio of {cache.hit_ratio:.0%}, and {why} gives {reachable:.1%}, if "
                "requests are independent.",
                f"Plan with {floor(100 * reachable + 1e-9)}%, or raise the limit.",
            )


def _estimated(pattern: Pattern) -> Iterator[tuple[ServingPath, Cache]]:
    return ((path, cache) for path, cache in _cached(pattern) if cache.hit_ratio_is != "measured")


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
    "info",
    title="Hit ratio without its inputs",
    prevents="a fleet that is sized for a guess",
    wrong_when="Acceptable if the ratio was measured with this cache and this traffic; write 'hit_ratio_is: measured'.",
    needs=_pattern,
)
def hit_ratio_without_inputs(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """A hit ratio follows from a cache size, a number of keys and how skewed their use is."""
    for path, cache in _estimated(pattern):
        grounds = {"size": cache.size, "keys": path.keys, "zipf_exponent": cache.zipf_exponent}
        missing = [name for name, figure in grounds.items() if figure is None]
        if missing and _matters(path):
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
    """A cached answer gets as old as its features were when it was computed, and its time in the cache on top."""
    stated = design.requirements.freshness if design.requirements else None
    for path, cache in _cached(pattern) if stated else ():
        if _oldest_answer_s(design) is not None:
            limit_s, read_s, feature = _oldest_answer_s(design) or 0.0, 0.0, ""
        elif (tightest := _tightest_feature(design)) is not None:
            limit_s, read_s, feature = tightest
        else:
            continue
        if cache.ttl is not None and not _exceeds(read_s + cache.ttl, limit_s):
            continue
        life = "without limit" if cache.ttl is None else f"for {show_seconds(cache.ttl)}"
        if feature:
            found = f"{feature} is up to {show_seconds(read_s)} old when an answer is computed, and may be"
            fix = _shorter_life(limit_s - read_s)
        else:
            found, fix = "an answer may be", _shorter_life(limit_s)
        yield Fault(
            _place(path, "cache.ttl"),
            f"The cache of {path.id} keeps answers {life}; {found} {show_seconds(limit_s)}"
            f"{' when it is read' if feature else ' old'}.",
            fix,
        )


def _shorter_life(left_s: float) -> str:
    if left_s <= 0:
        return "Do not cache these answers, or state under freshness.predictions how old an answer may be."
    return (
        f"Set a time-to-live of {show_seconds(left_s)} at most, or state under freshness.predictions how old an answer "
        "may be."
    )


def _tightest_feature(design: Design) -> tuple[float, float, str] | None:
    """Return limit, worst age and name of the feature that leaves least time for a cache behind the model.

    Features that are too old anyway have a rule of their own.
    """
    general = (
        design.requirements.freshness.features
        if design.requirements and design.requirements.freshness
        else None
    )
    flow = design.dataflow
    worst_s = ages.worst_ages_s(ages.as_read(design))
    limits = [
        (general if one.sla is None else one.sla, worst_s[one.id], one.id)
        for one in (flow.features if flow else ())
        if one.path
    ]
    known = [
        (limit_s, age_s, name) for limit_s, age_s, name in limits if limit_s is not None and age_s <= limit_s
    ]
    if known:
        return min(known, key=lambda one: one[0] - one[1])
    return None if general is None or limits else (general, 0.0, "a feature")


@rule(
    "PATTERN020",
    "warning",
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
        if _matters(path) and cache.when_cold is None:
            yield Fault(
                _place(path, "cache.when_cold"),
                f"An empty cache sends {_times_colder(path)} the usual load of {path.id} to the model "
                f"(hit ratio {hit_ratio(path):.0%}), and neither the plan nor when_cold covers it.",
                "Size for the empty cache, warm it before it takes traffic, or state in when_cold what is shed.",
            )


_SMALL_HIT_RATIO = (
    0.2  # without such a cache the load is 1.25 times as high, which a spare zone carries; our threshold
)


def _matters(path: ServingPath) -> bool:
    """Tell whether so much of a path's load is answered by its cache that the plan rests on it."""
    return (hit_ratio(path) or 0.0) > _SMALL_HIT_RATIO


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
    wrong_when="Acceptable if the rate is a short peak whose backlog is worked off in time: state mean and peak_lasts "
    "of the throughput.",
    needs=_pattern,
)
def consumers_too_slow(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """Consumers have to be faster than arrivals, or they never catch up."""
    for path, stream in _streamed(pattern):
        if stream.consumed <= stream.events and _backlog_of_peak(design, stream) is None:
            yield Fault(
                _place(path, "stream.consumed"),
                f"{stream.events:,.6g} events a second arrive at {path.id}, and its consumers take "
                f"{stream.consumed:,.6g}: they cannot catch up after an outage.",
                "Add partitions and consumers until consumption clearly exceeds arrivals.",
            )


def _backlog_of_peak(design: Design, stream: Stream) -> float | None:
    """Return the backlog that a short peak leaves; None where events are no peak, or consumers never catch up.

    The mean of the events is taken to be to their peak as that of the requests.
    """
    load = design.requirements.throughput if design.requirements else None
    if load is None or load.mean is None or load.peak_lasts is None or stream.events < stream.consumed:
        return None
    if stream.events * load.mean / load.peak >= stream.consumed:
        return None
    return (stream.events - stream.consumed) * load.peak_lasts


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
                f"{path.id} has {stream.consumers} consumers for {stream.partitions} partitions: in a classic consumer "
                f"group {stream.consumers - busy} of them have nothing to read.",
                f"Use {stream.consumers} partitions, or run {busy} consumers.",
            )


@rule(
    "PATTERN035",
    title="Stream and its fleet do not fit",
    prevents="replicas that read nothing, while the others are busier than planned",
    wrong_when="Wrong if consumers share partitions, as in Kafka's share groups, or if another fleet of the component "
    "reads the stream; say so in the path's reason.",
    needs=_pattern,
)
def stream_unlike_its_fleet(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """The replicas of a component read its stream, and no more of them work than there are partitions."""
    for path, stream in _streamed(pattern):
        sized = [one for one in sizings(design).values() if one.plan.component == path.component is not None]
        replicas, seat_s = (sized[0].plan.replicas, sized[0].seat_s) if len(sized) == 1 else (None, None)
        load = sized[0].load_rps if len(sized) == 1 else None  # stated, or what requirements bring
        if not replicas or not seat_s or not stream.events:
            continue
        if load is not None and not isclose(load, stream.events, rel_tol=_SAME_UNIT):
            continue  # a request of the fleet is no event of the stream, such as a window of them
        readers = replicas if stream.consumers is None else min(stream.consumers, replicas)
        busy = readers if stream.partitions is None else min(readers, stream.partitions)
        used, planned = stream.events * seat_s / busy, sized[0].plan.target_utilisation or 1.0
        if used > planned * (1 + _SAME):
            yield Fault(
                _place(path, "stream.partitions" if busy < readers else "stream.consumers"),
                f"{busy} of the {replicas} replicas of {path.component} read the stream of {path.id}, and its "
                f"{stream.events:,.6g} events a second keep them {100 * used:,.0f}% busy; at most {100 * planned:.3g}% "
                "are planned.",
                "Have as many partitions as replicas, as many consumers, and enough of both.",
            )
        elif stream.consumed > (most := replicas / seat_s) * (1 + _SAME):
            yield Fault(
                _place(path, "stream.consumed"),
                f"{path.id} is to consume {stream.consumed:,.6g} events a second, and {replicas} replicas of "
                f"{path.component} finish {most:,.6g} at most.",
                "Take the rate from the fleet: replicas times concurrency, divided by the service time.",
            )


@rule(
    "PATTERN023",
    title="Backlog older than allowed",
    prevents="a stream that is as late as the batch job that it replaced",
    wrong_when="Acceptable if events that are too old are skipped.",
    needs=_pattern,
)
def backlog_too_old(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """What is read during an outage is as old as the outage, and a new event waits until the backlog is read."""
    limit_s = _freshest_s(design)
    for path, stream in _streamed(pattern):
        backlog = max(stream.largest_backlog or 0.0, _backlog_of_peak(design, stream) or 0.0)
        if limit_s is None or not backlog or not stream.consumed:
            continue
        outage_s = backlog / stream.events if stream.events and stream.events <= stream.consumed else 0.0
        lag_s = formulas.consumer_lag_s(backlog, stream.consumed)
        if not _exceeds(max(lag_s, outage_s), limit_s):
            continue
        clock = (
            f"are what arrives at {path.id} in {show_seconds(outage_s)}, and what is read then is as old"
            if outage_s > lag_s
            else f"take {path.id} {show_seconds(lag_s)} to read at {stream.consumed:,.6g} a second"
        )
        yield Fault(
            _place(path, "stream.largest_backlog"),
            f"A backlog of {backlog:,.6g} events: they {clock}. Answers may be {show_seconds(limit_s)} old"
            f"{_worked_off(stream)}.",
            "Let an outage end sooner, or switch to an answer that needs no stream while it lasts."
            if outage_s > lag_s
            else _faster(backlog, limit_s),
        )


def _freshest_s(design: Design) -> float | None:
    stated = design.requirements and design.requirements.freshness
    if not stated:
        return None
    return stated.predictions if stated.predictions is not None else stated.features


def _faster(backlog: float, limit_s: float) -> str:
    needed = (
        f"{backlog / limit_s:,.0f} events a second or more" if limit_s else "events as fast as they arrive"
    )
    return f"Consume {needed}, or skip events that are too old."


def _worked_off(stream: Stream) -> str:
    if not stream.largest_backlog:
        return ""
    try:
        drain_s = formulas.drain_time_s(stream.largest_backlog, stream.events, stream.consumed)
    except RangeError:
        return ""
    return f". Working it off takes {show_seconds(drain_s)} while new events arrive"


@rule(
    "PATTERN024",
    "warning",
    title="Stream that catches up slowly",
    prevents="hours of old answers after minutes of outage",
    wrong_when="Acceptable if consumers are added during a backlog; state under consumed what they take then.",
    needs=_pattern,
)
def stream_catches_up_slowly(_: Design, pattern: Pattern) -> Iterator[Fault]:
    """After an outage, only what consumers take beyond the arrivals works the backlog off."""
    for path, stream in _streamed(pattern):
        spare = stream.consumed - stream.events
        if stream.events and 0 < spare < SPARE_FOR_CATCHING_UP * stream.events:
            yield Fault(
                _place(path, "stream.consumed"),
                f"{path.id} consumes {stream.consumed:,.6g} events a second of {stream.events:,.6g} that arrive: to "
                f"catch up takes {stream.events / spare:.3g} times as long as the outage{_worked_off(stream)}.",
                f"Consume {(1 + SPARE_FOR_CATCHING_UP) * stream.events:,.6g} a second or more, or state what is "
                "skipped after an outage.",
            )


@rule(
    "PATTERN025",
    "warning",
    title="Latency of cache misses left out",
    prevents="a latency target that was tested with a warm cache and the same ten requests",
    wrong_when="Wrong if misses get another answer in time; give the call of the model a fallback and a timeout.",
    needs=_pattern,
)
def misses_left_out(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """With a hit ratio below the percentile of the budget, that percentile is a time of the misses."""
    latency = design.requirements.latency if design.requirements else None
    share = PERCENTILES.get(latency.percentile) if latency else None
    if latency is None or share is None or design.planes is None:
        return
    known = components_by_id(design.planes)
    in_split = {part.component for part in latency.split} - {None}
    only_hits = "cache" in {known[name].kind for name in in_split if name in known}
    for path, _ in _cached(pattern):
        hits = hit_ratio(path)
        found = fleet_of(design, path)
        model = known.get(path.component or (found[1].component if found else None) or "")
        if not 0 < hits < share or model is None or _bounded(design, model):
            continue
        slow = model.latency is not None and model.latency > latency.budget
        if slow or (only_hits and model.id not in in_split):
            tail = 1 - (1 - share) / (1 - hits)
            what = (
                f"takes {show_seconds(model.latency or 0.0)}"
                if slow
                else "is not among the parts of the latency split"
            )
            yield Fault(
                _place(path, "cache.hit_ratio") if slow else "requirements.latency.split",
                f"{1 - hits:.0%} of the requests of {path.id} miss the cache, so that the {latency.percentile} of all "
                f"is the {100 * tail:.4g}th percentile of the misses, and {model.id} {what}; the budget is "
                f"{show_seconds(latency.budget)}.",
                "Hold the budget against a miss: the look-up and the model one after the other.",
            )


def _bounded(design: Design, model: Component) -> bool:
    """Tell whether each call of a component ends in a fallback at a timeout."""
    flows = (
        [flow for _, flow in waiting_flows(design.planes) if flow.end == model.id] if design.planes else []
    )
    return bool(flows) and all(_ends(flow) for flow in flows)


def _ends(flow: Flow) -> bool:
    return flow.timeout is not None and has_fallback(flow)


# ---- stages: retrieval, ranking, re-ranking


@rule(
    "PATTERN026",
    title="Stages disagree about their items",
    prevents="a ranker that is sized for a hundredth of what it gets",
    wrong_when="Wrong if items join or leave between two stages, as by a filter; draw it as a stage of its own.",
    needs=_pattern,
)
def stages_disagree(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """Each stage scores what the stage before it handed on."""
    for path in pattern.paths:
        if path.items is not None and path.keeps is not None and path.keeps > path.items:
            yield Fault(
                _place(path, "keeps"),
                f"{path.id} scores {path.items:,} items and hands on {path.keeps:,}.",
                "Correct one of the two: no stage hands on more than it scores.",
            )
    stages = [(number, found) for number, found in stages_of(pattern).items() if number is not None]
    agree = True
    for (before, handing), (number, taking) in pairwise(stages):
        if (kept := _kept(handing)) is None:
            continue
        least, most = kept
        for path in (path for one in taking for path in one.paths):
            if path.items is not None and not least <= path.items <= most:
                kept_ = f"{least:,}" if least == most else f"{least:,} to {most:,}"
                more, agree = path.items > most, False
                yield Fault(
                    _place(path, "items"),
                    f"Stage {before} hands on {kept_} items, and {path.id} of stage {number} scores {path.items:,}"
                    f"{'' if more else ': the others are ranked by nothing'}.",
                    "Let 'keeps' of a stage and 'items' of the next one agree.",
                )
    if agree:
        yield from _other_scorings(design, pattern)


def _kept(stage: tuple[Alternative, ...]) -> tuple[int, int] | None:
    """Return how many items a stage hands on, at least and at most; None where a path does not say.

    Of paths at the same time, lists may overlap: together they hand on at least the longest, at most all.
    """
    rows = [[path.keeps for path in one.paths] for one in stage]
    numbers = [[keeps for keeps in row if keeps is not None] for row in rows]
    if any(len(row) != len(given) for row, given in zip(rows, numbers, strict=True)):
        return None
    return min(map(max, numbers)), max(map(sum, numbers))


def _other_scorings(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """Find a number of scorings that no path has, nor all together."""
    load = design.requirements.throughput if design.requirements else None
    items = {path.id: path.items for path in pattern.paths if path.items is not None}
    if load is None or load.scorings_per_request == 1 or not items:
        return
    if design.workload and load.scorings_per_request <= max(items.values()):
        return  # a path that several workloads take is sized for the one that scores most
    if not any(
        isclose(load.scorings_per_request, given, rel_tol=0.1)
        for given in (*items.values(), sum(items.values()))
    ):
        yield Fault(
            "requirements.throughput.scorings_per_request",
            f"A request has {load.scorings_per_request:,} scorings by the requirements, and no path scores as many: "
            f"{', '.join(f'{name} {given:,}' for name, given in items.items())}.",
            "State in the requirements how many items the model that is sized scores, and the same for its path.",
        )


@rule(
    "PATTERN027",
    "info",
    title="Slowest of several calls decides",
    prevents="a tail of the whole that no single source has",
    incident="Dean & Barroso, The Tail at Scale (Communications of the ACM, 2013): with 100 calls at once, each slow "
    "in 1%, 63% of the requests wait for a slow one.",
    wrong_when="Acceptable if each source was measured at a higher percentile, so that together they keep the "
    "budget's.",
    needs=_pattern,
)
def slowest_decides(design: Design, pattern: Pattern) -> Iterator[Fault]:
    """Of calls at the same time the slowest decides: each keeps its percentile, and together they keep less."""
    latency = design.requirements.latency if design.requirements else None
    share = PERCENTILES.get(latency.percentile) if latency else None
    if latency is None or share is None or design.planes is None:
        return
    calls = defaultdict[str, list[Flow]](list)
    for _, flow in waiting_flows(design.planes):
        calls[flow.end].append(flow)
    for one in (one for stage in stages_of(pattern).values() for one in stage):
        awaited = [
            path for path in one.paths if path.component and not all(map(_ends, calls[path.component]))
        ]
        if len(awaited) > 1:
            kept = share ** len(awaited)
            yield Fault(
                _place(awaited[0], "parallel_to"),
                f"A request waits for {', '.join(path.id for path in awaited)} at the same time: if each is in time in "
                f"{100 * share:.4g}% of the calls, {1 - kept:.2%} of the requests wait for a late one.",
                "Give each a timeout and go on with what has arrived by then (a fallback), or ask each for a higher "
                "percentile.",
            )


# ---- what runs by the clock


@rule(
    "PATTERN028",
    title="Jobs take longer than their deadline",
    prevents="a list that is late on every day on which nothing fails",
    wrong_when="Wrong if jobs of the chain run at the same time; name the branches under 'parallel'.",
    needs=run_of,
)
def jobs_exceed_deadline(_: Design, run: Run) -> Iterator[Fault]:
    """From its start to its result a run takes what its jobs take one after another."""
    if run.room_s is not None and _exceeds(run.time_s, run.room_s):
        limits = {run.schedule.deadline: "deadline", run.schedule.by_the_clock: "due"}
        limit = limits.get(run.room_s, "period")
        told = (
            f"from {run.schedule.starts} to {run.schedule.due} there are"
            if limit == "due"
            else f"the {limit} is"
        )
        yield Fault(
            f"requirements.schedule.{limit}",
            f"{_jobs(run)} take {show_seconds(run.time_s)} one after another, and {told} {show_seconds(run.room_s)}.",
            f"Make {max(run.jobs, key=lambda job: job.time_s).name} faster, run jobs at the same time, start earlier, "
            "or agree on a later deadline.",
        )


def _jobs(run: Run) -> str:
    shown = [f"{job.name} ({show_seconds(job.time_s)}{_by_fleet(job)})" for job in run.jobs]
    return ", ".join(shown if len(shown) <= 6 else [*shown[:5], f"{len(shown) - 5} more"])


def _by_fleet(job: Job) -> str:
    """Say that the fleet of a job takes longer for all items than is stated."""
    return "" if job.stated_s is None else f" by its fleet, stated as {show_seconds(job.stated_s)}"


_LITTLE_LATE = 0.1
"""Of the time that a run has: a repeat that is later is found though it is said what readers get; our estimate."""


@rule(
    "PATTERN029",
    "warning",
    title="No time to repeat a job before the deadline",
    prevents="a single failed job that costs the whole day",
    wrong_when="Acceptable if jobs keep the parts that are done ('resumable: true'), or if the last result will do for "
    "another day: name its run under 'schedule.fallback'.",
    needs=run_of,
)
def no_time_before_deadline(design: Design, run: Run) -> Iterator[Fault]:
    """A job that fails at its end has to run again before the deadline."""
    whole = [job for job in run.jobs if not job.resumable]
    longest = max(whole, key=lambda job: job.time_s, default=None)
    if run.room_s is None or longest is None or _exceeds(run.time_s, run.room_s):
        return
    if any(True for _ in no_time_for_second_run(design)):
        return  # said of the job itself
    decided = says_something(run.schedule.when_late)
    if _last_result_will_do(design):
        return
    if _exceeds(run.time_s + longest.time_s, run.room_s * (1 + _LITTLE_LATE if decided else 1)):
        yield Fault(
            longest.where,
            f"{_jobs(run)} take {show_seconds(run.time_s)} of {show_seconds(run.room_s)}: if {longest.name} fails at "
            f"its end, the result comes {show_seconds(run.time_s + longest.time_s - run.room_s)} late.",
            "Keep the parts that are done, start earlier, or agree on a later deadline.",
        )


@rule(
    "PATTERN036",
    "warning",
    title="Calls of a run that make it late",
    prevents="a bid that misses the exchange on the morning on which the weather service hangs",
    wrong_when="Acceptable if the run goes on without what it calls, and the job's time includes that wait.",
    needs=run_of,
)
def waits_of_a_run(design: Design, run: Run) -> Iterator[Fault]:
    """A job that calls others takes its own time and, when they do not answer, all their timeouts."""
    wait_s, slow = waits_of_calls(design, run)
    if run.room_s is None or not 0 < wait_s < inf or _exceeds(run.time_s, run.room_s):
        return  # a call without a timeout has a rule of its own
    if run.scoring_known and _exceeds(run.time_s + wait_s, run.room_s):
        by = f"by {run.schedule.due}" if run.schedule.by_the_clock == run.room_s else "in that time"
        yield Fault(
            f"requirements.schedule.{'due' if run.schedule.by_the_clock == run.room_s else 'deadline'}",
            f"{_jobs(run)} take {show_seconds(run.time_s)} of {show_seconds(run.room_s)}, and {slow} may wait "
            f"{show_seconds(wait_s)} for one call of each kind, retries included: the result is not there {by}.",
            "Give up earlier and go on with the last answer, start earlier, or agree on a later time.",
        )


@rule(
    "PATTERN030",
    "warning",
    title="Volume of a run not held against its time",
    prevents="a run that was timed on a sample",
    wrong_when="Acceptable if a run of the whole volume was measured; state its job_time.",
    needs=run_of,
)
def volume_unmatched(design: Design, run: Run) -> Iterator[Fault]:
    """How long a run takes follows from its items and from what its machines do a second."""
    items, room_s = run.schedule.items, run.room_s
    ahead = [
        path for path in (design.pattern.paths if design.pattern else ()) if path.pattern == "pre-computed"
    ]
    for path in ahead:
        needed_s, stated_s = computed_s(design, path), path.precompute.job_time if path.precompute else None
        found = items_of(design, path) or 0
        if room_s and _exceeds(run.time_s, room_s) and any(job.stated_s is not None for job in run.jobs):
            continue  # an error of its own: by the fleet the run is late
        if needed_s is not None and stated_s is not None and needed_s > stated_s * 1.1:
            yield Fault(
                _place(path, "precompute.job_time"),
                f"{found:,} items take the fleet of {path.id} {show_seconds(needed_s)}, by its service time and its "
                f"replicas, and the job is stated to take {show_seconds(stated_s)}.",
                "Measure a run of the whole volume, and correct the job's time, the service time or the replicas.",
            )
        elif items and path.keys and len(ahead) == 1 and not path.stage and path.keys < 0.9 * items:
            yield Fault(
                _place(path, "keys"),
                f"The schedule has {items:,} items in a run, and the job of {path.id} was planned for "
                f"{path.keys:,} keys.",
                "State in both what one run scores.",
            )
    if items and room_s and not run.scoring_known:
        yield Fault(
            _place(ahead[0], "precompute") if ahead else "pattern",
            f"{items:,} items within {show_seconds(room_s)} are {items / room_s:,.3g} a second, and no job states "
            "how long it takes.",
            "Measure a run, and state its job_time under precompute.",
        )


def _sketched(design: Design) -> Run | None:
    """Return the run where its jobs are drawn, with flows."""
    planes = design.planes
    drawn = planes is not None and planes.flows and any(one.kind in JOBS for one in planes.components)
    return run_of(design) if drawn else None


@rule(
    "PATTERN031",
    "warning",
    title="No alert on a late run",
    prevents="a list that is missed by its readers before its owners",
    wrong_when="Wrong if the scheduler itself calls somebody at the deadline; write that as an alert.",
    needs=_sketched,
)
def late_run_unwatched(design: Design, run: Run) -> Iterator[Fault]:
    """A run that does not end raises no error, so that only an alert on its absence tells."""
    alerts = design.planes.alerts if design.planes else ()
    if alerts and not any(alert.watches in {"infrastructure", "data"} for alert in alerts):
        when = (
            f" {show_seconds(run.schedule.allowed)} after the start of a run" if run.schedule.allowed else ""
        )
        yield Fault(
            "planes.alerts",
            f"The alerts watch predictions and quality: none tells that there is no result{when}.",
            "Add an alert on infrastructure that is raised when a run has not ended in time, early enough to act.",
        )


@rule(
    "PATTERN032",
    "warning",
    title="Job not known to be safe to repeat",
    prevents="rows that are counted twice after a rerun or a backfill",
    wrong_when="Acceptable if the store refuses a second write of the same run.",
    needs=_sketched,
)
def rerun_unsafe(design: Design, run: Run) -> Iterator[Fault]:
    """A job that fails is repeated, and past days are computed again, so each of its writes must replace the last."""
    del run
    known = components_by_id(design.planes) if design.planes else {}
    writes = [
        (position, flow)
        for position, flow in (own_flows(design.planes) if design.planes else ())
        if flow.carries in {"batch", "predictions"}
        and known[flow.start].kind in {"batch scorer", "batch pipeline"}
        and (
            known[flow.end].kind in _APPENDED_TO
            or (known[flow.end].kind in KEPT_IN and flow.idempotent is False)
        )
        and flow.idempotent is not True
    ]
    if writes:
        position, first = writes[0]
        names = ", ".join(f"{flow.start} → {flow.end}" for _, flow in writes)
        how = "is not" if first.idempotent is False else "is not known to be"
        yield Fault(
            f"planes.flows.{position}.idempotent",
            f"It {how} safe to write twice: {names}.",
            "Write whole partitions by day in place of the old ones, or rows by key, and state 'idempotent: true'.",
        )


_APPENDED_TO = ("offline store", "label store")
"""Rows are added to these; what is kept by its key, a second write replaces, unless the design says otherwise."""


@rule(
    "PATTERN033",
    "warning",
    title="Run on input that may be incomplete",
    prevents="a list that was computed from half of the day's data, on time and without an error",
    wrong_when="Acceptable if the run is started by the event that its input is complete; write that as the check.",
    needs=_sketched,
)
def input_may_be_incomplete(design: Design, run: Run) -> Iterator[Fault]:
    """Data come late sooner or later, and a job that starts by the clock does not notice."""
    del run
    known = components_by_id(design.planes) if design.planes else {}
    inputs = [
        (position, flow)
        for position, flow in (own_flows(design.planes) if design.planes else ())
        if flow.carries in {"batch", "events"}
        and known[flow.start].plane == "data"
        and (known[flow.end].kind in JOBS or known[flow.start].kind == "raw source")
        and known[flow.end].plane != "training"
    ]
    checked = any(says_something(flow.check) for _, flow in inputs)
    inputs = [
        (position, flow)
        for position, flow in inputs
        if flow.carries == "batch" and known[flow.end].kind in {"batch scorer", "batch pipeline", "ingestion"}
    ]
    if inputs and not checked:
        position, flow = inputs[0]
        more = f" and {len(inputs) - 1} more" if len(inputs) > 1 else ""
        yield Fault(
            f"planes.flows.{position}.check",
            f"{flow.start} → {flow.end}{more}: nothing checks that the day's data are there before a run reads them.",
            "State what a run waits for and until when, such as a closing marker or a row count, and what is done with "
            "what comes later.",
        )


@rule(
    "PATTERN034",
    title="Quota too small for a run",
    prevents="a run that waits for somebody else's limit until after its deadline",
    wrong_when="Wrong if one call serves many items, which is a flow that carries a 'batch', or if only some items "
    "need it: state the 'share' of the flow.",
    needs=run_of,
)
def quota_too_small_for_run(design: Design, run: Run) -> Iterator[Fault]:
    """A job that calls a service for each of its items is as slow as the quota of that service."""
    items, room_s = run.schedule.items, run.room_s
    known = components_by_id(design.planes) if design.planes else {}
    if not items or not room_s:
        return
    for name, each in calls_per_item(design, run).items():
        number = items * each
        time_s = at_quota_s(known[name], number)
        if _exceeds(time_s, room_s):
            price = known[name].price
            cost = (
                f", and cost {money(design, number * price.per_request)} a run"
                if price and price.per_request
                else ""
            )
            yield Fault(
                f"planes.components.{name}.quota",
                f"{number:,.0f} calls of {name} take {show_seconds(time_s)} within its quota, at {each:.3g} for each "
                f"item{cost}; a run has {show_seconds(room_s)}.",
                "Ask only for what is new or has changed and keep the answers, ask for many items in one call and draw "
                "that as 'batch', or buy a larger quota.",
            )
