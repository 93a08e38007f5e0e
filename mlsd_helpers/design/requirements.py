"""Step 1, requirements: what the product needs, written down before a code editor opens.

Four axes (prediction type, latency, throughput, freshness) and what hides behind them: availability,
labels, failure modes and assumptions. Each has an id, so that every later number can name its reason.
"""

from itertools import chain
from typing import Literal, Self

from pydantic import Field, model_validator

from mlsd_helpers.design.quantities import Count, Dollars, Fraction, PerSecond, Positive, Ratio, Seconds
from mlsd_helpers.design.value import Id, Several, Text, Value, ids_of, refuse, repeated

PredictionType = Literal[
    "binary classification", "multi-class classification", "regression", "ranking", "generation"
]
Percentile = Literal["mean", "p50", "p90", "p95", "p99", "p99.9"]
Tier = Literal["real-time", "near-real-time", "batch"]
PeakDerivation = Literal["busiest period", "mean times factor", "mean", "contract", "estimate"]

REAL_TIME_S, NEAR_REAL_TIME_S = 0.1, 2.0  # both strict: exactly 100 ms is near-real-time


class Prediction(Value):
    """What the model says, and about what."""

    type: PredictionType
    output: Text | None = None
    """What one answer is: "probability that the payment is fraud"."""
    base_rate: Fraction | None = None
    """The share of positives among what is predicted."""
    id: Id = "prediction"


class BudgetPart(Value):
    """The share of the latency budget that one hop may use."""

    part: Text
    time: Seconds


class Latency(Value):
    """How long an answer may take; below ``budget``, strictly, at ``percentile``."""

    budget: Positive[Seconds]
    percentile: Percentile
    split: tuple[BudgetPart, ...] = ()
    first_token: Seconds | None = None
    """Generation only: how long until the first token."""
    per_token: Seconds | None = None
    """Generation only: how long between tokens after that."""
    id: Id = "latency"

    @property
    def tier(self) -> Tier:
        """Real-time below 100 ms, near-real-time below 2 s, batch from there on.

        >>> Latency(budget="100 ms", percentile="p99").tier
        'near-real-time'
        """
        if self.budget < REAL_TIME_S:
            return "real-time"
        return "near-real-time" if self.budget < NEAR_REAL_TIME_S else "batch"


class Throughput(Value):
    """How many requests a second, at the peak and on average."""

    peak: Positive[PerSecond]
    mean: PerSecond | None = None
    derivation: PeakDerivation | None = None
    """How the peak was found."""
    how: Text | None = None
    """The same in words: over which period, times which factor."""
    burstiness: Ratio | None = None
    """Variance over mean of the arrivals in each second; 1 for Poisson arrivals."""
    scorings_per_request: Positive[Count] = 1
    """Items scored in one request: the candidates of a ranking."""
    id: Id = "throughput"


class Freshness(Value):
    """How old what the product uses may be: three different ages."""

    features: Seconds
    """The oldest that a feature without an SLA of its own may be."""
    model: Seconds | None = None
    """The oldest that the trained model may be."""
    predictions: Seconds | None = None
    """The oldest that a stored or cached answer may be."""
    id: Id = "freshness"


class Availability(Value):
    """The share of requests that get an answer, over a window."""

    target: Fraction
    window: Seconds | None = None
    id: Id = "availability"


class Labels(Value):
    """Where the truth comes from, when, how much of it, and at what cost."""

    source: Text
    definition: Text | None = None
    delay: Seconds | None = None
    """From the prediction to its label."""
    label_yield: Fraction | None = Field(default=None, alias="yield")
    """The share of predictions that get a label at all."""
    items: Count | None = None
    """How many items are labelled for one training set."""
    labels_per_item: Count | None = None
    """How many people label each item."""
    cost_per_label: Dollars | None = None
    quality: Text | None = None
    """How label quality is checked."""
    id: Id = "labels"


class FailureMode(Value):
    """Something that will fail, and what the product does meanwhile."""

    id: Id
    failure: Text
    meanwhile: Text | None = None
    """What the user gets in the meantime."""
    fails: Literal["open", "closed"] | None = None
    """Open lets requests through unjudged, closed refuses them."""


class Assumption(Value):
    """A belief that the design rests on, and who is to check it."""

    id: Id
    text: Text
    owner: Text | None = None
    check: Text | None = None
    """How and by when it will be checked."""


class Requirements(Value):
    """What the product needs, as testable inequalities."""

    goal: Text | None = None
    non_goals: Several[Text] = ()
    baseline: Text | None = None
    """What is done today, without a model."""
    prediction: Prediction | None = None
    latency: Latency | None = None
    throughput: Throughput | None = None
    freshness: Freshness | None = None
    availability: Availability | None = None
    labels: Labels | None = None
    failure_modes: tuple[FailureMode, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        axes = ("prediction", "latency", "throughput", "freshness", "availability", "labels")
        stated = (((name, "id"), axis.id) for name in axes if (axis := getattr(self, name)))
        modes, assumptions = (
            ids_of("failure_modes", self.failure_modes),
            ids_of("assumptions", self.assumptions),
        )
        refuse(repeated(chain(stated, modes, assumptions)))
        return self
