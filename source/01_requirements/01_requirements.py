# %% [markdown] nbgrader={"grade": false, "grade_id": "01-intro", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
# 01 Requirements: exercises

Seven exercises, about 125 minutes, 24 points. They are divided into three sittings. Each has three cells:

1. **your answer**, where you replace the line that raises;
2. a **hint** on request, again for the next one;
3. the **check**. It tells you at once what is wrong and, where it knows, which misconception may be behind it.

The check that you see uses a few cases. Grading draws others of the same kind, so results that are typed in pass here
and not there.
Each part of an answer scores by itself. If you learn
alone, add `fresh=True` to a check, and it draws others too. `print` inside your function shows nothing during a check: call
the function yourself to see it.
"""

# %% nbgrader={"grade": false, "grade_id": "01-imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from pprint import pprint

import pandas as pd

import mlsd_helpers as mlsd

pd.options.display.max_colwidth = None

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-sitting-1", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## First sitting, about 38 minutes: exercises 1 to 3, a brief, a peak and a percentile
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-briefs-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 1 Read a brief

*About 11 minutes, 3 points.*

A `brief` says what one `answer` is, the `limit_ms` within which it is due, the requests a second at the peak
(`peak_rps`), and how many `candidates` the model is run on for one request. There are five kinds of `answer`, all of them
shown here: `yes or no`, `one of twelve queues`, `minutes until arrival`, `shops, best first` and `a paragraph of text`.
Grading changes the numbers, and which answer comes with which limit.
"""

# %% nbgrader={"grade": false, "grade_id": "01-briefs-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pd.DataFrame(case["brief"] for case in mlsd.exercises.inputs("01-briefs"))

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-briefs-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `read_brief`, which takes a `brief` and returns a dict:

- `type`: `"binary classification"`, `"multi-class classification"`, `"regression"`, `"ranking"` or `"generation"`;
- `tier`: `"real-time"` (limit < 100 ms), `"near-real-time"` (< 2 s), `"interactive"` (< 60 s) or `"batch"`;
- `scorings_per_s`: how often the model is run in a second at the peak.
"""


# %% nbgrader={"grade": false, "grade_id": "01-briefs-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def read_brief(brief):
    ### BEGIN SOLUTION
    types = {
        "yes or no": "binary classification",
        "one of twelve queues": "multi-class classification",
        "minutes until arrival": "regression",
        "shops, best first": "ranking",
        "a paragraph of text": "generation",
    }
    if brief["limit_ms"] < 100:
        tier = "real-time"
    elif brief["limit_ms"] < 2000:
        tier = "near-real-time"
    elif brief["limit_ms"] < 60_000:
        tier = "interactive"
    else:
        tier = "batch"
    return {
        "type": types[brief["answer"]],
        "tier": tier,
        "scorings_per_s": brief["peak_rps"] * brief["candidates"],
    }
    ### END SOLUTION


# %%
# mlsd.hint("01-briefs")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "01-briefs", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("01-briefs", read_brief)
### BEGIN HIDDEN TESTS
mlsd.check("01-briefs", read_brief, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-peak-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 2 A peak that can be explained

*About 15 minutes, 3 points.*

A trace has a count of requests for each bucket of `bucket_s` seconds. `None` means that nobody counted. `repeated`
lists the positions (from 0) of buckets whose clock time came twice, as when summer time ends: their count covers
twice the time.
"""

# %% nbgrader={"grade": false, "grade_id": "01-peak-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pprint(mlsd.exercises.inputs("01-peak"), width=68, sort_dicts=False)

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-peak-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `peak`, which takes `counts`, `bucket_s` and `repeated`, and returns a dict:

- `peak_rps`: the highest rate, in requests per second;
- `mean_rps`: all requests that were counted, by all the seconds in which somebody counted.
"""


# %% nbgrader={"grade": false, "grade_id": "01-peak-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def peak(counts, bucket_s, repeated):
    ### BEGIN SOLUTION
    requests = []
    seconds = []
    for bucket, count in enumerate(counts):
        if count is not None:
            requests.append(count)
            seconds.append(2 * bucket_s if bucket in repeated else bucket_s)
    rates = [count / time for count, time in zip(requests, seconds, strict=True)]
    return {"peak_rps": max(rates), "mean_rps": sum(requests) / sum(seconds)}
    ### END SOLUTION


# %%
# mlsd.hint("01-peak")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "01-peak", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("01-peak", peak)
### BEGIN HIDDEN TESTS
mlsd.check("01-peak", peak, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-percentile-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 3 One percentile of many replicas

*About 12 minutes, 3 points.*

Each replica reports a histogram: how many requests took up to each of `edges_ms`, and more than the edge before.
"""

# %% nbgrader={"grade": false, "grade_id": "01-percentile-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pprint(mlsd.exercises.inputs("01-percentile"), width=68, sort_dicts=False)

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-percentile-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `percentile`, which takes `edges_ms`, `histograms` and `percent`, and returns a dict:

- `merged`: the list of counts of the whole service, edge by edge;
- `latency_ms`: the first edge within which at least `percent` per cent of all requests were answered.
"""


# %% nbgrader={"grade": false, "grade_id": "01-percentile-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def percentile(edges_ms, histograms, percent):
    ### BEGIN SOLUTION
    merged = [sum(column) for column in zip(*histograms, strict=True)]
    within = [sum(merged[: bucket + 1]) for bucket in range(len(merged))]
    enough = [100 * count >= percent * sum(merged) for count in within]
    return {"merged": merged, "latency_ms": edges_ms[enough.index(True)]}
    ### END SOLUTION


# %%
# mlsd.hint("01-percentile")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "01-percentile", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("01-percentile", percentile)
### BEGIN HIDDEN TESTS
mlsd.check("01-percentile", percentile, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-sitting-2", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Second sitting, about 45 minutes: exercise 4, a clash of wishes
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-contradictions-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 4 Requirements that cannot all hold

*About 45 minutes, 4 points: one for each topic.*

A page has eleven `statements` on four topics: freshness, latency, load and alarms. Each says its `numbers` in words
(`says`) and has an `id`. Some pages contradict themselves, and some only look as if they did. The
check uses four, `pages[0]` to `pages[3]`, and names the page of which it speaks. Here is the first:
"""

# %% nbgrader={"grade": false, "grade_id": "01-contradictions-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pages = mlsd.exercises.inputs("01-contradictions")
pd.DataFrame(pages[0]["statements"])

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-contradictions-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `contradictions`, which takes `statements` and returns the set of the ids of all that cannot hold together, empty
where all can. By topic:

- *freshness*: a count is oldest just before the next run is done;
- *latency*: two steps follow each other. The whole is never faster than either of its steps; what else do you know?
- *load*: payments come for hours, at random. Nobody waits long as long as the queue does not grow without end. How much
  of the time may a replica be busy for that?
- *alarms*: of three statements, each two can hold. Count the alarms that are right, and those that are false.

Name every statement that takes part in a clash. For latency, these are the p99 of the answer and each step that is
slower than it by itself. The first lines give you each number by its name (`n`), and the id of the statement that says
it (`said_by`).
"""


# %% nbgrader={"grade": false, "grade_id": "01-contradictions-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def contradictions(statements):
    n, said_by = {}, {}
    for statement in statements:
        for name, value in statement["numbers"].items():
            n[name], said_by[name] = value, statement["id"]
    ### BEGIN SOLUTION
    clashing = set()
    if n["period_min"] + n["job_min"] > n["most_min"]:
        clashing |= {"period_min", "most_min"}
    for step in ("features_p99_ms", "scoring_p99_ms"):
        if n[step] > n["answer_p99_ms"]:
            clashing |= {step, "answer_p99_ms"}
    if n["peak_rps"] * n["service_ms"] / 1000 >= n["replicas"]:
        clashing |= {"peak_rps", "replicas"}
    right = n["found_percent"]
    false = n["false_percent"] * (n["one_in"] - 1)
    if 100 * right < n["right_percent"] * (right + false):
        clashing |= {"one_in", "found_percent", "right_percent"}
    return {said_by[name] for name in clashing}
    ### END SOLUTION


# %%
# mlsd.hint("01-contradictions")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "01-contradictions", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("01-contradictions", contradictions)
### BEGIN HIDDEN TESTS
mlsd.check("01-contradictions", contradictions, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-sitting-3", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Third sitting, about 42 minutes: exercises 5 to 7, many calls, a decision and a page of requirements
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-fan-out-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 5 Side by side, and one after another

*About 12 minutes, 3 points.*

A request makes a number of `calls` at the same time, and waits for all of them; each is slow with the chance
`slow_share`, independently. Apart from that, it passes the hops `hops_ms` one after another, out of a budget of
`budget_ms`.
"""

# %% nbgrader={"grade": false, "grade_id": "01-fan-out-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pprint(mlsd.exercises.inputs("01-fan-out"), width=68, sort_dicts=False)

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-fan-out-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `fan_out`, which takes `slow_share`, `calls`, `budget_ms` and `hops_ms`, and returns a dict:

- `slow_requests`: the share of requests with at least one slow call, between 0 and 1;
- `left_ms`: what the hops leave of the budget; below 0 when they do not fit.
"""


# %% nbgrader={"grade": false, "grade_id": "01-fan-out-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fan_out(slow_share, calls, budget_ms, hops_ms):
    ### BEGIN SOLUTION
    all_fast = (1 - slow_share) ** calls
    return {"slow_requests": 1 - all_fast, "left_ms": budget_ms - sum(hops_ms)}
    ### END SOLUTION


# %%
# mlsd.hint("01-fan-out")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "01-fan-out", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("01-fan-out", fan_out)
### BEGIN HIDDEN TESTS
mlsd.check("01-fan-out", fan_out, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-decide-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 6 Which requirement gives way?

*About 14 minutes, 4 points.*

A count may be a quarter of an hour old, says one requirement; it comes from a nightly job, says another. There are
three ways out: pay for a stream and keep the limit, loosen the limit to what the job can give, or do without the
feature. A `clash` says, in dollars a day, what the feature finds when it is fresh (`worth_fresh`) and when it is old
(`worth_old`), and what a stream or the job costs. Where it is not `allowed` to use these data at all, nobody can buy
that back.
"""

# %% nbgrader={"grade": false, "grade_id": "01-decide-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pd.DataFrame(case["clash"] for case in mlsd.exercises.inputs("01-decide"))

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-decide-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `decide`, which takes a `clash` and returns a dict:

- `net_fresh`, `net_old`: what the stream leaves, and what the job leaves, in dollars a day. With the stream, nobody
  needs the job;
- `decision`: `"keep the limit"`, `"loosen the limit"` or `"drop the feature"`;
- `reason`: `"freshness pays for itself"`, `"freshness costs more than it adds"`, `"neither pays for itself"`, or
  `"not allowed"`;
- `margin`: by how many dollars a day your decision beats the next best of the three. Any number where it is not allowed.
"""


# %% nbgrader={"grade": false, "grade_id": "01-decide-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def decide(clash):
    ### BEGIN SOLUTION
    ways = {
        "keep the limit": clash["worth_fresh"] - clash["stream_cost"],
        "loosen the limit": clash["worth_old"] - clash["job_cost"],
        "drop the feature": 0,
    }
    reasons = {
        "keep the limit": "freshness pays for itself",
        "loosen the limit": "freshness costs more than it adds",
        "drop the feature": "neither pays for itself",
    }
    second, best = sorted(ways.values())[-2:]
    decision = max(ways, key=ways.get) if clash["allowed"] else "drop the feature"
    return {
        "net_fresh": ways["keep the limit"],
        "net_old": ways["loosen the limit"],
        "decision": decision,
        "reason": reasons[decision] if clash["allowed"] else "not allowed",
        "margin": best - second,
    }
    ### END SOLUTION


# %%
# mlsd.hint("01-decide")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "01-decide", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("01-decide", decide)
### BEGIN HIDDEN TESTS
mlsd.check("01-decide", decide, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-repair-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 7 Repair a page of requirements

*About 16 minutes, 4 points: one for each fault.*

A page of `needs` has four faults, and a review of designs finds them: the promise holds at the median, the hops
overspend the budget, the peak is the mean, and a ranking scores one item a request. Under `throughput` stand two
notes of what was measured: the rate of the `busiest_hour`, and the `candidates` of a request. Times are in seconds.
"""

# %% nbgrader={"grade": false, "grade_id": "01-repair-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pprint(mlsd.exercises.inputs("01-repair"), width=68, sort_dicts=False)

# %% [markdown] nbgrader={"grade": false, "grade_id": "01-repair-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `repaired`, which takes `needs` and returns the page mended: promise p95, p99 or p99.9 (`percentile`); shorten
one hop and no other, to no less than 5 ms, and keep the budget; set `peak`, `derivation` (`"busiest period"`) and
`scorings_per_request`. Leave the two notes out.
"""


# %% nbgrader={"grade": false, "grade_id": "01-repair-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def repaired(needs):
    ### BEGIN SOLUTION
    latency = needs["latency"]
    times = [part["time"] for part in latency["split"]]
    over = sum(times) - latency["budget"]
    split = [dict(part) for part in latency["split"]]
    split[times.index(max(times))]["time"] -= over
    load = needs["throughput"]
    return {
        "prediction": needs["prediction"],
        "latency": {
            "budget": latency["budget"],
            "percentile": "p99",
            "split": split,
        },
        "throughput": {
            "peak": load["busiest_hour"],
            "mean": load["mean"],
            "derivation": "busiest period",
            "scorings_per_request": load["candidates"],
        },
    }
    ### END SOLUTION


# %%
# mlsd.hint("01-repair")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "01-repair", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("01-repair", repaired)
### BEGIN HIDDEN TESTS
mlsd.check("01-repair", repaired, fresh=True)
### END HIDDEN TESTS
