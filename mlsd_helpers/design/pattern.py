"""Step 4, pattern: where and when each path computes its answer, and why not otherwise."""

from itertools import chain
from typing import Literal, Self

from pydantic import model_validator

from mlsd_helpers.design.quantities import Count, Fraction, PerSecond, Positive, Ratio, Seconds
from mlsd_helpers.design.value import Id, Several, Text, Value, ids_of, refuse, repeated, unresolved

PatternName = Literal["request-time", "pre-computed", "streaming", "hybrid"]


class Cache(Value):
    """Answers kept for the next request that asks the same."""

    key: Several[Text]
    """The parts of the key, such as "card", "merchant" and "model version"."""
    answer_depends_on: Several[Text] = ()
    """Every input that changes the answer; each belongs in the key."""
    shared_by: Literal["everybody", "one owner", "one user"] | None = None
    """To whom a kept answer is given: to all who ask the same, to those of one owner of the data, or to one user."""
    ttl: Seconds | None = None
    """How long an answer is kept (time to live)."""
    size: Count | None = None
    """Entries that fit."""
    hit_ratio: Fraction | None = None
    """What is expected; a rule compares it with what size, keys and TTL can give."""
    zipf_exponent: Ratio | None = None
    """How skewed the keys are; 0 when all are asked for alike."""
    hit_time: Seconds | None = None
    """How long an answer from the cache takes."""
    hit_ratio_is: Literal["estimated", "measured"] | None = None
    """Whether ``hit_ratio`` was measured on real requests."""
    version: Text | None = None
    """The part of the key that changes with each release: "model version"."""
    when_cold: Text | None = None
    """What holds when the cache is empty: shed, warm up first, sized for it."""


class Precompute(Value):
    """Answers computed ahead, for keys that are known ahead."""

    period: Positive[Seconds]
    """How often all answers are made again."""
    keys_read: Count | None = None
    """Keys that somebody asks for within one period; the rest are computed in vain."""
    job_time: Seconds | None = None
    """How long one run takes."""
    window: Seconds | None = None
    """The time that the job has; room for one more run belongs in it."""
    resumable: bool | None = None
    """Whether a run that failed goes on from where it stopped, so that the window need not hold a second one."""
    on_miss: Text | None = None
    """What a request for another key gets."""


class Stream(Value):
    """Answers or features updated by each event."""

    events: PerSecond
    """The rate at which events come."""
    consumed: PerSecond
    """What all consumers together can take."""
    partitions: Count | None = None
    """Into how many parts the stream is split."""
    consumers: Count | None = None
    """How many read it at once; more than partitions have nothing to do."""
    largest_backlog: Count | None = None
    """Events to catch up with after an outage."""


class ServingPath(Value):
    """One way from a request to its answer, or one stage of it."""

    id: Id
    component: Id | None = None
    """The component of the planes that computes it."""
    workload: Several[Id] = ()
    """The workloads whose requests take it, and whose requests its share is of; all when left out."""
    stage: Positive[Count] | None = None
    """Its place in a row of stages that each request passes: 1 retrieves, 2 ranks, 3 re-ranks. Shares of one stage
    add up to 100%."""
    parallel_to: Several[Id] = ()
    """Paths of the same stage that the same request takes at the same time; the slowest decides."""
    items: Positive[Count] | None = None
    """Items that it scores for one request."""
    keeps: Positive[Count] | None = None
    """Items that it hands on to the next stage."""
    priority: Positive[Count] | None = None
    """Under overload, the largest number is shed first; 1 is kept longest."""
    pattern: PatternName
    """When the answer is computed."""
    share: Fraction | None = None
    """The share of requests that take this path."""
    when: Text | None = None
    """Which requests take it, in words."""
    reason: Text | None = None
    """Why this pattern."""
    bounded_input: bool | None = None
    """Whether all inputs could be listed ahead; free text cannot."""
    keys: Count | None = None
    """How many different inputs there are."""
    cache: Cache | None = None
    precompute: Precompute | None = None
    stream: Stream | None = None


class RejectedPattern(Value):
    """A pattern that was considered, and why it was not taken."""

    pattern: PatternName
    """What was not taken."""
    path: Id | None = None
    """The path for which it was considered; all when left out."""
    reason: Text
    """Why not."""
    flips_when: Text | None = None
    """The change of an assumption that would make it the better choice."""


class Pattern(Value):
    """The pattern of each path, and the alternatives that were rejected."""

    paths: tuple[ServingPath, ...] = ()
    """The ways from a request to its answer."""
    rejected: tuple[RejectedPattern, ...] = ()
    """What was considered and not taken."""

    @property
    def choice(self) -> PatternName | None:
        """The pattern that all paths share, or hybrid.

        >>> Pattern(paths=[{"id": "score", "pattern": "request-time"}]).choice
        'request-time'
        """
        chosen = {path.pattern for path in self.paths}
        return chosen.pop() if len(chosen) == 1 else "hybrid" if chosen else None

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        known = {path.id for path in self.paths}
        named = ((("rejected", i, "path"), no.path) for i, no in enumerate(self.rejected) if no.path)
        beside = (
            (("paths", i, "parallel_to"), name)
            for i, path in enumerate(self.paths)
            for name in path.parallel_to
        )
        refuse(chain(repeated(ids_of("paths", self.paths)), unresolved(chain(named, beside), known, "path")))
        return self
