"""What lesson 02 asks: predictions on planes, two questions on the lesson itself, and two on lesson 01.

A truth is rounded as the lesson prints it: who works it out is right, not close.
"""

from mlsd_helpers import cases, formulas
from mlsd_helpers.analysis.blast import blast_radius
from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.units import day


def _common() -> float:
    alone = 1 - formulas.parallel_availability([0.99] * 2)
    return round((1 - formulas.common_cause_availability(0.99, 2, 0.1)) / alone, 1)


def _faded() -> float:
    store = formulas.common_cause_availability(0.99, 2, 0.1)
    together = formulas.series_availability([0.9995] * 3) * store
    return round(formulas.error_budget_s(together, 30 * day) / 60)


def _killed() -> float:
    planes = cases.load("harbour_pay").planes
    if planes is None:
        return 0
    return len(blast_radius(planes.with_flow("scorer", "features", fallback=None), "features").stops) - 1


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="02-ask-kill",
        question="The feature store dies. How many of the other five boxes stop answering with it?",
        unit="boxes",
        truth=_killed,
        because="The scorer waits for the store and has no fallback, so it stops too. The gateway waits for the scorer "
        "and has one: it decides by rules alone.",
        within=0.001,
        highest=5,
    ),
    Recall(
        id="02-ask-table",
        lesson="02 planes",
        question="A job copies exchange rates into a table every hour, and the model server reads that table on every "
        "request. In which plane is the table?",
        options={
            "serving": "Who calls does not decide. If a rate is wrong, who has to explain it?",
            "data": "When a rate is late or wrong, it is the data plane that has to explain it.",
            "monitoring": "It may be monitored. It is responsible for what is known and for its age.",
        },
        answer="data",
    ),
    Recall(
        id="02-ask-look",
        lesson="02 planes",
        question="Every day two people look at 200 decisions, drawn at random, and write down what they would have "
        "decided. In which plane is that?",
        options={
            "monitoring": "It is there to notice that answers are wrong. What they find may become labels, too.",
            "data": "What they find are labels, so this can be defended. They are asked how well it goes.",
            "control": "It stops nothing and changes nothing: it tells.",
        },
        answer="monitoring",
    ),
    Estimate(
        id="02-ask-series",
        question="Five required parts are up 99.9 % each, and fail independently. For how many minutes in 30 days is "
        "the whole down?",
        unit="min",
        truth=lambda: round(
            formulas.error_budget_s(formulas.series_availability([0.999] * 5), 30 * day) / 60
        ),
        because="(1 − 0.999^5) × 30 × 24 × 60 = 216 min. Each takes its own 43.2 min, and as they are seldom down at "
        "the same moment, the minutes nearly add.",
        highest=43200,
    ),
    Estimate(
        id="02-ask-common",
        question="Two copies of 99 % share a tenth of their failures. How many times as long are both down as two "
        "independent copies would be?",
        unit="times",
        truth=_common,
        because="In common they are down 0.1 × 1 % = 0.1 %; apart, both at once, (0.9 × 1 %)² = 0.0081 %. "
        "Independent copies are both down (1 %)² = 0.01 %. With five copies the 0.1 % remains.",
        within=0.2,
    ),
    Estimate(
        id="02-ask-faded",
        question="For how many minutes in 30 days are the three parts and the store together down?",
        unit="min",
        truth=_faded,
        because="(1 − 0.9985 × 0.9989) × 43,200 min: all are required, so the shares multiply.",
        within=0.02,
        highest=43200,
        to_work_out=True,
    ),
    Estimate(
        id="02-ask-canary",
        question="How many requests must the canary answer, to find it in 8 of 10 cases with a false alarm in 1 of "
        "20?",
        unit="requests",
        truth=lambda: round(formulas.canary_sample_size(0.001, 0.002) / 2),
        because="A comparison of two equal arms takes 16 · p(1 − p)/Δ² requests in each, p the mean of both rates: "
        "16 × 0.0015 × 0.9985 / 0.001² = 23,964. Beside 1 % of the traffic the other 99 % are as good as known, which "
        "halves it: 8 · p(1 − p)/Δ² = 11,982. The rule counts alarms on either side. A canary that alarms only where "
        "errors are more needs somewhat fewer: between 9,000 and 10,000, by the binomial distribution.",
        within=0.5,
    ),
    Estimate(
        id="02-ask-errors",
        question="Minutes of errors a day, without a gate?",
        unit="min",
        truth=None,
        because="At first few nodes have the change, and few files are bad. When half of them have it, good and bad "
        "files come in turn, and errors come and go; after ten steps of half an hour every file is bad.",
        within=0.15,
        highest=1440,
    ),
    Recall(
        id="02-recall-radius",
        lesson="02 planes",
        question="A job that fills the feature store dies at night. What do users see in the first hour?",
        options={
            "errors on every payment": "Nobody waits for the job. The store answers with what it has.",
            "slower answers": "Reading an old value takes as long as reading a new one.",
            "answers as ever, from older data": "Where data move, a failure makes no error. Watch the age.",
        },
        answer="answers as ever, from older data",
    ),
    Recall(
        id="02-recall-canary",
        lesson="02 planes",
        question="A canary ran for two hours with the usual errors and latency. What is known of the new fraud model?",
        options={
            "its errors have probably not doubled": "Two hours are enough requests for that. Its quality takes labels.",
            "it finds as much fraud as the old one": "That takes labels, and these come weeks later.",
            "nothing": "Errors and latency were compared; that is something.",
        },
        answer="its errors have probably not doubled",
    ),
    Recall(
        id="02-recall-peak",
        lesson="01 requirements",
        question="10 million requests a day: is the service to be planned for 116 requests a second?",
        options={
            "no, for the busiest period": "The mean is passed every day; the peak is what somebody waits in.",
            "yes, that is 10 million ÷ 86,400": "That is the mean of a day and a night. The busiest hour is above it.",
            "no, for ten times that, to be safe": "A factor out of the air is paid for all year. Read it off a trace.",
        },
        answer="no, for the busiest period",
    ),
    Recall(
        id="02-recall-sum",
        lesson="01 requirements",
        question="Two stages in a row have a p99 of 46 ms each. Is the p99 of both together at most 92 ms?",
        options={
            "yes": "Not where stalls are rare: with one second in 0.9 % of the calls of each, it is over a second.",
            "no, it is higher": "For exponential times it is 66 ms: both stages are seldom slow for the same request.",
            "that does not follow": "For exponential times it is 66 ms; with rare long stalls, far above 92.",
        },
        answer="that does not follow",
    ),
)
