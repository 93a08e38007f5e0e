# %% [markdown]
"""
# 00 Start here: before the first line of model code

On 18 November 2025 a large part of the web answered with errors. Behind them was a file that lists the features of a
model: it had grown beyond what its readers could take [1]. The model was not at fault. The file came from inside, and no
check asked how long it was before it went out to every machine.

Good ML engineering starts before the first line of model code. A [**design session**](glossary.md#design-session) is an hour in which a team says aloud
what everybody takes for granted: how fresh the data are, what a label costs, how long an answer may take, what happens
when a part fails. Said then, an assumption costs a sentence. Found later, it costs an outage.

**You will be able to** say where a published failure could first have been caught, tell a wish from an inequality, and find
your way through this course. Ten minutes, and half an hour of exercises.
"""

# %%
import numpy as np

import mlsd_helpers as mlsd
from mlsd_helpers import doctor

# %% [markdown]
"""
## 1 Is everything there?

This cell looks at your machine. Where something is missing, it says how to mend it. In a terminal, `mlsd doctor` says more.
"""

# %% tags=["nbval-ignore-output"]
report = doctor.report()
for check in report.checks:
    if check.state == "missing":
        print(check)
print("ready" if report.ready else "mend the above, then run this cell again")

# %% [markdown]
"""
## 2 First predict

In this course you commit to a number before you see one. A guess that turns out wrong is worth more than an answer that
was read. Type one, and press Enter; nothing is kept, nobody grades it.

The file made machines all over the world fail. The engineers had to find out why, and put a good one in its place.
"""

# %%
guess = mlsd.ask("00-ask-outage")
guess

# %% [markdown]
"""
## 3 Where could it have been caught?

A production system has five [**planes**](glossary.md#plane), each with a responsibility of its own:

- **data** brings raw data in, makes [**features**](glossary.md#feature) of them (the numbers that a model reads) and keeps them;
- **training** makes a model from data, and judges whether it is good enough for its use;
- **serving** answers requests with the model;
- **monitoring** watches what comes in and goes out, and calls somebody;
- **control** decides what runs: roll-out, retraining, rollback, off.

Your prediction opens three published incidents [1, 2, 3]. Go through one moment by moment. Then choose the plane in which
it could *first* have been caught, and read what each of the others could have done. There are three, and no plane is right
twice.
"""

# %%
mlsd.widgets.DesignAutopsy(prediction=guess)

# %% [markdown]
"""
Each time an assumption had not been written down: *the file has at most so many features*; *the error of a forecast is
small against the margin*; *a feature is at most a day old*. Each is a sentence with a number in it, and each could have
been checked. That sentence is what a design session is for.

Which other sentence should somebody have said? Ask four questions of any design:

| hidden assumption | the question |
|---|---|
| data freshness | how old may a feature be when the model reads it? |
| labelling cost | what does a label cost, and when does it come? |
| acceptable latency | how long may the slowest answer take, of how many? |
| failure modes | when this part is silent, what happens instead? |

## 4 A failure that no error shows

Incidents with errors are the easy ones. Here a rule decides on payments: whoever pays more than the limit is asked for a
code. It was made for euros. One day the service sends it cents.
"""

# %%
rng = np.random.default_rng(seed=0)
amount_euros = rng.lognormal(mean=3.5, sigma=1.0, size=10_000)
limit = np.quantile(amount_euros, 0.95)


def is_asked(amount):
    """Tell which payments the rule asks for a code."""
    return amount > limit


# %% [markdown]
"""
The limit is the 95th percentile: with the unit that it was made for, one payment in twenty is asked.
"""

# %%
asked_before = is_asked(amount_euros).mean()
print(f"{asked_before:.1%} of payments are asked for a code")

# %% [markdown]
"""
Now the same payments in cents. Does anything fail?
"""

# %%
asked_after = is_asked(amount_euros * 100).mean()
assert asked_before == 0.05
assert asked_after > 0.99
print(f"{asked_after:.1%} of payments are asked for a code; nothing failed")

# %% [markdown]
"""
Every request got an answer, in time and well-formed. A monitor of errors and of latency stays green; one that watches the
*share* of payments that are asked would have called. Which plane is that?

## 5 Check, hint, hand in

Exercises come with each lesson. You write an answer, mostly a function, and a **check** says at once what is wrong with it
and, where it knows, which belief is behind it. Try one now, with an answer that is not good enough: an input that is to tell
a right `replicas` from faulty ones.
"""

# %%
first_try = (500, 0.040, 0.7, 0.3)  # requests/s, seconds, target, headroom
mlsd.check("00-kill", first_try)

# %% [markdown]
"""
A quarter of the points, and a reason why not more. If you are stuck, a **hint** says where to look; ask again for how to
start, and once more for a worked neighbour. The answer is never in it.
"""

# %%
mlsd.hint("00-kill")

# %% [markdown]
"""
Grading runs the same check on *other* cases than the ones you see, so that an answer typed in for these does not count.
To **hand in**, save the notebook of the assignment and give it in as your course says: upload it, or use *Nbgrader →
Assignment List*. *Validate*, in the toolbar, runs everything once more first.

Five short ones wait in [the assignment](../release/00_start_here/00_start_here.ipynb). Do them after this lesson.

## 6 How the course runs

Five steps, a lesson each of well over an hour, from a product requirement to an architecture that can be deployed. One file,
`design.yaml`, flows through them: each lesson reads what the earlier ones decided, and adds its part. A term in bold is
explained where it first appears, and once more in the [glossary](glossary.md).
"""

# %%
mlsd.figures.course_map()

# %% [markdown]
"""
A lesson uses one running case, **Harbour Pay**, which decides on card payments. Skip a lesson, and its worked design stands
in for yours. `mlsd check design.yaml` in a terminal tells what is missing or does not fit.

## 7 Your design

Give your own design a name, and say in a sentence what it decides and for whom. Take a system you know; or keep Harbour Pay.
"""

# %%
name = "Harbour Pay card fraud"
summary = "Scores each card payment while the customer waits, to stop fraud."

# %% [markdown]
"""
Write it down. What is already in the file stays; a file that said something else is kept beside the new one as
`design.before.yaml`.
"""

# %%
design = mlsd.cases.carry_on("design.yaml", "harbour_pay", until="requirements")
saved = design.with_part(name=name, summary=summary).save("design.yaml", replace=True)
print(f"written to {saved.name}")

# %% [markdown]
"""
## 8 What this leaves out

- **Hindsight.** Who knows the end sees where it could have been caught. The people on call saw errors that came and went. A
  reading of a report is not blame.
- **The happy case.** Systems that were designed well publish no incident. What worked is told in the lessons to come.
- **The model.** Some failures *are* specific to machine learning, and need a remedy of their own. Exercise 1 sorts them.

## 9 Before you go

Two questions, without looking back. Each lesson ends with some, on earlier lessons: remembering is what makes it stay.
"""

# %%
mlsd.ask("00-recall-plane")

# %%
mlsd.ask("00-recall-inequality")

# %% [markdown]
"""
## Sources

1. Cloudflare, *Cloudflare outage on November 18, 2025*, blog.cloudflare.com/18-november-2025-outage. Times are UTC.
2. Zillow Group, annual report for 2021 (form 10-K), note on the wind-down of Zillow Offers: the date and the 25 %. The
   write-down of the third quarter is quoted from press reports of November 2021.
3. *Immutable KV Store on Cassandra*, Uber, Feature Store Summit, 15 October 2024.
4. D. Papasian, T. Underwood, *How ML Breaks: A Decade of Outages for One Large ML Pipeline*, OpML 2020 (exercise 1).

Harbour Pay is invented, and so are the payments of section 4.
"""
