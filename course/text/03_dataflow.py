# %% [markdown]
"""
# 03 Data flow: how old is what the model sees?

A job at Uber wrote features once a day to the store that models read. When it failed, the store went on serving
yesterday's values. When it kept failing, the values reached their expiry date, and the models got no features at
all [1]. Until that day, an old value looks like any other: the read is quick, and it succeeds.

**You will be able to** trace a feature from its raw source to the model's input and say how old it can be when it is
read; see that a feature for 15 minutes from a job every 15 minutes is a design gap; repair it as cheaply as can be, and
say when no schedule will do; build training rows that hold only what serving would have read; and measure what an old
feature costs.

**Harbour Pay** decides on card payments. Its requirement from lesson 01: features at most 15 minutes old. About 76
minutes, exercises apart.
"""

# %%
from textwrap import fill

import numpy as np
import pandas as pd

import mlsd_helpers as mlsd
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import Parallel, Stage
from mlsd_helpers.review import review
from mlsd_helpers.units import minute, ms, show_seconds

case = mlsd.cases.load("harbour_pay")
print(
    f"features at most {show_seconds(case.requirements.freshness.features)} old when they are read"
)

# %% [markdown]
"""
## 1 Two clocks

"The feature store answers in milliseconds" and "the feature is from an hour ago" can both be true of one read. **Latency** is how
long the read takes. [**Age**](glossary.md#age) is how long ago the data that it returns were taken. A fast store serves old data fast.

A [**feature store**](glossary.md#feature-store) has two parts: in the [**online store**](glossary.md#online-store) a request looks up the newest values; the [**offline store**](glossary.md#offline-store) keeps
their history, to train on, and no request can read it in time.

The [**latency SLA**](glossary.md) of a feature is the oldest it may be when the model reads it. (SLA stands for service-level agreement:
a promise that somebody relies on.) It belongs to the feature and not to the store.

Here is how Harbour Pay first planned `card_spend_24h`, what a card has spent in a day. A job starts on the hour and takes
the payments made until then. It needs 3 minutes to export, 12 to compute and 1 to load into the store. In front of the
store, a cache keeps each copy for 2 minutes, its [**TTL**](glossary.md) (time to live).

**Predict** before you read on.
"""

# %%
mlsd.ask("03-ask-hourly")

# %% [markdown]
"""
### A trace table

Take a payment made at 10:01 and follow it by the clock, a row a step. Each row says when the step is done.
"""

# %%
trace = pd.DataFrame(
    [
        ("payment made", 0, "10:01"),
        ("next run starts", 59, "11:00"),
        ("exported", 3, "11:03"),
        ("computed", 12, "11:15"),
        ("loaded into the store", 1, "11:16"),
        ("cached copy of the old value expires", 2, "11:18"),
    ],
    columns=["step", "takes_min", "done"],
).assign(age_min=lambda table: table["takes_min"].cumsum())
trace

# %% [markdown]
"""
Until 11:18 the model cannot know of this payment, which is then 77 minutes old. A payment at 10:00 and a second has just
missed the run of 10:00 and waits a minute longer. So the worst age is the **period, every delay and the TTL**:
"""

# %%
assert trace["age_min"].iloc[-1] == 77

# %%
hourly = [
    Stage(period_s=60 * minute, delay_s=3 * minute),
    Stage(delay_s=12 * minute),
    Stage(delay_s=1 * minute),
    Stage(ttl_s=2 * minute),
]
bounds = mlsd.formulas.age_bounds(hourly)
print(
    f"best {show_seconds(bounds.best_s)}, mean {show_seconds(bounds.mean_s)}, worst {show_seconds(bounds.worst_s)}"
)

# %% [markdown]
"""
At its best it is 16 minutes old: the delays alone have spent the 15 that were allowed. It is never fresh enough, not for
one read of the day. The age over time is a [**sawtooth**](glossary.md#sawtooth): it rises with the clock and falls when a result becomes readable.
"""

# %%
assert bounds.best_s == 16 * minute
assert mlsd.formulas.share_stale(hourly, 15 * minute) == 1

# %%
mlsd.figures.freshness_timeline(
    60 * minute, 16 * minute, ttl_s=2 * minute, sla_s=15 * minute
)

# %% [markdown]
"""
Which tooth a read meets is the [**phase**](glossary.md#phase)'s doing: when the runs start, against when the read comes. It changes what one
read finds and none of the bounds.

## 2 A 15-minute job is not 15 minutes fresh

`merchant_rate_15m`, a merchant's share of declined payments, has an SLA of 15 minutes, "so we run it every 15 minutes".
Its delays are 1 + 3 + 0.5 minutes; the cache keeps a copy for half a minute.

**Predict** the share of [**stale**](glossary.md#stale) reads, those that find it older than its SLA. Your answer opens the view below it.
"""

# %%
guess_stale = mlsd.ask("03-ask-stale")
guess_stale

# %% [markdown]
"""
**Explore.** Move the period until no read is stale. Then set the hourly job of section 1 (60, 16 and 2 minutes)
and try to save it by its period. What has to become shorter instead? Last, move the phase, and watch what changes and
what does not.
"""

# %%
mlsd.widgets.FreshnessTimeline(
    period_s=15 * minute,
    delay_s=(1 + 3 + 0.5) * minute,
    ttl_s=0.5 * minute,
    sla_s=15 * minute,
    prediction=guess_stale,
)

# %% [markdown]
"""
Solve for the period: what the delays and the TTL leave of the SLA is the longest that keeps it.
"""

# %%
rate_rest = [Stage(delay_s=4.5 * minute), Stage(ttl_s=0.5 * minute)]
longest_s = mlsd.formulas.largest_period_s(rate_rest, sla_s=15 * minute)
print(f"the merchant rate: a run every {show_seconds(longest_s)} at most")

# %%
spend_rest = [Stage(delay_s=16 * minute), Stage(ttl_s=2 * minute)]
try:
    mlsd.formulas.largest_period_s(spend_rest, sla_s=15 * minute)
except RangeError as problem:
    print(fill(str(problem), 68))

# %% [markdown]
"""
The first is a change of one number in a schedule. The second cannot be repaired by its period at all: a job that starts
every second still takes 16 minutes. It needs another **path**, which is all that data go through from their source to
the model: count the payments as they stream by, or take them from the request. Find that out before training, because a
model trained on fresh spend has learnt to rely on it.

Instacart's engineers describe such a move: features computed in batches were stale, covered too little and wasted much
of the work; as streams, they come within seconds instead of hours [2].

**Your turn.** An SLA of 40 minutes, delays of 9, a cache of 5.
"""

# %%
mlsd.ask("03-ask-period")

# %%
# Use this cell as your calculator.

# %% [markdown]
"""
## 3 Chains

Features are made from features. `graph_risk` scores how close a card is to known fraud. One job writes the edges of the
graph every 15 minutes and takes 2; another reads them every hour and takes 12.

**Predict.** Nobody has lined the two schedules up.
"""

# %%
mlsd.ask("03-ask-chain")

# %%
edges = Stage(period_s=15 * minute, delay_s=2 * minute)
scores = Stage(period_s=60 * minute, delay_s=12 * minute)
mlsd.figures.age_parts({"edges": [edges], "edges, then scores": [edges, scores]})

# %% [markdown]
"""
In **series** everything adds, periods too. Looking at the last job alone says 72 minutes, at the slowest schedule 60. Is
the sum too careful? Let clocks decide: both jobs run for a day, and a read comes every second. Only the phase of the
second job differs from row to row.
"""

# %%
assert mlsd.formulas.age_bounds([scores]).worst_s == 72 * minute
chain_worst_s = mlsd.formulas.age_bounds([edges, scores]).worst_s


def newest_run(period, phase, takes, at):
    """Return when the newest run started whose result is readable at a moment (minutes)."""
    return phase + np.floor((at - takes - phase) / period + 1e-9) * period


reads = np.arange(24 * 60, 48 * 60, 1 / 60)
print("scores start   best age   worst age")
for phase in (0, 2, 5, 10, 16):
    scored = newest_run(60, phase, takes=12, at=reads)
    age = reads - newest_run(15, 0, takes=2, at=scored)
    print(f"{phase:6} min past {age.min():7.0f} {age.max():11.0f}")
    assert age.max() <= chain_worst_s / minute

# %% [markdown]
"""
The bound of 89 holds for all of them, and the unlucky phases come within a minute or two of it. The lucky one starts the
scores just when the edges are there and saves a quarter of an hour for nothing: have the end of the first job *start* the
second. Then the second waits for no clock of its own.

**Branches in parallel** do not wait for each other. What joins them is as old as the oldest; adding them raises a false
alarm.
"""

# %%
assert chain_worst_s == 89 * minute
two_sources = Parallel(
    [
        [Stage(period_s=1 * minute, delay_s=8 * minute)],
        [Stage(period_s=1 * minute, delay_s=7 * minute)],
    ]
)
joined_s = mlsd.formulas.age_bounds([two_sources]).worst_s
print(f"series add, branches take the oldest: {show_seconds(joined_s)}")

# %% [markdown]
"""
Reading them takes time as well, on the *other* clock. A ranking of DoorDash reads 23 features for each candidate, as others report of it [3]. One
after the other at 2 ms they take 46 ms of the latency budget; in one call for all, little more than a single read.
"""

# %%
one_by_one = mlsd.design.Lookup(calls=23, time_per_call=2 * ms)
assert np.isclose(one_by_one.time_s, 46 * ms)
print(f"one after the other: {show_seconds(one_by_one.time_s)}")

# %% [markdown]
"""
## 4 Twelve features

Harbour Pay's first plan has twelve features. Minutes throughout; stages stand in their order, and nobody has lined up
their schedules.
"""


# %%
def in_words(path):
    """Write a path stage by stage."""
    said = []
    for stage in path:
        if "parallel" in stage:
            said.append(" | ".join(map(in_words, stage["parallel"])))
            continue
        parts = (("every", "period_min"), ("delay", "delay_min"), ("cache", "ttl_min"))
        said.append(
            " + ".join(f"{word} {stage[key]:g}" for word, key in parts if key in stage)
        )
    return ", then ".join(said) or "with the request"


pd.options.display.max_colwidth = None
features = mlsd.exercises.find("03-gaps").cases[0]["features"]
twelve = pd.DataFrame(features).set_index("name")
twelve.assign(path=twelve["path"].map(in_words))[["path", "store", "sla_min"]]

# %% [markdown]
"""
A bar, `|`, stands between branches side by side.

**Predict.** Take three minutes, and mind every column.
"""

# %%
mlsd.ask("03-ask-gaps")

# %% [markdown]
"""
Exercise 3 asks which, and exercise 4 for the cheapest repair. A gap that is found now costs a line in a plan. Pinterest's
feed of 2015 was ranked by features that were up to weeks old, and it took a new architecture to change that [4].

## 5 Training: join on when it became readable

To train, each payment gets the features *that the model would have read*. This is a [**point-in-time join**](glossary.md#point-in-time-join). A value has
two times: when what it describes happened, and when it could first be read. A window that ends at 10:00 and is published
at 10:12 is not there at 10:05.

Here are 20,000 payments of 90 days. One in fifty is fraud: more than in life, so that little data will do. When a payment
is disputed or cleared, the outcome is written into a table, with the time of the *payment* and, 5 to 30 days later, the
time from which it could be read.
"""

# %%
rng = np.random.default_rng(seed=3)
count = 20_000
fraud = rng.random(count) < 0.02
payments = pd.DataFrame(
    {
        "card": rng.integers(0, 2_000, count),
        "paid_at": np.sort(rng.uniform(0, 90, count)),
        "amount": rng.lognormal(3.2 + 0.9 * fraud, 1.0),
    }
)
outcomes = pd.DataFrame(
    {
        "card": payments["card"],
        "happened_at": payments["paid_at"],
        "readable_at": payments["paid_at"] + rng.uniform(5, 30, count),
        "disputed": fraud.astype(float),
    }
)
outcomes.head(3).round(2)

# %% [markdown]
"""
The feature: was the card's latest outcome a dispute? In this stream, fraud strikes every card alike, so an *earlier*
outcome says nothing about the next payment. In these invented payments it makes a **leak probe**: a feature of which we know that it is worthless.
If it looks good, the join leaks.

We measure with the **AUC**: the probability that a fraud gets a higher value than an honest payment. 0.5 is chance, 1 is
perfect. It follows from ranks; equal values share theirs.
"""


# %%
def auc(values, positive):
    """Return the AUC from ranks: Mann and Whitney's statistic over the number of pairs."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[group]
    positives = positive.sum()
    above = ranks[positive].sum() - positives * (positives + 1) / 2
    return above / (positives * (len(positive) - positives))


assert auc(np.array([1, 2, 3]), np.array([False, False, True])) == 1
assert auc(np.array([1, 1]), np.array([True, False])) == 0.5


# %%
def latest_outcome(joined_on):
    """Join each payment to its card's latest outcome as of some time; 0 where there is none."""
    rows = pd.merge_asof(
        payments,
        outcomes.sort_values(joined_on),
        left_on="paid_at",
        right_on=joined_on,
        by="card",
    )
    return rows["disputed"].fillna(0).to_numpy()


print(f"amount, an honest feature      AUC {auc(payments['amount'], fraud):.2f}")
print(
    f"probe, by when it happened     AUC {auc(latest_outcome('happened_at'), fraud):.2f}"
)

# %% [markdown]
"""
Perfect, and worthless: joined by the time of the event, each payment sees its own outcome weeks before anybody knew it. In
production that column would be empty for a payment made now.

**Predict** the AUC of the probe when it is joined by `readable_at`.
"""

# %%
mlsd.ask("03-ask-canary", truth=lambda: auc(latest_outcome("readable_at"), fraud))

# %%
leaked, honest = (
    auc(latest_outcome(time), fraud) for time in ("happened_at", "readable_at")
)
print(f"by when it happened {leaked:.2f}, by when it became readable {honest:.2f}")
assert leaked == 1
assert abs(honest - 0.5) < 0.02

# %% [markdown]
"""
In real data earlier disputes do predict later ones, so such a feature may be honest and still useful. A probe that works
anywhere is the row's *own* label, joined by when it became readable: at the time of the payment it has to be missing in
every row. Fail the build when it is there in one.

Where publication times were never kept, teams [**log and wait**](glossary.md#log-and-wait): they log what serving reads, and train once there is enough.
Airbnb's engineers found that this can take more than a year for a model of seasons [5]. Keep the second timestamp from the
first day.

### Labels are late, too

The label flows as the features do. In Criteo's data on advertisements, 35 % of conversions had arrived after an hour and
half after a day, of those that arrive within 30 days [6]. Whoever counts "no label yet" as "no" halves the rate:
"""

# %%
early = mlsd.formulas.share_of_labels_arrived(
    24 * 60 * minute, [(60 * minute, 0.35), (24 * 60 * minute, 0.50)]
)
print(f"a true rate of 2 % looks like {2 * early:.0f} % after a day")

# %% [markdown]
"""
Wait, or model the delay. `rate_from_early_labels` does the second: it divides by the share that has arrived.

## 6 The same feature on both paths

Training and serving often compute a feature in two languages, by two teams. [**Training–serving skew**](glossary.md) is any difference
between them. The feature here is the seconds since the card's last payment: a minute or two for a thief, hours for most. In one
read of twenty it is missing. Training fills the gap with the mean; serving, written later, with 0.

The model flags what is below a threshold that flags 1 % of honest payments in training.
"""

# %%
rng = np.random.default_rng(seed=5)
gap_s = np.concatenate([rng.exponential(6 * 3600, 20_000), rng.exponential(90, 400)])
stolen = np.arange(len(gap_s)) >= 20_000
missing = rng.random(len(gap_s)) < 0.05
fill_s = gap_s[~missing].mean()
in_training = np.where(missing, fill_s, gap_s)
threshold_s = np.quantile(in_training[~stolen], 0.01)

# %%
print("missing filled with   flagged honest   of those flagged, fraud")
for filled_with, value_s in (("the mean, as trained", fill_s), ("0", 0.0)):
    flagged = np.where(missing, value_s, gap_s) < threshold_s
    print(
        f"{filled_with:20} {flagged[~stolen].mean():15.1%} {stolen[flagged].mean():21.0%}"
    )

# %% [markdown]
"""
More than six times the false alarms, from the same model and the same data. To the model, 0 does not mean "unknown": it means "a
moment ago", which is what theft looks like. No request failed, no latency moved.

**One transformation, both paths**: the code and whatever was fitted (here the mean) travel with the model's version. And a
[**parity test**](glossary.md#parity-test) replays logged requests through the training code and compares feature by feature. It takes one line:
"""

# %%
served = np.where(missing, 0.0, gap_s)
print(f"features that differ: {(~np.isclose(in_training, served)).mean():.1%}")

# %%
flagged_as_trained = in_training < threshold_s
flagged_with_zero = served < threshold_s
rise = flagged_with_zero[~stolen].mean() / flagged_as_trained[~stolen].mean()
assert 6 < rise < 7

# %% [markdown]
"""
## 7 What does age cost? An experiment

An SLA is worth what it buys. Here is a day of 2,000 cards. 60 of them are stolen and used 30 times, on average every 72
seconds. The feature counts the card's payments in ten minutes; three or more are flagged. It arrives with an age: the ten
minutes end that long *before* the payment.
"""

# %%
rng = np.random.default_rng(seed=8)
cards, stolen_cards, uses = 2_000, 60, 30
usual = rng.poisson(4, cards)
starts = rng.uniform(0, 22 * 60, stolen_cards)[:, None]
bursts = starts + np.cumsum(rng.exponential(72 / 60, (stolen_cards, uses)), axis=1)
stream = pd.concat(
    [
        pd.DataFrame(
            {
                "card": np.repeat(np.arange(cards), usual),
                "at_min": rng.uniform(0, 24 * 60, usual.sum()),
                "fraud": False,
            }
        ),
        pd.DataFrame(
            {
                "card": np.repeat(rng.choice(cards, stolen_cards, replace=False), uses),
                "at_min": bursts.ravel(),
                "fraud": True,
            }
        ),
    ]
).sort_values(["card", "at_min"], ignore_index=True)
print(f"{len(stream):,} payments, {stream['fraud'].sum():,} of them fraud")


# %%
def seen(age_min, window_min=10):
    """Count, for each payment, those of its card in the window that ended `age_min` before."""
    counts = np.zeros(len(stream))
    for _, rows in stream.groupby("card"):
        at = rows["at_min"].to_numpy()
        until, since = at - age_min, at - age_min - window_min
        counts[rows.index] = np.searchsorted(at, until, "right") - np.searchsorted(
            at, since, "right"
        )
    return counts


def recall(age_min):
    """Return the share of fraud that is flagged when the feature is so old."""
    return (seen(age_min)[stream["fraud"]] >= 3).mean()


fresh = recall(age_min=1 / 60)
print(f"with a feature one second old, {fresh:.0%} of the fraud is flagged")

# %% [markdown]
"""
**Predict** what is left of it.
"""

# %%
mlsd.ask("03-ask-recall", truth=lambda: 100 * recall(age_min=15))

# %%
ages_min = (1 / 60, 1, 5, 15, 60)
recalls = [recall(age_min) for age_min in ages_min]
mlsd.figures.recall_by_age(
    [age_min * minute for age_min in ages_min], recalls, floor=0.80
)

# %% [markdown]
"""
Suppose the product asks for 80 %, and these are the prices (our assumptions, for the exercise of it):
"""

# %%
paths = pd.DataFrame(
    {
        "path": ["stream", "micro-batch", "5-minute job", "15-minute job", "hourly"],
        "worst_age": [show_seconds(age_min * minute) for age_min in ages_min],
        "recall": np.round(recalls, 2),
        "dollars_per_month": [6_000, 1_500, 600, 300, 80],
    }
)
paths

# %%
cheapest = paths[paths["recall"] >= 0.80].nsmallest(1, "dollars_per_month")
assert cheapest["path"].item() == "micro-batch"
assert recalls[-1] < 0.01
cheapest

# %% [markdown]
"""
The stream catches a little more, for four times the price. The hourly job catches nothing: its windows have not seen the
theft when the card is empty. So an SLA is *measured*, by ageing a feature on purpose in the training data, and not guessed.
LinkedIn measured it on people: with near-real-time features in place of some that were hours to days old, they made
0.66 % more job applications [7].

Other features hardly age at all. Do the experiment for each before you pay for its freshness.

## 8 When the pipeline stands still

Every bound so far takes it that the job runs. **Predict** for the hourly job of section 1:
"""

# %%
mlsd.ask("03-ask-outage")

# %%
silent_s = mlsd.formulas.worst_age_in_outage_s(hourly, outage_s=2 * 60 * minute)
print(f"two runs missed: up to {silent_s / minute:.0f} min, and every read succeeds")

# %% [markdown]
"""
This is Uber's decay again, before the values expire. Three things keep it from being silent:

- **watch the age**, not the job: now minus the newest event time in what serving reads, measured where it is read and
  alerted below the SLA. A job that publishes old data again resets the time of publication, and not this;
- give every feature a **default** that the model met in training, and alert on how often it is used;
- decide what is served while nothing new comes. Uber's answer was a store of whole versions that never change [1], so that
  there is a last good one to go on with.

### In a real pipeline

Two pipelines of payments run on your machine now. In one, payments go through a log to a **consumer**, a process that keeps
what each card did lately. In the other, a job scores every card again and again. A service reads from each, and every
answer says how old the state is that it was made from. Then the consumer is killed, and so is the job. **Predict**: how
many of the requests fail?
"""

# %% tags=["nbval-ignore-output"]
ages = mlsd.testbed.feature_ages()
ages

# %%
stream_s, dead_s, job_s, failed_s = ages.column("oldest_s")
assert stream_s < job_s
assert stream_s < dead_s
assert job_s < failed_s
assert not any(ages.column("failed"))

# %% [markdown]
"""
None of them. While all runs, the job's oldest state is a period and its own time old, as in section 1, and the stream's a
moment. Broken, both age by a second a second, and every read succeeds. The consumer, started again, reads what it has
missed: it writes its position in the log *together* with its counts, so that it loses no payment and counts none twice.

## 9 Exercises

Eight exercises wait in [the assignment](../release/03_dataflow/03_dataflow.ipynb): a trace by the clock, bounds of an age
in code, the gaps among twelve features, the cheapest repair, an as-of join, parity, late labels, and a whole data flow to
repair. Do them now.

## 10 Your design

The part of `design.yaml` for this lesson traces every feature. What you wrote before stays; where you skipped a lesson, the
worked design of Harbour Pay stands in. Two decisions are yours. Choose, then run: how does the spend of a card get to the
model, and how often is the merchants' rate computed?
"""

# %%
spend_path = "card_stream"  # or "daily", or "twice_daily"
rate_period = "10 min"

# %%
worked = case.dataflow
flow = worked.changed(
    stages=[
        stage.changed(period=rate_period) if stage.id == "merchant_rate" else stage
        for stage in worked.stages
    ],
    features=[
        feature.changed(path=spend_path) if feature.id == "card_spend_24h" else feature
        for feature in worked.features
    ],
)

# %%
design = mlsd.cases.carry_on("design.yaml", "harbour_pay", until="dataflow")
design = design.with_part(dataflow=flow)
design.save("design.yaml", replace=True)
gaps = [
    finding
    for finding in review(design)
    if finding.where.startswith("dataflow") and finding.severity == "error"
]
for finding in gaps:
    print(finding.message, finding.fix)
print(f"design.yaml: {len(flow.features)} features traced, {len(gaps)} gaps")

# %% [markdown]
"""
Set `rate_period` to 15 minutes and run the last two cells again: the review says what you now know. Then set it back.

## 11 What the rule leaves out

Period plus delays plus TTL is a bound for a pipeline that works as planned. It leaves out:

- **late data.** A phone without a network sends its payment an hour later. The bound counts from arrival; for the event it
  is longer.
- **delays that vary.** A run takes 12 minutes on most days. Put a time into the sum that a run may not exceed, and stop
  or alert on what does; means are too short, and percentiles do not add.
- **overrun.** A job that takes longer than its period starts late or twice, and the sawtooth loses its teeth.
- **windows.** A count over 24 hours that is 15 minutes old is nearly right; one over 10 minutes is about another time.
- **retries and backfills.** A run that is repeated publishes old data anew, with a new time on it.
- **what freshness is worth.** In Facebook's study of advertisements, the right features mattered most, and a *model* trained
  on newer data helped much less [8]; it did not ask how old features may be. In section 7 their age was all that mattered.

Write the bound down all the same. It takes a minute a feature, and it finds the gaps that no schedule can close.

## 12 From earlier lessons

Five questions, without looking back.
"""

# %%
mlsd.ask("03-recall-plane")

# %%
mlsd.ask("03-recall-ages")

# %%
mlsd.ask("03-recall-p99")

# %%
mlsd.ask("03-recall-chain")

# %%
mlsd.ask("03-recall-log")

# %% [markdown]
"""
## Sources

1. *Immutable key-value store on Cassandra*, Uber, Feature Store Summit, 2024.
2. Instacart, *Lessons Learned: The Journey to Real-Time Machine Learning*, 2022.
3. DoorDash Engineering, *Building a Gigascale ML Feature Store with Redis*, 2020, and later reports on its feature store.
4. J. Liu, *Building a dynamic and responsive Pinterest*, Pinterest Engineering, 2018.
5. N. Simha, *Chronon*, Airbnb Tech Blog, 2023.
6. O. Chapelle, *Modeling Delayed Feedback in Display Advertising*, KDD 2014.
7. LinkedIn Engineering, *Near real-time features for near real-time personalization*, 2022.
8. X. He et al., *Practical Lessons from Predicting Clicks on Ads at Facebook*, ADKDD 2014.

Harbour Pay is invented; its numbers, the prices and the three streams of data are our assumptions.
"""
