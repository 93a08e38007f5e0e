"""Two parallel forms of twelve questions, for before and after a course: other figures, the same wrong options.

Each wrong option is what a known mistake gives, so that an answer tells what somebody believes.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Literal, get_args

from mlsd_helpers.exercises import find
from mlsd_helpers.exercises.exercise import Case
from mlsd_helpers.exercises.revision import Option, revise

Letter = Literal["A", "B"]
LETTERS: tuple[Letter, ...] = get_args(Letter)
_LEAST_OPTIONS = 3


@dataclass(frozen=True)
class Question:
    """A question of a form: its exercise, its words, and three or four options of which one has no mistake."""

    exercise: str
    text: str
    options: tuple[Option, ...]

    @property
    def right(self) -> int:
        """The position of the right option, from 0."""
        return next(at for at, one in enumerate(self.options) if one.mistake is None)


@dataclass(frozen=True)
class _Asked:
    """What a question asks: a step of an exercise, the mistake that it has to tell from the right answer, its words."""

    exercise: str
    mistake: str
    step: str
    words: Callable[[Case], str]


def _path(case: Case) -> str:
    """Say the stages of a path of features, one after the other."""
    said = []
    for stage in case["path"]:
        delay = f"takes {stage.get('delay_min', 0)} min"
        if "parallel" in stage:
            raise _OtherCaseError
        if stage.get("in_step"):
            said.append(f"a job that starts when the one before is done and {delay}")
        elif "period_min" in stage:
            said.append(f"a job that starts every {stage['period_min']} min and {delay}")
        else:
            said.append(
                f"a store that {delay}, with a cache that keeps an answer for {stage.get('ttl_min', 0)} min"
            )
    return "; ".join(said)


class _OtherCaseError(Exception):
    """An input that the words of a question do not fit; another one is drawn."""


def _payments(case: Case) -> str:
    return "; ".join(
        f"day {one['paid_day']}"
        + ("" if one["disputed_day"] is None else f", disputed on day {one['disputed_day']}")
        for one in case["payments"]
    )


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


_QUESTIONS = (
    _Asked(
        "01-percentile",
        "averaged_the_percentiles",
        "latency_ms",
        lambda case: (
            f"{len(case['histograms'])} replicas count requests by latency, up to {_listed(case['edges_ms'])} ms: "
            + "; ".join(_listed(one) for one in case["histograms"])
            + f". Up to which of these latencies are {case['percent']} % of all requests answered?"
        ),
    ),
    _Asked(
        "01-fan-out",
        "added_the_chances",
        "slow_requests",
        lambda case: (
            f"A page makes {case['calls']} calls at once and waits for all of them. Each is slow in "
            f"{case['slow_share']:.2%} of cases, independently. Which share of the pages is slow?"
        ),
    ),
    _Asked(
        "01-fan-out",
        "hid_the_overrun",
        "left_ms",
        lambda case: (
            f"A request may take {case['budget_ms']:g} ms. It passes steps of {_listed(case['hops_ms'])} ms, one after "
            "the other. How many milliseconds are left?"
        ),
    ),
    _Asked(
        "02-availability",
        "copies_fail_apart",
        "down_min",
        lambda case: (
            f"A request needs all of these parts, up {_listed(case['required'])} of the time. It also calls parts that "
            f"have a fallback, up {_listed(case['guarded'])} of the time. One more needed part has {case['copies']} "
            f"copies, each up {case['copy']:g} of the time; {case['common_share']:.0%} of its failures take all copies "
            "at once. All else fails independently. For how many minutes in "
            f"{case['window_d']} days is there no answer?"
        ),
    ),
    _Asked(
        "03-ages",
        "slowest_schedule_decides",
        "worst_min",
        lambda case: f"A feature passes {_path(case)}. How old can it be at a request, at most, in minutes?",
    ),
    _Asked(
        "03-trace",
        "aged_from_publication",
        "age_min",
        lambda case: (
            f"A job starts every {case['period_min']} min, first at minute {case['first_run_min']}, on the data up to "
            f"its start. Its result can be read {sum(case['delays_min'])} min later. A cache fetches at minute "
            f"{case['fetched_min']}; a request reads the cache at minute {case['read_min']}. How old are the data, in "
            "minutes?"
        ),
    ),
    _Asked(
        "03-labels",
        "disputed_at_any_time",
        "rate",
        lambda case: (
            f"It is day {case['today']}. A payment counts as fraud if it was disputed within {case['wait_days']} days, "
            f"and is known once these have passed. Payments: {_payments(case)}. Which share of those that are known "
            "is fraud?"
        ),
    ),
    _Asked(
        "04-crossover",
        "batch_at_the_request_price",
        "ahead_per_day",
        lambda case: (
            f"A job makes all {case['keys']:,} answers ahead, at {case['batch_price']:g} for a million. It takes "
            f"{case['job_s']:g} s, and no answer may be older than {case['max_age_s']:g} s. On request, a million "
            f"answers would cost {case['request_price']:g}. What do the jobs of a day cost?"
        ),
    ),
    _Asked(
        "04-lag",
        "nothing_new_arrives",
        "caught_up_s",
        lambda case: (
            f"A stream brings {case['events_rps']:g} events a second, in {case['partitions']} partitions. "
            f"{case['consumers']} consumers of one group read it, each at most {case['each_rps']:g} a second and each "
            f"partition by one of them. All stand still for {case['outage_s']:g} s. How many seconds after their "
            "restart is nothing waiting?"
        ),
    ),
    _Asked(
        "05-units-rounding",
        "rounded_before_headroom",
        "replicas",
        lambda case: (
            f"{case['requests_per_minute']:,} requests a minute take {case['service_time_ms']:g} ms each. Replicas may "
            f"be {case['target_percent']:g} % busy, and {case['headroom_percent']:g} % more are kept. "
            "How many replicas?"
        ),
    ),
    _Asked(
        "05-backlog",
        "waited_until_drained",
        "last_wait_s",
        lambda case: (
            f"{case['surge_rps']:g} requests a second arrive from now on at replicas that serve "
            f"{case['capacity_rps']:g} a second. After {case['delay_s']:g} s there are more replicas, which serve "
            f"{case['scaled_rps']:g} a second. A request that arrives at that moment waits for how many seconds?"
        ),
    ),
    _Asked(
        "05-erlang-p99",
        "sized_for_the_mean",
        "servers",
        lambda case: (
            f"{case['arrival_rps']:g} requests a second arrive at random and take "
            f"{case['service_time_s'] * 1000:g} ms on average (exponential), one queue for all servers. "
            "In 99 of 100 cases the wait must not exceed "
            f"{case['wait_budget_s'] * 1000:g} ms. How many servers are needed?"
        ),
    ),
)


def form(letter: Letter) -> tuple[Question, ...]:
    """Return the questions of a form: always the same, with the mistakes of the other form as wrong options."""
    return tuple(_pair(place)[LETTERS.index(letter)] for place in range(len(_QUESTIONS)))


@lru_cache
def _pair(place: int) -> tuple[Question, ...]:
    """Draw a question for both forms, until both have the same mistakes as options."""
    asked = _QUESTIONS[place]
    found: dict[frozenset[str | None], list[Question]] = {}
    for number in count():
        drawn = revise(find(asked.exercise), asked.mistake, random.Random(f"{place} {number}"))  # noqa: S311 - no secret
        if drawn is None or drawn.step != asked.step or len(drawn.options) < _LEAST_OPTIONS:
            continue
        try:
            question = Question(asked.exercise, asked.words(drawn.case), drawn.options)
        except _OtherCaseError:
            continue
        same = found.setdefault(frozenset(one.mistake for one in drawn.options), [])
        if all(question.text != other.text for other in same):
            same.append(question)
        if len(same) == len(LETTERS):
            return tuple(same)
    raise AssertionError  # unreachable: the loop ends only by return
