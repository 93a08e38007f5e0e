# %% [markdown]
"""
# 01 Requirements: what has to be true?

Uber predicts when a car arrives. Before its engineers chose a network for it, they wrote down three requirements:
[**latency**](glossary.md#latency), an answer within a few milliseconds at most; **accuracy**, better than the model that they had; and
**generality**, one model for all of Uber's lines of business [1]. Each of the three ruled designs out before
anybody had built them.

Stripe decides on a card payment in less than 100 ms, and about one payment in a thousand is fraud [2]. Both are
requirements, though nobody would call the second one that.

**You will be able to** ask for what nobody says; state a product's needs on four axes as inequalities that a
measurement can fail; tell what a mean, a percentile and a fan-out promise; find a peak that can be explained; see
which requirements contradict each other; and know when a load test lies. About 80 minutes, exercises apart.

**Harbour Pay** decides on card payments while the customer stands at the till. Here you find out what it needs.
"""

# %%
from textwrap import fill

import numpy as np

import mlsd_helpers as mlsd
from mlsd_helpers.exercises.requirements.traffic import REPEATED, week
from mlsd_helpers.units import day, hour, minute, ms, show_seconds

worked = mlsd.cases.load("harbour_pay").requirements
print(fill(worked.goal, 68))

# %% [markdown]
"""
## 1 Four axes, and what hides behind them

| axis | what it asks | for Harbour Pay |
|---|---|---|
| prediction type | what is one answer? | a score: fraud or not |
| latency | how long may the slow ones take? | p99 latency < 500 ms |
| throughput | how much comes in the busiest period? | peak = 500 requests/s |
| freshness | how old may what the model reads be? | age of every feature < 15 min |

The **type** is what one answer is: *binary* or *multi-class classification* chooses among classes that are fixed
before anybody asks; *regression* gives a number; *ranking* puts candidates in order; *generation* writes. The [**p99**](glossary.md#p99), or
99th percentile, is the time within which all answers come but the slowest one in a hundred.
"""

# %%
print(worked.prediction.type)
print(f"{worked.latency.percentile} < {show_seconds(worked.latency.budget)}")
print(
    f"{worked.throughput.peak:.0f}/s at the peak, {worked.throughput.mean:.0f}/s on average"
)
print(f"features < {show_seconds(worked.freshness.features)}")

# %% [markdown]
"""
Three latency [**tiers**](glossary.md#tier) have names, and strict limits: *real-time* ends before 100 ms, *near-real-time* before 2 s, and
from there on it is *batch*. (Section 5 has the other sense of that word.) Say where exactly 100 ms belongs before you
run this:
"""

# %%
for budget in ("99 ms", "100 ms", "2 s"):
    tier = mlsd.design.Latency(budget=budget, percentile="p99").tier
    print(f"a budget of {budget}: {tier}")

# %% [markdown]
"""
[**Freshness**](glossary.md#freshness) **is three ages.** How old is a *feature* when it is read? How old is the *model*? How old is a *stored
prediction*? A model that is trained every night may read a count that is a second old, and one that was trained an hour
ago may read yesterday's. Ask *what* is so many minutes old.

Four companions hide behind the axes, and become expensive when nobody asks for them:

- [**labels**](glossary.md#label): where does the truth come from, when, for which share, at what cost?
- **failure modes**: what does the product do while there is no answer?
- [**availability**](glossary.md#availability): which share of requests gets one, over which time?
- **cost**: what may all of this cost a month?

Labels cost items × people who look at each × price:
"""

# %%
labels = worked.labels
one_set = mlsd.formulas.labelling_cost(
    labels.items, labels.labels_per_item, labels.cost_per_label
)
print(f"{labels.items:,} items: ${one_set:,.0f} for one training set")

# %% [markdown]
"""
Now suppose that the labels have to hold a thousand cases of fraud, and payments are drawn at random. One payment in a
thousand is fraud, so a thousand times as many have to be looked at:
"""

# %%
base_rate = worked.prediction.base_rate
drawn = round(1_000 / base_rate)
at_random = mlsd.formulas.labelling_cost(
    drawn, labels.labels_per_item, labels.cost_per_label
)
assert drawn == 1_000_000
print(f"${at_random:,.0f}")

# %% [markdown]
"""
An availability is easier to judge as the time that it lets you be down, its [**error budget**](glossary.md#error-budget):
"""

# %%
window_s = worked.availability.window
down_s = mlsd.formulas.error_budget_s(worked.availability.target, window_s)
print(
    f"{worked.availability.target:.1%} over {window_s / day:.0f} days:"
    f" {down_s / minute:.0f} minutes"
)

# %% [markdown]
"""
Rare events hide one more requirement. Call every payment honest, and you are right in all but one of a thousand: as an
**accuracy**, that looks well. So the promise has to be about the *alarms*. **Predict.**
"""

# %%
mlsd.ask("01-ask-alarms")

# %%
precision = mlsd.formulas.precision_at_base_rate(base_rate, 0.9, 0.01)
assert 0.08 < precision < 0.085
print(
    f"accuracy without any model {1 - base_rate:.1%}; precision of the alarms {precision:.1%}"
)

# %% [markdown]
"""
[**Precision**](glossary.md#precision) is the share of the alarms that are right, [**recall**](glossary.md#recall) the share of the fraud that is found. Neither means
anything without the [**base rate**](glossary.md#base-rate), the share of payments that are fraud.

And a model that is good at its own measure may do nothing for the product. Booking.com looked back on about 150
applications of machine learning, each tried on its customers in a randomised experiment [3]; the measure of the model and that
of the business are different things, is one of its lessons as a reader summed them up [4]. So the first line of a
page of requirements is the *goal*, in the business's own unit.

## 2 Ask

Requirements are seldom written down when you arrive. A product owner at Harbour Pay has time for five questions of
twelve, and volunteers nothing. Two of the twelve answers cannot both hold; one tells of a constraint that nobody
mentions unasked.

Before you ask: which five would *change a design*? Then ask them, compare your notes, and confront your host.
"""

# %%
interview = mlsd.widgets.StakeholderInterview()
interview

# %% [markdown]
"""
What you did not ask, you assume. An assumption that is written down, with an owner, is honest; one that is not is a bug
that waits. Hold the interview, then run this cell, and again after each **Start again**: your interview, as a value.
"""

# %%
talk = interview.talk
print(f"{talk.left} questions left")
print(fill(f"assumed: {', '.join(talk.assumed)}", 68))

# %% [markdown]
"""
What to take from it, whatever you asked:

- Ask for **numbers and their sources**. "How old may it be?" and "where does it come from?" belong together: only the
  pair shows that a wish cannot come true.
- Ask for **what must not happen**, the guardrails. Laws, contracts and regions rule out whole designs, and to your
  host they go without saying.
- Do not ask for solutions. An algorithm is your business; what has to be true is theirs.

When two requirements clash, it is not for you to drop one in silence. Say what each way out costs, and let the
product choose: exercise 6.

## 3 From a sentence to an inequality

A requirement is **testable** when a measurement could fail it. It has a quantity, a comparator, a number and a unit, and
says of *which* requests it speaks. Some of section 1's, as they were first said:

| said | what is missing | testable |
|---|---|---|
| it feels instant | quantity, number | p99 latency < 500 ms, at the peak |
| we need current data | which data, how old | age of every count < 15 min, at every read |
| it must not break at Christmas | number, period | peak >= 500 requests/s, for an hour |
| it is always there | share, window | availability >= 99.9 %, over 30 days |
| it finds the fraud | both kinds of error | recall >= 60 %, with precision >= 50 %, in a month |

The last two columns of such a table are the minutes of a good meeting. Worked: "it feels instant", held against ten
thousand answers, drawn from a *lognormal* distribution: most take about as long, and a few several times that.
"""

# %%
rng = np.random.default_rng(seed=1)
answers_s = rng.lognormal(mean=np.log(120 * ms), sigma=0.5, size=10_000)
promise_s = worked.latency.budget
p99_s = mlsd.formulas.sample_percentile_s(answers_s.tolist(), 0.99)
kept = p99_s < promise_s
assert kept
print(f"p99 {p99_s / ms:.0f} ms < {promise_s / ms:.0f} ms: {kept}")

# %% [markdown]
"""
And "it finds the fraud", held against a month: this much fraud was stopped, this much got through, and so many honest
payments were stopped.
"""

# %%
stopped, missed, honest_stopped = 2_610, 1_490, 2_240
recall = stopped / (stopped + missed)
precision = stopped / (stopped + honest_stopped)
kept = recall >= 0.6 and precision >= 0.5
assert kept
print(f"recall {recall:.0%} >= 60 %, precision {precision:.0%} >= 50 %: {kept}")

# %% [markdown]
"""
How does anybody know of a *stopped* payment that it was fraud? Nobody disputes a payment that was never made. So a small
share is decided at random and let through, or the cardholder is asked, and the month's numbers are worked out from these.
Without that, neither recall nor precision can be had.
"""

# %% [markdown]
"""
**Faded.** "We need current data" became *age of every count < 15 min, at every read*. Here is how old a count was, each
time that it was read. Is it kept, and how many reads break it? The comparison is left to you.
"""

# %%
ages_min = [3, 14, 15, 8, 22, 15, 11, 61, 2, 9]
# late = [age for age in ages_min if ...]

# %%
mlsd.ask("01-ask-faded")

# %% [markdown]
"""
## 4 The tail

95 of 100 answers take 20 ms, and five take 400 ms. A promise of 100 ms *on average* is kept:
"""

# %%
times_s = [20 * ms] * 95 + [400 * ms] * 5
mean_s = np.mean(times_s)
assert mean_s < 100 * ms
print(f"mean {mean_s / ms:.0f} ms")

# %% [markdown]
"""
At the 99th percentile it is not, and the slow ones are those that people write about:
"""

# %%
p99_s = mlsd.formulas.sample_percentile_s(times_s, 0.99)
assert p99_s > 100 * ms
print(f"p99 {p99_s / ms:.0f} ms")

# %% [markdown]
"""
How much can a mean hide? **Predict.**
"""

# %%
mlsd.ask("01-ask-mean")

# %% [markdown]
"""
A page is seldom made of one answer. A [**fan-out**](glossary.md#fan-out) asks many parts at once, and waits for all of them. **Predict** this
too; it opens the next view.
"""

# %%
guess_pages = mlsd.ask("01-ask-fan-out")
guess_pages

# %% [markdown]
"""
**Explore.** The curve says which share of requests takes longer than a time. Read a percentile off where the curve meets
its level: the p50 where half are slower, the p99 at 1 %. Drag the tail, or move it by the sliders.

1. Make the slow ones slower until the *mean* breaks the promise. What did the p99 do meanwhile, and the p50?
2. Put the slow time back. Now make slow requests rarer, until the p99 keeps the promise. Does the page?
3. A page of 100 calls: how rare do slow calls have to be for its p99 to keep the promise?
"""

# %%
mlsd.widgets.LatencySculptor(
    ordinary_s=20 * ms,
    slow_share=0.05,
    slow_s=400 * ms,
    calls=10,
    promise_s=100 * ms,
    prediction=guess_pages,
)

# %% [markdown]
"""
The same distribution, for when no kernel runs. The mean stands where hardly any request is:
"""

# %%
mlsd.figures.latency_tail(slow_share=0.05, slow_s=400 * ms, calls=10)

# %% [markdown]
"""
And the answer to the third question, exactly. One page in a hundred is slow, of pages that make 100 calls each, when
this share of the calls is:
"""

# %%
leaf = mlsd.formulas.leaf_percentile(fan_out=100, percentile=0.99)
assert round(1 / (1 - leaf), -2) == 10_000
print(f"one call in {1 / (1 - leaf):,.0f}")

# %% [markdown]
"""
A p99 of the page is a p99.99 of its parts. That is why those who serve pages measure tails that seem absurdly far out [5].

### Percentiles do not add, and have no mean

Steps that follow each other are another matter. **Predict.**
"""

# %%
mlsd.ask("01-ask-serial")

# %%
one_s = mlsd.formulas.sum_of_exponentials_percentile_s([10 * ms])
both_s = mlsd.formulas.sum_of_exponentials_percentile_s([10 * ms, 10 * ms])
print(f"p99s added {2 * one_s / ms:.1f} ms, p99 of both {both_s / ms:.1f} ms")

# %% [markdown]
"""
That is no rule, though. Take a step that needs 10 ms, and a full second in 0.9 % of calls. Its p99 is 10 ms. Two of them
in a row, independent of each other:
"""

# %%
stall_share = 0.009
slow_in_either = 1 - (1 - stall_share) ** 2
assert slow_in_either > 0.01
print(f"{slow_in_either:.1%} of requests stall, so the p99 of both is {10 + 1000:,} ms")

# %% [markdown]
"""
So from the p99 of each step alone, nobody can tell the p99 of both: it may be less than the sum, or many times as much. One
thing is certain: if each of k steps keeps its limit in 99 % of requests, all of them keep theirs in at least
100 − k %.

What adds up is a [**budget**](glossary.md#budget): a time that a step is *given* and does not exceed, because a timeout ends it. So the
latency of a design is split into a budget for each **hop**, one step on the way of a request:
"""

# %%
for part in worked.latency.split:
    print(f"{part.time / ms:4.0f} ms  {part.part}")
left_s = mlsd.formulas.budget_left_s(
    worked.latency.budget, [part.time for part in worked.latency.split]
)
print(f"{left_s / ms:4.0f} ms  left")

# %% [markdown]
"""
Nor can the p99s of several [**replicas**](glossary.md#replica), copies of one server, be averaged: whoever has the slow requests may serve few or many. Add the
*histograms*, then read one percentile. Exercise 3 does that.

## 5 A peak that can be explained

Here is a week of requests, hour by hour, Monday first, as the service's counter wrote them. It was made by us, after the
hourly profile of New York's taxis [6].
"""

# %%
counts = week()
mlsd.figures.trace_peak(counts, explained=False)

# %% [markdown]
"""
Look at the busiest hour before you buy machines for it: which day and which time is it, and what happened then?
**Predict** the peak that you would plan for. A hint: it is the end of October.
"""

# %%
mlsd.ask("01-ask-peak")

# %%
as_counted = mlsd.formulas.peak_of_trace(counts, hour)
explained = mlsd.formulas.peak_of_trace(counts, hour, repeated=REPEATED)
assert as_counted.bucket in REPEATED
assert explained.bucket not in REPEATED
for words, peak in (("as counted", as_counted), ("explained", explained)):
    print(
        f"{words:10} {peak.peak_rps:.0f}/s at {peak.bucket % 24}:00 of day"
        f" {peak.bucket // 24 + 1}, {peak.factor:.2f} times the mean"
    )

# %%
mlsd.figures.trace_peak(counts, repeated=REPEATED)

# %% [markdown]
"""
The trap is real. In the published taxi counts the largest is 2.59 times the mean, at one in the morning of 2 November 2014,
when summer time ended; the largest ordinary one is 2.01 times the mean [6]. Other traffic peaks higher: the requests at
a load balancer in the same collection reach about 6 times their mean, and 10.6 times in an incident, so "twice the mean" is no rule [6].

Between the hour's peak and the 500/s of Harbour Pay lies what an hour hides: its busiest five minutes. Say with each peak
*over which time* it was taken, and how.

### Requests are not work

**Predict.**
"""

# %%
assert worked.throughput.peak == 500
mlsd.ask("01-ask-scorings")

# %%
print(f"{mlsd.formulas.scorings_per_s(peak_rps=200, candidates=500):,.0f} scorings/s")

# %% [markdown]
"""
Google Play ranked with a wide and deep network, and at the peak scored over 10 million apps a second; scored
as one batch (here: a group that is scored together, not the tier) a request took 31 ms, and 14 ms when the batch was
split over several threads [7]. The requirement was about a request; the machines were bought for apps.

### One over the latency is no load

Where requests come by chance, and the times that they take are *exponential* (many short, some long), an answer takes
on average the time of its service divided by the share of time in which the replica is idle. Half idle: twice the
service time. **Predict**, for a replica that is nearly always busy:
"""

# %%
mlsd.ask("01-ask-busy")

# %%
for arrivals_rps in (10, 20, 24):
    wait_s = mlsd.formulas.mg1_mean_wait_s(arrivals_rps, 40 * ms, service_scv=1)
    busy = arrivals_rps * 40 * ms
    print(
        f"{arrivals_rps}/s, {busy:.0%} busy: {(wait_s + 40 * ms) / ms:5.0f} ms on average"
    )

# %% [markdown]
"""
`service_scv` says how much service times vary: their variance over their squared mean, which is 1 where they are
exponential.

A latency requirement and a throughput requirement meet here: how busy a machine may be follows from how long an answer
may take. Lesson 05 makes fleets of it.

## 6 Experiment: who measures, and when?

A server answers in 10 ms, and stands still for ten seconds out of a hundred. Is its p99 within half a second?
**Predict** first whom the stall meets.
"""

# %%
mlsd.ask("01-ask-stall")

# %% [markdown]
"""
A [**closed loop**](glossary.md#closed-loop) sends a request when the last one is answered, as many load tests do. An [**open loop**](glossary.md#open-loop) sends on a
clock, as users do, who do not wait for each other. Both keep what they measured as pairs: when a request was due, and
how long it took from then.
"""

# %%
STALL_S, END_S, EVERY_S = (50.0, 60.0), 100.0, 0.1


def served(start_s):
    """Return when a request that starts at `start_s` is done."""
    begins_s = STALL_S[1] if STALL_S[0] <= start_s < STALL_S[1] else start_s
    return begins_s + 0.010


assert np.isclose(served(55.0), 60.010)


# %%
def closed_loop(serve):
    """Ask, wait for the answer, ask again a tenth of a second after the last question."""
    due_s, measured = 0.0, []
    while due_s < END_S:
        done_s = serve(due_s)
        measured.append((due_s, done_s - due_s))
        due_s = max(done_s, due_s + EVERY_S)
    return measured


# %%
def open_loop(serve):
    """Ask every tenth of a second, whatever was answered; one server, in order."""
    free_s, measured = 0.0, []
    for due_s in np.arange(0.0, END_S, EVERY_S):
        free_s = serve(max(due_s, free_s))
        measured.append((float(due_s), free_s - due_s))
    return measured


# %% [markdown]
"""
By simulation, so that both meet the very same server:
"""

# %%
loops = {"closed": closed_loop(served), "open": open_loop(served)}
for name, measured in loops.items():
    latencies_s = [latency_s for _, latency_s in measured]
    p99_s = mlsd.formulas.sample_percentile_s(latencies_s, 0.99)
    late = np.mean([latency_s > 0.5 for latency_s in latencies_s])
    stalled = sum(STALL_S[0] <= due_s < STALL_S[1] for due_s, _ in measured)
    print(
        f"{name:6} {len(measured):5} sent, {stalled:3} in the stall,"
        f" p99 {p99_s:.2f} s, {late:.1%} over 0.5 s"
    )
    assert (p99_s < 0.5) == (name == "closed")
    assert stalled == (1 if name == "closed" else 100)

# %%
mlsd.figures.two_loops(loops, STALL_S)

# %% [markdown]
"""
**Learnt.** The same server, twice. The closed loop met the stall with one request, and waited politely; the hundred that
it did not send are missing from its numbers, and its report says that all is well. This is called [**coordinated omission**](glossary.md#coordinated-omission)
[8]. More than a tenth of the users is late: those who came during the stall, and those who found a queue after it.

So a latency requirement says how it is measured: from the moment at which a request was *due*, on a clock that does not wait
for answers.

### On your machine

Now for real. A service that judges payments runs in a process of its own, is asked over HTTP, and stands still now and
then, as one does that collects its garbage. The same two loops, for a few seconds each. Your numbers will differ from
those that are stored here; where the lab cannot run, it shows a recording, and says on what machine that was made.
"""

# %% tags=["nbval-ignore-output"]
real = mlsd.testbed.open_and_closed()
real

# %%
closed_s, open_s = real.column("p99_s")
assert open_s > closed_s

# %% [markdown]
"""
The closed loop sent one request into each stall and thousands between them, so its p99 knows of none; only its worst
time does. The open loop sent all that users would have sent.

## 7 Exercises

Seven exercises wait in [the assignment](../release/01_requirements/01_requirements.ipynb): read a brief, explain a peak, merge
percentiles, a fan-out, contradictions, a decision, and a page to repair. Each tells you at once what is wrong. Do
them now, and come back for your design.

## 8 Your design

The first part of your `design.yaml` is the page of requirements. Harbour Pay's worked page stands here as a start. Five
lines of it are yours to decide; change them to what your system needs. Text with a unit is read as people write it, and
refused when the unit does not fit.
"""

# %%
budget = "500 ms"
percentile = "p99"
peak = "500 rps"
how = "Busiest five minutes of the last twelve months; the hour of the clock change explained."
oldest_feature = "15 min"

# %%
needs = worked.changed(
    latency=worked.latency.changed(budget=budget, percentile=percentile),
    throughput=worked.throughput.changed(
        peak=peak, derivation="busiest period", how=how
    ),
    freshness=worked.freshness.changed(features=oldest_feature),
)
print(
    f"{needs.latency.tier}, {needs.latency.percentile} < {show_seconds(needs.latency.budget)}"
)

# %% [markdown]
"""
A **review** reads a design as a colleague would. This is what it says to a promise about the mean:
"""


# %%
def faults(requirements):
    """Return what a review finds wrong in requirements, in words."""
    design = mlsd.Design(name="reviewed", requirements=requirements)
    errors = [found for found in mlsd.review(design) if found.severity == "error"]
    return [f"{found.code}  {found.message} {found.fix}" for found in errors]


for fault in faults(needs.changed(latency=needs.latency.changed(percentile="mean"))):
    print(fill(fault, 68))

# %% [markdown]
"""
And to yours, when you change the five lines:
"""

# %%
for fault in faults(needs) or ["nothing is wrong with the requirements"]:
    print(fill(fault, 68))

# %% [markdown]
"""
What you did not ask in the interview you took from the worked page. That is an assumption: it goes on the page, with an
owner and a check. `talk` is your interview of section 2; run its two cells first.
"""

# %%
taken_over = [
    mlsd.design.Assumption(
        id=f"not_asked_{part.replace(' ', '_')}",
        text=f"The {part} is as the worked page has it.",
        owner="Payments product",
        check="Ask before the sketch of lesson 02 is signed.",
    )
    for part in talk.assumed
]
page = needs.changed(assumptions=[*needs.assumptions, *taken_over])
print(f"{len(page.assumptions)} assumptions, {len(taken_over)} of them not asked")

# %%
design = mlsd.cases.carry_on("design.yaml", "harbour_pay", until="requirements")
saved = design.with_part(requirements=page).save("design.yaml", replace=True)
print(f"written to {saved.name}")

# %% [markdown]
"""
In a terminal, `mlsd check design.yaml` says what is missing, with the line in the file.

## 9 What the rules of thumb leave out

- **Independence.** The fan-out assumes that calls are slow independently. A common cause, such as a full network, makes
  them slow together: fewer slow pages, each with many slow calls.
- **What a number is worth.** Each nine and each millisecond costs. The axes say what is asked, not whether it pays.
- **Whose percentile.** A p99 over all requests may be the p50 of one customer, one region, one kind of card. Slice it.
- **The window.** A p99 over a month lets a whole bad evening pass. Say over which time it is taken.
- **Tiers.** Real-time and batch are names for limits that somebody chose. The limit is the requirement, the name is not.
- **Yesterday.** The busiest hour of last year is no promise about the next. A launch, a sale or a bot is in no trace.
- **Measured is not asked for.** What a system does today is where it stands, not what the product needs.

## 10 From lesson 00

Five questions, without looking back. Remembering is what makes it stay.
"""

# %%
mlsd.ask("01-recall-cause")

# %%
mlsd.ask("01-recall-fallback")

# %%
mlsd.ask("01-recall-silent")

# %%
mlsd.ask("01-recall-plane")

# %%
mlsd.ask("01-recall-assumption")

# %% [markdown]
"""
## Sources

1. *DeepETA: How Uber Predicts Arrival Times Using Deep Learning*, Uber Engineering, 2022.
2. *How we built it: Stripe Radar*, Stripe, 2023.
3. L. Bernardi, T. Mavridis, P. Estevez, *150 Successful Machine Learning Models: 6 Lessons Learned at Booking.com*,
   KDD 2019, 10.1145/3292500.3330744: the number and the experiments, from its abstract.
4. A. Colyer on that paper, blog.acolyer.org, 7 October 2019.
5. J. Dean, L. A. Barroso, *The Tail at Scale*, Communications of the ACM 56(2), 2013: waiting for many calls.
6. Numenta Anomaly Benchmark: NYC taxi counts of 2014 and 2015, and a load balancer's request counts. The factors were worked
   out from the counts; that the hour came twice is our inference from its date. The week shown here is generated.
7. H.-T. Cheng et al., *Wide & Deep Learning for Recommender Systems*, 2016, arXiv 1606.07792.
8. G. Tene, *How NOT to Measure Latency*: the name, and the effect.

Harbour Pay is invented, and so is its product owner.
"""
