"""Exercise 3: the percentile of a service whose replicas each report a histogram."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals, same

Counts = Sequence[int]


def _edge(edges_ms: Sequence[int], counts: Counts, percent: int) -> float:
    """Return the upper edge of the first bucket up to which at least this share of the times lies."""
    reached = 0
    for edge_ms, count in zip(edges_ms, counts, strict=True):
        reached += count
        if reached * 100 >= percent * sum(counts):
            return edge_ms
    return edges_ms[-1]


def _merged(histograms: Sequence[Counts]) -> list[int]:
    return [sum(column) for column in zip(*histograms, strict=True)]


def percentile(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """Add the counts, then read the percentile once."""
    merged = _merged(histograms)
    return {"merged": merged, "latency_ms": _edge(edges_ms, merged, percent)}


def percentile_by_list(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """Write every request out, sort, and take the one at the rank; a tuple of counts."""
    rows = [zip(edges_ms, counts, strict=True) for counts in histograms]
    times = sorted(edge for row in rows for edge, count in row for _ in range(count))
    rank = -(-percent * len(times) // 100)
    return {"merged": tuple(times.count(edge) for edge in edges_ms), "latency_ms": times[rank - 1]}


def percentile_in_floats(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """Answer in floats, from the slow end: what lies above is at most the rest."""
    merged = [float(count) for count in _merged(histograms)]
    above = [
        sum(merged[bucket + 1 :]) * 100 <= (100 - percent) * sum(merged) for bucket in range(len(merged))
    ]
    return {"merged": merged, "latency_ms": float(edges_ms[above.index(True)])}


def averaged_the_percentiles(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You averaged the replicas' percentiles. A percentile of a mixture is not the mean of percentiles, and the mean
    may be a time that no request took. Which requests are the slowest of all together?
    """
    each = [_edge(edges_ms, counts, percent) for counts in histograms]
    return {"merged": _merged(histograms), "latency_ms": sum(each) / len(each)}  # C3


def weighed_the_percentiles(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You averaged the replicas' percentiles, each by its number of requests. Weights do not help: a percentile of a
    mixture is not a mean of percentiles. Which requests are the slowest of all together?
    """
    each = [sum(counts) * _edge(edges_ms, counts, percent) for counts in histograms]
    return {"merged": _merged(histograms), "latency_ms": sum(each) / sum(map(sum, histograms))}


def took_the_mean(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You gave the mean. It hides the requests that users complain about: a few slow ones hardly move it. How many
    requests are slower than your number?
    """
    merged = _merged(histograms)
    return {"merged": merged, "latency_ms": _mean(edges_ms, merged)}  # C1


def _mean(edges_ms: Sequence[int], counts: Counts) -> float:
    return sum(e * c for e, c in zip(edges_ms, counts, strict=True)) / sum(counts)


def took_the_worst_replica(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You took the worst replica's percentile. It may serve few requests; then hardly anybody meets it. How many of
    all requests are that slow?
    """
    worst_ms = max(_edge(edges_ms, counts, percent) for counts in histograms)
    return {"merged": _merged(histograms), "latency_ms": worst_ms}


def took_the_median(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You gave the median, whatever percentile was asked for. Half of the people wait longer than that. To how many
    was the promise made?
    """
    merged = _merged(histograms)
    return {"merged": merged, "latency_ms": _edge(edges_ms, merged, 50)}


def always_p99(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You gave the p99, whatever percentile was asked for. A promise names its own share: where does it stand here?"""
    merged = _merged(histograms)
    return {"merged": merged, "latency_ms": _edge(edges_ms, merged, 99)}


def asked_for_more_than_the_share(
    edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int
) -> Answer:
    """You walked on where the share was met exactly. "At least 95 %" is met at 95 %, so the time is the edge there.
    Where do you compare, and with which sign?
    """
    merged = _merged(histograms)
    return {"merged": merged, "latency_ms": _edge_above(edges_ms, merged, percent)}


def _edge_above(edges_ms: Sequence[int], counts: Counts, percent: int) -> float:
    above = [sum(counts[: at + 1]) * 100 > percent * sum(counts) for at in range(len(counts))]
    return edges_ms[above.index(True)]


def asked_each_edge_alone(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You asked each edge alone for the share, and took the last where none has it. Within an edge is also what was
    answered within the edges before: which counts belong together?
    """
    merged = _merged(histograms)
    return {"merged": merged, "latency_ms": _edge_alone(edges_ms, merged, percent)}


def _edge_alone(edges_ms: Sequence[int], counts: Counts, percent: int) -> float:
    pairs = zip(edges_ms, counts, strict=True)
    return next((edge for edge, count in pairs if 100 * count >= percent * sum(counts)), edges_ms[-1])


def took_the_busiest_replica(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You took the percentile of the replica that serves the most. The slow requests may all be at another. Whose
    requests did you leave out?
    """
    busiest_ms = _edge(edges_ms, max(histograms, key=sum), percent)
    return {"merged": _merged(histograms), "latency_ms": busiest_ms}


def averaged_the_counts(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You averaged the counts. The service answered what all replicas answered together: how many requests is that?"""
    averaged = [count / len(histograms) for count in _merged(histograms)]
    return {**percentile(edges_ms, histograms, percent), "merged": averaged}


def summed_along_the_edges(edges_ms: Sequence[int], histograms: Sequence[Counts], percent: int) -> Answer:
    """You added the counts up along the edges. That is how many requests were answered *within* each edge; asked are
    those between it and the one before, as each replica reports them.
    """
    return {**percentile(edges_ms, histograms, percent), "merged": list(accumulate(_merged(histograms)))}


def _draw(rng: random.Random) -> Case:
    """Draw four healthy replicas and a slow one that serves few requests; in two of three, a share met exactly."""
    edges_ms = [20, 50, 100, 200, 500, 1_000]
    healthy = [
        [rng.randrange(300, 500), rng.randrange(150, 250), rng.randrange(0, 9), 0, 0, 0] for _ in range(4)
    ]
    slow = [0, 0, 0, rng.randrange(2, 9), rng.randrange(0, 3), rng.randrange(4, 8)]
    percent = rng.choice([90, 95, 99])
    if percent > 90:  # what the slow one serves is then exactly the rest, or one more
        fast = sum(map(sum, healthy))
        hundreds = fast // percent + 1
        healthy[0][0] += percent * hundreds - fast
        slow[3] += (100 - percent) * hundreds - sum(slow) + rng.choice([0, 0, 1])
    idle = rng.choice([[], [[0] * len(edges_ms)]])
    return {"edges_ms": edges_ms, "histograms": [*healthy, *idle, slow], "percent": percent}


def _latency(case: Case, given: Given) -> float:
    """Follow the learner's own counts."""
    return _edge(case["edges_ms"], given["merged"], case["percent"])


def _right_latency(case: Case, value: Any, given: Given) -> bool:
    """Tell whether a latency follows from the learner's own counts, or from the right ones, which may be in no list."""
    return same(value, _latency(case, given)) or same(value, percentile(**case)["latency_ms"])


def _over(case: Case) -> int:
    """Return how much more than the share is within the edge before the first slow one: 0 where it is met exactly."""
    merged = _merged(case["histograms"])
    return int(100 * sum(merged[:3]) - case["percent"] * sum(merged))


def _slip(mistake: Callable[..., Answer], latency_ms: Callable[[Case, Counts], float]) -> Slip:
    return Slip(mistake, {"latency_ms": lambda case, given: latency_ms(case, given["merged"])})


def _of_histograms(mistake: Callable[..., Answer]) -> Slip:
    """Return a slip that looks at the replicas, whatever the merged counts."""
    return _slip(mistake, lambda case, _: mistake(**case)["latency_ms"])


EXERCISE = Exercise(
    id="01-percentile",
    assignment="01_requirements",
    title="One percentile of many replicas",
    kind="code",
    outcome="Merge histograms before reading a percentile.",
    minutes=12,
    steps=(
        equals("merged", 1, lambda case, _: _merged(case["histograms"])),
        replace(equals("latency_ms", 2, _latency), right=_right_latency),
    ),
    cases=(
        {"edges_ms": [20, 50, 100, 500], "histograms": [[600, 390, 8, 2], [500, 430, 67, 3], [0, 0, 0, 9]],
         "percent": 99},
        {"edges_ms": [20, 50, 100, 400], "histograms": [[700, 250, 40, 10], [300, 140, 60, 0], [0, 0, 2, 8]],
         "percent": 95},
        {"edges_ms": [20, 50, 100, 200], "histograms": [[30, 60, 10, 0], [50, 50, 0, 0]], "percent": 95},
    ),
    reference=percentile,
    alternatives=(percentile_by_list, percentile_in_floats),
    mistakes=(
        _of_histograms(averaged_the_percentiles),
        _of_histograms(weighed_the_percentiles),
        _of_histograms(took_the_worst_replica),
        _slip(took_the_mean, lambda case, merged: _mean(case["edges_ms"], merged)),
        _slip(took_the_median, lambda case, merged: _edge(case["edges_ms"], merged, 50)),
        _slip(always_p99, lambda case, merged: _edge(case["edges_ms"], merged, 99)),
        _slip(
            asked_for_more_than_the_share,
            lambda case, merged: _edge_above(case["edges_ms"], merged, case["percent"]),
        ),
        _slip(
            asked_each_edge_alone, lambda case, merged: _edge_alone(case["edges_ms"], merged, case["percent"])
        ),
        _of_histograms(took_the_busiest_replica),
        averaged_the_counts,
        summed_along_the_edges,
    ),
    hints=(
        "Look at the service as its users do: they do not know which replica answered.",
        "Start by adding the counts bucket by bucket. Then walk up the edges until enough requests lie below.",
        "A neighbour: 97 letters come in 1 day, 3 in 9 days. The 95th of 100 came in 1 day, the 98th in 9.",
    ),
    draw=_draw,
    strata=(
        Stratum("at least `percent` per cent of all requests", lambda case: _over(case) == 0),
        Stratum("at least `percent` per cent of all requests", lambda case: -150 < _over(case) < 0),
        Stratum("Each replica reports a histogram", lambda case: not all(map(sum, case["histograms"]))),
        Stratum("- `latency_ms`: the first edge", lambda case: case["percent"] < 99),
    ),
    general=("Write `percentile`", "- `merged`"),
)  # fmt: skip
