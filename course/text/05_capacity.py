# %% [markdown]
"""
# 05 Capacity: how many replicas?

When Grab's engineers looked at their machine-learning services, each set up by its own team, they found some using
about 1 % of the machines they had asked for [1]. Ask for too few instead, and the service is slow on the day that
matters. Between the two lies a number that somebody has to work out before the first deployment.

**You will be able to** size a service with a rule that fits on one line, and say what the rule does not promise; size
it for a percentile of the wait instead; name the failure that its spare capacity pays for; say what it costs; and do
the same for a model that writes text.

**Harbour Pay** decides on card payments: fraud or not, while the customer stands at the till. You have its
requirements from lesson 01; here you order the machines. About 70 minutes, exercises apart.

You learn most by committing to a number before you see one: type your prediction where you are asked for it.
"""

# %%
import heapq
import time

import numpy as np

import mlsd_helpers as mlsd
from mlsd_helpers.units import GB, TB, ms

case = mlsd.cases.load("harbour_pay")
peak_rps = case.requirements.throughput.peak
service_time_s = case.capacity.service_time.mean
print(f"{peak_rps:.0f} requests/s at the peak, {service_time_s / ms:.0f} ms each")

# %% [markdown]
"""
## 1 The rule

A **replica** is one copy of the model server; here it works on one request at a time.

**Predict** what the rule of this lesson will order, from what you know today.
"""

# %%
mlsd.ask("05-ask-rule")

# %% [markdown]
"""
Worked, one step a cell. [**Little's law**](glossary.md) says how many requests are being served on average: the rate at which they
come, times how long each stays. It holds for any service, whatever its traffic looks like.
"""

# %%
busy = mlsd.formulas.littles_law(peak_rps, service_time_s)
busy

# %% [markdown]
"""
That many are busy on average, and with just as many each would be busy all the time. The first chance crowd of
requests would start a queue that hardly ever empties. The [**target utilisation**](glossary.md#target-utilisation) is how busy each may be: at 0.7, a replica
idles three seconds in ten. A lower target takes *more* replicas, so divide.
"""

# %%
target_utilisation = 0.7
at_target = busy / target_utilisation
round(at_target, 2)

# %% [markdown]
"""
[**Headroom**](glossary.md#headroom) is what is added for the day on which something happens: 30 % for a traffic spike, or for a rolling
restart, in which replicas are replaced a few at a time and some are always down.
"""

# %%
headroom = 0.3
with_headroom = at_target * (1 + headroom)
round(with_headroom, 2)

# %% [markdown]
"""
Nobody sells a seventh of a replica. Round **up, once, at the end**:

> replicas = ⌈ rate × time / target × (1 + headroom) ⌉
"""

# %%
rule = mlsd.formulas.replicas(peak_rps, service_time_s, target_utilisation, headroom)
rule

# %% [markdown]
"""
*Once* matters. Take 201 requests/s of 70 ms. Rounding before the headroom and again after it buys a replica that nobody asked for:
"""

# %%
early = np.ceil(np.ceil(201 * 0.070 / 0.7) * 1.3)
late = mlsd.formulas.replicas(201, 0.070, 0.7, 0.3)
print(f"rounded twice {early:.0f}, rounded once {late}")

# %% [markdown]
"""
The units matter more. Milliseconds used as seconds give a fleet a thousand times too large; replicas have no unit, so
write the units down and see them cancel: 1/s × s.

**Your turn**, with three steps left to you:
"""

# %%
mlsd.ask("05-ask-faded")

# %%
# Use this cell as your calculator.

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
base = mlsd.formulas.replicas(peak_rps, service_time_s, target_utilisation, headroom=0)
one_queue_s = mlsd.formulas.response_percentile_s(base, peak_rps, service_time_s, 0.99)
print(f"{base} replicas, one queue: p99 {one_queue_s / ms:.0f} ms")

# %% [markdown]
"""
**Predict** what random routing makes of it: same machines, same load, same utilisation.
"""

# %%
guess_routing = mlsd.ask("05-ask-routing")
guess_routing

# %%
print("replicas   utilisation   p99, one queue   p99, at random")
for replicas in (base, rule):
    busy_share = mlsd.formulas.utilisation(replicas, peak_rps, service_time_s)
    central_s = mlsd.formulas.response_percentile_s(
        replicas, peak_rps, service_time_s, 0.99
    )
    random_s = mlsd.formulas.random_split_response_percentile_s(
        replicas, peak_rps, service_time_s, 0.99
    )
    print(
        f"{replicas:8}   {busy_share:11.2f}   {central_s / ms:11.0f} ms   {random_s / ms:11.0f} ms"
    )
    assert 180 < central_s / ms < 190
    assert random_s > 2 * central_s

# %% [markdown]
"""
With one queue hardly anybody waits: those 184 ms are the service time of the slowest one in a hundred. The same 29
machines are three times slower at the p99 when requests cannot change queues, and nine more machines do not mend it.
Routing is a capacity decision. A balancer that knows how busy replicas are, or that asks two at random and takes the less
busy one (**power of two**), comes close to the single queue.

### Variance

How unlike each other service times are is measured by their [**squared coefficient of variation**](glossary.md#squared-coefficient-of-variation) (SCV): variance over
squared mean. Constant times have 0, exponential ones 1; a model that is sometimes handed a long text may have 4 or
more. For one server, Pollaczek and Khinchine's formula gives the mean wait exactly:
"""

# %%
for scv, name in ((0, "constant"), (1, "exponential"), (4, "a few long ones")):
    wait_s = mlsd.formulas.mg1_mean_wait_s(0.7 / service_time_s, service_time_s, scv)
    assert np.isclose(wait_s / service_time_s, 0.7 * (1 + scv) / (2 * 0.3))
    print(f"SCV {scv}  {name:16} mean wait {wait_s / service_time_s:.2f} service times")

# %% [markdown]
"""
Queues are named by their arrivals, their service times and their servers: **M/M/1** has Poisson arrivals, exponential
times and one server, **M/D/1** constant times, **M/M/10** ten servers on one queue.
"""

# %%
mlsd.figures.response_by_utilisation(servers=10)

# %% [markdown]
"""
At the same 70 % the wait differs fivefold between constant and long-tailed times. For many servers and any service
times there is no exact formula. Allen and Cunneen's approximation is the usual stand-in. Here it is against the exact
wait for ten servers and constant times:
"""

# %%
for busy_share in (0.6, 0.7, 0.8, 0.9, 0.95):
    load_rps = 10 * busy_share / service_time_s
    exact_s = mlsd.formulas.mdc_mean_wait_s(10, load_rps, service_time_s)
    approximate_s = mlsd.formulas.allen_cunneen_mean_wait_s(
        10, load_rps, service_time_s, arrival_scv=1, service_scv=0
    )
    print(f"{busy_share:.0%} busy: off by {approximate_s / exact_s - 1:+.0%}")

# %% [markdown]
"""
Close to full load it is good. At lower load it is further off, of a wait that is small there. Trust it for a first look.

### Burstiness

Poisson traffic is what independent people make. Programs that call other programs are burstier. Microsoft published the arrivals of two services that run language
models on Azure [2]. Requests to the *conversation* service come almost as Poisson does: the variance of the counts
per second is 1.3 times their mean. Requests to the *code* service come in bursts, with 13 times. The lab at the end
of this lesson shows what that does to a fleet sized by the rule.

**Explore.** Formulas stop here; a [**simulation**](glossary.md#simulation) goes on: it draws arrivals and service times and lets a fleet work
through them. Your prediction about routing opens this one. Each movement plays 100,000 requests. First make it agree
with the table above, then lose a zone, then find the burstiness that doubles the p99. Which of batches and a cache helps
more, and what does each cost?
"""

# %%
mlsd.widgets.QueueTheatre(replicas=base, routing="random", prediction=guess_routing)

# %% [markdown]
"""
Each percentile carries its interval: what another 100,000 requests could as well have shown. A p99 rests on one request
in a hundred, so its interval is the widest. The same fleet with one queue, for when no kernel runs:
"""

# %%
mlsd.figures.queue_theatre()

# %% [markdown]
"""
## 3 A number for the wait: Erlang C

If the requirement is a wait, size for the wait. For Poisson arrivals, exponential service and one queue, Erlang's
formula C gives the share of requests that have to wait; how long they wait follows from it [3].
"""

# %%
waits_at_all = mlsd.formulas.erlang_c(base, busy)
p99_wait_s = mlsd.formulas.wait_percentile_s(base, peak_rps, service_time_s, 0.99)
print(
    f"{waits_at_all:.1%} of requests wait; the p99 of the wait is {p99_wait_s / ms:.1f} ms"
)

# %% [markdown]
"""
Now turn it round: the promise is that the p99 of the wait stays within half a service time. How many replicas keep it?

**Predict**, for a small service and for a large one. The rule orders 2 for the first and 93 for the second.
"""

# %%
assert mlsd.formulas.replicas(10, 0.100, 0.7, 0.3) == 2
assert mlsd.formulas.replicas(1_000, 0.050, 0.7, 0.3) == 93
mlsd.ask("05-ask-small")

# %%
guess_large = mlsd.ask("05-ask-large")
guess_large

# %% [markdown]
"""
**Explore.** Your last prediction opens this view. Move the rate from 10 to 10,000 requests a second and watch the two
numbers change places. Where do they agree? Then lower the target, and see what the rule buys with it.
"""

# %%
mlsd.widgets.CapacityExplorer(
    peak_rps=1_000, service_time_s=0.050, prediction=guess_large
)

# %% [markdown]
"""
The same comparison over the whole range, for when no kernel runs:
"""

# %%
comparison = mlsd.figures.rule_against_exact(service_time_s=0.050)
ratios = np.array(comparison.data["rule"]) / np.array(comparison.data["exact"])
assert 1 / 3 <= ratios.min() < 1 < ratios.max() <= 3
comparison

# %% [markdown]
"""
A small fleet has nobody to average with, so it needs more than the rule; a large one smooths its own traffic and, for a load
that is known, needs far less. How much less follows from [**square-root staffing**](glossary.md#square-root-staffing): to keep the *share of requests that wait* the same, the
spare part has to grow only with the square root of the load, q·√busy.
"""

# %%
for load in (1, 20, 50, 500):
    staff = mlsd.formulas.square_root_staffing(load, quality=1.5)
    share = mlsd.formulas.erlang_c(staff, load)
    print(
        f"{load:4} busy: {staff - load:3} spare ({(staff - load) / load:4.0%}), {share:.0%} wait"
    )

# %% [markdown]
"""
## 4 Which failure does the headroom pay for?

"30 % headroom", as in section 1, sounds like safety. Safety from what? At a target of 0.7, let a quarter of the 38
replicas restart; Kubernetes rounds such a share down to whole replicas [9].
"""

# %%
left = rule - int(rule * 0.25)
assert left == base
print(f"{left} are left, {base} are needed at the peak")

# %% [markdown]
"""
So the headroom pays for a [**rolling restart**](glossary.md#rolling-restart), and is then spent. There are other failures: a [**surge**](glossary.md#surge) (traffic above
the planned peak), the loss of a zone, or a [**cold cache**](glossary.md#cold-cache). A cache that answers half of all requests keeps them away
from the replicas; on the day that it is emptied, twice as many arrive.

**Predict** one of them. Harbour Pay runs in three zones (separate buildings of a cloud region).
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
layout = mlsd.formulas.zone_layout(
    peak_rps, service_time_s, target_utilisation, zones=3, zones_lost=1
)
print(
    f"zones {layout}, {sum(layout)} in all; without the fullest, {sum(layout) - max(layout)} are left"
)

# %% [markdown]
"""
Zones that are alike, 15 each, cost one replica more and are simpler to operate. A headroom that is spent on
one failure is not there for another. A restart *during* a surge, or a zone lost during a restart, is a decision of its
own: pay for it, or write down that you do not.

## 5 Autoscaling is late

An [**autoscaler**](glossary.md#autoscaler) adds replicas when the load rises. Kubernetes computes replicas × metric / target, rounded up, and
does nothing within 10 % of the target [4].
"""

# %%
mlsd.formulas.hpa_replicas(current_replicas=50, current_metric=0.90, target_metric=0.75)

# %% [markdown]
"""
A new replica has to be scheduled, pull its image, load its model and warm up. Until then the old ones are alone.

**Predict.** At its limit, the fleet of 29 serves 29 / 0.040 = 725 requests/s. 800 arrive.
"""

# %%
assert base == 29
assert np.isclose(base / service_time_s, 725)
mlsd.ask("05-ask-queue")

# %%
mlsd.figures.backlog(
    surge_rps=800, capacity_rps=725, delay_s=120, scaled_capacity_rps=1_000
)

# %% [markdown]
"""
Headroom has to carry the time that the autoscaler takes; the two are not alternatives. And a client that gives up and
tries again makes the surge larger just then. Retries in several layers *multiply* [5]: when the lowest layer fails, three
layers of three attempts each send it 3³ calls for one.
"""

# %%
layers, attempts = 3, 3
attempts**layers

# %% [markdown]
"""
## 6 What it costs

**Predict.** Mind which traffic pays.
"""

# %%
mlsd.ask("05-ask-price")

# %%
price_per_hour = case.capacity.cost_per_replica_hour
mean_rps = case.requirements.throughput.mean
at_mean = mlsd.formulas.cost_per_thousand_predictions(rule, price_per_hour, mean_rps)
at_peak = mlsd.formulas.cost_per_thousand_predictions(rule, price_per_hour, peak_rps)
survives_zone = mlsd.formulas.cost_per_thousand_predictions(
    case.capacity.replicas, price_per_hour, mean_rps
)
print(f"cents per 1,000: {100 * at_mean:.2f} at the mean rate")
print(f"                 {100 * at_peak:.2f} if every hour were the peak")
print(
    f"                 {100 * survives_zone:.2f} with {case.capacity.replicas} replicas, to survive a zone"
)
assert 0.15 < survives_zone / at_mean - 1 < 0.25

# %% [markdown]
"""
Surviving a zone costs a fifth more a prediction. That is a sentence a product owner can decide on; "we have headroom"
is not.

## 7 A model that writes: memory comes first

A language model makes one [**token**](glossary.md#token) (a piece of a word) at a time, and for each token of each running sequence it
keeps a key and a value in every layer: the [**KV cache**](glossary.md). It runs on an [**accelerator**](glossary.md#accelerator), a processor with memory of its
own, such as a GPU. Five numbers size such a server.

**Weights.** Llama 3 8B has 8.03 billion parameters [6], two bytes each:
"""

# %%
weights = mlsd.formulas.model_weights_bytes(parameters=8.03e9, bytes_per_parameter=2)
print(f"{weights / GB:.2f} GB")

# %% [markdown]
"""
**KV cache per token**: 2 (a key and a value) × 32 layers × 8 KV heads × 128 numbers × 2 bytes. A layer looks
things up with 32 *query heads*, but four of them share one KV head ([**grouped-query attention**](glossary.md#grouped-query-attention)), so only 8 are kept.
"""

# %%
kv_per_token = mlsd.formulas.kv_cache_bytes_per_token(
    layers=32, kv_heads=8, head_dim=128, bytes_per_value=2
)
print(f"{kv_per_token:,.0f} bytes = {kv_per_token / 1024:.0f} KiB")

# %% [markdown]
"""
**Concurrency** is what fits beside the weights.

**Predict.**
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
values in only 20 to 38 % of their KV memory [7].

**Tokens per second.** Plain decoding of a dense model makes one token for every running sequence in each **step**, and reads
all the weights once and each sequence's cache. At 3.35 TB/s (one H100 [8]) that bounds the rate. Models that use a part
of their weights for each token, smaller number formats, and several tokens in a step (speculative decoding) have other
bounds. A [**batch**](glossary.md#batch) shares the reading of the weights:
"""

# %%
alone = mlsd.formulas.decode_tokens_per_s(3.35 * TB, weights, 1, kv_per_token, 2048)
print("batch   tokens/s in all   tokens/s for each")
for batch in (1, 8, 32, 64):
    rate = mlsd.formulas.decode_tokens_per_s(
        3.35 * TB,
        weights,
        batch_size=batch,
        kv_bytes_per_token=kv_per_token,
        context_tokens=2048,
    )
    assert batch != 32 or (rate > 20 * alone and 0.6 < rate / 32 / alone < 0.7)
    print(f"{batch:5}   {rate:15,.0f}   {rate / batch:17.0f}")

# %% [markdown]
"""
Thirty-two sequences cost each of them a third of its speed and give over twenty times the tokens. Batching buys
throughput with latency: every step takes longer, the more sequences take part. Servers for language models let a
request leave when it is done and another take its place (**continuous batching**), so nobody waits for the longest one.

**Time to first token.** Before it writes, the model reads the prompt ([**prefill**](glossary.md#prefill)), at two operations for each parameter
and token. Here arithmetic is the limit. Mind the data sheet: the H100's larger figure, 1,979 TFLOP/s, holds for
matrices half of whose entries are zero, at 16 bits; for **dense** weights it is 989 [8]. Here we let the server reach half of it.
"""

# %%
first_token_s = mlsd.formulas.time_to_first_token_s(
    8.03e9, prompt_tokens=2048, flops_per_s=989e12, flops_utilisation=0.5
)
print(f"{first_token_s / ms:.0f} ms to read 2,048 tokens")

# %% [markdown]
"""
**Faded.** A chat service is asked 5.53 times a second for 211 tokens (the means of the conversation trace [2]), at 25 ms
a token. It is the law from section 1: what is the rate, and how long does each sequence stay?
"""

# %%
mlsd.ask("05-ask-inflight")

# %% [markdown]
"""
## 8 Exercises

Seven exercises wait in [the assignment](../release/05_capacity/05_capacity.ipynb): a faded sizing, a sheet to repair,
Erlang C, named failures, a backlog, published claims to audit, and a plan. Each tells you at once what is wrong. Do
them now, and come back for the lab.

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


assert (
    p99_response_s([0, 0, 0], service_s=1.0, replicas=1) > 2.9
)  # the third waits for two others

# %% [markdown]
"""
Two traces of four hours with the mean of Azure's code service, 2.57 requests a second [2]. One is Poisson. The other
has its [**Fano factor**](glossary.md) (variance over mean of the counts per second) of 13.2; we draw its counts from a negative
binomial distribution, which lets one choose both. The real trace is burstier still, because its bursts last longer than a second.
"""

# %%
rng = np.random.default_rng(seed=5)
mean_rps, fano, seconds = 2.57, 13.2, 4 * 3600
poisson_counts = rng.poisson(mean_rps, seconds)
bursty_counts = rng.negative_binomial(mean_rps / (fano - 1), 1 / fano, seconds)


def moments(counts):
    """Spread each second's requests evenly at random over that second."""
    return np.sort(np.repeat(np.arange(seconds), counts) + rng.random(counts.sum()))


traces = {"Poisson": moments(poisson_counts), "bursty": moments(bursty_counts)}
for name, counts in (("Poisson", poisson_counts), ("bursty", bursty_counts)):
    print(
        f"{name:8} mean {counts.mean():.2f}/s   variance/mean {counts.var() / counts.mean():5.2f}"
    )

# %% [markdown]
"""
With a service time of 1 s, the rule orders:
"""

# %%
by_rule = mlsd.formulas.replicas(mean_rps, 1.0, 0.7, 0.3)
by_rule

# %% [markdown]
"""
**Predict** from what you know now: how many times as long is the p99 under bursts?
"""

# %%
mlsd.ask(
    "05-ask-bursts",
    truth=lambda: (
        p99_response_s(traces["bursty"], 1.0, by_rule)
        / p99_response_s(traces["Poisson"], 1.0, by_rule)
    ),
)

# %%
print("replicas   p99, Poisson   p99, bursty")
for replicas in (by_rule, 2 * by_rule, 4 * by_rule, 8 * by_rule):
    poisson_s, bursty_s = (
        p99_response_s(traces[name], 1.0, replicas) for name in ("Poisson", "bursty")
    )
    print(f"{replicas:8}   {poisson_s:10.1f} s   {bursty_s:9.1f} s")
    assert replicas > by_rule or bursty_s > 4 * poisson_s

# %% [markdown]
"""
**Learnt:** the rule's fleet is fine under Poisson arrivals and hopeless under bursts of the same mean. It takes
several times as many replicas to answer promptly, and most of them idle most of the time. Before you buy them, ask
where the bursts come from: a queue in the client, or a batch job that fires on the hour, is cheaper to change.
"""

# %% [markdown]
"""
### On your machine

A number can be had three ways: by a formula, by a simulation, by a measurement. Here is the third. A small model, 30
features through a hidden layer, scores one payment at a time; the fastest of several rounds is the least disturbed.
"""

# %% tags=["nbval-ignore-output"]
features, hidden, output = rng.random(30), rng.random((30, 256)), rng.random(256)


def score(row):
    """Score one payment: a hidden layer and a logistic output."""
    return 1 / (1 + np.exp(-np.maximum(row @ hidden, 0) @ output / 1000))


rounds = []
for _ in range(20):
    started = time.perf_counter()
    for _ in range(200):
        score(features)
    rounds.append((time.perf_counter() - started) / 200)
measured_s = min(rounds)
print(
    f"one score takes {measured_s * 1e6:.0f} µs here; the median round {np.median(rounds) * 1e6:.0f} µs"
)

# %% tags=["nbval-ignore-output"]
print(
    f"500 requests/s of that: {mlsd.formulas.replicas(500, measured_s, 0.7, 0.3)} replica"
)

# %% [markdown]
"""
One replica, where Harbour Pay needs dozens. A service also fetches features, unpacks requests and writes logs, and real
models are larger than this one. Measure the *service*, not the model, before you use the rule.

### Predict your own machine

Here is one: boosted trees behind HTTP, one replica. First it is measured how long a request keeps the server busy, and how
that varies. From this, the p99 is had all three ways at three rates: from the formula for M/M/1, by simulating the times
that were measured, and by asking the service at that rate, on a clock that waits for no answer. **Predict** which of the
first two comes closer, and whether either holds at the highest rate.
"""

# %% tags=["nbval-ignore-output"]
predicted = mlsd.testbed.prediction()
predicted

# %% [markdown]
"""
The formula assumes exponential times, and these vary far less: it counts more variance than there is, and leaves out all
that follows below. Where it comes close, the two errors have cancelled. The simulation has the measured times, and is wrong by as much as the machine changed meanwhile: "in hindsight" is
the simulation again, with the service time that the server had *during* the measurement. What then remains is what the
model leaves out. A server of this kind works on several requests in turn (an **event loop**), collects garbage, and shares
its cores with neighbours; the busier it is, the more requests wait behind each of these. That is a reason of its own for a
target below one.

## 10 Your design

The last part of your `design.yaml` is the capacity plan. What you wrote in earlier lessons stays; where you skipped
one, the worked design of Harbour Pay stands in. Choose the failure that you pay for, "zone loss" or "rolling restart",
how many requests may wait for a replica before the rest goes to the fallback, and the routing ("random" or "power of
two"):
"""

# %%
pays_for = "zone loss"
queue_limit = 6
routing = "power of two"
zones = 3
target = 0.70
cost_per_replica_hour = case.capacity.cost_per_replica_hour

# %%
design = mlsd.cases.carry_on("design.yaml", "harbour_pay", until="capacity")
throughput = design.requirements.throughput or case.requirements.throughput
if pays_for == "zone loss":
    per_zone = mlsd.formulas.replicas_per_zone(
        throughput.peak, service_time_s, target, zones
    )
else:
    need = mlsd.formulas.replicas(throughput.peak, service_time_s, target, headroom=0)
    per_zone = int(np.ceil(mlsd.formulas.replicas_for_rolling_restart(need) / zones))
at_target = throughput.peak * service_time_s / target
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
    cost_per_replica_hour=cost_per_replica_hour,
)
print(
    f"{plan.replicas} replicas in {plan.zones} zones; the headroom pays for {pays_for}"
)

# %% [markdown]
"""
Write it down. A file that says something else is kept beside the new one, as `design.before.yaml`, numbered from the
second time on.
"""

# %%
saved = design.with_part(capacity=plan).save("design.yaml", replace=True)
print(f"written to {saved.name}")

# %% [markdown]
"""
## 11 What the rule of thumb leaves out

- **Latency.** It promises a utilisation. Routing, variance and bursts decide the wait.
- **Size.** Too few for small services, more than needed for large ones whose load is known. An error of the forecast
  grows with the load and not with its root: 2 % of spare is saturated by 2 % more load.
- **The failure.** 30 % at a target of 0.7 is one rolling restart by quarters. A zone, a surge or a cold cache needs a
  line of its own.
- **The time constant.** It is about a steady hour; queues from ten minutes ago, retries and late autoscalers are not in
  it.
- **Dependencies.** A feature store with a limit of its own makes more replicas useless.
- **Batches and tokens.** Where requests share work, a service time is not a constant, and memory binds first.

It is still the right first line of a plan: it takes ten seconds, and for the wait budget of section 3 and Poisson
traffic it is within a factor of three of Erlang C. Write it down, with what it leaves out beside it.

## 12 From earlier lessons

Five questions, without looking back. Remembering is what makes it stay.
"""

# %%
mlsd.ask("05-recall-tier")

# %%
mlsd.ask("05-recall-mean")

# %%
mlsd.ask("05-recall-plane")

# %%
mlsd.ask("05-recall-age")

# %%
mlsd.ask("05-recall-pattern")

# %% [markdown]
"""
## Sources

1. Grab Engineering, engineering.grab.com/catwalk-evolution, 2024.
2. Microsoft, *Azure LLM inference dataset 2023*, Azure/AzurePublicDataset (CC BY). Rates, token counts and variances
   are computed from its two traces.
3. A. K. Erlang, 1917; in every text on queues, such as L. Kleinrock, *Queueing Systems*, vol. 1, 1975.
4. kubernetes.io, *Horizontal Pod Autoscaling*.
5. M. Brooker, *Timeouts, retries and backoff with jitter*, Amazon Builders' Library.
6. A. Grattafiori et al., *The Llama 3 Herd of Models*, 2024, arXiv 2407.21783, table 3, for layers and heads; the number of parameters is in
   the model card.
7. W. Kwon et al., *Efficient Memory Management for Large Language Model Serving with PagedAttention*, SOSP 2023,
   arXiv 2309.06180.
8. NVIDIA, *H100 Tensor Core GPU* data sheet, SXM version.
9. kubernetes.io, *Deployments*: `maxUnavailable` as a percentage is rounded down.

Harbour Pay is invented; its numbers are our assumptions.
"""
