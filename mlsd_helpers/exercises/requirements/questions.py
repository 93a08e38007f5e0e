"""What lesson 01 asks: predictions, two questions on the lesson itself, and two on lesson 00.

A truth is rounded as the lesson prints it: who works it out is right, not close.
"""

from mlsd_helpers import formulas
from mlsd_helpers.cases.traffic import REPEATED, week
from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.units import hour, ms


def _true_alarms() -> float:
    precision = formulas.precision_at_base_rate(0.001, true_positive_rate=0.9, false_positive_rate=0.01)
    return round(100 * precision, 1)


_CYCLE_S, _STALL_S = 2.4, 0.4
"""How the service of the lab stalls: `_STALL_S` out of every `_CYCLE_S`."""


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="01-ask-alarms",
        question="One payment in a thousand is fraud. A model catches 90 % of the fraud, and raises a false alarm on "
        "1 % of the honest payments. Of 100 alarms, how many are fraud?",
        unit="alarms",
        truth=_true_alarms,
        because="Of 1,000 payments one is fraud, and 0.9 of it is caught; of the 999 honest ones 1 % are alarms, "
        "which is 9.99. So 0.9 / (0.9 + 9.99) = 8.3 % of the alarms are right.",
        within=0.15,
        highest=100,
    ),
    Estimate(
        id="01-ask-mean",
        question="95 of 100 requests take 20 ms. How slow may the other five be, each, before the mean breaks a "
        "promise of 100 ms?",
        unit="ms",
        truth=lambda: (100 * 100 - 95 * 20) / 5,
        because="(100 × 100 − 95 × 20) / 5 = 1,620 ms. A hundred requests may take 10,000 ms in all, and the 95 fast "
        "ones use 1,900 of them.",
    ),
    Estimate(
        id="01-ask-serial",
        question="Two steps follow each other, independently. Each is exponential (many short, some long) with a "
        "mean of 10 ms, so its p99 is 46 ms. What is the p99 of both together?",
        unit="ms",
        truth=lambda: round(formulas.sum_of_exponentials_percentile_s([10 * ms, 10 * ms], 0.99) / ms, 1),
        because="Both together take longer than t with probability (1 + t/10) · e^(−t/10), t in ms, and that is 1 % "
        "at 66.4 ms. It is less than 46 + 46 = 92 ms: with this shape, both are seldom slow for the same request.",
        within=0.05,
    ),
    Estimate(
        id="01-ask-fan-out",
        question="Two calls in a hundred are slow, independently of each other. A page waits for 100 of them. How many "
        "per cent of the pages are slow?",
        unit="%",
        truth=lambda: round(100 * formulas.fan_out_tail(0.02, 100), 1),
        because="The page is fast only when all its calls are: 0.98^100 = 13.3 % of the pages are.",
        within=0.1,
        highest=100,
    ),
    Estimate(
        id="01-ask-peak",
        question="How many requests a second came in the busiest hour of the week?",
        unit="/s",
        truth=lambda: round(formulas.peak_of_trace(week(), hour, REPEATED).peak_rps),
        because="At one on Sunday, day 7, the clocks went back, and that hour came twice: its count is two hours' "
        "worth. The busiest hour that lasted an hour is on Saturday evening. It is a real trap: in the published "
        "taxi counts the largest is 2.59 times the mean, at one in the morning of 2 November 2014, when summer time "
        "ended; the largest ordinary one is, by our reading, 2.01 times the mean [4].",
        within=0.05,
    ),
    Estimate(
        id="01-ask-busy",
        question="The same server of 40 ms, so of at most 25 requests a second, gets 24 a second. How long does an "
        "answer take on average, waiting included?",
        unit="ms",
        truth=lambda: round((40 * ms + formulas.mg1_mean_wait_s(24, 40 * ms, service_scv=1)) / ms),
        because="24 × 0.040 = 96 % busy, and 40 / (1 − 0.96) = 1,000 ms. Towards 25 a second the mean grows without "
        "limit. One over the service time is a limit of the rate, not a rate to plan for.",
        within=0.15,
    ),
    Estimate(
        id="01-ask-stall",
        question="How many requests of the closed loop take longer than half a second?",
        unit="requests",
        truth=lambda: 1,
        because="It sends one request into the stall, and waits with the next until that one is answered. A clock "
        "would have sent a hundred. What was not sent is missing from its numbers, and its report says that all is "
        "well. In the open loop two kinds of requests are late: those that were due during the stall, and those that "
        "found the queue after it.",
        within=0,
    ),
    Estimate(
        id="01-ask-lab",
        question="2 s of work, 0.4 s of stall, and so on; an open loop sends 100 requests a second, and an answer "
        "takes about 1 ms otherwise. Which p99 do you expect?",
        unit="ms",
        truth=lambda: round(1_000 * (_STALL_S - 0.01 * _CYCLE_S)),
        because="One request in a hundred comes within 1 % of a cycle: the first 0.01 × 2.4 s = 24 ms of a stall. It "
        "waits for at least the other 400 − 24 = 376 ms. The closed loop sends one request into each stall and very "
        "many between the stalls, so few of its requests are late.",
        within=0.15,
    ),
    Recall(
        id="01-recall-percentile",
        lesson="01 requirements",
        question="Three steps in a row each keep 50 ms at p99. What do you promise for the whole?",
        options={
            "p99 within 150 ms": "Each step may be late in another 1 % of the requests. That can be 3 % in all.",
            "97 % within 150 ms": "Certain for any such steps: at most 1 + 1 + 1 % of the requests have a late one.",
            "p99 within 50 ms": "They follow each other: the whole takes at least as long as any one of them.",
        },
        answer="97 % within 150 ms",
    ),
    Recall(
        id="01-recall-loop",
        lesson="01 requirements",
        question="A load test waits for each answer before it sends the next request. What does its p99 leave out?",
        options={
            "the time on the network": "Both kinds of load test have it in their times.",
            "nothing, if it runs long enough": "However long it runs, it sends next to nothing into a stall.",
            "requests that users would have sent during a stall": "They would have been late. A clock sends them.",
        },
        answer="requests that users would have sent during a stall",
    ),
    Recall(
        id="01-recall-fallback",
        lesson="00 start here",
        question="The model gives no score for an hour. Which way is safe?",
        options={
            "let everything pass": "The bad ones pass too, and an attacker waits for that hour.",
            "it depends on the harm": "Weigh both kinds of harm by how often they happen; what cannot be undone first.",
            "stop everything": "The honest ones are stopped too. In a clinic, stopping may be the harm.",
        },
        answer="it depends on the harm",
    ),
    Recall(
        id="01-recall-silent",
        lesson="00 start here",
        question="Amounts arrive in cents instead of euros. Every answer is in time. Who notices?",
        options={
            "a monitor of errors": "No request fails: each gets a well-formed answer.",
            "a monitor of latency": "A wrong answer takes as long as a right one.",
            "a monitor of the share of decisions": "It jumps at once, with no error anywhere.",
        },
        answer="a monitor of the share of decisions",
    ),
)
