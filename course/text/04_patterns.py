# %% [markdown]
"""
# 04 Patterns: an answer made ahead, or on request?

In 2015, Pinterest made the home feed of every user ahead of time and kept it in a store. By 2018 it had thrown that
design away. The features behind the ranking were up to weeks old, content was stored for users who did not come back,
and each experiment needed a copy of its own [1]. When is an answer made ahead worth it?

**You will be able to** say which pattern can serve a product at all, by its inputs and by freshness; find the rate at
which another becomes cheaper, and the assumption on which your choice hangs; say what a cache gives, and what it does
not; and say how late a stream is.

**Harbour Pay** decides on card payments. Its requirements, planes and data flow are yours from lessons 01 to 03.
About 60 minutes, exercises apart; a break fits before section 5. Five parts under *Further*, at the end, are for another day: two migrations, what rules of thumb leave out, caches replayed and
measured, and four ways to answer one stream of payments on your machine.
"""

# %%
from math import ceil

import numpy as np
import pandas as pd

import mlsd_helpers as mlsd
from mlsd_helpers.units import hour, minute, ms

case = mlsd.cases.load("harbour_pay")

# %% [markdown]
"""
How much work does it take to make all answers ahead?
"""

# %%
mlsd.ask("04-ask-waste")

# %% [markdown]
"""
The numbers here are invented; that feeds were stored for users who did not come back was one trouble of 2015 [1]. Where each answer is read many times, making answers ahead saves work. What
decides is how many requests there are for each answer made.

## 1 Two choices: when is the answer made, and from what?

| pattern | the answer is made | oldest answer | needs |
|---|---|---|---|
| [**A, request-time**](glossary.md#request-time) | on request | new | a model within the latency budget |
| [**B, pre-computed**](glossary.md#pre-computed) | ahead, by a job, for all inputs | a period and a job's time | a list of all inputs |
| [**C, streaming**](glossary.md#streaming) | ahead, at each event that changes it | how far the stream is behind | an event that brings the input |

In B and C somebody reads the answer later, and asks for it by its [**key**](glossary.md#key): a user, a product, a pair of places. How many keys
there are is the [**cardinality**](glossary.md#cardinality). What a user types, or the amount of a payment, is known when the request comes and not
before: no list and no event brings every such input, which leaves A for all of them together. (Popular queries can be listed: then a cache or a hybrid takes those, and A the rest.)

How the *features* are made is a second choice: by a batch job, by a stream, or from the request itself. A search whose results are
ranked at each request, over clicks that a stream has just counted, is A with streamed features. A feed that is made at night from last
week's counts is B with features by a batch job.

A [**hybrid**](glossary.md#hybrid) takes one pattern for some keys or layers, and another for the rest. Netflix described three layers in
2013: heavy models offline, events in between ("nearline"), the final ranking online; what was computed
ahead is the fallback of what is computed online [3].

## 2 Feasible first

A pattern whose answers are too old is not a cheap option; it is no option. For B, think of the moment just before a new
result is readable: the old one is a **period** and a **job** old. A job of 1 hour, with runs that do not overlap, starts once an
hour at most: its answers get 1 + 1 = 2 hours old. (Runs that overlap, or a job that updates only what has changed, do better.)

Will the job fit at all? 50 million keys at 4 ms of one core each, in a window of 6 hours:
"""

# %%
core_hours = 50e6 * 4 * ms / hour
round(core_hours, 1), ceil(core_hours / 6)  # core-hours, and cores

# %% [markdown]
"""
A job that fills most of its window "fits" until the first night on which it fails. Plan for a **rerun**: then the job may
take half of the window, and needs twice the cores. Or say what readers get that morning. And B fails silently, as in lesson 03: reads go on with yesterday's answers until they expire [4].
Alert on the **age** of what is read. The error rate shows the trouble only when the answers have expired.

## 3 Then cost

What is feasible is compared by cost. Each pattern has one line:

> A: requests × inference
>
> B: keys × runs × inference in the job + requests × read
>
> C: events × inference + requests × read
>
> H, a hybrid: as B for the popular keys, as A for the rest; how many are made ahead is chosen so that it costs least

Worked: one million keys, answers up to 1 hour old, a job of 10 minutes. A million inferences cost 10 USD on
request and 5 USD in the job, which keeps its machines busy while nobody waits for it; a million reads cost 0.50 USD. (Our
assumptions, all of them. Put yours in.)

Where do the lines of A and B cross?
"""

# %%
guess_crossover = mlsd.ask("04-ask-crossover")
guess_crossover

# %% [markdown]
"""
The job is paid for once, however many ask; each request then saves an inference, less a read. With the keys, the crossover
grows in proportion: ten times as many keys need ten times the rate. **Your turn**:
"""

# %%
# Use this cell as your calculator.

# %%
mlsd.ask("04-ask-faded")

# %% [markdown]
"""
## 4 Where does the choice flip?

A choice without the assumption it hangs on is a habit. Ask of each assumption: at which value would I choose
otherwise, and how sure am I that it stays on this side?

The prices are those of section 3. Besides, keeping a job running costs 20 USD a day, a stream 100, and of requests and events together nine in ten are requests. Popularity is skewed as section 6 describes it, and the hybrid H may take part.
"""

# %%
guess = mlsd.ask("04-ask-age")
guess

# %% [markdown]
"""
**Explore.** Your prediction opens the map. Each point of it is a product: x is its request rate, y the age that it
allows. A request reads an answer, and an event changes one. The *share of reads* is the share of requests among requests
and events together. 

1. Find a product for which C wins. Lower the share of reads until it does not. Why?
2. Raise the number of inputs, slowly, to 100 million. Which pattern takes over from B, and which in the end?
3. Set up 2,000 requests/s, 10,000 keys, one day. Many choose streaming here, for its rate. Does it win?
"""

# %%
mlsd.widgets.PatternSurface(prediction=guess)

# %% [markdown]
"""
<details><summary>Answers to the three, when you have tried</summary>

1. C pays an inference for each event, read or not. The fewer reads an event has, the dearer is each answer that is read.
2. First H, which makes ahead only what is asked for often; in the end C, at the map's other values: at 100 million B would make a
   hundred times as many answers, while events are as many as before.
3. B: few keys and a generous age decide. The rate alone decides nothing.

</details>

## 5 "A fails above 1,000 requests a second"

You will meet that sentence: a rule of thumb calls A strained above about 1,000 requests a second. In section 3 the lines crossed far
below that. Published systems:

- Booking.com reads features 200,000 times a second, with a p99.9 below 25 ms [5].
- DoorDash evaluates models about 900,000 times a second at its peak [6].

Neither figure counts requests: a request reads many features and evaluates a model for each candidate. They show what such systems bear inside, while somebody waits; they do not say at
which rate of requests A gets too dear. What does 1,000 requests/s take, at 40 ms each? Requests × time are busy at any moment; let each
replica be busy 70 % of the time at most, and add 30 %. (Lesson 05 derives this rule, and says what it leaves out.)
"""

# %%
replicas = ceil(1_000 * 0.040 / 0.7 * (1 + 0.3))
replicas, replicas * case.capacity.cost_per_replica_hour * 24  # dollars a day

# %% [markdown]
"""
That is a bill, and no limit. The other half of it is the [**fan-out**](glossary.md#fan-out), how many reads one request causes:
"""

# %%
mlsd.ask("04-ask-fan-out")

# %% [markdown]
"""
So read the rule as a **cost heuristic**: above about 1,000 requests a second, justify the cost of A and its fan-out
into the feature store. Then take A if it is right.

## 6 Caches

A cache is B that waits until somebody asks. It keeps an answer for the next one who asks the same: in an [**LRU**](glossary.md#least-recently-used) cache
until it is the least recently used and room is needed, or until its **TTL** is over.

### How often does it hit?

Keys have a [**skewed popularity**](glossary.md#skewed-popularity), here by **Zipf's law**: the n-th most popular key is asked for in proportion to one over n to
the power of α. In 31 of the 51 clusters of Twitter's caches for which an exponent is published, α is above 1 [8].
"""

# %%
guess_hits = mlsd.ask("04-ask-hits")
guess_hits

# %%
guess_hits.unlocks(mlsd.figures.lru_hit_ratio(keys=1_000))

# %% [markdown]
"""
The curve is Che's approximation [9], for *independent* requests: each key has its popularity, and a request tells nothing of the
next one. Users are not like that; *Further* shows by how much. A TTL sets a limit of its own:
"""

# %%
mlsd.ask("04-ask-ttl")

# %% [markdown]
"""
### And the tail?
"""

# %%
mlsd.ask("04-ask-tail")

# %% [markdown]
"""
A warm cache also takes load off the fleet behind it, which then waits less: until the cache is cold.
"""

# %%
mlsd.ask("04-ask-cold")

# %% [markdown]
"""
A fleet that is sized for a warm cache is a plan for good days. A restart of the cache is the other day: warm it up first, shed load, or
size for it, and write down which.

### Whose answer is it?

Here is a shop that ranks products for each customer, behind a cache.
"""

# %%
cache = {}


def cached_rank(user, query, model):
    """Rank for a user, or answer from the cache where the key is known."""
    if query not in cache:
        cache[query] = f"{query} as {user} likes it, by model {model}"
    return cache[query]


cached_rank("ana", "shoes", model=7), cached_rank("ben", "shoes", model=8)

# %% [markdown]
"""
Ben is shown what Ana likes, by a model that has been replaced. Nothing failed, and no latency rose. The rule is short:
**the key holds every input that changes the answer**, and the model's version is one.

## 7 Streams are late

A stream is a queue of events, split into [**partitions**](glossary.md#partition); the **consumers** of a group share the partitions, and in a classic
group of Kafka each partition is read by one of them. So of twenty consumers on 12 partitions, 12 have something to read, and
8 are paid for and read nothing.

[**Consumer lag**](glossary.md#consumer-lag) is how far behind they are. 30,000 events wait, 5,000/s are read and 4,500/s arrive. How long
will an event that arrives now wait, and when does nothing wait any more? In seconds:
"""

# %%
30_000 / 5_000, 30_000 / (5_000 - 4_500)

# %%
guess_lag = mlsd.ask("04-ask-lag")
guess_lag

# %%
guess_lag.unlocks(
    mlsd.figures.stream_after_outage(
        events_rps=4_500, consumed_rps=6_000, outage_s=20 * minute
    )
)

# %% [markdown]
"""
The figure shows an outage of 20 min, and looks *back*: how old is what is read now? At the end of the outage, as old as the outage. Exercise 5 looks *ahead*: how
long will what arrives now have to wait? Those are two clocks.

In quiet weeks freshness is a matter of seconds. In the week of the outage it is a matter of [**spare capacity**](glossary.md#spare-capacity):
what consumers can read beyond what arrives.

## 8 Exercises

Seven exercises wait in [the assignment](../release/04_patterns/04_patterns.ipynb), in three sittings: choose with a reason, a
crossover and a cache to replay; a key to repair and a lag to trace; a design to critique, and a pattern to repair. They come after
the last section here, or on another day.

## 9 Write it down

Which pattern decides on the payments of Harbour Pay, and why? For what you reject, say what would have to change: that is
where the choice flips. Write sentences that you would stand by in a review. (`bounded_input` says whether all inputs can be listed.)
"""

# %%
pattern = ""  # "request-time", "pre-computed" or "streaming"
reason = ""
rejected = ""  # the one of the three that comes second
flips_when = ""  # a sentence: what would have to hold, for it to be the better one?

# %%
chosen = case.pattern  # for as long as you leave a blank, what the worked case decided
if pattern and reason and rejected and flips_when:
    path = {"id": "authorise", "pattern": pattern, "share": 1.0, "reason": reason}
    other = {"path": "authorise", "pattern": rejected, "flips_when": flips_when}
    chosen = mlsd.design.Pattern(
        paths=[path | {"bounded_input": False}],
        rejected=[other | {"reason": "Comes second: see when it flips."}],
    )

mlsd.write("harbour_pay.yaml", pattern=chosen)

# %% [markdown]
"""
What does a reviewer find in it?
"""

# %%
design = mlsd.load_design("harbour_pay.yaml")
[one.message for one in mlsd.review(design) if one.where.startswith("pattern")]

# %% [markdown]
"""
An empty list: the review finds nothing in what is written, which is the worked case's pattern for as long as you leave a blank. Decide, and run these
cells again; then try the pattern that you rejected, and read what the review says of it.

## 10 Without looking back

Three questions on earlier lessons, two on this one.
"""

# %%
mlsd.ask("04-recall-fan-out")

# %%
mlsd.ask("04-recall-rollback")

# %%
mlsd.ask("04-recall-join")

# %%
mlsd.ask("04-recall-axes")

# %%
mlsd.ask("04-recall-tail")

# %% [markdown]
"""
## What you can do now

- **Rule out** first: B needs a list of its inputs, C an event that brings them, and a job of 1 hour gives answers up to 2 hours old.
- **Price** what is left: with a million keys and these prices, B is cheaper from about 175 requests/s on.
- **Say** on which assumption a choice hangs, and at which value it flips.
- **Read** a rate of 1,000 requests/s as a bill and a fan-out, not as a limit.
- **Expect** of a cache what its misses allow: with one miss in five, the p99 is a miss.
- **Plan** spare capacity for a stream: a lag goes only as fast as what consumers read beyond what arrives.

**Next:** the [exercises](../release/04_patterns/04_patterns.ipynb), then [lesson 05](05_capacity.ipynb): how many
replicas does it take, and what does that number promise?

## For another day: your own system

About 10 minutes, on another day. `mlsd.outline` adds an example of this part to your `design.yaml`, each line as a comment. Open the
file, put in what holds for your system, and take the `#` away (select the lines, Ctrl+/). What you have written stays as it is.
"""

# %%
mlsd.outline("design.yaml", "pattern")

# %% [markdown]
"""
## For another day: further

About 35 minutes, in five parts. Each needs the lesson's first code cell, and nothing else of it.

### Two moves, and why

**From B to A: Pinterest, 2015 to 2018 [1].** What has to be true for such a move is
our reading: features that can be read, and a model that can be run, while a user waits.

**Features from batch to stream: Instacart [2] and LinkedIn [7].** Instacart's batch answers were stale, covered only some
items, and wasted compute on what nobody asked for; it moved to answers on request (B to A), and then to features from a
stream, which brought their age from hours to seconds. LinkedIn answered on request before and after; it moved features
about what members have just done from batch to near real time, and reports 0.66 % more job applications
and 20 % fewer dismissals.

Both report seconds or near real time instead of hours, and that was worth the move. Ask what a second less would change before you pay
for it.

A [**migration**](glossary.md#migration) goes one path at a time: the new one runs in the shadow (it answers, and no user sees it), answers are
compared, a share of users moves, and the old table stays as the fallback until nobody reads it.

### What the rules of thumb leave out

- **"Pre-computing is cheap."** When answers are read. It is dear when most are not, and it fails silently.
- **"Streaming is fresh."** In quiet weeks, and by seconds. It costs state, order, replay, and people who know them.
- **"The cache makes it fast."** It shortens the mean. What it does to the p99 depends on how many miss, and on how busy the fleet behind it is.
- **People.** Each pattern is a system that somebody is called for at night. Two patterns are two.
- **Change.** Prices, rates and keys move. Write down the value at which you would choose otherwise, and look again.

### Does an LRU cache do what the formula says?

Ten thousand keys, Zipf with α = 1, and requests that are independent of each other, which is what Che assumes.
"""

# %%
rng = np.random.default_rng(seed=4)
keys, requests = 10_000, 200_000
popularity = 1 / np.arange(1, keys + 1)
independent = rng.choice(keys, size=requests, p=popularity / popularity.sum())

# %% [markdown]
"""
The cache keeps its keys in the order of their last use, and lets the first one go when there is one too many:
"""

# %%
from collections import OrderedDict


def hit_ratio(trace, size):
    """Replay a trace through an LRU cache; return the hit ratio of its second half, when it is warm."""
    kept = OrderedDict()
    hits = np.zeros(len(trace), dtype=bool)
    for turn, key in enumerate(trace.tolist()):
        hits[turn] = key in kept
        kept[key] = None
        kept.move_to_end(key)
        if len(kept) > size:
            kept.popitem(last=False)
    return float(hits[len(trace) // 2 :].mean())


# %%
sizes = pd.Series([100, 1_000, 3_000])
pd.DataFrame(
    {
        "cache size": sizes,
        "by Che": sizes.map(lambda size: mlsd.formulas.che_hit_ratio(size, keys, 1.0)),
        "replayed": sizes.map(lambda size: hit_ratio(independent, size)),
    }
).set_index("cache size").round(3)

# %% [markdown]
"""
Now real users: they look at a thing several times and then move on. Each request here
repeats one of the last 50 with probability one half, and is drawn as before otherwise.
"""

# %%
again = rng.random(requests) < 0.5
back = rng.integers(1, 51, size=requests)
sessions = independent.copy()
for turn in range(50, requests):
    if again[turn]:
        sessions[turn] = sessions[turn - back[turn]]

mlsd.ask("04-ask-sessions", truth=100 * hit_ratio(sessions, 100))

# %% [markdown]
"""
The same requests, shuffled:
"""

# %%
shuffled = rng.permutation(sessions)
round(hit_ratio(shuffled, 100), 2)

# %% [markdown]
"""
The same keys, equally often, and a lower hit ratio: *order* carries information that popularity does not.
Measure the hit ratio on your own trace before you plan with it, and shuffle the trace to see how much of it is
order.

### One stream, answered in four ways

Four services answer the same payments for real, each in processes of its own on your machine, with one and the same model. Thieves
try a card in bursts: one payment looks like any other, the fifth within seconds does not.

| row | the answer is made | it knows |
|---|---|---|
| A: on request, old features | when the payment asks | this payment, and what is known of the card since long ago |
| B: ahead, by a job every 5 s | at the run before | the card's last half minute, as of that run |
| C: ahead, by event | at each payment of the card | the card's last half minute, up to its payment before this one |
| A: on request, streamed features | when the payment asks | this payment and, from a stream, the card's last half minute |

Which of them finds most fraud (**recall**), and which costs most? A lower threshold finds more fraud and raises more false alarms.
So the recalls are compared at the *same* false-alarm rate: each way has the threshold at which 1 % of the honest payments raise
an alarm.
"""

# %%
recorded = mlsd.testbed.three_patterns(recorded=True)
work = recorded.column("cpu_s_per_1,000")
guess_work = mlsd.ask("04-ask-work", truth=work[-1] / work[0])
guess_work

# %% tags=["nbval-ignore-output"]
# measures for about 80 s, when your prediction is locked in
four = guess_work.unlocks(mlsd.testbed.three_patterns)
four

# %% tags=["nbval-ignore-output"]
guess_work.unlocks(lambda: mlsd.testbed.pareto(four))  # drawn once it is measured

# %% [markdown]
"""
The line joins what no other row beats on both axes: **Pareto's** frontier. For a point below it there is another that costs no more and finds as much or more.
The upright bars are the intervals of the recalls, from fewer than a hundred frauds. Where two bars overlap, this run does not say
which of the two finds more, and the line may join them by chance; a longer run would.
What works at each payment, a log, a consumer, a store, works also when nobody asks: more requests would share that price.

### A cache in front of a fast model

The same trees run in scikit-learn, a library to train models with, and in ONNX Runtime, a library that only runs trained ones. In front of which of them does a cache
in Redis (a store on the network that keeps its data in memory) pay, and what changes where the cache is in the server's own memory (tried with scikit-learn alone), when most requests repeat an earlier one? This was recorded on another machine; `mlsd.testbed.caches()` measures it on
yours, in some minutes.
"""

# %%
mlsd.testbed.caches(recorded=True)

# %% [markdown]
"""
Read each change in both columns: in front of scikit-learn, Redis shortens the median, and does not shorten the p99: that is a miss,
which asks Redis *and* the model.
A cache in the server's own memory shortens both. A miss there asks the model too, but the look-up costs next to nothing; and as most requests no longer run the model, a miss waits
less for others (our reading). *Carried* is the highest rate tried at which the service kept up, *gives up at* the next one, at which it did not.

## Sources

1. Liu, *Building a dynamic and responsive Pinterest*, Pinterest Engineering, 2018.
2. Instacart, *Lessons Learned: The Journey to Real-Time Machine Learning at Instacart*, 2022; the change from hours
   to seconds as summarised in the ZenML LLMOps and MLOps database.
3. X. Amatriain and J. Basilico, *System Architectures for Personalization and Recommendation*, Netflix
   TechBlog, 2013.
4. Uber, *Immutable key-value store on Cassandra*, Feature Store Summit, 2024.
5. L. Schaefers and E. Eskili, Booking.com's feature platform on ElastiCache, AWS Database Blog, guest post, 2025.
6. DoorDash, *Clusterless ML feature store*, careersatdoordash.com.
7. LinkedIn, *Near real-time features for near real-time personalization*, LinkedIn Engineering, 2022; the two
   figures as summarised by engineering.fyi.
8. Twitter, cache-trace, *statistics of March 2020* (CC BY); the count is ours. J. Yang et al., *A large scale
   analysis of hundreds of in-memory cache clusters at Twitter*, OSDI 2020.
9. H. Che, Y. Tung and Z. Wang, *Hierarchical Web caching systems*, IEEE JSAC 20(7), 2002.

Harbour Pay and the shop are invented; prices, rates and ages without a source are our assumptions.
"""
