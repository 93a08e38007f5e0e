"""Exercise 1: trace one read back to the data that it saw."""

import random
from collections.abc import Sequence
from itertools import count

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Slip, Stratum, equals


def _newest_run(period_min: float, first_run_min: float, lasts_min: float, seen_min: float) -> float:
    """Return the start of the newest run whose result is there at `seen_min`."""
    return first_run_min + (seen_min - lasts_min - first_run_min) // period_min * period_min


def _row(run_min: float, lasts_min: float, read_min: float) -> Answer:
    return {"run_min": run_min, "readable_min": run_min + lasts_min, "age_min": read_min - run_min}


def trace(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """Work back from the read to the cache's fetch, and from that to the run."""
    lasts_min = sum(delays_min)
    return _row(_newest_run(period_min, first_run_min, lasts_min, fetched_min), lasts_min, read_min)


def trace_forward(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """Follow the runs of the day until one is too late for the fetch."""
    run_min = float(first_run_min)
    for start_min in count(first_run_min, period_min):
        if start_min + sum(delays_min) > fetched_min:
            break
        run_min = start_min
    return _row(run_min, sum(delays_min), read_min)


def trace_by_table(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """List every run of two days with the minute in which it becomes readable, and take the last that is."""
    runs = range(first_run_min, 2_880, period_min)
    readable = {start_min + sum(delays_min): start_min for start_min in runs}
    seen = max(minute for minute in readable if minute <= fetched_min)
    return {"run_min": readable[seen], "readable_min": seen, "age_min": read_min - readable[seen]}


def started_is_readable(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """You took the newest run that had *started*. A run that is still computing has published nothing, and
    the cache got the result of the one before. When does a run's result become readable?
    """
    run_min = _newest_run(period_min, first_run_min, 0, fetched_min)
    return _row(run_min, sum(delays_min), read_min)  # C22


def started_before_the_read(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """You took the newest run that had started when the model read. The model reads a copy that was fetched before,
    and a run gives nothing until it has *finished*. Which run was the newest to have finished by the fetch?
    """
    run_min = _newest_run(period_min, first_run_min, 0, read_min)
    return _row(run_min, sum(delays_min), read_min)


def looked_past_the_cache(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """You let the model read the store itself. It reads the cache's copy, which knows nothing of what was
    published after it was fetched: a cache is one more stage. Which moment does the copy stand for?
    """
    lasts_min = sum(delays_min)
    return _row(_newest_run(period_min, first_run_min, lasts_min, read_min), lasts_min, read_min)  # C25


def readable_a_moment_too_late(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """You left out a run that ended in the very minute of the fetch. *From* its end *on* a result is readable, and that
    includes this moment: write the boundary as ≤.
    """
    lasts_min = sum(delays_min)
    run_min = _newest_run(period_min, first_run_min, lasts_min, fetched_min - 1e-6)
    return _row(run_min, lasts_min, read_min)


def runs_from_midnight(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """You let the runs start at midnight. The first one starts at `first_run_min`, and all others are whole periods
    after it: that shift is the phase of the schedule.
    """
    lasts_min = sum(delays_min)
    return _row(_newest_run(period_min, 0, lasts_min, fetched_min), lasts_min, read_min)


def took_the_longest_step(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """You counted the longest step alone. Export, compute and load run one after the other, so each waits
    for the one before it: steps in a row add.
    """
    lasts_min = max(delays_min)
    return _row(_newest_run(period_min, first_run_min, lasts_min, fetched_min), lasts_min, read_min)


def aged_from_publication(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """You started the clock when the result became readable. By then it was already old: it describes the
    data up to the *start* of its run. Which of the two moments does a fraudster care about?
    """
    right = trace(period_min, first_run_min, delays_min, fetched_min, read_min)
    return {**right, "age_min": read_min - right["readable_min"]}  # C30


def stopped_at_the_fetch(
    period_min: int, first_run_min: int, delays_min: Sequence[int], fetched_min: int, read_min: int
) -> Answer:
    """You stopped the clock when the cache fetched its copy. Data go on ageing while the copy lies there:
    the age counts at the moment at which the model reads.
    """
    right = trace(period_min, first_run_min, delays_min, fetched_min, read_min)
    return {**right, "age_min": fetched_min - right["run_min"]}  # C25


def _draw_read(rng: random.Random) -> Case:
    """Draw a read some hours into the day, from a copy that may be older than the newest result."""
    period_min = rng.choice([15, 20, 30, 60])
    first_run_min = rng.randrange(1, period_min)
    delays_min = [rng.randrange(1, 13) for _ in range(rng.choice([2, 3]))]
    fetched_min = rng.randrange(400, 1_000)
    if rng.random() < 0.25:  # in the minute in which a run ends
        fetched_min -= (fetched_min - first_run_min - sum(delays_min)) % period_min
    return {
        "period_min": period_min,
        "first_run_min": first_run_min,
        "delays_min": delays_min,
        "fetched_min": fetched_min,
        "read_min": fetched_min + rng.randrange(1, 25),
    }


def _ended_before_the_fetch_min(case: Case) -> float:
    """Return how long before the fetch the newest result became readable, in minutes."""
    return float(case["fetched_min"] - trace(**case)["readable_min"])


def _another_run_ends_before_the_read(case: Case) -> bool:
    from_read_min = _ended_before_the_fetch_min({**case, "fetched_min": case["read_min"]})
    return from_read_min < float(case["read_min"] - case["fetched_min"])


EXERCISE = Exercise(
    id="03-trace",
    assignment="03_dataflow",
    title="Trace a read back to its data",
    kind="trace",
    outcome="Say, by the clock, which data a model's read has seen and how old they were.",
    minutes=10,
    steps=(
        equals("run_min", 2, lambda c, _: trace(**c)["run_min"]),
        equals("readable_min", 1, lambda c, g: g["run_min"] + sum(c["delays_min"])),
        equals("age_min", 1, lambda c, g: c["read_min"] - g["run_min"]),
    ),
    cases=(
        {"period_min": 60, "first_run_min": 10, "delays_min": [3, 12, 1], "fetched_min": 620, "read_min": 624},
        {"period_min": 60, "first_run_min": 10, "delays_min": [3, 12, 1], "fetched_min": 680, "read_min": 687},
        {"period_min": 15, "first_run_min": 5, "delays_min": [8, 9], "fetched_min": 600, "read_min": 608},
        {"period_min": 20, "first_run_min": 7, "delays_min": [4, 6], "fetched_min": 617, "read_min": 622},
        {"period_min": 30, "first_run_min": 24, "delays_min": [12, 12, 11], "fetched_min": 929, "read_min": 944},
    ),
    reference=trace,
    alternatives=(trace_forward, trace_by_table),
    mistakes=(
        started_is_readable,
        started_before_the_read,
        looked_past_the_cache,
        readable_a_moment_too_late,
        runs_from_midnight,
        took_the_longest_step,
        Slip(aged_from_publication, {"age_min": lambda c, g: c["read_min"] - g["readable_min"]}),
        Slip(stopped_at_the_fetch, {"age_min": lambda c, g: c["fetched_min"] - g["run_min"]}),
    ),
    hints=(
        "Look from the end: the model reads a copy, the copy was fetched at one moment, and what lay there then?",
        (
            "Start with how long a run takes in all. Of the runs at `first_run_min`, one `period_min` later and so "
            "on, keep those that had finished when the copy was fetched."
        ),
        (
            "A neighbour: runs at 0, 30, 60, … of 10 minutes in all, a copy fetched at 65 and read at 70. The run "
            "of 60 ends at 70, too late; that of 30 was readable at 40, and its data are 40 minutes old at 70."
        ),
    ),
    draw=_draw_read,
    strata=(
        Stratum("its steps take `delays_min`, one after the other", lambda c: sum(c["delays_min"]) > c["period_min"]),
        Stratum(
            "from the end of the last one on its result is readable in the store",
            lambda c: _ended_before_the_fetch_min(c) == 0,
        ),
        Stratum("A run takes what has come in until its start", lambda c: 0 < _ended_before_the_fetch_min(c) < 3),
        Stratum("The model reads that copy at `read_min`", _another_run_ends_before_the_read),
    ),
    general=(
        "A job starts at `first_run_min`",
        "A cache fetched its copy",
        "Return a dict",
        "`run_min`",
        "`readable_min`",
        "`age_min`",
        "Do the first case by hand",
        "`period_min=60",
    ),
)  # fmt: skip
