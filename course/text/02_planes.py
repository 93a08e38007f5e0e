# %% [markdown]
"""
# 02 Planes: boxes and arrows before frameworks

On 18 November 2025, at 11:20, a large part of the web began to answer with errors. Cloudflare's proxies read a
file of features for the model that tells people from bots. Their own database wrote that file, every five minutes,
and had begun to write every row more than once. About 60 features became more than 200; the reader hit a hard
limit, and stopped. Most traffic flowed again at 14:30, all of it at 17:06 [1].

No model was wrong that day. What was missing was an arrow with a check on it.

**You will be able to** place any component by what it answers for; say what stops, what falls back and what ages
unseen when one part dies; find the holes in a sketch and mend them; work out an availability and know what it
hides; release a model and take it back; and put a gate in front of what you generate yourself. About 80 minutes,
exercises apart.
"""

# %%
from textwrap import fill

import numpy as np
import pandas as pd
from IPython.display import Markdown

import mlsd_helpers as mlsd
from mlsd_helpers.figures.planes import DOES
from mlsd_helpers.units import day, minute, show_seconds

case = mlsd.cases.load("harbour_pay")
planes = case.planes
print(f"{len(planes.components)} boxes, {len(planes.flows)} arrows")

# %% [markdown]
"""
## 1 Five planes

A production system has five **planes**. Each answers for something that nobody else does:

| plane | answers for | usual parts |
|---|---|---|
| data | what is known, how old it is, and how it was | raw sources, ingestion, feature store, labels |
| training | the next model, and what it was made from | pipeline, compute, experiment and model registry |
| serving | an answer in time | API gateway, model server, cache, rules |
| monitoring | knowing when answers are wrong | prediction log, metrics, drift detector, alerts |
| control | what runs, and taking it back | CI/CD, validation gate, canary, rollback, triggers |

These are the boxes of Harbour Pay, which you specified in lesson 01: what each is called, of which kind it is, and
what its kind does.
"""

# %%
boxes = sorted(planes.components, key=lambda box: box.id)
pd.DataFrame(
    [(box.id, box.kind, DOES[box.kind]) for box in boxes],
    columns=["called", "kind", "what its kind does"],
).set_index("called")

# %% [markdown]
"""
**Predict.** Place them in your head, by the table above.
"""

# %%
mlsd.ask("02-ask-serving")

# %% [markdown]
"""
Place a part by what it *answers for*, not by who calls it or where it runs. The feature store is the usual stumble:
the model server reads it on every request, so people draw it into serving. But when a feature is late or wrong, it is
the data plane that has to explain it.

Worked, one box at a time. Who keeps what a feature was worth last Tuesday?
"""

# %%
planes.component("features").plane

# %% [markdown]
"""
The gate *measures* a new model, as monitoring does. But monitoring tells, and the gate can say no:
"""

# %%
planes.component("gate").plane

# %% [markdown]
"""
**Your turn.** Say it before you run it: which plane has the log of features, score and model version of each payment?
"""

# %%
planes.component("scores").plane

# %% [markdown]
"""
## 2 Boxes and arrows

The sketch comes before any framework. A **box** runs or stores something, and has an owner. An **arrow** says what
goes from one to the other; three kinds behave differently when something breaks:

- **somebody waits** (`request`, `features`): the start has asked, and needs an answer within a [**timeout**](glossary.md#timeout). When none
  comes it uses its [**fallback**](glossary.md#fallback), if it has one: a default, a rule, the last good answer;
- **data move** (`events`, `batch`, `labels`, `predictions`, `model`, `metrics`): nobody waits, and so nobody notices
  at once;
- **alerts and orders** (`alert`, `command`, `configuration`): somebody is told what to do.

Here are the boxes on the way of a payment, with what feeds and watches them. The whole sketch is in section 9.
"""

# %%
near = {
    "payments", "card_events", "velocity", "merchant_jobs", "features", "history",
    "disputes", "training", "models", "gateway", "scorer", "rules", "scores",
    "service_metrics", "drift", "quality", "pager", "retrain", "gate", "canary", "undo",
}  # fmt: skip
part = planes.changed(
    components=[box for box in planes.components if box.id in near],
    flows=[arrow for arrow in planes.flows if {arrow.start, arrow.end} <= near],
)
mlsd.figures.sketch(part)

# %% [markdown]
"""
What the picture does not show is written on the arrows. These are the ones that somebody waits on:
"""

# %%
for arrow in part.flows:
    if arrow.carries in ("request", "features"):
        print(
            f"{arrow.start} -> {arrow.end}: after {show_seconds(arrow.timeout)},"
            f" {arrow.fallback}"
        )

# %% [markdown]
"""
## 3 What dies with what

The [**blast radius**](glossary.md#blast-radius) of a part is what it takes with it. Follow it by hand: a failure travels *against* the arrows
that somebody waits on, up to the first fallback; and *along* the arrows on which data move, where it makes no noise.

**Predict.** The scorer asks the feature store, and the gateway asks the scorer.
"""

# %%
killed = mlsd.ask("02-ask-kill")
killed

# %%
hit = mlsd.analysis.blast_radius(planes, "features")
assert hit.stops == ("features",)
assert hit.falls_back == ("scorer",)
print(fill(hit.sentence, 68))

# %% [markdown]
"""
The same death with one text taken out of the design, the fallback on that arrow:
"""

# %%
bare = planes.changed(
    flows=[
        arrow.changed(fallback=None) if arrow.carries == "features" else arrow
        for arrow in planes.flows
    ]
)
hit = mlsd.analysis.blast_radius(bare, "features")
assert hit.stops == ("features", "scorer")
print(fill(hit.sentence, 68))

# %% [markdown]
"""
Now the failure that nobody sees. Kill what *fills* the store:
"""

# %%
hit = mlsd.analysis.blast_radius(planes, "velocity")
assert hit.stops == ("velocity",)
assert hit.older == ("features",)
print(fill(hit.sentence, 68))

# %% [markdown]
"""
Nothing stopped, and every score is made from older and older counts. At Uber a job that filled a store failed and
yesterday's features were served; when it kept failing, the entries expired and there were no features at all [2]. An
outage pages somebody. Age needs a monitor of its own: lesson 03.

**Explore.** Your prediction opens the canvas: the boxes of section 2 with four holes. The rules review it as you draw.

1. Kill boxes, one at a time. Which takes the most with it? Which death is the quietest?
2. Mend what the review finds. Three edits do it on the canvas; the fourth is the line of code below it.
3. Draw something of your own: **Undo** brings back the last sketch.
"""

# %%
holes = {
    ("scorer", "features"): {"timeout": None, "fallback": None},
    ("merchant_jobs", "features"): {"check": None},
}
broken = part.changed(
    flows=[
        arrow.changed(**holes.get((arrow.start, arrow.end), {}))
        for arrow in part.flows
        if (arrow.start, arrow.end)
        not in {("quality", "pager"), ("quality", "retrain")}
    ],
    release=part.release.changed(versioned_together=["model"]),
)
canvas = mlsd.widgets.PlanesCanvas(broken, prediction=killed)
canvas

# %% [markdown]
"""
Three of the holes are on arrows. The fourth is in the *release*, which has no arrow: what a rollback takes back
together. Harbour Pay's own, `planes.release`, is whole; put it into what you have drawn, and see the review change:
"""

# %%
# canvas.planes = canvas.planes.changed(release=planes.release)  # take away the first #

# %% [markdown]
"""
The canvas edits a value and nothing else: what you have drawn is `canvas.planes`, a frozen sketch that reads and
writes like the file. Here is what the review says before any edit, code by code:
"""

# %%
found = [
    finding
    for finding in mlsd.widgets.PlanesCanvas(broken).findings
    if finding.severity == "error"
]
assert {finding.code for finding in found} == {
    "PLANE005",
    "PLANE006",
    "PLANE015",
    "PLANE021",
    "PLANE028",
}
for finding in found:
    print(fill(f"{finding.code}  {finding.message}", 68, subsequent_indent=" " * 10))

# %% [markdown]
"""
Five findings for four holes: the call to the feature store lacks a timeout *and* a fallback, and one edit writes both.
Read the others as sentences about the night on which they matter:

- a **generated batch** that enters the store unchecked is Cloudflare's file;
- a **monitor** whose alert reaches no box in control is a dashboard that shows the decline to nobody;
- a **rollback** of the model alone gives an old model features in a shape that it has never seen.

## 4 Where outages come from

Google looked back on ten years of outages of one large ML pipeline, 96 post-mortems. The majority were not specific to
machine learning; they were failures of the distributed system around it [3]. That is the case for sketching first: most of the
findings above would be the same without any model.

Zillow is, by our reading, the case for control. It bought houses at prices that a model forecast, and in 2021 the forecast was off by
more than the margin of the business. We found nothing independent that bounded what the model could spend: a write-down of
304 million dollars in one quarter, and a quarter of the staff [4]. What was missing was a part
that could say *no more than this*, whatever the model says: a [**kill switch**](glossary.md#kill-switch), or a cap by rule.

## 5 Availability, and what it hides

**Availability** is the share of time, or of requests, that gets an answer. Parts that are all **required** multiply, as far as they fail independently.

**Predict** before you multiply.
"""

# %%
mlsd.ask("02-ask-series")

# %%
series = mlsd.formulas.series_availability([0.999] * 5)
down_s = mlsd.formulas.error_budget_s(series, 30 * day)
assert round(series, 4) == 0.995
print(f"{series:.3%}, {down_s / minute:.0f} minutes in 30 days")

# %% [markdown]
"""
A call with a fallback is not required: it leaves the product. That is why the fallback on the way to the feature store
is worth more than another copy of it. For Harbour Pay's required parts, the way in and what answers:
"""

# %%
required = [planes.component(name).availability for name in ("gateway", "scorer")]
guarded = [planes.component(name).availability for name in ("features", "rules")]
budget_s = mlsd.formulas.error_budget_s(case.requirements.availability.target, 30 * day)
left_s = {}
for words, parts in (
    ("as drawn", required),
    ("without fallbacks", required + guarded),
):
    share = mlsd.formulas.series_availability(parts)
    down_s = mlsd.formulas.error_budget_s(share, 30 * day)
    left_s[words] = budget_s - down_s
    print(
        f"{words:18} {share:.3%}: {left_s[words] / minute:.0f}"
        f" of {budget_s / minute:.0f} minutes are left"
    )
assert 0.45 < left_s["without fallbacks"] / left_s["as drawn"] < 0.55

# %% [markdown]
"""
Both keep the target of 99.9 %. Without the fallbacks half as many minutes are left for what is not in the sketch, such
as a bad release.

Copies go the other way. Of two copies, one is enough, so both have to be down. If they failed independently:
"""

# %%
independent = mlsd.formulas.parallel_availability([0.99, 0.99])
print(f"{independent:.2%}")

# %% [markdown]
"""
They seldom do. Copies share a configuration, a zone, a bug, a feature file. The part of their failures that hits all
of them at once is the [**common cause**](glossary.md#common-cause).

**Predict.**
"""

# %%
mlsd.ask("02-ask-common")

# %%
common = mlsd.formulas.common_cause_availability(0.99, copies=2, common_share=0.1)
five = mlsd.formulas.common_cause_availability(0.99, copies=5, common_share=0.1)
assert round(common, 4) == 0.9989
assert five < 0.9991
print(f"two copies {common:.2%}, five copies {five:.2%}")

# %% [markdown]
"""
Five copies are hardly better than two: no number of them outlives what they share. On that November day every proxy
read the same file. What helps is a difference: another version, another zone, another hour.

**Faded.** Three required parts of 99.95 %, and a store of two copies of 99 % with a tenth in common. Two steps are
written; the third is yours.
"""

# %%
three = mlsd.formulas.series_availability([0.9995] * 3)
store = mlsd.formulas.common_cause_availability(0.99, copies=2, common_share=0.1)
print(f"three parts {three:.3%}, the store {store:.3%}")

# %%
# together = ...

# %%
mlsd.ask("02-ask-faded")

# %% [markdown]
"""
And what the number hides: *who* was down (a share of the time is not a share of the requests: nights are cheap); wrong
answers, which count as up; and how long one failure lasts. A month's budget can be spent in one piece.

## 6 Out and back: canary and rollback

A new model meets users a few at a time. It passes the [**validation gate**](glossary.md#validation-gate); it answers beside the old one, unseen (the
[**shadow**](glossary.md#shadow)); a [**canary**](glossary.md#canary), a small share of requests, is answered by it while somebody compares; then the share grows.
The order is the point: each step limits whom the next one can hurt.

How long must the canary sing? **Predict.**
"""

# %%
mlsd.ask("02-ask-canary")

# %%
needed = mlsd.formulas.canary_sample_size(0.001, 0.002)
takes_s = mlsd.formulas.canary_duration_s(
    needed, case.requirements.throughput.peak, planes.release.canary_share
)
assert takes_s < planes.release.canary_time
print(
    f"{needed:,} requests: {takes_s / minute:.0f} minutes at the peak, as 1 % of the traffic"
)

# %% [markdown]
"""
At night, with a fraction of the traffic, it takes several times as long: a canary is measured in requests, not hours. The rule
is for two arms of one size; here the other arm has the rest of the traffic, so fewer would do.

What it sees are errors and slow answers. That a new model finds *less fraud* it does not see: that takes labels, and they
come weeks later. What can be known within the hour is how often the new model decides otherwise than the old one, from the
shadow.

A [**rollback**](glossary.md#rollback) takes back everything that changed together: the model, the *schema of its features*, its configuration.
The version before may need its old features. First comes what is quickest: stop the release; shift the traffic back, where the old version is still warm; else
switch the model off. A kill switch is among the lessons that were drawn from that November day [1].

An alert may start a *training*. It must not start a *promotion*: when bad data raised the alert, bad data make the next
model, and it has the gate to pass like any other.

## 7 Exercises

Seven exercises wait in [the assignment](../release/02_planes/02_planes.ipynb): place, trace, lint, repair, multiply,
order, gate. Each tells you at once what is wrong. Do them now, and come back for the lab.

## 8 Lab: the file that doubled

A file of features is generated every five minutes. Usually it has about 110 rows; the reader holds at most 200 and stops
beyond. From 11:20 on, a change spreads over the database's ten nodes, one every half hour. A node that has the change
writes every row twice. Each file is written by a node picked at random. At 17:06 the change is taken back.

Three readers: one that reads whatever comes; one behind a gate that refuses what is more than a fifth larger or smaller
than the last good file, and keeps that one; and one whose gate is so strict that it allows no growth at all beyond one
row in fifty.
"""

# %%
changes_at, ends_at = 11 * 60 + 20, 17 * 60 + 6


def files(rng):
    """Return the minute of the day and the rows of each generated file."""
    minutes = np.arange(0, 24 * 60, 5)
    hours_since = (minutes - changes_at) / 60
    changed = np.clip(np.floor(2 * hours_since) + 1, 0, 10) / 10
    changed[minutes >= ends_at] = 0
    twice = rng.random(minutes.size) < changed
    return minutes, rng.integers(108, 113, minutes.size) * np.where(twice, 2, 1)


minutes, rows = files(np.random.default_rng(seed=18))
print(f"{rows.size} files, {(rows > 200).sum()} of them doubled")
print(
    f"changed from {changes_at // 60}:{changes_at % 60:02} to {ends_at // 60}:{ends_at % 60:02},"
    f" {ends_at - changes_at} minutes"
)

# %% [markdown]
"""
A reader with a file that is too large answers nothing until the next one comes. With a gate, the file in use only gets
older:
"""


# %%
def read(rows, growth, limit=200):
    """Return for each file whether the reader stops, and the age in minutes of what it reads."""
    last_good, age, stopped, ages = rows[0], 0, [], []
    for count in rows:
        accepted = growth is None or abs(count - last_good) <= growth * last_good
        age = 0 if accepted else age + 5
        last_good = count if accepted else last_good
        stopped.append(accepted and count > limit)
        ages.append(age)
    return np.array(stopped), np.array(ages)


assert read(np.array([110, 220, 110]), None)[0].tolist() == [False, True, False]
assert read(np.array([110, 220, 110]), 0.2)[1].tolist() == [0, 5, 0]

# %% [markdown]
"""
**Predict**: how many minutes of errors does the reader without a gate have on such a day, on average? The change is out
from 11:20 to 17:06, 346 minutes.
"""

# %%
rng = np.random.default_rng(seed=2)
days = [files(rng)[1] for _ in range(400)]
outcomes = {
    name: [read(rows, growth) for rows in days]
    for name, growth in (("no gate", None), ("20 % gate", 0.2), ("2 % gate", 0.02))
}
error_minutes = {
    name: 5 * np.mean([stopped.sum() for stopped, _ in read_days])
    for name, read_days in outcomes.items()
}
mlsd.ask("02-ask-errors", truth=lambda: round(float(error_minutes["no gate"])))

# %%
print("           minutes of errors  oldest file in use  good refused")
for name, errors in error_minutes.items():
    ages_of_days = [ages for _, ages in outcomes[name]]
    oldest = np.mean([ages.max() for ages in ages_of_days])
    refused = [
        (ages[rows < 200] > 0).mean()
        for ages, rows in zip(ages_of_days, days, strict=True)
    ]
    good = np.mean(refused)
    print(f"{name:10} {errors:17.0f} {oldest:15.0f} min {good:13.1%}")
    assert (errors > 0) == (name == "no gate")
    assert name != "20 % gate" or (90 < oldest < 130 and good < 0.001)
    assert name != "2 % gate" or 0.2 < good < 0.3
assert 180 < error_minutes["no gate"] < 240

# %% [markdown]
"""
**Learnt.** A check of one line turns over three hours of errors into none, at the price of a file that gets almost two
hours old. So the gate needs an alert of its own, and a limit on how old is too old. The strict gate has as few errors,
and refuses a quarter of the good files, on ordinary days too: somebody will switch it off. A gate is tuned like any alarm.

The early part of such a day is the treacherous one: with few nodes changed, the errors come and go.

## 9 Your design

The second part of your `design.yaml` is the sketch. Harbour Pay's worked sketch stands here as a start; change what you
would do otherwise, in the canvas or in code. Two decisions are asked of you: what the scorer does without features, and
how the gate's refusals are noticed.
"""

# %%
without_features = "Each feature's default"
refusals = {
    "id": "refused_files",
    "raised_by": "service_metrics",
    "watches": "data",
    "metric": "age of the newest batch that passed the check",
    "threshold": "above 30 min",
    "window": "5 min",
    "minimum_count": 1,
    "owner": "Data platform",
    "action": "Look at what was refused and why; keep serving the last good batch",
}

# %%
flows = [
    arrow.changed(fallback=without_features) if arrow.carries == "features" else arrow
    for arrow in planes.flows
]
mine = planes.changed(flows=flows, alerts=[*planes.alerts, refusals])
design = mlsd.cases.carry_on("design.yaml", "harbour_pay", until="planes")
design = design.with_part(planes=mine)
errors = [finding for finding in mlsd.review(design) if finding.severity == "error"]
assert not [finding for finding in errors if finding.code.startswith("PLANE")]
print(
    f"{len(mine.components)} boxes, {len(mine.flows)} arrows, {len(mine.alerts)} alerts"
)

# %%
saved = design.save("design.yaml", replace=True)
print(f"written to {saved.name}")

# %% [markdown]
"""
The sketch *is* the documentation. This diagram is written from the value that you have just saved, and changes with it.
It shows the boxes and arrows on which a payment waits; `mlsd.document(design)` draws all of them:
"""

# %%
waited = [arrow for arrow in mine.flows if arrow.carries in ("request", "features")]
on_the_way = {box for arrow in waited for box in (arrow.start, arrow.end)}
path = mine.changed(
    components=[box for box in mine.components if box.id in on_the_way],
    flows=waited,
    alerts=[],
)
text = mlsd.document(mlsd.Design(name=design.name, planes=path))
_, _, after = text.partition("```mermaid\n")
Markdown("```mermaid\n" + after.partition("\n```")[0] + "\n```")

# %% [markdown]
"""
## 10 What the sketch leaves out

- **Time.** An arrow has no clock. How old what it carries may be is lesson 03.
- **Amounts.** A box has no size, and a fallback has to carry what it takes over. Lesson 05.
- **Whether it works.** The sketch says that there is a fallback. Only a drill says that it answers.
- **Slow.** A part that is dead is found by a timeout; one that is slow holds everybody until then.
- **What is shared.** Two boxes on one machine, one account or one file are one box on the day that matters.
- **People.** An owner on a box is a name; an alert at night needs somebody who may press the switch.

## 11 From earlier lessons

Five questions, without looking back. Remembering is what makes it stay.
"""

# %%
mlsd.ask("02-recall-200")

# %%
mlsd.ask("02-recall-assumption")

# %%
mlsd.ask("02-recall-peak")

# %%
mlsd.ask("02-recall-sum")

# %%
mlsd.ask("02-recall-age")

# %% [markdown]
"""
## Sources

1. Cloudflare, post-mortem of the outage of 18 November 2025, blog.cloudflare.com/18-november-2025-outage; figures as
   several summaries of it agree.
2. Uber on its immutable key-value store on Cassandra, Feature Store Summit, featurestoresummit.com, 2024.
3. D. Papasian and T. Underwood, on a decade of outages of one ML pipeline at Google, OpML 2020,
   usenix.org/conference/opml20; the number of post-mortems from a published summary.
4. Zillow's third quarter of 2021 as reported by insidebigdata.com, 13 December 2021, and others.
5. K. N. Fleming, *A reliability model for common mode failures in redundant safety systems*, 1975.

Harbour Pay is invented; its numbers are our assumptions, and so is the database of the lab.
"""
