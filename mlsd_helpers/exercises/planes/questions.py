"""What lesson 02 asks: predictions on planes, and questions on the lessons before it.

A truth is rounded as the lesson prints it: who works it out is right, not close.
"""

from mlsd_helpers import cases, formulas
from mlsd_helpers.analysis.blast import blast_radius
from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.units import day


def _serving() -> float:
    planes = cases.load("harbour_pay").planes
    return len(planes.in_plane("serving")) if planes else 0


def _common() -> float:
    alone = 1 - formulas.parallel_availability([0.99] * 2)
    return round((1 - formulas.common_cause_availability(0.99, 2, 0.1)) / alone, 1)


def _faded() -> float:
    store = formulas.common_cause_availability(0.99, 2, 0.1)
    together = formulas.series_availability([0.9995] * 3) * store
    return round(formulas.error_budget_s(together, 30 * day) / 60)


def _killed() -> float:
    planes = cases.load("harbour_pay").planes
    return len(blast_radius(planes, "features").stops) - 1 if planes else 0


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="02-ask-serving",
        question="Harbour Pay's sketch has 24 boxes. How many of them belong to the serving plane?",
        unit="boxes",
        truth=_serving,
        because="Answering takes few parts. The others see to it that the answer is right, and stays so.",
        within=0.001,
    ),
    Estimate(
        id="02-ask-kill",
        question="The feature store of Harbour Pay dies. How many other boxes stop answering with it?",
        unit="boxes",
        truth=_killed,
        because="The scorer waits 40 ms for it, and then takes each feature's default: the arrow has a fallback.",
        within=0.001,
    ),
    Estimate(
        id="02-ask-series",
        question="Five required parts are up 99.9 % each. For how many minutes in 30 days is the whole down?",
        unit="min",
        truth=lambda: round(
            formulas.error_budget_s(formulas.series_availability([0.999] * 5), 30 * day) / 60
        ),
        because="Each takes its own 43 minutes; they rarely fail at the same moment, so the minutes nearly add.",
    ),
    Estimate(
        id="02-ask-common",
        question="Two copies of 99 % share a tenth of their failures. How many times the downtime of independent ones?",
        unit="times",
        truth=_common,
        because="Both by themselves are down one time in ten thousand; what they share alone is ten times that.",
        within=0.2,
    ),
    Estimate(
        id="02-ask-faded",
        question="For how many minutes in 30 days are the three parts and the store together down?",
        unit="min",
        truth=_faded,
        because="All are required, the store among them: the shares multiply, and what is missing to 1 is the time.",
        within=0.02,
    ),
    Estimate(
        id="02-ask-canary",
        question="How many requests must a canary see to tell 0.2 % errors from 0.1 %?",
        unit="requests",
        truth=lambda: formulas.canary_sample_size(0.001, 0.002),
        because="Rare events take many trials: 0.1 % of a thousand requests is one error, and one error is luck.",
        within=0.5,
    ),
    Estimate(
        id="02-ask-errors",
        question="Minutes of errors a day, without a gate?",
        unit="min",
        truth=None,
        because="At first few nodes have the change, so that good and bad files alternate: it comes and goes.",
        within=0.15,
    ),
    Recall(
        id="02-recall-200",
        lesson="00 start here",
        question="A unit is swapped at serving: metres for kilometres. What do the HTTP statuses show?",
        options={
            "5xx on every request": "Nothing crashes: the model takes any number, and answers with one.",
            "200 on every request": "The service is healthy and its answers are wrong. Only data or quality show it.",
            "timeouts": "The model is as fast with the wrong unit as with the right one.",
        },
        answer="200 on every request",
    ),
    Recall(
        id="02-recall-assumption",
        lesson="00 start here",
        question="What turns a hidden assumption into something that can be tested?",
        options={
            "writing it as an inequality with a unit": "“Features are at most 15 minutes old” can be seen to fail.",
            "agreeing on it in a meeting": "People agree on words and mean different numbers.",
            "adding it to the backlog": "There it waits, as untested as before.",
        },
        answer="writing it as an inequality with a unit",
    ),
    Recall(
        id="02-recall-peak",
        lesson="01 requirements",
        question="10 million requests a day: is the service to be planned for 116 requests a second?",
        options={
            "yes, that is 10 million ÷ 86,400": "That is the mean of a day and a night. The busiest hour is above it.",
            "no, for the busiest period": "The mean is passed every day; the peak is what somebody waits in.",
            "no, for ten times that, to be safe": "A factor out of the air is paid for all year. Read it off a trace.",
        },
        answer="no, for the busiest period",
    ),
    Recall(
        id="02-recall-sum",
        lesson="01 requirements",
        question="Two stages in a row have a p99 of 46 ms each. Is the p99 of both together at most 92 ms?",
        options={
            "yes, always": "Not where stalls are rare: with one second in 0.9 % of calls of each, it is over a second.",
            "that cannot be told from these": "For exponential times it is 66 ms; with rare long stalls, far above 92.",
            "no, it is higher": "For exponential times it is 66 ms: both stages are rarely slow for the same request.",
        },
        answer="that cannot be told from these",
    ),
    Recall(
        id="02-recall-age",
        lesson="01 requirements",
        question="The model is retrained every day. Are its features a day fresh?",
        options={
            "yes": "The model's age says nothing of what it reads. Features have an age of their own.",
            "no, these are two ages": "A model of today may read a feature of last week, and the reverse.",
            "only with a feature store": "A store keeps features. How old they are is decided by who fills it.",
        },
        answer="no, these are two ages",
    ),
)
