"""Traffic and fleets: from a day's requests to the peak, and from the peak to replicas.

A replica serves one request at a time, so it can do 1 / `inference_time_s` per second when it is never idle.
Every function refuses NaN, infinite, negative and boolean input with `RangeError`.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.formulas._rounding import round_down, round_up
from mlsd_helpers.formulas.availability import mean_attempts
from mlsd_helpers.units import day

__all__ = [
    "TracePeak",
    "batch_cores",
    "batch_throughput_rps",
    "batch_time_s",
    "drain_time_s",
    "fan_out_tail",
    "hpa_replicas",
    "peak_of_trace",
    "peak_rps",
    "replicas",
    "replicas_for_rolling_restart",
    "replicas_per_zone",
    "replicas_with_spares",
    "retry_load_rps",
    "scorings_per_s",
    "surge_backlog",
    "zone_layout",
]


def replicas(
    peak_rps: float, inference_time_s: float, target_utilisation: float, headroom: float = 0.3
) -> int:
    """Replicas for a peak: rate × time / target × (1 + headroom), rounded up once, at the end.

    `peak_rps` at least 0; `inference_time_s` above 0; `target_utilisation` above 0 and at most 1; `headroom` a
    share of the base need, from 0 to 10. The result bounds the mean utilisation, not the latency: for latency
    see `servers_for_wait`. Source: the utilisation law, Denning & Buzen (1978), ACM Computing Surveys 10(3).

    500 × 0.040 / 0.7 = 28.57, and × 1.3 = 37.14.

    >>> replicas(peak_rps=500, inference_time_s=0.040, target_utilisation=0.7, headroom=0.3)
    38
    """
    _ranges.not_negative(headroom=headroom)
    if headroom > 10:
        raise RangeError(f"headroom {headroom!r} must be at most 10. Give a share, such as 0.3 for 30%.")
    return round_up(_base_replicas(peak_rps, inference_time_s, target_utilisation) * (1 + headroom))


def _base_replicas(peak_rps: float, inference_time_s: float, target_utilisation: float) -> float:
    _ranges.not_negative(peak_rps=peak_rps)
    _ranges.positive(inference_time_s=inference_time_s)
    _ranges.share_above_0(target_utilisation=target_utilisation)
    return peak_rps * inference_time_s / target_utilisation


def replicas_with_spares(
    peak_rps: float, inference_time_s: float, target_utilisation: float, spares: int = 1
) -> int:
    """Replicas for a peak with `spares` of them down: N + k.

    Ranges as for `replicas`; `spares` at least 0. Source: Beyer et al. (2016), Site Reliability Engineering,
    on N + 2 provisioning.

    28.57 is rounded up to 29, plus two spares.

    >>> replicas_with_spares(peak_rps=500, inference_time_s=0.040, target_utilisation=0.7, spares=2)
    31
    """
    _ranges.whole(0, spares=spares)
    return round_up(_base_replicas(peak_rps, inference_time_s, target_utilisation)) + spares


def replicas_for_rolling_restart(base: int, unavailable: float = 0.25) -> int:
    """Smallest fleet that keeps `base` replicas up while a share `unavailable` of it restarts.

    The share is rounded down to whole replicas, as Kubernetes does with `maxUnavailable`. `base` at least 0;
    `unavailable` at least 0 and below 1. Source: Kubernetes documentation, Deployments, rolling update.

    Of 38, a quarter is 9.5, so 9 restart and 29 stay; 37 would leave 28.

    >>> replicas_for_rolling_restart(base=29, unavailable=0.25)
    38
    """
    _ranges.whole(0, base=base)
    _ranges.share_below_1(unavailable=unavailable)
    # N − ⌊Nu⌋ = ⌈N(1 − u)⌉ reaches the base once N(1 − u) is above base − 1.
    return round_down((base - 1) / (1 - unavailable)) + 1 if base else 0


def zone_layout(
    peak_rps: float,
    inference_time_s: float,
    target_utilisation: float,
    zones: int = 3,
    zones_lost: int = 1,
) -> tuple[int, ...]:
    """Smallest fleet, zone by zone, that serves the peak at the target after losing its largest zones.

    Ranges as for `replicas`; `zones` at least 1, `zones_lost` from 0 to `zones` − 1. The zones that stay
    share the base need as evenly as whole replicas allow; each zone that may go is as large as the largest
    that stays. Source: arithmetic; the rounding is per zone, since a zone fails whole.

    28.57 makes 29. Losing 15 of 15 + 15 + 14 leaves 29, so 44 suffice, where 43 would leave 28.

    >>> zone_layout(peak_rps=500, inference_time_s=0.040, target_utilisation=0.7, zones=3, zones_lost=1)
    (15, 15, 14)
    """
    _ranges.countable(zones=zones)
    _ranges.whole(0, zones_lost=zones_lost)
    if zones_lost >= zones:
        raise RangeError(f"zones_lost {zones_lost} must be below zones {zones}. Add a zone: one has to stay.")
    staying = zones - zones_lost
    base = round_up(_base_replicas(peak_rps, inference_time_s, target_utilisation))
    smaller, larger_count = divmod(base, staying)
    largest = smaller + (larger_count > 0)
    return (largest,) * zones_lost + (smaller + 1,) * larger_count + (smaller,) * (staying - larger_count)


def replicas_per_zone(
    peak_rps: float,
    inference_time_s: float,
    target_utilisation: float,
    zones: int = 3,
    zones_lost: int = 1,
) -> int:
    """Replicas in every zone, all zones alike, so that the peak is served at the target with zones lost.

    Ranges as for `zone_layout`, which saves a replica or two where zones may differ: here 45 in all, there
    44. Source: arithmetic; the base need is rounded up, then shared by the zones that stay and rounded up per
    zone.

    28.57 makes 29, and two zones stay: 14.5 makes 15 a zone.

    >>> replicas_per_zone(peak_rps=500, inference_time_s=0.040, target_utilisation=0.7, zones=3, zones_lost=1)
    15
    """
    return max(zone_layout(peak_rps, inference_time_s, target_utilisation, zones, zones_lost))


def peak_rps(requests_per_day: float, peak_factor: float) -> float:
    """Peak rate from a day's requests: the mean rate × `peak_factor`, per second.

    `requests_per_day` at least 0; `peak_factor`, busiest rate ÷ mean rate, at least 1. Source: Numenta
    Anomaly Benchmark, NYC taxi counts, whose busiest hour of the mean day is 1.51 × the mean; other traffic
    has far more.

    86.4 million a day is 1,000 a second, and 1.5 times that at the peak.

    >>> peak_rps(requests_per_day=86_400_000, peak_factor=1.5)
    1500.0
    """
    _ranges.not_negative(requests_per_day=requests_per_day, peak_factor=peak_factor)
    if peak_factor < 1:
        raise RangeError(f"peak_factor {peak_factor!r} must be at least 1. Give busiest rate ÷ mean rate.")
    return requests_per_day / day * peak_factor


@dataclass(frozen=True)
class TracePeak:
    """The peak of a trace: the bucket, its rate, and the mean rate of the trace, both per second.

    >>> TracePeak(bucket=7, peak_rps=30.0, mean_rps=20.0).factor
    1.5
    """

    bucket: int
    peak_rps: float
    mean_rps: float

    @property
    def factor(self) -> float:
        """Peak rate ÷ mean rate; 1 for a trace without a request."""
        return self.peak_rps / self.mean_rps if self.mean_rps else 1.0


def peak_of_trace(
    counts: Sequence[float | None],
    bucket_s: float,
    repeated: Collection[int] = (),
    percentile: float = 1.0,
) -> TracePeak:
    """Peak of a trace of counts per bucket of `bucket_s` seconds; gaps and repeated hours are stated, not guessed.

    A count of None was not recorded and is left out; a count of 0 was recorded and stays. `repeated` holds the
    buckets whose clock time came twice, as when summer time ends: their count covers twice the time, so their
    rate is half, and no request is dropped. A `percentile` below 1 takes the rate that this share of the
    buckets does not exceed (nearest rank). A fleet for that rate is too small in the other buckets, so state
    the decision. `bucket_s` above 0, `percentile` above 0 and at most 1. Source: Numenta Anomaly Benchmark, NYC
    taxi counts: the largest, 2.59 × the mean, is the hour repeated on 2 November 2014; by our reading the
    largest ordinary hour has 2.01 ×.

    Bucket 2 has the largest count, but covers twice the time.

    >>> peak_of_trace([60, 120, 150, None], bucket_s=60, repeated={2})
    TracePeak(bucket=1, peak_rps=2.0, mean_rps=1.375)
    """
    _ranges.positive(bucket_s=bucket_s)
    _ranges.share_above_0(percentile=percentile)
    seconds = _recorded_seconds(counts, bucket_s, repeated)
    rates = sorted(((counts[bucket] or 0.0) / time, -bucket) for bucket, time in seconds.items())
    peak, minus_bucket = rates[round_up(percentile * len(rates)) - 1]
    requests = math.fsum(counts[bucket] or 0.0 for bucket in seconds)
    return TracePeak(-minus_bucket, peak, requests / math.fsum(seconds.values()))


def _recorded_seconds(
    counts: Sequence[float | None], bucket_s: float, repeated: Collection[int]
) -> dict[int, float]:
    for count in counts:
        if count is not None:
            _ranges.not_negative(counts=count)
    for bucket in repeated:
        _ranges.whole(0, repeated=bucket)
    if repeated and max(repeated) >= len(counts):
        raise RangeError(
            f"repeated {max(repeated)} must be a bucket below {len(counts)}. Count buckets from 0."
        )
    recorded = [bucket for bucket, count in enumerate(counts) if count is not None]
    if not recorded:
        raise RangeError("counts must hold at least one recorded bucket. Give counts such as [60, 120].")
    return {bucket: bucket_s * (2 if bucket in repeated else 1) for bucket in recorded}


def scorings_per_s(peak_rps: float, candidates: float) -> float:
    """Model scorings per second of a ranking: requests × candidates scored for each.

    `peak_rps` and `candidates` (a mean) at least 0. Source: arithmetic.

    >>> scorings_per_s(peak_rps=200, candidates=500)
    100000
    """
    _ranges.not_negative(peak_rps=peak_rps, candidates=candidates)
    return peak_rps * candidates


def fan_out_tail(probability_slow: float, fan_out: int) -> float:
    """Share of requests that are slow when each waits for `fan_out` calls: 1 − (1 − p)^n.

    `probability_slow` a share from 0 to 1, of calls, independent; `fan_out` at least 0. Source: Dean &
    Barroso (2013), The Tail at Scale, Communications of the ACM 56(2).

    Two calls, each slow half the time: one request in four has both fast.

    >>> fan_out_tail(probability_slow=0.5, fan_out=2)
    0.75
    """
    _ranges.share(probability_slow=probability_slow)
    _ranges.whole(0, fan_out=fan_out)
    if probability_slow == 1:
        return float(fan_out > 0)
    return -math.expm1(fan_out * math.log1p(-probability_slow))


def surge_backlog(arrival_rps: float, capacity_rps: float, duration_s: float) -> float:
    """Queued requests after `duration_s` seconds in which arrivals exceed capacity.

    An example is the delay of an autoscaler. All inputs at least 0; the result is 0 when the capacity suffices.
    Source: fluid approximation, Newell (1982), Applications of Queueing Theory.

    75 requests a second above the capacity, for two minutes.

    >>> surge_backlog(arrival_rps=800, capacity_rps=725, duration_s=120)
    9000
    """
    _ranges.not_negative(arrival_rps=arrival_rps, capacity_rps=capacity_rps, duration_s=duration_s)
    return max(arrival_rps - capacity_rps, 0) * duration_s


def drain_time_s(backlog: float, arrival_rps: float, capacity_rps: float) -> float:
    """Seconds to work off `backlog` requests while new ones arrive.

    `backlog` and `arrival_rps` at least 0; `capacity_rps` above `arrival_rps`. Source: as for
    `surge_backlog`.

    9,000 requests at 200 a second to spare.

    >>> drain_time_s(backlog=9_000, arrival_rps=800, capacity_rps=1_000)
    45.0
    """
    _ranges.not_negative(backlog=backlog, arrival_rps=arrival_rps)
    _ranges.positive(capacity_rps=capacity_rps)
    _ranges.below_saturation(arrival_rps / capacity_rps)
    return backlog / (capacity_rps - arrival_rps)


def hpa_replicas(
    current_replicas: int, current_metric: float, target_metric: float, tolerance: float = 0.1
) -> int:
    """Replicas that the Kubernetes horizontal pod autoscaler asks for: ceil(n × metric / target).

    It stays at n while metric / target is within `tolerance` of 1. `current_replicas` at least 0,
    `current_metric` at least 0 and `target_metric` above 0 in the same unit, `tolerance` at least 0. Source:
    Kubernetes documentation, Horizontal Pod Autoscaling, algorithm details.

    50 replicas at 90 % CPU with a target of 75 %: 50 × 1.2.

    >>> hpa_replicas(current_replicas=50, current_metric=0.90, target_metric=0.75)
    60
    """
    _ranges.whole(0, current_replicas=current_replicas)
    _ranges.not_negative(current_metric=current_metric, tolerance=tolerance)
    _ranges.positive(target_metric=target_metric)
    ratio = current_metric / target_metric
    within = abs(ratio - 1) <= tolerance or math.isclose(abs(ratio - 1), tolerance)
    return current_replicas if within else round_up(current_replicas * ratio)


def batch_time_s(batch_size: int, fixed_s: float, per_item_s: float) -> float:
    """Time of one batch, in seconds: a + b·n. Every item waits for the whole batch.

    `batch_size` at least 1; `fixed_s` and `per_item_s` at least 0, not both 0. Source: the linear service
    model of Inoue (2021), Queueing analysis of GPU-based inference servers with dynamic batching, Performance
    Evaluation 147.

    8 ms and 32 times 0.5 ms.

    >>> batch_time_s(batch_size=32, fixed_s=0.008, per_item_s=0.0005)
    0.024
    """
    _ranges.whole(batch_size=batch_size)
    _ranges.not_negative(fixed_s=fixed_s, per_item_s=per_item_s)
    time_s = fixed_s + per_item_s * batch_size
    _ranges.positive(batch_time_s=time_s)
    return time_s


def batch_throughput_rps(batch_size: int, fixed_s: float, per_item_s: float) -> float:
    """Items per second of one replica that always has a full batch: n / (a + b·n).

    Ranges and source as for `batch_time_s`. It rises with `batch_size` towards 1 / `per_item_s`.

    32 items in 24 ms.

    >>> round(batch_throughput_rps(batch_size=32, fixed_s=0.008, per_item_s=0.0005), 1)
    1333.3
    """
    return batch_size / batch_time_s(batch_size, fixed_s, per_item_s)


def batch_cores(items: float, item_time_s: float, window_s: float, reruns: int = 0) -> int:
    """Cores for a batch job that ends within `window_s` seconds, with time for `reruns` complete reruns.

    `items` and `item_time_s` at least 0, `window_s` above 0, `reruns` at least 0. Source: arithmetic.

    50 million × 4 ms is 200,000 core seconds, in 6 h = 21,600 s: 9.26 cores.

    >>> batch_cores(items=50e6, item_time_s=0.004, window_s=6 * 3600)
    10
    """
    _ranges.not_negative(items=items, item_time_s=item_time_s)
    _ranges.positive(window_s=window_s)
    _ranges.whole(0, reruns=reruns)
    return round_up(items * item_time_s * (1 + reruns) / window_s)


def retry_load_rps(arrival_rps: float, failure_probability: float, attempts: int) -> float:
    """Load on a service whose callers make up to `attempts` attempts: λ(1 − p^n) / (1 − p), per second.

    `arrival_rps` at least 0; `failure_probability` of an attempt, from 0 to 1 and independent of the others;
    under overload failures are not independent, and it rises to 1. `attempts`, with the first one, at least 1.
    Source: truncated geometric series; Brooker, Timeouts, retries and backoff with jitter, Amazon Builders'
    Library.

    Half of all attempts fail, up to four attempts: 100 × (1 + 1/2 + 1/4 + 1/8).

    >>> retry_load_rps(arrival_rps=100, failure_probability=0.5, attempts=4)
    187.5
    """
    _ranges.not_negative(arrival_rps=arrival_rps)
    return arrival_rps * mean_attempts(failure_probability, attempts)
