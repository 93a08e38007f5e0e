"""Exercise 3: replay a trace through a cache with a size and a TTL."""

import math
import random
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals

Requests = Sequence[tuple[float, str]]


def _hits(
    requests: Requests, size: float, ttl_s: float, *, by_use: bool = True, renewed: bool = False
) -> list[bool]:
    """Replay a trace; the entries stand in the order in which they would be evicted."""
    kept: dict[str, float] = {}
    hits = []
    for now, key in requests:
        hit = key in kept and now - kept[key] < ttl_s
        fetched = kept[key] if hit and not renewed else now
        if by_use or not hit:
            kept.pop(key, None)
        kept[key] = fetched
        if len(kept) > size:
            kept.pop(next(iter(kept)))
        hits.append(hit)
    return hits


def _timed(case: Case, hits: list[bool], **instead: Any) -> Answer:
    ratio = instead.get("hit_ratio", sum(hits) / len(hits))
    mean_s = ratio * case["hit_s"] + (1 - ratio) * case["miss_s"]
    tail_s = formulas.cached_percentile_s(ratio, case["hit_s"], case["miss_s"], 0.99)
    return {"hits": hits, "hit_ratio": ratio, "mean_s": mean_s, "p99_s": tail_s, **instead}


def _replayed(case: Case, *, by_use: bool = True, renewed: bool = False, **other: float) -> Answer:
    cache = {"size": case["size"], "ttl_s": case["ttl_s"]} | other
    return _timed(case, _hits(case["requests"], **cache, by_use=by_use, renewed=renewed))


def replay(**case: Any) -> Answer:
    """Replay the trace, least recently used first to go."""
    return _replayed(case)


def replay_with_ordered_dict(
    requests: Requests, size: int, ttl_s: float, hit_s: float, miss_s: float
) -> Answer:
    """Do the same with an OrderedDict, and read the p99 off the sorted times."""
    cache: OrderedDict[str, float] = OrderedDict()
    hits = []
    for now, key in requests:
        fresh = now - cache.get(key, -math.inf) < ttl_s
        if not fresh:
            cache[key] = now
        cache.move_to_end(key)
        while len(cache) > size:
            cache.popitem(last=False)
        hits.append(fresh)
    times = sorted(hit_s if hit else miss_s for hit in hits)
    rank = math.ceil(0.99 * len(times) - 1e-9)
    return {
        "hits": hits,
        "hit_ratio": hits.count(True) / len(hits),
        "mean_s": sum(times) / len(times),
        "p99_s": times[rank - 1],
    }


def replay_by_last_use(requests: Requests, size: int, ttl_s: float, hit_s: float, miss_s: float) -> Answer:
    """Keep the time of fetch and the turn of last use of each key, and drop the one with the oldest turn."""
    fetched: dict[str, float] = {}
    used: dict[str, int] = {}
    hits = []
    for turn, (now, key) in enumerate(requests):
        hits.append(key in fetched and now < fetched[key] + ttl_s)
        fetched.update({} if hits[-1] else {key: now})
        used[key] = turn
        if len(used) > size:
            oldest = min(used, key=lambda name: used[name])
            del used[oldest], fetched[oldest]
    misses = len(hits) - sum(hits)
    return {
        "hits": tuple(hits),
        "hit_ratio": 1 - misses / len(hits),
        "mean_s": hit_s + (miss_s - hit_s) * misses / len(hits),
        "p99_s": miss_s if misses > 0.01 * len(hits) + 1e-9 else hit_s,
    }


def first_in_first_out(**case: Any) -> Answer:
    """You evict what was *fetched* first. An LRU cache evicts what was *used* longest ago: a hit moves its
    entry to the back of the queue. What does your cache lose when a popular key is also an old one?
    """
    return _replayed(case, by_use=False)


def hits_renew_the_ttl(**case: Any) -> Answer:
    """You renew an entry's time at every hit. A popular answer then never expires, and grows older without
    end; a TTL counts from the *fetch*, so that it bounds the age.
    """
    return _replayed(case, renewed=True)


def never_expires(**case: Any) -> Answer:
    """Nothing expires in your cache. What is asked for again before its TTL has run out is a hit, and
    afterwards a miss, however much room there is.
    """
    return _replayed(case, ttl_s=math.inf)


def room_for_everything(**case: Any) -> Answer:
    """Your cache has room for everything. When one entry too many comes in, another has to go: which one?"""
    return _replayed(case, size=math.inf)


def hit_ratio_is_the_size_share(**case: Any) -> Answer:
    """You took the share of the keys that fit for the share of the requests that hit. Some keys are asked
    for far more often than others, and those are just the ones that stay: count hits, not room.
    """
    return _timed(case, _replayed(case)["hits"], hit_ratio=_share_of_keys(case))  # C40


def _share_of_keys(case: Case) -> float:
    return float(min(1.0, case["size"] / len({key for _, key in case["requests"]})))


def mean_for_the_tail(**case: Any) -> Answer:
    """You gave the mean as the p99. No request takes the mean: it either hits or misses. What do the
    slowest in a hundred do?
    """
    answer = _replayed(case)
    return {**answer, "p99_s": answer["mean_s"]}  # C38


def one_place_too_low(**case: Any) -> Answer:
    """Your p99 stands one place too low in the sorted times. At least 99 of 100 requests have to be answered within it,
    so round the place *up*; of fewer than 100 requests it is the slowest.
    """
    answer = _replayed(case)
    return {**answer, "p99_s": _one_place_too_low(case, answer)}


def _one_place_too_low(case: Case, given: Given) -> float:
    times = sorted(case["hit_s"] if hit else case["miss_s"] for hit in given["hits"])
    return float(times[max(int(0.99 * len(times)) - 1, 0)])


def most_are_hits(**case: Any) -> Answer:
    """You took the time of a hit for the p99, since most requests hit. The p99 is about the slowest in a
    hundred: as long as more than that miss, who owns it?
    """
    return {**_replayed(case), "p99_s": case["hit_s"]}  # C38


def _draw_case(rng: random.Random) -> Case:
    """Draw a short trace with skewed keys, or a long one in which hardly anything misses."""
    return rng.choice([_draw_long, _draw_alone, *[_draw_short] * 6])(rng)


def _draw_long(rng: random.Random) -> Case:
    """Draw a trace in which one request of a hundred misses, or fewer."""
    many = [(turn, rng.choice("ab")) for turn in range(rng.choice([200, 250]))]
    return {"requests": many, "size": 2, "ttl_s": 1_000, "hit_s": 0.002, "miss_s": 0.05}


def _draw_alone(rng: random.Random) -> Case:
    """Draw one miss among fewer than a hundred requests."""
    many = [(turn, "a") for turn in range(rng.choice([40, 60, 80]))]
    return {"requests": many, "size": 2, "ttl_s": 1_000, "hit_s": 0.002, "miss_s": 0.05}


def _draw_short(rng: random.Random) -> Case:
    """Draw a short trace with skewed keys."""
    keys = "abcdefg"[: rng.choice([5, 6, 7])]
    popularity = [1 / rank for rank in range(1, len(keys) + 1)]
    now, requests = 0, []
    for _ in range(rng.randrange(20, 32)):
        now += rng.choice([1, 2, 3, 5])
        requests.append((now, rng.choices(keys, popularity)[0]))
    return {
        "requests": requests,
        "size": rng.choice([2, 3]),
        "ttl_s": rng.choice([8, 12, 20]),
        "hit_s": rng.choice([0.001, 0.002, 0.004]),
        "miss_s": rng.choice([0.03, 0.042, 0.09]),
    }


def _is_just_expired(case: Case) -> bool:
    """Tell whether a request comes exactly when its entry expires."""
    return bool(_replayed(case)["hits"] != _replayed(case, ttl_s=case["ttl_s"] + 1e-6)["hits"])


def _keeps_its_place(case: Case) -> bool:
    """Tell whether it matters that an expired entry still takes room."""
    kept: dict[str, float] = {}
    hits = []
    for now, key in case["requests"]:
        kept = {name: fetched for name, fetched in kept.items() if now - fetched < case["ttl_s"]}
        hits.append(key in kept)
        kept[key] = kept.pop(key, now)
        if len(kept) > case["size"]:
            kept.pop(next(iter(kept)))
    return bool(hits != _replayed(case)["hits"])


def _misses_one_in_a_hundred(case: Case) -> bool:
    return bool(_replayed(case)["hit_ratio"] == 0.99)


def _mean_step(case: Case, given: Given) -> float:
    ratio = float(given["hit_ratio"])
    return ratio * float(case["hit_s"]) + (1 - ratio) * float(case["miss_s"])


def _tail_step(case: Case, given: Given) -> float:
    return formulas.cached_percentile_s(float(given["hit_ratio"]), case["hit_s"], case["miss_s"], 0.99)


EXERCISE = Exercise(
    id="04-cache-trace",
    assignment="04_patterns",
    title="Replay a cache",
    kind="code and trace",
    outcome="Say which requests an LRU cache with a TTL answers, and what that does to the mean and to the p99.",
    minutes=15,
    steps=(
        equals("hits", 2, lambda c, _: _hits(c["requests"], c["size"], c["ttl_s"])),
        equals("hit_ratio", 0.5, lambda _, g: sum(map(bool, g["hits"])) / len(g["hits"]), tolerance=1e-6),
        equals("mean_s", 0.5, _mean_step, tolerance=1e-6),
        equals("p99_s", 1, _tail_step, tolerance=1e-6),
    ),
    cases=(
        {"requests": list(zip(range(10), "ccaabacaab", strict=True)), "size": 2, "ttl_s": 60, "hit_s": 0.002,
         "miss_s": 0.042},
        {"requests": list(zip(range(0, 20, 2), "caabbaccbc", strict=True)), "size": 3, "ttl_s": 9,
         "hit_s": 0.001, "miss_s": 0.09},
        {"requests": list(zip((2, 4, 6, 9, 11, 12, 13, 14, 15, 18), "caababcaba", strict=True)), "size": 2, "ttl_s": 4,
         "hit_s": 0.002, "miss_s": 0.042},
        {"requests": [(turn, "ab"[turn % 2]) for turn in range(250)], "size": 2, "ttl_s": 1_000,
         "hit_s": 0.004, "miss_s": 0.03},
        {"requests": [(turn, "a") for turn in range(40)], "size": 2, "ttl_s": 1_000, "hit_s": 0.002,
         "miss_s": 0.042},
    ),
    reference=replay,
    alternatives=(replay_with_ordered_dict, replay_by_last_use),
    mistakes=(
        first_in_first_out,
        hits_renew_the_ttl,
        never_expires,
        room_for_everything,
        Slip(hit_ratio_is_the_size_share, {"hit_ratio": lambda c, _: _share_of_keys(c)}),
        Slip(mean_for_the_tail, {"p99_s": lambda _, g: g["mean_s"]}),
        Slip(most_are_hits, {"p99_s": lambda c, _: c["hit_s"]}),
        Slip(one_place_too_low, {"p99_s": _one_place_too_low}),
    ),
    hints=(
        "Look at what an entry has to remember: when it was fetched, and when it was last used. They differ.",
        (
            "Start with a dict from key to the time of its fetch. A dict keeps its order: take a key out and put "
            "it in again, and it stands last. The first one is then the next to go."
        ),
        (
            "A neighbour: room for one entry, a TTL of 5 s, requests a at 0, a at 3, a at 5, b at 6, a at 7. That "
            "is miss, hit, miss (5 s after the fetch), miss, miss (b took its place)."
        ),
    ),
    draw=_draw_case,
    strata=(
        Stratum("(at exactly `ttl_s` it is a miss again, and is fetched anew)", _is_just_expired),
        Stratum("An expired entry keeps its place until then", _keeps_its_place),
        Stratum(
            "the one **used** longest ago goes",
            lambda c: _replayed(c)["hits"] != _replayed(c, by_use=False)["hits"],
        ),
        Stratum(
            "until `ttl_s` seconds after the **fetch**",
            lambda c: _replayed(c)["hits"] != _replayed(c, renewed=True)["hits"],
        ),
        Stratum(
            "an LRU cache for `size` entries",
            lambda c: c["size"] == 1,
            lambda rng: {**_draw_short(rng), "size": 1},
        ),
        Stratum("the time within which 99 of 100 requests are answered", _misses_one_in_a_hundred, _draw_long),
        Stratum(
            "the time within which 99 of 100 requests are answered",
            lambda c: len(c["requests"]) == 40,
            _draw_alone,
        ),
    ),
    general=(
        "`requests` is a list of pairs",
        "A hit takes `hit_s`",
        "Write `replay`",
        "`hits`: a list",
        "`hit_ratio`: the share",
        "`mean_s`: the mean",
    ),
)  # fmt: skip
