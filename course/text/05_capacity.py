# %% [markdown]
"""
# 05 Capacity: how many replicas?

When Grab's engineers looked at their machine-learning services, each set up by its own team, they found low use of the machines
that were asked for, about 1 % in one example [1]. Ask for too few instead, and the service is slow on the day that
matters. Between the two lies a number that somebody has to work out before the first deployment.

**You will be able to** size a service with a rule that fits on one line, and say what the rule does not promise; size
it for a percentile of the wait instead; name the failure that its spare capacity pays for; say what it costs; and do
the same for a model that writes text.

**Harbour Pay** decides on card payments: fraud or not, while the customer stands at the till. You have its
requirements from lesson 01; here you order the machines. About 105 minutes, exercises apart: a good place for a break is
before section 5.
"""

# %%
import heapq
from math import ceil, sqrt

import numpy as np
import pandas as pd

import mlsd_helpers as mlsd
from mlsd_helpers.units import GB, TB, ms

case = mlsd.cases.load("harbour_pay")
peak_rps = case.requirements.throughput.peak
service_time_s = case.capacity.service_time.mean
print(f"{peak_rps:.0f} requests/s at the peak, {service_time_s / ms:.0f} ms each")

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

The rule of this lesson lets each replica be busy 70 % of the time, and adds 30 %. From what you know today:
"""

# %%
mlsd.ask("05-ask-rule")

# %% [markdown]
"""
Step by step. [**Little's law**](glossary.md) says how many requests are being served on average: the rate at which they
come, times how long each stays. It holds for the long-run means of a service that keeps up with its traffic, Poisson or bursty.
"""

# %%
busy = peak_rps * service_time_s
print(f"{peak_rps:.0f}/s × {service_time_s:.3f} s = {busy:.0f} busy on average")

# %% [markdown]
"""
A fleet of just that many replicas would be busy all the time, and the queue in front of it would grow longer and longer. The [**target
utilisation**](glossary.md#target-utilisation) is how busy each may be: at 0.7, a replica idles three seconds in ten. A lower target takes *more* replicas, so
divide. [**Headroom**](glossary.md#headroom) is what is added for the day on which something happens. Round **up, once, at the end**:

> replicas = ⌈ rate × time / target × (1 + headroom) ⌉
"""

# %%
target, headroom = 0.7, 0.3
exact = busy / target * (1 + headroom)
rule = ceil(exact)
print(f"{busy:.0f} / {target} × {1 + headroom} = {exact:.2f}, so {rule} replicas")

# %% [markdown]
"""
Write the units down and see them cancel: 1/s × s leaves a bare number. Milliseconds used as seconds give a fleet a thousand times
too large. **Your turn**:
"""

# %%
# Use this cell as your calculator.

# %%
mlsd.ask("05-ask-faded")

# %% [markdown]
"""
## 2 What the rule does not promise: latency

The rule keeps replicas 70 % busy on average. Harbour Pay's customers feel something else: how long *their* payment
takes. Three things decide that, and the rule knows none of them.

### Routing

Take the 29 replicas that the rule gives without headroom. In front of them stands either **one queue**, from which
each idle replica takes the next request; or a load balancer that sends each request to **a replica at random**, where
it waits in that replica's own queue. Arrivals are Poisson (independent of each other), service times are exponential
(many short, some long) with a mean of 40 ms.

With one queue, the p99 of the response (99 % of the requests are answered within it) comes to:
"""

# %%
base = ceil(busy / target)
one_queue_s = mlsd.formulas.response_percentile_s(base, peak_rps, service_time_s, 0.99)
print(f"{base} replicas, one queue: p99 {one_queue_s / ms:.0f} ms")

# %% [markdown]
"""
What does random routing make of it: same machines, same load, same utilisation?
"""

# %%
guess_routing = mlsd.ask("05-ask-routing")
guess_routing

# %% [markdown]
"""
**Explore.** Formulas stop soon; a [**simulation**](glossary.md#simulation) goes on: it draws arrivals and service times and lets a fleet work
through them. Your prediction opens this one.

1. Find a replica with a queue beside an idle one. Give random routing nine more machines: is it as good as one queue now?
2. Try **power of two**: the balancer looks at two replicas at random and takes the less busy one. *Join the shortest queue* looks at
   all of them.
3. Press *Next* twice, and lose a zone at 29 replicas. How many are left, and how many are needed? Before you look for a p99, say
   whether there is one.
"""

# %%
mlsd.widgets.QueueTheatre(replicas=base, routing="random", prediction=guess_routing)

# %% [markdown]
"""
Each percentile carries its 95 % interval: made from many runs like this one, such intervals hold the true percentile in 95 of
100. (Another run's percentile varies too, and lies outside this interval more often than that.) A p99 rests on one request in a
hundred, so its interval is the widest. In numbers, by formula:
"""

# %%
pd.DataFrame(
    [
        {
            "replicas": replicas,
            "utilisation": round(busy / replicas, 2),
            "p99, one queue, ms": round(
                mlsd.formulas.response_percentile_s(
                    replicas, peak_rps, service_time_s, 0.99
                )
                / ms
            ),
            "p99, at random, ms": round(
                mlsd.formulas.random_split_response_percentile_s(
                    replicas, peak_rps, service_time_s, 0.99
                )
                / ms
            ),
        }
        for replicas in (base, rule)
    ]
).set_index("replicas")

# %% [markdown]
"""
With one queue hardly anybody waits: its p99 is the service time of the slowest request in a hundred. Under random routing a request
waits while other replicas idle, and nine more machines leave its p99 at twice that of one queue. So choose the routing with the machines. The theatre simulates two more:
"""

# %%
theatre = {
    routing: mlsd.figures.theatre_view(
        mlsd.figures.TheatreInputs(replicas=base, routing=routing)
    ).lanes[-1]
    for routing in (
        "central queue",
        "join the shortest queue",
        "power of two",
        "random",
    )
}
pd.DataFrame(
    {
        routing: {p.name: round(p.estimate.value / ms) for p in lane.percentiles}
        for routing, lane in theatre.items()
    }
).T.rename_axis("ms, simulated")

# %% [markdown]
"""
*Join the shortest queue*, also called least requests, comes close to the single queue. [**Power of two**](glossary.md#power-of-two)
takes away four fifths of what random routing adds to the p99, and needs to ask two replicas only.

### Variance

How unlike each other service times are is measured by their [**squared coefficient of variation**](glossary.md#squared-coefficient-of-variation) (SCV): variance over
squared mean. Constant times have 0, exponential ones 1; a model that is sometimes handed a long text may have 4 or
more. For one server, Pollaczek and Khinchine's formula gives the mean wait, in service times: ρ (1 + SCV) / (2 (1 − ρ)), where ρ is the
utilisation.
"""

# %%
for scv, name in ((0, "constant"), (1, "exponential"), (4, "a few long ones")):
    wait = 0.7 * (1 + scv) / (2 * (1 - 0.7))
    print(f"SCV {scv}, {name}: mean wait {wait:.2f} service times")

# %% [markdown]
"""
At the same 70 % the wait differs fivefold between constant and long-tailed times.

<details><summary>More: the names of queues, and many servers</summary>

Queues are named by their arrivals, their service times and their servers: **M/M/1** has Poisson arrivals, exponential
times and one server, **M/D/1** constant times, **M/M/10** ten servers on one queue. For many servers and any service
times there is no exact formula. Allen and Cunneen's approximation is the usual stand-in: good close to full load, further off
for long-tailed times and at low load, where the wait is small. Trust it for a first look, and simulate.

</details>

### Burstiness

Poisson traffic is what many people make who act independently, over minutes in which their rate is steady. A common cause, such as
a goal in a match, or the course of a day makes it burstier, and so do programs that call other programs. Microsoft published an hour of
requests to two services that run language models on Azure [2]. Requests to the *conversation* service come almost as Poisson does: the
variance of the counts per second is 1.3 times their mean. Requests to the *code* service come in bursts, with 13 times.

This ratio is the [**index of burstiness**](glossary.md#index-of-burstiness). What it does depends on the rate. The standard deviation of the counts,
as a share of their mean, is √(index / rate):
"""

# %%
for rps in (2.57, 500):
    spread = sqrt(13 / rps)
    print(f"index 13 at {rps}/s: √(13 / {rps}) = {spread:.0%} of the mean")

# %% [markdown]
"""
At the code service's 2.57 requests/s a second brings nothing or a crowd; the same index at 500/s is a ripple. Step 4 of the theatre
above shows both. The lab at the end shows what it does to a small fleet sized by the rule.

## 3 A number for the wait: Erlang C

If the requirement is a wait, size for the wait. For Poisson arrivals, exponential service and one queue, Erlang's
formula C gives the share of requests that have to wait; how long they wait follows from it [3].
"""

# %%
waits_at_all = mlsd.formulas.erlang_c(base, busy)
p99_wait_s = mlsd.formulas.wait_percentile_s(base, peak_rps, service_time_s, 0.99)
print(f"{waits_at_all:.1%} wait; the p99 of the wait is {p99_wait_s / ms:.1f} ms")

# %% [markdown]
"""
Now turn it round: the promise is that the p99 of the wait stays within half a service time. How many replicas keep it, for a small
service and for a large one?
"""

# %%
mlsd.ask("05-ask-small")

# %%
guess_large = mlsd.ask("05-ask-large")
guess_large

# %% [markdown]
"""
**Explore.** Your last prediction opens this view. Its wait budget is half a service time, 25 ms. Move the rate from 10 to 10,000
requests a second and watch the two numbers change places. Then lower the target, and see what the rule buys with it.
"""

# %%
mlsd.widgets.CapacityExplorer(
    peak_rps=1_000, service_time_s=0.050, prediction=guess_large
)

# %% [markdown]
"""
A small fleet needs more than the rule, since little averages out in it. A large one smooths the chance of single requests: to keep
the *share of requests that wait* the same, the spare part has to grow only with the square root of the load, q·√busy
([**square-root staffing**](glossary.md#square-root-staffing)). The last column below shows that share for q = 1.5.

That is for a load that is *known*. A forecast that is 5 % too low is too low by 5 % of the load, for a small
service and for a large one, and that term overtakes the root:

> spare = q·√busy + error·busy
"""

# %%
pd.DataFrame(
    [
        {
            "busy": load,
            "for chance, 1.5·√busy": ceil(1.5 * sqrt(load)),
            "for a forecast 5 % too low": ceil(0.05 * load),
            "share that waits, load as forecast": round(
                mlsd.formulas.erlang_c(load + ceil(1.5 * sqrt(load)), load), 2
            ),
        }
        for load in (1, 20, 50, 500, 2_000)
    ]
).set_index("busy")

# %% [markdown]
"""
## 4 Which failure does the headroom pay for?

"30 % headroom", as in section 1, sounds like safety. Safety from what? Take a [**rolling restart**](glossary.md#rolling-restart), in which replicas are replaced some at a
time. Let a quarter of the fleet stop at once; Kubernetes rounds such a share down to whole replicas [9].
"""

# %%
down = int(rule * 0.25)
print(f"{rule} − {down} = {rule - down} are left, {base} are needed at 70 %")

# %% [markdown]
"""
So the headroom pays for this restart, and is then spent. It need not stand there all month: with `maxUnavailable: 0` Kubernetes starts
new replicas *before* it stops old ones, up to `maxSurge` of them, 25 % by default [9]. The extra machines exist for minutes. That
needs nodes that are free at that moment; where GPUs or a quota are scarce, the standing headroom remains. (In `design.yaml`,
`max_surge` says so, and the review accepts it.)

There are other failures: a [**surge**](glossary.md#surge) (traffic above
the planned peak), the loss of a zone, or a [**cold cache**](glossary.md#cold-cache). A cache that answers half of all requests keeps them away
from the replicas; on the day that it is emptied, twice as many arrive.

Harbour Pay runs in three zones (separate buildings of a cloud region).
"""

# %%
mlsd.ask("05-ask-zone")

# %%
mlsd.figures.headroom(replicas=rule, peak_rps=peak_rps, service_time_s=service_time_s)

# %% [markdown]
"""
What does it take to survive the loss of a zone at 70 %? Replicas are lost in whole zones, and the fullest one may be
the one. Work back from what has to be *left*, and round each zone by itself.
"""

# %%
per_zone = ceil(base / 2)
print(f"two zones must hold {base}: {per_zone} in each, {3 * per_zone} in three")

# %% [markdown]
"""
**Wait and failure together.** The large service of section 3 keeps 50 replicas busy. How many does it take to keep the wait, and to
keep it when one of three zones is lost?
"""

# %%
waits = mlsd.formulas.servers_for_wait(1_000, 0.050, 0.025, 0.99)
for_both = 3 * ceil(waits / 2)
by_rule_large = mlsd.formulas.replicas(1_000, 0.050, 0.7, 0.3)
pd.DataFrame(
    {
        "replicas": [waits, for_both, by_rule_large],
        "left without a zone": [
            n - ceil(n / 3) for n in (waits, for_both, by_rule_large)
        ],
    },
    index=["for the wait", "for the wait, without a zone", "by the rule"],
)

# %% [markdown]
"""
The fleet for the wait alone has no reserve: without a zone, fewer replicas are left than are busy. The rule comes out near what both
together need, for reasons that it does not know. A headroom that is spent on
one failure is not there for another. A restart *during* a surge, or a zone lost during a restart, is a decision of its
own: pay for it, or write down that you do not.

## 5 Autoscaling is late

An [**autoscaler**](glossary.md#autoscaler) adds replicas when the load rises. Kubernetes computes replicas × metric / target, rounded up, and
does nothing within 10 % of the target, unless told otherwise [4]: 50 replicas at 90 %, with a target of 75 %, become
"""

# %%
ceil(50 * 0.90 / 0.75)

# %% [markdown]
"""
A new replica has to be scheduled, pull its image, load its model and warm up. Until then the old ones are alone.
At its limit, the fleet of 29 serves 29 / 0.040 = 725 requests/s. Now 800 arrive.
"""

# %%
mlsd.ask("05-ask-queue")

# %%
mlsd.figures.backlog(
    surge_rps=800, capacity_rps=29 / 0.040, delay_s=120, scaled_capacity_rps=1_000
)

# %% [markdown]
"""
Headroom has to carry the time that the autoscaler takes; one does not replace the other. And a client that gives up and
tries again makes the surge larger just then. Retries in several layers *multiply* [5]: when the lowest layer fails, three
layers of three attempts each send it
"""

# %%
print(f"3 × 3 × 3 = {3**3} calls for one")

# %% [markdown]
"""

## 6 What it costs
"""

# %%
mlsd.ask("05-ask-price")

# %%
price_per_hour = case.capacity.cost_per_replica_hour
mean_rps = case.requirements.throughput.mean
for replicas, what in ((rule, "by the rule"), (3 * per_zone, "to survive a zone")):
    cents = 100 * replicas * price_per_hour / (mean_rps * 3600) * 1000
    print(f"{replicas} replicas, {what}: {cents:.2f} cents per 1,000 predictions")

# %% [markdown]
"""
The fleet is paid for at its peak size, and the mean rate shares the bill. Surviving a zone costs about a fifth more for each prediction. That is a sentence a product owner can decide on; "we have headroom"
is not.

## 7 A model that writes: memory comes first

A language model makes one [**token**](glossary.md#token) (a piece of a word) at a time, and for each token of each running sequence it
keeps a key and a value in every layer: the [**KV cache**](glossary.md). It runs on an [**accelerator**](glossary.md#accelerator), a processor with memory of its
own, such as a GPU. Four numbers size such a server.

**Memory.** Llama 3 8B has 8.03 billion parameters [6], two bytes each. A token keeps 2 (a key and a value) × 32 layers × 8 KV
heads × 128 numbers × 2 bytes. (A layer looks things up with 32 *query heads*, but four of them share one KV head, which is
[**grouped-query attention**](glossary.md#grouped-query-attention), so 8 are kept.)
"""

# %%
weights = 8.03e9 * 2
kv_per_token = 2 * 32 * 8 * 128 * 2
print(f"weights {weights / GB:.2f} GB, KV cache {kv_per_token:,} bytes a token")

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
    context_tokens=4096,
)

# %% [markdown]
"""
How well that memory is used decides the throughput: the authors of vLLM measured that earlier servers held useful
values in only 20 to 38 % of their KV memory [7]. Newer ones give memory out in blocks, and admit a request when blocks are free.

**Tokens per second.** Plain decoding of a dense model makes one token for every running sequence in each **step**, and reads
all the weights once and each sequence's cache. (A little less: of the input embeddings, only the rows that are looked up.) At 3.35 TB/s (one H100 [8]) a step takes at least these bytes / 3.35 TB/s. A
[**batch**](glossary.md#batch) shares the reading of the weights; each sequence here has 2,048 tokens of cache:
"""

# %%
batch = pd.Series([1, 8, 32, 64], name="batch")
step_s = (weights + batch * 2048 * kv_per_token) / (3.35 * TB)
pd.DataFrame(
    {
        "batch": batch,
        "tokens/s in all": (batch / step_s).round(),
        "tokens/s for each": (1 / step_s).round(),
    }
).set_index("batch").astype(int)

# %% [markdown]
"""
Batching buys throughput with latency: a step takes longer, the more sequences take part. In a batch of 32, each sequence loses a
third of its speed, and all together make many times the tokens of one. Servers for language models let a
request leave when it is done and another take its place ([**continuous batching**](glossary.md#continuous-batching)), so a short answer does not wait for the longest.

**Time to first token.** Before it writes, the model reads the prompt ([**prefill**](glossary.md#prefill)), at two operations for each parameter
and token. Here arithmetic is the limit. Mind the data sheet: the H100's larger figure, 1,979 TFLOP/s, holds for
matrices half of whose entries are zero, at 16 bits; for **dense** weights it is 989 [8]. (A TFLOP/s is a million million
operations a second.) Say that the server reaches half of it:
"""

# %%
first_token_s = 2 * 8.03e9 * 2048 / (0.5 * 989e12)
print(f"2 × 8.03e9 × 2,048 tokens / (0.5 × 989e12) = {first_token_s / ms:.0f} ms")

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
a token. (Our assumption, several times the bound above: servers also schedule, and read prompts in between.) It is the law from section 1: what is the rate, and how long does each sequence stay?
"""

# %%
# Use this cell as your calculator.

# %%
mlsd.ask("05-ask-inflight")

# %% [markdown]
"""
## 8 Exercises

Seven exercises wait in [the assignment](../release/05_capacity/05_capacity.ipynb), in two sittings: a faded sizing, a sheet to
repair, Erlang C and named failures; a backlog, published claims to audit, and a plan. Do the first sitting now, and come back for
the lab.

## 9 Lab: the same mean, two traces

Does the rule survive real traffic? Here is a queue in eight lines: one central queue, every request takes the same
time. It replays the moments at which requests arrive.
"""


# %%
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
Two traces of four hours with the mean of Azure's code service, 2.57 requests a second [2]. One is Poisson. The other
has its index of burstiness, 13.2; we draw its counts from a negative
binomial distribution, which lets one choose both. The real trace is burstier still, because its bursts last longer than a second.
With a service time of 1 s, the rule orders:
"""

# %%
seconds = 4 * 3600
_, poisson_s = mlsd.samples.arrivals(2.57, 1, lasts_s=seconds)
_, bursty_s = mlsd.samples.arrivals(2.57, 13.2, lasts_s=seconds)
by_rule = ceil(2.57 * 1 / 0.7 * 1.3)
print(f"{len(poisson_s):,} and {len(bursty_s):,} requests; {by_rule} replicas")

# %%
mlsd.ask(
    "05-ask-bursts",
    truth=lambda: (
        p99_response_s(bursty_s, 1.0, by_rule) / p99_response_s(poisson_s, 1.0, by_rule)
    ),
)

# %%
pd.DataFrame(
    [
        {
            "replicas": replicas,
            "p99, Poisson, s": round(p99_response_s(poisson_s, 1.0, replicas), 1),
            "p99, bursty, s": round(p99_response_s(bursty_s, 1.0, replicas), 1),
        }
        for replicas in (by_rule, 2 * by_rule, 4 * by_rule, 8 * by_rule)
    ]
).set_index("replicas")

# %% [markdown]
"""
The rule's fleet does well under the one trace and badly under the other, which has the same mean. It takes
several times as many replicas to answer promptly, and most of them idle most of the time. Before you buy them, ask
where the bursts come from: a queue in the client, or a batch job that fires on the hour, is cheaper to change.

### Predict your own machine

A number can be had three ways: by a formula, by a simulation, by a measurement. Here is a service on your machine: boosted trees behind
HTTP, one replica. First it is measured how long a request keeps the server busy, and how
that varies. From this follow the p99 of the formula for M/M/1, and of a simulation with the times
that were measured, at three rates. Then the service is asked at those rates, in an [**open loop**](glossary.md#open-loop): requests are sent by the
clock, whether or not those before are answered.
"""

# %%
recorded = mlsd.testbed.prediction(recorded=True)
at_most_s = recorded.column("simulated_to_measured")[-1]
mlsd.ask("05-ask-machine", truth=lambda: 1 / at_most_s)

# %% tags=["nbval-ignore-output"]
# measures for about 60 s
mlsd.testbed.prediction()

# %% [markdown]
"""
The formula assumes exponential service times; the simulation has the measured ones. In the last sentence the simulation is
repeated with the service time that the server had *during* the measurement. What then remains is what a queue of one
server leaves out: a server of this kind works on several requests in turn (an **event loop**), pauses to collect garbage, and shares
its cores with neighbours. Each rate is measured once, for some seconds, so look at the interval of the measured p99 before you
judge a ratio: in our recording it is widest by far at the highest rate, and a ratio within it says nothing against the simulation.

## 10 Write it down

The last part of `harbour_pay.yaml` is the capacity plan. What you decided in earlier lessons stays; where you skipped
one, the worked part of the case stands in. Choose the failure that you pay for, "zone loss" or "rolling restart",
how many requests may wait for a replica before the rest goes to the fallback, and the routing ("random" or "power of
two"). The request that gets the last place in a replica's queue waits for about `queue_limit` service times, so

> queue limit = ⌊ time that the latency budget leaves for waiting / service time ⌋

Whoever would have to wait longer is late anyway, and goes to the fallback at once. Here 250 ms are left for waiting:
"""

# %%
left_s = 0.250
print(f"{left_s:.3f} / {service_time_s:.3f} = {left_s / service_time_s:.2f}")

# %% [markdown]
"""
`release_replicas` below are the extra machines on which a new version starts beside the old one.
"""

# %%
pays_for = "zone loss"
queue_limit = 6
routing = "power of two"
zones = 3

# %%
design = mlsd.cases.carry_on("harbour_pay.yaml", "harbour_pay", until="capacity")
peak = (design.requirements.throughput or case.requirements.throughput).peak
at_target = peak * service_time_s / target
if pays_for == "zone loss":
    per_zone = ceil(ceil(at_target) / (zones - 1))
else:
    restart = mlsd.formulas.replicas_for_rolling_restart(ceil(at_target))
    per_zone = ceil(restart / zones)
plan = mlsd.design.CapacityPlan(
    component=case.capacity.component,
    service_time=case.capacity.service_time,
    target_utilisation=target,
    headroom={
        "share": round(per_zone * zones / at_target - 1, 2),
        "pays_for": [pays_for],
    },
    replicas=per_zone * zones,
    zones=zones,
    replicas_per_zone=per_zone,
    queue_limit=queue_limit,
    routing=routing,
    release_replicas=case.capacity.release_replicas,
    cost_per_replica_hour=price_per_hour,
)
print(f"{plan.replicas} replicas in {zones} zones; the headroom pays for {pays_for}")

# %% [markdown]
"""
Write it down:
"""

# %%
design.with_part(capacity=plan).save("harbour_pay.yaml", replace=True).name

# %% [markdown]
"""
**Your own system.** The same part as an example in your `design.yaml`, to be changed there:
"""

# %%
mlsd.outline("design.yaml", "capacity")

# %% [markdown]
"""
## 11 What the rule of thumb leaves out

- **Latency.** It promises a utilisation. Routing, variance and bursts decide the wait.
- **Size.** Too few for small services, more than the wait needs for large ones whose load is known. An error of the forecast
  grows with the load and not with its root: a fleet with 2 % to spare is saturated by 2 % more load.
- **The failure.** 30 % at a target of 0.7 is one rolling restart by quarters. A zone, a surge or a cold cache needs a
  line of its own.
- **The time constant.** It is about a steady hour; queues from ten minutes ago, retries and late autoscalers are not in
  it.
- **Dependencies.** A feature store with a limit of its own makes more replicas useless.
- **Batches and tokens.** Where requests share work, a service time is not a constant, and memory binds first.

It is still the right first line of a plan: it takes ten seconds, and for the wait budget of section 3 and Poisson
traffic it is within a factor of three of Erlang C: three times too few for half a busy replica, nearly twice too many for a
thousand. Write it down, with what it leaves out beside it.

## 12 Without looking back

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
**Next:** finish the [exercises](../release/05_capacity/05_capacity.ipynb). Then look at your `design.yaml`: run
`!mlsd check design.yaml` in a cell and read what a reviewer finds, and `!mlsd document design.yaml` for the pages that you would
take to a design review.

## Sources

1. Grab Engineering, engineering.grab.com/catwalk-evolution, 2024.
2. Microsoft, *Azure LLM inference dataset 2023*, Azure/AzurePublicDataset (CC BY), a sample of an hour. Rates, token counts and variances
   are computed from its two traces.
3. A. K. Erlang, 1917; in every text on queues, such as L. Kleinrock, *Queueing Systems*, vol. 1, 1975.
4. kubernetes.io, *Horizontal Pod Autoscaling*.
5. M. Brooker, *Timeouts, retries and backoff with jitter*, Amazon Builders' Library.
6. A. Grattafiori et al., *The Llama 3 Herd of Models*, 2024, arXiv 2407.21783, table 3, for layers and heads; the number of parameters is in
   the model card.
7. W. Kwon et al., *Efficient Memory Management for Large Language Model Serving with PagedAttention*, SOSP 2023,
   arXiv 2309.06180.
8. NVIDIA, *H100 Tensor Core GPU* data sheet, SXM version.
9. kubernetes.io, *Deployments*: `maxUnavailable` as a percentage is rounded down, `maxSurge` up; both are 25 % by default.

Harbour Pay is invented; its numbers are our assumptions.
"""
