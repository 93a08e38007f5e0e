"""Exercise 2: the peak of a trace in which one bucket covers twice the time and others are missing."""

import random
from collections.abc import Collection, Sequence

from mlsd_helpers.cases.traffic import PROFILE
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Stratum, equals
from mlsd_helpers.formulas import peak_of_trace

Counts = Sequence[int | None]


def _rates(counts: Counts, bucket_s: float, repeated: Collection[int]) -> list[float]:
    return [
        count / (bucket_s * (2 if bucket in repeated else 1))
        for bucket, count in enumerate(counts)
        if count is not None
    ]


def _answer(peak_rps: float, mean_rps: float) -> Answer:
    return {"peak_rps": peak_rps, "mean_rps": mean_rps}


def peak(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """Leave out what is missing, and divide what came twice by twice the time."""
    found = peak_of_trace(counts, bucket_s, repeated)
    return _answer(found.peak_rps, found.mean_rps)


def peak_by_hand(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """Add up requests and seconds in a loop."""
    requests, seconds, busiest = 0, 0.0, 0.0
    for bucket, count in enumerate(counts):
        if count is not None:
            time_s = bucket_s + bucket_s * (bucket in repeated)
            requests, seconds, busiest = requests + count, seconds + time_s, max(busiest, count / time_s)
    return _answer(busiest, requests / seconds)


def peak_by_halves(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """Split what came twice into two buckets."""
    buckets = [
        half
        for b, c in enumerate(counts)
        if c is not None
        for half in ([c / 2] * 2 if b in repeated else [c])
    ]
    return _answer(max(buckets) / bucket_s, sum(buckets) / len(buckets) / bucket_s)


def mean_for_the_peak(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You gave the mean for the peak. The quiet times are in the mean, and the fleet has to carry the busiest. What
    happens to a queue for as long as more comes than goes?
    """
    mean_rps = peak(counts, bucket_s, repeated)["mean_rps"]
    return _answer(mean_rps, mean_rps)  # C4


def bought_for_a_clock(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You took the largest count as it stands. Its bucket came twice on the clock, so it holds the requests of two
    buckets' time. Explain a peak before you buy machines for it: how long did this one last?
    """
    return _answer(max(_rates(counts, bucket_s, ())), peak(counts, bucket_s, repeated)["mean_rps"])  # C5


def gap_read_as_zero(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You read a gap as zero requests. Nobody counted then; that is not the same as nobody asked. Which way does it
    move your mean?
    """
    right = peak(counts, bucket_s, repeated)
    return _answer(right["peak_rps"], peak([count or 0 for count in counts], bucket_s, repeated)["mean_rps"])


def mean_by_the_clock(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """Your peak is right, and your mean takes the repeated bucket for one. The requests of two buckets' time are in it,
    so its seconds count twice too. How many seconds were counted in all?
    """
    right = peak(counts, bucket_s, repeated)
    counted = [count for count in counts if count is not None]
    return _answer(right["peak_rps"], sum(counted) / (bucket_s * len(counted)))


def mean_of_the_rates(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """Your peak is right, and your mean is that of the buckets' rates. A bucket that lasted twice as long then weighs
    as little as the others. How many requests came in all, and in how many seconds?
    """
    rates = _rates(counts, bucket_s, repeated)
    return _answer(max(rates), sum(rates) / len(rates))


def left_out_the_repeated(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You left out the bucket that came twice. Its requests were counted, and so was its time: it is long, not wrong.
    How many seconds does it cover?
    """
    kept = [None if bucket in repeated else count for bucket, count in enumerate(counts)]
    return {**peak(kept, bucket_s, ())}


def zero_read_as_gap(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You left out a bucket with 0 requests. Somebody counted then, and nobody asked; None says that nobody counted.
    In Python both are false: what does your test ask?
    """
    right = peak(counts, bucket_s, repeated)
    return _answer(
        right["peak_rps"], peak([count or None for count in counts], bucket_s, repeated)["mean_rps"]
    )


def counted_by_bucket(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You gave requests per bucket. A rate is per second, and a bucket is longer. What is the unit of your number?"""
    right = peak(counts, bucket_s, repeated)
    return _answer(right["peak_rps"] * bucket_s, right["mean_rps"] * bucket_s)


def positions_after_the_gaps(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You dropped the gaps first and looked up the repeated buckets then. A position counts all buckets, those without
    a count too: which bucket have you halved?
    """
    counted = [count for count in counts if count is not None]
    return peak_by_hand(counted, bucket_s, repeated)


def rate_of_the_largest_count(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You looked for the largest count first, and made it a rate then. A long bucket may hold the most requests at a
    lower rate: divide all of them by their time, and then compare.
    """
    known = {bucket: count for bucket, count in enumerate(counts) if count is not None}
    largest = max(known, key=lambda bucket: known[bucket])
    rate = known[largest] / (bucket_s * (2 if largest in repeated else 1))
    return _answer(rate, peak(counts, bucket_s, repeated)["mean_rps"])


def one_repeat_alone(counts: Counts, bucket_s: float, repeated: Collection[int]) -> Answer:
    """You took one bucket as repeated where the list names several. What does your code do with the second?"""
    return {**peak(counts, bucket_s, list(repeated)[:1])}


def _draw(rng: random.Random) -> Case:
    """Draw a day and a half with up to two repeated buckets, two without a count and two without requests."""
    bucket_s, mean = rng.choice([1_800, 3_600]), rng.randrange(5_000, 400_000)
    counts: list[int | None] = [round(mean * factor * rng.uniform(0.97, 1.03)) for factor in PROFILE]
    places = rng.sample(range(10), 6)
    repeated = sorted(places[: rng.choice([0, 1, 1, 2])])
    for bucket in repeated:
        counts[bucket] = round(mean * rng.choice([rng.uniform(2.4, 2.7), rng.uniform(5, 6)]))
    for bucket, count in zip(places[2:], (None, None, 0, 0), strict=True):
        counts[bucket] = count
    return {"counts": counts, "bucket_s": bucket_s, "repeated": repeated}


def _gap_before_a_repeat(case: Case) -> bool:
    gaps = [bucket for bucket, count in enumerate(case["counts"]) if count is None]
    return bool(case["repeated"]) and min(gaps) < max(case["repeated"])


def _largest_count_is_a_repeat(case: Case) -> bool:
    counts = [count or 0 for count in case["counts"]]
    return counts.index(max(counts)) in case["repeated"]


def _peak_is_a_repeat(case: Case) -> bool:
    once = [None if bucket in case["repeated"] else count for bucket, count in enumerate(case["counts"])]
    return bool(peak(**case)["peak_rps"] > peak(once, case["bucket_s"], ())["peak_rps"])


EXERCISE = Exercise(
    id="01-peak",
    assignment="01_requirements",
    title="A peak that can be explained",
    kind="code",
    outcome="Find the peak and mean rate of a trace with a repeated and a missing hour.",
    minutes=15,
    steps=(
        equals("peak_rps", 2, lambda case, _: peak(**case)["peak_rps"], tolerance=1e-3),
        equals("mean_rps", 1, lambda case, _: peak(**case)["mean_rps"], tolerance=1e-3),
    ),
    cases=(
        {"counts": [900, 2_700, 400, None, 1_500], "bucket_s": 60, "repeated": [1]},
        {"counts": [1_200, 0, 3_000, None, 4_800], "bucket_s": 60, "repeated": [4]},
        {"counts": [36_000, None, 57_600, 93_600, 21_600], "bucket_s": 3_600, "repeated": [3]},
        {"counts": [None, 2_400, 0, 9_600, 1_500, 10_800, 1_800], "bucket_s": 60, "repeated": [3, 5]},
    ),
    reference=peak,
    alternatives=(peak_by_hand, peak_by_halves),
    mistakes=(
        mean_for_the_peak,
        bought_for_a_clock,
        gap_read_as_zero,
        mean_by_the_clock,
        mean_of_the_rates,
        left_out_the_repeated,
        zero_read_as_gap,
        counted_by_bucket,
        positions_after_the_gaps,
        rate_of_the_largest_count,
        one_repeat_alone,
    ),
    hints=(
        "Look at how much time each count covers: one bucket, two, or none that anybody measured.",
        "Start with two lists of the same length, requests and seconds, without the gaps; then divide.",
        "A neighbour: 10 cars in one minute and 30 in the next two: the busiest rate is 15 a minute, not 30.",
    ),
    draw=_draw,
    strata=(
        Stratum("`None` means that nobody counted", _gap_before_a_repeat),
        Stratum("`repeated` lists the positions (from 0)", lambda case: len(case["repeated"]) == 2),
        Stratum("`repeated` lists the positions (from 0)", lambda case: not case["repeated"]),
        Stratum("their count covers twice the time", _peak_is_a_repeat),
        Stratum(
            "- `peak_rps`: the highest rate",
            lambda case: _largest_count_is_a_repeat(case) and not _peak_is_a_repeat(case),
        ),
    ),
    general=("A trace has", "Write `peak`", "- `mean_rps`"),
)
