# %% [markdown]
"""
# 01 Requirements: what has to be true?

Uber predicts when a car arrives. Its engineers stated three requirements for the network that does it:
[**latency**](glossary.md#latency), an answer within a few milliseconds at most; **accuracy**, a smaller error than that of the model that they had; and
**generality**, one model for all of Uber's lines of business [1]. Each of the three is something that a design can fail.

Stripe decides on a card payment in less than 100 ms, and about one payment in a thousand is fraud [2]. The second number is
no requirement, but a promise about alarms depends on it: section 2.

**You will be able to** ask for what nobody says; state a product's needs on four axes as inequalities that a
measurement can fail; tell what a mean and a percentile promise, also of a request that needs many calls; find the peak of a
week; and know when a load test misleads. About 60 minutes, exercises apart; a break fits before section 5.

**Harbour Pay** decides on card payments while the customer stands at the till. Here you find out what it needs.
"""

# %%
import numpy as np
import pandas as pd

import mlsd_helpers as mlsd
from mlsd_helpers.cases import traffic
from mlsd_helpers.units import ms

case = mlsd.cases.load("harbour_pay")
worked = case.requirements

# %% [markdown]
"""
## 1 Ask

Requirements are seldom written down when you arrive. A product owner at Harbour Pay has time for five questions of
twelve, and volunteers nothing. Two of the twelve answers cannot both hold; one tells of a constraint that nobody
mentions unasked.

Before you ask: which five answers could *change a design*? Ask those. Then tick two answers that cannot both hold, if you
heard such a pair, and press **These two cannot both hold**.
"""

# %%
interview = mlsd.widgets.StakeholderInterview()
interview

# %% [markdown]
"""
What you did not ask, you will have to assume. An assumption that is written down, with somebody who checks it, can be found
wrong in time: section 7 puts yours on the page. Three habits help in any such interview:

- Ask for **numbers and their sources**. Held side by side, they show whether a wish can come true.
- Ask for **what must not happen**. Laws and contracts rule out whole designs, and to your host they go without saying.
- Do not ask for solutions. Your host knows what has to be true; the algorithm is your business.

When two requirements clash, do not drop one of them silently. Say what each way out costs, and let the
product decide: exercise 6.

## 2 Four axes, and what hides behind them

The [**p99**](glossary.md#p99) of the latency, its 99th percentile, is the time within which 99 of 100 answers come.

| axis | what it asks | for Harbour Pay |
|---|---|---|
| prediction type | what is one answer? | a score: fraud or not |
| latency | within what time, for which share of requests? | p99 latency < 500 ms |
| throughput | how much comes in the busiest period? | peak = 500 requests/s, over five minutes |
| freshness | how old may what the model reads be? | age of a count of recent payments < 15 min |

The **type** is what one answer is. *Binary* or *multi-class classification* chooses among classes that are fixed
before anybody asks; *regression* gives a number; *ranking* puts candidates in order; *generation* writes.

Latency budgets have names, so-called [**tiers**](glossary.md#tier). They are conventions, and those of this course are: *real-time* below 100 ms,
*near-real-time* below 2 s, *interactive* below 60 s, while somebody still waits, and *batch* from there on. The requirement is the number.

[**Freshness**](glossary.md#freshness) **is three ages.** How old is a *feature* when it is read? How old is the *model*? How old is a *stored
prediction*? A model that is trained every night may read a count that is a second old, and a model that was trained an hour
ago may read yesterday's. When somebody says "fifteen minutes", ask which of the three is meant.

Four companions stand behind the axes, and become expensive when nobody asks for them:

- [**labels**](glossary.md#label): where does the truth come from, when, for which share of the cases, at what cost?
- **failure modes**: what does the product do while there is no answer?
- [**availability**](glossary.md#availability): which share of requests gets an answer, over which period? At an even rate of
  requests, 99.9 % over 30 days leaves (1 − 0.999) × 30 × 24 × 60 = 43.2 minutes without one, the [**error budget**](glossary.md#error-budget);
- **cost**: what may all of this cost a month?

Rare events hide one more requirement. A model that calls every payment honest is right 999 times in 1,000, and useless: its
**accuracy**, the share of right answers, says nothing about the fraud. So the promise has to be about the *alarms*. **Predict.**
"""

# %%
mlsd.ask("01-ask-alarms")

# %% [markdown]
"""
[**Precision**](glossary.md#precision) is the share of the alarms that are right, [**recall**](glossary.md#recall) the share of the fraud that is found. How
precise alarms are depends on recall, on false alarms, and on the [**base rate**](glossary.md#base-rate), the share of payments that are fraud. So write it
down beside them.

A page of requirements begins with the *goal*, in the business's own unit: a model may get better by its own measure while
the business does not.

## 3 From a sentence to an inequality

A requirement is **testable** when a measurement could fail it. It has a quantity, a comparison, a number and a unit, and
says of *which* requests it speaks. Here is what was said, and what was agreed after asking back:

| said | what is missing | agreed, and testable |
|---|---|---|
| it feels instant | quantity, number | p99 latency < 500 ms, at the peak |
| we need current data | which data, how old | age of a count of recent payments < 15 min, at every read |
| it must not break at Christmas | number, period | peak >= 500 requests/s, over the busiest five minutes |
| it is always there | share, window | availability >= 99.9 %, over 30 days |
| it finds the fraud | both kinds of error | recall >= 60 %, with precision >= 50 %, in a month |

"At every read" includes the oldest one, and a count of exactly 15 min breaks the requirement, since 15 is not below 15. If a
minute more or less is no matter, agree on a share of the reads instead, such as 99 %.

## 4 The tail

98 of 100 answers take 20 ms, and two take 400 ms. Their mean is 0.98 × 20 + 0.02 × 400 = 27.6 ms, and their p99 400 ms. The
mean keeps a promise of 100 ms; the p99 breaks it, and the slow answers are those that people complain about.

A page seldom needs one answer alone. A [**fan-out**](glossary.md#fan-out) asks many parts at once, and waits for all of them. **Predict**; your
guess opens the next view.
"""

# %%
guess_pages = mlsd.ask("01-ask-fan-out")
guess_pages

# %% [markdown]
"""
**Explore.** The curve says which share of requests takes longer than a time; both axes are logarithmic. Read a percentile
where the curve meets its level: the p50 where half are slower, the p99 at 1 %. Drag the tail, or move it by the sliders.

1. Make the slow ones slower until the *mean* breaks the promise. What did the p99 do meanwhile, and the p50?
2. Put the slow time back. Now make slow requests rarer, until the p99 keeps the promise. Does the page?
3. A page of 100 calls: how rare do slow calls have to be for its p99 to keep the promise?

Here each kind of time varies a little around its 20 or 400 ms, so a p99 is not exactly one of the two.
"""

# %%
mlsd.widgets.LatencySculptor(
    ordinary_s=20 * ms,
    slow_share=0.02,
    slow_s=400 * ms,
    calls=100,
    promise_s=100 * ms,
    prediction=guess_pages,
)

# %% [markdown]
"""
So the p99 of such a page lies far out in the tail of its parts. That is why those who serve pages measure tails that seem
absurdly far out [3].

### Two steps in a row

Two steps follow each other. **Predict.**
"""

# %%
mlsd.ask("01-ask-serial")

# %% [markdown]
"""
Now with rare stalls. Two steps take 10 ms each, but 1,000 ms in 0.9 % of the calls, such as a pause for
garbage collection. The p99 of each is 10 ms. In 1 − 0.991² = 1.8 % of the requests one of them stalls, so the p99 of both
is 1,010 ms.

From the p99 of each step alone, the p99 of both cannot be told. One thing is certain, whether or not the steps are independent: if each of k
steps keeps its limit in 99 % of requests, all of them keep theirs in at least 100 − k %.

What adds up is a [**budget**](glossary.md#budget): the time that a step is *given*. If each keeps to its own, the whole keeps to the sum. A
*timeout*, after which nobody waits for the step any longer, enforces a budget if it is no longer. So the latency of a
design is split into a budget for each **hop**, one step on the way of a request. Harbour Pay's:
"""

# %%
pd.Series({hop.part: hop.time / ms for hop in worked.latency.split}, name="ms")

# %% [markdown]
"""
Of 500 ms, 500 − (60 + 30 + 250 + 120 + 10) = 30 ms are left.

Nor may you average the p99s of several [**replicas**](glossary.md#replica), copies of one server: the replica with the slow requests may have served few of
them or many. Add the *histograms*, then read one percentile: exercise 3.

## 5 The peak

Here is a week of requests, hour by hour, as the service's counter wrote them. Day 1 is Monday, 27 October.
The week was made by us, after the hourly profile of New York's taxis [4].
"""

# %%
counts = traffic.week()
mlsd.figures.trace_peak(counts)

# %% [markdown]
"""
On which day and at what time is the busiest hour? **Predict** how much came in it, in requests a second.
"""

# %%
busiest = mlsd.ask("01-ask-peak")
busiest

# %%
busiest.unlocks(mlsd.figures.trace_peak(counts, repeated=traffic.REPEATED))

# %% [markdown]
"""
An hour still hides its busiest minutes: Harbour Pay's 500/s are those of its busiest five. Say with each peak *over which
period* it was counted. And one request may need many **scorings**, runs of the model: a ranking has one for each candidate. The
requirement is about requests; the machines are bought for scorings.

## 6 Experiment: what a load test does not see

A server answers in 10 ms, and stalls once, for the ten seconds from 50 to 60 of a test of 100 s. A [**closed loop**](glossary.md#closed-loop) sends a
request when the last one is answered, as many load tests do. An [**open loop**](glossary.md#open-loop) sends on a clock, as many users together do,
who do not wait for each other. The open one sends ten a second. The closed one waits 0.1 s from one
request to the next, or longer if no answer has come. **Predict** how many late answers the closed one sees.
"""

# %%
late = mlsd.ask("01-ask-stall")
late

# %% [markdown]
"""
Here both loops meet the very same server. Recorded is when each request was due, and how long after that its answer came:
"""

# %%
loops = mlsd.samples.loops_beside_a_stall()
late.unlocks(mlsd.figures.two_loops(loops, stall_s=(50, 60)))

# %% [markdown]
"""
A report may leave out what its load test did not send: [**coordinated omission**](glossary.md#coordinated-omission) [5]. So a latency requirement says how it is
measured: from the moment at which a request was *due*, on a clock that does not wait for answers. (`mlsd.samples.loops_beside_a_stall??`
in a cell shows both loops.)

## 7 Write it down

The first part of `harbour_pay.yaml` is the page of requirements. This puts your interview on it: what you did not ask is named in an
assumption, with an owner and a check, and what must not happen stands under `constraints` if you heard of it.
"""

# %%
page = mlsd.cases.carry_on("harbour_pay.yaml").requirements
page = interview.talk.page(page)

# %% [markdown]
"""
One decision is yours. The owner wants counts that are at most a quarter of an hour old, and they come from a job that runs every night.
Either somebody pays for a stream, and "15 min" stands; or the limit gives way, to "26 h", a day and the time of the job. Decide, and see
which lines your file has that the worked case does not have:
"""

# %%
count_age = "15 min"

# %%
page = page.changed(freshness=page.freshness.changed(features=count_age))
mlsd.write("harbour_pay.yaml", requirements=page)

# %% [markdown]
"""
Change the decision and run the two cells again: now it shows what that changed. What the file said before is kept in the folder `history`.
Exercise 6 weighs such a decision in dollars.

## 8 Before you go

Four questions, without looking back: two on this lesson, two on lesson 00.
"""

# %%
mlsd.ask("01-recall-percentile")

# %%
mlsd.ask("01-recall-loop")

# %%
mlsd.ask("01-recall-fallback")

# %%
mlsd.ask("01-recall-silent")

# %% [markdown]
"""
## What you can do now

- Ask for what nobody says, and write down as an assumption what you could not ask.
- Turn a wish into an inequality that a measurement can fail, and say of which requests it speaks.
- Say what a mean, a p99 and a page of many calls promise, and divide a latency into budgets.
- Explain a peak before you plan for it, and doubt a load test that waits for answers.

Not covered: calls that are slow together, for a common cause; whose p99 it is, and over which window; and what a number is worth.

**Next:** seven exercises in [the assignment](../release/01_requirements/01_requirements.ipynb), in three sittings. If you learn alone,
`mlsd.check(..., fresh=True)` tries your answer on cases that it has not seen, as grading does. Then
[lesson 02](02_planes.ipynb) draws the boxes and arrows that keep these requirements. Here the sitting ends.

## For another day: your own system

About 45 minutes, on another day. `mlsd.outline` adds an example of this part to your `design.yaml`, each line as a comment. Open the
file, put in what holds for your system, and take the `#` away (select the lines, Ctrl+/). What you have written stays as it is.
`!mlsd check design.yaml` in a cell then says what a reviewer finds in it, with the line in the file.
"""

# %%
mlsd.outline("design.yaml", "requirements")

# %% [markdown]
"""
## For another day: further

About 25 minutes, and not needed for the exercises.

### A load test on your machine

Now for real. A service that judges payments runs in a process of its own, is asked over HTTP, and again and again stalls for 0.4 s after
2 s of work. The same two loops as in section 6, for some seconds each. **Predict** what the open loop will measure.
"""

# %%
expected = mlsd.ask("01-ask-lab")
expected

# %%
expected.unlocks(mlsd.testbed.open_and_closed)

# %% [markdown]
"""
On a busy machine the two p99s may be alike; `mlsd.testbed.open_and_closed(recorded=True)` shows a recording.

### How much a mean hides

**Predict.**
"""

# %%
mlsd.ask("01-ask-mean")

# %% [markdown]
"""
### How rare slow calls have to be

If calls are slow independently, a page of 100 is fast with probability (1 − share)^100. For the p99 of the page that has to be
0.99, so one call may be slow in
"""

# %%
slow_share = 1 - 0.99 ** (1 / 100)
round(1 / slow_share)

# %% [markdown]
"""
The p99 of such a page is about the p99.99 of its parts.

### A promise about alarms, measured

The table of section 3 ends with recall and precision. A cardholder who did not make a payment *disputes* it; here a dispute counts as fraud, and no dispute as
none. But there is no dispute about a payment that was *stopped*. So a share that you can afford is drawn at random and let through, or
the cardholder is asked. Say that last month, of 200/s × 30 days = 518 million payments, the model wanted to stop 615,000. One in a thousand of these was
let through, 615 in all, and 331 of them were disputed. Of the payments without an alarm 186,000 were disputed.
"""

# %%
precision = 331 / 615
margin = 2 * np.sqrt(precision * (1 - precision) / 615)  # of 95 %
recall = 615_000 * precision / (615_000 * precision + 186_000)
pd.Series({"precision": precision, "its margin": margin, "recall": recall}).round(3)

# %% [markdown]
"""
Of the payments that it wanted to stop, about 615,000 × 331 / 615 were fraud, and recall is their share of all fraud: it is above 60 %.
Precision is not refuted, no more: its margin of error reaches below 50 %. A larger share let through would tell more,
and let more fraud pass. Without such a share (a *holdout*), an answer from the cardholder or a review by hand, both numbers are guesses.

### A replica cannot be busy all the time

Where requests arrive independently of each other (*Poisson* arrivals) at one server, and the times that they take are *exponential* (many
short, some long), the mean time to an answer is the service time divided by the share of time in which the server is idle. With 40 ms
of service, 10 requests a second keep it 10 × 0.040 = 40 % busy, and an answer takes 40 / (1 − 0.4) = 67 ms. **Predict**, for a server that is nearly always busy:
"""

# %%
mlsd.ask("01-ask-busy")

# %% [markdown]
"""
How busy a machine may be follows from how long an answer may take. Lesson 05 sizes fleets by it.

### A review

A **review** reads a design as a colleague would. This is what it says to a promise about the mean:
"""

# %%
vague = worked.changed(latency=worked.latency.changed(percentile="mean"))
found = mlsd.review(case.with_part(requirements=vague))
[finding.message for finding in found if finding.severity == "error"]

# %% [markdown]
"""
### What the rules of thumb leave out

- **Independence.** The fan-out assumes that calls are slow independently. A common cause, such as a full network, makes
  them slow together: fewer slow pages, each with many slow calls.
- **What a number is worth.** Each nine and each millisecond costs. The axes say what is asked, not whether it pays.
- **Whose percentile.** A p99 over all requests may be the p50 of one customer, one region, one kind of card. Slice it.
- **The window.** A p99 over a month lets a whole bad evening pass. Say over which time it is taken.
- **Yesterday.** The busiest hour of last year is no promise about the next. A launch, a sale or a bot is in no trace.
- **Measured is not asked for.** What a system does today is where it stands, not what the product needs.

## Sources

1. *DeepETA: How Uber Predicts Arrival Times Using Deep Learning*, Uber Engineering, 2022.
2. *How we built it: Stripe Radar*, Stripe, 2023.
3. J. Dean, L. A. Barroso, *The Tail at Scale*, Communications of the ACM 56(2), 2013: waiting for many calls.
4. Numenta Anomaly Benchmark: NYC taxi counts of 2014 and 2015. The factors were worked out from the counts, the ordinary hour
   by our reading; that an hour came twice is our inference from its date. The week shown here is generated.
5. G. Tene, *How NOT to Measure Latency*: the name, and the effect.

Harbour Pay is invented, and so are its product owner and the payments of section 3.
"""
