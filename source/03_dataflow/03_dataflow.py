# %% [markdown] nbgrader={"grade": false, "grade_id": "03-intro", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
# 03 Data flow: exercises

Eight exercises, about 126 minutes, 30 points. They are divided into three sittings. Each has three cells:

1. **your answer**, where you replace the line that raises;
2. a **hint** on request, again for the next one;
3. the **check**. It tells you at once what is wrong and, where it knows, which belief is behind it.

The check that you see uses a few cases. Grading draws others, so a number typed in passes here and not there.
Steps score by themselves, and a later step is judged on what you made of the earlier ones. Keep the names of functions
and of their parameters: the check calls them by name.

Times are in **minutes** unless their name says otherwise. A clock time such as `read_min` counts from midnight.

To hand in, save this notebook and give it in as your course says (upload it, or **Nbgrader → Assignment List**). **Validate**, in
the toolbar, runs everything once more from the top.
"""

# %% nbgrader={"grade": false, "grade_id": "03-imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import pandas as pd

import mlsd_helpers as mlsd

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-sitting-1", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## First sitting, about 42 minutes: exercises 1 to 3, a trace, bounds and gaps
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-trace-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 1 Trace a read back to its data

*About 10 minutes, 4 points.*

A job starts at `first_run_min` and then every `period_min`. A run takes what has come in until its start; its steps
take `delays_min`, one after the other, and from the end of the last one on its result is readable in the store. A cache
fetched its copy from the store at `fetched_min`. The model reads that copy at `read_min`. Return a dict:

- `run_min`: the start of the run whose result the model gets;
- `readable_min`: when that result became readable;
- `age_min`: how old its data are when the model reads them, counted from the start of the run.

Do the first case by hand, with a table of the runs of that morning, before you write any code:
`period_min=60, first_run_min=10, delays_min=[3, 12, 1], fetched_min=620, read_min=624`.
"""


# %% nbgrader={"grade": false, "grade_id": "03-trace-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def trace(period_min, first_run_min, delays_min, fetched_min, read_min):
    ### BEGIN SOLUTION
    lasts_min = sum(delays_min)
    run_min = first_run_min
    while run_min + period_min + lasts_min <= fetched_min:
        run_min += period_min
    return {
        "run_min": run_min,
        "readable_min": run_min + lasts_min,
        "age_min": read_min - run_min,
    }
    ### END SOLUTION


# %%
# mlsd.hint("03-trace")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "03-trace", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("03-trace", trace)
### BEGIN HIDDEN TESTS
mlsd.check("03-trace", trace, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-ages-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 2 Best, mean and worst age of a path

*About 20 minutes, 4 points.*

A `path` is a list of stages, each a dict. What it leaves out is 0:

| key | meaning |
|---|---|
| `period_min` | it runs on a schedule of its own, that nobody lines up with any other |
| `delay_min` | what a run takes until its result is out |
| `ttl_min` | how long a cache serves a copy |
| `in_step` | `True`: the end of the stage before starts it, and it waits for no clock of its own |
| `parallel` | a list of paths that run side by side; what joins them is as old as the oldest |

A stage with `parallel` has no other key. Return a dict with `best_min`, `worst_min` and `mean_min`. At its best, an age
holds no wait: the run started as the data came, and a copy in a cache is brand-new. The mean is graded only where nothing
runs in parallel: there it is halfway between the other two. Write it yourself; with `mlsd.formulas.age_bounds` you can compare afterwards.
"""


# %% nbgrader={"grade": false, "grade_id": "03-ages-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ages(path):
    ### BEGIN SOLUTION
    best_min = worst_min = 0
    for stage in path:
        if "parallel" in stage:
            branches = [ages(branch) for branch in stage["parallel"]]
            best_min += max(branch["best_min"] for branch in branches)
            worst_min += max(branch["worst_min"] for branch in branches)
            continue
        waits_min = 0 if stage.get("in_step") else stage.get("period_min", 0)
        best_min += stage.get("delay_min", 0)
        worst_min += stage.get("delay_min", 0) + waits_min + stage.get("ttl_min", 0)
    return {
        "best_min": best_min,
        "worst_min": worst_min,
        "mean_min": (best_min + worst_min) / 2,
    }
    ### END SOLUTION


# %%
# mlsd.hint("03-ages")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "03-ages", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("03-ages", ages)
### BEGIN HIDDEN TESTS
mlsd.check("03-ages", ages, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-gaps-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 3 Find the gaps in twelve features

*About 12 minutes, 4 points: 2 for naming every gap, 2 for naming nothing else.*

A feature is a dict with its `name`, its `sla_min` (its age limit: at most so old when it is read), its `path` as in exercise 2, and the
`store` in which its path ends: `online`, `offline`, or `request` when the request brings it. (The table has times in words; a
feature that your function gets has them in minutes, as in `mlsd.exercises.inputs("03-gaps")[0]["features"][-1]`.) A feature is a gap when a
request may get it too old, or cannot get it at all. Return the names of the gaps.
"""

# %% nbgrader={"grade": false, "grade_id": "03-gaps-features", "locked": true, "schema_version": 3, "solution": false, "task": false}
mlsd.samples.feature_table()  # the twelve in words


# %% nbgrader={"grade": false, "grade_id": "03-gaps-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gaps(features):
    ### BEGIN SOLUTION
    return {
        feature["name"]
        for feature in features
        if feature["store"] == "offline"
        or ages(feature["path"])["worst_min"] > feature["sla_min"]
    }
    ### END SOLUTION


# %%
# mlsd.hint("03-gaps")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "03-gaps", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("03-gaps", gaps)
### BEGIN HIDDEN TESTS
mlsd.check("03-gaps", gaps, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-sitting-2", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Second sitting, about 41 minutes: exercises 4 to 6, a repair, a join and parity
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-repair-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 4 The cheapest repair that works

*About 16 minutes, 4 points.*

A `feature` is a dict with `period_min`, `delays_min` (a list), `ttl_min`, `store` and `sla_min`. Each of the `repairs`
has a `name`, a `cost_per_month` and `changes`: the values that it sets. Return a dict:

- `left_min`: what delays and cache leave of the age limit for the period; below 0 when they exceed it;
- `reason`: why it is a gap. `"store"` when no request can read it; otherwise `"fits"` when it is no gap, `"period"` when a
  shorter period would do, `"path"` when nothing is left for any period;
- `repair`: the name of the cheapest repair after which it is no gap, or `"none"` when it is no gap now;
- `worst_min`: its worst age after that repair.

The repairs of the first case:
"""

# %% nbgrader={"grade": false, "grade_id": "03-repair-list", "locked": true, "schema_version": 3, "solution": false, "task": false}
pd.DataFrame(mlsd.exercises.inputs("03-repair")[0]["repairs"]).set_index("name")


# %% nbgrader={"grade": false, "grade_id": "03-repair-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose(feature, repairs):
    ### BEGIN SOLUTION
    left_min = feature["sla_min"] - sum(feature["delays_min"]) - feature["ttl_min"]
    if feature["store"] == "offline":
        reason = "store"
    elif feature["period_min"] <= left_min:
        reason = "fits"
    else:
        reason = "period" if left_min > 0 else "path"

    def worst_min(one):
        return one["period_min"] + sum(one["delays_min"]) + one["ttl_min"]

    nothing = {"name": "none", "cost_per_month": 0, "changes": {}}
    for repair in sorted([nothing, *repairs], key=lambda one: one["cost_per_month"]):
        after = {**feature, **repair["changes"]}
        if after["store"] == "online" and worst_min(after) <= after["sla_min"]:
            break
    return {
        "left_min": left_min,
        "reason": reason,
        "repair": repair["name"],
        "worst_min": worst_min(after),
    }
    ### END SOLUTION


# %%
# mlsd.hint("03-repair")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "03-repair", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("03-repair", choose)
### BEGIN HIDDEN TESTS
mlsd.check("03-repair", choose, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-join-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 5 Join on when it became readable

*About 15 minutes, 3 points.*

Training rows for `payments` (`card`, `paid_at`) need the spend of the card as the model would have read it. `windows` has
every publication: `card`, the `window_end` up to which it counts, the `spend`, and `published_at`, the moment from which
on (that moment included) a request reads it, until the next publication for this card. Both are lists of dicts, and the
rows come in any order.

Return a list with one value a payment, in the order of the payments: what a request at `paid_at` would have read, and
`default` where nothing was there yet. The first two lines are a start; `pd.merge_asof` is made for the rest.
"""

# %% nbgrader={"grade": false, "grade_id": "03-join-rows", "locked": true, "schema_version": 3, "solution": false, "task": false}
rows = mlsd.exercises.inputs("03-join")[1]
pd.DataFrame(rows["windows"])


# %% nbgrader={"grade": false, "grade_id": "03-join-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def joined(payments, windows, default):
    payments, windows = pd.DataFrame(payments), pd.DataFrame(windows)
    ### BEGIN SOLUTION
    rows = pd.merge_asof(
        payments.reset_index(names="place").sort_values("paid_at"),
        windows.sort_values("published_at"),
        left_on="paid_at",
        right_on="published_at",
        by="card",
    )
    return rows.sort_values("place")["spend"].fillna(default).tolist()
    ### END SOLUTION


# %%
# mlsd.hint("03-join")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "03-join", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("03-join", joined)
### BEGIN HIDDEN TESTS
mlsd.check("03-join", joined, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-parity-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 6 The same feature in training and in serving

*About 10 minutes, 4 points.*

The feature is the time since the card's last payment. Training gets it in **seconds**, from a table; serving gets it in
**milliseconds**, from the stream. Two teams wrote one function each. Here is what the same three values become:
"""


# %% nbgrader={"grade": false, "grade_id": "03-parity-old", "locked": true, "schema_version": 3, "solution": false, "task": false}
def old_training(training_s, cap_s):
    values = pd.Series(training_s, dtype=float)
    return (values.fillna(values.mean()).clip(upper=cap_s) / cap_s).tolist()


def old_serving(requests_ms, cap_s):
    return [min(value or 0, cap_s) / cap_s for value in requests_ms]


old_training([30, None, 90], 600), old_serving([30_000, None, 90_000], 600)

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-parity-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `prepare`, which serves both. A missing value, `None`, is filled with the mean of the training values that are
there (before the cap); then values are capped at `cap_s` and divided by it. Return a dict:

- `fill_s`: what a missing value is filled with, in seconds;
- `training`: the transformed values of training, one a row;
- `serving`: the transformed values of the requests, one a request.
"""


# %% nbgrader={"grade": false, "grade_id": "03-parity-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def prepare(training_s, requests_ms, cap_s):
    ### BEGIN SOLUTION
    training = pd.Series(training_s, dtype=float)
    requests = pd.Series(requests_ms, dtype=float) / 1000
    fill_s = training.mean()

    def transform(values_s):
        return (values_s.fillna(fill_s).clip(upper=cap_s) / cap_s).tolist()

    return {
        "fill_s": fill_s,
        "training": transform(training),
        "serving": transform(requests),
    }
    ### END SOLUTION


# %%
# mlsd.hint("03-parity")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "03-parity", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("03-parity", prepare)
### BEGIN HIDDEN TESTS
mlsd.check("03-parity", prepare, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-sitting-3", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Third sitting, about 43 minutes: exercises 7 and 8, late labels and a whole data flow
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-labels-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 7 Wait for the labels

*About 9 minutes, 3 points.*

A payment counts as fraud when it is disputed within `wait_days`. Each of the `payments` is a dict with its `paid_day` and
its `disputed_day`, which is `None` where no dispute has come. It is the day `today`. Return a dict:

- `mature`: how many payments are at least `wait_days` old, so that their answer is known;
- `rate`: the share of fraud among those;
- `arrived`: of the fraud among those, the share that had been disputed within `early_days` of the payment.
"""


# %% nbgrader={"grade": false, "grade_id": "03-labels-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fraud_rate(payments, today, wait_days, early_days):
    ### BEGIN SOLUTION
    rows = pd.DataFrame(payments).astype(float)
    mature = rows[today - rows["paid_day"] >= wait_days]
    took_days = mature["disputed_day"] - mature["paid_day"]
    fraud = took_days[took_days <= wait_days]
    return {
        "mature": len(mature),
        "rate": len(fraud) / len(mature),
        "arrived": (fraud <= early_days).mean(),
    }
    ### END SOLUTION


# %%
# mlsd.hint("03-labels")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "03-labels", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("03-labels", fraud_rate)
### BEGIN HIDDEN TESTS
mlsd.check("03-labels", fraud_rate, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-design-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 8 Repair a data flow

*About 34 minutes, 4 points: 1½ for freshness, 1 for honest training rows (the join, code that is shared, and a parity
test), and half a point each for features that can be read, for reading them in time, and for a review without errors.*

Now a whole data flow, judged by the rules that `mlsd check` uses. A request may wait 30 ms for its features. This is what
the rules say of the first flow:
"""

# %% nbgrader={"grade": false, "grade_id": "03-design-review", "locked": true, "schema_version": 3, "solution": false, "task": false}
flow = mlsd.exercises.inputs("03-design")[0]["flow"]
mlsd.samples.findings_of_flow(flow, read_within_s=0.030)

# %% [markdown] nbgrader={"grade": false, "grade_id": "03-design-rules", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `repaired`, which takes such a flow as a dict (times in **seconds**, as in `design.yaml` without units) and returns it
repaired, as a dict or as an `mlsd.design.DataFlow`. The faults are of the same kinds each time, with other numbers and
other settings.

- You may change periods (a job starts once a minute at most), TTLs, paths over the stages that are there, stores (`online` or `offline`), the `join`
  (`event time`, `latest value` or `availability time`), `transformation` (`separate` or `shared` code), the parity test, and whether features are looked up `at_once`.
  `parity_test` is a text: a sentence that says what is compared. `at_once` is `True` or `False` in `flow["lookup"]`.
- Delays, the calls and the time per call are measured, and age limits (`sla`) are what the product needs: both stay, as do the features,
  their sources and slots (a slot is the feature's place in the model's input, and `input_width` how many places there are).
  A repair that changes one of these earns no points.

`print(flow["stages"])` in a cell of your own shows what there is to work with.
"""


# %% nbgrader={"grade": false, "grade_id": "03-design-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def repaired(flow):
    ### BEGIN SOLUTION
    stages = {stage["id"]: stage for stage in flow["stages"]}
    for feature in flow["features"]:
        way = [stages[name] for name in feature.get("path", [])]
        spent = sum(sum(one.get("delays", [])) + one.get("ttl", 0) for one in way)
        left = feature["sla"] - spent
        for one in way:
            if one.get("period", 0) > left >= 60:
                one["period"] = left
            elif one.get("period", 0) > left:
                feature["path"] = ["card_stream"]
            if one.get("store") == "offline":
                one["store"] = "online"
    flow["lookup"]["at_once"] = True
    flow["join"] = "availability time"
    flow["transformation"] = "shared"
    flow["parity_test"] = "Replays logged payments and compares every feature"
    return flow
    ### END SOLUTION


# %%
# mlsd.hint("03-design")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "03-design", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("03-design", repaired)
### BEGIN HIDDEN TESTS
mlsd.check("03-design", repaired, fresh=True)
### END HIDDEN TESTS
