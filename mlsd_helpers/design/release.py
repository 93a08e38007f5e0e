"""How a new model is made again, tested, released in stages and taken back."""

from typing import Literal

from pydantic import Field

from mlsd_helpers.design.quantities import Count, Fraction, Positive, Seconds
from mlsd_helpers.design.value import Id, Several, Text, Value

Versioned = Literal[
    "model", "feature schema", "configuration", "code", "prompt", "tokeniser", "adapter", "guardrails",
    "features", "index", "predictions",
]  # fmt: skip
"""What a release or a rollback may hold; features, index and predictions are stored data."""


class Retraining(Value):
    """When a new model is trained, and how often at most."""

    triggers: Several[Literal["schedule", "volume", "drift", "quality", "manual"]] = ()
    """What starts a training."""
    period: Seconds | None = None
    """From one scheduled training to the next."""
    cooldown: Seconds | None = None
    """The least time between two trainings."""
    decided_after: Seconds | None = None
    """From a prediction to the decision that uses its label."""


class Gate(Value):
    """A test that a release must pass before anybody sees it."""

    id: Id
    metric: Text
    """What is measured."""
    of: Several[Id] = ()
    """The components that are tested: the model, its fallback, an index; the released one when left out."""
    on: Text | None = None
    """The evaluation set."""
    share_of: Literal["cases", "positives", "negatives", "alarms"] | None = None
    """What the metric is a share of: recall is one of the positives, precision one of the alarms."""
    drawn: Literal["later", "apart", "later and apart", "at random", "elsewhere"] | None = None
    """How its cases differ from those of the training: they are later, of other persons, places or devices, both, drawn
    at random from the same ones, or from another source."""
    cases: Count | None = None
    """How many cases the evaluation set has."""
    positives: Count | None = None
    """How many of the cases are positive, where they are not there at the base rate."""
    owner: Text | None = None
    """Who keeps the evaluation set right."""
    refreshed: Seconds | None = None
    """How often cases are added or replaced."""
    at_least: Fraction | None = None
    """The lowest value that passes."""
    at_most: Fraction | None = None
    """The highest value that passes."""
    baseline: Text | None = None
    """What it is compared with: "the model in use", "the rules of today"."""
    worse_by_at_most: Fraction | None = None
    """How much worse than the baseline it may be, as a difference of the metric; 0 when left out."""
    paired: bool | None = None
    """Whether both answer the same cases, so that only the cases on which they differ decide."""
    slices: Several[Text] = ()
    """The groups in which it has to pass too: language, product, age group."""
    smallest_slice: Count | None = None
    """How many cases the smallest of these groups has."""


class ReleaseStage(Value):
    """One step of a release: who gets it, for how long, and what ends it."""

    id: Id | None = None
    to: Text | None = None
    """Who gets it, where a share does not say: "employees", "shops in one city"."""
    share: Positive[Fraction] | None = None
    """The share of requests or devices that get it."""
    lasts: Seconds | None = Field(default=None, alias="for")
    """How long this step takes."""
    stops_on: Several[Id] = ()
    """The alerts and objectives that stop the release, by their ids."""


class Release(Value):
    """How a new model reaches the users, and how it is taken back."""

    of: Several[Id] = ()
    """The components that are released: by their ids; every model when left out."""
    validation: Text | None = None
    """What a model must pass before anybody sees it, in words; ``gates`` say it in numbers."""
    gates: tuple[Gate, ...] = ()
    """The tests that a model must pass."""
    approved_by: Text | None = None
    """The team or role that decides on a release after its tests."""
    shadow: Seconds | None = None
    """How long it answers beside the old one, unseen."""
    canary_share: Fraction | None = None
    """The share of requests that the first users make up."""
    canary_time: Seconds | None = None
    """How long only they get it."""
    stages: tuple[ReleaseStage, ...] = ()
    """The steps from the first users to all, in order; with them, leave ``canary_share`` and ``canary_time`` out."""
    rollback_to: Text | None = None
    """What comes back: the model before, the rules."""
    rollback_time: Seconds | None = None
    """From the decision to the old behaviour everywhere."""
    rollback_takes_back: Several[Versioned] = ()
    """What a rollback takes back, stored data included; what is versioned together when left out."""
    versioned_together: Several[Versioned] = ()
    """What is released together, and goes back together in a rollback."""
    kill_switch: Text | None = None
    """What is switched off at once, and what happens then."""

    @property
    def rollout(self) -> tuple[ReleaseStage, ...]:
        """The stages in order; a canary without stages is the only one.

        >>> Release(canary_share="1%", canary_time="2 h").rollout[0].share
        0.01
        """
        if self.stages or not self.canary_share:
            return self.stages
        return (ReleaseStage(id="canary", share=self.canary_share, lasts=self.canary_time),)

    @property
    def taken_back(self) -> tuple[Versioned, ...]:
        """What a rollback takes back."""
        return self.rollback_takes_back or self.versioned_together
