"""Exercise 7: repair the pattern part of a design until the review has nothing to say."""

import copy
import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.design import Cache, Design, Pattern, Precompute, ServingPath, Stream
from mlsd_helpers.errors import MlsdError
from mlsd_helpers.exercises import reviewed
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum
from mlsd_helpers.review import Finding

Part = dict[str, Any]
_FIXED = ("id", "pattern", "share", "bounded_input", "keys")
_FACTS: dict[type, tuple[str, ...]] = {
    Precompute: ("job_time", "keys_read"),
    Cache: ("answer_depends_on", "zipf_exponent", "hit_time"),
    Stream: ("events", "partitions"),
}


def findings(requirements: Any, pattern: Any) -> set[str]:
    """Return the codes of what the review finds in a pattern, errors and warnings."""
    return {one.code for one in _found(requirements, pattern)}


def _found(requirements: Any, pattern: Any) -> list[Finding]:
    design = Design(name="exercise", requirements=requirements, pattern=pattern)
    return [one for one in reviewed.found_in(design, "PATTERN") if one.severity != "info"]


# ---- what is to be repaired -----------------------------------------------------------------------


def _broken(limit_s: int, job_s: int, keys: int, skew: float, missing: str, streamed: bool) -> Case:
    """Return a feed made ahead and a search behind a cache, both with faults."""
    parts = ["user", "query", "locale", "model version"]
    feed: Part = {
        "id": "feed",
        "pattern": "pre-computed",
        "share": 0.6,
        "reason": "A store answers at once, however long the models take.",
        "bounded_input": True,
        "keys": 1_000_000,
        "precompute": {"period": limit_s, "job_time": job_s, "window": job_s + 600},
    }
    search: Part = {
        "id": "search",
        "pattern": "request-time",
        "share": 0.4,
        "bounded_input": False,
        "keys": keys,
        "cache": {
            "key": [part for part in parts if part != missing],
            "answer_depends_on": parts,
            "ttl": 4 * limit_s,
            "size": keys // 10,
            "hit_ratio": 0.95,
            "zipf_exponent": skew,
            "when_cold": "Queries wait in line, and the oldest are shed.",
        },
    }
    stream = {"events": 900, "consumed": 1_200, "partitions": 12, "consumers": 20}
    return {
        "pattern": {"paths": [{**feed, "stream": stream} if streamed else feed, search], "rejected": []},
        "requirements": {
            "latency": {"budget": 0.2, "percentile": "p99"},
            "throughput": {"peak": 500, "mean": 200},
            "freshness": {"features": limit_s, "model": 864_000, "predictions": limit_s},
        },
    }


def _draw_case(rng: random.Random) -> Case:
    """Draw the same kinds of fault with other numbers."""
    limit_s = rng.choice([21_600, 28_800, 43_200])
    keys = rng.choice([50_000, 100_000, 200_000])
    missing = rng.choice(["user", "locale", "model version"])
    return _broken(
        limit_s,
        rng.choice([3_600, 5_400, 7_200]),
        keys,
        rng.choice([0.8, 0.9, 1.0]),
        missing,
        rng.random() < 0.5,
    )


# ---- right answers --------------------------------------------------------------------------------

_ON_MISS = "The newest of what the user follows"
_REJECTED: list[Part] = [
    {
        "pattern": "request-time",
        "path": "feed",
        "reason": "The models take longer than a visitor waits.",
        "flips_when": "A model that answers in time is as good.",
    },
    {
        "pattern": "pre-computed",
        "path": "search",
        "reason": "What people type cannot be listed ahead.",
        "flips_when": "A few thousand queries were nearly all of the traffic.",
    },
]


def _possible(cache: Part, keys: int, peak_rps: float) -> float:
    """Return the hit ratio that size and TTL allow, rounded down to a whole per cent."""
    by_size = formulas.che_hit_ratio(cache["size"], keys, cache["zipf_exponent"])
    by_ttl = formulas.ttl_hit_ratio_of_keys(peak_rps, cache["ttl"], keys, cache["zipf_exponent"])
    return math.floor(100 * min(by_size, by_ttl)) / 100


def _mend_feed(feed: Part, limit_s: float) -> None:
    ahead = feed["precompute"]
    ahead["period"] = limit_s - ahead["job_time"]
    ahead.update(window=2 * ahead["job_time"], on_miss=_ON_MISS)
    if "stream" in feed:
        feed["stream"]["consumers"] = feed["stream"]["partitions"]


def _mend_search(search: Part, limit_s: float) -> None:
    cache = search["cache"]
    search["reason"] = "What people type cannot be listed ahead."
    cache.update(key=cache["answer_depends_on"], ttl=limit_s)
    cache["hit_ratio"] = _possible(cache, search["keys"], 200)


def _repaired(
    case: Case, feed: Callable[[Part], object] = len, search: Callable[[Part], object] = len, **also: Any
) -> Part:
    """Mend all of it, then change the feed and the search once more."""
    mended: Part = copy.deepcopy(dict(case["pattern"]))
    limit_s = case["requirements"]["freshness"]["predictions"]
    first, second = mended["paths"]
    _mend_feed(first, limit_s)
    _mend_search(second, limit_s)
    feed(first)
    search(second)
    return {**mended, "rejected": _REJECTED, **also}


def repaired(**case: Any) -> Part:
    """Leave the period what the job leaves of the limit, and plan with what the cache can give."""
    return _repaired(case)


def repaired_with_more_room(**case: Any) -> Pattern:
    """Give the cache room for every key, so that only its TTL makes it miss, and hand back the typed value."""

    def roomy(search: Part) -> None:
        search["cache"]["size"] = search["keys"]
        search["cache"]["hit_ratio"] = _possible(search["cache"], search["keys"], 200)

    return Pattern(**_repaired(case, search=roomy))


def repaired_more_often(**case: Any) -> Part:
    """Run the job twice as often as needed, keep answers for half the time, and name no hit ratio at all."""

    def often(feed: Part) -> None:
        ahead = feed["precompute"]
        ahead.update(period=max(2 * ahead["job_time"], ahead["period"] / 2))

    def modest(search: Part) -> None:
        search["cache"]["ttl"] /= 2
        search["cache"]["hit_ratio"] = None

    return _repaired(case, often, modest)


# ---- known mistakes -------------------------------------------------------------------------------


def period_is_the_limit(**case: Any) -> Part:
    """You left the period at the allowed age. While the next run works, the old answer is read on: period
    *and* job have to fit within the limit.
    """
    limit_s = case["requirements"]["freshness"]["predictions"]
    return _repaired(case, lambda feed: feed["precompute"].update(period=limit_s))  # C22


def shortened_the_job(**case: Any) -> Part:
    """You made the job shorter by writing a smaller number. It was measured, and takes tomorrow what it
    took yesterday. Which numbers of this design are settings, and which are facts?
    """
    return _repaired(case, lambda feed: feed["precompute"].update(job_time=60, window=600))


def window_fits_once(**case: Any) -> Part:
    """Your window holds the job once. The run that fails has used its time when you notice: without room
    for a second one, tomorrow's readers get yesterday's answers.
    """

    def once(feed: Part) -> None:
        feed["precompute"]["window"] = 1.2 * feed["precompute"]["job_time"]

    return _repaired(case, once)  # C44


def forgot_who_comes_after(**case: Any) -> Part:
    """Whoever came after the last run is in no table, and your design has nothing to say to them. What do they see?"""
    return _repaired(case, lambda feed: feed["precompute"].pop("on_miss"))


def left_the_key_short(**case: Any) -> Part:
    """Your cache key still lacks an input that changes the answer: somebody gets what was made for somebody
    else. Compare the key with what the answer depends on.
    """
    old = case["pattern"]["paths"][1]["cache"]["key"]
    return _repaired(case, search=lambda search: search["cache"].update(key=old))  # C37


def shortened_what_it_depends_on(**case: Any) -> Part:
    """You struck out of `answer_depends_on` what the key does not hold. The answer depends on it all the
    same; only the document no longer says so.
    """
    old = case["pattern"]["paths"][1]["cache"]["key"]
    return _repaired(case, search=lambda search: search["cache"].update(key=old, answer_depends_on=old))


def cached_for_too_long(**case: Any) -> Part:
    """You keep cached answers for longer than an answer may be old. A cache is one more stage on the way,
    and its TTL is part of the age.
    """
    old = case["pattern"]["paths"][1]["cache"]["ttl"]
    return _repaired(case, search=lambda search: search["cache"].update(ttl=old))


def wished_for_hits(**case: Any) -> Part:
    """You plan with a hit ratio that this cache cannot give. It follows from the room, the number of keys,
    their skew and the TTL, and a wish changes none of them. What does the calculator say?
    """
    return _repaired(case, search=lambda search: search["cache"].update(hit_ratio=0.95))  # C40


def nothing_rejected(**case: Any) -> Part:
    """You name no alternative. Whoever reads this design in a year will ask why it is not otherwise, and
    what would have to change: that is what `rejected` and its `flips_when` are for.
    """
    return _repaired(case, rejected=[])


# ---- the judgement --------------------------------------------------------------------------------


def _typed(pattern: Any) -> Pattern:
    return pattern if isinstance(pattern, Pattern) else Pattern(**pattern)


def _kept(case: Case, value: Any, _: Given) -> bool:
    """Hold what is asked for and what is a fact; a pattern that is handed back as it was has repaired nothing."""
    return not _not_kept(case, value)


def _not_kept(case: Case, value: Any) -> list[str]:
    """Say which facts have changed, or why the pattern cannot be judged."""
    try:
        before, after = _typed(case["pattern"]), _typed(value)
    except (MlsdError, TypeError) as error:
        return [f"The design cannot be read. {error}"]
    if [path.id for path in before.paths] != [path.id for path in after.paths]:
        return ["The paths have to be those that were given, in their order."]
    facts = (
        (one.id, _facts(one), _facts(other)) for one, other in zip(before.paths, after.paths, strict=True)
    )
    changed = [
        f"{path}: `{name}` has changed, and is a fact and no setting of yours."
        for path, was, now in facts
        for name in was
        if was[name] != now[name]
    ]
    return changed or (["Nothing has changed."] if before == after else [])


def _facts(path: ServingPath) -> dict[str, Any]:
    facts = {name: getattr(path, name) for name in _FIXED}
    for kind, names in _FACTS.items():
        inside = next((one for one in (path.precompute, path.cache, path.stream) if type(one) is kind), None)
        facts |= {name: getattr(inside, name, None) for name in names}
    return facts


def _new(case: Case, value: Any) -> list[str]:
    """Say what the review finds now and did not find before."""
    before = findings(case["requirements"], _typed(case["pattern"]))
    found = _found(case["requirements"], _typed(value))
    return [f"New in the review, of {one.where}: {one.message}" for one in found if one.code not in before]


FEWEST_WORDS = 5


def _unsaid(pattern: Pattern) -> str:
    """Say what lacks a reason: no alternative is named, or a reason, or a flip, is too short to say anything."""
    if not pattern.rejected:
        return "It names no rejected alternative."
    said = [path.reason for path in pattern.paths]
    said += [text for one in pattern.rejected for text in (one.reason, one.flips_when)]
    curt = next((text for text in said if text and len(text.split()) < FEWEST_WORDS), None)
    return (
        f"{curt!r} is too short for a reason: write a sentence of at least {FEWEST_WORDS} words."
        if curt
        else ""
    )


def _free_of(name: str, points: float, *numbers: int) -> Step:
    """Make a step that holds when none of these rules finds anything, and says what the first of them still finds."""
    codes = {f"PATTERN{number:03}" for number in numbers}

    def left(case: Case, value: Any) -> list[Finding]:
        return [one for one in _found(case["requirements"], _typed(value)) if one.code in codes]

    def right(case: Case, value: Any, _: Given) -> bool:
        pattern = _typed(value)
        return (
            bool(pattern.paths) and not left(case, value) and not (name == "justified" and _unsaid(pattern))
        )

    def explain(case: Case, value: Any) -> str:
        still = left(case, value)
        if not still and name == "justified" and (unsaid := _unsaid(_typed(value))):
            return unsaid
        return (
            f"The review still says of {still[0].where}: {still[0].message}"
            if still
            else "It has no paths left."
        )

    def shows(case: Case, value: Any) -> list[str]:
        unsaid = name == "justified" and _unsaid(_typed(value))
        return [f"{one.code} {one.where}" for one in left(case, value)] + ([unsaid] if unsaid else [])

    return Step(name, points, right, part="", explain=explain, shows=shows)


def _explain_kept(case: Case, value: Any) -> str:
    return _not_kept(case, value)[0]


def _explain_new(case: Case, value: Any) -> str:
    return _new(case, value)[0]


def _lacks(part: str, case: Case) -> bool:
    return part not in case["pattern"]["paths"][1]["cache"]["key"]


EXERCISE = Exercise(
    id="04-design",
    assignment="04_patterns",
    title="Repair the pattern of a design",
    kind="repair a design",
    outcome="Bring the serving paths of a design within their freshness, and make their caches safe and honest.",
    minutes=25,
    steps=(
        Step("kept", 0, _kept, part="", explain=_explain_kept, shows=_not_kept, gate=True),
        _free_of("fresh", 1, 6, 9, 10, 19),
        _free_of("recoverable", 1, 11, 12, 20, 21, 22, 23),
        _free_of("cached", 1.5, 14, 15, 16, 17),
        _free_of("justified", 1, 2, 3, 4, 5, 8, 13),
        Step(
            "nothing_new",
            0.5,
            lambda c, value, _: not _new(c, value),
            part="",
            explain=_explain_new,
            shows=_new,
        ),
    ),
    cases=(
        _broken(21_600, 3_600, 100_000, 1.0, "user", streamed=True),
        _broken(43_200, 7_200, 50_000, 0.8, "model version", streamed=False),
    ),
    reference=repaired,
    alternatives=(repaired_with_more_room, repaired_more_often),
    mistakes=(
        period_is_the_limit,
        shortened_the_job,
        window_fits_once,
        forgot_who_comes_after,
        left_the_key_short,
        shortened_what_it_depends_on,
        cached_for_too_long,
        wished_for_hits,
        nothing_rejected,
    ),
    hints=(
        "Look at what `mlsd.review` says of the design: each finding names a field, what is wrong, and what to do.",
        (
            "Start with the feed. Its period and its job together may take what `predictions` allows, and its window "
            "holds the job twice. Then give the cache a key, a TTL, and a hit ratio that the calculators agree with."
        ),
        (
            "A neighbour: answers may be 2 h old and a job takes 30 min. A period of 90 min and a window of 60 min "
            "keep that, whichever run fails."
        ),
    ),
    draw=_draw_case,
    strata=(
        Stratum("events and partitions", lambda c: "stream" in c["pattern"]["paths"][0]),
        *(
            Stratum("of the cache its key, size, TTL", partial(_lacks, part))
            for part in ("user", "locale", "model version")
        ),
        Stratum("how skewed the keys are", lambda c: c["pattern"]["paths"][1]["cache"]["zipf_exponent"] < 1),
    ),
    general=(
        "A feed is made ahead",
        "A reviewer has something to say",
        "Write `repair`",
        "Errors and warnings have to go",
        "**Settings**",
        "Reasons and rejected alternatives",
        "**Facts**",
        "A repair that changes one",
    ),
)
