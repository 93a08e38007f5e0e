# %% [markdown] nbgrader={"grade": false, "grade_id": "05-intro", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
# 05 Capacity: exercises

Seven exercises, about 74 minutes, 26 points. They are divided into two sittings. Each has three cells:

1. **your answer**, where you replace the line that raises;
2. a **hint** on request, again for the next one;
3. the **check**. It tells you at once what is wrong and, where it knows, which belief is behind it.

The check that you see uses a few cases. Grading draws others, so a number typed in passes here and not there.
Steps score by themselves, and a later step is judged on what you made of the earlier ones. Keep the names of functions
and of their parameters: the check calls them by name.

To hand in, save this notebook and give it in as your course says (upload it, or **Nbgrader → Assignment List**). **Validate**, in
the toolbar, runs everything once more from the top.
"""

# %% nbgrader={"grade": false, "grade_id": "05-imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

import mlsd_helpers as mlsd

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-sitting-1", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## First sitting, about 34 minutes: exercises 1 to 4, the size of a fleet
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-faded-sizing-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 1 Size the fraud service

*About 6 minutes, 3 points.*

Harbour Pay's scorer has to be sized again and again, for other countries with other traffic. The first line of
the rule is worked for you: requests per second times seconds per request is the number of replicas that are
busy at any moment. Write the three lines that are missing:

- `at_target`: replicas, not rounded, when each may be busy only for a share `target_utilisation` of the time;
- `with_headroom`: the same plus the headroom, still not rounded;
- `replicas`: the whole number to order.
"""


# %% nbgrader={"grade": false, "grade_id": "05-faded-sizing-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def size(peak_rps, service_time_s, target_utilisation, headroom):
    busy = peak_rps * service_time_s  # replicas busy at any moment: Little's law
    ### BEGIN SOLUTION
    at_target = busy / target_utilisation
    with_headroom = at_target * (1 + headroom)
    replicas = math.ceil(with_headroom - 1e-9)
    ### END SOLUTION
    return {
        "at_target": at_target,
        "with_headroom": with_headroom,
        "replicas": replicas,
    }


# %%
# mlsd.hint("05-faded-sizing")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "05-faded-sizing", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("05-faded-sizing", size)
### BEGIN HIDDEN TESTS
mlsd.check("05-faded-sizing", size, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-units-rounding-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 2 Repair the sizing sheet

*About 8 minutes, 3 points.*

A colleague moved a spreadsheet into Python. Its columns are requests per **minute**, **milliseconds**, and **per
cent**. Procurement has just asked why a service with one request a second needs a rack of its own.
"""


# %% nbgrader={"grade": false, "grade_id": "05-units-rounding-sheet", "locked": true, "schema_version": 3, "solution": false, "task": false}
def sheet(requests_per_minute, service_time_ms, target_percent, headroom_percent):
    busy = requests_per_minute * service_time_ms
    base = math.ceil(busy / target_percent)
    return math.ceil(base * (1 + headroom_percent))


sheet(60, 50, 70, 30)

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-units-rounding-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `repaired` with the same inputs. Return a dict:

- `busy`: replicas busy at any moment, not rounded;
- `replicas`: the whole number to order.

Units are not its only fault. One is about *when* to round; another is in the float itself: evaluate
`100 * 0.07 / 0.7` in a cell of your own, and then round it up.
"""


# %% nbgrader={"grade": false, "grade_id": "05-units-rounding-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def repaired(requests_per_minute, service_time_ms, target_percent, headroom_percent):
    ### BEGIN SOLUTION
    busy = requests_per_minute / 60 * service_time_ms / 1000
    exact = busy / (target_percent / 100) * (1 + headroom_percent / 100)
    return {"busy": busy, "replicas": math.ceil(exact - 1e-9)}
    ### END SOLUTION


# %%
# mlsd.hint("05-units-rounding")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "05-units-rounding", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("05-units-rounding", repaired)
### BEGIN HIDDEN TESTS
mlsd.check("05-units-rounding", repaired, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-erlang-p99-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 3 As many replicas as the p99 needs

*About 10 minutes, 3 points.*

The rule promises a utilisation. The product was promised a wait: one request in a hundred may queue longer than
`wait_budget_s`, no more. Arrivals are Poisson, service times exponential, and one queue feeds all replicas, so
Erlang C is exact. The budget is for the wait alone. (The response has the service time in it, whose own p99 is 4.6
mean service times: held against the response, a short budget is kept by no fleet, and a search does not end.) Use the
calculators in `mlsd.formulas`, but for `servers_for_wait`: that one is the exercise.

Return a dict: `servers`, the fewest replicas that keep the promise, and `p99_wait_s`, the p99 of the wait with
that many. (No wait is below zero: where fewer than 1 % wait, the p99 is 0.)
"""


# %% nbgrader={"grade": false, "grade_id": "05-erlang-p99-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def servers_for_p99(arrival_rps, service_time_s, wait_budget_s):
    ### BEGIN SOLUTION
    servers = math.floor(arrival_rps * service_time_s) + 1
    while (
        mlsd.formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.99)
        > wait_budget_s
    ):
        servers += 1
    p99_wait_s = mlsd.formulas.wait_percentile_s(
        servers, arrival_rps, service_time_s, 0.99
    )
    return {"servers": servers, "p99_wait_s": p99_wait_s}
    ### END SOLUTION


# %%
# mlsd.hint("05-erlang-p99")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "05-erlang-p99", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("05-erlang-p99", servers_for_p99)
### BEGIN HIDDEN TESTS
mlsd.check("05-erlang-p99", servers_for_p99, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-headroom-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 4 Name the failure that the headroom pays for

*About 10 minutes, 4 points.*

"We have 30 % headroom" says nothing until a failure is named. Write `failures_covered`, which takes a fleet
(`replicas`, `zones`, `peak_rps`, `service_time_s`, `target_utilisation`, `restart_share`, `surge_factor`,
`cache_hit_ratio`) and returns a dict with the utilisation of the replicas that are left in each failure:

| key | what happens |
|---|---|
| `rolling_restart` | a share `restart_share` of the replicas is down, rounded down to whole ones, as Kubernetes does |
| `zone_loss` | replicas are spread over the zones as evenly as can be, and the fullest zone is lost |
| `surge` | the load is `surge_factor` times the peak |
| `restart_in_surge` | both at once |
| `cold_cache` | `peak_rps` is what reaches the replicas behind a cache that answers a share `cache_hit_ratio` of all requests; the cache has just been emptied |

and `covered`: the set of those failures in which the utilisation stays within the target.
"""


# %% nbgrader={"grade": false, "grade_id": "05-headroom-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def failures_covered(
    replicas,
    zones,
    peak_rps,
    service_time_s,
    target_utilisation,
    restart_share,
    surge_factor,
    cache_hit_ratio,
):
    ### BEGIN SOLUTION
    busy = peak_rps * service_time_s
    restarted = replicas - math.floor(replicas * restart_share + 1e-9)
    utilisation = {
        "rolling_restart": busy / restarted,
        "zone_loss": busy / (replicas - math.ceil(replicas / zones)),
        "surge": busy * surge_factor / replicas,
        "restart_in_surge": busy * surge_factor / restarted,
        "cold_cache": busy / (1 - cache_hit_ratio) / replicas,
    }
    covered = {
        name for name, u in utilisation.items() if u <= target_utilisation + 1e-9
    }
    return {**utilisation, "covered": covered}
    ### END SOLUTION


# %%
# mlsd.hint("05-headroom")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "05-headroom", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("05-headroom", failures_covered)
### BEGIN HIDDEN TESTS
mlsd.check("05-headroom", failures_covered, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-sitting-2", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Second sitting, about 40 minutes: exercises 5 to 7, a surge, an audit and a plan

Exercise 6 is about models that write text, and says what it needs of them. The first part of *Further* in the lesson, about 18 minutes more,
explains it; read it before, if you like.
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-backlog-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 5 What queues while the autoscaler wakes up

*About 6 minutes, 3 points.*

Traffic changes to `surge_rps`, upwards as a rule. The fleet can serve `capacity_rps`; new replicas are asked for at once and take
`delay_s` to serve their first request. From then on the fleet serves `scaled_rps`, which is above the surge. The
surge goes on. Trace what happens, in a dict:

- `queued`: requests in the queue when the new replicas start;
- `last_wait_s`: how long the last of those requests waits from then on, first come first served;
- `drain_s`: how long, from then on, until the queue is empty.
"""


# %% nbgrader={"grade": false, "grade_id": "05-backlog-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def backlog(surge_rps, capacity_rps, delay_s, scaled_rps):
    ### BEGIN SOLUTION
    queued = max(surge_rps - capacity_rps, 0) * delay_s
    return {
        "queued": queued,
        "last_wait_s": queued / scaled_rps,
        "drain_s": queued / (scaled_rps - surge_rps),
    }
    ### END SOLUTION


# %%
# mlsd.hint("05-backlog")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "05-backlog", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("05-backlog", backlog)
### BEGIN HIDDEN TESTS
mlsd.check("05-backlog", backlog, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-audit-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 6 Audit what was published

*About 22 minutes, 6 points, one for each kind of claim.*

Capacity figures get copied from page to page. Some cannot be true, and a line of arithmetic shows it. `audit`
takes a claim, a dict with its `kind`, its inputs and the figure `claimed`. Return a dict:

- `limit`: what you get when you work it out;
- `holds`: whether the claim can be true. For a size or a count, it holds when it is within 10 % of yours. A rate
  cannot be above its limit, a time cannot be below it.

A language model keeps, for each token (a piece of a word) of its context, a *key* and a *value* for each KV head in each layer: vectors of `head_dim` numbers. This
is the key-value (KV) cache. It stands in memory beside the weights. Several query heads may share one KV head, and keep nothing more. *Decoding* makes one token a step; *prefill* reads the prompt.
Data sheets also give a larger `sparse_flops`, for matrices half of whose entries are zero.

| kind | inputs | what is claimed |
|---|---|---|
| `kv_cache` | `layers`, `query_heads`, `kv_heads`, `head_dim`, `bytes_per_value` | bytes of key-value cache for one token |
| `memory` | `weights_bytes`, `sequences`, `context`, `kv_bytes_per_token` | bytes that the accelerator needs to run so many sequences at once, each with so many tokens of context |
| `decode` | `weights_bytes`, `bandwidth_bytes_per_s` | tokens per second for one sequence; each token reads all the weights once |
| `prefill` | `parameters`, `prompt_tokens`, `dense_flops`, `sparse_flops` | seconds to read the prompt, at 2 operations a parameter and token; the weights are dense |
| `batch` | `batch_size`, `batch_time_s` | seconds that one request of the batch takes |
| `retries` | `layers`, `attempts` | calls that reach the lowest layer when it fails and every layer makes so many attempts |
"""

# %% nbgrader={"grade": false, "grade_id": "05-audit-claims", "locked": true, "schema_version": 3, "solution": false, "task": false}
claims = [case["claim"] for case in mlsd.exercises.inputs("05-audit")]
claims[0]


# %% nbgrader={"grade": false, "grade_id": "05-audit-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def audit(claim):
    ### BEGIN SOLUTION
    match claim["kind"]:
        case "kv_cache":
            limit = (
                2
                * claim["layers"]
                * claim["kv_heads"]
                * claim["head_dim"]
                * claim["bytes_per_value"]
            )
        case "memory":
            tokens = claim["sequences"] * claim["context"]
            limit = claim["weights_bytes"] + tokens * claim["kv_bytes_per_token"]
        case "decode":
            limit = claim["bandwidth_bytes_per_s"] / claim["weights_bytes"]
        case "prefill":
            limit = (
                2 * claim["parameters"] * claim["prompt_tokens"] / claim["dense_flops"]
            )
        case "batch":
            limit = claim["batch_time_s"]
        case "retries":
            limit = claim["attempts"] ** claim["layers"]
    if claim["kind"] == "decode":
        holds = claim["claimed"] <= limit
    elif claim["kind"] in {"prefill", "batch"}:
        holds = claim["claimed"] >= limit
    else:
        holds = abs(claim["claimed"] - limit) <= 0.1 * limit
    return {"limit": limit, "holds": holds}
    ### END SOLUTION


# %%
# mlsd.hint("05-audit")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "05-audit", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
mlsd.check("05-audit", audit)
### BEGIN HIDDEN TESTS
mlsd.check("05-audit", audit, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "05-plan-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 7 Plan a fleet that survives the loss of a zone

*About 12 minutes, 4 points.*

Harbour Pay's promise: when one zone is lost at the peak, whichever it is, the replicas that are left stay within
the target. That failure *is* the headroom; nothing else is added. Write `plan`, which takes `peak_rps`, `mean_rps`,
`service_time_s`, `target_utilisation`, `zones`, `cost_per_replica_hour` and `budget_per_1k`, and returns a dict:

- `replicas_per_zone`: a list of whole numbers, one a zone. In all, spend at most one
  replica a zone more than the least total that keeps the promise;
- `cost_per_1k`: what a thousand predictions cost, over a day at the mean rate;
- `within_budget`: whether that is at most `budget_per_1k`.
"""


# %% nbgrader={"grade": false, "grade_id": "05-plan-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def plan(
    peak_rps,
    mean_rps,
    service_time_s,
    target_utilisation,
    zones,
    cost_per_replica_hour,
    budget_per_1k,
):
    ### BEGIN SOLUTION
    need = math.ceil(peak_rps * service_time_s / target_utilisation - 1e-9)
    replicas_per_zone = [math.ceil(need / (zones - 1))] * zones
    cost_per_1k = (
        sum(replicas_per_zone) * cost_per_replica_hour / (mean_rps * 3600) * 1000
    )
    return {
        "replicas_per_zone": replicas_per_zone,
        "cost_per_1k": cost_per_1k,
        "within_budget": cost_per_1k <= budget_per_1k,
    }
    ### END SOLUTION


# %%
# mlsd.hint("05-plan")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "05-plan", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("05-plan", plan)
### BEGIN HIDDEN TESTS
mlsd.check("05-plan", plan, fresh=True)
### END HIDDEN TESTS
