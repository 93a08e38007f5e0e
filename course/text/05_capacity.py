# %% [markdown]
"""
# 05 Capacity: how many replicas?

When Grab's engineers looked at their machine-learning services, each set up by its own team, they found low use of the machines
that were asked for, about 1 % in one example [1]. Ask for too few instead, and the service is slow on the day that
matters. Between the two lies a number that somebody has to work out before the first deployment.

**You will be able to** size a service with a rule that fits on one line, and say what the rule does not promise; size
it for a percentile of the wait instead; name the failure that its spare capacity pays for; and say what it costs.

**Harbour Pay** decides on card payments: fraud or not, while the customer stands at the till. You have its
requirements from lesson 01; here you order the machines. About 65 minutes, exercises apart; a break fits before section 4. Six parts under *Further*, at the end,
are for another day: models that write text, variance and bursts, what the rule leaves out, forecasts that are wrong, and a measurement on your own machine.
"""

# %%
from math import ceil, log

import numpy as np
import pandas as pd

import mlsd_helpers as mlsd
from mlsd_helpers.units import GB, TB

case = mlsd.cases.load("harbour_pay")

# %% [markdown]
"""
**First, you are the load.** A **replica** is one copy of the model server; here it works on one request at a time. This one takes half a
second for each, slow enough to watch. Send one request and see it served. Then send eight as fast as you can. After a few answers a
slider turns up: raise the rate, and let each rate run for a minute. Where does a queue appear, and from where on does it only grow?
"""

# %%
mlsd.widgets.FirstQueue()

# %% [markdown]
"""
What you turned up is **rate × time**: how many replicas' worth of work arrives. At 1.8/s × 0.5 s = 0.9 one replica could serve
everything, and still requests wait, because they come at random and sometimes close together. Above 1 the queue grows for as long as the rate stays.

## 1 The rule

How many replicas does a service order? Step by step, for a small one: 300 requests/s of 20 ms each. [**Little's law**](glossary.md#rate-times-time), **rate times time**, says how
many requests are being served on average: the rate at which they come, times how long each stays, 300/s × 0.020 s = 6. It holds for
the long-run means of a service that keeps up with its traffic, random or in bursts.

A fleet of just that many replicas would be busy all the time, and the queue in front of it would grow longer and longer. The [**target
utilisation**](glossary.md#target-utilisation) is how busy each may be: at 0.7, a replica idles three seconds in ten. A lower target takes *more* replicas, so
divide. [**Headroom**](glossary.md#headroom) is what is added for the day on which something happens, here 30 %. Round **up, once, at the end**:

> replicas = ⌈ rate × time / target × (1 + headroom) ⌉

For the small service 6 / 0.7 × 1.3 = 11.1, so 12. Harbour Pay's model server gets 500 requests/s at the peak, and each takes 40 ms. **Your turn**:
"""

# %%
# Use this cell as your calculator.

# %%
guess_rule = mlsd.ask("05-ask-rule")
guess_rule

# %%
busy = case.requirements.throughput.peak * case.capacity.service_time.mean
rule = mlsd.formulas.replicas(500, 0.040, target_utilisation=0.7, headroom=0.3)
guess_rule.unlocks(rule)

# %% [markdown]
"""
## 2 What the rule does not promise: latency

The rule keeps replicas 70 % busy on average. Harbour Pay's customers feel something else: how long *their* payment
takes. Routing decides that, and so do variance and bursts (*Further* has both); the rule knows none of them.

Take the replicas that the rule gives without headroom. In front of them stands either **one queue**, from which
each idle replica takes the next request; or a load balancer that sends each request to **a replica at random**, where
it waits in that replica's own queue. Arrivals are Poisson (independent of each other), service times are exponential
(many short, some long) with a mean of 40 ms.

With one queue hardly anybody waits here; section 3 computes how many. So the p99 of the response (99 % of the requests are answered
within it) is close to the p99 of the service time, which for exponential times is mean × ln 100. In ms:
"""

# %%
base = ceil(busy / 0.7)
base, round(40 * log(100))

# %% [markdown]
"""
What does random routing make of it: same machines, same load, same utilisation?
"""

# %%
guess_routing = mlsd.ask("05-ask-routing")
guess_routing

# %% [markdown]
"""
**Explore.** A [**simulation**](glossary.md#simulation) draws arrivals and service times and lets a fleet work
through them. Your prediction opens this one.

1. Find a replica with a queue beside an idle one. Give random routing nine more machines: is it as good as one queue now?
2. Try **power of two**: the balancer looks at two replicas at random and takes the less busy one. *Join the shortest queue* looks at
   all of them.

*Next* offers more controls, each with a task of its own. They are not needed below: come back to them when you like.
"""

# %%
mlsd.widgets.QueueTheatre(replicas=base, routing="random", prediction=guess_routing)

# %% [markdown]
"""
The theatre shows a 95 % interval beside each percentile: from many runs like this one, about 95 in 100 such intervals would hold the true
percentile. The p99 rests on one request in a hundred, so its interval is the widest.

At random, each replica is a queue of its own, with its share of the requests: one server with Poisson arrivals and exponential times,
which is called **M/M/1**. With nine more machines, its p99 in ms is:
"""

# %%
p99_s = mlsd.formulas.random_split_response_percentile_s(rule, 500, 0.040, 0.99)
guess_routing.unlocks(round(1000 * p99_s))

# %% [markdown]
"""
Under random routing a request waits while other replicas idle, and nine more machines leave its p99 at twice that of one queue. So
choose the routing with the machines. In the theatre's runs *join the shortest queue*, also called least requests, comes close to the
single queue; [**power of two**](glossary.md#power-of-two) takes away four fifths of what random routing adds to the p99, and asks two
replicas only.
"""

# %% [markdown]
"""
## 3 A number for the wait: Erlang C

If the requirement is a wait, size for the wait. For Poisson arrivals, exponential service and one queue, Erlang's
formula C gives the share of requests that have to wait [3]. How long those wait is exponential, at the rate (replicas − busy) / service
time. So a wait is longer than t with probability share × e^(−rate × t). Set that to 1 % and solve for t: the p99 of the wait, where more than 1 % wait (else it is 0), is

> ln(share that waits / 1 %) × service time / (replicas − busy)
"""

# %%
waits = mlsd.formulas.erlang_c(base, busy)
p99_wait_ms = log(waits / 0.01) * 40 / (base - busy)
pd.Series({"share that waits": waits, "p99 of the wait, ms": p99_wait_ms}).round(2)

# %% [markdown]
"""
Now turn it round. A larger service promises that the p99 of its wait stays within half a service time. How many replicas keep that?
"""

# %%
guess_large = mlsd.ask("05-ask-large")
guess_large

# %% [markdown]
"""
**Explore.** Your prediction opens this view. Its wait budget is half a service time, 25 ms. Move the rate from 10 to 10,000
requests a second and watch the two numbers change places. Then lower the target, and see what the rule buys with it.
"""

# %%
mlsd.widgets.CapacityExplorer(
    peak_rps=1_000, service_time_s=0.050, prediction=guess_large
)

# %% [markdown]
"""
A small fleet needs more than the rule orders: two requests at once are already a crowd. In a large fleet the ups and downs of single
requests cancel, so it needs less, as long as its load is *known*. An error of the forecast does not cancel: 5 % too low is too low by
5 % of the load, for a small service and for a large one.

## 4 Which failure does the headroom pay for?

"30 % headroom", as in section 1, sounds like safety. Safety from what? Take a [**rolling restart**](glossary.md#rolling-restart), in which replicas are replaced in
batches. Let a quarter of the fleet stop at once; Kubernetes rounds such a share down to whole replicas [5]. How many of 38 are left, and how many does the target need?
"""

# %%
rule - int(rule * 0.25), base

# %% [markdown]
"""
Just enough, and by two roundings: 9.5 is rounded down to 9, and the 37.1 of section 1 were rounded up to 38. Without them a
restart leaves 1.3 × 0.75 = 0.975 of what the target needs. Large fleets feel it: at 1,000/s of 40 ms the rule orders 75, a restart leaves 57, and
58 are needed. What 30 % does pay for, at every size, is a [**surge**](glossary.md#surge) of 30 %, which is traffic above the planned peak.

The spare for a restart need not stand there all month. Kubernetes can
start new replicas *before* it stops old ones [5], on extra machines that exist for minutes; where GPUs or a quota are scarce, the
standing headroom remains.

There are other failures: the loss of a zone, or a [**cold cache**](glossary.md#cold-cache). A cache that answers half of all requests keeps them away
from the replicas; on the day that it is emptied, twice as many arrive.

Harbour Pay runs in three zones (separate buildings of a cloud region).
"""

# %%
guess_zone = mlsd.ask("05-ask-zone")
guess_zone

# %%
guess_zone.unlocks(
    mlsd.figures.headroom(replicas=rule, peak_rps=500, service_time_s=0.040)
)

# %% [markdown]
"""
What does it take to survive the loss of a zone within the target? Replicas are lost in whole zones, and the fullest one may be
the one. Work back from what has to be *left*, and round each zone by itself: two zones must hold 29.
"""

# %%
per_zone = ceil(base / 2)
per_zone, 3 * per_zone

# %% [markdown]
"""
A fleet that is sized for the wait alone has no reserve either: divide its size over the two zones that are left, as above.

A headroom that is spent on one failure is not there for another. A restart *during* a surge, or a zone lost during a restart, is a
decision of its own: pay for it, or write down that you do not.

## 5 Autoscaling is late

An [**autoscaler**](glossary.md#autoscaler) adds replicas when the load rises. Kubernetes computes replicas × metric / target, rounded
up [4]: 50 replicas at 90 %, with a target of 75 %, become 50 × 0.90 / 0.75 = 60. A new replica has to be scheduled, pull its image, load its
model and warm up. Until then the old ones are alone.

Take the moment of section 4 at which a restart leaves 29 of 38 replicas. At their limit they serve 29 / 0.040 = 725 requests/s. Now 800 arrive.
"""

# %%
guess_queue = mlsd.ask("05-ask-queue")
guess_queue

# %%
guess_queue.unlocks(
    mlsd.figures.backlog(
        surge_rps=900, capacity_rps=725, delay_s=120, scaled_capacity_rps=1_200
    )
)

# %% [markdown]
"""
The figure shows a larger surge, of 900 requests/s. Headroom has to carry the time that the autoscaler takes; one does not replace the other. And a client that gives up and
tries again makes the surge larger just then. Retries in several layers *multiply* [6]: when the lowest layer fails, three
layers of three attempts each send it 3 × 3 × 3 = 27 calls for one.

## 6 What it costs
"""

# %%
guess_price = mlsd.ask("05-ask-price")
guess_price

# %% [markdown]
"""
The fleet is paid for at its peak size, and the mean rate of 200 requests/s shares the bill. For the fleet that
survives the loss of a zone, in cents for 1,000 predictions:
"""

# %%
dollars = mlsd.formulas.cost_per_thousand_predictions(
    3 * per_zone, case.capacity.cost_per_replica_hour, mean_rps=200
)
guess_price.unlocks(round(100 * dollars, 2))

# %% [markdown]
"""
So there is a sentence that a product owner can decide on, as "we have headroom" is not: **surviving the loss of a zone costs 18 % more, 1.25
instead of 1.06 cents for 1,000 predictions.** (The ratio is that of the fleets, 45 to 38.)

## 7 Exercises

Seven exercises wait in [the assignment](../release/05_capacity/05_capacity.ipynb), in two sittings: a sizing to complete, a sheet to
repair, Erlang C and named failures; a backlog, published claims to audit, and a plan. (Most claims are about models that write text;
exercise 6 explains what it needs of them.) They come after the last section here, or on another day.

## 8 Write it down

The last part of `harbour_pay.yaml` is the capacity plan. What you decided in earlier lessons stays; where you skipped
one, the worked part of the case stands in. Say how many requests may wait for a replica before the rest goes to the fallback. With
routing by power of two each replica has a queue of its own, and the request in its last place waits for about `queue_limit` service times, so

> queue limit = ⌊ time that the latency budget leaves for waiting / service time ⌋

Lesson 01 divided the 500 ms: 250 ms are for waiting, and 0.250 / 0.040 = 6.25, so 6. (The 120 ms for inference there leave room above its mean
of 40 ms.) Service times vary, so some whom such a limit admits are late, and some whom it turns away would not have been.
Change what you would decide otherwise. (`release_replicas` are the machines on which a new version starts beside the old one.)
"""

# %%
design = mlsd.cases.carry_on("harbour_pay.yaml")
at_target = design.at("requirements.throughput.peak") * 0.040 / 0.7
per_zone = ceil(ceil(at_target) / 2)  # two zones carry the peak
plan = mlsd.design.CapacityPlan(
    component="scorer",
    service_time=case.capacity.service_time,
    target_utilisation=0.7,
    headroom={
        "share": round(3 * per_zone / at_target - 1, 2),
        "pays_for": ["zone loss"],
    },
    replicas=3 * per_zone,
    zones=3,
    replicas_per_zone=per_zone,
    queue_limit=int(0.250 / 0.040),
    routing="power of two",
    release_replicas=3,
    cost_per_replica_hour=case.capacity.cost_per_replica_hour,
)
mlsd.write("harbour_pay.yaml", capacity=plan)

# %% [markdown]
"""
## 9 Without looking back

Four questions on earlier lessons, two on this one. Remembering is what makes it stay.
"""

# %%
mlsd.ask("05-recall-mean")

# %%
mlsd.ask("05-recall-plane")

# %%
mlsd.ask("05-recall-age")

# %%
mlsd.ask("05-recall-pattern")

# %%
mlsd.ask("05-recall-forecast")

# %%
mlsd.ask("05-recall-headroom")

# %% [markdown]
"""
## What you can do now

- **Size** by the rule: 500 requests/s of 40 ms, at 70 % and with 30 % headroom, order 38 replicas; and say that this promises no wait.
- **Choose** the routing with the machines: at random, nine more of them leave the p99 at twice that of one queue.
- **Size for a wait** with Erlang C: more than the rule where the service is small, fewer where it is large and its load is known.
- **Name** the failure that headroom pays for: 38 replicas lose a zone and are 80 % busy; 45 are within the target.
- **Say** what it costs: 18 % more for surviving a zone.

**Next:** the [exercises](../release/05_capacity/05_capacity.ipynb). This was the last lesson: from here on the work is your own system, below, whose
`design.yaml` you take to a review; the other worked designs, `mlsd.cases.names()`, show how others have decided; `mlsd again`, in a terminal, asks some days
later what you once got wrong; and *Further* is for another day.

## For another day: your own system

About 10 minutes, on another day. `mlsd.outline` adds an example of this part to your `design.yaml`, each line as a comment. Open the
file, put in what holds for your system, and take the `#` away (select the lines, Ctrl+/). What you have written stays as it is.
"""

# %%
mlsd.outline("design.yaml", "capacity")

# %% [markdown]
"""
That was the last part. Run `!mlsd check design.yaml` in a cell and read what a reviewer finds, and `!mlsd document design.yaml` for the
pages that you would take to a design review.

## For another day: further

About 50 minutes, in six parts, the first of about 18 minutes. Each needs the lesson's first code cell, and nothing else of it.

### A model that writes: memory comes first

A language model makes one [**token**](glossary.md#token) (a piece of a word) at a time, and for each token of each running sequence it
keeps a key and a value in every layer: the [**KV cache**](glossary.md#kv-cache). It runs on an [**accelerator**](glossary.md#accelerator), a processor with memory of its
own, such as a GPU. Four numbers size such a server.

**Memory.** Llama 3 8B has 8.03 billion parameters [7], two bytes each. A token keeps 2 (a key and a value) × 32 layers × 8 KV
heads × 128 numbers × 2 bytes. (A layer looks things up with 32 *query heads*, but four of them share one KV head, which is
[**grouped-query attention**](glossary.md#grouped-query-attention), so 8 are kept.) In GB, and in bytes a token:
"""

# %%
weights = 8.03e9 * 2
kv_per_token = 2 * 32 * 8 * 128 * 2
weights / GB, kv_per_token

# %% [markdown]
"""
**Concurrency** is what fits beside the weights.
"""

# %%
mlsd.ask("05-ask-sequences")

# %%
mlsd.figures.memory_budget(
    memory_bytes=80 * GB,
    weights_bytes=weights,
    kv_bytes_per_token=kv_per_token,
    context_tokens=8192,
)

# %% [markdown]
"""
The figure shows sequences of twice that length. How well that memory is used decides the throughput: the authors of vLLM measured that earlier servers held useful
values in only 20 to 38 % of their KV memory [8]. Newer ones give memory out in blocks, and admit a request when blocks are free.

**Tokens per second.** Plain decoding of a dense model makes one token for every running sequence in each **step**, and reads
all the weights once and each sequence's cache. (A little less: of the input embeddings, only the rows that are looked up.) At 3.35 TB/s (one H100 [9]) a step takes at least these bytes / 3.35 TB/s. A
[**batch**](glossary.md#batch) shares the reading of the weights; each sequence here has 2,048 tokens of cache:
"""

# %%
batch = pd.Index([1, 8, 32, 64], name="batch")
steps_per_s = 3.35 * TB / (weights + batch * 2048 * kv_per_token)
pd.DataFrame(
    {"tokens/s for each": steps_per_s, "tokens/s in all": batch * steps_per_s}, batch
).round()

# %% [markdown]
"""
Batching buys throughput with latency: a step takes longer, the more sequences take part. In a batch of 32, each sequence loses a
third of its speed, and all together make many times the tokens of one. Servers for language models let a
request leave when it is done and another take its place ([**continuous batching**](glossary.md#continuous-batching)), so a short answer does not wait for the longest.

**Time to first token.** Before it writes, the model reads the prompt ([**prefill**](glossary.md#prefill)), at two operations for each parameter
and token. Here arithmetic is the limit. Mind the data sheet of the H100: 1,979 TFLOP/s at 16 bits is the figure for sparse
matrices, in which half of the entries are zero; for **dense** weights it is 989 [9]. (A TFLOP/s is a million million
operations a second.) Say that the server reaches half of it; then a prompt of 2,048 tokens takes, in seconds:
"""

# %%
round(2 * 8.03e9 * 2048 / (0.5 * 989e12), 3)

# %% [markdown]
"""
These are bounds of *plain* decoding of a *dense* model. The levers of today's servers move them:

| lever | what it moves |
|---|---|
| quantisation of weights or KV cache | fewer bytes: more sequences, and more tokens/s |
| mixture of experts | a part of the weights is read for each token; all of them need memory |
| speculative decoding | several tokens from one reading of the weights |
| prefix caching | a prompt's common start is read once, as in chats with several turns |
| chunked prefill | a long prompt is read in pieces, so that running answers do not stall |
| prefill and decoding on separate machines | neither disturbs the other |
| tensor parallelism | one model on several GPUs: more memory and bandwidth, and traffic between them |

**Your turn.** A chat service is asked 5.53 times a second for 211 tokens (the means of the conversation trace [2]), at 25 ms
a token. (Our assumption, several times the bound above: servers also schedule, and read prompts in between.) It is Little's law again: what is the rate, and how long does each sequence stay?
"""

# %%
# Use this cell as your calculator.

# %%
mlsd.ask("05-ask-inflight")

# %% [markdown]
"""
### Variance

How unlike each other service times are is measured by their [**squared coefficient of variation**](glossary.md#squared-coefficient-of-variation) (SCV): variance over
squared mean. Constant times have 0, exponential ones 1; a model that is sometimes handed a long text may have 4 or
more. For one server, Pollaczek and Khinchine's formula gives the mean wait, in service times: ρ (1 + SCV) / (2 (1 − ρ)), where ρ is the
utilisation. At the same 70 % it differs fivefold:
"""

# %%
scv = pd.Series({"constant": 0, "exponential": 1, "a few long ones": 4})
(0.7 * (1 + scv) / (2 * (1 - 0.7))).round(2)

# %% [markdown]
"""
### Bursts: the same mean, two traces

Poisson traffic is what many people make who act independently, over minutes in which their rate is steady. A common cause, such as
a goal in a match, makes it burstier, and so do programs that call other programs.
The mean stays, and the wait grows.

Microsoft published an hour of requests to two services that run language models on Azure [2]. Requests to the *conversation* service come almost as Poisson does: the
variance of the counts per second is 1.3 times their mean. Requests to the *code* service come in bursts, with 13 times.
This ratio is the [**index of burstiness**](glossary.md#index-of-burstiness). What it does depends on the rate: the standard deviation of the counts,
as a share of their mean, is √(index / rate). For 2.57 requests/s, as the code service gets, and for 500:
"""

# %%
np.sqrt(13 / np.array([2.57, 500])).round(2)

# %% [markdown]
"""
At 2.57 requests/s a second brings nothing or a crowd; the same index at 500/s is a ripple.

Does the rule survive such traffic? Here is one queue in front of some replicas, where every request takes the same time. It
replays the moments at which requests arrive.
"""

# %%
import heapq


def p99_response_s(arrivals_s, service_s, replicas):
    """Replay arrivals through one queue in front of some replicas; return the p99 of the response."""
    free_at = [0.0] * replicas
    responses = []
    for arrival in arrivals_s:
        start = max(arrival, heapq.heappop(free_at))
        heapq.heappush(free_at, start + service_s)
        responses.append(start + service_s - arrival)
    return float(np.percentile(responses, 99))


# %% [markdown]
"""
Two traces of four hours with the mean of the code service. One is Poisson. The other
has its index of burstiness, 13.2; we draw its counts from a negative
binomial distribution, which lets one choose both. The real trace is burstier still, because its bursts last longer than a second.
With a service time of 1 s, the rule orders:
"""

# %%
_, poisson_s = mlsd.samples.arrivals(2.57, 1, lasts_s=4 * 3600)
_, bursty_s = mlsd.samples.arrivals(2.57, 13.2, lasts_s=4 * 3600)
by_rule = ceil(2.57 * 1 / 0.7 * 1.3)
by_rule

# %%
mlsd.ask(
    "05-ask-bursts",
    truth=p99_response_s(bursty_s, 1.0, by_rule)
    / p99_response_s(poisson_s, 1.0, by_rule),
)

# %% [markdown]
"""
The p99 in seconds under each trace, for the rule's fleet, and for two, four and eight times as many replicas:
"""

# %%
fleets = pd.Series(by_rule * np.array([1, 2, 4, 8]))
pd.DataFrame(
    {
        "replicas": fleets,
        "Poisson": fleets.map(lambda n: p99_response_s(poisson_s, 1.0, n)),
        "bursty": fleets.map(lambda n: p99_response_s(bursty_s, 1.0, n)),
    }
).set_index("replicas").round(1)

# %% [markdown]
"""
The rule's fleet, in the first row, answers within two service times under the one trace and takes many under the other, which has the same mean. It takes
several times as many replicas to answer promptly, and most of them idle most of the time. Before you buy them, ask
where the bursts come from: a queue in the client, or a batch job that fires on the hour, is cheaper to change.

### What the rule of thumb leaves out

- **Latency.** It promises a utilisation. Routing, variance and bursts decide the wait.
- **Size.** Too few for small services, more than the wait needs for large ones whose load is known.
- **The failure.** 30 % pays for a surge of 30 %, and, but for roundings, just misses a restart by quarters. The loss of a zone or a cold cache needs a
  line of its own.
- **Time.** It is about a steady hour. A queue from ten minutes ago, retries and a late autoscaler are not in it.
- **Dependencies.** A feature store with a limit of its own makes more replicas useless.
- **Batches and tokens.** Where requests share work, a service time is not a constant, and memory may be the first limit.

It is still the right first line of a plan: it takes ten seconds, and for the wait budget of section 3 and Poisson
traffic it is within a factor of three of Erlang C: three times too few for half a busy replica, 1.8 times as many as needed for a
thousand. Write it down, with what it leaves out beside it.

### Large fleets, and a forecast that is wrong

To keep the *share of requests that wait* the same, the spare part of a fleet has to grow only with the square root of the load, q·√busy
([**square-root staffing**](glossary.md#square-root-staffing)). An error of the forecast grows with the load itself, and overtakes the root:

> spare = q·√busy + error·busy

For q = 1.5 and a forecast that is 5 % too low:
"""

# %%
load = pd.Series([1, 20, 50, 500, 2_000])
for_chance = np.ceil(1.5 * np.sqrt(load))
pd.DataFrame(
    {
        "busy": load,
        "for chance": for_chance,
        "for the forecast": np.ceil(0.05 * load),
        "share that waits, load as forecast": np.vectorize(mlsd.formulas.erlang_c)(
            (load + for_chance).astype(int), load
        ).round(2),
    }
).set_index("busy")

# %% [markdown]
"""
At 20 busy, chance takes 7 spare and the forecast 1; at 2,000, chance takes 68 and the forecast 100, with the same error. So a small
fleet is sized for chance, and a large one for the error of its forecast.

### Predict your own machine

A number can be had three ways: by a formula, by a simulation, by a measurement. Here is a service on your machine: boosted trees behind
HTTP, one replica. First it is measured how long a request keeps the server busy, and how
that varies. From this follow the p99 of the formula for one server with Poisson arrivals and exponential times (**M/M/1**), and of a simulation with the times
that were measured, at three rates. Then the service is asked at those rates, in an [**open loop**](glossary.md#open-loop): requests are sent by the
clock, whether or not those before are answered.
"""

# %%
recorded = mlsd.testbed.prediction(recorded=True)
at_most_s = recorded.column("simulated_to_measured")[-1]
guess_machine = mlsd.ask("05-ask-machine", truth=1 / at_most_s)
guess_machine

# %% tags=["nbval-ignore-output"]
# measures for about 60 s, when your prediction is locked in
guess_machine.unlocks(mlsd.testbed.prediction)

# %% [markdown]
"""
The formula assumes exponential service times; the simulation has the measured ones. In the last sentence the simulation is
repeated with the service time that the server had *during* the measurement. What then remains is what a queue of one
server leaves out: a server of this kind works on several requests in turn (an **event loop**), pauses to collect garbage, and shares
its cores with neighbours. Each rate is measured once, for some seconds, so look at the interval of the measured p99 before you
judge. In our recording it is widest by far at the highest rate. There the formula's p99 lies within it and the simulation's below it: what the
simulation leaves out made this server slower than predicted. That the formula does better there is chance: its exponential times are not this server's.

## Sources

1. Grab Engineering, engineering.grab.com/catwalk-evolution, 2024.
2. Microsoft, *Azure LLM inference dataset 2023*, Azure/AzurePublicDataset (CC BY), a sample of an hour. Rates, token counts and variances
   are computed from its two traces.
3. A. K. Erlang, 1917; in every text on queues, such as L. Kleinrock, *Queueing Systems*, vol. 1, 1975.
4. kubernetes.io, *Horizontal Pod Autoscaling*. Unless told otherwise it does nothing within 10 % of the target.
5. kubernetes.io, *Deployments*: `maxUnavailable` as a percentage is rounded down, `maxSurge` up; both are 25 % by default.
6. M. Brooker, *Timeouts, retries and backoff with jitter*, Amazon Builders' Library.
7. A. Grattafiori et al., *The Llama 3 Herd of Models*, 2024, arXiv 2407.21783, table 3, for layers and heads; the number of parameters is in
   the model card.
8. W. Kwon et al., *Efficient Memory Management for Large Language Model Serving with PagedAttention*, SOSP 2023,
   arXiv 2309.06180.
9. NVIDIA, *H100 Tensor Core GPU* data sheet, SXM version.

Harbour Pay is invented; its numbers are our assumptions.
"""
