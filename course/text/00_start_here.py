# %% [markdown]
"""
# 00 Start here: before the first line of model code

On 18 November 2025 Cloudflare's network answered with errors for hours, and with it many of the sites behind it. The cause
was a file that lists the features of a model: it had grown beyond what the programs that read it could take [1]. The
model was not at fault.

Good ML engineering starts before the first line of model code. A [**design session**](glossary.md#design-session) is an hour in which a team says
aloud what everybody takes for granted: how fresh the data are, what a label (the true answer, for training) costs, how
long an answer may take, what happens when a part fails. An assumption that is said there costs a sentence. One that is
found later may cost an outage.

**You will be able to** say where a published failure could first have been caught, turn a hidden assumption into a question, and find
your way through this course. About 35 minutes, exercises apart.
"""

# %%
import numpy as np
import pandas as pd

import mlsd_helpers as mlsd
from mlsd_helpers import doctor

# %% [markdown]
"""
## 1 Is everything there?

Run each cell, from the top, with Shift+Enter. This one looks at your machine. If it says `False`, run `doctor.report()`: it names what is missing and how to install it.
"""

# %%
doctor.report().ready

# %% [markdown]
"""
## 2 Predict first

In this course you commit to a number before you see one. A wrong guess of your own often teaches more than a right answer
that you read. Type a number and press Enter; where it could be in two units, write the unit behind it, such as *min* or *h*. It is not
graded. The answer and its reason appear below your guess.

The file made machines all over the world fail. The engineers had to find out why, and put a good file in its place.
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
- **control** decides what runs: it releases a new version step by step, takes it back (*rollback*), orders a new training, or
  switches the model off.

Your prediction opens three published incidents [1, 2, 3]. Take one, step through its moments, and choose the plane in which
it could *first* have been caught. Then look at what each of the other planes could have done. The moments are the sources';
which plane was earliest is our reading, and you may find a better one.
"""

# %%
mlsd.widgets.DesignAutopsy(prediction=guess)

# %% [markdown]
"""
Behind such a failure there is often an assumption that somebody made and others did not know of. Four questions find many of
them in a design:

| hidden assumption | the question |
|---|---|
| data freshness | how old may a feature be when the model reads it? |
| labelling cost | what does a label cost, and when does it come? |
| acceptable latency | within what time must an answer come, for which share of the requests? |
| failure modes | when this part does not answer, what happens instead? |

## 4 A failure that no error shows

At Cloudflare errors showed that something was wrong. Here none does. A rule decides on payments: whoever pays more than the limit is asked for a
code. The rule was made for amounts in euros. One payment in twenty is above its limit (the 95th percentile of the amounts) and is
asked:
"""

# %%
amounts = mlsd.samples.payment_amounts()
limit = np.quantile(amounts, 0.95)

print(f"{np.mean(amounts > limit):.1%} of payments are asked for a code")

# %% [markdown]
"""
One day the service sends the same amounts in cents. **Predict.**
"""

# %%
mlsd.ask("00-ask-cents")

# %% [markdown]
"""
A monitor of errors and of latency stays green here: each request got an answer, in time and well-formed. What moves is the
*share* of payments that are asked for a code, so a monitor of that share can call somebody. Then it is for the data plane, where
the unit changed, to put it right.

## 5 Check, hint, hand in

Exercises come with each lesson. You write an answer, mostly a function, and a **check** says at once what is wrong with it
and, where it recognises the mistake, which misconception may be behind it. Try it on the first exercise of this lesson: which
incidents are *specific to machine learning*, so that their cause could not hit a system without a model? Each record
says where an incident broke, how it showed (`symptom`) and what its cause was. These are the first three:
"""

# %%
pd.DataFrame(mlsd.exercises.inputs("00-incidents")[0]["incidents"]).head(3)

# %% [markdown]
"""
Here is an answer that is not good enough. It takes every incident that showed itself by wrong predictions:
"""


# %%
def classify(incidents):
    found = {each["id"] for each in incidents if each["symptom"] == "wrong predictions"}
    return {"ml_specific": found, "share": len(found) / len(incidents)}


mlsd.check("00-incidents", classify)

# %% [markdown]
"""
Some of the points, and a reason why not more. If you are stuck, a **hint** says where to look. Ask again for how to start, and a
third time for a similar problem with its solution. No hint contains the answer itself.
"""

# %%
mlsd.hint("00-incidents")

# %% [markdown]
"""
Grading runs the same check on *other* cases than the ones you see, so an answer that is typed in for these does not count.
If you learn alone, `mlsd.check("00-incidents", classify, fresh=True)` does the same for you. To **hand in**, save the notebook of
the assignment and give it in as your course says. *Validate*, in the toolbar, runs everything once more first.

## 6 How the course runs

Five steps lead from a product requirement to an architecture that can be deployed. Each is a lesson of about an hour, and exercises in
sittings that are shorter than that. Two files go with you. `harbour_pay.yaml` is the case of the lessons, with what you decide in them. `design.yaml` is a
system of your own: a lesson adds examples to it as comments, and what holds for your system you write yourself. A term in bold is explained where it first appears, and once more in the
[glossary](glossary.md).
"""

# %%
mlsd.figures.course_map()

# %% [markdown]
"""
The case is **Harbour Pay**, which decides on card payments. If you skip a lesson, the worked part of the case stands in.

## 7 Your own system

Take a system that you know. Each lesson has a moment for it: `mlsd.outline` adds an example of a part to your `design.yaml`, each
line as a comment. The first part says whose design it is:
"""

# %%
mlsd.outline("design.yaml", "about")

# %% [markdown]
"""
Give your system its name here, in place of *My system*. The cell writes it, and shows the lines of the file that this changes:
"""

# %%
mlsd.write("design.yaml", name="My system")

# %% [markdown]
"""
Then open `design.yaml` in the list of files. Put your own words into the part `about`, take away the `#` at
the beginning of its lines (select them, Ctrl+/), and save. `!mlsd check design.yaml` in a cell reviews the file; it has
something to find once you have filled in the part of lesson 01.

## 8 Before you go

Two questions, without looking back. Each lesson ends with some, on itself and on earlier ones: recalling something helps you to keep it.
"""

# %%
mlsd.ask("00-recall-plane")

# %%
mlsd.ask("00-recall-question")

# %% [markdown]
"""
## What you can do now

- Name the plane in which a published failure could first have been caught, and say what the others could have done.
- Turn what everybody takes for granted into one of four questions.
- Get an answer checked, take a hint, and hand in.

Not covered: whoever knows the end sees where it could have been caught, and those on call saw errors that came and went. A
reading of a report is not blame.

**Next:** five short exercises in [the assignment](../release/00_start_here/00_start_here.ipynb), then
[lesson 01](01_requirements.ipynb), where you ask a product owner what has to be true. Here the sitting ends.

## Sources

1. Cloudflare, *Cloudflare outage on November 18, 2025*, https://blog.cloudflare.com/18-november-2025-outage/. Times are UTC.
   Its text has the first failures at 11:20, its timeline the first errors for customers at 11:28; we take the text's.
2. Zillow Group, annual report for 2021 (form 10-K), note on the wind-down of Zillow Offers: the date and the 25 %. The
   write-down of the third quarter is quoted from press reports of November 2021.
3. *Immutable KV Store on Cassandra*, Uber, Feature Store Summit, 15 October 2024.
4. D. Papasian, T. Underwood, *How ML Breaks: A Decade of Outages for One Large ML Pipeline*, OpML 2020 (exercise 1).

Harbour Pay is invented, and so are the payments of section 4.
"""
