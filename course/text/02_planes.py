# %% [markdown]
"""
# 02 Planes: boxes and arrows before frameworks

In the last days of July the trading firm Knight Capital put new code on its order router, and one of the eight servers kept
the old. When the exchanges opened on 1 August 2012, that server sent orders over and over. About 45 minutes and more than 4 million executions later
the firm had lost over 460 million dollars. Before the opening 97 e-mails of its own systems had named the fault; they
were not alerts, and nobody acted on them. The tool that watched the growing positions could not stop the orders. And in one attempt
to mend it, the new code was taken off the seven servers where it was right, which made things worse [1].

No model was involved. A system with a model can fail in the same three ways:

- a monitor notices, and nobody acts;
- a limit is watched, and is not linked to a switch;
- a rollback takes back a part of what belongs together.

**You will be able to** place a component by what it is responsible for; say what stops, what falls back and what silently ages
when one part dies; find the holes in a sketch and mend them; work out an availability and know what it
hides; release a model and take it back; and put a gate in front of what you generate yourself. About 60 minutes,
exercises apart; a break fits before section 4.
"""

# %%
import numpy as np
import pandas as pd

import mlsd_helpers as mlsd

planes = mlsd.cases.load("harbour_pay").planes

# %% [markdown]
"""
## 1 Kill a box

These are six parts of Harbour Pay, and what goes from one to the other. A **box** runs or stores something. On an **arrow** somebody
asks and waits for an answer, or data move, or an alert or an order goes. The rows are planes of lesson 00.
"""

# %%
few = mlsd.samples.sketch_of_six()
mlsd.figures.sketch(few)

# %% [markdown]
"""
A payment arrives at the gateway, which asks the scorer and, where no score comes in time, lets the rules decide. The scorer asks the
feature store (`features`), which keeps the features ready to be read, and waits for what it has. `velocity` counts recent payments from
`card_events` and writes the counts into the store. **Predict.**
"""

# %%
killed = mlsd.ask("02-ask-kill")
killed

# %% [markdown]
"""
Your prediction opens the canvas. Kill boxes there, one at a time, and revive them. After whose death does nothing stop or fall back, and
yet something gets worse? Leave the list of boxes to add, and what the review says, for section 3.
"""

# %%
mlsd.widgets.PlanesCanvas(few, prediction=killed)

# %% [markdown]
"""
## 2 Five planes

Each plane is responsible for something that no other is:

| plane | is responsible for | usual parts |
|---|---|---|
| data | what is known, how old it is, and what was known when | raw sources, ingestion, stores of features and labels |
| training | the next model, and what it was made from | pipeline, compute, registries (lists of experiments and of models) |
| serving | an answer in time | API gateway, model server, cache, rules |
| monitoring | noticing that answers are wrong | metrics, a comparison with earlier data (drift detector), alerts |
| control | what runs, and taking it back | CI/CD, validation gate, release to a few (canary), the way back (rollback) |

Place a part by what it is *responsible for*, not by who calls it or where it runs. Two examples: `disputes` keeps which
payments turned out to be fraud, so it belongs to data, though training and a monitor read it most. The gate measures a new model, as
monitoring does; but monitoring tells, and the gate can say no: control. It is a convention, and what counts is that for each
failure one team knows that it is theirs. **Your turn.**
"""

# %%
mlsd.ask("02-ask-table")

# %%
mlsd.ask("02-ask-look")

# %% [markdown]
"""
## 3 What dies with what

Three kinds of arrow behave differently when something breaks:

- **somebody waits** (`request`, `features`): the start has asked, and needs an answer within a [**timeout**](glossary.md#timeout). When none
  comes it uses its [**fallback**](glossary.md#fallback), if it has one: a default, a rule, the last good answer;
- **data move** (`events`, `batch`, `labels`, `predictions`, `model`, `metrics`): nobody waits, and so nobody notices
  at once;
- **alerts and orders** (`alert`, `command`, `configuration`): somebody is told what to do.

These are the arrows on which somebody waits at Harbour Pay:

| who waits | for what | how long | and then |
|---|---|---|---|
| `gateway` | `scorer` | 420 ms | decide by rules alone |
| `gateway` | `rules` | 20 ms | pass below $50; ask for a code above |
| `scorer` | `features` | 40 ms | each feature's default |
| `scorer` | `rules` | 20 ms | decide by the score alone |

The [**blast radius**](glossary.md#blast-radius) of a part is what it takes with it. Follow it by hand: a failure travels *against* the arrows
on which somebody waits, up to the first fallback; and *along* the arrows on which data move, where often no error shows it. With the
fallback of the table, the death of the feature store does this:
"""

# %%
six = few.with_flow("scorer", "features", fallback="Each feature's default")
mlsd.analysis.blast_radius(six, "features").sentence

# %% [markdown]
"""
And here the death of what *fills* the store:
"""

# %%
mlsd.analysis.blast_radius(six, "velocity").sentence

# %% [markdown]
"""
Nothing stops, and every score is made from counts that get older, as at Uber in lesson 00. Such an age needs a monitor of its own:
lesson 03.

**Explore.** Now more boxes, and three holes. The rules review the sketch as you draw; one of the holes breaks two rules. Mend what
they find; three edits do it.
"""

# %%
mlsd.widgets.PlanesCanvas(mlsd.samples.sketch_with_holes(), prediction=killed)

# %% [markdown]
"""
Ask of each finding what would happen at night: who waits, who reads what nobody checked, who is told?

What a rollback takes back *together* stands on no arrow. If it took back the model alone, that model might get features in a shape that it
does not know. So Harbour Pay's `release` says that the model, the feature schema and the configuration go back together.

## 4 Availability, and what it hides

**Availability** is the share of time, or of requests, that gets an answer. If parts are all **required** and fail independently, their
shares multiply. **Predict** before you multiply.
"""

# %%
mlsd.ask("02-ask-series")

# %% [markdown]
"""
A call with a fallback is not required: as long as the fallback works and counts as an answer, what it guards is not multiplied. So ask
first *which* answer is promised. Harbour Pay promises a **score** for 99.9 % of the payments over 30 days, and lets rules decide the
rest. An answer of either kind needs the gateway alone. A score needs the gateway and the scorer, which has fallbacks for the feature store and
the rules. And a score without any fallback needs all four:
"""

# %%
up = pd.Series({box.id: box.availability for box in planes.components}).dropna()
up

# %%
available = {
    "promised": 0.999,
    "an answer": up["gateway"],
    "a score": up["gateway"] * up["scorer"],
    "a score without any fallback": up.prod(),
}
minutes_without = (1 - pd.Series(available)) * 30 * 24 * 60
minutes_without.round(1)

# %% [markdown]
"""
By these availabilities, which are assumed, the promise is kept, and 43.2 − 25.9 = 17.3 minutes are left for what is not in the sketch,
such as a bad release. If the feature store and the rules had no fallbacks, a score would need all four, and 43.2 − 34.6 = 8.6 minutes
would be left.

Copies go the other way. Of two copies of 99 %, one is enough, so both have to be down. If they fail independently, that makes
1 − (1 − 0.99)² = 99.99 %. They seldom do: copies share a configuration, a zone, a bug, a feature file. The part of the copies' failures that hits all
of them at once is the [**common cause**](glossary.md#common-cause) [2]. Outages that overlap help required parts, since the whole is then down for less than the
sum. They harm copies, since both are then down at once. **Predict.**
"""

# %%
mlsd.ask("02-ask-common")

# %% [markdown]
"""
More copies do not help against what they share. What helps is a difference: another version, another zone, another hour of
roll-out.

The number hides *who* was down (a share of the time is not a share of the requests: nights are cheap); wrong
answers, which count as up; and how long one failure lasts: a month's budget can be spent at once.

## 5 Out and back: canary and rollback

A new model meets users a few at a time. It passes the [**validation gate**](glossary.md#validation-gate); it answers beside the old one without
anybody seeing its answers (the [**shadow**](glossary.md#shadow)); as a [**canary**](glossary.md#canary) it answers a small share of the requests while somebody compares; then
the share grows. The order is the point: each step limits whom the next one can hurt.

Errors of 0.1 % are usual, and the canary, 1 % of the traffic, shall show whether the new model has 0.2 %. How many requests does
that take? **Predict.**
"""

# %%
canary_needs = mlsd.ask("02-ask-canary")
canary_needs

# %% [markdown]
"""
Harbour Pay's canary gets 1 % of 500 requests/s at the peak, and of 200 requests/s on average. The formula is for two arms of one size.
Beside 1 % of the traffic the other 99 % are as good as known, which halves it. This is how many minutes the canary needs:
"""

# %%
needed = mlsd.formulas.canary_sample_size(0.001, 0.002) / 2
canary_rps = 0.01 * pd.Series({"at the peak": 500, "on average": 200})
minutes = needed / canary_rps / 60
canary_needs.unlocks(minutes.round())

# %% [markdown]
"""
So a canary is measured in requests, and its hours follow from the traffic. Harbour Pay's takes 2 h, somewhat longer than it needs at the
average rate. It does not see everything:

| seen in that time | not seen in that time |
|---|---|
| errors that have doubled, slow answers, crashes | that it finds less fraud: that takes labels, which come weeks later |
| how often it decides otherwise than the old model, from the shadow | which of the two was right |
| scores that are all alike, or missing | slow drift, and what users learn to do about it |

A [**rollback**](glossary.md#rollback) takes back everything that changed together: the model, the *schema of its features*, its configuration.
First comes what limits the harm quickest. Stop the release; where the old version is still warm, shift the traffic back to it; where it is
not, switch the model off and let something simpler decide, if that is safer than the faulty model: a [**kill switch**](glossary.md#kill-switch). Knight's
limits on its positions were not linked to the orders that its router sent [1].

An alert may start a *training*. It should not start a *promotion* past the gate: when bad data raised the alert, bad data
make the next model.

## 6 Lab: the file that doubled

Lesson 00's first incident, simplified, and with numbers of our own. A file of features is generated every five minutes. Usually it has 108 to 112 rows, at random; the
reader holds at most 200, and answers nothing while it has a larger one. From 11:20 on, a change spreads over ten database nodes, one
every half hour. A node that has the change writes each row twice. Each file comes from a node picked at random. At 17:06 the
change is taken back.

Three readers: one takes whatever comes. One is behind a gate that refuses a file more than 20 % larger or smaller than the
last good one, and keeps that one. The gate of the third allows no more than 2 %.

The change is out for 346 minutes, from 11:20 to 17:06. **Predict** how many minutes of errors the reader without a gate has on
such a day.
"""

# %%
no_gate = mlsd.ask("02-ask-errors")
no_gate

# %%
gates = pd.Series({"no gate": np.inf, "20 % gate": 0.20, "2 % gate": 0.02})
no_gate.unlocks(gates.apply(mlsd.samples.days_behind_a_gate).round(1))

# %% [markdown]
"""
These are means over 400 days. The 2 % gate refuses good files: of 108 to 112 rows, 6 of 25 pairs differ by three rows or more.
A gate pays for fewer errors with an older file, which helps where an old file does less harm than none. So it needs an alert of its own, and a
limit on how old is too old. And a gate is tuned like any alarm: one that refuses too many good files will be switched off.
(`mlsd.samples.days_behind_a_gate??` in a cell shows how the days are drawn.)

## 7 Write it down

The second part of `harbour_pay.yaml` is the sketch. One decision is yours: what does the scorer do without features? The worked
case takes each feature's default. Other ways: "The features of the last hour, kept in the scorer", or `None`, so that the gateway's
rules decide. The gate's refusals get an alert, too. See what this changes in your file:
"""

# %%
without_features = "Each feature's default"

# %%
sketch = mlsd.cases.carry_on("harbour_pay.yaml").planes
sketch = sketch.with_flow("scorer", "features", fallback=without_features).with_alert(
    id="refused_files",
    raised_by="service_metrics",
    watches="data",
    metric="age of the newest batch that passed the check",
    threshold="above 30 min",
    window="5 min",
    minimum_count=1,
    owner="Data platform",
    action="Look at what was refused and why; keep serving the last good batch",
)
mlsd.write("harbour_pay.yaml", planes=sketch)

# %% [markdown]
"""
`!mlsd document harbour_pay.yaml` in a cell makes the design document, with this sketch in it.

## 8 Before you go

Four questions, without looking back: two on this lesson, two on lesson 01.
"""

# %%
mlsd.ask("02-recall-radius")

# %%
mlsd.ask("02-recall-canary")

# %%
mlsd.ask("02-recall-peak")

# %%
mlsd.ask("02-recall-sum")

# %% [markdown]
"""
## What you can do now

- Place a part by what it is responsible for, and follow what stops, falls back or ages when it dies.
- Find the holes of a sketch: a call without an answer, input that nobody checks, a monitor that nobody hears.
- Work out an availability, and say what it hides.
- Release a model to a few, take it back whole, and put a gate before what you generate.

Not covered: a part that is slow and not dead, what boxes share, and whether a fallback works; a drill shows that.

**Next:** seven exercises in [the assignment](../release/02_planes/02_planes.ipynb), in four sittings. If you learn alone,
`mlsd.check(..., fresh=True)` tries your answer on cases that it has not seen, as grading does. Then
[lesson 03](03_dataflow.ipynb) puts clocks on the arrows. Here the sitting ends.

## For another day: your own system

About 30 minutes, on another day. This part too, as an example in your `design.yaml`, to be changed there:
"""

# %%
mlsd.outline("design.yaml", "planes")

# %% [markdown]
"""
Or draw. Once your file has `planes`, take away the `#`s: the first cell opens your own sketch, the second writes what you have drawn.
"""

# %%
# mine = mlsd.load_design("design.yaml")
# canvas = mlsd.widgets.PlanesCanvas(mine.planes)
# canvas

# %%
# mine.with_part(planes=canvas.planes).save("design.yaml", replace=True)

# %% [markdown]
"""
## For another day: further

About 5 minutes, and not needed for the exercises.

### An availability to work out

**Your turn.** Three required parts of 99.95 % each, and a required store of two copies of 99 %, with a tenth of their failures in
common. The three parts are up 0.9995³ = 99.85 %, the store (1 − 0.1 × 1 %) × (1 − (0.9 × 1 %)²) = 99.892 %.
"""

# %%
mlsd.ask("02-ask-faded")

# %% [markdown]
"""
### A canary that is to see lost recall

To see that the recall has fallen from 60 to 50 %, the same rule asks for 198 labelled frauds. One payment in a thousand is fraud, so these
take 198 / 0.001 / (0.01 × 500/s) = 11 hours at the peak, and their labels another 30 days. That is the least: of the payments that the
canary *stops*, only the few that are let through all the same ever get a label.

### What the sketch leaves out

- **Time.** An arrow has no clock. How old what it carries may be is lesson 03.
- **Amounts.** A box has no size, and a fallback has to carry what it takes over. Lesson 05.
- **Whether it works.** The sketch says that there is a fallback. A drill shows whether it answers.
- **Slow.** A part that is dead is found by a timeout; one that is slow holds everybody until then.
- **What is shared.** Two boxes on one machine, one account or one file may fail as one.
- **People.** An owner on a box is a name; an alert at night needs somebody who may press the switch.

## Sources

1. U.S. Securities and Exchange Commission, *In the Matter of Knight Capital Americas LLC*, release 34-70694, 16 October 2013,
   https://www.sec.gov/files/litigation/admin/2013/34-70694.pdf.
2. K. N. Fleming, *A reliability model for common mode failures in redundant safety systems*, 1975.
3. R. Lehr, *Sixteen S-squared over D-squared*, Statistics in Medicine 11, 1992: the rule for two arms of one size, of which section 5
   takes half.

Harbour Pay is invented; its numbers are our assumptions, and so is the database of the lab.
"""
