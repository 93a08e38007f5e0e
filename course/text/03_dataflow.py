# %% [markdown]
"""
# 03 Data flow: how old is what the model sees?

A job at Uber wrote features once a day to the store that models read. When it failed, the store went on serving
yesterday's values. When it kept failing, the values reached their expiry date, and the models got no features at
all [1]. Until that day, an old value looks like any other.

**You will be able to** trace a feature from its source to the model's input and say how old it can be when it is
read; say how often a job has to run for a feature to be at most 15 minutes old; say when no schedule will do; build training rows that hold only what serving would have read; and measure what an old
feature costs.

**Harbour Pay** decides on card payments. Its requirement from lesson 01: features at most 15 minutes old. (Section 6 asks
whether that is enough for each of them.) About 60 minutes, exercises apart; a break fits before section 4.
"""

# %%
import numpy as np
import pandas as pd

import mlsd_helpers as mlsd
from mlsd_helpers.formulas import Stage
from mlsd_helpers.units import minute

case = mlsd.cases.load("harbour_pay")

# %% [markdown]
"""
## 1 Two clocks

"The feature store answers in milliseconds" and "the feature is from an hour ago" can both be true of one read. **Latency** is how
long the read takes. [**Age**](glossary.md#age) is how long ago the returned data were recorded. A fast store serves old data fast.

A [**feature store**](glossary.md#feature-store) has two parts. In the [**online store**](glossary.md#online-store) a request looks up the newest values, in milliseconds. The
[**offline store**](glossary.md#offline-store) keeps their history, to train on; it is a warehouse, too slow for a request that somebody waits for.

The [**age limit**](glossary.md#age-limit) of a feature is the oldest it may be when the model reads it. It belongs to the feature and not to
the store. (In `design.yaml` its field is `sla`, and in the code below `sla_s` gives it in seconds.)

Here is how Harbour Pay first planned `card_spend_24h`, what a card has spent in a day. A job starts on the hour and takes
the payments made until then. It needs 3 minutes to export, 12 to compute and 1 to load into the store. In front of the
store, a cache keeps each copy for 2 minutes, its TTL ([**time to live**](glossary.md#time-to-live)).
"""

# %%
guess_hourly = mlsd.ask("03-ask-hourly")
guess_hourly

# %% [markdown]
"""
### A trace table

Check your guess by the clock. Follow a payment made at 10:01, a row for each step; each row says when the step is done.
"""

# %%
guess_hourly.unlocks(mlsd.samples.follow_a_payment)

# %% [markdown]
"""
Until the last row is done, the model does not know of this payment. A payment one second after 10:00 has just missed a run, and
waits a minute longer than this one. So

> worst age = period + all delays + TTL, and best age = the delays alone.

The age over time is a [**sawtooth**](glossary.md#sawtooth): it rises with the clock and falls when a result becomes readable.
"""

# %%
guess_hourly.unlocks(
    mlsd.figures.freshness_timeline(
        60 * minute, 16 * minute, ttl_s=2 * minute, sla_s=15 * minute
    )
)

# %% [markdown]
"""
The delays alone take 3 + 12 + 1 = 16 minutes, and 15 were allowed: every read is too old. Where on the sawtooth a read falls
depends on the [**phase**](glossary.md#phase), the time between the start of a run and the read. The phase changes what one read finds
and leaves the bounds as they are.

## 2 Which schedule keeps an age limit?

`merchant_rate_15m`, a merchant's share of declined payments, may be 15 minutes old, "so we run it every 15 minutes".
Its delays are 1 + 3 + 0.5 minutes; the cache keeps a copy for half a minute. A read is [**stale**](glossary.md#stale) when it finds the feature
older than its limit. Your answer opens the view below.
"""

# %%
guess_stale = mlsd.ask("03-ask-stale")
guess_stale

# %% [markdown]
"""
**Explore.**

1. The view names a period that would keep the limit. Set it. By which sum does the view find it?
2. Delays of 20 minutes, a TTL of 5 and an age limit of 30: work out the longest period first, then set them and compare. And
   with delays as long as the limit?
3. Move the phase. What changes, and what does not?
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
Solved for the period, the bound says: **longest period = age limit − delays − TTL**. For the merchants' rate that is 15 − 4.5 − 0.5 = 10 minutes, and for
the spend of section 1 it is 15 − 16 − 2 = −3.

The first needs one other number in a schedule. For the second nothing is left: a job that starts every second still takes
16 minutes. What is left is a shorter run, or another **path**, which is all that data go through from their source to the model: count the payments
as they stream by, or take them from the request. Find that out before training, because a model trained on fresh spend
has learnt to rely on it.

**Your turn.**
"""

# %%
mlsd.ask("03-ask-period")

# %% [markdown]
"""
## 3 Chains

Features are made from features. `graph_risk` scores how close a card is to known fraud. One job writes the edges of the
graph every 15 minutes and takes 2; another reads them every hour and takes 12. Nobody has lined the two schedules up.
"""

# %%
guess_chain = mlsd.ask("03-ask-chain")
guess_chain

# %%
edges = Stage(period_s=15 * minute, delay_s=2 * minute)
scores = Stage(period_s=60 * minute, delay_s=12 * minute)
guess_chain.unlocks(
    mlsd.figures.age_parts({"edges": [edges], "then scores": [edges, scores]})
)

# %% [markdown]
"""
In **series** everything adds, periods too. The sum is a bound: with lucky starts, the second job begins just when the edges are there, and up
to 15 minutes are saved. Do not leave that to luck: let the end of a run of the first job *start* the second. There are two ways to do it, at two prices.
Here are three ways to start the second job: the runs that it makes in a day, and the worst age in minutes.
"""

# %%
guess_chain.unlocks(mlsd.samples.ways_to_start)

# %% [markdown]
"""
**Branches in parallel** do not wait for each other. What joins them is as old as the oldest branch: of branches of 1 + 8 and 1 + 7 minutes, 9 minutes.
Adding them up would raise a false alarm.
"""

# %% [markdown]
"""
## 4 Training: join on when it became readable

To train, each payment gets the features *that the model would have read*. This is a [**point-in-time join**](glossary.md#point-in-time-join). A value has
two times: when what it describes happened, and when it could first be read. A window that ends at 10:00 and is published
at 10:12 is not there at 10:05. The time from which it can be read is its [**availability time**](glossary.md#availability-time): in `design.yaml`, `join: availability time`.

Here are 20,000 payments of 90 days. One in fifty is fraud: more than in life, so that little data will do. When a payment
is disputed or cleared, the outcome is written into a table, with the time of the *payment* and, 5 to 30 days later, the
time from which it could be read. Times are in days from the first; `disputed` is 1 where the payment was disputed and 0 where it was cleared.
"""

# %%
payments, outcomes = mlsd.samples.disputed_payments()
outcomes.head(3).round(2)

# %% [markdown]
"""
The feature: was the card's latest outcome a dispute? In these invented payments fraud strikes the cards at random.

We measure with the **AUC**: the probability that a fraud gets a higher value than an honest payment, a tie counted half.
"""


# %%
def probe_auc(joined_on):
    """Join each payment to its card's latest outcome as of some time, and return its AUC."""
    rows = pd.merge_asof(
        payments,
        outcomes.sort_values(joined_on),
        left_on="paid_at",
        right_on=joined_on,
        by="card",
    )
    disputed = rows["disputed"].fillna(0)
    return mlsd.samples.auc(disputed[rows["fraud"]], disputed[~rows["fraud"]])


round(probe_auc("happened_at"), 2)

# %% [markdown]
"""
As good as an AUC can be: joined by the time of the event, each payment sees its own outcome weeks before anybody knew it. In
production that column would be empty for a payment made now. And joined by `readable_at`?
"""

# %%
mlsd.ask("03-ask-canary", truth=probe_auc("readable_at"))

# %% [markdown]
"""
This feature is a **leak probe**: we made it so that it can tell nothing, so when it looks good, the
join leaks. In real data earlier disputes do predict later ones, so a high AUC there is no proof of a leak. A
probe for real data is the row's *own* label, joined by when it became readable: at the time of the payment it has to be
missing in every row. Fail the build when it is there in one.

## 5 The same feature on both paths

Training and serving often compute a feature in two languages, by two teams. A [**skew between training and serving**](glossary.md#skew-between-training-and-serving)
is any difference between them. The feature here is the seconds since the card's last payment: a minute or two for a thief, hours for most. In some
reads it is missing. Training fills the gap with the mean; serving, written later, with 0. The model flags what is below
a threshold that flags 1 % of honest payments in training.
"""

# %%
rows = mlsd.samples.gaps_between_payments()
in_training = rows["gap_s"].fillna(rows["gap_s"].mean())
in_serving = rows["gap_s"].fillna(0)
threshold_s = in_training[~rows["fraud"]].quantile(0.01)

flagged = pd.DataFrame(
    {
        "training, with the mean": in_training < threshold_s,
        "serving, with 0": in_serving < threshold_s,
    }
)
flagged.groupby(rows["fraud"].map({True: "fraud", False: "honest payments"})).mean()

# %% [markdown]
"""
This is the share of each that is flagged: several times the false alarms, from the same model and the same data. To the model, 0 does not mean "unknown": it means "a
moment ago", which is what theft looks like. So every read without a value is flagged: of honest payments, and of fraud too, which is why more fraud is found. Flagging one read in eighteen at random
would do the same. No request failed, no latency moved.

**One transformation on both paths**: its code, and the mean that was fitted, travel with the model's version. And a
[**parity test**](glossary.md#parity-test) replays logged requests through the training code and compares feature by feature. The share of values that differ takes one line:
"""

# %%
round(float(np.mean(~np.isclose(in_training, in_serving))), 3)

# %% [markdown]
"""
## 6 What does age cost? An experiment

An age limit is worth what it buys. Here is a day of 2,000 cards. 60 of them are stolen and used 30 times, on average every 72
seconds. The feature counts the card's payments in ten minutes; three or more are flagged. It arrives with an age: the ten
minutes end that long *before* the payment. We look at the **recall**, the share of the fraud that is flagged, and beside it at
the **false alarms**, the share of the honest payments that are flagged too: a recall that is bought with false alarms is no gain.
"""

# %%
day = mlsd.samples.payments_of_a_day()
fraud = day["fraud"].to_numpy()
flagged = mlsd.samples.flagged_at_age(day, age_min=1 / 60)  # one second
pd.Series({"recall": flagged[fraud].mean(), "false alarms": flagged[~fraud].mean()})

# %% [markdown]
"""
And with one that is 15 minutes old?
"""

# %%
guess_recall = mlsd.ask(
    "03-ask-recall",
    truth=100 * mlsd.samples.flagged_at_age(day, 15)[fraud].mean(),
)
guess_recall

# %% [markdown]
"""
Suppose the product asks for 80 %, and these are the paths and their prices (our assumptions). A *micro-batch* is a job that
takes every few seconds what has come in since its last run. Period and delay add up to the worst age, as in section 2. But a read
meets the worst age seldom: over a period, the age rises from the delay to the worst. So the table has the recall at the worst
age, and that of the whole day, as the mean over twelve phases of the schedule. Times in minutes.
"""

# %%
paths = pd.DataFrame(
    [
        ("stream", 0, 1 / 60, 6_000),
        ("micro-batch", 0.5, 0.5, 1_500),
        ("job every 3 min", 3, 2, 600),
        ("job every 10 min", 10, 5, 300),
        ("hourly job", 60, 15, 80),
    ],
    columns=["path", "period", "delay", "USD a month"],
).set_index("path")

# %%
for path, way in paths.iterrows():
    at_worst = mlsd.samples.flagged_at_age(day, way["period"] + way["delay"])
    over_day = mlsd.samples.flagged_over_the_day(day, way["period"], way["delay"])
    paths.loc[path, "recall at worst"] = at_worst[fraud].mean()
    paths.loc[path, "recall"] = over_day[fraud].mean()
    paths.loc[path, "false alarms (%)"] = 100 * over_day[~fraud].mean()
guess_recall.unlocks(paths.round(3))

# %%
worst_s = list((paths["period"] + paths["delay"]) * minute)
guess_recall.unlocks(
    mlsd.figures.recall_by_age(worst_s, list(paths["recall at worst"]), floor=0.80)
)

# %% [markdown]
"""
The figure shows the worst ages; the choice rests on the whole day. The job every 3 minutes is just short of the floor in this
sample of 60 stolen cards. The micro-batch is the cheapest path above it; the stream catches a little more, for four times the price.

The hourly job catches nothing at its worst age, where its window ends before the theft begins, and 7 % over the day, from the
reads soon after a run. It raises fewer false alarms and finds far less; on the other paths the false alarms are nearly alike.

So what age costs is *measured*, by ageing a feature on purpose in the training data. In the figure the recall crosses 80 % between
1 and 5 minutes: what the product needs is in between. Harbour Pay writes down 1 minute for the count of ten minutes, the worst age
on the path that it buys, below the general 15. An older read then says that the path does not work as it was bought.

(The threshold is three at every age. Tuned for each age, the loss may be smaller.) Other features hardly age at all. Do the
experiment for each before you pay for its freshness.

## 7 When the pipeline stands still

Every bound so far assumes that the job runs. Now the hourly job of section 1 fails twice in a row.
"""

# %%
mlsd.ask("03-ask-outage")

# %% [markdown]
"""
This is Uber's story again, before the values expire. Three things make it visible:

- **watch the age**, not the job: now minus the newest event time in what serving reads, measured where it is read, with an
  alarm below the limit. When a job publishes old data again, its time of publication is new, and the newest event time
  stays old;
- give every feature a **default** that the model met in training, and alert on how often it is used;
- decide what is served while nothing new comes. Uber's answer was a store of whole, immutable versions [1], so that
  there is a last good one to go on with.

## 8 Write it down

The part of `harbour_pay.yaml` for this lesson traces every feature. Two decisions are yours: how does the spend
of a card get to the model, and how often is the merchants' rate computed? These paths are there, from their sources to what a request reads
(period, delays and TTL in minutes):
"""

# %%
mlsd.samples.path_table(case.dataflow, ["daily", "twice_daily", "card_stream"])

# %%
spend_path = ""  # "daily", "twice_daily" or "card_stream"
rate_period = ""  # such as "1 h"

# %%
flow = case.dataflow  # where you leave a blank, what the worked case decided
if spend_path:
    flow = flow.with_feature("card_spend_24h", path=spend_path)
if rate_period:
    flow = flow.with_stage("merchant_rate", period=rate_period)

mlsd.write("harbour_pay.yaml", dataflow=flow)

# %%
design = mlsd.load_design("harbour_pay.yaml")
[finding.message for finding in mlsd.review(design) if finding.severity == "error"]

# %% [markdown]
"""
An empty list: the review finds no error in what is written, which is the worked case's flow for as long as you leave blanks. Decide, and run these cells again. Try what you
doubt, too: the review says what it costs.

## 9 Without looking back

Two questions on earlier lessons, two on this one.
"""

# %%
mlsd.ask("03-recall-p99")

# %%
mlsd.ask("03-recall-log")

# %%
mlsd.ask("03-recall-limit")

# %%
mlsd.ask("03-recall-watch")

# %% [markdown]
"""
## What you can do now

- **Trace** a feature to its source: the hourly spend was up to 78 minutes old, in a store that answers in milliseconds.
- **Solve** for the period: 15 − 4.5 − 0.5 leaves 10 minutes; 15 − 16 − 2 leaves nothing, and asks for another path.
- **Add** what is in series, 89 minutes for two jobs, and take the oldest of what runs in parallel.
- **Join** training rows on when a value became readable, and send both paths through one transformation.
- **Measure** what age costs before you pay for freshness, and watch the age where it is read.

**Next:** eight exercises in [the assignment](../release/03_dataflow/03_dataflow.ipynb), in three sittings, then [lesson 04](04_patterns.ipynb): should an
answer be made ahead of the request, or on request?

## For another day: your own system

About 10 minutes, on another day. The same part as an example in your `design.yaml`, to be changed there:
"""

# %%
mlsd.outline("design.yaml", "dataflow")

# %% [markdown]
"""
## For another day: further

About 15 minutes, and not needed for the exercises. Each part needs the lesson's first code cell alone.

### In a real pipeline

Two pipelines of payments will run on your machine. In one, payments go through a **log**, which keeps them in their order, to a
**consumer**, a process that reads the log and keeps what each card did lately. In the other, a job scores every card again and
again, every 3 seconds. A service reads from each, and every answer says how old its data are. Then the consumer is killed, and
so is the job, and requests go on for some seconds.
"""

# %%
guess_dead = mlsd.ask("03-ask-dead")
guess_dead

# %% tags=["nbval-ignore-output"]
# measures for about 30 s
guess_dead.unlocks(mlsd.testbed.feature_ages)

# %% [markdown]
"""
The consumer, started again, reads what it has missed: it writes its position in the log *together* with its counts, so that it
loses no payment and counts none twice.

### Is the sum of a chain too careful?

Let clocks decide, for the two jobs of section 3: both run for a day, and a read comes every second. From row to row, the second job starts at
another minute past the hour.
"""


# %%
def newest_run(period, starts, takes, at):
    """Return when the newest run started whose result is readable at a moment (minutes)."""
    return starts + np.floor((at - takes - starts) / period + 1e-9) * period


reads = np.arange(24 * 60, 48 * 60, 1 / 60)
ages = {}
for starts in (0, 2, 5, 10, 16):
    scored = newest_run(60, starts, takes=12, at=reads)
    age = reads - newest_run(15, 0, takes=2, at=scored)
    ages[f"{starts} min past"] = {"best_min": age.min(), "worst_min": age.max()}
pd.DataFrame(ages).T.round()

# %% [markdown]
"""
The sum bounds all of them, and unlucky starts come within a minute or two of it.

### No publication times, and labels that come late

Where nobody kept the times of publication, teams [**log and wait**](glossary.md#log-and-wait): they log what serving reads, and train once there is
enough. Airbnb's engineers found that this can take more than a year for a model of seasons [5]. Keep the second timestamp
from the first day.

Labels flow as features do. In Criteo's data on advertisements, 35 % of conversions had arrived after an hour and
half after a day, of those that arrive within 30 days [6]. Whoever counts "no label yet" as "no" sees half of the true rate
after a day: 2 % looks like 1 %. Wait, or divide by the share that has arrived; exercise 7 does the first.

### Other systems

Instacart's engineers describe a move from batches to streams. Features computed in batches were stale, covered too little and wasted much
of the work; as streams, they came within seconds instead of hours [2].

Pinterest's feed of 2015 was ranked by features that were up to weeks old,
and it took a new architecture to change that [4].

A ranking of DoorDash reads 23 features for each candidate, as others report of it [3]; we found no source of their own. One after
the other at 2 ms each, 23 × 2 = 46 ms of the latency budget are gone. Asked for in one call, they take little more than a single read.

LinkedIn measured it on people: with near-real-time features in place of some that were hours to days old, they made
0.66 % more job applications [7]; we have the figure from a summary.

### What the rule leaves out

Period plus delays plus TTL is a bound for a pipeline that works as planned. It leaves out:

- **late data.** A phone without a network sends its payment an hour later. The bound counts from arrival; for the event it
  is longer.
- **delays that vary.** A run takes 12 minutes on most days. Put a time into the sum that a run may not exceed, and stop
  or alert on what does; means are too short, and percentiles do not add.
- **overrun.** A job that takes longer than its period starts late or twice, and the bound no longer holds.
- **windows.** A count over 24 hours that is 15 minutes old shares nearly all of its window with a fresh one. A count over
  10 minutes shares none of it.
- **retries and backfills.** A run that is repeated, or that fills a gap of the past (a backfill), publishes old data with a
  new time of publication.
- **other ages.** In Facebook's study of advertisements, the right features mattered most, and a *model* trained
  on newer data helped much less [8]; that is the age of the model, and the study did not ask how old features may be.

Write the bound down all the same. It takes a minute for each feature, and shows which gaps a schedule does not close.

## Sources

1. *Immutable key-value store on Cassandra*, Uber, Feature Store Summit, 2024.
2. Instacart, *Lessons Learned: The Journey to Real-Time Machine Learning*, 2022.
3. DoorDash Engineering, *Building a Gigascale ML Feature Store with Redis*, 2020, on the store; the 23 features from later reports of others.
4. J. Liu, *Building a dynamic and responsive Pinterest*, Pinterest Engineering, 2018.
5. N. Simha, *Chronon*, Airbnb Tech Blog, 2023.
6. O. Chapelle, *Modeling Delayed Feedback in Display Advertising*, KDD 2014.
7. LinkedIn Engineering, *Near real-time features for near real-time personalization*, 2022; the figure as summarised by others.
8. X. He et al., *Practical Lessons from Predicting Clicks on Ads at Facebook*, ADKDD 2014.

Harbour Pay is invented; its numbers, the prices and the three streams of data are our assumptions.
"""
