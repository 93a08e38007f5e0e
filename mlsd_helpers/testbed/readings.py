"""What the numbers of an experiment show, in sentences computed from these numbers and no others.

Each function reads a measurement and yields sentences; a reader's machine may well show the opposite of ours.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Protocol

from mlsd_helpers.testbed.results import format_time

_ALIKE = 1.25  # two times of one run that differ by less are not told apart


class Measured(Protocol):
    """A table of measured values."""

    @property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """The rows."""

    @property
    def facts(self) -> dict[str, float]:
        """Numbers beside the table."""


def interval(share: float, count: float) -> tuple[float, float]:
    """Return the 95 % interval of a share among independent events (Wilson 1927).

    >>> tuple(round(end, 3) for end in interval(0.5, 100))
    (0.404, 0.596)
    """
    z2 = 1.96**2 / count
    half = math.sqrt(z2 * (share * (1 - share) + z2 / 4))
    return (share + z2 / 2 - half) / (1 + z2), (share + z2 / 2 + half) / (1 + z2)


def feature_ages(found: Measured) -> Iterator[str]:
    """Say how many requests failed, and hold the oldest data against the prediction."""
    stream, dead, job, failed_job = found.rows
    failed = sum(row["failed"] for row in found.rows)
    requests = sum(row["requests"] for row in found.rows)
    yield (
        f"{failed:,} of {requests:,} requests failed, though the consumer and the job were dead during two of the runs."
        if failed
        else f"None of {requests:,} requests failed, though the consumer and the job were dead during two of the runs."
    )
    if "job_takes_s" in found.facts:
        bound_s = found.facts["job_every_s"] + found.facts["job_takes_s"]
        kept = "within" if job["oldest_s"] <= bound_s else "above"
        yield (
            f"The job: period + its longest run = {bound_s:.3f} s predicted, {job['oldest_s']:.3f} s measured, "
            f"{kept} the bound."
        )
    order = (
        "fresher than the job's" if stream["oldest_s"] < job["oldest_s"] else "no fresher than the job's here"
    )
    yield f"The stream's oldest data were {format_time(stream['oldest_s'])} old, {order}."
    yield (
        f"Dead, both age by a second a second: up to {dead['oldest_s']:.1f} s and {failed_job['oldest_s']:.1f} s at "
        "the end of these short runs."
    )


def three_patterns(found: Measured) -> Iterator[str]:
    """Order the ways to answer by time, work and recall, and say which differences are too small to tell."""
    by_time = sorted(found.rows, key=lambda row: float(row["p99_s"]))
    yield (
        "By p99, shortest first: "
        + ", ".join(f"{row['answers']} ({format_time(row['p99_s'])})" for row in by_time)
        + "."
    )
    old, ahead = found.rows[0], found.rows[1]
    if max(old["p99_s"], ahead["p99_s"]) < _ALIKE * min(old["p99_s"], ahead["p99_s"]):
        yield (
            "A with old features and B are too close to tell apart: this model takes microseconds, and HTTP nearly "
            "all of both times. What an inference saves is seen with a slow model only."
        )
    by_work = sorted(found.rows, key=lambda row: float(row["cpu_s_per_1,000"]))
    least, most = by_work[0], by_work[-1]
    yield (
        f"Most CPU time: {most['answers']}, {most['cpu_s_per_1,000'] / least['cpu_s_per_1,000']:.1f} times that of "
        f"{least['answers']}."
    )
    by_recall = sorted(found.rows, key=lambda row: -float(row["recall_share"]))
    frauds = found.facts["frauds"]
    within = {row["answers"]: interval(row["recall_share"], frauds) for row in by_recall}
    yield (
        f"By recall with the 95 % interval of {frauds:.0f} frauds, highest first: "
        + ", ".join(
            f"{row['answers']} ({row['recall_share']:.0%}, {within[row['answers']][0]:.0%} to "
            f"{within[row['answers']][1]:.0%})"
            for row in by_recall
        )
        + ". Frauds come in bursts on one card, so the true intervals are wider."
    )
    for better, worse in pairwise(by_recall):
        if within[better["answers"]][0] <= within[worse["answers"]][1]:
            yield (
                f"The intervals of {better['answers']} and {worse['answers']} overlap: this run does not tell their "
                "recalls apart."
            )
    if within[ahead["answers"]][0] > within[old["answers"]][1]:
        yield (
            "B finds more than A with old features: a burst is seen in the card's last seconds, which B knows up to "
            f"{format_time(ahead['oldest_s'])} ago, and hardly in the payment, which is all that this A knows."
        )


def prediction(found: Measured) -> Iterator[str]:
    """Say which prediction came closer at each rate, and what the measured variance makes of the formula."""
    scv = found.facts["scv"]
    more = "more variance than there is" if scv < 1 else "less variance than there is"
    yield (
        f"The SCV here is {scv:.2f} and the formula for M/M/1 assumes 1: {more}, so by that alone its wait is too "
        f"{'long' if scv < 1 else 'short'}."
    )
    for row in found.rows:
        errors = {
            name: max(row[f"{name}_to_measured"], 1 / row[f"{name}_to_measured"])
            for name in ("formula", "simulated")
        }
        names = {"formula": "the formula", "simulated": "the simulation"}
        closer = min(errors, key=lambda name: errors[name])
        other = "simulated" if closer == "formula" else "formula"
        alike = errors[other] < 1.05 * errors[closer]
        yield (
            f"{row['busy_share']:.0%} busy: "
            + ("both came about as close" if alike else f"{names[closer]} came closer")
            + f" (formula {row['formula_to_measured']:.2f}, simulation {row['simulated_to_measured']:.2f} of what was "
            "measured)."
        )
    last = found.rows[-1]
    if last["simulated_to_measured"] < 1 / _ALIKE:
        yield (
            f"At the highest rate requests took {1 / last['simulated_to_measured']:.1f} times the simulated p99: what "
            "the simulation leaves out is largest there. Where the formula is near, it is near for a wrong reason: its "
            "variance is too large, and what it leaves out would make it larger still."
            if scv < 1
            else f"At the highest rate requests took {1 / last['simulated_to_measured']:.1f} times the simulated p99."
        )
    hindsight = [found.facts[f"hindsight_to_measured_{row['busy_share']:.0%}"] for row in found.rows]
    worse = [
        row
        for row, ratio in zip(found.rows, hindsight, strict=True)
        if abs(ratio - 1) > abs(row["simulated_to_measured"] - 1)
    ]
    yield (
        f"In hindsight, with the service time that the server had while it was measured, the simulation came closer "
        f"at {len(found.rows) - len(worse)} of {len(found.rows)} rates: "
        f"{', '.join(f'{each:.2f}' for each in hindsight)} of what was measured."
    )


def caches(found: Measured) -> Iterator[str]:
    """Compare each model with and without its cache: median, p99 and the rate that it carried."""
    alone = {row["model"]: row for row in found.rows if row["cache"] == "none"}
    for row in found.rows:
        if row["cache"] == "none":
            continue
        base = alone[row["model"]]
        where = "in Redis" if row["cache"] == "redis" else "within the process"
        parts = [f"median {_change(base['p50_s'], row['p50_s'])}"]
        if row.get("p99_s") and base.get("p99_s"):
            parts.append(f"p99 {_change(base['p99_s'], row['p99_s'])}")
        rate = row["carried_rps"] / base["carried_rps"]
        parts.append("the same rate carried" if 0.9 < rate < 1.1 else f"{rate:.1f} times the rate carried")
        yield f"{row['model']}, a cache {where}: " + ", ".join(parts) + "."


def _change(before_s: float, after_s: float) -> str:
    return f"{format_time(before_s)} → {format_time(after_s)} ({after_s / before_s - 1:+.0%})"


OF: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "caches": caches,
    "feature_ages": feature_ages,
    "prediction": prediction,
    "three_patterns": three_patterns,
}
