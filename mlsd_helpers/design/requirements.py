"""Step 1, requirements: what the product needs, written down before a code editor opens.

Four axes (prediction type, latency, throughput, freshness) and what hides behind them: availability,
labels, failure modes and assumptions. Each has an id, so that every later number can name its reason.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from mlsd_helpers.design.problems import Path
from mlsd_helpers.design.quantities import Count, Fraction, Money, PerSecond, Positive, Ratio, Seconds
from mlsd_helpers.design.value import Fault, Id, Several, Text, Value, ids_of, refuse, repeated, unresolved
from mlsd_helpers.units import minute

PredictionType = Literal[
    "binary classification", "multi-class classification", "regression", "ranking", "generation"
]
Percentile = Literal["mean", "p50", "p90", "p95", "p99", "p99.9"]
Promised = Literal["whole answer", "first token", "gap between tokens"]
WHAT: tuple[Promised, ...] = get_args(Promised)
Tier = Literal["real-time", "near-real-time", "interactive", "batch"]
Negatives = Literal["outcome", "judged", "sampled", "shown and not chosen", "not chosen", "nothing heard"]
"""How negatives are made: from the outcome of each labelled case, by people, drawn at random, or from silence."""
KnownFor = Literal["all", "random sample", "accepted", "flagged", "shown", "reported"]
"""For which predictions the label is known: those that were let through, such as loans that were paid out; those that
were acted on, such as alerts; those that users saw; or those that somebody reported."""
Subject = Literal["person", "household", "organisation", "thing", "place", "event", "content"]
"""What one prediction is about; an event is a payment, a trip or an order."""
Demand = Literal["independent validation", "reasons", "erasure", "human review"]
"""What a design can be held against: that others than its makers validate a model, that the reasons of each decision
are kept, that data are erased on request or when they are not needed any more, that people can change a decision."""
PeakDerivation = Literal["busiest period", "mean times factor", "mean", "contract", "estimate"]


def time_of_day(given: str) -> str:
    """Return a time of day as it is given; raises ``ValueError`` for anything but hours and minutes."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", given):
        raise ValueError(f'{given!r} is no time of day. Write hours and minutes, such as "06:30".')
    return given


TimeOfDay = Annotated[str, AfterValidator(time_of_day)]
"""Hours and minutes: "06:30"."""
AXES = ("prediction", "latency", "throughput", "freshness", "availability", "labels", "schedule")
"""What each workload promises or brings: the fields that a design with one workload has among its requirements."""

_KEPT_FREE = re.compile(
    r"(the |a |our |time )*(safety )?(reserves?|margin|slack|buffer|spare|headroom|left( over)?|unused)\b[^+&]*",
    re.IGNORECASE,
)
REAL_TIME_S, NEAR_REAL_TIME_S, INTERACTIVE_S = 0.1, 2.0, 60.0  # all strict: exactly 100 ms is near-real-time


class Prediction(Value):
    """What the model says, and about what."""

    type: PredictionType
    """What kind of answer the model gives."""
    output: Text | None = None
    """What one answer is: "probability that the payment is fraud"."""
    base_rate: Fraction | None = None
    """The share of positives among what is predicted."""
    acted_on: Fraction | None = None
    """The share of predictions that lead to an action: alerts that somebody reads, payments that are refused."""
    about_people: bool | None = None
    """Whether it decides about people: their money, work, health or rights."""
    subject: Subject | None = None
    """What one prediction is about."""
    used_as: Literal["order", "threshold", "number"] | None = None
    """What of an answer is used: the order of several, whether it passes a threshold, or its value, as in a bid."""
    explained: Text | None = None
    """How a decision is explained to whom it concerns."""
    reviewed_by: Several[Id] = ()
    """The people to whom a decision can be taken, and who can change it."""
    reasons_kept_in: Several[Id] = ()
    """The components that keep the reasons of each decision, with the versions of model and features."""
    id: Id = "prediction"


class BudgetPart(Value):
    """The share of the latency budget that one hop may use: of a component, or of what ``part`` says in words."""

    part: Text | None = None
    """What it is the time of, in words."""
    component: Id | None = None
    """The component of the planes whose time this is."""
    time: Seconds
    """Its share of the budget."""
    reserve: bool | None = None
    """Whether it is kept free, so that no time passes there; as ``part`` says when left out: "reserve", "margin"."""

    @property
    def name(self) -> str:
        """What the part is called: its words, or its component.

        >>> BudgetPart(component="index", time="60 ms").name
        'index'
        """
        return self.part or self.component or ""

    @property
    def is_reserve(self) -> bool:
        """Whether no time passes in it.

        >>> BudgetPart(part="reserve", time="60 ms").is_reserve, BudgetPart(part="network", time="60 ms").is_reserve
        (True, False)
        """
        by_words = self.component is None and bool(_KEPT_FREE.fullmatch(self.part or ""))
        return by_words if self.reserve is None else self.reserve

    @model_validator(mode="after")
    def _is_of_something(self) -> Self:
        if not self.name:
            refuse([(("part",), "is missing. Write the part in words, or the component that it belongs to.")])
        return self


class Promise(Value):
    """How long one thing may take; below ``within``, strictly, at ``percentile``."""

    what: Promised
    """What it is the time of."""
    percentile: Percentile
    """For which share of requests it holds: p99 is 99 of 100."""
    within: Positive[Seconds]
    """The limit, which the time stays below."""


class Latency(Value):
    """How long an answer may take; below ``budget``, strictly, at ``percentile``."""

    budget: Positive[Seconds]
    """From the request to the whole answer, as the caller sees it."""
    percentile: Percentile
    """For which share of requests the budget holds: p99 is 99 of 100."""
    split: tuple[BudgetPart, ...] = ()
    """How the budget is shared out."""
    until: Id | None = None
    """The component at which the answer is there, where work behind a queue gives it: the budget spans the hand-overs
    on the way there, though no caller waits. A component before the queue ends it there. When left out, the way to
    what ``split`` names, or to a model that only the queue leads to."""
    first_token: Seconds | None = None
    """Generation only: how long until the first token."""
    per_token: Seconds | None = None
    """Generation only: how long between tokens after that."""
    also: tuple[Promise, ...] = ()
    """Further promises, at other percentiles."""
    id: Id = "latency"

    @property
    def promises(self) -> tuple[Promise, ...]:
        """Everything that is promised, each alike: the budget, the first token, the gap, and what else there is.

        >>> [promise.what for promise in Latency(budget="15 s", percentile="p95", first_token="2 s").promises]
        ['whole answer', 'first token']
        """
        given = zip(WHAT, (self.budget, self.first_token, self.per_token), strict=True)
        own = (
            Promise(what=what, percentile=self.percentile, within=time_s) for what, time_s in given if time_s
        )
        return (*own, *self.also)

    @model_validator(mode="after")
    def _promises_once(self) -> Self:
        refuse(self._repeated_promises())
        return self

    def _repeated_promises(self) -> Iterator[Fault]:
        before = {(one.what, one.percentile) for one in self.promises[: -len(self.also) or None]}
        for position, one in enumerate(self.also):
            if (one.what, one.percentile) in before:
                yield ("also", position), f"the {one.what} at {one.percentile} is promised twice. Keep one."
            before.add((one.what, one.percentile))

    @property
    def tier(self) -> Tier:
        """Real-time below 100 ms, near-real-time below 2 s, interactive below 60 s, batch from there on.

        >>> Latency(budget="100 ms", percentile="p99").tier
        'near-real-time'
        """
        if self.budget < REAL_TIME_S:
            return "real-time"
        if self.budget < NEAR_REAL_TIME_S:
            return "near-real-time"
        return "interactive" if self.budget < INTERACTIVE_S else "batch"


class Throughput(Value):
    """How many requests a second, at the peak and on average."""

    peak: Positive[PerSecond]
    """The highest rate to plan for."""
    mean: PerSecond | None = None
    """The rate on average, which decides the cost of each request."""
    derivation: PeakDerivation | None = None
    """How the peak was found."""
    how: Text | None = None
    """The same in words: over which period, times which factor."""
    over: Positive[Seconds] | None = None
    """The period over which the peak was counted; shorter bursts may be higher."""
    peak_lasts: Positive[Seconds] | None = None
    """How long load stays at the peak."""
    burstiness: Ratio | None = None
    """Variance over mean of the arrivals in each second; 1 for Poisson arrivals."""
    scorings_per_request: Positive[Count] = 1
    """Items scored in one request: the candidates of a ranking."""
    id: Id = "throughput"


class AgeLimit(Value):
    """The oldest that one more thing may be, which is no input of the model: a block list, a new post."""

    what: Text
    """What it is, in words."""
    component: Id | None = None
    """The component that holds it."""
    within: Seconds
    """The oldest that it may be."""


class Freshness(Value):
    """How old what the product uses may be: different ages."""

    features: Seconds | None = None
    """The oldest that a feature without an SLA of its own may be."""
    model: Seconds | None = None
    """The oldest that the trained model may be."""
    predictions: Seconds | None = None
    """The oldest that a stored or cached answer may be."""
    labelled_data: Seconds | None = None
    """How old the newest labelled example may be from which the model in use has learnt: its label's delay, training
    and release together."""
    index: Seconds | None = None
    """How long a new or changed document may be missing from the index."""
    also: tuple[AgeLimit, ...] = ()
    """Limits on other ages."""
    id: Id = "freshness"


class Availability(Value):
    """The share of requests that are answered, over a window: by a fallback too, by a refusal if a flow says so."""

    target: Fraction
    """The share of requests, such as 99.9%."""
    window: Seconds | None = None
    """The time over which it is counted."""
    rto: Seconds | None = None
    """After the loss of a region: how long until requests are answered again (recovery time objective)."""
    rpo: Seconds | None = None
    """After the loss of a region: how much of the newest data may be lost (recovery point objective)."""
    id: Id = "availability"


class Labels(Value):
    """Where the truth comes from, when, how much of it, and at what cost."""

    source: Text
    """Where labels come from."""
    definition: Text | None = None
    """What counts as a positive, and until when."""
    rest_on: Literal["outcome", "judgement", "decision", "behaviour"] | None = None
    """What they rest on: what happened later, what people say who label for this, what people decided before, or what
    users did or did not do."""
    delay: Seconds | None = None
    """From the prediction to its label."""
    label_yield: Fraction | None = Field(default=None, alias="yield")
    """The share of predictions that get a label at all."""
    items: Count | None = None
    """How many items are labelled for one training set."""
    kept_for: Positive[Seconds] | None = None
    """How long a label is trained on; without it, a training set is labelled anew each time."""
    labels_per_item: Count | None = None
    """How many people label each item."""
    cost_per_label: Money | None = None
    """What one label by one person costs."""
    quality: Text | None = None
    """How label quality is checked."""
    selection: Text | None = None
    """Which predictions get a label: all, those that were acted on, a random sample."""
    known_for: KnownFor | None = None
    """The same in one word, which goes before the words of ``selection``."""
    negatives: Negatives | None = None
    """How negatives are made; "not chosen" counts what nobody was shown, "nothing heard" what nobody complained of."""
    corrected_by: Text | None = None
    """What corrects for what users saw and could choose: weights by position, propensities."""
    explored: Fraction | None = None
    """The share of cases that are decided at random, so that labels exist for what the model would refuse."""
    stands_for: Text | None = None
    """Where the label is a substitute, such as a click for a sale: what for, and how the two were compared."""
    id: Id = "labels"


class Schedule(Value):
    """When a system without requests runs, and when its result has to be there."""

    calendar: Text | None = None
    """The days and times in words: "each working day of the bank, 22:00"."""
    period: Positive[Seconds] | None = None
    """From one run to the next."""
    deadline: Positive[Seconds] | None = None
    """From the start of a run to its result, at the latest."""
    starts: TimeOfDay | None = None
    """When a run starts: "10:45", in the time zone of the calendar."""
    due: TimeOfDay | None = None
    """When its result has to be there, within a day of the start: "11:30"."""
    items: Count | None = None
    """What one run scores."""
    when_late: Text | None = None
    """What happens when the deadline is missed."""
    cut_off: TimeOfDay | None = None
    """When what is there is handed over, complete or not: "11:15"."""
    fallback: Several[Id] = ()
    """The workloads whose last result is used while this one is late: its own for the run before, or another's; the
    schedule's id in a design without workloads."""
    id: Id = "schedule"

    @property
    def by_the_clock(self) -> float | None:
        """From the time of day of the start to that of the result, in seconds; None where one is not stated."""
        return self._from_start(self.due)

    @property
    def until_cut_off(self) -> float | None:
        """From the time of day of the start to the cut-off, in seconds; None where one is not stated."""
        return self._from_start(self.cut_off)

    def _from_start(self, end: str | None) -> float | None:
        if self.starts is None or end is None:
            return None
        start_min, end_min = (int(one[:2]) * 60 + int(one[3:]) for one in (self.starts, end))
        return ((end_min - start_min) % (24 * 60) or 24 * 60) * minute

    @property
    def allowed(self) -> float | None:
        """The time that a run may take, in seconds: its deadline, or to the time of day, if that is less."""
        return min((one for one in (self.deadline, self.by_the_clock) if one), default=None)


class Constraint(Value):
    """What law, a contract or a policy demands, and what meets it."""

    id: Id
    text: Text
    """What is demanded, in words."""
    source: Literal["law", "contract", "policy"] | None = Field(default=None, alias="from")
    """What demands it."""
    reference: Text | None = None
    """The paragraph or clause."""
    of: Several[Id] = ()
    """The sets of data that it is about; all that are personal or confidential when left out."""
    region: Several[Text] = ()
    """The only regions in which the data may be, where the constraint is about regions."""
    demands: Several[Demand] = ()
    """What it demands, where it is one of these."""
    goes_before: Several[Id] = ()
    """The constraints that give way to this one where they contradict each other, by their ids."""
    kept_at_least: Seconds | None = None
    """How long the data have to be kept, where the constraint demands that."""
    kept_at_most: Seconds | None = None
    """After what time the data have to be gone, where the constraint demands that."""
    within: Positive[Seconds] | None = None
    """How soon it has to be met each time, where the constraint sets a deadline."""
    met_by: Several[Id] = ()
    """The components that meet it."""
    needs: Literal["all", "any"] = "all"
    """Whether it takes each of them, one after another, or any one will do."""
    held_without: bool | None = None
    """Whether it holds while what meets it does not answer, since nothing that it forbids is done then."""
    how: Text | None = None
    """How they do."""


class FailureMode(Value):
    """Something that will fail, and what the product does meanwhile."""

    id: Id
    failure: Text
    """What fails, in words."""
    of: Several[Id] = ()
    """The components that fail."""
    meanwhile: Text | None = None
    """What the user gets in the meantime."""
    to_region: Several[Text] = ()
    """Where requests go meanwhile, if they go to other regions."""
    fails: Literal["open", "closed", "delayed", "degraded"] | None = None
    """Open lets requests through unjudged, closed refuses them, delayed answers them later: none passes meanwhile.
    Degraded still judges each, by what is left: fewer or older data, another source, a simpler rule."""


class Assumption(Value):
    """A belief that the design rests on, and who is to check it."""

    id: Id
    text: Text
    """What is believed."""
    owner: Text | None = None
    check: Text | None = None
    """How and by when it will be checked."""


class Workload(Value):
    """One kind of requests, or of runs by the clock, with promises of its own: an online score, a nightly batch.

    Release, retraining, training, experiments, objectives and alerts are those of the whole design. A gate concerns the
    workloads whose requests reach what it is `of`. A fleet has one service time for all; plan a fleet for each workload
    where that differs.
    """

    id: Id
    does: Text | None = None
    """What it is, in words."""
    entry: Several[Id] = ()
    """The components at which its requests enter, or its runs start."""
    off_peak: bool = False
    """Whether it works only while the others are not at their peak, so that their peaks and its load do not add up."""
    prediction: Prediction | None = None
    latency: Latency | None = None
    throughput: Throughput | None = None
    freshness: Freshness | None = None
    availability: Availability | None = None
    labels: Labels | None = None
    schedule: Schedule | None = None
    """When it runs, where nobody asks for its answers."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse(repeated(_ids_of_axes(self)))
        return self


def _ids_of_axes(of: "Requirements | Workload") -> Iterator[tuple[Path, str]]:
    return (((name, "id"), axis.id) for name in AXES if (axis := getattr(of, name)))


class Requirements(Value):
    """What the product needs, as testable inequalities."""

    goal: Text | None = None
    """What the product should get better at."""
    non_goals: Several[Text] = ()
    """What it deliberately leaves to others."""
    baseline: Text | None = None
    """What is done today, without a model."""
    prediction: Prediction | None = None
    latency: Latency | None = None
    throughput: Throughput | None = None
    freshness: Freshness | None = None
    availability: Availability | None = None
    labels: Labels | None = None
    schedule: Schedule | None = None
    """For what runs by the clock and answers no requests."""
    workloads: tuple[Workload, ...] = ()
    """In place of the seven fields before, where there is more than one kind of requests or runs: each with its own."""
    constraints: tuple[Constraint, ...] = ()
    """What law, contracts and policies demand."""
    failure_modes: tuple[FailureMode, ...] = ()
    """What will fail, and what users get meanwhile."""
    assumptions: tuple[Assumption, ...] = ()
    """What is believed and not yet checked."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        lists = (
            ids_of(name, getattr(self, name))
            for name in ("workloads", "constraints", "failure_modes", "assumptions")
        )
        known = {one.id for one in self.constraints}
        named = (
            (("constraints", position, "goes_before"), name)
            for position, one in enumerate(self.constraints)
            for name in one.goes_before
        )
        ids = repeated(chain(_ids_of_axes(self), *lists))
        refuse(chain(self._in_two_ways(), ids, unresolved(named, known, "constraint")))
        return self

    def _in_two_ways(self) -> Iterator[Fault]:
        """Find fields that are written beside `workloads`: it would be open of which workload they are."""
        for name in AXES if self.workloads else ():
            if getattr(self, name) is not None:
                of = ", ".join(one.id for one in self.workloads)
                hint = f"Write it in each workload that it holds for ({of}), or leave out 'workloads'."
                yield (name,), f"is written beside 'workloads', and belongs to none of them. {hint}"
