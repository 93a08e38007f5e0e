"""Caching: hit ratios, the latency behind a cache, and the load that a cold cache lets through.

Requests for keys are independent. Key i is requested in proportion to i^−α (Zipf's law), where α is
`zipf_exponent`; with 0 all keys are equally popular. Of the 51 clusters of Twitter with a published exponent,
31 lie above 1 (Yang et al. 2020, OSDI). Every function refuses NaN, infinite, negative and boolean input with
`RangeError`.
"""

import math
from functools import lru_cache

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges, _zipf
from mlsd_helpers.formulas._roots import solve_decreasing

__all__ = [
    "backend_rps",
    "cached_mean_s",
    "cached_percentile_s",
    "che_hit_ratio",
    "cold_cache_factor",
    "top_keys_share",
    "ttl_hit_ratio",
    "ttl_hit_ratio_of_keys",
]


def che_hit_ratio(cache_size: int, keys: int, zipf_exponent: float) -> float:
    """Hit ratio of an LRU cache of `cache_size` entries over `keys` keys, by Che's approximation.

    Every key stays for the same time T after its last request, where T fills the cache: Σ(1 − e^(−pT)) = size.
    A request for a key with share p of the requests hits with probability 1 − e^(−pT). `cache_size` at least 0,
    `keys` from 1 up, entries of one size, `zipf_exponent` from 0 to 10. The error against LRU is at most 0.004,
    even for a cache of two of three keys. Source: Che, Tung & Wang (2002), IEEE JSAC 20(7).

    With equally popular keys, the hit ratio is cache size ÷ keys.

    >>> round(che_hit_ratio(cache_size=25, keys=100, zipf_exponent=0), 9)
    0.25
    """
    _ranges.whole(0, cache_size=cache_size)
    _popularity_in_range(keys, zipf_exponent)
    if cache_size >= keys or not cache_size:
        return float(cache_size > 0)
    return _che(cache_size, keys, zipf_exponent)


@lru_cache(maxsize=1024)  # a review asks for the same cache again and again
def _che(cache_size: int, keys: int, zipf_exponent: float) -> float:
    stay = solve_decreasing(
        keys - cache_size,
        lambda requests: _zipf.over_keys(keys, zipf_exponent, lambda share: math.exp(-share * requests)),
        start=float(cache_size),
    )
    return _zipf.over_keys(keys, zipf_exponent, lambda share: -share * math.expm1(-share * stay))


def _popularity_in_range(keys: int, zipf_exponent: float) -> None:
    _ranges.whole(keys=keys)
    _ranges.not_negative(zipf_exponent=zipf_exponent)
    if zipf_exponent > 10:
        raise RangeError(
            f"zipf_exponent {zipf_exponent!r} must be at most 10. Real traffic has from 0.5 to 2."
        )


def top_keys_share(top: int, keys: int, zipf_exponent: float) -> float:
    """Share of the requests that the `top` most popular of `keys` keys have.

    It is the hit ratio of a cache that holds just these, and the coverage of pre-computing them. If requests are
    independent, no cache of that size that does not know the future hits more. `top` at least 0, `keys` at
    least 1, `zipf_exponent` from 0 to 10. Source: Breslau et al. (1999), Web Caching and Zipf-like
    Distributions, INFOCOM.

    The first of three keys, α = 1: 1 / (1 + 1/2 + 1/3).

    >>> round(top_keys_share(top=1, keys=3, zipf_exponent=1), 6)
    0.545455
    """
    _ranges.whole(0, top=top)
    _popularity_in_range(keys, zipf_exponent)
    return _zipf.head_share(top, keys, zipf_exponent) if top else 0.0


def ttl_hit_ratio(request_rps: float, ttl_s: float) -> float:
    """Hit ratio of one key in a cache that keeps it for `ttl_s` seconds from its fetch: λT / (1 + λT).

    A miss fetches the value, and the λT requests of the next `ttl_s` hit. `request_rps`, of this key and
    Poisson, and `ttl_s` at least 0. Source: Jung, Berger & Balakrishnan (2003), Modeling TTL-based Internet
    Caches, INFOCOM.

    One request a minute and a TTL of one minute: one hit for each miss.

    >>> ttl_hit_ratio(request_rps=1 / 60, ttl_s=60)
    0.5
    """
    _ranges.not_negative(request_rps=request_rps, ttl_s=ttl_s)
    return request_rps * ttl_s / (1 + request_rps * ttl_s)


def ttl_hit_ratio_of_keys(request_rps: float, ttl_s: float, keys: int, zipf_exponent: float) -> float:
    """Hit ratio of a TTL cache without a limit of size, over `keys` keys of Zipf popularity.

    `request_rps`, of all keys together, and `ttl_s` at least 0, `keys` at least 1, `zipf_exponent` at least
    0. Source: `ttl_hit_ratio` of each key, weighted by its requests.

    60 equally popular keys and one request a second: each key has one request a minute.

    >>> round(ttl_hit_ratio_of_keys(request_rps=1, ttl_s=60, keys=60, zipf_exponent=0), 9)
    0.5
    """
    _popularity_in_range(keys, zipf_exponent)
    _ranges.not_negative(request_rps=request_rps, ttl_s=ttl_s)
    return _zipf.over_keys(
        keys, zipf_exponent, lambda share: share * ttl_hit_ratio(share * request_rps, ttl_s)
    )


def cached_mean_s(hit_ratio: float, hit_s: float, miss_s: float) -> float:
    """Mean latency behind a cache, in seconds: h × hit + (1 − h) × miss.

    `hit_ratio` a share from 0 to 1; `hit_s` and `miss_s` at least 0, the whole time of each, so that a miss
    includes its look-up. Source: total expectation; Hennessy & Patterson, Computer Architecture, average
    memory access time.

    Four requests in five take 2 ms, the fifth takes 42 ms.

    >>> round(cached_mean_s(hit_ratio=0.8, hit_s=0.002, miss_s=0.042), 12)
    0.01
    """
    _ranges.share(hit_ratio=hit_ratio)
    _ranges.not_negative(hit_s=hit_s, miss_s=miss_s)
    return hit_ratio * hit_s + (1 - hit_ratio) * miss_s


def cached_percentile_s(hit_ratio: float, hit_s: float, miss_s: float, percentile: float = 0.99) -> float:
    """Percentile of the latency behind a cache with one time for a hit and one for a miss, in seconds.

    The p99 is the time of a miss while more than 1 % of requests miss. Where the times of misses vary, the
    answer is the percentile 1 − (1 − p)/(1 − h) of these times instead. Ranges as for `cached_mean_s`;
    `percentile` above 0 and below 1. Source: the nearest-rank percentile of two values.

    >>> cached_percentile_s(hit_ratio=0.8, hit_s=0.002, miss_s=0.042, percentile=0.99)
    0.042
    """
    _ranges.share(hit_ratio=hit_ratio)
    _ranges.not_negative(hit_s=hit_s, miss_s=miss_s)
    _ranges.share_between(percentile=percentile)
    fast_share = hit_ratio if hit_s <= miss_s else 1 - hit_ratio
    within = fast_share >= percentile or math.isclose(fast_share, percentile)
    return min(hit_s, miss_s) if within else max(hit_s, miss_s)


def backend_rps(request_rps: float, hit_ratio: float) -> float:
    """Rate of the requests that miss a cache and reach the backend, per second.

    `request_rps` at least 0, `hit_ratio` a share from 0 to 1. Source: arithmetic.

    >>> backend_rps(request_rps=500, hit_ratio=0.75)
    125.0
    """
    _ranges.not_negative(request_rps=request_rps)
    _ranges.share(hit_ratio=hit_ratio)
    return request_rps * (1 - hit_ratio)


def cold_cache_factor(hit_ratio: float) -> float:
    """Load on the backend with an empty cache, as a multiple of its usual load: 1 / (1 − h).

    `hit_ratio`, when warm, at least 0 and below 1. Source: Beyer et al. (2016), Site Reliability Engineering,
    on cold caches.

    With nine hits in ten, an empty cache lets ten times the usual load through.

    >>> round(cold_cache_factor(hit_ratio=0.9), 9)
    10.0
    """
    _ranges.share_below_1(hit_ratio=hit_ratio)
    return 1 / (1 - hit_ratio)
