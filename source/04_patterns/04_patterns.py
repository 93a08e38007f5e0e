# %% [markdown] nbgrader={"grade": false, "grade_id": "04-intro", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
# 04 Patterns: exercises

Seven exercises, about 108 minutes, 32 points. They are divided into three sittings. Each has three cells:

1. **your answer**, where you replace the line that raises;
2. a **hint** on request, again for the next one;
3. the **check**. It tells you at once what is wrong and, where it knows, which belief is behind it.

The check that you see uses a few cases. Grading draws others, so an answer typed in passes here and not there.
Steps score by themselves, and a later step is judged on what you made of the earlier ones. Keep the
names of functions and of their parameters: the check calls them by name.

To hand in, save this notebook and give it in as your course says (upload it, or **Nbgrader → Assignment List**).
**Validate**, in the toolbar, runs everything once more from the top.
"""

# %% nbgrader={"grade": false, "grade_id": "04-imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from pprint import pformat
from textwrap import fill

import mlsd_helpers as mlsd

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-sitting-1", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## First sitting, about 38 minutes: exercises 1 to 3, a pattern, its price and a cache
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-choose-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 1 Choose the pattern, and say what decided

*About 12 minutes, 4 points.*

A is an answer on request, B one made ahead by a job, C one made ahead at each event. (Which features a model reads is
another choice, and not asked here: A over streamed features is A.) Write `choose`, which takes one product: `peak_rps`;
`max_age_s`, how old an answer may be at most; `listable`, whether a job can list all inputs; `event_brings_it`, whether an event
brings each input before somebody asks; `job_s`, the time that a job over all inputs takes; `lag_s`, the usual lag of a
stream; and `cost_per_day`, a dict from "A", "B" and "C" to dollars. A job starts again when it has ended, and not
before. Return a dict:

- `feasible`: the set of patterns that get their input, and whose oldest answer is fresh enough;
- `pattern`: the cheapest of them;
- `reason`: what decided. `"cost"` if it is the cheapest of all three. Otherwise what ruled that cheapest one out:
  `"input"` when nothing brings it the input, else `"freshness"`.
"""


# %% nbgrader={"grade": false, "grade_id": "04-choose-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose(peak_rps, max_age_s, listable, event_brings_it, job_s, lag_s, cost_per_day):
    ### BEGIN SOLUTION
    del peak_rps  # the costs hold it already
    has_input = {"A": True, "B": listable, "C": event_brings_it}
    oldest_s = {"A": 0, "B": 2 * job_s, "C": lag_s}
    feasible = {
        name for name in "ABC" if has_input[name] and oldest_s[name] <= max_age_s
    }
    reason = "cost"
    cheapest = min(cost_per_day, key=cost_per_day.get)
    if cheapest not in feasible:
        reason = "freshness" if has_input[cheapest] else "input"
    return {
        "feasible": feasible,
        "pattern": min(feasible, key=cost_per_day.get),
        "reason": reason,
    }
    ### END SOLUTION


# %%
# mlsd.hint("04-choose")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "04-choose", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("04-choose", choose)
### BEGIN HIDDEN TESTS
mlsd.check("04-choose", choose, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-crossover-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 2 Find the crossover

*About 11 minutes, 4 points.*

From which request rate on is it cheaper to make answers ahead? Write `crossover`, which takes `keys`, `mean_rps`,
`max_age_s`, `job_s`, and three prices, each in dollars for a **million**: `request_price`, an inference at request
time; `batch_price`, one in the job; `read_price`, a look-up. Return a dict:

- `runs_per_day`: with the longest period at which no answer is ever older than `max_age_s`, not rounded;
- `ahead_per_day`: what the runs of a day cost, in dollars;
- `crossover_rps`: the requests per second at which A and B cost the same;
- `cheaper`: "A" or "B", at `mean_rps`.
"""


# %% nbgrader={"grade": false, "grade_id": "04-crossover-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def crossover(keys, mean_rps, max_age_s, job_s, request_price, batch_price, read_price):
    ### BEGIN SOLUTION
    runs_per_day = 86_400 / (max_age_s - job_s)
    ahead_per_day = keys * runs_per_day * batch_price / 1e6
    saved_by_request = (request_price - read_price) / 1e6
    crossover_rps = ahead_per_day / saved_by_request / 86_400
    return {
        "runs_per_day": runs_per_day,
        "ahead_per_day": ahead_per_day,
        "crossover_rps": crossover_rps,
        "cheaper": "B" if mean_rps > crossover_rps else "A",
    }
    ### END SOLUTION


# %%
# mlsd.hint("04-crossover")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "04-crossover", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("04-crossover", crossover)
### BEGIN HIDDEN TESTS
mlsd.check("04-crossover", crossover, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-cache-trace-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 3 Replay a cache

*About 15 minutes, 4 points.*

`requests` is a list of pairs (seconds, key). They go through an LRU cache for `size` entries. A miss fetches the
answer at once and keeps it; it is a hit from then on, until `ttl_s` seconds after the **fetch** (at exactly `ttl_s`
it is a miss again, and is fetched anew). An expired entry keeps its place until then. When there is one entry too
many, the one **used** longest ago goes. A hit takes `hit_s`, a miss `miss_s`. Write `replay`, and return a dict:

- `hits`: a list with True or False for each request;
- `hit_ratio`: the share that hits;
- `mean_s`: the mean time of a request;
- `p99_s`: the time within which 99 of 100 requests are answered.
"""


# %% nbgrader={"grade": false, "grade_id": "04-cache-trace-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def replay(requests, size, ttl_s, hit_s, miss_s):
    ### BEGIN SOLUTION
    fetched = {}  # in the order of last use
    hits = []
    for now, key in requests:
        hit = key in fetched and now - fetched[key] < ttl_s
        time = fetched[key] if hit else now
        fetched.pop(key, None)
        fetched[key] = time
        if len(fetched) > size:
            del fetched[next(iter(fetched))]
        hits.append(hit)
    hit_ratio = sum(hits) / len(hits)
    return {
        "hits": hits,
        "hit_ratio": hit_ratio,
        "mean_s": hit_ratio * hit_s + (1 - hit_ratio) * miss_s,
        "p99_s": hit_s if hit_ratio >= 0.99 else miss_s,
    }
    ### END SOLUTION


# %%
# mlsd.hint("04-cache-trace")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "04-cache-trace", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("04-cache-trace", replay)
### BEGIN HIDDEN TESTS
mlsd.check("04-cache-trace", replay, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-sitting-2", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Second sitting, about 30 minutes: exercises 4 and 5, a wrong key and a late stream
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-cache-key-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 4 Repair a cache key

*About 20 minutes, 4 points.*

A support ticket says: "I see what my neighbour ordered." The cache in front of the ranker makes its key of the
fields in `old_key`. You have a `log`: for each request its six fields, and the `answer` that it *should* have had,
computed anew. Write `repair_key`, and return a dict:

- `leaks`: how many requests of the log get an answer that is not theirs, with the old key. The cache starts empty,
  keeps the first answer for each key, and never forgets;
- `key`: the set of fields with which nobody gets a wrong answer, and as many requests as possible hit; of keys that
  hit equally often, the one with the fewest fields.
"""

# %% nbgrader={"grade": false, "grade_id": "04-cache-key-log", "locked": true, "schema_version": 3, "solution": false, "task": false}
log = mlsd.exercises.inputs("04-cache-key")[0]["log"]
log[:3]


# %% nbgrader={"grade": false, "grade_id": "04-cache-key-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def repair_key(log, old_key):
    ### BEGIN SOLUTION
    def replayed(fields):
        cache, leaks = {}, 0
        for row in log:
            place = tuple(row[field] for field in fields)
            leaks += cache.setdefault(place, row["answer"]) != row["answer"]
        return leaks, len(log) - len(cache)

    key = [field for field in log[0] if field != "answer"]
    for field in ["request_id", *key]:
        fewer = [other for other in key if other != field]
        if replayed(fewer)[0] == 0:
            key = fewer
    return {"leaks": replayed(old_key)[0], "key": set(key)}
    ### END SOLUTION


# %%
# mlsd.hint("04-cache-key")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "04-cache-key", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("04-cache-key", repair_key)
### BEGIN HIDDEN TESTS
mlsd.check("04-cache-key", repair_key, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-lag-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 5 Trace the lag after an outage

*About 10 minutes, 5 points.*

All consumers of a stream stand still for `outage_s`. `events_rps` arrive before, during and after. Afterwards
`consumers` consumers share `partitions` partitions evenly, and each that has something to read takes `each_rps`;
together they take more than arrives. Events are read in their order. Trace what happens, in a dict:

- `consumed_rps`: what all consumers together can read in a second;
- `backlog`: events that wait when the outage ends;
- `lag_s`: how long an event waits that arrives at that moment;
- `caught_up_s`: how long, from then on, until nothing waits any more;
- `fresh_again_s`: how long, from then on, until an arriving event waits `max_lag_s` or less; 0 if none waits longer.
"""


# %% nbgrader={"grade": false, "grade_id": "04-lag-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def trace(outage_s, events_rps, each_rps, consumers, partitions, max_lag_s):
    ### BEGIN SOLUTION
    consumed_rps = min(consumers, partitions) * each_rps
    backlog = events_rps * outage_s
    spare_rps = consumed_rps - events_rps
    return {
        "consumed_rps": consumed_rps,
        "backlog": backlog,
        "lag_s": backlog / consumed_rps,
        "caught_up_s": backlog / spare_rps,
        "fresh_again_s": max(backlog - max_lag_s * consumed_rps, 0) / spare_rps,
    }
    ### END SOLUTION


# %%
# mlsd.hint("04-lag")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "04-lag", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
mlsd.check("04-lag", trace)
### BEGIN HIDDEN TESTS
mlsd.check("04-lag", trace, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-sitting-3", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Third sitting, about 40 minutes: exercises 6 and 7, a proposal and a design
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-critique-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 6 Pick the statements that cannot hold

*About 15 minutes, 6 points, one for each kind of statement.*

Pinterest's feed of 2015 was made ahead; its team published what that cost (Liu, *Building a dynamic and responsive
Pinterest*, 2018): features up to weeks old, feeds for users who never came back, a copy for each experiment.
Somebody now proposes such a design again. Each of its statements is a dict with an `id`, a `kind`, the sentence it
`says`, and the numbers of that sentence. (The numbers are invented. In `tail`, all misses take the same time.) Write `critique`, which takes the list and
returns the **set of the ids** of those that cannot hold.
"""

# %% nbgrader={"grade": false, "grade_id": "04-critique-statements", "locked": true, "schema_version": 3, "solution": false, "task": false}
statements = mlsd.exercises.inputs("04-critique")[0]["statements"]
for statement in statements:
    print(fill("{id}  {kind}: {says}".format(**statement), 68))
    print(pformat({key: statement[key] for key in list(statement)[3:]}, width=68))


# %% nbgrader={"grade": false, "grade_id": "04-critique-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def critique(statements):
    ### BEGIN SOLUTION
    flawed = set()
    for said in statements:
        match said["kind"]:
            case "age":
                wrong = said["period_h"] + said["job_h"] > said["oldest_h"]
            case "work":
                visits = said["visitors_million"] * said["visits_each"]
                wrong = said["users_million"] > visits
            case "rerun":
                wrong = 2 * said["job_h"] > said["window_h"]
            case "copies":
                wrong = said["feeds_tb"] * (said["experiments"] + 1) > said["store_tb"]
            case "expiry":
                wrong = (said["missed_runs"] + 1) * said["period_h"] > said["ttl_h"]
            case "tail":
                wrong = said["hit_percent"] < 99 and said["miss_ms"] > said["p99_ms"]
        if wrong:
            flawed.add(said["id"])
    return flawed
    ### END SOLUTION


# %%
# mlsd.hint("04-critique")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "04-critique", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
mlsd.check("04-critique", critique)
### BEGIN HIDDEN TESTS
mlsd.check("04-critique", critique, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-design-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 7 Repair the pattern of a design

*About 25 minutes, 5 points.*

A feed is made ahead; a search answers at request time, behind a cache. A reviewer has something to say about both:
"""

# %% nbgrader={"grade": false, "grade_id": "04-design-broken", "locked": true, "schema_version": 3, "solution": false, "task": false}
broken = mlsd.exercises.inputs("04-design")[0]
draft = mlsd.Design(name="exercise", **broken)
for finding in mlsd.review(draft):
    if finding.where.startswith("pattern"):
        print(finding.code, finding.where)
        print(fill(finding.message, 68), end="\n\n")

# %% nbgrader={"grade": false, "grade_id": "04-design-pattern", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(pformat(broken["pattern"], width=68, sort_dicts=False))

# %% [markdown] nbgrader={"grade": false, "grade_id": "04-design-rules", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `repair`, which takes `pattern` and `requirements`, two dicts as above (times in seconds), and returns the
repaired pattern: a dict of that shape, or an `mlsd.design.Pattern`. Errors and warnings have to go; remarks of
severity info may stay.

- **Settings**, yours to change: the period, the window, `on_miss`, consumers, and of the cache its key, size, TTL and
  expected hit ratio, which `mlsd.formulas.che_hit_ratio` (by size) and `mlsd.formulas.ttl_hit_ratio_of_keys` (by TTL) bound. Reasons and rejected alternatives are yours to write: each reason, and each `flips_when`, a sentence of at least five words.
- **Facts**, to be kept: ids, patterns, shares, keys and whether they can be listed; the job's time; what the answer
  depends on, and how skewed the keys are; events and partitions. A repair that changes one of these earns no points.
"""


# %% nbgrader={"grade": false, "grade_id": "04-design-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def repair(pattern, requirements):
    ### BEGIN SOLUTION
    limit_s = requirements["freshness"]["predictions"]
    feed, search = pattern["paths"]
    ahead, cache = feed["precompute"], search["cache"]
    ahead["period"] = limit_s - ahead["job_time"]
    ahead["window"] = 2 * ahead["job_time"]
    ahead["on_miss"] = "The newest of what the user follows"
    if "stream" in feed:
        feed["stream"]["consumers"] = feed["stream"]["partitions"]
    cache["key"] = cache["answer_depends_on"]
    cache["ttl"] = limit_s
    by_size = mlsd.formulas.che_hit_ratio(
        cache["size"], search["keys"], cache["zipf_exponent"]
    )
    by_ttl = mlsd.formulas.ttl_hit_ratio_of_keys(
        requirements["throughput"]["peak"] * search["share"],
        cache["ttl"],
        search["keys"],
        cache["zipf_exponent"],
    )
    cache["hit_ratio"] = min(by_size, by_ttl)
    search["reason"] = "What people type cannot be listed ahead."
    rejected = [
        {
            "pattern": "request-time",
            "path": "feed",
            "reason": "The models take longer than a visitor waits.",
            "flips_when": "A model that answers in time is as good.",
        },
        {
            "pattern": "pre-computed",
            "path": "search",
            "reason": "What people type cannot be listed ahead.",
            "flips_when": "A few thousand queries were nearly all of the traffic.",
        },
    ]
    return {"paths": [feed, search], "rejected": rejected}
    ### END SOLUTION


# %%
# mlsd.hint("04-design")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "04-design", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
mlsd.check("04-design", repair)
### BEGIN HIDDEN TESTS
mlsd.check("04-design", repair, fresh=True)
### END HIDDEN TESTS
