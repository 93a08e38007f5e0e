# %% [markdown]
"""
# 04 Patterns: compute it now, before, or all the time?

In 2015, Pinterest made the home feed of every user ahead of time and kept it in a store. By 2018 it had thrown that
design away. The features behind the ranking were up to weeks old, content was stored for users who never came back,
and each experiment needed a copy of its own [1]. Instacart also left answers made ahead, and then changed how its features are made
[2]. When does which of them win?

**You will be able to** say which pattern can serve a product at all, by its inputs and by freshness; find the rate at
which another becomes cheaper, and the assumption on which your choice hangs; say what a cache gives, and what it does
not; and say how late a stream is.

**Harbour Pay** decides on card payments. Its requirements, planes and data flow are yours from lessons 01 to 03.
About 88 minutes, exercises apart.
"""

# %%
from collections import OrderedDict
from itertools import pairwise

import numpy as np

import mlsd_helpers as mlsd
from mlsd_helpers.formulas import Stage
from mlsd_helpers.units import day, hour, minute, ms

million = 1e6
case = mlsd.cases.load("harbour_pay")
print(f"{case.requirements.throughput.mean:.0f} requests/s on average")

# %% [markdown]
"""
## 1 Three patterns

| pattern | computed | oldest answer | needs |
|---|---|---|---|
| [**A, request-time**](glossary.md#request-time) | when somebody asks | new; its features have their own ages | a model within the budget |
| [**B, pre-computed**](glossary.md#pre-computed) | for every input, by a job, again and again | a period and a job's time | a list of all inputs |
| [**C, streaming**](glossary.md#streaming) | at each event that changes it | the lag of the stream | an event that brings the input, and a state for each key |

The table says when the *answer* is computed. How its *features* are made is a choice of its own: by a job, by a stream, or from
the request. A model that runs at each request over streamed features is still A.

A [**key**](glossary.md#key) is one input that can be asked for: a user, a product, a pair of places. How many there are is the
[**cardinality**](glossary.md#cardinality). What a user types, an amount, a position on a map are known to nobody before the request: only A can answer them.

A [**hybrid**](glossary.md#hybrid) takes one pattern for some keys or layers, and another for the rest. Netflix described three layers in
2013: heavy models offline, events in between ("nearline"), the last order online; what was computed
ahead is the fallback of what is computed online [3].

**Predict** what a table of answers costs in work.
"""

# %%
mlsd.ask("04-ask-waste")

# %%
excess = mlsd.formulas.precompute_excess(computed=50e6, requested=5e6 * 3)
unread = mlsd.formulas.precompute_waste(computed=50e6, read=5e6)
print(
    f"{excess:.1f} times the inferences; {unread:.0%} of the answers are read by nobody"
)
assert round(unread, 2) == 0.9

# %% [markdown]
"""
That was one trouble of the feed of 2015. It is not a law: where every answer is read many times, the same count speaks
for B. What decides is requests for each answer made.

## 2 Feasible first

A pattern whose answers are too old is not a cheap option; it is none. For B, think of the moment just before a new
result is readable: the old one is a **period** and a **job** old. If the job takes an hour and runs back to back:
"""

# %%
job_s = 1 * hour
youngest = mlsd.formulas.age_bounds([Stage(period_s=job_s, delay_s=job_s)])
print(
    f"oldest answer {youngest.worst_s / hour:.0f} h, however often it starts, if runs do not overlap"
)

# %% [markdown]
"""
Will the job fit at all? 50 million keys at 4 ms of one core each, in a window of 6 hours:
"""

# %%
cores = mlsd.formulas.batch_cores(items=50e6, item_time_s=4 * ms, window_s=6 * hour)
with_rerun = mlsd.formulas.batch_cores(50e6, 4 * ms, 6 * hour, reruns=1)
print(f"{cores} cores; {with_rerun} when a run that fails has to fit twice")

# %% [markdown]
"""
A job that fills most of its window "fits" until the first night on which it fails. Plan for a **rerun**, or say what
readers get that morning.

### B decays without a sound

At Uber, a daily job that filled the feature store failed. Reads went on, with yesterday's values. When it kept
failing, the entries expired, and models got no features at all. The repair was a store with immutable versions [4].
With our own numbers, a job of 3 hours every day and an expiry of 60 hours after the write:
"""

# %%
job_h, period_h, expiry_h = 3, 24, 60
for missed in range(3):
    age_s = mlsd.formulas.worst_age_in_outage_s(
        [Stage(period_s=period_h * hour, delay_s=job_h * hour)],
        outage_s=missed * period_h * hour,
    )
    oldest_h = min(age_s / hour, expiry_h + job_h)
    empty_h = max((missed + 1) * period_h - expiry_h, 0)
    print(f"{missed} missed: up to {oldest_h:.0f} h old, then nothing for {empty_h} h")
assert expiry_h - period_h == 36

# %% [markdown]
"""
An error rate shows only the last line. An alert on the **age** of what is read
shows the first missed run 36 hours before the entries expire.

## 3 Then cost

What is feasible is compared by cost. Each pattern has one line:

> A: requests × inference
>
> B: keys × runs × inference in the job + requests × read
>
> C: events × inference + requests × read
>
> H, a hybrid: as B for the popular keys, as A for the rest

An event changes an answer, a request reads one. The **share of reads** is that of requests among the two.

Worked: one million keys, answers up to 1 hour old, a job of 10 minutes. A million inferences cost 10 USD at
request time and 5 USD in the job, which fills its machines and waits for nobody; a million reads cost 0.50 USD. (Our
assumptions, all of them. Put yours in.)

**Predict.** A rule of thumb, and no more than that, calls A strained above about 1,000 requests a second. (Section 5
holds it against systems that run.)
"""

# %%
mlsd.ask("04-ask-crossover")

# %% [markdown]
"""
The longest period that keeps the promise is what the job leaves of it:
"""

# %%
period_s = 1 * hour - 10 * minute
runs = day / period_s
print(f"{runs:.1f} runs a day")

# %% [markdown]
"""
All keys, at every run, asked for or not:
"""

# %%
ahead = 1e6 * runs * 5 / million
print(f"${ahead:.0f} a day before anybody asks")

# %% [markdown]
"""
A request saves an inference and pays for a read. The crossover is where the savings pay for the job:
"""

# %%
crossover_per_day = ahead / ((10 - 0.5) / million)
by_formula = mlsd.formulas.crossover_requests_per_day(
    1e6, runs, 5 / million, 10 / million, 0.5 / million
)
assert np.isclose(crossover_per_day, by_formula)
print(f"{crossover_per_day / day:.0f} requests/s")
assert crossover_per_day / day < 1_000 / 5

# %% [markdown]
"""
Far below 1,000. With a hundred times the keys it would be a hundred times as high. **Your turn**:
"""

# %%
mlsd.ask("04-ask-faded")

# %%
# Use this cell as your calculator.

# %% [markdown]
"""
All four over the rate. This figure and the map below also count a fixed sum a day for keeping a job or a stream running, which is what makes A win where few ask.
"""

# %%
mlsd.figures.cost_by_rate(key_count=1e6, max_age_s=1 * hour)

# %% [markdown]
"""
## 4 Where does the choice flip?

A choice without the assumption it hangs on is a habit. Ask of each assumption: at which value would I choose
otherwise, and how sure am I that it stays on this side?
"""

# %%
guess = mlsd.ask("04-ask-age")
guess

# %% [markdown]
"""
**Explore.** Your prediction opens the map. Each point of it is a product: its rate along, the allowed age up. Then:

1. Find a product for which C wins. Lower the share of reads. Why does C leave first?
2. Raise the number of inputs to 100 million. Who takes over from B?
3. Take the mark off "can be listed".
4. Set up 2,000 requests/s, 10,000 keys, one day. Many choose streaming here, for its rate.
"""

# %%
mlsd.widgets.PatternSurface(prediction=guess)

# %%
few_keys = mlsd.analysis.pattern_view(
    mlsd.analysis.PatternInputs(rate_rps=2_000, key_count=10_000, max_age_s=day)
)
assert few_keys.choice == "B"
many_keys = mlsd.analysis.PatternInputs(key_count=100 * million)
assert mlsd.analysis.pattern_view(many_keys).choice != "B"
few_keys.verdict

# %% [markdown]
"""
Rate alone chose nothing here: few keys and a generous age did.

## 5 "A fails above 1,000 requests a second"

You will meet that sentence. Published systems:

- Booking.com reads features 200,000 times a second, with a p99.9 below 25 ms [5].
- DoorDash evaluates models about 900,000 times a second at its peak [6].
- Uber's platform reported a peak of a million queries a second, with a p95 of 5 to 10 ms [7].

All of it while somebody waits. What does 1,000 requests/s take, at 40 ms each? By the rule of lesson 05: the work,
over how busy a replica may be, and headroom on top.
"""

# %%
needed = 1_000 * 0.040 / 0.7 * 1.3
replicas = mlsd.formulas.replicas(1_000, 40 * ms, target_utilisation=0.7, headroom=0.3)
assert replicas == np.ceil(needed)
price_per_hour = case.capacity.cost_per_replica_hour
per_day = mlsd.formulas.fleet_cost(replicas, price_per_hour, hours=24)
print(f"1,000 × 0.040 / 0.7 × 1.3 = {needed:.1f}")
print(f"{replicas} replicas, ${per_day:.0f} a day at ${price_per_hour:.2f} an hour")

# %% [markdown]
"""
A bill, not a wall. The fan-out is the other half of it:
"""

# %%
mlsd.ask("04-ask-fan-out")

# %%
reads = mlsd.formulas.feature_reads_per_s(
    mlsd.formulas.scorings_per_s(1_000, candidates=500), features=23
)
print(f"{reads / million:.1f} million feature values a second")

# %% [markdown]
"""
So read the rule as a **cost heuristic**: above about 1,000 requests a second, justify the cost of A and its fan-out
into the feature store. Then take A if it is right.

## 6 Two moves, and why

**From B to A: Pinterest, 2015 to 2018 [1].** Answers were as old as the last run and their features older still;
most were made for nobody; each experiment kept its own copy of everything. What has to be true for such a move is
our reading: features that can be read, and a model that can be run, while a user waits. When that flips, so does the
choice.

**Features from batch to stream: Instacart [2] and LinkedIn [8].** Instacart's batch answers were stale, covered only some
items, and wasted compute on what nobody asked for; it moved to answers on request (B to A), and then to features from a
stream, which brought their age from hours to seconds. LinkedIn answered on request before and after; it moved features
about what members have just done from batch, hours to days old, to near real time, and reports 0.66 % more job applications
and 20 % fewer dismissals.

Mind the unit: *seconds*. Streaming is sold as "sub-second freshness"; what these teams report is seconds instead of
hours, and that was worth the move. Ask what a second less would change before you pay for it.

A [**migration**](glossary.md#migration) goes one path at a time: the new one runs in the shadow (it answers, nobody sees it), answers are
compared, a share of users moves, and the old table stays as the fallback until nobody reads it.

## 7 Caches

A cache is B that waits until somebody asks. It keeps an answer for the next one who asks the same, in an [**LRU**](glossary.md) cache
until it is the least recently used and room is needed, or until its **TTL** is over.

### How often does it hit?

Popularity is skewed. [**Zipf's law**](glossary.md): the n-th most popular key is asked for in proportion to one over n to
the power of α. In 31 of the 51 clusters of Twitter's caches for which an exponent is published, α is above 1 [9].

**Predict.**
"""

# %%
mlsd.ask("04-ask-hits")

# %%
lru = mlsd.formulas.che_hit_ratio(cache_size=100, keys=1_000, zipf_exponent=1)
best = mlsd.formulas.top_keys_share(top=100, keys=1_000, zipf_exponent=1)
print(f"LRU {lru:.1%}; a cache that knew the 100 most popular keys: {best:.1%}")
assert 0.10 < lru < best

# %% [markdown]
"""
Far above the 10 % of keys that fit, and below what the 100 most popular keys would give, if requests are independent: LRU also
makes room for what is asked for only once. Sessions are not independent; there LRU can do better than both. The formula
is Che's approximation [10]; the lab below holds it against a cache that really runs.
"""

# %%
mlsd.figures.lru_hit_ratio()

# %% [markdown]
"""
A TTL sets a limit of its own. **Predict** for one key:
"""

# %%
mlsd.ask("04-ask-ttl")

# %% [markdown]
"""
Requests come at a rate λ. A miss fetches the answer; in the TTL T that follows, λT requests come on average, and all of
them hit. So of 1 + λT requests λT hit: a share of λT / (1 + λT).

### What it does not mend
"""

# %%
mlsd.ask("04-ask-tail")

# %%
mean_s = mlsd.formulas.cached_mean_s(hit_ratio=0.8, hit_s=2 * ms, miss_s=42 * ms)
print(f"mean {mean_s / ms:.0f} ms; all misses take 42 ms here, so the p99 stays there")

# %% [markdown]
"""
As long as more than 1 % miss, misses own the p99: with 80 % hits, it is the p95 of the misses. Where misses vary, that is
less than their p99, and still more than a hit takes. A warm cache also takes load off the fleet behind it, which then waits
less: until the cache is cold.
"""

# %%
mlsd.ask("04-ask-cold")

# %%
load = {"warm": mlsd.formulas.backend_rps(500, hit_ratio=0.8), "cold": 500}
for state, rps in load.items():
    fleet = mlsd.formulas.replicas(rps, 40 * ms, target_utilisation=0.7, headroom=0.3)
    print(f"{state}: {rps:.0f} requests/s, {fleet} replicas")

# %% [markdown]
"""
Those are replicas for 500 requests/s behind a cache that hits 80 %. The warm figure is a plan for good days. A
restart of the cache is the other day: warm it up first, shed load, or size for it, and write down which.

### Whose answer is it?

Here is a shop that ranks products for each customer, behind a cache.
"""


# %%
def rank(user, query, model_version):
    """Stand in for a model: the order depends on all three."""
    return f"{query} as {user} likes it, by model {model_version}"


cache = {}


def cached_rank(user, query, model_version):
    """Answer from the cache where the key is known."""
    key = query
    if key not in cache:
        cache[key] = rank(user, query, model_version)
    return cache[key]


print(cached_rank("ana", "shoes", model_version=7))
print(cached_rank("ben", "shoes", model_version=8))

# %% [markdown]
"""
Ben is shown what Ana likes, by a model that has been replaced. Nothing failed, and no latency rose. The rule is short:
**the key holds every input that changes the answer**, and the model's version is one. An exercise lets you find a
key's missing fields from a log.

## 8 Streams are late

A stream is a queue of events, split into [**partitions**](glossary.md#partition); the **consumers** of a group share the partitions, and in a classic
group of Kafka each partition is read by one of them. Twenty consumers on 12 partitions:
"""

# %%
busy = mlsd.formulas.busy_consumers(consumers=20, partitions=12)
print(f"{busy} have something to read, {20 - busy} are paid for")

# %% [markdown]
"""
[**Consumer lag**](glossary.md#consumer-lag) is how far behind they are. 30,000 events wait, 5,000/s are read and 4,500/s arrive. Two times follow,
and they are not the same:
"""

# %%
lag_s = mlsd.formulas.consumer_lag_s(backlog=30_000, consumed_rps=5_000)
drain_s = mlsd.formulas.drain_time_s(30_000, arrival_rps=4_500, capacity_rps=5_000)
print(
    f"an event that arrives now is read in {lag_s:.0f} s; nothing waits after {drain_s:.0f} s"
)

# %%
mlsd.ask("04-ask-lag")

# %%
mlsd.figures.stream_after_outage(
    events_rps=4_500, consumed_rps=6_000, outage_s=10 * minute
)

# %% [markdown]
"""
The figure looks back: how old is what is read now? At the end of the outage, as old as the outage. `consumer_lag_s` and
exercise 5 look ahead: how long will what arrives now have to wait? Those are two clocks.

Freshness in quiet weeks is a matter of seconds. Freshness in the week of the outage is a matter of [**spare capacity**](glossary.md#spare-capacity):
what consumers can read beyond what arrives.

## 9 Exercises

Seven exercises wait in [the assignment](../release/04_patterns/04_patterns.ipynb): choose with a reason, a
crossover, a cache to replay, a key to repair, a lag to trace, a design to critique, and a pattern to repair. Do them
now, and come back for the lab.

## 10 Lab: does a real LRU cache do what the formula says?

Ten thousand keys, Zipf with α = 1, and requests that are independent of each other, which is what Che assumes.
"""

# %%
rng = np.random.default_rng(seed=4)
keys, requests = 10_000, 200_000
popularity = 1 / np.arange(1, keys + 1)
independent = rng.choice(keys, size=requests, p=popularity / popularity.sum())


def lru_hits(trace, size):
    """Replay a trace through an LRU cache; say for each request whether it hits."""
    kept = OrderedDict()
    hits = np.zeros(len(trace), dtype=bool)
    for turn, key in enumerate(trace.tolist()):
        hits[turn] = key in kept
        kept[key] = None
        kept.move_to_end(key)
        if len(kept) > size:
            kept.popitem(last=False)
    return hits


assert lru_hits(np.array([1, 2, 1, 3, 2]), size=2).tolist() == [0, 0, 1, 0, 0]

# %%
print("size    replayed   by Che   share of the keys")
for size in (100, 1_000, 3_000):
    measured = lru_hits(independent, size)[requests // 2 :].mean()
    by_che = mlsd.formulas.che_hit_ratio(size, keys, 1.0)
    print(f"{size:5}   {measured:8.1%}   {by_che:6.1%}   {size / keys:17.0%}")
    assert abs(measured - by_che) < 0.01

# %% [markdown]
"""
Within a percentage point. Now real users: they look at a thing several times and then move on. Each request here
repeats one of the last 50 with probability one half, and is drawn as before otherwise.

**Predict** the hit ratio of a cache for 100 keys now.
"""

# %%
again = rng.random(requests) < 0.5
back = rng.integers(1, 51, size=requests)
sessions = independent.copy()
for turn in range(50, requests):
    if again[turn]:
        sessions[turn] = sessions[turn - back[turn]]

mlsd.ask(
    "04-ask-sessions",
    truth=lambda: 100 * lru_hits(sessions, 100)[requests // 2 :].mean(),
)

# %%
with_sessions = lru_hits(sessions, 100)[requests // 2 :].mean()
shuffled = lru_hits(rng.permutation(sessions), 100)[requests // 2 :].mean()
print(f"in their order {with_sessions:.0%}, the same requests shuffled {shuffled:.0%}")
assert with_sessions > shuffled + 0.15

# %% [markdown]
"""
The same keys, equally often, and quite another hit ratio: *order* carries information that popularity does not.
Measure the hit ratio on your own trace before you plan with it, and shuffle the trace to see how much of it is
order.

Last, the cache is emptied in the middle of the day. How long is it cold?
"""

# %%
cold = lru_hits(independent[requests // 2 :], 3_000)
edges = (0, 500, 2_000, 8_000, 32_000)
for first, last in pairwise(edges):
    print(
        f"requests {first:6,} to {last:6,} after it: {cold[first:last].mean():.0%} hit"
    )
assert cold[:500].mean() < 1 - 3 * (1 - cold[8_000:32_000].mean())

# %% [markdown]
"""
**Learnt:** popular keys are back first, and the tail takes thousands of requests. At 500 requests/s, the first row
is the first second: more than three times the misses of a warm cache. The backend has to survive that second, and
the quarter of a minute that follows.

### Three patterns on one stream

All three now serve the same payments for real, each in processes of its own on your machine, with one and the same model.
A knows the request and what is known of the card since long ago. B has a score for each card, from a job that runs every
few seconds. The row called C is, by the table of section 1, an A with *streamed features*: it knows the request and, from a
stream, what the card has just done. Thieves try a card in bursts: one payment looks like any other, the fifth within seconds does not.

**Predict** three orders: by p99, by CPU time, and by **recall**, the share of the fraud that is found.
"""

# %% tags=["nbval-ignore-output"]
three = mlsd.testbed.three_patterns()
three

# %% tags=["nbval-ignore-output"]
mlsd.testbed.pareto(three)

# %%
assert three.column("recall_share")[2] == max(three.column("recall_share"))
assert three.column("cpu_s_per_1,000")[2] == max(three.column("cpu_s_per_1,000"))

# %% [markdown]
"""
The line joins what no other pattern beats on both axes: **Pareto's** frontier. A point below it is dear for nothing. None
wins everywhere. B reads one row and is quick, and its scores were made before the payment that they judge. C finds the most
and pays for a log, a consumer and a store, which work also when nobody asks: more requests would share that price.

### A cache in front of a fast model

The same trees run in scikit-learn, slowly, and in ONNX Runtime, fast. **Predict**: in front of which of them does a cache in
Redis pay, when most requests repeat an earlier one? This was recorded on another machine; `mlsd.testbed.caches()` measures it on
yours, in some minutes.
"""

# %%
caches = mlsd.testbed.caches(recorded=True)
caches

# %%
p50_s = dict(
    zip(
        zip(caches.column("model"), caches.column("cache"), strict=True),
        caches.column("p50_s"),
        strict=True,
    )
)
assert p50_s["onnx", "redis"] > p50_s["onnx", "none"]
assert p50_s["sklearn", "redis"] < p50_s["sklearn", "none"]

# %% [markdown]
"""
Asking Redis takes longer than asking the fast model: there, the cache makes the median request slower, and the service gives up
at a lower rate. In front of the slow one it pays. Within the process a look-up costs next to nothing, and each replica has to
warm up by itself.

## 11 Your design

The pattern of Harbour Pay. Choose `pattern` and write the reason that you would give in a review. For what you
reject, say what would have to change: that is where the choice flips.
"""

# %%
pattern = "request-time"
reason = "Amount, merchant and the last minutes decide, and cannot be listed ahead."
flips_when = "A score for each card, a day old, were enough."

# %%
design = mlsd.cases.carry_on("design.yaml", "harbour_pay", until="pattern")
chosen = mlsd.design.Pattern(
    paths=[
        {
            "id": "authorise",
            "pattern": pattern,
            "share": 1.0,
            "reason": reason,
            "bounded_input": False,
        }
    ],
    rejected=[
        {
            "pattern": other,
            "path": "authorise",
            "reason": "The input cannot be listed ahead.",
            "flips_when": flips_when,
        }
        for other in ("request-time", "pre-computed", "streaming")
        if other != pattern
    ],
)
print(f"{chosen.choice}; rejected: {', '.join(no.pattern for no in chosen.rejected)}")

# %% [markdown]
"""
The two rejections share a reason here, and yours need not: mend what you do not believe. What does a reviewer find
in it?
"""

# %%
found = [
    finding
    for finding in mlsd.review(design.with_part(pattern=chosen))
    if finding.where.startswith("pattern")
]
for finding in found:
    print(f"{finding.code} {finding.message} {finding.fix}")
print(f"{len(found)} findings")

# %% [markdown]
"""
Set `pattern` to "pre-computed" above, run the three cells again and read what it says; then set it back. Write it
down:
"""

# %%
saved = design.with_part(pattern=chosen).save("design.yaml", replace=True)
print(f"written to {saved.name}")

# %% [markdown]
"""
## 12 What the rules of thumb leave out

- **"1,000 requests a second."** A bill and a fan-out, not a wall.
- **"Pre-computing is cheap."** When answers are read. It is dear when most are not, and it decays without a sound.
- **"Streaming is fresh."** In quiet weeks, and by seconds. It costs state, order, replay, and people who know them.
- **"The cache makes it fast."** The mean. The p99 becomes a lower percentile of the misses, and only while it is warm.
- **People.** Each pattern is a system that somebody is called for at night. Two patterns are two.
- **The features.** A at request time over features of yesterday gives yesterday's answer, freshly computed.
- **Change.** Prices, rates and keys move. Write down the value at which you would choose otherwise, and look again.

## 13 From earlier lessons

Five questions, without looking back.
"""

# %%
mlsd.ask("04-recall-fan-out")

# %%
mlsd.ask("04-recall-peak")

# %%
mlsd.ask("04-recall-rollback")

# %%
mlsd.ask("04-recall-join")

# %%
mlsd.ask("04-recall-parallel")

# %% [markdown]
"""
## Sources

1. Liu, *Building a dynamic and responsive Pinterest*, Pinterest Engineering, 2018.
2. Instacart, *Lessons Learned: The Journey to Real-Time Machine Learning at Instacart*, 2022; the change from hours
   to seconds as summarised in the ZenML LLMOps and MLOps database.
3. X. Amatriain and J. Basilico, *System Architectures for Personalization and Recommendation*, Netflix
   TechBlog, 2013.
4. Uber, *Immutable key-value store on Cassandra*, Feature Store Summit, 2024.
5. L. Schaefers and E. Eskili, Booking.com's feature platform on ElastiCache, AWS Database Blog, guest post, 2025.
6. DoorDash, *Clusterless ML feature store*, careersatdoordash.com.
7. Uber Michelangelo, as summarised in the ZenML MLOps database.
8. LinkedIn, *Near real-time features for near real-time personalization*, LinkedIn Engineering, 2022; the two
   figures as summarised by engineering.fyi.
9. Twitter, cache-trace, *statistics of March 2020* (CC BY); the count is ours. J. Yang et al., *A large scale
   analysis of hundreds of in-memory cache clusters at Twitter*, OSDI 2020.
10. H. Che, Y. Tung and Z. Wang, *Hierarchical Web caching systems*, IEEE JSAC 20(7), 2002.

Harbour Pay and the shop are invented; prices, rates and ages without a source are our assumptions.
"""
