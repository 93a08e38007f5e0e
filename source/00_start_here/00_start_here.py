# %% [markdown] nbgrader={"grade": false, "grade_id": "00-intro", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
# 00 Start here: exercises

Five exercises, about 64 minutes, 19 points. They are divided into two sittings. Each has three cells:

1. **your answer**, where you replace the line that raises;
2. a **hint** on request, again for the next one;
3. the **check**. It tells you at once what is wrong and, where it knows, which misconception may be behind it.

The check that you see uses a few cases. Grading draws others, so an answer typed in passes here and not there. If you learn
alone, add `fresh=True` to a check, and it draws others too. Each part of an answer scores by itself. `print` inside your
function shows nothing during a check: call the function yourself to see it.

To hand in, save this notebook and give it in as your course says (upload it, or **Nbgrader → Assignment List**).
**Validate**, in the toolbar, runs everything once more from the top.
"""

# %% nbgrader={"grade": false, "grade_id": "00-imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from pprint import pprint

import pandas as pd

import mlsd_helpers as mlsd

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-sitting-1", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## First sitting, about 32 minutes: exercises 1 to 3, causes, a testable wish and a silent model
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-incidents-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 1 Is it the model?

*About 9 minutes, 3 points.*

Predict before you read on.
"""

# %%
mlsd.ask("00-ask-share")

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-incidents-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
An incident is **specific to machine learning** when its cause could not hit a system without a model that learnt from
data. Each record says where it broke, how it showed, and what a review found to be the cause:

| `cause` | what the review found |
|---|---|
| `certificate` | a certificate had expired |
| `config` | a faulty setting went to all machines at once |
| `drift` | the world had moved away from what was learnt from |
| `feedback` | the system's own decisions had chosen the data that it learnt from next |
| `late_labels` | outcomes that had not arrived yet were learnt as "did not happen" |
| `leak` | training saw what is not known yet when an answer is due |
| `network` | two data centres could not reach each other |
| `order` | a job started before the one that it reads from had finished |
| `overload` | more requests came than were planned for |
| `permission` | a change of permissions altered what a query returns |
| `quota` | a disk was full |
| `skew` | a feature was computed in one way for training and in another for serving |
| `versions` | two services ran versions that do not fit together |
"""

# %% nbgrader={"grade": false, "grade_id": "00-incidents-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pd.DataFrame(mlsd.exercises.inputs("00-incidents")[0]["incidents"])

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-incidents-ask-2", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `classify`, which takes such a list and returns a dict:

- `ml_specific`: the set of `id`s of the incidents that are specific to machine learning;
- `share`: their share of all the incidents, between 0 and 1.
"""


# %% nbgrader={"grade": false, "grade_id": "00-incidents-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def classify(incidents):
    ### BEGIN SOLUTION
    causes = {"skew", "leak", "drift", "feedback", "late_labels"}
    found = {each["id"] for each in incidents if each["cause"] in causes}
    return {"ml_specific": found, "share": len(found) / len(incidents)}
    ### END SOLUTION


# %%
# mlsd.hint("00-incidents")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "00-incidents", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("00-incidents", classify)
### BEGIN HIDDEN TESTS
mlsd.check("00-incidents", classify, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-inequality-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 2 From a wish to an inequality

*About 11 minutes, 3 points.*

No measurement says whether a wish is fulfilled. Somebody asked the people who wished, and noted what they meant. In a `reply`, `wish` is what they
said first; then comes what it is `about`, the `word` before the number, the `limit` and its `unit`; for a latency also the
`share_percent` of the answers that have to keep it. A load is what has to be carried in the busiest minute; a
freshness holds whenever the model reads.
"""

# %% nbgrader={"grade": false, "grade_id": "00-inequality-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
replies = [case["reply"] for case in mlsd.exercises.inputs("00-inequality")]
pprint(replies, width=68, sort_dicts=False)

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-inequality-ask", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
Write `inequality`, which takes a `reply` and returns a dict:

- `quantity`: `"mean latency"`, `"p99 latency"` (any percentile, written like that), `"mean feature age"`,
  `"worst feature age"`, `"mean request rate"`, `"peak request rate"`, `"availability"` or `"cost per label"`;
- `comparator`: `"<"`, `"<="`, `">"` or `">="`;
- `value` and `unit`: the number and its unit, as said, or converted, both of them. Units: `ms`, `s`, `min`, `h`;
  `requests/s`, `requests/min`; `1`, `%`; `$`, `cents`.

Read aloud, the dict is a sentence that a test can refute: p99 latency <= 300 ms.
"""


# %% nbgrader={"grade": false, "grade_id": "00-inequality-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def inequality(reply):
    ### BEGIN SOLUTION
    quantities = {
        "latency": f"p{reply.get('share_percent')} latency",
        "freshness": "worst feature age",
        "load": "peak request rate",
        "uptime": "availability",
        "labels": "cost per label",
    }
    comparators = {"at most": "<=", "under": "<", "at least": ">=", "more than": ">"}
    return {
        "quantity": quantities[reply["about"]],
        "comparator": comparators[reply["word"]],
        "value": reply["limit"],
        "unit": reply["unit"],
    }
    ### END SOLUTION


# %%
# mlsd.hint("00-inequality")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "00-inequality", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("00-inequality", inequality)
### BEGIN HIDDEN TESTS
mlsd.check("00-inequality", inequality, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-fallback-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 3 When the model is silent

*About 12 minutes, 4 points.*

The model gives a score, and for an hour it gives none. **Fail open** lets every request pass as if it were good; **fail
closed** stops every one as if it were bad. Neither is safe: it depends on the use. Often there is a third way, such as simple
rules or a person; here there are these two, and stopping a good request costs money and does no other harm. Write `fallback`, which takes a `use`, a dict with its `name` and

- `bad_share`, the share of requests that are bad, between 0 and 1;
- `loss_if_passed`, what one bad request costs that passes, in dollars;
- `loss_if_stopped`, what one *good* request costs that is stopped, in dollars;
- `can_be_undone`, whether the harm of a bad request that passes can be made good again;

and returns a dict:

- `open_loss`, `closed_loss`: the loss from a thousand requests in dollars, each way;
- `fallback`: `"open"` or `"closed"`. Harm that cannot be undone decides alone; otherwise the smaller loss does;
- `reason`: `"cannot be undone"`, `"passing costs more"` or `"stopping costs more"`.
"""

# %% nbgrader={"grade": false, "grade_id": "00-fallback-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
pd.DataFrame(case["use"] for case in mlsd.exercises.inputs("00-fallback"))


# %% nbgrader={"grade": false, "grade_id": "00-fallback-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fallback(use):
    ### BEGIN SOLUTION
    bad_share = use["bad_share"]
    open_loss = 1000 * bad_share * use["loss_if_passed"]
    closed_loss = 1000 * (1 - bad_share) * use["loss_if_stopped"]
    if not use["can_be_undone"]:
        decision, reason = "closed", "cannot be undone"
    elif open_loss > closed_loss:
        decision, reason = "closed", "passing costs more"
    else:
        decision, reason = "open", "stopping costs more"
    return {
        "open_loss": open_loss,
        "closed_loss": closed_loss,
        "fallback": decision,
        "reason": reason,
    }
    ### END SOLUTION


# %%
# mlsd.hint("00-fallback")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "00-fallback", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
mlsd.check("00-fallback", fallback)
### BEGIN HIDDEN TESTS
mlsd.check("00-fallback", fallback, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-sitting-2", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## Second sitting, about 32 minutes: exercises 4 and 5, a response and an input that tells
"""

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-response-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 4 Order the response

*About 12 minutes, 6 points.*

A job makes a feature file every five minutes and sends it to all machines. Its last one was faulty, and every machine
that read it fails. The last good file is kept. On the table lie cards, each with an `id` and what it `does`:

| `does` | the action |
|---|---|
| `cause` | find out why the file was faulty |
| `declare` | declare an incident: one person leads, one channel, customers are told |
| `delete_logs` | delete the logs, to make room |
| `gate` | put a check of size, schema and range where the file is made |
| `restore_all` | put the last good file on all machines |
| `restore_one` | put the last good file on one machine, and watch it |
| `resume` | start the job again |
| `retrain` | train the model again, on last week's data |
| `review` | write down, without blame, what happened and what will change |
| `scale` | double the number of machines |
| `stop` | stop the job that makes and sends the file |

Write `respond`, which takes the `cards` and returns the list of their ids in the order in which you would act. Leave out
what does not help here. More than one order is right. Grading shuffles and renames the cards, and some may be missing.
"""


# %% nbgrader={"grade": false, "grade_id": "00-response-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def respond(cards):
    ### BEGIN SOLUTION
    order = (
        "declare",
        "stop",
        "restore_one",
        "restore_all",
        "cause",
        "gate",
        "resume",
        "review",
    )
    ids = {card["does"]: card["id"] for card in cards}
    return [ids[action] for action in order if action in ids]
    ### END SOLUTION


# %%
# mlsd.hint("00-response")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "00-response", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
mlsd.check("00-response", respond)
### BEGIN HIDDEN TESTS
mlsd.check("00-response", respond, fresh=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": false, "grade_id": "00-kill-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
"""
## 5 Find the input that tells

*About 20 minutes, 3 points: one each for faults in the formula, in the rounding, and at the edges.*

Somebody wrote a function, and you look for a test input on which a fault in it shows. How many servers does a service need?
`peak_rps` requests a second come, each keeps a server busy for `service_time_s` seconds, a server may be busy for the share
`target` of the time, and `headroom` is the share that is added for a bad day: peak_rps × service_time_s / target × (1 + headroom),
rounded up once, at the end. `right` computes that, `suspect` has one fault somewhere. You need not know the formula's reasons; lesson 05
gives them.

Write `telling_inputs`, which takes `right` and `suspect` and returns four numbers on which the two differ: a rate above 0, up to a
million; a time above 0, up to 60 s; a target above 0, up to 1; a headroom from 0 to 2. A short list of candidates, each chosen
for a reason, does it: try each on both, and return the first on which they differ.
"""

# %% nbgrader={"grade": false, "grade_id": "00-kill-shown", "locked": true, "schema_version": 3, "solution": false, "task": false}
sizing = mlsd.exercises.inputs("00-kill")
right, suspect = sizing[0]["right"], sizing[0]["suspect"]
print(len(sizing), "suspects; the first:", suspect(500, 0.040, 0.7, 0.3))
print("right:", right(500, 0.040, 0.7, 0.3))


# %% nbgrader={"grade": false, "grade_id": "00-kill-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def telling_inputs(right, suspect):
    ### BEGIN SOLUTION
    candidates = [
        (500, 0.040, 0.7, 0.3),  # ordinary
        (201, 0.070, 0.7, 0.3),  # rounding early gives one more
        (13, 0.1, 0.6, 0.25),  # just above a whole number
        (0.5, 1.0, 0.7, 0.3),  # less than one request a second
        (4_000, 0.2, 0.5, 0.3),  # large
        (300, 0.1, 0.5, 0.05),  # hardly any headroom
    ]
    for inputs in candidates:
        if right(*inputs) != suspect(*inputs):
            return inputs
    return candidates[0]
    ### END SOLUTION


# %%
# mlsd.hint("00-kill")  # take away the first # and run; run again for the next hint

# %% nbgrader={"grade": true, "grade_id": "00-kill", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
mlsd.check("00-kill", telling_inputs)
### BEGIN HIDDEN TESTS
mlsd.check("00-kill", telling_inputs, fresh=True)
### END HIDDEN TESTS
