"""Experiments on users: what is compared, on whom, for how long, and what must not get worse."""

from mlsd_helpers.design.quantities import Count, Extra, Fraction, Positive, Ratio, Seconds
from mlsd_helpers.design.value import Id, Several, Text, Value


class Experiment(Value):
    """One comparison of a change with what there is, at random among units."""

    id: Id
    question: Text | None = None
    """What the result decides."""
    unit: Text | None = None
    """What is put into an arm at random: "user", "shop", "city and hour"."""
    units_per_day: Count | None = None
    """New units a day, over all arms."""
    units: Count | None = None
    """In place of units a day: how many there are in all, where no new ones come, such as shops."""
    cluster_size: Positive[Count] | None = None
    """Units that go into an arm together: the pupils of a school; then ``units`` counts the pupils."""
    correlation: Fraction | None = None
    """How alike the units of one cluster are: the share of the variance that lies between clusters."""
    share: Positive[Fraction] | None = None
    """The share of units that take part; all when left out."""
    arms: Positive[Count] = 2
    """The unchanged one included."""
    metric: Text | None = None
    """The one number that decides."""
    baseline: Fraction | None = None
    """What the metric is today, where it is a share."""
    variation: Positive[Ratio] | None = None
    """Where the metric is a mean: its standard deviation between units, as a multiple of the mean."""
    effect: Positive[Extra] | None = None
    """The smallest change that must be seen, relative to the baseline: 2% of a baseline of 10% is 0.2 points."""
    significance: Positive[Fraction] = 0.05
    """The probability of seeing an effect where there is none, two-sided."""
    power: Positive[Fraction] = 0.8
    """The probability of seeing an effect of this size."""
    duration: Positive[Seconds] | None = None
    """How long it runs: how long units enter."""
    outcome_after: Seconds | None = None
    """How long after a unit has entered until its outcome is known."""
    read_after: Seconds | None = None
    """From the start until the result is read; at the end of its duration when left out."""
    guardrails: Several[Text] = ()
    """What must not get worse, and by how much at most."""
    looks: Positive[Count] = 1
    """How often the result is looked at before the end, the end included."""
    sequential: Text | None = None
    """The test that allows for several looks, such as alpha spending by O'Brien and Fleming."""
    interference: Text | None = None
    """How units in one arm may change the result of others: a shared stock, a marketplace."""
    isolated_by: Text | None = None
    """What keeps the arms apart all the same, or corrects for it: a budget for each arm, whole cities."""
