# %% [markdown] nbgrader={"grade": false, "grade_id": "02-intro", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
# 02 Planes: exercises

Seven exercises, about 155 minutes, 25 points. They are divided into four sittings. Each has three cells:

1. **your answer**, where you replace the line that raises;
2. a **hint** on request, again for the next one;
3. the **check**. It tells you at once what is wrong and, where it knows, which misconception may be behind it.

The check that you see uses a few cases. Grading draws others, so an answer typed in passes here and not there.
Steps score by themselves, and a later step is judged on what you made of the earlier ones.

To hand in, save this notebook and give it in as your course says (upload it, or **Nbgrader → Assignment List**). **Validate**, in
the toolbar, runs everything once more from the top.
"""

# %% nbgrader={"grade": false, "grade_id": "02-imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import math
from pprint import pprint

import pandas as pd

import mlsd_helpers as mlsd

pd.options.display.max_colwidth = None

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-sitting-1", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## First sitting, about 35 minutes: exercises 1 and 2, planes and blast radius
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-place-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 1 Place components into planes

*About 17 minutes, 3 points.*

`place` takes a list of components, each a dict with its `id`, what it `does`, the plane that it is `called_by` and the
machines that it `runs_on`. Return a dict from each `id` to its plane: data, training, serving, monitoring or control.

Place by what a part is responsible for. Where two planes can be defended, as for what keeps answers, or lists models,
either is right. The hidden cases draw other parts than these; the second cell lists all that a part may do.
"""

# %% nbgrader={"grade": false, "grade_id": "02-place-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pd.DataFrame(mlsd.exercises.inputs("02-place")[0]["components"])

# %% nbgrader={"grade": false, "grade_id": "02-place-kinds", "locked": true, "schema_version": 3, "solution": false, "task": false}
mlsd.samples.WHAT_PARTS_DO


# %% nbgrader={"grade": false, "grade_id": "02-place-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def place(components):
    ### BEGIN SOLUTION
    parts = {
        "data": "records what happened; brings records in; hands events on; works out features nightly; keeps counts "
        "up to date; keeps the newest features; keeps old features; keeps the truth",
        "training": "fits models; lends machines for fitting; lists what was tried; lists finished models; scores a "
        "model on a test set",
        "serving": "takes requests in; spreads requests; runs the model on a request; repeats recent answers; keeps "
        "answers made ahead; makes answers ahead; picks what is worth ranking; decides by fixed rules",
        "monitoring": "keeps what was answered; counts errors and delays; sees inputs change; holds answers against "
        "the truth; draws curves of errors; wakes somebody",
        "control": "rolls code out; orders a new model; refuses bad models; shows a version to a few; brings a version "
        "back; switches the model off; says when jobs start",
    }
    planes = {
        does: plane for plane, all_of in parts.items() for does in all_of.split("; ")
    }
    return {component["id"]: planes[component["does"]] for component in components}
    ### END SOLUTION


# %%
# mlsd.hint("02-place")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "02-place", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("02-place", place)
### BEGIN HIDDEN TESTS
mlsd.check("02-place", place, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-blast-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 2 Trace the blast radius

*About 18 minutes, 4 points.*

`flows` is a list of arrows, each a dict with `from`, `to`, what it `carries`, and its `fallback` (None where there is
none). The component `killed` is dead. Return a dict of three sets of names:

- `stops`: who gives no answer: the dead one, and whoever waits for something that stops (`request` or `features`) on an
  arrow without a fallback;
- `falls_back`: who has a fallback on an arrow to something that stops, and does not stop itself;
- `older`: who is fed (`events` or `batch`), directly or by way of others, from something that stops, and goes on.
"""


# %% nbgrader={"grade": false, "grade_id": "02-blast-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def blast(flows, killed):
    ### BEGIN SOLUTION
    calls = [flow for flow in flows if flow["carries"] in ("request", "features")]
    fed = [flow for flow in flows if flow["carries"] in ("events", "batch")]
    stops, reached = {killed}, set()
    for _ in flows:
        stops |= {c["from"] for c in calls if c["to"] in stops and not c["fallback"]}
    reached = set(stops)
    for _ in flows:
        reached |= {f["to"] for f in fed if f["from"] in reached}
    saved = {c["from"] for c in calls if c["to"] in stops and c["fallback"]}
    return {"stops": stops, "falls_back": saved - stops, "older": reached - stops}
    ### END SOLUTION


# %%
# mlsd.hint("02-blast")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "02-blast", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("02-blast", blast)
### BEGIN HIDDEN TESTS
mlsd.check("02-blast", blast, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-sitting-2", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Second sitting, about 45 minutes: exercises 3 and 4, rules for a sketch and for a file
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-lint-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 3 Write rules that find holes in a sketch

*About 28 minutes, 3 points.*

A review is a handful of functions over boxes and arrows. Write three of its rules. `components` are dicts with `id`,
`kind` and `plane`; `flows` are dicts with `from`, `to`, `carries`, `timeout` and `fallback` (None where there is none).
Return a dict:

- `calls`: the set of positions in `flows` of calls (`request` or `features`) without a timeout *or* without a fallback;
- `unheard`: the set of ids of drift detectors, quality monitors and alerting from which no way leads to the control
  plane. A way may pass other components, as long as each of them is in the monitoring plane;
- `logged`: whether `predictions` flow from the serving plane into a prediction log.
"""


# %% nbgrader={"grade": false, "grade_id": "02-lint-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lint(components, flows):
    ### BEGIN SOLUTION
    kinds = {component["id"]: component["kind"] for component in components}
    plane = {component["id"]: component["plane"] for component in components}
    calls = {
        at
        for at, flow in enumerate(flows)
        if flow["carries"] in ("request", "features")
        and (flow["timeout"] is None or flow["fallback"] is None)
    }
    heard = {name for name in kinds if plane[name] == "control"}
    for _ in flows:
        heard |= {
            flow["from"]
            for flow in flows
            if plane[flow["from"]] == "monitoring" and flow["to"] in heard
        }
    monitors = ("drift detector", "quality monitor", "alerting")
    unheard = {name for name, kind in kinds.items() if kind in monitors} - heard
    logged = any(
        flow["carries"] == "predictions"
        and plane[flow["from"]] == "serving"
        and kinds[flow["to"]] == "prediction log"
        for flow in flows
    )
    return {"calls": calls, "unheard": unheard, "logged": logged}
    ### END SOLUTION


# %%
# mlsd.hint("02-lint")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "02-lint", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("02-lint", lint)
### BEGIN HIDDEN TESTS
mlsd.check("02-lint", lint, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-gate-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 4 Gate a generated file

*About 17 minutes, 3 points.*

A file of features is generated every five minutes: `rows`, each a dict with `feature` and `value`. The last file that was
let in had `last_good_rows` rows; 0 means that none was let in yet. The reader stops beyond `hard_limit` rows. `ranges`
maps each feature that the model knows to its lowest and highest value. Decide with a reason. Take the checks in this order; the first that fails gives
the reason:

| reason | refused is a file |
|---|---|
| `size` | with more rows than the limit, or more than 20 % away from the last good one, either way; where there is none, only the limit counts |
| `duplicate` | in which a feature comes twice |
| `schema` | in which a feature is missing or unknown |
| `range` | with a value outside its range |
| `ok` | (let in) |

Return a dict: `accept`, True or False; `reason`; and `serve`, which file the readers get now: `"new"`; where it is
refused, `"last good"`; and `"nothing"` where it is refused and no file was let in before. Here is one case for each of
these three values of `serve`, in that order:
"""

# %% nbgrader={"grade": false, "grade_id": "02-gate-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
cases = mlsd.exercises.inputs("02-gate")
pprint([cases[0], cases[4], cases[-1]], width=68, sort_dicts=False)


# %% nbgrader={"grade": false, "grade_id": "02-gate-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gate(rows, last_good_rows, hard_limit, ranges):
    ### BEGIN SOLUTION
    names = [row["feature"] for row in rows]
    usual = last_good_rows or len(rows)
    if len(rows) > hard_limit or abs(len(rows) - usual) > 0.2 * usual + 1e-9:
        reason = "size"
    elif len(set(names)) < len(names):
        reason = "duplicate"
    elif set(names) != set(ranges):
        reason = "schema"
    elif not all(
        ranges[row["feature"]][0] <= row["value"] <= ranges[row["feature"]][1]
        for row in rows
    ):
        reason = "range"
    else:
        reason = "ok"
    accept = reason == "ok"
    meanwhile = "last good" if last_good_rows else "nothing"
    return {
        "accept": accept,
        "reason": reason,
        "serve": "new" if accept else meanwhile,
    }
    ### END SOLUTION


# %%
# mlsd.hint("02-gate")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "02-gate", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("02-gate", gate)
### BEGIN HIDDEN TESTS
mlsd.check("02-gate", gate, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-sitting-3", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Third sitting, about 42 minutes: exercise 5, a sketch to repair
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-repair-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 5 Repair a sketch within four edits

*About 42 minutes, 5 points.*

A colleague's sketch has four holes: a call that waits for ever, generated input that is not checked, a monitor that
nobody in control hears, and a rollback that is not whole. This is what the review says of it:
"""

# %% nbgrader={"grade": false, "grade_id": "02-repair-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
sketch = mlsd.exercises.inputs("02-repair")[0]["planes"]
found = mlsd.review(mlsd.Design(name="a sketch", planes=sketch))
errors = [finding for finding in found if finding.severity == "error"]
pd.DataFrame(errors, columns=["code", "message"])

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-repair-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `repaired`, which takes such a sketch (a dict with `components`, `flows` and `release`, as in `design.yaml`) and
returns it without an error. The check uses three sketches, of which this is the first; all three are in
`mlsd.exercises.inputs("02-repair")`, and those that grading draws are like them. They have the same four kinds of hole
elsewhere, under other names, so find them by what they are. What is still wrong is said in the words of the review, and
may be about a sketch that you have not looked at.

- Keep every box and every arrow, and the validation and the canary of the release. An entry added or changed is one edit, however much you change in it; the release is
  one entry. Four edits are enough.
- *Generated input* is `events` or a `batch` that flows into a feature store, and a `configuration` that flows into the serving
  plane. Each wants a `check`.
- A `timeout` is in seconds, and a caller waits longer than what it calls waits in turn. A `fallback` and a
  `check` are words; what you write there, you will have to build.
- To look at a sketch, draw it: `mlsd.figures.sketch(mlsd.design.Planes(**sketch))`.
"""


# %% nbgrader={"grade": false, "grade_id": "02-repair-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def repaired(planes):
    ### BEGIN SOLUTION
    mended = copy.deepcopy(planes)
    kinds = {box["id"]: box["kind"] for box in mended["components"]}
    for flow in mended["flows"]:
        waits = flow["carries"] in ("request", "features")
        into_store = kinds[flow["to"]] == "feature store"
        generated = into_store and flow["carries"] in ("batch", "events")
        if waits and "fallback" not in flow:
            patience = 0.4 if kinds[flow["to"]] == "model server" else 0.05
            flow.update(timeout=patience, fallback="Decide by rules")
        if (generated or flow["carries"] == "configuration") and "check" not in flow:
            flow["check"] = "Row count within 20 % of the last, schema, ranges"
    trigger = next(name for name, kind in kinds.items() if kind == "retraining trigger")
    telling = {flow["from"] for flow in mended["flows"] if flow["to"] == trigger}
    for name, kind in kinds.items():
        if kind in ("drift detector", "quality monitor") and name not in telling:
            mended["flows"].append({"from": name, "to": trigger, "carries": "alert"})
    mended["release"]["versioned_together"] = [
        "model",
        "feature schema",
        "configuration",
    ]
    return mended
    ### END SOLUTION


# %%
# mlsd.hint("02-repair")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "02-repair", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
mlsd.check("02-repair", repaired)
### BEGIN HIDDEN TESTS
mlsd.check("02-repair", repaired, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-sitting-4", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Fourth sitting, about 33 minutes: exercises 6 and 7, availability and a canary
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-availability-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 6 Work out the availability of a topology

*About 17 minutes, 4 points.*

A request needs every part in `required` (availabilities), and a store that runs as `copies` copies, of which one is
enough. One copy by itself has the availability `copy`; a share `common_share` of its failures takes all copies at
once, the rest hits each copy by itself. Calls to the parts in `guarded` have a fallback. Return a dict:

- `series`: the availability of the required parts together;
- `copies`: that of the store;
- `together`: the share of requests that are answered, with a fallback or without;
- `by_fallback`: the share of requests that are answered, and of which at least one guarded call failed;
- `down_min`: minutes without an answer in a window of `window_d` days.
"""


# %% nbgrader={"grade": false, "grade_id": "02-availability-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def topology(required, guarded, copy, copies, common_share, window_d):
    ### BEGIN SOLUTION
    series = math.prod(required)
    common = common_share * (1 - copy)
    alone = (1 - common_share) * (1 - copy)
    doubled = (1 - common) * (1 - alone**copies)
    together = series * doubled
    return {
        "series": series,
        "copies": doubled,
        "together": together,
        "by_fallback": together * (1 - math.prod(guarded)),
        "down_min": (1 - together) * window_d * 24 * 60,
    }
    ### END SOLUTION


# %%
# mlsd.hint("02-availability")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "02-availability", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("02-availability", topology)
### BEGIN HIDDEN TESTS
mlsd.check("02-availability", topology, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "02-canary-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 7 Order a canary and a rollback

*About 16 minutes, 3 points.*

`order` takes a `plan`, `"release"` or `"rollback"`, and shuffled `cards`. Return a list of the cards that belong there, in
an order that you would defend. The old version answers everywhere five minutes after it was brought back; the switch acts
within seconds, and the rules do less harm than the faulty model. Some cards belong nowhere: leave them out. A deck may lack a
card that others have; where two orders are as good, either is right. All cards:

| card | what it says |
|---|---|
| `compare` | When the canary has seen enough, compare its errors, latency and scores with the rest |
| `debug_live` | Find the fault in the new model first, while it serves |
| `delete_old_first` | Delete the old version, to make room |
| `everybody` | The new model answers all requests |
| `everybody_first` | All requests at once, to learn fastest |
| `extend_gate` | Write down what happened, and let the gate refuse it next time |
| `half` | The new model answers half of the requests |
| `keep_old_ready` | Keep the old version ready, with its feature schema and configuration |
| `kill_switch` | Switch the model off: the rules decide |
| `old_model_only` | Bring back the old model file, and leave features and configuration as they are |
| `old_version` | Bring back the old model with its feature schema and its configuration |
| `one_percent` | The new model answers 1 % of the requests |
| `promote_on_alert` | A drift alert retrains the model and promotes it by itself |
| `retire_old` | The old version is no longer kept ready |
| `retrain_now` | Retrain on the newest data, and put that model in |
| `shadow` | The new model answers beside the old one, unseen |
| `stop_release` | Stop the release: the share of the new model grows no further |
| `switch_on` | Switch the model on again |
| `validate` | The new model passes the gate: every slice no worse than the model in use |
| `verify` | See on every replica that the old version answers, and answers well |
| `watch_cpu` | The canary is good when its CPU is low and it returns no 5xx |
"""


# %% nbgrader={"grade": false, "grade_id": "02-canary-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def order(plan, cards):
    ### BEGIN SOLUTION
    release = ["validate", "keep_old_ready", "shadow", "one_percent", "compare"]
    release += ["half", "everybody", "retire_old"]
    rollback = ["stop_release", "kill_switch", "old_version", "verify", "switch_on"]
    rollback += ["extend_gate"]
    good = release if plan == "release" else rollback
    return [card for card in good if card in cards]
    ### END SOLUTION


# %%
# mlsd.hint("02-canary")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "02-canary", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("02-canary", order)
### BEGIN HIDDEN TESTS
mlsd.check("02-canary", order, fresh=True)
### END HIDDEN TESTS
